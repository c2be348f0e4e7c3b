"""Status lines, prebuilt (RFC 9110 section 15). The reason phrase carries no meaning (RFC 9112 section 4)."""

from __future__ import annotations

from http import HTTPStatus

_PHRASES = {int(status): status.phrase for status in HTTPStatus}

REASONS: dict[int, str] = {status: _PHRASES.get(status, "") for status in range(100, 1000)}

STATUS_LINES: dict[int, bytes] = {
    status: b"HTTP/1.1 %d %b\r\n" % (status, reason.encode("ascii")) for status, reason in REASONS.items()
}
