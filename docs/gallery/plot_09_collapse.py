r"""
Collapse of finite depths
=========================

The mean square signal of repeated noisy tanh layers near criticality, at three depths: one function of
:math:`(w - 1)\,m` once it is scaled by its exponents.
"""

import matplotlib.pyplot as plt
import numpy as np

from statnn import plot, rg

points = [(arm / m, m) for m in (64, 128, 256) for arm in np.linspace(-3, 3, 9)]
squares = [
    rg.RepeatedLayer("tanh", w=1 + t).simulate([m], noise_std=1 / m, replicas=2000, rng=k)[:, 0] ** 2
    for k, (t, m) in enumerate(points)
]
t, m = np.transpose(points)
means, errors = np.mean(squares, axis=1), np.std(squares, axis=1) / np.sqrt(2000)
with plot.style():
    figure, ax = plt.subplots(figsize=(6, 3.8))
    rg.collapse(t, m, means, errors, rng=1).plot(ax).legend()
