"""The subject of an X.509 certificate as the one string of RFC 4514.

Owns just enough DER (X.690) to walk from a certificate to its subject, and the escaping of RFC 4514. It sees
certificates only after OpenSSL has verified them, knows nothing of connections, and opens nothing. The ssl
module's own dictionary of the subject is no substitute: it has lost the order's meaning, the type of each
string and the OIDs, which RFC 4514 needs for attributes without a registered name.

    Certificate ::= SEQUENCE { tbsCertificate SEQUENCE { version [0]?, serialNumber, signature, issuer,
                                                         validity, subject Name, ... }, ... }     (RFC 5280)
    Name        ::= SEQUENCE OF SET OF SEQUENCE { type OBJECT IDENTIFIER, value ANY }
"""

from __future__ import annotations

from typing import Final

_SEQUENCE: Final = 0x30
_SET: Final = 0x31
_OBJECT_IDENTIFIER: Final = 0x06
_EXPLICIT_VERSION: Final = 0xA0  # [0] EXPLICIT, constructed (RFC 5280 section 4.1)

# How the string types of ASN.1 are decoded. TeletexString is Latin-1 in practice, whatever T.61 says.
_CODECS: Final = {
    12: "utf-8",  # UTF8String
    18: "ascii",  # NumericString
    19: "ascii",  # PrintableString
    20: "latin-1",  # TeletexString
    22: "ascii",  # IA5String
    26: "ascii",  # VisibleString
    28: "utf-32-be",  # UniversalString
    30: "utf-16-be",  # BMPString
}

# The names of RFC 4514 section 3, then further ones that are registered for LDAP (RFC 4519, RFC 4524).
_NAMES: Final = {
    "2.5.4.3": "CN",
    "2.5.4.7": "L",
    "2.5.4.8": "ST",
    "2.5.4.10": "O",
    "2.5.4.11": "OU",
    "2.5.4.6": "C",
    "2.5.4.9": "STREET",
    "0.9.2342.19200300.100.1.25": "DC",
    "0.9.2342.19200300.100.1.1": "UID",
    "2.5.4.4": "sn",
    "2.5.4.5": "serialNumber",
    "2.5.4.12": "title",
    "2.5.4.13": "description",
    "2.5.4.15": "businessCategory",
    "2.5.4.17": "postalCode",
    "2.5.4.41": "name",
    "2.5.4.42": "givenName",
    "2.5.4.43": "initials",
    "2.5.4.44": "generationQualifier",
    "2.5.4.46": "dnQualifier",
    "1.2.840.113549.1.9.1": "emailAddress",
}


def subject_of(certificate: bytes) -> str:
    """Return the subject of a DER certificate as RFC 4514 section 2 writes it; "" for an empty subject.

    Raises: ValueError when it is no such certificate.
    """
    body, _ = _read(certificate, 0, _SEQUENCE)
    fields, _ = _read(body, 0, _SEQUENCE)
    offset = 0
    if fields[:1] == bytes([_EXPLICIT_VERSION]):
        _, offset = _read(fields, offset)
    for _ in ("serialNumber", "signature", "issuer", "validity"):
        _, offset = _read(fields, offset)
    subject, _ = _read(fields, offset, _SEQUENCE)
    # RFC 4514 section 2.1: the output starts with the last element of the sequence.
    return ",".join(reversed([_relative_name(names) for names in _each(subject, _SET)]))


def _relative_name(names: bytes) -> str:
    """RFC 4514 section 2.2: the parts of a multi-valued name are joined by a plus sign."""
    return "+".join(_attribute(pair) for pair in _each(names, _SEQUENCE))


def _attribute(pair: bytes) -> str:
    identifier, offset = _read(pair, 0, _OBJECT_IDENTIFIER)
    value, _ = _read(pair, offset)
    oid = _dotted(identifier)
    name = _NAMES.get(oid)
    codec = _CODECS.get(pair[offset])
    # RFC 4514 section 2.4: without a name of its own, or without a string form, the value is given as the
    # hexadecimal of its BER encoding.
    if name is None or codec is None:
        return f"{name or oid}=#{pair[offset:].hex()}"
    try:
        return f"{name}={_escaped(value.decode(codec))}"
    except UnicodeDecodeError:
        return f"{name}=#{pair[offset:].hex()}"


def _escaped(value: str) -> str:
    """RFC 4514 section 2.4: what must be escaped, and controls too, so that the name stays on one line."""
    pieces = []
    last = len(value) - 1
    for position, char in enumerate(value):
        if char < " " or char == "\x7f":
            pieces.append(f"\\{ord(char):02X}")
        elif char in '"+,;<>\\' or (char == "#" and position == 0):
            pieces.append("\\" + char)
        elif char == " " and position in (0, last):
            pieces.append("\\ ")
        else:
            pieces.append(char)
    return "".join(pieces)


def _dotted(identifier: bytes) -> str:
    """Decode an object identifier (X.690 section 8.19)."""
    arcs: list[int] = []
    arc = 0
    for octet in identifier:
        arc = arc << 7 | octet & 0x7F
        if octet < 0x80:
            arcs.append(arc)
            arc = 0
    if not arcs or identifier[-1] >= 0x80:
        raise ValueError("an object identifier is cut short (X.690 section 8.19)")
    first = min(arcs[0] // 40, 2)
    return ".".join(str(arc) for arc in (first, arcs[0] - 40 * first, *arcs[1:]))


def _each(content: bytes, tag: int) -> list[bytes]:
    """Return the contents of the elements, all with this tag, that follow each other in `content`."""
    found = []
    offset = 0
    while offset < len(content):
        element, offset = _read(content, offset, tag)
        found.append(element)
    return found


def _read(data: bytes, offset: int, tag: int = -1) -> tuple[bytes, int]:
    """Return the content of the element at `offset`, and where the next one begins (X.690 section 8.1)."""
    if offset + 2 > len(data):
        raise ValueError("the certificate is cut short")
    if tag not in (-1, data[offset]):
        raise ValueError(f"tag {data[offset]:#04x} in place of {tag:#04x} (RFC 5280 section 4.1)")
    length = data[offset + 1]
    start = offset + 2
    if length >= 0x80:
        octets = length & 0x7F
        # DER has definite lengths only (X.690 section 10.1); four octets are far beyond any certificate.
        if not 1 <= octets <= 4:
            raise ValueError("the length is no definite length (X.690 section 10.1)")
        length = int.from_bytes(data[start : start + octets], "big")
        start += octets
    end = start + length
    if end > len(data):
        raise ValueError("the certificate is cut short")
    return data[start:end], end
