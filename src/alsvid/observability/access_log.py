"""The access log: one line for each finished request. Owns the choice of the way a line takes, and the batch.

    fast  nobody has touched the logger `alsvid.access`: the line goes into a batch, the batch to the writer
    slow  handlers, filters or a formatter were added: a logging.LogRecord goes through the logger

The fast way costs no LogRecord, no formatting of the time, no system call. `record` subscribes to
"request_finished"; the worker's tick calls `flush`. Nothing here ever blocks or raises into a request.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any

from alsvid.observability.access_format import AccessFormat
from alsvid.observability.escape import escape_field, escape_message
from alsvid.observability.log_writer import LogWriter

# Octets handed over at once: 600 lines in one write.
BATCH_OCTETS = 65536
# On a terminal a person watches: lines go out at once, but not more often than this.
_TERMINAL_PAUSE_S = 0.05

# Losses are told at once, then at most this often.
_REPORT_PAUSE_S = 10.0
_DRAIN_S = 1.0

_INFO = 20  # logging.INFO


class AccessHandler(logging.Handler):
    """The handler of ours on `alsvid.access`; as long as it is alone and untouched, it is never called.

    A record of a request carries its finished line as `access_line`. With a formatter of the user's, that
    formatter's text is written instead.
    """

    def __init__(self, log: AccessLog) -> None:
        super().__init__()
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        try:
            if self.formatter is None and hasattr(record, "access_line"):
                line = record.access_line
            else:
                line = escape_message(self.format(record))
            self._log.take_line(line)
        except Exception:
            self.handleError(record)

    def flush(self) -> None:
        self._log.flush()

    def close(self) -> None:
        # Called when the interpreter ends, but by logging.config too, which leaves the handler in use:
        # the log stays open.
        self._log.drain(_DRAIN_S)
        super().close()


class AccessLog:
    """Writes the access log of one process.

    `complain(text)` gets one line when something is wrong with the log itself; `clock` is monotonic.
    """

    __slots__ = (
        "_clock",
        "_complain",
        "_failure",
        "_failures",
        "_filters",
        "_format",
        "_handler",
        "_handler_filters",
        "_handlers",
        "_is_eager",
        "_is_untouched",
        "_lines",
        "_logger",
        "_next_eager",
        "_next_report",
        "_octets",
        "_writer",
    )

    def __init__(
        self,
        form: AccessFormat,
        writer: LogWriter,
        logger: logging.Logger,
        complain: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._format = form
        self._writer = writer
        self._logger = logger
        self._complain = complain
        self._clock = clock
        self._next_report = -1.0e300
        self._failures = 0
        self._failure = ""
        self._handler = AccessHandler(self)
        self._lines: list[str] = []
        self._octets = 0
        self._is_eager = writer.is_terminal
        self._next_eager = -1.0e300  # on the clock of Exchange.finished
        self._look()

    @property
    def handler(self) -> AccessHandler:
        """The handler to be put on the logger."""
        return self._handler

    def record(self, exchange: Any) -> None:
        """Log one finished request; the subscriber of "request_finished"."""
        try:
            if (
                self._is_untouched
                and len(self._handlers) == 1
                and self._handlers[0] is self._handler
                and not self._filters
                and not self._handler_filters
            ):
                line = self._format.render(exchange)
                self._lines.append(line)
                self._octets += len(line)
                if self._octets >= BATCH_OCTETS:
                    self._hand_over()
                elif self._is_eager:
                    self._hand_over_soon(exchange.finished)
            else:
                self._record_by_logging(exchange)
        except Exception as error:
            self._failures += 1
            self._failure = f"{type(error).__name__}: {error}"

    def flush(self) -> None:
        """Hand the lines over; look whether the logger was touched; report what was lost. Never blocks."""
        self._look()
        self._hand_over()
        now = self._clock()
        if now >= self._next_report and self._report():
            self._next_report = now + _REPORT_PAUSE_S

    def drain(self, timeout_s: float) -> None:
        """Flush, and wait at most `timeout_s` until the lines are out."""
        self.flush()
        self._writer.flush(timeout_s)

    def reopen(self) -> None:
        """Go on in a new file of the same name (USR1)."""
        self._hand_over()
        self._writer.reopen()

    def close(self, timeout_s: float = 2.0) -> None:
        """Write everything out, waiting at most `timeout_s`, and report what could not be."""
        self._hand_over()
        self._writer.close(timeout_s)
        self._report()

    def take_line(self, line: str) -> None:
        """Take a line that came through logging, maybe from another thread."""
        self._writer.write((line + "\n").encode("utf-8", "backslashreplace"))

    def _look(self) -> None:
        """Learn whether the logger is as we left it.

        Adding to its lists is seen at once, replacing them or changing level or `disabled` with the next
        flush: the lists are kept because reading them from the logger for each request costs 0.1 us.
        """
        logger, handler = self._logger, self._handler
        self._handlers = logger.handlers
        self._filters = logger.filters
        self._handler_filters = handler.filters
        self._is_untouched = (
            self._handlers == [handler]
            and not logger.disabled
            and not logger.propagate
            and logger.isEnabledFor(_INFO)
            and handler.level <= _INFO
            and handler.formatter is None
        )

    def _report(self) -> bool:
        """Complain about what went wrong since the last time; return whether anything did."""
        report = self._writer.take_report()
        if report:
            self._complain(f"access log: {report}")
        if self._failures:
            self._complain(f"access log: {self._failures} requests could not be logged: {self._failure}")
            self._failures = 0
            return True
        return bool(report)

    def _hand_over(self) -> None:
        if self._octets:
            lines = self._lines
            self._lines = []
            self._octets = 0
            self._writer.write("".join(lines).encode("utf-8", "backslashreplace"))

    def _hand_over_soon(self, now: float) -> None:
        if now >= self._next_eager:
            self._next_eager = now + _TERMINAL_PAUSE_S
            self._hand_over()

    def _record_by_logging(self, exchange: Any) -> None:
        """Send a LogRecord through the logger.

        Message and arguments are those that handlers and filters for other ASGI servers expect; the rest
        stands in attributes of the record.
        """
        logger = self._logger
        if not logger.isEnabledFor(_INFO):
            return
        fields = _record_fields(exchange)
        target = f"{fields['path']}?{fields['query']}" if fields["query"] else fields["path"]
        arguments = (fields["client"], fields["method"], target, fields["http_version"], fields["status"])
        message = '%s - "%s %s HTTP/%s" %d'
        record = logger.makeRecord(
            logger.name, _INFO, "(access)", 0, message, arguments, None, "record", fields
        )
        record.access_line = self._format.render(exchange).rstrip("\n")
        self._hand_over()  # what went the fast way before goes first
        logger.handle(record)


def _record_fields(exchange: Any) -> dict[str, Any]:
    """Return what a record of one request carries; texts are escaped."""
    scope = exchange.scope
    client = scope.get("client")
    raw_path = scope.get("raw_path")
    path = scope.get("path", "") if raw_path is None else raw_path.decode("latin-1")
    return {
        "client": "-" if client is None else escape_field(f"{client[0]}:{client[1]}"),
        "method": escape_field(str(scope.get("method", "GET"))),
        "path": escape_field(path),
        "query": escape_field(scope.get("query_string", b"").decode("latin-1")),
        "http_version": escape_field(str(scope.get("http_version"))),
        "status": exchange.status,
        "octets": exchange.response_octets,
        "duration": exchange.finished - exchange.started,
        "complete": exchange.complete,
    }
