"""Where the samples of a class rank in the fields of a layer, pooled over its units."""

from __future__ import annotations

from concurrent.futures import Executor
from dataclasses import dataclass, field
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from statnn._arguments import Floats, Ints, array_of, at_least, exact, whole
from statnn._axes import axes, settled, stroke
from statnn._by_value import ByValue
from statnn._labelled import refuse_other_order
from statnn._tasks import check_executor, in_order, run_tasks
from statnn.measure._classes import checked_labels, inputs_of, number_of_classes
from statnn.measure.order._l_map import l_map
from statnn.measure.order._order_kernels import pool_ranks
from statnn.network import Network

AT_ONCE = 64
"""Units whose fields are sorted at a time."""


_ROUNDING = 1e-13
"""Relative difference of sums that differ in the order of their terms alone."""


@dataclass(frozen=True, eq=False, repr=False)
class RankProbability(ByValue):
    """The rank probability distribution of every class, and its slope.

    Parameters
    ----------
    classes : ndarray of int, shape (classes,)
        The labels that occur, in order; every array below has one entry or row for each.
    edges : ndarray, shape (bins + 1,)
        Edges of the bins of ranks, 0 to 1.
    density : ndarray, shape (classes, bins)
        Density of the ranks of a class's samples; its mean over the bins is 1.
    slope, slope_error : ndarray, shape (classes,)
        s of the least-squares line 1 + s(r-1/2), and its standard error over samples.
    auc : ndarray, shape (classes,)
        Chance that a sample of the class ranks above another one, ties half, counted pair by pair.
    share : ndarray, shape (classes,)
        π_k, share of the samples.
    unit_slopes : ndarray, shape (classes, units)
        Slopes of single units, whose mean over the units that count is `slope`; 0 where a unit does not count.
    counted : ndarray of bool, shape (classes, units)
        Whether the unit has a weight towards the class, other than zero.
    layer_slope, layer_slope_error : float
        Mean of `slope` over classes, and its standard error over samples.

    See Also
    --------
    rank_probability, pooled_ranks : make it.

    Examples
    --------
    >>> from statnn.measure.order import pooled_ranks
    >>> ranks = pooled_ranks([[0.0], [1.0], [2.0], [3.0]], [[1.0], [1.0]], [0, 0, 1, 1], bins=2)
    >>> ranks.slope
    array([-3.,  3.])
    >>> ax = ranks.plot()
    """

    _axes: ClassVar = ("classes", "")
    classes: Ints
    edges: Floats
    density: Floats = field(repr=False)
    slope: Floats
    slope_error: Floats
    auc: Floats
    share: Floats
    unit_slopes: Floats = field(repr=False)
    counted: NDArray[np.bool_] = field(repr=False)
    layer_slope: float
    layer_slope_error: float

    def plot(self, ax: Any | None = None, **style: Any) -> Any:
        """Draw the density of every class, the uniform law dotted.

        Parameters
        ----------
        ax : matplotlib axes or None
            Where to draw; None makes a new figure.
        **style
            Style of the curves, as for ``ax.stairs``.

        Returns
        -------
        matplotlib axes
        """
        ax = axes(ax)
        for k, (label, density, slope) in enumerate(zip(self.classes, self.density, self.slope, strict=True)):
            look = {"label": f"class {label}, $s = {slope:z.2f}$", "baseline": None, "linestyle": stroke(k)}
            ax.stairs(density, self.edges, **(look | style))
        ax.axhline(1.0, color="grey", linestyle=":", linewidth=1)
        ax.set(xlabel="rank $r$", ylabel="density", xlim=(0, 1))
        ax.set_ylim(bottom=0)
        ax.legend(fontsize="small", ncols=1 + len(self.classes) // 8)
        return settled(ax)


def rank_probability(
    net: Network, x: ArrayLike, labels: ArrayLike, layer: int = 0, *, bins: int = 20, executor: Executor | None = None
) -> RankProbability:
    r"""Return the rank probability distribution (RPD) of every class in one layer of a network.

    Unit i ranks all samples by :math:`h_i(μ)\,\mathrm{sign}(W_{ki})`, with h its local field and W the linear
    substitution map of `l_map` from the layer to the outputs; the ranks of the samples of class k, pooled over the
    units, are the RPD of the class. With ranks r = (midrank - 1/2)/samples its least-squares slope is

    .. math:: s_k = 12\,(\mathrm{E}[r] - 1/2) = 12\,(1-π_k)(\mathrm{AUC}_k - 1/2).

    Parameters
    ----------
    net : Network
        A classifier.
    x : array_like, shape (samples, n_0)
        Inputs.
    labels : array_like of int, shape (samples,)
        Classes, numbered as the outputs (0 and 1 for a single output, whose weights count negative for class 0). At
        least two classes, at least two samples of each that occurs.
    layer : int
        l from 0 (fields of the first layer) to M-1 (fields of the outputs).
    bins : int
        Bins of the density, at least 1.
    executor : concurrent.futures.Executor, optional
        Where blocks of 64 units are ranked; threads suffice. Results do not depend on it.

    Returns
    -------
    RankProbability

    Raises
    ------
    TypeError, ValueError
        If inputs, labels or the layer do not fit, or no unit has a weight towards a class.

    See Also
    --------
    pooled_ranks : of fields recorded elsewhere.
    l_map : its signs orient the units.

    Notes
    -----
    RPD and L-map [paper], arXiv 2501.02436; the identity of the slope with AUC [own], exact at any number of samples
    and with ties, as `slope` (from ranks) and `auc` (from pairs) show. s lies between -6(1-π) and 6(1-π), reached by
    units that rank one class above or below all others. For weights above the layer whose signs are symmetric and
    independent of the fields, as in a random network, the mean RPD is symmetric about 1/2 and the mean s is 0.

    The standard error is that over samples of a given network, with class sizes as they are (DeLong's, for the pooled
    pairs); it includes any correlation between units. Between trained networks slopes differ by more.

    References
    ----------
    Lin et al. 2025; DeLong, DeLong & Clarke-Pearson 1988, on the error.

    Examples
    --------
    >>> from statnn import Network
    >>> net = Network([[[1.0]], [[-1.0], [1.0]]], activation="identity")
    >>> ranks = rank_probability(net, [[0.0], [1.0], [2.0], [3.0]], [0, 0, 1, 1], bins=2)
    >>> ranks.slope, ranks.density[1]
    (array([3., 3.]), array([0., 2.]))
    """
    check_executor(executor)
    inputs = inputs_of(net, x)
    known = checked_labels(labels, x, len(inputs), number_of_classes(net))
    towards = l_map(net, layer)
    if len(towards) == 1:
        towards = np.concatenate((-towards, towards))
    return pooled_ranks(_fields(net, inputs, int(layer)), towards, known, bins=bins, executor=executor)


def _fields(net: Network, inputs: NDArray[Any], layer: int) -> NDArray[Any]:
    """Return fields that are equal wherever activations below are: products may round equal rows differently."""
    trace = net.trace(inputs)
    first = list(range(len(inputs)))  # the sample that stands for each; -0.0 counts as 0.0
    for h in trace.activations[: layer + 1]:
        samples: dict[bytes, int] = {}
        first = [samples.setdefault(row.tobytes(), j) for j, row in zip(first, h[first] + 0.0, strict=True)]
    fields: NDArray[Any] = trace.fields[layer][first]
    return fields


def pooled_ranks(
    fields: ArrayLike, weights: ArrayLike, labels: ArrayLike, *, bins: int = 20, executor: Executor | None = None
) -> RankProbability:
    r"""Return the rank probability distributions of fields that were recorded elsewhere.

    Parameters
    ----------
    fields : array_like, shape (samples, units)
        Local fields h_i(μ), or any activity by which samples are to be ordered.
    weights : array_like, shape (classes, units)
        W_ki, of which the signs alone matter; a unit of weight 0 does not count for that class. Use ones to
        rank by the fields themselves.
    labels : array_like of int, shape (samples,)
        Classes, which number the rows of `weights`; at least two of them, at least two samples of each that occurs.
    bins, executor
        As for `rank_probability`.

    Returns
    -------
    RankProbability

    Raises
    ------
    TypeError, ValueError
        If shapes do not fit, numbers are not finite, or no unit has a weight towards a class.

    See Also
    --------
    rank_probability : of a network.

    Notes
    -----
    As `rank_probability`. Ties share the ranks that they occupy, so the densities of all classes, weighed with their
    shares, add up to the uniform law exactly when all units have one sign.

    Examples
    --------
    >>> ranks = pooled_ranks([[0.0], [1.0], [1.0], [3.0]], [[1.0], [1.0]], [0, 0, 1, 1], bins=4)
    >>> ranks.auc, ranks.slope
    (array([0.125, 0.875]), array([-2.25,  2.25]))
    """
    check_executor(executor)
    refuse_other_order(weights, "weights", fields, "fields", (1, 1))
    h = exact(fields, "fields", why="samples are ordered by them")
    w = at_least(array_of(weights, "weights"), "weights", minimum=-np.inf, why="their signs orient the units")
    if h.ndim != 2 or w.ndim != 2 or w.shape[1] != h.shape[1] or not h.size:
        raise ValueError(
            f"fields has shape {h.shape} and weights {w.shape}; (samples, units) and (classes, units) are needed"
        )
    known = checked_labels(labels, fields, len(h), len(w))
    number = whole(bins, "bins", minimum=1, maximum=10**6)
    classes, own, tally = np.unique(known, return_inverse=True, return_counts=True)
    if classes.size < 2:
        raise ValueError(f"all samples are of class {classes[0]}; ranks tell classes apart, so two are needed")
    if tally.min() < 2:
        raise ValueError(
            f"class {classes[tally.argmin()]} has one sample only; its error needs two: leave it out, or record more"
        )
    signs = np.sign(w[classes]).astype(np.int64)
    used = np.count_nonzero(signs, axis=1)
    if not used.all():
        raise ValueError(f"no unit has a weight other than 0 towards class {classes[used.argmin()]}: nothing to rank")
    mass, placement, ranks = _pool(h, own.astype(np.int64), signs, tally.astype(np.int64), number, executor)
    return _result(classes, own, tally, signs, mass, placement, ranks)


class _Task(NamedTuple):
    """A block of units: fields, shape (units, samples), and signs, shape (units, classes)."""

    values: Floats
    own: Ints
    signs: Ints
    tally: Ints
    bins: int


def _pool(
    h: Floats, own: Ints, signs: Ints, tally: Ints, bins: int, executor: Executor | None
) -> tuple[Floats, Floats, Floats]:
    blocks = [slice(begin, begin + AT_ONCE) for begin in range(0, h.shape[1], AT_ONCE)]
    tasks = [_Task(h[:, at].T, own, signs[:, at].T, tally, bins) for at in blocks]
    mass, placement = np.zeros((tally.size, bins)), np.zeros((tally.size, own.size))
    ranks = []
    for more, placed, ranked in in_order(run_tasks(_ranked, tasks, executor, shared=[own])):
        mass += more
        placement += placed
        ranks.append(ranked)
    return mass, placement, np.concatenate(ranks)


def _ranked(task: _Task) -> tuple[Floats, Floats, Floats]:
    """Return what the units of a block add to the pool."""
    classes, samples = task.tally.size, task.own.size
    mass, placement = np.zeros((classes, task.bins)), np.zeros((classes, samples))
    ranks = np.zeros((len(task.values), classes))
    values, signs = np.ascontiguousarray(task.values), np.ascontiguousarray(task.signs)
    orders = np.argsort(values, axis=1)
    for row, order, sign, rank in zip(values, orders, signs, ranks, strict=True):
        pool_ranks(row, order, task.own, sign, task.tally, mass, placement, rank)
    return mass, placement, ranks


def _result(
    classes: Ints, own: Ints, tally: Ints, signs: Ints, mass: Floats, placement: Floats, ranks: Floats
) -> RankProbability:
    samples = own.size
    used = np.count_nonzero(signs, axis=1)
    unit_slopes = 12 * signs * (ranks / tally).T
    slope = unit_slopes.sum(axis=1) / used
    share = tally / samples
    placement = placement / used[:, None]
    member = own == np.arange(classes.size)[:, None]
    auc = 0.5 + np.where(member, placement, 0.0).sum(axis=1) / tally
    # how far each sample moves each slope, apart from its mean: members above the others raise it, others above the
    # members lower it
    influence = 12 * (1 - share[:, None]) * np.where(member, placement, -placement)
    reach = np.where(member, 1.0, (tally[own] / (samples - tally)[:, None]))
    influence *= reach
    return RankProbability(
        classes=np.asarray(classes, dtype=np.int64),
        edges=np.linspace(0, 1, mass.shape[1] + 1),
        density=mass / (tally * used)[:, None] * mass.shape[1],
        slope=slope,
        slope_error=_stratified(influence, own, tally),
        auc=auc,
        share=share,
        unit_slopes=unit_slopes,
        counted=signs != 0,
        layer_slope=float(slope.mean()),
        layer_slope_error=float(_stratified(influence.mean(axis=0, keepdims=True), own, tally)[0]),
    )


def _stratified(influence: Floats, own: Ints, tally: Ints) -> Floats:
    """Return the root of the sum over classes of the variance of a mean, for each row of influences."""
    variance = np.zeros(len(influence))
    for k, number in enumerate(tally):
        part = influence[:, own == k]
        varies = np.ptp(part, axis=1) > _ROUNDING * abs(part).max(axis=1)
        variance += np.where(varies, part.var(axis=1, ddof=1), 0.0) / number
    return np.asarray(np.sqrt(variance))
