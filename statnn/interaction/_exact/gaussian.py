r"""Linear networks are Gaussian: exact averages of `DynamicNeurons` whose activations are the identity.

With d free variables z, βH(z) = βH(m) + (z - m)^T P (z - m)/2, so that ln Z = -βH(m) + (d/2) ln 2π - (1/2) ln det P,
⟨βH⟩ = βH(m) + d/2 and Var βH = d/2. The structure keeps this cheap:

* *Neurons free*: samples are independent and share one precision A, block tridiagonal over layers; a banded Cholesky
  factor serves them all.
* *Neurons and biases free*: a bias acts on the outputs through the layers above it, G_m = W^(M) ... W^(m+1). With
  G = (G_1 ... G_M) the outputs of a sample have, given the biases, the covariance Σ = 1/(2β) + G G^T/(2λ); so the
  biases are a linear regression on the targets, and the neurons follow given the biases.
* *Weights free, one layer*: the neurons integrate out and leave independent regressions with one precision
  S = 2γ Φ^T Φ + Λ, γ = βλ/(β+λ), for every output unit; Φ holds the inputs and, for free biases, a column of ones,
  Λ the prior. Without targets γ = 0.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from scipy import linalg

from statnn._arguments import Floats
from statnn._arrays import read_only
from statnn._by_value import ByValue
from statnn.interaction._protocols import Neurons
from statnn.interaction._state import Prior, State

MOST_DENSE = 5000


@dataclass(frozen=True, eq=False, repr=False)
class ExactGaussian(ByValue):
    r"""Exact averages of a Gaussian `DynamicNeurons`, p ∝ exp(-βH); standing [exact].

    Parameters
    ----------
    method : str
        How they were found.
    log_partition : float
        ln Z, Z = ∫ exp(-βH) over all free variables.
    energy : float
        ⟨βH⟩.
    heat_capacity : float
        Var βH, half the dimension.
    mean : ndarray, shape (dimension,)
        Mean state, which is also the state of least energy, read-only float64; `DynamicNeurons.unpack` names its parts.
    covariance : ndarray, shape (dimension, dimension), or None
        Read-only; None where it was not wanted.

    See Also
    --------
    DynamicNeurons.exact : makes it.
    Exact : of spins.

    Notes
    -----
    Numbers are correct to about 1e-16 times the condition number of the precision of one sample's neurons or, for free
    weights, of the regression.
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
        log_partition=half * math.log(2 * math.pi) - least - log_determinant / 2,
        energy=least + half,
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


def _chain(model: Neurons, covariance: bool) -> tuple[Floats, float, float, Floats | None]:
    """Return mean, βH there, ln det P and covariance with fixed weights."""
    factor = _banded(model)
    samples, widths = model.samples, model.net.widths[1:]
    edges = np.cumsum([0, *widths])
    log_determinant = 2 * samples * float(np.log(factor[0]).sum())
    biases, spread = model.net.biases, np.zeros((edges[-1], edges[-1]))
    if "biases" in model.free:
        mean_biases, log_more, spread = _biases(model, want=covariance)
        biases = tuple(mean_biases[start:stop] for start, stop in pairwise(edges))
        log_determinant += log_more
    given = model.with_neurons_free(biases)
    push = given.unpack(-given.gradient(np.zeros(given.dimension))).neurons
    # samples are columns; neurons, layer by layer, are rows
    neurons = linalg.cho_solve_banded((factor, True), np.hstack(push).T).T
    mean = model.pack(State(tuple(np.split(neurons, edges[1:-1], axis=1)), model.net.weights, biases))
    least = _least(given, model.prior)
    if not covariance:
        return mean, least, log_determinant, None

    index = model.unpack(np.arange(model.dimension)).neurons
    places = np.hstack(index).astype(int)  # (samples, neurons of one sample)
    result = np.zeros((model.dimension, model.dimension))
    alone = linalg.cho_solve_banded((factor, True), np.eye(edges[-1]))
    for place in places:
        result[np.ix_(place, place)] = alone
    if "biases" in model.free:
        slope = linalg.cho_solve_banded((factor, True), _pull(model))  # of the neurons with the biases
        own = np.hstack(model.unpack(np.arange(model.dimension)).biases).astype(int)
        result[np.ix_(own, own)] = spread
        across, common = slope @ spread, slope @ spread @ slope.T
        for place in places:
            result[np.ix_(place, own)], result[np.ix_(own, place)] = across, across.T
            for other in places:
                result[np.ix_(place, other)] += common
    return mean, least, log_determinant, (result + result.T) / 2


def _least(model: Neurons, prior: Prior | None) -> float:
    """Return the least βH at given biases: that of the neurons is rᵀ Σ⁻¹ r/2, r how far targets are from outputs.

    Put into βH itself, the rounding of the neurons would be squared and multiplied by a stiffness that may be large.
    """
    least = 0.0
    if prior is not None:
        least += sum(float(np.square(bias / prior.sigma_b).sum()) for bias in model.net.biases) / 2
    if model.targets is not None:
        rest = (model.targets - model.net(model.inputs)).T
        least += (
            float((rest * linalg.cho_solve(linalg.cho_factor(_noise(model, _reach(model)), lower=True), rest)).sum())
            / 2
        )
    return least


def _reach(model: Neurons) -> Floats:
    """Return G = (G_1 ... G_M), what a bias does to the outputs."""
    reach = [np.eye(model.net.widths[-1])]
    for weight in model.net.weights[:0:-1]:
        reach.append(reach[-1] @ weight)
    return np.hstack(reach[::-1])


def _noise(model: Neurons, G: Floats) -> Floats:
    """Return Σ, the covariance of targets of one sample given the biases."""
    noise: Floats = np.eye(len(G)) / (2 * model.beta) + G @ G.T / (2 * model.stiffness)
    return noise


def _banded(model: Neurons) -> Floats:
    """Return the Cholesky factor of the precision A of one sample's neurons, in LAPACK's lower banded form."""
    widths, weights = model.net.widths[1:], model.net.weights
    edges = np.cumsum([0, *widths]).tolist()
    band = max([widths[0], *(lower_width + upper_width for lower_width, upper_width in pairwise(widths))])
    lower = np.zeros((band, edges[-1]))

    def put(block: Floats, row: int, column: int) -> None:
        i, j = np.meshgrid(row + np.arange(len(block)), column + np.arange(block.shape[1]), indexing="ij")
        below = i >= j
        lower[(i - j)[below], j[below]] += block[below]

    for m, width in enumerate(widths):
        last = m == len(widths) - 1
        put(2 * model.stiffness * np.eye(width), edges[m], edges[m])
        if last and model.targets is not None:
            put(2 * model.beta * np.eye(width), edges[m], edges[m])
        if not last:
            above = weights[m + 1]
            put(2 * model.stiffness * above.T @ above, edges[m], edges[m])
            put(-2 * model.stiffness * above, edges[m + 1], edges[m])
    return np.asarray(linalg.cholesky_banded(lower, lower=True))


def _pull(model: Neurons) -> Floats:
    """Return how biases pull at the neurons of a sample: minus the mixed second derivatives, (neurons, biases)."""
    edges = np.cumsum([0, *model.net.widths[1:]])
    result = 2 * model.stiffness * np.eye(edges[-1])
    for m in range(1, model.net.depth):
        result[edges[m - 1] : edges[m], edges[m] : edges[m + 1]] = -2 * model.stiffness * model.net.weights[m].T
    return result


def _biases(model: Neurons, *, want: bool) -> tuple[Floats, float, Floats]:
    """Return mean, ln det of the precision, and if wanted covariance, of the biases with the neurons integrated out."""
    assert model.prior is not None  # noqa: S101 - free biases have a prior
    size, variance = sum(model.net.widths[1:]), model.prior.sigma_b**2
    log_determinant = -size * math.log(variance)
    if model.targets is None:
        return np.zeros(size), log_determinant, variance * np.eye(size if want else 0)
    G, signal = _reach(model), model.inputs
    for weight in model.net.weights:
        signal = signal @ weight.T
    noise = _noise(model, G)
    total = linalg.cho_factor(noise / model.samples + variance * (G @ G.T), lower=True)
    noise_factor = linalg.cho_factor(noise / model.samples, lower=True)
    for (factor, _), sign in ((total, 1), (noise_factor, -1)):
        log_determinant += sign * 2 * float(np.log(np.diag(factor)).sum())
    gain = variance * linalg.cho_solve(total, G).T
    mean = gain @ (model.targets - signal).mean(axis=0)
    if not want:
        return mean, log_determinant, np.zeros((0, 0))
    left = np.eye(size) - gain @ G  # Joseph's form: a small variance is not the difference of large ones
    return mean, log_determinant, variance * left @ left.T + gain @ (noise / model.samples) @ gain.T


# -- one layer with free weights -------------------------------------------------------------------------


def _regression(model: Neurons, covariance: bool) -> tuple[Floats, float, float, Floats | None]:
    """Return mean, βH there, ln det P and covariance of one layer with free weights."""
    assert model.prior is not None  # noqa: S101 - free weights have a prior
    with_bias, x = "biases" in model.free, model.inputs
    inputs, outputs = x.shape[1], model.net.widths[-1]
    design = np.column_stack([x, np.ones(len(x))]) if with_bias else x
    precision = np.full(design.shape[1], inputs / model.prior.sigma_w**2)
    if with_bias:
        precision[-1] = model.prior.sigma_b**-2
    fixed = np.zeros(outputs) if with_bias else model.net.biases[0]
    beta = model.beta if model.targets is not None else 0.0
    targets = model.targets if model.targets is not None else np.zeros((len(x), outputs))
    whole = beta + model.stiffness
    gamma = beta * (model.stiffness / whole)
    factor = linalg.cho_factor(2 * gamma * design.T @ design + np.diag(precision), lower=True)
    theta = linalg.cho_solve(factor, 2 * gamma * design.T @ (targets - fixed))  # (parameters, outputs)
    share = model.stiffness / whole
    rest = targets - fixed - design @ theta
    least = gamma * float(np.square(rest).sum()) + float((precision @ np.square(theta)).sum()) / 2
    neurons = beta / whole * targets + share * (design @ theta + fixed)
    weights, bias = theta[:inputs].T, theta[-1] if with_bias else model.net.biases[0]
    mean = model.pack(State((neurons,), (weights,), (bias,)))
    log_determinant = neurons.size * math.log(2 * whole) + outputs * 2 * float(np.log(np.diag(factor[0])).sum())
    if not covariance:
        return mean, least, log_determinant, None
    of_theta = linalg.cho_solve(factor, np.eye(len(theta)))
    across = share * design @ of_theta
    one_unit = np.block([
        [np.eye(len(x)) / (2 * whole) + share * across @ design.T, across],
        [across.T, of_theta],
    ])  # fmt: skip
    index: Any = model.unpack(np.arange(model.dimension))
    result = np.zeros((model.dimension, model.dimension))
    for unit in range(outputs):
        own = [index.neurons[0][:, unit], index.weights[0][unit], index.biases[0][unit : unit + 1] if with_bias else []]
        place = np.concatenate(own).astype(int)
        result[np.ix_(place, place)] = one_unit
    return mean, least, log_determinant, (result + result.T) / 2
