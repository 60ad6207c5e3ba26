"""Huge and tiny couplings, fields, temperatures, targets: the right number, or an error that says what to change."""

import itertools

import mpmath
import numpy as np
import pytest

from statnn import Network
from statnn.interaction import (
    BinaryNeurons,
    DynamicNeurons,
    Prior,
    kaufman,
    onsager,
)
from statnn.interaction._binary import LARGEST_SUM
from statnn.measure.graph import layer_fluctuation, node_strength, strength
from statnn.montecarlo import sample
from statnn.montecarlo._tempering.ladder import hottest, ladder

LARGEST = np.finfo(float).max
SCALES = [1e-320, 1e-300, 1e-155, 1.0, 1e155, 1e300]


def three(J, h, T):
    """A chain of three spins whose two bonds have opposite signs."""
    return BinaryNeurons([[0, J, 0], [J, 0, -J], [0, -J, 0]], [h, 0, -h], T)


# -- binary neurons --------------------------------------------------------------------------------------


@pytest.mark.parametrize("temperature", [1e18, 1e155, 1e300])
@pytest.mark.parametrize("method", ["enumeration", "transfer"])
def test_energies_fall_as_one_over_temperature_however_hot_it_is(temperature, method):
    """⟨E⟩ = -(Σ J² + Σ h²)/T + O(T⁻²), with two bonds and two fields."""
    energy = three(3.0, 0.5, temperature).exact(method).energy
    assert energy == pytest.approx(-18.5 / temperature, rel=1e-15, abs=0)


@pytest.mark.parametrize("unit", [1e-307, 1e-160, 1e160, 1e305])
@pytest.mark.parametrize("method", ["enumeration", "transfer"])
def test_a_common_unit_changes_nothing_but_energies(unit, method):
    plain, scaled = three(1.0, 0.5, 1.5), three(unit, unit / 2, 1.5 * unit)
    mine, theirs = scaled.exact(method), plain.exact(method)
    for name in ("log_partition", "heat_capacity", "entropy", "magnetisation", "correlation"):
        np.testing.assert_allclose(getattr(mine, name), getattr(theirs, name), rtol=1e-13)
    for name in ("energy", "free_energy"):
        assert getattr(mine, name) / unit == pytest.approx(getattr(theirs, name), rel=1e-13)
    states = list(itertools.product((-1, 1), repeat=3))
    np.testing.assert_allclose(scaled.energy(states) / unit, plain.energy(states), rtol=1e-15)


@pytest.mark.parametrize("J", SCALES)
@pytest.mark.parametrize("T", SCALES)
def test_two_spins_at_any_temperature(J, T):
    """ln Z = ln 4 + ln cosh(J/T) and <E> = -J tanh(J/T), to rounding of the larger of T and |E|; else refused."""
    model = BinaryNeurons([[0, J], [J, 0]], temperature=T)
    if J / T > 1e13:
        with pytest.raises(ValueError, match="this is the ground state already"):
            model.exact()
        return
    averages = model.exact()
    K = mpmath.mpf(J) / mpmath.mpf(T)
    assert averages.log_partition == pytest.approx(float(mpmath.log(4 * mpmath.cosh(K))), rel=1e-14)
    assert abs(averages.energy + float(J * mpmath.tanh(K))) <= 1e-15 * max(T, J)
    assert np.isfinite([averages.free_energy, averages.entropy, averages.heat_capacity]).all()


def test_energies_up_to_the_ends_of_float64():
    largest = LARGEST_SUM / 8
    model = BinaryNeurons([[0, largest], [largest, 0]], largest, largest)
    assert model.energy([1, 1]) == -3 * largest
    assert model.energy([[1, -1], [-1, -1]]).tolist() == [largest, largest]
    assert BinaryNeurons([[[5e-324, 5e-324]]]).energy([1, 1, 1]) == -1e-323
    assert float(node_strength(model)[0][0]) == 2 * largest


@pytest.mark.parametrize(
    "make",
    [
        lambda: BinaryNeurons([[0, 1e308], [1e308, 0]]),
        lambda: BinaryNeurons([[0, 1.0], [1.0, 0]], [1e308, 0.0]),
        lambda: BinaryNeurons([[0, 1.0], [1.0, 0]], temperature=1e308),
        lambda: BinaryNeurons([[0, 1.0], [1.0, 0]]).at(1e308),
        lambda: BinaryNeurons([np.full((300, 300), 1e303)]),  # each small, their sum is not
        lambda: BinaryNeurons(1e304 * (np.ones((40, 40)) - np.eye(40))),
        lambda: BinaryNeurons.from_network(Network([[[1e308]]])),
    ],
)
def test_models_whose_energies_leave_float64_are_refused(make):
    with pytest.raises(
        ValueError, match=r"add up to .*: energies exceed the range of float64; divide all three by one number"
    ):
        make()


def test_numbers_wider_than_float64_are_refused():
    huge = np.longdouble("1e400")
    for couplings in (np.array([[0, huge], [huge, 0]]), [np.array([[huge]])]):
        with pytest.raises(ValueError, match=r"holds? NaN or infinity"):
            BinaryNeurons(couplings)
    with pytest.raises(ValueError, match=r"fields\[1\] is not finite"):
        BinaryNeurons([[0, 1], [1, 0]], np.array([0, huge]))


@pytest.mark.parametrize("scale", [1e-300, 1e300])
def test_layers_have_root_mean_squares_and_spreads_at_any_scale(scale):
    blocks = [np.array([[3.0, 0.0], [0.0, -4.0]])]
    graph = BinaryNeurons([scale * blocks[0]]).graph(layers=True)
    assert graph.edges[0, 1]["coupling"] / scale == pytest.approx(2.5, rel=1e-14)
    ring = [[0, 3, 3, 0], [3, 0, 4, 4], [3, 4, 0, 4], [0, 4, 4, 0]]  # layers 1-2-1, the middle one coupled by 4
    graph = BinaryNeurons(scale * np.array(ring)).graph(layers=True)
    assert [c / scale for *_, c in graph.edges(data="coupling")] == pytest.approx([3, 4], rel=1e-14)
    assert [w / scale for _, w in graph.nodes(data="within")] == pytest.approx([0, 4, 0], rel=1e-14)
    net = Network([scale * blocks[0]])
    graph = DynamicNeurons(net, [0.0, 0.0]).graph(layers=True)
    assert graph.edges[0, 1]["coupling"] / scale == pytest.approx(2.5, rel=1e-14)
    np.testing.assert_allclose(layer_fluctuation(net) / scale, [3.5, 3.5], rtol=1e-14)
    assert layer_fluctuation(Network([np.full((2, 2), 0.1)])).tolist() == [0, 0]
    assert layer_fluctuation(Network([0.1 * np.eye(3)])).tolist() == [0, 0]  # means of three are off by a digit


def test_strengths_beyond_float64_are_refused():
    with pytest.raises(ValueError, match="strengths of layer 0 exceed the range of float64"):
        node_strength(Network([[[1e308], [1e308]]]))
    size = np.array([[1.0, -1.0], [-1.0, 1.0]])  # strengths are zero, those of other orders are not
    with pytest.raises(ValueError, match=r"random weights exceed .* scale the network down"):
        strength(Network([np.kron(1e308 * size, np.ones((3, 3)))]))
    with pytest.raises(ValueError, match="scale sigma_w, sigma_b and"):
        strength(Network([size]), sigma_w=1.7e308, sigma_b=1.7e308)


def test_the_hottest_temperature_of_cold_models():
    """The root of 1e-300 · 1e-300 is 1e-300, though the product underflows."""
    model = BinaryNeurons([[0, 1e-300], [1e-300, 0]], temperature=1e-301)
    assert hottest(model) == pytest.approx(1e-300 / np.arctanh(0.5), rel=1e-3, abs=0)


def test_ladders_that_would_never_end_are_refused():
    temperatures = (1e-300, 1.0)
    with pytest.raises(ValueError, match=r"from 1e-300 to 1 1.05e\+300 temperatures .* raise the temperature"):
        ladder(temperatures, np.array([1.0, 1.0]), 0.5)
    with pytest.raises(ValueError, match="inf temperatures are needed, more than 10000"):
        ladder(temperatures, np.array([1e300, 1e300]), 0.5)
    assert len(ladder((1e300, 2e300), np.array([4e300, 4e300]), 0.3)) == 3


# -- the square lattice ----------------------------------------------------------------------------------


@pytest.mark.parametrize("x", [1e-8, 1e-9, 1e-100, 1e-156, 1e-170, 1e-300])
def test_hot_lattices_keep_the_digits_of_their_energy(x):
    """E/N = -2 J²/T [1 + O(K²)] and C/N = 2 (J/T)²."""
    averages = onsager(1.0, 2 / x)
    assert averages.energy == pytest.approx(-x, rel=1e-14, abs=0)
    assert averages.heat_capacity == pytest.approx(x * x / 2, rel=1e-13, abs=1e-322)  # subnormal


def test_lattices_in_units_at_the_ends_of_float64():
    for unit in (1e-320, 1e305):
        assert onsager(unit, unit).energy / unit == pytest.approx(
            onsager(1.0, 1.0).energy, rel=1e-3 if unit < 1 else 1e-14
        )
        assert kaufman(3, 4, unit, unit).energy / unit == pytest.approx(
            kaufman(3, 4).energy, rel=1e-3 if unit < 1 else 1e-14
        )
    for solve in (onsager, lambda J, T: kaufman(3, 4, J, T)):
        for J, T in ((1e308, 1e308), (1.0, 1e308), (1e308, 1e305)):
            with pytest.raises(ValueError, match="energies exceed the range of float64; divide both by one number"):
                solve(J, T)
        with pytest.raises(ValueError, match="must be finite"):
            solve(10**400, 1.0)
        with pytest.raises(ValueError, match="this is the ground state"):
            solve(1e300, 1e-5)


# -- dynamic neurons -------------------------------------------------------------------------------------


def line(beta=1.0, stiffness=1.0, targets=(2.0,), free=("neurons",), dtype=float, prior=None, activation="identity"):
    net = Network([np.array([[3.0]], dtype)], activation=activation)
    return DynamicNeurons(net, [0.5], targets, beta=beta, stiffness=stiffness, free=free, prior=prior)


@pytest.mark.parametrize("beta", [1e-300, 1e-100, 1.0, 1e100, 1e300])
@pytest.mark.parametrize("stiffness", [1e-300, 1e-100, 1.0, 1e100, 1e300])
def test_one_linear_neuron_between_input_and_target(beta, stiffness):
    """h is Gaussian, of mean (β y + λ w x)/(β + λ) and variance 1/(2(β + λ)); the target also pulls on free weights."""
    total = mpmath.mpf(beta) + mpmath.mpf(stiffness)
    averages = line(beta, stiffness).exact()
    assert averages.mean[0] == pytest.approx(
        float((beta * mpmath.mpf(2) + stiffness * mpmath.mpf(1.5)) / total), rel=1e-14
    )
    assert averages.covariance[0, 0] == pytest.approx(float(1 / (2 * total)), rel=1e-14, abs=0)
    least = mpmath.mpf(beta) * stiffness / total / 4  # (y - w x)² = 1/4
    log_partition = mpmath.log(mpmath.pi / total) / 2 - least
    assert averages.log_partition == pytest.approx(float(log_partition), rel=1e-13)
    weights = line(beta, stiffness, free=("neurons", "weights")).exact()
    pull = 2 * mpmath.mpf(beta) * stiffness / total  # of the target on w x
    assert weights.mean[1] == pytest.approx(float(pull * 2 * 0.5 / (1 + pull / 4)), rel=1e-13, abs=1e-99)
    assert weights.covariance[1, 1] == pytest.approx(float(1 / (1 + pull / 4)), rel=1e-13)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: line(beta=1e308), r"beta = 1e\+308 is outside \[2.23e-308, 4.49e\+307\], what float64 has room for"),
        (lambda: line(stiffness=1e-320), "stiffness = 9.99989e-321 is outside"),
        (lambda: line(stiffness=1e39, dtype=np.float32), r"stiffness = 1e\+39 is outside .* float32"),
        (lambda: line(beta=1e-39, dtype=np.float32), r"beta = 1e-39 is outside .* float32"),
        (
            lambda: Prior(sigma_w=1e-200),
            r"sigma_w = 1e-200 is outside \[1e-150, 1e150\]: its square is outside the range of float64",
        ),
        (lambda: Prior(sigma_b=1e200), r"sigma_b = 1e\+200 is outside"),
        (
            lambda: line(free=("neurons", "biases"), prior=Prior(1.0, 1e-20), dtype=np.float32),
            "the precision 1/1e-20² of the prior of biases is outside .* float32",
        ),
        (
            lambda: line(targets=(1e200,)).energy([0.0]),
            r"βH exceeds the range of floating point: the state reaches 0, .* bring down",
        ),
        (lambda: line().energy([1e200]), r"βH exceeds the range of floating point: the state reaches 1e\+200"),
        (lambda: line(stiffness=1e300).gradient([1e100]), "the gradient of βH exceeds the range of floating point"),
        (lambda: line(targets=(1e200,)).exact(), "cannot be inverted in float64"),
        (
            lambda: DynamicNeurons(Network([[[1e9]]]), [1.0], stiffness=1e300).graph(),
            r"the coupling of .* exceeds the range of float64: stiffness = 1e\+300",
        ),
        (
            lambda: sample(DynamicNeurons(Network([[[1e30]], [[1e30]]], activation="relu"), [1e300]), 2, rng=1),
            "a draw of layer 0 exceeds the range of float64",
        ),
        (
            lambda: sample(DynamicNeurons(Network([[[1e30]]], activation="tanh"), [1e300], [0.0]), 2, rng=1),
            "a draw of layer 0 exceeds the range of float64|fields of layer 0 exceed the range of float64",
        ),
        (lambda: sample(line(targets=(1e200,)), 2, rng=1), "the energy of the initial state overflows"),
    ],
)
def test_what_leaves_the_precision_of_states_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_a_prior_that_is_not_used_may_have_any_width():
    """Biases alone are free: the width of weights does not enter."""
    model = line(free=("neurons", "biases"), prior=Prior(1e-30, 1.0), dtype=np.float32)
    assert np.isfinite(model.energy(np.ones(model.dimension)))
