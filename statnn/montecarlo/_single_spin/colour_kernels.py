"""Single-spin updates of one chain, spins of one colour side by side: lane k of every vector is a spin of a chunk.

The rules are those of `rules`; the order of spins and the three kinds of neighbours are those of
`colour_plan`. Each lane has a generator of its own, (4, LANES) for a chain, so that the result does not depend on the
width of vectors. Spins have shape (positions,), int8, with `LANES` padding entries on either side, which couplings of
zero may read.

The updates return how many spins changed sign. The sum over neighbours is written out in the kernels: in a helper the
compiler would not keep its array in registers. For the same reason odd neighbours, at any lane, are summed separately.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from statnn._compile import helper, kernel
from statnn.montecarlo._lanes import fused, scratch, uniform_lane
from statnn.montecarlo._single_spin.colour_plan import LANES
from statnn.montecarlo._single_spin.rules import drawn, flips

_row = scratch(LANES)
_state = scratch(4, LANES)
_TWO = np.float32(2)
# indices are unsigned: otherwise numba tests each for negative values, which count from the end
_NEXT = np.uint64(1)
_LANES = np.uint64(LANES)


@helper
def _copy_state(source: Any, target: Any) -> None:
    for lane in range(LANES):
        for word in range(4):
            target[word, lane] = source[word, lane]


def _update(*, metropolis: bool) -> Any:
    """Return the kernel of a rule. The rule is a compile-time constant: a choice at run time takes a third longer."""

    @kernel
    def update(plan: Any, spins: Any, beta: Any, rng: Any, sweeps: int) -> int:
        field, rest, count = _row(plan.couplings), _row(plan.couplings), _row(np.int32)
        state = _state(np.uint32)
        _copy_state(rng, state)
        scale = -_TWO * beta
        changed = 0
        for _ in range(sweeps):
            for lane in range(LANES):
                count[lane] = 0
            for c in range(np.uint64(plan.field.size)):
                row = np.uint64(plan.field[c])
                for lane in range(LANES):
                    field[lane] = plan.fields[row, lane]
                for slot in range(np.uint64(plan.near[c]), np.uint64(plan.near[c + _NEXT])):
                    row, start = np.uint64(plan.near_row[slot]), np.uint64(plan.near_start[slot])
                    for lane in range(LANES):
                        field[lane] = fused(plan.couplings[row, lane], spins[start + np.uint64(lane)], field[lane])
                for slot in range(np.uint64(plan.far[c]), np.uint64(plan.far[c + _NEXT])):
                    row = np.uint64(plan.far_row[slot])
                    for lane in range(LANES):
                        there = np.uint64(plan.far_position[slot, lane])
                        field[lane] = fused(plan.couplings[row, lane], spins[there], field[lane])
                if plan.odd[c] < plan.odd[c + _NEXT]:
                    # separate: a lane known only at run time would push the array of fields out of registers
                    for lane in range(LANES):
                        rest[lane] = 0
                    for k in range(np.uint64(plan.odd[c]), np.uint64(plan.odd[c + _NEXT])):
                        place, there = np.uint64(plan.odd_lane[k]), np.uint64(plan.odd_position[k])
                        rest[place] = fused(plan.odd_coupling[k], spins[there], rest[place])
                    for lane in range(LANES):
                        field[lane] += rest[lane]
                first = (c + _NEXT) * _LANES
                if metropolis:
                    for lane in range(LANES):
                        here = first + np.uint64(lane)
                        old = spins[here]
                        change = flips(np.float32(uniform_lane(state, lane)), scale * field[lane] * np.float32(old))
                        count[lane] += np.int32(change)
                        spins[here] = np.int8(-old) if change else old
                else:
                    for lane in range(LANES):
                        here = first + np.uint64(lane)
                        new = drawn(np.float32(uniform_lane(state, lane)), scale * field[lane])
                        count[lane] += np.int32(new != spins[here])
                        spins[here] = new
            for lane in range(LANES):
                changed += int(count[lane])
        _copy_state(state, rng)
        return changed

    return update


heat_bath = _update(metropolis=False)
"""Draw every spin from its law given the others, `sweeps` times; beta has the type of the couplings."""
metropolis = _update(metropolis=True)
"""Propose a sign change to every spin, `sweeps` times; beta has the type of the couplings."""


@kernel
def energy(plan: Any, spins: Any) -> float:
    """Return E of a chain; the plan, in float64, couples spins only to earlier positions: each bond counts once."""
    field, rest, total = _row(np.float64), _row(np.float64), _row(np.float64)
    for lane in range(LANES):
        total[lane] = 0.0
    for c in range(np.uint64(plan.field.size)):
        row = np.uint64(plan.field[c])
        for lane in range(LANES):
            field[lane] = plan.fields[row, lane]
        for slot in range(np.uint64(plan.near[c]), np.uint64(plan.near[c + _NEXT])):
            row, start = np.uint64(plan.near_row[slot]), np.uint64(plan.near_start[slot])
            for lane in range(LANES):
                field[lane] += plan.couplings[row, lane] * np.float64(spins[start + np.uint64(lane)])
        for slot in range(np.uint64(plan.far[c]), np.uint64(plan.far[c + _NEXT])):
            row = np.uint64(plan.far_row[slot])
            for lane in range(LANES):
                there = np.uint64(plan.far_position[slot, lane])
                field[lane] += plan.couplings[row, lane] * np.float64(spins[there])
        if plan.odd[c] < plan.odd[c + _NEXT]:
            for lane in range(LANES):
                rest[lane] = 0
            for k in range(np.uint64(plan.odd[c]), np.uint64(plan.odd[c + _NEXT])):
                place, there = np.uint64(plan.odd_lane[k]), np.uint64(plan.odd_position[k])
                rest[place] = fused(plan.odd_coupling[k], spins[there], rest[place])
            for lane in range(LANES):
                field[lane] += rest[lane]
        first = (c + _NEXT) * _LANES
        for lane in range(LANES):
            total[lane] -= field[lane] * np.float64(spins[first + np.uint64(lane)])
    result = 0.0
    for lane in range(LANES):
        result += total[lane]
    return result


@kernel
def total(spins: Any) -> int:
    """Return the sum of all spins, padding spins included."""
    count = _row(np.int32)
    for lane in range(LANES):
        count[lane] = 0
    for c in range(np.uint64(spins.size // LANES)):
        for lane in range(LANES):
            count[lane] += np.int32(spins[c * _LANES + np.uint64(lane)])
    result = 0
    for lane in range(LANES):
        result += int(count[lane])
    return result
