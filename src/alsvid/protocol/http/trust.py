"""Whose word is believed: lists of trusted peers, and the textual form of a peer's address.

Owns the matching of addresses against `--forwarded-allow-ips` and `--proxy-allow-from`. Pure: it must not
know of sockets, fields of HTTP or the PROXY protocol; those that read them ask here.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from typing import Final

from alsvid.errors import ConfigError

# Answers are kept by address. When the room is used up it is emptied: an attacker with many addresses then
# costs what it would cost without a cache (about 3 us a connection).
_CACHE_ENTRIES: Final = 4096

_Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_LOOPBACKS: Final = (ipaddress.ip_address("127.0.0.1"), ipaddress.ip_address("::1"))


class TrustedPeers:
    """A list of addresses, networks, `unix:` (peers on Unix sockets) and `*` (everybody).

    Who trusts a loopback address trusts Unix sockets too: they are reached from this machine alone, and their
    mode lets fewer in than a loopback port does.

    Raises: ConfigError for an entry that is none of these, naming `option`.
    """

    __slots__ = ("_answers", "_everybody", "_networks", "unix")

    def __init__(self, entries: Iterable[str], option: str) -> None:
        self._everybody = False
        self.unix = False
        networks: list[_Network] = []
        for entry in (each.strip() for each in entries):
            if entry == "*":
                self._everybody = self.unix = True
            elif entry == "unix:":
                self.unix = True
            elif entry:
                networks.append(_network(entry, option))
        self._networks = tuple(networks)
        if any(loopback in network for network in networks for loopback in _LOOPBACKS):
            self.unix = True
        self._answers: dict[str, bool] = {}

    def trusts(self, host: str | None) -> bool:
        """Say whether the peer at `host` is trusted; None or "" is a peer on a Unix socket."""
        if not host:
            return self.unix
        if self._everybody:
            return True
        answer = self._answers.get(host)
        if answer is None:
            if len(self._answers) >= _CACHE_ENTRIES:
                self._answers.clear()
            address = canonical_address(host)
            answer = address is not None and self._holds(address)
            self._answers[host] = answer
        return answer

    def _holds(self, address: str) -> bool:
        parsed = ipaddress.ip_address(address)
        return any(parsed in network for network in self._networks)


def _network(entry: str, option: str) -> _Network:
    try:
        network = ipaddress.ip_network(entry)
    except ValueError as error:
        raise ConfigError(
            f"{option}: {entry!r} is not understood ({error}); give addresses, networks such as "
            "192.0.2.0/24, unix: or *"
        ) from None
    if isinstance(network, ipaddress.IPv6Network) and network.prefixlen >= 96:
        mapped = network.network_address.ipv4_mapped
        if mapped is not None:
            # Addresses are compared in their IPv4 form (see canonical_address), so networks are as well.
            return ipaddress.IPv4Network((mapped, network.prefixlen - 96))
    return network


def canonical_address(host: str) -> str | None:
    """Return an IP address in its one canonical form (RFC 5952; IPv4 without its IPv6 mapping), else None.

    A zone (fe80::1%eth0) is dropped: it names an interface of some other machine, and may hold any text.
    """
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(address)
