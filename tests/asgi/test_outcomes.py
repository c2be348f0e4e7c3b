"""What becomes of a request whose application fails: one outcome a stage (docs/applications.md)."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from serving import GET, get, post, read_body, request, respond, serving, until

START = {"type": "http.response.start", "status": 200, "headers": []}
SIZED = {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"10")]}
MORE = {"type": "http.response.body", "body": b"part", "more_body": True}
LAST = {"type": "http.response.body", "body": b"last"}


class OwnBaseError(BaseException):
    """Not an Exception."""


ERRORS = [
    ValueError("x"),
    OSError("x"),
    RuntimeError("x"),
    StopIteration("x"),
    StopAsyncIteration("x"),
    SystemExit(3),
    KeyboardInterrupt(),
    asyncio.CancelledError(),
    GeneratorExit(),
    OwnBaseError(),
    BaseExceptionGroup("group", [ValueError("x"), KeyboardInterrupt()]),
]
every_error = pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)

# stage -> messages sent before the error, the request, what the client gets, the stage in the log
STAGES: dict[str, tuple[list[Any], bytes, bytes, str]] = {
    "before start": ([], GET, b"500", "before the answer"),
    "head held": ([START], GET, b"500", "during the answer"),
    "hint sent": (
        [{"type": "http.response.early_hint", "links": [b"</a>"]}],
        GET,
        b"103 500",
        "before the answer",
    ),
    "chunked": ([START, MORE], GET, b"cut", "during the answer"),
    "with length": ([SIZED, MORE], GET, b"cut", "during the answer"),
    "HTTP/1.0": ([START, MORE], get(version="1.0"), b"reset", "during the answer"),
    "HTTP/1.0 with length": ([SIZED, MORE], get(version="1.0"), b"cut", "during the answer"),
    "after the end": ([START, LAST], GET, b"whole", "after the answer"),
    "POST, unread": ([], post(b"body"), b"500", "before the answer"),
}


def outcome(octets: bytes) -> bytes:
    """Name what the client got."""
    hint = b"103 " if octets.startswith(b"HTTP/1.1 103") else b""
    octets = octets[octets.index(b"HTTP/1.1", 5) if hint else 0 :]
    if octets.startswith(b"HTTP/1.1 500 "):
        assert octets.endswith(b"\r\n\r\nInternal Server Error")
        return hint + b"500"
    assert octets.startswith(b"HTTP/1.1 200 OK\r\n")
    if octets.endswith(b"RESET"):
        return b"reset"
    if octets.endswith((b"\r\n\r\nlast", b"0\r\n\r\n")):
        return b"whole"
    assert b"content-length: 10\r\n" in octets or b"transfer-encoding: chunked\r\n" in octets
    return b"cut"


async def _get_alone(server: Any) -> None:
    async with server.client() as sibling:
        response = await sibling.ask(get("/sibling"))
        assert (response.status, response.body) == (200, b"sibling")


@every_error
@pytest.mark.parametrize("stage", list(STAGES))
async def test_an_exception_has_the_outcome_of_its_stage(stage: str, error: BaseException) -> None:
    """safety.md section 3: any BaseException at any stage; siblings unaffected, no task left."""
    messages, data, expected, where = STAGES[stage]

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["path"] == "/sibling":
            return await respond(send, b"sibling")
        for message in messages:
            await send(message)
            if message is MORE:
                await asyncio.sleep(0)
        raise error

    async with serving(app) as server:
        tasks = len(asyncio.all_tasks())
        async with server.client() as client, server.client() as sibling:
            assert (await sibling.ask(get("/sibling"))).body == b"sibling"
            closing = b"\r\nConnection: close\r\n\r\n"
            client.send(data.replace(b"\r\n\r\n", closing, 1) if b"1.0\r\n" not in data else data)
            got = outcome(await client.rest())
            assert (await sibling.ask(get("/sibling"))).body == b"sibling"
        await _get_alone(server)
        assert got == expected
        told = server.events.of("application_error")
        assert [fields["stage"] for fields in told] == [where]
        seen = told[0]["exception"]
        # PEP 479: a coroutine cannot raise StopIteration.
        assert seen is error or isinstance(error, StopIteration)
        assert not server.cycles
        await until(lambda: len(asyncio.all_tasks()) <= tasks)
    told.clear()
    error.__traceback__ = error.__context__ = None


@pytest.mark.parametrize("stage", ["before start", "POST, unread", "after the end", "head held"])
async def test_after_500_and_after_the_answer_the_connection_goes_on(stage: str) -> None:
    """Nothing was cut, so the client may go on using the connection."""
    messages, data, _, _ = STAGES[stage]

    async def app(scope: Any, receive: Any, send: Any) -> None:
        for message in messages:
            await send(message)
        raise ValueError

    async with serving(app) as server, server.client() as client:
        for _ in range(3):
            assert (await client.ask(data)).status in (200, 500)


@pytest.mark.parametrize("how", ["raises", "returns"])
async def test_an_error_while_receiving_is_answered_500(how: str) -> None:
    """The client has not sent all: 500 comes all the same, then the connection closes or drains."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        assert (await receive())["more_body"] is True
        if how == "raises":
            raise ValueError

    async with serving(app) as server, server.client() as client:
        client.send(request("POST", "/", "Content-Length: 100") + b"some")
        assert (await client.response()).status == 500
        assert len(server.events.of("application_error")) == 1


@pytest.mark.one_loop
@pytest.mark.parametrize(
    ("messages", "expected", "words"),
    [
        ([], b"500", "without sending http.response.start"),
        ([START], b"500", "without completing the content"),
        ([START, MORE], b"cut", "without completing the content"),
        ([SIZED, MORE], b"cut", "without completing the content"),
    ],
)
async def test_an_application_that_returns_early_has_an_outcome(
    messages: list[Any], expected: bytes, words: str
) -> None:
    """The log says what is missing."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        for message in messages:
            await send(message)
            await asyncio.sleep(0)

    if messages == [START]:
        expected = b"cut"  # the loop went round: the head has left

    async with serving(app) as server, server.client() as client:
        client.send(get("/", "Connection: close"))
        assert outcome(await client.rest()) == expected
        (told,) = server.events.of("application_error")
        assert words in str(told["exception"])


@pytest.mark.one_loop
async def test_announced_trailers_that_never_come_cut_the_answer() -> None:
    """ASGI trailers extension: the message is owed."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({**START, "trailers": True})
        await send(LAST)

    async with serving(app) as server, server.client() as client:
        client.send(get("/", "TE: trailers", "Connection: close"))
        assert outcome(await client.rest()) == b"cut"
        (told,) = server.events.of("application_error")
        assert (told["stage"], "http.response.trailers" in str(told["exception"])) == (
            "before the trailers",
            True,
        )


async def test_an_application_that_never_answers_is_told_when_the_client_goes() -> None:
    """No time limit is set on applications; the client's patience is the limit."""
    ended = asyncio.Event()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        assert (await receive())["type"] == "http.disconnect"
        ended.set()

    async with serving(app) as server:
        client = await server.connect()
        client.send(GET)
        await until(lambda: server.cycles)
        await client.close()
        await ended.wait()
        await until(lambda: not server.cycles)
        assert server.events.of("application_error") == []


async def test_an_application_that_never_reads_may_answer() -> None:
    """Unread content within the limit is dropped and the next request served."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await respond(send, scope["path"].encode())

    async with serving(app) as server, server.client() as client:
        assert (await client.ask(post(b"x" * 50_000, path="/1"))).body == b"/1"
        assert (await client.ask(get("/2"))).body == b"/2"


@pytest.mark.parametrize("kind", ["Exception", "OSError", "group", "chained"])
async def test_leaving_because_the_client_has_gone_is_no_error(kind: str) -> None:
    """send() raised OSError: frameworks wrap it in errors and groups of their own; the log stays silent."""
    gone = asyncio.Event()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send(START)
        await send(MORE)
        while (await receive())["type"] != "http.disconnect":
            pass
        gone.set()
        if kind == "group":
            async with asyncio.TaskGroup() as group:
                group.create_task(_send_all(send))
        try:
            await send(MORE)
        except OSError as error:
            if kind == "OSError":
                raise
            raise RuntimeError("the framework's own") from (error if kind == "chained" else None)

    async def _send_all(send: Any) -> None:
        await send(MORE)

    async with serving(app) as server:
        client = await server.connect()
        client.send(GET)
        await client.reader.readuntil(b"part\r\n")
        client.reset()
        await gone.wait()
        await until(lambda: not server.cycles)
        assert server.events.of("application_error") == []
        assert len(server.events.of("client_disconnected")) == 1


@pytest.mark.one_loop
async def test_a_defect_after_the_client_has_gone_is_still_told() -> None:
    """Only what follows from the disconnect is silent."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        raise KeyError("defect")

    async with serving(app) as server:
        client = await server.connect()
        client.send(GET)
        await until(lambda: server.cycles)
        await client.close()
        told = await server.events.wait_for("application_error")
        assert isinstance(told["exception"], KeyError)


async def test_a_task_that_cancels_itself_gets_500_and_hurts_nobody() -> None:
    """A stray cancel() is an error of the application."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["path"] == "/cancel":
            task = asyncio.current_task()
            assert task is not None
            task.cancel()
            await asyncio.sleep(0)
        await respond(send, b"fine")

    async with serving(app) as server, server.client() as client:
        assert (await client.ask(get("/cancel"))).status == 500
        assert (await client.ask(get("/"))).body == b"fine"


@pytest.mark.one_loop
async def test_what_an_application_left_unawaited_has_still_been_sent() -> None:
    """send() acts when it is called; a forgotten await costs nothing but back-pressure."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        send(START)
        send({"type": "http.response.body", "body": await read_body(receive)})

    async with serving(app) as server, server.client() as client:
        assert (await client.ask(post(b"echo"))).body == b"echo"
