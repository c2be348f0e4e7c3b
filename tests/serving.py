"""For tests: a server in this process and a client that sees the octets.

async with serving(app) as server, server.client() as client:
    client.send(GET)
    assert (await client.response()).status == 200
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import alsvid
from alsvid.observability.log_events import EVENTS
from alsvid.observability.telemetry import Telemetry

GET = b"GET / HTTP/1.1\r\nHost: test\r\n\r\n"
_OTHER_EVENTS = ("client_disconnected", "connection_evicted", "upgrade_ignored")
_EVENT_LOOP_TURNS = 20


def get(path: str = "/", *lines: str, version: str = "1.1") -> bytes:
    """Return the octets of a GET."""
    return request("GET", path, *lines, version=version)


def post(body: bytes, *lines: str, path: str = "/") -> bytes:
    """Return the octets of a POST with a length."""
    return request("POST", path, f"Content-Length: {len(body)}", *lines) + body


def request(method: str, path: str, *lines: str, version: str = "1.1") -> bytes:
    """Return the octets of a request's head."""
    head = [f"{method} {path} HTTP/{version}", "Host: test", *lines]
    return "".join(line + "\r\n" for line in head).encode("latin-1") + b"\r\n"


class Response:
    """An answer as the client read it."""

    def __init__(self, head: bytes) -> None:
        first, *lines = head[:-4].decode("latin-1").split("\r\n")
        (
            self.version,
            status,
            _,
        ) = (*first.split(" ", 2), "")[:3]
        self.status = int(status)
        self.fields = [tuple(line.split(": ", 1)) for line in lines]
        self.headers = {name.lower(): value for name, value in self.fields}
        self.body = b""
        self.trailers: list[str] = []

    def __repr__(self) -> str:
        return f"<Response {self.status} {self.fields} {self.body[:80]!r}>"


class Client:
    """One connection: `send` octets, read `response`s."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    def send(self, data: bytes) -> None:
        """Write; small enough to go out at once."""
        self.writer.write(data)

    def send_eof(self) -> None:
        """FIN, and go on reading."""
        self.writer.write_eof()

    async def response(self, method: str = "GET") -> Response:
        """Read one answer by its own framing."""
        response = Response(await self.reader.readuntil(b"\r\n\r\n"))
        if method == "HEAD" or response.status < 200 or response.status in (204, 304):
            return response
        if response.headers.get("transfer-encoding") == "chunked":
            await self._read_chunks(response)
        elif "content-length" in response.headers:
            response.body = await self.reader.readexactly(int(response.headers["content-length"]))
        else:
            response.body = await self.reader.read()
        return response

    async def _read_chunks(self, response: Response) -> None:
        while size := int(await self.reader.readuntil(b"\r\n"), 16):
            response.body += await self.reader.readexactly(size)
            assert await self.reader.readexactly(2) == b"\r\n"
        while line := (await self.reader.readuntil(b"\r\n"))[:-2]:
            response.trailers.append(line.decode())

    async def ask(self, data: bytes = GET, method: str = "GET") -> Response:
        """Send a request and read its answer."""
        self.send(data)
        return await self.response(method)

    async def rest(self) -> bytes:
        """All that comes until the server closes; "RESET" behind it when the connection is reset."""
        data = b""
        try:
            while piece := await self.reader.read(65536):
                data += piece
        except ConnectionError:
            return data + b"RESET"
        return data

    def reset(self) -> None:
        """Close with RST."""
        self.writer.transport.abort() if _lingers_not(self.writer) else None

    async def close(self) -> None:
        """FIN in both directions."""
        self.writer.close()
        with contextlib.suppress(ConnectionError, ssl.SSLError):
            await self.writer.wait_closed()


def _lingers_not(writer: asyncio.StreamWriter) -> bool:
    import socket
    import struct

    sock = writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    return True


class Events(list[tuple[str, dict[str, Any]]]):
    """What telemetry told: (event, fields) in order."""

    def __init__(self, telemetry: Telemetry) -> None:
        super().__init__()
        self._waiting: list[tuple[str, asyncio.Future[None]]] = []
        for name in {*EVENTS, *_OTHER_EVENTS}:
            telemetry.subscribe(name, self._note(name))

    def _note(self, name: str) -> Callable[..., None]:
        def note(**fields: Any) -> None:
            self.append((name, fields))
            for wanted, future in self._waiting:
                if wanted == name and not future.done():
                    future.set_result(None)

        return note

    def of(self, name: str) -> list[dict[str, Any]]:
        """The fields of all events of one name."""
        return [fields for event, fields in self if event == name]

    def names(self) -> list[str]:
        """The events' names in order."""
        return [event for event, _ in self]

    async def wait_for(self, name: str) -> dict[str, Any]:
        """Wait until there is an event of that name; return the last one's fields."""
        if not self.of(name):
            future = asyncio.get_running_loop().create_future()
            self._waiting.append((name, future))
            await future
        return self.of(name)[-1]


class Serving:
    """A running server with its events."""

    def __init__(self, server: alsvid.Server, events: Events) -> None:
        self.server = server
        self.events = events

    @property
    def port(self) -> int:
        return int(self.server.listeners[0].socket.getsockname()[1])

    @property
    def context(self) -> Any:
        return self.server._context

    @property
    def cycles(self) -> set[Any]:
        """The cycles that run."""
        return self.context.service.cycles  # type: ignore[no-any-return]

    @contextlib.asynccontextmanager
    async def client(self, **more: Any) -> AsyncIterator[Client]:
        """One connection to the first listener, closed at the end."""
        client = await self.connect(**more)
        try:
            yield client
        finally:
            await client.close()

    async def connect(self, **more: Any) -> Client:
        """One connection to the first listener; who asks for it closes it."""
        sock = self.server.listeners[0].socket
        address = sock.getsockname()
        if isinstance(address, tuple):
            return Client(*await asyncio.open_connection(address[0], address[1], **more))
        return Client(*await asyncio.open_unix_connection(address, **more))


@contextlib.asynccontextmanager
async def serving(app: Any, **settings: Any) -> AsyncIterator[Serving]:
    """Serve `app` in this loop at a free port."""
    settings.setdefault("graceful_timeout", 1.0)
    settings.setdefault("lifespan", "off")
    server = alsvid.serve(app, **settings)
    events = Events(server.telemetry)
    async with server:
        yield Serving(server, events)


async def turns(count: int = _EVENT_LOOP_TURNS) -> None:
    """Let the loop go round: what is ready now, and what that makes ready, is done afterwards."""
    for _ in range(count):
        await asyncio.sleep(0)


async def until(condition: Callable[[], Any]) -> None:
    """Go round until the condition holds; the test's own timeout ends what never does."""
    while not condition():
        await asyncio.sleep(0.005)


Application = Callable[[Any, Any, Any], Awaitable[None]]


def answering(body: bytes = b"hello", status: int = 200, headers: Any = ()) -> Application:
    """Return an application that reads nothing and answers all requests alike."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        assert scope["type"] == "http"
        await send({"type": "http.response.start", "status": status, "headers": list(headers)})
        await send({"type": "http.response.body", "body": body})

    return app


async def read_body(receive: Any) -> bytes:
    """Read the content of a request; ends early at http.disconnect."""
    body = b""
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return body
        body += message["body"]
        if not message["more_body"]:
            return body


async def respond(send: Any, body: bytes = b"", status: int = 200, headers: Any = ()) -> None:
    """Send a whole answer."""
    await send({"type": "http.response.start", "status": status, "headers": list(headers)})
    await send({"type": "http.response.body", "body": body})


async def echo(scope: Any, receive: Any, send: Any) -> None:
    """Answer with the request's content."""
    assert scope["type"] == "http"
    await respond(send, await read_body(receive))


async def path_echo(scope: Any, receive: Any, send: Any) -> None:
    """Answer with the request's path, without reading its content."""
    assert scope["type"] == "http"
    await respond(send, scope["path"].encode())
