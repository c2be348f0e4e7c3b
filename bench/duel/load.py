"""The load programs, wrk and h2load, and what they report."""

import json
import math
import os
import re
import shutil
import subprocess
import time
from dataclasses import dataclass, field, replace
from pathlib import Path

from bench.duel.fixtures import Fixtures, media_type
from bench.duel.model import Payload, Protocol, Workload
from bench.duel.peers import HOST

LUA = Path(__file__).with_name("lua")
# Above sleep(1) at 5,000 connections on a slow server; what takes longer counts as an error.
ANSWER_TIMEOUT_S = 10
# What a load program may take over its own duration before it is ended.
GRACE_S = 30

PACKAGES = {
    "wrk": "wrk",
    "h2load": "nghttp2-client",
    "nginx": "nginx-light",
    "openssl": "openssl",
    "taskset": "util-linux",
}


class LoadError(Exception):
    """The load program failed or said something unexpected."""


@dataclass(frozen=True, slots=True)
class LoadReport:
    """What a load program counted."""

    requests: int
    seconds: float
    errors: dict[str, int] = field(default_factory=dict)
    p50_us: float | None = None
    p99_us: float | None = None
    content_octets: int | None = None


def missing_programs(names: set[str]) -> list[str]:
    """One line for each program that is not installed."""
    path = os.environ.get("PATH", os.defpath) + ":/usr/sbin"
    return [
        f"{name} is not installed (Debian, Ubuntu: apt install {PACKAGES[name]})"
        for name in sorted(names)
        if shutil.which(name, path=path) is None
    ]


def version_of(name: str) -> str:
    argv = [name, "--version"] if name == "h2load" else [name, "-v"]
    try:
        answer = subprocess.run(argv, capture_output=True, text=True, check=False)
    except OSError:
        return "absent"
    lines = (answer.stdout + answer.stderr).splitlines()
    return " ".join(lines[0].split()[:2]) if lines else "?"


def run_bounded(argv: list[str], seconds: float, environ: dict[str, str] | None = None) -> str:
    """Run a load program; it is killed when it does not end by itself."""
    try:
        answer = subprocess.run(
            argv, capture_output=True, text=True, timeout=seconds + GRACE_S, env=environ, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise LoadError(f"{Path(argv[0]).name} did not end {GRACE_S} s after its time") from error
    if answer.returncode != 0:
        raise LoadError(f"status {answer.returncode}: {(answer.stderr or answer.stdout).strip()[-200:]}")
    return answer.stdout


def run_wrk(workload: Workload, fixtures: Fixtures, port: int, seconds: float, core: int) -> LoadReport:
    """Load with one thread of wrk on `core`. wrk counts whole seconds."""
    whole = max(1, math.ceil(seconds))
    scheme = "https" if workload.is_encrypted else "http"
    argv = ["taskset", "-c", str(core), "wrk", "-t1", f"-c{workload.connections}", f"-d{whole}s"]
    argv += ["--timeout", f"{ANSWER_TIMEOUT_S}s", "-s", str(LUA / f"{workload.script}.lua")]
    argv += [f"{scheme}://{HOST}:{port}{workload.path}"]
    environ = dict(os.environ, DUEL_LUA=str(LUA), DUEL_REQUESTS=str(fixtures.browser))
    if workload.payload is not Payload.NONE:
        environ["DUEL_BODY"] = str(fixtures.payload(workload.payload))
        environ["DUEL_TYPE"] = media_type(workload.payload)
    return parse_wrk(run_bounded(argv, whole + ANSWER_TIMEOUT_S, environ), workload.script == "pipeline")


def parse_wrk(text: str, is_batched: bool = False) -> LoadReport:
    """Read the line that lua/report.lua prints."""
    for line in text.splitlines():
        if line.startswith("DUEL "):
            facts = json.loads(line[5:])
            errors = {
                name: facts[name] for name in ("connect", "read", "write", "status", "timeout") if facts[name]
            }
            # wrk counts an answer with a bad status as a request too.
            requests = facts["requests"] - facts["status"]
            report = LoadReport(
                requests, facts["duration_us"] / 1e6, errors, facts["p50_us"], facts["p99_us"]
            )
            # wrk does not time the requests of a batch one by one.
            return replace(report, p50_us=None, p99_us=None) if is_batched else report
    raise LoadError("wrk printed no summary: " + text.strip()[-200:])


def run_handshakes(workload: Workload, port: int, seconds: float, core: int) -> LoadReport:
    """Full TLS 1.3 handshakes by `workload.connections` processes of openssl s_time, one at a time each.

    wrk offers the session of its last connection, so that most of its handshakes are resumptions.
    """
    whole = max(1, math.ceil(seconds))
    argv = ["taskset", "-c", str(core), "openssl", "s_time", "-connect", f"{HOST}:{port}", "-new"]
    argv += ["-www", workload.path, "-time", str(whole)]
    started = time.perf_counter()
    clients = [
        subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        for _ in range(workload.connections)
    ]
    try:
        texts = [client.communicate(timeout=whole + GRACE_S)[0] for client in clients]
    except subprocess.TimeoutExpired as error:
        raise LoadError("openssl s_time did not end in time") from error
    finally:
        for client in clients:
            client.kill()
    elapsed = time.perf_counter() - started
    counts = [re.search(r"(\d+) connections in \d+ real seconds, (\d+) bytes read", text) for text in texts]
    failed = sum(1 for count in counts if count is None or int(count[2]) == 0)
    if failed:
        raise LoadError(f"{failed} of {len(clients)} openssl s_time failed: {texts[0].strip()[-200:]}")
    return LoadReport(sum(int(count[1]) for count in counts if count is not None), elapsed)


def run_h2load(workload: Workload, port: int, seconds: float, core: int, requests: int = 0) -> LoadReport:
    """Load with one thread of h2load, for a time, or with a number of requests on one connection."""
    scheme = "https" if workload.protocol is Protocol.H2 else "http"
    argv = ["taskset", "-c", str(core), "h2load", "-t1", "-m", str(workload.streams)]
    if requests:
        argv += ["-c1", f"-n{requests}"]
    else:
        argv += [f"-c{workload.connections}", "-D", str(max(1, math.ceil(seconds)))]
    argv += [f"{scheme}://{HOST}:{port}{workload.path}"]
    return parse_h2load(run_bounded(argv, seconds))


def parse_h2load(text: str) -> LoadReport:
    """Read h2load's summary: requests, status codes, traffic and the spread of times."""
    finished = re.search(r"finished in ([\d.]+)(us|ms|s)\b", text)
    counts = re.search(r"requests: .*?(\d+) failed, \d+ errored, (\d+) timeout", text)
    codes = re.search(r"status codes: (\d+) 2xx, (\d+) 3xx, (\d+) 4xx, (\d+) 5xx", text)
    if finished is None or counts is None or codes is None:
        raise LoadError("h2load printed no summary: " + text.strip()[-200:])
    content = re.search(r"\((\d+)\) data", text)
    seconds = float(finished[1]) * {"us": 1e-6, "ms": 1e-3, "s": 1.0}[finished[2]]
    errors = {
        "failed": int(counts[1]),
        "timeout": int(counts[2]),
        "status": sum(int(codes[i]) for i in (2, 3, 4)),
    }
    errors = {name: count for name, count in errors.items() if count}
    return LoadReport(int(codes[1]), seconds, errors, content_octets=int(content[1]) if content else None)
