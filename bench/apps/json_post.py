"""JSON in, JSON out: the content is read, parsed and counted."""

import json

from bench.apps.asgi import Receive, Scope, Send, answer_lifespan, read_body, send_answer


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "lifespan":
        await answer_lifespan(receive, send)
        return
    # One server passes a memoryview, which json refuses; bytes() of bytes is the same object.
    document = json.loads(bytes(await read_body(receive)))
    answer = b'{"items":%d}' % len(document["items"])
    length = b"%d" % len(answer)
    await send_answer(send, [(b"content-type", b"application/json"), (b"content-length", length)], answer)
