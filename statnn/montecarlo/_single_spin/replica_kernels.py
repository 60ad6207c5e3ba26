"""Single-spin updates of many replicas at once, replicas innermost: lane r of every vector is replica r.

All replicas visit the spins in the same order, so that the loop over them needs no branch and no gather: each coupling
is read once for all of them. The rules are those of `_spin_rules`. Subscripts are unsigned, which spares numba a test
for negative ones.

Contract of `heat_bath` and `metropolis`, for N spins and R = `LANES` replicas:

    indptr, indices   CSR structure of the couplings (N + 1,), (nnz,)
    couplings, fields (nnz,), (N,): both float32 or both float64, on the grid of `_grid.on_grid`
    spins             (N, LANES) int8, from `statnn.montecarlo._lanes.aligned`; changed in place
    beta              (LANES,) inverse temperature of every replica, of the type of the couplings
    rng               (4, LANES) uint32, from `statnn.montecarlo._lanes.lanes`; advanced in place
    sweeps            how often every spin is visited, in order 0 ... N - 1
    changed           (LANES,) int64, to which the number of spins that changed sign is added

Fewer than `LANES` replicas are padded with spare ones; more are cut in groups of `LANES`.
"""

from typing import Any

import numpy as np

from statnn._compile import helper, inlined, kernel
from statnn.montecarlo._lanes import fused, scratch, uniform_lane
from statnn.montecarlo._single_spin.rules import drawn, flips

LANES = 64
"""Replicas that walk together; fixed when kernels are compiled, so that loops over them become straight code."""

_row = scratch(LANES)
_state = scratch(4, LANES)
_TWO = np.float32(2)
_NEXT = np.uint64(1)


@inlined
def _sum_up(indptr: Any, indices: Any, couplings: Any, fields: Any, spins: Any, i: Any, field: Any) -> None:
    """Write the local field of spin i in every replica into field."""
    own = fields[i]
    for r in range(LANES):
        field[r] = own
    for k in range(np.uint64(indptr[i]), np.uint64(indptr[i + _NEXT])):
        coupling, j = couplings[k], np.uint64(indices[k])
        for r in range(LANES):
            field[r] = fused(coupling, spins[j, r], field[r])


@helper
def _copy_state(source: Any, target: Any) -> None:
    for r in range(LANES):
        for word in range(4):
            target[word, r] = source[word, r]


def _update(*, metropolis: bool) -> Any:
    """Return the kernel of a rule, which is a constant to the compiler."""

    @kernel
    def update(
        indptr: Any, indices: Any, couplings: Any, fields: Any, spins: Any, beta: Any, rng: Any, sweeps: int,
        changed: Any,
    ) -> None:  # fmt: skip
        field, scale, count, state = _row(couplings), _row(couplings), _row(np.int32), _state(np.uint32)
        _copy_state(rng, state)
        for r in range(LANES):
            scale[r] = -_TWO * beta[r]
        for _ in range(sweeps):
            for r in range(LANES):
                count[r] = 0
            for i in range(np.uint64(fields.size)):
                _sum_up(indptr, indices, couplings, fields, spins, i, field)
                if metropolis:
                    for r in range(LANES):
                        old = spins[i, r]
                        change = flips(np.float32(uniform_lane(state, r)), scale[r] * field[r] * np.float32(old))
                        count[r] += np.int32(change)
                        spins[i, r] = np.int8(-old) if change else old
                else:
                    for r in range(LANES):
                        new = drawn(np.float32(uniform_lane(state, r)), scale[r] * field[r])
                        count[r] += np.int32(new != spins[i, r])
                        spins[i, r] = new
            for r in range(LANES):
                changed[r] += count[r]
        _copy_state(state, rng)

    return update


heat_bath = _update(metropolis=False)
"""Draw every spin anew from its law given the others, `sweeps` times."""
metropolis = _update(metropolis=True)
"""Offer every spin to change sign, `sweeps` times."""


@kernel
def energies(indptr: Any, indices: Any, couplings: Any, fields: Any, spins: Any, energy: Any) -> None:
    """Write E of every replica into energy, shape (LANES,), each bond counted once; arguments in float64."""
    field, total = _row(np.float64), _row(np.float64)
    for r in range(LANES):
        total[r] = 0.0
    for i in range(np.uint64(fields.size)):
        own = fields[i]
        for r in range(LANES):
            field[r] = own
        for k in range(np.uint64(indptr[i]), np.uint64(indptr[i + _NEXT])):
            coupling, j = couplings[k], np.uint64(indices[k])
            if j >= i:  # rows are sorted: each bond stands with the later of its spins
                break
            for r in range(LANES):
                field[r] += coupling * np.float64(spins[j, r])
        for r in range(LANES):
            total[r] -= field[r] * np.float64(spins[i, r])
    for r in range(LANES):
        energy[r] = total[r]


@kernel
def magnetisations(spins: Any, total: Any) -> None:
    """Write Σ_i s_i of every replica into total, shape (LANES,) int64."""
    count = _row(np.int32)
    for r in range(LANES):
        count[r] = 0
    for i in range(np.uint64(spins.shape[0])):
        for r in range(LANES):
            count[r] += np.int32(spins[i, r])
    for r in range(LANES):
        total[r] = count[r]
