"""The N-th call of a transport or of the system fails, for every N: nobody else is hurt, nothing is left.

Two levels: a fake transport that fails at its N-th call, and real sockets under asyncio whose N-th system
call on the server's side fails. Conversations are run until they make fewer calls than N.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import selectors
import socket
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from fakes import FakeTransport, Peer, World
from serving import GET, Client, Serving, get, post, read_body, request, respond, serving, turns, until

from alsvid.net.connection import Connection

START = {"type": "http.response.start", "status": 200, "headers": []}
LAST = {"type": "http.response.body", "body": b"last"}
_STREAMED = 40


def piece(size: int) -> dict[str, Any]:
    """Content that is not the last."""
    return {"type": "http.response.body", "body": b"x" * size, "more_body": True}


# --- a transport that fails -------------------------------------------------------------------------------


class FailingTransport(FakeTransport):
    """Fails at its N-th call of a method: by raising, or as a loop's own transports do.

    Those tell of a failed write(2) by losing the connection, and of a failed getpeername(2) by None.
    """

    def __init__(self, protocol: Any, method: str, nth: int, how: str) -> None:
        super().__init__(protocol)
        self._method = method
        self._nth = nth
        self._how = how
        self.count = 0

    def _fails(self, method: str) -> bool:
        if method != self._method:
            return False
        self.count += 1
        if self.count - 1 != self._nth:
            return False
        if self._how == "raises":
            raise OSError(errno.EIO, "injected")
        return True

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return None if self._fails("get_extra_info") else super().get_extra_info(name, default)

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        if not self._fails("set_write_buffer_limits"):
            super().set_write_buffer_limits(high, low)

    def get_write_buffer_size(self) -> int:
        return 0 if self._fails("get_write_buffer_size") else super().get_write_buffer_size()

    def write(self, data: bytes) -> None:
        if self._fails("write"):
            self.reset()
        else:
            super().write(data)

    def write_eof(self) -> None:
        if self._fails("write_eof"):
            raise OSError(errno.ENOTCONN, "injected")
        super().write_eof()

    def pause_reading(self) -> None:
        if self._fails("pause_reading"):
            self.reset()
        else:
            super().pause_reading()

    def resume_reading(self) -> None:
        if self._fails("resume_reading"):
            self.reset()
        else:
            super().resume_reading()


class FailingPeer(Peer):
    """A peer on such a transport. An error that leaves the protocol ends the connection, as in every loop."""

    def __init__(self, world: World, method: str, nth: int, how: str) -> None:
        self.connection = Connection(world.context, world.port)
        self.transport = FailingTransport(self.connection, method, nth, how)
        self._call(self.connection.connection_made, self.transport)

    def send(self, data: bytes) -> None:
        """Octets arrive, as long as the transport reads."""
        if self.transport.is_reading and not self.transport.is_lost:
            self._call(self.connection.data_received, data)

    def send_eof(self) -> bool:
        """FIN arrives."""
        keeps = not self.transport.is_lost and self._call(self.connection.eof_received)
        if not keeps:
            self.transport.close()
        return bool(keeps)

    def _call(self, call: Callable[..., Any], *arguments: Any) -> Any:
        try:
            return call(*arguments)
        except OSError:
            self.transport.reset()
            return None


async def mixed(scope: Any, receive: Any, send: Any) -> None:
    """Echo, stream, hint, or read nothing: by path."""
    if scope["path"] == "/stream":
        await send(START)
        for _ in range(_STREAMED):
            await send(piece(10_000))
        await send(LAST)
    elif scope["path"] == "/hint":
        await send({"type": "http.response.early_hint", "links": [b"</a>"]})
        await respond(send)
    elif scope["path"] == "/unread":
        await respond(send, b"unread")
    else:
        await respond(send, await read_body(receive))


async def _advance(world: World, seconds: float) -> None:
    """Move the clock. An error that leaves a tick is told to the loop, and the next tick comes."""
    for _ in range(int(seconds * 2)):
        with contextlib.suppress(OSError):
            await world.advance(0.5, 0.5)
        await turns(3)


async def _exchanges(world: World, peer: Peer) -> None:
    peer.send(GET)
    await turns(5)
    peer.send(post(b"x" * 100) * 3)
    await turns(5)
    peer.send(get("/hint"))
    await turns(5)
    peer.send(request("POST", "/", "Content-Length: 4", "Expect: 100-continue"))
    await turns(5)
    peer.send(b"body")
    await turns(5)


async def _stalled(world: World, peer: Peer) -> None:
    peer.transport.is_taking = False
    peer.send(get("/stream"))
    for _ in range(_STREAMED):
        await turns(3)
        peer.transport.take()
    peer.transport.is_taking = True
    await turns(60)
    peer.send(GET)
    await turns(5)


async def _given_up(world: World, peer: Peer) -> None:
    peer.transport.is_taking = False
    peer.send(get("/stream"))
    await turns(5)
    await _advance(world, 31)


async def _upload(world: World, peer: Peer) -> None:
    peer.send(request("POST", "/", "Content-Length: 300000"))
    for _ in range(40):
        peer.send(b"x" * 10_000)
        await turns(2)
    peer.send(post(b"x" * 200_000, path="/unread"))
    await turns(5)


async def _refused(world: World, peer: Peer) -> None:
    peer.send(b"GET / HTTP/1.1\r\n\r\n")
    await turns(5)
    peer.send(b"more")
    await _advance(world, 3)


async def _timed_out(world: World, peer: Peer) -> None:
    peer.send(GET[:10])
    await _advance(world, 11)
    await _advance(world, 3)


async def _idle(world: World, peer: Peer) -> None:
    peer.send(GET)
    await turns(5)
    await _advance(world, 76)


async def _half_closed(world: World, peer: Peer) -> None:
    peer.send(get("/stream"))
    peer.send_eof()
    await _advance(world, 1)


async def _stopped(world: World, peer: Peer) -> None:
    peer.send(GET)
    await turns(5)
    world.context.is_stopping = True
    for connection in list(world.context.connections):
        with contextlib.suppress(OSError):
            connection.begin_stop()
            connection.end_stop()
    await turns(5)
    world.context.is_stopping = False


CONVERSATIONS = [
    _exchanges, _stalled, _given_up, _upload, _refused, _timed_out, _idle, _half_closed, _stopped,
]  # fmt: skip
METHODS = [
    "get_extra_info",
    "set_write_buffer_limits",
    "get_write_buffer_size",
    "write",
    "write_eof",
    "pause_reading",
    "resume_reading",
]


async def _converse(conversation: Any, method: str, nth: int, how: str) -> int:
    """Have a conversation whose transport fails; return how often the method was called."""
    world = World(mixed)
    sibling = world.connect()
    sibling.send(GET)
    await turns(5)
    peer = FailingPeer(world, method, nth, how)
    await conversation(world, peer)
    if sibling.transport.is_closed:  # the conversation took longer than an idle connection is kept
        sibling = world.connect()
    before = len(sibling.received)
    sibling.send(post(b"sibling") * 2)
    await turns()
    assert sibling.received[before:].count(b"\r\n\r\nsibling") == 2
    if not peer.transport.is_lost:
        peer.transport.reset()
    sibling.transport.reset()
    await turns()
    assert world.context.connections == set()
    assert world.service.cycles == set()
    return peer.transport.count


@pytest.mark.one_loop
@pytest.mark.loop_errors
@pytest.mark.parametrize("how", ["loses", "raises"])
@pytest.mark.parametrize("conversation", CONVERSATIONS, ids=lambda each: each.__name__.strip("_"))
async def test_a_transport_that_fails_at_any_call_hurts_its_own_connection_only(
    conversation: Any, how: str
) -> None:
    """safety.md section 3, N-th call failures: nothing is left, siblings are served."""
    for method in METHODS:
        count = await _converse(conversation, method, -1, how)
        for nth in range(count):
            await _converse(conversation, method, nth, how)


@pytest.mark.one_loop
async def test_an_endless_sender_stops_when_a_write_fails() -> None:
    """A loop tells of a failed write a turn later: until then send() must suspend, or an application that
    sends without end, and waits for nothing else, keeps the loop for ever."""
    sent = 0

    async def app(scope: Any, receive: Any, send: Any) -> None:
        nonlocal sent
        await send(START)
        for _ in range(2000):
            await send(piece(65536))
            sent += 1

    world = World(app)
    peer = FailingPeer(world, "write", 3, "loses")
    peer.send(GET)
    await turns()
    assert not world.context.connections
    assert not world.service.cycles
    assert sent <= 10


# --- system calls that fail -------------------------------------------------------------------------------


class Faults:
    """Makes the N-th call of one system call on the server's accepted sockets fail."""

    def __init__(self) -> None:
        self.port = 0
        self.nth = -1
        self.count = 0
        self.error: OSError | None = None

    def arm(self, port: int, nth: int, code: int) -> None:
        """Fail the N-th call from now on; none where N is negative."""
        self.port, self.nth, self.count = port, nth, 0
        self.error = OSError(code, os.strerror(code))  # OSError chooses the subclass by itself

    def note(self) -> None:
        """A call is about to be made."""
        if not self.port:
            return
        self.count += 1
        if self.count - 1 == self.nth:
            assert self.error is not None
            raise self.error

    def is_ours(self, sock: Any) -> bool:
        """True for sockets of the server."""
        with contextlib.suppress(OSError, ValueError, IndexError):
            return bool(_own_name(sock)[1] == self.port)
        return False


_own_name = socket.socket.getsockname


def _watch_socket(patch: pytest.MonkeyPatch, name: str, faults: Faults) -> None:
    real = getattr(socket.socket, name)

    def call(sock: socket.socket, *arguments: Any) -> Any:
        if faults.port and faults.is_ours(sock):
            faults.note()
        return real(sock, *arguments)

    patch.setattr(socket.socket, name, call)


def _watch_os(patch: pytest.MonkeyPatch, name: str, faults: Faults) -> None:
    real = getattr(os, name)

    def call(*arguments: Any, **more: Any) -> Any:
        faults.note()
        return real(*arguments, **more)

    patch.setattr(os, name, call)


def _watch_selector(patch: pytest.MonkeyPatch, name: str, faults: Faults) -> None:
    real = getattr(selectors.EpollSelector, name)

    def call(selector: Any, file: Any, *arguments: Any) -> Any:
        if faults.port:
            number = file if isinstance(file, int) else file.fileno()
            with contextlib.suppress(OSError), socket.socket(fileno=os.dup(number)) as twin:
                if faults.is_ours(twin):
                    faults.note()
        return real(selector, file, *arguments)

    patch.setattr(selectors.EpollSelector, name, call)


def descriptors() -> int:
    """How many are open."""
    return len(os.listdir("/proc/self/fd"))


async def _talk(client: Client, with_file: bool = True) -> None:
    """A conversation that makes every kind of call; it may end at any point."""
    assert (await client.ask()).status == 200
    assert (await client.ask(post(b"x" * 70_000))).body == b"x" * 70_000
    client.send(GET * 2)
    for _ in range(2):
        assert (await client.response()).status == 200
    assert len((await client.ask(get("/stream"))).body) == _STREAMED * 10_000 + 4
    if with_file:
        assert len((await client.ask(get("/file"))).body) == 200_000
    client.send(b"GET / HTTP/1.1\r\n\r\n")  # without Host: 400, half-close, linger
    assert (await client.rest()).startswith(b"HTTP/1.1 400")


@contextlib.asynccontextmanager
async def _filed(tmp_path: Path, **settings: Any) -> AsyncIterator[Serving]:
    path = tmp_path / "file"
    path.write_bytes(b"x" * 200_000)

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["path"] != "/file":
            await mixed(scope, receive, send)
            return
        await send(START)
        await send({"type": "http.response.pathsend", "path": str(path)})

    async with serving(app, **settings) as server:
        # Accepted sockets inherit it: answers do not fit, so that the loop has to wait for them.
        server.server.listeners[0].socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 16384)
        yield server


_ENDS = (ConnectionError, OSError, asyncio.IncompleteReadError, AssertionError)

# what fails -> how it is watched, the errors it may give
CALLS: dict[str, tuple[Any, list[int]]] = {
    "recv": (_watch_socket, [errno.ECONNRESET, errno.EAGAIN, errno.ENOBUFS]),
    "send": (_watch_socket, [errno.EPIPE, errno.EAGAIN, errno.ENOBUFS]),
    "sendmsg": (_watch_socket, [errno.EPIPE, errno.EAGAIN]),
    "accept": (_watch_socket, [errno.ECONNABORTED, errno.EAGAIN, errno.EPERM]),
    "getsockname": (_watch_socket, [errno.ENOBUFS]),
    "shutdown": (_watch_socket, [errno.ENOTCONN]),
    "sendfile": (_watch_os, [errno.EPIPE, errno.EAGAIN, errno.EIO]),
    "dup": (_watch_os, [errno.EMFILE]),
    "open": (_watch_os, [errno.EMFILE, errno.ENOENT]),
    "fstat": (_watch_os, [errno.EIO]),
    "register": (_watch_selector, [errno.ENOSPC]),
    "modify": (_watch_selector, [errno.ENOMEM]),
}
_EVERY_CALL = [(name, code) for name, (_, codes) in CALLS.items() for code in codes]


async def _one_failure(server: Serving, faults: Faults, nth: int, code: int, with_file: bool) -> bool:
    """Talk while the N-th call fails; then a second client must get everything. True if it came so far."""
    faults.arm(server.port, nth, code)
    client = None
    try:
        client = await server.connect()
        await _talk(client, with_file)
    except _ENDS:
        pass
    was_hit = faults.count > nth
    faults.port = 0
    if client is not None:
        with contextlib.suppress(OSError):
            client.reset()
        await client.close()
    async with server.client() as second:
        assert (await second.ask(post(b"second"))).body == b"second"
        assert len((await second.ask(get("/file"))).body) == 200_000
    await until(lambda: not server.context.connections and not server.cycles)
    return was_hit


@pytest.mark.one_loop
@pytest.mark.loop_errors
@pytest.mark.filterwarnings("ignore::ResourceWarning")  # asyncio's own, of sockets it could not watch
@pytest.mark.parametrize(("name", "code"), _EVERY_CALL, ids=lambda value: errno.errorcode.get(value, value))
async def test_a_system_call_that_fails_costs_one_connection_at_most(
    name: str, code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """safety.md section 3: accept, read, write, open, sendfile fail at the N-th call: the next client is
    served in full, no connection, request or descriptor is left."""
    faults = Faults()
    watch, _ = CALLS[name]
    async with _filed(tmp_path, timeout_request_head=0.5) as server:
        async with server.client() as client:
            await _talk(client)
        await until(lambda: not server.context.connections)
        await turns()
        before = descriptors()
        watch(monkeypatch, name, faults)
        nth = 0
        with_file = name != "send"  # see the next test
        while nth < 100 and await _one_failure(server, faults, nth, code, with_file):
            nth += 1
        monkeypatch.undo()
        await turns()
        assert descriptors() == before
        assert nth or name == "sendmsg"  # which older versions of Python do without


@pytest.mark.one_loop
@pytest.mark.loop_errors
async def test_a_file_does_not_follow_a_head_that_could_not_be_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A failed write of the head loses the connection a turn later: until then no octet of the file may
    leave, or the client takes the file's content for a head."""
    faults = Faults()
    async with _filed(tmp_path) as server, server.client(limit=1 << 20) as client:
        _watch_socket(monkeypatch, "send", faults)
        faults.arm(server.port, 0, errno.ENOBUFS)
        client.send(get("/file"))
        assert (await client.rest()).removesuffix(b"RESET") == b""


class _Fragile(FakeTransport):
    """Fails at every write of content."""

    def write(self, data: bytes) -> None:
        if b"x" in data:
            raise OSError(errno.EIO, "injected")
        super().write(data)


@pytest.mark.one_loop
@pytest.mark.loop_errors
async def test_one_flush_that_fails_does_not_keep_those_of_the_same_turn() -> None:
    """What several connections held in one turn leaves at its end, whatever becomes of the first of them."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send(START)
        await send({"type": "http.response.body", "body": scope["path"].encode(), "more_body": True})
        await receive()
        await receive()

    world = World(app)
    peers = [world.connect() for _ in range(2)]
    fragile = peers[0].transport = _Fragile(peers[0].connection)
    peers[0].connection.connection_made(fragile)
    try:
        peers[0].send(get("/x"))
        peers[1].send(get("/whole"))
        await turns()
        assert b"/whole" in peers[1].received
    finally:
        for peer in peers:
            peer.transport.reset()
        await turns()
