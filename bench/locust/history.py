"""From Locust's history of a run to one row a number of users, as CSV."""

import csv
from dataclasses import dataclass
from pathlib import Path

COLUMNS = ("users", "requests_per_s", "failures_per_s", "p50_ms", "p95_ms")


@dataclass(frozen=True, slots=True)
class Step:
    """What a number of users got. Latencies in milliseconds."""

    users: int
    requests_per_s: float
    failures_per_s: float
    p50_ms: float
    p95_ms: float


def number(text: str) -> float:
    """Locust writes N/A before the first answer."""
    return 0.0 if text in ("", "N/A") else float(text)


def read_history(path: Path) -> list[Step]:
    """One step for each number of users, from the second half of its rows.

    The first half still drains the queue of the step before. Rates are taken from the totals, since Locust's
    own are sliding means over ten seconds. Latencies are those of its last window in the step.
    """
    rows: dict[int, list[dict[str, str]]] = {}
    with path.open(newline="") as file:
        for row in csv.DictReader(file):
            if row["Name"] == "Aggregated" and int(row["User Count"]):
                rows.setdefault(int(row["User Count"]), []).append(row)
    return [settled(users, found[len(found) // 2 :]) for users, found in rows.items() if len(found) > 2]


def settled(users: int, rows: list[dict[str, str]]) -> Step:
    first, last = rows[0], rows[-1]
    seconds = max(1.0, number(last["Timestamp"]) - number(first["Timestamp"]))

    def rate(column: str) -> float:
        return round((number(last[column]) - number(first[column])) / seconds, 2)

    return Step(
        users,
        rate("Total Request Count"),
        rate("Total Failure Count"),
        number(last["50%"]),
        number(last["95%"]),
    )


def write_steps(path: Path, steps: list[Step]) -> None:
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for step in steps:
            writer.writerow([getattr(step, column) for column in COLUMNS])


def read_steps(path: Path) -> list[Step]:
    with path.open(newline="") as file:
        return [
            Step(int(row["users"]), *(float(row[column]) for column in COLUMNS[1:]))
            for row in csv.DictReader(file)
        ]
