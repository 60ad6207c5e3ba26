"""Couplings as kernels take them."""

from statnn.interaction import BinaryNeurons
from statnn.montecarlo._walkers import Values


def graph(model: BinaryNeurons) -> tuple[Values, Values, Values]:
    """Return row pointers, neighbours and couplings, without a copy and read-only.

    A kernel is compiled once for arrays that may be written to and once for others; pickle forgets which is which.
    """
    couplings = model.couplings
    parts = couplings.indptr.view(), couplings.indices.view(), couplings.data.view()
    for part in parts:
        part.flags.writeable = False
    return parts
