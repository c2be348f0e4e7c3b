"""Django's ASGI handler: coroutines, views in threads, forms, files, streams."""

from __future__ import annotations

import httpx
import pytest
from processes import Curl, ServerProcess

pytest.importorskip("django")

SERVER = ["examples.django_app:app"]


def test_a_coroutine_answers(module_server: ServerProcess, curl: Curl) -> None:
    """The page of the example."""
    assert curl(module_server.url).startswith("Hello from Django ")


def test_a_view_in_a_thread_sees_the_request(client: httpx.Client, module_server: ServerProcess) -> None:
    """Method, query, percent-encoded path, form and the absolute address are those of the client."""
    answer = client.post("/echo/sm%C3%B6rg%C3%A5s?a=1&b=%20", data={"field": "välue"}).json()
    assert answer["name"] == "smörgås"
    assert answer["method"] == "POST"
    assert answer["query"] == {"a": "1", "b": " "}
    assert answer["form"] == {"field": "välue"}
    assert answer["secure"] is False
    assert answer["url"] == f"{module_server.url}/echo/sm%C3%B6rg%C3%A5s?a=1&b=%20"


def test_files_are_uploaded(client: httpx.Client) -> None:
    """A multipart upload larger than Django keeps in memory."""
    files = {"report": ("report.bin", b"\x00\x01" * 2_000_000)}
    assert client.post("/echo/file", files=files).json()["files"] == {"report": 4_000_000}


def test_streams_and_missing_pages(client: httpx.Client) -> None:
    """A StreamingHttpResponse is chunked; an unknown address is Django's own 404."""
    answer = client.get("/count")
    assert answer.headers["transfer-encoding"] == "chunked"
    assert answer.text.split() == ["1", "2", "3", "4", "5"]
    assert client.get("/nothing-here").status_code == 404


def test_a_host_that_is_not_allowed_is_refused_by_django(client: httpx.Client) -> None:
    """The Host field reaches the framework as it was sent."""
    assert client.get("/echo/x", headers={"host": "evil.example"}).status_code == 400


def test_django_has_no_lifespan_and_the_log_says_so(module_server: ServerProcess) -> None:
    """--lifespan auto serves an application that refuses the lifespan scope."""
    assert module_server.wait_for("no lifespan")
