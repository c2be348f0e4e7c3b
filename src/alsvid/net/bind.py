"""The written form of an address to listen at. A leaf: settings, command line and sockets all read it.

Owns the syntax alone; it opens nothing, resolves nothing and asks nothing of the system.

    tcp   HOST:PORT  HOST  [IPV6]:PORT  :PORT and *:PORT (every interface)  PORT (loopback)
    unix  unix:PATH
    fd    fd://NUMBER  fd://NAME (of LISTEN_FDNAMES)
"""

from __future__ import annotations

import dataclasses
import ipaddress
from typing import Final, Literal

DEFAULT_PORT: Final = 8000  # of an address without port, as in Gunicorn; also the default of --port
LOOPBACK: Final = "127.0.0.1"


@dataclasses.dataclass(frozen=True, slots=True)
class Bind:
    """One address to listen at, as parsed; which fields count depends on `kind`.

    tcp   `host` ("" = every interface, IPv4 and IPv6; an IPv6 address without brackets; or a name), `port`
    unix  `path`
    fd    `descriptor`, a number, or a name of LISTEN_FDNAMES
    """

    kind: Literal["tcp", "unix", "fd"]
    host: str = ""
    port: int = 0
    path: str = ""
    descriptor: int | str = -1

    def __str__(self) -> str:
        if self.kind == "unix":
            return f"unix:{self.path}"
        if self.kind == "fd":
            return f"fd://{self.descriptor}"
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parse_bind(text: str) -> Bind:
    """Parse HOST:PORT, HOST, [V6]:PORT, :PORT (every interface), PORT (loopback), unix:PATH or fd://N.

    Raises: ValueError, with what would be right.
    """
    address = text.strip()
    if address.startswith("unix:"):
        # "unix:///run/x" and "unix:/run/x" are both in use for the same path.
        return _unix_bind(address[5:].removeprefix("//"))
    if address.startswith("fd://"):
        return _descriptor_bind(address[5:])
    address = address.removeprefix("tcp://")
    if "://" in address:
        raise ValueError(f"{text!r} has a scheme; give HOST:PORT, unix:PATH or fd://N")
    if "/" in address:
        raise ValueError(f"{text!r} looks like a path; write unix:{address}")
    if address.startswith("["):
        return _bracketed_bind(address)
    host, colon, port = address.partition(":")
    if ":" in port:
        raise ValueError(f"{text!r}: an IPv6 address needs brackets, for example [::1]:{DEFAULT_PORT}")
    if not colon:
        if not host:
            raise ValueError("the address is empty; give HOST:PORT, unix:PATH or fd://N")
        if host.isascii() and host.isdigit():
            return Bind("tcp", host=LOOPBACK, port=_port(host))
        return Bind("tcp", host=_host(host), port=DEFAULT_PORT)
    return Bind("tcp", host=_host(host), port=_port(port))


def _unix_bind(path: str) -> Bind:
    if not path:
        raise ValueError("the path is missing; write unix:/run/app.sock")
    if "\0" in path:
        raise ValueError("a path cannot hold a NUL")
    return Bind("unix", path=path)


def _descriptor_bind(descriptor: str) -> Bind:
    if not descriptor:
        raise ValueError("the descriptor is missing; write fd://3, or fd://NAME for a name of LISTEN_FDNAMES")
    if descriptor.isascii() and descriptor.isdigit():
        return Bind("fd", descriptor=int(descriptor))
    # A minus sign is a slip, not a name: descriptors start at 0.
    if descriptor.startswith("-") or not descriptor.isprintable() or any(c in descriptor for c in ":/ "):
        raise ValueError(f"{descriptor!r} is neither a descriptor's number nor a name of LISTEN_FDNAMES")
    return Bind("fd", descriptor=descriptor)


def bind_of_host_and_port(host: str, port: int) -> Bind:
    """Make a Bind of --host, where an IPv6 address comes without brackets, and --port.

    Raises: ValueError, with what would be right.
    """
    bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    if ":" in bare:
        return _bracketed_bind(f"[{bare}]:{port}")
    return Bind("tcp", host=_host(bare), port=_port(str(port)))


def _bracketed_bind(address: str) -> Bind:
    host, bracket, rest = address[1:].partition("]")
    if not bracket or (rest and not rest.startswith(":")):
        raise ValueError(f"{address!r}: write [ADDRESS]:PORT")
    try:
        ipaddress.IPv6Address(host)
    except ValueError:
        raise ValueError(f"{host!r} is not an IPv6 address") from None
    return Bind("tcp", host=host, port=_port(rest[1:]) if rest else DEFAULT_PORT)


def _host(host: str) -> str:
    if host in ("", "*"):
        return ""
    if not all(c.isalnum() or c in ".-_" for c in host):
        raise ValueError(f"{host!r} is neither an address nor the name of a host")
    if host.isascii() and host.replace(".", "").isdigit():
        # getaddrinfo would read 127.1, 0177.0.0.1 or 2130706433 as something that nobody meant.
        try:
            ipaddress.IPv4Address(host)
        except ValueError:
            raise ValueError(f"{host!r} is not an IPv4 address") from None
    return host


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 5 and int(text) <= 65535):
        raise ValueError(f"{text!r} is not a port; give 0 (any free one) to 65535")
    return int(text)
