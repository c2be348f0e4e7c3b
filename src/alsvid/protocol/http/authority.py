"""Validate the authority of a request: uri-host [ ":" port ] (RFC 9110 section 7.2, RFC 3986 section 3.2).

What passes here reaches applications, which build links and choose tenants by it: user information, paths and
lists never do. Must not know which field or pseudo-field it came in.
"""

from __future__ import annotations

import ipaddress

from alsvid.protocol.http.grammar import HEX, HOST

_host = HOST
_hex = HEX


def is_host(value: bytes) -> bool:
    """True when value is uri-host [ ":" port ] (RFC 9110 section 7.2), user information refused."""
    p = value
    n = len(value)
    i = 0
    if n and p[0] == 91:  # "[": IP-literal
        i = value.find(b"]") + 1
        if i == 0 or not _is_ip_literal(value[1 : i - 1]):
            return False
    else:
        while i < n and _host[p[i]]:
            if p[i] == 37 and not (n - i > 2 and _hex[p[i + 1]] < 16 and _hex[p[i + 2]] < 16):
                return False
            i += 1
        if i == 0:
            return False
    if i == n:
        return True
    if p[i] != 58 or n - i > 6:
        return False
    i += 1
    port = 0
    while i < n:
        if not 48 <= p[i] <= 57:
            return False
        port = port * 10 + p[i] - 48
        i += 1
    return port <= 65535


def _is_ip_literal(text: bytes) -> bool:
    """True for IPv6address and IPvFuture (RFC 3986 section 3.2.2); zones mean nothing to a server."""
    if text[:1] in (b"v", b"V"):
        return _is_future_address(text[1:])
    if b"%" in text or not text.isascii():
        return False
    try:
        ipaddress.IPv6Address(text.decode("ascii"))
    except ValueError:
        return False
    return True


def _is_future_address(text: bytes) -> bool:
    """True for 1*HEXDIG "." 1*( unreserved / sub-delims / ":" )."""
    version, _, address = text.partition(b".")
    for octet in version:
        if _hex[octet] > 15:
            return False
    for octet in address:
        if octet != 58 and (octet == 37 or not _host[octet]):
            return False
    return len(version) > 0 and len(address) > 0
