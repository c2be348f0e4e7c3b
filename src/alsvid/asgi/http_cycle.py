"""One run of the application for one HTTP request, whatever HTTP version carries it.

    awaits    nothing sent yet:  http.response.start, or http.response.early_hint
      | start
    answers   http.response.body, .pathsend, .zerocopysend, .early_hint
      | last content                     | last content, trailers announced
    answered                           trailing   http.response.trailers -> answered

`http.disconnect` is what receive() gives once the client has gone or the answer is complete; send() after the
client has gone raises OSError. Whatever the application does wrong ends in one of three ways: 500 while no
head has left, a visible truncation after that, a line in the log in either case.
"""

from __future__ import annotations

import asyncio
import os
import stat
from collections.abc import Awaitable
from time import perf_counter
from typing import Any

from alsvid.asgi.awaitables import DONE, Failed
from alsvid.asgi.results import result_of
from alsvid.asgi.service import Service
from alsvid.asgi.stream import Stream
from alsvid.asgi.types import ClientDisconnected, Message
from alsvid.errors import LocalProtocolError

_done = DONE
_result_of = result_of

_awaits = 0
_answers = 1
_trailing = 2
_answered = 3
_sending = 4

_STAGES = (
    "before the answer",
    "during the answer",
    "before the trailers",
    "after the answer",
    "during a file",
)

# How far the causes of an error are followed.
_MOST_CAUSES = 16

# Small pieces that wait for the application are joined up to this size; larger ones are passed on.
_JOIN = 65536


class HttpCycle:
    """See the module's text. Is what `request_finished` subscribers read (alsvid.observability.telemetry)."""

    __slots__ = (
        "_asked_to_stop",
        "_body_ended",
        "_body_given",
        "_chunks",
        "_gone",
        "_queued",
        "_reported",
        "_returned",
        "_service",
        "_state",
        "_stream",
        "_trailers",
        "_waiters",
        "_with_trailers",
        "complete",
        "finished",
        "response_headers",
        "response_octets",
        "scope",
        "started",
        "status",
        "task",
    )

    def __init__(self, service: Service, stream: Stream, scope: dict[str, Any], body_ended: bool) -> None:
        self._set_up(service, stream, scope, body_ended)

    def _set_up(self, service: Service, stream: Stream, scope: dict[str, Any], body_ended: bool) -> None:
        self._service = service
        self._stream: Stream | None = stream
        self.scope = scope
        self.task: asyncio.Task[None] | None = None
        self._state = _awaits
        self._chunks: list[bytes] | None = None
        self._queued = 0
        self._body_ended = body_ended
        self._body_given = False
        self._gone = ""  # why there is nobody to answer any more, or ""
        self._waiters: list[asyncio.Future[None]] | None = None
        self._with_trailers = False
        self._trailers: list[Any] | None = None
        self._asked_to_stop = False
        self._reported = False
        self._returned = False
        self.status = 0
        self.response_headers: Any = None
        self.response_octets = 0
        self.started = perf_counter() if service.timed else 0.0
        self.finished = 0.0
        self.complete = False

    def start(self, eager: bool) -> None:
        """Run the application; the content delivered so far is at hand for its first receive().

        `eager`: its first steps may be done before this returns.
        """
        service = self._service
        service.cycles.add(self)
        task = service.spawn(self._run(), eager)
        if not self._returned:  # the loop holds tasks weakly; an eager one may have ended already
            self.task = task

    # --- from the connection ------------------------------------------------------------------------------

    def deliver_data(self, data: bytes, end_stream: bool) -> None:
        """Content has arrived."""
        if data:
            if self._chunks is None:
                self._chunks = [data]
            else:
                self._chunks.append(data)
            self._queued += len(data)
        if end_stream:
            self._body_ended = True
        if self._waiters is not None:
            self._wake()

    def deliver_disconnect(self, reason: str) -> None:
        """Nobody is there to answer any more (client gone, protocol error) or the server stops."""
        if not self._gone:
            self._gone = reason
            if self._state != _answered:
                self._report()
        if self._waiters is not None:
            self._wake()

    def ask_to_stop(self) -> None:
        """Give `http.disconnect` to the application while it can still answer: the server is stopping."""
        self._asked_to_stop = True
        if self._waiters is not None:
            self._wake()

    def is_endless(self) -> bool:
        """True for an answer that never ends by itself: Server-Sent Events."""
        if self._state != _answers:
            return False
        for name, value in self.response_headers:
            if name.lower() == b"content-type" and value.lower().startswith(b"text/event-stream"):
                return True
        return False

    def _wake(self) -> None:
        waiters = self._waiters
        self._waiters = None
        for waiter in waiters:  # type: ignore[union-attr]
            if not waiter.done():
                waiter.set_result(None)

    # --- the application's two callables ------------------------------------------------------------------

    def receive(self) -> Awaitable[Message]:
        """ASGI receive: `http.request` while content is left, then `http.disconnect`."""
        if self._is_ready():
            return _result_of(self._next_message())
        return self._receive_later()

    def _is_ready(self) -> bool:
        if self._gone or self._state == _answered or self._asked_to_stop:
            return True
        if self._body_given:
            return False
        return self._chunks is not None or self._body_ended

    def _next_message(self) -> dict[str, Any]:
        if self._body_given or self._state == _answered or (self._chunks is None and not self._body_ended):
            return {"type": "http.disconnect"}
        if self._gone and not self._body_ended:
            return {"type": "http.disconnect"}
        body = b""
        chunks = self._chunks
        if chunks is not None:
            if len(chunks) == 1:
                body = chunks[0]
                self._chunks = None
            elif self._queued <= _JOIN:
                body = b"".join(chunks)
                self._chunks = None
            else:
                body = self._take_chunks(chunks)
            n = len(body)
            self._queued -= n
            if self._stream is not None:
                self._stream.consume(n)
        more = not self._body_ended or self._chunks is not None
        if not more:
            self._body_given = True
        return {"type": "http.request", "body": body, "more_body": more}

    def _take_chunks(self, chunks: list[bytes]) -> bytes:
        """Take the first chunk, and those behind it that fit with it into _JOIN octets."""
        k = 1
        size = len(chunks[0])
        while k < len(chunks) and size + len(chunks[k]) <= _JOIN:
            size += len(chunks[k])
            k += 1
        body = chunks[0] if k == 1 else b"".join(chunks[:k])
        del chunks[:k]
        if not chunks:
            self._chunks = None
        return body

    async def _receive_later(self) -> Message:
        if self._stream is not None and not self._body_given:
            self._stream.consume(0)
        while not self._is_ready():
            waiter = self._service.loop.create_future()
            if self._waiters is None:
                self._waiters = []
            self._waiters.append(waiter)
            try:
                await waiter
            except BaseException:
                # Cancelled: who asks again and again with a timeout must not pile them up.
                if self._waiters is not None and waiter in self._waiters:
                    self._waiters.remove(waiter)
                raise
        return self._next_message()

    def send(self, message: Message) -> Awaitable[None]:
        """ASGI send. Errors of the application are raised where it awaits."""
        try:
            if self._gone:
                return self._refuse(message)
            if type(message) is not dict:
                message = dict(message)
            kind = message["type"]
            if self._state == _answers:
                if kind == "http.response.body":
                    return self._send_body(message)
                return self._send_other(kind, message)
            if self._state == _awaits:
                if kind == "http.response.start":
                    return self._send_start(message)
                if kind == "http.response.early_hint":
                    return self._send_hint(message)
                raise LocalProtocolError(f"expected http.response.start, the application sent {kind!r}")
            if self._state == _trailing:
                return self._send_trailers(kind, message)
            if self._state == _sending:
                raise LocalProtocolError(
                    f"a file is still being sent, the application sent {kind!r} meanwhile"
                )
            raise LocalProtocolError(f"the answer is complete, the application sent {kind!r} after it")
        except Exception as error:
            return Failed(_explained(error, message))

    def _refuse(self, message: Message) -> Awaitable[None]:
        return Failed(ClientDisconnected(f"the client has gone ({self._gone})"))

    def _send_start(self, message: Message) -> Awaitable[None]:
        status = message["status"]
        headers = message.get("headers", ())
        if type(status) is not int:
            status = _checked_status(status)
        stream = self._stream
        if message.get("trailers", False):
            self._with_trailers = True
            self._trailers = [] if stream.expect_trailers() else None  # type: ignore[union-attr]
        if type(headers) is not list and type(headers) is not tuple:
            headers = list(headers)  # it is read again by the log
        stream.send_headers(status, headers)  # type: ignore[union-attr]
        self.status = status
        self.response_headers = headers
        self._state = _answers
        return _done

    def _send_body(self, message: Message) -> Awaitable[None]:
        body = message.get("body", b"")
        more = message.get("more_body", False)
        if type(body) is not bytes:
            body = _checked_body(body)
        stream = self._stream
        self.response_octets += len(body)
        if more:
            stream.send_data(body, False)  # type: ignore[union-attr]
        elif self._with_trailers:
            stream.send_data(body, self._trailers is None)  # type: ignore[union-attr]
            self._state = _trailing
            if self._trailers is None:
                self._stream = None
        else:
            stream.send_data(body, True)  # type: ignore[union-attr]
            self._end()
            return _done
        if stream.is_paused:  # type: ignore[union-attr]
            return self._drain(stream)  # type: ignore[arg-type]
        return _done

    async def _drain(self, stream: Stream) -> None:
        if stream.is_paused:
            await stream.drain()
        if self._gone:
            raise ClientDisconnected(f"the client has gone ({self._gone})")

    def _send_other(self, kind: Any, message: Message) -> Awaitable[None]:
        if kind == "http.response.pathsend":
            return self._send_path(message)
        if kind == "http.response.zerocopysend":
            return self._send_descriptor(message)
        if kind == "http.response.early_hint":
            return self._send_hint(message)
        if kind == "http.response.start":
            raise LocalProtocolError("http.response.start was sent twice")
        raise LocalProtocolError(f"expected http.response.body, the application sent {kind!r}")

    def _send_hint(self, message: Message) -> Awaitable[None]:
        links = [(b"link", link) for link in message["links"]]
        self._stream.send_informational(103, links)  # type: ignore[union-attr]
        return _done

    def _send_trailers(self, kind: Any, message: Message) -> Awaitable[None]:
        if kind != "http.response.trailers":
            raise LocalProtocolError(f"expected http.response.trailers, the application sent {kind!r}")
        if self._trailers is not None:
            self._trailers.extend(message.get("headers", ()))
        if not message.get("more_trailers", False):
            if self._trailers is not None:
                self._stream.send_trailers(self._trailers)  # type: ignore[union-attr]
            self._end()
        return _done

    async def _send_path(self, message: Message) -> None:
        """`http.response.pathsend`: the file is the whole content."""
        path = message.get("path")
        if not isinstance(path, str | os.PathLike):
            raise LocalProtocolError(f"path must be str, not {type(path).__name__}")
        # Without O_NONBLOCK a named pipe would hold up the loop.
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        try:
            about = os.fstat(descriptor)
            if not stat.S_ISREG(about.st_mode):
                raise OSError(f"{path!r} is not a regular file")
            if self._state == _answers and self._stream is not None:
                self._stream.declare_length(about.st_size)
            await self._send_file(descriptor, 0, about.st_size, True)
        finally:
            os.close(descriptor)

    async def _send_descriptor(self, message: Message) -> None:
        """`http.response.zerocopysend`: a piece of an open file, between other content."""
        file: Any = message.get("file")
        if not isinstance(file, int) and not hasattr(file, "fileno"):
            raise LocalProtocolError(
                f"file must be an open file or its descriptor, not {type(file).__name__}"
            )
        descriptor = file if isinstance(file, int) else file.fileno()
        given = message.get("offset")
        offset = os.lseek(descriptor, 0, os.SEEK_CUR) if given is None else _checked_count("offset", given)
        count = message.get("count")
        if count is None:
            count = max(0, os.fstat(descriptor).st_size - offset)
        else:
            count = _checked_count("count", count)
        await self._send_file(descriptor, offset, count, not message.get("more_body", False))
        if given is None:
            # Without an offset the file is read from its position, and that moves on as in read(2).
            os.lseek(descriptor, offset + count, os.SEEK_SET)

    async def _send_file(self, descriptor: int, offset: int, count: int, last: bool) -> None:
        stream = self._stream
        if self._gone:
            raise ClientDisconnected(f"the client has gone ({self._gone})")
        if self._state != _answers or stream is None:
            raise LocalProtocolError("a file was sent while another one, or after the answer's end")
        ends = last and not self._with_trailers
        self._state = _sending
        try:
            self.response_octets += await stream.send_file(descriptor, offset, count, ends)
        except LocalProtocolError:
            raise
        except BaseException as error:
            self._cut_short(error)
            raise
        finally:
            self._state = _answers
        if self._gone:
            raise ClientDisconnected(f"the client has gone ({self._gone})")
        if ends:
            self._end()
        elif last:
            await self._send_body({"type": "http.response.body", "body": b"", "more_body": False})

    # --- the end -----------------------------------------------------------------------------------------

    def _end(self) -> None:
        """The answer is complete; the application may go on (background tasks)."""
        self._state = _answered
        self._stream = None
        self.complete = True
        self._report()
        if self._waiters is not None:
            self._wake()

    def _report(self) -> None:
        if self._reported:
            return
        self._reported = True
        if self._service.timed:
            self.finished = perf_counter()
            for subscriber in self._service.telemetry.request_finished:
                subscriber(self)

    def _cut_short(self, error: BaseException) -> None:
        """A file failed in the middle: the stream has been reset, the application can send nothing more."""
        if not self._gone:
            self._emit_error(error)
            self._gone = "a file could not be sent to its end"
            self._report()

    async def _run(self) -> None:
        try:
            await self._service.application(self.scope, self.receive, self.send)
        except BaseException as error:
            # BaseException: SystemExit or KeyboardInterrupt raised by one request must not end all others.
            self._fail(error)
        self._finish()

    def _finish(self) -> None:
        """The application has returned: what it owes is settled, and no reference is left to this cycle."""
        if self._state != _answered and not self._gone:
            if self._asked_to_stop and self._state != _awaits:
                self._end_by_stop()
            elif self._state == _awaits:
                self._fail(LocalProtocolError("the application returned without sending http.response.start"))
            elif self._state == _trailing:
                self._fail(
                    LocalProtocolError("the application returned without sending http.response.trailers")
                )
            else:
                text = "the application returned without completing the content (more_body was True)"
                self._fail(LocalProtocolError(text))
        self._returned = True
        service = self._service
        service.cycles.discard(self)
        if service.when_idle is not None and not service.cycles:
            service.when_idle()
        self._stream = None
        self.task = None
        self._chunks = None

    def _fail(self, error: BaseException) -> None:
        """Log an error of the application, and answer 500 or cut the answer short."""
        if self._gone and _is_farewell(error):
            # It was told that the client has gone, and stopped: nothing went wrong here.
            self._service.telemetry.emit("client_disconnected", scope=self.scope, reason=self._gone)
            return
        if not (self._asked_to_stop and isinstance(error, asyncio.CancelledError)):
            self._emit_error(error)
        if self._state == _answered or self._gone:
            return
        stream = self._stream
        if stream is not None and stream.withdraw():
            self._answer_error(stream)
        else:
            if stream is not None:
                stream.reset()
            self._gone = "application error"
            self._report()

    def _emit_error(self, error: BaseException) -> None:
        stage = _STAGES[self._state]
        self._service.telemetry.emit("application_error", scope=self.scope, exception=error, stage=stage)

    def _end_by_stop(self) -> None:
        """The server stops and the application has obeyed: an endless answer ends well, others are cut."""
        stream = self._stream
        if stream is None:
            return
        if self._state == _answers and self.is_endless():
            try:
                stream.send_data(b"", True)
            except LocalProtocolError:
                stream.reset()
            self._end()
            return
        stream.reset()
        self._gone = "the server stops"
        self._report()

    def _answer_error(self, stream: Stream) -> None:
        is_stop = self._asked_to_stop
        status = 503 if is_stop else 500
        text = b"Service Unavailable" if is_stop else b"Internal Server Error"
        self._trailers = None
        headers = [(b"content-type", b"text/plain; charset=utf-8")]
        stream.send_headers(status, headers)
        self.status = status
        self.response_headers = headers
        self.response_octets = len(text)
        stream.send_data(text, True)
        self._end()


def new_cycle(service: Service, stream: Stream, scope: dict[str, Any], body_ended: bool) -> HttpCycle:
    """Make a cycle without the call of a constructor, which parses arguments even where compiled."""
    cycle = HttpCycle.__new__(HttpCycle)
    cycle._set_up(service, stream, scope, body_ended)
    return cycle


def _checked_status(status: Any) -> int:
    if isinstance(status, int) and not isinstance(status, bool):
        return int(status)  # http.HTTPStatus
    raise LocalProtocolError(f"status must be int, not {type(status).__name__}: {status!r}")


def _checked_count(name: str, value: Any) -> int:
    if isinstance(value, int) and value >= 0:
        return int(value)
    raise LocalProtocolError(f"{name} must be an int that is not negative, not {value!r}")


def _is_farewell(error: BaseException) -> bool:
    """True when the error, or what led to it, is only the news that the client has gone."""
    cause: BaseException | None = error
    for _ in range(_MOST_CAUSES):
        if cause is None:
            return False
        if isinstance(cause, OSError | asyncio.CancelledError):
            return True
        if isinstance(cause, BaseExceptionGroup):
            return all([_is_farewell(each) for each in cause.exceptions])  # noqa: C419  (no closures here)
        cause = cause.__cause__ or cause.__context__
    return False


def _checked_body(body: Any) -> bytes:
    if isinstance(body, bytes | bytearray | memoryview):
        return bytes(body)
    raise LocalProtocolError(f"body must be bytes, not {type(body).__name__}")


def _explained(error: Exception, message: Any) -> Exception:
    """Name what was expected where a message has the wrong shape."""
    if isinstance(error, LocalProtocolError | OSError):
        return error
    if isinstance(error, KeyError):
        kind = message.get("type", "?") if isinstance(message, dict) else "?"
        return LocalProtocolError(f"the message {kind!r} lacks the key {error.args[0]!r}")
    if isinstance(error, TypeError | AttributeError | ValueError | OverflowError):
        return LocalProtocolError(
            f"the message has a value of a wrong type: {error}; got {str(message)[:500]}"
        )
    return error
