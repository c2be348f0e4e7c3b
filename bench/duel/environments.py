"""Each server in its own virtual environment, from a pinned requirement file, by a PGO-built interpreter."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass

from bench.duel.peers import ROOT

PEERS = ROOT / "bench" / ".peers"
REQUIREMENTS = ROOT / "bench" / "peers"
STAMP = ".requirements"

# Newest last: the first one found that is built with PGO is taken, so that results stay comparable.
CANDIDATES = ("python3.11", "python3.12", "python3.13", "python3.14", "python3")
FOLDERS = ("/usr/bin", "/usr/local/bin")

PROBE = """
import json, os, platform, sys, sysconfig
v = sysconfig.get_config_vars()
configured = v.get("CONFIG_ARGS") or ""
own = os.path.realpath(sys.executable).startswith("/usr/bin/")
print(json.dumps({
    "version": platform.python_version(),
    "optimised": "--enable-optimizations" in configured or "-fprofile-use" in (v.get("PY_CFLAGS") or ""),
    "system": own and os.path.exists("/etc/debian_version"),
    "implementation": sys.implementation.name,
}))
"""


@dataclass(frozen=True, slots=True)
class Interpreter:
    """A Python found on this machine, and why it counts as built with PGO (empty if it does not)."""

    path: str
    version: str
    pgo: str


class SetupError(Exception):
    """An environment could not be made; the text says what to do."""


def probe(path: str) -> Interpreter | None:
    """None if it does not start, is too old, or is not CPython."""
    answer = subprocess.run([path, "-c", PROBE], capture_output=True, text=True, check=False)
    if answer.returncode != 0:
        return None
    facts = json.loads(answer.stdout)
    if facts["implementation"] != "cpython" or tuple(map(int, facts["version"].split(".")[:2])) < (3, 11):
        return None
    pgo = ""
    if facts["optimised"]:
        pgo = "configured with --enable-optimizations"
    elif facts["system"]:
        # Debian and Ubuntu run the profile task in debian/rules and strip the flags afterwards.
        pgo = "the distribution's own package, which is built with PGO"
    return Interpreter(path, facts["version"], pgo)


def find_interpreter(wanted: str | None = None) -> Interpreter:
    """The interpreter of all environments: `wanted`, else the first with PGO, else the running one."""
    if wanted is not None:
        found = probe(wanted)
        if found is None:
            raise SetupError(f"{wanted} is not a CPython 3.11 or later that starts")
        return found
    for folder in FOLDERS:
        for name in CANDIDATES:
            path = shutil.which(name, path=folder)
            found = probe(path) if path else None
            if found is not None and found.pgo:
                return found
    return Interpreter(sys.executable, ".".join(map(str, sys.version_info[:3])), "")


def describe(interpreter: Interpreter) -> str:
    if interpreter.pgo:
        return f"Python {interpreter.version}, {interpreter.pgo}"
    return (
        f"Python {interpreter.version} WITHOUT PGO: figures of Python code will be 10-30 % too low for every "
        "server. Install Debian's python3.11 (with python3.11-venv), or name one with --python"
    )


def python_of(environment: str) -> str:
    return str(PEERS / environment / "bin" / "python")


def digest(environment: str, interpreter: Interpreter) -> str:
    """Changes when the pins or the interpreter change."""
    text = interpreter.path + interpreter.version
    for name in ("frameworks.txt", f"{environment}.txt"):
        text += (REQUIREMENTS / name).read_text()
    return hashlib.sha256(text.encode()).hexdigest()


def is_ready(environment: str, interpreter: Interpreter) -> bool:
    stamp = PEERS / environment / STAMP
    return stamp.exists() and stamp.read_text() == digest(environment, interpreter)


def ensure(environment: str, interpreter: Interpreter) -> None:
    """Make the environment unless it is there with these pins.

    Raises:
        SetupError: with the last lines of the failing command.
    """
    if is_ready(environment, interpreter):
        return
    print(f"duel: making the environment of {environment} ...", flush=True)
    folder = PEERS / environment
    shutil.rmtree(folder, ignore_errors=True)
    folder.parent.mkdir(exist_ok=True)
    call([interpreter.path, "-m", "venv", str(folder)], environment)
    python = python_of(environment)
    call([python, "-m", "pip", "install", "-q", "-r", str(REQUIREMENTS / f"{environment}.txt")], environment)
    if environment == "alsvid":
        install_alsvid(python)
    (folder / STAMP).write_text(digest(environment, interpreter))


def install_alsvid(python: str) -> None:
    """Install the work tree editable, and compile its hot modules in place."""
    call([python, "-m", "pip", "install", "-q", "setuptools>=77", "Cython>=3.1"], "alsvid")
    call([python, "-m", "pip", "install", "-q", "--no-build-isolation", "-e", ".[standard]"], "alsvid")
    compile_alsvid(python)


def compile_alsvid(python: str) -> None:
    """Bring the compiled modules up to date with the sources; fast when nothing changed."""
    environ = dict(os.environ, ALSVID_BUILD="compiled")
    call([python, "setup.py", "-q", "build_ext", "--inplace"], "alsvid", environ)


def call(argv: list[str], environment: str, environ: dict[str, str] | None = None) -> None:
    answer = subprocess.run(argv, cwd=ROOT, env=environ, capture_output=True, text=True, check=False)
    if answer.returncode != 0:
        lines = (answer.stdout + answer.stderr).strip().splitlines()[-8:]
        raise SetupError(f"{environment}: `{' '.join(argv[1:])}` failed:\n  " + "\n  ".join(lines))
