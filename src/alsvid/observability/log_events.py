"""What the server's log says of each telemetry event. Owns the table of events: names, fields, levels, texts.

Layers emit; here each event becomes one line. Events that are not in the table are no error: nobody logs
them. A field that is missing reads "-", one too many is passed over, so that emitters can grow first.
Texts are templates for str.format; `{fields}` that need words of their own are made in `_PREPARE`.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from alsvid.observability.rate_limit import RateLimit
from alsvid.observability.telemetry import Telemetry

CRITICAL, ERROR, WARNING, INFO, DEBUG = 50, 40, 30, 20, 10

# How many of the requests that were cut are named.
_NAMES_LIMIT = 10


@dataclass(frozen=True, slots=True)
class EventLine:
    """How an event is logged.

    fields     what an emitter passes; an `exception` (or None) is logged with its traceback.
    burst      lines a second, 0 for no limit; `limit_by` names the field whose values are counted apart.
    traceback  False where an exception is named in the line only.
    unless_ok  the line to be taken instead where the field `ok` is false.
    """

    level: int
    text: str
    fields: tuple[str, ...] = ()
    burst: int = 0
    limit_by: str = ""
    traceback: bool = True
    unless_ok: str = ""


EVENTS: dict[str, EventLine] = {
    # The life of a server
    "process_started": EventLine(INFO, "Started server process [{pid}]", ("pid",)),
    "lifespan_startup": EventLine(INFO, "Waiting for application startup."),
    "lifespan_started": EventLine(INFO, "Application startup complete."),
    "lifespan_unsupported": EventLine(
        INFO, "The application has no lifespan; it is served without.", ("exception",), traceback=False
    ),
    "lifespan_failed": EventLine(
        ERROR, "Application {stage} failed: {message}", ("stage", "message", "exception")
    ),
    "lifespan_timeout": EventLine(
        ERROR, "Application {stage} did not end within {timeout_s} s.", ("stage", "timeout_s")
    ),
    "lifespan_shutdown": EventLine(INFO, "Waiting for application shutdown."),
    "lifespan_stopped": EventLine(INFO, "Application shutdown complete."),
    "started": EventLine(INFO, "Alsvid running on {addresses} (press CTRL+C to quit)", ("addresses",)),
    "stopping": EventLine(
        INFO,
        "Stopping ({reason}): {requests} requests under way, waiting up to {timeout_s} s.",
        ("reason", "requests", "timeout_s"),
    ),
    "shutdown_cut": EventLine(
        WARNING,
        "{timeout_s} s of grace are over (--graceful-timeout), cut {count}: {names}",
        ("timeout_s", "count", "names"),
    ),
    "stopped": EventLine(INFO, "Finished server process [{pid}]", ("pid",)),
    # The application
    "application_error": EventLine(
        ERROR, "Exception in ASGI application, {stage}: {request}", ("scope", "exception", "stage")
    ),
    "loop_error": EventLine(ERROR, "Exception in the event loop: {message}", ("message", "exception")),
    # The peers
    "limit_reached": EventLine(
        WARNING,
        "{option} reached: {client}{detail}",
        ("option", "client", "detail"),
        burst=1,
        limit_by="option",
    ),
    "protocol_error": EventLine(
        INFO, "Bad request from {client}: {message}", ("client", "message", "status"), burst=10
    ),
    "upgrade_ignored": EventLine(
        INFO,
        "{client} asked for an upgrade to {protocol}, which is not spoken here: served as plain HTTP",
        ("client", "protocol"),
        burst=1,
    ),
    "tls_error": EventLine(INFO, "TLS with {client} failed: {message}", ("client", "message"), burst=10),
    "connection_error": EventLine(
        DEBUG,
        "Connection of {client} ended: {exception}",
        ("client", "exception"),
        burst=10,
        traceback=False,
    ),
    "accept_error": EventLine(
        ERROR,
        "Cannot accept connections on {listener}: {exception}; trying again in {pause_s} s.",
        ("listener", "exception", "pause_s"),
        burst=1,
        limit_by="listener",
        traceback=False,
    ),
    # The house
    "tls_reload": EventLine(
        INFO,
        "TLS certificate {certfile} has changed: in use for new connections.",
        ("ok", "error", "certfile"),
        unless_ok="tls_reload_failed",
    ),
    "tls_reload_failed": EventLine(
        ERROR,
        "TLS certificate {certfile} has changed but cannot be used, the previous one stays: {error}",
        ("error", "certfile"),
    ),
    "internal_error": EventLine(CRITICAL, "A defect of Alsvid, {where}", ("where", "exception")),
    "debug": EventLine(DEBUG, "{message}", ("message",)),
    "notice": EventLine(INFO, "{message}", ("message",)),
    "warning": EventLine(WARNING, "{message}", ("message",)),
    "error": EventLine(ERROR, "{message}", ("message", "exception")),
}


class _Fields(dict[str, Any]):
    def __missing__(self, name: str) -> str:
        return "-"


def request_text(scope: dict[str, Any]) -> str:
    """Return a request in words: GET /path from 192.0.2.1:4711; no query, which may hold secrets."""
    client = scope.get("client")
    source = f" from {client[0]}:{client[1]}" if client else ""
    kind = scope.get("type", "http")
    name = scope.get("method", "GET") if kind == "http" else kind
    raw_path = scope.get("raw_path")
    path = raw_path.decode("latin-1") if isinstance(raw_path, bytes) else scope.get("path", "")
    return f"{name} {path}{source}"


def _with_request(fields: dict[str, Any]) -> None:
    fields["request"] = request_text(fields["scope"]) if fields.get("scope") else "-"


def _with_addresses(fields: dict[str, Any]) -> None:
    addresses = fields.get("addresses") or ()
    fields["addresses"] = addresses if isinstance(addresses, str) else ", ".join(addresses) or "-"


def _with_names(fields: dict[str, Any]) -> None:
    names = list(fields.get("names") or ())
    fields.setdefault("count", len(names))
    left = len(names) - _NAMES_LIMIT
    fields["names"] = ", ".join(names[:_NAMES_LIMIT]) + (f" and {left} more" if left > 0 else "") or "-"


def _with_option(fields: dict[str, Any]) -> None:
    detail = fields.get("detail")
    fields["detail"] = f" ({detail})" if detail else ""
    if "option" in fields:
        fields["option"] = _flag(str(fields["option"]))


def _with_protocol(fields: dict[str, Any]) -> None:
    protocol = fields.get("protocol")
    if isinstance(protocol, bytes):
        fields["protocol"] = protocol.decode("latin-1")


def _flag(name: str) -> str:
    """Return an option as it is typed: the setting limit_concurrency is --limit-concurrency."""
    return name if name.startswith("-") else "--" + name.replace("_", "-")


_PREPARE: dict[str, Callable[[dict[str, Any]], None]] = {
    "application_error": _with_request,
    "started": _with_addresses,
    "shutdown_cut": _with_names,
    "limit_reached": _with_option,
    "upgrade_ignored": _with_protocol,
}


class EventLog:
    """Logs telemetry events to a logger by the table."""

    def __init__(self, logger: logging.Logger, clock: Callable[[], float] = time.monotonic) -> None:
        self._logger = logger
        self._limits = {name: RateLimit(line.burst, clock) for name, line in EVENTS.items() if line.burst}

    def subscribe(self, telemetry: Telemetry) -> None:
        """Subscribe to every event of the table."""
        for event in EVENTS:
            telemetry.subscribe(event, partial(self._log, event))

    def flush(self) -> None:
        """Tell of events that were suppressed and not followed by another; called by the tick."""
        for event, limit in self._limits.items():
            for key, count in limit.take_suppressed().items():
                name = _flag(key) if event == "limit_reached" else key or event
                self._logger.log(EVENTS[event].level, "%s: %d more of the same", name, count)

    def _log(self, event: str, **fields: Any) -> None:
        line = EVENTS[event]
        if line.unless_ok and not fields.get("ok", True):
            line = EVENTS[line.unless_ok]
        if not self._logger.isEnabledFor(line.level):
            return
        suppressed = 0
        if line.burst:
            suppressed = self._limits[event].admit(str(fields.get(line.limit_by, "")))
            if suppressed < 0:
                return
        exception = fields.get("exception")
        try:
            text = _text(event, line, fields)
        except Exception as error:
            # An event with fields nobody thought of must not hurt the layer that told of it.
            text = f"{event} {fields} (not formatted: {type(error).__name__}: {error})"
        if suppressed:
            text += f" ({suppressed} more before)"
        with_traceback = line.traceback and isinstance(exception, BaseException)
        self._logger.log(line.level, "%s", text, exc_info=exception if with_traceback else None)


def _text(event: str, line: EventLine, fields: dict[str, Any]) -> str:
    exception = fields.get("exception")
    if isinstance(exception, BaseException):
        fields["exception"] = f"{type(exception).__name__}: {exception}"
        fields.setdefault("message", fields["exception"])
    for name, value in fields.items():
        if type(value) is float:
            fields[name] = f"{value:g}"  # 30.0 s reads 30 s
    if event in _PREPARE:
        _PREPARE[event](fields)
    return line.text.format_map(_Fields(fields))
