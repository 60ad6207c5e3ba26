"""Activation processes: which neurons have ever worked after D samples (arXiv 2412.18073)."""

from statnn.activation._beta_bernoulli import BetaBernoulli
from statnn.activation._gamma_poisson import GammaPoisson
from statnn.activation._path import Path, checkpoints
from statnn.activation._polya_urn import PolyaUrn

__all__ = ["BetaBernoulli", "GammaPoisson", "Path", "PolyaUrn", "checkpoints"]
