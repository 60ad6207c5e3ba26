r"""Trajectories of couplings under doubling of the number of layers in a block, with the loss of each projection."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypeAlias

from statnn._arguments import Floats, whole
from statnn._arrays import locked
from statnn._axes import COLOURS, axes, settled
from statnn._by_value import ByValue
from statnn.network import Activation

MOST_DOUBLINGS = 60
Portrait: TypeAlias = Callable[[Any, Floats], Floats]


class FlowEnd(StrEnum):
    """Why a trajectory ends."""

    COMPLETE = "all doublings done"
    OVERFLOW = "couplings leave the range of float64"
    DISORDERED = "the output of a block no longer depends on its input"
    UNLIKE = "no layer of the family is nearest to the block: none is near, or only a limit of layers is nearest"
    UNRESOLVED = "no nodes resolve the projected layer"


@dataclass(frozen=True, eq=False, repr=False)
class Flow(ByValue):
    r"""A trajectory of couplings: row k belongs to blocks of 2^k layers.

    Parameters
    ----------
    family : str
        "linear", "binary" or "noisy".
    names : tuple of str
        The n couplings.
    couplings : ndarray, shape (steps + 1, n)
        The first row is the layer itself. For noisy layers in units in which the activation has height one.
    truncation : ndarray, shape (steps + 1,)
        KL divergence in nats between the exact law and its projection; zero where the family is closed.
    deviation : ndarray, shape (steps + 1,)
        For binary layers the largest |ln T - ln T_projected|; for noisy ones the root mean square distance of the mean
        of h' from its fit, in standard deviations of the noise.
    project : bool
        Whether each step started from the projection; otherwise all rows are read off the exact law, and errors do not
        accumulate.
    end : FlowEnd
        Why there are not more steps.
    activation : Activation or None
        Activation of noisy layers.
    portrait : callable or None
        ``portrait(ax, couplings)`` draws the flow diagram of the family and returns the positions of couplings in it.

    See Also
    --------
    flow : makes it.
    """

    family: str
    names: tuple[str, ...]
    couplings: Floats
    truncation: Floats
    deviation: Floats
    project: bool
    end: FlowEnd
    activation: Activation | None = field(default=None)
    portrait: Portrait | None = field(default=None, repr=False)

    def plot(self, ax: Any | None = None) -> Any:
        r"""Draw the trajectory in the flow diagram of its family, with fixed points and separatrices.

        The two coordinates are weight and variance of linear layers, K and h of binary ones, weight and noise of noisy
        ones without bias. Flow lines of linear and binary layers are exact. Axes extend to the layer itself; blocks
        that grow beyond them are left out.

        Parameters
        ----------
        ax : matplotlib axes or None
            Axes to draw on; new ones when None.

        Returns
        -------
        matplotlib axes

        Raises
        ------
        ValueError
            If the layer has more couplings than can be drawn.

        Examples
        --------
        >>> from statnn.rg import BinaryLayer, flow
        >>> flow(BinaryLayer([[1.5]], [0.1]), 3).plot().get_xlabel()
        '$\\tanh K$'
        """
        if self.portrait is None:
            raise ValueError(f"flows of the family {self.family!r} have no diagram: draw columns of flow.couplings")
        if self.family != "noisy" and len(self.names) > 3:
            raise ValueError(
                f"a flow of {len(self.names)} couplings has no diagram in two: draw columns of flow.couplings against "
                "the number of doublings"
            )
        if self.family != "binary" and self.couplings[:, 1].any():
            raise ValueError(
                "layers of this flow have a bias, a third coupling: draw columns of flow.couplings instead"
            )
        ax = axes(ax)
        at = self.portrait(ax, self.couplings)
        (low, high), first = ax.get_xlim(), float(at[0, 0])
        if not low <= first <= high:
            ax.set_xlim(min(low, first + low), max(high, first - low))
        low, high = ax.get_xlim()
        at = at[(low <= at[:, 0]) & (at[:, 0] <= high)]
        line = {"color": COLOURS[0], "markersize": 4, "linewidth": 1.2, "zorder": 4, "clip_on": False}
        ax.plot(*at.T, "o-", label="this layer, doubled", **line)
        small = {"fontsize": "small", "handlelength": 1.2, "columnspacing": 1.0, "borderpad": 0.2}
        ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2, **small)
        return settled(ax)


def flow(layer: Any, doublings: int = 12, *, project: bool = False) -> Flow:
    r"""Return the trajectory of the couplings of a layer under doubling: layers in a block 1, 2, 4, ..., 2^doublings.

    Parameters
    ----------
    layer : LinearLayer, BinaryLayer, NoisyLayer, or anything with a method ``flow(doublings, project=...)``
        The layer that is repeated.
    doublings : int
        How often the number of layers in a block is doubled, 1 to 60.
    project : bool
        For families that are not closed: False squares the exact law and reads couplings off it; True goes on from the
        projection, so that couplings flow by themselves and errors accumulate. Either way every row states its loss.

    Returns
    -------
    Flow

    Raises
    ------
    TypeError, ValueError
        If the layer cannot be repeated, or `doublings` is not such a number.

    See Also
    --------
    fixed_points : where it rests.
    exponents : how it leaves.

    Notes
    -----
    *Linear* layers of width one have the couplings (w, b, s), wider ones all entries; nothing is rescaled. *Binary*
    layers of width one have (K, h), h the total field on a spin; wider ones couplings, fields and inputs. *Noisy*
    layers are projected onto A σ(w h + b) + ε ξ by the least KL divergence rate over the stationary law, which is a
    least-squares fit of the mean; with h in units of A this is a layer of the family again, w → A w, ε → ε/A. The scale
    α = 1/A is a result, not an input: at criticality it tends to √2 for tanh. For positively homogeneous activations A
    = 1 [own].

    Examples
    --------
    >>> from statnn import rg
    >>> rg.flow(rg.LinearLayer(0.9, 0.0, 0.19), doublings=2).couplings.round(4)
    array([[0.9   , 0.    , 0.19  ],
           [0.81  , 0.    , 0.3439],
           [0.6561, 0.    , 0.5695]])
    """
    if isinstance(layer, type):
        raise TypeError(f"layer is the class {layer.__name__}: pass one of its layers, {layer.__name__}(...)")
    if not hasattr(layer, "flow"):
        raise TypeError(f"a {type(layer).__name__} has no flow; pass a LinearLayer, BinaryLayer or NoisyLayer")
    trajectory: Flow = layer.flow(doublings, project=project)
    return trajectory


def checked_doublings(value: Any) -> int:
    """Return a number of doublings as int, or raise."""
    return whole(value, "doublings", minimum=1, maximum=MOST_DOUBLINGS)


def trajectory(family: str, names: tuple[str, ...], rows: list[tuple[Any, float, float]], **more: Any) -> Flow:
    """Return the flow of rows (couplings, truncation, deviation)."""
    couplings, truncation, deviation = zip(*rows, strict=True)
    return Flow(family, names, locked(couplings), locked(truncation), locked(deviation), **more)
