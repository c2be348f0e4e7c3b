"""103 Early Hints (RFC 8297) from the application to the client."""

from __future__ import annotations

import h11
import httpx
from processes import Curl, ServerProcess
from wire import Wire

SERVER = ["examples.early_hints:app"]


def test_hints_arrive_before_the_head(module_server: ServerProcess) -> None:
    """The interim answer comes first and carries the Link field; the final one follows."""
    with Wire(module_server.address) as wire:
        wire.request("GET", "/")
        hint, final, *_ = wire.events()
    assert isinstance(hint, h11.InformationalResponse)
    assert hint.status_code == 103
    assert dict(hint.headers)[b"link"] == b"</style.css>; rel=preload; as=style"
    assert isinstance(final, h11.Response)
    assert final.status_code == 200


def test_curl_shows_both_heads(module_server: ServerProcess, curl: Curl) -> None:
    """A client from another house understands it too."""
    text = curl("-i", module_server.url)
    assert text.index("HTTP/1.1 103 ") < text.index("HTTP/1.1 200 OK")
    assert text.endswith("<h1>Hello</h1>")


def test_clients_of_http_1_0_get_no_interim_answer(module_server: ServerProcess, curl: Curl) -> None:
    """RFC 9110 section 15.2: no 1xx answer to an HTTP/1.0 client."""
    assert "103" not in curl("-i", "--http1.0", module_server.url).split("\r\n\r\n")[0]


def test_a_client_that_ignores_hints_gets_the_page(client: httpx.Client) -> None:
    """httpx passes interim answers over."""
    assert client.get("/").text.endswith("<h1>Hello</h1>")
    assert client.get("/style.css").headers["content-type"] == "text/css"
