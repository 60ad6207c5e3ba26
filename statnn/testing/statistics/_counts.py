"""Whole numbers against their exact laws: sums, shares of successes, and how often each value was seen."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike
from scipy import fft, optimize, special, stats

from statnn.testing.statistics._comparison import (
    FEWEST_REPLICATES,
    Comparison,
    Floats,
    Refusal,
    array_of,
    numbers_of,
    whole_of,
)

NEGLIGIBLE = 1e-18
"""Probability or expected number of draws as good as zero: such tails are dropped, and a draw there rejects."""


TERM_BY_TERM = 2**12
"""Most values of a sum for its law to be convolved term by term: Fourier transforms lose tails of laws with gaps."""


def total(values: ArrayLike, pmf: ArrayLike) -> Comparison:
    """Compare the sum of independent whole numbers with the exact law of one of them, however skewed.

    The law of the sum is the convolution of the single laws, tilted so that the observed sum is its mean. Tails
    therefore have full relative accuracy (if the sum has more than 4,096 values, only for laws without gaps). The
    p-value is twice the tail from the observed sum outwards; it is larger than uniform, because sums are discrete.

    Parameters
    ----------
    values : array of int, shape (replicas,)
        Independent whole numbers, from 0 on.
    pmf : array, shape (values,)
        Probabilities of 0, 1, 2, ..., which sum to one.

    Returns
    -------
    Comparison
        Of the mean, with its standard error under the law.

    Raises
    ------
    Refusal
        If there are no values, they are not whole numbers, `pmf` is not a law, or it has no spread.

    See Also
    --------
    mean_under : the same for a law of scipy.stats.

    Examples
    --------
    >>> round(total([0, 1, 1, 2], [0.5, 0.25, 0.25]).p, 3)
    0.75
    """
    array, law = array_of(values, "values", 1), array_of(pmf, "pmf", 1)
    if not array.size or (array != np.rint(array)).any():
        raise Refusal("the exact law of a sum needs whole numbers, at least one")
    if (law < 0).any() or abs(law.sum() - 1) > 1e-9:
        raise Refusal(f"pmf must be >= 0 and sum to 1, got {law.sum()}")
    x, n, mean = np.arange(law.size, dtype=float), array.size, float(array.mean())
    theory = float(law @ x)
    variance = float(law @ (x - theory) ** 2)
    if variance <= 0:
        raise Refusal("the law has no spread: compare exactly instead")
    error = math.sqrt(variance / n)
    seen = x[law > 0]
    if not seen[0] <= array.min() <= array.max() <= seen[-1] or (law[array.astype(np.int64)] == 0).any():
        p = 0.0
    elif seen[0] < mean < seen[-1]:
        sign = 1 if law @ (x - mean) < 0 else -1  # not from theory, which may be rounded to the mean
        p = min(1.0, 2 * _tail(x, law, n, round(array.sum()), sign))
    else:
        p = min(1.0, 2 * float(law[int(mean)]) ** n)
    return Comparison(mean, error, theory, p, (mean - theory) / error, law="exact")


def _tail(x: Floats, law: Floats, n: int, observed: int, sign: int) -> float:
    """Return the probability that the sum of n draws is the observed one, or farther out on the side of `sign`."""
    with np.errstate(divide="ignore"):
        log_law = np.log(law)
    centre = observed / n

    def excess(tilt: float) -> float:
        return float(special.softmax(log_law + tilt * (x - centre)) @ (x - centre))

    reach = 1.0
    while excess(-reach) > 0 or excess(reach) < 0:
        reach *= 2
    tilt = optimize.brentq(excess, -reach, reach)
    tilted = special.softmax(log_law + tilt * (x - centre))
    sums = _law_of_sum(tilted, n)
    beyond = np.arange(observed, sums.size) if sign > 0 else np.arange(observed + 1)
    weight = n * special.logsumexp(log_law + tilt * (x - centre))
    # the tilt is undone term by term, with exponents relative to the observed sum
    return float(sums[beyond] @ np.exp(weight - tilt * (beyond - observed)))


def _law_of_sum(law: Floats, n: int) -> Floats:
    """Return the probabilities of the sum of n draws; up to `TERM_BY_TERM` of them come from positive terms alone."""
    size = n * (law.size - 1) + 1
    if size > TERM_BY_TERM:
        fast = fft.next_fast_len(size, real=True)
        return np.asarray(np.maximum(fft.irfft(fft.rfft(law, fast) ** n, fast), 0.0)[:size])
    power = np.ones(1)
    for bit in f"{n:b}":
        power = np.convolve(power, power)
        if bit == "1":
            power = np.convolve(power, law)
    return power


def proportion(successes: int, trials: int, probability: float) -> Comparison:
    """Compare a number of successes with a probability by the exact binomial test.

    Raises
    ------
    Refusal
        If successes or trials is not a whole number, trials are fewer than 5 or more than 2^53, successes are outside
        [0, trials], or the probability is not a number in [0, 1].

    See Also
    --------
    mean : for any numbers.
    statnn.testing.assert_proportion : fails if the difference is beyond chance.

    Examples
    --------
    >>> proportion(52, 100, 0.5).p > 0.05, proportion(80, 100, 0.5).p < 1e-8
    (True, True)
    """
    counted, all_of, probability = numbers_of(successes=successes, trials=trials, probability=probability)
    whole = all(number == np.rint(number) for number in (counted, all_of))
    if not (whole and FEWEST_REPLICATES <= all_of <= 2**53 and 0 <= counted <= all_of and 0 <= probability <= 1):
        raise Refusal(
            f"cannot compare {successes} successes in {trials} trials with probability {probability}: take whole "
            f"numbers, trials from {FEWEST_REPLICATES} to 2^53, successes from 0 to trials, and a probability in [0, 1]"
        )
    p = float(stats.binomtest(int(counted), int(all_of), probability).pvalue)
    error = math.sqrt(probability * (1 - probability) / all_of)
    return Comparison(counted / all_of, error, probability, p, law="binomial")


def counts(observed: ArrayLike, pmf: ArrayLike, *, least: float = 5.0, fitted: int = 0) -> Comparison:
    """Compare how often each whole number was seen with a law, by chi-square.

    Neighbouring cells are pooled until each expects `least` observations. The statistic is the smaller of the statistic
    of Cressie and Read and the likelihood ratio. If cells expect five observations, Pearson's statistic has too heavy a
    tail, so has that of Cressie and Read if cells are few (a hundred times too many alarms at 1e-9 for two cells), and
    the likelihood ratio has too large a mean. Observations that the law forbids reject with p = 0. Observations of
    values that are expected fewer than 1e-18 times reject with p at most the expected number of all such values.

    Parameters
    ----------
    observed : array of int, shape (values,)
        How often each value 0, 1, 2, ... was seen.
    pmf : array, shape (values,)
        Probabilities of these values; if they sum to less than one, the rest belongs to larger values.
    least : float
        Smallest expected count of a pooled cell, above 0.
    fitted : int
        Number of parameters of the law that were fitted to these counts, at least 0.

    Returns
    -------
    Comparison
        `estimate` is the statistic, `theory` its degrees of freedom, `error` its standard deviation.

    Raises
    ------
    Refusal
        If the observations are not counts, `pmf` is not a law, `least` or `fitted` is out of range, or there are so few
        observations that pooling leaves no degree of freedom.

    See Also
    --------
    law : the same from the values themselves.

    Examples
    --------
    >>> counts([52, 48], [0.5, 0.5]).p > 0.05
    True
    """
    seen, probability = array_of(observed, "observed", 1), array_of(pmf, "pmf", 1)
    (expected,) = numbers_of(least=least)
    if not 0 < expected < math.inf:
        raise Refusal(f"least = {least!r} must be a finite number above 0")
    return in_cells(seen, probability, np.arange(float(seen.size)), expected, whole_of(fitted, "fitted"))


def in_cells(seen: Floats, probability: Floats, last: Floats, least: float = 5.0, fitted: int = 0) -> Comparison:
    """Compare how often each cell was seen, as `counts` does; `last` holds the largest value of each, to name it."""
    if seen.shape != probability.shape:
        raise Refusal(f"observed and pmf differ in shape: {seen.shape} and {probability.shape}")
    if (seen < 0).any() or (seen != np.rint(seen)).any():
        raise Refusal("observed must be whole numbers >= 0: how often each value was seen")
    if (probability < 0).any() or probability.sum() > 1 + 1e-9:
        raise Refusal(f"pmf must be >= 0 and sum to at most 1, got {probability.sum()}")
    number = seen.sum()
    seen = np.append(seen, 0.0)
    expected = number * np.append(probability, max(0.0, 1 - probability.sum()))
    starts = _pool(expected, least)
    pooled, hoped = np.add.reduceat(seen, starts), np.add.reduceat(expected, starts)
    dof = pooled.size - 1 - fitted
    if dof < 1:
        raise Refusal(
            f"{number:.0f} observations are too few: pooled until cells expect {least:g}, they leave {pooled.size} "
            f"cell(s), and {2 + fitted:g} are needed"
        )
    hoped *= number / hoped.sum()
    statistic = min(
        float(stats.power_divergence(pooled, hoped, lambda_=divergence).statistic)
        for divergence in ("cressie-read", "log-likelihood")
    )
    p = float(stats.chi2.sf(statistic, dof))
    impossible = np.flatnonzero((expected < NEGLIGIBLE) & (seen > 0))
    if impossible.size:
        forbidden = (expected[impossible] == 0).any()
        p = 0.0 if forbidden else min(p, float(expected[expected < NEGLIGIBLE].sum()))
    worst = int(np.argmax((pooled - hoped) ** 2 / np.maximum(hoped, np.finfo(float).tiny)))
    first, after = (impossible[0], impossible[0] + 1) if impossible.size else (*starts, seen.size)[worst : worst + 2]
    ends = np.concatenate([[-math.inf], last, [math.inf]])
    cell = f"{seen[first:after].sum():g} seen, {expected[first:after].sum():.4g} expected"
    where = f"{_between(ends[first], ends[after])}: {cell}"
    return Comparison(statistic, math.sqrt(2 * dof), float(dof), p, law="chi-square", where=where)


def _between(below: float, last: float) -> str:
    """Name in words the whole numbers above `below` and up to `last`."""
    if last - below == 1:
        return f"at {last:g}"
    return " and ".join(
        part for part in (f"above {below:g}" * math.isfinite(below), f"up to {last:g}" * math.isfinite(last)) if part
    )


def _pool(expected: Floats, least: float) -> list[int]:
    """Return where pooled cells begin, neighbours that together expect `least`; the remainder joins the last one."""
    starts, mass = [0], 0.0
    for cell, value in enumerate(expected):
        if mass >= least:
            starts.append(cell)
            mass = 0.0
        mass += value
    if mass < least and len(starts) > 1:
        starts.pop()
    return starts
