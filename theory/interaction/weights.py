"""Free weights: ridge regression where the layer is linear, and why it is not where it is not."""

import sympy as sp

from statnn.theory.derivation import Derivation, Step, definition, equation, identity, instance
from statnn.theory.notation import (
    HAMILTONIAN,
    beta,
    componentwise,
    expected,
    f,
    h,
    lam,
    matrix,
    n,
    named,
    sigma,
    vector,
    w,
    x,
    y,
)
from statnn.theory.rewriting import by_antiderivative, by_exponents

_scale = sp.Symbol("sigma_w", positive=True)
_bias_scale = sp.Symbol("sigma_b", positive=True)
NOISE = 1 / (2 * lam) + 1 / (2 * beta)


def _integrated() -> tuple[Step, ...]:
    square = beta * (y - h) ** 2 + lam * (h - f) ** 2
    centre = (beta * y + lam * f) / (beta + lam)
    v, root = sp.Symbol("v", positive=True), sp.sqrt(beta + lam)
    left = beta * lam / (beta + lam) * (y - f) ** 2
    part = sp.sqrt(sp.pi) / (2 * root) * sp.erf(root * (h - centre)) * sp.exp(-left)
    return (
        identity(
            "One layer with the identity as activation, field f, target y: complete the square in the neuron h.",
            square,
            (beta + lam) * (h - centre) ** 2 + left,
        ),
        identity(
            "With h integrated out the target is the field plus noise,",
            sp.Integral(sp.exp(-square), (h, -sp.oo, sp.oo)),
            sp.sqrt(sp.pi / (beta + lam)) * sp.exp(-((y - f) ** 2) / (2 * v)),
            where={v: NOISE},
            by=by_antiderivative(part, h, by_exponents(sp.exp(-square))),
        ),
        definition("that of the layer and that of the target.", v, NOISE),
    )


def _ridge() -> tuple[Step, ...]:
    """Two weights and a bias, two samples; v is kept a symbol."""
    v = sp.Symbol("v", positive=True)
    inputs, targets = matrix("x", 2, 2), vector("y", 2)
    weights, bias = vector("w", 2), sp.Symbol("b", real=True)
    design = inputs.row_join(sp.ones(2, 1))
    free = sp.Matrix([*weights, bias])
    prior = sp.diag(2 / _scale**2, 2 / _scale**2, 1 / _bias_scale**2)
    energy = sum(gap**2 for gap in targets - design * free) / (2 * v) + (free.T * prior * free)[0] / 2
    precision = design.T * design / v + prior
    mean = precision.adjugate() * design.T * targets / (v * precision.det(method="berkowitz"))
    ridge = sp.Symbol("kappa", positive=True)
    miss = sum(gap**2 for gap in targets - inputs * weights)
    penalised = miss + ridge * sum(entry**2 for entry in weights)
    posterior = miss / (2 * v) + sum(2 * entry**2 / (2 * _scale**2) for entry in weights)
    A, count = named("A"), sp.Symbol("n", positive=True)
    return (
        componentwise(
            "What is left is a Gaussian in weights and bias; its precision A, checked for two inputs and two samples, "
            "rows of X with a 1 for the bias:",
            sp.hessian(energy, list(free)),
            precision,
            equation(A, named("X^{T} X") / v + sp.Function("diag")(count / _scale**2, 1 / _bias_scale**2)),
        ),
        componentwise(
            "the gradient vanishes at its mean.",
            [
                sp.together(energy.diff(entry).subs(dict(zip(free, mean, strict=True)), simultaneous=True))
                for entry in free
            ],
            [sp.S.Zero] * 3,
            equation(expected("w, b"), named("A^{-1} X^{T} y") / v),
            by=sp.cancel,
        ),
        instance(
            "Without bias, 2v times the energy is the loss of ridge regression: the prior fixes its penalty; for two "
            "inputs.",
            equation(sp.Symbol("kappa"), v * count / _scale**2),
            2 * v * posterior,
            penalised.subs(ridge, 2 * v / _scale**2),
        ),
    )


def _conditional() -> tuple[Step, ...]:
    weights, below, above = matrix("w", 2, 2), vector("h", 2), vector("g", 2)
    energy = lam * sum(gap**2 for gap in above - weights * below) + sum(entry**2 for entry in weights) / _scale**2
    row = list(weights[0, :])
    cubic = 2 * lam * x**3 * (3 * sigma(f, 1) * sigma(f, 2) - (h - sigma(f)) * sigma(f, 3))
    energy_of, third = named(r"\beta H"), named(r"(\beta H)" + 3 * "'")
    gap = sigma(f, 1) * sigma(f, 2)
    return (
        componentwise(
            "Given the neurons, the weights of a linear layer are Gaussian at any depth: no third derivative,",
            [energy.diff(a, b, c) for a in row for b in row for c in row],
            [sp.S.Zero] * 8,
            equation(sp.Derivative(named(r"\beta H"), w, 3, evaluate=False), sp.S.Zero),
        ),
        componentwise(
            "units do not interact with each other,",
            [energy.diff(one, other) for one in weights[0, :] for other in weights[1, :]],
            [sp.S.Zero] * 4,
            equation(sp.Derivative(named(r"\beta H"), *sp.symbols("W_{1j} W_{2k}"), evaluate=False), sp.S.Zero),
        ),
        componentwise(
            "and every unit has the same precision: one factorisation serves a whole layer.",
            [*sp.hessian(energy, row), *sp.hessian(energy, list(weights[1, :]))],
            [*(2 * lam * below * below.T + 2 * sp.eye(2) / _scale**2)] * 2,
            equation(
                named("A_{jk}"),
                2 * lam * sp.Sum(named(r"h_{j}^{\mu} h_{k}^{\mu}"), (sp.Symbol("mu"), 1, sp.Symbol("D")))
                + n / _scale**2 * sp.KroneckerDelta(sp.Symbol("j"), sp.Symbol("k")),
            ),
        ),
        identity(
            "Where the activation is curved there is a third derivative, f = wx:",
            sp.Derivative(energy_of, w, 3, evaluate=False),
            cubic,
            where={energy_of: lam * (h - sigma(w * x)) ** 2, f: w * x},
            by=sp.expand,
        ),
        identity(
            "it does not vanish even where the gap h − σ(f) does, so the weights given the neurons are not Gaussian "
            "and a Gaussian draw needs a correction.",
            third,
            6 * lam * x**3 * gap,
            where={third: cubic, h: sigma(f)},
            by=sp.expand,
        ),
        identity(
            "Where σ″ = 0, as on either side of the kink of a relu, it does: the law is Gaussian piece by piece.",
            cubic,
            0,
            where={sigma(f, 2): 0, sigma(f, 3): 0},
        ),
    )


def gaussian_weights() -> Derivation:
    """Derive the posterior of free weights of a linear layer, and the obstacle of a curved one."""
    return Derivation(
        "gaussian-weights",
        "Free weights: Gaussian where the layer is linear",
        HAMILTONIAN,
        "own",
        (*_integrated(), *_ridge(), *_conditional()),
    )
