"""The programming interface: run() of a script, serve() inside a loop, Server in a loop of one's own."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest
from processes import ROOT, WAIT_S, Start, environment

import alsvid
from alsvid.errors import ConfigError, StartupError
from examples.hello import app as hello

SCRIPT = """
import sys
import alsvid
from examples.hello import app

if __name__ == "__main__":
    sys.exit(alsvid.run({app}, host="127.0.0.1", port=0, headers=["x-from: script"]))
"""


@pytest.mark.parametrize("app", ["app", '"examples.hello:app"'])
def test_a_script_serves_by_run(start: Start, tmp_path: Path, app: str) -> None:
    """alsvid.run(app, **settings): an object or its name; TERM ends it, and the status is returned."""
    script = tmp_path / "script.py"
    script.write_text(f"import sys\nsys.path.insert(0, {str(ROOT)!r})\n" + SCRIPT.format(app=app))
    server = start(program=[sys.executable, str(script)])
    answer = httpx.get(server.url, trust_env=False)
    assert (answer.text, answer.headers["x-from"]) == ("Hello, World!", "script")
    assert server.end() == 0


def test_run_tells_all_that_is_wrong() -> None:
    """A wrong setting is a ConfigError that names it; nothing is served."""
    with pytest.raises(ConfigError, match="port"):
        alsvid.run(hello, port="many")


async def test_serve_is_ready_when_entered_and_drained_when_left() -> None:
    """async with alsvid.serve(app): a free port, the address in `url`; afterwards nobody listens."""

    async with alsvid.serve(hello) as server, httpx.AsyncClient(trust_env=False) as client:
        assert server.url.startswith("http://127.0.0.1:")
        answers = await asyncio.gather(*[client.get(server.url) for _ in range(10)])
        assert {answer.text for answer in answers} == {"Hello, World!"}
    async with httpx.AsyncClient(trust_env=False) as client:
        with pytest.raises(httpx.ConnectError):
            await client.get(server.url)


async def test_two_servers_live_in_one_loop() -> None:
    """No state is shared between servers of a process."""

    async def other(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    async with (
        alsvid.serve(hello) as first,
        alsvid.serve(other, lifespan="off") as second,
        httpx.AsyncClient(trust_env=False) as client,
    ):
        assert (await client.get(first.url)).status_code == 200
        assert (await client.get(second.url)).status_code == 204


async def test_lifespan_state_and_order_hold_in_process() -> None:
    """Start-up before the block, shutdown after it; what start-up left is in each request's scope."""
    events: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await receive()
            scope["state"]["word"] = "kept"
            events.append("startup")
            await send({"type": "lifespan.startup.complete"})
            await receive()
            events.append("shutdown")
            await send({"type": "lifespan.shutdown.complete"})
            return
        events.append(scope["state"]["word"])
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    async with alsvid.serve(app) as server, httpx.AsyncClient(trust_env=False) as client:
        await client.get(server.url)
    assert events == ["startup", "kept", "shutdown"]


async def test_a_start_that_fails_leaves_nothing_open() -> None:
    """An application whose start-up fails: StartupError where the block would have been entered."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "lifespan.startup.failed", "message": "no database"})

    with pytest.raises(StartupError, match="no database"):
        async with alsvid.serve(app):
            pass


async def test_a_server_of_ones_own_is_stopped_by_a_call() -> None:
    """Server(Settings(...)).serve() runs until ask_to_stop()."""

    server = alsvid.Server(alsvid.Settings(hello, port=0))
    await server.start()
    async with httpx.AsyncClient(trust_env=False) as client:
        assert (await client.get(server.url)).status_code == 200
    server.ask_to_stop()
    await server.stop_asked()
    assert await server.stop()


def python(*arguments: str) -> str:
    """Run Python to its end; what it wrote."""
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env=environment(),
        capture_output=True,
        text=True,
        check=True,
        timeout=WAIT_S,
    )
    return done.stdout


def test_the_embedded_example_runs() -> None:
    """python -m examples.embedded serves, fetches and ends."""
    assert python("-m", "examples.embedded").endswith("fetched Hello, World!\n")


def test_importing_the_package_does_not_load_the_server() -> None:
    """`import alsvid` is cheap: applications and their tests import it."""
    assert python("-c", "import alsvid, sys; print('asyncio' in sys.modules)") == "False\n"
