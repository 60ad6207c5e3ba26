r"""Does a fitted law describe the counts at all? Two p-values that are uniform when it does.

*Chi-square.* With parameters from the full likelihood, Pearson's sum over k cells is *not* chi-square with
k - 3 degrees of freedom (Chernoff and Lehmann 1954). It is, when (b, c) are estimated once more from the
cells alone (Fisher's scoring, below). The cells are quantiles of the first fit; there are about
:math:`2N^{2/5}` of them (Mann and Wald 1942), each expecting at least five neurons.

The urn's counts are not independent, but given their total they are those of the gamma-Poisson law, and
what the total tells is only c, which the cells fit anyway. Its test is therefore that of the gamma-Poisson
law.

*Parametric bootstrap.* Cramér and von Mises' distance between the empirical and the fitted distribution
function is compared with its law under the fit, in replicas, each of which is refitted. A replica without a
finite fit is drawn again: the data had one.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import special, stats

from statnn._compile import kernel
from statnn._random import Root, stream
from statnn._tasks import run_tasks
from statnn._text import p_value
from statnn.activation._beta_bernoulli import BetaBernoulli
from statnn.activation._gamma_poisson import GammaPoisson
from statnn.activation._inference.estimate import (
    NoFiniteFitError,
    Process,
    estimate,
    process_at,
)
from statnn.activation._inference.likelihood import Tally, Vector
from statnn.activation._laws.beta_binomial import log_weight
from statnn.activation._laws.negative_binomial import negative_binomial
from statnn.activation._polya_urn import PolyaUrn

Cumulative: TypeAlias = Callable[[Vector], Vector]

FEWEST_CELLS = 4
"""Fewest cells beyond the parameters that are fitted to them: six in all."""
LEAST_EXPECTED = 5.0
"""Neurons that every cell expects at least."""
_FITTED = 2
"""Parameters fitted to the cells, b and c."""
_LONGEST_TABLE = 2**20
"""Weights that are summed in a table, from either end."""
_MOST_POINTS = 64
"""Order statistics on which the distance is taken."""
_MOST_REDRAWS = 50
"""Replicas in a row without a finite fit after which the bootstrap gives up."""
_TOGETHER = 10
"""Replicas per task."""
_ROUNDING = 1e-9
"""Smaller differences of distances only reflect where Newton's method ended."""


@dataclass(frozen=True)
class Goodness:
    """A test of fit and how it was made.

    Parameters
    ----------
    method : str
        ``"chi-square"`` or ``"bootstrap"``.
    statistic, p_value : float
        Pearson's sum or Cramér-von Mises' distance, and the probability of a larger one under the law.
    p_error : float
        Standard error of ``p_value`` from the finite number of replicas, that of the share of larger distances under
        a uniform prior: how far another stream would move it. 0 for chi-square, which draws nothing.
    cells, freedom : int
        Cells and degrees of freedom of chi-square; 0 for the bootstrap.
    replicas : int
        Replicas of the bootstrap; 0 for chi-square.
    """

    method: str
    statistic: float
    p_value: float
    p_error: float = 0.0
    cells: int = 0
    freedom: int = 0
    replicas: int = 0

    def __str__(self) -> str:
        how = f"{self.cells} cells, {self.freedom} dof" if self.cells else f"{self.replicas} replicas"
        error = f" ± {self.p_error:.2g}" if self.replicas else ""
        return f"{self.method} {self.statistic:.4g} ({how}), {p_value(self.p_value)}{error}"


@kernel
def _climb(table: Vector, mode: int, size: float, b: float, beta: float) -> None:
    """Fill beta-binomial weights outward from the mode, whose weight is given, by their ratios."""
    for k in range(mode, table.size - 1):
        table[k + 1] = table[k] * ((k + b) / (k + 1.0)) * ((size - k) / (size - k - 1.0 + beta))
    for k in range(mode, 0, -1):
        table[k - 1] = table[k] * (k / (k - 1.0 + b)) * ((size - k + beta) / (size - k + 1.0))


def _beta_binomial_table(size: int, b: float, beta: float, last: int) -> Vector:
    """P(count <= k) for 0 <= k <= last; starting at the mode, no weight that matters underflows."""
    peak = (b - 1) / (b + beta - 2) * size if b > 1 and beta > 1 else float(size) if b > 1 else 0.0
    table = np.empty(last + 1)
    mode = int(min(max(peak, 0.0), last))
    table[mode] = np.exp(log_weight(float(mode), float(size), b, beta))
    _climb(table, mode, float(size), b, beta)
    return np.cumsum(table)


def cumulative(process: Process, samples: int, last: int) -> Cumulative:
    """Return k -> P(D_i <= k) for whole k from -1 to ``last``.

    Beta-binomial weights are summed in a table, from either end if the range is long. In between, at more
    than 2^20 activations and 2^20 silences, the count is D p_i to a relative error of about 1e-6, which no
    number of neurons resolves.
    """
    if isinstance(process, GammaPoisson):
        law, kind = process._shape_and_odds(samples), negative_binomial
        # bypasses scipy's checks, which take longer than the law and come thousands of times in a fit
        return lambda k: np.where(k < 0, 0.0, kind._cdf(np.maximum(k, 0.0), *law))
    b = process.b
    if isinstance(process, PolyaUrn):
        size, beta = round(process.c * samples), b * (process.neurons - 1)
    else:
        size, beta = samples, b * (process.neurons - process.c) / process.c
    lower = _beta_binomial_table(size, b, beta, min(last, size, _LONGEST_TABLE))
    longest = min(size, _LONGEST_TABLE) if last > _LONGEST_TABLE else 0
    upper = _beta_binomial_table(size, beta, b, longest)

    def cdf(k: Vector) -> Vector:
        middle = special.betainc(b, beta, np.clip((k + 0.5) / size, 0, 1))
        low = lower[np.clip(k, 0, lower.size - 1).astype(np.int64)]
        high = 1 - upper[np.clip(size - k - 1, 0, upper.size - 1).astype(np.int64)]
        table = np.where(k < lower.size, low, np.where(size - k <= upper.size, high, middle))
        return np.where(k < 0, 0.0, np.where(k < size, table, 1.0))

    return cdf


def _quantiles(cdf: Cumulative, levels: Vector, last: int) -> Vector:
    """Smallest whole k <= last with cdf(k) >= level, by bisection."""
    low, high = np.full(levels.shape, -1.0), np.full(levels.shape, float(last))
    while (high - low).max() > 1:
        middle = np.floor((low + high) / 2)
        if ((middle <= low) | (middle >= high)).all():  # neighbours among floats above 2**53
            break
        reached = cdf(middle) >= levels
        low, high = np.where(reached, low, middle), np.where(reached, middle, high)
    return high


def _cells(cdf: Cumulative, neurons: float, last: int) -> Vector:
    """Upper ends of all cells but the last, which has none; the silent neurons are a cell of their own."""
    silent = float(cdf(np.zeros(1))[0])
    wanted = max(FEWEST_CELLS, round(2 * (neurons * (1 - silent)) ** 0.4))
    levels = silent + (1 - silent) * np.arange(wanted) / wanted
    least = max(LEAST_EXPECTED / neurons, 0.5 * (1 - silent) / wanted)
    ends: list[float] = []
    below = 0.0
    for end in np.unique(_quantiles(cdf, levels, last)):
        reached = float(cdf(np.array([end]))[0])
        if reached - below >= least and 1 - reached >= least:
            ends.append(float(end))
            below = reached
    return np.array(ends)


def chi_square(tally: Tally, process: Process) -> Goodness | None:
    """Test by cells; None if the neurons are too few for it, or scoring does not settle."""
    law = GammaPoisson if isinstance(process, PolyaUrn) else type(process)
    neurons, last = tally.neurons, int(tally.value[-1])

    def cdf_at(theta: Vector) -> Cumulative:
        return cumulative(_free_process(tally, law, theta), tally.samples, last)

    share = process.c / neurons
    theta = np.array([np.log(process.b), np.log(share) - (np.log1p(-share) if law is BetaBernoulli else 0.0)])
    ends = _cells(cdf_at(theta), neurons, last)
    if ends.size + 1 < FEWEST_CELLS + _FITTED:
        return None
    seen = np.bincount(np.searchsorted(ends, tally.value), tally.times, ends.size + 1)

    def probabilities(theta: Vector) -> Vector:
        return np.diff(cdf_at(theta)(ends), prepend=0.0, append=1.0)

    def loss(p: Vector) -> float:
        return -float(seen @ np.log(p)) if p.min() > 0 else np.inf

    p = probabilities(theta)
    for _ in range(50):  # Fisher's scoring, with slopes from central differences
        slopes = np.stack(
            [(probabilities(theta + h) - probabilities(theta - h)) / 2e-4 for h in 1e-4 * np.eye(2)], axis=1
        )
        root = np.sqrt(p)
        step = np.linalg.lstsq(slopes / root[:, None], (seen / neurons - p) / root, rcond=None)[0]
        step *= min(1.0, 1.0 / max(float(np.abs(step).max()), 1e-300))
        trial = probabilities(theta + step)
        while loss(trial) > loss(p) + 1e-9 and np.abs(step).max() > 1e-9:
            step = step / 2
            trial = probabilities(theta + step)
        theta, p = theta + step, trial
        if np.abs(step).max() < 1e-5:
            statistic = float(np.sum((seen - neurons * p) ** 2 / (neurons * p)))
            freedom = seen.size - 1 - _FITTED
            return Goodness(
                "chi-square",
                statistic,
                float(stats.chi2.sf(statistic, freedom)),
                cells=seen.size,
                freedom=freedom,
            )
    return None


def _free_process(tally: Tally, law: type[Process], theta: Vector) -> Process:
    """Return the process at (ln b, logit c/N), or (ln b, ln c/N) for the gamma-Poisson law."""
    if law is BetaBernoulli:
        return process_at(tally, law, theta)
    neurons = round(tally.neurons)
    return GammaPoisson(neurons, float(np.exp(theta[0])), neurons * float(np.exp(theta[1])))


def distance(tally: Tally, process: Process) -> float:
    """Cramér and von Mises' distance, on at most 64 order statistics."""
    rank = np.cumsum(tally.times) / tally.neurons
    levels = np.arange(0.5, _MOST_POINTS) / _MOST_POINTS
    points = np.searchsorted(rank, levels)
    cdf = cumulative(process, tally.samples, int(tally.value[-1]))
    value = np.unique(points)
    gap = np.zeros(rank.shape)
    gap[value] = rank[value] - cdf(tally.value[value])
    return float(tally.neurons * np.mean(gap[points] ** 2))


def draw(process: Process, samples: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """One set of counts, shape (neurons,)."""
    counts = np.empty((1, process.neurons), dtype=np.int64)
    process._draw_counts(np.zeros(process.neurons, dtype=np.int64), np.array([samples]), rng, counts)
    return np.asarray(counts[0])


def bootstrap(tally: Tally, process: Process, replicas: int, seed: Root, executor: Executor | None = None) -> Goodness:
    """Test by refitted replicas of the fit, each on its own stream."""
    observed = distance(tally, process)
    tasks = [
        (process, tally.samples, seed, range(first, min(first + _TOGETHER, replicas)))
        for first in range(0, replicas, _TOGETHER)
    ]
    larger = sum(
        int(np.sum(np.array(part) >= observed - _ROUNDING)) for _, part in run_tasks(_distances, tasks, executor)
    )
    share = (1 + larger) / (2 + replicas)
    error = math.sqrt(share * (1 - share) / (3 + replicas))
    return Goodness("bootstrap", observed, (1 + larger) / (1 + replicas), p_error=error, replicas=replicas)


def _distances(task: tuple[Process, int, Root, range]) -> list[float]:
    """Return the distances of some replicas."""
    process, samples, seed, numbers = task
    return [_replica(process, samples, type(process), stream(seed, number)) for number in numbers]


def _replica(process: Process, samples: int, law: type[Process], rng: np.random.Generator) -> float:
    for _ in range(_MOST_REDRAWS):
        try:
            counts = draw(process, samples, rng)
        except ValueError as error:
            raise NoFiniteFitError(f"{law.__name__} has no replicas for a bootstrap: {error}") from None
        tally = Tally.of(counts, samples)
        try:
            theta = estimate(tally, law).theta
        except NoFiniteFitError:
            continue
        return distance(tally, process_at(tally, law, theta))
    raise NoFiniteFitError(
        f"{_MOST_REDRAWS} replicas of {process} in a row had no finite fit: "
        "these counts are too poor for a bootstrap; record more samples"
    )
