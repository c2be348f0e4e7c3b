"""The settings of the ASGI side: lifespan, root path, and whose forwarded headers are believed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from alsvid.options import option

_PEERS = "addresses (192.0.2.1), networks (192.0.2.0/24, no host bits), unix: or *, separated by commas"


def check_peer(value: Any) -> str:
    """Return the text when it is an address, a network, `*` or `unix:`; for lists of trusted peers.

    Raises: ValueError.
    """
    if not isinstance(value, str):
        raise ValueError(_PEERS)
    text = value.strip()
    if text in ("*", "unix:"):
        return text
    import ipaddress  # only where the default is changed: a start-up need not pay for it

    try:
        ipaddress.ip_network(text)
    except ValueError as error:
        raise ValueError(_PEERS) from error
    return text


def parse_root_path(value: Any) -> str:
    """Return the root path without a final slash; raises ValueError when it is no path."""
    if not isinstance(value, str) or (value and not value.startswith("/")):
        raise ValueError("a path that begins with /, such as /api")
    if any(c in "?#" or c < " " or c == "\x7f" for c in value):
        raise ValueError("a path without ?, # and control characters")
    return value.rstrip("/")


@dataclass(slots=True, kw_only=True)
class AsgiSettings:
    """How applications are run."""

    root_path: str = option(
        "",
        "--root-path",
        doc="Path below which the application is mounted by the proxy in front; `root_path` of the scope.",
        metavar="PATH",
        parse=parse_root_path,
    )
    lifespan: str = option(
        "auto",
        "--lifespan",
        "--asgi-lifespan",
        doc="Run the application's lifespan: auto goes on without it where the application has none.",
        choices=("auto", "on", "off"),
    )
    timeout_lifespan_startup: float = option(
        60.0,
        "--timeout-lifespan-startup",
        doc="The application's start-up must be complete within this time, else the server does not start.",
        unit="s",
        minimum=0.1,
    )
    timeout_lifespan_shutdown: float = option(
        30.0,
        "--timeout-lifespan-shutdown",
        doc="The application's shutdown is cut off after this time.",
        unit="s",
        minimum=0.1,
    )


@dataclass(slots=True, kw_only=True)
class ForwardedSettings:
    """Whose X-Forwarded-… and Forwarded headers are believed."""

    proxy_headers: bool = option(
        True,
        "--proxy-headers",
        doc="Take client, scheme and host from X-Forwarded-… and Forwarded of trusted peers.",
    )
    forwarded_allow_ips: tuple[str, ...] = option(
        ("127.0.0.1", "::1"),
        "--forwarded-allow-ips",
        doc="Trusted peers: addresses, networks, unix: or *, separated by commas.",
        metavar="LIST",
        separator=",",
        parse=check_peer,
        env=("FORWARDED_ALLOW_IPS",),
        danger="* lets every client choose the address, scheme and host that the application sees.",
    )
