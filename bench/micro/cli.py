"""The command line: run both builds, compare with the stored baseline, or store a new one."""

import argparse
import fnmatch
import json
import os
import subprocess
import sys
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bench.micro.build import SOURCE, SWITCH, build_in_use, choose_build
from bench.micro.measure import REPETITIONS, measure

BASELINE = Path(__file__).with_name("baseline.json")
# Above the noise of a shared machine; a real regression of a layer is larger.
LIMIT = 0.15

Figures = dict[str, dict[str, Any]]


def parser() -> argparse.ArgumentParser:
    text = argparse.ArgumentParser(prog="python -m bench.micro", description="Microseconds per layer.")
    text.add_argument("action", nargs="?", default="run", choices=["run", "compare", "store", "list", "one"])
    text.add_argument("--cases", default="*", help="names or patterns, comma-separated")
    text.add_argument("--builds", default="compiled,pure")
    text.add_argument("--repetitions", type=int, default=REPETITIONS)
    text.add_argument("--limit", type=float, default=LIMIT, help="compare: slower by more is a regression")
    text.add_argument("--core", type=int, help="pin to this core")
    text.add_argument("--python", default=sys.executable, help="interpreter that has Alsvid's dependencies")
    text.add_argument("--json", type=Path, help="run: write the figures here as well")
    return text


def measure_here(options: argparse.Namespace) -> dict[str, Any]:
    """In the child: measure the build that the environment asks for."""
    choose_build()
    from bench.micro.cases import catalogue

    if options.core is not None:
        os.sched_setaffinity(0, {options.core})
    patterns = options.cases.split(",")
    figures: Figures = {}
    pending: dict[str, str] = {}
    for case in catalogue():
        if not any(fnmatch.fnmatchcase(case.name, pattern) for pattern in patterns):
            continue
        with ExitStack() as stack:
            try:
                run = case.make(stack)
            except ImportError as error:
                pending[case.name] = str(error)
                continue
            figures[case.name] = asdict(measure(run, case.batch, options.repetitions))
    return {"build": build_in_use(), "figures": figures, "pending": pending}


def measure_build(build: str, options: argparse.Namespace) -> dict[str, Any]:
    """In a process of its own, since a module is loaded once."""
    argv = [options.python, "-m", "bench.micro", "one", "--cases", options.cases]
    argv += ["--repetitions", str(options.repetitions)]
    if options.core is not None:
        argv += ["--core", str(options.core)]
    environ = {name: value for name, value in os.environ.items() if name != SWITCH}
    if build == "pure":
        environ[SWITCH] = "1"
    root = SOURCE.parent
    answer = subprocess.run(argv, capture_output=True, text=True, env=environ, cwd=root, check=False)
    if answer.returncode != 0:
        raise RuntimeError(f"{build}: {answer.stderr.strip()[-600:]}")
    report: dict[str, Any] = json.loads(answer.stdout)
    if report["build"] != build:
        raise RuntimeError(f"the {build} build was asked for, but the {report['build']} one was loaded")
    return report


def print_figures(build: str, report: dict[str, Any], stored: Figures) -> None:
    print(
        f"\n{build} build: us an operation, ratio to the calibration loop, spread; what an operation leaves"
    )
    heads = ("us", 8), ("ratio", 8), ("spread", 7), ("stored", 8), ("left", 6), ("garbage", 8), ("peak B", 8)
    print("  " + " ".join(["case".ljust(20), *(head.rjust(width) for head, width in heads)]))
    for name, figure in report["figures"].items():
        before = stored.get(name)
        stored_text = f"{figure['ratio'] / before['ratio'] - 1:+.0%}" if before else ""
        print(
            f"  {name:20} {figure['microseconds']:8.3f} {figure['ratio']:8.2f} {figure['spread']:7.0%} "
            f"{stored_text:>8} {figure['left']:6.2f} {figure['garbage']:8.2f} {figure['peak_octets']:8,}"
        )
    for name, reason in report["pending"].items():
        print(f"  {name:20} pending: {reason}")


def regressions(build: str, figures: Figures, stored: Figures, limit: float) -> list[str]:
    """Cases whose ratio has grown by more than the limit."""
    found = []
    for name, figure in figures.items():
        before = stored.get(name)
        if before and figure["ratio"] > before["ratio"] * (1 + limit):
            found.append(f"{build} {name}: {figure['ratio'] / before['ratio'] - 1:+.0%}")
    return found


def read_baseline() -> dict[str, Figures]:
    if not BASELINE.exists():
        return {}
    stored: dict[str, Figures] = json.loads(BASELINE.read_text())
    return stored


def store(reports: dict[str, dict[str, Any]]) -> None:
    """Keep the ratios, which travel; not the microseconds, which do not."""
    baseline = read_baseline()
    for build, report in reports.items():
        kept = {name: {"ratio": round(figure["ratio"], 3)} for name, figure in report["figures"].items()}
        baseline[build] = {**baseline.get(build, {}), **kept}
    BASELINE.write_text(json.dumps(baseline, indent=1, sort_keys=True) + "\n")


def list_cases() -> None:
    choose_build()
    from bench.micro.cases import catalogue

    for case in catalogue():
        print(f"{case.name:20} {case.title}")


def main(argv: list[str] | None = None) -> int:
    options = parser().parse_args(argv)
    if options.action == "one":
        print(json.dumps(measure_here(options)))
        return 0
    if options.action == "list":
        list_cases()
        return 0
    baseline = read_baseline()
    reports = {}
    worse: list[str] = []
    for build in options.builds.split(","):
        try:
            report = measure_build(build, options)
        except RuntimeError as error:
            print(f"micro: {error}", file=sys.stderr)
            return 1
        reports[build] = report
        stored = baseline.get(build, {})
        print_figures(build, report, stored)
        worse += regressions(build, report["figures"], stored, options.limit)
    if options.json is not None:
        options.json.write_text(json.dumps(reports, indent=1) + "\n")
    if options.action == "store":
        store(reports)
    elif options.action == "compare" and worse:
        print(f"\nslower than the baseline by more than {options.limit:.0%}:\n  " + "\n  ".join(worse))
        return 1
    return 0
