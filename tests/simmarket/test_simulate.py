"""The simulated market: the truth is what the file says, the files are what the program writes."""

from __future__ import annotations

import hashlib

import numpy as np
import pandas as pd
import pytest

import simmarket as simulate
import switchcost as sc
from simmarket import market
from simmarket.market import market_from
from switchcost.data.registry import data_dir

SC_ITEMS = [i for i, s in simulate.truth()["items"].items() if next(iter(s["loads"])) in simulate.truth()["facets"]]

SHORT = {"economic_risk": "er", "evaluation": "ev", "learning": "le", "set_up": "su", "benefit_loss": "bl",
         "monetary_loss": "ml", "personal_relationship": "pr", "brand_relationship": "br"}  # fmt: skip


def test_files_are_what_the_program_writes(tmp_path):
    for path in simulate.write(tmp_path):
        stored = data_dir() / "simulated" / path.parent.name / path.name
        assert hashlib.sha256(path.read_bytes()).digest() == hashlib.sha256(stored.read_bytes()).digest(), path.name
        assert b"\r" not in path.read_bytes()


def test_load_gives_the_survey():
    pd.testing.assert_frame_equal(sc.load("telecom_survey"), simulate.survey(), check_dtype=False)
    pd.testing.assert_frame_equal(sc.load("telecom_usage"), simulate.usage(), check_dtype=False)


def test_codebook_describes_every_column():
    for name in ("telecom_survey", "telecom_usage"):
        d, book = sc.load(name), sc.codebook(name).set_index("variable")
        assert list(book.index) == list(d.columns)
        assert (book[["label_en", "label_zh", "construct", "source"]] != "").all().all()
        assert book["label_en"].is_unique and book["label_zh"].is_unique
        for c in d.select_dtypes("number"):
            assert not d[c].min() < book.loc[c, "low"] and not d[c].max() > book.loc[c, "high"], c
    book = sc.codebook("telecom_survey").set_index("variable")
    counts = book.loc[SC_ITEMS].groupby("facet", sort=False).size()
    assert list(counts) == [6, 4, 4, 4, 3, 2, 4, 3]
    assert book.loc[SC_ITEMS, "reverse"].sum() >= 4


# --- the truth ---------------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def large():
    n, seed = 200_000, 7
    return simulate.latents(n=n, seed=seed), simulate.keyed(
        simulate.survey(n=n, seed=seed, faults=False, scale="latent")
    )


def _ols(y, terms):
    x = np.column_stack([np.ones(len(y)), *terms])
    return np.linalg.lstsq(x, y, rcond=None)[0][1:]


def test_every_latent_variable_is_standardised(large):
    latent = large[0].select_dtypes("number")
    assert np.abs(latent.mean()).max() < 0.01
    assert np.abs(latent.std() - 1).max() < 0.01


def test_correlations_and_paths_are_the_truth(large):
    latent = large[0]
    p = simulate.parameters()
    corr = latent.select_dtypes("number").corr()
    for row in p[p["kind"] == "correlation"].itertuples():
        assert corr.loc[row.lhs, row.rhs] == pytest.approx(row.value, abs=0.01), (row.lhs, row.rhs)
    for row in p[p["kind"] == "second_order"].itertuples():
        assert corr.loc[row.lhs, row.rhs] == pytest.approx(row.value, abs=0.01)
    for lhs, rows in p[p["kind"].isin(["path", "product"])].groupby("lhs"):
        terms = []
        for term in rows["rhs"]:
            if term.startswith("bend("):
                x = latent[term[5:-1]]
                terms.append(x**3 - 3 * x)
            else:
                terms.append(latent[term.split(":")].prod(axis=1))
        assert _ols(latent[lhs], terms) == pytest.approx(rows["value"].to_numpy(), abs=0.01), lhs


def test_loadings_and_latent_relations_come_back_from_the_items(large):
    """Method of moments on item covariances: no latent variable is looked at."""
    latent, items = large
    cov = items.select_dtypes("number").cov()
    p = simulate.parameters()
    own = p[p["kind"] == "loading"].groupby("rhs").filter(lambda g: len(g) == 1).set_index("rhs")
    blocks = own.groupby("lhs").groups
    for names in blocks.values():
        names = [n for n in names if n != "osat"]
        if len(names) < 3:
            continue
        c = cov.loc[names, names].to_numpy()
        for i, name in enumerate(names):
            others = [j for j in range(len(names)) if j != i]
            pairs = [(a, b) for a in others for b in others if a < b]
            loading = np.sqrt(sum(c[i, a] * c[i, b] for a, b in pairs) / sum(c[a, b] for a, b in pairs))
            assert loading == pytest.approx(own.loc[name, "value"], abs=0.01), name

    def factor_cov(a, b):  # mean of item covariances over products of loadings
        la, lb = own.loc[blocks[a], "value"], own.loc[blocks[b], "value"]
        return float(cov.loc[la.index, lb.index].to_numpy().sum() / (la.sum() * lb.sum()))

    facets = simulate.truth()["facets"]
    corr = market_from(None).correlation
    for a, b in (
        ("evaluation", "benefit_loss"),
        ("learning", "set_up"),
        ("monetary_loss", "brand_relationship"),
    ):
        (da, la), (db, lb) = (next(iter(facets[f].items())) for f in (a, b))
        assert factor_cov(a, b) == pytest.approx(la * lb * (1 if da == db else corr.loc[da, db]), abs=0.01)
    assert factor_cov("satisfaction", "trust") == pytest.approx(corr.loc["satisfaction", "trust"], abs=0.01)

    # the interaction, from products of items with error: E[at * sat * fin] = b12 (1 + r^2) for centred normal variables,
    # averaged over the groups exactly as the market works it out
    at, sat = (
        items[list(blocks[k])].sum(axis=1) / own.loc[blocks[k], "value"].sum() for k in ("attitudinal", "satisfaction")
    )
    fin_items = items[["bl1", "bl2", "bl3", "ml1", "ml2"]]
    fin = fin_items.sum(axis=1) / sum(own.loc[i, "value"] * facets[own.loc[i, "lhs"]]["financial"] for i in fin_items)
    centred = [v - v.mean() for v in (at, sat, fin)]
    third = float(np.mean(centred[0] * centred[1] * centred[2]))
    true_product = latent["satisfaction"] * latent["financial"]
    assert third / true_product.var() == pytest.approx(-0.15, abs=0.01)


@pytest.mark.parametrize("world", ["china", "meta"])
def test_a_fitted_model_finds_the_truth(world, request):
    """Maximum likelihood on the uncut items: loadings, second-order loadings, correlations and paths within .01."""
    items = request.getfixturevalue("large" if world == "china" else "meta")[1]
    t = simulate.truth(world)
    blocks = {f: [i for i in SC_ITEMS if i[:2] == k] for f, k in SHORT.items()}
    blocks |= {
        "satisfaction": ["sat1", "sat2", "sat3"],
        "attitudinal": ["at1", "at2", "at3", "at4"],
        "behavioural": ["bh1", "bh2", "bh3"],
    }
    model = "\n".join(f"{f} =~ {' + '.join(v)}" for f, v in blocks.items())
    model += "\n" + "\n".join(f"{d} =~ {' + '.join(f)}" for d, f in t["dimensions"].items())
    causes = "satisfaction + procedural + financial + relational"
    fit = sc.fit(f"{model}\nattitudinal ~ {causes}\nbehavioural ~ {causes}", items)
    found = fit.standardized().set_index(["lhs", "op", "rhs"])["est"]
    p = simulate.parameters(world=world)
    dims = list(t["dimensions"])
    for row in p.itertuples():
        wanted = (
            (row.kind == "loading" and row.lhs in blocks and row.rhs in items.columns and row.rhs != "osat")
            or row.kind == "second_order"
            or (row.kind == "correlation" and row.lhs in dims and row.rhs in dims)
            or (row.kind == "path" and row.lhs in ("attitudinal", "behavioural"))
        )
        if wanted:
            assert found[(row.lhs, row.op, row.rhs)] == pytest.approx(row.value, abs=0.01), (row.lhs, row.rhs)
    assert fit.measures["rmsea"] < 0.005


def test_products_leave_a_variance_of_one_by_exact_moments():
    m = market_from(None)
    mean, cov = np.array([0.3, -0.2, 0.1]), np.array([[1, 0.4, 0.2], [0.4, 1, -0.3], [0.2, -0.3, 1]])
    # E[x1 x2 x3] with means, written out
    by_hand = mean.prod() + mean[0] * cov[1, 2] + mean[1] * cov[0, 2] + mean[2] * cov[0, 1]
    assert market._moment([0, 1, 2], mean, cov) == pytest.approx(by_hand, abs=1e-14)
    assert market._moment([0, 0, 0, 0], np.zeros(3), cov) == pytest.approx(3.0)
    assert 0 < m.residual_sd["attitudinal"] < 1
    assert m.mean_of["attitudinal"] == pytest.approx(-0.15 * m.correlation.loc["satisfaction", "financial"], abs=1e-12)


def test_groups_differ_as_stated(large):
    latent = large[0]
    for by in ("contract", "operator"):
        true = simulate.latent_means(by=by)
        seen = latent.groupby(by)[list(true.index)].mean().T[list(true.columns)]
        assert np.abs(seen - true).max().max() < 0.015


def test_population_of_five_point_answers():
    seen = simulate.keyed(simulate.survey(n=100_000, seed=11, faults=["bad_item", "intercept"], columns=SC_ITEMS))
    assert np.abs(seen.cov() - simulate.population(faults=True).loc[SC_ITEMS, SC_ITEMS]).max().max() < 0.02
    assert np.abs(seen.mean() - simulate.population("mean", faults=True)[SC_ITEMS]).max() < 0.02
    clean = simulate.population("corr")
    assert clean.loc["le1", "le4"] > 0.3 > abs(simulate.population("corr", faults=True).loc["le1", "le4"])


# --- faults ------------------------------------------------------------------------------------------------
def test_faults_are_where_the_truth_says():
    d, fault = simulate.survey(), simulate.truth()["faults"]
    five = [i for i in simulate.truth()["items"] if i != "osat"]
    straight = d.index[d[five].max(axis=1) == d[five].min(axis=1)].tolist()
    assert straight == fault["careless"]["straight_rows"]
    first, copied = fault["duplicates"]["first_rows"], fault["duplicates"]["copied_to"]
    a, b = d.iloc[first[0] : first[1] + 1], d.iloc[copied[0] : copied[1] + 1]
    pd.testing.assert_frame_equal(a.reset_index(drop=True), b.reset_index(drop=True))
    assert d.duplicated().sum() == len(b)
    assert not set(range(first[0], copied[1] + 1)) & set(straight + fault["careless"]["random_rows"])
    gaps = d[five].isna()
    assert 0.025 < gaps.to_numpy().mean() < 0.04
    assert d.loc[gaps.any(axis=1), "age"].mean() > d.loc[~gaps.any(axis=1), "age"].mean() + 3
    corr = simulate.keyed(d)[["le1", "le2", "le3", "le4"]].corr()
    assert corr.loc["le1", "le2"] > 0.4 and corr.loc[["le1", "le2", "le3"], "le4"].abs().max() < 0.2
    assert (d[d["contract"] == "contract"]["bl2"].mean() - d[d["contract"] == "prepaid"]["bl2"].mean()) > 0.5


def test_missing_share_is_the_stated_one():
    d = simulate.survey(n=50_000, seed=3, faults=["missing"], columns=["sat1", "er1"])
    assert d.isna().to_numpy().mean() == pytest.approx(0.03, abs=0.002)


def test_columns_seed_and_faults_are_independent_of_each_other():
    full = simulate.survey(n=300, seed=4)
    part = simulate.survey(n=300, seed=4, columns=["sat2", "age"])
    pd.testing.assert_frame_equal(full[["sat2", "age"]], part)
    assert not simulate.survey(n=300, seed=5)["sat2"].equals(full["sat2"])
    clean = simulate.survey(n=300, seed=4, faults=False)
    assert not clean.isna().any().any() and not clean.duplicated().any()
    pd.testing.assert_frame_equal(clean, simulate.survey(simulate.truth(), 300, 4, False))


def test_departures_follow_the_truth():
    n = 40_000
    u, x = simulate.usage(n=n, seed=2), simulate.latents(n=n, seed=2)
    first = u[u["month"] == 1]
    assert len(first) == n and u.groupby("customer")["left"].sum().max() == 1
    low, high = x["satisfaction"] < -1, x["satisfaction"] > 1
    left = first["left"].to_numpy()
    assert left[low].mean() > 1.8 * left[high].mean() > 0
    on = (x["contract"] == "contract").to_numpy()[u["customer"] - 1]
    assert (u["bill"][on] > 0).all() and (u["bill"][~on] == 0).all() and (u["topups"][on] == 0).all()


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: simulate.survey(n=0), "n must be a whole number from 1 up"),
        (lambda: simulate.survey(columns=["sat9"]), "Did you mean 'sat"),
        (lambda: simulate.survey(faults=["careles"]), "fault 'careles'"),
        (lambda: simulate.survey(scale="logit"), "scale must be one of 'points'"),
        (lambda: simulate.survey(scale="latent", faults=["missing"]), "no answers yet"),
        (lambda: simulate.survey(seed=-1), "seed must be"),
        (
            lambda: simulate.survey(
                {
                    **simulate.truth(),
                    "residual_correlations": {},
                    "equations": {"satisfaction": {"value": 1.2}},
                }
            ),
            "explain a variance",
        ),
        (
            lambda: simulate.survey(
                {**simulate.truth(), "residual_correlations": {}, "equations": {"trust": {"valeu": 0.2}}}
            ),
            "Did you mean 'value'",
        ),
        (lambda: simulate.population("sd"), "what must be one of 'cov'"),
        (lambda: simulate.latent_means(by="gender"), "not a grouping"),
    ],
)
def test_bad_input_is_named(call, says):
    with pytest.raises(ValueError, match=says):
        call()


# --- twins -------------------------------------------------------------------------------------------------
def test_twin_has_exactly_the_given_moments():
    rng = np.random.default_rng(1)
    a = rng.standard_normal((6, 6))
    cov = pd.DataFrame(a @ a.T + np.eye(6), index=list("abcdef"), columns=list("abcdef"))
    means = pd.Series([1, 2, 3, 4, 5, 6.5], index=list("abcdef"))
    t = simulate.twin(cov, means, n=40, seed=2)
    np.testing.assert_allclose(t.cov(), cov, rtol=0, atol=1e-12)
    np.testing.assert_allclose(t.mean(), means, atol=1e-12)
    pd.testing.assert_frame_equal(t, simulate.twin(cov, means, n=40, seed=2))


def test_twin_of_a_published_matrix():
    r = sc.published("abbade2014")["latent_correlations"].set_index("construct")
    full = r.to_numpy(dtype=float)
    full = np.where(np.isnan(full), full.T, full)
    np.fill_diagonal(full, 1.0)
    t = simulate.twin(pd.DataFrame(full, index=r.index, columns=list(r.index)), n=500)
    np.testing.assert_allclose(t.corr(), full, atol=1e-12)


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (([[1, 0.9, 0.1], [0.9, 1, 0.9], [0.1, 0.9, 1]],), "not positive definite"),
        (([[1, 0.5], [0.4, 1]],), "not symmetric"),
        (([[1, np.nan], [np.nan, 1]],), "lower triangle must be mirrored"),
        (([[1, 0.5], [0.5, 1]], None, 2), "take n > 2"),
        (([[1, 0.5], [0.5, 1]], [1, 2, 3]), "means has 3 values"),
        (([1, 2, 3],), "square matrix"),
    ],
)
def test_twin_refuses_what_is_no_covariance_matrix(args, says):
    with pytest.raises(ValueError, match=says):
        simulate.twin(*args)


# --- the second world and what may be switched on ------------------------------------------------------------------
@pytest.fixture(scope="module")
def meta():
    n, seed = 200_000, 8
    items = [i for i in simulate.truth()["items"] if i[:2] in ("sa", "at", "bh", *SHORT.values())]
    return simulate.latents(n=n, seed=seed, world="meta"), simulate.keyed(
        simulate.survey(n=n, seed=seed, faults=False, scale="latent", columns=items, world="meta"), world="meta"
    )


def test_the_second_world_has_the_signs_of_the_meta_analysis():
    for outcome in ("attitudinal", "behavioural"):
        china, other = (simulate.truth(w)["equations"][outcome] for w in ("china", "meta"))
        assert china["satisfaction * financial"] < 0 < other["satisfaction * financial"]
        assert other["satisfaction * procedural"] < 0 and other["satisfaction * relational"] < 0
        assert "satisfaction * procedural" not in china
        costs = {k: other[k] for k in ("procedural", "financial", "relational")}
        assert max(costs, key=costs.get) == "relational"


def test_the_second_world_is_what_is_drawn(meta):
    latent, items = meta
    p = simulate.parameters(world="meta")
    numbers = latent.select_dtypes("number")
    assert np.abs(numbers.mean()).max() < 0.015 and np.abs(numbers.std() - 1).max() < 0.015
    for lhs, rows in p[p["kind"].isin(["path", "product"])].groupby("lhs"):
        terms = [
            latent[t[5:-1]] ** 3 - 3 * latent[t[5:-1]] if t.startswith("bend(") else latent[t.split(":")].prod(axis=1)
            for t in rows["rhs"]
        ]
        assert _ols(latent[lhs], terms) == pytest.approx(rows["value"].to_numpy(), abs=0.015), lhs
    # and from the answers alone: sums of items, corrected for their error, with their products
    own = p[(p["kind"] == "loading")].set_index("rhs")["value"]
    at, sat = (items[k].sum(axis=1) / own[k].sum() for k in (["at1", "at2", "at3", "at4"], ["sat1", "sat2", "sat3"]))
    facets = simulate.truth()["facets"]
    for dimension, sign in (("financial", 1), ("procedural", -1), ("relational", -1)):
        inside = [i for f, k in SHORT.items() if dimension in facets[f] for i in items if i[:2] == k]
        cost = items[inside].sum(axis=1) / sum(own[i] for i in inside)
        groups = [
            np.corrcoef(at[part], sat[part])[0, 1] for part in (cost > cost.quantile(0.8), cost < cost.quantile(0.2))
        ]
        assert sign * (groups[0] - groups[1]) > 0.02, dimension


PARTS = {"procedural": ("ev", "le"), "financial": ("bl", "ml"), "relational": ("pr", "br")}
OUTCOMES = {"attitudinal": ["at1", "at2", "at3", "at4"], "behavioural": ["bh1", "bh2", "bh3"]}


def _moderations(seed: int, n: int = 4000) -> pd.DataFrame:
    """Paths and products of both outcomes by maximum likelihood with product indicators, in standard deviations."""
    codes = [k for pair in PARTS.values() for k in pair]
    columns = [i for i in simulate.truth()["items"] if i[:2] in codes or i in ("sat1", "sat2", "sat3")]
    columns += [i for names in OUTCOMES.values() for i in names]
    raw = simulate.survey(n=n, seed=seed, faults=False, scale="latent", columns=columns, world="meta")
    items = simulate.keyed(raw, world="meta").select_dtypes("number")
    data = items[[i for i in columns if i[:2] not in codes]].copy()
    lines = ["satisfaction =~ sat1 + sat2 + sat3", *(f"{k} =~ {' + '.join(v)}" for k, v in OUTCOMES.items())]
    pairs = []
    for cost, facets in PARTS.items():
        for k, facet in enumerate(facets, start=1):
            data[facet] = items[[i for i in columns if i[:2] == facet]].mean(axis=1)
            product = (data[f"sat{k}"] - data[f"sat{k}"].mean()) * (data[facet] - data[facet].mean())
            data[f"s{k}{facet}"] = product - product.mean()
        lines += [f"{cost} =~ {' + '.join(facets)}", f"s_{cost} =~ s1{facets[0]} + s2{facets[1]}"]
        pairs.append((f"s1{facets[0]}", f"s2{facets[1]}"))
    for names in zip(*pairs, strict=True):  # they share the error of one satisfaction item
        lines += [f"{a} ~~ {b}" for i, a in enumerate(names) for b in names[i + 1 :]]
    causes = ["satisfaction", *PARTS, *(f"s_{c}" for c in PARTS)]
    lines += [f"{y} ~ {' + '.join(causes)}" for y in OUTCOMES]
    fit = sc.fit("\n".join([*lines, "attitudinal ~~ behavioural"]), data, estimator="MLR")
    assert fit.converged
    table = fit.estimates[fit.estimates["op"] == "~"]
    one = fit.estimates[(fit.estimates["op"] == "~~") & (fit.estimates["lhs"] == fit.estimates["rhs"])]
    sd = np.sqrt(one.set_index("lhs")["est"])
    rows = []
    for y, block in table.groupby("lhs"):
        first = block[block["rhs"] == "satisfaction"].iloc[0]
        sd_y = first["est"] * sd["satisfaction"] / first["std_all"]
        for r in block.itertuples():
            cost = r.rhs.removeprefix("s_")
            unit = (sd["satisfaction"] * sd[cost] if cost != r.rhs else sd[r.rhs]) / sd_y
            term = f"satisfaction * {cost}" if cost != r.rhs else r.rhs
            rows.append((y, term, r.est * unit, r.se * unit, simulate.truth("meta")["equations"][y][term]))
    return pd.DataFrame(rows, columns=["outcome", "term", "est", "se", "true"])


def test_every_moderation_of_the_second_world_is_recovered_within_its_interval():
    """Forty samples of 4,000: seven terms of two outcomes lie within their 95 % interval as often as they should."""
    found = pd.concat([_moderations(seed) for seed in range(1, 41)])
    found["inside"] = (found["est"] - found["true"]).abs() < 1.96 * found["se"]
    by = found.groupby(["outcome", "term"])
    assert len(by) == 14 and (by.size() == 40).all()
    assert 0.92 <= found["inside"].mean() <= 0.98 and by["inside"].mean().min() >= 0.85
    assert (by["est"].mean() - by["true"].first()).abs().max() < 0.015
    for cost, sign in (("financial", 1), ("procedural", -1), ("relational", -1)):  # as the meta-analysis has them
        assert (sign * found.loc[found["term"] == f"satisfaction * {cost}", "est"] > 0).all(), cost


def test_one_argument_switches_everywhere():
    for draw in (simulate.survey, simulate.usage, simulate.latents):
        here, there = draw(n=60, seed=3), draw(n=60, seed=3, world="meta")
        pd.testing.assert_frame_equal(draw(simulate.truth("meta"), 60, 3), there)
        assert not here.equals(there)
        pd.testing.assert_frame_equal(here, draw(n=60, seed=3, world="china"))
    assert not simulate.parameters().equals(simulate.parameters(world="meta"))
    seen = simulate.keyed(simulate.survey(n=20_000, seed=2, faults=False, world="meta", columns=["sat1", "at1", "pr1"]))
    there = simulate.population("cov", world="meta").loc[["sat1", "at1", "pr1"], ["sat1", "at1", "pr1"]]
    assert np.abs(seen.cov() - there).max().max() < 0.04
    assert there.loc["at1", "pr1"] > 0 > simulate.population("cov").loc["at1", "pr1"]


def test_minor_factors_are_a_tenth_of_every_item():
    t = simulate.truth(switches="minor_factors")
    assert all(
        sum(v**2 for k, v in s["loads"].items() if k[:5] == "minor") == pytest.approx(0.1) for s in t["items"].values()
    )
    plain, minor = (simulate.keyed(simulate.survey(x, 4000, 5, False, columns=SC_ITEMS), x).corr() for x in (None, t))
    assert np.abs(plain - minor).to_numpy().mean() > 0.01  # small, and everywhere


def test_problems_hide_that_satisfied_customers_speak_up():
    t = simulate.truth(switches=["problems"])
    plain, with_problems = simulate.latents(n=20_000, seed=1), simulate.latents(t, 20_000, 1)
    assert with_problems["voice"].corr(with_problems["satisfaction"]) < 0.1 < plain["voice"].corr(plain["satisfaction"])
    held = _ols(with_problems["voice"], [with_problems[v] for v in t["equations"]["voice"]])
    assert held[0] == pytest.approx(0.2, abs=0.03)
    count = simulate.survey(t, 500, 1)["problems"]
    assert count.min() == 0 and 1 < count.mean() < 3
    assert "problems" not in simulate.survey(n=5)


def test_silent_prepaid_customers_never_say_that_they_left():
    t = simulate.truth(switches="prepaid_silence")
    loud, quiet = simulate.usage(n=400, seed=6), simulate.usage(t, 400, 6)
    prepaid = simulate.latents(n=400, seed=6)["contract"].eq("prepaid").to_numpy()
    by = quiet.groupby("customer")
    assert by["left"].sum()[prepaid].eq(0).all() and by.size()[prepaid].eq(36).all()
    on = loud[~prepaid[loud["customer"] - 1]].reset_index(drop=True)
    pd.testing.assert_frame_equal(on, quiet[~prepaid[quiet["customer"] - 1]].reset_index(drop=True))
    gone = loud.groupby("customer")["left"].sum()[prepaid].eq(1)
    assert gone.any() and by["topups"].apply(lambda v: v.iloc[-6:].sum())[gone[gone].index].mean() < 2


def test_indistinct_dimensions_and_biased_groups():
    t = simulate.truth(switches=["indistinct_dimensions"])
    assert simulate.latents(t, 20_000, 1)[["procedural", "financial", "relational"]].corr().min().min() > 0.83
    for world in ("china", "meta"):
        biased = simulate.truth(world, "biased_groups")
        assert np.diff(simulate.latent_means(biased).loc["financial", ["prepaid", "contract"]])[0] == pytest.approx(0.6)
        seen = simulate.survey(biased, 20_000, 1, ["intercept"], columns=["bl1", "bl2", "bl3", "contract"])
        gap = seen.groupby("contract").mean().loc["contract"] - seen.groupby("contract").mean().loc["prepaid"]
        assert gap["bl2"] < -0.2 < 0.25 < gap["bl1"] and abs(gap.mean()) < 0.5 * gap["bl1"]


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: simulate.truth("chna"), "Did you mean 'china'"),
        (lambda: simulate.truth(switches="minor"), "switch 'minor' is not known"),
        (lambda: simulate.survey(simulate.truth(), world="meta"), "say truth or world='meta', not both"),
        (lambda: simulate.population(world="mars"), "world must be one of 'china', 'meta'"),
        (lambda: simulate.usage(n=2.5), "n must be a whole number"),
    ],
)
def test_a_world_that_is_not_there(call, says):
    with pytest.raises(ValueError, match=says):
        call()
