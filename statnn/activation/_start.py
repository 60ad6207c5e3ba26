"""The general start: what has been seen before the laws begin."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from statnn._arguments import Ints
from statnn._arrays import read_only


@dataclass(frozen=True, eq=False)
class Start:
    """What has been seen already: ``counts[i]`` activations of neuron i in ``samples`` samples."""

    samples: int
    counts: Ints = field(repr=False)

    def __post_init__(self) -> None:
        read_only(self.counts)

    def __reduce__(self) -> Any:
        """Copy by construction, so that a copy cannot be written to either."""
        return Start, (self.samples, self.counts)

    def __eq__(self, other: object) -> bool:
        """Compare samples and counts."""
        return isinstance(other, Start) and self.samples == other.samples and np.array_equal(self.counts, other.counts)

    def __hash__(self) -> int:
        return hash((self.samples, self.counts.tobytes()))

    @property
    def working(self) -> int:
        """Number of neurons with at least one activation."""
        return int(np.count_nonzero(self.counts))
