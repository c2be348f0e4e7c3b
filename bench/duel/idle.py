"""A client that opens many connections, asks once on each, and then keeps silent."""

import resource
import select
import socket
from types import TracebackType

from bench.duel.peers import HOST
from bench.duel.verify import VerificationError

# Several sources, so that the ports of one address never run short (also while old ones are in TIME_WAIT).
SOURCES = ("127.0.0.1", "127.0.0.2", "127.0.0.3", "127.0.0.4")
BATCH = 200
BATCH_TIMEOUT_S = 15.0
SPARE_FILES = 200


class IdleConnections:
    """Opens `count` connections to a port of 127.0.0.1, answered once each. Use as a context manager."""

    def __init__(self, port: int, count: int) -> None:
        self._port = port
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
        request = f"GET / HTTP/1.1\r\nHost: {HOST}:{self._port}\r\n\r\n".encode()
        pending: dict[int, socket.socket] = {}
        poller = select.epoll()
        try:
            for i in range(count):
                connection = socket.create_connection(
                    (HOST, self._port), BATCH_TIMEOUT_S, source_address=(SOURCES[i % len(SOURCES)], 0)
                )
                self._sockets.append(connection)
                connection.sendall(request)
                poller.register(connection.fileno(), select.EPOLLIN)
                pending[connection.fileno()] = connection
            while pending:
                events = poller.poll(BATCH_TIMEOUT_S)
                if not events:
                    raise VerificationError(f"{len(pending)} connections are not answered")
                for number, _ in events:
                    connection = pending.pop(number)
                    poller.unregister(number)
                    read_whole_answer(connection)
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
                lost += connection.recv(1) == b""
            except BlockingIOError:
                continue
            except OSError:
                lost += 1
        return lost


def read_whole_answer(connection: socket.socket) -> None:
    data = b""
    while not data.endswith(b"Hello, World!"):
        piece = connection.recv(4096)
        if not piece:
            raise VerificationError(f"a connection was closed after {data[:60]!r}")
        data += piece
    if not data.startswith(b"HTTP/1.1 200 "):
        raise VerificationError(f"answered {data[:60]!r}")
