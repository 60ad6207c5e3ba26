r"""
Interaction graphs
==================

A network as spins; the same with neurons that fluctuate, weights and biases as nodes; a torus; a random graph.
"""

import matplotlib.pyplot as plt
import networkx as nx
import numpy as np

from statnn import Network, plot
from statnn.interaction import BinaryNeurons, DynamicNeurons, square_lattice

net = Network.random([3, 4, 2], activation="tanh", sigma_b=0.3, rng=0)
factors = DynamicNeurons(net, np.eye(3), np.eye(3, 2), free=("neurons", "weights", "biases"))
with plot.style():
    figure, panels = plt.subplots(2, 2, figsize=(9, 7))
    BinaryNeurons.from_network(net).plot(panels[0, 0])
    factors.plot(panels[0, 1], parameters=True)
    square_lattice(5, 7).plot(panels[1, 0])
    BinaryNeurons(nx.gnm_random_graph(40, 36, seed=1)).plot(panels[1, 1])
