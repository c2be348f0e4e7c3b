"""What a server does to its process: descriptors, PID file, user, umask. No event loop, no application."""

from __future__ import annotations

import contextlib
import grp
import os
import pwd
import resource
import tempfile
from collections.abc import Iterator

from alsvid.errors import ConfigError, StartupError
from alsvid.server.settings import ProcessSettings


def raise_descriptor_limit() -> None:
    """Set the soft limit of open files to the hard one: 1,024 is too few for a server."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def set_umask(settings: ProcessSettings) -> None:
    """Apply --umask."""
    if settings.umask is not None:
        os.umask(settings.umask)


def become_user(settings: ProcessSettings) -> None:
    """Apply --group and --user, in that order; supplementary groups are those of the user.

    Raises ConfigError for unknown names, StartupError when it is not allowed.
    """
    gid = _group_id(settings.group) if settings.group else None
    entry = _user_entry(settings.user) if settings.user else None
    if entry is not None and gid is None:
        gid = entry.pw_gid
    try:
        if gid is not None and gid != os.getegid():
            os.setgid(gid)
        if entry is not None and entry.pw_uid != os.geteuid():
            os.initgroups(entry.pw_name, gid if gid is not None else entry.pw_gid)
            os.setuid(entry.pw_uid)
    except PermissionError as error:
        raise StartupError("--user and --group need root") from error


def _user_entry(user: str) -> pwd.struct_passwd:
    try:
        return pwd.getpwuid(int(user)) if user.isdigit() else pwd.getpwnam(user)
    except KeyError:
        raise ConfigError(f"--user {user}: there is no such user") from None


def _group_id(group: str) -> int:
    if group.isdigit():
        return int(group)
    try:
        return grp.getgrnam(group).gr_gid
    except KeyError:
        raise ConfigError(f"--group {group}: there is no such group") from None


@contextlib.contextmanager
def pid_file(settings: ProcessSettings) -> Iterator[None]:
    """Hold --pid: written atomically, refused while the process it names lives, removed at the end."""
    path = settings.pid
    if path is None:
        yield
        return
    _refuse_live(path)
    try:
        _write(path)
    except OSError as error:
        raise StartupError(f"--pid {path}: {error.strerror}") from error
    try:
        yield
    finally:
        if _read(path) == os.getpid():
            with contextlib.suppress(OSError):
                os.unlink(path)


def _write(path: str) -> None:
    directory = os.path.dirname(os.path.abspath(path))
    descriptor, draft = tempfile.mkstemp(dir=directory, prefix=".pid")
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(f"{os.getpid()}\n")
        os.chmod(draft, 0o644)
        os.rename(draft, path)
    except OSError:
        with contextlib.suppress(OSError):
            os.unlink(draft)
        raise


def _read(path: str) -> int:
    try:
        with open(path) as file:
            return int(file.read().strip() or "0")
    except (OSError, ValueError):
        return 0


def _refuse_live(path: str) -> None:
    pid = _read(path)
    if pid <= 0 or pid == os.getpid():
        return
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return
    except PermissionError:
        pass
    raise StartupError(f"--pid {path}: process {pid} is running already")
