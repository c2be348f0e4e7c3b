"""The settings of the server's logs. Owns their declaration; writes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from alsvid.errors import ConfigError
from alsvid.options import option


def _parse_log_config(value: Any) -> Any:
    if isinstance(value, dict) or (isinstance(value, str) and value):
        return value
    raise ValueError("a file (.ini, .json, .yaml, .toml) or a dictionary for logging.config")


def _parse_access_format(value: Any) -> str:
    text = str(value)
    if text.lower() in ("default", "short", "combined", "json"):
        return text.lower()
    forms = 'default, short, combined, json, or a line of atoms such as %(h)s "%(r)s" %(s)s'
    # A text without atoms would write the same line for every request.
    if "%(" not in text:
        raise ValueError(forms)
    from alsvid.observability.access_atoms import compile_format  # only for a format of the user's own

    try:
        compile_format(text)
    except ConfigError as error:
        raise ValueError(f"{forms} ({str(error).removeprefix('--access-logformat: ')})") from None
    return text


@dataclass(slots=True, kw_only=True)
class LogSettings:
    """What is logged, where and how."""

    log_level: str = option(
        "info",
        "--log-level",
        doc="Least level of the server's log.",
        choices=("critical", "error", "warning", "info", "debug", "trace"),
        danger="debug and trace write data of requests.",
    )
    log_config: str | dict[str, Any] | None = option(  # noqa: RUF009  (it makes a field)
        None,
        "--log-config",
        doc="Logging configuration for logging.config: .ini, .json, .yaml or .toml.",
        metavar="FILE",
        parse=_parse_log_config,
    )
    access_log: bool = option(True, "--access-log", doc="Write one line for each request.")
    access_logfile: str = option(
        "-", "--access-logfile", doc="File of the access log; - is standard output.", metavar="FILE"
    )
    access_logformat: str = option(
        "default",
        "--access-logformat",
        doc="Form of the access log: default, short, combined, json, or a text of atoms such as %(h)s.",
        metavar="FORMAT",
        parse=_parse_access_format,
        danger="Atoms such as %({authorization}i)s write secrets to the log.",
    )
    error_logfile: str = option(
        "-",
        "--error-logfile",
        "--log-file",
        doc="File of the server's log; - is standard error.",
        metavar="FILE",
    )
    use_colors: bool | None = option(
        None, "--use-colors", doc="Colour the logs; where not said, on terminals only."
    )
