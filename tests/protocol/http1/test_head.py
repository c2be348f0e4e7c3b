"""RFC 9112 section 5 and RFC 9110 sections 5, 7 and 10: field lines, and the fields that a server obeys."""

from __future__ import annotations

import pytest

from alsvid.protocol.events import RequestReceived
from alsvid.protocol.http1.engine import Http1Engine
from alsvid.protocol.http1.limits import Limits
from alsvid.protocol.http1.writer import HeadWriter
from tests.protocol.wire import (
    GET,
    fault_of,
    is_open,
    log_of,
    post,
    request,
    requests_of,
    sent_of,
    status_of,
)

TOKEN = b"!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


def fields_of(*lines: bytes) -> list[tuple[bytes, bytes]]:
    """Return the fields behind Host."""
    return log_of(request(*lines))[0][5][1:]


def status_with(*lines: bytes) -> int:
    return status_of(log_of(request(*lines)))


def event_of(data: bytes) -> RequestReceived:
    return Http1Engine(Limits(), HeadWriter()).receive_data(data)[0]


# --- RFC 9112 section 5: field syntax ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", [b"a", b"Accept", b"ACCEPT", b"X-Ab-3", b"x_y", b"sec-CH-ua", b"cOOkie", b"1", b"!"]
)
def test_names_arrive_in_lower_case(name: bytes) -> None:
    """Field names are case-insensitive (RFC 9110 section 5.1)."""
    assert fields_of(name + b": v") == [(name.lower(), b"v")]


@pytest.mark.parametrize("octet", [octet for octet in range(256) if octet not in TOKEN and octet != 0x3A])
def test_a_name_with_an_octet_that_is_no_token_is_refused(octet: int) -> None:
    """field-name = token (RFC 9110 section 5.1); a space before the colon is one of them (RFC 9112 5.1)."""
    assert status_with(b"a" + bytes([octet]) + b": v") == 400


@pytest.mark.parametrize("octet", sorted(TOKEN))
def test_a_name_may_have_every_octet_of_a_token(octet: int) -> None:
    """RFC 9110 section 5.6.2."""
    assert fields_of(b"x" + bytes([octet]) + b": v") == [(b"x" + bytes([octet]).lower(), b"v")]


@pytest.mark.parametrize("line", [b": v", b":", b" : v", b"a", b"a v", b"=", b"{}"])
def test_a_line_without_name_or_colon_is_refused(line: bytes) -> None:
    """field-line = field-name ":" OWS field-value OWS (RFC 9112 section 5)."""
    assert status_with(line) == 400


@pytest.mark.parametrize("space", [b" ", b"\t", b"  ", b" \t"])
def test_white_space_between_name_and_colon_is_refused(space: bytes) -> None:
    """ "A server MUST reject … any received request message that contains whitespace between …" (5.1)."""
    assert status_with(b"a" + space + b": v") == 400


@pytest.mark.parametrize("before", [b"", b" ", b"\t", b"   ", b" \t "])
@pytest.mark.parametrize("after", [b"", b" ", b"\t", b" \t "])
@pytest.mark.parametrize("value", [b"", b"v", b"v w", b"v\tw", b'"q"', b"a:b"])
def test_white_space_around_a_value_is_no_part_of_it(before: bytes, after: bytes, value: bytes) -> None:
    """RFC 9112 section 5.1."""
    assert fields_of(b"a:" + before + value + after) == [(b"a", value)]


@pytest.mark.parametrize("octet", [octet for octet in range(0x20) if octet != 9] + [0x7F])
def test_a_value_has_no_control_octets(octet: int) -> None:
    """CR, LF and NUL are dangerous (RFC 9110 section 5.5); the other controls are refused with them."""
    assert status_with(b"a: v" + bytes([octet]) + b"w") == 400


@pytest.mark.parametrize("octet", [9, *range(0x21, 0x7F), *range(0x80, 0x100)])
def test_a_value_may_have_every_visible_octet_and_obs_text(octet: int) -> None:
    """field-vchar = VCHAR / obs-text (RFC 9110 section 5.5)."""
    value = b"v" + bytes([octet]) + b"w"
    assert fields_of(b"a: " + value) == [(b"a", value)]


@pytest.mark.parametrize("fold", [b" folded", b"\tfolded", b" ", b"\t", b" a: b"])
def test_folded_lines_are_refused(fold: bytes) -> None:
    """obs-fold: "MUST either reject the message …" (RFC 9112 section 5.2)."""
    assert status_with(b"a: v", fold) == 400


@pytest.mark.parametrize(
    "data",
    [
        b"GET / HTTP/1.1\r\nHost: a\nb: c\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\rb: c\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nb: c\n\n",
        b"GET / HTTP/1.1\r\nHost: a\r\n\n",
        b"GET / HTTP/1.1\r\nHost: a\r\n\r\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\n\rX",
        b"GET / HTTP/1.1\r\nHost: a\r\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nb\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nb: c\x00\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\n\x00\r\n\r\n",
    ],
)
def test_field_lines_end_in_crlf_and_nothing_else(data: bytes) -> None:
    """Bare CR and bare LF are refused (RFC 9112 section 2.2), split anywhere too."""
    whole = log_of(data)
    assert status_of(whole) == 400
    assert log_of(data, *range(1, len(data))) == whole


def test_fields_keep_their_order_and_are_not_joined() -> None:
    """RFC 9110 section 5.3."""
    assert fields_of(b"a: 1", b"b: 2", b"A: 3", b"a: 1") == [
        (b"a", b"1"),
        (b"b", b"2"),
        (b"a", b"3"),
        (b"a", b"1"),
    ]


def test_names_with_underscores_pass_and_mean_nothing_here() -> None:
    """They are tokens (RFC 9110 section 5.1); CGI-like interfaces above have to keep them apart from "-"."""
    assert fields_of(b"Content_Length: 5", b"Transfer_Encoding: chunked") == [
        (b"content_length", b"5"),
        (b"transfer_encoding", b"chunked"),
    ]


# --- limits (RFC 6585 section 5) ---------------------------------------------------------------------------


@pytest.mark.parametrize(("count", "status"), [(99, 0), (100, 431), (500, 431)])
def test_more_fields_than_the_limit_are_answered_431(count: int, status: int) -> None:
    log = log_of(request(*[b"a: b"] * count))
    assert status_of(log) == status
    assert status == 0 or fault_of(log)[2] == "limit_request_fields"


@pytest.mark.parametrize(("length", "status"), [(62, 0), (63, 0), (64, 0), (65, 431), (66, 431), (500, 431)])
def test_a_field_over_its_limit_is_answered_431(length: int, status: int) -> None:
    """A field line with its CRLF, whole and octet by octet."""
    data = request(b"a: " + b"v" * (length - 5))
    limits = Limits(field_size=64)
    whole = log_of(data, limits=limits)
    assert status_of(whole) == status
    assert status == 0 or fault_of(whole)[2] == "limit_request_field_size"
    assert log_of(data, *range(1, len(data)), limits=limits) == whole


@pytest.mark.parametrize("lines", range(1, 12))
@pytest.mark.parametrize("width", [10, 33, 63, 64, 65])
def test_limits_of_field_and_head_are_told_apart_by_which_comes_first(lines: int, width: int) -> None:
    data = request(*[b"a: " + b"v" * (width - 5)] * lines)
    limits = Limits(field_size=64, head=300)
    whole = log_of(data, limits=limits)
    assert log_of(data, *range(1, len(data)), limits=limits) == whole
    size = len(data) - 2
    if size > 300 or width > 64:
        assert status_of(whole) == 431
    else:
        assert status_of(whole) == 0


@pytest.mark.parametrize("at", range(55, 75))
def test_the_limit_and_a_wrong_octet_in_a_field_are_told_apart_by_which_comes_first(at: int) -> None:
    data = b"GET / HTTP/1.1\r\na:" + b"v" * (at - 2) + b"\x01" + b"v" * 30 + b"\r\n\r\n"
    limits = Limits(field_size=64)
    whole = log_of(data, limits=limits)
    assert status_of(whole) == (431 if at > 64 else 400)
    assert log_of(data, *range(1, len(data)), limits=limits) == whole


@pytest.mark.parametrize("part", ["name", "value", "space"])
def test_a_field_is_refused_as_soon_as_it_is_too_large(part: str) -> None:
    start = b"GET / HTTP/1.1\r\n"
    line = {"name": b"a" * 70, "value": b"a:" + b"v" * 70, "space": b"a:" + b" " * 70}[part]
    assert status_of(log_of(start + line, limits=Limits(field_size=64))) == 431


def test_the_default_head_is_32_kib() -> None:
    fill = [b"a: " + b"v" * 8000] * 4
    assert is_open(log_of(request(*fill)))
    assert fault_of(log_of(request(*fill, *fill)))[2] == "limit_request_head"


# --- RFC 9112 section 9.3: persistence ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("version", "connection", "persists"),
    [
        (b"1.1", None, True),
        (b"1.1", b"keep-alive", True),
        (b"1.1", b"close", False),
        (b"1.1", b"Close", False),
        (b"1.1", b"close, keep-alive", False),
        (b"1.1", b"keep-alive, close", False),
        (b"1.1", b"keep-alive,close ,\tx", False),
        (b"1.1", b" , close", False),
        (b"1.1", b"closed", True),
        (b"1.1", b"x-close", True),
        (b"1.1", b"", True),
        (b"1.0", None, False),
        (b"1.0", b"close", False),
        (b"1.0", b"keep-alive", True),
        (b"1.0", b"Keep-Alive", True),
        (b"1.0", b"keep-alive, close", False),
        (b"1.0", b"keep-alive, te", True),
        (b"1.0", b"x", False),
    ],
)
def test_close_ends_a_connection_and_1_0_persists_only_when_asked(
    version: bytes, connection: bytes | None, persists: bool
) -> None:
    """RFC 9112 section 9.3: `close` wins; 1.1 persists; 1.0 persists with `keep-alive`."""
    lines = [] if connection is None else [b"Connection: " + connection]
    log = log_of(request(*lines, line=b"GET / HTTP/" + version))
    assert is_open(log) is persists
    sent = sent_of(log)
    assert (b"\r\nconnection: close\r\n" in sent) is not persists
    assert (b"\r\nconnection: keep-alive\r\n" in sent) is (persists and version == b"1.0")


def test_options_of_several_connection_fields_are_one_list() -> None:
    """RFC 9110 section 5.3."""
    log = log_of(request(b"Connection: keep-alive", b"Connection: close"))
    assert not is_open(log)


# --- RFC 9110 section 10.1.1: Expect -----------------------------------------------------------------------


@pytest.mark.parametrize("value", [b"100-continue", b"100-Continue", b"100-CONTINUE"])
def test_the_expectation_100_continue_is_known(value: bytes) -> None:
    assert status_of(log_of(post(1, b"Expect: " + value))) == 0


@pytest.mark.parametrize("value", [b"", b"200-ok", b"100-continue, x", b"100", b"100-continue;a=b", b"x"])
def test_other_expectations_are_answered_417(value: bytes) -> None:
    """RFC 9110 section 15.5.18."""
    assert status_of(log_of(post(1, b"Expect: " + value))) == 417


@pytest.mark.parametrize("value", [b"100-continue", b"x"])
def test_expectations_of_1_0_are_ignored(value: bytes) -> None:
    """ "A server that receives a 100-continue expectation in an HTTP/1.0 request MUST ignore" it."""
    data = request(b"Content-Length: 1", b"Expect: " + value, line=b"POST / HTTP/1.0")
    assert status_of(log_of(data)) == 0


# --- RFC 9110 section 7.8: Upgrade -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lines", "upgrade"),
    [
        ([b"Connection: Upgrade", b"Upgrade: websocket"], b"websocket"),
        ([b"Connection: keep-alive, UPGRADE", b"Upgrade: h2c"], b"h2c"),
        ([b"Connection: upgrade", b"Upgrade: a", b"Upgrade: b/1"], b"a, b/1"),
        ([b"Upgrade: websocket"], b""),
        ([b"Connection: upgrade"], b""),
        ([b"Connection: upgraded", b"Upgrade: websocket"], b""),
        ([b"Connection: close", b"Upgrade: websocket"], b""),
    ],
)
def test_upgrade_counts_when_connection_names_it(lines: list[bytes], upgrade: bytes) -> None:
    """ "A sender of Upgrade MUST also send an "Upgrade" connection option" (section 7.8)."""
    assert event_of(request(*lines)).upgrade == upgrade


def test_upgrade_is_ignored_on_1_0() -> None:
    """ "MUST ignore an Upgrade header field that is received in an HTTP/1.0 request" (section 7.8)."""
    data = request(b"Connection: upgrade, keep-alive", b"Upgrade: websocket", line=b"GET / HTTP/1.0")
    assert event_of(data).upgrade == b""


def test_a_request_to_upgrade_is_an_ordinary_request_until_somebody_accepts_it() -> None:
    """A server MAY ignore Upgrade; the octets behind are the next request (section 7.8)."""
    data = request(b"Connection: upgrade", b"Upgrade: x")
    assert len(requests_of(log_of(data + GET))) == 2


# --- what proxies say --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "is_forwarded"),
    [
        (b"Forwarded", True),
        (b"X-Forwarded-For", True),
        (b"X-Forwarded-Proto", True),
        (b"X-Forwarded-Host", True),
        (b"X-Forwarded-Port", True),
        (b"x-forwarded-for", True),
        (b"X-Forwarded", False),
        (b"X_Forwarded_For", False),
        (b"Forwarder", False),
        (b"X-Real-Ip", False),
    ],
)
def test_a_request_says_whether_a_proxy_set_fields(name: bytes, is_forwarded: bool) -> None:
    """RFC 7239; whom to believe is decided above."""
    assert event_of(request(name + b": for=192.0.2.1")).forwarded is is_forwarded
