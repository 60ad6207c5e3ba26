r"""
A law fitted to counts
======================

The counts of 1000 neurons over 2000 samples, three laws, and the growth curve with no law at all.
"""

import matplotlib.pyplot as plt

from statnn import plot
from statnn.activation import BetaBernoulli, checkpoints, compare, rarefaction

counts = BetaBernoulli(neurons=1000, b=0.3, c=5.0).simulate([2000], rng=2, counts=True).counts[0, 0]
with plot.style():
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.4))
    compare(counts, samples=2000).plot(left)
    rarefaction(counts, samples=2000, at=checkpoints(2000, 30)).plot(right)
