"""One printer of results: that of the estimator."""

from semfit.printing import Result

__all__ = ["Result"]
