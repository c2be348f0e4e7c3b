"""The fuzz rule: events or a documented error, whole = split = octet by octet, pure = compiled."""

from __future__ import annotations

import random

import pytest

from tests.fuzz.generator import LIMITS, Generator
from tests.fuzz.rules import check_log
from tests.fuzz.run import block_digests, build_name, digests_of_pure_build, limits_text
from tests.protocol.wire import log_of

# Inputs of `make test`; `make fuzz` takes a hundred times as many.
_INPUTS = {"compiled": 4000, "pure": 800}[build_name()]
_LONG = 400_000 if build_name() == "compiled" else 40_000


def new_seed() -> int:
    """Return a seed that is in the report of a test that fails."""
    seed = random.SystemRandom().randrange(1 << 32)
    print(f"seed {seed}")
    return seed


def test_all_rules_hold_for_known_inputs() -> None:
    block_digests(1, _INPUTS // 4)


def test_all_rules_hold_for_new_inputs() -> None:
    block_digests(new_seed(), _INPUTS)


@pytest.mark.skipif(build_name() == "pure", reason="compared from the compiled build")
def test_the_pure_build_reads_the_same() -> None:
    seed = new_seed()
    assert block_digests(seed, 700) == digests_of_pure_build(seed, 700)


@pytest.mark.soak
def test_all_rules_hold_for_many_inputs() -> None:
    block_digests(new_seed(), _LONG)


@pytest.mark.soak
@pytest.mark.skipif(build_name() == "pure", reason="compared from the compiled build")
def test_the_pure_build_reads_many_inputs_the_same() -> None:
    seed = new_seed()
    assert block_digests(seed, 40_000) == digests_of_pure_build(seed, 40_000)


def test_a_seed_gives_the_same_inputs() -> None:
    first = list(Generator(7, [b"seed"]).inputs(200))
    assert first == list(Generator(7, [b"seed"]).inputs(200))
    assert [data for data, _ in first] != [data for data, _ in Generator(8, [b"seed"]).inputs(200)]


def test_the_generator_reaches_requests_content_and_faults() -> None:
    kinds = {entry[0] for data, limits in Generator(1).inputs(300) for entry in log_of(data, limits=limits)}
    assert kinds == {"request", "content", "end", "fault", "sent", "closed"}


@pytest.mark.parametrize(
    "log",
    [
        [("end", 1)],
        [("request", 2, "GET", b"/", "1.1", [(b"host", b"a")])],
        [("request", 1, "GET", b"a", "1.1", [(b"host", b"a")])],
        [("request", 1, "GET", b"/", "1.1", [])],
        [("request", 1, "GET", b"/", "1.1", [(b"host", b"a"), (b"A", b"b")])],
        [("fault", 0, 200, "(RFC 9112)", ""), ("closed", True, False)],
        [("fault", 0, 400, "why", ""), ("closed", True, False)],
        [("fault", 0, 400, "(RFC 9112)", "")],
        [("sent", b"HTTP/1.1 200 OK\r\n" * 2)],
    ],
)
def test_a_log_that_breaks_a_rule_is_found(log: list) -> None:
    with pytest.raises(AssertionError):
        check_log(log)


def test_limits_can_be_copied_from_a_report() -> None:
    assert limits_text(LIMITS[0]).startswith("Limits(request_line=8192, ")
