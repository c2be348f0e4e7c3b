"""GET 13 octets: what a server costs when the application costs nothing."""

from bench.apps.asgi import Receive, Scope, Send, answer_lifespan

BODY = b"Hello, World!"
FIELDS = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", b"13")]


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "lifespan":
        await answer_lifespan(receive, send)
        return
    await send({"type": "http.response.start", "status": 200, "headers": FIELDS})
    await send({"type": "http.response.body", "body": BODY})
