"""The count law of one neuron: beta-binomial in both readings, negative binomial in their limit."""

import numpy as np

from statnn._axes import logarithmic
from statnn.activation import BetaBernoulli, GammaPoisson, PolyaUrn
from statnn.plot import COLOURS
from statnn.testing.statistics import counts, mean
from validation.claim import Claim, Finding, Outcome, Verdict
from validation.claims._tools import BELOW, HYPOTHESIS, draw_residuals, with_residuals

READINGS = (BetaBernoulli, PolyaUrn, GammaPoisson)
NEURONS, B, C, SAMPLES = 12, 0.6, 4.0, 30
STEP = 1e-4
K = np.arange(600)  # every law has a weight below 1e-12 beyond
BATCHES = 400
LAWS = [f"chi-square of how often a neuron was active k times, {reading.__name__}" for reading in READINGS]
SCORES = [f"mean of ∂ ln P(D_i)/∂ ln b, {reading.__name__}" for reading in READINGS]


def _run(rng, quick):
    replicas = 20_000 if quick else 400_000
    observed, batches = [], []
    for reading in READINGS:
        process = reading(NEURONS, B, C)
        counts = process.simulate([SAMPLES], replicas, rng=rng, method="stepwise", counts=True).counts[:, 0]
        # one neuron per replica, because the neurons of one urn are not independent
        observed.append(np.bincount(counts[:, 0], minlength=K.size))
        # replicas are independent, and so are batches of replicas
        batches.append([np.bincount(batch.ravel(), minlength=K.size) for batch in np.split(counts, BATCHES)])
    return {"k": K, "observed": observed, "batches": batches} | _laws([B] * len(READINGS))


def _laws(shapes):
    """Return the weights of 0, 1, 2, ... activations for each reading, and their logarithmic derivatives in b."""
    pmf, score = [], []
    for reading, b in zip(READINGS, shapes, strict=True):
        below, at, above = (reading(NEURONS, b * factor, C).count(SAMPLES) for factor in (1 - STEP, 1, 1 + STEP))
        pmf.append(at.pmf(K))
        with np.errstate(invalid="ignore"):  # counts that the law forbids
            score.append(np.nan_to_num((above.logpmf(K) - below.logpmf(K)) / (2 * STEP)))
    return {"pmf": pmf, "score": score}


def _judge(data):
    findings = []
    for i, (seen, pmf) in enumerate(zip(data["observed"], data["pmf"], strict=True)):
        findings.append(Finding.of(LAWS[i], counts(seen, pmf), sees=0.15, unit="of b"))
        scores = data["batches"][i] @ data["score"][i] / data["batches"][i].sum(axis=1)
        findings.append(Finding.of(SCORES[i], mean(scores, 0.0), sees=0.03, unit="of b"))
    return Verdict.judged(
        findings,
        Outcome.EXACT,
        "simulation against the three count laws, none of which has a fitted parameter",
        otherwise="simulation and a count law differ beyond chance",
    )


def _twin_of(i):
    def twin(data, by):
        """Let b of one of the laws be too large."""
        return data | _laws([(1 + by) * B if j == i else B for j in range(len(READINGS))])

    return twin


TWINS = {names[i]: _twin_of(i) for names in (LAWS, SCORES) for i in range(len(READINGS))}


def _draw(data, figure):
    panels, lower = with_residuals(figure, 3)
    figure.set_size_inches(9, 4.4)
    rows = zip(panels, lower, READINGS, data["observed"], data["pmf"], COLOURS, strict=False)
    for axes, residuals, reading, seen, pmf, colour in rows:
        shown = seen > 0
        share = seen / seen.sum()
        error = np.sqrt(share * (1 - share) / seen.sum())
        below = np.minimum(error, 0.9 * share)  # the bar of a single count reaches down to 0
        axes.errorbar(
            data["k"][shown], share[shown], [below[shown], error[shown]], fmt=".", color=colour,
            label="stepwise simulation",
        )  # fmt: skip
        last = data["k"][shown][-1]
        allowed = (pmf > 0) & (data["k"] <= last + 1)
        axes.plot(data["k"][allowed], pmf[allowed], color="black", linewidth=1, label="exact law")
        often = pmf * seen.sum() >= 10  # where counts are nearly normal
        deviation = np.sqrt(pmf * (1 - pmf) / seen.sum())
        draw_residuals(residuals, data["k"][often], share[often], pmf[often], deviation[often], color=colour)
        logarithmic(axes, "y")
        axes.set(
            title=reading.__name__,
            xlim=(-0.03 * last, 1.05 * last),
            ylim=(0.8 * (share - below)[shown].min(), 2 * share.max()),
        )
        residuals.set_xlabel("activations $k$")
    panels[0].set_ylabel("$P(D_i = k)$")
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=2)


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
    caption=(
        "Probability that one neuron is active $k$ times, in three readings of the hypothesis: neurons decide sample "
        "by sample (a), compete for events (b), and the common limit (c). $N = 12$, $b = 0.6$, $c = 4$, "
        "$D = 30$; 20,000 replicas (400,000 in a full run). Lines: exact laws without a fitted parameter. Error "
        "bars: binomial standard error, cut below where it reaches zero; counts that were never seen are left out."
        + BELOW
        + " Only for counts "
        "expected ten times or more."
    ),
    run=_run,
    judge=_judge,
    draw=_draw,
    twins=TWINS,
    derivations=("beta-bernoulli", "urn", "gamma-poisson"),
    cost=6,
)
