"""``python -m papercheck``: the scoreboard, or ``check-paper table.csv``, ``check-study folder``."""

import sys

from .paper import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
