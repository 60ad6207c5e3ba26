"""Tests of fit at their edges."""

import pytest

from statnn.activation import fit


@pytest.mark.filterwarnings("ignore:b is hardly determined")
@pytest.mark.parametrize("counts", [20 * [0] + 12 * [1] + 8 * [2], 11 * [0] + 20 * [1] + 12 * [2], 3 * [0] + [1, 2]])
def test_counts_of_two_samples_agree_with_beta_bernoulli_as_well_as_can_be(counts):
    """They are 0, 1 or 2, with shares that b and c give exactly: no other counts agree better, and p is 1."""
    found = fit(counts, 2, replicas=99, rng=0)
    law = found.process.count(2)
    assert law.pmf([0, 1, 2]) == pytest.approx([counts.count(k) / len(counts) for k in range(3)], rel=1e-6)
    assert found.p_value == 1
    assert fit([0, 0, 0, 0, 5, 5, 5, 5, 5, 1, 1, 1, 1, 9], 9, replicas=99, rng=0).p_value < 1
