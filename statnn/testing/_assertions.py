"""Statistical assertions that share one budget of false alarms.

If the theory is right, all of them together fail by chance with at most the probability of the budget, which is divided
over the planned comparisons. The limits are wide (about six standard errors): power comes from the sample size. State
the deviation that a check should detect, choose the sample so that it is detected with near certainty, and prove it
with a twin inside `rejects`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from statnn._arguments import Floats, array_of, is_number
from statnn._text import p_value
from statnn.testing import statistics
from statnn.testing._ledger import StatisticalFailure, current
from statnn.testing.statistics import Comparison, Refusal
from statnn.testing.statistics._comparison import holds_numbers
from statnn.testing.statistics._law import is_law

FEWEST_REPLICATES = 20
"""Fewest replicates at any level; see `_enough`."""
__tracebackhide__ = True  # pytest then shows the line of the comparison


def assert_pvalue(p: float, what: str) -> None:
    """Fail if p is below the level of one comparison.

    Parameters
    ----------
    p : float
        p-value of a calibrated test: if the theory holds, uniform on [0, 1] or stochastically larger.
    what : str
        What was compared, for the message.

    Raises
    ------
    StatisticalFailure
        If p is below the level.
    Refusal
        If p is not a probability.

    See Also
    --------
    assert_uniform : for many p-values.

    Examples
    --------
    >>> assert_pvalue(0.3, "spread of the residuals")
    """
    _refuse_unless_probability(p, what)
    ledger = current()
    ledger.enter(p)
    if p < ledger.level:
        raise StatisticalFailure(f"{what}: {p_value(p)} is below {ledger.level:.3g}")


def assert_comparison(comparison: Comparison, what: str) -> None:
    """Fail if a comparison of `statnn.testing.statistics` is beyond chance.

    Parameters
    ----------
    comparison : Comparison
        Result of the comparison.
    what : str
        What was compared, for the message.

    Raises
    ------
    StatisticalFailure
        If its p-value is below the level of one comparison; the message has estimate, error, theory and z, or the
        statistic and the place where data and theory differ most, the tolerance, and how many p is corrected for.

    See Also
    --------
    assert_mean, assert_law : compare and assert at once.

    Examples
    --------
    >>> from statnn.testing import statistics
    >>> assert_comparison(statistics.z_score(1.02, 0.01, 1.0), "energy")
    """
    _refuse_unless_probability(comparison.p, what)
    ledger = current()
    ledger.enter(comparison.p)
    if comparison.p < ledger.level:
        tolerance = f", tolerance {comparison.bias:.3g}" if comparison.bias else ""
        worst = f", worst of {comparison.comparisons}" if comparison.comparisons > 1 else ""
        said = f"{comparison.finding}{tolerance}, {p_value(comparison.p)}{worst}"
        raise StatisticalFailure(f"{what}: {said} (limit {ledger.level:.3g})")


def assert_mean(values: ArrayLike, theory: Any, *, bias: ArrayLike = 0.0, what: str) -> None:
    """Compare means over replicates with theory, one comparison for each entry beyond the first axis.

    Parameters
    ----------
    values : array, shape (replicas, ...)
        Independent replicates.
    theory : float, array of shape (...), or frozen distribution of scipy.stats
        Means; or the law of each entry, which gives the mean and, if it is discrete and not too wide, the exact law of
        the sum (`statistics.mean_under`).
    bias : array, broadcast to (...)
        Bound on the known difference between the expectation and theory, say from finite size; zero for a law.
    what : str
        What was compared, for the message.

    Raises
    ------
    StatisticalFailure
        If the two differ beyond chance and bias.
    Refusal
        If the data do not allow the comparison: fewer replicates than 20 or 5 log₂(1/level), which is 150 at the level
        1e-9 of the default budget, no spread, values that are not finite, or too much skewness for their number
        (`statistics.mean`); a law without variance, or one whose spread so few draws cannot show
        (`statistics.mean_under`).

    See Also
    --------
    assert_means : all entries at once, with their correlations.
    assert_law : the whole law.
    assert_proportion : for shares.
    rejects : shows that the check can fail.

    References
    ----------
    Owen 1988.

    Examples
    --------
    >>> import numpy as np
    >>> from statnn.testing import rejects
    >>> values = np.random.default_rng(1).exponential(2.0, size=(4000, 3))
    >>> assert_mean(values, 2.0, what="mean of exponentials")
    >>> with rejects():
    ...     assert_mean(values, 2.3, what="15 % more")
    """
    replicates = _reals(values, "values")
    if not replicates.size or not replicates.ndim:
        raise Refusal(f"{what}: no values to compare")
    shape = replicates.shape[1:]
    margin = _spread(bias, "bias", shape)
    if is_law(theory) and margin.any():
        raise ValueError(f"{what}: bias belongs to a mean; a law has none, so give theory=law.mean() with it")
    expected = None if is_law(theory) else _spread(theory, "theory", shape)
    for index in np.ndindex(shape):
        entry = replicates[:, *index]
        if expected is None:
            comparison = statistics.mean_under(entry, theory, fewest=_enough())
        else:
            comparison = statistics.mean(entry, float(expected[index]), bias=float(margin[index]), fewest=_enough())
        assert_comparison(comparison, f"{what} {list(index)}" if index else what)


def _enough() -> int:
    """Return the number of replicates of unknown law that the level of one comparison needs.

    Draws of a skewed law may happen to lie all close together and far from its mean: a false alarm that no statistic
    can avoid, since they do not look skewed. Of the exponential law, as many as here raise 1.5 times the alarms of the
    level at 1e-3, 4 times at 1e-6 and 6 times at 1e-9; 2 log₂(1/level) would raise 5, 35 and 140 times as many.
    """
    return max(FEWEST_REPLICATES, math.ceil(-5 * math.log2(current().level)))


def _reals(given: ArrayLike, name: str) -> Floats:
    """Return an array of floats, or refuse other types: numpy would drop imaginary parts and parse texts."""
    array = array_of(given, name)
    if not holds_numbers(array):
        raise Refusal(f"{name} must hold real numbers, not {array.dtype}")
    try:
        return array.astype(float, copy=False)
    except (TypeError, ValueError, OverflowError) as wrong:
        raise Refusal(f"{name} must hold real numbers: {wrong}") from None


def _spread(given: ArrayLike, name: str, shape: tuple[int, ...]) -> Floats:
    """Return one number for each entry, or raise."""
    array = _reals(given, name)
    try:
        return np.broadcast_to(array, shape)
    except ValueError:
        raise ValueError(
            f"{name} has shape {array.shape}, the values of a replicate {shape}: give one number, or one for each "
            "entry; replicates are the first axis of values"
        ) from None


def assert_means(samples: ArrayLike, theory: ArrayLike, *, what: str) -> None:
    """Compare a vector of means with theory in all directions at once, by Hotelling's test; one comparison in all.

    `assert_mean` looks at each entry by itself. If entries are correlated, as along one path, a difference that is
    small in each may be large beside their differences from each other; also, all entries cost only one comparison
    here.

    Parameters
    ----------
    samples : array, shape (replicas, d)
        Independent replicates, at least d + 2 and as many as `assert_mean` needs.
    theory : array, shape (d,)
        Means.
    what : str
        What was compared, for the message.

    Raises
    ------
    StatisticalFailure
        If the two differ beyond chance; the message has T² and the entry that is farthest off.
    Refusal
        If the samples do not allow the comparison (`statistics.mean_vector`).

    See Also
    --------
    assert_mean : entry by entry.
    assert_covariance : for the covariance.

    Examples
    --------
    >>> import numpy as np
    >>> from statnn.testing import rejects
    >>> random = np.random.default_rng(1)
    >>> samples = random.standard_normal((500, 1)) + 0.01 * random.standard_normal((500, 2))
    >>> assert_means(samples, [0.0, 0.0], what="two readings of one number")
    >>> with rejects():
    ...     assert_means(samples, [0.01, 0.0], what="readings that differ by a hundredth of their spread")
    """
    assert_comparison(statistics.mean_vector(samples, theory, fewest=_enough()), what)


def assert_law(values: ArrayLike, theory: Any, *, what: str) -> None:
    """Compare independent draws with their whole law; one comparison.

    Parameters
    ----------
    values : array, shape (draws,)
        Independent draws.
    theory : frozen distribution of scipy.stats
        Discrete, tested by chi-square, or continuous, tested by Kolmogorov-Smirnov (`statistics.law`).
    what : str
        What was compared, for the message.

    Raises
    ------
    StatisticalFailure
        If the two differ beyond chance, or a value is impossible under the law.
    Refusal
        If there are too few draws.

    See Also
    --------
    assert_counts : from the counts of values.

    Examples
    --------
    >>> import numpy as np
    >>> from scipy import stats
    >>> from statnn.testing import rejects
    >>> values = np.random.default_rng(1).binomial(10, 0.3, size=5000)
    >>> assert_law(values, stats.binom(10, 0.3), what="ten coins")
    >>> with rejects():
    ...     assert_law(values, stats.binom(10, 0.34), what="other coins")
    """
    assert_comparison(statistics.law(values, theory), what)


def assert_counts(observed: ArrayLike, pmf: ArrayLike, *, what: str) -> None:
    """Compare the counts of 0, 1, 2, ... with probabilities; one comparison.

    Parameters
    ----------
    observed : array of int, shape (values,)
        Count of each value.
    pmf : array, shape (values,)
        Probabilities; the rest up to one belongs to larger values.
    what : str
        What was compared, for the message.

    Raises
    ------
    StatisticalFailure
        If the two differ beyond chance, or a value of probability zero was seen.
    Refusal
        If there are too few observations (`statistics.counts`).

    See Also
    --------
    assert_law : for the values themselves.

    Examples
    --------
    >>> assert_counts([5021, 4979], [0.5, 0.5], what="coin")
    """
    assert_comparison(statistics.counts(observed, pmf), what)


def assert_slope(x: ArrayLike, y: ArrayLike, y_error: ArrayLike, order: float, *, bias: float = 0.0, what: str) -> None:
    """Compare the slope of ln y against ln x with an order; the points must also lie on a line. Two comparisons.

    Parameters
    ----------
    x, y, y_error : array, shape (points,)
        At least three points, positive, with independent standard errors below 0.3 y.
    order : float
        Exponent k of y ∝ x^k.
    bias : float
        Bound on the known difference of the slope at these sizes from `order`.
    what : str
        What was compared, for the message.

    Raises
    ------
    StatisticalFailure
        If the slope differs, or the points do not lie on a line.
    Refusal
        If the points do not allow the comparison (`statistics.power_law`).

    See Also
    --------
    assert_mean : for values themselves.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.array([10.0, 20.0, 40.0, 80.0])
    >>> assert_slope(x, 3 / x, 0.01 / x, -1.0, what="error of the limit")
    """
    fit = statistics.power_law(x, y, y_error)
    assert_pvalue(fit.p, f"{what}: straightness in log-log")
    assert_comparison(fit.against(order, bias=bias), f"{what}: slope in log-log")


def assert_covariance(samples: ArrayLike, theory: ArrayLike, *, what: str) -> None:
    """Compare the covariance of samples with a matrix; one comparison in all, corrected for the entries.

    Parameters
    ----------
    samples : array, shape (replicas, d)
        Independent; at least 100 and as many as `assert_mean` needs, and thousands where they are skewed.
    theory : array, shape (d, d)
        The covariance that theory gives.
    what : str
        What was compared, for the message.

    Raises
    ------
    StatisticalFailure
        If an entry differs beyond chance.
    Refusal
        If the samples do not allow the comparison (`statistics.covariance`).

    See Also
    --------
    assert_means : for means.

    Examples
    --------
    >>> import numpy as np
    >>> samples = np.random.default_rng(1).standard_normal((2000, 2))
    >>> assert_covariance(samples, np.eye(2), what="normal pair")
    """
    assert_comparison(statistics.covariance(samples, theory, fewest=max(100, _enough()))[0], what)


def assert_proportion(successes: int, trials: int, probability: float, *, what: str) -> None:
    """Compare a share of successes, say the coverage of an interval, with its probability, exactly.

    Parameters
    ----------
    successes, trials : int
        Numbers of successes and of trials.
    probability : float
        In [0, 1].
    what : str
        What was compared, for the message.

    Raises
    ------
    StatisticalFailure
        If the binomial test rejects.
    Refusal
        If there are fewer than 5 trials, or the numbers are impossible.

    See Also
    --------
    assert_mean : for any numbers.

    Examples
    --------
    >>> assert_proportion(1892, 2000, 0.95, what="coverage")
    """
    assert_comparison(statistics.proportion(successes, trials, probability), what)


def assert_uniform(p_values: ArrayLike, *, what: str) -> None:
    """Compare p-values of many fresh samples with the uniform law that a calibrated test gives them; one comparison.

    Parameters
    ----------
    p_values : array, shape (n,)
        At least 30, in [0, 1].
    what : str
        What was compared, for the message.

    Raises
    ------
    StatisticalFailure
        If the Kolmogorov-Smirnov test rejects.
    Refusal
        If they are too few.

    See Also
    --------
    assert_pvalue : for a single p-value.

    Examples
    --------
    >>> import numpy as np
    >>> assert_uniform((np.arange(100) + 0.5) / 100, what="evenly spread numbers")
    """
    assert_comparison(statistics.uniform(p_values), what)


@contextmanager
def rejects(match: str = "") -> Iterator[None]:
    """Pass only if the check inside finds a difference of data and theory: a twin that shows that a check can fail.

    Refusing the data does not count as rejecting. Comparisons inside raise no alarm and are not counted.

    Parameters
    ----------
    match : str
        Regular expression that the message must contain.

    Raises
    ------
    AssertionError
        If nothing inside fails.

    See Also
    --------
    power : how small a mistake is detected.

    Examples
    --------
    >>> from statnn.testing import assert_proportion
    >>> with rejects():
    ...     assert_proportion(300, 1000, 0.5, what="heads")
    """
    ledger = current()
    ledger.twins += 1
    try:
        yield
    except StatisticalFailure as failure:
        if not re.search(match, str(failure)):
            raise AssertionError(f"rejected, but {match!r} is not in the message: {failure}") from None
        return
    finally:
        ledger.twins -= 1
    raise AssertionError("the wrong theory was not rejected: this check cannot fail")


def _refuse_unless_probability(p: Any, what: str) -> None:
    if not (is_number(p) and 0 <= p <= 1):
        advice = ": pass the p-value, not what it was compared with" if isinstance(p, bool | np.bool_) else ""
        raise Refusal(f"{what}: p = {p!r} is not a probability{advice}")
