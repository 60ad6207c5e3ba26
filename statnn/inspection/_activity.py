"""Questions about hidden activity: how often units are active, which law describes this, how evenly they spike."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from statnn._arguments import Floats
from statnn._axes import COLOURS
from statnn._random import stream
from statnn._text import printed
from statnn.inspection._section import Cell, Measured, Picture, PValue, Section, Table, panels
from statnn.inspection._subject import Report, Subject, few, name_of
from statnn.measure import growth, spikes
from statnn.measure.growth import Growth
from statnn.measure.spikes import SpikeStatistics
from statnn.measure.spikes._tests import holm
from statnn.network import Network

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_WINDOW = 100
_REJECTED = 0.01
_FEWEST_WINDOWS = 10
_WINDOWS_OF_A_CLASS = 5
_LEVEL = 0.05
_IDLE, _ORDERED, _UNEVEN = 0.1, 0.1, 1.1


def activity(subject: Subject, report: Report) -> Section:
    """Activation rates and activation laws."""
    subject.needs_hidden()
    net, grown, why = subject.net, {}, {}
    for done, m in enumerate(subject.hidden, 1):
        rng = stream(subject.options.seed, 1, m)
        try:
            grown[m] = growth.layer(subject.trace.activations[m], subject.threshold(m), rng=rng)
        except ValueError as error:
            why[m] = str(error)
        report(done, len(subject.hidden))
    if not grown:
        raise ValueError("; ".join(dict.fromkeys(why.values())))
    remarks = [f"{name_of(m, net)}: {reason}" for m, reason in why.items()]
    for m, layer_growth in grown.items():
        remarks += [f"{name_of(m, net)}: no law has a finite fit: {layer_growth.reason}"] if layer_growth.reason else []
        remarks += [f"{name_of(m, net)}: {remark}" for remark in layer_growth.remarks]
    chosen = [sorted(grown)[i] for i in few(len(grown), 3)]

    data: dict[str, Any] = {"samples": subject.samples}
    for m in chosen:
        rarefied = grown[m].rarefaction
        data |= {f"counts_{m}": grown[m].counts, f"at_{m}": rarefied.at, f"working_{m}": rarefied.working}
    return Section(
        "activity",
        "Activation rates and activation laws",
        "A unit is active when its activation is above the threshold; D_i samples activate unit i, and c of the N "
        "units are active in a sample on average. The laws of arXiv 2412.18073 are fitted to the D_i by maximum "
        "likelihood; the one of least AIC is named, with the p-value of its test of fit. The paper's power law of "
        "counts, k^−α with α = 1−b, needs b < 1 and c ≪ N; α is given where b < 1 and the fit is not rejected at 1 %. "
        "Errors assume units that are independent of each other.",
        facts={"samples D": subject.samples},
        tables=(
            Table(
                ["layer", "threshold", "units", "silent", "always", "c/N", "law", "b", "p of fit", "α"],
                [_activity_row(subject, m, layer_growth) for m, layer_growth in grown.items()],
            ),
        ),
        pictures=(
            Picture(
                "activity",
                "Bars: how many of the samples activate a unit, with the fitted law of least AIC. Points: growth of "
                "the working units in random subsets of the samples, with curves as the fitted laws have it.",
                partial(_draw_activity, grown, chosen, net),
                data,
                (3.6 * len(chosen) + 0.6, 6.0),
                len(chosen),
            ),
        ),
        results={"growth": grown},
        remarks=remarks,
        unusual=_unusual_activity(grown, net),
    )


def _unusual_activity(grown: Mapping[int, Growth], net: Network) -> str:
    """Name the layer with most idle units, which are never or always active, if these are at least a tenth."""
    idle = [
        (count / layer_growth.units, f"{count} of the {layer_growth.units} units of {name_of(m, net)} are {how} active")
        for m, layer_growth in grown.items()
        for count, how in (
            (layer_growth.silent, "never"),
            (int(np.sum(layer_growth.counts == layer_growth.samples)), "always"),
        )
    ]
    most, words = max(idle)
    return f"{words} in these samples." if most >= _IDLE else ""


def _draw_activity(grown: Mapping[int, Any], chosen: Sequence[int], net: Network, figure: Figure) -> None:
    above, below = panels(figure, 2, len(chosen))
    for top, bottom, m in zip(above, below, chosen, strict=True):
        _draw_counts(top, grown[m])
        top.set_title(name_of(m, net))
        grown[m].plot(bottom)
        bottom.legend(fontsize=8)
    above[0].set_ylabel("density of units")


def _activity_row(subject: Subject, m: int, grown: Growth) -> list[Cell]:
    always = int(np.sum(grown.counts == grown.samples))
    name, share = name_of(m, subject.net), grown.active_share
    start: list[Cell] = [name, subject.threshold(m), grown.units, grown.silent, always, share]
    if grown.comparison is None:
        return [*start, None, None, None, None]
    best = grown.comparison.best
    power = 1 - best.b if best.b < 1 and best.p_value > _REJECTED else None
    return [*start, type(best.process).__name__, Measured(best.b, best.b_error), PValue(best.p_value), power]


def _draw_counts(ax: Any, grown: Growth) -> None:
    samples = grown.samples
    cells = min(30, max(6, grown.units // 6), samples + 1)
    edges = np.unique(np.round(np.linspace(0, samples + 1, cells + 1)).astype(np.int64))  # whole counts with 0 and D
    width = np.diff(edges)
    seen = np.histogram(grown.counts, edges - 0.5)[0] / grown.units
    ax.stairs(seen / width * samples, (edges - 0.5) / samples, fill=True, color=COLOURS[5], label="units")
    if grown.comparison is not None:
        best = grown.comparison.best
        law = best.process.count(samples)
        mass = np.diff(law.cdf(edges - 1.0))
        label = f"{type(best.process).__name__}, $b = {best.b:.2g}$"
        ax.stairs(mass / width * samples, (edges - 0.5) / samples, color=COLOURS[1], lw=1.6, baseline=None, label=label)
    ax.set(xlabel="share of samples $D_i/D$", xlim=(-0.5 / samples, 1 + 0.5 / samples))
    ax.set_ylim(0, 1.4 * ax.get_ylim()[1])  # room for the legend
    ax.legend(fontsize=8, loc="upper center")


def spiking(subject: Subject, report: Report) -> Section:
    """Spike statistics."""
    subject.needs_hidden()
    window = _window(subject)
    orders = ["shuffled"] + (["blocked"] if subject.labels is not None else [])
    statistics: dict[tuple[int, str], SpikeStatistics] = {}
    why: dict[str, str] = {}
    rejections: dict[tuple[int, str], tuple[int, int]] = {}
    rows: list[list[Cell]] = []
    for done, m in enumerate(subject.hidden):
        for order in orders:
            labels = subject.labels if order == "blocked" else None
            at = subject.trace.activations[m], subject.threshold(m), window
            rng = stream(subject.options.seed, 2, m) if order == "shuffled" else None
            try:
                statistics[m, order] = counted = spikes.statistics(*at, order=order, labels=labels, rng=rng)
            except ValueError as error:
                why[order] = str(error)
            else:
                blocks = [counted] if labels is None else list(_blocks(*at, labels))
                rejections[m, order] = _rejected([block.test("binomial").p_value for block in blocks], counted.units)
                rows.append(_spike_row(name_of(m, subject.net), counted, rejections[m, order]))
        report(done + 1, len(subject.hidden))
    if not statistics:
        raise ValueError("; ".join(why.values()))
    remarks = [f"order {order}: {reason}" for order, reason in why.items()]
    if subject.labels is None:
        remarks.append(f"samples are not presented class by class: {subject.no_labels}")
    columns = ["layer", "order", "MFR", "var r", "MFF", "by chance", "1−r", "var F", "silent", "rejected"]
    chosen = few(len(subject.hidden), 3)
    last = orders[-1] if (subject.hidden[0], orders[-1]) in statistics else orders[0]

    data = {
        f"{name}_{m}": np.asarray(np.ma.filled(getattr(counted, name), np.nan))
        for (m, order), counted in statistics.items()
        for name in ("rate", "fano_factor", "null_fano_factor")
        if order == last
    }
    return Section(
        "spikes",
        "Spike statistics",
        "Samples are presented one after another, and a unit spikes when it is active; n spikes in a window of T "
        "samples give a Fano factor F = Var n/⟨n⟩ (arXiv 2308.00858). MFR and MFF are means over units (MFF over "
        "those that are not silent), beside MFF by chance: what it is when only the order of samples is random "
        "(inside the blocks of a class, when blocked). Rejected: units whose counts are not those of such an order, at "
        "5 % of all units together (Holm); when blocked each class is tested on its own, and the smallest p of a unit "
        "taken times their number.",
        facts={"window T": window, "samples": subject.samples},
        tables=(Table(columns, rows, 2),),
        pictures=(
            Picture(
                "spikes",
                f"Fano factor of every unit against its rate, samples {last}, with the null of this order.",
                partial(
                    _draw_spikes,
                    {name_of(m, subject.net): statistics[m, last] for m in (subject.hidden[i] for i in chosen)},
                ),
                data,
                (4.2 * len(chosen) + 1, 3.8),
                len(chosen),
            ),
        ),
        results={"statistics": statistics},
        remarks=remarks,
        unusual=_unusual_spikes(statistics, rejections, subject.net),
    )


def _blocks(activations: Floats, threshold: float, window: int, labels: NDArray[Any]) -> Iterator[SpikeStatistics]:
    """Yield the statistics within each class that has at least two windows."""
    for label in np.unique(labels):
        inside = np.flatnonzero(labels == label)
        if inside.size >= 2 * window:
            yield spikes.statistics(activations[inside], threshold, window, intervals=False)


def _rejected(p_values: Sequence[Any], units: int) -> tuple[int, int]:
    """Return how many units reject random order in at least one part of the samples, and how many were tested."""
    tests, least = np.zeros(units), np.ones(units)
    for p in p_values:
        tests += ~np.ma.getmaskarray(p)
        least = np.minimum(least, p.filled(1.0))
    p = np.minimum(least * tests, 1.0)[tests > 0]
    return int(np.count_nonzero(holm(p) <= _LEVEL)), p.size


def _unusual_spikes(
    statistics: Mapping[tuple[int, str], SpikeStatistics],
    rejections: Mapping[tuple[int, str], tuple[int, int]],
    net: Network,
) -> str:
    """Name the layer in which most units reject random order of the samples, if F exceeds its null by a tenth."""
    ordered = {}
    for key, counted in statistics.items():
        if counted.silent.all() or counted.mean_fano_factor < _UNEVEN * counted.mean_null_fano_factor:
            continue
        rejected, tested = rejections[key]
        if rejected >= _ORDERED * max(tested, 1):
            ordered[key] = rejected, tested
    if not ordered:
        return ""
    m, order = max(ordered, key=lambda key: ordered[key][0] / ordered[key][1])
    (rejected, tested), counted = ordered[m, order], statistics[m, order]
    where = "of a class " if order == "blocked" else ""
    fano = f"{printed(counted.mean_fano_factor, 3)} instead of {printed(counted.mean_null_fano_factor, 3)}"
    return (
        f"By the counts of {rejected} of {tested} units of {name_of(m, net)} the samples {where}are not in random "
        f"order: their mean Fano factor is {fano}."
    )


def _draw_spikes(shown: Mapping[str, Any], figure: Figure) -> None:
    grid = panels(figure, 1, len(shown))[0]
    for ax, (name, statistics) in zip(grid, shown.items(), strict=True):
        statistics.plot(ax)
        ax.set_title(name)


def _window(subject: Subject) -> int:
    """Return T such that there are ten windows, and five of every class with at least ten samples."""
    if subject.options.window is not None:
        return subject.options.window
    window = min(_WINDOW, subject.samples // _FEWEST_WINDOWS)
    if subject.labels is not None:
        tally = np.bincount(subject.labels)
        smallest = int(tally[tally >= 2 * _WINDOWS_OF_A_CLASS].min(initial=_WINDOWS_OF_A_CLASS * window))
        window = min(window, smallest // _WINDOWS_OF_A_CLASS)
    if window < 1:
        raise ValueError(f"{subject.samples} samples are too few for {_FEWEST_WINDOWS} windows; give more, or a window")
    return window


def _spike_row(name: str, statistics: SpikeStatistics, rejections: tuple[int, int]) -> list[Cell]:
    silent = statistics.silent_units
    if statistics.silent.all():
        return [name, statistics.order, 0.0, 0.0, None, None, None, None, silent, None]
    rejected, tested = rejections
    return [
        name,
        statistics.order,
        statistics.mean_rate,
        statistics.rate_variance,
        statistics.mean_fano_factor,
        statistics.mean_null_fano_factor,
        1 - statistics.mean_working_rate,
        statistics.fano_variance,
        silent,
        f"{rejected} of {tested}",
    ]
