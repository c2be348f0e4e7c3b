"""Accept connections: from a bound socket to `Connection` objects, with a pause when descriptors run out.

Owns the event loop's server of one listener. Accepting is
the event loop's own work; closing and opening it again is how it pauses and how a new certificate comes into
use. The bound socket stays open all the while, so that no queued client is lost.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from typing import Any

from alsvid.net.connection import Connection
from alsvid.net.context import ConnectionContext
from alsvid.net.port import Port


class Acceptor:
    """Accepts from one listener while open."""

    def __init__(
        self,
        context: ConnectionContext,
        port: Port,
        *,
        backlog: int = 2048,
        handshake_timeout_s: float = 10.0,
    ) -> None:
        self._context = context
        self._port = port
        self._backlog = backlog
        self._handshake_timeout_s = handshake_timeout_s
        self._server: Any = None

    @property
    def port(self) -> Port:
        """What its connections have in common."""
        return self._port

    def _make_connection(
        self,
    ) -> Any:  # a compiled class cannot subclass asyncio.Protocol; it has its methods
        return Connection(self._context, self._port)

    async def open(self) -> None:
        """Begin to accept; nothing happens when it does already."""
        if self._server is not None:
            return
        loop = self._context.loop
        # The event loop closes what it is given, so it gets a second descriptor of the same socket.
        duplicate = self._port.listener.socket.dup()
        duplicate.setblocking(False)
        more: dict[str, Any] = {"backlog": self._backlog}
        if self._port.tls is not None:
            context: ssl.SSLContext = self._port.tls.context
            more |= {"ssl": context, "ssl_handshake_timeout": self._handshake_timeout_s}
        if duplicate.family == socket.AF_UNIX:
            self._server = await _create_unix_server(loop, self._make_connection, duplicate, more)
        else:
            self._server = await loop.create_server(self._make_connection, sock=duplicate, **more)

    def close(self) -> None:
        """Accept no more; clients go on queueing in the listener."""
        if self._server is not None:
            self._server.close()
            self._server = None

    async def renew(self) -> None:
        """Close and open again, so that new connections get the newest certificate."""
        if self._server is not None:
            self.close()
            await self.open()


async def _create_unix_server(
    loop: asyncio.AbstractEventLoop, factory: Any, sock: socket.socket, more: dict[str, Any]
) -> Any:
    # asyncio of 3.13 removes the path when its server closes, unless told not to: the path is the listener's.
    try:
        return await loop.create_unix_server(factory, sock=sock, cleanup_socket=False, **more)  # type: ignore[call-arg]
    except TypeError:
        return await loop.create_unix_server(factory, sock=sock, **more)
