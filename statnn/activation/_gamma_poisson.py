r"""The common limit of both microscopic models for many neurons: rates from a gamma law, Poisson counts.

Neuron i fires as a Poisson process in D with a hidden rate :math:`p_i \sim \mathrm{Gamma}(b)` of mean c/N.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from statnn._arguments import LARGEST_COUNT, Floats, Ints, shaped, whole
from statnn._xoshiro import words
from statnn.activation._laws.beta_binomial import parts
from statnn.activation._laws.negative_binomial import negative_binomial
from statnn.activation._process import ActivationProcess
from statnn.activation._simulation.stepwise_kernels import EVENTS_AT_ONCE, clocked_events, urn_state


@dataclass(frozen=True)
class GammaPoisson(ActivationProcess):
    r"""N independent neurons with gamma-distributed rates; its ``working`` is the formula of arXiv 2412.18073.

    .. math:: P(D_i=k) = \frac{\Gamma(k+b)}{k!\,\Gamma(b)}(1-q)^b q^k, \quad q = \frac{cD}{cD+bN}, \qquad
              E[K] = N\Bigl[1-\Bigl(\frac{bN}{cD+bN}\Bigr)^b\Bigr].

    The limit N → ∞ at fixed cD/(bN) of :class:`BetaBernoulli` and :class:`PolyaUrn`; P(D_i = 0) of the
    former is smaller than here by the share (b+1)c/(2N) · cD/(cD+bN) + O((c/N)²) [asymptotic].

    Parameters
    ----------
    neurons : int
        N, from 2 to 1e15.
    b : float
        Shape of the rates, 1e-150 < b < 1e300/N and 1e-150 < bN/c < 1e290.
    c : float
        Mean number of activations per sample, 1e-150 < c < 1e150.
    start : Start or None
        What was seen before; given by :meth:`after`, None at the very beginning.

    See Also
    --------
    BetaBernoulli, PolyaUrn : finite numbers of neurons, exactly.
    fit : b and c from counts.

    References
    ----------
    Zhang & Sui 2024.

    Examples
    --------
    >>> GammaPoisson(1000, b=1.0, c=5.0).working([0, 200, 1800])
    array([  0., 500., 900.])
    >>> process = GammaPoisson(1000, b=1.0, c=5.0)
    >>> round(float(process.count(200).var()), 6), round(process.cutoff(200), 4), round(process.inflection(), 6)
    (2.0, 1.4427, 200.0)
    >>> round(process.working_std(200), 4), round(float(process.working_law(200).std()), 4)
    (15.8114, 15.8114)
    >>> process.limit() is process, process.limit_error_bound(200)
    (True, 0.0)
    """

    @property
    def _scale(self) -> float:
        """bN/c, the number of samples at which an average neuron has fired b times."""
        return self.b * (self.neurons / self.c)

    def _hazard_after(self, D0: Floats, passed: Floats) -> Floats:
        return self.b * np.log1p(passed / (self._scale + D0))

    def _hazard_rate(self, D: Floats) -> Floats:
        return self.b / (self._scale + D)

    def _shape_and_odds(self, D: int, initial: int = 0, bonus: float = 0.0) -> tuple[float, float, float, float]:
        """Return the parameters of the law of counts, each with the digits that a float leaves out."""
        shape, shape_low = parts(Fraction(self.b) + initial + Fraction(bonus))
        odds, odds_low = parts((D - self._begin) / (Fraction(self.b) * self.neurons / Fraction(self.c) + self._begin))
        return shape, odds, shape_low, odds_low

    def _law(self, D: int, initial: int, bonus: float) -> Any:
        return negative_binomial(*self._shape_and_odds(D, initial, bonus), loc=initial)

    def _check_history(self, samples: int, counts: Ints) -> None:
        super()._check_history(samples, counts)
        if sum(counts.tolist()) > LARGEST_COUNT:
            raise ValueError(f"counts sum to {sum(counts.tolist())}, above {LARGEST_COUNT}, the largest 64-bit count")

    def _draw_working(self, D: Ints, rng: np.random.Generator) -> Ints:
        return self._independent_working(D, rng)

    def _draw_counts(self, initial: Ints, D: Ints, rng: np.random.Generator, out: Ints) -> None:
        rates = rng.standard_gamma(self.b + initial) / (self._scale + self._begin)
        most = float(rates.max()) * float(D[-1])
        if most > LARGEST_COUNT:
            raise ValueError(f"a count of about {most:.1e} exceeds {LARGEST_COUNT:.1e}; ask for fewer samples")
        before, count = self._begin, initial
        for t, samples in enumerate(D.tolist()):
            count = count + rng.poisson(rates * (samples - before))
            out[t] = count
            before = samples

    def _steps(self, initial: Ints, D: Ints, rng: np.random.Generator) -> Iterator[Ints]:
        state, bits = urn_state(initial), words(rng)
        scale, passed = self._scale + self._begin, 0.0  # since the start: a clock beyond 2**53 would stand still
        for end in (D - self._begin).tolist():
            while passed < end:
                passed = clocked_events(bits, state, self.b, scale, passed, float(end), EVENTS_AT_ONCE)
            yield state.counts

    def count(self, D: int, *, initial: int = 0) -> Any:
        r"""Return the law of :math:`D_i` after D samples: NegativeBinomial(b, 1-q) [exact].

        Parameters
        ----------
        D : int
            Samples.
        initial : int
            Activations that the neuron had at the start; 0 without a start.

        Returns
        -------
        frozen scipy.stats law
            Weights of 12 digits, by shape b and odds cD/(bN).

        Raises
        ------
        TypeError, ValueError
            If D is not a whole number of samples, or no neuron of the start has `initial` activations.
        """
        D = self._whole_samples(D)
        most = 0 if self.start is None else int(self.start.counts.max())
        return self._law(D, whole(initial, "initial", minimum=0, maximum=most), 0.0)

    def cutoff(self, D: ArrayLike) -> Any:
        r"""Return :math:`k_c = -1/\ln q`: the weights fall as :math:`k^{b-1}e^{-k/k_c}` for k ≫ 1 [exact].

        :math:`k_c = cD/(bN) + 1/2 + O(bN/cD)`; 0 at D = 0.
        """
        passed = self._passed(D)
        fall = np.logaddexp(0.0, math.log(self._scale + self._begin) - np.log(np.where(passed > 0, passed, 1.0)))
        return shaped(np.where(passed > 0, 1.0 / fall, 0.0), D)

    def inflection(self) -> float:
        """Return the D of steepest growth on a logarithmic axis, cD = N for every b [exact]."""
        return max(self.neurons / self.c, float(self._begin))

    def working_std(self, D: ArrayLike) -> Any:
        r"""Return the standard deviation of K(D): :math:`\sqrt{N S(1-S)}`, as neurons are independent [exact]."""
        return shaped(self._independent_std(self._passed(D)), D)

    def working_law(self, D: int) -> Any:
        """Return the law of K(D), Binomial(N, 1-S) above the neurons that worked at the start [exact]."""
        return self._independent_law(self._whole_samples(D))

    def limit(self) -> GammaPoisson:
        """Return the process itself: it is its own limit."""
        return self

    def limit_error_bound(self, D: ArrayLike) -> Any:
        """Bound the relative error of the paper's formula: 0, as it is exact for this law."""
        return shaped(np.zeros_like(self._samples(D)), D)
