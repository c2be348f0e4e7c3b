"""A WSGI application that sleeps one second: its thread is taken for that long."""

import time
from collections.abc import Callable, Iterable
from typing import Any

BODY = b"one second later"
FIELDS = [("Content-Type", "text/plain"), ("Content-Length", str(len(BODY)))]


def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    time.sleep(1.0)
    start_response("200 OK", FIELDS)
    return (BODY,)
