r"""Operators of a lattice of spins, S_α = Σ Π s over all places of a cluster and of its images under symmetries.

Even operators, of an even number of spins, do not change when all spins flip; odd operators change sign. If up and down
are equivalent the two kinds do not mix, and each has a linearised flow of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from itertools import permutations, product
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from statnn._arguments import Ints, switch, whole
from statnn.rg.lattice import _operator_kernels as kernels

Cluster = tuple[tuple[int, ...], ...]
MOST_REACH = 64
"""Largest allowed offset of a site."""


@dataclass(frozen=True)
class Operator:
    """The sum of products of spins over a cluster, all its translations, reflections and rotations.

    Parameters
    ----------
    name : str
        Name in tables and figures.
    sites : tuple of tuple of int
        Offsets of the spins of one cluster, (layer,), (layer, place) or (layer, row, column) each, all different.
    alike : bool
        Whether the axis of layers can be exchanged with axes inside a layer, as on a lattice with equal couplings in
        every direction; False treats it separately.

    Raises
    ------
    TypeError, ValueError
        If offsets are not whole numbers, differ in length, coincide, or exceed 64.

    See Also
    --------
    operators : makes the usual ones.
    linearise, sample_flow : use them.

    Examples
    --------
    >>> nearest = Operator("nearest", ((0, 0), (0, 1)))
    >>> nearest.even, nearest.clusters
    (True, (((0, 0), (0, 1)), ((0, 0), (1, 0))))
    """

    name: str
    sites: Cluster
    alike: bool = True

    def __post_init__(self) -> None:
        sites = tuple(
            tuple(whole(x, "an offset", minimum=-MOST_REACH, maximum=MOST_REACH) for x in site) for site in self.sites
        )
        if not sites or len({len(site) for site in sites}) != 1 or not 1 <= len(sites[0]) <= 3:
            raise ValueError(
                f"sites = {self.sites!r} of operator {self.name!r}: each site needs one, two or three offsets, and all "
                "the same number"
            )
        if len(set(sites)) != len(sites):
            raise ValueError(f"operator {self.name!r} names a site twice: s² = 1, leave both out")
        object.__setattr__(self, "sites", sites)
        object.__setattr__(self, "alike", switch(self.alike, "alike"))

    @property
    def dimension(self) -> int:
        """Number of axes of the lattice."""
        return len(self.sites[0])

    @property
    def even(self) -> bool:
        """True for an even number of spins."""
        return len(self.sites) % 2 == 0

    @cached_property
    def clusters(self) -> tuple[Cluster, ...]:
        """The different images of the cluster, each moved so that its first site, in sorted order, is the origin."""
        d = self.dimension
        orders = permutations(range(d)) if self.alike else ((0, *rest) for rest in permutations(range(1, d)))
        images = set()
        for order, signs in product(orders, product((1, -1), repeat=d)):
            image = sorted(
                tuple(sign * site[axis] for axis, sign in zip(order, signs, strict=True)) for site in self.sites
            )
            images.add(tuple(tuple(x - x0 for x, x0 in zip(site, image[0], strict=True)) for site in image))
        return tuple(sorted(images))


_SQUARE: dict[str, Cluster] = {
    "nearest": ((0, 0), (0, 1)),
    "diagonal": ((0, 0), (1, 1)),
    "plaquette": ((0, 0), (0, 1), (1, 0), (1, 1)),
    "second": ((0, 0), (0, 2)),
    "knight": ((0, 0), (1, 2)),
    "diamond": ((0, 1), (1, 0), (1, 2), (2, 1)),
    "spin": ((0, 0),),
    "corner": ((0, 0), (0, 1), (1, 0)),
    "line": ((0, 0), (0, 1), (0, 2)),
    "vee": ((0, 1), (1, 0), (1, 2)),
    "cross": ((0, 1), (1, 0), (1, 1), (1, 2), (2, 1)),
}
_CHAIN: dict[str, Cluster] = {
    "nearest": ((0,), (1,)),
    "second": ((0,), (2,)),
    "third": ((0,), (3,)),
    "four": ((0,), (1,), (2,), (3,)),
    "spin": ((0,),),
    "line": ((0,), (1,), (2,)),
    "gap": ((0,), (1,), (3,)),
}
_CUBE: dict[str, Cluster] = {
    "nearest": ((0, 0, 0), (0, 0, 1)),
    "diagonal": ((0, 0, 0), (0, 1, 1)),
    "plaquette": ((0, 0, 0), (0, 0, 1), (0, 1, 0), (0, 1, 1)),
    "space diagonal": ((0, 0, 0), (1, 1, 1)),
    "second": ((0, 0, 0), (0, 0, 2)),
    "spin": ((0, 0, 0),),
    "corner": ((0, 0, 0), (0, 0, 1), (0, 1, 0)),
    "line": ((0, 0, 0), (0, 0, 1), (0, 0, 2)),
}
_USUAL = (_CHAIN, _SQUARE, _CUBE)


def operators(dimension: int, *, alike: bool = True) -> tuple[Operator, ...]:
    """Return the usual operators of a chain, a square or a cubic lattice, even ones first, short before long.

    Parameters
    ----------
    dimension : int
        1 for layers of one spin, 2 for layers that are rings, 3 for layers that are sheets.
    alike : bool
        Whether layers are an axis like the others; see `Operator`. If False, what lies along layers is apart from what
        lies inside them: "nearest" joins neighbours in a layer, "nearest across" those in neighbouring layers.

    Returns
    -------
    tuple of Operator
        The order in which `linearise` and `sample_flow` add them to its matrix.

    Raises
    ------
    TypeError, ValueError
        If `dimension` is not 1, 2 or 3.

    See Also
    --------
    linearise, sample_flow : take them.

    Examples
    --------
    >>> [operator.name for operator in operators(1)]
    ['nearest', 'second', 'third', 'four', 'spin', 'line', 'gap']
    >>> [operator.name for operator in operators(2, alike=False)][:4]
    ['nearest', 'nearest across', 'diagonal', 'plaquette']
    """
    usual = _USUAL[whole(dimension, "dimension", minimum=1, maximum=3) - 1]
    every = [Operator(name, sites) for name, sites in usual.items()]
    return tuple(every if switch(alike, "alike") else (part for operator in every for part in _apart(operator)))


def _apart(operator: Operator) -> Iterator[Operator]:
    """Yield the operators, at most two, into which one falls where layers are not an axis like the others."""
    inside = replace(operator, alike=False)
    yield inside
    if across := {*operator.clusters} - {*inside.clusters}:
        yield Operator(f"{operator.name} across", min(across), alike=False)


class ClusterLayout(NamedTuple):
    """Positions of the clusters of some operators on one lattice, as `kernels.sums` needs them."""

    reach: tuple[int, int, int]
    offsets: Ints
    starts: Ints
    low: Ints
    high: Ints
    masks: NDArray[np.uint64]
    owner: Ints


def measure(spins: NDArray[np.int8], chosen: Sequence[Operator], periodic: tuple[bool, ...] | None = None) -> Ints:
    """Return the sums S_α of contiguous spins of shape (replicas, layers, ...), shape (replicas, operators).

    Along an axis that is not periodic only clusters inside the lattice count.
    """
    shape = spins.shape[1:]
    layout = _layout(tuple(chosen), shape, (True,) * len(shape) if periodic is None else periodic)
    full = (len(spins), *(1,) * (3 - len(shape)), *shape)
    out = np.empty((len(spins), len(chosen)), dtype=np.int64)
    words = layout.masks.shape[1]
    r0, r1, r2 = layout.reach
    shifted = np.empty((2 * r2 + 1) * (full[1] + 2 * r0) * (full[2] + 2 * r1) * words, dtype=np.uint64)
    packed = np.empty((full[3] + 2 * r2) // 64 + 2, dtype=np.uint64)
    kernels.sums(spins.reshape(-1), full, *layout, shifted, packed, out)
    return out


@lru_cache(maxsize=64)
def _layout(chosen: tuple[Operator, ...], shape: tuple[int, ...], periodic: tuple[bool, ...]) -> ClusterLayout:
    missing = 3 - len(shape)
    lengths, around = (1,) * missing + shape, (True,) * missing + periodic
    owner = np.repeat(np.arange(len(chosen)), [len(operator.clusters) for operator in chosen])
    clusters = [
        np.array([(0,) * missing + site for site in cluster]) for operator in chosen for cluster in operator.clusters
    ]
    least, most = (np.array([extreme(cluster, axis=0) for cluster in clusters]) for extreme in (np.min, np.max))
    wide = (most - least >= lengths).any(axis=1)
    if wide.any():
        raise ValueError(
            f"operator {chosen[owner[wide][0]].name!r} does not fit on {shape}, the lattice of one of the levels: "
            "take fewer levels, or operators of shorter range"
        )
    low, high = np.where(around, 0, -least), np.where(around, lengths, lengths - most)
    sites = np.concatenate(clusters)
    reach = np.abs(sites).max(axis=0)
    place = np.arange(-(-lengths[2] // 64) * 64)
    bits = (place >= low[:, 2:]) & (place < high[:, 2:])
    masks = np.packbits(bits, axis=1, bitorder="little").view("<u8").astype(np.uint64)
    down, across = lengths[0] + 2 * reach[0], lengths[1] + 2 * reach[1]
    offsets = (((sites[:, 2] + reach[2]) * down + sites[:, 0]) * across + sites[:, 1]) * masks.shape[1]
    return ClusterLayout(
        (int(reach[0]), int(reach[1]), int(reach[2])),
        offsets,
        np.cumsum([0, *map(len, clusters)]),
        low[:, :2].copy(),
        high[:, :2].copy(),
        masks,
        owner,
    )
