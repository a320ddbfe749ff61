"""Latent interactions: the LMS likelihood against brute force, product indicators against lavaan, and misuse."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import semfit
from semfit.errors import DataError
from semfit.interaction import lms as engine
from semfit.interaction.latent import latent_interaction
from semfit.interaction.specification import specify
from semfit.syntax import parse

HERE = Path(__file__).parents[1] / "reference"
LINEAR = "x =~ x1 + x2 + x3; m =~ m1 + m2 + m3; c =~ c1 + c2 + c3; y =~ y1 + y2 + y3; y ~ x + m + c"
NAMES = {"x": "x", "moderator": "m", "y": "y"}


@pytest.fixture(scope="module")
def data() -> pd.DataFrame:
    return pd.read_csv(HERE / "data" / "latent_interaction.csv")


@pytest.fixture(scope="module")
def lavaan() -> dict:
    return json.loads((HERE / "latent_interaction.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def lms(data):
    return latent_interaction(LINEAR, data, **NAMES, method="lms")


def spec_of(text, data, x="x", moderator="m", y="y"):
    parsed = parse(text)
    latents = {t.lhs for t in parsed.terms if t.op == "=~"}
    observed = list(dict.fromkeys(n for t in parsed.terms for n in (t.lhs, t.rhs) if n and n not in latents))
    spec = specify(parsed, data[observed], x, moderator, y)
    raw = data[spec.items].to_numpy()
    return spec, (raw - raw.mean(axis=0)) / raw.std(axis=0)


def row(result, lhs, op, rhs):
    t = result.estimates
    return t[(t["lhs"] == lhs) & (t["op"] == op) & (t["rhs"] == rhs)].iloc[0]


# --- LMS: likelihood and gradient ---------------------------------------------------------------------------------
def test_density_equals_integration_over_both_latents(data):
    """Integrate p(items | x, m) p(x, m) on a plain grid, without any of the mixture algebra."""
    text = "x =~ x1 + x2 + x3; m =~ m1 + m2 + m3; y =~ y1 + y2 + y3; y ~ x + m"
    spec, Y = spec_of(text, data)
    theta = spec.start + np.random.default_rng(3).uniform(-0.1, 0.1, len(spec.start))
    theta[-1] = 0.35
    m = spec.structure.matrices(theta)
    lam, psi, noise = m["lambda"], m["psi"], np.diag(m["theta"])
    grid = np.linspace(-6, 6, 241) * np.sqrt(0.6)
    gx, gm = np.meshgrid(grid, grid, indexing="ij")
    points = np.stack([gx.ravel(), gm.ravel()], axis=1)
    prior = np.linalg.inv(psi[:2, :2])
    density = (
        np.exp(-0.5 * np.einsum("ij,jk,ik->i", points, prior, points)) * np.sqrt(np.linalg.det(prior)) / (2 * np.pi)
    )
    expected = (
        m["beta"][2, 0] * points[:, 0] + m["beta"][2, 1] * points[:, 1] + m["omega"][0] * points[:, 0] * points[:, 1]
    )
    cov_y = psi[2, 2] * np.outer(lam[6:, 2], lam[6:, 2]) + np.diag(noise[6:])
    brute = []
    for row_ in Y[:6]:
        e = row_ - m["tau"]
        logp = -0.5 * np.sum(
            (e[:3] - np.outer(points[:, 0], lam[:3, 0])) ** 2 / noise[:3] + np.log(2 * np.pi * noise[:3]),
            axis=1,
        )
        logp -= 0.5 * np.sum(
            (e[3:6] - np.outer(points[:, 1], lam[3:6, 1])) ** 2 / noise[3:6] + np.log(2 * np.pi * noise[3:6]),
            axis=1,
        )
        away = e[6:] - np.outer(expected, lam[6:, 2])
        logp -= 0.5 * (
            np.einsum("ij,jk,ik->i", away, np.linalg.inv(cov_y), away) + np.linalg.slogdet(2 * np.pi * cov_y)[1]
        )
        brute.append(np.log(np.sum(np.exp(logp) * density) * (grid[1] - grid[0]) ** 2))
    ours = engine.casewise(spec.structure, theta, Y[:6], *engine.nodes(0.15, 7))
    assert np.allclose(ours, brute, rtol=0, atol=1e-9)


@pytest.mark.parametrize(
    "text",
    [
        LINEAR,
        # a latent covariate before x, an outcome after y, a shared label, a residual covariance, an observed predictor
        "q =~ c1 + c2 + c3; x =~ x1 + a*x2 + a*x3; m =~ NA*m1 + m2 + m3; m ~~ 1*m; y =~ y1 + y2; z =~ y3; y3 ~~ 0.05*y3;"
        "x ~ q; y ~ x + m + age; z ~ y + x; x1 ~~ m1",
        # a second-order factor as moderator
        "f1 =~ m1 + m2; f2 =~ m3 + c1; f3 =~ c2 + c3; m =~ f1 + f2 + f3; x =~ x1 + x2 + x3; y =~ y1 + y2 + y3; y ~ x + m",
    ],
)
def test_gradient_equals_finite_differences(data, text):
    data = data.assign(age=np.linspace(20, 70, len(data)) + 3 * data["x1"])
    spec, Y = spec_of(text, data)
    theta = spec.start + np.random.default_rng(5).uniform(-0.08, 0.08, len(spec.start))
    theta[-1] = 0.3
    z, log_w = engine.nodes(0.4, 5)
    value, gradient = engine.value_and_gradient(spec.structure, theta, Y, z, log_w)
    assert np.isfinite(value)
    numeric = np.array([
        (engine.value_and_gradient(spec.structure, theta + e, Y, z, log_w)[0]
         - engine.value_and_gradient(spec.structure, theta - e, Y, z, log_w)[0]) / 2e-5
        for e in np.eye(len(theta)) * 1e-5
    ])  # fmt: skip
    assert np.allclose(gradient, numeric, rtol=1e-5, atol=1e-4)
    theta[-1] = 0.0  # without the product the mixture is the normal model, gradient included
    mixture, by_mixture = engine.value_and_gradient(spec.structure, theta, Y, *engine.nodes(0.15, 8))
    linear, by_moments = engine.linear_value_and_gradient(spec.structure, theta, np.zeros(Y.shape[1]), Y.T @ Y / len(Y))
    assert mixture == pytest.approx(len(Y) * linear, abs=1e-7)
    assert np.allclose(by_mixture[:-1], len(Y) * by_moments[:-1], atol=1e-6)


def test_trapezoid_agrees_with_many_gauss_hermite_nodes(data, lms):
    spec, Y = spec_of(LINEAR, data)
    theta = np.append(spec.start[:-1], 0.3)
    z, weight = np.polynomial.hermite_e.hermegauss(100)
    hermite = engine.casewise(spec.structure, theta, Y, z, np.log(weight / weight.sum())).sum()
    assert engine.casewise(spec.structure, theta, Y, *engine.nodes(0.25, 8)).sum() == pytest.approx(hermite, abs=1e-6)


# --- LMS: the fitted model ----------------------------------------------------------------------------------------
def test_model_without_the_product_has_lavaans_likelihood(lms, lavaan):
    reference = lavaan["linear"]["measures"]
    assert lms.lr_test.loc[0, "logl_without"] == pytest.approx(reference["logl"], abs=1e-6)
    assert lms.measures["npar"] == reference["npar"] + 1


def test_maximum_and_information(data, lms):
    """Moving any parameter from the optimum lowers the likelihood; the product is near its true 0.3."""
    assert lms.converged and lms.warnings == ()
    assert lms.product["rhs"] == "x:m"
    # true effect .3 on unit factors; markers scale x by 1, m by 2, y by .5
    assert abs(lms.product["est"] / (0.5 / 2) - 0.3) < 2.5 * lms.product["se"] / (0.5 / 2)
    lr = lms.lr_test.loc[0]
    assert lr["chisq_diff"] == pytest.approx(lms.product["z"] ** 2, rel=0.25)
    assert lms.measures["logl"] == lr["logl_with"] > lr["logl_without"]


def test_units_of_the_items_do_not_matter(data, lms):
    scaled = data.assign(x1=data["x1"] * 1000 - 7, y2=data["y2"] / 40, m1=9 - data["m1"])
    other = latent_interaction(LINEAR, scaled, **NAMES, method="lms")
    assert other.lr_test.loc[0, "chisq_diff"] == pytest.approx(lms.lr_test.loc[0, "chisq_diff"], abs=1e-5)
    assert other.product["std_all"] == pytest.approx(-lms.product["std_all"], abs=1e-5)
    assert other.product["z"] == pytest.approx(-lms.product["z"], abs=1e-3)


def test_x_and_moderator_change_places(data, lms):
    other = latent_interaction(LINEAR, data, x="m", moderator="x", y="y", method="lms")
    assert other.product["est"] == pytest.approx(lms.product["est"], abs=1e-6)


def test_which_factor_the_quadrature_runs_over_does_not_matter(data):
    spec, Y = spec_of(LINEAR, data)
    theta = np.append(spec.start[:-1], 0.3)
    other = engine.Structure(**{**spec.structure.__dict__, "x": 1, "moderator": 0})
    z, log_w = engine.nodes(0.15, 8)
    a, ga = engine.value_and_gradient(spec.structure, theta, Y, z, log_w)
    b, gb = engine.value_and_gradient(other, theta, Y, z, log_w)
    assert a == pytest.approx(b, abs=1e-8) and np.allclose(ga, gb, atol=1e-6)


def test_standardised_effect_uses_the_products_own_share_of_the_outcome(lms):
    phi = lms.latent_cov
    effect = {n: row(lms, "y", "~", n)["est"] for n in ("x", "m", "c", "x:m")}
    names = ["x", "m", "c"]
    b = np.array([effect[n] for n in names])
    linear = b @ phi.loc[names, names].to_numpy() @ b + row(lms, "y", "~~", "y")["est"]
    product = effect["x:m"] ** 2 * (phi.loc["x", "x"] * phi.loc["m", "m"] + phi.loc["x", "m"] ** 2)
    assert phi.loc["y", "y"] == pytest.approx(linear + product, rel=1e-10)
    std = effect["x:m"] * np.sqrt(phi.loc["x", "x"] * phi.loc["m", "m"] / phi.loc["y", "y"])
    assert lms.product["std_all"] == pytest.approx(std, rel=1e-10)


@pytest.mark.parametrize("method", ["lms", "product"])
def test_slopes_bounds_and_table_agree(data, method):
    r = latent_interaction(LINEAR, data, **NAMES, method=method)
    slopes = r.simple_slopes((-1, 0, 1))
    assert slopes.loc[1, "est"] == row(r, "y", "~", "x")["est"]
    assert slopes.loc[1, "se"] == pytest.approx(row(r, "y", "~", "x")["se"], rel=1e-10)
    sd = np.sqrt(r.latent_cov.loc["m", "m"])
    assert slopes.loc[2, "est"] - slopes.loc[0, "est"] == pytest.approx(2 * sd * r.product["est"], rel=1e-10)
    jn = r.johnson_neyman()
    at_bounds = r.simple_slopes(jn.bounds, kind="value")
    assert len(jn.bounds) == 2 and np.allclose(np.abs(at_bounds["z"]), jn.critical_z)
    assert jn.regions["share"].sum() == pytest.approx(0.9973, abs=1e-4)


def test_robust_errors_are_near_the_others_for_normal_data(data, lms):
    robust = latent_interaction(LINEAR, data, **NAMES, method="lms", se="robust")
    free = lms.estimates["se"].notna()
    ratio = robust.estimates.loc[free, "se"] / lms.estimates.loc[free, "se"]
    assert robust.product["est"] == lms.product["est"]
    assert ratio.between(0.6, 1.6).all() and ratio.mean() == pytest.approx(1, abs=0.1)
    assert not np.allclose(ratio, 1, atol=1e-3)


def test_factor_scores_follow_the_items(data, lms):
    scores = lms.factor_scores()
    assert scores.shape == (300, 4) and list(scores.index) == list(data.index)
    assert np.corrcoef(scores["x"], data[["x1", "x2", "x3"]].mean(axis=1))[0, 1] > 0.95
    assert np.abs(scores.mean()).max() < 0.1


def test_plot_draws_the_slopes_of_the_table(lms):
    import matplotlib

    matplotlib.use("Agg")
    ax = lms.plot(at=(-1, 1))
    lines = ax.get_lines()
    drawn = [np.polyfit(*line.get_data(), 1)[0] for line in lines]
    assert np.allclose(drawn, lms.simple_slopes((-1, 1))["est"])
    # at the mean of x and moderator the outcome is below its own mean by what the product adds on average
    middle = np.mean([np.interp(0, *line.get_data()) for line in lines])
    assert middle == pytest.approx(-lms.product["est"] * lms.latent_cov.loc["x", "m"])


def test_monte_carlo_table_meets_the_targets():
    """The committed table: LMS on normal answers is unbiased, with honest intervals and tests."""
    table = pd.read_csv(HERE.parents[1] / "benchmarks" / "lms_montecarlo.csv")
    normal = table[(table["answers"] == "normal") & (table["method"] == "lms")].set_index(["true", "reliability"])
    assert (normal["samples"] == 500).all() and (normal["failed"] == 0).all()
    assert normal.loc[0.2, "bias_percent"].abs().max() < 5
    assert normal["coverage"].between(0.92, 0.97).all()
    assert normal.loc[0.0, "significant_wald"].between(0.035, 0.065).all()


def test_missing_rows_are_counted(data):
    gaps = data.copy()
    gaps.loc[:9, "x1"] = np.nan
    r = latent_interaction(LINEAR, gaps, **NAMES, method="lms")
    assert (r.n_obs, r.n_dropped) == (290, 10) and "10 dropped" in repr(r)


# --- product indicators -------------------------------------------------------------------------------------------
@pytest.mark.parametrize("kind", ["matched", "all"])
def test_product_indicators_equal_lavaan(data, lavaan, kind):
    r = latent_interaction(LINEAR, data, **NAMES, indicators=kind)
    reference = pd.DataFrame(lavaan[kind]["estimates"]).replace({"xm": "x:m"})
    both = reference.merge(r.estimates, on=["lhs", "op", "rhs"], how="outer", suffixes=("_lavaan", ""), indicator=True)
    assert (both["_merge"] == "both").all() and len(both) == len(r.estimates)
    assert np.allclose(both["est"], both["est_lavaan"], atol=1e-5)
    assert np.allclose(both["se"].fillna(0), both["se_lavaan"], atol=1e-5)
    product = (both["lhs"] == "y") & (both["rhs"] == "x:m")
    assert np.allclose(both.loc[~product, "std_all"], both.loc[~product, "std.all"], atol=1e-5)
    # lavaan standardises by the spread of the product factor, we by those of its two factors
    phi = r.latent_cov
    ratio = np.sqrt(phi.loc["x", "x"] * phi.loc["m", "m"] / phi.loc["x:m", "x:m"])
    assert np.allclose(both.loc[product, "std_all"], both.loc[product, "std.all"] * ratio, atol=1e-5)
    for name, value in lavaan[kind]["measures"].items():
        assert r.measures[name] == pytest.approx(value, abs=1e-5), name


def test_product_indicators_against_the_model_without_the_product(data, lavaan):
    r = latent_interaction(LINEAR, data, **NAMES)
    expected = lavaan["matched"]["chisq_without"] - lavaan["matched"]["measures"]["chisq"]
    assert r.lr_test.loc[0, "chisq_diff"] == pytest.approx(expected, abs=1e-5)
    assert r.lr_test.loc[0, "df_diff"] == 1


def test_robust_product_indicators_equal_lavaan(data, lavaan):
    r = latent_interaction(LINEAR, data, **NAMES, estimator="MLR")
    reference = pd.DataFrame(lavaan["matched"]["estimates"]).replace({"xm": "x:m"})
    reference["robust"] = lavaan["matched"]["robust_se"][: len(reference)]
    both = reference.merge(r.estimates, on=["lhs", "op", "rhs"], suffixes=("_lavaan", ""))
    assert np.allclose(both["se"].fillna(0), both["robust"], atol=1e-5)
    assert r.slope_cov.loc["x:m", "x:m"] == pytest.approx(r.product["se"] ** 2, rel=1e-9)


def test_lms_warns_of_a_ceiling_and_product_indicators_do_not_need_to(data):
    """Linear data with a ceiling: LMS finds an interaction that is not there, and says that it might."""
    rng = np.random.default_rng(2)
    f = rng.multivariate_normal([0, 0], [[1, 0.4], [0.4, 1]], 1500)
    y = 0.5 * f[:, 0] + 0.4 * f[:, 1] + rng.normal(0, 0.6, 1500)
    items = np.repeat(np.column_stack([f, y]), 3, axis=1) + rng.normal(0, 0.5, (1500, 9))
    frame = pd.DataFrame(items, columns=[f"{s}{k}" for s in "xmy" for k in (1, 2, 3)]).clip(upper=0.4)
    text = "x =~ x1 + x2 + x3; m =~ m1 + m2 + m3; y =~ y1 + y2 + y3; y ~ x + m"
    r = latent_interaction(text, frame, **NAMES, method="lms")
    assert r.product["z"] < -3 and any("skewed answers" in w for w in r.warnings)
    made = r.placebo(5, seed=1)  # has the ceilings and no interaction, and the same is found
    assert made["std_all"].mean() == pytest.approx(r.product["std_all"], abs=0.1) and (made["pvalue"] < 0.05).all()
    assert r.placebo(2, seed=1).equals(made.iloc[:2])


def test_placebo_finds_nothing_in_normal_answers(lms):
    made = lms.placebo(8)
    assert made["converged"].all() and abs(made["std_all"].mean()) < 0.08
    assert abs(made["std_all"]).max() < lms.product["std_all"]


def test_items_that_enter_no_product_are_named(data):
    r = latent_interaction(LINEAR.replace("m1 + m2 + m3", "m1 + m2"), data, **NAMES)
    assert any("x3 enter no product" in w for w in r.warnings)


def test_product_needs_marker_items(data):
    text = LINEAR.replace("x =~ x1", "x =~ NA*x1") + "; x ~~ 1*x"
    with pytest.raises(ValueError, match="must take its unit from a marker"):
        latent_interaction(text, data, **NAMES)
    assert latent_interaction(text, data, **NAMES, method="lms").converged


# --- single items -------------------------------------------------------------------------------------------------
def test_stated_reliability_undoes_attenuation():
    rng = np.random.default_rng(11)
    n = 4000
    f = rng.multivariate_normal([0, 0], [[1, 0.3], [0.3, 1]], n)
    eta = 0.5 * f[:, 0] + 0.3 * f[:, 1] + 0.25 * f[:, 0] * f[:, 1] + rng.normal(0, 0.6, n)
    frame = pd.DataFrame({"x1": f[:, 0] + rng.normal(0, np.sqrt(3 / 7), n)})
    for name, v in (("m", f[:, 1]), ("y", eta)):
        for k in (1, 2, 3):
            frame[f"{name}{k}"] = v + rng.normal(0, 0.5, n)
    text = "x =~ x1; m =~ m1 + m2 + m3; y =~ y1 + y2 + y3; y ~ x + m"
    for method in ("lms", "product"):
        r = latent_interaction(text, frame, **NAMES, method=method, reliability={"x": 0.7})
        assert r.product["est"] == pytest.approx(0.25, abs=3 * r.product["se"]), method
        assert r.product["se"] < 0.03
        naive = latent_interaction(text, frame, **NAMES, method=method, reliability={"x": 1.0})
        assert naive.product["est"] < r.product["est"] - 0.03, method


def test_heywood_case_is_held_at_its_bound_and_named():
    rng = np.random.default_rng(1)
    f = rng.normal(size=(60, 2))
    y = 0.5 * f[:, 0] + 0.3 * f[:, 1] + rng.normal(0, 0.6, 60)
    items = np.repeat(np.column_stack([f, y]), 3, axis=1) + rng.normal(0, 1, (60, 9))
    frame = pd.DataFrame(items, columns=[f"{s}{k}" for s in "xmy" for k in (1, 2, 3)])
    text = "x =~ x1 + x2; m =~ m1 + m2 + m3; y =~ y1 + y2 + y3; y ~ x + m"
    r = latent_interaction(text, frame, **NAMES, method="lms")
    assert r.converged and any("'x1' was held at its lower bound" in w for w in r.warnings)
    held = row(r, "x1", "~~", "x1")
    assert held["est"] == pytest.approx(0.005 * frame["x1"].var(ddof=0)) and np.isnan(held["se"])
    assert np.isfinite(r.product["se"])


# --- misuse -------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("text", "extra", "message"),
    [
        (LINEAR, {"method": "LMS"}, "method must be one of 'product', 'lms'"),
        (LINEAR, {"moderator": "mm"}, "moderator='mm' is not a latent"),
        (LINEAR, {"moderator": "x"}, "three different latents"),
        (LINEAR.replace("x + m + c", "x + c"), {}, "has no 'y ~ m'"),
        (LINEAR + "; x ~ y", {}, "has an effect on"),
        (LINEAR.replace("m1 + m2", "x1 + m2"), {}, "share items"),
        (LINEAR.replace("x1 + x2 + x3", "x1"), {}, "State a reliability"),
        (LINEAR.replace("x1 + x2 + x3", "x1"), {"reliability": {"x": 1.2}}, "must lie above 0"),
        (LINEAR, {"reliability": {"x": 0.8}}, "has 3: its items tell"),
        (LINEAR.replace("x2", "x9"), {}, "'x9' is not a column"),
        (LINEAR + "; y ~ x:m", {}, "interaction terms"),
        (LINEAR, {"method": "lms", "estimator": "MLR"}, "use se='robust'"),
        (LINEAR, {"se": "robust"}, "use estimator='MLR'"),
    ],
)
def test_bad_input_is_explained(data, text, extra, message):
    with pytest.raises(ValueError, match=message):
        latent_interaction(text, data, **{**NAMES, **extra})


def test_lms_refuses_what_it_cannot_do(data):
    with pytest.raises(ValueError, match="single item|measured without error"):
        latent_interaction("x =~ x1; m =~ m1; y =~ y1 + y2; y ~ x + m", data, **NAMES, method="lms",
                           reliability={"x": 1.0, "m": 1.0})  # fmt: skip
    with pytest.raises(ValueError, match="item of a factor that is also in a regression"):
        latent_interaction(LINEAR + "; x2 ~ c", data, **NAMES, method="lms")


# -- an explained moderator -----------------------------------------------------------------------------------------
@pytest.mark.parametrize("more", ["", "; cost ~ sat", "\nsat ~ cost  # the other way round"])
def test_an_explained_moderator_changes_nothing(more):
    # equivalent models: the residual of the explained one covaries with the product, as the factor itself did
    data = pd.read_csv(
        Path(__file__).resolve().parents[1] / "reference/cases/latent_interaction_endogenous_moderator.csv"
    )
    model = "sat =~ s1 + s2 + s3; cost =~ c1 + c2 + c3; loy =~ l1 + l2 + l3; loy ~ sat + cost"
    r = semfit.latent_interaction(model + more, data, x="sat", moderator="cost", y="loy")
    assert r.measures["df"] == 48 and r.product["est"] == pytest.approx(0.2541, abs=5e-5)


def test_results_compare_hash_and_print_safely():
    data = pd.read_csv(
        Path(__file__).resolve().parents[1] / "reference/cases/latent_interaction_endogenous_moderator.csv"
    )
    model = "sat =~ s1 + s2 + s3; cost =~ c1 + c2 + c3; loy =~ l1 + l2 + l3; loy ~ sat + cost"
    r = semfit.latent_interaction(model, data, x="sat", moderator="cost", y="loy")
    jn = r.johnson_neyman()
    assert r == r and jn in [jn] and isinstance(hash(r), int) and r.summary() == repr(r)
    for level in (0, 1, 95, -1, "x", None):
        with pytest.raises(DataError, match="level must be a number between 0 and 1"):
            semfit.latent_interaction(model, data, x="sat", moderator="cost", y="loy", level=level)
    with pytest.raises(DataError, match="alpha must be"):
        r.johnson_neyman(alpha=5)
