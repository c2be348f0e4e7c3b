"""The FastAPI example in use: a database for the life of the server, and notes that outlive it."""

from __future__ import annotations

import httpx
import pytest
from processes import ServerProcess, Start

pytest.importorskip("fastapi")
pytest.importorskip("aiosqlite")

SERVER = ["examples.fastapi_app:app"]


@pytest.fixture
def notes(start: Start, tmp_path_factory: pytest.TempPathFactory) -> ServerProcess:
    """The example, with a database of its own."""
    path = str(tmp_path_factory.mktemp("notes") / "notes.sqlite3")
    return start(*SERVER, "--port", "0", variables={"NOTES_DATABASE": path})


def test_notes_are_created_read_changed_and_deleted(notes: ServerProcess) -> None:
    """CRUD over JSON, with the answers that the application declares."""
    with httpx.Client(base_url=notes.url, trust_env=False) as client:
        assert client.get("/notes").json() == []
        created = client.post("/notes", json={"text": "milk"})
        assert (created.status_code, created.json()) == (201, {"id": 1, "text": "milk"})
        assert client.get("/notes/1").json()["text"] == "milk"
        assert client.put("/notes/1", json={"text": "bread"}).json() == {"id": 1, "text": "bread"}
        assert client.get("/notes").json() == [{"id": 1, "text": "bread"}]
        deleted = client.delete("/notes/1")
        assert (deleted.status_code, deleted.content) == (204, b"")
        assert client.get("/notes/1").status_code == 404
        assert client.post("/notes", json={"text": ""}).status_code == 422
        assert client.post("/notes", content=b"{", headers={"content-type": "application/json"}).is_error


def test_documentation_pages_and_background_tasks_work(notes: ServerProcess) -> None:
    """/docs and /openapi.json as with any other server; what was put off runs after the answer."""
    with httpx.Client(base_url=notes.url, trust_env=False) as client:
        assert "swagger-ui" in client.get("/docs").text
        assert "/notes/{number}" in client.get("/openapi.json").json()["paths"]
        client.post("/notes", json={"text": "tea"})
    notes.wait_for("notes: 1 was added", "access")


def test_the_lifespan_opens_and_closes_the_database(
    start: Start, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Start-up comes before the first request, shutdown after the last; what was written is there again."""
    path = str(tmp_path_factory.mktemp("notes") / "notes.sqlite3")
    arguments = (*SERVER, "--port", "0")
    first = start(*arguments, variables={"NOTES_DATABASE": path})
    first.wait_for("the database is open", "access")
    httpx.post(f"{first.url}/notes", json={"text": "kept"}, trust_env=False)
    assert first.end() == 0
    assert "notes: the database is closed" in first.lines("access")
    order = [line.partition("INFO: ")[2] for line in first.lines()]
    assert order.index("Application startup complete.") < order.index("Waiting for application shutdown.")
    second = start(*arguments, variables={"NOTES_DATABASE": path})
    assert httpx.get(f"{second.url}/notes", trust_env=False).json() == [{"id": 1, "text": "kept"}]


def test_a_lifespan_that_fails_stops_the_start(start: Start) -> None:
    """A database that cannot be opened: the traceback, exit status 3, and nothing was served."""
    server = start(*SERVER, "--port", "0", variables={"NOTES_DATABASE": "/nowhere/at/all/notes.sqlite3"})
    assert server.wait() == 3
    assert "unable to open database file" in server.transcript()
    assert "running on" not in server.transcript()
