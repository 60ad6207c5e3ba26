r"""Layers of one spin in closed form: eigenvalues of the transfer matrix, and the map of tanh K and tanh h.

The eigenvalues are e^K (cosh h ± r), r² = sinh² h + e^{-4K}; their product is 2 sinh 2K. Everything is divided by e^s,
s = max(|h|, -2K), to avoid overflow, and the smaller eigenvalue comes from the product, to avoid cancellation.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from statnn._arguments import Floats


@dataclass(frozen=True)
class Single:
    r"""Eigenvalues of exp(K s's + h (s' + s)/2), with relative errors of a few 1e-16 plus those inherited from h."""

    K: float
    h: float

    @property
    def log_leading(self) -> float:
        """Return ln λ_0, without cancellation as no term is negative."""
        return abs(self.K) + self._excess + math.log(self._leading)

    @property
    def ratio(self) -> float:
        """Return λ_1/λ_0 = 2 sinh 2K/λ_0²."""
        size = -math.expm1(-4 * abs(self.K)) * math.exp(-2 * self._excess)
        return math.copysign(size, self.K) / self._leading**2

    def correlation_length(self) -> float:
        r"""Return -1/ln|λ_1/λ_0|: 0 at K = 0, infinite if it overflows."""
        if self.K == 0:
            return 0.0
        cosh, root = self._parts
        near = min(cosh, root) / max(cosh, root)
        if near < 0.5:  # ratios near one
            half = math.atanh(near)
        else:
            half = math.log(self._leading) + self._excess - math.log(-math.expm1(-4 * abs(self.K))) / 2
        return 0.5 / half if half > 0.5 / np.finfo(float).max else math.inf

    @property
    def _excess(self) -> float:
        """Return s, or s + 2K where K < 0."""
        return 2 * max(0.0, abs(self.h) / 2 + min(self.K, 0.0))

    @property
    def _parts(self) -> tuple[float, float]:
        """Return cosh h and r, both divided by e^s."""
        size = abs(self.h)
        gap = size / 2 + self.K  # half of |h| - (-2K)
        even, odd = (1 + math.exp(-2 * size)) / 2, -math.expm1(-2 * size) / 2
        field, flip = math.exp(2 * min(0.0, gap)), math.exp(-2 * max(0.0, gap))
        return field * even, math.hypot(field * odd, flip)

    @property
    def _leading(self) -> float:
        """Return λ_0 e^{-K-s}, from 1 to 3."""
        return sum(self._parts)


def renormalised(couplings: Floats, b: int) -> Floats:
    r"""Return (tanh K, tanh h) of b layers, h the total field; smooth at tanh K = 1, and beyond it for derivatives.

    The field is split evenly between the ends of the matrix, T = ((u, x), (x, 1/u)) up to a factor, x = e^{-2K} and
    u = e^h. With T = p + N and the number N² = n = δ² + x², powers are p' + q'N, and

    .. math:: \tanh h' = q'δ/p', \qquad \tanh K' = \det T^b / (\sqrt{T_{++} T_{--}} + T_{+-})^2 .
    """
    t, v = (float(x) for x in couplings)
    if not (t > -1 and abs(v) < 1):
        raise ValueError(f"tanh K = {t:g}, tanh h = {v:g}: -1 < tanh K and -1 < tanh h < 1 are needed, finite fields")
    x = (1 - t) / (1 + t)
    # in units of p: u and 1/u are 1 ± v, and x becomes x (1 - v²)^(1/2)
    side = x * math.sqrt((1 - v) * (1 + v))
    n, det = v * v + side * side, (1 - v) * (1 + v) * 4 * t / (1 + t) ** 2
    base, result = (1.0, 1.0, det), (1.0, 0.0, 1.0)
    while b:
        if b & 1:
            result = _multiplied(result, base, n)
        base, b = _multiplied(base, base, n), b >> 1
    p, q, det = result
    root = math.sqrt(det + (q * side) ** 2 if det > 0 else (p - q * v) * (p + q * v))
    return np.array([det / (root + q * side) ** 2, q * v / p])


def _multiplied(
    first: tuple[float, float, float], second: tuple[float, float, float], n: float
) -> tuple[float, float, float]:
    """Return (p, q, det) of the product of two p + qN, scaled by the largest."""
    p, q = first[0] * second[0] + n * first[1] * second[1], first[0] * second[1] + first[1] * second[0]
    scale = max(p, q)
    return p / scale, q / scale, first[2] * second[2] / scale**2
