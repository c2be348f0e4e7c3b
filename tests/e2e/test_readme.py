"""What the README shows runs as it is shown."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import httpx
import pytest
from processes import ROOT, Start

TEXT = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_first_application_runs_as_it_is_shown(start: Start, tmp_path: Path) -> None:
    """The listing is a whole file of the name in its first line."""
    listing = re.search(r"```python\n(# main\.py\n.+?)```", TEXT, re.DOTALL)
    assert listing is not None
    (tmp_path / "main.py").write_text(listing[1])
    server = start("main:app", "--port", "0", cwd=tmp_path)
    assert httpx.get(server.url, trust_env=False).text == "Hello, World!"


@pytest.mark.parametrize("line", re.findall(r"^alsvid .+", TEXT, re.MULTILINE))
def test_every_command_line_is_a_good_configuration(start: Start, tmp_path: Path, line: str) -> None:
    """Each line that begins with the command passes --check-config."""
    (tmp_path / "main.py").write_text("async def app(scope, receive, send):\n    pass\n")
    server = start(*shlex.split(line)[1:], "--check-config", cwd=tmp_path)
    assert server.wait() == 0, server.transcript()


@pytest.mark.parametrize("target", sorted(set(re.findall(r"\]\(([^)#]+)\)", TEXT))))
def test_every_link_leads_to_a_file(target: str) -> None:
    """Links of the README are files of the checkout."""
    assert (ROOT / target).exists()
