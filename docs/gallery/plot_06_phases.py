r"""
Order and chaos
===============

The phase diagram of wide random layers, of tanh and of an activation that has a fold.
"""

import matplotlib.pyplot as plt
import numpy as np

from statnn import plot, rg

with plot.style():
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3.8))
    rg.phase_diagram("tanh", np.linspace(0.5, 3, 26), np.linspace(0, 1, 11)).plot(left)
    rg.phase_diagram("gelu", np.linspace(1.0, 2.2, 25), np.linspace(0.05, 0.8, 11)).plot(right)
