"""The cases, from the inside out: head, fields, scope, engine, whole path.

Each function imports what it measures, so that a layer that is not there yet is a pending line, no crash.
"""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from typing import Any

from bench.micro import path_cases
from bench.micro.measure import Run
from bench.micro.path_cases import Scenario
from bench.micro.traffic import (
    ANSWER_BODY,
    ANSWER_FIELDS,
    answer_fields,
    chunked_request,
    get_request,
    post_request,
)

Make = Callable[[ExitStack], Run]


@dataclass(frozen=True, slots=True)
class Case:
    """`make` returns the callable to measure, or raises ImportError while its layer is not there.

    What has to be closed afterwards goes onto the stack that it is given.
    """

    name: str
    title: str
    make: Make
    batch: int = 1


def parse_head(fields: int, pieces: int = 1) -> Run:
    from alsvid.protocol.http1.head import HeadParser
    from alsvid.protocol.http1.limits import Limits

    data = get_request(fields)
    cuts = [len(data) * (i + 1) // pieces for i in range(pieces)]
    parser = HeadParser(Limits())

    def whole(count: int) -> None:
        for _ in range(count):
            parser.begin()
            parser.parse(data, 0)

    def split(count: int) -> None:
        for _ in range(count):
            parser.begin()
            start = 0
            for cut in cuts:
                if parser.parse(data[start:cut], 0) < 0:
                    start += parser.rest

    parser.begin()
    assert parser.parse(data, 0) == len(data)
    return whole if pieces == 1 else split


def write_head(fields: int) -> Run:
    from alsvid.protocol.http1.writer import HeadWriter

    writer = HeadWriter(b"server: alsvid\r\n", b"date: Tue, 04 Mar 2025 10:15:30 GMT\r\n")
    pairs = answer_fields(fields)

    def run(count: int) -> None:
        for _ in range(count):
            writer.write(200, pairs)
            writer.framing(13)

    return run


def build_scope() -> Run:
    from alsvid.asgi.scope import http_scope, scope_template
    from alsvid.protocol.events import RequestReceived

    template = scope_template(
        scheme="http", server=("127.0.0.1", 8000), client=("127.0.0.1", 40000), root_path=""
    )
    request = RequestReceived(1, "GET", b"/articles/42?page=3", [(b"host", b"127.0.0.1")], True)
    request.query_at = 12
    state: dict[str, Any] = {}

    def run(count: int) -> None:
        for _ in range(count):
            http_scope(template, request, state, None)

    return run


def engine_exchange(data: bytes) -> Run:
    """One request in, one answer out, no connection and no application."""
    from alsvid.protocol.http1.engine import Http1Engine
    from alsvid.protocol.http1.limits import Limits
    from alsvid.protocol.http1.writer import HeadWriter

    engine = Http1Engine(Limits(), HeadWriter(b"", b"date: Tue, 04 Mar 2025 10:15:30 GMT\r\n"))

    def run(count: int) -> None:
        for _ in range(count):
            stream_id = engine.receive_data(data)[0].stream_id
            engine.send_headers(stream_id, 200, ANSWER_FIELDS, False)
            engine.send_data(stream_id, ANSWER_BODY, True)
            engine.data_to_send()

    run(1)
    return run


def plain(make: Callable[..., Run], *arguments: Any) -> Make:
    """A case that has nothing to close."""
    return lambda stack: make(*arguments)


def not_there(module: str) -> Make:
    """A case whose layer has no shape yet: pending until somebody writes it."""

    def make(stack: ExitStack) -> Run:
        raise ImportError(f"waits for {module}")

    return make


def module_cases() -> list[Case]:
    """Single modules and the engine."""
    heads = [
        Case(f"head-{count}", f"parse a head of {count} fields", plain(parse_head, count))
        for count in (1, 8, 19, 50)
    ]
    return [
        *heads,
        Case("head-19-split-4", "the same of 19 fields in four reads", plain(parse_head, 19, 4)),
        Case("write-head-2", "write a head of 2 fields", plain(write_head, 2)),
        Case("write-head-20", "write a head of 20 fields", plain(write_head, 20)),
        Case("scope", "build a scope", plain(build_scope)),
        Case("engine-get", "engine: GET and answer", plain(engine_exchange, get_request(1))),
        Case("engine-get-19", "engine: GET with 19 fields", plain(engine_exchange, get_request(19))),
        Case("engine-post-1k", "engine: POST of 1 KB", plain(engine_exchange, post_request(1024))),
        Case(
            "engine-chunked-8k", "engine: 8 chunks of 1 KB", plain(engine_exchange, chunked_request(8192, 8))
        ),
    ]


def whole_path_cases() -> list[Case]:
    """From `data_received` to `transport.write`, with a real task a request."""
    batch = path_cases.CONNECTIONS
    get = get_request(1)
    cases = {
        "path-get": ("GET 13 octets", Scenario(get)),
        "path-get-19": ("GET with 19 fields", Scenario(get_request(19))),
        "path-get-log": ("GET, access log on", Scenario(get, logs=True)),
        "path-fields-20": ("20 answer fields", Scenario(get, answer_fields(20))),
        "path-post-1k": ("POST of 1 KB, content read", Scenario(post_request(1024), reads=True)),
        "path-stream-64": ("64 pieces of 1 KB", Scenario(get, pieces=64)),
        "path-await": ("GET that awaits once", Scenario(get, awaits=True)),
    }
    found = [
        Case(name, f"whole path: {title}", partial(path_cases.exchange, scenario), batch)
        for name, (title, scenario) in cases.items()
    ]
    pipelined = partial(path_cases.pipelined, get, 16)
    found.append(Case("path-pipelined-16", "whole path: GET pipelined by 16", pipelined, batch))
    bare = Case("bare-task", "for comparison: a task that does nothing", path_cases.bare_task, batch)
    return [bare, *found]


def pending_cases() -> list[Case]:
    return [
        Case("hpack-decode", "decode a browser's field block", not_there("alsvid.protocol.http2.hpack")),
        Case("http2-get", "engine: GET over HTTP/2", not_there("alsvid.protocol.http2.engine")),
        Case("ws-frame", "parse a frame", not_there("alsvid.protocol.websocket.frames")),
        Case("ws-mask-64k", "unmask 64 KB", not_there("alsvid.protocol.websocket.mask")),
    ]


def catalogue() -> list[Case]:
    return [*module_cases(), *whole_path_cases(), *pending_cases()]
