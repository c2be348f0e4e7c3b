"""Listening sockets: from addresses in settings and environment to bound, listening, non-blocking sockets.

Owns name resolution at start, sockets passed by a service manager, and the life of a Unix socket's path. It
must not know of event loops, TLS or HTTP: who accepts on a listener, and what is spoken there, is decided
above.

    settings, LISTEN_FDS --> binds --> addresses (getaddrinfo) --> sockets --> Listener

All or nothing: `open_listeners` returns every listener that was asked for, or raises and leaves none open.
"""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import stat
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

from alsvid.errors import StartupError
from alsvid.net.bind import Bind, bind_of_host_and_port, parse_bind
from alsvid.net.settings import ListenSettings

LISTEN_FDS_START: Final = 3  # sd_listen_fds(3): SD_LISTEN_FDS_START

# A port that the system chose for the first address of a name may be taken on the second: all is retried.
_PORT_ATTEMPTS: Final = 16
# A name with several addresses (localhost, all interfaces) may have one that this machine cannot bind, such
# as ::1 in a container without IPv6. That one is left out as long as another can be bound.
_UNAVAILABLE: Final = frozenset({errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL, errno.EPROTONOSUPPORT})
# sockaddr_un.sun_path has 108 octets on Linux and 104 on the BSDs and macOS, the closing NUL included.
_UNIX_PATH_OCTETS: Final = 107 if hasattr(socket, "SO_PEERCRED") else 103
_PROBE_TIMEOUT_S: Final = 1.0


class Listener:
    """A bound and listening socket, and what must be tidied up when it closes.

    socket     non-blocking, not inherited by programs that are started
    kind       "tcp" or "unix"
    url_hint   what a person can open or give to a client: "http://127.0.0.1:8000", "unix:/run/app.sock"
    inherited  True when it was passed in by the parent or a service manager; its path is then not ours
    """

    __slots__ = ("_inode", "_owner", "_path", "inherited", "kind", "socket", "url_hint")

    def __init__(
        self, listening: socket.socket, scheme: str, *, path: str = "", inherited: bool = False
    ) -> None:
        self.socket = listening
        self.inherited = inherited
        self.kind: Literal["tcp", "unix"] = "unix" if listening.family == socket.AF_UNIX else "tcp"
        self.url_hint = _url(listening, scheme)
        self._path = path
        # A child process that holds a copy of the listener must never remove the path under its parent.
        self._owner = os.getpid()
        self._inode = _inode(path) if path else None

    def close(self) -> None:
        """Stop listening; remove the path of a Unix socket if this process made it and it is still there."""
        # The path goes first: as long as the socket is open its inode cannot be given to a successor's
        # socket, so the comparison cannot be fooled.
        if self._inode is not None and self._owner == os.getpid() and _inode(self._path) == self._inode:
            with contextlib.suppress(OSError):
                os.unlink(self._path)
        self._inode = None
        self.socket.close()

    def abandon(self) -> None:
        """Close this process's copy and leave the path: a successor that inherited the socket serves on."""
        self._inode = None
        self.socket.close()

    def __repr__(self) -> str:
        return f"<Listener {self.url_hint}>"


# --- which addresses ----------------------------------------------------------------------------------------


def passed_descriptors(environ: Mapping[str, str]) -> dict[int, str]:
    """Return descriptor -> name ("" without one) of the sockets a service manager passed to this process.

    As sd_listen_fds(3) says: they are ours only if LISTEN_PID is our process id.
    Raises: StartupError when LISTEN_FDS is not a number.
    """
    if environ.get("LISTEN_PID") != str(os.getpid()):
        return {}
    count = environ.get("LISTEN_FDS", "0")
    if not (count.isascii() and count.isdigit() and len(count) <= 4):
        raise StartupError(f"LISTEN_FDS={count!r} of the environment is not a number of sockets")
    names = environ.get("LISTEN_FDNAMES", "").split(":")
    names += [""] * (int(count) - len(names))
    return {LISTEN_FDS_START + index: names[index] for index in range(int(count))}


def chosen_binds(settings: ListenSettings, passed: Mapping[int, str]) -> list[Bind]:
    """Return the addresses to listen at, each once, passed sockets first.

    Passed sockets take the place of host and port; addresses that were asked for explicitly (bind, uds, fd)
    are opened beside them. Naming one (fd://3, fd://NAME) leaves the others of the service manager alone.

    Raises: StartupError for an address that cannot be parsed or a name that was not passed.
    """
    asked = [_parsed(text) for text in settings.bind]
    if settings.uds:
        asked.append(Bind("unix", path=settings.uds))
    if settings.fd is not None:
        asked.append(Bind("fd", descriptor=settings.fd))
    inherited = [_numbered(bind, passed) for bind in asked if bind.kind == "fd"]
    if not any(bind.descriptor in passed for bind in inherited):
        inherited += [Bind("fd", descriptor=descriptor) for descriptor in passed]
    others = [bind for bind in asked if bind.kind != "fd"]
    if not inherited and not others:
        others.append(_from_host_and_port(settings.host, settings.port))
    return list(dict.fromkeys(inherited + others))


def _parsed(text: str) -> Bind:
    try:
        return parse_bind(text)
    except ValueError as error:
        raise StartupError(f"--bind: {error}") from None


def _from_host_and_port(host: str, port: int) -> Bind:
    try:
        return bind_of_host_and_port(host, port)
    except ValueError as error:
        raise StartupError(f"--host/--port: {error}") from None


def _numbered(bind: Bind, passed: Mapping[int, str]) -> Bind:
    if isinstance(bind.descriptor, int):
        return bind
    for descriptor, name in passed.items():
        if name == bind.descriptor:
            return Bind("fd", descriptor=descriptor)
    known = ", ".join(name for name in passed.values() if name) or "none"
    raise StartupError(f"{bind}: no socket of this name was passed (names in LISTEN_FDNAMES: {known})")


# --- opening ------------------------------------------------------------------------------------------------


def open_listeners(
    settings: ListenSettings, environ: Mapping[str, str], scheme: str = "http"
) -> list[Listener]:
    """Open every listener that settings and environment ask for; `scheme` only fills their url_hint.

    Call it once, before privileges are dropped. The caller closes what it gets.
    Raises: StartupError that says which address, why, and what would help; nothing stays open then.
    """
    listeners: list[Listener] = []
    try:
        for bind in chosen_binds(settings, passed_descriptors(environ)):
            if bind.kind == "fd":
                listeners.append(Listener(_adopt(bind), scheme, inherited=True))
            elif bind.kind == "unix":
                listeners += _open_unix(bind, settings, scheme, listeners)
            else:
                taken = {
                    listener.socket.getsockname()[:2] for listener in listeners if listener.kind == "tcp"
                }
                listeners += [Listener(bound, scheme) for bound in _open_tcp(bind, settings, taken)]
    except BaseException:
        for listener in listeners:
            # What was passed in is the caller's until all is well.
            if listener.inherited:
                listener.socket.detach()
            else:
                listener.close()
        raise
    return listeners


def _adopt(bind: Bind) -> socket.socket:
    """Make a listener of an inherited descriptor, after a look at what it is."""
    descriptor = bind.descriptor
    assert isinstance(descriptor, int)
    try:
        adopted = socket.socket(fileno=descriptor)
    except OSError as error:
        raise StartupError(
            f"{bind}: {error.strerror or error}; is the socket passed to this process?"
        ) from None
    flaw = _flaw(adopted)
    if flaw:
        adopted.detach()
        raise StartupError(f"{bind}: {flaw}; pass a listening stream socket")
    os.set_inheritable(descriptor, False)
    adopted.setblocking(False)
    return adopted


def _flaw(adopted: socket.socket) -> str:
    if adopted.family not in (socket.AF_INET, socket.AF_INET6, socket.AF_UNIX):
        return "it is no TCP or Unix socket"
    if adopted.type != socket.SOCK_STREAM:
        return "it is no stream socket"
    if not adopted.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
        return "it does not listen"
    return ""


def _open_tcp(bind: Bind, settings: ListenSettings, taken: set[Any]) -> list[socket.socket]:
    addresses = [a for a in _resolved(bind) if not (bind.port and a[1][:2] in taken)]
    for attempt in range(_PORT_ATTEMPTS):
        try:
            return _bind_each(addresses, bind.port, settings)
        except OSError as error:
            if error.errno == errno.EADDRINUSE and bind.port == 0 and attempt + 1 < _PORT_ATTEMPTS:
                continue
            raise StartupError(_tcp_advice(bind, error)) from None
    raise AssertionError("unreachable")


def _resolved(bind: Bind) -> list[tuple[int, Any]]:
    """Return each (family, socket address) of the host once, in the resolver's order."""
    # "::" is every interface in IPv4 too: this is what a socket does on Linux that is bound to it without
    # IPV6_V6ONLY, and what people who write --bind [::]:8000 have come to rely on.
    host = None if bind.host in ("", "::") else bind.host
    try:
        found = socket.getaddrinfo(host, bind.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise StartupError(f"{bind}: the host's name cannot be resolved ({reason})") from None
    addresses = [(int(family), address) for family, _, _, _, address in found]
    return list(dict.fromkeys(addresses))


def _bind_each(
    addresses: Sequence[tuple[int, Any]], port: int, settings: ListenSettings
) -> list[socket.socket]:
    """Bind all addresses to one port; port 0 becomes, for all of them, what the first one is given."""
    bound: list[socket.socket] = []
    unavailable: OSError | None = None
    try:
        for family, address in addresses:
            try:
                bound.append(_bind_one(family, (address[0], port, *address[2:]), settings))
            except OSError as error:
                if error.errno not in _UNAVAILABLE:
                    raise
                unavailable = error
                continue
            port = bound[0].getsockname()[1]
    except BaseException:
        for opened in bound:
            opened.close()
        raise
    if unavailable is not None and not bound:
        raise unavailable
    return bound


def _bind_one(family: int, address: Any, settings: ListenSettings) -> socket.socket:
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        # A restarted server must not wait for the TIME_WAIT of the connections of its predecessor.
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if settings.reuse_port:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        # Accepted sockets inherit it on Linux: one system call less for each connection.
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if family == socket.AF_INET6:
            # One socket, one family: no ::ffff:192.0.2.1 as a client's address, and IPv4 can be bound beside.
            listening.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listening.bind(address)
        listening.listen(settings.backlog)
        listening.setblocking(False)
    except BaseException:
        listening.close()
        raise
    return listening


def _tcp_advice(bind: Bind, error: OSError) -> str:
    """Say which address failed, why, and what would help."""
    if error.errno == errno.EADDRINUSE:
        return (
            f"{bind}: port {bind.port} is already in use; stop the process that listens there "
            f"(`ss -ltnp sport = :{bind.port}` names it), or choose another port"
        )
    if error.errno in (errno.EACCES, errno.EPERM):
        return (
            f"{bind}: permission denied for port {bind.port}; ports below 1024 need root or the capability "
            "CAP_NET_BIND_SERVICE, or a socket passed by the service manager (fd://N)"
        )
    if error.errno == errno.EADDRNOTAVAIL:
        return f"{bind}: no interface of this machine has the address {bind.host}"
    return f"{bind}: {error.strerror or error}"


def _open_unix(bind: Bind, settings: ListenSettings, scheme: str, others: list[Listener]) -> list[Listener]:
    path = os.path.abspath(bind.path)
    if any(other.kind == "unix" and other.socket.getsockname() == path for other in others):
        return []
    try:
        _remove_stale(path)
        return [Listener(_bind_unix(path, settings), scheme, path=path)]
    except OSError as error:
        raise StartupError(_unix_advice(path, error)) from None


def _bind_unix(path: str, settings: ListenSettings) -> socket.socket:
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        # The mode is right from the first instant: chmod after bind would leave a moment open to everybody.
        before = os.umask(0o777 & ~settings.uds_mode)
        try:
            listening.bind(path)
        finally:
            os.umask(before)
        listening.listen(settings.backlog)
        listening.setblocking(False)
    except BaseException:
        listening.close()
        raise
    return listening


def _remove_stale(path: str) -> None:
    """Remove a socket that nobody listens at; refuse everything else that is in the way."""
    try:
        found = os.lstat(path)
    except FileNotFoundError:
        return
    if stat.S_ISLNK(found.st_mode):
        # Somebody else may point it wherever he likes: neither followed nor removed.
        raise StartupError(f"unix:{path} is a symbolic link; give the path of the socket itself")
    if not stat.S_ISSOCK(found.st_mode):
        raise StartupError(f"unix:{path} exists and is not a socket; remove it or give another path")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(_PROBE_TIMEOUT_S)
        try:
            probe.connect(path)
        except ConnectionRefusedError:
            pass  # nobody listens: what a crashed server left behind
        except FileNotFoundError:
            return  # its owner has just removed it
        except (BlockingIOError, TimeoutError):
            # A full backlog: somebody listens there, if slowly. Linux says EAGAIN, others let it wait.
            raise StartupError(_live(path)) from None
        else:
            raise StartupError(_live(path))
    if _inode(path) == (found.st_dev, found.st_ino):
        os.unlink(path)


def _live(path: str) -> str:
    return f"unix:{path} is in use: another process listens there; stop it or give another path"


def _unix_advice(path: str, error: OSError) -> str:
    directory = os.path.dirname(path)
    octets = len(os.fsencode(path))
    if octets > _UNIX_PATH_OCTETS:
        return f"unix:{path} is too long: {octets} octets, a socket's path has room for {_UNIX_PATH_OCTETS}"
    if error.errno == errno.ENOENT:
        return f"unix:{path}: the directory {directory} does not exist; create it first"
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return (
            f"unix:{path}: permission denied; this user must be able to write to {directory} and the socket"
        )
    if error.errno == errno.EADDRINUSE:
        return _live(path)
    return f"unix:{path}: {error.strerror or error}"


def _inode(path: str) -> tuple[int, int] | None:
    try:
        found = os.lstat(path)
    except OSError:
        return None
    return (found.st_dev, found.st_ino)


def _url(listening: socket.socket, scheme: str) -> str:
    address = listening.getsockname()
    if listening.family == socket.AF_UNIX:
        name = address if isinstance(address, str) else "@" + os.fsdecode(address[1:])
        return f"unix:{name}"
    host, port = address[:2]
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"
