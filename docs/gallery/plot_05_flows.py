r"""
Flows of couplings
==================

Layers of one spin, and of one noisy neuron, under doubling of depth.
"""

import matplotlib.pyplot as plt

from statnn import plot, rg

with plot.style():
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3.8))
    rg.flow(rg.BinaryLayer([[1.5]], [0.1]), doublings=6).plot(left)
    rg.flow(rg.LinearLayer(0.98, 0.0, 0.05), doublings=8).plot(right)
