r"""The nearest layer of couplings and fields to a transfer matrix.

Both define a law of the two layers of a block, p(s', s) = T(s', s)/Z. The layer nearest in Kullback-Leibler divergence
KL(p | q) has the same ⟨s'_i⟩, ⟨s_j⟩ and ⟨s'_i s_j⟩; the search is a convex problem, solved by Newton's method from the
projection of ln T on these functions, which are orthogonal over all states.

With a 1 appended to the spins of either layer, couplings, fields and constant are one matrix: ln q = a Θ b^T.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy import special

from statnn._arguments import Floats
from statnn._notebook import Shown
from statnn.interaction._exact.states import spins
from statnn.rg._layers.weights import refuse_wide

STEPS = 200
TOLERANCE = 1e-11
LAST = 1e-6
"""Size of the last step; the remaining error is its square, or more where moments hardly determine couplings."""


@dataclass(frozen=True)
class Truncation(Shown):
    r"""Loss of a projection onto couplings and fields; zero where the family is closed.

    Parameters
    ----------
    divergence : float
        KL(p || q) in nats, between the law p(s', s) of the two layers of the block and its projection q.
    deviation : float
        Largest |ln T - ln T_projected| over all states.

    See Also
    --------
    BinaryLayer : holds it, as ``truncation``.
    """

    divergence: float = 0.0
    deviation: float = 0.0


NOTHING_LOST = Truncation()


class Nearest(NamedTuple):
    """Parameters of the nearest layer, and the loss."""

    couplings: Floats
    fields: Floats
    inputs: Floats
    constant: float
    truncation: Truncation


def nearest(log_weights: Floats) -> Nearest:
    """Return the layer that is nearest to weights T(s', s): see `BinaryLayer.compose`."""
    upper, lower = (states.bit_length() - 1 for states in log_weights.shape)
    refuse_wide(upper, lower)
    above, below = (np.hstack([spins(n), np.ones((2**n, 1))]) for n in (upper, lower))
    total = float(special.logsumexp(log_weights))
    target = log_weights - total
    theta = _nearest(above, below, target)
    logs = above @ theta @ below.T
    gap = target - logs + float(special.logsumexp(logs))
    lost = Truncation(max(0.0, float((np.exp(target) * gap).sum())), float(np.abs(gap).max()))
    return Nearest(theta[:-1, :-1], theta[:-1, -1], theta[-1, :-1], total - float(special.logsumexp(logs)), lost)


def _nearest(above: Floats, below: Floats, target: Floats) -> Floats:
    """Return Θ of the law nearest to exp(target), without constant."""
    wanted = above.T @ np.exp(target) @ below
    theta = above.T @ target @ below / target.size
    theta[-1, -1] = 0.0
    kept = theta.size - 1
    pairs = [np.einsum("si,sk->sik", ends, ends).reshape(len(ends), -1) for ends in (above, below)]

    def potential(at: Floats) -> float:
        return float(special.logsumexp(above @ at @ below.T) - (wanted * at).sum())

    value, slope = potential(theta), np.inf
    for _ in range(STEPS):
        logs = above @ theta @ below.T
        now = np.exp(logs - special.logsumexp(logs))
        means = above.T @ now @ below
        slope = float(np.abs(wanted - means).max())
        rows, columns = theta.shape
        second = (pairs[0].T @ now @ pairs[1]).reshape(rows, rows, columns, columns).swapaxes(1, 2)
        curvature = second.reshape(theta.size, theta.size) - np.outer(means, means)
        step = np.zeros(theta.size)
        step[:kept] = np.linalg.solve(curvature[:kept, :kept] + 1e-14 * np.eye(kept), (wanted - means).ravel()[:kept])
        change = step.reshape(theta.shape)
        if slope <= TOLERANCE:
            return theta + change if np.abs(change).max() < LAST else theta
        size = 1.0
        while (new := potential(theta + size * change)) > value + 1e-13 and size > 1e-10:
            size /= 2
        theta, value = theta + size * change, new
    raise ArithmeticError(
        f"the nearest couplings are not found in {STEPS} steps: moments differ by {slope:.3g} still (tolerance "
        f"{TOLERANCE}); the block is so strongly ordered that couplings are not determined: keep the transfer matrix"
    )
