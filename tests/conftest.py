"""Runs tests that are coroutine functions: each in every event loop, and nothing may be left behind.

A test is given 10 s; tasks that are left, or errors that the loop was told of, make it fail.
"""

from __future__ import annotations

import asyncio
import gc
import inspect
from collections.abc import Callable
from typing import Any

import pytest

_LONGEST_S = 10.0


def _loops() -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    loops: dict[str, Callable[[], asyncio.AbstractEventLoop]] = {"asyncio": asyncio.new_event_loop}
    try:
        import uvloop
    except ImportError:
        return loops
    return loops | {"uvloop": uvloop.new_event_loop}


LOOPS = _loops()


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers", "one_loop: the event loop makes no difference; asyncio's own is enough"
    )
    config.addinivalue_line("markers", "loop_errors: the event loop is told of errors on purpose")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if inspect.iscoroutinefunction(metafunc.function):
        names = ["asyncio"] if metafunc.definition.get_closest_marker("one_loop") else list(LOOPS)
        metafunc.fixturenames.append("event_loop_name")
        metafunc.parametrize("event_loop_name", names)


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    arguments = {name: pyfuncitem.funcargs[name] for name in pyfuncitem._fixtureinfo.argnames}
    errors: list[dict[str, Any]] = []
    with asyncio.Runner(loop_factory=LOOPS[pyfuncitem.callspec.params["event_loop_name"]]) as runner:
        runner.get_loop().set_exception_handler(lambda _, context: errors.append(context))
        longest_s = None if pyfuncitem.get_closest_marker("soak") else _LONGEST_S
        runner.run(_supervised(pyfuncitem.obj, arguments, longest_s))
    gc.collect()  # what tells of unretrieved exceptions does so when it is collected
    if not pyfuncitem.get_closest_marker("loop_errors"):
        assert errors == []
    return True


async def _supervised(test: Callable[..., Any], arguments: dict[str, Any], longest_s: float | None) -> None:
    async with asyncio.timeout(longest_s):
        await test(**arguments)
    for _ in range(5):  # cancelled tasks need a turn to end
        await asyncio.sleep(0)
    left = asyncio.all_tasks() - {asyncio.current_task()}
    assert not left, f"tasks are left: {left}"
