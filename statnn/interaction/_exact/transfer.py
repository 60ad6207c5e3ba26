r"""Exact averages of narrow layers of any number: transfer matrices as conditional laws.

Layers are sets of spins with couplings inside a layer and between neighbouring layers only. The transfer matrix from
layer l, with all that lies below it, to layer l+1 is written as

.. math:: w_{l+1}(s') = e^{-ε(s')} \sum_s w_l(s) e^{s' K s}, \qquad
          p(s|s') = \frac{w_l(s) e^{s' K s}}{\sum_s w_l(s) e^{s' K s}} ,

logarithms of weights and probabilities. p(s|s') is the law of a layer given the next one, whatever lies further up.
Every result is an average of it with positive weights, so that nothing cancels at any depth or temperature:

* going up, mean, variance and entropy of the energy below given s': ⟨ε|s'⟩ = Σ p(s|s') (⟨ε|s⟩ + ε(s,s')), and the
  variance by the law of total variance, Var(ε|s') = Σ p(s|s') [Var(ε|s) + (⟨ε|s⟩ + ε(s,s') - ⟨ε|s'⟩)²];
* going down, the law of a layer, p(s) = Σ p(s|s') p(s'), and with it ⟨(s_j - m_j) 1_s⟩ for every spin j above: one
  matrix product per block of s', which gives the connected correlations without subtraction.

Offsets common to a layer are taken out and summed exactly. Uncoupled pieces of the graph are solved separately.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from scipy.sparse import csgraph

from statnn._arguments import Floats, Ints
from statnn.interaction._exact.averages import Reduced
from statnn.interaction._exact.states import energies, second_moments, spins
from statnn.interaction._structure import _levels_from

if TYPE_CHECKING:
    from scipy import sparse

MOST_WIDE = 18
"""Most spins of a layer."""
MOST_PAIR = 24
"""Most spins of two neighbouring layers."""
MOST_BYTES = 4e9
_BLOCK = 2**18
"""Entries of the conditional law that are held at a time."""
_STARTS = 16
"""Spins from which narrower layers are searched for."""
_MERGED = 4
"""Most spins of levels that are joined into one."""


class Layer(NamedTuple):
    """One layer of a piece: its spins, energies of its states, and couplings K to the layer below, (n', n)."""

    spins: Ints
    energies: Floats
    below: Floats


def transfer(couplings: sparse.csr_array[Any], fields: Floats, layer_of: Ints, *, correlations: bool) -> Reduced:
    """Solve spins with couplings J/T and fields h/T whose layers are narrow.

    Parameters
    ----------
    couplings : sparse array, shape (N, N)
    fields : ndarray, shape (N,)
    layer_of : ndarray, shape (N,)
        Layer of every spin; used where no other start of the search gives narrower layers.
    correlations : bool
        Whether to fill an (N, N) matrix.

    Raises
    ------
    ValueError
        If layers are too wide, or the correlations too many.
    """
    size = fields.size
    if correlations and 8.0 * size**2 > MOST_BYTES:
        raise ValueError(
            f"correlations of {size} spins fill {8e-9 * size**2:.3g} GB; at most {MOST_BYTES / 1e9:g} GB are allowed: "
            "pass correlations=False"
        )
    count, member = csgraph.connected_components(couplings, directed=False)
    order = np.argsort(member, kind="stable")
    edges = np.searchsorted(member[order], np.arange(count + 1))
    sorted_couplings = couplings[order][:, order]
    alone = np.diff(edges)[member] == 1
    pieces = []
    for start, stop in pairwise(edges):
        if stop - start > 1:
            piece, own = sorted_couplings[start:stop, start:stop], order[start:stop]
            pieces.append((_merged(_narrowest(piece, layer_of[own])), piece, own))
    for levels, *_ in pieces:
        _refuse_wide(levels, size if correlations else 0)

    magnetisation = np.where(alone, np.tanh(fields), 0.0)
    correlation = None
    if correlations:
        correlation = np.zeros((size, size))
        np.fill_diagonal(correlation, np.where(alone, np.cosh(np.minimum(np.abs(fields), 700.0)) ** -2, 0.0))
    lonely = np.abs(fields[alone])
    tail = np.exp(-2 * lonely)
    excess = 2 * lonely * tail / (1 + tail)  # ⟨ε⟩ minus its least value -|h|
    sums = [
        (
            float(np.sum(lonely + np.log1p(tail))),
            float(np.sum(excess - lonely)),
            float(np.sum(4 * lonely**2 * tail / (1 + tail) ** 2)),
            float(np.sum(np.log1p(tail) + excess)),
        )
    ]
    for levels, piece, own in pieces:
        layers = list(_layers(piece, fields[own], levels))
        weights, component = _up(layers)
        sums.append(component)
        _down(layers, weights, own, magnetisation, correlation)
    log_partition, energy, variance, entropy = (math.fsum(column) for column in zip(*sums, strict=True))
    return Reduced(log_partition, energy, variance, entropy, magnetisation, correlation)


def _up(layers: list[Layer]) -> tuple[list[Floats], tuple[float, float, float, float]]:
    """Return the log-weights of all layers and ln Z, ⟨ε⟩, Var ε and the entropy."""
    first = layers[0].energies
    log_weight, mean = -first, first
    variance, entropy = np.zeros_like(first), np.zeros_like(first)
    kept: list[Floats] = []
    offsets, shifts = [], []
    for layer in layers:
        if kept:
            parts = []
            for pair, law, log_law, log_sum in _conditional(kept[-1], layer):
                below = mean - pair
                average = _rows(law, below)
                below -= average[:, None]
                below *= below
                below += variance
                parts.append((log_sum, average, _rows(law, below), law @ entropy - _rows(law, log_law)))
            log_sum, average, variance, entropy = (np.concatenate(part) for part in zip(*parts, strict=True))
            log_weight, mean = log_sum - layer.energies, average + layer.energies
        offset = float(log_weight.max())
        shift = float(mean[np.argmax(log_weight)])
        offsets.append(offset)
        shifts.append(shift)
        log_weight, mean = log_weight - offset, mean - shift
        kept.append(log_weight)
    law = np.exp(log_weight)
    likeliest = int(np.argmax(law))
    log_total = math.log1p(float(law[:likeliest].sum() + law[likeliest + 1 :].sum()))
    law /= law.sum()
    rest = float((law * mean).sum())
    return kept, (
        math.fsum([*offsets, log_total]),
        math.fsum([*shifts, rest]),
        float(law @ (variance + (mean - rest) ** 2)),
        float(law @ (entropy - log_weight)) + log_total,
    )


def _down(
    layers: list[Layer], log_weights: list[Floats], own: Ints, magnetisation: Floats, correlation: Floats | None
) -> None:
    """Fill in ⟨s_i⟩ and, if wanted, ⟨s_i s_j⟩ - ⟨s_i⟩⟨s_j⟩ of the spins `own`, which `layers` number from 0."""
    law = np.exp(log_weights[-1])
    law /= law.sum()
    above = np.empty(0, dtype=np.int64)
    joint = np.empty((law.size, 0))  # ⟨(s_j - m_j) 1_s⟩ for all spins j above
    for l in reversed(range(len(layers))):
        layer = layers[l]
        here, states = own[layer.spins], spins(layer.spins.size)
        mean = law @ states
        magnetisation[here] = mean
        if correlation is not None:
            states -= mean
            weighted = law[:, None] * states
            correlation[np.ix_(here, here)] = second_moments(law, states)
            across = states.T @ joint
            correlation[np.ix_(here, above)], correlation[np.ix_(above, here)] = across, across.T
            joint, above = np.hstack([joint, weighted]), np.concatenate([above, here])
        if l:
            law, joint = _step_down(log_weights[l - 1], layer, law, joint)


def _step_down(log_weight: Floats, layer: Layer, law: Floats, joint: Floats) -> tuple[Floats, Floats]:
    """Carry the law of a layer, and its joint averages with what lies above, to the layer below."""
    both = np.column_stack([law, joint])
    result = np.zeros((log_weight.size, both.shape[1]))
    start = 0
    for _, conditional, _, _ in _conditional(log_weight, layer):
        stop = start + len(conditional)
        result += conditional.T @ both[start:stop]
        start = stop
    return result[:, 0] / result[:, 0].sum(), result[:, 1:]


def _conditional(log_weight: Floats, layer: Layer) -> Iterator[tuple[Floats, Floats, Floats, Floats]]:
    """Yield s'Ks, p(s|s'), its logarithm, each (rows, 2^n), and ln Σ_s w(s) exp(s'Ks), for blocks of states s'."""
    above, below = layer.below.shape
    local, signs = layer.below @ spins(below).T, spins(above)
    rows = max(1, _BLOCK >> below)
    for start in range(0, 2**above, rows):
        pair = signs[start : start + rows] @ local
        log_law = pair + log_weight
        likeliest = np.arange(len(log_law)), log_law.argmax(axis=1)
        top = log_law[likeliest]
        log_law -= top[:, None]
        law = np.exp(log_law)
        law[likeliest] = 0.0
        rest = law.sum(axis=1)  # without the likeliest state, whose weight 1 would hide it
        law[likeliest] = 1.0
        law /= 1 + rest[:, None]
        log_total = np.log1p(rest)
        log_law -= log_total[:, None]
        yield pair, law, log_law, top + log_total


def _rows(a: Floats, b: Floats) -> Floats:
    return np.asarray((a * b).sum(axis=1))  # pairwise: a product of thousands of terms would lose digits


# -- layers ----------------------------------------------------------------------------------------------


def _narrowest(couplings: sparse.csr_array[Any], layer_of: Ints) -> list[Ints]:
    """Return the layers of one connected piece: those given, or the best of a few searches from other starts."""
    best = _split(np.arange(layer_of.size), layer_of)
    if _widest_pair(best) * 2 > MOST_PAIR:
        starts = np.unique(np.linspace(0, layer_of.size - 1, _STARTS).astype(int))
        best = min([best, *(_levels_from(couplings, int(start)) for start in starts)], key=_cost)
    return best


def _merged(levels: list[Ints]) -> list[Ints]:
    """Return fewer levels: very narrow neighbours joined, as a step costs more than the few states in it."""
    joined: list[list[Ints]] = []
    width = _MERGED
    for level in levels:
        width += level.size
        if width > _MERGED:
            joined.append([])
            width = level.size
        joined[-1].append(level)
    return [np.concatenate(group) for group in joined]


def _split(items: Ints, key: Ints) -> list[Ints]:
    order = np.argsort(key, kind="stable")
    return np.split(items[order], np.flatnonzero(np.diff(key[order])) + 1)


def _widest_pair(levels: list[Ints]) -> int:
    return max((lower.size + upper.size for lower, upper in pairwise(levels)), default=levels[0].size)


def _cost(levels: list[Ints]) -> float:
    return sum(2.0 ** min(lower.size + upper.size, 1000) for lower, upper in pairwise(levels))


def _refuse_wide(levels: list[Ints], correlated: int) -> None:
    sizes = [level.size for level in levels]
    pair, wide = _widest_pair(levels), max(sizes)
    if pair > MOST_PAIR or wide > MOST_WIDE:
        raise ValueError(
            f"transfer matrices are too large: the widest layer has {wide} spins (at most {MOST_WIDE}), the widest two "
            f"neighbouring layers have {pair} (at most {MOST_PAIR}); sample the model instead, or solve a narrower one"
        )
    needed = 8.0 * (sum(2.0**size for size in sizes) + 2 * 2.0**wide * correlated)
    if needed > MOST_BYTES:
        fix = "pass correlations=False" if correlated else "solve fewer layers"
        raise ValueError(
            f"{len(sizes)} layers of up to {wide} spins need {needed / 1e9:.3g} GB; at most {MOST_BYTES / 1e9:g} GB "
            f"are allowed: {fix}"
        )


def _layers(couplings: sparse.csr_array[Any], fields: Floats, levels: list[Ints]) -> Iterator[Layer]:
    """Yield the layers of one piece with their energies and couplings."""
    place, position = np.empty(fields.size, dtype=np.int64), np.empty(fields.size, dtype=np.int64)
    for l, level in enumerate(levels):
        place[level], position[level] = l, np.arange(level.size)
    matrix = couplings.tocoo()
    row, column = matrix.coords
    kept = place[row] >= place[column]
    order = np.flatnonzero(kept)[np.argsort(place[row[kept]], kind="stable")]
    row, column, values = row[order], column[order], matrix.data[order]
    inside = place[row] == place[column]
    row_position, column_position = position[row], position[column]
    edges = np.searchsorted(place[row], np.arange(len(levels) + 1))
    width = 0
    for level, (start, stop) in zip(levels, pairwise(edges), strict=True):
        both = np.zeros((level.size, width + level.size))
        at = column_position[start:stop] + width * inside[start:stop]
        both[row_position[start:stop], at] = values[start:stop]
        yield Layer(level, energies(both[:, width:], fields[level]), both[:, :width])
        width = level.size
