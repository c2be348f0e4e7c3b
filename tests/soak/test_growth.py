"""No growth over many requests and resets; what an idle connection costs. README.md has the command."""

from __future__ import annotations

import asyncio
import gc
import os
import resource
import socket
import struct
from collections import Counter
from typing import Any

import pytest
from serving import GET, Serving, echo, post, respond, serving, until

pytestmark = [pytest.mark.soak, pytest.mark.timeout(3600)]

REQUESTS = int(os.environ.get("SOAK_REQUESTS", "100000"))
RESETS = int(os.environ.get("SOAK_RESETS", "10000"))
IDLE = int(os.environ.get("SOAK_IDLE", "2000"))

_WARM = 2000
# Resets between two looks at the telemetry that the test keeps: what it keeps would be taken for growth.
_BATCH = 2000


def rss() -> int:
    """Resident octets of this process."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize()


def objects() -> int:
    """Objects that the collector knows, after it has run."""
    gc.collect()
    return len(gc.get_objects())


def growth_of(before: Counter[str]) -> str:
    """What there is more of, by type."""
    more = types() - before
    return ", ".join(f"{name} +{count}" for name, count in more.most_common(5))


def types() -> Counter[str]:
    """Objects by type."""
    gc.collect()
    return Counter(type(each).__name__ for each in gc.get_objects())


async def _requests(server: Serving, count: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    kinds = [GET * 16, post(b"x" * 100) * 16]
    for index in range(count // 16):
        writer.write(kinds[index % 2])
        for _ in range(16):
            head = await reader.readuntil(b"\r\n\r\n")
            await reader.readexactly(int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0]))
    writer.close()
    await writer.wait_closed()


async def test_requests_leave_nothing_behind() -> None:
    """Item 6: no growth over 10^6 requests, pipelined and with content."""
    async with serving(echo) as server:
        await _requests(server, _WARM)
        await until(lambda: not server.context.connections)
        kinds, count, size = types(), objects(), rss()
        await _requests(server, REQUESTS)
        await until(lambda: not server.context.connections)
        grown, octets = objects() - count, rss() - size
        print(f"\n{REQUESTS} requests: {grown:+d} objects, {octets / 1024:+.0f} KiB; {growth_of(kinds)}")
        assert grown < 200
        assert octets < 4 << 20


async def _reset_one(port: int, data: bytes) -> None:
    loop = asyncio.get_running_loop()
    sock = socket.socket()
    sock.setblocking(False)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    try:
        await loop.sock_connect(sock, ("127.0.0.1", port))
        await loop.sock_sendall(sock, data)
        await asyncio.sleep(0)
    finally:
        sock.close()


async def _resets(server: Serving, count: int) -> None:
    stages = [b"", GET[:10], GET, post(b"x" * 1000)[:-5], GET * 8]
    for index in range(count // 20):
        await asyncio.gather(*(_reset_one(server.port, stages[(index + i) % 5]) for i in range(20)))
    await until(lambda: not server.context.connections and not server.cycles)


async def test_resets_leave_nothing_behind() -> None:
    """Item 6: no growth over 10^5 connections that are closed by reset, at every stage."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        while (message := await receive())["type"] == "http.request" and message["more_body"]:
            pass
        await asyncio.sleep(0)
        await respond(send, b"x" * 1000)

    async with serving(app) as server:
        await _resets(server, _WARM)
        server.events.clear()
        kinds, count, size = types(), objects(), rss()
        for _ in range(max(1, RESETS // _BATCH)):
            await _resets(server, _BATCH)
            assert server.events.of("application_error") == []
            server.events.clear()
        grown, octets = objects() - count, rss() - size
        print(f"\n{RESETS} resets: {grown:+d} objects, {octets / 1024:+.0f} KiB; {growth_of(kinds)}")
        assert grown < 200
        assert octets < 8 << 20


async def test_an_idle_connection_costs_little() -> None:
    """Item 6: <= 4 KiB of our own per idle connection; a new client is served at once."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    idle = min(IDLE, (hard - 200) // 2)
    async with serving(echo, limit_connections=idle + 10, backlog=4096) as server:
        loop = asyncio.get_running_loop()
        socks = []
        for _ in range(idle):
            sock = socket.socket()
            sock.setblocking(False)
            socks.append(sock)
        await _connect(loop, socks[:10], server.port)
        size = rss()
        await _connect(loop, socks[10:], server.port)
        await until(lambda: len(server.context.connections) == idle)
        gc.collect()
        each = (rss() - size) / (idle - 10)
        own = sum(_own_size(connection) for connection in server.context.connections) / idle
        started = loop.time()
        async with server.client() as client:
            assert (await client.ask(post(b"new"))).body == b"new"
        took = loop.time() - started
        print(f"\n{idle} idle: {each:.0f} octets each with the loop's, {own:.0f} our own; new: {took:.4f} s")
        for sock in socks:
            sock.close()
        await until(lambda: not server.context.connections)
        assert own <= 4096
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


async def _connect(loop: Any, socks: list[socket.socket], port: int) -> None:
    for sock in socks:
        await loop.sock_connect(sock, ("127.0.0.1", port))
        await loop.sock_sendall(sock, GET)
        await loop.sock_recv(sock, 4096)


def _own_size(connection: Any) -> int:
    """What hangs on a connection and nothing else: itself, its engine, parser, template, address."""
    import sys

    seen: set[int] = set()
    todo, size = [connection], 0
    while todo:
        each = todo.pop()
        module = type(each).__module__
        is_ours = module.startswith(("alsvid.net.connection", "alsvid.protocol.http1"))
        shared = type(each).__name__ in ("Limits", "HeadWriter")
        if id(each) in seen or shared or not (is_ours or isinstance(each, dict | tuple | list | str | bytes)):
            continue
        seen.add(id(each))
        size += sys.getsizeof(each)
        todo += gc.get_referents(each)
    return size
