"""http.disconnect, OSError from send(), and what goes on after the answer."""

from __future__ import annotations

import asyncio
import gc
import weakref
from typing import Any

import pytest
from serving import GET, Serving, get, post, request, respond, serving, until

START = {"type": "http.response.start", "status": 200, "headers": []}
MORE = {"type": "http.response.body", "body": b"part", "more_body": True}


async def _leave(how: str, server: Serving, data: bytes = GET) -> float:
    """Send a request and go away as said; return when."""
    client = await server.connect()
    client.send(data)
    await until(lambda: server.cycles)
    started = asyncio.get_running_loop().time()
    if how == "RST":
        client.reset()
    elif how == "half-close":
        client.send_eof()
        server.leaving = client  # type: ignore[attr-defined]
    else:
        await client.close()
    return started


@pytest.mark.parametrize("how", ["FIN", "RST", "half-close"])
async def test_a_waiting_receive_hears_of_it_within_a_second(how: str) -> None:
    """safety.md section 3: http.disconnect within 1 s of FIN or RST."""
    heard: asyncio.Future[float] = asyncio.get_running_loop().create_future()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        assert (await receive())["type"] == "http.request"
        assert (await receive())["type"] == "http.disconnect"
        heard.set_result(asyncio.get_running_loop().time())
        assert (await receive())["type"] == "http.disconnect"

    async with serving(app) as server:
        left = await _leave(how, server)
        assert await heard - left < 1.0
        await until(lambda: not server.cycles)
        if how == "half-close":
            await server.leaving.close()  # type: ignore[attr-defined]


@pytest.mark.parametrize("how", ["FIN", "RST", "half-close"])
async def test_send_raises_oserror_after_it(how: str) -> None:
    """ASGI 2.4: send() of a closed connection raises a subclass of OSError; every message, every time."""
    raised: list[BaseException] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        for message in (START, MORE, {"type": "nonsense"}):
            try:
                await send(message)
            except OSError as error:
                raised.append(error)

    async with serving(app) as server:
        await _leave(how, server)
        await until(lambda: len(raised) == 3)
        if how == "half-close":
            await server.leaving.close()  # type: ignore[attr-defined]
    assert all("client" in str(error) for error in raised)


@pytest.mark.parametrize("how", ["FIN", "RST"])
async def test_a_client_that_goes_inside_its_content_is_a_disconnect(how: str) -> None:
    """RFC 9112 section 8: an incomplete message is never taken for a complete one."""
    messages: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        while True:
            messages.append(await receive())
            if messages[-1]["type"] == "http.disconnect":
                return

    async with serving(app) as server:
        await _leave(how, server, request("POST", "/", "Content-Length: 10") + b"half")
        await until(lambda: messages and messages[-1]["type"] == "http.disconnect")
    assert not any(message.get("more_body") is False for message in messages)


async def test_a_sender_that_waits_for_the_client_is_let_go_with_oserror() -> None:
    """send() suspended by back-pressure ends when the connection does."""
    ended: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send(START)
        try:
            while True:
                await send({**MORE, "body": b"x" * 65536})
        except OSError as error:
            ended.set_result(str(error))
            raise

    async with serving(app) as server:
        client = await server.connect(limit=1024)
        client.send(GET)
        await client.reader.readuntil(b"\r\n\r\n")
        client.writer.transport.pause_reading()
        await asyncio.sleep(0.05)  # not to synchronise: most of the time the sender has come to wait by then
        client.reset()
        assert "client" in await ended
        await until(lambda: not server.cycles)
        assert server.events.of("application_error") == []


@pytest.mark.one_loop
async def test_receive_after_the_answer_is_a_disconnect() -> None:
    """ASGI: "if … the response is complete, http.disconnect"."""
    messages: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await respond(send, b"early")
        messages.extend([await receive(), await receive()])

    async with serving(app) as server, server.client() as client:
        assert (await client.ask(GET)).body == b"early"
        assert (await client.ask(post(b"unread"))).body == b"early"
    assert messages == [{"type": "http.disconnect"}] * 4


async def test_a_receive_that_waits_ends_with_the_answer() -> None:
    """Frameworks listen for the disconnect in a task of its own."""
    messages: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        listener = asyncio.ensure_future(receive())
        await asyncio.sleep(0)
        await respond(send, b"x")
        messages.append(await listener)

    async with serving(app) as server, server.client() as client:
        await client.ask(GET)
        await client.ask(GET)
    assert messages == [{"type": "http.disconnect"}] * 2


async def test_work_after_the_answer_goes_on_while_the_next_request_is_served() -> None:
    """Background tasks do not hold up the connection."""
    release = asyncio.Event()
    ended: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await respond(send, scope["path"].encode())
        if scope["path"] == "/background":
            await release.wait()
        ended.append(scope["path"])

    async with serving(app) as server, server.client() as client:
        assert (await client.ask(get("/background"))).body == b"/background"
        assert (await client.ask(get("/next"))).body == b"/next"
        assert (await client.ask(get("/third"))).body == b"/third"
        assert ended == ["/next", "/third"]
        release.set()
    assert ended[-1] == "/background"


async def test_work_after_the_answer_survives_the_end_of_the_connection() -> None:
    """A background task is not cancelled because its client has gone."""
    release = asyncio.Event()
    ended = asyncio.Event()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await respond(send, b"x")
        await release.wait()
        ended.set()

    async with serving(app) as server:
        client = await server.connect()
        await client.ask()
        await client.close()
        await until(lambda: not server.context.connections)
        release.set()
        await ended.wait()


@pytest.mark.one_loop
async def test_cancelled_receives_leave_nothing_behind() -> None:
    """A loop that polls for the disconnect for hours does not grow."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        futures: list[weakref.ref[Any]] = []
        for _ in range(200):
            task = asyncio.ensure_future(receive())
            await asyncio.sleep(0)
            futures.append(weakref.ref(task._fut_waiter))  # type: ignore[attr-defined]
            task.cancel()
            await asyncio.wait({task})
            del task
        gc.collect()
        alive = sum(1 for each in futures if each() is not None)
        await respond(send, str(alive).encode())

    async with serving(app) as server, server.client() as client:
        assert int((await client.ask()).body) <= 1


async def test_each_request_is_a_task_with_a_name_of_its_own() -> None:
    """performance.md section 3: a real asyncio.Task for each request."""
    tasks: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        tasks.append(asyncio.current_task())
        await asyncio.sleep(0)
        assert asyncio.current_task() is tasks[-1]
        await respond(send)

    async with serving(app) as server, server.client() as client:
        await client.ask()
        await client.ask()
    assert isinstance(tasks[0], asyncio.Task)
    assert tasks[0] is not tasks[1]
    assert tasks[0].get_name() == "alsvid-request"


@pytest.mark.parametrize("set_by", ["loop's owner", "lifespan"])
async def test_a_task_factory_is_honoured(set_by: str) -> None:
    """Tracers and debuggers set one."""
    made: list[str] = []
    loop = asyncio.get_running_loop()

    def factory(loop: Any, coroutine: Any, **more: Any) -> Any:
        task = asyncio.Task(coroutine, loop=loop, **more)
        made.append(task.get_name())
        return task

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await receive()
            if set_by == "lifespan":
                loop.set_task_factory(factory)
            await send({"type": "lifespan.startup.complete"})
            await receive()
            await send({"type": "lifespan.shutdown.complete"})
            return
        await respond(send)

    if set_by != "lifespan":
        loop.set_task_factory(factory)
    async with serving(app, lifespan="on") as server, server.client() as client:
        made.clear()
        await client.ask()
        client.send(get("/1") + get("/2"))
        await client.response()
        await client.response()
        # Asyncio names a task after it was made, the factory sees the name before or not at all.
        assert len(made) >= 3
    loop.set_task_factory(None)
