"""How large a deviation a comparison sees, from its standard error and its level alone."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy import integrate, optimize, special, stats

from statnn._notebook import Shown
from statnn.testing.statistics._comparison import Comparison, numbers_of

FARTHEST = 38.0
"""Standard deviations beyond which the density of a normal law is below 1e-313."""


@dataclass(frozen=True)
class Sensitivity(Shown):
    """The deviation that a comparison sees with a stated probability.

    Parameters
    ----------
    deviation : float
        The deviation, in the unit of `quantity`.
    probability : float
        Probability with which a deviation of that size, to one side, is seen.
    quantity : str
        The quantity that deviates: estimate, distribution function, or noncentrality of chi-square.
    law : str
        Law of the statistic under the deviation.
    exact : bool
        Whether the law is exact where the replicates are normal, rather than asymptotic or a bound.

    See Also
    --------
    sensitivity : makes it.
    """

    deviation: float
    probability: float
    quantity: str
    law: str
    exact: bool

    def __str__(self) -> str:
        relation = "" if self.exact else "≈ "
        where = "" if self.quantity == "estimate" else f" in the {self.quantity}"
        return f"{relation}{self.deviation:.3g}{where} ({self.law})"


def sensitivity(comparison: Comparison, level: float, probability: float = 0.999) -> Sensitivity | None:
    r"""Return the smallest deviation that a comparison like this one sees with a given probability.

    If z follows Student's law, with standard error s and ν degrees of freedom, p falls below the level α for
    ``|z| > z_α``, the quantile of Student's law at 1 - α/2. A deviation Δ beyond the tolerance is seen with the
    probability that a noncentral t of noncentrality Δ/s exceeds z_α; for known s, Δ = (z_α + Φ⁻¹(probability)) s.

    Parameters
    ----------
    comparison : Comparison
        Its standard error, degrees of freedom, tolerance and number of comparisons are used. If it is the worst of m,
        each of them is judged at level/m.
    level : float
        p-value, in (0, 1), below which the comparison fails.
    probability : float
        Probability, in (0.5, 1), with which the deviation is seen.

    Returns
    -------
    Sensitivity or None
        None if the law of the statistic under a deviation is not known here, or the standard error is 0, as for a
        predicted share of 0.

    Raises
    ------
    ValueError
        If `level` is outside (0, 1), or `probability` outside (0.5, 1).

    Notes
    -----
    Standard errors are those of this sample. Laws: noncentral t (Student's z); normal (known errors, and, as an
    approximation, empirical likelihood, binomial, Poisson and exact sums, whose tails differ if a sample is skewed);
    noncentral chi-square, where the noncentrality of a wrong law is the statistic of the counts that it expects
    (Pearson's is larger where it puts many into cells of few: these were seen in 83 % instead of 99.9 %); for the test
    of Kolmogorov a bound that holds wherever the largest deviation lies.

    See Also
    --------
    statnn.testing.power : measures it by repeating a check.

    Examples
    --------
    >>> from statnn.testing.statistics import z_score
    >>> print(sensitivity(z_score(1.002, 0.01, 1.0), level=1e-6))
    0.0798 (normal)
    """
    if not isinstance(comparison, Comparison):
        raise TypeError(f"comparison is a {type(comparison).__name__}; pass what z_score, mean, ... return")
    level, probability = numbers_of(level=level, probability=probability)
    if not 0 < level < 1 or not 0.5 < probability < 1:
        raise ValueError(f"level = {level} must lie in (0, 1) and probability = {probability} in (0.5, 1)")
    each = level / comparison.comparisons
    beyond = float(stats.norm.ppf(probability))
    if comparison.law == "Student" and comparison.z is not None:
        known = math.isinf(comparison.dof)
        reach = float(stats.norm.isf(each / 2)) + beyond if known else _noncentral(comparison.dof, each, probability)
        return Sensitivity(
            comparison.bias + reach * comparison.error,
            probability,
            "estimate",
            "normal" if known else "noncentral t",
            exact=True,
        )
    if comparison.law in {"empirical likelihood", "exact", "binomial", "Poisson"} and comparison.error > 0:
        reach = float(stats.norm.isf(each / 2)) + beyond
        return Sensitivity(comparison.bias + reach * comparison.error, probability, "estimate", "normal", exact=False)
    if comparison.law == "chi-square":
        return Sensitivity(
            _noncentral_square(comparison.theory, each, probability),
            probability,
            "noncentrality",
            "chi-square",
            exact=False,
        )
    if comparison.law == "Kolmogorov":
        n = round(comparison.error**-2)
        bound = min(1.0, float(stats.kstwo.isf(each, n)) + beyond / (2 * math.sqrt(n)))
        return Sensitivity(bound, probability, "distribution function", "bound", exact=False)
    return None


@lru_cache(maxsize=256)
def _noncentral(dof: float, level: float, probability: float) -> float:
    """Return the noncentrality at which t exceeds the limit of its two-sided level with the given probability."""
    limit = float(stats.t.isf(level / 2, dof))
    # at `most`, too large a spread of the sample and too small a mean each miss with at most half the probability left;
    # at `least` about half are missed
    left = (1 - probability) / 2
    most = limit * math.sqrt(stats.chi2.isf(left, dof) / dof) + float(stats.norm.isf(left))
    least = limit * math.sqrt(stats.chi2.ppf(0.5, dof) / dof)

    def missed(shift: float) -> float:  # scipy's nct fails if few degrees of freedom put quantiles in the millions
        def density(z: float) -> float:
            beyond = float(special.chdtrc(dof, dof * (max(shift + z, 0.0) / limit) ** 2))
            return beyond * math.exp(-z * z / 2) / math.sqrt(2 * math.pi)

        # the integrand turns where the sample needs its usual spread, within five standard errors of that
        edges = limit * (1 + np.array([-5, 0, 5]) / math.sqrt(2 * dof)) - shift
        places = np.unique(np.clip(edges, -FARTHEST, FARTHEST))
        return float(integrate.quad(density, -FARTHEST, FARTHEST, points=places, limit=200, epsabs=0, epsrel=1e-6)[0])

    return float(optimize.brentq(lambda shift: missed(shift) / (1 - probability) - 1, least, most, rtol=1e-6))


@lru_cache(maxsize=256)
def _noncentral_square(dof: float, level: float, probability: float) -> float:
    """Return the noncentrality at which chi-square exceeds the limit of its level with the given probability."""
    limit = float(stats.chi2.isf(level, dof))
    return float(
        optimize.brentq(lambda shift: stats.ncx2.sf(limit, dof, shift) - probability, 1e-9, 20 * limit + 100, rtol=1e-6)
    )
