"""One accepted connection: the object that asyncio calls, between a transport and an engine.

Owns reading and its pauses, the one write a turn, the deadline, and the one cycle that is under way. Must not
know how a message is framed (the engine does) nor what the application says (the cycle does).

    data_received -> engine.receive_data -> events -> cycle.deliver_*
    cycle -> stream -> engine.send_* -> end_answer / flush -> engine.data_to_send -> transport.write
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from typing import Any

from alsvid.asgi.http_cycle import HttpCycle, new_cycle
from alsvid.asgi.scope import http_scope
from alsvid.net.context import ConnectionContext
from alsvid.net.port import Port
from alsvid.net.sendfile import copy_file, send_file
from alsvid.net.streams import ConnectionStream, Outlet, new_stream
from alsvid.protocol.engine import Engine
from alsvid.protocol.events import (
    DATA_RECEIVED,
    REQUEST_RECEIVED,
    DataReceived,
    Event,
    Fault,
    RequestReceived,
)
from alsvid.protocol.http1.engine import Http1Engine
from alsvid.protocol.phases import ANSWER, CONTENT, DISCARD, HEAD, IDLE, SHUT

_request_received = REQUEST_RECEIVED
_data_received = DATA_RECEIVED
_idle = IDLE
_head = HEAD
_content = CONTENT
_answer = ANSWER
_discard = DISCARD
_shut = SHUT

_NEVER = float("inf")

# Pieces up to this size are joined into one write; beyond it the copy costs more than the second buffer.
_JOIN = 16384

# Many small pieces are joined even so: one buffer is written faster than dozens are gathered.
_JOIN_MANY = 131072
_MANY = 4

# Content that is streamed without waiting is collected within a turn, up to this size, before it is written.
_STREAMED_OCTETS = 32768

# A client that has sent FIN may still read (RFC 9112 section 9.6): answers that are ready within this time
# reach it, then the application gets http.disconnect.
_HALF_CLOSED_GRACE_S = 0.5

# Answers of pipelined requests are collected for so many turns of the loop, or octets, before the write.
_PIPELINE_TURNS = 16
_PIPELINE_OCTETS = 65536

# Closing after an error: how long what still comes is dropped, so that no RST overtakes the answer. Beyond
# the connection cap so many may linger: no flood of refused clients holds more than that.
_LINGER_S = 2.0
_LINGERING_REFUSED = 64

# A connection that is accepted while the server stops has so long to send its request.
_LATE_HEAD_S = 1.0


class Connection(Outlet):
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

    # --- called by the transport --------------------------------------------------------------------------

    def connection_made(self, transport: Any) -> None:
        """asyncio.Protocol: take the transport, or refuse the connection when there are too many."""
        context = self._context
        self._transport = transport
        transport.set_write_buffer_limits(context.write_high_water, context.write_low_water)
        port = self._port
        self.client = port.client_of(transport)
        self.template = port.template_of(transport, self.client)
        if port.tls is not None:
            self._tls = port.tls_of(transport)
        context.connections.add(self)
        self._read_deadline = context.now + context.timeout_request_head
        self.deadline = self._read_deadline
        proxies = context.trusted_proxies
        if proxies is not None:
            client = self.client
            self._is_trusted = port.believes and proxies.trusts(client[0] if client is not None else None)
        if len(context.connections) > context.limit_connections:
            self._make_room()
        elif context.is_stopping or context.keep_alive == 0.0:
            self._engine.shutdown()
            if context.is_stopping:
                self.deadline = self._read_deadline = min(self._read_deadline, context.now + _LATE_HEAD_S)

    def _make_room(self) -> None:
        context = self._context
        if context.evict(self):
            return
        context.telemetry.emit("limit_reached", option="limit_connections", client=self._client_text())
        self._refuse(503)

    def _refuse(self, status: int) -> None:
        head = self._context.writer.write(status, [(b"retry-after", b"1")])
        self._transport.write(head + b"connection: close\r\n" + self._context.writer.framing(0))
        self._engine.phase = _shut
        self._close(len(self._context.connections) <= self._context.limit_connections + _LINGERING_REFUSED)

    def data_received(self, data: bytes) -> None:
        """asyncio.Protocol: the hot way in."""
        if self._is_closing:
            self._drop(len(data))
            return
        self._receive(data, True)

    def _receive(self, data: bytes, eager: bool) -> None:
        """Feed the engine, and start what it finds; again for requests that waited behind an answer.

        Not eagerly where another request's application is on the stack: it has its own work to end first.
        """
        if self._in_receive:
            self._again = True
            return
        self._in_receive = True
        engine = self._engine
        while True:
            events = engine.receive_data(data)
            if events:
                self._handle(events, eager)
            if not self._again:
                break
            self._again = False
            data = b""
        self._in_receive = False
        if self._turns and not self._is_held:
            self._write_out()  # pipelined answers of this turn
        if engine.close_expected:
            self.flush()
        elif engine.phase != _answer:
            if self._is_read_paused:
                self._read_on()
            self._set_deadline()
        elif self._phase != _answer:
            self._set_deadline()
        elif engine.waiting_octets() > self._context.read_high_water:
            self._pause_reading()

    def _handle(self, events: list[Event], eager: bool) -> None:
        fresh: HttpCycle | None = None
        for event in events:
            kind = event.kind
            if kind == _request_received:
                fresh = self._begin(event)  # type: ignore[arg-type]
            elif kind == _data_received:
                self._deliver(event)  # type: ignore[arg-type]
            else:
                self._handle_fault(event)  # type: ignore[arg-type]
        if fresh is not None:
            fresh.start(eager)

    def _begin(self, request: RequestReceived) -> HttpCycle | None:
        context = self._context
        service = context.service
        if 0 < context.limit_concurrency <= len(service.cycles):
            self._answer_busy(request)
            return None
        scope = http_scope(self.template, request, service.state, self._tls)  # type: ignore[arg-type]
        if request.forwarded and self._is_trusted:
            context.trusted_proxies.apply(scope)
        if request.upgrade:
            context.telemetry.emit("upgrade_ignored", client=self._client_text(), protocol=request.upgrade)
        stream = new_stream(request.stream_id, request.http_version, self._engine, self)
        stream.is_paused = self._is_write_paused
        cycle = new_cycle(service, stream, scope, request.end_stream)
        self._stream = stream
        self._cycle = cycle
        self._has_served = True
        self._phase = _answer
        self._read_deadline = _NEVER
        self.deadline = self._write_deadline
        if not request.end_stream:
            self._body_started = context.now
            self._body_octets = 0
            self._awaits_continue = _expects_continue(request)
        return cycle

    def _answer_busy(self, request: RequestReceived) -> None:
        context = self._context
        context.telemetry.emit("limit_reached", option="limit_concurrency", client=self._client_text())
        self._stream = None
        self._cycle = None
        self._has_served = True
        self._phase = _answer
        engine = self._engine
        headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"retry-after", b"1")]
        engine.send_headers(request.stream_id, 503, headers, False)
        engine.send_data(request.stream_id, b"Service Unavailable", True)
        self.flush()
        self._again = engine.phase == _idle and not self._is_write_paused

    def _deliver(self, event: DataReceived) -> None:
        cycle = self._cycle
        if cycle is None:
            return
        n = len(event.data)
        self._awaits_continue = False
        self._body_octets += n
        self._unconsumed += n
        cycle.deliver_data(event.data, event.end_stream)
        if self._unconsumed > self._context.read_high_water:
            self._pause_reading()

    def _handle_fault(self, event: Fault) -> None:
        context = self._context
        if event.limit:
            context.telemetry.emit("limit_reached", option=event.limit, client=self._client_text())
        else:
            context.telemetry.emit(
                "protocol_error", client=self._client_text(), status=event.status, message=event.message
            )
        self._drop_cycle(event.message)

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

    def eof_received(self) -> bool:
        """asyncio.Protocol: the client has sent FIN. True keeps the connection for an answer under way."""
        if self._is_closing:
            return False
        events = self._engine.receive_eof()
        if events:
            self._handle(events, True)
        if self._cycle is None or self._engine.phase != _answer or self._tls is not None:
            self._drop_cycle("the client closed the connection")
            return False
        self._half_closed = True
        self._read_deadline = self._context.now + _HALF_CLOSED_GRACE_S
        self._choose_deadline()
        return True

    def connection_lost(self, error: Exception | None) -> None:
        """asyncio.Protocol: the transport is gone; nothing may refer to this connection any more."""
        self.deadline = _NEVER
        self._read_deadline = _NEVER
        self._write_deadline = _NEVER
        self._is_closing = True
        self._pipelined = None
        self._wake_drained()
        if self._cycle is not None or self._stream is not None:
            self._drop_cycle(
                "the client closed the connection" if error is None else f"connection lost: {error}"
            )
        self._transport = None
        self.template = None
        self._context.forget(self)

    def pause_writing(self) -> None:
        """asyncio.Protocol: the client takes content more slowly than it is sent."""
        self._is_write_paused = True
        if self._stream is not None:
            self._stream.is_paused = True
        self._unsent = self._transport.get_write_buffer_size()
        self._write_deadline = self._context.now + self._context.timeout_write
        self._choose_deadline()
        if self._cycle is None and not self._is_closing:
            self._pause_reading()  # who does not take answers may not ask for more of them

    def resume_writing(self) -> None:
        """asyncio.Protocol: the client has caught up."""
        self._is_write_paused = False
        if self._stream is not None:
            self._stream.is_paused = False
        if not self._is_closing:
            self._write_deadline = _NEVER
            if self._cycle is None:
                self._take_up()
            self._choose_deadline()
        self._wake_drained()

    def _take_up(self) -> None:
        """Go on with requests that waited until the client took the answers before them."""
        if self._is_write_paused or self._is_closing or self._in_receive:
            return
        if self._engine.waiting_octets():
            self._receive(b"", False)
        else:
            if self._is_read_paused:
                self._read_on()
            self._phase = _answer
            self._set_deadline()

    def _wake_drained(self) -> None:
        drains = self._drains
        self._drains = None
        if drains is not None:
            for future in drains:
                if not future.done():
                    future.set_result(None)

    # --- called by streams (Outlet) ------------------------------------------------------------------------

    def hold(self) -> None:
        """See Outlet."""
        if not self._is_held:
            self._is_held = True
            self._context.hold(self)

    def queue(self, octets: int) -> None:
        """See Outlet: what an application streams in one turn leaves in few writes."""
        self._queued += octets
        if self._queued >= _STREAMED_OCTETS:
            self.flush()
        elif not self._is_held:
            self._is_held = True
            self._context.hold(self)

    def end_turn(self) -> None:
        """The turn in which something was held is over."""
        self._is_held = False
        if self._transport is None:
            return
        may_wait = 0 < self._turns < _PIPELINE_TURNS and self._pipelined_octets < _PIPELINE_OCTETS
        if may_wait and self._engine.phase == _answer:
            self._turns += 1
            self.hold()
            return
        stream = self._stream
        if stream is not None:
            self._engine.flush_headers(stream.id)
        if not self._is_closing:
            self.flush()
            if stream is None and self._engine.waiting_octets():
                self._take_up()

    def flush(self) -> None:
        """See Outlet: one write for all that the engine has queued."""
        if self._transport is None:
            return
        self._write_out()
        if self._engine.close_expected and not self._is_closing:
            self._close(self._engine.discard_expected)

    def _write_out(self) -> None:
        self._turns = 0
        self._queued = 0
        pieces = self._engine.data_to_send()
        if self._pipelined is not None:
            self._pipelined.extend(pieces)
            pieces = self._pipelined
            self._pipelined = None
            self._pipelined_octets = 0
        n = len(pieces)
        if n == 1:
            if self._is_write_paused:
                self._unsent += len(pieces[0])
            self._transport.write(pieces[0])
        elif n:
            size = 0
            for piece in pieces:
                size += len(piece)
            if self._is_write_paused:
                self._unsent += size
            if size <= _JOIN or (n > _MANY and size <= _JOIN_MANY) or self._context.joins_writes:
                self._transport.write(b"".join(pieces))
            else:
                self._transport.writelines(pieces)

    def end_answer(self, stream: ConnectionStream) -> None:
        """See Outlet. With a pipelined request behind it, an answer waits for the next: one write for all."""
        engine = self._engine
        stream.detach()
        if stream is self._stream:
            self._stream = None
            self._cycle = None
        self._unconsumed = 0
        self._awaits_continue = False
        if engine.waiting_octets() and not engine.close_expected and self._transport is not None:
            self._collect()
            if self._is_write_paused or (self._pipelined is None and self._is_clogged()):
                self._pause_reading()
                self._set_deadline()
                self.hold()  # to look again at a transport that counts at the end of the turn only
            else:
                self._receive(b"", False)
            return
        self.flush()
        if self._is_write_paused:
            self._pause_reading()
        elif self._is_read_paused:
            self._resume_reading()
        if not self._is_closing and not self._in_receive:
            self._set_deadline()
            if self._half_closed or self._context.is_stopping:
                self._close(False)

    def _is_clogged(self) -> bool:
        return bool(self._transport.get_write_buffer_size() > self._context.write_high_water)

    def _collect(self) -> None:
        """Keep a pipelined answer for the write at the end of this turn or a later one."""
        pieces = self._engine.data_to_send()
        if self._pipelined is None:
            self._pipelined = pieces
        else:
            self._pipelined.extend(pieces)
        for piece in pieces:
            self._pipelined_octets += len(piece)
        if self._pipelined_octets >= _PIPELINE_OCTETS:
            self._write_out()
        elif not self._turns:
            self._turns = 1
        self.hold()

    def consume(self, octets: int) -> None:
        """See Outlet."""
        if octets:
            self._unconsumed -= octets
            if self._is_read_paused:
                self._read_on()
            return
        if self._awaits_continue:  # from now on it is the client that keeps the application waiting
            self._awaits_continue = False
            self._body_started = self._context.now
            self._set_deadline()
        self.flush()

    def _read_on(self) -> None:
        if self._unconsumed * 2 <= self._context.read_high_water and not (
            self._is_write_paused and self._cycle is None
        ):
            self._resume_reading()

    def drain(self) -> asyncio.Future[Any]:
        """See Outlet."""
        future = self._context.loop.create_future()
        if self._is_write_paused and self._transport is not None:
            if self._drains is None:
                self._drains = []
            self._drains.append(future)
        else:
            future.set_result(None)
        return future

    async def send_file(self, descriptor: int, offset: int, count: int) -> int:
        """See Outlet: inside the kernel on a plain connection, through the transport over TLS."""
        transport = self._transport
        if transport is None:
            return 0
        if self._tls is not None:
            return await copy_file(self, transport, descriptor, offset, count)
        context = self._context
        # The kernel writes behind what the transport still has: wait until that is nothing.
        transport.set_write_buffer_limits(0, 0)
        try:
            await self.drain()
            if self._transport is None:
                return 0
            return await send_file(context.loop, transport, descriptor, offset, count, context.timeout_write)
        except TimeoutError:
            context.telemetry.emit("limit_reached", option="timeout_write", client=self._client_text())
            self._drop_cycle("timeout (timeout_write)")
            transport.abort()
            return 0
        except ConnectionError as error:
            self._drop_cycle(f"connection lost: {error}")
            transport.abort()
            return 0
        finally:
            if self._transport is not None:
                transport.set_write_buffer_limits(context.write_high_water, context.write_low_water)

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


def _expects_continue(request: RequestReceived) -> bool:
    """True when the client waits for 100 (Continue) before it sends content (RFC 9110 section 10.1.1)."""
    if request.http_version != "1.1":
        return False
    return any(name == b"expect" for name, _ in request.headers)
