"""RFC 9112 section 6: how the head says where content ends, and where it contradicts itself."""

from __future__ import annotations

import pytest

from tests.protocol.wire import GET, log_of, post, request, requests_of, sent_of, status_of


@pytest.mark.parametrize(
    "value",
    [
        b"", b"-1", b"+1", b"1 ,1", b"1,1", b"1, 1", b"1,2", b"0x1", b"1.0", b"1e3", b"a", b"1a", b"1 1",
        b"\xb2", b"1234567890123456789", b"9" * 40, b"_1", b"1_0", b"0b1", b",1", b"1,", b"'1'", b'"1"',
        b"NaN", b"\xd9\xa1",
    ],
)  # fmt: skip
@pytest.mark.parametrize("version", [b"1.0", b"1.1"])
def test_a_content_length_that_is_no_number_is_refused(value: bytes, version: bytes) -> None:
    """Content-Length = 1*DIGIT; anything else "MUST" be a 400 (RFC 9112 section 6.3), lists too."""
    data = request(b"Content-Length: " + value, line=b"POST / HTTP/" + version) + b"0123456789"
    assert status_of(log_of(data)) == 400


@pytest.mark.parametrize(
    ("value", "length"), [(b"0", 0), (b"00", 0), (b"5", 5), (b"005", 5), (b"0" * 17 + b"5", 5)]
)
def test_a_content_length_is_decimal_with_leading_zeros_or_without(value: bytes, length: int) -> None:
    """RFC 9110 section 8.6."""
    log = log_of(request(b"Content-Length: " + value, line=b"POST / HTTP/1.1") + b"x" * length + GET)
    assert len(requests_of(log)) == 2


@pytest.mark.parametrize("second", [b"5", b"6", b"0", b"x"])
def test_a_second_content_length_is_refused_even_if_it_is_the_same(second: bytes) -> None:
    """RFC 9112 section 6.3, case 5."""
    assert status_of(log_of(post(5, b"Content-Length: " + second) + b"hello")) == 400


@pytest.mark.parametrize("value", [b"chunked", b"Chunked", b"CHUNKED", b" chunked\t"])
def test_the_one_transfer_coding_is_chunked(value: bytes) -> None:
    """All transfer-coding names are case-insensitive (RFC 9112 section 7)."""
    log = log_of(request(b"Transfer-Encoding:" + value, line=b"POST / HTTP/1.1") + b"0\r\n\r\n" + GET)
    assert len(requests_of(log)) == 2


@pytest.mark.parametrize(
    ("value", "status"),
    [
        (b"gzip", 501), (b"deflate", 501), (b"xchunked", 501), (b"gzip, chunked", 501),
        (b"x, y, chunked", 501), (b"compress;q=1, chunked", 501), (b"identity", 400),
        (b"identity, chunked", 501), (b"chunked, chunked", 400), (b"chunked, gzip", 400),
        (b"chunked, identity", 400), (b"", 400), (b",", 400), (b", chunked", 400), (b"chunked,", 400),
        (b"chunked;a=b", 400), (b"chunked ;a", 400), (b'"chunked"', 400), (b"chun ked", 400),
        (b"chunked\x0b", 400), (b"\x00chunked", 400), (b"chunked\xff", 400), (b"chunked, ", 400),
        (b"chunke", 501), (b"chunkedx", 501), (b"cow", 501),
    ],
)  # fmt: skip
def test_other_transfer_codings_are_refused(value: bytes, status: int) -> None:
    """ "SHOULD respond with 501" to a coding that is not known; 400 where chunked is not final (6.1, 6.3)."""
    assert status_of(log_of(request(b"Transfer-Encoding: " + value, line=b"POST / HTTP/1.1"))) == status


@pytest.mark.parametrize("values", [(b"chunked", b"chunked"), (b"chunked", b""), (b"chunked", b"gzip")])
def test_a_second_transfer_encoding_is_refused(values: tuple[bytes, bytes]) -> None:
    """RFC 9112 section 6.1."""
    lines = [b"Transfer-Encoding: " + value for value in values]
    assert status_of(log_of(request(*lines, line=b"POST / HTTP/1.1"))) == 400


@pytest.mark.parametrize("length", [b"0", b"5", b"x", b""])
@pytest.mark.parametrize("swapped", [False, True])
def test_content_length_beside_transfer_encoding_is_refused_in_any_order(
    length: bytes, swapped: bool
) -> None:
    """ "ought to be handled as an error" (RFC 9112 section 6.1)."""
    lines = [b"Content-Length: " + length, b"Transfer-Encoding: chunked"]
    if swapped:
        lines.reverse()
    assert status_of(log_of(request(*lines, line=b"POST / HTTP/1.1") + b"0\r\n\r\n" + GET)) == 400


def test_transfer_encoding_on_1_0_is_refused() -> None:
    """ "MUST treat the message as if the framing is faulty" (RFC 9112 section 6.1)."""
    data = request(b"Transfer-Encoding: chunked", b"Connection: keep-alive", line=b"POST / HTTP/1.0")
    assert status_of(log_of(data + b"0\r\n\r\n")) == 400


@pytest.mark.parametrize("line", [b"Content-Length : 5", b" Content-Length: 5", b"Content-Length\t: 5"])
def test_a_framing_field_that_hides_behind_white_space_is_refused(line: bytes) -> None:
    assert status_of(log_of(request(b"a: b", line, line=b"POST / HTTP/1.1") + b"hello")) == 400


@pytest.mark.parametrize(
    "data",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n",
        b"GET /\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -5\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n",
    ],
)
def test_nothing_behind_a_refused_head_is_ever_a_request(data: bytes) -> None:
    """One error answer with `Connection: close`, then nothing more is read (RFC 9112 section 9.6)."""
    log = log_of(data + GET + GET)
    assert [entry[0] for entry in log] == ["fault", "sent", "closed"]
    assert b"\r\nconnection: close\r\n" in sent_of(log)
    assert log[-1] == ("closed", True, False)
