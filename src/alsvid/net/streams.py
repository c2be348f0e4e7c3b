"""The stream of alsvid.asgi.stream on top of an engine and its connection.

Beside the connection the only place that knows both sides: calls of a cycle go down to the engine, and the
connection is told when octets are to leave or a stream has ended.
"""

from __future__ import annotations

import asyncio
from typing import Any

from alsvid.asgi.stream import Stream
from alsvid.protocol.engine import Engine, Headers


class Outlet:
    """What a stream needs of its connection; `Connection` is the one subclass."""

    __slots__ = ()

    def flush(self) -> None:
        """Hand what the engine has queued to the transport."""
        raise NotImplementedError

    def hold(self) -> None:
        """A head waits for its content: flush at the end of the turn."""
        raise NotImplementedError

    def queue(self, octets: int) -> None:
        """Content was queued that is not the last: flush when it is much, or at the end of the turn."""
        raise NotImplementedError

    def end_answer(self, stream: ConnectionStream) -> None:
        """An answer is complete or cut: flush, and look for the next request."""
        raise NotImplementedError

    def consume(self, octets: int) -> None:
        """The application took content, or asks for it (0): go on reading when there is room again."""
        raise NotImplementedError

    def drain(self) -> asyncio.Future[Any]:
        """Return a future that ends when the transport takes more, or is lost."""
        raise NotImplementedError

    async def send_file(self, descriptor: int, offset: int, count: int) -> int:
        """Write octets of a file behind what is queued; returns how many."""
        raise NotImplementedError


class ConnectionStream(Stream):
    """One stream of one connection. After `detach` the connection is lost and every call is without
    effect.
    """

    __slots__ = ("_engine", "_outlet")

    def __init__(self, stream_id: int, http_version: str, engine: Engine, outlet: Outlet) -> None:
        self.id = stream_id
        self.http_version = http_version
        self.is_paused = False
        self._engine: Engine | None = engine
        self._outlet: Outlet | None = outlet

    def detach(self) -> None:
        """Let go of engine and connection."""
        self.is_paused = False
        self._engine = None
        self._outlet = None

    def send_headers(self, status: int, headers: Headers) -> None:
        """See Stream."""
        if self._engine is not None:
            self._engine.send_headers(self.id, status, headers, False)
            self._outlet.hold()  # type: ignore[union-attr]

    def send_data(self, data: bytes, end_stream: bool) -> None:
        """See Stream."""
        if self._engine is not None:
            self._engine.send_data(self.id, data, end_stream)
            if end_stream:
                self._outlet.end_answer(self)  # type: ignore[union-attr]
            else:
                self._outlet.queue(len(data))  # type: ignore[union-attr]

    def expect_trailers(self) -> bool:
        """See Stream."""
        return self._engine is not None and self._engine.expect_trailers(self.id)

    def send_trailers(self, headers: Headers) -> None:
        """See Stream."""
        if self._engine is not None:
            self._engine.send_data(self.id, b"", True)  # the content has ended; the engine waits for trailers
            self._engine.send_trailers(self.id, headers)
            self._outlet.end_answer(self)  # type: ignore[union-attr]

    def send_informational(self, status: int, headers: Headers) -> None:
        """See Stream."""
        if self._engine is not None:
            self._engine.send_informational(self.id, status, headers)
            self._outlet.flush()  # type: ignore[union-attr]

    async def send_file(self, descriptor: int, offset: int, count: int, end_stream: bool) -> int:
        """See Stream."""
        engine = self._engine
        outlet = self._outlet
        if engine is None or outlet is None:
            return 0
        sent = 0
        if engine.begin_raw(self.id, count):
            outlet.flush()
            try:
                sent = await outlet.send_file(descriptor, offset, count)
                if sent < count and self._engine is not None:
                    raise OSError(f"the file ended after {sent} of {count} octets")
            except BaseException:
                # What the head, or the chunk's size, promised cannot be kept: the client must see that.
                self.reset()
                raise
            if self._engine is None:
                return sent
        engine.end_raw(self.id, sent, end_stream)
        if end_stream:
            outlet.end_answer(self)
        else:
            outlet.flush()
        return sent

    def declare_length(self, octets: int) -> None:
        """See Stream."""
        if self._engine is not None:
            self._engine.declare_length(self.id, octets)

    def withdraw(self) -> bool:
        """See Stream."""
        return self._engine is not None and self._engine.withdraw(self.id)

    def reset(self) -> None:
        """See Stream."""
        if self._engine is not None:
            self._engine.reset_stream(self.id, 0)
            self._outlet.end_answer(self)  # type: ignore[union-attr]

    def consume(self, octets: int) -> None:
        """See Stream."""
        if self._engine is not None:
            if not octets:
                self._engine.consume(self.id, 0)
            self._outlet.consume(octets)  # type: ignore[union-attr]

    def drain(self) -> asyncio.Future[Any]:
        """See Stream."""
        return self._outlet.drain()  # type: ignore[union-attr]


def new_stream(stream_id: int, http_version: str, engine: Engine, outlet: Outlet) -> ConnectionStream:
    """Make a stream without the call of a constructor, which parses arguments even where compiled."""
    stream = ConnectionStream.__new__(ConnectionStream)
    stream.id = stream_id
    stream.http_version = http_version
    stream.is_paused = False
    stream._engine = engine
    stream._outlet = outlet
    return stream
