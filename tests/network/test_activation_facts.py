"""Facts about activations: what an entry does not state is false, and only kernels and entries know its number.

`statnn.testing.check_activation` tests the facts that are stated: see `tests/testing/test_activation_laws.py`.
"""

import ast
from pathlib import Path

import mpmath
import numpy as np
import pytest
from scipy import optimize

import statnn
from statnn.network import ACTIVATIONS, Activation, _codes, leaky_relu
from statnn.network._activation import known_as
from statnn.network._gaussian import _bow

ROOT = Path(statnn.__file__).parent
ENTRIES = {**ACTIVATIONS, "leaky relu, falling": leaky_relu(-0.5), "leaky relu, line": leaky_relu(1.0)}
GRID = np.arange(-120_000, 120_001) / 2000
each = pytest.mark.parametrize("sigma", ENTRIES.values(), ids=ENTRIES)
smooth = pytest.mark.parametrize("name", [name for name, sigma in ACTIVATIONS.items() if sigma.smooth])


def at(function, *h):
    return function(np.array(h))


@each
def test_facts_are_as_sharp_as_they_can_be(sigma):
    """Facts that are not stated do not hold, and bounds are attained, so that a wrong default fails here."""
    values, slopes = sigma(GRID), sigma.derivative(GRID)
    near = np.abs(GRID) < 5
    assert sigma.odd == np.array_equal(sigma(-GRID), -values)  # sign(0) = 1
    assert sigma.increasing == bool((np.diff(values[near]) > 0).all())
    reached = np.append(values, sigma(np.array([-1e9, 1e9])))
    assert (sigma.bounds is not None) == bool(np.abs(reached).max() < 1e6)
    if sigma.bounds is not None:
        assert np.allclose([reached.min(), reached.max()], sigma.bounds, rtol=0, atol=1e-6)
    line = all(np.ptp(np.diff(values[side])) < 1e-12 for side in (GRID < 0, GRID > 0))
    assert (sigma.slopes is not None) == line != sigma.smooth
    assert np.isclose(np.abs(slopes).max(), sigma.steepest, rtol=1e-6, atol=0)
    wide = np.append(GRID, [-1e6, 1e6])
    apart = np.abs(sigma(wide) - np.maximum(wide, 0)).max()
    assert (sigma.above_relu is not None) == (apart < 1)
    if sigma.above_relu is not None:
        assert sigma.above_relu == pytest.approx(apart, rel=1e-3)
    assert (sigma.period is not None) == (sigma.name == "sin")
    if sigma.period is not None:  # the shortest: a half or a third of it is no period
        apart = [np.abs(sigma(GRID + sigma.period / k) - values).max() for k in (1, 2, 3)]
        assert apart[0] < 1e-12
        assert min(apart[1:]) > 1
    jumps = np.abs(np.diff(slopes)) > 0.1
    assert bool(sigma.kinks) == bool(jumps.any() or sigma.flat or sigma.name == "leaky relu")


@pytest.mark.parametrize(
    ("slope", "odd", "increasing", "steepest"),
    [(-2, False, False, 2), (-1, False, False, 1), (0, False, False, 1), (0.5, False, True, 1), (3, False, True, 3)],
)
def test_a_leaky_relu_says_what_its_slope_makes_of_it(slope, odd, increasing, steepest):
    """At slope -1 it is the modulus, which is even."""
    sigma = leaky_relu(slope)
    assert (sigma.odd, sigma.increasing, sigma.steepest) == (odd, increasing, steepest)
    assert np.abs(at(sigma.derivative, -1.0, 1.0)).max() == steepest


@smooth
def test_inflections_are_where_the_slope_is_extreme(name):
    sigma = ACTIVATIONS[name]
    for h in sigma.inflections:
        with mpmath.workdps(40):
            assert abs(mpmath.diff(sigma.exactly, h, 2)) < 1e-15
            assert abs(mpmath.diff(sigma.exactly, h, 3)) > 1e-3
    curve = np.diff(sigma.derivative(np.linspace(-6.0, 6.0, 100_000)))
    turns = np.count_nonzero(np.diff(np.sign(curve[np.abs(curve) > 1e-12])))
    repeated = 3 if sigma.period else len(sigma.inflections)  # -π, 0 and π
    assert turns == repeated
    reached = sigma.derivative(np.array(sigma.inflections or [100.0]))
    assert np.abs(reached).max() == pytest.approx(sigma.steepest, rel=1e-15)


@smooth
def test_series_are_those_of_derivatives(name):
    sigma = ACTIVATIONS[name]
    for h in (0.0, -1.3, 0.8):
        series = sigma.series(h, 8)
        assert len(series) == 8
        near = sum(float(c) * 0.01**k for k, c in enumerate(series))
        assert near == pytest.approx(at(sigma, h + 0.01)[0], rel=1e-13)
    with pytest.raises(ValueError, match=r"'relu' is known to .* float64 only; to more are known tanh, erf, sig"):
        ACTIVATIONS["relu"].series(0.3, 4)


@pytest.mark.parametrize("name", ["tanh", "erf", "sigmoid"])
def test_fields_of_a_slope_in_closed_form(name):
    sigma = ACTIVATIONS[name]
    for factor in (1.0, 1.01, 3.0, 1e4):
        h = sigma.fields_of_slope(factor)
        assert at(sigma.derivative, h, -h) == pytest.approx(sigma.steepest / factor, rel=1e-10)


def test_averages_of_the_sine_to_all_digits():
    q, e = np.array([1e-12, 0.4, 3.0, 50.0]), np.array([1e-9, 0.3, 1.7, 1e-14])
    forms = ACTIVATIONS["sin"].averages
    with mpmath.workdps(60):
        for i, (variance, c) in enumerate(zip(map(mpmath.mpf, q), (1 - mpmath.mpf(x) for x in e), strict=True)):
            decay = mpmath.exp(-variance)
            exact = [
                (1 - decay**2) / 2, decay**2, (1 + decay**2) / 2, -2 * decay**2, (3 - 4 * decay**2 + decay**8) / 8,
                (1 - decay**2) / 2 - decay * mpmath.sinh(variance * c), decay * mpmath.cosh(variance * c),
            ]  # fmt: skip
            averages = [*forms.moments(q), forms.bend(q), forms.fourth(q), *forms.pair_moments(e, q)]
            for average, truth in zip(averages, exact, strict=True):
                assert average[i] == pytest.approx(float(truth), rel=2e-14, abs=0)


@pytest.mark.parametrize("q", [1e-30, 1e-12, 0.4, 3.0, 50.0, 1e9, 1e20])
@pytest.mark.parametrize("e", [1e-14, 1e-9, 0.3, 1.0, 1.7, 2.0])
def test_averages_of_gelu_to_all_digits(q, e):
    """Compare with derivatives of the product in closed form, at 90 digits: equal or wide fields lose many of them."""
    forms = ACTIVATIONS["gelu"].averages
    averages = [
        *forms.moments(np.array([q])),
        forms.bend(np.array([q])),
        *forms.pair_moments(np.array([e]), np.array([q])),
    ]
    with mpmath.workdps(90):
        q, c = mpmath.mpf(q), 1 - mpmath.mpf(e)

        def product(q, c):
            root = 2 * mpmath.pi * mpmath.sqrt((1 + q) ** 2 - (q * c) ** 2)
            chance = mpmath.asin(q * c / (1 + q)) / (2 * mpmath.pi) + mpmath.mpf(1) / 4
            return q * c * chance + q**2 * (1 + q + (1 - q) * c**2) / (1 + q) / root

        def slopes(c):
            return mpmath.diff(lambda at: product(q, at), c, h=mpmath.mpf(10) ** -30 / (1 + q)) / q

        changes = [mpmath.diff(lambda at: product(at, 1), q, n, h=q * mpmath.mpf(10) ** -20) for n in (1, 2)]
        exact = [product(q, 1), changes[0], slopes(1), changes[1], product(q, 1) - product(q, c), slopes(c)]
    least = (0, 0, 0, 0, 0, 3e-16)  # slopes of both signs average to zero somewhere
    assert [average.item() for average in averages] == [
        pytest.approx(float(truth), rel=2e-14, abs=off) for truth, off in zip(exact, least, strict=True)
    ]


def test_averages_of_gelu_at_fields_whose_powers_leave_float64():
    forms, q = ACTIVATIONS["gelu"].averages, np.array([1e250, 1e300])
    assert [
        np.divide(moment, line).tolist() for moment, line in zip(forms.moments(q), (q / 2, 0.5, 0.5), strict=True)
    ] == [pytest.approx([1.0, 1.0], rel=1e-15)] * 3
    assert forms.bend(q).tolist() == [0.0, 0.0]
    gap, slope = forms.pair_moments(np.ones(2), q)  # of relu, which gelu is at wide fields
    assert (gap / q).tolist() == pytest.approx([0.5 - 0.5 / np.pi] * 2, rel=1e-15)
    assert slope.tolist() == pytest.approx([0.25] * 2, rel=1e-15)


def test_angles_less_their_sines():
    angle = np.array([1e-100, 1e-3, 0.0999])
    with mpmath.workdps(250):
        exact = [float(mpmath.mpf(x) - mpmath.sin(x)) for x in angle]
    assert _bow(angle) == pytest.approx(exact, rel=1e-14, abs=0)


def test_the_product_of_gelu_is_that_of_its_fields():
    q, c = 3.0, -0.4
    gelu = ACTIVATIONS["gelu"].function
    nodes, weights = np.polynomial.hermite_e.hermegauss(80)
    x = np.sqrt(q) * nodes
    y = c * x[:, None] + np.sqrt(1 - c * c) * x
    product = weights @ (gelu(x)[:, None] * gelu(y)) @ weights / (2 * np.pi)
    square = weights @ gelu(x) ** 2 / np.sqrt(2 * np.pi)
    gap = ACTIVATIONS["gelu"].averages.pair_moments(np.array([1 - c]), np.array([q]))[0]
    assert gap.item() == pytest.approx(square - product, rel=1e-9)


@each
def test_entries_differ(sigma):
    assert all(sigma != other for other in ENTRIES.values() if other is not sigma)


def test_nothing_is_known_of_a_function_of_ones_own():
    mine = Activation("mine", np.tanh)
    assert not any((mine.built_in, mine.smooth, mine.odd, mine.increasing, mine.homogeneous, mine.linear, mine.flat))
    assert (mine.bounds, mine.slopes, mine.averages, mine.inflections, mine.parameters) == (None, None, None, (), {})
    assert mine.kernel == (_codes.OWN, 0.0)
    with pytest.raises(ValueError, match="'mine' is known to the digits of float64 only"):
        mine.exactly(0.0)


def test_names_of_other_libraries_are_told_apart():
    for library in ("torch", "onnx"):
        named = [getattr(sigma, library) for sigma in ACTIVATIONS.values() if getattr(sigma, library)]
        assert len(set(named)) == len(named) > 5
    assert known_as("torch", "Linear", {}.get, "here") is None
    assert known_as("onnx", "Gelu", {}.get, "here") is ACTIVATIONS["gelu"]


def test_the_largest_distance_from_relu_is_found_where_it_lies():
    for name in ("gelu", "gelu tanh", "silu"):
        sigma = ACTIVATIONS[name]
        least = optimize.minimize_scalar(lambda h, f=sigma: at(f, h)[0], bounds=(-3, 0), method="bounded")
        assert sigma.above_relu >= -least.fun > sigma.above_relu - 1e-4


# -- only kernels and entries know numbers ----------------------------------------------------------------

KNOW_CODES = {
    "network/_activation.py", "network/_codes.py", "network/_smooth_kernels.py", "rg/repeated/_simulation.py",
    "montecarlo/_dynamic/elementwise_kernels.py",
}  # fmt: skip


def codes_in(source):
    """Return the lines at which Python reads the number of an activation, or imports these numbers by name."""
    numbers = {name for name in vars(_codes) if name.isupper()}
    lines = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Attribute) and node.attr == "code":
            lines.append(node.lineno)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("statnn.network"):
            lines += [node.lineno for name in node.names if name.name in numbers | {"_codes"}]
    return lines


def test_only_kernels_and_entries_know_numbers():
    known = {str(path.relative_to(ROOT)) for path in ROOT.rglob("*.py") if codes_in(path.read_text(encoding="utf-8"))}
    assert known <= KNOW_CODES
    assert codes_in("if sigma.code == 3: pass")
    assert codes_in("from statnn.network._codes import TANH")
    assert codes_in("from statnn.network import _codes")


def test_kernels_know_every_entry_by_its_own_number():
    numbers = [sigma.kernel[0] for sigma in ACTIVATIONS.values()]
    assert sorted(numbers) == list(range(len(ACTIVATIONS)))


@pytest.mark.parametrize("digits", [20, 60])
def test_sigmoid_and_silu_keep_all_digits_in_their_tails(digits):
    """In these tails 1 + tanh(h/2) has no digits left."""
    with mpmath.workdps(digits):
        for h in (-50, -100, -700):
            assert abs(ACTIVATIONS["sigmoid"].exactly(mpmath.mpf(h)) * (1 + mpmath.exp(-h)) - 1) < 10 ** (2 - digits)
            silu = ACTIVATIONS["silu"].exactly(mpmath.mpf(h))
            assert abs(ACTIVATIONS["sigmoid"].exactly(mpmath.mpf(h)) * h / silu - 1) < 10 ** (2 - digits)
