"""Import the package's modules from source although compiled ones lie beside them (ALSVID_PURE=1)."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from importlib.machinery import FileFinder, ModuleSpec, SourceFileLoader
from types import ModuleType


class _SourceFinder:
    """A finder that knows the source files of one package and nothing else."""

    def __init__(self, name: str) -> None:
        self._prefix = name + "."

    def find_spec(
        self, name: str, path: Iterable[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Find the .py of a module of the package."""
        if path is None or not name.startswith(self._prefix):
            return None
        for directory in path:
            spec = FileFinder(directory, (SourceFileLoader, [".py"])).find_spec(name)
            if spec is not None:
                return spec
        return None


def prefer_source(package_path: Iterable[str]) -> None:
    """Put the finder first; called once, by the package itself."""
    sys.meta_path.insert(0, _SourceFinder("alsvid"))
