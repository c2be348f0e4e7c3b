"""The grammar of the file that --env-file names."""

from __future__ import annotations

import pytest

from alsvid.config.env_file import parse_env_file

LINES: list[tuple[str, dict[str, str]]] = [
    ("", {}),
    ("\n\n  \n", {}),
    ("# only a comment", {}),
    ("  # indented comment\nA=1", {"A": "1"}),
    ("A=1", {"A": "1"}),
    ("A=1\n", {"A": "1"}),
    ("A=1\r\nB=2\r\n", {"A": "1", "B": "2"}),
    ("\ufeffA=1", {"A": "1"}),
    ("A=", {"A": ""}),
    ("A=\nB=2", {"A": "", "B": "2"}),
    ("  A = 1  ", {"A": "1"}),
    ("A=1 2", {"A": "1 2"}),
    ("export A=1", {"A": "1"}),
    ("export\tA=1", {"A": "1"}),
    ("export=1", {"export": "1"}),
    ("A=1 # comment", {"A": "1"}),
    ("A=1\t# comment", {"A": "1"}),
    ("A=a#b", {"A": "a#b"}),
    ("A=#fff", {"A": "#fff"}),
    ("A= # comment", {"A": ""}),
    ("A='x y'", {"A": "x y"}),
    ("A='x # y' # z", {"A": "x # y"}),
    ("A='\\n$B'", {"A": "\\n$B"}),
    ("A=''", {"A": ""}),
    ('A=""', {"A": ""}),
    ('A="x\\ny"', {"A": "x\ny"}),
    ('A="\\t\\r\\\\\\"\\$"', {"A": '\t\r\\"$'}),
    ('A="\\d"', {"A": "\\d"}),
    ('A="one\ntwo"\nB=3', {"A": "one\ntwo", "B": "3"}),
    ("A='one\ntwo'\nB=3", {"A": "one\ntwo", "B": "3"}),
    ("A=it's", {"A": "it's"}),
    ("A=$HOME/${B}", {"A": "$HOME/${B}"}),
    ("A=b=c==", {"A": "b=c=="}),
    ("A=1\nA=2", {"A": "2"}),
    ("A.B=1", {"A.B": "1"}),
    ("A=é", {"A": "é"}),
    ("ALSVID_PORT=9000 ", {"ALSVID_PORT": "9000"}),
]


@pytest.mark.parametrize(("text", "variables"), LINES)
def test_lines_are_read_as_the_page_says(text: str, variables: dict[str, str]) -> None:
    """Requirement: KEY=VALUE lines, quotes, comments and export."""
    assert parse_env_file(text) == (variables, [])


WRONG: list[tuple[str, dict[str, str], list[int]]] = [
    ("A", {}, [1]),
    ("1A=1", {}, [1]),
    ("A B=1", {}, [1]),
    ("=1", {}, [1]),
    ("A='x", {}, [1]),
    ('A="x', {}, [1]),
    ("A='x' y", {}, [1]),
    ('A="x"y', {}, [1]),
    ("A=\0", {}, [1]),
    ("A=1\nB\nC=3\n-\n", {"A": "1", "C": "3"}, [2, 4]),
    ('A="one\ntwo"\nB', {"A": "one\ntwo"}, [3]),
]


@pytest.mark.parametrize(("text", "variables", "lines"), WRONG)
def test_what_is_no_assignment_is_told_by_line(
    text: str, variables: dict[str, str], lines: list[int]
) -> None:
    """Requirement: every wrong line is reported with its number; the others are still read."""
    found, problems = parse_env_file(text)
    assert found == variables
    assert [problem.partition(":")[0] for problem in problems] == [f"line {line}" for line in lines]
