"""The PROXY protocol, versions 1 and 2: for whom a balancer that only passes octets on has connected.

Owns the header's grammar and the question whose header is believed. Sans-I/O: the connection feeds octets
and, once the header is complete, starts TLS or HTTP with the octets that are left. Sections are those of
haproxy's "The PROXY protocol, Versions 1 & 2" (doc/proxy-protocol.txt).

Nothing is guessed (section 5): a peer that is listed in --proxy-allow-from must send a header of the version
that is configured, every other peer must not. The header comes before TLS, in plain text.

    v1   PROXY TCP4|TCP6 SOURCE DESTINATION PORT PORT CRLF    or    PROXY UNKNOWN [anything] CRLF
    v2   signature (12) | version, command | family, transport | length (2) | addresses | TLVs
"""

from __future__ import annotations

import dataclasses
import functools
import ipaddress
from typing import Final

from alsvid.errors import ConfigError, LocalProtocolError, RemoteProtocolError
from alsvid.net.settings import ProxyProtocolSettings
from alsvid.protocol.http.trust import TrustedPeers, canonical_address

V1_PREFIX: Final = b"PROXY "
V2_SIGNATURE: Final = b"\r\n\r\n\x00\r\nQUIT\n"

# Section 2.1: the longest line of version 1, its CRLF included.
_V1_LIMIT: Final = 107
_V2_FIXED: Final = 16
# Version 2 may announce 64 KiB. Addresses need at most 216 octets, and the specification wants the whole to
# fit into 536; 4 KiB leave room for a client's certificate, which newer senders can add, and for no more.
_V2_LIMIT: Final = 4096

_INET: Final = 1
_INET6: Final = 2
_STREAM: Final = 1
# Section 2.2: octets of the address block by family (UNSPEC, INET, INET6, UNIX).
_ADDRESS_OCTETS: Final = (0, 12, 36, 216)

_TYPE_ALPN: Final = 0x01
_TYPE_AUTHORITY: Final = 0x02
_TYPE_CRC32C: Final = 0x03
_TYPE_UNIQUE_ID: Final = 0x05
_TYPE_SSL: Final = 0x20
_SUBTYPE_SSL_VERSION: Final = 0x21
_SUBTYPE_SSL_CN: Final = 0x22
_SUBTYPE_SSL_CIPHER: Final = 0x23
_UNIQUE_ID_LIMIT: Final = 128  # section 2.2.5

_CLIENT_SSL: Final = 0x01
_CLIENT_CERT_CONN: Final = 0x02
_CLIENT_CERT_SESS: Final = 0x04


@dataclasses.dataclass(frozen=True, slots=True)
class ProxySsl:
    """What the balancer tells of the client's TLS (section 2.2.6); "" for what it does not tell.

    `verified` is True only if the client showed a certificate and the balancer verified it.
    """

    tls: bool
    verified: bool
    version: str = ""
    common_name: str = ""
    cipher: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class ProxyHeader:
    """A complete header.

    source, destination  (address, port) that take the place of the connection's own; None to keep these
    local                True when the balancer speaks for itself, as in health checks
    tlvs                 all (type, value) pairs in their order, version 2 only
    rest                 octets after the header, which belong to the connection's protocol

    Neither source nor local: the balancer relays for somebody whose address it cannot tell. Then the real
    addresses are kept, but forwarded fields must not be believed: they are not the balancer's.
    """

    source: tuple[str, int] | None
    destination: tuple[str, int] | None
    local: bool
    rest: bytes
    tlvs: tuple[tuple[int, bytes], ...] = ()
    alpn: bytes = b""
    authority: str = ""
    unique_id: bytes = b""
    ssl: ProxySsl | None = None


class ProxyProtocolRules:
    """Whose headers are believed, and in which version; built once per server.

    Raises: ConfigError for an entry of --proxy-allow-from, or a version, that is not understood.
    """

    __slots__ = ("_mode", "_peers")

    def __init__(self, settings: ProxyProtocolSettings) -> None:
        if settings.proxy_protocol not in ("off", "v1", "v2", "auto"):
            raise ConfigError(
                f"--proxy-protocol: {settings.proxy_protocol!r} is unknown; choose off, v1, v2 or auto"
            )
        self._mode = settings.proxy_protocol
        self._peers = TrustedPeers(settings.proxy_allow_from, "--proxy-allow-from")

    def expects(self, peer_host: str | None) -> bool:
        """Say whether a connection of this peer begins with a header; None or "" is a Unix socket."""
        return self._mode != "off" and self._peers.trusts(peer_host)

    def parser(self) -> ProxyProtocolParser:
        """Return a parser for one connection."""
        return ProxyProtocolParser(self._mode)


class ProxyProtocolParser:
    """Reads one header; `mode` is "v1", "v2" or "auto" (either of them)."""

    __slots__ = ("_buffer", "_complete", "_mode")

    def __init__(self, mode: str) -> None:
        self._mode = mode
        self._buffer = b""
        self._complete = False

    def receive_data(self, data: bytes) -> ProxyHeader | None:
        """Take octets from the peer; None until the header is complete. Not to be called after that.

        Raises: RemoteProtocolError as soon as it is certain that this is no header; the connection is to be
        aborted then, without an answer (section 2.1: "cause the receiver to abort the connection").
        """
        if self._complete:
            raise LocalProtocolError("the PROXY protocol header was complete already")
        # The buffer cannot grow: what is beyond the limits is refused before more is asked for.
        buffer = self._buffer = self._buffer + data if self._buffer else data
        if not buffer:
            return None
        header = _parse_v1(buffer) if self._is_v1(buffer[0]) else _parse_v2(buffer)
        if header is not None:
            self._complete = True
            self._buffer = b""
        return header

    def _is_v1(self, first: int) -> bool:
        if first == V1_PREFIX[0] and self._mode != "v2":
            return True
        if first == V2_SIGNATURE[0] and self._mode != "v1":
            return False
        version = {"v1": " version 1", "v2": " version 2"}.get(self._mode, "")
        raise RemoteProtocolError(f"the connection does not begin with a PROXY header{version} (section 2)")


# --- version 1 ----------------------------------------------------------------------------------------------


def _parse_v1(buffer: bytes) -> ProxyHeader | None:
    start = buffer[: len(V1_PREFIX)]
    if start != V1_PREFIX[: len(start)]:
        raise RemoteProtocolError("the PROXY line does not begin with PROXY and a space (section 2.1)")
    end = _line_end(buffer[:_V1_LIMIT])
    if end < 0:
        if len(buffer) >= _V1_LIMIT:
            raise RemoteProtocolError("the PROXY line is longer than 107 octets (section 2.1)")
        return None
    words = buffer[:end].split(b" ")
    rest = buffer[end + 2 :]
    if words[1] == b"UNKNOWN":
        # "the receiver must ignore anything presented before the CRLF is found"
        return ProxyHeader(None, None, False, rest)
    if words[1] not in (b"TCP4", b"TCP6"):
        raise RemoteProtocolError("the PROXY line names neither TCP4, TCP6 nor UNKNOWN (section 2.1)")
    if len(words) != 6:
        raise RemoteProtocolError("the PROXY line has not exactly six words (section 2.1)")
    six = words[1] == b"TCP6"
    source = (_v1_address(words[2], six), _v1_port(words[4]))
    destination = (_v1_address(words[3], six), _v1_port(words[5]))
    return ProxyHeader(source, destination, False, rest)


def _line_end(line: bytes) -> int:
    """Return where the CRLF is, -1 if it has not come yet; a CR or LF by itself is an error."""
    feed = line.find(b"\n")
    end = line.find(b"\r")
    # "The receiver must not tolerate a single CR or LF character to end the line" (section 2.1)
    if feed >= 0 and (end < 0 or feed < end):
        raise RemoteProtocolError("the PROXY line has a bare LF (section 2.1)")
    if end < 0 or end + 1 == len(line):
        return -1
    if feed != end + 1:
        raise RemoteProtocolError("the PROXY line has a bare CR (section 2.1)")
    return end


def _v1_address(word: bytes, six: bool) -> str:
    try:
        text = word.decode("ascii")
        # ipaddress refuses leading zeros in IPv4, as section 2.1 does. A zone is no part of the format.
        if "%" in text:
            raise ValueError(text)
        address = str(ipaddress.IPv6Address(text) if six else ipaddress.IPv4Address(text))
    except ValueError:
        kind = "an IPv6" if six else "an IPv4"
        raise RemoteProtocolError(f"the PROXY line has {kind} address that is none (section 2.1)") from None
    return canonical_address(address) or address


def _v1_port(word: bytes) -> int:
    # "Heading zeroes are not permitted"; isdigit of bytes knows ASCII only.
    if not word.isdigit() or len(word) > 5 or (word[0] == 48 and len(word) > 1) or int(word) > 65535:
        raise RemoteProtocolError("the PROXY line has a port that is none (section 2.1)")
    return int(word)


# --- version 2 ----------------------------------------------------------------------------------------------


def _parse_v2(buffer: bytes) -> ProxyHeader | None:
    start = buffer[: len(V2_SIGNATURE)]
    if start != V2_SIGNATURE[: len(start)]:
        raise RemoteProtocolError("the PROXY header has not the signature of version 2 (section 2.2)")
    if len(buffer) > 12 and buffer[12] not in (0x20, 0x21):
        raise RemoteProtocolError("the PROXY header has an unknown version or command (section 2.2)")
    if len(buffer) < _V2_FIXED:
        return None
    length = int.from_bytes(buffer[14:16], "big")
    if length > _V2_LIMIT:
        raise RemoteProtocolError(f"the PROXY header is longer than {_V2_LIMIT} octets (section 2.2)")
    end = _V2_FIXED + length
    if len(buffer) < end:
        return None
    rest = buffer[end:]
    if buffer[12] == 0x20:
        # LOCAL: "must use the real connection endpoints and discard the protocol block including the family"
        return ProxyHeader(None, None, True, rest)
    return _relayed(buffer[:end], rest)


def _relayed(header: bytes, rest: bytes) -> ProxyHeader:
    """Read addresses and TLVs of the command PROXY."""
    family, transport = header[13] >> 4, header[13] & 15
    if family > 3 or transport > 2:
        raise RemoteProtocolError("the PROXY header has an unknown family or transport (section 2.2)")
    tlvs_at = _V2_FIXED + _ADDRESS_OCTETS[family]
    if tlvs_at > len(header):
        raise RemoteProtocolError("the PROXY header is too short for its addresses (section 2.2)")
    source = destination = None
    # UNIX and DGRAM cannot be what a client of this server came by: they are valid, and as section 2.2 wants
    # it of receivers that do not support a combination, treated as unspecified.
    if transport == _STREAM and family in (_INET, _INET6):
        source, destination = _v2_addresses(header[_V2_FIXED:tlvs_at])
    tlvs = _tlvs(header[tlvs_at:])
    known = dict(tlvs)
    _check_crc32c(header, tlvs_at, tlvs)
    unique_id = known.get(_TYPE_UNIQUE_ID, b"")
    if len(unique_id) > _UNIQUE_ID_LIMIT:
        raise RemoteProtocolError("the unique ID is longer than 128 octets (section 2.2.5)")
    return ProxyHeader(
        source,
        destination,
        False,
        rest,
        tlvs=tlvs,
        alpn=known.get(_TYPE_ALPN, b""),
        authority=_text(known.get(_TYPE_AUTHORITY, b""), "utf-8"),
        unique_id=unique_id,
        ssl=_ssl(known[_TYPE_SSL]) if _TYPE_SSL in known else None,
    )


def _v2_addresses(block: bytes) -> tuple[tuple[str, int], tuple[str, int]]:
    """Source address, destination address, source port, destination port, in network order."""
    octets = (len(block) - 4) // 2
    first, second = (str(ipaddress.ip_address(block[at : at + octets])) for at in (0, octets))
    ports = block[2 * octets :]
    return (
        (canonical_address(first) or first, int.from_bytes(ports[:2], "big")),
        (canonical_address(second) or second, int.from_bytes(ports[2:], "big")),
    )


def _tlvs(block: bytes) -> tuple[tuple[int, bytes], ...]:
    """Type (1), length (2), value; up to the end of the block (section 2.2)."""
    found = []
    at = 0
    while at < len(block):
        end = at + 3 + int.from_bytes(block[at + 1 : at + 3], "big")
        if at + 3 > len(block) or end > len(block):
            raise RemoteProtocolError("a TLV of the PROXY header is cut short (section 2.2)")
        found.append((block[at], block[at + 3 : end]))
        at = end
    return tuple(found)


def _ssl(value: bytes) -> ProxySsl:
    """Section 2.2.6: client flags (1), verify (4), then TLVs of the second level."""
    if len(value) < 5:
        raise RemoteProtocolError("the SSL part of the PROXY header is cut short (section 2.2.6)")
    flags = value[0]
    inner = dict(_tlvs(value[5:]))
    # Zero "if the client presented a certificate and it was successfully verified"; senders that leave it
    # zero without a certificate must not make one appear.
    verified = value[1:5] == b"\0\0\0\0" and bool(flags & (_CLIENT_CERT_CONN | _CLIENT_CERT_SESS))
    return ProxySsl(
        tls=bool(flags & _CLIENT_SSL),
        verified=verified,
        version=_text(inner.get(_SUBTYPE_SSL_VERSION, b""), "ascii"),
        common_name=_text(inner.get(_SUBTYPE_SSL_CN, b""), "utf-8"),
        cipher=_text(inner.get(_SUBTYPE_SSL_CIPHER, b""), "ascii"),
    )


def _text(value: bytes, codec: str) -> str:
    try:
        return value.decode(codec)
    except UnicodeDecodeError:
        raise RemoteProtocolError(
            f"a text of the PROXY header is not {codec.upper()} (section 2.2)"
        ) from None


def _check_crc32c(header: bytes, tlvs_at: int, tlvs: tuple[tuple[int, bytes], ...]) -> None:
    """Section 2.2.3: a checksum that is there must be right, computed with its own octets as zero."""
    at = tlvs_at
    for kind, value in tlvs:
        if kind == _TYPE_CRC32C:
            zeroed = header[: at + 3] + bytes(len(value)) + header[at + 3 + len(value) :]
            if len(value) != 4 or int.from_bytes(value, "big") != crc32c(zeroed):
                raise RemoteProtocolError("the checksum of the PROXY header is wrong (section 2.2.3)")
        at += 3 + len(value)


def crc32c(data: bytes) -> int:
    """Return the CRC32c of RFC 9260 appendix A (Castagnoli's polynomial, reflected)."""
    table = _crc32c_table()
    crc = 0xFFFFFFFF
    for octet in data:
        crc = table[(crc ^ octet) & 0xFF] ^ (crc >> 8)
    return crc ^ 0xFFFFFFFF


@functools.cache
def _crc32c_table() -> tuple[int, ...]:
    table = []
    for octet in range(256):
        crc = octet
        for _ in range(8):
            crc = (crc >> 1) ^ (0x82F63B78 if crc & 1 else 0)
        table.append(crc)
    return tuple(table)
