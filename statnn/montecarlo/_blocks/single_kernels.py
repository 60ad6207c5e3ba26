"""Heat bath of one chain with cached fields: every spin costs a random number, a flip also a row of couplings.

Spins of a layer do not act on each other, so a whole layer is decided at once, 16 spins in a vector. Flips are then
added to the fields of the neighbouring layers, which lie side by side: one contiguous row of couplings per spin, four
rows at a time. All numbers are whole, so fields never drift and the order of additions does not matter.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from statnn._compile import kernel
from statnn.montecarlo._lanes import exponential, uniform_lane

LANES = 16
"""Random numbers that one chain draws at once."""
_ONE = np.float32(1)


@kernel
def sweep_rows(
    plan: Any, weights: Any, fields: Any, scale: Any, spins: Any, state: Any, up: Any, flipped: Any, sweeps: int
) -> int:
    """Update every layer in the order of `plan`, `sweeps` times; return how many spins changed.

    A row of `plan` is (first spin, spins, first neighbour, neighbours, first weight). `fields` and `spins` have shape
    (N,); the couplings of spin i of a layer begin at `weights`[first weight + i neighbours]; `scale` is -2/T in the
    unit of fields. `up` and `flipped` are scratch for the widest layer.
    """
    changes = 0
    for _ in range(sweeps):
        for layer in range(plan.shape[0]):
            start, width, first, count, offset = plan[layer]
            here, there = fields[start : start + width], fields[first : first + count]
            own = spins[start : start + width]
            for base in range(0, width - LANES + 1, LANES):
                for lane in range(LANES):
                    odds = exponential(np.float32(here[base + lane]) * scale)
                    up[base + lane] = uniform_lane(state, lane) * (_ONE + odds) < _ONE
            base = width // LANES * LANES  # the rest is a loop of its own, so that this one has a known length
            for lane in range(width - base):
                odds = exponential(np.float32(here[base + lane]) * scale)
                up[base + lane] = uniform_lane(state, lane) * (_ONE + odds) < _ONE
            flips = 0
            for i in range(width):  # no branch: it would be mispredicted
                flipped[flips] = i
                flips += up[i] != (own[i] > 0)
            for k in range(flips):
                own[flipped[k]] = -own[flipped[k]]
            whole = flips // 4 * 4  # four rows per pass: fields are read and written once for all four
            for k in range(0, whole, 4):
                i0, i1, i2, i3 = flipped[k], flipped[k + 1], flipped[k + 2], flipped[k + 3]
                s0, s1, s2, s3 = own[i0] + own[i0], own[i1] + own[i1], own[i2] + own[i2], own[i3] + own[i3]
                row0 = weights[offset + i0 * count : offset + i0 * count + count]
                row1 = weights[offset + i1 * count : offset + i1 * count + count]
                row2 = weights[offset + i2 * count : offset + i2 * count + count]
                row3 = weights[offset + i3 * count : offset + i3 * count + count]
                for j in range(count):
                    there[j] = there[j] + s0 * row0[j] + s1 * row1[j] + s2 * row2[j] + s3 * row3[j]
            for k in range(whole, flips):
                i0 = flipped[k]
                s0 = own[i0] + own[i0]
                row0 = weights[offset + i0 * count : offset + i0 * count + count]
                for j in range(count):
                    there[j] = there[j] + s0 * row0[j]
            changes += flips
    return changes


@kernel
def bond_energy(block: Any, above: Any, below: Any, room: Any) -> float:
    """Return -Σ_ij above[i] block[i, j] below[j], row by row into `room`, which is fast without reordering sums."""
    for j in range(below.size):
        room[j] = 0.0
    for i in range(above.size):
        spin = above[i]
        for j in range(below.size):
            room[j] += spin * block[i, j]
    energy = 0.0
    for j in range(below.size):
        energy -= room[j] * below[j]
    return energy
