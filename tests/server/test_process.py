"""The server as a process of its own: exit statuses, signals, PID file, lines at the start."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

APPS = """
import asyncio, os, sys

async def app(scope, receive, send):
    assert scope["type"] == "http"
    if scope["path"] == "/wait":
        await asyncio.Event().wait()
    if scope["path"] == "/block":
        await asyncio.to_thread(__import__("time").sleep, 3600)
    while scope["path"] == "/deaf":
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            pass
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"hello"})

async def failing(scope, receive, send):
    await receive()
    await send({"type": "lifespan.startup.failed", "message": "no database"})

async def exiting(scope, receive, send):
    sys.exit(7)

async def slow(scope, receive, send):
    await receive()
    print("starting up", file=sys.stderr, flush=True)
    await asyncio.Event().wait()

async def hanging_shutdown(scope, receive, send):
    await receive()
    await send({"type": "lifespan.startup.complete"})
    await receive()
    print("shutting down", file=sys.stderr, flush=True)
    await asyncio.Event().wait()
"""


class Process:
    """A server that was started with arguments; `lines` is what it has logged so far."""

    def __init__(self, directory: Path, *arguments: str) -> None:
        (directory / "apps.py").write_text(APPS)
        command = [sys.executable, "-m", "alsvid", "--app-dir", str(directory), *arguments]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.lines: list[str] = []
        self.number = 0

    def wait_for(self, pattern: str) -> re.Match[str]:
        """Read lines until one matches."""
        assert self.process.stdout is not None
        while line := self.process.stdout.readline():
            self.lines.append(line)
            if found := re.search(pattern, line):
                return found
        pytest.fail(f"no line matches {pattern!r}: {''.join(self.lines)}")

    def port(self) -> int:
        """Wait until it serves; return the port."""
        self.number = int(self.wait_for(r"http://127\.0\.0\.1:(\d+)")[1])
        return self.number

    def end(self) -> int:
        """Read to the end; return the exit status."""
        assert self.process.stdout is not None
        killer = threading.Timer(15, self.process.kill)
        killer.start()
        self.lines += self.process.stdout.readlines()
        status = self.process.wait()
        killer.cancel()
        return status

    @property
    def text(self) -> str:
        return "".join(self.lines)


@contextlib.contextmanager
def started(directory: Path, *arguments: str) -> Iterator[Process]:
    """A server that is killed if the test leaves it running."""
    process = Process(directory, *arguments)
    try:
        yield process
    finally:
        if process.process.poll() is None:
            process.process.kill()
            process.process.wait()
        assert process.process.stdout is not None
        process.process.stdout.close()


def ask(port: int, path: str) -> socket.socket:
    """Send a request; the caller reads."""
    client = socket.create_connection(("127.0.0.1", port), 10)
    client.sendall(f"GET {path} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
    return client


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["apps:app", "--port", "x"], 2, "--port"),
        (["apps:app", "--no-such-option"], 2, "--no-such-option"),
        (["apps:app", "--ssl-certfile", "/nonexistent"], 2, "/nonexistent"),
        (["apps:app", "--loop", "nosuch:loop", "--port", "0"], 2, "nosuch"),
        (["apps:app", "--bind", "192.0.2.1:1"], 3, "192.0.2.1"),
        (["apps:failing", "--port", "0"], 3, "no database"),
        (["apps:exiting", "--port", "0"], 3, "SystemExit"),
        (["apps:slow", "--port", "0", "--timeout-lifespan-startup", "0.1"], 3, "--timeout-lifespan-startup"),
        (["apps:nothing", "--port", "0"], 4, "nothing"),
        (["nosuchmodule:app", "--port", "0"], 4, "nosuchmodule"),
    ],
)
def test_what_stops_the_start_has_a_status_of_its_own(
    tmp_path: Path, arguments: list[str], status: int, words: str
) -> None:
    """compatibility.md: 2 usage or configuration, 3 could not start, 4 application not imported."""
    with started(tmp_path, *arguments) as server:
        assert server.end() == status, server.text
        assert words in server.text


def test_a_port_in_use_is_named(tmp_path: Path) -> None:
    """Exit status 3, and the address in the log."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with started(tmp_path, "apps:app", "--port", str(port)) as server:
            assert server.end() == 3
            assert str(port) in server.text


def test_the_start_prints_what_people_and_tools_look_for(tmp_path: Path) -> None:
    """compatibility.md: address, process id, application startup complete."""
    with started(tmp_path, "apps:app", "--port", "0") as server:
        port = server.port()
        assert f"[{server.process.pid}]" in server.text
        assert re.search(r"running on http://127\.0\.0\.1:\d+ \(press CTRL\+C to quit\)", server.lines[-1])
        with ask(port, "/") as client:
            assert b"hello" in client.recv(4096)
        server.process.terminate()
        assert server.end() == 0
        assert '"GET / HTTP/1.1" 200' in server.text
        assert "Traceback" not in server.text


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGQUIT])
def test_a_signal_stops_it_with_status_0(tmp_path: Path, number: signal.Signals) -> None:
    """TERM and INT graceful, QUIT at once."""
    with started(tmp_path, "apps:app", "--port", "0") as server:
        server.port()
        server.process.send_signal(number)
        assert server.end() == 0
        assert number.name in server.text


@pytest.mark.parametrize("path", ["/wait", "/deaf", "/block"])
def test_a_second_int_ends_it_at_once(tmp_path: Path, path: str) -> None:
    """Whatever requests, deaf tasks or threads are still doing."""
    with (
        started(tmp_path, "apps:app", "--port", "0", "--loop", "asyncio") as server,
        ask(server.port(), path),
    ):
        with ask(server.number, "/") as other:
            assert other.recv(4096)  # the first one has been taken by now
        server.process.send_signal(signal.SIGINT)
        server.wait_for("Stopping")
        server.process.send_signal(signal.SIGINT)
        assert server.end() == 0
        assert f"GET {path}" in server.text


def test_the_end_of_the_grace_ends_it_although_the_application_is_deaf(tmp_path: Path) -> None:
    """--graceful-timeout is kept; the log names the request."""
    arguments = ("apps:app", "--port", "0", "--graceful-timeout", "0.2")
    with started(tmp_path, *arguments) as server, ask(server.port(), "/deaf") as client:
        with ask(server.number, "/") as other:
            assert other.recv(4096)
        server.process.terminate()
        assert server.end() == 0
        assert "--graceful-timeout" in server.text
        assert "GET /deaf" in server.text
        client.settimeout(5)
        with contextlib.suppress(ConnectionError):
            client.recv(4096)


@pytest.mark.parametrize(("app", "line"), [("slow", "starting up"), ("hanging_shutdown", "shutting down")])
def test_a_lifespan_that_hangs_does_not_keep_the_process(tmp_path: Path, app: str, line: str) -> None:
    """A signal in the start-up ends it; in the shutdown the second one does."""
    with started(tmp_path, f"apps:{app}", "--port", "0") as server:
        if app == "hanging_shutdown":
            server.port()
            server.process.send_signal(signal.SIGINT)
        server.wait_for(line)
        server.process.send_signal(signal.SIGINT)
        assert server.end() == 0, server.text


def test_hup_does_not_end_it(tmp_path: Path) -> None:
    """One process cannot replace itself: a line in the log, and it serves on."""
    with started(tmp_path, "apps:app", "--port", "0") as server:
        port = server.port()
        server.process.send_signal(signal.SIGHUP)
        server.wait_for("SIGHUP")
        with ask(port, "/") as client:
            assert b"hello" in client.recv(4096)
        server.process.terminate()
        assert server.end() == 0


def test_usr1_opens_the_log_files_anew(tmp_path: Path) -> None:
    """Log rotation: mv, then USR1."""
    log = tmp_path / "access.log"
    with started(tmp_path, "apps:app", "--port", "0", "--access-logfile", str(log)) as server:
        port = server.port()
        with ask(port, "/first") as client:
            client.recv(4096)
        log.rename(tmp_path / "old.log")
        server.process.send_signal(signal.SIGUSR1)
        with ask(port, "/second") as client:
            client.recv(4096)
        server.process.terminate()
        assert server.end() == 0
    assert "/first" in (tmp_path / "old.log").read_text()
    assert "/second" in log.read_text()


def test_the_pid_file_is_there_while_it_serves(tmp_path: Path) -> None:
    """-p: written before the application serves, removed at the end, refused while its process lives."""
    path = tmp_path / "pid"
    with started(tmp_path, "apps:app", "--port", "0", "--pid", str(path)) as server:
        server.port()
        assert int(path.read_text()) == server.process.pid
        with started(tmp_path, "apps:app", "--port", "0", "--pid", str(path)) as second:
            assert second.end() == 3
            assert str(server.process.pid) in second.text
        server.process.terminate()
        assert server.end() == 0
        assert not path.exists()
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    path.write_text(f"{dead.pid}\n")
    with started(tmp_path, "apps:app", "--port", "0", "--pid", str(path)) as server:
        server.port()
        assert int(path.read_text()) == server.process.pid
        server.process.terminate()
        assert server.end() == 0
    assert [name for name in os.listdir(tmp_path) if name.startswith(".pid")] == []
