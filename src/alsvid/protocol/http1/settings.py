"""The settings of the HTTP/1.1 engine: how much of a head and of chunk framing it takes (RFC 9112)."""

from __future__ import annotations

from dataclasses import dataclass

from alsvid.options import option

_MEMORY = "Every connection may make the server hold, and scan, that much before a request is known."


@dataclass(slots=True, kw_only=True)
class Http1Settings:
    """Limits of HTTP/1.1 parsing; what exceeds one is answered 414, 431 or 400, and the connection closed."""

    limit_request_line: int = option(
        8192,
        "--limit-request-line",
        doc="Longest request line: method, target and version; a longer one is answered 414.",
        unit="octets",
        minimum=64,
        maximum=1 << 20,
        danger=_MEMORY,
    )
    limit_request_head: int = option(
        32768,
        "--limit-request-head",
        "--h11-max-incomplete-event-size",
        doc="Largest head of a request: request line and all fields; a larger one is answered 431.",
        unit="octets",
        minimum=256,
        maximum=16 << 20,
        danger=_MEMORY,
    )
    limit_request_fields: int = option(
        100,
        "--limit-request-fields",
        doc="Most fields in the head of a request; more are answered 431.",
        minimum=1,
        maximum=32768,
        danger="Frameworks turn each field into several objects; many fields are a cheap attack.",
    )
    limit_request_field_size: int = option(
        16384,
        "--limit-request-field-size",
        "--limit-request-field_size",
        doc="Longest single field line in the head of a request; a longer one is answered 431.",
        unit="octets",
        minimum=64,
        maximum=1 << 20,
        danger=_MEMORY,
    )
    limit_chunk_extension: int = option(
        256,
        "--limit-chunk-extension",
        doc="Longest chunk extension in one chunk line (RFC 9112 section 7.1.1).",
        unit="octets",
        minimum=0,
        maximum=65536,
        danger="Extensions carry nothing for the application; they only cost time.",
    )
    limit_chunk_extensions: int = option(
        16384,
        "--limit-chunk-extensions",
        doc="All chunk extensions of one request together (RFC 9112 section 7.1.1).",
        unit="octets",
        minimum=0,
        maximum=16 << 20,
        danger="Extensions carry nothing for the application; they only cost time.",
    )
