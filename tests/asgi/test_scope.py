"""The `http` scope: complete, exact, and nobody else's."""

from __future__ import annotations

import asyncio
import contextvars
from pathlib import Path
from typing import Any

import pytest
from serving import GET, Client, get, post, request, respond, serving


async def scope_of(data: bytes, **settings: Any) -> dict[str, Any]:
    """The scope that an application sees of these octets."""
    scopes: list[dict[str, Any]] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        scopes.append(scope)
        await respond(send)

    async with serving(app, **settings) as server, server.client() as client:
        await client.ask(data, data.split(b" ")[0].decode())
        scopes[0]["_client"] = client.writer.get_extra_info("sockname")
        scopes[0]["_server"] = client.writer.get_extra_info("peername")
    return scopes[0]


async def test_it_has_all_the_keys_and_no_others() -> None:
    """ASGI HTTP connection scope, version 2.5."""
    scope = await scope_of(get("/a%20b?q=1&r=%41", "X-One: 1", "x-two:  2 "))
    client, server = scope.pop("_client"), scope.pop("_server")
    assert scope == {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.5"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": "/a b",
        "raw_path": b"/a%20b",
        "query_string": b"q=1&r=%41",
        "root_path": "",
        "headers": [(b"host", b"test"), (b"x-one", b"1"), (b"x-two", b"2")],
        "client": client,
        "server": server,
        "extensions": {
            "http.response.trailers": {},
            "http.response.early_hint": {},
            "http.response.pathsend": {},
            "http.response.zerocopysend": {},
        },
    }


async def test_its_values_have_the_types_that_are_specified() -> None:
    """ASGI: client and server are (str, int); bytes stay bytes; nothing is a subclass."""
    scope = await scope_of(get("/x?y"))
    for name in ("client", "server"):
        host, port = scope[name]
        assert (type(scope[name]), type(host), type(port)) == (tuple, str, int)
    types = {name: type(value) for name, value in scope.items() if not name.startswith("_")}
    assert types["path"] is types["method"] is types["scheme"] is types["root_path"] is str
    assert types["raw_path"] is types["query_string"] is bytes
    assert types["headers"] is list
    assert all(type(name) is type(value) is bytes for name, value in scope["headers"])


@pytest.mark.one_loop
@pytest.mark.parametrize(
    ("target", "path", "raw_path", "query"),
    [
        ("/", "/", b"/", b""),
        ("/?", "/", b"/", b""),
        ("/??", "/", b"/", b"?"),
        ("/a?b?c", "/a", b"/a", b"b?c"),
        ("/%41%2f%2e", "/A/.", b"/%41%2f%2e", b""),
        ("/caf%C3%A9", "/café", b"/caf%C3%A9", b""),
        ("/%F0%9F%90%8E", "/🐎", b"/%F0%9F%90%8E", b""),
        ("/caf%E9", "/caf�", b"/caf%E9", b""),
        ("/%ff%fe", "/��", b"/%ff%fe", b""),
        ("/%C3", "/�", b"/%C3", b""),
        ("/%ED%A0%80", "/���", b"/%ED%A0%80", b""),
        ("/%00", "/\0", b"/%00", b""),
        ("/a+b", "/a+b", b"/a+b", b""),
        ("/a?x=%zz&y=+", "/a", b"/a", b"x=%zz&y=+"),
        ("//a//b", "//a//b", b"//a//b", b""),
        ("/a/../b", "/a/../b", b"/a/../b", b""),
        ("/a;b=c", "/a;b=c", b"/a;b=c", b""),
        ("/100%25", "/100%", b"/100%25", b""),
    ],
)
async def test_path_is_decoded_and_the_raw_forms_are_kept(
    target: str, path: str, raw_path: bytes, query: bytes
) -> None:
    """ASGI: "path … with percent-encoded sequences and UTF-8 byte sequences decoded into characters"."""
    scope = await scope_of(get(target))
    assert (scope["path"], scope["raw_path"], scope["query_string"]) == (path, raw_path, query)


@pytest.mark.one_loop
async def test_an_absolute_target_is_seen_as_path_and_host() -> None:
    """RFC 9112 section 3.2.2: the target's authority takes the place of Host."""
    scope = await scope_of(b"GET http://winner.example/p?q HTTP/1.1\r\nHost: winner.example\r\n\r\n")
    assert (scope["path"], scope["query_string"]) == ("/p", b"q")
    assert dict(scope["headers"])[b"host"] == b"winner.example"


@pytest.mark.one_loop
async def test_options_star_has_the_path_star() -> None:
    """RFC 9112 section 3.2.4: asterisk-form is for OPTIONS."""
    scope = await scope_of(request("OPTIONS", "*"))
    assert (scope["method"], scope["path"], scope["raw_path"]) == ("OPTIONS", "*", b"*")


@pytest.mark.one_loop
async def test_root_path_is_part_of_path_and_raw_path() -> None:
    """ASGI: "path … root_path"; frameworks take root_path off the front again."""
    scope = await scope_of(get("/items%2F1?q"), root_path="/api/")
    assert scope["root_path"] == "/api"
    assert scope["path"] == "/api/items/1"
    assert scope["raw_path"] == b"/api/items%2F1"


@pytest.mark.one_loop
@pytest.mark.parametrize("version", ["1.0", "1.1"])
async def test_http_version_is_that_of_the_request(version: str) -> None:
    """ASGI: "http_version … one of "1.0", "1.1" or "2"."""
    assert (await scope_of(get(version=version)))["http_version"] == version


@pytest.mark.one_loop
async def test_methods_and_repeated_headers_stay_as_they_are() -> None:
    """RFC 9110 section 9.1: methods are case-sensitive. Fields keep their order."""
    scope = await scope_of(request("pAtCh", "/", "X-A: 1", "Cookie: a=1", "x-a: 2", "X-a: 3"))
    assert scope["method"] == "pAtCh"
    assert [value for name, value in scope["headers"] if name == b"x-a"] == [b"1", b"2", b"3"]


async def test_on_a_unix_socket_the_server_is_its_path_and_there_is_no_client(tmp_path: Path) -> None:
    """ASGI: "server … (path, None)"; a client on a Unix socket has no address."""
    path = str(tmp_path / "s")
    scope = await scope_of(GET, uds=path)
    assert (scope["server"], scope["client"]) == ((path, None), None)


async def test_on_ipv6_addresses_have_two_parts_as_well() -> None:
    """ASGI: [host, port], without flow and scope."""
    scope = await scope_of(GET, bind=["[::1]:0"])
    assert scope["client"][0] == scope["server"][0] == "::1"
    assert len(scope["client"]) == len(scope["server"]) == 2


@pytest.mark.one_loop
async def test_state_is_copied_for_each_request_and_its_values_are_shared() -> None:
    """ASGI lifespan state: "a shallow copy of the namespace" for each request."""
    shared = object()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await receive()
            scope["state"]["shared"] = shared
            await send({"type": "lifespan.startup.complete"})
            await receive()
            await send({"type": "lifespan.shutdown.complete"})
            return
        assert scope["state"] == {"shared": shared}
        scope["state"]["mine"] = 1
        await respond(send)

    async with serving(app, lifespan="on") as server, server.client() as client:
        for _ in range(3):
            assert (await client.ask()).status == 200


@pytest.mark.one_loop
async def test_nothing_mutable_is_shared_by_two_requests() -> None:
    """Whatever an application does to its scope, the next request on the connection is clean."""
    scopes: list[Any] = []

    def spoil(thing: Any) -> None:
        if isinstance(thing, dict):
            for value in list(thing.values()):
                spoil(value)
            thing["spoilt"] = True
        elif isinstance(thing, list):
            thing.append(("spoilt", "spoilt"))

    async def app(scope: Any, receive: Any, send: Any) -> None:
        scopes.append(repr(scope))
        spoil(scope)
        await respond(send)

    async with serving(app) as server, server.client() as client:
        for _ in range(3):
            await client.ask()
    assert scopes[0] == scopes[1] == scopes[2]


async def test_context_variables_do_not_leak_from_one_request_to_the_next() -> None:
    """performance.md section 3: a fresh copy of the context for each request, pipelined or not."""
    variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable", default="clean")
    outer: contextvars.ContextVar[str] = contextvars.ContextVar("outer", default="")
    outer.set("from outside")
    seen: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append(variable.get())
        assert outer.get() == "from outside"
        variable.set(f"set by {scope['path']}")
        while (await receive()).get("more_body"):
            pass
        await respond(send, b"x" * 10)
        await asyncio.sleep(0)
        assert variable.get() == f"set by {scope['path']}"

    async with serving(app, read_high_water=1024) as server, server.client() as client:
        await client.ask(get("/1"))
        client.send(get("/2") + get("/3") + get("/4"))
        for _ in range(3):
            await client.response()
        # Reading stops and is resumed by the application that takes the content.
        await client.ask(post(b"x" * 500_000, path="/5"))
        await client.ask(get("/6"))
    assert seen == ["clean"] * 6


@pytest.mark.one_loop
async def test_asgi_2_applications_are_served() -> None:
    """ASGI 2: app(scope) returns what is called with receive and send; the version says so."""
    versions: list[str] = []

    class App:
        def __init__(self, scope: Any) -> None:
            self.scope = scope
            versions.append(scope["asgi"]["version"])

        async def __call__(self, receive: Any, send: Any) -> None:
            if self.scope["type"] == "lifespan":
                raise NotImplementedError
            assert (await receive())["type"] == "http.request"
            await respond(send, self.scope["path"].encode())

    async with serving(App, lifespan="auto") as server, server.client() as client:
        assert (await client.ask(get("/two"))).body == b"/two"
        assert (await client.ask(get("/again"))).body == b"/again"
    assert versions == ["2.0"] * 3


@pytest.mark.one_loop
async def test_an_asgi_3_callable_object_is_taken_as_it_is() -> None:
    """Detection: an object whose __call__ is a coroutine function is an ASGI 3 application."""

    class App:
        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            await respond(send, b"object")

    async def client_part(client: Client) -> None:
        assert (await client.ask()).body == b"object"

    async with serving(App()) as server, server.client() as client:
        await client_part(client)
