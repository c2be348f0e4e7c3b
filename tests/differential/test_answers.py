"""What is written here is read by h11 as what was meant: status, fields, content, and its end."""

from __future__ import annotations

import random
from itertools import product

import h11
import pytest

from alsvid.errors import LocalProtocolError
from tests.differential.peers import answers_by_h11
from tests.protocol.wire import Wire, answer_nothing, request

VERSIONS = ["1.1", "1.0"]
PIECES = [[b""], [b"hello"], [b"hello", b"world"], [b"", b"x" * 20_000, b""], [b"0\r\n\r\n", b"\r\n"]]


def answered(
    method: str, version: str, status: int, headers: list[tuple[bytes, bytes]], pieces: list[bytes]
) -> tuple[bytes, bool]:
    """Return the octets of one answer, and whether the connection ends with it."""
    line = f"{method} / HTTP/{version}".encode()
    wire = Wire(answer_nothing).receive(request(b"Connection: keep-alive", b"TE: trailers", line=line))
    wire.engine.send_headers(1, status, headers, False)
    for piece in pieces[:-1]:
        wire.engine.send_data(1, piece, False)
    wire.engine.send_data(1, pieces[-1], True)
    return b"".join(wire.engine.data_to_send()), wire.engine.close_expected


@pytest.mark.parametrize(
    "pieces", PIECES, ids=[str(len(pieces)) + "-" + str(sum(map(len, pieces))) for pieces in PIECES]
)
@pytest.mark.parametrize(
    ("method", "version", "status", "declared"),
    list(product(["GET", "HEAD", "POST"], VERSIONS, [200, 204, 304, 404, 500], [False, True])),
)
def test_an_answer_is_read_as_it_was_meant(
    method: str, version: str, status: int, declared: bool, pieces: list[bytes]
) -> None:
    """RFC 9112 section 6.3, seen from the client."""
    content = b"".join(pieces)
    headers = [(b"x-a", b"b")] + ([(b"content-length", b"%d" % len(content))] if declared else [])
    octets, closes = answered(method, version, status, headers, pieces)
    (answer,) = answers_by_h11(method, octets, eof=closes)
    assert answer.start == (status,)
    assert (b"x-a", b"b") in answer.headers
    assert answer.is_complete
    has_content = method != "HEAD" and status not in (204, 304)
    assert answer.content == (content if has_content else b"")


@pytest.mark.parametrize(("declared", "pieces"), [(True, [b"hello", b"wo"]), (False, [b"hello", b"wo"])])
def test_an_answer_that_is_cut_is_read_as_incomplete(declared: bool, pieces: list[bytes]) -> None:
    """RFC 9112 section 8."""
    wire = Wire(answer_nothing).receive(request())
    wire.engine.send_headers(1, 200, [(b"content-length", b"10")] if declared else [], False)
    for piece in pieces:
        wire.engine.send_data(1, piece, False)
    wire.engine.reset_stream(1, 0)
    with pytest.raises(h11.RemoteProtocolError, match="peer closed connection"):
        answers_by_h11("GET", b"".join(wire.engine.data_to_send()), eof=True)


def test_hints_and_trailers_are_read() -> None:
    """RFC 8297, RFC 9112 section 7.1.2."""
    wire = Wire(answer_nothing).receive(request(b"TE: trailers"))
    wire.engine.send_informational(1, 103, [(b"link", b"</a>")])
    wire.engine.expect_trailers(1)
    wire.engine.send_headers(1, 200, [], False)
    wire.engine.send_data(1, b"hello", True)
    wire.engine.send_trailers(1, [(b"digest", b"x")])
    hint, answer = answers_by_h11("GET", b"".join(wire.engine.data_to_send()))
    assert hint.start == (103,)
    assert answer.content == b"hello"
    assert answer.headers[-1] == (b"digest", b"x")


@pytest.mark.parametrize(
    "line", [b"GET / HTTP/1.1\r\n", b"GET /\r\n", b"HEAD / HTTP/1.1\r\n", b"TRACE / HTTP/1.1\r\nHost: a\r\n"]
)
def test_error_answers_are_read(line: bytes) -> None:
    wire = Wire().receive(line + b"\r\n")
    method = line.split(b" ")[0].decode()
    octets = b"".join(entry[1] for entry in wire.log if entry[0] == "sent")
    (answer,) = answers_by_h11(method, octets)
    assert answer.is_complete
    assert (b"connection", b"close") in answer.headers
    assert bool(answer.content) is (method != "HEAD")


def test_random_answers_are_read_as_they_were_meant() -> None:
    """Any application, by a new seed each time."""
    seed = random.SystemRandom().randrange(1 << 32)
    print(f"seed {seed}")
    chance = random.Random(seed)
    octets_of_values = [octet for octet in range(256) if octet == 9 or 32 <= octet != 127]
    for _ in range(400):
        method = chance.choice(["GET", "HEAD", "POST"])
        version = chance.choice(VERSIONS)
        status = chance.choice([200, 201, 204, 301, 304, 400, 404, 500, 599])
        pieces = [chance.randbytes(chance.choice((0, 1, 5, 300))) for _ in range(chance.randrange(1, 5))]
        values = [
            bytes(chance.choices(octets_of_values, k=chance.randrange(9))) for _ in range(chance.randrange(4))
        ]
        fields = [(b"x-%d" % at, value) for at, value in enumerate(values)]
        try:
            octets, closes = answered(method, version, status, fields, pieces)
        except LocalProtocolError:
            continue
        (answer,) = answers_by_h11(method, octets, eof=closes)
        has_content = method != "HEAD" and status not in (204, 304)
        assert answer.is_complete
        assert answer.content == (b"".join(pieces) if has_content else b"")
        assert [pair for pair in answer.headers if pair[0].startswith(b"x-")] == [
            (name, value.strip(b" \t")) for name, value in fields
        ]
