r"""The nearest noisy layer to a transfer operator: the least KL divergence rate over its stationary law."""

import math
from typing import TypeAlias

import numpy as np

from statnn._arguments import Floats
from statnn.network import Activation
from statnn.rg._flow import FlowEnd
from statnn.rg._layers.operator import StationaryLaw, TransferOperator

LEAST_SIGNAL = 1e-7
"""Of h' given h, in deviations of h': with less a projection fits rounding."""
HIGHEST = 1e5
"""Of the height of a fitted activation: beyond, its tail is fitted, and only a limit is nearest."""
ROUNDING = 1e-13
"""Of means of h' on nodes, in deviations of h'; layers that differ by less are equally near."""
MOST_TRIALS = 3000
"""Of a fit that creeps along a valley; others take some twenty."""

Row: TypeAlias = tuple[Floats, float, float]
"""(w, b, ε) in units of A, KL divergence rate, and deviation."""


def linear_rows(w: float, b: float, noise: float, doublings: int) -> tuple[list[Row], FlowEnd]:
    """Return the trajectory of w → w², b → (1 + w) b, ε² → (1 + w²) ε² of the identity, and how it ends."""
    rows: list[Row] = [(np.array([w, b, noise]), 0.0, 0.0)]
    for _ in range(doublings):
        if w * w < LEAST_SIGNAL:
            return rows, FlowEnd.DISORDERED
        w, b, noise = w * w, (1 + w) * b, math.hypot(1, w) * noise
        rows.append((np.array([w, b, noise]), 0.0, 0.0))
    return rows, FlowEnd.COMPLETE


def projected(
    sigma: Activation, exact: TransferOperator, law: StationaryLaw, before: tuple[float, float]
) -> Row | FlowEnd:
    """Return (w, b, ε) in units of A, KL divergence rate and deviation; or why there are none.

    `law` is what one layer and a block of them leave as it is. `before` are w and b of the layer that was repeated,
    where the search begins.
    """
    p = law.weights * law.density
    x, P = exact.nodes, exact.probabilities
    g = x @ P
    within = (x - law.mean) ** 2 @ P - (g - law.mean) ** 2
    spread, signal = math.sqrt(law.variance), math.sqrt(float(p @ (g - p @ g) ** 2))
    if signal < LEAST_SIGNAL * spread:
        return FlowEnd.DISORDERED
    fitted = _fit(sigma, p, x, g, before, spread)
    if fitted is None:
        return FlowEnd.UNLIKE
    A, w, b = fitted
    off = float(p @ (g - A * sigma(w * x + b)) ** 2)
    noise = math.sqrt(float(p @ within) + off)
    logs = np.log(np.where(P > 0, P, 1) / exact.weights[:, None])
    entropy = -float((P * logs).sum(axis=0) @ p)
    divergence = max(0.0, math.log(2 * math.pi * math.e * noise**2) / 2 - entropy)  # below zero by rounding alone
    return np.array([A * w, b, noise / A]), divergence, math.sqrt(off) / noise


def _fit(
    sigma: Activation, p: Floats, x: Floats, g: Floats, before: tuple[float, float], spread: float
) -> tuple[float, float, float] | None:
    """Return (A, w, b) of the least mean square of g - A σ(w x + b) over the law p, or None.

    None where it is hardly nearer than a constant, or none is nearest: the way leads to a height without bound, or
    along layers that differ by rounding alone, as towards a straight line or a kink.
    """
    from scipy.optimize import least_squares

    root, size = np.sqrt(p), math.sqrt(float(p @ g**2))
    odd = before[1] == 0 and bool(np.abs(g + g[::-1]).max() <= 1e-9 * np.abs(g).max() + ROUNDING * spread)
    scaled = not sigma.homogeneous
    slope = float((p * x) @ g / (p @ x**2))
    w = before[0] * math.hypot(1, before[0]) if scaled and before[0] > 0 else max(abs(slope), 1e-12)
    free = np.array([True, not odd])

    def parts(theta: Floats) -> tuple[float, Floats, Floats]:
        """Return the A that is best for w and b, which alone are searched for, the field and its activation."""
        v, b = theta if not odd else (theta[0], before[1])
        field = v * x / spread + b
        output = sigma(field)
        norm = float(p @ output**2) if scaled else 0.0
        return (max(0.0, float((p * g) @ output) / norm) if norm > 0 else float(not scaled)), field, output

    def gaps(theta: Floats) -> Floats:
        A, _, output = parts(theta)
        return np.asarray(root * (g - A * output) / size)

    def slopes(theta: Floats) -> Floats:
        """Return the part of the slopes that A cannot follow."""
        A, field, output = parts(theta)
        bent = A * sigma.derivative(field)
        columns = root * np.array([bent * x / spread, bent])[free]
        if scaled and A > 0:
            unit = root * output / math.sqrt(float(p @ output**2))
            columns -= (columns @ unit)[:, None] * unit
        return np.asarray(-columns.T / size)

    tried = []
    for b in [before[1]] if odd else [before[1], 2 * before[1], 0.0]:
        start = np.array([w * spread, b])[free]
        tried.append(
            least_squares(gaps, start, slopes, method="lm", xtol=1e-15, ftol=1e-15, gtol=1e-15, max_nfev=MOST_TRIALS)
        )
    best = min(tried, key=lambda attempt: attempt.cost)
    A, v = parts(best.x)[0], float(best.x[0])
    relative = best.jac * [abs(v), *np.maximum(np.abs(best.x[1:]), 1.0)]
    determined = best.status > 0 and np.linalg.svd(relative, compute_uv=False)[-1] > ROUNDING
    constant = 2 * best.cost * size**2 > 0.99 * float(p @ (g - p @ g) ** 2)
    if constant or not determined or not 0 < A < HIGHEST:
        return None
    return A, v / spread, float(best.x[-1]) if not odd else before[1]
