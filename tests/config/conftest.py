"""Every test here starts in an empty directory, without variables that settings are read from."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

_HONOURED = ("PORT", "WEB_CONCURRENCY", "FORWARDED_ALLOW_IPS", "LISTEN_FDS", "LISTEN_PID")


@pytest.fixture(autouse=True)
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    before = dict(os.environ)
    for name in before:
        if name.startswith("ALSVID_") or name in _HONOURED:
            del os.environ[name]
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    os.environ.clear()
    os.environ.update(before)
