"""Work in pieces over cores and clusters, and bars that name what is running: those of the estimator."""

from semfit.jobs import named_steps, run_batches

__all__ = ["named_steps", "run_batches"]
