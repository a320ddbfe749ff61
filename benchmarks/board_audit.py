"""Forty rows of the scoreboard by hand: each recomputed here from the printed tables or the answers, in plain lines.

The rows were drawn with numpy's generator, seed 20261126: two comparable numbers and one that is not comparable from
each study where it has them, and the rest of forty from all. Nothing of the board's own arithmetic is used: what is
read are the CSV files. Run: python benchmarks/board_audit.py; writes benchmarks/board_audit.csv.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.special import ndtr, ndtri
from scipy.stats import t as student

DATA = Path(__file__).resolve().parents[1] / "data"
Hand = tuple[float, float, float]  # value, and the lowest and highest that printed digits or simulation error allow


def cell(study: str, table: str, quantity: str, row: str) -> float:
    """A number of a table with one line a number."""
    lines = pd.read_csv(DATA / "published" / study / f"{table}.csv", dtype=str, keep_default_na=False)
    found = lines[(lines.quantity == quantity) & (lines.row == row)].iloc[0]
    text = found.printed.replace(",", "" if found.decimals == "0" else ".")
    return float(text.strip("*p< "))


def wide(study: str, table: str) -> pd.DataFrame:
    return pd.read_csv(DATA / "published" / study / f"{table}.csv")


def corners(function: Callable[..., float], *inputs: tuple[float, int]) -> Hand:
    """Value at the printed inputs (number, decimals) and its range over all ways in which they were rounded."""
    ends = [
        function(*(v + s * 0.5 * 10.0**-d for (v, d), s in zip(inputs, signs, strict=True)))
        for signs in itertools.product((-1, 1), repeat=len(inputs))
    ]
    return function(*(v for v, _ in inputs)), min(ends), max(ends)


def exactly(value: float) -> Hand:
    return value, value, value


# --- abbade2014 -------------------------------------------------------------------------------------------------------
def whole_sum(printed: float, n: int) -> Hand | None:
    """A mean of n whole answers printed with three decimals: None where some sum gives it, else the nearest mean."""
    if any(round(k / n, 3) == printed for k in range(n, 5 * n + 1)):
        return None
    return exactly(round(printed * n) / n)


def abbade_correlations() -> pd.DataFrame:
    r = wide("abbade2014", "latent_correlations").set_index("construct").astype(float)
    return r.fillna(r.T).where(~np.eye(len(r), dtype=bool), 1.0)


def abbade_implied(a: str, b: str) -> Hand:
    """Path tracing with the printed paths; the range from a thousand ways of rounding them."""
    paths, rng, values = wide("abbade2014", "paths"), np.random.default_rng(1), []
    for k in range(1001):
        beta = {(r["from"], r["to"]): r["path"] + (k > 0) * rng.uniform(-5e-4, 5e-4) for _, r in paths.iterrows()}
        order = ["CN", "CE", "SAT", "CTR", "LEAL"]
        r = {("CN", "CN"): 1.0}
        for i, y in enumerate(order[1:], start=1):
            for x in order[:i]:
                r[x, y] = r[y, x] = sum(v * r[s, x] for (s, t), v in beta.items() if t == y)
            r[y, y] = 1.0
        values.append(r[a, b])
    return values[0], min(values), max(values)


def abbade_ce_sat() -> Hand:
    r = abbade_correlations()
    pairs = (("CE", "SAT"), ("CN", "SAT"), ("CE", "CN"))
    return corners(lambda a, b, c: (a - b * c) / (1 - c**2), *((float(r.loc[p]), 3) for p in pairs))


# --- aydin2005, khan2012, kim2004, toledo2016, demidio2013 ------------------------------------------------------------
def aydin_f() -> Hand:
    def f(f2: float, t: float) -> float:
        r2 = 3 * f2 / (3 * f2 + 1658)
        after = (r2 + t**2 / 1657) / (1 + t**2 / 1657)
        return after / 4 / ((1 - after) / 1657)

    return corners(
        f,
        (cell("aydin2005", "table2", "F", "Model 2"), 2),
        (cell("aydin2005", "table2", "t-value", "Model 3.2: DSC*TR"), 3),
    )


def aydin_share() -> Hand:
    others = [cell("aydin2005", "text", f"share {k} (percent)", "operators") for k in (2, 3, 4)]
    return corners(lambda *x: 100 - sum(x), *((v, 1) for v in others))


def kim_t_of_p() -> Hand:
    lines = pd.read_csv(DATA / "published/kim2004/table6.csv", dtype=str)
    p = float(
        lines[(lines.row == "Interpersonal relationship -> switching barrier") & (lines.quantity == "Se")].printed.iloc[
            0
        ]
    )
    ends = [student.isf((p + s * 5e-4) / 2, df) for s in (-1, 1) for df in (279, 354)]
    return float(student.isf(p / 2, 302)), float(min(ends)), float(max(ends))


def kim_estimate(path: str) -> Hand:
    lines = pd.read_csv(DATA / "published/kim2004/figure1.csv", dtype=str)
    return exactly(float(lines[lines.row == path].printed.iloc[0].strip("*")))


def toledo(code: str) -> float:
    lines = pd.read_csv(DATA / "published/toledo2016/table4.csv", dtype=str)
    found = lines[lines.row.str.startswith(code) & (lines.quantity == "Original sample")]
    return float(found.printed.iloc[0].strip("*"))


def toledo_r2() -> Hand:
    table = pd.read_csv(DATA / "published/toledo2016/table3.csv", dtype=str)
    r = table[table.row.str.contains("6 Nostalgia|2 Attitude") & (table.quantity == "column 1 (correlation)")]
    r = {row[0]: float(v.strip("*")) for row, v in zip(r.row, r.printed, strict=True)}
    inputs = (toledo("H3b"), toledo("H3c"), r["6"], r["2"])
    return corners(lambda b, c, r1, r2: b * r1 + c * r2, *((v, 3) for v in inputs))


def toledo_sample_mean() -> Hand:
    """A mean of 100 bootstrap draws around the total effect: 99 % of them within 2.58 standard errors / 10."""
    total = toledo("H4a") + toledo("H4b") * toledo("H3c")
    reach = 2.576 * 0.093 / 10 + 0.0005 * (1 + 0.787 + 0.210)
    return total, total - reach, total + reach


# --- printed fit and loops --------------------------------------------------------------------------------------------
def mota_loop() -> Hand:
    """Ratio of the standard deviations of quality and value around two loops; what both allow, and its middle."""
    p = wide("mota2012", "paths").query("group == 'before'").set_index(["from", "to"])

    def ratio(*steps: tuple[str, str, int]) -> tuple[float, float]:
        """Range of a product of SD ratios beta / b, along paths taken forwards (1) or backwards (-1)."""
        low = high = 0.0
        for cause, outcome, way in steps:
            b, beta = abs(p.loc[(cause, outcome), "b"]), abs(p.loc[(cause, outcome), "beta"])
            ends = sorted(way * np.log((beta + s * 5e-4) / (b - s * 5e-4)) for s in (-1, 1))
            low, high = low + ends[0], high + ends[1]
        return low, high

    first = ratio(("Quality", "Satisfaction", 1), ("Value", "Satisfaction", -1))
    second = ratio(("Quality", "Satisfaction", 1), ("Image", "Satisfaction", -1), ("Image", "Value", 1))
    low, high = max(first[0], second[0]), min(first[1], second[1])
    return 0.101 * np.exp((low + high) / 2), 0.1005 * np.exp(low), 0.1015 * np.exp(high)


def moura_nfi() -> Hand:
    fit = json.loads((DATA / "published/moura2005/study.json").read_text())["fit"]
    chisq, df, cfi = float(fit["chisq"]), float(fit["df"]), float(fit["cfi"])

    def nfi(c: float, i: float) -> float:
        base = 120 + (c - df) / (1 - i)  # 16 items: 120 degrees of freedom without any relation
        return 1 - c / base

    return corners(nfi, (chisq, 3), (cfi, 3))


# --- answers ----------------------------------------------------------------------------------------------------------
def pls(
    x: np.ndarray, blocks: list[list[int]], edges: list[tuple[int, int]], formative: set[int], centroid: bool
) -> dict:
    """Partial least squares from standardised items: standardised paths by (cause, outcome)."""
    r = np.corrcoef(x.T)
    w = np.zeros((x.shape[1], len(blocks)))
    for j, b in enumerate(blocks):
        w[b, j] = 1
    for _ in range(500):
        w = w / np.sqrt(np.einsum("ij,ij->j", w, r @ w))
        c = w.T @ r @ w
        inner = np.zeros_like(c)
        for j in range(len(blocks)):
            before, after = [s for s, t in edges if t == j], [t for s, t in edges if s == j]
            if centroid:
                inner[before + after, j] = np.sign(c[before + after, j])
            else:
                inner[after, j] = c[after, j]
                if before:
                    inner[before, j] = np.linalg.solve(c[np.ix_(before, before)], c[before, j])
        proxy, new = r @ w @ inner, np.zeros_like(w)
        for j, b in enumerate(blocks):
            new[b, j] = np.linalg.solve(r[np.ix_(b, b)], proxy[b, j]) if j in formative else proxy[b, j]
        new = new / np.sqrt(np.einsum("ij,ij->j", new, r @ new))
        if np.abs(new - w).sum() < 1e-8:
            break
        w = new
    c = new.T @ r @ new
    out = {}
    for t in {t for _, t in edges}:
        s = [a for a, b in edges if b == t]
        for a, v in zip(s, np.linalg.solve(c[np.ix_(s, s)], c[s, t]), strict=True):
            out[a, t] = float(v)
    return out


def end_of_interval(draws: np.ndarray, tail: float, n_published: int) -> Hand:
    """A quantile, and where it falls in 99 % of bootstraps of the published size."""
    reach = 2.576 * np.sqrt(tail * (1 - tail) * (1 / n_published + 1 / len(draws)))
    low, value, high = np.quantile(draws, np.clip([tail - reach, tail, tail + reach], 0, 1))
    return float(value), float(low), float(high)


def corp_rep() -> pd.DataFrame:
    return pd.read_csv(next((DATA / "raw/corp_rep").glob("corp_rep*.csv"))).replace(-99, np.nan)


def filled(frame: pd.DataFrame, rows: np.ndarray) -> np.ndarray:
    part = frame.iloc[rows]
    return part.fillna(part.mean()).to_numpy(float)


def hair_htmt(draws: int = 1000) -> Hand:
    """HTMT of loyalty (three items) and satisfaction (one)."""
    frame, rng, out = corp_rep()[["cusl_1", "cusl_2", "cusl_3", "cusa"]], np.random.default_rng(2), []
    for _ in range(draws):
        r = np.abs(np.corrcoef(filled(frame, rng.integers(0, len(frame), len(frame))).T))
        out.append(r[:3, 3].mean() / np.sqrt(np.mean([r[0, 1], r[0, 2], r[1, 2]])))
    return end_of_interval(np.array(out), 0.05, 1000)


def hair_like_cusa(draws: int = 400) -> Hand:
    frame = corp_rep()
    stems = {"qual": 8, "perf": 5, "csor": 5, "attr": 3, "comp": 3, "like": 3}
    names = [[f"{s}_{i}" for i in range(1, k + 1)] for s, k in stems.items()] + [
        ["cusa"],
        [f"cusl_{i}" for i in (1, 2, 3)],
    ]
    flat = [i for b in names for i in b]
    blocks = [[flat.index(i) for i in b] for b in names]
    edges = [(d, y) for y in (4, 5) for d in range(4)] + [(4, 6), (5, 6), (4, 7), (5, 7), (6, 7)]
    rng, out = np.random.default_rng(3), []
    for _ in range(draws):
        x = filled(frame[flat], rng.integers(0, len(frame), len(frame)))
        out.append(pls(x, blocks, edges, {0, 1, 2, 3}, False)[5, 6])
    return end_of_interval(np.array(out), 0.975, 1000)


def ecsi_end(cause: int, outcome: int, tail: float, draws: int = 400) -> Hand:
    """BCa end of a path by the centroid scheme."""
    frame = pd.read_csv(next((DATA / "raw/mobi").glob("mobi*.csv")))
    blocks = {"IMAG": 5, "CUEX": 3, "PERQ": 7, "PERV": 2, "CUSA": 3, "CUSCO": 0, "CUSL": 3}
    names = [[f"{s}{i}" for i in range(1, k + 1)] or [s] for s, k in blocks.items()]
    flat = [i for b in names for i in b]
    at = [[flat.index(i) for i in b] for b in names]
    edges = [(0, 1), (1, 2), (1, 3), (2, 3), (0, 4), (1, 4), (2, 4), (3, 4), (4, 5), (0, 6), (4, 6), (5, 6)]
    x, rng = frame[flat].to_numpy(float), np.random.default_rng(4)
    est = pls(x, at, edges, set(), True)[cause, outcome]
    one = np.array([pls(np.delete(x, i, 0), at, edges, set(), True)[cause, outcome] for i in range(len(x))])
    boot = np.array(
        [pls(x[rng.integers(0, len(x), len(x))], at, edges, set(), True)[cause, outcome] for _ in range(draws)]
    )
    dev = one.mean() - one
    a, z0 = (dev**3).sum() / (6 * (dev**2).sum() ** 1.5), ndtri((boot < est).mean())
    z = z0 + ndtri(tail)
    return end_of_interval(boot, float(ndtr(z0 + z / (1 - a * z))), 500)


def electricity_se() -> Hand:
    """One step of the search from its printed start, scores of single choices by differences of log-probabilities."""
    data = pd.read_csv(next((DATA / "raw/electricity").glob("electricity*.csv*"))).sort_values(
        ["id", "chid"], kind="stable"
    )
    columns = ["pf", "cl", "loc", "wk", "tod", "seas"]
    x, chosen = data[columns].to_numpy(float).reshape(-1, 4, 6), data.choice.to_numpy(bool).reshape(-1, 4)
    who = np.unique(data.id.to_numpy().reshape(-1, 4)[:, 0], return_inverse=True)[1]

    def halton(base: int, n: int) -> np.ndarray:
        out = np.zeros(n)
        for i in range(n):
            k, f = i + 100, 1.0
            while k:
                f /= base
                out[i] += f * (k % base)
                k //= base
        return out

    u = np.stack([halton(b, 361 * 100) for b in (2, 3, 5, 7, 11)], -1).reshape(361, 100, 5)
    z = ndtri(u)
    z[..., 2] = 2 * u[..., 2] - 1  # wk is uniform

    def log_p(theta: np.ndarray) -> np.ndarray:
        beta = np.concatenate([np.full((361, 100, 1), theta[0]), theta[1:6] + theta[6:] * z], -1)[who]
        v = np.einsum("tak,tdk->tad", x, beta)
        v -= v.max(1, keepdims=True)
        return (v[chosen] - np.log(np.exp(v).sum(1))).reshape(len(x), -1)

    def scores(theta: np.ndarray) -> np.ndarray:
        total = np.zeros((361, 100))
        np.add.at(total, who, log_p(theta))
        weight = np.exp(total - total.max(1, keepdims=True))
        weight = (weight / weight.sum(1, keepdims=True))[who]
        steps = np.eye(11) * 1e-5
        return np.stack([(weight * (log_p(theta + e) - log_p(theta - e)) / 2e-5).sum(1) for e in steps], -1)

    meta = json.loads((DATA / "published/electricity_mlogit/study.json").read_text())
    theta = np.array(meta["start_values"]["wk_uniform"], float)
    g = scores(theta)
    theta = theta + np.linalg.solve(g.T @ g, g.sum(0))
    g = scores(theta)
    return exactly(float(np.sqrt(np.diag(np.linalg.inv(g.T @ g)))[7]))  # six means, then sd of cl and of loc


def electricity_p() -> Hand:
    est, se = (cell("electricity_mlogit", "correlated", q, "chol.loc:seas") for q in ("Estimate", "Std. Error"))
    return corners(lambda b, s: float(2 * ndtr(-abs(b / s))), (est, 6), (se, 6))


def loadings(study: str, construct: str) -> list[float]:
    return [float(v) for v in wide(study, "measurement").set_index("construct").loadings[construct].split()]


def ha_cr() -> Hand:
    lam = [(v, 3) for v in loadings("ha2023", "RelationalSC")]
    return corners(lambda *x: sum(x) ** 2 / (sum(x) ** 2 + sum(1 - v * v for v in x)), *lam)


def ha_ave() -> Hand:
    lam = [(v, 3) for v in loadings("ha2023", "ServiceQuality")]
    return corners(lambda *x: sum(v * v for v in x) / len(x), *lam)


def people() -> Hand:
    return exactly(float(pd.read_csv(next((DATA / "raw/electricity").glob("electricity*.csv*"))).id.nunique()))


NO = "not comparable"
# (study, model, quantity, row, column): (hand, basis, what was done or why nothing can be)
HANDS: dict[tuple[str, str, str, str, str], tuple[Callable[[], Hand | None] | None, str, str]] = {
    ("abbade2014", "", "mean", "CE", "Conf4"): (lambda: whole_sum(2.767, 262), "", "725 / 262 gives it; else needs answers"),
    ("abbade2014", "", "mean", "LEAL", "Comp22"): (lambda: whole_sum(3.581, 262), "assumed", "no whole sum of 262 answers"),
    ("abbade2014", "", "correlation", "LEAL", "SAT"): (lambda: abbade_implied("LEAL", "SAT"), "printed", "path tracing"),
    ("abbade2014", "", "path", "CE", "SAT"): (abbade_ce_sat, "printed", "two predictors, three correlations"),
    ("abbade2014", "", "t", "CN", "LEAL"): (lambda: corners(lambda b, s: b / s, (0.021, 3), (0.046, 3)), "printed", ".021 / .046, sign not printed"),
    ("aydin2005", "table1", "EFA loading", "CL5", ""): (None, "", "an item's loading needs the answers"),
    ("aydin2005", "table2", "f", "Model 3.2", ""): (aydin_f, "printed", "F of model 2 and t of the added product"),
    ("aydin2005", "text", "share 1 (percent)", "operators", ""): (aydin_share, "printed", "100 less the other three"),
    ("demidio2013", "table1", "Vivo SD", "Attributes", ""): (None, "", "an SD needs the scores; its limits are kept"),
    ("demidio2013", "table1", "Vivo SD", "Switching costs", ""): (None, "", "an SD needs the scores; its limits are kept"),
    ("demidio2013", "table1", "Vivo mean", "Perceived quality", ""): (None, "", "a mean needs the scores; it lies between the extremes"),
    ("demidio2013", "text", "women (percent)", "sample", ""): (lambda: corners(lambda m: 100 - m, (42, 0)), "printed", "100 less 42"),
    ("demidio2013", "text", "CV of brand value (percent)", "Vivo", ""): (
        lambda: corners(
            lambda s, m: 100 * s / m,
            (cell("demidio2013", "table1", "Vivo SD", "Brand value"), 2),
            (cell("demidio2013", "table1", "Vivo mean", "Brand value"), 2),
        ), "printed", "SD over mean"),
    ("ecsi_mobi", "centroid", "ci_lower", "Quality", "Satisfaction"): (lambda: ecsi_end(2, 4, 0.05), "answers", "own PLS and BCa"),
    ("ecsi_mobi", "centroid", "ci_upper", "Complaints", "Loyalty"): (lambda: ecsi_end(5, 6, 0.95), "answers", "own PLS and BCa"),
    ("electricity_mlogit", "correlated", "p", "chol.loc:seas", ""): (electricity_p, "answers", "2 P(Z > estimate / SE), from the printed two"),
    ("electricity_mlogit", "text", "people", "data", ""): (people, "answers", "counted in the file"),
    ("electricity_mlogit", "wk_uniform", "se", "sd.loc", ""): (electricity_se, "answers", "own simulated likelihood"),
    ("ha2023", "", "rho_A", "Loyalty", ""): (None, "", "five items: loadings do not give their correlations"),
    ("ha2023", "", "cr", "RelationalSC", ""): (ha_cr, "printed", "from two loadings"),
    ("ha2023", "", "ave", "ServiceQuality", ""): (ha_ave, "printed", "mean of six squares"),
    ("hair2021_corp_rep", "simple", "htmt ci_lower", "CUSL", "CUSA"): (hair_htmt, "answers", "own HTMT, 1000 resamples"),
    ("hair2021_corp_rep", "extended", "path ci_upper", "LIKE", "CUSA"): (hair_like_cusa, "answers", "own PLS, 400 resamples"),
    ("khan2012", "table1", "column 1 (correlation)", "Retention", ""): (None, "", "an input of Table 3; two betas alone do not return it"),
    ("khan2012", "text", "Mobilink n", "operators", ""): (lambda: exactly(83 - 10 - 35 - 21 - 8), "printed", "83 less the other four"),
    ("khan2012", "text", "total", "items", ""): (lambda: exactly(7 + 7 + 8 + 5), "printed", "the four parts"),
    ("kim2004", "table4", "mean, age 40 over", "Pricing structure", ""): (None, "", "no whole mean and no group sizes are printed"),
    ("kim2004", "table4", "SD, age 20-29", "Customer satisfaction", ""): (None, "", "no group sizes are printed"),
    ("kim2004", "table6", "estimate", "Customer support", "customer satisfaction"): (lambda: kim_estimate("Customer support -> customer satisfaction"), "printed", "printed twice"),
    ("kim2004", "table6", "t", "Interpersonal relationship", "switching barrier"): (kim_t_of_p, "assumed", "from p, 279 to 354 df"),
    ("kim2004", "table6", "estimate", "Customer satisfaction", "customer loyalty"): (lambda: kim_estimate("Customer satisfaction -> customer loyalty"), "printed", "printed twice"),
    ("mota2012", "after", "se", "Value", "Satisfaction"): (None, "", "b, SE and t are one identity, judged at t"),
    ("mota2012", "before", "beta", "Quality", "Value"): (mota_loop, "printed", "two loops, over satisfaction and over image"),
    ("mota2012", "before", "t", "Image", "Satisfaction"): (lambda: corners(lambda b, s: b / s, (0.542, 3), (0.042, 3)), "printed", ".542 / .042"),
    ("moura2005", "", "nfi", "", ""): (moura_nfi, "assumed", "from CFI and a baseline of 120 df"),
    ("moura2005", "", "chisq_df", "", ""): (lambda: corners(lambda c: c / 98, (266.276, 3)), "printed", "266.276 / 98"),
    ("moura2005", "", "beta", "Value", "Satisfaction"): (None, "", "one of several causes: an input of R2"),
    ("toledo2016", "figure2", "r2", "Attitude prevailing brand", ""): (toledo_r2, "printed", "sum of path x correlation"),
    ("toledo2016", "table4", "Sample mean of 100", "H4a Attitude extinct brand => Loyalty", ""): (toledo_sample_mean, "assumed", "total effect and its simulation error"),
    ("toledo2016", "text", "df", "t", ""): (None, "", "100 resamples less one: says which critical values are meant"),
}  # fmt: skip


def verdict_by_hand(printed: str, decimals: int, basis: str, hand: Hand | None) -> str:
    """The board's six words, from a value and a range."""
    if hand is None:
        return NO
    value, low, high = hand
    target, half = float(printed.replace(",", ".")), 0.5 * 10.0**-decimals + 1e-12
    if abs(value - target) <= half:
        return "exact"
    if low - half <= target <= high + half:
        return "within interval" if basis == "answers" else "within rounding"
    return "different" if basis == "answers" else "inconsistent"


def audit(board: pd.DataFrame, hands: dict = HANDS) -> pd.DataFrame:
    """Board and hand side by side."""
    by = board.set_index(["study", "model", "quantity", "row", "column"])
    rows = []
    for key, (function, basis, done) in hands.items():
        row, hand = by.loc[key], function() if function else None
        mine = verdict_by_hand(row.printed, row.decimals, basis, hand)
        # A simulated end may round to the printed digits in one run and not in another: both say the same.
        same = row.verdict == mine or {row.verdict, mine} == {"exact", "within interval"}
        value, low, high = (f"{v:.5g}" for v in hand) if hand else ("", "", "")
        rows.append((*key, row.printed, f"{row.reproduced:.5g}" if hand else "", row.verdict, row.basis, value, low, high, mine,
                     basis, same and row.basis == basis, done))  # fmt: skip
    columns = (
        "study model quantity row column printed board verdict basis hand low high hand_verdict hand_basis agrees done"
    )
    return pd.DataFrame(rows, columns=columns.split())


if __name__ == "__main__":
    import switchcost as sc

    table = audit(sc.scoreboard().table)
    table.to_csv(Path(__file__).with_suffix(".csv"), index=False, lineterminator="\n")
    print(table.drop(columns=["model", "done"]).to_string(max_colwidth=28))
    print(f"{int(table.agrees.sum())} of {len(table)} agree")
