"""Roots of many functions of one variable at once, each in its bracket."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from statnn._arguments import Floats, Ints

ROUNDS = 120


def roots(function: Callable[[Floats, Ints], Floats], low: Floats, high: Floats, *, relative: float = 1e-15) -> Floats:
    """Return roots, shape (n,), by Chandrupatla's method: inverse quadratic steps where safe, halving otherwise.

    Parameters
    ----------
    function : callable
        ``function(x, which)``: values at x of the functions with indices `which`, whose roots are still sought.
    low, high : ndarray, shape (n,)
        Brackets; function values at their ends have opposite signs or are zero.
    relative : float
        Width of a bracket, relative to its position, at which it counts as a root.
    """
    which = np.arange(low.size)
    a, b = low.astype(float), high.astype(float)
    fa, fb = function(a, which), function(b, which)
    c, fc, t = a.copy(), fa.copy(), np.full(a.size, 0.5)
    best = np.where(np.abs(fa) < np.abs(fb), a, b)
    for _ in range(ROUNDS):
        smallest = np.where(np.abs(fa) < np.abs(fb), a, b)
        best[which] = smallest
        width = np.abs(b - a)
        limit = relative * np.abs(smallest) + np.finfo(float).tiny
        going = (width > 2 * limit) & (fa != 0) & (fb != 0)
        if not going.any():
            break
        which, a, b, c, fa, fb, fc, t, limit, width = (
            array[going] for array in (which, a, b, c, fa, fb, fc, t, limit, width)
        )
        t = np.clip(t, limit / width, 1 - limit / width)
        x = a + t * (b - a)
        fx = function(x, which)
        same = np.sign(fx) == np.sign(fa)
        c, fc = np.where(same, a, b), np.where(same, fa, fb)
        b, fb = np.where(same, b, a), np.where(same, fb, fa)
        a, fa = x, fx
        t = _next(a, b, c, fa, fb, fc)
    return best


def _next(a: Floats, b: Floats, c: Floats, fa: Floats, fb: Floats, fc: Floats) -> Floats:
    with np.errstate(all="ignore"):
        xi, phi = (a - b) / (c - b), (fa - fb) / (fc - fb)
        safe = (phi**2 < xi) & ((1 - phi) ** 2 < 1 - xi)
        step = fa / (fb - fa) * fc / (fb - fc) + (c - a) / (b - a) * fa / (fc - fa) * fb / (fc - fb)
    return np.where(safe & np.isfinite(step), step, 0.5)
