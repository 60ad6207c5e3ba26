"""The general start: what has been seen before the laws begin."""

from dataclasses import dataclass, field

import numpy as np

from statnn._edge import Ints


@dataclass(frozen=True, eq=False)
class Start:
    """What has been seen already: ``counts[i]`` activations of neuron i in ``samples`` samples."""

    samples: int
    counts: Ints = field(repr=False)

    @property
    def working(self) -> int:
        """Number of neurons with at least one activation."""
        return int(np.count_nonzero(self.counts))
