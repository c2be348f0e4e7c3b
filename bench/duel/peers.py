"""The servers: what each can do, and the command that starts it.

Every server runs with its own defaults except for what would make the comparison unfair or the load
impossible: uvloop, one worker, an idle timeout of 75 s, a backlog of 4,096, and limits above the load.
"""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bench.duel import nginx
from bench.duel.model import REFERENCE, Capability, Protocol

ROOT = Path(__file__).resolve().parents[2]
BACKLOG = "4096"
KEEP_ALIVE_S = "75"
CONNECTIONS = "20000"
HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Launch:
    """One start of a server. `access_log` is None when nothing is to be logged."""

    python: str
    app: str
    port: int
    folder: Path
    certificate: Path
    key: Path
    access_log: Path | None = None
    is_encrypted: bool = False
    protocol: Protocol = Protocol.HTTP1
    workers: int = 1
    interface: str = "asgi"
    deflate: bool = False


Command = Callable[[Launch], list[str]]


@dataclass(frozen=True, slots=True)
class Peer:
    """A server under test.

    `environment` names the requirement file and the folder under bench/.peers; None needs no Python.
    `logs_to_stdout`: its access log is what it prints.
    """

    name: str
    title: str
    environment: str | None
    distribution: str
    command: Command
    capabilities: frozenset[Capability]
    logs_to_stdout: bool = False


def alsvid_command(launch: Launch) -> list[str]:
    argv = [launch.python, "-m", "alsvid", launch.app, "--host", HOST, "--port", str(launch.port)]
    argv += ["--loop", "uvloop", "--backlog", BACKLOG, "--keep-alive", KEEP_ALIVE_S]
    if launch.access_log is None:
        argv += ["--no-access-log"]
    else:
        argv += ["--access-log", "--access-logfile", str(launch.access_log)]
    if launch.is_encrypted:
        argv += ["--ssl-certfile", str(launch.certificate), "--ssl-keyfile", str(launch.key)]
    if launch.protocol is Protocol.H2C:
        argv += ["--http2-cleartext"]
    if launch.workers > 1:
        argv += ["--workers", str(launch.workers)]
    if launch.interface == "wsgi":
        argv += ["--interface", "wsgi"]
    return argv


def uvicorn_command(parser: str) -> Command:
    def command(launch: Launch) -> list[str]:
        argv = [launch.python, "-m", "uvicorn", launch.app, "--host", HOST, "--port", str(launch.port)]
        argv += ["--loop", "uvloop", "--http", parser, "--backlog", BACKLOG]
        argv += ["--timeout-keep-alive", KEEP_ALIVE_S, "--workers", str(launch.workers)]
        if launch.access_log is None:
            argv += ["--no-access-log"]
        if launch.is_encrypted:
            argv += ["--ssl-certfile", str(launch.certificate), "--ssl-keyfile", str(launch.key)]
        if launch.protocol is not Protocol.HTTP1:
            argv += ["--http2"]
        if launch.interface == "wsgi":
            argv += ["--interface", "wsgi"]
        return argv

    return command


def granian_command(launch: Launch) -> list[str]:
    argv = [launch.python, "-m", "granian", launch.app, "--host", HOST, "--port", str(launch.port)]
    argv += ["--interface", launch.interface, "--loop", "uvloop", "--workers", str(launch.workers)]
    argv += ["--http", "1" if launch.protocol is Protocol.HTTP1 else "2"]
    argv += ["--backlog", BACKLOG, "--backpressure", CONNECTIONS]
    if launch.access_log is not None:
        argv += ["--access-log"]
    if launch.is_encrypted:
        argv += ["--ssl-certificate", str(launch.certificate), "--ssl-keyfile", str(launch.key)]
    return argv


def gunicorn_command(launch: Launch) -> list[str]:
    worker = "asgi" if launch.interface == "asgi" else "sync"
    argv = [launch.python, "-m", "gunicorn", launch.app, "-b", f"{HOST}:{launch.port}", "-k", worker]
    argv += ["-w", str(launch.workers), "--http-parser", "fast", "--backlog", BACKLOG]
    argv += ["--keep-alive", KEEP_ALIVE_S, "--worker-connections", CONNECTIONS]
    if worker == "asgi":
        argv += ["--asgi-loop", "uvloop"]
    if launch.access_log is not None:
        argv += ["--access-logfile", str(launch.access_log)]
    if launch.is_encrypted:
        argv += ["--certfile", str(launch.certificate), "--keyfile", str(launch.key)]
    if launch.protocol is Protocol.H2:
        argv += ["--http-protocols", "h2,h1"]
    elif launch.protocol is Protocol.H2C:
        argv += ["--http-protocols", "h2,h1", "--http2-cleartext", "prior-knowledge"]
    return argv


def hypercorn_command(launch: Launch) -> list[str]:
    app = launch.app if launch.interface == "asgi" else f"wsgi:{launch.app}"
    argv = [launch.python, "-m", "hypercorn", app, "-b", f"{HOST}:{launch.port}", "-k", "uvloop"]
    argv += ["-w", str(launch.workers), "--backlog", BACKLOG, "--keep-alive", KEEP_ALIVE_S]
    if launch.access_log is not None:
        argv += ["--access-logfile", str(launch.access_log)]
    if launch.is_encrypted:
        argv += ["--certfile", str(launch.certificate), "--keyfile", str(launch.key)]
    return argv


def fastpysgi_command(launch: Launch) -> list[str]:
    launcher = Path(__file__).with_name("launch_fastpysgi.py")
    argv = [launch.python, str(launcher), launch.app, str(launch.port), str(launch.workers)]
    if launch.is_encrypted:
        argv += [str(launch.certificate), str(launch.key)]
    return argv


def socketify_command(launch: Launch) -> list[str]:
    argv = [launch.python, "-m", "socketify", launch.app, "--host", HOST, "--port", str(launch.port)]
    argv += ["--interface", launch.interface, "--workers", str(launch.workers)]
    argv += ["--ws-per-message-deflate", str(launch.deflate)]
    if launch.is_encrypted:
        argv += ["--ssl-certfile", str(launch.certificate), "--ssl-keyfile", str(launch.key)]
    return argv


ALL = frozenset(Capability)
C = Capability


def catalogue() -> dict[str, Peer]:
    """Every server by name, Alsvid first and the control last."""
    full = ALL - {C.H2, C.H2C}
    peers = [
        Peer("alsvid", "Alsvid", "alsvid", "alsvid", alsvid_command, ALL),
        Peer(
            "uvicorn", "Uvicorn (httptools)", "uvicorn", "uvicorn", uvicorn_command("httptools"), full, True
        ),
        Peer("uvicorn-zttp", "Uvicorn (zttp)", "uvicorn", "uvicorn", uvicorn_command("zttp"), ALL, True),
        Peer("granian", "Granian", "granian", "granian", granian_command, ALL - {C.DEFLATE}, True),
        Peer("gunicorn", "Gunicorn (asgi)", "gunicorn", "gunicorn", gunicorn_command, ALL - {C.DEFLATE}),
        Peer("hypercorn", "Hypercorn", "hypercorn", "hypercorn", hypercorn_command, ALL),
        Peer(
            "fastpysgi",
            "FastPySGI",
            "fastpysgi",
            "fastpysgi",
            fastpysgi_command,
            full - {C.ACCESS_LOG, C.WEBSOCKET, C.DEFLATE},
        ),
        Peer("socketify", "socketify", "socketify", "socketify", socketify_command, full - {C.ACCESS_LOG}),
        Peer(
            "nginx",
            "nginx (control)",
            None,
            "",
            nginx.command,
            frozenset({C.SIZED, C.ACCESS_LOG, C.TLS, C.H2, C.H2C, C.WORKERS, C.IDLE}),
        ),
    ]
    return {peer.name: peer for peer in peers}


# The option in `alsvid --help` that shows that a capability has landed; the others are there from the start.
ALSVID_OPTIONS = {
    C.ACCESS_LOG: "--access-logfile",
    C.TLS: "--ssl-certfile",
    C.H2: "--http2",
    C.H2C: "--http2-cleartext",
    C.WEBSOCKET: "--ws-max-size",
    C.DEFLATE: "--ws-per-message-deflate",
    C.WSGI: "--interface",
    C.WORKERS: "--workers",
}


def python_path(peer: Peer) -> str:
    """The applications for everybody; the work tree's own server for ourselves, installed or not."""
    return f"{ROOT}:{ROOT / 'src'}" if peer.name == REFERENCE else str(ROOT)


def probe_alsvid(python: str) -> frozenset[Capability]:
    """The capabilities of the Alsvid that this interpreter imports; empty if there is none."""
    environ = dict(os.environ, PYTHONPATH=str(ROOT / "src"))
    answer = subprocess.run(
        [python, "-m", "alsvid", "--help"],
        capture_output=True,
        text=True,
        env=environ,
        timeout=30,
        check=False,
    )
    if answer.returncode != 0:
        return frozenset()
    missing = {
        capability
        for capability, option in ALSVID_OPTIONS.items()
        if not re.search(re.escape(option) + r"(?![\w-])", answer.stdout)
    }
    # `--interface` alone does not tell: the choice must be offered.
    if not re.search(r"\bwsgi\b", answer.stdout):
        missing.add(C.WSGI)
    return ALL - missing


def version_of(peer: Peer, python: str) -> str:
    """The installed version, as a result file records it."""
    if peer.environment is None:
        return nginx.version()
    code = f"import importlib.metadata as m; print(m.version({peer.distribution!r}))"
    if peer.name == REFERENCE:
        # With the build that is measured: a pure one must not pass for the other.
        code = "import alsvid, alsvid.protocol.http1.head as h; b = h.__file__.endswith('.py')\n"
        code += "print(alsvid.__version__, 'pure Python' if b else 'compiled')"
    environ = dict(os.environ, PYTHONPATH=python_path(peer))
    answer = subprocess.run([python, "-c", code], capture_output=True, text=True, env=environ, check=False)
    if answer.returncode != 0:
        print(f"duel: {peer.name} is not installed in its environment", file=sys.stderr)
        return "?"
    return answer.stdout.strip()
