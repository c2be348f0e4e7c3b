"""Accept connections: from a bound socket to `Connection` objects, with a pause when descriptors run out.

Owns the event loop's server of one listener and what connections of it have in common (`Port`). Accepting is
the event loop's own work; closing and opening it again is how it pauses and how a new certificate comes into
use. The bound socket stays open all the while, so that no queued client is lost.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from typing import Any

from alsvid.asgi.scope import scope_template
from alsvid.net.connection import Connection
from alsvid.net.context import ConnectionContext
from alsvid.net.sockets import Listener
from alsvid.net.tls import TlsContexts, tls_extension


class Port:
    """What all connections of one listener have in common."""

    def __init__(self, listener: Listener, root_path: str, tls: TlsContexts | None) -> None:
        self.listener = listener
        self.tls = tls
        self._root_path = root_path
        self._scheme = "https" if tls is not None else "http"
        self._is_unix = listener.socket.family == socket.AF_UNIX

    def describe(self, transport: Any) -> tuple[Any, dict[str, Any], dict[str, Any] | None]:
        """Return (client, scope template, value of the `tls` extension or None) of a new connection."""
        client: tuple[str, int] | None = None
        server: tuple[str, int | None] | None
        if self._is_unix:
            path = transport.get_extra_info("sockname")
            server = (path if isinstance(path, str) else bytes(path or b"").decode("utf-8", "replace"), None)
        else:
            peer = transport.get_extra_info("peername")
            name = transport.get_extra_info("sockname")
            client = (peer[0], peer[1]) if peer else None
            server = (name[0], name[1]) if name else None
        tls: dict[str, Any] | None = None
        if self.tls is not None:
            tls = tls_extension(transport.get_extra_info("ssl_object"), self.tls)
        template = scope_template(scheme=self._scheme, server=server, client=client, root_path=self._root_path)
        return client, template, tls


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

    def _make_connection(self) -> Connection:
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
