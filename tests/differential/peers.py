"""Other parsers of HTTP/1.1 as judges: what they make of the same octets."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field

import h11

try:
    import httptools
except ImportError:  # an optional judge
    httptools = None  # type: ignore[assignment]

from tests.protocol.wire import Log


@dataclass(slots=True)
class Message:
    """One message as one parser read it; a request has `start` (method, target), an answer (status,)."""

    start: tuple[object, ...]
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    content: bytes = b""
    is_complete: bool = False
    version: str = ""


def from_log(log: Log) -> list[Message]:
    """Return the requests of one of our logs."""
    messages: list[Message] = []
    for entry in log:
        if entry[0] == "request":
            messages.append(Message((entry[2], entry[3]), entry[5], version=entry[4]))
        elif entry[0] == "content":
            messages[-1].content += entry[2]
        elif entry[0] == "end":
            messages[-1].is_complete = True
    return messages


def requests_by_h11(data: bytes) -> list[Message]:
    """Return the requests as h11 reads them. Raises h11.RemoteProtocolError."""
    server = h11.Connection(h11.SERVER, max_incomplete_event_size=1 << 20)
    server.receive_data(data)
    messages: list[Message] = []
    while True:
        event = server.next_event()
        if isinstance(event, h11.Request):
            start = (event.method.decode("ascii"), event.target)
            messages.append(Message(start, [(bytes(name), bytes(value)) for name, value in event.headers]))
        elif isinstance(event, h11.Data):
            messages[-1].content += event.data
        elif isinstance(event, h11.EndOfMessage):
            messages[-1].is_complete = True
            server.send(h11.Response(status_code=200, headers=[("content-length", "0")]))
            server.send(h11.EndOfMessage())
            if server.our_state is not h11.DONE:
                return messages
            server.start_next_cycle()
        else:
            return messages


def answers_by_h11(method: str, data: bytes, *, eof: bool = False) -> list[Message]:
    """Return the answers to one request as h11 reads them. Raises h11.RemoteProtocolError."""
    client = h11.Connection(h11.CLIENT)
    client.send(h11.Request(method=method, target="/", headers=[("host", "a")]))
    client.send(h11.EndOfMessage())
    client.receive_data(data)
    if eof:
        client.receive_data(b"")
    messages: list[Message] = []
    while True:
        event = client.next_event()
        if isinstance(event, h11.InformationalResponse | h11.Response):
            pairs = [(bytes(name), bytes(value)) for name, value in event.headers]
            is_interim = isinstance(event, h11.InformationalResponse)
            messages.append(Message((event.status_code,), pairs, b"", is_interim))
        elif isinstance(event, h11.Data):
            messages[-1].content += event.data
        elif isinstance(event, h11.EndOfMessage):
            messages[-1].is_complete = True
            messages[-1].headers += [(bytes(name), bytes(value)) for name, value in event.headers]
            return messages
        else:
            return messages


class _Collector:
    """The callbacks of httptools."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.parser: object = None

    def on_message_begin(self) -> None:
        self.messages.append(Message(("", b"")))

    def on_url(self, url: bytes) -> None:
        message = self.messages[-1]
        message.start = (message.start[0], bytes(message.start[1]) + url)  # type: ignore[arg-type]

    def on_header(self, name: bytes, value: bytes) -> None:
        self.messages[-1].headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        method = self.parser.get_method().decode("ascii")  # type: ignore[attr-defined]
        self.messages[-1].start = (method, self.messages[-1].start[1])

    def on_body(self, body: bytes) -> None:
        self.messages[-1].content += body

    def on_message_complete(self) -> None:
        self.messages[-1].is_complete = True


def requests_by_httptools(data: bytes) -> list[Message]:
    """Return the requests as httptools reads them. Raises httptools.HttpParserError."""
    collector = _Collector()
    collector.parser = httptools.HttpRequestParser(collector)
    with contextlib.suppress(httptools.HttpParserUpgrade):  # it stops there until somebody decides
        collector.parser.feed_data(data)
    return collector.messages
