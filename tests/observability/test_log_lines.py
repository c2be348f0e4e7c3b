"""The server's own log: one printable line an event, then its traceback."""

from __future__ import annotations

import logging
import re
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from log_fakes import WALL, FakeSink

from alsvid.observability.escape import CUT_MARK
from alsvid.observability.log_lines import LineFormatter, WriterHandler
from alsvid.observability.log_writer import LogWriter


def record_of(message: object, *arguments: object, level: int = 20, error: bool = False) -> logging.LogRecord:
    exc_info = sys.exc_info() if error else None
    record = logging.LogRecord("alsvid", level, "f.py", 1, message, arguments, exc_info)
    record.created = WALL
    record.process = 4711
    return record


def test_a_line_tells_time_process_level_and_message() -> None:
    """What people expect of a server's log."""
    assert LineFormatter().format(record_of("Started %s", "well")) == (
        "2026-07-14 05:33:20 [4711] INFO: Started well"
    )


@pytest.mark.parametrize("code", [*range(0x20), 0x7F, 0x80, 0x85, 0x9B, 0x2028, 0x2029, 0x202E, 0xDC80])
def test_hostile_characters_of_a_message_are_escaped(code: int) -> None:
    """No interpolated text makes a second line or steers a terminal."""
    line = LineFormatter().format(record_of("path %s", f"/{chr(code)}x"))
    assert line.isprintable()
    assert chr(code) not in line


@given(st.text(st.characters(), max_size=20_000), st.booleans())
def test_any_message_is_one_line_of_at_most_8_kib(text: str, colours: bool) -> None:
    """The limit counts octets, the line feed included."""
    line = LineFormatter(colours).format(record_of("%s", text))
    assert "\n" not in line
    assert len(line.encode()) < 8192
    assert re.sub(r"\x1b\[\d\dm|\x1b\[0m", "", line).isprintable()


@pytest.mark.parametrize(
    ("level", "shade"), [(5, 34), (10, 36), (20, 32), (30, 33), (40, 31), (50, 91), (45, 31)]
)
def test_a_terminal_gets_the_level_in_colour(level: int, shade: int) -> None:
    """One shade a level; none without use_colors."""
    assert f" \x1b[{shade}m" in LineFormatter(use_colors=True).format(record_of("x", level=level))
    assert "\x1b" not in LineFormatter().format(record_of("x", level=level))


def test_a_traceback_follows_its_line_as_python_prints_it() -> None:
    """A traceback keeps its lines."""
    try:
        raise ValueError("bad value")
    except ValueError:
        text = LineFormatter().format(record_of("failed", level=40, error=True))
    lines = text.split("\n")
    assert lines[0].endswith("ERROR: failed")
    assert lines[1] == "Traceback (most recent call last):"
    assert lines[-1] == "ValueError: bad value"


def test_a_traceback_with_hostile_text_cannot_steer_a_terminal() -> None:
    """An exception may carry what a client sent."""
    try:
        raise ValueError("\x1b[2Jgone\r\x9b31m")
    except ValueError:
        text = LineFormatter().format(record_of("failed", error=True))
    assert all(line.isprintable() for line in text.split("\n"))
    assert "\\x1b[2Jgone\\x0d\\x9b31m" in text


def test_an_exception_that_carries_a_megabyte_is_cut() -> None:
    """64 KiB an event with a traceback, 8 KiB each of its lines."""
    try:
        raise ValueError("x\n" * 500_000 + "y" * 500_000)
    except ValueError:
        text = LineFormatter().format(record_of("failed", error=True))
    assert len(text) < 80_000
    assert text.endswith(CUT_MARK)


@pytest.mark.parametrize(("message", "arguments"), [("%d", ("x",)), ("%s %s", ("one",)), ("%", (1,))])
def test_a_wrong_format_string_does_not_cost_the_event(message: str, arguments: tuple[object, ...]) -> None:
    """The event is told of anyhow."""
    line = LineFormatter().format(record_of(message, *arguments))
    assert "not formatted" in line
    assert str(arguments[0]) in line


def test_the_handler_writes_utf_8_and_stays_open_when_logging_closes_its_handlers() -> None:
    """logging.config closes every handler, also those that stay in use."""
    sink = FakeSink()
    handler = WriterHandler(LogWriter(sink))
    handler.setFormatter(LineFormatter())
    handler.handle(record_of("déjà vu"))
    handler.close()
    assert sink.text.decode().endswith("INFO: déjà vu\n")
    handler.handle(record_of("still here"))
    assert handler.writer.close(20)
    assert sink.text.decode().endswith("INFO: still here\n")
