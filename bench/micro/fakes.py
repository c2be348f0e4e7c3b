"""What stands in for the network: a transport that counts, and a listener that has an address."""

import socket
from typing import Any


class FakeTransport:
    """Takes writes and keeps the last one; never full."""

    __slots__ = ("closed", "last", "writes")

    def __init__(self) -> None:
        self.writes = 0
        self.last = b""
        self.closed = False

    def write(self, data: bytes) -> None:
        self.writes += 1
        self.last = data

    def writelines(self, pieces: list[bytes]) -> None:
        self.writes += 1
        self.last = pieces[-1]

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        pass

    def get_write_buffer_size(self) -> int:
        return 0

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return ("127.0.0.1", 40000) if name == "peername" else default

    def is_closing(self) -> bool:
        return self.closed

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None:
        pass

    def pause_reading(self) -> None:
        pass

    def resume_reading(self) -> None:
        pass

    def close(self) -> None:
        self.closed = True

    def abort(self) -> None:
        self.closed = True


class FakeSocket:
    """Bound, as far as a port asks."""

    family = socket.AF_INET

    def getsockname(self) -> tuple[str, int]:
        return ("127.0.0.1", 8000)


class FakeListener:
    """A listener that nobody connects to."""

    def __init__(self) -> None:
        self.socket = FakeSocket()
