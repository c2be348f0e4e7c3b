"""RFC 9110 section 6.5 and RFC 8297: trailers and early hints, outwards."""

from __future__ import annotations

import pytest

from alsvid.errors import LocalProtocolError
from alsvid.protocol.http1.limits import Limits
from alsvid.protocol.phases import ANSWER, IDLE
from tests.protocol.wire import (
    CHUNKED_POST,
    GET,
    Wire,
    answer_nothing,
    answer_ok,
    post,
    request,
)

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
EXPECTING = post(5, b"Expect: 100-continue")
EXPECTING_CHUNKS = CHUNKED_POST[:-2] + b"Expect: 100-continue\r\n\r\n"
TRAILERS = request(b"TE: trailers", b"Connection: te")


def begun(data: bytes = GET, limits: Limits | None = None) -> Wire:
    return Wire(answer_nothing, limits).receive(data)


def answer_early(wire: Wire, stream: int = 1) -> bytes:
    """Answer before the request has ended."""
    wire.engine.send_headers(stream, 200, [], False)
    wire.engine.send_data(stream, b"ok", True)
    return wire.sent()


# --- RFC 9110 section 6.5: trailers outwards ---------------------------------------------------------------


def test_trailers_follow_the_last_chunk() -> None:
    """RFC 9112 section 7.1.2."""
    wire = begun(TRAILERS)
    assert wire.engine.expect_trailers(1)
    wire.engine.send_headers(1, 200, [(b"trailer", b"a")], False)
    wire.engine.send_data(1, b"hello", True)
    assert wire.engine.phase == ANSWER
    wire.engine.send_trailers(1, [(b"a", b"b")])
    assert wire.sent().endswith(b"\r\n\r\n5\r\nhello\r\n0\r\na: b\r\n\r\n")
    assert wire.engine.phase == IDLE


def test_trailers_win_over_a_declared_length() -> None:
    """Only the chunked coding has trailers."""
    wire = begun(TRAILERS)
    wire.engine.expect_trailers(1)
    wire.engine.send_headers(1, 200, [(b"content-length", b"5")], False)
    wire.engine.declare_length(1, 5)
    wire.engine.send_data(1, b"hello", True)
    wire.engine.send_trailers(1, [])
    octets = wire.sent()
    assert b"content-length" not in octets
    assert octets.endswith(b"5\r\nhello\r\n0\r\n\r\n")


@pytest.mark.parametrize(
    "line", [b"TE: trailers", b"TE: Trailers", b"te: gzip;q=0.5, trailers", b"TE: x\r\nte: trailers"]
)
def test_a_client_says_that_it_takes_trailers(line: bytes) -> None:
    """RFC 9110 section 10.1.4."""
    assert begun(request(line)).engine.expect_trailers(1)


@pytest.mark.parametrize(
    "data",
    [
        GET,
        request(b"TE: gzip"),
        request(b"TE: xtrailers"),
        request(b"TE: trailers;q=0"),
        request(b"TE: trailers", line=b"GET / HTTP/1.0"),
        request(b"TE: trailers", line=b"HEAD / HTTP/1.1"),
    ],
)
def test_others_get_no_trailers(data: bytes) -> None:
    """ "… unless … TE … indicating "trailers" is acceptable" (RFC 9110 section 6.5.1)."""
    wire = begun(data)
    assert not wire.engine.expect_trailers(1)
    answer_ok(wire, 1)
    assert not wire.engine.close_expected or b"1.0" in data


@pytest.mark.parametrize("status", [204, 304])
def test_an_answer_without_content_has_no_trailers(status: int) -> None:
    wire = begun(TRAILERS)
    wire.engine.expect_trailers(1)
    wire.engine.send_headers(1, status, [], False)
    wire.engine.send_data(1, b"", True)
    wire.engine.send_trailers(1, [(b"a", b"b")])
    octets = wire.sent()
    assert b"a: b" not in octets
    assert b"chunked" not in octets
    assert wire.engine.phase == IDLE


def test_trailers_that_were_not_announced_are_an_error() -> None:
    wire = begun(TRAILERS)
    wire.engine.send_headers(1, 200, [], False)
    with pytest.raises(LocalProtocolError, match="announced"):
        wire.engine.send_trailers(1, [])


def test_trailers_come_behind_the_content() -> None:
    wire = begun(TRAILERS)
    wire.engine.expect_trailers(1)
    wire.engine.send_headers(1, 200, [], False)
    wire.engine.send_data(1, b"hello", False)
    with pytest.raises(LocalProtocolError, match="content has not ended"):
        wire.engine.send_trailers(1, [])


@pytest.mark.parametrize("pair", [(b"content-length", b"5"), (b"a", b"b\r\nc: d"), (b"host", b"a")])
def test_trailers_that_must_not_be_sent_are_an_error_and_do_not_leave(
    pair: tuple[bytes, bytes],
) -> None:
    wire = begun(TRAILERS)
    wire.engine.expect_trailers(1)
    wire.engine.send_headers(1, 200, [], False)
    wire.engine.send_data(1, b"hello", True)
    wire.sent()
    with pytest.raises(LocalProtocolError):
        wire.engine.send_trailers(1, [pair])
    assert wire.sent() == b""
    wire.engine.reset_stream(1, 0)
    assert wire.engine.close_expected


def test_trailers_cannot_be_announced_behind_the_head_or_for_another_stream() -> None:
    wire = begun(TRAILERS)
    assert not wire.engine.expect_trailers(2)
    wire.engine.send_headers(1, 200, [], False)
    assert not wire.engine.expect_trailers(1)


# --- RFC 8297: early hints ---------------------------------------------------------------------------------


def test_hints_leave_before_the_head_even_if_it_is_held() -> None:
    wire = begun()
    wire.engine.send_informational(1, 103, [(b"link", b"</a>")])
    hint = b"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n"
    assert wire.sent() == hint
    wire.engine.send_headers(1, 200, [(b"content-length", b"2")], False)
    wire.engine.send_informational(1, 103, [(b"link", b"</a>")])
    wire.engine.send_data(1, b"ok", True)
    assert wire.sent() == hint + b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"


def test_hints_are_not_sent_to_1_0() -> None:
    """ "MUST NOT send a 1xx response to an HTTP/1.0 client" (RFC 9110 section 15.2)."""
    wire = begun(request(line=b"GET / HTTP/1.0"))
    wire.engine.send_informational(1, 103, [(b"link", b"</a>")])
    assert wire.sent() == b""


def test_hints_behind_the_head_are_dropped() -> None:
    wire = begun()
    wire.engine.send_headers(1, 200, [], False)
    wire.engine.flush_headers(1)
    wire.sent()
    wire.engine.send_informational(1, 103, [])
    wire.engine.send_informational(2, 103, [])
    assert wire.sent() == b""


@pytest.mark.parametrize("version", [b"1.0", b"1.1"])
def test_hints_that_would_split_are_an_error_and_the_answer_goes_on(version: bytes) -> None:
    wire = begun(request(line=b"GET / HTTP/" + version))
    with pytest.raises(LocalProtocolError):
        wire.engine.send_informational(1, 103, [(b"link", b"a\nb")])
    assert answer_early(wire).startswith(b"HTTP/1.1 200 ")
