"""What Fano factors are by chance, in three orders of presentation: exact laws, found by counting spikes."""

import numpy as np

from statnn.measure import spikes
from statnn.plot import COLOURS
from validation.claim import Claim, Outcome
from validation.claims._tools import exactly
from validation.statistics import mean

RATES = np.array([0.02, 0.1, 0.25, 0.5, 0.75, 0.95])
WINDOW = 100
SET = 400
"""Samples of the finite set."""
PEAK, CLASSES = 0.8, 10
WINDOWS = np.array([3, 10, 30, 100, 300])


def _factors(x, replicas, **options):
    """Return Fano factors and their nulls, shape (replicas, conditions) each, of units that stand side by side."""
    found = spikes.statistics(x, intervals=False, **options)
    return tuple(np.asarray(one).reshape(-1, replicas).T for one in (found.fano_factor, found.null_fano_factor))


def _run(rng, quick):
    replicas = 200 if quick else 2_000
    samples = 50 * WINDOW
    each = np.repeat(RATES, replicas)
    independent, _ = _factors(rng.random((samples, each.size), dtype=np.float32) < each, replicas, ddof=1)
    spiking = np.round(RATES * SET).astype(int)
    ordered = np.arange(SET)[:, None] < np.repeat(spiking, replicas)
    shuffled, _ = _factors(rng.permuted(ordered, axis=0), replicas)
    blocked, null = np.empty((2, replicas, WINDOWS.size))
    mixed = np.empty((replicas, WINDOWS.size))
    for j, window in enumerate(WINDOWS):
        labels = np.repeat(np.arange(CLASSES), 4 * window)
        x = rng.random((labels.size, replicas), dtype=np.float32) < PEAK * (labels == 0)[:, None]
        one, other = _factors(x, replicas, window=int(window), order="blocked", labels=labels)
        blocked[:, j], null[:, j] = one[:, 0], other[:, 0]
        mixed[:, j] = _factors(rng.permuted(x, axis=0), replicas, window=int(window))[0][:, 0]
    return {
        "independent": independent,
        "independent_theory": spikes.independent_fano_factor(RATES) * samples / (samples - 1),
        "shuffled": shuffled,
        "shuffled_theory": spikes.shuffled_fano_factor(RATES, WINDOW, SET),
        "blocked": blocked,
        "blocked_null": null,
        "mixed": mixed,
        "blocked_theory": [
            spikes.blocked_fano_factor([PEAK] + [0.0] * (CLASSES - 1), int(window)) for window in WINDOWS
        ],
    }


def _judge(data):
    pairs = [
        (data[name][:, j], data[f"{name}_theory"][j]) for name in ("independent", "shuffled") for j in range(RATES.size)
    ]
    gaps = (data["blocked"] - data["blocked_null"]).T
    return exactly(
        (mean(values, float(theory)) for values, theory in (*pairs, *((one, 0.0) for one in gaps))),
        f"1 − r, (1−r)(M−T)/(M−1) and the null of class blocks; {2 * RATES.size + len(gaps)} comparisons (worst)",
    )


def _twin(data):
    """Put Poisson counts, F = 1, in the place of those of samples."""
    return {**data, "independent_theory": np.ones(RATES.size)}


def _draw(data, figure):
    figure.set_size_inches(9, 3.8)
    left, right = figure.subplots(1, 2)
    r = np.linspace(0, 1, 101)
    left.axhline(1, color="grey", linestyle=":", label="Poisson")
    left.plot(r, 1 - r, color=COLOURS[0], label="independent, $1-r$")
    label = r"shuffled set, $(1-r)\frac{M-T}{M-1}$"
    left.plot(r, spikes.shuffled_fano_factor(r, WINDOW, SET), "--", color=COLOURS[1], label=label)
    for name, marker, colour in (("independent", "o", COLOURS[0]), ("shuffled", "s", COLOURS[1])):
        values = data[name]
        error = values.std(axis=0, ddof=1) / np.sqrt(len(values))
        left.errorbar(RATES, values.mean(axis=0), error, fmt=marker, color=colour)
    left.set(
        xlabel="firing rate $r$",
        ylabel="Fano factor $F$",
        ylim=(0, 1.45),
        title=f"$T = {WINDOW}$, $M = {SET}$",
    )
    left.legend(loc="upper right")
    for name, marker, colour, words in (
        ("blocked", "^", COLOURS[2], "one class a window"),
        ("mixed", "s", COLOURS[1], "same samples, shuffled"),
    ):
        values = data[name]
        error = values.std(axis=0, ddof=1) / np.sqrt(len(values))
        right.errorbar(WINDOWS, values.mean(axis=0), error, fmt=marker, color=colour, label=words)
    fine = np.geomspace(1, 1.5 * WINDOWS[-1], 100)
    p, square = PEAK / CLASSES, PEAK**2 / CLASSES
    right.plot(
        fine,
        1 - square / p + fine * (square - p**2) / p,
        color=COLOURS[2],
        label=r"$1-\frac{\mathrm{E}[p^2]}{\mathrm{E}[p]}+T\,\frac{\mathrm{Var}(p)}{\mathrm{E}[p]}$",
    )
    share = (4 * CLASSES - 1) / (4 * CLASSES - 1 / fine)
    right.plot(fine, (1 - p) * share, "--", color=COLOURS[1], label=r"$(1-r)\frac{M-T}{M-1}$, $M = 40\,T$")
    right.set(
        xscale="log",
        yscale="log",
        xlabel="window $T$",
        ylabel="Fano factor $F$",
        title=f"fires with {PEAK} in one of {CLASSES} classes",
    )
    right.legend(loc="upper left")


CLAIM = Claim(
    id="spike-nulls",
    title="Fano factors by chance",
    statement=(
        "The Fano factor of a unit with rate r is 1 − r for independent stimuli, (1−r)(M−T)/(M−1) for a finite set in "
        "random order, and 1 − E[p²]/E[p] + T Var(p)/E[p] for windows of one class each: order and window decide, and "
        "1, the value of Poisson counts, is none of them."
    ),
    source="this project, for the windows of Lehmler et al. 2023, arXiv 2308.00858",
    standing="exact",
    expected=Outcome.EXACT,
    run=_run,
    judge=_judge,
    draw=_draw,
    twin=_twin,
    derivations=("fano-nulls", "dispersion"),
    cost=4,
)
