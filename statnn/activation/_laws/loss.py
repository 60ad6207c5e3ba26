"""The mean of a loss per neuron over activations: one sum for all processes and starts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from statnn._arguments import Floats
from statnn.activation._start import Start

NeuronLoss: TypeAlias = Callable[[Floats], ArrayLike]
"""l(k) of an array of counts k, as floats: powers of integers would wrap around."""


class Process(Protocol):
    """What the sum needs of a process: its parameters, its start, and the count law with b raised."""

    @property
    def neurons(self) -> int:
        """N."""

    @property
    def b(self) -> float:
        """Constant of the stable activation probability hypothesis."""

    @property
    def c(self) -> float:
        """Mean number of active neurons per sample."""

    @property
    def start(self) -> Start | None:
        """What has been seen already."""

    def _law(self, D: int, initial: int, bonus: float) -> Any: ...


def expected_loss(process: Process, D: int, per_neuron_loss: NeuronLoss) -> float:
    """Carry out :meth:`ActivationProcess.loss` for one D.

    An activation meets neuron i with a chance proportional to k_i + b, where k_i is its count at the start,
    and from there on sees the count law with b raised by one.
    """
    if not callable(per_neuron_loss):
        raise TypeError(f"per_neuron_loss = {per_neuron_loss!r} is not a function: pass l(k), such as lambda k: k == 0")
    if process.start is None:
        initial, share = np.array([0]), np.array([1.0])
    else:
        initial, times = np.unique(process.start.counts, return_counts=True)
        seen = process.start.samples * process.c  # the sum of the counts on average, not always
        share = times * (initial + process.b) / (seen + process.b * process.neurons)
    losses = [process._law(D, k0, 1.0).expect(per_neuron_loss) for k0 in initial.tolist()]
    return float(share @ losses)
