"""Parse the head of an HTTP/1.1 request: request line and field lines (RFC 9112 sections 2, 3 and 5).

Owns every rule that decides how a message is framed. Strict: there is one reading of a head or none at all,
because two readings are how requests are smuggled. Must not know what happens to the parsed request.

A head is parsed line by line in one pass. When octets run out, the parser keeps what complete lines said and
names in `rest` where the unfinished line begins; the caller comes back with that line and what followed. So
an error is found at the same octet however the head was split.
"""

from __future__ import annotations

from alsvid.errors import RemoteProtocolError
from alsvid.protocol.http.authority import is_host
from alsvid.protocol.http.fields import METHODS, NAMES
from alsvid.protocol.http.grammar import FIELD_VALUE, TARGET, TCHAR
from alsvid.protocol.http1.framing import CHUNKED, LENGTH, NO_BODY
from alsvid.protocol.http1.limits import Limits, too_large_content

_tchar = TCHAR
_field_value = FIELD_VALUE
_target = TARGET
_names = NAMES
_pairs = {spelling: (spelling, name) for spelling, name in NAMES.items()}
_NOTHING_SEEN = (b"", b"")
_LONGEST_SEEN = 64
_methods = METHODS
_no_body = NO_BODY
_length = LENGTH
_chunked = CHUNKED

# The longest registered method has 17 octets (UPDATEREDIRECTREF, RFC 4437); a longer token is no method.
_LONGEST_METHOD = 32

_VERSION = b" HTTP/1.1\r\n"


class HeadParser:
    """Parser of the heads of one connection; `begin()` before each, then `parse` until it is complete."""

    __slots__ = (
        "_absolute",
        "_coded",
        "_host_at",
        "_in_fields",
        "_in_trailers",
        "_is_refused",
        "_keep_alive",
        "_limits",
        "_seen",
        "_size",
        "_upgrade_named",
        "accepts_trailers",
        "body",
        "close",
        "content_length",
        "escaped",
        "expect_continue",
        "forwarded",
        "headers",
        "is_head",
        "method",
        "minor",
        "query_at",
        "rest",
        "target",
        "upgrade",
    )

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._seen: list[tuple[bytes, bytes]] = []  # (spelling, name) of the last head's fields, by place
        self.begin()

    def begin(self) -> None:
        """Forget the last head."""
        self._in_fields = False
        self._in_trailers = False
        self._size = 0
        self._host_at = -1  # index in headers, or -1
        self._absolute = b""  # authority of an absolute-form target
        self._keep_alive = False
        self._upgrade_named = False
        self._coded = False
        self.rest = 0
        self.method = ""
        self.is_head = False
        self._is_refused = False
        self.target = b""
        self.query_at = -1
        self.escaped = False
        self.minor = 1
        self.headers: list[tuple[bytes, bytes]] = []
        self.body = _no_body
        self.content_length = -1
        self.close = False
        self.expect_continue = False
        self.forwarded = False
        self.accepts_trailers = False
        self.upgrade = b""

    def begin_trailers(self) -> None:
        """Parse a trailer section next: the same lines, the same limits, and none of them means anything.

        RFC 9110 section 6.5.1: trailers must not be merged into the head; there is nobody to hand them to.
        """
        self._in_fields = True
        self._in_trailers = True
        self._size = 0
        self.headers = []

    def is_started(self) -> bool:
        """True when the request line, at least, has been taken."""
        return self._in_fields

    def parse(self, data: bytes, pos: int) -> int:
        """Take head octets from data[pos:]; return the position after the head, or -1 when it is incomplete.

        On -1, `rest` is where the next call's octets have to begin. Raises RemoteProtocolError.
        """
        if not self._in_fields:
            pos = self._parse_request_line(data, pos)
            if pos < 0:
                return -1
            self._in_fields = True
        return self._parse_fields(data, pos)

    def _parse_request_line(self, data: bytes, i: int) -> int:
        # Long because it is one pass over one line: method SP request-target SP HTTP-version CRLF.
        p = data
        n = len(data)
        # RFC 9112 section 2.2: "SHOULD ignore at least one empty line (CRLF) received prior to the
        # request-line"; more of them count as octets of the line
        while i < n and p[i] == 13:
            if i + 1 >= n:
                self.rest = i
                return -1
            if p[i + 1] != 10:
                raise RemoteProtocolError("CR without LF before the request line (RFC 9112 section 2.2)")
            i += 2
            self._size += 2
            if self._size > self._limits.request_line:
                raise _too_long_line()
        start = i
        self.rest = start
        while i < n and _tchar[p[i]]:
            i += 1
        if i - start > _LONGEST_METHOD:
            raise RemoteProtocolError("the request line begins with no method (RFC 9112 section 3)")
        if i >= n:
            return -1
        if p[i] != 32 or i == start:
            raise RemoteProtocolError(
                "the request line begins with no method and one space (RFC 9112 section 3)"
            )
        method = p[start:i]
        known = _methods.get(method)
        self.method = method.decode("ascii") if known is None else known
        c = p[start]
        # Few methods begin with the letters of the three that matter here: C, H, T.
        if c == 72:
            self.is_head = method == b"HEAD"
        elif c == 67 or c == 84:
            self._is_refused = method == b"CONNECT" or method == b"TRACE"
        i += 1
        target_at = i
        query_at = -1
        escaped = False
        while i < n:
            c = p[i]
            if not _target[c]:
                break
            if c == 63:  # "?"
                if query_at < 0:
                    query_at = i - target_at
            elif c == 37 and query_at < 0:  # "%"
                escaped = True
            i += 1
        if i >= n:
            return self._unfinished_line(n - start)
        if p[i] != 32 or i == target_at:
            self._unfinished_line(i - start)
            raise RemoteProtocolError(
                "the request target is empty, or has an octet that is not allowed (RFC 9112 section 3.2)"
            )
        # SP HTTP/1.1 CRLF, or 1.0
        if n - i < 11 or not (
            p[i + 1] == 72
            and p[i + 2] == 84
            and p[i + 3] == 84
            and p[i + 4] == 80
            and p[i + 5] == 47
            and p[i + 6] == 49
            and p[i + 7] == 46
            and (p[i + 8] == 49 or p[i + 8] == 48)
            and p[i + 9] == 13
            and p[i + 10] == 10
        ):
            return self._parse_odd_version(data, start, i)
        self.minor = p[i + 8] - 48
        self.target = p[target_at:i]
        self.query_at = query_at
        self.escaped = escaped
        i += 11
        self._size += i - start
        if i - start > self._limits.request_line:
            raise _too_long_line()
        if p[target_at] != 47:  # "/": origin-form
            self._parse_other_target()
        return i

    def _parse_odd_version(self, data: bytes, start: int, at: int) -> int:
        """Say what is wrong behind the target at data[at:], or return -1 when the line is only incomplete."""
        for k in range(1, min(len(data) - at, 11)):
            octet = data[at + k]
            if octet == _VERSION[k] or (k == 8 and octet == 48):
                continue
            self._unfinished_line(at + k - start)
            if (k == 6 or k == 8) and 50 <= octet <= 57:
                raise RemoteProtocolError(
                    "only HTTP/1.0 and 1.1 are spoken here (RFC 9110 section 15.6.6)", 505
                )
            if k < 6:
                raise RemoteProtocolError("no HTTP-version after the request target (RFC 9112 section 2.3)")
            if k < 9:
                raise RemoteProtocolError("HTTP-version is not DIGIT.DIGIT (RFC 9112 section 2.3)")
            raise RemoteProtocolError("the request line does not end in CRLF (RFC 9112 section 2.2)")
        return self._unfinished_line(len(data) - start)

    def _unfinished_line(self, length: int) -> int:
        """Return -1, unless `length` octets of a request line are too many.

        Asked before any other error is raised too: split anywhere, the first octet that is wrong decides.
        """
        if length > self._limits.request_line:
            raise _too_long_line()
        return -1

    def _parse_other_target(self) -> None:
        """Take asterisk-form and absolute-form; refuse authority-form (RFC 9112 sections 3.2.2 to 3.2.4)."""
        target = self.target
        if self.method == "CONNECT":
            raise RemoteProtocolError("CONNECT is not supported (RFC 9110 section 9.3.6)", 501)
        if target == b"*":
            if self.method != "OPTIONS":
                raise RemoteProtocolError("only OPTIONS has the target * (RFC 9112 section 3.2.4)")
            return
        scheme, separator, rest = target.partition(b"://")
        if not separator or scheme.lower() not in (b"http", b"https"):
            raise RemoteProtocolError("the request target has none of the four forms (RFC 9112 section 3.2)")
        end = len(rest)
        for delimiter in (b"/", b"?"):
            at = rest.find(delimiter)
            if 0 <= at < end:
                end = at
        authority = rest[:end]
        if not authority or not is_host(authority):
            raise RemoteProtocolError(
                "the target's authority is not uri-host[:port] (RFC 9110 section 4.2.1)"
            )
        self._absolute = authority
        path = rest[end:]
        # RFC 9110 section 4.2.3: an empty path is "/"; of OPTIONS it is "*" (RFC 9112 section 3.2.4)
        if not path:
            path = b"*" if self.method == "OPTIONS" else b"/"
        elif path.startswith(b"?"):
            path = b"/" + path
        self.target = path
        self.query_at = path.find(b"?")
        self.escaped = b"%" in (path if self.query_at < 0 else path[: self.query_at])

    def _parse_fields(self, data: bytes, i: int) -> int:
        # Long because it is one pass over all lines: field-name ":" OWS field-value OWS CRLF.
        # Fast because the table loops are C loops where compiled, and a client's next head has its names in
        # the same places: they are compared, not sliced and looked up (bench/micro: head-19).
        p = data
        n = len(data)
        headers = self.headers
        limits = self._limits
        while True:
            start = i
            self.rest = start
            if i >= n:
                return -1
            if p[i] == 13:
                if i + 1 >= n:
                    return -1
                if p[i + 1] != 10:
                    raise RemoteProtocolError("CR without LF in the header section (RFC 9112 section 2.2)")
                if not self._in_trailers:
                    self._finish()
                return i + 2
            index = len(headers)
            i = self._end_of_seen(data, start, index)
            if i >= 0:
                name = self._seen[index][1]
            else:
                i = start
                while i < n and _tchar[p[i]]:
                    i += 1
                if i >= n:
                    return self._unfinished_field(n - start)
                if p[i] != 58 or i == start:
                    self._unfinished_field(i - start)
                    raise _bad_name(p[i], i == start)
                name = self._name_of(p[start:i], index)
            i += 1
            while i < n and (p[i] == 32 or p[i] == 9):
                i += 1
            value_at = i
            while i < n and _field_value[p[i]]:
                i += 1
            if i >= n:
                return self._unfinished_field(n - start)
            if p[i] != 13:
                self._unfinished_field(i - start)
                raise RemoteProtocolError(
                    "a field value has a control octet or ends in a bare LF (RFC 9110 section 5.5)"
                )
            if i + 1 >= n:
                return self._unfinished_field(n - start)
            if p[i + 1] != 10:
                self._unfinished_field(i + 1 - start)
                raise RemoteProtocolError("CR without LF in a field line (RFC 9112 section 2.2)")
            end = i
            i += 2
            self._size += i - start
            if i - start > limits.field_size or self._size > limits.head:
                self._size -= i - start
                self._unfinished_field(i - start)
            while end > value_at and (p[end - 1] == 32 or p[end - 1] == 9):
                end -= 1
            if index >= limits.fields:
                raise _too_large("too many fields", "limit_request_fields")
            value = p[value_at:end]
            headers.append((name, value))
            if self._in_trailers:
                continue
            k = len(name)
            # The fields that matter here have these lengths: 2, 4, 6, 7, 9, 10 and 14 to 17.
            if k < 11:
                if k == 2 or k == 4 or k == 6 or k == 7 or k == 9 or k == 10:
                    self._note(name, value)
            elif 14 <= k <= 17:
                self._note(name, value)

    def _end_of_seen(self, data: bytes, start: int, index: int) -> int:
        """Return where the name at start ends if its place had the same one in the last head, or -1."""
        if index >= len(self._seen) or self._in_trailers:
            return -1
        spelling = self._seen[index][0]
        p = data
        q = spelling
        m = len(spelling)
        if m == 0 or start + m >= len(data) or p[start + m] != 58:
            return -1
        j = 0
        while j < m and p[start + j] == q[j]:
            j += 1
        return start + m if j == m else -1

    def _name_of(self, raw: bytes, index: int) -> bytes:
        """Return the one lower-case object of a field name, and remember the name's place in the head."""
        pair = _pairs.get(raw)
        if pair is None:
            lower = raw.lower()
            pair = (raw, _names.get(lower, lower))
        if not self._in_trailers:
            # Long names are not kept: what an idle connection holds must not be the client's choice.
            seen = pair if len(raw) <= _LONGEST_SEEN else _NOTHING_SEEN
            if index < len(self._seen):
                self._seen[index] = seen
            elif index < self._limits.fields:
                self._seen.append(seen)
        return pair[1]

    def _unfinished_field(self, length: int) -> int:
        """Return -1, unless `length` octets of a field line are too many; see _unfinished_line."""
        field_size = self._limits.field_size
        head = self._limits.head
        if length > field_size or self._size + length > head:
            if self._size + field_size > head:  # the head's limit was reached first
                raise _too_large("the head is too large", "limit_request_head")
            raise _too_large("a field is too large", "limit_request_field_size")
        return -1

    def _note(self, name: bytes, value: bytes) -> None:
        """Look at a field that may say something about framing, routing or the connection."""
        if name == b"host":
            self._note_host(value)
        elif name == b"connection":
            self._note_connection(value)
        elif name == b"content-length":
            self._note_content_length(value)
        elif name == b"transfer-encoding":
            self._note_transfer_encoding(value)
        elif name == b"expect":
            if self.minor == 1:  # RFC 9110 section 10.1.1: ignored from an HTTP/1.0 client
                if value.lower() != b"100-continue":
                    raise RemoteProtocolError("the expectation is unknown (RFC 9110 section 10.1.1)", 417)
                self.expect_continue = True
        elif name == b"upgrade":
            self.upgrade = value if not self.upgrade else self.upgrade + b", " + value
        elif name == b"te":
            # RFC 9110 section 10.1.4: "trailers" says that the client will not discard them
            for part in value.lower().split(b","):
                if part.strip(b" \t") == b"trailers":
                    self.accepts_trailers = True
        elif name == b"forwarded" or name.startswith(b"x-forwarded-"):
            self.forwarded = True

    def _note_host(self, value: bytes) -> None:
        if self._host_at >= 0:
            raise RemoteProtocolError("more than one Host (RFC 9112 section 3.2)")
        self._host_at = len(self.headers) - 1
        if value and not is_host(value):
            raise RemoteProtocolError("Host is not uri-host[:port] (RFC 9112 section 3.2)")

    def _note_connection(self, value: bytes) -> None:
        # RFC 9110 section 7.6.1: a list of case-insensitive options
        if value == b"keep-alive":
            self._keep_alive = True
            return
        for part in value.lower().split(b","):
            option = part.strip(b" \t")
            if option == b"close":
                self.close = True
            elif option == b"keep-alive":
                self._keep_alive = True
            elif option == b"upgrade":
                self._upgrade_named = True

    def _note_content_length(self, value: bytes) -> None:
        # RFC 9112 section 6.3: anything but one field of 1*DIGIT "MUST" be answered with 400.
        # 18 digits fit 63 bits.
        if self.content_length >= 0:
            raise RemoteProtocolError("more than one Content-Length (RFC 9112 section 6.3)")
        if not value.isdigit() or len(value) > 18:
            raise RemoteProtocolError("Content-Length is not a decimal number (RFC 9110 section 8.6)")
        self.content_length = int(value)

    def _note_transfer_encoding(self, value: bytes) -> None:
        # RFC 9112 section 6.1. No coding but chunked is known here, so the one good value is "chunked".
        if self._coded:
            raise RemoteProtocolError("more than one Transfer-Encoding (RFC 9112 section 6.1)")
        self._coded = True
        if value.lower() == b"chunked":
            self.body = _chunked
            return
        codings = [coding.strip(b" \t").lower() for coding in value.split(b",")]
        if codings[-1] != b"chunked" or b"chunked" in codings[:-1] or b"" in codings:
            if len(codings) == 1 and codings[0] not in (b"", b"identity") and _is_token(codings[0]):
                raise RemoteProtocolError("the transfer coding is unknown (RFC 9112 section 6.1)", 501)
            raise RemoteProtocolError("chunked is not the one and final coding (RFC 9112 section 6.3)")
        raise RemoteProtocolError("a transfer coding is unknown (RFC 9112 section 6.1)", 501)

    def _finish(self) -> None:
        """Check what only the whole head can tell."""
        if self._host_at < 0:
            if self.minor == 1:
                raise RemoteProtocolError("Host is missing (RFC 9112 section 3.2)")
        elif self.minor == 1 and not self.headers[self._host_at][1] and not self._absolute:
            raise RemoteProtocolError("Host is empty (RFC 9110 section 4.2.1)")
        if self._absolute:
            # RFC 9112 section 3.2.2: "MUST ignore the received Host header field (if any) and instead use the
            # host information of the request-target"
            if self._host_at >= 0:
                self.headers[self._host_at] = (b"host", self._absolute)
            else:
                self.headers.insert(0, (b"host", self._absolute))
        if self.body == _chunked:
            # RFC 9112 section 6.1: "ought to be handled as an error" — both are how requests are smuggled
            if self.content_length >= 0:
                raise RemoteProtocolError("Content-Length beside Transfer-Encoding (RFC 9112 section 6.3)")
            if self.minor == 0:
                raise RemoteProtocolError("Transfer-Encoding in HTTP/1.0 (RFC 9112 section 6.1)")
        elif self.content_length > 0:
            self.body = _length
            if 0 < self._limits.body < self.content_length:
                raise too_large_content()
        if self.minor == 0 and not self._keep_alive:
            self.close = True
        if self.body == _no_body:
            self.expect_continue = False
        # RFC 9110 section 7.8: "MUST ignore an Upgrade header field that is received in an HTTP/1.0 request"
        if not self._upgrade_named or self.minor == 0:
            self.upgrade = b""
        if self._is_refused:
            if self.method == "CONNECT":
                raise RemoteProtocolError("CONNECT is not supported (RFC 9110 section 9.3.6)", 501)
            # It would give the request's own fields, cookies among them, to whoever reads the answer.
            raise RemoteProtocolError("TRACE is not supported (RFC 9110 section 9.3.8)", 405)


def _is_token(value: bytes) -> bool:
    return bool(value) and all(_tchar[octet] for octet in value)


def _too_long_line() -> RemoteProtocolError:
    message = "the request line is too long (RFC 9110 section 15.5.15)"
    return RemoteProtocolError(message, 414, "limit_request_line")


def _too_large(message: str, limit: str) -> RemoteProtocolError:
    return RemoteProtocolError(f"{message} (RFC 6585 section 5)", 431, limit)


def _bad_name(octet: int, at_start: bool) -> RemoteProtocolError:
    if at_start and octet in (32, 9):
        # RFC 9112 section 5.2: "MUST either reject the message … or replace each received obs-fold"
        return RemoteProtocolError("a field line is folded (RFC 9112 section 5.2)")
    if octet in (32, 9):
        return RemoteProtocolError("white space between field name and colon (RFC 9112 section 5.1)")
    if octet == 10:
        return RemoteProtocolError("a line ends in LF without CR (RFC 9112 section 2.2)")
    return RemoteProtocolError("a field name is not a token (RFC 9110 section 5.1)")
