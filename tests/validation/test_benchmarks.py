"""The table of speeds says what misses its target, and limits measure what they say."""

import numpy as np
import pytest

from statnn.testing import assert_mean, rejects
from validation.benchmarks.measure import LANES, Row, draws, products, slopes


@pytest.mark.parametrize(
    ("reached", "target", "most", "missed"),
    [(9.9, 10, False, True), (10, 10, False, False), (9.9, 10, True, False), (10.1, 10, True, True), (1, None, 0, 0)],
)
def test_a_missed_target_is_marked(reached, target, most, missed):
    row = Row("work", reached=np.float64(reached), target=target, most=most)
    assert row.missed is bool(missed)
    assert ("MISSED" in str(row)) == missed


def test_limits_count_what_they_do():
    rates = slopes({"flops": products(), "numbers": draws()}, rounds=2)
    assert set(rates) == {"flops", "numbers"}
    assert all(values.shape == (2,) for values in rates.values())


def test_the_limit_of_draws_is_the_mean_of_uniform_numbers():
    sums = np.zeros((4, LANES), np.float32)
    for k in range(1, 4):  # each run begins anew: what it adds to the one before is independent of that
        draws(out=sums[k]).run(4096 * k)
    means = np.diff(sums, axis=0).ravel() / 4096
    assert_mean(means, 0.5, what="uniform numbers")
    with rejects("uniform numbers"):
        assert_mean(means, 0.51, what="uniform numbers")
