"""YAML files that people write: read, or refused in one sentence that says what to change in which line."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from switchcost.core.errors import DataError


def read_yaml(path: Path, what: str) -> Any:
    """The content of a YAML file, called ``what`` in a sentence; a :class:`DataError` says what is wrong in which line."""
    if not path.is_file():
        raise DataError(f"there is no file {str(path)!r}")
    try:
        return parse_yaml(path.read_bytes().decode("utf-8-sig"), what)
    except UnicodeDecodeError:
        raise DataError(f"{what} is not UTF-8 text; save it again as UTF-8") from None


def parse_yaml(text: str, what: str) -> Any:
    """The content of a YAML text; see :func:`read_yaml`."""
    try:
        import yaml
    except ImportError:
        raise DataError(f"{what}: YAML files need pyyaml: pip install 'switchcost[report]'") from None
    text = re.sub(
        r"(?m)^([ \t]*(?:-[ \t]+)?\w+)[ \t]*：[ \t]*", r"\1: ", text
    )  # as a Chinese keyboard writes a key's colon
    lines = text.splitlines()
    tab = next((k for k, line in enumerate(lines, 1) if "\t" in line[: len(line) - len(line.lstrip())]), None)
    if tab is not None:
        raise DataError(f"{what}, line {tab}: the line begins with a tab; indent it with blanks")
    try:
        loader = yaml.SafeLoader(text)
        tree = loader.get_single_node()
        content = None if tree is None else loader.construct_document(tree)
    except yaml.MarkedYAMLError as problem:
        mark = problem.problem_mark or problem.context_mark
        number = min(mark.line, len(lines) - 1) if mark else 0
        line = lines[number].strip() if lines else ""
        raise DataError(f"{what}, line {number + 1}: {_mend(str(problem.problem), line)}") from None
    except yaml.YAMLError as problem:
        raise DataError(f"{what} cannot be read: {' '.join(str(problem).split())}") from None
    for node in _mappings(tree, yaml):
        keys = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
        if twice := sorted({k for k in keys if keys.count(k) > 1}):
            raise DataError(f"{what} has the key {twice[0]!r} twice; only one of them would count, so keep one")
    return content


def _mappings(node: Any, yaml: Any) -> list[Any]:
    if isinstance(node, yaml.MappingNode):
        return [node, *(m for pair in node.value for part in pair for m in _mappings(part, yaml))]
    return [m for part in node.value for m in _mappings(part, yaml)] if isinstance(node, yaml.SequenceNode) else []


def _mend(problem: str, line: str) -> str:
    """What is wrong with a line, in the words of somebody who has not read YAML's grammar."""
    start, _, value = line.lstrip("- ").partition(": ")
    if "mapping values are not allowed" in problem and value:
        return f"a text with ': ' in it needs quotes: {start}: \"{value}\""
    if "quoted scalar" in problem or "unexpected end of stream" in problem or "document separator" in problem:
        return f"a quotation mark is opened and not closed in or before {line!r}"
    if "flow" in problem or "expected ',' or" in problem or "'<stream end>'" in problem:
        return f"a bracket is opened and not closed in or before {line!r}"
    if "could not find expected ':'" in problem:
        return f"{line!r} or the line before it has no ': ' after its key"
    if "block" in problem:
        return f"{line!r} stands too far left or right, or a quoted text goes on behind its closing mark; lines of one list or block begin in one column"
    if "cannot start any token" in problem:
        return f"{line!r} begins with a sign that means something in YAML; put the text in quotes"
    return f"{line!r} cannot be read ({problem}); a text with signs in it needs quotes"
