"""Applies --log-config: a file for logging.config in ini, json, yaml or toml, or a dictionary."""

from __future__ import annotations

import json
import logging.config
import os
import tomllib
from collections.abc import Callable
from typing import Any

from alsvid.errors import ConfigError

_FLAG = "--log-config"


def apply_log_config(config: Any) -> None:
    """Configure `logging` by a file's path or a dictionary.

    Loggers that exist already stay enabled unless the configuration says otherwise: logging's own default
    would silence every library that was imported before.
    Raises: ConfigError, naming the file and the fault.
    """
    if isinstance(config, dict):
        _apply(dict(config), "the dictionary")
        return
    path = os.fspath(config)
    suffix = os.path.splitext(path)[1].lower()
    try:
        if suffix not in _READERS:
            _check_readable(path)
            logging.config.fileConfig(path, disable_existing_loggers=False)
            return
        with open(path, "rb") as file:
            loaded = _READERS[suffix](file.read())
    except ConfigError:
        raise
    except OSError as error:
        raise ConfigError(f"{_FLAG} {path}: {error.strerror or error}") from error
    except Exception as error:
        # configparser, json, tomllib and yaml each have errors of their own, a handler's constructor any.
        raise ConfigError(f"{_FLAG} {path}: {_reason(error)}") from error
    if not isinstance(loaded, dict):
        raise ConfigError(f"{_FLAG} {path}: holds no table of settings for logging.config.dictConfig")
    _apply(loaded, path)


def _apply(config: dict[str, Any], source: str) -> None:
    config.setdefault("version", 1)
    config.setdefault("disable_existing_loggers", False)
    try:
        logging.config.dictConfig(config)
    except Exception as error:
        raise ConfigError(f"{_FLAG} {source}: {_reason(error)}") from error


def _reason(error: Exception) -> str:
    # dictConfig says "Unable to configure handler 'x'" and chains what was wrong with it.
    cause = f": {error.__cause__}" if error.__cause__ is not None else ""
    return f"{type(error).__name__}: {error}{cause}".replace("\n", " ")


def _check_readable(path: str) -> None:
    # configparser passes over a file that is not there.
    with open(path, "rb"):
        pass


def _read_toml(data: bytes) -> Any:
    return tomllib.loads(data.decode())


def _read_yaml(data: bytes) -> Any:
    try:
        import yaml
    except ImportError as error:
        raise ConfigError(f"{_FLAG}: YAML needs the package PyYAML; json, toml and ini need none") from error
    return yaml.safe_load(data)


_READERS: dict[str, Callable[[bytes], Any]] = {
    ".json": json.loads,
    ".toml": _read_toml,
    ".yaml": _read_yaml,
    ".yml": _read_yaml,
}
