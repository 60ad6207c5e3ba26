"""Chains of single-spin updates in colours: spins of one chain side by side, chain after chain."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from scipy import sparse

from statnn._arguments import Ints
from statnn._random import Root, stream
from statnn.interaction import BinaryNeurons
from statnn.montecarlo._chunks import pieces, starts
from statnn.montecarlo._couplings import once
from statnn.montecarlo._grid import rounded
from statnn.montecarlo._lanes import aligned, realigned
from statnn.montecarlo._method import Untuned, Values
from statnn.montecarlo._single_spin import colour_kernels as kernels
from statnn.montecarlo._single_spin import colour_plan as _spin_plan
from statnn.montecarlo._single_spin.colour_plan import COSTS, HELD, LANES, ColourPlan

MOST_PADDING = 4
"""Entries of a plan per coupling above which none is made unless asked for, as on dense graphs."""


@once
def _cheapest(model: BinaryNeurons) -> tuple[Ints, float]:
    """Return the positions of spins in the cheaper order, and the cost of a sweep."""
    orders = [_spin_plan.order(model.couplings, model.colours, by_degree) for by_degree in (False, True)]
    if np.array_equal(orders[0], orders[1]):
        orders.pop()
    return min(
        ((position, _spin_plan.cost(model.couplings, position)) for position in orders), key=lambda pair: pair[1]
    )


def positions(model: BinaryNeurons) -> Ints:
    """Return the position of every spin, shape (N,)."""
    return _cheapest(model)[0]


@once
def update_plan(model: BinaryNeurons) -> ColourPlan:
    """Return the plan for the update kernels."""
    values, fields = rounded(model)
    matrix = model.couplings
    matrix = sparse.csr_array((values, matrix.indices, matrix.indptr), shape=matrix.shape)
    return _spin_plan.plan(matrix, fields, positions(model), values.dtype, HELD * model.temperature)


@once
def energy_plan(model: BinaryNeurons) -> ColourPlan:
    """Return the plan for energies: couplings as given, each only at the spin of the later position."""
    return _spin_plan.plan(model.couplings, model.fields, positions(model), np.float64, 0.0, earlier=True)


@once
def _slots(model: BinaryNeurons) -> tuple[int, int]:
    """Return the numbers of chunks and of slots if every neighbour were gathered."""
    position = _spin_plan.order(model.couplings, model.colours, by_degree=True)
    chunk = position // LANES - 1
    largest = np.zeros(int(chunk.max()) + 1, dtype=np.int64)
    np.maximum.at(largest, chunk, np.diff(model.couplings.indptr))
    return largest.size, int(largest.sum())


def cheaper(model: BinaryNeurons, chains: int, nanoseconds: float) -> bool:
    """Return whether a sweep of all chains in colours takes less than `nanoseconds`."""
    chunks, slots = _slots(model)
    if chains * (COSTS["call"] + COSTS["chunk"] * chunks + COSTS["far"] * slots) < nanoseconds:
        return True
    if chains * (COSTS["call"] + COSTS["near"] * slots) > nanoseconds:  # even if every slot were near
        return False
    if slots * LANES > MOST_PADDING * model.couplings.nnz + 10**5:  # a plan would take too much memory
        return False
    return chains * _cheapest(model)[1] < nanoseconds


def memory(model: BinaryNeurons, chains: int) -> int:
    """Return the bytes of a block: at most all slots are far, with a row of couplings each and another for energies."""
    chunks, slots = _slots(model)
    return LANES * ((chains + 16) * chunks + (8 + 4 + 8 + 4) * slots)


class ColourWalkers(Untuned):
    """Chains that walk one after the other."""

    changing: ClassVar[tuple[str, ...]] = ("spins", "rng", "changed", "sweeps")

    def __init__(
        self, model: BinaryNeurons, metropolis: bool, seed: Root, chains: Sequence[int], initial: Values | None
    ) -> None:
        self.model, self.metropolis = model, metropolis
        room = int(positions(model).max()) // LANES * LANES + 2 * LANES
        self.spins = aligned((len(chains), room), np.int8)
        self.spins[:, LANES:-LANES] = 1
        for spins, begin in zip(self.spins, starts(model, seed, chains, initial), strict=True):
            spins[positions(model)] = begin
        self.rng = aligned((len(chains), 4, LANES), np.uint32)
        for k, chain in enumerate(chains):
            self.rng[k] = stream(seed, chain).integers(1, 2**32, size=(4, LANES), dtype=np.uint32)
        self.changed = np.zeros(len(chains), dtype=np.int64)
        self.sweeps = 0

    def forget(self) -> None:
        """Reset the counters."""
        self.changed[:] = 0
        self.sweeps = 0

    def sweep(self, sweeps: int) -> None:
        """Propose a new value to every spin `sweeps` times, colour by colour."""
        kernel = kernels.metropolis if self.metropolis else kernels.heat_bath
        plan = update_plan(self.model)
        beta = plan.couplings.dtype.type(1 / self.model.temperature)
        for k, spins in enumerate(self.spins):
            for part in pieces(sweeps, spins.size + self.model.couplings.nnz):
                self.changed[k] += kernel(plan, spins, beta, self.rng[k], part)
        self.sweeps += sweeps

    def observe(self, name: str) -> Values:
        """Return "energy", E with the couplings as they were given, or "magnetisation", the mean spin."""
        if name == "magnetisation":
            spare = self.spins.shape[1] - 2 * LANES - self.model.size  # padding spins, held up
            total = np.array([kernels.total(spins) for spins in self.spins])
            return np.asarray((total - spare) / self.model.size)
        return np.array([kernels.energy(energy_plan(self.model), spins) for spins in self.spins])

    def states(self) -> Values:
        """Return the spins, shape (chains, N), int8."""
        return np.ascontiguousarray(self.spins[:, positions(self.model)])

    def diagnostics(self) -> dict[str, Values]:
        """Return "acceptance": the share of visited spins that changed sign after the burn-in."""
        return {"acceptance": self.changed / (self.model.size * max(self.sweeps, 1))}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self.spins, self.rng = realigned(self.spins), realigned(self.rng)
