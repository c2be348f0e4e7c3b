"""`python -m alsvid`: the command line."""

import sys

from alsvid.cli import main

if __name__ == "__main__":
    sys.exit(main())
