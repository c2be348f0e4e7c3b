"""State machine of one HTTP/1.1 connection, server side (RFC 9112), sans I/O.

Two halves run side by side, and a stream is over when both are:

    request   HEAD -> CONTENT -> TAKEN                 octets behind it wait, unparsed, for the next stream
    answer    NONE -> HELD (head, waiting for content) -> OPEN -> [TRAILERS] -> ENDED

    both over, may persist      -> HEAD of the next stream
    both over, must not persist -> CLOSED              close_expected
    answer over, content is not -> DISCARD, bounded, then HEAD of the next stream, or CLOSED
    peer broke a rule           -> CLOSED              error answer if no head left; close_expected and
                                                       discard_expected

Pipelined requests are parsed one at a time: the octets of the next wait until the answer has ended, so that
answers are in order by construction and a request behind a bad one does not exist (RFC 9112 section 9.3.2).
"""

from __future__ import annotations

from alsvid.errors import LocalProtocolError, RemoteProtocolError
from alsvid.protocol.engine import Engine, Headers
from alsvid.protocol.events import DataReceived, Event, Fault, new_request
from alsvid.protocol.http1.body import ChunkedDecoder
from alsvid.protocol.http1.framing import CHUNKED, LENGTH, NO_BODY, UNTIL_CLOSE
from alsvid.protocol.http1.head import HeadParser
from alsvid.protocol.http1.limits import Limits, too_large_content
from alsvid.protocol.http1.writer import HeadWriter
from alsvid.protocol.phases import ANSWER, CONTENT, DISCARD, HEAD, IDLE, SHUT

_no_body = NO_BODY
_length = LENGTH
_chunked = CHUNKED
_until_close = UNTIL_CLOSE

_idle = IDLE
_head = HEAD
_content = CONTENT
_answer = ANSWER
_discard = DISCARD
_shut = SHUT

# The answer's half
_none = 0
_held = 1
_open = 2
_trailers = 3
_ended = 4


class Http1Engine(Engine):
    """See the module's text; `phase` tells what the connection waits for (alsvid.protocol.phases)."""

    __slots__ = (
        "_answer",
        "_answer_body",
        "_answer_left",
        "_at_eof",
        "_body",
        "_chunks",
        "_close",
        "_expect_continue",
        "_held_head",
        "_is_bodiless_status",
        "_is_head",
        "_limits",
        "_minor",
        "_out",
        "_parser",
        "_received",
        "_request_left",
        "_rest",
        "_stream_id",
        "_unread",
        "_waiting",
        "_waiting_at",
        "_waiting_size",
        "_with_trailers",
        "_writer",
    )

    def __init__(self, limits: Limits, writer: HeadWriter) -> None:
        self.close_expected = False
        self.discard_expected = False
        self.is_cut = False
        self.phase = _idle
        self._limits = limits
        self._writer = writer
        self._parser = HeadParser(limits)
        self._chunks: ChunkedDecoder | None = None  # made for the first chunked body
        self._out: list[bytes] = []
        self._rest = b""  # an unfinished line
        self._waiting: list[bytes] = []  # octets behind the current request, in order
        self._waiting_at = 0  # where in the first piece they begin
        self._waiting_size = 0
        self._at_eof = False  # the peer has sent all; requests that wait are still to be served
        self._stream_id = 0
        self._close = False
        self._minor = 1
        self._is_head = False
        self._expect_continue = False
        self._body = _no_body
        self._request_left = 0
        self._received = 0  # content octets of this request
        self._unread = 0  # of them, those dropped after the answer
        self._answer = _ended
        self._answer_body = _no_body
        self._answer_left = 0
        self._held_head = b""
        self._with_trailers = False
        self._is_bodiless_status = False

    # --- in ---------------------------------------------------------------------------------------------

    def receive_data(self, data: bytes) -> list[Event]:
        """See Engine. Octets after the end of the current request are kept until its answer has ended."""
        if self.phase == _answer:
            if data:
                self._waiting.append(data)
                self._waiting_size += len(data)
            return []
        pos = 0
        if self._waiting_size:
            if data:
                self._waiting.append(data)
            # Fast because what waits is neither cut nor copied for each request of a pipeline.
            data = self._waiting[0] if len(self._waiting) == 1 else b"".join(self._waiting)
            pos = self._waiting_at
            self._waiting_at = 0
            self._waiting = []
            self._waiting_size = 0
        elif self._rest:
            data = self._rest + data
            self._rest = b""
        events: list[Event] = []
        if self.phase == _shut or not data:
            return events
        try:
            self._advance(data, pos, events)
        except RemoteProtocolError as error:
            self._fault(error, events)
        if self._at_eof and self.phase != _answer and self.phase != _shut:
            events.extend(self.receive_eof())
        return events

    def waiting_octets(self) -> int:
        """See Engine."""
        return self._waiting_size

    def receive_eof(self) -> list[Event]:
        """See Engine: a request cut short by the end of the connection is a Fault of its stream."""
        events: list[Event] = []
        if self.phase == _answer:
            self._at_eof = True
            if not self._waiting_size:
                self._close = True
            return events
        if self.phase == _content:
            message = "the connection ended inside the content (RFC 9112 section 8)"
            events.append(Fault(self._stream_id, 400, message, ""))
            self._cut_answer(False)
        elif self.phase != _shut:
            self._shut_down(False)
        return events

    def _advance(self, data: bytes, pos: int, events: list[Event]) -> None:
        """Parse data[pos:] as far as it and the state allow; what is left over goes to _rest or _waiting."""
        n = len(data)
        while pos < n:
            if self.phase <= _head:
                self.phase = _head
                at = self._parser.parse(data, pos)
                if at < 0:
                    self._rest = data[self._parser.rest :]
                    if not self._parser.is_started() and (not self._rest or self._rest == b"\r"):
                        self.phase = _idle  # empty lines only
                    return
                pos = at
                self._begin_stream(events)
                if self._at_eof and pos >= n:
                    self._close = True
            elif self.phase == _answer:
                self._waiting.append(data)
                self._waiting_at = pos
                self._waiting_size = n - pos
                return
            elif self.phase == _shut:
                return
            elif self._body == _length:
                pos = self._take_content(data, pos, events)
            else:
                at = self._take_chunks(data, pos, events)
                if at < 0:
                    return
                pos = at

    def _begin_stream(self, events: list[Event]) -> None:
        parser = self._parser
        self._stream_id += 1
        self._minor = parser.minor
        self._body = parser.body
        self._is_head = parser.is_head
        self._expect_continue = parser.expect_continue
        if parser.close:
            self._close = True
        self._answer = _none
        self._received = 0
        self._unread = 0
        self._with_trailers = False
        is_bare = self._body == _no_body
        event = new_request(self._stream_id, parser.method, parser.target, parser.headers, is_bare)
        event.query_at = parser.query_at
        event.escaped = parser.escaped
        event.forwarded = parser.forwarded
        event.upgrade = parser.upgrade
        if parser.minor == 0:
            event.http_version = "1.0"
        events.append(event)
        if is_bare:
            self.phase = _answer
            return
        self.phase = _content
        if self._body == _length:
            self._request_left = parser.content_length
            return
        if self._chunks is None:
            self._chunks = ChunkedDecoder(self._limits)
        self._chunks.begin()

    def _take_content(self, data: bytes, pos: int, events: list[Event]) -> int:
        """Take content of known length; returns the position behind it."""
        n = len(data) - pos
        if n > self._request_left:
            n = self._request_left
        # Fast because a read that is content altogether is passed on as it is.
        piece = data if n == len(data) else data[pos : pos + n]
        self._request_left -= n
        self._received += n
        self._take(piece, self._request_left == 0, events)
        return pos + n

    def _take_chunks(self, data: bytes, pos: int, events: list[Event]) -> int:
        """Take chunk lines, data, trailers; returns the position behind the body, or -1 when all is taken."""
        chunks: ChunkedDecoder = self._chunks  # type: ignore[assignment]  # made by _begin_stream
        n = len(data)
        pieces: list[bytes] = []
        ended = False
        try:
            while True:
                k = chunks.remaining
                if k:
                    if pos >= n:
                        break
                    if k > n - pos:
                        k = n - pos
                    pieces.append(data[pos : pos + k])
                    chunks.remaining -= k
                    self._received += k
                    pos += k
                    continue
                if chunks.last:
                    at = self._parser.parse(data, pos)
                    if at < 0:
                        self._rest = data[self._parser.rest :]
                    else:
                        pos = at
                        ended = True
                    break
                at = chunks.parse_line(data, pos)
                if at < 0:
                    self._rest = data[pos:]
                    break
                pos = at
                k = chunks.remaining
                if k == 0:
                    self._parser.begin_trailers()
                elif self._limits.body and self._received + k > self._limits.body:
                    raise too_large_content()
        finally:
            # What came before a broken chunk is content all the same: split or whole, it is delivered.
            if pieces:
                self._take(pieces[0] if len(pieces) == 1 else b"".join(pieces), False, events)
        if not ended:
            return -1
        if self.phase != _shut:
            self._take(b"", True, events)
        return pos

    def _take(self, piece: bytes, ended: bool, events: list[Event]) -> None:
        """Hand content up, or drop it when the answer is over."""
        if self.phase == _discard:
            self._unread += len(piece)
            if self._unread > self._limits.unread_body:
                self._shut_down(True)
            elif ended:
                self._end_stream()
            return
        if ended:
            self.phase = _answer
            if not piece and events and isinstance(events[-1], DataReceived):
                events[-1].end_stream = True
                return
        events.append(DataReceived(self._stream_id, piece, ended))

    def _fault(self, error: RemoteProtocolError, events: list[Event]) -> None:
        """The peer broke a rule: answer if nothing was answered, read nothing more from this connection."""
        if self.phase >= _discard:
            # The answer is complete, and the application is gone: there is nobody to tell.
            self._shut_down(True)
            return
        stream_id = self._stream_id if self.phase == _content else 0
        if stream_id == 0:
            self._is_head = self._parser.is_head
            self._answer = _none
        message = str(error)
        if self._answer <= _held:
            self._held_head = b""
            self._out.append(self._writer.write_error(error.status, message, self._is_head))
        self._cut_answer(True)
        events.append(Fault(stream_id, error.status, message, error.limit))

    def _cut_answer(self, linger: bool) -> None:
        """End the answer where it is; without a length only a reset shows that: no lingering then."""
        self.is_cut = self._answer == _open and self._answer_body == _until_close
        self._held_head = b""
        self._answer = _ended
        self._shut_down(linger and not self.is_cut)

    # --- out --------------------------------------------------------------------------------------------

    def _is_current(self, stream_id: int, wanted: int) -> bool:
        return stream_id == self._stream_id and self._answer == wanted

    def send_headers(self, stream_id: int, status: int, headers: Headers, end_stream: bool) -> None:
        """See Engine. The head is held until content, `flush_headers` or the end decides how it is framed."""
        if stream_id != self._stream_id or self._answer != _none:
            raise LocalProtocolError("an answer was begun twice, or after its stream had ended")
        if status < 200:
            raise LocalProtocolError(f"status {status} is interim, not final (RFC 9110 section 15.2)")
        head = self._writer.write(status, headers)
        declared = self._writer.length
        if self._writer.close:
            self._close = True
        # RFC 9110 section 6.4.1: HEAD, 204 and 304 have no content whatever the fields say
        if status == 204 or status == 304 or self._is_head:
            self._answer_body = _no_body
            if status == 204:
                declared = -1  # RFC 9110 section 8.6: "MUST NOT send a Content-Length" with 204
        elif self._with_trailers and self._minor == 1:
            self._answer_body = _chunked  # RFC 9112 section 7.1.2: only the chunked coding has trailers
        elif declared >= 0:
            self._answer_body = _length
        elif self._minor == 1:
            self._answer_body = _chunked
        else:
            self._answer_body = _until_close
        self._answer_left = declared
        self._held_head = head
        self._answer = _held
        self._is_bodiless_status = status == 204 or status == 304
        if end_stream:
            self.send_data(stream_id, b"", True)

    def send_data(self, stream_id: int, data: bytes, end_stream: bool) -> None:
        """See Engine. The first call lets the head go, with its content in the same piece."""
        if stream_id != self._stream_id:
            raise LocalProtocolError("content after the end of its stream")
        n = len(data)
        if self._answer == _held:
            if end_stream and not self._with_trailers:
                self._send_whole(data, n)
                return
            self._check_left(n, end_stream)
            self._release_head()
        elif self._answer != _open:
            raise LocalProtocolError("content before the answer's head, or after its end")
        else:
            self._check_left(n, end_stream)
        if n:
            self._send_piece(data, n)
        if end_stream:
            if self._with_trailers:
                self._answer = _trailers
                return
            if self._answer_body == _chunked:
                self._out.append(b"0\r\n\r\n")
            self._end_answer()

    def _check_left(self, n: int, end_stream: bool) -> None:
        """Content and Content-Length must agree: RFC 9110 section 8.6."""
        if self._answer_body != _length:
            return
        if n > self._answer_left:
            raise LocalProtocolError(f"content exceeds content-length by {n - self._answer_left} octets")
        if end_stream and n < self._answer_left:
            raise LocalProtocolError(
                f"content falls short of content-length by {self._answer_left - n} octets"
            )

    def _send_whole(self, data: bytes, n: int) -> None:
        """An answer in one message: it has a Content-Length, and leaves in one piece."""
        body = self._answer_body
        if body == _length:
            self._check_left(n, True)
        else:
            if self._answer_left >= 0:
                n = self._answer_left  # of HEAD and 304: what the application declared
            if body != _no_body:
                self._answer_body = _length
                self._answer_left = n
        if self._answer_left < 0 and (self._is_bodiless_status or (self._is_head and n == 0)):
            # 204 and 304; or HEAD and nothing that would tell the length of what GET returns
            framing = b"\r\n"
        else:
            framing = self._writer.framing(n)
        head = self._held_head
        self._held_head = b""
        self._decide_close()
        if self._close:
            head = head + b"connection: close\r\n"
        elif self._minor == 0:
            head = head + b"connection: keep-alive\r\n"
        if body == _no_body:
            self._out.append(head + framing)
        elif len(data) <= 65536:
            self._out.append(b"".join((head, framing, data)))
        else:
            self._out.append(head + framing)
            self._out.append(data)
        self._end_answer()

    def _release_head(self) -> None:
        """Finish the held head for content that is not complete yet, and queue it."""
        body = self._answer_body
        if body == _until_close:
            self._close = True
        self._decide_close()
        if self._close:
            framing = b"connection: close\r\n"
        elif self._minor == 0:
            framing = b"connection: keep-alive\r\n"
        else:
            framing = b""
        if body == _chunked:
            framing += b"transfer-encoding: chunked\r\n\r\n"
        elif body == _length or (body == _no_body and self._answer_left >= 0):
            framing += self._writer.framing(self._answer_left)
        elif body == _no_body and not self._is_bodiless_status and self._minor == 1:
            framing += b"transfer-encoding: chunked\r\n\r\n"  # HEAD: what GET would say
        else:
            framing += b"\r\n"
        self._out.append(self._held_head + framing)
        self._held_head = b""
        self._answer = _open

    def _decide_close(self) -> None:
        """RFC 9112 section 9.6: say `close` when content that nobody will read is too much to drop."""
        if self.phase == _content:
            if self._expect_continue and self._received == 0:
                # The client may send the content or not; there is no telling where the next request begins.
                self._close = True
            elif self._body == _length and self._request_left > self._limits.unread_body:
                self._close = True

    def _send_piece(self, data: bytes, n: int) -> None:
        body = self._answer_body
        if body == _length:
            self._answer_left -= n
            self._out.append(data)
        elif body == _chunked:
            # RFC 9112 section 7.1
            if n <= 16384:
                self._out.append(b"%x\r\n%b\r\n" % (n, data))
            else:
                self._out.append(b"%x\r\n" % n)
                self._out.append(data)
                self._out.append(b"\r\n")
        elif body == _until_close:
            self._out.append(data)

    def expect_trailers(self, stream_id: int) -> bool:
        """See Engine. RFC 9110 section 6.5.1: only to a client that says `TE: trailers`, on HTTP/1.1."""
        if not self._is_current(stream_id, _none) or self._is_head or self._minor == 0:
            return False
        self._with_trailers = self._parser.accepts_trailers
        return self._with_trailers

    def send_trailers(self, stream_id: int, headers: Headers) -> None:
        """See Engine."""
        if not self._is_current(stream_id, _trailers):
            raise LocalProtocolError("trailers were not announced, or the content has not ended")
        lines = self._writer.write_trailers(headers)
        if self._answer_body == _chunked:
            self._out.append(b"0\r\n" + lines + b"\r\n")
        self._end_answer()

    def send_informational(self, stream_id: int, status: int, headers: Headers) -> None:
        """See Engine. RFC 9110 section 15.2: "MUST NOT send a 1xx response to an HTTP/1.0 client"."""
        if stream_id != self._stream_id or self._answer > _held:
            return  # the final head has left: too late to be of use
        head = self._writer.write_interim(status, headers)
        if self._minor == 1:
            self._out.append(head)

    def flush_headers(self, stream_id: int) -> None:
        """See Engine."""
        if self._is_current(stream_id, _held):
            self._release_head()

    def begin_raw(self, stream_id: int, octets: int) -> bool:
        """See Engine: with Content-Length as it is, otherwise inside one chunk."""
        if stream_id != self._stream_id or not _held <= self._answer <= _open:
            raise LocalProtocolError("content before the answer's head, or after its end")
        self._check_left(octets, False)
        if self._answer == _held:
            self._release_head()
        if self._answer_body == _no_body or octets == 0:
            return False
        if self._answer_body == _chunked:
            self._out.append(b"%x\r\n" % octets)
        return True

    def end_raw(self, stream_id: int, octets: int, end_stream: bool) -> None:
        """See Engine."""
        if not self._is_current(stream_id, _open):
            return
        if self._answer_body == _length:
            self._answer_left -= octets
        elif self._answer_body == _chunked and octets:
            self._out.append(b"\r\n")
        if end_stream:
            self.send_data(stream_id, b"", True)

    def declare_length(self, stream_id: int, octets: int) -> None:
        """See Engine."""
        if not self._is_current(stream_id, _held) or self._is_bodiless_status or self._with_trailers:
            return
        if self._answer_left < 0:
            if self._answer_body != _no_body:
                self._answer_body = _length
            self._answer_left = octets

    def withdraw(self, stream_id: int) -> bool:
        """See Engine."""
        if stream_id != self._stream_id or self._answer > _held:
            return False
        self._held_head = b""
        self._with_trailers = False
        self._answer = _none
        return True

    def reset_stream(self, stream_id: int, code: int) -> None:
        """See Engine. The only way HTTP/1.1 has to cut an answer short is to end the connection."""
        if stream_id == self._stream_id and self._answer != _ended:
            self._cut_answer(False)

    def consume(self, stream_id: int, octets: int) -> None:
        """See Engine. RFC 9110 section 10.1.1: 100 when the application asks, unless content came."""
        if self._expect_continue and stream_id == self._stream_id:
            self._expect_continue = False
            if self._answer == _none and self._received == 0 and self.phase == _content:
                self._out.append(b"HTTP/1.1 100 Continue\r\n\r\n")

    def shutdown(self) -> None:
        """See Engine: the answer under way, or the next one, says `Connection: close`."""
        self._close = True

    def data_to_send(self) -> list[bytes]:
        """See Engine."""
        out = self._out
        self._out = []
        return out

    # --- both -------------------------------------------------------------------------------------------

    def _end_answer(self) -> None:
        self._answer = _ended
        if self.phase == _answer:
            self._end_stream()
        elif self.phase == _content:
            if self._close:
                self._shut_down(True)
            else:
                self.phase = _discard

    def _end_stream(self) -> None:
        """Both halves are over."""
        if self._close:
            self._shut_down(self._waiting_size > 0)
        else:
            self._parser.begin()
            self.phase = _idle

    def _shut_down(self, linger: bool) -> None:
        self.phase = _shut
        self.close_expected = True
        self._rest = b""
        self._waiting = []
        self._waiting_size = 0
        if linger:
            self.discard_expected = True
