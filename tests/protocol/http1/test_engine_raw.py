"""Content that the connection writes by itself (sendfile): its framing, RFC 9112 sections 6 and 7."""

from __future__ import annotations

import pytest

from alsvid.errors import LocalProtocolError
from tests.protocol.wire import GET, Wire, answer_nothing, request

GET_1_0 = request(line=b"GET / HTTP/1.0")
GET_1_0_KEPT = request(b"Connection: keep-alive", line=b"GET / HTTP/1.0")
HEAD = request(line=b"HEAD / HTTP/1.1")


def begun(data: bytes = GET) -> Wire:
    """Return an engine that has taken one request, to be answered as stream 1."""
    return Wire(answer_nothing).receive(data)


def head_of(octets: bytes) -> list[bytes]:
    """Return the lines of a head."""
    return octets.split(b"\r\n\r\n")[0].split(b"\r\n")


def content_of(octets: bytes) -> bytes:
    """Return what follows a head."""
    return octets.partition(b"\r\n\r\n")[2]


def test_raw_content_of_a_declared_length_needs_no_framing() -> None:
    wire = begun()
    wire.engine.send_headers(1, 200, [(b"content-length", b"10")], False)
    assert wire.engine.begin_raw(1, 4)
    assert content_of(wire.sent()) == b""
    wire.engine.end_raw(1, 4, False)
    assert wire.engine.begin_raw(1, 6)
    wire.engine.end_raw(1, 6, True)
    assert wire.sent() == b""
    assert not wire.engine.close_expected


def test_raw_content_without_length_is_one_chunk() -> None:
    wire = begun()
    wire.engine.send_headers(1, 200, [], False)
    assert wire.engine.begin_raw(1, 10)
    assert content_of(wire.sent()) == b"a\r\n"
    wire.engine.end_raw(1, 10, True)
    assert wire.sent() == b"\r\n0\r\n\r\n"


def test_raw_content_ends_with_the_connection_on_1_0() -> None:
    wire = begun(GET_1_0)
    wire.engine.send_headers(1, 200, [], False)
    assert wire.engine.begin_raw(1, 10)
    assert content_of(wire.sent()) == b""
    wire.engine.end_raw(1, 10, True)
    assert wire.engine.close_expected


@pytest.mark.parametrize(("data", "octets"), [(HEAD, 10), (GET, 0)])
def test_raw_content_is_not_written_where_there_is_none(data: bytes, octets: int) -> None:
    wire = begun(data)
    wire.engine.send_headers(1, 200, [(b"content-length", b"%d" % octets)], False)
    assert not wire.engine.begin_raw(1, octets)
    wire.engine.end_raw(1, 0, True)
    assert content_of(wire.sent()) == b""
    assert not wire.engine.close_expected


def test_raw_content_keeps_to_the_declared_length() -> None:
    wire = begun()
    wire.engine.send_headers(1, 200, [(b"content-length", b"5")], False)
    with pytest.raises(LocalProtocolError, match="exceeds"):
        wire.engine.begin_raw(1, 6)
    assert wire.engine.begin_raw(1, 4)
    with pytest.raises(LocalProtocolError, match="short"):
        wire.engine.end_raw(1, 4, True)


def test_raw_content_comes_behind_a_head() -> None:
    with pytest.raises(LocalProtocolError, match="head"):
        begun().engine.begin_raw(1, 5)


@pytest.mark.parametrize("data", [GET, HEAD, GET_1_0_KEPT])
def test_the_length_of_a_file_can_be_declared_behind_the_head(data: bytes) -> None:
    wire = begun(data)
    wire.engine.send_headers(1, 200, [], False)
    wire.engine.declare_length(1, 10)
    wire.engine.begin_raw(1, 10)
    assert b"content-length: 10" in head_of(wire.sent())
    wire.engine.end_raw(1, 0 if data is HEAD else 10, True)
    assert not wire.engine.close_expected


@pytest.mark.parametrize(("status", "headers"), [(200, [(b"content-length", b"5")]), (204, []), (304, [])])
def test_a_length_that_is_given_or_forbidden_is_not_declared_again(status: int, headers: list) -> None:
    wire = begun(HEAD)
    wire.engine.send_headers(1, status, headers, False)
    wire.engine.declare_length(1, 10)
    wire.engine.send_data(1, b"", True)
    assert b"content-length: 10" not in wire.sent()
