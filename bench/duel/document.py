"""The JSON of a run: everything that was measured, with what it takes to measure it again."""

import json
import os
import platform
import subprocess
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bench.duel.load import version_of
from bench.duel.model import Outcome, Sample, Status, Workload
from bench.duel.peers import ROOT
from bench.duel.rounds import WorkloadResult

SCHEMA = 1


def revision() -> str:
    """The commit that was measured, with a + when the sources differ from it."""
    commit = run_git("rev-parse", "--short", "HEAD")
    return commit + ("+" if run_git("status", "--porcelain", "src") else "")


def run_git(*arguments: str) -> str:
    answer = subprocess.run(["git", *arguments], capture_output=True, text=True, cwd=ROOT, check=False)
    return answer.stdout.strip()


def machine() -> dict[str, Any]:
    """The hardware and the kernel, without names or addresses."""
    cpu = platform.machine()
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            cpu = line.partition(":")[2].strip()
            break
    octets = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "cpu": cpu,
        "cores": os.cpu_count(),
        "memory_gib": round(octets / 2**30),
        # The version proper: what follows names a build.
        "kernel": platform.release().split("-")[0],
        "system": platform.freedesktop_os_release().get("PRETTY_NAME", platform.system()),
        "wrk": version_of("wrk"),
        "h2load": version_of("h2load"),
    }


def workload_document(result: WorkloadResult) -> dict[str, Any]:
    workload = result.workload
    return {
        "title": workload.title,
        "unit": workload.unit,
        "lower_is_better": workload.lower_is_better,
        "control": [round(value) for value in result.control],
        "void_rounds": sorted(result.void_rounds),
        "outcomes": {
            name: {
                "status": outcome.status.value,
                "reason": outcome.reason,
                "samples": [asdict(sample) for sample in outcome.samples],
            }
            for name, outcome in result.outcomes.items()
        },
    }


def read_outcome(document: dict[str, Any]) -> Outcome:
    samples = [Sample(**sample) for sample in document["samples"]]
    return Outcome(Status(document["status"]), document["reason"], samples)


def read_result(name: str, document: dict[str, Any]) -> WorkloadResult:
    """What the tables need of a stored workload; how it was loaded stays in the catalogue."""
    workload = Workload(
        name, document["title"], unit=document["unit"], lower_is_better=document["lower_is_better"]
    )
    outcomes = {server: read_outcome(outcome) for server, outcome in document["outcomes"].items()}
    return WorkloadResult(workload, outcomes, document["control"], set(document["void_rounds"]))


def read_document(path: Path) -> tuple[dict[str, Any], list[WorkloadResult]]:
    """The facts of a run, and its results in the order they were measured.

    Raises:
        ValueError: the file is of another schema.
    """
    document = json.loads(path.read_text())
    if document.get("schema") != SCHEMA:
        raise ValueError(f"{path.name} is not a result file of schema {SCHEMA}")
    return document, [read_result(name, part) for name, part in document["workloads"].items()]
