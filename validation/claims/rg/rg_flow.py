"""Flows of repeated layers: decimation of spins, exact; noisy layers, projected and rescaled."""

import numpy as np

from statnn import rg
from statnn.plot import COLOURS
from statnn.rg._layers.noisy import noisy_arrows
from statnn.rg._layers.portrait import binary_line, binary_place, draw_arrows, noisy_place
from validation.claim import Claim, Finding, Outcome, Verdict
from validation.claims._chains import OURS
from validation.claims._tools import lettered

STARTS = np.array([[2.2, 0.003], [1.6, -0.05], [1.2, 0.3], [0.9, -0.9], [2.0, 0.0]])
INVARIANTS = (0.3, 1.0, 3.0, 12.0, 80.0)
NOISES = np.array([0.08, 0.04, 0.02, 0.01])
ABOVE = {"loc": "lower center", "bbox_to_anchor": (0.5, 1.0), "fontsize": "small"}
LAYERS = ((1.0, 0.02), (1.08, 0.05), (0.9, 0.02))


ENDS = "means and correlation of the end spins, block minus chain"
LENGTHS = "2^k ξ_k/ξ_0 - 1"
LEAVE = "exponents y of coupling and field at the ordered fixed point, minus theory"
NAMES = ("weight", "noise")


# -- layers of one spin ----------------------------------------------------------------------------------


def _ends(K, h, m):
    """Return <s_0>, <s_m> and <s_0 s_m> of a chain of m layers as an interacting model, solved exactly."""
    exact = rg.BinaryLayer([[K]], [h / 2], inputs=[h / 2]).neurons(m).exact()
    first, last = exact.magnetisation[[0, -1]]
    return first, last, exact.correlation[0, -1] + first * last


def _of_block(K, field, given):
    """Return the same averages of two spins with one coupling and a field on each."""
    up, down = np.array([1, 1, -1, -1]), np.array([1, -1, 1, -1])
    p = np.exp(K * up * down + field * up + given * down)
    p /= p.sum()
    return p @ down, p @ up, p @ (up * down)


def _run_binary(rng, quick):
    del rng
    steps = 6 if quick else 8  # couplings of nine doublings fall below 1e-308 at the strongest field
    flows, ends, lengths, blocks = [], [], [], []
    for K, h in STARTS:
        layer = rg.BinaryLayer([[K]], [h / 2], inputs=[h / 2])
        flows.append(rg.flow(layer, steps).couplings)
        powers = [layer.power(2**k) for k in range(steps + 1)]
        blocks.append([[p.couplings[0, 0], p.fields[0], p.inputs[0]] for p in powers])
        lengths.append([p.correlation_length() for p in powers])
        ends.append([_ends(K, h, 2**k) for k in range(steps + 1)])
    return {
        "starts": STARTS,
        "flows": flows,
        "blocks": blocks,
        "lengths": lengths,
        "ends": ends,
        "y": rg.exponents(rg.fixed_points(rg.BinaryLayer)[-1]).y,
        "y_exact": [1.0, 1.0],
        "lines": [binary_line(sign * size) for size in INVARIANTS for sign in (1, -1)],
    }


def _judge_binary(data):
    of_blocks = np.array([[_of_block(*block) for block in row] for row in data["blocks"]])
    halving = data["lengths"] * 2 ** np.arange(data["lengths"].shape[1])
    leaving = data["y"] - data["y_exact"]
    findings = (
        _exact(ENDS, of_blocks - data["ends"], 1e-12, "of a correlation"),
        _exact(LENGTHS, halving / halving[:, :1] - 1, 1e-9, "of ξ"),
        _exact(LEAVE, leaving, 1e-9, "in y"),
    )
    detail = f"chains of up to {2 ** (of_blocks.shape[1] - 1)} layers"
    return Verdict.judged(findings, Outcome.EXACT, detail, otherwise="blocks do not follow the closed recursion")


def _exact(quantity, deviations, tolerance, unit):
    """Return the finding that no deviation exceeds round-off."""
    worst = deviations.flat[np.abs(deviations).argmax()]
    return Finding(
        quantity=quantity, estimate=worst, error=0, theory=0, tolerance=tolerance, sees=3 * tolerance, unit=unit
    )


TWINS_BINARY = {
    ENDS: lambda data, by: {**data, "ends": data["ends"] + by},
    LENGTHS: lambda data, by: {**data, "lengths": data["lengths"] * (1 + by * np.arange(data["lengths"].shape[1]))},
    LEAVE: lambda data, by: {**data, "y_exact": data["y_exact"] + by},
}


def _draw_binary(data, figure):
    figure.set_size_inches(9.5, 4)
    left, right = lettered(figure, 1, 2, width_ratios=(1.25, 1))
    for line in data["lines"]:
        left.plot(*line.T, color="#999999", linewidth=0.8)
    left.plot([], [], color="#999999", linewidth=0.8, label="$e^{2K}\\sinh h$ constant")
    left.plot([0, 1], [0, 0], color="black", linewidth=1, label="separatrix $h = 0$")
    left.plot([0, 0], [-1, 1], "--", color=COLOURS[2], linewidth=3, label="fixed points $K = 0$", clip_on=False)
    left.plot([1], [0], "ks", markersize=8, label="ordered, $y_t = y_h = 1$", clip_on=False, zorder=5)
    for i, flow in enumerate(data["flows"]):
        colour = COLOURS[(0, 1, 3, 4, 5)[i]]
        mark = "osD^v"[i]
        left.plot(*binary_place(flow).T, mark, color=colour, markersize=5, fillstyle="none", zorder=4, clip_on=False)
        K, h = data["starts"][i]
        label = f"$K = {K:g}$, $h = {h:g}$"
        right.semilogy(data["lengths"][i], mark, color=colour, label=label, markersize=5, fillstyle="none")
        steps = np.arange(data["lengths"].shape[1])
        right.semilogy(steps, data["lengths"][i, 0] / 2.0**steps, color=colour, linewidth=0.8)
    left.set(xlabel="$\\tanh K$", ylabel="$\\tanh h$", xlim=(-0.02, 1.02), ylim=(-1.02, 1.02))
    left.legend(**ABOVE, ncols=2)
    right.set(xlabel="doublings", ylabel="correlation length $\\xi$ (blocks)")
    right.legend(**ABOVE, ncols=2, title="points: blocks; lines: halving")


# -- noisy layers ----------------------------------------------------------------------------------------


def _doubled(noise):
    """Return ∂w'/∂w and ε'/ε of one projected doubling at w = 1."""
    point = rg.fixed_points(rg.NoisyLayer)[0]
    step = 0.01 * noise
    upper, lower = (point.map(np.array([1 + sign * step, 0.0, noise]), 2) for sign in (1, -1))
    return (upper[0] - lower[0]) / (2 * step), point.map(np.array([1.0, 0.0, noise]), 2)[2] / noise


def _run_noisy(rng, quick):
    del rng
    steps = 6 if quick else 8
    flows = [rg.flow(rg.NoisyLayer("tanh", w, 0.0, noise), steps) for w, noise in LAYERS]
    shape = (len(flows), steps + 1)
    out = {"flows": np.full((*shape, 3), np.nan), "truncation": np.full(shape, np.nan)}
    for i, flow in enumerate(flows):
        out["flows"][i, : len(flow.couplings)] = flow.couplings
        out["truncation"][i, : len(flow.couplings)] = flow.truncation
    grid, images = noisy_arrows(flows[0].activation)
    noises = NOISES if quick else np.append(NOISES, 0.005)
    return {
        **out,
        "grid": grid,
        "images": images,
        "noises": noises,
        "eigenvalues": [_doubled(noise) for noise in noises],
        "exact": [2.0, 2.0],
        "order": [1.0, 1.0],
    }


def _limits(values):
    """Return the limit ε → 0 of values at halved noises, free of the first order, and its change in the last step."""
    once = 2 * values[1:] - values[:-1]
    return once[-1], np.abs(once[-1] - once[-2])


def _judge_noisy(data):
    limit, error = _limits(data["eigenvalues"])
    gaps = np.abs(data["eigenvalues"] - 2.0)
    orders = np.log2(gaps[-2] / gaps[-1])
    findings = [
        Finding(
            quantity=f"eigenvalue of the {name}, ε → 0", estimate=limit[i], error=0, theory=data["exact"][i],
            tolerance=max(2 * error[i], 1e-3), sees=0.006, unit="of the eigenvalue",
        )
        for i, name in enumerate(NAMES)
    ] + [
        Finding(
            quantity=f"order in ε of the eigenvalue minus 2, {name}", estimate=orders[i], error=0,
            theory=data["order"][i], tolerance=0.3, sees=0.5, unit="of the order",
        )
        for i, name in enumerate(NAMES)
    ]  # fmt: skip
    detail = (
        f"extrapolated from ε = {data['noises'][-3]:g} to {data['noises'][-1]:g}, tolerance twice the last change; a "
        f"projection loses up to {np.nanmax(data['truncation']):.2g} nats"
    )
    return Verdict.judged(findings, Outcome.ASYMPTOTIC, detail, otherwise="eigenvalues do not approach 2 in order ε")


def _one(name, i):
    """Return the twin in which one entry of the theory is too large by a share."""
    return lambda data, by: {**data, name: data[name] * (1 + by * (np.arange(len(NAMES)) == i))}


TWINS_NOISY = {f"eigenvalue of the {name}, ε → 0": _one("exact", i) for i, name in enumerate(NAMES)} | {
    f"order in ε of the eigenvalue minus 2, {name}": _one("order", i) for i, name in enumerate(NAMES)
}


def _draw_noisy(data, figure):
    figure.set_size_inches(9.5, 4)
    left, right = lettered(figure, 1, 2, width_ratios=(1.25, 1))
    draw_arrows(left, data["grid"], data["images"])
    for i, (w, noise) in enumerate(LAYERS):
        colour = COLOURS[(0, 3, 4)[i]]
        left.plot(*noisy_place(data["flows"][i]).T, "o-", color=colour, linewidth=1, zorder=4)
        left.plot([], [], "o-", color=colour, linewidth=1, label=f"$w = {w:g}$, $\\epsilon = {noise:g}$")
    left.legend(**ABOVE, ncols=3)
    for i, (name, marker) in enumerate(
        (("weight, $\\partial w'/\\partial w$", "o"), ("noise, $\\epsilon'/\\epsilon$", "s"))
    ):
        gaps = np.abs(data["eigenvalues"][:, i] - 2)
        right.loglog(data["noises"], gaps, marker, color=COLOURS[i], label=name)
        right.loglog(data["noises"], gaps[-1] * data["noises"] / data["noises"][-1], color=COLOURS[i], linewidth=0.8)
    right.set(xlabel="noise $\\epsilon$", ylabel="|eigenvalue of a doubling − 2|")
    right.set_xticks(data["noises"], [f"{noise:g}" for noise in data["noises"]])
    right.minorticks_off()
    right.legend(**ABOVE, title="lines: slope 1", ncols=2)


CLAIMS = (
    Claim(
        id="rg-binary-flow",
        title="Decimation of layers of one spin",
        statement=(
            "2, 4, 8, ... layers of one spin with coupling and field are one layer with a coupling and two fields, by "
            "the closed recursion; the correlation length halves with every doubling, and coupling and field leave the "
            "ordered fixed point with y = 1."
        ),
        source=OURS,
        standing="exact",
        expected=Outcome.EXACT,
        caption=(
            "Decimation of layers of one spin with coupling $K$ and field $h$. (a) Flows from five starts "
            r"(symbols) along lines of constant $e^{2K}\sinh h$; square: the ordered fixed point; dashed: the line "
            "of disordered ones. (b) Correlation length of blocks of $2^k$ layers (symbols) and its halving with "
            "every doubling (lines). Symbols and colours mark the same start in both panels. Nothing is random; "
            "there are no error bars."
        ),
        run=_run_binary,
        judge=_judge_binary,
        draw=_draw_binary,
        twins=TWINS_BINARY,
        derivations=("decimation",),
        cost=4,
    ),
    Claim(
        id="rg-noisy-flow",
        title="Two noisy layers as one, rescaled",
        statement=(
            "Two layers tanh(wh) with noise are projected on one and rescaled by its fitted height: at w = 1 the "
            "distance from criticality and the noise double as the noise tends to zero, so that noise cuts "
            "criticality off after a number of layers that grows as its inverse."
        ),
        source=OURS,
        standing="own",
        expected=Outcome.ASYMPTOTIC,
        caption=(
            "Two noisy tanh layers projected on one and rescaled. (a) Flow of weight and noise, arrows from a "
            "grid and three flows from the starts in the legend. (b) Distance of the eigenvalues of a doubling "
            r"at $w = 1$ from 2 against the noise $\epsilon$, for the weight (circles) and the noise (squares); "
            "lines: slope 1 through the last symbol. Nothing is random; there are no error bars."
        ),
        run=_run_noisy,
        judge=_judge_noisy,
        draw=_draw_noisy,
        twins=TWINS_NOISY,
        derivations=("noisy-doubling",),
        cost=12,
    ),
)
