"""Fano factors by chance, in three orders of presentation: exact laws, and what counts of spikes give."""

import numpy as np

from statnn.measure import spikes
from statnn.plot import COLOURS
from statnn.testing.statistics import mean, worst
from validation.claim import Asks, Claim, Finding, Outcome, Verdict
from validation.claims._tools import BELOW, draw_residuals, scaled, with_residuals

RATES = np.array([0.02, 0.1, 0.25, 0.5, 0.75, 0.95])
WINDOW = 20
SAMPLES = 250 * WINDOW
"""Independent samples: many short windows determine a factor best."""
SET = 100
"""Samples of the finite set."""
PEAK, CLASSES, EACH = 0.8, 10, 4
"""Rate in the one class that makes the unit fire, number of classes, and windows per class."""
WINDOWS = np.array([3, 10, 30, 100])
INDEPENDENT, SHUFFLED = "Fano factor of independent stimuli", "Fano factor of a finite set in random order"
BLOCKED, MIXED = "Fano factor of windows of one class each", "Fano factor of the same samples in random order"
NULL = "Fano factor of windows of one class each over its null"
POISSON = f"Fano factor of independent stimuli at r = {RATES[1]}, against that of Poisson counts"


def _factors(x, replicas, **options):
    """Return Fano factors and their nulls, shape (replicas, conditions) each, of units in columns."""
    statistics = spikes.statistics(x, intervals=False, **options)
    return tuple(
        np.asarray(factors).reshape(-1, replicas).T for factors in (statistics.fano_factor, statistics.null_fano_factor)
    )


def _mixed(rng, x):
    """Put the samples of each unit in a random order of their own."""
    return np.ascontiguousarray(rng.permuted(np.ascontiguousarray(x.T), axis=1).T)


def _blocked_theory(window):
    """Return the mean Fano factor of few windows.

    Given the spikes S of the one class that fires, its counts are hypergeometric: E[F | S] = 1 + (S-1)(T-1)/(wT-1) -
    S/W with w windows of that class among W, which is linear in S.
    """
    spiking = PEAK * EACH * window
    return 1 + (spiking - 1) * (window - 1) / (EACH * window - 1) - spiking / (EACH * CLASSES)


def _run(rng, quick):
    few, many = (700, 25_000) if quick else (4_000, 100_000)
    each = np.repeat(RATES, few)
    x = rng.random((SAMPLES, each.size), dtype=np.float32) < each.astype(np.float32)
    independent, _ = _factors(x, few, window=WINDOW, ddof=1)
    spiking = np.rint(RATES * SET).astype(int)
    ordered = np.arange(SET)[:, None] < np.repeat(spiking, many)
    shuffled, _ = _factors(_mixed(rng, ordered), many, window=WINDOW)
    replicas = many // 5
    blocked, null, mixed = np.empty((3, replicas, WINDOWS.size))
    for j, window in enumerate(WINDOWS):
        labels = np.repeat(np.arange(CLASSES), EACH * window)
        x = np.zeros((labels.size, replicas), dtype=bool)
        x[labels == 0] = rng.random((EACH * window, replicas), dtype=np.float32) < PEAK
        factors, nulls = _factors(x, replicas, window=int(window), order="blocked", labels=labels)
        blocked[:, j], null[:, j] = factors[:, 0], nulls[:, 0]
        mixed[:, j] = _factors(_mixed(rng, x), replicas, window=int(window))[0][:, 0]
    rate = PEAK / CLASSES
    return {
        "independent": independent,
        "independent_theory": spikes.independent_fano_factor(RATES) * SAMPLES / (SAMPLES - 1),
        "shuffled": shuffled,
        "shuffled_theory": spikes.shuffled_fano_factor(RATES, WINDOW, SET),
        "blocked": blocked,
        "blocked_theory": [_blocked_theory(int(window)) for window in WINDOWS],
        "blocked_limit": [
            spikes.blocked_fano_factor([PEAK] + [0.0] * (CLASSES - 1), int(window)) for window in WINDOWS
        ],
        "over_null": blocked / null,
        "over_null_theory": np.ones(WINDOWS.size),
        "mixed": mixed,
        "mixed_theory": [
            spikes.shuffled_fano_factor(rate, int(window), EACH * CLASSES * int(window)) for window in WINDOWS
        ],
        "poisson": 1.0,
    }


def _judge(data):
    def family(name):
        return worst(
            mean(values, float(theory)) for values, theory in zip(data[name].T, data[f"{name}_theory"], strict=True)
        )

    below = mean(data["independent"][:, 1], float(data["poisson"]))
    findings = (
        Finding.of(INDEPENDENT, family("independent"), sees=0.03, unit="of the factor"),
        Finding.of(SHUFFLED, family("shuffled"), sees=0.03, unit="of the factor"),
        Finding.of(BLOCKED, family("blocked"), sees=0.004, unit="of the factor"),
        Finding.of(NULL, family("over_null"), sees=3e-4, unit="of the factor"),
        Finding.of(MIXED, family("mixed"), sees=0.03, unit="of the factor"),
        Finding.of(POISSON, below, asks=Asks.BELOW, sees=0.125, unit="of Poisson's"),
    )
    gap = np.abs(data["blocked_theory"] / data["blocked_limit"] - 1).max()
    detail = (
        "simulation against the laws of each order; with windows of one class each the formula of many windows is up "
        f"to {gap:.1%} off the exact mean over few"
    )
    return Verdict.judged(findings, Outcome.EXACT, detail, otherwise="counts of spikes have other Fano factors")


TWINS = {
    INDEPENDENT: scaled("independent_theory"),
    SHUFFLED: scaled("shuffled_theory"),
    BLOCKED: scaled("blocked_theory"),
    NULL: scaled("over_null_theory"),
    MIXED: scaled("mixed_theory"),
    POISSON: lambda data, by: {**data, "poisson": data["poisson"] * (1 - by)},
}


def _draw(data, figure):
    figure.set_size_inches(9, 5)
    (left, right), (below_left, below_right) = with_residuals(figure, 2)
    r = np.linspace(0, 1, 101)
    left.axhline(1, color="grey", linestyle=":", label="Poisson")
    left.plot(r, 1 - r, color=COLOURS[0], label="independent, $1-r$")
    label = r"shuffled set, $(1-r)\frac{M-T}{M-1}$"
    left.plot(r, spikes.shuffled_fano_factor(r, WINDOW, SET), "--", color=COLOURS[1], label=label)
    for name, marker, colour in (("independent", "o", COLOURS[0]), ("shuffled", "s", COLOURS[1])):
        values = data[name]
        error = values.std(axis=0, ddof=1) / np.sqrt(len(values))
        left.errorbar(RATES, values.mean(axis=0), error, fmt=marker, color=colour)
        draw_residuals(
            below_left, RATES, values.mean(axis=0), data[f"{name}_theory"], error, color=colour, marker=marker
        )
    below_left.set_xlabel("firing rate $r$")
    left.set(
        ylabel="Fano factor $F$",
        ylim=(0, 1.45),
        title=f"$T = {WINDOW}$, $M = {SET}$",
    )
    left.legend(loc="upper right")
    for name, marker, colour, words in (
        ("blocked", "^", COLOURS[2], "one class per window"),
        ("mixed", "s", COLOURS[1], "same samples, shuffled"),
    ):
        values = data[name]
        error = values.std(axis=0, ddof=1) / np.sqrt(len(values))
        right.errorbar(WINDOWS, values.mean(axis=0), error, fmt=marker, color=colour, label=words)
        draw_residuals(
            below_right, WINDOWS, values.mean(axis=0), data[f"{name}_theory"], error, color=colour, marker=marker
        )
    below_right.set_xlabel("window $T$")
    fine = np.geomspace(1, 1.5 * WINDOWS[-1], 100)
    p, square = PEAK / CLASSES, PEAK**2 / CLASSES
    right.plot(
        fine,
        1 - square / p + fine * (square - p**2) / p,
        color=COLOURS[2],
        label=r"$1-\frac{\mathrm{E}[p^2]}{\mathrm{E}[p]}+T\,\frac{\mathrm{Var}(p)}{\mathrm{E}[p]}$",
    )
    share = (EACH * CLASSES - 1) / (EACH * CLASSES - 1 / fine)
    right.plot(
        fine, (1 - p) * share, "--", color=COLOURS[1], label=rf"$(1-r)\frac{{M-T}}{{M-1}}$, $M = {EACH * CLASSES}\,T$"
    )
    right.set(
        xscale="log",
        yscale="log",
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
    caption=(
        "Fano factor $F$ of units by chance. (a) Against the firing rate $r$ in windows of $T = 20$ samples, for "
        "independent stimuli (circles, solid) and a finite set of $M = 100$ in random order (squares, dashed); "
        "dotted: Poisson counts. (b) Against $T$ for a unit that fires in one of ten classes, with windows of one "
        "class each (triangles, solid) and in random order (squares, dashed). Lines: theory, in (b) solid that "
        "of many windows. Error bars: standard error over at least 700 units, mostly below the size of symbols." + BELOW
    ),
    run=_run,
    judge=_judge,
    draw=_draw,
    twins=TWINS,
    derivations=("fano-nulls", "dispersion"),
    cost=4,
)
