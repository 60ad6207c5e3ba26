"""The phase diagram of wide random layers against networks of finite width, extrapolated in 1/n.

Expected before the first run: correlations through depth agree with the maps once the order 1/n is taken out by two
widths, in the ordered and in the chaotic phase.
"""

from functools import partial

import numpy as np

from statnn import rg
from statnn.plot import COLOURS
from statnn.testing.statistics import mean, worst
from validation.claim import Claim, Finding, Outcome, Verdict
from validation.claims._tools import lettered, of_batches, scaled

SIGMA_B = 0.3
SIGMA_W = (0.8, 1.1, 1.3, 1.5, 1.8, 2.2, 2.8)
LAYERS = (2, 5, 12)
"""Layers at which correlations are compared."""
WINDOW = slice(2, 8)
"""Layers between which the decay is measured."""
DEPTH = 12
WIDTHS = (200, 400)
BATCHES = 60
PATHS = f"correlation at layers {', '.join(map(str, LAYERS))}"
DECAY = "slope of ln |c - c*| against the layer"


def _run(rng, quick):
    replicas = 1_500 if quick else 10_000
    points, runs, theory = [], [], []
    for sigma_w in SIGMA_W:
        layer = rg.RandomLayer("tanh", sigma_w, SIGMA_B)
        point = layer.fixed_point()
        q, c = point.variance, point.correlation - 0.6
        narrow, wide = (
            layer.simulate(n, DEPTH, replicas=replicas, q=q, c=c, rng=rng).correlation for n in WIDTHS
        )  # fmt: skip
        runs.append(2 * wide - narrow)
        theory.append(layer.propagate(q, c, DEPTH)[1])
        points.append((point.variance, point.chi, point.correlation, point.xi_correlation))
    size = 120 if quick else 200
    grid = rg.phase_diagram("tanh", np.linspace(0.5, 3, size), np.linspace(0, 1.5, size))
    fine = rg.phase_diagram("tanh", np.linspace(0.5, 3, 251), [SIGMA_B])
    runs = np.array(runs)
    stars = np.array(points)[:, 2]
    slopes = np.array([
        of_batches(run, BATCHES, partial(_slope, star)) for run, star in zip(runs, stars, strict=True)
    ])  # fmt: skip
    return {
        "extrapolated": runs,
        "trajectory": theory,
        "points": points,
        "slopes": slopes,
        "slopes_theory": [_slope(star, c) for c, star in zip(theory, stars, strict=True)],
        "sigma_w": grid.sigma_w,
        "sigma_b": grid.sigma_b,
        "xi": grid.xi_correlation,
        "line": rg.critical_line("tanh", grid.sigma_b),
        "fine": fine.sigma_w,
        "fine_xi": fine.xi_correlation[:, 0],
        "fine_correlation": fine.correlation[:, 0],
    }


def _slope(star, c):
    """Return the slope of ln |c - c*| over the window."""
    gap = np.log(np.abs(c - star))[WINDOW]
    return np.polynomial.polynomial.polyfit(np.arange(gap.size), gap, 1)[1]


def _judge(data):
    findings = (
        Finding.of(
            PATHS,
            worst(
                mean(run[:, layer], float(path[layer]))
                for run, path in zip(data["extrapolated"], data["trajectory"], strict=True)
                for layer in LAYERS
            ),
            sees=0.024, unit="of its distance from one",
        ),
        Finding.of(
            DECAY,
            worst(mean(row, float(slope)) for row, slope in zip(data["slopes"], data["slopes_theory"], strict=True)),
            sees=0.05, unit="of the rate",
        ),
    )  # fmt: skip
    n, two = WIDTHS
    detail = (
        f"{len(SIGMA_W)} values of σ_w in both phases, extrapolated from widths {n} and {two}: the error left is of "
        "order 1/n²"
    )
    return Verdict.judged(findings, Outcome.ASYMPTOTIC, detail, otherwise="correlations do not follow the maps")


def _draw(data, figure):
    figure.set_size_inches(10, 3.8)
    left, right = lettered(figure, 1, 2)
    levels = np.log10(np.clip(data["xi"], 0.5, 300))
    mesh = left.pcolormesh(
        data["sigma_w"], data["sigma_b"], levels.T, cmap="viridis", vmin=np.log10(0.5), vmax=np.log10(300),
        rasterized=True,
    )  # fmt: skip
    bar = figure.colorbar(mesh, ax=left, label=r"correlation length $\xi_c$ (layers)")
    bar.set_ticks(np.log10([1, 3, 10, 30, 100, 300]), labels=["1", "3", "10", "30", "100", r"$\geq 300$"])
    left.plot(data["line"], data["sigma_b"], color="white", linewidth=2.5)
    left.plot(data["line"], data["sigma_b"], color="black", linewidth=1, linestyle="--")
    for text, at in (("ordered", (0.85, 1.2)), ("chaotic", (2.3, 0.6))):
        left.text(*at, text, color="white", ha="center", fontsize=11)
    left.plot(SIGMA_W, [SIGMA_B] * len(SIGMA_W), "o", color=COLOURS[1], markersize=4, label="simulated")
    left.set(
        xlabel=r"$\sigma_w$", ylabel=r"$\sigma_b$", title=r"tanh, $n \to \infty$; dashed: $\chi = 1$",
        xlim=(0.5, 3), ylim=(0, 1.5),
    )  # fmt: skip
    left.legend(loc="upper right", frameon=True, facecolor="white", framealpha=1)
    right.plot(data["fine"], data["fine_xi"], color="black", linewidth=1, label=r"$\xi_c = 1/|\ln\,dc'/dc|$")
    rates = -np.asarray(data["slopes"])
    length = 1 / rates.mean(axis=1)
    error = rates.std(axis=1, ddof=1) / np.sqrt(BATCHES) * length**2
    right.errorbar(SIGMA_W, length, error, fmt="o", color=COLOURS[1], markersize=4, label="simulated, layers 2 to 7")
    right.plot(SIGMA_W, -1 / np.asarray(data["slopes_theory"]), "x", color=COLOURS[0], label="the same from the maps")
    right.set(xlabel=r"$\sigma_w$", ylabel="layers", yscale="log", title=rf"$\sigma_b = {SIGMA_B}$", ylim=(0.4, 300))
    right.legend(loc="upper right")


CLAIM = Claim(
    id="phase-diagram",
    title="Order and chaos in wide random layers",
    statement=(
        "In random tanh networks the correlation of two inputs follows the mean-field maps layer by layer and relaxes "
        "over the correlation length ξ_c, in both phases, up to corrections of order 1/n."
    ),
    source="Poole et al. 2016; Schoenholz et al. 2017",
    standing="asymptotic",
    expected=Outcome.ASYMPTOTIC,
    caption=(
        r"(a) Correlation length $\xi_c$ of infinitely wide tanh layers against the standard deviations of "
        r"weights, $\sigma_w$, and biases, $\sigma_b$; dashed: the critical line $\chi = 1$; circles: simulated. "
        r"(b) $\xi_c$ at $\sigma_b = 0.3$ (line); decay of correlations in layers 2 to 7, simulated in networks "
        "of widths 200 and 400 and extrapolated (circles), and from the mean-field maps over the same layers "
        "(crosses). 1,500 networks (10,000 in a full run). Error bars: standard error over 60 batches of networks."
    ),
    run=_run,
    judge=_judge,
    draw=_draw,
    twins={
        PATHS: lambda data, by: {**data, "trajectory": 1 - (1 - data["trajectory"]) * (1 + by)},
        DECAY: scaled("slopes_theory"),
    },
    derivations=("gaussian-averages", "tanh-sums", "tanh-criticality"),
    cost=10,
)
