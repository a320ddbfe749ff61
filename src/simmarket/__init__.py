"""A simulated mobile market with a known truth, and twins of published matrices.

The truth is a file, ``data/simulated/telecom_survey/truth.json``: latent means by group, correlations, standardised
paths, products, loadings, thresholds and planted faults, each in plain terms. :func:`survey` draws respondents from
it, :func:`usage` their bills and departures, :func:`parameters` lists the truth as a table, and :func:`population`
gives the means and covariances that five-point answers have in an endless sample. The data sets ``telecom_survey``
and ``telecom_usage`` are written by ``python -m simmarket.files``. A second truth, ``truth_meta.json``, has the
signs of the meta-analysis: ``world="meta"`` switches to it everywhere, and :func:`truth` switches single facts on.

Simulated data show what a method can find. They are no evidence about customers.
"""

from .answers import keyed, survey
from .bills import usage
from .draws import latents
from .files import write
from .market import latent_means, parameters
from .moments import population
from .twins import twin
from .worlds import truth

__all__ = ["keyed", "latent_means", "latents", "parameters", "population", "survey", "truth", "twin", "usage", "write"]
