"""`--print-config` and `--check-config`: the settings as they stand, and whether they would serve."""

from __future__ import annotations

import click

from alsvid.config.catalogue import DECLARED, GROUPS
from alsvid.config.settings import Settings
from alsvid.config.values import written


def print_config(settings: Settings) -> None:
    """Print every setting with its source, as an alsvid.toml that leads to the same settings.

    Comments: defaults, so that the file says no more than was said; and what a file should not hold.
    """
    for group, (_, title) in GROUPS.items():
        click.echo(f"# --- {title} ---")
        for declared in DECLARED.values():
            if declared.group != group:
                continue
            value, source = settings.get(declared.name), settings.source(declared.name)
            text = written(declared, value)
            if not text:
                shown = "not set" if value is None else f"a {type(value).__name__}"
                click.echo(f"# {declared.name}: {shown}  # {source}")
            else:
                mark = "# " if declared.option.secret or source == "default" else ""
                click.echo(f"{mark}{declared.name} = {text}  # {source}")
        click.echo()


def check_config(settings: Settings) -> None:
    """Do what a start would do before it listens: load certificates, import the application.

    Raises: ConfigError, ApplicationImportError.
    """
    from alsvid.net.tls import TlsContexts, wants_tls
    from alsvid.server.importer import load_application

    if wants_tls(settings.tls):
        TlsContexts(settings.tls)
    _, interface = load_application(settings.application)
    kind = {"asgi3": "ASGI 3", "asgi2": "ASGI 2"}[interface]
    click.echo(f"alsvid: the configuration is good; {settings.application.app} is an {kind} application")
