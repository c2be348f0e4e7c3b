"""The waist between a cycle and its connection: all that a cycle may ask for.

A cycle cannot touch a transport and does not know which HTTP version carries it. Implemented once, on top of
any engine, by alsvid.net.streams.
"""

from __future__ import annotations

import asyncio
from typing import Any

from alsvid.protocol.engine import Headers


class Stream:
    """One request/response exchange as its cycle sees it.

    id              the engine's stream number.
    http_version    "1.0", "1.1", "2".
    is_paused       the peer takes content more slowly than it is sent: await `drain()` before sending more.

    Errors: LocalProtocolError from any `send_*` when the application asks for what the protocol forbids.
    """

    __slots__ = ("http_version", "id", "is_paused")

    def __init__(self, stream_id: int, http_version: str) -> None:
        self.id = stream_id
        self.http_version = http_version
        self.is_paused = False

    def send_headers(self, status: int, headers: Headers) -> None:
        """Begin the answer; its head leaves with the first content, or when the application waits."""
        raise NotImplementedError

    def send_data(self, data: bytes, end_stream: bool) -> None:
        """Send content; with `end_stream` the answer is complete and the stream must not be used again."""
        raise NotImplementedError

    def expect_trailers(self) -> bool:
        """Announce trailers, before send_headers; False when this client would not get them."""
        raise NotImplementedError

    def send_trailers(self, headers: Headers) -> None:
        """End the answer with trailers."""
        raise NotImplementedError

    def send_informational(self, status: int, headers: Headers) -> None:
        """Send an interim answer at once."""
        raise NotImplementedError

    async def send_file(self, descriptor: int, offset: int, count: int, end_stream: bool) -> int:
        """Send `count` octets of an open file from `offset`; returns how many there were.

        Copies inside the kernel where the transport is plain. Raises OSError when file or peer fail.
        """
        raise NotImplementedError

    def declare_length(self, octets: int) -> None:
        """Say, between send_headers and the first content, how long the content will be."""
        raise NotImplementedError

    def withdraw(self) -> bool:
        """Take back a head that has not left; False when it is too late to answer something else."""
        raise NotImplementedError

    def reset(self) -> None:
        """Cut the answer short, visibly to the client."""
        raise NotImplementedError

    def consume(self, octets: int) -> None:
        """Give flow-control credit: 0 when the application asks for content, else what it has taken."""
        raise NotImplementedError

    def drain(self) -> asyncio.Future[Any]:
        """Return a future that ends when sending may go on, or the connection is lost."""
        raise NotImplementedError
