"""Floods on real sockets: clients that stall their handshake, say nothing, dribble, or do not read.

A thousand of each, on loopback, while an ordinary client asks one request after the other.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import resource
import socket
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from certificates import client_context, write_certificate
from serving import GET, Client, Serving, echo, get, post, serving, until

pytestmark = pytest.mark.slow

_CROWD = 1000
_NEEDED = 5000
START = {"type": "http.response.start", "status": 200, "headers": []}
PIECE = {"type": "http.response.body", "body": bytes(65536), "more_body": True}
_STREAMED = 50 << 20
_MOST_HELD = 1 << 20


@pytest.fixture
def many_descriptors() -> Iterator[None]:
    """Room for both ends of some thousand connections."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < _NEEDED:
        pytest.skip(f"needs {_NEEDED} file descriptors, the hard limit is {hard}")
    # Python's select() and some libraries of applications do badly above it, so not more than needed.
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, _NEEDED), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@contextlib.asynccontextmanager
async def crowd(server: Serving, count: int = _CROWD) -> AsyncIterator[list[socket.socket]]:
    """Many connected sockets."""
    loop = asyncio.get_running_loop()
    socks = [socket.socket() for _ in range(count)]
    try:
        for sock in socks:
            sock.setblocking(False)
            await loop.sock_connect(sock, ("127.0.0.1", server.port))
        yield socks
    finally:
        for sock in socks:
            sock.close()


class Ordinary:
    """A client that asks one request after the other, on a kept and on new connections, until it is told."""

    def __init__(self, server: Serving, **more: Any) -> None:
        self._server = server
        self._more = more
        self._ends = False
        self.answers = 0

    async def ask_on(self) -> None:
        """Every request must be answered."""
        async with self._server.client(**self._more) as kept:
            while not self._ends:
                assert (await kept.ask(post(b"kept"))).body == b"kept"
                async with self._server.client(**self._more) as fresh:
                    assert (await fresh.ask(post(b"fresh"))).body == b"fresh"
                self.answers += 2
                await asyncio.sleep(0.01)

    async def __aenter__(self) -> Ordinary:
        self._task = asyncio.ensure_future(self.ask_on())
        return self

    async def __aexit__(self, *error: object) -> None:
        self._ends = True
        await self._task


def is_closed(sock: socket.socket) -> bool:
    """Read what has come; True when the server has closed."""
    with contextlib.suppress(BlockingIOError):
        try:
            while sock.recv(4096):
                pass
        except ConnectionResetError:
            pass
        return True
    return False


async def all_closed(socks: list[socket.socket]) -> None:
    """Wait until the server has closed them all."""
    left = list(socks)
    while left := [sock for sock in left if not is_closed(sock)]:
        await asyncio.sleep(0.02)


@pytest.mark.loop_errors
async def test_a_thousand_stalled_handshakes_are_closed_and_others_served(
    tmp_path: Path, many_descriptors: None
) -> None:
    """safety.md section 3: 1,000 stalled handshakes are closed at --timeout-tls-handshake."""
    certificate = write_certificate(tmp_path)
    trusting = {"ssl": client_context(certificate), "server_hostname": "localhost"}
    async with serving(
        echo, ssl_certfile=certificate.cert, ssl_keyfile=certificate.key, timeout_tls_handshake=1.0
    ) as server:
        async with crowd(server) as socks, Ordinary(server, **trusting) as ordinary:
            for sock in socks[::2]:
                sock.send(b"\x16\x03\x01")  # it has begun; the others say nothing at all
            await all_closed(socks)
        assert ordinary.answers >= 10
        await until(lambda: not server.context.connections)
        assert server.events.of("internal_error") == []


async def test_a_thousand_silent_and_a_thousand_dribbling_clients_are_closed_and_others_served(
    many_descriptors: None,
) -> None:
    """safety.md section 3: both kinds are closed at --timeout-request-head, however often octets come."""
    async with serving(echo, timeout_request_head=1.0) as server:
        async with crowd(server) as silent, crowd(server) as dribbling, Ordinary(server) as ordinary:
            open_ones = dribbling
            for octet in post(b"")[:-1]:
                for sock in open_ones:
                    with contextlib.suppress(ConnectionError):
                        sock.send(bytes([octet]))
                await asyncio.sleep(0.05)
                open_ones = [sock for sock in open_ones if not is_closed(sock)]
                if not open_ones:
                    break
            await all_closed(silent)
            await all_closed(open_ones)
        assert ordinary.answers >= 10
        timeouts = [fields["option"] for fields in server.events.of("limit_reached")]
        assert timeouts.count("timeout_request_head") >= _CROWD
        await until(lambda: not server.context.connections)


# --- readers that do not read -----------------------------------------------------------------------------


class Streaming:
    """An application that streams 50 MiB and notes what was taken of it, and how it ended."""

    def __init__(self) -> None:
        self.sent: dict[str, int] = {}
        self.errors: dict[str, BaseException] = {}

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["path"] == "/":
            await echo(scope, receive, send)
            return
        path = scope["path"]
        self.sent[path] = 0
        await send(START)
        try:
            while self.sent[path] < _STREAMED:
                await send(PIECE)
                self.sent[path] += 65536
        except OSError as error:
            self.errors[path] = error
            raise
        await send({"type": "http.response.body"})


def held(connection: Any) -> int:
    """Octets that wait for the client in a connection's transport and in its and its engine's queues."""
    seen: set[int] = set()
    todo, size = [connection], 0
    while todo:
        each = todo.pop()
        if id(each) in seen:
            continue
        seen.add(id(each))
        if isinstance(each, bytes | bytearray):
            size += len(each)
        elif hasattr(each, "get_write_buffer_size"):
            size += each.get_write_buffer_size()
        elif type(each).__module__.startswith(
            ("alsvid.net.conn", "alsvid.protocol.http1.engine")
        ) or isinstance(each, list | tuple):
            todo += gc.get_referents(each)
    return size


async def _nearly_deaf(server: Serving, **more: Any) -> tuple[Client, socket.socket]:
    """A client whose system takes little and that reads nothing by itself; its socket once more."""
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    sock.setblocking(False)
    await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", server.port))
    second = sock.dup()
    return Client(*await asyncio.open_connection(sock=sock, limit=1, **more)), second


@pytest.mark.parametrize("transport", ["plain", "tls"])
async def test_a_stream_to_readers_that_hardly_read_is_held_back_and_aborted(
    transport: str, tmp_path: Path
) -> None:
    """safety.md section 3: send() suspends, growth <= 1 MiB a connection, aborted at --timeout-write."""
    settings: dict[str, Any] = {"timeout_write": 0.6}
    more: dict[str, Any] = {}
    if transport == "tls":
        certificate = write_certificate(tmp_path)
        settings |= {"ssl_certfile": certificate.cert, "ssl_keyfile": certificate.key}
        more = {"ssl": client_context(certificate), "server_hostname": "localhost"}
    app = Streaming()
    async with serving(app, **settings) as server:
        # Accepted sockets inherit it: what the system takes is small, so all that was sent is what is held.
        server.server.listeners[0].socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 65536)
        both = [await _nearly_deaf(server, **more) for _ in range(8)]
        clients, socks = [client for client, _ in both], [sock for _, sock in both]
        paths = {f"/{index}" for index in range(8)}
        for path, client in zip(sorted(paths), clients, strict=True):
            client.writer.transport.pause_reading()
            client.send(get(path))
        most = 0
        async with server.client(**more) as sibling:
            while len(app.errors) < 8:
                assert (await sibling.ask(GET)).status == 200
                most = max([most, *(held(each) for each in server.context.connections)])
                for sock in socks[::2]:  # an octet now and then; the others read nothing
                    with contextlib.suppress(BlockingIOError, ConnectionError):
                        sock.recv(1)
                await asyncio.sleep(0.01)
        assert set(app.errors) == paths
        assert max(app.sent.values()) <= _MOST_HELD
        assert 0 < most <= _MOST_HELD
        told = [fields["option"] for fields in server.events.of("limit_reached")]
        assert told == ["timeout_write"] * 8
        for client, sock in both:
            client.writer.transport.abort()
            sock.close()
        await until(lambda: not server.context.connections and not server.cycles)
        assert server.events.of("application_error") == []
