r"""
A law fitted to counts
======================

The counts of 1000 neurons over 2000 samples: one law fitted, three compared, the growth curve with no law at all, and
growth and laws in one picture.
"""

import matplotlib.pyplot as plt

from statnn import plot
from statnn.activation import BetaBernoulli, checkpoints, compare, fit, rarefaction
from statnn.measure import growth

counts = BetaBernoulli(neurons=1000, b=0.3, c=5.0).simulate([2000], rng=2, counts=True).counts[0, 0]
with plot.style():
    figure, panels = plt.subplots(2, 2, figsize=(9, 6.8))
    fit(counts, samples=2000).plot(panels[0, 0])
    compare(counts, samples=2000).plot(panels[0, 1])
    rarefaction(counts, samples=2000, at=checkpoints(2000, 30)).plot(panels[1, 0])
    growth.from_active_samples(counts, 2000).plot(panels[1, 1])
