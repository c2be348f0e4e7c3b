"""Ask what will be timed, and look at every part of the answer. Who fails here is not timed."""

import socket
import ssl
from dataclasses import dataclass
from typing import BinaryIO

from bench.duel.fixtures import RECORD_SEPARATOR, Fixtures, media_type
from bench.duel.model import Expected, Payload, Workload
from bench.duel.peers import HOST

TIMEOUT_S = 20.0
PIPELINED = 16
PIECE_OCTETS = 1 << 16


class VerificationError(Exception):
    """The answer is not what the workload asks for."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One response: names in lower case, in the order received."""

    status: int
    fields: list[tuple[str, str]]
    body: bytes

    def values(self, name: str) -> list[str]:
        return [value for field, value in self.fields if field == name]


def read_answer(stream: BinaryIO) -> Answer:
    """Read one response with a length, chunked, or up to the end of the connection."""
    status_line = stream.readline()
    if not status_line:
        raise VerificationError("the connection was closed without an answer")
    status = int(status_line.split()[1])
    fields = []
    while (line := stream.readline().rstrip(b"\r\n")) != b"":
        name, _, value = line.decode("latin-1").partition(":")
        fields.append((name.lower(), value.strip()))
    answer = Answer(status, fields, b"")
    return Answer(status, fields, read_content(stream, answer))


def read_content(stream: BinaryIO, head: Answer) -> bytes:
    if "chunked" in head.values("transfer-encoding"):
        pieces = []
        while octets := int(stream.readline().split(b";")[0], 16):
            pieces.append(stream.read(octets))
            stream.readline()
        stream.readline()
        return b"".join(pieces)
    lengths = head.values("content-length")
    if lengths:
        return stream.read(int(lengths[0]))
    return stream.read()


def connect(port: int, is_encrypted: bool, timeout_s: float = TIMEOUT_S) -> socket.socket:
    """A connection to 127.0.0.1; with TLS 1.3 and no other version if encrypted."""
    plain = socket.create_connection((HOST, port), timeout=timeout_s)
    plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if not is_encrypted:
        return plain
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    # The certificate is made for this run and signed by itself.
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context.wrap_socket(plain, server_hostname="localhost")


def request_head(workload: Workload, fixtures: Fixtures, port: int) -> bytes:
    """The head that wrk sends."""
    if workload.script == "browser":
        return fixtures.browser.read_bytes().split(RECORD_SEPARATOR, 1)[0]
    method = "POST" if workload.payload is not Payload.NONE else "GET"
    lines = [f"{method} {workload.path} HTTP/1.1", f"Host: {HOST}:{port}"]
    if workload.payload is not Payload.NONE:
        lines.append(f"Content-Length: {fixtures.payload(workload.payload).stat().st_size}")
        lines.append(f"Content-Type: {media_type(workload.payload)}")
    if workload.script == "close":
        lines.append("Connection: close")
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def send_request(connection: socket.socket, workload: Workload, fixtures: Fixtures, port: int) -> None:
    head = request_head(workload, fixtures, port)
    if workload.payload is Payload.NONE:
        connection.sendall(head * PIPELINED if workload.script == "pipeline" else head)
        return
    with fixtures.payload(workload.payload).open("rb") as file:
        # Head and first octets in one write, as wrk does.
        connection.sendall(head + file.read(PIECE_OCTETS))
        while piece := file.read(PIECE_OCTETS):
            connection.sendall(piece)


def check_answer(answer: Answer, expected: Expected) -> None:
    if answer.status != 200:
        raise VerificationError(f"status {answer.status}: {answer.body[:80]!r}")
    if expected.body is not None and answer.body != expected.body:
        raise VerificationError(f"content {answer.body[:40]!r} instead of {expected.body[:40]!r}")
    if expected.octets is not None and len(answer.body) != expected.octets:
        raise VerificationError(f"content of {len(answer.body)} octets instead of {expected.octets}")
    for name, value in expected.fields:
        if value not in answer.values(name):
            raise VerificationError(f"field {name} is {answer.values(name)} instead of {value!r}")
    if len(answer.fields) < expected.field_count:
        raise VerificationError(
            f"{len(answer.fields)} answer fields instead of {expected.field_count} or more"
        )


def verify_http1(workload: Workload, fixtures: Fixtures, port: int) -> None:
    """One connection: two requests (or a batch of 16), or one that must end in a close.

    Raises:
        VerificationError: naming what differs.
    """
    try:
        with connect(port, workload.is_encrypted) as connection, connection.makefile("rb") as stream:
            turns = 1 if workload.script in {"close", "pipeline"} else 2
            for _ in range(turns):
                send_request(connection, workload, fixtures, port)
                for _ in range(PIPELINED if workload.script == "pipeline" else 1):
                    check_answer(read_answer(stream), workload.expected)
            if workload.script == "close" and stream.read(1) != b"":
                raise VerificationError("octets after the answer of a connection to be closed")
    except (OSError, ValueError, IndexError) as error:
        raise VerificationError(f"{type(error).__name__}: {error}") from error


def answers_get(port: int, is_encrypted: bool = False, timeout_s: float = 1.0) -> bool:
    """Whether a plain GET is answered at all; for waiting until a server is up."""
    try:
        with connect(port, is_encrypted, timeout_s) as connection, connection.makefile("rb") as stream:
            connection.sendall(f"GET / HTTP/1.1\r\nHost: {HOST}:{port}\r\n\r\n".encode())
            read_answer(stream)
    except (OSError, ValueError, IndexError, VerificationError):
        return False
    return True
