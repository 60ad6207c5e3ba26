"""Numerical derivatives that are needed often, interpolated between points where they were computed.

At large fields, where panels are wide, a polynomial through values of the function is differentiated instead: 64
values replace the 24 or more that each of twenty slopes takes.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, cached_property
from typing import TypeAlias

import numpy as np
from numpy.polynomial import chebyshev
from numpy.typing import NDArray

from statnn._arguments import Floats
from statnn.network._differences import Numerical, Values, evaluate

NODES = 20
"""Chebyshev points per panel: enough for singularities that lie no nearer than half a panel's width."""
WIDTH, EQUAL, HALVINGS, WIDENING, FARTHEST = 0.25, 128, 60, 1 / 32, 1e6
"""Panels are `WIDTH` wide up to `EQUAL` widths from zero, then widen with the field up to `FARTHEST`; towards zero they
halve, so that a derivative which vanishes there as a power keeps its digits."""
DIGITS = 1e-12
"""Largest last coefficients of a panel, relative to |σ| and |σ'| at its end towards zero, where Gaussian weights are
largest."""
ROUNDING = 64
"""Plus this many roundings of the field: the function itself rounds, and high coefficients feel it most."""
TOWARDS_ZERO = 3
"""Points of a panel that stand for this end; at a single one, both may vanish."""
HALVINGS_TRIED, NARROWEST = (0, 2, 4, 6, 8, 10), 2.0**-6
"""Halvings tried on panels, to parts no narrower than this: an endless wave oscillates many times in one."""
VALUES = 64
"""Points of the polynomial through values; its unused coefficients must vanish like the last ones."""
_GRID = 2.0**16
"""Points in [-1, 1] are multiples of one over this: fields are then not rounded, which a steep function would feel."""

Fit: TypeAlias = tuple[Floats, Floats, Floats, Floats]
"""Chebyshev coefficients of the slope, those that must vanish, the slope and |σ| at points: (panels, parts, ...)."""


class Tabulated:
    """A numerical derivative to the same 1e-10, or to the rounding of the field where that is more, in few operations.

    Fields lie in fixed panels, each with a polynomial through Chebyshev points that is made when a field first falls
    there; results do not depend on the order in which fields come. A wide panel is halved until its parts are
    smooth. Where a panel holds a kink, or no parts are smooth, the derivative is computed for each field.
    """

    def __init__(self, derivative: Numerical) -> None:
        self._derivative = derivative
        self._panels: dict[int, Floats | None] = {}

    @cached_property
    def _edges(self) -> Floats:
        inner = WIDTH * 2.0 ** -np.arange(HALVINGS, 0, -1)
        near = WIDTH * np.arange(1, EQUAL + 1)
        far = near[-1] * (1 + WIDENING) ** np.arange(1, int(np.log(FARTHEST / near[-1]) / np.log1p(WIDENING)))
        far = WIDTH * np.round(far / WIDTH)
        positive = np.concatenate([inner, near, far])
        return np.concatenate([-positive[::-1], positive])

    def __call__(self, fields: Values) -> Values:
        given = np.asarray(fields)
        h = given.astype(float).ravel()
        if not h.size:
            return h.reshape(given.shape)
        at = np.searchsorted(self._edges, h, side="right") - 1
        panels, place = np.unique(at, return_inverse=True)
        self._learn([panel for panel in panels.tolist() if panel not in self._panels])
        tables = [self._panels[panel] for panel in panels.tolist()]
        smooth = np.array([table is not None for table in tables])
        table = [np.zeros((1, NODES)) if rows is None else rows for rows in tables]
        parts = np.array([len(rows) for rows in table])
        last = self._edges.size - 1
        left, right = self._edges[np.clip(panels, 0, last)], self._edges[np.clip(panels + 1, 0, last)]
        with np.errstate(all="ignore"):
            x = (h - left[place]) * (parts / np.where(smooth, right - left, 1.0))[place]
            part = np.where(smooth[place], np.clip(np.floor(x), 0, parts[place] - 1), 0.0)
            row = (np.cumsum(parts) - parts)[place] + part.astype(np.int64)
            slope = _clenshaw(np.concatenate(table), row, 2 * (x - part) - 1)
        apart = ~smooth[place]
        if apart.any():
            slope[apart] = self._derivative(h[apart])
        return slope.reshape(given.shape).astype(given.dtype if given.dtype.kind == "f" else np.float64)

    def _learn(self, panels: list[int]) -> None:
        """Find the tables of panels: Chebyshev coefficients of equal parts, or None if no parts are smooth."""
        self._panels.update(dict.fromkeys(panels))
        left = np.array([panel for panel in panels if self._may_be_smooth(panel)], dtype=np.int64)
        near, wide = left[self._width(left) <= WIDTH], left[self._width(left) > WIDTH]
        rough = self._halved(near, NODES, self._of_slopes)
        self._halved(np.append(rough[self._width(rough) == WIDTH], wide), VALUES, self._of_values)

    def _width(self, panels: NDArray[np.int64]) -> Floats:
        return np.asarray(self._edges[panels + 1] - self._edges[panels])

    def _halved(
        self, panels: NDArray[np.int64], points: int, fitted: Callable[[Floats, Floats], Fit]
    ) -> NDArray[np.int64]:
        """Keep the coefficients of panels in the fewest parts that are smooth; return the panels that have none."""
        left = panels
        for halvings in HALVINGS_TRIED:
            some = left[(self._width(left) >= NARROWEST * 2**halvings) | (halvings == 0)]
            smooth = some[self._fit(some, 2**halvings, points, fitted)]
            left = np.setdiff1d(left, smooth)
        return left

    def _may_be_smooth(self, panel: int) -> bool:
        if not 0 <= panel < self._edges.size - 1:
            return False
        left, right = self._edges[panel : panel + 2]
        # not nearer to zero than any panel
        return bool(left * right >= 0 and not any(left <= kink <= right for kink in self._derivative.kinks))

    def _fit(
        self, panels: NDArray[np.int64], parts: int, points: int, fitted: Callable[[Floats, Floats], Fit]
    ) -> NDArray[np.bool_]:
        """Keep the coefficients of panels, in parts, where they describe the slope; return for which panels they do."""
        if not panels.size:
            return np.zeros(0, dtype=bool)
        begin, end = self._edges[panels][:, None, None], self._edges[panels + 1][:, None, None]
        within = (np.arange(parts)[:, None] + (1 + _points(points)) / 2) / parts
        fields = begin + (end - begin) * within
        with np.errstate(over="ignore", invalid="ignore"):  # parts that overflow are not accepted
            coefficients, last, slope, values = fitted(fields, (end - begin) / parts)
        allowed = DIGITS + ROUNDING * np.finfo(float).eps * np.abs(fields).max(axis=(1, 2))
        size = np.maximum(np.abs(slope), values)  # fields decrease with the number of the point
        size = np.where(begin >= 0, size[..., ::-1], size)
        scale = size[..., :TOWARDS_ZERO].max(axis=2)
        small = np.abs(last).max(axis=2) <= allowed[:, None] * scale
        smooth = (small & np.isfinite(size).all(axis=2)).all(axis=1)
        self._panels.update(zip(panels[smooth].tolist(), coefficients[smooth], strict=True))
        return np.asarray(smooth)

    def _of_slopes(self, fields: Floats, _: Floats) -> Fit:
        flat, missed = self._derivative.attempt(fields.ravel())
        slope = np.where(missed, np.nan, flat).reshape(fields.shape)
        coefficients = slope @ _coefficients(NODES)
        return coefficients, coefficients[..., -3:], slope, np.abs(self._values(fields))

    def _of_values(self, fields: Floats, width: Floats) -> Fit:
        values = self._values(fields)
        terms = values @ _coefficients(VALUES)
        rounding = np.finfo(float).eps * np.abs(values).max(axis=2, keepdims=True)
        terms = np.where(np.abs(terms) <= 4 * rounding, 0.0, terms) * (2 / width)  # a plateau has no slope at all
        coefficients = np.asarray(chebyshev.chebder(terms[..., : NODES + 1], axis=2), dtype=float)
        slope = np.asarray(coefficients @ chebyshev.chebvander(_points(VALUES), NODES - 1).T, dtype=float)
        return coefficients, (2 * np.arange(VALUES) * terms)[..., NODES - 2 :], slope, np.abs(values)

    def _values(self, fields: Floats) -> Floats:
        return evaluate(self._derivative.function, fields.ravel(), "").astype(float).reshape(fields.shape)


@cache
def _points(count: int) -> Floats:
    """Return Chebyshev points in [-1, 1], decreasing, rounded to the grid."""
    return np.asarray(np.round(np.cos(np.pi * (np.arange(count) + 0.5) / count) * _GRID) / _GRID)


@cache
def _coefficients(count: int) -> Floats:
    """Return the matrix that turns values at these points into Chebyshev coefficients, as values @ matrix."""
    return np.asarray(np.linalg.inv(chebyshev.chebvander(_points(count), count - 1)).T)


def _clenshaw(table: Floats, place: Values, x: Floats) -> Floats:
    """Return the sums of Chebyshev polynomials at x, each with the coefficients of its own row."""
    last, before = np.zeros_like(x), np.zeros_like(x)
    for k in range(NODES - 1, 0, -1):
        last, before = 2 * x * last - before + table[place, k], last
    return np.asarray(x * last - before + table[place, 0])
