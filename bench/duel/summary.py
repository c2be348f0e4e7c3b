"""Medians and spreads; nothing else is claimed of a handful of rounds."""

from dataclasses import dataclass
from statistics import median

from bench.duel.model import Outcome, Sample


@dataclass(frozen=True, slots=True)
class Summary:
    """The valid samples of one server in one workload, as the table shows them."""

    value: float
    low: float
    high: float
    cpu_user_us: float | None
    cpu_system_us: float | None
    p50_us: float | None
    p99_us: float | None
    pss_kib: float | None
    errors: int
    rounds: int


def median_of(samples: list[Sample], name: str) -> float | None:
    """The median of an attribute over the samples that have it."""
    values = [value for sample in samples if (value := getattr(sample, name)) is not None]
    return float(median(values)) if values else None


def summarise(outcome: Outcome) -> Summary | None:
    """None if no valid sample is left."""
    samples = [sample for sample in outcome.samples if not sample.void]
    if not samples:
        return None
    values = [sample.value for sample in samples]
    return Summary(
        value=float(median(values)),
        low=min(values),
        high=max(values),
        cpu_user_us=median_of(samples, "cpu_user_us"),
        cpu_system_us=median_of(samples, "cpu_system_us"),
        p50_us=median_of(samples, "p50_us"),
        p99_us=median_of(samples, "p99_us"),
        pss_kib=median_of(samples, "pss_kib"),
        errors=sum(sample.error_count for sample in samples),
        rounds=len(samples),
    )


def void_rounds(control: list[float], limit: float) -> set[int]:
    """The rounds (from 0) beside a control measurement that strays from the median by more than `limit`.

    `control` holds one value before each round and one after the last: round i lies between i and i + 1.
    """
    middle = median(control)
    astray = {i for i, value in enumerate(control) if abs(value - middle) > limit * middle}
    return {i for i in range(len(control) - 1) if i in astray or i + 1 in astray}
