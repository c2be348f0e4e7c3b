"""Parsers, arithmetic and catalogues of the duel, without a process."""

import importlib.util
import io

import pytest

from bench.duel.drivers import drivers
from bench.duel.fixtures import browser_request, json_document
from bench.duel.load import LUA, LoadError, parse_h2load, parse_wrk
from bench.duel.model import Capability, Expected, Outcome, Sample, Status, Workload
from bench.duel.peers import catalogue as peer_catalogue
from bench.duel.rounds import WorkloadResult
from bench.duel.summary import summarise, void_rounds
from bench.duel.tables import losses, overview, ratio, rows_of
from bench.duel.verify import VerificationError, check_answer, read_answer
from bench.duel.workloads import catalogue

WRK = (
    'DUEL {"requests":1000,"duration_us":2000000,"bytes":1,"connect":0,"read":3,"write":0,"status":10,'
    '"timeout":0,"p50_us":500,"p99_us":900,"max_us":1000}\n'
)
H2LOAD = """
finished in 1.50s, 20000.00 req/s, 1.2MB/s
requests: 30000 total, 30010 started, 30000 done, 29990 succeeded, 10 failed, 0 errored, 2 timeout
status codes: 29990 2xx, 0 3xx, 3 4xx, 7 5xx
traffic: 2.00MB (2000000) total, 1.00MB (1000000) headers (space savings 10.00%), 380.73KB (389870) data
"""


def measured(*values: float) -> Outcome:
    samples = [Sample(value, requests=10, round=i) for i, value in enumerate(values)]
    return Outcome(Status.MEASURED, samples=samples)


def test_wrk_summary_counts_bad_statuses_as_errors_not_as_answers() -> None:
    found = parse_wrk("noise\n" + WRK)
    assert (found.requests, found.seconds) == (990, 2.0)
    assert found.errors == {"read": 3, "status": 10}


def test_latency_of_batches_is_not_shown() -> None:
    assert parse_wrk(WRK, is_batched=True).p50_us is None


def test_h2load_summary_counts_only_2xx_as_answers() -> None:
    found = parse_h2load(H2LOAD)
    assert (found.requests, found.seconds) == (29990, 1.5)
    assert found.errors == {"failed": 10, "timeout": 2, "status": 10}
    assert found.content_octets == 389_870


@pytest.mark.parametrize("parse", [parse_wrk, parse_h2load])
def test_a_load_program_without_a_summary_is_an_error(parse) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(LoadError, match="no summary"):
        parse("unable to connect")


def test_rounds_beside_a_straying_control_are_void() -> None:
    assert void_rounds([100, 101, 99, 100], 0.1) == set()
    assert void_rounds([100, 101, 60, 100, 100], 0.1) == {1, 2}


def test_the_summary_is_a_median_with_its_spread_and_leaves_void_samples_out() -> None:
    outcome = measured(10, 30, 20, 500)
    outcome.samples[3].void = True
    found = summarise(outcome)
    assert found is not None
    assert (found.value, found.low, found.high, found.rounds) == (20, 10, 30, 3)


def test_a_ratio_above_one_is_better_also_where_less_is_better() -> None:
    assert ratio(20, 10, Workload("a", "a")) == 2
    assert ratio(20, 10, Workload("a", "a", lower_is_better=True)) == 0.5
    assert ratio(20, None, Workload("a", "a")) is None


def test_losses_name_the_best_peer_and_leave_the_control_out() -> None:
    outcomes = {"alsvid": measured(90), "granian": measured(100), "nginx": measured(500)}
    result = WorkloadResult(Workload("a", "GET"), outcomes)
    assert losses([result]) == ["GET: 0.90 of granian"]
    outcomes["granian"] = Outcome(Status.NOT_AVAILABLE, "n.a.")
    assert losses([result]) == []


def test_what_was_not_measured_is_never_a_zero() -> None:
    outcomes = {
        "alsvid": measured(90),
        "granian": Outcome(Status.NOT_AVAILABLE),
        "nginx": Outcome(Status.VOID),
    }
    result = WorkloadResult(Workload("a", "GET"), outcomes)
    assert [cells[1] for cells in rows_of(result)] == ["90.0", "n.a.", "void"]
    assert overview([result])[1][3:5] == ("n.a.", "void")


def test_every_workload_has_its_application_driver_and_script() -> None:
    for workload in catalogue().values():
        assert importlib.util.find_spec(f"bench.apps.{workload.app}"), workload.name
        assert workload.driver in drivers(), workload.name
        assert (LUA / f"{workload.script}.lua").exists(), workload.name


def test_every_server_has_its_requirements_and_only_the_control_needs_no_python() -> None:
    for peer in peer_catalogue().values():
        assert (peer.environment is None) == (peer.name == "nginx")
        assert (Capability.ASGI in peer.capabilities) == (peer.name != "nginx")


def test_browser_requests_have_19_fields_and_differ() -> None:
    first, second = browser_request(1), browser_request(2)
    assert first.count(b"\r\n") == 1 + 19 + 1
    assert first != second


def test_the_json_document_is_of_1024_octets() -> None:
    assert len(json_document()) == 1024


def test_answers_are_read_with_a_length_chunked_and_to_the_end() -> None:
    head = b"HTTP/1.1 200 OK\r\n"
    with_length = read_answer(io.BytesIO(head + b"Content-Length: 2\r\n\r\nabXX"))
    chunked = read_answer(
        io.BytesIO(head + b"Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n1\r\nb\r\n0\r\n\r\n")
    )
    to_the_end = read_answer(io.BytesIO(head + b"\r\nab"))
    assert with_length.body == chunked.body == to_the_end.body == b"ab"


@pytest.mark.parametrize(
    "expected",
    [Expected(body=b"ba"), Expected(octets=3), Expected(fields=(("x", "2"),)), Expected(field_count=3)],
)
def test_an_answer_that_differs_is_refused(expected: Expected) -> None:
    answer = read_answer(io.BytesIO(b"HTTP/1.1 200 OK\r\nX: 1\r\nContent-Length: 2\r\n\r\nab"))
    with pytest.raises(VerificationError):
        check_answer(answer, expected)
