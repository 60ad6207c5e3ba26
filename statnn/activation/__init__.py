"""Activation processes: which neurons have ever worked after D samples (arXiv 2412.18073)."""

from statnn.activation._beta_bernoulli import BetaBernoulli
from statnn.activation._gamma_poisson import GammaPoisson
from statnn.activation._inference.compare import Comparison, compare
from statnn.activation._inference.fit import Fit, fit
from statnn.activation._inference.forecast import fit_errors
from statnn.activation._inference.rarefaction import Rarefaction, rarefaction
from statnn.activation._polya_urn import PolyaUrn
from statnn.activation._simulation.path import Paths, checkpoints

__all__ = [
    "BetaBernoulli",
    "Comparison",
    "Fit",
    "GammaPoisson",
    "Paths",
    "PolyaUrn",
    "Rarefaction",
    "checkpoints",
    "compare",
    "fit",
    "fit_errors",
    "rarefaction",
]
