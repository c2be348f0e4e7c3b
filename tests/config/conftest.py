"""Every test here starts in an empty directory, without variables that settings are read from."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from alsvid.config.catalogue import DECLARED

HONOURED = {"PORT", "WEB_CONCURRENCY", "ALSVID_CONFIG"}.union(
    *(declared.environment_names for declared in DECLARED.values())
)


@pytest.fixture(autouse=True)
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    before = dict(os.environ)
    for name in HONOURED:
        os.environ.pop(name, None)
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    os.environ.clear()
    os.environ.update(before)
