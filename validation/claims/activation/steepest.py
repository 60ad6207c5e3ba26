"""The transition on a logarithmic axis: growth is steepest at cD = N."""

import numpy as np

from statnn._axes import logarithmic
from statnn.activation import BetaBernoulli, PolyaUrn
from statnn.plot import COLOURS
from statnn.testing.statistics import mean, worst
from validation.claim import Claim, Finding, Outcome, Verdict
from validation.claims._tools import ABSTRACT, lettered, log_slope

SHAPES = (0.2, 0.5, 1.0, 2.0, 5.0)
NEURONS, VALUES = 400, 2_000
MANY = 10.0 ** np.arange(2, 8)
PLACE = "ln of cD/N where K(D) grows fastest"
LIMIT = "exact ln of cD/N where the urn grows fastest, farthest from 0"
ORDER = "exponent in N of 1 - cD/N where beta-Bernoulli neurons grow fastest"


def _vertices(log_D, working):
    """Return a value for each replica, whose mean is where the parabola through the mean growth rates is highest.

    The vertex v = -slope/2 bend is not linear in K(D), but slope and bend are: to first order in its distance from the
    mean, a replica moves it by -(slope + 2 v bend)/2 bend, with its own slope and bend in the numerator and the mean
    bend in the denominator.
    """
    rates = np.diff(np.atleast_2d(working)) / np.diff(log_D)
    middle = (log_D[1:] + log_D[:-1]) / 2
    _, slope, bend = np.polynomial.polynomial.polyfit(middle, rates.T, 2)
    vertex = -slope.mean() / (2 * bend.mean())
    return vertex - (slope + 2 * vertex * bend) / (2 * bend.mean())


def _run(rng, quick):
    replicas = 2_000 if quick else 40_000
    out = {name: [] for name in ("vertex", "vertex_exact", "location", "rate", "curve", "shift")}
    D = np.unique(np.rint(NEURONS * np.geomspace(0.25, 4, 9)).astype(int))
    log_x = np.log(D / NEURONS)
    fine = np.geomspace(1e-3, 1e3, 200)
    for b in SHAPES:
        process = PolyaUrn(NEURONS, b)
        working = process.simulate(D, replicas, rng=rng, method="stepwise").working
        out["vertex"].append(_vertices(log_x, working).reshape(VALUES, -1).mean(axis=1))
        out["vertex_exact"].append(float(_vertices(log_x, process.working(D))[0]))
        out["location"].append(np.log(process.inflection() / NEURONS))
        out["rate"].append(np.diff(working.mean(axis=0)) / np.diff(log_x) / NEURONS)
        out["curve"].append(process.growth_rate(fine * NEURONS) / NEURONS)
        out["shift"].append([1 - BetaBernoulli(int(n), b, 5.0).inflection() * 5.0 / n for n in MANY])
    return out | {"x": np.exp((log_x[1:] + log_x[:-1]) / 2), "fine": fine, "order": -1.0, "limit": 0.0}


def _judge(data):
    # a parabola over a finite window misses the top by as much as the same parabola through the exact curve
    place = worst(
        mean(vertex - exact + location, float(location))
        for vertex, exact, location in zip(data["vertex"], data["vertex_exact"], data["location"], strict=True)
    )
    orders = [log_slope(MANY[2:5], shift[2:5]) for shift in np.abs(data["shift"])]
    farthest = max(orders, key=lambda exponent: abs(exponent - data["order"]))
    order = Finding(
        quantity=ORDER,
        estimate=farthest,
        error=0.0,
        theory=float(data["order"]),
        tolerance=0.01,
        sees=0.015,
        unit="of the exponent",
    )
    # 1 = n h - n h'/h, h = ψ(bN+n) - ψ(bN-b+n), has the root n = N (1 - (b+1)/2bN + ...): twice that is allowed
    far = int(np.argmax(np.abs(data["location"] - data["limit"])))
    limit = Finding(
        quantity=LIMIT, estimate=data["location"][far], error=0.0, theory=float(data["limit"]),
        tolerance=(1 + 1 / min(SHAPES)) / NEURONS, sees=0.023, unit="in ln D",
    )  # fmt: skip
    return Verdict.judged(
        [Finding.of(PLACE, place, limit=float(data["limit"]), sees=0.015, unit="in ln D"), limit, order],
        Outcome.ASYMPTOTIC,
        f"theory: cD = N for every b of {SHAPES} as N → ∞; neurons that decide by themselves grow fastest a little "
        f"earlier, by a share that falls as N^({np.mean(orders):.4f})",
        otherwise="growth is not steepest at cD = N",
    )


TWINS = {
    PLACE: lambda data, by: {**data, "location": data["location"] + by, "vertex_exact": data["vertex_exact"] + by},
    LIMIT: lambda data, by: {**data, "limit": data["limit"] - by},
    ORDER: lambda data, by: {**data, "order": data["order"] + by},
}


MARKS = "os^Dv"


def _draw(data, figure):
    figure.set_size_inches(9, 3.8)
    left, right = lettered(figure, 1, 2)
    for i, b in enumerate(SHAPES):
        left.plot(data["fine"], data["curve"][i], color=COLOURS[i], linewidth=1)
        left.plot(data["x"], data["rate"][i], MARKS[i], color=COLOURS[i], fillstyle="none", label=f"$b = {b:g}$")
        right.plot(MANY, data["shift"][i], MARKS[i], color=COLOURS[i], fillstyle="none")
        guide = data["shift"][i, -1] * MANY[-1] / MANY
        right.plot(MANY, guide, color="grey", linewidth=0.8, label=None if i else r"slope $-1$, $\propto 1/N$")
    left.axvline(1, color="grey", linestyle=":", linewidth=1)
    left.set(xscale="log", xlabel="$cD/N$", ylabel=r"$N^{-1}\,dK/d\ln D$", title="Pólya urn")
    left.legend(title="lines: exact\nsymbols: stepwise")
    logarithmic(right, "x", "y")
    right.set(xlabel="neurons $N$", ylabel="$1 - cD^*/N$", title="beta-Bernoulli, $c = 5$; symbols: exact")
    right.legend()


CLAIM = Claim(
    id="steepest-growth",
    title="The transition on a logarithmic axis",
    statement="On a logarithmic axis of D the number of working neurons grows fastest at cD = N, whatever b.",
    source=ABSTRACT + " speaks of a transition; the place follows from the hypothesis",
    standing="asymptotic",
    expected=Outcome.ASYMPTOTIC,
    caption=(
        "(a) Growth of the number of working neurons on a logarithmic axis, for $N = 400$ neurons that compete; "
        "lines: exact; symbols: differences of the mean of 2,000 stepwise replicas (40,000 in a full run), errors "
        "below the size of symbols. Dotted: $cD = N$. (b) How far the steepest place $D^*$ of beta-Bernoulli "
        "neurons, computed exactly, lies from $N/c$; lines: slope $-1$ through the last symbol. Symbols and colours "
        "mark the same $b$ in both panels."
    ),
    run=_run,
    judge=_judge,
    draw=_draw,
    twins=TWINS,
    derivations=("growth",),
    cost=3,
)
