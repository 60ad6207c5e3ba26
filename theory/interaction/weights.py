"""Free weights: ridge regression if the layer is linear, and why not otherwise."""

from __future__ import annotations

from itertools import product

import sympy as sp

from statnn.theory.derivation import Derivation, Step, definition, identity, instance
from statnn.theory.interaction.hamiltonian import D, k, mu
from statnn.theory.notation import (
    HAMILTONIAN,
    H,
    beta,
    f,
    h,
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
    x,
    y,
)
from statnn.theory.rewriting import by_gaussians

l = sp.Symbol("l", integer=True)
_scale = sp.Symbol("sigma_w", positive=True)
_bias_scale = sp.Symbol("sigma_b", positive=True)
NOISE = 1 / (2 * lam) + 1 / (2 * beta)


def _integrated() -> tuple[Step, ...]:
    square = beta * (y - h) ** 2 + lam * (h - f) ** 2
    centre = (beta * y + lam * f) / (beta + lam)
    v = sp.Symbol("v", positive=True)
    left = beta * lam / (beta + lam) * (y - f) ** 2
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
            by=by_gaussians,
        ),
        definition("whose variance is that of the layer plus that of the target.", v, NOISE),
    )


def _ridge() -> tuple[Step, ...]:
    """Show ridge regression for two weights and a bias, with three samples; v stays a symbol."""
    v = sp.Symbol("v", positive=True)
    inputs, targets = matrix("x", 3, 2), vector("y", 3)
    free = sp.Matrix([*vector("w", 2), sp.Symbol("b", real=True)])
    energy = sum(gap**2 for gap in targets - inputs.row_join(sp.ones(3, 1)) * free) / (2 * v)
    energy += free[0] ** 2 / _scale**2 + free[1] ** 2 / _scale**2 + free[2] ** 2 / (2 * _bias_scale**2)
    hessian = sp.hessian(energy, list(free))
    ridge = sp.Symbol("kappa", positive=True)
    X, Y, A, theta = (sp.IndexedBase(name) for name in ("X", "y", "A", r"\theta"))
    strength = sp.IndexedBase("r")
    sizes: dict[sp.Basic, sp.Expr] = {D: sp.S(3), n: sp.S(2)}
    for row, column in product((1, 2, 3), (1, 2, 3)):
        sizes[X[row, column]] = inputs[row - 1, column - 1] if column < 3 else sp.S.One
        sizes[Y[row]] = targets[row - 1]
    for row, column in product((1, 2, 3), repeat=2):
        sizes |= {A[row, column]: hessian[row - 1, column - 1], theta[row]: free[row - 1]}
    sizes |= {strength[1]: 2 / _scale**2, strength[2]: 2 / _scale**2, strength[3]: 1 / _bias_scale**2}
    return (
        instance(
            "What is left is a Gaussian in weights and bias θ; its precision A, the matrix of second derivatives, "
            "has the prior's precision r on its diagonal, n/σ² for a weight and 1/σ² for the bias. Checked for two "
            "inputs and three samples, rows of X with a 1 for the bias:",
            A[j, k],
            sp.Sum(X[mu, j] * X[mu, k], (mu, 1, D)) / v + strength[j] * sp.KroneckerDelta(j, k),
            cases=[sizes | {j: row, k: column} for row, column in product((1, 2, 3), repeat=2)],
        ),
        instance(
            "and its mean is where this gradient vanishes.",
            sp.Derivative(beta * H(theta[j]), theta[j]),
            sp.Sum(A[j, k] * theta[k], (k, 1, n + 1)) - sp.Sum(X[mu, j] * Y[mu], (mu, 1, D)) / v,
            cases=[sizes | {j: row, H(free[row - 1]): energy / beta} for row in (1, 2, 3)],
        ),
        instance(
            "Without bias, 2v times the energy is the loss of ridge regression: the prior fixes its penalty as κ = "
            "vn/σ².",
            2 * v * named(r"\beta H"),
            sp.Sum((Y[mu] - sp.Sum(theta[k] * X[mu, k], (k, 1, n))) ** 2, (mu, 1, D))
            + ridge * sp.Sum(theta[k] ** 2, (k, 1, n)),
            cases=[sizes | {named(r"\beta H"): energy.subs(free[2], 0), ridge: 2 * v / _scale**2}],
        ),
    )


def _conditional() -> tuple[Step, ...]:
    weights, below, above = matrix("w", 2, 2), matrix("h", 2, 3), matrix("g", 2, 3)  # columns are samples
    energy = lam * sum(gap**2 for gap in above - weights * below) + sum(entry**2 for entry in weights) / _scale**2
    cubic = 2 * lam * x**3 * (3 * sigma(f, 1) * sigma(f, 2) - (h - sigma(f)) * sigma(f, 3))
    energy_of, third = named(r"\beta H"), named(r"(\beta H)" + 3 * "'")
    W, below_of, gap = sp.IndexedBase("W"), sp.IndexedBase("h"), sigma(f, 1) * sigma(f, 2)
    meaning: dict[sp.Basic, sp.Expr] = {n: sp.S(2), D: sp.S(3)}
    for row, column in product((1, 2), repeat=2):
        meaning[W[row, column]] = weights[row - 1, column - 1]
    for row, column in product((1, 2), (1, 2, 3)):
        meaning[below_of[row, column]] = below[row - 1, column - 1]

    def derivative(*variables: sp.Expr) -> sp.Expr:
        return sp.Derivative(beta * H(*variables), *variables)

    def cases(indices: str, *variables: sp.Expr) -> list[dict[sp.Basic, sp.Expr]]:
        """Return every choice of the indices, with rows i and m different and H a function of some weights."""
        names = sp.symbols(" ".join(indices), integer=True)
        chosen = [
            dict(zip(names, map(sp.Integer, values), strict=True)) for values in product((1, 2), repeat=len(names))
        ]
        return [
            meaning | sizes | {H(*(meaning[name.xreplace(sizes)] for name in variables)): energy / beta}
            for sizes in chosen
            if m not in sizes or sizes[m] != sizes[i]
        ]

    inside, across = (W[i, j], W[i, k], W[i, l]), (W[i, j], W[m, k])
    return (
        instance(
            "Given the neurons, the weights of a linear layer are Gaussian at any depth, as there is no third "
            "derivative; checked, like what follows, for two units, two inputs and three samples,",
            derivative(*inside),
            sp.S.Zero,
            cases=cases("ijkl", *inside),
        ),
        instance(
            "units i and m do not interact with each other,",
            derivative(*across),
            sp.S.Zero,
            cases=cases("ijmk", *across),
        ),
        instance(
            "and every unit has the same precision: one factorisation serves a whole layer.",
            derivative(W[i, j], W[i, k]),
            2 * lam * sp.Sum(below_of[j, mu] * below_of[k, mu], (mu, 1, D)) + n / _scale**2 * sp.KroneckerDelta(j, k),
            cases=cases("ijk", W[i, j], W[i, k]),
        ),
        identity(
            "Where the activation is curved there is a third derivative, with f = wx:",
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
            "Where σ″ = 0, as on either side of the kink of a relu, it does vanish: the law is Gaussian piece by "
            "piece.",
            cubic,
            0,
            where={sigma(f, 2): 0, sigma(f, 3): 0},
        ),
    )


def gaussian_weights() -> Derivation:
    """Derive the posterior of free weights of a linear layer, and the obstacle for a nonlinear one."""
    return Derivation(
        "gaussian-weights",
        "Free weights: Gaussian where the layer is linear",
        HAMILTONIAN,
        "own",
        (*_integrated(), *_ridge(), *_conditional()),
        assumes=("Gaussian priors on weights and biases",),
        uses=("hamiltonian",),
    )
