"""The order of a run: control, A, B, C, control, B, C, A, control ... and what counts of it."""

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from bench.duel.drivers import drivers
from bench.duel.load import LoadError, run_wrk
from bench.duel.model import CONTROL, REFERENCE, Capability, Outcome, Sample, Status, Workload
from bench.duel.peers import ROOT, Peer
from bench.duel.serverprocess import RunningServer, ServerError
from bench.duel.session import Session
from bench.duel.summary import void_rounds
from bench.duel.verify import VerificationError

Failure = (ServerError, VerificationError, LoadError)
CONTROL_WORKLOAD = Workload("control", "the control")
CONTROL_SECONDS = 1.0


@dataclass(slots=True)
class WorkloadResult:
    """One workload over all servers. `control` has one value before each round and one after the last."""

    workload: Workload
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    control: list[float] = field(default_factory=list)
    void_rounds: set[int] = field(default_factory=set)


@dataclass(slots=True)
class Duel:
    """Runs workloads over servers. `alsvid_can` is what the Alsvid at hand offers."""

    session: Session
    peers: dict[str, Peer]
    alsvid_can: frozenset[Capability]
    rounds: int
    most_rounds: int
    drift_limit: float
    control_server: RunningServer | None
    run_pending: bool = False
    note: Callable[[str], None] = print

    def run(
        self, workloads: list[Workload], keep: Callable[[list[WorkloadResult]], None] | None = None
    ) -> list[WorkloadResult]:
        """Run all; `keep` is called with what there is after each, so that an interrupted run is not lost."""
        results: list[WorkloadResult] = []
        for number, workload in enumerate(workloads, 1):
            self.note(f"[{number}/{len(workloads)}] {workload.name}: {workload.title}")
            results.append(self.run_workload(workload))
            if keep is not None:
                keep(results)
        return results

    def run_workload(self, workload: Workload) -> WorkloadResult:
        result = WorkloadResult(workload)
        contestants = []
        for peer in self.peers.values():
            outcome = self.initial_outcome(peer, workload)
            result.outcomes[peer.name] = outcome
            if outcome.status is Status.MEASURED:
                contestants.append(peer)
        if not contestants:
            return result
        self.run_rounds(result, contestants)
        return result

    def initial_outcome(self, peer: Peer, workload: Workload) -> Outcome:
        """MEASURED if it can take part; otherwise why not."""
        alsvid_lacks = sorted(workload.needs - self.alsvid_can)
        if peer.name == REFERENCE:
            if alsvid_lacks or not self.alsvid_can:
                return Outcome(Status.PENDING, "waits for " + (", ".join(alsvid_lacks) or "the server"))
            return Outcome(Status.MEASURED)
        lacks = sorted(workload.needs - peer.capabilities)
        if lacks:
            return Outcome(Status.NOT_AVAILABLE, "does not offer: " + ", ".join(lacks))
        if alsvid_lacks and REFERENCE in self.peers and not self.run_pending:
            return Outcome(Status.PENDING, "waits for Alsvid: " + ", ".join(alsvid_lacks))
        return Outcome(Status.MEASURED)

    def run_rounds(self, result: WorkloadResult, contestants: list[Peer]) -> None:
        """Rounds until enough of them are valid, `most_rounds` at most."""
        self.measure_control(result)
        number = 0
        while number < self.most_rounds and number - len(result.void_rounds) < self.rounds:
            # Each round starts with another server, so that none always follows the same one.
            start = number % len(contestants)
            for peer in contestants[start:] + contestants[:start]:
                self.run_sample(result, peer, number)
            self.measure_control(result)
            number += 1
            if result.control:
                result.void_rounds = void_rounds(result.control, self.drift_limit)
        self.mark_void(result, number)

    def mark_void(self, result: WorkloadResult, rounds: int) -> None:
        for outcome in result.outcomes.values():
            for sample in outcome.samples:
                sample.void = sample.round in result.void_rounds
            if outcome.status is Status.MEASURED and all(sample.void for sample in outcome.samples):
                outcome.status = Status.VOID
                outcome.reason = f"the control drifted by more than {self.drift_limit:.0%} in every round"
        if result.void_rounds:
            self.note(f"    void: {len(result.void_rounds)} of {rounds} rounds, the control drifted")

    def run_sample(self, result: WorkloadResult, peer: Peer, number: int) -> None:
        outcome = result.outcomes[peer.name]
        if outcome.status is not Status.MEASURED:
            return
        measure = drivers()[result.workload.driver]
        for attempt in (1, 2):
            try:
                sample = measure(self.session, peer, result.workload)
            except Failure as error:
                # Once more, since a port can be taken or a process starved; twice is a finding.
                if attempt == 2:
                    outcome.status, outcome.reason = Status.FAILS, self.reason_of(error)
                    self.note(f"    {peer.name:13} fails: {outcome.reason}")
            else:
                sample.round = number
                outcome.samples.append(sample)
                self.note(f"    {number + 1}  {peer.name:13} {describe(sample, result.workload)}")
                return

    def reason_of(self, error: Exception) -> str:
        """One line without the paths of this machine."""
        text = " ".join(str(error).split())
        return text.replace(str(self.session.fixtures.folder), "TMP").replace(str(ROOT), ".")

    def measure_control(self, result: WorkloadResult) -> None:
        """nginx, the same load each time: what it strays, the machine strays."""
        if self.control_server is None:
            return
        session = self.session
        report = run_wrk(
            CONTROL_WORKLOAD, session.fixtures, self.control_server.port, CONTROL_SECONDS, session.client_core
        )
        result.control.append(report.requests / report.seconds)
        self.note(f"       {CONTROL + ' control':13} {result.control[-1]:12,.0f}/s")


def describe(sample: Sample, workload: Workload) -> str:
    text = f"{sample.value:12,.1f} {workload.unit}"
    if sample.cpu_user_us is not None and sample.cpu_system_us is not None:
        text += f"  {sample.cpu_user_us:.1f} + {sample.cpu_system_us:.1f} us"
    if sample.error_count:
        text += f"  errors {sample.errors}"
    return text


def estimate_s(workloads: list[Workload], peers: int, rounds: int, seconds: float, warm_up_s: float) -> float:
    """About how long a run takes; a start and a stop of a server are about two seconds."""
    each = [max(seconds, workload.min_seconds) + warm_up_s + 2.0 for workload in workloads]
    return sum(rounds * (peers * value + CONTROL_SECONDS) for value in each)


def utc_now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def print_error(text: str) -> None:
    print(f"duel: {text}", file=sys.stderr)
