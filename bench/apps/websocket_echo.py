"""WebSocket: each message goes back as it came; `/broadcast` sends one client's message to all of them."""

import asyncio

from bench.apps.asgi import Receive, Scope, Send, answer_lifespan


class Room:
    """The clients connected to `/broadcast`."""

    def __init__(self) -> None:
        self.members: set[Send] = set()

    async def broadcast(self, data: bytes) -> None:
        await asyncio.gather(*(send({"type": "websocket.send", "bytes": data}) for send in self.members))


ROOM = Room()


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "lifespan":
        await answer_lifespan(receive, send)
        return
    if scope["type"] != "websocket":
        await send({"type": "http.response.start", "status": 426, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body"})
        return
    await receive()
    await send({"type": "websocket.accept"})
    if scope["path"] == "/broadcast":
        await serve_room(receive, send)
    else:
        await serve_echo(receive, send)


async def serve_echo(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        if message["type"] == "websocket.disconnect":
            return
        data = message.get("bytes")
        if data is not None:
            await send({"type": "websocket.send", "bytes": data})
        else:
            await send({"type": "websocket.send", "text": message["text"]})


async def serve_room(receive: Receive, send: Send) -> None:
    ROOM.members.add(send)
    try:
        while True:
            message = await receive()
            if message["type"] == "websocket.disconnect":
                return
            await ROOM.broadcast(message.get("bytes") or b"")
    finally:
        ROOM.members.discard(send)
