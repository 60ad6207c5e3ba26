"""Every number of the page beside one computed apart: basins, strength, correlation, phase.

The other sections are in `test_inspect_numbers.py`.
"""

import math
from functools import cache
from types import SimpleNamespace

import numpy as np
import pytest
from clouds import UNITS, subject
from pages import SEED, agrees, layers_of, page
from scipy import optimize, stats

from statnn._random import stream
from statnn.inspection import inspect
from statnn.inspection._classification import _by_class
from statnn.measure import basins
from statnn.network import Network

# -- basins ----------------------------------------------------------------------------------------------


def middle_of(radii, share_below):
    """Return the smallest radius that at least this share of the radii does not exceed."""
    radii = sorted(radii)
    return float(radii[math.ceil(share_below * len(radii)) - 1])


def test_basins():
    net, x, labels = subject()
    chosen = np.sort(stream(SEED, 3).permutation(240)[:20])
    section = page("basins")
    radii = {
        "samples": basins.sample_basin(net, x[chosen], labels[chosen], draws=8, rng=stream(SEED, 4, 0)).radius,
        "weights": basins.weight_basin(net, x[chosen], labels[chosen], draws=8, rng=stream(SEED, 4, 1)).radius,
    }
    quarters = {"median σ*": 0.5, "lower quartile": 0.25, "upper quartile": 0.75}
    expected = {"space": ["samples", "weights"]} | {
        name: [middle_of(radius, level) for radius in radii.values()] for name, level in quarters.items()
    }
    expected["infinite"] = [f"{100 * sum(map(math.isinf, radius)) / 20:.1f}%" for radius in radii.values()]
    expected["σ* = 0"] = [f"{100 * sum(r == 0 for r in radius) / 20:.1f}%" for radius in radii.values()]
    agrees(section, expected)
    groups = {k: np.flatnonzero(labels[chosen] == k) for k in sorted(set(labels[chosen].tolist()))}
    by_class = {"class": list(groups), "samples": [len(at) for at in groups.values()]}
    for name, radius in radii.items():
        by_class[f"median σ*, {name}"] = [middle_of(radius[at], 0.5) for at in groups.values()]
        ends = [100 * sum(map(math.isinf, radius[at])) / len(at) for at in groups.values()]
        by_class[f"infinite, {name}"] = [f"{end:.1f}%" for end in ends]
    agrees(section, by_class, table=1)
    assert section.facts == {"samples": 20, "directions of noise a sample": 8}
    for name, radius in radii.items():
        assert np.array_equal(section.pictures[0].data[f"radius_{name}"], radius)
        low, high = (section.pictures[0].data[f"{end}_{name}"] for end in ("low", "high"))
        assert ((low <= radius) & (radius <= high)).all()


def test_basins_of_the_first_twenty_classes_are_listed():
    labels = np.arange(42) // 2
    basin = SimpleNamespace(by_class=lambda: {k: np.array([2.0 * k, 2.0 * k + 1]) for k in range(21)})
    assert [row[:3] for row in _by_class({"samples": basin}, labels).rows] == [[k, 2, 2.0 * k] for k in range(20)]


def test_progress_through_both_spaces_is_that_of_the_whole():
    net, x, labels = subject()
    reports = []
    inspect(net, x, labels, only=["basins"], rng=0, basins=6, draws=4, progress=lambda *what: reports.append(what))
    steps = [(done, total) for _, done, total in reports[1:-1]]
    assert steps[-1] == (12, 12)
    assert steps == sorted(set(steps))


# -- strength and correlation ----------------------------------------------------------------------------


def test_strength():
    net, _, _ = subject()
    w, b = [np.asarray(values) for values in net.weights], [np.asarray(values) for values in net.biases]
    strengths = [
        w[0].sum(axis=0),
        w[0].sum(axis=1) + b[0] + w[1].sum(axis=0),
        w[1].sum(axis=1) + b[1] + w[2].sum(axis=0),
        w[2].sum(axis=1) + b[2],
    ]
    parts = [0.0, *(m.shape[1] * m.var(ddof=1) + v.var(ddof=1) for m, v in zip(w, b, strict=True))]
    parts = np.array(parts) + np.array([*(m.shape[0] * m.var(ddof=1) for m in w), 0.0])
    units = np.array([6, UNITS, UNITS, 3])
    spread = np.array([values.std() for values in strengths])
    lower = stats.gamma((units - 1) / 2, scale=2 * parts / units).cdf(spread**2)
    section = page("strength")
    agrees(
        section,
        {
            "layer": ["inputs", "hidden 1", "hidden 2", "outputs"],
            "units": units.tolist(),
            "mean s": [math.fsum(values) / values.size for values in strengths],
            "fluctuation Y": spread.tolist(),
            "by chance": np.sqrt(parts * (units - 1) / units).tolist(),
            "p": (2 * np.minimum(lower, 1 - lower)).tolist(),
        },
        rel=1e-8,
    )
    data = section.pictures[0].data
    for m, values in enumerate(strengths):
        assert np.allclose(data[f"strength_{m}"], values)
    assert np.allclose(data["fluctuation"], spread)
    assert np.allclose(data["by_chance"], np.sqrt(parts * (units - 1) / units))


def gradients(net, x):
    """Return the gradients of all outputs by all weights and biases, shape (samples, outputs, parameters)."""
    h = [x]
    slopes = []
    for m, (w, b) in enumerate(zip(net.weights, net.biases, strict=True)):
        field = h[-1] @ np.asarray(w).T + np.asarray(b)
        slopes.append((field > 0) * 1.0 if m < 2 else np.ones_like(field))
        h.append(field * slopes[-1])
    back = np.broadcast_to(np.eye(3), (len(x), 3, 3))
    parts = []
    for m in (2, 1, 0):
        back = back * slopes[m][:, None, :]
        parts += [np.einsum("sko,si->skoi", back, h[m]).reshape(len(x), 3, -1), back]
        back = back @ np.asarray(net.weights[m])
    return np.concatenate(parts, axis=2)


def test_correlation_and_tangent_kernel():
    net, x, _ = subject()
    _, h = layers_of()
    section = page("correlation")
    names = ["units", "constant", "mean |r|", "mean r²", "participation", "p. by chance"]
    rows = {name: [] for name in names}
    for m in (1, 2):
        varying = h[m][:, h[m].std(axis=0) > 0]
        r = np.corrcoef(varying.T)[np.triu_indices(varying.shape[1], 1)]
        spread = np.linalg.eigvalsh(np.cov(varying.T))
        own = varying.var(axis=0, ddof=1)
        by_chance = np.sum(own**2) + (own.sum() ** 2 - np.sum(own**2)) / 239
        rows["units"].append(UNITS)
        rows["constant"].append(UNITS - varying.shape[1])
        rows["mean |r|"].append(float(np.abs(r).mean()))
        rows["mean r²"].append(float((r**2).mean()))
        rows["participation"].append(float(spread.sum() ** 2 / np.sum(spread**2)))
        rows["p. by chance"].append(float(own.sum() ** 2 / by_chance))
    square = stats.beta(0.5, 119)  # the law of r² of two independent Gaussian units in 240 samples
    rows |= {
        "layer": ["hidden 1", "hidden 2"],
        "|r| by chance": [float(square.expect(np.sqrt))] * 2,
        "r² by chance": [float(square.mean())] * 2,
    }
    columns = ["layer", "units", "constant", "mean |r|", "|r| by chance", "mean r²", "r² by chance", *names[-2:]]
    agrees(section, {name: rows[name] for name in columns}, rel=1e-7)
    some = np.sort(stream(SEED, 5).permutation(240)[:200])
    jacobian = gradients(net, x[some])
    kernel = sum(jacobian[:, k] @ jacobian[:, k].T for k in range(3))
    shares = np.linalg.eigvalsh(kernel)
    shares = shares[shares > 1e-13 * shares.max()] / np.trace(kernel)
    entropy = stats.entropy(shares)
    norms = np.einsum("skp,skp->s", jacobian, jacobian)
    trace = section.facts["trace a sample"]
    assert (trace.value, trace.error) == pytest.approx((norms.mean(), norms.std(ddof=1) / math.sqrt(200)), rel=1e-6)
    facts = {name: value for name, value in section.facts.items() if name != "trace a sample"}
    assert {name: pytest.approx(value, rel=1e-6) for name, value in facts.items()} == {
        "samples of the tangent kernel": 200,
        "entropy": entropy,
        "effective rank": math.exp(entropy),
    }


# -- phase -----------------------------------------------------------------------------------------------

NODES, WEIGHTS = np.polynomial.hermite_e.hermegauss(60)
WEIGHTS = WEIGHTS / WEIGHTS.sum()


def tanh_maps(q, c, w, b):
    """Return variance and correlation after a layer, and the slope of the correlation map, by Gauss and Hermite."""
    z, other = np.meshgrid(NODES, NODES, indexing="ij")
    both = np.outer(WEIGHTS, WEIGHTS)
    u, v = math.sqrt(q) * z, math.sqrt(q) * (c * z + math.sqrt(max(1 - c * c, 0.0)) * other)
    above_q = w * w * float(WEIGHTS @ np.tanh(math.sqrt(q) * NODES) ** 2) + b * b
    product = w * w * float(np.sum(both * np.tanh(u) * np.tanh(v))) + b * b
    slope = w * w * float(np.sum(both / np.cosh(u) ** 2 / np.cosh(v) ** 2))
    return above_q, product / above_q, slope * q / above_q


def root_mean_square(values):
    squares = np.asarray(values).ravel() ** 2
    level = math.sqrt(squares.mean())
    return level, squares.std(ddof=1) / math.sqrt(squares.size) / (2 * level)


@cache
def deep():
    """A network of tanh units that order, in seven layers, and its inputs."""
    net = Network.random([8] + [60] * 7, ["tanh"] * 6 + ["identity"], sigma_w=0.8, sigma_b=0.3, rng=5)
    x = np.random.default_rng(6).normal(size=(80, 8))
    return net, x, inspect(net, x, rng=1, only=["phase"])["phase"]


def pairs_of(net, x):
    """Return variances of fields and correlations of the pairs of samples that are followed, layer by layer."""
    words = stream(SEED, 6).integers(2**32, size=4, dtype=np.uint64)
    at = stream((tuple(int(w) for w in words), ())).permutation(len(x))
    h, variance, correlation = x[at], [], []
    for w, b, sigma in zip(net.weights, net.biases, net.activations, strict=True):
        field = h @ np.asarray(w).T + np.asarray(b)
        first, second = field[: len(x) // 2], field[len(x) // 2 :]
        variance.append(float(np.mean(field**2)))
        correlation.append(
            (first * second).sum(axis=1) / np.linalg.norm(first, axis=1) / np.linalg.norm(second, axis=1)
        )
        h = {"tanh": np.tanh, "relu": lambda field: np.maximum(field, 0), "identity": np.array}[sigma.name](field)
    return variance, np.array(correlation)


def decay_length(mean, error):
    m = np.arange(mean.size)
    start = [mean[-1], mean[0] - mean[-1], 1.0]
    best, _ = optimize.curve_fit(
        lambda m, limit, height, length: limit + height * np.exp(-m / length), m, mean, start, error, maxfev=20_000
    )
    return best[2]


def test_phase():
    net, x, section = deep()
    variance, correlation = pairs_of(net, x)
    mean = correlation.mean(axis=1)
    error = correlation.std(axis=1, ddof=1) / math.sqrt(40)
    rows = {name: [] for name in ("layer", "σ_w", "σ_b", "phase", "χ", "ξ_c", "variance", "predicted q")}
    rows |= {"correlation": [], "predicted c": []}
    q, c = variance[0], float(mean[0])
    for m in range(1, 7):
        w = root_mean_square(np.asarray(net.weights[m]) * math.sqrt(net.widths[m]))
        b = root_mean_square(net.biases[m])
        still = 1.0
        for _ in range(200):
            still = w[0] ** 2 * float(WEIGHTS @ np.tanh(math.sqrt(still) * NODES) ** 2) + b[0] ** 2
        chi = tanh_maps(still, 1.0, w[0], b[0])[2]
        q, c, _ = tanh_maps(q, c, w[0], b[0])
        rows["layer"].append("outputs" if m == 6 else f"hidden {m + 1}")
        rows["σ_w"].append(w)
        rows["σ_b"].append(b)
        rows["phase"].append("ordered")
        rows["χ"].append(chi)
        rows["ξ_c"].append(-1 / math.log(chi))
        rows["variance"].append(variance[m])
        rows["predicted q"].append(q)
        rows["correlation"].append((float(mean[m]), float(error[m])))
        rows["predicted c"].append(c)
    assert all(chi < 1 for chi in rows["χ"])
    agrees(section, rows, rel=1e-6)
    assert section.facts.keys() == {"measured correlation length, layers"}
    length = section.facts["measured correlation length, layers"]
    left = [decay_length(correlation[:, np.arange(40) % 10 != g].mean(axis=1), error) for g in range(10)]
    assert length.value == pytest.approx(decay_length(mean, error), rel=1e-3)
    assert length.error == pytest.approx(math.sqrt(0.9 * 10 * np.var(left)), rel=1e-2)
    data = section.pictures[0].data
    for name, column in (("sigma_w", "σ_w"), ("sigma_b", "σ_b")):
        assert np.allclose(data[name], [value for value, _ in rows[column]])
        assert np.allclose(data[f"{name}_error"], [value for _, value in rows[column]])
    assert np.allclose(data["correlation"], mean)
    assert np.allclose(data["correlation_error"], error)
    assert np.allclose(data["variance"], variance)
    assert np.allclose(data["predicted_variance"], [variance[0], *rows["predicted q"]])
    assert np.allclose(data["predicted_correlation"], [mean[0], *rows["predicted c"]])


def test_phase_of_the_classifier():
    """Closed forms of relu layers: the angle θ of two signals goes to cos θ' = (sin θ + (π-θ) cos θ)/π."""
    net, x, _ = subject()
    variance, correlation = pairs_of(net, x)
    rows = page("phase").tables[0].rows
    q, c = variance[0], float(correlation[0].mean())
    for m, row in zip((1, 2), rows, strict=True):
        level = math.sqrt(np.mean(np.asarray(net.weights[m]) ** 2) * net.widths[m])
        angle = math.acos(c)
        q, c = level**2 * q / 2, (math.sin(angle) + (math.pi - angle) * c) / math.pi
        chi = level**2 / 2
        assert row[3] == ("ordered" if chi < 1 else "unbounded")
        assert row[5] == pytest.approx(-1 / math.log(chi) if chi < 1 else math.inf)
        numbers = [row[4], row[6], row[7], row[8].value, row[9]]
        assert numbers == pytest.approx([chi, variance[m], q, correlation[m].mean(), c], rel=1e-9)


def test_basins_in_weight_space_leave_out_layers_of_equal_weights():
    net, x, labels = subject()
    single = Network([net.weights[0], np.ones((1, UNITS)), [[0.5], [-1.0], [1.5]]], None, "tanh")
    options = {"rng": 1, "basins": 6, "draws": 8, "only": ["basins"]}
    section = inspect(single, x, labels, **options)["basins"]
    assert section.remarks == (
        "space of weights: no noise on those into hidden 2, all equal: its unit is how they differ",
    )
    chosen = np.sort(stream(SEED, 3).permutation(240)[:6])
    alone = basins.weight_basin(single, x[chosen], labels[chosen], draws=8, layers=[0, 2], rng=stream(SEED, 4, 1))
    assert np.array_equal(section.results["weights"].radius, alone.radius)
    assert list(inspect(Network([np.ones((3, 6))]), x, labels, **options)["basins"].results) == ["samples"]
