r"""Swendsen's linearised flow from correlations of operators before and after blocking.

With p(s) ∝ exp(Σ_β K_β S_β) at level n and the law of the blocks at level n+1 written with couplings K' and operators
S',

.. math:: \frac{∂⟨S'_γ⟩}{∂K_β} = \mathrm{Cov}(S'_γ, S_β) = \sum_α \mathrm{Cov}(S'_γ, S'_α) \frac{∂K'_α}{∂K_β},

so that T = ∂K'/∂K = Cov(S', S')^{-1} Cov(S', S) (Swendsen 1979). [exact] if all operators of the blocks are kept; with
a few of them the error falls as operators are added, and as levels come closer to the fixed point.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from functools import reduce
from itertools import accumulate
from operator import add

import numpy as np
from numpy.typing import NDArray

from statnn._arguments import Floats, Ints
from statnn._by_value import ByValue

LARGEST_CONDITION = 1e10


@dataclass(frozen=True, eq=False, repr=False)
class Moments(ByValue):
    """Sums over draws, with one entry on the first axis for every independent group of draws.

    Products are of deviations δS = S - ⟨S⟩ from the mean of the group: for ordered spins a variance would be lost in
    rounding beside ⟨S⟩².
    """

    count: Floats
    """(groups,): number of draws."""
    first: Floats
    """(groups, levels, operators): ΣS."""
    scatter: Floats
    """(groups, levels, operators, operators): ΣδS δS^T of one level."""
    across: Floats
    """(groups, levels - 1, operators, operators): ΣδS' δS^T of a level and the one before."""
    start: Floats
    """(groups, levels, operators): ΣδS δS_0, S_0 the first operator before any blocking."""

    def __add__(self, other: Moments) -> Moments:
        """Return the sums over both sets of n and m draws: products grow by n m (⟨S⟩_n - ⟨S⟩_m)² / (n + m)."""
        n, m, count = self.count, other.count, self.count + other.count
        gap = self.first * m[:, None, None] - other.first * n[:, None, None]  # n m times that of means; exact if whole
        weight = 1 / (n * m * count)
        products = (
            mine + theirs + weight.reshape(-1, *(1,) * (mine.ndim - 1)) * more
            for mine, theirs, more in zip(self.parts[2:], other.parts[2:], _products(gap[:, None]), strict=True)
        )
        return Moments(count, self.first + other.first, *products)

    @property
    def mean(self) -> Floats:
        """(groups, levels, operators): ⟨S⟩."""
        return self.first / self.count[:, None, None]

    @property
    def groups(self) -> list[Moments]:
        """Sums of every group by itself."""
        return [Moments(*(part[k : k + 1] for part in self.parts)) for k in range(len(self.count))]

    @property
    def parts(self) -> tuple[Floats, ...]:
        """All sums, in their order."""
        return tuple(getattr(self, field.name) for field in fields(self))


def moments(values: Ints | Floats) -> Moments:
    """Return the sums of values of shape (groups, draws, levels, operators)."""
    v = np.asarray(values, dtype=np.float64)
    first = v.sum(axis=1)
    count = np.full(len(v), float(v.shape[1]))
    return Moments(count, first, *_products(v - first[:, None] / v.shape[1]))


def _products(v: Floats) -> tuple[Floats, Floats, Floats]:
    """Return sums over axis 1 of products within a level, of a level and the one before, with the start."""
    return (
        np.einsum("gdla,gdlb->glab", v, v),
        np.einsum("gdla,gdlb->glab", v[:, :, 1:], v[:, :, :-1]),
        np.einsum("gdla,gd->gla", v, v[:, :, 0, 0]),
    )


def concatenated(parts: Iterable[Moments]) -> Moments:
    """Return the groups of all parts side by side."""
    return Moments(*map(np.concatenate, zip(*(part.parts for part in parts), strict=True)))


def joined(sums: Moments) -> Moments:
    """Return the sums over all groups, as one group."""
    return reduce(add, sums.groups)


def left_out(sums: Moments) -> Moments:
    """Return the sums of all groups but one, for each; without subtraction, so that constants stay constant."""
    groups = sums.groups
    before = list(accumulate(groups[:-1], add))
    after = list(accumulate(groups[:0:-1], add))[::-1]
    return concatenated([after[0], *map(add, before[:-1], after[1:]), before[-1]])


def covariances(sums: Moments) -> tuple[Floats, Floats, Floats]:
    """Return Cov(S, S) of every level, Cov(S', S) of neighbours and Cov(S, S_0), each with groups first."""
    count = sums.count[:, None, None]
    return sums.scatter / count[..., None], sums.across / count[..., None], sums.start / count


def flow(sums: Moments, kept: NDArray[np.int64]) -> Floats:
    """Return T = ∂K'/∂K among the operators `kept`, shape (groups, levels - 1, kept, kept); or raise."""
    within, across, _ = covariances(sums)
    blocks = within[:, 1:, kept[:, None], kept]
    scale = np.sqrt(np.einsum("glaa->gla", blocks))
    if not (scale > 0).all():
        _, level, which = np.argwhere(scale <= 0)[0]
        raise ConstantOperatorError(int(level) + 1, int(kept[which]))
    unit = blocks / (scale[..., :, None] * scale[..., None, :])
    if not (np.linalg.cond(unit) < LARGEST_CONDITION).all():
        raise DependentOperatorsError(int(np.argwhere(np.linalg.cond(unit) >= LARGEST_CONDITION)[0][1]) + 1)
    result: Floats = (
        np.linalg.solve(unit, across[:, :, kept[:, None], kept] / scale[..., :, None]) / scale[..., :, None]
    )
    return result


class ConstantOperatorError(ValueError):
    """An operator does not vary at a level."""

    def __init__(self, level: int, which: int) -> None:
        super().__init__(level, which)
        self.level, self.which = level, which


class DependentOperatorsError(ValueError):
    """Operators are linearly dependent at a level."""

    def __init__(self, level: int) -> None:
        super().__init__(level)
        self.level = level


def leading(matrices: Floats) -> Floats:
    """Return the eigenvalue of largest modulus, over the last two axes; its modulus if it is complex."""
    every = np.linalg.eigvals(matrices)
    first = np.take_along_axis(every, np.abs(every).argmax(axis=-1, keepdims=True), axis=-1)[..., 0]
    result: Floats = np.where(first.imag == 0, first.real, np.abs(first))
    return result


def spectrum(sums: Moments, members: NDArray[np.int64]) -> tuple[Floats, Floats]:
    """Return the leading eigenvalue of T by step and number of operators, and its leave-one-out values.

    Shapes (steps, operators) and (groups, steps, operators).
    """
    together, without = joined(sums), left_out(sums)
    values = [leading(flow(together, members[: k + 1]))[0] for k in range(len(members))]
    others = [leading(flow(without, members[: k + 1])) for k in range(len(members))]
    return np.stack(values, axis=-1), np.stack(others, axis=-1)


def jackknife(others: Floats) -> Floats:
    """Return the standard error of an estimate from its leave-one-out values, groups first (Quenouille, Tukey).

    It is infinite where one of them is, as the exponent of an eigenvalue 0.
    """
    finite = np.isfinite(others).all(axis=0)
    spread = np.where(finite, others, 0.0).var(axis=0)
    result: Floats = np.sqrt((len(others) - 1) * np.where(finite, spread, np.inf))
    return result
