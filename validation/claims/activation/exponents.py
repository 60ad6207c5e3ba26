"""Two candidates for the loss: noise-to-signal ratio with exponent b, missing mass with exponent b + 1."""

import numpy as np

from statnn._axes import logarithmic
from statnn.activation import PolyaUrn
from statnn.plot import COLOURS
from statnn.testing.statistics import mean, worst
from validation.claim import Claim, Finding, Outcome, Verdict
from validation.claims._tools import MAIN_TEXT, log_slope, of_batches

SHAPES = (0.3, 0.7)
NEURONS, BATCHES = 400, 60
KINDS = ("noise-to-signal ratio", "missing mass")
SLOPES = [f"exponent of the {kind} in simulation, worst of b" for kind in KINDS]
SEES = (0.028, 0.08)
LIMITS = [f"exponent of the {kind} between cD = 10¹⁵ and 10¹⁸, exact, worst of b" for kind in KINDS]


def _ratio(working):
    return 1 - working / NEURONS


def _mass(n, working):
    """Missing mass between checkpoints: the share of events that wake a neuron."""
    return np.diff(working) / np.diff(n)


def _slopes(n, working):
    middle = np.sqrt(n[1:] * n[:-1])
    return -np.array([log_slope(n, _ratio(working)), log_slope(middle, _mass(n, working))])


def _run(rng, quick):
    replicas = 240 if quick else 4_800
    n = NEURONS * 2 ** np.arange(3, 10 if quick else 12)
    fine = np.geomspace(1e-2, n[-1] / NEURONS, 200)
    out = {name: [] for name in ("slopes", "slopes_exact", "limit", "ratio", "mass", "ratio_curve", "mass_curve")}
    for b in SHAPES:
        process = PolyaUrn(NEURONS, b)
        working = process.simulate(n, replicas, rng=rng, method="stepwise").working
        out["slopes"].append(of_batches(working, BATCHES, lambda k: _slopes(n, k)))
        out["slopes_exact"].append(_slopes(n, process.working(n)))
        # deep in the tail, where a simulation would need 1e18 events
        deep = np.array([1e15, 1e18])
        out["limit"].append([-log_slope(deep, process.silent(deep)), -log_slope(deep, process.missing_mass(deep))])
        out["ratio"].append(_ratio(working.mean(axis=0)))
        out["mass"].append(_mass(n, working.mean(axis=0)))
        out["ratio_curve"].append(process.noise_to_signal(fine * NEURONS))
        out["mass_curve"].append(process.missing_mass(fine * NEURONS))
    return out | {"x": n / NEURONS, "fine": fine, "expected": [[b, b + 1] for b in SHAPES]}


def _judge(data):
    findings = []
    for i in range(2):
        # the exact curve corrects the limiting exponents to these sizes
        comparisons = [
            mean(slopes[:, i], float(exact[i] - limit[i] + expected[i]))
            for slopes, exact, limit, expected in zip(
                data["slopes"], data["slopes_exact"], data["limit"], data["expected"], strict=True
            )
        ]
        worst_one = worst(comparisons)
        at = [comparison.theory for comparison in comparisons].index(worst_one.theory)
        expected = float(data["expected"][at, i])
        findings.append(Finding.of(SLOPES[i], worst_one, limit=expected, sees=SEES[i], unit="of the exponent"))
        gaps = np.abs(data["limit"][:, i] - data["expected"][:, i])
        at = int(np.argmax(gaps))
        findings.append(
            Finding(
                quantity=LIMITS[i],
                estimate=float(data["limit"][at, i]),
                error=0.0,
                theory=float(data["expected"][at, i]),
                tolerance=1e-9,
                sees=1.5e-9,
                unit="of the exponent",
            )
        )
    return Verdict.judged(
        findings,
        Outcome.ASYMPTOTIC,
        "theory: exponents b and b + 1 for cD ≫ bN, 0 for cD ≪ bN",
        otherwise="the exponents are not b and b + 1",
    )


def _twin_of(i):
    def twin(data, by):
        """Let one of the two exponents be too large."""
        return {**data, "expected": data["expected"] + by * (np.arange(2) == i)}

    return twin


TWINS = {names[i]: _twin_of(i) for names in (SLOPES, LIMITS) for i in range(2)}


def _draw(data, figure):
    axes = figure.add_subplot()
    middle = np.sqrt(data["x"][1:] * data["x"][:-1])
    for i, b in enumerate(SHAPES):
        axes.plot(data["fine"], data["ratio_curve"][i], color=COLOURS[i], label=f"NSR, $b = {b}$")
        axes.plot(data["x"], data["ratio"][i], "o^"[i], color=COLOURS[i])
        axes.plot(data["fine"], data["mass_curve"][i], "--", color=COLOURS[i], label=f"missing mass, $b = {b}$")
        axes.plot(middle, data["mass"][i], "sD"[i], color=COLOURS[i], markerfacecolor="white")
        for name, slope in (("ratio_curve", b), ("mass_curve", b + 1)):
            end = data["fine"][-1] * np.array([0.15, 1.0])
            guide = 0.6 * data[name][i, -1] * (end / end[-1]) ** -slope
            axes.plot(end, guide, ":", color="grey", linewidth=1.2)
            axes.annotate(
                f"$-{slope:g}$", (end[-1], guide[-1]), xytext=(4, -4), textcoords="offset points", color="grey",
                annotation_clip=False,
            )  # fmt: skip
    logarithmic(axes, "x", "y")
    axes.set(xlabel="$cD/N$", ylabel="candidate loss")
    axes.legend(title="lines: exact; symbols: stepwise\ndotted: slopes $-b$ and $-(b+1)$", loc="lower left")


CLAIM = Claim(
    id="loss-exponents",
    title="Power-law decay of the loss: two candidates",
    statement="For cD ≫ bN the noise-to-signal ratio falls as D^(−b), the missing mass as D^(−(b+1)).",
    source=MAIN_TEXT + " (a power-law decay; its quantity and exponent are unknown, so both candidates are kept)",
    standing="asymptotic",
    expected=Outcome.ASYMPTOTIC,
    caption=(
        "Two candidates for the loss against activations per neuron: noise-to-signal ratio (solid; full symbols) and "
        "missing mass (dashed; open symbols), $N = 400$ neurons that compete. Lines: exact; symbols: mean of 240 "
        "stepwise replicas (4,800 in a full run), errors below the size of symbols. Dotted, below the curves: slopes "
        "$-b$ and $-(b+1)$, with their values at the right."
    ),
    run=_run,
    judge=_judge,
    draw=_draw,
    twins=TWINS,
    derivations=("loss",),
    cost=8,
)
