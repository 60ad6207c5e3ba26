r"""
Layers, exactly and at finite width
===================================

What a layer does and forgets: the fixed point of repeated layers, the law of noisy signals, the spectrum of a transfer
operator; wide random layers beside networks of finite width.
"""

import matplotlib.pyplot as plt

from statnn import plot, rg

noisy = rg.NoisyLayer("tanh", 1.6, 0.0, 0.3)
wide = rg.RandomLayer("tanh", 1.5, 0.1)
networks = wide.simulate(width=100, depth=20, replicas=200, rng=1)
with plot.style():
    figure, panels = plt.subplots(2, 3, figsize=(13, 7.5))
    rg.FixedFunction(order=3, coefficient=1 / 3).plot(panels[0, 0])
    noisy.stationary().plot(panels[0, 1])
    noisy.spectrum().plot(panels[0, 2])
    networks.plot(panels[1, 0])
    networks.plot(panels[1, 1], quantity="variance")
    wide.finite_width(1.0, 20).plot(panels[1, 2])
