"""Statistical checks that share one budget of false alarms.

With the theory right, a whole run of the suite fails by chance with probability at most `BUDGET`, divided
over `CHECKS` comparisons; the session fails if more are made. The limits are wide (about six standard
errors): power comes from the size of the sample. State the deviation a check is meant to see, choose the
sample so that it is seen with near certainty, and prove it with a twin inside `rejects`.
"""

import re
from contextlib import contextmanager

import numpy as np

from validation import statistics
from validation.statistics import Comparison, Refusal

BUDGET = 1e-6
CHECKS = 1000
LEVEL = BUDGET / CHECKS
FEWEST_REPLICATES = 20


class StatisticalFailure(AssertionError):  # noqa: N818 - a failed test, like the AssertionError it is
    """Data and theory disagree beyond chance."""


class Ledger:
    """How many comparisons the session has made, and the p-values of the test that runs.

    Comparisons of twins raise no alarm and are not counted.
    """

    made = 0
    in_twin = 0

    def __init__(self):
        self.p = []

    def enter(self, p):
        if not self.in_twin:
            self.made += 1
            self.p.append(float(p))


LEDGER = Ledger()


def assert_pvalue(p, what):
    """Fail where `p` is below the level of one comparison."""
    _refuse_unless_probability(p, what)
    LEDGER.enter(p)
    if p < LEVEL:
        raise StatisticalFailure(f"{what}: p = {p:.3g} is below {LEVEL:.3g}")


def assert_comparison(found: Comparison, what):
    """Fail where a comparison of `validation.statistics` is beyond chance."""
    _refuse_unless_probability(found.p, what)
    LEDGER.enter(found.p)
    if found.p < LEVEL:
        z = "" if found.z is None else f", z = {found.z:+.2f}"
        raise StatisticalFailure(
            f"{what}: estimate {found.estimate:.9g} ± {found.error:.3g}, theory {found.theory:.9g}{z}, "
            f"p = {found.p:.3g} (limit {LEVEL:.3g})"
        )


def assert_mean(values, theory, *, bias=0.0, what):
    """Compare means over replicates with theory, one comparison for each entry beyond the first axis.

    `values` has shape ``(replicas, ...)``; `theory` and `bias`, the bound on a known finite-size error,
    broadcast to ``(...)``.
    """
    values = np.asarray(values, dtype=float)
    shape = values.shape[1:]
    theory, bias = np.broadcast_to(theory, shape), np.broadcast_to(bias, shape)
    if not values.size:
        raise Refusal(f"{what}: no values to compare")
    for index in np.ndindex(shape):
        found = statistics.mean(
            values[:, *index], float(theory[index]), bias=float(bias[index]), fewest=FEWEST_REPLICATES
        )
        assert_comparison(found, f"{what} {list(index)}" if index else what)


def assert_law(observed, pmf, *, what):
    """Compare how often 0, 1, 2, ... was seen with a probability mass function."""
    assert_comparison(statistics.law(observed, pmf), what)


def assert_slope(x, y, y_error, order, *, bias=0.0, what):
    """Compare the slope of log y against log x with an order; the points must also lie on a line."""
    fit = statistics.power_law(x, y, y_error)
    assert_pvalue(fit.p, f"{what}: straightness in log-log")
    assert_comparison(fit.against(order, bias=bias), f"{what}: slope in log-log")


def assert_covariance(samples, theory, *, what):
    """Compare the covariance of samples, shape ``(replicas, d)``, with a matrix; one comparison in all."""
    assert_comparison(statistics.covariance(samples, theory)[0], what)


def assert_proportion(successes, trials, probability, *, what):
    """Compare a share of successes, say the coverage of an interval, with its probability."""
    assert_comparison(statistics.proportion(successes, trials, probability), what)


def assert_uniform(p_values, *, what):
    """Compare p-values of many fresh samples with the uniform law that a calibrated test gives them."""
    assert_comparison(statistics.uniform(p_values), what)


@contextmanager
def rejects(match=""):
    """Pass only if the check inside finds data and theory apart; to refuse the data is not to reject.

    `match` is a regular expression that the message must contain.
    """
    LEDGER.in_twin += 1
    try:
        yield
    except StatisticalFailure as failure:
        if not re.search(match, str(failure)):
            raise AssertionError(f"rejected, but {match!r} is not in the message: {failure}") from None
        return
    finally:
        LEDGER.in_twin -= 1
    raise AssertionError("the wrong theory was not rejected: this check cannot fail")


def _refuse_unless_probability(p, what):
    if not 0 <= p <= 1:
        raise Refusal(f"{what}: p = {p} is no probability")
