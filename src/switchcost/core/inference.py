"""Seeds, floors of draws and tables of estimates: those of the estimator, with the errors of the helper."""

from semfit import inference
from semfit.arguments import FEWEST_DRAWS
from semfit.inference import DEFAULT_SEED, estimate_columns

from .errors import with_our_errors

default_seed = with_our_errors(inference.default_seed)
enough_draws = with_our_errors(inference.enough_draws)

__all__ = ["DEFAULT_SEED", "FEWEST_DRAWS", "default_seed", "enough_draws", "estimate_columns"]
