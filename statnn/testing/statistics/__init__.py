"""The statistics by which data are compared with theory.

Every comparison ends in a p-value that is uniform, or larger than uniform, when the theory is right, and tiny when it
is wrong. Data that cannot carry the comparison are refused (`Refusal`). Tails and quantiles are scipy's. Comparisons of
one family share its level by Bonferroni's correction (`bonferroni`, `worst`).

Levels are far out, about six standard errors, and there the law of a studentised mean is not Student's unless the
replicates are normal: P(T < -z) exceeds Student's by a factor of about exp(γz³/3√n), with γ the skewness of the
replicates. The factor has no bound; for exponential replicates at n = 400 and z = 4.4 it is 12, and 17 by this formula.
`mean` says how this is corrected.
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
