"""Conversion of what was written to values."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from alsvid.config.catalogue import DECLARED
from alsvid.config.values import convert, written

RIGHT: list[tuple[str, Any, Any]] = [
    ("port", "0", 0),
    ("port", " 443 ", 443),
    ("port", 65535, 65535),
    ("fd", "3", 3),
    ("backlog", "128", 128),
    ("keep_alive", "5", 5.0),
    ("keep_alive", "0", 0.0),
    ("keep_alive", "2.5", 2.5),
    ("keep_alive", 7, 7.0),
    ("limit_request_body", "1048576", 1 << 20),
    ("uds_mode", "660", 0o660),
    ("uds_mode", "0o600", 0o600),
    ("uds_mode", "0666", 0o666),
    ("uds_mode", 0o600, 0o600),
    ("umask", "022", 0o22),
    ("factory", "1", True),
    ("factory", "TRUE", True),
    ("factory", "yes", True),
    ("factory", "on", True),
    ("factory", "0", False),
    ("factory", "false", False),
    ("factory", "No", False),
    ("factory", "off", False),
    ("factory", True, True),
    ("use_colors", "on", True),
    ("host", "0.0.0.0", "0.0.0.0"),
    ("host", "::1", "::1"),
    ("host", "", ""),
    ("host", "localhost", "localhost"),
    ("uds", Path("/run/app.sock"), "/run/app.sock"),
    ("ssl_certfile", "cert.pem", "cert.pem"),
    ("app_dir", "", ""),
    ("lifespan", "ON", "on"),
    ("log_level", "WARNING", "warning"),
    ("log_level", "trace", "trace"),
    ("ssl_min_version", "tlsv1.3", "TLSv1.3"),
    ("ssl_cert_reqs", "2", "required"),
    ("ssl_cert_reqs", 1, "optional"),
    ("ssl_cert_reqs", "NONE", "none"),
    ("bind", ("127.0.0.1:80",), ("127.0.0.1:80",)),
    ("bind", "127.0.0.1:80, [::1]:80", ("127.0.0.1:80", "[::1]:80")),
    ("bind", ["unix:/run/a.sock", "fd://3"], ("unix:/run/a.sock", "fd://3")),
    ("forwarded_allow_ips", "*", ("*",)),
    ("forwarded_allow_ips", "", ()),
    ("forwarded_allow_ips", "10.0.0.0/8, ::1,unix:", ("10.0.0.0/8", "::1", "unix:")),
    ("forwarded_allow_ips", ["192.0.2.1"], ("192.0.2.1",)),
    ("proxy_allow_from", "192.0.2.0/24", ("192.0.2.0/24",)),
    ("headers", ("X-Frame-Options: DENY",), ((b"x-frame-options", b"DENY"),)),
    ("headers", [("Server", "me")], ((b"server", b"me"),)),
    ("headers", [(b"x", b"\xe9")], ((b"x", b"\xe9"),)),
    ("headers", [["x", "a:b"]], ((b"x", b"a:b"),)),
    ("headers", "A: 1, 2\nB: 3", ((b"a", b"1, 2"), (b"b", b"3"))),
    ("headers", {"x": "y"}, ((b"x", b"y"),)),
    ("headers", ("x:",), ((b"x", b""),)),
    ("env", ("A=1", "B="), ("A=1", "B=")),
    ("env", {"A": "x=y"}, ("A=x=y",)),
    ("root_path", "/api/", "/api"),
    ("root_path", "/", ""),
    ("loop", "asyncio", "asyncio"),
    ("loop", "Auto", "auto"),
    ("loop", "pkg.loops:Policy.make", "pkg.loops:Policy.make"),
    ("interface", "ASGI3", "asgi3"),
    ("access_logformat", "json", "json"),
    ("access_logformat", "%(h)s %(s)s", "%(h)s %(s)s"),
    ("log_config", {"version": 1}, {"version": 1}),
    ("log_config", "log.yaml", "log.yaml"),
    ("app", "main:app", "main:app"),
    ("app", "main:make('x')", "main:make('x')"),
]

WRONG: list[tuple[str, Any, str]] = [
    ("port", "", "a whole number from 0 to 65535"),
    ("port", "http", "a whole number from 0 to 65535"),
    ("port", "65536", "a whole number from 0 to 65535"),
    ("port", "-1", "a whole number from 0 to 65535"),
    ("port", "8_0", "a whole number"),
    ("port", "٣", "a whole number"),
    ("port", "80.0", "a whole number"),
    ("port", 80.0, "a whole number"),
    ("port", True, "a whole number"),
    ("port", [80], "a whole number"),
    ("port", "9" * 400, "a whole number"),
    ("keep_alive", "-1", "a number of seconds, 0 or more"),
    ("keep_alive", "nan", "a number of seconds, 0 or more"),
    ("keep_alive", float("nan"), "a number of seconds, 0 or more"),
    ("keep_alive", float("inf"), "a number of seconds"),
    ("keep_alive", "1e3", "a number of seconds"),
    ("keep_alive", "5s", "a number of seconds"),
    ("timeout_body", "0", "a number of seconds, 0.1 or more"),
    ("limit_request_body", "-1", "octets, 0 or more (0 switches it off)"),
    ("limit_request_line", "0", "octets from 64 to 1048576"),
    ("uds_mode", "888", "a file mode from 0 to 777 in octal"),
    ("uds_mode", "1000", "a file mode from 0 to 777 in octal"),
    ("uds_mode", 660, "0o660 in a file"),
    ("umask", "rw", "a file mode"),
    ("factory", "maybe", "true or false"),
    ("factory", 1, "true or false"),
    ("access_log", [], "true or false"),
    ("uds", "", "text that is not empty"),
    ("uds", b"/run/x", "text"),
    ("ssl_certfile", "a\0b", "text"),
    ("host", "a b", "an address or the name of a host"),
    ("host", "256.0.0.1", "an address"),
    ("host", 7, "an address"),
    ("lifespan", "maybe", "auto, on or off"),
    ("lifespan", True, "auto, on or off"),
    ("log_level", "loud", "critical, error, warning, info, debug or trace"),
    ("ssl_min_version", "TLSv1", "TLSv1.2 or TLSv1.3"),
    ("ssl_cert_reqs", "3", "none, optional or required"),
    ("ssl_cert_reqs", "yes", "none, optional or required"),
    ("bind", ("1.2.3.4:99999",), "HOST:PORT"),
    ("bind", ("::1:80",), "brackets"),
    ("bind", ("unix:",), "unix:PATH"),
    ("bind", ("/run/x",), "unix:PATH"),
    ("bind", (8000,), "HOST:PORT"),
    ("bind", 8000, "a list"),
    ("bind", b"x:1", "a list"),
    ("forwarded_allow_ips", "10.0.0.1/8", "no host bits"),
    ("forwarded_allow_ips", "proxy.example", "addresses"),
    ("forwarded_allow_ips", [1], "addresses"),
    ("forwarded_allow_ips", "unix:/run/x", "unix: or *"),
    ("proxy_allow_from", "1.2.3", "addresses"),
    ("headers", ("no colon",), "NAME:VALUE"),
    ("headers", ("a b: c",), "NAME:VALUE"),
    ("headers", ("a : c",), "NAME:VALUE"),
    ("headers", (": c",), "NAME:VALUE"),
    ("headers", ("a: b\r\nc: d",), "without control characters"),
    ("headers", ("a: \0",), "without control characters"),
    ("headers", ("a: \x7f",), "without control characters"),
    ("headers", ("a: €",), "ISO 8859-1"),
    ("headers", ("é: b",), "NAME:VALUE"),
    ("headers", ("Content-Length: 0",), "the server itself sets"),
    ("headers", ("transfer-encoding: chunked",), "the server itself sets"),
    ("headers", ("Connection: close",), "the server itself sets"),
    ("headers", [("a", "b", "c")], "a pair"),
    ("headers", [("a", 1)], "a pair"),
    ("headers", [1], "a pair"),
    ("env", ("A",), "NAME=VALUE"),
    ("env", ("=1",), "NAME=VALUE"),
    ("env", ("1A=1",), "NAME=VALUE"),
    ("env", ("A B=1",), "NAME=VALUE"),
    ("env", ("A=\0",), "NAME=VALUE"),
    ("root_path", "api", "begins with /"),
    ("root_path", "/a?b", "without ?"),
    ("root_path", "/a\r\nb", "without ?"),
    ("loop", "trio", "auto, asyncio, uvloop or MODULE:FACTORY"),
    ("loop", "a:b()", "MODULE:FACTORY"),
    ("interface", "wsgi", "WSGI applications are not supported"),
    ("interface", "cgi", "auto, asgi3 or asgi2"),
    ("access_logformat", "apache", "default, short, combined, json"),
    ("access_logformat", "%(h)s\n", "atoms"),
    ("access_logformat", "%(nonsense)s", "%(nonsense)s"),
    ("log_config", "", "a file"),
    ("log_config", 3, "a file"),
    ("app", "", "main:app"),
    ("app", "-x", "main:app"),
    ("app", 3, "a callable"),
]


@pytest.mark.parametrize(("name", "given", "value"), RIGHT)
def test_what_is_right_is_taken(name: str, given: Any, value: Any) -> None:
    """Requirement: text and native values mean the same, wherever they were written."""
    converted = convert(DECLARED[name], given)
    assert converted == value
    assert type(converted) is type(value)


@pytest.mark.parametrize(("name", "given", "expected"), WRONG)
def test_what_is_wrong_is_refused_with_what_would_be_right(name: str, given: Any, expected: str) -> None:
    """Requirement: a refused value raises ValueError, whose text completes "expected …"."""
    with pytest.raises(ValueError) as refused:
        convert(DECLARED[name], given)
    assert expected in str(refused.value)


WRITTEN: list[tuple[str, Any]] = [
    ("port", 9000),
    ("keep_alive", 0.25),
    ("keep_alive", 75.0),
    ("limit_request_body", 123456789012),
    ("uds_mode", 0o7),
    ("uds_mode", 0o660),
    ("factory", True),
    ("factory", False),
    ("ssl_certfile", 'a "quoted"\\path\twith \x7f and é'),
    ("bind", ("127.0.0.1:80", "unix:/run/a.sock")),
    ("headers", ((b"x-a", b"b\xe9"), (b"x-c", b""))),
    ("access_logformat", '%(h)s "%(r)s"'),
]


@pytest.mark.parametrize(("name", "value"), WRITTEN)
def test_what_is_printed_reads_back_as_the_same_value(name: str, value: Any) -> None:
    """Requirement: --print-config prints TOML."""
    table = tomllib.loads(f"{name} = {written(DECLARED[name], value)}")
    assert convert(DECLARED[name], table[name]) == value


@pytest.mark.parametrize(("name", "value"), [("app", print), ("log_config", {"version": 1}), ("uds", None)])
def test_what_cannot_stand_in_a_file_is_not_written(name: str, value: Any) -> None:
    """Requirement: objects of a caller have no text."""
    assert written(DECLARED[name], value) == ""
