"""The order in which one chain visits its spins: colour by colour, in chunks that one vector loop updates at once.

Spins of one colour do not feel each other, so that a chunk of them can be drawn together. Spins get *positions*:
colour after colour, each filled up to whole chunks with spins that are held fast by a strong field. The couplings of
a chunk are cut in three, whatever the graph:

- *near*: neighbours at one and the same offset for many spins of the chunk, read as one contiguous piece. On a lattice
  that is nearly all of them, whatever its shape; couplings of spins without such a neighbour are zero;
- *far*: one neighbour, anywhere, of every spin, gathered by index;
- *odd*: single neighbours that are left over, at the edges of a lattice or where spins differ in degree.

Equal rows of couplings are kept once: a lattice with one coupling has a handful of them.
"""

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from statnn._edge import Floats, Ints
from statnn._lanes import aligned

if TYPE_CHECKING:
    from scipy import sparse

LANES = 64
"""Spins of a chunk; fixed when kernels are compiled."""
FEWEST_NEAR = 4
"""Spins of a chunk with a neighbour at the same offset that are worth a near slot."""
FEWEST_FAR = 12
"""The same for a far slot."""
HELD = 100.0
"""Field, in temperatures, that holds the spins that fill up a chunk."""
COSTS = {"call": 8000.0, "chunk": 25.0, "near": 3.0, "far": 30.0, "odd": 1.5}
"""Nanoseconds, roughly; they only choose between orders and layouts."""


class Plan(NamedTuple):
    """What a kernel needs besides the spins; positions count from `LANES`, before and behind there is room to read."""

    fields: NDArray[Any]
    """(rows, LANES), each row once."""
    couplings: NDArray[Any]
    """(rows, LANES), each row once, zero where a spin has no such neighbour."""
    field: Ints
    """(chunks,) the row of fields."""
    near: Ints
    """(chunks + 1,) where the near slots of a chunk begin."""
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


def order(couplings: "sparse.csr_array[Any]", colours: Ints, by_degree: bool) -> Ints:
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


def plan(couplings: "sparse.csr_array[Any]", fields: Floats, position: Ints, dtype: Any, held: float) -> Plan:
    """Return the plan of couplings, whose row i is what spin i feels; of the type of both in the kernel."""
    count = int(position.max()) // LANES
    field = np.full(count * LANES, held)
    field[position - LANES] = fields
    edges = couplings.tocoo()
    here, there, value = position[edges.coords[0]], position[edges.coords[1]], edges.data
    ranked = np.lexsort((there, here))
    here, there, value = here[ranked], there[ranked], value[ranked]

    wide = 2 * (count + 2) * LANES
    groups, group, size = np.unique(
        (here // LANES - 1) * wide + there - here + wide // 2, return_inverse=True, return_counts=True
    )
    shared = size >= FEWEST_NEAR
    is_near = shared[group]
    slot = (np.cumsum(shared) - 1)[group[is_near]]
    chunk, offset = groups[shared] // wide, groups[shared] % wide - wide // 2
    near_rows = _rows(slot, here[is_near], value[is_near], chunk.size)

    here, there, value = here[~is_near], there[~is_near], value[~is_near]
    before = np.searchsorted(here, here)
    most_far = int(np.bincount(here).max(initial=0)) + 1
    groups, group, size = np.unique(
        (here // LANES - 1) * most_far + np.arange(here.size) - before, return_inverse=True, return_counts=True
    )
    many = size >= FEWEST_FAR
    is_far = many[group]
    slot = (np.cumsum(many) - 1)[group[is_far]]
    far_chunk = groups[many] // most_far
    far_rows = _rows(slot, here[is_far], value[is_far], far_chunk.size)
    far_position = aligned((far_chunk.size, LANES), np.int32)
    far_position[...] = ((far_chunk + 1) * LANES)[:, None]
    far_position[slot, here[is_far] % LANES] = there[is_far]

    odd = ~is_far
    rows, row = _once(np.concatenate([near_rows, far_rows]), dtype)
    fields_once, field_row = _once(field.reshape(count, LANES), dtype)
    return Plan(
        fields_once,
        rows,
        field_row,
        _starts(chunk, count),
        (chunk + 1) * LANES + offset,
        row[: chunk.size],
        _starts(far_chunk, count),
        far_position,
        row[chunk.size :],
        _starts(here[odd] // LANES - 1, count),
        here[odd] % LANES,
        there[odd],
        value[odd].astype(dtype),
    )


def cost(plan: Plan) -> float:
    """Return roughly how many nanoseconds a sweep takes."""
    return (
        COSTS["call"]
        + COSTS["chunk"] * plan.field.size
        + COSTS["near"] * plan.near_row.size
        + COSTS["far"] * plan.far_row.size
        + COSTS["odd"] * plan.odd_lane.size
    )


def _rows(slot: Ints, here: Ints, value: Floats, count: int) -> Floats:
    rows = np.zeros((count, LANES))
    rows[slot, here % LANES] = value
    return rows


def _starts(chunk: Ints, count: int) -> Ints:
    return np.searchsorted(chunk, np.arange(count + 1)).astype(np.int64)


def _once(rows: Floats, dtype: Any) -> tuple[NDArray[Any], Ints]:
    """Return the different rows, aligned, and which of them each one is."""
    different, which = np.unique(rows, axis=0, return_inverse=True)
    result = aligned(different.shape, dtype)
    result[...] = different
    return result, which.reshape(-1).astype(np.int64)
