"""The fake transport behaves as asyncio's own does."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from fakes import FakeTransport
from serving import turns


class Recorder:
    """A protocol that notes what it is told."""

    def __init__(self) -> None:
        self.told: list[Any] = []

    def pause_writing(self) -> None:
        self.told.append("pause")

    def resume_writing(self) -> None:
        self.told.append("resume")

    def connection_lost(self, error: Exception | None) -> None:
        self.told.append(type(error).__name__ if error else "lost")


@pytest.mark.one_loop
async def test_a_peer_that_takes_all_pauses_nobody() -> None:
    """Nothing stays in the buffer."""
    protocol = Recorder()
    transport = FakeTransport(protocol)
    transport.write(b"x" * 1_000_000)
    transport.writelines([b"a", b"b"])
    assert (len(transport.taken), transport.get_write_buffer_size(), protocol.told) == (1_000_002, 0, [])


@pytest.mark.one_loop
async def test_marks_are_crossed_as_asyncio_crosses_them() -> None:
    """Paused above the high mark, resumed at or below the low one; changed marks count at once."""
    protocol = Recorder()
    transport = FakeTransport(protocol)
    transport.is_taking = False
    transport.set_write_buffer_limits(10, 5)
    transport.write(b"x" * 10)
    assert protocol.told == []
    transport.write(b"x")
    assert protocol.told == ["pause"]
    transport.take(5)
    assert protocol.told == ["pause"]
    transport.take(1)
    assert protocol.told == ["pause", "resume"]
    transport.set_write_buffer_limits(0, 0)
    assert protocol.told == ["pause", "resume", "pause"]


@pytest.mark.one_loop
@pytest.mark.parametrize("end", ["close", "abort", "reset"])
async def test_the_end_is_told_a_turn_later_and_once(end: str) -> None:
    """close() sends what is left first; abort() and a reset drop it."""
    protocol = Recorder()
    transport = FakeTransport(protocol)
    transport.is_taking = False
    transport.write(b"left")
    getattr(transport, end)()
    assert protocol.told == []
    await turns()
    if end == "close":
        assert protocol.told == []
        transport.take()
        await turns()
        assert (protocol.told, transport.taken) == (["lost"], b"left")
    else:
        assert protocol.told == [{"abort": "lost", "reset": "ConnectionResetError"}[end]]
        assert transport.taken == b""
    transport.abort()
    await asyncio.sleep(0)
    assert len(protocol.told) == 1
