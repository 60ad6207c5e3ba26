r"""
Renormalisation by Monte Carlo
==============================

Exponents of the square lattice at its critical coupling, by the number of operators, from samples before and after
each step of blocking.
"""

import matplotlib.pyplot as plt
import numpy as np

from statnn import plot, rg
from statnn.interaction import square_lattice

critical = square_lattice(32, 32, temperature=2 / np.log(1 + np.sqrt(2)))
with plot.style():
    figure, ax = plt.subplots(figsize=(6, 3.8))
    rg.sample_flow(critical, (32, 32), sweeps=2000, chains=16, rng=1).plot(ax)
