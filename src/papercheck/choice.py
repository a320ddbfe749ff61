"""Choices among alternatives: conditional logit, and mixed logit by simulated maximum likelihood."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import ndtr, ndtri

from switchcost.core import checks
from switchcost.core.errors import DataError, NotConvergedError

#: The attributes of the suppliers in ``sc.load("electricity")``.
X_ELECTRICITY = ("pf", "cl", "loc", "wk", "tod", "seas")

_PRIMES = (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47)

#: Distributions of a random coefficient: normal, uniform (mean, half width), lognormal (mean and sd of the log).
DISTRIBUTIONS = ("normal", "uniform", "lognormal")


@dataclass(frozen=True, eq=False, repr=False)
class ChoiceFit:
    """A fitted choice model.

    Attributes
    ----------
    table : DataFrame
        Index the parameter; ``est se z``. The means come first, then ``sd.x``, or ``chol.x:y`` (row by row of the
        lower triangle) where the coefficients are correlated.
    loglik : float
        Log-likelihood at the maximum (simulated where coefficients are random).
    n_obs, n_people : int
        Choices, and people who made them.
    draws : int
        Halton points a person; 0 for the conditional logit.
    warnings : tuple of str
    """

    table: pd.DataFrame
    loglik: float
    n_obs: int
    n_people: int
    draws: int
    warnings: tuple[str, ...] = ()

    def summary(self) -> pd.DataFrame:
        """Return the table of estimates."""
        return self.table.copy()

    def __repr__(self) -> str:
        kind = f"mixed logit, {self.draws} Halton draws a person" if self.draws else "conditional logit"
        return (
            f"{kind}: {self.n_obs} choices of {self.n_people} people, log-likelihood {self.loglik:.4f}\n"
            f"{self.table.round(4).to_string()}"
        )

    def _repr_html_(self) -> str:
        from html import escape

        return f"<p>{escape(repr(self).splitlines()[0])}</p>{self.table.round(4).to_html()}"


def halton_normal(people: int, draws: int, dimensions: int, skip: int = 0) -> np.ndarray:
    """Normal deviates from a Halton sequence, consecutive points for each person.

    Parameters
    ----------
    people, draws, dimensions : int
    skip : int
        Points left out at the start. 100 gives the points of R's ``mlogit(halton = NA)``.

    Returns
    -------
    array of shape (people, draws, dimensions)
    """
    if dimensions > len(_PRIMES):
        raise DataError(f"{dimensions} random coefficients are more than the {len(_PRIMES)} that Halton points are for")
    first = max(skip, 1)  # the first point is 0, whose normal deviate is not finite
    points = np.empty((people * draws, dimensions))
    for d, base in enumerate(_PRIMES[:dimensions]):
        rest, scale = np.arange(first, first + people * draws), 1.0
        value = np.zeros(len(rest))
        while rest.any():
            scale /= base
            value = value + rest % base * scale
            rest = rest // base
        points[:, d] = value
    return ndtri(points).reshape(people, draws, dimensions)


PEOPLE = 32  # at once: what is made for them stays near the processor

#: Columns of the choice data: chosen or not, who, and which task.
COLUMNS = ("choice", "id", "chid")


def _design(data: pd.DataFrame, x: Sequence[str], columns: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Chosen minus other alternatives, shape (people, rows, k), padded with zeros, and which rows are real."""
    data, (choice, person, task) = checks.frame(data, "data"), columns
    checks.columns(data, [*x, *columns], what="column")
    if data[[*x, *columns]].isna().to_numpy().any():
        raise DataError("the choice data have missing cells; drop those tasks before, or fill them in")
    data = data.sort_values([person, task], kind="stable")
    sizes = data.groupby(task, sort=False)[choice].agg(["size", "sum"])
    if (sizes["sum"] != 1).any() or (sizes["size"] != sizes["size"].iloc[0]).any():
        bad = sizes.index[(sizes["sum"] != 1) | (sizes["size"] != sizes["size"].iloc[0])][0]
        raise DataError(f"task {bad!r} must have one chosen alternative and as many alternatives as the other tasks")
    j = int(sizes["size"].iloc[0])
    values = data[list(x)].to_numpy(float).reshape(-1, j, len(x))
    chosen = data[choice].to_numpy(bool).reshape(-1, j)
    others = values[~chosen].reshape(len(values), j - 1, len(x))
    difference = values[chosen][:, None] - others
    who = data[person].to_numpy().reshape(-1, j)[:, 0]
    _, index, counts = np.unique(who, return_inverse=True, return_counts=True)
    place = np.arange(len(who)) - np.r_[0, np.cumsum(counts)[:-1]][index]
    out = np.zeros((len(counts), counts.max(), j - 1, len(x)))
    real = np.zeros(out.shape[:2], bool)
    out[index, place], real[index, place] = difference, True
    return out, real


@dataclass(frozen=True)
class MixedLogit:
    """Simulated log-likelihood and its score, person by person."""

    difference: np.ndarray
    real: np.ndarray
    normal: np.ndarray
    random: tuple[int, ...]
    kinds: tuple[str, ...]
    correlated: bool
    names: tuple[str, ...]

    @classmethod
    def prepare(
        cls,
        data: pd.DataFrame,
        x: Sequence[str],
        *,
        columns: Sequence[str] = COLUMNS,
        random: Mapping[str, str] | None = None,
        correlated: bool = False,
        draws: int = 100,
        skip: int = 100,
    ) -> MixedLogit:
        """The likelihood of :func:`choice_model`, to be evaluated at any parameters."""
        random = dict(random or {})
        unknown = [k for k in random if k not in x] + [v for v in random.values() if v not in DISTRIBUTIONS]
        if unknown:
            raise DataError(f"random: {unknown[0]!r} is neither one of x nor one of {', '.join(DISTRIBUTIONS)}")
        difference, real = _design(data, x, columns)
        places = tuple(i for i, c in enumerate(x) if c in random)
        if correlated:
            spread = [f"chol.{x[j]}:{x[i]}" for a, i in enumerate(places) for j in places[: a + 1]]
        else:
            spread = [f"sd.{x[i]}" for i in places]
        n = len(difference)
        normal = halton_normal(n, draws, len(places), skip) if places else np.zeros((n, 1, 0))
        kinds = tuple(random[x[i]] for i in places)
        return cls(difference, real, normal, places, kinds, correlated, (*x, *spread))

    @property
    def n_spread(self) -> int:
        k = len(self.random)
        return k * (k + 1) // 2 if self.correlated else k

    def coefficients(self, theta: np.ndarray, people: slice = slice(None)) -> tuple[np.ndarray, np.ndarray]:
        """Coefficients (people, draws, k), and their derivatives by the parameters (people, draws, parameters)."""
        deviate, m = self.normal[people].copy(), len(self.random)
        k = self.difference.shape[-1]
        beta = np.broadcast_to(theta[:k], (*deviate.shape[:2], k)).copy()
        by_theta = np.ones((*deviate.shape[:2], len(theta)))
        for i, kind in enumerate(self.kinds):
            if kind == "uniform":
                deviate[..., i] = 2 * ndtr(deviate[..., i]) - 1
        rows, cols = np.tril_indices(m) if self.correlated else (np.arange(m), np.arange(m))
        lower = np.zeros((m, m))
        lower[rows, cols] = theta[k:]
        shift = deviate @ lower.T
        for i, (column, kind) in enumerate(zip(self.random, self.kinds, strict=True)):
            value = theta[column] + shift[..., i]
            if kind == "lognormal":
                value = np.exp(np.clip(value, -50, 50))
                by_theta[..., column] = value
            beta[..., column] = value
        if m:
            by_theta[..., k:] = by_theta[..., np.array(self.random)[rows]] * deviate[..., cols]
        return beta, by_theta

    def __call__(self, theta: np.ndarray, by_task: bool = False) -> tuple[np.ndarray, np.ndarray]:
        """Log-likelihood by person, and the score by person (or, ``by_task``, by choice)."""
        starts = range(0, len(self.real), PEOPLE)
        parts = [self._of(slice(first, first + PEOPLE), theta) for first in starts]
        loglik, score = (np.concatenate(part) for part in zip(*parts, strict=True))
        return loglik, score.swapaxes(0, 1)[self.real.T] if by_task else score.sum(1)

    def _of(self, people: slice, theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Log-likelihood and the score by choice (people, tasks, parameters); 0 for choices nobody made."""
        difference, real = self.difference[people], self.real[people]
        n, tasks, others, k = difference.shape
        flat = difference.reshape(n, tasks * others, k)
        beta, by_theta = self.coefficients(theta, people)
        rest = np.exp(np.clip(-(flat @ beta.transpose(0, 2, 1)), -700, 700)).reshape(n, tasks, others, -1)
        total = 1 + rest.sum(2)
        log_choice = np.where(real[:, :, None], -np.log(total), 0).sum(1)
        top = log_choice.max(1, keepdims=True)
        weight = np.exp(log_choice - top)
        loglik = top[:, 0] + np.log(weight.mean(1))
        weight /= weight.sum(1, keepdims=True)
        rest /= np.where(real[:, :, None], total, np.inf)[:, :, None]
        # The derivative of the log-probability by a parameter: over the draws by one product, then over the others.
        slope = rest.reshape(n, tasks * others, -1) @ (by_theta * weight[:, :, None])
        m = np.arange(len(self.random))
        spread = np.array(self.random, int)[np.tril_indices(len(m))[0] if self.correlated else m]
        slope *= flat[..., np.concatenate([np.arange(k), spread])]
        return loglik, slope.reshape(n, tasks, others, -1).sum(2)


def choice_model(
    data: pd.DataFrame,
    x: Sequence[str],
    *,
    random: Mapping[str, str] | None = None,
    correlated: bool = False,
    choice: str = "choice",
    person: str = "id",
    task: str = "chid",
    draws: int = 100,
    skip: int = 100,
    start: Sequence[float] | None = None,
    hessian: str = "observed",
) -> ChoiceFit:
    """Conditional logit, or mixed logit with coefficients that differ between people.

    Parameters
    ----------
    data : DataFrame
        One row an alternative of a task.
    x : list of str
        Columns whose coefficients are estimated.
    random : dict, optional
        ``{column: "normal" | "uniform" | "lognormal"}``; the others are the same for everybody. None: conditional logit.
    correlated : bool
        Estimate the whole (Cholesky) covariance of the random coefficients.
    choice, person, task : str
        Columns: chosen or not, who, and which task.
    draws, skip : int
        Halton points a person and points left out first; the defaults give the points of R's ``mlogit``.
    start : list of float, optional
        Starting values; conditional logit and 0.1 when left out. Mixed logits can have several maxima.
    hessian : str
        Standard errors from the ``"observed"`` information (numerical derivative of the score), the ``"score"``
        (outer product of the scores by person), or ``"score_by_choice"`` (the same with every choice as a person of
        its own, as R's ``mlogit`` computes them: it treats a person's choices as independent).

    Returns
    -------
    ChoiceFit

    Raises
    ------
    DataError
        A column is missing, a task has no or two choices, a distribution is not known.
    NotConvergedError
        The search ends where the score is not zero.

    Notes
    -----
    P(task) = exp(x_chosen b) / sum exp(x b); a person's likelihood is the mean over draws of the product of the
    tasks' probabilities (Train 2009, chapter 6). Equals ``mlogit(..., rpar, R = 100, halton = NA, panel = TRUE)``.

    Examples
    --------
    >>> import switchcost as sc
    >>> fit = choice_model(sc.load("electricity"), ["pf", "cl", "loc", "wk", "tod", "seas"])
    >>> fit.table.est.round(3).tolist()
    [-0.625, -0.108, 1.442, 0.996, -5.463, -5.84]
    """
    columns = (choice, person, task)
    plain = MixedLogit.prepare(data, x, columns=columns)
    if not random:
        theta = _maximise(plain, np.zeros(len(x)) if start is None else np.asarray(start, float))
        return _result(plain, theta, 0, hessian)
    model = MixedLogit.prepare(data, x, columns=columns, random=random, correlated=correlated, draws=draws, skip=skip)
    if start is None:
        mean = _maximise(plain, np.zeros(len(x)))
        for i, kind in zip(model.random, model.kinds, strict=True):
            if kind == "lognormal":
                mean[i] = np.log(max(mean[i], 0.1))
        start = np.r_[mean, np.full(model.n_spread, 0.1)]
    return _result(model, _maximise(model, np.asarray(start, float)), draws, hessian)


def _maximise(model: MixedLogit, start: np.ndarray) -> np.ndarray:
    from scipy.optimize import minimize  # heavy, and needed here only

    def objective(theta: np.ndarray) -> tuple[float, np.ndarray]:
        loglik, score = model(theta)
        return -float(loglik.sum()), -score.sum(0)

    _, score = model(start)
    scale = np.linalg.inv(score.T @ score + 1e-6 * np.eye(len(start)))
    scale = (scale + scale.T) / 2
    found = minimize(
        objective, start, jac=True, method="BFGS", options={"gtol": 1e-4, "maxiter": 500, "hess_inv0": scale}
    )
    _, score = model(found.x)
    total = score.sum(0)
    if total @ np.linalg.pinv(score.T @ score) @ total > 1e-4:
        raise NotConvergedError(
            "the choice model's search ended where the score is not zero; give other starting values (start=)"
        )
    return found.x


def _result(model: MixedLogit, theta: np.ndarray, draws: int, hessian: str) -> ChoiceFit:
    loglik, _ = model(theta)
    if hessian in ("score", "score_by_choice"):
        score = model(theta, by_task=hessian == "score_by_choice")[1]
        information = score.T @ score
    elif hessian == "observed":
        steps = 1e-5 * np.maximum(1.0, np.abs(theta))
        columns = [
            (model(theta + s * e)[1].sum(0) - model(theta - s * e)[1].sum(0)) / (2 * s)
            for s, e in zip(steps, np.eye(len(theta)), strict=True)
        ]
        information = -(np.array(columns) + np.array(columns).T) / 2
    else:
        raise DataError(f"hessian is 'observed', 'score' or 'score_by_choice', and is {hessian!r}")
    se = np.sqrt(np.diag(np.linalg.inv(information)))
    table = pd.DataFrame({"est": theta, "se": se, "z": theta / se}, index=pd.Index(model.names, name="parameter"))
    return ChoiceFit(table, float(loglik.sum()), int(model.real.sum()), len(model.real), draws)
