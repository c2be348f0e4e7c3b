"""The logs of a process as the server drives them: configure, subscribe, flush, reopen, close."""

from __future__ import annotations

import json
import logging
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from log_fakes import WALL, FakeClock, FakeExchange, FakeSink

from alsvid.errors import ConfigError
from alsvid.observability.access_format import AccessFormat
from alsvid.observability.access_log import AccessLog
from alsvid.observability.log_time import LogTime
from alsvid.observability.log_writer import LogWriter
from alsvid.observability.logs import Clocks, Logs, configure
from alsvid.observability.settings import LogSettings
from alsvid.observability.telemetry import Telemetry

LINE = '2026-07-14 05:33:20 192.0.2.1:4711 - "GET /items/1?q=a HTTP/1.1" 200 13 12.345ms\n'
WAIT = 20.0
BATCH_OCTETS = 65536  # of access_log, where it is a C integer

Start = Callable[..., tuple[Logs, Telemetry]]


class Collector(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    """The files of access log and error log."""
    return tmp_path / "access.log", tmp_path / "error.log"


@pytest.fixture
def start(files: tuple[Path, Path]) -> Iterator[Start]:
    """Start logs into the two files; they are closed at the end."""
    running: list[Logs] = []
    clock = FakeClock()

    def start(**settings: Any) -> tuple[Logs, Telemetry]:
        values = {"access_logfile": str(files[0]), "error_logfile": str(files[1]), **settings}
        logs = configure(LogSettings(**values), Clocks(FakeClock(WALL), clock))
        running.append(logs)
        telemetry = Telemetry()
        logs.subscribe(telemetry)
        return logs, telemetry

    yield start
    for logs in running:
        logs.close(0)


def finish(telemetry: Telemetry, **changes: Any) -> None:
    """Tell of one finished request as a connection does."""
    for subscriber in telemetry.request_finished:
        subscriber(FakeExchange(**changes))


def test_requests_go_to_the_access_log_and_events_to_the_error_log(
    start: Start, files: tuple[Path, Path]
) -> None:
    """Two files, two loggers."""
    logs, telemetry = start()
    finish(telemetry)
    telemetry.emit("lifespan_started")
    logs.close(WAIT)
    assert files[0].read_text() == LINE
    assert files[1].read_text().endswith("INFO: Application startup complete.\n")


def test_lines_wait_for_the_tick_or_a_full_batch(start: Start, files: tuple[Path, Path]) -> None:
    """One write for hundreds of lines."""
    logs, telemetry = start()
    finish(telemetry)
    assert files[0].read_text() == ""
    assert logs.access_log is not None
    logs.access_log.drain(WAIT)
    assert files[0].read_text() == LINE
    count = BATCH_OCTETS // len(LINE) + 1
    for _ in range(count):
        finish(telemetry)
    logs.close(WAIT)
    assert files[0].read_text() == LINE * (count + 1)


def test_without_the_access_log_nobody_pays_for_it(start: Start, files: tuple[Path, Path]) -> None:
    """--no-access-log: no subscriber, no file; what others log there does not reach the error log."""
    logs, telemetry = start(access_log=False)
    assert telemetry.request_finished == ()
    logging.getLogger("alsvid.access").info("stray")
    logs.flush()
    logs.close(WAIT)
    assert not files[0].exists()
    assert "stray" not in files[1].read_text()


@pytest.mark.parametrize("level", ["critical", "error", "warning", "info", "debug", "trace"])
def test_the_level_decides_for_both_logs(level: str, start: Start, files: tuple[Path, Path]) -> None:
    """Access lines are of level info."""
    logs, telemetry = start(log_level=level)
    shown = ["trace", "debug", "info", "warning", "error", "critical"]
    for name in shown:
        number = 5 if name == "trace" else getattr(logging, name.upper())
        logging.getLogger("alsvid").log(number, "at %s", name)
    finish(telemetry)
    logs.close(WAIT)
    expected = shown[shown.index(level) :]
    assert [line.split(" at ")[1] for line in files[1].read_text().splitlines()] == expected
    assert files[0].read_text() == (LINE if "info" in expected else "")


def test_trace_has_a_name(start: Start, files: tuple[Path, Path]) -> None:
    """Level 5 reads TRACE."""
    logs, _ = start(log_level="trace")
    logging.getLogger("alsvid").log(5, "octets")
    logs.close(WAIT)
    assert "] TRACE: octets" in files[1].read_text()


@pytest.mark.parametrize("log_format", ["default", "short", "combined", "json", "%(h)s %(s)s"])
def test_each_format_reaches_the_file(log_format: str, start: Start, files: tuple[Path, Path]) -> None:
    """--access-logformat."""
    logs, telemetry = start(access_logformat=log_format)
    finish(telemetry)
    logs.close(WAIT)
    text = files[0].read_text()
    assert text == AccessFormat(log_format, log_time=LogTime(FakeClock(WALL))).render(FakeExchange())


@pytest.mark.parametrize("use_colors", [True, False, None])
def test_colours_come_when_asked_for_and_not_in_files(
    use_colors: bool | None, start: Start, files: tuple[Path, Path]
) -> None:
    """--use-colors; unset means on terminals only."""
    logs, telemetry = start(use_colors=use_colors)
    finish(telemetry)
    telemetry.emit("lifespan_started")
    logs.close(WAIT)
    assert ("\x1b" in files[0].read_text()) is (use_colors is True)
    assert ("\x1b" in files[1].read_text()) is (use_colors is True)


@pytest.mark.parametrize("flag", ["access_logfile", "error_logfile"])
@pytest.mark.parametrize("name", ["absent/file.log", "", "directory", "nul\x00byte"])
def test_a_file_that_cannot_be_opened_stops_the_start(
    flag: str, name: str, start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ConfigError names flag and file; the loggers stay as they were."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "directory").mkdir()
    with pytest.raises(ConfigError, match=f"--{flag.replace('_', '-')} "):
        start(**{flag: name})
    assert logging.getLogger("alsvid").handlers == []


def test_a_wrong_format_stops_the_start_and_leaves_the_loggers_alone(start: Start) -> None:
    """ConfigError of the format."""
    with pytest.raises(ConfigError, match="--access-logformat"):
        start(access_logformat="%(z)s")
    assert logging.getLogger("alsvid").handlers == []


def test_both_logs_go_on_in_new_files_after_a_rotation(start: Start, files: tuple[Path, Path]) -> None:
    """rename, USR1."""
    logs, telemetry = start()
    finish(telemetry)
    telemetry.emit("notice", message="before")
    for path in files:
        path.rename(f"{path}.1")
    logs.reopen()
    finish(telemetry, status=404)
    telemetry.emit("notice", message="after")
    logs.close(WAIT)
    assert Path(f"{files[0]}.1").read_text() == LINE
    assert files[0].read_text() == LINE.replace("200", "404")
    assert "before" in Path(f"{files[1]}.1").read_text()
    assert files[1].read_text().endswith("after\n")


def test_closing_leaves_the_loggers_as_they_were_found(start: Start) -> None:
    """An embedding program keeps its own logging."""
    logger, access = logging.getLogger("alsvid"), logging.getLogger("alsvid.access")
    logger.setLevel(logging.ERROR)
    logs, _ = start(log_level="debug")
    logs.close(WAIT)
    assert (logger.level, logger.propagate, logger.handlers) == (logging.ERROR, True, [])
    assert (access.level, access.propagate, access.handlers) == (0, True, [])


def test_a_handler_of_the_user_gets_a_record_of_each_request(start: Start, files: tuple[Path, Path]) -> None:
    """Message, arguments in the order that other ASGI servers use, and fields; our file keeps its lines."""
    logs, telemetry = start()
    finish(telemetry)
    collector = Collector()
    logging.getLogger("alsvid.access").addHandler(collector)
    finish(telemetry, complete=False)
    logs.close(WAIT)
    (record,) = collector.records
    assert record.getMessage() == '192.0.2.1:4711 - "GET /items/1?q=a HTTP/1.1" 200'
    assert record.args == ("192.0.2.1:4711", "GET", "/items/1?q=a", "1.1", 200)
    fields = {
        "client": "192.0.2.1:4711",
        "method": "GET",
        "path": "/items/1",
        "query": "q=a",
        "http_version": "1.1",
        "status": 200,
        "octets": 13,
        "complete": False,
    }
    assert {name: getattr(record, name) for name in fields} == fields
    assert record.__dict__["duration"] == pytest.approx(0.0123456)
    assert record.__dict__["access_line"] == LINE[:-1] + " incomplete"
    assert files[0].read_text() == LINE + LINE[:-1] + " incomplete\n"


@pytest.mark.parametrize("octet", [b"\n", b"\r", b"\x1b", b'"', b"\\", b"\x00", b"\x7f", b"\xff"])
def test_a_handler_of_the_user_gets_escaped_text(octet: bytes, start: Start) -> None:
    """The user's own formatter is not a way around the escapes."""
    _, telemetry = start()
    collector = Collector()
    logging.getLogger("alsvid.access").addHandler(collector)
    name = octet.decode("latin-1")
    finish(telemetry, raw_path=b"/" + octet, query_string=octet, method=name, client=(name, 1))
    message = collector.records[0].getMessage()
    assert message.isascii()
    assert message.isprintable()
    assert message.count(f"\\x{octet[0]:02x}") == 4


def test_replacing_the_handlers_replaces_our_output(start: Start, files: tuple[Path, Path]) -> None:
    """`logger.handlers = [...]`, as bridges to other logging libraries do; seen with the next tick."""
    logs, telemetry = start()
    collector = Collector()
    logging.getLogger("alsvid.access").handlers = [collector]
    logs.flush()
    finish(telemetry)
    logs.close(WAIT)
    assert len(collector.records) == 1
    assert files[0].read_text() == ""


def test_clearing_the_handlers_in_place_is_seen_at_once(start: Start, files: tuple[Path, Path]) -> None:
    """`logger.handlers.clear()` and another handler."""
    logs, telemetry = start()
    collector = Collector()
    logger = logging.getLogger("alsvid.access")
    logger.handlers.clear()
    logger.addHandler(collector)
    finish(telemetry)
    logs.close(WAIT)
    assert len(collector.records) == 1
    assert files[0].read_text() == ""


def test_a_filter_of_the_user_decides(start: Start, files: tuple[Path, Path]) -> None:
    """Health checks are kept out of the log this way."""
    logs, telemetry = start()
    logging.getLogger("alsvid.access").addFilter(lambda record: "/health" not in record.getMessage())
    finish(telemetry, raw_path=b"/health")
    finish(telemetry)
    logs.close(WAIT)
    assert files[0].read_text() == LINE


def test_a_filter_on_our_handler_decides_too(start: Start, files: tuple[Path, Path]) -> None:
    """The handler is an ordinary one."""
    logs, telemetry = start()
    (handler,) = logging.getLogger("alsvid.access").handlers
    handler.addFilter(lambda record: record.status >= 400)
    finish(telemetry)
    finish(telemetry, status=500)
    logs.close(WAIT)
    assert files[0].read_text() == LINE.replace("200", "500")


def test_a_formatter_of_the_user_on_our_handler_writes_the_line(
    start: Start, files: tuple[Path, Path]
) -> None:
    """Its text is escaped like any other."""
    logs, telemetry = start()
    (handler,) = logging.getLogger("alsvid.access").handlers
    handler.setFormatter(logging.Formatter("%(method)s %(octets)d\n%(access_line)s"))
    logs.flush()
    finish(telemetry)
    logs.close(WAIT)
    assert files[0].read_text() == f"GET 13\\x0a{LINE}"


@pytest.mark.parametrize(
    "change",
    [
        lambda logger: logger.setLevel(logging.WARNING),
        lambda logger: setattr(logger, "disabled", True),
        lambda logger: logger.handlers[0].setLevel(logging.WARNING),
    ],
    ids=["level", "disabled", "handler level"],
)
def test_a_logger_that_is_turned_off_writes_nothing(
    change: Callable[[logging.Logger], None], start: Start, files: tuple[Path, Path]
) -> None:
    """The usual ways of silencing a logger work; seen with the next tick."""
    logs, telemetry = start()
    change(logging.getLogger("alsvid.access"))
    logs.flush()
    finish(telemetry)
    logs.close(WAIT)
    assert files[0].read_text() == ""


def test_a_logger_that_propagates_reaches_the_root(start: Start) -> None:
    """`logger.propagate = True`, for handlers on the root logger."""
    logs, telemetry = start()
    collector = Collector()
    logging.getLogger().addHandler(collector)
    try:
        logger = logging.getLogger("alsvid.access")
        logger.propagate = True
        logging.getLogger("alsvid").propagate = True
        logs.flush()
        finish(telemetry)
    finally:
        logging.getLogger().removeHandler(collector)
    assert [record.name for record in collector.records] == ["alsvid.access"]


def test_a_message_of_somebody_else_to_the_access_logger_is_written(
    start: Start, files: tuple[Path, Path]
) -> None:
    """One escaped line."""
    logs, _ = start()
    logging.getLogger("alsvid.access").info("hello\n%s", "world")
    logs.close(WAIT)
    assert files[0].read_text() == "hello\\x0aworld\n"


def test_a_handler_that_raises_does_not_reach_the_request(start: Start, files: tuple[Path, Path]) -> None:
    """The request was answered; its log line is what is lost, and that is told."""

    class Failing(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            raise RuntimeError("no disk")

    logs, telemetry = start()
    logging.getLogger("alsvid.access").addHandler(Failing())
    for _ in range(3):
        finish(telemetry)
    logs.flush()
    logs.close(WAIT)
    assert "access log: 3 requests could not be logged: RuntimeError: no disk" in files[1].read_text()


def test_an_exchange_that_cannot_be_read_does_not_reach_the_request(
    start: Start, files: tuple[Path, Path]
) -> None:
    """Whatever an application has done to its scope."""

    class Unprintable:
        def __str__(self) -> str:
            raise RuntimeError("no text")

    logs, telemetry = start()
    finish(telemetry, method=Unprintable())
    logs.flush()
    logs.close(WAIT)
    assert "1 requests could not be logged: RuntimeError: no text" in files[1].read_text()


CONFIGURED: dict[str, Any] = {
    "version": 1,
    "handlers": {"keep": {"()": "test_logs.Collector"}},
    "loggers": {},
}


def configured(logger: str) -> dict[str, Any]:
    """Return a configuration that gives one logger a handler of its own."""
    handlers = {"handlers": ["keep"], "level": "DEBUG"}
    if logger == "root":
        return {**CONFIGURED, "root": handlers}
    return {**CONFIGURED, "loggers": {logger: {**handlers, "propagate": False}}}


@pytest.fixture
def _root_logger_restored() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level


@pytest.mark.usefixtures("_root_logger_restored")
@pytest.mark.parametrize(
    ("logger", "ours_access", "ours_error"),
    [
        ("alsvid.access", False, True),
        ("alsvid", False, False),
        ("elsewhere", True, True),
    ],
)
def test_a_configuration_of_the_user_decides_for_the_loggers_it_reaches(
    logger: str, ours_access: bool, ours_error: bool, start: Start, files: tuple[Path, Path]
) -> None:
    """--log-config: where it leaves a logger without any handler, ours stays."""
    root = logging.getLogger()
    root.handlers.clear()
    logs, telemetry = start(log_config=configured(logger))
    finish(telemetry)
    telemetry.emit("notice", message="told")
    logs.close(WAIT)
    assert files[0].read_text() == (LINE if ours_access else "")
    assert ("told" in files[1].read_text()) is ours_error


@pytest.mark.usefixtures("_root_logger_restored")
def test_a_configuration_of_the_root_logger_gets_everything(start: Start, files: tuple[Path, Path]) -> None:
    """Requests and events propagate to it as they do with other servers."""
    logs, telemetry = start(log_config=configured("root"))
    (collector,) = [h for h in logging.getLogger().handlers if type(h).__name__ == "Collector"]
    finish(telemetry)
    telemetry.emit("notice", message="told")
    logs.close(WAIT)
    assert [record.name for record in collector.records] == ["alsvid.access", "alsvid"]
    assert files[0].read_text() == files[1].read_text() == ""


@pytest.mark.usefixtures("_root_logger_restored")
def test_an_application_that_configures_logging_does_not_close_our_logs(
    start: Start, files: tuple[Path, Path]
) -> None:
    """logging.config closes every handler there is, frameworks call it while they start."""
    import logging.config

    logs, telemetry = start()
    logging.config.dictConfig({"version": 1, "disable_existing_loggers": False})
    finish(telemetry)
    telemetry.emit("notice", message="told")
    logs.close(WAIT)
    assert files[0].read_text() == LINE
    assert "told" in files[1].read_text()


def test_a_wrong_configuration_leaves_the_loggers_alone(start: Start) -> None:
    """ConfigError, and nothing half set up."""
    with pytest.raises(ConfigError, match="--log-config"):
        start(log_config={"version": 7})
    assert logging.getLogger("alsvid").handlers == []
    assert logging.getLogger("alsvid").propagate


def test_logs_go_to_the_standard_streams(capfd: pytest.CaptureFixture[str]) -> None:
    """Requests to standard output, everything else to standard error."""
    logs = configure(LogSettings(), Clocks(FakeClock(WALL), FakeClock()))
    telemetry = Telemetry()
    logs.subscribe(telemetry)
    finish(telemetry)
    telemetry.emit("lifespan_started")
    logs.close(WAIT)
    out, err = capfd.readouterr()
    assert out == LINE
    assert err.endswith("Application startup complete.\n")


@pytest.mark.parametrize("closed", ["stdout", "stderr"])
def test_a_process_without_standard_streams_serves_on(closed: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """sys.stdout or sys.stderr is None."""
    monkeypatch.setattr(sys, closed, None)
    logs = configure(LogSettings(), Clocks(FakeClock(WALL), FakeClock()))
    telemetry = Telemetry()
    logs.subscribe(telemetry)
    finish(telemetry)
    telemetry.emit("lifespan_started")
    logs.flush()
    logs.close(WAIT)


def access_log(sink: FakeSink, clock: FakeClock, told: list[str]) -> AccessLog:
    """Return an access log of its own logger on a fake sink."""
    form = AccessFormat("default", log_time=LogTime(FakeClock(WALL)))
    logger = logging.Logger("scene.access", logging.INFO)
    logger.propagate = False
    log = AccessLog(form, LogWriter(sink, queue_limit=200_000), logger, told.append, clock)
    logger.addHandler(log.handler)
    log.flush()
    return log


def test_what_was_lost_is_told_at_once_and_then_every_ten_seconds() -> None:
    """One line says how many lines and why; a full disk does not fill the error log."""
    sink, clock, told = FakeSink(), FakeClock(), []
    sink.opened.clear()
    log = access_log(sink, clock, told)
    for _ in range(20 * BATCH_OCTETS // len(LINE)):
        log.record(FakeExchange())
    log.flush()
    assert len(told) == 1
    assert "lines" in told[0] and "lost: its reader is too slow" in told[0]
    for _ in range(2 * BATCH_OCTETS // len(LINE)):
        log.record(FakeExchange())
    log.flush()
    assert len(told) == 1
    clock.now += 10.0
    log.flush()
    assert len(told) == 2
    sink.opened.set()
    log.close(WAIT)
    lines = sink.text.count(b"\n")
    lost = sum(int(text.split()[2]) for text in told)
    assert lines + lost == 20 * BATCH_OCTETS // len(LINE) + 2 * BATCH_OCTETS // len(LINE)


def test_what_was_lost_is_told_again_at_the_end() -> None:
    """Closing reports whatever the pause held back."""
    sink, told = FakeSink(), []
    log = access_log(sink, FakeClock(), told)
    sink.opened.clear()
    log.record(FakeExchange())
    log.flush()
    assert sink.entered.wait(WAIT)
    log.close(0)
    assert told == [f"access log: 1 line ({len(LINE)} octets) lost: nobody read them before the end"]
    sink.opened.set()


def test_a_terminal_shows_a_line_at_once_and_a_burst_with_the_tick() -> None:
    """A person who watches waits for nothing; a load test is not slowed down by the terminal."""
    sink, told = FakeSink(), []
    sink.is_terminal = True
    log = access_log(sink, FakeClock(), told)
    log.record(FakeExchange(finished=50.0))
    assert log.drain(WAIT) is None
    first = sink.text.count(b"\n")
    log.record(FakeExchange(finished=50.01))
    log.record(FakeExchange(finished=50.02))
    assert sink.text.count(b"\n") == first == 1
    log.record(FakeExchange(finished=50.06))
    log.close(WAIT)
    assert sink.text.count(b"\n") == 4


def test_the_json_log_is_read_back_line_by_line(start: Start, files: tuple[Path, Path]) -> None:
    """What log shippers do."""
    logs, telemetry = start(access_logformat="json")
    for number in range(50):
        finish(telemetry, raw_path=b"/" + bytes([number]))
    logs.close(WAIT)
    paths = [json.loads(line)["path"] for line in files[0].read_text().splitlines()]
    assert paths == [f"/{chr(number)}" for number in range(50)]


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="Linux has it")
def test_a_full_disk_under_the_error_log_hurts_nobody(start: Start) -> None:
    """Both logs on a full disk: the server goes on."""
    logs, telemetry = start(access_logfile="/dev/full", error_logfile="/dev/full")
    for _ in range(3):
        finish(telemetry)
        telemetry.emit("notice", message="told")
        logs.flush()
    logs.close(WAIT)
