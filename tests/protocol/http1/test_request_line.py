"""RFC 9112 sections 2 and 3: message format and request line, in the RFC's order."""

from __future__ import annotations

import pytest

from alsvid.protocol.events import RequestReceived
from alsvid.protocol.http1.engine import Http1Engine
from alsvid.protocol.http1.limits import Limits
from alsvid.protocol.http1.writer import HeadWriter
from tests.protocol.wire import GET, Log, fault_of, is_open, log_of, request, requests_of, sent_of, status_of

TOKEN = b"!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
ALL_OCTETS = range(256)


def line_of(line: bytes, *lines: bytes) -> Log:
    return log_of(request(*lines, line=line))


# --- section 2.2: message parsing -------------------------------------------------------------------------


@pytest.mark.parametrize("count", [1, 2, 3, 100])
def test_empty_lines_before_the_request_line_are_ignored(count: int) -> None:
    """ "SHOULD ignore at least one empty line (CRLF) received prior to the request-line" (section 2.2)."""
    assert requests_of(log_of(b"\r\n" * count + GET)) == [("GET", b"/")]


def test_empty_lines_between_requests_are_ignored() -> None:
    """Old clients send CRLF after the content of a POST (section 2.2)."""
    assert len(requests_of(log_of(GET + b"\r\n" + GET))) == 2


def test_empty_lines_without_end_are_refused() -> None:
    """Empty lines count as octets of the request line: 414 (RFC 9110 section 15.5.15)."""
    assert fault_of(log_of(b"\r\n" * 5000))[2] == "limit_request_line"


def test_empty_lines_alone_leave_the_connection_open() -> None:
    assert log_of(b"\r\n\r\n") == []


@pytest.mark.parametrize("start", [b"\n", b"\r", b"\r\r\n", b"\n\r\n", b" ", b"\t", b"\x00", b" \r\n"])
def test_nothing_else_may_stand_before_the_request_line(start: bytes) -> None:
    """A bare CR or LF, or white space, is no empty line (section 2.2)."""
    assert status_of(log_of(start + GET)) == 400


@pytest.mark.parametrize(
    "data",
    [
        b"GET / HTTP/1.1\nHost: a\n\n",
        b"GET / HTTP/1.1\nHost: a\r\n\r\n",
        b"GET / HTTP/1.1\rHost: a\r\r",
        b"GET / HTTP/1.1\r\rHost: a\r\n\r\n",
        b"GET / HTTP/1.1\n\r\nHost: a\r\n\r\n",
        b"GET / HTTP/1.1\r Host: a\r\n\r\n",
    ],
)
def test_the_request_line_ends_in_crlf_and_nothing_else(data: bytes) -> None:
    """A recipient "MAY recognize a single LF"; this one does not: two readings are one too many (2.2)."""
    assert status_of(log_of(data)) == 400


@pytest.mark.parametrize(
    "data", [b" GET / HTTP/1.1\r\nHost: a\r\n\r\n", b"GET / HTTP/1.1\r\n Host: a\r\n\r\n"]
)
def test_white_space_before_the_request_line_or_the_first_field_is_refused(data: bytes) -> None:
    """ "MUST either reject the message as invalid or consume each whitespace-preceded line" (2.2)."""
    assert status_of(log_of(data)) == 400


@pytest.mark.parametrize("octet", [0x16, 0x00, 0x80, 0xFF, 0x0B])
def test_what_is_no_http_is_refused_at_its_first_octet(octet: int) -> None:
    """A TLS record, or any other protocol, does not wait for a deadline (section 2.2)."""
    assert status_of(log_of(bytes([octet]))) == 400


# --- section 2.3: HTTP version ----------------------------------------------------------------------------


@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_versions_1_0_and_1_1_are_spoken(version: str) -> None:
    """RFC 9112 section 2.3."""
    assert line_of(b"GET / HTTP/" + version.encode())[0][4] == version


@pytest.mark.parametrize(
    "version", [b"2.0", b"3.0", b"9.9", b"1.2", b"1.3", b"1.9", b"2.", b"2", b"5.6", b"20"]
)
def test_other_versions_are_answered_505(version: bytes) -> None:
    """RFC 9110 section 15.6.6; a minor version above 1 is not guessed to be 1.1."""
    assert status_of(line_of(b"GET / HTTP/" + version)) == 505


@pytest.mark.parametrize(
    "version",
    [
        b"HTTP/0.9", b"HTTP/01.1", b"HTTP/1.01", b"HTTP/1.10", b"HTTP/1", b"HTTP/1.", b"HTTP/.1",
        b"HTTP/+1.1", b"http/1.1", b"Http/1.1", b"HTTPS/1.1", b"HTTP 1.1", b"HTTP/1,1", b"HTTP/1.1 ",
        b"HTTP/1.1\t", b"HTTP/A.1", b"HTTP/1.A", b"HTTP-1.1", b"HTTP", b"HTTP/", b"SIP/2.0", b"RTSP/1.0",
        b"ICE/1.0", b"/HTTP/1.1", b"HTTP/1.1 HTTP/1.1", b"HTTP//1.1", b"HTTP/1.1;", b"\xef\xbc\xa8TTP/1.1",
        b"HTTP/\xd9\xa1.1",
    ],
)  # fmt: skip
def test_what_is_no_http_version_is_refused(version: bytes) -> None:
    """HTTP-version = HTTP-name "/" DIGIT "." DIGIT, and HTTP-name is case-sensitive (section 2.3)."""
    assert status_of(line_of(b"GET / " + version)) == 400


@pytest.mark.parametrize("line", [b"GET /", b"GET / ", b"GET", b"GET ", b"/"])
def test_a_request_line_without_version_is_refused(line: bytes) -> None:
    """HTTP/0.9 is history (RFC 9112 appendix C.1)."""
    assert status_of(log_of(line + b"\r\n\r\n")) == 400


@pytest.mark.parametrize("kept", range(1, 16))
def test_a_request_line_that_is_not_complete_is_waited_for(kept: int) -> None:
    line = b"GET / HTTP/1.1\r\n"
    assert log_of(line[:kept]) == []


@pytest.mark.parametrize("wrong", range(6, 16))
def test_a_wrong_octet_behind_the_target_is_refused_without_waiting_for_the_rest(wrong: int) -> None:
    """An error is found at its own octet, however much of the line has come."""
    line = b"GET / HTTP/1.1\r\n"
    assert status_of(log_of(line[:wrong] + b"?")) == 400


# --- section 3.1: method ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "method",
    [
        "GET",
        "HEAD",
        "POST",
        "PUT",
        "DELETE",
        "OPTIONS",
        "PATCH",
        "PROPFIND",
        "MKCOL",
        "M-SEARCH",
        "BASELINE-CONTROL",
        "UPDATEREDIRECTREF",
        "get",
        "Get",
        "X",
        "a",
        "QUERY",
        "PURGE",
        "ANNOUNCE",
        "!#$%&'*+-.^_`|~",
        "0",
    ],
)
def test_a_method_is_any_token_and_keeps_its_case(method: str) -> None:
    """ "The method token is case-sensitive" (section 3.1); what it means is the application's business."""
    assert requests_of(line_of(f"{method} / HTTP/1.1".encode())) == [(method, b"/")]


@pytest.mark.parametrize("octet", [octet for octet in ALL_OCTETS if octet not in TOKEN and octet != 0x20])
def test_a_method_with_an_octet_that_is_no_token_is_refused(octet: int) -> None:
    """method = token (section 3.1, RFC 9110 section 5.6.2)."""
    assert status_of(line_of(b"GE" + bytes([octet]) + b"T / HTTP/1.1")) == 400


@pytest.mark.parametrize("octet", sorted(TOKEN))
def test_a_method_may_have_every_octet_of_a_token(octet: int) -> None:
    """RFC 9110 section 5.6.2."""
    assert requests_of(line_of(b"X" + bytes([octet]) + b" / HTTP/1.1")) == [("X" + chr(octet), b"/")]


@pytest.mark.parametrize(("length", "status"), [(31, 0), (32, 0), (33, 400), (1000, 400), (100_000, 400)])
def test_a_token_longer_than_any_method_is_refused(length: int, status: int) -> None:
    """Registered methods have up to 17 octets; what is twice as long is no request line (section 3)."""
    assert status_of(line_of(b"A" * length + b" / HTTP/1.1")) == status


def test_connect_is_answered_501_in_authority_form() -> None:
    """There is nothing here to connect to (RFC 9110 section 9.3.6, RFC 9112 section 3.2.3)."""
    assert status_of(line_of(b"CONNECT example.org:443 HTTP/1.1")) == 501


def test_connect_is_answered_501_in_any_form() -> None:
    """RFC 9110 section 9.3.6."""
    assert status_of(line_of(b"CONNECT / HTTP/1.1")) == 501


def test_trace_is_answered_405_with_what_is_allowed() -> None:
    """RFC 9110 section 9.3.8: it would show fields to scripts. 405 "MUST generate an Allow header field"."""
    log = line_of(b"TRACE / HTTP/1.1")
    assert status_of(log) == 405
    assert b"\r\nallow: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS\r\n" in sent_of(log)


# --- section 3.2: request target --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "target",
    [
        b"/", b"//", b"/a/b", b"/?", b"/?a=b&c=d", b"/a?b?c", b"/%20%41", b"/%", b"/%zz", b"/a;b=c",
        b"/a:b@c", b"/../..", b"/a\\b", b"/|", b"/{}", b"/^`\"<>[]", b"//example.com/a", b"/http://a",
        b"/*", b"/~a!$&'()*+,=", b"/%00", b"/%0d%0a",
    ],
)  # fmt: skip
def test_a_target_in_origin_form_passes_as_it_is(target: bytes) -> None:
    """origin-form = absolute-path [ "?" query ] (3.2.1); browsers escape less than they ought to."""
    assert requests_of(line_of(b"GET " + target + b" HTTP/1.1")) == [("GET", target)]


@pytest.mark.parametrize("octet", [*range(0x21), 0x23, *range(0x7F, 0x100)])
def test_a_target_has_no_controls_spaces_fragments_or_octets_above_ascii(octet: int) -> None:
    """ "No whitespace is allowed in the request-target" (3.2); "#" begins a fragment, which is never sent."""
    assert status_of(line_of(b"GET /a" + bytes([octet]) + b"b HTTP/1.1")) == 400


@pytest.mark.parametrize("target", [b"", b" ", b"\t"])
def test_an_empty_target_is_refused(target: bytes) -> None:
    """RFC 9112 section 3.2."""
    assert status_of(line_of(b"GET " + target + b" HTTP/1.1")) == 400


@pytest.mark.parametrize(
    "line", [b"GET  / HTTP/1.1", b"GET /  HTTP/1.1", b"GET\t/ HTTP/1.1", b"GET /\tHTTP/1.1"]
)
def test_one_space_separates_the_parts_of_the_request_line(line: bytes) -> None:
    """request-line = method SP request-target SP HTTP-version (section 3)."""
    assert status_of(line_of(line)) == 400


def event_of(target: bytes, *lines: bytes, method: bytes = b"GET") -> RequestReceived:
    engine = Http1Engine(Limits(), HeadWriter())
    return engine.receive_data(request(*lines, line=method + b" " + target + b" HTTP/1.1"))[0]


@pytest.mark.parametrize(
    ("target", "query_at", "escaped"),
    [
        (b"/", -1, False),
        (b"/?", 1, False),
        (b"/a?b?c", 2, False),
        (b"/%41", -1, True),
        (b"/a?%41", 2, False),
        (b"/%41?%41", 4, True),
    ],
)
def test_a_request_says_where_its_query_begins_and_whether_its_path_is_escaped(
    target: bytes, query_at: int, escaped: bool
) -> None:
    event = event_of(target)
    assert (event.query_at, event.escaped) == (query_at, escaped)


@pytest.mark.parametrize(
    ("target", "path", "query_at"),
    [
        (b"http://a.example/b", b"/b", -1),
        (b"HTTP://a.example/b?c", b"/b?c", 2),
        (b"https://a.example:8443/b", b"/b", -1),
        (b"http://a.example", b"/", -1),
        (b"http://a.example?c=d", b"/?c=d", 1),
        (b"http://a.example/?c=/d", b"/?c=/d", 1),
        (b"http://a.example?c=/d", b"/?c=/d", 1),
        (b"http://[2001:db8::1]:80/", b"/", -1),
        (b"http://127.0.0.1/%41", b"/%41", -1),
    ],
)
def test_a_target_in_absolute_form_is_taken_apart(target: bytes, path: bytes, query_at: int) -> None:
    """ "A server MUST accept the absolute-form in requests" (3.2.2)."""
    event = event_of(target)
    assert (event.target, event.query_at, event.escaped) == (path, query_at, b"%" in path)


def test_the_authority_of_an_absolute_target_wins_over_host() -> None:
    """ "MUST ignore the received Host header field (if any) and instead use the host information" (3.2.2)."""
    event = event_of(b"http://winner.example:8080/", b"a: b")
    assert event.headers == [(b"host", b"winner.example:8080"), (b"a", b"b")]


def test_an_absolute_target_of_http_1_0_needs_no_host() -> None:
    log = log_of(request(line=b"GET http://winner.example/ HTTP/1.0", host=b""))
    assert log[0][5] == [(b"host", b"winner.example")]


@pytest.mark.parametrize(
    "target",
    [
        b"http://", b"http:///a", b"http://u@a.example/", b"http://u:p@a.example/", b"http://a,b/",
        b"http://a.example:99999/", b"http://a b/", b"ftp://a.example/", b"http:/a", b"http:a",
        b"a.example:80", b"a.example", b"*", b"?a=b", b"a/b", b"http://a\\b/", b"http://[::1",
        b"http://[zz]/", b"ws://a.example/", b"javascript:alert(1)", b"://a/", b"http://?",
        b"http://a.example#b",
    ],
)  # fmt: skip
def test_a_target_of_no_known_form_or_with_a_doubtful_authority_is_refused(target: bytes) -> None:
    """RFC 9112 section 3.2; user information is an error (RFC 9110 section 4.2.4)."""
    assert status_of(line_of(b"GET " + target + b" HTTP/1.1")) == 400


def test_options_of_the_whole_server_has_the_target_star() -> None:
    """Asterisk-form (3.2.4)."""
    assert requests_of(line_of(b"OPTIONS * HTTP/1.1")) == [("OPTIONS", b"*")]


def test_options_with_an_absolute_target_without_path_is_that_of_the_whole_server() -> None:
    """ "the last proxy on the request chain MUST send a request-target of "*" " (3.2.4)."""
    assert requests_of(line_of(b"OPTIONS http://a.example HTTP/1.1")) == [("OPTIONS", b"*")]


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "M-SEARCH"])
def test_the_target_star_belongs_to_options_alone(method: str) -> None:
    """RFC 9112 section 3.2.4."""
    assert status_of(line_of(f"{method} * HTTP/1.1".encode())) == 400


# --- limits (RFC 9112 section 3: at least 8000 octets) -----------------------------------------------------


def line_with(length: int) -> bytes:
    """Return a request with a request line of that many octets, CRLF counted."""
    return request(line=b"GET /" + b"a" * (length - 16) + b" HTTP/1.1")


def test_the_default_takes_request_lines_of_8000_octets() -> None:
    """ "RECOMMENDED that all HTTP senders and recipients support … at least 8000 octets" (section 3)."""
    assert is_open(log_of(line_with(8000)))


@pytest.mark.parametrize(
    ("length", "status"), [(63, 0), (64, 0), (65, 414), (66, 414), (70, 414), (1000, 414)]
)
def test_a_request_line_over_its_limit_is_answered_414(length: int, status: int) -> None:
    """RFC 9110 section 15.5.15; whole and octet by octet."""
    data = line_with(length)
    limits = Limits(request_line=64)
    whole = log_of(data, limits=limits)
    assert status_of(whole) == status
    assert log_of(data, *range(1, len(data)), limits=limits) == whole


def test_a_request_line_is_refused_as_soon_as_it_is_too_long() -> None:
    assert status_of(log_of(b"GET /" + b"a" * 60, limits=Limits(request_line=64))) == 414


@pytest.mark.parametrize("at", range(50, 72))
def test_the_limit_and_a_wrong_octet_are_told_apart_by_which_comes_first(at: int) -> None:
    """However a request line is split, the first octet that is wrong decides."""
    data = b"GET /" + b"a" * (at - 5) + b"\x01" + b"a" * 20 + b" HTTP/1.1\r\n"
    limits = Limits(request_line=64)
    whole = log_of(data, limits=limits)
    assert status_of(whole) == (414 if at > 64 else 400)
    assert log_of(data, *range(1, len(data)), limits=limits) == whole


@pytest.mark.parametrize("at", range(40, 60))
def test_the_limit_and_a_wrong_version_are_told_apart_by_which_comes_first(at: int) -> None:
    data = b"GET /" + b"a" * at + b" HTTP/7.7\r\n\r\n"
    limits = Limits(request_line=64)
    whole = log_of(data, limits=limits)
    assert status_of(whole) in (414, 505)
    assert log_of(data, *range(1, len(data)), limits=limits) == whole
