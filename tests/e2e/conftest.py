"""Servers of the end-to-end tests: one for a test (`start`), or one for a module (`module_server`)."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from processes import WAIT_S, Curl, ServerProcess, Start


def _ended(server: ServerProcess) -> None:
    # Whatever a test did to it, a server ends cleanly when it is asked to.
    status = server.end()
    assert status == 0, f"exit status {status}\n{server.transcript()}"


@pytest.fixture
def start() -> Iterator[Start]:
    """Start servers by their arguments; those that still run are asked to stop and must exit with 0."""
    running: list[ServerProcess] = []

    def start(*arguments: str, **options: Any) -> ServerProcess:
        server = ServerProcess(arguments, **options)
        running.append(server)
        return server

    yield start
    for server in running:
        if server.process.poll() is None:
            _ended(server)
        else:
            server.wait()


@pytest.fixture(scope="module")
def module_server(request: pytest.FixtureRequest) -> Iterator[ServerProcess]:
    """One server for the tests of a module, which names its arguments in SERVER."""
    server = ServerProcess([*request.module.SERVER, "--port", "0"])
    assert server.url
    yield server
    _ended(server)


@pytest.fixture
def client(module_server: ServerProcess) -> Iterator[httpx.Client]:
    """A client of the module's server."""
    with httpx.Client(base_url=module_server.url, timeout=WAIT_S, trust_env=False) as client:
        yield client


@pytest.fixture(scope="session")
def curl() -> Curl:
    """Run curl; what it wrote to standard output."""
    program = shutil.which("curl")
    if program is None:
        pytest.skip("curl is not installed")

    def run(*arguments: str) -> str:
        done = subprocess.run(
            [program, "--silent", "--show-error", "--max-time", "20", "--noproxy", "*", *arguments],
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.decode()

    return run
