"""Radii of solvable basins and areas of Gaussian classes by mpmath: the reference for Monte Carlo estimates."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import TypeAlias

import mpmath
import numpy as np
from numpy.typing import NDArray

from statnn.theory.precision import Number, converged, exact

Floats: TypeAlias = NDArray[np.float64]
Chance: TypeAlias = Callable[[Floats], Floats]
"""A probability as a function of an array of noise amplitudes σ."""


def _chance(log_sigma: mpmath.mpf, m: mpmath.mpf, at: mpmath.mpf) -> mpmath.mpf:
    sigma = mpmath.exp(log_sigma)
    return mpmath.ncdf((m - at) / sigma) - mpmath.ncdf((-m - at) / sigma)


def band_radius(half_width: Number, at: Number, threshold: Number = 0.5, *, digits: int = 30) -> mpmath.mpf:
    """Return σ at which |at + σz| < half_width has the probability `threshold`, for |at| < half_width."""

    def solved(m: mpmath.mpf, a: mpmath.mpf, level: mpmath.mpf) -> mpmath.mpf:
        low, high = mpmath.log((m - abs(a)) / 100), mpmath.log(100 * m / level)
        for _ in range(int(3.4 * mpmath.mp.dps) + 10):
            middle = (low + high) / 2
            low, high = (middle, high) if _chance(middle, m, a) > level else (low, middle)
        return mpmath.exp((low + high) / 2)

    return converged(solved, (half_width, at, threshold), digits)


def lead(classes: int, threshold: Number = 0.5, *, digits: int = 15) -> mpmath.mpf:
    """Return t with ∫φ(z)Φ(z+t)^(classes-1)dz = threshold, above 1/classes."""
    with mpmath.workdps(digits + 10):
        level = exact(threshold)

        def missing(t: mpmath.mpf) -> mpmath.mpf:
            span = [-12, -4, 0, 4, 12]
            return mpmath.quad(lambda z: mpmath.npdf(z) * mpmath.ncdf(z + t) ** (classes - 1), span) - level

        return mpmath.findroot(missing, (mpmath.mpf(0.1), mpmath.mpf(2)), solver="anderson")


def _normal(z: Floats) -> Floats:
    """Return Φ(z)."""
    return np.vectorize(math.erfc)(-z / math.sqrt(2)) / 2


def mean_log_radius(kept: Chance, both: Chance, radius: float, draws: int, threshold: float = 0.5) -> float:
    """Return E ln σ* for a number of draws, where each ray keeps its class up to an amplitude of its own.

    Rays come in pairs of opposite directions: ``kept(σ)`` is the probability that one keeps the class, ``both(σ)`` that
    both do, and ``radius`` the σ at which `kept` is the threshold. The number of rays kept, a sum over independent
    pairs, falls in steps; σ* is where the line through the middles of the steps passes the threshold, between the first
    and the last step. A step is beyond σ if the number at σ is still above it. The result is good to 1e-9, unless few
    rays stay at the threshold over points of the scan of a search, as beside a plane, which then replace the step
    before; it is refused if σ* may be infinite or 0.
    """
    steps = np.linspace(-60, 60, 401) / math.sqrt(draws)
    single, double = (chance(radius * np.exp(steps))[:, None] for chance in (kept, both))
    turn = np.exp(-2j * np.pi * np.arange(draws + 1) / (draws + 1))
    pair = 1 - 2 * single + double + 2 * (single - double) * turn + double * turn**2
    law = np.fft.ifft(pair ** (draws // 2), axis=1).real
    least = min(max(round(threshold * draws, 9), 0.5), draws - 0.5)
    lower = math.ceil(least - 0.5)  # the first number whose step has its middle below the threshold
    part = lower + 0.5 - least
    beyond = law[:, lower + 1 :].sum(axis=1) + part * law[:, lower]
    lost = max(1 - beyond[0], law[-1, math.ceil(least) :].sum())
    if lost > 1e-9:
        raise ValueError(
            f"{draws} draws are too few for a mean of ln σ*: with the chance {lost:.2g} it has no end or is 0"
        )
    return math.log(radius) + steps[0] + float(np.trapezoid(beyond, steps))


def band_kept(half_width: float, at: float) -> tuple[Chance, Chance]:
    """Return the probabilities that |at + σz| < half_width, and that |at - σz| is too."""
    near, far = half_width - abs(at), half_width + abs(at)
    return lambda sigma: _normal(near / sigma) + _normal(far / sigma) - 1, lambda sigma: 2 * _normal(near / sigma) - 1


def classes_kept(classes: int, ahead: float) -> tuple[Chance, Chance]:
    """Return the probabilities that the first of several linear classes stays ahead under ξ, and under -ξ too."""
    z = np.linspace(-9, 9, 181)
    density = np.exp(-z * z / 2) / math.sqrt(2 * math.pi) * (z[1] - z[0])

    def chance(sigma: Floats, *, opposite: bool) -> Floats:
        lead = (ahead / sigma)[:, None]
        others = _normal(z + lead) - (_normal(z - lead) if opposite else 0.0)
        return np.asarray(others ** (classes - 1) @ density)

    return partial(chance, opposite=False), partial(chance, opposite=True)


def gaussian_area(distance: Number, *, digits: int = 30) -> mpmath.mpf:
    """Return the AUC of two Gaussian classes of unit variance."""
    return converged(lambda d: mpmath.ncdf(d / mpmath.sqrt(2)), (distance,), digits)
