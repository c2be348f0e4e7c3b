"""The command line `alsvid`, generated from the declared settings."""

from __future__ import annotations

from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command with `arguments`, by default those of the process; return its exit status."""
    from alsvid.cli.command import run

    return run(arguments)
