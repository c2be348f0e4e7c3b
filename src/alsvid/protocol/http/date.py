"""The Date field (RFC 9110 section 5.6.7, IMF-fixdate), from seconds given by the caller."""

from __future__ import annotations

import email.utils


def imf_fixdate(unix_s: float) -> bytes:
    """Return e.g. b"Sun, 06 Nov 1994 08:49:37 GMT"."""
    return email.utils.formatdate(unix_s, usegmt=True).encode("ascii")
