"""Whole numbers against their exact laws: sums, shares of successes, and how often each value was seen."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike
from scipy import fft, optimize, special, stats

from statnn.testing.statistics._comparison import FEWEST_REPLICATES, Comparison, Floats, Refusal, array_of, numbers_of

NEGLIGIBLE = 1e-18
"""Probability below which that of all draws is as good as none: it is added to no tail, and a draw there rejects."""


TERM_BY_TERM = 2**12
"""Values of a sum up to which its law is convolved term by term: where laws have gaps transforms lose tails."""


def total(values: ArrayLike, pmf: ArrayLike) -> Comparison:
    """Compare the sum of independent whole numbers with the exact law of one of them, however skewed.

    The law of the sum is the convolution of the single laws, tilted so that the observed sum is its mean: tails have
    full relative accuracy (where the sum has more than 4,096 values, of laws without gaps). Twice the tail beyond the
    observed sum is the p-value; above uniform, as sums are discrete.

    Parameters
    ----------
    values : array of int, shape (replicas,)
        Independent whole numbers, from 0 on.
    pmf : array, shape (values,)
        Probabilities of 0, 1, 2, ..., which sum to one.

    Returns
    -------
    Comparison
        Of the mean, with the standard error that the law gives it.

    Raises
    ------
    Refusal
        If values are no whole numbers, `pmf` is no law, or it has no spread.

    See Also
    --------
    mean_under : of a law of scipy.stats.

    Examples
    --------
    >>> round(total([0, 1, 1, 2], [0.5, 0.25, 0.25]).p, 3)
    0.75
    """
    array, law = array_of(values, "values", 1), array_of(pmf, "pmf", 1)
    if not array.size or (array != np.rint(array)).any():
        raise Refusal("the exact law of a sum needs whole numbers")
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
        sign = 1 if law @ (x - mean) < 0 else -1  # theory may be rounded to the mean
        p = min(1.0, 2 * _tail(x, law, n, round(array.sum()), sign))
    else:
        p = min(1.0, 2 * float(law[int(mean)]) ** n)
    return Comparison(mean, error, theory, p, (mean - theory) / error, law="exact")


def _tail(x: Floats, law: Floats, n: int, observed: int, sign: int) -> float:
    """Return the probability that the sum of n draws is the observed one or beyond it on the side of `sign`."""
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
    return float(sums[beyond] @ np.exp(weight - tilt * (beyond - observed)))


def _law_of_sum(law: Floats, n: int) -> Floats:
    """Return the probabilities of the sum of n draws, those of a few thousand values by sums of positive terms."""
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
        If they are no numbers, successes and trials not whole, or they do not fit each other.

    See Also
    --------
    mean : of any numbers.
    statnn.testing.assert_proportion : fails where it is beyond chance.

    Examples
    --------
    >>> proportion(52, 100, 0.5).p > 0.05, proportion(80, 100, 0.5).p < 1e-8
    (True, True)
    """
    counted, all_of, probability = numbers_of(successes=successes, trials=trials, probability=probability)
    whole = all(number == np.rint(number) for number in (counted, all_of))
    if not (whole and FEWEST_REPLICATES <= trials <= 2**53 and 0 <= successes <= trials and 0 <= probability <= 1):
        raise Refusal(f"cannot compare {successes} successes in {trials} trials with probability {probability}")
    p = float(stats.binomtest(int(successes), int(trials), probability).pvalue)
    share = successes / trials
    return Comparison(share, math.sqrt(probability * (1 - probability) / trials), probability, p, law="binomial")


def counts(observed: ArrayLike, pmf: ArrayLike, *, least: float = 5.0, fitted: int = 0) -> Comparison:
    """Compare how often whole numbers were seen with a law, by chi-square.

    Neighbouring cells are pooled until each expects `least` observations. The statistic is the smaller of that of
    Cressie and Read and the likelihood ratio: where cells expect five, Pearson's sum has too heavy a tail, that of
    Cressie and Read, too, where cells are few (a hundred times too many alarms at 1e-9 for two of them), and the
    likelihood ratio too large a mean. Observations where the law forbids them reject with p = 0, and where it expects
    less than 1e-18 of all, with what it expects in such cells.

    Parameters
    ----------
    observed : array of int, shape (values,)
        How often each value 0, 1, 2, ... was seen.
    pmf : array, shape (values,)
        Probabilities of these values; what is missing to one belongs to larger values.
    least : float
        Smallest expected count of a pooled cell, above 0.
    fitted : int
        Number of parameters of the law that were fitted to these counts, at least 0.

    Returns
    -------
    Comparison
        `estimate` is the statistic, `theory` its degrees of freedom, `error` the standard deviation.

    Raises
    ------
    Refusal
        If the observations are no counts, the probabilities none, `least` or `fitted` is out of range, or there are so
        few observations that one cell is left.

    See Also
    --------
    law : the same from the values themselves.

    Examples
    --------
    >>> counts([52, 48], [0.5, 0.5]).p > 0.05
    True
    """
    seen, probability = array_of(observed, "observed", 1), array_of(pmf, "pmf", 1)
    if not (0 < least < math.inf and 0 <= fitted == np.rint(fitted)):
        raise Refusal(f"least = {least} must be a finite number above 0 and fitted = {fitted} a whole number >= 0")
    return in_cells(seen, probability, np.arange(float(seen.size)), least, fitted)


def in_cells(seen: Floats, probability: Floats, last: Floats, least: float = 5.0, fitted: int = 0) -> Comparison:
    """Compare how often each cell was seen, as `counts`; `last` holds the largest value of each, to name it by."""
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
        raise Refusal(f"{number:.0f} observations fill {pooled.size} cell(s) that expect {least:g}: too few")
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
    """Return which whole numbers are above one and not above another, in words."""
    if last - below == 1:
        return f"at {last:g}"
    return " and ".join(
        part for part in (f"above {below:g}" * math.isfinite(below), f"up to {last:g}" * math.isfinite(last)) if part
    )


def _pool(expected: Floats, least: float) -> list[int]:
    """Return where cells begin, of neighbours that together expect `least`; what is left over joins the last."""
    starts, mass = [0], 0.0
    for cell, value in enumerate(expected):
        if mass >= least:
            starts.append(cell)
            mass = 0.0
        mass += value
    if mass < least and len(starts) > 1:
        starts.pop()
    return starts
