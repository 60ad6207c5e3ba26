"""The deterministic limit: the distance of fluctuating neurons from the output of their network."""

from __future__ import annotations

from itertools import product

import sympy as sp
from sympy.polys.matrices import DomainMatrix

from statnn.theory.derivation import Derivation, Step, identity, instance
from statnn.theory.interaction.hamiltonian import NEURON
from statnn.theory.notation import (
    HAMILTONIAN,
    H,
    beta,
    expected,
    f,
    gaussian,
    gaussian_mean,
    i,
    j,
    lam,
    m,
    matrix,
    n,
    named,
    sigma,
    vector,
    w,
    z,
)

k, l, M = sp.symbols("k l M", integer=True)
_size = sp.Symbol("delta", positive=True)  # the square root of the noise variance 1/(2λ)
_shift, _spread = sp.symbols("mu_m v_m", real=True)  # mean shift and variance of layer m in units of 1/(2λ)
_slope, _bend = sigma(sp.Symbol("f_m"), 1), sigma(sp.Symbol("f_m"), 2)
_above = {name: named(f"{tex}_{{m+1}}") for name, tex in {"mu": r"\mu", "v": "v"}.items()}


def _taylor(displacement: sp.Expr, order: int) -> sp.Expr:
    """Return σ(f + displacement) to a given power of the noise."""
    series = sum(sigma(f, k) * displacement**k / sp.factorial(k) for k in range(order + 1))
    return sum(sp.expand(series).coeff(_size, k) * _size**k for k in range(order + 1))


def _second(expr: sp.Expr) -> sp.Expr:
    """Return the mean over the Gaussian z of a polynomial, up to the second power of the noise."""
    mean = sp.expand(gaussian_mean(sp.expand(expr), z))
    return sum(mean.coeff(_size, k) * _size**k for k in range(3))


def _expansion() -> tuple[Step, ...]:
    width = sp.Symbol("s", positive=True)  # standard deviation of layer m in units of the noise
    below = _size * width * z + _size**2 * _shift  # h_m - t_m, any law with this mean and variance
    above = _taylor(w * below, 3) - sigma(f)  # h_{m+1} - t_{m+1}, without its own noise
    moments = {
        _above["mu"]: sp.expand(_second(above) / _size**2),
        _above["v"]: sp.expand(_second(above**2) / _size**2) + 1,
        _spread: width**2,
        sp.Symbol("f_m"): f,
    }
    shift = w * _shift * _slope + w**2 * _spread * _bend / 2
    passed = 1 + w**2 * _spread * _slope**2
    second = {"mu": named(r"\mu_{2}"), "v": named("v_{2}")}
    of_second = {second["mu"]: shift, second["v"]: passed, _shift: 0, _spread: 1, sp.Symbol("f_m"): f}
    return (
        identity(
            "The noise of one layer is Gaussian: its odd moments vanish and the second is its variance 1/(2λ).",
            sp.Integral(z**2 * gaussian(z, 1 / (2 * lam)), (z, -sp.oo, sp.oo)),
            1 / (2 * lam),
            by=lambda gap: sp.simplify(gap.doit()),
        ),
        identity(
            "Let layer m have the mean t + μ/(2λ) and the variance v/(2λ) about its trace t. A curved activation turns "
            "variance into a shift of the mean,",
            _above["mu"],
            shift,
            where=moments,
            by=sp.expand,
        ),
        identity(
            "and its slope passes the variance on, to which the layer's own noise adds 1: both for a scalar chain, at "
            "order 1/λ.",
            _above["v"],
            passed,
            where=moments,
            by=sp.expand,
        ),
        identity(
            "The first layer has clamped inputs: no shift, v = 1. The second is shifted by its curvature alone,",
            second["mu"],
            w**2 * sigma(f, 2) / 2,
            where=of_second,
            by=sp.expand,
        ),
        identity(
            "with the mean squared distance v/(2λ) from the trace,",
            second["v"],
            1 + w**2 * sigma(f, 1) ** 2,
            where=of_second,
            by=sp.expand,
        ),
        identity(
            "which on logarithmic axes falls with slope −1 in λ.",
            lam * sp.Derivative(sp.log(second["v"] / (2 * lam)), lam),
            sp.Integer(-1),
            where=of_second,
        ),
    )


def _linear() -> tuple[Step, ...]:
    units = (1, 2)
    pairs = tuple(product(units, repeat=2))
    values = matrix("w", 2, 2)
    h1, h2, x = vector("h", 2), vector("g", 2), vector("x", 2)
    energy = lam * sum(gap**2 for gap in [*(h1 - x), *(h2 - values * h1)])
    covariance = DomainMatrix.from_Matrix(sp.hessian(energy, [*h1, *h2])).to_field().inv().to_Matrix()
    low, high, between, weight = (
        sp.IndexedBase(name) for name in ("S^{(m)}", "S^{(m+1)}", "S^{(m+1, m)}", "W^{(m+1)}")
    )
    neuron, names = NEURON(0), {n: sp.S(2)}
    for row, column in pairs:
        names[weight[row, column]] = values[row - 1, column - 1]
        names[low[row, column]] = covariance[row - 1, column - 1]
        names[high[row, column]] = covariance[row + 1, column + 1]
        names[between[row, column]] = covariance[row + 1, column - 1]
    places = [names | {j: row, k: column} for row, column in pairs]
    own = sp.KroneckerDelta(j, k)
    return (
        instance(
            "With the identity as activation βH is quadratic; its second derivatives, here inside a layer for two "
            "layers of two units, form a matrix",
            sp.Derivative(beta * H(neuron[j], neuron[k]), neuron[j], neuron[k]),
            2 * lam * (own + sp.Sum(weight[i, j] * weight[i, k], (i, 1, n))),
            cases=[
                case | {neuron[1]: h1[0], neuron[2]: h1[1], H(h1[case[j] - 1], h1[case[k] - 1]): energy / beta}
                for case in places
            ],
        ),
        instance(
            "whose inverse over all layers is the covariance S that the layers build up: noise is passed on and added, "
            "exactly at every λ.",
            high[j, k],
            sp.Sum(weight[j, i] * sp.Sum(low[i, l] * weight[k, l], (l, 1, n)), (i, 1, n)) + own / (2 * lam),
            cases=places,
            by=sp.cancel,
        ),
        instance(
            "Covariances between layers are products of weights with the covariance of the lower one.",
            between[j, k],
            sp.Sum(weight[j, i] * low[i, k], (i, 1, n)),
            cases=places,
            by=sp.cancel,
        ),
    )


def _conditioned() -> tuple[Step, ...]:
    """Condition a scalar linear chain of three layers on a target."""
    weights, layers = sp.symbols("w2 w3", real=True), sp.symbols("h1:4", real=True)
    start, y = sp.symbols("t_1 y", real=True)
    noise = 1 / (2 * lam)
    trace, variance = [start], [noise]
    for weight in weights:
        trace.append(weight * trace[-1])
        variance.append(weight**2 * variance[-1] + noise)
    energy = beta * (y - layers[-1]) ** 2 + lam * (layers[0] - start) ** 2
    energy += lam * sum((layers[k + 1] - weights[k] * layers[k]) ** 2 for k in range(2))
    hessian = sp.hessian(energy, layers)
    inverse = hessian.inv(method="ADJ")
    at_zero = dict.fromkeys(layers, 0)
    mean = -inverse * sp.Matrix([energy.diff(layer).subs(at_zero) for layer in layers])
    at = dict(zip(layers, mean, strict=True))
    T, S, C = (sp.IndexedBase(name) for name in "tSC")
    total, depth = S[M, M] + 1 / (2 * beta), {M: sp.S(3)}
    for upper in range(1, 4):
        depth |= {T[upper]: trace[upper - 1], C[upper]: variance[upper - 1] * sp.prod(weights[upper - 1 :])}
        for lower in range(1, upper + 1):
            shared = variance[lower - 1] * sp.prod(weights[lower - 1 : upper - 1])
            depth |= {S[lower, upper]: shared, S[upper, lower]: shared}
    average, least, det = expected("h_{m}"), named(r"\min \beta H"), named(r"\det \Lambda")
    covariance = named(r"\operatorname{Cov}[h_{l}, h_{m}]")
    return (
        instance(
            "A target on the last of M layers pulls every layer off its trace t, in proportion to its covariance C "
            "with the last: the mean, where the gradient vanishes, checked for three scalar layers.",
            average,
            T[m] + C[m] * (y - T[M]) / total,
            cases=[depth | {m: place, average: mean[place - 1]} for place in range(1, 4)],
            by=sp.cancel,
        ),
        instance(
            "It reduces the covariance, the inverse of the matrix of second derivatives, by a term of rank one.",
            covariance,
            S[l, m] - C[l] * C[m] / total,
            cases=[
                depth | {l: lower, m: upper, covariance: inverse[lower - 1, upper - 1]}
                for lower, upper in product(range(1, 4), repeat=2)
            ],
            by=sp.cancel,
        ),
        instance(
            "At that mean the energy is the squared distance of the network from its target over twice the variance "
            "of what the target sees,",
            least,
            (y - T[M]) ** 2 / (2 * total),
            cases=[depth | {least: energy.subs(at, simultaneous=True)}],
            by=sp.cancel,
        ),
        instance(
            "and its matrix of second derivatives has the determinant that normalises the Gaussian.",
            det,
            (2 * lam) ** M * 2 * beta * total,
            cases=[depth | {det: hessian.det()}],
        ),
    )


def stiffness() -> Derivation:
    """Derive mean shift and variance at order 1/λ, and the exact linear chain with and without a target."""
    return Derivation(
        "stiffness",
        "Stiff neurons follow their network",
        HAMILTONIAN,
        "asymptotic",
        (*_expansion(), *_linear(), *_conditioned()),
        assumes=(
            "the activation is smooth, and λ is large",
            "weights are held fixed, and there is no target unless one is named",
        ),
        uses=("hamiltonian",),
    )
