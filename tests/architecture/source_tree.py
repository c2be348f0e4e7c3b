"""The package's source as data: modules, their imports with line numbers, where each import stands."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src"
PACKAGE = SOURCE / "alsvid"

_CIMPORT = re.compile(r"^from (alsvid[\w.]*) cimport ", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Import:
    """`module` imports `target`; `is_typing` when only type checkers see it."""

    module: str
    target: str
    names: tuple[str, ...]
    line: int
    is_typing: bool


@dataclass(frozen=True, slots=True)
class Module:
    """One .py file; `text` is its source."""

    name: str
    path: Path
    text: str

    @property
    def layer(self) -> str:
        """The folder below alsvid, or the module itself where it is in none."""
        parts = self.name.split(".")
        return parts[1] if len(parts) > 1 else "alsvid"

    @property
    def declaration(self) -> Path:
        """Where the .pxd is, if there is one."""
        return self.path.with_suffix(".pxd")


def name_of(path: Path) -> str:
    """Return the dotted name of a source file."""
    parts = path.relative_to(SOURCE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def modules() -> dict[str, Module]:
    """Return all modules by name."""
    return {
        name_of(path): Module(name_of(path), path, path.read_text("utf-8"))
        for path in sorted(PACKAGE.rglob("*.py"))
    }


@cache
def imports() -> tuple[Import, ...]:
    """Return all imports of all modules, those inside of functions too, and the cimports of their .pxd."""
    found: list[Import] = []
    for module in modules().values():
        _collect(module.name, ast.parse(module.text), False, found)
        if module.declaration.exists():
            for target in _CIMPORT.findall(module.declaration.read_text("utf-8")):
                found.append(Import(module.name, target, (), 0, False))
    return tuple(found)


def _collect(module: str, tree: ast.AST, is_typing: bool, found: list[Import]) -> None:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING"):
            for child in node.body:
                _collect_node(module, child, True, found)
            for child in node.orelse:
                _collect_node(module, child, is_typing, found)
        else:
            _collect_node(module, node, is_typing, found)


def _collect_node(module: str, node: ast.AST, is_typing: bool, found: list[Import]) -> None:
    if isinstance(node, ast.Import):
        found += [Import(module, alias.name, (), node.lineno, is_typing) for alias in node.names]
    elif isinstance(node, ast.ImportFrom):
        assert node.level == 0, f"{module}:{node.lineno}: imports are absolute"
        names = tuple(alias.name for alias in node.names)
        target = node.module or ""
        inner = [name for name in names if f"{target}.{name}" in modules()]
        found += [Import(module, f"{target}.{name}", (), node.lineno, is_typing) for name in inner]
        if len(inner) < len(names):
            found.append(Import(module, target, names, node.lineno, is_typing))
    else:
        _collect(module, node, is_typing, found)
