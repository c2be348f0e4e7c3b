"""Content that comes octet by octet costs in proportion to its length, and no more."""

from __future__ import annotations

import sys
from typing import Any

import pytest
from fakes import World
from serving import request, respond, turns

import alsvid.net.connection

pytestmark = [pytest.mark.one_loop, pytest.mark.slow]

_IS_COMPILED = not alsvid.net.connection.__file__.endswith(".py")
_OCTETS = 8 << 20 if _IS_COMPILED else 256 << 10
_HIGH_WATER = 65536


class Counting:
    """An application that reads all and counts messages and octets."""

    def __init__(self) -> None:
        self.messages = 0
        self.octets = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        more = True
        while more:
            message = await receive()
            self.messages += 1
            self.octets += len(message["body"])
            more = message["more_body"]
        await respond(send)


async def _upload(octets: int, head: bytes, wire: bytes) -> Counting:
    """Send the content as single octets: `wire`, as it is framed, for each octet of the content."""
    app = Counting()
    world = World(app)
    peer = world.connect()
    for octet in head:
        peer.send(bytes([octet]))
    pieces = [bytes([octet]) for octet in wire]
    receive, transport = peer.connection.data_received, peer.transport
    for _ in range(octets):
        if not transport.is_reading:
            await turns(2)
        for piece in pieces:
            receive(piece)
    if b"chunked" in head:
        for octet in (b"" if len(wire) > 1 else b"\r\n") + b"0\r\n\r\n":
            receive(bytes([octet]))
    await turns()
    assert (app.octets, peer.statuses) == (octets, [200])
    peer.transport.reset()
    await turns()
    assert not world.context.connections
    return app


async def test_8_mib_in_single_octets_are_a_message_for_each_high_water_mark() -> None:
    """safety.md section 3: 8 MiB of content in 1-byte pieces (a quarter of a MiB where not compiled)."""
    head = request("POST", "/", f"Content-Length: {_OCTETS}")
    app = await _upload(_OCTETS, head, b"x")
    assert app.messages <= 2 * _OCTETS // _HIGH_WATER + 4


@pytest.mark.parametrize("framing", ["one chunk", "chunks of one"])
async def test_chunked_content_in_single_octets_costs_no_more_messages(framing: str) -> None:
    """The same through the chunk parser, whose lines come in pieces too."""
    octets = _OCTETS // 8
    head = request("POST", "/", "Transfer-Encoding: chunked")
    if framing == "one chunk":
        head += b"%x\r\n" % octets
    app = await _upload(octets, head, b"x" if framing == "one chunk" else b"1\r\nx\r\n")
    assert app.messages <= 2 * octets // _HIGH_WATER + 4


@pytest.mark.skipif(_IS_COMPILED, reason="compiled calls are not told to a profiler")
async def test_calls_grow_with_the_length_of_the_content_and_not_faster() -> None:
    """Twice the content is twice the calls."""

    async def calls(octets: int) -> int:
        count = 0

        def note(frame: Any, event: str, argument: Any) -> None:
            nonlocal count
            count += event in ("call", "c_call")

        sys.setprofile(note)
        try:
            await _upload(octets, request("POST", "/", f"Content-Length: {octets}"), b"x")
        finally:
            sys.setprofile(None)
        return count

    # Both more than is joined without counting (64 KiB), so that both take the same way.
    once, twice = await calls(80_000), await calls(160_000)
    assert twice <= 2.1 * once


async def test_much_that_waits_in_single_octets_is_joined_too() -> None:
    """With a --read-high-water above 64 KiB no more messages than the high-water mark makes necessary."""
    octets = 80_000
    app = Counting()
    world = World(app, read_high_water=1 << 20)
    peer = world.connect()
    peer.send(request("POST", "/", f"Content-Length: {octets}"))
    for _ in range(octets):
        peer.send(b"x")
    await turns()
    assert app.octets == octets
    assert app.messages <= 2 * octets // _HIGH_WATER + 4
