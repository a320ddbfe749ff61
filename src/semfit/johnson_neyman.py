"""Johnson-Neyman: where along a moderator the conditional slope of a predictor differs from zero."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

VERDICTS = {1: "positive", -1: "negative", 0: "not different from zero"}


class Region(NamedTuple):
    """A stretch of the moderator with one verdict.

    ``sign`` is 1 or -1 where the slope differs from zero, and 0 where it does not; ``verdict`` is the same in words.
    """

    lower: float
    upper: float
    sign: int

    @property
    def verdict(self) -> str:
        return VERDICTS[self.sign]


@dataclass(frozen=True)
class ConditionalSlope:
    """A slope that changes along a moderator: slope(d) = at_zero + change d.

    Parameters
    ----------
    at_zero, change : float
        Slope where d = 0, and its change per unit of d. Take d as the distance from the moderator's mean: far from
        zero the two estimates correlate, and digits are lost.
    var_at_zero, cov, var_change : float
        Variances of the two estimates and their covariance.

    Notes
    -----
    The bounds solve (a + b d)^2 = t^2 (V_aa + 2 d V_ab + d^2 V_bb) (Johnson & Neyman 1936; Bauer & Curran 2005,
    Multivariate Behavioral Research 40, 373-400). The discriminant is written without the products a^2 b^2 that
    cancel in it, and the smaller root comes from the product of the two. Equals ``interactions::johnson_neyman``.

    Examples
    --------
    >>> line = ConditionalSlope(at_zero=0.5, change=0.2, var_at_zero=0.01, cov=0.0, var_change=0.0025)
    >>> [round(b, 3) for b in line.bounds(critical=1.96)]
    [-5.255, -1.325]
    >>> [(round(r.lower, 3), round(r.upper, 3), r.verdict) for r in line.regions(1.96, -3, 3)]
    [(-3, -1.325, 'not different from zero'), (-1.325, 3, 'positive')]
    """

    at_zero: float
    change: float
    var_at_zero: float
    cov: float
    var_change: float

    def value(self, d) -> tuple[np.ndarray, np.ndarray]:
        """Slope and standard error at values of the moderator."""
        d = np.asarray(d, dtype=float)
        variance = self.var_at_zero + 2 * d * self.cov + d**2 * self.var_change
        return self.at_zero + self.change * d, np.sqrt(np.maximum(variance, 0.0))

    def bounds(self, critical: float) -> tuple[float, ...]:
        """Values of d, ascending, at which \\|slope / se\\| equals ``critical``: none, one or two."""
        a, b, t2 = self.at_zero, self.change, critical**2
        vaa, vab, vbb = self.var_at_zero, self.cov, self.var_change
        if not np.isfinite([a, b, vaa, vab, vbb, t2]).all():
            return ()
        square, half, constant = b**2 - t2 * vbb, a * b - t2 * vab, a**2 - t2 * vaa
        if square == 0:
            return (-constant / (2 * half),) if half else ()
        discriminant = t2 * (b**2 * vaa - 2 * a * b * vab + a**2 * vbb - t2 * (vaa * vbb - vab**2))
        if discriminant < 0:
            return ()
        larger = -(half + np.copysign(np.sqrt(discriminant), half))
        return tuple(sorted({float(larger / square), float(constant / larger) if larger else 0.0}))

    def regions(self, critical: float, low: float, high: float) -> list[Region]:
        """The stretches between ``low`` and ``high`` with their verdicts, ascending."""
        edges = [low, *(v for v in self.bounds(critical) if low < v < high), high]
        out = []
        for left, right in itertools.pairwise(edges):
            est, se = self.value((left + right) / 2)
            out.append(Region(left, right, int(np.sign(est)) if abs(est) > critical * se else 0))
        return out
