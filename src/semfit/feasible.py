"""Where constraints that are not linear hold: a point to start from, the parameters that follow, and what is impossible."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.linalg import qr

from .curve import Curve, Equations
from .errors import DataError, FitWarning
from .inference import START_SEED
from .model import Model
from .scoring import fit_batch

TRIES, SPREADS = 5, (0.0, 0.1, 0.3, 1.0, 3.0)  # starts by spread about the usual one
HOLDS = 1e-9  # left less right side that counts as equal, over what a usual change of the parameters makes of it
RANK = 1e-7  # share of a derivative that the others must leave
FLAT = 1e-4  # share of its size elsewhere below which a derivative counts as zero
STEADY = 100.0  # preference for a parameter that stands in a constraint by itself
BRANCHES = 3  # further points from which the lowest discrepancy is looked for


def with_curve(model: Model, start: np.ndarray) -> tuple[Model, list[FitWarning]]:
    """The model with its constraints that are not linear, from near ``start`` (m,); itself where all are linear."""
    if model.waiting is None:
        return model, []
    size = 1 / np.abs(np.vstack([g.D for g in model.groups])).max(axis=0)  # what matters in the scaled matrices
    ground = _Ground(model.waiting, model.K, model.c, size)
    base = ground.point(start)
    kept = ground.needed(base, start)
    notes = [
        FitWarning(f"the constraint {text} follows from the others and takes no degree of freedom")
        for k, text in enumerate(model.waiting.texts)
        if k not in kept
    ]
    if not kept:
        return model, notes
    return model.along(replace(ground, held=model.waiting.only(kept)).curve(base)), notes


def lowest_branch(model: Model, data, theta: np.ndarray, F: float, converged: bool) -> tuple:
    """Model, theta, F and convergence at the lowest of several minima: curves such as ``a*b == 0`` have branches."""
    curve = model.curve
    if curve is None:
        return model, theta, F, converged
    size = 1 / np.abs(np.vstack([g.D for g in model.unconstrained.groups])).max(axis=0)
    ground = _Ground(curve.equations, curve.K, curve.c, 1 / (np.abs(curve.K) / size[:, None]).max(axis=0))
    rng, best = np.random.default_rng(START_SEED), (model, theta, F, converged)
    here = curve.at(theta).base if converged else curve.base
    named = np.abs(curve.K[curve.equations.touched]).any(axis=0)
    for _ in range(BRANCHES):
        u, h = ground.restored(here + np.where(named, ground.size * rng.normal(size=len(here)), 0.0))
        if h is None or not ground.holds(u, h):
            continue
        branch = ground.curve(u)
        other = model.along(branch)
        found, value, ok = fit_batch(other, None, start=u[branch.others], data=data, max_iter=60)
        if ok[0] and (not best[3] or value[0] < best[2] - 1e-7):
            best = (other, found[0], float(value[0]), True)
    return best


@dataclass(frozen=True, eq=False)
class _Ground:
    """Constraints over u with x = K u + c, and changes ``size`` (m,) of u that matter."""

    held: Equations
    K: np.ndarray
    c: np.ndarray
    size: np.ndarray

    def differences(self, u: np.ndarray) -> np.ndarray:
        """Left less right sides (..., r) at u (..., m)."""
        return self.held.values(u @ self.K.T + self.c)

    def derivatives(self, u: np.ndarray) -> np.ndarray:
        """Derivatives (B, r, m) by u (B, m) in units of ``size``."""
        return self.held.jacobian(u @ self.K.T + self.c) @ self.K * self.size

    def point(self, start: np.ndarray) -> np.ndarray:
        """u (m,) at which the constraints hold, from the start and from others around it."""
        rng = np.random.default_rng(START_SEED)
        best: tuple[float, int] = (np.inf, 0)
        for spread in SPREADS:
            for _ in range(TRIES if spread else 1):
                u, h = self.restored(start + spread * self.size * rng.normal(size=len(start)))
                if h is None:
                    continue
                if self.holds(u, h):
                    return u
                best = min(best, (float(np.abs(h).max()), int(np.argmax(np.abs(h)))))
        near = f"; the nearest that was found leaves a difference of {best[0]:.3g}" if np.isfinite(best[0]) else ""
        raise DataError(
            f"no values of the parameters were found for which the constraint {self.held.texts[best[1]]} holds"
            f"{' beside the others' if len(self.held) > 1 else ''}{near}. Look at its signs, roots and logarithms, or "
            "give starting values, start(0.5)*x"
        )

    def restored(self, u: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
        """Least squares of left less right sides by damped Gauss-Newton steps; None where an expression has no value."""
        h, damping = self.differences(u), 0.0
        if not np.isfinite(h).all():
            return u, None
        for _ in range(200):
            if not h.any():
                break
            H = self.derivatives(u[None])[0]
            step = -H.T @ np.linalg.lstsq(H @ H.T + damping * np.eye(len(H)), h, rcond=1e-14)[0] * self.size
            new = self.differences(u + step)
            if np.isfinite(new).all() and (new**2).sum() < (h**2).sum():
                u, h, damping = u + step, new, damping / 10
            elif damping > 1e8 or np.abs(step / self.size).max() < 1e-15:
                break
            else:
                damping = max(10 * damping, 1e-4)
        return u, h

    def holds(self, u: np.ndarray, h: np.ndarray) -> bool:
        """Whether differences h at u are rounding errors."""
        nearby = self.derivatives(np.stack([u, u + self.size]))
        usual = np.nan_to_num(np.linalg.norm(nearby, axis=2)).max(axis=0)
        return bool((np.abs(h) <= HOLDS * usual).all())

    def needed(self, u: np.ndarray, start: np.ndarray) -> list[int]:
        """Constraints that those before them do not imply; ``a^2 == 0`` holds where nothing follows by the chain rule."""
        H = self.derivatives(u[None])[0]
        length, usual = (np.linalg.norm(D, axis=1) for D in (H, self.derivatives((start + self.size)[None])[0]))
        for k, text in enumerate(self.held.texts):
            if usual[k] and not length[k] > FLAT * usual[k]:
                raise DataError(
                    f"the constraint {text} holds, if at all, only where its derivatives are zero, so that it takes no "
                    "degree of freedom and has no standard errors; write it so that its two sides cross, such as a == 0 "
                    "for a^2 == 0"
                )
        kept: list[int] = []
        basis = np.zeros((0, H.shape[1]))
        for k in np.flatnonzero(length).tolist():
            rest = H[k] / length[k]
            for _ in range(2):
                rest = rest - basis.T @ (basis @ rest)
            if np.linalg.norm(rest) > RANK:
                kept.append(k)
                basis = np.vstack([basis, rest / np.linalg.norm(rest)])
        return kept

    def curve(self, u: np.ndarray) -> Curve:
        """The curve through u; parameters by which constraints change steadily are expressed by the others if possible."""
        rng = np.random.default_rng(7)
        here = self.derivatives(u[None])
        elsewhere = self.derivatives(u + self.size * rng.uniform(0.05, 0.3, (4, len(u))))
        with np.errstate(all="ignore"):
            steady = (np.abs(elsewhere - here) <= 1e-9 * np.abs(here)).all(axis=(0, 1)) & np.abs(here[0]).any(axis=0)
        H = here[0] / np.linalg.norm(here[0], axis=1)[:, None]
        order = qr(H * np.where(steady, STEADY, 1.0), mode="r", pivoting=True)[1]
        return Curve(self.held, self.K, self.c, np.sort(order[: len(H)]), u)
