"""Questions about classes: ranks and the linear map, attraction basins."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from statnn._arguments import Floats, Ints
from statnn._axes import COLOURS
from statnn._random import stream
from statnn._text import percent
from statnn.inspection._section import SHARES, Cell, Measured, Picture, Section, Table, panels, share, shown
from statnn.inspection._subject import Report, Subject, name_of
from statnn.measure import basins, order
from statnn.measure._deviations import standard_deviation
from statnn.measure.basins import Basin
from statnn.network import Network

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_MOST_CLASSES = 20
_FREE, _WEAK, _FEWEST = 0.1, 0.5, 10
"""Share of unbounded basins, radius of a class over that of all, and its least samples that count as unusual."""


def ranks(subject: Subject, report: Report) -> Section:
    """Order and the linear map."""
    net, labels, executor = subject.net, subject.known_labels(), subject.options.executor
    alone = np.flatnonzero(np.bincount(labels) == 1)
    shared = ~np.isin(labels, alone)
    ranked: dict[int, order.RankProbability] = {}
    why: dict[int, str] = {}
    for m in range(net.depth):
        try:
            ranked[m] = order.rank_probability(net, subject.x[shared], labels[shared], m, executor=executor)
        except ValueError as refusal:
            why[m] = str(refusal)
        report(m + 1, net.depth)
    accuracy = order.l_map_accuracy(net, subject.x, labels)
    shares = [share(float(p), subject.samples) for p in accuracy]
    error = np.array([measured.error for measured in shares])
    rows: list[list[Cell]] = []
    for m in range(net.depth + 1):
        name = "inputs" if m == 0 else name_of(m, net)
        ranks_of = ranked.get(m - 1)
        slope = Measured(ranks_of.layer_slope, ranks_of.layer_slope_error) if ranks_of is not None else None
        extremes = (
            None if ranks_of is None else f"{ranks_of.slope.min():.2f} … {ranks_of.slope.max():.2f}".replace("-", "−")
        )
        rows.append([name, slope, extremes, shares[m]])

    remarks = [f"{name_of(m + 1, net)}: {reason}" for m, reason in why.items()]
    if not ranked and len(set(why.values())) == 1:
        remarks = [f"no slope in any layer: {why[0]}"]
    if alone.size:
        remarks.append(f"classes of one sample are left out of the slopes: {', '.join(map(str, alone[:20]))}")
    return Section(
        "order",
        "Order and the linear map",
        "Every unit ranks the samples by its field, with the sign of its weight towards a class in the linear "
        "substitution map; s is the slope of the distribution of the ranks of a class's samples, averaged over "
        "classes: 0 where ranks say nothing, up to 6(1−π) where they tell all, π being the share of the class (arXiv "
        "2501.02436). Accuracy through the linear map keeps the activations up to a layer and replaces those above by "
        "the identity; where it equals that of the last row the upper part is functionally linear." + SHARES,
        tables=(Table(["layer", "slope s", "s of classes", "accuracy, linear above"], rows),),
        pictures=(
            Picture(
                "order",
                "Slope of the rank probability distribution in every layer; the distribution itself in the first; "
                "accuracy with the activations above layer m replaced by the identity (dotted: always the most "
                "frequent class).",
                partial(_draw_order, ranked, labels, shares, net),
                _order_data(ranked, accuracy, error),
                (10.5 if ranked else 4.0, 3.6),
                3 if ranked else 1,
            ),
        ),
        results={"rank_probability": ranked, "l_map_accuracy": accuracy},
        remarks=remarks,
        unusual=_unusual_order(shares, labels, net),
    )


def _unusual_order(shares: list[Measured], labels: Ints, net: Network) -> str:
    """Name the layer above which activations could be the identity, if it is below the last nonlinear one."""
    whole = shares[-1]
    bent = [m for m, sigma in enumerate(net.activations[:-1], 1) if not sigma.linear]
    by_chance = float(np.bincount(labels).max() / labels.size)
    if not bent or whole.value < by_chance + 2 * whole.error:
        return ""
    first = next(m for m, accuracy in enumerate(shares) if abs(accuracy.value - whole.value) <= 2 * whole.error)
    if first >= max(bent):
        return ""
    where = f"above {name_of(first, net)} " if first else ""
    return (
        f"All activations {where}could be the identity: accuracy is {shown(shares[first])} then and {shown(whole)} "
        "with them."
    )


def _draw_order(
    ranked: dict[int, order.RankProbability], labels: Any, shares: list[Measured], net: Network, figure: Figure
) -> None:
    *others, right = panels(figure, 1, 3 if ranked else 1)[0]
    if others:
        _draw_slopes(others[0], others[1], ranked, name_of(min(ranked) + 1, net))
    bars = np.transpose([accuracy.bars() for accuracy in shares])
    right.errorbar(np.arange(net.depth + 1), [accuracy.value for accuracy in shares], bars, fmt="s-", color=COLOURS[2])
    right.axhline(float(np.bincount(labels).max() / labels.size), color="grey", ls=":", lw=1)
    right.set(title="linear above layer $m$", xlabel="layer $m$", ylabel="accuracy", ylim=(0, 1.02))
    right.locator_params(axis="x", integer=True)


def _draw_slopes(left: Any, middle: Any, ranked: dict[int, order.RankProbability], first_name: str) -> None:
    shown = sorted(ranked)
    slopes = [ranked[m].layer_slope for m in shown]
    errors = [ranked[m].layer_slope_error for m in shown]
    left.errorbar([m + 1 for m in shown], slopes, errors, fmt="o-", color=COLOURS[0])
    left.axhline(0, color="grey", ls=":", lw=1)
    left.set(title="rank-probability slope", xlabel="layer of fields", ylabel="slope $s$")
    left.locator_params(axis="x", integer=True)
    first = ranked[shown[0]]
    for k, (label, density) in enumerate(zip(first.classes, first.density, strict=True)):
        colour, line = COLOURS[k % len(COLOURS)], ("-", "--", ":")[k // len(COLOURS) % 3]
        middle.stairs(density, first.edges, baseline=None, color=colour, ls=line, label=str(label), lw=1.2)
    middle.set_ylim(bottom=0)
    middle.axhline(1, color="grey", ls=":", lw=1)
    middle.set(title=f"fields of {first_name}", xlabel="rank $r$", ylabel="density")
    if len(first.classes) <= 10:
        middle.legend(title="class", ncols=2, fontsize=7)


def _order_data(ranked: dict[int, order.RankProbability], accuracy: Floats, error: Floats) -> dict[str, Any]:
    data = {"l_map_accuracy": accuracy, "l_map_accuracy_error": error, "layers": np.array(sorted(ranked))}
    for name in ("layer_slope", "layer_slope_error"):
        data[name] = np.array([getattr(ranked[m], name) for m in sorted(ranked)])
    return data


def attraction(subject: Subject, report: Report) -> Section:
    """Attraction basins."""
    net, options = subject.net, subject.options
    if not subject.is_classifier:
        raise ValueError(f"the network is not taken as a classifier: {subject.no_labels}")
    rng = stream(options.seed, 3)
    chosen = np.sort(rng.permutation(subject.samples)[: options.basins])
    labels = None if subject.labels is None else subject.labels[chosen]
    x = subject.x[chosen]
    measured: dict[str, Basin] = {}
    remarks: list[str] = []
    if labels is None:
        remarks.append(f"the network is taken as a classifier, its own classes as classes: {subject.no_labels}")
    equal = [m for m, weight in enumerate(net.weights) if standard_deviation(weight) == 0]
    spaces: dict[str, Any] = {"samples": basins.sample_basin}
    if equal:
        names = ", ".join(name_of(m + 1, net) for m in equal)
        remarks.append(f"space of weights: no noise on those into {names}, all equal: its unit is how they differ")
    if len(equal) < net.depth:
        layers = [m for m in range(net.depth) if m not in equal]
        spaces["weights"] = partial(basins.weight_basin, layers=layers)
    for step, (name, function) in enumerate(spaces.items()):
        try:
            measured[name] = function(
                net,
                x,
                labels,
                draws=options.draws,
                rng=stream(options.seed, 4, step),
                executor=options.executor,
                progress=_from(report, step * len(x), len(spaces) * len(x)),
            )
        except ValueError as refusal:
            remarks.append(f"space of {name}: {refusal}")
    if not measured:
        raise ValueError("; ".join(remarks))
    columns = ["space", "median σ*", "lower quartile", "upper quartile", "infinite", "σ* = 0"]
    tables = [Table(columns, [_basin_row(name, basin) for name, basin in measured.items()])]
    if labels is not None:
        tables.append(_by_class(measured, labels))

    data = {
        f"{part}_{name}": getattr(basin, part) for name, basin in measured.items() for part in ("radius", "low", "high")
    }
    return Section(
        "basins",
        "Attraction basins",
        "σ* of a sample is the amplitude of normal noise at which the chance that its class is unchanged falls to 1/2: "
        "on the inputs, in their units, or on all weights, in units of the standard deviation of each layer's weights "
        "(arXiv 2501.02436). Where it never falls so far the basin is infinite.",
        facts={"samples": len(x), "directions of noise a sample": options.draws},
        tables=tables,
        pictures=(
            Picture(
                "basins",
                "Distribution of the radii over samples, in the space of samples and in the space of weights.",
                partial(_draw_basins, measured),
                data,
                (4.5 * len(measured), 3.6),
                len(measured),
            ),
        ),
        results=dict(measured),
        remarks=remarks,
        unusual=_unusual_basins(measured, labels),
    )


def _unusual_basins(measured: Mapping[str, Basin], labels: Ints | None) -> str:
    """Name the class that tolerates least noise, if less than half of all; or say that many basins are unbounded."""
    basin = measured.get("samples")
    if basin is None:
        return ""
    free = float(np.mean(np.isinf(basin.radius)))
    if free > _FREE:
        return f"{percent(free)} of the samples keep their class in most draws of noise on the inputs, however strong."
    whole = _median(basin.radius)
    known = [] if labels is None else [int(k) for k, n in enumerate(np.bincount(labels)) if n >= _FEWEST]
    radii = basin.by_class()
    middle = {k: _median(radii[k]) for k in known}
    least = min(middle, key=middle.__getitem__, default=None)
    if least is None or not middle[least] < _WEAK * whole:
        return ""
    return (
        f"Half of the samples of class {least} bear noise of no more than σ* = {shown(middle[least])} on the inputs, "
        f"of all classes {shown(whole)}."
    )


def _draw_basins(measured: Mapping[str, Any], figure: Figure) -> None:
    grid = panels(figure, 1, len(measured))[0]
    for ax, basin in zip(grid, measured.values(), strict=True):
        basin.plot(ax, color=COLOURS[0])
        if ax.get_legend_handles_labels()[0]:
            ax.legend()


def _from(report: Report, before: int, total: int) -> Report:
    """Return a progress callback for a part of the work, which reports progress of the whole."""
    return lambda done, _: report(before + done, total)


def _basin_row(name: str, basin: Basin) -> list[Cell]:
    radii = basin.radius
    low, middle, high = (float(q) for q in np.quantile(radii, [0.25, 0.5, 0.75], method="inverted_cdf"))
    endless, none = (percent(float(np.mean(which)), 1) for which in (np.isinf(radii), radii == 0))
    return [name, middle, low, high, endless, none]


def _median(radii: Floats) -> float:
    return float(np.quantile(radii, 0.5, method="inverted_cdf"))


def _by_class(measured: dict[str, Basin], labels: Ints) -> Table:
    """Return medians class by class, for the first classes if there are many."""
    classes, tally = np.unique(labels, return_counts=True)
    columns, rows = ["class", "samples"], [[int(k), int(n)] for k, n in zip(classes, tally, strict=True)]
    cells: list[list[Cell]] = [list(row) for row in rows[:_MOST_CLASSES]]
    for name, basin in measured.items():
        columns += [f"median σ*, {name}", f"infinite, {name}"]
        radii = basin.by_class()
        for row, k in zip(cells, classes, strict=False):
            row += [_median(radii[int(k)]), percent(float(np.mean(np.isinf(radii[int(k)]))), 1)]
    return Table(columns, cells)
