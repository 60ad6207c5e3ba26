r"""
Chains of a sampler
===================

The energy of four chains at the critical temperature of the square lattice.
"""

import matplotlib.pyplot as plt

from statnn import plot
from statnn.interaction import square_lattice
from statnn.montecarlo import sample

run = sample(square_lattice(24, 24, temperature=2.27), 2000, chains=4, rng=1)
with plot.style():
    figure, ax = plt.subplots(figsize=(8, 3.2))
    run.plot(ax, name="energy")
