"""Roots of many functions of one variable at once, each in its bracket, and where functions nearly turn."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from statnn._arguments import Floats, Ints

ROUNDS = 120
FLAT = 1e-10
"""Relative change of a function that may be rounding: averages are good to 1e-12."""
FLATTER = 0.5
"""Share of the slopes at two neighbours below which the least slope between them may be none: cubics are coarse."""


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


def flattest(x: Floats, y: Floats, slope: Floats, size: Floats) -> Floats:
    """Return where functions are less steep between two neighbours than at both: they may turn twice near there.

    Parameters
    ----------
    x : ndarray, shape (points,)
        In ascending or descending order.
    y, slope : ndarray, shape (..., points)
        Functions and their derivatives, between neighbours taken as cubics.
    size : ndarray, shape (..., points)
        Size of what cancels in the functions: changes below FLAT of it may be rounding.

    Returns
    -------
    ndarray, shape (places,)
        In no order.
    """
    step, low, high = np.diff(x), slope[..., :-1], slope[..., 1:]
    bend = low + high - 2 * np.diff(y) / step
    at = 1 / 2 + (low - high) / (6 * bend)
    flat = (low - 3 * bend * at**2) / low < FLATTER * np.minimum(1, high / low)
    flat &= (at > 0) & (at < 1) & (low * high > 0) & (np.abs(low * step) > FLAT * size[..., :-1])
    return np.asarray(np.broadcast_to(x[:-1], at.shape)[flat] + (at * step)[flat])
