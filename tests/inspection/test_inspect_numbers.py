"""Every number of the page beside one computed apart: classes, layers, activity, spikes, order.

Networks are taken apart into their arrays, from which numpy, scipy and scikit-learn compute what the page says,
without the rooms of the package that the page asks. Only the p-values of a room's own tests are taken from the room.
"""

import math
from types import SimpleNamespace

import numpy as np
import pytest
from clouds import UNITS, subject
from matplotlib.figure import Figure
from pages import SEED, agrees, layers_of, page
from scipy import integrate, optimize, special, stats
from sklearn.metrics import accuracy_score, confusion_matrix, precision_score, recall_score

from statnn import activation
from statnn._random import stream
from statnn.inspection import Measured, inspect
from statnn.inspection._activity import _blocks, _draw_counts, _rejected, _spike_row, _window
from statnn.inspection._layers import rank_by_chance
from statnn.inspection._section import PValue, share, shown
from statnn.measure import spikes
from statnn.network import Network, leaky_relu

# -- classes ---------------------------------------------------------------------------------------------


def test_classes_taken_for_each_other():
    labels, answers = subject()[2], layers_of()[0][-1].argmax(axis=1)
    section = page("classes")
    matrix = confusion_matrix(labels, answers)
    assert np.array_equal(section.results["counts"], matrix)
    recall, precision = (score(labels, answers, average=None) for score in (recall_score, precision_score))
    order = np.argsort(recall, kind="stable")
    taken = [next(int(k) for k in np.argsort(-row) if k != i) for i, row in enumerate(matrix)]
    wilson = lambda p, n: (p, math.sqrt((p * n + 2) / (n + 4) * (1 - (p * n + 2) / (n + 4)) / (n + 4)))  # noqa: E731
    expected = {
        "class": order.tolist(),
        "samples": matrix.sum(axis=1)[order].tolist(),
        "recognised": [wilson(recall[k], matrix[k].sum()) for k in order],
        "rightly given": [wilson(precision[k], matrix[:, k].sum()) for k in order],
        "taken for": [
            f"{taken[k]} ({n} time{'s' if n > 1 else ''})" if (n := matrix[k, taken[k]]) else None for k in order
        ],
    }
    agrees(section, expected)
    assert section.facts["recognised"].value == pytest.approx(accuracy_score(labels, answers), rel=1e-12)
    (name, always), *_ = list(section.facts.items())[1:]
    assert name == f"by always saying {np.bincount(labels).argmax()}, the most frequent class"
    assert always == pytest.approx(np.bincount(labels).max() / labels.size, rel=1e-12)


def test_classes_that_are_never_given_or_never_there_have_no_share():
    net = Network([[[1.0], [-1.0], [0.0], [-9.0]]], [[0.0, 0.0, -9.0, -9.0]], "identity")
    section = inspect(net, [[1.0], [2.0], [-1.0], [-3.0]], [0, 2, 1, 1], only=["classes"], rng=0)["classes"]
    rows = {row[0]: row[1:] for row in section.tables[0].rows}
    assert rows[2] == [1, share(0.0, 1), None, "0 (1 time)"]
    assert rows[3] == [0, None, share(0.0, 1), None]
    assert rows[0] == [1, share(1.0, 1), share(0.5, 2), None]


# -- layers ----------------------------------------------------------------------------------------------


def marchenko_pastur(ratio):
    """Return ⟨√x⟩ of the eigenvalues x of a large Wishart matrix with unit mean."""
    low, high = (1 - math.sqrt(ratio)) ** 2, (1 + math.sqrt(ratio)) ** 2
    density = lambda x: math.sqrt(x * (high - x) * (x - low)) / (2 * math.pi * ratio * x)  # noqa: E731
    return integrate.quad(density, low, high, limit=200)[0]


def test_the_rank_by_chance_is_that_of_random_matrices(rng):
    assert rank_by_chance(50, 50) == pytest.approx(50 * (8 / (3 * math.pi)) ** 2, rel=1e-7)
    assert rank_by_chance(1, 9) == 1.0
    assert rank_by_chance(30, 90) == rank_by_chance(90, 30)
    values = np.linalg.svd(rng.normal(size=(40, 60, 120)), compute_uv=False)
    ranks = values.sum(axis=1) ** 2 / (values**2).sum(axis=1)
    assert abs(ranks.mean() / rank_by_chance(60, 120) - 1) < 3 / 60**2 + 6 * ranks.std() / ranks.mean() / math.sqrt(40)


def test_layers():
    net, _, labels = subject()
    fields, _ = layers_of()
    section = page("layers")
    rows = {"out × in": [], "mean W": [], "σ_w": [], "σ_b": [], "rank of W": [], "rank by chance": []}
    for weight, bias in zip(net.weights, net.biases, strict=True):
        out, fan_in = weight.shape
        values = np.sqrt(np.maximum(np.linalg.eigvalsh(weight @ weight.T if out < fan_in else weight.T @ weight), 0))
        rows["out × in"].append(f"{out} × {fan_in}")
        rows["mean W"].append(math.fsum(weight.ravel()) / weight.size)
        rows["σ_w"].append(math.sqrt(fan_in * np.mean(weight**2)))
        rows["σ_b"].append(math.sqrt(np.mean(bias**2)))
        few, many = sorted((out, fan_in))
        mean = marchenko_pastur(few / many)
        rows["rank by chance"].append(few * mean**2)
        rows["rank of W"].append(values.sum() ** 2 / np.trace(weight @ weight.T))
    names = {"layer": ["hidden 1", "hidden 2", "outputs"]}
    kinds = {"activation": ["relu", "relu", "identity"], "batch norm": ["yes", "no", "no"]}
    order = ["layer", "out × in", "activation", "batch norm", "mean W", "σ_w", "σ_b", "rank of W", "rank by chance"]
    agrees(section, {name: (names | rows | kinds)[name] for name in order}, rel=1e-7)
    places = [[cell.value for cell in row[1:3]] for row in page("phase").tables[0].rows]  # σ_w and σ_b of both sections
    assert [row[5:7] for row in section.tables[0].rows[1:]] == [pytest.approx(place) for place in places]
    assert "of shares k/n are those of (k+2)/(n+4)" in section.about
    right = accuracy_score(labels, fields[-1].argmax(axis=1))
    wilson = (right * 240 + 2) / 244
    assert section.facts == {
        "network": f"Network(6-{UNITS}-{UNITS}-3, relu/identity, batch norm in 1 of 3 layers)",
        "parameters": (6 + 1) * UNITS + (UNITS + 1) * UNITS + (UNITS + 1) * 3,
        "precision": "float64",
        "accuracy": Measured(right, math.sqrt(wilson * (1 - wilson) / 244)),
    }


@pytest.mark.parametrize("size", [2.0**-600, 2.0**600])
def test_scales_of_weights_beyond_the_root_of_float64(size):
    net = Network([[[3.0 * size, 0.0], [0.0, 4.0 * size]]], [[size, 3.0 * size]], "tanh")
    (row,) = inspect(net, np.full((10, 2), 2.0**-610), only=["layers"], rng=0)["layers"].tables[0].rows
    assert row[4:-1] == pytest.approx(
        [1.75 * size, math.sqrt(2 * 6.25) * size, math.sqrt(5) * size, 1.96], rel=1e-14, abs=0
    )


def test_means_of_single_precision_are_taken_in_double():
    """The sum of the two weights is beyond the single precision of the network."""
    net = Network([np.float32([[3e38, 3e38]])], [np.float32([0.0])], "tanh")
    (row,) = inspect(net, np.zeros((10, 2)), only=["layers"], rng=0)["layers"].tables[0].rows
    assert row[4] == pytest.approx(3e38, rel=1e-7)


def test_a_share_has_the_error_of_agresti_and_coull():
    for k, n in ((0, 10), (3, 10), (10, 10), (240, 1000)):
        proportion = share(k / n, n)
        assert proportion.value == k / n
        assert proportion.error == pytest.approx(stats.beta(k + 2, n - k + 2).std() * math.sqrt((n + 5) / (n + 4)))


def test_numbers_are_read_to_four_digits():
    assert [shown(v) for v in (None, 7, "a", 0.000123456, 12345.6, math.inf, -math.inf, Measured(1.25, 0.031))] == [
        "–", "7", "a", "0.0001235", "1.235 × 10⁴", "∞", "−∞", "1.250 ± 0.031",
    ]  # fmt: skip


def test_probabilities_are_read_as_in_print():
    assert [shown(PValue(p)) for p in (0.54321, 4.226e-47, 0.0)] == ["0.54", "4.2 × 10⁻⁴⁷", "< 10⁻³⁰⁰"]
    assert str(Measured(3.2e-17, 4.1e-18)) == "(3.20 ± 0.41) × 10⁻¹⁷"
    assert [shown(-0.5), shown(-2e-7)] == ["−0.5", "−2 × 10⁻⁷"]


# -- activity --------------------------------------------------------------------------------------------


def maximum(minus_log_likelihood, start):
    """Return the logarithms of the best parameters, their errors, and the largest log-likelihood."""
    best = optimize.minimize(
        minus_log_likelihood, start, method="Nelder-Mead", options={"xatol": 1e-9, "fatol": 1e-11, "maxiter": 4000}
    )
    size, step = len(start), 1e-3 * np.eye(len(start))
    bend = np.empty((size, size))
    for i in range(size):
        for j in range(size):
            corners = [
                (a, b, minus_log_likelihood(best.x + a * step[i] + b * step[j])) for a in (1, -1) for b in (1, -1)
            ]
            bend[i, j] = sum(a * b * value for a, b, value in corners) / 4e-6
    return best.x, np.sqrt(np.diag(np.linalg.inv(bend))), -best.fun


def laws_of(counts, samples):
    """Return (AIC given the total, b, its error) of each law by scipy's distributions."""
    total, units = int(counts.sum()), counts.size

    def urn(log_b):
        return -stats.dirichlet_multinomial.logpmf(counts, np.full(units, math.exp(log_b[0])), total)

    def beta(logs):
        return -stats.betabinom.logpmf(counts, samples, *np.exp(logs)).sum()

    def gamma(logs):
        b, mean = np.exp(logs)
        return -stats.nbinom.logpmf(counts, b, b / (b + mean)).sum()

    laws = {}
    logs, errors, height = maximum(beta, [0.0, 0.0])
    fitted = stats.betabinom(samples, *np.exp(logs))
    height -= stats.norm(units * fitted.mean(), math.sqrt(units * fitted.var())).logpdf(total)
    laws["BetaBernoulli"] = (4 - 2 * height, math.exp(logs[0]), math.exp(logs[0]) * errors[0])
    logs, errors, height = maximum(urn, [0.0])
    laws["PolyaUrn"] = (4 - 2 * height, math.exp(logs[0]), math.exp(logs[0]) * errors[0])
    logs, errors, _ = maximum(gamma, [0.0, math.log(total / units)])
    laws["GammaPoisson"] = (4 + 2 * float(urn(logs[:1])), math.exp(logs[0]), math.exp(logs[0]) * errors[0])
    return laws


def activity_row(name, counts, samples, level=0.0):
    """Return the row of a layer whose units were active so often."""
    laws = laws_of(counts, samples)
    law = min(laws, key=lambda kind: laws[kind][0])
    _, b, error = laws[law]
    p = activation.compare(counts, samples).best.p_value
    power = 1 - b if b < 1 and p > 0.01 else None
    ends = int(np.sum(counts == 0)), int(np.sum(counts == samples))
    return [name, level, counts.size, *ends, counts.sum() / samples / counts.size, law, (b, error), p, power]


COLUMNS = ["layer", "threshold", "units", "silent", "always", "c/N", "law", "b", "p of fit", "α"]


def test_activity():
    _, h = layers_of()
    rows = [activity_row(f"hidden {m}", np.count_nonzero(h[m] > 0, axis=0), 240) for m in (1, 2)]
    section = page("activity")
    agrees(section, dict(zip(COLUMNS, zip(*rows, strict=True), strict=True)), rel=1e-4)
    assert section.facts == {"samples D": 240}
    data = section.pictures[0].data
    assert data["samples"] == 240
    for m in (1, 2):
        counts = np.count_nonzero(h[m] > 0, axis=0)
        assert np.array_equal(data[f"counts_{m}"], counts)
        silent = special.comb(240 - counts, data[f"at_{m}"][:, None]) / special.comb(240, data[f"at_{m}"][:, None])
        assert np.allclose(data[f"working_{m}"], (1 - silent).sum(axis=1))


@pytest.mark.parametrize("kind", ["power law", "rejected", "b above one"])
def test_the_exponent_is_given_where_it_means_something(kind, rng):
    """Each unit sees its own input, which takes all levels once: its count is known, and so is the law that holds."""
    units, samples = 300, 200
    middle, levels = (np.arange(units) + 0.5) / units, (np.arange(samples) + 0.5) / samples
    chance = {
        "power law": stats.beta(0.4, 3.0).ppf(middle),
        "rejected": np.where(np.arange(units) % 4 == 0, 0.5, 0.01),
        "b above one": stats.beta(3.0, 5.0).ppf(middle),
    }[kind]
    x = rng.permuted(np.tile(levels, (units, 1)), axis=1).T
    net = Network([np.eye(units), np.ones((1, units))], [chance - 1, np.zeros(1)], ["relu", "identity"])
    section = inspect(net, x, rng=0, only=["activity"])["activity"]
    row = activity_row("hidden 1", np.count_nonzero(x > 1 - chance, axis=0), samples)
    agrees(section, dict(zip(COLUMNS, zip(row, strict=True), strict=True)), rel=1e-4)
    assert (row[-1] is not None) == (kind == "power law")
    if kind == "power law":
        assert abs(section.tables[0].rows[0][7].value - 0.4) < 6 * section.tables[0].rows[0][7].error


def test_bars_and_law_are_densities_of_the_share_of_samples():
    """Of five samples every count has a bar, of width 1/5 about its share."""
    counts, law = np.repeat(np.arange(6), [20, 10, 5, 5, 0, 20]), stats.binom(5, 0.3)
    best = SimpleNamespace(process=SimpleNamespace(count=lambda samples: stats.binom(samples, 0.3)), b=1.0)
    ax = Figure().subplots()
    _draw_counts(ax, SimpleNamespace(samples=5, units=60, counts=counts, comparison=SimpleNamespace(best=best)))
    bars, curve = (steps.get_data() for steps in ax.patches)
    assert bars.edges == pytest.approx((np.arange(7) - 0.5) / 5)
    assert bars.values == pytest.approx(5 * np.array([20, 10, 5, 5, 0, 20]) / 60)
    assert curve.values == pytest.approx(5 * law.pmf(np.arange(6)))


def test_a_slope_stands_beside_the_activation():
    net = Network([np.eye(2)], activation=leaky_relu(0.3))
    assert inspect(net, np.eye(2), only=["layers"], rng=0)["layers"].tables[0].rows[0][2] == "leaky relu 0.3"


# -- spikes ----------------------------------------------------------------------------------------------


def holm(p, level=0.05):
    """Count rejections, step by step."""
    left = sorted(p)
    for number, value in enumerate(left):
        if value > level / (len(left) - number):
            return number
    return len(left)


def spike_row(m, order, active, blocks, window):
    """Return the row of a layer for samples presented in blocks, each in random order under the null."""
    counts, within = [], np.zeros(active.shape[1])
    for block in blocks:
        whole = active[block][: len(block) // window * window]
        number = len(whole) // window
        counts.append(whole.reshape(number, window, -1).sum(axis=1))
        with np.errstate(all="ignore"):  # scipy divides by zero for moments that are not asked for
            average, variance = stats.hypergeom.stats(len(whole), whole.sum(axis=0), window, moments="mv")
        within += number * (variance + average**2)
    n = np.concatenate(counts)
    mean, rate = n.mean(axis=0), n.mean(axis=0) / window
    working = mean > 0
    fano = n.var(axis=0)[working] / mean[working]
    null = (within / len(n) - mean**2)[working] / mean[working]
    p, tests = np.ones(len(mean)), np.zeros(len(mean))
    for part in counts:
        total = part.sum(axis=0)
        tested = (total > 1) & (window * len(part) - total > 1)  # others have one arrangement of counts
        values = spikes.from_window_counts(part, window).test("binomial").p_value
        p, tests = np.where(tested, np.minimum(p, values), p), tests + tested
    rejected = f"{holm(np.minimum(p * tests, 1)[tests > 0])} of {np.count_nonzero(tests)}"
    numbers = [rate.mean(), rate.var(), fano.mean(), null.mean(), 1 - rate[working].mean(), fano.var()]
    row = [f"hidden {m}", order, *map(float, numbers), int(np.sum(~working)), rejected]
    return row, rate, fano, null


def test_spikes():
    _, _, labels = subject()
    _, h = layers_of()
    window = min(24, int(np.bincount(labels).min()) // 5)
    section = page("spikes")
    rows, data = [], section.pictures[0].data
    for m in (1, 2):
        mixed = stream(SEED, 2, m)
        mixed = stream((tuple(int(w) for w in mixed.integers(2**32, size=4, dtype=np.uint64)), ())).permutation(240)
        classes = [np.flatnonzero(labels == k) for k in range(3)]
        rows.append(spike_row(m, "shuffled", h[m] > 0, [mixed], window)[0])
        row, rate, fano, null = spike_row(m, "blocked", h[m] > 0, classes, window)
        rows.append(row)
        working = rate > 0
        assert np.allclose(data[f"rate_{m}"], rate)
        assert np.allclose(data[f"fano_factor_{m}"][working], fano)
        assert np.allclose(data[f"null_fano_factor_{m}"][working], null)
        assert np.isnan(data[f"fano_factor_{m}"][~working]).all()
    columns = ["layer", "order", "MFR", "var r", "MFF", "by chance", "1−r", "var F", "silent", "rejected"]
    agrees(section, dict(zip(columns, zip(*rows, strict=True), strict=True)))
    assert section.facts == {"window T": window, "samples": 240}


@pytest.mark.parametrize(
    ("classes", "window"), [((5000,), 100), ((400, 400), 80), ((500, 60), 12), ((500, 10), 2), ((500, 9), 50)]
)
def test_there_are_ten_windows_and_five_of_every_class_that_has_room_for_two_samples_in_each(classes, window):
    labels = np.repeat(np.arange(len(classes)), classes)
    asked = SimpleNamespace(options=SimpleNamespace(window=None), samples=labels.size, labels=labels)
    assert _window(asked) == window
    asked.labels = None
    assert _window(asked) == min(100, sum(classes) // 10)


def test_a_class_of_two_windows_is_tested_by_itself():
    blocks = list(_blocks(np.eye(19)[:, :3], 0.0, 5, np.repeat([0, 1], [10, 9])))
    assert [(block.units, block.samples) for block in blocks] == [(3, 10)]


def test_the_smallest_p_of_several_classes_is_one_of_several():
    """0.03 in one of two is 0.06; a unit that one class can test counts once, and one that no class can test never."""
    first = np.ma.array([0.03, 1e-6, 0.5], mask=[False, False, True])
    assert _rejected([first, np.ma.array([0.9, 0.5, 0.5], mask=[False, True, True])], 3) == (1, 2)
    assert _rejected([first], 3) == (2, 2)


def test_independent_stimuli_are_those_of_units_that_fire():
    """Of two units one fires in half of the samples, and one never."""
    assert _spike_row("hidden 1", spikes.from_window_counts([[1, 0], [3, 0]], 4), (0, 1))[6] == pytest.approx(0.5)


# -- order -----------------------------------------------------------------------------------------------


def above(h, labels):
    """Return, for each pair of classes, how often each of its samples is above one of the other, (units, n_k, n_j)."""
    wins = {}
    for k in range(3):
        for j in range(3):
            own, others = h[labels == k].T[:, :, None], h[labels == j].T[:, None, :]
            wins[k, j] = (own > others) + 0.5 * (own == others)
    return wins


def slopes_of(h, towards, labels):
    """Return s of every class by Mann and Whitney's statistic, and its layer mean with an error by jackknife."""
    tally = np.bincount(labels)
    shares = tally / labels.size
    slopes, wins = [], above(h, labels)
    moved = [np.zeros(n) for n in tally]  # the layer slope with one sample left out, less the slope, times n - 1
    for k in range(3):
        sign = np.sign(towards[k])
        used = sign != 0
        ranks = stats.rankdata(sign[used] * h[:, used], axis=0)[labels == k].mean(axis=0)
        areas = (ranks - (tally[k] + 1) / 2) / (labels.size - tally[k])
        slopes.append(12 * (1 - shares[k]) * (np.mean(areas) - 0.5))
        for j in range(3):
            if j == k:
                continue
            weight = 12 * (1 - shares[k]) * tally[j] / (labels.size - tally[k]) / 3
            pairs = 0.5 + (sign[:, None, None] * (wins[k, j] - 0.5))[used].mean(axis=0)
            area = pairs.mean()
            left_k = (pairs.sum() - pairs.sum(axis=1)) / (pairs.size - tally[j])
            left_j = (pairs.sum() - pairs.sum(axis=0)) / (pairs.size - tally[k])
            moved[k] += weight * (left_k - area) * (tally[k] - 1)
            moved[j] += weight * (left_j - area) * (tally[j] - 1)
    error = math.sqrt(sum(influence.var(ddof=1) / influence.size for influence in moved))
    return slopes, (float(np.mean(slopes)), error)


def test_order():
    net, _, labels = subject()
    fields, h = layers_of()
    w = [np.asarray(values) for values in net.weights]
    b = [np.asarray(values) for values in net.biases]
    towards = [w[2] @ w[1], w[2], np.eye(3)]
    slopes = [slopes_of(values, matrix, labels) for values, matrix in zip(fields, towards, strict=True)]
    outputs = [
        w[2] @ (w[1] @ (w[0] @ h[0].T + b[0][:, None]) + b[1][:, None]) + b[2][:, None],
        w[2] @ (w[1] @ h[1].T + b[1][:, None]) + b[2][:, None],
        w[2] @ h[2].T + b[2][:, None],
        fields[2].T,
    ]
    right = [accuracy_score(labels, values.argmax(axis=0)) for values in outputs]
    pulled = [(p * 240 + 2) / 244 for p in right]
    errors = [math.sqrt(p * (1 - p) / 244) for p in pulled]
    section = page("order")
    agrees(
        section,
        {
            "layer": ["inputs", "hidden 1", "hidden 2", "outputs"],
            "slope s": [None, *(values for _, values in slopes)],
            "s of classes": [None, *(f"{min(s):.2f} … {max(s):.2f}" for s, _ in slopes)],
            "accuracy, linear above": list(zip(right, errors, strict=True)),
        },
    )
    data = section.pictures[0].data
    assert np.allclose(data["l_map_accuracy"], right)
    assert np.allclose(data["l_map_accuracy_error"], errors)
    assert np.allclose(data["layer_slope"], [values[0] for _, values in slopes])
    assert np.allclose(data["layer_slope_error"], [values[1] for _, values in slopes])
    assert data["layers"].tolist() == [0, 1, 2]


def test_a_unit_that_rests_once_is_not_always_active():
    """Three units: one active in all samples, one in all but one, one in all but two."""
    x = np.linspace(-1, 1, 60)[:, None]
    net = Network([np.ones((3, 1)), np.ones((1, 3))], [[2.0, 0.99, 0.98 - 2 / 59], [0.0]], ["relu", "identity"])
    table = inspect(net, x, only=["activity"], rng=0)["activity"].tables[0]
    assert table.rows[0][list(table.columns).index("always")] == 1
