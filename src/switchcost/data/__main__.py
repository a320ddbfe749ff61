"""``python -m switchcost.data register`` writes the registry of data files anew."""

import sys

from .._core.errors import OURS
from .registry import data_dir, register


def main(arguments: list[str]) -> int:
    """Run one command and return its exit code; what a user can mend is one sentence, not a traceback."""
    command, rest = (arguments[0], arguments[1:]) if arguments else ("register", [])
    try:
        if command == "register" and not rest:
            print(f"{len(register())} files written to {data_dir() / 'registry.csv'}")
            return 0
        sys.exit(f"There is no command {' '.join(arguments)!r}. There is: register.")
    except OURS as error:
        sys.exit(str(error))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
