"""Chains of a square lattice in strips: the place of each site in the words, and the walkers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from statnn._random import Root, stream
from statnn.interaction import BinaryNeurons
from statnn.interaction._lattice import torus
from statnn.montecarlo._chunks import pieces
from statnn.montecarlo._couplings import once
from statnn.montecarlo._lanes import aligned, realigned
from statnn.montecarlo._method import Untuned, Values
from statnn.montecarlo._multispin import strip_kernels as kernels

LAZY = 1 / 16
"""Share of the flips that are rejected to keep the chain ergodic."""
SMALLEST_PERIOD = 8
"""Least number of strips: flips are counted byte by byte."""
_WORD = 64
_ALL = 2**64 - 1


@dataclass(frozen=True)
class Strips:
    """How a torus is cut into strips.

    Parameters
    ----------
    rows, columns : int
        Of the lattice as it is cut: `rows` is a multiple of 2P.
    turned : bool
        Whether these rows are the columns of the model.
    period : int
        Number of strips P, bits of a word that belong to one chain.
    """

    rows: int
    columns: int
    turned: bool
    period: int

    @property
    def height(self) -> int:
        """Rows of a strip."""
        return self.rows // self.period

    @property
    def half(self) -> int:
        """Words in a row, one for every second column."""
        return self.columns // 2

    @property
    def stride(self) -> int:
        """Words in a row, padding included."""
        return -(-self.half // kernels.WORDS) * kernels.WORDS + 2 * kernels.FIRST

    @property
    def chains(self) -> int:
        """Chains of a word."""
        return _WORD // self.period

    def nbytes(self, groups: int) -> int:
        """Return the bytes of the spins of `groups` groups of chains, of the signs and of positions."""
        return 16 * self.height * self.stride * (groups + 4) + 8 * self.rows * self.columns

    def sites(self) -> tuple[NDArray[Any], NDArray[Any]]:
        """Return row and column, as cut, of every spin of the model, shape (N,) each."""
        spin = np.arange(self.rows * self.columns)
        if spin.size < 2**31:
            spin = spin.astype(np.int32)  # half the memory
        row, column = np.divmod(spin, spin.dtype.type(self.rows if self.turned else self.columns))
        return (column, row) if self.turned else (row, column)

    def places(self) -> NDArray[Any]:
        """Return the position of every spin among the bits (colour, r, j, strip), shape (N,)."""
        row, column = self.sites()
        strip, r = np.divmod(row, self.height)
        colour = (row + column) % 2
        place: NDArray[Any] = ((colour * self.height + r) * self.half + column // 2) * self.period + strip
        return place


@once
def strips(model: BinaryNeurons) -> Strips | None:
    """Return how to cut a model, or None unless it is a square lattice on a torus whose lengths allow it."""
    if (lattice := torus(model)) is None:
        return None
    rows, columns = lattice
    cuts = [
        Strips(*lengths, turned, period)
        for turned, lengths in ((False, (rows, columns)), (True, (columns, rows)))
        for period in (64, 32, 16, SMALLEST_PERIOD)
        if lengths[0] % (2 * period) == 0 and lengths[1] % 2 == 0
    ]
    return max(cuts, key=lambda cut: (cut.period, min(cut.half, kernels.WORDS)), default=None)


def digits_of(cost: float) -> NDArray[np.uint64]:
    """Return the binary digits of 15/16 exp(-cost), each a word of all ones or all zeros, shape (64,)."""
    chance = int((1 - LAZY) * np.exp(-cost) * 2.0**64)
    return np.array([_ALL * (chance >> (kernels.DIGITS - 1 - k) & 1) for k in range(kernels.DIGITS)], dtype=np.uint64)


class StripWalkers(Untuned):
    """Groups of 64/P chains, one group after the other."""

    changing: ClassVar[tuple[str, ...]] = ("_state", "_spins", "_flips", "_sweeps")

    def __init__(self, model: BinaryNeurons, seed: Root, chains: Sequence[int], initial: Values | None) -> None:
        cut = strips(model)
        assert cut is not None  # noqa: S101 - checked before
        self._model, self._cut, self._places = model, cut, cut.places()
        groups, word = np.unique([chain // cut.chains for chain in chains], return_inverse=True)
        self._columns = cut.chains * word + np.array([chain % cut.chains for chain in chains])
        self._bottom = np.uint64(sum(1 << (cut.period * chain) for chain in range(cut.chains)))
        self._magnitude = float(np.abs(model.couplings.data[0]))
        costs = [2 * self._magnitude * excess / model.temperature for excess in (0, 2, 4)]
        self._table = np.stack([digits_of(cost) for cost in costs])
        self._state = aligned((groups.size, 4, kernels.WORDS), np.uint64)
        self._spins = aligned((groups.size, 2, cut.height, cut.stride), np.uint64)
        for k, group in enumerate(groups):
            generator = stream(seed, cut.chains * int(group))
            self._state[k] = generator.integers(1, 2**64, size=(4, kernels.WORDS), dtype=np.uint64)
            self._inside(self._spins[k])[...] = generator.integers(
                0, 2**64, size=(2, cut.height, cut.half), dtype=np.uint64
            )
        if initial is not None:
            bits = self._bits()
            bits[self._columns[:, None], self._places] = initial > 0
            self._inside(self._spins)[...] = self._words(bits)
        self._close(self._spins)
        self._signs = self._signs_of(model)
        self._flips = np.zeros((groups.size, 8), dtype=np.int64)
        self._sweeps = 0

    def _inside(self, words: NDArray[Any]) -> NDArray[Any]:
        return words[..., kernels.FIRST : kernels.FIRST + self._cut.half]

    def _close(self, words: NDArray[Any]) -> None:
        """Close every row: copy its last word before the first, and its first word behind the last."""
        first, half = kernels.FIRST, self._cut.half
        words[..., first - 1], words[..., first + half] = words[..., first + half - 1], words[..., first]

    def _bits(self) -> NDArray[np.uint8]:
        """Return one byte per bit, shape (chains of all groups, places)."""
        cut = self._cut
        words = np.ascontiguousarray(self._inside(self._spins).astype("<u8"))
        bits = np.unpackbits(words.view(np.uint8), bitorder="little").reshape(len(words), -1, cut.chains, cut.period)
        return bits.transpose(0, 2, 1, 3).reshape(len(words) * cut.chains, -1)

    def _words(self, bits: NDArray[np.uint8]) -> NDArray[np.uint64]:
        """Return the words of bits, the inverse of `_bits`."""
        cut = self._cut
        each = bits.reshape(-1, cut.chains, bits.shape[1] // cut.period, cut.period).transpose(0, 2, 1, 3)
        packed = np.packbits(each.reshape(len(each), -1), axis=1, bitorder="little")
        return packed.view("<u8").astype(np.uint64).reshape(len(each), 2, cut.height, cut.half)

    def _signs_of(self, model: BinaryNeurons) -> NDArray[np.uint64]:
        """Return words whose bits are 1 where J < 0, in the order of bonds of the kernel, shape (4, 2, H, stride)."""
        cut = self._cut
        row, column = cut.sites()
        spin = np.empty((cut.rows, cut.columns), dtype=row.dtype)
        spin[row, column] = np.arange(model.size, dtype=row.dtype)
        left = 1 - 2 * (column % 2)  # the neighbour in the same word stands to the right of even columns
        near, negative = model.couplings.indices.reshape(-1, 4), model.couplings.data.reshape(-1, 4) < 0
        result = aligned((4, 2, cut.height, cut.stride), np.uint64)
        none = np.zeros_like(column)
        for bond, (up, along) in enumerate(((0, left), (0, -left), (1, none), (-1, none))):
            there = spin[(row + up) % cut.rows, (column + along) % cut.columns]
            where = np.argmax(near == there[:, None], axis=1)
            bits = np.empty((cut.chains, model.size), dtype=np.uint8)
            bits[:, self._places] = negative[np.arange(model.size), where]
            self._inside(result[bond])[...] = self._words(bits)[0]
        return result

    def forget(self) -> None:
        """Reset the counters."""
        self._flips[:] = 0
        self._sweeps = 0

    def sweep(self, sweeps: int) -> None:
        """Visit every spin `sweeps` times."""
        for spins, state, flips in zip(self._spins, self._state, self._flips, strict=True):
            for part in pieces(sweeps, self._model.size):
                kernels.metropolis(
                    spins, self._signs, self._table, state, self._cut.half, self._bottom, self._cut.period, part, flips
                )
        self._sweeps += sweeps

    def _of_chains(self, counts: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the counts of the requested chains from those of bytes, shape (groups, 8)."""
        each = counts.reshape(len(self._spins) * self._cut.chains, -1).sum(axis=1)
        wanted: NDArray[np.int64] = each[self._columns]
        return wanted

    def observe(self, name: str) -> Values:
        """Return "energy", or "magnetisation", the mean spin."""
        cut, counts = self._cut, np.zeros((len(self._spins), 8), dtype=np.int64)
        if name == "energy":
            for spins, totals in zip(self._spins, counts, strict=True):
                kernels.satisfied(spins, self._signs, cut.half, self._bottom, cut.period, totals)
            energy: Values = self._magnitude * (2.0 * self._model.size - 2.0 * self._of_chains(counts))
            return energy
        for spins, totals in zip(self._spins, counts, strict=True):
            kernels.ups(spins, cut.half, totals)
        mean: Values = 2.0 * self._of_chains(counts) / self._model.size - 1.0
        return mean

    def states(self) -> Values:
        """Return spins, int8 of shape (chains, N)."""
        result = np.ascontiguousarray(self._bits()[self._columns][:, self._places]).view(np.int8)
        result *= 2
        result -= 1
        return result

    def diagnostics(self) -> dict[str, Values]:
        """Return the share of visits in which a spin flipped."""
        return {"acceptance": self._of_chains(self._flips) / max(1, self._sweeps * self._model.size)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        for name in ("_spins", "_state", "_signs"):
            setattr(self, name, realigned(state[name]))
