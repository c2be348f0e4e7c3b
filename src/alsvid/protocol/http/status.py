"""Status lines, prebuilt (RFC 9110 section 15). The reason phrase carries no meaning (RFC 9112 section 4)."""

from __future__ import annotations

from http import HTTPStatus


def _reason(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


STATUS_LINES: dict[int, bytes] = {
    status: f"HTTP/1.1 {status} {_reason(status)}\r\n".encode("ascii") for status in range(100, 1000)
}

REASONS: dict[int, str] = {status: _reason(status) for status in range(100, 1000)}
