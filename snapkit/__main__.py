"""``python -m snapkit`` is the command ``snapkit``."""

import sys

from snapkit.cli import main

if __name__ == "__main__":
    sys.exit(main())
