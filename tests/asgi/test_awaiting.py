"""receive() and send() under every way that asyncio and anyio have to wait for something."""

from __future__ import annotations

import asyncio
from typing import Any

import anyio
import pytest
from serving import GET, Client, post, serving

START = {"type": "http.response.start", "status": 200, "headers": []}


async def _plain(call: Any) -> Any:
    return await call()


async def _create_task(call: Any) -> Any:
    return await asyncio.create_task(call())


async def _ensure_future(call: Any) -> Any:
    return await asyncio.ensure_future(call())


async def _gather(call: Any) -> Any:
    return (await asyncio.gather(call(), asyncio.sleep(0)))[0]


async def _wait_for(call: Any) -> Any:
    return await asyncio.wait_for(call(), 10)


async def _wait(call: Any) -> Any:
    done, _ = await asyncio.wait({asyncio.ensure_future(call())}, timeout=10)
    return done.pop().result()


async def _shield(call: Any) -> Any:
    return await asyncio.shield(call())


async def _as_completed(call: Any) -> Any:
    (only,) = asyncio.as_completed([call()])
    return await only


async def _timeout(call: Any) -> Any:
    async with asyncio.timeout(10):
        return await call()


async def _task_group(call: Any) -> Any:
    async with asyncio.TaskGroup() as group:
        task = group.create_task(call())
    return task.result()


async def _anyio_group(call: Any) -> Any:
    results = []

    async def store() -> None:
        results.append(await call())

    async with anyio.create_task_group() as group:
        group.start_soon(store)
    return results[0]


async def _anyio_group_direct(call: Any) -> Any:
    results = []

    async def own() -> None:
        results.append(await call())

    async with anyio.create_task_group() as group:
        group.start_soon(own)
        group.start_soon(anyio.sleep, 0)
    return results[0]


async def _anyio_fail_after(call: Any) -> Any:
    with anyio.fail_after(10):
        return await call()


async def _anyio_move_on_after(call: Any) -> Any:
    with anyio.move_on_after(10) as scope:
        result = await call()
    assert not scope.cancelled_caught
    return result


async def _anyio_shield(call: Any) -> Any:
    with anyio.CancelScope(shield=True):
        return await call()


WAYS = [
    _plain,
    _create_task,
    _ensure_future,
    _gather,
    _wait_for,
    _wait,
    _shield,
    _as_completed,
    _timeout,
    _task_group,
    _anyio_group,
    _anyio_group_direct,
    _anyio_fail_after,
    _anyio_move_on_after,
    _anyio_shield,
]
every_way = pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__.strip("_"))


async def _ask(app: Any, client_part: Any) -> Any:
    async with serving(app) as server, server.client() as client:
        return await client_part(client)


@every_way
async def test_a_ready_message_is_received(way: Any) -> None:
    """performance.md section 3: cheap awaitables answer to the coroutine protocol too."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        message = await way(receive)
        await way(lambda: send(START))
        await way(lambda: send({"type": "http.response.body", "body": message["body"], "more_body": True}))
        await way(lambda: send({"type": "http.response.body", "body": b"!"}))
        assert (await way(receive))["type"] == "http.disconnect"

    async def client_part(client: Client) -> None:
        assert (await client.ask(post(b"body"))).body == b"body!"
        assert (await client.ask(post(b"next"))).body == b"next!"

    await _ask(app, client_part)


@every_way
async def test_a_message_that_is_waited_for_is_received(way: Any) -> None:
    """The same where the content comes after receive() was called."""
    is_waiting = asyncio.Event()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        asyncio.get_running_loop().call_soon(is_waiting.set)
        message = await way(receive)
        await way(lambda: send(START))
        await way(lambda: send({"type": "http.response.body", "body": message["body"]}))

    async def client_part(client: Client) -> None:
        client.send(post(b"later")[:-5])
        await is_waiting.wait()
        client.send(b"later")
        assert (await client.response()).body == b"later"

    await _ask(app, client_part)


@every_way
async def test_an_error_is_raised_where_send_is_awaited(way: Any) -> None:
    """A wrong message raises in the application, whatever it awaits with."""
    raised: list[BaseException] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        try:
            await way(lambda: send({"type": "http.response.body", "body": b""}))
        except BaseException as error:
            leaf = error.exceptions[0] if isinstance(error, BaseExceptionGroup) else error
            raised.append(leaf)
        await send(START)
        await send({"type": "http.response.body", "body": b"mended"})

    async def client_part(client: Client) -> None:
        assert (await client.ask(GET)).body == b"mended"

    await _ask(app, client_part)
    assert "expected http.response.start" in str(raised[0])


@pytest.mark.parametrize("which", ["receive", "send"])
async def test_anyio_task_groups_take_the_callables_themselves(which: str) -> None:
    """`start_soon(receive)`, `start_soon(send, message)`: what they return is taken for a coroutine."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        async with anyio.create_task_group() as group:
            if which == "receive":
                group.start_soon(receive)
            else:
                group.start_soon(send, START)
        if which == "receive":
            await send(START)
        await send({"type": "http.response.body", "body": b"done"})

    async def client_part(client: Client) -> None:
        assert (await client.ask(GET)).body == b"done"

    await _ask(app, client_part)


@pytest.mark.parametrize("way", ["wait_for", "timeout", "move_on_after", "cancel", "cancelled scope"])
async def test_a_cancelled_receive_can_be_called_again(way: str) -> None:
    """No message is lost with the receive() that was given up."""
    go_on = asyncio.Event()

    async def give_up(receive: Any) -> None:
        if way == "wait_for":
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(receive(), 0.001)
        elif way == "timeout":
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.001):
                    await receive()
        elif way == "move_on_after":
            with anyio.move_on_after(0.001) as scope:
                await receive()
            assert scope.cancelled_caught
        elif way == "cancel":
            task = asyncio.ensure_future(receive())
            await asyncio.sleep(0)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        else:
            with anyio.CancelScope() as scope:
                scope.cancel()
                await receive()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        for _ in range(3):
            await give_up(receive)
        go_on.set()
        message = await receive()
        await send(START)
        await send({"type": "http.response.body", "body": message["body"]})

    async def client_part(client: Client) -> None:
        client.send(post(b"later")[:-5])
        await go_on.wait()
        client.send(b"later")
        assert (await client.response()).body == b"later"

    await _ask(app, client_part)


async def test_concurrent_receives_share_the_content() -> None:
    """Two tasks that receive get each piece once, and both are told of the end."""
    got: list[bytes] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        async def reader() -> None:
            while (message := await receive())["type"] == "http.request":
                got.append(message["body"])

        readers = [asyncio.ensure_future(reader()) for _ in range(3)]
        while sum(len(piece) for piece in got) < 10:
            await asyncio.sleep(0)
        await send(START)
        await send({"type": "http.response.body", "body": b"ok"})
        await asyncio.gather(*readers)

    async def client_part(client: Client) -> None:
        client.send(post(b"0123456789")[:-10])
        for octet in b"0123456789":
            client.send(bytes([octet]))
            await asyncio.sleep(0)
        assert (await client.response()).body == b"ok"

    await _ask(app, client_part)
    assert b"".join(got) == b"0123456789"
