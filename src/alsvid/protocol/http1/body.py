"""Decode the chunked transfer coding of a request's content (RFC 9112 section 7.1).

Owns chunk lines and the CRLF behind chunk data. Lines are taken whole: on -1 the caller keeps the octets from
`rest` on and comes back with more, so a line split anywhere reads as the same line.
"""

from __future__ import annotations

from alsvid.errors import RemoteProtocolError
from alsvid.protocol.http.grammar import FIELD_VALUE, HEX, TCHAR
from alsvid.protocol.http1.limits import Limits

_hex = HEX
_tchar = TCHAR
_field_value = FIELD_VALUE

# A chunk line's size: "1-16 hex digits"; what does not fit 58 bits is no size that anybody means.
_MOST_DIGITS = 16
_MOST_OCTETS = 1 << 58


class ChunkedDecoder:
    """Where in a chunked body the octets are; `begin()` before each body.

    `remaining` octets of data are left in this chunk. `last` is True once the chunk of size 0 was read: the
    trailer section follows.
    """

    __slots__ = ("_after_data", "_extensions", "_limits", "last", "remaining")

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self.begin()

    def begin(self) -> None:
        """Expect the first chunk line."""
        self._after_data = False
        self._extensions = 0
        self.last = False
        self.remaining = 0

    def parse_line(self, data: bytes, pos: int) -> int:
        """Take the next chunk line at data[pos:], and the CRLF of the chunk before it.

        Returns the position after it, or -1 when it is incomplete: the caller keeps data[pos:].
        Raises RemoteProtocolError.
        """
        p = data
        n = len(data)
        i = pos
        if self._after_data:
            # RFC 9112 section 7.1: chunk-data CRLF
            if (i < n and p[i] != 13) or (i + 1 < n and p[i + 1] != 10):
                raise RemoteProtocolError("chunk data is not followed by CRLF (RFC 9112 section 7.1)")
            i += 2
        start = i
        size = 0
        while i < n:
            digit = _hex[p[i]]
            if digit > 15:
                break
            size = size * 16 + digit
            i += 1
            if i - start > _MOST_DIGITS:
                raise RemoteProtocolError("a chunk size has more than 16 digits (RFC 9112 section 7.1)")
            if size > _MOST_OCTETS:
                raise RemoteProtocolError("a chunk size is beyond any content (RFC 9112 section 7.1)")
        if i >= n:
            return -1
        if i == start:
            raise RemoteProtocolError("a chunk size is not hexadecimal (RFC 9112 section 7.1)")
        if p[i] != 13:
            if p[i] != 59:
                raise RemoteProtocolError(
                    "neither CRLF nor an extension after a chunk size (RFC 9112 section 7.1)"
                )
            i = self._parse_extensions(data, i)
            if i < 0:
                return -1
        if i + 1 >= n:
            return -1
        if p[i + 1] != 10:
            raise RemoteProtocolError("CR without LF in a chunk line (RFC 9112 section 2.2)")
        self._after_data = True
        self.remaining = size
        self.last = size == 0
        return i + 2

    def _parse_extensions(self, data: bytes, i: int) -> int:
        """chunk-ext = *( BWS ";" BWS chunk-ext-name [ BWS "=" BWS chunk-ext-val ] ) (RFC 9112 section 7.1.1).

        Returns the position of the CR, or -1. White space before the first ";" is refused: nobody sends it,
        and parsers differ over it.
        """
        p = data
        n = len(data)
        start = i
        while i < n and _field_value[p[i]]:
            i += 1
        if i - start > self._limits.chunk_extension:
            raise _too_much("a chunk extension is too long", "limit_chunk_extension")
        if i >= n:
            return -1
        if p[i] != 13:
            raise RemoteProtocolError("a chunk line has a control octet or a bare LF (RFC 9112 section 7.1)")
        if i + 1 >= n:
            return -1
        if p[i + 1] != 10:
            raise RemoteProtocolError("CR without LF in a chunk line (RFC 9112 section 2.2)")
        self._extensions += i - start
        if self._extensions > self._limits.chunk_extensions:
            raise _too_much("too many chunk extensions", "limit_chunk_extensions")
        if not is_chunk_ext(data[start:i]):
            raise RemoteProtocolError("a chunk extension is malformed (RFC 9112 section 7.1.1)")
        return i


def _too_much(message: str, limit: str) -> RemoteProtocolError:
    return RemoteProtocolError(f"{message} (RFC 9112 section 7.1.1)", 400, limit)


def is_chunk_ext(text: bytes) -> bool:
    """True when text is one or more ";" name [ "=" token or quoted-string ] with bad white space between."""
    n = len(text)
    i = 0
    while i < n:
        if text[i] != 59:
            return False
        i = _skip_token(text, _skip_space(text, i + 1))
        if i < 0:
            return False
        i = _skip_space(text, i)
        if i < n and text[i] == 61:
            i = _skip_space(text, i + 1)
            i = _skip_quoted(text, i) if i < n and text[i] == 34 else _skip_token(text, i)
            if i < 0:
                return False
            i = _skip_space(text, i)
    return True


def _skip_space(text: bytes, i: int) -> int:
    while i < len(text) and text[i] in b" \t":
        i += 1
    return i


def _skip_token(text: bytes, i: int) -> int:
    start = i
    while i < len(text) and TCHAR[text[i]]:
        i += 1
    return i if i > start else -1


def _skip_quoted(text: bytes, i: int) -> int:
    """RFC 9110 section 5.6.4; returns the position after the closing quote, or -1."""
    i += 1
    while i < len(text):
        if text[i] == 34:
            return i + 1
        i += 2 if text[i] == 92 else 1
    return -1
