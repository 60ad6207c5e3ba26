"""Noise cuts criticality off after about 1/ε layers, at a level that is known exactly."""

import numpy as np

from statnn.plot import COLOURS
from validation.claim import Claim, Outcome, Verdict
from validation.statistics import LEVEL, power_law, worst, z_score

NOISE = np.array([0.005, 0.01, 0.02, 0.04])
SPAN = 8.0
"""Simulated up to this many 1/ε layers: the slowest even mode decays as exp(-4.4 εm)."""
POINTS = 14
NEXT_ORDER = 0.35
"""Bound on the coefficient of ε² in the relative correction, beyond the term of order ε that is known."""


def _run(rng, quick):
    from statnn.rg import FixedFunction, RepeatedLayer

    layer, f = RepeatedLayer("tanh"), FixedFunction(3, 1 / 3)
    form = layer.leading_form()
    replicas = 1500 if quick else 20_000
    depths, values, errors, ends = [], [], [], []
    for noise in NOISE:
        at = np.unique(np.rint(np.geomspace(4, SPAN / noise, POINTS)).astype(int))
        at = np.concatenate([at, np.full(POINTS - at.size, at[-1])]) if at.size < POINTS else at
        square = layer.simulate(at, noise=noise, start=1.0, replicas=replicas, rng=rng) ** 2
        depths.append(at)
        values.append(square.mean(axis=0))
        errors.append(square.std(axis=0, ddof=1) / np.sqrt(replicas))
        ends.append(square[:, -1])
    fine = np.geomspace(0.02, SPAN, 40)
    return {
        "depths": depths, "values": values, "errors": errors, "ends": ends,
        "fine": fine,
        "curve": f.finite_depth(0.0, fine) / fine,
        "amplitude": form.stationary_variance(1.0),
        "correction": form.stationary_correction,
        "order": 1.0,
        "cutoff": form.noise_cutoff(1.0),
    }  # fmt: skip


def _judge(data):
    mean = data["ends"].mean(axis=1)
    error = data["ends"].std(axis=1, ddof=1) / np.sqrt(data["ends"].shape[1])
    known = 1 + float(data["correction"]) * NOISE
    slope = power_law(NOISE, mean / known, error / known).against(float(data["order"]), bias=0.002)
    levels = mean / (known * NOISE)
    wrong = error / (known * NOISE)
    weight = wrong**-2 / (wrong**-2).sum()
    amplitude = z_score(
        float(weight @ levels), float(((weight * wrong) ** 2).sum() ** 0.5), float(data["amplitude"]),
        bias=NEXT_ORDER * float(weight @ NOISE**2),
    )  # fmt: skip
    found = worst([amplitude, slope])
    at = NOISE[0] * data["depths"][0]
    gap = data["values"][0] / NOISE[0] / np.interp(at, data["fine"], data["curve"]) - 1
    late = at > 0.3
    detail = (
        f"<h²>/ε, cleared of the known next order 1 + {float(data['correction']):.4f} ε, is {amplitude.estimate:.5f} ± "
        f"{amplitude.error:.5f} (exact {float(data['amplitude']):.5f}), falling as ε^({slope.estimate:.4f} ± "
        f"{slope.error:.4f}); decay and level meet at m = {float(data['cutoff']):.3f}/ε; at ε = {NOISE[0]} the "
        f"crossover is within {100 * np.abs(gap[late]).max():.1f} % of the scaling function"
    )
    return Verdict.of(Outcome.ASYMPTOTIC if found.p >= LEVEL else Outcome.CONTRADICTED, found, detail)


def _twin(data):
    """Take the law of a layer with z = 5: ε^(4/6)."""
    return {**data, "order": 2 / 3}


def _draw(data, figure):
    figure.set_size_inches(9, 3.9)
    left, right = figure.subplots(1, 2)
    marks = "os^D"
    for i, noise in enumerate(NOISE):
        m, y, error = data["depths"][i], data["values"][i], data["errors"][i]
        style = {"fmt": marks[i], "color": COLOURS[i], "fillstyle": "none", "markersize": 4.5}
        left.errorbar(m, y, error, **style, label=rf"$\varepsilon = {noise:g}$")
        left.axhline(float(data["amplitude"]) * noise, color=COLOURS[i], linewidth=1)
        right.errorbar(noise * m, y / noise, error / noise, **style)
    depth = np.geomspace(data["depths"].min(), data["depths"].max(), 50)
    left.plot(depth, 1.5 / depth, "k--", linewidth=1, label="no noise, $3/(2m)$")
    left.set(
        xscale="log",
        yscale="log",
        xlabel="depth $m$",
        ylabel=r"mean square signal $\langle h_m^2\rangle$",
        ylim=(2e-3, 0.6),
    )
    left.legend()
    right.plot(
        data["fine"], data["curve"], "k", linewidth=1.2, label=r"scaling function $F(0, \varepsilon m)/(\varepsilon m)$"
    )
    right.plot(data["fine"], 1.5 / data["fine"], "k--", linewidth=1, label=r"$3/(2\varepsilon m)$")
    right.axhline(
        float(data["amplitude"]), color="grey", linewidth=1,
        label=rf"$\sqrt{{6}}\,\Gamma(3/4)/\Gamma(1/4) = {float(data['amplitude']):.4f}$",
    )  # fmt: skip
    right.axvline(
        float(data["cutoff"]),
        ymax=0.6,
        color="grey",
        linestyle=":",
        linewidth=1,
        label=rf"$\varepsilon m = {float(data['cutoff']):.2f}$",
    )
    right.set(
        xscale="log", yscale="log", xlabel=r"$\varepsilon m$", ylabel=r"$\langle h_m^2\rangle / \varepsilon$",
        xlim=(0.02, 1.2 * SPAN), ylim=(0.5, 60),
    )  # fmt: skip
    right.legend()


CLAIM = Claim(
    id="noise-cutoff",
    title="Noise cuts criticality off",
    statement=(
        "Noise of variance ε² grows by 4 when two critical tanh layers become one: signals decay as without noise for "
        "about 1/ε layers and then stay at <h²> = ε √6 Γ(3/4)/Γ(1/4)."
    ),
    source="our construction; the idea of renormalising over layers: Lee, Lee & Yi 2024, arXiv 2410.00396",
    standing="own",
    expected=Outcome.ASYMPTOTIC,
    run=_run,
    judge=_judge,
    draw=_draw,
    twin=_twin,
    derivations=("noise-cutoff", "noise-correction", "depth-scaling"),
    cost=10,
)
