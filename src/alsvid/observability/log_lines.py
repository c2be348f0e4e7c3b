"""The form of the server's own log: time, process, level, message, and a traceback where there is one.

Owns LineFormatter, which makes every record one printable line, and WriterHandler, which hands it to a
LogWriter. Both may be named in a --log-config.
"""

from __future__ import annotations

import logging

from alsvid.observability.escape import escape_block, escape_message
from alsvid.observability.log_time import plain_time
from alsvid.observability.log_writer import LogWriter

TRACE = 5
_DRAIN_S = 1.0

# Cyan, green, yellow, red, bright red, as other servers paint them; trace and everything below is blue.
_SHADES = ((50, "91"), (40, "31"), (30, "33"), (20, "32"), (10, "36"))


class LineFormatter(logging.Formatter):
    """Formats a record as `2026-07-12 10:11:12 [4711] INFO: message`, then its traceback as Python prints it.

    Whatever is interpolated, the message is one line of printable text of at most 8 KiB; a traceback keeps
    its lines and loses its controls, and is cut at 64 KiB.
    """

    def __init__(self, use_colors: bool = False) -> None:
        super().__init__()
        self._use_colors = use_colors

    def format(self, record: logging.LogRecord) -> str:
        level = record.levelname
        if self._use_colors:
            shade = next((shade for least, shade in _SHADES if record.levelno >= least), "34")
            level = f"\x1b[{shade}m{level}\x1b[0m"
        head = f"{plain_time(record.created)} [{record.process}] {level}: "
        text = head + escape_message(_message_of(record), 8191 - len(head))
        if record.exc_info and not record.exc_text:
            record.exc_text = self.formatException(record.exc_info)
        if record.exc_text:
            text += "\n" + escape_block(record.exc_text)
        if record.stack_info:
            text += "\n" + escape_block(self.formatStack(record.stack_info))
        return text


def _message_of(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except Exception as error:
        # A wrong format string must not cost the event it was to tell of.
        return f"{record.msg} {record.args} (not formatted: {error})"


class WriterHandler(logging.Handler):
    """Gives lines to a LogWriter, so that a blocked terminal or pipe never blocks who logs."""

    def __init__(self, writer: LogWriter) -> None:
        super().__init__()
        self.writer = writer

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self.writer.write((self.format(record) + "\n").encode("utf-8", "backslashreplace"))
        except Exception:
            self.handleError(record)

    def close(self) -> None:
        # Called when the interpreter ends, but by logging.config too, which leaves the handler in use:
        # the writer stays open.
        self.writer.flush(_DRAIN_S)
        super().close()
