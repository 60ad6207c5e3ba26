"""Derivations of mean-field theory hold and are typeset."""

import pytest
import sympy as sp

from statnn import rg
from statnn.theory.derivation import identity
from statnn.theory.rg import meanfield, meanfield_series


def at_the_fixed_point(average):
    t = meanfield_series.t
    return sp.series(((1 + t) * average).subs(meanfield.q, meanfield_series.START).expand(), t, 0, 3).removeO()


def test_a_wrong_amplitude_is_not_proved():
    """Small distances grow by 1 + t²/3, not by another second order nor by a first one; correlations by 1 - t²/6."""
    t = meanfield_series.t
    chi = at_the_fixed_point(meanfield_series.SLOPE)
    slope = at_the_fixed_point(meanfield_series.FIRST**2)
    for right, wrong in ((chi, 1 + t**2 / 2), (chi, 1 + t + t**2 / 3), (slope, 1 - t**2 / 3), (slope, 1 + t**2 / 3)):
        with pytest.raises(AssertionError, match="is not"):
            identity("wrong", right, wrong, by=sp.expand).check()
    assert sp.expand(chi - 1 - t**2 / 3) == 0
    assert sp.expand(slope - 1 + t**2 / 6) == 0


def test_averages_of_two_fields_are_moments():
    """E x²y² = q²(1 + 2c²), E x³y = 3q²c (Isserlis): what Price's theorem is checked against is no tautology."""
    q, c, x, y = meanfield.q, meanfield.c, meanfield.x, meanfield.y
    assert sp.expand(meanfield.pair_mean(x**2 * y**2) - q**2 * (1 + 2 * c**2)) == 0
    assert sp.expand(meanfield.pair_mean(x**3 * y) - 3 * q**2 * c) == 0
    wrong = sp.diff(meanfield.pair_mean(x**2 * y**2), c) - meanfield.pair_mean(4 * x * y)
    assert sp.expand(wrong) != 0  # without the factor q


def test_the_decay_at_criticality_has_its_logarithm():
    """1/q_m - 2m = -(5/6) ln m + const for the map of tanh itself; 2m + const alone misses it."""
    early, late = (1 / rg.RandomLayer("tanh", 1.0).power(m).variance_map(1.0) - 2 * m for m in (1000, 4000))
    slope = (late - early) / float(sp.log(4))
    assert slope == pytest.approx(-5 / 6, abs=5e-3)
