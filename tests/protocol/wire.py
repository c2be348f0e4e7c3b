"""Bytes in, event log out: an HTTP/1.1 engine with a small application on top, for tests.

A log is a list of tuples in the order in which things happened:

    ("request", stream, method, target, version, headers)
    ("content", stream, octets)          all content of a stream, in one entry
    ("end", stream)                      the request is complete
    ("fault", stream, status, message, limit)
    ("sent", octets)                     what went to the peer since the entry before
    ("closed", lingering, cut)           the connection is to be closed

Logs of the same octets are equal however these were split (`without_timing`), as long as the application acts
upon the end of a request and not upon how many pieces its content came in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from alsvid.protocol.events import DATA_RECEIVED, REQUEST_RECEIVED
from alsvid.protocol.http1.engine import Http1Engine
from alsvid.protocol.http1.limits import Limits
from alsvid.protocol.http1.writer import HeadWriter
from alsvid.protocol.phases import ANSWER

Entry = tuple[Any, ...]
Log = list[Entry]
Application = Callable[["Wire", int], None]

GET = b"GET / HTTP/1.1\r\nHost: example.org\r\n\r\n"
CHUNKED_POST = b"POST / HTTP/1.1\r\nHost: example.org\r\nTransfer-Encoding: chunked\r\n\r\n"


def post(length: int, *lines: bytes) -> bytes:
    """Return the head of a POST with Content-Length."""
    return request(b"Content-Length: %d" % length, *lines, line=b"POST / HTTP/1.1")


def request(*lines: bytes, line: bytes = b"GET / HTTP/1.1", host: bytes = b"Host: example.org") -> bytes:
    """Return a head of a request line, Host (b"" for none) and the field lines given."""
    present = [line, host, *lines] if host else [line, *lines]
    return b"\r\n".join(present) + b"\r\n\r\n"


def answer_ok(wire: Wire, stream_id: int) -> None:
    """Answer 200 with two octets: the application of most tests."""
    wire.engine.send_headers(stream_id, 200, [(b"content-type", b"text/plain")], False)
    wire.engine.send_data(stream_id, b"ok", True)


def answer_nothing(wire: Wire, stream_id: int) -> None:
    """Leave the request unanswered."""


class Wire:
    """One engine, the application that is called at the end of each request, and the log of both."""

    def __init__(
        self,
        application: Application = answer_ok,
        limits: Limits | None = None,
        *,
        default_fields: bytes = b"",
        date: bytes = b"",
    ) -> None:
        self.engine = Http1Engine(limits or Limits(), HeadWriter(default_fields, date))
        self.log: Log = []
        self._application = application
        self._is_closed = False

    def receive(self, data: bytes) -> Wire:
        """Give octets to the engine, and again for what waits behind an answer."""
        self._take(self.engine.receive_data(data))
        while self.engine.waiting_octets() and self.engine.phase != ANSWER:
            self._take(self.engine.receive_data(b""))
        return self

    def receive_eof(self) -> Wire:
        """The peer has sent all."""
        self._take(self.engine.receive_eof())
        return self

    def sent(self) -> bytes:
        """Move what the engine has for the peer to the log, and return it."""
        octets = b"".join(self.engine.data_to_send())
        if octets:
            if self.log and self.log[-1][0] == "sent":
                self.log[-1] = ("sent", self.log[-1][1] + octets)
            else:
                self.log.append(("sent", octets))
        if self.engine.close_expected and not self._is_closed:
            self._is_closed = True
            self.log.append(("closed", self.engine.discard_expected, self.engine.is_cut))
        return octets

    def _take(self, events: Iterable[Any]) -> None:
        ended: list[int] = []
        for event in events:
            stream = event.stream_id
            if event.kind == REQUEST_RECEIVED:
                version = event.http_version
                self.log.append(("request", stream, event.method, event.target, version, event.headers))
                if event.end_stream:
                    ended.append(stream)
            elif event.kind == DATA_RECEIVED:
                self._log_content(stream, event.data)
                if event.end_stream:
                    ended.append(stream)
            else:
                self.log.append(("fault", stream, event.status, event.message, event.limit))
        for stream in ended:
            self.log.append(("end", stream))
            self._application(self, stream)
        self.sent()

    def _log_content(self, stream: int, data: bytes) -> None:
        if not data:
            return
        if self.log and self.log[-1][:2] == ("content", stream):
            self.log[-1] = ("content", stream, self.log[-1][2] + data)
        else:
            self.log.append(("content", stream, data))


def log_of(
    data: bytes,
    *cuts: int,
    application: Application = answer_ok,
    limits: Limits | None = None,
    eof: bool = False,
) -> Log:
    """Return the log of `data`, split before each of the positions `cuts`."""
    wire = Wire(application, limits)
    start = 0
    for cut in (*cuts, len(data)):
        wire.receive(data[start:cut])
        start = cut
    if eof:
        wire.receive_eof()
    return wire.log


def ways_to_split(size: int) -> Iterator[tuple[int, ...]]:
    """All cuts of one split in two, then those of octet by octet."""
    for at in range(1, size):
        yield (at,)
    yield tuple(range(1, size))


def requests_of(log: Log) -> list[tuple[str, bytes]]:
    """Return (method, target) of the requests in a log."""
    return [(entry[2], entry[3]) for entry in log if entry[0] == "request"]


def content_of(log: Log) -> bytes:
    """Return all content in a log."""
    return b"".join(entry[2] for entry in log if entry[0] == "content")


def ends_of(log: Log) -> int:
    """Return how many requests are complete."""
    return sum(1 for entry in log if entry[0] == "end")


def fault_of(log: Log) -> tuple[int, str, str] | None:
    """Return (status, message, limit) of the fault in a log, or None."""
    for entry in log:
        if entry[0] == "fault":
            return entry[2], entry[3], entry[4]
    return None


def status_of(log: Log) -> int:
    """Return the status of the fault in a log, or 0."""
    fault = fault_of(log)
    return fault[0] if fault else 0


def sent_of(log: Log) -> bytes:
    """Return all octets that went to the peer."""
    return b"".join(entry[1] for entry in log if entry[0] == "sent")


def is_open(log: Log) -> bool:
    """True when the connection is not to be closed."""
    return not any(entry[0] == "closed" for entry in log)


def without_timing(log: Log) -> Log:
    """Return a log without what depends on when octets came: whether some wait behind a last answer."""
    is_fault = status_of(log) != 0
    return [entry if entry[0] != "closed" or is_fault else ("closed", None, entry[2]) for entry in log]
