r"""Wolff's clusters for ferromagnets: near the critical temperature a few sweeps replace L^2.17 of single spins.

From a random spin a cluster grows over couplings to equal spins, each with probability 1 - exp(-2J_ij/T), and flips
as a whole (Wolff 1989), here with probability 15/16: clusters that always flip and have one size, as at very low or
very high temperature, would make the chain periodic. The mean size of clusters is itself an observable: ⟨size⟩ = ⟨(Σ_i
s_i)²⟩/N, the susceptibility times T, with less noise than the square.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from statnn._arguments import Floats, whole
from statnn._random import Root, stream
from statnn._xoshiro import words
from statnn.interaction import BinaryNeurons
from statnn.montecarlo._chunks import cut, pieces
from statnn.montecarlo._couplings import graph, once
from statnn.montecarlo._method import Method, Values, Walkers
from statnn.montecarlo._wolff import cluster_kernels as kernels

_WORK = 4
"""Work of a spin or a coupling of a sweep, in units of the single updates of `pieces`."""
_TOGETHER = 2**9
"""Spins up to which chains of small models share a block, so that work outweighs overhead."""


@dataclass(frozen=True)
class Wolff(Method[BinaryNeurons]):
    r"""Single-cluster updates, for couplings J_ij >= 0 on any graph, without fields.

    A sweep is a fixed number of clusters. It is found in the first half of the burn-in, for each chain alone, such that
    the clusters of a sweep hold about N spins; without burn-in it is one. The number is fixed because a sweep that ends
    once N spins are reached preferably ends with a large cluster: records would be biased towards the states that large
    clusters leave behind.

    [exact] The Boltzmann distribution is stationary, and every state is reached from every other.

    Observables are "energy", "magnetisation" (mean spin) and "cluster_size" (mean over the last sweep); diagnostics
    "acceptance" (15/16, the share of clusters that flip) and "clusters" (per sweep).

    Parameters
    ----------
    clusters : int, optional
        Clusters per sweep, at least 1; found in the burn-in when None.

    Raises
    ------
    TypeError, ValueError
        If `clusters` is not a whole number above zero.

    See Also
    --------
    HeatBath : any couplings and fields.
    Tempering : frustrated models.

    References
    ----------
    Wolff 1989.

    Examples
    --------
    >>> import numpy as np
    >>> from statnn.interaction import BinaryNeurons
    >>> from statnn.montecarlo import sample
    >>> ring = BinaryNeurons(np.roll(np.eye(6), 1, axis=0) + np.roll(np.eye(6), -1, axis=0), temperature=2.0)
    >>> energy = sample(ring, 2000, method="wolff", rng=1).estimate("energy")
    >>> bool(abs(energy.mean - ring.exact().energy) < 5 * energy.error)
    True
    """

    clusters: int | None = None

    name: ClassVar[str] = "wolff"
    model_type = BinaryNeurons
    observables: ClassVar[tuple[str, ...]] = ("energy", "magnetisation", "cluster_size")

    def __post_init__(self) -> None:
        if self.clusters is not None:
            object.__setattr__(self, "clusters", whole(self.clusters, "clusters", minimum=1))

    def check(self, model: BinaryNeurons) -> None:
        """Raise unless all couplings are ferromagnetic and there are no fields."""
        if model.fields.any():
            i = int(np.argmax(model.fields != 0))
            raise ValueError(
                f"fields[{i}] = {model.fields[i]}: a cluster flips as a whole, whatever fields say; use "
                "method='heat bath' or 'tempering'"
            )
        if model.couplings.nnz and model.couplings.data.min() < 0:
            raise ValueError(
                f"the smallest coupling is {model.couplings.data.min():g}: clusters need J >= 0, as with competing "
                "signs they span the model and only turn it over; use method='tempering' for frustrated models, and on "
                "a graph without frustration change signs of spins until all couplings are positive"
            )

    def block(self, model: BinaryNeurons, chains: int) -> int:
        """Return a quarter of the chains, or more where the model is small."""
        return cut(chains, _TOGETHER // model.size, chains)

    def memory(self, model: BinaryNeurons, chains: int) -> int:
        """Return the bytes of spins, of the list of members and of chances."""
        return int(model.size * (chains + 4) + 8 * model.couplings.nnz)

    def walkers(self, model: BinaryNeurons, seed: Root, chains: Sequence[int], initial: Values | None) -> Walkers:
        """Return the walkers, whose chains move one after the other."""
        return _Clusters(self, model, seed, chains, initial)


@once
def _chances(model: BinaryNeurons) -> Floats:
    """Return the probability with which each coupling adds an equal spin to the cluster, shape (nnz,)."""
    with np.errstate(over="ignore"):
        chances: Floats = -np.expm1(-2 * (model.couplings.data / model.temperature))
    return chances


class _Clusters(Walkers):
    changing: ClassVar[tuple[str, ...]] = ("_random", "_spins", "_clusters", "_size", "_counted")

    def __init__(
        self, method: Wolff, model: BinaryNeurons, seed: Root, chains: Sequence[int], initial: Values | None
    ) -> None:
        generators = [stream(seed, chain) for chain in chains]
        self._model = model
        self._random = np.array([words(generator) for generator in generators])
        if initial is None:
            self._spins = np.array([2 * generator.integers(0, 2, model.size, np.int8) - 1 for generator in generators])
        else:
            self._spins = initial.astype(np.int8)
        self._members = np.empty(model.size, dtype=np.int32)
        self._tuned = method.clusters is None
        self._clusters = np.full(len(chains), method.clusters or 1, dtype=np.int64)
        self._size = np.zeros(len(chains))
        self._counted = np.zeros((len(chains), 2), dtype=np.int64)
        self._work = _WORK * (model.size + model.couplings.nnz) * (method.clusters or 1)

    def burn_in(self, sweeps: int) -> None:
        """Find the number of clusters in the first half; the second half removes the bias of its end."""
        self.burn_in_part(0, sweeps, sweeps)

    def burn_in_part(self, begin: int, end: int, sweeps: int) -> None:
        """Move by a part of the burn-in; clusters and spins of the second quarter are counted."""
        tuning = (sweeps + 1) // 2 if self._tuned else 0
        for sweep in range(begin, min(end, tuning)):
            tally = np.empty_like(self._counted)
            self._walk(kernels.sweeps, tally)
            if sweep >= tuning // 2:
                self._counted += tally
        if begin < tuning <= end:
            for chain, (number, flipped) in enumerate(self._counted.tolist()):
                self._clusters[chain] = max(1, round(self._model.size * number / flipped))
        if end > max(begin, tuning):
            self.sweep(end - max(begin, tuning))

    def sweep(self, sweeps: int) -> None:
        """Flip the fixed number of clusters, `sweeps` times."""
        sizes = np.empty_like(self._clusters)
        for part in pieces(sweeps - 1, self._work * len(sizes)):
            self._walk(kernels.clusters, self._clusters * part, sizes)
        self._walk(kernels.clusters, self._clusters, sizes)
        self._size[:] = sizes / self._clusters

    def observe(self, name: str) -> Values:
        """Return "energy", "magnetisation" or "cluster_size"."""
        if name == "cluster_size":
            return self._size.copy()
        if name == "magnetisation":
            mean: Values = self._spins.mean(axis=1)
            return mean
        energies = np.empty(len(self._spins))
        kernels.energies(*graph(self._model), self._spins, energies)
        return energies

    def states(self) -> Values:
        """Return spins, int8 of shape (chains, N)."""
        return self._spins.copy()

    def diagnostics(self) -> dict[str, Values]:
        """Return the share of clusters that flip, and the number of clusters per sweep."""
        return {"acceptance": np.full(len(self._clusters), kernels.FLIPPED), "clusters": self._clusters.copy()}

    def _walk(self, kernel: Callable[..., None], *of_chains: NDArray[np.int64]) -> None:
        """Run a kernel on all chains with their arrays `of_chains`; for large models on a few chains at a time."""
        indptr, indices, _ = graph(self._model)
        begin = 0
        for some in pieces(len(self._spins), self._work):
            here = slice(begin, begin + some)
            kernel(
                indptr, indices, _chances(self._model), self._spins[here], self._random[here], self._members,
                *(array[here] for array in of_chains),
            )  # fmt: skip
            begin += some
