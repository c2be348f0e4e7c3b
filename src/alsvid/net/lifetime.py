"""The lifetime of a connection: what it waits for and how long, when it reads, how it closes.

Owns the connection's state, its deadlines (two, the earlier of which the tick looks at) and closing. Must not
know how requests are begun and answers written: `Connection`, its one subclass, does.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from typing import Any

from alsvid.asgi.http_cycle import HttpCycle
from alsvid.net.context import ConnectionContext
from alsvid.net.port import Port
from alsvid.net.streams import ConnectionStream, Outlet
from alsvid.protocol.engine import Engine
from alsvid.protocol.http1.engine import Http1Engine
from alsvid.protocol.phases import CONTENT, DISCARD, HEAD, IDLE, SHUT

_idle = IDLE
_head = HEAD
_content = CONTENT
_discard = DISCARD
_shut = SHUT

_NEVER = float("inf")

# Closing after an error: how long what still comes is dropped, so that no RST overtakes the answer.
_LINGER_S = 2.0


class Lifetime(Outlet):
    """See the module's text.

    deadline    monotonic seconds (the context's coarse clock) after which `expire` is called; or inf.
                The earlier of two: what the client is to send, and what it is to take.
    idle_since  when it began to wait for its next request.
    template    what all scopes of this connection share.
    """

    __slots__ = (
        "__weakref__",
        "_again",
        "_awaits_continue",
        "_body_octets",
        "_body_started",
        "_context",
        "_cycle",
        "_discarded",
        "_drains",
        "_engine",
        "_half_closed",
        "_has_served",
        "_in_receive",
        "_is_closing",
        "_is_held",
        "_is_lingering",
        "_is_read_paused",
        "_is_trusted",
        "_is_write_paused",
        "_phase",
        "_pipelined",
        "_pipelined_octets",
        "_port",
        "_queued",
        "_read_deadline",
        "_stream",
        "_tls",
        "_transport",
        "_turns",
        "_unconsumed",
        "_unsent",
        "_write_deadline",
        "client",
        "deadline",
        "idle_since",
        "template",
    )

    def __init__(self, context: ConnectionContext, port: Port) -> None:
        self._context = context
        self._port = port
        self._transport: Any = None
        self._engine: Engine = Http1Engine(context.limits, context.writer)
        self._cycle: HttpCycle | None = None
        self._stream: ConnectionStream | None = None
        self._tls: dict[str, Any] | None = None
        self._drains: list[asyncio.Future[Any]] | None = None
        self.template: dict[str, Any] | None = None
        self.client: Any = None
        self.deadline = _NEVER
        self.idle_since = context.now
        self._read_deadline = _NEVER
        self._write_deadline = _NEVER
        self._phase = _idle
        self._unconsumed = 0
        self._queued = 0
        self._unsent = 0
        self._discarded = 0
        self._body_started = 0.0
        self._body_octets = 0
        self._turns = 0
        self._pipelined: list[bytes] | None = None
        self._pipelined_octets = 0
        self._again = False
        self._awaits_continue = False
        self._in_receive = False
        self._is_held = False
        self._is_closing = False
        self._is_lingering = False
        self._is_read_paused = False
        self._is_write_paused = False
        self._is_trusted = False
        self._has_served = False
        self._half_closed = False

    def _write_out(self) -> None:
        """Write what the engine has queued, and pipelined answers before it."""
        raise NotImplementedError

    def _drop_cycle(self, reason: str) -> None:
        """Nobody can be answered any more: tell the cycle, and keep nothing of it."""
        stream = self._stream
        cycle = self._cycle
        self._stream = None
        self._cycle = None
        if stream is not None:
            stream.detach()
        if cycle is not None:
            cycle.deliver_disconnect(reason)

    # --- reading ------------------------------------------------------------------------------------------

    def _pause_reading(self) -> None:
        if not self._is_read_paused and self._transport is not None and not self._half_closed:
            self._is_read_paused = True
            self._transport.pause_reading()
            if self._engine.phase == _content:
                self._read_deadline = _NEVER  # it is the application that keeps the client waiting
                self._choose_deadline()

    def _resume_reading(self) -> None:
        if self._is_read_paused and self._transport is not None:
            self._is_read_paused = False
            self._transport.resume_reading()
            if self._engine.phase == _content:
                self._body_started = self._context.now
                self._body_octets = 0
                self._set_deadline()

    def _drop(self, n: int) -> None:
        """Octets after the end: read and dropped, within bounds.

        Beyond them they stay unread until the end of the linger: a reset now would take the answer away.
        """
        self._discarded += n
        if self._discarded > self._context.limit_unread_body and self._is_lingering:
            self._pause_reading()

    # --- deadlines ----------------------------------------------------------------------------------------

    def _set_deadline(self) -> None:
        """Choose the deadline of the phase that the engine is in now."""
        context = self._context
        phase = self._engine.phase
        now = context.now
        if self._half_closed or self._is_closing:
            return  # it has its last one
        if phase == _idle:
            if self._is_write_paused or self._engine.waiting_octets():
                self._read_deadline = _NEVER  # the client has to take its answers first
            elif self._phase != _idle:
                self._read_deadline = now + context.keep_alive
            if self._phase != _idle:
                self.idle_since = now
        elif phase == _head:
            # absolute: a dribbling client gains nothing (RFC 9110 section 15.5.9)
            if self._phase != _head and self._has_served:
                self._read_deadline = now + context.timeout_request_head
        elif phase == _content:
            if not self._is_read_paused:
                self._read_deadline = _NEVER if self._awaits_continue else now + context.timeout_body
        elif phase == _discard:
            if self._phase != _discard:
                self._read_deadline = now + context.timeout_unread_body
        else:
            self._read_deadline = _NEVER
        self._phase = phase
        self._choose_deadline()

    def _choose_deadline(self) -> None:
        self.deadline = (
            self._read_deadline if self._read_deadline < self._write_deadline else self._write_deadline
        )

    def is_idle(self) -> bool:
        """True when no request is under way or waiting: it may be closed when its answers are out."""
        return (
            self._engine.phase == _idle
            and not self._is_closing
            and self._cycle is None
            and not self._engine.waiting_octets()
        )

    def is_slow(self, now: float) -> bool:
        """True when content comes at less than the least average rate, its grace being over."""
        context = self._context
        elapsed = now - self._body_started
        return (
            self._engine.phase == _content
            and not self._is_read_paused
            and not self._is_closing
            and not self._awaits_continue
            and elapsed > context.body_min_rate_grace
            and self._body_octets < elapsed * context.body_min_rate
        )

    def expire(self, now: float) -> None:
        """The tick found the deadline over: close, with 408 where a request had begun."""
        phase = self._engine.phase
        if self._transport is None:
            self.deadline = _NEVER
            return
        if self._write_deadline <= now:
            self._expire_write(now)
            return
        self._read_deadline = _NEVER
        self._choose_deadline()
        if self._is_closing:
            self._transport.abort()
        elif self._half_closed:
            self._end_half_closed()
        elif phase == _idle:
            self.close_idle("keep_alive")
        elif phase == _head:
            self._time_out("timeout_request_head")
        elif phase == _content:
            self._time_out("timeout_body")
        else:
            self._close(False)

    def _end_half_closed(self) -> None:
        """The client has sent FIN and its answer takes long: it counts as gone."""
        stream = self._stream
        if stream is not None:
            self._engine.reset_stream(stream.id, 0)
        self._drop_cycle("the client closed the connection")
        self._write_out()
        self._close(False)

    def expire_slow(self) -> None:
        """The tick found the content too slow."""
        self._time_out("body_min_rate")

    def _expire_write(self, now: float) -> None:
        unsent = self._transport.get_write_buffer_size()
        if unsent < self._unsent:
            self._unsent = unsent
            self._write_deadline = now + (self._context.timeout_write if unsent else _LINGER_S)
            self._choose_deadline()
            return
        if not unsent:
            self._transport.abort()  # all is sent, and the client does not close
            return
        self._context.telemetry.emit("limit_reached", option="timeout_write", client=self._client_text())
        self._transport.abort()

    def _time_out(self, option: str) -> None:
        """RFC 9110 section 15.5.9: 408 while no answer has begun, then close."""
        context = self._context
        context.telemetry.emit("limit_reached", option=option, client=self._client_text())
        engine = self._engine
        stream = self._stream
        self._write_out()
        if stream is None or engine.withdraw(stream.id):
            head = context.writer.write(408, [])
            self._transport.write(head + b"connection: close\r\n" + context.writer.framing(0))
        else:
            engine.reset_stream(stream.id, 0)
        self._drop_cycle(f"timeout ({option})")
        engine.phase = _shut
        self._close(True)

    # --- closing ------------------------------------------------------------------------------------------

    def close_idle(self, option: str) -> None:
        """Close a connection that waits for its next request."""
        if option != "keep_alive":
            self._context.telemetry.emit("connection_evicted", option=option, client=self._client_text())
        self._close(False)

    def begin_stop(self) -> None:
        """The server stops: take no request after the one under way; what is idle closes by `end_stop`."""
        self._engine.shutdown()

    def end_stop(self) -> None:
        """Close if idle; a connection with a request under way closes by itself after its answer."""
        if self.is_idle():
            self._close(False)

    def abort(self) -> None:
        """Close at once; what is not sent is lost."""
        if self._transport is not None:
            self._transport.abort()

    def _close(self, linger: bool) -> None:
        """Close when what is queued is sent.

        Lingering (RFC 9112 section 9.6): half-close, and drop what still comes, so that no RST takes the
        answer away from the client before it has read it.
        """
        if self._is_closing or self._transport is None:
            return
        context = self._context
        is_cut = self._engine.is_cut
        was_idle = self._engine.phase == _idle
        self._is_closing = True
        self._resume_reading()
        unsent = self._transport.get_write_buffer_size()
        # What is unsent has the time that its progress earns; then the client has to close.
        self._unsent = unsent
        self._write_deadline = context.now + context.timeout_write if unsent else _NEVER
        self._read_deadline = _NEVER if unsent else context.now + _LINGER_S
        if linger and not self._half_closed and not is_cut and self._transport.can_write_eof():
            self._is_lingering = True
            self._write_eof()
        else:
            if is_cut:
                self._reset_on_close()
            self._transport.close()
            if not unsent and not was_idle:
                # Over TLS octets may be left below, and the client's close_notify is waited for.
                self._read_deadline = context.now + context.timeout_write
        if self._transport is not None:
            self._choose_deadline()
        self._drop_cycle("the connection was closed")

    def _write_eof(self) -> None:
        try:
            self._transport.write_eof()
        except OSError:  # the client has reset the connection in this very turn
            self._transport.abort()

    def _reset_on_close(self) -> None:
        """Make a truncation visible: FIN would end content without a length (RFC 9112 section 8)."""
        sock = self._transport.get_extra_info("socket")
        if sock is not None and self._tls is None and sock.family != socket.AF_UNIX:
            with contextlib.suppress(OSError):
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def _client_text(self) -> str:
        client = self.client
        if client is None:
            return "unix"
        return f"{client[0]}:{client[1]}" if ":" not in client[0] else f"[{client[0]}]:{client[1]}"
