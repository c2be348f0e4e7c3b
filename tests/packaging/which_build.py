"""Say whether the compiled or the pure build would run, and fail when it is not the one that is expected.

    python tests/packaging/which_build.py compiled      every module of the list is an extension
    ALSVID_PURE=1 python tests/packaging/which_build.py pure

Called by the Makefile before the tests, so that no run of them tests the other build by accident.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from compiled_modules import COMPILED  # noqa: E402


def main(expected: str) -> int:
    files = {name: importlib.import_module(name).__file__ or "" for name in COMPILED}
    builds = {name: "pure" if file.endswith(".py") else "compiled" for name, file in files.items()}
    wrong = [name for name, build in builds.items() if build != expected]
    if wrong:
        print(f"not the {expected} build: {', '.join(wrong)}", file=sys.stderr)
        if expected == "compiled":
            print("a C compiler and Python's headers are needed (Debian: gcc, python3-dev)", file=sys.stderr)
        return 1
    print(f"{expected} build, {len(builds)} modules, Python {sys.version.split()[0]}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
