"""Tests of fit at their edges."""

import re

import pytest

from statnn.activation import BetaBernoulli, compare, fit


@pytest.mark.filterwarnings("ignore:b is hardly determined")
@pytest.mark.parametrize("counts", [20 * [0] + 12 * [1] + 8 * [2], 11 * [0] + 20 * [1] + 12 * [2], 3 * [0] + [1, 2]])
def test_counts_of_two_samples_agree_with_beta_bernoulli_as_well_as_can_be(counts):
    """Counts are 0, 1 or 2, and b and c give their shares exactly: no other counts agree better, and p is 1."""
    fitted = fit(counts, 2, replicas=99, rng=0)
    law = fitted.process.count(2)
    assert law.pmf([0, 1, 2]) == pytest.approx([counts.count(k) / len(counts) for k in range(3)], rel=1e-6)
    assert fitted.p_value == 1
    assert fit([0, 0, 0, 0, 5, 5, 5, 5, 5, 1, 1, 1, 1, 9], 9, replicas=99, rng=0).p_value < 1


def test_laws_whose_replicas_leave_64_bits_are_left_out_of_a_comparison():
    """Five neurons in 9e18 samples have more activations than replicas can count in 64 bits."""
    counts = [int(9e18 * share) for share in (0.9, 0.3, 0.5, 0.2, 0.7)]
    compared = compare(counts, 9 * 10**18, replicas=19, rng=0)
    assert [type(fitted.process) for fitted in compared.fits] == [BetaBernoulli]
    assert set(compared.left_out) == {"PolyaUrn", "GammaPoisson"}
    for why in compared.left_out.values():
        assert re.search(r"has no replicas for a bootstrap: .* exceeds? 9(\.0)?e\+18", why)
