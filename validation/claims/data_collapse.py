"""Data collapse: depth, distance from criticality and noise enter noisy repeated layers in two combinations."""

import numpy as np

from statnn.plot import COLOURS
from validation.claim import Claim, Outcome, Verdict
from validation.statistics import LEVEL, worst, z_score

DEPTHS = np.array([256, 512, 1024, 2048])
DISTANCES = np.linspace(-3.0, 4.0, 8)
NOISES = np.array([0.5, 1.0, 2.0])
CORRECTION = 0.01
"""Bound on the effect on exponents of corrections to scaling: a share ln(m)/m of a value, 2 % at the least depth."""


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
                square = layer.simulate([m], noise=e / m, replicas=replicas, rng=rng)[:, 0] ** 2
                values[i, j, k], errors[i, j, k] = square.mean(), square.std(ddof=1) / np.sqrt(replicas)
    noise, depth, distance = np.broadcast_arrays(NOISES[:, None, None], DEPTHS[None, :, None], DISTANCES)
    controls = np.array([(distance / depth).ravel(), (noise / depth).ravel()])
    wide = np.hypot(errors, values * np.log(depth) / depth)  # and what the scaling form leaves out
    found = collapse(
        controls, depth.ravel().astype(float), values.ravel(), wide.ravel(), degree=8, bootstrap=40, rng=rng
    )
    fine = np.linspace(DISTANCES[0] - 0.3, DISTANCES[-1] + 0.3, 30)
    return {
        "values": values, "errors": errors, "fine": fine,
        "curves": [f.finite_depth(fine, e) for e in NOISES],
        "quiet": f.finite_depth(fine),
        "law": f.finite_depth(distance, noise),
        "exponents": [found.value_exponent, *found.control_exponents],
        "exponent_errors": [found.value_error, *found.control_errors],
        "quality": found.quality,
        "dof": found.dof,
        "theory": [2 / (f.order - 1), f.exponent(1), f.noise_exponent() / 2],
    }  # fmt: skip


def _judge(data):
    exponents = [
        z_score(float(a), float(e), float(t), bias=CORRECTION)
        for a, e, t in zip(data["exponents"], data["exponent_errors"], data["theory"], strict=True)
    ]
    found = worst(exponents)
    deepest = DEPTHS[-1] * data["values"][:, -1] / data["law"][:, -1] - 1
    names = ("value", "distance", "noise")
    text = ", ".join(
        f"{name} {one.estimate:.4f} ± {one.error:.4f} ({one.theory:.4g})"
        for name, one in zip(names, exponents, strict=True)
    )
    detail = (
        f"exponents from the collapse alone (theory in brackets): {text}; spread {float(data['quality']):.2f} per "
        f"degree of freedom; at m = {DEPTHS[-1]} the data are {100 * deepest.mean():+.1f} % from the scaling function "
        f"on average; corrections to scaling are allowed {CORRECTION}"
    )
    holds = found.p >= LEVEL and data["quality"] < 1.5
    return Verdict.of(Outcome.ASYMPTOTIC if holds else Outcome.CONTRADICTED, found, detail)


def _twin(data):
    """Take the exponents of z = 4."""
    return {**data, "theory": [2 / 3, 1.0, 5 / 6]}


def _draw(data, figure):
    figure.set_size_inches(9, 3.9)
    left, right = figure.subplots(1, 2)
    marks = "os^D"
    for i, e in enumerate(NOISES):
        for j, m in enumerate(DEPTHS):
            scaled = m * data["values"][i, j], m * data["errors"][i, j]
            label = f"$m = {m}$" if i == 0 else None
            left.errorbar(
                DISTANCES / m, data["values"][i, j], data["errors"][i, j], fmt=marks[j], color=COLOURS[i],
                fillstyle="none", markersize=4, label=label,
            )  # fmt: skip
            right.errorbar(
                DISTANCES + 0.07 * (j - 1.5), *scaled, fmt=marks[j], color=COLOURS[i], fillstyle="none", markersize=4
            )
        right.plot(data["fine"], data["curves"][i], color=COLOURS[i], linewidth=1, label=rf"$\varepsilon m = {e:g}$")
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
        "Near criticality m <h²> of noisy tanh layers depends on (w-1)m and εm alone; a collapse that knows nothing of "
        "the function finds the exponents 1, 1, 1, and the function is that of the flow out of infinity."
    ),
    source="our construction; the idea of renormalising over layers: Lee, Lee & Yi 2024, arXiv 2410.00396",
    standing="own",
    expected=Outcome.ASYMPTOTIC,
    run=_run,
    judge=_judge,
    draw=_draw,
    twin=_twin,
    derivations=("finite-depth", "noise-cutoff", "functional-spectrum"),
    cost=15,
)
