"""The statistics by which data are compared with theory.

Every comparison ends in a p-value that is uniform when the theory is right, or above uniform, and tiny when it is
wrong, and refuses (`Refusal`) data that cannot carry it. Tails and quantiles are scipy's. One family of comparisons
shares its level by Bonferroni (`bonferroni`, `worst`).

Levels are far out, about six standard errors, and there the law of a studentised mean is not Student's unless the
replicates are normal: P(T < -z) exceeds it by a factor exp(γz³/3√n), with γ their skewness, which for exponential
replicates is 5 at n = 400 and z = 4.4, and has no bound. See `mean` for what is done.
"""

from statnn.testing.statistics._comparison import Comparison, Refusal, bonferroni, worst, z_score
from statnn.testing.statistics._counts import counts, proportion, total
from statnn.testing.statistics._law import law, mean_under, uniform
from statnn.testing.statistics._line import Line, line, power_law
from statnn.testing.statistics._mean import covariance, mean, mean_vector
from statnn.testing.statistics._sensitivity import Sensitivity, sensitivity

__all__ = [
    "Comparison",
    "Line",
    "Refusal",
    "Sensitivity",
    "bonferroni",
    "counts",
    "covariance",
    "law",
    "line",
    "mean",
    "mean_under",
    "mean_vector",
    "power_law",
    "proportion",
    "sensitivity",
    "total",
    "uniform",
    "worst",
    "z_score",
]
