"""Kernels that jump from checkpoint to checkpoint: the joint law of a whole path at a cost independent of D."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from statnn._compile import helper, kernel
from statnn._xoshiro import uniform
from statnn.activation._laws.special import deviance_series


@helper
def _log_gamma_variate(rng: Any, shape: float) -> float:
    """Logarithm of a gamma variate: small shapes give values far below the smallest float."""
    if shape < 1.0:  # Gamma(a) = Gamma(a+1) U^(1/a), taken in logarithms, where the power does not underflow
        return float(math.log(rng.standard_gamma(shape + 1.0)) - rng.standard_exponential() / shape)
    return math.log(rng.standard_gamma(shape))


@helper
def _stirling_error(k: float) -> float:
    """ln k! - [k ln k - k + ln(2 pi k)/2], for k >= 1."""
    if k < 16.0:
        return math.lgamma(k + 1.0) - (k * math.log(k) - k + 0.5 * math.log(2.0 * math.pi * k))
    return (1 / 12 - (1 / 360 - 1 / 1260 / (k * k)) / (k * k)) / k


@helper
def _deviance(k: float, mean: float) -> float:
    """k ln(k / mean) + mean - k without cancellation near k = mean."""
    if abs(k - mean) > 0.1 * (k + mean):
        return k * math.log(k / mean) + mean - k
    return deviance_series(k, k - mean, (k - mean) / (k + mean))


@helper
def _log_binomial(k: float, n: float, p: float, q: float) -> float:
    """Log weight of k successes; the saddle-point form keeps its digits at n = 1e18."""
    if k == 0.0:
        return n * math.log1p(-p)
    if k == n:
        return n * math.log(p)
    return (
        _stirling_error(n)
        - _stirling_error(k)
        - _stirling_error(n - k)
        - _deviance(k, n * p)
        - _deviance(n - k, n * q)
        + 0.5 * math.log(n / (2.0 * math.pi * k * (n - k)))
    )


@kernel
def binomial(bits: Any, n: int, p: float, q: float) -> int:
    """Draw Binomial(n, p) with q = 1 - p given separately, so that neither end loses its digits.

    Inversion below a mean of 10; above it transformed rejection (Hörmann 1993, algorithm BTRS) with the
    squeeze of Kachitvichyanukul and Schmeiser (1988) around the normal weight.
    """
    if n == 0 or p == 0.0:
        return 0
    if p > 0.5:
        return n - _few_or_many(bits, n, q, p)
    return _few_or_many(bits, n, p, q)


@helper
def _few_or_many(bits: Any, n: int, p: float, q: float) -> int:
    mean = n * p
    if mean < 10.0:
        u = uniform(bits)
        if u < 1.0 - mean:  # (1-p)^n >= 1 - np: mostly 0, without an exponential
            return 0
        weight = math.exp(n * math.log1p(-p))
        odds = p / q
        k = 0
        while u > weight and k < n:
            u -= weight
            weight *= (n - k) * odds / (k + 1)
            k += 1
            if weight < 1e-30 and k > mean:  # rounded weights may sum to less than 1, and u may lie in the gap
                break
        return k
    size = float(n)
    spread = math.sqrt(mean * q)
    # constants of Hoermann's hat, k = (2 a/edge + b) u + centre for u uniform in (-1/2, 1/2), fitted for np >= 10
    b = 1.15 + 2.53 * spread
    a = -0.0873 + 0.0248 * b + 0.01 * p
    inner = 0.92 * b - 4.2
    centre = mean + 0.5
    log_mode = 1.0
    while True:
        u = uniform(bits) - 0.5
        v = uniform(bits)
        edge = 0.5 - abs(u)
        if edge <= 0.0 or v <= 0.0:
            continue
        k = np.floor((2.0 * a / edge + b) * u + centre)
        if edge >= 0.07 and v * b <= inner:  # a box that lies under the weights: most draws end here
            return int(k)
        if k < 0.0 or k > size:
            continue
        v = math.log(v * (2.83 + 5.1 / b) * spread / (a / (edge * edge) + b))
        mode = np.floor((size + 1.0) * p)
        d = abs(k - mode)
        variance = mean * q
        if 20.0 < d < 0.5 * variance - 1.0:
            # ln of the weight over that of the mode is normal up to `doubt`: outside this band it is not needed
            doubt = d / variance * ((d * (d / 3.0 + 0.625) + 1.0 / 6.0) / variance + 0.5)
            normal = -0.5 * d * d / variance
            if v < normal - doubt:
                return int(k)
            if v > normal + doubt:
                continue
        if log_mode > 0.0:
            log_mode = _log_binomial(mode, size, p, q)
        if v <= _log_binomial(k, size, p, q) - log_mode:
            return int(k)


@kernel
def independent_counts(rng: Any, bits: Any, black: Any, white: Any, draws: Any, out: Any) -> None:
    """Fill out[t, i], activations of neuron i in the first draws[t] draws: one hidden p_i, binomial increments."""
    for i in range(black.size):
        # p and q each from the ratio of two gammas: 1 - p would lose a q below 1e-16; exp(700) is still finite
        fire = _log_gamma_variate(rng, black[i])
        rest = _log_gamma_variate(rng, white[i])
        p = 1.0 / (1.0 + math.exp(min(rest - fire, 700.0)))
        q = 1.0 / (1.0 + math.exp(min(fire - rest, 700.0)))
        before = 0
        count = 0
        for t in range(draws.size):
            count += binomial(bits, draws[t] - before, p, q)
            before = draws[t]
            out[t, i] = count


@kernel
def competing_counts(rng: Any, bits: Any, weights: Any, draws: Any, out: Any) -> None:
    """Fill out[t, i] for the urn: one hidden Dirichlet p, multinomial increments as a chain of binomials."""
    size = weights.size
    share = weights.copy()
    top = -math.inf
    for i in range(size):
        share[i] = _log_gamma_variate(rng, weights[i])
        top = max(top, share[i])
    for i in range(size):
        share[i] = math.exp(share[i] - top)  # the largest is 1, so that their sum cannot vanish
    # sums of the later shares, added from the end: differences from a total could go below zero by rounding
    beyond = share.copy()
    beyond[size - 1] = 0.0
    for i in range(size - 2, -1, -1):
        beyond[i] = beyond[i + 1] + share[i + 1]
    before = 0
    for t in range(draws.size):
        left = draws[t] - before
        before = draws[t]
        for i in range(size):
            count = out[t - 1, i] if t > 0 else 0
            if left > 0 and share[i] > 0.0:
                total = share[i] + beyond[i]
                new = binomial(bits, left, share[i] / total, beyond[i] / total)
                left -= new
                count += new
            out[t, i] = count


@kernel
def births(rng: Any, asleep: int, b: float, history: float, draws: Any, out: Any) -> None:
    """Fill out[t], neurons woken in the first draws[t] events: O(K) geometric waits, each of a beta-distributed chance.

    While j neurons have woken, a birth has the chance b(M-j)/(y+n) at event n: a two-colour urn again, so the
    wait is geometric given a hidden p ~ Beta(b(M-j), y+n-b(M-j)).
    """
    woken, n, t = 0, 0, 0
    while t < draws.size:
        wait = math.inf
        if woken < asleep:
            awake = history + n + b * woken
            wait = 1.0
            if awake > 0.0:
                log_odds = _log_gamma_variate(rng, b * (asleep - woken)) - _log_gamma_variate(rng, awake)
                rate = math.log1p(math.exp(min(log_odds, 700.0)))
                e = rng.standard_exponential()
                # a float: beyond 2^63 what math.floor returns in a kernel depends on the version of numba
                wait = 1.0 + np.floor(e / rate) if rate > 0.0 else math.inf
        while t < draws.size and n + wait > draws[t]:
            out[t] = woken
            t += 1
        if t < draws.size:
            n += int(wait)
            woken += 1
