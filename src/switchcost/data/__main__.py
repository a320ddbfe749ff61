"""Command: ``python -m switchcost.data register`` writes the checksums of the data anew."""

import sys

from ..core.errors import OURS
from .registry import data_dir, register

if __name__ == "__main__":
    if sys.argv[1:] not in ([], ["register"]):
        sys.exit("There is one command here: register. The codebook of a survey file: python run.py codebook FILE")
    try:
        print(f"{len(register())} files written to {data_dir() / 'registry.csv'}")
    except OURS as error:
        sys.exit(str(error))
