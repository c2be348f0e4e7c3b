"""The shapes of ASGI 3 (https://asgi.readthedocs.io, specification 3.0, HTTP and WebSocket format 2.5)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

ASGI_VERSION = "3.0"
SPEC_VERSION = "2.5"
LIFESPAN_SPEC_VERSION = "2.0"


class ClientDisconnected(OSError):
    """`send()` after the client has gone (ASGI HTTP format 2.4: "server should raise … OSError")."""
