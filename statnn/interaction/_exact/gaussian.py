r"""Linear networks are Gaussian: exact averages of `DynamicNeurons` whose activations are the identity.

With d free variables z, βH(z) = βH(m) + (z - m)^T P (z - m)/2, so that ln Z = -βH(m) + (d/2) ln 2π - (1/2) ln det P,
⟨βH⟩ = βH(m) + d/2 and Var βH = d/2. The structure keeps this cheap:

* *Neurons free*: the layers above a layer, integrated out, leave the term |M h + N b - r|² of its neurons h, with as
  many rows as there are targets. Down the network, the noise of each layer reduces M, N and r along their singular
  vectors; up the network every layer is Gaussian given the one below. No small difference of large numbers or squares
  is taken, and rows and columns keep their scales, so that weights, β and λ may be of any size. Means and responses to
  the noise of each neuron and to biases go up in the same steps.
* *Neurons and biases free*: at the inputs the term |N b - r|² of every sample is left, a linear regression for the
  biases b.
* *Weights free, one layer*: the neurons integrate out and leave independent regressions with one precision
  S = 2γ Φ^T Φ + Λ, γ = βλ/(β+λ), for every output unit; Φ holds the inputs and, for free biases, a column of ones,
  Λ the prior. Without targets γ = 0. S = Rᵀ R comes from orthogonal steps on the rows of (2γ)^½ Φ and Λ^½.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from scipy import linalg

from statnn._arguments import Floats, switch
from statnn._arrays import read_only
from statnn._by_value import ByValue
from statnn.interaction._protocols import Neurons
from statnn.interaction._state import State

MOST_DENSE = 5000
_EPS = np.finfo(float).eps


@dataclass(frozen=True, eq=False, repr=False)
class ExactGaussian(ByValue):
    r"""Exact averages of a Gaussian `DynamicNeurons`, p ∝ exp(-βH); standing [exact].

    Parameters
    ----------
    method : str
        How the averages were found.
    log_partition : float
        ln Z, Z = ∫ exp(-βH) over all free variables.
    energy : float
        ⟨βH⟩.
    heat_capacity : float
        Var βH, half the dimension.
    mean : ndarray, shape (dimension,)
        Mean state, which is also the state of least energy, read-only float64; `DynamicNeurons.unpack` names its parts.
    covariance : ndarray, shape (dimension, dimension), or None
        Read-only; None if it was not asked for.

    See Also
    --------
    DynamicNeurons.exact : makes it.
    Exact : exact averages of spins.

    Notes
    -----
    Errors are about 1e-16 times the root of the condition number of the precision of one sample's neurons or, for free
    weights, of the regression; of a mean, if columns of the inputs depend on each other and cannot explain the
    targets, times the condition number. A model is refused if rounding would move a variable by more than a thousandth
    both of its standard deviation and of its mean (for neurons, the mean of their whole layer).
    """

    method: str
    log_partition: float
    energy: float
    heat_capacity: float
    mean: Floats
    covariance: Floats | None = None

    def __post_init__(self) -> None:
        for array in (self.mean, self.covariance):
            if array is not None:
                read_only(array)

    @property
    def entropy(self) -> float:
        """Differential entropy −∫ p ln p = ln Z + ⟨βH⟩."""
        return self.log_partition + self.energy


def gaussian(model: Neurons, *, covariance: bool = True) -> ExactGaussian:
    """Return the exact averages of a linear network: see `DynamicNeurons.exact`."""
    covariance = switch(covariance, "covariance")
    _refuse(model, covariance=covariance)
    twin = model.in_doubles()
    solve = _regression if "weights" in model.free else _chain
    try:
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):  # refused below
            mean, least, log_determinant, spread = solve(twin, covariance)
    except (linalg.LinAlgError, ValueError):
        least = log_determinant = math.nan
    if not math.isfinite(least + log_determinant) or (spread is not None and not np.isfinite(spread).all()):
        raise ValueError(
            f"the precision of the variables cannot be inverted in float64: beta = {model.beta:g}, stiffness = "
            f"{model.stiffness:g}, weights, inputs or the prior are too far apart, or too large; use another unit"
        )
    half = model.dimension / 2
    return ExactGaussian(
        method="gaussian",
        log_partition=float(half * math.log(2 * math.pi) - least - log_determinant / 2),
        energy=float(least + half),
        heat_capacity=half,
        mean=mean,
        covariance=spread,
    )


def _refuse(model: Neurons, *, covariance: bool) -> None:
    for m, sigma in enumerate(model.net.activations):
        if not sigma.linear:
            raise ValueError(
                f"layer {m} has the activation {sigma.name}: only networks of identities are Gaussian; sample the "
                "model, or linearise the network"
            )
    if "weights" in model.free and model.net.depth > 1:
        raise ValueError(
            f"weights are free in {model.net.depth} layers: products of weights and free neurons are not Gaussian; "
            "hold the weights fixed, take one layer, or sample the model"
        )
    if covariance and model.dimension > MOST_DENSE:
        raise ValueError(
            f"the covariance of {model.dimension} variables fills {8e-9 * model.dimension**2:.3g} GB; at most "
            f"{MOST_DENSE} variables are allowed: pass covariance=False"
        )


# -- neurons of any depth, and biases --------------------------------------------------------------------


class _Message(NamedTuple):
    """Term of a layer from all layers above: |M h + N b - r|² for every sample, with M = U s V, b all free biases."""

    U: Floats
    V: Floats
    N: Floats
    r: Floats
    s: Floats
    """Singular values, then zeros: one for each neuron."""
    root: Floats
    """Factor to which the term reduces the noise of the layer along V, (1 + s²/λ)^(-1/2)."""


def _chain(model: Neurons, covariance: bool) -> tuple[Floats, float, float, Floats | None]:
    """Return mean, βH there, ln det P and covariance with fixed weights."""
    net, edges = model.net, np.cumsum([0, *model.net.widths[1:]])
    messages, N, r, terms = _messages(model, edges)
    roots = np.concatenate([message.root for message in messages])
    log_determinant = model.samples * (edges[-1] * math.log(2 * model.stiffness) - 2 * float(np.log(roots).sum()))
    root = np.zeros((edges[-1], 0))
    if model.prior is None:
        biases, rest, least = np.concatenate(net.biases), -r, float((r**2).sum())
        _refuse_if(_EPS**2 * float(terms.sum()) > 1e-6 * max(1, least))
    else:
        biases, rest, least, more = _biases(model.samples, model.prior.sigma_b, N, r, terms)
        log_determinant, terms = log_determinant + more, rest**2  # free biases take up what is rounded
    columns: list[tuple[Floats, ...]] = [
        (model.inputs.T, np.repeat(biases[:, None], model.samples, axis=1), rest, terms)
    ]
    if covariance:
        if model.prior is not None:
            root, seen = _root(model.samples, model.prior.sigma_b, N)
            columns.append((np.zeros((net.widths[0], edges[-1])), root, seen, seen**2))
        columns.append(tuple(np.zeros((size, edges[-1])) for size in (net.widths[0], edges[-1], len(N), len(N))))
    h = _up(model, messages, edges, *map(np.hstack, zip(*columns, strict=True)))
    mean, *spread = np.split(h, np.cumsum([model.samples, *(len(root.T),) * covariance]), axis=1)
    layers = tuple(part.T for part in np.split(mean, edges[1:-1]))
    mean = model.pack(State(layers, net.weights, tuple(np.split(biases, edges[1:-1]))))
    return mean, least, log_determinant, _covariance(model, root, *spread) if covariance else None


def _up(
    model: Neurons, messages: list[_Message], edges: Any, h: Floats, biases: Floats, rest: Floats, terms: Floats
) -> Floats:
    """Return the neurons of all layers in columns: means of samples, and responses to biases and to the noise of each.

    `rest` is M h + N b - r, known from the layers below, and `terms` squares of the terms that it adds up. Along V the
    neurons follow from the field, whose terms are of some `size`, or from the residual above and the rest: whichever is
    rounded less is taken.
    """
    layers = []
    noise = h.shape[1] - edges[-1]  # the first of the columns of noises, which are there for a covariance only
    for weight, message, (start, stop) in zip(model.net.weights, messages, pairwise(edges), strict=True):
        U, V, s, root = message.U, message.V, message.s[:, None], message.root[:, None]
        k = min(len(U), len(V))
        share = np.ones((len(U), 1))
        share[:k] = root[:k]
        rest, terms = share * rest, share**2 * terms
        residual = -message.N @ biases
        residual[:, : model.samples] += message.r
        along = V @ (weight @ h + biases[start:stop])
        size = np.abs(V) @ (np.abs(weight) @ np.abs(h) + np.abs(biases[start:stop]))
        said, left, doubt = np.zeros((3, *along.shape))
        said[:k], left[:k] = (U.T @ residual)[:k], rest[:k]
        doubt[:k] = (np.abs(U.T) @ np.abs(residual) + np.sqrt(terms))[:k]
        above, below = doubt / s, root**2 * size
        along = np.where(above < below, (said + left) / s, root**2 * along + said / (s + model.stiffness / s))
        rounded = np.abs(V.T) @ (np.fmin(above, below) + np.abs(along))
        if noise >= model.samples:
            own = slice(noise + start, noise + stop)
            along[:, own] = np.diag(message.root) / math.sqrt(2 * model.stiffness)
            rest[:k, own] = (s * along[:, own])[:k]
            terms[:k, own] = rest[:k, own] ** 2
        h = V.T @ along
        rest, terms = U @ rest, U**2 @ terms
        layers.append(h)
        seen = np.maximum(1 / math.sqrt(2 * model.stiffness), np.linalg.norm(h[:, : model.samples], axis=0))
        _refuse_if((_EPS * np.linalg.norm(rounded[:, : model.samples], axis=0) > 1e-3 * seen).any())
        seen = np.linalg.norm(h[:, model.samples :], axis=1)
        _refuse_if((_EPS * np.linalg.norm(rounded[:, model.samples :], axis=1) > 1e-3 * seen).any())
    return np.vstack(layers)


def _biases(samples: int, sigma: float, N: Floats, r: Floats, terms: Floats) -> tuple[Floats, Floats, float, float]:
    """Return the mean of the biases, N b - r there, least βH and ln det of their precision.

    With K = 1/2n + σ² N Nᵀ = Rᵀ R, b = σ² Nᵀ K⁻¹ ⟨r⟩ leaves ⟨r⟩ - N b = K⁻¹ ⟨r⟩/2n: the rows of Q (Rᵀ)⁻¹ ⟨r⟩, where
    Q R are those of σ Nᵀ and (2n)^(-½). Nothing cancels.
    """
    common, width = r.mean(axis=1, keepdims=True), len(N)
    log_determinant = width * math.log(2 * samples) - 2 * N.shape[1] * math.log(sigma)
    if not width:
        return np.zeros(N.shape[1]), r, 0.0, log_determinant
    rows = np.vstack([sigma * N.T, np.eye(width) / math.sqrt(2 * samples)])
    large, Q = _large_first(rows), np.empty_like(rows)
    Q[large], R, order = linalg.qr(rows[large], mode="economic", pivoting=True)
    pull = linalg.solve_triangular(R, common[order], trans="T")
    response = sigma * Q[: N.shape[1]]
    mean, rest = (response @ pull)[:, 0], Q[N.shape[1] :] @ pull / math.sqrt(2 * samples)
    gain = np.abs(response @ linalg.solve_triangular(R, np.eye(width)[order], trans="T"))
    moved = gain @ (np.sqrt(terms.mean(axis=1)) + np.abs(N) @ np.abs(mean))
    seen = np.abs(mean) + 1 / np.hypot(1 / sigma, math.sqrt(2 * samples) * np.linalg.norm(N, axis=0))
    _refuse_if((_EPS * moved > 1e-3 * seen).any())
    least = float(((r - common) ** 2).sum() + (pull**2).sum() / 2)
    log_determinant += 2 * float(np.log(np.abs(np.diag(R))).sum())
    return mean, common - r - rest, least, log_determinant


def _root(samples: int, sigma: float, N: Floats) -> tuple[Floats, Floats]:
    """Return a root of the covariance of the biases, and N times it."""
    U, s, V = _svd(N)
    left = np.ones(len(V))
    left[: s.size] = 1 / np.hypot(1, math.sqrt(2 * samples) * sigma * s)
    seen = np.zeros((len(N), len(V)))
    seen[:, : s.size] = U[:, : s.size] * (sigma * s * left[: s.size])
    return sigma * V.T * left, seen


def _covariance(model: Neurons, root: Floats, slope: Floats, alone: Floats) -> Floats:
    """Return the covariance from a root of that of the biases, and responses to it and to the noise of a sample."""
    index = model.unpack(np.arange(model.dimension))
    places: Any = np.hstack(index.neurons).astype(int)  # (samples, neurons of one sample)
    result = np.zeros((model.dimension, model.dimension))
    for place in places:
        result[np.ix_(place, place)] = alone @ alone.T
    if model.prior is not None:
        own = np.hstack(index.biases).astype(int)
        result[np.ix_(own, own)] = root @ root.T
        across, shared = slope @ root.T, slope @ slope.T
        for place in places:
            result[np.ix_(place, own)], result[np.ix_(own, place)] = across, across.T
            for other in places:
                result[np.ix_(place, other)] += shared
    return (result + result.T) / 2


def _messages(model: Neurons, edges: Any) -> tuple[list[_Message], Floats, Floats, Floats]:
    """Return the terms of all layers, N and r of that left at the inputs, |N b - r|², and squares of what r adds up.

    A layer and its noise are integrated out of |M h + N b - r|² + λ |h - W h' - b_m|², which leaves
    |T [M (W h' + b_m) + N b - r]|² with T = (1 + M Mᵀ/λ)^(-1/2).
    """
    net, width = model.net, model.net.widths[-1] if model.targets is not None else 0
    M = math.sqrt(model.beta) * np.eye(net.widths[-1])[:width]
    r = np.zeros((0, model.samples)) if model.targets is None else math.sqrt(model.beta) * model.targets.T
    N, terms = np.zeros((width, edges[-1])), r**2
    messages = []
    for m in reversed(range(net.depth)):
        U, some, V = _svd(M)
        s = np.zeros(len(V))
        s[: some.size] = some
        root = 1 / np.hypot(1, s / math.sqrt(model.stiffness))
        messages.append(_Message(U, V, N, r, s, root))
        lost = _EPS * s.max(initial=0) * root[: some.size].max(initial=0) * np.linalg.norm(net.weights[m])
        _refuse_if(m > 0 and lost > 1e-3 * math.sqrt(model.stiffness) and _EPS * _condition(M) > 1e-6)
        N = N.copy()
        if model.prior is None:
            r = r - M @ net.biases[m][:, None]
            terms = terms + M**2 @ net.biases[m][:, None] ** 2
        else:
            N[:, edges[m] : edges[m + 1]] = M
        share, k = np.ones((width, 1)), some.size
        share[:k, 0] = root[:k]
        damped = share[:k] * some[:, None] * V[:k]
        M = np.zeros((width, net.weights[m].shape[1]))
        M[:k] = damped @ net.weights[m]
        N, r, terms = share * (U.T @ N), share * (U.T @ r), share**2 * (U.T**2 @ terms)
        if model.prior is not None:
            N[:, edges[m] : edges[m + 1]] = 0
            N[:k, edges[m] : edges[m + 1]] = damped
    inputs = model.inputs.T
    return messages[::-1], N, r - M @ inputs, terms + M**2 @ inputs**2


def _svd(matrix: Floats) -> tuple[Floats, Floats, Floats]:
    """Return U, s, V; one-sided Jacobi steps keep digits of small singular values of rows and columns of any scale."""
    if not matrix.size:
        return np.linalg.svd(matrix, full_matrices=True)
    if len(matrix) < matrix.shape[1]:
        V, s, U = _svd(matrix.T)
        return U.T, s, V.T
    order = _large_first(matrix)
    s, turned, V, scale, _, failed = linalg.lapack.dgejsv(matrix[order], joba=2, jobu=1)
    if failed:
        raise linalg.LinAlgError("singular values were not found")
    U = np.empty_like(turned)
    U[order] = turned
    return U, s * (scale[0] / scale[1]), V.T


def _condition(matrix: Floats) -> float:
    """Return the condition number of rows and columns brought to one scale: it bounds the digits of `_svd`."""
    matrix = matrix[matrix.any(axis=1)][:, matrix.any(axis=0)]
    for axis in (1, 0):
        matrix = matrix / np.abs(matrix).max(axis=axis, keepdims=True)
    return float(np.linalg.cond(matrix)) if matrix.size else 1.0


# -- one layer with free weights -------------------------------------------------------------------------


def _regression(model: Neurons, covariance: bool) -> tuple[Floats, float, float, Floats | None]:
    """Return mean, βH there, ln det P and covariance of one layer with free weights."""
    assert model.prior is not None  # noqa: S101 - free weights have a prior
    with_bias, x = "biases" in model.free, model.inputs
    (samples, inputs), outputs = x.shape, model.net.widths[-1]
    scale = np.full(inputs + with_bias, model.prior.sigma_w / math.sqrt(inputs))
    if with_bias:
        x, scale[-1] = np.column_stack([x, np.ones(samples)]), model.prior.sigma_b
    fixed = np.zeros(outputs) if with_bias else model.net.biases[0]
    beta = model.beta if model.targets is not None else 0.0
    targets = model.targets if model.targets is not None else np.zeros((samples, outputs))
    whole = beta + model.stiffness
    share, gamma = model.stiffness / whole, 2 * beta * (model.stiffness / whole)
    design, response = math.sqrt(gamma) * x, math.sqrt(gamma) * (targets - fixed)
    if samples > scale.size and not covariance:  # as many rows as parameters are enough; pivoting is slow
        both = np.hstack([design, response])[_large_first(design)]
        design, response = np.hsplit(np.linalg.qr(both, mode="r")[: scale.size], [scale.size])
    # least squares by orthogonal steps: rows and columns keep their digits whatever their scales
    rows = np.vstack([design, np.diag(1 / scale)])
    response = np.vstack([response, np.zeros((scale.size, outputs))]).T
    response = np.vstack([response, np.eye(samples if covariance else 0, len(rows))])
    large = _large_first(rows)
    turned, R, order = linalg.qr_multiply(rows[large], response[:, large], mode="right", pivoting=True)
    root = np.empty_like(R)
    root[order] = linalg.solve_triangular(R, np.eye(len(R)))  # S⁻¹ = root rootᵀ
    theta = root @ turned[:outputs].T  # (parameters, outputs)
    least = _least(gamma, x, targets - fixed, theta, scale)
    _refuse_rounded(gamma, x, targets - fixed, theta, root)
    neurons = beta / whole * targets + share * (x @ theta + fixed)
    rounded = _EPS * share * np.linalg.norm(np.abs(x) @ np.abs(theta) + np.abs(fixed), axis=1)
    _refuse_if((rounded > 1e-3 * np.maximum(1 / math.sqrt(2 * whole), np.linalg.norm(neurons, axis=1))).any())
    weights, bias = theta[:inputs].T, theta[-1] if with_bias else model.net.biases[0]
    mean = model.pack(State((neurons,), (weights,), (bias,)))
    log_determinant = neurons.size * math.log(2 * whole) + 2 * outputs * float(np.log(np.abs(np.diag(R))).sum())
    if not covariance:
        return mean, least, log_determinant, None
    known = np.linalg.norm(x * scale, axis=1, keepdims=True) * math.sqrt(gamma) > 1
    fitted = np.where(known, turned[outputs:] / math.sqrt(gamma or 1), x @ root)
    across = share * fitted @ root.T
    one_unit = np.block([
        [np.eye(samples) / (2 * whole) + share**2 * fitted @ fitted.T, across],
        [across.T, root @ root.T],
    ])  # fmt: skip
    index: Any = model.unpack(np.arange(model.dimension))
    result = np.zeros((model.dimension, model.dimension))
    for unit in range(outputs):
        own = [index.neurons[0][:, unit], index.weights[0][unit], index.biases[0][unit : unit + 1] if with_bias else []]
        place = np.concatenate(own).astype(int)
        result[np.ix_(place, place)] = one_unit
    return mean, least, log_determinant, (result + result.T) / 2


def _large_first(rows: Floats) -> Any:
    """Return the order of rows in which orthogonal steps keep the digits of small rows beside large ones."""
    return np.argsort(-np.abs(rows).max(axis=1), kind="stable")


def _least(gamma: float, x: Floats, response: Floats, theta: Floats, scale: Floats) -> float:
    """Return the least βH; as rᵀ (1/2γ + Φ Λ⁻¹ Φᵀ)⁻¹ r/2 where residuals of the fit may have no digits."""
    if len(x) > len(theta) or not gamma:
        return (
            gamma * float(np.square(response - x @ theta).sum()) + float(np.square(theta / scale[:, None]).sum())
        ) / 2
    rows = np.vstack([(x * scale).T, np.eye(len(x)) / math.sqrt(gamma)])
    R, order = linalg.qr(rows[_large_first(rows)], mode="r", pivoting=True)
    return float(np.square(linalg.solve_triangular(R[: len(x)], response[order], trans="T")).sum()) / 2


def _refuse_rounded(gamma: float, x: Floats, response: Floats, theta: Floats, root: Floats) -> None:
    """Raise if rounding of the inputs moves parameters visibly, or more samples than parameters are fitted exactly."""
    rest = np.abs(response - x @ theta)
    moved = np.abs(root @ root.T) @ (_EPS * gamma * np.abs(x).T @ rest)
    seen = 1e-3 * (np.linalg.norm(root, axis=1)[:, None] + np.abs(theta))
    noise = _EPS * (np.abs(response) + np.abs(x) @ np.abs(theta))  # of the residuals, and so of the least βH
    exact = len(x) > len(theta) and not gamma * float(np.square(noise).sum()) <= 1e-6 * (
        1 + gamma * float(np.square(rest).sum())
    )
    _refuse_if(exact or not (moved <= seen).all())


def _refuse_if(rounding_counts: Any) -> None:
    if rounding_counts:
        raise linalg.LinAlgError("rounding counts")
