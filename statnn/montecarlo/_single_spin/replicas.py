"""Chains of single-spin updates as replicas, side by side in groups."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from statnn._random import Root
from statnn.interaction import BinaryNeurons
from statnn.montecarlo._chunks import cut, pieces, starts
from statnn.montecarlo._couplings import once
from statnn.montecarlo._grid import rounded
from statnn.montecarlo._lanes import aligned, lanes, realigned
from statnn.montecarlo._method import Untuned, Values
from statnn.montecarlo._single_spin import replica_kernels as kernels
from statnn.montecarlo._single_spin.replica_kernels import LANES

_rounded = once(rounded)

MOST = 2
"""Largest number of groups in a block: more chains make more blocks."""
PER_CALL, PER_SPIN, PER_COUPLING = 8000.0, 0.35, 0.1
"""Rough costs in nanoseconds of a block, and of a spin and a coupling of one replica; they only choose a layout."""


def cost(model: BinaryNeurons, chains: int) -> float:
    """Return roughly how many nanoseconds a sweep of all chains takes.

    A lone group counts twice: it is a single task, whereas chains in colours are several.
    """
    group = LANES * (PER_SPIN * model.size + PER_COUPLING * model.couplings.nnz)
    return -(-chains // block(chains)) * PER_CALL + max(2, -(-chains // LANES)) * group


def block(chains: int) -> int:
    """Return the number of chains of a block: one group, or two if there are many chains."""
    return LANES * cut(-(-chains // LANES), 1, MOST)


def memory(model: BinaryNeurons, chains: int) -> int:
    """Return the bytes of a block."""
    return -(-chains // LANES) * LANES * model.size + 8 * (model.couplings.nnz + model.size)


def in_groups(kept: dict[str, Any], fresh: dict[str, Any]) -> dict[str, Any]:
    """Return kept state in groups of the present width; those of earlier versions are twice as wide."""
    result = dict(kept)
    for name, value in kept.items():
        begin = fresh.get(name)
        if isinstance(begin, np.ndarray) and begin.shape[-1:] == (LANES,) and np.shape(value)[-1:] == (2 * LANES,):
            inner = begin.shape[1:-1]
            if value.shape in ((*inner, 2 * LANES), (-(-len(begin) // 2), *inner, 2 * LANES)):
                halves = np.moveaxis(value.reshape(-1, *inner, 2, LANES), -2, 1)
                result[name] = halves.reshape(-1, *inner, LANES)[: len(begin)]
    return result


class ReplicaWalkers(Untuned):
    """Chains in groups of `LANES`; lanes without a chain hold spare chains, which are ignored."""

    changing: ClassVar[tuple[str, ...]] = ("spins", "rng", "changed", "sweeps")

    def __init__(
        self, model: BinaryNeurons, metropolis: bool, seed: Root, chains: Sequence[int], initial: Values | None
    ) -> None:
        self.model, self.metropolis, self.chains = model, metropolis, len(chains)
        groups = -(-len(chains) // LANES)
        self.spins, self.rng = aligned((groups, model.size, LANES), np.int8), aligned((groups, 4, LANES), np.uint32)
        for k, begin in enumerate(starts(model, seed, chains, initial)):
            self.spins[k // LANES, :, k % LANES] = begin
        used = (len(chains) - 1) % LANES + 1
        self.spins[-1, :, used:] = self.spins[-1, :, used - 1 : used]
        for g in range(groups):
            self.rng[g] = lanes(seed, [(chain,) for chain in chains[LANES * g : LANES * (g + 1)]], LANES)
        self.changed = np.zeros((groups, LANES), dtype=np.int64)
        self.sweeps = 0

    def forget(self) -> None:
        """Reset the counters."""
        self.changed[:] = 0
        self.sweeps = 0

    def sweep(self, sweeps: int) -> None:
        """Propose a new value to every spin `sweeps` times, in the order of their numbers."""
        kernel = kernels.metropolis if self.metropolis else kernels.heat_bath
        couplings, fields = _rounded(self.model)
        matrix = self.model.couplings
        beta = np.full(self.changed.shape, 1 / self.model.temperature, couplings.dtype)
        for part in pieces(sweeps, self.spins.size + self.changed.size * matrix.nnz // 3):
            kernel(matrix.indptr, matrix.indices, couplings, fields, self.spins, beta, self.rng, part, self.changed)
        self.sweeps += sweeps

    def restore(self, kept: dict[str, Any]) -> None:
        """Put back the result of `kept`, of this version or an earlier one."""
        super().restore(in_groups(kept, vars(self)))

    def observe(self, name: str) -> Values:
        """Return "energy", E with the couplings as they were given, or "magnetisation", the mean spin."""
        if name == "magnetisation":
            total = np.empty_like(self.changed)
            kernels.magnetisations(self.spins, total)
            return total.reshape(-1)[: self.chains] / self.model.size
        energy = np.empty(self.changed.shape)
        matrix = self.model.couplings
        kernels.energies(matrix.indptr, matrix.indices, matrix.data, self.model.fields, self.spins, energy)
        return energy.reshape(-1)[: self.chains]

    def states(self) -> Values:
        """Return a copy of the spins, shape (chains, N), int8, which later sweeps do not change."""
        chains = self.spins.transpose(0, 2, 1).reshape(-1, self.model.size)[: self.chains]
        return chains.copy()  # for one group it is a view

    def diagnostics(self) -> dict[str, Values]:
        """Return "acceptance": the share of visited spins that changed sign after the burn-in."""
        changed = self.changed.reshape(-1)[: self.chains]
        return {"acceptance": changed / (self.model.size * max(self.sweeps, 1))}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self.spins, self.rng = realigned(self.spins), realigned(self.rng)
