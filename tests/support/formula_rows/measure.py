"""What is measured of networks: what computes its formulas."""

from typing import Any

import numpy as np

from formula_rows.row import Row, Sampled
from statnn.measure import correlation, graph, order, spikes
from statnn.measure.basins import sample_basin
from statnn.measure.spikes._tests import dispersion_moments
from statnn.measure.tangent import TangentKernel, tangent_kernel
from statnn.network import Network

SAMPLES, MEMBERS = 20, 6


def _blocked(p_1: float, p_2: float, T: int) -> float:
    """Return the Fano factor of a class that fires among one that does not, of these two moments."""
    share = p_1**2 / p_2
    return spikes.blocked_fano_factor([p_2 / p_1, 0.0], T, weights=[share, 1 - share])


def _intervals(r: float) -> float:
    mean, total, none = np.ma.array([1 / r]), np.ones(1), np.zeros(1, dtype=int)
    return spikes.Intervals(r * total, mean, mean, none, none, total).null_cv[0]


def _dispersion(moment: int) -> Any:
    return lambda m, W, T=None: dispersion_moments(np.array([float(m)]), W, T)[moment][0]


def _activity(samples: int, variances: list[float]) -> Any:
    """Return the activity of two units that do not correlate in this many samples, of these variances."""
    waves = np.exp(2j * np.pi * np.arange(samples) / samples)
    columns = np.stack([waves.real, np.real(waves * 1j) if samples > 2 else waves.real], axis=1)
    return columns / np.sqrt((columns**2).sum(axis=0)) * np.sqrt(np.array(variances) * (samples - 1))


def _two(total: float, squares: float) -> list[float]:
    """Return two variances of this sum and sum of squares."""
    gap = np.sqrt(2 * squares - total**2)
    return [(total + gap) / 2, (total - gap) / 2]


def _spread(random: Any) -> dict[str, Any]:
    total = random.uniform(0.5, 3)
    square = total**2 * random.uniform(0.51, 0.99)
    return {"D": random.randint(3, 9), "V": total, "Q": square, "f": random.randint(3, 9), "t": total, "a": square}


def _won(random: Any) -> dict[str, Any]:
    pairs = MEMBERS * (SAMPLES - MEMBERS)
    return {"pi": MEMBERS / SAMPLES, "a": random.randint(0, pairs) / pairs}


def _slope(pi: float, a: float) -> float:
    """Return the slope of a class whose members rank above so many of the others as its area says."""
    others = SAMPLES - MEMBERS
    won, more = divmod(round(a * MEMBERS * others), MEMBERS)
    members = [won + (k < more) + 0.5 + k / 100 for k in range(MEMBERS)]
    net = Network([[[1.0]], [[-1.0], [1.0]]], activation="identity")
    fields = np.array([*range(1, others + 1), *members])[:, None]
    ranks = order.rank_probability(net, fields, [0] * others + [1] * MEMBERS)
    assert abs(ranks.share[1] - pi) < 1e-12
    assert abs(ranks.auc[1] - a) < 1e-12
    return ranks.slope[1]


def _kernel(x: float, z: float, w: float, b: float) -> float:
    return tangent_kernel(Network([[[w]]], [[b]], "tanh"), [[x], [z]]).matrix[0, 1]


def _equal(n: int) -> TangentKernel:
    return TangentKernel(np.eye(n), np.ones(n))


MEASURE = {
    "fano.independent": Row(lambda r: spikes.independent_fano_factor(rate=r)),
    "fano.shuffled": Row(lambda M, m, T: spikes.shuffled_fano_factor(m / M, T, M), beside=1e-15),
    "fano.blocked": Row(_blocked),
    "intervals.cv": Row(_intervals),
    **{
        f"dispersion.{kind}{name}": Row(_dispersion(moment), 1e-11, 1e-10)
        for kind in ("", "poisson-")
        for moment, name in enumerate(("mean", "variance", "third"))
    },
    "correlation.mean-square": Row(
        lambda D: correlation.Correlation(np.eye(2), np.arange(2), 0, D).null_mean_square
    ),
    "correlation.mean-absolute": Row(
        lambda D: correlation.Correlation(np.eye(2), np.arange(2), 0, D).null_mean_absolute
    ),
    "participation.null": Row(
        lambda D, V, Q: correlation.participation_ratio(_activity(D, _two(V, Q))).null, at=_spread
    ),
    "participation.corrected": Row(
        lambda f, t, a: correlation.participation_ratio(_activity(f + 1, _two(t, a))).corrected, 1e-10, at=_spread
    ),
    "strength.fluctuation": Row(
        lambda sigma_w, sigma_b, n, n_above: graph.strength(
            Network.random([3, n, n_above], "tanh", 1.0, 0.1, rng=1), sigma_w=sigma_w, sigma_b=sigma_b
        ).null_fluctuation[1]
    ),
    "order.slope": Row(_slope, 1e-10, 1e-13, at=_won),
    "tangent.kernel": Row(_kernel),
    "tangent.entropy": Row(lambda n: _equal(n).entropy, beside=1e-15),
    "tangent.effective-rank": Row(lambda n: _equal(n).effective_rank),
}  # fmt: skip


def _band(rng: Any, m: float, x: float, p: float) -> Any:
    """Return radii of samples at this field, of a network with one class in a band."""
    direction = np.array([0.6, 0.8])
    net = Network(
        [np.stack((direction, -direction)), [[0.0, 0.0], [1.0, 1.0]]], [[0.0, 0.0], [m, 0.0]], ["relu", "identity"]
    )
    return sample_basin(net, np.tile(x * direction, (150, 1)), draws=2000, threshold=p, rng=rng).radius


MEASURE_SAMPLED = {"basin.band": Sampled(_band, {"m": 1.0, "x": 0.4, "p": 0.5}, bias=0.005)}
