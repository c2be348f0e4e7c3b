"""The whole path of a request in a real event loop, with many connections a turn as under load.

The turn of the loop itself is shared by all connections of a batch, so its cost disappears, as it does in a
busy server.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

from bench.micro.fakes import FakeListener, FakeTransport
from bench.micro.measure import Run
from bench.micro.traffic import ANSWER_BODY, ANSWER_FIELDS

CONNECTIONS = 64
# An answer that awaits needs two turns; more than this is a hang.
MOST_TURNS = 50

Application = Callable[[Any, Any, Any], Awaitable[None]]


def new_loop(stack: ExitStack) -> asyncio.AbstractEventLoop:
    """uvloop's where it is installed; closed with the stack."""
    try:
        import uvloop
    except ImportError:
        loop = asyncio.new_event_loop()
    else:
        loop = uvloop.new_event_loop()
    stack.callback(loop.close)
    return loop


@dataclass(frozen=True, slots=True)
class Scenario:
    """One kind of request, application and server.

    `pieces`: the answer is streamed in so many; `awaits`: it waits a turn first; `logs`: access log on.
    """

    data: bytes
    fields: list[tuple[bytes, bytes]] = field(default_factory=lambda: ANSWER_FIELDS)
    reads: bool = False
    pieces: int = 0
    awaits: bool = False
    logs: bool = False


def application(scenario: Scenario) -> Application:
    fields, pieces = scenario.fields, scenario.pieces

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
    return reading if scenario.reads else waiting if scenario.awaits else plain


def subscribe_log(service: Any, stack: ExitStack) -> None:
    """The access log in its usual format, to the cheapest file, so that the lines alone are measured."""
    from alsvid.observability.logs import configure
    from alsvid.observability.settings import LogSettings

    logs = configure(LogSettings(access_logfile="/dev/null"))
    stack.callback(logs.close)
    logs.subscribe(service.telemetry)
    service.refresh()


def make_connections(
    loop: asyncio.AbstractEventLoop, scenario: Scenario, stack: ExitStack
) -> tuple[list[Any], list[FakeTransport]]:
    """CONNECTIONS connections over fake transports, as the server wires them."""
    from alsvid.asgi.service import Service
    from alsvid.net.connection import Connection
    from alsvid.net.context import ConnectionContext
    from alsvid.net.port import Port
    from alsvid.net.settings import ConnectionSettings
    from alsvid.observability.telemetry import Telemetry
    from alsvid.protocol.http1.limits import Limits
    from alsvid.protocol.http1.writer import HeadWriter

    service = Service(application(scenario), loop, Telemetry())
    service.state = {}
    if scenario.logs:
        subscribe_log(service, stack)
    writer = HeadWriter(b"", b"date: Tue, 04 Mar 2025 10:15:30 GMT\r\n")
    context = ConnectionContext(ConnectionSettings(), service, Limits(), writer)
    listener: Any = FakeListener()
    port = Port(listener, "", None)
    connections, transports = [], []
    for _ in range(CONNECTIONS):
        connection, transport = Connection(context, port), FakeTransport()
        connection.connection_made(transport)
        connections.append(connection)
        transports.append(transport)
    return connections, transports


def exchange(scenario: Scenario, stack: ExitStack) -> Run:
    """One request on each connection a turn; done when the last answer is complete."""
    loop = new_loop(stack)
    connections, transports = make_connections(loop, scenario, stack)
    data = scenario.data

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
    check(transports, scenario.pieces)
    return run


def check(transports: list[FakeTransport], pieces: int) -> None:
    """Every connection has answered, and a small answer in one write."""
    for transport in transports:
        assert not transport.closed, transport.last
        assert transport.last.endswith(b"0\r\n\r\n" if pieces else ANSWER_BODY), transport.last
        assert pieces or transport.writes == 1, transport.writes


def pipelined(data: bytes, depth: int, stack: ExitStack) -> Run:
    """`depth` requests in one read on CONNECTIONS / depth connections."""
    loop = new_loop(stack)
    connections, _ = make_connections(loop, Scenario(data), stack)
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


def bare_task(stack: ExitStack) -> Run:
    """What the loop takes for a task a request, before anything of ours."""
    loop = new_loop(stack)

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
