"""The generated options page and the README's table."""

from __future__ import annotations

from pathlib import Path

import pytest

from alsvid.config.catalogue import DECLARED
from alsvid.config.page import END_MARK, START_MARK, main, options_page, readme_table, with_table

ROOT = Path(__file__).parents[2]


def test_the_options_page_is_current() -> None:
    """Requirement: it is made from the declarations. Mend: python -m alsvid.config.page docs/options.md"""
    assert (ROOT / "docs/options.md").read_text(encoding="utf-8") == options_page()


def test_the_table_of_the_readme_is_current() -> None:
    """Requirement: as the page. Mend: python -m alsvid.config.page README.md"""
    readme = ROOT / "README.md"
    if readme.exists() and START_MARK in readme.read_text(encoding="utf-8"):
        text = readme.read_text(encoding="utf-8")
        assert with_table(text) == text


@pytest.mark.parametrize("name", DECLARED)
def test_every_flag_is_on_the_page(name: str) -> None:
    """Requirement: every spelling and every danger can be looked up."""
    page = options_page()
    for flag in DECLARED[name].option.flags:
        assert f"`{flag}" in page


def test_every_row_of_a_table_has_its_columns() -> None:
    """Requirement: no text of a declaration breaks the table."""
    rows = [line for line in options_page().splitlines() if line.startswith("|")]
    rows += [line for line in readme_table().splitlines() if line.startswith("|")]
    assert {line.replace("\\|", "").count("|") for line in rows} <= {3, 4}


def test_the_table_replaces_what_is_between_the_marks(directory: Path) -> None:
    """Requirement: the rest of the README stays as it is."""
    path = directory / "README.md"
    path.write_text(f"before\n{START_MARK}\nold\n{END_MARK}\nafter\n")
    assert main([str(path)]) == 0
    assert path.read_text() == f"before\n{START_MARK}\n{readme_table()}{END_MARK}\nafter\n"


@pytest.mark.parametrize("text", ["", START_MARK, f"{END_MARK}\n{START_MARK}"])
def test_a_readme_without_marks_is_refused(text: str) -> None:
    """Requirement: nothing is overwritten by accident."""
    with pytest.raises(ValueError, match="expected"):
        with_table(text)


def test_the_page_is_written_where_it_is_wanted(directory: Path) -> None:
    """Requirement: one command makes the page."""
    path = directory / "options.md"
    assert main([str(path)]) == 0
    assert path.read_text(encoding="utf-8") == options_page()
    assert main([]) == 2
