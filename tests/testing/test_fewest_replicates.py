"""How many replicates of an unknown law a level needs: those of a skewed law do not look skewed when they mislead."""

import numpy as np
import pytest
from scipy import stats

from statnn.testing import Ledger, assert_covariance, statistics
from statnn.testing._assertions import _enough
from statnn.testing._ledger import opened
from statnn.testing.statistics import Refusal


def alarm(draws, level):
    try:
        return statistics.mean(draws, 1.0).p < level
    except Refusal:
        return False


def test_the_fewest_replicates_of_an_exponential_law_keep_their_level_within_a_small_factor(rng):
    """Rare alarms are drawn from exponential laws of smaller means, each with the weight of its density.

    The rate is 3.7 ± 0.4 levels; that of 2 log₂(1/level) replicates is 36 ± 4.
    """
    level, rates = 1e-6, np.array([1.3, 1.6, 2.0])
    with opened(Ledger(false_alarms=level, comparisons=1)):
        fewest = _enough()
    values = rng.exponential(size=(5000, fewest)) / rng.choice(rates, (5000, 1))
    weights = 1 / np.exp(fewest * np.log(rates) - (rates - 1) * values.sum(axis=1, keepdims=True)).mean(axis=1)
    alarms = np.array([alarm(draws, level) for draws in values])
    assert alarms.sum() > 50
    assert (weights * alarms).mean() < 12 * level


def test_covariances_need_as_many_replicates_as_means(rng):
    with pytest.raises(Refusal, match="149 replicates are too few for a covariance"):
        assert_covariance(rng.normal(size=(149, 1)), np.eye(1), what="")


@pytest.mark.parametrize(("up", "replicates"), [(0.5, 200), (0.5, 2000), (0.6, 200)])
def test_covariances_of_spins_keep_their_level(up, replicates, rng):
    """The squares of fair spins are all one: only the error of their mean, of second order, moves the variance."""
    sets = [np.where(rng.random((replicates, 2)) < up, 1.0, -1.0) for _ in range(300)]
    alarms = sum(statistics.covariance(spins, 4 * up * (1 - up) * np.eye(2))[0].p <= 0.01 for spins in sets)
    assert stats.binom.sf(alarms - 1, 300, 0.01) > 1e-9


def test_wrong_variances_of_spins_are_seen(rng):
    spins = np.where(rng.random((4000, 1)) < 0.5, 1.0, -1.0)
    assert statistics.covariance(spins, [[1.3]])[0].p < 1e-9
