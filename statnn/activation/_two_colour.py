r"""A neuron against the rest: the two-colour Pólya urn behind the beta-Bernoulli process and the Pólya urn.

One neuron starts with b black balls beside x white ones; each draw returns its ball with another of the same
colour. After m draws the number of black draws is BetaBinomial(m; b, x) by de Finetti's theorem, and

.. math:: P(\text{no black draw}) = \frac{\Gamma(m+x)\,\Gamma(x+b)}{\Gamma(m+x+b)\,\Gamma(x)}
          = e^{-L(x;\,b,\,m)}.

A history of :math:`m_0` draws, k of them black, leaves the same urn with b + k black and
:math:`x + m_0 - k` white balls.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy import optimize

from statnn._arguments import Floats, Ints, shaped, whole
from statnn.activation._gamma_poisson import GammaPoisson
from statnn.activation._laws.beta_binomial import beta_binomial, parts
from statnn.activation._laws.special import digamma_difference, flatness_scalar, mixed_log_gamma
from statnn.activation._process import ActivationProcess


class TwoColourUrn(ActivationProcess):
    """Abstract process whose single neuron sees ``_pace`` draws per sample against ``_white`` balls."""

    @property
    @abstractmethod
    def _exact_white(self) -> Fraction:
        """x: white balls before the first draw, exactly."""

    @property
    @abstractmethod
    def _pace(self) -> float:
        """Draws per sample."""

    @abstractmethod
    def _draws(self, D: int) -> int:
        """Whole number of draws in D samples."""

    def _draws_at(self, D: Ints) -> Ints:
        """Draws since the start at each checkpoint."""
        before = self._draws(self._begin)
        return np.array([self._draws(d) - before for d in D.tolist()], dtype=np.int64)

    @cached_property
    def _white(self) -> float:
        """The nearest float."""
        return float(self._exact_white)

    @property
    def _white_now(self) -> float:
        """White balls of a silent neuron at the start."""
        return self._white + self._pace * self._begin

    def _hazard_after(self, D0: Floats, passed: Floats) -> Floats:
        return mixed_log_gamma(self._white + self._pace * D0, self.b, self._pace * passed)

    def _hazard_rate(self, D: Floats) -> Floats:
        return self._pace * digamma_difference(self._white + self._pace * D, self.b)

    def _law(self, D: int, initial: int, bonus: float) -> Any:
        before = self._draws(self._begin)
        black, black_low = parts(Fraction(self.b) + initial + Fraction(bonus))
        white, white_low = parts(self._exact_white + max(before - initial, 0))
        return beta_binomial(self._draws(D) - before, black, white, black_low, white_low, loc=initial)

    def count(self, D: int, *, initial: int = 0) -> Any:
        r"""Return the law of :math:`D_i` after D samples: BetaBinomial(m; b, x), m draws [exact].

        Parameters
        ----------
        D : int
            Samples.
        initial : int
            Activations that the neuron had at the start; 0 without a start.

        Returns
        -------
        frozen scipy.stats law
            Its weights keep 12 digits and its distribution function is feasible up to D = 1e18.
        """
        D = self._whole_samples(D)
        return self._law(D, whole(initial, "initial", minimum=0, maximum=self._draws(self._begin)), 0.0)

    def cutoff(self, D: ArrayLike) -> Any:
        r"""Return :math:`k_c = 1/\ln[1 + (x-1)/m]`: the weights fall as :math:`k^{b-1}e^{-k/k_c}`, 1 ≪ k ≪ m.

        Beside its b black balls the urn of a neuron has x white ones, bN/c - b for samples and b(N-1) for events, and m
        draws: D samples, or cD events. Infinite for :math:`x \le 1`, where nothing cuts the power law off before k = m;
        0 at D = 0 [exact]. After a start, x and m are counted from there.
        """
        draws = self._pace * self._passed(D)
        excess = max(float(self._exact_white + Fraction(self._pace) * self._begin - 1), 0.0)
        with np.errstate(divide="ignore"):
            fall = np.logaddexp(0.0, np.log(excess) - np.log(np.where(draws > 0, draws, 1.0)))
            return shaped(np.where(draws > 0, 1.0 / fall, 0.0), D)

    def inflection(self) -> float:
        r"""Return the D of steepest growth on a logarithmic axis.

        The root of :math:`1 + d\ln H'/d\ln D - D H' = 0`; its limit for many neurons has it at cD = N for every b
        [exact]. A process that starts beyond that point grows ever more slowly: then its start is returned.

        Examples
        --------
        >>> from statnn.activation import BetaBernoulli, GammaPoisson
        >>> GammaPoisson(1000, b=0.3, c=5.0).inflection()
        200.0
        >>> round(BetaBernoulli(1000, b=0.3, c=5.0).inflection(), 3)
        197.835
        """

        def still_rising(log_D: float) -> float:
            D = math.exp(log_D)
            white = self._white + self._pace * D  # 1 + d ln H'/d ln D without its cancellation at large D
            rise = (self._white + self._pace * D * flatness_scalar(white, self.b)) / white
            return rise - D * float(self._hazard_rate(np.array([D]))[0])

        first = self._begin
        if first > 0 and still_rising(math.log(first)) <= 0:
            return float(first)
        low = math.log(max(self.neurons / self.c, first)) - 1.0
        while still_rising(low) <= 0:
            low -= 1.0
        high = low + 2.0
        while still_rising(high) >= 0:
            high += 1.0
        return math.exp(optimize.brentq(still_rising, low, high, xtol=1e-15))

    def limit(self) -> GammaPoisson:
        """Return the gamma-Poisson process of the same N, b, c and start; its ``working`` is the paper's formula."""
        return GammaPoisson(self.neurons, self.b, self.c, start=self.start)

    def limit_error_bound(self, D: ArrayLike) -> Any:
        r"""Bound the relative error of the paper's formula: :math:`0 \le (E[K] - K_{paper})/E[K] \le` this.

        With x white balls and m draws as in `cutoff`, :math:`A = x + b`, and bounds on the fall of the hazard from one
        number to the next (``theory``, "bound") [own]:

        .. math:: H - H_{paper} \le E = {} & \tfrac b2\ln\frac{1+m/x}{1+m/A}
                  + \tfrac b4\Bigl[\tfrac1x-\tfrac1{x+m}+\tfrac1A-\tfrac1{A+m}\Bigr] \\
                  & + \tfrac b{24}\Bigl[\tfrac1{x^2}-\tfrac1{(x+m)^2}+\tfrac1{A^2}-\tfrac1{(A+m)^2}\Bigr].

        The bound is tight to leading order in 1/N: it has the coefficient of the first correction.

        Parameters
        ----------
        D : array_like
            Samples, any real number >= 0.

        Returns
        -------
        float or ndarray
            Shape of ``D``.

        Examples
        --------
        >>> from statnn.activation import BetaBernoulli
        >>> process = BetaBernoulli(1000, b=0.3, c=5.0)
        >>> error = 1 - process.limit().working(100) / process.working(100)
        >>> bool(0 < error <= process.limit_error_bound(100) < 1.01 * error)
        True
        """
        white = self._white_now
        total = white + self.b
        draws = self._pace * self._passed(D)
        pull = self.b * (draws / (total + draws)) * (self.b / white)  # products of small factors alone may underflow
        excess = pull / 2 * _log_ratio(draws / (total + draws) * (self.b / white))
        for y in (white, total):
            fall = self.b * (draws / (y + draws)) / y
            excess += fall / 4 + fall / 24 * (1 / y + 1 / (y + draws))
        plain = self.b * np.log1p(draws / total)
        missed = -self._asleep * np.exp(-plain) * np.expm1(-excess)
        working = self.neurons - self._asleep - self._asleep * np.expm1(-plain - excess)
        steeper = self.b / white / 2 + sum(total / y * (1 / 4 / y + 1 / 12 / y / y) for y in (white, total))
        at_once = 1 / (1 + 1 / steeper)
        first = (draws < 1e-17 * white) & (plain + excess < 1e-17) & (self._asleep == self.neurons)
        return shaped(np.where(first, at_once, missed / np.where(first, 1.0, working)), D)


def _log_ratio(z: Floats) -> Floats:
    """Return ln(1 + z)/z, 1 at 0."""
    return np.asarray(np.where(z > 0, np.log1p(z) / np.where(z > 0, z, 1.0), 1.0))
