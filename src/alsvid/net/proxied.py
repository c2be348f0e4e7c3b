"""Accept connections that begin with a PROXY protocol header, from the balancers that are believed.

The header comes before everything else, the TLS handshake included. So connections of such a listener are
accepted here, the header is read off the bare socket, octet for octet, and only then the event loop gets it.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from typing import Any

from alsvid.errors import RemoteProtocolError
from alsvid.net.connection import Connection
from alsvid.net.context import ConnectionContext
from alsvid.net.port import Port
from alsvid.net.proxy_protocol import ProxyHeader, ProxyProtocolRules

# The longest header is one of version 2 with 4 KiB of extensions (alsvid.net.proxy_protocol).
_PEEK = 8192
_ACCEPT_BATCH = 64
_ACCEPT_PAUSE_S = 1.0


class ProxiedPort(Port):
    """The port of one connection, with the addresses that its PROXY header tells."""

    def __init__(self, port: Port, header: ProxyHeader, peer: tuple[str, int] | None) -> None:
        super().__init__(port.listener, port.root_path, port.tls)
        self._header = header
        self._peer = peer
        # Without an address there is nobody whose forwarded fields could be trusted.
        self.believes = header.local or header.source is not None

    def client_of(self, transport: Any) -> tuple[str, int] | None:
        """Return the address of the balancer's client, or the balancer's where it speaks for itself."""
        return self._peer if self._header.local else self._header.source

    def template_of(self, transport: Any, client: tuple[str, int] | None) -> dict[str, Any]:
        """Return the scope template; `server` is the address that the client connected to."""
        template = super().template_of(transport, client)
        if self._header.destination is not None and not self._header.local:
            template["server"] = self._header.destination
        return template


class ProxiedAcceptor:
    """Accepts from one listener while open; the same interface as Acceptor."""

    def __init__(
        self,
        context: ConnectionContext,
        port: Port,
        rules: ProxyProtocolRules,
        *,
        header_timeout_s: float,
        handshake_timeout_s: float,
    ) -> None:
        self._context = context
        self.port = port
        self._rules = rules
        self._header_timeout_s = header_timeout_s
        self._handshake_timeout_s = handshake_timeout_s
        self._listening: socket.socket | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def open(self) -> None:
        """Begin to accept; nothing happens when it does already."""
        if self._listening is None:
            self._listening = self.port.listener.socket.dup()
            self._listening.setblocking(False)
            self._context.loop.add_reader(self._listening.fileno(), self._accept)

    def close(self) -> None:
        """Accept no more; clients go on queueing in the listener."""
        if self._listening is not None:
            self._context.loop.remove_reader(self._listening.fileno())
            self._listening.close()
            self._listening = None

    async def renew(self) -> None:
        """Nothing to do: every connection asks for the newest certificate."""

    def _accept(self) -> None:
        for _ in range(_ACCEPT_BATCH):
            if self._listening is None:
                return
            try:
                sock, address = self._listening.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:
                self._pause(error)
                return
            sock.setblocking(False)
            peer = (address[0], address[1]) if isinstance(address, tuple) else None
            task = self._context.loop.create_task(self._adopt(sock, peer))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def _pause(self, error: OSError) -> None:
        """Out of descriptors or memory: what is open is served, accepting goes on in a second."""
        self._context.telemetry.emit(
            "accept_error", listener=self.port.listener.url_hint, exception=error, pause_s=_ACCEPT_PAUSE_S
        )
        self.close()
        self._context.evict()
        self._context.loop.call_later(_ACCEPT_PAUSE_S, self._resume)

    def _resume(self) -> None:
        if not self._context.is_stopping:
            task = self._context.loop.create_task(self.open())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _adopt(self, sock: socket.socket, peer: tuple[str, int] | None) -> None:
        """Read the header and hand the socket to the event loop."""
        port = self.port
        client = f"{peer[0]}:{peer[1]}" if peer else "unix"
        try:
            if self._rules.expects(peer[0] if peer else None):
                async with asyncio.timeout(self._header_timeout_s):
                    port = ProxiedPort(port, await self._read_header(sock), peer)
            more: dict[str, Any] = {}
            if port.tls is not None:
                more = {"ssl": port.tls.context, "ssl_handshake_timeout": self._handshake_timeout_s}
            factory: Any = lambda: Connection(self._context, port)  # noqa: E731  (see Acceptor._make_connection)
            await self._context.loop.connect_accepted_socket(factory, sock, **more)
        except RemoteProtocolError as error:
            self._context.telemetry.emit("protocol_error", client=client, status=0, message=str(error))
            sock.close()
        except TimeoutError:
            self._context.telemetry.emit("limit_reached", option="timeout_request_head", client=client)
            sock.close()
        except (OSError, asyncio.CancelledError):
            sock.close()

    async def _read_header(self, sock: socket.socket) -> ProxyHeader:
        """Take exactly the header's octets off the socket. Raises RemoteProtocolError, OSError."""
        loop = self._context.loop
        while True:
            await _readable(loop, sock)
            seen = sock.recv(_PEEK, socket.MSG_PEEK)
            header = self._rules.parser().receive_data(seen)
            if header is not None:
                length = len(seen) - len(header.rest)
                while length:
                    length -= len(sock.recv(length))
                with contextlib.suppress(OSError):
                    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, 1)
                return header
            if not seen:
                raise ConnectionResetError("the connection ended inside the PROXY header")
            # Readable means from now on: more than has been seen.
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, len(seen) + 1)


async def _readable(loop: asyncio.AbstractEventLoop, sock: socket.socket) -> None:
    future = loop.create_future()
    descriptor = sock.fileno()
    loop.add_reader(descriptor, _wake, future)
    try:
        await future
    finally:
        loop.remove_reader(descriptor)


def _wake(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
