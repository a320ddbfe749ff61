"""The sections of a results chapter: each calls the package and puts what comes back into words."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from . import _checks, power
from ._cells import NOT_ITEMS
from ._chapter_words import REFERENCES, counted, interval, joined, p_text, printed, r_text
from ._document import Section, draw
from .audit import audit
from .latent_interaction import latent_interaction
from .moderation import moderate
from .reliability import reliability
from .sem import fit, invariance
from .tables import table
from .validity import fornell_larcker, htmt

NOT_IN_FILE = (
    "who was asked and how they were found, the dates, the response rate",
    "consent, ethics approval and data protection",
    "where each item comes from and how it was translated",
)


@dataclass
class Work:
    """What the sections share while the chapter is written."""

    raw: pd.DataFrame
    book: pd.DataFrame
    spec: dict
    seed: int
    n_boot: int
    scales: dict = field(default_factory=dict)
    columns: list = field(default_factory=list)
    sections: list = field(default_factory=list)
    alarms: list = field(default_factory=list)
    checks: list = field(default_factory=list)
    results: dict = field(default_factory=dict)
    limits: list = field(default_factory=list)
    cited: list = field(default_factory=list)
    counts: dict = field(default_factory=lambda: {"Table": 0, "Figure": 0})

    def open(self, heading: str) -> Section:
        self.sections.append(Section(heading))
        return self.sections[-1]

    def say(self, *sentences: str) -> None:
        text = " ".join(s for s in sentences if s)
        self.sections[-1].parts.append(text[:1].upper() + text[1:])

    def tick(self, what: str, reported: str = "yes", where: str | None = None) -> None:
        self.checks.append((what, reported, self.sections[-1].heading if where is None else where))

    def table(self, data: pd.DataFrame, title: str, note: str = "", decimals=2) -> None:
        self.counts["Table"] += 1
        self.sections[-1].parts.append(table(data, f"Table {self.counts['Table']}. {title}", note, decimals))

    def figure(self, plot, caption: str, alt: str) -> None:
        self.counts["Figure"] += 1
        self.sections[-1].parts.append(draw(plot, f"Figure {self.counts['Figure']}. {caption}", alt))

    def cite(self, *keys: str) -> None:
        self.cited += [k for k in keys if k not in self.cited]

    @property
    def measurement(self) -> str:
        return "\n".join(f"{s} =~ {' + '.join(items)}" for s, items in self.scales.items())

    @property
    def items(self) -> list[str]:
        return [i for items in self.scales.values() for i in items]


def named(spec: dict) -> list[str]:
    return [n for n in [spec["outcome"], *spec["predictors"], spec["moderator"], *spec["covariates"]] if n]


# -------------------------------------------------------------------------------------------------------- sections
def sample(work: Work) -> pd.DataFrame:
    """Audit the raw answers, leave out what the plan says, describe who is left."""
    work.open("Participants and exclusions")
    found = work.results["audit"] = audit(work.raw, work.book)
    serious = found[found["severity"] == "serious"]
    out, why = pd.Index([]), []
    for prefix in work.spec["exclude"]:
        names = [c for c in found["check"].unique() if c.startswith(prefix)]
        rows = (
            pd.Index([])
            if not names
            else pd.Index(np.concatenate([found.rows_of(c) for c in names])).unique()
        )
        why.append(f"{counted(len(rows.difference(out)), 'row')} flagged as {prefix}")
        out = out.union(rows)
    used = work.raw.drop(index=out)
    work.results["excluded"] = out
    flagged = [
        c for c in found["check"].unique() if c.startswith(("duplicated", "careless", "near duplicates"))
    ]
    rows = pd.Index(np.concatenate([found.rows_of(c) for c in flagged])).unique() if flagged else pd.Index([])
    work.results["flagged"] = rows
    work.say(
        f"The file held {counted(len(work.raw), 'row')}.",
        f"By the exclusion rule, {joined(why)} were excluded; this left n = {len(used)}." if why else
        f"No row was excluded (n = {len(used)}).",
        f"The checks flagged {counted(len(rows.difference(out)), 'further row')} as repeated or carelessly answered, which stay in; "
        "the main result without them stands under Robustness." if len(rows.difference(out)) else "",
    )  # fmt: skip
    known = set(found["check"])
    for prefix in work.spec["exclude"]:
        if not any(c.startswith(prefix) for c in known):
            work.say(f"The exclusion rule '{prefix}' met no row.")
    background = [
        v
        for v in work.book.loc[work.book["construct"].str.lower().isin(NOT_ITEMS - {"key", "id"}), "variable"]
    ]
    people = []
    for name in dict.fromkeys([*background, work.spec["group"]]):
        if name is None:
            continue
        col = used[name].dropna()
        if pd.api.types.is_numeric_dtype(col) and col.nunique() > 8:
            people.append(
                (
                    name,
                    f"M = {col.mean():.1f}, SD = {col.std():.1f}, {col.min():g} to {col.max():g}",
                    len(col),
                )
            )
        else:
            people += [
                (f"{name}: {k}", f"{100 * v / len(col):.1f}%", int(v)) for k, v in col.value_counts().items()
            ][:8]
    if people:
        work.table(
            pd.DataFrame(people, columns=["characteristic", "value", "n"]),
            "Participants",
            "Missing answers are left out of each line.",
        )
    else:
        work.limits.append(
            "The file says nothing about who the respondents are, so nobody can judge whom the results are about."
        )
    work.tick("Sample size and exclusions, with reasons")

    work.open("Data quality")
    work.say(
        "Before any model the raw answers were checked for answers out of range, undeclared missing codes, columns that are functions "
        "of others, repeated rows and careless answering (Meade & Craig, 2012).",
        f"There {'was' if len(serious) == 1 else 'were'} {counted(len(serious), 'serious finding')} and {counted(int((found['severity'] == 'warning').sum()), 'warning')}."
        if len(found) else "Nothing was found.",
    )  # fmt: skip
    if len(found):
        short = found[["severity", "check", "rows", "detail"]].copy()
        short["detail"] = [re.split(r" \(|\. Rows ", d)[0][:160] for d in short["detail"]]
        work.table(
            pd.DataFrame(short).reset_index(drop=True),
            "Findings of the checks of the raw answers",
            "Rows are counted from 0; add 2 for the line of the file.",
        )
    for check, detail in zip(serious["check"], serious["detail"], strict=True):
        handled = any(check.startswith(p) for p in work.spec["exclude"])
        work.alarms.append(
            f"Serious finding in the data, {check}: {detail}."
            + (" These rows were excluded by rule." if handled else "")
        )
    work.cite("meade")
    work.tick("Audit of the raw answers")
    return used


def missing(work: Work, used: pd.DataFrame) -> pd.DataFrame:
    """Turn reverse items round, empty impossible cells, and say how gaps are handled."""
    work.open("Missing answers")
    book = work.book.set_index("variable")
    keyed, impossible, turned = used.copy(), {}, []
    for item in [*work.items, *work.columns]:
        low, high = (book[c].get(item, np.nan) for c in ("low", "high"))
        if pd.notna(low) and pd.notna(high):
            keyed[item] = _checks.numeric(used, [item], codes="allow")[item]
            bad = (keyed[item] < low) | (keyed[item] > high)
            if bad.any():
                impossible[item] = int(bad.sum())
                keyed.loc[bad, item] = np.nan
        if bool(book["reverse"].get(item, False)):
            if pd.isna(low) or pd.isna(high):
                raise ValueError(
                    f"item {item!r} is marked reverse, but the codebook gives no low and high to turn it round"
                )
            keyed[item] = low + high - keyed[item]
            turned.append(item)
    if impossible:
        text = f"{counted(sum(impossible.values()), 'answer')} outside the codebook's range ({joined([f'{k}: {v}' for k, v in impossible.items()])}) {'was' if sum(impossible.values()) == 1 else 'were'} treated as missing. Find out where they come from."
        work.alarms.append(text)
        work.say(text)
    work.say(
        f"Reverse-worded items were turned round (low + high - answer): {joined(turned)}."
        if turned
        else "No item was marked as reverse-worded."
    )
    gaps, complete = keyed[work.items].isna(), int(keyed[work.items].notna().all(axis=1).sum())
    share = float(gaps.to_numpy().mean())
    work.results["complete"] = complete
    if share == 0:
        work.say("No answer to an item was missing.")
    else:
        worst = gaps.mean().idxmax()
        drivers = work.results["audit"].query("check == 'missingness depends on another column'")["columns"]
        work.say(
            f"Of the answers to the {len(work.items)} items, {100 * share:.1f}% were missing (most for {worst}, {100 * gaps[worst].mean():.1f}%); {complete} of {len(keyed)} respondents answered all of them.",
            "A scale was scored only for respondents who answered all its items, and regressions use complete rows. Factor and structural models use all answers given, by full information maximum likelihood.",
            f"Gaps depended on {joined(sorted({c.split(', ')[-1] for c in drivers}))}, so those who answered everything are not a random part of the sample." if len(drivers) else
            "No dependence of gaps on other columns was detected, which does not prove that gaps were random.",
        )  # fmt: skip
        if complete < 0.9 * len(keyed):
            work.limits.append(
                f"Only {100 * complete / len(keyed):.0f}% of the respondents answered all items; analyses of complete rows describe them."
            )
    work.tick("Missing answers and how they were handled")
    return keyed


def scale_scores(work: Work, keyed: pd.DataFrame, least: float = 1.0) -> pd.DataFrame:
    """Means of items for those who answered at least the share ``least`` of them, and the columns of the model."""
    scores = {
        s: keyed[i].mean(axis=1).where(keyed[i].notna().mean(axis=1) >= least) for s, i in work.scales.items()
    }
    return pd.DataFrame(scores).join(keyed[[c for c in work.columns if c not in scores]])


def descriptives(work: Work, scores: pd.DataFrame) -> None:
    work.open("Descriptive statistics and correlations")
    numbers = scores[[n for n in named(work.spec) if pd.api.types.is_numeric_dtype(scores[n])]]
    r, kept = numbers.corr(), numbers.dropna()
    body = pd.DataFrame(
        {"n": numbers.count(), "M": numbers.mean(), "SD": numbers.std(), "skew": numbers.skew()}
    )
    for j, name in enumerate(numbers, start=1):
        body[str(j)] = [r_text(r.loc[row, name]) if i > j else "" for i, row in enumerate(numbers, start=1)]
    body.index = [f"{i}. {name}" for i, name in enumerate(numbers, start=1)]
    body.index.name = "variable"
    limit = 1.96 / np.sqrt(len(kept) - 1)
    work.table(
        body,
        "Means, standard deviations and correlations",
        f"Scales are means of their items. Pairwise complete; at n = {len(kept)}, |r| above about {r_text(limit)} has p < .05.",
    )
    y, x = work.spec["outcome"], work.spec["predictors"][0]
    if y in r and x in r:
        half = 1.96 / np.sqrt(max(numbers[[x, y]].dropna().shape[0] - 3, 1))
        z = np.arctanh(r.loc[x, y])
        work.say(
            f"{x} and {y} correlated {r_text(r.loc[x, y])}, {interval(np.tanh(z - half), np.tanh(z + half), r_text)}."
        )
    skewed = [n for n in work.scales if abs(body["skew"].iloc[list(numbers).index(n)]) > 1]
    if skewed:
        work.say(f"Answers to {joined(skewed)} were clearly skewed (beyond 1 in absolute value).")
    work.tick("Descriptive statistics and correlations")


def scale_reliability(work: Work, keyed: pd.DataFrame) -> None:
    work.open("Reliability")
    found = work.results["reliability"] = reliability(keyed, work.scales, work.n_boot, work.seed)
    work.say(
        "Reliability was estimated as coefficient omega of a one-factor model, with alpha beside it.",
        f"Intervals are from {work.n_boot:,} bootstrap samples for omega and from Feldt's formula for alpha.",
    )
    work.say(
        "; ".join(
            f"{s}: omega = {r_text(v.omega)}, {interval(v.omega_ci_lower, v.omega_ci_upper, r_text)}, {counted(int(v.n_items), 'item')}"
            for s, v in found.iterrows()
        )
        + "."
    )
    shown = pd.DataFrame({"items": found["n_items"], "n": found["n"]}, index=found.index)
    for name in ("omega", "alpha"):
        shown[name] = [r_text(v) for v in found[name]]
        shown[f"95% CI of {name}"] = [
            f"[{r_text(a)}, {r_text(b)}]"
            for a, b in zip(found[f"{name}_ci_lower"], found[f"{name}_ci_upper"], strict=True)
        ]
    shown["mean r"] = [r_text(v) for v in found["mean_r"]]
    work.table(
        shown,
        "Reliability of the scales",
        "n: respondents who answered all items of the scale. mean r: mean correlation between items.",
    )
    for scale, row in found.iterrows():
        if not row.omega >= 0.70:
            value = (
                "could not be estimated"
                if np.isnan(row.omega)
                else f"is low: omega = {r_text(row.omega)}, {interval(row.omega_ci_lower, row.omega_ci_upper, r_text)}"
            )
            work.alarms.append(
                f"Reliability of {scale} {value}. Effects of this scale are understated, and items should not be dropped until it looks better."
            )
            if not np.isnan(row.omega):
                work.limits.append(
                    f"The scale {scale} is unreliable (omega = {r_text(row.omega)}): its relations with others are blurred."
                )
        if row.note and not row.note.startswith("two items: equal"):
            turned = (
                " If the file already holds turned items, set reverse to 0 in the codebook."
                if "runs against" in row.note
                else ""
            )
            work.alarms.append(f"Scale {scale}: {row.note}.{turned}")
    work.cite("omega", "feldt")
    work.tick("Reliability with intervals")


def _fit_words(m: pd.Series) -> str:
    return (f"chi-square({m.df:.0f}) = {m.chisq_scaled:.1f}, {p_text(m.pvalue_scaled)}, CFI = {r_text(m.cfi_robust, 3)}, "
            f"TLI = {r_text(m.tli_robust, 3)}, RMSEA = {r_text(m.rmsea_robust, 3)} (90% CI [{r_text(m.rmsea_ci_lower_robust, 3)}, {r_text(m.rmsea_ci_upper_robust, 3)}]), SRMR = {r_text(m.srmr, 3)}")  # fmt: skip


def _poor(m: pd.Series) -> list[str]:
    """The fit indices that miss the usual limits."""
    limits = (
        ("CFI", m.cfi_robust, m.cfi_robust < 0.90),
        ("RMSEA", m.rmsea_robust, m.rmsea_robust > 0.08),
        ("SRMR", m.srmr, m.srmr > 0.10),
    )
    return [f"{name} = {r_text(value, 3)}" for name, value, bad in limits if bad]


def _fitted(work: Work, model: str, keyed: pd.DataFrame, what: str, **options):
    """Fit, and turn every failure into an alarm; None when there is nothing to report."""
    try:
        f = fit(model, keyed, **options)
    except ValueError as problem:
        work.alarms.append(f"{what} could not be estimated: {problem}")
        return None
    work.alarms += [f"{what}: {w}." for w in f.warnings if "dropped" not in w]
    return f if f.converged else None


def _sem_options(keyed: pd.DataFrame, names: Sequence[str]) -> dict:
    return {"estimator": "MLR", "missing": "fiml" if keyed[list(names)].isna().any().any() else "listwise"}


def factors(work: Work, keyed: pd.DataFrame):
    work.open("Confirmatory factor analysis")
    cfa = work.results["cfa"] = _fitted(
        work, work.measurement, keyed, "The confirmatory factor analysis", **_sem_options(keyed, work.items)
    )
    if cfa is None:
        work.say(
            "The model with one factor a scale has no usable solution. Nothing below that rests on it can be reported."
        )
        work.limits.append(
            "The confirmatory factor analysis failed, so the structure of the scales is an assumption."
        )
        work.tick("Factor analysis: fit and loadings", "no", "the model has no usable solution")
        return None
    m, e = cfa.measures, cfa.estimates
    load = e[e["op"] == "=~"]
    full = cfa.options.get("missing") == "fiml"
    work.say(
        f"A model with {counted(len(work.scales), 'factor')} and {len(work.items)} items was fitted by robust maximum likelihood{' with full information' if full else ''} (n = {cfa.n_total}).",
        f"Fit: {_fit_words(m)}.",
        f"Standardised loadings ran from {r_text(load.std_all.min())} ({load.rhs[load.std_all.idxmin()]}) to {r_text(load.std_all.max())} ({load.rhs[load.std_all.idxmax()]}).",
    )  # fmt: skip
    spread = pd.DataFrame(
        {"factor": load.lhs, "item": load.rhs, "estimate": load.est, "se": load.se, "loading": load.std_all}
    )
    work.table(
        spread.reset_index(drop=True),
        "Loadings of the confirmatory factor analysis",
        "estimate: unstandardised, first item of each factor fixed at 1; loading: standardised.",
    )
    poor = _poor(m)
    if poor:
        work.alarms.append(
            f"The measurement model fits poorly ({joined(poor)}). Look at residuals before you read any path."
        )
        work.limits.append(
            f"The measurement model does not describe the answers well ({joined(poor)}); results that rest on it are provisional."
        )
    elif m.pvalue_scaled < 0.05:
        work.say(
            "Exact fit is rejected; the indices lie within the limits in common use (Hu & Bentler, 1999), which are conventions."
        )
    weak = load[load.std_all.abs() < 0.5]
    if len(weak):
        text = f"Weak loadings (below .50): {joined([f'{i} ({r_text(v)})' for i, v in zip(weak.rhs, weak.std_all, strict=True)])}."
        work.alarms.append(text + " They stay in; dropping them after seeing the data would have to be said.")
        work.say(text)
    if cfa.n_total < 3 * cfa.npar:
        work.alarms.append(
            f"The factor model estimates {cfa.npar} parameters from {cfa.n_total} respondents; fit and loadings rest on very little."
        )
        work.limits.append(
            f"The sample (n = {cfa.n_total}) is small for a measurement model with {cfa.npar} parameters."
        )
    work.cite("mlr", "fit")
    work.tick("Factor analysis: fit and loadings")
    return cfa


def validity(work: Work, keyed: pd.DataFrame, cfa) -> None:
    work.open("Convergent and discriminant validity")
    if cfa is not None:
        try:
            own = work.results["fornell_larcker"] = fornell_larcker(cfa)
            low = own.summary[own.summary["ave"] < 0.5]
            work.say("Average variance extracted: " + ", ".join(f"{s} {r_text(v)}" for s, v in own.ave.items()) + ".",
                     f"Below .50, so that error makes up more than half of an average item: {joined(list(low.index))}." if len(low) else "All are at least .50.")  # fmt: skip
        except ValueError as problem:
            work.alarms.append(f"Average variance extracted could not be computed: {problem}")
    if len(work.scales) < 2:
        work.say("With one scale there is nothing to discriminate.")
        work.tick("Validity: AVE and HTMT", "not applicable", "one scale")
        return
    ratio = work.results["htmt"] = htmt(keyed, work.scales, n_boot=work.n_boot, seed=work.seed).pairs
    rows = ratio[["scale_1", "scale_2", "htmt", "ci_lower", "ci_upper"]].copy()
    if "fornell_larcker" in work.results:
        rows.insert(2, "factor_r", work.results["fornell_larcker"].pairs["correlation"].to_numpy())
    work.table(
        printed(rows, 2, r_text).reset_index(drop=True),
        "Are the scales distinct? Factor correlations and HTMT",
        f"HTMT: heterotrait-monotrait ratio, percentile intervals of {work.n_boot:,} bootstrap samples, rows with all items answered.",
    )
    bad = rows[(rows["htmt"] > 0.85) | (rows["ci_upper"] >= 1)]
    top = rows.loc[rows["htmt"].idxmax()]
    work.say(f"The largest HTMT is {r_text(top.htmt)}, {interval(top.ci_lower, top.ci_upper, r_text)}, between {top.scale_1} and {top.scale_2}.",
             "No pair comes near the usual limit of .85 (Henseler et al., 2015)." if top.ci_upper < 0.85 else "")  # fmt: skip
    for _, pair in bad.iterrows():
        work.alarms.append(
            f"{pair.scale_1} and {pair.scale_2} are hardly distinct: HTMT = {r_text(pair.htmt)}, {interval(pair.ci_lower, pair.ci_upper, r_text)}."
        )
        work.limits.append(
            f"{pair.scale_1} and {pair.scale_2} may be one thing; separate effects of the two cannot be told apart with confidence."
        )
    work.cite("ave", "htmt")
    work.tick("Validity: AVE and HTMT")


def groups(work: Work, keyed: pd.DataFrame) -> None:
    group = work.spec["group"]
    if group is None:
        work.tick("Measurement invariance across groups", "not applicable", "no group named")
        return
    work.open(f"Measurement invariance across {group}")
    sizes = keyed[group].value_counts()
    try:
        steps = work.results["invariance"] = invariance(
            work.measurement, keyed, group, **_sem_options(keyed, work.items)
        )
    except ValueError as problem:
        work.alarms.append(f"Measurement invariance across {group} could not be tested: {problem}")
        work.tick("Measurement invariance across groups", "no", "the models could not be estimated")
        return
    for level, f in steps.fits.items():
        work.alarms += [f"Invariance, {level} model: {w}." for w in f.warnings if "dropped" not in w]
    names = {"metric": "equal loadings", "scalar": "equal intercepts", "strict": "equal residual variances"}
    failed = [level for level in names if steps.loc[level, "delta_cfi"] < -0.010]
    work.say(f"The measurement model was fitted in {joined([f'{k} (n = {v})' for k, v in sizes.items()])} with growing equality.",
             f"CFI changed by {', '.join(f'{d:+.3f} for {v}' for d, v in zip(steps.loc[list(names), 'delta_cfi'], names.values(), strict=True))}.",
             f"By Chen's (2007) limit of -.010, the step to {names[failed[0]]} does not hold." if failed else "No step loses more than .010 in CFI (Chen, 2007).")  # fmt: skip
    shown = printed(
        steps[["chisq", "df", "cfi", "rmsea", "srmr", "delta_chisq", "delta_df", "delta_pvalue", "delta_cfi"]]
    )
    shown = shown.rename(columns=lambda c: c.replace("delta_", "change in "))
    shown["df"] = shown["df"].astype(int)
    work.table(
        shown,
        f"Invariance across {group}",
        "Robust maximum likelihood; changes against the row above, chi-square differences scaled.",
        {
            "chisq": 1,
            "change in chisq": 1,
            "change in df": 0,
            **dict.fromkeys(["cfi", "rmsea", "srmr", "change in cfi"], 3),
        },
    )
    if failed:
        worst = steps.score_tests.query("level == @failed[0]")
        names_of = [
            f"the loading of {r.rhs}"
            if r.op == "=~"
            else f"the intercept of {r.lhs}"
            if r.op == "~1"
            else f"the residual variance of {r.lhs}"
            for r in worst.head(2).itertuples()
        ]
        consequence = (
            "means of the groups must not be compared"
            if failed[0] != "metric"
            else "neither relations nor means of the groups can be compared"
        )
        work.say(f"The equalities that cost most: {joined(names_of)}.")
        work.alarms.append(f"Measurement differs across {group} ({names[failed[0]]} fails): {consequence}.")
        work.limits.append(f"The scales do not measure alike across {group}: {consequence}.")
    if sizes.min() < 100:
        work.limits.append(
            f"The smallest group of {group} has {sizes.min()} respondents; differences in measurement can have been missed."
        )
    work.cite("chen")
    work.tick("Measurement invariance across groups")


def moderation(work: Work, scores: pd.DataFrame):
    spec = work.spec
    y, x, m = spec["outcome"], spec["predictors"][0], spec["moderator"]
    work.open("Test of the hypothesis")
    main = work.results["regression"] = moderate(
        scores,
        y=y,
        x=x,
        moderator=m,
        covariates=[*spec["predictors"][1:], *spec["covariates"]],
        cov_type="HC3",
    )
    c, steps, beta = main.coefficients.loc[main.product], main.steps, main.standardized[main.product]
    held = f", with {joined(main.covariates)} held constant" if main.covariates else ""
    work.say(
        f"{y} was regressed on {x}, {m} and their product{held}, with HC3 standard errors; {x} and {m} were centred (n = {main.n_used}; {counted(main.n_dropped, 'row')} left out for missing values).",
        f"The model explained {100 * main.r2:.1f}% of the variance, of which the product added {100 * steps.delta_r2.iloc[-1]:.1f}%.",
        f"The product was b = {c.est:.3f}, {interval(c.ci_lower, c.ci_upper, lambda v: f'{v:.3f}')}, {p_text(c.pvalue)}, {beta:.3f} in standard deviations.",
        f"One more point of {m} goes with a slope of {x} that is {abs(c.est):.2f} {'lower' if c.est < 0 else 'higher'}." if c.pvalue < 0.05 else
        f"The interval includes zero: these data do not show that {m} changes the effect of {x}, and they do not show that it does not. Effects between {c.ci_lower:.3f} and {c.ci_upper:.3f} remain possible.",
    )  # fmt: skip
    work.table(
        printed(main.coefficients[["est", "se", "ci_lower", "ci_upper", "t", "pvalue"]]),
        f"Regression of {y}",
        "Unstandardised; HC3 standard errors; a main effect holds at the mean of the other variable.",
        3,
    )
    slopes = main.simple_slopes()
    work.say(
        "Simple slopes: "
        + "; ".join(
            f"at {s['at']} ({s[m]:.2f}) b = {s.est:.2f}, {interval(s.ci_lower, s.ci_upper)}"
            for _, s in slopes.iterrows()
        )
        + "."
    )
    work.table(
        printed(slopes[["at", m, "est", "se", "ci_lower", "ci_upper"]], 2).reset_index(drop=True),
        f"Slopes of {x} at values of {m}",
        "SD: standard deviation of the moderator.",
    )
    jn = main.johnson_neyman()
    work.say("Johnson-Neyman: the slope is " + "; ".join(
        f"{r.slope.replace('not told', 'not to be told')} between {r.lower:.2f} and {r.upper:.2f} of {m} ({counted(r.n, 'respondent')}, {100 * r.share:.0f}%)" for r in jn.regions.itertuples()) + ".")  # fmt: skip
    work.figure(main.plot, f"{y[:1].upper() + y[1:]} and {x} at three values of {m} (n = {main.n_used}).",
                f"Scatter of {y} on {x} with three lines: " + ", ".join(f"slope {s.est:.2f} at {m} {s[m]:.2f}" for _, s in slopes.iterrows()) + f"; n = {main.n_used}.")  # fmt: skip
    work.figure(main.plot_johnson_neyman, f"Slope of {x} along {m}, with its 95% band.",
                f"Line of the slope of {x} on {y} along {m} from {jn.observed[0]:g} to {jn.observed[1]:g} with its band; bounds at " + (", ".join(f"{b:.2f}" for b in jn.inside) or "no observed value") + ".")  # fmt: skip
    work.cite("aiken", "hc3", "jn")
    work.tick("Moderated regression: product, slopes, Johnson-Neyman")
    rel = work.results["reliability"]["omega"].reindex([x, m, y]).fillna(1.0).clip(0.05, 1.0)
    r_true = float(np.clip(scores[[x, m]].corr().iloc[0, 1] / np.sqrt(rel[x] * rel[m]), -0.95, 0.95))
    smallest = power.detectable(main.n_used, r_xm=r_true, r2_main=float(min(0.9, main.r2 / (np.sqrt(rel[x] * rel[m]) * rel[y]))), n_predictors=len(main.coefficients) - 1,
                                reliability_x=rel[x], reliability_m=rel[m], reliability_y=rel[y])  # fmt: skip
    if np.isfinite(smallest):
        work.limits.append(
            f"With n = {main.n_used} and these reliabilities, a product would have to be about {smallest:.2f} in standard deviations of the constructs to be found four times in five; smaller ones will mostly be missed, and those found will look too large."
        )
    return main


def robustness(work: Work, keyed: pd.DataFrame, scores: pd.DataFrame, main) -> None:
    spec = work.spec
    y, x, m = spec["outcome"], spec["predictors"][0], spec["moderator"]
    work.open("Robustness")
    kwargs = {"y": y, "x": x, "moderator": m, "covariates": [*spec["predictors"][1:], *spec["covariates"]]}
    runs = {"as reported": main}
    stay = work.results["flagged"].intersection(scores.index)
    variants = {
        "classical standard errors": (scores, {}),
        "with squares of both": (scores, {"cov_type": "HC3", "quadratic": True}),
        "without covariates": (scores, {"cov_type": "HC3", "covariates": ()})
        if kwargs["covariates"]
        else None,
        "half of the items answered is enough": (scale_scores(work, keyed, 0.5), {"cov_type": "HC3"})
        if keyed[work.items].isna().any().any()
        else None,
        "without flagged rows": (scores.drop(index=stay), {"cov_type": "HC3"}) if len(stay) else None,
    }
    for name, variant in variants.items():
        if variant is not None:
            runs[name] = moderate(variant[0], **{**kwargs, **variant[1]})
    table_ = pd.DataFrame(
        {k: r.coefficients.loc[r.product, ["est", "ci_lower", "ci_upper", "pvalue"]] for k, r in runs.items()}
    ).T
    table_["standardised"], table_["n"] = (
        [r.standardized[r.product] for r in runs.values()],
        [r.n_used for r in runs.values()],
    )
    latent = _latent(work, keyed, main)
    if latent is not None:
        table_.loc["latent interaction"] = [
            *latent.product[["est", "ci_lower", "ci_upper", "pvalue", "std_all"]],
            latent.n_obs,
        ]
    table_["n"] = table_["n"].astype(int)
    table_.index.name = "analysis"
    work.results["robustness"] = table_
    work.table(
        printed(table_),
        "The product under other defensible choices",
        "Latent interaction: product indicators, robust maximum likelihood, without covariates; its estimate is in units of the first items.",
        3,
    )
    agree = ((table_["ci_lower"] > 0) | (table_["ci_upper"] < 0)).sum()
    work.say(
        f"The product ranges from {table_.est.min():.3f} to {table_.est.max():.3f}; its interval leaves out zero in {agree} of {len(table_)} analyses."
    )
    if 0 < agree < len(table_):
        against = table_.index[(table_["ci_lower"] <= 0) & (table_["ci_upper"] >= 0)]
        work.alarms.append(
            f"The main conclusion depends on choices: zero is inside the interval for {joined(list(against))}."
        )
        work.limits.append(
            "Whether the product differs from zero depends on choices of the analysis that could have gone either way."
        )
    if (np.sign(table_.est) != np.sign(table_.est.iloc[0])).any():
        work.alarms.append("The sign of the product changes between defensible analyses.")
    work.cite("ganzach")
    work.tick("Squares beside the product, other choices")


def _latent(work: Work, keyed: pd.DataFrame, main):
    roles = {"x": main.x, "moderator": main.moderator, "y": main.y}
    observed = [n for n in roles.values() if n not in work.scales]
    if observed:
        work.tick(
            "Latent interaction", "not applicable", f"{joined(observed)} is a single column, not a scale"
        )
        return None
    model = (
        "\n".join(f"{n} =~ {' + '.join(work.scales[n])}" for n in roles.values())
        + f"\n{main.y} ~ {main.x} + {main.moderator}"
    )
    try:
        latent = latent_interaction(model, keyed, **roles, estimator="MLR")
    except ValueError as problem:
        work.alarms.append(f"The latent interaction could not be estimated: {problem}")
        work.tick("Latent interaction", "no", "could not be estimated")
        return None
    work.results["latent"] = latent
    if not latent.converged:
        work.alarms.append("The latent interaction did not converge; it is left out.")
        work.tick("Latent interaction", "no", "did not converge")
        return None
    work.alarms += [
        f"Latent interaction: {w}."
        for w in latent.warnings
        if "dropped" not in w and "different numbers" not in w
    ]
    p = latent.product
    work.say(
        f"With measurement error modelled (product indicators, complete rows, n = {latent.n_obs}), the product is {p.std_all:.2f} standardised ({p.est:.3f}, {interval(p.ci_lower, p.ci_upper, lambda v: f'{v:.3f}')}, {p_text(p.pvalue)})."
    )
    work.cite("lin")
    work.tick("Latent interaction")
    return latent


def structural(work: Work, keyed: pd.DataFrame) -> None:
    spec = work.spec
    work.open("Test of the hypothesis")
    right, data = [*spec["predictors"]], keyed.copy()
    for name in spec["covariates"]:
        if name in work.scales or pd.api.types.is_numeric_dtype(keyed[name]):
            right.append(name)
        else:
            dummies = (
                pd.get_dummies(keyed[name], prefix=name, dtype=float)
                .iloc[:, 1:]
                .where(keyed[name].notna(), np.nan)
            )
            dummies.columns = [re.sub(r"\W+", "_", c) for c in dummies]
            data, right = data.join(dummies), [*right, *dummies.columns]
    model = f"{work.measurement}\n{spec['outcome']} ~ {' + '.join(right)}"
    names = [*work.items, *[n for n in [spec["outcome"], *right] if n not in work.scales]]
    f = work.results["structural"] = _fitted(
        work, model, data, "The structural model", **_sem_options(data, names)
    )
    if f is None:
        work.say("The structural model has no usable solution; no path is reported.")
        work.tick("Structural model: paths and fit", "no", "no usable solution")
        return
    paths = f.estimates[(f.estimates["op"] == "~") & (f.estimates["lhs"] == spec["outcome"])]
    work.say(
        f"{spec['outcome']} was regressed on {joined(right)} in a structural model, robust maximum likelihood (n = {f.n_total}).",
        f"Fit: {_fit_words(f.measures)}.",
        f"The predictors explained {100 * f.r2[spec['outcome']]:.0f}% of its variance.",
    )
    work.say(
        " ".join(
            f"{r.rhs}: {r_text(r.std_all)} standardised, b = {r.est:.3f}, {interval(r.ci_lower, r.ci_upper, lambda v: f'{v:.3f}')}, {p_text(r.pvalue)}."
            for r in paths.itertuples()
        )
    )
    work.table(
        printed(
            paths[["rhs", "est", "se", "ci_lower", "ci_upper", "pvalue", "std_all"]]
            .set_index("rhs")
            .rename_axis("predictor")
        ),
        f"Structural paths to {spec['outcome']}",
        "",
        3,
    )
    if poor := _poor(f.measures):
        work.alarms.append(f"The structural model fits poorly ({joined(poor)}); its paths are provisional.")
        work.limits.append(f"The structural model does not describe the answers well ({joined(poor)}).")
    if (large := paths[paths["std_all"].abs() > 1]).size:
        work.alarms.append(
            f"The standardised path of {joined(list(large['rhs']))} is beyond 1: the predictors overlap so much that their effects cannot be told apart."
        )
    work.tick("Structural model: paths and fit")
    work.tick("Moderated regression: product, slopes, Johnson-Neyman", "not applicable", "no moderator named")


def closing(work: Work) -> None:
    """Limitations, software, references, checklist; and the alarms on top."""
    work.open("Limitations")
    for text in dict.fromkeys(work.limits):
        work.say(text)
    work.say(
        "All variables come from one questionnaire at one time. Neither the direction of an effect nor the share that a common method adds can be read from these data, whatever the coefficients are."
    )
    work.tick("Limitations that follow from the numbers")
    from . import __version__

    work.open("Software and reproducibility")
    work.say(
        f"Python package switchcost {__version__} with numpy {np.__version__} and pandas {pd.__version__}; bootstrap seed {work.seed}, {work.n_boot:,} samples. The same file, codebook and settings give the same numbers."
    )
    spec = {k: v for k, v in work.spec.items() if v}
    work.say(
        "Settings: "
        + "; ".join(f"{k} = {joined(v) if isinstance(v, list) else v}" for k, v in spec.items())
        + "."
    )
    work.tick("Software, version and seed")
    work.open("References for the methods")
    for text in sorted(REFERENCES[k] for k in work.cited):
        work.say(text)
    work.tick("References for the methods")
    for what in NOT_IN_FILE:
        work.tick(what[0].upper() + what[1:], "yours to write", "not in the file")
    work.open("Checklist")
    work.table(
        pd.DataFrame(work.checks, columns=["what", "reported", "where"]),
        "What a committee looks for, and where it is",
        "'Yours to write' cannot be computed from a data file.",
    )
    work.alarms[:] = dict.fromkeys(re.sub(r"(?<!\.)\.\.(?!\.)", ".", a) for a in work.alarms)
    if work.alarms:
        top = Section(
            f"Read this first: {counted(len(work.alarms), 'point')} to settle", list(work.alarms), loud=True
        )
        work.sections.insert(0, top)
