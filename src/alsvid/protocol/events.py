"""What engines report upwards.

Events carry an int `kind`, tested in order of frequency by the connection; there is no `isinstance` ladder on
the hot path. A GET is one event: RequestReceived with `end_stream=True`.
"""

from __future__ import annotations

REQUEST_RECEIVED = 1
DATA_RECEIVED = 2
FAULT = 3

_request_received = REQUEST_RECEIVED


class Event:
    """Base of all events; `kind` is one of the constants above, `stream_id` counts from 1 (0: connection)."""

    __slots__ = ("kind", "stream_id")

    def __init__(self, kind: int, stream_id: int) -> None:
        self.kind = kind
        self.stream_id = stream_id


class RequestReceived(Event):
    """A request's head is complete.

    method          str, as sent (methods are case-sensitive, RFC 9110 section 9.1).
    target          bytes, origin-form or "*": path and query as sent, no scheme, no authority.
    query_at        index of "?" in target, or -1.
    escaped         the path part holds a "%".
    headers         list of (name, value) bytes pairs, names lower-case, in order of arrival.
    http_version    "1.0", "1.1", "2".
    forwarded       a field that a proxy sets (forwarded, x-forwarded-*) is among the headers.
    upgrade         bytes, the value of Upgrade when Connection names it, else b"".
    end_stream      no content follows.
    """

    __slots__ = (
        "end_stream",
        "escaped",
        "forwarded",
        "headers",
        "http_version",
        "method",
        "query_at",
        "target",
        "upgrade",
    )

    def __init__(
        self, stream_id: int, method: str, target: bytes, headers: list[tuple[bytes, bytes]], end_stream: bool
    ) -> None:
        self.kind = _request_received
        self.stream_id = stream_id
        self.method = method
        self.target = target
        self.headers = headers
        self.end_stream = end_stream
        self.query_at = -1
        self.escaped = False
        self.http_version = "1.1"
        self.forwarded = False
        self.upgrade = b""


def new_request(
    stream_id: int, method: str, target: bytes, headers: list[tuple[bytes, bytes]], end_stream: bool
) -> RequestReceived:
    """Make a RequestReceived without a constructor, which parses arguments even where compiled."""
    event = RequestReceived.__new__(RequestReceived)
    event.kind = _request_received
    event.stream_id = stream_id
    event.method = method
    event.target = target
    event.headers = headers
    event.end_stream = end_stream
    event.query_at = -1
    event.escaped = False
    event.http_version = "1.1"
    event.forwarded = False
    event.upgrade = b""
    return event


class DataReceived(Event):
    """Content of a request: `data` (bytes, may be empty when `end_stream`), without transfer coding."""

    __slots__ = ("data", "end_stream")

    def __init__(self, stream_id: int, data: bytes, end_stream: bool) -> None:
        self.kind = DATA_RECEIVED
        self.stream_id = stream_id
        self.data = data
        self.end_stream = end_stream


class Fault(Event):
    """The peer broke a rule (RemoteProtocolError) and nothing more will be read from it.

    The engine has already queued the error answer when no answer was under way; the stream named, if any, is
    over for its application. `limit` names the option of an exceeded limit, else "".
    """

    __slots__ = ("limit", "message", "status")

    def __init__(self, stream_id: int, status: int, message: str, limit: str) -> None:
        self.kind = FAULT
        self.stream_id = stream_id
        self.status = status
        self.message = message
        self.limit = limit
