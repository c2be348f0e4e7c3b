"""Alsvid: the server that Python web applications run on.

Until a signal, returning the exit status; in this event loop at a free port, for embedding and tests; or as a
server of one's own:

    alsvid.run("main:app", port=8000)

    async with alsvid.serve(app) as server:
        ... server.url ...

    await alsvid.Server(alsvid.Settings("main:app")).serve()
"""

from __future__ import annotations

import os as _os
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

__all__ = ["Server", "Settings", "__version__", "run", "serve"]

if _os.environ.get("ALSVID_PURE"):
    # The same modules from their .py even where they are compiled: for tests and for debugging.
    from alsvid._pure import prefer_source as _prefer_source

    _prefer_source(__path__)

if TYPE_CHECKING:
    from alsvid.config.settings import Settings
    from alsvid.server.server import Server


def run(app: Any, **settings: Any) -> int:
    """Serve `app` ("module:attribute" or a callable) until a signal says stop; return the exit status.

    Settings are those of the command line, with underscores: run("main:app", port=9000, access_log=False).
    Raises: ConfigError with everything that is wrong with them.
    """
    from alsvid.config.settings import Settings
    from alsvid.server.main import run_settings

    return run_settings(Settings(app, **settings), owns_process=False)


def serve(app: Any, **settings: Any) -> Server:
    """Return a server to be entered with `async with`: ready when entered, drained when left.

    It runs in the event loop that is there, at a free port unless told otherwise, logs nothing, handles no
    signals. `server.url` is where it listens.
    """
    from alsvid.config.settings import Settings
    from alsvid.server.server import Server

    if not settings.keys() & {"port", "bind", "uds", "fd"}:
        settings["port"] = 0
    return Server(Settings(app, **settings))


def __getattr__(name: str) -> Any:
    # The server is loaded when it is asked for: `import alsvid` is cheap.
    if name == "Settings":
        from alsvid.config.settings import Settings

        return Settings
    if name == "Server":
        from alsvid.server.server import Server

        return Server
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
