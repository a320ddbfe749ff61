"""A population written as a model text with numbers: its moments, and rows drawn from it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from . import checks
from .errors import DataError
from .partable import variables
from .spec import ModelSpec, model_text
from .syntax import parse
from .tokens import fail


@dataclass(frozen=True, eq=False)
class Product:
    """Effect ``beta`` of the product of two variables on a third, above what the text of the population says."""

    x: str
    moderator: str
    y: str
    beta: float


@dataclass(frozen=True, eq=False)
class Population:
    """A population; made by :func:`population`.

    Attributes
    ----------
    analysis : str
        The same model without numbers, to be fitted.
    cov : DataFrame, shape (p, p)
        Covariance matrix of the observed variables.
    mean : Series, shape (p,)
    names : list of str
        Observed and latent variables, in the order of the matrices.
    arrows, covariances : array, shape (v, v)
        Effects (row receives) and covariances of residuals of all variables.
    intercepts : array, shape (v,)
    has_means : bool
        Whether the text writes intercepts.
    """

    analysis: str
    cov: pd.DataFrame
    mean: pd.Series
    names: list[str]
    arrows: np.ndarray
    covariances: np.ndarray
    intercepts: np.ndarray
    has_means: bool

    def variance(self, name: str) -> float:
        """Variance of an observed or latent variable."""
        B = np.linalg.inv(np.eye(len(self.names)) - self.arrows)
        k = self.names.index(name)
        return float((B @ self.covariances @ B.T)[k, k])

    def draw(self, n: int, rng: np.random.Generator, product: Product | None = None) -> pd.DataFrame:
        """Rows of the observed variables, normal but for what a product adds; the product's share comes out of the
        residual variance of its outcome, whose total stays."""
        B = np.linalg.inv(np.eye(len(self.names)) - self.arrows)
        S = self.covariances.copy()
        if product is None:
            z = rng.multivariate_normal(self.intercepts, S, n, method="cholesky" if _regular(S) else "svd")
            return pd.DataFrame(z @ B.T, columns=self.names)[list(self.cov)]
        for v in (product.x, product.moderator, product.y):
            if v not in self.names:
                raise DataError(f"{v!r} is not a variable of the population.{checks.suggest(str(v), self.names)}")
        x, m, y = (self.names.index(v) for v in (product.x, product.moderator, product.y))
        if B[x, y] or B[m, y]:
            raise DataError(
                f"{product.y!r} has an effect on {product.x!r} or {product.moderator!r}; no product of them"
            )
        C = B @ S @ B.T
        S[y, y] -= product.beta**2 * (C[x, x] * C[m, m] + C[x, m] ** 2)
        if S[y, y] <= 0:
            raise DataError(f"the product ({product.beta:g}) explains more of {product.y!r} than is left; lower it")
        z = rng.multivariate_normal(self.intercepts, S, n, method="svd")
        linear = z @ B.T
        centred = linear[:, [x, m]] - (B @ self.intercepts)[[x, m]]
        gain = product.beta * (centred.prod(axis=1) - C[x, m])
        return pd.DataFrame(linear + gain[:, None] * B[:, y], columns=self.names)[list(self.cov)]


def _regular(S: np.ndarray) -> bool:
    return bool(np.linalg.eigvalsh(S)[0] > 1e-10)


def population(model: str | ModelSpec, like: Population | None = None) -> Population:
    """Moments of a population that a model text describes with numbers.

    Parameters
    ----------
    model : str or ModelSpec
        Lavaan syntax with a number at every loading, path, covariance and intercept, such as
        ``"sat =~ 0.8*s1 + 0.7*s2 + 0.8*s3; loy ~ 0.4*sat"``. What is not written is 0. Residual variances that are not
        written are such that the variable has variance 1, so that the numbers are standardised.
    like : Population, optional
        Take residual variances that are not written from this one instead: the second group of a comparison.

    Returns
    -------
    Population

    Raises
    ------
    ModelSyntaxError
        A number is missing.
    DataError
        Effects explain more than all variance of a variable, or the covariance matrix is not positive definite.

    Examples
    --------
    >>> made = population("f =~ 0.8*a + 0.6*b + 0.5*c")
    >>> made.cov.round(2).values.tolist()
    [[1.0, 0.48, 0.4], [0.48, 1.0, 0.3], [0.4, 0.3, 1.0]]
    >>> print(made.analysis)
    f =~ a
    f =~ b
    f =~ c
    """
    parsed = parse(model_text(model))
    roles = variables(parsed)
    names = roles.ov + roles.lv
    place = {name: k for k, name in enumerate(names)}
    A, S, m = np.zeros((len(names),) * 2), np.zeros((len(names),) * 2), np.zeros(len(names))
    given = np.zeros(len(names), bool)
    lines = []
    for t in parsed.terms:
        value = t.fixed[0] if t.fixed else None
        if value is None or value != value:
            fail(t, f"a population needs a number here, as in {t.lhs} {t.op} 0.5*{t.rhs or '1'}")
        a, b = place[t.lhs], place.get(t.rhs, 0)
        if t.op == "=~":
            A[b, a] = value
        elif t.op == "~":
            A[a, b] = value
        elif t.op == "~1":
            m[a] = value
        else:
            S[a, b] = S[b, a] = value
            given[a] |= a == b
        if t.op != "~1" and t.lhs != t.rhs:
            lines.append(f"{t.lhs} {t.op} {t.rhs}")
    B = np.linalg.inv(np.eye(len(names)) - A)
    _residual_variances(S, B, given, names, like)
    p = len(roles.ov)
    cov = (B @ S @ B.T)[:p, :p]
    if not _regular(cov):
        raise DataError("the population's covariance matrix is not positive definite: its correlations contradict")
    return Population(
        analysis="\n".join(lines),
        cov=pd.DataFrame(cov, roles.ov, roles.ov),
        mean=pd.Series((B @ m)[:p], roles.ov),
        names=names,
        arrows=A,
        covariances=S,
        intercepts=m,
        has_means=any(t.op == "~1" for t in parsed.terms),
    )


def _residual_variances(S: np.ndarray, B: np.ndarray, given: np.ndarray, names: list[str], like) -> None:
    """Fill in the residual variances that are not written, in place: total variances of 1, or those of ``like``."""
    open_ = np.flatnonzero(~given)
    if like is not None:
        if like.names != names:
            raise DataError("the populations must have the same variables, written in the same order")
        S[open_, open_] = np.diag(like.covariances)[open_]
        return
    left = 1 - np.diag(B @ S @ B.T)[open_]
    S[open_, open_] = np.linalg.solve((B**2)[np.ix_(open_, open_)], left)
    low = open_[S[open_, open_] < -1e-10]
    if len(low):
        total = 1 - S[low[0], low[0]]
        raise DataError(
            f"the effects on {names[low[0]]!r} explain {total:.2f} of a variance of 1: lower them, or write its "
            f"residual variance ({names[low[0]]} ~~ 0.5*{names[low[0]]})"
        )
