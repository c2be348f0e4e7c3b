"""Loads settings as the command line does: flags > environment > file > defaults.

Owns the order of the sources and the variables that are more than a setting (PORT). Nothing of the process
is changed here: `Settings.apply_to_process` does that.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

from alsvid.config.catalogue import DECLARED
from alsvid.config.environment import environment_source, process_environment, read_environment
from alsvid.config.settings import Settings
from alsvid.config.sources import Findings, Given, Layer, read_file


def load_settings(
    flags: Layer,
    *,
    config_file: str | None = None,
    environ: Mapping[str, str] | None = None,
    directory: str = "",
    findings: Findings | None = None,
    app_required: bool = False,
) -> Settings:
    """Return the settings that flags, environment and file give together.

    flags        what the command line gave, by the settings' names, each with its spelling as source
    config_file  path of `-c`; without it ALSVID_CONFIG, alsvid.toml and pyproject.toml are looked for
    directory    where they are looked for; "" is the working directory
    app_required a configuration without an application is a problem

    Raises: ConfigError with everything that is wrong, `findings.problems` included.
    """
    environ = os.environ if environ is None else environ
    findings = Findings() if findings is None else findings
    in_file = read_file(config_file or environ.get("ALSVID_CONFIG") or None, directory, findings)
    environment, origin = process_environment(
        [flags, _env_file_of(environ), in_file], environ, directory, findings
    )
    effective = {**environ, **environment}
    in_environment = read_environment(effective, origin, findings)
    layers = [flags, in_environment, in_file]
    if app_required and not any("app" in layer for layer in layers):
        findings.problems.append("APP (default): expected the application to serve, such as main:app")
    weakest = _port_variable(layers, effective, origin)
    return Settings.from_layers([*layers, weakest], environment, findings)


def _env_file_of(environ: Mapping[str, str]) -> Layer:
    name = DECLARED["env_file"].environment_names[0]
    return {"env_file": Given(environ[name], f"environment {name}")} if environ.get(name) else {}


def _port_variable(layers: Sequence[Layer], environ: Mapping[str, str], origin: Mapping[str, str]) -> Layer:
    """Return 0.0.0.0:$PORT, as hosting platforms want it, unless something tells where to listen."""
    port = environ.get("PORT")
    named = {name for layer in layers for name in layer}
    if not port or named & {"bind", "uds", "fd", "port"}:
        return {}
    source = environment_source("PORT", origin)
    return {"host": Given("0.0.0.0", source), "port": Given(port, source)}
