r"""Logarithms of count weights that keep their digits at any size: nothing in them cancels.

In Stirling's form the beta-binomial weight of k black among n = k + m draws, from a black and b white balls, is that
of a table of four cells,

.. math:: \ln P(k) = -\sum_{\text{cells}} d(x, e) + \tfrac12 \ln\frac{a\,b\,n\,T}{2\pi\,k\,m\,(a+k)(b+m)(a+b)}
          + \Delta\mu, \qquad d(x, e) = x\ln\frac xe + e - x \ge 0,

with x the cells a, k, b, m, T their sum, and e what the margins alone would make of each: (a+k)(a+b)/T for a, and so
on. All cells are off by the same :math:`\delta = (am - bk)/T`, up to its sign. The remainder Δμ of Stirling's
formula is of the order of the inverse cells. The lnΓ whose differences this replaces are as large as a ln a.

The condition number of a weight is the square root of the smaller of cells and balls: counts and balls therefore are
sums of two floats, high and low, and δ is exact before it is rounded.
"""

from __future__ import annotations

import math
from typing import Any

from statnn._compile import helper, kernel
from statnn.activation._laws.special import (
    LARGE,
    STIRLING,
    deviance_series,
    digamma_beyond_scalar,
    mixed_log_gamma_scalar,
    trigamma_beyond_scalar,
)

_HALF_LOG_TAU = 0.5 * math.log(2 * math.pi)
_SPLIT = 2.0**27 + 1
"""The rounded product with x splits the 53 bits of x into two halves whose products are exact (Veltkamp)."""


@helper
def _remainder(x: float) -> float:
    """Return mu(x): ln Gamma(x) beyond (x - 1/2) ln x - x + ln(2 pi)/2."""
    if x < LARGE:  # nothing large cancels there, and the series would not have converged
        return math.lgamma(x) - ((x - 0.5) * math.log(x) - x + _HALF_LOG_TAU)
    square, total = 1.0 / (x * x), 0.0
    for i in range(len(STIRLING) - 1, -1, -1):
        total = total * square + STIRLING[i]
    return total / x


@helper
def _deviance(x: float, delta: float, e: float) -> float:
    """Return x ln(x/e) + e - x for x - e = delta, which is given separately to keep its digits."""
    v = delta / (2.0 * x - delta)
    if -0.3 < v < 0.3:  # beyond, no two terms below nearly cancel; within, every term is less than 0.09 of the last
        return deviance_series(x, delta, v)
    return x * (math.log(x) - math.log(e)) - delta


@helper
def _product_error(x: float, y: float, product: float) -> float:
    """Return x y - product, exactly (Dekker 1971)."""
    high_x, high_y = x * _SPLIT, y * _SPLIT
    high_x, high_y = high_x - (high_x - x), high_y - (high_y - y)
    low_x, low_y = x - high_x, y - high_y
    return ((high_x * high_y - product) + high_x * low_y + low_x * high_y) + low_x * low_y


@helper
def _cross(x: float, x_low: float, y: float, y_low: float, u: float, u_low: float, v: float, v_low: float) -> float:
    """Return x y - u v of sums of two floats each, to the last digits."""
    first, second = x * y, u * v
    error = _product_error(x, y, first) - _product_error(u, v, second)
    return (first - second) + (error + (x * y_low + x_low * y - u * v_low - u_low * v))


@kernel
def log_beta_binomial(k: Any, m: Any, a: Any, b: Any, out: Any) -> None:
    """Fill ln P(k black, m white), each argument of shape (2, size): high and low parts of whole numbers and balls."""
    for i in range(out.size):
        K, M, A, B = k[0, i], m[0, i], a[0, i], b[0, i]
        # an empty cell has no Stirling form; the weight is then one mixed difference of lnΓ
        if K == 0.0:
            out[i] = -mixed_log_gamma_scalar(B, A, M)
            continue
        if M == 0.0:
            out[i] = -mixed_log_gamma_scalar(A, B, K)
            continue
        # products with counts stay in range; a power of two, so that scaling rounds nothing
        scale = 1.0 if max(A, B) < 1e200 else 2.0**-300
        cross = _cross(A * scale, a[1, i] * scale, M, m[1, i], B * scale, b[1, i] * scale, K, k[1, i])
        black, white, balls, draws = A + K, B + M, A + B, K + M
        total = balls + draws
        delta = cross / (total * scale)
        off = (
            _deviance(A, delta, black * (balls / total))
            + _deviance(K, -delta, black * (draws / total))
            + _deviance(B, -delta, white * (balls / total))
            + _deviance(M, delta, white * (draws / total))
        )
        # ratios before products: a b n T itself overflows for balls of 1e100
        width = math.log((A / black) * (total / balls)) + math.log((B / white) * (draws / (K * M)))
        rest = _remainder(black) - _remainder(A) - _remainder(K) + _remainder(white) - _remainder(B) - _remainder(M)
        rest += _remainder(balls) + _remainder(draws) - _remainder(total)
        out[i] = 0.5 * width - _HALF_LOG_TAU + rest - off


@kernel
def log_negative_binomial(k: Any, s: Any, odds: Any, out: Any) -> None:
    """Fill ln P(k) of shape s and odds mean/shape, in parts as above: infinitely many white balls and draws."""
    for i in range(out.size):
        K, S, q = k[0, i], s[0, i], odds[0, i]
        if K == 0.0:
            out[i] = -S * math.log1p(q)
            continue
        if q == 0.0:
            out[i] = -math.inf
            continue
        scale = 1.0 if max(K, S) < 1e200 else 2.0**-300
        delta = _cross(S * scale, s[1, i] * scale, q, odds[1, i], K * scale, k[1, i] * scale, 1.0, 0.0)
        delta /= (1.0 + q) * scale
        total = S + K
        off = _deviance(K, -delta, total * (q / (1.0 + q))) + _deviance(S, delta, total / (1.0 + q))
        rest = _remainder(total) - _remainder(S) - _remainder(K)
        out[i] = 0.5 * math.log((S / total) / K) - _HALF_LOG_TAU + rest - off


@kernel
def log_binomial(k: Any, m: Any, hazard: Any, out: Any) -> None:
    """Fill ln P(k of n = k + m) of chance 1 - exp(-hazard), counts in parts as above: infinitely many balls."""
    for i in range(out.size):
        K, M, h = k[0, i], m[0, i], hazard[i]
        woken, asleep = -math.expm1(-h), math.exp(-h)
        if K == 0.0:
            out[i] = -h * M
        elif woken == 0.0:
            out[i] = -math.inf
        elif M == 0.0:
            out[i] = K * (math.log1p(-asleep) if asleep < 0.5 else math.log(woken))
        elif asleep < 1e-290:  # woken^K is 1 to rounding here
            out[i] = mixed_log_gamma_scalar(1.0, K, M) - h * M
        else:
            n = K + M
            delta = _cross(K, k[1, i], asleep, 0.0, M, m[1, i], woken, 0.0)
            off = _deviance(K, delta, n * woken) + _deviance(M, -delta, n * asleep)
            out[i] = 0.5 * math.log(n / K / M) - _HALF_LOG_TAU + _remainder(n) - _remainder(K) - _remainder(M) - off


@kernel
def beta_binomial_slopes(k: Any, m: Any, times: Any, draws: float, b: float, odds: float) -> Any:
    """Return two first and three second derivatives of Σ times ln P(k, m) in ln b and ln odds, with b/odds white balls.

    With δ as above, b + k black and b/odds + m white balls after the draws, and ψ split into ln and a rest, nothing
    cancels.
    """
    w = b / odds
    a, share, rest = b + w, odds / (1.0 + odds), 1.0 / (1.0 + odds)
    whole, bend = digamma_beyond_scalar(a, draws), trigamma_beyond_scalar(a, draws)
    scale, of_odds, both, across, own = 0.0, 0.0, 0.0, 0.0, 0.0
    for i in range(k.size):
        K, M, t = k[i], m[i], times[i]
        black, white = b + K, w + M
        delta = (share * draws - K if share < 0.5 else M - rest * draws) * (a / (a + draws))
        off = _deviance(b, delta, black * (a / (a + draws))) + _deviance(w, -delta, white * (a / (a + draws)))
        beyond = digamma_beyond_scalar(w, M)
        scale += t * (b * digamma_beyond_scalar(b, K) + w * beyond - a * whole - off)
        v = delta / w
        pull = w * ((math.log1p(v) if -0.5 < v < 0.5 else math.log(white / w * (a / (a + draws)))) + beyond - whole)
        bent = w * w * trigamma_beyond_scalar(w, M)
        of_odds -= t * pull
        spread = delta / black * (delta / white) * (a + draws)
        both += t * (spread - b * b * trigamma_beyond_scalar(b, K) - bent + a * a * bend)
        across += t * (w * (delta / white) + bent - w * a * bend - pull)
        own += t * (pull - w * ((b * (M / white) + delta * (w / white)) / a) - bent + w * w * bend)
    return scale, of_odds, both + scale, across, own


@kernel
def negative_binomial_slopes(k: Any, times: Any, mean: float, s: float) -> Any:
    """Return first and second derivative in s of Σ times ln P(k) of shape s, with `mean` that of the counts."""
    first, second, x = 0.0, 0.0, s + mean
    for i in range(k.size):
        delta = k[i] - mean
        first += times[i] * (digamma_beyond_scalar(s, k[i]) - _deviance(x, -delta, s + k[i]) / x)
        second += times[i] * ((delta / x) * (delta / x) / (s + k[i]) - trigamma_beyond_scalar(s, k[i]))
    return first, second
