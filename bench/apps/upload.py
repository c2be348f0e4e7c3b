"""Uploads: every octet is received and counted, none is kept."""

from bench.apps.asgi import Receive, Scope, Send, answer_lifespan, send_answer


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "lifespan":
        await answer_lifespan(receive, send)
        return
    octets = 0
    more_body = True
    while more_body:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        octets += len(message.get("body", b""))
        more_body = message.get("more_body", False)
    answer = b"%d" % octets
    length = b"%d" % len(answer)
    await send_answer(send, [(b"content-type", b"text/plain"), (b"content-length", length)], answer)
