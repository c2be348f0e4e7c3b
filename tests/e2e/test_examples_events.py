"""Server-Sent Events: they arrive one by one, and end in good order when the server stops."""

from __future__ import annotations

import httpx
from processes import WAIT_S, ServerProcess, Start

SERVER = ["examples.server_sent_events:app"]


def test_events_arrive_while_the_answer_goes_on(client: httpx.Client) -> None:
    """Nothing holds a piece back until the answer is complete."""
    with client.stream("GET", "/", params={"every": "0.01"}) as answer:
        assert answer.headers["content-type"] == "text/event-stream"
        lines = answer.iter_lines()
        assert [next(lines) for _ in range(5)] == ["id: 1", "data: event 1", "", "id: 2", "data: event 2"]


def test_a_stop_ends_event_streams_at_once_and_in_words(start: Start) -> None:
    """Endless answers get http.disconnect when the stop begins, and may say good-bye; the exit is clean."""
    server: ServerProcess = start(*SERVER, "--port", "0", "--graceful-timeout", "25")
    with httpx.stream("GET", server.url, params={"every": "1000"}, timeout=WAIT_S, trust_env=False) as answer:
        lines = answer.iter_lines()
        assert next(lines) == "id: 1"
        server.process.terminate()
        assert list(lines)[-3:] == ["event: bye", "data: the server stops", ""]
    assert server.wait() == 0
    assert not [line for line in server.lines() if "cut" in line]
