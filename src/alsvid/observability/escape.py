r"""Makes any text safe to stand in one line of a log. Owns what is escaped and where a text is cut.

What reaches a log may come from a hostile client: a line feed forges a second line, ESC steers the
terminal of whoever reads it, a quote ends a field early. Here is the thorough way; the access log first
tests in one fast pass whether a text is clean and comes here only when it is not.

    escape_field    a field of the access log: all but printable ASCII, and the quote and the backslash
    escape_json     the inside of a JSON string, ASCII only
    escape_message  a line of the server's log: printable Unicode stays, quotes and backslashes too
    escape_block    the same for text of several lines (tracebacks)

Octets are passed as Latin-1 text, so that octet 0xE9 reads \xe9. A text that is cut ends in CUT_MARK.
"""

from __future__ import annotations

import json
from collections.abc import Callable

# Octets of one line with its line feed, the escapes counted. Most log shippers split or refuse lines
# beyond 8-16 KiB (syslog daemons: 8 KiB).
LINE_LIMIT = 8192
# Octets of one event with a traceback: deep stacks fit, an exception that carries a body does not.
BLOCK_LIMIT = 65536
CUT_MARK = "[cut]"


def _hex(code: int) -> str:
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def _json_unit(character: str) -> str:
    # json.dumps with its default of ASCII only leaves DEL alone, which is a control character.
    return "\\u007f" if character == "\x7f" else json.dumps(character)[1:-1]


def _field_unit(character: str) -> str:
    if " " <= character <= "~" and character not in '"\\':
        return character
    return _hex(ord(character))


def _message_unit(character: str) -> str:
    # isprintable() is False for controls, surrogates, separators other than the space, and the
    # characters that change the direction of writing.
    return character if character.isprintable() else _hex(ord(character))


class _Table(dict[int, str]):
    """What str.translate() asks: code point -> text. Octets are ready, the rest is made and not kept."""

    def __init__(self, unit: Callable[[str], str]) -> None:
        super().__init__((code, unit(chr(code))) for code in range(256))
        self._unit = unit

    def __missing__(self, code: int) -> str:
        return self._unit(chr(code))


_FIELD_TABLE = _Table(_field_unit)
_JSON_TABLE = _Table(_json_unit)
_MESSAGE_TABLE = _Table(_message_unit)


def _escape(text: str, limit: int, table: _Table) -> str:
    """Escape `text` by `table`; cut it between two of its characters where it exceeds `limit` octets."""
    head = text[:limit]
    escaped = head.translate(table)
    if len(text) <= limit and len(escaped.encode()) <= limit:
        return escaped
    kept: list[str] = []
    room = limit - len(CUT_MARK)
    for character in head:
        unit = table[ord(character)]
        room -= len(unit.encode())
        if room < 0:
            break
        kept.append(unit)
    return "".join(kept) + CUT_MARK


def escape_field(text: str, limit: int = LINE_LIMIT) -> str:
    """Return `text` as printable ASCII without quotes and lone backslashes, at most `limit` octets."""
    return _escape(text, limit, _FIELD_TABLE)


def escape_json(text: str, limit: int = LINE_LIMIT) -> str:
    """Return `text` as the inside of a JSON string, printable ASCII, at most `limit` octets."""
    return _escape(text, limit, _JSON_TABLE)


def escape_message(text: str, limit: int = LINE_LIMIT - 1) -> str:
    """Return `text` as one printable line, at most `limit` octets in UTF-8."""
    if len(text) <= limit // 4 and text.isprintable():
        return text
    return _escape(text, limit, _MESSAGE_TABLE)


def escape_block(text: str, limit: int = BLOCK_LIMIT) -> str:
    """Return `text` with its line feeds kept and each line made printable, at most `limit` octets."""
    lines: list[str] = []
    room = limit - len(CUT_MARK) - 1
    for line in text[:limit].split("\n"):
        # A tab is what source lines in tracebacks are indented with.
        safe = escape_message(line.replace("\t", "    "))
        room -= len(safe.encode()) + 1
        if room < 0:
            lines.append(CUT_MARK)
            break
        lines.append(safe)
    return "\n".join(lines)
