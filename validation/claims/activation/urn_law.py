"""The full law of K when neurons compete."""

import numpy as np
from scipy import stats

from statnn.activation import PolyaUrn
from statnn.plot import COLOURS
from statnn.testing.statistics import counts, mean, total
from validation.claim import Asks, Claim, Finding, Outcome, Verdict
from validation.claims._tools import BELOW, HYPOTHESIS, draw_residuals, with_residuals

NEURONS, B, EVENTS = 40, 0.8, 60
LAW = "chi-square of how often K was seen"
MEAN = "mean of K"
NARROW = "variance of K over that of independent neurons of the same mean"


def _run(rng, quick):
    process = PolyaUrn(NEURONS, B)
    k = np.arange(NEURONS + 1)
    replicas = 20_000 if quick else 500_000
    working = process.simulate([EVENTS], replicas, rng=rng, method="stepwise").working[:, 0]
    independent = stats.binom(NEURONS, 1 - process.silent(EVENTS))
    return {
        "k": k,
        "observed": np.bincount(working, minlength=k.size),
        "pmf": process.working_law(EVENTS).pmf(k),
        "independent": independent.pmf(k),
        "share": 1.0,
    }


def _judge(data):
    k, observed = data["k"], data["observed"]
    values = np.repeat(k, observed)
    centre = k @ data["pmf"]
    squares = (values - centre) ** 2 / (data["independent"] @ (k - k @ data["independent"]) ** 2)
    narrow = mean(squares, float(data["share"]))
    return Verdict.judged(
        [
            Finding.of(LAW, counts(observed, data["pmf"]), sees=0.04, unit="of b"),
            Finding.of(MEAN, total(values, data["pmf"]), sees=0.03, unit="of b"),
            Finding.of(NARROW, narrow, sees=0.45, unit="of the variance", asks=Asks.BELOW),
        ],
        Outcome.EXACT,
        "simulation against the exact law of K, and against the binomial, which is wider",
        otherwise="simulation and the exact law of K differ beyond chance",
    )


def _with(b):
    return PolyaUrn(NEURONS, b).working_law(EVENTS).pmf(np.arange(NEURONS + 1))


def _twin(data, by):
    return {**data, "pmf": _with((1 + by) * B)}


TWINS = {LAW: _twin, MEAN: _twin, NARROW: lambda data, by: {**data, "share": data["share"] - by}}


def _draw(data, figure):
    figure.set_size_inches(6, 5)
    ((axes,), (below,)) = with_residuals(figure)
    share = data["observed"] / data["observed"].sum()
    error = np.sqrt(share * (1 - share) / data["observed"].sum())
    axes.plot(data["k"], data["pmf"], color=COLOURS[0], label="exact: neurons compete")
    axes.plot(data["k"], data["independent"], "--", color=COLOURS[1], label="independent neurons, same mean")
    axes.errorbar(data["k"], share, error, fmt="o", color="black", fillstyle="none", label="stepwise simulation")
    often = data["pmf"] * data["observed"].sum() >= 10  # where counts are nearly normal
    deviation = np.sqrt(data["pmf"] * (1 - data["pmf"]) / data["observed"].sum())
    draw_residuals(below, *(values[often] for values in (data["k"], share, data["pmf"], deviation)), color="black")
    axes.set(ylabel="$P(K = k)$", xlim=(10, 36), ylim=(0, None))
    below.set_xlabel("working neurons $k$")
    axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2)


CLAIM = Claim(
    id="urn-law",
    title="The law of K when neurons compete",
    statement="P(K=k) = C(N,k) Δᵏ r₀ with r_i = (bi)_n/(bN)_n; it is narrower than the binomial of the same mean.",
    source=HYPOTHESIS,
    standing="exact",
    expected=Outcome.EXACT,
    caption=(
        "Distribution of the number $K$ of working neurons when 40 neurons compete for 60 events, $b = 0.8$. "
        "Circles: 20,000 stepwise replicas (500,000 in a full run), with binomial standard errors. Solid: exact law; "
        "dashed: binomial law of independent neurons of the same mean, which is wider." + BELOW + " Only for values "
        "expected ten times or more."
    ),
    run=_run,
    judge=_judge,
    draw=_draw,
    twins=TWINS,
    derivations=("urn-law",),
    cost=3,
)
