"""Every rule of the chapter's words: what is compared with which limit. The sentences are in words_en and words_zh.

A rule that holds says the sentences ``<rule>.yes``, one that fails ``<rule>.no``; with ``.alarm`` at the end they go to
the author alone, with ``.limit`` to the limitations.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Rule:
    """``compare(value, limit)``; what is not a number never holds."""

    statistic: str
    compare: Callable[[float, float], bool]
    limit: float
    source: str = ""

    def __call__(self, value: float) -> bool:
        return bool(np.isfinite(value) and self.compare(value, self.limit))


RULES: dict[str, Rule] = {
    "lost": Rule("share of respondents that an analysis leaves out", operator.lt, 0.10),
    "complete": Rule("share of respondents who answered every item", operator.ge, 0.90),
    "skew": Rule("absolute skewness", operator.le, 1.0),
    "omega": Rule("omega of a scale", operator.ge, 0.70, "Nunnally 1978"),
    "kmo": Rule("sampling adequacy", operator.ge, 0.60, "Kaiser 1974"),
    "bartlett": Rule("p of Bartlett's test", operator.lt, 0.05),
    "cross": Rule("largest cross-loading", operator.lt, 0.32, "Tabachnick & Fidell 2019"),
    "exact": Rule("p of the test of exact fit", operator.ge, 0.05),
    "cfi": Rule("CFI", operator.ge, 0.90, "Hu & Bentler 1999"),
    "rmsea": Rule("RMSEA", operator.le, 0.08, "Browne & Cudeck 1993"),
    "srmr": Rule("SRMR", operator.le, 0.10, "Kline 2016"),
    "good_cfi": Rule("CFI", operator.ge, 0.95, "Hu & Bentler 1999"),
    "good_rmsea": Rule("RMSEA", operator.le, 0.06, "Hu & Bentler 1999"),
    "good_srmr": Rule("SRMR", operator.le, 0.08, "Hu & Bentler 1999"),
    "loading": Rule("absolute standardised loading", operator.ge, 0.50, "Hair et al. 2019"),
    "respondents": Rule("respondents for each parameter", operator.ge, 3.0),
    "ave": Rule("average variance extracted", operator.ge, 0.50, "Fornell & Larcker 1981"),
    "larcker": Rule("AVE less the largest squared correlation", operator.gt, 0.0, "Fornell & Larcker 1981"),
    "htmt": Rule("upper limit of the largest HTMT", operator.lt, 0.85, "Henseler et al. 2015"),
    "distinct": Rule("HTMT of a pair", operator.le, 0.85, "Henseler et al. 2015"),
    "one": Rule("upper limit of HTMT of a pair", operator.lt, 1.0, "Henseler et al. 2015"),
    "harman": Rule("share of the first component", operator.lt, 0.50, "Podsakoff & Organ 1986"),
    "method": Rule("p of the method factor", operator.ge, 0.05, "Podsakoff et al. 2003"),
    "marker": Rule("p of a correlation with the marker taken out", operator.lt, 0.05, "Lindell & Whitney 2001"),
    "group_few": Rule("respondents of a group whose measurement is compared", operator.ge, 20.0),
    "group_rank": Rule("respondents of a group for each item: their covariances need more rows than items", operator.gt, 1.0),
    "group_size": Rule("respondents in the smallest group", operator.ge, 100.0),
    "standardised": Rule("absolute standardised path", operator.le, 1.0),
    "path": Rule("p of a path", operator.lt, 0.05),
    "product": Rule("p of a product", operator.lt, 0.05),
    "groups_differ": Rule("p of a difference between slopes", operator.lt, 0.05),
    "vif": Rule("variance inflation factor", operator.lt, 5.0, "Hair et al. 2019"),
    "indirect": Rule("product of the limits of an indirect effect", operator.gt, 0.0),
    "both_models": Rule("1 where regressions and structural model agree on an indirect effect", operator.ge, 1.0),
    "index": Rule("product of the limits of the index of moderated mediation", operator.gt, 0.0),
    "positive": Rule("sign of an effect", operator.gt, 0.0),
    "agree": Rule("share of analyses whose interval leaves out zero as the reported one", operator.ge, 1.0),
    "sign": Rule("share of analyses with the sign of the reported one", operator.ge, 1.0),
    "rho_a": Rule("rho_A of a construct", operator.ge, 0.70, "Dijkstra & Henseler 2015"),
    "q2": Rule("smallest Q2_predict", operator.gt, 0.0, "Shmueli et al. 2016"),
    "cvpat": Rule("p of a difference between average losses", operator.lt, 0.05, "Sharma et al. 2023"),
    "nca": Rule("effect size of a necessary condition", operator.ge, 0.10, "Dul 2016"),
    "nca_p": Rule("p of a necessary condition", operator.lt, 0.05),
    "micom": Rule("smallest p of a composite formed alike in two groups", operator.ge, 0.05),
    "group_path": Rule("p of a difference between groups' paths", operator.lt, 0.05),
    "predict": Rule("share of items with an error below that of a regression on items", operator.gt, 0.5, "Shmueli et al. 2019"),
}  # fmt: skip

# Words on a line: the first whose limit lies above the value.
EFFECT_F2 = ((0.02, "negligible"), (0.15, "small"), (0.35, "medium"), (np.inf, "large"))  # Cohen 1988


def word(words: tuple[tuple[float, str], ...], value: float) -> str:
    """The word whose range holds ``value``; a limit belongs to the range above it."""
    return next((text for limit, text in words if value < limit), "")


def poor_fit(fits: dict[str, float]) -> list[str]:
    """The fit indices that miss the usual limits; a model without degrees of freedom misses none."""
    return [name for name in ("cfi", "rmsea", "srmr") if fits.get("df") != 0 and not RULES[name](fits[name])]


def fit_word(fits: dict[str, float]) -> str:
    """``good``, ``acceptable`` or ``poor``; ``saturated`` where nothing is left to test."""
    if fits.get("df") == 0:
        return "saturated"
    if poor_fit(fits):
        return "poor"
    return "good" if all(RULES[f"good_{name}"](fits[name]) for name in ("cfi", "rmsea", "srmr")) else "acceptable"
