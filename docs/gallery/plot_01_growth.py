r"""
Growth of working neurons
=========================

:math:`K(D)` of the three laws, exact, with one standard deviation and the point of steepest growth; paths of one of
them simulated beside it.
"""

import matplotlib.pyplot as plt

from statnn import plot
from statnn.activation import BetaBernoulli, GammaPoisson, PolyaUrn, checkpoints

process = BetaBernoulli(neurons=1000, b=0.3, c=5.0)
with plot.style():
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.4))
    process.plot(left)
    PolyaUrn(neurons=1000, b=0.3, c=100.0).plot(left, color=plot.COLOURS[1], linestyle="--")
    GammaPoisson(neurons=1000, b=1.0, c=5.0).plot(left, color=plot.COLOURS[2], linestyle=":")
    left.legend()
    process.simulate(checkpoints(10**6, 40), replicas=200, rng=1).plot(right)
    right.legend()
