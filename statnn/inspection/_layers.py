"""Questions about weights alone: shapes and scales of the layers, node strength."""

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from statnn._axes import COLOURS
from statnn.inspection._section import Cell, Picture, PValue, Section, Table, share
from statnn.inspection._subject import Subject, Tell, few, name_of
from statnn.measure import graph
from statnn.measure._deviations import standard_deviation
from statnn.network import Network

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def layers(subject: Subject, tell: Tell) -> Section:
    """Layers."""
    del tell
    net = subject.net
    facts: dict[str, Cell] = {
        "network": repr(net),
        "parameters": sum(w.size + b.size for w, b in zip(net.raw_weights, net.raw_biases, strict=True)),
        "precision": str(net.dtype),
    }
    if subject.labels is not None:
        facts["accuracy"] = share(float(np.mean(subject.classes == subject.labels)), subject.samples)
    columns = ["layer", "out × in", "activation", "batch norm", "mean W", "σ_w", "σ_b", "rank of W"]
    rows: list[list[Cell]] = []
    for m, (weight, bias) in enumerate(zip(net.weights, net.biases, strict=True)):
        sigma, norm = net.activations[m], net.normalisations[m]
        values = np.linalg.svd(weight.astype(float), compute_uv=False)
        shares = values / values[0] if values[0] else values  # whose squares stay in float64
        slope = f" {sigma.slope:g}" if sigma.slope else ""
        rows.append(
            [
                name_of(m + 1, net),
                f"{weight.shape[0]} × {weight.shape[1]}",
                sigma.name + slope,
                "yes" if norm is not None else "no",
                float(weight.mean(dtype=float)),
                standard_deviation(weight) * float(np.sqrt(weight.shape[1])),
                standard_deviation(bias),
                float(np.sum(shares) ** 2 / np.sum(shares**2)) if values[0] else 0.0,
            ]
        )
    return Section(
        "layers",
        "Layers",
        "Weights are effective ones, with batch normalisation inside. σ_w is the standard deviation of the weights "
        "times the root of the fan-in, σ_b that of the biases. The rank of W counts the singular values s that carry "
        "weight: (Σs)²/Σs².",
        facts=facts,
        tables=(Table(columns, rows),),
        remarks=subject.notes,
    )


def strength(subject: Subject, tell: Tell) -> Section:
    """Node strength."""
    del tell
    net = subject.net
    found = graph.strength(net)
    rows: list[list[Cell]] = []
    for m, values in enumerate(found.node_strength):
        name = "inputs" if m == 0 else name_of(m, net)
        numbers = (float(values.mean()), float(found.fluctuation[m]), float(found.null_fluctuation[m]))
        rows.append([name, values.size, *numbers, PValue(found.p_value[m])])

    data: dict[str, Any] = {f"strength_{m}": values for m, values in enumerate(found.node_strength)}
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
                partial(_draw_strength, found, net),
                data | {"fluctuation": found.fluctuation, "by_chance": found.null_fluctuation},
                (9.0, 3.6),
            ),
        ),
        results={"strength": found},
    )


def _draw_strength(found: graph.Strength, net: Network, figure: "Figure") -> None:
    from matplotlib.ticker import MaxNLocator

    shown = few(len(found.node_strength), 4)
    left, right = figure.subplots(1, 2, width_ratios=(1, 1.2))
    found.plot(left)
    left.xaxis.set_major_locator(MaxNLocator(integer=True))  # a label for every layer runs into the next
    for colour, m in zip(COLOURS, shown, strict=False):
        values = np.sort(found.node_strength[m])
        name = "inputs" if m == 0 else name_of(m, net)
        right.step(values, np.arange(1, values.size + 1) / values.size, where="post", color=colour, label=name)
    right.set(xlabel="node strength $s_k$", ylabel="share of units up to $s_k$", ylim=(0, 1.02))
    right.legend()
