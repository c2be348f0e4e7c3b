"""Every deadline of the connection, with a clock that the test moves (safety.md section 1)."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from fakes import World
from serving import GET, answering, get, path_echo, post, read_body, request, respond, turns

pytestmark = pytest.mark.one_loop

START = {"type": "http.response.start", "status": 200, "headers": []}
MORE = {"type": "http.response.body", "body": b"x" * 200_000, "more_body": True}


def options(world: World) -> list[str]:
    """The options whose limits were reached, in order."""
    return [fields["option"] for fields in world.events.of("limit_reached")]


async def test_a_silent_connection_is_closed_10_s_after_it_was_accepted() -> None:
    """Request head: absolute from accept; nobody has asked for anything, so nothing is answered."""
    world = World(answering())
    peer = world.connect()
    await world.advance(9.75)
    assert peer.is_open
    await world.advance(0.25)
    assert not peer.is_open
    assert (peer.received, world.context.connections) == (b"", set())


async def test_the_first_head_has_10_s_from_accept_however_it_dribbles() -> None:
    """A client that sends an octet now and then gains nothing: 408, then the end."""
    world = World(answering())
    peer = world.connect()
    for octet in GET[:9]:
        peer.send(bytes([octet]))
        await world.advance(1)
    assert peer.is_open
    await world.advance(1)
    assert peer.statuses == [408]
    assert b"connection: close\r\n" in peer.received
    assert options(world) == ["timeout_request_head"]
    assert not peer.is_open


async def test_a_later_head_has_10_s_from_its_first_octet() -> None:
    """Between requests the keep-alive time counts; once a head has begun, its own."""
    world = World(answering())
    peer = world.connect()
    await world.exchange(peer, GET)
    await world.advance(60)
    for octet in GET[:9]:
        peer.send(bytes([octet]))
        await world.advance(1)
    assert peer.statuses == [200]
    await world.advance(1)
    assert peer.statuses == [200, 408]


async def test_empty_lines_do_not_begin_a_head() -> None:
    """RFC 9112 section 2.2: CRLF before a request line is ignored, and buys no time."""
    world = World(answering())
    peer = world.connect()
    await world.exchange(peer, GET)
    for _ in range(74):
        peer.send(b"\r\n")
        await world.advance(1)
    assert peer.is_open
    await world.advance(1)
    assert not peer.is_open
    assert peer.statuses == [200]


@pytest.mark.parametrize("how", ["at once", "later", "pipelined", "busy"])
async def test_a_kept_connection_is_closed_75_s_after_its_last_answer(how: str) -> None:
    """Idle keep-alive: silently, and from the end of the answer whatever that took."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if how == "later":
            await until_released.wait()
        await respond(send)

    until_released = asyncio.Event()
    world = World(app, limit_concurrency=1 if how == "busy" else 0)
    if how == "busy":
        world.service.cycles.add(object())
    peer = world.connect()
    await world.advance(5)
    await world.exchange(peer, GET * 3 if how == "pipelined" else GET)
    if how == "later":
        await world.advance(300)
        until_released.set()
        await turns()
    await world.advance(74.5)
    assert peer.is_open
    await world.advance(0.5)
    assert not peer.is_open
    assert set(peer.statuses) == {503 if how == "busy" else 200}
    assert "timeout_request_head" not in options(world)


async def test_keep_alive_0_closes_after_each_answer() -> None:
    """--keep-alive 0 is off: the answer says so."""
    world = World(answering(), keep_alive=0.0)
    peer = world.connect()
    await world.exchange(peer, GET)
    assert b"connection: close\r\n" in peer.received
    assert not peer.is_open


async def test_the_application_has_all_the_time_it_wants() -> None:
    """No limit on applications: the client's patience is the limit."""
    release = asyncio.Event()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await release.wait()
        await respond(send)

    world = World(app)
    peers = [world.connect() for _ in range(2)]
    peers[0].send(GET)
    peers[1].send(post(b"body"))
    await world.advance(3600, 10)
    release.set()
    await turns()
    assert [peer.statuses for peer in peers] == [[200], [200]]


async def test_content_may_pause_30_s_between_reads() -> None:
    """Body: idle between reads; each read begins anew, then 408."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await respond(send, await read_body(receive))

    world = World(app, body_min_rate=0)
    peer = world.connect()
    peer.send(request("POST", "/", "Content-Length: 10"))
    for _ in range(5):
        await world.advance(29)
        peer.send(b"x")
    await world.advance(29.75)
    assert peer.is_open
    await world.advance(0.25)
    assert (peer.statuses, options(world)) == ([408], ["timeout_body"])


@pytest.mark.parametrize("began", [False, True])
async def test_content_that_stops_tells_the_application_and_the_client(began: bool) -> None:
    """408 where no answer has begun, a visible truncation where one has; http.disconnect in both cases."""
    told: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if began:
            await send(START)
            await send({**MORE, "body": b"begun"})
        while (message := await receive())["type"] == "http.request":
            pass
        told.append(message["type"])
        with pytest.raises(OSError, match="timeout_body"):
            await send(START)

    world = World(app)
    peer = world.connect()
    peer.send(request("POST", "/", "Content-Length: 10") + b"half")
    await world.advance(30)
    assert told == ["http.disconnect"]
    assert peer.statuses == ([200] if began else [408])
    assert peer.received.endswith(b"begun\r\n" if began else b"content-length: 0\r\n\r\n")
    assert not peer.is_open


async def test_content_must_come_at_500_octets_a_second_after_20_s() -> None:
    """The minimum rate is an average over the time in which the server was reading."""
    world = World(lambda *each: read_body(each[1]))
    fast, slow = world.connect(), world.connect()
    for peer in (fast, slow):
        peer.send(request("POST", "/", "Content-Length: 1000000"))
    for _ in range(60):
        fast.send(b"x" * 505)
        slow.send(b"x" * 480)
        if not slow.is_open:
            break
        await world.advance(1)
        if world.context.now > 1021:
            break
    assert fast.is_open
    assert (slow.statuses, options(world)) == ([408], ["body_min_rate"])
    fast.transport.reset()


async def test_an_application_that_does_not_read_costs_the_client_no_deadline() -> None:
    """Reading is paused, so neither idleness nor the rate is the client's fault."""
    release = asyncio.Event()
    got = bytearray()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await release.wait()
        got.extend(await read_body(receive))
        await respond(send)

    world = World(app)
    peer = world.connect()
    peer.send(request("POST", "/", "Content-Length: 200000") + b"x" * 100_000)
    assert not peer.transport.is_reading
    await world.advance(600, 5)
    release.set()
    await turns()
    assert peer.transport.is_reading
    await world.advance(19)
    peer.send(b"x" * 100_000)
    await turns()
    assert (peer.statuses, len(got)) == ([200], 200_000)


async def test_a_client_that_waits_for_100_has_no_deadline_until_it_comes() -> None:
    """RFC 9110 section 10.1.1: it is the application that keeps it waiting; then the body's time counts."""
    release = asyncio.Event()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await release.wait()
        await respond(send, await read_body(receive))

    world = World(app, body_min_rate=0)
    peer = world.connect()
    peer.send(request("POST", "/", "Content-Length: 4", "Expect: 100-continue"))
    await world.advance(300, 5)
    assert peer.is_open
    release.set()
    await world.advance(29)
    assert peer.statuses == [100]
    await world.advance(1.25)
    assert peer.statuses == [100, 408]


async def test_a_client_that_takes_nothing_for_30_s_is_given_up() -> None:
    """Write stall: abort, because nothing can be said to it."""
    ended: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        try:
            await send(START)
            while True:
                await send(MORE)
        except OSError as error:
            ended.append(str(error))

    world = World(app)
    peer = world.connect()
    peer.transport.is_taking = False
    peer.send(GET)
    await turns()
    await world.advance(29.75)
    assert not peer.transport.is_closed
    await world.advance(0.25)
    assert peer.transport.is_aborted
    await turns()
    assert (options(world), len(ended)) == (["timeout_write"], 1)


async def test_a_client_that_takes_slowly_is_served_to_the_end() -> None:
    """Any progress counts, also when more was written meanwhile."""
    sent = 0

    async def app(scope: Any, receive: Any, send: Any) -> None:
        nonlocal sent
        await send(START)
        for _ in range(5):
            await send(MORE)
            sent += 1
        await send({"type": "http.response.body"})

    world = World(app)
    peer = world.connect()
    peer.transport.is_taking = False
    peer.send(GET)
    await turns()
    while not peer.received.endswith(b"0\r\n\r\n"):
        await world.advance(20)
        peer.transport.take(30_000)
        await turns()
        assert not peer.transport.is_aborted
    assert (sent, options(world)) == (5, [])
    # From now on it is an idle connection as any other.
    await world.advance(50)
    assert peer.is_open
    await world.advance(25)
    assert not peer.is_open


async def test_an_answer_that_is_not_taken_stalls_also_after_its_end() -> None:
    """The application is done, 200 KB are left: progress keeps the connection, a stall ends it."""
    world = World(answering(b"x" * 200_000))
    peer = world.connect()
    peer.transport.is_taking = False
    await world.exchange(peer, GET)
    for _ in range(5):
        await world.advance(29)
        peer.transport.take(10_000)
    await world.advance(29)
    assert peer.is_open
    await world.advance(30)
    assert peer.transport.is_aborted
    assert options(world) == ["timeout_write"]


async def test_unread_content_is_dropped_for_5_s() -> None:
    """The answer is out; a client that goes on slowly is closed, one that ends may go on."""
    world = World(path_echo)
    slow, quick = world.connect(), world.connect()
    for peer in (slow, quick):
        await world.exchange(peer, request("POST", "/", "Content-Length: 100") + b"x" * 50)
        assert peer.statuses == [200]
    for _ in range(4):
        slow.send(b"x")
        await world.advance(1)
    await world.exchange(quick, b"x" * 50 + GET)
    await world.advance(1)
    assert not slow.is_open
    assert (quick.is_open, quick.statuses) == (True, [200, 200])


async def test_a_close_after_an_error_lingers_2_s() -> None:
    """RFC 9112 section 9.6: half-close first, so that no reset overtakes the answer."""
    world = World(answering())
    peer = world.connect()
    await world.exchange(peer, b"BAD\r\n\r\n")
    assert (peer.statuses, peer.transport.calls) == ([400], ["write_eof"])
    for _ in range(7):
        peer.send(b"more")
        await world.advance(0.25)
    assert peer.transport.calls == ["write_eof"]
    await world.advance(0.25)
    assert peer.transport.calls == ["write_eof", "abort"]


async def test_a_lingering_close_ends_when_the_client_closes() -> None:
    """The usual end: the client has read the answer."""
    world = World(answering())
    peer = world.connect()
    await world.exchange(peer, b"BAD\r\n\r\n")
    assert peer.send_eof() is False
    await turns()
    assert (peer.transport.calls, world.context.connections) == (["write_eof", "close"], set())


async def test_what_comes_while_lingering_is_bounded_and_does_not_reset() -> None:
    """Beyond 64 KiB the rest stays unread until the linger ends."""
    world = World(answering())
    peer = world.connect()
    await world.exchange(peer, b"BAD\r\n\r\n")
    peer.send(b"x" * 60_000)
    assert peer.transport.is_reading
    peer.send(b"x" * 60_000)
    assert not peer.transport.is_reading
    assert not peer.transport.is_aborted
    await world.advance(2)
    assert peer.transport.is_aborted


async def test_an_error_answer_that_is_not_taken_has_the_time_of_a_write() -> None:
    """Progress counts there too, and the linger begins when all is out."""
    world = World(answering(b"x" * 60_000))
    peer = world.connect()
    peer.transport.is_taking = False
    await world.exchange(peer, get() + b"BAD\r\n\r\n")
    await world.advance(29)
    peer.transport.take(30_000)
    await world.advance(29)
    assert not peer.transport.is_closed
    peer.transport.take()
    assert peer.statuses == [200, 400]
    await world.advance(5)
    assert peer.transport.is_aborted


async def test_a_half_closed_client_gets_quick_answers_only() -> None:
    """FIN after the request: within 1 s the answer, or http.disconnect for the application."""
    quick_release, told = asyncio.Event(), asyncio.Event()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["path"] == "/quick":
            await quick_release.wait()
            await respond(send, b"quick")
            return
        while (await receive())["type"] != "http.disconnect":
            pass
        told.set()

    world = World(app)
    quick, long = world.connect(), world.connect()
    quick.send(get("/quick"))
    long.send(get("/long"))
    await turns()
    assert quick.send_eof()
    assert long.send_eof()
    await world.advance(0.25)
    quick_release.set()
    await turns()
    assert quick.received.endswith(b"quick")
    assert quick.transport.is_closed
    await world.advance(0.5)
    assert told.is_set()
    assert long.transport.is_closed


async def test_a_half_closed_client_keeps_its_deadline_when_writing_resumes() -> None:
    """Back-pressure must not make an orphan immortal."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send(START)
        while True:
            await send(MORE)

    world = World(app)
    peer = world.connect()
    peer.transport.is_taking = False
    peer.send(GET)
    await turns()
    assert peer.send_eof()
    peer.transport.take()
    await turns()
    await world.advance(0.75)
    peer.transport.take()
    await turns()
    assert peer.transport.is_closed
    assert not world.service.cycles


async def test_all_of_a_flood_of_dribbling_and_silent_connections_are_closed() -> None:
    """safety.md section 3: 1,000 connections with an octet a second, 1,000 silent ones."""
    world = World(answering())
    dribbling = [world.connect() for _ in range(1000)]
    for _ in range(1000):
        world.connect()
    for octet in GET[:10]:
        for peer in dribbling:
            if peer.is_open:
                peer.send(bytes([octet]))
        await world.advance(1, 1)
    assert all(peer.statuses == [408] for peer in dribbling)
    await world.advance(2, 1)
    assert world.context.connections == set()


async def test_the_deadline_of_a_pending_write_outlives_the_next_request() -> None:
    """A pipelined request begins while its predecessor's answer is still in the buffer."""
    world = World(answering(b"x" * 100_000))
    peer = world.connect()
    peer.transport.is_taking = False
    peer.send(GET + GET + GET)
    await turns()
    await world.advance(30)
    assert peer.transport.is_aborted
