"""The count law of one neuron: beta-binomial in both readings, negative binomial in their limit."""

import numpy as np

from statnn.activation import BetaBernoulli, GammaPoisson, PolyaUrn
from statnn.plot import COLOURS
from validation.claim import Claim, Outcome
from validation.claims._tools import HYPOTHESIS, exactly
from validation.statistics import law

READINGS = (BetaBernoulli, PolyaUrn, GammaPoisson)
NEURONS, B, C, SAMPLES = 12, 0.6, 4.0, 30


def _run(rng, quick):
    replicas = 20_000 if quick else 400_000
    k = np.arange(600)  # beyond it no law has more than 1e-12
    observed, pmf = [], []
    for reading in READINGS:
        process = reading(NEURONS, B, C)
        path = process.simulate([SAMPLES], replicas, rng=rng, method="stepwise", counts=True)
        # one neuron a replica, because those of one urn are not independent
        observed.append(np.bincount(path.counts[:, 0, 0], minlength=k.size))
        pmf.append(process.count(SAMPLES).pmf(k))
    return {"k": k, "observed": observed, "pmf": pmf}


def _judge(data):
    return exactly(
        (law(seen, pmf) for seen, pmf in zip(data["observed"], data["pmf"], strict=True)),
        "the three count laws (chi-square, degrees of freedom as theory)",
    )


def _twin(data):
    return {**data, "pmf": np.roll(data["pmf"], 1, axis=0)}


def _draw(data, figure):
    panels = figure.subplots(1, 3, sharex=True, sharey=True)
    figure.set_size_inches(9, 3.2)
    for axes, reading, seen, pmf, colour in zip(panels, READINGS, data["observed"], data["pmf"], COLOURS, strict=False):
        share = seen / seen.sum()
        axes.errorbar(data["k"], share, np.sqrt(share / seen.sum()), fmt=".", color=colour, label="stepwise simulation")
        axes.plot(data["k"], pmf, color="black", linewidth=1, label="exact law")
        axes.set(title=reading.__name__, xlabel="activations $k$", yscale="log", ylim=(1e-5, 1), xlim=(-1, 60))
        axes.legend()
    panels[0].set_ylabel("$P(D_i = k)$")


CLAIM = Claim(
    id="count-law",
    title="Count law of one neuron",
    statement=(
        "The number of activations of a neuron is BetaBinomial(D; b, bN/c − b) if neurons decide sample by sample, "
        "BetaBinomial(n; b, b(N−1)) if they compete for events, and negative binomial in the common limit."
    ),
    source=HYPOTHESIS,
    standing="exact",
    expected=Outcome.EXACT,
    run=_run,
    judge=_judge,
    draw=_draw,
    twin=_twin,
    derivations=("beta-bernoulli", "urn", "gamma-poisson"),
    cost=6,
)
