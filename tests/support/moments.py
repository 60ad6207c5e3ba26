"""Exact moments of a law, in place of moments of recorded states."""

import numpy as np

from statnn.rg.lattice._swendsen import Moments


def weighted(values, probability):
    """Return the moments of a law, in two equal groups."""
    mean = np.einsum("s,sla->la", probability, values)
    v = values - mean
    scatter = np.einsum("s,sla,slb->lab", probability, v, v)
    across = np.einsum("s,sla,slb->lab", probability, v[:, 1:], v[:, :-1])
    start = np.einsum("s,sla,s->la", probability, v, v[:, 0, 0])
    parts = (np.array(1.0), mean, scatter, across, start)
    return Moments(*(np.stack([part, part]) for part in parts))
