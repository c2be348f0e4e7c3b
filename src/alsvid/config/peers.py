"""Spellings of other servers that Alsvid knows but does not take, and what to say about each.

An option that is not built yet is absent, not ignored; a user who types it learns so in one line, not from
"no such option". Once an option is built its line here goes.
"""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True, slots=True)
class Absent:
    """An option that is not there: `advice` completes "<flag> is not available in this version".

    `off` are the values that ask for nothing that is missing ("--workers 1"): they are taken. For an option
    without value that is its "--no-…" form.
    """

    flags: tuple[str, ...]
    takes_value: bool = True
    advice: str = ""
    off: tuple[str, ...] = ()

    def is_off(self, value: object) -> bool:
        return str(value).lower() in self.off if self.takes_value else value is False


@dataclasses.dataclass(frozen=True, slots=True)
class WithoutEffect:
    """An option that is taken with one of `values`, because leaving it out means the same."""

    name: str
    flags: tuple[str, ...]
    values: tuple[str, ...]
    notice: str


WITHOUT_EFFECT: tuple[WithoutEffect, ...] = (
    WithoutEffect(
        "worker_class",
        ("-k", "--worker-class"),
        (
            "uvicorn.workers.UvicornWorker",
            "uvicorn.workers.UvicornH11Worker",
            "uvicorn_worker.UvicornWorker",
            "uvicorn_worker.UvicornH11Worker",
            "asgi",
            "sync",
            "gthread",
        ),
        "has no effect: Alsvid has one kind of worker",
    ),
    WithoutEffect(
        "http",
        ("--http",),
        ("auto", "h11", "httptools"),
        "has no effect: Alsvid has one HTTP implementation, its own",
    ),
)

_WEBSOCKET = "WebSocket is not built yet"
_ONE_PROCESS = "it runs one process"
_RELOAD = "the reloader is not built yet"
_HTTP2 = "HTTP/2 is not built yet"
_LENIENT = "Alsvid parses strictly, without exceptions"
_SYSLOG = "use --log-config with a SysLogHandler"

ABSENT: tuple[Absent, ...] = (
    Absent(("--workers", "-w"), advice=_ONE_PROCESS, off=("1",)),
    Absent(("--threads",), advice="WSGI is not built yet", off=("1",)),
    Absent(("--max-requests", "--limit-max-requests"), advice=_ONE_PROCESS, off=("0",)),
    Absent(("--max-requests-jitter", "--limit-max-requests-jitter"), advice=_ONE_PROCESS, off=("0",)),
    Absent(("--preload", "--preload-app"), takes_value=False, advice=_ONE_PROCESS),
    Absent(
        ("--worker-healthcheck-timeout", "--timeout-worker-healthcheck", "--timeout", "-t"),
        advice=_ONE_PROCESS,
    ),
    Absent(("--worker-connections",), advice="use --limit-connections"),
    Absent(("--worker-tmp-dir",), advice=_ONE_PROCESS),
    Absent(("--reload",), takes_value=False, advice=_RELOAD),
    Absent(("--reload-dir",), advice=_RELOAD),
    Absent(("--reload-include",), advice=_RELOAD),
    Absent(("--reload-exclude",), advice=_RELOAD),
    Absent(("--reload-delay",), advice=_RELOAD),
    Absent(("--reload-extra-file",), advice=_RELOAD),
    Absent(("--reload-engine",), advice=_RELOAD),
    Absent(("--http2",), takes_value=False, advice=_HTTP2),
    Absent(("--http2-cleartext",), takes_value=False, advice=_HTTP2),
    Absent(("--http-protocols",), advice=_HTTP2),
    Absent(("--ws",), advice=_WEBSOCKET, off=("none",)),
    Absent(("--ws-max-size",), advice=_WEBSOCKET),
    Absent(("--ws-max-queue",), advice=_WEBSOCKET),
    Absent(("--ws-ping-interval",), advice=_WEBSOCKET),
    Absent(("--ws-ping-timeout",), advice=_WEBSOCKET),
    Absent(("--ws-per-message-deflate",), advice=_WEBSOCKET),
    Absent(("--ssl-version",), advice="use --ssl-min-version"),
    Absent(("--suppress-ragged-eofs",), takes_value=False),
    Absent(("--do-handshake-on-connect",), takes_value=False),
    Absent(("--name", "-n"), advice="the title of the process is not set"),
    Absent(("--daemon", "-D"), takes_value=False, advice="let a service manager start it in the background"),
    Absent(("--pythonpath",), advice="use --app-dir, or the variable PYTHONPATH"),
    Absent(("--paste", "--paster"), advice="WSGI is not built yet"),
    Absent(("--initgroups",), takes_value=False),
    Absent(("--no-sendfile",), takes_value=False),
    Absent(("--spew",), takes_value=False),
    Absent(("--capture-output",), takes_value=False),
    Absent(("--logger-class",), advice="use --log-config"),
    Absent(("--log-config-json",), advice="use --log-config, which takes JSON as well"),
    Absent(("--log-syslog",), takes_value=False, advice=_SYSLOG),
    Absent(("--log-syslog-to",), advice=_SYSLOG),
    Absent(("--log-syslog-prefix",), advice=_SYSLOG),
    Absent(("--log-syslog-facility",), advice=_SYSLOG),
    Absent(("--disable-redirect-access-to-syslog",), takes_value=False, advice=_SYSLOG),
    Absent(("--enable-stdio-inheritance", "-R"), takes_value=False),
    Absent(("--statsd-host",)),
    Absent(("--statsd-prefix",)),
    Absent(("--dogstatsd-tags",)),
    Absent(("--permit-obsolete-folding",), takes_value=False, advice=_LENIENT),
    Absent(("--strip-header-spaces",), takes_value=False, advice=_LENIENT),
    Absent(("--permit-unconventional-http-method",), takes_value=False, advice=_LENIENT),
    Absent(("--permit-unconventional-http-version",), takes_value=False, advice=_LENIENT),
    Absent(("--casefold-http-method",), takes_value=False, advice=_LENIENT),
    Absent(("--header-map",), advice=_LENIENT),
    Absent(("--forwarder-headers",)),
)


def absence(flag: str, absent: Absent) -> str:
    """Return what a user is told who gave `flag`."""
    return f"{flag} is not available in this version" + (f": {absent.advice}" if absent.advice else "")
