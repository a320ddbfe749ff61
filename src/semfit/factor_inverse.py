"""Inverse and determinant of Sigma = J Phi J' + Theta with a diagonal Theta, from matrices of the latents' size.

W = D - D J (I + Phi G)^-1 Phi J' D with D = Theta^-1, G = J' D J (Woodbury), and log|Sigma| = log|Theta| + log|I + Phi G|. With
Phi = R R' the inner matrix is R' G R + I, symmetric and positive definite. Thirty items on eight latents: a sixth of the
operations of a dense inverse.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

SMALLEST = 1e-3  # residual variance (items in standard deviations) below which digits would be lost
FEWEST, MOST = 16, 0.4  # items, and latents an item, for which it pays


@dataclass(frozen=True, eq=False)
class FactorInverse:
    """Where Theta and Phi stand among the entries of one group.

    Attributes
    ----------
    residual : array of int, shape (p,)
        Entries of the residual variances, in the order of the observed variables.
    latent, cells, mirrored : array of int
        Entries of Phi (h, h) and their flat positions.
    """

    residual: np.ndarray
    latent: np.ndarray
    cells: np.ndarray
    mirrored: np.ndarray

    @classmethod
    def of(
        cls, i: np.ndarray, j: np.ndarray, covariance: np.ndarray, senders: np.ndarray, p: int
    ) -> FactorInverse | None:
        """For entries (row i, column j) of which ``covariance`` are those of S; None where Theta is not diagonal.

        ``senders`` are the variables that send arrows: they must be the latents, which come after p observed ones.
        """
        h = len(senders)
        if p < FEWEST or h > MOST * p or not np.array_equal(senders, np.arange(p, p + h)):
            return None
        a, b = i[covariance], j[covariance]
        own = (a == b) & (a < p)
        if ((a < p) != (b < p)).any() or ((a < p) & ~own).any() or len(np.unique(a[own])) < p:
            return None
        inside = a >= p
        x, y = a[inside] - p, b[inside] - p
        return cls(covariance[own][np.argsort(a[own])], covariance[inside], x * h + y, y * h + x)

    def inverse(self, e: np.ndarray, J: np.ndarray) -> tuple | None:
        """W (B, p, p), log-determinants and True (B,); None where a member is no proper solution."""
        theta = e[:, self.residual]
        if not (theta > SMALLEST).all():
            return None
        B, p, h = J.shape
        phi = np.zeros((B, h * h))
        phi[:, self.cells] = phi[:, self.mirrored] = e[:, self.latent]
        try:
            R = np.linalg.cholesky(phi.reshape(B, h, h))
            D = 1 / theta
            left = J @ R
            weighted = D[:, :, None] * left
            L = np.linalg.cholesky(left.swapaxes(1, 2) @ weighted + np.eye(h))
            U = weighted @ np.linalg.inv(L).swapaxes(1, 2)
        except np.linalg.LinAlgError:
            return None
        W = U @ -U.swapaxes(1, 2)
        at = np.arange(p)
        W[:, at, at] += D
        logdet = np.log(theta).sum(axis=1) + 2 * np.log(np.diagonal(L, axis1=1, axis2=2)).sum(axis=1)
        return W, logdet, np.ones(B, bool)
