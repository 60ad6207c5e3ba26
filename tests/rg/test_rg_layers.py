"""Linear layers and layers of spins compose exactly; fixed points and exponents are those of the derivations."""

import math
from dataclasses import replace

import numpy as np
import pytest
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st
from strategies import examples

from statnn import rg
from statnn.rg._derivative import STEP, derivative
from statnn.rg._layers.decimation import mediated
from statnn.testing import assert_covariance, assert_mean, rejects
from statnn.testing.strategies import layers, log_uniform, signed
from statnn.theory import formula
from statnn.theory.rg import solvable_oracle
from statnn.theory.rg.decimation import FUNCTION, K1, K2, exponentials, z
from statnn.theory.rg.linear import WEIGHT, block, w

REALS = st.floats(-1.5, 1.5)
linear = layers(rg.LinearLayer, width=2)
spins, pairs = layers(rg.BinaryLayer, width=1), layers(rg.BinaryLayer, width=2, largest=1.0)


def parts(layer):
    if isinstance(layer, rg.LinearLayer):
        return np.concatenate([layer.weight.ravel(), layer.bias, layer.noise_covariance.ravel()])
    if isinstance(layer, rg.TransferMatrix):
        return (layer.log_weights + layer.log_scale).ravel()
    return np.concatenate([layer.couplings.ravel(), layer.fields, layer.inputs, [layer.constant]])


def alike(left, right, tolerance=1e-12):
    a, b = parts(left), parts(right)
    assert np.abs(a - b).max() <= tolerance * max(1, np.abs(a).max()), (a, b)


# -- derivations -----------------------------------------------------------------------------------------


def test_wrong_recursions_leave_a_residual():
    """Tangents that do not multiply; a block of one layer too many."""
    K = sp.Symbol("K", positive=True)
    assert exponentials((sp.cosh(2 * K) - 1) / (sp.cosh(2 * K) + 1) - sp.tanh(K) ** 3) != 0
    assert sp.simplify(WEIGHT.subs(block, 3) - w**2) != 0


@given(log_uniform(1e-6, 20), log_uniform(1e-6, 20), log_uniform(1e-6, 20))
@examples(0.3)
def test_the_closed_recursion_is_the_derived_one(first, second, field):
    exact = FUNCTION.subs({K1: sp.Rational(first), K2: sp.Rational(second), z: sp.Rational(field)}).evalf(40)
    computed = float(mediated((np.array(first),), (np.array(second),), (np.array(field),)))
    assert abs(computed / float(exact) - 1) < 4e-15 * (1 + abs(math.log(computed)))


# -- linear layers ---------------------------------------------------------------------------------------


@given(linear, linear, REALS)
@examples(0.3)
def test_linear_layers_propagate_as_the_joint_gaussian(lower, upper, mean):
    """All layers at once: h, h', h'' are one linear map of independent kicks, of which the last block is read."""
    start = np.array([[1.0, 0.3], [0.3, 0.5]])
    eye, zero = np.eye(2), np.zeros((2, 2))
    path = np.block([[eye, zero, zero], [lower.weight, eye, zero], [upper.weight @ lower.weight, upper.weight, eye]])
    kicks = np.block([[start, zero, zero], [zero, lower.noise_covariance, zero], [zero, zero, upper.noise_covariance]])
    joint = path @ kicks @ path.T
    middle = path @ np.concatenate([[mean, mean], lower.bias, upper.bias])
    law = lower.compose(upper).propagate(mean, start)
    np.testing.assert_allclose(law.covariance, joint[4:, 4:], rtol=0, atol=1e-13 * max(1, np.abs(joint).max()))
    np.testing.assert_allclose(law.mean, middle[4:], rtol=0, atol=1e-13 * max(1, np.abs(middle).max()))
    np.testing.assert_array_equal(law.covariance, law.covariance.T)


@given(signed(1e-3, 1.2), REALS, log_uniform(1e-6, 1e3), st.integers(1, 300))
@examples(0.3)
def test_linear_blocks_meet_the_oracle(weight, bias, noise, m):
    if abs(abs(weight) - 1) < 1e-3:
        weight = 0.99
    composed = rg.LinearLayer(weight, bias, noise).power(m)
    more = {"weight": {}, "bias": {"a": bias}, "noise": {"s": noise}}
    exact = [formula(f"linear-layers.{name}").evaluate(digits=20, w=weight, b=m, **more[name]) for name in more]
    condition = 1e-15 * m / abs(1 - abs(weight))
    for ours, value in zip((composed.weight, composed.bias, composed.noise_covariance), exact, strict=True):
        assert abs(float(ours.ravel()[0]) - float(value)) <= condition * abs(float(value)) + 1e-15 * abs(bias)


@given(linear, st.integers(0, 2**32))
@examples(0.3)
def test_correlation_length_does_not_depend_on_coordinates(layer, seed):
    basis = np.eye(2) + 0.3 * np.random.default_rng(seed).uniform(-1, 1, (2, 2))
    other = rg.LinearLayer(basis @ layer.weight @ np.linalg.inv(basis))
    if abs(layer.radius - 1) > 1e-3 and layer.radius > 1e-3:
        assert layer.regime is other.regime
        assert other.correlation_length() == pytest.approx(layer.correlation_length(), rel=1e-6)
        assert layer.power(3).correlation_length() == pytest.approx(layer.correlation_length() / 3, rel=1e-6)


@given(linear)
@examples(0.3)
def test_the_stationary_law_stays(layer):
    if layer.radius > 0.95:
        layer = rg.LinearLayer(layer.weight * 0.9 / layer.radius, layer.bias, layer.noise_covariance)
    law = layer.stationary()
    after = layer.propagate(law.mean, law.covariance)
    scale = max(1, np.abs(law.covariance).max(), np.abs(law.mean).max())
    np.testing.assert_allclose(after.mean, law.mean, rtol=0, atol=1e-12 * scale)
    np.testing.assert_allclose(after.covariance, law.covariance, rtol=0, atol=1e-12 * scale)


def test_simulated_linear_layers_have_the_law_of_their_power(rng):
    layer = rg.LinearLayer([[0.6, -0.3], [0.4, 0.5]], [0.2, -0.1], [[0.3, 0.1], [0.1, 0.4]])
    path = layer.simulate(np.tile([1.0, -2.0], (20_000, 1)), 5, rng=rng)
    law = layer.power(5).propagate([1.0, -2.0])
    assert_mean(path[:, -1], law.mean, what="mean after five layers")
    assert_covariance(path[:, -1], law.covariance, what="covariance after five layers")
    with rejects():
        assert_covariance(path[:, -1], layer.power(1).noise_covariance, what="one layer")
    few = layer.simulate(np.tile([1.0, -2.0], (3, 1)), 2, rng=7)
    np.testing.assert_array_equal(layer.simulate(np.tile([1.0, -2.0], (9, 1)), 2, rng=7)[:3], few)


def test_simulations_of_all_layers_have_their_replicas_first_and_depth_next():
    three, depth = np.array([0.5, 1.0, 2.0]), 4
    wide = rg.LinearLayer(0.1 * np.ones((2, 2))).simulate(np.outer(three, [1, 2]), depth, rng=1)
    paths = {
        "linear": wide,
        "noisy": rg.NoisyLayer("tanh").simulate(three, depth, rng=1),
        "repeated": rg.RepeatedLayer("tanh").simulate(range(depth + 1), noise_std=0.1, replicas=3, rng=1),
        "variance": (run := rg.RandomLayer("tanh", 1.5, 0.1).simulate(10, depth, replicas=3, rng=1)).variance,
        "covariance": run.covariance,
    }
    assert {name: path.shape[:2] for name, path in paths.items()} == dict.fromkeys(paths, (3, depth + 1))
    np.testing.assert_array_equal(wide[:, 0], np.outer(three, [1, 2]))
    assert rg.LinearLayer(0.1 * np.ones((2, 2))).simulate([1.0, 2.0], depth).shape == (depth + 1, 2)
    assert rg.NoisyLayer("tanh").simulate(1.0, depth).shape == (depth + 1,)


def test_linear_extremes():
    assert rg.LinearLayer(1.0).regime is rg.Regime.CRITICAL
    assert rg.LinearLayer(1.0).correlation_length() == math.inf
    assert rg.LinearLayer(0.0).correlation_length() == 0
    assert rg.LinearLayer(2.0).correlation_length() == pytest.approx(1 / math.log(2))
    assert rg.LinearLayer(1.0, 0.0, 1.0).power(10**18).noise_covariance[0, 0] == pytest.approx(1e18, rel=1e-12)
    assert rg.LinearLayer([[0.0, 1.0], [0.0, 0.0]]).power(10**18).weight.tolist() == [[0, 0], [0, 0]]


# -- layers of spins -------------------------------------------------------------------------------------


@given(signed(1e-2, 4.0), REALS, REALS, st.integers(1, 60))
@examples(0.3)
def test_blocks_of_spins_meet_the_oracle(K, fields, inputs, m):
    composed = rg.BinaryLayer([[K]], [fields], inputs=[inputs]).power(m)
    exact = solvable_oracle.binary_block(K, fields, inputs, m, digits=20)
    ours = (composed.couplings[0, 0], composed.fields[0], composed.inputs[0], composed.constant)
    for number, value in zip(ours, exact, strict=True):
        assert abs(number - float(value)) <= 1e-14 * m * max(1, abs(float(value)))
    if abs(exact[0]) > 1e-280:
        assert abs(composed.couplings[0, 0] / float(exact[0]) - 1) < 1e-13 * m * m


@given(signed(1e-6, 8.0), st.just(0.0) | signed(1e-6, 8.0))
@examples(0.5)
def test_correlation_length_of_spins_meets_the_oracle(K, h):
    exact = float(solvable_oracle.binary_spectrum(K, h, 0.0, digits=20)[2])
    assert rg.BinaryLayer([[K]], [h]).correlation_length() == pytest.approx(exact, rel=1e-12)


@given(spins, REALS)
@examples(0.5)
def test_similar_layers_have_one_spectrum(layer, shift):
    """A field moved from outputs to inputs is a similarity, and so is turning all spins over."""
    moved = rg.BinaryLayer(layer.couplings, layer.fields + shift, inputs=layer.inputs - shift)
    turned = rg.BinaryLayer(layer.couplings, -layer.fields, inputs=-layer.inputs)
    for other in (moved, turned, layer.transfer()):
        assert other.correlation_length() == pytest.approx(layer.correlation_length(), rel=1e-9)
    assert layer.power(3).correlation_length() == pytest.approx(layer.correlation_length() / 3, rel=1e-9)


@given(spins, st.integers(1, 6))
@examples(0.3)
def test_the_flow_keeps_its_invariant(layer, doublings):
    def invariant(row):
        return math.exp(2 * row[0]) * math.sinh(row[1])

    flow = rg.flow(layer, doublings)
    first = invariant(flow.couplings[0])
    assert not flow.truncation.any()
    for row in flow.couplings[1:]:
        assert invariant(row) == pytest.approx(first, rel=1e-9, abs=1e-12)


def test_every_coupling_of_wide_layers_has_its_own_name():
    """Of twelve units w1,11 and w11,1 are two couplings."""
    linear = rg.flow(rg.LinearLayer([[0.1, 0.2], [0.3, 0.4]], [5.0, 6.0], [[0.7, 0.05], [0.05, 0.8]]), 1)
    assert dict(zip(linear.names, linear.couplings[0].tolist(), strict=True)) == {
        "w00": 0.1, "w01": 0.2, "w10": 0.3, "w11": 0.4, "b0": 5.0, "b1": 6.0,
        "s00": 0.7, "s01": 0.05, "s10": 0.05, "s11": 0.8,
    }  # fmt: skip
    binary = rg.flow(rg.BinaryLayer([[0.1, 0.2], [0.3, 0.4]], [0.5, 0.6], inputs=[0.7, 0.8]), 1, project=True)
    assert dict(zip(binary.names, binary.couplings[0].tolist(), strict=True)) == {
        "J00": 0.1, "J01": 0.2, "J10": 0.3, "J11": 0.4, "f0": 0.5, "f1": 0.6, "g0": 0.7, "g1": 0.8,
    }  # fmt: skip
    for layer in (rg.LinearLayer(np.eye(12) / 2), rg.BinaryLayer(np.eye(12) / 2)):
        names = rg.flow(layer, 1).names
        assert len(set(names)) == len(names)
        assert {"1,11", "11,1"} < {name[1:] for name in names}


def test_layers_of_uncoupled_spins_are_closed():
    """Spins pass the layer one by one and change places: it is as good as two layers of width one."""
    layer = rg.BinaryLayer([[0.0, 0.9], [0.4, 0.0]], [0.1, 0.2], inputs=[0.3, -0.2])
    two = layer.compose(layer)
    assert isinstance(two, rg.BinaryLayer)
    alike(two.transfer(), layer.transfer().compose(layer.transfer()))
    alike(layer.power(5).transfer(), layer.transfer().power(5))


def test_paths_between_two_spins_add_up():
    """Two spins between the same two hand on a coupling each; layers that mix are not closed."""
    lower = rg.BinaryLayer([[0.5], [0.3]], [0.1, -0.2], inputs=[0.4])
    upper = rg.BinaryLayer([[0.4, 0.7]], [0.3], inputs=[0.2, 0.6])
    both = lower.compose(upper)
    assert isinstance(both, rg.BinaryLayer)
    alike(both.transfer(), lower.transfer().compose(upper.transfer()))
    mixing, straight = rg.BinaryLayer([[0.5, 0.3], [0.2, 0.4]]), rg.BinaryLayer(np.diag([0.6, 0.7]))
    for first, second in ((mixing, straight), (straight, mixing)):
        composed = first.compose(second)
        assert isinstance(composed, rg.TransferMatrix)
        alike(composed, first.transfer().compose(second.transfer()))


def test_the_projection_keeps_moments_and_states_its_loss(rng):
    states = np.array([[-1, -1], [1, -1], [-1, 1], [1, 1]], float)
    lost = []
    for _ in range(6):
        layer = rg.BinaryLayer(rng.normal(size=(2, 3)), rng.normal(size=2), inputs=rng.normal(size=3))
        wide = rg.BinaryLayer(rng.normal(size=(3, 2)), rng.normal(size=3))
        exact = wide.compose(layer)
        shown = wide.compose(layer, project=True)
        p, q = (np.exp(m.log_weights + m.log_scale) for m in (exact, shown.transfer()))
        assert q.sum() == pytest.approx(p.sum(), rel=1e-10)
        np.testing.assert_allclose(states.T @ p @ states, states.T @ q @ states, rtol=1e-8, atol=1e-8 * p.sum())
        law, logs = p / p.sum(), np.log(p / q)
        assert shown.truncation.divergence == pytest.approx((law * logs).sum(), abs=1e-9)
        assert shown.truncation.deviation == pytest.approx(np.abs(logs).max(), abs=1e-9)
        near = rg.BinaryLayer(shown.couplings + 0.1, shown.fields, inputs=shown.inputs).transfer()
        other = np.exp(near.log_weights)
        assert (law * np.log(law / (other / other.sum()))).sum() > shown.truncation.divergence
        lost.append(shown.truncation.divergence)
    assert max(lost) > 1e-4, "no block is of the family"


def test_strong_couplings_keep_their_digits():
    layer = rg.BinaryLayer([[400.0]])
    assert layer.power(1000).couplings[0, 0] == pytest.approx(400 - math.log(1000) / 2, rel=1e-14)
    assert rg.BinaryLayer([[20.0]]).correlation_length() == pytest.approx(math.exp(40) / 2, rel=1e-12)
    assert layer.correlation_length() == math.inf
    assert rg.BinaryLayer([[0.0]]).correlation_length() == 0
    far = rg.BinaryLayer([[500.0, 0.1], [0.1, 500.0]])
    assert np.isfinite(far.compose(far).log_weights).all()
    with pytest.raises(ArithmeticError, match="cannot be told from 1"):
        far.correlation_length()


# -- fixed points and exponents --------------------------------------------------------------------------

FAMILIES = [rg.LinearLayer, rg.BinaryLayer]


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("b", [2, 3, 5])
def test_closed_derivatives_are_those_of_the_maps(family, b):
    for point in rg.fixed_points(family):
        np.testing.assert_allclose(point.map(point.couplings, b), point.couplings, atol=1e-15)
        matrix, error = derivative(lambda k, at=point: at.map(k, b), point.couplings)
        np.testing.assert_allclose(matrix, point.linear(b), atol=max(1e-9, 4 * error.max()))
        numerical = rg.exponents(replace(point, linear=None), b)
        alive = np.abs(np.diag(point.linear(b))) > 0
        assert np.allclose(numerical.y[: alive.sum()], rg.exponents(point, b).y[: alive.sum()], atol=1e-8)


def test_the_answers():
    disordered, ordered = (rg.exponents(point) for point in rg.fixed_points(rg.BinaryLayer))
    assert ordered.y.tolist() == [1, 1]
    assert ordered.nu == 1
    assert set(ordered.fields) == {"tanh K", "tanh h"}
    assert disordered.kinds == ("marginal", "irrelevant")
    assert disordered.y.tolist() == [0, -math.inf]
    assert disordered.nu is None
    critical = rg.exponents(rg.fixed_points(rg.LinearLayer(0.3))[-1], 4)
    assert critical.eigenvalues.tolist() == [4, 4, 4]


@given(st.floats(0.2, 0.9), st.floats(0.3, 0.8), st.integers(2, 5))
@examples(0.3)
def test_a_map_is_searched_and_its_exponents_found(at, slope, b):
    """R_b(K) = K* + M^n (K - K*) with b = 2^n for any real n: exponents are logarithms of the eigenvalues of M."""
    mixing = np.array([[1.0, 1.4], [-0.3, 1.0]])
    rates = np.array([1.5, slope])

    def function(couplings, block):
        powers = rates ** math.log2(block)
        return at + mixing @ (powers * np.linalg.solve(mixing, couplings - at))

    (point,) = rg.fixed_points(function, [[0.0, 0.0], [1.0, 2.0]], names=["x", "y"])
    np.testing.assert_allclose(point.couplings, at, atol=1e-9)
    exponents = rg.exponents(point, b)
    np.testing.assert_allclose(exponents.y, np.log2(rates), atol=1e-8)
    assert exponents.kinds == ("relevant", "irrelevant")
    assert exponents.fields == ("x", "x"), "the first coupling is the larger part of both columns"
    assert (exponents.error < 1e-6).all()


def test_a_rotation_is_marginal():
    """Its eigenvalues e^±ia have modulus one, whose logarithm must be zero without rounding."""
    for angle in np.arange(1, 12) / 7:
        turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
        point = rg.FixedPoint("centre", ("x", "y"), np.zeros(2), lambda k, _: k, lambda _, turn=turn: turn)
        exponents = rg.exponents(point)
        assert (exponents.y.tolist(), exponents.kinds, exponents.nu) == ([0.0, 0.0], ("marginal", "marginal"), None)


def test_rounding_of_a_steep_map_is_no_kink():
    for at in np.arange(1, 10) / 7:
        point = rg.FixedPoint("steep", ("x",), np.array([at]), lambda k, _, at=at: 1e12 * k - (1e12 - 1) * at)
        assert rg.exponents(point).y[0] == pytest.approx(math.log2(1e12), abs=1e-9)


def test_failed_searches_say_how_they_ended():
    cases = [
        (lambda k, b: k + b, {}, rg.FixedPointEnd.STALLED),
        (lambda k, b: k**b, {"bounds": ([0.2], [0.8])}, rg.FixedPointEnd.OUTSIDE),
        (lambda k, b: np.log(-k * b), {}, rg.FixedPointEnd.NOT_FINITE),
    ]
    for function, more, ending in cases:
        with pytest.raises(rg.NoFixedPointError, match=f"{ending}") as raised:
            rg.fixed_points(function, [0.9], **more)
        assert raised.value.best.ending is ending
        (shown,) = rg.fixed_points(function, [0.9], throw=False, **more)
        assert not shown.exists
        assert shown.residual >= 0
        with pytest.raises(ValueError, match="not a fixed point"):
            rg.exponents(shown)


# -- what is refused -------------------------------------------------------------------------------------

pair = rg.BinaryLayer([[0.5]])
flat = rg.LinearLayer([[0.5, 0.5]])
BAD = [
    (lambda: rg.LinearLayer(0.5, 0.0, -0.1), ValueError, "variance -0.1, below zero"),
    (lambda: rg.LinearLayer(np.eye(2), 0.0, [[1, 2], [2, 1]]), ValueError, "eigenvalue of a covariance -1"),
    (lambda: rg.LinearLayer(np.eye(2), 0.0, [[1, 0], [1, 1]]), ValueError, "not symmetric"),
    (lambda: rg.LinearLayer(math.nan), ValueError, "nan is not finite"),
    (lambda: rg.LinearLayer("x"), TypeError, "real numbers"),
    (lambda: rg.LinearLayer([1.0, 2.0]), ValueError, r"shape \(2,\)"),
    (lambda: rg.LinearLayer(1.0, [1.0, 2.0]), ValueError, r"needs \(1,\)"),
    (lambda: flat.power(2), ValueError, "equal widths are needed"),
    (flat.correlation_length, ValueError, "equal widths"),
    (lambda: flat.compose(flat), ValueError, "takes 2 inputs but this one has 1 outputs"),
    (lambda: flat.compose(pair), TypeError, "not with a BinaryLayer"),
    (lambda: rg.LinearLayer(1.0).stationary(), ValueError, "no stationary law: the layer is critical"),
    (lambda: rg.LinearLayer(1.5).stationary(), ValueError, "expanding"),
    (lambda: rg.LinearLayer(2.0).power(10**18), ValueError, "range of float64"),
    (lambda: rg.LinearLayer(0.5).power(0), ValueError, "no layer at all is the identity"),
    (lambda: rg.LinearLayer(0.5).power(2.0), TypeError, "write 10"),
    (lambda: rg.LinearLayer(0.5).power(10**18 + 1), ValueError, "from 1 to 1e"),
    (lambda: rg.LinearLayer(2.0).simulate([1.0], 2000, rng=0), ValueError, "the layer is expanding"),
    (lambda: rg.LinearLayer(0.5).simulate([1.0, 2.0], 2), ValueError, "start has shape"),
    (lambda: rg.LinearLayer(0.5).propagate(0.0, -1.0), ValueError, "below zero"),
    (lambda: rg.BinaryLayer([[1.0]], [1.0, 2.0]), ValueError, "fields have shape"),
    (lambda: rg.BinaryLayer([[math.inf]]), ValueError, "inf is not finite"),
    (lambda: pair.compose(flat), TypeError, "not a LinearLayer"),
    (lambda: rg.BinaryLayer(np.ones((2, 1))).power(2), ValueError, "equal widths"),
    (lambda: pair.compose(rg.BinaryLayer(np.ones((1, 2)))), ValueError, "takes 2 inputs but this one has 1"),
    (lambda: rg.BinaryLayer(np.ones((13, 13))).transfer(), ValueError, "at most 12 spins"),
    (lambda: rg.BinaryLayer(np.ones((11, 11))).power(2, project=True), ValueError, "too many to project"),
    (lambda: rg.TransferMatrix(np.zeros((3, 2))), ValueError, "1 to 12 spins"),
    (lambda: rg.flow(3.0), TypeError, "float has no flow"),
    (lambda: rg.flow(flat, 2), ValueError, "equal widths"),
    (lambda: rg.flow(pair, 0), ValueError, "doublings = 0"),
    (lambda: rg.exponents(rg.fixed_points(rg.BinaryLayer)[0], 1), ValueError, "b >= 2 is needed"),
    (lambda: rg.exponents(rg.BinaryLayer), TypeError, "pass one that rg.fixed_points"),
    (lambda: rg.fixed_points(rg.BinaryLayer, [1.0]), TypeError, "knows its fixed points"),
    (lambda: rg.fixed_points(3.0), TypeError, "family is a float"),
    (lambda: rg.fixed_points(lambda x: x**2, [1.5]), TypeError, r"cannot be called as map\(couplings, b\)"),
    (lambda: rg.fixed_points(lambda k, b: k**b), TypeError, "needs start="),
    (lambda: rg.fixed_points(lambda k, b: k**b, [1.0], names=["a", "b"]), ValueError, "2 names for 1"),
    (lambda: rg.fixed_points(lambda k, b: k**b, [1.0], bounds=([1.0], [0.0])), ValueError, "hold no couplings"),
    (lambda: rg.fixed_points(lambda k, _: k[:0], [1.0]), ValueError, "keep the shape"),
    (
        lambda: rg.exponents(rg.fixed_points(lambda k, b: b * abs(k), [0.3])[0]),
        ValueError,
        r"a kink at the couplings \[-?0.0\]: slopes on either side differ by 4",
    ),
    (
        lambda: rg.fixed_points(lambda k, b: k**b, [1.0], bounds=([1j], [2.0])),
        TypeError,
        "bounds must be a real number",
    ),
    (lambda: rg.fixed_points(lambda k, b: k**b + 0.1j, [1.0]), TypeError, "returns complex128, not real numbers"),
    (lambda: rg.fixed_points(lambda k, b: [str(k[0] ** b)], [1.0]), TypeError, "returns <U.*, not real numbers"),
]


@pytest.mark.parametrize("case", range(len(BAD)))
def test_bad_input_is_refused_with_a_reason(case):
    act, error, words = BAD[case]
    with pytest.raises(error, match=words):
        act()


def test_a_flow_that_leaves_the_range_says_so():
    flow = rg.flow(rg.LinearLayer(2.0), 20)
    assert flow.end is rg.FlowEnd.OVERFLOW
    assert len(flow.couplings) == 10
    assert np.isfinite(flow.couplings).all()


def jordan(size):
    """A Jordan block of eigenvalue zero in another basis, in whole numbers."""
    return np.tril(np.ones((size, size))) @ np.eye(size, k=1) @ (np.eye(size) - np.eye(size, k=-1))


@pytest.mark.parametrize("size", [3, 6, 12])
def test_linear_layers_that_forget_everything_have_no_correlation_length(size):
    """All eigenvalues are zero; computed ones are roots of rounding and must not become a length."""
    assert abs(np.linalg.eigvals(jordan(size))).max() > 1e-9
    assert {rg.LinearLayer(scale * jordan(size), 0.0).correlation_length() for scale in (1.0, 2.0**40)} == {0.0}
    near = jordan(size) + np.random.default_rng(size).normal(scale=1e-17, size=(size, size))
    with pytest.raises(ArithmeticError, match="cannot be told from 0"):
        rg.LinearLayer(near, np.zeros(size)).correlation_length()


@pytest.mark.parametrize("size", [2, 3, 4, 6, 10])
def test_linear_layers_whose_ones_share_an_eigenvector_are_critical(size):
    """Computed eigenvalues lie apart by a root of rounding, and must not make the layer contract or expand."""
    layer = rg.LinearLayer(jordan(size) + np.eye(size), np.zeros(size))
    assert (layer.regime, layer.correlation_length()) == ("critical", np.inf)
    apart = rg.LinearLayer(np.diag([1 - 1e-9, 0.5]), np.zeros(2))
    assert apart.correlation_length() == pytest.approx(1e9, rel=1e-6)
    triangle = np.diag(np.full(size, 1 - 2.0**-40)) + 1e6 * np.eye(size, k=1)  # whose eigenvalues have no rounding
    for weight in (triangle, triangle.T):
        assert rg.LinearLayer(weight, 0.0).correlation_length() == pytest.approx(2.0**40, rel=1e-9)


@pytest.mark.parametrize("size", [2, 3, 4, 5, 6])
def test_ones_that_share_an_eigenvector_are_critical_in_any_basis_of_whole_numbers(size, rng):
    """The error of rounding is only estimated, yet none of 100 layers may be taken for one that expands."""
    for _ in range(100):
        weight = np.eye(size) + np.eye(size, k=1)
        for _ in range(size + 2):
            (i, j), k = rng.choice(size, 2, replace=False), int(rng.integers(-2, 3))
            weight[i] += k * weight[j]
            weight[:, j] -= k * weight[:, i]
        assert rg.LinearLayer(weight, np.zeros(size)).regime == "critical"


def test_small_spectral_radii_of_linear_layers_are_told_where_they_can_be():
    length = rg.LinearLayer(np.diag([1e-9, 1e-200]) + np.array([[0, 1e-12], [0, 0]]), 0.0).correlation_length()
    assert length == pytest.approx(-1 / np.log(1e-9), rel=1e-12)
    hidden = rg.LinearLayer([[0.0, 1.0], [1e-300, 0.0]], 0.0)
    assert hidden.correlation_length() == pytest.approx(-1 / np.log(1e-150), rel=1e-12)


@pytest.mark.parametrize("w", [0.9, -0.9, 0.3])
def test_the_stationary_variance_is_the_sum_over_all_layers_before(w):
    variance = rg.LinearLayer(w, 0.0, 0.7).stationary().covariance[0, 0]
    assert variance == pytest.approx(0.7 * sum(w ** (2 * m) for m in range(400)), rel=1e-13)


def test_a_layer_that_forgets_everything_has_no_correlation_length_made_of_rounding():
    """One spin copies a spin that copies nothing: after two layers nothing is left, so that λ_1 is exactly zero."""
    layer = rg.BinaryLayer([[0, 1], [0, 0]])
    assert abs(layer.transfer().spectrum().ratios[1]) > 1e-9, "float64 gives the root of its rounding"
    with pytest.raises(ArithmeticError, match="cannot be told from 0"):
        layer.transfer().correlation_length()
    assert layer.correlation_length() == 0.0  # as its couplings show
    assert layer.power(3).spectrum().ratios[1] == pytest.approx(0, abs=1e-15)
    weak = rg.BinaryLayer([[1e-3, 0], [0, 2e-3]])
    assert weak.correlation_length() == pytest.approx(-1 / np.log(np.tanh(2e-3)), rel=1e-9)


def test_a_map_may_work_in_place():
    """Doubled couplings rest at zero alone, also where the map overwrites its argument."""
    (point,) = rg.fixed_points(lambda k, b: np.multiply(k, b, out=k), [1.0])
    assert point.couplings == pytest.approx([0.0], abs=1e-12)
    assert rg.exponents(point).y == pytest.approx([1.0], rel=1e-9)


def test_a_derivative_knows_its_last_correction():
    """Central differences of x³ are 3x² + h², of half the step 3x² + h²/4; with x = 2 the step is twice STEP."""
    slope, error = derivative(lambda x: x**3, np.array([2.0]))
    assert slope == pytest.approx(12.0, rel=1e-9)
    assert error.item() == pytest.approx(STEP**2, rel=1e-3)
