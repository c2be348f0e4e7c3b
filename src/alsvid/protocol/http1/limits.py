"""The limits of an HTTP/1.1 engine as plain integers, shared by all connections of a server."""

from __future__ import annotations

from alsvid.errors import RemoteProtocolError


class Limits:
    """Sizes in octets; 0 for `body` means none. The comments name the option that a log line has to name."""

    __slots__ = (
        "body",
        "chunk_extension",
        "chunk_extensions",
        "field_size",
        "fields",
        "head",
        "request_line",
        "unread_body",
    )

    def __init__(
        self,
        *,
        request_line: int = 8192,
        head: int = 32768,
        fields: int = 100,
        field_size: int = 16384,
        chunk_extension: int = 256,
        chunk_extensions: int = 16384,
        body: int = 0,
        unread_body: int = 65536,
    ) -> None:
        self.request_line = request_line  # limit_request_line
        self.head = head  # limit_request_head
        self.fields = fields  # limit_request_fields
        self.field_size = field_size  # limit_request_field_size
        self.chunk_extension = chunk_extension  # limit_chunk_extension, of one chunk line
        self.chunk_extensions = chunk_extensions  # limit_chunk_extensions, of one body
        self.body = body  # limit_request_body
        self.unread_body = unread_body  # limit_unread_body: dropped after an early answer


def too_large_content() -> RemoteProtocolError:
    """Return the error for content over the limit: known from the head, or while chunks come in."""
    message = "the content is too large (RFC 9110 section 15.5.14)"
    return RemoteProtocolError(message, 413, "limit_request_body")
