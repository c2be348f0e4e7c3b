"""What the cycles of one server share: the application, its lifespan's state, who listens to telemetry."""

from __future__ import annotations

import asyncio
import contextvars
import sys
from collections.abc import Callable, Coroutine
from typing import Any

from alsvid.asgi.types import Application
from alsvid.observability.telemetry import Telemetry

_EAGER = sys.version_info >= (3, 12)
_Task = asyncio.Task


class Service:
    """One application being served in one event loop.

    cycles      those that run, for the graceful stop and for listing; a cycle adds and removes itself.
    state       the lifespan's state, or None where the application has no lifespan.
    when_idle   called when the last cycle has ended; None while nobody waits for that.
    timed       somebody listens to "request_finished": cycles take times.
    """

    __slots__ = (
        "_base",
        "_factory",
        "application",
        "cycles",
        "loop",
        "state",
        "telemetry",
        "timed",
        "when_idle",
    )

    def __init__(
        self, application: Application, loop: asyncio.AbstractEventLoop, telemetry: Telemetry
    ) -> None:
        self.application = application
        self.loop = loop
        self.telemetry = telemetry
        self.cycles: set[Any] = set()
        self.state: dict[str, Any] | None = None
        self.timed = False
        self.when_idle: Callable[[], None] | None = None
        self._base = contextvars.copy_context()
        self._factory = loop.get_task_factory()

    def refresh(self) -> None:
        """Look again at what may have changed since the loop ran last: subscribers, task factory."""
        self.timed = bool(self.telemetry.request_finished)
        self._factory = self.loop.get_task_factory()

    def spawn(self, coroutine: Coroutine[Any, Any, None], eager: bool) -> asyncio.Task[None]:
        """Run a cycle as a real Task, in a fresh copy of the context that the server was started in.

        Not of the current one: who calls may be another request's application, by ending its answer or by
        taking content. Eager on 3.12+: a handler that never waits is done when this returns. The name is
        given
        because the default one costs a format and a counter.
        """
        context = self._base.copy()
        if self._factory is not None:
            return context.run(self.loop.create_task, coroutine, name="alsvid-request")
        if _EAGER and eager:
            return _Task(coroutine, loop=self.loop, name="alsvid-request", context=context, eager_start=True)  # type: ignore[call-arg]
        return _Task(coroutine, loop=self.loop, name="alsvid-request", context=context)
