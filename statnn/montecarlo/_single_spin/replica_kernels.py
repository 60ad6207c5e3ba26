"""Single-spin updates of many replicas at once, replicas innermost: lane r of every vector is replica r.

All replicas visit the spins in the same order, so that the loop over them needs no branch and no gather: each coupling
is read once for all of them. The rules are those of `rules`. Subscripts are unsigned, so that numba need not test for
negative ones.

Contract of `heat_bath` and `metropolis`, for N spins and G groups of `LANES` replicas, group after group:

    indptr, indices   CSR structure of the couplings (N + 1,), (nnz,)
    couplings, fields (nnz,), (N,): both float32 or both float64, on the grid of `_grid.on_grid`
    spins             (G, N, LANES) int8, from `statnn.montecarlo._lanes.aligned`; changed in place
    beta              (G, LANES) inverse temperature of every replica, of the type of the couplings
    rng               (G, 4, LANES) uint32, as from `statnn.montecarlo._lanes.lanes`; advanced in place
    sweeps            number of visits to every spin, in order 0 ... N - 1
    changed           (G, LANES) int64, to which the number of spins that changed sign is added

The last group is padded with spare replicas.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from statnn._compile import helper, inlined, kernel
from statnn.montecarlo._lanes import fused, scratch, uniform_lane
from statnn.montecarlo._single_spin.rules import drawn, flips

LANES = 32
"""Replicas that move together; fixed when kernels are compiled, so that loops over them can be unrolled.

Two groups take as long as one group of twice the size, but half a group takes more than half the time.
"""

_WHOLE = np.uint64(2**64 - LANES)
_row = scratch(LANES)
_state = scratch(4, LANES)
_NOTHING, _TWO = np.float32(0), np.float32(2)
_NEXT, _AFTER, _THIRD, _TOGETHER = np.uint64(1), np.uint64(2), np.uint64(3), np.uint64(4)


@inlined
def _sum_up(indptr: Any, indices: Any, couplings: Any, fields: Any, spins: Any, g: Any, i: Any, field: Any) -> None:
    """Write the local field of spin i in every replica of group g into field.

    Couplings are added four at a time, the last ones padded with zeros: a loop over replicas that does less work is
    unrolled by the compiler before it looks for vectors, and is then not vectorised.
    """
    own = fields[i]
    for r in range(LANES):
        field[r] = own
    end = np.uint64(indptr[i + _NEXT])
    for k0 in range(np.uint64(indptr[i]), end, _TOGETHER):
        last = end - _NEXT
        k1, k2, k3 = min(k0 + _NEXT, last), min(k0 + _AFTER, last), min(k0 + _THIRD, last)
        j0, j1, j2, j3 = np.uint64(indices[k0]), np.uint64(indices[k1]), np.uint64(indices[k2]), np.uint64(indices[k3])
        c0 = couplings[k0]
        none = _NOTHING * c0
        c1 = couplings[k1] if k1 > k0 else none
        c2 = couplings[k2] if k2 > k1 else none
        c3 = couplings[k3] if k3 > k2 else none
        for r in range(LANES):
            half = fused(c1, spins[g, j1, r], fused(c0, spins[g, j0, r], field[r]))
            field[r] = fused(c3, spins[g, j3, r], fused(c2, spins[g, j2, r], half))


@helper
def _copy_state(source: Any, target: Any) -> None:
    for r in range(LANES):
        for word in range(4):
            target[word, r] = source[word, r]


def _update(*, metropolis: bool) -> Any:
    """Return the kernel of a rule, which is a compile-time constant."""

    @kernel
    def update(
        indptr: Any, indices: Any, couplings: Any, fields: Any, spins: Any, beta: Any, rng: Any, sweeps: int,
        changed: Any,
    ) -> None:  # fmt: skip
        field, scale, count, state = _row(couplings), _row(couplings), _row(np.int32), _state(np.uint32)
        for g in range(np.uint64(spins.shape[0])):
            _copy_state(rng[g], state)
            for r in range(LANES):
                scale[r] = -_TWO * beta[g, r]
            for _ in range(sweeps):
                for r in range(LANES):
                    count[r] = 0
                for i in range(np.uint64(fields.size)):
                    _sum_up(indptr, indices, couplings, fields, spins, g, i, field)
                    if metropolis:
                        for r in range(LANES):
                            old = np.float32(spins[g, i, r])
                            change = flips(np.float32(uniform_lane(state, r)), scale[r] * field[r] * old)
                            field[r] = -old if change else old
                        for r in range(LANES):
                            count[r] += np.int32(np.int8(field[r]) != spins[g, i, r])
                            spins[g, i, r] = np.int8(field[r])
                    else:
                        for r in range(LANES):
                            new = drawn(np.float32(uniform_lane(state, r)), scale[r] * field[r])
                            count[r] += np.int32(new != spins[g, i, r])
                            spins[g, i, r] = new
                for r in range(LANES):
                    changed[g, r] += count[r]
            _copy_state(state, rng[g])

    return update


heat_bath = _update(metropolis=False)
"""Draw every spin from its law given the others, `sweeps` times."""
metropolis = _update(metropolis=True)
"""Propose a sign change to every spin, `sweeps` times."""


@inlined
def _width(spins: Any) -> Any:
    """Return `LANES`, hidden from the compiler, so that it does not unroll loops of little work."""
    return np.uint64(spins.shape[2]) & _WHOLE


@kernel
def energies(indptr: Any, indices: Any, couplings: Any, fields: Any, spins: Any, energy: Any) -> None:
    """Write E of every replica into energy, shape (G, LANES), each bond counted once; arguments in float64."""
    width = _width(spins)
    field, total = _row(np.float64), _row(np.float64)
    for g in range(np.uint64(spins.shape[0])):
        for r in range(width):
            total[r] = 0.0
        for i in range(np.uint64(fields.size)):
            own = fields[i]
            for r in range(width):
                field[r] = own
            for k in range(np.uint64(indptr[i]), np.uint64(indptr[i + _NEXT])):
                coupling, j = couplings[k], np.uint64(indices[k])
                if j >= i:  # rows are sorted: each bond is counted at the later of its spins
                    break
                for r in range(width):
                    field[r] += coupling * np.float64(spins[g, j, r])
            for r in range(width):
                total[r] -= field[r] * np.float64(spins[g, i, r])
        for r in range(width):
            energy[g, r] = total[r]


@kernel
def magnetisations(spins: Any, total: Any) -> None:
    """Write Σ_i s_i of every replica into total, shape (G, LANES) int64."""
    width = _width(spins)
    count = _row(np.int32)
    for g in range(np.uint64(spins.shape[0])):
        for r in range(width):
            count[r] = 0
        for i in range(np.uint64(spins.shape[1])):
            for r in range(width):
                count[r] += np.int32(spins[g, i, r])
        for r in range(width):
            total[g, r] = count[r]
