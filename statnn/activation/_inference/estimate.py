r"""Maximum likelihood of (b, c): where to start, when there is a maximum at all, and the climb to it.

A finite b exists only if counts vary more between neurons than they would with one common firing
probability. The moment that decides it is, for beta-Bernoulli, the correlation between two samples of one
neuron,

.. math:: \rho = \frac{1}{N D(D-1)} \sum_i \Bigl[\frac{D_i(D_i-1)}{\mu}
          + \frac{(D-D_i)(D-D_i-1)}{1-\mu}\Bigr] - 1, \qquad \mu = \frac{n}{ND},

which estimates :math:`1/(b+\beta+1)` and is also the slope of the likelihood in that variable at b = ∞; for
the two other laws it is :math:`N\sum_i D_i(D_i-1)/n^2 - 1` (the urn: :math:`n(n-1)` below), which estimates
1/b. The same numbers start Newton's method. They are computed from the sum of :math:`(D_i - \bar D)^2`
over its value under a common probability, because the terms above cancel if activations or samples are many.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from statnn.activation._beta_bernoulli import BetaBernoulli
from statnn.activation._gamma_poisson import GammaPoisson
from statnn.activation._inference import likelihood
from statnn.activation._inference.likelihood import Expansion, Tally, Vector
from statnn.activation._polya_urn import PolyaUrn

Process: TypeAlias = BetaBernoulli | PolyaUrn | GammaPoisson

LIKELIHOODS: dict[type[Process], Callable[[Tally, Vector], Expansion]] = {
    BetaBernoulli: likelihood.beta_bernoulli,
    PolyaUrn: likelihood.polya_urn,
    GammaPoisson: likelihood.gamma_poisson,
}
CONVERGED = 1e-6
"""Distance to the maximum, in standard errors, at which a solution counts as found."""

_MOST_STEPS = 100
_LONGEST_STEP = 2.0  # no single step may change b by more than a factor e^2


class NoFiniteFitError(ValueError):
    """The likelihood has no maximum at finite b; the message says why and shows what can be said."""


@dataclass(frozen=True)
class Maximum:
    """Where Newton's method ended.

    Parameters
    ----------
    theta : ndarray
        Coordinates of :mod:`statnn.activation._inference.likelihood`, shape (p,).
    log_likelihood : float
        Value there.
    information : ndarray
        Observed information, minus the Hessian, shape (p, p).
    residual : float
        Length of the gradient in the metric of the inverse information, that is the distance to the maximum
        in standard errors of the estimate; infinite if the Hessian is not that of a maximum.
    steps : int
        Newton steps taken.
    """

    theta: Vector
    log_likelihood: float
    information: Vector
    residual: float
    steps: int


def _ascent(gradient: Vector, hessian: Vector) -> tuple[Vector, float]:
    """Return Newton's step and its residual.

    Away from a maximum the Hessian may have the wrong sign; its eigenvalues are then taken by modulus, which
    makes every step an ascent.
    """
    if gradient.size == 1:  # no eigenvectors needed; most fits have b alone
        curvature, slope, axes = -hessian[0], gradient, np.ones((1, 1))
    else:
        curvature, axes = np.linalg.eigh(-hessian)
        slope = axes.T @ gradient
    # a floor on curvatures: along a flat direction the step would be endless
    step = axes @ (slope / np.maximum(np.abs(curvature), 1e-12 * np.abs(curvature).max()))
    residual = math.sqrt(float(slope @ (slope / curvature))) if curvature[0] > 0 else math.inf
    return step * min(1.0, _LONGEST_STEP / max(float(np.abs(step).max()), 1e-300)), residual


def maximise(expand: Callable[[Vector], Expansion], start: Vector) -> Maximum:
    """Climb by Newton's method; a step that lowers the likelihood is halved."""
    theta, (value, gradient, hessian) = start, expand(start)
    step, residual = _ascent(gradient, hessian)
    steps = 0
    while residual > CONVERGED and steps < _MOST_STEPS:
        rounding = 1e-12 * abs(value)  # smaller losses mean nothing
        trial = expand(theta + step)
        while trial[0] < value - rounding and np.abs(step).max() > 1e-12:
            step = step / 2
            trial = expand(theta + step)
        theta, (value, gradient, hessian) = theta + step, trial
        step, residual = _ascent(gradient, hessian)
        steps += 1
    return Maximum(theta, value, -hessian, residual, steps)


def _refuse(tally: Tally, law: type[Process], excess: float) -> None:
    neurons, total, samples = tally.neurons, tally.total, tally.samples
    mean = f"c = {total / samples:.6g}"
    if total == 0:
        raise NoFiniteFitError(
            f"all {neurons:.0f} counts are 0: c = 0 and nothing is known of b. "
            "Is the threshold above the range of the activations?"
        )
    if law is BetaBernoulli:
        if not tally.silent.any():
            raise NoFiniteFitError(
                f"all {neurons:.0f} neurons fired in all {samples} samples: c = N and nothing is known of b. "
                "Is the threshold below the range of the activations?"
            )
        if samples == 1:
            raise NoFiniteFitError(f"one sample gives {mean} and nothing of b: record at least two")
        if ((tally.counts == 0) | (tally.counts == samples)).all():
            raise NoFiniteFitError(
                f"every neuron fired either never or in all {samples} samples: {mean}, b = 0 in the limit. "
                "Record more samples, or drop the neurons that are always on"
            )
    if law is PolyaUrn and tally.times[tally.counts > 0].sum() == 1:
        raise NoFiniteFitError(
            f"all {total:.0f} events fell on one neuron: {mean}, b = 0 in the limit. Record more events"
        )
    if not excess > 0:
        raise NoFiniteFitError(
            f"counts vary no more between neurons than with one common firing probability (excess "
            f"{excess:.3g}, must be > 0): the likelihood of {law.__name__} grows up to b = inf; {mean}. "
            "Record more samples, or describe the counts by a binomial law"
        )


def _start(tally: Tally, law: type[Process]) -> tuple[Vector, float]:
    """Return the moment estimate and the excess it rests on."""
    neurons, n, samples = tally.neurons, tally.total, float(tally.samples)
    if law is BetaBernoulli:
        silent = float(tally.times @ tally.silent)
        if n == 0 or silent == 0 or samples == 1:
            return np.zeros(2), 0.0
        excess = (tally.squares / n * (neurons * samples / silent) - 1) / (samples - 1)
        b = n / (neurons * samples) * max(1 / excess - 1, 1e-3) if excess > 0 else math.inf
        return np.array([math.log(b), math.log(n / silent)]), excess
    if law is PolyaUrn:
        excess = (neurons * tally.squares / n - neurons + 1) / (n - 1) if n > 1 else 0.0
    else:
        excess = (tally.squares / n - 1) * neurons / n if n > 0 else 0.0
    return np.array([-math.log(excess) if excess > 0 else math.inf]), excess


def estimate(tally: Tally, law: type[Process]) -> Maximum:
    """Return the maximum of the likelihood of ``law``, or raise `NoFiniteFitError`."""
    expand = LIKELIHOODS[law]
    start, excess = _start(tally, law)
    _refuse(tally, law, excess)
    maximum = maximise(lambda theta: expand(tally, theta), start)
    if law is BetaBernoulli and 1 + math.exp(-maximum.theta[1]) == 1:
        raise NoFiniteFitError(
            f"neurons were silent in {tally.times @ tally.silent / tally.neurons:.3g} of {tally.samples:.3g} samples "
            "on average: c is N to the last digit. Fit how often each was silent, samples - counts"
        )
    return maximum


def process_at(tally: Tally, law: type[Process], theta: Vector) -> Process:
    """Return the process that the coordinates ``theta`` stand for."""
    neurons = round(tally.neurons)
    if law is BetaBernoulli:
        return BetaBernoulli(neurons, math.exp(theta[0]), neurons / (1 + math.exp(-theta[1])))
    return law(neurons, math.exp(theta[0]), tally.total / tally.samples)


def covariance(tally: Tally, process: Process, information: Vector) -> Vector:
    """Return the covariance of (b, c), shape (2, 2), from the information in the coordinates theta."""
    b, c, neurons = process.b, process.c, tally.neurons
    inverse = np.linalg.inv(information)
    if isinstance(process, BetaBernoulli):
        jacobian = np.diag([b, c * (1 - c / neurons)])
        return np.asarray(jacobian @ inverse @ jacobian)
    # c = n/D: the urn's n is given; otherwise n is a sum of N negative binomial counts, uncorrelated with b
    of_c = 0.0 if isinstance(process, PolyaUrn) else c / tally.samples * (1 + c * tally.samples / (b * neurons))
    return np.diag([b * b * float(inverse[0, 0]), of_c])
