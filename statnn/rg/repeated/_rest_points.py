"""All fixed points of a scalar layer whose activation is known, as fields h = w x* + b."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import numpy as np

from statnn._digits import with_digits
from statnn.network import Activation
from statnn.rg.repeated._series import DIGITS

STEPS, FARTHEST = 6, 1e-5
ROUNDING = 8 * np.finfo(float).eps
"""Deviation of a slope, or of a gap in units of its terms, that rounding of w and b can explain."""
MOST_INFLECTIONS = 2000
FARTHEST_FIELD = 1e150
"""Largest field: beyond, root finding between two fields overflows."""
BISECTIONS = 1000
"""Most bisections: more than needed from such a field to 1e-15."""
LINE = 36.0
"""Field beyond which smooth forms of the ReLU are 0 or h to rounding."""


def fixed_fields(sigma: Activation, w: float, b: float) -> list[float]:
    """Return the fields of all fixed points, ascending; an interval of them is represented by its end at 0."""
    fields = _smooth(sigma, w, b) if sigma.smooth else _piecewise(sigma, w, b)
    return sorted(set(fields))


def marginal_fields(sigma: Activation, w: float, b: float) -> list[float]:
    """Return the fields where w σ' = 1, merged into the inflection if rounding cannot tell them apart."""
    if sigma.fields_of_slope is None:
        return _marginal_between_inflections(sigma, w, b)
    steepest = w * sigma.steepest
    if abs(steepest - 1.0) <= ROUNDING:
        return [0.0]
    if steepest < 1.0:
        return []
    h = sigma.fields_of_slope(steepest)
    return [-h, h]


def _marginal_between_inflections(sigma: Activation, w: float, b: float) -> list[float]:
    """Return the same by bisection: between two inflections σ' is monotone and takes a value at most once."""
    from scipy.optimize import brentq

    reach = _reach(sigma, w, b)
    bends = _inflections(sigma, reach)

    def excess(h: float) -> float:
        slope = w * float(sigma.derivative(np.asarray(h)))
        return 0.0 if abs(slope - 1.0) <= ROUNDING else slope - 1.0

    fields = [h for h in bends if excess(h) == 0.0]
    for low, high in pairwise([-reach, *bends, reach]):
        if excess(low) * excess(high) < 0.0:
            near = brentq(excess, low, high, xtol=1e-15, rtol=8.9e-16, maxiter=BISECTIONS)
            fields.append(_root(lambda h: w * h.context.diff(sigma.exactly, h) - 1, near))
    return sorted(fields)


def _inflections(sigma: Activation, reach: float) -> list[float]:
    """Return the inflections within reach, ascending."""
    if sigma.period is None:
        return [h for h in sigma.inflections if abs(h) < reach]
    turns = math.ceil(reach / sigma.period)
    if len(sigma.inflections) * (2 * turns + 1) > MOST_INFLECTIONS:
        raise ValueError(
            f"{sigma.name} turns some {4 * turns} times within |w| + |b| + 1 = {reach:g}, and may have a fixed point "
            f"each time: they are listed where it does so up to {MOST_INFLECTIONS} times; take smaller w and b"
        )
    shifts = sigma.period * np.arange(-turns, turns + 1)[:, None]
    places = np.sort((np.array(sigma.inflections) + shifts).ravel())
    return [float(h) for h in places if abs(h) < reach]


def _reach(sigma: Activation, w: float, b: float) -> float:
    """Return the modulus of a field beyond which there is no fixed point; or raise if it is too large."""
    if sigma.above_relu is None:
        reach = abs(w) * max(map(abs, sigma.bounds or (1.0,))) + abs(b) + 1.0
    else:
        beyond = abs(w) * sigma.above_relu + abs(b)
        reach = LINE + (beyond if w == 1.0 else beyond / min(1.0, abs(1.0 - w)))
    if not reach < FARTHEST_FIELD:
        raise ValueError(
            f"w = {w:g} and b = {b:g} allow fixed points at fields up to {reach:.3g}; they are looked for up to "
            f"{FARTHEST_FIELD:g}: take smaller w and b"
        )
    return reach


def tangent_fields(sigma: Activation, w: float, b: float) -> list[float]:
    """Return the fields of fixed points with slope one, where the layer touches the diagonal, to rounding."""
    return _touching(marginal_fields(sigma, w, b), sigma, w, b)


def _touching(marginal: list[float], sigma: Activation, w: float, b: float) -> list[float]:

    def touches(h: float) -> bool:
        terms = abs(w * float(sigma(np.asarray(h)))) + abs(b) + abs(h)
        return bool(abs(_gap(h, sigma, w, b)) <= ROUNDING * terms)

    return [h for h in marginal if touches(h)]


def _gap(h: float, sigma: Activation, w: float, b: float) -> float:
    return w * float(sigma(np.asarray(h))) + b - h


def _smooth(sigma: Activation, w: float, b: float) -> list[float]:
    """Return all fixed points: between fields where w σ' = 1 the gap is monotone and has at most one root."""
    from scipy.optimize import brentq

    marginal = marginal_fields(sigma, w, b)
    tangent = _touching(marginal, sigma, w, b)
    reach = _reach(sigma, w, b)
    fields = list(tangent)
    for low, high in pairwise([-reach, *marginal, reach]):
        if low in tangent or high in tangent:
            continue
        if _gap(low, sigma, w, b) * _gap(high, sigma, w, b) < 0.0:
            near = brentq(_gap, low, high, args=(sigma, w, b), xtol=1e-15, rtol=8.9e-16, maxiter=BISECTIONS)
            fields.append(_root(lambda h: w * sigma.exactly(h) + b - h, near))
    return fields


def _root(function: Any, h: float) -> float:
    """Return a simple root by Newton's method with more digits, since for slopes near one float64 leaves few."""
    own = with_digits(DIGITS)
    at, close = own.mpf(h), own.mpf(10) ** (-DIGITS // 2)
    for _ in range(STEPS):
        slope = own.diff(function, at)
        if slope == 0:  # so far out that even these digits do not suffice
            return h
        step = function(at) / slope
        at -= step
        if abs(step) <= abs(at) * close:  # the next step would be the square of this
            break
    if function(own.mpf(0)) == 0 and abs(at) < close:
        return 0.0
    return float(at) if abs(at - h) <= FARTHEST * (1 + abs(h)) else h


def _piecewise(sigma: Activation, w: float, b: float) -> list[float]:
    """Return the fixed points of a function that is linear on either side of zero."""
    if sigma.flat:
        return [h for h in (b + w, b - w) if _gap(h, sigma, w, b) == 0.0]
    left, right = sigma.slopes or (1.0, 1.0)
    fields = []
    for slope, side in ((w * left, -1.0), (w * right, 1.0)):
        if slope == 1.0:
            fields += [0.0] if b == 0.0 else []
        elif side * b / (1.0 - slope) >= 0.0:
            fields.append(b / (1.0 - slope) + 0.0)
    return fields
