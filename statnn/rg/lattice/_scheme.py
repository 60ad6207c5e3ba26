"""The blocking of configurations, level after level, and the operators measured at each level."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from statnn._arguments import Ints, array_of, whole
from statnn._random import Root
from statnn.rg.lattice._blocking import chosen_axes, coin_key, decimate, lattice, majority
from statnn.rg.lattice._operators import Operator, measure, operators

RULES = ("majority", "decimation")
SHORTEST = 4
"""Least length of the shortest axis at the last level, unless `levels` is given."""


@dataclass(frozen=True)
class Scheme:
    """A blocking rule and the operators measured at every level."""

    b: int
    axes: tuple[int, ...]
    rule: str
    operators: tuple[Operator, ...]
    periodic: tuple[bool, ...]
    shapes: tuple[tuple[int, ...], ...]
    """Shape of the lattice at every level, the original first."""

    @property
    def words(self) -> dict[str, Any]:
        """The scheme as JSON."""
        picked = [[operator.name, operator.sites, operator.alike] for operator in self.operators]
        return {"b": self.b, "axes": self.axes, "rule": self.rule, "operators": picked, "periodic": self.periodic,
                "shapes": self.shapes}  # fmt: skip

    def keys(self, seed: Root, *chain: int) -> NDArray[np.uint64]:
        """Return a key for the coins of every step, shape (steps,)."""
        return np.array([coin_key(seed, *chain, step) for step in range(len(self.shapes) - 1)])

    def observe(self, spins: NDArray[np.int8], keys: NDArray[np.uint64], numbers: Ints) -> Ints:
        """Return all operators at all levels, shape (replicas, levels, operators), of spins (replicas, layers, ...).

        `keys` have shape (steps,) or (steps, replicas); no two lattices of one key may have the same number.
        """
        values = [measure(spins, self.operators, self.periodic)]
        for key in keys:
            if self.rule == "majority":
                spins = majority(spins, lattice(spins.shape, self.b, self.axes), key, numbers)
            else:
                spins = decimate(spins, self.b, axes=self.axes)
            values.append(measure(spins, self.operators, self.periodic))
        return np.stack(values, axis=1)


def scheme(
    shape: Sequence[int],
    b: int,
    axes: Sequence[int] | int | None,
    rule: str,
    chosen: Sequence[Operator] | None,
    levels: int | None,
    periodic: bool | Sequence[bool],
) -> Scheme:
    """Return the scheme for lattices of this shape, or raise before any work."""
    if rule not in RULES:
        raise ValueError(f"rule = {rule!r} is unknown; choose from {', '.join(RULES)}")
    sides: Sequence[int] = shape if array_of(shape, "shape").ndim else ()
    lengths = tuple(whole(length, "a length of shape", minimum=1) for length in sides)
    if not 1 <= len(lengths) <= 3:
        raise ValueError(f"shape = {shape!r}: give (layers,), (layers, width) or (layers, width, width)")
    scale = whole(b, "b", minimum=2)
    every = tuple(range(1, len(lengths) + 1))
    named = chosen_axes(axes, every)
    around: tuple[Any, ...] = (
        tuple(np.ravel(periodic).tolist()) if array_of(periodic, "periodic").ndim else (periodic,) * len(lengths)
    )
    if len(around) != len(lengths) or not all(isinstance(wraps, bool | np.bool_) for wraps in around):
        raise ValueError(f"periodic = {periodic!r}: give True, False or one of them for each axis of {lengths}")
    picked = _operators(chosen, len(lengths))
    lattice((1, *lengths), scale, named)  # raises with the axis and its length if a first step is impossible
    if levels is None:
        steps, left = 0, lengths
        while _can(left, scale, named) and min(left[axis - 1] for axis in named) // scale >= SHORTEST:
            left, steps = _blocked(left, scale, named), steps + 1
        if not steps:
            raise ValueError(
                f"shape = {lengths} leaves fewer than {SHORTEST} sites a side after one step of b = {scale}: take a "
                "larger lattice, or state the number of steps with levels="
            )
    else:
        steps = whole(levels, "levels", minimum=1, maximum=64)
    shapes = [lengths]
    for _ in range(steps):
        lattice((1, *shapes[-1]), scale, named)
        shapes.append(_blocked(shapes[-1], scale, named))
    for sides in shapes:  # operators must fit on every level: checked now, not after hours
        measure(np.ones((1, *sides), dtype=np.int8), picked, around)
    return Scheme(scale, named, rule, picked, tuple(map(bool, around)), tuple(shapes))


def _can(lengths: tuple[int, ...], b: int, axes: tuple[int, ...]) -> bool:
    return all(lengths[axis - 1] % b == 0 for axis in axes)


def _blocked(lengths: tuple[int, ...], b: int, axes: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(length // b if axis in axes else length for axis, length in enumerate(lengths, 1))


def _operators(chosen: Any, dimension: int) -> tuple[Operator, ...]:
    if chosen is None:
        return operators(dimension)
    picked = (chosen,) if isinstance(chosen, Operator) else tuple(chosen)
    for operator in picked:
        if not isinstance(operator, Operator):
            raise TypeError(f"operators hold a {type(operator).__name__}; make each an Operator(name, sites)")
        if operator.dimension != dimension:
            raise ValueError(
                f"operator {operator.name!r} has sites with {operator.dimension} offsets, the lattice {dimension} axes"
            )
    names = [operator.name for operator in picked]
    if not names or len(set(names)) != len(names):
        raise ValueError(f"operators {names} need at least one, and names that differ")
    if len({frozenset(operator.clusters) for operator in picked}) != len(picked):
        raise ValueError(f"two of the operators {', '.join(names)} are the same sum: leave one out")
    return picked
