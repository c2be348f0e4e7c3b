"""103 Early Hints (RFC 8297): alsvid examples.early_hints:app

The client can fetch the style sheet while the page is still being made. Not every server has the extension,
so an application asks for it in the scope.
"""

import asyncio

STYLE = b"</style.css>; rel=preload; as=style"
PAGE = b'<!doctype html><link rel="stylesheet" href="/style.css"><h1>Hello</h1>'
SHEET = b"h1 { font-family: sans-serif }"


async def app(scope, receive, send):
    if scope["type"] != "http":
        raise RuntimeError(f"{scope['type']} is not spoken here")
    if scope["path"] == "/style.css":
        await respond(send, b"text/css", SHEET)
        return
    if "http.response.early_hint" in scope.get("extensions", {}):
        await send({"type": "http.response.early_hint", "links": [STYLE]})
    page = await make_page()
    await respond(send, b"text/html; charset=utf-8", page)


async def make_page():
    await asyncio.sleep(0.05)  # in the place of a database
    return PAGE


async def respond(send, content_type, body):
    headers = [(b"content-type", content_type)]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})
