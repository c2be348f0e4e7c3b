"""The harness itself: what it logs, and that it splits where it says."""

from __future__ import annotations

from tests.protocol.wire import (
    CHUNKED_POST,
    GET,
    Wire,
    answer_nothing,
    content_of,
    ends_of,
    fault_of,
    is_open,
    log_of,
    post,
    request,
    requests_of,
    sent_of,
    status_of,
    ways_to_split,
)


def test_a_get_is_logged_as_request_end_and_answer() -> None:
    log = log_of(GET)
    assert log[0] == ("request", 1, "GET", b"/", "1.1", [(b"host", b"example.org")])
    assert log[1] == ("end", 1)
    assert log[2][0] == "sent"
    assert len(log) == 3


def test_content_is_one_entry_however_it_was_split() -> None:
    data = post(5) + b"hello"
    assert log_of(data) == log_of(data, len(data) - 3, len(data) - 1)
    assert content_of(log_of(data)) == b"hello"


def test_a_fault_comes_before_its_answer_and_the_end_of_the_connection() -> None:
    kinds = [entry[0] for entry in log_of(b"no request\r\n\r\n")]
    assert kinds == ["fault", "sent", "closed"]


def test_requests_that_wait_behind_an_answer_are_read_after_it() -> None:
    log = log_of(GET + GET)
    assert requests_of(log) == [("GET", b"/"), ("GET", b"/")]
    assert ends_of(log) == 2


def test_a_request_that_is_not_answered_keeps_the_next_one_waiting() -> None:
    log = log_of(GET + GET, application=answer_nothing)
    assert len(requests_of(log)) == 1


def test_the_end_of_the_connection_can_be_part_of_the_input() -> None:
    log = log_of(post(5) + b"he", eof=True)
    assert status_of(log) == 400
    assert not is_open(log)


def test_there_is_one_split_for_each_octet_and_one_of_single_octets() -> None:
    assert list(ways_to_split(4)) == [(1,), (2,), (3,), (1, 2, 3)]


def test_a_request_has_the_host_unless_it_is_left_out() -> None:
    assert request(b"a: b") == b"GET / HTTP/1.1\r\nHost: example.org\r\na: b\r\n\r\n"
    assert request(host=b"") == b"GET / HTTP/1.1\r\n\r\n"


def test_nothing_is_wrong_with_a_request_that_is_right() -> None:
    log = log_of(CHUNKED_POST + b"0\r\n\r\n")
    assert fault_of(log) is None
    assert status_of(log) == 0
    assert sent_of(log).startswith(b"HTTP/1.1 200 ")


def test_octets_can_come_in_several_calls() -> None:
    wire = Wire()
    wire.receive(GET[:10]).receive(GET[10:])
    assert wire.log == log_of(GET)
