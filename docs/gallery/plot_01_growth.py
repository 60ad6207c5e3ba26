r"""
Growth of working neurons
=========================

:math:`K(D)`, exact, with one standard deviation and the point of steepest growth; paths simulated beside it.
"""

import matplotlib.pyplot as plt

from statnn import plot
from statnn.activation import BetaBernoulli, checkpoints

process = BetaBernoulli(neurons=1000, b=0.3, c=5.0)
with plot.style():
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.4))
    process.plot(left)
    process.simulate(checkpoints(10**6, 40), replicas=200, rng=1).plot(right)
