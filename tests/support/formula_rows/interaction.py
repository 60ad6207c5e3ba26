"""Interacting neurons and their Monte Carlo: what computes their formulas."""

import math
from typing import Any

import numpy as np

from formula_rows.row import Row, Sampled
from statnn.interaction import BinaryNeurons, DynamicNeurons, Prior, kaufman, onsager
from statnn.montecarlo import estimate
from statnn.montecarlo._single_spin import rules
from statnn.montecarlo._tempering.ladder import ladder
from statnn.montecarlo._wolff.method import _chances
from statnn.network import Activation, Network


def _constant(value: float) -> Activation:
    """Return an activation that is one number, whatever the field."""
    return Activation("constant", lambda h: 0 * h + value, lambda h: 0 * h)


def _neuron(beta: float, lambda_: float, y: float, s: float) -> DynamicNeurons:
    return DynamicNeurons(Network([[[1.0]]], activation=_constant(s)), [[0.0]], [[y]], beta, lambda_)


def _prior(n: int, w: float, sigma_w: float) -> float:
    """Return what the energy gains by a free weight, beside inputs that are zero."""
    net = Network([np.zeros((1, n))], activation="identity")
    model = DynamicNeurons(net, np.zeros((1, n)), free=("neurons", "weights"), prior=Prior(sigma_w, 1.0))
    return model.energy(np.r_[0.0, w, np.zeros(n - 1)])


def _linear(M: int, w: float, lambda_: float, x: float = 1.0, y: float | None = None, beta: float = 1.0) -> Any:
    net = Network([[[w]]] * M, activation="identity")
    return DynamicNeurons(net, [[x]], None if y is None else [[y]], beta, lambda_).exact()


def _weight(x: float, beta: float, lambda_: float, sigma_w: float, y: float = 1.0) -> Any:
    net, free = Network([[[0.0]]], activation="identity"), ("neurons", "weights")
    return DynamicNeurons(net, [[x]], [[y]], beta, lambda_, free, Prior(sigma_w, 1.0)).exact()


def _chain(n: int, K: float, T: float = 1.0) -> Any:
    return BinaryNeurons([[[K * T]]] * (n - 1), temperature=T).exact()


def _ring(n: int, K: float, h: float = 0.0) -> Any:
    couplings = K * (np.roll(np.eye(n), 1, axis=0) + np.roll(np.eye(n), -1, axis=0))
    return BinaryNeurons(couplings, np.full(n, h)).exact()


def _share(holds: Any, low: float = 0.0, high: float = 1.0) -> float:
    """Return up to where a statement about a number holds, which it does from the low end on."""
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if holds(middle) else (low, middle)
    return low


def _heat_bath(F: float, T: float) -> float:
    exponent = np.float32(-2 * F / T)
    return _share(lambda u: rules.drawn(np.float32(u), exponent) == 1)


def _metropolis(F: float, T: float) -> float:
    exponent = np.float32(-2 * F / T)
    return _share(lambda u: rules.flips(np.float32(u), exponent))


def _wolff(K: float) -> float:
    return _chances(BinaryNeurons([[0.0, K], [K, 0.0]]))[0]


def _tempering(Delta: float, s: float) -> float:
    """Return the largest acceptance for which no temperature is put between two."""
    betas = 1 / (1 + Delta), 1.0
    return _share(lambda wanted: len(ladder(betas, np.array([s, s]), wanted)) == 2, 1e-9, 1 - 1e-9)


def _swapped(random: Any) -> dict[str, Any]:
    """Return steps of a ladder that are accepted once in 1e6 at least."""
    return {"Delta": random.uniform(0.1, 2.0), "s": random.uniform(0.1, 3.0)}


def _away(random: Any) -> dict[str, Any]:
    """Return a coupling that is not critical."""
    return {"K": random.choice([random.uniform(0.05, 0.42), random.uniform(0.46, 1.5)])}


INTERACTION = {
    "dynamic.energy": Row(lambda beta, lambda_, h, y, s: _neuron(beta, lambda_, y, s).energy([h])),
    "dynamic.gradient": Row(lambda beta, lambda_, h, y, s: _neuron(beta, lambda_, y, s).gradient([h])[0]),
    "dynamic.prior": Row(_prior),
    "linear-neurons.variance": Row(
        lambda M, m, w, lambda_: _linear(M, w, lambda_).covariance[m - 1, m - 1]
    ),
    "linear-neurons.covariance": Row(
        lambda M, m, w, lambda_: _linear(M, w, lambda_).covariance[m - 1, -1], 1e-10, 1e-15
    ),
    "linear-neurons.mean-given-target": Row(
        lambda M, m, w, x, y, beta, lambda_: _linear(M, w, lambda_, x, y, beta).mean[m - 1], 1e-9, 1e-13
    ),
    "linear-neurons.variance-given-target": Row(
        lambda M, m, w, beta, lambda_: _linear(M, w, lambda_, 1.0, 1.0, beta).covariance[m - 1, m - 1]
    ),
    "linear-neurons.energy": Row(lambda M, w, x, y, beta, lambda_: _linear(M, w, lambda_, x, y, beta).energy),
    "linear-neurons.log-partition": Row(
        lambda M, w, x, y, beta, lambda_: _linear(M, w, lambda_, x, y, beta).log_partition, beside=1e-12
    ),
    "linear-neurons.entropy": Row(
        lambda M, w, beta, lambda_: _linear(M, w, lambda_, 0.5, 0.5, beta).entropy, beside=1e-12
    ),
    "linear-weights.mean": Row(lambda x, y, beta, lambda_, sigma_w: _weight(x, beta, lambda_, sigma_w, y).mean[1]),
    "linear-weights.variance": Row(
        lambda x, beta, lambda_, sigma_w: _weight(x, beta, lambda_, sigma_w).covariance[1, 1]
    ),
    "chain.log-partition": Row(lambda n, K: _chain(n, K).log_partition),
    "chain.energy": Row(lambda n, K: _chain(n, K, 1.7).energy / 1.7),
    "chain.heat-capacity": Row(lambda n, K: _chain(n, K).heat_capacity),
    "chain.correlation": Row(lambda n, K: _chain(n, K).correlation[0, -1], 1e-10, 1e-15),
    "chain.free-energy": Row(lambda n, K, T: _chain(n, K, T).free_energy),
    "ring.log-partition": Row(lambda n, K, h: _ring(n, K, h).log_partition),
    "ring.correlation": Row(lambda n, K, r: _ring(n, K).correlation[0, r % n]),
    "onsager.log-partition": Row(lambda K: onsager(K).log_partition, points=2, at=_away),
    "onsager.energy": Row(lambda K: onsager(K).energy / K, at=_away),
    "onsager.heat-capacity": Row(lambda K: onsager(K).heat_capacity, 1e-11, at=_away),
    "onsager.critical-coupling": Row(lambda: _share(lambda K: onsager(K).magnetisation == 0), 1e-15, points=1),
    "kaufman.log-partition": Row(lambda R, C, K: kaufman(R, C, K).log_partition, points=2),
    "kaufman.energy": Row(lambda R, C, K: kaufman(R, C, K).energy / K, points=3),
    "kaufman.heat-capacity": Row(lambda R, C, K: kaufman(R, C, K).heat_capacity, 1e-9, 1e-12, points=3),
    "heat-bath.chance": Row(_heat_bath, 1e-5),
    "heat-bath.magnetisation": Row(lambda F, T: BinaryNeurons([[0.0]], [F], T).exact().magnetisation[0]),
    "metropolis.chance": Row(_metropolis, 1e-5),
    "wolff.bond": Row(_wolff, 1e-15),
    "tempering.acceptance": Row(_tempering, 1e-7, at=_swapped),
}  # fmt: skip


def _draws(rng: Any, rho: float, n: int, chains: int) -> Any:
    """Return draws of variance one whose correlation falls as rho^t, from their stationary law, (chains, n)."""
    draws, kicks = rng.standard_normal((n, chains)), math.sqrt(1 - rho**2)
    for now in range(1, n):
        draws[now] = rho * draws[now - 1] + kicks * draws[now]
    return draws.T


INTERACTION_SAMPLED = {
    "autoregression.tau": Sampled(
        lambda rng, rho: [min(4.0, estimate(_draws(rng, rho, 3000, 4)).tau) for _ in range(200)],
        {"rho": 0.5},
        bias=0.05,
    ),
    "autoregression.variance": Sampled(
        lambda rng, rho, n: [estimate(_draws(rng, rho, n, 1)).mean ** 2 for _ in range(1000)], {"rho": 0.5, "n": 60}
    ),
}  # fmt: skip
