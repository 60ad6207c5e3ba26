"""Order-preserving and non-order-preserving units: which pairs of samples change places."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from statnn._arguments import Floats, Ints, array_of, at_least, exact
from statnn._by_value import ByValue
from statnn._labelled import refuse_other_order
from statnn.measure.order._order_kernels import add_up, count_pairs
from statnn.network import Activation
from statnn.network._activation import activation as known


@dataclass(frozen=True, eq=False, repr=False)
class PairOrder(ByValue):
    """How the order of pairs of samples changes.

    Parameters
    ----------
    kept, tied, inverted : ndarray, shape (units,)
        Shares of the pairs that stay in order, become equal and change places; they sum to 1.
    pairs : ndarray of int, shape (units,)
        Number of pairs of samples of unequal reference, which are in an order at all. If there are none, no order can
        be lost: ``kept`` is 1.

    See Also
    --------
    unit_order, group_order : make it.
    """

    kept: Floats
    tied: Floats
    inverted: Floats
    pairs: Ints

    @property
    def tau(self) -> Floats:
        """Kendall's rank correlation, kept - inverted, shape (units,); ties count as zero."""
        return self.kept - self.inverted


def unit_order(activation: str | Activation, fields: ArrayLike) -> PairOrder:
    r"""Return how single units transform the order of their own fields, h → σ(h).

    Of all pairs of samples with h(μ) < h(ν) the share with σ(h(μ)) < σ(h(ν)) is kept, with = tied, with > inverted.
    A monotone unit inverts none: it loses order by saturation or ties alone (ReLU below zero); a decreasing one
    inverts all, a non-monotone one (exp(-h²)) some.

    Parameters
    ----------
    activation : str or Activation
        σ.
    fields : array_like, shape (samples, units) or (samples,)
        Local fields, at least two samples: ``net.trace(x).fields[layer]``, or recorded elsewhere. float32 stays
        float32, so that ties are those of the network.

    Returns
    -------
    PairOrder
        One entry per unit.

    Raises
    ------
    TypeError, ValueError
        If fields are not finite real numbers or activations of them are not.

    See Also
    --------
    group_order : of units together.

    Notes
    -----
    [paper] for the two kinds of units (arXiv 2501.02436, second version: single neurons); the shares of pairs as
    their measure are our own [own]. Exact counts, O(samples log samples) per unit.

    References
    ----------
    Lin et al. 2025, on the distinction; the measure is this project's own.

    Examples
    --------
    >>> order = unit_order("relu", [-2.0, -1.0, 1.0, 2.0])
    >>> order.kept, order.tied, order.inverted
    (array([0.83333333]), array([0.16666667]), array([0.]))
    """
    h = _fields(fields)
    return _compared(h, _activated(activation, h))


def group_order(
    activation: str | Activation, fields: ArrayLike, weights: ArrayLike, *, reference: ArrayLike | None = None
) -> PairOrder:
    r"""Return how groups of units acting together transform the order of samples.

    The order by :math:`\sum_i w_i h_i`, what the group would pass on if it were linear, is compared with that by
    :math:`\sum_i w_i σ(h_i)`. Monotone units can invert pairs only together: tanh(w₁h+b₁) + tanh(-w₂h+b₂).

    Parameters
    ----------
    activation : str or Activation
        σ of all units.
    fields : array_like, shape (samples, units)
        Local fields, at least two samples.
    weights : array_like, shape (units,) or (groups, units)
        Weights with which each group adds up units: rows of the weights of the next layer, or of ``l_map(net, layer)``.
    reference : array_like, shape (samples,), optional
        Another order to compare with, for example that of one input h on which all the units depend.

    Returns
    -------
    PairOrder
        One entry per group.

    Raises
    ------
    TypeError, ValueError
        If shapes do not fit or numbers are not finite.

    See Also
    --------
    unit_order : of single units.
    l_map : weights of groups.

    Notes
    -----
    [paper] for groups of units (arXiv 2501.02436, fifth version); the measure is our own [own]. A group of one unit
    is `unit_order`, for any weight but 0. Sums are in float64, and pairs that rounding alone orders are counted as
    ordered.

    References
    ----------
    Lin et al. 2025, on the distinction; the measure is this project's own.

    Examples
    --------
    >>> import numpy as np
    >>> h = np.array([0.0, 1.0, 2.0])
    >>> group_order("tanh", np.stack([2 * h, -h], axis=1), [1.0, 1.0]).inverted
    array([0.33333333])
    """
    refuse_other_order(weights, "weights", fields, "fields", (-1, 1))
    refuse_other_order(reference, "reference", fields, "fields")
    h = _fields(fields)
    given = at_least(array_of(weights, "weights"), "weights", minimum=-np.inf, why="each weighs one unit")
    rows = np.atleast_2d(given)
    if rows.ndim != 2 or rows.shape[1] != h.shape[1]:
        raise ValueError(f"weights has shape {given.shape}; fields of {h.shape[1]} units need (groups, {h.shape[1]})")
    alone = np.count_nonzero(rows, axis=1, keepdims=True) == 1
    rows = np.where(alone, np.sign(rows), rows)  # rounded products would tie neighbours of a saturated unit
    sums = _sums(_activated(activation, h), rows)
    if reference is None:
        return _compared(_sums(h, rows), sums)
    order = exact(reference, "reference", why="samples are ordered by it")
    if order.shape != h.shape[:1]:
        raise ValueError(f"reference has shape {order.shape}; one number for each of the {len(h)} samples is needed")
    return _compared(np.repeat(order[:, None], len(rows), axis=1), sums)


def _fields(values: ArrayLike) -> NDArray[Any]:
    array = array_of(values, "fields")
    checked = exact(array, "fields", why="they are local fields")
    h = array if array.dtype == np.float32 else checked
    if h.ndim == 1:
        h = h[:, None]
    if h.ndim != 2 or h.shape[1] == 0:
        raise ValueError(f"fields has shape {array.shape}; (samples, units) is needed")
    if len(h) < 2:
        raise ValueError(f"fields has {len(h)} sample(s); an order needs at least two")
    return h


def _sums(values: NDArray[Any], rows: Floats) -> Floats:
    sums = np.zeros((len(values), len(rows)))
    add_up(np.ascontiguousarray(values, dtype=np.float64), np.ascontiguousarray(rows.T), sums)
    if not np.isfinite(sums).all():
        raise ValueError("weighted sums of a group exceed the range of float64: scale fields or weights down")
    return sums


def _activated(value: str | Activation, h: NDArray[Any]) -> NDArray[Any]:
    sigma = known(value)
    result = array_of(sigma(h), f"the result of activation {sigma.name!r}")
    if result.shape != h.shape or result.dtype.kind not in "biuf" or not np.isfinite(result).all():
        raise ValueError(
            f"activation {sigma.name!r} maps fields of shape {h.shape} to {result.dtype} of shape {result.shape} that "
            "may not be finite: it must be elementwise, real and finite"
        )
    return result


def _compared(reference: NDArray[Any], values: NDArray[Any]) -> PairOrder:
    """Compare column by column."""
    counts = np.zeros((reference.shape[1], 3), np.int64)
    for unit, (h, value) in enumerate(zip(reference.T, values.T, strict=True)):
        order = np.argsort(h, kind="stable")
        inside = h[order]
        start = np.flatnonzero(np.concatenate(([True], inside[1:] > inside[:-1], [True])))
        levels, rank = np.unique(value[order], return_inverse=True)
        counts[unit] = count_pairs(start, rank.astype(np.int64), np.zeros(levels.size + 1, np.int64))
    pairs = counts.sum(axis=1)
    shares = counts / np.maximum(pairs, 1)[:, None]
    shares[pairs == 0, 0] = 1.0
    return PairOrder(shares[:, 0], shares[:, 1], shares[:, 2], pairs)
