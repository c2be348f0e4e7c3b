"""GET 13 octets through WSGI."""

from collections.abc import Callable, Iterable
from typing import Any

BODY = b"Hello, World!"
FIELDS = [("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", "13")]


def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    start_response("200 OK", FIELDS)
    return (BODY,)
