"""RFC 9112 section 9 and RFC 9110 sections 10 and 15: requests and answers side by side on one connection."""

from __future__ import annotations

import pytest

from alsvid.errors import LocalProtocolError
from alsvid.protocol.http1.limits import Limits
from alsvid.protocol.phases import ANSWER, CONTENT, DISCARD, HEAD, IDLE, SHUT
from tests.protocol.wire import (
    CHUNKED_POST,
    GET,
    Wire,
    answer_nothing,
    answer_ok,
    content_of,
    ends_of,
    is_open,
    log_of,
    post,
    request,
    requests_of,
    sent_of,
    status_of,
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


# --- what is waited for ------------------------------------------------------------------------------------


def test_the_phase_says_what_is_waited_for() -> None:
    wire = Wire(answer_nothing)
    phases = [wire.engine.phase]
    for octets in (b"\r\n", b"P", post(5)[1:], b"hell", b"o"):
        wire.receive(octets)
        phases.append(wire.engine.phase)
    answer_ok(wire, 1)
    phases.append(wire.engine.phase)
    assert phases == [IDLE, IDLE, HEAD, CONTENT, CONTENT, ANSWER, IDLE]


# --- RFC 9112 section 9.3.2: pipelining --------------------------------------------------------------------


@pytest.mark.parametrize("count", [2, 3, 8, 100, 1000])
def test_pipelined_requests_are_answered_in_order(count: int) -> None:
    data = b"".join(request(line=b"GET /%d HTTP/1.1" % i) for i in range(count))
    log = log_of(data)
    assert requests_of(log) == [("GET", b"/%d" % i) for i in range(count)]
    assert sent_of(log).count(b"HTTP/1.1 200 OK") == count
    assert [entry[1] for entry in log if entry[0] == "end"] == list(range(1, count + 1))


def test_a_pipelined_request_is_not_read_before_the_answer_has_ended() -> None:
    wire = begun(GET + GET)
    assert wire.engine.waiting_octets() == len(GET)
    wire.receive(GET)
    assert wire.engine.waiting_octets() == 2 * len(GET)
    answer_ok(wire, 1)
    wire.receive(b"")
    assert len(requests_of(wire.log)) == 2
    assert wire.engine.waiting_octets() == len(GET)


def test_what_waits_and_what_comes_are_one_stream_of_octets() -> None:
    wire = begun(GET + post(5)[:20])
    wire.receive(post(5)[20:])
    answer_ok(wire, 1)
    wire.receive(b"hel")
    wire.receive(b"lo")
    assert content_of(wire.log) == b"hello"
    assert ends_of(wire.log) == 2


@pytest.mark.parametrize("first", [1, 2, 3])
def test_octets_that_come_behind_a_pipeline_are_taken_whole(first: int) -> None:
    """What waited before says nothing about what waits now."""
    wire = begun(GET * first)
    for stream in range(1, first + 1):
        answer_early(wire, stream)
        wire.receive(b"")
    wire.receive(GET)
    wire.receive(GET)
    wire.receive(GET[:9])
    answer_early(wire, first + 1)
    wire.receive(b"")
    answer_early(wire, first + 2)
    wire.receive(GET[9:])
    assert ends_of(wire.log) == first + 3
    assert status_of(wire.log) == 0


def test_content_and_requests_can_alternate() -> None:
    chunked = CHUNKED_POST + b"5\r\nhello\r\n0\r\n\r\n"
    log = log_of(GET + post(3) + b"abc" + chunked + GET + chunked)
    assert ends_of(log) == 5
    assert content_of(log) == b"abchellohello"


def test_behind_a_bad_request_there_is_none() -> None:
    log = log_of(GET + b"bad\r\n\r\n" + GET)
    assert len(requests_of(log)) == 1
    assert status_of(log) == 400
    assert sent_of(log).count(b"HTTP/1.1 ") == 2


# --- RFC 9112 section 9.6: the end of the connection -------------------------------------------------------


@pytest.mark.parametrize("data", [b"", b"\r\n", b"GET", b"GET / HTTP/1.1\r\n", b"GET / HTTP/1.1\r\nHost"])
def test_the_end_before_or_inside_a_head_closes(data: bytes) -> None:
    wire = begun(data).receive_eof()
    assert wire.log == [("closed", False, False)]
    assert wire.engine.phase == SHUT


def test_the_end_inside_content_is_a_fault_of_its_stream() -> None:
    """RFC 9112 section 8."""
    wire = begun(post(5) + b"hell").receive_eof()
    assert wire.log[-2] == (
        "fault",
        1,
        400,
        "the connection ended inside the content (RFC 9112 section 8)",
        "",
    )


def test_the_end_behind_a_request_leaves_it_to_be_answered() -> None:
    """Half-closed connections are answered, and then closed."""
    wire = begun().receive_eof()
    assert not wire.engine.close_expected
    assert b"\r\nconnection: close\r\n" in answer_early(wire)
    assert wire.engine.close_expected


def test_the_end_behind_pipelined_requests_leaves_them_all_to_be_answered() -> None:
    wire = begun(GET * 3).receive_eof()
    answers = []
    for stream in (1, 2, 3):
        answers.append(answer_early(wire, stream))
        wire.receive(b"")
    assert [b"connection: close" in answer for answer in answers] == [False, False, True]
    assert ends_of(wire.log) == 3
    assert wire.engine.close_expected


@pytest.mark.parametrize("rest", [b"GET / HTTP/1.1\r\nHo", post(5) + b"hell"])
def test_a_pipelined_request_that_ends_early_is_not_served(rest: bytes) -> None:
    wire = begun(GET + rest).receive_eof()
    answer_early(wire)
    wire.receive(b"")
    assert ends_of(wire.log) == 1
    assert wire.engine.close_expected


def test_the_end_while_content_is_dropped_closes() -> None:
    wire = begun(post(5))
    answer_early(wire)
    assert wire.engine.phase == DISCARD
    assert wire.receive_eof().log[-1] == ("closed", False, False)


def test_nothing_is_read_when_the_connection_is_to_be_closed() -> None:
    wire = Wire().receive(request(b"Connection: close"))
    before = list(wire.log)
    assert wire.receive(GET).receive_eof().log == before


# --- RFC 9110 section 10.1.1: 100 (Continue) ---------------------------------------------------------------


def test_100_is_sent_when_the_application_reads() -> None:
    wire = begun(EXPECTING)
    assert wire.sent() == b""
    wire.engine.consume(1, 0)
    assert wire.sent() == CONTINUE
    wire.engine.consume(1, 0)
    assert wire.sent() == b""
    assert ends_of(wire.receive(b"hello").log) == 1


@pytest.mark.parametrize(
    "data",
    [EXPECTING + b"h", EXPECTING + b"hello", EXPECTING_CHUNKS + b"0\r\n\r\n"],
)
def test_100_is_not_sent_when_content_has_come(data: bytes) -> None:
    """ "MAY omit sending a 100 … if it has already received some or all of the content"."""
    wire = begun(data)
    wire.engine.consume(1, 0)
    assert wire.sent() == b""


@pytest.mark.parametrize(
    "data",
    [GET, request(b"Expect: 100-continue"), post(0, b"Expect: 100-continue"), post(5),
     request(b"Content-Length: 5", b"Expect: 100-continue", line=b"POST / HTTP/1.0")],
)  # fmt: skip
def test_100_is_not_sent_to_those_who_do_not_wait(data: bytes) -> None:
    """No content, no expectation, or HTTP/1.0."""
    wire = begun(data)
    wire.engine.consume(1, 0)
    assert wire.sent() == b""


def test_100_is_not_sent_behind_the_head_of_the_answer() -> None:
    wire = begun(EXPECTING)
    wire.engine.send_headers(1, 200, [], False)
    wire.engine.consume(1, 0)
    assert wire.sent() == b""


def test_an_answer_instead_of_100_closes() -> None:
    """The client may send the content or not: where the next request begins is not known."""
    wire = begun(EXPECTING)
    assert b"\r\nconnection: close\r\n" in answer_early(wire)
    assert wire.engine.close_expected
    assert wire.engine.discard_expected


def test_an_answer_to_a_client_that_did_not_wait_need_not_close() -> None:
    wire = begun(EXPECTING + b"hel")
    assert b"connection: close" not in answer_early(wire)
    wire.receive(b"lo" + GET)
    assert len(requests_of(wire.log)) == 2


# --- RFC 9112 section 9.6 and safety: early answers, unread content ----------------------------------------


@pytest.mark.parametrize("come", [0, 1, 9, 10])
def test_unread_content_within_the_limit_is_dropped_and_the_connection_persists(come: int) -> None:
    wire = begun(post(10) + b"x" * come, Limits(unread_body=10))
    answer_early(wire)
    wire.receive(b"x" * (10 - come) + GET)
    assert wire.engine.phase == ANSWER
    assert len(requests_of(wire.log)) == 2
    assert content_of(wire.log) == b"x" * come


def test_unread_content_over_the_limit_closes_and_the_answer_says_so() -> None:
    wire = begun(post(11), Limits(unread_body=10))
    assert b"\r\nconnection: close\r\n" in answer_early(wire)
    assert wire.engine.close_expected
    assert wire.engine.discard_expected


@pytest.mark.parametrize(("size", "persists"), [(10, True), (11, False)])
@pytest.mark.parametrize("pieces", [1, 11])
def test_unread_chunks_over_the_limit_close_when_they_come(size: int, persists: bool, pieces: int) -> None:
    """Their sum is not known before; in one read as in many."""
    wire = begun(CHUNKED_POST, Limits(unread_body=10))
    assert b"connection: close" not in answer_early(wire)
    body = b"1\r\nx\r\n" * size + b"0\r\n\r\n"
    step = len(body) if pieces == 1 else 3
    for at in range(0, len(body), step):
        wire.receive(body[at : at + step])
    assert wire.engine.close_expected is not persists
    wire.receive(GET)
    assert len(requests_of(wire.log)) == (2 if persists else 1)


def test_a_broken_chunk_among_unread_content_closes_without_a_second_answer() -> None:
    wire = begun(CHUNKED_POST)
    answer_early(wire)
    wire.receive(b"5\r\nhello\r\nx\r\n" + GET)
    assert wire.sent() == b""
    assert wire.log[-1] == ("closed", True, False)
    assert len(requests_of(wire.log)) == 1


def test_a_broken_chunk_behind_too_much_unread_content_closes_without_a_second_answer() -> None:
    wire = begun(CHUNKED_POST, Limits(unread_body=3))
    answer_early(wire)
    wire.receive(b"5\r\nhello\r\nx\r\n" + GET)
    assert sent_of(wire.log).count(b"HTTP/1.1 ") == 1
    assert wire.log[-1] == ("closed", True, False)


def test_the_length_of_unread_content_is_judged_when_the_head_leaves() -> None:
    wire = begun(post(20) + b"x" * 15, Limits(unread_body=10))
    assert b"connection: close" not in answer_early(wire)
    wire.receive(b"x" * 5 + GET)
    assert len(requests_of(wire.log)) == 2


def test_a_shutdown_while_content_is_dropped_closes_behind_it() -> None:
    wire = begun(post(5))
    answer_early(wire)
    wire.engine.shutdown()
    assert not wire.engine.close_expected
    wire.receive(b"hello")
    assert wire.engine.close_expected


def test_an_answer_and_its_request_may_overlap() -> None:
    wire = begun(post(10) + b"hello")
    wire.engine.send_headers(1, 200, [], False)
    wire.engine.send_data(1, b"hello", False)
    wire.receive(b"world")
    wire.engine.send_data(1, b"world", True)
    assert ends_of(wire.log) == 1
    wire.sent()
    assert sent_of(wire.log).endswith(b"5\r\nhello\r\n5\r\nworld\r\n0\r\n\r\n")
    assert wire.engine.phase == IDLE


# --- faults inside content ---------------------------------------------------------------------------------


@pytest.mark.parametrize("held", [False, True])
def test_a_fault_before_the_head_has_left_is_answered(held: bool) -> None:
    wire = begun(CHUNKED_POST)
    if held:
        wire.engine.send_headers(1, 200, [(b"a", b"b")], False)
    wire.receive(b"x\r\n")
    octets = sent_of(wire.log)
    assert octets.startswith(b"HTTP/1.1 400 ")
    assert b"a: b" not in octets
    assert wire.log[-1] == ("closed", True, False)


@pytest.mark.parametrize(
    ("data", "lines", "cut"),
    [
        (CHUNKED_POST, [], False),
        (CHUNKED_POST, [(b"content-length", b"10")], False),
    ],
)
def test_a_fault_behind_the_head_cuts_the_answer(data: bytes, lines: list, cut: bool) -> None:
    wire = begun(data)
    wire.engine.send_headers(1, 200, lines, False)
    wire.engine.send_data(1, b"hell", False)
    wire.sent()
    wire.receive(b"x\r\n")
    assert wire.sent() == b""
    assert wire.log[-1] == ("closed", not cut, cut)
    with pytest.raises(LocalProtocolError):
        wire.engine.send_data(1, b"o", True)


@pytest.mark.parametrize("how", ["reset", "eof"])
def test_an_answer_of_1_0_without_length_is_cut_visibly(how: str) -> None:
    """The end of the connection would be the end of its content."""
    wire = begun(request(b"Content-Length: 5", line=b"POST / HTTP/1.0"))
    wire.engine.send_headers(1, 200, [], False)
    wire.engine.send_data(1, b"half", False)
    if how == "reset":
        wire.engine.reset_stream(1, 0)
    else:
        wire.receive_eof()
    assert wire.engine.is_cut
    assert wire.engine.close_expected
    assert not wire.engine.discard_expected


@pytest.mark.parametrize(
    "data",
    [b"HEAD / HTTP/1.1\r\n\r\n", b"HEAD / HTTP/1.1\r\nbad\r\n", b"HEAD / HTTP/3.0\r\n", b"HEAD /\x01"],
)
def test_an_error_answer_to_head_has_no_content(data: bytes) -> None:
    """RFC 9110 section 9.3.2."""
    octets = sent_of(log_of(data))
    assert octets.endswith(b"\r\n\r\n")
    assert octets.count(b"\r\n\r\n") == 1


def test_a_request_behind_head_has_content_in_its_error_answer() -> None:
    octets = sent_of(log_of(request(line=b"HEAD / HTTP/1.1") + b"bad\r\n"))
    assert octets.endswith(b")\n")


# --- one connection, many exchanges ------------------------------------------------------------------------


def test_nothing_of_a_stream_is_left_for_the_next() -> None:
    first = (
        request(b"TE: trailers", b"Expect: 100-continue", b"Content-Length: 1", line=b"POST / HTTP/1.1")
        + b"x"
    )
    wire = begun(first)
    wire.engine.expect_trailers(1)
    wire.engine.send_headers(1, 200, [], False)
    wire.engine.send_data(1, b"", True)
    wire.engine.send_trailers(1, [])
    wire.receive(GET)
    wire.sent()
    wire.engine.consume(2, 0)
    assert not wire.engine.expect_trailers(2)
    assert answer_early(wire, 2) == b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"


def test_a_persistent_connection_serves_a_thousand_requests() -> None:
    wire = Wire()
    for _ in range(1000):
        wire.receive(GET)
    assert ends_of(wire.log) == 1000
    assert is_open(wire.log)
