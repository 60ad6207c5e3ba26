"""A sample arrives, and every neuron decides by itself whether it fires, at most once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from statnn._arguments import Ints, shaped
from statnn._xoshiro import words
from statnn.activation._simulation.exact_kernels import independent_counts
from statnn.activation._simulation.stepwise_kernels import EVENTS_AT_ONCE, sample_steps
from statnn.activation._two_colour import TwoColourUrn


@dataclass(frozen=True)
class BetaBernoulli(TwoColourUrn):
    r"""N neurons that each fire at most once per sample, with :math:`P(i\ \text{fires}) = c(D_i+b)/(cD+bN)`.

    With a = bN/c this is a two-colour urn per neuron, hence a hidden :math:`p_i \sim \mathrm{Beta}(b, a-b)`:

    .. math:: D_i &\sim \mathrm{BetaBinomial}(D; b, a-b), \\
              S &= P(D_i=0) = \frac{\Gamma(D+a-b)\,\Gamma(a)}{\Gamma(D+a)\,\Gamma(a-b)}, \qquad E[K] = N(1-S),

    independent over neurons [exact]. The hypothesis of arXiv 2412.18073 *is* a beta prior on firing
    probabilities; the paper's formula for K(D) is ``limit().working``.

    Parameters
    ----------
    neurons : int
        N, from 2 to 1e15.
    b : float
        Constant of the stable activation probability hypothesis, 1e-150 < b < 1e300/N and 1e-150 < bN/c < 1e290.
    c : float
        Mean number of active neurons per sample, 1e-150 < c < N.
    start : Start or None
        What was seen before; given by :meth:`after`, None at the very beginning.

    Raises
    ------
    ValueError
        If c >= N: no more neurons can fire in one sample than there are.

    See Also
    --------
    PolyaUrn : neurons that compete for events.
    GammaPoisson : the limit of many neurons.
    fit : b and c from counts.

    References
    ----------
    Zhang & Sui 2024: the hypothesis. The exact laws are this project's own.

    Examples
    --------
    >>> process = BetaBernoulli(neurons=1000, b=0.3, c=5.0)
    >>> round(process.working(10_000), 6)
    785.58427
    >>> law = process.count(10_000)
    >>> round(float(law.mean()), 6), round(float(law.pmf(0)), 6)
    (50.0, 0.214416)
    >>> round(process.cutoff(10_000), 1), round(process.working_std(10_000), 3)
    (170.9, 12.979)
    >>> round(float(process.working_law(10_000).mean()), 6)
    785.58427
    """

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.c >= self.neurons:
            raise ValueError(
                f"c = {self.c:g} must be below N = {self.neurons}: a neuron fires at most once per sample; "
                "if c counts events that may repeat a neuron, use PolyaUrn"
            )

    @property
    def _exact_white(self) -> Fraction:
        return Fraction(self.b) * (self.neurons / Fraction(self.c) - 1)

    @property
    def _pace(self) -> float:
        return 1.0

    def _draws(self, D: int) -> int:
        return D

    def _draw_working(self, D: Ints, rng: np.random.Generator) -> Ints:
        return self._independent_working(D, rng)

    def _draw_counts(self, initial: Ints, D: Ints, rng: np.random.Generator, out: Ints) -> None:
        white = self._white + (self._begin - initial)  # whole numbers first: their difference is exact
        independent_counts(rng, words(rng), self.b + initial, white, D - self._begin, out)
        out += initial

    def _steps(self, initial: Ints, D: Ints, rng: np.random.Generator) -> Iterator[Ints]:
        counts, bits = initial.copy(), words(rng)
        now = self._begin
        most = max(1, EVENTS_AT_ONCE // self.neurons)
        for samples in D.tolist():
            while now < samples:
                some = min(samples - now, most)
                sample_steps(bits, counts, self.b, self._white + self.b, now, some)
                now += some
            yield counts

    def _check_history(self, samples: int, counts: NDArray[np.int64]) -> None:
        if counts.max() > samples:
            raise ValueError(
                f"counts reach {counts.max()} in samples = {samples}: a neuron fires at most once per sample; if "
                "events may repeat a neuron, use PolyaUrn"
            )

    def working_std(self, D: ArrayLike) -> Any:
        r"""Return the standard deviation of K(D): :math:`\sqrt{N S(1-S)}`, as neurons are independent [exact]."""
        return shaped(self._independent_std(self._passed(D)), D)

    def working_law(self, D: int) -> Any:
        """Return the law of K(D), Binomial(N, 1-S) above the neurons that worked at the start [exact]."""
        return self._independent_law(self._whole_samples(D))
