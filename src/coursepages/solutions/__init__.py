"""Exercises in clear, one file a notebook: question, answers, hints, and the worked solution."""

from __future__ import annotations

import re
from pathlib import Path

from surveychapter.yaml_files import parse_yaml
from switchcost.core.errors import DataError

from .. import sealing

HERE = Path(__file__).resolve().parent


def sections(number: str) -> dict[str, tuple[str, str]]:
    """The exercises of one notebook: name -> (YAML block, worked solution in Markdown)."""
    path = HERE / f"{number}.md"
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    found = {}
    for part in re.split(r"^## ", text, flags=re.M)[1:]:
        name, _, body = part.partition("\n")
        block = re.match(r"\s*```yaml\n(.*?)```\n?(.*)", body, re.S)
        if not block:
            raise DataError(f"{path.name}: '## {name.strip()}' is not followed by a block of yaml; see README.md")
        found[name.strip()] = (block[1], block[2].strip())
    return found


def plain() -> dict[str, list[sealing.Exercise]]:
    """Every exercise by notebook number."""
    return {
        path.stem: [
            sealing.exercise(name, parse_yaml(block, f"{path.name}, exercise {name}"))
            for name, (block, _) in sections(path.stem).items()
        ]
        for path in sorted(HERE.glob("[0-9][0-9].md"))
    }
