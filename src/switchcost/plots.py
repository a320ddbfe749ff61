"""Figures, in colours that colour-blind readers can tell apart."""
