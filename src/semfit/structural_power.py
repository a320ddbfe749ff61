"""Power for structural models: a path, several restrictions, an indirect effect, a step of invariance, a latent product.

By formula where there is one (noncentral chi-square of the likelihood ratio, Satorra & Saris 1985), by samples of a
population else. A population is a model text with a number at every loading, path and covariance; see
:func:`semfit.populations.population`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import chdtri, chndtr, ndtri

from . import checks
from .arguments import Between, Made, Names, checked
from .errors import DataError, SemError
from .fitting import fit as _fit
from .inference import default_seed, enough_draws
from .interaction.latent import latent_interaction
from .jobs import run_batches
from .monte_carlo import MonteCarlo, monte_carlo
from .ordinal.bivariate import below
from .populations import Population, Product, population
from .printing import Result
from .result import Fit
from .spec import ModelSpec
from .syntax import parse

MANY = 100_000  # respondents at whom misfit is computed; the formulas only need misfit per respondent
Model = str | ModelSpec
STEPS = {
    "metric": ("loadings",),
    "scalar": ("loadings", "intercepts"),
    "strict": ("loadings", "intercepts", "residuals"),
}


def smallest_n(power_at: Callable[[int], float], power: float, fewest: int, what: str) -> int:
    """Smallest whole n, at least ``fewest``, whose power is reached."""
    if power_at(fewest) >= power:
        return fewest
    low, high = fewest, max(64, 2 * fewest)
    while power_at(high) < power:
        low, high = high, high * 2
        if high > 10**9:
            raise DataError(f"{what} would need more than a billion respondents")
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if power_at(middle) >= power else (middle, high)
    return high


@dataclass(frozen=True, eq=False, repr=False)
class StructuralPower(Result):
    """Power of one test as a function of n.

    Attributes
    ----------
    what : str
        What is tested.
    noncentrality : tuple of float
        Of the likelihood ratio for each respondent: 2 F.
    df : int
        Of the likelihood ratio.
    alpha : float
    """

    what: str
    noncentrality: tuple[float, ...]
    df: int
    alpha: float

    def power(self, n: float | np.ndarray) -> float | np.ndarray:
        """Power with ``n`` respondents (of all groups)."""
        found = self._at(np.asarray(n, dtype=float))
        return float(found) if np.ndim(found) == 0 else found

    def _at(self, n: np.ndarray) -> np.ndarray:
        return 1 - chndtr(chdtri(self.df, self.alpha), self.df, n * self.noncentrality[0])

    def n(self, power: float = 0.8) -> int:
        """Fewest respondents with that power."""
        power = checks.probability(power, "power")
        if min(abs(v) for v in self.noncentrality[:2]) < 1e-12:
            raise DataError(f"{self.what}: the population holds no such effect, and no sample finds it")
        return smallest_n(lambda n: float(self.power(n)), power, 10, self.what)

    def _heading(self) -> str:
        sizes = ", ".join(f"{self.power(n):.2f} at n = {n}" for n in (100, 200, 400, 800))
        return f"Power of {self.what} (alpha {self.alpha:g}): {sizes}"


@dataclass(frozen=True, eq=False, repr=False)
class JointPower(StructuralPower):
    """Power of the joint test of two paths; ``noncentrality`` is z of each at n = 1 and their correlation, ``df`` 0."""

    def _at(self, n: np.ndarray) -> np.ndarray:
        a, b, r = self.noncentrality
        c, root = -ndtri(self.alpha / 2), np.sqrt(n)
        signs = [(s, t) for s in (1, -1) for t in (1, -1)]
        return np.sum([below(s * a * root - c, t * b * root - c, np.asarray(s * t * r)) for s, t in signs], axis=0)


def _at_population(model: Model, made: Population) -> Fit:
    means = {"sample_mean": made.mean} if made.has_means else {}
    return _fit(model, sample_cov=made.cov * MANY / (MANY - 1), n_obs=MANY, fixed_x=False, **means)


def restriction_power(
    population_model: Model, restricted: Model, model: Model | None = None, *, alpha: float = 0.05
) -> StructuralPower:
    """Power of the likelihood ratio test of one model against another.

    Parameters
    ----------
    population_model : str or ModelSpec
        The population, with numbers.
    restricted : str or ModelSpec
        The model that is to be rejected, such as one with two paths equal.
    model : str or ModelSpec, optional
        The model it is compared with; None is the population's own.
    alpha : float, default 0.05

    Returns
    -------
    StructuralPower
        ``.power(n)`` and ``.n(power)``.

    Raises
    ------
    DataError
        ``restricted`` has as many free parameters as ``model``.

    Notes
    -----
    Both models are fitted to the population's moments; n times the difference of their 2 F is the noncentrality of a
    chi-square with the difference of their df (Satorra & Saris 1985). ``semPower`` takes n - 1 instead of n.

    Examples
    --------
    >>> cause = "f =~ 0.8*a + 0.7*b + 0.7*c; g =~ 0.8*d + 0.7*e + 0.7*h; g ~ 0.25*f"
    >>> restriction_power(cause, "f =~ a + b + c; g =~ d + e + h; g ~ 0*f").n()
    199
    """
    alpha, made = checks.probability(alpha, "alpha"), population(population_model)
    free, held = _at_population(made.analysis if model is None else model, made), _at_population(restricted, made)
    if held.df <= free.df:
        raise DataError(f"the restricted model has {held.df} df and the other {free.df}: it restricts nothing")
    gain = max(held.measures["chisq"] - free.measures["chisq"], 0.0) / MANY
    return StructuralPower(f"a test of {held.df - free.df} restriction(s)", (gain,), held.df - free.df, alpha)


def path_power(
    population_model: Model, path: str, model: Model | None = None, *, alpha: float = 0.05
) -> StructuralPower:
    """Power to find one path, covariance or loading; ``path`` is written as ``"loyalty ~ satisfaction"``.

    The likelihood ratio against the model in which it is 0; arguments, result and formula are those of
    :func:`restriction_power`.

    Examples
    --------
    >>> cause = "f =~ 0.8*a + 0.7*b + 0.7*c; g =~ 0.8*d + 0.7*e + 0.7*h; g ~ 0.25*f"
    >>> path_power(cause, "g ~ f")
    Power of g ~ f (alpha 0.05): 0.51 at n = 100, 0.80 at n = 200, 0.98 at n = 400, 1.00 at n = 800
    """
    spec = ModelSpec.of(population(population_model).analysis if model is None else model)
    term = _term(path, spec)
    found = restriction_power(population_model, spec.fix(*term, 0.0), spec, alpha=alpha)
    return StructuralPower(" ".join(term), found.noncentrality, found.df, alpha)


def _term(path: str, spec: ModelSpec) -> tuple[str, str, str]:
    terms = parse(path).terms
    if len(terms) != 1:
        raise DataError(f"a path is one term, such as 'loyalty ~ satisfaction', and {path!r} has {len(terms)}")
    term = (terms[0].lhs, terms[0].op, terms[0].rhs)
    if term[1] != "~~" and not spec.has(*term):
        raise DataError(f"{' '.join(term)} is not in the model; write it into the population with a number")
    return term


@checked(paths=Names("two paths, such as ('m ~ x', 'y ~ m')"))
def indirect_power(
    population_model: Model, paths: tuple[str, str], model: Model | None = None, *, alpha: float = 0.05
) -> StructuralPower:
    """Power to find an indirect effect: both of its paths differ from zero (joint significance test).

    Parameters
    ----------
    population_model, model : str or ModelSpec
        As in :func:`restriction_power`.
    paths : tuple of str
        The two paths, as ``("cost ~ sat", "loy ~ cost")``.
    alpha : float, default 0.05
        Of each of the two tests.

    Returns
    -------
    StructuralPower

    Notes
    -----
    z = estimate over standard error of each path in the population, jointly normal. The joint test has about the power
    of bootstrap intervals and holds its level (MacKinnon et al. 2002); the product's delta-method z has less in small
    samples: :func:`model_power` with a defined parameter counts it.

    Examples
    --------
    >>> chain = "m ~ 0.3*x; y ~ 0.3*m + 0.2*x; x ~~ 1*x"
    >>> indirect_power(chain, ("m ~ x", "y ~ m")).n()
    105
    """
    alpha, made = checks.probability(alpha, "alpha"), population(population_model)
    base = _at_population(made.analysis if model is None else model, made)
    spec, e, z, names = ModelSpec.of(base.model), base.estimates, [], []
    if isinstance(paths, str) or len(paths) != 2:
        raise DataError(f"paths must be two paths, such as ('m ~ x', 'y ~ m'), and are {paths!r}")
    for path in paths:
        lhs, op, rhs = _term(path, spec)
        row = e[(e["lhs"] == lhs) & (e["op"] == op) & (e["rhs"] == rhs)].iloc[0]
        z.append(float(row["z"]) / np.sqrt(MANY))
        names.append(row["label"] or f"{lhs}{op}{rhs}")
    vcov = base.vcov.loc[names, names].to_numpy()
    r = float(vcov[0, 1] / np.sqrt(vcov[0, 0] * vcov[1, 1]))
    return JointPower(f"the indirect effect by {' and '.join(paths)}", (*z, r), 0, alpha)


@checked(
    populations=Made("a dict with the population of each group", Mapping),
    shares=Made("a dict with the share of each group", Mapping),
)
def invariance_power(
    populations: Mapping[str, Model],
    step: str = "metric",
    model: Model | None = None,
    *,
    shares: Mapping[str, float] | None = None,
    alpha: float = 0.05,
) -> StructuralPower:
    """Power of a step of measurement invariance to find that groups differ.

    Parameters
    ----------
    populations : dict of str to str
        A population a group. Residual variances that are not written are those of the first, so that groups differ
        only where their texts do. Intercepts are written ``s1 ~ 0.2*1``.
    step : {"metric", "scalar", "strict"}
        Equal loadings; and intercepts; and residual variances. Each against the step before.
    model : str or ModelSpec, optional
        The model that is fitted; None is that of the first population.
    shares : dict of str to float, optional
        Share of the respondents by group; None is equal.
    alpha : float, default 0.05

    Returns
    -------
    StructuralPower
        n counts the respondents of all groups.

    Notes
    -----
    As :func:`restriction_power`, with both models fitted to all groups.

    Examples
    --------
    >>> north, south = ("f =~ 0.8*a + 0.7*b + 0.7*c + 0.6*d", "f =~ 0.8*a + 0.7*b + 0.7*c + 0.4*d")
    >>> invariance_power({"north": north, "south": south}).n()
    1035
    """
    alpha = checks.probability(alpha, "alpha")
    if not isinstance(step, str) or step not in STEPS:
        raise DataError(
            f"step must be one of {', '.join(map(repr, STEPS))}, not {step!r}.{checks.closest(step, STEPS)}"
        )
    if len(populations) < 2:
        raise DataError("invariance compares groups: give a population for each of at least two")
    made: dict[str, Population] = {}
    for name, text in populations.items():
        made[name] = population(text, next(iter(made.values()), None))
    weights = shares or dict.fromkeys(made, 1.0)
    if set(weights) != set(made) or min(weights.values()) <= 0:
        raise DataError("shares must have the names of the populations, each with a number above 0")
    n = {name: round(MANY * weights[name] / sum(weights.values())) for name in made}
    analysis = next(iter(made.values())).analysis if model is None else model
    names = list(STEPS)
    equal = STEPS[names[names.index(step) - 1]] if step != "metric" else ()
    free, held = (
        _fit(
            analysis,
            sample_cov={k: p.cov * n[k] / (n[k] - 1) for k, p in made.items()},
            sample_mean={k: p.mean for k, p in made.items()},
            n_obs=n,  # type: ignore[arg-type]  # a dict by group, as the docstring of fit says
            group_equal=words,
            fixed_x=False,
        )
        for words in (equal, STEPS[step])
    )
    gain = max(held.measures["chisq"] - free.measures["chisq"], 0.0) / sum(n.values())
    return StructuralPower(f"{step} invariance across {len(made)} groups", (gain,), held.df - free.df, alpha)


@checked()
def model_power(
    n: int,
    population_model: Model,
    model: Model | None = None,
    *,
    n_rep: int = 1000,
    alpha: float = 0.05,
    seed: int | None = None,
    n_jobs: int | None = None,
    progress: bool = True,
) -> MonteCarlo:
    """Power of all parameters of a model at once, by fitting it to samples of a population.

    Parameters
    ----------
    n : int
        Respondents a sample.
    population_model : str or ModelSpec
        The population, with numbers.
    model : str or ModelSpec, optional
        The model that is fitted, with labels and defined parameters (``ind := a*b``) where an indirect effect is
        wanted; None is the population's own.
    n_rep : int, default 1000
        Samples.
    alpha : float, default 0.05
    seed : int, optional
        None means the default seed of the package.
    n_jobs : int, optional
        Processes; None follows ``joblib.parallel_config``, one where it is not set.
    progress : bool, default True
        Show a bar when it takes longer than two seconds.

    Returns
    -------
    MonteCarlo
        ``.table`` with true, mean, bias, sd, mean_se, coverage, power, power_se of every parameter.

    Notes
    -----
    See :func:`semfit.monte_carlo.monte_carlo`: normal samples, all refitted in batches.

    Examples
    --------
    >>> chain = "m ~ 0.3*x; y ~ 0.3*m + 0.2*x; x ~~ 1*x"
    >>> found = model_power(150, chain, "m ~ a*x; y ~ b*m + x; ind := a*b", n_rep=200, progress=False)
    >>> bool(found.table.set_index("lhs").loc["ind", "power"] > 0.7)
    True
    """
    n, alpha, made = checks.whole(n, "n", 10), checks.probability(alpha, "alpha"), population(population_model)
    base = _at_population(made.analysis if model is None else model, made)
    means = {"sample_mean": made.mean} if base.solution.model.means else {}
    fitted = _fit(base.model, sample_cov=made.cov * n / (n - 1), n_obs=n, fixed_x=False, **means)
    order = fitted.solution.model.ov
    moments = [made.cov.loc[order, order].to_numpy()], [made.mean[order].to_numpy()]
    return monte_carlo(fitted, *moments, n_rep, default_seed(seed), alpha=alpha, n_jobs=n_jobs, progress=progress)


@checked(beta=Between(-1000, 1000))
def latent_product_power(
    n: int,
    population_model: Model,
    beta: float,
    *,
    x: str,
    moderator: str,
    y: str,
    estimator: str = "MLR",
    n_rep: int = 200,
    alpha: float = 0.05,
    seed: int | None = None,
    n_jobs: int | None = None,
    progress: bool = True,
) -> pd.Series:
    """Power to find a latent product by product indicators, from samples of a population.

    Parameters
    ----------
    n : int
        Respondents a sample.
    population_model : str or ModelSpec
        The population without the product, with numbers; its latents have variance 1.
    beta : float
        Effect of the product of the standardised latents on the standardised outcome.
    x, moderator, y : str
        Names of the latents.
    estimator : str, default "MLR"
        Products are not normal; ``"MLR"`` takes that into account.
    n_rep : int, default 200
        Samples; each takes about a tenth of a second.
    alpha : float, default 0.05
    seed, n_jobs, progress : optional
        As in :func:`model_power`.

    Returns
    -------
    Series
        ``power se mean_estimate mean_found wrong_sign n_converged`` : share of samples with p <
        alpha and its standard error, mean standardised estimate, its mean size where it was found, the share of these
        with the wrong sign, samples that could be fitted.

    Notes
    -----
    Fitted by :func:`semfit.latent_interaction` with matched product indicators.

    Examples
    --------
    >>> latents = "sat =~ 0.8*s1 + 0.8*s2 + 0.8*s3; cost =~ 0.8*c1 + 0.8*c2 + 0.8*c3; sat ~~ 0.3*cost"
    >>> whole = latents + "; loy =~ 0.8*l1 + 0.8*l2 + 0.8*l3; loy ~ 0.5*sat + 0.2*cost"
    >>> names = {"x": "sat", "moderator": "cost", "y": "loy"}
    >>> bool(latent_product_power(400, whole, -0.3, **names, n_rep=20, progress=False).power > 0.5)
    True
    """
    n, alpha, n_rep = checks.whole(n, "n", 10), checks.probability(alpha, "alpha"), enough_draws(n_rep, "n_rep")
    made = population(population_model)
    product = Product(x, moderator, y, beta)
    made.draw(10, np.random.default_rng(1), product)  # what is wrong with the product is said before the work begins
    seeds = np.random.SeedSequence(default_seed(seed)).spawn(n_rep)
    parts = run_batches(_ProductTask(made, product, n, estimator), seeds, n_jobs, progress, "simulation")
    kept = np.array([p for p in parts if p is not None])
    if len(kept) < n_rep / 4:
        raise DataError(
            f"the model could be fitted to {len(kept)} of {n_rep} samples only; n = {n} is too small for it"
        )
    estimates, p_values = kept.T
    return pd.Series(detections(estimates, p_values, alpha, beta) | {"n_converged": float(len(kept))})


def detections(estimates: np.ndarray, p_values: np.ndarray, alpha: float, true: float) -> dict[str, float]:
    """How often samples of an effect ``true`` were significant, and how large and of which sign it looked then."""
    n, found = len(estimates), estimates[p_values < alpha]
    share = len(found) / n
    return {
        "power": share,
        "se": np.sqrt(max(share * (1 - share), 0.25 / n) / n),
        "mean_estimate": float(np.mean(estimates)),
        "mean_found": float(np.abs(found).mean()) if len(found) else np.nan,
        "wrong_sign": float((np.sign(found) != np.sign(true)).mean()) if len(found) and true else np.nan,
    }


@dataclass(frozen=True, eq=False)
class _ProductTask:
    """One sample: estimate and p of the product, None where it could not be fitted."""

    made: Population
    product: Product
    n: int
    estimator: str

    def __call__(self, seed: np.random.SeedSequence) -> tuple[float, float] | None:
        data, p = self.made.draw(self.n, np.random.default_rng(seed), self.product), self.product
        try:
            fitted = latent_interaction(
                self.made.analysis, data, x=p.x, moderator=p.moderator, y=p.y, estimator=self.estimator
            )
        except SemError:
            return None
        if not fitted.converged:
            return None
        row = fitted.estimates[(fitted.estimates["lhs"] == p.y) & (fitted.estimates["rhs"] == f"{p.x}:{p.moderator}")]
        return float(row["std_all"].iloc[0]), float(row["pvalue"].iloc[0])
