"""Two candidates for the loss: noise-to-signal ratio with exponent b, missing mass with exponent b + 1."""

import numpy as np

from statnn.activation import PolyaUrn
from statnn.plot import COLOURS
from validation.claim import Claim, Outcome, Verdict
from validation.claims._tools import MAIN_TEXT, log_slope, of_batches
from validation.statistics import LEVEL, mean, worst

SHAPES = (0.3, 0.7)
NEURONS, BATCHES = 400, 20


def _ratio(working):
    return 1 - working / NEURONS


def _mass(n, working):
    """Missing mass between checkpoints: the share of events that wake a neuron."""
    return np.diff(working) / np.diff(n)


def _slopes(n, working):
    middle = np.sqrt(n[1:] * n[:-1])
    return -np.array([log_slope(n, _ratio(working)), log_slope(middle, _mass(n, working))])


def _run(rng, quick):
    replicas = 200 if quick else 4_000
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
    limit_gap = float(np.abs(data["limit"] - data["expected"]).max())
    found = worst(
        mean(slopes[:, i], float(expected[i]), bias=abs(float(exact[i] - limit[i])))
        for slopes, exact, limit, expected in zip(
            data["slopes"], data["slopes_exact"], data["limit"], data["expected"], strict=True
        )
        for i in range(2)
    )
    if found.p < LEVEL or limit_gap > 1e-9:
        return Verdict.of(Outcome.CONTRADICTED, found, "the exponents are not b and b + 1")
    detail = f"exponents b and b + 1 for cD ≫ bN, reached to {limit_gap:.0e} at cD = 10¹⁸; 0 for cD ≪ bN"
    return Verdict.of(Outcome.ASYMPTOTIC, found, detail)


def _twin(data):
    return {**data, "expected": data["expected"][:, ::-1]}


def _draw(data, figure):
    axes = figure.add_subplot()
    middle = np.sqrt(data["x"][1:] * data["x"][:-1])
    for i, b in enumerate(SHAPES):
        axes.plot(data["fine"], data["ratio_curve"][i], color=COLOURS[i], label=f"NSR, $b = {b}$")
        axes.plot(data["x"], data["ratio"][i], "o", color=COLOURS[i])
        axes.plot(data["fine"], data["mass_curve"][i], "--", color=COLOURS[i], label=f"missing mass, $b = {b}$")
        axes.plot(middle, data["mass"][i], "s", color=COLOURS[i], markerfacecolor="white")
    axes.set(xscale="log", yscale="log", xlabel="$cD/N$", ylabel="candidate loss")
    axes.legend(title="lines: exact; symbols: stepwise")


CLAIM = Claim(
    id="loss-exponents",
    title="Power-law decay of the loss: two candidates",
    statement="For cD ≫ bN the noise-to-signal ratio falls as D^(−b), the missing mass as D^(−(b+1)).",
    source=MAIN_TEXT + " (a power-law decay; which quantity and exponent is unknown, so both candidates are kept)",
    standing="asymptotic",
    expected=Outcome.ASYMPTOTIC,
    run=_run,
    judge=_judge,
    draw=_draw,
    twin=_twin,
    derivations=("loss",),
    cost=8,
)
