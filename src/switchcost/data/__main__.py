"""Commands: ``python -m switchcost.data register`` and ``python -m switchcost.data codebook answers.sav [--out FILE]``."""

import sys
import warnings
from pathlib import Path

from .._core.errors import OURS, SurveyNote
from .codebook import codebook
from .guess import missing_parts, write_skeleton
from .registry import data_dir, register


def main(arguments: list[str]) -> int:
    """Run one command and return its exit code; what a user can mend is one sentence, not a traceback."""
    command, rest = (arguments[0], arguments[1:]) if arguments else ("register", [])
    try:
        if command == "register" and not rest:
            print(f"{len(register())} files written to {data_dir() / 'registry.csv'}")
            return 0
        if command == "codebook" and (len(rest) == 1 or (len(rest) == 3 and rest[1] == "--out")):
            with warnings.catch_warnings(record=True) as notes:
                warnings.simplefilter("always", SurveyNote)
                written = write_skeleton(Path(rest[0]), rest[2] if len(rest) == 3 else None)
            for note in notes:
                print(f"{note.message}.")
            print(f"The codebook to begin with is {written}. Its column 'guessed' says what to look at.")
            for part in missing_parts(codebook(written)):
                print(f"Still to fill in: {part}")
            return 0
    except OURS as error:
        sys.exit(str(error))
    sys.exit("There are two commands: register; codebook FILE [--out FILE].")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
