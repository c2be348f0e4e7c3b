"""The nouns of a duel: workload, sample, outcome. Data only; no process is started here."""

from dataclasses import dataclass, field
from enum import StrEnum

REFERENCE = "alsvid"
BASELINE = "uvicorn"
CONTROL = "nginx"


class Capability(StrEnum):
    """What a server must be able to do before a workload makes sense on it."""

    ASGI = "ASGI applications"
    SIZED = "answers of any size"
    ACCESS_LOG = "access log"
    TLS = "TLS"
    H2 = "HTTP/2 over TLS"
    H2C = "HTTP/2 in cleartext"
    WEBSOCKET = "WebSocket"
    DEFLATE = "WebSocket compression"
    WSGI = "WSGI applications"
    WORKERS = "worker processes"
    IDLE = "10,000 idle connections"


class Protocol(StrEnum):
    """What is spoken on the wire."""

    HTTP1 = "http/1.1"
    H2C = "h2c"
    H2 = "h2"


class Status(StrEnum):
    """How a server came out of a workload. Only MEASURED has figures."""

    MEASURED = "measured"
    NOT_AVAILABLE = "n.a."
    PENDING = "pending"
    FAILS = "fails"
    VOID = "void"


class Payload(StrEnum):
    """The content of the request; the file is made by `fixtures`."""

    NONE = ""
    JSON_1K = "json-1k"
    UPLOAD_1M = "upload-1m"
    UPLOAD_100M = "upload-100m"


@dataclass(frozen=True, slots=True)
class Expected:
    """What one answer must be before it is timed."""

    body: bytes | None = None
    octets: int | None = None
    fields: tuple[tuple[str, str], ...] = ()
    field_count: int = 0


@dataclass(frozen=True, slots=True)
class Workload:
    """One row of the table.

    `driver` names the function of `drivers` that loads the server; `script` the Lua file of wrk.
    """

    name: str
    title: str
    app: str = "hello"
    driver: str = "wrk"
    connections: int = 64
    path: str = "/"
    script: str = "plain"
    payload: Payload = Payload.NONE
    expected: Expected = Expected(body=b"Hello, World!")
    needs: frozenset[Capability] = frozenset()
    protocol: Protocol = Protocol.HTTP1
    tls: bool = False
    access_log: bool = False
    workers: int = 1
    interface: str = "asgi"
    streams: int = 1
    message_octets: int = 0
    deflate: bool = False
    min_seconds: float = 0.0
    unit: str = "requests/s"
    lower_is_better: bool = False
    quick: bool = False

    @property
    def is_encrypted(self) -> bool:
        return self.tls or self.protocol is Protocol.H2


@dataclass(slots=True)
class Sample:
    """One measurement of one server in one round. Microseconds are per request."""

    value: float
    requests: int = 0
    seconds: float = 0.0
    errors: dict[str, int] = field(default_factory=dict)
    cpu_user_us: float | None = None
    cpu_system_us: float | None = None
    p50_us: float | None = None
    p99_us: float | None = None
    pss_kib: int | None = None
    round: int = 0
    void: bool = False

    @property
    def error_count(self) -> int:
        return sum(self.errors.values())


@dataclass(slots=True)
class Outcome:
    """What one server did in one workload over all rounds."""

    status: Status
    reason: str = ""
    samples: list[Sample] = field(default_factory=list)
