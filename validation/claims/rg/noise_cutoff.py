"""Noise cuts criticality off after about 1/ε layers, at a level that is known exactly."""

import numpy as np

from statnn.plot import COLOURS
from statnn.testing.statistics import power_law, worst, z_score
from validation.claim import Claim, Finding, Outcome, Verdict
from validation.claims._tools import lettered, scaled

NOISE = np.array([0.005, 0.01, 0.02, 0.04])
SPAN = 8.0
"""Simulated up to this many 1/ε layers: the slowest even mode decays as exp(-4.4 εm)."""
POINTS = 14
ORDER, AMPLITUDE = "order of the level ⟨h²⟩ in ε", "level ⟨h²⟩ over ε"
CROSSOVER = "⟨h²⟩ over ε on the way from decay to level"
NEXT_ORDER = 0.35
"""Bound on the coefficient of ε² in the relative correction, beyond the term of order ε that is known."""


def _run(rng, quick):
    from statnn.rg import FixedFunction, RepeatedLayer

    layer, f = RepeatedLayer("tanh"), FixedFunction(3, 1 / 3)
    form = layer.leading_form()
    replicas = 20_000 if quick else 60_000
    depths, values, errors, ends = [], [], [], []
    for noise in NOISE:
        at = np.unique(np.rint(np.geomspace(4, SPAN / noise, POINTS)).astype(int))
        at = np.concatenate([at, np.full(POINTS - at.size, at[-1])]) if at.size < POINTS else at
        square = layer.simulate(at, noise_std=noise, start=1.0, replicas=replicas, rng=rng) ** 2
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
    levels, wrong = mean / (known * NOISE), error / (known * NOISE)
    weight = wrong**-2 / (wrong**-2).sum()
    amplitude = z_score(
        float(weight @ levels), float(((weight * wrong) ** 2).sum() ** 0.5), float(data["amplitude"]),
        bias=NEXT_ORDER * float(weight @ NOISE**2),
    )  # fmt: skip
    findings = (
        Finding.of(ORDER, slope, sees=0.05, unit="of the order"),
        Finding.of(AMPLITUDE, amplitude, sees=0.035, unit="of the level"),
        Finding.of(CROSSOVER, worst(_crossover(data)), sees=0.08, unit="of the scaling function"),
    )
    detail = (
        f"the next order of the level, a factor 1 + {float(data['correction']):.4f} ε, is divided out; the crossover "
        f"at ε = {NOISE[0]} has the tolerance ln(m)/m for corrections to scaling"
    )
    return Verdict.judged(findings, Outcome.ASYMPTOTIC, detail, otherwise="another order, level or crossover")


def _crossover(data):
    """Compare the data at the least noise with the scaling function, point by point beyond 0.3/ε layers."""
    for m, value, error in zip(data["depths"][0], data["values"][0], data["errors"][0], strict=True):
        if 0.3 < NOISE[0] * m < SPAN:
            theory = float(np.interp(NOISE[0] * m, data["fine"], data["curve"]))
            yield z_score(value / NOISE[0], error / NOISE[0], theory, bias=theory * float(np.log(m) / m))


TWINS = {ORDER: scaled("order"), AMPLITUDE: scaled("amplitude"), CROSSOVER: scaled("curve")}


def _draw(data, figure):
    figure.set_size_inches(9, 3.9)
    left, right = lettered(figure, 1, 2)
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
        "The variance ε² of noise grows fourfold when two critical tanh layers become one: signals decay as without "
        "noise for about 1/ε layers and then stay at ⟨h²⟩ = ε √6 Γ(3/4)/Γ(1/4)."
    ),
    source="our construction; the idea of renormalising over layers: Lee, Lee & Yi 2024, arXiv 2410.00396",
    standing="own",
    expected=Outcome.ASYMPTOTIC,
    caption=(
        r"Mean square signal of critical tanh layers with noise of four amplitudes $\epsilon$: against depth $m$ "
        "(a) and scaled by noise (b). Dashed: decay without noise; horizontal lines: the level that noise "
        "keeps up; solid curve: scaling function; dotted: the depth where both meet. 20,000 replicas (60,000 in a "
        "full run). Error bars: standard error over replicas, mostly below the size of symbols."
    ),
    run=_run,
    judge=_judge,
    draw=_draw,
    twins=TWINS,
    derivations=("noise-cutoff", "noise-correction", "depth-scaling"),
    cost=10,
)
