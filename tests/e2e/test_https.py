"""TLS through the command line: curl and httpx as clients that verify the certificate."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from certificates import CertificateFiles, client_context, write_certificate
from processes import ROOT, WAIT_S, Curl, ServerProcess, Start


@pytest.fixture
def files(tmp_path: Path) -> CertificateFiles:
    """A certificate for localhost."""
    return write_certificate(tmp_path)


@pytest.fixture
def server(start: Start, files: CertificateFiles) -> ServerProcess:
    """The Starlette example over TLS."""
    return start(
        "examples.starlette_app:app", "--port", "0", "--ssl-certfile", files.cert, "--ssl-keyfile", files.key
    )


@pytest.fixture
def client(server: ServerProcess, files: CertificateFiles) -> Iterator[httpx.Client]:
    """A client that trusts the certificate and calls the server by its name."""
    assert server.url.startswith("https://127.0.0.1:")
    url = f"https://localhost:{server.address[1]}"
    with httpx.Client(base_url=url, verify=client_context(files), trust_env=False, timeout=WAIT_S) as client:
        yield client


def test_curl_verifies_and_fetches(server: ServerProcess, files: CertificateFiles, curl: Curl) -> None:
    """The scheme that the application sees is https."""
    port = server.address[1]
    resolve = ["--resolve", f"localhost:{port}:127.0.0.1", "--cacert", files.cert]
    assert f'"url":"https://localhost:{port}/?y=1"' in curl(*resolve, f"https://localhost:{port}/?y=1")


def test_files_and_streams_arrive_whole_over_tls(client: httpx.Client) -> None:
    """The kernel cannot send files into TLS; what arrives is the same."""
    plain = {"accept-encoding": "identity"}
    assert client.get("/file", headers=plain).content == (ROOT / "examples/starlette_app.py").read_bytes()
    assert client.get("/count?to=3000", headers=plain).text.split()[-1] == "3000"


def test_a_plain_request_on_a_tls_port_is_no_answer_and_no_harm(
    server: ServerProcess, client: httpx.Client
) -> None:
    """Nothing falls back to plain text; others are served on."""
    with pytest.raises(httpx.TransportError):
        httpx.get(server.url.replace("https", "http"), trust_env=False)
    assert client.get("/").status_code == 200


def test_a_key_that_does_not_fit_stops_the_start(
    start: Start, files: CertificateFiles, tmp_path: Path
) -> None:
    """Fail closed: exit status 2, and the option is named."""
    other = write_certificate(tmp_path, "other")
    server = start("examples.hello:app", "--port", "0", "--certfile", files.cert, "--keyfile", other.key)
    assert server.wait() == 2
    assert "keyfile" in server.transcript()
