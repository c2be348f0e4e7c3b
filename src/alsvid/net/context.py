"""What the connections of one server share: limits, deadlines, the coarse clock, and the set of
themselves.
"""

from __future__ import annotations

import asyncio
import contextlib
import heapq
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from alsvid.asgi.service import Service
from alsvid.net.settings import ConnectionSettings
from alsvid.protocol.http1.limits import Limits
from alsvid.protocol.http1.writer import HeadWriter

if TYPE_CHECKING:
    from alsvid.net.connection import Connection

# How many idle connections are looked up at once when the cap is reached, so that a flood of connections
# does not cost a walk over all of them each.
_EVICTION_BATCH = 64


# CPython's writelines() of these versions never pauses the writer, so that nothing would bound the buffer
# (CVE-2024-12254).
_WRITELINES_IS_BROKEN = (3, 12) <= sys.version_info < (3, 12, 9) or (3, 13) <= sys.version_info < (3, 13, 2)


class ConnectionContext:
    """One per server and event loop.

    now             monotonic seconds, refreshed by the tick (alsvid.net.deadlines): coarse on purpose.
    connections     those that are open.
    joins_writes    the transports' writelines() must not be used.
    is_stopping     no further request is taken; connections close as soon as they are idle.
    trusted_proxies object with `trusts(host | None) -> bool` and `apply(scope)`, or None.
    """

    __slots__ = (
        "_held",
        "_idle",
        "_is_flush_due",
        "_lost_listener",
        "body_min_rate",
        "body_min_rate_grace",
        "connections",
        "is_stopping",
        "joins_writes",
        "keep_alive",
        "limit_concurrency",
        "limit_connections",
        "limit_unread_body",
        "limits",
        "loop",
        "now",
        "read_high_water",
        "service",
        "telemetry",
        "timeout_body",
        "timeout_request_head",
        "timeout_unread_body",
        "timeout_write",
        "trusted_proxies",
        "write_high_water",
        "write_low_water",
        "writer",
    )

    def __init__(
        self,
        settings: ConnectionSettings,
        service: Service,
        limits: Limits,
        writer: HeadWriter,
        trusted_proxies: Any = None,
    ) -> None:
        self.service = service
        self.loop: asyncio.AbstractEventLoop = service.loop
        self.telemetry = service.telemetry
        self.limits = limits
        self.writer = writer
        self.trusted_proxies = trusted_proxies
        self.now = 0.0
        self.connections: set[Connection] = set()
        self.is_stopping = False
        self.keep_alive = settings.keep_alive
        self.timeout_request_head = settings.timeout_request_head
        self.timeout_body = settings.timeout_body
        self.body_min_rate = settings.body_min_rate
        self.body_min_rate_grace = settings.body_min_rate_grace
        self.timeout_write = settings.timeout_write
        self.timeout_unread_body = settings.timeout_unread_body
        self.limit_unread_body = settings.limit_unread_body
        self.limit_connections = settings.limit_connections
        self.limit_concurrency = settings.limit_concurrency
        self.read_high_water = settings.read_high_water
        self.write_high_water = settings.write_high_water
        self.write_low_water = min(settings.write_low_water, settings.write_high_water)
        self.joins_writes = _WRITELINES_IS_BROKEN and isinstance(self.loop, asyncio.SelectorEventLoop)
        self._held: list[Connection] = []
        self._is_flush_due = False
        self._lost_listener: Callable[[], None] | None = None
        self._idle: list[Connection] = []

    def hold(self, connection: Connection) -> None:
        """Flush the connection at the end of this turn of the loop, unless it has been flushed by then.

        One callback a turn serves all connections: a response that is complete in its turn costs a list
        entry.
        """
        self._held.append(connection)
        if not self._is_flush_due:
            self._is_flush_due = True
            self.loop.call_soon(self.flush_held)

    def flush_held(self) -> None:
        """End of a turn: let go what applications that wait have left behind."""
        held = self._held
        self._held = []
        self._is_flush_due = False
        for connection in held:
            try:
                connection.end_turn()
            except Exception as error:  # one connection's misfortune is not that of its neighbours
                self.give_up(connection, "at the end of a turn", error)

    def give_up(self, connection: Connection, where: str, error: Exception) -> None:
        """Abort a connection on which a call failed that never should."""
        self.telemetry.emit("internal_error", where=where, exception=error)
        with contextlib.suppress(Exception):
            connection.abort()

    def when_lost(self, listener: Callable[[], None] | None) -> None:
        """Call the listener, or nobody, whenever a connection is lost."""
        self._lost_listener = listener

    def forget(self, connection: Connection) -> None:
        """The connection is lost."""
        self.connections.discard(connection)
        if self._lost_listener is not None:
            self._lost_listener()

    def evict(self, newcomer: Connection | None = None, idle_for_s: float = 0.0) -> bool:
        """Close the connection that has been idle longest, at least so long; False when there is none.

        `newcomer` is the one that room is made for.
        """
        if not self._idle:
            idle = [each for each in self.connections if each is not newcomer and each.is_idle()]
            self._idle = heapq.nsmallest(_EVICTION_BATCH, idle, key=_idle_since)
            self._idle.reverse()
        while self._idle:
            connection = self._idle.pop()
            if connection.idle_since > self.now - idle_for_s:
                self._idle = []
                return False  # they are in order: all others have been used later
            if connection is not newcomer and connection.is_idle():
                connection.close_idle("limit_connections")
                return True
        return False


def _idle_since(connection: Connection) -> float:
    return connection.idle_since
