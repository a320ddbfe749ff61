"""LMS against a second implementation of its likelihood, in base R (tests/reference/lms.R)."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from semfit.interaction.latent import latent_interaction

HERE = Path(__file__).parents[1] / "reference"
MODEL = "x =~ x1 + x2 + x3; m =~ m1 + m2 + m3; y =~ y1 + y2 + y3; y ~ x + m"


@pytest.fixture(scope="module")
def reference() -> dict:
    return json.loads((HERE / "lms.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def fit():
    data = pd.read_csv(HERE / "data" / "latent_interaction.csv")
    return latent_interaction(MODEL, data, x="x", moderator="m", y="y", method="lms")


def test_the_maximum_is_the_same(fit, reference):
    assert reference["largest_gradient"] < 1e-5
    assert fit.measures["logl"] == pytest.approx(reference["logl"], abs=1e-5)
    assert fit.measures["npar"] == reference["npar"]


def test_estimates_and_standard_errors_are_the_same(fit, reference):
    table = fit.estimates
    paths = table[table["op"] == "~"]
    paths = paths.set_index(paths["lhs"] + " ~ " + paths["rhs"])
    for row in reference["slopes"]:
        assert paths.loc[row["term"], "est"] == pytest.approx(row["est"], abs=5e-6)
        assert paths.loc[row["term"], "se"] == pytest.approx(row["se"], abs=5e-6)
    loadings = table[table["op"] == "=~"].set_index("rhs")["est"]
    for item, value in reference["loadings"].items():
        assert loadings[item] == pytest.approx(value, abs=2e-5)
    psi = table[(table["op"] == "~~") & (table["lhs"] == "y") & (table["rhs"] == "y")]["est"].item()
    assert psi == pytest.approx(reference["psi"], abs=5e-6)
