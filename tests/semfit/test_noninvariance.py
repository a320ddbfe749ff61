"""dMACS and its signed form against their definition."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.integrate import quad
from scipy.stats import norm

import semfit
from semfit.errors import DataError

MODEL = "f =~ x1 + x2 + x3 + x4 + x5"


def groups(n: int, shift: float, seed: int = 5) -> pd.DataFrame:
    """Two groups; the second one's latent is higher, and it answers x3 ``shift`` higher than its latent says."""
    rng = np.random.default_rng(seed)
    f = np.concatenate([rng.normal(0, 1, n), rng.normal(0.4, 1.2, n)])
    x = 0.8 * f[:, None] + 0.6 * rng.normal(size=(2 * n, 5))
    x[n:, 2] += shift
    return pd.DataFrame(x, columns=["x1", "x2", "x3", "x4", "x5"]).assign(site=np.repeat(["a", "b"], n))


def test_a_shifted_intercept_has_its_size_and_sign():
    data = groups(4000, -0.5)
    table = semfit.invariance(MODEL, data, "site").effect_sizes().set_index("item")
    sd = np.sqrt(data.groupby("site")["x3"].var().mean())
    assert table.loc["x3", "signed"] == pytest.approx(-0.5 / sd, abs=0.04)
    assert table.loc["x3", "dmacs"] == pytest.approx(0.5 / sd, abs=0.04)
    assert table.index[0] == "x3" and (table.drop("x3")["dmacs"] < 0.15).all()
    assert table["n"].tolist() == [8000] * 5


def test_the_integral_is_that_of_the_definition():
    data = groups(600, 0.4, seed=9)
    data.loc[600:, "x2"] *= 1.3
    found = semfit.invariance(MODEL, data, "site").effect_sizes().set_index("item").loc["x2"]
    fit = semfit.fit(
        MODEL,
        data,
        group="site",
        group_equal=["loadings", "intercepts"],
        group_partial=["f =~ x2", "x2 ~ 1"],
        std_lv=True,
    )
    e = fit.estimates.set_index(["lhs", "op", "rhs", "group"])["est"]
    mean, sd = e["f", "~1", "", 2], np.sqrt(e["f", "~~", "f", 2])

    def difference(eta: float) -> float:
        one, two = (e["x2", "~1", "", g] + e["f", "=~", "x2", g] * eta for g in (1, 2))
        return two - one

    pooled = np.sqrt(data.groupby("site")["x2"].var().mean())
    square = quad(lambda t: difference(t) ** 2 * norm.pdf(t, mean, sd), -12, 12)[0]
    assert found["dmacs"] == pytest.approx(np.sqrt(square) / pooled, rel=1e-6)
    assert found["signed"] == pytest.approx(
        quad(lambda t: difference(t) * norm.pdf(t, mean, sd), -12, 12)[0] / pooled, rel=1e-6
    )


def test_ordered_items_are_compared_in_categories():
    data = groups(3000, 0.0)
    codes = data.copy()
    for item in ("x1", "x2", "x3", "x4", "x5"):
        codes[item] = np.digitize(data[item], [-1, 0, 1])
    late = np.digitize(data["x4"], [-0.4, 0.6, 1.6])  # the second group needs more to choose the same category
    codes.loc[data["site"] == "b", "x4"] = late[data["site"] == "b"]
    table = semfit.invariance(MODEL, codes, "site", ordered=True).effect_sizes().set_index("item")
    in_b = data["site"] == "b"
    expected = (late[in_b] - np.digitize(data["x4"], [-1, 0, 1])[in_b]).mean()
    sd = np.sqrt(codes.groupby("site")["x4"].var().mean())
    assert table.loc["x4", "signed"] == pytest.approx(expected / sd, abs=0.06)
    assert table.index[0] == "x4" and (table.drop("x4")["dmacs"] < 0.5 * table.loc["x4", "dmacs"]).all()


def test_what_cannot_be_compared():
    fit = semfit.fit(MODEL, groups(100, 0.0))
    with pytest.raises(DataError, match="this fit has one"):
        semfit.effect_sizes(fit)


def test_what_is_free_anyway_is_no_anchor():
    """One question is shifted; once it is released, the others have no shift of their own left."""
    data = groups(4000, -0.9)
    tied = semfit.invariance(MODEL, data, "site").effect_sizes().set_index("item")["signed"]
    freed = semfit.invariance(MODEL, data, "site", group_partial=["x3 ~ 1"]).effect_sizes().set_index("item")["signed"]
    assert (tied.drop("x3") > 0.08).all() and (freed.drop("x3").abs() < 0.05).all()
    assert freed["x3"] == pytest.approx(tied["x3"], abs=1e-6)


def test_items_of_second_order_models_have_sizes():
    rng = np.random.default_rng(8)
    n = 2000
    group = np.repeat(["a", "b"], n)
    h = rng.normal(size=2 * n) + 0.3 * (group == "b")
    facets = {f: b * h + 0.6 * rng.normal(size=2 * n) for f, b in zip("ABC", (0.8, 0.7, 0.6), strict=True)}
    data = pd.DataFrame(
        {f"{f.lower()}{k}": facets[f] + 0.6 * rng.normal(size=2 * n) for f in "ABC" for k in (1, 2, 3)}
    ).assign(g=group)
    data.loc[group == "b", "b2"] += 0.5
    model = "A =~ a1 + a2 + a3\nB =~ b1 + b2 + b3\nC =~ c1 + c2 + c3\nh =~ A + B + C"
    sizes = semfit.invariance(model, data, "g").effect_sizes()
    assert sizes["item"].iloc[0] == "b2"
    pooled = np.sqrt(data.groupby("g")["b2"].var().mean())
    assert sizes["signed"].iloc[0] == pytest.approx(0.5 / pooled, abs=0.08)
    assert sizes.loc[sizes["item"].str[0] != "b", "dmacs"].max() < 0.12
