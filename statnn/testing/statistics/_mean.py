"""Means of independent replicates, whatever their law."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy import linalg, stats

from statnn.testing.statistics._comparison import (
    FEWEST_REPLICATES,
    Comparison,
    Floats,
    Refusal,
    array_of,
    numbers_of,
    unit,
    whole_of,
    worst,
    z_score,
)

FEW = 20
"""Replicates, say trainings, up to which skewness cannot be estimated, and no level below 1e-3 is asked."""
MANY = 200
"""Replicates from which the empirical likelihood has the right tail for laws nearly as skewed as the exponential: at
1e-9 some (7.5 γ)² replicates of skewness γ are needed."""
BEYOND = "theory divided by the size of the samples overflows float64: they cannot be compared"
FARTHEST = 1e150
"""Distance in standard deviations whose square, over hundreds of directions, is within float64."""
FEWEST_CARRIERS = 8
"""Replicates that must share the spread: if fewer carry it, values that were not drawn could carry as much."""
EVEN = 0.25
"""Variance of products of deviations, relative to that of independent ones, below which the means' errors count."""


def mean(values: ArrayLike, theory: float, *, bias: float = 0.0, fewest: int = FEWEST_REPLICATES) -> Comparison:
    """Compare the mean of independent replicates with theory, however skewed they are.

    p is the larger of two p-values: Student's, exact for normal replicates however few, and that of the empirical
    likelihood ratio (Owen 1988). The signed root of the ratio is normal far into its tails because the terms γz³/√n
    cancel. The remaining effects are corrected: the skewness γ shifts the root by at most γ/6√n, and the kurtosis κ
    multiplies its variance by 1 + (κ/2 - γ²/3)/n.

    Parameters
    ----------
    values : array, shape (replicas,)
        A sample cannot judge a law whose large values are so rare that the sample may hold none: compare with the
        exact law (`total`), or take factors or logarithms of these values as replicates.
    theory : float
        The mean that theory gives.
    bias : float
        Bound on a known difference between the expectation of the values and theory.
    fewest : int
        Smallest number of replicates that is accepted. From an unknown law, n replicates carry no level below 2^(-n/5):
        those of an exponential law may all lie together below its mean, and do not look skewed then. Some (7.5 γ)² of
        skewness γ carry 1e-9: 230 exponential ones, 450 squares of normal ones, 200 of which raise 26 times its alarms.

    Raises
    ------
    Refusal
        If replicates are too few, do not differ, number 21 to 199 and are clearly skewed, or number 200 or more of
        which fewer than 8 carry the spread.

    See Also
    --------
    mean_under : if the whole law of the draws is known.
    mean_vector : for many means at once.
    statnn.testing.assert_mean : fails if the difference is beyond chance.

    Examples
    --------
    >>> import numpy as np
    >>> mean(np.random.default_rng(1).exponential(2.0, 4000), 2.0).p > 0.01
    True
    """
    array, (theory, bias) = array_of(values, "values", 1), numbers_of(theory=theory, bias=bias)
    needed = max(whole_of(fewest, "fewest"), 2)
    if array.size < needed:
        raise Refusal(f"{array.size} replicates are too few for a standard error; take at least {needed}")
    if not (math.isfinite(theory) and math.isfinite(bias) and bias >= 0):
        raise Refusal(f"theory {theory}, bias {bias} must be finite and the bias >= 0")
    size = unit(array)
    expected, off = theory / size, bias / size
    if not (math.isfinite(expected) and math.isfinite(off)):
        raise Refusal(BEYOND)
    comparison = _mean(array / size, expected, off)
    return replace(
        comparison, estimate=comparison.estimate * size, error=comparison.error * size, theory=theory, bias=bias
    )


def _mean(array: Floats, theory: float, bias: float) -> Comparison:
    gaps, expected = _from_first(array, theory)
    spread = float(gaps.std(ddof=1))
    if spread <= 8 * np.finfo(float).eps * float(np.abs(array).max()):
        raise Refusal("the replicates do not differ: the standard error is zero, compare exactly instead")
    centre = float(gaps.mean())
    student = z_score(centre - expected, spread / math.sqrt(array.size), 0.0, bias=bias, dof=array.size - 1)
    student = replace(student, estimate=float(array[0]) + centre)
    root = _tempered_root(gaps, min(max(centre, expected - bias), expected + bias))
    p = min(1.0, 2 * float(stats.t.sf(root, array.size - 1)))
    return student if p <= student.p else replace(student, p=p, law="empirical likelihood")


def _from_first(values: Floats, theory: Any) -> tuple[Floats, Any]:
    """Subtract the first replicate from replicates and theory: sums of many would lose all digits to a large mean."""
    return values - values[0], theory - values[0]


def _tempered_root(array: Floats, theory: float) -> float:
    """Return the root of the empirical likelihood ratio, corrected for skewness and kurtosis, or refuse."""
    spread = float(array.std(ddof=1))
    skewness, kurtosis = _shape((array - array.mean()) / spread)
    with np.errstate(over="ignore"):  # gaps beyond float64 have one sign
        root = _empirical_root((array - theory) / spread)
    root = max(root - abs(skewness) / (6 * math.sqrt(array.size)), 0.0)
    return root / math.sqrt(1 + max(kurtosis / 2 - skewness**2 / 3, 0.0) / array.size)


def _shape(deviations: Floats) -> tuple[float, float]:
    """Return skewness and kurtosis (3 for a normal law) of replicates, or refuse those that cannot carry a mean."""
    n = deviations.size
    square = float((deviations**2).mean())
    skewness, kurtosis = float((deviations**3).mean()) / square**1.5, float((deviations**4).mean()) / square**2
    if FEW < n < MANY and abs(skewness) > 6 * math.sqrt(6 / n):
        raise Refusal(
            f"{n} replicates of skewness {skewness:.2g} are too few for the tails of their mean: take at least {MANY}, "
            "or average several into one replicate"
        )
    if n >= MANY and n < FEWEST_CARRIERS * kurtosis:
        raise Refusal(
            f"only {n / kurtosis:.2g} of {n} replicates carry their spread: values not drawn could weigh as much. Take "
            "more, compare their factors or logarithms instead, or compare with the exact law"
        )
    return skewness, kurtosis


def _empirical_root(gaps: Floats) -> float:
    """Return the root of -2 ln of the empirical likelihood ratio for mean zero: 2 Σ ln(1 + λg), Σ g/(1 + λg) = 0.

    It is infinite if all gaps have one sign: then no weights give them the mean zero.
    """
    low, high = float(gaps.min()), float(gaps.max())
    if low >= 0 or high <= 0:
        return math.inf
    # no weight 1/(n(1 + λg)) exceeds one, which bounds λ on both sides; Σ g/(1 + λg) falls with λ, so it has one root
    below, above = (1 / gaps.size - 1) / high, (1 / gaps.size - 1) / low
    tilt = 0.0
    for _ in range(200):
        pull = gaps / (1 + tilt * gaps)
        total = float(pull.sum())
        below, above = (tilt, above) if total > 0 else (below, tilt)
        step = total / float((pull**2).sum())
        # Newton's step, or bisection where it would leave the bounds
        following = tilt + step if below < tilt + step < above else (below + above) / 2
        if abs(following - tilt) <= 1e-12 * abs(following):
            break
        tilt = following
    return math.sqrt(max(0.0, 2 * float(np.log1p(tilt * gaps).sum())))


def mean_vector(samples: ArrayLike, theory: ArrayLike, *, fewest: int = FEWEST_REPLICATES) -> Comparison:
    """Compare a vector of means with theory in all directions at once, by Hotelling's test.

    p comes from the smaller of T², exact for normal replicates however few, and, beyond 20 replicates, the empirical
    likelihood ratio, as in `mean`, along the direction in which the means are farthest from theory.

    Parameters
    ----------
    samples : array, shape (replicas, d)
        Independent replicates, at least d + 2.
    theory : array, shape (d,)
        The means that theory gives.
    fewest : int
        Smallest number of replicates that is accepted.

    Returns
    -------
    Comparison
        `estimate` is Hotelling's T², `theory` its mean and `error` its standard deviation, where these are finite.

    Raises
    ------
    Refusal
        If replicates are too few, do not differ in some direction, or are too skewed for their number.

    See Also
    --------
    mean : entry by entry.
    covariance : compares the covariance matrix.
    statnn.testing.assert_means : fails if the difference is beyond chance.

    Examples
    --------
    >>> import numpy as np
    >>> mean_vector(np.random.default_rng(1).normal(size=(20, 3)), np.zeros(3)).p > 0.01
    True
    """
    drawn, claimed = array_of(samples, "samples", 2), array_of(theory, "theory", 1)
    replicas, d = drawn.shape
    if not d or claimed.shape != (d,):
        raise Refusal(f"theory must have shape {(d,)}, one number for each column of samples, got {claimed.shape}")
    needed = max(whole_of(fewest, "fewest"), d + 2)
    if replicas < needed:
        raise Refusal(f"{replicas} replicates are too few for the mean of {d} numbers; take {needed}")
    sizes = np.array([unit(column) for column in drawn.T])
    with np.errstate(over="ignore"):  # refused below
        scaled, expected = drawn / sizes, claimed / sizes  # so that squares stay within float64
    gaps, expected = _from_first(scaled, expected)
    widths = gaps.std(axis=0)
    if (widths <= 8 * np.finfo(float).eps * np.abs(scaled).max(axis=0)).any():
        raise Refusal("the replicates do not differ in every direction: compare exactly instead")
    with np.errstate(over="ignore"):
        gaps, expected = gaps / widths, expected / widths  # columns of equal spread
    if not (np.abs(expected) < FARTHEST).all():
        raise Refusal(BEYOND)
    spread = np.atleast_2d(np.cov(gaps.T)) / replicas
    if linalg.eigvalsh(spread)[0] <= 1e-12 * np.trace(spread):
        raise Refusal("the replicates do not differ in every direction: compare exactly instead")
    means = gaps.mean(axis=0)
    gap = means - expected
    direction = linalg.solve(spread, gap, assume_a="pos")
    square = judged = float(gap @ direction)
    if square > 0 and replicas > FEW:
        root = _tempered_root(gaps @ direction, float(expected @ direction))  # refuses few clearly skewed ones
        judged = min(square, root**2)
    law = stats.f(d, replicas - d, scale=d * (replicas - 1) / (replicas - d))
    z = gap / np.sqrt(np.diag(spread))
    far = int(np.argmax(np.abs(z)))
    estimate = (scaled[0, far] + means[far] * widths[far]) * sizes[far]
    where = f"in entry [{far}]: {estimate:.6g} instead of {claimed[far]:.6g}, z = {z[far]:+.2f}"
    return Comparison(square, float(law.std()), float(law.mean()), float(law.sf(judged)), law="Hotelling", where=where)


def covariance(samples: ArrayLike, theory: ArrayLike, *, fewest: int = 100) -> tuple[Comparison, Floats]:
    """Compare the covariance matrix of independent replicates with theory, entry by entry.

    Each entry is the mean of products of deviations, so its standard error comes from the replicates and no
    normality is assumed; thousands of replicates are needed, because products are skewed. Where they hardly vary, as
    squares of fair spins, the error of the means is all there is: products of differences between the two halves of
    the replicates, over 2, take their place.

    Parameters
    ----------
    samples : array, shape (replicas, d)
        Independent replicates.
    theory : array, shape (d, d)
        Symmetric and positive semi-definite.
    fewest : int
        Smallest number of replicates that is accepted.

    Returns
    -------
    comparison : Comparison
        The entry farthest from theory, its p-value corrected for the number of entries.
    z : array, shape (d, d)
        All deviations in standard errors.

    Raises
    ------
    Refusal
        If replicates are too few, theory is not a covariance matrix of shape (d, d), or `mean` refuses the products.

    See Also
    --------
    mean_vector : compares the means.
    statnn.testing.assert_covariance : fails if the difference is beyond chance.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.random.default_rng(1).normal(size=(2000, 2))
    >>> comparison, z = covariance(x, np.eye(2))
    >>> comparison.p > 0.01, z.shape
    (True, (2, 2))
    """
    samples, theory = array_of(samples, "samples", 2), array_of(theory, "theory", 2)
    replicas, d = samples.shape
    fewest = whole_of(fewest, "fewest")
    if replicas < fewest:
        raise Refusal(f"{replicas} replicates are too few for a covariance; at least {fewest} are needed")
    if not d or theory.shape != (d, d) or not np.allclose(theory, theory.T):
        raise Refusal(f"theory must be a symmetric matrix of shape {(d, d)}, got shape {theory.shape}")
    if linalg.eigvalsh(theory)[0] < -1e-9 * np.abs(theory).max():
        raise Refusal("theory has a negative eigenvalue: it is not a covariance matrix")
    sizes = np.array([unit(column) for column in samples.T])
    deviations, _ = _from_first(samples / sizes, 0.0)
    deviations -= deviations.mean(axis=0)
    entries = {}
    for i, j in zip(*np.triu_indices(d), strict=True):
        expected = float(theory[i, j]) / float(sizes[i]) / float(sizes[j])
        if not math.isfinite(expected):
            raise Refusal(BEYOND)
        products, number = _products(deviations[:, i], deviations[:, j], fewest)
        comparison = mean(products, expected, fewest=number)
        estimate, error = (x * float(sizes[i]) * float(sizes[j]) for x in (comparison.estimate, comparison.error))
        where = f"in entry [{i}, {j}]"
        entries[i, j] = replace(comparison, estimate=estimate, error=error, theory=float(theory[i, j]), where=where)
    z = np.empty((d, d))
    for (i, j), entry in entries.items():
        z[i, j] = z[j, i] = entry.z
    return worst(entries.values()), z


def _products(x: Floats, y: Floats, fewest: int) -> tuple[Floats, int]:
    """Return independent numbers whose mean is the covariance of two columns of deviations, and how few may be."""
    products = x * y
    if products.var() >= EVEN * (x @ x) * (y @ y) / x.size**2:
        return products * (x.size / (x.size - 1)), fewest
    half = x.size // 2
    return (x[:half] - x[half : 2 * half]) * (y[:half] - y[half : 2 * half]) / 2, (fewest + 1) // 2
