"""One source in two builds: `.py` and `.pxd` say the same, and each build loads what it is meant to load."""

from __future__ import annotations

import ast
import importlib
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.source_tree import ROOT, SOURCE, modules, name_of

_CLASS = re.compile(r"^cdef class (\w+)(?:\([\w, ]*\))?:", re.MULTILINE)
_ATTRIBUTE = re.compile(r"^    cdef (?:public |readonly )?(?!class\b)([^()\n]+)$", re.MULTILINE)
_METHOD = re.compile(r"^    cp?def [^\n(]*?(\w+)\(", re.MULTILINE)


def compiled() -> list[str]:
    """Return the list COMPILED of compiled_modules.py."""
    tree = ast.parse((ROOT / "compiled_modules.py").read_text("utf-8"))
    for node in tree.body:
        if isinstance(node, ast.AnnAssign | ast.Assign) and "COMPILED" in ast.unparse(node):
            return ast.literal_eval(node.value)
    raise AssertionError("compiled_modules.py has no COMPILED")


COMPILED = compiled()


def declared_attributes(text: str) -> dict[str, set[str]]:
    """Return the attributes of each `cdef class` of a .pxd."""
    found: dict[str, set[str]] = {}
    starts = [(match.group(1), match.end()) for match in _CLASS.finditer(text)]
    for number, (name, start) in enumerate(starts):
        end = starts[number + 1][1] if number + 1 < len(starts) else len(text)
        block = re.split(r"^(?=\S)", text[start:end], maxsplit=1, flags=re.MULTILINE)[0]
        names: set[str] = set()
        for declaration in _ATTRIBUTE.findall(block):
            first, *more = (part.strip() for part in declaration.split("#")[0].split(","))
            names.update([first.split()[-1].lstrip("*"), *more])
        found[name] = names
    return found


def declared_methods(text: str) -> dict[str, set[str]]:
    """Return the methods of each `cdef class` of a .pxd."""
    found: dict[str, set[str]] = {}
    starts = [(match.group(1), match.end()) for match in _CLASS.finditer(text)]
    for number, (name, start) in enumerate(starts):
        end = starts[number + 1][1] if number + 1 < len(starts) else len(text)
        block = re.split(r"^(?=\S)", text[start:end], maxsplit=1, flags=re.MULTILINE)[0]
        found[name] = set(_METHOD.findall(block))
    return found


def classes_of(text: str) -> dict[str, ast.ClassDef]:
    return {node.name: node for node in ast.parse(text).body if isinstance(node, ast.ClassDef)}


def slots_of(node: ast.ClassDef) -> set[str] | None:
    """Return __slots__ of a class, or None where it has none."""
    for statement in node.body:
        if isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == "__slots__":
            value = ast.literal_eval(statement.value)
            return {value} if isinstance(value, str) else set(value)
    return None


@pytest.mark.parametrize("name", COMPILED)
def test_a_compiled_module_has_source_and_declaration(name: str) -> None:
    assert name in modules()
    assert modules()[name].declaration.exists()


def test_every_declaration_belongs_to_a_compiled_module() -> None:
    declared = {name_of(path) for path in (SOURCE / "alsvid").rglob("*.pxd")}
    assert declared == set(COMPILED)
    assert len(COMPILED) == len(set(COMPILED))


@pytest.mark.parametrize("name", COMPILED)
def test_slots_and_declared_attributes_are_the_same(name: str) -> None:
    """An attribute that only one build has is a bug of the other."""
    module = modules()[name]
    classes = classes_of(module.text)
    for class_name, attributes in declared_attributes(module.declaration.read_text("utf-8")).items():
        assert class_name in classes, f"{name}.{class_name} is declared and does not exist"
        slots = slots_of(classes[class_name])
        assert slots is not None, f"{name}.{class_name} has no __slots__"
        # What lets weak references point here is no attribute that code reads.
        assert slots - {"__weakref__"} == attributes - {"__weakref__"}, f"{name}.{class_name}"


@pytest.mark.parametrize("name", COMPILED)
def test_declared_methods_exist(name: str) -> None:
    module = modules()[name]
    classes = classes_of(module.text)
    for class_name, methods in declared_methods(module.declaration.read_text("utf-8")).items():
        defined = {node.name for node in classes[class_name].body if isinstance(node, ast.FunctionDef)}
        assert methods - defined == set(), f"{name}.{class_name}"


def kind_of(path: str | None) -> str:
    return "pure" if path is not None and path.endswith(".py") else "compiled"


def has_extension(name: str) -> bool:
    path = modules()[name].path
    return any(path.parent.glob(path.stem + ".*.so")) or any(path.parent.glob(path.stem + ".*.pyd"))


@pytest.mark.parametrize("name", COMPILED)
def test_a_module_is_loaded_from_where_its_build_says(name: str) -> None:
    """The switch ALSVID_PURE=1 loads every `.py`; else the extension, where it has been built."""
    loaded = Path(importlib.import_module(name).__file__ or "")
    pure = os.environ.get("ALSVID_PURE") == "1"
    if pure or (loaded.is_relative_to(SOURCE) and not has_extension(name)):
        assert kind_of(str(loaded)) == "pure"
    else:
        assert kind_of(str(loaded)) == "compiled"


def test_a_build_is_whole() -> None:
    """Either all modules are compiled or none."""
    assert len({kind_of(importlib.import_module(name).__file__) for name in COMPILED}) == 1


def test_the_switch_loads_every_source_file() -> None:
    program = (
        "import importlib, sys\n"
        "for name in sys.argv[1:]:\n"
        "    path = importlib.import_module(name).__file__\n"
        "    assert path.endswith('.py'), path\n"
    )
    environment = os.environ | {"ALSVID_PURE": "1", "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = subprocess.run(
        [sys.executable, "-c", program, *COMPILED],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_declarations_are_read_as_they_are_written() -> None:
    text = (
        "cimport cython\n\ncdef class A:\n    cdef public int a\n    cdef readonly bytes b, c\n"
        "    cdef object _d\n\n"
        "    cdef Py_ssize_t method(self, int e) except -2\n    cpdef other(self)\n\n"
        "cdef class B(A):\n    pass\n\ncdef int outside\n"
    )
    assert declared_attributes(text) == {"A": {"a", "b", "c", "_d"}, "B": set()}
    assert declared_methods(text) == {"A": {"method", "other"}, "B": set()}
