"""Random layers of finite width: corrections of order 1/n, fluctuations of depth over width.

Expected before the first run: slope -1 with the amplitude of the recursion at leading order for tanh, and the exact
second moment (1 + 5/n)^m for ReLU at criticality.
"""

import numpy as np

from statnn import rg
from statnn.plot import COLOURS
from validation.claim import Claim, Outcome, Verdict
from validation.statistics import LEVEL, mean, power_law, worst

WIDTHS = np.array([16, 32, 64, 128])
DEPTH = 10
BIAS = 0.08
"""Bound on what the next order, relative size about 2/n here, adds to the slope."""
RELU_WIDTHS = (50, 100, 200)
RELU_DEPTHS = np.array([2, 4, 8, 16])


def _run(rng, quick):
    replicas = 10_000 if quick else 200_000
    layer = rg.RandomLayer("tanh", 1.3, 0.0)
    theory = layer.finite_width(1.0, DEPTH)
    gaps = [
        layer.simulate(int(n), DEPTH, replicas=replicas, rng=rng).variance[:, -1, 0] - theory.variance[-1]
        for n in WIDTHS
    ]
    critical = rg.RandomLayer("relu", np.sqrt(2))
    squares = [
        critical.simulate(n, int(RELU_DEPTHS[-1]), replicas=replicas // 2, rng=rng).variance[:, RELU_DEPTHS, 0] ** 2
        for n in RELU_WIDTHS
    ]
    return {
        "gap": [gap.mean() for gap in gaps],
        "gap_error": [gap.std(ddof=1) / np.sqrt(replicas) for gap in gaps],
        "shift": theory.shift[-1],
        "spread": theory.spread[-1],
        "fluctuation": [n * gap.var() for n, gap in zip(WIDTHS, gaps, strict=True)],
        "squares": squares,
        "power": [[(1 + 5 / n) ** m for m in RELU_DEPTHS] for n in RELU_WIDTHS],
    }


def _judge(data):
    fit = power_law(WIDTHS, -data["gap"], data["gap_error"])
    slope = fit.against(-1.0, bias=BIAS)
    moments = [
        mean(values[:, j], float(data["power"][i][j]))
        for i, values in enumerate(data["squares"])
        for j in range(RELU_DEPTHS.size)
    ]
    decisive = worst([slope, *moments])
    amplitude = float(np.exp(fit.intercept + fit.slope * np.log(WIDTHS[-1])) * WIDTHS[-1])
    detail = (
        f"slope {slope.estimate:.3f} ± {slope.error:.3f} in 1/n; n (q − E K) = {amplitude:.3f} at n = {WIDTHS[-1]}, "
        f"{-float(data['shift']):.3f} at leading order; second moments of ReLU within errors (worst of "
        f"{len(moments)}: p = {worst(moments).p:.2g})"
    )
    bad = decisive.p < LEVEL or fit.p < LEVEL
    return Verdict.of(Outcome.CONTRADICTED if bad else Outcome.ASYMPTOTIC, slope, detail)


def _twin(data):
    """Let corrections fall with the root of the width."""
    return {**data, "gap": data["gap"] * np.sqrt(WIDTHS / WIDTHS[0])}


def _draw(data, figure):
    figure.set_size_inches(9, 3.8)
    left, right = figure.subplots(1, 2)
    left.errorbar(WIDTHS, -data["gap"], data["gap_error"], fmt="o", color=COLOURS[0], label="simulated")
    left.plot(WIDTHS, -float(data["shift"]) / WIDTHS, color="black", linewidth=1, label="leading order, slope $-1$")
    left.set(
        xscale="log", yscale="log", xlabel="width $n$", ylabel=r"$q_m - \mathrm{E}\,K_m$",
        title=rf"tanh, $\sigma_w = 1.3$, $\sigma_b = 0$, $m = {DEPTH}$",
    )  # fmt: skip
    left.set_xticks(WIDTHS, [str(n) for n in WIDTHS])
    left.set_yticks([0.003, 0.01, 0.02], ["0.003", "0.01", "0.02"])
    left.minorticks_off()
    left.legend()
    for i, n in enumerate(RELU_WIDTHS):
        values = data["squares"][i]
        error = values.std(axis=0, ddof=1) / np.sqrt(len(values))
        right.errorbar(
            RELU_DEPTHS / n,
            values.mean(axis=0),
            error,
            fmt="os^"[i],
            fillstyle="none",
            color=COLOURS[i],
            label=f"$n = {n}$",
            zorder=3,
        )
        depths = np.arange(0, RELU_DEPTHS[-1] + 1)
        right.plot(depths / n, (1 + 5 / n) ** depths, color=COLOURS[i], linewidth=0.8)
    ratio = np.linspace(0, RELU_DEPTHS[-1] / RELU_WIDTHS[0], 200)
    right.plot(ratio, np.exp(5 * ratio), color="black", linestyle="--", linewidth=1, label=r"$e^{5m/n}$")
    right.set(
        yscale="log", xlabel="depth / width $m/n$", ylabel=r"$\mathrm{E}\,K_m^2$",
        title=r"ReLU, $\sigma_w^2 = 2$; lines: $(1 + 5/n)^m$",
    )  # fmt: skip
    right.legend()


CLAIM = Claim(
    id="finite-width",
    title="Corrections of order depth over width",
    statement=(
        "The mean variance of fields in tanh networks of width n departs from mean-field theory as 1/n, and at "
        "criticality the second moment in ReLU networks is (1 + 5/n)^m, a function of depth over width as n → ∞."
    ),
    source="this project; compare Hanin 2018 and Roberts, Yaida & Hanin 2022",
    standing="asymptotic",
    expected=Outcome.ASYMPTOTIC,
    run=_run,
    judge=_judge,
    draw=_draw,
    twin=_twin,
    derivations=("finite-width", "relu-layers"),
    cost=10,
)
