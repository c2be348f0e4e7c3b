"""Whatever text reaches a log, it stands there as one printable line of bounded length."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alsvid.observability.escape import (
    BLOCK_LIMIT,
    CUT_MARK,
    LINE_LIMIT,
    escape_block,
    escape_field,
    escape_json,
    escape_message,
)

ANY_TEXT = st.text(st.characters())
LIMITS = st.integers(len(CUT_MARK) + 12, 200)


@pytest.mark.parametrize("code", [*range(0x20), 0x22, 0x5C, *range(0x7F, 0x100)])
def test_each_hostile_octet_of_a_field_is_written_in_hexadecimal(code: int) -> None:
    """Controls, quote, backslash and octets above 0x7E are escaped as \\xNN, as nginx and httpd do."""
    assert escape_field(f"a{chr(code)}b") == f"a\\x{code:02x}b"


@pytest.mark.parametrize("code", [c for c in range(0x20, 0x7F) if chr(c) not in '"\\'])
def test_each_harmless_character_of_a_field_stays(code: int) -> None:
    """Printable ASCII stays readable."""
    assert escape_field(chr(code)) == chr(code)


@pytest.mark.parametrize(
    ("text", "escaped"),
    [("\u2028", "\\u2028"), ("\U0001f600", "\\U0001f600"), ("\udc80", "\\udc80"), ("\xe9", "\\xe9")],
)
def test_characters_beyond_octets_have_an_escape_of_their_own(text: str, escaped: str) -> None:
    """A code point above 0xFF can be told from octets."""
    assert escape_field(text) == escaped


@pytest.mark.parametrize("code", [*range(0x20), 0x22, 0x5C, 0x7F, 0x80, 0xFF, 0x2028, 0x1F600])
def test_json_text_parses_back_and_is_printable_ascii(code: int) -> None:
    """The JSON format writes correct JSON whatever the peer sent."""
    escaped = escape_json(chr(code))
    assert escaped.isascii()
    assert escaped.isprintable()
    assert json.loads(f'"{escaped}"') == chr(code)


@pytest.mark.parametrize("code", [*range(0x20), *range(0x7F, 0xA1), 0xAD, 0x2028, 0x2029, 0x202E, 0xDC80])
def test_a_message_never_holds_a_control_a_separator_or_a_change_of_direction(code: int) -> None:
    """One event is one line, and nothing steers the terminal that shows it."""
    escaped = escape_message(f"a{chr(code)}b")
    assert escaped.isprintable()
    assert escaped.startswith("a\\")


@pytest.mark.parametrize("text", ["déjà vu", "東京", "\U0001f600", 'a "quoted" \\ word'])
def test_a_message_keeps_what_people_write(text: str) -> None:
    """Printable Unicode, quotes and backslashes stay in the server's log."""
    assert escape_message(text) == text


@given(ANY_TEXT, LIMITS)
def test_a_field_is_always_clean_and_within_its_limit(text: str, limit: int) -> None:
    """Printable ASCII without quotes; cut visibly."""
    escaped = escape_field(text, limit)
    assert escaped.isascii()
    assert escaped == "" or escaped.isprintable()
    assert '"' not in escaped
    assert len(escaped) <= limit
    if len(text) > limit:
        assert escaped.endswith(CUT_MARK)


@given(ANY_TEXT, LIMITS)
def test_a_cut_json_text_is_still_json(text: str, limit: int) -> None:
    """An escape is never cut in two."""
    escaped = escape_json(text, limit)
    assert len(escaped) <= limit
    parsed = json.loads(f'"{escaped}"', strict=True)
    if not escaped.endswith(CUT_MARK):
        # json joins the two halves of a pair that the text held apart
        assert parsed.encode("utf-16", "surrogatepass") == text.encode("utf-16", "surrogatepass")


@given(ANY_TEXT, LIMITS)
def test_a_message_is_one_printable_line_within_its_octets(text: str, limit: int) -> None:
    """The limit counts octets as they are written."""
    escaped = escape_message(text, limit)
    assert escaped.isprintable()
    assert len(escaped.encode()) <= limit


@given(st.text(st.characters(), max_size=300), st.integers(20, 400))
def test_a_block_keeps_line_feeds_and_nothing_else_that_controls(text: str, limit: int) -> None:
    """A traceback goes out as lines."""
    escaped = escape_block(text, limit)
    assert all(line.isprintable() for line in escaped.split("\n"))
    assert len(escaped.encode()) <= limit


@pytest.mark.parametrize("escape", [escape_field, escape_json, escape_message])
@pytest.mark.parametrize("character", ["a", "\x00", "é", "\U0001f600", "\ud800"])
@pytest.mark.parametrize("length", [LINE_LIMIT - 1, LINE_LIMIT, LINE_LIMIT + 1, 50_000])
def test_a_text_too_long_is_cut_and_says_so(escape, character: str, length: int) -> None:
    """At most 8 KiB, with a visible mark."""
    escaped = escape(character * length)
    assert len(escaped.encode()) <= LINE_LIMIT
    if len(escaped) < length:
        assert escaped.endswith(CUT_MARK)


def test_a_block_of_a_megabyte_is_cut() -> None:
    """An exception that carries a body does not fill the log."""
    escaped = escape_block("line\n" * 200_000)
    assert len(escaped) <= BLOCK_LIMIT
    assert escaped.endswith(CUT_MARK)
