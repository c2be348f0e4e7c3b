"""What was given and by whom, and the source that is a TOML file.

Owns names and provenance; what a value means and which source wins is decided elsewhere. A reader returns
`{name: Given(value as written, source)}` and adds what is wrong to `findings`.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any, NamedTuple

from alsvid.config.catalogue import NAMES, Declared, key_of_flag, near_matches
from alsvid.config.peers import ABSENT, WITHOUT_EFFECT, absence

DEFAULT_FILE = "alsvid.toml"
PROJECT_FILE = "pyproject.toml"


class Given(NamedTuple):
    """A value as it was written, and where: "--port", "environment ALSVID_PORT", "file alsvid.toml" …"""

    value: Any
    source: str


class Findings:
    """What came up while settings were read: `problems` stop the start, `notices` are only told."""

    __slots__ = ("notices", "problems")

    def __init__(self) -> None:
        self.problems: list[str] = []
        self.notices: list[str] = []


Layer = dict[str, Given]


def described(declared: Declared, given: Given | None) -> str:
    """Return how a text for the user names a setting: "--port 'abc' (environment ALSVID_PORT)"."""
    if given is None:
        return f"{declared.flag} (default)"
    value = "***" if declared.option.secret else repr(given.value)
    if given.source.startswith("-"):
        # The source is the very spelling that the user typed.
        return f"{given.source} {value} (command line)"
    return f"{declared.flag} {value} ({given.source})"


def by_name(pairs: Iterable[tuple[str, Any]], source: str, findings: Findings) -> Layer:
    """Return keys of a file, or keywords of a caller, under their settings' own names."""
    layer: Layer = {}
    spelled: dict[str, str] = {}
    for key, value in pairs:
        name = NAMES.get(key_of_flag(key))
        if name is None:
            _tell_of_unknown(key, value, source, findings)
        elif value is None:
            continue  # a caller that passes its own unset value on means: the default
        elif name in layer:
            findings.problems.append(f"{key} ({source}): the same setting as {spelled[name]}; keep one")
        else:
            layer[name] = Given(value, source)
            spelled[name] = key
    return layer


def _tell_of_unknown(key: str, value: Any, source: str, findings: Findings) -> None:
    plain = key_of_flag(key)
    for taken in WITHOUT_EFFECT:
        if taken.name == plain:
            check_without_effect(key, value, source, findings)
            return
    for absent in ABSENT:
        if plain in map(key_of_flag, absent.flags):
            if absent.is_off(value):
                return
            findings.problems.append(f"{key} ({source}): {absence(key, absent)}")
            return
    findings.problems.append(f"{key} ({source}): unknown setting{near_matches(plain, list(NAMES))}")


def check_without_effect(spelling: str, value: Any, source: str, findings: Findings) -> None:
    """Take note of an option that is accepted from other servers' users though it changes nothing."""
    plain = key_of_flag(spelling)
    taken = next(each for each in WITHOUT_EFFECT if plain == each.name or spelling in each.flags)
    if value in taken.values:
        findings.notices.append(f"{spelling} {value} {taken.notice}")
    else:
        findings.problems.append(
            f"{spelling} {value!r} ({source}): expected nothing, or one of {', '.join(taken.values)}; "
            f"it {taken.notice}"
        )


def read_file(path: str | None, directory: str, findings: Findings) -> Layer:
    """Read `path`, else alsvid.toml, else [tool.alsvid] of pyproject.toml, in `directory`; {} without any."""
    if path is not None:
        if path.endswith(".py") or path.startswith(("python:", "file:")):
            findings.problems.append(
                f"--config {path!r}: expected a TOML file; configuration in Python is not supported"
            )
            return {}
        return _read_toml(path, directory, findings, required=True)
    for name in (DEFAULT_FILE, PROJECT_FILE):
        if os.path.isfile(os.path.join(directory, name)):
            layer = _read_toml(name, directory, findings)
            if layer or name == DEFAULT_FILE:
                return layer
    return {}


def _read_toml(path: str, directory: str, findings: Findings, *, required: bool = False) -> Layer:
    import tomllib  # only where there is a file: a start-up without one need not pay for it

    is_project = os.path.basename(path) == PROJECT_FILE
    try:
        with open(os.path.join(directory, path), "rb") as file:
            table = tomllib.load(file)
    except OSError as error:
        findings.problems.append(
            f"--config {path!r}: {error.strerror or error}; expected a readable TOML file"
        )
        return {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        # A project's file that other tools read too is theirs to complain of, unless it was asked for.
        if required or not is_project:
            findings.problems.append(f"file {path}: not TOML: {error}")
        else:
            findings.notices.append(f"file {path}: not TOML, left unread: {error}")
        return {}
    source = f"file {path}"
    if is_project:
        table = table.get("tool", {}).get("alsvid", {})
        source = f"file {path} [tool.alsvid]"
    return by_name(table.items(), source, findings)
