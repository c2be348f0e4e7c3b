"""ASGI 2 applications, `app(scope)` returning `instance(receive, send)`, made into ASGI 3."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from alsvid.asgi.types import Application, Receive, Scope, Send


def asgi2_to_asgi3(application: Callable[[Scope], Any]) -> Application:
    """Return an ASGI 3 application that calls a double callable; scope["asgi"]["version"] says "2.0"."""

    async def adapted(scope: Scope, receive: Receive, send: Send) -> None:
        scope["asgi"]["version"] = "2.0"
        instance = application(scope)
        await instance(receive, send)

    return adapted
