"""An activation event arrives and exactly one neuron fires."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from statnn._arguments import LARGEST_COUNT, Floats, Ints, shaped
from statnn._xoshiro import words
from statnn.activation._laws.distribution import Tabulated
from statnn.activation._laws.occupancy import woken_law
from statnn.activation._laws.special import mixed_log_gamma
from statnn.activation._laws.sum import smooth_sum
from statnn.activation._simulation.exact_kernels import births, competing_counts
from statnn.activation._simulation.stepwise_kernels import EVENTS_AT_ONCE, urn_events, urn_state
from statnn.activation._two_colour import TwoColourUrn


@dataclass(frozen=True)
class PolyaUrn(TwoColourUrn):
    r"""N neurons that compete for n = cD activation events, with :math:`P(i) = (D_i+b)/(n+bN)`.

    The counts are Dirichlet-multinomial(n; b, ..., b), each one BetaBinomial(n; b, b(N-1)) [exact]. One neuron
    sees the survival of :class:`BetaBernoulli` with c = 1; K(D) fluctuates less, because neurons compete.

    Parameters
    ----------
    neurons : int
        N, from 2 to 1e15.
    b : float
        Constant of the stable activation probability hypothesis, 1e-150 < b < 1e300/N and 1e-150 < bN/c < 1e290.
    c : float
        Activation events per sample, 1e-150 < c < 1e150; with the default 1, D counts events. Means take any
        real D as n = cD; laws and simulations need D with whole cD.
    start : Start or None
        What was seen before; given by :meth:`after`, None at the very beginning.

    See Also
    --------
    BetaBernoulli : neurons that fire independently in a sample.
    GammaPoisson : the limit of many neurons.
    fit : b from counts.

    References
    ----------
    Zhang & Sui 2024: the hypothesis. The exact laws are this project's own.

    Examples
    --------
    >>> urn = PolyaUrn(neurons=3, b=1.0)
    >>> [round(float(p), 6) for p in urn.working_law(2).pmf([1, 2])]
    [0.5, 0.5]
    >>> round(float(urn.count(2).mean()), 6), round(urn.cutoff(2), 4), round(urn.working_std(2), 4)
    (0.666667, 2.4663, 0.5)
    """

    c: float = 1.0
    _independent: ClassVar[bool] = False

    @property
    def _exact_white(self) -> Fraction:
        return Fraction(self.b) * (self.neurons - 1)

    @property
    def _pace(self) -> float:
        return self.c

    def _draws(self, D: int) -> int:
        events = int(self.c) * D
        if not self.c.is_integer():  # Fraction is slower than a step
            exact = Fraction(self.c) * D
            events = round(exact)
            # c itself is rounded, if it is 1/3
            if abs(exact - events) > events * 2.0**-52:
                raise ValueError(
                    f"c D = {self.c:g} x {D} is not a whole number of activation events; choose D so that it is, "
                    "or c = 1 and let D count events"
                )
        if events > LARGEST_COUNT:
            raise ValueError(f"c D = {float(events):g} events exceed {LARGEST_COUNT:g}, the largest 64-bit count")
        return events

    @property
    def _awake_weight(self) -> float:
        """Weight of the neurons that work at the start."""
        return self._draws(self._begin) + self.b * (self.neurons - self._asleep)

    def _draw_working(self, D: Ints, rng: np.random.Generator) -> Ints:
        woken = np.empty(D.size, dtype=np.int64)
        births(rng, self._asleep, self.b, self._awake_weight, self._draws_at(D), woken)
        return self.neurons - self._asleep + woken

    def _draw_counts(self, initial: Ints, D: Ints, rng: np.random.Generator, out: Ints) -> None:
        competing_counts(rng, words(rng), self.b + initial, self._draws_at(D), out)
        out += initial

    def _steps(self, initial: Ints, D: Ints, rng: np.random.Generator) -> Iterator[Ints]:
        state, bits = urn_state(initial), words(rng)
        done = 0
        for events in self._draws_at(D).tolist():
            while done < events:
                some = min(events - done, EVENTS_AT_ONCE)
                urn_events(bits, state, self.b, some)
                done += some
            yield state.counts

    def _check_history(self, samples: int, counts: NDArray[np.int64]) -> None:
        events = self._draws(samples)
        if abs(sum(counts.tolist()) - events) > events * 2.0**-52:  # c itself may be rounded
            raise ValueError(
                f"counts sum to {sum(counts.tolist())}, but samples = {samples} hold c D = {events} activation events"
            )

    def working_std(self, D: ArrayLike) -> Any:
        r"""Return the standard deviation of K(D) [exact].

        :math:`\mathrm{Var} K = M S_1(1-S_1) + M(M-1)(S_2-S_1^2)` with M silent neurons at the start and
        :math:`S_m = e^{-L(y-mb;\,mb,\,n)}`, y the total weight; without a start all of them are taken after the
        first event, which surely wakes one. Where this cancels (n ≪ N) it is summed over events in positive terms,
        :math:`\sum_j \frac{S_2(n)}{S_2(j+1)} m_j(1-m_j)`, m_j the missing mass. Between whole numbers of events the
        variance is interpolated. Relative error below 1e-8.
        """
        draws = np.atleast_1d(self._pace * self._passed(D))
        below = np.floor(draws)
        variance = self._variance(below)
        share = draws - below
        if share.any():
            variance += share * (self._variance(below + 1) - variance)
        return shaped(np.sqrt(variance).reshape(np.shape(D)), D)

    def _variance(self, draws: Floats) -> Floats:
        silent, awake = self._asleep, self._awake_weight
        if awake == 0:  # the first event surely wakes one, and what else is left to chance may be small beside it
            silent, awake, draws = silent - 1, 1 + self.b, np.maximum(draws - 1, 0)
        hazard = mixed_log_gamma(awake + self.b * (silent - 1), self.b, draws)
        alone = np.exp(-hazard)
        variance = silent * alone * -np.expm1(-hazard)
        if silent < 2:
            return np.asarray(variance)
        others = awake + self.b * (silent - 2)
        at_start = float(mixed_log_gamma(others, self.b, self.b))
        repelled = np.expm1(mixed_log_gamma(others + draws, self.b, self.b) - at_start)
        variance += silent * (silent - 1.0) * alone**2 * repelled
        # rounding of the exponent is blown up by (M S)^2
        cancelled = (draws < 500) | (at_start * (silent * alone) ** 2 > 1e6 * variance)
        variance[cancelled] = [self._summed_variance(silent, awake, int(n)) for n in draws[cancelled]]
        return np.asarray(variance)

    def _summed_variance(self, silent: int, awake: float, draws: int) -> float:
        others = awake + self.b * (silent - 2)

        def term(j: NDArray[np.int64]) -> Floats:
            weight = awake + self.b * silent + j
            hazard = mixed_log_gamma(awake + self.b * (silent - 1), self.b, j)
            missing = silent * self.b * np.exp(-hazard) / weight
            active = (awake + j - silent * self.b * np.expm1(-hazard)) / weight
            later = mixed_log_gamma(others + j + 1, 2 * self.b, draws - 1 - j)
            return np.asarray(missing * active * np.exp(-later))

        return smooth_sum(term, 0, draws - 1)

    def working_law(self, D: int) -> Any:
        r"""Return the exact law of K(D): :math:`P(K=k) = \binom Nk \Delta^k r_0`, :math:`r_i=(bi)_n/(bN)_n`.

        Parameters
        ----------
        D : int
            Samples, with whole cD.

        Returns
        -------
        scipy.stats law
            Relative error of each weight below 1e-9; weights below 1e-290 are 0.

        Raises
        ------
        ValueError
            If more than 500 silent neurons and more than 2e9 chain updates (events × neurons) come together.
        """
        D = self._whole_samples(D)
        draws = self._draws(D) - self._draws(self._begin)
        awake = self.neurons - self._asleep
        p = woken_law(self._asleep, self.b, self._awake_weight, draws)
        seen = np.flatnonzero(p)
        return Tabulated(name="working", values=(awake + seen, p[seen] / p.sum()))()
