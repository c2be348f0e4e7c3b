"""The small parsers against the same grammar, said by a regular expression or the standard library."""

from __future__ import annotations

import ipaddress
import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from alsvid.errors import LocalProtocolError, RemoteProtocolError
from alsvid.protocol.http.authority import is_host
from alsvid.protocol.http1.body import ChunkedDecoder, is_chunk_ext
from alsvid.protocol.http1.head import HeadParser
from alsvid.protocol.http1.limits import Limits
from alsvid.protocol.http1.writer import HeadWriter

_TOKEN = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
_REG_NAME = re.compile(rb"(?:[A-Za-z0-9\-._~!$&'()*+=]|%[0-9A-Fa-f]{2})+")
_PORT = re.compile(rb"[0-9]{0,5}")
_QUOTED = rb'"(?:[\t !#-\[\]-~\x80-\xff]|\\[\t -~\x80-\xff])*"'
_EXTENSIONS = re.compile(
    rb"(?:;[ \t]*" + _TOKEN + rb"[ \t]*(?:=[ \t]*(?:" + _TOKEN + rb"|" + _QUOTED + rb")[ \t]*)?)+"
)
_FIELD = re.compile(rb"(" + _TOKEN + rb"):[ \t]*([\t -~\x80-\xff]*?)[ \t]*")

near_hosts = st.lists(st.sampled_from([*b"[]:.%@/,;a0fzv-_ 1"]), max_size=14).map(bytes)
near_extensions = st.lists(st.sampled_from([*b';;=="\\ \ta1,@']), max_size=14).map(bytes)
field_octets = st.lists(
    st.sampled_from([octet for octet in range(256) if octet not in (10, 13)]), max_size=12
)


def host_by_grammar(value: bytes) -> bool:
    literal, bracket, rest = value.rpartition(b"]")
    if bracket:
        if not literal.startswith(b"["):
            return False
        try:
            ipaddress.IPv6Address(literal[1:].decode("ascii"))
        except ValueError:
            if not re.fullmatch(rb"[vV][0-9A-Fa-f]+\.[A-Za-z0-9\-._~!$&'()*+=:]+", literal[1:]):
                return False
        else:
            if b"%" in literal:
                return False
        name_is_right = True
    else:
        name, colon, port = value.partition(b":")
        name_is_right = _REG_NAME.fullmatch(name) is not None
        rest = colon + port
    if not rest:
        return name_is_right
    port = rest[1:]
    return (
        name_is_right
        and rest[:1] == b":"
        and _PORT.fullmatch(port) is not None
        and int(port or b"0") <= 65535
    )


@settings(max_examples=500, deadline=None)
@given(
    st.one_of(
        near_hosts, st.binary(max_size=12), st.ip_addresses(v=6).map(lambda a: b"[%b]" % str(a).encode())
    )
)
@example(b"[::1]:80")
@example(b"[v1.a:b]")
@example(b"a%41:")
def test_a_host_is_what_the_grammar_says(value: bytes) -> None:
    """RFC 3986 section 3.2, without user information, and without "," and ";"."""
    assert is_host(value) is host_by_grammar(value)


@settings(max_examples=500, deadline=None)
@given(st.one_of(near_extensions, near_extensions.map(lambda text: b";a" + text)))
def test_a_chunk_extension_is_what_the_grammar_says(text: bytes) -> None:
    """RFC 9112 section 7.1.1."""
    assert is_chunk_ext(text) is (text == b"" or _EXTENSIONS.fullmatch(text) is not None)


@settings(max_examples=400, deadline=None)
@given(
    st.one_of(st.binary(max_size=20), st.integers().map(lambda n: b"%d" % n), st.from_regex(rb"[0-9]{1,25}"))
)
def test_a_content_length_is_up_to_18_digits(value: bytes) -> None:
    """RFC 9110 section 8.6."""
    if {0, 10, 13, 127} & set(value) or any(octet < 32 and octet != 9 for octet in value):
        return
    parser = HeadParser(Limits())
    head = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: " + value + b"\r\n\r\n"
    if re.fullmatch(rb"[0-9]{1,18}", value.strip(b" \t")):
        assert parser.parse(head, 0) == len(head)
        assert parser.content_length == int(value)
    else:
        with pytest.raises(RemoteProtocolError):
            parser.parse(head, 0)


@settings(max_examples=400, deadline=None)
@given(st.one_of(st.from_regex(rb"[0-9a-fA-F]{0,18}", fullmatch=True), st.binary(max_size=6)))
def test_a_chunk_size_is_up_to_16_hexadecimal_digits(line: bytes) -> None:
    """RFC 9112 section 7.1."""
    decoder = ChunkedDecoder(Limits())
    if re.fullmatch(rb"[0-9a-fA-F]{1,16}", line) and int(line, 16) <= 1 << 58:
        assert decoder.parse_line(line + b"\r\n", 0) == len(line) + 2
        assert decoder.remaining == int(line, 16)
        assert decoder.last is (int(line, 16) == 0)
    elif b";" not in line and b"\r" not in line:
        with pytest.raises(RemoteProtocolError):
            decoder.parse_line(line + b"\r\n", 0)


@settings(max_examples=400, deadline=None)
@given(field_octets.map(bytes))
def test_a_field_line_is_what_the_grammar_says(line: bytes) -> None:
    """RFC 9112 section 5."""
    parser = HeadParser(Limits())
    head = b"GET / HTTP/1.1\r\nHost: a\r\nx" + line + b"\r\n\r\n"
    found = _FIELD.fullmatch(b"x" + line)
    if found:
        assert parser.parse(head, 0) == len(head)
        assert parser.headers[1] == (found[1].lower(), found[2])
    else:
        with pytest.raises(RemoteProtocolError):
            parser.parse(head, 0)


@settings(max_examples=400, deadline=None)
@given(st.lists(st.tuples(st.binary(max_size=6), st.binary(max_size=8)), max_size=4))
def test_what_is_written_is_read_again_or_refused(pairs: list[tuple[bytes, bytes]]) -> None:
    """No field of an answer can become two (RFC 9110 section 5.5)."""
    own = {b"connection", b"content-length", b"transfer-encoding", b"keep-alive"}
    try:
        head = HeadWriter().write(200, pairs)
    except LocalProtocolError:
        assert any(
            not re.fullmatch(_TOKEN, name) or re.search(rb"[\x00-\x08\x0a-\x1f\x7f]", value)
            for name, value in pairs
        )
    else:
        lines = head.split(b"\r\n")[1:-1]
        assert lines == [b"%b: %b" % pair for pair in pairs if pair[0].lower() not in own]
