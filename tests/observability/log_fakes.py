"""Fakes for the tests of the logs: an exchange, and a clock that tests turn."""

from __future__ import annotations

import threading
from typing import Any

WALL = 1_784_000_000.25  # a summer's day of 2026


class FakeClock:
    """Stands still until it is told otherwise."""

    def __init__(self, now: float = 1000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


class FakeExchange:
    """What the connection hands to a request_finished subscriber."""

    def __init__(self, **changes: Any) -> None:
        self.scope: dict[str, Any] = {
            "type": "http",
            "method": "GET",
            "path": "/items/1",
            "raw_path": b"/items/1",
            "query_string": b"q=a",
            "http_version": "1.1",
            "client": ("192.0.2.1", 4711),
            "server": ("192.0.2.9", 8000),
            "scheme": "http",
            "root_path": "",
            "headers": [
                (b"host", b"example.org"),
                (b"user-agent", b"curl/8.5"),
                (b"referer", b"http://example.org/"),
                (b"accept", b"text/html"),
                (b"accept", b"text/plain"),
                (b"authorization", b"Basic YW5uYTpzZWNyZXQ="),
                (b"content-type", b"text/csv"),
            ],
        }
        self.status = 200
        self.response_headers: Any = [(b"content-type", b"text/plain"), (b"X-Trace", b"t1")]
        self.response_octets = 13
        self.started = 50.0
        self.finished = 50.0123456
        self.complete = True
        for name, value in changes.items():
            if hasattr(self, name):
                setattr(self, name, value)
            else:
                self.scope[name] = value


class FakeSink:
    """Keeps what is written; a test may hold it back, make it fail, or let it take a few octets at a time."""

    is_terminal = False

    def __init__(self) -> None:
        self.text = b""
        self.opened = threading.Event()  # writes wait for it
        self.opened.set()
        self.entered = threading.Event()  # a write has begun
        self.failures: list[OSError] = []
        self.most = 1 << 30
        self.reopened = 0
        self.closed = 0

    def write(self, data: memoryview) -> int:
        self.entered.set()
        self.opened.wait()
        if self.failures:
            raise self.failures.pop(0)
        taken = bytes(data[: self.most])
        self.text += taken
        return len(taken)

    def reopen(self) -> None:
        if self.failures:
            raise self.failures.pop(0)
        self.reopened += 1
        self.text += b"<reopened>"

    def close(self) -> None:
        self.closed += 1
