"""Moderation by regression against R, and against itself."""

import json
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import switchcost as sc
from switchcost.core.errors import DataError

HERE = Path(__file__).parents[1] / "reference"
R = json.loads((HERE / "moderation.json").read_text())
DATA = pd.read_csv(HERE / "data" / "moderation.csv")
COLUMNS = ["est", "se", "t", "pvalue", "ci_lower", "ci_upper"]


def two(**kwargs):
    return sc.moderate(DATA, y="y", x="x", moderator="m", covariates=["age", "contract"], **kwargs)


def agree(table, reference, rows=None, rtol=1e-9):
    table = table if rows is None else table.loc[rows]
    for column in COLUMNS:
        if column in reference:
            np.testing.assert_allclose(table[column], reference[column], rtol=rtol, atol=1e-13, err_msg=column)


# --- R --------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("cov_type", ["nonrobust", "HC3", "cluster"])
def test_two_way_equals_r(cov_type):
    result = two(cov_type=cov_type, cluster="clu" if cov_type == "cluster" else None)
    ref = R["two"][cov_type]
    agree(result.coefficients, ref["coefficients"])
    agree(result.simple_slopes(), ref["slopes"])
    np.testing.assert_allclose(result.johnson_neyman().bounds, ref["bounds"], rtol=1e-8)
    assert list(result.coefficients.index) == ["Intercept", "age", "contract[prepaid]", "x", "m", "x:m"]
    assert list(result.coefficients.columns) == COLUMNS


def test_fit_steps_and_standardized_equal_r():
    result, ref = two(), R["two"]
    assert (result.n_used, result.n_dropped) == (ref["n"], len(DATA) - ref["n"])
    np.testing.assert_allclose([result.r2, result.adj_r2], [ref["r2"], ref["adj_r2"]], rtol=1e-10)
    steps = result.steps
    np.testing.assert_allclose(steps["r2"], ref["steps"]["r2"], rtol=1e-10)
    np.testing.assert_allclose(steps["f_change"], ref["steps"]["f_change"], rtol=1e-9)
    np.testing.assert_allclose(steps["pvalue"].iloc[1:], ref["steps"]["pvalue"][1:], rtol=1e-8)
    np.testing.assert_allclose(steps["f2"].iloc[-1], steps["delta_r2"].iloc[-1] / (1 - result.r2))
    np.testing.assert_allclose(result.standardized.iloc[1:], ref["standardized"][1:], rtol=1e-9)


def test_uncentred_equals_r_and_leaves_the_product_alone():
    raw = two(center=False)
    agree(raw.coefficients, R["two"]["raw"], rtol=1e-7)
    for column in COLUMNS:
        assert raw.coefficients.loc["x:m", column] == pytest.approx(two().coefficients.loc["x:m", column], rel=1e-9)
    pd.testing.assert_frame_equal(raw.simple_slopes(), two().simple_slopes(), rtol=1e-9)
    np.testing.assert_allclose(raw.johnson_neyman().bounds, two().johnson_neyman().bounds, rtol=1e-8)


def test_false_discovery_bounds_equal_p_adjust():
    jn, ref = two().johnson_neyman(fdr=True), R["two"]["fdr"]
    assert jn.critical_t == pytest.approx(ref["critical_t"], rel=1e-10)
    np.testing.assert_allclose(jn.bounds, ref["bounds"], rtol=1e-8)
    assert jn.critical_t > two().johnson_neyman().critical_t
    values = DATA.dropna(subset=["y", "x", "m", "age"])["m"].unique()
    t = two().slope(values)["t"].abs()
    assert (t > jn.critical_t).sum() == ref["n_told"]


def test_quadratic_equals_r():
    result = sc.moderate(DATA.dropna(), y="y", x="x", moderator="m", quadratic=True)
    assert list(result.coefficients.index) == ["Intercept", "x", "m", "x^2", "m^2", "x:m"]
    assert result.n_used == R["two"]["n"]
    agree(result.coefficients, R["quad"])


def test_three_way_equals_r():
    result = sc.moderate(DATA, y="y", x="x", moderator="m", second_moderator="w")
    agree(result.coefficients, R["three"]["coefficients"])
    assert result.product == "x:m:w"
    table = result.simple_slopes((-1, 1), second=(-1, 1))
    corners = np.array(R["three"]["corners"])
    np.testing.assert_allclose(table[["est", "se", "t", "pvalue"]], corners[:, 2:], rtol=1e-8)
    np.testing.assert_allclose(result.johnson_neyman(second=3.2).bounds, R["three"]["bounds_at_3.2"], rtol=1e-8)
    differences = result.slope_differences()
    assert len(differences) == 6
    assert differences["est"].iloc[0] == pytest.approx(corners[0, 2] - corners[1, 2])


def test_quadratic_check_holds_r_aic():
    check = two().quadratic_check()
    assert check.loc["product", "aic"] == pytest.approx(R["two"]["aic"], rel=1e-10)
    assert check.loc["product", "product"] == pytest.approx(two().coefficients.loc["x:m", "est"])
    assert check["r2"].is_monotonic_increasing or check.loc["both", "r2"] == check["r2"].max()


# --- against itself ----------------------------------------------------------------------------------------------------
@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    n=st.integers(25, 160),
    b=st.floats(-1.5, 1.5),
    shift=st.floats(-50, 50),
    scale=st.floats(0.05, 40),
    cov=st.sampled_from(["nonrobust", "HC3"]),
    center=st.booleans(),
    quadratic=st.booleans(),
)
def test_table_slopes_bounds_and_plot_agree(seed, n, b, shift, scale, cov, center, quadratic):
    rng = np.random.default_rng(seed)
    x, m = rng.normal(shift, scale, n), rng.normal(-shift, 1, n)
    age = rng.normal(40, 10, n)
    z = (x - shift) / scale
    y = 0.5 * z + 0.3 * (m + shift) + b * z * (m + shift) + rng.normal(0, 1, n) + 0.01 * age
    data = pd.DataFrame({"y": y, "x": x, "m": m, "age": age})
    result = sc.moderate(
        data, y="y", x="x", moderator="m", covariates="age", cov_type=cov, center=center, quadratic=quadratic
    )
    coefficients, slopes = result.coefficients, result.simple_slopes()
    # the change of the slope along the moderator is the product's coefficient
    step = np.diff(slopes["est"]) / np.diff(slopes["m"])
    size = abs(slopes["est"]).max() / data["m"].std()
    np.testing.assert_allclose(step, coefficients.loc["x:m", "est"], rtol=1e-8, atol=1e-9 * size)
    # at the centre the slope is the main effect, with its own standard error
    if center:
        row = slopes.iloc[1]
        np.testing.assert_allclose(row[COLUMNS].astype(float), coefficients.loc["x"], rtol=1e-8)
    # at a bound |t| is the critical value, and the regions carry the verdicts of the slopes inside them
    jn = result.johnson_neyman()
    for bound in jn.bounds:
        if abs(bound - data["m"].mean()) < 1e4:
            assert result.slope(bound)["t"].abs().iloc[0] == pytest.approx(jn.critical_t, rel=1e-6)
    told = slopes["pvalue"] < 0.05
    for value, verdict, inside in zip(slopes["m"], told, slopes["in_range"], strict=True):
        if inside and min([abs(value - v) for v in jn.bounds], default=1) > 1e-6:
            region = jn.regions[(jn.regions["lower"] <= value) & (value <= jn.regions["upper"])].iloc[0]
            assert (region["slope"] != "not different from zero") == verdict
    assert jn.regions["n"].sum() == n
    assert jn.regions["share"].sum() == pytest.approx(1)
    # the line in the figure has the slope in the table (its tangent at the mean of x when squares are in)
    fig, axes = plt.subplots(1, 2)
    result.plot(axes[0])
    for line, est in zip(axes[0].lines, slopes["est"], strict=True):
        px, py = line.get_xdata(), line.get_ydata()
        if quadratic:
            polynomial = np.polynomial.Polynomial.fit(px, py, 2).deriv()
            drawn = polynomial(data["x"].mean())
        else:
            drawn = (py[-1] - py[0]) / (px[-1] - px[0])
        assert drawn == pytest.approx(est, rel=1e-6, abs=1e-7 * np.ptp(y) / np.ptp(x))
    result.plot_johnson_neyman(axes[1])
    px, py = axes[1].lines[0].get_data()
    np.testing.assert_allclose(py, result.slope(px)["est"], rtol=1e-12)
    drawn_bounds = sorted(line.get_xdata()[0] for line in axes[1].lines if line.get_linestyle() == "--")
    np.testing.assert_allclose(drawn_bounds, jn.inside)
    plt.close(fig)


def test_units_do_not_change_the_verdict():
    stretched = DATA.assign(m=DATA["m"] * 25 + 7)
    a, b = two(), sc.moderate(stretched, y="y", x="x", moderator="m", covariates=["age", "contract"])
    np.testing.assert_allclose(np.array(a.johnson_neyman().bounds) * 25 + 7, b.johnson_neyman().bounds, rtol=1e-8)
    assert a.coefficients.loc["x:m", "pvalue"] == pytest.approx(b.coefficients.loc["x:m", "pvalue"], rel=1e-9)


def test_row_order_and_index_do_not_matter():
    mixed = DATA.sample(frac=1, random_state=3)
    mixed.index = [0] * len(mixed)
    pd.testing.assert_frame_equal(
        sc.moderate(mixed, y="y", x="x", moderator="m", cov_type="cluster", cluster="clu").coefficients,
        sc.moderate(DATA, y="y", x="x", moderator="m", cov_type="cluster", cluster="clu").coefficients,
    )


def test_two_valued_moderator_is_taken_at_its_two_values():
    data = DATA.assign(prepaid=(DATA["contract"] == "prepaid").astype(int))
    result = sc.moderate(data, y="y", x="x", moderator="prepaid")
    slopes = result.simple_slopes()
    for value in (0, 1):
        part = data[data["prepaid"] == value].dropna(subset=["y", "x"])
        by_hand = np.polyfit(part["x"], part["y"], 1)[0]
        assert slopes.set_index("prepaid")["est"][value] == pytest.approx(by_hand)


def test_kinds_of_values():
    result = two()
    quartiles = result.simple_slopes((25, 75), kind="percentile")
    values = result.simple_slopes(tuple(quartiles["m"]), kind="value")
    np.testing.assert_allclose(quartiles["est"], values["est"])
    assert not result.simple_slopes([99], kind="value")["in_range"].iloc[0]


def test_bootstrap_repeats_and_is_near_the_sandwich():
    result = two(cov_type="HC3")
    a, b = result.bootstrap(1500, seed=4), result.bootstrap(1500, seed=4)
    pd.testing.assert_frame_equal(a, b)
    assert a.loc["x:m", "se"] == pytest.approx(result.coefficients.loc["x:m", "se"], rel=0.12)
    assert a.loc["slope at +1 SD", "est"] == pytest.approx(result.simple_slopes()["est"].iloc[2])
    clustered = two(cov_type="cluster", cluster="clu").bootstrap(1500, seed=4)
    assert clustered.loc["Intercept", "se"] != a.loc["Intercept", "se"]


def test_curve_is_not_taken_for_moderation():
    rng = np.random.default_rng(8)
    x = rng.normal(0, 1, 1500)
    m = 0.7 * x + np.sqrt(1 - 0.49) * rng.normal(0, 1, 1500)
    data = pd.DataFrame({"x": x, "m": m, "y": 0.5 * x - 0.3 * x**2 + rng.normal(0, 1, 1500)})
    check = sc.moderate(data, y="y", x="x", moderator="m").quadratic_check()
    assert check.loc["product", "product_pvalue"] < 1e-6  # looks like moderation
    assert check.loc["both", "product_pvalue"] > 0.01  # and is a curve
    assert check["aic"].idxmin() == "squares"


def test_attenuation_is_the_share_of_the_product_that_is_left():
    rng = np.random.default_rng(2)
    n, rho = 400_000, 0.4
    tx = rng.normal(0, 1, n)
    tm = rho * tx + np.sqrt(1 - rho**2) * rng.normal(0, 1, n)
    y = 0.3 * tx + 0.3 * tm + 0.5 * tx * tm + rng.normal(0, 1, n)
    noisy = pd.DataFrame({"y": y, "x": tx + rng.normal(0, 0.5, n), "m": tm + rng.normal(0, 0.7, n)})
    out = sc.moderate(noisy, y="y", x="x", moderator="m").attenuation(1 / 1.25, 1 / 1.49)
    assert out["est_corrected"] == pytest.approx(0.5, rel=0.02)
    assert out["est"] < 0.5 * 0.65
    assert two().attenuation(1, 1)["reliability_product"] == 1


def test_categories_without_members_and_columns_of_unlike_size():
    data = DATA.assign(
        age=DATA["age"] * 1e6 + 1e9,
        contract=pd.Categorical(DATA["contract"], ["prepaid", "contract", "none"]),
    )
    result = sc.moderate(data, y="y", x="x", moderator="m", covariates=["age", "contract"], center=False)
    assert "contract[prepaid]" in result.coefficients.index and "contract[none]" not in result.coefficients.index
    assert result.coefficients.loc["x:m", "est"] == pytest.approx(two().coefficients.loc["x:m", "est"], rel=1e-7)
    assert result.bootstrap(300, seed=1).loc["x:m", "n_boot"] == 300


# --- what goes wrong ------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("change", "message"),
    [
        (dict(x="xx"), "x 'xx' is not a column.*"),
        (dict(moderator="contarct"), "Did you mean 'contract'"),
        (dict(x=["x", "w"]), r"make its score first: data\['score'\] = data\[\['x', 'w'\]\].mean"),
        (dict(moderator="x"), "'x' has two roles"),
        (dict(covariates=["m"]), "'m' has two roles"),
        (dict(x="contract"), "x 'contract' holds groups"),
        (dict(cov_type="HC4"), "must be one of 'nonrobust', 'HC3', 'cluster'"),
        (dict(cov_type="cluster"), "cluster= belong together"),
        (dict(level=95), "level must be a number between 0 and 1"),
    ],
)
def test_bad_arguments(change, message):
    with pytest.raises(ValueError, match=message):
        sc.moderate(DATA, **(dict(y="y", x="x", moderator="m") | change))


def test_bad_data():
    with pytest.raises(ValueError, match="constant"):
        sc.moderate(DATA.assign(m=2.0), y="y", x="x", moderator="m")
    with pytest.raises(ValueError, match="exact combination"):
        sc.moderate(DATA.assign(double=DATA["x"] * 2), y="y", x="x", moderator="m", covariates="double")
    with pytest.raises(ValueError, match="too few for a model with 4"):
        sc.moderate(DATA.head(5), y="y", x="x", moderator="m")
    with pytest.raises(ValueError, match="R2 = 1"):
        sc.moderate(DATA.assign(y=DATA["x"] + 2), y="y", x="x", moderator="m")
    with pytest.raises(ValueError, match="at most"):
        sc.moderate(DATA.assign(m=DATA["x"] + DATA["m"] * 0.01), y="y", x="x", moderator="m").attenuation(0.5, 0.5)
    with pytest.raises(ValueError, match="between 0 and 100"):
        two().simple_slopes((-1, 1), kind="percentile")


def test_it_says_what_it_did():
    text = repr(two(cov_type="HC3"))
    for piece in ("n = 177 (3 rows dropped", "HC3", "centred at x", "x:m"):
        assert piece in text
    assert "<table" in two()._repr_html_()
    assert "outside the data" in repr(two().johnson_neyman())


# --- more tools against R, on three data sets ------------------------------------------------------------------------
TOOLS = json.loads((HERE / "moderation_tools.json").read_text())
SETS = [(name, cov) for name in TOOLS for cov in ("nonrobust", "HC3")]


def model_of(name, cov_type, moderator="m"):
    data = pd.read_csv(HERE / "data" / f"{name}.csv")
    return sc.moderate(data, y="y", x="x", moderator=moderator, cov_type=cov_type)


@pytest.mark.parametrize(("name", "cov"), SETS)
def test_inverted_u_equals_r(name, cov):
    found, ref = model_of(name, cov).inverted_u(), TOOLS[name][cov]["inverted_u"]
    np.testing.assert_allclose(found.coefficients["est"], ref["est"], rtol=1e-8)
    np.testing.assert_allclose(found.coefficients["se"], ref["se"], rtol=1e-8)
    np.testing.assert_allclose(found.table["est"], ref["ends_est"], rtol=1e-8)
    np.testing.assert_allclose(found.table["se"], ref["ends_se"], rtol=1e-8)
    np.testing.assert_allclose(found.table["pvalue"], ref["p"], rtol=1e-7)
    np.testing.assert_allclose([found.turning_point, found.slope_at_turning_point], [ref["turn"], ref["at_turn"]])
    expected = ref["fieller"] or [-np.inf, np.inf]
    np.testing.assert_allclose([found.ci_lower, found.ci_upper], expected, rtol=1e-6)


@pytest.mark.parametrize(("name", "cov"), SETS)
def test_bins_equal_r(name, cov):
    found, ref = model_of(name, cov).binned(), TOOLS[name][cov]["bins"]
    for column in ("est", "se", "median", "n", "linear"):
        np.testing.assert_allclose(found.table[column], ref[column], rtol=1e-8, err_msg=column)
    np.testing.assert_allclose([found.f, found.pvalue], [ref["f"], ref["p"]], rtol=1e-6)
    assert found.table["share"].sum() == pytest.approx(1) and found.table["support"].between(0, 1).all()


@pytest.mark.parametrize(("name", "cov"), SETS)
def test_equivalence_equals_r(name, cov):
    ref, model = TOOLS[name][cov]["tost"], model_of(name, cov)
    raw, partial = model.equivalence(0.1), model.equivalence(0.1, units="partial_r")
    np.testing.assert_allclose(raw.table["pvalue"], ref["p"], rtol=1e-7)
    np.testing.assert_allclose([raw.ci_lower, raw.ci_upper], ref["ci"], rtol=1e-8)
    np.testing.assert_allclose(partial.table["pvalue"], ref["p_r"], rtol=1e-7)
    np.testing.assert_allclose([partial.est, partial.ci_lower, partial.ci_upper], [ref["r"], *ref["ci_r"]], rtol=1e-8)
    inside = -0.1 < raw.ci_lower and raw.ci_upper < 0.1
    assert raw.equivalent == inside == (raw.pvalue < 0.05)


@pytest.mark.parametrize(("name", "cov"), [s for s in SETS if s[0] != "moderation"])
def test_groups_as_moderator_equal_r(name, cov):
    model, ref = model_of(name, cov, "g"), TOOLS[name][cov]["groups"]
    slopes = model.simple_slopes().set_index("g").loc[ref["names"]]
    np.testing.assert_allclose(slopes[["est", "se"]], np.column_stack([ref["est"], ref["se"]]), rtol=1e-8)
    pairs = model.slope_differences()
    order = [sorted(p) for p in zip(pairs["first"], pairs["second"], strict=True)]
    wanted = [list(p) for p in zip(np.atleast_1d(ref["first"]), np.atleast_1d(ref["second"]), strict=True)]
    place = [order.index(w) for w in wanted]
    np.testing.assert_allclose(pairs["pvalue"].iloc[place], np.atleast_1d(ref["p"]), rtol=1e-7)
    np.testing.assert_allclose(pairs["pvalue_holm"].iloc[place], np.atleast_1d(ref["holm"]), rtol=1e-7)
    np.testing.assert_allclose(model.steps[["f_change", "pvalue"]].iloc[-1], [ref["f"], ref["p_f"]], rtol=1e-7)


def test_the_words_of_the_tools_on_both_sides():
    bent, flat = model_of("moderation_bent", "nonrobust"), model_of("moderation", "nonrobust")
    assert "the data show an inverted U (p = 0.0" in repr(bent.inverted_u()) and bent.inverted_u().pvalue < 0.05
    assert "U not shown" in repr(flat.inverted_u()) and flat.inverted_u().pvalue > 0.05
    step = bent.data.assign(y=lambda d: d["y"] + 2 * d["x"] * ((d["m"] > 3) & (d["m"] < 4.5)))
    stepped = sc.moderate(step, y="y", x="x", moderator="m").binned()
    assert "the moderation bends" in repr(stepped) and stepped.pvalue < 0.05
    assert "is not shown to bend" in repr(flat.binned()) and flat.binned().pvalue > 0.05
    small, large = bent.equivalence(0.01), bent.equivalence(1)
    assert "cannot be excluded" in repr(small) and not small.equivalent
    assert "smaller than 1 in either direction" in repr(large) and large.equivalent
    upside_down = sc.moderate(bent.data.assign(y=-bent.data["y"]), y="y", x="x", moderator="m").inverted_u()
    assert upside_down.shape == "U" and "the data show a U" in repr(upside_down)
    assert upside_down.pvalue == pytest.approx(bent.inverted_u().pvalue)
    # a slope that only flattens has its turning point outside the data: no inverted U, whatever x:m^2 says
    part = bent.data[bent.data["m"] < 3.5]
    assert sc.moderate(part, y="y", x="x", moderator="m").inverted_u().pvalue == 1.0


# --- groups, two values, numbers stored as text ----------------------------------------------------------------------
CASE = HERE / "data" / "jn_three_way.csv"


def test_two_valued_second_moderator_is_taken_at_both_values():
    result = sc.moderate(pd.read_csv(CASE), y="y", x="x", moderator="m", second_moderator="g")
    jn = result.johnson_neyman()
    np.testing.assert_allclose(jn.inside, [2.956, 4.602], atol=5e-4)
    assert list(jn.regions["g"].unique()) == [0, 1]
    assert jn.regions.groupby("g")["n"].sum().tolist() == result.data["g"].value_counts().sort_index().tolist()
    np.testing.assert_allclose(jn.regions.groupby("g")["share"].sum(), 1)
    for text in (repr(jn), jn._repr_html_()):
        assert "g = 0: bounds" in text and "2.956" in text and "g = 1: bounds" in text and "4.602" in text
    assert result.johnson_neyman(second=1).inside == jn.inside[1:]
    assert list(result.simple_slopes(0)["g"]) == [0, 1]
    assert "w = 2.5" in repr(sc.moderate(DATA, y="y", x="x", moderator="m", second_moderator="w").johnson_neyman())
    words = pd.read_csv(CASE).assign(g=lambda d: d["g"].map({0: "no", 1: "yes"}))
    grouped = sc.moderate(words, y="y", x="x", moderator="m", second_moderator="g")
    np.testing.assert_allclose(sorted(grouped.johnson_neyman().inside), [2.956, 4.602], atol=5e-4)
    fig, ax = plt.subplots()
    jn.plot(ax)
    assert sorted(line.get_xdata()[0] for line in ax.lines if line.get_linestyle() == "--")[:1] != []
    plt.close(fig)


@pytest.mark.parametrize("moderator", ["contract", "two"])
def test_no_johnson_neyman_between_groups(moderator):
    data = DATA.assign(two=(DATA["contract"] == "prepaid").astype(int))
    result = sc.moderate(data, y="y", x="x", moderator=moderator)
    with pytest.raises(DataError, match=r"no region. Use simple_slopes\(\)"):
        result.johnson_neyman()
    assert len(result.simple_slopes()) == 2 and len(result.slope_differences()) == 1


def test_reference_group_is_the_largest_unless_asked_for():
    data = pd.read_csv(HERE / "data" / "moderation_bent.csv")
    model = sc.moderate(data, y="y", x="x", moderator="g")
    assert "x:g[north]" in model.coefficients.index and "x:g[east]" not in model.coefficients.index
    assert any("reference group 'east'" in w for w in model.warnings) and "reference group 'east'" in repr(model)
    west = sc.moderate(data, y="y", x="x", moderator="g", reference={"g": "west"})
    assert west.coefficients.loc["x:g[east]", "est"] == pytest.approx(-model.coefficients.loc["x:g[west]", "est"])
    assert west.r2 == pytest.approx(model.r2)
    with pytest.raises(DataError, match="reference 'wets' is not a group of 'g'.* 'west'"):
        sc.moderate(data, y="y", x="x", moderator="g", reference={"g": "wets"})
    with pytest.raises(DataError, match="'m', which does not enter"):
        sc.moderate(data, y="y", x="x", moderator="g", covariates="m", reference={"m": "1"})
    with pytest.raises(DataError, match="2 products"):
        _ = model.product


def test_a_codebook_declares_columns_nominal():
    data = pd.read_csv(HERE / "data" / "moderation_bent.csv")
    coded = data.assign(g=data["g"].map({"east": 1, "north": 2, "west": 3}))
    book = pd.DataFrame({"variable": ["g", "m"], "construct": ["Group ", "cost"]})
    words, codes = (sc.moderate(d, y="y", x="x", moderator="g", codebook=book) for d in (data, coded))
    np.testing.assert_allclose(codes.coefficients, words.coefficients)
    assert "x:g[2]" in codes.coefficients.index
    assert "x:g" in sc.moderate(coded, y="y", x="x", moderator="g").coefficients.index
    category = sc.moderate(coded.astype({"g": "category"}), y="y", x="x", moderator="g")
    np.testing.assert_allclose(category.coefficients, words.coefficients)


@pytest.mark.parametrize("how", [str, object, "category", "string"])
def test_numbers_stored_otherwise_stay_numbers(how):
    data = DATA.dropna()
    text = data.assign(age=data["age"].astype(int).astype(str if how in (str, "string") else int).astype(how))
    result = sc.moderate(text, y="y", x="x", moderator="m", covariates="age")
    plain = sc.moderate(data, y="y", x="x", moderator="m", covariates="age")
    pd.testing.assert_frame_equal(result.coefficients, plain.coefficients)
    assert any("'age' is stored as" in w for w in result.warnings)


@pytest.mark.parametrize("role", ["covariates", "moderator", "x", "y"])
@pytest.mark.parametrize("kind", ["date", "duration", "object dates"])
def test_dates_and_durations_are_refused(role, kind):
    days = pd.to_timedelta(np.arange(len(DATA)), unit="D")
    column = {"duration": days, "date": pd.Timestamp(2026, 1, 1) + days}.get(kind)
    column = [d.date() for d in pd.Timestamp(2026, 1, 1) + days] if column is None else column
    with pytest.raises(DataError, match="'when' holds dates or durations"):
        sc.moderate(DATA.assign(when=column), **(dict(y="y", x="x", moderator="m") | {role: "when"}))


@pytest.mark.parametrize("name", ["x:m", "Intercept"])
def test_no_two_rows_of_one_name(name):
    with pytest.raises(DataError, match=f"two terms of the model would be called '{name}'"):
        sc.moderate(DATA.assign(**{name: DATA["w"]}), y="y", x="x", moderator="m", covariates=name)


def test_too_many_texts_are_no_groups_and_cells_of_text_are_named():
    with pytest.raises(DataError, match="180 different texts in 180 rows|different texts"):
        sc.moderate(DATA.assign(who=[f"p{i}" for i in range(len(DATA))]), y="y", x="x", moderator="m", covariates="who")
    mixed = DATA.dropna().assign(age=lambda d: ["none", *d["age"].iloc[1:].astype(str)])
    with pytest.raises(DataError, match="'age' holds text in 1 rows: 'none'"):
        sc.moderate(mixed, y="y", x="x", moderator="m", covariates="age")
    with pytest.raises(DataError, match="one group only"):
        sc.moderate(DATA.assign(g="a"), y="y", x="x", moderator="g")


# --- rules at the edge ------------------------------------------------------------------------------------------------
def test_a_row_that_alone_decides_a_coefficient_has_no_hc3():
    data = DATA.dropna().assign(only=lambda d: (np.arange(len(d)) == 3).astype(float))
    with pytest.raises(DataError, match="leverage 1"):
        sc.moderate(data, y="y", x="x", moderator="m", covariates="only", cov_type="HC3")
    sc.moderate(data, y="y", x="x", moderator="m", covariates="only")


def test_in_range_looks_at_both_moderators():
    model = sc.moderate(DATA, y="y", x="x", moderator="m", second_moderator="w")
    table = model.simple_slopes((3.0, 99.0), kind="value", second=(2.5, -99.0))
    assert table["in_range"].tolist() == [True, False, False, False]


def test_joint_test_needs_more_clusters_than_terms():
    data = DATA.dropna().assign(few=lambda d: np.arange(len(d)) % 3)
    model = sc.moderate(
        data, y="y", x="x", moderator="m", covariates=["age", "w", "contract"], cov_type="cluster", cluster="few"
    )
    assert model.df_test == 2
    assert np.isnan(model.steps["f_change"].iloc[0]) and np.isnan(model.steps["pvalue"].iloc[0])
    assert np.isfinite(model.steps["f_change"].iloc[1])  # two main effects, two degrees of freedom


def test_samples_without_variance_are_left_out_and_too_many_of_them_refused():
    data = DATA.dropna().assign(rare=lambda d: (np.arange(len(d)) < 4).astype(float))
    table = sc.moderate(data, y="y", x="x", moderator="m", covariates="rare").bootstrap(1000, seed=1)
    assert 950 < table["n_boot"].iloc[0] < 1000 and np.isfinite(table["se"]).all()
    with pytest.raises(DataError, match="samples could not be estimated"):
        sc.moderate(
            data.assign(rare=np.arange(len(data)) == 0), y="y", x="x", moderator="m", covariates="rare"
        ).bootstrap(200)


def test_names_from_data_are_escaped_and_results_cannot_be_changed():
    name = "<img src=x onerror=1>"
    model = sc.moderate(DATA.rename(columns={"m": name}), y="y", x="x", moderator=name)
    for result in (model, model.johnson_neyman(), model.inverted_u(), model.binned(), model.equivalence(1)):
        assert "<img" not in result._repr_html_()
        assert result.n_obs == model.n_used and result == result and result in [result] and hash(result)
        with pytest.raises(AttributeError):
            result.level = 0.5


# --- specification curve --------------------------------------------------------------------------------------------
def curve_of(**changes):
    options = {
        "y": "y", "x": "x", "moderator": {"the moderator": "m"}, "quadratic": [False, True],
        "covariates": {"none": [], "age": ["age"]}, "rows": {"all": None, "young": DATA["age"] < DATA["age"].median()},
    } | changes  # fmt: skip
    return sc.specification_curve(DATA, **options)


def test_specification_curve_is_every_combination_and_each_row_is_that_model():
    curve = curve_of()
    assert curve.choices == {"covariates": ("none", "age"), "rows": ("all", "young"), "quadratic": ("False", "True")}
    assert len(curve.table) == 8 and curve.table["est"].is_monotonic_increasing
    row = curve.table.query("covariates == 'age' and rows == 'young' and quadratic == 'True'").iloc[0]
    young = DATA[DATA["age"] < DATA["age"].median()]
    model = sc.moderate(young, y="y", x="x", moderator="m", covariates=["age"], quadratic=True)
    used = young[["y", "x", "m", "age"]].dropna()
    z = (used - used.mean()) / used.std()
    by_hand = sc.moderate(z, y="y", x="x", moderator="m", covariates=["age"], quadratic=True)
    agree(row.to_frame().T.astype({c: float for c in COLUMNS}), by_hand.coefficients.loc[["x:m"]].to_dict("list"))
    assert row["n_obs"] == model.n_obs < curve.n_obs
    assert f"8 specifications of one product, n = {curve.table['n_obs'].min()} to {curve.n_obs}" in repr(curve)


def test_specification_curve_says_which_choice_cannot_be_estimated():
    with pytest.raises(DataError, match=r"covariates twice.*cannot be estimated.*'x' has two roles"):
        curve_of(covariates={"none": [], "twice": ["x"]})
    with pytest.raises(DataError, match="rows 'odd' must be one True or False for each of the"):
        curve_of(rows={"odd": DATA["age"]})
    with pytest.raises(DataError, match="has groups"):
        sc.specification_curve(
            DATA.assign(g=np.where(DATA["m"] > DATA["m"].median(), "a", "b")), y="y", x="x", moderator="g"
        )


def test_specification_curve_draws_each_estimate_and_each_option():
    upper, lower = curve_of().plot()
    assert sum(len(c.get_offsets()) for c in upper.collections if hasattr(c, "get_sizes")) >= 8
    assert [t.get_text() for t in lower.get_yticklabels()] == [
        "covariates: none", "covariates: age", "rows: all", "rows: young", "quadratic: False", "quadratic: True",
    ]  # fmt: skip
    assert sum(len(c.get_offsets()) for c in lower.collections) == 3 * 8
    plt.close("all")
