"""The whole path of a request in a real event loop, with many connections a turn as under load.

The turn of the loop itself is shared by all connections of a batch, so its cost disappears, as it does in a
busy server.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from bench.micro.fakes import FakePort, FakeTransport
from bench.micro.measure import Run
from bench.micro.traffic import ANSWER_BODY, ANSWER_FIELDS

CONNECTIONS = 64
# An answer that awaits needs two turns; more than this is a hang.
MOST_TURNS = 50

Application = Callable[[Any, Any, Any], Awaitable[None]]


def new_loop() -> asyncio.AbstractEventLoop:
    """uvloop's where it is installed."""
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()


def application(fields: list[tuple[bytes, bytes]], reads: bool, pieces: int, awaits: bool) -> Application:
    async def plain(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": fields})
        await send({"type": "http.response.body", "body": ANSWER_BODY})

    async def reading(scope: Any, receive: Any, send: Any) -> None:
        while (await receive()).get("more_body"):
            pass
        await plain(scope, receive, send)

    async def waiting(scope: Any, receive: Any, send: Any) -> None:
        await asyncio.sleep(0)
        await plain(scope, receive, send)

    async def streaming(scope: Any, receive: Any, send: Any) -> None:
        piece = b"x" * 1024
        await send({"type": "http.response.start", "status": 200, "headers": fields[:1]})
        for _ in range(pieces):
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body"})

    if pieces:
        return streaming
    return reading if reads else waiting if awaits else plain


def make_connections(
    loop: asyncio.AbstractEventLoop, app: Application
) -> tuple[list[Any], list[FakeTransport]]:
    """CONNECTIONS connections over fake transports, as the server wires them."""
    from alsvid.asgi.scope import scope_template
    from alsvid.asgi.service import Service
    from alsvid.net.connection import Connection
    from alsvid.net.context import ConnectionContext
    from alsvid.net.settings import ConnectionSettings
    from alsvid.observability.telemetry import Telemetry
    from alsvid.protocol.http1.limits import Limits
    from alsvid.protocol.http1.writer import HeadWriter

    service = Service(app, loop, Telemetry())
    service.state = {}
    writer = HeadWriter(b"", b"date: Tue, 04 Mar 2025 10:15:30 GMT\r\n")
    context = ConnectionContext(ConnectionSettings(), service, Limits(), writer)
    template = scope_template(
        scheme="http", server=("127.0.0.1", 8000), client=("127.0.0.1", 40000), root_path=""
    )
    port = FakePort(template)
    connections, transports = [], []
    for _ in range(CONNECTIONS):
        connection, transport = Connection(context, port), FakeTransport()
        connection.connection_made(transport)
        connections.append(connection)
        transports.append(transport)
    return connections, transports


def exchange(
    data: bytes,
    fields: list[tuple[bytes, bytes]] | None = None,
    reads: bool = False,
    pieces: int = 0,
    awaits: bool = False,
) -> Run:
    """One request on each connection a turn; done when the last answer is complete."""
    loop = new_loop()
    app = application(fields or ANSWER_FIELDS, reads, pieces, awaits)
    connections, transports = make_connections(loop, app)

    async def turn() -> None:
        for connection in connections:
            connection.data_received(data)
        for _ in range(MOST_TURNS):
            await asyncio.sleep(0)
            if all(connection.is_idle() for connection in connections):
                return
        raise RuntimeError("an answer is missing")

    def run(count: int) -> None:
        async def turns() -> None:
            for _ in range(count // CONNECTIONS):
                await turn()

        loop.run_until_complete(turns())

    run(CONNECTIONS)
    check(transports, pieces)
    return run


def check(transports: list[FakeTransport], pieces: int) -> None:
    """Every connection has answered, and a small answer in one write."""
    for transport in transports:
        assert not transport.closed, transport.last
        assert transport.last.endswith(b"0\r\n\r\n" if pieces else ANSWER_BODY), transport.last
        assert pieces or transport.writes == 1, transport.writes


def pipelined(data: bytes, depth: int) -> Run:
    """`depth` requests in one read on CONNECTIONS / depth connections."""
    loop = new_loop()
    connections, _ = make_connections(loop, application(ANSWER_FIELDS, False, 0, False))
    few = connections[: CONNECTIONS // depth]
    batch = data * depth

    async def turn() -> None:
        for connection in few:
            connection.data_received(batch)
        for _ in range(MOST_TURNS):
            await asyncio.sleep(0)
            if all(connection.is_idle() for connection in few):
                return
        raise RuntimeError("an answer is missing")

    def run(count: int) -> None:
        async def turns() -> None:
            for _ in range(count // CONNECTIONS):
                await turn()

        loop.run_until_complete(turns())

    run(CONNECTIONS)
    return run


def bare_task() -> Run:
    """What the loop takes for a task a request, before anything of ours."""
    loop = new_loop()

    async def nothing() -> None:
        pass

    def run(count: int) -> None:
        async def turns() -> None:
            for _ in range(count // CONNECTIONS):
                tasks = [asyncio.Task(nothing(), loop=loop, name="bare") for _ in range(CONNECTIONS)]
                await asyncio.sleep(0)
                del tasks

        loop.run_until_complete(turns())

    return run
