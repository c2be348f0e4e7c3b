"""Await a timer, then answer: `/10ms` and `/1s`, as an application that waits for a database does."""

import asyncio

from bench.apps.asgi import Receive, Scope, Send, answer_lifespan, send_answer

DELAY_S = {"/10ms": 0.01, "/1s": 1.0}
BODY = b"Hello, World!"
FIELDS = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", b"13")]


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "lifespan":
        await answer_lifespan(receive, send)
        return
    await asyncio.sleep(DELAY_S.get(scope["path"], 1.0))
    await send_answer(send, FIELDS, BODY)
