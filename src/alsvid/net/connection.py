"""One accepted connection: the object that asyncio calls, between a transport and an engine.

Owns the way in, the one write a turn and the one cycle that is under way; its deadlines and its end are in
alsvid.net.lifetime. Must not know how a message is framed (the engine does) nor what the application says
(the cycle does).

    data_received -> engine.receive_data -> events -> cycle.deliver_*
    cycle -> stream -> engine.send_* -> end_answer / flush -> engine.data_to_send -> transport.write
"""

from __future__ import annotations

import asyncio
from typing import Any

from alsvid.asgi.http_cycle import HttpCycle, new_cycle
from alsvid.asgi.scope import http_scope
from alsvid.net.lifetime import Lifetime
from alsvid.net.sendfile import copy_file, send_file
from alsvid.net.streams import ConnectionStream, new_stream
from alsvid.protocol.events import (
    DATA_RECEIVED,
    REQUEST_RECEIVED,
    DataReceived,
    Event,
    Fault,
    RequestReceived,
)
from alsvid.protocol.phases import ANSWER, IDLE, SHUT

_request_received = REQUEST_RECEIVED
_data_received = DATA_RECEIVED
_idle = IDLE
_answer = ANSWER
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

# Beyond the connection cap so many may linger: no flood of refused clients holds more than that.
_LINGERING_REFUSED = 64

# A connection that is accepted while the server stops has so long to send its request.
_LATE_HEAD_S = 1.0


class Connection(Lifetime):
    """See the module's text."""

    __slots__ = ()

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
        if n and self._stream is not None and self._transport.is_closing() and not self._is_closing:
            # A write that fails is told by connection_lost, a turn later; until then the transport drops what
            # it gets without a word. The application must wait, or it would stream to nobody for ever.
            self._is_write_paused = True
            self._stream.is_paused = True

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
            if self._transport is None or transport.is_closing():
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


def _expects_continue(request: RequestReceived) -> bool:
    """True when the client waits for 100 (Continue) before it sends content (RFC 9110 section 10.1.1)."""
    if request.http_version != "1.1":
        return False
    return any(name == b"expect" for name, _ in request.headers)
