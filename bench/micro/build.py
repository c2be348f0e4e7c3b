"""Which of the two builds is measured: the compiled modules, or the Python they are compiled from."""

import importlib
import os
import sys
from importlib.machinery import SOURCE_SUFFIXES, FileFinder, SourceFileLoader
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[2] / "src"
SWITCH = "ALSVID_PURE"
# Its file tells which build is in use.
HOT_MODULE = "alsvid.protocol.http1.head"


def choose_build() -> None:
    """Honour ALSVID_PURE=1 in this process. Call before `alsvid` is imported.

    Only files under src/alsvid lose their extensions; the standard library's stay.
    """
    if str(SOURCE) not in sys.path:
        sys.path.insert(0, str(SOURCE))
    if os.environ.get(SWITCH) != "1":
        return
    package = str(SOURCE / "alsvid")
    sources_only = FileFinder.path_hook((SourceFileLoader, SOURCE_SUFFIXES))

    def hook(path: str) -> object:
        if not path.startswith(package):
            raise ImportError
        return sources_only(path)

    sys.path_hooks.insert(0, hook)  # type: ignore[arg-type]
    sys.path_importer_cache.clear()


def build_in_use() -> str:
    """ "compiled" or "pure", as the hot module was really loaded; "absent" without it."""
    try:
        module = importlib.import_module(HOT_MODULE)
    except ImportError:
        return "absent"
    return "pure" if str(module.__file__).endswith(".py") else "compiled"
