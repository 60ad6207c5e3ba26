"""What claims on sampled models share: independent chains as replicates, sources."""

import numpy as np
from numpy.typing import NDArray

from statnn.montecarlo import Run

HAMILTONIAN = "Lee, Lee & Yi 2024, arXiv 2410.00396"
OURS = "our construction, after " + HAMILTONIAN


def of_chains(run: Run, name: str, centre: float = 0.0, power: int = 1) -> NDArray[np.float64]:
    """Return the mean of ``(observable - centre)**power`` in every chain, shape ``(chains, ...)``.

    Chains are independent, whatever the correlation within each: their means are replicates.
    """
    return np.asarray(((run.draws[name] - centre) ** power).mean(axis=1), dtype=float)
