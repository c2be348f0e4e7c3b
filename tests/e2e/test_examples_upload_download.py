"""Streaming both ways: uploads, downloads, and content that is echoed while it arrives."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import h11
import httpx
import pytest
from processes import Curl, ServerProcess
from wire import Wire

SERVER = ["examples.upload_download:app"]
OCTETS = bytes(range(256)) * 8192 + b"tail"  # 2 MiB and four


def test_curl_uploads_a_file_after_100_continue(
    module_server: ServerProcess, curl: Curl, tmp_path: Path
) -> None:
    """curl asks with Expect: 100-continue and sends when the application reads (RFC 9110 section 10.1.1)."""
    path = tmp_path / "upload"
    path.write_bytes(OCTETS)
    text = curl("-i", "-H", "Expect: 100-continue", "-T", str(path), f"{module_server.url}/upload")
    assert text.startswith("HTTP/1.1 100 Continue\r\n")
    assert hashlib.sha256(OCTETS).hexdigest() in text


def test_a_chunked_upload_arrives_whole(client: httpx.Client) -> None:
    """An upload of unknown length is chunked (RFC 9112 section 7.1)."""

    def pieces() -> Iterator[bytes]:
        for start in range(0, len(OCTETS), 10_007):
            yield OCTETS[start : start + 10_007]

    answer = client.post("/upload", content=pieces()).json()
    assert answer == {"octets": len(OCTETS), "sha256": hashlib.sha256(OCTETS).hexdigest()}


@pytest.mark.parametrize("octets", [0, 1, 65536, 65537, 5_000_000])
def test_a_download_has_the_declared_length(client: httpx.Client, octets: int) -> None:
    """Content-Length and the octets agree, whatever the pieces were."""
    answer = client.get("/download", params={"octets": octets})
    assert answer.headers["content-length"] == str(octets)
    assert len(answer.content) == octets


def test_content_is_answered_while_it_arrives(module_server: ServerProcess) -> None:
    """Neither direction waits for the end of the other: a piece is echoed before the next is sent."""
    with Wire(module_server.address) as wire:
        fields = [("host", wire.host), ("transfer-encoding", "chunked")]
        wire.send(h11.Request(method="POST", target="/echo", headers=fields))
        assert isinstance(wire.next_event(), h11.Response)
        for piece in (b"one", b"two", b"three"):
            wire.send(h11.Data(data=piece))
            data = wire.next_event()
            assert isinstance(data, h11.Data)
            assert data.data == piece
        wire.send(h11.EndOfMessage())
        assert isinstance(wire.next_event(), h11.EndOfMessage)


def test_a_connection_serves_on_after_an_upload(module_server: ServerProcess) -> None:
    """The end of the content is found exactly: the next request begins there."""
    with Wire(module_server.address) as wire:
        for size in (0, 1, 70_000):
            wire.request("PUT", "/upload", body=b"z" * size)
            status, _, body = wire.response()
            assert status == 200
            assert f'"octets": {size},'.encode() in body
            wire.next_request()
