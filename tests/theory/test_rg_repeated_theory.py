"""Derivations of repeated layers hold; what statnn computes is what they say, to rounding."""

import mpmath
import numpy as np
import pytest
import sympy as sp
from hypothesis import example, given, settings
from hypothesis import strategies as st

from statnn.rg import FixedFunction, RepeatedLayer
from statnn.theory.evaluation import gap_of
from statnn.theory.rg import repeated_oracle
from statnn.theory.rg.functional import ALPHA, EXPONENT, FUNCTION, SLOPE, X, b, eigenfunction, k, n, u, x
from statnn.theory.rg.functional import _united as united
from statnn.theory.rg.repeated import leading


def test_a_wrong_rescaling_or_eigenvalue_leaves_a_residual():
    """α of order z + 1, and an eigenvalue of another power."""
    wrong = 2 ** (1 / (n + 1))
    assert united(wrong * FUNCTION.subs(x, FUNCTION.subs(x, x / wrong)) - FUNCTION) != 0
    layer, slope, direction = (part.subs(X, n * u * x**n) for part in (x * (1 + X) ** (-1 / n), SLOPE, eigenfunction()))
    alpha = ALPHA.subs(b, 2)
    inside = layer.subs(x, x / alpha)
    two = alpha * (slope.subs(x, inside) * direction.subs(x, x / alpha) + direction.subs(x, inside))
    assert not gap_of(two, 2**EXPONENT * direction)
    assert gap_of(two, 2 ** (EXPONENT + 1) * direction)
    assert gap_of(two, 2**EXPONENT * direction.subs(k, k + 1))


def test_the_leading_form_of_expressions():
    t, a = sp.symbols("t a", positive=True)
    assert leading(sp.sin(t), t, most=3) == (3, sp.Rational(1, 6), sp.Rational(3, 2) - sp.Rational(36, 120))
    assert leading(t / (1 + a * t), t) == (2, a, 0)  # the flow of x² itself: no logarithm
    assert leading(1 - sp.exp(-t), t)[:2] == (2, sp.Rational(1, 2))
    assert leading(t - t**4, t)[:2] == (4, 1)
    with pytest.raises(ValueError, match="slope"):
        leading(sp.tanh(t / 2), t)
    with pytest.raises(ValueError, match="not a fixed point"):
        leading(sp.cos(t), t)
    with pytest.raises(ValueError, match="no nonlinearity"):
        leading(t, t)


def test_the_residue_does_not_depend_on_the_coordinate():
    t = sp.Symbol("t")
    moved = sp.series(sp.tanh(t + t**2 / 3), t, 0, 7).removeO()
    inverse = t - t**2 / 3 + 2 * t**3 / 9 - 5 * t**4 / 27 + 14 * t**5 / 81 - 42 * t**6 / 243  # of t + t²/3
    seen = sp.series(inverse.subs(t, moved), t, 0, 7).removeO()
    assert leading(sp.expand(seen), t) == (3, sp.Rational(1, 3), sp.Rational(3, 10))


@pytest.mark.parametrize(
    ("name", "expression", "at"),
    [
        ("tanh", sp.tanh(x), 0),
        ("erf", sp.erf(sp.sqrt(sp.pi) / 2 * x), 0),
        ("sigmoid", 1 / (1 + sp.exp(2 - 4 * x)), sp.Rational(1, 2)),
    ],
)
def test_known_activations_meet_the_symbolic_series(name, expression, at):
    form, exact = RepeatedLayer.critical(name).leading_form(), leading(expression, x, sp.sympify(at), most=3)
    assert form.order == exact.order
    assert form.fixed_point == float(at)
    assert form.coefficient == pytest.approx(float(exact.coefficient), rel=1e-15)
    assert form.residue == pytest.approx(float(exact.residue), rel=1e-14)


orders = st.integers(2, 9)
units = st.floats(1e-3, 1e3)
signals = st.floats(1e-4, 10.0)


@given(orders, units, signals, st.floats(0.0, 1e6))
@settings(max_examples=50)
def test_the_fixed_function_has_its_digits(z, u, at, layers):
    exact = repeated_oracle.fixed_function(at, layers, z, u, digits=25)
    assert FixedFunction(z, u).layers(at, layers) == pytest.approx(float(exact), rel=1e-14)


@given(orders, units, signals, st.integers(0, 12))
@example(4, 1.0, 1.0, 11)
@settings(max_examples=50)
def test_eigenfunctions_have_their_digits(z, u, at, power):
    f = FixedFunction(z, u)
    with mpmath.workdps(30):  # where k = 3z-1 the formula is 0/0, with a logarithm as its limit
        beside = power + mpmath.mpf(10) ** -20
    for computed, exact in (
        (f.eigenfunction(power, at), repeated_oracle.eigenfunction),
        (f.noise_eigenfunction(at, power), repeated_oracle.noise_eigenfunction),
    ):
        assert computed == pytest.approx(float(exact(beside, at, z, u, digits=25)), rel=1e-11)


@given(orders, units, st.floats(-30.0, 30.0).filter(lambda a: abs(a) > 1e-12))
@settings(max_examples=50)
def test_the_scaling_function_has_its_digits(z, u, distance):
    exact = repeated_oracle.finite_depth(distance, z, u, digits=25)
    assert FixedFunction(z, u).finite_depth(distance) == pytest.approx(float(exact), rel=1e-12)


def test_amplitudes_under_noise():
    form = RepeatedLayer("tanh").leading_form()
    with mpmath.workdps(30):
        known = mpmath.sqrt(6) * mpmath.gamma(mpmath.mpf(3) / 4) / mpmath.gamma(mpmath.mpf(1) / 4)
    assert form.stationary_variance(1e-5) == pytest.approx(float(known) * 1e-5, rel=1e-14)
    for name in ("tanh", "erf"):
        form = RepeatedLayer.critical(name).leading_form()
        exact = repeated_oracle.stationary_correction(form.coefficient, form.residue, digits=20)
        assert form.stationary_correction == pytest.approx(float(exact), rel=1e-13)
        leading_order = repeated_oracle.stationary_variance(0.01, 3, form.coefficient, digits=20)
        assert form.stationary_variance(0.01) == pytest.approx(float(leading_order), rel=1e-14)


def test_signals_meet_fifty_digits():
    exact = repeated_oracle.iterated(mpmath.tanh, 0.75, 3000, digits=30)
    layer = RepeatedLayer("tanh")
    assert layer.signal(0.75, 3000) == pytest.approx(float(exact), rel=1e-13)
    # double precision step by step loses to rounding what the depth coordinate keeps
    assert abs(layer.signal(0.75, 3000) / float(exact) - 1) <= abs(layer.iterate(0.75, 3000) / float(exact) - 1) + 1e-14
    assert np.isfinite(layer.signal(0.75, 9 * 10**18))
