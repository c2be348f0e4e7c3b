"""Connections that begin with a PROXY protocol header, against a real server on loopback."""

from __future__ import annotations

import asyncio
import json
import socket
import struct
from pathlib import Path
from typing import Any

import pytest

import alsvid

GET = b"GET / HTTP/1.1\r\nHost: example.org\r\nConnection: close\r\n\r\n"
V1 = b"PROXY TCP4 203.0.113.7 198.51.100.2 51234 443\r\n"
SIGNATURE = b"\r\n\r\n\x00\r\nQUIT\n"
V2 = (
    SIGNATURE
    + b"\x21\x11"
    + struct.pack(">H", 12)
    + socket.inet_aton("203.0.113.7")
    + socket.inet_aton("198.51.100.2")
    + struct.pack(">HH", 51234, 443)
)
V2_LOCAL = SIGNATURE + b"\x20\x00\x00\x00"


async def account(scope: Any, receive: Any, send: Any) -> None:
    body = json.dumps({"client": scope["client"], "server": scope["server"]}).encode()
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": body})


async def exchange(server: Any, pieces: list[bytes], ssl: Any = None) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", int(server.url.rsplit(":", 1)[1]))
    for piece in pieces:
        writer.write(piece)
        await writer.drain()
        await asyncio.sleep(0)
    try:
        answer = await asyncio.wait_for(reader.read(), 10)
    except ConnectionResetError:  # octets that nobody has read: the kernel answers with RST
        answer = b""
    writer.close()
    return answer


def seen(answer: bytes) -> dict[str, Any]:
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200"), answer
    return json.loads(body)  # type: ignore[no-any-return]


def serve(**settings: Any) -> Any:
    return alsvid.serve(account, lifespan="off", **settings)


@pytest.mark.parametrize(
    ("mode", "header"),
    [("v1", V1), ("v2", V2), ("auto", V1), ("auto", V2)],
    ids=["1", "2", "auto-1", "auto-2"],
)
async def test_the_header_s_addresses_become_client_and_server(mode: str, header: bytes) -> None:
    """PROXY protocol section 2: source and destination of the connection that is relayed."""
    async with serve(proxy_protocol=mode) as server:
        told = seen(await exchange(server, [header + GET]))
    assert told == {"client": ["203.0.113.7", 51234], "server": ["198.51.100.2", 443]}


@pytest.mark.parametrize("header", [V1, V2], ids=["v1", "v2"])
async def test_a_header_in_single_octets_reads_the_same(header: bytes) -> None:
    """A header may be split anywhere; the request behind it loses no octet."""
    async with serve(proxy_protocol="auto") as server:
        told = seen(await exchange(server, [bytes([octet]) for octet in header] + [GET[:5], GET[5:]]))
    assert told["client"] == ["203.0.113.7", 51234]


async def test_a_local_header_keeps_the_real_addresses() -> None:
    """PROXY protocol section 2.2: LOCAL is the balancer speaking for itself (health checks)."""
    async with serve(proxy_protocol="v2") as server:
        told = seen(await exchange(server, [V2_LOCAL + GET]))
    assert told["client"][0] == "127.0.0.1"


async def test_an_unknown_source_is_no_client() -> None:
    """PROXY protocol section 2.1: UNKNOWN tells no address."""
    async with serve(proxy_protocol="v1") as server:
        told = seen(await exchange(server, [b"PROXY UNKNOWN\r\n" + GET]))
    assert told["client"] is None


async def test_a_connection_without_the_header_is_closed_unanswered() -> None:
    """Where the header is expected, a request without it comes from an address that nobody vouches for."""
    async with serve(proxy_protocol="v1") as server:
        assert await exchange(server, [GET]) == b""


async def test_a_peer_that_is_not_believed_is_served_as_it_is() -> None:
    """--proxy-allow-from names the balancers; from others the header would be a request, and a bad one."""
    async with serve(proxy_protocol="v1", proxy_allow_from="192.0.2.1") as server:
        assert seen(await exchange(server, [GET]))["client"][0] == "127.0.0.1"
        assert (await exchange(server, [V1 + GET])).startswith(b"HTTP/1.1 400")


async def test_a_silent_balancer_is_closed_at_the_head_s_deadline() -> None:
    """--timeout-request-head counts from accept, the header included."""
    async with serve(proxy_protocol="v1", timeout_request_head=0.2) as server:
        assert await exchange(server, [b"PROXY TCP4 "]) == b""


async def test_the_header_comes_before_the_tls_handshake(tmp_path: Path) -> None:
    """PROXY protocol section 2: nothing precedes it, so TLS begins right behind it."""
    import ssl
    import subprocess

    key, certificate = tmp_path / "key.pem", tmp_path / "cert.pem"
    command = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-days",
        "2",
        "-subj",
        "/CN=localhost",
    ]
    subprocess.run([*command, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    client = ssl.create_default_context(cafile=str(certificate))
    client.check_hostname = False
    loop = asyncio.get_running_loop()

    def talk(port: int) -> bytes:
        with socket.create_connection(("127.0.0.1", port), timeout=10) as plain:
            plain.sendall(V1)
            with client.wrap_socket(plain) as secure:
                secure.sendall(GET)
                answer = b""
                while piece := secure.recv(65536):
                    answer += piece
                return answer

    async with serve(proxy_protocol="v1", ssl_certfile=str(certificate), ssl_keyfile=str(key)) as server:
        answer = await loop.run_in_executor(None, talk, int(server.url.rsplit(":", 1)[1]))
    assert seen(answer)["client"] == ["203.0.113.7", 51234]
