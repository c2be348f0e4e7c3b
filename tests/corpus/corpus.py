"""Read the cases of this folder; their format is described in README.md."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from tests.protocol.wire import Log

FOLDER = Path(__file__).parent

_ESCAPE = re.compile(r"\\(?:x([0-9a-fA-F]{2})|\{(\d+):([^}]*)\}|(.))", re.DOTALL)
_NAMED = {"r": "\r", "n": "\n", "t": "\t", "0": "\0", "\\": "\\"}


@dataclass(frozen=True, slots=True)
class Case:
    """`expected` are the outcome's lines without their mark."""

    name: str
    requirement: str
    data: bytes
    expected: tuple[str, ...]

    @property
    def ends(self) -> bool:
        """True when the client closes behind its octets."""
        return "eof" in self.expected


def octets(text: str) -> bytes:
    """Return what the escapes of a text stand for."""

    def replaced(found: re.Match[str]) -> str:
        code, count, repeated, named = found.groups()
        if code:
            return chr(int(code, 16))
        if count:
            return octets(repeated).decode("latin-1") * int(count)
        return _NAMED[named]

    return _ESCAPE.sub(replaced, text).encode("latin-1")


def read(path: Path) -> Case:
    """Read one file."""
    lines = path.read_text("ascii").splitlines()
    comments = []
    while lines and lines[0].startswith("# "):
        comments.append(lines.pop(0)[2:])
    expected = tuple(line[3:].strip() for line in comments if line.startswith("=> "))
    requirement = " ".join(line for line in comments if not line.startswith("=> "))
    return Case(path.stem, requirement, octets("".join(lines)), expected)


def cases() -> list[Case]:
    """Return all cases, by name."""
    return [read(path) for path in sorted(FOLDER.rglob("*.http"))]


def check(case: Case, log: Log) -> None:
    """Assert that a log is what the case expects."""
    wanted = [line for line in case.expected if line != "eof"]
    fields: list[tuple[bytes, bytes]] = []
    for entry in log:
        kind = entry[0]
        if kind == "request":
            _expect(case, wanted, f"request {entry[2]} {entry[3].decode('latin-1')} {entry[4]}")
            fields = entry[5]
            while wanted and wanted[0].startswith("field "):
                _, name, *value = wanted.pop(0).split(" ", 2)
                pair = (name.encode(), octets(value[0]) if value else b"")
                assert pair in fields, f"{case.name}: {pair} not in {fields}"
        elif kind == "content":
            line = wanted.pop(0) if wanted else "nothing"
            if line.startswith("octets "):
                assert len(entry[2]) == int(line[7:]), case.name
            else:
                assert octets(line) == b"content " + entry[2], f"{case.name}: {entry[2]!r}"
        elif kind == "end":
            _expect(case, wanted, "end")
        elif kind == "fault":
            _expect(case, wanted, f"refused {entry[2]}")
        elif kind == "closed" and wanted == ["closed"]:
            wanted.clear()
    if wanted == ["open"]:
        assert not any(entry[0] == "closed" for entry in log), f"{case.name}: closed"
        wanted.clear()
    assert wanted == [], f"{case.name}: did not happen: {wanted}"


def _expect(case: Case, wanted: list[str], line: str) -> None:
    found = wanted.pop(0) if wanted else "nothing"
    assert found == line, f"{case.name}: expected {found!r}, came {line!r}"
