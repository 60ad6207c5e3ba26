r"""The nearest noisy layer to a transfer operator: the least KL divergence rate over its stationary law."""

from __future__ import annotations

import math
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np

from statnn._arguments import Floats
from statnn.network import Activation
from statnn.rg._flow import FlowEnd
from statnn.rg._layers.operator import StationaryLaw, TransferOperator
from statnn.rg._layers.quadrature import breaks
from statnn.rg.wide._averages import averages

LEAST_SIGNAL = 1e-7
"""Least variation of the mean of h' with h, in deviations of h': below it a projection would fit rounding."""
HIGHEST = 1e5
"""Largest height of a fitted activation: beyond it the fit uses the tail of σ, and no layer but a limit is nearest."""
ROUNDING = 1e-13
"""Rounding of means of h' on nodes, in deviations of h'; layers that differ by less are equally near."""
EQUAL = 1e-6
"""Largest relative difference of mean squares of fits that are equally near: searches towards one limit end apart."""
PER_PANEL = 6
"""Nodes of an operator per panel, which gets twice as many nodes."""
MOST_TRIALS = 3000
"""Most trials of a fit, for those that creep along a valley; others take some twenty."""

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


def _determined(attempt: Any) -> bool:
    """Return whether a search ended, and layers beside its end differ from it by more than rounding."""
    relative = attempt.jac * [abs(attempt.x[0]), *np.maximum(np.abs(attempt.x[1:]), 1.0)]
    return bool(attempt.status > 0 and np.linalg.svd(relative, compute_uv=False)[-1] > ROUNDING)


def _starts(sigma: Activation, means: _Means, spread: float, *, scaled: bool) -> list[tuple[float, float]]:
    """Return the best (v, b) of a grid of rising, and of one of falling, fields v x/spread + b."""
    centre = float(means.p @ means.x) / spread
    p, x, g = (part[:: max(1, means.x.size // 100)] for part in (means.p, means.x, means.g))  # enough for a start
    steep, middle = np.meshgrid(np.geomspace(0.25, 5.0, 20), np.linspace(-4.0, 4.0, 15))
    starts = []
    for v in (steep.ravel(), -steep.ravel()):
        b = middle.ravel() - v * centre
        output = sigma(np.outer(v, x / spread) + b[:, None])
        norm = output**2 @ p
        height = np.maximum(0.0, output @ (p * g)) / np.where(norm > 0, norm, np.inf)
        best = int(np.argmax(height**2 * norm))
        scale = 1.0 if scaled else height[best]
        starts.append((float(scale * v[best]), float(scale * b[best])))
    return starts


def projected(
    sigma: Activation,
    exact: TransferOperator,
    law: StationaryLaw,
    before: tuple[float, float],
    first: tuple[float, float] | None = None,
) -> Row | FlowEnd:
    """Return (w, b, ε) in units of A, KL divergence rate and deviation; or the reason why there is no projection.

    `law` is the stationary law of one layer and of a block. `before` are w and b of the repeated layer, where the
    search begins; `first` those of the first layer of the block, if it is a different one.
    """
    p = law.weights * law.density
    x, P = exact.nodes, exact.probabilities
    g = x @ P
    within = (x - law.mean) ** 2 @ P - (g - law.mean) ** 2
    spread, signal = math.sqrt(law.variance), math.sqrt(float(p @ (g - p @ g) ** 2))
    if signal < LEAST_SIGNAL * spread:
        return FlowEnd.DISORDERED
    bends = breaks(sigma, *(before if first is None else first))
    means = _Means(x, law.density, law.weights, g, sigma.breaks, bends)
    fitted = _fit(sigma, means, before, spread)
    if fitted is None:
        return FlowEnd.UNLIKE
    A, w, b = fitted
    p_there, x_there, g_there = means.around(w, b)
    off = float(p_there @ (g_there - A * sigma(w * x_there + b)) ** 2)
    noise = math.sqrt(float(p @ within) + off)
    logs = np.log(np.where(P > 0, P, 1) / exact.weights[:, None])
    entropy = -float((P * logs).sum(axis=0) @ p)
    divergence = max(0.0, math.log(2 * math.pi * math.e * noise**2) / 2 - entropy)  # negative only by rounding
    return np.array([A * w, b, noise / A]), divergence, math.sqrt(off) / noise


class _Means:
    """Means g of h' given h under a law p, on panels that also end where the fitted layer is not smooth.

    On fixed nodes, sums over a moving kink would have a spurious minimum between any two nodes, and lose digits where
    the slope jumps. The mean itself bends where the first layer does.
    """

    def __init__(
        self, x: Floats, density: Floats, weights: Floats, g: Floats, kinks: tuple[float, ...], bends: tuple[float, ...]
    ) -> None:
        self.p, self.x, self.g = weights * density, x, g
        self._kinks = np.array(kinks)
        self._bends = np.array([bend for bend in bends if x[0] < bend < x[-1]])
        self._edges = np.append(np.linspace(x[0], x[-1], x.size // PER_PANEL + 2), self._bends)
        self._nodes, self._weights = np.polynomial.legendre.leggauss(2 * PER_PANEL)
        self._density = density

    @cached_property
    def _splines(self) -> list[Any]:
        """Splines of density and mean between bends."""
        from scipy.interpolate import make_interp_spline

        at = np.searchsorted(self.x, self._bends)
        parts = zip(np.split(self.x, at), np.split(np.stack([self._density, self.g], axis=1), at), strict=True)
        return [make_interp_spline(x, values, k=min(5, x.size - 1)) for x, values in parts]

    def around(self, w: float, b: float) -> tuple[Floats, Floats, Floats]:
        """Return p, x and g on the nodes for σ(w x + b)."""
        if not self._kinks.size or w == 0:
            return self.p, self.x, self.g
        kinks = np.clip((self._kinks - b) / w, self.x[0], self.x[-1])
        edges = np.sort(np.append(self._edges, kinks))
        half = np.diff(edges)[:, None] / 2
        x = (edges[:-1, None] + half + half * self._nodes).ravel()
        parts = zip(self._splines, np.split(x, np.searchsorted(x, self._bends)), strict=True)
        density, g = np.concatenate([spline(part) for spline, part in parts]).T
        return np.maximum(density, 0.0) * (half * self._weights).ravel(), x, g


def _fit(
    sigma: Activation, means: _Means, before: tuple[float, float], spread: float
) -> tuple[float, float, float] | None:
    """Return the (A, w, b) that minimise the mean square of g - A σ(w x + b) over the law p, or None.

    None if the best fit is hardly better than a constant, or does not exist: the search leads to an unbounded height,
    or along layers that differ only by rounding, as towards a straight line or a kink.
    """
    from scipy.optimize import least_squares

    p, x, g = means.p, means.x, means.g
    size = math.sqrt(float(p @ g**2))
    odd = before[1] == 0 and bool(np.abs(g + g[::-1]).max() <= 1e-9 * np.abs(g).max() + ROUNDING * spread)
    scaled = not averages(sigma).homogeneous
    slope = float((p * x) @ g / (p @ x**2))
    w = before[0] * math.hypot(1, before[0]) if scaled and before[0] > 0 else max(abs(slope), 1e-12)
    free = np.array([True, not odd])

    def parts(theta: Floats) -> tuple[float, Floats, Floats, tuple[Floats, Floats, Floats]]:
        """Return the best A for given w and b, the only search variables; the field; its activation; and p, x and g."""
        v, b = theta if not odd else (theta[0], before[1])
        p, x, g = there = means.around(float(v) / spread, float(b))
        field = v * x / spread + b
        output = sigma(field)
        norm = float(p @ output**2) if scaled else 0.0
        return (max(0.0, float((p * g) @ output) / norm) if norm > 0 else float(not scaled)), field, output, there

    def gaps(theta: Floats) -> Floats:
        A, _, output, (p, _, g) = parts(theta)
        return np.asarray(np.sqrt(p) * (g - A * output) / size)

    def slopes(theta: Floats) -> Floats:
        """Return the derivatives of the gaps, with A at its best: the part along the output of σ is projected out."""
        A, field, output, (p, x, _) = parts(theta)
        root = np.sqrt(p)
        bent = A * sigma.derivative(field)
        columns = root * np.array([bent * x / spread, bent])[free]
        if scaled and A > 0:
            unit = root * output / math.sqrt(float(p @ output**2))
            columns -= (columns @ unit)[:, None] * unit
        return np.asarray(-columns.T / size)

    starts = [(w * spread, before[1])]  # in the units of fields of this layer, which the grid does not know
    if not odd:
        starts += _starts(sigma, means, spread, scaled=scaled)
    tried = [
        least_squares(
            gaps, np.array(start)[free], slopes, method="lm", xtol=1e-15, ftol=1e-15, gtol=1e-15, max_nfev=MOST_TRIALS
        )
        for start in starts
    ]
    best = min(tried, key=lambda attempt: attempt.cost)
    equal = [attempt for attempt in tried if attempt.cost <= best.cost * (1 + EQUAL)]
    constant = 2 * best.cost * size**2 > 0.99 * float(p @ (g - p @ g) ** 2)
    A, v = parts(best.x)[0], float(best.x[0])
    if constant or not all(0 < parts(attempt.x)[0] < HIGHEST and _determined(attempt) for attempt in equal):
        return None
    return A, v / spread, float(best.x[-1]) if not odd else before[1]
