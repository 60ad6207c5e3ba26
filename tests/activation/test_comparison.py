"""What a comparison of laws says beside its numbers."""

from statnn.activation import GammaPoisson, compare


def test_it_says_where_no_law_describes_the_counts(rng):
    """Half of the neurons never, half of them every other time; and counts of a law."""
    two = compare([0] * 200 + (20 + rng.binomial(20, 0.5, 200)).tolist(), 100)
    assert max(two.p_values) < 1e-6
    assert "no law describes these counts (p " in str(two).splitlines()[-1]
    assert "no law describes" in two._repr_html_()
    true = compare(GammaPoisson(2000, 0.5, 1.0).simulate([500], counts=True, rng=rng).counts[0, 0], 500)
    assert ("no law" in str(true)) is (max(true.p_values) < 0.01)
