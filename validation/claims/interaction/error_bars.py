"""Error bars: deviations of many runs from the exact energy, in units of their own errors, are standard normal."""

import warnings

import numpy as np
from scipy import stats

from statnn.interaction import kaufman, square_lattice
from statnn.montecarlo import UntrustedEstimate, estimate, sample
from statnn.plot import COLOURS
from statnn.testing.statistics import uniform
from validation.claim import Claim, Finding, Outcome, Verdict
from validation.claims._tools import lettered

SIZE, TEMPERATURE = 8, 2.5
CHAINS = 4
DISTANCE = "Kolmogorov's distance of two-sided p-values from uniform"


def _run(rng, quick):
    runs = 500 if quick else 1000
    lattice = square_lattice(SIZE, SIZE, temperature=TEMPERATURE)
    sweeps = 8_000
    drawn = sample(
        lattice, sweeps, chains=runs * CHAINS, burn_in=500, thin=2, rng=rng, method="heat bath",
        observables=["energy"], progress=False,
    ).draws["energy"]  # fmt: skip
    energy = kaufman(SIZE, SIZE, temperature=TEMPERATURE).energy
    rows = []
    with warnings.catch_warnings():
        warnings.simplefilter("error", UntrustedEstimate)
        for run in drawn.reshape(runs, CHAINS, -1):
            sampled = estimate(run, "energy")
            rows.append(((sampled.mean - energy) / sampled.error, sampled.tau))
    scores, tau = np.transpose(rows)
    naive = (drawn.reshape(runs, -1).mean(axis=1) - energy) / (drawn.std() / np.sqrt(CHAINS * drawn.shape[1]))
    return {"scores": scores, "tau": tau, "naive": naive, "judged": scores}


def _judge(data):
    comparison = uniform(2 * stats.norm.sf(np.abs(data["judged"])))
    finding = Finding.of(
        DISTANCE, comparison, sees=0.45 if len(data["judged"]) < 1000 else 0.3, unit="of the stated error"
    )
    detail = f"{len(data['judged'])} runs, τ = {data['tau'].mean():.3g} draws"
    return Verdict.judged((finding,), Outcome.ASYMPTOTIC, detail, otherwise="stated errors are wrong")


def _too_small(data, by):
    """Let stated errors be too small by a share, like naive errors, which take draws to be independent."""
    return {**data, "judged": data["judged"] * (1 + by)}


def _draw(data, figure):
    figure.set_size_inches(9, 3.6)
    left, right = lettered(figure, 1, 2)
    edges = np.linspace(-4.5, 4.5, 37)
    z = np.linspace(-4.5, 4.5, 200)
    for name, colour, label in (("naive", COLOURS[1], "draws as if independent"), ("scores", COLOURS[0], "statnn")):
        left.hist(data[name], edges, density=True, histtype="step", linewidth=1.5, color=colour, label=label)
        right.plot(stats.norm.ppf((np.arange(len(data[name])) + 0.5) / len(data[name])), np.sort(data[name]), ".",
                   color=colour, label=label)  # fmt: skip
    left.plot(z, stats.norm.pdf(z), color="black", linewidth=1, label="standard normal")
    left.set(xlabel="(mean − exact) / error", ylabel="density", ylim=(0, 0.75))
    left.legend(loc="upper left", fontsize="small")
    right.plot(z, z, color="black", linewidth=1)
    right.set(xlabel="quantile of the standard normal", ylabel="(mean − exact) / error", xlim=(-4, 4), ylim=(-7, 7))


CLAIM = Claim(
    id="error-bars",
    title="Error bars are what they say",
    statement=(
        "Deviations of the sampled energy from the exact one, in units of the error that each run states of itself, "
        "are standard normal for long runs."
    ),
    source="Geyer 1992; Vehtari et al. 2021",
    standing="asymptotic",
    expected=Outcome.ASYMPTOTIC,
    caption=(
        "Deviations of 500 sampled energies (1,000 in a full run) from the exact one, in units of the error that "
        r"each run states, for $8 \times 8$ spins at $T = 2.5$: as densities (a) and against quantiles of the "
        "standard normal law (b). Blue: with the errors of the package; orange, wider and steeper: with errors "
        "as if draws were independent; black: standard normal law."
    ),
    run=_run,
    judge=_judge,
    draw=_draw,
    twins={DISTANCE: _too_small},
    derivations=("autocorrelation",),
    cost=6,
)
