"""The deterministic limit: how far fluctuating neurons are from what their network computes."""

import sympy as sp

from statnn.theory.derivation import Derivation, Step, equation, identity, instance
from statnn.theory.notation import (
    HAMILTONIAN,
    beta,
    componentwise,
    expected,
    f,
    gaussian,
    gaussian_mean,
    lam,
    matrix,
    named,
    sigma,
    spread,
    vector,
    w,
    z,
)

_size = sp.Symbol("delta", positive=True)  # the square root of the noise variance 1/(2λ)
_shift, _spread = sp.symbols("mu_m v_m", real=True)  # mean shift and variance of layer m in units of 1/(2λ)
_slope, _bend = sigma(sp.Symbol("f_m"), 1), sigma(sp.Symbol("f_m"), 2)
_above = {name: named(f"{tex}_{{m+1}}") for name, tex in {"mu": r"\mu", "v": "v", "S": "S"}.items()}


def _taylor(displacement: sp.Expr, order: int) -> sp.Expr:
    """Return σ(f + displacement) to a power of the noise."""
    series = sum(sigma(f, k) * displacement**k / sp.factorial(k) for k in range(order + 1))
    return sum(sp.expand(series).coeff(_size, k) * _size**k for k in range(order + 1))


def _second(expr: sp.Expr) -> sp.Expr:
    """Return the mean over the Gaussian z of a polynomial, up to the second power of the noise."""
    mean = sp.expand(gaussian_mean(sp.expand(expr), z))
    return sum(mean.coeff(_size, k) * _size**k for k in range(3))


def _expansion() -> tuple[Step, ...]:
    width = sp.Symbol("s", positive=True)  # standard deviation of layer m in units of the noise
    below = _size * width * z + _size**2 * _shift  # h_m - t_m, any law with this mean and variance
    above = _taylor(w * below, 3) - sigma(f)  # h_{m+1} - t_{m+1}, but for its own noise
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
    weight = matrix("w", 2, 2)
    eye = sp.eye(2)
    noise = 1 / (2 * lam)
    precision = 2 * lam * sp.Matrix(sp.BlockMatrix([[eye + weight.T * weight, -weight.T], [-weight, eye]]))
    covariance = noise * sp.Matrix(sp.BlockMatrix([[eye, weight.T], [weight, weight * weight.T + eye]]))
    h1, h2, x = vector("h", 2), vector("g", 2), vector("x", 2)
    energy = lam * sum(gap**2 for gap in [*(h1 - x), *(h2 - weight * h1)])
    both = [*h1, *h2]
    return (
        componentwise(
            "With the identity as activation βH is quadratic; its matrix of second derivatives, for two layers of two "
            "units,",
            sp.hessian(energy, both),
            precision,
            equation(named(r"\Lambda_{mm}"), 2 * lam * (1 + named("W^{T} W"))),
        ),
        componentwise(
            "has for its inverse the covariance that the layers build up: noise is passed on and added, exactly at "
            "every λ.",
            precision * covariance,
            sp.eye(4),
            equation(_above["S"], named("W S_{m} W^{T}") + 1 / (2 * lam)),
        ),
        componentwise(
            "Covariances between layers are products of weights with the variance of the lower one.",
            covariance[2:, :2],
            weight * covariance[:2, :2],
            equation(named("S_{m+1,m}"), named("W S_{m}")),
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
    shared = [variance[0] * weights[0] * weights[1], variance[1] * weights[1], variance[2]]
    gain = (y - trace[-1]) / (variance[-1] + 1 / (2 * beta))
    mean = [t + c * gain for t, c in zip(trace, shared, strict=True)]
    at = dict(zip(layers, mean, strict=True))
    hessian = sp.hessian(energy, layers)
    names = sp.symbols("t_m C_m t_M S_M")
    total = variance[-1] + 1 / (2 * beta)
    return (
        componentwise(
            "A target on the last of M layers pulls every layer in proportion to its covariance C with the last: this "
            "mean is where the gradient vanishes, checked for three scalar layers.",
            [energy.diff(layer).subs(at, simultaneous=True) for layer in layers],
            [sp.S.Zero] * 3,
            equation(
                expected("h_{m}"),
                names[0] + names[1] * (y - names[2]) / (names[3] + 1 / (2 * beta)),
            ),
            by=sp.simplify,
        ),
        componentwise(
            "It reduces the covariance by a term of rank one: inverse of the matrix of second derivatives.",
            hessian
            * sp.Matrix(
                3,
                3,
                lambda row, col: (
                    variance[min(row, col)] * sp.prod(weights[min(row, col) : max(row, col)])
                    - shared[row] * shared[col] / total
                ),
            ),
            sp.eye(3),
            equation(spread("h_{m}"), sp.Symbol("S_m") - names[1] ** 2 / (names[3] + 1 / (2 * beta))),
            by=sp.simplify,
        ),
        instance(
            "At that mean the energy is the squared miss of the network over twice the variance of what the target "
            "sees,",
            equation(named(r"\min \beta H"), (y - names[2]) ** 2 / (2 * names[3] + 1 / beta)),
            energy.subs(at, simultaneous=True),
            (y - trace[-1]) ** 2 / (2 * total),
            by=sp.simplify,
        ),
        instance(
            "whose matrix of second derivatives has the determinant that normalises it.",
            equation(named(r"\det \Lambda"), (2 * lam) ** sp.Symbol("M") * (1 + 2 * beta * names[3])),
            hessian.det(),
            (2 * lam) ** 3 * 2 * beta * total,
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
    )
