"""How content is delimited (RFC 9112 section 6). Plain constants, C integers where compiled."""

from __future__ import annotations

NO_BODY = 0  # no content: by method or status, or Content-Length: 0
LENGTH = 1  # Content-Length octets
CHUNKED = 2  # chunked transfer coding
UNTIL_CLOSE = 3  # answers to HTTP/1.0 clients without a length (RFC 9112 section 6.3, last case)
