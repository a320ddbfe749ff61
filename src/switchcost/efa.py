"""Exploratory factor analysis: is there anything to factor, how many factors, and what do they look like.

Extraction (maximum likelihood, minimum residual) is by the uniquenesses, with analytic gradient and a final Newton
polish; rotation is by gradient projection (Jennrich 2001, 2002) from several starts. Results agree with
``psych::fa`` (2.2.9) once its stopping rules are tightened.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from scipy.special import chdtrc, chndtr

from . import _checks
from ._threads import one_thread

_LOWER = 0.005  # smallest uniqueness, as in psych::fa and stats::factanal


# --- what comes in ---------------------------------------------------------------------------------------------------
def _is_matrix(data: object) -> bool:
    """A square symmetric table with a positive diagonal and the same names on both sides.

    Raises ``ValueError`` where a DataFrame has the same names on both sides and is not symmetric: a typing error.
    """
    if isinstance(data, pd.DataFrame):
        if data.shape[0] != data.shape[1] or list(map(str, data.index)) != list(map(str, data.columns)):
            return False
        try:
            values = data.to_numpy(dtype=float)
        except (TypeError, ValueError):
            return False
        if isinstance(data.index, pd.RangeIndex):
            return False  # counted rows of raw answers, as many as there are columns
        names = list(map(str, data.columns))
        if np.isnan(values).any():
            i, j = np.argwhere(np.isnan(values))[0]
            raise ValueError(
                f"the matrix has missing values, the first at {names[i]} with {names[j]}; all pairs are needed"
            )
        off = np.abs(values - values.T)
        if off.max() > 1e-6 * np.abs(values).max():
            i, j = np.unravel_index(np.argmax(off), off.shape)
            raise ValueError(
                f"rows and columns have the same names, so this should be a correlation or covariance matrix, but it is not "
                f"symmetric: {names[i]} with {names[j]} is {values[i, j]:g}, {names[j]} with {names[i]} is {values[j, i]:g}"
            )
    elif isinstance(data, np.ndarray) and data.ndim == 2 and data.shape[0] == data.shape[1]:
        values = np.asarray(data, dtype=float)
    else:
        return False
    return bool(np.allclose(values, values.T, rtol=1e-6, atol=1e-8) and (np.diag(values) > 0).all())


def correlation_input(
    data: pd.DataFrame | np.ndarray, n_obs: int | None = None, *, need_n: bool = False
) -> tuple[np.ndarray, list[str], int | None, np.ndarray | None]:
    """Correlations from raw answers or from a correlation or covariance matrix.

    Returns
    -------
    tuple of correlations (p, p), names, number of rows (None when a matrix came without ``n_obs``) and the raw values
    (None when a matrix came in).

    Raises
    ------
    ValueError
        Missing answers, text, constants, fewer than three columns, or a matrix without an inverse.
    """
    if _is_matrix(data):
        names = (
            list(map(str, data.columns))
            if isinstance(data, pd.DataFrame)
            else [f"x{i + 1}" for i in range(len(data))]
        )
        matrix = np.asarray(data, dtype=float)
        matrix = (matrix + matrix.T) / 2
        sd = np.sqrt(np.diag(matrix))
        r, raw = matrix / np.outer(sd, sd), None
        if np.abs(r).max() > 1 + 1e-8:
            raise ValueError(
                "the matrix holds correlations above 1 in size; check how it was typed or computed"
            )
        if need_n and n_obs is None:
            raise ValueError("a correlation matrix does not say how many people answered: give n_obs=")
    else:
        if isinstance(data, np.ndarray) and data.ndim == 2:
            data = pd.DataFrame(data, columns=[f"x{i + 1}" for i in range(data.shape[1])])
        x = _checks.numeric(data)
        gaps = x.isna().sum()
        if gaps.any():
            worst = ", ".join(
                f"{c} ({int(k)})" for c, k in gaps[gaps > 0].sort_values(ascending=False)[:5].items()
            )
            raise ValueError(
                f"{int(x.isna().any(axis=1).sum())} of {len(x)} rows have missing answers: {worst}. Nothing is filled "
                "in silently. Three ways out: data.dropna() keeps complete rows; an imputed copy (e.g. several from "
                "sklearn's IterativeImputer); or a correlation matrix estimated from the gaps, given with n_obs="
            )
        names, raw = list(map(str, x.columns)), x.to_numpy()
        if n_obs is not None and n_obs != len(raw):
            raise ValueError(
                f"n_obs={n_obs}, and the data have {len(raw)} rows; n_obs belongs to a matrix only"
            )
        n_obs = len(raw)
        if n_obs <= len(names):
            raise ValueError(
                f"{n_obs} rows and {len(names)} columns: a factor analysis needs more rows than columns"
            )
        r = np.corrcoef(raw, rowvar=False) if len(names) > 1 else np.ones((1, 1))
    if len(names) < 3:
        raise ValueError(f"{len(names)} column(s); a factor needs at least three items to show itself")
    np.fill_diagonal(r, 1.0)
    _checks.positive_definite(r, names, "correlation matrix")
    return r, names, n_obs, raw


# --- is there anything to factor? ------------------------------------------------------------------------------------
@dataclass(frozen=True, eq=False)
class KMO:
    """Kaiser-Meyer-Olkin measure: ``.overall`` (float) and ``.items`` (Series by column)."""

    overall: float
    items: pd.Series

    def __repr__(self) -> str:
        low = self.items.idxmin()
        return f"KMO overall {self.overall:.3f}; lowest {low} {self.items[low]:.3f} ({len(self.items)} items)"


def kmo(data: pd.DataFrame | np.ndarray) -> KMO:
    """Kaiser-Meyer-Olkin measure of sampling adequacy: how much of the correlations is shared by more than a pair.

    Parameters
    ----------
    data : DataFrame of shape (n, p), or a correlation or covariance matrix (p, p)

    Returns
    -------
    KMO
        ``.overall`` in [0, 1] and ``.items``, one value a column.

    Raises
    ------
    ValueError
        Missing answers, constants, or items that are sums of others.

    Notes
    -----
    sum r_ij^2 / (sum r_ij^2 + sum q_ij^2) over i != j, with q the partial correlations given all other items
    (Kaiser & Rice 1974). Equals ``psych::KMO``.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> r = pd.DataFrame([[1, .6, .5], [.6, 1, .4], [.5, .4, 1]], index=list("abc"), columns=list("abc"))
    >>> round(kmo(r).overall, 3)
    0.658
    """
    r, names, _, _ = correlation_input(data)
    inverse = np.linalg.inv(r)
    scale = np.sqrt(np.diag(inverse))
    partial = inverse / np.outer(scale, scale)
    np.fill_diagonal(partial, 0.0)
    plain = r - np.eye(len(r))
    items = (plain**2).sum(0) / ((plain**2).sum(0) + (partial**2).sum(0))
    overall = (plain**2).sum() / ((plain**2).sum() + (partial**2).sum())
    return KMO(float(overall), pd.Series(items, index=names, name="kmo"))


@dataclass(frozen=True, eq=False)
class Bartlett:
    """Bartlett's test of sphericity: ``.statistic``, ``.df``, ``.pvalue``."""

    statistic: float
    df: int
    pvalue: float
    n_obs: int

    def __repr__(self) -> str:
        return f"Bartlett chi2({self.df}) = {self.statistic:.2f}, p = {self.pvalue:.3g}, n = {self.n_obs}"


def bartlett(data: pd.DataFrame | np.ndarray, n_obs: int | None = None) -> Bartlett:
    """Bartlett's test that all correlations are zero.

    Parameters
    ----------
    data : DataFrame of shape (n, p), or a correlation or covariance matrix (p, p)
    n_obs : rows behind the matrix; needed with a matrix only

    Returns
    -------
    Bartlett

    Notes
    -----
    -(n - 1 - (2p + 5) / 6) ln|R| with p(p - 1)/2 degrees of freedom (Bartlett 1951). Equals
    ``psych::cortest.bartlett``. With a few hundred answers it rejects almost always: it says that the items are not
    all unrelated, not that a factor model fits.

    Examples
    --------
    >>> r = pd.DataFrame([[1, .6, .5], [.6, 1, .4], [.5, .4, 1]], index=list("abc"), columns=list("abc"))
    >>> bartlett(r, n_obs=100)
    Bartlett chi2(3) = 73.36, p = 8.13e-16, n = 100
    """
    r, names, n, _ = correlation_input(data, n_obs, need_n=True)
    p = len(names)
    statistic = -(n - 1 - (2 * p + 5) / 6) * np.linalg.slogdet(r)[1]
    df = p * (p - 1) // 2
    return Bartlett(float(statistic), df, float(chdtrc(df, statistic)), int(n))


# --- how many factors? -----------------------------------------------------------------------------------------------
def _reduced_eigenvalues(r: np.ndarray) -> np.ndarray:
    """Eigenvalues, largest first, of correlations with squared multiple correlations on the diagonal (any batch)."""
    smc = 1 - 1 / np.diagonal(np.linalg.inv(r), axis1=-2, axis2=-1)
    p = r.shape[-1]
    reduced = r.copy()
    reduced[..., np.arange(p), np.arange(p)] = smc
    return np.linalg.eigvalsh(reduced)[..., ::-1]


def _first_failure(above: np.ndarray) -> int:
    """How many leading values pass before the first that does not."""
    return int(np.argmin(above)) if not above.all() else len(above)


@dataclass(frozen=True, eq=False)
class ParallelAnalysis:
    """Result of :func:`parallel_analysis`.

    Attributes
    ----------
    n_components, n_factors : int
        How many leading eigenvalues beat chance, for components and for common factors.
    kaiser : int
        How many components have an eigenvalue above 1, for comparison only: the rule overstates.
    table : DataFrame
        By position 1..p: eigenvalue and chance (percentile and mean over the random sets), for both kinds.
    """

    n_components: int
    n_factors: int
    kaiser: int
    table: pd.DataFrame
    n_obs: int
    n_iter: int
    percentile: float
    draws: str

    def __repr__(self) -> str:
        return (
            f"Parallel analysis (n = {self.n_obs}, {self.n_iter} random sets, {self.percentile:g}th percentile): "
            f"{self.n_components} components, {self.n_factors} common factors; eigenvalues above 1: {self.kaiser}"
        )

    def plot(self, kind: str = "components", ax=None):
        """Scree plot with the line that chance draws. ``kind`` is "components" or "factors"; returns the axes."""
        import matplotlib.pyplot as plt

        from . import plots

        if kind not in ("components", "factors"):
            raise ValueError(f"kind={kind!r}; it must be 'components' or 'factors'")
        ax = plt.gca() if ax is None else ax
        t = self.table
        found = self.n_components if kind == "components" else self.n_factors
        colours = list(plots.COLORS.values()) if isinstance(plots.COLORS, dict) else list(plots.COLORS)
        ax.plot(t.index, t[kind], marker="o", color=colours[0], label="the answers")
        ax.plot(
            t.index,
            t[f"{kind}_chance"],
            marker="s",
            ms=4,
            ls="--",
            color=colours[1],
            label=f"chance, {self.percentile:g}th percentile",
        )
        if kind == "components":
            ax.axhline(1, color="0.6", lw=1, ls=":", label="Kaiser's line at 1")
        ax.axvline(found + 0.5, color="0.4", lw=1)
        ax.set(
            xlabel=f"{'component' if kind == 'components' else 'common factor'}, largest first",
            ylabel="eigenvalue",
        )
        ax.legend()
        return ax


def parallel_analysis(
    data: pd.DataFrame | np.ndarray,
    n_iter: int = 500,
    percentile: float = 95,
    *,
    n_obs: int | None = None,
    draws: str = "normal",
    seed: int | None = 1,
) -> ParallelAnalysis:
    """Horn's parallel analysis: how many eigenvalues are larger than unrelated answers would give.

    Parameters
    ----------
    data : DataFrame of shape (n, p), or a correlation or covariance matrix (p, p) with ``n_obs``
    n_iter : number of random data sets
    percentile : of the random eigenvalues that a real one must beat (95 is stricter than the mean)
    n_obs : rows behind a matrix
    draws : ``"normal"`` draws unrelated normal answers; ``"permute"`` shuffles each column of the raw answers, which
        keeps five-point scales and skewed answers as they are
    seed : of the random sets; the same seed gives the same numbers

    Returns
    -------
    ParallelAnalysis
        ``.n_components``, ``.n_factors``, ``.kaiser``, ``.table``, ``.plot()``.

    Raises
    ------
    ValueError
        Missing answers; a matrix without ``n_obs``; ``draws="permute"`` without raw answers.

    Notes
    -----
    Components: eigenvalues of R (Horn 1965; percentile: Glorfeld 1995). Common factors: eigenvalues of R with squared
    multiple correlations on the diagonal (Humphreys & Montanelli 1975), as ``psych::fa.parallel(SMC = TRUE)``. Counting
    stops at the first eigenvalue that chance beats. The common-factor version tends to find a few small factors too
    many; read the two as a range.

    Examples
    --------
    >>> rng = np.random.default_rng(3)
    >>> f = rng.normal(size=(300, 2)).repeat(4, axis=1)
    >>> x = pd.DataFrame(f + rng.normal(size=(300, 8)), columns=list("abcdefgh"))
    >>> parallel_analysis(x, n_iter=100).n_components
    2
    """
    r, names, n, raw = correlation_input(data, n_obs, need_n=True)
    if not 50 <= percentile < 100:
        raise ValueError(f"percentile={percentile}; it must lie from 50 up to below 100")
    if n_iter < 20:
        raise ValueError(f"n_iter={n_iter}; a percentile needs at least 20 random sets, better 500")
    rng = np.random.default_rng(seed)
    p = len(names)
    if draws == "normal":
        # Only the correlations of the random data matter, so their cross-products are drawn directly
        # (Bartlett's decomposition of a Wishart matrix): the cost does not grow with n.
        lower = np.tril(rng.standard_normal((n_iter, p, p)), -1)
        lower[:, np.arange(p), np.arange(p)] = np.sqrt(rng.chisquare(n - 1 - np.arange(p), size=(n_iter, p)))
        cross = lower @ lower.transpose(0, 2, 1)
        sd = np.sqrt(np.diagonal(cross, axis1=1, axis2=2))
        random = cross / (sd[:, :, None] * sd[:, None, :])
    elif draws == "permute":
        if raw is None:
            raise ValueError(
                "draws='permute' shuffles raw answers, and a matrix was given; use draws='normal'"
            )
        z = (raw - raw.mean(0)) / raw.std(0)
        random = np.empty((n_iter, p, p))
        for i in range(n_iter):
            shuffled = rng.permuted(z, axis=0)
            random[i] = shuffled.T @ shuffled / n
    else:
        raise ValueError(f"draws={draws!r}; it must be 'normal' or 'permute'")
    real_c, real_f = np.linalg.eigvalsh(r)[::-1], _reduced_eigenvalues(r)
    rand_c, rand_f = np.linalg.eigvalsh(random)[:, ::-1], _reduced_eigenvalues(random)
    table = pd.DataFrame(
        {
            "components": real_c,
            "components_chance": np.percentile(rand_c, percentile, axis=0),
            "components_chance_mean": rand_c.mean(0),
            "factors": real_f,
            "factors_chance": np.percentile(rand_f, percentile, axis=0),
            "factors_chance_mean": rand_f.mean(0),
        },
        index=pd.RangeIndex(1, p + 1, name="position"),
    )
    return ParallelAnalysis(
        n_components=_first_failure(real_c > table["components_chance"].to_numpy()),
        n_factors=_first_failure(real_f > table["factors_chance"].to_numpy()),
        kaiser=int((real_c > 1).sum()),
        table=table,
        n_obs=int(n),
        n_iter=n_iter,
        percentile=float(percentile),
        draws=draws,
    )


@dataclass(frozen=True, eq=False)
class MapTest:
    """Velicer's minimum average partial: ``.n_components``, ``.n_components_4`` and ``.table`` by components removed."""

    n_components: int
    n_components_4: int
    table: pd.DataFrame

    def __repr__(self) -> str:
        return f"Velicer's MAP: {self.n_components} components (fourth-power version: {self.n_components_4})"


def map_test(data: pd.DataFrame | np.ndarray, max_components: int | None = None) -> MapTest:
    """Velicer's minimum average partial test: take out components until what is left is as unrelated as it gets.

    Parameters
    ----------
    data : DataFrame of shape (n, p), or a correlation or covariance matrix (p, p)
    max_components : how many to try, p - 2 when None

    Returns
    -------
    MapTest
        ``.n_components`` (average squared partial correlation; Velicer 1976), ``.n_components_4`` (fourth powers;
        Velicer, Eaton & Fava 2000), ``.table``.

    Notes
    -----
    The squared version equals ``psych::VSS(...)$map``. It tends to stop early when factors have few or weak items.

    Examples
    --------
    >>> rng = np.random.default_rng(3)
    >>> f = rng.normal(size=(300, 2)).repeat(4, axis=1)
    >>> x = pd.DataFrame(f + rng.normal(size=(300, 8)), columns=list("abcdefgh"))
    >>> map_test(x).n_components
    2
    """
    r, names, _, _ = correlation_input(data)
    p = len(names)
    most = p - 2 if max_components is None else int(max_components)
    if not 1 <= most <= p - 1:
        raise ValueError(
            f"max_components={max_components}; it must lie from 1 to {p - 1}, one less than the items"
        )
    values, vectors = np.linalg.eigh(r)
    loadings = (vectors * np.sqrt(values))[:, ::-1]
    off = ~np.eye(p, dtype=bool)
    rows = []
    for m in range(most + 1):
        left = r - loadings[:, :m] @ loadings[:, :m].T
        d = np.sqrt(np.clip(np.diag(left), 1e-300, None))
        partial = (left / np.outer(d, d))[off]
        rows.append(((partial**2).mean(), (partial**4).mean()))
    table = pd.DataFrame(
        rows, columns=["squared", "fourth_power"], index=pd.RangeIndex(most + 1, name="components")
    )
    return MapTest(int(table["squared"].idxmin()), int(table["fourth_power"].idxmin()), table)


# --- extraction ------------------------------------------------------------------------------------------------------
def _ml_value(psi: np.ndarray, r: np.ndarray, k: int, hessian: bool = True) -> tuple:
    """ML discrepancy minimised over loadings, its gradient and (if asked for) Hessian in the uniquenesses.

    With gamma, omega the eigenvalues and -vectors of psi^-1/2 R psi^-1/2, f = sum over m > k of gamma_m - ln gamma_m - 1
    (Joereskog 1967). The derivatives are those of the eigenvalues.
    """
    root = 1 / np.sqrt(psi)
    gamma, omega = np.linalg.eigh(r * np.outer(root, root))
    gamma, omega = np.clip(gamma[::-1], 1e-12, None), omega[:, ::-1]
    rest = gamma[k:]
    f = float((rest - np.log(rest) - 1).sum())
    g = omega[:, k:] ** 2 @ (1 - rest)  # by ln psi
    if not hessian:
        return f, g / psi
    p = len(psi)
    c = np.zeros((p, p))
    c[k:, k:] = (rest[:, None] + rest[None, :]) / 2
    c[k:, :k] = (
        (1 - rest)[:, None]
        * (rest[:, None] + gamma[None, :k])
        / np.maximum(gamma[None, :k] - rest[:, None], 1e-9)
    )
    pairs = omega[:, None, :] * omega[None, :, :]
    h = np.einsum("ijm,ijm->ij", pairs @ c, pairs)
    grad = g / psi
    hess = (h - np.diag(g)) / np.outer(psi, psi)  # from ln psi to psi
    return f, grad, (hess + hess.T) / 2


def _minres_value(psi: np.ndarray, r: np.ndarray, k: int, hessian: bool = True) -> tuple:
    """Half the sum of squared residuals of R - psi minimised over loadings, with gradient and Hessian."""
    delta, v = np.linalg.eigh(r - np.diag(psi))
    delta, v = delta[::-1], v[:, ::-1]
    rest = delta[k:]
    f = float(0.5 * (rest**2).sum())
    g = -(v[:, k:] ** 2) @ rest
    if not hessian:
        return f, g
    p = len(psi)
    c = np.zeros((p, p))
    c[k:, k:] = 1.0
    c[k:, :k] = 2 * rest[:, None] / np.minimum(rest[:, None] - delta[None, :k], -1e-9)
    pairs = v[:, None, :] * v[None, :, :]
    h = np.einsum("ijm,ijm->ij", pairs @ c, pairs)
    return f, g, (h + h.T) / 2


def _loadings_at(psi: np.ndarray, r: np.ndarray, k: int, method: str) -> np.ndarray:
    if method == "ml":
        root = np.sqrt(psi)
        gamma, omega = np.linalg.eigh(r / np.outer(root, root))
        return root[:, None] * omega[:, ::-1][:, :k] * np.sqrt(np.clip(gamma[::-1][:k] - 1, 0, None))
    delta, v = np.linalg.eigh(r - np.diag(psi))
    return v[:, ::-1][:, :k] * np.sqrt(np.clip(delta[::-1][:k], 0, None))


def extract(r: np.ndarray, k: int, method: str = "ml") -> tuple[np.ndarray, np.ndarray, bool]:
    """Unrotated loadings (p, k) and uniquenesses (p,) of a correlation matrix, and whether the optimum was reached.

    L-BFGS-B with the analytic gradient from the squared multiple correlations, then Newton steps on the uniquenesses
    that are off their bound of .005. No Heywood warning here; the caller knows what to say.
    """
    from scipy.optimize import minimize

    value = {"ml": _ml_value, "minres": _minres_value}[method]
    start = np.clip(1 / np.diag(np.linalg.inv(r)), _LOWER, 1.0)
    found = minimize(
        lambda x: value(x, r, k, hessian=False),
        start,
        jac=True,
        method="L-BFGS-B",
        bounds=[(_LOWER, 1.0)] * len(r),
        options={"maxiter": 2000, "maxfun": 4000, "ftol": 1e-13, "gtol": 1e-7},
    )
    psi = np.clip(found.x, _LOWER, 1.0)
    f, g, h = value(psi, r, k)
    for _ in range(30):
        # Every uniqueness that pushes against its bound stays there; the others take a Newton step.
        stuck = ((psi <= _LOWER * (1 + 1e-9)) & (g > 0)) | ((psi >= 1 - 1e-12) & (g < 0))
        free = ~stuck
        if not free.any() or np.abs(g[free]).max() < 1e-11:
            break
        values, vectors = np.linalg.eigh(h[np.ix_(free, free)])
        values = np.maximum(np.abs(values), 1e-8 * np.abs(values).max())
        step = -vectors @ ((vectors.T @ g[free]) / values)
        size = 1.0
        for _ in range(25):
            trial = psi.copy()
            trial[free] = np.clip(psi[free] + size * step, _LOWER, 1.0)
            f_new, g_new, h_new = value(trial, r, k)
            if f_new <= f + 1e-15 * max(1.0, abs(f)):
                break
            size /= 2
        else:
            break
        if np.abs(trial - psi).max() < 1e-14:
            psi, f, g, h = trial, f_new, g_new, h_new
            break
        psi, f, g, h = trial, f_new, g_new, h_new
    stuck = ((psi <= _LOWER * (1 + 1e-9)) & (g > 0)) | ((psi >= 1 - 1e-12) & (g < 0))
    converged = bool(stuck.all() or np.abs(g[~stuck]).max() < 1e-5)
    return _loadings_at(psi, r, k, method), psi, converged


# --- rotation --------------------------------------------------------------------------------------------------------
def _oblimin(load: np.ndarray, gamma: float) -> tuple[float, np.ndarray]:
    squares = load**2
    x = squares.sum(1, keepdims=True) - squares
    if gamma:
        x = x - gamma * x.mean(0)
    return float((squares * x).sum() / 4), load * x


def _varimax(load: np.ndarray, gamma: float) -> tuple[float, np.ndarray]:
    centred = load**2 - (load**2).mean(0)
    return float(-(centred**2).sum() / 4), -load * centred


def _project(a: np.ndarray, criterion, gamma: float, t: np.ndarray, oblique: bool, tol: float, max_iter: int):
    """Gradient projection (Jennrich 2001 orthogonal, 2002 oblique) from the start ``t``.

    Returns criterion, loadings, t, reached. Loadings are a t'^-1 (oblique) or a t (orthogonal); factor correlations t't.
    """

    def at(t_):
        if oblique:
            inverse = np.linalg.inv(t_)
            load_ = a @ inverse.T
            f_, q = criterion(load_, gamma)
            return f_, load_, -(load_.T @ q @ inverse).T
        load_ = a @ t_
        f_, q = criterion(load_, gamma)
        return f_, load_, a.T @ q

    def projected(t_, g_):
        if oblique:
            return g_ - t_ * (t_ * g_).sum(0)
        m = t_.T @ g_
        return g_ - t_ @ ((m + m.T) / 2)

    f, load, g = at(t)
    gp = projected(t, g)
    s, alpha = np.sqrt((gp**2).sum()), 1.0
    for _ in range(max_iter):
        if s < tol:
            break
        alpha *= 2
        for _ in range(12):
            x = t - alpha * gp
            if oblique:
                t_new = x / np.sqrt((x**2).sum(0))
            else:
                u, _, v = np.linalg.svd(x)
                t_new = u @ v
            f_new, load_new, g_new = at(t_new)
            gp_new = projected(t_new, g_new)
            s_new = np.sqrt((gp_new**2).sum())
            # Close to the optimum the criterion changes by less than a float can hold; then the gradient decides.
            flat = abs(f - f_new) <= 1e-13 * max(1.0, abs(f))
            if f - f_new > 0.5 * s * s * alpha or (flat and s_new < s):
                break
            alpha /= 2
        else:
            break
        t, f, load, g, gp, s = t_new, f_new, load_new, g_new, gp_new, s_new
    return f, load, t, s < max(tol, 1e-5)


def _random_orthogonal(rng: np.random.Generator, k: int) -> np.ndarray:
    q, upper = np.linalg.qr(rng.standard_normal((k, k)))
    return q * np.sign(np.diag(upper))


def _rotate_from_starts(a, criterion, gamma, oblique, n_starts, seed, tol=1e-8, max_iter=3000):
    """Best of several starts, the unrotated one first; with the share of starts that end there."""
    k = a.shape[1]
    rng = np.random.default_rng(seed)
    runs = []
    for i in range(max(1, n_starts)):
        start = np.eye(k) if i == 0 else _random_orthogonal(rng, k)
        # A rough run tells the optima apart; only the winner is carried to full precision.
        runs.append(_project(a, criterion, gamma, start, oblique, 1e-4 if n_starts > 1 else tol, max_iter))
    values = np.array([run[0] for run in runs])
    near = values - values.min() < 1e-5 * max(1.0, abs(values.min()))
    best = runs[int(np.argmax(near))]
    f, load, t, reached = _project(a, criterion, gamma, best[2], oblique, tol, max_iter)
    return f, load, t, reached, float(near.mean())


def rotate(
    loadings: np.ndarray,
    rotation: str = "oblimin",
    *,
    normalize: bool | None = None,
    gamma: float = 0.0,
    power: float = 4.0,
    n_starts: int = 10,
    seed: int | None = 1,
) -> tuple[np.ndarray, np.ndarray, dict[str, float]]:
    """Rotate a loading matrix towards simple structure.

    Parameters
    ----------
    loadings : array of shape (p, k), unrotated
    rotation : ``"oblimin"``, ``"varimax"``, ``"promax"`` or ``"none"``
    normalize : Kaiser's normalisation (rows to length one while rotating). None follows ``psych::fa``: no for oblimin,
        yes for varimax and promax.
    gamma : oblimin's parameter; 0 is quartimin, the default everywhere
    power : promax's power
    n_starts : starting positions, the unrotated one and random ones; the best is kept
    seed : of the random starts

    Returns
    -------
    tuple of pattern loadings (p, k), factor correlations (k, k), and a dict with ``criterion`` and ``same_optimum``,
        the share of starts that ended at the optimum kept (below 1: the criterion has local optima), ``settled``.

    Raises
    ------
    ValueError
        Unknown rotation.

    Notes
    -----
    Equals ``GPArotation::oblimin``, ``stats::varimax`` and ``psych::kaiser(f, "Promax")`` at tight tolerance.
    """
    known = ("oblimin", "varimax", "promax", "none")
    if rotation not in known:
        raise ValueError(
            f"rotation={rotation!r}; it must be one of {', '.join(known)}.{_checks.suggest(rotation, known)}"
        )
    a = np.asarray(loadings, dtype=float)
    k = a.shape[1]
    if k == 1 or rotation == "none":
        return a.copy(), np.eye(k), {"criterion": np.nan, "same_optimum": 1.0, "settled": True}
    normalize = (rotation != "oblimin") if normalize is None else bool(normalize)
    length = np.sqrt((a**2).sum(1, keepdims=True))
    # A row of zeros has no direction to normalise.
    weight = np.where(length > 1e-12, length, 1.0) if normalize else np.ones_like(length)
    b = a / weight
    if rotation == "oblimin":
        f, load, t, reached, share = _rotate_from_starts(b, _oblimin, gamma, True, n_starts, seed)
        load, phi = load * weight, t.T @ t
    else:
        # Promax takes its varimax start with normalised rows, whatever is done with the rest, as psych does.
        inner = a / np.where(length > 1e-12, length, 1.0) if rotation == "promax" else b
        f, load, t, reached, share = _rotate_from_starts(inner, _varimax, 0.0, False, n_starts, seed)
        if rotation == "varimax":
            load, phi = load * weight, np.eye(k)
        else:
            x = b @ t
            u = np.linalg.lstsq(x, x * np.abs(x) ** (power - 1), rcond=None)[0]
            u = u * np.sqrt(np.diag(np.linalg.inv(u.T @ u)))
            inverse = np.linalg.inv(u)
            load, phi = (x @ u) * weight, inverse @ inverse.T
    return load, phi, {"criterion": f, "same_optimum": share, "settled": reached}


# --- the result ------------------------------------------------------------------------------------------------------
@dataclass(frozen=True, eq=False)
class EFA:
    """Result of :func:`efa`.

    Attributes
    ----------
    loadings : DataFrame (p, k)
        Pattern loadings: the weight of each factor for each item, the other factors held constant. Factors are in
        order of the variance they explain, with signs that make the sum of loadings positive.
    phi : DataFrame (k, k)
        Correlations of the factors, in the same order.
    structure : DataFrame (p, k)
        Correlations of items and factors, loadings times phi.
    communalities, uniquenesses : Series (p,)
        Diagonal of loadings phi loadings', and one minus it.
    variance : DataFrame
        By factor: sum_of_squares (diagonal of phi loadings' loadings), proportion, cumulative.
    measures : Series
        chisq df pvalue rmsea rmsea_ci_lower rmsea_ci_upper (90 %) tli bic rmsr objective.
    converged : bool
    warnings : list of str
        What to know before the loadings are used: no convergence, Heywood cases, a rotation that is not clear cut.
    heywood : list of items whose uniqueness sits on its lower bound of .005
    same_optimum : share of rotation starts that ended at the same place
    n_obs, method, rotation : how it was run
    """

    loadings: pd.DataFrame
    phi: pd.DataFrame
    structure: pd.DataFrame
    communalities: pd.Series
    uniquenesses: pd.Series
    variance: pd.DataFrame
    measures: pd.Series
    residuals: pd.DataFrame
    converged: bool
    warnings: list[str]
    heywood: list[str]
    same_optimum: float
    n_obs: int | None
    method: str
    rotation: str
    _correlations: pd.DataFrame = field(repr=False)
    _raw: np.ndarray | None = field(repr=False, default=None)
    _options: dict = field(repr=False, default_factory=dict)

    def __repr__(self) -> str:
        m = self.measures
        head = f"EFA: {self.loadings.shape[1]} factor(s), {self.method}, {self.rotation}, n = {self.n_obs}"
        fit = (
            ""
            if np.isnan(m["chisq"])
            else (f"; chi2({m['df']:.0f}) = {m['chisq']:.2f}, RMSEA = {m['rmsea']:.3f}, TLI = {m['tli']:.3f}")
        )
        notes = "".join(f"\nWarning: {w}" for w in self.warnings)
        return f"{head}{fit}{notes}\n{self.table()}"

    def _repr_html_(self) -> str:
        notes = "".join(f"<p><b>Warning:</b> {w}</p>" for w in self.warnings)
        return notes + self.table().to_html(na_rep="")

    def table(self, cutoff: float = 0.0, decimals: int = 3) -> pd.DataFrame:
        """Loadings below ``cutoff`` in size blanked (NaN), communalities beside them, rounded."""
        shown = self.loadings.where(self.loadings.abs() >= cutoff)
        return shown.assign(communality=self.communalities).round(decimals)

    def scores(self, data: pd.DataFrame) -> pd.DataFrame:
        """Regression (Thurstone) factor scores, one row a row of ``data``; standardised by the sample analysed.

        Raises
        ------
        ValueError
            The analysis was made from a matrix (no means or spreads to standardise by), or columns are missing.
        """
        if self._raw is None:
            raise ValueError(
                "this analysis was made from a matrix, which has no means; run sc.efa on raw answers"
            )
        x = _checks.numeric(data, list(self.loadings.index), constant="allow")
        z = (x - self._raw.mean(0)) / self._raw.std(0, ddof=1)
        weights = np.linalg.solve(self._correlations.to_numpy(), self.structure.to_numpy())
        return pd.DataFrame(z.to_numpy() @ weights, index=data.index, columns=self.loadings.columns)

    def bootstrap(self, n_boot: int = 200, seed: int | None = 1, level: float = 0.95) -> pd.DataFrame:
        """Bootstrap intervals of pattern loadings and factor correlations.

        Parameters
        ----------
        n_boot : samples of rows, at least 20
        seed : of the samples
        level : of the intervals

        Returns
        -------
        DataFrame
            Tidy: op (``=~`` loading, ``~~`` factor correlation), lhs (factor), rhs (item or factor), est, bias (mean of
            the samples less est), ci_lower, ci_upper. Each sample's factors are matched and signed to the
            original by the sum of products of loadings. ``.attrs["failed"]`` counts samples without a solution.

        Raises
        ------
        ValueError
            The analysis was made from a matrix.

        Notes
        -----
        Oblique rotation of a noisy pattern draws the factors apart: in samples of ordinary size their correlations, and
        the main loadings, come out too small. A percentile interval repeats that pull a second time, so the limits are
        reflected (basic bootstrap, 2 est - quantile), which takes most of it back. What is left makes intervals of factor
        correlations too optimistic when factors are many; a confirmatory model has no such bias.
        """
        from scipy.optimize import linear_sum_assignment

        if self._raw is None:
            raise ValueError("a bootstrap needs raw answers, and this analysis was made from a matrix")
        if n_boot < 20:
            raise ValueError(f"n_boot={n_boot}; an interval needs at least 20 samples, better 200 or more")
        rng = np.random.default_rng(seed)
        target, k, n = self.loadings.to_numpy(), self.loadings.shape[1], len(self._raw)
        loads, phis, failed = [], [], 0
        for _ in range(n_boot):
            sample = self._raw[rng.integers(n, size=n)]
            with np.errstate(all="ignore"):
                r = np.corrcoef(sample, rowvar=False)
            if not np.isfinite(r).all() or np.linalg.eigvalsh(r)[0] < 1e-10:
                failed += 1
                continue
            with one_thread():
                unrotated = extract(r, k, self.method)[0]
                # turn the sample's axes to the original's first: the rotation is then nearly done
                u, _, v = np.linalg.svd(unrotated.T @ target)
                load, phi, _ = rotate(unrotated @ (u @ v), self.rotation, n_starts=1, **self._options)
            match = load.T @ target
            own, order = linear_sum_assignment(-np.abs(match.T))
            sign = np.where(match[order, own] < 0, -1.0, 1.0)
            loads.append(load[:, order] * sign)
            phis.append(phi[np.ix_(order, order)] * np.outer(sign, sign))
        tail = (1 - level) / 2
        items, names = list(self.loadings.index), list(self.loadings.columns)
        upper = np.triu_indices(k, 1)

        def rows(op, lhs, rhs, est, drawn):
            low, high = np.quantile(drawn, [tail, 1 - tail], axis=0)
            return pd.DataFrame(
                {
                    "op": op,
                    "lhs": lhs,
                    "rhs": rhs,
                    "est": est,
                    "bias": np.mean(drawn, axis=0) - est,
                    "ci_lower": 2 * est - high,
                    "ci_upper": 2 * est - low,
                }
            )

        loading = rows(
            "=~",
            np.repeat(names, len(items)),
            items * k,
            target.T.ravel(),
            np.transpose(loads, (0, 2, 1)).reshape(len(loads), -1),
        )
        correlation = rows(
            "~~",
            [names[a] for a in upper[0]],
            [names[b] for b in upper[1]],
            self.phi.to_numpy()[upper],
            np.array([p[upper] for p in phis]),
        )
        out = pd.concat([loading, correlation], ignore_index=True)
        out.attrs["failed"] = failed
        return out


def _rmsea_interval(chisq: float, df: int, n: int, level: float = 0.90) -> tuple[float, float]:
    """Limits of RMSEA from the noncentral chi-square, as psych and lavaan compute them."""
    from scipy.optimize import brentq

    tail = (1 - level) / 2
    most = max(n, chisq) + 2 * n

    def limit(p: float) -> float:
        if chndtr(chisq, df, 0.0) <= p:
            return 0.0
        return float(
            np.sqrt(brentq(lambda x: chndtr(chisq, df, x) - p, 0.0, most, xtol=1e-12) / (n - 1) / df)
        )

    return limit(1 - tail), limit(tail)


def _measures(r: np.ndarray, model: np.ndarray, k: int, n: int | None) -> pd.Series:
    p = len(r)
    df = ((p - k) ** 2 - p - k) // 2
    off = ~np.eye(p, dtype=bool)
    rmsr = float(np.sqrt(((r - model)[off] ** 2).mean()))
    implied = model.copy()
    np.fill_diagonal(implied, 1.0)
    ratio = np.linalg.solve(implied, r)
    objective = float(np.trace(ratio) - np.linalg.slogdet(ratio)[1] - p)
    out = dict.fromkeys(
        [
            "chisq",
            "df",
            "pvalue",
            "rmsea",
            "rmsea_ci_lower",
            "rmsea_ci_upper",
            "tli",
            "bic",
            "rmsr",
            "objective",
        ],
        np.nan,
    )
    out.update(df=df, rmsr=rmsr, objective=objective)
    if n is not None:
        factor = n - 1 - (2 * p + 5) / 6 - 2 * k / 3  # Bartlett's (1950) correction
        chisq = max(objective * factor, 0.0)
        out["chisq"] = chisq
        if df > 0:
            null = -np.linalg.slogdet(r)[1]
            per_null, per_model = null * 2 / (p * (p - 1)), objective / df
            low, high = _rmsea_interval(chisq, df, n)
            out.update(
                pvalue=float(chdtrc(df, chisq)),
                rmsea=float(np.sqrt(max(chisq / (df * n) - 1 / (n - 1), 0))),
                rmsea_ci_lower=low,
                rmsea_ci_upper=high,
                tli=float((per_null - per_model) / (per_null - 1 / factor)),
                bic=float(chisq - df * np.log(n)),
            )
    return pd.Series(out, dtype=float)


def efa(
    data: pd.DataFrame | np.ndarray,
    n_factors: int,
    method: str = "ml",
    rotation: str = "oblimin",
    *,
    n_obs: int | None = None,
    normalize: bool | None = None,
    gamma: float = 0.0,
    power: float = 4.0,
    n_starts: int = 10,
    seed: int | None = 1,
) -> EFA:
    """Exploratory factor analysis of correlations.

    Parameters
    ----------
    data : DataFrame of shape (n, p), or a correlation or covariance matrix (p, p)
        Raw answers without gaps, in any units; the analysis is of correlations, so units do not matter.
    n_factors : number of common factors
    method : ``"ml"`` (maximum likelihood) or ``"minres"`` (least squares on the correlations)
    rotation : ``"oblimin"`` (factors may correlate), ``"promax"`` (same), ``"varimax"`` (they may not), ``"none"``
    n_obs : rows behind a matrix; without it there is no chi-square
    normalize, gamma, power, n_starts, seed : see :func:`rotate`

    Returns
    -------
    EFA

    Raises
    ------
    ValueError
        Missing answers, text, constants, an item that is a sum of others, more factors than the items can carry.

    Heywood cases, missing convergence and rotation starts that disagree do not raise: they are named in ``.warnings``.

    Notes
    -----
    R = L phi L' + psi. chisq, rmsea, tli, bic and rmsr follow ``psych::fa`` to the letter: chisq is the ML discrepancy
    times n - 1 - (2p + 5)/6 - 2k/3 (Bartlett 1950), also after minres; rmsea is sqrt(chisq/(df n) - 1/(n - 1)), which
    differs from lavaan's by a factor near 1; bic is chisq - df ln n.

    Examples
    --------
    >>> rng = np.random.default_rng(3)
    >>> f = rng.normal(size=(300, 2)).repeat(4, axis=1)
    >>> x = pd.DataFrame(f + rng.normal(size=(300, 8)), columns=list("abcdefgh"))
    >>> efa(x, 2).loadings.abs().idxmax(axis=1).tolist()
    ['F1', 'F1', 'F1', 'F1', 'F2', 'F2', 'F2', 'F2']
    """
    if method not in ("ml", "minres"):
        raise ValueError(f"method={method!r}; it must be 'ml' or 'minres'")
    r, names, n, raw = correlation_input(data, n_obs)
    p = len(names)
    if isinstance(n_factors, bool) or not isinstance(n_factors, (int, np.integer)) or n_factors < 1:
        raise ValueError(f"n_factors={n_factors!r}; it must be a whole number from 1 up")
    k = int(n_factors)
    if (p - k) ** 2 < p + k:
        most = max(j for j in range(p) if (p - j) ** 2 >= p + j)
        raise ValueError(f"{k} factors cannot be told apart with {p} items; at most {most}")
    with one_thread():
        unrotated, psi, converged = extract(r, k, method)
        signs = np.where(unrotated.sum(0) < 0, -1.0, 1.0)
        load, phi, info = rotate(
            unrotated * signs,
            rotation,
            normalize=normalize,
            gamma=gamma,
            power=power,
            n_starts=n_starts,
            seed=seed,
        )
    notes = [] if converged else [f"{method} extraction of {k} factors did not converge; use fewer factors"]
    heywood = [names[i] for i in np.flatnonzero(psi <= _LOWER * 1.001)]
    if heywood:
        notes.append(
            f"Heywood case: the uniqueness of {', '.join(heywood)} ran to its bound of {_LOWER}. Usual causes: too many "
            "factors, a factor with two items, or too few answers."
        )
    signs = np.where(load.sum(0) < 0, -1.0, 1.0)
    load, phi = load * signs, phi * np.outer(signs, signs)
    order = np.argsort(-np.diag(phi @ load.T @ load), kind="stable")
    load, phi = load[:, order], phi[np.ix_(order, order)]
    if info["same_optimum"] < 0.5 and n_starts >= 4:
        notes.append(
            f"only {info['same_optimum']:.0%} of the rotation starts ended at the best solution: the structure is not "
            "clear cut. Compare with another number of factors."
        )
    if not info["settled"]:
        notes.append(f"the {rotation} rotation did not settle; treat the loadings as rough")
    labels = [f"F{i + 1}" for i in range(k)]
    model = load @ phi @ load.T
    explained = np.diag(phi @ load.T @ load)
    frame = lambda values, index, columns: pd.DataFrame(values, index=index, columns=columns)  # noqa: E731
    common = pd.Series(np.diag(model), index=names, name="communality")
    return EFA(
        loadings=frame(load, names, labels),
        phi=frame(phi, labels, labels),
        structure=frame(load @ phi, names, labels),
        communalities=common,
        uniquenesses=(1 - common).rename("uniqueness"),
        variance=pd.DataFrame(
            {
                "sum_of_squares": explained,
                "proportion": explained / p,
                "cumulative": np.cumsum(explained) / p,
            },
            index=labels,
        ),
        measures=_measures(r, model, k, n),
        residuals=frame(r - model, names, names),
        converged=converged,
        warnings=notes,
        heywood=heywood,
        same_optimum=info["same_optimum"],
        n_obs=n,
        method=method,
        rotation=rotation if k > 1 else "none",
        _correlations=frame(r, names, names),
        _raw=raw,
        _options={"normalize": normalize, "gamma": gamma, "power": power},
    )
