"""How large a mistake a check detects, measured by making it."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from statnn import _random
from statnn._arguments import is_number, real_numbers, share, whole
from statnn._axes import axes, settled
from statnn._notebook import Shown
from statnn._text import measured
from statnn.testing._ledger import COMPARISONS, FALSE_ALARMS, Ledger, StatisticalFailure, opened, own_level
from statnn.testing.statistics import Comparison

FEWEST_RUNS = 20


@dataclass(frozen=True)
class Deviation(Shown):
    """A deviation with its standard error.

    See Also
    --------
    Power.smallest : makes it.
    """

    value: float
    error: float

    def __str__(self) -> str:
        return measured(self.value, self.error)


@dataclass(frozen=True)
class Power(Shown):
    """The smallest deviations that a check detects, one for each run.

    The share of runs that detect a deviation δ is the share of `seen` at or below δ. A check whose statistic is normal,
    with an error s that does not depend on δ, detects from (z_α - z) s on, z standard normal: its `seen` are normal,
    and the curve is ``Φ((δ - mean)/std)``.

    Parameters
    ----------
    deviations : tuple of float
        Deviations tried, increasing.
    seen : tuple of float, one for each run
        The smallest deviation from which on the check failed; inf if it never failed.
    level : float
        Level of one comparison.

    See Also
    --------
    power : makes it.

    Examples
    --------
    >>> Power((0.1, 0.2, 0.4), (0.2, 0.2, 0.4, 0.4), level=1e-9).probability([0.1, 0.3, 0.5])
    array([0. , 0.5, 1. ])
    >>> curve = Power((0.1, 0.2, 0.4), (0.2,) * 15 + (0.4,) * 15, level=1e-9)
    >>> round(curve.smallest(0.9).value, 3)
    0.323
    >>> ax = curve.plot()
    """

    deviations: tuple[float, ...]
    seen: tuple[float, ...]
    level: float

    def __repr__(self) -> str:
        tried = f"{len(self.deviations)} deviations up to {max(self.deviations, default=0.0):.3g}"
        return f"Power({tried}, {len(self.seen)} runs, level {self.level:.1e})"

    def probability(self, deviation: ArrayLike) -> NDArray[np.float64]:
        """Return the share of runs that detect deviations.

        Parameters
        ----------
        deviation : array
            Deviations, of any shape.

        Returns
        -------
        array
            Its standard error is ``sqrt(share (1 - share) / runs)``.
        """
        ordered = np.sort(self.seen)
        return np.asarray(np.searchsorted(ordered, real_numbers(deviation, "deviation"), side="right") / ordered.size)

    def smallest(self, probability: float = 0.999) -> Deviation:
        """Return the smallest deviation that is detected with a given probability, by the normal law of `seen`.

        Parameters
        ----------
        probability : float
            In (0, 1). Beyond ``1 - 1/runs`` it is extrapolated.

        Returns
        -------
        Deviation
            ``mean + Φ⁻¹(probability) std``, with its standard error.

        Raises
        ------
        ValueError
            If there are fewer than 20 runs, or some run detected none of the tried deviations, or all of them.
        """
        probability = share(probability, "probability", why="it is that of being seen, as 0.999")
        runs = len(self.seen)
        if runs < FEWEST_RUNS:
            raise ValueError(f"{runs} runs are too few for a probability of {probability}; take at least {FEWEST_RUNS}")
        if blind := sum(math.isinf(value) for value in self.seen):
            raise ValueError(
                f"{blind} of {runs} runs saw none of the deviations up to {self.deviations[-1]:.3g}: try larger ones"
            )
        if keen := sum(value == self.deviations[0] for value in self.seen):
            raise ValueError(
                f"{keen} of {runs} runs saw the smallest deviation, {self.deviations[0]:.3g}: try smaller ones"
            )
        begin, end = self._steps()
        values = (begin + end) / 2
        quantile, spread = float(stats.norm.ppf(probability)), float(values.std(ddof=1))
        width = np.mean((end - begin) ** 2) / 12
        error = math.sqrt(spread**2 * (1 + quantile**2 / 2) / runs + width / runs)
        return Deviation(float(values.mean()) + quantile * spread, error)

    def _steps(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return, for each run, the two deviations tried between which detection begins, shape (runs,) each."""
        before = dict(zip(self.deviations[1:], self.deviations, strict=False))
        return np.array([before[value] for value in self.seen]), np.array(self.seen)

    def plot(self, ax: Any | None = None) -> Any:
        """Plot the share of runs that detect a deviation, with its standard error, and the normal curve through it.

        Parameters
        ----------
        ax : matplotlib axes, optional
            New ones if None.

        Returns
        -------
        matplotlib axes
        """
        ax = axes(ax)
        x = np.asarray(self.deviations)
        share = self.probability(x)
        ax.errorbar(x, share, np.sqrt(share * (1 - share) / len(self.seen)), fmt="o", label=f"{len(self.seen)} runs")
        if len(self.seen) >= FEWEST_RUNS and len(set(self.seen)) > 1 and set(self.seen) <= set(self.deviations[1:]):
            fine, values = np.linspace(x[0], x[-1], 400), np.mean(self._steps(), axis=0)
            ax.plot(fine, stats.norm.cdf(fine, values.mean(), values.std(ddof=1)), zorder=3, label="normal")
        ax.set(xlabel="deviation", ylabel="probability that it is seen", ylim=(-0.03, 1.03))
        ax.legend()
        return settled(ax)


def power(
    check: Callable[[float, np.random.Generator], Any],
    wrong: ArrayLike,
    *,
    runs: int = 100,
    rng: int | np.random.Generator | None = None,
    level: float | None = None,
) -> Power:
    """Measure how large a deviation a check detects.

    Each run has a stream of its own, from which the data are drawn again for every deviation, so that they differ only
    by the deviation. The smallest one detected is found by bisection, with about log2 of their number of checks per
    run. All larger deviations must be detected as well.

    Parameters
    ----------
    check : callable
        ``check(deviation, rng)`` draws data and compares them with a theory that is wrong by `deviation` (or wrong data
        with the right theory): by assertions of this package, or by returning a `Comparison` or a p-value.
    wrong : array, shape (deviations,)
        Increasing, as ``np.linspace(0, 0.1, 129)``.
    runs : int
        At least 1; `Power.smallest` needs 20.
    rng : int, numpy.random.Generator, optional
        Seed of the runs; fresh entropy by default.
    level : float, optional
        p-value below which a comparison fails; by default the level of the open account, else 10⁻⁹. Comparisons here do
        not count for that account.

    Returns
    -------
    Power

    Raises
    ------
    TypeError
        If the check compares nothing, or returns something else.

    See Also
    --------
    statnn.testing.statistics.sensitivity : the same in closed form, if the law of the statistic is known.

    Examples
    --------
    >>> import numpy as np
    >>> from statnn.testing import assert_mean
    >>> def check(deviation, rng):
    ...     assert_mean(rng.normal(1.0, 0.5, 400), 1.0 + deviation, what="mean")
    >>> curve = power(check, np.linspace(0.0, 0.4, 65), runs=20, rng=1)
    >>> 0.22 < curve.smallest(0.999).value < 0.26
    True
    """
    deviations = real_numbers(wrong, "wrong").astype(float)
    if deviations.ndim != 1 or deviations.size < 2 or not (np.diff(deviations) > 0).all():
        raise ValueError(f"wrong must hold at least two increasing deviations, got shape {deviations.shape}")
    why = f"it is a p-value, as {FALSE_ALARMS / COMPARISONS:g}"
    limit = own_level() if level is None else share(level, "level", why=why)
    seed = _random.root(rng)

    def one_run(run: int) -> float:
        return first_seen(lambda deviation: _fails(check, deviation, _random.stream(seed, run), limit), deviations)

    seen = tuple(one_run(run) for run in range(whole(runs, "runs", minimum=1)))
    return Power(tuple(deviations.tolist()), seen, limit)


def first_seen(sees: Callable[[float], bool], deviations: Sequence[float] | NDArray[np.float64]) -> float:
    """Return the smallest of increasing deviations from which on they are detected, by bisection; inf if none is.

    Parameters
    ----------
    sees : callable
        Whether a deviation is detected; if so, all larger ones must be.
    deviations : sequence of float
    """
    low, high = -1, len(deviations)  # not detected at low, detected at high, unless out of range
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if sees(float(deviations[middle])) else (middle, high)
    return float(deviations[high]) if high < len(deviations) else math.inf


def _fails(check: Callable[[float, np.random.Generator], Any], deviation: float, rng: Any, level: float) -> bool:
    with opened(Ledger(level, 1)) as ledger:
        try:
            outcome = check(deviation, rng)
        except StatisticalFailure:
            return True
    if outcome is None and not ledger.p:
        raise TypeError("the check compared nothing: let it assert, or return a Comparison or a p-value")
    if outcome is None:
        return False
    p = outcome.p if isinstance(outcome, Comparison) else outcome
    if not (is_number(p) and 0 <= p <= 1):
        raise TypeError(f"the check returned {p!r}: let it assert, or return a Comparison or a p-value, from 0 to 1")
    return float(p) < level
