"""Random layers of finite width: corrections of order 1/n, fluctuations of depth over width.

Expected before the first run: slope -1 with the amplitude of the recursion at leading order for tanh, and the exact
second moment (1 + 5/n)^m for ReLU at criticality. The judged quantities have nearly normal tails: shifts are cleared of
the fluctuations that cancel on average, and for ReLU, where squares after m layers are log-normal with a skewness in
the hundreds, moments are taken of the independent factors of single layers.
"""

import numpy as np

from statnn import rg
from statnn._axes import logarithmic
from statnn.plot import COLOURS
from statnn.testing.statistics import mean, worst
from validation.claim import Claim, Finding, Outcome, Verdict
from validation.claims._tools import lettered

WIDTHS = np.array([16, 32, 64, 128])
DEPTH, SIGMA_W = 10, 1.3
BIAS = 0.04
"""Bound on what the next order, relative size about 1.2/n here, adds to the slope."""
NEXT = 0.01
"""Bound on what orders beyond 1/n^2, relative size about 1/n^2 each, add to a limit read off a straight line in 1/n."""
RELU_WIDTHS = (50, 100, 200)
RELU_DEPTHS = np.array([2, 4, 8, 16])

# Least squares with the same weight at every width: n times a gap has nearly the same error at each, and with
# fixed coefficients one replica of every width makes one replicate of the slope or the limit.
SLOPES = np.linalg.pinv(np.stack([np.ones(4), np.log(WIDTHS)], axis=1))[1]
INTERCEPTS = np.linalg.pinv(np.stack([np.ones(4), 1 / WIDTHS], axis=1))[0]

SLOPE = "slope of ln(q − E K) against ln n, tanh"
SHIFT = "n (q − E K) as n → ∞, tanh"
SPREAD = "n Var K as n → ∞, tanh"
MOMENT = "n E[(r − 1)²] of the factor r = K_m/K_(m−1) of one ReLU layer"
UNIT = "mean factor E[r] of one ReLU layer"
APART = "covariance of r²/E[r²] with the sign of ln K before the layer, ReLU"


def _run(rng, quick):
    replicas = 40_000 if quick else 200_000
    layer = rg.RandomLayer("tanh", SIGMA_W, 0.0)
    theory = layer.finite_width(1.0, DEPTH)
    paths = [layer.simulate(int(n), DEPTH, replicas=replicas, rng=rng).variance[..., 0] for n in WIDTHS]
    gaps = [_cleared(path, theory.variance) for path in paths]
    squares = [(path[:, -1] - path[:, -1].mean()) ** 2 * replicas / (replicas - 1) for path in paths]
    critical = rg.RandomLayer("relu", np.sqrt(2))
    chains = [
        critical.simulate(n, int(RELU_DEPTHS[-1]), replicas=replicas // 4, rng=rng).variance[..., 0]
        for n in RELU_WIDTHS
    ]
    factors = [chain[:, 1:] / chain[:, :-1] for chain in chains]
    return {
        "gap": [gap.mean() for gap in gaps],
        "gap_error": [gap.std(ddof=1) / np.sqrt(replicas) for gap in gaps],
        "slope": SLOPES @ np.array([np.log(-gap.mean()) + gap / gap.mean() - 1 for gap in gaps]),
        "amplitude": INTERCEPTS @ (-WIDTHS[:, None] * np.array(gaps)),
        "width": INTERCEPTS @ (WIDTHS[:, None] * np.array(squares)),
        "shift": theory.shift[-1],
        "spread": theory.spread[-1],
        "moment": [n * ((factor - 1) ** 2).mean(axis=1) for n, factor in zip(RELU_WIDTHS, factors, strict=True)],
        "factor": [factor.mean(axis=1) for factor in factors],
        "apart": [
            ((factor**2 / (1 + 5 / n) - 1) * np.sign(np.log(chain[:, :-1])))[:, 1:].mean(axis=1)
            for n, factor, chain in zip(RELU_WIDTHS, factors, chains, strict=True)
        ],
        "squares": [(chain[:, RELU_DEPTHS] ** 2).mean(axis=0) for chain in chains],
        "squares_error": [
            (chain[:, RELU_DEPTHS] ** 2).std(axis=0, ddof=1) / np.sqrt(len(chain)) for chain in chains
        ],
    }  # fmt: skip


def _cleared(path, variance):
    """Return K − q of the last layer minus its linear response to the noise of every layer.

    A layer maps K to V(K) on average, exactly, so that its noise has mean 0; the rest is of order 1/n, like its mean.
    """
    x, weight = np.polynomial.hermite_e.hermegauss(80)

    def after(k):
        return SIGMA_W**2 * (np.tanh(np.sqrt(k)[:, None] * x) ** 2 @ weight) / weight.sum()

    grid = np.linspace(0, 1.01 * path.max(), 2_000)
    noise = path[:, 1:] - np.interp(path[:, :-1], grid, after(grid))
    step = 1e-5
    chi = (after(variance + step) - after(variance - step)) / (2 * step)
    response = [np.prod(chi[m:DEPTH]) for m in range(1, DEPTH + 1)]
    return path[:, -1] - variance[-1] - noise @ response


def _judge(data):
    slope = mean(data["slope"], -1.0, bias=BIAS)
    shift, spread = -float(data["shift"]), float(data["spread"])
    amplitude = mean(data["amplitude"], shift, bias=NEXT * shift)
    width = mean(data["width"], spread, bias=NEXT * spread)
    detail = (
        f"q − E K falls as n^({slope.estimate:.3f} ± {slope.error:.3f}); E K² of ReLU at m = {RELU_DEPTHS[-1]}, "
        f"n = {RELU_WIDTHS[0]}: {data['squares'][0, -1]:.2f} ± {data['squares_error'][0, -1]:.2f}, "
        f"(1 + 5/n)^m = {(1 + 5 / RELU_WIDTHS[0]) ** RELU_DEPTHS[-1]:.2f}"
    )
    return Verdict.judged(
        [
            Finding.of(SLOPE, slope, sees=0.11, unit="in the exponent"),
            Finding.of(SHIFT, amplitude, sees=0.045, unit="relative"),
            Finding.of(SPREAD, width, sees=0.065, unit="relative"),
            Finding.of(MOMENT, worst(mean(row, 5.0) for row in data["moment"]), sees=0.03, unit="relative"),
            Finding.of(UNIT, worst(mean(row, 1.0) for row in data["factor"]), sees=0.004, unit="relative"),
            Finding.of(APART, worst(mean(row, 0.0) for row in data["apart"]), sees=0.008, unit="of E[r²]"),
        ],
        Outcome.ASYMPTOTIC,
        detail,
        otherwise="corrections are not of the stated order and size",
    )


TWINS = {
    SLOPE: lambda data, by: {**data, "slope": data["slope"] + by},
    SHIFT: lambda data, by: {**data, "shift": (1 + by) * data["shift"]},
    SPREAD: lambda data, by: {**data, "spread": (1 + by) * data["spread"]},
    MOMENT: lambda data, by: {**data, "moment": (1 + by) * data["moment"]},
    UNIT: lambda data, by: {**data, "factor": (1 + by) * data["factor"]},
    APART: lambda data, by: {**data, "apart": data["apart"] + by},
}


def _draw(data, figure):
    figure.set_size_inches(9, 3.8)
    left, right = lettered(figure, 1, 2)
    left.errorbar(WIDTHS, -data["gap"], data["gap_error"], fmt="o", color=COLOURS[0], label="simulated")
    left.plot(WIDTHS, -float(data["shift"]) / WIDTHS, color="black", linewidth=1, label="leading order, slope $-1$")
    left.set(
        xscale="log", yscale="log", xlabel="width $n$", ylabel=r"$q_m - \mathrm{E}\,K_m$",
        title=rf"tanh, $\sigma_w = {SIGMA_W}$, $\sigma_b = 0$, $m = {DEPTH}$",
    )  # fmt: skip
    left.set_xticks(WIDTHS, [str(n) for n in WIDTHS])
    left.set_yticks([0.003, 0.01, 0.02], ["0.003", "0.01", "0.02"])
    left.minorticks_off()
    left.legend()
    for i, n in enumerate(RELU_WIDTHS):
        right.errorbar(
            RELU_DEPTHS / n,
            data["squares"][i],
            data["squares_error"][i],
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
    logarithmic(right, "y")
    right.set(
        xlabel="depth / width $m/n$", ylabel=r"$\mathrm{E}\,K_m^2$",
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
    caption=(
        "(a) How far the mean variance of fields in tanh networks of width $n$ lies below mean field after 10 "
        "layers; line: leading order, of slope $-1$; 40,000 networks (200,000 in a full run). (b) Second moment "
        "of the variance in critical ReLU networks against depth over width; solid: exact, $(1 + 5/n)^m$; dashed: "
        "the limit of large $n$; a quarter as many networks. Error bars: standard error over networks."
    ),
    run=_run,
    judge=_judge,
    draw=_draw,
    twins=TWINS,
    derivations=("finite-width", "relu-layers"),
    cost=10,
)
