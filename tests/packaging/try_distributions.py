"""Install the wheel and the sdist of a folder into environments of their own, and fetch a page from each.

    python tests/packaging/try_distributions.py dist

Both must hold every .py and .pxd of the source. The wheel runs compiled; the sdist is installed with a C
compiler that fails, which must succeed and run pure.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import tempfile
import venv
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

FETCH = """
import asyncio, sys, urllib.request
import alsvid, alsvid.net.connection as connection

async def app(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"served"})

async def main():
    async with alsvid.serve(app) as server:
        answer = await asyncio.to_thread(lambda: urllib.request.urlopen(server.url).read())
    assert answer == b"served", answer

asyncio.run(main())
print("pure" if connection.__file__.endswith(".py") else "compiled")
"""


def main(folder: Path) -> None:
    (wheel,) = folder.glob("*.whl")
    (sdist,) = folder.glob("*.tar.gz")
    wanted = {
        path.relative_to(ROOT / "src").as_posix()
        for pattern in ("*.py", "*.pxd", "py.typed")
        for path in (ROOT / "src" / "alsvid").rglob(pattern)
    }
    _holds(wheel, set(zipfile.ZipFile(wheel).namelist()), wanted)
    with tarfile.open(sdist) as archive:
        top = sdist.name.removesuffix(".tar.gz") + "/"
        names = {name.removeprefix(top) for name in archive.getnames()}
    _holds(sdist, names, {"src/" + name for name in wanted} | {"setup.py", "compiled_modules.py", "Makefile"})
    _try(wheel, "compiled", {})
    _try(sdist, "pure", {"CC": "/bin/false"})


def _holds(distribution: Path, names: set[str], wanted: set[str]) -> None:
    missing = sorted(wanted - names)
    if missing:
        sys.exit(f"{distribution.name} lacks {', '.join(missing)}")


def _try(distribution: Path, build: str, variables: dict[str, str]) -> None:
    environ = {
        name: value for name, value in os.environ.items() if not name.startswith(("ALSVID_", "PYTHON"))
    }
    environ |= variables
    with tempfile.TemporaryDirectory() as directory:
        venv.create(directory, with_pip=True)
        python = f"{directory}/bin/python"
        pip = [python, "-m", "pip", "--disable-pip-version-check", "-q"]
        subprocess.run([*pip, "install", str(distribution.resolve())], env=environ, cwd=directory, check=True)
        done = subprocess.run(
            [python, "-c", FETCH], env=environ, cwd=directory, check=True, capture_output=True, text=True
        )
        version = subprocess.run(
            [f"{directory}/bin/alsvid", "--version"],
            env=environ,
            cwd=directory,
            check=True,
            capture_output=True,
        )
    if done.stdout.split() != [build] or not version.stdout:
        sys.exit(f"{distribution.name}: the {build} build was expected, not {done.stdout!r}")
    print(f"{distribution.name} installs, serves a request, and is {build}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
