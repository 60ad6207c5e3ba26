"""All fixed points of a scalar layer whose activation is known, as fields h = w x* + b."""

import math
from itertools import pairwise

import numpy as np
from scipy.optimize import brentq

from statnn.network import Activation
from statnn.network._activation import ERF, IDENTITY, RELU, SIGMOID, SIGN, TANH
from statnn.rg._taylor import SMOOTH

SLOPE_ONE = 1e-10
STEEPEST = {TANH: 1.0, ERF: 2 / math.sqrt(math.pi), SIGMOID: 0.25}
"""Slopes at the field 0, where these activations have their inflection."""


def fixed_fields(sigma: Activation, w: float, b: float) -> list[float]:
    """Return the fields of all fixed points, ascending; of an interval of them its end at 0."""
    found = _smooth(sigma, w, b) if sigma.code in SMOOTH else _piecewise(sigma, w, b)
    return sorted(set(found))


def marginal_fields(sigma: Activation, w: float) -> list[float]:
    """Return the fields where w σ' = 1, merged into the inflection where rounding cannot tell them apart."""
    steepest = w * STEEPEST[sigma.code]
    if abs(steepest - 1.0) <= SLOPE_ONE:
        return [0.0]
    if steepest < 1.0:
        return []
    if sigma.code == ERF:
        h = math.sqrt(math.log(steepest))
    else:
        h = math.acosh(math.sqrt(steepest)) * (1 if sigma.code == TANH else 2)
    return [-h, h]


def _gap(h: float, sigma: Activation, w: float, b: float) -> float:
    return w * float(sigma(np.asarray(h))) + b - h


def _smooth(sigma: Activation, w: float, b: float) -> list[float]:
    """Between the fields where w σ' = 1 the gap is monotone: one root or none, none beside one that it touches."""
    marginal = marginal_fields(sigma, w)
    width = 8 * np.finfo(float).eps * (1 + abs(w) + abs(b))
    tangent = [h for h in marginal if abs(_gap(h, sigma, w, b)) <= width]
    reach = abs(w) + abs(b) + 1.0
    ends = [-max(reach, *map(abs, marginal), 1.0), *marginal, max(reach, *map(abs, marginal), 1.0)]
    found = list(tangent)
    for low, high in pairwise(ends):
        if low in tangent or high in tangent:
            continue
        at_ends = _gap(low, sigma, w, b), _gap(high, sigma, w, b)
        found += [end for end, gap in zip((low, high), at_ends, strict=True) if gap == 0.0]
        if at_ends[0] * at_ends[1] < 0.0:
            found.append(float(brentq(_gap, low, high, args=(sigma, w, b), xtol=1e-15, rtol=8.9e-16)))
    return found


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
