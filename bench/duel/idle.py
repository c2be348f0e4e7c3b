"""A client that opens many connections, asks once on each, and then keeps silent.

What is asked and when the answer is complete is an `Opening`: HTTP/1.1, HTTP/2 in cleartext, or WebSocket.
"""

import resource
import select
import socket
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType

from bench.duel.peers import HOST
from bench.duel.verify import VerificationError

# Several sources, so that the ports of one address never run short (also while old ones are in TIME_WAIT).
SOURCES = ("127.0.0.1", "127.0.0.2", "127.0.0.3", "127.0.0.4")
BATCH = 200
BATCH_TIMEOUT_S = 15.0
SPARE_FILES = 200

# RFC 9113 sections 4.1 and 6.5.
SETTINGS = b"\x00\x00\x00\x04\x00\x00\x00\x00\x00"
SETTINGS_ACK = b"\x00\x00\x00\x04\x01\x00\x00\x00\x00"
FRAME_HEAD_OCTETS = 9


@dataclass(frozen=True, slots=True)
class Opening:
    """What is sent first, when what came back is complete, and what is sent then."""

    request: bytes
    is_complete: Callable[[bytes], bool]
    afterwards: bytes = b""


def http1_opening(port: int) -> Opening:
    request = f"GET / HTTP/1.1\r\nHost: {HOST}:{port}\r\n\r\n".encode()
    return Opening(
        request, lambda data: data.startswith(b"HTTP/1.1 200 ") and data.endswith(b"Hello, World!")
    )


def websocket_opening(port: int) -> Opening:
    """RFC 6455 section 4.1; the key is the one of section 1.3."""
    fields = f"Host: {HOST}:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    fields += "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
    request = f"GET / HTTP/1.1\r\n{fields}\r\n".encode()
    accept = b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="

    def is_complete(data: bytes) -> bool:
        return data.startswith(b"HTTP/1.1 101 ") and accept in data and data.endswith(b"\r\n\r\n")

    return Opening(request, is_complete)


def http2_opening(port: int) -> Opening:
    """RFC 9113 section 3.4: preface, empty SETTINGS, one GET with indexed fields (RFC 7541 appendix A)."""
    authority = f"{HOST}:{port}".encode()
    block = b"\x82\x86\x84\x41" + bytes([len(authority)]) + authority
    headers = len(block).to_bytes(3, "big") + b"\x01\x05\x00\x00\x00\x01" + block
    request = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + SETTINGS + headers
    return Opening(request, has_end_of_stream, SETTINGS_ACK)


def has_end_of_stream(data: bytes) -> bool:
    """Whether a whole HEADERS or DATA frame with END_STREAM is in it."""
    at = 0
    while at + FRAME_HEAD_OCTETS <= len(data):
        end = at + FRAME_HEAD_OCTETS + int.from_bytes(data[at : at + 3], "big")
        if data[at + 3] in (0, 1) and data[at + 4] & 1 and end <= len(data):
            return True
        at = end
    return False


class IdleConnections:
    """Opens `count` connections to a port of 127.0.0.1, answered once each. Use as a context manager."""

    def __init__(self, port: int, count: int, opening: Opening) -> None:
        self._port = port
        self._opening = opening
        self._count = count
        self._sockets: list[socket.socket] = []

    def __enter__(self) -> "IdleConnections":
        limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        if limit != resource.RLIM_INFINITY and limit < self._count + SPARE_FILES:
            raise VerificationError(f"only {limit} files may be open here (ulimit -n)")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for connection in self._sockets:
            connection.close()

    def open(self) -> None:
        """Open all of them in batches, each batch answered before the next.

        Raises:
            VerificationError: a connection is refused or not answered.
        """
        for start in range(0, self._count, BATCH):
            self._open_batch(min(BATCH, self._count - start))

    def _open_batch(self, count: int) -> None:
        pending: dict[int, socket.socket] = {}
        poller = select.epoll()
        try:
            for i in range(count):
                connection = socket.create_connection(
                    (HOST, self._port), BATCH_TIMEOUT_S, source_address=(SOURCES[i % len(SOURCES)], 0)
                )
                self._sockets.append(connection)
                connection.sendall(self._opening.request)
                poller.register(connection.fileno(), select.EPOLLIN)
                pending[connection.fileno()] = connection
            while pending:
                events = poller.poll(BATCH_TIMEOUT_S)
                if not events:
                    raise VerificationError(f"{len(pending)} connections are not answered")
                for number, _ in events:
                    connection = pending.pop(number)
                    poller.unregister(number)
                    read_whole_answer(connection, self._opening)
        except OSError as error:
            raise VerificationError(f"after {len(self._sockets)} connections: {error}") from error
        finally:
            poller.close()

    def count_lost(self) -> int:
        """How many of them the server has closed."""
        lost = 0
        for connection in self._sockets:
            connection.setblocking(False)
            try:
                # What is still there may be a SETTINGS acknowledgement; an end is the empty answer.
                while connection.recv(4096):
                    pass
                lost += 1
            except BlockingIOError:
                continue
            except OSError:
                lost += 1
        return lost


def read_whole_answer(connection: socket.socket, opening: Opening) -> None:
    data = b""
    while not opening.is_complete(data):
        piece = connection.recv(4096)
        if not piece:
            raise VerificationError(f"a connection was closed after {data[:60]!r}")
        data += piece
    if opening.afterwards:
        connection.sendall(opening.afterwards)
