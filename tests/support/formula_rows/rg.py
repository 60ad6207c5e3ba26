"""Layers that are repeated, and wide ones: what computes their formulas."""

from functools import cache
from typing import Any

import numpy as np
from moments import weighted

from formula_rows.row import Row
from statnn.network import leaky_relu
from statnn.rg import (
    BinaryLayer,
    FixedFunction,
    LeadingForm,
    LeadingFormKind,
    LinearLayer,
    NoisyLayer,
    Operator,
    RandomLayer,
    critical_line,
    criticality,
)
from statnn.rg.lattice._operators import measure
from statnn.rg.lattice._scheme import scheme
from statnn.rg.lattice._swendsen import flow

SMALL = 1e-3


def _block(a: float, w: float, s: float, b: int) -> LinearLayer:
    return LinearLayer(w, a, s).power(b)


def _pair(K_1: float, K_2: float, z: float) -> BinaryLayer:
    return BinaryLayer(K_1, z / 3).compose(BinaryLayer(K_2, inputs=2 * z / 3))


def _spin(K: float, h: float) -> BinaryLayer:
    return BinaryLayer(K, h / 3, inputs=2 * h / 3)


def _noisy(place: int) -> Any:
    return lambda w=1.0, epsilon=SMALL: NoisyLayer("tanh", w, 0.0, epsilon).flow(1, project=True).couplings[1, place]


def _near_one(random: Any) -> dict[str, Any]:
    return {"w": random.uniform(0.9, 1.0), "epsilon": SMALL}


@cache
def _ring() -> tuple[Any, Any]:
    """Return bonds and spins of all states of a ring of eight, and of every other spin of it."""
    chosen = (Operator("nearest", ((0,), (1,))), Operator("spin", ((0,),)))
    states = 1 - 2 * ((np.arange(256)[:, None] >> np.arange(8)) & 1).astype(np.int8)
    plan = scheme((8,), 2, None, "decimation", chosen, 1, periodic=True)
    return plan.observe(states, plan.keys((1, ())), np.arange(256)), measure(states, chosen)


def _swendsen(row: int, column: int) -> Any:
    def entry(K: float, h: float) -> float:
        values, both = _ring()
        weight = np.exp(both @ [K, h])
        return flow(weighted(values, weight / weight.sum()), np.array([0, 1]))[0, 0][row, column]

    return entry


def _mild(random: Any) -> dict[str, Any]:
    """Return a ring whose covariances are no differences of nearly equal numbers."""
    return {"K": random.uniform(0.05, 1.0), "h": random.uniform(-0.8, 0.8)}


def _form(z: int, u: float, r: float | None = None) -> LeadingForm:
    return LeadingForm(LeadingFormKind.CRITICAL, 0.0, 1.0, z, u, residue=r, next_order=2 * z - 1)


def _odd(random: Any) -> dict[str, Any]:
    return {"z": random.choice([3, 5, 7])}


LINEAR = {
    "linear-layers.weight": Row(lambda w, b: LinearLayer(w).power(b).weight[0, 0], 1e-14),
    "linear-layers.bias": Row(lambda a, w, b: _block(a, w, 1.0, b).bias[0], 1e-14),
    "linear-layers.noise": Row(lambda w, s, b: _block(0.0, w, s, b).noise_covariance[0, 0], 1e-14),
    "linear-layers.mean": Row(lambda w, a, mu: LinearLayer(w, a).propagate(mu).mean[0], 1e-14, 1e-15),
    "linear-layers.variance": Row(lambda w, s, C: LinearLayer(w, 0.0, s).propagate(0.0, C).covariance[0, 0], 1e-14),
    "linear-layers.composed-bias": Row(
        lambda w, a, mu: LinearLayer(3.0, mu).compose(LinearLayer(w, a)).bias[0], 1e-14, 1e-15
    ),
    "linear-layers.composed-noise": Row(
        lambda w, s, C: LinearLayer(3.0, 0.0, C).compose(LinearLayer(w, 0.0, s)).noise_covariance[0, 0], 1e-14
    ),
    "linear-layers.stationary-mean": Row(lambda w, a: LinearLayer(w, a).stationary().mean[0], 1e-14),
    "linear-layers.stationary-variance": Row(
        lambda w, s: LinearLayer(w, 0.0, s).stationary().covariance[0, 0], 1e-14
    ),
    "linear-layers.correlation-length": Row(lambda w: LinearLayer(w).correlation_length(), 1e-13),
}  # fmt: skip

SPINS = {
    "binary-layers.coupling": Row(lambda K_1, K_2, z: _pair(K_1, K_2, z).couplings[0, 0]),
    "binary-layers.field": Row(lambda K_1, K_2, z: _pair(K_1, K_2, z).fields[0]),
    "binary-layers.input": Row(lambda K_1, K_2, z: _pair(K_1, K_2, z).inputs[0]),
    "binary-layers.power": Row(lambda K, b: BinaryLayer(K).power(b).couplings[0, 0]),
    "binary-layers.log-leading": Row(lambda K, h: _spin(K, h).spectrum().log_leading),
    "binary-layers.ratio": Row(lambda K, h: _spin(K, h).spectrum().ratios[1]),
    "binary-layers.correlation-length": Row(lambda K, h: _spin(K, h).correlation_length()),
    "noisy-layers.weight": Row(_noisy(0), 1e-2, points=1, at=_near_one),
    "noisy-layers.noise": Row(_noisy(2), 1e-2, points=1, at=_near_one),
    "swendsen.coupling-by-coupling": Row(_swendsen(0, 0), 1e-9, 1e-11, at=_mild),
    "swendsen.coupling-by-field": Row(_swendsen(0, 1), 1e-9, 1e-11, at=_mild),
    "swendsen.field-by-coupling": Row(_swendsen(1, 0), 1e-9, 1e-11, at=_mild),
    "swendsen.field-by-field": Row(_swendsen(1, 1), 1e-9, 1e-11, at=_mild),
}

DEPTH = {
    "fixed-function.layers": Row(lambda z, u, x, m: FixedFunction(z, u).layers(x, m)),
    "fixed-function.layer": Row(lambda z, u, x: FixedFunction(z, u)(x)),
    "fixed-function.alpha": Row(lambda z, b: FixedFunction(z, 1.0).alpha(b)),
    "fixed-function.exponent": Row(lambda z, k: FixedFunction(z, 1.0).exponent(k)),
    "fixed-function.eigenvalue": Row(lambda z, k, b: FixedFunction(z, 1.0).eigenvalue(k, b)),
    "fixed-function.eigenfunction": Row(lambda z, u, x, k: FixedFunction(z, u).eigenfunction(k, x), 1e-11),
    "fixed-function.resonant-eigenfunction": Row(
        lambda z, u, x: FixedFunction(z, u).eigenfunction(2 * z - 1, x), 1e-11
    ),
    "fixed-function.noise-exponent": Row(lambda z, k: FixedFunction(z, 1.0).noise_exponent(k)),
    "fixed-function.noise-eigenvalue": Row(lambda z, b: FixedFunction(z, 1.0).noise_eigenvalue(b)),
    "fixed-function.noise-eigenfunction": Row(
        lambda z, u, x, k: FixedFunction(z, u).noise_eigenfunction(x, k), 1e-11
    ),
    "fixed-function.finite-depth": Row(lambda z, u, A: FixedFunction(z, u).finite_depth(A)),
    "leading-form.amplitude": Row(lambda z, u: _form(z, u).amplitude),
    "leading-form.signal": Row(lambda z, u, m: _form(z, u).signal(m)),
    "leading-form.stationary-variance": Row(lambda z, u, epsilon: _form(z, u).stationary_variance(epsilon), at=_odd),
    "leading-form.stationary-correction": Row(lambda u, r: _form(3, u, r).stationary_correction, beside=1e-14),
    "leading-form.noise-cutoff": Row(lambda z, u, epsilon: _form(z, u).noise_cutoff(epsilon), at=_odd),
}  # fmt: skip


def _random(activation: str, method: str, points: int = 2) -> Any:
    """Return a row of a map of one variance; those of relu are lines."""

    def value(sigma_w: float = 1.0, sigma_b: float = 0.0, q: float = 1.0) -> Any:
        return getattr(RandomLayer(activation, sigma_w, sigma_b), method)(q)

    return Row(value, points=points)


def _correlated(activation: str) -> Row:
    return Row(
        lambda c, sigma_w, sigma_b, q=1.0: RandomLayer(activation, sigma_w, sigma_b).correlation_map(c, q), beside=1e-14
    )


def _near(t: float) -> Any:
    return RandomLayer("tanh", np.sqrt(1 + t)).fixed_point()


def _little(random: Any) -> dict[str, Any]:
    return {"t": random.uniform(SMALL, 2 * SMALL)}


def _much(random: Any) -> dict[str, Any]:
    return {"m": random.randint(3000, 4000)}


WIDE = {
    **{
        f"{activation}-layers.{name}": _random(activation, method)
        for activation in ("erf", "relu", "gelu", "sin", "sign")
        for name, method in (("variance", "variance_map"), ("slope", "variance_slope"), ("chi", "chi"))
        if activation != "sign" or name == "variance"
    },
    "sin-layers.correlation": _correlated("sin"),
    "gelu-layers.correlation": _correlated("gelu"),
    "sign-layers.correlation": _correlated("sign"),
    "erf-layers.correlation": _correlated("erf"),
    "relu-layers.correlation": _correlated("relu"),
    "erf-layers.fixed-variance": Row(
        lambda sigma_w, sigma_b: RandomLayer("erf", sigma_w, sigma_b).fixed_point().variance, 1e-10, points=3
    ),
    "erf-layers.fixed-chi": Row(
        lambda sigma_w, sigma_b: RandomLayer("erf", sigma_w, sigma_b).fixed_point().chi, 1e-10, points=3
    ),
    "erf-layers.critical-sigma-w": Row(lambda sigma_b: critical_line("erf", sigma_b), 1e-8, points=2),
    "leaky-relu-layers.variance": Row(
        lambda q, sigma_w, sigma_b, a: RandomLayer(leaky_relu(a), sigma_w, sigma_b).variance_map(q)
    ),
    "relu-layers.distance": Row(
        lambda m: 1 - RandomLayer("relu", np.sqrt(2)).propagate(1.0, 0.0, m)[1][-1], 2e-2, points=1, at=_much
    ),
    "relu-layers.spread": Row(lambda q, m: RandomLayer("relu", np.sqrt(2)).finite_width(q, m).spread[-1]),
    "tanh-layers.variance": _random("tanh", "variance_map", 1),
    "tanh-layers.chi": _random("tanh", "chi", 1),
    "tanh-layers.critical-variance": Row(lambda m: criticality("tanh").variance(m), 1e-7, points=1),
    "tanh-layers.fixed-variance": Row(lambda t: _near(t).variance, 1e-5, points=1, at=_little),
    "tanh-layers.fixed-chi": Row(
        lambda t: np.polyval([*criticality("tanh").chi_series[::-1], 1.0], t), 1e-10, points=1, at=_little
    ),
    "tanh-layers.xi-variance": Row(lambda t: _near(t).xi_variance, 1e-2, points=1, at=_little),
    "tanh-layers.xi-correlation": Row(lambda t: _near(t).xi_correlation, 1e-2, points=1, at=_little),
}  # fmt: skip

RG = {**LINEAR, **SPINS, **DEPTH, **WIDE}
