"""The paper's K(D) against the exact one: how wrong, with which order, and within which bound."""

import numpy as np

from statnn.activation import BetaBernoulli, PolyaUrn
from statnn.plot import COLOURS
from validation.claim import Claim, Outcome, Verdict
from validation.claims._tools import ABSTRACT, log_slope
from validation.statistics import LEVEL, power_law

B, C = 0.5, 5.0
SMALL, LARGE = 2.0 ** np.arange(4, 9), 10.0 ** np.arange(2, 13)


def _relative(process, D):
    return 1 - process.limit().working(D) / process.working(D)


def _run(rng, quick):
    replicas = 30_000 if quick else 600_000
    measured, error = [], []
    for neurons in SMALL.astype(int).tolist():
        process, D = BetaBernoulli(neurons, B, C), neurons // 4
        share = process.simulate([D], replicas, rng=rng, method="stepwise").working[:, 0] / process.limit().working(D)
        measured.append(1 - 1 / share.mean())
        error.append(share.std(ddof=1) / np.sqrt(replicas))
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
        "fine": fine,
        "curves": [p.working(fine) for p in (*curves, curves[0].limit())],
        "limit_error_bound": [p.limit_error_bound(fine) for p in curves],
        "limit_true": [_relative(p, fine) for p in curves],
    }


def _judge(data):
    fit = power_law(SMALL, data["measured"], data["error"])
    order = float(data["order_expected"])
    # the same fit on the exact curve tells how far the slope at these sizes is from the order
    exact_slope = power_law(SMALL, data["exact"], data["error"]).slope
    found = fit.against(order, bias=abs(exact_slope + 1))
    final = float(log_slope(LARGE[3:7], data["order"][3:]))
    bounded = bool(
        (data["order"] <= data["bound"][:7]).all()
        and (data["limit_true"] <= data["limit_error_bound"] * (1 + 1e-9)).all()
    )
    ratio = float(data["bound"][3] / data["order"][3])
    if found.p < LEVEL or abs(final - order) > 1e-3 or not bounded:
        return Verdict.of(Outcome.CONTRADICTED, found, "the error does not fall as 1/N, or leaves its bound")
    detail = (
        f"relative error falls as N^({final:.4f}) in exact arithmetic, N^({fit.slope:.3f} ± {fit.error:.3f}) in "
        f"simulation, where the exact slope is {exact_slope:.3f}; always below exact, within the proved bound (at "
        f"N = 10⁵ the bound is {ratio:.4f} times the error)"
    )
    return Verdict.of(Outcome.ASYMPTOTIC, found, detail)


def _twin(data):
    return {**data, "order_expected": -0.5}


def _draw(data, figure):
    figure.set_size_inches(11, 3.6)
    left, middle, right = figure.subplots(1, 3)
    labels = ("beta-Bernoulli, exact", "Pólya urn, exact", "paper = gamma-Poisson")
    for curve, label, colour, line in zip(data["curves"], labels, COLOURS, ("-", "-.", "--"), strict=False):
        left.plot(data["fine"], curve, line, color=colour, label=label)
    left.set(xscale="log", xlabel="samples $D$", ylabel="working neurons $E[K]$", title="$N = 40$, $c = 5$, $b = 0.5$")
    left.legend()
    for i, label in enumerate(labels[:2]):
        middle.plot(data["fine"], data["limit_true"][i], color=COLOURS[i], label=label)
        middle.plot(data["fine"], data["limit_error_bound"][i], "--", color=COLOURS[i], linewidth=1)
    middle.set(xscale="log", yscale="log", xlabel="samples $D$", ylabel="relative error of the formula")
    middle.legend(title="dashed: proved bound")
    right.errorbar(SMALL, data["measured"], data["error"], fmt="o", color=COLOURS[1], label="stepwise simulation")
    right.plot(SMALL, data["exact"], color=COLOURS[0])
    right.plot(LARGE[:7], data["order"], color=COLOURS[0], label="exact")
    right.plot(LARGE, data["bound"], "--", color="black", linewidth=1, label="proved bound")
    right.set(xscale="log", yscale="log", xlabel="neurons $N$", ylabel="relative error at $D = N/4$")
    right.legend()


CLAIM = Claim(
    id="formula-error",
    title="The formula for K(D) is exact up to 1/N",
    statement="K(D) = N[1 − (bN/(cD+bN))^b]; at fixed cD/N its relative error is positive and of order 1/N.",
    source=ABSTRACT + " (formula); the error and its bound are ours",
    standing="asymptotic",
    expected=Outcome.ASYMPTOTIC,
    run=_run,
    judge=_judge,
    draw=_draw,
    twin=_twin,
    derivations=("gamma-poisson", "bound"),
    cost=6,
)
