"""Each case of the corpus, whole, split in two at each octet, and octet by octet."""

from __future__ import annotations

import pytest

from tests.corpus.corpus import Case, cases, check, octets
from tests.protocol.wire import log_of, ways_to_split, without_timing

CASES = cases()

# Splitting at each octet is quadratic: longer cases are split at so many places.
_PLACES = 400


@pytest.fixture(params=CASES, ids=[case.name for case in CASES])
def case(request: pytest.FixtureRequest) -> Case:
    return request.param


def test_a_case_comes_out_as_expected(case: Case) -> None:
    check(case, log_of(case.data, eof=case.ends))


def test_a_case_says_what_is_required_and_how_it_ends(case: Case) -> None:
    assert "(RFC " in case.requirement or "safety" in case.requirement
    assert case.expected[-1].split()[0] in {"open", "closed", "refused"}


def test_a_case_reads_the_same_split_at_each_octet(case: Case) -> None:
    whole = without_timing(log_of(case.data, eof=case.ends))
    step = 1 + len(case.data) // _PLACES
    for cuts in ways_to_split(len(case.data)):
        if len(cuts) > 1 or cuts[0] % step == 0:
            cuts = cuts[::step]
            log = without_timing(log_of(case.data, *cuts, eof=case.ends))
            assert log == whole, f"split at {cuts[:3]}"


def test_escapes_stand_for_octets() -> None:
    assert octets(r"a\r\n\t\0\\\xff\{3:\r\n}b") == b"a\r\n\t\x00\\\xff\r\n\r\n\r\nb"


def test_there_are_cases() -> None:
    assert len(CASES) >= 100
    assert len({case.name for case in CASES}) == len(CASES)
