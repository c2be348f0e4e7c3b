"""The settings of one server process: which application it runs, and how the process is set up.

Owns their declaration; imports no application and changes nothing of the process.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from alsvid.options import option

_LOOP_FACTORY = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*(\.[^\W\d]\w*)*")
_ENV_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def _parse_app(value: Any) -> Any:
    if isinstance(value, str):
        if not value or value.startswith("-") or any(c in value for c in "\r\n\0"):
            raise ValueError("MODULE:ATTRIBUTE, such as main:app")
        return value
    if not callable(value):
        raise ValueError("MODULE:ATTRIBUTE or a callable")
    return value


def _parse_interface(value: Any) -> str:
    text = str(value).lower()
    if text == "wsgi":
        raise ValueError("auto, asgi3 or asgi2; WSGI applications are not supported by this version")
    if text not in ("auto", "asgi3", "asgi2"):
        raise ValueError("auto, asgi3 or asgi2")
    return text


def _parse_loop(value: Any) -> str:
    text = str(value)
    if text.lower() in ("auto", "asyncio", "uvloop"):
        return text.lower()
    if not _LOOP_FACTORY.fullmatch(text):
        raise ValueError("auto, asyncio, uvloop or MODULE:FACTORY")
    return text


def _check_assignment(value: Any) -> str:
    if isinstance(value, tuple) and len(value) == 2:  # of a caller's dictionary
        value = f"{value[0]}={value[1]}"
    name, equals, content = value.partition("=") if isinstance(value, str) else ("", "", "")
    if not equals or not _ENV_NAME.fullmatch(name) or "\0" in content:
        raise ValueError("NAME=VALUE, the name made of letters, digits and _")
    return str(value)


@dataclass(slots=True, kw_only=True)
class ApplicationSettings:
    """Which application to serve."""

    app: str | Callable[..., Any] | None = option(  # noqa: RUF009  (it makes a field)
        None,
        doc="The application: MODULE:ATTRIBUTE, or MODULE:FACTORY() with literal arguments.",
        metavar="APP",
        parse=_parse_app,
    )
    factory: bool = option(
        False,
        "--factory",
        doc="APP names a function that takes no argument and returns the application.",
    )
    app_dir: str = option(
        "",
        "--app-dir",
        doc="Directory to import the application from; the working directory where not given.",
        metavar="DIRECTORY",
    )
    chdir: str = option(
        "",
        "--chdir",
        doc="Change to this directory before the application is imported.",
        metavar="DIRECTORY",
    )
    interface: str = option(
        "auto",
        "--interface",
        doc="Kind of application: auto looks at it; asgi3 or asgi2 say it.",
        metavar="WORD",
        parse=_parse_interface,
    )


@dataclass(slots=True, kw_only=True)
class ProcessSettings:
    """How the process runs."""

    loop: str = option(
        "auto",
        "--loop",
        "--asgi-loop",
        doc="Event loop: auto (uvloop where installed), asyncio, uvloop, or a MODULE:FACTORY that makes one.",
        metavar="WORD",
        parse=_parse_loop,
    )
    graceful_timeout: float = option(
        30.0,
        "--graceful-timeout",
        "--timeout-graceful-shutdown",
        doc="How long requests under way may go on after a stop was asked for.",
        unit="s",
        minimum=0,
        danger="A stop, and with it every deployment, may take that long.",
    )
    env_file: str | None = option(
        None,
        "--env-file",
        doc="File of NAME=VALUE lines for the environment; what is already set there stays.",
        metavar="FILE",
    )
    env: tuple[str, ...] = option(
        (),
        "--env",
        "-e",
        doc="Variable to set in the environment before the application is imported; repeatable.",
        metavar="NAME=VALUE",
        multiple=True,
        in_environment=False,
        secret=True,  # what applications are told this way is often a password
        parse=_check_assignment,
    )
    pid: str | None = option(
        None, "--pid", "-p", doc="File to write the process id to; removed at the end.", metavar="FILE"
    )
    user: str | None = option(
        None,
        "--user",
        "-u",
        doc="User, by name or number, to become once the listeners are open.",
        metavar="USER",
    )
    group: str | None = option(
        None,
        "--group",
        "-g",
        doc="Group, by name or number, to become once the listeners are open.",
        metavar="GROUP",
    )
    umask: int | None = option(
        None,
        "--umask",
        "-m",
        doc="File mode mask of the process; Unix sockets have --uds-mode instead.",
        metavar="OCTAL",
        minimum=0,
        maximum=0o777,
        octal=True,
    )
