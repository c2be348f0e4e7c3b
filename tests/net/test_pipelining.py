"""Pipelined requests: order, collecting, back-pressure (RFC 9112 section 9.3.2)."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from fakes import World
from serving import GET, answering, get, path_echo, post, read_body, request, respond, serving, turns


def bodies(octets: bytes) -> list[bytes]:
    """The contents of answers of known, equal form."""
    return [part.partition(b"\r\n\r\n")[2] for part in octets.split(b"HTTP/1.1 200 OK")[1:]]


async def test_answers_come_in_order_when_the_first_is_slow() -> None:
    """RFC 9112 section 9.3.2: "a server … MUST send the corresponding responses in the same order"."""
    release = asyncio.Event()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["path"] == "/1":
            await release.wait()
        await respond(send, scope["path"].encode())

    async with serving(app) as server, server.client() as client:
        client.send(get("/1") + get("/2") + get("/3"))
        await turns()
        release.set()
        assert [(await client.response()).body for _ in range(3)] == [b"/1", b"/2", b"/3"]


async def test_many_in_one_packet_are_all_answered() -> None:
    """2,000 requests in one write, more than one read of the server's."""
    async with serving(path_echo) as server, server.client() as client:
        client.send(b"".join(get(f"/{i}") for i in range(2000)))
        for i in range(2000):
            assert (await client.response()).body == b"/%d" % i


@pytest.mark.one_loop
async def test_quick_answers_of_one_packet_leave_in_one_write() -> None:
    """One write for many: what makes pipelining worth its while."""
    world = World(path_echo)
    peer = world.connect()
    peer.send(b"".join(get(f"/{i}") for i in range(8)))
    await turns(60)
    assert bodies(peer.received) == [b"/%d" % i for i in range(8)]
    assert len(peer.transport.writes) == 1


@pytest.mark.one_loop
async def test_a_ready_answer_does_not_wait_long_for_a_slow_one() -> None:
    """After some turns of the loop it leaves alone."""
    release = asyncio.Event()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["path"] == "/slow":
            await release.wait()
        await respond(send, scope["path"].encode())

    world = World(app)
    peer = world.connect()
    peer.send(get("/quick") + get("/slow"))
    await turns(40)
    assert bodies(peer.received) == [b"/quick"]
    release.set()
    await turns()
    assert bodies(peer.received) == [b"/quick", b"/slow"]


@pytest.mark.one_loop
@pytest.mark.parametrize("behind", [b"GET /half HTTP/1.1\r\nHo", b"\r\n", b"BAD\r\n\r\n"])
async def test_an_answer_leaves_although_something_else_than_a_request_is_behind_it(behind: bytes) -> None:
    """What has been collected is never forgotten."""
    world = World(path_echo)
    peer = world.connect()
    peer.send(get("/1") + get("/2") + behind)
    await turns(40)
    assert bodies(peer.received.partition(b"HTTP/1.1 400")[0]) == [b"/1", b"/2"]
    assert (peer.statuses[2:] == [400]) == behind.startswith(b"BAD")


@pytest.mark.one_loop
async def test_a_request_behind_one_that_closes_does_not_exist() -> None:
    """RFC 9112 section 9.6: no request after `Connection: close` is processed."""
    world = World(path_echo)
    peer = world.connect()
    peer.send(get("/1", "Connection: close") + get("/2"))
    await turns()
    assert bodies(peer.received) == [b"/1"]
    assert not peer.is_open


async def test_contents_of_pipelined_requests_do_not_mix() -> None:
    """Lengths, chunks and none in a row, and all of it in one packet."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await respond(send, scope["path"].encode() + await read_body(receive))

    data = (
        post(b"one", path="/1")
        + request("POST", "/2", "Transfer-Encoding: chunked")
        + b"3\r\ntwo\r\n0\r\n\r\n"
        + get("/3")
        + post(b"x" * 100_000, path="/4")
        + get("/5")
    )
    async with serving(app) as server, server.client() as client:
        for _ in range(3):
            client.send(data)
        for _ in range(3):
            got = [(await client.response()).body for _ in range(5)]
            assert got == [b"/1one", b"/2two", b"/3", b"/4" + b"x" * 100_000, b"/5"]


@pytest.mark.one_loop
async def test_octets_that_come_behind_a_pipeline_are_taken_from_their_first_one() -> None:
    """Where the octets of one read ended is of no account for those of the next."""
    release = asyncio.Event()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["path"] == "/slow":
            await release.wait()
        await respond(send, scope["path"].encode())

    world = World(app)
    peer = world.connect()
    peer.send(get("/1") + get("/2"))
    await turns()
    peer.send(get("/slow"))
    await turns()
    peer.send(get("/evil?" + "GET".center(100, "_")))
    peer.send(get("/4"))
    release.set()
    await turns(60)
    assert bodies(peer.received) == [b"/1", b"/2", b"/slow", b"/evil", b"/4"]


async def test_unread_content_before_a_pipelined_request_is_dropped() -> None:
    """The application reads nothing; the octets of the body never become a request."""
    async with serving(path_echo) as server, server.client() as client:
        client.send(post(b"GET /evil HTTP/1.1\r\nHost: x\r\n\r\n" * 10, path="/1") + get("/2"))
        assert [(await client.response()).body for _ in range(2)] == [b"/1", b"/2"]


@pytest.mark.parametrize("tail", [b"", b"GET /half HTTP/1.1\r\n"])
async def test_fin_behind_pipelined_requests_lets_them_all_be_answered(tail: bytes) -> None:
    """`printf … | nc`: the client has sent all it has to say, and reads."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await asyncio.sleep(0)
        await respond(send, scope["path"].encode())

    async with serving(app) as server, server.client() as client:
        client.send(get("/1") + get("/2") + get("/3") + tail)
        client.send_eof()
        octets = await client.rest()
    assert bodies(octets) == [b"/1", b"/2", b"/3"]


@pytest.mark.one_loop
async def test_reading_stops_when_too_much_waits_and_goes_on_afterwards() -> None:
    """Octets of later requests are kept up to read_high_water."""
    release = asyncio.Event()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["path"] == "/slow":
            await release.wait()
        await respond(send, scope["path"].encode())

    world = World(app, read_high_water=1024)
    peer = world.connect()
    peer.send(get("/slow"))
    sent = 0
    while peer.transport.is_reading:
        peer.send(get("/next"))
        sent += 1
        assert sent < 200
    release.set()
    await turns(2000)
    assert bodies(peer.received) == [b"/slow"] + [b"/next"] * sent
    assert peer.transport.is_reading


@pytest.mark.one_loop
@pytest.mark.parametrize("cut", [10, 30, -3])
async def test_reading_goes_on_when_what_waited_ends_inside_a_request(cut: int) -> None:
    """The rest of a head, or of a content, has to be read although much was waiting before."""
    release = asyncio.Event()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["path"] == "/slow":
            await release.wait()
        await respond(send, scope["path"].encode() + await read_body(receive))

    world = World(app, read_high_water=1024)
    peer = world.connect()
    peer.send(get("/slow"))
    last = post(b"content", path="/last")
    peer.send(b"")
    waiting = get("/next") * 60 + last[:cut]
    peer.send(waiting[:10])
    peer.send(waiting[10:])
    assert not peer.transport.is_reading
    release.set()
    await turns(1000)
    assert peer.transport.is_reading
    peer.send(last[cut:])
    await turns()
    assert bodies(peer.received)[-1] == b"/lastcontent"


@pytest.mark.one_loop
@pytest.mark.parametrize("in_one_packet", [True, False])
async def test_a_client_that_asks_and_does_not_read_is_not_served_ahead(in_one_packet: bool) -> None:
    """safety.md section 3: growth <= 1 MiB a connection; requests wait until the answers are taken."""
    started = 0

    async def app(scope: Any, receive: Any, send: Any) -> None:
        nonlocal started
        started += 1
        await respond(send, b"x" * 100_000)

    world = World(app)
    peer = world.connect()
    peer.transport.is_taking = False
    if in_one_packet:
        peer.send(GET * 100)
        await turns(300)
    else:
        for _ in range(100):
            if peer.transport.is_reading:
                peer.send(GET)
            await turns()
    assert peer.transport.get_write_buffer_size() < 300_000
    assert started <= 2
    assert not peer.transport.is_reading
    while peer.transport.buffer:
        peer.transport.take()
        await turns()
    assert started == len(bodies(peer.received)) == (100 if in_one_packet else started)
    assert peer.transport.is_reading
    peer.transport.is_taking = True
    peer.send(GET)
    await turns()
    assert peer.statuses[-1] == 200


@pytest.mark.one_loop
async def test_503_for_those_who_do_not_read_is_bounded_too() -> None:
    """limit_concurrency answers by itself; a client that does not take that waits."""
    world = World(answering(), limit_concurrency=1)
    world.service.cycles.add(object())
    peer = world.connect()
    peer.transport.is_taking = False
    for _ in range(5000):
        if peer.transport.is_reading:
            peer.send(GET)
    await turns()
    assert peer.transport.get_write_buffer_size() < 200_000
    peer.transport.take()
    await turns()
    assert peer.transport.is_reading
    assert set(peer.statuses) == {503}


async def test_a_client_that_reads_late_gets_everything() -> None:
    """The same on a real socket: 40 answers of 200 KB, read when all were asked for."""
    async with serving(answering(b"x" * 200_000)) as server, server.client(limit=4096) as client:
        client.send(GET * 40)
        await turns(200)
        for _ in range(40):
            assert len((await client.response()).body) == 200_000
        assert (await client.ask()).status == 200
