"""The lifespan protocol: auto, on, off; failures and time limits."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from serving import Events, respond, serving

import alsvid
from alsvid.errors import StartupError

pytestmark = pytest.mark.one_loop


class Lifespan:
    """An application whose lifespan does what it is told; `log` tells what happened."""

    def __init__(self, startup: Any = "complete", shutdown: Any = "complete") -> None:
        self.startup = startup
        self.shutdown = shutdown
        self.log: list[str] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            await respond(send, b"served")
            return
        assert scope["asgi"] == {"version": "3.0", "spec_version": "2.0"}
        assert scope["state"] == {}
        try:
            assert await receive() == {"type": "lifespan.startup"}
            self.log.append("startup")
            if await self._do("startup", self.startup, send):
                return
            assert await receive() == {"type": "lifespan.shutdown"}
            self.log.append("shutdown")
            await self._do("shutdown", self.shutdown, send)
        finally:
            self.log.append("left")

    async def _do(self, stage: str, what: Any, send: Any) -> bool:
        if isinstance(what, BaseException):
            raise what
        if what == "hang":
            await asyncio.Event().wait()
        if what == "return":
            return True
        if what == "failed then raise":
            await send({"type": f"lifespan.{stage}.failed", "message": "no database"})
            raise RuntimeError("no database")
        if what.startswith("failed"):
            await send({"type": f"lifespan.{stage}.failed", "message": what[7:]})
            return True
        await send({"type": f"lifespan.{stage}.complete"})
        return what == "complete then return"


async def failure(app: Any, **settings: Any) -> tuple[str, Events]:
    """Start a server that cannot start; return the error's text and the events."""
    server = alsvid.serve(app, **settings)
    events = Events(server.telemetry)
    with pytest.raises(StartupError) as caught:
        async with server:
            pytest.fail("it started")
    assert all(listener.socket.fileno() == -1 for listener in server.listeners)
    return str(caught.value), events


@pytest.mark.parametrize("mode", ["auto", "on"])
async def test_it_is_started_before_and_ended_after_serving(mode: str) -> None:
    """ASGI lifespan 2.0; the log says when."""
    app = Lifespan()
    async with serving(app, lifespan=mode) as server:
        assert app.log == ["startup"]
        async with server.client() as client:
            assert (await client.ask()).body == b"served"
    assert app.log == ["startup", "shutdown", "left"]
    names = server.events.names()
    assert names[:4] == ["process_started", "lifespan_startup", "lifespan_started", "started"]
    assert names[-4:] == ["stopping", "lifespan_shutdown", "lifespan_stopped", "stopped"]


async def test_off_does_not_ask_the_application() -> None:
    """--lifespan off: no scope of type lifespan is seen, and there is no state."""
    app = Lifespan()
    async with serving(app, lifespan="off") as server, server.client() as client:
        assert (await client.ask()).body == b"served"
    assert app.log == []


@pytest.mark.parametrize("startup", [ValueError("no"), AssertionError("http only"), "return"])
async def test_auto_goes_on_without_an_application_that_has_none(startup: Any) -> None:
    """ASGI: an exception from a lifespan scope means that the application does not support it."""
    app = Lifespan(startup)
    async with serving(app, lifespan="auto") as server, server.client() as client:
        assert (await client.ask()).body == b"served"
    assert "lifespan_unsupported" in server.events.names()
    assert "lifespan_shutdown" not in server.events.names()


@pytest.mark.parametrize("startup", [ValueError("no"), "return"])
async def test_on_does_not_start_without_one(startup: Any) -> None:
    """--lifespan on: exit status 3."""
    text, events = await failure(Lifespan(startup), lifespan="on")
    assert "--lifespan on" in text
    assert len(events.of("lifespan_failed")) == 1


@pytest.mark.parametrize("mode", ["auto", "on"])
@pytest.mark.parametrize("error", [SystemExit(1), KeyboardInterrupt(), asyncio.CancelledError()])
async def test_leaving_by_force_is_never_taken_for_having_none(mode: str, error: BaseException) -> None:
    """sys.exit() in a start-up means that the server must not serve."""
    text, _ = await failure(Lifespan(error), lifespan=mode)
    assert type(error).__name__ in text


@pytest.mark.parametrize("mode", ["auto", "on"])
@pytest.mark.parametrize("how", ["failed no database", "failed then raise", "failed "])
async def test_a_start_up_that_says_it_failed_stops_the_start(mode: str, how: str) -> None:
    """The application's words are in the error and once in the log, and nothing speaks of a shutdown."""
    text, events = await failure(Lifespan(how), lifespan=mode)
    assert ("no database" if how.strip() != "failed" else "no reason") in text
    (told,) = events.of("lifespan_failed")
    assert told["stage"] == "startup"


async def test_a_start_up_that_takes_too_long_is_cancelled() -> None:
    """--timeout-lifespan-startup; the application is not left running."""
    app = Lifespan("hang")
    text, events = await failure(app, lifespan="auto", timeout_lifespan_startup=0.1)
    assert "--timeout-lifespan-startup" in text
    assert app.log == ["startup", "left"]
    assert [fields["stage"] for fields in events.of("lifespan_timeout")] == ["startup"]
    assert events.of("lifespan_failed") == []


async def test_a_start_up_may_be_cancelled_from_outside() -> None:
    """A signal during the start-up: the application's task ends with it."""
    app = Lifespan("hang")
    starting = asyncio.ensure_future(alsvid.serve(app).start())
    while "startup" not in app.log:
        await asyncio.sleep(0)
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting
    assert app.log == ["startup", "left"]


@pytest.mark.parametrize(
    ("shutdown", "event"),
    [("hang", "lifespan_timeout"), (ValueError("x"), "lifespan_failed"), ("failed badly", "lifespan_failed")],
)
async def test_a_shutdown_that_fails_is_told_and_does_not_hold_up_the_stop(shutdown: Any, event: str) -> None:
    """--timeout-lifespan-shutdown; the stop goes on."""
    app = Lifespan(shutdown=shutdown)
    async with serving(app, lifespan="on", timeout_lifespan_shutdown=0.1) as server:
        pass
    (told,) = server.events.of(event)
    assert told["stage"] == "shutdown"
    assert server.events.names()[-1] == "stopped"
    assert app.log == ["startup", "shutdown", "left"]


@pytest.mark.parametrize("shutdown", ["return", "complete then return"])
async def test_a_shutdown_may_end_by_returning(shutdown: str) -> None:
    """Returning without shutdown.complete is as good."""
    async with serving(Lifespan(shutdown=shutdown), lifespan="on") as server:
        pass
    assert server.events.of("lifespan_failed") == []


async def test_a_lifespan_may_end_while_serving() -> None:
    """startup.complete and gone: the application needs no shutdown."""
    app = Lifespan("complete then return")
    async with serving(app, lifespan="on") as server, server.client() as client:
        assert (await client.ask()).body == b"served"
    assert app.log == ["startup", "left"]
    assert server.events.of("lifespan_failed") == []


@pytest.mark.parametrize(
    ("messages", "words"),
    [
        (["lifespan.startup.complete", "lifespan.startup.complete"], "twice or out of order"),
        (["lifespan.shutdown.complete"], "twice or out of order"),
        (["http.response.start"], "expected lifespan.startup."),
        (["lifespan.startup"], "expected lifespan.startup."),
    ],
)
async def test_messages_of_a_wrong_type_or_order_raise(messages: list[str], words: str) -> None:
    """The error names what was expected."""
    errors: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        for message in messages:
            try:
                await send({"type": message})
            except Exception as error:
                errors.append(str(error))
        if messages[0] != "lifespan.startup.complete":
            await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.complete"})

    async with serving(app, lifespan="on"):
        pass
    assert len(errors) == 1
    assert words in errors[0]


async def test_an_urgent_stop_does_not_wait_for_the_shutdown() -> None:
    """Second INT at once: whatever the application's shutdown waits for."""
    app = Lifespan(shutdown="hang")
    async with serving(app, lifespan="on") as server:
        stopping = asyncio.ensure_future(server.server.stop())
        while "shutdown" not in app.log:
            await asyncio.sleep(0)
        server.server.ask_to_stop("INT")
        server.server.ask_to_stop("INT")
        await stopping
    assert app.log[-1] == "left"
