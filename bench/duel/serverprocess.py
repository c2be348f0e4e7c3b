"""One running server: started in its own session on its own core, waited for, measured, stopped."""

import contextlib
import os
import signal
import socket
import subprocess
import time
from dataclasses import dataclass, replace
from pathlib import Path

from bench.duel.fixtures import Fixtures
from bench.duel.model import Workload
from bench.duel.peers import HOST, ROOT, Launch, Peer, python_path

START_TIMEOUT_S = 20.0
STOP_TIMEOUT_S = 4.0


class ServerError(Exception):
    """The server did not start or went away; the text holds the end of what it printed."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


@dataclass(slots=True)
class RunningServer:
    """The handle of a server. The session id finds every process that belongs to it."""

    peer: Peer
    port: int
    process: subprocess.Popen[bytes]
    output: Path
    access_log: Path | None
    started: float
    command: list[str]

    @property
    def session_id(self) -> int:
        return self.process.pid

    def last_words(self) -> str:
        lines = self.output.read_text(errors="replace").strip().splitlines()
        return lines[-1][-200:] if lines else "it printed nothing"

    def wait_until_listening(self) -> float:
        """Return the seconds from the start of the process to the first accepted connection."""
        deadline = self.started + START_TIMEOUT_S
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise ServerError(f"ended with status {self.process.returncode}: {self.last_words()}")
            with contextlib.suppress(OSError), socket.create_connection((HOST, self.port), timeout=1):
                return time.monotonic() - self.started
            time.sleep(0.002)
        raise ServerError(f"does not listen after {START_TIMEOUT_S:.0f} s: {self.last_words()}")

    def stop(self) -> None:
        """SIGTERM to the whole group, SIGKILL to what is left."""
        for number, patience in ((signal.SIGTERM, STOP_TIMEOUT_S), (signal.SIGKILL, STOP_TIMEOUT_S)):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.session_id, number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(patience)
                break
        # Workers whose parent ended first.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.session_id, signal.SIGKILL)
        self.output.unlink(missing_ok=True)
        if self.access_log is not None:
            self.access_log.unlink(missing_ok=True)


def start_server(peer: Peer, python: str, workload: Workload, fixtures: Fixtures, core: int) -> RunningServer:
    """Start `peer` with the application of `workload`, all its threads on `core`."""
    port = free_port()
    output = fixtures.folder / f"{peer.name}-{port}.out"
    launch = Launch(
        python=python,
        app=f"{workload.app}:app" if "." in workload.app else f"bench.apps.{workload.app}:app",
        port=port,
        folder=fixtures.folder,
        certificate=fixtures.certificate,
        key=fixtures.key,
        is_encrypted=workload.is_encrypted,
        protocol=workload.protocol,
        workers=workload.workers,
        interface=workload.interface,
        deflate=workload.deflate,
    )
    access_log = None
    if workload.access_log:
        access_log = output if peer.logs_to_stdout else fixtures.folder / f"{peer.name}-{port}.access"
        launch = replace(launch, access_log=access_log)
    argv = ["taskset", "-c", str(core), *peer.command(launch)]
    environ = {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(fixtures.folder),
        "LANG": "C.UTF-8",
        "PYTHONPATH": python_path(peer),
        "BENCH_FILES": str(fixtures.files),
    }
    with output.open("wb") as file:
        started = time.monotonic()
        process = subprocess.Popen(
            argv,
            cwd=ROOT,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    return RunningServer(peer, port, process, output, access_log, started, argv)
