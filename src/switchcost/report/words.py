"""Numbers and names as a thesis prints them, and the references for the methods of a results chapter."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

REFERENCES = {
    "omega": "McDonald, R. P. (1999). Test theory: A unified treatment. Erlbaum.",
    "feldt": "Feldt, L. S. (1965). The approximate sampling distribution of Kuder-Richardson reliability coefficient twenty. Psychometrika, 30, 357-370.",
    "ave": "Fornell, C., & Larcker, D. F. (1981). Evaluating structural equation models with unobservable variables and measurement error. Journal of Marketing Research, 18, 39-50.",
    "htmt": "Henseler, J., Ringle, C. M., & Sarstedt, M. (2015). A new criterion for assessing discriminant validity in variance-based structural equation modeling. Journal of the Academy of Marketing Science, 43, 115-135.",
    "fit": "Hu, L., & Bentler, P. M. (1999). Cutoff criteria for fit indexes in covariance structure analysis. Structural Equation Modeling, 6, 1-55.",
    "mlr": "Yuan, K.-H., & Bentler, P. M. (2000). Three likelihood-based methods for mean and covariance structure analysis with nonnormal missing data. Sociological Methodology, 30, 165-200.",
    "chen": "Chen, F. F. (2007). Sensitivity of goodness of fit indexes to lack of measurement invariance. Structural Equation Modeling, 14, 464-504.",
    "aiken": "Aiken, L. S., & West, S. G. (1991). Multiple regression: Testing and interpreting interactions. Sage.",
    "hc3": "MacKinnon, J. G., & White, H. (1985). Some heteroskedasticity-consistent covariance matrix estimators with improved finite sample properties. Journal of Econometrics, 29, 305-325.",
    "jn": "Johnson, P. O., & Neyman, J. (1936). Tests of certain linear hypotheses and their application to some educational problems. Statistical Research Memoirs, 1, 57-93.",
    "ganzach": "Ganzach, Y. (1997). Misleading interaction and curvilinear terms. Psychological Methods, 2, 235-247.",
    "lin": "Lin, G.-C., Wen, Z., Marsh, H. W., & Lin, H.-S. (2010). Structural equation models of latent interactions: Clarification of orthogonalizing and double-mean-centering strategies. Structural Equation Modeling, 17, 374-391.",
    "meade": "Meade, A. W., & Craig, S. B. (2012). Identifying careless responses in survey data. Psychological Methods, 17, 437-455.",
}  # fmt: skip


def p_text(value: float) -> str:
    return "p < .001" if value < 0.001 else f"p = {r_text(value, 3)}"


def r_text(value: float, decimals: int = 2) -> str:
    """A number that cannot pass 1, without its leading zero, as APA prints it."""
    text = f"{value:.{decimals}f}"
    text = text[1:] if text.startswith("-") and float(text) == 0 else text
    return text.replace("0.", ".", 1) if abs(float(text)) < 1 else text


def interval(low: float, high: float, form=lambda v: f"{v:.2f}") -> str:
    return f"95% CI [{form(low)}, {form(high)}]"


def printed(frame: pd.DataFrame, decimals: int = 3, form=None) -> pd.DataFrame:
    """Estimates as a thesis prints them: b, SE, one column for the interval, p without zeros."""
    form = form or (lambda v: f"{v:.{decimals}f}")
    out = {}
    for name in frame:
        if name == "ci_lower":
            out["95% CI"] = [
                f"[{form(a)}, {form(b)}]" for a, b in zip(frame["ci_lower"], frame["ci_upper"], strict=True)
            ]
        elif name.endswith("pvalue"):
            out["p"] = ["" if np.isnan(v) else p_text(v)[2:].removeprefix("= ") for v in frame[name]]
        elif name != "ci_upper":
            out[{"est": "b", "se": "SE", "std_all": "standardised"}.get(name, name)] = frame[name].to_numpy()
    index = pd.Index([str(v).replace(":", " x ") for v in frame.index], name=frame.index.name)
    return pd.DataFrame(out, index=index)


def joined(names: Sequence[str]) -> str:
    names = [str(n) for n in names]
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}" if names else "none"


def counted(n: int, one: str, many: str | None = None) -> str:
    return f"{n:,} {one if n == 1 else many or one + 's'}"
