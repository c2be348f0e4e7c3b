"""One coarse tick a worker for all timeouts, the Date field and whatever else wants to be looked at now and
then.

Owns the only clock that connections read (ConnectionContext.now): a request costs no timer and no clock call.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from alsvid.net.context import ConnectionContext
from alsvid.protocol.http.date import imf_fixdate

TICK_S = 0.25


class Deadlines:
    """Sweep the connections of a context every TICK_S seconds, while started.

    `every_tick` are called after each sweep (flush a log, look at files): they must not block.
    """

    __slots__ = ("_context", "_dated", "_handle", "_second", "every_tick")

    def __init__(self, context: ConnectionContext, *, date_header: bool = True) -> None:
        self._context = context
        self._dated = date_header
        self._handle: object = None
        self._second = -1
        self.every_tick: list[Callable[[], None]] = []

    def start(self) -> None:
        """Read the clock and begin to tick; needs the running loop of the context."""
        self.tick()

    def stop(self) -> None:
        """Tick no more."""
        if self._handle is not None:
            self._handle.cancel()  # type: ignore[attr-defined]
            self._handle = None

    def tick(self) -> None:
        """Sweep once and schedule the next."""
        context = self._context
        self._handle = context.loop.call_later(TICK_S, self.tick)
        context.now = now = time.monotonic()
        self._refresh_date()
        sweep(context, now)
        for call in self.every_tick:
            call()

    def _refresh_date(self) -> None:
        # The one place that reads the wall clock: RFC 9110 section 6.6.1 wants the date, everything else
        # durations.
        second = int(time.time())
        if second != self._second and self._dated:
            self._second = second
            self._context.writer.set_date(b"date: " + imf_fixdate(second) + b"\r\n")


def sweep(context: ConnectionContext, now: float) -> None:
    """Call `expire` on every connection whose deadline is over."""
    for connection in list(context.connections):
        try:
            if connection.deadline <= now:
                connection.expire(now)
            elif context.body_min_rate and connection.is_slow(now):
                connection.expire_slow()
        except Exception as error:  # the others have deadlines too
            context.give_up(connection, "at a deadline", error)
