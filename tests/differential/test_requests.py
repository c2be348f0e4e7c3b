"""Requests that are accepted here are accepted by others with the same framing, but for what is listed.

Where two servers, one behind the other, read different requests from the same octets, requests are smuggled.
"""

from __future__ import annotations

import random
import re

import h11
import pytest

from alsvid.protocol.http1.limits import Limits
from tests.corpus.corpus import Case, cases
from tests.differential import peers
from tests.differential.peers import Message
from tests.fuzz.generator import Generator
from tests.protocol.wire import Log, log_of, status_of

CASES = cases()
_INPUTS = 3000


# What h11 refuses and this server takes: a part of h11's error, what the octets must have in them, and why.
H11_REFUSES = [
    (
        "no request line received",
        b"\r\n",
        "RFC 9112 section 2.2: empty lines before a request are ignored here",
    ),
    ("illegal request line", b"\r", "the same: a CR alone waits for its LF here"),
    (
        "Transfer-Encoding",
        b"\r\n0",
        "RFC 9110 section 6.5.1: forbidden trailers are dropped, h11 obeys their rules",
    ),
    ("Content-Length", b"\r\n0", "the same"),
]


def is_listed(error: Exception, data: bytes) -> bool:
    """True when h11 is known to refuse that."""
    return any(part in str(error) and octets in data for part, octets, _ in H11_REFUSES)


def accepted(data: bytes) -> Log | None:
    """Return the log of an input that has nothing wrong in it, else None."""
    log = log_of(data, limits=Limits())
    return None if status_of(log) or not any(entry[0] == "request" for entry in log) else log


def comparable(messages: list[Message]) -> list[tuple[object, ...]]:
    """Return methods, paths, contents and completeness."""
    return [
        (message.start[0], path_of(message.start), message.content, message.is_complete)
        for message in messages
    ]


def path_of(start: tuple[object, ...]) -> bytes:
    """Return the target without scheme and authority, which are taken apart here and left by others."""
    target = bytes(start[1])  # type: ignore[arg-type]
    found = re.match(rb"(?i)https?://[^/?]*(.*)", target)
    if not found:
        return target
    path = found[1]
    if not path:
        return b"*" if start[0] == "OPTIONS" else b"/"
    return b"/" + path if path.startswith(b"?") else path


def h11_stops_behind(message: Message) -> bool:
    """h11 knows no persistence of HTTP/1.0, and waits at an Upgrade until somebody decides."""
    return message.version == "1.0" or any(name == b"upgrade" for name, _ in message.headers)


def compare_with_h11(data: bytes, log: Log) -> None:
    ours = peers.from_log(log)
    try:
        theirs = peers.requests_by_h11(data)
    except h11.RemoteProtocolError as error:
        if is_listed(error, data):
            return
        raise AssertionError(f"h11 refuses: {data!r}") from error
    if len(theirs) < len(ours) and h11_stops_behind(ours[len(theirs) - 1]):
        ours = ours[: len(theirs)]
    assert comparable(ours) == comparable(theirs), data


def compare_with_httptools(data: bytes, log: Log) -> bool:
    """Return False where httptools refuses, which it may: it knows a list of methods only."""
    ours = peers.from_log(log)
    try:
        theirs = peers.requests_by_httptools(data)
    except peers.httptools.HttpParserError:
        return False
    # httptools takes Upgrade for the end of HTTP, whatever content the request has.
    count = min(len(ours), len(theirs))
    for at in range(count):
        if any(name == b"upgrade" for name, _ in ours[at].headers):
            count = at
            break
    assert comparable(ours[:count]) == comparable(theirs[:count]), data
    return True


@pytest.fixture(params=CASES, ids=[case.name for case in CASES])
def case(request: pytest.FixtureRequest) -> Case:
    return request.param


def test_h11_frames_the_corpus_alike(case: Case) -> None:
    log = accepted(case.data)
    if log is not None:
        compare_with_h11(case.data, log)


@pytest.mark.skipif(peers.httptools is None, reason="httptools is not installed")
def test_httptools_frames_the_corpus_alike(case: Case) -> None:
    log = accepted(case.data)
    if log is not None:
        compare_with_httptools(case.data, log)


def generated(count: int) -> tuple[int, list[tuple[bytes, Log]]]:
    """Return a new seed and the generated inputs that are accepted."""
    seed = random.SystemRandom().randrange(1 << 32)
    print(f"seed {seed}")
    inputs = Generator(seed, [case.data for case in CASES]).inputs(count)
    logs = [(data, accepted(data)) for data, _ in inputs]
    return seed, [(data, log) for data, log in logs if log is not None]


def test_h11_frames_generated_requests_alike() -> None:
    _, inputs = generated(_INPUTS)
    assert len(inputs) > _INPUTS // 20
    for data, log in inputs:
        compare_with_h11(data, log)


@pytest.mark.skipif(peers.httptools is None, reason="httptools is not installed")
def test_httptools_frames_generated_requests_alike() -> None:
    _, inputs = generated(_INPUTS)
    assert sum(compare_with_httptools(data, log) for data, log in inputs) > len(inputs) // 4
