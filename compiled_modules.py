"""The one list of modules that Cython compiles, and the directives the compiler is called with.

A module stands here only where a benchmark in bench/ shows what it buys; each has a `.pxd` of its name.
"""

COMPILED: list[str] = []

DIRECTIVES = {
    "language_level": "3",
    # The annotations are for mypy; the .pxd alone says what is a C type.
    "annotation_typing": False,
    # Byte loops test their own bounds (RFC-bearing code compares with the length before it reads).
    "boundscheck": False,
    "wraparound": False,
    "initializedcheck": False,
    "binding": False,
    "always_allow_keywords": True,
    "embedsignature": False,
}
