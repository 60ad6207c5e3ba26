"""Chains of single-spin updates as replicas: 64 of them side by side."""

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from statnn._random import Root
from statnn.interaction import BinaryNeurons
from statnn.montecarlo._chunks import pieces, starts
from statnn.montecarlo._couplings import once
from statnn.montecarlo._grid import rounded
from statnn.montecarlo._lanes import aligned, lanes, realigned
from statnn.montecarlo._method import Untuned, Values
from statnn.montecarlo._single_spin import replica_kernels as kernels
from statnn.montecarlo._single_spin.replica_kernels import LANES

_rounded = once(rounded)

PER_CALL, PER_SPIN, PER_COUPLING = 8000.0, 0.35, 0.1
"""Nanoseconds of a block, and of an update of one replica, roughly; they only choose between layouts."""


def cost(model: BinaryNeurons, chains: int) -> float:
    """Return roughly how many nanoseconds a sweep of all chains takes."""
    block = PER_CALL + LANES * (PER_SPIN * model.size + PER_COUPLING * model.couplings.nnz)
    return -(-chains // LANES) * block


def memory(model: BinaryNeurons) -> int:
    """Return the bytes of a block."""
    return LANES * model.size + 8 * (model.couplings.nnz + model.size)


class ReplicaWalkers(Untuned):
    """At most `LANES` chains; lanes without a chain hold spare ones that nobody sees."""

    changing: ClassVar[tuple[str, ...]] = ("spins", "rng", "changed", "sweeps")

    def __init__(
        self, model: BinaryNeurons, metropolis: bool, seed: Root, chains: Sequence[int], initial: Values | None
    ) -> None:
        if len(chains) > LANES:
            raise ValueError(f"{len(chains)} chains do not fit into the {LANES} lanes of one block")
        self.model, self.metropolis, self.chains = model, metropolis, len(chains)
        self.spins = aligned((model.size, LANES), np.int8)
        for lane, begin in enumerate(starts(model, seed, chains, initial)):
            self.spins[:, lane] = begin
        self.spins[:, len(chains) :] = self.spins[:, len(chains) - 1 : len(chains)]
        self.rng = lanes(seed, chains, LANES)
        self.changed = np.zeros(LANES, dtype=np.int64)
        self.sweeps = 0

    def forget(self) -> None:
        """Begin to count anew."""
        self.changed[:] = 0
        self.sweeps = 0

    def sweep(self, sweeps: int) -> None:
        """Offer every spin a new value so many times, in the order of their numbers."""
        kernel = kernels.metropolis if self.metropolis else kernels.heat_bath
        couplings, fields = _rounded(self.model)
        matrix = self.model.couplings
        beta = np.full(LANES, 1 / self.model.temperature).astype(couplings.dtype)
        for part in pieces(sweeps, self.spins.size + LANES * matrix.nnz // 3):
            kernel(matrix.indptr, matrix.indices, couplings, fields, self.spins, beta, self.rng, part, self.changed)
        self.sweeps += sweeps

    def observe(self, name: str) -> Values:
        """Return "energy", E with the couplings as they were given, or "magnetisation", the mean spin."""
        if name == "magnetisation":
            total = np.empty(LANES, dtype=np.int64)
            kernels.magnetisations(self.spins, total)
            return total[: self.chains] / self.model.size
        energy = np.empty(LANES)
        matrix = self.model.couplings
        kernels.energies(matrix.indptr, matrix.indices, matrix.data, self.model.fields, self.spins, energy)
        return energy[: self.chains]

    def states(self) -> Values:
        """Return the spins, shape (chains, N), int8."""
        return np.ascontiguousarray(self.spins[:, : self.chains].T)

    def diagnostics(self) -> dict[str, Values]:
        """Return "acceptance": the share of visited spins that changed sign after the burn-in."""
        return {"acceptance": self.changed[: self.chains] / (self.model.size * max(self.sweeps, 1))}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self.spins, self.rng = realigned(self.spins), realigned(self.rng)
