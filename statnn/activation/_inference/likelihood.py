r"""Likelihood of activation counts under the three laws, with exact derivatives, and its maximum.

All three likelihoods share one sum over neurons, :math:`\Sigma(b) = \sum_i \ln[(b)_{D_i}/D_i!]` with the
rising
factorial :math:`(b)_k`, and differ in what normalises it (n = ΣD_i, N neurons, D samples):

================  ==============================================================================
beta-Bernoulli    :math:`\Sigma(b) + \sum_i \ln[(\beta)_{D-D_i}/(D-D_i)!] - N\ln[(b+\beta)_D/D!]`
urn, given n      :math:`\Sigma(b) - \ln[(bN)_n/n!]`
gamma-Poisson     :math:`\Sigma(b) + bN\ln\frac{bN}{n+bN} + n\ln\frac{n}{n+bN}` at the maximum c = n/D
================  ==============================================================================

The coordinates are :math:`\theta = (\ln b,\; \mathrm{logit}\, c/N)` for the first law, where
:math:`c/N = b/(b+\beta)`, and :math:`\theta = (\ln b)` for the two others. They are unbounded, and nearly
independent of each other under the likelihood.
"""

import math
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from statnn._compile import kernel
from statnn.activation._laws.beta_binomial import log_rising, log_weight
from statnn.activation._laws.special import digamma_difference_scalar, trigamma_difference_scalar

Vector: TypeAlias = NDArray[np.float64]
Expansion: TypeAlias = tuple[float, Vector, Vector]
"""Log-likelihood, its gradient, shape (p,), and its Hessian, shape (p, p), at one point."""


@dataclass(frozen=True)
class Tally:
    """Counts as the likelihood sees them: which values occur and how often.

    Parameters
    ----------
    value, times : ndarray of float
        Distinct counts in increasing order and the number of neurons that have each, shape (distinct,).
    samples : int
        Number D of samples.
    """

    value: Vector
    times: Vector
    samples: int

    @classmethod
    def of(cls, counts: NDArray[np.int64], samples: int) -> "Tally":
        """Group the counts of all neurons, shape (neurons,)."""
        value, times = np.unique(counts, return_counts=True)
        return cls(value.astype(float), times.astype(float), samples)

    @property
    def neurons(self) -> float:
        """Number N of neurons."""
        return float(self.times.sum())

    @property
    def total(self) -> float:
        """Number n of activations, the sum of all counts."""
        return float(self.times @ self.value)

    @property
    def pairs(self) -> float:
        """Ordered pairs of activations of one neuron, the sum of D_i (D_i - 1)."""
        return float(self.times @ (self.value * (self.value - 1)))


@kernel
def _rise(x: float, k: Vector, times: Vector) -> tuple[float, float]:
    """First and second derivative of sum(times * ln (x)_k) in x."""
    first, second = 0.0, 0.0
    for i in range(k.size):
        first += times[i] * digamma_difference_scalar(x, k[i])
        second -= times[i] * trigamma_difference_scalar(x, k[i])
    return first, second


def _rise_of_one(x: float, k: float, times: float) -> tuple[float, float]:
    first, second = digamma_difference_scalar(x, k), -trigamma_difference_scalar(x, k)
    return times * first, times * second


def _shared(tally: Tally, b: float) -> tuple[float, float, float]:
    """Return the sum over neurons that all laws share, and its two derivatives in b."""
    value = float(tally.times @ log_rising(b, tally.value))
    return value, *_rise(b, tally.value, tally.times)


def _log_scale(b: float, value: float, first: float, second: float) -> Expansion:
    """Expand in ln b what is given with derivatives in b."""
    return value, np.array([b * first]), np.array([[b * b * second + b * first]])


def shape_parameters(theta: Vector) -> tuple[float, float]:
    """Return (b, beta) from (ln b, logit c/N)."""
    return math.exp(theta[0]), math.exp(theta[0] - theta[1])


def beta_bernoulli(tally: Tally, theta: Vector) -> Expansion:
    """Expand the product of beta-binomial weights at ``theta = (ln b, logit c/N)``."""
    b, beta = shape_parameters(theta)
    value = tally.times @ log_weight(tally.value, float(tally.samples), b, beta)
    on, on_slope = _rise(b, tally.value, tally.times)
    off, off_slope = _rise(beta, tally.samples - tally.value, tally.times)
    norm, norm_slope = _rise_of_one(b + beta, float(tally.samples), tally.neurons)
    pull = np.array([b * (on - norm), beta * (off - norm)])
    curve = np.array(
        [
            [b * b * (on_slope - norm_slope) + pull[0], -b * beta * norm_slope],
            [-b * beta * norm_slope, beta * beta * (off_slope - norm_slope) + pull[1]],
        ]
    )
    turn = np.array([[1.0, 0.0], [1.0, -1.0]])  # d(ln b, ln beta) / d(ln b, logit c/N)
    return float(value), turn.T @ pull, turn.T @ curve @ turn


def polya_urn(tally: Tally, theta: Vector) -> Expansion:
    """Expand the Dirichlet-multinomial weight of the counts, given their total, at ``theta = (ln b,)``."""
    b, n, neurons = math.exp(theta[0]), tally.total, tally.neurons
    value, first, second = _shared(tally, b)
    value -= float(log_rising(b * neurons, n))
    norm, norm_slope = _rise_of_one(b * neurons, n, neurons)
    return _log_scale(b, value, first - norm, second - neurons * norm_slope)


def gamma_poisson(tally: Tally, theta: Vector) -> Expansion:
    """Expand the product of negative binomial weights at ``theta = (ln b,)`` and c = n/D."""
    b, n, neurons = math.exp(theta[0]), tally.total, tally.neurons
    value, first, second = _shared(tally, b)
    mean = n / neurons
    value += -neurons * b * math.log1p(mean / b) - n * math.log1p(b / mean)
    first -= neurons * math.log1p(mean / b)
    second += neurons * mean / (b * (b + mean))
    return _log_scale(b, value, first, second)
