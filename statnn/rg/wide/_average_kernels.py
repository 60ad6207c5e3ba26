r"""Gaussian averages of tanh by the trapezoidal rule, which converges geometrically for them.

tanh has its poles at distance π/2 from the real axis. For a Gaussian of deviation s the rule of step h then errs by
exp(-2πd/h + d²/2s²) at the best d <= π/2, so the step of `_step` reaches exp(-L) at any s, which a Gauss-Hermite rule
of fixed degree does not. In the field x = √q z the integrand ends where sech² does, so at most about 250 nodes are
needed for any q.

For two fields of variance q and correlation c = 1-e, u = (x+y)/2 and v = (x-y)/2 are independent of variances q(1-e/2)
and qe/2, and with k = 2/(cosh 2u + cosh 2v)

    tanh x - tanh y = sinh(2v) k,    sech² x sech² y = k²,

so that M - P = E(tanh x - tanh y)²/2 is a sum of positive terms: no digit is lost as c → 1.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from statnn._compile import helper, kernel

FULL = 50.0
"""L for sums exact to rounding."""
FAST = 29.0
"""L for sums to 1e-9."""
_LINEAR = 1e-30
"""Variance below which tanh is the identity to rounding."""
_EVEN = 0.6
"""Variance up to which tanh² itself is summed; above, its complement sech²."""
_NARROW = 0.01
"""Variance up to which d²M/dq² is integrated by parts three times: tanh² times its polynomial would cancel there."""


@helper
def _step(s: float, L: float) -> float:
    """Return the step of the rule for tanh and a Gaussian of deviation s."""
    if s * math.sqrt(2 * L) <= math.pi / 2:
        return s * math.pi * math.sqrt(2 / L)
    return math.pi**2 / (L + math.pi**2 / (8 * s * s))


@kernel
def tanh_averages(q: Any, L: float, out: Any) -> None:
    """Write M, dM/dq, d²M/dq², the variance of tanh² and E tanh'² of each variance, `out` of shape (5, n)."""
    for i in range(q.size):
        if q[i] < _LINEAR:
            out[0, i], out[1, i], out[2, i], out[3, i], out[4, i] = q[i], 1.0, -4.0, 2 * q[i] * q[i], 1.0
            continue
        s = math.sqrt(q[i])
        direct = q[i] <= _EVEN  # 1 - E sech² would cancel; for larger q it does not, and sech² decays early
        h = _step(s, L)
        end = math.sqrt(2 * L) * s
        if not direct:
            end = min(end, L / 2 + 2)  # sech² <= 4 e^(-2x) is below e^-L from there on
        m = m1 = m2 = m4 = d = 0.0
        for k in range(int(end / h) + 2):
            x = k * h
            z2 = (x / s) ** 2
            weight = math.exp(-z2 / 2) * h / (s * math.sqrt(2 * math.pi)) * (1.0 if k == 0 else 2.0)
            t = math.exp(-2 * x)
            sech2 = 4 * t / (1 + t) ** 2
            square = math.tanh(x) ** 2 if direct else -sech2
            m += weight * square
            m1 += weight * square * (z2 - 1)
            thrice = -8 * math.tanh(x) * sech2 * (3 * sech2 - 1) * x * q[i]
            m2 += weight * (thrice if q[i] <= _NARROW else square * (z2 * z2 - 6 * z2 + 3))
            m4 += weight * square * square  # of tanh² or its complement, which have the same variance
            d += weight * sech2 * sech2
        out[0, i] = m if direct else 1 + m
        out[1, i] = m1 / (2 * q[i])
        out[2, i] = m2 / (4 * q[i] * q[i])
        out[3, i] = m4 - m * m
        out[4, i] = d


@kernel
def tanh_pairs(e: Any, q: Any, L: float, out: Any) -> None:
    """Write M - P and E tanh'(x) tanh'(y) of each pair of fields of correlation 1 - e, `out` of shape (2, n)."""
    for i in range(q.size):
        if q[i] < _LINEAR:
            out[0, i], out[1, i] = q[i] * e[i], 1.0
            continue
        su, sv = math.sqrt(q[i] * max(0.0, 1 - e[i] / 2)), math.sqrt(q[i] * e[i] / 2)
        hu = _step(su, L) if su > 0 else 1.0
        hv = _step(sv, L) if sv > 0 else 1.0
        rows = int(math.sqrt(2 * L) * sv / hv) + 1 if sv > 0 else 0
        end = min(math.sqrt(2 * L) * su, rows * hv + L / 2 + 2)
        most = int(end / hu) + 1 if su > 0 else 0
        weights, down, tail, sums = np.empty(most + 1), np.empty(most + 1), np.empty(most + 1), np.zeros(most + 2)
        norm = hu / (su * math.sqrt(2 * math.pi)) if su > 0 else 1.0
        for j in range(most + 1):
            u = j * hu
            weights[j] = norm * (1.0 if j == 0 else 2.0) * (math.exp(-((u / su) ** 2) / 2) if su > 0 else 1.0)
            down[j] = math.exp(-2 * u)
            tail[j] = 1 + math.exp(-4 * u)
            sums[j + 1] = sums[j] + weights[j]
        gap = slope = 0.0
        for k in range(rows + 1):
            v = k * hv
            weight = 1.0
            if sv > 0:
                weight = hv / (sv * math.sqrt(2 * math.pi)) * (1.0 if k == 0 else 2.0) * math.exp(-((v / sv) ** 2) / 2)
            # k is factored by e^(2u), so that of all powers only e^(2v - 2u) can be large
            up = math.exp(min(2 * v, 700.0))
            plus, minus = 1 + math.exp(-4 * v), -math.expm1(-4 * v)
            flat = min(most + 1, max(0, int((v - L / 2 - 2) / hu)))  # nodes where tanh x = 1 and tanh y = -1
            row_gap, row_slope = 4 * sums[flat], 0.0
            for j in range(flat, min(most, int((v + L / 2 + 2) / hu) + 1) + 1):
                ratio = up * down[j] if 2 * v < 700 else math.exp(min(2 * (v - j * hu), 700.0))
                bottom = 1 / (tail[j] + ratio * plus)
                row_gap += weights[j] * (2 * ratio * minus * bottom) ** 2
                row_slope += weights[j] * (4 * down[j] * bottom) ** 2
            gap += weight * row_gap / 2
            slope += weight * row_slope
        out[0, i], out[1, i] = gap, slope
