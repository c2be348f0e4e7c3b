"""A transport without a socket and connections whose clock the test moves."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

from serving import Events, turns

from alsvid.asgi.service import Service
from alsvid.net.connection import Connection
from alsvid.net.context import ConnectionContext
from alsvid.net.deadlines import sweep
from alsvid.net.port import Port
from alsvid.net.settings import ConnectionSettings
from alsvid.observability.telemetry import Telemetry
from alsvid.protocol.http1.limits import Limits
from alsvid.protocol.http1.writer import HeadWriter


class FakeTransport:
    """What asyncio's socket transports do, without a socket.

    The peer takes what is written at once while `is_taking`; otherwise it stays in `buffer` until `take()`.
    `taken` is what the peer has. As with asyncio, `connection_lost` comes a turn after the end.
    """

    def __init__(self, protocol: Any) -> None:
        self.protocol = protocol
        self.taken = b""
        self.buffer = b""
        self.writes: list[bytes] = []
        self.is_taking = True
        self.is_reading = True
        self.has_eof = False
        self.is_closed = False
        self.is_aborted = False
        self.is_lost = False
        self.high = 65536
        self.low = 16384
        self._is_paused = False
        self.calls: list[str] = []

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return {"peername": ("192.0.2.1", 4711), "sockname": ("192.0.2.2", 80)}.get(name, default)

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        self.high = 65536 if high is None else high
        self.low = self.high // 4 if low is None else low
        self._weigh()

    def get_write_buffer_size(self) -> int:
        return len(self.buffer)

    def write(self, data: bytes) -> None:
        assert not self.has_eof, "written after write_eof"
        if self.is_closed:
            return  # asyncio drops it
        self.writes.append(bytes(data))
        if self.is_taking:
            self.taken += data
        else:
            self.buffer += data
            self._weigh()

    def writelines(self, pieces: list[bytes]) -> None:
        self.write(b"".join(pieces))

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None:
        self.calls.append("write_eof")
        self.has_eof = True

    def is_closing(self) -> bool:
        return self.is_closed

    def close(self) -> None:
        if not self.is_closed:
            self.calls.append("close")
            self.is_closed = True
            self.is_reading = False
            self._lose_when_empty()

    def abort(self) -> None:
        self.calls.append("abort")
        self.is_closed = self.is_aborted = True
        self.is_reading = False
        self.buffer = b""
        self._lose_when_empty()

    def pause_reading(self) -> None:
        self.is_reading = False

    def resume_reading(self) -> None:
        self.is_reading = True

    def take(self, octets: int | None = None) -> None:
        """The peer takes octets that were written, by default all."""
        n = len(self.buffer) if octets is None else octets
        self.taken += self.buffer[:n]
        self.buffer = self.buffer[n:]
        self._weigh()
        if self.is_closed:
            self._lose_when_empty()

    def reset(self) -> None:
        """The peer resets the connection."""
        self.is_closed = True
        self.buffer = b""
        self._lose(ConnectionResetError(104, "Connection reset by peer"))

    def _weigh(self) -> None:
        if not self._is_paused and len(self.buffer) > self.high:
            self._is_paused = True
            self.protocol.pause_writing()
        elif self._is_paused and len(self.buffer) <= self.low:
            self._is_paused = False
            self.protocol.resume_writing()

    def _lose_when_empty(self) -> None:
        if not self.buffer:
            self._lose(None)

    def _lose(self, error: Exception | None) -> None:
        if not self.is_lost:
            self.is_lost = True
            asyncio.get_running_loop().call_soon(self.protocol.connection_lost, error)


class FakeSocket:
    """A listening socket as far as a port looks at it."""

    family = socket.AF_INET

    def getsockname(self) -> tuple[str, int]:
        return ("192.0.2.2", 80)


class FakeListener:
    """A listener without a socket."""

    socket = FakeSocket()


class Peer:
    """One connection with its transport: `send` octets to it, look at `received`."""

    def __init__(self, world: World) -> None:
        self.connection = Connection(world.context, world.port)
        self.transport = FakeTransport(self.connection)
        self.connection.connection_made(self.transport)

    def send(self, data: bytes) -> None:
        """Octets arrive, if the server reads."""
        assert self.transport.is_reading, "the server does not read"
        self.connection.data_received(data)

    def send_eof(self) -> bool:
        """FIN arrives."""
        keeps = bool(self.connection.eof_received())
        if not keeps:
            self.transport.close()
        return keeps

    @property
    def received(self) -> bytes:
        return self.transport.taken

    @property
    def statuses(self) -> list[int]:
        """The status of each answer that has been received, found by its status line."""
        return [int(part[:3]) for part in self.received.split(b"HTTP/1.1 ")[1:]]

    @property
    def is_open(self) -> bool:
        return not self.transport.is_closed and not self.transport.has_eof


class World:
    """What connections share, with a clock that only `advance` moves."""

    def __init__(self, app: Any, **settings: Any) -> None:
        self.telemetry = Telemetry()
        self.events = Events(self.telemetry)
        self.service = Service(app, asyncio.get_running_loop(), self.telemetry)
        connection = ConnectionSettings(**settings)
        limits = Limits(
            request_line=8192,
            head=32768,
            fields=100,
            field_size=16384,
            chunk_extension=256,
            chunk_extensions=16384,
            body=0,
            unread_body=connection.limit_unread_body,
        )
        self.context = ConnectionContext(connection, self.service, limits, HeadWriter())
        self.context.now = 1000.0
        self.port = Port(FakeListener(), "", None)  # type: ignore[arg-type]

    def connect(self) -> Peer:
        """A new connection."""
        return Peer(self)

    async def advance(self, seconds: float, step: float = 0.25) -> None:
        """Move the clock in ticks, as the server's own tick does, and let the loop go round after each."""
        end = self.context.now + seconds
        while self.context.now < end - 1e-9:
            self.context.now = min(end, self.context.now + step)
            sweep(self.context, self.context.now)
            await turns(5)

    async def exchange(self, peer: Peer, data: bytes) -> bytes:
        """Send octets and return what has come back when the loop has nothing left to do."""
        before = len(peer.received)
        peer.send(data)
        await turns()
        return peer.received[before:]
