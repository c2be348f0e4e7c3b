"""The graceful stop, in process: what each kind of connection and request gets."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from serving import GET, Serving, get, respond, serving, turns, until

START = {"type": "http.response.start", "status": 200, "headers": []}
EVENTS = {**START, "headers": [(b"content-type", b"text/event-stream; charset=utf-8")]}


def part(body: bytes) -> dict[str, Any]:
    """Content that is not the last."""
    return {"type": "http.response.body", "body": body, "more_body": True}


class Gate:
    """An application that answers when it is let, and notes what it is told."""

    def __init__(self) -> None:
        self.release = asyncio.Event()
        self.told: list[str] = []
        self.cancelled: list[str] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        path = scope["path"]
        try:
            if path == "/events":
                await self._events(receive, send)
            elif path == "/listen":
                await receive()
                self.told.append((await receive())["type"])
                await respond(send, b"farewell")
            elif path == "/stubborn":
                await asyncio.Event().wait()
            elif path == "/quick":
                await respond(send, b"quick")
            elif path == "/stream":
                await send(START)
                await send(part(b"begun"))
                await self.release.wait()
                await send({"type": "http.response.body", "body": b"ended"})
            else:
                await self.release.wait()
                await respond(send, b"served")
        except asyncio.CancelledError:
            self.cancelled.append(path)
            raise

    async def _events(self, receive: Any, send: Any) -> None:
        await send(EVENTS)
        await send(part(b"data: 1\n\n"))
        await receive()
        self.told.append((await receive())["type"])


async def _begin_stop(server: Serving) -> asyncio.Future[bool]:
    stopping = asyncio.ensure_future(server.server.stop())
    await server.events.wait_for("stopping")
    return stopping


async def test_listeners_close_first_and_requests_under_way_are_served() -> None:
    """Item 9: the answer under way carries `Connection: close` where its head is not out yet."""
    gate = Gate()
    async with serving(gate) as server, server.client() as waiting, server.client() as streaming:
        waiting.send(GET)
        streaming.send(get("/stream"))
        await streaming.reader.readuntil(b"begun\r\n")
        await until(lambda: len(server.cycles) == 2)
        port = server.port
        stopping = await _begin_stop(server)
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", port)
        assert not stopping.done()
        gate.release.set()
        response = await waiting.response()
        assert (response.body, response.headers["connection"]) == (b"served", "close")
        assert await waiting.rest() == b""
        assert await streaming.rest() == b"5\r\nended\r\n0\r\n\r\n"
        assert await stopping is True
        assert server.events.of("shutdown_cut") == []


async def test_idle_connections_are_closed() -> None:
    """Nobody waits for clients that have nothing to say."""
    async with serving(Gate()) as server, server.client() as idle, server.client() as fresh:
        await idle.ask(get("/quick"))
        await turns()
        stopping = await _begin_stop(server)
        assert await idle.rest() == b""
        assert await fresh.rest() == b""
        assert await stopping is True


async def test_a_request_in_the_last_moment_is_answered() -> None:
    """A kept connection on which a request arrives while the server stops: answered, never reset."""
    async with serving(Gate()) as server, server.client() as kept:
        await kept.ask(get("/quick"))
        stopping = await _begin_stop(server)
        response = await kept.ask(get("/quick"))
        assert (response.body, response.headers["connection"]) == (b"quick", "close")
        assert await stopping is True


async def test_a_connection_that_was_accepted_in_the_last_moment_is_served() -> None:
    """Its client does not know that the server stops."""
    async with serving(Gate()) as server, server.client() as late:
        stopping = await _begin_stop(server)
        assert (await late.ask(get("/quick"))).body == b"quick"
        assert await stopping is True


async def test_server_sent_events_are_told_at_once_and_end_well() -> None:
    """Item 9: text/event-stream never ends by itself; the client sees a complete answer and comes again."""
    gate = Gate()
    async with serving(gate, graceful_timeout=20.0) as server, server.client() as client:
        client.send(get("/events"))
        await client.reader.readuntil(b"data: 1\n\n\r\n")
        stopping = await _begin_stop(server)
        assert await client.rest() == b"0\r\n\r\n"
        assert await stopping is True
    assert gate.told == ["http.disconnect"]
    assert server.events.of("application_error") == []


async def test_events_that_begin_during_the_stop_are_told_too() -> None:
    """Else one late request would hold the stop until its notice."""
    gate = Gate()
    async with (
        serving(gate, graceful_timeout=20.0) as server,
        server.client() as client,
        server.client() as slow,
    ):
        await client.ask(get("/quick"))
        slow.send(GET)
        await until(lambda: server.cycles)
        stopping = await _begin_stop(server)
        client.send(get("/events"))
        assert (await client.rest()).endswith(b"0\r\n\r\n")
        gate.release.set()
        assert await stopping is True


async def test_others_get_notice_before_the_end_and_may_say_good_bye() -> None:
    """Item 9: http.disconnect 5 s before --graceful-timeout ends; here at once, as that is shorter."""
    gate = Gate()
    async with serving(gate, graceful_timeout=2.0) as server, server.client() as client:
        client.send(get("/listen"))
        await until(lambda: server.cycles)
        stopping = await _begin_stop(server)
        assert (await client.response()).body == b"farewell"
        assert await stopping is True
    assert gate.told == ["http.disconnect"]


async def test_the_notice_comes_5_s_before_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the notice's length made small, so that the test is short."""
    monkeypatch.setattr("alsvid.server.server._NOTICE_S", 0.3)
    gate = Gate()
    loop = asyncio.get_running_loop()
    async with serving(gate, graceful_timeout=0.9) as server, server.client() as client:
        client.send(get("/listen"))
        await until(lambda: server.cycles)
        started = loop.time()
        stopping = await _begin_stop(server)
        await client.response()
        assert 0.5 < loop.time() - started < 0.9
        assert await stopping is True


@pytest.mark.parametrize("path", ["/stubborn", "/stream"])
async def test_at_the_end_requests_are_cancelled_and_named(path: str) -> None:
    """Item 9: the log names what had to be cut; 503 where nothing was sent, a visible cut else."""
    gate = Gate()
    async with serving(gate, graceful_timeout=0.3) as server, server.client() as client:
        client.send(get(path))
        await until(lambda: server.cycles)
        stopping = await _begin_stop(server)
        octets = await client.rest()
        if path == "/stubborn":
            assert octets.startswith(b"HTTP/1.1 503 ")
        else:
            assert octets.endswith(b"begun\r\n")
        assert await stopping is False
        (cut,) = server.events.of("shutdown_cut")
    assert (cut["count"], cut["names"], cut["timeout_s"]) == (1, [f"GET {path}"], 0.3)
    assert gate.cancelled == [path]
    assert server.events.of("application_error") == []


async def test_an_urgent_stop_cuts_at_once() -> None:
    """Second INT, or QUIT: nobody is waited for."""
    gate = Gate()
    async with serving(gate, graceful_timeout=30.0) as server, server.client() as client:
        client.send(get("/stubborn"))
        await until(lambda: server.cycles)
        server.server.ask_to_stop("INT")
        stopping = await _begin_stop(server)
        server.server.ask_to_stop("INT")
        assert await stopping is False
        await client.rest()
    assert gate.cancelled == ["/stubborn"]


async def test_a_stop_without_connections_takes_no_time() -> None:
    """Nothing to wait for."""
    loop = asyncio.get_running_loop()
    async with serving(Gate(), graceful_timeout=30.0) as server:
        started = loop.time()
        assert await server.server.stop() is True
        assert loop.time() - started < 0.2


async def test_background_work_after_an_answer_is_waited_for() -> None:
    """It belongs to a request; only the end of the grace cuts it."""
    release, ended = asyncio.Event(), asyncio.Event()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await respond(send, b"x")
        await release.wait()
        ended.set()

    async with serving(app, graceful_timeout=5.0) as server, server.client() as client:
        await client.ask()
        stopping = await _begin_stop(server)
        await turns()
        assert not stopping.done()
        release.set()
        assert await stopping is True
    assert ended.is_set()


async def test_a_server_is_stopped_twice_without_harm() -> None:
    """`async with` stops what stop() has stopped already."""
    async with serving(Gate()) as server:
        assert await server.server.stop() is True
        assert await server.server.stop() is True
