"""WebSocket load, run in the environment of bench/peers/client.txt: closed loops of binary messages.

Echo: each connection sends its next message when the last one has come back. Broadcast: the first connection
sends the next message when all of them have received the last one. Prints one JSON line.
"""

import argparse
import asyncio
import json
import sys
import time
import zlib
from statistics import quantiles

import picows  # type: ignore[import-not-found]
import uvloop

WORDS = b"wolf sun moon horse chariot dawn frost river stone ember harbour lantern meadow thunder "
DEFLATE_OFFER = "permessage-deflate; server_no_context_takeover; client_no_context_takeover"
DEFLATE_TAIL = b"\x00\x00\xff\xff"
ANSWER_TIMEOUT_S = 10.0


class CheckError(Exception):
    """An answer is not the message that was sent."""


def message_of(octets: int) -> bytes:
    """Text that compresses as prose does, with a number in each line."""
    lines = b"".join(b"%06d " % (i * 7919) + WORDS[i % 40 :] for i in range(octets // 40 + 1))
    return lines[:octets]


def deflated(data: bytes) -> bytes:
    """RFC 7692 section 7.2.1: a raw deflate block without its tail."""
    packer = zlib.compressobj(wbits=-15)
    return (packer.compress(data) + packer.flush(zlib.Z_SYNC_FLUSH)).removesuffix(DEFLATE_TAIL)


def inflated(data: bytes) -> bytes:
    return zlib.decompressobj(wbits=-15).decompress(data + DEFLATE_TAIL)


class Load:
    """What all connections share: the message, the counts, the end."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.plain = message_of(options.octets)
        self.deflate: bool = options.deflate
        self.broadcast: bool = options.broadcast
        self.wire = deflated(self.plain) if self.deflate else self.plain
        self.messages = 0
        self.errors = 0
        self.stopped = False
        self.round_trips: list[float] = []
        self.connections: list[Connection] = []
        self.waiting = 0
        # What a message looks like when it comes back; compared in full, inflated once.
        self.expected: bytes | None = None if self.deflate else self.plain

    def check(self, frame: picows.WSFrame) -> None:
        data = frame.get_payload_as_bytes()
        if data == self.expected:
            return
        if self.deflate and frame.rsv1 and inflated(data) == self.plain:
            # Without context takeover each later answer is the same octets.
            self.expected = data
        elif not (self.deflate and data == self.plain):
            self.errors += 1

    def send_from(self, connection: "Connection") -> None:
        connection.sent_at = time.perf_counter()
        connection.transport.send(picows.WSMsgType.BINARY, self.wire, True, self.deflate)

    def received(self, connection: "Connection", frame: picows.WSFrame) -> None:
        self.messages += 1
        self.check(frame)
        if connection is self.connections[0]:
            self.round_trips.append(time.perf_counter() - connection.sent_at)
        if self.broadcast:
            self.waiting -= 1
            if self.waiting == 0 and not self.stopped:
                self.start_broadcast()
        elif not self.stopped:
            self.send_from(connection)

    def start_broadcast(self) -> None:
        self.waiting = len(self.connections)
        self.send_from(self.connections[0])


class Connection(picows.WSListener):  # type: ignore[misc]
    """One connection; the load decides what to send next."""

    def __init__(self, load: Load) -> None:
        super().__init__()
        self.load = load
        self.sent_at = 0.0

    def on_ws_connected(self, transport: picows.WSTransport) -> None:
        self.transport = transport

    def on_ws_frame(self, transport: picows.WSTransport, frame: picows.WSFrame) -> None:
        if frame.msg_type == picows.WSMsgType.BINARY and frame.fin:
            self.load.received(self, frame)
        elif frame.msg_type in (picows.WSMsgType.CLOSE, picows.WSMsgType.TEXT) or not frame.fin:
            # A close, another type, or a message in fragments: not what was sent.
            self.load.errors += not self.load.stopped


async def connect_all(load: Load, options: argparse.Namespace) -> None:
    headers = {"Sec-WebSocket-Extensions": DEFLATE_OFFER} if load.deflate else None
    for _ in range(options.connections):
        _, connection = await picows.ws_connect(
            lambda: Connection(load), options.url, extra_headers=headers, max_frame_size=1 << 24
        )
        agreed = connection.transport.response.headers.get("Sec-WebSocket-Extensions", "")
        if load.deflate and "permessage-deflate" not in agreed:
            raise CheckError("permessage-deflate is not agreed to")
        load.connections.append(connection)


def start(load: Load) -> None:
    if load.broadcast:
        load.start_broadcast()
    else:
        for connection in load.connections:
            load.send_from(connection)


async def verify(load: Load) -> None:
    """Each connection gets its message back a few times, unchanged (compressed, if that was agreed)."""
    start(load)
    wanted = 3 * len(load.connections)
    deadline = time.monotonic() + ANSWER_TIMEOUT_S
    while load.messages < wanted and not load.errors:
        if time.monotonic() > deadline:
            raise CheckError(f"{load.messages} messages instead of {wanted}")
        await asyncio.sleep(0.01)
    load.stopped = True
    if load.errors:
        raise CheckError("a message comes back changed, in pieces or as another type")
    if load.deflate and load.expected is None:
        raise CheckError("compression is agreed to, but messages come back uncompressed")


async def run(options: argparse.Namespace) -> dict[str, object]:
    load = Load(options)
    await connect_all(load, options)
    if options.verify:
        await verify(load)
    started = time.perf_counter()
    messages = load.messages
    if not options.verify:
        start(load)
        await asyncio.sleep(options.seconds)
    seconds = time.perf_counter() - started
    messages = load.messages - messages
    load.stopped = True
    for connection in load.connections:
        connection.transport.disconnect()
    report: dict[str, object] = {
        "messages": messages,
        "seconds": seconds,
        "errors": {"messages": load.errors} if load.errors else {},
    }
    if len(load.round_trips) > 1:
        cuts = quantiles(load.round_trips, n=100)
        report |= {"p50_us": cuts[49] * 1e6, "p99_us": cuts[98] * 1e6}
    return report


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--octets", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=1.0)
    parser.add_argument("--deflate", action="store_true")
    parser.add_argument("--broadcast", action="store_true")
    parser.add_argument("--verify", action="store_true")
    options = parser.parse_args()
    try:
        print(json.dumps(uvloop.run(run(options))))
    except (CheckError, OSError, picows.WSError, TimeoutError) as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
