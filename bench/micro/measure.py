"""Time a case beside a calibration loop, so that figures of different days can be compared.

A case is a callable `run(n)` that does n operations. Processor time is taken, not wall time: what else the
machine does then disturbs by its cache misses only. Each repetition times the calibration loop first and the
case after it; what is kept is the quotient, and the median of the quotients is the result.
"""

import gc
import sys
import time
import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

Run = Callable[[int], None]

REPETITIONS = 9
TARGET_S = 0.04
CALIBRATION_TURNS = 40_000
ALLOCATION_OPERATIONS = 256


@dataclass(frozen=True, slots=True)
class Measurement:
    """One case. `ratio` is microseconds an operation over those of a turn of the calibration loop.

    `left` blocks and `garbage` objects that an operation leaves behind should be 0; `peak_octets` is what one
    holds at its height.
    """

    microseconds: float
    ratio: float
    spread: float
    left: float
    garbage: float
    peak_octets: int


def calibrate(turns: int) -> int:
    """Plain Python as servers write it: slices, dictionaries, calls, integers. Never change this loop."""
    table: dict[bytes, int] = {}
    data = b"content-type: text/plain; charset=utf-8\r\n" * 4
    total = 0
    for i in range(turns):
        at = i & 63
        name = data[at : at + 12]
        table[name] = i
        total += len(name) + table.get(name, 0)
        if total > 1 << 40:
            total = min(total, i)
    return total


def cpu_time_of(run: Callable[[int], object], count: int) -> float:
    """Seconds of processor time of `run(count)`."""
    started = time.process_time()
    run(count)
    return time.process_time() - started


def fitting_count(run: Run, batch: int) -> int:
    """How many operations take about TARGET_S, in whole batches."""
    count = batch
    while (spent := cpu_time_of(run, count)) < TARGET_S / 4:
        count *= 2
    return max(batch, int(count * TARGET_S / spent) // batch * batch)


def measure(run: Run, batch: int = 1, repetitions: int = REPETITIONS) -> Measurement:
    """Measure `run`, which takes a multiple of `batch` operations."""
    count = fitting_count(run, batch)
    times: list[float] = []
    ratios: list[float] = []
    gc.collect()
    gc.disable()
    try:
        for _ in range(repetitions):
            turn = cpu_time_of(calibrate, CALIBRATION_TURNS) / CALIBRATION_TURNS
            each = cpu_time_of(run, count) / count
            times.append(each)
            ratios.append(each / turn)
        left, garbage = leftovers(run, batch)
        peak = peak_octets(run, batch)
    finally:
        gc.enable()
    middle = median(ratios)
    spread = (max(ratios) - min(ratios)) / middle
    return Measurement(median(times) * 1e6, middle, spread, left, garbage, peak)


def leftovers(run: Run, batch: int) -> tuple[float, float]:
    """Blocks and unreachable objects that an operation leaves behind."""
    count = max(1, ALLOCATION_OPERATIONS // batch) * batch
    run(count)
    gc.collect()
    before = sys.getallocatedblocks()
    run(count)
    garbage = gc.collect()
    return (sys.getallocatedblocks() - before) / count, garbage / count


def peak_octets(run: Run, batch: int) -> int:
    """Memory that an operation holds at its height, as Python's allocator sees it."""
    run(batch)
    tracemalloc.start()
    try:
        run(batch)
        current = tracemalloc.get_traced_memory()[0]
        tracemalloc.reset_peak()
        run(batch)
        return max(0, tracemalloc.get_traced_memory()[1] - current) // batch
    finally:
        tracemalloc.stop()
