"""Exact moments of a law in the place of those of recorded states."""

import numpy as np

from statnn.rg.lattice._swendsen import Moments


def weighted(values, probability):
    """Return the moments of a law, in two equal groups."""
    v = values.astype(float)
    within = np.einsum("s,sla,slb->lab", probability, v, v)
    across = np.einsum("s,sla,slb->lab", probability, v[:, 1:], v[:, :-1])
    start = np.einsum("s,sla,s->la", probability, v, v[:, 0, 0])
    parts = (np.array(1.0), np.einsum("s,sla->la", probability, v), within, across, start)
    return Moments(*(np.stack([part, part]) for part in parts))
