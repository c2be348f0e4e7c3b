"""Tables of a run, for the terminal and for RESULTS.md."""

from bench.duel.model import BASELINE, CONTROL, REFERENCE, Status, Workload
from bench.duel.rounds import WorkloadResult
from bench.duel.summary import Summary, summarise

HEADER = (
    "server",
    "median",
    "min - max",
    "x Alsvid",
    "x Uvicorn",
    "CPU us user + sys",
    "p50 / p99 ms",
    "PSS MiB",
    "errors",
)


def number(value: float) -> str:
    """Three or four significant digits, thousands separated."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def ratio(value: float, reference: float | None, workload: Workload) -> float | None:
    """How many times as good as the reference: above 1 is better, also where less is better."""
    if not reference or not value:
        return None
    return reference / value if workload.lower_is_better else value / reference


def ratio_text(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


def value_of(result: WorkloadResult, server: str) -> float | None:
    """The median of a server that was measured, None otherwise."""
    outcome = result.outcomes.get(server)
    if outcome is None or outcome.status is not Status.MEASURED:
        return None
    summary = summarise(outcome)
    return None if summary is None else summary.value


def row(server: str, summary: Summary, result: WorkloadResult) -> tuple[str, ...]:
    workload = result.workload
    cpu = latency = ""
    if summary.cpu_user_us is not None and summary.cpu_system_us is not None:
        cpu = f"{summary.cpu_user_us:.1f} + {summary.cpu_system_us:.1f}"
    if summary.p50_us is not None and summary.p99_us is not None:
        latency = f"{summary.p50_us / 1e3:.2f} / {summary.p99_us / 1e3:.2f}"
    return (
        server,
        number(summary.value),
        f"{number(summary.low)} - {number(summary.high)}",
        ratio_text(ratio(summary.value, value_of(result, REFERENCE), workload)),
        ratio_text(ratio(summary.value, value_of(result, BASELINE), workload)),
        cpu,
        latency,
        "" if summary.pss_kib is None else f"{summary.pss_kib / 1024:.0f}",
        str(summary.errors or ""),
    )


def rows_of(result: WorkloadResult) -> list[tuple[str, ...]]:
    rows = []
    for server, outcome in result.outcomes.items():
        summary = summarise(outcome)
        if outcome.status is Status.MEASURED and summary is not None:
            rows.append(row(server, summary, result))
        else:
            rows.append((server, outcome.status.value, *[""] * (len(HEADER) - 2)))
    return rows


def reasons_of(result: WorkloadResult) -> list[str]:
    return [f"{server}: {out.status} - {out.reason}" for server, out in result.outcomes.items() if out.reason]


def aligned(rows: list[tuple[str, ...]]) -> list[str]:
    """The first column to the left, the others to the right."""
    widths = [max(len(cells[i]) for cells in rows) for i in range(len(rows[0]))]
    return [
        "  ".join(
            cell.ljust(widths[i]) if i == 0 else cell.rjust(widths[i]) for i, cell in enumerate(cells)
        ).rstrip()
        for cells in rows
    ]


def markdown(rows: list[tuple[str, ...]]) -> list[str]:
    head = "| " + " | ".join(rows[0]) + " |"
    rule = "| --- |" + " ---: |" * (len(rows[0]) - 1)
    return [head, rule] + ["| " + " | ".join(cells) + " |" for cells in rows[1:]]


def overview(results: list[WorkloadResult]) -> list[tuple[str, ...]]:
    """One line a workload, one column a server: the median, and the multiple of Uvicorn for Alsvid."""
    servers: list[str] = []
    for result in results:
        servers += [name for name in result.outcomes if name not in servers]
    rows = [("workload", "unit", *servers, "Alsvid / Uvicorn", "Alsvid / best peer")]
    for result in results:
        cells = [overview_cell(result, server) for server in servers]
        ours = value_of(result, REFERENCE)
        uvicorn = ratio(ours, value_of(result, BASELINE), result.workload) if ours else None
        best = ratio(ours, best_peer(result)[1], result.workload) if ours else None
        rows.append(
            (result.workload.title, result.workload.unit, *cells, ratio_text(uvicorn), ratio_text(best))
        )
    return rows


def overview_cell(result: WorkloadResult, server: str) -> str:
    outcome = result.outcomes.get(server)
    if outcome is None:
        return ""
    summary = summarise(outcome)
    if outcome.status is not Status.MEASURED or summary is None:
        return outcome.status.value
    return number(summary.value) + (" !" if summary.errors else "")


def best_peer(result: WorkloadResult) -> tuple[str, float | None]:
    """The best server that runs Python applications, ourselves left out."""
    values = {
        name: value
        for name in result.outcomes
        if name not in (REFERENCE, CONTROL) and (value := value_of(result, name)) is not None
    }
    if not values:
        return "", None
    choose = min if result.workload.lower_is_better else max
    name = choose(values, key=lambda server: values[server])
    return name, values[name]


def losses(results: list[WorkloadResult]) -> list[str]:
    """Where a peer is better than Alsvid, worst first."""
    found = []
    for result in results:
        ours = value_of(result, REFERENCE)
        peer, best = best_peer(result)
        share = ratio(ours, best, result.workload) if ours and best else None
        if share is not None and share < 1:
            found.append((share, f"{result.workload.title}: {share:.2f} of {peer}"))
    return [text for _, text in sorted(found)]


def terminal(results: list[WorkloadResult]) -> str:
    """The tables that a run ends with."""
    lines = []
    for result in results:
        rows = rows_of(result)
        if all(cells[1] == Status.PENDING for cells in rows):
            continue
        lines += ["", f"{result.workload.name}: {result.workload.title} ({result.workload.unit})"]
        lines += ["  " + line for line in aligned([HEADER, *rows])]
        lines += ["  " + reason for reason in reasons_of(result)]
    pending = [result.workload.name for result in results if is_pending(result)]
    lines += ["", *aligned(overview(results))]
    lines += ["", "Ratios: above 1 is better, also where less is better. `!`: with errors, see above."]
    if pending:
        lines += ["Pending until Alsvid offers the feature: " + ", ".join(pending)]
    return "\n".join(lines)


def is_pending(result: WorkloadResult) -> bool:
    outcome = result.outcomes.get(REFERENCE)
    return outcome is not None and outcome.status is Status.PENDING
