"""Applications that misbehave among others: block the loop, never answer, raise in the background, or hang
by the thousand when the server stops.
"""

from __future__ import annotations

import asyncio
import socket
import time
from typing import Any

import pytest
from serving import GET, get, post, read_body, respond, serving, until


class OwnBaseError(BaseException):
    """Not an Exception."""


ERRORS = [
    ValueError,
    SystemExit,
    KeyboardInterrupt,
    GeneratorExit,
    asyncio.CancelledError,
    OwnBaseError,
]


async def test_siblings_of_a_request_that_blocks_the_loop_are_served_afterwards() -> None:
    """safety.md section 3: a second without the loop costs nobody a request."""
    late: list[socket.socket] = []
    rest = GET[10:]

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["path"] == "/block":
            for sock in late:
                sock.send(rest)
            time.sleep(1.0)
        await respond(send, await read_body(receive) or scope["path"].encode())

    async with serving(app, timeout_request_head=3.0) as server:
        idle, blocking = await server.connect(), await server.connect()
        assert (await idle.ask(get("/idle"))).body == b"/idle"
        halves = [await server.connect() for _ in range(10)]
        for half in halves:
            half.send(GET[:10])
            late.append(_twin(half))
        blocking.send(get("/block"))
        idle.send(post(b"pipelined") * 3)
        assert (await blocking.response()).body == b"/block"
        for _ in range(3):
            assert (await idle.response()).body == b"pipelined"
        for half in halves:
            assert (await half.response()).status == 200
        for client in [idle, blocking, *halves]:
            await client.close()
        for sock in late:
            sock.close()
        assert server.events.of("limit_reached") == []


def _twin(client: Any) -> socket.socket:
    """A second hold on a client's socket, for who writes while the loop stands still."""
    return client.writer.get_extra_info("socket").dup()  # type: ignore[no-any-return]


async def test_an_application_that_hears_nothing_keeps_no_connection_and_ends_with_the_server() -> None:
    """It never answers and never receives: the client's end closes the connection, the stop ends the task."""
    cancelled = asyncio.Event()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.set()
            raise

    async with serving(app, graceful_timeout=0.1) as server:
        client = await server.connect()
        client.send(GET)
        await until(lambda: server.cycles)
        client.reset()
        await until(lambda: not server.context.connections)
        assert len(server.cycles) == 1
    assert cancelled.is_set()
    assert server.events.of("application_error") == []


@pytest.mark.parametrize("kind", ERRORS, ids=lambda kind: kind.__name__)
async def test_an_error_in_the_background_leaves_the_connection_and_its_next_requests_alone(
    kind: Any,
) -> None:
    """safety.md section 3: work after the answer may raise any BaseException, whenever it likes."""
    release = asyncio.Event()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await respond(send, scope["path"].encode())
        if scope["path"] == "/background":
            await release.wait()
            raise kind("x")

    async with serving(app) as server, server.client() as client, server.client() as sibling:
        assert (await client.ask(get("/background"))).body == b"/background"
        assert (await client.ask(get("/1"))).body == b"/1"
        assert len(server.cycles) == 1
        release.set()
        told = await server.events.wait_for("application_error")
        assert (told["stage"], type(told["exception"])) == ("after the answer", kind)
        assert (await client.ask(get("/2"))).body == b"/2"
        assert (await sibling.ask(get("/3"))).body == b"/3"
        assert not server.cycles
        assert len(server.events.of("application_error")) == 1


@pytest.mark.slow
async def test_a_thousand_handlers_that_hang_are_all_cancelled_at_the_stop() -> None:
    """Each is cancelled once and answered 503, none is left, one event names them."""
    count = 1000
    cancelled = 0

    async def app(scope: Any, receive: Any, send: Any) -> None:
        nonlocal cancelled
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled += 1
            raise

    async with serving(app, graceful_timeout=0.2, backlog=2048) as server:
        clients = [await server.connect() for _ in range(count)]
        for client in clients:
            client.send(GET)
        await until(lambda: len(server.cycles) == count)
        cycles = server.cycles
        assert await server.server.stop() is False
        assert cancelled == count
        assert not cycles
        (told,) = server.events.of("shutdown_cut")
        assert told["count"] == count
        for client in clients:
            assert (await client.rest()).startswith(b"HTTP/1.1 503 ")
            await client.close()
    assert server.events.of("application_error") == []
