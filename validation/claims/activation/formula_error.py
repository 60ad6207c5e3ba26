"""The paper's K(D) against the exact mean: the error, its order in 1/N, and its proved bound."""

import numpy as np

from statnn._axes import logarithmic
from statnn.activation import BetaBernoulli, PolyaUrn
from statnn.plot import COLOURS
from statnn.testing.statistics import power_law, worst, z_score
from validation.claim import Asks, Claim, Finding, Outcome, Verdict
from validation.claims._tools import ABSTRACT, lettered, log_slope, scaled

B, C = 0.5, 5.0
SMALL, LARGE = 2.0 ** np.arange(3, 8), 10.0 ** np.arange(2, 13)
SIMULATED = "relative error of the formula in simulation"
SLOPE = "slope of ln error against ln N, in simulation"
ORDER = "slope of ln error against ln N, exact, N = 10⁵ to 10⁸"
AMPLITUDE = "N times the exact error at N = 10⁷, over (b+1)c/2 · qS/(1−S)"
BOUND = "exact error over its proved bound, largest"
SIGN = "exact error, smallest over D"


def _relative(process, D):
    return 1 - process.limit().working(D) / process.working(D)


def _run(rng, quick):
    replicas = 30_000 if quick else 600_000
    measured, error = [], []
    for neurons in SMALL.astype(int).tolist():
        process, D = BetaBernoulli(neurons, B, C), neurons // 4
        share = process.simulate([D], replicas, rng=rng, method="stepwise").working[:, 0] / process.limit().working(D)
        measured.append(1 - 1 / share.mean())
        error.append(share.std(ddof=1) / np.sqrt(replicas) / share.mean() ** 2)
    at_start = [BetaBernoulli(int(n), B, C) for n in LARGE]
    exact = [BetaBernoulli(int(n), B, C) for n in SMALL]
    fine = np.geomspace(1, 1e5, 200)
    curves = [BetaBernoulli(40, B, C), PolyaUrn(40, B, C)]
    return {
        "measured": measured,
        "error": error,
        "exact": [_relative(p, p.neurons // 4) for p in exact],
        "order": [_relative(p, p.neurons // 4) for p in at_start[:7]],
        "bound": [p.limit_error_bound(p.neurons // 4) for p in at_start],
        "order_expected": -1.0,
        "amplitude": _amplitude(),
        "least": 0.0,
        "fine": fine,
        "curves": [p.working(fine) for p in (*curves, curves[0].limit())],
        "limit_error_bound": [p.limit_error_bound(fine) for p in curves],
        "limit_true": [_relative(p, fine) for p in curves],
    }


def _amplitude():
    """Return lim N · error at D = N/4: S falls short of the limit by the share (b+1)c/2N · q, K = N(1 - S)."""
    events = C / 4  # per neuron
    q, silent = events / (events + B), (B / (events + B)) ** B
    return (B + 1) * C / 2 * q * silent / (1 - silent)


def _judge(data):
    simulated = worst(
        z_score(float(measured), float(error), float(exact))
        for measured, error, exact in zip(data["measured"], data["error"], data["exact"], strict=True)
    )
    order = float(data["order_expected"])
    # the same fit to the exact curve gives the slope at these sizes
    fit, exact = (power_law(SMALL, data[name], data["error"]) for name in ("measured", "exact"))
    slope = fit.against(exact.slope + order + 1)
    ratios = np.concatenate(
        [data["order"] / data["bound"][:7], np.ravel(data["limit_true"] / data["limit_error_bound"])]
    )
    never = {"error": 0.0, "z": None, "p": None}
    return Verdict.judged(
        [
            Finding.of(SIMULATED, simulated, sees=0.025, unit="of the error, relative"),
            Finding.of(SLOPE, slope, limit=order, sees=0.04, unit="of the slope"),
            Finding(
                quantity=ORDER, estimate=float(log_slope(LARGE[3:7], data["order"][3:])), theory=order, tolerance=1e-4,
                sees=2e-4, unit="of the slope", **never,
            ),
            Finding(
                quantity=AMPLITUDE, estimate=LARGE[5] * data["order"][5] / data["amplitude"], theory=1.0,
                tolerance=1e-5, sees=1.5e-5, unit="of the amplitude, relative", **never,
            ),
            Finding(
                quantity=BOUND, estimate=ratios.max(), theory=1.0, tolerance=1e-9, asks=Asks.AT_MOST,
                sees=5e-4, unit="of the bound, relative", **never,
            ),
            Finding(
                quantity=SIGN, estimate=data["limit_true"].min(), theory=float(data["least"]), asks=Asks.AT_LEAST,
                sees=0.002, unit="in the error", **never,
            ),
        ],
        Outcome.ASYMPTOTIC,
        f"relative error falls as N^({fit.slope:.3f} ± {fit.error:.3f}) in simulation; its proved bound is "
        f"{float(data['bound'][3] / data['order'][3]):.4f} times the error at N = 10⁵",
        otherwise="the error does not fall as 1/N with the stated amplitude, or exceeds its bound",
    )  # fmt: skip


def _twin_bound(data, by):
    return data | {name: data[name] * (1 - by) for name in ("bound", "limit_error_bound")}


def _twin_order(data, by):
    return {**data, "order_expected": data["order_expected"] + by}


TWINS = {
    SIMULATED: scaled("exact"),
    SLOPE: _twin_order,
    ORDER: _twin_order,
    AMPLITUDE: scaled("amplitude"),
    BOUND: _twin_bound,
    SIGN: lambda data, by: {**data, "least": data["least"] + by},
}


def _draw(data, figure):
    figure.set_size_inches(9, 7)
    (left, middle), (right, ratio) = lettered(figure, 2, 2)
    wide = {"linewidth": 3.5, "alpha": 0.6}  # so that a bound that lies on the error is seen on it
    bound = {"linestyle": "--", "color": "black", "linewidth": 1}
    labels = ("beta-Bernoulli, exact", "Pólya urn, exact", "paper = gamma-Poisson")
    for curve, label, colour, line in zip(data["curves"], labels, COLOURS, ("-", "-.", "--"), strict=False):
        left.plot(data["fine"], curve, line, color=colour, label=label)
    left.set(xlabel="samples $D$", ylabel="working neurons $E[K]$", title="$N = 40$, $c = 5$, $b = 0.5$")
    left.legend()
    for i, label in enumerate(labels[:2]):
        middle.plot(data["fine"], data["limit_true"][i], ("-", "-.")[i], color=COLOURS[i], label=label, **wide)
        middle.plot(data["fine"], data["limit_error_bound"][i], **bound, label=None if i else "proved bound")
        over = data["limit_error_bound"][i] / data["limit_true"][i]
        ratio.plot(data["fine"], over, ("-", "-.")[i], color=COLOURS[i], label=label)
    middle.set(xlabel="samples $D$", ylabel="relative error of the formula", title="$N = 40$")
    middle.legend()
    right.plot(SMALL, data["exact"], color=COLOURS[0], **wide)
    right.plot(LARGE[:7], data["order"], color=COLOURS[0], label="exact", **wide)
    right.plot(LARGE, data["bound"], **bound, label="proved bound")
    right.errorbar(
        SMALL, data["measured"], data["error"], fmt="o", color=COLOURS[1], fillstyle="none",
        label="stepwise simulation",
    )  # fmt: skip
    right.set(xlabel="neurons $N$", ylabel="relative error at $D = N/4$", title="beta-Bernoulli")
    right.legend()
    ratio.axhline(1, color="grey", linestyle=":", linewidth=1)
    ratio.set(xlabel="samples $D$", ylabel="proved bound / exact error", title="$N = 40$")
    ratio.legend()
    for axes, names in ((left, "x"), (middle, "xy"), (right, "xy"), (ratio, "x")):
        logarithmic(axes, *names)


CLAIM = Claim(
    id="formula-error",
    title="The formula for K(D) is exact up to 1/N",
    statement="K(D) = N[1 − (bN/(cD+bN))^b]; at fixed cD/N its relative error is positive and "
    "falls as (b+1)c/2N times qS/(1−S), with q = cD/(cD+bN) and S = (1−q)^b.",
    source=ABSTRACT + " (formula); the error and its bound are ours",
    standing="asymptotic",
    expected=Outcome.ASYMPTOTIC,
    caption=(
        "The formula for $K(D)$ and its error; $c = 5$, $b = 0.5$. (a) Exact means of two readings at $N = "
        "40$, and the formula. (b) Relative error of the formula (wide lines) and its proved bound "
        "(dashed). (c) The same at $D = N/4$ against $N$; circles: stepwise simulation, 30,000 replicas "
        "(600,000 in a full run), error bars: standard error over replicas. (d) The bound over the error, "
        "never below one."
    ),
    run=_run,
    judge=_judge,
    draw=_draw,
    twins=TWINS,
    derivations=("gamma-poisson", "bound"),
    cost=6,
)
