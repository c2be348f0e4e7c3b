"""`Settings`: the settings of every layer, with the source of each.

Owns composition and checking: a value goes through here whatever source it came from, and all that is wrong
is reported at once. It reads no file but the one of `env_file`; `config/loader.py` reads the other sources.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from alsvid.asgi.settings import AsgiSettings, ForwardedSettings
from alsvid.config.catalogue import DECLARED, GROUPS, NAMES, near_matches
from alsvid.config.checks import contradictions
from alsvid.config.environment import process_environment
from alsvid.config.sources import Findings, Given, Layer, by_name, described
from alsvid.config.values import convert
from alsvid.errors import ConfigError
from alsvid.net.settings import ConnectionSettings, ListenSettings, ProxyProtocolSettings, TlsSettings
from alsvid.observability.settings import LogSettings
from alsvid.protocol.http.settings import HttpSettings
from alsvid.protocol.http1.settings import Http1Settings
from alsvid.server.settings import ApplicationSettings, ProcessSettings

# What tells where to listen. A source that gives one of them sets aside what weaker ones say of the others.
_ADDRESSES = ("bind", "uds", "fd", "host", "port")


class Settings:
    """All settings of a server, checked, in one group for each layer.

    Made flat, `Settings(app="main:app", port=9000)`, with the names of the options page or any accepted
    spelling (`timeout_keep_alive`); neither files nor the environment are read then. None means the default.
    Read by group, `settings.listen.port`, or flat, `settings.get("port")`.

    `environment` holds the variables of `env_file` and `env` that `apply_to_process` will set; `notices`
    are texts that a user should see once.

    Raises: ConfigError with everything that is wrong.
    """

    __slots__ = (
        "_sources",
        "application",
        "asgi",
        "connection",
        "environment",
        "forwarded",
        "http",
        "http1",
        "listen",
        "log",
        "notices",
        "process",
        "proxy_protocol",
        "tls",
    )

    application: ApplicationSettings
    listen: ListenSettings
    process: ProcessSettings
    asgi: AsgiSettings
    connection: ConnectionSettings
    http: HttpSettings
    http1: Http1Settings
    tls: TlsSettings
    forwarded: ForwardedSettings
    proxy_protocol: ProxyProtocolSettings
    log: LogSettings

    def __init__(self, app: Any = None, **values: Any) -> None:
        findings = Findings()
        layer = by_name({"app": app, **values}.items(), "argument", findings)
        environment, _ = process_environment([layer], os.environ, "", findings)
        self._fill([layer], environment, findings)

    @classmethod
    def from_layers(
        cls, layers: Sequence[Layer], environment: Mapping[str, str], findings: Findings
    ) -> Settings:
        """Return the settings that `layers`, strongest first, give; for the loader.

        Raises: ConfigError with everything that is wrong, what the caller found before included.
        """
        settings = cls.__new__(cls)
        settings._fill(layers, environment, findings)
        return settings

    def _fill(self, layers: Sequence[Layer], environment: Mapping[str, str], findings: Findings) -> None:
        given = _strongest(layers, findings)
        values, failed = _converted(given, findings)
        if not failed:
            # A contradiction between a value and the default that stands in for a broken one is none.
            sources = {name: found.source for name, found in given.items()}
            findings.problems += contradictions(
                values, sources, lambda name: described(DECLARED[name], given.get(name))
            )
        if findings.problems:
            raise ConfigError(*findings.problems)
        grouped: dict[str, dict[str, Any]] = {group: {} for group in GROUPS}
        for name in given:
            grouped[DECLARED[name].group][name] = values[name]
        for group, (settings_class, _) in GROUPS.items():
            setattr(self, group, settings_class(**grouped[group]))
        self._sources = {name: found.source for name, found in given.items()}
        self.environment = dict(environment)
        self.notices = tuple(findings.notices)

    def get(self, name: str) -> Any:
        """Return the value of a setting by any of its names; raises ConfigError for an unknown one."""
        declared = DECLARED[_known(name)]
        return getattr(getattr(self, declared.group), declared.name)

    def source(self, name: str) -> str:
        """Return where the value came from.

        A flag such as "--port", "environment ALSVID_PORT", "file alsvid.toml", "argument" or "default".
        Raises: ConfigError for an unknown name.
        """
        return self._sources.get(_known(name), "default")

    def __iter__(self) -> Iterator[tuple[str, Any]]:
        """Yield (name, value) of every setting, in the order of the options page."""
        for name in DECLARED:
            yield name, self.get(name)

    def __repr__(self) -> str:
        shown = (
            f"{name}={'***' if DECLARED[name].option.secret else repr(self.get(name))}"
            for name in self._sources
        )
        return f"Settings({', '.join(shown)})"

    def apply_to_process(self) -> None:
        """Set the variables of `environment` and change to the directory `chdir`; harmless when repeated.

        Call it before the application is imported.
        """
        os.environ.update(self.environment)
        if self.application.chdir:
            os.chdir(self.application.chdir)


def _known(name: str) -> str:
    try:
        return NAMES[name]
    except KeyError:
        raise ConfigError(f"{name}: unknown setting{near_matches(name, list(NAMES))}") from None


def _strongest(layers: Sequence[Layer], findings: Findings) -> dict[str, Given]:
    """Return what was given, each from the strongest layer, in the order of the options page."""
    merged: dict[str, Given] = {}
    for layer in reversed(layers):
        merged.update(layer)
    _keep_strongest_address(layers, merged, findings)
    return {name: merged[name] for name in DECLARED if name in merged}


def _keep_strongest_address(layers: Sequence[Layer], merged: dict[str, Given], findings: Findings) -> None:
    for layer in layers:
        named = [name for name in _ADDRESSES if name in layer]
        if not named:
            continue
        places = [name for name in named if name not in ("host", "port")]
        if places and len(places) < len(named):
            beside = next(name for name in named if name not in places)
            findings.problems.append(
                f"{described(DECLARED[beside], layer[beside])}: expected not to stand beside "
                f"{described(DECLARED[places[0]], layer[places[0]])}; name every address with --bind"
            )
        # A port of the command line goes with a host of the file; its Unix socket goes with neither.
        kept = places or ["host", "port"]
        for name in _ADDRESSES:
            if name not in kept:
                merged.pop(name, None)
        return


def _converted(given: Mapping[str, Given], findings: Findings) -> tuple[dict[str, Any], bool]:
    values = {name: declared.default for name, declared in DECLARED.items()}
    failed = False
    for name, found in given.items():
        declared = DECLARED[name]
        try:
            values[name] = convert(declared, found.value)
        except ValueError as error:
            failed = True
            findings.problems.append(f"{described(declared, found)}: expected {error}{_hint(name, found)}")
    if values["chdir"]:
        # Absolute, so that changing to it twice does no harm.
        values["chdir"] = os.path.abspath(values["chdir"])
    return values, failed


def _hint(name: str, found: Given) -> str:
    if name == "port" and str(found.value).startswith("tcp://"):
        return (
            ". Kubernetes sets such a variable for a service of this name: rename the service, or set "
            "enableServiceLinks to false"
        )
    return ""
