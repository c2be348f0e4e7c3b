"""The declarations of all layers taken together."""

from __future__ import annotations

import re
from typing import Any

import pytest

from alsvid.config.catalogue import DECLARED, GROUPS, NAMES, Declared
from alsvid.config.peers import ABSENT, WITHOUT_EFFECT
from alsvid.config.settings import Settings
from alsvid.config.values import convert, default_text, written
from alsvid.options import declared_options

ALL = [pytest.param(declared, id=name) for name, declared in DECLARED.items()]
KINDS = {"str", "int", "float", "bool", "tuple[str, ...]"}

# What users of the two servers that Alsvid stands in for have in their fingers, and where it leads.
SPELLINGS = {
    "--host": "host",
    "--port": "port",
    "-b": "bind",
    "--bind": "bind",
    "--uds": "uds",
    "--fd": "fd",
    "--backlog": "backlog",
    "--reuse-port": "reuse_port",
    "--uds-mode": "uds_mode",
    "--umask": "umask",
    "--factory": "factory",
    "--app-dir": "app_dir",
    "--chdir": "chdir",
    "--interface": "interface",
    "--lifespan": "lifespan",
    "--asgi-lifespan": "lifespan",
    "--loop": "loop",
    "--graceful-timeout": "graceful_timeout",
    "--timeout-graceful-shutdown": "graceful_timeout",
    "--keep-alive": "keep_alive",
    "--timeout-keep-alive": "keep_alive",
    "--ssl-keyfile": "ssl_keyfile",
    "--keyfile": "ssl_keyfile",
    "--ssl-certfile": "ssl_certfile",
    "--certfile": "ssl_certfile",
    "--ssl-keyfile-password": "ssl_keyfile_password",
    "--ssl-ca-certs": "ssl_ca_certs",
    "--ca-certs": "ssl_ca_certs",
    "--ssl-cert-reqs": "ssl_cert_reqs",
    "--cert-reqs": "ssl_cert_reqs",
    "--ssl-ciphers": "ssl_ciphers",
    "--ciphers": "ssl_ciphers",
    "--ssl-min-version": "ssl_min_version",
    "--log-level": "log_level",
    "--log-config": "log_config",
    "--access-log": "access_log",
    "--access-logfile": "access_logfile",
    "--access-logformat": "access_logformat",
    "--error-logfile": "error_logfile",
    "--log-file": "error_logfile",
    "--use-colors": "use_colors",
    "--proxy-headers": "proxy_headers",
    "--forwarded-allow-ips": "forwarded_allow_ips",
    "--proxy-protocol": "proxy_protocol",
    "--proxy-allow-from": "proxy_allow_from",
    "--root-path": "root_path",
    "--limit-concurrency": "limit_concurrency",
    "--limit-request-line": "limit_request_line",
    "--limit-request-fields": "limit_request_fields",
    "--limit-request-field-size": "limit_request_field_size",
    "--limit-request-field_size": "limit_request_field_size",
    "--limit-request-body": "limit_request_body",
    "--h11-max-incomplete-event-size": "limit_request_head",
    "--header": "headers",
    "--server-header": "server_header",
    "--date-header": "date_header",
    "--env-file": "env_file",
    "-e": "env",
    "--env": "env",
    "-p": "pid",
    "--pid": "pid",
    "-u": "user",
    "--user": "user",
    "-g": "group",
    "--group": "group",
}

# The defaults that make an unconfigured server safe on the open internet.
DEFAULTS: dict[str, Any] = {
    "host": "127.0.0.1",
    "port": 8000,
    "backlog": 2048,
    "uds_mode": 0o660,
    "timeout_request_head": 10,
    "limit_request_line": 8 * 1024,
    "limit_request_head": 32 * 1024,
    "limit_request_fields": 100,
    "timeout_body": 30,
    "body_min_rate": 500,
    "body_min_rate_grace": 20,
    "limit_request_body": 0,
    "keep_alive": 75,
    "timeout_write": 30,
    "write_high_water": 64 * 1024,
    "write_low_water": 16 * 1024,
    "limit_connections": 10_000,
    "limit_concurrency": 0,
    "limit_unread_body": 64 * 1024,
    "timeout_unread_body": 5,
    "timeout_lifespan_startup": 60,
    "timeout_lifespan_shutdown": 30,
    "graceful_timeout": 30,
    "timeout_tls_handshake": 10,
    "ssl_min_version": "TLSv1.2",
    "ssl_cert_reqs": "none",
    "proxy_protocol": "off",
    "proxy_allow_from": ("127.0.0.1", "::1"),
    "proxy_headers": True,
    "forwarded_allow_ips": ("127.0.0.1", "::1"),
    "server_header": False,
    "date_header": True,
    "access_log": True,
    "access_logfile": "-",
    "error_logfile": "-",
    "log_level": "info",
    "loop": "auto",
    "lifespan": "auto",
    "interface": "auto",
}


@pytest.mark.parametrize("declared", ALL)
def test_a_setting_says_what_it_is(declared: Declared) -> None:
    """Requirement: every setting has a sentence, flags of its own and a kind that can be converted."""
    assert declared.option.doc.endswith(".")
    assert declared.option.danger == "" or declared.option.danger.endswith(".")
    assert declared.name == "app" or declared.option.flags[0].startswith("--")
    assert all(re.fullmatch(r"--[a-z][a-z0-9_-]+|-[a-z]", flag) for flag in declared.option.flags)
    assert declared.option.parse or declared.option.choices or declared.kind.removesuffix(" | None") in KINDS
    assert declared.option.multiple is False or declared.is_tuple


@pytest.mark.parametrize("declared", ALL)
def test_a_default_is_a_value_that_would_be_accepted(declared: Declared) -> None:
    """Requirement: defaults obey the limits that are declared beside them; they are not checked at start."""
    if declared.default is not None and declared.default != "":
        assert convert(declared, declared.default) == declared.default


@pytest.mark.parametrize("declared", ALL)
def test_a_limit_says_what_raising_it_risks(declared: Declared) -> None:
    """Requirement: each limit is declared with the danger of raising it."""
    if declared.name.startswith("limit_"):
        assert declared.option.danger


@pytest.mark.parametrize("declared", ALL)
def test_a_default_can_be_shown(declared: Declared) -> None:
    """Requirement: --help and the options page show every default."""
    assert default_text(declared) or declared.default in (None, "", ())


@pytest.mark.parametrize(("flag", "name"), SPELLINGS.items())
def test_a_known_spelling_leads_to_its_setting(flag: str, name: str) -> None:
    """Requirement: a user types the command they know."""
    assert flag in DECLARED[name].option.flags


@pytest.mark.parametrize(("name", "value"), DEFAULTS.items())
def test_a_default_is_the_safe_one(name: str, value: Any) -> None:
    """Requirement: the defaults stand on the open internet without a proxy in front."""
    assert Settings().get(name) == value
    assert Settings().source(name) == "default"


def test_no_flag_is_declared_twice() -> None:
    """Requirement: a flag means one thing, whether it is built, absent or without effect."""
    flags = [flag for declared in DECLARED.values() for flag in declared.option.flags]
    flags += [flag for absent in ABSENT for flag in absent.flags]
    flags += [flag for taken in WITHOUT_EFFECT for flag in taken.flags]
    flags += ["-c", "--config", "--check-config", "--print-config", "-v", "--version", "-h", "--help"]
    assert sorted(flags) == sorted(set(flags))


def test_no_name_is_used_twice() -> None:
    """Requirement: keywords and keys of files are unique over all layers."""
    names = [name for declared in DECLARED.values() for name in declared.names]
    assert sorted(names) == sorted(NAMES)


def test_every_field_of_a_settings_class_is_declared() -> None:
    """Requirement: there is no setting besides those that are declared."""
    for settings_class, _ in GROUPS.values():
        assert list(declared_options(settings_class)) == list(settings_class.__annotations__)


@pytest.mark.parametrize("group", GROUPS)
def test_a_group_is_an_attribute_of_settings(group: str) -> None:
    """Requirement: the settings of a layer are reached as one object."""
    assert type(getattr(Settings(), group)) is GROUPS[group][0]


@pytest.mark.parametrize(("name", "value"), [("ssl_keyfile_password", "sesame"), ("env", ("TOKEN=sesame",))])
def test_a_secret_is_never_written(name: str, value: Any) -> None:
    """Requirement: passwords do not show in --print-config."""
    assert written(DECLARED[name], value) == '"***"'
