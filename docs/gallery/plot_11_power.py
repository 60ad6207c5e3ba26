r"""
What a check sees
=================

The share of runs in which a comparison of a mean sees a theory that is wrong by so much, and the normal curve through
it.
"""

import matplotlib.pyplot as plt
import numpy as np

from statnn import plot
from statnn.testing import power, statistics


def check(deviation, rng):
    """Compare the mean of 400 normal numbers with a theory that is wrong."""
    return statistics.mean(rng.normal(size=400), deviation)


with plot.style():
    figure, ax = plt.subplots(figsize=(6, 3.8))
    power(check, np.linspace(0, 0.6, 129), runs=100, rng=1, level=1e-6).plot(ax)
