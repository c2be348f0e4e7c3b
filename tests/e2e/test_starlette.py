"""What Starlette asks of its server: background tasks, disconnects, streams, files, mounts, middleware."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest
from processes import ROOT, ServerProcess, Start
from wire import Wire

pytest.importorskip("starlette")

SERVER = ["examples.starlette_app:app"]


def test_the_scope_tells_address_and_client(client: httpx.Client, module_server: ServerProcess) -> None:
    """request.url is what the client asked for, request.client where it comes from."""
    answer = client.get("/?q=%C3%A9").json()
    assert answer["url"] == f"{module_server.url}/?q=%C3%A9"
    assert answer["client"][0] == "127.0.0.1"
    assert isinstance(answer["client"][1], int)


def test_the_lifespan_state_reaches_every_request(client: httpx.Client) -> None:
    """Each request has its own copy of the state, with the same objects in it (ASGI, "Lifespan State")."""
    assert client.get("/").json()["visits"] < client.get("/").json()["visits"]


def test_middleware_sees_the_answer(client: httpx.Client) -> None:
    """BaseHTTPMiddleware runs the application in a task of its own and adds a field."""
    assert client.get("/inner/page").headers["server-timing"].startswith("app;dur=")


def test_large_answers_are_compressed(client: httpx.Client) -> None:
    """GZipMiddleware: the length of the compressed content is right, and httpx reads it."""
    answer = client.get("/count", params={"to": 1000})
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.text.split() == [str(number) for number in range(1, 1001)]


def test_a_stream_arrives_whole(client: httpx.Client) -> None:
    """StreamingResponse without compression is chunked."""
    answer = client.get("/count", headers={"accept-encoding": "identity"})
    assert answer.headers["transfer-encoding"] == "chunked"
    assert answer.text == "".join(f"{number}\n" for number in range(1, 11))


def test_background_tasks_run_after_the_answer(client: httpx.Client, module_server: ServerProcess) -> None:
    """The client has its answer first; the task runs in the same request."""
    assert client.get("/background").text == "answered\n"
    module_server.wait_for("background: a task has run", "access")


def test_an_application_learns_that_the_client_has_gone(module_server: ServerProcess) -> None:
    """request.is_disconnected() turns true when the connection is closed in the middle of a request."""
    with Wire(module_server.address) as wire:
        wire.request("GET", "/slow")
    module_server.wait_for("slow: the client has gone", "access")


@pytest.mark.parametrize("encoding", ["identity", "gzip"])
def test_a_file_is_sent_whole(client: httpx.Client, encoding: str) -> None:
    """FileResponse uses http.response.pathsend where the server announces it."""
    answer = client.get("/file", headers={"accept-encoding": encoding})
    assert answer.content == (ROOT / "examples" / "starlette_app.py").read_bytes()
    assert answer.headers["content-type"].startswith("text/x-python")
    assert answer.headers["etag"]


def test_a_part_of_a_file_is_sent(client: httpx.Client) -> None:
    """A range request (RFC 9110 section 14) is the framework's; the octets are the server's."""
    answer = client.get("/file", headers={"range": "bytes=3-9", "accept-encoding": "identity"})
    assert answer.status_code == 206
    assert answer.content == (ROOT / "examples" / "starlette_app.py").read_bytes()[3:10]


def test_head_of_a_file_has_its_length(client: httpx.Client) -> None:
    """HEAD announces the length that GET sends."""
    answer = client.head("/file", headers={"accept-encoding": "identity"})
    size = (ROOT / "examples" / "starlette_app.py").stat().st_size
    assert (answer.headers["content-length"], answer.content) == (str(size), b"")


def test_forms_and_files_are_parsed(client: httpx.Client) -> None:
    """A multipart body of several parts."""
    pytest.importorskip("python_multipart")
    answer = client.post("/form", data={"a": "1"}, files={"b": ("name.txt", b"content")})
    assert answer.json() == {"a": "1", "b": "name.txt"}


def test_an_error_of_the_application_is_500_with_a_traceback_in_the_log(
    client: httpx.Client, module_server: ServerProcess
) -> None:
    """The client gets 500, the log the traceback, and the server goes on."""
    assert client.get("/fail").status_code == 500
    module_server.wait_for("RuntimeError: an error of the application")
    assert client.get("/").status_code == 200


def test_a_websocket_request_gets_a_plain_answer_and_a_line_in_the_log(module_server: ServerProcess) -> None:
    """WebSocket is not in this version: the request is served as HTTP (RFC 9110 section 7.8), and said so."""
    upgrade = [("connection", "Upgrade"), ("upgrade", "websocket"), ("sec-websocket-version", "13")]
    with Wire(module_server.address) as wire:
        wire.request("GET", "/socket", [*upgrade, ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==")])
        status, _, body = wire.response()
        assert (status, body) == (404, b"Not Found")
        wire.next_request()
        wire.request("GET", "/")
        assert wire.response()[0] == 200
    module_server.wait_for("asked for an upgrade to websocket, which is not spoken here")


def test_mounted_applications_know_their_paths(start: Start, tmp_path: Path) -> None:
    """root_path of the server and of a mount add up, so that links lead back through the proxy."""
    server = start(*SERVER, "--port", "0", "--root-path", "/api")
    answer = httpx.get(f"{server.url}/inner/page", trust_env=False).json()
    assert answer == {
        "path": "/api/inner/page",
        "root_path": "/api/inner",
        "link": f"{server.url}/api/",
    }
