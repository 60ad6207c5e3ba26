"""The phase diagram of wide random layers: order and chaos in the plane of σ_w and σ_b, and the line between."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from statnn._edge import Floats, Ints, at_least, positive, shaped
from statnn._figure import axes as new_axes
from statnn.network._activation import SIGN, Activation, activation
from statnn.rg._random_averages import averages
from statnn.rg._random_kernels import FAST
from statnn.rg._random_roots import roots
from statnn.rg._random_solve import OUTCOMES, PHASES, solve

GRID = np.concatenate([[0.0], np.geomspace(1e-9, 1e6, 15 * 16 + 1)])
"""Variances along which the critical line is followed."""
DIAGRAM = 1e-9
"""Relative width of brackets in a diagram; its values are good to 1e-6, most to 1e-8."""


@dataclass(frozen=True, eq=False)
class PhaseDiagram:
    """Fixed points of random layers on a grid of σ_w and σ_b; all arrays of shape (sigma_w, sigma_b).

    Parameters
    ----------
    activation : Activation
        φ.
    sigma_w, sigma_b : ndarray, shape (columns,) and (rows,)
        The grid.
    variance, chi, correlation : ndarray
        q*, χ and c*, as in `MeanField`; the variance is inf where it grows without bound.
    xi_variance, xi_correlation : ndarray
        ξ_q and ξ_c in layers; inf at criticality.
    phase, outcome : ndarray of str
        Values of `Phase` and `Outcome`.
    """

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

    def plot(self, ax: Any = None, *, critical: bool = True) -> Any:
        """Draw ξ_c over the plane, with the critical line, and return the axes.

        Parameters
        ----------
        ax : matplotlib.axes.Axes or None
            Where to draw; None for a new figure.
        critical : bool
            Whether to draw the line χ = 1 in the rows that have one; sign has none.
        """
        line = self._line() if critical else None
        axes = new_axes(ax)
        depth = np.clip(self.xi_correlation, 0.3, 1000.0)
        mesh = axes.pcolormesh(
            self.sigma_w, self.sigma_b, np.log10(depth).T, cmap="viridis", vmin=-0.5, vmax=3, rasterized=True
        )
        bar = axes.figure.colorbar(mesh, ax=axes, label=r"correlation length $\xi_c$ (layers)")
        bar.set_ticks(range(4), labels=["1", "10", "100", r"$\geq 1000$"])
        if line is not None:
            axes.plot(line, self.sigma_b, color="white", linewidth=2)
            axes.plot(line, self.sigma_b, color="black", linewidth=1, linestyle="--", label=r"$\chi = 1$")
        axes.set(xlabel=r"$\sigma_w$", ylabel=r"$\sigma_b$")
        if min(self.sigma_w.size, self.sigma_b.size) > 1:
            axes.set(xlim=self.sigma_w[[0, -1]], ylim=self.sigma_b[[0, -1]])
        return axes

    def _line(self) -> Floats | None:
        """Return σ_w at χ = 1 in each row, NaN where there is none, or None if there is none at all."""
        with suppress(ValueError):
            return np.asarray(critical_line(self.activation, self.sigma_b))
        line = np.full(self.sigma_b.size, np.nan)
        for row, sigma_b in enumerate(self.sigma_b):
            with suppress(ValueError):
                line[row] = critical_line(self.activation, sigma_b)
        return line if np.isfinite(line).any() else None


def phase_diagram(
    activation: str | Activation, sigma_w: ArrayLike, sigma_b: ArrayLike, *, start: float = 1.0
) -> PhaseDiagram:
    """Return q*, χ, c* and the lengths ξ_q, ξ_c on a grid of σ_w and σ_b.

    Parameters
    ----------
    activation : str or Activation
        φ, as in `RandomLayer`. For a function of your own each chaotic point takes about a second.
    sigma_w, sigma_b : array_like, shape (columns,) and (rows,)
        Increasing, >= 0.
    start : float
        Variance in the first layer, as in `RandomLayer.fixed_point`.

    Returns
    -------
    PhaseDiagram

    Raises
    ------
    TypeError, ValueError
        If the grid is not increasing and non-negative, or the activation is unknown.

    Notes
    -----
    Values are good to 1e-6; those of one layer, by `RandomLayer.fixed_point`, to rounding. [asymptotic: n → ∞]

    Examples
    --------
    >>> found = phase_diagram("erf", [0.5, 1.5], [0.0, 0.1])
    >>> found.phase.tolist()
    [['ordered', 'ordered'], ['chaotic', 'chaotic']]
    """
    function = _known(activation)
    columns, rows = _axis(sigma_w, "sigma_w"), _axis(sigma_b, "sigma_b")
    begin = positive(start, "start", why="it is the variance of the fields of the first layer")
    weights, biases = (grid.ravel() ** 2 for grid in np.meshgrid(columns, rows, indexing="ij"))
    found = solve(averages(function, digits=FAST), weights, biases, begin, relative=DIAGRAM)
    shape = (columns.size, rows.size)

    def length(slope: Floats) -> Floats:
        with np.errstate(divide="ignore"):
            return np.asarray(1 / np.abs(np.log(np.abs(slope)))).reshape(shape)

    return PhaseDiagram(
        function,
        columns,
        rows,
        variance=found.variance.reshape(shape),
        chi=found.chi.reshape(shape),
        correlation=(1 - found.gap).reshape(shape),
        xi_variance=length(found.slope),
        xi_correlation=length(found.correlation_slope),
        phase=np.array([phase.value for phase in PHASES])[found.phase].reshape(shape),
        outcome=np.array([outcome.value for outcome in OUTCOMES])[found.outcome].reshape(shape),
    )


def critical_line(activation: str | Activation, sigma_b: ArrayLike) -> Any:
    r"""Return σ_w on the line χ = 1, the edge of chaos, for each σ_b.

    On the line σ_w² = 1/D(q) and σ_b² = q - M(q)/D(q), with M = E φ² and D = E φ'² of fields of variance q: one
    equation for q.

    Parameters
    ----------
    activation : str or Activation
        φ.
    sigma_b : array_like
        σ_b >= 0, any shape.

    Returns
    -------
    float or ndarray
        σ_w, to 1e-10. Where σ_w crosses several critical values, the smallest q on the line decides. For relu and other
        homogeneous functions the line σ_w² E φ'² = 1 bounds the ordered phase: beyond it variances have no bound.

    Raises
    ------
    ValueError
        If there is no critical value, as for sign, which is chaotic everywhere.

    Examples
    --------
    >>> critical_line("tanh", [0.0, 0.1]).round(9)
    array([1.        , 1.19340073])
    """
    function = _known(activation)
    given = at_least(sigma_b, "sigma_b", minimum=0, why="it is a standard deviation")
    of = averages(function)
    if function.code == SIGN:
        raise ValueError("sign has no edge of chaos: chi is infinite, every sigma_w > 0 is chaotic")
    if of.homogeneous:
        square = float(of.one(np.ones(1))[2][0])
        if square == 0:
            raise ValueError(f"activation {function.name!r} is constant: nothing is ever chaotic")
        return shaped(np.full(given.shape, square**-0.5), sigma_b)

    def height(q: Floats) -> Floats:
        mean, _, square = of.one(q)
        with np.errstate(divide="ignore", over="ignore"):
            return np.asarray(q - mean / square)

    heights, targets = height(GRID), given.ravel() ** 2
    q = np.zeros(targets.size)
    for i, target in enumerate(targets):
        left = heights - target
        if left[0] == 0:
            continue
        crossings = np.flatnonzero(np.sign(left[:-1]) * np.sign(left[1:]) <= 0)
        if not crossings.size:
            raise ValueError(
                f"activation {function.name!r} has no edge of chaos at sigma_b = {target**0.5:g} with a variance of "
                f"fields below {GRID[-1]:g}"
            )
        at = crossings[:1]
        q[i] = roots(partial(_missing, height, float(target)), GRID[at], GRID[at + 1])[0]
    return shaped((of.one(q)[2] ** -0.5).reshape(given.shape), sigma_b)


def _missing(height: Callable[[Floats], Floats], target: float, q: Floats, which: Ints) -> Floats:  # noqa: ARG001
    """Return by how much the line is above σ_b² at q; one function, whichever root is sought."""
    return height(q) - target


def _known(value: str | Activation) -> Activation:
    return activation(value)


def _axis(values: ArrayLike, name: str) -> Floats:
    axis = at_least(values, name, minimum=0, why="it is a standard deviation")
    if axis.ndim != 1 or not axis.size or (np.diff(axis) <= 0).any():
        raise ValueError(f"{name} must be one increasing row of numbers, got shape {axis.shape}")
    return axis
