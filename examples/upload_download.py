"""Content of any size in constant memory, both ways: alsvid examples.upload_download:app

    curl -T FILE http://127.0.0.1:8000/upload              how many octets came, and their SHA-256
    curl 'http://127.0.0.1:8000/download?octets=1000000'   that many octets
    curl --data-binary @FILE http://127.0.0.1:8000/echo    the same octets, while they arrive

`send()` waits while the client reads slowly, and the client's sending is slowed down while nobody calls
`receive()`: neither side piles anything up.
"""

import hashlib
import json
from urllib.parse import parse_qs

PIECE = bytes(range(256)) * 256  # 64 KiB


async def app(scope, receive, send):
    if scope["type"] != "http":
        raise RuntimeError(f"{scope['type']} is not spoken here")
    handler = {"/upload": upload, "/download": download, "/echo": echo}.get(scope["path"], missing)
    await handler(scope, receive, send)


async def upload(scope, receive, send):
    digest = hashlib.sha256()
    octets = 0
    async for piece in content(receive):
        digest.update(piece)
        octets += len(piece)
    answer = json.dumps({"octets": octets, "sha256": digest.hexdigest()}).encode()
    await start(send, 200, b"application/json")
    await send({"type": "http.response.body", "body": answer})


async def download(scope, receive, send):
    query = parse_qs(scope["query_string"].decode("ascii"))
    left = int(query.get("octets", ["1000000"])[0])
    await start(send, 200, b"application/octet-stream", (b"content-length", str(left).encode()))
    while left > len(PIECE):
        await send({"type": "http.response.body", "body": PIECE, "more_body": True})
        left -= len(PIECE)
    await send({"type": "http.response.body", "body": PIECE[:left]})


async def echo(scope, receive, send):
    await start(send, 200, b"application/octet-stream")
    async for piece in content(receive):
        await send({"type": "http.response.body", "body": piece, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


async def missing(scope, receive, send):
    await start(send, 404, b"text/plain")
    await send({"type": "http.response.body", "body": b"/upload, /download or /echo\n"})


async def start(send, status, content_type, *headers):
    headers = [(b"content-type", content_type), *headers]
    await send({"type": "http.response.start", "status": status, "headers": headers})


async def content(receive):
    """Give the content of the request, piece by piece."""
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise OSError("the client has gone before the end of its content")
        if message.get("body"):
            yield message["body"]
        more = message.get("more_body", False)
