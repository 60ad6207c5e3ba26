"""What a simulation returns."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from statnn._arguments import share, whole
from statnn._axes import axes, band, drawable, logarithmic, settled
from statnn._by_value import ByValue
from statnn._random import Root


class Process(Protocol):
    """What a path remembers of the process behind it."""

    @property
    def neurons(self) -> int:
        """N."""

    @property
    def b(self) -> float:
        """Constant of the stable activation probability hypothesis."""

    @property
    def c(self) -> float:
        """Mean number of active neurons per sample."""

    def working(self, D: ArrayLike) -> Any:
        """Return E[K(D)]."""


def checkpoints(last: int, number: int = 60) -> NDArray[np.int64]:
    """Return at most ``number`` distinct whole numbers from 1 to ``last``, equidistant on a logarithmic axis.

    Parameters
    ----------
    last : int
        Largest number of samples, 1 <= last <= 9e18.
    number : int
        How many to ask for, at least 1; small whole numbers that coincide are kept once.

    Returns
    -------
    (T,) ndarray of int64
        Strictly increasing, ends with ``last``.

    Raises
    ------
    TypeError, ValueError
        If arguments are not whole numbers in their ranges.

    See Also
    --------
    BetaBernoulli.simulate : takes them.
    rarefaction : takes them too.

    Examples
    --------
    >>> checkpoints(1000, 4)
    array([   1,   10,  100, 1000])
    """
    last = whole(last, "last", minimum=1)
    number = whole(number, "number", minimum=1, maximum=10**7)
    exponents = np.linspace(0.0, 1.0, number) if number > 1 else np.ones(1)
    grid = np.rint(float(last) ** exponents[:-1]).astype(np.int64)
    return np.append(np.unique(grid[grid < last]), np.int64(last))


@dataclass(frozen=True, eq=False, repr=False)
class Paths(ByValue):
    """Simulated paths of an activation process.

    Attributes
    ----------
    process : ActivationProcess
        What was simulated.
    checkpoints : (T,) ndarray of int64
        Numbers of samples D.
    working : (R, T) ndarray of int64
        K(D), the number of neurons with at least one activation.
    counts : (R, T, N) ndarray of int64 or None
        D_i(D), when asked for: 8 R T N bytes.
    replicas : range
        Which replicas these are.
    seed : tuple
        Entropy and spawn key of the run; replica r is a function of it and of r alone.
    method : str
        "exact" or "stepwise".

    See Also
    --------
    BetaBernoulli.simulate : makes it.
    checkpoints : where to look at paths.

    Examples
    --------
    >>> from statnn.activation import BetaBernoulli
    >>> paths = BetaBernoulli(1000, b=0.3, c=5.0).simulate([10, 1000], replicas=2, rng=1)
    >>> paths.working.shape
    (2, 2)
    >>> ax = paths.plot()
    """

    _axes: ClassVar = ("", "checkpoints")
    process: Process
    checkpoints: NDArray[np.int64]
    working: NDArray[np.int64] = field(repr=False)
    counts: NDArray[np.int64] | None = field(repr=False)
    replicas: range
    seed: Root
    method: str

    def plot(self, ax: Any | None = None, *, level: float = 0.95, **style: Any) -> Any:
        """Draw the mean of K over replicas with the band that holds a share ``level`` of them.

        Parameters
        ----------
        ax : matplotlib axes or None
            Where to draw; None makes a new figure.
        level : float
            Share of the replicas in the band, between 0 and 1.
        **style
            Style of the curve, as for ``ax.plot``.

        Returns
        -------
        matplotlib axes

        Raises
        ------
        ValueError
            If `level` is outside (0, 1), or no checkpoint is above 0, as a logarithmic axis needs.
        """
        level = share(level, "level", why="the share of replicas in the band")
        drawable(self.checkpoints, "checkpoints")
        ax = axes(ax)
        style.setdefault("label", f"mean of {len(self.replicas)} replicas,\n{100 * level:g} % of them in the band")
        style.setdefault("marker", ".")
        style.setdefault("linestyle", "none")
        (points,) = ax.plot(self.checkpoints, self.working.mean(axis=0), **style)
        low, high = np.quantile(self.working, [(1 - level) / 2, (1 + level) / 2], axis=0)
        band(ax, self.checkpoints, low, high, points)
        logarithmic(ax, "x")
        ax.set(xlabel="samples $D$", ylabel="working neurons $K$")
        return settled(ax)
