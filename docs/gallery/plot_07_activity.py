r"""
What units do with samples
==========================

Spikes beside their null; ranks of classes; radii of attraction basins; strength of neurons.
"""

import matplotlib.pyplot as plt
from sklearn.datasets import load_digits
from sklearn.neural_network import MLPClassifier

from statnn import plot
from statnn.io import load_network
from statnn.measure import basins, graph, order, spikes

x, y = load_digits(return_X_y=True)
trained = MLPClassifier((32, 32), learning_rate_init=0.01, random_state=0).fit(x[:1200] / 16, y[:1200])
net, x, y = load_network(trained), x[1200:] / 16, y[1200:]
with plot.style():
    figure, panels = plt.subplots(2, 2, figsize=(10, 7))
    spikes.statistics(net.trace(x).activations[1], threshold=0.0, window=50).plot(panels[0, 0])
    order.rank_probability(net, x, y, layer=0).plot(panels[0, 1])
    basins.sample_basin(net, x[:100], y[:100], rng=0).plot(panels[1, 0])
    graph.strength(net).plot(panels[1, 1])
