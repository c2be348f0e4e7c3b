"""Server-Sent Events, the answer that does not end by itself: alsvid examples.server_sent_events:app

    curl -N http://127.0.0.1:8000/                  an event every second
    curl -N 'http://127.0.0.1:8000/?every=0.1'

The client that goes away is noticed by receive(), and so is a server that stops: both give http.disconnect.
"""

import asyncio
import contextlib
from urllib.parse import parse_qs


async def app(scope, receive, send):
    if scope["type"] != "http":
        raise RuntimeError(f"{scope['type']} is not spoken here")
    query = parse_qs(scope["query_string"].decode("ascii"))
    every = float(query.get("every", ["1"])[0])
    headers = [(b"content-type", b"text/event-stream"), (b"cache-control", b"no-store")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    disconnect = asyncio.create_task(wait_for_disconnect(receive))
    number = 0
    try:
        while not disconnect.done():
            number += 1
            await send_text(send, f"id: {number}\ndata: event {number}\n\n")
            await asyncio.wait([disconnect], timeout=every)
        # The server stops, or the client has gone: then nobody hears it, and send() raises OSError.
        with contextlib.suppress(OSError):
            await send_text(send, "event: bye\ndata: the server stops\n\n")
            await send({"type": "http.response.body", "body": b""})
    finally:
        disconnect.cancel()


async def send_text(send, text):
    await send({"type": "http.response.body", "body": text.encode(), "more_body": True})


async def wait_for_disconnect(receive):
    while (await receive())["type"] != "http.disconnect":
        pass
