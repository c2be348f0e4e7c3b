"""Render a stored run: the tables of RESULTS.md and the chart of the README."""

from pathlib import Path
from typing import Any

from bench.duel.chart import render
from bench.duel.document import read_document
from bench.duel.model import REFERENCE, Status
from bench.duel.rounds import WorkloadResult
from bench.duel.tables import HEADER, is_pending, losses, markdown, overview, reasons_of, rows_of

PAGE = Path(__file__).resolve().parents[1] / "RESULTS.md"
BEGIN = "<!-- results: begin (written by `python -m bench.duel report`) -->"
END = "<!-- results: end -->"


def newest(folder: Path) -> Path:
    """The newest full run, else the newest quick one.

    Raises:
        ValueError: there is none.
    """
    for pattern in ("run-*.json", "quick-*.json"):
        found = sorted(folder.glob(pattern))
        if found:
            return found[-1]
    raise ValueError("no results yet: run `python -m bench.duel` first")


def write_chart(source: Path, target: Path) -> None:
    """Write the chart, if the run holds a workload that it shows."""
    document, results = read_document(source)
    titles = {name: facts["title"] for name, facts in document["servers"].items()}
    text = render(results, titles, REFERENCE)
    if text is not None:
        target.write_text(text)


def main(source: Path | None, folder: Path) -> int:
    """Fill RESULTS.md between its markers, and write results/chart.svg."""
    path = source or newest(folder)
    document, results = read_document(path)
    page = PAGE.read_text()
    before, found, rest = page.partition(BEGIN)
    _, closed, after = rest.partition(END)
    if not found or not closed:
        raise ValueError(f"{PAGE.name} has lost its markers {BEGIN} and {END}")
    body = "\n".join(section(document, results, path.name))
    PAGE.write_text(f"{before}{BEGIN}\n\n{body}\n\n{END}{after}")
    write_chart(path, folder / "chart.svg")
    print(f"duel: RESULTS.md and results/chart.svg filled from {path.name}")
    return 0


def section(document: dict[str, Any], results: list[WorkloadResult], name: str) -> list[str]:
    lines = [*provenance(document, name), "", "## Overview", ""]
    measured = [result for result in results if not is_pending(result)]
    lines += markdown(overview(measured)) if measured else ["Nothing was measured."]
    lines += [
        "",
        "Medians. Ratios above 1 are better, also where less is better. `!`: with errors, see below.",
        "",
    ]
    lines += ["## Where we lose", ""]
    lines += [f"- {loss}" for loss in losses(results)] or ["In no workload of this run."]
    pending = [result.workload.title for result in results if is_pending(result)]
    if pending:
        lines += [
            "",
            "Not measured, since Alsvid does not offer the feature yet: " + "; ".join(pending) + ".",
        ]
    lines += ["", "## In full", ""]
    for result in measured:
        lines += detail(result)
    return lines


def provenance(document: dict[str, Any], name: str) -> list[str]:
    machine, method = document["machine"], document["method"]
    servers = ", ".join(f"{facts['title']} {facts['version']}" for facts in document["servers"].values())
    kind = (
        "a quick run (short; for orientation)"
        if document["quick"]
        else f"a run of {len(document['workloads'])} workloads"
    )
    return [
        f"Measured {document['started']} to {document['finished']}, {kind}; "
        f"all data: `bench/results/{name}`.",
        "",
        f"- Machine: {machine['cpu']}, {machine['cores']} cores, {machine['memory_gib']} GiB, "
        f"{machine['system']}, Linux {machine['kernel']}; {machine['wrk']}, {machine['h2load']}.",
        f"- Interpreter: {document['interpreter']}.",
        f"- Servers: {servers}; Alsvid at commit {document['revision']}.",
        f"- {method['rounds']} valid rounds of {method['seconds']:g} s after {method['warm_up_s']:g} s of "
        f"warm-up; cores (server, client) {method['cores']}; a round is void when the control strays by "
        f"more than {method['drift_limit']:.0%}.",
    ]


def detail(result: WorkloadResult) -> list[str]:
    workload = result.workload
    lines = [f"### {workload.title} ({workload.unit})", ""]
    lines += [f"`python -m bench.duel --workloads {workload.name}`", ""]
    lines += markdown([HEADER, *rows_of(result)])
    lines += [""] + [f"- {reason}" for reason in reasons_of(result)]
    if result.control:
        low, high = min(result.control), max(result.control)
        lines.append(f"- Control: {low:,.0f} - {high:,.0f}/s; void rounds: {len(result.void_rounds)}.")
    void = [name for name, outcome in result.outcomes.items() if outcome.status is Status.VOID]
    if void:
        lines.append("- VOID: this table says nothing but that the machine was not quiet.")
    return [*lines, ""]
