"""The phase diagram of wide random layers: order and chaos in the plane of σ_w and σ_b, and the end of order."""

from __future__ import annotations

from concurrent.futures import Executor
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from statnn._arguments import Floats, at_least, positive, switch
from statnn._axes import COLOURS, colour_bar, ink, settled
from statnn._axes import axes as new_axes
from statnn._by_value import ByValue
from statnn._memory import refuse_beyond_memory
from statnn._tasks import check_executor, run_tasks
from statnn.network._activation import Activation
from statnn.network._activation import activation as known
from statnn.rg._common import LARGEST
from statnn.rg.wide._average_kernels import FAST
from statnn.rg.wide._averages import averages
from statnn.rg.wide._phase_transition import Transition, TransitionKind, transition
from statnn.rg.wide._solve import OUTCOMES, PHASES, Solution, VarianceEnd, joined, solve

_TOGETHER = 256
"""Points of a task, enough to share averages efficiently."""
DIAGRAM = 1e-9
"""Relative width of brackets in a diagram; its values are good to 1e-6, most to 1e-8."""
NEARLY_CRITICAL = 1e-4
"""Distance of a slope from 1 below which errors of averages are so amplified that full precision is used."""


@dataclass(frozen=True, eq=False, repr=False)
class PhaseDiagram(ByValue):
    """Fixed points of random layers on a grid of σ_w and σ_b; all arrays of shape (sigma_w, sigma_b).

    Parameters
    ----------
    activation : Activation
        φ.
    sigma_w, sigma_b : ndarray
        The grid: values along the first and the second axis of all arrays.
    variance, chi, correlation : ndarray
        q*, χ and c*, as in `MeanField`; the variance is inf where it grows without bound.
    xi_variance, xi_correlation : ndarray
        ξ_q and ξ_c in layers; inf at criticality.
    phase, outcome : ndarray of str
        Values of `Phase` and `VarianceEnd`.
    start : float
        Variance of the fields in the first layer.

    See Also
    --------
    phase_diagram : makes it.

    Examples
    --------
    >>> from statnn.rg import phase_diagram
    >>> diagram = phase_diagram("erf", [0.5, 1.5], [0.0, 0.1])
    >>> ax = diagram.plot()
    """

    _axes: ClassVar = ("sigma_w", "sigma_b")
    activation: Activation
    sigma_w: Floats
    sigma_b: Floats
    variance: Floats = field(repr=False)
    chi: Floats = field(repr=False)
    correlation: Floats = field(repr=False)
    xi_variance: Floats = field(repr=False)
    xi_correlation: Floats = field(repr=False)
    phase: NDArray[np.str_] = field(repr=False)
    outcome: NDArray[np.str_] = field(repr=False)
    start: float = 1.0

    def plot(self, ax: Any = None, *, critical: bool = True) -> Any:
        """Plot ξ_c over the plane, with the end of order, and return the axes; grey where variances have no bound.

        Parameters
        ----------
        ax : matplotlib.axes.Axes or None
            Where to draw; None for a new figure.
        critical : bool
            Whether to draw the end of order, from `transition`: the edge of chaos dashed, folds, ends of basins and
            growth without bound in other strokes, named in a legend. sign has no end of order.
        """
        switch(critical, "critical")
        axes = new_axes(ax)
        unbounded = self.outcome == VarianceEnd.UNBOUNDED
        depth = np.where(unbounded, np.nan, np.clip(self.xi_correlation, 0.3, 1000.0))
        cells = _ends(self.sigma_w), _ends(self.sigma_b)
        mesh = axes.pcolormesh(*cells, np.log10(depth).T, cmap="viridis", vmin=-0.5, vmax=3, rasterized=True)
        bar = colour_bar(axes, mesh, r"correlation length $\xi_c$ (layers)")
        bar.set_ticks(range(4), labels=["1", "10", "100", r"$\geq 1000$"])
        if critical:
            low, high = self.sigma_b[[0, -1]]
            rows = np.unique(np.append(self.sigma_b, np.linspace(low, high, FINE)))
            ends = transition(self.activation, rows, start=self.start)
            draw_transitions(axes, ends, outline=True, within=self.sigma_w if self.sigma_w.size > 1 else None)
        if unbounded.any():
            axes.set_facecolor(GREY)
            axes.fill([], [], color=GREY, label="variance without bound")
        if axes.get_legend_handles_labels()[0]:
            axes.legend(
                loc="best", fontsize="small", frameon=True, facecolor="white", framealpha=0.9, labelcolor="black"
            )
        axes.set(xlabel=r"$\sigma_w$", ylabel=r"$\sigma_b$")
        if min(self.sigma_w.size, self.sigma_b.size) > 1:
            axes.set(xlim=self.sigma_w[[0, -1]], ylim=self.sigma_b[[0, -1]])
        return settled(axes)


def _ends(axis: Floats) -> Floats:
    """Return the ends of cells around an increasing row of values; a single cell also gets a width, to be visible."""
    half = np.diff(axis) / 2 if axis.size > 1 else np.array([ALONE])
    return np.concatenate([axis[:1] - half[:1], axis[:-1] + half, axis[-1:] + half[-1:]])


ALONE = 0.05
"""Half the width of the cells of a single column or row."""
GREY, FINE = "#D0D0D0", 101
"""Colour where variances have no bound; number of rows of σ_b added to the grid to draw the end of order."""
STROKES = {
    TransitionKind.EDGE: ("--", "black", r"edge of chaos, $\chi = 1$"),
    TransitionKind.FOLD: ("-", COLOURS[1], "fold"),
    TransitionKind.BASIN: ("-.", COLOURS[3], "end of a basin"),
    TransitionKind.UNBOUNDED: (":", COLOURS[0], "growth without bound"),
}
"""Stroke, colour and legend of each end of order."""


def draw_transitions(
    axes: Any, transitions: Transition, *, outline: bool = False, within: Floats | None = None
) -> None:
    """Draw σ_w over an increasing row of σ_b, each kind in its own stroke; legends name what lies `within` values."""
    for kind, (stroke, usual, named) in STROKES.items():
        colour = usual if outline or kind is not TransitionKind.EDGE else ink()
        line = np.where(transitions.kind == kind, transitions.sigma_w, np.nan)
        there = np.pad(np.isfinite(line), 1)
        alone = there[1:-1] & ~there[:-2] & ~there[2:]  # a line of one point is invisible
        if not there.any():
            continue
        seen = within is None or (np.nanmin(line) <= within[-1] and np.nanmax(line) >= within[0])
        label = named if seen else None
        if not np.array_equal(alone, there[1:-1]):
            if outline:
                axes.plot(line, transitions.sigma_b, color="white", linewidth=2.5)
            axes.plot(line, transitions.sigma_b, color=colour, linewidth=1.2, linestyle=stroke, label=label)
        if alone.any():
            said = label if np.array_equal(alone, there[1:-1]) else None
            edge = "white" if outline else colour
            axes.plot(line[alone], transitions.sigma_b[alone], "o", color=colour, mec=edge, ms=5, label=said)


def phase_diagram(
    activation: str | Activation, sigma_w: ArrayLike, sigma_b: ArrayLike, *, start: float = 1.0,
    executor: Executor | None = None,
) -> PhaseDiagram:  # fmt: skip
    """Return q*, χ, c* and the lengths ξ_q, ξ_c on a grid of σ_w and σ_b.

    Parameters
    ----------
    activation : str or Activation
        φ, as in `RandomLayer`. For a function of your own each chaotic point takes 0.3 s where it is
        smooth, up to 4 s where it turns or bends often, as splines do, and 3 to 10 times as long without a derivative.
    sigma_w, sigma_b : array_like, one axis each
        Increasing, >= 0.
    start : float
        Variance in the first layer, as in `RandomLayer.fixed_point`.
    executor : concurrent.futures.Executor, optional
        Runs blocks of columns of some 250 points each. Results do not depend on it.

    Returns
    -------
    PhaseDiagram

    Raises
    ------
    TypeError, ValueError, MemoryError
        If the grid is not increasing and non-negative or would not fit into memory, or the activation is unknown.

    See Also
    --------
    transition, critical_line : the end of order.
    RandomLayer.fixed_point : one point.
    place : a network on it.

    Notes
    -----
    Relative errors are 1e-6 at most, for c* absolute ones, and for lengths of ξ layers 1e-8 ξ if that is more;
    `RandomLayer.fixed_point` gives one layer to rounding. [asymptotic: n → ∞]

    References
    ----------
    Poole et al. 2016; Schoenholz et al. 2017.

    Examples
    --------
    >>> diagram = phase_diagram("erf", [0.5, 1.5], [0.0, 0.1])
    >>> diagram.phase.tolist()
    [['ordered', 'ordered'], ['chaotic', 'chaotic']]
    """
    check_executor(executor)
    function = known(activation)
    columns, rows = _axis(sigma_w, "sigma_w"), _axis(sigma_b, "sigma_b")
    begin = positive(start, "start", why="it is the variance of the fields of the first layer")
    refuse_beyond_memory(
        500.0 * columns.size * rows.size, f"a diagram of {columns.size} x {rows.size} points", "take a coarser grid"
    )
    together = max(1, _TOGETHER // rows.size)
    tasks = [(function, columns[k : k + together], rows, begin) for k in range(0, columns.size, together)]
    parts = dict(run_tasks(_solved, tasks, executor))
    solution = joined([parts[k] for k in range(len(tasks))])
    shape = (columns.size, rows.size)

    def length(slope: Floats) -> Floats:
        with np.errstate(divide="ignore"):
            return np.asarray(1 / np.abs(np.log(np.abs(slope)))).reshape(shape)

    return PhaseDiagram(
        function,
        columns,
        rows,
        variance=solution.variance.reshape(shape),
        chi=solution.chi.reshape(shape),
        correlation=(1 - solution.gap).reshape(shape),
        xi_variance=length(solution.slope),
        xi_correlation=length(solution.correlation_slope),
        phase=np.array([phase.value for phase in PHASES])[solution.phase].reshape(shape),
        outcome=np.array([outcome.value for outcome in OUTCOMES])[solution.outcome].reshape(shape),
        start=begin,
    )


def _solved(task: tuple[Activation, Floats, Floats, float]) -> Solution:
    """Return the fixed points of some columns."""
    function, columns, rows, begin = task
    weights, biases = (grid.ravel() ** 2 for grid in np.meshgrid(columns, rows, indexing="ij"))
    solution = solve(averages(function, digits=FAST), weights, biases, begin, relative=DIAGRAM)
    slopes = np.stack((solution.slope, solution.correlation_slope))
    near = np.isfinite(solution.variance) & (np.abs(slopes - 1) < NEARLY_CRITICAL).any(axis=0)
    if near.any():
        closer = solve(averages(function), weights[near], biases[near], begin)
        for each in fields(Solution):
            getattr(solution, each.name)[near] = getattr(closer, each.name)
    return solution


def _axis(values: ArrayLike, name: str) -> Floats:
    axis = at_least(values, name, minimum=0, why="it is a standard deviation")
    if axis.ndim != 1 or not axis.size or (np.diff(axis) <= 0).any():
        raise ValueError(f"{name} must be one increasing row of numbers, got shape {axis.shape}")
    if axis[-1] > LARGEST:
        raise ValueError(f"{name} = {axis[-1]:g}: above {LARGEST:g} squares overflow")
    return axis
