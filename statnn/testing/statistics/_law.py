"""Draws against a whole law, discrete or continuous, given as a frozen distribution of scipy."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from statnn.testing.statistics._comparison import FEWEST_REPLICATES, Comparison, Floats, Refusal, array_of, whole_of
from statnn.testing.statistics._counts import NEGLIGIBLE, in_cells, total
from statnn.testing.statistics._mean import FEWEST_CARRIERS, mean

FEWEST_FOR_KOLMOGOROV = 30
MOST_CELLS = 4096
LARGEST_SUM = 2**22
"""Largest number of values of a sum whose exact law is computed."""


def is_law(theory: Any) -> bool:
    """Return whether an object is a frozen law, such as ``scipy.stats.binom(10, 0.3)``."""
    return all(callable(getattr(theory, name, None)) for name in ("cdf", "ppf", "mean", "support"))


def law(values: ArrayLike, theory: Any) -> Comparison:
    """Compare independent draws with their law: chi-square if it is discrete, else Kolmogorov and Smirnov.

    Parameters
    ----------
    values : array, shape (draws,)
        Whole numbers if the law is discrete. A value outside the support rejects with p = 0. A value so far out that
        the law expects fewer than 1e-18 draws there rejects with p at most this expected number.
    theory : frozen distribution of scipy.stats
        A single one, such as ``scipy.stats.binom(10, 0.3)``, with ``cdf``, ``ppf``, ``mean``, ``support``, and ``pmf``
        if it is discrete.

    Returns
    -------
    Comparison
        As `counts` returns it for a discrete law and `uniform` for a continuous one.

    Raises
    ------
    Refusal
        If there are too few draws, or if the law is discrete and a draw is not a whole number.

    See Also
    --------
    counts, uniform : the tests behind it.
    statnn.testing.assert_law : fails if the difference is beyond chance.

    Notes
    -----
    The test of Kolmogorov and Smirnov sees differences of 6/√n between distribution functions in the bulk of a law, and
    hardly anything in its tails except values that are as good as impossible.

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
    _refuse_other(theory)
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
    """Compare ordered draws with a continuous law; each may be rounded from anywhere between the floats beside it.

    Near an end of a law, such as the end at 1 of a beta law, a large share of all draws may round to one number.
    """
    shares = []
    for side in (-math.inf, math.inf):
        with np.errstate(over="ignore"):  # the neighbour of the largest float is infinity
            neighbours = np.clip(np.nextafter(draws, side), *theory.support())
        below = theory.cdf(neighbours)
        shares.append(np.clip(below, 0.0, 1.0))
        off = np.abs(below - shares[-1])
        if not (off < 1e-9).all():
            far = int(np.argmax(off))
            raise Refusal(f"the distribution function of the law is {below[far]:.6g} at {draws[far]:.6g}: not a law")
    n = draws.size
    apart = np.maximum(shares[0] - np.arange(n) / n, np.arange(1, n + 1) / n - shares[1])
    far = int(np.argmax(apart))
    distance = max(0.0, float(apart[far]))
    p = float(stats.kstwo.sf(distance, n))
    return Comparison(distance, 1 / math.sqrt(n), 0.0, p, law="Kolmogorov", where=f"at {draws[far]:.6g}")


def _refuse_other(theory: Any) -> None:
    """Raise if an object is no frozen law, or is one law for each entry of arrays of parameters."""
    if not is_law(theory):
        raise TypeError(
            f"theory is a {type(theory).__name__}; a frozen law is needed, such as scipy.stats.binom(10, 0.3). To "
            "compare how often 0, 1, 2, ... were seen with probabilities, use counts(observed, pmf)"
        )
    shape = np.shape(theory.support()[0])
    if shape:
        raise TypeError(
            f"theory is of shape {shape}, one law for each entry: freeze one with numbers as its parameters, such as "
            "scipy.stats.norm(0.0, 1.0), and compare each entry with its own law"
        )


def _unless_impossible(comparison: Comparison, draws: Floats, theory: Any) -> Comparison:
    """Return the comparison, but reject if a draw is forbidden by the law or too far out for this number of draws.

    Neither cells nor the distance between distribution functions notice a single such draw.
    """
    low, high = theory.support()
    discrete = hasattr(theory, "pmf")
    forbidden = draws[(draws < low) | (draws > high)]
    if discrete and not forbidden.size:
        forbidden = draws[np.asarray(theory.pmf(draws)) == 0]
    if forbidden.size:
        return replace(comparison, p=0.0, where=f"at {forbidden[0]:.6g}, which the law forbids")
    inside = draws if discrete else draws[(low < draws) & (draws < high)]  # a draw at an end may be rounded to it
    if not inside.size:
        return comparison
    tail, far = min((_tail(theory, draw, side), draw) for side, draw in ((-1, inside.min()), (1, inside.max())))
    chance = 2 * draws.size * tail
    if not chance < NEGLIGIBLE:
        return comparison
    where = f"at {far:.6g}: the law expects {chance:.1g} draws this far out"
    return replace(comparison, p=min(comparison.p, chance), where=where)


def _tail(theory: Any, draw: float, side: int) -> float:
    """Return the probability of a draw at least as far out on one side; 1 where it cannot be computed.

    The tail of a discrete law is taken as a geometric series through this value and the next: to sum it would take long
    for a law without a closed form, and would not end for a heavy tail.
    """
    if hasattr(theory, "pmf"):
        here, beyond = theory.pmf(np.array([draw, draw + side]))
        return float(here / (1 - beyond / here)) if beyond < here else 1.0
    if side > 0 and not hasattr(theory, "sf"):
        return 1.0
    return max(0.0, float(theory.sf(draw) if side > 0 else theory.cdf(draw)))


def _edges(theory: Any) -> Floats:
    """Return the last value of each cell but the open one: one cell for each value if these are few, else quantiles."""
    try:
        low = float(theory.ppf(1e-9))
        if theory.cdf(low + MOST_CELLS - 1) < 1 - 1e-9:  # ppf could search for ever for the end of a heavy tail
            edges = np.unique(theory.ppf(np.arange(1, MOST_CELLS // 16) / (MOST_CELLS // 16)))
        else:
            edges = np.arange(low, float(theory.ppf(1 - 1e-9)) + 1)
    except (RuntimeError, ValueError) as error:
        raise Refusal(f"the quantiles of the law cannot be computed: {error}; use counts(observed, pmf)") from None
    return edges


def mean_under(values: ArrayLike, theory: Any, *, fewest: int = FEWEST_REPLICATES) -> Comparison:
    """Compare the mean of independent draws with that of their law, exactly if the law of the sum can be computed.

    It can if the law is discrete, the draws are whole numbers and the sum has at most four million values (`total`).
    Otherwise the means are compared as by `mean`, and the variance, skewness and kurtosis of the law itself tell
    whether this number of draws holds the large values that carry its spread.

    Parameters
    ----------
    values : array, shape (draws,)
        Independent draws.
    theory : frozen distribution of scipy.stats
        The law of each draw.
    fewest : int
        Smallest number of draws that is accepted if they are compared as by `mean`; of a law of skewness γ,
        (γ fewest/20)² are needed.

    Returns
    -------
    Comparison

    Raises
    ------
    Refusal
        If there are no values, or the law has no finite mean; if draws are compared as by `mean`, also if they are too
        few for their law, or the law has no finite variance.

    See Also
    --------
    mean : if only the mean is known.
    total : from the probabilities of 0, 1, 2, ....

    Examples
    --------
    >>> from scipy import stats
    >>> mean_under([3, 2, 4, 3, 3], stats.binom(10, 0.3)).law
    'exact'
    """
    draws = array_of(values, "values", 1)
    _refuse_other(theory)
    expected = float(theory.mean())
    if not math.isfinite(expected):
        raise Refusal(f"the law has no finite mean: {expected}")
    if not draws.size:
        raise Refusal("there are no values to compare")
    ends = _ends(theory, draws) if hasattr(theory, "pmf") else None
    whole_of(fewest, "fewest")
    if ends is None or (draws != np.rint(draws)).any():
        _refuse_rare(theory, draws.size, fewest)
        return mean(draws, expected, fewest=fewest)
    low, high = ends
    comparison = total(draws - low, theory.pmf(np.arange(low, high + 1)))
    return replace(comparison, estimate=comparison.estimate + low, theory=comparison.theory + low)


def _refuse_rare(theory: Any, number: int, fewest: int) -> None:
    """Raise if the values that carry the spread of a law are so rare that this number of draws may hold too few.

    Where all draws lie low, they look less skewed than their law: below (γ fewest/20)² draws, with γ the skewness of
    the law, the level for which `fewest` draws are needed, 2^(-fewest/5), raises over three times its alarms.
    """
    if not hasattr(theory, "stats"):
        return
    variance, skewness, excess = map(float, theory.stats(moments="vsk"))
    if not math.isfinite(variance):
        raise Refusal("the law has no finite variance, so no mean of draws has a standard error: compare with `law`")
    share = number / (excess + 3)
    # a sample shows more carriers, so half will do; those of a normal law, of excess 0, are never rare
    if math.isfinite(excess) and 2 * number < FEWEST_CARRIERS * excess:
        raise Refusal(
            f"{share:.2g} of {number} draws of this law carry its spread: large values are so rare that the sample may "
            "hold none. Take more draws, or compare with `law`"
        )
    needed = (skewness * fewest / 20) ** 2
    if math.isfinite(needed) and number < needed:
        raise Refusal(
            f"{number} draws of this law, of skewness {skewness:.2g}, are too few for the tails of their mean: take "
            f"{math.ceil(needed)}, or compare with `law`"
        )


def _ends(theory: Any, draws: Floats) -> tuple[float, float] | None:
    """Return ends that hold all draws and a discrete law but for `NEGLIGIBLE`; None if the sum has too many values."""
    least, most = theory.support()
    low = float(theory.ppf(1e-9))
    if not theory.cdf(low + LARGEST_SUM // draws.size) >= 1 - 1e-9:  # also None if scipy finds no quantile
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
    law : the same for any law.
    statnn.testing.assert_uniform : fails if the difference is beyond chance.

    Examples
    --------
    >>> import numpy as np
    >>> uniform(np.random.default_rng(1).random(200)).p > 0.01
    True
    """
    p = array_of(p_values, "p_values", 1)
    if p.size < 30 or (p < 0).any() or (p > 1).any():
        outside = np.count_nonzero((p < 0) | (p > 1))
        raise Refusal(f"uniformity needs at least 30 numbers in [0, 1], got {p.size}, {outside} of them outside")
    test = stats.kstest(p, "uniform")
    where = f"at {test.statistic_location:.6g}"
    return Comparison(
        float(test.statistic), 1 / math.sqrt(p.size), 0.0, float(test.pvalue), law="Kolmogorov", where=where
    )
