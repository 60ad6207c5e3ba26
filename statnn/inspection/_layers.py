"""Questions about the weights only: shapes, scales and distributions in the layers, node strength."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import integrate, stats

from statnn._arguments import Floats
from statnn._axes import COLOURS, LINES
from statnn._text import p_value, percent, printed
from statnn.inspection._section import SHARES, Cell, Picture, PValue, Section, Table, panels, share, shown
from statnn.inspection._subject import Report, Subject, few, name_of
from statnn.measure import graph
from statnn.measure._deviations import standard_deviation
from statnn.network import Network
from statnn.rg.wide._placement import root_mean_square

if TYPE_CHECKING:
    from matplotlib.figure import Figure


_CELLS = 60
_WITHIN = 5.0
"""Range of histograms to either side, in standard deviations."""

_LOW_RANK, _ZEROS, _STRONG, _UNLIKE = 0.5, 0.01, 0.01, 2.0


def layers(subject: Subject, report: Report) -> Section:
    """Layers."""
    del report
    net = subject.net
    facts: dict[str, Cell] = {
        "network": repr(net),
        "parameters": sum(w.size + b.size for w, b in zip(net.raw_weights, net.raw_biases, strict=True)),
        "precision": str(net.dtype),
    }
    if subject.labels is not None:
        facts["accuracy"] = share(float(np.mean(subject.classes == subject.labels)), subject.samples)
    columns = ["layer", "out × in", "activation", "batch norm", "mean W", "σ_w", "σ_b", "rank of W", "rank by chance"]
    rows: list[list[Cell]] = []
    for m, (weight, bias) in enumerate(zip(net.weights, net.biases, strict=True)):
        sigma, norm = net.activations[m], net.normalisations[m]
        slope = f" {sigma.slope:g}" if sigma.slope else ""
        rows.append(
            [
                name_of(m + 1, net),
                f"{weight.shape[0]} × {weight.shape[1]}",
                sigma.name + slope,
                "yes" if norm is not None else "no",
                float(weight.mean(dtype=float)),
                root_mean_square(weight.astype(float))[0] * float(np.sqrt(weight.shape[1])),
                root_mean_square(bias.astype(float))[0],
                _rank(np.linalg.svd(weight.astype(float), compute_uv=False)),
                rank_by_chance(*weight.shape),
            ]
        )
    data = _histograms(subject)
    return Section(
        "layers",
        "Layers",
        "Weights are effective ones, with batch normalisation inside. σ_w is the root mean square of the weights "
        "times the root of the fan-in, σ_b that of the biases, as on the phase diagram. The rank of W counts the "
        "singular values s that carry weight: (Σs)²/Σs²; by chance: what it is for independent weights of one scale "
        "(the law of Marchenko and Pastur)." + (SHARES if "accuracy" in facts else ""),
        facts=facts,
        tables=(Table(columns, rows),),
        pictures=(
            Picture(
                "layers",
                "Distribution of the weights, then of the fields of all units and samples, in some of the layers, each "
                "about its mean in units of its standard deviation, with the normal density (grey).",
                partial(_draw_histograms, data, net),
                data,
                (8.0, 3.4),
                2,
            ),
        ),
        remarks=subject.notes,
        unusual=_unusual_weights(net, rows),
    )


def _rank(values: Floats) -> float:
    shares = values / values[0] if values[0] else values  # scaled, so that squares stay in float64
    return float(np.sum(shares) ** 2 / np.sum(shares**2)) if values[0] else 0.0


def rank_by_chance(out: int, fan_in: int) -> float:
    """Return n ⟨s⟩²/⟨s²⟩ for the n singular values of a large matrix of independent entries.

    With λ = n/max(out, fan-in) and ⟨s²⟩ = 1 it is ⟨s⟩ = ∫ √((b²−s²)(s²−a²)) ds/(πλ) from a = 1−√λ to b = 1+√λ.
    """
    few, many = sorted((out, fan_in))
    if few == 1:
        return 1.0
    ratio = few / many
    low, high = 1 - math.sqrt(ratio), 1 + math.sqrt(ratio)
    mean, _ = integrate.quad(
        lambda s: math.sqrt(max((high**2 - s * s) * (s * s - low**2), 0.0)) / (math.pi * ratio), low, high
    )
    return few * mean**2


def _unusual_weights(net: Network, rows: list[list[Cell]]) -> str:
    """Name a layer with weights that are zero, or else one of low rank."""
    zeros = [float(np.mean(weight == 0)) for weight in net.raw_weights]
    m = int(np.argmax(zeros))
    if zeros[m] >= _ZEROS:
        return f"{percent(zeros[m])} of the weights into {name_of(m + 1, net)} are exactly zero."
    shares = [float(row[-2]) / float(row[-1]) for row in rows]  # type: ignore[arg-type]
    m = int(np.argmin(shares))
    if shares[m] >= _LOW_RANK:
        return ""
    rank, chance = rows[m][-2:]
    return (
        f"The weights into {name_of(m + 1, net)} have rank {shown(rank)}, counted by their singular values; "
        f"independent ones would have {shown(chance)}."
    )


def _histograms(subject: Subject) -> dict[str, Any]:
    """Return densities of weights and fields about their mean, in units of their standard deviation."""
    net, edges = subject.net, np.linspace(-_WITHIN, _WITHIN, _CELLS + 1)
    data: dict[str, Any] = {"edges": edges}
    for m in few(net.depth, 4):
        for name, values in (("weights", net.weights[m]), ("fields", subject.trace.fields[m])):
            scale = standard_deviation(values)
            if scale > 0:
                reduced = (values - values.mean(dtype=float)) / scale
                data[f"{name}_{m + 1}"] = np.histogram(reduced, edges)[0] / (values.size * np.diff(edges))
    return data


def _draw_histograms(data: Mapping[str, Any], net: Network, figure: Figure) -> None:
    edges = data["edges"]
    middle = (edges[1:] + edges[:-1]) / 2
    for ax, name in zip(panels(figure, 1, 2)[0], ("weights", "fields"), strict=True):
        ax.fill_between(middle, stats.norm.pdf(middle), color="grey", alpha=0.3, lw=0)
        layers = [m for m in range(1, net.depth + 1) if f"{name}_{m}" in data]
        for k, m in enumerate(layers):
            style = {"color": COLOURS[k], "ls": ("-", "--", "-.", ":")[k], "label": name_of(m, net)}
            ax.stairs(data[f"{name}_{m}"], edges, baseline=None, lw=1.4, **style)
        ax.set(xlabel=f"{name}, standard deviations", xlim=(-_WITHIN, _WITHIN), ylim=(0, None))
        ax.set_ylim(0, 1.25 * ax.get_ylim()[1])  # room for the legend
        if layers:
            ax.legend(fontsize=8, ncols=2, loc="upper center")
    figure.axes[0].set_ylabel("density")


def strength(subject: Subject, report: Report) -> Section:
    """Node strength."""
    del report
    net = subject.net
    strengths = graph.strength(net)
    rows: list[list[Cell]] = []
    for m, values in enumerate(strengths.node_strength):
        name = "inputs" if m == 0 else name_of(m, net)
        numbers = (float(values.mean()), float(strengths.fluctuation[m]), float(strengths.null_fluctuation[m]))
        rows.append([name, values.size, *numbers, PValue(strengths.p_value[m])])

    data: dict[str, Any] = {f"strength_{m}": values for m, values in enumerate(strengths.node_strength)}
    return Section(
        "strength",
        "Node strength",
        "s_k = Σ_out W + Σ_in W + b_k of every neuron; its standard deviation over a layer is the layer fluctuation Y "
        "(arXiv 2110.02628). By chance: what it would be if the weights of every layer stood in random order, with the "
        "two-sided probability of a fluctuation farther from that.",
        tables=(Table(["layer", "units", "mean s", "fluctuation Y", "by chance", "p"], rows),),
        pictures=(
            Picture(
                "strength",
                "Layer fluctuation beside that of the same weights in random order (95 %), and the distribution of the "
                "strengths in some of the layers.",
                partial(_draw_strength, strengths, net),
                data | {"fluctuation": strengths.fluctuation, "by_chance": strengths.null_fluctuation},
                (9.0, 3.6),
                2,
            ),
        ),
        results={"strength": strengths},
        unusual=_unusual_strength(strengths, net),
    )


def _unusual_strength(strengths: graph.Strength, net: Network) -> str:
    """Name the layer of least likely fluctuation, if it is twice that of shuffled weights or more, or half or less."""
    null = strengths.null_fluctuation
    ratios = np.divide(strengths.fluctuation, null, out=np.ones(null.size), where=null > 0)
    unlike = ((ratios >= _UNLIKE) | (ratios <= 1 / _UNLIKE)) & (strengths.p_value * null.size < _STRONG)
    if not unlike.any():
        return ""
    m = int(np.where(unlike, strengths.p_value, np.inf).argmin())
    ratio = float(ratios[m])
    name = "the inputs" if m == 0 else name_of(m, net)
    return (
        f"Node strengths of {name} fluctuate {printed(ratio, 3)} times as much as with the same weights in random "
        f"order ({p_value(strengths.p_value[m])})."
    )


def _draw_strength(strengths: graph.Strength, net: Network, figure: Figure) -> None:
    shown = few(len(strengths.node_strength), 4)
    left, right = panels(figure, 1, 2)[0]
    strengths.plot(left)
    for colour, line, m in zip(COLOURS, LINES, shown, strict=False):
        values = np.sort(strengths.node_strength[m])
        name = "inputs" if m == 0 else name_of(m, net)
        share = np.arange(1, values.size + 1) / values.size
        right.step(values, share, where="post", color=colour, ls=line, label=name)
    right.set(xlabel="node strength $s_k$", ylabel="share of units up to $s_k$", ylim=(0, 1.02))
    right.legend()
