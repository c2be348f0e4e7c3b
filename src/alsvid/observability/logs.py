"""Sets up the logs of one process. Owns the loggers `alsvid` and `alsvid.access` and what they write to.

    logs = configure(settings)     at start; raises ConfigError
    logs.subscribe(telemetry)      before serving
    logs.flush()                   by the worker's tick, every 0.25-0.5 s
    logs.reopen()                  on USR1
    logs.close()                   at the end; waits a bounded time

`alsvid` (start, stop, errors) goes to standard error or --error-logfile, `alsvid.access` to standard output
or --access-logfile. Both are ordinary loggers: handlers, filters and levels set on them count. With
--log-config, that configuration alone decides; a logger for which it leaves no handler keeps ours.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from alsvid.errors import ConfigError
from alsvid.observability.access_format import AccessFormat
from alsvid.observability.access_log import AccessLog
from alsvid.observability.log_events import EventLog
from alsvid.observability.log_lines import TRACE, LineFormatter, WriterHandler
from alsvid.observability.log_sink import Sink, open_sink
from alsvid.observability.log_time import LogTime
from alsvid.observability.log_writer import LogWriter
from alsvid.observability.settings import LogSettings
from alsvid.observability.telemetry import Telemetry

_REPORT_PAUSE_S = 10.0


class Clocks:
    """The two clocks of the logs, to be replaced by tests."""

    def __init__(
        self, wall: Callable[[], float] = time.time, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self.wall = wall
        self.monotonic = monotonic


def configure(settings: LogSettings, clocks: Clocks | None = None) -> Logs:
    """Set up logging for this process and return what the server drives it with.

    A second call replaces the first; close the former Logs before.
    Raises: ConfigError where a file cannot be opened, a format or a configuration not be used.
    """
    clocks = clocks if clocks is not None else Clocks()
    logging.addLevelName(TRACE, "TRACE")
    colours = settings.use_colors
    # Everything that can fail comes before anything is changed.
    error_writer = LogWriter(_open(settings.error_logfile, "stderr", "--error-logfile"))
    error_handler = WriterHandler(error_writer)
    error_handler.setFormatter(LineFormatter(error_writer.is_terminal if colours is None else colours))
    try:
        access_log = _access_log(settings, clocks) if settings.access_log else None
    except ConfigError:
        error_writer.close(0)
        raise
    logs = Logs(error_handler, access_log, clocks)
    logs.install(settings)
    return logs


def _access_log(settings: LogSettings, clocks: Clocks) -> AccessLog:
    writer = LogWriter(_open(settings.access_logfile, "stdout", "--access-logfile"))
    colours = writer.is_terminal if settings.use_colors is None else settings.use_colors
    try:
        form = AccessFormat(settings.access_logformat, colours, LogTime(clocks.wall))
    except ConfigError:
        writer.close(0)
        raise
    complain = logging.getLogger("alsvid").error
    return AccessLog(form, writer, logging.getLogger("alsvid.access"), complain, clocks.monotonic)


def _open(name: str, stream: str, flag: str) -> Sink:
    try:
        return open_sink(name, stream)
    except OSError as error:
        raise ConfigError(
            f"{flag} {name}: {error.strerror or error}; it must be - or a file that can be written"
        ) from error
    except ValueError as error:  # a NUL in the name
        raise ConfigError(f"{flag} {name!r}: {error}") from error


class Logs:
    """The logs of one process."""

    def __init__(self, error_handler: WriterHandler, access_log: AccessLog | None, clocks: Clocks) -> None:
        self.logger = logging.getLogger("alsvid")
        self.access_logger = logging.getLogger("alsvid.access")
        self.access_log = access_log
        self._error_handler = error_handler
        self._clock = clocks.monotonic
        self._events = EventLog(self.logger, clocks.monotonic)
        self._next_report = -1.0e300
        self._installed: list[tuple[logging.Logger, logging.Handler]] = []
        self._before = [(log, log.level, log.propagate) for log in (self.logger, self.access_logger)]

    def install(self, settings: LogSettings) -> None:
        """Apply the configuration, then put our handlers where it left none; called by `configure`."""
        for logger in (self.logger, self.access_logger):
            logger.setLevel(TRACE if settings.log_level == "trace" else settings.log_level.upper())
        has_config = settings.log_config is not None
        if has_config:
            from alsvid.observability.log_config import apply_log_config  # a start-up need not pay for it

            try:
                apply_log_config(settings.log_config)
            except ConfigError:
                self.close()
                raise
        # Before the error log's, which would make the access logger have handlers.
        if self.access_log is not None and not (has_config and self.access_logger.hasHandlers()):
            self._install(self.access_logger, self.access_log.handler)
        elif self.access_log is None and not (has_config and self.access_logger.handlers):
            # Who logs to it nevertheless must not reach the error log.
            self._install(self.access_logger, logging.NullHandler())
        if not (has_config and self.logger.hasHandlers()):
            self._install(self.logger, self._error_handler)
        if self.access_log is not None:
            self.access_log.flush()

    def subscribe(self, telemetry: Telemetry) -> None:
        """Subscribe error log and access log to a server's events."""
        self._events.subscribe(telemetry)
        if self.access_log is not None:
            telemetry.subscribe("request_finished", self.access_log.record)

    def flush(self) -> None:
        """Hand on what is buffered and report what was lost. For the worker's tick; never blocks."""
        self._events.flush()
        if self.access_log is not None:
            self.access_log.flush()
        now = self._clock()
        if now >= self._next_report:
            report = self._error_handler.writer.take_report()
            if report:
                self._next_report = now + _REPORT_PAUSE_S
                self.logger.error("error log: %s", report)

    def reopen(self) -> None:
        """Go on in new files of the same names, for log rotation."""
        self._error_handler.writer.reopen()
        if self.access_log is not None:
            self.access_log.reopen()

    def close(self, timeout_s: float = 2.0) -> None:
        """Write everything out, waiting at most `timeout_s` for each log, and leave the loggers as found."""
        self._events.flush()
        if self.access_log is not None:
            self.access_log.close(timeout_s)
        self._error_handler.writer.close(timeout_s)
        for logger, handler in self._installed:
            logger.removeHandler(handler)
        self._installed.clear()
        for logger, level, propagate in self._before:
            logger.setLevel(level)
            logger.propagate = propagate

    def _install(self, logger: logging.Logger, handler: logging.Handler) -> None:
        logger.addHandler(handler)
        logger.propagate = False
        self._installed.append((logger, handler))
