"""What a picture shows is what was computed: curves, bands and bars against numbers known apart."""

import math
from dataclasses import replace

import numpy as np
import pytest
from matplotlib.figure import Figure
from scipy import stats

from statnn import Network, rg
from statnn.activation import BetaBernoulli, GammaPoisson, PolyaUrn, compare, fit, rarefaction
from statnn.inspection._activity import _draw_counts
from statnn.inspection._layers import _draw_strength
from statnn.interaction import BinaryNeurons
from statnn.measure import basins, correlation, graph, growth, order, spikes, tangent
from statnn.montecarlo import estimate, sample
from statnn.montecarlo._plot import draw
from statnn.rg._layers.portrait import binary_line, linear_line
from statnn.rg._layers.single import renormalised
from statnn.testing import Power

COUNTS = np.repeat([0, 1, 2, 3, 5, 8, 13, 21], [6, 4, 3, 2, 2, 1, 1, 1])
"""Counts of twenty neurons in 40 samples."""


def axes():
    return Figure().add_subplot()


def band(ax, x):
    """Return the lowest and the highest place of the first band at x."""
    vertices = ax.collections[0].get_paths()[0].vertices
    heights = vertices[np.isclose(vertices[:, 0], x), 1]
    return heights.min(), heights.max()


def bars(container, direction=-1):
    """Return places and values of points with bars, and how far the bars reach down and up."""
    x, y = container.lines[0].get_data()
    ends = np.array(container.lines[2][direction].get_segments())[:, :, 1 if direction else 0]
    middle = y if direction else x
    return x, y, middle - ends.min(axis=1), ends.max(axis=1) - middle


def by_label(ax, start):
    return next(line for line in ax.lines if str(line.get_label()).startswith(start))


# -- activation ------------------------------------------------------------------------------------------


def test_a_process_stands_in_a_band_of_one_deviation():
    """S = bN/(cD+bN) = 2/(D+2), and a variance of N S (1-S)."""
    ax = GammaPoisson(4, 1.0, 2.0).plot(axes(), D=[2, 6])
    assert band(ax, 2) == pytest.approx((1.0, 3.0))
    assert band(ax, 6) == pytest.approx((3 - math.sqrt(0.75), 3 + math.sqrt(0.75)))


def test_a_process_that_grows_at_once_is_drawn_from_one_sample_on_and_has_no_impossible_neurons():
    """Growth is steepest after 0.017 samples; b → 0 leaves one neuron or all: a deviation reaches beyond both."""
    for process in (BetaBernoulli(20, 0.05, 15.0), BetaBernoulli(20, 1e-3, 10.0)):
        ax = process.plot(axes())
        d = ax.lines[0].get_xdata()
        assert (d[0], len(ax.lines)) == (1.0, 1)
        heights = ax.collections[0].get_paths()[0].vertices[:, 1]
        assert 0 <= heights.min() <= heights.max() <= 20
    dot = BetaBernoulli(20, 0.05, 15.0).plot(axes(), D=[0.001, 0.1]).lines[1]
    assert dot.get_xdata() == pytest.approx([0.0167], 0.1)
    assert band(rarefaction([1] + [0] * 9, 10, [1, 5, 10]).plot(axes()), 1)[0] == 0  # 0.1 - 2 · 0.3


def test_a_rarefied_curve_stands_in_a_band_of_two_deviations():
    """One of ten samples: 0.1 + 0.2 + 1 working neurons, with a variance of 0.09 + 0.16."""
    ax = rarefaction([0, 1, 2, 10], 10, [1, 5, 10]).plot(axes())
    assert band(ax, 1) == pytest.approx((0.3, 2.3))


def test_counts_of_a_fit_are_densities_with_binomial_bars():
    """Bins of 1 to 2, 3 to 7 and 8 to 21 hold 7, 4 and 3 of the twenty."""
    fitted = fit(COUNTS, 40, replicas=19, rng=1)
    ax = fitted.plot(axes(), bins=3)
    x, y, down, up = bars(ax.containers[0])
    share, width = np.array([7, 4, 3]) / 20, np.array([2, 5, 14])
    assert x == pytest.approx(np.sqrt([1 * 2, 3 * 7, 8 * 21]))
    assert y == pytest.approx(share / width)
    assert down == pytest.approx(np.sqrt(share * (1 - share) / 20) / width)
    assert up == pytest.approx(down)
    curve = by_label(ax, "BetaBernoulli")
    law = stats.betabinom(40, fitted.b, fitted.b * (20 / fitted.c - 1))
    assert curve.get_ydata() == pytest.approx(law.pmf(curve.get_xdata()), rel=1e-9)


def test_every_law_of_a_comparison_is_drawn_as_itself():
    ax = compare(COUNTS, 40, replicas=19, rng=1).plot(axes())
    n = int(COUNTS.sum())
    laws = {
        BetaBernoulli: lambda process: stats.betabinom(40, process.b, process.b * (20 / process.c - 1)),
        PolyaUrn: lambda process: stats.betabinom(n, process.b, 19 * process.b),
        GammaPoisson: lambda process: stats.nbinom(process.b, 20 * process.b / (n + 20 * process.b)),
    }
    for process, law in laws.items():
        curve = by_label(ax, process.__name__)
        pmf = law(fit(COUNTS, 40, law=process, replicas=19, rng=1)).pmf
        assert curve.get_ydata() == pytest.approx(pmf(curve.get_xdata()), rel=1e-9)


# -- measures --------------------------------------------------------------------------------------------


def test_growth_is_drawn_as_a_share_of_all_units():
    curve = growth.from_active_samples(np.tile(COUNTS, 10), 40, at=[1, 20], rng=1)
    ax = curve.plot(axes())
    _, y, down, up = bars(ax.containers[0])
    q = 1 - COUNTS / 40
    assert (y[0], down[0], up[0]) == pytest.approx((np.mean(1 - q), *[math.sqrt(np.sum(q * (1 - q)) / 10) / 20] * 2))
    for fitted in curve.comparison.fits:
        line = by_label(ax, type(fitted.process).__name__)
        assert line.get_ydata() == pytest.approx(1 - fitted.process.silent([1, 20]), rel=1e-12)


def test_strengths_by_chance_stand_in_a_band_of_95_percent():
    """χ² of two degrees of freedom has the quantiles -2 ln(1-p)."""
    alike = (np.full(2, value) for value in (1.0, 2.0, 0.5))
    strength = graph.Strength((np.zeros(3),) * 2, *alike, "shuffled")
    _, y, down, up = bars(strength.plot(axes()).containers[0])
    ends = 2 * np.sqrt(-np.log([0.975, 0.025]))
    assert (y[0] - down[0], y[0], y[0] + up[0]) == pytest.approx((ends[0], 2.0, ends[1]))


def test_ranks_are_drawn_as_densities():
    """A unit of one class of ten ranks it above all others."""
    labels = np.repeat(np.arange(10), 20)
    fields = (labels == 3)[:, None] + np.linspace(0, 0.5, 200)[:, None]
    ax = order.pooled_ranks(fields, np.ones((10, 1)), labels, bins=10).plot(axes())
    values, edges, _ = ax.patches[3].get_data()
    assert values == pytest.approx([0] * 9 + [10], abs=1e-13)
    assert edges == pytest.approx(np.linspace(0, 1, 11))


def test_fano_factors_stand_beside_their_null():
    """Windows of four with one and three spikes: variance 1 of mean 2; shuffled (1-r)(M-T)/(M-1), M = 8."""
    ax = spikes.from_window_counts([[1], [3]], 4).plot(axes())
    assert by_label(ax, "units").get_ydata() == pytest.approx([0.5])
    assert by_label(ax, "null").get_ydata() == pytest.approx([0.5 * 4 / 7])
    assert by_label(ax, "null").get_xdata() == pytest.approx([0.5])


def test_independent_stimuli_are_told_for_units_that_fire():
    """Of two units one fires in half of the samples and one never: 1-r is a half."""
    assert "independent stimuli 0.5" in str(spikes.from_window_counts([[1, 0], [3, 0]], 4))


def test_basins_without_end_are_in_the_share():
    radius = np.array([2.0, np.inf, 1.0, np.inf])
    nothing = np.zeros(4, dtype=np.int64)
    basin = basins.Basin(
        radius, radius, radius, nothing, nothing, None, np.array([0.1, 1.0, 10.0, 1e6]), np.ones((4, 4)), 0.5, 4,
        "samples", (1, ()),
    )  # fmt: skip
    line = basin.plot(axes()).lines[0]
    assert line.get_xdata()[1:3].tolist() == [1.0, 2.0]
    assert line.get_ydata().tolist() == [0.0, 0.25, 0.5, 0.5]
    assert line.get_label() == "50% infinite"


# -- chains and what a check sees ------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore::statnn.montecarlo.UntrustedEstimate")
def test_a_trace_stands_at_its_draws_and_its_time_in_its_correlation(rng):
    draws = np.cumsum(rng.normal(size=(2, 5000)), axis=1) * 0.01 + rng.normal(size=(2, 5000))
    trace, correlation = Figure().subplots(1, 2)
    draw("energy", draws, np.array([trace, correlation]))
    at, values = trace.lines[0].get_data()
    assert at.size < 5000
    assert np.array_equal(values, draws[0, at])
    tau = estimate(draws).tau
    assert correlation.lines[2].get_xdata() == pytest.approx([tau, tau])


def test_shares_of_runs_have_binomial_bars():
    seen = (0.2, 0.2, 0.3, 0.4)
    container = Power((0.1, 0.2, 0.3, 0.4), seen, 1e-9).plot(axes()).containers[0]
    _, y, down, _ = bars(container)
    assert y == pytest.approx([0.0, 0.5, 0.75, 1.0])
    assert down == pytest.approx([0.0, 0.25, math.sqrt(3) / 8, 0.0])


def test_correlations_stand_beside_those_of_independent_units():
    """Six samples give independent units the density 3(1-r²)/4."""
    matrix = np.array([[1.0, 0.99, 0.5], [0.99, 1.0, -0.99], [0.5, -0.99, 1.0]])
    ax = correlation.Correlation(matrix, np.arange(3), 0, 6).plot(axes(), bins=3)
    r, density = ax.lines[0].get_data()
    assert density == pytest.approx(0.75 * (1 - r**2))
    assert (r.min(), r.max()) == pytest.approx((-r.max(), stats.beta(2, 2).ppf(0.999) * 2 - 1))
    values, edges, _ = ax.patches[0].get_data()
    assert edges == pytest.approx([-0.99, -0.33, 0.33, 0.99])
    assert values * 0.66 == pytest.approx([1 / 3, 0, 2 / 3])


def test_eigenvalues_above_zero_stand_at_their_rank_beside_how_many_there_are_in_effect():
    """Shares of 4/5 and 1/5 have the entropy ln 5 - (8/5) ln 2."""
    line, rank = tangent.TangentKernel(np.diag([1.0, 4.0, 0.0]), np.array([4.0, 1.0, 0.0])).plot(axes()).lines
    assert [column.tolist() for column in line.get_data()] == [[1, 2], [4.0, 1.0]]
    assert rank.get_xdata() == pytest.approx([5 / 2**1.6] * 2)


def test_p_values_are_drawn_as_densities_of_the_units_that_were_tested():
    p = np.ma.array([0.1, 0.2, np.nan, 0.6], mask=[0, 0, 1, 0])
    ax = spikes.FitTest("poisson", p, p).plot(axes(), bins=2)
    values, edges, _ = ax.patches[0].get_data()
    assert (values.tolist(), edges.tolist()) == (pytest.approx([4 / 3, 2 / 3]), [0, 0.5, 1])
    untested = np.ma.masked_all(2)
    with pytest.raises(ValueError, match="none of 2 units has spikes enough"):
        spikes.FitTest("poisson", untested, untested).plot()


# -- renormalisation -------------------------------------------------------------------------------------


def test_a_collapse_is_drawn_scaled_with_its_errors():
    collapse = rg.Collapse(
        1.0, 0.1, np.array([2.0]), np.array([0.1]), np.eye(2), 1.0, 1, np.array([[0.5, 0.25]]), np.array([2.0, 4.0]),
        np.array([3.0, 5.0]), np.array([0.1, 0.2]),
    )  # fmt: skip
    drawn = [bars(container) for container in collapse.plot(axes()).containers]
    assert [(*x, *y, *down) for x, y, down, _ in drawn] == [
        pytest.approx((2.0, 6.0, 0.2)), pytest.approx((4.0, 20.0, 0.8))
    ]  # fmt: skip


def test_a_place_has_the_bars_of_its_axes(rng):
    """Errors of σ_w and σ_b are far apart where there are many weights and few biases."""
    placement = rg.place(Network.random([6, 30, 30, 30], "tanh", 1.4, 0.3, rng=rng), rng.normal(size=(40, 6)))
    container = placement.plot(axes(), critical=False).containers[0]
    assert bars(container, 0)[2] == pytest.approx([layer.sigma_w_error for layer in placement.layers])
    assert bars(container)[2] == pytest.approx([layer.sigma_b_error for layer in placement.layers])
    signals = placement.plot_signals(axes()).containers[0]
    assert bars(signals)[3] == pytest.approx(placement.correlation_error)


def test_a_phase_diagram_shows_the_length_of_correlations():
    diagram = rg.phase_diagram("tanh", [0.5, 1.0, 1.8], [0.1, 0.3])
    mesh = diagram.plot(axes(), critical=False).collections[0]
    assert np.ravel(mesh.get_array().data) == pytest.approx(np.log10(diagram.xi_correlation.clip(0.3, 1000)).T.ravel())
    for i, w in enumerate(diagram.sigma_w):
        for j, b in enumerate(diagram.sigma_b):
            point = rg.RandomLayer("tanh", w, b).fixed_point()
            assert diagram.xi_correlation[i, j] == pytest.approx(point.xi_correlation, rel=1e-5)
            assert diagram.xi_variance[i, j] == pytest.approx(point.xi_variance, rel=1e-5)


def test_exponents_have_bars_of_their_own(rng):
    coins = 2 * rng.integers(0, 2, (200, 16, 16), np.int8) - 1
    flow = rg.linearise(coins, groups=8, levels=2, rng=1)
    containers = flow.plot(axes()).containers
    for n, container in enumerate(containers):
        y, error = (flow.y_t, flow.y_t_error) if n < 2 else (flow.y_h, flow.y_h_error)
        _, values, down, _ = bars(container)
        assert values == pytest.approx(y[n % 2])
        assert down == pytest.approx(error[n % 2])
    for y, error in ((flow.y_t, flow.y_t_error), (flow.y_h, flow.y_h_error)):
        assert f"{y[1, 2]:.4f} ± {error[1, 2]:.4f}" in str(flow)


def test_lines_of_a_diagram_of_flows_stay_themselves():
    """Two layers in one are on the same line: e^(2K) sinh h is kept by decimation, s/(1-w²) by linear layers."""
    for point in binary_line(1.7)[40:180:35]:
        for t, v in (point, renormalised(point, 2), renormalised(point, 3)):
            assert math.sinh(math.atanh(v)) * (1 + t) / (1 - t) == pytest.approx(1.7, rel=1e-9)
    for w, place in linear_line(0.6)[[20, 80, 130, 180]]:
        single = rg.LinearLayer(w, 0.0, place / (1 - place))
        for layer in (single, single.power(2), single.power(3)):
            s = layer.noise_covariance[0, 0]
            assert s / abs(1 - layer.weight[0, 0] ** 2) == pytest.approx(0.6, rel=1e-9)


def test_a_stationary_law_stands_beside_the_gaussian_one():
    """For linear layers both are the same: h' = 0.5 h + 1 + noise of 0.3 has mean 2 and variance 0.09/0.75."""
    law, gaussian = rg.NoisyLayer("identity", 0.5, 1.0, 0.3).stationary().plot(axes()).lines
    expected = stats.norm(2, math.sqrt(0.12))
    for line in (law, gaussian):
        h, density = line.get_data()
        assert density == pytest.approx(expected.pdf(h), rel=1e-6)
        assert np.all(np.diff(h) > 0)
        assert expected.pdf(h[[0, -1]]) / expected.pdf(2) == pytest.approx([1e-3, 1e-3], rel=1)


def test_a_law_on_one_node_is_drawn():
    law = rg.TransferOperator([0.0, 1.0], [1.0, 1.0], [[1.0, 0.5], [0.0, 0.5]]).stationary()
    h, density = law.plot(axes()).lines[0].get_data()
    assert (h.tolist(), density.tolist()) == ([0.0], [1.0])


def test_moduli_of_a_spectrum_stand_in_falling_order():
    (line,) = rg.BinaryLayer(np.diag([0.4, -0.7])).spectrum().plot(axes()).lines
    slow, fast = math.tanh(0.7), math.tanh(0.4)
    assert line.get_xdata().tolist() == [0, 1, 2, 3]
    assert line.get_ydata() == pytest.approx([1, slow, fast, slow * fast])
    (line,) = rg.Spectrum(0.0, np.array([1.0, 0.0])).plot(axes()).lines
    assert line.get_xdata().tolist() == [0]


@pytest.mark.parametrize(("order", "coefficient", "start"), [(3, 0.5, -4.0), (2, 1.0, 0.0)])
def test_a_fixed_function_is_drawn_as_what_layers_do(order, coefficient, start):
    """X is x^(z-1) where (z-1) u is one."""
    *curves, identity = rg.FixedFunction(order, coefficient).plot(axes()).lines
    for m, curve in zip((1, 4, 16), curves, strict=True):
        x, y = curve.get_data()
        assert (x[0], x[-1]) == pytest.approx((start, 4.0))
        assert y == pytest.approx(x * (1 + m * x ** (order - 1)) ** (-1 / (order - 1)))
    assert np.array_equal(*identity.get_data())


def test_networks_of_finite_width_stand_beside_infinite_width():
    """Fields of relu with weights of variance 2/n keep their variance, and correlations go 0, 1/π, 0.4937."""
    signals = rg.RandomLayer("relu", 2**0.5).simulate(40, 2, replicas=30, q=3.0, rng=1)
    for quantity, values, limit in (
        ("correlation", signals.covariance / np.sqrt(signals.variance.prod(axis=2)), [0, 1 / math.pi, 0.493731]),
        ("variance", signals.variance[..., 0], [3, 3, 3]),
    ):
        ax = signals.plot(axes(), quantity=quantity, level=0.5)
        mean, curve = ax.lines
        assert mean.get_ydata() == pytest.approx(values.mean(axis=0))
        assert curve.get_ydata() == pytest.approx(limit, abs=1e-6)
        assert band(ax, 2) == pytest.approx(np.quantile(values[:, 2], [0.25, 0.75]))
    with pytest.raises(ValueError, match="choose 'correlation' or 'variance'"):
        signals.plot(quantity="covariance")


def test_the_order_of_the_width_is_drawn_over_infinite_width():
    """n Var K is 5 q² a layer for relu with weights of variance 2/n; where the variance is gone there is no ratio."""
    spread, shift = rg.RandomLayer("relu", 2**0.5).finite_width(3.0, 2).plot(axes()).lines
    assert spread.get_ydata() == pytest.approx([0, 5, 10])
    assert shift.get_ydata() == pytest.approx([0, 0, 0])
    spread, shift = rg.FiniteWidth(np.array([2.0, 0.0]), np.array([3.0, 0.0]), np.array([8.0, 0.0])).plot(axes()).lines
    assert (spread.get_ydata().tolist(), shift.get_ydata().tolist()) == ([2.0], [1.5])
    spread, shift = rg.RandomLayer("relu", 0.1).finite_width(1.0, 200).plot(axes()).lines
    assert np.diff(spread.get_ydata()) == pytest.approx(5.0)


def test_variances_of_signals_that_died_are_drawn():
    signals = rg.RandomLayer("relu", 1.0).simulate(1, 40, replicas=5, rng=1)
    assert (signals.variance == 0).any()
    mean, curve = signals.plot(axes(), quantity="variance").lines
    assert mean.get_ydata()[-1] == signals.variance[:, -1, 0].mean()
    assert curve.get_ydata() == pytest.approx(0.5 ** np.arange(41))


# -- the page on a network -------------------------------------------------------------------------------


def test_counts_of_units_stand_beside_their_law():
    """For the law as for the counts, a bar is the share of its cell, as a density over shares of samples."""
    samples = np.arange(36) % 13
    curve = growth.from_active_samples(samples, 12, rng=1)
    ax = axes()
    _draw_counts(ax, curve)
    counts, law = (patch.get_data() for patch in ax.patches)
    start = np.round(np.linspace(0, 13, 7)).astype(int)[:-1]
    cells = np.diff([*start, 13])
    assert np.diff(counts.edges) == pytest.approx(cells / 12)
    assert counts.values * cells / 12 == pytest.approx(np.add.reduceat(np.bincount(samples), start) / 36)
    mass = curve.comparison.best.process.count(12).pmf(np.arange(13))
    assert law.values * cells / 12 == pytest.approx(np.add.reduceat(mass, start), rel=1e-9)


def test_strengths_are_drawn_as_shares_up_to_a_value():
    strength = graph.Strength(
        (np.array([3.0, 1.0]), np.array([0.0, 2.0])), np.ones(2), np.ones(2), np.ones(2), "shuffled"
    )
    figure = Figure()
    _draw_strength(strength, Network([np.eye(2)]), figure)
    line = figure.axes[1].lines[0]
    assert line.get_data()[0].tolist() == [1.0, 3.0]
    assert line.get_data()[1].tolist() == [0.5, 1.0]


@pytest.mark.parametrize("depth", [2, 80])
def test_ticks_stand_at_layers_and_are_few(depth, rng):
    net = Network.random([4] * (depth + 1), "tanh", 1.4, 0.3, rng=rng)
    for ax in (rg.place(net, rng.normal(size=(40, 4))).plot_signals(axes()), graph.strength(net).plot(axes())):
        ticks = ax.get_xticks()
        assert np.array_equal(ticks, np.round(ticks))
        assert len(ticks) < 12


def test_basins_that_are_rarely_endless_are_not_none(rng):
    basin = basins.sample_basin(Network.random([2, 4, 2], rng=rng), rng.normal(size=(4, 2)), draws=4, rng=0)
    ax = replace(basin, radius=np.append(np.ones(399), np.inf)).plot(axes())
    assert ax.lines[0].get_label() == "0.2% infinite"


@pytest.mark.parametrize(
    "draw",
    [
        lambda ax: growth.from_active_samples(20 * [0, 3, 10, 7, 0, 1, 5, 2, 9, 4], 10, at=[0, 10]).plot(ax),
        lambda ax: rg.RandomLayer("tanh", 1.5, 0.1).simulate(8, 0, replicas=3, rng=1).plot(ax),
        lambda ax: sample(BinaryNeurons([[0, 1], [1, 0]]), 1, rng=1).plot(ax),
    ],
    ids=["growth", "signals", "run"],
)
def test_lines_of_a_single_point_are_seen(draw):
    """A line of one point has no length; legends name what is in the picture."""
    lines = draw(axes()).lines
    assert lines
    for line in lines:
        assert len(line.get_xdata()) == 1
        assert line.get_marker() != "None"
