"""The order in which one chain visits its spins: colour by colour, in chunks that one vector loop updates at once.

Spins of one colour do not feel each other, so that a chunk of them can be drawn together. Spins get *positions*: colour
after colour, each padded to whole chunks with spins that a strong field holds fixed. The couplings of a chunk fall into
three kinds, whatever the graph:

- *near*: neighbours at one and the same offset for many spins of the chunk, read as one contiguous piece. On a lattice
  of any shape nearly all are near; couplings of spins without such a neighbour are zero;
- *far*: one neighbour, anywhere, of every spin, gathered by index;
- *odd*: the remaining single neighbours, at the edges of a lattice or where spins differ in degree.

Equal rows of couplings are stored once: a lattice with a single coupling has only a handful.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from statnn._arguments import Floats, Ints
from statnn.montecarlo._lanes import aligned

if TYPE_CHECKING:
    from scipy import sparse

LANES = 64
"""Spins of a chunk; fixed when kernels are compiled."""
CHUNKS = 128
"""Chunks planned at a time, which limits the memory needed."""
FEWEST_NEAR = 4
"""Least number of spins of a chunk with a neighbour at the same offset that is worth a near slot."""
FEWEST_FAR = 12
"""The same for a far slot."""
HELD = 100.0
"""Field, in temperatures, that holds the padding spins of a chunk."""
COSTS = {"call": 8000.0, "chunk": 25.0, "near": 3.0, "far": 30.0, "odd": 1.5}
"""Rough costs in nanoseconds, used only to choose between orders and layouts."""


class ColourPlan(NamedTuple):
    """Data of a kernel besides the spins; positions count from `LANES`, with padding before and behind."""

    fields: NDArray[Any]
    """(rows, LANES) fields, each different row once."""
    couplings: NDArray[Any]
    """(rows, LANES) couplings, each different row once, zero where a spin has no such neighbour."""
    field: Ints
    """(chunks,) row of fields of each chunk."""
    near: Ints
    """(chunks + 1,) index at which the near slots of a chunk begin."""
    near_start: Ints
    near_row: Ints
    """Position of the neighbour of the first spin of the chunk, and the row of couplings, of every near slot."""
    far: Ints
    far_position: NDArray[np.int32]
    """(slots, LANES) positions of neighbours."""
    far_row: Ints
    odd: Ints
    odd_lane: Ints
    odd_position: Ints
    odd_coupling: NDArray[Any]


def order(couplings: sparse.csr_array[Any], colours: Ints, by_degree: bool) -> Ints:
    """Return the position of every spin, shape (N,); in natural order within a colour, or highest degree first."""
    degree = np.diff(couplings.indptr)
    ranked = np.lexsort((-degree if by_degree else np.zeros_like(degree), colours))
    counts = np.bincount(colours)
    room = -(-counts // LANES) * LANES
    first_spin, first_place = np.cumsum(counts) - counts, np.cumsum(room) - room
    position = np.empty(degree.size, dtype=np.int64)
    colour = colours[ranked]
    position[ranked] = LANES + first_place[colour] + np.arange(degree.size) - first_spin[colour]
    return position


class _Slots(NamedTuple):
    """Slots of some chunks, and the couplings that fill them."""

    chunk: Ints
    """(slots,) the chunk of every slot."""
    slot: Ints
    """(couplings,) the slot of every coupling."""
    lane: Ints
    there: Ints
    value: NDArray[Any]


def _cut(
    couplings: sparse.csr_array[Any], position: Ints, earlier: bool
) -> Iterator[tuple[_Slots, Ints, _Slots, _Slots]]:
    """Yield near slots, their offsets, far slots and odd slots, for some chunks at a time.

    Row i holds the couplings that act on spin i: all of them, or only those of spins at earlier positions.
    """
    count = int(position.max()) // LANES
    spin = np.full(count * LANES, -1)
    spin[position - LANES] = np.arange(position.size)
    wide = 2 * (count + 2) * LANES
    for begin in range(0, count, CHUNKS):
        spins = spin[begin * LANES : (begin + CHUNKS) * LANES]
        filled = np.flatnonzero(spins >= 0)
        rows = couplings[spins[filled]]
        here = (begin + 1) * LANES + np.repeat(filled, np.diff(rows.indptr))
        there, value = position[rows.indices], rows.data
        if earlier:
            here, there, value = (array[there < here] for array in (here, there, value))
        ranked = np.lexsort((there, here))
        here, there, value = here[ranked], there[ranked], value[ranked]

        group = (here // LANES - 1) * wide + there - here + wide // 2
        groups, is_near, slot = _grouped(group, FEWEST_NEAR)
        near = _Slots(groups // wide, slot, here[is_near] % LANES, there[is_near], value[is_near])
        offset = groups % wide - wide // 2

        here, there, value = here[~is_near], there[~is_near], value[~is_near]
        turn = np.arange(here.size) - np.searchsorted(here, here)
        most = int(turn.max(initial=0)) + 1
        groups, is_far, slot = _grouped((here // LANES - 1) * most + turn, FEWEST_FAR)
        far = _Slots(groups // most, slot, here[is_far] % LANES, there[is_far], value[is_far])
        here, there, value = here[~is_far], there[~is_far], value[~is_far]
        yield near, offset, far, _Slots(here // LANES - 1, np.arange(here.size), here % LANES, there, value)


def _grouped(group: Ints, fewest: int) -> tuple[Ints, NDArray[np.bool_], Ints]:
    """Return the groups with at least `fewest` members, which entries belong to one, and to which."""
    groups, which, size = np.unique(group, return_inverse=True, return_counts=True)
    large = size >= fewest
    member = large[which]
    return groups[large], member, (np.cumsum(large) - 1)[which[member]]


class _Rows:
    """Collects rows of numbers, equal rows once."""

    def __init__(self, dtype: Any) -> None:
        self._dtype = np.dtype(dtype)
        self._known: dict[bytes, int] = {}

    def add(self, rows: NDArray[Any]) -> Ints:
        """Return the index of each row among the different rows."""
        known, positive = self._known, rows.astype(self._dtype) + self._dtype.type(0)  # -0 becomes +0
        return np.array([known.setdefault(row.tobytes(), len(known)) for row in positive], dtype=np.int64)

    def taken(self) -> NDArray[Any]:
        """Return the different rows, aligned, and forget them."""
        result = aligned((len(self._known), LANES), self._dtype)
        for row in result[::-1]:
            row[...] = np.frombuffer(self._known.popitem()[0], self._dtype)
        return result


def plan(
    couplings: sparse.csr_array[Any], fields: Floats, position: Ints, dtype: Any, held: float, earlier: bool = False
) -> ColourPlan:
    """Return the plan of couplings and fields in the given type; row i of the couplings acts on spin i.

    With `earlier` every coupling is given only to the spin at the later position.
    """
    count = int(position.max()) // LANES
    field = np.full(count * LANES, held)
    field[position - LANES] = fields
    own, rows = _Rows(dtype), _Rows(dtype)
    field_row = own.add(field.reshape(count, LANES))
    parts: list[tuple[Any, ...]] = []
    for near, offset, far, odd in _cut(couplings, position, earlier):
        far_position = np.repeat((far.chunk[:, None] + 1) * LANES, LANES, axis=1).astype(np.int32)
        far_position[far.slot, far.lane] = far.there
        parts.append(
            (
                near.chunk,
                (near.chunk + 1) * LANES + offset,
                rows.add(_filled(near)),
                far.chunk,
                far_position,
                rows.add(_filled(far)),
                odd.chunk,
                odd.lane,
                odd.there,
                odd.value.astype(dtype),
            )
        )
    columns = [list(column) for column in zip(*parts, strict=True)]
    parts.clear()
    near_chunk, near_start, near_row, far_chunk, far_position, far_row, odd_chunk, *odds = (
        _joined(columns.pop(0)) for _ in range(len(columns))
    )
    return ColourPlan(
        own.taken(),
        rows.taken(),
        field_row,
        _starts(near_chunk, count),
        near_start,
        near_row,
        _starts(far_chunk, count),
        far_position,
        far_row,
        _starts(odd_chunk, count),
        *odds,
    )


def _joined(parts: list[NDArray[Any]]) -> NDArray[Any]:
    result = aligned((sum(map(len, parts)), *parts[0].shape[1:]), parts[0].dtype)
    return np.concatenate(parts, out=result)


def cost(couplings: sparse.csr_array[Any], position: Ints) -> float:
    """Return roughly how many nanoseconds a sweep takes."""
    total = COSTS["call"] + COSTS["chunk"] * (int(position.max()) // LANES)
    for near, _, far, odd in _cut(couplings, position, earlier=False):
        total += COSTS["near"] * near.chunk.size + COSTS["far"] * far.chunk.size + COSTS["odd"] * odd.chunk.size
    return total


def _filled(slots: _Slots) -> NDArray[Any]:
    rows = np.zeros((slots.chunk.size, LANES), dtype=slots.value.dtype)
    rows[slots.slot, slots.lane] = slots.value
    return rows


def _starts(chunk: Ints, count: int) -> Ints:
    return np.searchsorted(chunk, np.arange(count + 1)).astype(np.int64)
