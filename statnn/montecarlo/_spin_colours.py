"""Chains of single-spin updates in colours: spins of one chain side by side, chain after chain."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from scipy import sparse

from statnn._edge import Ints
from statnn._lanes import aligned, realigned
from statnn._random import Root, stream
from statnn.interaction import BinaryNeurons
from statnn.montecarlo import _colour_kernels as kernels
from statnn.montecarlo import _spin_plan
from statnn.montecarlo._grid import rounded
from statnn.montecarlo._spin_plan import COSTS, HELD, LANES, Plan
from statnn.montecarlo._spin_start import pieces, start
from statnn.montecarlo._walkers import Values, Walkers

MOST_PADDING = 4
"""Entries of a plan, in units of couplings, from which on no plan is made unless it is asked for: dense graphs."""


@dataclass(frozen=True, eq=False)
class Prepared:
    """The plans of a model; copies share it, and pickles make it anew."""

    model: BinaryNeurons

    @cached_property
    def _chosen(self) -> tuple[Plan, Ints]:
        """The plan of the cheaper order, and the positions of spins."""
        model = self.model
        values, fields = rounded(model.couplings, model.fields, model.temperature)
        matrix = _like(model, values.astype(np.float64))
        held = HELD * model.temperature
        found: list[tuple[Plan, Ints]] = []
        for by_degree in (False, True):
            position = _spin_plan.order(model.couplings, model.colours, by_degree)
            if found and np.array_equal(position, found[0][1]):
                continue
            found.append((_spin_plan.plan(matrix, fields, position, values.dtype, held), position))
        return min(found, key=lambda pair: _spin_plan.cost(pair[0]))

    @property
    def plan(self) -> Plan:
        """What the kernels of the updates take."""
        return self._chosen[0]

    @property
    def position(self) -> Ints:
        """Where every spin stands, shape (N,)."""
        return self._chosen[1]

    @cached_property
    def energy_plan(self) -> Plan:
        """Couplings as they were given, each to the spin at the earlier position alone."""
        matrix = self.model.couplings.tocoo()
        row, column = matrix.coords
        later = self.position[row] > self.position[column]
        half = sparse.coo_array((matrix.data[later], (row[later], column[later])), shape=matrix.shape)
        return _spin_plan.plan(sparse.csr_array(half), self.model.fields, self.position, np.float64, 0.0)

    def __deepcopy__(self, memo: Any) -> "Prepared":
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return Prepared, (self.model,)


def _like(model: BinaryNeurons, values: Values) -> "sparse.csr_array[Any]":
    matrix = model.couplings
    return sparse.csr_array((values, matrix.indices, matrix.indptr), shape=matrix.shape)


def _slots(model: BinaryNeurons) -> tuple[int, int]:
    """Return the numbers of chunks and of slots if every neighbour were gathered."""
    position = _spin_plan.order(model.couplings, model.colours, by_degree=True)
    chunk = position // LANES - 1
    largest = np.zeros(int(chunk.max()) + 1, dtype=np.int64)
    np.maximum.at(largest, chunk, np.diff(model.couplings.indptr))
    return largest.size, int(largest.sum())


def cheaper(model: BinaryNeurons, chains: int, nanoseconds: float) -> bool:
    """Tell whether a sweep of all chains in colours takes less than this."""
    chunks, slots = _slots(model)
    if chains * (COSTS["call"] + COSTS["chunk"] * chunks + COSTS["far"] * slots) < nanoseconds:
        return True
    if chains * (COSTS["call"] + COSTS["near"] * slots) > nanoseconds:  # at best every slot is near
        return False
    if slots * LANES > MOST_PADDING * model.couplings.nnz + 10**5:  # not worth the memory to find out
        return False
    return chains * _spin_plan.cost(Prepared(model).plan) < nanoseconds


def memory(model: BinaryNeurons, chains: int) -> int:
    """Return the bytes of a block: at most all slots are far, with a row of couplings each and another for energies."""
    chunks, slots = _slots(model)
    return LANES * ((chains + 16) * chunks + (8 + 4 + 8 + 4) * slots)


class ColourWalkers(Walkers):
    """Chains that walk one after the other."""

    def __init__(
        self, model: BinaryNeurons, metropolis: bool, seed: Root, chains: Sequence[int], initial: Values | None
    ) -> None:
        self.prepared, self.metropolis = Prepared(model), metropolis
        room = (self.prepared.plan.field.size + 2) * LANES
        self.spins = aligned((len(chains), room), np.int8)
        self.spins[:, LANES:-LANES] = 1
        self.spins[:, self.prepared.position] = start(model, seed, chains, initial)
        self.rng = aligned((len(chains), 4, LANES), np.uint32)
        for k, chain in enumerate(chains):
            self.rng[k] = stream(seed, chain).integers(1, 2**32, size=(4, LANES), dtype=np.uint32)
        self.changed = np.zeros(len(chains), dtype=np.int64)
        self.sweeps = 0

    def burn_in(self, sweeps: int) -> None:
        """Move; there is nothing to tune."""
        self.sweep(sweeps)
        self.changed[:] = 0
        self.sweeps = 0

    def sweep(self, sweeps: int) -> None:
        """Offer every spin a new value so many times, colour by colour."""
        kernel = kernels.metropolis if self.metropolis else kernels.heat_bath
        plan = self.prepared.plan
        beta = plan.couplings.dtype.type(1 / self.prepared.model.temperature)
        for k, spins in enumerate(self.spins):
            for part in pieces(sweeps, spins.size + self.prepared.model.couplings.nnz):
                self.changed[k] += kernel(plan, spins, beta, self.rng[k], part)
        self.sweeps += sweeps

    def observe(self, name: str) -> Values:
        """Return "energy", E with the couplings as they were given, or "magnetisation", the mean spin."""
        if name == "magnetisation":
            spare = self.spins.shape[1] - 2 * LANES - self.prepared.position.size  # held up
            total = np.array([kernels.total(spins) for spins in self.spins])
            return np.asarray((total - spare) / self.prepared.position.size)
        return np.array([kernels.energy(self.prepared.energy_plan, spins) for spins in self.spins])

    def states(self) -> Values:
        """Return the spins, shape (chains, N), int8."""
        return np.ascontiguousarray(self.spins[:, self.prepared.position])

    def diagnostics(self) -> dict[str, Values]:
        """Return "acceptance": the share of visited spins that changed sign after the burn-in."""
        return {"acceptance": self.changed / (self.prepared.position.size * max(self.sweeps, 1))}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self.spins, self.rng = realigned(self.spins), realigned(self.rng)
