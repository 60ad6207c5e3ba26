r"""
A network on the phase diagram
==============================

Where the layers of a network lie in the plane of :math:`\sigma_w` and :math:`\sigma_b`, and how the correlation of its
inputs goes through depth, beside what wide random layers predict.
"""

import matplotlib.pyplot as plt
import numpy as np

from statnn import Network, plot, rg

net = Network.random([64, *[200] * 15, 10], activation="tanh", sigma_w=1.6, sigma_b=0.2, rng=0)
placed = rg.place(net, np.random.default_rng(0).normal(size=(200, 64)))
with plot.style():
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3.8))
    placed.plot(left)
    placed.plot_signals(right).legend()
