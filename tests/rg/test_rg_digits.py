"""Digits of solvable layers over the whole range of float64, against mpmath and exact limits."""

import math
from dataclasses import replace

import mpmath
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from strategies import examples

from statnn import rg
from statnn.rg._fixed_points import _exponents
from statnn.rg._layers.decimation import mediated, total
from statnn.rg._layers.linear import renormalised as linear_map
from statnn.rg._layers.single import renormalised as spin_map
from statnn.testing.strategies import log_uniform
from statnn.theory.rg import solvable_oracle as oracle

SIGN = st.sampled_from([-1.0, 1.0])
NUMBERS = st.tuples(SIGN, log_uniform(1e-8, 30.0) | log_uniform(1e-8, 1e60)).map(lambda pair: pair[0] * pair[1])
FIELDS = st.just(0.0) | NUMBERS
MODERATE = st.tuples(SIGN, log_uniform(1e-20, 60.0)).map(lambda pair: pair[0] * pair[1])
SHIFT = st.floats(-3.0, 3.0)


def spin(K, f=0.0, g=0.0):
    return rg.BinaryLayer([[K]], f, inputs=g)


def near(value, exact, scale):
    """Whether both agree to 1e-15 of the scale, or to the last digit that numbers below 1e-308 have."""
    return abs(mpmath.mpf(float(value)) - exact) <= 1e-15 * abs(scale) + 5e-324


# -- pairs of spins --------------------------------------------------------------------------------------


def check_pair(first, second):
    """First and second are (K, f, g); couplings are held relative to themselves, fields to the terms they add up."""
    block = spin(*first).compose(spin(*second))
    J, up, down, constant = oracle.binary_pair(first, second, digits=25)
    assert near(block.couplings[0, 0], J, J * (1 + abs(mpmath.log(abs(J)) if J else 0))), (first, second)
    for ours, exact, own in ((block.fields[0], up, second[1]), (block.inputs[0], down, first[2])):
        handed = abs(exact - own)
        assert near(ours, exact, abs(own) + handed * (1 + abs(min(0, mpmath.log(handed))) if handed else 0))
    assert near(block.constant, constant, constant)


@given(NUMBERS, FIELDS, FIELDS, NUMBERS, FIELDS, FIELDS)
@examples(0.6)
def test_pairs_keep_their_digits_at_any_size(K1, f1, g1, K2, f2, g2):
    check_pair((K1, f1, g1), (K2, f2, g2))


@given(log_uniform(1.0, 1e40), st.floats(0.1, 2.0), SIGN, SHIFT, SHIFT, SHIFT)
@examples(0.5)
def test_pairs_keep_their_digits_where_fields_cancel_couplings(K1, share, side, shift, f, g):
    """The field between the layers is a sum or difference of the couplings, but for a number of order one."""
    K2 = share * K1
    check_pair((K1, K1 + side * K2 + shift, g), (K2, f, shift))
    check_pair((K1, K1 + shift, 0.0), (K1 + shift, f, -K1))


def test_large_couplings_hand_on_the_small_one():
    for K in (1e4, 1e8, 1e16, 1e307, 1.7e308):
        assert spin(K).compose(spin(0.35)).couplings.tolist() == [[0.35]]
        assert spin(0.35).compose(spin(-K)).couplings.tolist() == [[-0.35]]
        assert spin(K, 0.2).compose(spin(0.35, 0.1)).inputs[0] == pytest.approx(0.2, rel=1e-15)
        assert spin(K, K).compose(spin(0.35, 0.1)).fields[0] == pytest.approx(0.1 + 0.35 / 2, rel=1e-15)
    assert spin(1e16, 1e16, 0).compose(spin(1e16, 0, 3.0)).couplings[0, 0] == pytest.approx(0.5e16 - 1.5, rel=1e-15)
    with pytest.raises(ValueError, match="exceed the range of float64"):
        spin(1.0, 1e308).compose(spin(1.7e308, 0.0, 1e308))
    assert float(total(np.array(1e16), np.array(1.0), np.array(-1e16))) == 1.0
    check_pair((1e90, 1.2e90, 0.0), (-2e89, 0.0, 3.0))
    none = (np.array(0.0),)
    assert float(mediated(none, (np.array(1.0),), none)) == 0.0


@given(MODERATE, st.integers(1, 400))
@examples(0.5)
def test_powers_lose_one_rounding_a_layer(K, m):
    block = spin(K).power(m)
    with mpmath.workdps(400):
        exact = mpmath.atanh(mpmath.tanh(mpmath.mpf(K)) ** m)
        if abs(exact) > 1e-290:
            assert abs(block.couplings[0, 0] / exact - 1) < 1e-15 * m
            assert block.correlation_length() * m == pytest.approx(spin(K).correlation_length(), rel=1e-15 * m)
            assert block.spectrum().ratios[1] == pytest.approx(float(mpmath.tanh(mpmath.mpf(K)) ** m), rel=1e-15 * m)


# -- one spin a layer ------------------------------------------------------------------------------------


@given(MODERATE, st.just(0.0) | MODERATE, st.just(0.0) | MODERATE)
@examples(1)
def test_spectra_of_one_spin_keep_their_digits(K, f, g):
    layer = rg.BinaryLayer([[K]], f, inputs=g, constant=0.5)
    log, ratio, length = oracle.binary_spectrum(K, f, g, digits=25)
    spectrum = layer.spectrum()
    assert near(spectrum.log_leading, log + 0.5, log + 0.5)
    assert near(spectrum.ratios[1], ratio, ratio * (1 + abs(f) + abs(g)))
    assert near(layer.correlation_length(), length, length * (1 + (abs(f) + abs(g)) * length))
    assert spectrum.correlation_length() == layer.correlation_length()


def test_spectra_of_one_spin_at_the_ends_of_the_range():
    blocks = spin(0.7).power(80)
    assert blocks.spectrum().ratios[1] == pytest.approx(math.tanh(0.7) ** 80, rel=1e-13, abs=0)
    assert blocks.correlation_length() * 80 == pytest.approx(-1 / math.log(math.tanh(0.7)), rel=1e-14)
    for K in (1e-17, -1e-17, 1e-300, 5e-324):
        assert spin(K).spectrum().ratios[1] == K
        assert spin(K).correlation_length() == pytest.approx(-1 / math.log(abs(K)), rel=1e-15)
    for h in (15.0, 300.0, 1e300):  # λ_1/λ_0 → (1 - e^{-4K}) e^{-2h} 4/4
        decay = 2 * h - math.log(-math.expm1(-2.0))
        assert spin(0.5, h).correlation_length() == pytest.approx(1 / decay, rel=1e-13)
        assert spin(0.5, h).spectrum().log_leading == pytest.approx(0.5 + h, rel=1e-13)
    for K in (1e300, 1.7e308):
        for sign in (1, -1):
            spectrum = spin(sign * K).spectrum()
            assert (spectrum.log_leading, spectrum.ratios[1], spectrum.correlation_length()) == (K, sign, math.inf)
    assert spin(0.0, 3.0).correlation_length() == 0
    with pytest.raises(ValueError, match=r"the fields f \+ g of a spin .* exceed the range"):
        spin(1.0, 1e308, 1e308).spectrum()
    with pytest.raises(ValueError, match="has no finite logarithm"):
        spin(1.7e308, 1.7e308).spectrum()


@given(SIGN, log_uniform(1e-2, 0.999), st.floats(-0.99, 0.99), st.integers(1, 200))
@examples(0.2)
def test_the_map_of_one_spin_keeps_its_digits(sign, t, v, b):
    J, field = oracle.binary_map(sign * t, v, b, digits=20)
    image = spin_map(np.array([sign * t, v]), b)
    if abs(J) > 1e-290:
        assert abs(image[0] / J - 1) < 1e-15 * (b + 1)
    assert abs(image[1] - field) <= 3e-15 * abs(field) + 5e-324


def test_the_map_of_one_spin_at_its_ends():
    assert spin_map(np.array([0.0, 0.3]), 10**9).tolist() == pytest.approx([0.0, 0.3], rel=1e-12)
    assert spin_map(np.array([1.0, 0.0]), 10**9).tolist() == [1.0, 0.0]
    strong, field = 0.9999999022694877, 0.8375415984973206  # the field lets tanh K fall to 2e-97
    assert spin_map(np.array([strong, field]), 106)[0] == pytest.approx(
        float(oracle.binary_map(strong, field, 106, digits=20)[0]), rel=1e-12, abs=0
    )
    assert spin_map(np.array([1.0, 0.5]), 3)[1] == pytest.approx(math.tanh(3 * math.atanh(0.5)))
    for couplings in ([0.5, 1.0], [-1.0, 0.0]):
        with pytest.raises(ValueError, match="finite fields"):
            spin_map(np.array(couplings), 2)


# -- wide layers of spins --------------------------------------------------------------------------------


@pytest.mark.parametrize("scale", [1.0, 1e4, 1e16])
def test_weights_of_wide_layers_keep_what_is_small(scale):
    """ln T(s', s) less its largest value, computed exactly in whole numbers."""
    J = np.array([[scale, 3.0], [5.0, 2 * scale]]) / 8
    transfer = rg.BinaryLayer(J, [1 / 8, scale], inputs=[7 / 8, 0.0]).transfer()
    states = [[int(b) for b in pair] for pair in ((-1, -1), (1, -1), (-1, 1), (1, 1))]
    whole = [[int(8 * value) for value in row] for row in J.tolist()], (1, int(8 * scale)), (7, 0)
    exact = [
        [
            sum(whole[0][i][j] * a[i] * b[j] for i in (0, 1) for j in (0, 1))
            + sum(whole[1][i] * a[i] + whole[2][i] * b[i] for i in (0, 1))
            for b in states
        ]
        for a in states
    ]
    top = max(map(max, exact))
    assert transfer.log_weights.tolist() == [[(weight - top) / 8 for weight in row] for row in exact]
    assert transfer.log_scale == pytest.approx(top / 8, rel=1e-15)


@pytest.mark.parametrize("gap", [400.0, 700.0, 740.0, 745.0, 2000.0])
def test_sums_of_weights_keep_their_digits_down_to_the_smallest_floats_and_below(gap):
    """As a float exp(-740) has two digits left; the logarithm of a sum of two such weights is ln 2 above either's."""
    matrix = rg.TransferMatrix([[0.0, -gap], [-gap, 0.0]])
    squared = matrix.compose(matrix)
    assert squared.log_weights[0, 1] - squared.log_weights[0, 0] == pytest.approx(math.log(2) - gap, abs=1e-12)


def test_eigenvalues_do_not_feel_where_a_field_stands():
    """f on outputs and -f on inputs cancel in a chain; the weights span e^±1600."""
    J = [[0.5, 0.1], [0.2, 0.3]]
    plain, moved = rg.BinaryLayer(J), rg.BinaryLayer(J, [400.0, -300.0], inputs=[-400.0, 300.0])
    np.testing.assert_allclose(moved.spectrum().ratios, plain.spectrum().ratios, rtol=1e-12)
    assert moved.spectrum().log_leading == pytest.approx(plain.spectrum().log_leading, abs=1e-12)
    assert rg.BinaryLayer(J, constant=0.7).spectrum().log_leading == pytest.approx(plain.spectrum().log_leading + 0.7)
    for couplings in ([-500.0, -500.0], [-500.0, -400.0, -300.0], [-30.0, 40.0]):  # λ = ±λ_0, the positive one first
        ordered = rg.BinaryLayer(np.diag(couplings)).spectrum()
        assert ordered.log_leading == pytest.approx(np.abs(couplings).sum(), rel=1e-12)
        assert ordered.ratios[0] == 1
        assert (np.abs(np.abs(ordered.ratios) - 1) < 1e-10).all()
        assert (ordered.ratios < 0).sum() == ordered.ratios.size / 2


def test_wide_layers_say_what_rounding_hides():
    blocks = rg.BinaryLayer([[0.3, 0.1], [0.1, 0.3]]).power(80)
    with pytest.raises(ArithmeticError, match=r"cannot be told from 0 .* ask a block of fewer layers"):
        blocks.correlation_length()
    assert rg.BinaryLayer(np.zeros((2, 2)), 1.0).correlation_length() == 0
    with pytest.raises(ValueError, match="whose logarithm exceeds the range of float64"):
        rg.BinaryLayer(np.full((2, 2), 1e308)).transfer()


def test_errors_of_exponents_are_those_of_first_order():
    """A matrix whose eigenvectors are not orthogonal: dλ = l E r/(l r), with l r well below one."""
    matrix, wrong = np.array([[2.0, 5.0], [0.0, 0.5]]), np.array([[0.0, 0.0], [1e-6, 0.0]])
    point = rg.FixedPoint("x", ("a", "b"), np.zeros(2), linear_map)
    exponents = _exponents(point, 2, matrix, wrong)
    moved = np.sort(np.log2(np.linalg.eigvals(matrix + wrong)))[::-1]
    np.testing.assert_allclose(exponents.error, np.abs(moved - exponents.y), rtol=1e-4)


def test_all_that_belongs_to_an_exponent_stands_in_its_place():
    point = rg.FixedPoint("x", ("a", "b", "c"), np.zeros(3), linear_map)
    exponents = _exponents(point, 2, np.diag([1.0005, 2.0, 0.5]), np.diag([1e-3, 0.0, 0.0]))
    assert (exponents.kinds, exponents.fields) == (("relevant", "marginal", "irrelevant"), ("b", "a", "c"))
    np.testing.assert_allclose(exponents.error, [0, 1e-3 / (1.0005 * math.log(2)), 0], rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(np.abs(exponents.directions), np.eye(3)[[1, 0, 2]], atol=1e-12)


# -- linear layers ---------------------------------------------------------------------------------------

WEIGHTS = st.tuples(SIGN, st.floats(0.0, 1.5) | log_uniform(1e-16, 0.1).map(lambda gap: 1 - gap)).map(math.prod)


@given(WEIGHTS | st.sampled_from([1.0, -1.0, 0.0, -0.0, 1 + 1e-15]), st.integers(1, 60) | st.integers(1, 10**18))
@example(1 + 1e-15, 2**53 + 1)  # no float64 is this exponent
@example(0.0, 16_020_229_674_058_619)
@examples(1)
def test_powers_of_width_one_keep_their_digits_at_any_depth(w, m):
    with mpmath.workdps(60):
        v = mpmath.mpf(w)
        exact = [v**m, m if v == 1 else (1 - v**m) / (1 - v), m if abs(v) == 1 else (1 - v ** (2 * m)) / (1 - v**2)]
    layer = rg.LinearLayer(w, 1.0, 1.0)
    if max(map(abs, exact)) > 1e308:
        with pytest.raises(ValueError, match="exceeds the range of float64"):
            layer.power(m)
        return
    block = layer.power(m)
    for ours, value in zip((block.weight[0, 0], block.bias[0], block.noise_covariance[0, 0]), exact, strict=True):
        assert abs(ours - value) <= 1e-15 * abs(value) + 1e-307
    assert linear_map(np.array([w, 0.0, 1.0]), m)[1] == 0


def test_flows_of_width_one_do_not_add_rounding():
    couplings = rg.flow(rg.LinearLayer(1 - 2.0**-50, 1.0, 1.0), 55).couplings[-1]
    with mpmath.workdps(50):
        v = 1 - mpmath.mpf(2) ** -50
        exact = [v**2**55, (1 - v**2**55) / (1 - v), (1 - v**2**56) / (1 - v**2)]
    np.testing.assert_allclose(couplings, [float(number) for number in exact], rtol=1e-14)


# -- layers of many spins -------------------------------------------------------------------------------


def second_ratio(couplings, fields):
    """λ_1/λ_0 and ln λ_0 to 40 digits, from the matrix of all states."""
    width, states = len(fields), 2 ** len(fields)
    spins = [[2 * (k >> i & 1) - 1 for i in range(width)] for k in range(states)]
    with mpmath.workdps(60):
        J, h = mpmath.matrix(couplings.tolist()), mpmath.matrix(fields.tolist())

        def weight(up, down):
            paired = sum(J[i, j] * up[i] * down[j] for i in range(width) for j in range(width))
            return mpmath.exp(paired + sum(h[j] * down[j] for j in range(width)))

        values = mpmath.eig(mpmath.matrix([[weight(up, down) for down in spins] for up in spins]), left=0, right=0)
        leading, second = sorted((abs(value) for value in values), reverse=True)[:2]
        return second / leading, mpmath.log(leading)


@pytest.mark.parametrize("fields", [0.0, 0.4, 15.0, 40.0])
@pytest.mark.parametrize("size", [1e-17, 1e-9, 1e-3, 0.1, 0.6])
def test_wide_layers_keep_the_digits_of_what_they_remember(size, fields):
    """λ_1/λ_0 keeps its digits even where the entries of the matrix differ by less than a rounding."""
    couplings, field = size * np.array([[0.7, -1.3], [0.4, 1.1]]), fields * np.array([1.0, 0.9])
    ratio, log_leading = second_ratio(couplings, field)
    layer = rg.BinaryLayer(couplings, field)
    spectrum = layer.spectrum()
    assert abs(spectrum.ratios[1]) == pytest.approx(float(ratio), rel=1e-12, abs=0)
    assert spectrum.log_leading == pytest.approx(float(log_leading), rel=1e-14)
    assert layer.correlation_length() == pytest.approx(float(-1 / mpmath.log(ratio)), rel=1e-12)


@pytest.mark.parametrize("tiny", [1e-300, 1e-310, 1e-320, 5e-324])
def test_layers_of_the_smallest_couplings_have_weights_and_a_spectrum(tiny):
    """Independent chains: λ_1/λ_0 = tanh K, with all bits that a subnormal number has."""
    layer = rg.BinaryLayer(tiny * np.eye(2))
    assert layer.transfer().log_weights.min() == pytest.approx(-4 * tiny, rel=1e-15, abs=5e-324)
    assert layer.spectrum().ratios[1] == pytest.approx(tiny, rel=1e-15, abs=5e-324)
    assert layer.correlation_length() == pytest.approx(-1 / math.log(tiny), rel=1e-15)


@pytest.mark.parametrize(
    ("J", "fields"), [((46.1, 0.3), (0.1, 0.2)), ((150.0, 2.0), (0.5, 0.2)), ((70.0, 0.1), (3.0, 0.0))]
)
def test_wide_layers_of_strong_couplings_have_a_spectrum(J, fields):
    """The spins are uncoupled: eigenvalues are products of those of each spin."""
    each = [rg.BinaryLayer([[j]], [h]).spectrum().ratios for j, h in zip(J, fields, strict=True)]
    products = np.sort(np.outer(*each).ravel())[::-1]
    assert rg.BinaryLayer(np.diag(J), fields).spectrum().ratios == pytest.approx(products, rel=1e-9, abs=1e-14)


def test_digits_of_what_a_layer_that_turns_spins_over_remembers():
    """The second input is coupled to nothing: summed over, it leaves a layer of one spin; e^I - 1 is nearly -1."""
    layer = rg.BinaryLayer([[-1.25, 0.0], [-26.0, 0.0]], [-29.25, 0.0], inputs=[-1.375, -40.75])
    with mpmath.workdps(60):
        sums = [
            [
                sum(mpmath.exp(s * (-1.25 * t - 29.25) - 26 * r * t - 1.375 * t - 40.75 * r) for r in (-1, 1))
                for t in (-1, 1)
            ]
            for s in (-1, 1)
        ]
        values = sorted(mpmath.eig(mpmath.matrix(sums), left=False, right=False), key=abs)
        ratio = float(mpmath.re(values[0] / values[1]))
    assert layer.spectrum().ratios[1] == pytest.approx(ratio, rel=1e-9)


def test_chains_that_cross_and_all_but_lock_their_spins():
    """Fields of one on spins copied crosswise: ++ keeps a weight e^2, -- one of e^-2, and +- and -+ swap, giving ±1."""
    ratios = rg.BinaryLayer([[0.0, 125.0], [80.0, 0.0]], 1.0).spectrum().ratios
    assert np.sort(ratios) == pytest.approx([-math.exp(-2), math.exp(-4), math.exp(-2), 1.0], rel=1e-12)


FORGETFUL = {  # pairs of a spin and the spin of the layer below it is coupled to
    "one coupling": [(0, 2)],
    "a chain": [(1, 0), (2, 1), (3, 2)],
    "two ways of one length": [(1, 0), (2, 0), (3, 1), (3, 2)],
    "there and back": [(2, 0), (2, 1), (3, 1)],
}
KEEPING = {
    "two ways, one shorter": [(1, 0), (2, 1), (2, 0)],
    "a circle": [(1, 0), (2, 1), (0, 2)],
    "a spin and itself": [(0, 0), (1, 0)],
}


def coupled(pairs):
    couplings = np.zeros((4, 4))
    couplings[tuple(np.transpose(pairs))] = 0.3 + 0.4 * np.arange(len(pairs))
    return rg.BinaryLayer(couplings, [0.1, 0.2, -0.3, 0.0])


def largest_other(layer, layers):
    """|λ_1/λ_0| of so many layers, to 60 digits."""
    with mpmath.workdps(60):
        T = mpmath.matrix(layer.transfer().log_weights.tolist()).apply(mpmath.exp)
        sizes = sorted((abs(value) for value in mpmath.eig(T**layers, left=False, right=False)), reverse=True)
        return float(sizes[1] / sizes[0])


@pytest.mark.parametrize("kind", FORGETFUL)
def test_layers_whose_couplings_lead_from_level_to_level_forget_everything(kind):
    """All eigenvalues but the leading one are zero, and their rounding must not become a correlation length."""
    layer = coupled(FORGETFUL[kind])
    assert largest_other(layer, 4) < 1e-15  # weights are rounded
    assert layer.correlation_length() == layer.spectrum().correlation_length() == 0.0
    assert not layer.spectrum().ratios[1:].any()


@pytest.mark.parametrize("kind", KEEPING)
def test_layers_with_ways_of_different_length_remember(kind):
    layer = coupled(KEEPING[kind])
    assert layer.spectrum().ratios[1] == pytest.approx(largest_other(layer, 1), abs=1e-13)
    assert abs(layer.spectrum().ratios[1]) > 1e-4


@pytest.mark.parametrize("size", [2, 3, 4])
def test_exponents_that_share_a_direction_have_the_error_of_a_root_of_rounding(size):
    """A Jordan block in another basis of whole numbers: computed eigenvalues lie apart by a root of rounding."""
    turn, back = np.tril(np.ones((size, size))), np.eye(size) - np.eye(size, k=-1)
    for value, exact in ((1.0, 0.0), (2.0, 1.0)):
        matrix = turn @ (value * np.eye(size) + np.eye(size, k=1)) @ back
        (point,) = rg.fixed_points(lambda k, _, matrix=matrix: matrix @ k - 0.1 * (k**3).sum() * k, np.zeros(size))
        for known in (point, replace(point, linear=lambda _, matrix=matrix: matrix)):
            exponents = rg.exponents(known)
            assert (np.abs(exponents.y - exact) <= 4 * exponents.error + 1e-15).all()
            assert set(exponents.kinds) == {"marginal" if value == 1 else "relevant"}
            assert exponents.nu is None


# -- noisy layers that forget nearly everything ----------------------------------------------------------------


def second_eigenvalue_of_sin(w, b, noise):
    """On exp(ik(wh + b)) a layer of sin is the matrix exp(ikb - (kwε)²/2) J_n(kw), n from k."""
    with mpmath.workdps(60):
        waves = range(-8, 9)
        average = {k: mpmath.exp(1j * k * b - (k * w * mpmath.mpf(noise)) ** 2 / 2) for k in waves}
        rows = [[average[k] * mpmath.besselj(n, k * w) for k in waves] for n in waves]
        return float(sorted(map(abs, mpmath.eig(mpmath.matrix(rows), left=False, right=False)))[-2])


@pytest.mark.parametrize(("w", "b", "noise"), [(2.0, 0.3, 2.0), (4.0, 1.0, 0.9), (1.0, 0.5, 5.0), (3.0, 0.7, 1.0)])
def test_short_lengths_of_sin_keep_their_digits(w, b, noise):
    length = -1 / math.log(second_eigenvalue_of_sin(w, b, noise))
    assert rg.NoisyLayer("sin", w, b, noise).correlation_length() == pytest.approx(length, rel=1e-7)


@pytest.mark.parametrize(("w", "b", "noise"), [(2.99, 0.73, 3.01), (5.0, 0.3, 1.5), (0.5, 0.1, 15.0), (3.0, 0.7, 2.0)])
def test_lengths_that_are_rounding_are_refused(w, b, noise):
    """λ_1 lies below the rounding of the operator, and a length computed from it would be wrong."""
    assert second_eigenvalue_of_sin(w, b, noise) < 1e-8
    with pytest.raises(ArithmeticError, match="cannot be told from 0 in float64"):
        rg.NoisyLayer("sin", w, b, noise).correlation_length()
