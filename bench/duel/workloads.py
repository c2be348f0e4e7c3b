"""The catalogue of workloads, in the order of the table.

A workload whose feature Alsvid has not yet is declared all the same: `needs` enables it as soon as
`alsvid --help` shows the option (see `peers.probe_alsvid`).
"""

from dataclasses import replace

from bench.duel.model import Capability, Expected, Payload, Protocol, Workload

HELLO = Expected(body=b"Hello, World!", fields=(("content-length", "13"),))
# Starlette and FastAPI serialise without spaces.
GREETING = Expected(body=b'{"message":"Hello, World!"}', fields=(("content-type", "application/json"),))
ASGI = frozenset({Capability.ASGI})
SIZED = frozenset({Capability.SIZED})
WEBSOCKET = frozenset({Capability.ASGI, Capability.WEBSOCKET})


def http1_workloads() -> list[Workload]:
    """Small requests over HTTP/1.1 in cleartext."""
    log = frozenset({Capability.ACCESS_LOG})
    fields = Expected(body=b"Hello, World!", fields=(("x-frame-options", "DENY"),), field_count=20)
    items = Expected(body=b'{"items":12}', fields=(("content-type", "application/json"),))
    return [
        Workload("hello-1", "GET 13 octets, 1 connection", connections=1, expected=HELLO),
        Workload("hello-64", "GET 13 octets, 64 connections", expected=HELLO, quick=True),
        Workload("hello-512", "GET 13 octets, 512 connections", connections=512, expected=HELLO),
        Workload("browser", "GET with a browser's 19 fields", script="browser", expected=HELLO, quick=True),
        Workload("access-log", "GET, access log on", needs=log, access_log=True, expected=HELLO, quick=True),
        Workload("no-keep-alive", "GET, no keep-alive", script="close", expected=HELLO),
        Workload("pipelined-16", "GET pipelined by 16", script="pipeline", expected=HELLO),
        Workload("fields-20", "20 answer fields", app="fields20", needs=ASGI, expected=fields),
        Workload(
            "json-post",
            "JSON POST 1 KB",
            app="json_post",
            script="post",
            payload=Payload.JSON_1K,
            needs=ASGI,
            expected=items,
            quick=True,
        ),
    ]


def body_workloads() -> list[Workload]:
    """Answers whose cost is in the octets."""
    return [
        Workload(
            "body-10k", "10 KB answer", "sized", path="/10k", needs=SIZED, expected=Expected(octets=10_000)
        ),
        Workload(
            "body-100k",
            "100 KB answer",
            "sized",
            path="/100k",
            needs=SIZED,
            expected=Expected(octets=100_000),
        ),
        Workload(
            "body-1m", "1 MB answer", "sized", path="/1m", needs=SIZED, expected=Expected(octets=1_000_000)
        ),
        Workload(
            "streamed",
            "64 x 1 KB streamed",
            "streamed",
            needs=ASGI,
            expected=Expected(octets=65_536, fields=(("transfer-encoding", "chunked"),)),
            quick=True,
        ),
        Workload(
            "file-50k", "file of 50 KB", "files", path="/50k", needs=SIZED, expected=Expected(octets=50_000)
        ),
        Workload(
            "file-10m",
            "file of 10 MB",
            "files",
            path="/10m",
            connections=8,
            needs=SIZED,
            expected=Expected(octets=10_000_000),
        ),
    ]


def upload_workloads() -> list[Workload]:
    """Requests whose cost is in the octets."""
    return [
        Workload(
            "upload-1m",
            "upload of 1 MB",
            "upload",
            script="post",
            connections=16,
            payload=Payload.UPLOAD_1M,
            needs=ASGI,
            expected=Expected(body=b"1000000"),
        ),
        Workload(
            "upload-100m",
            "upload of 100 MB",
            "upload",
            script="post",
            connections=2,
            payload=Payload.UPLOAD_100M,
            needs=ASGI,
            expected=Expected(body=b"100000000"),
            # A few dozen uploads at least, or the one in flight at the end decides.
            min_seconds=5.0,
        ),
    ]


def waiting_workloads() -> list[Workload]:
    """Applications that wait, as with a database behind them."""
    return [
        Workload(
            "sleep-10ms",
            "sleep(0.01), 512 connections",
            "sleeping",
            connections=512,
            path="/10ms",
            needs=ASGI,
            quick=True,
        ),
        Workload(
            "sleep-1s",
            "sleep(1), 5,000 connections",
            "sleeping",
            connections=5000,
            path="/1s",
            needs=ASGI,
            # The first answers come after one second; at least seven whole turns of all connections.
            min_seconds=8.0,
        ),
    ]


def tls_workloads() -> list[Workload]:
    tls = frozenset({Capability.TLS})
    return [
        Workload("tls", "TLS 1.3 keep-alive", needs=tls, tls=True, expected=HELLO, quick=True),
        Workload(
            "tls-handshake",
            "full TLS 1.3 handshake a request",
            driver="handshake",
            script="close",
            connections=8,
            needs=tls,
            tls=True,
            expected=HELLO,
            unit="handshakes/s",
        ),
        Workload(
            "tls-resumed",
            "TLS 1.3 connection a request, session resumed",
            script="close",
            connections=16,
            needs=tls,
            tls=True,
            expected=HELLO,
            unit="handshakes/s",
        ),
    ]


def http2_workloads() -> list[Workload]:
    workloads = []
    for protocol, capability, title in (
        (Protocol.H2C, Capability.H2C, "cleartext"),
        (Protocol.H2, Capability.H2, "TLS"),
    ):
        for streams in (1, 10, 100):
            workloads.append(
                Workload(
                    f"{protocol}-{streams}",
                    f"HTTP/2 {title}, 16 connections x {streams} streams",
                    driver="h2load",
                    connections=16,
                    streams=streams,
                    protocol=protocol,
                    needs=frozenset({capability}),
                    expected=HELLO,
                )
            )
    return workloads


def websocket_workloads() -> list[Workload]:
    workloads = []
    for octets, title in ((16, "16 B"), (1024, "1 KB"), (65_536, "64 KB")):
        for deflate in (False, True):
            needs = WEBSOCKET | {Capability.DEFLATE} if deflate else WEBSOCKET
            workloads.append(
                Workload(
                    f"ws-echo-{octets}" + ("-deflate" if deflate else ""),
                    f"WebSocket echo of {title}" + (", compressed" if deflate else ""),
                    "websocket_echo",
                    driver="websocket",
                    connections=32,
                    message_octets=octets,
                    deflate=deflate,
                    needs=needs,
                    unit="messages/s",
                )
            )
    workloads.append(
        Workload(
            "ws-broadcast",
            "WebSocket broadcast 1 -> 200 of 64 B",
            "websocket_echo",
            driver="websocket",
            connections=200,
            path="/broadcast",
            message_octets=64,
            needs=WEBSOCKET,
            unit="messages/s",
        )
    )
    return workloads


def framework_workloads() -> list[Workload]:
    wsgi = frozenset({Capability.WSGI})
    return [
        Workload(
            "starlette", "Starlette, small JSON", "starlette_json", needs=ASGI, expected=GREETING, quick=True
        ),
        Workload("fastapi", "FastAPI, small JSON", "fastapi_json", needs=ASGI, expected=GREETING),
        Workload("wsgi", "WSGI GET 13 octets", "wsgi_hello", interface="wsgi", needs=wsgi, expected=HELLO),
    ]


def footprint_workloads() -> list[Workload]:
    """Not a rate: seconds and memory."""
    four = frozenset({Capability.WORKERS})
    idle = frozenset({Capability.IDLE})
    workloads = [
        Workload("start-up", "start-up to the first answer", driver="startup", unit="ms", quick=True),
        Workload("memory-1", "PSS after load, 1 worker", driver="memory", unit="MiB", quick=True),
        Workload("memory-4", "PSS after load, 4 workers", driver="memory", unit="MiB", workers=4, needs=four),
        Workload(
            "idle-10k",
            "PSS of an idle keep-alive connection (of 10,000)",
            driver="idle",
            connections=10_000,
            unit="KiB",
            needs=idle,
        ),
        Workload(
            "idle-10k-h2c",
            "PSS of an idle HTTP/2 connection (of 10,000)",
            driver="idle",
            connections=10_000,
            unit="KiB",
            protocol=Protocol.H2C,
            needs=idle | {Capability.H2C},
        ),
        Workload(
            "idle-10k-ws",
            "PSS of an idle WebSocket connection (of 10,000)",
            "websocket_echo",
            driver="idle",
            connections=10_000,
            unit="KiB",
            needs=idle | WEBSOCKET,
        ),
    ]
    return [replace(workload, expected=HELLO, lower_is_better=True) for workload in workloads]


def catalogue() -> dict[str, Workload]:
    """Every workload by name."""
    groups = (
        http1_workloads(),
        body_workloads(),
        upload_workloads(),
        waiting_workloads(),
        tls_workloads(),
        http2_workloads(),
        websocket_workloads(),
        framework_workloads(),
        footprint_workloads(),
    )
    return {workload.name: workload for group in groups for workload in group}
