"""RFC 9112 section 3.2 and RFC 9110 section 7.2: Host, and whose word counts."""

from __future__ import annotations

import pytest

from alsvid.protocol.http.authority import is_host
from tests.protocol.wire import log_of, request, status_of

GOOD_HOSTS = [
    b"a", b"example.org", b"example.org:80", b"example.org:", b"EXAMPLE.org", b"127.0.0.1",
    b"127.0.0.1:8000", b"[::1]", b"[::1]:8000", b"[2001:db8::1]", b"[::ffff:1.2.3.4]", b"[v1.fe:d]",
    b"[vF.a~b!c]", b"xn--bcher-kva.example", b"a_b", b"a-", b"-a", b"a..b", b".", b"a.", b"1.2.3", b"a%41",
    b"%C3%A4", b"a:0", b"a:65535", b"a:00080", b"a!$&'()*+=~b",
]  # fmt: skip
BAD_HOSTS = [
    b"a b", b"a/b", b"a/", b"/", b"a?b", b"a#b", b"u@a", b"u:p@a", b"@a", b"a@", b"a,b", b"a, b", b"a;b",
    b"a:b", b"a:80a", b"a:-1", b"a:+1", b"a:65536", b"a:999999", b"a:80:80", b":80", b":", b"[", b"[]",
    b"[::1", b"::1", b"[::1]a", b"[::1]:a", b"[zz]", b"[1.2.3.4]", b"[::1%25eth0]", b"[::1%eth0]", b"[v.a]",
    b"[v1.]", b"[vg.a]", b"[v1.a%41]", b"a%", b"a%4", b"a%zz", b"a%4g", b"http://a", b"a\\b", b'"a"',
    b"<a>", b"a|b", b"a^b", b"a`b", b"{a}", b"\xc3\xa4", b"a\xff", b"a\tb", b"*:a", b"[:::1]", b"[::1]]",
    b"[[::1]]",
]  # fmt: skip


@pytest.mark.parametrize("host", GOOD_HOSTS)
def test_a_host_that_is_uri_host_and_port_passes(host: bytes) -> None:
    """Host = uri-host [ ":" port ] (RFC 9110 section 7.2)."""
    assert log_of(request(host=b"Host: " + host))[0][5] == [(b"host", host)]


@pytest.mark.parametrize("host", BAD_HOSTS)
def test_a_host_that_is_anything_else_is_refused(host: bytes) -> None:
    """ "A server MUST respond with a 400 … that contains … an invalid field value" (RFC 9112 section 3.2)."""
    assert status_of(log_of(request(host=b"Host: " + host))) == 400


@pytest.mark.parametrize("host", BAD_HOSTS)
def test_a_host_that_is_wrong_is_refused_on_http_1_0_too(host: bytes) -> None:
    assert status_of(log_of(request(line=b"GET / HTTP/1.0", host=b"Host: " + host))) == 400


def test_a_request_of_1_1_without_host_is_refused() -> None:
    """ "MUST respond with a 400 … to any HTTP/1.1 request message that lacks a Host header field" (3.2)."""
    assert status_of(log_of(request(host=b""))) == 400


def test_a_request_of_1_0_needs_no_host() -> None:
    assert status_of(log_of(request(line=b"GET / HTTP/1.0", host=b""))) == 0


@pytest.mark.parametrize("version", [b"1.0", b"1.1"])
@pytest.mark.parametrize("second", [b"example.org", b"other.example", b""])
def test_a_second_host_is_refused_even_if_it_is_the_same(version: bytes, second: bytes) -> None:
    """ "… or more than one Host header field line" (RFC 9112 section 3.2)."""
    assert status_of(log_of(request(b"Host: " + second, line=b"GET / HTTP/" + version))) == 400


def test_an_empty_host_is_refused_on_1_1() -> None:
    """An "http" URI without host is invalid (RFC 9110 section 4.2.1)."""
    assert status_of(log_of(request(host=b"Host:"))) == 400


def test_an_empty_host_passes_on_1_0_and_beside_an_absolute_target() -> None:
    assert status_of(log_of(request(line=b"GET / HTTP/1.0", host=b"Host:"))) == 0
    log = log_of(request(line=b"GET http://a.example/ HTTP/1.1", host=b"Host:"))
    assert log[0][5] == [(b"host", b"a.example")]


def test_an_absolute_target_does_not_excuse_a_missing_or_a_wrong_host() -> None:
    """RFC 9112 section 3.2."""
    line = b"GET http://a.example/ HTTP/1.1"
    assert status_of(log_of(request(line=line, host=b""))) == 400
    assert status_of(log_of(request(line=line, host=b"Host: a/b"))) == 400


@pytest.mark.parametrize("host", GOOD_HOSTS)
def test_the_authority_alone_is_judged_alike(host: bytes) -> None:
    """Other versions ask the same question of `:authority`."""
    assert is_host(host)


@pytest.mark.parametrize("host", [b"", *BAD_HOSTS])
def test_a_wrong_authority_alone_is_judged_alike(host: bytes) -> None:
    assert not is_host(host)
