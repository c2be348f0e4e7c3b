"""What proxies in front say of a request: X-Forwarded-For, -Proto, -Host, -Port and Forwarded (RFC 7239).

Owns the reading of these fields and the rewriting of a scope by them. It must not know of connections: the
connection tells whether its peer is trusted, and calls `apply` only if it is and the head has such fields.

Every proxy appends to the right what it knows for certain: whom it got the request from. So the fields are
read from the right, and reading stops at the first address that is not a trusted proxy's. That address is the
client; what stands further left is what the client chose to write. Nothing in these fields is ever an error:
what cannot be read ends the reading, and what was read from trusted proxies up to there counts.

If a request has any X-Forwarded-… field, Forwarded is not read: nearly all proxies write the former and pass
a client's own Forwarded on as it is. See docs/proxies.md.
"""

from __future__ import annotations

from typing import Any, Final

from alsvid.asgi.settings import ForwardedSettings
from alsvid.protocol.http.authority import is_host
from alsvid.protocol.http.trust import TrustedPeers, canonical_address

# Parsed nodes are kept by their text; the room is emptied when it is used up. Fast because the same clients
# come again: 0.1 us in place of 3 us.
_CACHE_ENTRIES: Final = 4096
# "[", 39 octets of IPv6, "]", ":" and a port, and room for an obfuscated port; longer texts are no node.
_LONGEST_NODE: Final = 64

_FOR: Final = 0
_PROTO: Final = 1
_HOST: Final = 2
_PORT: Final = 3
_FORWARDED: Final = 4
_FIELDS: Final = {
    b"x-forwarded-for": _FOR,
    b"x-forwarded-proto": _PROTO,
    b"x-forwarded-host": _HOST,
    b"x-forwarded-port": _PORT,
    b"forwarded": _FORWARDED,
}

# Is the scheme one with TLS? Everything else is ignored.
_SECURE: Final = {"http": False, "ws": False, "https": True, "wss": True}

# (client, trusted): client is (address, port) or None for a Unix socket; or None when it cannot be read.
_Hop = tuple[tuple[str, int] | None, bool]


class ForwardedRules:
    """What one server believes of forwarded fields; built once, used for every request.

    With `host` False, X-Forwarded-Host, X-Forwarded-Port and the host of Forwarded are left alone.

    Raises: ConfigError for an entry of --forwarded-allow-ips that is not understood.
    """

    __slots__ = ("_enabled", "_hops", "_host", "_peers")

    def __init__(self, settings: ForwardedSettings, *, host: bool = True) -> None:
        self._enabled = settings.proxy_headers
        self._peers = TrustedPeers(settings.forwarded_allow_ips, "--forwarded-allow-ips")
        self._host = host
        self._hops: dict[str, _Hop | None] = {}

    def trusts(self, peer_host: str | None) -> bool:
        """Say whether the fields of this peer are believed; None or "" is a peer on a Unix socket.

        Behind the PROXY protocol the peer to ask for is the one that its header names: a balancer that only
        passes octets on passes its client's fields on as well.
        """
        return self._enabled and self._peers.trusts(peer_host)

    def apply(self, scope: dict[str, Any]) -> None:
        """Rewrite client, scheme and the host field of a scope from the fields in its headers. Never raises.

        Call it only if `trusts` said so for the peer. `server` stays: it is where this server listens.
        """
        found: list[bytes | None] = [None, None, None, None, None]
        for name, value in scope["headers"]:
            slot = _FIELDS.get(name)
            if slot is not None:
                # RFC 9110 section 5.3: several lines of a list are one list, in their order.
                earlier = found[slot]
                found[slot] = value if earlier is None else earlier + b"," + value
        addresses, protos, hosts, ports, forwarded = found
        if addresses is None and protos is None and hosts is None and ports is None:
            if forwarded is not None:
                self._apply_forwarded(scope, forwarded.decode("latin-1"))
            return
        depth = 0
        if addresses is not None:
            depth = self._apply_for(scope, addresses.decode("latin-1"))
        if protos is not None:
            _set_scheme(scope, _entry(protos, depth))
        if hosts is not None and self._host:
            _set_host(scope, _entry(hosts, depth), _entry(ports, depth) if ports is not None else "")

    def _apply_for(self, scope: dict[str, Any], text: str) -> int:
        """Walk X-Forwarded-For from the right; return how many entries from the end the reading stopped."""
        client: tuple[str, int] | None = None
        depth = -1
        end = len(text)
        while end >= 0:
            comma = text.rfind(",", 0, end)
            node = text[comma + 1 : end].strip(" \t")
            end = comma
            if not node:  # RFC 9110 section 5.6.1: empty list elements are ignored
                continue
            depth += 1
            hop = self._hop(node)
            if hop is None:
                break
            client = hop[0] or client
            if not hop[1]:
                break
        if client is not None:
            scope["client"] = client
        return max(depth, 0)

    def _apply_forwarded(self, scope: dict[str, Any], text: str) -> None:
        """Walk the elements of Forwarded from the right (RFC 7239 section 4)."""
        client: tuple[str, int] | None = None
        scheme = host = ""
        for element in _split_from_right(text, ","):
            if not element.strip(" \t"):
                continue
            pairs = _parameters(element)
            if pairs is None:
                break
            # All elements that are reached were written by trusted proxies; the left-most one of them is by
            # the proxy that the client talked to.
            scheme = pairs.get("proto", scheme)
            host = pairs.get("host", host)
            hop = self._hop(pairs.get("for", ""))
            if hop is None:
                break
            client = hop[0] or client
            if not hop[1]:
                break
        if client is not None:
            scope["client"] = client
        _set_scheme(scope, scheme)
        if host and self._host:
            _set_host(scope, host, "")

    def _hop(self, node: str) -> _Hop | None:
        try:
            return self._hops[node]
        except KeyError:
            pass
        if len(node) > _LONGEST_NODE:
            return None
        hop: _Hop | None
        if node == "unix:":
            # What nginx writes for a peer on a Unix socket.
            hop = (None, self._peers.unix)
        else:
            client = parse_node(node)
            hop = None if client is None else (client, self._peers.trusts(client[0]))
        if len(self._hops) >= _CACHE_ENTRIES:
            self._hops.clear()
        self._hops[node] = hop
        return hop


def parse_node(text: str) -> tuple[str, int] | None:
    """Return (address in canonical form, port or 0) of a node, or None if it is no address.

    Taken are the forms of RFC 7239 section 6 and, because X-Forwarded-For has them, IPv6 without brackets.
    "unknown" and obfuscated identifiers ("_hidden") are no addresses; an obfuscated port is port 0.
    """
    port = ""
    if text.startswith("["):
        host, bracket, rest = text[1:].partition("]")
        if not bracket or ":" not in host or (rest and not rest.startswith(":")):
            return None
        if rest:
            port = rest[1:] or "?"
    elif text.count(":") == 1:
        host, _, port = text.partition(":")
        port = port or "?"
    else:
        host = text
    # A zone would carry any text whatever into the application's and the log's idea of an address.
    address = None if "%" in host else canonical_address(host)
    if address is None:
        return None
    number = _port_number(port)
    return None if number is None else (address, number)


def _port_number(text: str) -> int | None:
    """RFC 7239 section 6: node-port = port / obfport; 1*5DIGIT, or an underscore and a name."""
    if not text:
        return 0
    if text.startswith("_"):
        return 0 if all(c.isascii() and (c.isalnum() or c in "._-") for c in text) else None
    if text.isascii() and text.isdigit() and len(text) <= 5 and int(text) <= 65535:
        return int(text)
    return None


def _entry(values: bytes, depth: int) -> str:
    """Return the entry that belongs to the address `depth` entries from the end, else the last one.

    Proxies that append to all fields keep the lists in step, counted from the right, where a client's own
    entries cannot shift them. Where there are fewer entries, somebody overwrites: the last one is surest.
    """
    text = values.decode("latin-1")
    if "," not in text:
        return text.strip(" \t")
    entries = [entry for entry in (each.strip(" \t") for each in text.split(",")) if entry]
    if not entries:
        return ""
    return entries[-1 - depth] if depth < len(entries) else entries[-1]


def _set_scheme(scope: dict[str, Any], scheme: str) -> None:
    secure = _SECURE.get(scheme)
    if secure is None:
        secure = _SECURE.get(scheme.lower())  # RFC 3986 section 3.1: schemes are case-insensitive
        if secure is None:
            return
    if scope["type"] == "websocket":
        scope["scheme"] = "wss" if secure else "ws"
    else:
        scope["scheme"] = "https" if secure else "http"


def _set_host(scope: dict[str, Any], host: str, port: str) -> None:
    """Replace the host field; a host that frameworks could misread is ignored with its port."""
    value = host.encode("latin-1")
    if not is_host(value):
        return
    if port and ":" not in host.rpartition("]")[2]:
        # A host that brings its own port keeps it; the scheme's default port is not written.
        usual = "443" if scope["scheme"] in ("https", "wss") else "80"
        if port != usual and port != "0" and _port_number(port):
            value += b":%d" % int(port)
    headers = list(scope["headers"])
    for index, (name, _) in enumerate(headers):
        if name == b"host":
            headers[index] = (b"host", value)
            break
    else:
        headers.insert(0, (b"host", value))
    scope["headers"] = headers


def _parameters(element: str) -> dict[str, str] | None:
    """Return the pairs of one element by lower-case name, or None if it breaks the grammar.

    RFC 7239 section 4: pairs are parted by semicolons, a value is a token or a quoted string, no name occurs
    twice. Unquoted colons and brackets pass, for proxies that forget the quotes; escapes within quotes do
    not: nothing that is read here has need of them.
    """
    pairs: dict[str, str] = {}
    for pair in _split_from_right(element, ";"):
        pair = pair.strip(" \t")
        if not pair:
            continue
        name, _, value = pair.partition("=")
        if value.startswith('"') and len(value) >= 2:
            if not value.endswith('"'):
                return None
            value = value[1:-1]
        elif " " in value or "\t" in value:
            return None
        name = name.lower()
        if not name.isascii() or not name.replace("-", "").isalnum() or name in pairs:
            return None
        if not value or '"' in value or "\\" in value:
            return None
        pairs[name] = value
    return pairs


def _split_from_right(text: str, separator: str) -> list[str]:
    """Split at separators outside of quotes, last piece first.

    Quotes are paired from the right, so that an unpaired quote in what a client sent cannot swallow what a
    trusted proxy appended to it.
    """
    if '"' not in text:
        return text.split(separator)[::-1]
    pieces = []
    end = cut = len(text)
    odd = 0
    while cut >= 0:
        at = text.rfind(separator, 0, cut)
        odd ^= text.count('"', at + 1, cut) & 1
        if not odd or at < 0:
            pieces.append(text[at + 1 : end])
            end = at
        cut = at
    return pieces
