"""How much is "agrees" worth: change each printed number, and see whether the board notices.

``python -m papercheck.mutation`` writes ``benchmarks/board_mutations.csv`` anew.
"""

from __future__ import annotations

import sys

import numpy as np
import pandas as pd

from switchcost.core.errors import OURS

from .audits import path_of, shares
from .board import judge_all, replicate, reproductions
from .reading import folders, numbers_of_tables, read_study
from .studies import FROM_ANSWERS

UNITS = 3
_KEY = ["table", "model", "quantity", "row", "column"]


def mutate(study: str) -> pd.DataFrame:
    """Change each printed number of a study in turn by three units of its last digit.

    Parameters
    ----------
    study : name of a folder in ``data/published``

    Returns
    -------
    DataFrame
        One row a number: ``study table model quantity row column printed changed basis noticed why``. ``basis`` is
        that of its row on the board; ``input`` for a number that cannot be recomputed and enters others; empty for one
        that takes part in nothing. ``noticed``: a row that was not so before is now ``inconsistent`` or ``different``,
        or the number was called so already. ``why`` explains what was not noticed.
    """
    tables, meta = read_study(study)
    table = numbers_of_tables(tables, study)
    before = replicate(study)
    bad = _flags(before)
    fixed = reproductions(study, table, meta) if study in FROM_ANSWERS else None
    rows = []
    for i, r in enumerate(table.itertuples()):
        changed = table.copy()
        changed.attrs = table.attrs
        step = UNITS * 10.0 ** -int(r.decimals)
        value = r.published + (step if abs(r.published) != 1 else -step)
        text = f"{'<' if '<' in r.printed else ''}{value:.{int(r.decimals)}f}"
        for column, new in (("printed", text), ("published", value)):
            changed[column] = [new if k == i else v for k, v in enumerate(changed[column])]
        try:
            after = judge_all(study, changed, meta, fixed or reproductions(study, changed, meta))
        except OURS as error:  # a table that is no longer one, such as a correlation above 1
            rows.append((i, text, before.basis[i] or "input", True, f"no longer a possible table: {error}"))
            continue
        now = _flags(after)
        noticed = bool((now & ~bad).any() or bad[i])
        moved = ~np.isclose(after.reproduced, before.reproduced, rtol=1e-12, atol=0, equal_nan=True)
        moved |= (after.reason != before.reason).to_numpy()
        moved[i] = False
        basis = before.basis[i] or ("input" if moved.any() else "")
        rows.append((i, text, basis, noticed, "" if noticed or not basis else _why(after, i, basis, moved)))
    out = table[[*_KEY, "printed"]].reset_index(drop=True)
    found = pd.DataFrame(rows, columns=["i", "changed", "basis", "noticed", "why"]).set_index("i")
    out.insert(0, "study", study)
    return out.join(found)


def _flags(board: pd.DataFrame) -> np.ndarray:
    return board.verdict.isin(["inconsistent", "different"]).to_numpy()


def _why(after: pd.DataFrame, i: int, basis: str, moved: np.ndarray) -> str:
    verdict, row = after.verdict[i], after.iloc[i]
    if "<" in row.printed:
        return "printed as a bound, and the changed bound still holds"
    if verdict == "within interval":
        return "its simulation error is wider than the change"
    if verdict == "not comparable":
        if basis != "input":
            return f"the identity can no longer be formed: {row.reason}"
        judged = moved & (after.verdict != "not comparable").to_numpy()
        first = after.iloc[int(np.flatnonzero(judged if judged.any() else moved)[0])]
        where = " ".join(filter(None, (first.quantity, first.row, first.column)))
        if judged.any():
            return f"enters {where}, which moves by less than rounding of its inputs allows"
        return f"enters only a limit or a remark on {where}, which cannot be computed and stays possible"
    if verdict == "within rounding":
        return f"rounding of its inputs allows it: recomputed {row.reproduced:.5g}"
    if basis == "assumed":
        return f"what is not printed is fitted anew: recomputed {row.reproduced:.5g}"
    return f"still {verdict}: recomputed {row.reproduced:.5g}"


def main() -> int:
    parts = []
    for study in folders():
        parts.append(mutate(study))
        print(f"{study}: {len(parts[-1])} numbers", file=sys.stderr, flush=True)
    table = pd.concat(parts, ignore_index=True)
    table.to_csv(path_of("board_mutations"), index=False, lineterminator="\n")
    print(shares(table).to_string())
    return 0


if __name__ == "__main__":
    sys.exit(main())
