"""`python -m bench.duel` and `python bench/duel` are the same command."""

import sys
from pathlib import Path

if not __package__:
    # The folder itself leaves the path: its modules are not top-level ones.
    sys.path[0] = str(Path(__file__).resolve().parents[2])

from bench.duel.cli import main

if __name__ == "__main__":
    sys.exit(main())
