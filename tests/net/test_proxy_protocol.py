"""The PROXY protocol: octets in, header or error out; every case also runs split at each octet."""

from __future__ import annotations

import ipaddress
import random
import struct
from typing import Any

import pytest

from alsvid.errors import ConfigError, LocalProtocolError, RemoteProtocolError
from alsvid.net.proxy_protocol import (
    V2_SIGNATURE,
    ProxyHeader,
    ProxyProtocolParser,
    ProxyProtocolRules,
    ProxySsl,
    crc32c,
)
from alsvid.net.settings import ProxyProtocolSettings

REST = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
A, B = ("192.0.2.1", 56324), ("192.0.2.2", 443)
A6, B6 = ("2001:db8::1", 1), ("2001:db8::2", 65535)


def outcome(pieces: list[bytes], mode: str) -> Any:
    """Feed the pieces; returns the header with all that was not consumed as its rest, the error, or None."""
    parser = ProxyProtocolParser(mode)
    for index, piece in enumerate(pieces):
        try:
            header = parser.receive_data(piece)
        except RemoteProtocolError as error:
            return str(error)
        if header is not None:
            left = header.rest + b"".join(pieces[index + 1 :])
            return (header.source, header.destination, header.local, left, header.tlvs, header.ssl)
    return None


def check(data: bytes, mode: str = "auto") -> Any:
    """Return the outcome of the whole, after asserting that no split and no dribble changes it."""
    whole = outcome([data], mode)
    for at in range(len(data) + 1):
        assert outcome([data[:at], data[at:]], mode) == whole, f"split at {at}"
    assert outcome([bytes([octet]) for octet in data], mode) == whole
    return whole


def parsed(data: bytes, mode: str = "auto") -> ProxyHeader:
    assert isinstance(check(data, mode), tuple)
    header = ProxyProtocolParser(mode).receive_data(data)
    assert header is not None
    return header


def v2(block: bytes, *, command: int = 0x21, family: int = 0x11, length: int | None = None) -> bytes:
    return (
        V2_SIGNATURE + struct.pack("!BBH", command, family, len(block) if length is None else length) + block
    )


def inet(source: tuple[str, int], destination: tuple[str, int]) -> bytes:
    packed = b"".join(ipaddress.ip_address(host).packed for host, _ in (source, destination))
    return packed + struct.pack("!HH", source[1], destination[1])


def tlv(kind: int, value: bytes) -> bytes:
    return struct.pack("!BH", kind, len(value)) + value


# --- version 1 ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["v1", "auto"])
@pytest.mark.parametrize(
    ("line", "source", "destination"),
    [
        ("TCP4 192.0.2.1 192.0.2.2 56324 443", A, B),
        (
            "TCP4 255.255.255.255 255.255.255.255 65535 65535",
            ("255.255.255.255", 65535),
            ("255.255.255.255", 65535),
        ),
        ("TCP4 0.0.0.0 0.0.0.0 0 0", ("0.0.0.0", 0), ("0.0.0.0", 0)),
        ("TCP6 2001:db8::1 2001:db8::2 1 65535", A6, B6),
        ("TCP6 2001:DB8:0:0:0:0:0:1 2001:0db8::2 1 65535", A6, B6),
        ("TCP6 :: ::1 1 2", ("::", 1), ("::1", 2)),
        ("TCP6 ::ffff:192.0.2.1 ::ffff:c000:202 56324 443", A, B),
        ("UNKNOWN", None, None),
        ("UNKNOWN ", None, None),
        ("UNKNOWN ffff::1 ffff::2 65535 65535", None, None),
        ("UNKNOWN anything at all \x01\xff", None, None),
        ("UNKNOWN " + "x" * 91, None, None),
    ],
)
def test_a_line_of_version_1_gives_the_addresses(
    mode: str, line: str, source: tuple[str, int] | None, destination: tuple[str, int] | None
) -> None:
    """Section 2.1; for UNKNOWN everything up to the CRLF is ignored and the real addresses stay."""
    header = parsed(b"PROXY " + line.encode("latin-1") + b"\r\n" + REST, mode)
    assert (header.source, header.destination) == (source, destination)
    assert not header.local
    assert header.rest == REST
    assert header.tlvs == ()
    assert header.ssl is None


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", "does not begin with a PROXY header"),
        (b"POST / HTTP/1.1\r\n\r\n", "PROXY and a space"),
        (b"\x16\x03\x01\x02\x00", "does not begin with a PROXY header"),
        (b" PROXY UNKNOWN\r\n", "does not begin with a PROXY header"),
        (b"proxy UNKNOWN\r\n", "does not begin with a PROXY header"),
        (b"PROXY\r\n", "PROXY and a space"),
        (b"PROXY\tUNKNOWN\r\n", "PROXY and a space"),
        (b"PROXYUNKNOWN\r\n", "PROXY and a space"),
        (b"PROXY \r\n", "neither TCP4"),
        (b"PROXY  UNKNOWN\r\n", "neither TCP4"),
        (b"PROXY unknown\r\n", "neither TCP4"),
        (b"PROXY UNKNOWNX\r\n", "neither TCP4"),
        (b"PROXY TCP 192.0.2.1 192.0.2.2 1 2\r\n", "neither TCP4"),
        (b"PROXY TCP5 192.0.2.1 192.0.2.2 1 2\r\n", "neither TCP4"),
        (b"PROXY UDP4 192.0.2.1 192.0.2.2 1 2\r\n", "neither TCP4"),
        (b"PROXY TCP4\r\n", "six words"),
        (b"PROXY TCP4 192.0.2.1 192.0.2.2 1\r\n", "six words"),
        (b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2 3\r\n", "six words"),
        (b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2 \r\n", "six words"),
        (b"PROXY TCP4  192.0.2.1 192.0.2.2 1 2\r\n", "six words"),
        (b"PROXY TCP4 192.0.2.1\t192.0.2.2 1 2 3\r\n", "IPv4 address"),
        (b"PROXY TCP4 192.0.2 192.0.2.2 1 2\r\n", "IPv4 address"),
        (b"PROXY TCP4 192.0.2.01 192.0.2.2 1 2\r\n", "IPv4 address"),
        (b"PROXY TCP4 192.0.2.256 192.0.2.2 1 2\r\n", "IPv4 address"),
        (b"PROXY TCP4 192.0.2.1 192.0.2.-2 1 2\r\n", "IPv4 address"),
        (b"PROXY TCP4 192.0.2.1/8 192.0.2.2 1 2\r\n", "IPv4 address"),
        (b"PROXY TCP4 0x7f.0.0.1 192.0.2.2 1 2\r\n", "IPv4 address"),
        (b"PROXY TCP4 localhost 192.0.2.2 1 2\r\n", "IPv4 address"),
        (b"PROXY TCP4 \xd9\xa1.2.3.4 192.0.2.2 1 2\r\n", "IPv4 address"),
        (b"PROXY TCP4 ::1 ::2 1 2\r\n", "IPv4 address"),
        (b"PROXY TCP6 192.0.2.1 192.0.2.2 1 2\r\n", "IPv6 address"),
        (b"PROXY TCP6 ::1 192.0.2.2 1 2\r\n", "IPv6 address"),
        (b"PROXY TCP6 ::g ::1 1 2\r\n", "IPv6 address"),
        (b"PROXY TCP6 1::2::3 ::1 1 2\r\n", "IPv6 address"),
        (b"PROXY TCP6 1:2:3:4:5:6:7 ::1 1 2\r\n", "IPv6 address"),
        (b"PROXY TCP6 1:2:3:4:5:6:7:8:9 ::1 1 2\r\n", "IPv6 address"),
        (b"PROXY TCP6 12345::1 ::1 1 2\r\n", "IPv6 address"),
        (b"PROXY TCP6 [::1] ::1 1 2\r\n", "IPv6 address"),
        (b"PROXY TCP6 fe80::1%eth0 ::1 1 2\r\n", "IPv6 address"),
        (b"PROXY TCP4 192.0.2.1 192.0.2.2 01 2\r\n", "port"),
        (b"PROXY TCP4 192.0.2.1 192.0.2.2 1 00\r\n", "port"),
        (b"PROXY TCP4 192.0.2.1 192.0.2.2 65536 2\r\n", "port"),
        (b"PROXY TCP4 192.0.2.1 192.0.2.2 1 100000\r\n", "port"),
        (b"PROXY TCP4 192.0.2.1 192.0.2.2 -1 2\r\n", "port"),
        (b"PROXY TCP4 192.0.2.1 192.0.2.2 +1 2\r\n", "port"),
        (b"PROXY TCP4 192.0.2.1 192.0.2.2 1 x\r\n", "port"),
        (b"PROXY TCP4 192.0.2.1 192.0.2.2  2\r\n", "port"),
        (b"PROXY TCP4 192.0.2.1 192.0.2.2 \xc2\xb2 2\r\n", "port"),
        (b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\n", "bare LF"),
        (b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\n\r\n", "bare LF"),
        (b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r" + REST, "bare CR"),
        (b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\r\n", "bare CR"),
        (b"PROXY UNKNOWN a\rb\r\n", "bare CR"),
        (b"PROXY UNKNOWN a\nb\r\n", "bare LF"),
        (b"PROXY UNKNOWN " + b"x" * 92 + b"\r\n", "longer than 107"),
        (b"PROXY UNKNOWN " + b"x" * 91 + b"\r\r\n", "bare CR"),
        (b"PROXY " + b"x" * 200, "longer than 107"),
        (b"PROXY TCP4 " + b"1" * 5000, "longer than 107"),
    ],
)
def test_a_line_that_breaks_the_format_is_refused(data: bytes, reason: str) -> None:
    """Section 2.1: "Any sequence which does not exactly match the protocol must be discarded"."""
    error = check(data)
    assert isinstance(error, str)
    assert reason in error
    assert "section 2" in error


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"P",
        b"PROXY",
        b"PROXY ",
        b"PROXY TCP4 192.0.2.1",
        b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2",
        b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r",
        b"PROXY UNKNOWN " + b"x" * 91 + b"\r",
        V2_SIGNATURE[:1],
        V2_SIGNATURE[:11],
        V2_SIGNATURE,
        V2_SIGNATURE + b"\x21",
        V2_SIGNATURE + b"\x21\x11\x00",
        v2(b"", length=12),
        v2(inet(A, B))[:-1],
    ],
)
def test_an_incomplete_header_asks_for_more(data: bytes) -> None:
    """Section 2: "The receiver MUST NOT start processing the connection before" it is complete."""
    assert check(data) is None


def test_what_is_no_header_is_refused_at_its_first_octet() -> None:
    """Section 2.1: "It is recommended to abort the connection as soon as possible"."""
    with pytest.raises(RemoteProtocolError):
        ProxyProtocolParser("auto").receive_data(b"G")


def test_a_header_can_come_without_anything_after_it() -> None:
    """The rest is empty then."""
    assert parsed(b"PROXY UNKNOWN\r\n").rest == b""
    assert parsed(v2(inet(A, B))).rest == b""


# --- version 2 ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["v2", "auto"])
@pytest.mark.parametrize(
    ("data", "source", "destination"),
    [
        (v2(inet(A, B)), A, B),
        (v2(inet(A6, B6), family=0x21), A6, B6),
        (
            v2(inet(("::ffff:192.0.2.1", 9), ("::ffff:192.0.2.2", 8)), family=0x21),
            ("192.0.2.1", 9),
            ("192.0.2.2", 8),
        ),
        (v2(inet(("0.0.0.0", 0), ("255.255.255.255", 65535))), ("0.0.0.0", 0), ("255.255.255.255", 65535)),
        (v2(inet(A, B) + tlv(4, b"")), A, B),
    ],
)
def test_addresses_of_version_2_are_read(
    mode: str, data: bytes, source: tuple[str, int], destination: tuple[str, int]
) -> None:
    """Section 2.2: PROXY over a stream, IPv4 and IPv6."""
    header = parsed(data + REST, mode)
    assert (header.source, header.destination, header.local) == (source, destination, False)
    assert header.rest == REST


@pytest.mark.parametrize(
    "block",
    [b"", inet(A, B), b"junk", tlv(1, b"h2"), b"\xff" * 4096],
    ids=["empty", "addresses", "junk", "tlv", "longest"],
)
@pytest.mark.parametrize("family", [0x00, 0x11, 0x21, 0x31, 0xFF])
def test_a_local_connection_keeps_the_real_addresses(block: bytes, family: int) -> None:
    """Section 2.2: LOCAL "must accept this connection as valid and must use the real connection endpoints
    and discard the protocol block including the family which is ignored"."""
    data = v2(block, command=0x20, family=family) + REST
    header = outcome([data], "v2")
    assert header == (None, None, True, REST, (), None)
    assert outcome([data[:-40], data[-40:-30], data[-30:]], "v2") == header


@pytest.mark.parametrize(
    ("family", "block"),
    [
        (0x00, b""),
        (0x01, b""),
        (0x10, inet(A, B)),
        (0x12, inet(A, B)),
        (0x20, inet(A6, B6)),
        (0x22, inet(A6, B6)),
        (0x30, bytes(216)),
        (0x31, b"/run/a".ljust(108, b"\0") + b"/run/b".ljust(108, b"\0")),
        (0x32, bytes(216)),
    ],
)
def test_a_connection_of_an_unspecified_kind_keeps_the_real_addresses(family: int, block: bytes) -> None:
    """Section 2.2: a receiver "automatically falls back to the UNSPEC mode" for what it does not support."""
    header = parsed(v2(block + tlv(2, b"a.example"), family=family) + REST)
    assert (header.source, header.destination, header.local) == (None, None, False)
    assert header.authority == "a.example"  # the TLVs begin after the addresses of the family
    assert header.rest == REST


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"\r\n\r\n\x00\r\nQUIT\r", "signature"),
        (b"\r\n\r\nGET / HTTP/1.1\r\n", "signature"),
        (b"\r\nPROXY UNKNOWN\r\n", "signature"),
        (V2_SIGNATURE + b"\x11\x11\x00\x00", "version or command"),
        (V2_SIGNATURE + b"\x01\x11\x00\x00", "version or command"),
        (V2_SIGNATURE + b"\x31\x11\x00\x00", "version or command"),
        (V2_SIGNATURE + b"\x22\x11\x00\x00", "version or command"),
        (V2_SIGNATURE + b"\x2f\x11\x00\x00", "version or command"),
        (v2(bytes(12), family=0x13), "family or transport"),
        (v2(bytes(12), family=0x1F), "family or transport"),
        (v2(bytes(12), family=0x41), "family or transport"),
        (v2(bytes(12), family=0xF1), "family or transport"),
        (v2(b""), "too short"),
        (v2(bytes(11)), "too short"),
        (v2(bytes(35), family=0x21), "too short"),
        (v2(bytes(215), family=0x31), "too short"),
        (v2(b"", length=4097), "longer than 4096"),
        (v2(b"", length=65535), "longer than 4096"),
        (v2(b"", length=65535, command=0x20), "longer than 4096"),
        (v2(inet(A, B) + b"\x01"), "cut short"),
        (v2(inet(A, B) + b"\x01\x00"), "cut short"),
        (v2(inet(A, B) + b"\x01\x00\x01"), "cut short"),
        (v2(inet(A, B) + tlv(1, b"h2") + b"\x02\xff\xff"), "cut short"),
        (v2(inet(A, B) + tlv(2, b"\xff\xfe")), "UTF-8"),
        (v2(inet(A, B) + tlv(5, bytes(129))), "unique ID"),
        (v2(inet(A, B) + tlv(0x20, b"")), "SSL"),
        (v2(inet(A, B) + tlv(0x20, b"\x01\0\0\0")), "SSL"),
        (v2(inet(A, B) + tlv(0x20, b"\x01\0\0\0\0\x21\x00\x09TLS")), "cut short"),
        (v2(inet(A, B) + tlv(0x20, b"\x01\0\0\0\0" + tlv(0x21, b"\xff"))), "ASCII"),
        (v2(inet(A, B) + tlv(0x20, b"\x01\0\0\0\0" + tlv(0x22, b"\xff"))), "UTF-8"),
        (v2(inet(A, B) + tlv(3, bytes(4))), "checksum"),
        (v2(inet(A, B) + tlv(3, b"")), "checksum"),
        (v2(inet(A, B) + tlv(3, bytes(5))), "checksum"),
    ],
)
def test_a_header_that_breaks_version_2_is_refused(data: bytes, reason: str) -> None:
    """Section 2.2; nothing after the error is looked at."""
    error = check(data)
    assert isinstance(error, str)
    assert reason in error
    assert "section 2.2" in error


def test_the_longest_header_is_taken_whole() -> None:
    """The cap is 4 KiB of addresses and TLVs; 64 KiB could be announced."""
    filler = tlv(0xE0, bytes(4096 - 12 - 3))
    data = v2(inet(A, B) + filler) + REST
    header = ProxyProtocolParser("v2").receive_data(data)
    assert header is not None
    assert header.source == A
    assert header.rest == REST


def test_tlvs_are_told() -> None:
    """Sections 2.2.1, 2.2.2, 2.2.5: ALPN, authority, unique ID; others are kept as they are."""
    pairs = [
        (1, b"h2"),
        (2, "bücher.example".encode()),
        (5, b"\x00\x01"),
        (4, b"pad"),
        (0xEA, b"custom"),
        (0x30, b"ns"),
    ]
    header = parsed(v2(inet(A, B) + b"".join(tlv(*pair) for pair in pairs)) + REST)
    assert header.tlvs == tuple(pairs)
    assert header.alpn == b"h2"
    assert header.authority == "bücher.example"
    assert header.unique_id == b"\x00\x01"
    assert header.ssl is None


@pytest.mark.parametrize(
    ("flags", "verify", "told"),
    [
        (0x00, 0, ProxySsl(tls=False, verified=False)),
        (0x01, 0, ProxySsl(tls=True, verified=False)),
        (0x01, 1, ProxySsl(tls=True, verified=False)),
        (0x03, 0, ProxySsl(tls=True, verified=True)),
        (0x05, 0, ProxySsl(tls=True, verified=True)),
        (0x07, 0, ProxySsl(tls=True, verified=True)),
        (0x07, 1, ProxySsl(tls=True, verified=False)),
        (0x03, 0x01000000, ProxySsl(tls=True, verified=False)),
    ],
)
def test_verification_is_told_only_of_a_certificate_that_was_shown(
    flags: int, verify: int, told: ProxySsl
) -> None:
    """Section 2.2.6: zero means that a certificate was presented and verified."""
    assert parsed(v2(inet(A, B) + tlv(0x20, struct.pack("!BI", flags, verify)))).ssl == told


def test_the_clients_tls_is_told() -> None:
    """Section 2.2.6: version, common name of the client's certificate, cipher."""
    inner = tlv(0x21, b"TLSv1.3") + tlv(0x22, "Lučić".encode()) + tlv(0x23, b"TLS_AES_256_GCM_SHA384")
    inner += tlv(0x24, b"SHA256") + tlv(0x25, b"RSA2048")
    header = parsed(v2(inet(A, B) + tlv(0x20, struct.pack("!BI", 3, 0) + inner)))
    assert header.ssl == ProxySsl(
        tls=True, verified=True, version="TLSv1.3", common_name="Lučić", cipher="TLS_AES_256_GCM_SHA384"
    )


@pytest.mark.parametrize(
    ("data", "checksum"),
    [
        (b"123456789", 0xE3069283),
        (b"", 0),
        (bytes(32), 0x8A9136AA),
        (b"\xff" * 32, 0x62A8AB43),
        (bytes(range(32)), 0x46DD794E),
    ],
)
def test_the_checksum_is_crc32c(data: bytes, checksum: int) -> None:
    """The check value of the catalogue of CRCs, and RFC 3720 appendix B.4."""
    assert crc32c(data) == checksum


@pytest.mark.parametrize("before", [b"", tlv(4, b"pad"), tlv(1, b"h2") + tlv(2, b"a")])
@pytest.mark.parametrize("after", [b"", tlv(4, b"pad")])
def test_a_right_checksum_passes_and_a_changed_header_does_not(before: bytes, after: bytes) -> None:
    """Section 2.2.3: computed over the whole header with the checksum's octets as zero."""
    zeroed = v2(inet(A, B) + before + tlv(3, bytes(4)) + after)
    checksum = crc32c(zeroed).to_bytes(4, "big")
    data = v2(inet(A, B) + before + tlv(3, checksum) + after)
    assert parsed(data + REST).source == A
    for at in range(16, 28):
        changed = data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]
        assert "checksum" in outcome([changed], "v2")


# --- which version, whose header ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mode", "data"),
    [
        ("v1", v2(inet(A, B))),
        ("v1", V2_SIGNATURE[:1]),
        ("v2", b"PROXY UNKNOWN\r\n"),
        ("v2", b"P"),
        ("v1", b"GET"),
        ("v2", b"GET"),
    ],
)
def test_the_other_version_is_refused(mode: str, data: bytes) -> None:
    """Section 2: "The receiver MUST be configured to only receive the protocol described"."""
    error = check(data, mode)
    assert f"version {mode[1]}" in error


def test_a_second_header_is_content() -> None:
    """One header a connection: what follows belongs to the protocol above, which will refuse it."""
    header = parsed(b"PROXY UNKNOWN\r\nPROXY UNKNOWN\r\n")
    assert header.rest == b"PROXY UNKNOWN\r\n"


def test_feeding_a_complete_parser_is_a_defect() -> None:
    """The octets after the header are the caller's."""
    parser = ProxyProtocolParser("auto")
    parser.receive_data(b"PROXY UNKNOWN\r\n")
    with pytest.raises(LocalProtocolError):
        parser.receive_data(b"GET")


@pytest.mark.parametrize(
    ("mode", "allow", "peer", "expected"),
    [
        ("off", ("*",), "10.0.0.1", False),
        ("off", ("*",), None, False),
        ("v1", ("127.0.0.1", "::1"), "127.0.0.1", True),
        ("v2", ("127.0.0.1", "::1"), "::1", True),
        ("auto", ("127.0.0.1", "::1"), "10.0.0.1", False),
        ("auto", ("10.0.0.0/8",), "10.0.0.1", True),
        ("auto", ("10.0.0.0/8",), None, False),
        ("auto", ("unix:",), None, True),
        ("auto", ("unix:",), "10.0.0.1", False),
        ("auto", ("*",), "203.0.113.1", True),
    ],
)
def test_a_header_is_expected_of_listed_peers_alone(
    mode: str, allow: tuple[str, ...], peer: str | None, expected: bool
) -> None:
    """Section 2: "only trusted proxies are allowed to use this protocol"; all others speak plainly."""
    rules = ProxyProtocolRules(ProxyProtocolSettings(proxy_protocol=mode, proxy_allow_from=allow))
    assert rules.expects(peer) is expected


def test_the_protocol_is_off_by_default() -> None:
    """safety.md: nobody chooses an address without being asked."""
    rules = ProxyProtocolRules(ProxyProtocolSettings())
    assert not rules.expects("127.0.0.1")


def test_the_rules_give_parsers_of_their_version() -> None:
    """One parser a connection."""
    rules = ProxyProtocolRules(ProxyProtocolSettings(proxy_protocol="v1"))
    assert rules.parser().receive_data(b"PROXY UNKNOWN\r\n") is not None
    with pytest.raises(RemoteProtocolError):
        rules.parser().receive_data(v2(b""))


@pytest.mark.parametrize(
    ("given", "option"),
    [
        ({"proxy_protocol": "v3"}, "--proxy-protocol"),
        ({"proxy_allow_from": ("localhost",)}, "--proxy-allow-from"),
    ],
)
def test_wrong_settings_stop_the_start(given: dict[str, Any], option: str) -> None:
    """Settings made in code have not passed the command line's checks."""
    with pytest.raises(ConfigError, match=option):
        ProxyProtocolRules(ProxyProtocolSettings(**given))


# --- the fuzz rule ------------------------------------------------------------------------------------------


def test_random_octets_end_in_a_header_an_error_or_a_wish_for_more() -> None:
    """The same whole and in random pieces, and never another exception."""
    chance = random.Random(11)
    seeds = [
        b"PROXY TCP4 192.0.2.1 192.0.2.2 56324 443\r\n" + REST,
        b"PROXY TCP6 2001:db8::1 2001:db8::2 1 65535\r\n",
        v2(inet(A, B) + tlv(1, b"h2") + tlv(0x20, struct.pack("!BI", 3, 0) + tlv(0x22, b"a"))) + REST,
        v2(inet(A6, B6) + tlv(3, bytes(4)), family=0x21),
    ]
    outcomes = set()
    for _ in range(4000):
        data = bytearray(chance.choice(seeds))
        for _ in range(chance.randrange(1, 4)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        whole = outcome([bytes(data)], "auto")
        cuts = sorted(chance.randrange(len(data) + 1) for _ in range(4))
        pieces = [bytes(data[a:b]) for a, b in zip([0, *cuts], [*cuts, len(data)], strict=True)]
        assert outcome(pieces, "auto") == whole
        outcomes.add(type(whole))
    assert outcomes == {tuple, str, type(None)}
