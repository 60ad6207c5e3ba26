"""K(D): mean and covariance of whole paths, from the very beginning and from a general start."""

import numpy as np

from statnn._axes import logarithmic
from statnn.activation import BetaBernoulli, GammaPoisson, PolyaUrn, checkpoints
from statnn.plot import COLOURS
from statnn.testing.statistics import covariance, mean, proportion, total, worst
from validation.claim import Asks, Claim, Finding, Outcome, Verdict
from validation.claims._tools import BELOW, HYPOTHESIS, MAIN_TEXT, draw_residuals, lettered, with_residuals

NEURONS, C, SHAPES = 100, 5.0, (0.1, 0.3, 1.0, 3.0)
GROWTH = "mean of K(D) over replicas"


def _covariance(process, D):
    """Return Cov(K(D), K(D')) = Var K(D) S(D')/S(D) for D <= D'.

    A silent neuron stays silent with probability S(D')/S(D), whatever the others do.
    """
    silent, variance = process.silent(D), process.working_std(D) ** 2
    first, last = (
        np.minimum.outer(np.arange(D.size), np.arange(D.size)),
        np.maximum.outer(*2 * [np.arange(D.size)]),
    )
    return variance[first] * silent[last] / silent[first]


# -- the mean, for several b ------------------------------------------------------------------------------


def _run_growth(rng, quick):
    D = checkpoints(10_000 if quick else 100_000, 16)
    replicas = 1_200 if quick else 8_000
    fine = np.geomspace(1, D[-1], 200)
    out = {"D": D, "fine": fine, "b": SHAPES, "laws": _laws(D, SHAPES)}
    paths = {name: [] for name in ("working", "curve", "steepest")}
    for b in SHAPES:
        process = PolyaUrn(NEURONS, b, C)
        paths["working"].append(process.simulate(D, replicas, rng=rng, method="stepwise").working)
        paths["curve"].append(process.working(fine))
        paths["steepest"].append((process.inflection(), process.working(process.inflection())))
    return out | paths


def _laws(D, shapes):
    """Return P(K(D) = 0, 1, ...) for each b and checkpoint; their means are E[K(D)]."""
    k = np.arange(NEURONS + 1)
    return [[PolyaUrn(NEURONS, b, C).working_law(int(d)).pmf(k) for d in D] for b in shapes]


def _judge_growth(data):
    comparison = worst(
        total(paths[:, t], law)
        for paths, laws in zip(data["working"], data["laws"], strict=True)
        for t, law in enumerate(laws)
    )
    return Verdict.judged(
        [Finding.of(GROWTH, comparison, sees=0.03, unit="of b")],
        Outcome.EXACT,
        "simulation against E[K(D)] at every checkpoint and b, by the exact law of K(D)",
        otherwise="simulation and E[K(D)] differ beyond chance",
    )


def _twin_growth(data, by):
    return {**data, "laws": _laws(data["D"], (1 + by) * np.array(SHAPES))}


def _draw_growth(data, figure):
    figure.set_size_inches(6, 5.2)
    ((axes,), (below,)) = with_residuals(figure)
    for i, b in enumerate(data["b"]):
        working = data["working"][i]
        error = working.std(axis=0, ddof=1) / np.sqrt(len(working))
        theory = np.array(data["laws"][i]) @ np.arange(NEURONS + 1)
        draw_residuals(below, data["D"], working.mean(axis=0), theory, error, color=COLOURS[i], marker="os^D"[i])
        low, high = np.quantile(working, [0.025, 0.975], axis=0)
        axes.plot(data["fine"], data["curve"][i], color=COLOURS[i], label=f"$b = {b:g}$")
        axes.fill_between(data["D"], low, high, color=COLOURS[i], alpha=0.25, linewidth=0)
        axes.plot(data["D"], working.mean(axis=0), ".", color=COLOURS[i])
        axes.plot(*data["steepest"][i], "o", color=COLOURS[i], markerfacecolor="white", markersize=7, zorder=3)
    axes.axvline(NEURONS / C, color="grey", linewidth=1, linestyle=":")
    axes.annotate("$cD = N$", (NEURONS / C, NEURONS), textcoords="offset points", xytext=(4, -4), color="grey")
    axes.set(xscale="log", ylabel="working neurons $K$", xlim=(1, data["D"][-1]))
    below.set_xlabel("samples $D$")
    axes.legend(title="curve: exact\ndots, band: stepwise, 95 %\nring: steepest growth", loc="upper left")


# -- the covariance of whole paths ------------------------------------------------------------------------

READINGS = (BetaBernoulli, PolyaUrn)
METHODS = ("exact", "stepwise")
ENTRIES = "covariance of K between two checkpoints, each reading and method"
SCALE = "mean of (K − E K)ᵀ C⁻¹ (K − E K) over the number of checkpoints"
COMPETING = "variance of K at a checkpoint, competing minus independent neurons"


def _run_covariance(rng, quick):
    D = np.array([2, 5, 12, 30, 80, 200])
    replicas = 8_000 if quick else 60_000
    processes = [reading(60, 0.5, 3.0) for reading in READINGS]
    working = [[p.simulate(D, replicas, rng=rng, method=m).working for m in METHODS] for p in processes]
    return {
        "D": D,
        "working": working,
        "mean": [p.working(D) for p in processes],
        "covariance": [_covariance(p, D) for p in processes],
        "bound": 0.0,
    }


def _judge_covariance(data):
    cases = [
        (paths - mean_path, theory)
        for both, mean_path, theory in zip(data["working"], data["mean"], data["covariance"], strict=True)
        for paths in both
    ]
    entries = worst(covariance(paths, theory)[0] for paths, theory in cases)
    scale = worst(mean((paths * np.linalg.solve(theory, paths.T).T).mean(axis=1), 1.0) for paths, theory in cases)
    at = data["D"].size // 2
    apart = cases[2][0][:, at] ** 2 - cases[0][0][:, at] ** 2
    return Verdict.judged(
        [
            Finding.of(ENTRIES, entries, sees=0.12, unit="of every covariance of two checkpoints, relative"),
            Finding.of(SCALE, scale, sees=0.045, unit="of the whole matrix, relative"),
            Finding.of(COMPETING, mean(apart, float(data["bound"])), sees=6.0, unit="in K²", asks=Asks.BELOW),
        ],
        Outcome.EXACT,
        "simulation against the covariance of K between all pairs of checkpoints, with both methods",
        otherwise="simulation and the covariance of K differ beyond chance",
    )


def _twin_entries(data, by):
    """Weaken the covariances of different checkpoints and keep the variances."""
    apart = 1 - np.eye(data["D"].size)
    return {**data, "covariance": data["covariance"] * (1 - by * apart)}


TWINS_OF_COVARIANCE = {
    ENTRIES: _twin_entries,
    SCALE: lambda data, by: {**data, "covariance": data["covariance"] * (1 + by)},
    COMPETING: lambda data, by: {**data, "bound": data["bound"] - by},
}


def _draw_covariance(data, figure):
    figure.set_size_inches(9.5, 4)
    panels = lettered(figure, 1, 2, sharey=True)
    lines = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (1, 1)))
    for axes, reading, both, theory in zip(panels, READINGS, data["working"], data["covariance"], strict=True):
        for i, D in enumerate(data["D"]):
            axes.plot(data["D"], theory[i], linestyle=lines[i], color=COLOURS[i], linewidth=1, label=f"$D' = {D}$")
            for paths, marker, side in zip(both, "ox", (0.96, 1.04), strict=True):
                apart = paths - paths.mean(axis=0)
                products = apart * apart[:, [i]]
                error = products.std(axis=0, ddof=1) / np.sqrt(len(paths))
                axes.errorbar(
                    side * data["D"], np.cov(paths.T)[i], error, fmt=marker, color=COLOURS[i], fillstyle="none"
                )  # fmt: skip
        logarithmic(axes, "x")
        axes.set(title=reading.__name__, xlabel="samples $D$")
    panels[0].set_ylabel(r"$\mathrm{Cov}(K(D), K(D'))$")
    legend = {"title": "lines: theory\n○ drawn, × stepwise", "loc": "outside right center", "handlelength": 3.2}
    figure.legend(*panels[0].get_legend_handles_labels(), **legend)


# -- a general start ------------------------------------------------------------------------------------------

MANY, START, STARTED, SHAPE = 1000, 40, 40, 0.5
FROM_START = "share of neurons, silent at the start, that work later"


def _paper(D, samples, working):
    weight = SHAPE * MANY
    return MANY - (MANY - working) * ((C * samples + weight) / (C * D + weight)) ** SHAPE


def _run_start(rng, quick):
    D = START + np.array([0, 10, 40, 160, 640, 2560])
    fine = np.geomspace(1, D[-1], 200)
    counts = np.zeros(MANY, dtype=int)
    counts[:STARTED] = rng.multinomial(int(C * START) - STARTED, np.full(STARTED, 1 / STARTED)) + 1
    process = GammaPoisson(MANY, SHAPE, C).after(START, counts)
    path = process.simulate(D, 400 if quick else 10_000, rng=rng, method="stepwise")
    return {
        "D": D,
        "fine": fine,
        "working": path.working,
        "formula": _paper(D, START, STARTED),
        "fresh": _paper(D, 0, 0),
        "formula_curve": _paper(fine[fine >= START], START, STARTED),
        "fresh_curve": _paper(fine, 0, 0),
    }


def _judge_start(data):
    """Compare by the binomial law: neurons of the limit process are independent, and so are replicas."""
    asleep, replicas = MANY - STARTED, len(data["working"])
    comparison = worst(
        proportion(
            int(data["working"][:, t].sum()) - STARTED * replicas, asleep * replicas, (formula - STARTED) / asleep
        )
        for t, formula in enumerate(data["formula"])
        if t > 0
    )
    return Verdict.judged(
        [Finding.of(FROM_START, comparison, sees=0.0075, unit="of K, relative")],
        Outcome.EXACT,
        "simulation against the formula with a general start, by the binomial law",
        otherwise="simulation and the formula with a general start differ beyond chance",
    )


def _twin_start(data, by):
    return {**data, "formula": np.append(data["formula"][:1], (1 + by) * data["formula"][1:])}


def _draw_start(data, figure):
    figure.set_size_inches(6, 5.2)
    ((axes,), (below,)) = with_residuals(figure)
    axes.plot(data["fine"], data["fresh_curve"], "--", color="grey", label="paper, from $(0, 0)$")
    later = data["fine"][data["fine"] >= START]
    axes.plot(later, data["formula_curve"], color=COLOURS[0], label="paper, from $(D_0, K_0)$")
    spread = data["working"].std(axis=0)
    label = "stepwise, ± one std of a path"
    axes.errorbar(data["D"], data["working"].mean(axis=0), spread, fmt="o", color=COLOURS[1], label=label)
    error = spread * np.sqrt(len(data["working"]) / (len(data["working"]) - 1)) / np.sqrt(len(data["working"]))
    draw_residuals(below, data["D"], data["working"].mean(axis=0), data["formula"], error, color=COLOURS[1])
    axes.set(xscale="log", ylabel="working neurons $K$")
    below.set_xlabel("samples $D$")
    axes.legend()


CLAIMS = (
    Claim(
        id="growth-curve",
        title="Growth of the number of working neurons",
        statement="E[K(D)] = N(1 − Γ(n+bN−b)Γ(bN)/[Γ(n+bN)Γ(bN−b)]) in the urn of n = cD events, for every b.",
        source=HYPOTHESIS,
        standing="exact",
        expected=Outcome.EXACT,
        caption=(
            "Number $K$ of working neurons against samples $D$ in the urn of $N = 100$ neurons with $c = 5$ "
            "activations per sample, for four $b$. Curves: exact mean. Dots: mean of stepwise simulations, 1,200 "
            "replicas (8,000 in a full run); bands hold 95 % of the replicas, whose mean has errors below the size "
            r"of dots. Rings: where growth against $\ln D$ is steepest; dotted: $cD = N$." + BELOW
        ),
        run=_run_growth,
        judge=_judge_growth,
        draw=_draw_growth,
        twins={GROWTH: _twin_growth},
        derivations=("survival", "growth"),
        cost=5,
    ),
    Claim(
        id="path-covariance",
        title="Fluctuations of whole paths",
        statement=(
            "Cov(K(D), K(D')) = Var K(D) · S(D')/S(D) for D ≤ D', and neurons that compete fluctuate less than "
            "independent ones; drawing without stepping has the same joint law as stepping."
        ),
        source=HYPOTHESIS,
        standing="exact",
        expected=Outcome.EXACT,
        caption=(
            "Covariance of the number of working neurons at $D$ and $D'$ samples, for neurons that decide sample by "
            "sample (a) and that compete for events (b); $N = 60$, $b = 0.5$, $c = 3$. Lines: theory. "
            "Circles: paths drawn without stepping; crosses: stepwise, both shifted aside by 4 %; 8,000 paths each "
            "(60,000 in a full run). Error bars: standard error over paths."
        ),
        run=_run_covariance,
        judge=_judge_covariance,
        draw=_draw_covariance,
        twins=TWINS_OF_COVARIANCE,
        derivations=("survival",),
        cost=4,
    ),
    Claim(
        id="general-start",
        title="The formula with a general start",
        statement="K = N − (N−K₀)[(cD₀+bN)/(cD+bN)]^b, from K₀ working neurons after D₀ samples.",
        source=MAIN_TEXT,
        standing="paper",
        expected=Outcome.EXACT,
        caption=(
            "Number $K$ of working neurons after a start from $K_0 = 40$ neurons at $D_0 = 40$ samples; $N = 1000$, "
            "$b = 0.5$, $c = 5$. Solid: the formula with this start; dashed: from $D_0 = K_0 = 0$. Circles: "
            "mean of 400 stepwise replicas (10,000 in a full run). Error bars: standard deviation of one path, not the "
            "standard error of the mean." + BELOW
        ),
        run=_run_start,
        judge=_judge_start,
        draw=_draw_start,
        twins={FROM_START: _twin_start},
        derivations=("mean-field",),
        cost=3,
    ),
)
