"""The time of day as text, formatted once a second. Owns the three ways a log line writes its time."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

# English whatever the locale says: programs read these lines.
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def offset_text(seconds: int, separator: str) -> str:
    """Return a distance from UTC in seconds as "+0200" or, with the separator ":", "+02:00"."""
    sign = "-" if seconds < 0 else "+"
    hours, minutes = divmod(abs(seconds) // 60, 60)
    return f"{sign}{hours:02d}{separator}{minutes:02d}"


def plain_time(wall: float) -> str:
    """Return "2026-07-12 10:11:12" in local time."""
    t = time.localtime(wall)
    return f"{t.tm_year:04d}-{t.tm_mon:02d}-{t.tm_mday:02d} {t.tm_hour:02d}:{t.tm_min:02d}:{t.tm_sec:02d}"


class LogTime:
    """The current second as text.

    plain   2026-07-12 10:11:12           local time, default format
    clf     12/Jul/2026:10:11:12 +0200    the common log format of httpd
    iso     2026-07-12T10:11:12+02:00     RFC 3339, JSON
    """

    __slots__ = ("_wall_clock", "clf", "iso", "plain")

    def __init__(self, wall_clock: Callable[[], float] = time.time) -> None:
        self._wall_clock = wall_clock
        self.plain = self.clf = self.iso = ""
        self.refresh()

    def refresh(self) -> float:
        """Format the current second anew; return how many seconds it will last."""
        wall = self._wall_clock()
        second = math.floor(wall)
        t = time.localtime(second)
        clock = f"{t.tm_hour:02d}:{t.tm_min:02d}:{t.tm_sec:02d}"
        self.plain = f"{t.tm_year:04d}-{t.tm_mon:02d}-{t.tm_mday:02d} {clock}"
        self.clf = (
            f"{t.tm_mday:02d}/{_MONTHS[t.tm_mon - 1]}/{t.tm_year:04d}:{clock} {offset_text(t.tm_gmtoff, '')}"
        )
        self.iso = f"{t.tm_year:04d}-{t.tm_mon:02d}-{t.tm_mday:02d}T{clock}{offset_text(t.tm_gmtoff, ':')}"
        return second + 1 - wall
