"""The tangent kernel against gradients by finite differences, closed forms and symmetries."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure
from strategies import examples

from statnn.measure import tangent
from statnn.measure.tangent import tangent_kernel
from statnn.network import Activation, Network

SMOOTH = ["tanh", "erf", "sigmoid", "identity"]


def root_slope(h):
    with np.errstate(divide="ignore"):
        return 0.5 / np.sqrt(h)


def complex_slope(h):
    return np.ones(h.shape, complex if (abs(h) > 5000).any() else float)


def gradients(net, x, step, *, biases=True):
    """Derivatives of all outputs by central differences, shape (samples, outputs, parameters)."""
    columns = []
    for kind in ("weights", "biases") if biases else ("weights",):
        for m, array in enumerate(getattr(net, kind)):
            for index in np.ndindex(array.shape):
                sides = []
                for sign in (1, -1):
                    changed = {"weights": list(net.weights), "biases": list(net.biases)}
                    moved = array.copy()
                    moved[index] += sign * step
                    changed[kind][m] = moved
                    sides.append(Network(changed["weights"], changed["biases"], net.activations)(x))
                columns.append((sides[0] - sides[1]) / (2 * step))
    return np.stack(columns, axis=-1)


@examples(0.1)
@given(st.integers(0, 2**32), st.lists(st.sampled_from(SMOOTH), min_size=3, max_size=3), st.booleans())
def test_kernel_is_that_of_finite_differences(seed, names, biases):
    net = Network.random([3, 4, 3, 2], names, 1.2, 0.3, rng=seed)
    x = np.random.default_rng(seed).standard_normal((4, 3))
    slopes = gradients(net, x, 1e-5, biases=biases)
    full = slopes.reshape(8, -1) @ slopes.reshape(8, -1).T
    scale = np.abs(full).max()
    kernel = tangent_kernel(net, x, biases=biases, full=True)
    np.testing.assert_allclose(kernel.matrix, full, rtol=0, atol=1e-8 * scale)
    summed = tangent_kernel(net, x, biases=biases)
    np.testing.assert_allclose(
        summed.matrix, np.einsum("mknk->mn", kernel.matrix.reshape(4, 2, 4, 2)), rtol=1e-10, atol=1e-12 * scale
    )
    np.testing.assert_allclose(summed.trace, kernel.trace, rtol=1e-12)


def test_finite_differences_approach_it_with_order_two():
    net = Network.random([3, 4, 2], "tanh", 1.2, 0.3, rng=1)
    x = np.random.default_rng(1).standard_normal((4, 3))
    exact = tangent_kernel(net, x, full=True).matrix
    steps = np.array([0.2, 0.1, 0.05, 0.025])
    errors = []
    for step in steps:
        slopes = gradients(net, x, step).reshape(8, -1)
        errors.append(np.abs(slopes @ slopes.T - exact).max())
    order = np.polynomial.polynomial.polyfit(np.log(steps), np.log(errors), 1)[1]
    assert abs(order - 2) < 0.1


def test_relu_by_its_active_paths():
    """y = Σ v_i relu(w_i x): the kernel is Σ over active units of (x x' v_i² + (w_i x)(w_i x'))."""
    w, v = np.array([[1.0], [-2.0], [0.5]]), np.array([[3.0, 1.0, -1.0]])
    net = Network([w, v], activation=["relu", "identity"])
    x = np.array([[1.0], [2.0], [-1.0]])
    active = (x @ w.T > 0).astype(float)
    h = np.maximum(x @ w.T, 0)
    expected = (x @ x.T) * ((active * v) @ (active * v).T) + h @ h.T
    np.testing.assert_allclose(tangent_kernel(net, x, biases=False).matrix, expected, rtol=1e-14)


@examples(0.2)
@given(st.integers(0, 2**32), st.randoms(use_true_random=False))
def test_permuted_units_change_nothing_and_permuted_samples_the_order(seed, random):
    net = Network.random([3, 5, 4, 2], "tanh", 1.2, 0.3, rng=seed)
    x = np.random.default_rng(seed).standard_normal((6, 3))
    units, samples = (np.array(random.sample(range(n), n)) for n in (5, 6))
    permuted = Network(
        [net.weights[0][units], net.weights[1][:, units], net.weights[2]],
        [net.biases[0][units], *net.biases[1:]],
        net.activations,
    )
    plain = tangent_kernel(net, x)
    np.testing.assert_allclose(tangent_kernel(permuted, x).matrix, plain.matrix, rtol=1e-10)
    moved = tangent_kernel(net, x[samples])
    np.testing.assert_allclose(moved.matrix, plain.matrix[np.ix_(samples, samples)], rtol=1e-10)
    np.testing.assert_allclose(moved.entropy, plain.entropy, rtol=1e-9)
    np.testing.assert_allclose(plain.eigenvalues.sum(), plain.trace, rtol=1e-10)
    assert 0 <= plain.entropy <= math.log(6) + 1e-12
    assert (plain.eigenvalues >= 0).all()


def test_entropies_of_one_direction_and_of_all():
    net = Network([np.eye(4)[:1]], activation="identity")
    assert tangent_kernel(net, np.ones((5, 4)), biases=False).entropy < 1e-12
    kernel = tangent_kernel(net, np.eye(4), biases=False)
    assert math.isclose(kernel.entropy, math.log(4), rel_tol=1e-14)
    assert math.isclose(kernel.effective_rank, 4, rel_tol=1e-14)


@pytest.mark.parametrize("full", [True, False])
def test_the_way_samples_are_cut_into_blocks_does_not_matter(full, monkeypatch, rng):
    net, x = Network.random([3, 6, 4, 2], "tanh", 1.5, 0.5, rng=rng), rng.standard_normal((5, 3))
    whole = tangent_kernel(net, x, full=full).matrix
    monkeypatch.setattr(tangent, "AT_ONCE", 2)
    np.testing.assert_allclose(tangent_kernel(net, x, full=full).matrix, whole, rtol=1e-12)


def test_the_effective_rank_is_drawn_where_it_is():
    """With two equal directions the rank is two, whatever their eigenvalue, here the square of 3."""
    ax = tangent_kernel(Network([[[1.0, 1.0]]], activation="identity"), 3 * np.eye(2), biases=False).plot(
        Figure().add_subplot()
    )
    (values, rank) = ax.lines
    assert values.get_ydata() == pytest.approx([9, 9])
    assert rank.get_xdata() == pytest.approx([2, 2])


def test_single_precision_networks_are_worked_on_in_double():
    net = Network.random([3, 8, 2], "tanh", rng=1, dtype=np.float32)
    double = Network([w.astype(float) for w in net.weights], activation="tanh")
    x = np.random.default_rng(0).standard_normal((5, 3)).astype(np.float32)
    kernel = tangent_kernel(net, x)
    assert kernel.matrix.dtype == np.float64
    np.testing.assert_allclose(kernel.matrix, tangent_kernel(double, x).matrix, rtol=1e-5)
    line = Network([np.ones((1, 2), np.float32)], activation="identity")
    assert line.weights[0].dtype == np.float32
    assert tangent_kernel(line, [[1.0, 2.0**-13]]).trace == 2 + 2.0**-26  # Θ = x·x' + 1, which no float32 is


NET = Network.random([2, 3, 2], rng=0)
ONE = Network([[[1.0, 1.0]]], activation="identity")


@pytest.mark.parametrize(
    ("call", "error", "match"),
    [
        (lambda: tangent_kernel(None, [[1.0]]), TypeError, "load_network"),
        (lambda: tangent_kernel(NET, [[1.0]]), ValueError, "flatten"),
        (lambda: tangent_kernel(Network([[[1.0]]], activation="sign"), [[1.0]]), ValueError, "gradients vanish"),
        (
            lambda: tangent_kernel(Network.repeated([[1e80]], activation="identity", depth=3), [[1.0]]),
            ValueError,
            "range",
        ),
        (
            lambda: tangent_kernel(Network([[[1.0]]], activation=Activation("root", np.sqrt, root_slope)), [[0.0]]),
            ValueError,
            "derivative of activation 'root'",
        ),
        (
            lambda: tangent_kernel(
                Network([[[1.0]]], activation=Activation("line", np.positive, complex_slope)), [[1e4]]
            ),
            TypeError,
            "derivative of activation 'line' returns complex128",
        ),
        (lambda: tangent_kernel(ONE, 1.2e154 * np.eye(2)), ValueError, "scale inputs or weights down"),
        (lambda: tangent_kernel(ONE, 3e-162 * np.eye(2), biases=False), ValueError, "scale weights up"),
        (lambda: tangent_kernel(NET, np.ones((5000, 2)), full=True), MemoryError, "full=False"),
    ],
)
def test_bad_input_is_refused(call, error, match, monkeypatch):
    monkeypatch.setattr("statnn._memory.available", lambda: 1e8)
    with pytest.raises(error, match=match):
        call()


def test_one_direction_has_no_entropy():
    kernel = tangent_kernel(Network.random([3, 4, 1], rng=0), [[1.0, 2.0, 3.0]])
    assert str(kernel.entropy) == "0.0"


def test_directions_that_there_are_not_have_no_weight_at_all():
    """Θ = x x' + 1 has two directions."""
    kernel = tangent_kernel(Network([[[1.0]]], activation="identity"), np.linspace(-1, 2, 9)[:, None])
    assert np.count_nonzero(kernel.eigenvalues) == 2
