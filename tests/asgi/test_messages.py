"""Order and types of messages: errors that name what was expected, and what the client sees of them."""

from __future__ import annotations

import http
from typing import Any

import pytest
from serving import GET, get, post, request, respond, serving

from alsvid.errors import LocalProtocolError

START = {"type": "http.response.start", "status": 200, "headers": []}
MORE = {"type": "http.response.body", "body": b"part", "more_body": True}
LAST = {"type": "http.response.body", "body": b"last"}


async def outcome(messages: list[Any], data: bytes = GET) -> tuple[str, bytes, list[str]]:
    """Send messages until one is refused; return the error's text, what the client got, and the events."""
    errors: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        for message in messages:
            try:
                await send(message)
            except LocalProtocolError as error:
                errors.append(str(error))
                raise

    async with serving(app) as server, server.client() as client:
        client.send(data.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n", 1))
        octets = await client.rest()
        names = server.events.names()
    return (errors or [""])[0], octets, names


@pytest.mark.one_loop
@pytest.mark.parametrize(
    ("messages", "words"),
    [
        ([MORE], ["expected http.response.start", "http.response.body"]),
        ([{"type": "http.response.trailers", "headers": []}], ["expected http.response.start"]),
        ([{"type": "http.response.pathsend", "path": "/x"}], ["expected http.response.start"]),
        ([{"type": "websocket.accept"}], ["expected http.response.start", "websocket.accept"]),
        ([{"type": 7}], ["expected http.response.start", "7"]),
        ([{}], ["lacks the key 'type'"]),
        ([None], ["wrong type"]),
        (["http.response.start"], ["wrong type"]),
        ([{"type": "http.response.start"}], ["lacks the key 'status'"]),
        ([{**START, "status": "200"}], ["status must be int, not str"]),
        ([{**START, "status": 200.0}], ["status must be int, not float"]),
        ([{**START, "status": True}], ["status must be int, not bool"]),
        ([{**START, "status": 99}], ["99"]),
        ([{**START, "status": 100}], ["100", "interim"]),
        ([{**START, "status": 1000}], ["1000"]),
        ([{**START, "status": -1}], ["-1"]),
        ([{**START, "status": 1 << 40}], ["1099511627776"]),
        ([{**START, "headers": [("a", b"b")]}], ["header name must be bytes, not str", "'a'"]),
        ([{**START, "headers": [(b"a", "b")]}], ["header value must be bytes, not str"]),
        ([{**START, "headers": [(b"a", 1)]}], ["header value must be bytes, not int"]),
        ([{**START, "headers": [(b"a",)]}], ["pair"]),
        ([{**START, "headers": [7]}], ["pair"]),
        ([{**START, "headers": 7}], ["wrong type"]),
        ([{**START, "headers": None}], ["wrong type"]),
        ([{**START, "headers": [b"abc"]}], ["pair"]),
        ([{**START, "headers": [(b"a b", b"c")]}], ["not a token"]),
        ([{**START, "headers": [(b"", b"c")]}], ["empty"]),
        ([{**START, "headers": [(b"a", b"b\r\nc: d")]}], ["control character"]),
        ([{**START, "headers": [(b"a", b"b\0")]}], ["control character"]),
        ([{**START, "headers": [(b"a\r\n", b"b")]}], ["not a token"]),
        ([{**START, "headers": [(b"content-length", b"x")]}], ["not a number"]),
        ([{**START, "headers": [(b"content-length", b"1"), (b"content-length", b"2")]}], ["content-length"]),
        ([START, START], ["http.response.start was sent twice"]),
        ([START, {"type": "http.response.trailers"}], ["expected http.response.body"]),
        ([START, {"type": "lifespan.startup.complete"}], ["expected http.response.body", "lifespan"]),
        ([START, {**MORE, "body": "text"}], ["body must be bytes, not str"]),
        ([START, {**MORE, "body": None}], ["body must be bytes, not NoneType"]),
        ([START, {**MORE, "body": [b"x"]}], ["body must be bytes, not list"]),
        ([START, {"type": "http.response.pathsend"}], ["path must be str"]),
        ([START, {"type": "http.response.pathsend", "path": 7}], ["path must be str, not int"]),
        ([START, {"type": "http.response.zerocopysend"}], ["file must be"]),
        ([START, {"type": "http.response.zerocopysend", "file": 0, "offset": -1}], ["offset must be"]),
        (
            [START, {"type": "http.response.zerocopysend", "file": 0, "offset": 0, "count": "1"}],
            ["count must be"],
        ),
        ([{**START, "headers": [(b"content-length", b"3")]}, LAST], ["content-length"]),
        ([{**START, "headers": [(b"content-length", b"5")]}, LAST], ["content-length"]),
        ([{"type": "http.response.early_hint"}], ["lacks the key 'links'"]),
        ([{"type": "http.response.early_hint", "links": [b"a\r\nb"]}], ["control character"]),
    ],
)
async def test_a_wrong_message_before_the_head_left_is_answered_500(
    messages: list[Any], words: list[str]
) -> None:
    """safety.md section 2: error to the application, 500 to the client, nothing of it emitted."""
    error, octets, events = await outcome(messages)
    assert all(word in error for word in words), error
    assert octets.startswith(b"HTTP/1.1 500 Internal Server Error\r\n")
    assert octets.endswith(b"\r\n\r\nInternal Server Error")
    assert octets.count(b"HTTP/1.1") == 1
    assert events.count("application_error") == 1


@pytest.mark.one_loop
@pytest.mark.parametrize(
    ("messages", "words"),
    [
        ([START, MORE, START], ["http.response.start was sent twice"]),
        ([START, MORE, {"type": "http.response.trailers"}], ["expected http.response.body"]),
        ([START, MORE, {**MORE, "body": "text"}], ["body must be bytes, not str"]),
        ([{**START, "headers": [(b"content-length", b"6")]}, MORE, LAST], ["content-length"]),
        ([{**START, "headers": [(b"content-length", b"9")]}, MORE, LAST], ["content-length"]),
    ],
)
async def test_a_wrong_message_after_the_head_left_cuts_the_answer(
    messages: list[Any], words: list[str]
) -> None:
    """safety.md section 2: always visible to the client as a truncation, never hidden."""
    error, octets, events = await outcome(messages)
    assert all(word in error for word in words), error
    assert octets.startswith(b"HTTP/1.1 200 OK\r\n")
    assert not octets.endswith(b"0\r\n\r\n")
    assert events.count("application_error") == 1


@pytest.mark.one_loop
@pytest.mark.parametrize("message", [START, MORE, LAST, {"type": "http.response.trailers"}])
async def test_a_message_after_the_end_is_an_error_that_the_client_does_not_see(message: Any) -> None:
    """The answer is complete: only the log tells of what follows."""
    error, octets, events = await outcome([START, LAST, message])
    assert "the answer is complete" in error
    assert octets.endswith(b"\r\n\r\nlast")
    assert events.count("application_error") == 1


@pytest.mark.one_loop
@pytest.mark.parametrize(
    ("message", "status"),
    [
        ({**START, "status": http.HTTPStatus.CREATED}, 201),
        ({**START, "status": 599}, 599),
        ({**START, "status": 999}, 999),
        ({"type": "http.response.start", "status": 200}, 200),
        ({**START, "headers": ()}, 200),
        ({**START, "headers": ((b"a", b"b"),)}, 200),
        ({**START, "headers": iter([(b"a", b"b")])}, 200),
        ({**START, "headers": [[b"a", b"b"]]}, 200),
    ],
)
async def test_messages_of_all_the_usual_shapes_are_taken(message: Any, status: int) -> None:
    """ASGI: headers is any iterable of two-item iterables; missing keys have their defaults."""
    error, octets, _ = await outcome([message, {"type": "http.response.body"}])
    assert error == ""
    assert octets.startswith(b"HTTP/1.1 %d " % status)


@pytest.mark.one_loop
@pytest.mark.parametrize("body", [b"abc", bytearray(b"abc"), memoryview(b"abc")])
async def test_content_may_be_any_kind_of_octets(body: Any) -> None:
    """Generous where nothing can go wrong: the octets are copied."""
    _, octets, _ = await outcome([START, {"type": "http.response.body", "body": body}])
    assert octets.endswith(b"\r\n\r\nabc")


@pytest.mark.one_loop
async def test_an_application_may_mend_its_error() -> None:
    """A message that was refused has had no effect."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        for wrong in (MORE, {**START, "status": 0}, {**START, "headers": [(b"\n", b"")]}, {}):
            with pytest.raises(LocalProtocolError):
                await send(wrong)
        await respond(send, b"well")

    async with serving(app) as server, server.client() as client:
        assert (await client.ask()).body == b"well"
        assert (await client.ask()).body == b"well"
        assert server.events.names().count("application_error") == 0


@pytest.mark.one_loop
@pytest.mark.parametrize("headers", [[], [(b"content-length", b"4")]])
@pytest.mark.parametrize("status", [200, 204, 304])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_answers_without_content_have_none(method: str, status: int, headers: list[Any]) -> None:
    """RFC 9110 section 6.4.1: no content for HEAD, 204, 304, whatever the application sends."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await respond(send, b"body", status, headers)

    async with serving(app) as server, server.client() as client:
        for _ in range(2):
            response = await client.ask(request(method, "/"), method)
            assert response.status == status
            assert response.body == (b"body" if (method, status) == ("GET", 200) else b"")
        if status == 204:
            assert "content-length" not in response.headers
        assert server.events.names().count("application_error") == 0


async def test_a_head_is_not_held_back_while_the_application_waits() -> None:
    """performance.md section 3: streams and events must not wait for their first content."""
    import asyncio

    go_on = asyncio.Event()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({**START, "headers": [(b"content-type", b"text/event-stream")]})
        await go_on.wait()
        await send(LAST)

    async with serving(app) as server, server.client() as client:
        client.send(GET)
        head = await client.reader.readuntil(b"\r\n\r\n")
        assert b"transfer-encoding: chunked" in head
        go_on.set()
        assert await client.reader.readuntil(b"0\r\n\r\n") == b"4\r\nlast\r\n0\r\n\r\n"


@pytest.mark.one_loop
async def test_the_content_comes_in_pieces_and_ends() -> None:
    """ASGI: http.request with more_body until the content is complete, then http.disconnect."""
    messages: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        while True:
            messages.append(await receive())
            if not messages[-1]["more_body"]:
                break
        await respond(send)
        messages.append(await receive())

    async with serving(app) as server, server.client() as client:
        client.send(request("POST", "/", "Transfer-Encoding: chunked") + b"3\r\nabc\r\n")
        client.send(b"2\r\nde\r\n0\r\n\r\n")
        await client.response()
        await client.ask(get())
    assert b"".join(message.get("body", b"") for message in messages[:-2]) == b"abcde"
    assert messages[-1] == {"type": "http.disconnect"}
    assert all(
        message["type"] == "http.request" for message in messages if message["type"] != "http.disconnect"
    )


@pytest.mark.one_loop
async def test_a_request_without_content_has_one_empty_message() -> None:
    """ASGI: one http.request with body b"" and more_body False."""
    messages: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        messages.append(await receive())
        await respond(send)

    async with serving(app) as server, server.client() as client:
        await client.ask(GET)
        await client.ask(post(b""))
    assert messages == [{"type": "http.request", "body": b"", "more_body": False}] * 2
