"""Send octets of an open file: by the kernel on a plain connection, piece by piece where TLS encrypts
them.
"""

from __future__ import annotations

import asyncio
import os
from typing import Any

# One call of sendfile(2); the socket's buffer is what bounds it in practice.
_MOST_OCTETS = 1 << 20
# One read over TLS: four records of the largest size make a thread's round trip worth its while.
_PIECE = 1 << 18


async def send_file(
    loop: asyncio.AbstractEventLoop,
    transport: Any,
    descriptor: int,
    offset: int,
    count: int,
    timeout_s: float,
) -> int:
    """Copy count octets from offset into the transport's socket, whose write buffer must be empty.

    Returns how many were sent: fewer than count when the file ends early. Raises TimeoutError when the peer
    takes nothing for timeout_s, OSError when file or connection fail.
    """
    # A second descriptor, because event loops refuse to watch one that a transport uses.
    out = os.dup(transport.get_extra_info("socket").fileno())
    sent = 0
    try:
        while sent < count:
            try:
                n = os.sendfile(out, descriptor, offset + sent, min(count - sent, _MOST_OCTETS))
            except BlockingIOError:
                await asyncio.wait_for(_writable(loop, out), timeout_s)
                continue
            if n == 0:
                break
            sent += n
            if sent < count:
                await asyncio.sleep(0)  # a fast peer must not keep all others waiting
    finally:
        os.close(out)
    return sent


async def _writable(loop: asyncio.AbstractEventLoop, descriptor: int) -> None:
    future = loop.create_future()
    loop.add_writer(descriptor, _wake, future)
    try:
        await future
    finally:
        loop.remove_writer(descriptor)


def _wake(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


async def copy_file(outlet: Any, transport: Any, descriptor: int, offset: int, count: int) -> int:
    """Write count octets from offset through the transport, waiting for `outlet.drain()` as it fills.

    Files are read in a thread: a slow disk must not stop the loop. Returns how many were written.
    """
    loop = asyncio.get_running_loop()
    sent = 0
    while sent < count:
        piece = await loop.run_in_executor(
            None, os.pread, descriptor, min(count - sent, _PIECE), offset + sent
        )
        if not piece or transport.is_closing():
            break
        transport.write(piece)
        sent += len(piece)
        await outlet.drain()
    return sent
