"""An HTTP/1.1 client that shows everything that comes back: h11 over a blocking socket."""

from __future__ import annotations

import socket
from types import TracebackType

import h11
from processes import WAIT_S

Pairs = list[tuple[str, str]]


class Wire:
    """One connection. `request` sends, `events` reads one answer with what comes before it."""

    def __init__(self, address: tuple[str, int]) -> None:
        self.socket = socket.create_connection(address, timeout=WAIT_S)
        self.host = f"{address[0]}:{address[1]}"
        self.state = h11.Connection(h11.CLIENT)

    def __enter__(self) -> Wire:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.socket.close()

    def send(self, event: h11.Event) -> None:
        """Send one event."""
        self.socket.sendall(self.state.send(event) or b"")

    def request(
        self, method: str, target: str, headers: Pairs | None = None, body: bytes | None = None
    ) -> None:
        """Send a request; with a body its length is declared, and it is complete."""
        pairs = [("host", self.host), *(headers or [])]
        if body is not None:
            pairs.append(("content-length", str(len(body))))
        self.send(h11.Request(method=method, target=target, headers=pairs))
        if body:
            self.send(h11.Data(data=body))
        self.send(h11.EndOfMessage())

    def next_event(self) -> h11.Event:
        """Read until the next event is complete."""
        while True:
            event = self.state.next_event()
            if event is not h11.NEED_DATA:
                assert not isinstance(event, type) or event is h11.PAUSED
                return event
            self.state.receive_data(self.socket.recv(65536))

    def events(self) -> list[h11.Event]:
        """Read one whole answer: informational heads, the head, the content, the end."""
        events = [self.next_event()]
        while not isinstance(events[-1], h11.EndOfMessage | h11.ConnectionClosed):
            events.append(self.next_event())
        return events

    def response(self) -> tuple[int, dict[str, str], bytes]:
        """Read one whole answer: status, fields, content."""
        events = self.events()
        head = next(event for event in events if isinstance(event, h11.Response))
        fields = {name.decode("ascii"): value.decode("latin-1") for name, value in head.headers}
        return head.status_code, fields, b"".join(e.data for e in events if isinstance(e, h11.Data))

    def next_request(self) -> None:
        """Make ready for another request on the same connection."""
        self.state.start_next_cycle()
