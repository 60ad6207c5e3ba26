"""Draws against a whole law, discrete or continuous, in the form that scipy freezes."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from statnn.testing.statistics._comparison import FEWEST_REPLICATES, Comparison, Floats, Refusal, array_of
from statnn.testing.statistics._counts import NEGLIGIBLE, in_cells, total
from statnn.testing.statistics._mean import FEWEST_CARRIERS, mean

FEWEST_FOR_KOLMOGOROV = 30
MOST_CELLS = 4096
LARGEST_SUM = 2**22
"""Values that a sum may have for its exact law to be computed."""


def is_law(theory: Any) -> bool:
    """Return whether an object is a frozen law, as ``scipy.stats.binom(10, 0.3)`` is."""
    return all(callable(getattr(theory, name, None)) for name in ("cdf", "ppf", "mean", "support"))


def law(values: ArrayLike, theory: Any) -> Comparison:
    """Compare independent draws with their law: chi-square where it is discrete, Kolmogorov and Smirnov else.

    Parameters
    ----------
    values : array, shape (draws,)
        Whole numbers where the law is discrete. A value outside the support rejects with p = 0, and one so far out
        that less than 1e-18 are expected there with their number.
    theory : frozen distribution of scipy.stats
        One, as ``scipy.stats.binom(10, 0.3)``: with ``cdf``, ``ppf``, ``mean``, ``support``, and ``pmf`` if it is
        discrete.

    Returns
    -------
    Comparison
        Of the statistic; see `counts` and `uniform`.

    Raises
    ------
    Refusal
        If there are too few draws, or fractions where the law is discrete.

    See Also
    --------
    counts, uniform : what it is made of.
    statnn.testing.assert_law : fails where it is beyond chance.

    Notes
    -----
    The test of Kolmogorov and Smirnov sees shifts in the bulk of a law of 6/√n in its distribution function and hardly
    anything in the tails but values as good as impossible.

    Examples
    --------
    >>> import numpy as np
    >>> from scipy import stats
    >>> draws = stats.norm.ppf((np.arange(100) + 0.5) / 100)
    >>> law(draws, stats.norm()).p > 0.99, law(draws, stats.norm(1.0)).p < 1e-9
    (True, True)
    >>> law(np.random.default_rng(1).binomial(10, 0.3, 1000), stats.binom(10, 0.3)).p > 0.01
    True
    """
    draws = array_of(values, "values", 1)
    if not is_law(theory):
        raise TypeError(
            f"theory is a {type(theory).__name__}; a frozen law is needed, as scipy.stats.binom(10, 0.3). To compare "
            "how often 0, 1, 2, ... was seen with probabilities, use counts(observed, pmf)"
        )
    _refuse_several(theory)
    if not hasattr(theory, "pmf"):
        if draws.size < FEWEST_FOR_KOLMOGOROV:
            raise Refusal(f"{draws.size} draws are too few for a continuous law: take at least {FEWEST_FOR_KOLMOGOROV}")
        return _unless_impossible(_kolmogorov(np.sort(draws), theory), draws, theory)
    if (draws != np.rint(draws)).any():
        raise Refusal("a discrete law needs whole numbers")
    edges = _edges(theory)
    observed = np.bincount(np.searchsorted(edges, draws), minlength=edges.size + 1)
    probability = np.diff(theory.cdf(edges), prepend=0.0, append=1.0)
    comparison = in_cells(observed.astype(float), np.maximum(probability, 0.0), np.append(edges, math.inf))
    return _unless_impossible(comparison, draws, theory)


def _kolmogorov(draws: Floats, theory: Any) -> Comparison:
    """Compare ordered draws with a continuous law; a draw may be rounded from anywhere between its neighbours.

    Next to an end of a law, as at one of a beta law, a large share of all draws may round to one number.
    """
    shares = []
    for side in (-math.inf, math.inf):
        with np.errstate(over="ignore"):  # next to the largest float is infinity
            neighbours = np.clip(np.nextafter(draws, side), *theory.support())
        below = theory.cdf(neighbours)
        shares.append(np.clip(below, 0.0, 1.0))
        off = np.abs(below - shares[-1])
        if not (off < 1e-9).all():
            far = int(np.argmax(off))
            raise Refusal(f"the distribution function of the law is {below[far]:.6g} at {draws[far]:.6g}: it is no law")
    n = draws.size
    apart = np.maximum(shares[0] - np.arange(n) / n, np.arange(1, n + 1) / n - shares[1])
    far = int(np.argmax(apart))
    distance = max(0.0, float(apart[far]))
    p = float(stats.kstwo.sf(distance, n))
    return Comparison(distance, 1 / math.sqrt(n), 0.0, p, law="Kolmogorov", where=f"at {draws[far]:.6g}")


def _refuse_several(theory: Any) -> None:
    """Raise if a law was frozen with arrays of parameters, as a law for each of many numbers."""
    shape = np.shape(theory.support()[0])
    if shape:
        raise TypeError(
            f"theory is of shape {shape}, one law for each entry: freeze one with numbers as its parameters, "
            "scipy.stats.norm(0.0, 1.0), and compare entry by entry, each with its own"
        )


def _unless_impossible(comparison: Comparison, draws: Floats, theory: Any) -> Comparison:
    """Return the comparison, or that of a draw that the law forbids, or so far out that none of so many is there.

    Neither cells nor a distance of distribution functions see a single one.
    """
    low, high = theory.support()
    discrete = hasattr(theory, "pmf")
    forbidden = draws[(draws < low) | (draws > high)]
    if discrete and not forbidden.size:
        forbidden = draws[np.asarray(theory.pmf(draws)) == 0]
    if forbidden.size:
        return replace(comparison, p=0.0, where=f"at {forbidden[0]:.6g}, which the law forbids")
    inside = draws if discrete else draws[(low < draws) & (draws < high)]  # at an end, draws are rounded
    if not inside.size:
        return comparison
    tail, far = min((_tail(theory, draw, side), draw) for side, draw in ((-1, inside.min()), (1, inside.max())))
    chance = 2 * draws.size * tail
    if not chance < NEGLIGIBLE:
        return comparison
    where = f"at {far:.6g}, as far out as which it expects {chance:.1g} draws"
    return replace(comparison, p=min(comparison.p, chance), where=where)


def _tail(theory: Any, draw: float, side: int) -> float:
    """Return the probability of a draw as far out on one side; of whole numbers what falls on as from this to the next.

    Sums over the tail would take long for a law that is not known in closed form, and a heavy one has no end.
    """
    if hasattr(theory, "pmf"):
        here, beyond = theory.pmf(np.array([draw, draw + side]))
        return float(here / (1 - beyond / here)) if beyond < here else 1.0
    if side > 0 and not hasattr(theory, "sf"):
        return 1.0
    return max(0.0, float(theory.sf(draw) if side > 0 else theory.cdf(draw)))


def _edges(theory: Any) -> Floats:
    """Return the last value of each cell but the open one: every value has its own if they are few, else quantiles."""
    try:
        low = float(theory.ppf(1e-9))
        if theory.cdf(low + MOST_CELLS - 1) < 1 - 1e-9:  # the end of a heavy tail could be sought for ever
            edges = np.unique(theory.ppf(np.arange(1, MOST_CELLS // 16) / (MOST_CELLS // 16)))
        else:
            edges = np.arange(low, float(theory.ppf(1 - 1e-9)) + 1)
    except (RuntimeError, ValueError) as error:
        raise Refusal(f"the law has no quantiles that can be computed: {error}; use counts(observed, pmf)") from None
    return edges


def mean_under(values: ArrayLike, theory: Any, *, fewest: int = FEWEST_REPLICATES) -> Comparison:
    """Compare the mean of independent draws with that of their law, exactly where the law of the sum can be computed.

    That is where the law is discrete and the sum has at most four million values (`total`); else as `mean`, and the law
    itself says, by variance and kurtosis, whether so many draws hold the large values that carry its spread.

    Parameters
    ----------
    values : array, shape (draws,)
        Independent draws.
    theory : frozen distribution of scipy.stats
        The law of each.
    fewest : int
        Smallest number of draws that is accepted where it is compared as `mean` does.

    Returns
    -------
    Comparison

    Raises
    ------
    Refusal
        If there are no values, or the law has no finite mean; and, where it is compared as `mean` does, if draws are
        too few for their law, or it has no finite variance.

    See Also
    --------
    mean : where only the mean is known.
    total : of sums.

    Examples
    --------
    >>> from scipy import stats
    >>> mean_under([3, 2, 4, 3, 3], stats.binom(10, 0.3)).law
    'exact'
    """
    draws = array_of(values, "values", 1)
    _refuse_several(theory)
    expected = float(theory.mean())
    if not math.isfinite(expected):
        raise Refusal(f"the law has no finite mean: {expected}")
    if not draws.size:
        raise Refusal("there are no values to compare")
    ends = _ends(theory, draws) if hasattr(theory, "pmf") else None
    if ends is None or (draws != np.rint(draws)).any():
        _refuse_rare(theory, draws.size)
        return mean(draws, expected, fewest=fewest)
    low, high = ends
    comparison = total(draws - low, theory.pmf(np.arange(low, high + 1)))
    return replace(comparison, estimate=comparison.estimate + low, theory=comparison.theory + low)


def _refuse_rare(theory: Any, number: int) -> None:
    """Raise where the values that carry the spread of a law are so rare that of so many draws none may be one."""
    if not hasattr(theory, "stats"):
        return
    variance, excess = map(float, theory.stats(moments="vk"))
    if not math.isfinite(variance):
        raise Refusal("the law has no finite variance, and a mean of its draws no standard error: compare with `law`")
    share = number / (excess + 3)
    if math.isfinite(excess) and 2 * share < FEWEST_CARRIERS:  # half of them: a sample shows more than its law has
        raise Refusal(
            f"{share:.2g} of {number} draws of this law carry its spread: large ones are so rare that there may be "
            "none. Take more, or compare with `law`"
        )


def _ends(theory: Any, draws: Floats) -> tuple[float, float] | None:
    """Return the values between which a discrete law lies but for `NEGLIGIBLE`; None where they are too many."""
    least, most = theory.support()
    low = float(theory.ppf(1e-9))
    if not theory.cdf(low + LARGEST_SUM // draws.size) >= 1 - 1e-9:  # nor where scipy finds no quantile
        return None
    high = float(theory.ppf(1 - 1e-9))
    step = max(1.0, math.ceil((high - low) / 4))
    while draws.size * (high - low) <= LARGEST_SUM:
        short = low > least and theory.cdf(low - 1) > NEGLIGIBLE, high < most and theory.sf(high) > NEGLIGIBLE
        if not any(short):
            low, high = max(least, min(low, float(draws.min()))), min(most, max(high, float(draws.max())))
            return (low, high) if draws.size * (high - low) <= LARGEST_SUM else None
        low, high = max(least, low - step * short[0]), min(most, high + step * short[1])
    return None


def uniform(p_values: ArrayLike) -> Comparison:
    """Compare p-values, shape ``(n,)``, with the uniform law by the test of Kolmogorov and Smirnov.

    Raises
    ------
    Refusal
        If there are fewer than 30 numbers, or one is outside [0, 1].

    See Also
    --------
    law : of any law.
    statnn.testing.assert_uniform : fails where it is beyond chance.

    Examples
    --------
    >>> import numpy as np
    >>> uniform(np.random.default_rng(1).random(200)).p > 0.01
    True
    """
    p = array_of(p_values, "p_values", 1)
    if p.size < 30 or (p < 0).any() or (p > 1).any():
        raise Refusal(f"uniformity needs at least 30 numbers in [0, 1], got {p.size}")
    test = stats.kstest(p, "uniform")
    where = f"at {test.statistic_location:.6g}"
    return Comparison(
        float(test.statistic), 1 / math.sqrt(p.size), 0.0, float(test.pvalue), law="Kolmogorov", where=where
    )
