"""Build the `http` scope: in one function, from the connection's template and a request's head."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote_to_bytes

from alsvid.asgi.types import ASGI_VERSION, SPEC_VERSION
from alsvid.protocol.events import RequestReceived


class _NoOptions(dict[str, Any]):
    """The value of an extension that has no options: empty for ever, so that all requests can share one."""

    __slots__ = ()

    def _refuse(self, *args: Any, **values: Any) -> Any:
        raise TypeError("the options of an extension cannot be changed")

    __setitem__ = setdefault = update = __ior__ = _refuse


_NO_OPTIONS = _NoOptions()
_EXTENSIONS: dict[str, Any] = {
    "http.response.trailers": _NO_OPTIONS,
    "http.response.early_hint": _NO_OPTIONS,
    "http.response.pathsend": _NO_OPTIONS,
    "http.response.zerocopysend": _NO_OPTIONS,
}
_extensions = _EXTENSIONS

_ASGI = {"version": ASGI_VERSION, "spec_version": SPEC_VERSION}
_asgi = _ASGI


def scope_template(
    scheme: str,
    server: tuple[str, int | None] | None,
    client: tuple[str, int] | None,
    root_path: str,
) -> dict[str, Any]:
    """Return what all scopes of a connection share; `http_scope` copies it for each request.

    `server` is (host, port) or (path, None) of a Unix socket; `client` (host, port) or None.
    """
    # All keys are there, so that a copy never has to grow.
    return {
        "type": "http",
        "asgi": _ASGI,
        "http_version": "1.1",
        "method": "",
        "scheme": scheme,
        "path": "",
        "raw_path": b"",
        "query_string": b"",
        "root_path": root_path,
        "headers": None,
        "client": client,
        "server": server,
        "extensions": None,
    }


def http_scope(
    template: dict[str, Any],
    request: RequestReceived,
    state: dict[str, Any] | None,
    tls: dict[str, Any] | None,
) -> dict[str, Any]:
    """Return the scope of a request. Nothing mutable in it is shared with another request.

    `state` is the lifespan's, copied shallowly (ASGI lifespan, "Lifespan State"), or None without a lifespan;
    `tls` is the `tls` extension's value, or None on a plain connection.
    """
    target = request.target
    query_at = request.query_at
    if query_at < 0:
        raw_path = target
        query = b""
    else:
        raw_path = target[:query_at]
        query = target[query_at + 1 :]
    # ASGI HTTP: "path … with percent-encoded sequences and UTF-8 byte sequences decoded into characters"
    path = (
        unquote_to_bytes(raw_path).decode("utf-8", "replace") if request.escaped else raw_path.decode("ascii")
    )
    root_path = template["root_path"]
    if root_path:
        # ASGI HTTP: "path … includes the root_path"; the proxy in front has cut it off
        path = root_path + path
        raw_path = root_path.encode("utf-8") + raw_path
    scope = template.copy()
    scope["asgi"] = _asgi.copy()
    scope["method"] = request.method
    scope["path"] = path
    scope["raw_path"] = raw_path
    scope["query_string"] = query
    scope["headers"] = request.headers
    if request.http_version != "1.1":
        scope["http_version"] = request.http_version
    extensions = _extensions.copy()
    if tls is not None:
        extensions["tls"] = own = tls.copy()
        own["client_cert_chain"] = list(tls["client_cert_chain"])
    scope["extensions"] = extensions
    if state is not None:
        scope["state"] = state.copy()
    return scope
