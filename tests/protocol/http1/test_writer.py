"""RFC 9112 sections 4 and 5, outwards: heads of answers, and what must never leave in one."""

from __future__ import annotations

import pytest

from alsvid.errors import LocalProtocolError
from alsvid.protocol.http.fields import FORBIDDEN_TRAILERS
from alsvid.protocol.http1.writer import HeadWriter

DATE = b"date: Tue, 04 Mar 2025 10:15:30 GMT\r\n"


@pytest.fixture
def writer() -> HeadWriter:
    return HeadWriter()


@pytest.mark.parametrize(
    ("status", "line"),
    [
        (200, b"HTTP/1.1 200 OK\r\n"),
        (404, b"HTTP/1.1 404 Not Found\r\n"),
        (103, b"HTTP/1.1 103 Early Hints\r\n"),
        (418, b"HTTP/1.1 418 I'm a Teapot\r\n"),
        (299, b"HTTP/1.1 299 \r\n"),
        (999, b"HTTP/1.1 999 \r\n"),
    ],
)
def test_a_status_line_keeps_its_space_without_a_reason(writer: HeadWriter, status: int, line: bytes) -> None:
    """status-line = HTTP-version SP status-code SP [ reason-phrase ] (RFC 9112 section 4)."""
    assert writer.write(status, []) == line


@pytest.mark.parametrize("status", [0, 1, 99, 1000, -200, 20000])
def test_a_status_has_three_digits(writer: HeadWriter, status: int) -> None:
    """RFC 9110 section 15."""
    with pytest.raises(LocalProtocolError, match="status"):
        writer.write(status, [])


def test_fields_are_written_as_they_are_in_their_order(writer: HeadWriter) -> None:
    head = writer.write(200, [(b"a", b"1"), (b"B-c", b"2, 3"), (b"a", b""), (b"d", b"\xe4 \t")])
    assert head == b"HTTP/1.1 200 OK\r\na: 1\r\nB-c: 2, 3\r\na: \r\nd: \xe4 \t\r\n"


@pytest.mark.parametrize("octet", [octet for octet in range(0x20) if octet != 9] + [0x7F])
def test_a_value_with_a_control_octet_is_an_error_and_nothing_of_it_leaves(
    writer: HeadWriter, octet: int
) -> None:
    """RFC 9110 section 5.5: this is how answers are split."""
    with pytest.raises(LocalProtocolError, match="control"):
        writer.write(200, [(b"a", b"v" + bytes([octet]) + b"w")])
    assert writer.write(200, []) == b"HTTP/1.1 200 OK\r\n"


@pytest.mark.parametrize(
    "name", [b"", b" ", b"a b", b"a:", b"a\r\n", b"a\x00", b"\xe4", b"(a)", b"a\t", b'"a"', b"a/b"]
)
def test_a_name_that_is_no_token_is_an_error(writer: HeadWriter, name: bytes) -> None:
    """RFC 9110 section 5.1."""
    with pytest.raises(LocalProtocolError, match="header name"):
        writer.write(200, [(name, b"v")])


@pytest.mark.parametrize(
    "header", [("a", b"v"), (b"a", "v"), (b"a", 1), (None, b"v"), (b"a",), (b"a", b"b", b"c"), 5, b"ab"]
)
def test_a_header_that_is_no_pair_of_bytes_is_an_error(writer: HeadWriter, header: object) -> None:
    with pytest.raises(LocalProtocolError):
        writer.write(200, [header])


@pytest.mark.parametrize("kind", [bytearray, memoryview])
def test_other_kinds_of_bytes_are_taken(writer: HeadWriter, kind: type) -> None:
    assert writer.write(200, [(kind(b"a"), kind(b"v"))]) == b"HTTP/1.1 200 OK\r\na: v\r\n"


@pytest.mark.parametrize("make", [list, tuple, iter])
def test_headers_may_be_any_iterable(writer: HeadWriter, make: type) -> None:
    assert writer.write(200, make([[b"a", b"v"]])) == b"HTTP/1.1 200 OK\r\na: v\r\n"


@pytest.mark.parametrize("size", [4000, 4096, 5000, 100_000])
def test_a_head_may_be_larger_than_the_room_kept_for_it(writer: HeadWriter, size: int) -> None:
    head = writer.write(200, [(b"a", b"v" * size), (b"b", b"w" * size)])
    assert head == b"HTTP/1.1 200 OK\r\na: " + b"v" * size + b"\r\nb: " + b"w" * size + b"\r\n"
    assert writer.write(200, []) == b"HTTP/1.1 200 OK\r\n"


@pytest.mark.parametrize("count", [1, 10, 1000])
def test_a_head_may_have_many_fields(writer: HeadWriter, count: int) -> None:
    assert writer.write(200, [(b"name", b"value")] * count).count(b"\r\n") == count + 1


# --- what the server frames by itself ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", [b"connection", b"Connection", b"transfer-encoding", b"keep-alive", b"content-length"]
)
def test_fields_that_frame_are_left_to_the_server(writer: HeadWriter, name: bytes) -> None:
    """RFC 9112 sections 6 and 9; RFC 9110 section 7.6.1."""
    assert writer.write(200, [(name, b"5")]) == b"HTTP/1.1 200 OK\r\n"


@pytest.mark.parametrize(("value", "length"), [(b"0", 0), (b"5", 5), (b"007", 7), (b"9" * 18, 10**18 - 1)])
def test_the_declared_length_is_remembered(writer: HeadWriter, value: bytes, length: int) -> None:
    writer.write(200, [(b"Content-Length", value)])
    assert writer.length == length
    writer.write(200, [])
    assert writer.length == -1


@pytest.mark.parametrize("value", [b"", b"-1", b"+1", b"1,1", b"a", b"1 ", b"0x1", b"9" * 19])
def test_a_length_that_is_no_number_is_an_error(writer: HeadWriter, value: bytes) -> None:
    """RFC 9110 section 8.6."""
    with pytest.raises(LocalProtocolError, match="content-length"):
        writer.write(200, [(b"content-length", value)])


def test_a_length_may_be_given_twice_only_if_it_is_the_same(writer: HeadWriter) -> None:
    writer.write(200, [(b"content-length", b"5"), (b"content-length", b"5")])
    assert writer.length == 5
    with pytest.raises(LocalProtocolError, match="differ"):
        writer.write(200, [(b"content-length", b"5"), (b"content-length", b"6")])


@pytest.mark.parametrize(
    ("value", "close"),
    [
        (b"close", True),
        (b"Close", True),
        (b"a, close", True),
        (b"keep-alive", False),
        (b"x-close", False),
        (b"", False),
    ],
)
def test_the_application_may_ask_to_close(writer: HeadWriter, value: bytes, close: bool) -> None:
    """RFC 9112 section 9.6."""
    writer.write(200, [(b"connection", value)])
    assert writer.close is close


@pytest.mark.parametrize("length", [0, 1, 13, 10**12])
def test_the_framing_of_a_length_ends_the_head(writer: HeadWriter, length: int) -> None:
    for _ in range(2):
        assert writer.framing(length) == b"content-length: %d\r\n\r\n" % length


# --- fields that every answer gets -------------------------------------------------------------------------


def test_date_and_default_fields_follow_the_fields_given() -> None:
    """An origin server with a clock MUST generate Date (RFC 9110 section 6.6.1)."""
    writer = HeadWriter(b"server: alsvid\r\n", DATE)
    assert writer.write(200, [(b"a", b"v")]) == b"HTTP/1.1 200 OK\r\na: v\r\n" + DATE + b"server: alsvid\r\n"


@pytest.mark.parametrize("name", [b"date", b"Date", b"DATE"])
def test_a_date_of_the_application_is_not_doubled(name: bytes) -> None:
    writer = HeadWriter(date=DATE)
    assert writer.write(200, [(name, b"x")]) == b"HTTP/1.1 200 OK\r\n" + name + b": x\r\n"


def test_the_date_is_set_from_outside() -> None:
    writer = HeadWriter()
    writer.set_date(DATE)
    assert writer.write(200, []).endswith(DATE)
    writer.set_date(b"")
    assert writer.write(200, []) == b"HTTP/1.1 200 OK\r\n"


# --- interim answers, trailers, errors ---------------------------------------------------------------------


@pytest.mark.parametrize("status", [100, 102, 103, 199])
def test_an_interim_head_is_whole_and_has_only_the_fields_given(status: int) -> None:
    """RFC 9110 section 15.2, RFC 8297."""
    head = HeadWriter(b"server: a\r\n", DATE).write_interim(status, [(b"link", b"</a>; rel=preload")])
    assert head.startswith(b"HTTP/1.1 %d " % status)
    assert head.endswith(b"\r\nlink: </a>; rel=preload\r\n\r\n")
    assert b"date" not in head


@pytest.mark.parametrize("status", [0, 99, 101, 200, 404])
def test_a_status_that_is_not_interim_is_an_error(writer: HeadWriter, status: int) -> None:
    """101 switches protocols; it is no hint."""
    with pytest.raises(LocalProtocolError, match="interim"):
        writer.write_interim(status, [])


def test_interim_fields_cannot_split_either(writer: HeadWriter) -> None:
    with pytest.raises(LocalProtocolError, match="control"):
        writer.write_interim(103, [(b"link", b"a\r\nb: c")])


def test_trailers_are_lines_without_the_last_one(writer: HeadWriter) -> None:
    assert writer.write_trailers([(b"a", b"v"), (b"digest", b"w")]) == b"a: v\r\ndigest: w\r\n"
    assert writer.write_trailers([]) == b""


@pytest.mark.parametrize("name", sorted(FORBIDDEN_TRAILERS))
@pytest.mark.parametrize("change", [bytes.lower, bytes.upper])
def test_fields_that_frame_route_or_authenticate_are_no_trailers(
    writer: HeadWriter, name: bytes, change
) -> None:
    """ "MUST NOT generate a trailer field unless the sender knows …" (RFC 9110 section 6.5.1)."""
    with pytest.raises(LocalProtocolError, match="trailer"):
        writer.write_trailers([(change(name), b"v")])


@pytest.mark.parametrize("pair", [(b"a", b"b\r\nc: d"), (b"a b", b"c"), (b"", b"c"), ("a", b"c")])
def test_trailers_cannot_split_either(writer: HeadWriter, pair: tuple[bytes, bytes]) -> None:
    with pytest.raises(LocalProtocolError):
        writer.write_trailers([pair])


@pytest.mark.parametrize("status", [400, 413, 414, 417, 431, 501, 505])
def test_an_error_answer_is_whole_and_says_close(writer: HeadWriter, status: int) -> None:
    answer = writer.write_error(status, "why (RFC 9112 section 1)", False)
    head, _, content = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 %d " % status)
    assert b"\r\nconnection: close\r\n" in head
    assert head.endswith(b"\r\ncontent-length: %d" % len(content))
    assert content.endswith(b"\nwhy (RFC 9112 section 1)\n")


def test_an_error_answer_to_head_has_the_length_and_no_content(writer: HeadWriter) -> None:
    """RFC 9110 section 9.3.2."""
    full = writer.write_error(400, "why", False)
    head = full[: full.index(b"\r\n\r\n") + 4]
    assert writer.write_error(400, "why", True) == head
