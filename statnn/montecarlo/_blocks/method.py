r"""Block Gibbs of layered binary neurons: all even layers, then all odd ones, each spin from its exact conditional.

Given the layers around it, the spins of a layer are independent, s_i = +1 with probability 1/(1 + exp(-2 f_i/T)),
f_i = h_i + Σ_j J_ij s_j. There are two layouts of the same algorithm:

- *replicas*: up to 256 chains side by side; all fields of a layer come from one matrix product (BLAS), however many
  spins flipped.
- *single*: one chain that keeps its fields; only spins that flip cost a row of couplings.

Couplings are whole numbers on a grid (`statnn.montecarlo._grid`), so that every sum is exact: a chain is the same bit
for bit whatever the BLAS, its threads, the vector width and the chains beside it.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from statnn._arguments import Floats
from statnn._random import Root, stream
from statnn.interaction import BinaryNeurons
from statnn.montecarlo._blas import warm
from statnn.montecarlo._blocks.layered import Layered, layered
from statnn.montecarlo._blocks.replica_kernels import accept, bond_energies, layer_sums
from statnn.montecarlo._blocks.single_kernels import LANES, bond_energy, sweep_rows
from statnn.montecarlo._chunks import check_layout, cut, pieces
from statnn.montecarlo._grid import refuse_lost
from statnn.montecarlo._lanes import aligned, lanes, realigned
from statnn.montecarlo._method import Method, Untuned, Values, Walkers

REPLICAS = 256
"""Chains of a block: products reach the speed of BLAS, and fields and spins of a layer stay in cache."""
_LARGE, _FILLING = 10**5, 64
"""From `_LARGE` couplings on, `_FILLING` chains make a product nearly as efficient as `REPLICAS` do."""
FEWEST = 16
"""Number of chains from which on matrix products for all are faster than rows of couplings for each."""
_SLICE = 64
"""Replicas whose energies are computed at once, in float64."""


@dataclass(frozen=True)
class Blocks(Method[BinaryNeurons]):
    """Block Gibbs of layered `BinaryNeurons`; a sweep updates every spin once.

    Parameters
    ----------
    layout : {None, "replicas", "single"}
        "replicas": 256 chains side by side on BLAS. "single": every chain by itself, with cached fields; faster the
        fewer spins flip. None: "single" below 16 chains.

    Raises
    ------
    ValueError
        If the layout is unknown, or the model was not made from a list of blocks.

    See Also
    --------
    HeatBath : spin by spin, on any graph.
    Wolff : near the critical temperature.

    Notes
    -----
    Observables are "energy" (of the couplings as given, in float64), "magnetisation" (mean spin) and
    "layer_magnetisation", shape (chains, layers); diagnostics: "acceptance", the share of spins that changed.
    BLAS is held to one thread: its own threads busy-wait for each other, which on busy cores took fifty times as long.
    An executor uses further cores.

    Examples
    --------
    >>> from statnn.interaction import BinaryNeurons
    >>> from statnn.montecarlo import sample
    >>> model = BinaryNeurons([[[0.5, -0.2]], [[0.3]]], temperature=1.0)
    >>> run = sample(model, 10, chains=300, method=Blocks(), rng=1)
    >>> run.method, run.states.shape
    (Blocks(layout='replicas'), (300, 4))
    """

    layout: str | None = None

    name: ClassVar[str] = "blocks"
    model_type = BinaryNeurons
    observables: ClassVar[tuple[str, ...]] = ("energy", "magnetisation", "layer_magnetisation")

    def __post_init__(self) -> None:
        check_layout(self.layout, ("replicas", "single"))

    def settled(self, model: BinaryNeurons, chains: int, seed: Root) -> Blocks:
        """Return the method with its layout chosen by the number of chains, if none was given."""
        del model, seed
        return self if self.layout else Blocks("single" if chains < FEWEST else "replicas")

    def check(self, model: BinaryNeurons) -> None:
        """Raise if the model has no layers."""
        if model.blocks is None:
            raise ValueError(
                "blocks need a layered model, but the couplings are one matrix: pass a list of blocks of shape "
                "(n_{m+1}, n_m) to BinaryNeurons, or take method='heat bath'"
            )
        refuse_lost(model, model.temperature)

    def block(self, model: BinaryNeurons, chains: int) -> int:
        """Return 1 for the layout "single"; else 256, or for large layers a quarter of the chains, from 64 to 256."""
        large = sum(block.size for block in model.blocks or ()) >= _LARGE
        return 1 if self.layout == "single" else cut(chains, _FILLING if large else REPLICAS, REPLICAS)

    def memory(self, model: BinaryNeurons, chains: int) -> int:
        """Return the bytes of state, couplings, and room for products and energies."""
        item, couplings = 8, sum(block.size for block in model.blocks or ())  # float64, the larger of the two types
        widest = max(layer.size for layer in model.layers)
        if self.layout == "single":
            return 2 * item * couplings + (3 * item + 8) * model.size + 17 * widest
        width = _padded(chains)
        rows = _rows_at_once(model.size, widest)
        return 2 * item * couplings + item * width * (model.size + rows) + 24 * _SLICE * widest + 28 * width

    def walkers(self, model: BinaryNeurons, seed: Root, chains: Sequence[int], initial: Values | None) -> Walkers:
        """Return the chains: random start from ``stream(seed, chain, 1)``, lanes from ``stream(seed, chain, 0)``."""
        if initial is None:
            initial = np.array([stream(seed, k, 1).integers(0, 2, model.size, dtype=np.int8) * 2 - 1 for k in chains])
        return (_Single if self.layout == "single" else _Replicas)(model, seed, chains, initial)


class _Layers(Untuned):
    """Spins of layered chains, shape (N, lanes), in the order of `Layered`."""

    def __init__(self, model: BinaryNeurons, chains: int, width: int) -> None:
        self.model, self.chains = model, chains
        self.couplings: Layered = layered(model)
        self.spins = aligned((model.size, width), self.couplings.weights.dtype)
        self.spins[:] = 1
        self.changed = np.zeros(chains, dtype=np.int64)
        self.updates = 0

    def forget(self) -> None:
        self.changed[:] = 0
        self.updates = 0

    def sweep(self, sweeps: int) -> None:
        self.changed += self._move(sweeps)
        self.updates += sweeps * self.model.size

    @abstractmethod
    def _move(self, sweeps: int) -> Any:
        """Move by `sweeps` sweeps and return how many spins of each chain changed."""

    @abstractmethod
    def _energies(self) -> Floats:
        """Return the energies, shape (chains,)."""

    def observe(self, name: str) -> Values:
        if name == "energy":
            return self._energies()
        plan = self.couplings.plan
        sums = np.zeros((len(plan), self.spins.shape[1]))
        layer_sums(plan, self.spins, sums)
        if name == "magnetisation":
            magnetisation: Floats = sums[:, : self.chains].sum(axis=0) / self.model.size
        else:
            magnetisation = (sums / plan[:, 1:2])[self.couplings.rows, : self.chains].T
        return magnetisation

    def _layer(self, m: int) -> NDArray[Any]:
        """Return the spins of layer m, a view of shape (n_m, lanes)."""
        start, width, *_ = self.couplings.plan[self.couplings.rows[m]]
        return self.spins[start : start + width]

    def states(self) -> Values:
        states = np.empty((self.chains, self.model.size), dtype=np.int8)
        states[:, self.couplings.order] = self.spins[:, : self.chains].T
        return states

    def diagnostics(self) -> dict[str, Values]:
        return {"acceptance": self.changed / max(1, self.updates)}

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "couplings"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Realign the arrays for vector instructions, and take the couplings from the model."""
        for name, value in state.items():
            self.__dict__[name] = realigned(value) if isinstance(value, np.ndarray) else value
        self.couplings = layered(self.model)


class _Replicas(_Layers):
    """Chains side by side; lanes beyond the last chain move too, and are ignored."""

    changing: ClassVar[tuple[str, ...]] = ("spins", "lanes", "changed", "updates")

    def __init__(self, model: BinaryNeurons, seed: Root, chains: Sequence[int], initial: Values) -> None:
        width = _padded(len(chains))
        super().__init__(model, len(chains), width)
        self.spins[:, : self.chains] = initial[:, self.couplings.order].T
        self.lanes = lanes(seed, [(chain, 0) for chain in chains], width)
        rows = _rows_at_once(model.size, max(layer.size for layer in model.layers))
        self.products = aligned((rows, width), self.spins.dtype)

    def _move(self, sweeps: int) -> Any:
        held, spins, room = self.couplings, self.spins, len(self.products)
        warm(spins.dtype.name)
        work = []
        for layer, (start, width, first, count, _) in enumerate(held.plan.tolist()):
            matrix, around = held.matrix(layer), spins[first : first + count]
            for begin in range(0, width, room):
                end = min(begin + room, width)
                rows = slice(start + begin, start + end)
                work.append((matrix[begin:end], around, self.products[: end - begin], held.fields[rows], spins[rows]))
        changed = np.zeros(spins.shape[1], dtype=np.uint32)
        total = np.zeros(spins.shape[1], dtype=np.int64)
        for _ in range(sweeps):
            for matrix, around, products, fields, own in work:
                np.matmul(matrix, around, out=products)
                accept(products, fields, held.scale, own, self.lanes, changed)
            total += changed
            changed[:] = 0
        return total[: self.chains]

    def _energies(self) -> Floats:
        """Return the energies; couplings are rounded to 51 bits of the largest row, so products are exact here too."""
        assert self.model.blocks is not None  # noqa: S101 - see check
        energies = np.zeros(self.spins.shape[1])
        for m, layer in enumerate(self.model.layers):
            fields = self.model.fields[layer]
            block = _rounded(self.model.blocks[m - 1], self.couplings.shifts[m - 1]) if m else None
            for begin in range(0, energies.size, _SLICE):
                part = slice(begin, begin + _SLICE)
                spins = self._layer(m)[:, part]
                if block is None:
                    products = np.zeros(spins.shape)
                else:
                    products = block @ self._layer(m - 1)[:, part].astype(np.float64)
                bond_energies(products, fields, spins, energies[part])
        return energies[: self.chains]


class _Single(_Layers):
    """One chain with cached fields, in spacings of the grid."""

    changing: ClassVar[tuple[str, ...]] = ("spins", "fields", "lanes", "changed", "updates")

    def __init__(self, model: BinaryNeurons, seed: Root, chains: Sequence[int], initial: Values) -> None:
        super().__init__(model, 1, 1)
        self.spins[:, 0] = initial[0, self.couplings.order]
        self.fields = aligned((model.size,), self.spins.dtype)
        self.fields[:] = self.couplings.local_fields(self.spins[:, 0])
        chain = chains[0]
        self.lanes = lanes(seed, [(chain, 0), *((chain, 0, lane) for lane in range(1, LANES))], LANES)
        widest = max(layer.size for layer in model.layers)
        self.up, self.flipped = aligned((widest,), np.bool_), aligned((widest,), np.int64)

    def _move(self, sweeps: int) -> Any:
        held, changed = self.couplings, 0
        for part in pieces(sweeps, self.model.size + held.weights.size // 4):
            changed += sweep_rows(
                held.plan,
                held.weights,
                self.fields,
                held.scale,
                self.spins[:, 0],
                self.lanes,
                self.up,
                self.flipped,
                part,
            )
        return changed

    def _energies(self) -> Floats:
        assert self.model.blocks is not None  # noqa: S101 - see check
        held = self.couplings
        spins = self.spins[:, 0].astype(np.float64)
        starts = held.plan[held.rows, 0].tolist()
        room = np.empty(spins.size)
        energy = bond_energy(self.model.fields[None, held.order], np.ones(1), spins, room)
        for m, block in enumerate(self.model.blocks):
            above, below = (spins[starts[m + k] : starts[m + k] + block.shape[1 - k]] for k in (1, 0))
            energy += bond_energy(block, above, below, room)
        return np.array([energy])


def _padded(chains: int) -> int:
    return -(-chains // LANES) * LANES


def _rows_at_once(size: int, widest: int) -> int:
    """Return how many rows of products to hold at once: a tenth of the spins, but not so few that it is slow."""
    return min(widest, max(LANES, size // 10))


def _rounded(block: Floats, shift: float) -> Floats:
    """Return couplings rounded to multiples of 2^k, with k such that every row adds up to less than 2^52 of them."""
    rounded = block + shift
    rounded -= shift
    return rounded
