"""64 pieces of 1 KB without a length, as a template or an event stream is sent."""

from bench.apps.asgi import Receive, Scope, Send, answer_lifespan

PIECES = 64
PIECE = bytes(33 + i % 90 for i in range(1024))


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "lifespan":
        await answer_lifespan(receive, send)
        return
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
    for _ in range(PIECES):
        await send({"type": "http.response.body", "body": PIECE, "more_body": True})
    await send({"type": "http.response.body", "body": b"", "more_body": False})
