r"""Likelihood of activation counts under the three laws, with exact derivatives, and its maximum.

All three likelihoods share one sum over neurons, :math:`\Sigma(b) = \sum_i \ln[(b)_{D_i}/D_i!]` with the
rising factorial :math:`(b)_k`, and differ in what normalises it (n = ΣD_i, N neurons, D samples):

================  ==============================================================================
beta-Bernoulli    :math:`\Sigma(b) + \sum_i \ln[(\beta)_{D-D_i}/(D-D_i)!] - N\ln[(b+\beta)_D/D!]`
urn, given n      :math:`\Sigma(b) - \ln[(bN)_n/n!]`
gamma-Poisson     :math:`\Sigma(b) + bN\ln\frac{bN}{n+bN} + n\ln\frac{n}{n+bN}` at the maximum c = n/D
================  ==============================================================================

The coordinates are :math:`\theta = (\ln b,\; \mathrm{logit}\, c/N)` for the first law, where
:math:`c/N = b/(b+\beta)`, and :math:`\theta = (\ln b)` for the two others. They are unbounded, and nearly
independent of each other under the likelihood.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from statnn.activation._laws.beta_binomial import log_weight
from statnn.activation._laws.negative_binomial import log_weight as log_negative_weight
from statnn.activation._laws.special import digamma_beyond_scalar, trigamma_beyond_scalar
from statnn.activation._laws.weight_kernels import beta_binomial_slopes, negative_binomial_slopes

Vector: TypeAlias = NDArray[np.float64]
Expansion: TypeAlias = tuple[float, Vector, Vector]
"""Log-likelihood, its gradient, shape (p,), and its Hessian, shape (p, p), at one point."""


@dataclass(frozen=True)
class Tally:
    """Counts as the likelihood sees them: which values occur and how often.

    Parameters
    ----------
    counts : ndarray of int, shape (distinct,)
        Distinct counts in increasing order.
    times : ndarray of float, shape (distinct,)
        The number of neurons that have each.
    samples : int
        Number D of samples.
    """

    counts: NDArray[np.int64]
    times: Vector
    samples: int

    @classmethod
    def of(cls, counts: NDArray[np.int64], samples: int) -> Tally:
        """Group the counts of all neurons, shape (neurons,)."""
        value, times = np.unique(counts, return_counts=True)
        return cls(value, times.astype(float), samples)

    @cached_property
    def value(self) -> Vector:
        """Counts as floats."""
        return self.counts.astype(float)

    @cached_property
    def silent(self) -> Vector:
        """Samples without activation, D - D_i, from integers: floats lose the difference beyond 2^53."""
        return (self.samples - self.counts).astype(float)

    @cached_property
    def neurons(self) -> float:
        """Number N of neurons."""
        return float(self.times.sum())

    @cached_property
    def total(self) -> float:
        """Number n of activations, the sum of all counts."""
        return float(self.times @ self.value)

    @cached_property
    def squares(self) -> float:
        """Sum of squared deviations from the mean, from offsets: it may be far below the sum of squares."""
        off = (self.counts - self.counts[self.counts.size // 2]).astype(float)
        return float(self.times @ off**2) - float(self.times @ off) ** 2 / self.neurons


def _log_scale(b: float, value: float, first: float, second: float) -> Expansion:
    """Expand in ln b a quantity given with its derivatives in b."""
    return value, np.array([b * first]), np.array([[b * b * second + b * first]])


def shape_parameters(theta: Vector) -> tuple[float, float]:
    """Return (b, beta) from (ln b, logit c/N)."""
    return math.exp(theta[0]), math.exp(theta[0] - theta[1])


def beta_bernoulli(tally: Tally, theta: Vector) -> Expansion:
    """Expand the product of beta-binomial weights at ``theta = (ln b, logit c/N)``."""
    value = tally.times @ log_weight(tally.counts, np.int64(tally.samples), *shape_parameters(theta))
    seen = tally.value, tally.silent, tally.times, float(tally.samples)
    *slope, both, across, own = beta_binomial_slopes(*seen, math.exp(theta[0]), math.exp(theta[1]))
    return float(value), np.array(slope), np.array([[both, across], [across, own]])


def gamma_poisson(tally: Tally, theta: Vector) -> Expansion:
    """Expand the product of negative binomial weights at ``theta = (ln b,)`` and c = n/D."""
    b, mean = math.exp(theta[0]), tally.total / tally.neurons
    value = float(tally.times @ log_negative_weight(tally.counts, b, mean / b))
    return _log_scale(b, value, *negative_binomial_slopes(tally.value, tally.times, mean, b))


def polya_urn(tally: Tally, theta: Vector) -> Expansion:
    """Expand the Dirichlet-multinomial weight of the counts, given their total, at ``theta = (ln b,)``.

    It is the product of negative binomial weights over that of the total.
    """
    b, n, neurons = math.exp(theta[0]), tally.total, tally.neurons
    value = float(tally.times @ log_negative_weight(tally.counts, b, n / neurons / b))
    value -= float(log_negative_weight(np.array([n]), b * neurons, n / neurons / b)[0])
    first, second = negative_binomial_slopes(tally.value, tally.times, n / neurons, b)
    first -= neurons * digamma_beyond_scalar(b * neurons, n)
    return _log_scale(b, value, first, second + neurons**2 * trigamma_beyond_scalar(b * neurons, n))
