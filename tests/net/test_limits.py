"""The connection cap, the concurrency limit, and running out of file descriptors."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from fakes import World
from serving import GET, answering, get, respond, serving, turns, until

pytestmark = pytest.mark.one_loop


async def test_beyond_the_cap_the_oldest_idle_connection_goes() -> None:
    """safety.md section 1: connections a worker; idle since longest, not accepted first."""
    world = World(answering(), limit_connections=3)
    peers = []
    for _ in range(3):
        peers.append(world.connect())
        await world.advance(1)
    await world.exchange(peers[0], GET)  # used last
    await world.advance(1)
    newcomer = world.connect()
    assert [peer.is_open for peer in (*peers, newcomer)] == [True, False, True, True]
    assert [fields["option"] for fields in world.events.of("connection_evicted")] == ["limit_connections"]
    await turns()
    assert len(world.context.connections) == 3
    assert (await world.exchange(newcomer, GET)).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize("busy_with", ["request", "content", "head"])
async def test_a_connection_that_is_busy_is_never_evicted(busy_with: str) -> None:
    """Nobody idle: the newcomer gets 503 with Retry-After and is closed, lingering."""
    release = asyncio.Event()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await release.wait()
        await respond(send)

    world = World(app, limit_connections=2)
    peers = [world.connect() for _ in range(2)]
    for peer in peers:
        data = {
            "request": GET,
            "content": b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n",
            "head": b"GET",
        }
        peer.send(data[busy_with])
    refused = world.connect()
    assert refused.statuses == [503]
    assert b"retry-after: 1\r\n" in refused.received
    assert b"connection: close\r\n" in refused.received
    assert refused.transport.calls == ["write_eof"]
    refused.send(GET)  # is dropped, and does not reset the answer
    assert refused.transport.calls == ["write_eof"]
    assert [peer.is_open for peer in peers] == [True, True]
    assert [fields["option"] for fields in world.events.of("limit_reached")] == ["limit_connections"]
    release.set()
    await turns()
    for peer in (*peers, refused):
        peer.transport.reset()


async def test_a_flood_beyond_the_cap_is_bounded() -> None:
    """Refused clients linger, but only so many of them."""
    release = asyncio.Event()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await release.wait()
        await respond(send)

    world = World(app, limit_connections=10)
    busy = [world.connect() for _ in range(10)]
    for peer in busy:
        peer.send(GET)
    refused = [world.connect() for _ in range(500)]
    await turns()
    assert len(world.context.connections) <= 10 + 65
    assert all(peer.statuses == [503] for peer in refused)
    await world.advance(2)
    assert len(world.context.connections) == 10
    release.set()
    await turns()
    assert all(peer.statuses == [200] for peer in busy)


async def test_beyond_the_concurrency_requests_get_503_and_the_connection_stays() -> None:
    """--limit-concurrency counts requests under way."""
    release = asyncio.Event()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await release.wait()
        await respond(send, b"served")

    async with serving(app, limit_concurrency=2) as server, contextlib.AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(server.client()) for _ in range(3)]
        for client in clients[:2]:
            client.send(GET)
        await until(lambda: len(server.cycles) == 2)
        for data in (GET, b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc", GET):
            response = await clients[2].ask(data)
            assert (response.status, response.headers["retry-after"]) == (503, "1")
        assert (await clients[2].ask(b"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n", "HEAD")).status == 503
        release.set()
        for client in clients[:2]:
            assert (await client.response()).body == b"served"
        assert (await clients[2].ask()).body == b"served"
        assert {fields["option"] for fields in server.events.of("limit_reached")} == {"limit_concurrency"}


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
async def test_without_file_descriptors_those_who_are_there_are_served(loop: str, tmp_path: Path) -> None:
    """safety.md section 3: old ones served, accept backs off, one line a second, recovery in 2 s."""
    (tmp_path / "hogging.py").write_text(
        "import os\n"
        "held = []\n"
        "async def app(scope, receive, send):\n"
        "    if scope['path'] == '/take':\n"
        "        try:\n"
        "            while True: held.append(os.open('/dev/null', os.O_RDONLY))\n"
        "        except OSError: pass\n"
        "    if scope['path'] == '/give':\n"
        "        while held: os.close(held.pop())\n"
        "    await send({'type': 'http.response.start', 'status': 200, 'headers': []})\n"
        "    await send({'type': 'http.response.body', 'body': b'%d' % len(held)})\n"
    )
    limiter = "import resource, sys, os; resource.setrlimit(resource.RLIMIT_NOFILE, (90, 90));"
    limiter += "os.execv(sys.argv[1], sys.argv[1:])"
    command = [sys.executable, "-c", limiter, sys.executable, "-m", "alsvid", "hogging:app"]
    command += [
        "--port",
        "0",
        "--lifespan",
        "off",
        "--loop",
        loop,
        "--no-access-log",
        "--app-dir",
        str(tmp_path),
    ]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    try:
        while not (found := re.search(r"http://127\.0\.0\.1:(\d+)", process.stderr.readline())):
            pass
        port = int(found[1])
        reader, writer = await asyncio.open_connection("127.0.0.1", port)

        async def ask(path: str) -> bytes:
            writer.write(get(path))
            head = await reader.readuntil(b"\r\n\r\n")
            length = re.search(rb"content-length: (\d+)", head)
            assert length is not None
            return await reader.readexactly(int(length[1]))

        assert int(await ask("/take")) > 10
        if loop == "uvloop":
            # It closes the clients that wait, so none may come before the server has seen it.
            while "Cannot accept" not in process.stderr.readline():
                pass
        loop_time = asyncio.get_running_loop().time
        newcomer = await asyncio.open_connection("127.0.0.1", port)  # queues in the listener
        newcomer[1].write(GET)
        started = loop_time()
        while loop_time() - started < 1.6:
            assert int(await ask("/still")) > 10
            await asyncio.sleep(0.02)
        await ask("/give")
        started = loop_time()
        assert (await newcomer[0].readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200")
        assert loop_time() - started < 2.5
        newcomer[1].close()
        writer.close()
    finally:
        process.send_signal(signal.SIGTERM)
        log = process.stderr.read()
        process.stderr.close()
        assert process.wait(10) == 0
    lines = [line for line in log.splitlines() if "Cannot accept" in line]
    assert (0 if loop == "uvloop" else 1) <= len(lines) <= 4, log
    assert "Traceback" not in log
    os.stat(tmp_path)
