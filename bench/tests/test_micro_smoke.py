"""The micro benchmarks: every case runs, in whichever build is there."""

from contextlib import ExitStack

import pytest

from bench.micro.build import choose_build
from bench.micro.cases import Case, catalogue
from bench.micro.cli import regressions
from bench.micro.measure import measure

choose_build()


@pytest.mark.parametrize("case", catalogue(), ids=lambda case: case.name)
def test_each_case_runs_or_is_pending(case: Case) -> None:
    with ExitStack() as stack:
        try:
            run = case.make(stack)
        except ImportError as error:
            pytest.skip(f"pending: {error}")
        run(case.batch)
        run(2 * case.batch)


def test_a_measurement_is_a_ratio_to_the_calibration_loop() -> None:
    found = measure(lambda count: [None for _ in range(count)] and None, repetitions=1)
    assert found.ratio > 0
    assert found.garbage == 0


def test_a_case_that_became_slower_is_a_regression() -> None:
    stored = {"a": {"ratio": 1.0}, "b": {"ratio": 1.0}}
    figures = {"a": {"ratio": 1.1}, "b": {"ratio": 1.4}, "c": {"ratio": 9.0}}
    assert regressions("pure", figures, stored, 0.15) == ["pure b: +40%"]
