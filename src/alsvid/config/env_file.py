"""The file of environment variables that `--env-file` names.

    # a comment                      blank lines and lines that begin with # are skipped
    export NAME=VALUE                "export" may stand before a name
    NAME = VALUE  # a comment        spaces around = and at the ends go; " #" begins a comment
    NAME='as it is, \\n too'          single quotes: nothing is special inside
    NAME="a\\nb \\"c\\""              double quotes: \\n \\r \\t \\\\ \\" \\$ are special

Both kinds of quotes may span lines. Nothing is substituted ($NAME stays). The last line for a name wins.
Owns this grammar alone.
"""

from __future__ import annotations

import re

_LINE = re.compile(
    r"""
    [ \t]*(?:export[ \t]+)?
    (?P<name>[A-Za-z_][A-Za-z0-9_.]*)
    [ \t]*=[ \t]*
    (?: '(?P<single>[^']*)'
      | "(?P<double>(?:[^"\\]|\\.)*)"
      | (?P<plain>(?!['"])[^\n]*?)
    )
    [ \t]*(?:(?<=[ \t])\#[^\n]*)?(?:\n|\Z)
    """,
    re.VERBOSE | re.DOTALL,
)
_SKIPPED = re.compile(r"[ \t]*(?:\#[^\n]*)?(?:\n|\Z)")
_ESCAPE = re.compile(r'\\([nrt"\\$])')
_ESCAPED = {"n": "\n", "r": "\r", "t": "\t"}


def parse_env_file(text: str) -> tuple[dict[str, str], list[str]]:
    """Return the variables, and a text for each line that is none: "line 3: expected NAME=VALUE"."""
    variables: dict[str, str] = {}
    problems: list[str] = []
    text = text.removeprefix("\ufeff").replace("\r\n", "\n")
    position = 0
    while position < len(text):
        skipped = _SKIPPED.match(text, position)
        if skipped is not None:
            position = max(skipped.end(), position + 1)
            continue
        line = _LINE.match(text, position)
        if line is None or "\0" in line.group():
            number = text.count("\n", 0, position) + 1
            problems.append(f"line {number}: expected NAME=VALUE, a quoted value with its closing quote")
            position = (text.find("\n", position) + 1) or len(text)
            continue
        variables[line["name"]] = _value(line)
        position = line.end()
    return variables, problems


def _value(line: re.Match[str]) -> str:
    if line["single"] is not None:
        return line["single"]
    if line["double"] is not None:
        return _ESCAPE.sub(lambda found: _ESCAPED.get(found[1], found[1]), line["double"])
    return line["plain"]
