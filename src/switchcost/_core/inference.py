"""Seeds, floors of draws and tables of estimates: those of the estimator."""

from semfit.inference import DEFAULT_SEED, FEWEST_DRAWS, default_seed, enough_draws, estimate_columns

__all__ = ["DEFAULT_SEED", "FEWEST_DRAWS", "default_seed", "enough_draws", "estimate_columns"]
