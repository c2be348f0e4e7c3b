"""Answers of 10 KB, 100 KB and 1 MB, chosen by the path, each as one body message."""

from bench.apps.asgi import Receive, Scope, Send, answer_lifespan, send_answer

OCTETS = {"/10k": 10_000, "/100k": 100_000, "/1m": 1_000_000}
BODIES = {path: bytes(33 + i % 90 for i in range(octets)) for path, octets in OCTETS.items()}
FIELDS = {
    path: [(b"content-type", b"application/octet-stream"), (b"content-length", b"%d" % octets)]
    for path, octets in OCTETS.items()
}


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "lifespan":
        await answer_lifespan(receive, send)
        return
    path = scope["path"]
    await send_answer(send, FIELDS[path], BODIES[path])
