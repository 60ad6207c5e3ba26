"""Questions about whole layers: correlations of units and of samples, and the place of layers on the phase diagram."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from statnn._axes import COLOURS
from statnn._random import stream
from statnn.inspection._section import Cell, Measured, Picture, Section, Table, panels, shown
from statnn.inspection._subject import Report, Subject, name_of
from statnn.measure import correlation, tangent
from statnn.network import Network
from statnn.rg import Placement, place

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_KERNEL_SAMPLES = 200
_NARROW, _FAR = 0.25, 2.0
"""Unusual are fewer directions of activity than this times those by chance, and a variance off by this factor."""


def together(subject: Subject, report: Report) -> Section:
    """Correlation of units and the tangent kernel."""
    subject.needs_hidden()
    net = subject.net
    pairs: dict[int, correlation.Correlation] = {}
    spread: dict[int, correlation.Participation] = {}
    remarks: list[str] = []
    for done, m in enumerate(subject.hidden, 1):
        h = subject.trace.activations[m]
        try:
            pairs[m], spread[m] = correlation.neuronal_correlation(h), correlation.participation_ratio(h)
        except (ValueError, MemoryError) as error:
            remarks.append(f"{name_of(m, net)}: {error}")
        report(done, len(subject.hidden) + 1)
    results: dict[str, Any] = {"correlation": pairs, "participation": spread}
    try:
        results["tangent_kernel"], facts = _kernel(subject)
    except (ValueError, TypeError, MemoryError) as error:
        remarks.append(f"tangent kernel: {error}")
        facts = {}
    if not pairs and not facts:
        raise ValueError("; ".join(remarks))
    return Section(
        "correlation",
        "Correlation of units and the tangent kernel",
        "r is Pearson's correlation of the activations of two units of a layer over samples, averaged over pairs "
        "(arXiv 2201.09069); the participation ratio (tr C)²/tr C² counts the directions over which the activity of a "
        "layer spreads. By chance: for units that know nothing of each other. Trace and entropy of the empirical "
        "neural tangent kernel (arXiv 2410.07451) are over samples, summed over outputs; the error of "
        "the trace is that of its mean over samples, the entropy is of these samples alone.",
        facts=facts,
        tables=(_table(net, pairs, spread),) if pairs else (),
        results=results,
        remarks=remarks,
        unusual=_unusual_spread(subject, spread),
    )


def _unusual_spread(subject: Subject, spread: dict[int, correlation.Participation]) -> str:
    """Name the layer with fewest directions of activity, if below a quarter of those of the inputs and by chance."""
    narrow = [m for m, participation in spread.items() if participation.ratio < _NARROW * participation.null]
    if not narrow:
        return ""
    least = min(narrow, key=lambda m: spread[m].ratio)
    try:
        inputs = correlation.participation_ratio(subject.x).ratio
    except (ValueError, MemoryError):  # a single input, or constant inputs
        return ""
    if not spread[least].ratio < _NARROW * inputs:
        return ""
    return (
        f"The activity of {name_of(least, subject.net)} spreads over {shown(spread[least].ratio)} directions, the "
        f"inputs over {shown(inputs)}."
    )


def _kernel(subject: Subject) -> tuple[tangent.TangentKernel, dict[str, Cell]]:
    """Return the tangent kernel of a random subset of the samples, and its numbers on the page."""
    some = np.sort(stream(subject.options.seed, 5).permutation(subject.samples)[:_KERNEL_SAMPLES])
    kernel = tangent.tangent_kernel(subject.net, subject.x[some], executor=subject.options.executor)
    norms = kernel.matrix.diagonal()
    mean = float(norms.mean())
    trace = Measured(mean, float(np.std(norms, ddof=1)) / math.sqrt(norms.size)) if norms.size > 1 else mean
    return kernel, {
        "samples of the tangent kernel": len(some),
        "trace a sample": trace,
        "entropy": kernel.entropy,
        "effective rank": kernel.effective_rank,
    }


def _table(
    net: Network, pairs: dict[int, correlation.Correlation], spread: dict[int, correlation.Participation]
) -> Table:
    """Return the measured numbers of every hidden layer, beside their values by chance."""
    rows: list[list[Cell]] = [
        [
            name_of(m, net),
            net.widths[m],
            pairs[m].constant,
            pairs[m].mean_absolute,
            pairs[m].null_mean_absolute,
            pairs[m].mean_square,
            pairs[m].null_mean_square,
            spread[m].ratio,
            spread[m].null,
        ]
        for m in pairs
    ]
    columns = [
        "layer",
        "units",
        "constant",
        "mean |r|",
        "|r| by chance",
        "mean r²",
        "r² by chance",
        "participation",
        "p. by chance",
    ]
    return Table(columns, rows)


def phase(subject: Subject, report: Report) -> Section:
    """Place on the mean-field phase diagram."""
    del report
    net, remarks = subject.net, []
    try:
        placement = place(net, subject.x, rng=stream(subject.options.seed, 6))
    except ValueError as error:
        placement = place(net)
        remarks.append(f"signals were not followed: {error}")
    rows: list[list[Cell]] = []
    for layer in placement.layers:
        point, m = layer.point, layer.index
        signals: list[Cell] = [None, None, None, None]
        if placement.correlation.size:
            signals = [
                float(placement.variance[m]),
                float(placement.predicted_variance[m]),
                Measured(float(placement.correlation[m]), float(placement.correlation_error[m])),
                float(placement.predicted_correlation[m]),
            ]
        rows.append(
            [
                name_of(m + 1, net),
                Measured(layer.sigma_w, layer.sigma_w_error),
                Measured(layer.sigma_b, layer.sigma_b_error),
                point.phase.value,
                point.chi,
                point.xi_correlation,
                *signals,
            ]
        )
    facts: dict[str, Cell] = {}
    if placement.decay is not None:
        length = Measured(placement.decay.length, placement.decay.error) if np.isfinite(placement.decay.error) else None
        facts["measured correlation length, layers"] = length if length is not None else placement.decay.outcome.value
    columns = ["layer", "σ_w", "σ_b", "phase", "χ", "ξ_c", "variance", "predicted q", "correlation", "predicted c"]
    return Section(
        "phase",
        "Place on the mean-field phase diagram",
        "Each layer above the first is taken as a wide layer of random weights with its own σ_w and σ_b (root mean "
        "squares): χ is the factor by which squared small distances between signals change in such a layer, ξ_c the "
        "number of layers over which correlations are forgotten. Variance of the fields and correlation of random "
        "pairs of samples are measured in the network and predicted from those in the first layer. For trained "
        "weights two numbers per layer are a coarse description; the gap says how coarse.",
        facts=facts,
        tables=(Table(columns, rows),),
        pictures=(_phase_picture(placement),),
        results={"placement": placement},
        remarks=remarks,
        unusual=_unusual_signals(net, placement),
    )


def _unusual_signals(net: Network, placement: Placement) -> str:
    """Name the layer whose variance of fields is farthest from that of random weights, if by a factor of two."""
    if not placement.correlation.size:
        return ""
    with np.errstate(divide="ignore", invalid="ignore"):
        factors = placement.variance / placement.predicted_variance
        off = np.nan_to_num(np.abs(np.log(factors)), posinf=0.0)
    m = int(off.argmax())
    if off[m] <= np.log(_FAR):
        return ""
    measured, predicted = (float(values[m]) for values in (placement.variance, placement.predicted_variance))
    return (
        f"Fields of {name_of(m + 1, net)} have the variance {shown(measured)}; wide layers of random weights of the "
        f"same scales would give {shown(predicted)}."
    )


def _phase_picture(placement: Placement) -> Picture:
    followed = bool(placement.correlation.size)

    data = {
        name: np.array([getattr(layer, name) for layer in placement.layers])
        for name in ("sigma_w", "sigma_w_error", "sigma_b", "sigma_b_error")
    }
    for name in ("correlation", "correlation_error", "predicted_correlation", "variance", "predicted_variance"):
        data[name] = getattr(placement, name)
    return Picture(
        "phase",
        "Layers in the plane of σ_w and σ_b, numbered by their weights (1 takes the inputs), with where order ends for "
        "the activation below the first of them (edge of chaos, χ = 1, or what the legend names); correlation of pairs "
        "of samples through depth, measured (bars are errors over pairs, in this network alone) and predicted.",
        partial(_draw_phase, placement),
        data,
        (9.0, 3.8) if followed else (5.0, 3.8),
        2 if followed else 1,
    )


def _draw_phase(placement: Placement, figure: Figure) -> None:
    grid = panels(figure, 1, 2 if placement.correlation.size else 1)[0]
    _draw_place(grid[0], placement)
    if placement.correlation.size:
        placement.plot_signals(grid[1], colour=COLOURS[0], first=1)
        grid[1].legend()


def _draw_place(ax: Any, placement: Placement) -> None:
    """Draw the layers in the plane, without a critical line if their activation has none."""
    try:
        placement.plot(ax, label="layers", first=1)
    except ValueError:
        ax.clear()
        placement.plot(ax, critical=False, label="layers", first=1)
        ax.set_title("no edge of chaos found")
    ax.legend()
