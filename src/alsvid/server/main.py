"""Run a server as a process of its own: logs, loop, signals, exit status.

TERM, INT       stop gracefully; a second INT, or QUIT: stop at once
USR1            reopen the log files
HUP             nothing yet but a line in the log: one process cannot replace itself

exit status     0 stopped     1 crash     2 configuration     3 could not start     4 application not imported
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import importlib
import os
import signal
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from alsvid.errors import ApplicationImportError, ConfigError, StartupError
from alsvid.observability.logs import Logs, configure
from alsvid.observability.telemetry import Telemetry
from alsvid.server.leftovers import end_leftovers
from alsvid.server.process import become_user, pid_file, raise_descriptor_limit, set_umask
from alsvid.server.server import Server

if TYPE_CHECKING:
    from alsvid.config.settings import Settings

LoopFactory = Callable[[], asyncio.AbstractEventLoop]

# Requests leave no garbage cycles of ours, but each makes some 30 objects that the collector counts: at
# Python's own threshold it runs every 20 requests or so and finds nothing. An application that has chosen a
# higher one keeps it.
_GC_THRESHOLD = 10_000
_DEFAULT_GC_THRESHOLD = 2_000

# How long tasks and threads that an application left behind may take to end.
_LEFTOVERS_S = 1.0

# uvloop before 0.23 can hand one connection's octets to another.
_LEAST_UVLOOP = (0, 23)


def run_settings(settings: Settings, *, owns_process: bool = True) -> int:
    """Serve until a signal says stop; return the exit status. Errors at the start are logged, not raised.

    When an application that was cut leaves threads that block, a process that is ours ends without them;
    with `owns_process` False this returns, and they go on.
    """
    settings.apply_to_process()
    set_umask(settings.process)
    raise_descriptor_limit()
    logs = configure(settings.log)
    telemetry = Telemetry()
    logs.subscribe(telemetry)
    is_stuck = False
    try:
        is_stuck = _run(settings, telemetry, logs)
        return 0
    except ConfigError as error:
        telemetry.emit("error", message=str(error), exception=None)
        return 2
    except ApplicationImportError as error:
        telemetry.emit("error", message=str(error), exception=error.__cause__)
        return 4
    except StartupError as error:
        telemetry.emit("error", message=str(error), exception=error.__cause__)
        return 3
    except KeyboardInterrupt:
        return 0
    except Exception as error:
        telemetry.emit("internal_error", where="in the server's main task", exception=error)
        return 1
    finally:
        logs.close()
        if is_stuck and owns_process:
            with contextlib.suppress(OSError, ValueError):
                sys.stdout.flush()
            os._exit(0)


def _run(settings: Settings, telemetry: Telemetry, logs: Logs) -> bool:
    """Serve until the stop; True when tasks or threads are left that the process cannot wait for."""
    server = Server(settings, telemetry)
    server.open()
    try:
        with pid_file(settings.process):
            become_user(settings.process)
            server.load()
            factory = loop_factory(settings.process.loop, telemetry)
            runner = asyncio.Runner(loop_factory=factory)
            is_stuck = False
            try:
                is_stuck = runner.run(_serve(server, telemetry, logs))
            finally:
                if not is_stuck:
                    runner.close()
    finally:
        for listener in server.listeners:
            listener.close()
    return is_stuck


async def _serve(server: Server, telemetry: Telemetry, logs: Logs) -> bool:
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(_exception_handler(server, telemetry))
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT):
        loop.add_signal_handler(number, _stop_by, server, number)
    loop.add_signal_handler(signal.SIGUSR1, logs.reopen)
    loop.add_signal_handler(signal.SIGHUP, _refuse_reload, telemetry)
    server.every_tick.append(logs.flush)
    starting = asyncio.ensure_future(server.start())
    stopping = asyncio.ensure_future(server.stop_asked())
    await asyncio.wait([starting, stopping], return_when=asyncio.FIRST_COMPLETED)
    if not starting.done():  # a signal while the application is starting up
        starting.cancel()
        await asyncio.wait([starting])
        return await _has_leftovers(telemetry)
    if starting.exception() is not None:
        stopping.cancel()
        await starting
    # What was loaded until now stays: the collector need not look at it again (nor write to its pages).
    gc.collect()
    gc.freeze()
    if gc.get_threshold()[0] <= _DEFAULT_GC_THRESHOLD:
        gc.set_threshold(_GC_THRESHOLD, *gc.get_threshold()[1:])
    await stopping
    return not await server.stop() and await _has_leftovers(telemetry)


async def _has_leftovers(telemetry: Telemetry) -> bool:
    names = await end_leftovers(_LEFTOVERS_S)
    if names:
        telemetry.emit("warning", message=f"the process ends without waiting for {', '.join(names[:10])}")
    return bool(names)


def _stop_by(server: Server, number: signal.Signals) -> None:
    server.ask_to_stop(number.name, at_once=number == signal.SIGQUIT)


def _refuse_reload(telemetry: Telemetry) -> None:
    telemetry.emit(
        "warning", message="SIGHUP is ignored: a single process cannot replace itself; restart it instead"
    )


def _exception_handler(
    server: Server, telemetry: Telemetry
) -> Callable[[asyncio.AbstractEventLoop, dict[str, Any]], None]:
    def handle(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        if not server.handle_loop_error(context):
            telemetry.emit(
                "loop_error", message=context.get("message", "-"), exception=context.get("exception")
            )

    return handle


def loop_factory(choice: str, telemetry: Telemetry) -> LoopFactory:
    """Return what makes the event loop that --loop names. Raises ConfigError."""
    if choice == "asyncio":
        return asyncio.new_event_loop
    if choice in ("auto", "uvloop"):
        try:
            import uvloop
        except ImportError:
            if choice == "uvloop":
                raise ConfigError(
                    "--loop uvloop: uvloop is not installed (pip install 'alsvid[standard]')"
                ) from None
            return asyncio.new_event_loop
        version = str(getattr(uvloop, "__version__", "0.0"))
        if tuple(int(part) for part in version.split(".")[:2]) < _LEAST_UVLOOP:
            text = f"uvloop {version} can mix up connections; 0.23 or newer is needed"
            if choice == "uvloop":
                raise ConfigError(f"--loop uvloop: {text}")
            telemetry.emit("warning", message=f"{text}: asyncio's own loop is used")
            return asyncio.new_event_loop
        return uvloop.new_event_loop
    module, _, attribute = choice.partition(":")
    try:
        factory: Any = importlib.import_module(module)
        for part in attribute.split("."):
            factory = getattr(factory, part)
    except (ImportError, AttributeError) as error:
        raise ConfigError(f"--loop {choice}: {error}") from error
    if not callable(factory):
        raise ConfigError(f"--loop {choice}: it is not callable")
    return factory  # type: ignore[no-any-return]
