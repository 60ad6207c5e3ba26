"""The statistics that claims and tests share.

Every comparison ends in a p-value that is uniform when the theory is right, or above uniform, and tiny when it is
wrong, and refuses (`Refusal`) data that cannot carry it. Tails and quantiles are scipy's. One family of comparisons
shares its level by Bonferroni; `LEVEL` is the share of one claim when a whole run may raise a false alarm with
probability `RUN_LEVEL`.

Levels are far out, about six standard errors, and there the law of a studentised mean is not Student's unless the
replicates are normal: P(T < -z) exceeds it by a factor exp(γz³/3√n), with γ their skewness, which for exponential
replicates is 5 at n = 400 and z = 4.4, and has no bound. See `mean` for what is done.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import chain

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import fft, linalg, optimize, special, stats

Floats = NDArray[np.float64]

RUN_LEVEL = 1e-6
CLAIMS_AT_MOST = 100
LEVEL = RUN_LEVEL / CLAIMS_AT_MOST
FEWEST_REPLICATES = 5
FEW = 20
"""Replicates, say trainings, up to which none can tell their skewness, and a level of 1e-3 is all that is asked."""
MANY = 200
"""Replicates from which on the empirical likelihood has the right tail whatever the skewness."""
FEWEST_CARRIERS = 8
"""Replicates that must share the spread: where fewer carry it, what was not drawn could carry as much."""


class Refusal(ValueError):  # noqa: N818 - the data are not in error, they are too poor to judge by
    """The data cannot carry the comparison: too few replicates, no spread, not finite."""


@dataclass(frozen=True)
class Comparison:
    """An estimate beside its theory.

    Parameters
    ----------
    estimate, error, theory : float
        The measured number, its standard error, the prediction.
    p : float
        Two-sided p-value, uniform on [0, 1] where the theory holds.
    z : float, optional
        ``(estimate - theory) / error``, less an allowed bias; None for statistics that are not a mean.
    dof : float
        Degrees of freedom of Student's law of z.
    bias : float
        Allowed difference beyond chance, already taken off z.
    comparisons : int
        Number of comparisons of which this is the worst; p is corrected for them.
    law : str
        Name of the law from which p comes.
    singles : tuple of float
        p-values of the single comparisons of which this is the worst, before any correction; empty for one.
    """

    estimate: float
    error: float
    theory: float
    p: float
    z: float | None = None
    dof: float = math.inf
    bias: float = 0.0
    comparisons: int = 1
    law: str = "Student"
    singles: tuple[float, ...] = ()


@dataclass(frozen=True)
class Line:
    """A weighted straight line ``intercept + slope x``; `p` is small where the points are no line."""

    slope: float
    error: float
    intercept: float
    chi_square: float
    dof: int
    p: float

    def against(self, order: float, *, bias: float = 0.0) -> Comparison:
        """Compare the slope with the order that theory gives."""
        return z_score(self.slope, self.error, order, bias=bias)


def _array(values: ArrayLike, name: str, ndim: int) -> Floats:
    array = np.asarray(values, dtype=float)
    if array.ndim != ndim:
        raise Refusal(f"{name} must have {ndim} dimension(s), got shape {array.shape}")
    if not np.isfinite(array).all():
        raise Refusal(f"{name} has {np.count_nonzero(~np.isfinite(array))} entries that are not finite")
    return array


def z_score(estimate: float, error: float, theory: float, *, bias: float = 0.0, dof: float = math.inf) -> Comparison:
    """Compare an estimate of known standard error with theory.

    Parameters
    ----------
    estimate, error, theory : float
    bias : float
        Bound on the known difference between the expectation of the estimate and `theory`; the excess counts.
    dof : float
        Degrees of freedom behind `error`; infinite for a known one.
    """
    if not (math.isfinite(estimate) and math.isfinite(theory) and math.isfinite(bias) and bias >= 0):
        raise Refusal(f"estimate {estimate}, theory {theory}, bias {bias} must be finite and the bias >= 0")
    if not (math.isfinite(error) and error > 0):
        raise Refusal(f"the standard error is {error}; a comparison needs one that is finite and positive")
    deviation = estimate - theory
    z = math.copysign(max(abs(deviation) - bias, 0.0), deviation) / error
    p = min(1.0, 2 * float(stats.t.sf(abs(z), dof)))
    return Comparison(float(estimate), float(error), float(theory), p, z, dof, float(bias))


def mean(values: ArrayLike, theory: float, *, bias: float = 0.0, fewest: int = FEWEST_REPLICATES) -> Comparison:
    """Compare the mean of independent replicates with theory, however skewed they are.

    p is the larger of two: Student's, exact for normal replicates however few, and that of the empirical likelihood
    ratio (Owen 1988), the signed root of which is normal far into its tails because the terms γz³/√n cancel; what is
    left of γ, a shift of at most γ/6√n, and of the kurtosis, a factor 1 + (κ/2 - γ²/3)/n of the variance, is allowed
    for.

    Parameters
    ----------
    values : array, shape (replicas,)
        A law with large values so rare that the sample need not hold one cannot be judged by its sample: compare
        with its exact law (`total`), or replicates that are factors or logarithms of these.
    theory : float
    bias : float
        Bound on a known difference between expectation and theory.
    fewest : int
        Smallest number of replicates that is accepted.

    Raises
    ------
    Refusal
        If replicates are too few, do not differ, are clearly skewed and fewer than `MANY`, or fewer than
        `FEWEST_CARRIERS` of them carry the spread.
    """
    array = _array(values, "values", 1)
    if array.size < fewest:
        raise Refusal(f"{array.size} replicates are too few for a standard error; take at least {fewest}")
    spread = float(array.std(ddof=1))
    if spread <= 8 * np.finfo(float).eps * float(np.abs(array).max()):
        raise Refusal("the replicates do not differ: the standard error is zero, compare exactly instead")
    centre = float(array.mean())
    student = z_score(centre, spread / math.sqrt(array.size), theory, bias=bias, dof=array.size - 1)
    skewness, kurtosis = _shape((array - centre) / spread)
    root = _empirical_root((array - min(max(centre, theory - bias), theory + bias)) / spread)
    root = max(root - abs(skewness) / (6 * math.sqrt(array.size)), 0.0)
    root /= math.sqrt(1 + max(kurtosis / 2 - skewness**2 / 3, 0.0) / array.size)
    p = min(1.0, 2 * float(stats.t.sf(root, array.size - 1)))
    return student if p <= student.p else replace(student, p=p, law="empirical likelihood")


def _shape(deviations: Floats) -> tuple[float, float]:
    """Return skewness and kurtosis (3 for a normal law) of replicates, or refuse those that cannot carry a mean."""
    n = deviations.size
    square = float((deviations**2).mean())
    skewness, kurtosis = float((deviations**3).mean()) / square**1.5, float((deviations**4).mean()) / square**2
    if FEW < n < MANY and abs(skewness) > 6 * math.sqrt(6 / n):
        raise Refusal(
            f"{n} replicates of skewness {skewness:.2g} are too few for tails of their mean: take at least {MANY}, or "
            "averages of several as one replicate"
        )
    if n >= MANY and n < FEWEST_CARRIERS * kurtosis:
        raise Refusal(
            f"{n / kurtosis:.2g} of {n} replicates carry their spread: what was not drawn could weigh as much. Take "
            "more, or compare factors, logarithms, or the exact law"
        )
    return skewness, kurtosis


def _empirical_root(gaps: Floats) -> float:
    """Return the root of -2 ln of the empirical likelihood ratio for mean zero: 2 Σ ln(1 + λg), Σ g/(1 + λg) = 0.

    Infinite where all gaps have one sign: no weights give them the mean zero.
    """
    low, high = float(gaps.min()), float(gaps.max())
    if low >= 0 or high <= 0:
        return math.inf
    # no weight 1/(n(1 + λg)) exceeds one, which holds λ between two ends; the sum falls with λ
    below, above = (1 / gaps.size - 1) / high, (1 / gaps.size - 1) / low
    tilt = 0.0
    for _ in range(200):
        pull = gaps / (1 + tilt * gaps)
        total = float(pull.sum())
        below, above = (tilt, above) if total > 0 else (below, tilt)
        step = total / float((pull**2).sum())
        following = tilt + step if below < tilt + step < above else (below + above) / 2
        if abs(following - tilt) <= 1e-12 * abs(following):
            break
        tilt = following
    return math.sqrt(max(0.0, 2 * float(np.log1p(tilt * gaps).sum())))


def total(values: ArrayLike, pmf: ArrayLike) -> Comparison:
    """Compare the sum of independent whole numbers with the exact law of one of them, however skewed.

    The law of the sum is the convolution of the single laws, tilted so that the observed sum is its mean: tails have
    full relative accuracy. Twice the tail beyond the observed sum is the p-value; above uniform, as sums are discrete.

    Parameters
    ----------
    values : array of int, shape (replicas,)
    pmf : array, shape (values,)
        Probabilities of 0, 1, 2, ..., which sum to one.

    Returns
    -------
    Comparison
        Of the mean, with the standard error that the law gives it.
    """
    array, law = _array(values, "values", 1), _array(pmf, "pmf", 1)
    if not array.size or (array != np.rint(array)).any():
        raise Refusal("the exact law of a sum needs whole numbers")
    if (law < 0).any() or abs(law.sum() - 1) > 1e-9:
        raise Refusal(f"pmf must be >= 0 and sum to 1, got {law.sum()}")
    x, n, found = np.arange(law.size, dtype=float), array.size, float(array.mean())
    theory = float(law @ x)
    variance = float(law @ (x - theory) ** 2)
    if variance <= 0:
        raise Refusal("the law has no spread: compare exactly instead")
    error = math.sqrt(variance / n)
    seen = x[law > 0]
    if not seen[0] <= array.min() <= array.max() <= seen[-1]:
        p = 0.0
    elif seen[0] < found < seen[-1]:
        p = min(1.0, 2 * _tail(x, law, n, round(array.sum()), sign=1 if found > theory else -1))
    else:
        p = min(1.0, 2 * float(law[int(found)]) ** n)
    return Comparison(found, error, theory, p, (found - theory) / error, law="exact")


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
    size, fast = n * (x.size - 1) + 1, fft.next_fast_len(n * (x.size - 1) + 1, real=True)
    sums = np.maximum(fft.irfft(fft.rfft(tilted, fast) ** n, fast), 0.0)
    beyond = np.arange(observed, size) if sign > 0 else np.arange(observed + 1)
    weight = n * special.logsumexp(log_law + tilt * (x - centre))
    return float(sums[beyond] @ np.exp(weight - tilt * (beyond - observed)))


def proportion(successes: int, trials: int, probability: float) -> Comparison:
    """Compare a number of successes with a probability by the exact binomial test."""
    if trials < FEWEST_REPLICATES or not 0 <= successes <= trials or not 0 <= probability <= 1:
        raise Refusal(f"cannot compare {successes} successes in {trials} trials with probability {probability}")
    p = float(stats.binomtest(int(successes), int(trials), probability).pvalue)
    share = successes / trials
    return Comparison(share, math.sqrt(probability * (1 - probability) / trials), probability, p, law="binomial")


def line(x: ArrayLike, y: ArrayLike, error: ArrayLike) -> Line:
    """Fit a straight line to points, shape ``(points,)``, with known and independent standard errors."""
    x, y, error = (_array(v, n, 1) for v, n in ((x, "x"), (y, "y"), (error, "error")))
    if not x.shape == y.shape == error.shape:
        raise Refusal(f"x, y and error differ in shape: {x.shape}, {y.shape}, {error.shape}")
    if np.unique(x).size < 3:
        raise Refusal(f"{np.unique(x).size} distinct x are too few for a line and its residual; take at least 3")
    if not (error > 0).all():
        raise Refusal("every point of a weighted fit needs a positive standard error")
    weight = error**-2.0
    total = weight.sum()
    centre = (weight * x).sum() / total
    leverage = (weight * (x - centre) ** 2).sum()
    slope = (weight * (x - centre) * y).sum() / leverage
    intercept = (weight * y).sum() / total - slope * centre
    chi_square = (weight * (y - intercept - slope * x) ** 2).sum()
    dof = x.size - 2
    return Line(
        float(slope),
        float(leverage**-0.5),
        float(intercept),
        float(chi_square),
        dof,
        float(stats.chi2.sf(chi_square, dof)),
    )


def power_law(x: ArrayLike, y: ArrayLike, error: ArrayLike) -> Line:
    """Fit ``y = exp(intercept) x**slope`` as a line in logarithms; all positive, relative errors below 0.3.

    Where the noise is larger the logarithm is neither unbiased nor near normal: measure better or leave the
    point out.
    """
    x, y, error = (_array(v, n, 1) for v, n in ((x, "x"), (y, "y"), (error, "error")))
    if not ((x > 0).all() and (y > 0).all()):
        raise Refusal("a power law needs positive x and y")
    if not (error < 0.3 * y).all():
        raise Refusal(f"a relative error of {float((error / y).max()):.2g} is too large; logarithms need it below 0.3")
    return line(np.log(x), np.log(y), error / y)


def bonferroni(p_values: ArrayLike) -> float:
    """Return one p-value for a family: the smallest times their number."""
    p = _array(p_values, "p_values", 1)
    if not p.size or (p < 0).any() or (p > 1).any():
        raise Refusal("p-values must be at least one number in [0, 1]")
    return min(1.0, float(p.size * p.min()))


def worst(comparisons: Iterable[Comparison]) -> Comparison:
    """Return the comparison farthest from theory, its p-value corrected for the number that were made."""
    made = list(comparisons)
    sizes = [comparison.comparisons for comparison in made]
    singles = [comparison.p / comparison.comparisons for comparison in made]
    p = bonferroni(np.repeat(singles, sizes))  # refuses an empty family
    each = tuple(chain.from_iterable(comparison.singles or (comparison.p,) for comparison in made))
    return replace(made[int(np.argmin(singles))], p=p, comparisons=sum(sizes), singles=each)


def law(observed: ArrayLike, pmf: ArrayLike, *, least: float = 5.0, fitted: int = 0) -> Comparison:
    """Compare integer counts with a law by chi-square.

    Neighbouring cells are pooled until each expects `least` observations. The statistic is that of Cressie
    and Read: where cells expect five, Pearson's sum has too heavy a tail at the levels used here and the
    likelihood ratio too large a mean. Observations where the law forbids them reject with p = 0.

    Parameters
    ----------
    observed : array of int, shape (values,)
        How often each value 0, 1, 2, ... was seen.
    pmf : array, shape (values,)
        Probabilities of these values; what is missing to one belongs to larger values.
    least : float
        Smallest expected count of a pooled cell.
    fitted : int
        Number of parameters of the law that were fitted to these counts.

    Returns
    -------
    Comparison
        `estimate` is the statistic, `theory` its degrees of freedom, `error` the standard deviation.
    """
    counts, probability = _array(observed, "observed", 1), _array(pmf, "pmf", 1)
    if counts.shape != probability.shape:
        raise Refusal(f"observed and pmf differ in shape: {counts.shape} and {probability.shape}")
    if (counts < 0).any() or (counts != np.rint(counts)).any():
        raise Refusal("observed must be whole numbers >= 0: how often each value was seen")
    if (probability < 0).any() or probability.sum() > 1 + 1e-9:
        raise Refusal(f"pmf must be >= 0 and sum to at most 1, got {probability.sum()}")
    total = counts.sum()
    counts = np.append(counts, 0.0)
    expected = total * np.append(probability, max(0.0, 1 - probability.sum()))
    seen, hoped = _pool(counts, expected, least)
    dof = seen.size - 1 - fitted
    if dof < 1:
        raise Refusal(f"{total:.0f} observations fill {seen.size} cell(s) that expect {least:g}: too few")
    statistic = float(stats.power_divergence(seen, hoped * (total / hoped.sum()), lambda_="cressie-read").statistic)
    p = 0.0 if counts[expected == 0].any() else float(stats.chi2.sf(statistic, dof))
    return Comparison(statistic, math.sqrt(2 * dof), float(dof), p, law="chi-square")


def _pool(counts: Floats, expected: Floats, least: float) -> tuple[Floats, Floats]:
    """Sum neighbours until each cell expects `least`; what is left over joins the last cell."""
    starts, mass = [0], 0.0
    for cell, value in enumerate(expected):
        if mass >= least:
            starts.append(cell)
            mass = 0.0
        mass += value
    if mass < least and len(starts) > 1:
        starts.pop()
    return np.add.reduceat(counts, starts), np.add.reduceat(expected, starts)


def covariance(samples: ArrayLike, theory: ArrayLike, *, fewest: int = 100) -> tuple[Comparison, Floats]:
    """Compare the covariance matrix of independent replicates with theory, entry by entry.

    Each entry is the mean of products of deviations, so its standard error comes from the replicates and no
    normality is assumed; thousands of replicates are wanted, because products are skewed.

    Parameters
    ----------
    samples : array, shape (replicas, d)
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
    """
    samples, theory = _array(samples, "samples", 2), _array(theory, "theory", 2)
    replicas, d = samples.shape
    if replicas < fewest:
        raise Refusal(f"{replicas} replicates are too few for a covariance; at least {fewest} are needed")
    if theory.shape != (d, d) or not np.allclose(theory, theory.T):
        raise Refusal(f"theory must be a symmetric matrix of shape {(d, d)}, got shape {theory.shape}")
    if linalg.eigvalsh(theory)[0] < -1e-9 * np.abs(theory).max():
        raise Refusal("theory has a negative eigenvalue: it is no covariance matrix")
    deviations = samples - samples.mean(axis=0)
    unbiased = replicas / (replicas - 1)
    entries = {
        (i, j): mean(unbiased * deviations[:, i] * deviations[:, j], theory[i, j], fewest=fewest)
        for i in range(d)
        for j in range(i, d)
    }
    z = np.empty((d, d))
    for (i, j), entry in entries.items():
        z[i, j] = z[j, i] = entry.z
    return worst(entries.values()), z


def mean_vector(samples: ArrayLike, theory: ArrayLike) -> float:
    """Return the p-value of a mean vector by Hotelling's test, exact for few replicates of a normal law.

    Parameters
    ----------
    samples : array, shape (replicas, d)
    theory : array, shape (d,)
    """
    samples, theory = _array(samples, "samples", 2), _array(theory, "theory", 1)
    replicas, d = samples.shape
    if replicas < max(FEWEST_REPLICATES, d + 2):
        raise Refusal(f"{replicas} replicates are too few for the mean of {d} numbers")
    spread = np.atleast_2d(np.cov(samples.T)) / replicas
    if linalg.eigvalsh(spread)[0] <= 1e-12 * np.trace(spread):
        raise Refusal("the replicates do not differ in every direction: compare exactly instead")
    gap = samples.mean(axis=0) - theory
    square = float(gap @ linalg.solve(spread, gap, assume_a="pos"))
    return float(stats.f.sf(square * (replicas - d) / (d * (replicas - 1)), d, replicas - d))


def uniform(p_values: ArrayLike) -> Comparison:
    """Compare p-values, shape ``(n,)``, with the uniform law by the test of Kolmogorov and Smirnov."""
    p = _array(p_values, "p_values", 1)
    if p.size < 30 or (p < 0).any() or (p > 1).any():
        raise Refusal(f"uniformity needs at least 30 numbers in [0, 1], got {p.size}")
    found = stats.kstest(p, "uniform")
    return Comparison(float(found.statistic), 1 / math.sqrt(p.size), 0.0, float(found.pvalue), law="Kolmogorov")
