"""How each kind of workload is measured: start, verify, warm up, measure, stop. One function a kind."""

import time
from collections.abc import Callable
from dataclasses import replace

from bench.duel import procfs
from bench.duel.idle import IdleConnections, Opening, http1_opening, http2_opening, websocket_opening
from bench.duel.load import LoadError, LoadReport, run_h2load, run_handshakes, run_wrk
from bench.duel.model import Capability, Protocol, Sample, Workload
from bench.duel.peers import Peer
from bench.duel.serverprocess import START_TIMEOUT_S, RunningServer, ServerError, start_server
from bench.duel.session import Session
from bench.duel.verify import VerificationError, answers_get, verify_http1
from bench.duel.websocket import run_websocket, verify_websocket

Driver = Callable[[Session, Peer, Workload], Sample]
Load = Callable[[float], LoadReport]
POLL_S = 0.002
READY_S = 5.0
WARM_UP_CONNECTIONS = 64
# A log may be written in batches; what is not there after this is not going to be.
LOG_SETTLE_S = 1.5
LOGGED_SHARE = 0.98


def verify_when_ready(session: Session, server: RunningServer, workload: Workload) -> None:
    """Verify; try again for a while, since a parent process may listen before its workers serve.

    Raises:
        VerificationError: what the last attempt found.
    """
    deadline = time.monotonic() + READY_S
    while True:
        try:
            verify_http1(workload, session.fixtures, server.port)
            return
        except VerificationError:
            if time.monotonic() > deadline:
                raise
        if server.process.poll() is not None:
            raise ServerError(f"ended with status {server.process.returncode}: {server.last_words()}")
        time.sleep(0.05)


def timed(session: Session, server: RunningServer, workload: Workload, load: Load) -> Sample:
    """Warm up, then load once with the processor time of the server's whole tree beside it."""
    try:
        load(session.warm_up_s)
        before = procfs.cpu_times(server.session_id)
        report = load(max(session.seconds, workload.min_seconds))
    except LoadError as error:
        if server.process.poll() is not None:
            status = server.process.returncode
            raise ServerError(f"ended with status {status} under load: {server.last_words()}") from error
        raise
    cpu = procfs.cpu_times(server.session_id).since(before)
    if report.requests == 0:
        raise VerificationError(f"no request was answered under load; errors: {report.errors}")
    return Sample(
        value=report.requests / report.seconds,
        requests=report.requests,
        seconds=report.seconds,
        errors=report.errors,
        cpu_user_us=cpu.user_s / report.requests * 1e6,
        cpu_system_us=cpu.system_s / report.requests * 1e6,
        p50_us=report.p50_us,
        p99_us=report.p99_us,
        pss_kib=procfs.pss_kib(server.session_id),
    )


def measure_wrk(session: Session, peer: Peer, workload: Workload) -> Sample:
    with session.running(peer, workload) as server:
        verify_when_ready(session, server, workload)
        sample = timed(
            session,
            server,
            workload,
            lambda seconds: run_wrk(workload, session.fixtures, server.port, seconds, session.client_core),
        )
        if server.access_log is not None:
            check_log(server, sample.requests)
        return sample


def check_log(server: RunningServer, requests: int) -> None:
    """A log that is switched on must have a line for each request."""
    assert server.access_log is not None
    time.sleep(LOG_SETTLE_S)
    lines = 0
    with server.access_log.open("rb") as file:
        while piece := file.read(1 << 20):
            lines += piece.count(b"\n")
    if lines < requests * LOGGED_SHARE:
        raise VerificationError(f"{lines} lines in the access log for {requests} requests and more")


def measure_h2load(session: Session, peer: Peer, workload: Workload) -> Sample:
    def load(seconds: float) -> LoadReport:
        return run_h2load(workload, server.port, seconds, session.client_core)

    with session.running(peer, workload) as server:
        probe = None
        deadline = time.monotonic() + START_TIMEOUT_S
        while probe is None or (probe.requests == 0 and time.monotonic() < deadline):
            probe = run_h2load(workload, server.port, 5, session.client_core, requests=1)
        if probe.requests != 1:
            raise VerificationError(f"an HTTP/2 request is not answered: {probe.errors}")
        wanted = len(workload.expected.body or b"")
        if probe.content_octets != wanted:
            raise VerificationError(f"content of {probe.content_octets} octets instead of {wanted}")
        return timed(session, server, workload, load)


def measure_websocket(session: Session, peer: Peer, workload: Workload) -> Sample:
    with session.running(peer, workload) as server:
        verify_websocket(workload, server.port)
        return timed(
            session,
            server,
            workload,
            lambda seconds: run_websocket(workload, server.port, seconds, session.client_core),
        )


def measure_startup(session: Session, peer: Peer, workload: Workload) -> Sample:
    """Milliseconds from the start of the process to the end of its first answer."""
    server = start_server(peer, session.python_for(peer), workload, session.fixtures, session.server_core)
    try:
        server.wait_until_listening()
        while not answers_get(server.port, timeout_s=START_TIMEOUT_S):
            if time.monotonic() - server.started > START_TIMEOUT_S:
                raise ServerError(f"no answer after {START_TIMEOUT_S:.0f} s: {server.last_words()}")
            time.sleep(POLL_S)
        elapsed_s = time.monotonic() - server.started
        verify_http1(workload, session.fixtures, server.port)
        return Sample(value=elapsed_s * 1e3, pss_kib=procfs.pss_kib(server.session_id))
    finally:
        server.stop()


def measure_memory(session: Session, peer: Peer, workload: Workload) -> Sample:
    """MiB of the whole tree after a load that has touched every path of the server."""
    with session.running(peer, workload) as server:
        verify_when_ready(session, server, workload)
        run_wrk(workload, session.fixtures, server.port, session.warm_up_s, session.client_core)
        pss_kib = procfs.pss_kib(server.session_id)
        return Sample(value=pss_kib / 1024, pss_kib=pss_kib)


def measure_idle(session: Session, peer: Peer, workload: Workload) -> Sample:
    """KiB that one more idle connection costs in the server's processes (the kernel's share is not in it)."""
    # Few connections: what many of them have cost must not count as there before.
    few = replace(workload, connections=WARM_UP_CONNECTIONS, message_octets=64)
    with session.running(peer, workload) as server:
        opening = warm_idle(session, server, few)
        before_kib = procfs.pss_kib(server.session_id)
        with IdleConnections(server.port, workload.connections, opening) as idle:
            idle.open()
            pss_kib = procfs.pss_kib(server.session_id)
            lost = idle.count_lost()
        if lost > workload.connections // 100:
            raise VerificationError(f"{lost} of {workload.connections} idle connections were closed")
        value = (pss_kib - before_kib) / workload.connections
        return Sample(value=value, requests=workload.connections, pss_kib=pss_kib)


def warm_idle(session: Session, server: RunningServer, few: Workload) -> Opening:
    """Verify and load in the protocol of the workload, and return how its connections begin."""
    seconds, core, port = session.warm_up_s, session.client_core, server.port
    if few.protocol is Protocol.H2C:
        run_h2load(few, port, seconds, core)
        return http2_opening(port)
    if Capability.WEBSOCKET in few.needs:
        verify_websocket(few, port)
        run_websocket(few, port, seconds, core)
        return websocket_opening(port)
    verify_when_ready(session, server, few)
    run_wrk(few, session.fixtures, port, seconds, core)
    return http1_opening(port)


def measure_handshakes(session: Session, peer: Peer, workload: Workload) -> Sample:
    """Full TLS handshakes, each with one request; wrk would resume the sessions."""
    with session.running(peer, workload) as server:
        verify_when_ready(session, server, workload)
        return timed(
            session,
            server,
            workload,
            lambda seconds: run_handshakes(workload, server.port, seconds, session.client_core),
        )


def drivers() -> dict[str, Driver]:
    """The function of each `Workload.driver`."""
    return {
        "wrk": measure_wrk,
        "h2load": measure_h2load,
        "websocket": measure_websocket,
        "startup": measure_startup,
        "memory": measure_memory,
        "idle": measure_idle,
        "handshake": measure_handshakes,
    }
