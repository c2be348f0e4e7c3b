"""One time zone for the tests of the logs, and loggers left as they were found."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator

import pytest
from log_fakes import WALL, FakeClock

from alsvid.observability.log_time import LogTime


@pytest.fixture(autouse=True)
def _utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Tests write their times in one zone, and leave the loggers as they found them."""
    monkeypatch.setenv("TZ", "XXX-02:00")
    time.tzset()
    loggers = [logging.getLogger(name) for name in ("alsvid", "alsvid.access")]
    yield
    monkeypatch.undo()
    time.tzset()
    for logger in loggers:
        logger.handlers.clear()
        logger.filters.clear()
        logger.setLevel(logging.NOTSET)
        logger.propagate = True
        logger.disabled = False


@pytest.fixture
def log_time() -> LogTime:
    return LogTime(FakeClock(WALL))
