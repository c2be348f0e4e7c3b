"""The one list of modules that Cython compiles, and the directives the compiler is called with.

A module stands here only where a benchmark in bench/ shows what it buys; each has a `.pxd` of its name.
"""

COMPILED: list[str] = [
    "alsvid.protocol.events",
    "alsvid.protocol.engine",
    "alsvid.protocol.http.authority",
    "alsvid.protocol.http1.limits",
    "alsvid.protocol.http1.head",
    "alsvid.protocol.http1.body",
    "alsvid.protocol.http1.writer",
    "alsvid.protocol.http1.engine",
    "alsvid.observability.access_format",
    "alsvid.observability.access_log",
    "alsvid.asgi.awaitables",
    "alsvid.asgi.stream",
    "alsvid.asgi.scope",
    "alsvid.asgi.service",
    "alsvid.asgi.http_cycle",
    "alsvid.net.context",
    "alsvid.net.port",
    "alsvid.net.streams",
    "alsvid.net.lifetime",
    "alsvid.net.connection",
    "alsvid.net.deadlines",
]

DIRECTIVES = {
    "language_level": "3",
    # The annotations are for mypy; the .pxd alone says what is a C type.
    "annotation_typing": False,
    # Byte loops run over C pointers and test their own bounds; lists and tuples keep Python's checks.
    "boundscheck": True,
    "wraparound": True,
    "initializedcheck": False,
    "binding": False,
    "always_allow_keywords": True,
    "embedsignature": False,
}
