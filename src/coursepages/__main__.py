"""``python -m coursepages check 05 11``: what ``python run.py`` calls inside the environment."""

from __future__ import annotations

import argparse
import os
import sys

from switchcost.core.errors import OURS

from . import checks, copies, pages, running


def main(arguments: list[str] | None = None) -> int:
    """Run one of the commands; the exit code is 0 when all went well."""
    parser = argparse.ArgumentParser(prog="python -m coursepages", description=__doc__)
    parser.add_argument("command", choices=("check", "refresh", "readme", "copies", "seal"))
    parser.add_argument("chosen", nargs="*", help="numbers of notebooks, e.g. 05 11; all when left out")
    parser.add_argument("--jobs", type=int, default=min(os.cpu_count() or 1, 4), help="notebooks at the same time")
    options = parser.parse_args(arguments)
    try:
        chosen = pages.paths(options.chosen)
        if options.command == "seal":
            print(
                "\n".join(f"{p.name} sealed anew" for p in checks.write_sealed())
                or "every exercise is sealed as written"
            )
            return 0
        if options.command == "readme":
            return pages.readme()
        if options.command in ("check", "refresh"):
            return {"check": running.check, "refresh": running.refresh}[options.command](chosen, options.jobs)
        return copies.write_copies(chosen)
    except OURS as error:
        print(error, file=sys.stderr)
        return 2
    except OSError as error:  # a folder that may not be written, a disk that is full
        print(f"{error.strerror}: {error.filename}. Make it writable or make room, and run it again.", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
