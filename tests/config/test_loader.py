"""Flags, environment, file and defaults: which wins, where each value came from, what is wrong with them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from alsvid.config.loader import load_settings
from alsvid.config.settings import Settings
from alsvid.config.sources import Given, Layer
from alsvid.errors import ConfigError


def flags(**values: Any) -> Layer:
    return {name: Given(value, "--" + name.replace("_", "-")) for name, value in values.items()}


def load(environ: dict[str, str] | None = None, config_file: str | None = None, **given: Any) -> Settings:
    return load_settings(flags(**given), config_file=config_file, environ=environ or {})


def problems(
    environ: dict[str, str] | None = None, config_file: str | None = None, **given: Any
) -> list[str]:
    with pytest.raises(ConfigError) as refused:
        load(environ, config_file, **given)
    return list(refused.value.problems)


# --- precedence ---------------------------------------------------------------------------------------------


def test_a_flag_is_stronger_than_the_environment_and_that_than_the_file(directory: Path) -> None:
    """Requirement: flags > ALSVID_* environment > file > defaults."""
    (directory / "alsvid.toml").write_text("backlog = 1\nkeep_alive = 1\nlog_level = 'error'\n")
    settings = load({"ALSVID_BACKLOG": "2", "ALSVID_KEEP_ALIVE": "2"}, backlog="3")
    assert [settings.get(name) for name in ("backlog", "keep_alive", "log_level", "port")] == [
        3,
        2,
        "error",
        8000,
    ]
    assert [settings.source(name) for name in ("backlog", "keep_alive", "log_level", "port")] == [
        "--backlog",
        "environment ALSVID_KEEP_ALIVE",
        "file alsvid.toml",
        "default",
    ]


def test_a_list_of_a_stronger_source_replaces_the_weaker_one(directory: Path) -> None:
    """Requirement: one source decides over a setting."""
    (directory / "alsvid.toml").write_text("header = ['a: file']\nbind = ['fd://3']\n")
    settings = load(headers=("b: flag",), bind=(":80",))
    assert settings.http.headers == ((b"b", b"flag"),)
    assert settings.listen.bind == (":80",)


def test_a_wrong_value_that_is_overruled_does_no_harm(directory: Path) -> None:
    """Requirement: what counts is checked."""
    (directory / "alsvid.toml").write_text("backlog = 'many'\n")
    assert load(backlog="5").listen.backlog == 5


# --- the file -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["keep_alive", "keep-alive", "timeout_keep_alive", "timeout-keep-alive"])
def test_a_key_of_the_file_may_be_any_spelling(directory: Path, key: str) -> None:
    """Requirement: a setting may have several spellings, everywhere."""
    (directory / "alsvid.toml").write_text(f"{key} = 5\n")
    assert load().connection.keep_alive == 5


def test_the_project_file_is_read_where_there_is_no_other(directory: Path) -> None:
    """Requirement: [tool.alsvid] in pyproject.toml."""
    (directory / "pyproject.toml").write_text(
        "[tool.other]\nx = 1\n[tool.alsvid]\napp = 'main:app'\nport = 1\n"
    )
    settings = load()
    assert (settings.application.app, settings.listen.port) == ("main:app", 1)
    assert settings.source("port") == "file pyproject.toml [tool.alsvid]"


def test_the_own_file_is_stronger_than_the_project_file(directory: Path) -> None:
    """Requirement: one file is read, not two."""
    (directory / "pyproject.toml").write_text("[tool.alsvid]\nport = 1\nbacklog = 1\n")
    (directory / "alsvid.toml").write_text("port = 2\n")
    settings = load()
    assert (settings.listen.port, settings.listen.backlog) == (2, 2048)


def test_a_project_file_without_our_table_is_nothing(directory: Path) -> None:
    """Requirement: most projects have a pyproject.toml."""
    (directory / "pyproject.toml").write_text("[project]\nname = 'x'\n")
    assert load().source("port") == "default"


def test_a_broken_project_file_is_a_notice_only(directory: Path) -> None:
    """Requirement: a file that was not asked for, and is others' too, does not stop the start."""
    (directory / "pyproject.toml").write_text("[")
    assert "not TOML" in load().notices[0]


@pytest.mark.parametrize("name", ["conf.toml", "sub/pyproject.toml"])
def test_a_named_file_is_read_in_place_of_the_others(directory: Path, name: str) -> None:
    """Requirement: -c FILE, a pyproject.toml by its table."""
    (directory / "alsvid.toml").write_text("port = 1\n")
    (directory / "sub").mkdir()
    (directory / "conf.toml").write_text("backlog = 2\n")
    (directory / "sub/pyproject.toml").write_text("[tool.alsvid]\nbacklog = 2\n")
    for settings in (load(config_file=name), load({"ALSVID_CONFIG": name})):
        assert (settings.listen.port, settings.listen.backlog) == (8000, 2)


WRONG_FILES = [
    ("port = 99999", "--port 99999 (file alsvid.toml): expected a whole number from 0 to 65535"),
    ("prot = 80", "prot (file alsvid.toml): unknown setting; did you mean port?"),
    ("workers = 4", "workers (file alsvid.toml): workers is not available in this version"),
    ("ssl_version = 5", "use --ssl-min-version"),
    ("worker_class = 'gevent'", "expected nothing, or one of"),
    ("http = {x = 1}", "expected nothing, or one of"),
    ("port = 1\nport = 2", "not TOML"),
    ("[listen]\nport = 1", "listen (file alsvid.toml): unknown setting"),
    ("keep_alive = 1\ntimeout-keep-alive = 2", "the same setting as keep_alive; keep one"),
    ("uds_mode = 660", "0o660 in a file"),
    ("headers = [['a', 'b'], ['c d', 'e']]", "NAME:VALUE"),
    ("port = 2020-01-01", "a whole number"),
]


@pytest.mark.parametrize(("text", "expected"), WRONG_FILES)
def test_what_is_wrong_in_the_file_is_told(directory: Path, text: str, expected: str) -> None:
    """Requirement: every problem names setting, value, file and what would be right."""
    (directory / "alsvid.toml").write_text(text)
    found = problems()
    assert len(found) == 1
    assert expected in found[0]


@pytest.mark.parametrize("name", ["gone.toml", ".", "gunicorn.conf.py", "python:conf", "file:x"])
def test_a_named_file_that_cannot_be_read_is_a_problem(name: str) -> None:
    """Requirement: fail closed; nothing falls back to another file."""
    assert problems(config_file=name)[0].startswith(f"--config {name!r}")


# --- the environment ----------------------------------------------------------------------------------------

ENVIRONMENTS: list[tuple[dict[str, str], str, Any]] = [
    ({"ALSVID_PORT": "9000"}, "port", 9000),
    ({"ALSVID_APP": "main:app"}, "app", "main:app"),
    ({"ALSVID_ACCESS_LOG": "off"}, "access_log", False),
    ({"ALSVID_UDS_MODE": "600"}, "uds_mode", 0o600),
    ({"ALSVID_BIND": "127.0.0.1:80,unix:/run/a"}, "bind", ("127.0.0.1:80", "unix:/run/a")),
    ({"ALSVID_HEADERS": "a: 1, 2\nb: 3"}, "headers", ((b"a", b"1, 2"), (b"b", b"3"))),
    ({"ALSVID_HEADER": "a: 1"}, "headers", ((b"a", b"1"),)),
    ({"ALSVID_TIMEOUT_KEEP_ALIVE": "5"}, "keep_alive", 5.0),
    (
        {"ALSVID_FORWARDED_ALLOW_IPS": "10.0.0.1", "FORWARDED_ALLOW_IPS": "*"},
        "forwarded_allow_ips",
        ("10.0.0.1",),
    ),
    ({"FORWARDED_ALLOW_IPS": "10.0.0.1,10.0.0.2"}, "forwarded_allow_ips", ("10.0.0.1", "10.0.0.2")),
    ({"FORWARDED_ALLOW_IPS": ""}, "forwarded_allow_ips", ()),
    ({"ALSVID_PORT": ""}, "port", 8000),
    ({"ALSVID_UDS": ""}, "uds", None),
    ({"ALSVID_ENV": "production"}, "env", ()),
    ({"PORT": "5000"}, "port", 5000),
    ({"PORT": "5000"}, "host", "0.0.0.0"),
    ({"PORT": ""}, "host", "127.0.0.1"),
    ({"PORT": "5000", "ALSVID_HOST": "127.0.0.1"}, "host", "127.0.0.1"),
    ({"PORT": "5000", "ALSVID_HOST": "127.0.0.1"}, "port", 5000),
    ({"PORT": "5000", "ALSVID_PORT": "1"}, "port", 1),
    ({"PORT": "5000", "ALSVID_PORT": "1"}, "host", "127.0.0.1"),
    ({"PORT": "5000", "ALSVID_UDS": "/run/a"}, "port", 8000),
    ({"PORT": "x", "ALSVID_BIND": ":80"}, "port", 8000),
]


@pytest.mark.parametrize(("environ", "name", "value"), ENVIRONMENTS)
def test_the_environment_is_read(environ: dict[str, str], name: str, value: Any) -> None:
    """Requirement: ALSVID_<NAME>, PORT where no address is given, FORWARDED_ALLOW_IPS."""
    assert load(environ).get(name) == value


WRONG_ENVIRONMENTS = [
    ({"ALSVID_PORT": "x"}, "--port 'x' (environment ALSVID_PORT): expected a whole number from 0 to 65535"),
    ({"PORT": "x"}, "--port 'x' (environment PORT): expected a whole number"),
    ({"ALSVID_PORT": "tcp://10.0.0.1:80"}, "enableServiceLinks"),
    ({"FORWARDED_ALLOW_IPS": "proxy"}, "--forwarded-allow-ips 'proxy' (environment FORWARDED_ALLOW_IPS)"),
    ({"ALSVID_SSL_KEYFILE_PASSWORD": "sesame"}, "--ssl-keyfile-password *** (environment"),
]


@pytest.mark.parametrize(("environ", "expected"), WRONG_ENVIRONMENTS)
def test_what_is_wrong_in_the_environment_is_told(environ: dict[str, str], expected: str) -> None:
    """Requirement: the text names the variable."""
    found = problems(environ)
    assert len(found) == 1
    assert expected in found[0]


NOTICES = [
    ({"ALSVID_PROT": "1"}, "ALSVID_PROT is not a setting; did you mean port?"),
    ({"ALSVID_WORKERS": "4"}, "ALSVID_WORKERS is not available in this version"),
    ({"WEB_CONCURRENCY": "4"}, "WEB_CONCURRENCY has no effect"),
]


@pytest.mark.parametrize(("environ", "expected"), NOTICES)
def test_a_variable_without_effect_is_noticed(environ: dict[str, str], expected: str) -> None:
    """Requirement: nothing that looks like a setting is passed over in silence."""
    notices = load(environ).notices
    assert len(notices) == 1
    assert expected in notices[0]


@pytest.mark.parametrize(
    "environ", [{"ALSVID_DATABASE_URL": "x"}, {"WEB_CONCURRENCY": "1"}, {"WEB_CONCURRENCY": ""}]
)
def test_a_variable_of_the_application_is_left_alone(environ: dict[str, str]) -> None:
    """Requirement: the prefix is not ours alone."""
    assert load(environ).notices == ()


# --- the file of variables ----------------------------------------------------------------------------------


def test_settings_in_the_env_file_count_as_environment(directory: Path) -> None:
    """Requirement: stronger than the file of settings, weaker than flags; PORT counts too."""
    (directory / "alsvid.toml").write_text("backlog = 1\nlog_level = 'error'\n")
    (directory / ".env").write_text("ALSVID_BACKLOG=2\nALSVID_LOG_LEVEL=debug\nPORT=5000\n")
    settings = load(env_file=".env", log_level="trace")
    assert (settings.listen.backlog, settings.log.log_level, settings.listen.port) == (2, "trace", 5000)
    assert settings.source("backlog") == "environment ALSVID_BACKLOG (file .env)"
    assert settings.source("port") == "environment PORT (file .env)"


@pytest.mark.parametrize("way", ["flag", "environment", "file"])
def test_the_env_file_may_be_named_in_every_source(directory: Path, way: str) -> None:
    """Requirement: --env-file is a setting as any other."""
    (directory / "vars").write_text("A=1\n")
    if way == "file":
        (directory / "alsvid.toml").write_text("env_file = 'vars'\n")
    environ = {"ALSVID_ENV_FILE": "vars"} if way == "environment" else {}
    settings = load(environ, **({"env_file": "vars"} if way == "flag" else {}))
    assert settings.environment == {"A": "1"}


def test_what_is_set_already_is_stronger_than_the_env_file(directory: Path) -> None:
    """Requirement: a variable of the environment stays; --env is stronger than both."""
    (directory / ".env").write_text("A=file\nB=file\nC=file\nALSVID_PORT=1\n")
    settings = load({"A": "set", "B": "set", "ALSVID_PORT": "2"}, env_file=".env", env=("B=flag", "D=flag"))
    assert settings.environment == {"B": "flag", "C": "file", "D": "flag"}
    assert settings.source("port") == "environment ALSVID_PORT"


def test_a_wrong_env_file_is_told_line_by_line(directory: Path) -> None:
    """Requirement: all at once."""
    (directory / ".env").write_text("A\nB=1\nC")
    assert [text.partition(": expected")[0] for text in problems(env_file=".env")] == [
        "--env-file '.env' (command line): line 1",
        "--env-file '.env' (command line): line 3",
    ]


@pytest.mark.parametrize("content", [None, b"A=\xff"])
def test_an_env_file_that_cannot_be_read_is_a_problem(directory: Path, content: bytes | None) -> None:
    """Requirement: an unreadable file stops the start."""
    if content is not None:
        (directory / ".env").write_bytes(content)
    assert problems(env_file=".env")[0].startswith("--env-file '.env' (command line): ")


# --- addresses ----------------------------------------------------------------------------------------------


def test_an_address_of_a_stronger_source_sets_weaker_ones_aside(directory: Path) -> None:
    """Requirement: `--port` on the command line is not lost beside a `bind` in the file, nor the reverse."""
    (directory / "alsvid.toml").write_text("bind = [':80']\n")
    listen = load(port="9000").listen
    assert (listen.bind, listen.port) == ((), 9000)
    (directory / "alsvid.toml").write_text("host = '::1'\nport = 1\n")
    assert load(port="9000").listen.host == "::1"
    listen = load(uds="/run/a").listen
    assert (listen.uds, listen.host, listen.port) == ("/run/a", "127.0.0.1", 8000)


@pytest.mark.parametrize("given", [{"bind": (":80",)}, {"uds": "/run/a"}, {"fd": "3"}])
def test_two_ways_to_name_an_address_in_one_source_contradict(given: dict[str, Any]) -> None:
    """Requirement: no address that was asked for is silently left out."""
    assert "expected not to stand beside" in problems(port="80", **given)[0]


# --- everything at once -------------------------------------------------------------------------------------


def test_all_problems_are_told_at_once(directory: Path) -> None:
    """Requirement: all errors of a configuration are reported at once, whatever source they are in."""
    (directory / "alsvid.toml").write_text("nonsense = 1\nlifespan = 'x'\n")
    (directory / ".env").write_text("1\n")
    found = problems({"ALSVID_BACKLOG": "0"}, port="x", env_file=".env")
    assert [
        any(part in text for text in found)
        for part in ("nonsense", "--lifespan", "line 1", "--backlog", "--port")
    ]
    assert len(found) == 5


def test_an_application_can_be_required() -> None:
    """Requirement: the command needs one, from whatever source."""
    with pytest.raises(ConfigError, match="APP"):
        load_settings({}, environ={}, app_required=True)
    assert load_settings({}, environ={"ALSVID_APP": "a:b"}, app_required=True).application.app == "a:b"
