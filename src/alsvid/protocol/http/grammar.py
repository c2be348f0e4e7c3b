"""Character classes of HTTP as tables of 256 octets: TABLE[octet] is 1 when the octet is allowed.

A plain module on purpose: compiled modules point C arrays at these bytes objects, which must stay alive.
"""

from __future__ import annotations


def _table(allowed: bytes) -> bytes:
    return bytes(1 if octet in allowed else 0 for octet in range(256))


DIGIT = b"0123456789"
ALPHA = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

# RFC 9110 section 5.6.2: tchar
TCHAR = _table(b"!#$%&'*+-.^_`|~" + DIGIT + ALPHA)

# RFC 9110 section 5.5: field-vchar, SP, HTAB; obs-text (0x80-0xFF) passes in values only
FIELD_VALUE = _table(b"\t" + bytes(range(0x20, 0x7F)) + bytes(range(0x80, 0x100)))

# RFC 9112 section 3.2: what a request-target may consist of. Stricter than "anything but SP", laxer than
# RFC 3986: browsers send "|", "{", "^" and others unescaped. "#" starts a fragment, which is never sent.
TARGET = _table(bytes(c for c in range(0x21, 0x7F) if c != 0x23))

# RFC 3986 section 3.2.2: reg-name and IPv4address, but for "," and ";", at which lists of hosts are cut.
# RFC 9110 section 4.2.4 deprecates user information ("@").
HOST = _table(b"-._~%!$&'()*+=" + DIGIT + ALPHA)

# RFC 5234 appendix B.1: HEXDIG, in both cases; the octet's value, or 0xFF
HEX = bytes(int(chr(octet), 16) if octet in b"0123456789abcdefABCDEF" else 0xFF for octet in range(256))
