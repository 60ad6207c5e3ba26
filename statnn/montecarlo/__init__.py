"""Monte Carlo of interaction graphs: one verb, `sample`, and the methods behind it."""

from statnn.montecarlo._estimate import Estimate, UntrustedEstimate, estimate
from statnn.montecarlo._methods import METHODS
from statnn.montecarlo._run import Run
from statnn.montecarlo._sample import sample
from statnn.montecarlo._walkers import Method

__all__ = ["METHODS", "Estimate", "Method", "Run", "UntrustedEstimate", "estimate", "sample"]
