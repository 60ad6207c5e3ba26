"""The special function behind every law: all digits, everywhere, and the identities that define it."""

import math

import mpmath
import numpy as np
import pytest
from hypothesis import example, given, target
from hypothesis import strategies as st
from strategies import examples

from statnn.activation._laws import special as _special
from statnn.activation._laws.special import (
    digamma_difference,
    digamma_difference_scalar,
    mixed_log_gamma,
    mixed_log_gamma_scalar,
    trigamma_difference_scalar,
)
from statnn.testing.strategies import log_uniform
from statnn.theory.activation import oracle

ACCURACY = 1e-13
DIGITS = 40

places = log_uniform(1e-19, 1e18)
steps = log_uniform(1e-3, 10.0) | log_uniform(1e-19, 1e18)
spans = st.just(0.0) | log_uniform(1e-6, 1e18) | log_uniform(1e-250, 1e-6)
SCALARS = (mixed_log_gamma_scalar, digamma_difference_scalar, trigamma_difference_scalar)


def relative_error(value, exact):
    """Relative error, taken in mpmath; an exact zero must be met exactly."""
    if exact == 0:
        assert value == 0
        return 0.0
    return abs(float((mpmath.mpf(value) - exact) / exact))


def assert_digits(value, exact, limit):
    error = relative_error(value, exact)
    target(math.log10(max(error / limit, 1e-10)))
    assert error <= limit, (value, exact, error)


def polygamma_difference(order, x, s):
    """psi^(order)(x+s) - psi^(order)(x) with digits for all that can cancel."""
    with mpmath.workdps(120):
        x, s = mpmath.mpf(x), mpmath.mpf(s)
        return mpmath.psi(order, x + s) - mpmath.psi(order, x)


@given(x=places, s=steps, t=spans)
@example(x=16.0, s=10.0, t=1e18)
@example(x=math.nextafter(16.0, 0.0), s=1e-3, t=1e-6)
@example(x=1e-19, s=1e-3, t=1e18)
@examples(2)
def test_mixed_log_gamma_keeps_its_digits(x, s, t):
    assert_digits(mixed_log_gamma_scalar(x, s, t), oracle.mixed_log_gamma(x, s, t, digits=DIGITS), ACCURACY)


@pytest.mark.parametrize("t", [1e-291, 1e-310, 1e-322, 5e-324])
@pytest.mark.parametrize(("x", "s"), [(18.0, 2.0), (71.3, 35.6), (2823.7, 1794.6), (1e-280, 3.0), (1e15, 1e-3)])
def test_spans_below_the_smallest_normal_number(x, s, t):
    """Terms of either sign round to multiples of 5e-324 each; the value is off by less than one such multiple."""
    exact = oracle.mixed_log_gamma(x, s, t, digits=700)
    for value in (mixed_log_gamma_scalar(x, s, t), mixed_log_gamma_scalar(x, t, s)):
        assert abs(mpmath.mpf(value) - exact) <= ACCURACY * exact + 3e-324


@given(x=places, s=steps)
@examples(3)
def test_digamma_difference_keeps_its_digits(x, s):
    assert_digits(digamma_difference_scalar(x, s), polygamma_difference(0, x, s), ACCURACY)


@given(x=places, s=steps)
@examples(3)
def test_trigamma_difference_keeps_its_digits(x, s):
    assert_digits(trigamma_difference_scalar(x, s), -polygamma_difference(1, x, s), ACCURACY)


def test_four_separate_logarithms_would_not_do():
    """The comparison above can fail: the textbook formula loses all its digits at large x."""
    x, s, t = 1e15, 0.3, 2.0
    naive = math.lgamma(x) + math.lgamma(x + s + t) - math.lgamma(x + s) - math.lgamma(x + t)
    assert relative_error(naive, oracle.mixed_log_gamma(x, s, t, digits=DIGITS)) > 0.1


@given(x=places, s=steps, t=spans)
def test_steps_may_be_exchanged(x, s, t):
    assert mixed_log_gamma_scalar(x, s, t) == pytest.approx(mixed_log_gamma_scalar(x, t, s), rel=2e-13, abs=0)


@given(x=places, s=steps, t=spans)
def test_never_negative_and_zero_only_without_a_step(x, s, t):
    value = mixed_log_gamma_scalar(x, s, t)
    assert (value > 0) == (t > 0)
    assert mixed_log_gamma_scalar(x, 0.0, t) == 0


def binary(low, high):
    """Numbers of ten bits and of similar size, so that their sums are exact."""
    return st.builds(lambda m, e: m * 2.0**e, st.integers(2**9, 2**10 - 1), st.integers(low, high))


@given(x=binary(-8, 3), s=binary(-15, -5), t=binary(-15, 3))
def test_recurrence(x, s, t):
    """L(x) = L(x+1) - ln(1-u), u = st/[(x+s)(x+t)]: all terms of one sign."""
    step = -math.log1p(-s / (x + s) * t / (x + t))
    expected = mixed_log_gamma_scalar(x + 1.0, s, t) + step
    assert mixed_log_gamma_scalar(x, s, t) == pytest.approx(expected, rel=4e-13)


@given(x=binary(-8, 8), s=steps, t=binary(-8, 8), more=binary(-8, 8))
def test_additive_in_the_span(x, s, t, more):
    """What is survived in two stretches is survived in one: L(x;s,t1+t2) = L(x;s,t1) + L(x+t1;s,t2)."""
    parts = mixed_log_gamma_scalar(x, s, t) + mixed_log_gamma_scalar(x + t, s, more)
    assert mixed_log_gamma_scalar(x, s, t + more) == pytest.approx(parts, rel=2.1e-12)


@given(x=places, s=st.integers(1, 12), t=spans)
def test_whole_steps_are_products(x, s, t):
    """For whole s the Gamma functions cancel to s factors."""
    with mpmath.workdps(80):
        place, span = mpmath.mpf(x), mpmath.mpf(t)
        exact = mpmath.fsum(mpmath.log1p(span / (place + j)) for j in range(s))
    assert_digits(mixed_log_gamma_scalar(x, float(s), t), exact, ACCURACY)


@pytest.mark.parametrize("function", SCALARS, ids=lambda f: f.__name__)
@given(x=places, s=steps, t=spans)
def test_compiled_equals_the_readable_twin(function, x, s, t):
    arguments = (x, s, t)[: function.py_func.__code__.co_argcount]
    assert function(*arguments) == function.py_func(*arguments)


def test_arrays_broadcast_and_equal_the_scalars(rng):
    x, s, t = rng.uniform(0.1, 30, (3, 1, 4)), rng.uniform(0, 9, (5, 1)), rng.uniform(0, 99, 4)
    values = mixed_log_gamma(x, s, t)
    assert values.shape == (3, 5, 4)
    for index in np.ndindex(values.shape):
        place, step, span = (a[index] for a in np.broadcast_arrays(x, s, t))
        assert values[index] == mixed_log_gamma_scalar(place, step, span)
    assert digamma_difference(x, s).shape == (3, 5, 4)
    assert digamma_difference(x[0, 0, 0], s[0, 0]) == digamma_difference_scalar(x[0, 0, 0], s[0, 0])


@pytest.mark.parametrize("kernel", [_special._mixed_log_gamma, _special._digamma_difference])
def test_array_kernels_equal_their_twins(kernel, rng):
    arguments = kernel.py_func.__code__.co_argcount - 1
    columns = [np.exp(rng.uniform(-9, 9, 50)) for _ in range(arguments)]
    compiled, plain = np.empty(50), np.empty(50)
    kernel(*columns, compiled)
    kernel.py_func(*columns, plain)
    assert np.array_equal(compiled, plain)
