"""--log-config in every form, and errors that a user can act on."""

from __future__ import annotations

import builtins
import json
import logging
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from alsvid.errors import ConfigError
from alsvid.observability.log_config import apply_log_config

DICTIONARY: dict[str, Any] = {
    "version": 1,
    "formatters": {"plain": {"format": "CONFIGURED %(message)s"}},
    "handlers": {
        "out": {"class": "logging.StreamHandler", "formatter": "plain", "stream": "ext://sys.stderr"}
    },
    "loggers": {"alsvid": {"handlers": ["out"], "level": "WARNING", "propagate": False}},
}

INI = """
[loggers]
keys=root,alsvid
[handlers]
keys=out
[formatters]
keys=plain
[logger_root]
level=NOTSET
handlers=
[logger_alsvid]
level=WARNING
handlers=out
qualname=alsvid
propagate=0
[handler_out]
class=StreamHandler
formatter=plain
args=(sys.stderr,)
[formatter_plain]
format=CONFIGURED %(message)s
"""

TOML = """
version = 1
[formatters.plain]
format = "CONFIGURED %(message)s"
[handlers.out]
class = "logging.StreamHandler"
formatter = "plain"
stream = "ext://sys.stderr"
[loggers.alsvid]
handlers = ["out"]
level = "WARNING"
propagate = false
"""

YAML = """
version: 1
formatters:
  plain:
    format: "CONFIGURED %(message)s"
handlers:
  out:
    class: logging.StreamHandler
    formatter: plain
    stream: ext://sys.stderr
loggers:
  alsvid:
    handlers: [out]
    level: WARNING
    propagate: false
"""

KINDS = {
    "log.json": json.dumps(DICTIONARY),
    "log.ini": INI,
    "log.conf": INI,
    "log": INI,
    "log.toml": TOML,
    "log.yaml": YAML,
    "log.yml": YAML,
    "LOG.JSON": json.dumps(DICTIONARY),
}


@pytest.fixture(autouse=True)
def _root_logger_restored() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level


@pytest.mark.parametrize("name", KINDS)
def test_a_file_of_each_kind_configures_logging(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """ini, json, yaml and toml, told apart by their suffix; what is none of them is ini."""
    if name.endswith(("yaml", "yml")):
        pytest.importorskip("yaml")
    (tmp_path / name).write_text(KINDS[name])
    apply_log_config(str(tmp_path / name))
    logging.getLogger("alsvid").warning("told")
    logging.getLogger("alsvid").info("not told")
    assert capsys.readouterr().err == "CONFIGURED told\n"


def test_a_dictionary_configures_logging_and_is_not_changed(capsys: pytest.CaptureFixture[str]) -> None:
    """Settings in code may hold the dictionary itself."""
    given = {key: value for key, value in DICTIONARY.items() if key != "version"}
    apply_log_config(given)
    logging.getLogger("alsvid").warning("told")
    assert capsys.readouterr().err == "CONFIGURED told\n"
    assert "version" not in given


@pytest.mark.parametrize("name", KINDS)
def test_loggers_that_exist_already_are_not_silenced(name: str, tmp_path: Path) -> None:
    """logging's default disables every logger that the file does not name."""
    if name.endswith(("yaml", "yml")):
        pytest.importorskip("yaml")
    other = logging.getLogger("alsvid_test_other")
    (tmp_path / name).write_text(KINDS[name])
    apply_log_config(str(tmp_path / name))
    assert not other.disabled


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("log.json", "{", "JSONDecodeError"),
        ("log.json", "[]", "no table of settings"),
        ("log.json", "{}x", "Extra data"),
        ("log.json", '{"version": 2}', "Unsupported version"),
        ("log.json", '{"version": 1, "handlers": {"h": {"class": "nowhere.Handler"}}}', "handler 'h'"),
        ("log.json", '{"version": 1, "loggers": {"alsvid": {"handlers": ["absent"]}}}', "alsvid"),
        ("log.json", '{"version": 1, "root": {"level": "LOUD"}}', "LOUD"),
        ("log.toml", "= 1", "TOMLDecodeError"),
        ("log.toml", "version = 2", "Unsupported version"),
        ("log.toml", b"\xff", "UnicodeDecodeError"),
        ("log.ini", "no section", "contains no section headers"),
        ("log.ini", "[loggers]\nkeys=root\n", "formatters"),
        ("log.ini", "", "log.ini"),
        ("log.yaml", "a: [", "log.yaml"),
        ("log.yaml", "- a", "no table of settings"),
        ("log.yaml", "", "no table of settings"),
    ],
)
def test_a_wrong_file_is_named_with_its_fault(
    name: str, text: str | bytes, reason: str, tmp_path: Path
) -> None:
    """ConfigError: flag, file and what is wrong, in one line."""
    if name.endswith("yaml"):
        pytest.importorskip("yaml")
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(ConfigError) as caught:
        apply_log_config(str(path))
    message = str(caught.value)
    assert message.startswith(f"--log-config {path}: ")
    assert reason in message
    assert "\n" not in message


@pytest.mark.parametrize("name", [*KINDS, "absent/log.json"])
def test_a_file_that_is_not_there_is_an_error(name: str, tmp_path: Path) -> None:
    """Also for ini, where configparser would say nothing."""
    with pytest.raises(ConfigError, match="No such file"):
        apply_log_config(str(tmp_path / name))


@pytest.mark.parametrize("name", ["log.json", "log.ini"])
def test_a_directory_is_an_error(name: str, tmp_path: Path) -> None:
    """The reason is the system's."""
    (tmp_path / name).mkdir()
    with pytest.raises(ConfigError, match="directory"):
        apply_log_config(str(tmp_path / name))


def test_yaml_without_its_package_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PyYAML is no dependency."""
    (tmp_path / "log.yaml").write_text(YAML)
    real = builtins.__import__

    def without_yaml(name: str, *more: Any, **named: Any) -> Any:
        if name == "yaml":
            raise ImportError(name)
        return real(name, *more, **named)

    monkeypatch.delitem(sys.modules, "yaml", raising=False)
    monkeypatch.setattr(builtins, "__import__", without_yaml)
    with pytest.raises(ConfigError, match="PyYAML"):
        apply_log_config(str(tmp_path / "log.yaml"))
