"""Trailers, early hints, pathsend and zerocopysend."""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from certificates import client_context, write_certificate
from serving import GET, get, request, respond, serving

START = {"type": "http.response.start", "status": 200, "headers": []}
LAST = {"type": "http.response.body", "body": b"last"}
CONTENT = bytes(range(256)) * 4000  # about 1 MB: more than any buffer on the way


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "content"
    path.write_bytes(CONTENT)
    return path


@pytest.fixture(params=["plain", "tls"])
def settings(
    request: pytest.FixtureRequest, tmp_path: Path
) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Settings of the server and of its client."""
    if request.param == "plain":
        yield {}, {}
    else:
        certificate = write_certificate(tmp_path)
        yield (
            {"ssl_certfile": certificate.cert, "ssl_keyfile": certificate.key},
            {"ssl": client_context(certificate), "server_hostname": "localhost"},
        )


async def test_trailers_come_to_a_client_that_wants_them() -> None:
    """RFC 9110 section 6.5.1: `TE: trailers`; they end the chunked content."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({**START, "trailers": True})
        await send(LAST)
        await send({"type": "http.response.trailers", "headers": [(b"x-a", b"1")], "more_trailers": True})
        await send({"type": "http.response.trailers", "headers": [(b"x-b", b"2")]})

    async with serving(app) as server, server.client() as client:
        for _ in range(2):
            response = await client.ask(get("/", "TE: trailers"))
            assert (response.body, response.trailers) == (b"last", ["x-a: 1", "x-b: 2"])
        for data in (GET, get("/", "TE: trailers", "Connection: keep-alive", version="1.0")):
            response = await client.ask(data)
            assert (response.body, response.trailers) == (b"last", [])
        assert server.events.of("application_error") == []


@pytest.mark.one_loop
async def test_a_trailer_that_must_not_be_one_cuts_the_answer() -> None:
    """RFC 9110 section 6.5.1: framing and routing fields are not for trailers."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({**START, "trailers": True})
        await send(LAST)
        await send({"type": "http.response.trailers", "headers": [(b"content-length", b"9")]})

    async with serving(app) as server, server.client() as client:
        client.send(get("/", "TE: trailers"))
        assert (await client.rest()).endswith(b"4\r\nlast\r\n")
        assert len(server.events.of("application_error")) == 1


async def test_early_hints_come_before_the_answer() -> None:
    """RFC 8297: 103 with Link, any number of them; not to HTTP/1.0 (RFC 9110 section 15.2)."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.early_hint", "links": [b"</a.css>; rel=preload", b"</b.js>"]})
        await send({"type": "http.response.early_hint", "links": [b"</c>"]})
        await respond(send, b"x")

    async with serving(app) as server, server.client() as client:
        first = await client.ask()
        assert (first.status, [value for _, value in first.fields]) == (
            103,
            ["</a.css>; rel=preload", "</b.js>"],
        )
        assert (await client.response()).status == 103
        assert (await client.response()).status == 200
        assert (await client.ask(get("/", "Connection: keep-alive", version="1.0"))).status == 200


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("declared", [False, True])
async def test_pathsend_sends_a_file(file: Path, settings: Any, method: str, declared: bool) -> None:
    """ASGI pathsend extension: the file is the whole content; its size is the length."""
    headers = [(b"content-length", b"%d" % len(CONTENT))] if declared else []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({**START, "headers": headers})
        await send({"type": "http.response.pathsend", "path": str(file)})
        assert (await receive())["type"] == "http.disconnect"

    async with serving(app, **settings[0]) as server, server.client(**settings[1]) as client:
        for _ in range(2):
            response = await client.ask(request(method, "/"), method)
            assert response.headers["content-length"] == str(len(CONTENT))
            assert response.body == (CONTENT if method == "GET" else b"")
        assert server.events.of("application_error") == []


@pytest.mark.parametrize("framing", ["chunked", "length", "HTTP/1.0"])
async def test_zerocopysend_sends_pieces_between_other_content(
    file: Path, settings: Any, framing: str
) -> None:
    """ASGI zero copy send: offset and count; without an offset the file is read from its position."""
    expected = b"<" + CONTENT[:1000] + CONTENT[1000:3000] + CONTENT[10:20] + CONTENT[3000:] + b">"

    async def app(scope: Any, receive: Any, send: Any) -> None:
        headers = [(b"content-length", b"%d" % len(expected))] if framing == "length" else []
        with file.open("rb", buffering=0) as opened:
            zero = {"type": "http.response.zerocopysend", "file": opened, "more_body": True}
            await send({**START, "headers": headers})
            await send({"type": "http.response.body", "body": b"<", "more_body": True})
            await send({**zero, "count": 1000})
            await send({**zero, "count": 2000, "file": opened.fileno()})
            await send({**zero, "offset": 10, "count": 10})
            await send(zero)
            await send({**zero, "count": 0})
            await send({"type": "http.response.body", "body": b">"})

    async with serving(app, **settings[0]) as server, server.client(**settings[1]) as client:
        version = "1.0" if framing == "HTTP/1.0" else "1.1"
        assert (await client.ask(get(version=version))).body == expected
        if version == "1.1":
            assert (await client.ask()).body == expected
        assert server.events.of("application_error") == []


@pytest.mark.parametrize("kind", ["pathsend", "zerocopysend"])
async def test_a_file_may_be_empty_and_end_the_answer(tmp_path: Path, kind: str) -> None:
    """Nothing to send is sent well."""
    path = tmp_path / "empty"
    path.touch()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send(START)
        if kind == "pathsend":
            await send({"type": "http.response.pathsend", "path": str(path)})
        else:
            with path.open("rb") as opened:
                await send({"type": "http.response.zerocopysend", "file": opened})

    async with serving(app) as server, server.client() as client:
        for _ in range(2):
            assert (await client.ask()).body == b""


@pytest.mark.parametrize(
    ("kind", "headers"),
    [
        ("zerocopysend", []),
        ("zerocopysend", [(b"content-length", b"2000000")]),
        ("pathsend", [(b"content-length", b"2000000")]),
    ],
)
async def test_a_file_that_is_too_short_is_visible_to_the_client(
    file: Path, settings: Any, kind: str, headers: Any
) -> None:
    """safety.md section 2: an under-run of a declared length is always a truncation."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({**START, "headers": headers})
        with file.open("rb") as opened:
            if kind == "zerocopysend":
                await send({"type": "http.response.zerocopysend", "file": opened, "count": 2_000_000})
            else:
                await send({"type": "http.response.pathsend", "path": str(file)})

    async with serving(app, **settings[0]) as server, server.client(**settings[1]) as client:
        client.send(GET)
        octets = await client.rest()
        assert not octets.endswith(b"0\r\n\r\n")
        assert octets.partition(b"\r\n\r\n")[2].__len__() < 2_000_000
        (told,) = server.events.of("application_error")
        assert told["stage"] in ("during a file", "during the answer")


@pytest.mark.one_loop
@pytest.mark.parametrize("what", ["missing", "directory", "pipe", "closed file", "secret"])
async def test_a_file_that_cannot_be_sent_is_answered_500(tmp_path: Path, what: str) -> None:
    """Nothing of the answer has left when the file is opened; a pipe must not block the loop."""
    os.mkfifo(tmp_path / "pipe")

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send(START)
        if what == "closed file":
            opened = (tmp_path / "x").open("wb")
            opened.close()
            await send({"type": "http.response.zerocopysend", "file": opened})
        elif what == "directory":
            await send({"type": "http.response.pathsend", "path": str(tmp_path)})
        elif what == "secret":
            await send({"type": "http.response.pathsend", "path": "/proc/1/mem\0"})
        else:
            await send({"type": "http.response.pathsend", "path": str(tmp_path / what)})

    async with serving(app) as server, server.client() as client:
        for _ in range(2):
            assert (await client.ask()).status == 500
        assert len(server.events.of("application_error")) == 2


@pytest.mark.one_loop
async def test_an_application_may_answer_something_else_when_a_file_is_missing() -> None:
    """FileNotFoundError is raised at send(); the content may then be another one."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send(START)
        try:
            await send({"type": "http.response.pathsend", "path": "/nonexistent"})
        except FileNotFoundError:
            await send({"type": "http.response.body", "body": b"not there"})

    async with serving(app) as server, server.client() as client:
        assert (await client.ask()).body == b"not there"


@pytest.mark.parametrize("way", ["cancelled", "second message"])
async def test_nothing_can_come_between_a_file_and_its_framing(file: Path, way: str) -> None:
    """A file that is given up in the middle ends the answer; other content meanwhile is an error."""
    os.truncate(file, 30_000_000)  # more than the system buffers for the client
    errors: list[BaseException] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send(START)
        with file.open("rb") as opened:
            message = {"type": "http.response.zerocopysend", "file": opened, "more_body": True}
            sending = asyncio.ensure_future(send(message))
            for _ in range(3):
                await asyncio.sleep(0)
            if way == "cancelled":
                sending.cancel()
                await asyncio.wait({sending})
            try:
                await send({"type": "http.response.body", "body": b"between"})
            except Exception as error:
                errors.append(error)
            await asyncio.wait({sending})
        raise ValueError

    # The client's window is small, so that the file is under way for long.
    async with serving(app) as server:
        sock = socket.socket()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sock.setblocking(False)
        await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", server.port))
        async with server.client() as client:
            reader, writer = await asyncio.open_connection(sock=sock)
            writer.write(GET)
            octets = await reader.read()
            writer.close()
            assert b"between" not in octets
            assert not octets.endswith(b"0\r\n\r\n")
            assert len(errors) == 1
            assert len(server.events.of("application_error")) >= 1
            client.send(b"")


async def test_a_client_that_resets_inside_a_file_is_no_error_of_the_application(file: Path) -> None:
    """The application gets OSError from send(); the log stays silent."""
    began = asyncio.Event()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send(START)
        with file.open("rb") as opened:
            while True:
                began.set()
                await send(
                    {"type": "http.response.zerocopysend", "file": opened, "offset": 0, "more_body": True}
                )

    async with serving(app) as server:
        client = await server.connect(limit=1024)
        client.send(GET)
        await client.reader.readuntil(b"\r\n\r\n")
        await began.wait()
        client.reset()
        await server.events.wait_for("client_disconnected")
        assert server.events.of("application_error") == []


async def test_a_client_that_takes_nothing_of_a_file_is_given_up(file: Path) -> None:
    """safety.md section 1: write stall; the option is named in the log."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send(START)
        with file.open("rb") as opened:
            while True:
                await send(
                    {"type": "http.response.zerocopysend", "file": opened, "offset": 0, "more_body": True}
                )

    async with serving(app, timeout_write=0.3) as server:
        client = await server.connect(limit=1024)
        client.send(GET)
        await client.reader.readuntil(b"\r\n\r\n")
        client.writer.transport.pause_reading()
        assert (await server.events.wait_for("limit_reached"))["option"] == "timeout_write"
        await server.events.wait_for("client_disconnected")
        client.reset()
        assert server.events.of("application_error") == []


async def test_the_tls_extension_tells_of_the_connection(tmp_path: Path) -> None:
    """ASGI TLS extension 0.2, and only over TLS."""
    certificate = write_certificate(tmp_path)
    seen: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append((scope["scheme"], scope["extensions"]["tls"]))
        await respond(send)

    async with serving(app, ssl_certfile=certificate.cert, ssl_keyfile=certificate.key) as server:
        context = client_context(certificate)
        context.set_alpn_protocols(["http/1.1"])
        async with server.client(ssl=context, server_hostname="localhost") as client:
            await client.ask()
            tls: ssl.SSLObject = client.writer.get_extra_info("ssl_object")
            assert tls.selected_alpn_protocol() == "http/1.1"
    ((scheme, extension),) = seen
    assert scheme == "https"
    assert extension["server_cert"].startswith("-----BEGIN CERTIFICATE-----")
    assert extension["tls_version"] in (0x0303, 0x0304)
    assert isinstance(extension["cipher_suite"], int)
    assert (list(extension["client_cert_chain"]), extension["client_cert_name"]) == ([], None)
