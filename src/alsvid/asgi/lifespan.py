"""The lifespan protocol (ASGI lifespan 2.0): one run of the application from start-up to shutdown."""

from __future__ import annotations

import asyncio
from typing import Any

from alsvid.asgi.service import Service
from alsvid.asgi.types import ASGI_VERSION, LIFESPAN_SPEC_VERSION, Message
from alsvid.errors import LocalProtocolError, StartupError


class Lifespan:
    """Runs the application's lifespan in a task of its own.

    mode "on": without a lifespan the server does not start. "auto": an application that raises before it
    completed the start-up, without saying `startup.failed`, has none. "off": it is not asked.

    `state` is what the application put into scope["state"]; None where there is no lifespan.
    """

    def __init__(
        self,
        service: Service,
        mode: str = "auto",
        *,
        startup_timeout_s: float = 60.0,
        shutdown_timeout_s: float = 30.0,
    ) -> None:
        self._service = service
        self._mode = mode
        self._startup_timeout_s = startup_timeout_s
        self._shutdown_timeout_s = shutdown_timeout_s
        self._events: asyncio.Queue[Message] = asyncio.Queue()
        self._started: asyncio.Future[str] | None = None  # result "" or the message of startup.failed
        self._stopped: asyncio.Future[str] | None = None
        self._task: asyncio.Task[None] | None = None
        self._has_lifespan = True
        self._has_failed = False  # it has said so, or was given up: what it raises then is no news
        self.state: dict[str, Any] | None = None

    async def startup(self) -> None:
        """Send lifespan.startup and wait for its completion.

        Raises: StartupError when it fails or takes too long.
        """
        if self._mode == "off":
            return
        loop = self._service.loop
        self._started = loop.create_future()
        self._stopped = loop.create_future()
        state: dict[str, Any] = {}
        scope = {
            "type": "lifespan",
            "asgi": {"version": ASGI_VERSION, "spec_version": LIFESPAN_SPEC_VERSION},
            "state": state,
        }
        self._emit("lifespan_startup")
        self._task = loop.create_task(self._run(scope), name="alsvid-lifespan")
        self._events.put_nowait({"type": "lifespan.startup"})
        try:
            failure = await asyncio.wait_for(asyncio.shield(self._started), self._startup_timeout_s)
        except TimeoutError:
            self._emit("lifespan_timeout", stage="startup", timeout_s=self._startup_timeout_s)
            await self._cancel()
            raise StartupError(
                f"the application's start-up did not end within {self._startup_timeout_s:g} s"
                " (--timeout-lifespan-startup)"
            ) from None
        except asyncio.CancelledError:  # a signal during the start-up
            await self._cancel()
            raise
        if failure:
            await self._end_task()
            raise StartupError(f"the application's start-up failed: {failure}")
        if self._task is None or not self._has_lifespan:
            self._task = None
            return
        self.state = state
        self._emit("lifespan_started")

    async def shutdown(self) -> bool:
        """Send lifespan.shutdown and wait for its completion; False when that failed or took too long."""
        if self._task is None or self._stopped is None:
            return True
        self._emit("lifespan_shutdown")
        self._events.put_nowait({"type": "lifespan.shutdown"})
        try:
            failure = await asyncio.wait_for(asyncio.shield(self._stopped), self._shutdown_timeout_s)
        except TimeoutError:
            self._emit("lifespan_timeout", stage="shutdown", timeout_s=self._shutdown_timeout_s)
            await self._cancel()
            return False
        await self._end_task()
        if not failure:
            self._emit("lifespan_stopped")
        return not failure

    def abandon(self) -> None:
        """The stop has become urgent: `shutdown` ends without waiting for the application any longer."""
        if self._stopped is not None and not self._stopped.done():
            self._stopped.set_result("the stop was urgent")
        if self._task is not None:
            self._task.cancel()

    async def _end_task(self) -> None:
        """Give the application a moment to return by itself after its last message."""
        if self._task is not None:
            await asyncio.wait([self._task], timeout=1.0)
        await self._cancel()

    async def _cancel(self) -> None:
        self._has_failed = True
        if self._task is not None and not self._task.done():
            self._task.cancel()
            await asyncio.wait([self._task], timeout=1.0)
        self._task = None

    async def _run(self, scope: dict[str, Any]) -> None:
        error: BaseException | None = None
        try:
            await self._service.application(scope, self._events.get, self._send)
        except BaseException as raised:
            # SystemExit too: who waits for this lifespan decides what becomes of the process.
            error = raised
        self._settle(error)

    def _settle(self, error: BaseException | None) -> None:
        """The application has left its lifespan: nobody may wait for it any more."""
        assert self._started is not None
        assert self._stopped is not None
        if self._has_failed:
            if not self._stopped.done():
                self._stopped.set_result("")
        elif not self._started.done():
            if self._mode == "auto" and (error is None or isinstance(error, Exception)):
                self._has_lifespan = False
                self._emit("lifespan_unsupported", exception=error)
                self._started.set_result("")
            else:
                message = "it returned at once" if error is None else f"it raised {type(error).__name__}"
                self._emit("lifespan_failed", stage="startup", message=message, exception=error)
                self._started.set_result(f"{message} (--lifespan {self._mode})")
        elif not self._stopped.done():
            if error is not None:
                self._emit(
                    "lifespan_failed",
                    stage="shutdown",
                    message=f"it raised {type(error).__name__}",
                    exception=error,
                )
                self._stopped.set_result("it raised an exception")
            else:
                self._stopped.set_result("")

    async def _send(self, message: Message) -> None:
        assert self._started is not None
        assert self._stopped is not None
        kind = message["type"]
        starts = kind.startswith("lifespan.startup.")
        future = self._started if starts else self._stopped
        if kind not in (
            "lifespan.startup.complete",
            "lifespan.startup.failed",
            "lifespan.shutdown.complete",
            "lifespan.shutdown.failed",
        ):
            raise LocalProtocolError(
                f"expected lifespan.startup.… or lifespan.shutdown.…, the application sent {kind!r}"
            )
        if future.done() or starts == self._started.done():
            raise LocalProtocolError(f"{kind!r} was sent twice or out of order")
        if kind.endswith(".complete"):
            future.set_result("")
        else:
            text = message.get("message", "") or "it gave no reason"
            self._has_failed = True
            self._emit(
                "lifespan_failed", stage="startup" if starts else "shutdown", message=text, exception=None
            )
            future.set_result(text)

    def _emit(self, event: str, **fields: Any) -> None:
        self._service.telemetry.emit(event, **fields)
