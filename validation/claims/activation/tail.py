"""The power law of the count law: its exponent, and the range in which it holds."""

import numpy as np
from scipy import optimize, stats

from statnn.activation import BetaBernoulli
from statnn.plot import COLOURS
from statnn.testing.statistics import proportion, worst, z_score
from validation.claim import Asks, Claim, Finding, Outcome, Verdict
from validation.claims._tools import MAIN_TEXT, scaled

SHAPES = (0.2, 0.5, 0.8)
FIRST, LAST = 16, 512
CUTOFF = 20_000
EXPONENT = f"exponent α of counts from {FIRST} to {LAST}"
STATED = "exact exponent of these counts, farthest from 1 - b"
BEYOND = "share of neurons above 3 k_c"
CUT = "ln of the number of neurons above 3 k_c over that of a pure power law, largest"


def _maximum_likelihood(k, weight):
    """Return the exponent of k^-alpha on k = FIRST ... LAST fitted to weights, and the variance of ln k there."""
    log_k = np.log(k)
    target = weight @ log_k / weight.sum()

    def gap(alpha):
        p = np.exp(-alpha * log_k)
        return p @ log_k / p.sum() - target

    alpha = optimize.brentq(gap, -3, 5, xtol=1e-13)
    p = np.exp(-alpha * log_k)
    p /= p.sum()
    return alpha, p @ log_k**2 - (p @ log_k) ** 2


def _run(rng, quick):
    neurons = 500_000 if quick else 4_000_000
    window = np.arange(FIRST, LAST + 1)
    edges = np.unique(np.geomspace(1, 40 * CUTOFF, 60).astype(int))
    out = {
        name: []
        for name in ("alpha", "error", "pseudo", "beyond", "share", "beyond_power_law", "cutoff", "seen", "exact")
    }
    for b in SHAPES:
        c = 0.005 * neurons
        D = int(CUTOFF * b * neurons / c)
        process = BetaBernoulli(neurons, b, c)
        # neurons are independent: the first block of a path, drawn without stepping
        counts = process.simulate([D], 1, rng=rng, counts=True).counts[0, 0]
        seen = np.bincount(counts[(counts >= FIRST) & (counts <= LAST)], minlength=LAST + 1)[FIRST:]
        alpha, variance = _maximum_likelihood(window, seen)
        exact = process.count(D)
        pseudo, _ = _maximum_likelihood(window, exact.pmf(window))
        tail = np.arange(1, 40 * CUTOFF)
        power = tail ** (b - 1.0)
        out["alpha"].append(alpha)
        out["error"].append(1 / np.sqrt(seen.sum() * variance))
        out["pseudo"].append(pseudo)
        far = round(3 * process.cutoff(D))
        out["beyond"].append(np.count_nonzero(counts > far))
        out["share"].append(exact.sf(far))
        out["beyond_power_law"].append(seen.sum() * power[far:].sum() / power[FIRST - 1 : LAST].sum())
        out["cutoff"].append(process.cutoff(D))
        out["seen"].append(np.histogram(counts, bins=edges)[0] / np.diff(edges) / neurons)
        out["exact"].append(exact.pmf(edges[:-1]))
    return out | {"edges": edges, "neurons": neurons, "most": 0.0, "stated": 1 - np.array(SHAPES)}


def _judge(data):
    # the exact law on the same window gives the exponent at these sizes
    exponents = [
        z_score(float(alpha), float(error), float(pseudo))
        for alpha, error, pseudo in zip(data["alpha"], data["error"], data["pseudo"], strict=True)
    ]
    exponent = worst(exponents)
    limit = float(data["stated"][[comparison.theory for comparison in exponents].index(exponent.theory)])
    # the local exponent is 1 - b + k/k_c - b(1-b)/2k + ...; the fit averages it, so the larger term bounds its error
    far = int(np.argmax(np.abs(data["pseudo"] - data["stated"])))
    stated = Finding(
        quantity=STATED, estimate=data["pseudo"][far], error=0.0, theory=data["stated"][far],
        tolerance=LAST / CUTOFF, sees=0.031, unit="in α",
    )  # fmt: skip
    beyond = worst(
        proportion(int(seen), int(data["neurons"]), float(share))
        for seen, share in zip(data["beyond"], data["share"], strict=True)
    )
    share = data["beyond"] / data["beyond_power_law"]
    at = int(np.argmax(share))
    most = float(data["most"])
    cut = Finding(
        quantity=CUT,
        estimate=np.log(share[at]),
        error=1 / np.sqrt(data["beyond"][at]),
        theory=most,
        p=stats.poisson.cdf(data["beyond"][at], np.exp(most) * data["beyond_power_law"][at]),
        law="Poisson",
        sees=6.0,
        unit="in the logarithm",
        asks=Asks.BELOW,
    )
    detail = (
        f"theory: α = 1 − b for b < 1 and 1 ≪ k ≪ k_c = {float(data['cutoff'][0]):.0f}; above 3 k_c the share "
        f"{share.min():.1e} to {share.max():.1e} of the neurons that a pure power law predicts is there"
    )
    return Verdict.judged(
        [
            Finding.of(EXPONENT, exponent, limit=limit, sees=0.03, unit="in α"),
            stated,
            Finding.of(BEYOND, beyond, sees=0.1, unit="of the share, relative"),
            cut,
        ],
        Outcome.DOMAIN,
        detail,
        otherwise="the exponent is not 1 − b below the cut-off, or the tail is not that of the exact law",
    )


TWINS = {
    EXPONENT: lambda data, by: {**data, "pseudo": data["pseudo"] + by},
    STATED: lambda data, by: {**data, "stated": data["stated"] + by},
    BEYOND: scaled("share"),
    CUT: lambda data, by: {**data, "most": data["most"] - by},
}


def _draw(data, figure):
    axes = figure.add_subplot()
    left = data["edges"][:-1]
    middle = np.sqrt(left * (data["edges"][1:] - 1.0))
    for i, b in enumerate(SHAPES):
        seen = data["seen"][i] > 0
        axes.plot(middle[seen], data["seen"][i][seen], ".", color=COLOURS[i], label=f"$b = {b}$, simulation")
        drawn = data["exact"][i] > 1e-10
        axes.plot(left[drawn], data["exact"][i][drawn], color=COLOURS[i])
        axes.axvline(data["cutoff"][i], color=COLOURS[i], linestyle=":", linewidth=1)
        anchor = np.searchsorted(left, 100)
        axes.plot(
            left,
            data["exact"][i][anchor] * (left / left[anchor]) ** (b - 1.0),
            "--",
            color=COLOURS[i],
            linewidth=0.9,
        )
    axes.annotate("$k_c$", (data["cutoff"][0], 0.2), textcoords="offset points", xytext=(4, 0), color="grey")
    axes.set(
        xscale="log",
        yscale="log",
        xlabel="activations $k$",
        ylabel="$P(D_i = k)$",
        ylim=(1e-9, 1),
        xlim=(1, left[-1]),
    )
    axes.legend(title=r"line: exact; dashed: $k^{-(1-b)}$", loc="lower left")


CLAIM = Claim(
    id="tail-exponent",
    title="Power law of the number of activations",
    statement="P(D_i = k) ∝ k^(−α) with 0 < α < 1, and α = 1 − b.",
    source=MAIN_TEXT + " (power law); the exponent and the cut-off follow from the hypothesis",
    standing="paper",
    expected=Outcome.DOMAIN,
    caption=(
        "Distribution of the number $k$ of activations of a neuron for three $b$. Dots: one draw of 500,000 neurons "
        "(4,000,000 in a full run) in logarithmic bins; solid: exact law; dashed: power law $k^{-(1-b)}$ through the "
        "exact law at $k = 100$; dotted: cut-off $k_c = 20{,}000$. Dots have no error bars: their scatter is that of "
        "the counts."
    ),
    run=_run,
    judge=_judge,
    draw=_draw,
    twins=TWINS,
    derivations=("counts",),
    cost=5,
)
