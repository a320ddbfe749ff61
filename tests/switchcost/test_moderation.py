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
    result = two(cov_type=cov_type, groups="clu" if cov_type == "cluster" else None)
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
            assert (region["slope"] != "not told from zero") == verdict
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
        sc.moderate(mixed, y="y", x="x", moderator="m", cov_type="cluster", groups="clu").coefficients,
        sc.moderate(DATA, y="y", x="x", moderator="m", cov_type="cluster", groups="clu").coefficients,
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
    clustered = two(cov_type="cluster", groups="clu").bootstrap(1500, seed=4)
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
    assert "contract[contract]" in result.coefficients.index and "contract[none]" not in result.coefficients.index
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
        (dict(moderator="contract"), "holds text"),
        (dict(cov_type="HC4"), "must be one of 'nonrobust', 'HC3', 'cluster'"),
        (dict(cov_type="cluster"), "groups= belong together"),
        (dict(level=95), "level is a probability"),
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
