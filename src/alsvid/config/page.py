"""The options page and the README's table, made from the declarations.

    python -m alsvid.config.page docs/options.md     writes the page
    python -m alsvid.config.page README.md           replaces what stands between the two marks

Owns their layout alone. A test fails when the page is not current.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from alsvid.config.catalogue import DECLARED, GROUPS, Declared
from alsvid.config.values import default_text

START_MARK = "<!-- options:start -->"
END_MARK = "<!-- options:end -->"

_INTRODUCTION = """\
# Options

Made from the declarations in the source by `python -m alsvid.config.page docs/options.md`; change those, not
this page.

Every setting has one name. `keep_alive` is `--keep-alive` on the command line, `ALSVID_KEEP_ALIVE` in the
environment, `keep_alive` (or `keep-alive`) in `alsvid.toml` or `[tool.alsvid]` of `pyproject.toml`, and a
keyword of `alsvid.run()` and `Settings()`. Other spellings that users of Uvicorn and Gunicorn know are
accepted in the same places. The command line is stronger than the environment, the environment than the
file, the file than the default. `--config FILE` (`-c`, or `ALSVID_CONFIG`) names another file;
`--print-config` shows every value with its source, `--check-config` tests a configuration without serving.
All that is wrong is reported at once.

Sizes are octets, times seconds. Flags that may be repeated are lists in files; in the environment
`ALSVID_BIND` separates with commas, `ALSVID_HEADERS` with line ends. An empty variable counts as unset, but
for lists, which it empties.
"""

_VARIABLES = """
## Other variables

| variable | meaning |
| --- | --- |
| `PORT` | listen at `0.0.0.0:$PORT` where no address is given |
| `FORWARDED_ALLOW_IPS` | as `ALSVID_FORWARDED_ALLOW_IPS` |
| `LISTEN_FDS`, `LISTEN_PID`, `LISTEN_FDNAMES` | sockets passed by a service manager |
| `SSLKEYLOGFILE` | file to which TLS secrets are written, for debugging with a packet capture |

## Exit statuses

| status | meaning |
| --- | --- |
| 0 | clean stop |
| 1 | crash |
| 2 | usage or configuration |
| 3 | the server could not start: an address, the lifespan |
| 4 | the application could not be imported |
"""


def options_page() -> str:
    """Return the whole text of docs/options.md."""
    parts = [_INTRODUCTION]
    for group, (_, title) in GROUPS.items():
        parts.append(f"\n## {title}\n\n| option | default | meaning |\n| --- | --- | --- |\n")
        parts += [_row(each) for each in DECLARED.values() if each.group == group]
    parts.append(_VARIABLES)
    return "".join(parts)


def readme_table() -> str:
    """Return a short table of all options, without their dangers, for the README."""
    rows = ["| option | default | meaning |\n| --- | --- | --- |\n"]
    for each in DECLARED.values():
        rows.append(f"| {_code(_first_spelling(each))} | {_default(each)} | {_cell(each.option.doc)} |\n")
    return "".join(rows)


def with_table(text: str) -> str:
    """Return `text` with the table between the two marks; raises ValueError where they are missing."""
    head, start, rest = text.partition(START_MARK)
    _, end, tail = rest.partition(END_MARK)
    if not start or not end:
        raise ValueError(f"expected {START_MARK} and, after it, {END_MARK}")
    return f"{head}{start}\n{readme_table()}{end}{tail}"


def _row(declared: Declared) -> str:
    option = declared.option
    spelled = "<br>".join(map(_code, _spellings(declared)))
    meaning = [_cell(option.doc)]
    if option.choices:
        meaning.append(f"One of {', '.join(map(_code, option.choices))}.")
    limits = _limits(declared)
    if limits:
        meaning.append(limits)
    if option.zero_is_off:
        meaning.append("0 switches it off.")
    if option.danger:
        meaning.append(f"*Risk:* {_cell(option.danger)}")
    return f"| {spelled} | {_default(declared)} | {' '.join(meaning)} |\n"


def _spellings(declared: Declared) -> list[str]:
    if not declared.option.flags:
        return [declared.option.metavar]
    if declared.is_bool:
        return [f"{flag}/--no-{flag[2:]}" for flag in declared.option.flags]
    return list(declared.option.flags)


def _first_spelling(declared: Declared) -> str:
    short = [flag for flag in declared.option.flags if not flag.startswith("--")]
    return ", ".join([*short, _spellings(declared)[0]])


def _default(declared: Declared) -> str:
    text = default_text(declared)
    return _code(text) if text and isinstance(declared.default, (str, tuple)) else text


def _limits(declared: Declared) -> str:
    option = declared.option
    if option.maximum is None or option.octal:
        return ""
    return f"{option.minimum or 0:g} to {int(option.maximum)}."


def _code(text: str) -> str:
    return f"`{text}`"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("*", "\\*").replace("<", "&lt;")


def main(arguments: Sequence[str]) -> int:
    """Write the page, or the README's table, into the file that is named."""
    if len(arguments) != 1:
        print("usage: python -m alsvid.config.page docs/options.md | README.md", file=sys.stderr)
        return 2
    path = arguments[0]
    if path.endswith("options.md"):
        text = options_page()
    else:
        with open(path, encoding="utf-8") as file:
            text = with_table(file.read())
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
