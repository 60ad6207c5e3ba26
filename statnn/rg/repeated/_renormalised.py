r"""The functional renormalisation carried out on Chebyshev polynomials: two layers become one, any number of times.

Written as :math:`f(y) = y\,(1 - y^{z-1} p(y))` a layer stays critical by construction: neither rounding nor truncation
can excite the relevant directions, which would grow by 2 and 2α per step. Composition avoids subtracting y from f(y),

.. math:: p'(x) = \tfrac12 p_1 + \bigl(\tfrac{y_2}{x}\bigr)^{z-1} p_2 - \tfrac12 x^{z-1}
                  \bigl(\tfrac{y_2}{x}\bigr)^{z-1} p_1 p_2, \qquad y_1 = x/\alpha,\; y_2 = f(y_1),\; p_i = p(y_i).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from statnn._arguments import Floats, at_least, positive, shaped, whole
from statnn._by_value import ByValue
from statnn.rg.repeated._analysis import analysed
from statnn.rg.repeated._fixed_function import FixedFunction
from statnn.rg.repeated._layer import RepeatedLayer

SERIES_BELOW = {True: 0.25, False: 0.05}
"""Below this p comes from the Taylor series, for known activations and others, since y - f(y) loses digits there."""
MISSED = 0.01
"""Share of a signal that polynomials may miss at the extent."""


@dataclass(frozen=True, eq=False, repr=False)
class RenormalisedLayer(ByValue):
    r"""The layer :math:`T^n[f](x) = \alpha^n f^{2^n}(x/\alpha^n)`, about its fixed point; made by `renormalise`.

    Parameters
    ----------
    times : int
        n; it consists of 2^n layers of the original.
    extent : float
        The layer is known for 0 <= x <= extent, on the side from which signals come in.
    fixed : FixedFunction
        f*, to which it tends.
    coefficients : ndarray, shape (nodes,)
        Chebyshev coefficients of p on [0, extent].
    truncation : float
        Largest of the last four coefficients over all steps, divided by the largest: the error of p.

    See Also
    --------
    renormalise : makes it.
    FixedFunction : its limit.

    Examples
    --------
    >>> from statnn.rg import RepeatedLayer, renormalise
    >>> steps = renormalise(RepeatedLayer("tanh"), 20)
    >>> round(steps[19].distance() / steps[20].distance(), 5)
    2.0
    """

    times: int
    extent: float
    fixed: FixedFunction
    coefficients: Floats
    truncation: float

    def __call__(self, x: ArrayLike) -> Any:
        """Return T^n[f](x) - x*, measured from the fixed point.

        Parameters
        ----------
        x : array_like
            Numbers in [0, extent], any shape.

        Raises
        ------
        ValueError
            If a number lies outside.
        """
        at = at_least(x, "x", minimum=0.0, why="the layer is known on the side from which signals come in")
        if (at > self.extent).any():
            raise ValueError(f"x = {at[at > self.extent].flat[0]} is beyond the extent {self.extent:g} of this layer")
        return shaped(at * (1.0 - at ** (self.fixed.order - 1) * _value(self.coefficients, at, self.extent)), x)

    def distance(self) -> float:
        """Return the largest distance of T^n[f] from f* on 513 points of [0, extent]; at large n a step halves it."""
        x = self.extent * np.sin(np.linspace(0.0, np.pi / 2, 513)) ** 2
        return float(np.abs(self(x) - self.fixed(x)).max())


def renormalise(
    layer: RepeatedLayer, times: int = 1, *, extent: float = 1.0, nodes: int = 48
) -> tuple[RenormalisedLayer, ...]:
    r"""Return the layer composed with itself and rescaled 0, 1, ..., n times, :math:`T[f](x) = \alpha f(f(x/\alpha))`.

    The sequence tends to f* at the rate 1/2 per step: of the directions in which a critical layer may differ from f*
    all but one are changes of coordinate, and that one, x^(2z-1), has eigenvalue 1/2. A layer with a term x^k, z < k <
    2z-1, converges at the slower rate 2^((z-k)/(z-1)) of that change of coordinate.

    Parameters
    ----------
    layer : RepeatedLayer
        A critical layer.
    times : int
        n, at most 200; the last layer then stands for 2^n.
    extent : float
        Largest x, in units of the rescaled signal; the fixed point must attract signals from there.
    nodes : int
        Number of Chebyshev nodes, 8 ... 512.

    Returns
    -------
    tuple of RenormalisedLayer
        times + 1 of them. Relative error of p about `truncation`, or 1e-14 if that is smaller.

    Raises
    ------
    ValueError
        Unless the layer is critical and the extent lies within reach of its fixed point, and of the nodes.

    See Also
    --------
    FixedFunction : the limit.
    flow : for layers with noise.

    Examples
    --------
    >>> from statnn.rg import RepeatedLayer
    >>> steps = renormalise(RepeatedLayer("tanh"), 20)
    >>> round(steps[19].distance() / steps[20].distance(), 5)
    2.0
    """
    count = whole(times, "times", minimum=0, maximum=200)
    number = whole(nodes, "nodes", minimum=8, maximum=512)
    if not isinstance(layer, RepeatedLayer):
        raise TypeError(
            f"layer is a {type(layer).__name__}; pass a RepeatedLayer, or RepeatedLayer.critical(activation)"
        )
    reach = positive(extent, "extent", why="it is the largest signal that is looked at")
    fixed = layer.leading_form().fixed_function()
    points = 0.5 * reach * (1.0 + np.cos(np.pi * (np.arange(number) + 0.5) / number))
    n, alpha = fixed.order - 1, fixed.alpha()
    coefficients = _coefficients(_first(layer, fixed.order, points))
    tail = _tail(coefficients, reach, n)
    layers = [RenormalisedLayer(0, reach, fixed, coefficients, tail)]
    for step in range(1, count + 1):
        first = points / alpha
        p1 = _value(coefficients, first, reach)
        second = first * (1.0 - first**n * p1)
        p2 = _value(coefficients, second, reach)
        ratio = 0.5 * (1.0 - first**n * p1) ** n
        coefficients = _coefficients(0.5 * p1 + ratio * p2 - 0.5 * points**n * ratio * p1 * p2)
        tail = max(tail, _tail(coefficients, reach, n))
        layers.append(RenormalisedLayer(step, reach, fixed, coefficients, tail))
    return tuple(layers)


def _first(layer: RepeatedLayer, order: int, points: Floats) -> Floats:
    """Return p of the layer itself: from its Taylor series near the fixed point, from its values elsewhere."""
    analysis = analysed(layer, None, None, 0.5)
    centre, side = analysis.form.fixed_point or 0.0, analysis.form.side
    series = -np.array(analysis.local[order:])
    near = points * analysis.bend < SERIES_BELOW[layer.sigma.smooth]
    with np.errstate(under="ignore"):
        by_series = np.polynomial.polynomial.polyval(np.where(near, points, 0.0), series)
    away = np.where(near, 1.0, points)
    image = side * (np.asarray(layer(centre + side * away)) - centre)
    if not ((image[~near] > 0.0) & (image[~near] < away[~near])).all():
        raise ValueError(
            f"signals up to extent = {points.max():.3g} are not all drawn in by the fixed point {centre:g}: lower it"
        )
    with np.errstate(over="ignore"):  # so far out the polynomial is refused
        return np.asarray(np.where(near, by_series, (away - image) / away**order))


def _coefficients(values: Floats) -> Floats:
    """Return the Chebyshev coefficients of values at the roots, first root first."""
    size = values.size
    angles = np.pi * (np.arange(size) + 0.5) / size
    result = 2.0 / size * np.cos(np.outer(np.arange(size), angles)) @ values
    result[0] *= 0.5
    return np.asarray(result)


def _value(coefficients: Floats, at: Floats, extent: float) -> Floats:
    return np.asarray(np.polynomial.chebyshev.chebval(2.0 * at / extent - 1.0, coefficients))


def _tail(coefficients: Floats, extent: float, n: int) -> float:
    """Return the error of p over its largest coefficient; raise if it is too much for x (1 - x^n p) at the extent."""
    last, largest = (float(np.abs(part).max()) for part in (coefficients[-4:], coefficients))
    with np.errstate(over="ignore", invalid="ignore"):
        missed = last * np.float64(extent) ** n if largest else np.inf  # p underflows
    if not missed < MISSED:
        raise ValueError(
            f"extent = {extent:g} is too far for {coefficients.size} nodes: they miss {missed:.2g} of the signal "
            "there; lower it, or take more nodes"
        )
    return last / largest
