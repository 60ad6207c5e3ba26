"""Activation processes: which neurons have ever worked after D samples (arXiv 2412.18073)."""

from statnn.activation._beta_bernoulli import BetaBernoulli
from statnn.activation._compare import Comparison, compare
from statnn.activation._fit import Fit, fit
from statnn.activation._gamma_poisson import GammaPoisson
from statnn.activation._path import Path, checkpoints
from statnn.activation._polya_urn import PolyaUrn
from statnn.activation._rarefaction import Rarefaction, rarefaction

__all__ = [
    "BetaBernoulli",
    "Comparison",
    "Fit",
    "GammaPoisson",
    "Path",
    "PolyaUrn",
    "Rarefaction",
    "checkpoints",
    "compare",
    "fit",
    "rarefaction",
]
