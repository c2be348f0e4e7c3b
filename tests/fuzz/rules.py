"""What has to hold for every input, whatever it is.

Events or a documented error; the same whole, octet by octet and split anywhere; one answer to a request, in
order; nothing behind a fault.
"""

from __future__ import annotations

import contextlib
import random
import re

from alsvid.errors import LocalProtocolError
from alsvid.protocol.events import DATA_RECEIVED, REQUEST_RECEIVED
from alsvid.protocol.http1.limits import Limits
from alsvid.protocol.phases import SHUT
from tests.protocol.wire import Log, Wire, answer_nothing, answer_ok, log_of, without_timing

_HEAD_END = re.compile(rb"\r\n\r\n")

STATUSES = {400, 405, 413, 414, 417, 431, 501, 505}


def check(data: bytes, limits: Limits, chance: random.Random) -> Log:
    """Hold all rules against one input; return its log."""
    eof = chance.random() < 0.3
    log = without_timing(log_of(data, limits=limits, eof=eof))
    check_log(log)
    size = len(data)
    if size > 1:
        splits = [tuple(range(1, size)), (chance.randrange(1, size),)]
        splits.append(tuple(sorted(chance.sample(range(1, size), min(3, size - 1)))))
        for cuts in splits:
            other = without_timing(log_of(data, *cuts, limits=limits, eof=eof))
            assert other == log, f"split at {cuts if len(cuts) < 5 else 'each octet'}: {data!r}"
    if not eof:
        assert without_timing(late_log(data, limits, chance)) == log, f"answered late: {data!r}"
    if chance.random() < 0.25:
        check_wild_application(data, limits, chance)
    return log


def late_log(data: bytes, limits: Limits, chance: random.Random) -> Log:
    """Return the log with an application that takes its time: octets come while it works."""
    pending: list[int] = []
    wire = Wire(lambda _, stream: pending.append(stream), limits)

    def answer() -> None:
        answer_ok(wire, pending.pop())
        wire.sent()
        wire.receive(b"")

    start = 0
    while start < len(data):
        # Ends of heads and bodies are where a request ends and the next one begins.
        ends = [found.end() for found in _HEAD_END.finditer(data, start)]
        end = (
            chance.choice(ends) if ends and chance.random() < 0.6 else start + chance.choice((1, 7, 40, 100))
        )
        wire.receive(data[start:end])
        start = end
        while pending and chance.random() < 0.4:
            answer()
    while pending:
        answer()
    return wire.log


def check_log(log: Log) -> None:
    """The shape of a log: streams in order, one end each, a fault last, an answer to each request."""
    stream = 0
    is_ended = True
    is_over = False
    answers = 0
    for entry in log:
        kind = entry[0]
        assert not is_over or kind in ("sent", "closed"), log
        if kind == "request":
            assert is_ended, log
            assert entry[1] == stream + 1, log
            stream += 1
            is_ended = False
            _check_request(entry)
        elif kind == "content":
            assert entry[1] == stream, log
            assert not is_ended, log
        elif kind == "end":
            assert entry[1] == stream, log
            assert not is_ended, log
            is_ended = True
        elif kind == "fault":
            assert entry[2] in STATUSES, log
            assert entry[3].endswith(")"), log  # the citation
            assert "RFC " in entry[3], log
            is_over = True
        elif kind == "sent":
            answers += entry[1].count(b"HTTP/1.1 ")
    assert not is_over or log[-1][0] == "closed", log
    assert answers <= stream + 1, log


def _check_request(entry: tuple) -> None:
    _, _, method, target, version, headers = entry
    assert method
    assert version in ("1.0", "1.1")
    assert target.startswith(b"/") or (target == b"*" and method == "OPTIONS"), entry
    hosts = [value for name, value in headers if name == b"host"]
    assert len(hosts) == 1 or (not hosts and version == "1.0"), entry
    for name, value in headers:
        assert name == name.lower(), entry
        assert value == value.strip(b" \t"), entry
        assert not {0, 10, 13} & set(name + value), entry


def check_wild_application(data: bytes, limits: Limits, chance: random.Random) -> None:
    """An application that does anything at any time gets LocalProtocolError and nothing else."""
    wire = Wire(answer_nothing, limits)
    engine = wire.engine
    stream = 0
    start = 0
    while start < len(data) or engine.waiting_octets():
        end = start + chance.choice((1, 3, 10, 50, 1000))
        events = engine.receive_data(data[start:end])
        start = end
        for event in events:
            assert event.kind in (REQUEST_RECEIVED, DATA_RECEIVED, 3)
            if event.kind == REQUEST_RECEIVED:
                assert event.stream_id == stream + 1
                stream = event.stream_id
        for _ in range(chance.randrange(4)):
            with contextlib.suppress(LocalProtocolError):
                _act(engine, stream, chance)
        if engine.phase == SHUT:
            assert engine.close_expected
            assert engine.receive_data(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n") == []
            break
        if start > len(data) and chance.random() < 0.2:
            break
    engine.receive_eof()
    engine.data_to_send()


def _act(engine, stream: int, chance: random.Random) -> None:
    """Call something."""
    pick = chance.randrange(14)
    lengths = [[], [(b"content-length", b"5")], [(b"connection", b"close")], [(b"a", b"b\r\n")]]
    if pick < 3:
        engine.send_headers(stream, chance.choice((200, 204, 304, 404, 103)), chance.choice(lengths), False)
    elif pick < 7:
        engine.send_data(stream, chance.choice((b"", b"hello", b"hell")), chance.random() < 0.6)
    elif pick == 7:
        engine.consume(stream, 0)
    elif pick == 8:
        engine.flush_headers(stream)
    elif pick == 9:
        if engine.expect_trailers(stream):
            engine.send_headers(stream, 200, [], False)
            engine.send_data(stream, b"x", True)
        engine.send_trailers(stream, [(b"a", b"b")])
    elif pick == 10:
        engine.send_informational(stream, 103, [(b"link", b"</a>")])
    elif pick == 11:
        if engine.begin_raw(stream, 5):
            engine.end_raw(stream, 5, True)
    elif pick == 12:
        chance.choice((engine.withdraw, engine.flush_headers))(stream)
    elif chance.random() < 0.2:
        chance.choice((engine.shutdown, engine.receive_eof, lambda: engine.reset_stream(stream, 0)))()
