"""Interactions of latent variables: product indicators and LMS."""
