"""`python -m bench.locust`: run the stairs against each kind of worker, write CSV and plot."""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

from bench.duel.cli import cores_of
from bench.duel.environments import SetupError, describe, ensure, find_interpreter, python_of
from bench.duel.fixtures import Fixtures, make_certificate
from bench.duel.model import REFERENCE, Capability, Workload
from bench.duel.peers import HOST, Peer, catalogue, probe_alsvid
from bench.duel.serverprocess import ServerError
from bench.duel.session import Session
from bench.locust.history import Step, read_history, read_steps, write_steps
from bench.locust.plot import render

FOLDER = Path(__file__).parent
RESULTS = FOLDER / "results"
WORKLOADS = {
    "asgi": Workload("asgi", "awaits one second", app="bench.locust.asgi_second"),
    "wsgi": Workload("wsgi", "sleeps one second", app="bench.locust.wsgi_second", interface="wsgi"),
}
GRACE_S = 90


def parser() -> argparse.ArgumentParser:
    text = argparse.ArgumentParser(prog="python -m bench.locust", description="See bench/locust/README.md.")
    text.add_argument("--server", default=REFERENCE, help="a server of the duel (default: alsvid)")
    text.add_argument("--kinds", default="asgi,wsgi", help="which applications (default: asgi,wsgi)")
    text.add_argument("--steps", default="10,50,100,200,400,700,1000", help="numbers of users, rising")
    text.add_argument("--step-seconds", type=float, default=15.0)
    text.add_argument("--cores", default="0,1", help="core of the server, core of Locust")
    text.add_argument("--python", help="interpreter of the environments")
    text.add_argument("--alsvid-python", help="an interpreter that has Alsvid, in place of its environment")
    text.add_argument("--results", type=Path, default=RESULTS)
    text.add_argument("--plot", action="store_true", help="only draw the CSV files that are there")
    return text


def climb(session: Session, peer: Peer, kind: str, options: argparse.Namespace) -> list[Step]:
    """Run the stairs once.

    Raises:
        SetupError: Locust failed.
    """
    with session.running(peer, WORKLOADS[kind]) as server:
        prefix = session.fixtures.folder / kind
        argv = ["taskset", "-c", str(session.client_core), python_of("locust"), "-m", "locust", "--headless"]
        argv += ["-f", str(FOLDER / "locustfile.py"), "--host", f"http://{HOST}:{server.port}"]
        argv += ["--csv", str(prefix), "--csv-full-history", "--only-summary", "--stop-timeout", "0"]
        environ = dict(os.environ, BENCH_STEPS=options.steps, BENCH_STEP_S=str(options.step_seconds))
        limit_s = options.step_seconds * len(options.steps.split(",")) + GRACE_S
        try:
            answer = subprocess.run(
                argv, env=environ, cwd=FOLDER, capture_output=True, text=True, timeout=limit_s, check=False
            )
        except subprocess.TimeoutExpired as error:
            raise SetupError("Locust did not end in time") from error
        history = prefix.with_name(f"{kind}_stats_history.csv")
        # Locust exits with 1 when a request failed, which is a result here.
        if answer.returncode not in (0, 1) or not history.exists():
            raise SetupError("Locust failed: " + answer.stderr.strip()[-300:])
        return read_history(history)


def draw(folder: Path) -> None:
    """Draw every CSV of the folder into one plot."""
    series = {path.stem: read_steps(path) for path in sorted(folder.glob("*.csv"))}
    (folder / "plot.svg").write_text(render(series))
    print(f"locust: written {os.path.relpath(folder / 'plot.svg')}")


def print_steps(name: str, steps: list[Step]) -> None:
    print(f"{name}\n  {'users':>6} {'requests/s':>11} {'failures/s':>11} {'p50 ms':>8} {'p95 ms':>8}")
    for step in steps:
        print(
            f"  {step.users:6} {step.requests_per_s:11,.1f} {step.failures_per_s:11,.1f} "
            f"{step.p50_ms:8,.0f} {step.p95_ms:8,.0f}"
        )


def can_run(peer: Peer, kind: str, options: argparse.Namespace) -> bool:
    """WSGI on our own server is pending until it is offered."""
    if peer.name != REFERENCE:
        return kind == "asgi" or Capability.WSGI in peer.capabilities
    offered = probe_alsvid(options.alsvid_python or python_of(REFERENCE))
    return bool(offered) and (kind == "asgi" or Capability.WSGI in offered)


def run(options: argparse.Namespace) -> int:
    peer = catalogue()[options.server]
    interpreter = find_interpreter(options.python)
    print(f"locust: {describe(interpreter)}")
    ensure("locust", interpreter)
    if peer.environment is not None and not (peer.name == REFERENCE and options.alsvid_python):
        ensure(peer.environment, interpreter)
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    server_core, client_core = cores_of(options)
    options.results.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="locust-") as folder:
        fixtures = Fixtures(Path(folder))
        make_certificate(fixtures)
        session = Session(fixtures, server_core, client_core, 0, 0, options.alsvid_python)
        for kind in options.kinds.split(","):
            if not can_run(peer, kind, options):
                print(f"locust: {kind} on {peer.name} is pending: the server does not offer it yet")
                continue
            steps = climb(session, peer, kind, options)
            print_steps(f"{peer.title}, {WORKLOADS[kind].title} ({kind})", steps)
            write_steps(options.results / f"{peer.name}-{kind}.csv", steps)
    draw(options.results)
    return 0


def main() -> int:
    options = parser().parse_args()
    try:
        if options.plot:
            draw(options.results)
            return 0
        return run(options)
    except (SetupError, ServerError) as error:
        print(f"locust: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
