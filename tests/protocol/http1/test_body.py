"""RFC 9112 sections 6 to 8: content of a known length, chunked content, trailers, incomplete messages."""

from __future__ import annotations

import pytest

from alsvid.protocol.http1.body import is_chunk_ext
from alsvid.protocol.http1.limits import Limits
from tests.protocol.wire import (
    CHUNKED_POST,
    GET,
    Log,
    content_of,
    ends_of,
    fault_of,
    is_open,
    log_of,
    post,
    request,
    requests_of,
    status_of,
    ways_to_split,
)


def chunked_log(body: bytes, limits: Limits | None = None) -> Log:
    """Return the log of a chunked body, having seen that each way to split it gives the same."""
    data = CHUNKED_POST + body
    whole = log_of(data, limits=limits)
    head = len(CHUNKED_POST)
    for cuts in ways_to_split(len(body)):
        assert log_of(data, head, *(head + cut for cut in cuts), limits=limits) == whole
    return whole


# --- RFC 9112 section 6: message body ----------------------------------------------------------------------


@pytest.mark.parametrize("method", [b"GET", b"HEAD", b"POST", b"DELETE", b"OPTIONS", b"X"])
def test_content_counts_for_every_method(method: bytes) -> None:
    """The presence of a body is signalled by the fields, not by the method (section 6)."""
    data = request(b"Content-Length: 5", line=method + b" / HTTP/1.1") + b"hello" + GET
    log = log_of(data)
    assert content_of(log) == b"hello"
    assert len(requests_of(log)) == 2


@pytest.mark.parametrize("method", [b"GET", b"HEAD", b"POST", b"PUT", b"PATCH"])
def test_a_request_without_framing_fields_has_no_content(method: bytes) -> None:
    """RFC 9112 section 6.3, case 7."""
    log = log_of(request(line=method + b" / HTTP/1.1") + GET)
    assert len(requests_of(log)) == 2
    assert content_of(log) == b""


def test_content_that_looks_like_a_request_is_content() -> None:
    log = log_of(post(len(GET)) + GET)
    assert len(requests_of(log)) == 1
    assert content_of(log) == GET


@pytest.mark.parametrize("length", [1, 2, 10, 1000, 70_000])
def test_content_of_a_known_length_is_delivered_to_its_last_octet(length: int) -> None:
    content = bytes(range(256)) * (length // 256 + 1)
    data = post(length) + content[:length] + GET
    for cut in (1, 40, len(data) - len(GET), len(data) - len(GET) - 1, len(data) - 1):
        log = log_of(data, cut)
        assert content_of(log) == content[:length]
        assert ends_of(log) == 2


def test_content_is_passed_on_as_it_comes() -> None:
    log = log_of(post(10) + b"half")
    assert content_of(log) == b"half"
    assert ends_of(log) == 0


@pytest.mark.parametrize(("length", "status"), [(10, 0), (11, 413), (10**17, 413)])
def test_a_declared_length_over_the_limit_is_refused_before_any_content_is_read(
    length: int, status: int
) -> None:
    """RFC 9110 section 15.5.14."""
    log = log_of(post(length), limits=Limits(body=10))
    assert status_of(log) == status
    assert status == 0 or fault_of(log)[2] == "limit_request_body"
    assert status == 0 or requests_of(log) == []


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"a\r\n0123456789\r\n0\r\n\r\n", 0),
        (b"5\r\n01234\r\n5\r\n56789\r\n0\r\n\r\n", 0),
        (b"b\r\n01234567890\r\n0\r\n\r\n", 413),
        (b"5\r\n01234\r\n6\r\n567890\r\n0\r\n\r\n", 413),
        (b"1\r\n0\r\n" * 11 + b"0\r\n\r\n", 413),
        (b"b\r\n", 413),
        (b"ffffffff\r\n", 413),
    ],
)
def test_chunks_over_the_limit_are_refused_by_their_declared_size(body: bytes, status: int) -> None:
    """RFC 9110 section 15.5.14; the sum counts, in one read as in many."""
    log = chunked_log(body, Limits(body=10))
    assert status_of(log) == status
    assert status == 0 or fault_of(log)[2] == "limit_request_body"


# --- RFC 9112 section 7.1: chunked transfer coding ---------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "content"),
    [
        (b"0\r\n\r\n", b""),
        (b"5\r\nhello\r\n0\r\n\r\n", b"hello"),
        (b"05\r\nhello\r\n0\r\n\r\n", b"hello"),
        (b"0000000000000005\r\nhello\r\n0000000000000000\r\n\r\n", b"hello"),
        (b"a\r\n0123456789\r\n0\r\n\r\n", b"0123456789"),
        (b"A\r\n0123456789\r\n0\r\n\r\n", b"0123456789"),
        (b"1\r\na\r\n1\r\nb\r\n1\r\nc\r\n0\r\n\r\n", b"abc"),
        (b"2\r\n\r\n\r\n0\r\n\r\n", b"\r\n"),
        (b"7\r\n0\r\n\r\n\r\n\r\n0\r\n\r\n", b"0\r\n\r\n\r\n"),
        (b"4\r\n0\r\n\x00\r\n00\r\n\r\n", b"0\r\n\x00"),
    ],
)
def test_chunks_are_joined_to_content(body: bytes, content: bytes) -> None:
    """chunked-body = *chunk last-chunk trailer-section CRLF."""
    log = chunked_log(body + GET)
    assert content_of(log) == content
    assert ends_of(log) == 2


@pytest.mark.parametrize(
    "line",
    [
        b"", b" 5", b"\t5", b"5 ", b"5\t", b"+5", b"-5", b"0x5", b"5h", b"g", b"5.0", b"5,5", b"5 5",
        b"\x005", b"5\x00", b"00000000000000005", b"10000000000000000", b"fffffffffffffffff",
        b"ffffffffffffffff", b"8000000000000000", b"7fffffffffffffff", b"0400000000000001", b"\xef\xbc\x95",
        b"five", b"5_0", b"'5'", b"=", b";", b";a", b"\x85",
    ],
)  # fmt: skip
def test_a_chunk_size_is_1_to_16_hexadecimal_digits_and_nothing_else(line: bytes) -> None:
    """chunk-size = 1*HEXDIG; overflow MUST be prevented (section 7.1)."""
    log = chunked_log(line + b"\r\nhello\r\n0\r\n\r\n" + GET)
    assert status_of(log) == 400
    assert content_of(log) == b""


@pytest.mark.parametrize(
    "octet", [octet for octet in range(256) if octet not in b"0123456789abcdefABCDEF;\r"]
)
def test_a_chunk_size_with_any_other_octet_is_refused(octet: int) -> None:
    assert status_of(log_of(CHUNKED_POST + b"5" + bytes([octet]) + b"\r\nhello\r\n0\r\n\r\n")) == 400


@pytest.mark.parametrize(
    "body",
    [
        b"5\nhello\r\n0\r\n\r\n",
        b"5\rhello\r\n0\r\n\r\n",
        b"5\r\r\nhello\r\n0\r\n\r\n",
        b"5\n\r\nhello\r\n0\r\n\r\n",
        b"5\r\nhello\n0\r\n\r\n",
        b"5\r\nhello\r0\r\n\r\n",
        b"5\r\nhello0\r\n\r\n",
        b"5\r\nhello!\r\n0\r\n\r\n",
        b"5\r\nhello\r\n\r\n0\r\n\r\n",
        b"5\r\nhello\r\n0\n\r\n",
        b"5\r\nhello\r\n0\r\n\n",
        b"5\r\nhello\r\n0\r\n\r\r\n",
        b"5\r\nhello\r\n0\r\n\rX",
        b"5\r\nhell\r\n0\r\n\r\n",
        b"5\r\nhello\r\n\n0\r\n\r\n",
    ],
)
def test_chunk_lines_and_data_end_in_crlf_and_nothing_else(body: bytes) -> None:
    """chunk = chunk-size [ chunk-ext ] CRLF chunk-data CRLF."""
    log = chunked_log(body + GET)
    assert status_of(log) == 400
    assert len(requests_of(log)) == 1


def test_content_before_a_broken_chunk_is_delivered() -> None:
    log = chunked_log(b"5\r\nhello\r\nx\r\n")
    assert content_of(log) == b"hello"
    assert status_of(log) == 400


# --- RFC 9112 section 7.1.1: chunk extensions --------------------------------------------------------------


GOOD_EXTENSIONS = [
    b";a", b";a=b", b";a;b", b";a=b;c=d", b'; a = "b c"', b'; a="b\\"c"', b";\ta", b';a=""', b';a=";"',
    b";a ", b';a="\xff"', b"; a ; b", b";a= b", b";!#$%=x",
]  # fmt: skip
BAD_EXTENSIONS = [
    b";", b"; ", b";=", b";=b", b";a=", b";a=;b", b";;a", b";a;", b';a="b', b';a="b"c', b';a="b\\', b";a b",
    b";a=b c", b";a@b", b";a=b@c", b";(a)", b';"a"', b";a==b", b",a", b";a,b", b" ;a", b"\t;a",
]  # fmt: skip


@pytest.mark.parametrize("extension", GOOD_EXTENSIONS)
def test_chunk_extensions_are_checked_and_ignored(extension: bytes) -> None:
    """ "A recipient MUST ignore unrecognized chunk extensions"."""
    log = chunked_log(b"5" + extension + b"\r\nhello\r\n0" + extension + b"\r\n\r\n")
    assert content_of(log) == b"hello"
    assert ends_of(log) == 1
    assert is_chunk_ext(extension)


@pytest.mark.parametrize("extension", BAD_EXTENSIONS)
def test_chunk_extensions_that_break_the_grammar_are_refused(extension: bytes) -> None:
    assert status_of(chunked_log(b"5" + extension + b"\r\nhello\r\n0\r\n\r\n")) == 400
    assert not is_chunk_ext(extension)


@pytest.mark.parametrize("octet", [*range(9), *range(10, 13), *range(14, 32), 127])
def test_a_chunk_extension_has_no_control_octets(octet: int) -> None:
    """A bare LF in an extension is how chunks are smuggled."""
    assert status_of(chunked_log(b"5;a" + bytes([octet]) + b"b\r\nhello\r\n0\r\n\r\n")) == 400


@pytest.mark.parametrize("ending", [b"\n", b"\r", b"\rX", b"\r\r\n"])
def test_a_chunk_extension_ends_in_crlf(ending: bytes) -> None:
    assert status_of(log_of(CHUNKED_POST + b"5;a" + ending + b"hello\r\n0\r\n\r\n")) == 400


@pytest.mark.parametrize(("length", "status"), [(15, 0), (16, 0), (17, 400), (1000, 400)])
def test_an_extension_over_its_limit_is_refused(length: int, status: int) -> None:
    """ "A server ought to limit the total length of chunk extensions received in a request"."""
    body = b"1;" + b"a" * (length - 1) + b"\r\nx\r\n0\r\n\r\n"
    log = (
        chunked_log(body, Limits(chunk_extension=16))
        if length < 100
        else log_of(CHUNKED_POST + body, limits=Limits(chunk_extension=16))
    )
    assert status_of(log) == status
    assert status == 0 or fault_of(log)[2] == "limit_chunk_extension"


@pytest.mark.parametrize(("count", "status"), [(3, 0), (4, 0), (5, 400)])
def test_extensions_of_one_body_have_a_limit_together(count: int, status: int) -> None:
    log = chunked_log(b"1;a=bcd\r\nx\r\n" * count + b"0\r\n\r\n", Limits(chunk_extensions=24))
    assert status_of(log) == status
    assert status == 0 or fault_of(log)[2] == "limit_chunk_extensions"


def test_the_next_body_has_its_own_limit_of_extensions() -> None:
    body = b"1;a=bcd\r\nx\r\n" * 4 + b"0\r\n\r\n"
    log = log_of((CHUNKED_POST + body) * 3, limits=Limits(chunk_extensions=24))
    assert ends_of(log) == 3


# --- RFC 9112 section 7.1.2: trailers ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "trailers",
    [
        b"a: b\r\n",
        b"a: b\r\nc: d\r\n",
        b"Content-Length: 99\r\n",
        b"Transfer-Encoding: gzip\r\n",
        b"Host: other.example\r\n",
        b"Connection: close\r\n",
        b"Expect: x\r\n",
        b"a:\r\n",
    ],
)
def test_trailers_are_read_and_dropped(trailers: bytes) -> None:
    """ "A recipient … might … discard them"; those that frame or route are never merged (RFC 9110 6.5.1)."""
    log = chunked_log(b"5\r\nhello\r\n0\r\n" + trailers + b"\r\n" + GET)
    assert content_of(log) == b"hello"
    assert ends_of(log) == 2
    assert log[0][5] == [(b"host", b"example.org"), (b"transfer-encoding", b"chunked")]


@pytest.mark.parametrize(
    "trailers",
    [
        b" a: b\r\n",
        b"a : b\r\n",
        b"a\r\n",
        b": b\r\n",
        b"a: b\n",
        b"a: b\r\n c\r\n",
        b"a: \x00\r\n",
        b"a b: c\r\n",
    ],
)
def test_trailers_are_as_strict_as_fields_of_a_head(trailers: bytes) -> None:
    assert status_of(chunked_log(b"0\r\n" + trailers + b"\r\n")) == 400


def test_trailers_have_the_limits_of_a_head() -> None:
    start = CHUNKED_POST + b"0\r\n"
    assert status_of(log_of(start + b"a: b\r\n" * 101)) == 431
    assert status_of(log_of(start + b"a: " + b"b" * 20_000)) == 431
    assert status_of(log_of(start + (b"a: " + b"b" * 9000 + b"\r\n") * 4)) == 431


def test_trailers_may_be_as_many_as_the_fields_of_a_head() -> None:
    assert ends_of(log_of(CHUNKED_POST + b"0\r\n" + b"a: b\r\n" * 100 + b"\r\n")) == 1


# --- RFC 9112 section 8: incomplete messages ---------------------------------------------------------------


@pytest.mark.parametrize(
    "data",
    [
        post(5),
        post(5) + b"hell",
        CHUNKED_POST,
        CHUNKED_POST + b"5",
        CHUNKED_POST + b"5\r\nhello",
        CHUNKED_POST + b"5\r\nhello\r\n",
        CHUNKED_POST + b"5\r\nhello\r\n0",
        CHUNKED_POST + b"5\r\nhello\r\n0\r\n",
        CHUNKED_POST + b"5\r\nhello\r\n0\r\na: b\r\n",
        CHUNKED_POST + b"5\r\nhello\r\n0\r\n\r",
    ],
)
def test_a_request_that_ends_early_is_never_complete(data: bytes) -> None:
    """The end of the connection before the last octet is a disconnect, not an end of content."""
    log = log_of(data, eof=True)
    assert ends_of(log) == 0
    assert status_of(log) == 400
    assert not is_open(log)


@pytest.mark.parametrize("data", [post(5) + b"hell", CHUNKED_POST + b"5\r\nhello\r\n0\r\n"])
def test_a_request_that_is_not_complete_is_waited_for(data: bytes) -> None:
    """Its deadline is the connection's business."""
    log = log_of(data)
    assert status_of(log) == 0
    assert is_open(log)
    assert ends_of(log) == 0


@pytest.mark.parametrize("kept", range(1, len(GET), 3))
def test_a_head_that_ends_early_is_forgotten(kept: int) -> None:
    log = log_of(GET[:kept], eof=True)
    assert log == [("closed", False, False)]
