"""What all connections of one listener have in common: addresses, scheme, certificates."""

from __future__ import annotations

import socket
from typing import Any

from alsvid.asgi.scope import scope_template
from alsvid.net.sockets import Listener
from alsvid.net.tls import TlsContexts, tls_extension


class Port:
    """One listener as its connections see it.

    tls         its certificates, or None on a plain one.
    believes    forwarded fields count, if they come from a trusted peer.
    """

    __slots__ = ("_is_unix", "_scheme", "_server", "_template", "believes", "listener", "root_path", "tls")

    def __init__(self, listener: Listener, root_path: str, tls: TlsContexts | None) -> None:
        self.listener = listener
        self.tls = tls
        self.root_path = root_path
        self.believes = True
        self._scheme = "https" if tls is not None else "http"
        self._is_unix = listener.socket.family == socket.AF_UNIX
        # Every connection to a single address has that one as its own; only of wildcards it has to be asked.
        self._server: tuple[str, int | None] | None = None
        name = listener.socket.getsockname()
        if self._is_unix:
            self._server = (name if isinstance(name, str) else bytes(name).decode("utf-8", "replace"), None)
        elif name[0] not in ("0.0.0.0", "::"):
            self._server = (name[0], name[1])
        self._template = scope_template(self._scheme, self._server, None, root_path)

    def client_of(self, transport: Any) -> tuple[str, int] | None:
        """Return the peer's (host, port), or None of a Unix socket."""
        if self._is_unix:
            return None
        peer = transport.get_extra_info("peername")
        return (peer[0], peer[1]) if peer else None

    def template_of(self, transport: Any, client: tuple[str, int] | None) -> dict[str, Any]:
        """Return the scope template of a new connection."""
        template = self._template.copy()
        template["client"] = client
        if self._server is None:
            name = transport.get_extra_info("sockname")
            template["server"] = (name[0], name[1]) if name else None
        return template

    def tls_of(self, transport: Any) -> dict[str, Any]:
        """Return the value of the `tls` extension of a new TLS connection."""
        assert self.tls is not None
        return tls_extension(transport.get_extra_info("ssl_object"), self.tls)
