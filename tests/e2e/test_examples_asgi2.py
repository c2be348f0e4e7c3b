"""An ASGI 2 application is detected and served (ASGI specification, "Applications", legacy style)."""

from __future__ import annotations

import httpx

SERVER = ["examples.asgi2:App"]


def test_an_asgi_2_application_answers(client: httpx.Client) -> None:
    """The class is called with the scope, its instance with receive and send."""
    answer = client.post("/some/path", content=b"x" * 1000)
    assert answer.json() == {"method": "POST", "path": "/some/path", "octets": 1000}


def test_each_request_has_an_instance_of_its_own(client: httpx.Client) -> None:
    """State of one request never shows in another."""
    assert client.get("/first").json()["path"] == "/first"
    assert client.get("/second").json()["path"] == "/second"
