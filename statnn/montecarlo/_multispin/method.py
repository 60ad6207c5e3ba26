r"""Multi-spin coding: couplings of one magnitude, 64 replicas in every machine word.

Where all couplings are ±J and there are no fields, a flip of a spin with d bonds costs ΔE = 2J(2k - d), k the number
of its bonds that are satisfied: a handful of small numbers, which bitwise logic handles for 64 replicas at once
(Jacobs & Rebbi 1981). The rule is a lazy Metropolis rule, a = 15/16 min(1, exp(-ΔE/T)): if flips at no cost were
certain, visits in fixed order would not be ergodic; the states of a triangle would fall into two sets that never meet.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from statnn._random import Root, stream
from statnn.interaction import BinaryNeurons
from statnn.montecarlo._chunks import TASKS, check_layout, cut, pieces
from statnn.montecarlo._couplings import graph, once
from statnn.montecarlo._lanes import aligned, realigned
from statnn.montecarlo._method import Method, Untuned, Values, Walkers
from statnn.montecarlo._multispin import replica_kernels as kernels
from statnn.montecarlo._multispin.strips import StripWalkers, digits_of, strips

LAYOUTS = ("replicas", "strips")
LARGEST_DEGREE = 15
LANES = 64
WORDS = 16
"""Words per spin if there is more than one group of chains; loops over them fill vectors of any width."""
FEWEST_WORDS = 16
"""Words in a row from which on strips are faster than replicas: fewer do not fill vectors."""
_LEVELS = (3, 5, 9)
_WORK = 32
"""Work of one visit of a word, in units of the single updates of `pieces`."""


@dataclass(frozen=True)
class MultiSpin(Method[BinaryNeurons]):
    r"""Metropolis for couplings ±J on any graph, up to 15 per spin, without fields; 64 spins in every word.

    A sweep visits every spin once and flips it with probability 15/16 min(1, exp(-ΔE/T)); probabilities have 64 binary
    digits. The layout says which spins share a word. *Replicas*: the same spin of 64 chains, spins in the order of
    their numbers; from several hundred chains on, a block holds 1024. *Strips*: sites of a square lattice on a
    torus that is cut along its rows (or columns) into P strips, P the largest power of two from 8 to 64 that leaves
    each an even number of rows; one colour of the checkerboard after the other. 64/P chains fill a word, so that
    lattices of 128 rows and more are fast with one chain.

    Groups of 64 or 64/P chains share words of spins and a stream of random words, in which each chain has its own bits:
    a chain rerun alone gives the same result, and takes the time of its group.

    Parameters
    ----------
    layout : {"replicas", "strips"} or None
        None takes strips for every torus of at least 32 columns that can be cut, and replicas for all other graphs;
        `Run.method` says what was chosen.

    See Also
    --------
    Metropolis : couplings of any size.
    Tempering : frustrated models.

    Notes
    -----
    Observables are "energy" and "magnetisation" (mean spin); diagnostics "acceptance", flips per visit.

    [exact] The Boltzmann distribution is stationary, and every state is reached from every other.

    References
    ----------
    Jacobs & Rebbi 1981.

    Examples
    --------
    >>> import numpy as np
    >>> from statnn.interaction import BinaryNeurons
    >>> from statnn.montecarlo import sample
    >>> ring = BinaryNeurons(np.roll(np.eye(6), 1, axis=0) + np.roll(np.eye(6), -1, axis=0), temperature=2.0)
    >>> run = sample(ring, 200, chains=64, method="multispin", rng=1)
    >>> energy = run.estimate("energy")
    >>> bool(abs(energy.mean - ring.exact().energy) < 5 * energy.error)
    True
    """

    layout: str | None = None

    name: ClassVar[str] = "multispin"
    model_type = BinaryNeurons
    observables: ClassVar[tuple[str, ...]] = ("energy", "magnetisation")

    def __post_init__(self) -> None:
        check_layout(self.layout, LAYOUTS)

    def check(self, model: BinaryNeurons) -> None:
        """Raise unless couplings are ±J, at most 15 per spin, there are no fields, and the layout is possible."""
        if model.fields.any():
            i = int(np.argmax(model.fields != 0))
            raise ValueError(
                f"fields[{i}] = {model.fields[i]}: multispin takes no fields; use method='heat bath', or a spin more "
                "whose couplings of the same magnitude are the fields"
            )
        sizes = np.abs(model.couplings.data)
        if sizes.size and sizes.min() != sizes.max():
            raise ValueError(
                f"couplings have magnitudes from {sizes.min():g} to {sizes.max():g}: multispin needs ±J with one J; "
                "use method='heat bath'"
            )
        degrees = np.diff(model.couplings.indptr)
        if degrees.max() > LARGEST_DEGREE:
            i = int(np.argmax(degrees))
            raise ValueError(
                f"spin {i} has {degrees[i]} couplings, multispin takes up to {LARGEST_DEGREE}; use method='heat bath'"
            )
        if self.layout == "strips" and strips(model) is None:
            raise ValueError(
                f"these {model.size} spins cannot be cut into strips: layout='strips' needs a square lattice on a "
                "torus with rows (or columns) that are a multiple of 16 and the others even; leave layout out"
            )

    def settled(self, model: BinaryNeurons, chains: int, seed: Root) -> MultiSpin:
        """Return the method with the layout that is faster for the graph, if none was named."""
        del chains, seed
        if self.layout is not None:
            return self
        return replace(self, layout="strips" if in_strips(model) else "replicas")

    def block(self, model: BinaryNeurons, chains: int) -> int:
        """Return 1024, which fill vectors, or 64 if there are at most 256; for strips a quarter, in whole groups."""
        torus = strips(model) if self.layout == "strips" else None
        if torus is None:
            return LANES if chains <= TASKS * LANES else WORDS * LANES
        groups = -(-chains // torus.chains)
        return cut(groups, 1, groups) * torus.chains

    def memory(self, model: BinaryNeurons, chains: int) -> int:
        """Return the bytes of spins, one bit each in whole words, and of the signs of couplings."""
        cut = strips(model) if self.layout == "strips" else None
        if cut is not None:
            return cut.nbytes(-(-chains // cut.chains))
        width, pieces = _shape(-(-chains // LANES))
        return int(8 * model.size * width * pieces + model.couplings.nnz)

    def walkers(self, model: BinaryNeurons, seed: Root, chains: Sequence[int], initial: Values | None) -> Walkers:
        """Return the walkers, which move all other chains of their groups along."""
        if self.layout == "strips":
            return StripWalkers(model, seed, chains, initial)
        return _Groups(model, seed, chains, initial)


def in_strips(model: BinaryNeurons) -> bool:
    """Return whether strips are possible and fast: on a wide enough torus with couplings ±J and no fields."""
    cut = strips(model)
    if cut is None or cut.half < FEWEST_WORDS or model.fields.any():
        return False
    sizes = np.abs(model.couplings.data)
    return bool(sizes.min() == sizes.max() > 0)


@once
def _signs(model: BinaryNeurons) -> NDArray[np.int8]:
    """Return -1 where a coupling is negative and 0 elsewhere, shape (nnz,)."""
    return np.where(model.couplings.data < 0, -1, 0).astype(np.int8)


class _Groups(Untuned):
    """Replicas: groups of 64 chains, one group per word, in pieces of one or of `WORDS` words."""

    changing: ClassVar[tuple[str, ...]] = ("_spins", "_scratch", "_flips", "_sweeps")

    def __init__(self, model: BinaryNeurons, seed: Root, chains: Sequence[int], initial: Values | None) -> None:
        groups, word = np.unique([chain // LANES for chain in chains], return_inverse=True)
        width, pieces = _shape(groups.size)
        self._model = model
        self._magnitude = float(np.abs(model.couplings.data[:1]).sum())
        self._columns = LANES * word + np.array([chain % LANES for chain in chains])
        self._width: tuple[int, ...] = (0,) * width
        self._spins = aligned((pieces, model.size, width), np.uint64)
        self._scratch = aligned((pieces, kernels.ROWS * width), np.uint64)
        for k in range(width * pieces):
            spare = () if k < groups.size else (k,)  # words that only fill up the last piece
            generator = stream(seed, LANES * int(groups[min(k, groups.size - 1)]), *spare)
            piece, w = divmod(k, width)
            self._scratch[piece, w : 4 * width : width] = generator.integers(0, 2**64, size=4, dtype=np.uint64)
            self._spins[piece, :, w] = generator.integers(0, 2**64, size=model.size, dtype=np.uint64)
        if initial is not None:
            bits = self._bits()
            bits[:, self._columns] = initial.T > 0
            packed = np.packbits(bits, axis=1, bitorder="little").view("<u8")
            self._spins[:] = packed.reshape(model.size, pieces, width).transpose(1, 0, 2)
        self._table, self._levels = _table(model, self._magnitude)
        self._flips = np.zeros(len(chains), dtype=np.int64)
        self._sweeps = 0

    def forget(self) -> None:
        """Reset the counters."""
        self._flips[:] = 0
        self._sweeps = 0

    def sweep(self, sweeps: int) -> None:
        """Visit every spin `sweeps` times."""
        indptr, indices, _ = graph(self._model)
        for part in pieces(sweeps, _WORK * self._spins.size):
            flips = [
                kernels.metropolis(
                    indptr, indices, _signs(self._model), self._table, spins, scratch, part, self._levels, self._width
                )
                for spins, scratch in zip(self._spins, self._scratch, strict=True)
            ]
            self._flips += np.concatenate(flips)[self._columns]
        self._sweeps += sweeps

    def observe(self, name: str) -> Values:
        """Return "energy", or "magnetisation", the mean spin."""
        pieces = list(zip(self._spins, self._scratch, strict=True))
        if name == "energy":
            indptr, indices, _ = graph(self._model)
            counts = [kernels.satisfied(indptr, indices, _signs(self._model), *piece, self._width) for piece in pieces]
            bonds = self._model.couplings.nnz // 2
            energy: Values = self._magnitude * (bonds - 2.0 * np.concatenate(counts)[self._columns])
            return energy
        counts = [kernels.ups(*piece, self._width) for piece in pieces]
        mean: Values = 2.0 * np.concatenate(counts)[self._columns] / self._model.size - 1.0
        return mean

    def states(self) -> Values:
        """Return spins, int8 of shape (chains, N)."""
        result = np.ascontiguousarray(self._bits()[:, self._columns].T).view(np.int8)
        result *= 2
        result -= 1
        return result

    def diagnostics(self) -> dict[str, Values]:
        """Return the share of visits in which a spin flipped."""
        return {"acceptance": self._flips / max(1, self._sweeps * self._model.size)}

    def _bits(self) -> NDArray[np.uint8]:
        """Return one byte per spin, 0 or 1, shape (N, lanes)."""
        words = self._spins.transpose(1, 0, 2).astype("<u8", order="C").reshape(self._model.size, -1)
        return np.unpackbits(words.view(np.uint8), axis=1, bitorder="little")

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        for name in ("_spins", "_scratch"):
            setattr(self, name, realigned(state[name]))


def _shape(groups: int) -> tuple[int, int]:
    """Return the words per piece, and the number of pieces."""
    return (1, 1) if groups == 1 else (WORDS, -(-groups // WORDS))


def _table(model: BinaryNeurons, magnitude: float) -> tuple[NDArray[np.uint64], tuple[int, ...]]:
    """Return the digits of all probabilities, shape (degrees, 64 levels), and a tuple of as many entries as levels."""
    most = int(np.diff(model.couplings.indptr).max())
    levels = next(count for count in _LEVELS if count > (most + 1) // 2)
    digits = np.zeros((most + 1, kernels.DIGITS, levels), dtype=np.uint64)
    for degree in range(most + 1):
        for level in range(levels):
            excess = 2 * level - degree % 2 if level else 0  # satisfied minus unsatisfied bonds
            digits[degree, :, level] = digits_of(2 * magnitude * excess / model.temperature)
    return digits.reshape(most + 1, -1), (0,) * levels
