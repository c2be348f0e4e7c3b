"""An ASGI application that awaits one second: the connection waits, the worker does not."""

import asyncio

from bench.apps.asgi import Receive, Scope, Send, answer_lifespan, send_answer

BODY = b"one second later"
FIELDS = [(b"content-type", b"text/plain"), (b"content-length", b"%d" % len(BODY))]


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "lifespan":
        await answer_lifespan(receive, send)
        return
    await asyncio.sleep(1.0)
    await send_answer(send, FIELDS, BODY)
