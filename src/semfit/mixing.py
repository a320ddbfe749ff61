"""The step of a fixed-point search that learns from its last steps, for a batch of searches at once."""

from __future__ import annotations

import numpy as np


def mixed(z: np.ndarray, f: np.ndarray, steps: np.ndarray, changes: np.ndarray) -> np.ndarray:
    """Where the next step of a batch leads: z + f, mixed with what earlier steps did to f (Walker & Ni 2011).

    z, f are (B, m); steps and changes (B, memory, m) hold earlier differences of z and of f, none at first.
    """
    if not changes.shape[1]:
        return z + f
    G = changes @ changes.swapaxes(1, 2)
    G += 1e-12 * np.trace(G, axis1=1, axis2=2)[:, None, None] * np.eye(changes.shape[1])
    weight = np.linalg.solve(G, changes @ f[:, :, None])
    return z + f - ((steps + changes).swapaxes(1, 2) @ weight)[:, :, 0]
