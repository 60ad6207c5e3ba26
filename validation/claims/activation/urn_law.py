"""The law of K as a whole when neurons compete."""

import numpy as np
from scipy import stats

from statnn.activation import PolyaUrn
from statnn.plot import COLOURS
from validation.claim import Claim, Outcome
from validation.claims._tools import HYPOTHESIS, exactly
from validation.statistics import law

NEURONS, B, EVENTS = 40, 0.8, 60


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
    }


def _judge(data):
    return exactly([law(data["observed"], data["pmf"])], "the exact law of K (chi-square)")


def _twin(data):
    return {**data, "pmf": data["independent"]}


def _draw(data, figure):
    axes = figure.add_subplot()
    share = data["observed"] / data["observed"].sum()
    axes.bar(data["k"], share, color=COLOURS[5], alpha=0.6, label="stepwise simulation")
    axes.plot(data["k"], data["pmf"], ".-", color=COLOURS[0], label="exact: neurons compete")
    axes.plot(data["k"], data["independent"], "--", color=COLOURS[1], label="independent neurons, same mean")
    axes.set(xlabel="working neurons $k$", ylabel="$P(K = k)$", xlim=(8, 36))
    axes.legend()


CLAIM = Claim(
    id="urn-law",
    title="The law of K when neurons compete",
    statement="P(K=k) = C(N,k) Δᵏ r₀ with r_i = (bi)_n/(bN)_n; it is narrower than the binomial of the same mean.",
    source=HYPOTHESIS,
    standing="exact",
    expected=Outcome.EXACT,
    run=_run,
    judge=_judge,
    draw=_draw,
    twin=_twin,
    derivations=("urn-law",),
    cost=3,
)
