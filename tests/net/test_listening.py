"""Real listeners: TLS, Unix sockets, IPv6, several binds, passed descriptors; half-close and reset."""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
from pathlib import Path
from typing import Any

import pytest
from certificates import CertificateFiles, client_context, write_certificate
from serving import GET, Client, answering, echo, get, path_echo, post, respond, serving, turns, until


@pytest.fixture
def certificate(tmp_path: Path) -> CertificateFiles:
    return write_certificate(tmp_path)


def tls(certificate: CertificateFiles, **more: Any) -> dict[str, Any]:
    """Settings of a TLS server."""
    return {"ssl_certfile": certificate.cert, "ssl_keyfile": certificate.key, **more}


def trusting(certificate: CertificateFiles, own: CertificateFiles | None = None) -> dict[str, Any]:
    """What a client connects with."""
    return {"ssl": client_context(certificate, own), "server_hostname": "localhost"}


async def test_tls_serves_and_says_http_1_1(certificate: CertificateFiles) -> None:
    """RFC 7301: http/1.1 is chosen; keep-alive, uploads and large answers work as on a plain connection."""
    context = client_context(certificate)
    context.set_alpn_protocols(["h3", "http/1.1"])
    async with (
        serving(echo, **tls(certificate)) as server,
        server.client(ssl=context, server_hostname="localhost") as client,
    ):
        assert client.writer.get_extra_info("ssl_object").selected_alpn_protocol() == "http/1.1"
        for size in (0, 1, 100_000, 3_000_000):
            assert (await client.ask(post(b"x" * size))).body == b"x" * size


async def test_a_tls_client_that_closes_is_a_disconnect(certificate: CertificateFiles) -> None:
    """close_notify while an answer is awaited: TLS has no half-close here, so the client has gone."""
    told = asyncio.Event()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        told.set()

    async with serving(app, **tls(certificate)) as server:
        client = await server.connect(**trusting(certificate))
        client.send(GET)
        await until(lambda: server.cycles)
        await client.close()
        await told.wait()


async def test_tls_answers_end_the_connection_when_they_say_so(certificate: CertificateFiles) -> None:
    """`Connection: close` over TLS: the whole answer, then the end."""
    async with (
        serving(answering(b"x" * 500_000), **tls(certificate)) as server,
        server.client(**trusting(certificate)) as client,
    ):
        client.send(get("/", "Connection: close"))
        assert (await client.rest()).endswith(b"x" * 500_000)


@pytest.mark.parametrize("has_certificate", [True, False])
async def test_client_certificates_can_be_demanded(
    tmp_path: Path, certificate: CertificateFiles, has_certificate: bool
) -> None:
    """--ssl-cert-reqs required: without one there is no HTTP; with one the application sees it."""
    own = write_certificate(tmp_path, "client")
    seen: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append(scope["extensions"]["tls"])
        scope["extensions"]["tls"]["client_cert_chain"].append("spoilt")
        await respond(send)

    settings = tls(certificate, ssl_ca_certs=own.cert, ssl_cert_reqs="required")
    async with serving(app, **settings) as server:
        if has_certificate:
            async with server.client(**trusting(certificate, own)) as client:
                await client.ask()
                await client.ask()
            assert seen[0]["client_cert_name"] == "CN=client"
            assert len(seen[1]["client_cert_chain"]) == 2  # its own one, and what this test appended
        else:
            with pytest.raises((ssl.SSLError, ConnectionError, asyncio.IncompleteReadError)):
                async with server.client(**trusting(certificate)) as client:
                    await client.ask()
            assert seen == []


@pytest.mark.loop_errors
async def test_plain_http_on_a_tls_port_gets_no_answer_and_hurts_nobody(
    certificate: CertificateFiles,
) -> None:
    """A mistake of a client's: the connection ends, others are served."""
    async with serving(answering(b"x"), **tls(certificate)) as server:
        async with server.client() as plain:
            plain.send(GET)
            assert b"HTTP/1.1 200" not in await plain.rest()
        async with server.client(**trusting(certificate)) as client:
            assert (await client.ask()).body == b"x"


@pytest.mark.loop_errors
async def test_a_handshake_that_stalls_is_given_up(certificate: CertificateFiles) -> None:
    """safety.md section 1: TLS handshake 10 s; here 0.1 s."""
    async with (
        serving(answering(), **tls(certificate, timeout_tls_handshake=0.1)) as server,
        server.client() as client,
    ):
        client.send(b"\x16\x03\x01")
        assert await client.rest() in (b"", b"RESET")


async def test_a_new_certificate_is_taken_without_cutting_anyone(
    tmp_path: Path, certificate: CertificateFiles
) -> None:
    """Certificates are read again when their files change: new connections get the new one."""
    release = asyncio.Event()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await release.wait()
        await respond(send, b"x")

    async with serving(app, **tls(certificate)) as server, server.client(**trusting(certificate)) as old:
        old.send(GET)
        await until(lambda: server.cycles)
        (tmp_path / "new").mkdir()
        successor = write_certificate(tmp_path / "new")
        for source, target in zip(successor, certificate, strict=True):
            os.replace(source, target)
        told = await server.events.wait_for("tls_reload")
        assert told["ok"]
        await turns()
        release.set()
        assert (await old.response()).body == b"x"
        async with server.client(**trusting(certificate)) as new:
            assert (await new.ask()).body == b"x"
        assert (await old.ask()).body == b"x"


async def test_a_unix_socket_serves(tmp_path: Path) -> None:
    """--uds; the path is gone after the stop."""
    path = tmp_path / "s"
    async with serving(path_echo, uds=str(path)) as server, server.client() as client:
        assert (await client.ask(get("/unix"))).body == b"/unix"
    assert not path.exists()


async def test_several_binds_serve_the_same_application(tmp_path: Path) -> None:
    """-b is repeatable: TCP, IPv6 and Unix at once."""
    binds = ["127.0.0.1:0", "[::1]:0", f"unix:{tmp_path / 's'}"]
    async with serving(path_echo, bind=binds) as server:
        assert len(server.server.urls) == 3
        for listener in server.server.listeners:
            name = listener.socket.getsockname()
            if isinstance(name, str):
                client = Client(*await asyncio.open_unix_connection(name))
            else:
                client = Client(*await asyncio.open_connection(*name[:2]))
            assert (await client.ask(get("/same"))).body == b"/same"
            await client.close()


async def test_a_passed_descriptor_serves() -> None:
    """--fd: a socket that somebody else has bound."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        bound.listen()
        descriptor = os.dup(bound.fileno())
    async with serving(path_echo, fd=descriptor) as server, server.client() as client:
        assert (await client.ask(get("/fd"))).body == b"/fd"


async def test_a_half_closed_client_reads_its_quick_answer() -> None:
    """FIN behind the request: the answer comes, then the end."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await asyncio.sleep(0.01)
        await respond(send, b"x" * 300_000)

    async with serving(app) as server, server.client() as client:
        client.send(GET)
        client.send_eof()
        assert (await client.rest()).endswith(b"x" * 300_000)


async def test_fin_before_any_request_ends_the_connection() -> None:
    """Nothing was asked; nothing is answered."""
    async with serving(answering()) as server, server.client() as client:
        client.send_eof()
        assert await client.rest() == b""
        await until(lambda: not server.context.connections)


@pytest.mark.parametrize("when", ["idle", "head", "content", "answer"])
async def test_a_reset_at_any_time_leaves_nothing_behind(when: str) -> None:
    """No task, no connection, no line of an error."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass

    data = {"idle": b"", "head": b"GET / HT", "content": post(b"body")[:-2], "answer": GET}
    async with serving(app) as server:
        clients = [await server.connect() for _ in range(20)]
        for client in clients:
            client.send(data[when])
        await until(lambda: len(server.context.connections) == 20)
        if when in ("content", "answer"):
            await until(lambda: len(server.cycles) == 20)
        for client in clients:
            client.reset()
        await until(lambda: not server.context.connections and not server.cycles)
        assert server.events.of("application_error") == []
        assert server.events.of("internal_error") == []


async def test_silent_and_dribbling_clients_are_closed_at_their_deadline() -> None:
    """On real sockets and small: 100 silent ones, 100 that send an octet now and then."""
    async with serving(answering(b"x"), timeout_request_head=0.4) as server:
        silent = [await server.connect() for _ in range(100)]
        dribbling = [await server.connect() for _ in range(100)]
        for octet in GET[:5]:
            for client in dribbling:
                client.send(bytes([octet]))
            await asyncio.sleep(0.01)
        async with server.client() as normal:
            assert (await normal.ask()).body == b"x"
        assert {await client.rest() for client in silent} == {b""}
        for client in dribbling:
            assert (await client.rest()).startswith(b"HTTP/1.1 408 ")
        for client in silent + dribbling:
            await client.close()
        await until(lambda: not server.context.connections)


async def test_the_connection_cap_counts_real_connections() -> None:
    """--limit-connections: the idle one goes, the newcomer is served."""
    async with serving(answering(b"x"), limit_connections=1) as server, server.client() as first:
        assert (await first.ask()).body == b"x"
        async with server.client() as second:
            assert (await second.ask()).body == b"x"
            assert await first.rest() == b""
