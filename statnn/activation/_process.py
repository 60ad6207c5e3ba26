r"""What the three activation processes share: everything that follows from how long silence lasts.

All three obey the stable activation probability hypothesis: a neuron with :math:`D_i` activations in D
samples fires next with probability :math:`p_i = c(D_i+b)/(cD+bN)`. They differ in the cumulative hazard
H(D) of a silent neuron, :math:`P(D_i=0) = e^{-H}`, and in the count law. From these two follow the growth
K(D) of working neurons, its steepest point, the missing mass and every loss.
"""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike

from statnn._arguments import Floats, Ints, array_of, at_least, positive, shaped, whole, whole_array
from statnn._axes import axes, band, drawable, logarithmic, settled
from statnn.activation._laws.binomial import binomial
from statnn.activation._laws.loss import NeuronLoss, expected_loss
from statnn.activation._simulation.path import Paths
from statnn.activation._simulation.simulate import simulate
from statnn.activation._start import Start

_MOST_SAMPLES = 1e100


@dataclass(frozen=True)
class ActivationProcess(ABC):
    r"""Abstract activation process of N neurons; see the three concrete ones.

    Attributes
    ----------
    neurons : int
        N.
    b : float
        Constant of the stable activation probability hypothesis, above 0.
    c : float
        Mean number of active neurons per sample, above 0.
    start : Start or None
        What has been seen already; made by :meth:`after`.
    """

    neurons: int
    b: float
    c: float
    start: Start | None = field(default=None, kw_only=True)

    _independent: ClassVar[bool] = True
    """Whether neurons are independent, so that blocks of them can be drawn separately."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "neurons", whole(self.neurons, "neurons", minimum=2, maximum=10**15))
        for name, why in (
            ("b", "the constant of p_i = c(D_i+b)/(cD+bN); take 0.1 < b < 10"),
            ("c", "the mean number of active neurons per sample"),
        ):
            object.__setattr__(self, name, positive(getattr(self, name), name, why=why))
        if self.start is not None and not isinstance(self.start, Start):
            raise TypeError(
                f"start = {self.start!r} is none: process.after(samples, counts) starts a process from counts"
            )
        if self.start is not None and self.start.counts.shape != (self.neurons,):
            raise ValueError(f"start = {self.start!r} does not belong to {self.neurons} neurons: use after(...)")
        if not 1e-150 < self.b * (self.neurons / self.c) < 1e290:
            raise ValueError(
                f"b N / c with b = {self.b:g}, N = {self.neurons}, c = {self.c:g} is outside [1e-150, 1e290], where "
                "laws can be computed: take b and c that differ less"
            )
        if not (1e-150 < self.b < 1e300 / self.neurons and 1e-150 < self.c < 1e150):
            raise ValueError(
                f"b = {self.b:g} and c = {self.c:g} with N = {self.neurons} are outside the range where laws can be "
                "computed, 1e-150 to 1e300 / N for b, 1e-150 to 1e150 for c: take b and c nearer to 1"
            )

    # -- what a concrete process states ------------------------------------------------------------------

    @abstractmethod
    def _hazard_after(self, D0: Floats, passed: Floats) -> Floats:
        """-ln P(neuron silent when samples have passed after D0 | silent after D0)."""

    @abstractmethod
    def _hazard_rate(self, D: Floats) -> Floats:
        """dH/dD."""

    @abstractmethod
    def _law(self, D: int, initial: int, bonus: float) -> Any:
        """Frozen law of D_i given ``initial`` activations at the start, with b raised by ``bonus``."""

    @abstractmethod
    def _draw_working(self, D: Ints, rng: np.random.Generator) -> Ints:
        """Exact K at the checkpoints."""

    @abstractmethod
    def _draw_counts(self, initial: Ints, D: Ints, rng: np.random.Generator, out: Ints) -> None:
        """Exact counts (T, n) at the checkpoints, of n neurons with ``initial`` activations."""

    @abstractmethod
    def _steps(self, initial: Ints, D: Ints, rng: np.random.Generator) -> Iterator[Ints]:
        """Yield the counts of all neurons at each checkpoint, stepping event by event."""

    @abstractmethod
    def count(self, D: int, *, initial: int = 0) -> Any:
        """Return the law of D_i."""

    @abstractmethod
    def cutoff(self, D: ArrayLike) -> Any:
        """Return the scale of the exponential fall of the count law."""

    @abstractmethod
    def inflection(self) -> float:
        """Return the D of steepest growth on a logarithmic axis."""

    @abstractmethod
    def working_std(self, D: ArrayLike) -> Any:
        """Return the standard deviation of K(D)."""

    @abstractmethod
    def working_law(self, D: int) -> Any:
        """Return the law of K(D) as a whole."""

    @abstractmethod
    def limit(self) -> ActivationProcess:
        """Return the gamma-Poisson process with the same parameters."""

    @abstractmethod
    def limit_error_bound(self, D: ArrayLike) -> Any:
        """Bound the relative error of the paper's formula."""

    # -- what follows --------------------------------------------------------------------------------------

    def _hazard(self, passed: Floats) -> Floats:
        """H: -ln P(neuron silent when samples have passed | silent at the start)."""
        return self._hazard_after(np.array(float(self._begin)), passed)

    @property
    def _begin(self) -> int:
        return 0 if self.start is None else self.start.samples

    @property
    def _asleep(self) -> int:
        """Neurons that are silent at the start."""
        return self.neurons if self.start is None else self.neurons - self.start.working

    def _samples(self, D: ArrayLike) -> Floats:
        why = "D counts samples" if self.start is None else "the process starts there"
        samples = at_least(D, "D", minimum=self._begin, why=why)
        if samples.size and samples.max() > _MOST_SAMPLES:
            raise ValueError(
                f"D = {samples.max():g} exceeds {_MOST_SAMPLES:g}: c D / (b N) could exceed the range of float64"
            )
        return samples

    def _passed(self, D: ArrayLike) -> Floats:
        """Return the number of samples since the start, for integers exactly: beyond 2^53 floats merge them."""
        samples, given = self._samples(D), array_of(D, "D")
        if self._begin and given.size and given.dtype.kind in "iu":
            return np.asarray(given - given.dtype.type(self._begin), dtype=float)
        if self._begin and given.dtype.kind == "O":
            return np.reshape([float(int(d) - self._begin) for d in given.flat], given.shape)
        return samples - self._begin

    def _whole_samples(self, D: int) -> int:
        return whole(D, "D", minimum=self._begin)

    def after(self, samples: int, counts: ArrayLike) -> Self:
        r"""Return the same process given what has been seen: the general start :math:`(D_0, K_0)` and more.

        Parameters
        ----------
        samples : int
            :math:`D_0`, samples seen so far.
        counts : (N,) array_like of int
            :math:`D_i(D_0)`; :math:`K_0` is the number of nonzero entries.

        Returns
        -------
        ActivationProcess
            Its laws take :math:`D \ge D_0`, counted from the very beginning.

        Raises
        ------
        ValueError
            If the counts cannot have come from this process.

        Examples
        --------
        >>> from statnn.activation import GammaPoisson
        >>> GammaPoisson(4, b=1.0, c=2.0).after(2, [3, 1, 0, 0]).working([2, 6])
        array([2., 3.])
        """
        if self.start is not None:
            raise ValueError("this process has a start already; call after() on the process without one")
        samples = whole(samples, "samples", minimum=0)
        counts = whole_array(counts, "counts", shape=(self.neurons,))
        self._check_history(samples, counts)
        return replace(self, start=Start(samples, counts))

    def _check_history(self, samples: int, counts: Ints) -> None:
        if samples == 0 and counts.any():
            raise ValueError(
                f"counts reach {counts.max()} after samples = 0: then all are 0; pass samples, or no history"
            )

    def _initial_counts(self, neurons: slice) -> Ints:
        if self.start is None:
            return np.zeros(neurons.stop - neurons.start, dtype=np.int64)
        return self.start.counts[neurons]

    def _independent_working(self, D: Ints, rng: np.random.Generator) -> Ints:
        """K of independent neurons: the number that wakes between two checkpoints is binomial."""
        before = np.append(self._begin, D[:-1])
        hazards = self._hazard_after(before.astype(float), (D - before).astype(float))
        asleep = self._asleep
        working = np.empty(D.size, dtype=np.int64)
        for t, hazard in enumerate(hazards):
            # draw the rarer of the two: 1 less a small chance loses its digits
            if hazard > np.log(2):
                asleep = int(rng.binomial(asleep, np.exp(-hazard)))
            else:
                asleep -= int(rng.binomial(asleep, -np.expm1(-hazard)))
            working[t] = self.neurons - asleep
        return working

    def _independent_std(self, passed: Floats) -> Floats:
        hazard = self._hazard(passed)  # three roots: the product under a single one may underflow
        return np.asarray(np.sqrt(self._asleep) * np.exp(-hazard / 2) * np.sqrt(-np.expm1(-hazard)))

    def _independent_law(self, D: int) -> Any:
        return binomial(self._asleep, self._hazard(np.array(float(D - self._begin))), loc=self.neurons - self._asleep)

    def silent(self, D: ArrayLike) -> Any:
        r""":math:`S(D) = P(D_i = 0)`, for a neuron drawn at random.

        Parameters
        ----------
        D : array_like
            Samples, any real number >= 0.

        Returns
        -------
        float or ndarray
            Shape of ``D``; relative error at most 1e-12.

        Examples
        --------
        >>> from statnn.activation import BetaBernoulli
        >>> round(BetaBernoulli(1000, b=0.3, c=5.0).silent(10_000), 6)
        0.214416
        """
        return shaped(self._asleep / self.neurons * np.exp(-self._hazard(self._passed(D))), D)

    def working(self, D: ArrayLike) -> Any:
        r""":math:`E[K(D)] = N(1-S)`, the mean number of neurons with at least one activation.

        Parameters
        ----------
        D : array_like
            Samples, any real number >= 0.

        Returns
        -------
        float or ndarray
            Shape of ``D``; relative error at most 1e-12.

        Examples
        --------
        >>> from statnn.activation import BetaBernoulli
        >>> BetaBernoulli(1000, b=0.3, c=5.0).working([1, 100, 1e18]).round(3)
        array([  5.   , 256.43 , 999.986])
        """
        awake = self.neurons - self._asleep
        return shaped(awake - self._asleep * np.expm1(-self._hazard(self._passed(D))), D)

    def noise_to_signal(self, D: ArrayLike) -> Any:
        """:math:`(N-E[K])/N`, the share of neurons that carry no signal [paper]; equal to :meth:`silent`.

        Examples
        --------
        >>> from statnn.activation import BetaBernoulli
        >>> process = BetaBernoulli(1000, b=0.3, c=5.0)
        >>> process.noise_to_signal(100) == process.silent(100)
        True
        """
        return self.silent(D)

    def missing_mass(self, D: ArrayLike) -> Any:
        r""":math:`M(D) = \frac1c E\sum_i p_i\,1\{D_i=0\} = S\,bN/(cD+bN)`.

        The expected share of the c activations of the next sample that falls on neurons never seen active. Relative
        error at most 1e-12; as :math:`D\to\infty` it falls with exponent b + 1 [exact].

        Examples
        --------
        >>> from statnn.activation import BetaBernoulli
        >>> round(BetaBernoulli(1000, b=0.3, c=5.0).missing_mass(100), 6)
        0.278839
        """
        samples = self._samples(D)
        return shaped(self.silent(D) / (1.0 + samples * (self.c / (self.b * self.neurons))), D)

    def growth_rate(self, D: ArrayLike) -> Any:
        r""":math:`dE[K]/d\ln D = N S\,D\,dH/dD`, new working neurons per e-fold of samples.

        Examples
        --------
        >>> from statnn.activation import BetaBernoulli
        >>> process = BetaBernoulli(1000, b=0.3, c=5.0)
        >>> process.growth_rate([10, process.inflection(), 10_000]).round(1)
        array([ 41.3, 148.6,  63.9])
        """
        samples = self._samples(D)
        return shaped(self.neurons * self.silent(D) * samples * self._hazard_rate(samples), D)

    def tail_exponent(self) -> float:
        r"""Return :math:`\alpha = 1-b` of :math:`P(D_i=k) \propto k^{-\alpha}`, :math:`1 \ll k \ll k_c` [exact].

        The paper's range 0 < α < 1 is 0 < b < 1; for b >= 1 the count law does not decay below its cut-off,
        and α is zero or negative.

        Examples
        --------
        >>> from statnn.activation import BetaBernoulli
        >>> BetaBernoulli(1000, b=0.3, c=5.0).tail_exponent()
        0.7
        """
        return 1.0 - self.b

    def loss(self, D: int | Sequence[int], per_neuron_loss: NeuronLoss) -> Any:
        r"""Return :math:`\frac1c E\sum_i p_i\,l(D_i)`, the loss above its floor for a loss l(k) per neuron.

        Because :math:`E[p_i|D_i=k] \propto k+b`, this is the mean of l under the count law with b raised
        to b + 1, exactly [exact]. ``l(k) = (k == 0)`` gives :meth:`missing_mass`.

        Parameters
        ----------
        D : int or sequence of int
            Samples.
        per_neuron_loss : callable
            l(k) of an array k >= 0 of whole floats, bounded, and smooth on a logarithmic axis beyond k of 1000;
            the sum warns if it is too rough.

        Returns
        -------
        float or ndarray
            Shape of ``D``; relative error about 1e-11 for a smooth l.

        Examples
        --------
        >>> from statnn.activation import BetaBernoulli
        >>> process = BetaBernoulli(1000, b=0.3, c=5.0)
        >>> process.loss(1000, lambda k: 1 / (k + 1.0)) > process.missing_mass(1000)
        True
        """
        each: list[Any] = np.ravel(array_of(D, "D")).tolist()
        values = [expected_loss(self, self._whole_samples(d), per_neuron_loss) for d in each]
        return shaped(np.array(values).reshape(np.shape(D)), D)

    def simulate(
        self,
        checkpoints: ArrayLike,
        replicas: int | range = 1,
        *,
        rng: int | np.random.Generator | None = None,
        method: str = "exact",
        counts: bool = False,
        executor: Executor | None = None,
        store: str | os.PathLike[str] | None = None,
    ) -> Paths:
        """Simulate the process and look at it after the given numbers of samples.

        Parameters
        ----------
        checkpoints : (T,) array_like of int
            Numbers of samples, increasing, up to 9e18 activations; see :func:`checkpoints`.
        replicas : int or range
            How many independent paths, or which: replica i is a function of ``rng`` and i alone, so
            ``replicas=range(7, 8)`` reruns number 7 by itself.
        rng : int, Generator or None
            Seed; None takes fresh entropy.
        method : {"exact", "stepwise"}
            "exact" draws the joint law at the checkpoints without stepping, at a cost independent of D:
            O(T) per path for independent neurons, O(K) for the urn, O(N T) with ``counts``.
            "stepwise" is the readable twin, event by event, with O(N) memory.
        counts : bool
            Also return all D_i: 8 R T N bytes. In this process or in threads little is needed beyond the result:
            8 T · 8192 bytes per running task. Other processes send their part, of 8192 neurons for independent
            neurons in the exact method and of one replica otherwise.
        executor : concurrent.futures.Executor or None
            Where to run; threads are enough. The result does not depend on it.
        store : str or os.PathLike, optional
            A folder that remembers which replicas are done: after a kill at any moment, a call with the same
            arguments does the rest and returns the same paths; see `statnn.montecarlo.sample`.

        Returns
        -------
        Paths
            ``.working`` of shape (R, T), ``.counts`` of shape (R, T, N) or None.

        Examples
        --------
        >>> from statnn.activation import BetaBernoulli
        >>> path = BetaBernoulli(1000, b=0.3, c=5.0).simulate([10, 1000, 10**18], replicas=2, rng=1)
        >>> path.working.shape, bool((path.working[:, -1] > 990).all())
        ((2, 3), True)
        """
        return simulate(
            self, checkpoints, replicas, rng=rng, method=method, counts=counts, executor=executor, store=store
        )

    def plot(self, ax: Any | None = None, *, D: ArrayLike | None = None, **style: Any) -> Any:
        """Draw E[K(D)] with a band of one standard deviation, cut at 0 and N, and the steepest point if in range.

        Parameters
        ----------
        ax : matplotlib axes or None
            Where to draw; None makes a new figure.
        D : (T,) array_like or None
            Abscissae, of which those above 0 are drawn; None spans four decades around the point of steepest growth,
            from one sample on.
        **style
            Style of the curve, as for ``ax.plot``.

        Returns
        -------
        matplotlib axes

        Examples
        --------
        >>> from statnn.activation import BetaBernoulli
        >>> ax = BetaBernoulli(1000, b=0.3, c=5.0).plot()
        """
        ax = axes(ax)
        steepest = self.inflection()
        first = max(self._begin, steepest / 1e2, 1.0)
        grid = self._samples(np.geomspace(first, 1e2 * max(first, steepest), 200) if D is None else np.ravel(D))
        grid = grid[drawable(grid, "D")]
        mean, spread = self.working(grid), self.working_std(grid)
        style.setdefault("label", f"{type(self).__name__}, $b = {self.b:g}$, ± 1 deviation")
        (line,) = ax.plot(grid, mean, **style)
        band(ax, grid, np.maximum(mean - spread, 0), np.minimum(mean + spread, self.neurons), line)
        if grid[0] <= steepest <= grid[-1]:
            ax.plot(steepest, self.working(steepest), "o", color=line.get_color(), markersize=4)
        logarithmic(ax, "x")
        ax.set(xlabel="samples $D$", ylabel="working neurons $K$")
        return settled(ax)
