r"""Monte Carlo renormalisation: two functions, for recorded configurations and for a model sampled on the way.

Configurations are blocked level after level, and operators are measured on every level. Only sums over draws are kept,
so memory does not grow with the length of the run.
"""

from __future__ import annotations

import operator
import os
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from functools import reduce
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from statnn._archive.store import Store, opened
from statnn._arguments import Floats, whole
from statnn._random import Root, root, seed_of
from statnn._tasks import check_executor
from statnn._warn import warn
from statnn.interaction import BinaryNeurons, square_lattice
from statnn.interaction._lattice import torus
from statnn.montecarlo import Method, UntrustedEstimate, Wolff
from statnn.montecarlo._checkpoint import key_of, parts_of
from statnn.montecarlo._engine import choose, cut, run_blocks, schedule
from statnn.rg.lattice._blocking import recorded, refuse_foreign
from statnn.rg.lattice._halves import PORTION, Halves
from statnn.rg.lattice._linearised import FEWEST_GROUPS, LinearisedFlow
from statnn.rg.lattice._operators import Operator
from statnn.rg.lattice._scheme import Scheme, scheme
from statnn.rg.lattice._swendsen import Moments, concatenated, moments

_SUSPICIOUS = 6.0
"""Difference in standard errors above which two halves of a run, or up and down, count as different."""


def linearise(
    states: ArrayLike,
    b: int = 2,
    *,
    levels: int | None = None,
    operators: Sequence[Operator] | None = None,
    axes: Sequence[int] | int | None = None,
    rule: str = "majority",
    periodic: bool | Sequence[bool] = True,
    groups: int = 64,
    rng: int | np.random.Generator | None = None,
) -> LinearisedFlow:
    r"""Return the linearised flow T = ∂K'/∂K = Cov(S', S')^{-1} Cov(S', S) of recorded configurations.

    Parameters
    ----------
    states : array_like, shape (replicas, layers), (replicas, layers, width) or (replicas, layers, width, width)
        Spins ±1, from a Monte Carlo run or from the signs of a network's activations.
    b : int
        Scale factor of a step, >= 2.
    levels : int, optional
        Number of steps; when None, as many as leave 4 sites per side.
    operators : sequence of Operator, optional
        Operators to measure, in the order in which they are added to the matrix; ``rg.operators(dimension)`` when None.
    axes : int or sequence of int, optional
        Axes that are blocked, 1 for layers; all when None.
    rule : {"majority", "decimation"}
        `block_spins` or `decimate`.
    periodic : bool or sequence of bool
        Whether the first site of an axis is a neighbour of the last: one for each axis, or one for all. Layers of a
        network are not periodic.
    groups : int
        Number of groups of consecutive replicas for the jackknife, at least 8; correlated replicas should lie in the
        same group.
    rng : int, numpy.random.Generator or None
        Seed of the coins that decide ties.

    Returns
    -------
    LinearisedFlow

    Raises
    ------
    TypeError, ValueError
        If states are not spins, a length is not divisible by b, operators do not fit, or replicas are too few.

    Warns
    -----
    UntrustedEstimate
        If up and down differ: even and odd operators then mix, see `LinearisedFlow.matrix`.

    See Also
    --------
    sample_flow : samples and linearises, without keeping configurations.
    operators : the usual operators.

    Notes
    -----
    [own] for networks: the method of arXiv 2410.00396 could not be recovered. The matrix is that of Swendsen 1979.

    References
    ----------
    Swendsen 1979.

    Examples
    --------
    >>> import numpy as np
    >>> coins = np.random.default_rng(1).choice([-1, 1], (4096, 16, 16))
    >>> flow = linearise(coins, rng=1)
    >>> bool(abs(flow.magnetic[0, 0] - 1.5) < 0.02)  # E|s_1 + s_2 + s_3 + s_4| = 3/2 without couplings
    True
    """
    array = recorded(states)
    plan = scheme(array.shape[1:], b, axes, rule, operators, levels, periodic)
    number = whole(groups, "groups", minimum=FEWEST_GROUPS)
    if len(array) < 2 * number:
        raise ValueError(
            f"{len(array)} replicas in {number} groups are too few: correlations need at least two per group, and the "
            f"jackknife {FEWEST_GROUPS} groups"
        )
    keys = plan.keys(root(rng))
    portion = max(1, PORTION // int(np.prod(plan.shapes[0])))

    def sums(first: int, last: int) -> Moments:
        refuse_foreign(array[first:last])
        spins = np.ascontiguousarray(array[first:last], dtype=np.int8)
        return moments(plan.observe(spins, keys, np.arange(first, last))[None])

    bounds = np.linspace(0, len(array), number + 1).astype(int).tolist()
    each = [
        reduce(operator.add, (sums(k, min(k + portion, end)) for k in range(begin, end, portion)))
        for begin, end in pairwise(bounds)
    ]
    flow = LinearisedFlow(float(len(array)), number, plan, concatenated(each))
    _warn(_mixing(flow))
    return flow


def sample_flow(
    model: BinaryNeurons,
    shape: Sequence[int],
    sweeps: int,
    *,
    b: int = 2,
    levels: int | None = None,
    operators: Sequence[Operator] | None = None,
    axes: Sequence[int] | int | None = None,
    rule: str = "majority",
    periodic: bool | Sequence[bool] = True,
    chains: int = 64,
    burn_in: int | None = None,
    thin: int = 1,
    method: str | Method[Any] | None = None,
    rng: int | np.random.Generator | None = None,
    executor: Executor | None = None,
    store: str | os.PathLike[str] | None = None,
    progress: Callable[[int, int], None] | bool | None = None,
) -> LinearisedFlow:
    r"""Sample a model and return the linearised flow of its blocks, T = Cov(S', S')^{-1} Cov(S', S) at every level.

    Parameters
    ----------
    model : BinaryNeurons
        Spins numbered row by row through `shape`, as in `square_lattice`.
    shape : sequence of int
        (layers,), (layers, width) or (layers, width, width).
    sweeps : int
        Sweeps after the burn-in; a multiple of `thin`.
    b, levels, operators, axes, rule, periodic
        As in `linearise`.
    chains : int
        Number of independent chains, at least 8: the jackknife leaves out one at a time.
    burn_in : int, optional
        Sweeps discarded before; half of `sweeps` when None.
    thin : int
        Sweeps from one measurement to the next.
    method : str or Method, optional
        As in `sample`; Wolff's clusters when None, which decorrelate fast at a critical point.
    rng : int, numpy.random.Generator or None
        Seed of the chains, and of the coins that decide ties.
    executor : concurrent.futures.Executor, optional
        Runs the blocks of chains. Results depend neither on it nor on its number of workers.
    store : str or os.PathLike, optional
        As in `sample`: a folder of checkpoints, from which killed work goes on, identical to the last bit.
    progress : callable or bool, optional
        As in `sample`.

    Returns
    -------
    LinearisedFlow

    Raises
    ------
    TypeError, ValueError
        If an argument is out of range, shape and model do not match, `periodic` joins ends that no coupling joins, as
        of open lattices and networks, or opens a ring, or the method cannot sample the model; before any work starts.

    Warns
    -----
    UntrustedEstimate
        If the first and the second half of the run differ beyond chance, or up and down differ.

    See Also
    --------
    linearise : from recorded configurations.
    critical_coupling : from two lattice sizes.

    Notes
    -----
    Memory holds the states of the chains and sums of products of operators, and does not grow with `sweeps`.

    Examples
    --------
    >>> import numpy as np
    >>> from statnn.interaction import square_lattice
    >>> critical = square_lattice(8, 8, temperature=2 / np.log(1 + np.sqrt(2)))
    >>> flow = sample_flow(critical, (8, 8), 200, chains=16, rng=1)
    >>> bool(abs(flow.y_h[0, -1] - 15 / 8) < 0.1)
    True
    """
    if not isinstance(model, BinaryNeurons):
        raise TypeError(f"model is a {type(model).__name__}; pass BinaryNeurons, or recorded states to linearise")
    plan = scheme(shape, b, axes, rule, operators, levels, periodic)
    sites = int(np.prod(plan.shapes[0]))
    if sites != model.size:
        raise ValueError(
            f"shape = {plan.shapes[0]} has {sites} sites, but the model {model.size} spins: they must agree"
        )
    _refuse_other_lattice(model, plan)
    count = whole(chains, "chains", minimum=FEWEST_GROUPS, maximum=10**6)
    walk = schedule(sweeps, burn_in, thin)
    if walk.draws < 2:
        raise ValueError(
            f"sweeps = {sweeps} is a single draw with thin = {thin}: halves of a run need at least twice that"
        )
    chosen = choose(model, Wolff() if method is None else method)
    check_executor(executor)

    def sums(seed: Root, kept: Store | None) -> tuple[Moments, Moments]:
        entropy, spawn_key = seed
        walks, coins = (entropy, (*spawn_key, 0)), (entropy, (*spawn_key, 1))
        _, blocks = cut(
            model, chosen, walks, tuple(range(count)), walk,
            keeper=lambda block: Halves(plan, coins, f"block-{block}", kept),
        )  # fmt: skip
        _, halves = run_blocks(blocks, executor, progress)
        first, second = map(concatenated, zip(*halves, strict=True))
        return first, second

    if store is None:
        first, second = sums(root(rng), None)
    else:
        key = key_of("sample_flow", model, chosen, walk, {}) | {"chains": count, "seed": root(rng), "flow": plan.words}
        with opened(store, key, adopt=("seed",) if rng is None else (), parts=parts_of(model)) as kept:
            first, second = sums(seed_of(kept.key["seed"]), kept)
    flow = LinearisedFlow(float(count * walk.draws), count, plan, first + second)
    _warn(_drift(flow, first, second) + _mixing(flow))
    return flow


def _refuse_other_lattice(model: BinaryNeurons, plan: Scheme) -> None:
    """Raise if a model that is known as a lattice or a network has other rows, or other ends, than the plan says."""
    shape, around = plan.shapes[0], plan.periodic
    own = _lattice(model) if model.blocks is None else (len(model.layers), *{layer.size for layer in model.layers})
    given = (shape[0], int(np.prod(shape[1:]))) if model.blocks is not None else tuple(n for n in shape if n > 1)
    if own is not None and own != given:
        raise ValueError(
            f"shape = {shape} is not that of the model, which has {own[0]} rows or layers of "
            f"{' or '.join(map(str, own[1:]))} spins: they must agree"
        )
    ends = (_closed(model, shape, axis) for axis in range(len(shape)))
    closed = tuple(joined if known is None else known for joined, known in zip(around, ends, strict=True))
    if closed != around:
        raise ValueError(f"periodic = {around} joins other ends of {shape} than couplings do: pass periodic={closed}")


def _closed(model: BinaryNeurons, shape: tuple[int, ...], axis: int) -> bool | None:
    """Whether the two ends of an axis are coupled, if all its nearest neighbours are; None where couplings say nothing.

    Those between second neighbours, as of long range, may join ends of an open lattice.
    """
    if model.blocks is not None:
        return False if axis == 0 else None
    if shape[axis] < 3:
        return None
    sites = np.moveaxis(np.arange(model.size).reshape(shape), axis, 0)
    nearest, second = (
        np.asarray(model.couplings[sites.ravel(), np.roll(sites, -far, axis=0).ravel()]).reshape(sites.shape) != 0
        for far in (1, 2)
    )
    across = nearest[-1]
    if not nearest[:-1].all() or across.any() != across.all() or (across.all() and shape[axis] > 3 and second.any()):
        return None
    return bool(across.all())


def _lattice(model: BinaryNeurons) -> tuple[int, int] | None:
    """Return rows and columns of a torus; two of them, where neighbours on both sides are one spin, as well."""
    near, half = model.couplings.indices, model.size // 2
    narrow = ((2, half), (half, 2)) if near.size == 3 * model.size and half > 2 else ()
    same = (own for own in narrow if np.array_equal(square_lattice(*own).couplings.indices, near))
    return torus(model) or next(same, None)


def _drift(flow: LinearisedFlow, first: Moments, second: Moments) -> list[str]:
    """Return a warning if the start is not forgotten."""
    z = _z(first.mean[:, 0] - second.mean[:, 0])
    worst = int(np.argmax(np.abs(z)))
    name = flow.operators[worst].name
    reason = (
        f"operator {name!r} differs by {z[worst]:+.1f} standard errors between the first and the second half of the "
        "chains: the start is not forgotten, take a longer burn_in or another method"
    )
    return [reason] if abs(z[worst]) >= _SUSPICIOUS else []


def _mixing(flow: LinearisedFlow) -> list[str]:
    """Return a warning if up and down differ."""
    odd = [k for k, member in enumerate(flow.operators) if not member.even]
    z = _z(flow.sums.mean[:, 0, odd])
    worst = int(np.argmax(np.abs(z))) if odd else 0
    if not odd or abs(z[worst]) < _SUSPICIOUS:
        return []
    reason = (
        f"the mean of {flow.odd[worst]!r} is {z[worst]:+.1f} standard errors from 0: up and down are not alike, even "
        "and odd operators mix; take matrix(step, names of both kinds)"
    )
    return [reason]


def _z(values: Floats) -> Floats:
    """Return means over groups in units of their standard errors; 0 where nothing varies."""
    error = values.std(axis=0, ddof=1) / np.sqrt(len(values))
    mean = values.mean(axis=0)
    result: Floats = np.where(error > 0, mean / np.where(error > 0, error, 1), np.where(mean == 0, 0, np.inf))
    return result


def _warn(reasons: list[str]) -> None:
    if reasons:
        warn(UntrustedEstimate("; ".join(reasons)))
