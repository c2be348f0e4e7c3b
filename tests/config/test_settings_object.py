"""`Settings` as callers make and read it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from alsvid.config import Settings
from alsvid.config.catalogue import DECLARED
from alsvid.errors import ConfigError


def problems(**values: Any) -> list[str]:
    with pytest.raises(ConfigError) as refused:
        Settings(**values)
    return list(refused.value.problems)


def test_settings_are_given_flat_and_read_by_group() -> None:
    """Requirement: Settings(app="x:app", port=9000)."""
    settings = Settings(app="x:app", port=9000)
    assert settings.application.app == "x:app"
    assert settings.listen.port == settings.get("port") == 9000
    assert (settings.source("port"), settings.source("host")) == ("argument", "default")


def test_neither_environment_nor_file_is_read(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Requirement: a caller's settings are what the caller says."""
    monkeypatch.setenv("ALSVID_PORT", "1")
    (directory / "alsvid.toml").write_text("port = 2\n")
    assert Settings().listen.port == 8000


def test_the_application_may_be_a_callable() -> None:
    """Requirement: alsvid.run(app)."""
    assert Settings(print).application.app is print


@pytest.mark.parametrize("name", ["keep_alive", "timeout_keep_alive"])
def test_keywords_may_be_any_spelling(name: str) -> None:
    """Requirement: the keywords of other servers are accepted as their flags are."""
    settings = Settings(**{name: 3})
    assert settings.connection.keep_alive == settings.get(name) == 3
    assert settings.source(name) == "argument"


@pytest.mark.parametrize("name", DECLARED)
def test_none_means_the_default(name: str) -> None:
    """Requirement: callers pass their own unset values on."""
    settings = Settings(**{name: None})
    assert settings.get(name) == DECLARED[name].default
    assert settings.source(name) == "default"


def test_every_setting_is_listed_once() -> None:
    """Requirement: iteration gives names and values of all settings."""
    assert dict(Settings(port=1)) == {name: each.default for name, each in DECLARED.items()} | {"port": 1}


UNKNOWN = [
    ("prot", "prot (argument): unknown setting; did you mean port?"),
    ("zzz", "zzz (argument): unknown setting"),
    ("workers", "workers is not available in this version"),
    ("reload", "reload is not available in this version"),
    ("ws", "WebSocket is not built yet"),
    ("timeout", "timeout is not available in this version"),
]


@pytest.mark.parametrize(("name", "expected"), UNKNOWN)
def test_an_unknown_name_is_refused_with_near_matches(name: str, expected: str) -> None:
    """Requirement: unknown name -> ConfigError naming near matches; future names say so."""
    assert expected in problems(**{name: 4})[0]


@pytest.mark.parametrize(
    ("name", "value"),
    [("workers", 1), ("reload", False), ("ws", "none"), ("preload_app", False), ("threads", "1")],
)
def test_a_keyword_that_asks_for_nothing_that_is_missing_is_taken(name: str, value: Any) -> None:
    """Requirement: callers of other servers spell their defaults out."""
    assert Settings(**{name: value}).notices == ()


@pytest.mark.parametrize("call", [Settings().get, Settings().source])
def test_an_unknown_name_cannot_be_read(call: Any) -> None:
    """Requirement: a slip in a name is told as such."""
    with pytest.raises(ConfigError, match="did you mean"):
        call("prot")


@pytest.mark.parametrize(
    ("name", "value"), [("http", "h11"), ("worker_class", "uvicorn.workers.UvicornWorker")]
)
def test_what_has_no_effect_is_noticed(name: str, value: str) -> None:
    """Requirement: accepted with a notice."""
    assert "no effect" in Settings(**{name: value}).notices[0]


CONTRADICTIONS: list[tuple[dict[str, Any], str]] = [
    ({"ssl_keyfile": __file__}, "--ssl-certfile"),
    ({"ssl_keyfile_password": "x"}, "--ssl-certfile"),
    ({"ssl_ca_certs": __file__}, "--ssl-certfile"),
    ({"ssl_ciphers": "x"}, "--ssl-certfile"),
    ({"ssl_cert_reqs": "required"}, "--ssl-certfile"),
    ({"ssl_certfile": __file__, "ssl_cert_reqs": "optional"}, "--ssl-ca-certs"),
    ({"ssl_certfile": __file__, "ssl_ca_certs": __file__}, "--ssl-cert-reqs"),
    ({"ssl_certfile": "gone.pem"}, "a file that exists"),
    ({"ssl_certfile": __file__, "ssl_keyfile": "gone.pem"}, "a file that exists"),
    ({"log_config": "gone.ini"}, "a file that exists"),
    ({"chdir": "gone"}, "a directory that exists"),
    ({"app_dir": "gone"}, "a directory that exists"),
    ({"write_low_water": 70000}, "--write-high-water"),
    ({"write_high_water": 16384}, "--write-low-water"),
    ({"proxy_protocol": "v2", "proxy_allow_from": ()}, "--proxy-allow-from"),
]


@pytest.mark.parametrize(("values", "expected"), CONTRADICTIONS)
def test_settings_that_contradict_each_other_are_refused(values: dict[str, Any], expected: str) -> None:
    """Requirement: fail closed; what would serve less safely than was asked for stops the start."""
    found = problems(**values)
    assert len(found) == 1
    assert expected in found[0]


def test_a_complete_tls_configuration_is_accepted() -> None:
    """Requirement: the checks refuse contradictions only."""
    settings = Settings(ssl_certfile=__file__, ssl_ca_certs=__file__, ssl_cert_reqs=2)
    assert settings.tls.ssl_cert_reqs == "required"


def test_files_are_looked_for_below_the_new_directory(directory: Path) -> None:
    """Requirement: --chdir comes before every other path."""
    (directory / "sub").mkdir()
    (directory / "sub/cert.pem").touch()
    assert Settings(chdir="sub", ssl_certfile="cert.pem", app_dir=".").application.chdir == str(
        directory / "sub"
    )


def test_the_process_is_changed_only_when_asked(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Requirement: variables and directory are set before the application is imported; twice is harmless."""
    (directory / "sub").mkdir()
    (directory / ".env").write_text("FROM_FILE=1\nALREADY=file\n")
    monkeypatch.setenv("ALREADY", "set")
    settings = Settings(env_file=".env", env={"FROM_ENV": "2"}, chdir="sub")
    assert "FROM_FILE" not in os.environ
    for _ in range(2):
        settings.apply_to_process()
        assert (os.environ["FROM_FILE"], os.environ["FROM_ENV"], os.environ["ALREADY"]) == ("1", "2", "set")
        assert Path.cwd() == directory / "sub"


def test_the_representation_hides_secrets() -> None:
    """Requirement: passwords do not reach logs."""
    shown = repr(Settings(port=1, ssl_certfile=__file__, ssl_keyfile_password="sesame"))
    assert "sesame" not in shown
    assert "port=1" in shown
