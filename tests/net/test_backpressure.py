"""Back-pressure both ways, early answers, unread content, 100-continue."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from fakes import World
from serving import (
    GET,
    answering,
    get,
    path_echo,
    post,
    read_body,
    request,
    respond,
    serving,
    turns,
    until,
)

START = {"type": "http.response.start", "status": 200, "headers": []}


def piece(size: int) -> dict[str, Any]:
    """Content that is not the last."""
    return {"type": "http.response.body", "body": b"x" * size, "more_body": True}


@pytest.mark.one_loop
async def test_send_suspends_while_the_client_does_not_read() -> None:
    """Write high water 64 KiB, low 16 KiB: one piece more than the mark is held, not more."""
    sent = 0

    async def app(scope: Any, receive: Any, send: Any) -> None:
        nonlocal sent
        await send(START)
        for _ in range(100):
            await send(piece(10_000))
            sent += 1
        await send({"type": "http.response.body"})

    world = World(app)
    peer = world.connect()
    peer.transport.is_taking = False
    peer.send(GET)
    await turns(300)
    assert sent * 10_000 <= 65536 + 65536  # the transport's mark, and what one turn may collect
    held = peer.transport.get_write_buffer_size()
    assert 65536 < held < 65536 + 80_000
    peer.transport.take(held - 20_000)
    before = sent
    await turns()
    assert sent == before  # above the low mark
    peer.transport.take(4000)
    await turns(300)
    assert sent > before
    while not peer.received.endswith(b"0\r\n\r\n"):
        peer.transport.take()
        await turns(300)
    assert sent == 100


async def test_an_endless_answer_to_a_client_that_does_not_read_stays_small() -> None:
    """safety.md section 3: send() suspends, growth <= 1 MiB a connection."""
    sent = 0

    async def app(scope: Any, receive: Any, send: Any) -> None:
        nonlocal sent
        await send(START)
        while True:
            await send(piece(65536))
            sent += 65536

    async with serving(app, timeout_write=0.5) as server, server.client(limit=2048) as client:
        client.send(GET)
        await client.reader.readuntil(b"\r\n\r\n")
        client.writer.transport.pause_reading()
        (connection,) = server.context.connections
        assert (await server.events.wait_for("limit_reached"))["option"] == "timeout_write"
        # What the system's own buffers took is not ours.
        assert sent < 16 << 20
        await until(lambda: not server.context.connections)
        del connection


@pytest.mark.one_loop
async def test_reading_pauses_and_resumes_with_the_application() -> None:
    """An application that does not read: at most read_high_water and one read are held."""
    gates = [asyncio.Event() for _ in range(10)]
    got = 0

    async def app(scope: Any, receive: Any, send: Any) -> None:
        nonlocal got
        more = True
        for gate in gates:
            await gate.wait()
            if more:
                message = await receive()
                got += len(message["body"])
                more = message["more_body"]
        await respond(send)

    world = World(app, read_high_water=10_000)
    peer = world.connect()
    peer.send(request("POST", "/", "Content-Length: 100000"))
    sent = 0
    for gate in gates:
        while peer.transport.is_reading and sent < 100_000:
            peer.send(b"x" * 1000)
            sent += 1000
        assert sent - got <= 11_000
        gate.set()
        await turns()
    assert (got, peer.statuses) == (100_000, [200]) if sent == 100_000 else got > 90_000


async def test_a_large_upload_to_a_slow_reader_comes_whole() -> None:
    """Many pauses and resumptions on a real socket."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        count = total = 0
        while True:
            message = await receive()
            total += sum(message["body"][:3])
            count += len(message["body"])
            await asyncio.sleep(0)
            if not message["more_body"]:
                break
        await respond(send, str(count).encode())

    async with serving(app, read_high_water=4096) as server, server.client() as client:
        for _ in range(2):
            assert (await client.ask(post(bytes(5_000_000)))).body == b"5000000"


async def test_both_ways_at_once() -> None:
    """An echo of content as it comes: neither direction may wait for the other's end."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send(START)
        while True:
            message = await receive()
            await send(
                {"type": "http.response.body", "body": message["body"], "more_body": message["more_body"]}
            )
            if not message["more_body"]:
                return

    async with serving(app, read_high_water=4096) as server, server.client() as client:
        client.send(request("POST", "/", "Transfer-Encoding: chunked"))
        head = await client.reader.readuntil(b"\r\n\r\n")
        assert b"200 OK" in head
        for word in (b"hello", b"world"):
            client.send(b"5\r\n" + word + b"\r\n")
            assert await client.reader.readuntil(word + b"\r\n")
        client.send(b"0\r\n\r\n")
        await client.reader.readuntil(b"0\r\n\r\n")
        assert (await client.ask(post(bytes(3_000_000)))).body == bytes(3_000_000)


@pytest.mark.one_loop
async def test_content_in_single_octets_costs_what_it_should() -> None:
    """safety.md section 3: 8 MiB in 1-byte pieces is linear. Messages are counted, not seconds."""
    messages = 0
    length = 0

    async def app(scope: Any, receive: Any, send: Any) -> None:
        nonlocal messages, length
        more = True
        while more:
            message = await receive()
            messages += 1
            length += len(message["body"])
            more = message["more_body"]
        await respond(send)

    world = World(app)
    peer = world.connect()
    n = 100_000
    peer.send(request("POST", "/", f"Content-Length: {n}"))
    await turns(3)
    sent = 0
    while sent < n:
        if not peer.transport.is_reading:
            await turns(2)
        peer.send(b"x")
        sent += 1
    await turns()
    assert (length, peer.statuses) == (n, [200])
    # What has come while the application did not look is one message: a handful for each high-water mark.
    assert messages <= 2 * n // 65536 + 4


@pytest.mark.one_loop
async def test_100_is_sent_when_the_application_reads_and_once() -> None:
    """RFC 9110 section 10.1.1."""
    release = asyncio.Event()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await release.wait()
        await respond(send, await read_body(receive))

    world = World(app)
    peer = world.connect()
    peer.send(request("POST", "/", "Content-Length: 4", "Expect: 100-continue"))
    await turns()
    assert peer.statuses == []
    release.set()
    await turns()
    assert peer.statuses == [100]
    peer.send(b"bo")
    await turns()
    peer.send(b"dy")
    await turns()
    assert peer.statuses == [100, 200]
    assert peer.received.endswith(b"body")
    assert await world.exchange(peer, post(b"next")) != b""
    assert peer.statuses == [100, 200, 200]


@pytest.mark.one_loop
async def test_an_answer_instead_of_100_closes() -> None:
    """The client may send the content or not: there is no telling where the next request begins."""
    world = World(path_echo)
    peer = world.connect()
    await world.exchange(peer, request("POST", "/no", "Content-Length: 4", "Expect: 100-continue"))
    assert peer.statuses == [200]
    assert b"connection: close\r\n" in peer.received
    assert peer.transport.calls == ["write_eof"]


@pytest.mark.one_loop
@pytest.mark.parametrize("early", [b"b", b"body"])
async def test_no_100_for_a_client_that_did_not_wait(early: bytes) -> None:
    """RFC 9110 section 10.1.1: "MAY omit sending a 100 … if it has already received some … content"."""
    release = asyncio.Event()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await release.wait()
        await respond(send, await read_body(receive))

    world = World(app)
    peer = world.connect()
    peer.send(request("POST", "/", "Content-Length: 4", "Expect: 100-continue") + early)
    release.set()
    await turns()
    if early != b"body":
        peer.send(b"ody")
    await turns()
    assert peer.statuses == [200]


@pytest.mark.one_loop
async def test_http_1_0_is_never_told_to_continue() -> None:
    """RFC 9110 section 10.1.1: the expectation of a 1.0 client is ignored."""
    world = World(lambda scope, receive, send: _echo(receive, send))
    peer = world.connect()
    await world.exchange(
        peer, request("POST", "/", "Content-Length: 1", "Expect: 100-continue", version="1.0")
    )
    assert peer.received == b""
    await world.exchange(peer, b"x")
    assert peer.statuses == [200]


async def _echo(receive: Any, send: Any) -> None:
    await respond(send, await read_body(receive))


@pytest.mark.parametrize("size", [0, 1, 65_536, 65_537, 1_000_000])
@pytest.mark.parametrize("framing", ["length", "chunked"])
async def test_an_early_answer_always_arrives(size: int, framing: str) -> None:
    """Unread content is drained up to 64 KiB, else the connection closes; no reset eats the answer."""
    if framing == "length":
        data = post(b"x" * size)
    else:
        data = request("POST", "/", "Transfer-Encoding: chunked")
        data += (b"%x\r\n" % size + b"x" * size + b"\r\n" if size else b"") + b"0\r\n\r\n"
    async with serving(answering(b"early"), graceful_timeout=0.1) as server, server.client() as client:
        client.send(data)
        response = await client.response()
        assert (response.status, response.body) == (200, b"early")
        if size <= 65_536:
            assert "connection" not in response.headers
            assert (await client.ask()).body == b"early"


async def test_an_answer_to_an_upload_that_is_refused_arrives_at_a_client_that_still_sends() -> None:
    """413 to a client that sends 20 MB without looking."""
    async with (
        serving(answering(), limit_request_body=1000, graceful_timeout=0.1) as server,
        server.client() as client,
    ):
        client.send(post(b"x" * 5_000_000))
        response = await client.response()
        assert (response.status, response.headers["connection"]) == (413, "close")
        assert (await server.events.wait_for("limit_reached"))["option"] == "limit_request_body"


@pytest.mark.parametrize("version", ["1.0", "1.1"])
@pytest.mark.parametrize(
    ("fields", "kept"),
    [
        ([], {"1.0": False, "1.1": True}),
        (["Connection: close"], {"1.0": False, "1.1": False}),
        (["Connection: keep-alive"], {"1.0": True, "1.1": True}),
        (["Connection: Keep-Alive, foo"], {"1.0": True, "1.1": True}),
        (["Connection: keep-alive, close"], {"1.0": False, "1.1": False}),
    ],
)
async def test_connections_are_kept_as_their_version_says(
    version: str, fields: list[str], kept: dict[str, bool]
) -> None:
    """RFC 9112 section 9.3."""
    async with serving(answering(b"x")) as server, server.client() as client:
        response = await client.ask(get("/", *fields, version=version))
        if kept[version]:
            assert response.headers.get("connection", "keep-alive") == "keep-alive"
            assert (await client.ask()).body == b"x"
        else:
            assert response.headers["connection"] == "close"
            assert await client.rest() == b""


async def test_an_application_may_ask_for_the_end() -> None:
    """`Connection: close` among the application's headers is done and said."""
    app = answering(b"x", headers=[(b"connection", b"close")])
    async with serving(app) as server, server.client() as client:
        assert (await client.ask()).headers["connection"] == "close"
        assert await client.rest() == b""


async def test_an_unknown_upgrade_is_an_ordinary_request() -> None:
    """safety.md section 2: unknown protocols are served as plain HTTP with no octet lost."""
    async with serving(path_echo) as server, server.client() as client:
        client.send(get("/1", "Connection: upgrade", "Upgrade: other/1") + get("/2"))
        assert [(await client.response()).body for _ in range(2)] == [b"/1", b"/2"]
        assert len(server.events.of("upgrade_ignored")) == 1
