"""What all measurements of a run share: fixtures, cores, interpreters, durations."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass

from bench.duel.environments import python_of
from bench.duel.fixtures import Fixtures
from bench.duel.model import Workload
from bench.duel.peers import Peer
from bench.duel.serverprocess import RunningServer, start_server


@dataclass(frozen=True, slots=True)
class Session:
    """Immutable during a run. `alsvid_python` replaces Alsvid's own environment when given."""

    fixtures: Fixtures
    server_core: int
    client_core: int
    seconds: float
    warm_up_s: float
    alsvid_python: str | None = None

    def python_for(self, peer: Peer) -> str:
        if peer.name == "alsvid" and self.alsvid_python is not None:
            return self.alsvid_python
        return python_of(peer.environment) if peer.environment is not None else ""

    @contextlib.contextmanager
    def running(self, peer: Peer, workload: Workload) -> Iterator[RunningServer]:
        """A listening server, stopped on leaving.

        Raises:
            ServerError: it does not come up.
        """
        server = start_server(peer, self.python_for(peer), workload, self.fixtures, self.server_core)
        try:
            server.wait_until_listening()
            yield server
        finally:
            server.stop()
