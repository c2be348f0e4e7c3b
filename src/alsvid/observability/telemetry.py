"""Event names, subscribe, emit. A leaf: it imports nothing of the project and every layer may use it.

One `Telemetry` belongs to one server. A layer that has something to tell tests the tuple of subscribers and
calls them; with no subscriber that is one truth test. Logs, access log and metrics are subscribers; no layer
below logs by itself.

    for subscriber in telemetry.request_finished: subscriber(exchange)        # the hot one, per request
    telemetry.emit("limit_reached", option="limit_connections", client="192.0.2.1:4711")   # all others
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol


class Exchange(Protocol):
    """What a `request_finished` subscriber may read of one finished request; valid during the call only."""

    scope: dict[str, Any]
    status: int  # of the answer's head; 0 when none was sent
    response_headers: Any  # iterable of (name, value) bytes pairs as the application gave them, or None
    response_octets: int  # of content sent, without framing
    started: float  # time.perf_counter() when the request's head was complete
    finished: float  # time.perf_counter() when the answer ended; set only while there are subscribers
    complete: bool  # False when the answer was cut short (disconnect, error after the head)


Subscriber = Callable[..., None]


class Telemetry:
    """Subscribers of one server by event name; `emit` calls them in order of subscription."""

    __slots__ = ("_subscribers", "request_finished")

    def __init__(self) -> None:
        self._subscribers: dict[str, list[Subscriber]] = {}
        # Kept apart, as a tuple, because it is tested for every request. immutable; replaced on subscribe.
        self.request_finished: tuple[Callable[[Any], None], ...] = ()

    def subscribe(self, event: str, subscriber: Subscriber) -> None:
        """Call `subscriber(**fields)` for every `event`, or `subscriber(exchange)` for "request_finished"."""
        if event == "request_finished":
            self.request_finished = (*self.request_finished, subscriber)
        else:
            self._subscribers.setdefault(event, []).append(subscriber)

    def unsubscribe(self, event: str, subscriber: Subscriber) -> None:
        """Undo `subscribe`; ValueError when there is no such subscription."""
        if event == "request_finished":
            left = list(self.request_finished)
            left.remove(subscriber)
            self.request_finished = tuple(left)
        else:
            self._subscribers[event].remove(subscriber)

    def emit(self, event: str, **fields: Any) -> None:
        """Call the subscribers of `event` with `fields`."""
        for subscriber in self._subscribers.get(event, ()):
            subscriber(**fields)
