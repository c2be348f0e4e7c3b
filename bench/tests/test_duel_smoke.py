"""The duel from start to table, with a stub as the servers. No timing is asserted, no network used."""

import json
import os
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from bench.duel import cli, report
from bench.duel.document import SCHEMA, read_document
from bench.duel.fixtures import Fixtures, make_fixtures
from bench.duel.load import missing_programs
from bench.duel.model import Capability, Status, Workload
from bench.duel.peers import Launch, Peer
from bench.duel.rounds import Duel, WorkloadResult
from bench.duel.session import Session
from bench.duel.tables import terminal
from bench.duel.workloads import catalogue

STUB = Path(__file__).with_name("stub_server.py")


def stub_peer(name: str, *arguments: str, capabilities: frozenset[Capability] = frozenset()) -> Peer:
    def command(launch: Launch) -> list[str]:
        return [sys.executable, str(STUB), str(launch.port), *arguments]

    return Peer(name, name.title(), None, "", command, capabilities)


@pytest.fixture(scope="module")
def fixtures(tmp_path_factory: pytest.TempPathFactory) -> Fixtures:
    lacking = missing_programs({"wrk", "openssl", "taskset"})
    if lacking:
        pytest.skip("; ".join(lacking))
    return make_fixtures(tmp_path_factory.mktemp("duel"))


@pytest.fixture
def session(fixtures: Fixtures) -> Session:
    cores = sorted(os.sched_getaffinity(0))
    return Session(fixtures, cores[0], cores[-1], seconds=1.0, warm_up_s=1.0)


def contest(session: Session, peers: list[Peer]) -> Duel:
    every = frozenset(Capability)
    return Duel(session, {peer.name: peer for peer in peers}, every, 1, 1, 0.1, None, note=lambda text: None)


def facts(results: list[WorkloadResult]) -> dict[str, object]:
    """The facts of a run that the report needs."""
    names = {name for result in results for name in result.outcomes}
    method = {"seconds": 1, "warm_up_s": 1, "rounds": 1, "drift_limit": 0.1, "cores": "0,1"}
    machine = {
        "cpu": "stub",
        "cores": 2,
        "memory_gib": 1,
        "system": "Linux",
        "kernel": "6",
        "wrk": "",
        "h2load": "",
    }
    return {
        "schema": SCHEMA,
        "started": "2025-01-01T00:00:00Z",
        "quick": True,
        "revision": "0",
        "machine": machine,
        "interpreter": "stub",
        "method": method,
        "servers": {name: {"title": name, "version": "1"} for name in names},
    }


def test_a_server_is_loaded_and_appears_in_table_json_page_and_chart(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workload = catalogue()["hello-64"]
    results = contest(session, [stub_peer("alsvid"), stub_peer("uvicorn")]).run(
        [Workload("hello-64", workload.title, connections=4)]
    )
    outcome = results[0].outcomes["alsvid"]
    assert outcome.status is Status.MEASURED, outcome.reason
    assert outcome.samples[0].requests > 0
    assert outcome.samples[0].error_count == 0
    assert outcome.samples[0].pss_kib
    assert "alsvid" in terminal(results)

    path = tmp_path / "quick-0.json"
    cli.write_document(path, facts(results), results)
    stored = read_document(path)[1][0]
    assert stored.outcomes["alsvid"].samples == outcome.samples

    page = tmp_path / "RESULTS.md"
    page.write_text(f"before\n{report.BEGIN}\nold\n{report.END}\nafter\n")
    monkeypatch.setattr(report, "PAGE", page)
    assert report.main(path, tmp_path) == 0
    text = page.read_text()
    assert text.startswith("before\n")
    assert text.endswith("after\n")
    assert "| alsvid |" in text
    assert "old" not in text
    assert ElementTree.parse(tmp_path / "chart.svg").getroot().tag.endswith("svg")


def test_a_server_without_the_capability_is_not_available_and_has_no_figure(session: Session) -> None:
    workload = Workload("tls", "TLS", tls=True, needs=frozenset({Capability.TLS}))
    results = contest(session, [stub_peer("uvicorn")]).run([workload])
    outcome = results[0].outcomes["uvicorn"]
    assert outcome.status is Status.NOT_AVAILABLE
    assert outcome.samples == []
    assert " n.a." in terminal(results)


def test_a_server_that_answers_otherwise_fails_with_the_reason(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bench.duel.drivers.READY_S", 0.0)
    results = contest(session, [stub_peer("uvicorn", "Goodbye!")]).run([Workload("hello-64", "GET")])
    outcome = results[0].outcomes["uvicorn"]
    assert outcome.status is Status.FAILS
    assert "Goodbye!" in outcome.reason


def test_a_server_that_ends_at_once_fails_with_its_last_words(session: Session) -> None:
    def command(launch: Launch) -> list[str]:
        return [sys.executable, "-c", "raise SystemExit('no such application')"]

    broken = Peer("uvicorn", "Uvicorn", None, "", command, frozenset())
    results = contest(session, [broken]).run([Workload("hello-64", "GET")])
    assert "no such application" in results[0].outcomes["uvicorn"].reason


def test_idle_connections_and_start_up_are_measured(session: Session) -> None:
    workloads = [
        Workload("idle", "idle", driver="idle", connections=50, unit="KiB", lower_is_better=True),
        Workload("start-up", "start-up", driver="startup", unit="ms", lower_is_better=True),
    ]
    for result in contest(session, [stub_peer("uvicorn")]).run(workloads):
        assert result.outcomes["uvicorn"].status is Status.MEASURED, result.outcomes["uvicorn"].reason


def test_the_list_of_servers_and_workloads_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--list", "--alsvid-python", sys.executable]) == 0
    text = capsys.readouterr().out
    assert "hello-64" in text
    assert "granian" in text


def test_an_unknown_name_is_an_error_that_says_what_there_is(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--list", "--workloads", "helo"]) == 1
    assert "hello-64" in capsys.readouterr().err


def test_stored_documents_of_another_schema_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "run-0.json"
    path.write_text(json.dumps({"schema": 0}))
    with pytest.raises(ValueError, match="schema"):
        read_document(path)
