"""Servers as processes of their own, started through the command line, for the tests of this folder.

Owns the waiting: for the line that says where the server runs, for any other line, for the end. Nothing here
sleeps or chooses a port: `--port 0` takes a free one, and the log says which.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO

import alsvid

ROOT = Path(__file__).resolve().parents[2]
SOURCE = Path(alsvid.__file__).resolve().parents[1]
WAIT_S = 20.0

_RUNNING = re.compile(r"running on (.+) \(press")


def environment(**variables: str) -> dict[str, str]:
    """Return this process's environment without settings of its own, but with its build."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("ALSVID_", "PORT"))}
    if "ALSVID_PURE" in os.environ:
        kept["ALSVID_PURE"] = os.environ["ALSVID_PURE"]
    return {**kept, "PYTHONPATH": str(SOURCE), **variables}


class ServerProcess:
    """A running server: `urls`, what it has written, and how it ended."""

    def __init__(
        self,
        arguments: Sequence[str],
        *,
        variables: dict[str, str] | None = None,
        cwd: Path = ROOT,
        program: Sequence[str] = (sys.executable, "-m", "alsvid"),
        descriptors: Sequence[int] = (),
    ) -> None:
        self.process = subprocess.Popen(
            [*program, *arguments],
            cwd=cwd,
            env=environment(**(variables or {})),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            pass_fds=descriptors,
        )
        self._lines: dict[str, list[str]] = {"log": [], "access": []}
        self._changed = threading.Condition()
        self._open = 2
        assert self.process.stderr is not None
        assert self.process.stdout is not None
        self._readers = [
            self._read(self.process.stderr, "log"),
            self._read(self.process.stdout, "access"),
        ]

    def _read(self, stream: IO[bytes], name: str) -> threading.Thread:
        def run() -> None:
            with stream:
                for line in stream:
                    with self._changed:
                        self._lines[name].append(line.decode("utf-8", "replace").rstrip("\n"))
                        self._changed.notify_all()
            with self._changed:
                self._open -= 1
                self._changed.notify_all()

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        return thread

    # --- what it says -------------------------------------------------------------------------------------

    def lines(self, name: str = "log") -> list[str]:
        """Return what was written so far: "log" is standard error, "access" standard output."""
        with self._changed:
            return list(self._lines[name])

    def wait_for(self, text: str, name: str = "log") -> str:
        """Return the first line that holds the text, once there is one."""
        return self._wait(lambda: next((line for line in self._lines[name] if text in line), None), text)

    def _wait(self, find: Callable[[], str | None], wanted: str) -> str:
        with self._changed:
            self._changed.wait_for(lambda: find() is not None or self._open == 0, WAIT_S)
            found = find()
        if found is None:
            raise AssertionError(f"{wanted!r} was not written:\n{self.transcript()}")
        return found

    def transcript(self) -> str:
        """Return what was written last, for the message of a failure."""
        log, access = self.lines()[-60:], self.lines("access")[-20:]
        return "\n".join(["--- standard error", *log, "--- standard output", *access])

    # --- where it runs ------------------------------------------------------------------------------------

    @property
    def urls(self) -> list[str]:
        """Return the addresses of the "running on" line, once it is there."""
        found = _RUNNING.search(self.wait_for("running on"))
        assert found is not None
        return found[1].split(", ")

    @property
    def url(self) -> str:
        """Return the first address, without a slash at its end."""
        return self.urls[0].rstrip("/")

    @property
    def address(self) -> tuple[str, int]:
        """Return host and port of the first address."""
        host, _, port = self.url.partition("://")[2].rpartition(":")
        return host.strip("[]"), int(port)

    # --- how it ends --------------------------------------------------------------------------------------

    def end(self, number: int = signal.SIGTERM) -> int:
        """Send a signal unless it has ended; return the exit status once all it wrote is read."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.wait()

    def wait(self) -> int:
        """Return the exit status once it has ended by itself."""
        try:
            status = self.process.wait(WAIT_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"the server did not end:\n{self.transcript()}") from None
        for reader in self._readers:
            reader.join(WAIT_S)
        return status


def run_once(*arguments: str, cwd: Path = ROOT, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run the command line to its end: for --check-config and the like."""
    return subprocess.run(
        [sys.executable, "-m", "alsvid", *arguments],
        cwd=cwd,
        env=environment(**variables),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=WAIT_S,
        check=False,
    )


# What the fixtures of this folder are: a server by its arguments, and curl's standard output by its own.
Start = Callable[..., ServerProcess]
Curl = Callable[..., str]
