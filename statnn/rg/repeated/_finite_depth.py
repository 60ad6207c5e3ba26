r"""Finite-depth scaling of repeated layers: the flow from infinity, without noise in closed form, with noise by series.

For z = 3, in units where u and the noise are one and the time is :math:`\tau = \sqrt u\,e`, the mean
:math:`w(s) = E[s_\tau^2 | s_0 = s]` obeys the backward equation

.. math:: \partial_\tau w = (a s - s^3)\, w' + \tfrac12 w'', \qquad a = A/\tau.

Signals come down from infinity in finite time, so that w is bounded and smooth in :math:`r = \ell^2/(\ell^2 + s^2)`
down to r = 0, where the start of every large signal lies; the equation is regular there without a boundary condition.
"""

from __future__ import annotations

import numpy as np
from scipy.linalg import expm

from statnn._arguments import Floats

NODES = (72, 96)
"""Numbers of nodes; both are tried, and if results differ by more than `RESOLVED` they are refused."""
RESOLVED = 1e-5
FELT = 0.022
"""Value of -a times the split time from which on the error in its square is extrapolated away; below it this error is
small, and a quarter of the split time is not always resolved."""
SETTLED, FORGOTTEN = 28.0, 1.8
"""Minus the logarithm of the remaining influence of the start from which on the law counts as stationary; and the least
rate at which it grows with τ (1 + |a|) for a <= 0, a third of that otherwise."""
UNFELT, FARTHEST = 1e-290, 1e9
"""Time τ up to which noise adds nothing to a mean square in float64; distance over 1 + τ beyond which limits hold."""
LAST = 0.02
"""Fraction of the time that is split into half the noise, the drift, and half the noise, as s² itself is unbounded."""


def scaling_function(order: int, coefficient: float, distance: Floats, noise: Floats) -> Floats:
    """Return F(A, e) of `FixedFunction.finite_depth`, of the common shape of both."""
    n = order - 1
    far = np.abs(distance)
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        share = -np.expm1(-n * far)
        reached = np.where(far == 0.0, 1.0, far) / np.where(far == 0.0, n, share)
        reached = (reached / max(coefficient, 1.0)) ** (2.0 / n) * min(coefficient, 1.0) ** (-2.0 / n)
        # for a negative distance the share is e^(n |A|) times this, which overflows long before its root does
        fallen = np.exp(np.minimum(distance, 0.0))
        result = np.asarray(np.where(fallen == 0.0, 0.0, reached * fallen * fallen))
    if not np.isfinite(result).all():
        beyond = distance[~np.isfinite(result)].flat[0]
        raise ValueError(f"distance = {beyond:g}: the signal exceeds the range of float64")
    if not (noise > 0.0).any():
        return result
    if order != 3:
        raise ValueError(
            f"noise_std = {noise.max():g} with z = {order}: the scaling function with noise is computed for z = 3, the "
            "class of tanh, erf and sigmoid; use RepeatedLayer.simulate for others"
        )
    root = float(np.sqrt(coefficient))
    for index in np.ndindex(result.shape):
        a, e = float(distance[index]), float(noise[index])
        if abs(a) > FARTHEST * (1.0 + root * e):  # a narrow law: its position counts, or its width for a < 0
            result[index] = result[index] if a > 0.0 else e * (0.5 * e / -a)
        elif root * e > UNFELT:
            result[index] = _mean_square(a, root * e) * e / root
            if not np.isfinite(result[index]):
                raise ValueError(f"distance = {a:g} with noise_std = {e:g}: the signal exceeds the range of float64")
    return result


def _mean_square(distance: float, tau: float) -> float:
    """Return ⟨s²⟩ at time τ of ds = (a s - s³) dτ + dB, a = A/τ, from infinity."""
    a, passed = distance / tau, FORGOTTEN * (tau + abs(distance))
    # the remainder of a start without noise, a/(e^2A - 1), is compared with the noise, 1/2a
    left = 2 * np.log1p(-a) - passed if distance <= 0 else -passed / 3
    if left < -SETTLED:
        return _settled(a)
    coarse, fine = (_solved(a, tau, nodes) for nodes in NODES)
    if not abs(coarse - fine) <= RESOLVED * abs(fine):
        raise ValueError(
            f"distance = {distance:g} is too far from criticality for so little noise: the equation is not resolved "
            f"({coarse:.6g} and {fine:.6g} at {NODES[0]} and {NODES[1]} nodes). Noise hardly matters here: pass "
            "noise_std = 0, or use RepeatedLayer.simulate"
        )
    return fine


def _settled(a: float) -> float:
    """Return ⟨s²⟩ of the stationary density exp(a s² - s⁴/2), by the trapezoidal rule around its peak."""
    peak, width = np.sqrt(max(a, 0.0)), 1.0 / np.sqrt(max(1.0, abs(a)))
    s = np.linspace(max(0.0, peak - 12 * width), peak + 12 * width, 4001)
    weight = np.exp(-(((s - peak) * (s + peak)) ** 2) / 2 + min(a, 0.0) * s**2)
    weight[[0, -1]] /= 2
    return float(weight @ s**2 / weight.sum())


def _solved(a: float, tau: float, nodes: int) -> float:
    last = min(LAST * tau, 0.005, 0.1 / max(1.0, abs(a)))
    if -a * last < FELT:
        return _with_last(a, tau, nodes, last)
    estimates = [_with_last(a, tau, nodes, last * part) for part in (1.0, 0.5, 0.25)]
    return (estimates[0] - 12 * estimates[1] + 32 * estimates[2]) / 21  # cancels errors of orders two and three in time


def _with_last(a: float, tau: float, nodes: int, last: float) -> float:
    """Return ⟨s²⟩ with the `last` part of the time split."""
    scale = 1.0 + abs(a) + 0.5 / tau
    r = 0.5 * (1.0 - np.cos(np.pi * np.arange(nodes) / (nodes - 1)))
    first = _differentiation(r)
    drift = -2.0 * a * r * (1.0 - r) + 2.0 * scale * (1.0 - r) ** 2
    bend = -r * r / scale + 4.0 * (1.0 - r) * r * r / scale
    generator = (drift + bend)[:, None] * first + (2.0 * r**3 * (1.0 - r) / scale)[:, None] * (first @ first)
    at_end = _split(r, scale, a, last)
    with np.errstate(all="ignore"):  # unresolved results may overflow, and are refused
        return float((expm(generator * (tau - last)) @ at_end)[0])


def _split(r: Floats, scale: float, a: float, time: float) -> Floats:
    """Return E[s²] after a short time: the noise is averaged by quadrature, the flow is known in closed form."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(20)
    finite = r > 0.0
    s = np.sqrt(scale * (1.0 - r) / np.where(finite, r, 1.0))
    square = (s[:, None] + np.sqrt(time / 2.0) * nodes) ** 2
    grown = 2.0 * time if abs(a) < 1e-290 else -np.expm1(-2.0 * a * time) / a
    flowed = square / (np.exp(-2.0 * a * time) + grown * square)
    mean = flowed @ weights / weights.sum()
    return np.asarray(time / 2.0 + np.where(finite, mean, 1.0 / grown))


def _differentiation(x: Floats) -> Floats:
    """Return the matrix that differentiates polynomials through values at Chebyshev's extrema."""
    size = x.size
    weight = (-1.0) ** np.arange(size)
    weight[[0, -1]] *= 2.0
    gap = x[:, None] - x[None, :]
    matrix = np.outer(weight, 1.0 / weight) / (gap + np.eye(size))
    return np.asarray(matrix - np.diag(matrix.sum(axis=1)))
