r"""Linear networks are Gaussian: exact averages of `DynamicNeurons` whose activations are the identity.

With d free variables z, βH(z) = βH(m) + (z - m)^T P (z - m)/2, so that ln Z = -βH(m) + (d/2) ln 2π - (1/2) ln det P,
⟨βH⟩ = βH(m) + d/2 and Var βH = d/2. The structure keeps this cheap:

* *Neurons free*: the layers above a layer, integrated out, leave the term |M h + N b - r|² of its neurons h, with as
  many rows as there are targets. Down the network, the noise of each layer reduces M, N and r along their singular
  vectors; up the network every layer is Gaussian given the one below. No small difference of large numbers or squares
  is taken, so that weights, β and λ may be of any size.
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

from statnn._arguments import Floats
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
    root: Floats
    """Factor to which the term reduces the noise of the layer along V, (1 + s²/λ)^(-1/2)."""
    gain: Floats
    """Response of the layer to the residual, s/(s² + λ)."""


def _chain(model: Neurons, covariance: bool) -> tuple[Floats, float, float, Floats | None]:
    """Return mean, βH there, ln det P and covariance with fixed weights."""
    net, edges = model.net, np.cumsum([0, *model.net.widths[1:]])
    messages, N, r, terms = _messages(model, edges)
    roots = np.concatenate([message.root for message in messages])
    log_determinant = model.samples * (edges[-1] * math.log(2 * model.stiffness) - 2 * float(np.log(roots).sum()))
    if model.prior is None:
        biases, root, least = np.concatenate(net.biases), None, float((r**2).sum())
        _refuse_if(_EPS**2 * float(terms.sum()) > 1e-6 * max(1, least))
    else:
        biases, root, least, more = _biases(model.samples, model.prior.sigma_b, N, r, want=covariance)
        log_determinant += more
        terms = (N @ biases[:, None] - r) ** 2  # free biases take up what is rounded
    layers, h, rest = [], model.inputs.T, N @ biases[:, None] - r
    for weight, message, (start, stop) in zip(net.weights, messages, pairwise(edges), strict=True):
        fixed, residual = biases[start:stop, None], message.r - message.N @ biases[:, None]
        size = np.abs(weight) @ np.abs(h) + np.abs(fixed)
        h, rest, terms = _mean(message, weight @ h + fixed, size, residual, rest, terms, model.stiffness)
        layers.append(h.T)
    mean = model.pack(State(tuple(layers), net.weights, tuple(np.split(biases, edges[1:-1]))))
    return mean, least, log_determinant, _spread(model, messages, edges, root) if covariance else None


def _mean(
    message: _Message, computed: Floats, size: Floats, residual: Floats, rest: Floats, terms: Floats, stiffness: float
) -> tuple[Floats, Floats, Floats]:
    """Return the mean of a layer, and M h + N b - r there with squares of the terms that it adds up.

    `rest` and `terms` are these from the layers below.

    Along V the mean follows from the computed field, whose terms are of some `size`, or from the residual above and the
    remainder: whichever is rounded less is taken.
    """
    U, V, k = message.U, message.V, message.s.size
    s, root = message.s[:, None], message.root[:, None]
    along, said = V @ computed, U[:, :k].T @ residual
    left, terms = np.vstack([root * rest[:k], rest[k:]]), np.vstack([root**2 * terms[:k], terms[k:]])
    doubt = s.max(initial=0) / s  # small singular values have the errors of large ones
    above = (np.abs(U[:, :k].T) @ np.abs(residual) + np.sqrt(terms[:k])) / s * doubt
    below = root**2 * (np.abs(V) @ size)
    h = V.T @ np.where(above < below, (said + left[:k]) / s, root**2 * along + message.gain[:, None] * said)
    rounded = np.fmin(above, below)
    if k < len(computed):
        h, rounded = h + computed - V.T @ along, size
    seen = 1e-3 * np.maximum(1 / math.sqrt(2 * stiffness), np.linalg.norm(h, axis=0))
    _refuse_if((_EPS * np.linalg.norm(rounded, axis=0) > seen).any())
    return h, U @ left, U**2 @ terms


def _biases(
    samples: int, sigma: float, N: Floats, r: Floats, *, want: bool
) -> tuple[Floats, Floats | None, float, float]:
    """Return mean, a root of the covariance if wanted, least βH, and ln det of the precision, of the biases."""
    U, s, V = np.linalg.svd(N, full_matrices=want)
    certainty = math.sqrt(2 * samples) * sigma
    left = 1 / np.hypot(1, certainty * s)
    along = U.T @ r
    common = along.mean(axis=1)
    mean = V[: s.size].T @ (common / (s + 1 / certainty / (certainty * s)))
    least = float(((along - common[:, None]) ** 2).sum() + samples * ((left * common) ** 2).sum())
    log_determinant = -2 * (float(np.log(left).sum()) + N.shape[1] * math.log(sigma))
    root = sigma * V.T * np.append(left, np.ones(len(V) - s.size)) if want else None
    return mean, root, least, log_determinant


def _spread(model: Neurons, messages: list[_Message], edges: Any, root: Floats | None) -> Floats:
    """Return the covariance of neurons, and of biases if the root of their covariance is given."""
    alone, slope = np.zeros((2, edges[-1], edges[-1]))  # responses to the noise and to the bias of each neuron
    for m, (message, (start, stop)) in enumerate(zip(messages, pairwise(edges), strict=True)):
        here, identity = slice(start, stop), np.eye(stop - start)
        if m:
            below = slice(edges[m - 1], start)
            alone[here] = _damped(model.net.weights[m] @ alone[below], message, message.root**2)
            slope[here] = model.net.weights[m] @ slope[below]
        alone[here, here] = _damped(identity, message, message.root) / math.sqrt(2 * model.stiffness)
        if m:
            rounded, V = _EPS * np.abs(model.net.weights[m]) @ np.abs(alone[below]), np.abs(message.V)
            if len(V) == stop - start:
                rounded = V.T @ (message.root[:, None] ** 2 * (V @ rounded))
            _refuse_if((np.linalg.norm(rounded, axis=1) > 1e-3 * np.linalg.norm(alone[here], axis=1)).any())
        slope[here, here] += identity
        slope[here] = _damped(slope[here], message, message.root**2) - _follows(message, message.N)
    index = model.unpack(np.arange(model.dimension))
    places: Any = np.hstack(index.neurons).astype(int)  # (samples, neurons of one sample)
    result = np.zeros((model.dimension, model.dimension))
    for place in places:
        result[np.ix_(place, place)] = alone @ alone.T
    if root is not None:
        slope = slope @ root
        rows = len(messages[-1].r)
        # outputs depend only on the combinations of biases that targets determine
        slope[edges[-2] :, rows or edges[-1] :] = 0
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
        U, s, V = np.linalg.svd(M, full_matrices=len(M) > M.shape[1])
        root = 1 / np.hypot(1, s / math.sqrt(model.stiffness))
        messages.append(_Message(U, V, N, r, s, root, 1 / (s + model.stiffness / s)))
        N = N.copy()
        if model.prior is None:
            r = r - M @ net.biases[m][:, None]
            terms = terms + M**2 @ net.biases[m][:, None] ** 2
        else:
            N[:, edges[m] : edges[m + 1]] = M
        lost = _EPS * s.max(initial=0) * root.max(initial=0)  # in rows of small s, by large s
        _refuse_if(m > 0 and lost * np.linalg.norm(net.weights[m]) > 1e-3 * math.sqrt(model.stiffness))
        share = np.ones((width, 1))
        share[: s.size, 0] = root
        M = np.zeros((width, net.weights[m].shape[1]))
        M[: s.size] = share[: s.size] * (s[:, None] * V @ net.weights[m])
        N, r, terms = share * (U.T @ N), share * (U.T @ r), share**2 * (U.T**2 @ terms)
    inputs = model.inputs.T
    return messages[::-1], N, r - M @ inputs, terms + M**2 @ inputs**2


def _damped(values: Floats, message: _Message, share: Floats) -> Floats:
    """Return columns of a layer, reduced to a share along each of the directions that the layers above constrain."""
    along = message.V @ values
    kept = message.V.T @ (share[:, None] * along)
    return np.asarray(kept if len(along) == len(values) else values - message.V.T @ along + kept)


def _follows(message: _Message, residual: Floats) -> Floats:
    """Return the response of a layer to the residual from above, s/(s² + λ) in each direction."""
    return np.asarray(message.V.T @ (message.gain[:, None] * (message.U[:, : message.s.size].T @ residual)))


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
    return np.argsort(-np.abs(rows).max(axis=1))


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
