"""Write the heads of answers (RFC 9112 sections 4 and 5), validating every octet while it is copied.

Owns the rule that nothing an application says can split a message: CR, LF, NUL and other controls in names,
values and reasons are errors, and nothing of such a head is emitted. Must not know about streams or content.
"""

from __future__ import annotations

from alsvid.errors import LocalProtocolError
from alsvid.protocol.http.fields import FORBIDDEN_TRAILERS
from alsvid.protocol.http.grammar import FIELD_VALUE, TCHAR
from alsvid.protocol.http.status import REASONS, STATUS_LINES

_tchar = TCHAR
_field_value = FIELD_VALUE
_status_lines = STATUS_LINES

# By index: None below 100
_lines: list[bytes | None] = [_status_lines.get(status) for status in range(1000)]

_SCRATCH = 4096
_MOST_FRAMINGS = 4096  # lengths repeat: answers of one route, chunks of one stream


class HeadWriter:
    """One per server, shared by all its connections; used within one call, so it keeps no message's state.

    `write` leaves behind what it saw: `length` (the declared Content-Length, or -1) and `close` (the
    application said `Connection: close`).

    The fields every answer gets are given as bytes of whole lines: `extra` for those the options name,
    `set_date(line)` once a second.
    """

    __slots__ = ("_extra", "_framings", "_scratch", "_tail", "_used", "close", "length")

    def __init__(self, extra: bytes = b"", date: bytes = b"") -> None:
        self._scratch = bytearray(_SCRATCH)
        self._used = 0
        self._extra = extra
        self._tail = date + extra  # what every answer has that brings no date of its own
        self._framings: dict[int, bytes] = {}  # bounded by _MOST_FRAMINGS
        self.length = -1
        self.close = False

    def set_date(self, line: bytes) -> None:
        """Set the Date field line, b"date: …\\r\\n", or b"" for none."""
        self._tail = line + self._extra

    def write(self, status: int, headers: object) -> bytes:
        """Return status line, the fields given and the default ones: a head without framing and last CRLF.

        `headers`: iterable of (name, value) pairs of bytes. Raises LocalProtocolError when something cannot
        be sent. Transfer-Encoding is dropped: the server alone frames.
        """
        line = _lines[status] if 0 <= status <= 999 else None
        if line is None:
            raise LocalProtocolError(
                f"status must be an int from 100 to 999, not {status} (RFC 9110 section 15)"
            )
        self.length = -1
        self.close = False
        self._used = 0
        self._copy(line)
        dated = self._write_fields(headers, True)
        if not dated:
            self._copy(self._tail)
        elif self._extra:
            self._copy(self._extra)
        return self._taken()

    def framing(self, length: int) -> bytes:
        """Return the Content-Length line and the empty line that ends a head."""
        line = self._framings.get(length)
        if line is None:
            line = b"content-length: %d\r\n\r\n" % length
            if len(self._framings) < _MOST_FRAMINGS:
                self._framings[length] = line
        return line

    def write_interim(self, status: int, headers: object) -> bytes:
        """Return a whole interim head (1xx): only the fields given, then the empty line."""
        if not 100 <= status <= 199 or status == 101:
            raise LocalProtocolError(f"status {status} is not interim (RFC 9110 section 15.2)")
        self._used = 0
        self._copy(_status_lines[status])
        self._write_fields(headers, True)
        self._copy(b"\r\n")
        return self._taken()

    def write_error(self, status: int, message: str, is_head: bool) -> bytes:
        """Return a whole answer to a request that could not be read; the connection closes behind it."""
        content = f"{status} {REASONS[status]}\n{message}\n".encode("ascii", "backslashreplace")
        headers = [(b"content-type", b"text/plain; charset=utf-8")]
        if status == 405:
            # RFC 9110 section 15.5.6: "MUST generate an Allow header field"
            headers.append((b"allow", b"GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"))
        head = self.write(status, headers)
        return head + b"connection: close\r\n" + self.framing(len(content)) + (b"" if is_head else content)

    def write_trailers(self, headers: object) -> bytes:
        """Return the lines of a trailer section, without the last CRLF.

        Raises LocalProtocolError for fields that must not be sent there (RFC 9110 section 6.5.1).
        """
        self._used = 0
        self._write_fields(headers, False)
        return self._taken()

    def _taken(self) -> bytes:
        out = self._scratch
        return bytes(out[: self._used])

    def _copy(self, octets: bytes) -> None:
        n = len(octets)
        self._reserve(self._used + n)
        out = self._scratch
        p = octets
        i = self._used
        self._used += n
        for j in range(n):
            out[i + j] = p[j]

    def _reserve(self, size: int) -> None:
        if size > len(self._scratch):
            grown = bytearray(size * 2)
            grown[: self._used] = self._scratch[: self._used]
            self._scratch = grown

    def _write_fields(self, headers: object, is_head: bool) -> bool:
        """Append the fields; return True when Date was among them.

        Long because names and values are checked in the same pass that copies them.
        """
        dated = False
        i = self._used
        out = self._scratch
        capacity = len(self._scratch)
        for item in headers:  # type: ignore[attr-defined]
            try:
                given_name, given_value = item
            except (TypeError, ValueError):
                raise LocalProtocolError(f"a header must be a pair of bytes, not {item!r}") from None
            name = given_name if type(given_name) is bytes else _as_bytes(given_name, "name")
            value = given_value if type(given_value) is bytes else _as_bytes(given_value, "value")
            k = len(name)
            n = len(value)
            if i + k + n + 4 > capacity:
                self._used = i
                self._reserve(i + k + n + 4)
                out = self._scratch
                capacity = len(self._scratch)
            start = i
            p = name
            j = 0
            while j < k:
                c = p[j]
                if not _tchar[c]:
                    raise LocalProtocolError(f"header name {name!r} is not a token (RFC 9110 section 5.1)")
                out[i] = c
                i += 1
                j += 1
            if k == 0:
                raise LocalProtocolError("a header name is empty (RFC 9110 section 5.1)")
            out[i] = 58
            out[i + 1] = 32
            i += 2
            p = value
            j = 0
            while j < n:
                c = p[j]
                if not _field_value[c]:
                    raise LocalProtocolError(
                        f"header {name!r} has a control character: {value[:200]!r} (RFC 9110 section 5.5)"
                    )
                out[i] = c
                i += 1
                j += 1
            out[i] = 13
            out[i + 1] = 10
            i += 2
            # The names that matter here have these lengths: date 4, connection 10, content-length 14,
            # transfer-encoding 17; keep-alive is hop-by-hop and ours too.
            if not is_head:
                if name.lower() in FORBIDDEN_TRAILERS:
                    raise LocalProtocolError(f"{name!r} must not be a trailer (RFC 9110 section 6.5.1)")
            elif k == 14 or k == 10 or k == 17:
                if not self._note(name.lower(), value):
                    i = start
            elif k == 4 and name.lower() == b"date":
                dated = True
        self._used = i
        return dated

    def _note(self, name: bytes, value: bytes) -> bool:
        """Look at a field that frames; return False when the server writes it by itself."""
        if name == b"content-length":
            if not value.isdigit() or len(value) > 18:
                raise LocalProtocolError(f"content-length {value!r} is not a number (RFC 9110 section 8.6)")
            length = int(value)
            if self.length >= 0:
                if self.length != length:
                    raise LocalProtocolError("two content-lengths that differ (RFC 9110 section 8.6)")
                return False
            self.length = length
            return False
        if name == b"connection":
            if b"close" in [option.strip(b" \t") for option in value.lower().split(b",")]:
                self.close = True
            return False
        return name != b"transfer-encoding" and name != b"keep-alive"


def _as_bytes(value: object, what: str) -> bytes:
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value)
    raise LocalProtocolError(f"a header {what} must be bytes, not {type(value).__name__}: {value!r}")
