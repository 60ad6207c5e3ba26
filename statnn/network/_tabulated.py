"""Numerical derivatives that are asked for often: interpolated between points where they were found."""

from functools import cached_property

import numpy as np

from statnn._arguments import Floats
from statnn.network._differences import Numerical, Values

NODES = 20
"""Chebyshev points a panel: enough for singularities that lie no nearer than half a panel's width."""
WIDTH, EQUAL, HALVINGS, WIDENING, FARTHEST = 0.25, 128, 60, 1 / 32, 1e6
"""Panels are that wide up to 128 widths from zero, then widen with the field, and end; towards zero they halve, so that
a derivative which vanishes there as a power keeps its digits."""
DIGITS = 1e-12
"""What the last coefficients of a panel may be, beside |σ| and |σ'| there."""


class Tabulated:
    """A numerical derivative to the same 1e-10, a few operations a field instead of dozens of values of the function.

    Fields lie in fixed panels, each with a polynomial through Chebyshev points that is made when a field first falls
    there; what is found does not depend on the order in which fields come. Where a panel holds a kink, or the function
    is not smooth on its scale, the derivative is computed for each field.
    """

    def __init__(self, derivative: Numerical) -> None:
        self._derivative = derivative
        self._panels: dict[int, Floats | None] = {}

    @cached_property
    def _edges(self) -> Floats:
        inner = WIDTH * 2.0 ** -np.arange(HALVINGS, 0, -1)
        near = WIDTH * np.arange(1, EQUAL + 1)
        far = near[-1] * (1 + WIDENING) ** np.arange(1, int(np.log(FARTHEST / near[-1]) / np.log1p(WIDENING)))
        positive = np.concatenate([inner, near, far])
        return np.concatenate([-positive[::-1], positive])

    def __call__(self, fields: Values) -> Values:
        given = np.asarray(fields)
        h = given.astype(float).ravel()
        at = np.searchsorted(self._edges, h, side="right") - 1
        panels, place = np.unique(at, return_inverse=True)
        tables = [self._panel(int(panel)) for panel in panels]
        smooth = np.array([table is not None for table in tables])
        table = np.array([np.zeros(NODES) if one is None else one for one in tables])
        last = self._edges.size - 1
        left, right = self._edges[np.clip(panels, 0, last)], self._edges[np.clip(panels + 1, 0, last)]
        with np.errstate(all="ignore"):
            x = (2 * h - (left + right)[place]) / np.where(smooth, right - left, 1.0)[place]
            slope = _clenshaw(table, place, x)
        apart = ~smooth[place]
        if apart.any():
            slope[apart] = self._derivative(h[apart])
        return slope.reshape(given.shape).astype(given.dtype if given.dtype.kind == "f" else np.float64)

    def _panel(self, panel: int) -> Floats | None:
        if panel not in self._panels:
            self._panels[panel] = self._fitted(panel)
        return self._panels[panel]

    def _fitted(self, panel: int) -> Floats | None:
        """Return Chebyshev coefficients of the derivative in a panel, or None where they do not describe it."""
        if not 0 <= panel < self._edges.size - 1:
            return None
        left, right = self._edges[panel : panel + 2]
        if left * right < 0:  # nearer to zero than any panel
            return None
        if any(left <= kink <= right for kink in self._derivative.kinks):
            return None
        angles = np.pi * (np.arange(NODES) + 0.5) / NODES
        fields = (left + right) / 2 + (right - left) / 2 * np.cos(angles)
        try:
            slope = np.asarray(self._derivative(fields), dtype=float)
            values = np.abs(np.asarray(self._derivative.function(fields), dtype=float))
        except ValueError:  # no derivative at one of them
            return None
        found = 2 / NODES * np.cos(np.arange(NODES)[:, None] * angles) @ slope
        found[0] /= 2
        scale = max(float(np.abs(slope).max()), float(values.max()))
        return found if np.abs(found[-3:]).max() <= DIGITS * scale else None


def _clenshaw(table: Floats, place: Values, x: Floats) -> Floats:
    """Return the sums of Chebyshev polynomials at x, each with the coefficients of its own row."""
    one, two = np.zeros_like(x), np.zeros_like(x)
    for k in range(NODES - 1, 0, -1):
        one, two = 2 * x * one - two + table[place, k], one
    return np.asarray(x * one - two + table[place, 0])
