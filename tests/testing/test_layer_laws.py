"""Laws of layers hold for every family of ours; each law refuses what breaks it."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
from altered import Altered
from hypothesis import given
from strategies import examples

from statnn import rg
from statnn.testing import check_layer, rejects, strategies
from statnn.testing._laws import Broken
from statnn.testing._layer_laws import LAWS, TOLERANCE, _exponents, _Layer, _order, _stationary

OURS = {
    "linear": (rg.LinearLayer(0.5, 1.0, 0.3), rg.LinearLayer(2.0, 0.1, 0.2), rg.LinearLayer(-0.3)),
    "linear, wide": (
        rg.LinearLayer([[0.6, -0.3], [0.4, 0.5]], [0.2, -0.1], [[0.3, 0.1], [0.1, 0.4]]),
        rg.LinearLayer([[0.6, 0.1], [0.1, 0.5]], 0.1, 0.2),
        rg.LinearLayer([[1.0, 2.0], [0.0, 1.0]]),
    ),
    "binary": (rg.BinaryLayer([[0.7]], [0.1], inputs=[0.2], constant=0.3), rg.BinaryLayer([[-0.4]], [0.3])),
    "binary, wide": (
        rg.BinaryLayer([[0.7, 0.2], [0.1, 0.3]], [0.1, 0.2], inputs=[0.2, -0.1], constant=0.3),
        rg.BinaryLayer([[0.4, 1.0], [-0.1, 0.2]]),
    ),
    "noisy": (
        rg.NoisyLayer("tanh", 1.2, 0.3, 0.3),
        rg.NoisyLayer("relu", 0.5, 0.0, 0.2),
        rg.NoisyLayer("erf", 0.8, -0.2, 0.4),
    ),
    "noisy, relu": (rg.NoisyLayer("relu", 0.5, 0.0, 0.2), rg.NoisyLayer("tanh", 1.2, 0.3, 0.3)),
    "repeated": (rg.RepeatedLayer("tanh"),),
    "random": (rg.RandomLayer("tanh", 1.5, 0.1), rg.RandomLayer("erf", 0.8, 0.3), rg.RandomLayer("relu", 1.2)),
    "random, closed": (rg.RandomLayer("relu", 1.2, 0.1), rg.RandomLayer("erf", 0.8, 0.3)),
}
COMPOSED = {"associativity", "order", "repetition", "semigroup", "copies"}
FIXED = COMPOSED | {"correlation length", "fixed points", "exponents"}
HELD = {
    "linear": FIXED | {"stationary", "linearisation", "flow", "seeds", "simulation"},
    "binary": FIXED | {"linearisation", "partition function"},
    "noisy": FIXED | {"stationary", "seeds", "simulation"},
    "repeated": {"iteration", "signal", "seeds", "simulation", "copies"},
    "random": COMPOSED | {"maps", "fixed points", "exponents", "seeds", "simulation"},
}


@pytest.mark.parametrize("name", OURS)
def test_laws_of_our_layers(name, rng):
    report = check_layer(*OURS[name], rng=rng)
    assert set(report.names("held")) >= HELD[name.partition(",")[0]]


@given(strategies.layers(rg.LinearLayer, width=2), *[strategies.layers(rg.LinearLayer, width=2)] * 2)
@examples(0.3)
def test_linear_layers_compose(first, second, third):
    check_layer(first, second, third, simulate=False, rng=1)


@given(*[strategies.layers(rg.BinaryLayer, width=1)] * 3)
@examples(0.3)
def test_layers_of_spins_compose(first, second, third):
    check_layer(first, second, third, simulate=False, rng=1)


@given(strategies.layers())
@examples(0.5)
def test_laws_of_any_layer(layer):
    assert "copies" in check_layer(layer, simulate=False, rng=1).names("held")


@pytest.mark.parametrize("layer", [rg.RandomLayer("sign", 1.3, 0.4), rg.RandomLayer("tanh", 0.0, 0.5)])
def test_networks_that_do_not_differ_are_compared_exactly(layer, rng):
    """Squares of signs are one, and biases alone have one variance."""
    assert "simulation" in check_layer(layer, rng=rng).names("held")
    wrong = Altered(layer, finite_width=rg.RandomLayer(layer.activation, layer.sigma_w, 0.401).finite_width)
    with rejects(r"\n  simulation: .* instead of"):
        check_layer(wrong, rng=rng)


@pytest.mark.parametrize("sigma_w", [0.8, 1.0, 1.5])
@pytest.mark.parametrize("activation", ["identity", "tanh", "relu"])
def test_wide_layers_rest_where_all_fields_are_zero(activation, sigma_w):
    layer = rg.RandomLayer(activation, sigma_w)
    point = layer.fixed_points()[0]
    assert point.couplings.tolist() == point.map(point.couplings, 2).tolist() == [0.0, 1.0]
    assert "fixed points" in check_layer(layer, simulate=False, rng=1).names("held")


@given(*[strategies.layers(rg.BinaryLayer, width=2, largest=1.0)] * 3)
@examples(0.1)
def test_wide_layers_of_spins_compose(first, second, third):
    check_layer(first, second, third, simulate=False, rng=1)


# -- a family of a user's own ----------------------------------------------------------------------------


@dataclass(frozen=True)
class Law:
    mean: np.ndarray
    covariance: np.ndarray


@dataclass(frozen=True)
class Affine:
    """h' = w h + b + noise of variance s, and the name of the law that it breaks."""

    w: float
    b: float = 0.0
    s: float = 0.1
    breaks: str = ""

    shape = (1, 1)

    def compose(self, other):
        first, second = (other, self) if self.breaks == "order" else (self, other)
        shift = 1e-6 * self.b * other.b**2 if self.breaks == "associativity" else 0.0
        b, s = second.w * first.b + second.b + shift, second.w**2 * first.s + second.s
        return replace(self, w=first.w * second.w, b=b, s=s)

    def power(self, m):
        b = self.b + (1e-6 if self.breaks == "repetition" and m == 6 else 0.0)
        layer = replace(self, b=b)
        for _ in range(m - 1 + (self.breaks == "semigroup" and m == 5)):
            layer = layer.compose(self)
        return layer

    def propagate(self, mean, covariance=0.0):
        mean, covariance = np.ravel(mean), np.reshape(covariance, (1, 1))
        return Law(self.w * mean + self.b, self.w**2 * covariance + self.s)

    def correlation_length(self):
        return -1 / np.log(abs(self.w)) + (self.breaks == "correlation length")

    def stationary(self):
        s = self.s / (1 - self.w ** (1 if self.breaks == "stationary" else 2))
        return Law(np.array([self.b / (1 - self.w)]), np.array([[s]]))

    def flow(self, doublings):
        layers = [self.power(2**k) for k in range(doublings + 1)]
        rows = np.array([[layer.w, layer.b, layer.s] for layer in layers])
        if self.breaks == "flow":
            rows *= np.arange(1, doublings + 2)[:, None]
        return type("Flow", (), {"couplings": rows})

    def fixed_points(self):
        def map_(k, b):
            if self.breaks == "exponents":
                return 1 + b**1.5 * np.log(b) * (k - 1)
            return k**b + (1e-5 if self.breaks == "fixed points" else 0.0)

        slopes = {"exponents": lambda b: b**1.5 * np.log(b), "linearisation": lambda b: b + 1e-3 * (b == 2)}
        slope = slopes.get(self.breaks, float)
        point = rg.FixedPoint("critical", ("w",), np.array([1.0]), map_, lambda b: np.array([[slope(b)]]))
        return (point,)

    def simulate(self, start, depth, *, rng=None):
        h = np.asarray(start, float)
        path = [h]
        kick = np.sqrt(self.s) * (1.07 if self.breaks == "simulation" else 1.0)
        for m in range(depth):
            random = np.random.default_rng([rng, m])
            noise = random.standard_normal(h.shape) + (1e-9 * len(h) if self.breaks == "seeds" else 0.0)
            path.append(self.w * path[-1] + self.b + kick * noise)
        return np.stack(path, axis=1)

    def __reduce__(self):
        return Affine, (self.w, self.b, 2 * self.s if self.breaks == "copies" else self.s, self.breaks)


TANH, WIDE, SPINS = rg.RepeatedLayer("tanh"), OURS["random"][0], OURS["binary"][0]
BROKEN = {
    "iteration": Altered(TANH, iterate=lambda x, m: TANH.iterate(x, m) * (1 + 1e-9 * (m == 5))),
    "signal": Altered(TANH, signal=lambda x, m: TANH.signal(x, m) + 1e-6),
    "maps": Altered(WIDE, power=lambda m: WIDE.power(m + 1)),
    "partition function": Altered(SPINS, constant=SPINS.constant + 1e-8),
} | {
    law: Affine(0.5, 1.0, 0.1, law)
    for law in (
        "associativity", "order", "repetition", "semigroup", "correlation length", "stationary", "fixed points",
        "exponents", "linearisation", "flow", "seeds", "simulation", "copies",
    )
}  # fmt: skip


def names_of(laws):
    return {law.__name__.strip("_").replace("_", " ") for law in laws}


def test_a_broken_object_stands_for_every_law():
    assert set(BROKEN) == names_of(LAWS) | {"associativity", "order", "repetition", "semigroup"}


def test_a_family_of_ones_own_is_asked_all_that_it_can_do(rng):
    report = check_layer(Affine(0.5, 1.0), Affine(0.3, -0.5, 0.2), Affine(-0.8), rng=rng)
    assert set(report.names("held")) == HELD["linear"]


@pytest.mark.parametrize("law", BROKEN)
def test_every_law_refuses_what_breaks_it(law, rng):
    others = (Affine(0.3, -0.5, 0.2), Affine(-0.8, 2.0)) if isinstance(BROKEN[law], Affine) else ()
    both = "instead of|theory|p = |not equal"
    with rejects(rf"\n  {law}: .*({both})"):
        check_layer(BROKEN[law], *others, rng=rng)


def test_correlations_are_asked_as_variances_are(rng):
    def off(layer):
        return Altered(layer, correlation_map=lambda c, q: layer.correlation_map(c, q) + 1e-6)

    for law, wrong in (
        ("maps", {"power": lambda m: off(WIDE.power(m))}),
        ("order", {"compose": lambda o: off(WIDE.compose(o))}),
    ):
        with rejects(rf"\n  {law}: .*instead of"):
            check_layer(Altered(WIDE, **wrong), simulate=False, rng=rng)


LADDERS = [
    rg.TransferOperator([0.0, 1.0, 2.0], np.ones(3), np.array(rows))
    for rows in (
        [[0.7, 0.4, 0.1], [0.3, 0.3, 0.2], [0.0, 0.3, 0.7]],
        [[0.1, 0.5, 0.3], [0.1, 0.0, 0.3], [0.8, 0.5, 0.4]],
    )
]


def resting(name, slope):
    return rg.FixedPoint(name, ("w",), np.zeros(1), lambda k, _: k, lambda b: np.array([[slope(b)]]))


SHARP, FASTER = resting("sharp", lambda b: 1 + 1e-9 * (b > 2)), resting("faster", lambda b: 0.5 ** (b * b))
PARTS = {
    "order of weights": (
        "order",
        OURS["binary, wide"],
        {"compose": lambda itself, other: other.compose(itself)},
        "instead of",
    ),
    "order of densities": ("order", LADDERS, {"compose": lambda itself, other: other.compose(itself)}, "instead of"),
    "density": (
        "stationary",
        LADDERS[:1],
        {"stationary": lambda itself: replace(itself.stationary(), density=np.full(3, 1 / 3))},
        "instead of",
    ),
    "kind": (
        "exponents",
        LADDERS[:1],
        {"fixed_points": lambda _: (SHARP,)},
        r"\('relevant',\) instead of \('marginal',\)",
    ),
    "rate": ("exponents", [WIDE], {"fixed_points": lambda _: (FASTER,)}, "'faster', b = 3, y_0: "),
}


@pytest.mark.parametrize("part", PARTS)
def test_every_comparison_of_a_law_refuses_what_breaks_it_alone(part):
    law, (first, *others), methods, words = PARTS[part]
    wrong = Altered(first, **{name: lambda *more, by=by: by(first, *more) for name, by in methods.items()})
    asked = {"order": lambda s: _order(s, TOLERANCE), "stationary": _stationary, "exponents": _exponents}[law]
    if law != "exponents":
        asked(_Layer(first, (*others, first, first)[:2], 1, simulate=False))
    with pytest.raises(Broken, match=words):
        asked(_Layer(wrong, (*others, first, first)[:2], 1, simulate=False))


class Signal:
    """h' = w h + b, which acts on signals alone and knows no noise."""

    def __init__(self, w, b, turned=False):
        self.w, self.b, self.turned = w, b, turned

    def compose(self, other):
        first, second = (other, self) if self.turned else (self, other)
        return Signal(first.w * second.w, second.w * first.b + second.b, self.turned)

    def iterate(self, h, m):
        for _ in range(m):
            h = self.w * h + self.b
        return h


def test_the_order_of_layers_that_only_act_on_signals_is_asked(rng):
    assert "order" in check_layer(Signal(0.5, 1.0), Signal(0.3, -0.5), rng=rng).names("held")
    with rejects(r"^Signal breaks 1 of .*\n  order: .*x = \S+: \S+ instead of"):
        check_layer(Signal(0.5, 1.0, turned=True), Signal(0.3, -0.5, turned=True), rng=rng)


class Paired(Affine):
    """Replicas 2k and 2k + 1 have the same noise."""

    def simulate(self, start, depth, *, rng=None):
        return super().simulate(start, depth, rng=rng)[np.arange(len(start)) // 2]


def test_replicas_that_share_a_stream_are_told(rng):
    with rejects(r"\n  seeds: .*: replicas 0 and 1 are the same: each needs a stream of its own"):
        check_layer(Paired(0.5, 1.0), rng=rng)


def test_what_is_no_layer_says_so():
    with pytest.raises(TypeError, match="neither compose nor power nor iterate; pass a layer, not its class"):
        check_layer(rg.LinearLayer)
    with pytest.raises(TypeError, match="3 other layers are given"):
        check_layer(*[rg.LinearLayer(0.5)] * 4)
