"""A signal through many layers, one after the other, until it rests; and the last digits of its rest point."""

from __future__ import annotations

import math

import numpy as np

from statnn._digits import with_digits
from statnn._text import line
from statnn.network import Activation
from statnn.rg.repeated._series import DIGITS
from statnn.rg.repeated._simulation import LAYERS_AT_ONCE, advanced

MOST_LAYERS = {True: 10**8, False: 10**7}
"""Most layers computed one by one, with kernels and with a user's own functions."""
FARTHEST = 1e-6
"""Relative distance from a rest point up to which the layer is linear about it."""
TINY = float(np.finfo(float).tiny)
"""Smaller numbers have so few digits that they rest only by rounding."""


def rested(sigma: Activation, w: float, b: float, start: float, layers: int) -> float:
    """Return the signal after `layers` layers without noise, or raise."""
    h, left, quiet = start, layers, np.zeros(min(layers, LAYERS_AT_ONCE))
    while left:
        now = advanced(h, quiet[:left], sigma, w, b, 0.0)
        if not math.isfinite(now):
            raise ValueError(f"signals exceed the range of float64: w = {w:g} amplifies {start:g} without bound")
        if now == h and left >= LAYERS_AT_ONCE:
            step = advanced(h, quiet[:1], sigma, w, b, 0.0)
            if step == h:
                return _polished(sigma, w, b, h, left)
            left %= 2  # it alternates, or has a longer period that divides LAYERS_AT_ONCE
            continue
        h, left = now, left - min(left, LAYERS_AT_ONCE)
        if left and layers - left >= MOST_LAYERS[sigma.built_in]:
            raise ValueError(
                f"after {layers - left} layers the signal of {sigma.name}({line(w, b, 17)}) is {now:.9g} and has "
                "not come to rest. Only critical layers have a law for any depth: RepeatedLayer.critical gives their w "
                "and b; ask others for fewer layers"
            )
    return h


def _polished(sigma: Activation, w: float, b: float, h: float, left: int) -> float:
    """Return the signal after the remaining layers, if it rests at h in float64: the layer is linear about h."""
    if sigma.flat or not sigma.built_in:
        return h
    own = with_digits(DIGITS)
    at, field = own.mpf(h), own.mpf(w) * h + b
    if sigma.smooth:
        gap, slope = sigma.exactly(field) - at, w * own.diff(sigma.exactly, field)
    else:
        bend = float(sigma.derivative(np.asarray(float(field))))
        gap, slope = field * bend - at, own.mpf(w * bend)
    grown = own.mpf(left) if slope == 1 else (slope**left - 1) / (slope - 1)
    if abs(gap * grown) > FARTHEST * abs(at) + TINY:
        raise ValueError(
            f"in float64 the signal rests at {h!r}, but with more digits it is {float(gap):.2g} from rest there, "
            f"and the slope {float(slope):.17g} carries it away in {left} layers: rounding decides where it goes"
        )
    return float(at + gap * grown)
