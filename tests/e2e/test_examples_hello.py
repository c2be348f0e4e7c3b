"""The smallest application, asked by curl, httpx and h11: what everybody tries first."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import httpx
from processes import Curl, ServerProcess
from wire import Wire

SERVER = ["examples.hello:app"]


def test_curl_gets_hello(module_server: ServerProcess, curl: Curl) -> None:
    """The first thing anybody does: curl http://127.0.0.1:8000/"""
    assert curl(module_server.url) == "Hello, World!"


def test_curl_sees_status_type_length_and_date(module_server: ServerProcess, curl: Curl) -> None:
    """A one-message answer carries its length, and Date is sent (RFC 9110 section 6.6.1)."""
    head, _, body = curl("-i", module_server.url).partition("\r\n\r\n")
    lines = head.split("\r\n")
    assert lines[0] == "HTTP/1.1 200 OK"
    fields = dict(line.lower().split(": ", 1) for line in lines[1:])
    assert fields["content-type"] == "text/plain; charset=utf-8"
    assert fields["content-length"] == "13"
    assert fields["date"].endswith(" gmt")
    assert "server" not in fields
    assert body == "Hello, World!"


def test_curl_speaks_http_1_0(module_server: ServerProcess, curl: Curl) -> None:
    """HTTP/1.0 is answered, and the connection closes without keep-alive (RFC 9112 section 9.3)."""
    text = curl("-i", "--http1.0", module_server.url)
    assert text.startswith("HTTP/1.1 200 OK\r\n")
    assert "connection: close" in text.lower()


def test_head_has_the_fields_of_get_and_no_content(client: httpx.Client) -> None:
    """RFC 9110 section 9.3.2: HEAD is GET without content."""
    got, asked = client.get("/"), client.head("/")
    assert asked.status_code == 200
    assert asked.content == b""
    assert asked.headers["content-length"] == got.headers["content-length"]


def test_a_connection_is_kept_for_many_requests(module_server: ServerProcess) -> None:
    """HTTP/1.1 connections persist (RFC 9112 section 9.3)."""
    with Wire(module_server.address) as wire:
        for number in range(20):
            wire.request("GET", f"/{number}")
            assert wire.response()[::2] == (200, b"Hello, World!")
            wire.next_request()


def test_pipelined_requests_are_answered_in_order(module_server: ServerProcess) -> None:
    """RFC 9112 section 9.3.2: answers come in the order of the requests."""
    with Wire(module_server.address) as wire:
        request = f"GET / HTTP/1.1\r\nHost: {wire.host}\r\n\r\n".encode()
        last = f"GET / HTTP/1.1\r\nHost: {wire.host}\r\nConnection: close\r\n\r\n".encode()
        wire.socket.sendall(request * 15 + last)
        received = b""
        while piece := wire.socket.recv(65536):
            received += piece
    assert received.count(b"HTTP/1.1 200 OK\r\n") == 16
    assert received.count(b"Hello, World!") == 16


def test_twenty_clients_at_once_are_all_answered(client: httpx.Client) -> None:
    """Connections are independent of each other."""
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda number: client.get(f"/{number}").text, range(100)))
    assert answers == ["Hello, World!"] * 100


def test_each_request_is_a_line_of_the_access_log(module_server: ServerProcess, client: httpx.Client) -> None:
    """The access log is on by default, on standard output."""
    client.get("/a-page-to-look-for?x=1")
    line = module_server.wait_for("a-page-to-look-for", "access")
    assert '"GET /a-page-to-look-for?x=1 HTTP/1.1" 200' in line
    assert line.startswith("2") or "127.0.0.1" in line
