"""Data collapse: depth, distance from criticality and noise enter noisy repeated layers in two combinations."""

import numpy as np

from statnn.plot import COLOURS
from statnn.testing.statistics import z_score
from validation.claim import Asks, Claim, Finding, Outcome, Verdict
from validation.claims._tools import lettered

DEPTHS = np.array([256, 512, 1024, 2048])
DISTANCES = np.linspace(-3.0, 4.0, 8)
NOISES = np.array([0.5, 1.0, 2.0])
NAMES = ("value", "distance from criticality", "noise")
SEES = {"value": 0.05, "distance from criticality": 0.065, "noise": 0.11}
QUALITY = "chi-square about one curve per degree of freedom"
FUNCTION = "mean ratio of the deepest data to the scaling function"
CORRECTION = 0.01
"""Bound on what corrections to scaling, a share ln(m)/m of a value, 2 % at the least depth, add to exponents."""


def _run(rng, quick):
    from statnn.rg import FixedFunction, RepeatedLayer, collapse

    replicas = 800 if quick else 8000
    f = FixedFunction(3, 1 / 3)
    shape = (NOISES.size, DEPTHS.size, DISTANCES.size)
    values, errors = np.empty(shape), np.empty(shape)
    for i, e in enumerate(NOISES):
        for j, m in enumerate(DEPTHS.tolist()):
            for k, distance in enumerate(DISTANCES):
                layer = RepeatedLayer("tanh", 1 + distance / m)
                square = layer.simulate([m], noise_std=e / m, replicas=replicas, rng=rng)[:, 0] ** 2
                values[i, j, k], errors[i, j, k] = square.mean(), square.std(ddof=1) / np.sqrt(replicas)
    noise, depth, distance = np.broadcast_arrays(NOISES[:, None, None], DEPTHS[None, :, None], DISTANCES)
    controls = np.array([(distance / depth).ravel(), (noise / depth).ravel()])
    wide = np.hypot(errors, values * np.log(depth) / depth)  # with what the scaling form leaves out
    fitted = collapse(
        controls, depth.ravel().astype(float), values.ravel(), wide.ravel(), degree=8, bootstrap=40, rng=rng
    )
    fine = np.linspace(DISTANCES[0] - 0.3, DISTANCES[-1] + 0.3, 30)
    return {
        "values": values, "errors": errors, "fine": fine,
        "curves": [f.finite_depth(fine, e) for e in NOISES],
        "quiet": f.finite_depth(fine),
        "law": f.finite_depth(distance, noise),
        "exponents": [fitted.value_exponent, *fitted.control_exponents],
        "exponent_errors": [fitted.value_error, *fitted.control_errors],
        "quality": fitted.quality,
        "ratio": 1.0,
        "theory": [2 / (f.order - 1), f.exponent(1), f.noise_exponent() / 2],
    }  # fmt: skip


def _judge(data):
    exponents = zip(NAMES, data["exponents"], data["exponent_errors"], data["theory"], strict=True)
    deepest, error = (DEPTHS[-1] * data[name][:, -1] / data["law"][:, -1] for name in ("values", "errors"))
    ratio = z_score(
        float(deepest.mean()), float(np.sqrt((error**2).sum()) / error.size), float(data["ratio"]),
        bias=float(np.log(DEPTHS[-1]) / DEPTHS[-1] + CORRECTION),
    )  # fmt: skip
    findings = [
        Finding.of(
            f"exponent of the {name}", z_score(float(a), float(e), float(t), bias=CORRECTION), sees=SEES[name],
            unit="of the exponent",
        )
        for name, a, e, t in exponents
    ] + [
        Finding(
            quantity=QUALITY, estimate=data["quality"], error=0, theory=1.5, asks=Asks.AT_MOST, sees=2, unit="of it"
        ),
        Finding.of(FUNCTION, ratio, sees=0.09, unit="of the function"),
    ]  # fmt: skip
    detail = f"exponents from the collapse alone, {DEPTHS[0]} to {DEPTHS[-1]} layers"
    return Verdict.judged(findings, Outcome.ASYMPTOTIC, detail, otherwise="the data do not collapse as stated")


def _other_exponent(i):
    """Return the twin in which the theory of one exponent is too large by a share."""
    return lambda data, by: {**data, "theory": data["theory"] * (1 + by * (np.arange(len(NAMES)) == i))}


TWINS = {f"exponent of the {name}": _other_exponent(i) for i, name in enumerate(NAMES)} | {
    QUALITY: lambda data, by: {**data, "quality": data["quality"] * (1 + by)},
    FUNCTION: lambda data, by: {**data, "ratio": data["ratio"] * (1 + by)},
}


def _draw(data, figure):
    figure.set_size_inches(9, 3.9)
    left, right = lettered(figure, 1, 2)
    marks, fillings, lines = "os^D", ("none", "bottom", "full"), ("-", "-.", ":")
    for i, e in enumerate(NOISES):
        each = {"color": COLOURS[i], "fillstyle": fillings[i], "markersize": 4}
        for j, m in enumerate(DEPTHS):
            scaled = m * data["values"][i, j], m * data["errors"][i, j]
            label = f"$m = {m}$" if i == 0 else None
            left.errorbar(DISTANCES / m, data["values"][i, j], data["errors"][i, j], fmt=marks[j], label=label, **each)
            right.errorbar(DISTANCES + 0.07 * (j - 1.5), *scaled, fmt=marks[j], **each)
        right.plot(data["fine"], data["curves"][i], lines[i], linewidth=1, label=rf"$\varepsilon m = {e:g}$", **each)
    right.plot(data["fine"], data["quiet"], "k--", linewidth=1, label=r"$\varepsilon = 0$, exact")
    left.set(
        xlabel="distance from criticality $w - 1$", ylabel=r"mean square signal $\langle h_m^2\rangle$", yscale="log"
    )
    right.set(xlabel="$(w-1)\\,m$", ylabel=r"$m\,\langle h_m^2\rangle$", yscale="log", ylim=(0.04, None))
    left.legend(loc="lower right", title="tanh, simulated")
    right.legend(loc="lower right", title=r"scaling function $F$")


CLAIM = Claim(
    id="data-collapse",
    title="Depth, distance and noise meet in one function",
    statement=(
        "Near criticality m ⟨h²⟩ of noisy tanh layers depends on (w - 1)m and εm alone; a collapse without "
        "knowledge of the function finds the exponents 1, 1, 1, and the function is that of the flow from infinity."
    ),
    source="our construction; the idea of renormalising over layers: Lee, Lee & Yi 2024, arXiv 2410.00396",
    standing="own",
    expected=Outcome.ASYMPTOTIC,
    caption=(
        "Mean square signal of noisy repeated tanh layers near criticality. (a) As simulated, against the "
        r"distance $w - 1$ from criticality, at four depths $m$ (symbols) and three noises $\epsilon m$ (colours; "
        "open, half filled, filled). (b) The same scaled by depth, symbols moved slightly apart; lines: the scaling "
        "function $F$ for each noise; dashed: without noise. Error bars: standard error over 800 replicas (8,000 in a "
        "full run)."
    ),
    run=_run,
    judge=_judge,
    draw=_draw,
    twins=TWINS,
    derivations=("finite-depth", "noise-cutoff", "functional-spectrum"),
    cost=15,
)
