"""RFC 9112 section 6.3 and RFC 9110 sections 6, 8, 9 and 15, outwards: how answers are framed."""

from __future__ import annotations

import pytest

from alsvid.errors import LocalProtocolError
from tests.protocol.wire import GET, Wire, answer_nothing, is_open, log_of, request, requests_of

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


# --- one message -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [0, 1, 13, 4096, 65536, 65537, 200_000])
@pytest.mark.parametrize("data", [GET, GET_1_0, GET_1_0_KEPT])
def test_an_answer_in_one_message_has_its_length(data: bytes, size: int) -> None:
    """RFC 9110 section 8.6: the length is known, so it is said."""
    wire = begun(data)
    wire.engine.send_headers(1, 200, [], False)
    wire.engine.send_data(1, b"x" * size, True)
    octets = wire.sent()
    assert b"content-length: %d" % size in head_of(octets)
    assert content_of(octets) == b"x" * size


def test_head_and_content_leave_in_one_piece() -> None:
    wire = begun()
    wire.engine.send_headers(1, 200, [], False)
    assert wire.engine.data_to_send() == []
    wire.engine.send_data(1, b"hello", True)
    assert wire.engine.data_to_send() == [b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello"]


def test_an_answer_may_end_with_its_head() -> None:
    wire = begun()
    wire.engine.send_headers(1, 404, [], True)
    assert wire.sent() == b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n"


# --- HEAD, 204, 304 ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [204, 304])
@pytest.mark.parametrize("data", [GET, HEAD, GET_1_0_KEPT])
@pytest.mark.parametrize("content", [b"", b"ignored"])
def test_204_and_304_have_no_content(data: bytes, status: int, content: bytes) -> None:
    """RFC 9110 section 6.4.1, whatever the application says."""
    wire = begun(data)
    wire.engine.send_headers(1, status, [], False)
    wire.engine.send_data(1, content, True)
    octets = wire.sent()
    assert content_of(octets) == b""
    assert b"content-length" not in octets
    assert b"transfer-encoding" not in octets
    assert not wire.engine.close_expected


def test_204_has_no_content_length_even_if_one_is_given() -> None:
    """ "MUST NOT send a Content-Length header field in any response with a status code of … 204" (8.6)."""
    wire = begun()
    wire.engine.send_headers(1, 204, [(b"content-length", b"5")], True)
    assert wire.sent() == b"HTTP/1.1 204 No Content\r\n\r\n"


def test_304_keeps_the_content_length_it_is_given() -> None:
    """ "… MAY send a Content-Length header field in a 304 response" (8.6)."""
    wire = begun()
    wire.engine.send_headers(1, 304, [(b"content-length", b"5")], True)
    assert wire.sent() == b"HTTP/1.1 304 Not Modified\r\ncontent-length: 5\r\n\r\n"


@pytest.mark.parametrize(
    ("declared", "content", "line"),
    [
        (b"5", b"", b"content-length: 5"),
        (b"5", b"hello", b"content-length: 5"),
        (None, b"hello", b"content-length: 5"),
        (None, b"", None),
    ],
)
def test_head_says_the_length_that_get_would_have_and_sends_no_content(
    declared: bytes | None, content: bytes, line: bytes | None
) -> None:
    """ "MUST NOT send Content-Length … unless its field value equals" what GET would say (8.6)."""
    wire = begun(HEAD)
    wire.engine.send_headers(1, 200, [(b"content-length", declared)] if declared else [], False)
    wire.engine.send_data(1, content, True)
    octets = wire.sent()
    assert head_of(octets) == [b"HTTP/1.1 200 OK", *([line] if line else [])]
    assert content_of(octets) == b""


def test_head_of_a_streamed_answer_says_chunked_and_sends_no_chunk() -> None:
    """RFC 9112 section 6.1."""
    wire = begun(HEAD)
    wire.engine.send_headers(1, 200, [], False)
    wire.engine.send_data(1, b"hello", False)
    wire.engine.send_data(1, b"world", True)
    assert wire.sent() == b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
    assert not wire.engine.close_expected


@pytest.mark.parametrize("declared", [3, 8])
def test_a_wrong_length_in_an_answer_to_head_is_the_applications_word(declared: int) -> None:
    wire = begun(HEAD)
    wire.engine.send_headers(1, 200, [(b"content-length", b"%d" % declared)], False)
    wire.engine.send_data(1, b"hello", True)
    assert b"content-length: %d" % declared in wire.sent()


# --- streamed ----------------------------------------------------------------------------------------------


def test_content_in_pieces_is_chunked_on_1_1() -> None:
    """RFC 9112 section 7.1."""
    wire = begun()
    wire.engine.send_headers(1, 200, [], False)
    for piece in (b"hello", b"", b"x" * 16):
        wire.engine.send_data(1, piece, False)
    wire.engine.send_data(1, b"!", True)
    expected = b"5\r\nhello\r\n10\r\n" + b"x" * 16 + b"\r\n1\r\n!\r\n0\r\n\r\n"
    assert content_of(wire.sent()) == expected


@pytest.mark.parametrize("size", [1, 16383, 16384, 16385, 100_000])
def test_chunks_have_any_size(size: int) -> None:
    wire = begun()
    wire.engine.send_headers(1, 200, [], False)
    wire.engine.send_data(1, b"x" * size, False)
    wire.engine.send_data(1, b"", True)
    assert content_of(wire.sent()) == b"%x\r\n" % size + b"x" * size + b"\r\n0\r\n\r\n"


def test_content_in_pieces_ends_with_the_connection_on_1_0() -> None:
    """RFC 9112 section 6.3, last case; 1.0 knows no chunks (section 6.1)."""
    wire = begun(GET_1_0_KEPT)
    wire.engine.send_headers(1, 200, [], False)
    wire.engine.send_data(1, b"hello", False)
    wire.engine.send_data(1, b"world", True)
    assert wire.sent() == b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nhelloworld"
    assert wire.engine.close_expected
    assert not wire.engine.is_cut


@pytest.mark.parametrize("data", [GET, GET_1_0_KEPT])
def test_content_in_pieces_with_a_declared_length_needs_no_chunks(data: bytes) -> None:
    wire = begun(data)
    wire.engine.send_headers(1, 200, [(b"content-length", b"10")], False)
    wire.engine.send_data(1, b"hello", False)
    wire.engine.send_data(1, b"world", True)
    octets = wire.sent()
    assert content_of(octets) == b"helloworld"
    assert b"transfer-encoding" not in octets
    assert not wire.engine.close_expected


def test_a_head_can_be_let_go_before_there_is_content() -> None:
    wire = begun()
    wire.engine.send_headers(1, 200, [], False)
    wire.engine.flush_headers(1)
    assert wire.sent() == b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
    wire.engine.send_data(1, b"", True)
    assert wire.sent() == b"0\r\n\r\n"


@pytest.mark.parametrize("stream", [0, 2, 7])
def test_nothing_is_let_go_for_another_stream(stream: int) -> None:
    wire = begun()
    wire.engine.send_headers(1, 200, [], False)
    wire.engine.flush_headers(stream)
    assert wire.sent() == b""


# --- declared length and content disagree: RFC 9110 section 8.6 --------------------------------------------


@pytest.mark.parametrize(("content", "word"), [(b"hell", "short"), (b"hello!", "exceeds"), (b"", "short")])
def test_a_whole_answer_of_another_length_is_an_error_and_can_be_taken_back(
    content: bytes, word: str
) -> None:
    wire = begun()
    wire.engine.send_headers(1, 200, [(b"content-length", b"5")], False)
    with pytest.raises(LocalProtocolError, match=word):
        wire.engine.send_data(1, content, True)
    assert wire.sent() == b""
    assert wire.engine.withdraw(1)
    wire.engine.send_headers(1, 500, [], True)
    assert wire.sent().startswith(b"HTTP/1.1 500 ")
    assert not wire.engine.close_expected


def test_too_much_content_is_an_error_and_not_sent() -> None:
    wire = begun()
    wire.engine.send_headers(1, 200, [(b"content-length", b"5")], False)
    wire.engine.send_data(1, b"hell", False)
    with pytest.raises(LocalProtocolError, match="exceeds content-length by 1 octets"):
        wire.engine.send_data(1, b"o!", True)
    assert content_of(wire.sent()) == b"hell"


def test_too_little_content_is_an_error_and_the_answer_stays_open() -> None:
    """So that it is cut, which the client sees, and not ended, which it would not."""
    wire = begun()
    wire.engine.send_headers(1, 200, [(b"content-length", b"5")], False)
    wire.engine.send_data(1, b"hell", False)
    with pytest.raises(LocalProtocolError, match="short of content-length by 1 octets"):
        wire.engine.send_data(1, b"", True)
    wire.engine.reset_stream(1, 0)
    assert wire.engine.close_expected


# --- order of calls ----------------------------------------------------------------------------------------


def test_an_answer_is_begun_once() -> None:
    wire = begun()
    wire.engine.send_headers(1, 200, [], False)
    with pytest.raises(LocalProtocolError, match="begun twice"):
        wire.engine.send_headers(1, 200, [], False)


def test_content_comes_behind_a_head() -> None:
    with pytest.raises(LocalProtocolError, match="before the answer's head"):
        begun().engine.send_data(1, b"x", False)


def test_an_answer_that_has_ended_takes_no_content() -> None:
    wire = begun()
    wire.engine.send_headers(1, 200, [], True)
    with pytest.raises(LocalProtocolError, match="end"):
        wire.engine.send_data(1, b"x", False)
    with pytest.raises(LocalProtocolError, match="end"):
        wire.engine.send_headers(1, 200, [], False)


@pytest.mark.parametrize("stream", [0, 2, -1, 99])
def test_another_stream_cannot_be_answered(stream: int) -> None:
    wire = begun()
    with pytest.raises(LocalProtocolError):
        wire.engine.send_headers(stream, 200, [], False)
    wire.engine.send_headers(1, 200, [], False)
    with pytest.raises(LocalProtocolError):
        wire.engine.send_data(stream, b"x", True)


def test_nothing_can_be_answered_before_a_request() -> None:
    with pytest.raises(LocalProtocolError):
        Wire().engine.send_headers(0, 200, [], False)


@pytest.mark.parametrize("status", [100, 101, 103, 199])
def test_an_interim_status_is_no_final_answer(status: int) -> None:
    """RFC 9110 section 15.2."""
    with pytest.raises(LocalProtocolError, match="interim"):
        begun().engine.send_headers(1, status, [], False)


@pytest.mark.parametrize(
    ("status", "headers"),
    [(200, [(b"a", b"b\r\nc: d")]), (200, [(b"a b", b"c")]), (1000, []), (200, [("a", b"b")]), (200, [5])],
)
def test_after_a_head_that_cannot_be_sent_another_one_can(status: int, headers: list) -> None:
    """Nothing of the first has left."""
    wire = begun()
    with pytest.raises(LocalProtocolError):
        wire.engine.send_headers(1, status, headers, False)
    wire.engine.send_headers(1, 500, [], True)
    assert wire.sent().startswith(b"HTTP/1.1 500 ")


# --- taking back and cutting -------------------------------------------------------------------------------


def test_a_head_can_be_taken_back_until_it_leaves() -> None:
    wire = begun()
    assert wire.engine.withdraw(1)
    wire.engine.send_headers(1, 200, [(b"a", b"b")], False)
    assert wire.engine.withdraw(1)
    wire.engine.send_headers(1, 500, [], False)
    wire.engine.flush_headers(1)
    assert not wire.engine.withdraw(1)
    assert not wire.engine.withdraw(2)
    assert b"a: b" not in wire.sent()


@pytest.mark.parametrize("data", [GET, GET_1_0])
@pytest.mark.parametrize("headers", [[], [(b"content-length", b"10")]])
def test_an_answer_that_is_cut_shows_it(data: bytes, headers: list[tuple[bytes, bytes]]) -> None:
    """An incomplete message (RFC 9112 section 8): without length or chunks only a reset tells."""
    wire = begun(data)
    wire.engine.send_headers(1, 200, headers, False)
    wire.engine.send_data(1, b"hell", False)
    wire.engine.reset_stream(1, 0)
    octets = wire.sent()
    assert wire.engine.close_expected
    assert wire.engine.is_cut is (data is GET_1_0 and not headers)
    assert not octets.endswith(b"0\r\n\r\n")


def test_an_answer_that_was_not_begun_is_cut_to_nothing() -> None:
    wire = begun()
    wire.engine.send_headers(1, 200, [], False)
    wire.engine.reset_stream(1, 0)
    assert wire.sent() == b""
    assert wire.engine.close_expected


def test_an_answer_that_is_complete_is_not_cut() -> None:
    wire = Wire().receive(GET)
    wire.engine.reset_stream(1, 0)
    wire.engine.reset_stream(2, 0)
    assert not wire.engine.close_expected


# --- persistence, outwards: RFC 9112 section 9 -------------------------------------------------------------


def test_the_application_can_close() -> None:
    wire = begun(GET + GET)
    wire.engine.send_headers(1, 200, [(b"connection", b"close")], True)
    assert wire.sent() == b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
    assert wire.engine.close_expected
    assert wire.engine.discard_expected  # the second request is there, and is not read


@pytest.mark.parametrize("moment", ["before", "between", "held"])
def test_a_shutdown_is_said_in_the_answer_under_way(moment: str) -> None:
    """RFC 9112 section 9.6."""
    wire = Wire(answer_nothing)
    if moment == "before":
        wire.engine.shutdown()
    wire.receive(GET)
    if moment == "between":
        wire.engine.shutdown()
    wire.engine.send_headers(1, 200, [], False)
    if moment == "held":
        wire.engine.shutdown()
    wire.engine.send_data(1, b"", True)
    assert b"connection: close" in head_of(wire.sent())
    assert wire.engine.close_expected


def test_a_shutdown_behind_the_head_closes_after_the_answer() -> None:
    wire = begun()
    wire.engine.send_headers(1, 200, [], False)
    wire.engine.flush_headers(1)
    wire.engine.shutdown()
    assert not wire.engine.close_expected
    wire.engine.send_data(1, b"x", True)
    assert wire.engine.close_expected
    assert content_of(wire.sent()) == b"1\r\nx\r\n0\r\n\r\n"


def test_nothing_behind_close_is_read() -> None:
    """ "… MUST NOT process any further requests received on that connection" (section 9.6)."""
    log = log_of(request(b"Connection: close") + GET)
    assert len(requests_of(log)) == 1
    assert not is_open(log)
