"""The shape of the house: arrows point down, there are no cycles, protocol/ does no I/O, files stay short."""

from __future__ import annotations

from pathlib import Path

from tests.architecture.source_tree import Import, Module, imports, modules

# A layer may import itself and what stands below it.
LAYERS = [
    "alsvid",  # __init__: the public API
    "__main__",
    "cli",
    "config",  # composes the settings that the layers below declare
    "supervisor",
    "server",
    "interfaces",
    "net",
    "asgi",
    "protocol",
    "observability",
    "options",
    "errors",
    "_pure",
]
LEAVES = {"options", "errors", "_pure"}
TELEMETRY = "alsvid.observability.telemetry"

# What does I/O, keeps time, or schedules: an engine is given octets and the time, and hands octets out.
IO_MODULES = {
    "asyncio", "concurrent", "fcntl", "http.client", "http.server", "io", "logging", "multiprocessing", "os",
    "pathlib", "queue", "select", "selectors", "shutil", "signal", "socket", "socketserver", "ssl",
    "subprocess", "tempfile", "threading", "time", "uvloop",
}  # fmt: skip

# Imports that point up and are allowed, each for its reason.
ALLOWED_UP = {
    ("alsvid.cli", "alsvid"): "reads __version__ and nothing else",
}

MOST_LINES = 600
# Files that may be longer, by how much, each for its reason.
LONGER: dict[str, tuple[int, str]] = {}


def own_imports() -> list[Import]:
    """Return imports of our own modules that happen when the program runs."""
    return [found for found in imports() if found.target.split(".")[0] == "alsvid" and not found.is_typing]


def layer_of(name: str) -> str:
    parts = name.split(".")
    return parts[1] if len(parts) > 1 else "alsvid"


def is_allowed_up(found: Import) -> bool:
    folder = ".".join(found.module.split(".")[:2])
    return (folder, found.target) in ALLOWED_UP and set(found.names) <= {"__version__"}


def places(found: list[Import]) -> list[str]:
    """Return where imports stand, for a report."""
    return [f"{one.module}:{one.line} imports {one.target}" for one in found]


def test_every_module_is_in_a_layer_of_the_plan() -> None:
    assert {module.layer for module in modules().values()} <= set(LAYERS)


def test_imports_point_down() -> None:
    """What only type checkers see may point up: nothing comes of it when the program runs."""
    upward = [
        found
        for found in own_imports()
        if LAYERS.index(layer_of(found.target)) < LAYERS.index(layer_of(found.module))
        and not is_allowed_up(found)
    ]
    assert places(upward) == []


def test_what_may_point_up_still_does() -> None:
    used = {
        (".".join(found.module.split(".")[:2]), found.target)
        for found in own_imports()
        if is_allowed_up(found)
    }
    assert set(ALLOWED_UP) == used


def test_leaves_import_nothing_of_ours() -> None:
    assert places([found for found in own_imports() if layer_of(found.module) in LEAVES]) == []


def test_telemetry_imports_nothing_of_ours() -> None:
    assert places([found for found in own_imports() if found.module == TELEMETRY]) == []


def test_observability_imports_leaves_only() -> None:
    found = [
        one
        for one in own_imports()
        if layer_of(one.module) == "observability" and layer_of(one.target) not in LEAVES | {"observability"}
    ]
    assert places(found) == []


def test_below_the_server_only_telemetry_is_known_of_observability() -> None:
    """Logs and metrics subscribe; nobody below logs by itself."""
    low = LAYERS[LAYERS.index("interfaces") : LAYERS.index("observability")]
    found = [
        one
        for one in own_imports()
        if layer_of(one.module) in low and layer_of(one.target) == "observability" and one.target != TELEMETRY
    ]
    assert places(found) == []


def test_there_is_no_cycle_of_imports() -> None:
    """Neither between modules nor, by the layers, between folders; imports inside of functions count."""
    arrows: dict[str, set[str]] = {}
    for found in own_imports():
        if found.target in modules() and found.target != found.module:
            arrows.setdefault(found.module, set()).add(found.target)
    done: set[str] = set()

    def walk(name: str, path: tuple[str, ...]) -> None:
        assert name not in path, " -> ".join((*path[path.index(name) :], name))
        if name not in done:
            for target in sorted(arrows.get(name, ())):
                walk(target, (*path, name))
            done.add(name)

    for name in sorted(arrows):
        walk(name, ())


def test_protocol_does_no_io_and_reads_no_clock() -> None:
    found = [
        one
        for one in imports()
        if layer_of(one.module) == "protocol"
        and (one.target in IO_MODULES or one.target.split(".")[0] in IO_MODULES)
    ]
    assert places(found) == []


def test_only_net_and_server_know_transports() -> None:
    """A cycle cannot touch a socket, an engine cannot schedule."""
    found = [
        one
        for one in imports()
        if layer_of(one.module) in {"asgi", "interfaces", "protocol"}
        and one.target in {"socket", "ssl", "selectors"}
    ]
    assert places(found) == []


def lines_of(module: Module) -> int:
    return module.text.count("\n")


def test_files_stay_short() -> None:
    too_long = {
        module.name: lines_of(module)
        for module in modules().values()
        if lines_of(module) > LONGER.get(module.name, (MOST_LINES, ""))[0]
    }
    assert too_long == {}


def test_files_that_may_be_longer_are() -> None:
    assert all(lines_of(modules()[name]) > MOST_LINES for name in LONGER)


def test_modules_say_what_they_own() -> None:
    """A module's first lines; empty __init__ files have nothing to say."""
    silent = [
        module.name
        for module in modules().values()
        if module.text and not module.text.startswith(('"""', 'r"""'))
    ]
    assert silent == []


def test_the_tree_was_found() -> None:
    assert Path(modules()["alsvid"].path).name == "__init__.py"
    assert len(imports()) > 100
