"""The waist between protocol and connection: what every engine offers, whatever its version.

Octets go in by `receive_data`, events come out; answers go in by `send_*`, octets come out by `data_to_send`.
An engine never schedules, never reads a clock and never sees a socket.
"""

from __future__ import annotations

from collections.abc import Iterable

from alsvid.protocol.events import Event

Headers = Iterable[tuple[bytes, bytes]]


class Engine:
    """State machine of one connection in one protocol version; subclasses implement every method.

    After any call, `data_to_send()` may have octets for the peer. `close_expected` is True once the
    connection is to be closed when those octets are out; `discard_expected` says that the peer may still be
    sending, so that closing has to linger (RFC 9112 section 9.6). `is_cut` says that an answer without a
    length was cut short: only a reset tells the client that it is not complete.
    """

    __slots__ = ("close_expected", "discard_expected", "is_cut", "phase")

    def __init__(self) -> None:
        self.close_expected = False
        self.discard_expected = False
        self.is_cut = False
        self.phase = 0  # alsvid.protocol.phases

    def receive_data(self, data: bytes) -> list[Event]:
        """Take octets from the peer; return the events they complete.

        Call it with b"" after a stream has ended: what arrived for the next one has been kept.
        """
        raise NotImplementedError

    def receive_eof(self) -> list[Event]:
        """The peer will send nothing more; a message cut short by that is a Fault event."""
        raise NotImplementedError

    def send_headers(self, stream_id: int, status: int, headers: Headers, end_stream: bool) -> None:
        """Begin the answer. Raises LocalProtocolError when a field or the status cannot be sent."""
        raise NotImplementedError

    def send_data(self, stream_id: int, data: bytes, end_stream: bool) -> None:
        """Send content. Raises LocalProtocolError when it contradicts the declared length."""
        raise NotImplementedError

    def send_trailers(self, stream_id: int, headers: Headers) -> None:
        """End the answer with trailer fields; they were announced by `expect_trailers`."""
        raise NotImplementedError

    def send_informational(self, stream_id: int, status: int, headers: Headers) -> None:
        """Send an interim answer (1xx); ignored where the peer's version has none."""
        raise NotImplementedError

    def expect_trailers(self, stream_id: int) -> bool:
        """Announce trailers before `send_headers`; False when this client would not get them."""
        raise NotImplementedError

    def flush_headers(self, stream_id: int) -> None:
        """Let a head go that was held back for the first content."""
        raise NotImplementedError

    def begin_raw(self, stream_id: int, octets: int) -> bool:
        """Announce content of `octets` that the connection writes by itself (sendfile).

        The head is queued; returns False where content needs framing, then `send_data` has to be used.
        """
        raise NotImplementedError

    def end_raw(self, stream_id: int, octets: int, end_stream: bool) -> None:
        """The connection wrote `octets` after `begin_raw` returned True."""
        raise NotImplementedError

    def declare_length(self, stream_id: int, octets: int) -> None:
        """Give a held head the length of a file that will be the whole content of its answer."""
        raise NotImplementedError

    def waiting_octets(self) -> int:
        """Octets kept for later streams: the connection stops reading when they are too many."""
        raise NotImplementedError

    def withdraw(self, stream_id: int) -> bool:
        """Forget a head that has not left, so that an error can be answered; False when it is too late."""
        raise NotImplementedError

    def reset_stream(self, stream_id: int, code: int) -> None:
        """Cut the answer short; on HTTP/1.1 the connection closes."""
        raise NotImplementedError

    def consume(self, stream_id: int, octets: int) -> None:
        """The application asks for content (0) or has taken `octets` of it: flow-control credit."""
        raise NotImplementedError

    def shutdown(self) -> None:
        """Take no further requests: `Connection: close` on the answer under way, or GOAWAY."""
        raise NotImplementedError

    def data_to_send(self) -> list[bytes]:
        """Return the octets for the peer in order, and forget them."""
        raise NotImplementedError
