"""One BLAS thread for small matrices, as in the estimator."""

from semfit.threads import one_thread

__all__ = ["one_thread"]
