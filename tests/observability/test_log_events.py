"""Each event of the table becomes one clear line; floods are counted, not written."""

from __future__ import annotations

import logging
import string
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from log_fakes import FakeClock, FakeExchange

from alsvid.observability.log_events import EVENTS, EventLog
from alsvid.observability.rate_limit import RateLimit
from alsvid.observability.telemetry import Telemetry


class Collector(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)

    @property
    def lines(self) -> list[str]:
        return [record.getMessage() for record in self.records]


class Scene:
    """An event log on a logger of its own, a clock, and what was logged."""

    def __init__(self, level: int = 1) -> None:
        self.clock = FakeClock()
        self.logger = logging.Logger("scene", level)
        self.collector = Collector()
        self.logger.addHandler(self.collector)
        self.telemetry = Telemetry()
        self.log = EventLog(self.logger, self.clock)
        self.log.subscribe(self.telemetry)

    def emit(self, event: str, **fields: Any) -> list[str]:
        before = len(self.collector.records)
        self.telemetry.emit(event, **fields)
        return self.collector.lines[before:]


ERROR = RuntimeError("went wrong")
SCOPE = FakeExchange().scope

CASES: list[tuple[str, dict[str, Any], str]] = [
    ("process_started", {"pid": 4711}, "Started server process [4711]"),
    ("lifespan_startup", {}, "Waiting for application startup."),
    ("lifespan_started", {}, "Application startup complete."),
    ("lifespan_unsupported", {"exception": ERROR}, "The application has no lifespan; it is served without."),
    (
        "lifespan_failed",
        {"stage": "startup", "message": "no database", "exception": None},
        "Application startup failed: no database",
    ),
    (
        "lifespan_failed",
        {"stage": "startup", "exception": ERROR},
        "Application startup failed: RuntimeError: went wrong",
    ),
    (
        "lifespan_timeout",
        {"stage": "shutdown", "timeout_s": 30},
        "Application shutdown did not end within 30 s.",
    ),
    ("lifespan_shutdown", {}, "Waiting for application shutdown."),
    ("lifespan_stopped", {}, "Application shutdown complete."),
    (
        "started",
        {"addresses": ["http://127.0.0.1:8000"]},
        "Alsvid running on http://127.0.0.1:8000 (press CTRL+C to quit)",
    ),
    (
        "started",
        {"addresses": ("http://127.0.0.1:8000", "unix:/run/app.sock")},
        "Alsvid running on http://127.0.0.1:8000, unix:/run/app.sock (press CTRL+C to quit)",
    ),
    (
        "stopping",
        {"reason": "SIGTERM", "requests": 3, "timeout_s": 30.0},
        "Stopping (SIGTERM): 3 requests under way, waiting up to 30 s.",
    ),
    (
        "shutdown_cut",
        {"timeout_s": 30, "names": ["GET /a", "GET /b"]},
        "30 s of grace are over (--graceful-timeout), cut 2: GET /a, GET /b",
    ),
    (
        "shutdown_cut",
        {"timeout_s": 30, "names": [f"GET /{n}" for n in range(12)]},
        "30 s of grace are over (--graceful-timeout), cut 12: "
        + ", ".join(f"GET /{n}" for n in range(10))
        + " and 2 more",
    ),
    ("stopped", {"pid": 4711}, "Finished server process [4711]"),
    (
        "application_error",
        {"scope": SCOPE, "exception": ERROR, "stage": "before the answer"},
        "Exception in ASGI application, before the answer: GET /items/1 from 192.0.2.1:4711",
    ),
    ("loop_error", {"message": "task", "exception": ERROR}, "Exception in the event loop: task"),
    (
        "limit_reached",
        {"option": "--limit-concurrency", "client": "192.0.2.1:4711"},
        "--limit-concurrency reached: 192.0.2.1:4711",
    ),
    (
        "limit_reached",
        {"option": "--limit-concurrency", "client": "192.0.2.1:4711", "detail": "100 requests"},
        "--limit-concurrency reached: 192.0.2.1:4711 (100 requests)",
    ),
    (
        "protocol_error",
        {"client": "192.0.2.1:4711", "message": "Host is missing (RFC 9112 section 3.2)", "status": 400},
        "Bad request from 192.0.2.1:4711: Host is missing (RFC 9112 section 3.2)",
    ),
    (
        "upgrade_ignored",
        {"client": "192.0.2.1:4711", "protocol": b"websocket"},
        "192.0.2.1:4711 asked for an upgrade to websocket, which is not spoken here: served as plain HTTP",
    ),
    (
        "tls_error",
        {"client": "192.0.2.1:1", "message": "no cipher"},
        "TLS with 192.0.2.1:1 failed: no cipher",
    ),
    (
        "connection_error",
        {"client": "192.0.2.1:1", "exception": ERROR},
        "Connection of 192.0.2.1:1 ended: RuntimeError: went wrong",
    ),
    (
        "accept_error",
        {"listener": "127.0.0.1:8000", "exception": ERROR, "pause_s": 0.5},
        "Cannot accept connections on 127.0.0.1:8000: RuntimeError: went wrong; trying again in 0.5 s.",
    ),
    (
        "tls_reload",
        {"ok": True, "error": "", "certfile": "cert.pem"},
        "TLS certificate cert.pem has changed: in use for new connections.",
    ),
    (
        "tls_reload_failed",
        {"error": "no key", "certfile": "cert.pem"},
        "TLS certificate cert.pem has changed but cannot be used, the previous one stays: no key",
    ),
    (
        "limit_reached",
        {"option": "limit_concurrency", "client": "192.0.2.1:4711"},
        "--limit-concurrency reached: 192.0.2.1:4711",
    ),
    ("internal_error", {"where": "tick", "exception": ERROR}, "A defect of Alsvid, tick"),
    ("debug", {"message": "m"}, "m"),
    ("notice", {"message": "m"}, "m"),
    ("warning", {"message": "m"}, "m"),
    ("error", {"message": "m"}, "m"),
]


@pytest.mark.parametrize(("event", "fields", "line"), CASES)
def test_an_event_becomes_its_line(event: str, fields: dict[str, Any], line: str) -> None:
    """One line an event, on the level of the table."""
    scene = Scene()
    assert scene.emit(event, **fields) == [line]
    assert scene.collector.records[0].levelno == EVENTS[event].level


def test_a_certificate_that_cannot_be_used_is_an_error() -> None:
    """The event says ok=False; the line is one of level error."""
    scene = Scene()
    (line,) = scene.emit("tls_reload", ok=False, error="no key", certfile="cert.pem")
    assert line == "TLS certificate cert.pem has changed but cannot be used, the previous one stays: no key"
    assert scene.collector.records[0].levelno == logging.ERROR


def test_every_event_of_the_table_is_tried() -> None:
    """The cases above are complete."""
    assert {event for event, _, _ in CASES} == set(EVENTS)


@pytest.mark.parametrize("event", EVENTS)
def test_an_event_with_no_fields_at_all_is_still_logged(event: str) -> None:
    """Missing fields read "-"."""
    assert len(Scene().emit(event)) == 1


@pytest.mark.parametrize("event", EVENTS)
def test_an_event_with_more_fields_than_known_is_logged(event: str) -> None:
    """Emitters may grow first."""
    assert len(Scene().emit(event, colour="blue", exception=ERROR)) == 1


@pytest.mark.parametrize("event", EVENTS)
@given(value=st.one_of(st.none(), st.integers(), st.text(), st.binary(), st.lists(st.integers())))
def test_an_event_with_fields_of_wrong_types_hurts_nobody(event: str, value: Any) -> None:
    """The layer that tells of an event is never stopped by the log."""
    assert len(Scene().emit(event, **dict.fromkeys(EVENTS[event].fields, value))) == 1


@pytest.mark.parametrize("event", EVENTS)
def test_the_fields_that_a_text_names_are_declared(event: str) -> None:
    """The table is what emitters are written from."""
    named = {name for _, name, _, _ in string.Formatter().parse(EVENTS[event].text) if name}
    made = {"request", "count"}
    assert named - made <= set(EVENTS[event].fields)


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (name, name in ("lifespan_failed", "application_error", "loop_error", "internal_error", "error"))
        for name in EVENTS
        if "exception" in EVENTS[name].fields
    ],
)
def test_a_traceback_is_logged_for_our_and_the_applications_faults_only(event: str, expected: bool) -> None:
    """A peer's fault never has a traceback."""
    scene = Scene()
    scene.emit(event, exception=ERROR)
    assert bool(scene.collector.records[0].exc_info) is expected


def test_unknown_events_are_no_error() -> None:
    """Metrics may know more events than the log."""
    assert Scene().emit("something_else", a=1) == []


def test_an_event_below_the_level_costs_nothing() -> None:
    """No text is made of it."""
    assert Scene(level=30).emit("notice", message="m") == []


def test_a_limit_is_told_once_a_second_for_each_option() -> None:
    """A flood under attack is one line a second, with the number of those left out."""
    scene = Scene()
    assert scene.emit("limit_reached", option="--a", client="c1") == ["--a reached: c1"]
    for _ in range(5):
        assert scene.emit("limit_reached", option="--a", client="c2") == []
    assert scene.emit("limit_reached", option="--b", client="c3") == ["--b reached: c3"]
    scene.clock.now += 1.0
    assert scene.emit("limit_reached", option="--a", client="c4") == ["--a reached: c4 (5 more before)"]
    assert scene.emit("limit_reached", option="--a", client="c4") == []


def test_what_was_left_out_is_told_by_the_tick_when_nothing_follows() -> None:
    """The count is never lost."""
    scene = Scene()
    for _ in range(4):
        scene.emit("limit_reached", option="--a", client="c")
    scene.log.flush()
    assert len(scene.collector.lines) == 1
    scene.clock.now += 1.0
    scene.log.flush()
    scene.log.flush()
    assert scene.collector.lines[1:] == ["--a: 3 more of the same"]


def test_bad_requests_are_told_ten_a_second() -> None:
    """Enough to see an error, too few to fill a disk."""
    scene = Scene()
    for _ in range(25):
        scene.emit("protocol_error", client="c", message="m")
    assert len(scene.collector.lines) == 10
    scene.clock.now += 1.0
    assert scene.emit("protocol_error", client="c", message="m") == ["Bad request from c: m (15 more before)"]


@given(st.lists(st.tuples(st.sampled_from("abc"), st.floats(0, 2))))
def test_a_rate_limit_counts_every_event_once(steps: list[tuple[str, float]]) -> None:
    """Admitted, reported as suppressed, or still to be reported: nothing is lost or doubled."""
    clock = FakeClock()
    limit = RateLimit(2, clock)
    told = 0
    for key, pause in steps:
        clock.now += pause
        suppressed = limit.admit(key)
        told += suppressed + 1 if suppressed >= 0 else 0
    clock.now += 10
    assert told + sum(limit.take_suppressed().values()) == len(steps)
    assert limit.take_suppressed() == {}


def test_a_rate_limit_remembers_a_bounded_number_of_keys() -> None:
    """A key that a peer chose cannot fill the memory."""
    limit = RateLimit(1, FakeClock())
    for number in range(10_000):
        assert limit.admit(str(number)) == 0
    assert len(limit._windows) <= 256


def test_the_query_of_a_failing_request_stays_out_of_the_log() -> None:
    """Queries hold tokens."""
    (line,) = Scene().emit("application_error", scope=SCOPE, exception=ERROR, stage="s")
    assert "q=a" not in line


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"type": "websocket"}, "websocket /items/1 from 192.0.2.1:4711"),
        ({"client": None}, "GET /items/1"),
        ({"raw_path": None}, "GET /items/1 from 192.0.2.1:4711"),
    ],
)
def test_requests_of_every_kind_have_a_name(changes: dict[str, Any], text: str) -> None:
    """WebSocket, Unix socket, a scope without raw_path."""
    scope = {**SCOPE, **changes}
    (line,) = Scene().emit("application_error", scope=scope, exception=ERROR, stage="s")
    assert line == f"Exception in ASGI application, s: {text}"
