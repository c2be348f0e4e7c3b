"""The command: from arguments to settings, and from settings to an exit status.

Owns the options of the command line, one for each spelling of each declared setting, so that every message
can name what the user typed. Click parses; values are converted and checked in `config`, so that everything
that is wrong is told at once.

    exit status   0 clean stop     1 crash     2 usage or configuration
                  3 the server could not start     4 the application could not be imported
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import click

from alsvid.cli.help import format_help
from alsvid.config.catalogue import DECLARED, Declared
from alsvid.config.loader import load_settings
from alsvid.config.peers import ABSENT, WITHOUT_EFFECT, Absent, WithoutEffect, absence
from alsvid.config.settings import Settings
from alsvid.config.sources import Findings, Given, Layer, check_without_effect
from alsvid.errors import AlsvidError, ApplicationImportError, ConfigError, StartupError

_COMMAND_LINE = click.core.ParameterSource.COMMANDLINE


class _Spelling(click.Option):
    """One flag: of a declared setting, of one that is accepted without effect, or of one that is absent."""

    def __init__(self, flag: str, name: str, subject: Declared | WithoutEffect | Absent, **more: Any) -> None:
        super().__init__([flag, name], **more)
        self.flag = flag.partition("/")[0]
        self.subject = subject


class _Command(click.Command):
    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        format_help(ctx, formatter)


def run(arguments: Sequence[str] | None = None, serve: Callable[[Settings], int] | None = None) -> int:
    """Parse `arguments`, by default those of the process, and serve; return the exit status.

    `serve` runs the server and returns its exit status; by default `alsvid.server.main.run_settings`.
    """
    arguments = sys.argv[1:] if arguments is None else arguments
    try:
        settings = _settings_to_serve(list(arguments))
        return 0 if settings is None else (serve or _serve)(settings)
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except AlsvidError as error:
        tell_error(error)
        return _status_of(error)


def _serve(settings: Settings) -> int:
    from alsvid.server.main import run_settings  # the server is loaded only to serve

    return run_settings(settings)


def _program_name() -> str:
    return "python -m alsvid" if os.path.basename(sys.argv[0]) == "__main__.py" else "alsvid"


def _settings_to_serve(arguments: list[str]) -> Settings | None:
    """Return the settings to serve with, or None where a text was all that was asked for."""
    try:
        with _build().make_context(_program_name(), arguments) as context:
            return _obey(context)
    except BrokenPipeError:
        # Whoever read --help or --print-config has gone; the interpreter must not try to flush once more.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        raise click.exceptions.Exit(1) from None


def _obey(context: click.Context) -> Settings | None:
    findings = Findings()
    flags = _given(context, findings)
    settings = load_settings(
        flags,
        config_file=context.params["config"],
        findings=findings,
        app_required=not context.params["print_config"],
    )
    for notice in settings.notices:
        click.echo(f"alsvid: notice: {notice}", err=True)
    if context.params["print_config"]:
        from alsvid.cli.report import print_config

        print_config(settings)
        return None
    settings.apply_to_process()
    if context.params["check_config"]:
        from alsvid.cli.report import check_config

        check_config(settings)
        return None
    return settings


# --- what was typed -----------------------------------------------------------------------------------------


def _given(context: click.Context, findings: Findings) -> Layer:
    """Return what the command line gives, by the settings' names; of two spellings the later one counts."""
    layer: Layer = {}
    spellings = {each.name: each for each in context.command.params}
    # Click fills `params` in the order in which options were typed.
    for name, value in context.params.items():
        parameter = spellings[name]
        if context.get_parameter_source(name) is not _COMMAND_LINE:
            continue
        if not isinstance(parameter, _Spelling):
            if name == "app":
                layer["app"] = Given(value, "command line")
            continue
        subject = parameter.subject
        if isinstance(subject, Absent):
            if not subject.is_off(value):
                findings.problems.append(f"{absence(parameter.flag, subject)} (command line)")
        elif isinstance(subject, WithoutEffect):
            check_without_effect(parameter.flag, value, "command line", findings)
        elif subject.option.multiple:
            before = layer[subject.name].value if subject.name in layer else ()
            layer[subject.name] = Given((*before, *value), parameter.flag)
        else:
            flag = parameter.secondary_opts[0] if value is False else parameter.flag
            layer[subject.name] = Given(value, flag)
    return layer


def _build() -> _Command:
    return _Command(
        "alsvid",
        params=list(_parameters()),
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    )


def _parameters() -> Iterator[click.Parameter]:
    for declared in DECLARED.values():
        if not declared.option.flags:
            yield click.Argument([declared.name], required=False, type=click.UNPROCESSED)
        for number, flag in enumerate(declared.option.flags):
            name = f"{declared.name}__{number}"
            if declared.is_bool:
                yield _Spelling(f"{flag}/--no-{flag[2:]}", name, declared, default=None)
            else:
                yield _Spelling(
                    flag, name, declared, type=click.UNPROCESSED, multiple=declared.option.multiple
                )
    for place, taken in enumerate(WITHOUT_EFFECT):
        for number, flag in enumerate(taken.flags):
            yield _Spelling(flag, f"without_effect_{place}_{number}", taken, type=click.UNPROCESSED)
    for place, absent in enumerate(ABSENT):
        for number, flag in enumerate(absent.flags):
            name = f"absent_{place}_{number}"
            if absent.takes_value:
                yield _Spelling(flag, name, absent, type=click.UNPROCESSED)
            elif flag.startswith("--") and not flag.startswith("--no-"):
                yield _Spelling(f"{flag}/--no-{flag[2:]}", name, absent, default=None)
            else:
                yield _Spelling(flag, name, absent, is_flag=True)
    yield click.Option(["-c", "--config"], metavar="FILE", help="Read settings from this TOML file.")
    yield click.Option(["--check-config"], is_flag=True)
    yield click.Option(["--print-config"], is_flag=True)
    yield click.Option(
        ["-v", "--version"], is_flag=True, is_eager=True, expose_value=False, callback=_print_version
    )


def _print_version(context: click.Context, _: click.Parameter, value: bool) -> None:
    if value:
        from alsvid import __version__

        python = ".".join(map(str, sys.version_info[:3]))
        click.echo(f"alsvid {__version__} ({sys.implementation.name} {python}, {sys.platform})")
        context.exit()


# --- what went wrong ----------------------------------------------------------------------------------------


def _status_of(error: AlsvidError) -> int:
    if isinstance(error, ConfigError):
        return 2
    if isinstance(error, StartupError):
        return 3
    return 4 if isinstance(error, ApplicationImportError) else 1


def tell_error(error: AlsvidError) -> None:
    """Write an error to standard error, with the traceback of the application where its code failed."""
    if isinstance(error, ApplicationImportError) and error.__cause__ is not None:
        import traceback

        with contextlib.suppress(OSError):
            traceback.print_exception(error.__cause__)
    for problem in error.problems if isinstance(error, ConfigError) else (str(error),):
        click.echo(f"alsvid: error: {problem}", err=True)
