"""Files of 50 KB and 10 MB: by `http.response.pathsend` where the server offers it, else read and sent.

The directory comes from `BENCH_FILES`; the harness writes the files there.
"""

import os
from pathlib import Path

from bench.apps.asgi import Receive, Scope, Send, answer_lifespan

DIRECTORY = Path(os.environ.get("BENCH_FILES", "."))
PIECE_OCTETS = 64 * 1024


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "lifespan":
        await answer_lifespan(receive, send)
        return
    path = DIRECTORY / Path(scope["path"]).name
    length = b"%d" % path.stat().st_size
    fields = [(b"content-type", b"application/octet-stream"), (b"content-length", length)]
    await send({"type": "http.response.start", "status": 200, "headers": fields})
    if "http.response.pathsend" in (scope.get("extensions") or {}):
        await send({"type": "http.response.pathsend", "path": str(path)})
        return
    with path.open("rb") as file:
        while piece := file.read(PIECE_OCTETS):
            await send({"type": "http.response.body", "body": piece, "more_body": True})
    await send({"type": "http.response.body", "body": b"", "more_body": False})
