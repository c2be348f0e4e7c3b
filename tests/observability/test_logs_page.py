"""docs/logs.md tells what the code does."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from alsvid.observability.access_atoms import JSON_KEYS
from alsvid.observability.log_events import EVENTS

PAGE = (Path(__file__).parents[2] / "docs" / "logs.md").read_text()


@pytest.mark.parametrize("event", EVENTS)
def test_every_event_stands_on_the_page_with_level_and_fields(event: str) -> None:
    """The table of the page is the table of the code."""
    line = EVENTS[event]
    fields = ", ".join(f"`{field}`" for field in line.fields) or "none"
    assert f"| `{event}` | {logging.getLevelName(line.level).lower()} | {fields} |" in PAGE


@pytest.mark.parametrize("key", [key for key, _, _ in JSON_KEYS])
def test_every_key_of_the_json_format_stands_on_the_page(key: str) -> None:
    """A shipper is configured from it."""
    assert f"`{key}`" in PAGE


@pytest.mark.parametrize("atom", "hlutrmUqHsBbfaTMDLpX")
def test_every_atom_stands_on_the_page(atom: str) -> None:
    """A format is written from it."""
    assert f"`%({atom})s`" in PAGE
