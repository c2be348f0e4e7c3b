"""The settings of HTTP semantics that every version shares (RFC 9110).

Owns their declaration and what makes a `--header` valid; knows nothing of versions, files or command lines.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from alsvid.options import option
from alsvid.protocol.http.grammar import FIELD_VALUE, TCHAR

# Fields that frame a message or belong to one connection; a fixed value on every answer would break it.
_FRAMING_FIELDS = frozenset(
    {b"connection", b"content-length", b"keep-alive", b"te", b"trailer", b"transfer-encoding", b"upgrade"}
)


def parse_header(value: Any) -> tuple[bytes, bytes]:
    """Return (lower-case name, value) of "NAME:VALUE" or of a pair of str or bytes.

    Raises: ValueError when the name is no token, the value holds controls, or the field frames messages.
    """
    if isinstance(value, str):
        first, colon, second = value.partition(":")
        if not colon:
            raise ValueError("NAME:VALUE, for example X-Frame-Options:DENY")
        name, content = _octets(first), _octets(second)
    elif isinstance(value, (list, tuple)) and len(value) == 2:
        name, content = _octets(value[0]), _octets(value[1])
    else:
        raise ValueError("NAME:VALUE, or a pair of name and value")
    content = content.strip(b" \t")
    if not name or not all(TCHAR[octet] for octet in name):
        raise ValueError("NAME:VALUE, the name made of letters, digits and !#$%&'*+-.^_`|~ alone")
    if not all(FIELD_VALUE[octet] for octet in content):
        raise ValueError("NAME:VALUE, the value without control characters")
    if name.lower() in _FRAMING_FIELDS:
        raise ValueError(f"NAME:VALUE with another name; the server itself sets {name.decode()}")
    return name.lower(), content


def _octets(part: Any) -> bytes:
    if isinstance(part, bytes):
        return part
    try:
        return str.encode(part, "latin-1")
    except (TypeError, UnicodeEncodeError) as error:
        raise ValueError("NAME:VALUE, or a pair of name and value, in ISO 8859-1") from error


@dataclass(slots=True, kw_only=True)
class HttpSettings:
    """What holds for requests and answers of every HTTP version."""

    limit_request_body: int = option(
        0,
        "--limit-request-body",
        doc="Largest content of a request; a larger one is answered 413, unread if its length is declared.",
        unit="octets",
        minimum=0,
        zero_is_off=True,
        danger="Without a limit the application decides alone how much it takes in.",
    )
    headers: tuple[tuple[bytes, bytes], ...] = option(
        (),
        "--header",
        doc="Field to add to every answer; repeatable.",
        metavar="NAME:VALUE",
        multiple=True,
        separator="\n",
        parse=parse_header,
    )
    server_header: bool = option(
        False,
        "--server-header",
        doc="Send `server: alsvid` with every answer.",
        danger="Tells the world which software answers.",
    )
    date_header: bool = option(
        True,
        "--date-header",
        doc="Send `date` with every answer.",
        danger="Without it caches cannot compute the age of an answer (RFC 9110 section 6.6.1).",
    )
