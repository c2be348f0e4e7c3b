"""The environment as a source of settings, and the variables that settings add to it.

Owns ALSVID_<NAME>, the other names that settings honour, and `--env-file` with `--env`. Nothing of the
process is changed here: `Settings.apply_to_process` does that.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

from alsvid.config.catalogue import DECLARED, ENVIRONMENT_PREFIX, NAMES, key_of_flag, near_matches
from alsvid.config.env_file import parse_env_file
from alsvid.config.peers import ABSENT, absence
from alsvid.config.sources import Findings, Given, Layer, described
from alsvid.config.values import convert


def read_environment(environ: Mapping[str, str], origin: Mapping[str, str], findings: Findings) -> Layer:
    """Read ALSVID_<NAME> and the other names that settings honour; `origin` tells of names from a file.

    An empty variable counts as unset, but for lists, where it is the empty list.
    """
    layer: Layer = {}
    for declared in DECLARED.values():
        for name in declared.environment_names:
            text = environ.get(name)
            if text is not None and (text or declared.is_tuple):
                layer[declared.name] = Given(text, environment_source(name, origin))
                break
    _notice_unread(environ, layer, findings)
    return layer


def environment_source(name: str, origin: Mapping[str, str]) -> str:
    return f"environment {name} (file {origin[name]})" if name in origin else f"environment {name}"


def _notice_unread(environ: Mapping[str, str], layer: Layer, findings: Findings) -> None:
    known = {"ALSVID_CONFIG"}.union(*(declared.environment_names for declared in DECLARED.values()))
    absent = {
        ENVIRONMENT_PREFIX + key_of_flag(flag).upper(): entry for entry in ABSENT for flag in entry.flags
    }
    for name in environ:
        if not name.startswith(ENVIRONMENT_PREFIX) or name in known:
            continue
        if name in absent:
            findings.notices.append(absence(name, absent[name]))
        else:
            # Others may well use the prefix: only what is nearly a setting's name is worth a word.
            hint = near_matches(name.removeprefix(ENVIRONMENT_PREFIX).lower(), list(NAMES), 0.75)
            if hint:
                findings.notices.append(f"{name} is not a setting{hint}")
    if environ.get("WEB_CONCURRENCY", "1") not in ("", "1"):
        findings.notices.append("WEB_CONCURRENCY has no effect: this version runs one process")


def process_environment(
    layers: Sequence[Layer], environ: Mapping[str, str], directory: str, findings: Findings
) -> tuple[dict[str, str], dict[str, str]]:
    """Return the variables that `env_file` and `env` add to `environ`, and the file of those that have one.

    A variable that is set already is stronger than the file; `env` is stronger than both.
    """
    variables: dict[str, str] = {}
    origin: dict[str, str] = {}
    found = next((layer["env_file"] for layer in layers if "env_file" in layer), None)
    if found is not None:
        path = str(found.value)
        read = _read_env_file(found, directory, findings)
        variables = {name: value for name, value in read.items() if name not in environ}
        origin = dict.fromkeys(variables, path)
    assignments = next((layer["env"] for layer in layers if "env" in layer), None)
    if assignments is not None:
        try:
            pairs = [text.partition("=") for text in convert(DECLARED["env"], assignments.value)]
        except ValueError:
            pairs = []  # reported with all other values
        variables.update((name, value) for name, _, value in pairs)
        for name, _, _ in pairs:
            origin.pop(name, None)
    return variables, origin


def _read_env_file(found: Given, directory: str, findings: Findings) -> dict[str, str]:
    where = described(DECLARED["env_file"], found)
    try:
        with open(os.path.join(directory, found.value), encoding="utf-8", newline="") as file:
            text = file.read()
    except (OSError, TypeError) as error:
        reason = getattr(error, "strerror", None) or error
        findings.problems.append(f"{where}: {reason}; expected a readable file of NAME=VALUE lines")
        return {}
    except UnicodeDecodeError:
        findings.problems.append(f"{where}: expected a file in UTF-8")
        return {}
    variables, problems = parse_env_file(text)
    findings.problems += [f"{where}: {problem}" for problem in problems]
    return variables
