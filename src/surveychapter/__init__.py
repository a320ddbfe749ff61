"""A results chapter from answers, codebook and model; tables for page, LaTeX and Word."""
