"""Keeps a flood of equal events from becoming a flood of lines. Owns counting; writes nothing."""

from __future__ import annotations

from collections.abc import Callable

# Keys remembered at once. They are names of options and events, a few dozen; the bound is for the case that
# a caller makes a key of something a peer chose.
_KEYS_LIMIT = 256


class RateLimit:
    """At most `burst` events a second for each key; the rest is counted."""

    def __init__(self, burst: int, clock: Callable[[], float]) -> None:
        self._burst = burst
        self._clock = clock
        # key -> [second's end, events passed in it, events suppressed since the last that passed]
        self._windows: dict[str, list[float]] = {}

    def admit(self, key: str) -> int:
        """Return -1 where the event is to be suppressed, else how many were since the last admitted one."""
        now = self._clock()
        window = self._windows.get(key)
        if window is None:
            if len(self._windows) >= _KEYS_LIMIT:
                self._windows.clear()
            window = self._windows[key] = [now + 1.0, 0, 0]
        if now >= window[0]:
            window[0], window[1] = now + 1.0, 0
        if window[1] >= self._burst:
            window[2] += 1
            return -1
        window[1] += 1
        suppressed, window[2] = int(window[2]), 0
        return suppressed

    def take_suppressed(self) -> dict[str, int]:
        """Return and forget what was suppressed for each key whose second is over."""
        now = self._clock()
        over = {key: int(w[2]) for key, w in self._windows.items() if w[2] and now >= w[0]}
        for key in over:
            self._windows[key][2] = 0
        return over
