"""All fixed points of a scalar layer whose activation is known, as fields h = w x* + b."""

import math
from itertools import pairwise

import mpmath
import numpy as np
from scipy.optimize import brentq

from statnn.network import Activation
from statnn.network._activation import ERF, IDENTITY, RELU, SIGMOID, SIGN, TANH
from statnn.rg.repeated._series import DIGITS, FUNCTIONS, SMOOTH

STEPS, FARTHEST = 6, 1e-5
ROUNDING = 8 * np.finfo(float).eps
"""What rounding of w and b explains, of a slope, and of a gap in units of its terms."""
STEEPEST = {TANH: 1.0, ERF: 2 / math.sqrt(math.pi), SIGMOID: 0.25}
"""Slopes at the field 0, where these activations have their inflection."""


def fixed_fields(sigma: Activation, w: float, b: float) -> list[float]:
    """Return the fields of all fixed points, ascending; of an interval of them its end at 0."""
    found = _smooth(sigma, w, b) if sigma.code in SMOOTH else _piecewise(sigma, w, b)
    return sorted(set(found))


def marginal_fields(sigma: Activation, w: float) -> list[float]:
    """Return the fields where w σ' = 1, merged into the inflection where rounding cannot tell them apart."""
    steepest = w * STEEPEST[sigma.code]
    if abs(steepest - 1.0) <= ROUNDING:
        return [0.0]
    if steepest < 1.0:
        return []
    if sigma.code == ERF:
        h = math.sqrt(math.log(steepest))
    else:
        h = math.acosh(math.sqrt(steepest)) * (1 if sigma.code == TANH else 2)
    return [-h, h]


def tangent_fields(sigma: Activation, w: float, b: float) -> list[float]:
    """Return the fields of fixed points with slope one: there the layer touches the diagonal, to rounding."""

    def touches(h: float) -> bool:
        terms = abs(w * float(sigma(np.asarray(h)))) + abs(b) + abs(h)
        return bool(abs(_gap(h, sigma, w, b)) <= ROUNDING * terms)

    return [h for h in marginal_fields(sigma, w) if touches(h)]


def _gap(h: float, sigma: Activation, w: float, b: float) -> float:
    return w * float(sigma(np.asarray(h))) + b - h


def _smooth(sigma: Activation, w: float, b: float) -> list[float]:
    """Between the fields where w σ' = 1 the gap is monotone: one root or none, none beside one that it touches."""
    marginal = marginal_fields(sigma, w)
    tangent = tangent_fields(sigma, w, b)
    reach = abs(w) + abs(b) + 1.0
    ends = [-max(reach, *map(abs, marginal), 1.0), *marginal, max(reach, *map(abs, marginal), 1.0)]
    found = list(tangent)
    for low, high in pairwise(ends):
        if low in tangent or high in tangent:
            continue
        at_ends = _gap(low, sigma, w, b), _gap(high, sigma, w, b)
        found += [end for end, gap in zip((low, high), at_ends, strict=True) if gap == 0.0]
        if at_ends[0] * at_ends[1] < 0.0:
            near = brentq(_gap, low, high, args=(sigma, w, b), xtol=1e-15, rtol=8.9e-16)
            found.append(_polished(sigma.code, w, b, near))
    return found


def _polished(code: int, w: float, b: float, h: float) -> float:
    """Return a simple root by Newton's method with more digits: where slopes are near one, rounding leaves few."""
    with mpmath.workdps(DIGITS):
        at = mpmath.mpf(h)
        for _ in range(STEPS):
            at -= (w * FUNCTIONS[code](at) + b - at) / (w * mpmath.diff(FUNCTIONS[code], at) - 1)
        return float(at) if abs(at - h) <= FARTHEST * (1 + abs(h)) else h


def _piecewise(sigma: Activation, w: float, b: float) -> list[float]:
    """Return the fixed points of a function that is linear on either side of zero."""
    if sigma.code == SIGN:
        return [h for h in (b + w, b - w) if _gap(h, sigma, w, b) == 0.0]
    left = {IDENTITY: 1.0, RELU: 0.0}.get(sigma.code, sigma.slope)
    found = []
    for slope, side in ((w * left, -1.0), (w, 1.0)):
        if slope == 1.0:
            found += [0.0] if b == 0.0 else []
        elif side * b / (1.0 - slope) >= 0.0:
            found.append(b / (1.0 - slope) + 0.0)
    return found
