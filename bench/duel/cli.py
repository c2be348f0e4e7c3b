"""The command line of the duel."""

import argparse
import fnmatch
import json
import os
import resource
import sys
import tempfile
from pathlib import Path
from typing import Any

from bench.duel import report
from bench.duel.document import SCHEMA, machine, revision, workload_document
from bench.duel.environments import (
    SetupError,
    compile_alsvid,
    describe,
    ensure,
    find_interpreter,
    python_of,
)
from bench.duel.fixtures import make_fixtures
from bench.duel.load import missing_programs
from bench.duel.model import CONTROL, REFERENCE, Capability, Workload
from bench.duel.peers import ROOT, Peer, probe_alsvid, version_of
from bench.duel.peers import catalogue as peer_catalogue
from bench.duel.rounds import CONTROL_WORKLOAD, Duel, WorkloadResult, estimate_s, print_error, utc_now
from bench.duel.serverprocess import ServerError
from bench.duel.session import Session
from bench.duel.tables import terminal
from bench.duel.workloads import catalogue as workload_catalogue

RESULTS = ROOT / "bench" / "results"
DRIFT_LIMIT = 0.10


def parser() -> argparse.ArgumentParser:
    text = argparse.ArgumentParser(
        prog="python -m bench.duel", description="Server against server; see bench/README.md."
    )
    text.add_argument("action", nargs="?", default="run", choices=["run", "setup", "report"])
    text.add_argument("--workloads", default="*", help="names or patterns, comma-separated (default: all)")
    text.add_argument("--servers", default="*", help="names or patterns, comma-separated (default: all)")
    text.add_argument("--seconds", type=float, default=5.0, help="load of one measurement (default: 5)")
    text.add_argument("--warm-up", type=float, default=2.0, help="load before each measurement (default: 2)")
    text.add_argument("--rounds", type=int, default=5, help="valid rounds wanted (default: 5)")
    text.add_argument("--quick", action="store_true", help="a representative set in under ten minutes")
    text.add_argument("--list", action="store_true", help="list servers and workloads, run nothing")
    text.add_argument(
        "--pending", action="store_true", help="also run the peers where Alsvid lacks the feature"
    )
    text.add_argument(
        "--drift", type=float, default=DRIFT_LIMIT, help="a round is void beyond it (default: 0.10)"
    )
    text.add_argument("--cores", default="0,1", help="core of the server, core of the client (default: 0,1)")
    text.add_argument("--python", help="interpreter of the environments (default: one built with PGO)")
    text.add_argument("--alsvid-python", help="an interpreter that has Alsvid, in place of its environment")
    text.add_argument("--no-setup", action="store_true", help="use the environments as they are")
    text.add_argument("--output", type=Path, help="the JSON file (default: bench/results/run-TIME.json)")
    text.add_argument(
        "--input", type=Path, help="report: the JSON file (default: the newest in bench/results)"
    )
    return text


def select(names: list[str], patterns: str) -> list[str]:
    """The names that match, in their own order.

    Raises:
        SetupError: a pattern matches nothing.
    """
    wanted = [pattern.strip() for pattern in patterns.split(",") if pattern.strip()]
    for pattern in wanted:
        if not fnmatch.filter(names, pattern):
            raise SetupError(f"nothing is called {pattern!r}; there are: {', '.join(names)}")
    return [name for name in names if any(fnmatch.fnmatchcase(name, pattern) for pattern in wanted)]


# With --quick and no --servers: ourselves, the two best known, the best in C, and the control.
QUICK_SERVERS = "alsvid,uvicorn,granian,fastpysgi,nginx"


def apply_quick(options: argparse.Namespace) -> None:
    options.rounds = min(options.rounds, 3)
    options.seconds = min(options.seconds, 2.0)
    options.warm_up = min(options.warm_up, 1.0)
    if options.servers == "*":
        options.servers = QUICK_SERVERS


def chosen_workloads(options: argparse.Namespace) -> list[Workload]:
    known = workload_catalogue()
    names = select(list(known), options.workloads)
    if options.quick and options.workloads == "*":
        names = [name for name in names if known[name].quick]
    return [known[name] for name in names]


def chosen_peers(options: argparse.Namespace) -> dict[str, Peer]:
    known = peer_catalogue()
    return {name: known[name] for name in select(list(known), options.servers)}


def list_all(peers: dict[str, Peer], workloads: list[Workload], alsvid_can: frozenset[Capability]) -> None:
    print("Servers:")
    for peer in peers.values():
        lacks = sorted(frozenset(Capability) - peer.capabilities)
        print(f"  {peer.name:14} {peer.title:22}" + (f" n.a.: {', '.join(lacks)}" if lacks else ""))
    print("Workloads:")
    for workload in workloads:
        lacks = sorted(workload.needs - alsvid_can)
        pending = (
            " [pending: the server]" if not alsvid_can else f" [pending: {', '.join(lacks)}]" if lacks else ""
        )
        print(f"  {workload.name:22} {workload.title}{' (quick)' if workload.quick else ''}{pending}")


def prepare(options: argparse.Namespace, peers: dict[str, Peer], workloads: list[Workload]) -> str:
    """Programs, environments, limits. Returns the sentence about the interpreter.

    Raises:
        SetupError: something that cannot be done without is missing.
    """
    lacking = missing_programs({"wrk", "h2load", "nginx", "openssl", "taskset"})
    if lacking:
        raise SetupError("; ".join(lacking))
    interpreter = find_interpreter(options.python)
    sentence = describe(interpreter)
    print(f"duel: {sentence}")
    wanted = {peer.environment for peer in peers.values() if peer.environment is not None}
    if any(Capability.WEBSOCKET in workload.needs for workload in workloads):
        wanted.add("client")
    if options.alsvid_python is not None:
        wanted.discard(REFERENCE)
    if not options.no_setup:
        for environment in sorted(wanted):
            ensure(environment, interpreter)
        if REFERENCE in wanted:
            compile_alsvid(python_of(REFERENCE))
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(
        resource.RLIMIT_NOFILE, (hard if hard != resource.RLIM_INFINITY else max(soft, 65_536), hard)
    )
    return sentence


def cores_of(options: argparse.Namespace) -> tuple[int, int]:
    """Raises SetupError unless they are two cores of this machine."""
    try:
        server, client = (int(core) for core in options.cores.split(","))
    except ValueError as error:
        raise SetupError("--cores: two numbers, as in 0,1") from error
    if server == client or not {server, client} <= os.sched_getaffinity(0):
        raise SetupError(
            f"--cores {options.cores}: two different cores are needed of {os.sched_getaffinity(0)}"
        )
    return server, client


def alsvid_python(options: argparse.Namespace) -> str:
    """The interpreter that runs Alsvid; before its environment is made, the running one answers `--help`."""
    if options.alsvid_python is not None:
        return str(options.alsvid_python)
    own = python_of(REFERENCE)
    return own if Path(own).exists() else sys.executable


def capabilities_of_alsvid(options: argparse.Namespace) -> frozenset[Capability]:
    return probe_alsvid(alsvid_python(options))


def facts_of(options: argparse.Namespace, sentence: str, peers: dict[str, Peer]) -> dict[str, Any]:
    """What a reader must know of a run, without the paths of this machine."""
    servers = {}
    for peer in peers.values():
        python = alsvid_python(options) if peer.name == REFERENCE else python_of(peer.environment or "")
        servers[peer.name] = {"title": peer.title, "version": version_of(peer, python)}
    return {
        "schema": SCHEMA,
        "started": utc_now(),
        "quick": options.quick,
        "revision": revision(),
        "machine": machine(),
        "interpreter": sentence,
        "method": {
            "seconds": options.seconds,
            "warm_up_s": options.warm_up,
            "rounds": options.rounds,
            "drift_limit": options.drift,
            "cores": options.cores,
        },
        "servers": servers,
    }


def write_document(path: Path, facts: dict[str, Any], results: list[WorkloadResult]) -> None:
    parts = {result.workload.name: workload_document(result) for result in results}
    document = {**facts, "finished": utc_now(), "workloads": parts}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document, indent=1) + "\n")


def duel(options: argparse.Namespace) -> int:
    peers, workloads = chosen_peers(options), chosen_workloads(options)
    sentence = prepare(options, peers, workloads)
    server_core, client_core = cores_of(options)
    expected = estimate_s(workloads, len(peers), options.rounds, options.seconds, options.warm_up)
    print(
        f"duel: {len(workloads)} workloads, {len(peers)} servers, about {expected / 60:.0f} minutes at most"
    )
    facts = facts_of(options, sentence, peers)
    stamp = facts["started"].replace(":", "").replace("-", "")
    path = options.output or RESULTS / f"{'quick' if options.quick else 'run'}-{stamp}.json"
    with tempfile.TemporaryDirectory(prefix="duel-") as folder:
        session = Session(
            make_fixtures(Path(folder)),
            server_core,
            client_core,
            options.seconds,
            options.warm_up,
            options.alsvid_python,
        )
        control = peer_catalogue()[CONTROL]
        with session.running(control, CONTROL_WORKLOAD) as control_server:
            contest = Duel(
                session,
                peers,
                capabilities_of_alsvid(options),
                options.rounds,
                # A quick run keeps to its time; a full one repeats what was void.
                options.rounds if options.quick else 2 * options.rounds,
                options.drift,
                control_server,
                options.pending,
                lambda text: print(text, flush=True),
            )
            results = contest.run(workloads, lambda some: write_document(path, facts, some))
    print(terminal(results))
    report.write_chart(path, path.with_suffix(".svg"))
    print(f"duel: written {os.path.relpath(path)}")
    return 0


def main(argv: list[str] | None = None) -> int:
    options = parser().parse_args(argv)
    if options.quick:
        apply_quick(options)
    try:
        if options.list:
            list_all(chosen_peers(options), chosen_workloads(options), capabilities_of_alsvid(options))
            return 0
        if options.action == "report":
            return report.main(options.input, RESULTS)
        if options.action == "setup":
            prepare(options, chosen_peers(options), chosen_workloads(options))
            return 0
        return duel(options)
    except (SetupError, ServerError, ValueError) as error:
        print_error(str(error))
        return 1
    except KeyboardInterrupt:
        print_error("interrupted")
        return 130
