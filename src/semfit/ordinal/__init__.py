"""Ordered items: thresholds, polychoric correlations, weighted least squares."""
