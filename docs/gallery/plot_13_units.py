r"""
What units and samples have in common
=====================================

Correlations between units beside those of independent ones; the spectrum of a tangent kernel; p-values of a test of
every unit.
"""

import matplotlib.pyplot as plt
import numpy as np

from statnn import Network, plot
from statnn.measure import correlation, spikes, tangent

rng = np.random.default_rng(1)
net = Network.random([30, 200, 10], "relu", sigma_w=1.4, rng=1)
x = rng.normal(size=(2000, 30))
hidden = net.trace(x).activations[1]
with plot.style():
    figure, (left, middle, right) = plt.subplots(1, 3, figsize=(13, 3.8))
    correlation.neuronal_correlation(hidden).plot(left)
    tangent.tangent_kernel(net, x[:300]).plot(middle)
    spikes.statistics(hidden, window=50).test("binomial").plot(right)
