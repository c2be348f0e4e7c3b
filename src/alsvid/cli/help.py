"""The text of `--help`, one section for each layer's settings. Owns layout alone."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

import click

from alsvid.config.catalogue import DECLARED, GROUPS, Declared
from alsvid.config.values import default_text

_COLUMN = 32  # where the explanations begin
_UNIT_WORDS = {"s": "SECONDS", "octets": "OCTETS", "octets/s": "RATE"}
_INTRODUCTION = (
    "Serve the ASGI application APP, MODULE:ATTRIBUTE or MODULE:FACTORY(), over HTTP.",
    "Every option is also read from ALSVID_<NAME> in the environment and from alsvid.toml (or [tool.alsvid] "
    "in pyproject.toml): --log-level is ALSVID_LOG_LEVEL and log_level. The command line is stronger than "
    "the environment, the environment than the file.",
)
_COMMAND_ROWS = (
    ("-c, --config FILE", "Read settings from this TOML file."),
    ("--check-config", "Check the configuration, load certificates, import the application, and stop."),
    ("--print-config", "Print every setting with its source, in the form of alsvid.toml, and stop."),
    ("-v, --version", "Print the version and stop."),
    ("-h, --help", "Print this text and stop."),
)


def format_help(context: click.Context, formatter: click.HelpFormatter) -> None:
    """Write the whole help text to `formatter`."""
    formatter.write_usage(context.command_path, "APP [OPTIONS]")
    for paragraph in _INTRODUCTION:
        formatter.write(f"\n{_filled(paragraph, formatter.width, 2)}\n")
    for group, (_, title) in GROUPS.items():
        declared = [each for each in DECLARED.values() if each.group == group]
        _write_section(formatter, title, [(_spelled(each), _explained(each)) for each in declared])
    _write_section(formatter, "Command", _COMMAND_ROWS)


def _write_section(formatter: click.HelpFormatter, title: str, rows: Sequence[tuple[str, str]]) -> None:
    formatter.write(f"\n{title}:\n")
    for spelled, explained in rows:
        text = _filled(explained, formatter.width, _COLUMN)
        # A spelling that is too long for its column stands on a line of its own.
        beside = len(spelled) + 4 <= _COLUMN
        formatter.write(
            f"  {spelled.ljust(_COLUMN - 2)}{text.lstrip()}\n" if beside else f"  {spelled}\n{text}\n"
        )


def _filled(text: str, width: int, indent: int) -> str:
    # Not click's own layout: that breaks lines inside of flags, at their hyphens.
    margin = " " * indent
    return textwrap.fill(
        text,
        width,
        initial_indent=margin,
        subsequent_indent=margin,
        break_on_hyphens=False,
        break_long_words=False,
    )


def placeholder(declared: Declared) -> str:
    """Return what stands for the value: "PORT", "SECONDS", "off|v1|v2|auto"."""
    option = declared.option
    if option.metavar:
        return option.metavar
    if option.choices and len(option.choices) <= 4:
        return "|".join(option.choices)
    if option.choices:
        return "WORD"
    return _UNIT_WORDS.get(option.unit) or (
        "NUMBER" if declared.kind.startswith(("int", "float")) else "TEXT"
    )


def _spelled(declared: Declared) -> str:
    flags = declared.option.flags
    if not flags:
        return declared.option.metavar
    if declared.is_bool:
        return f"{flags[0]} / --no-{flags[0][2:]}"
    short = [flag for flag in flags if not flag.startswith("--")]
    return f"{', '.join([*short, flags[0]])} {placeholder(declared)}"


def _explained(declared: Declared) -> str:
    option = declared.option
    parts = [option.doc]
    if len(option.choices) > 4:
        parts.append(f"One of {', '.join(option.choices)}.")
    others = [flag for flag in option.flags[1:] if flag.startswith("--")]
    if others:
        parts.append(f"Also {', '.join(others)}.")
    default = default_text(declared)
    if default:
        parts.append(f"[default: {default}]")
    return " ".join(parts)
