"""WebSocket load: the client runs in its own environment (picows), on the client's core."""

import json
import subprocess
from pathlib import Path

from bench.duel.environments import python_of
from bench.duel.load import LoadError, LoadReport, run_bounded
from bench.duel.model import Workload
from bench.duel.peers import HOST
from bench.duel.verify import VerificationError

CLIENT = Path(__file__).with_name("clients") / "websocket_load.py"


def client_command(workload: Workload, port: int, seconds: float) -> list[str]:
    argv = [python_of("client"), str(CLIENT), f"ws://{HOST}:{port}{workload.path}"]
    argv += ["--connections", str(workload.connections), "--octets", str(workload.message_octets)]
    argv += ["--seconds", str(seconds)]
    if workload.deflate:
        argv.append("--deflate")
    if workload.path == "/broadcast":
        argv.append("--broadcast")
    return argv


def verify_websocket(workload: Workload, port: int) -> None:
    """A few messages of every kind there and back, compared octet by octet."""
    argv = [*client_command(workload, port, 1), "--verify"]
    try:
        answer = subprocess.run(argv, capture_output=True, text=True, timeout=30, check=False)
    except subprocess.TimeoutExpired as error:
        raise VerificationError("the WebSocket check got no answer") from error
    if answer.returncode != 0:
        lines = (answer.stderr or answer.stdout).strip().splitlines()
        raise VerificationError(lines[-1][-200:] if lines else f"status {answer.returncode}")


def run_websocket(workload: Workload, port: int, seconds: float, core: int) -> LoadReport:
    argv = ["taskset", "-c", str(core), *client_command(workload, port, seconds)]
    text = run_bounded(argv, seconds)
    try:
        facts = json.loads(text)
    except ValueError as error:
        raise LoadError("the WebSocket client printed no summary: " + text[-200:]) from error
    return LoadReport(
        facts["messages"], facts["seconds"], facts["errors"], facts.get("p50_us"), facts.get("p99_us")
    )
