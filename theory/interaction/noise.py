"""The noise of every layer as coordinates: what makes stiff neurons easy to sample."""

import sympy as sp

from statnn.theory.derivation import Derivation, equation, instance
from statnn.theory.notation import (
    HAMILTONIAN,
    H,
    beta,
    componentwise,
    i,
    lam,
    matrix,
    n,
    named,
    sigma,
    vector,
)

_root = sp.sqrt(2 * lam)


def _rows() -> tuple[sp.Matrix, ...]:
    """Return inputs, targets, two weight matrices and two bias vectors of layers of two units."""
    return vector("x", 2), vector("y", 2), matrix("v", 2, 2), matrix("w", 2, 2), vector("a", 2), vector("b", 2)


def noise_coordinates() -> Derivation:
    """Derive the Jacobian, the energy and the gradient in the noise coordinates."""
    x, y, v, w, a, b = _rows()
    h1, h2, xi1, xi2 = (vector(name, 2) for name in ("h", "g", "xi", "eta"))
    neurons, noise = sp.Matrix([*h1, *h2]), [*xi1, *xi2]
    first = _root * (h1 - (v * x + a).applyfunc(sigma))
    second = _root * (h2 - (w * h1 + b).applyfunc(sigma))
    jacobian = sp.Matrix([*first, *second]).jacobian(neurons)
    miss = beta * sum(gap**2 for gap in y - h2)
    gaps = sum(gap**2 for gap in h1 - (v * x + a).applyfunc(sigma))
    gaps += sum(gap**2 for gap in h2 - (w * h1 + b).applyfunc(sigma))
    # forward: neurons from noise
    one = (v * x + a).applyfunc(sigma) + xi1 / _root
    fields = w * one + b
    two = fields.applyfunc(sigma) + xi2 / _root
    energy = sum(entry**2 for entry in noise) / 2 + miss.subs(dict(zip(h2, two, strict=True)), simultaneous=True)
    g2 = 2 * beta * (two - y)
    g1 = w.T * sp.Matrix([sigma(field, 1) * g for field, g in zip(fields, g2, strict=True)])
    d = sp.Symbol("d", integer=True, positive=True)
    names = {name: sp.Symbol(name) for name in (r"\xi_i^{(m)}", "h_i^{(m)}", "f_i^{(m)}", "h^{(M)}", "y", "g_j^{(m)}")}
    xi, back = names[r"\xi_i^{(m)}"], sp.Symbol("g_i^{(m)}")
    miss_shown = beta * sp.Abs(names["y"] - names["h^{(M)}"]) ** 2
    return Derivation(
        "noise-coordinates",
        "The noise of the layers as coordinates",
        HAMILTONIAN,
        "own",
        (
            componentwise(
                "Measure every gap h − σ(f) in units of its noise, f = Wh + b of the layer below, and read the neurons "
                "back layer by layer: the map can be inverted. Checked, as all that follows, for two layers of two "
                "units.",
                [entry.subs(dict(zip(neurons, [*one, *two], strict=True)), simultaneous=True) for entry in first]
                + [entry.subs(dict(zip(neurons, [*one, *two], strict=True)), simultaneous=True) for entry in second],
                noise,
                equation(xi, _root * (names["h_i^{(m)}"] - sigma(names["f_i^{(m)}"]))),
            ),
            componentwise(
                "The noise of a layer does not depend on the layers above it: the Jacobian is triangular,",
                jacobian[:2, 2:],
                [sp.S.Zero] * 4,
                equation(
                    sp.Derivative(sp.Function(r"\xi_i^{(m)}")(sp.Symbol("h_j^{(m+1)}")), sp.Symbol("h_j^{(m+1)}")),
                    sp.S.Zero,
                ),
            ),
            instance(
                "and its determinant is a constant, for d neurons in all: no term is added to the energy.",
                equation(named(r"\det J"), (2 * lam) ** (d / 2)),
                jacobian.det(),
                (2 * lam) ** 2,
            ),
            instance(
                "The stiff part of the energy becomes that of independent standard Gaussians, whatever λ.",
                equation(
                    beta * H(sp.Symbol("xi")),
                    sp.Sum(sp.Symbol("xi_i") ** 2, (i, 1, d)) / 2 + miss_shown,
                ),
                lam * gaps + miss,
                sum(entry**2 for entry in [*first, *second]) / 2 + miss,
            ),
            componentwise(
                "The last layer feels its target: g is the derivative of the target's term with respect to h,",
                [miss.diff(neuron).subs(dict(zip(h2, two, strict=True)), simultaneous=True) for neuron in h2],
                g2,
                equation(sp.Symbol("g^{(M)}"), 2 * beta * (names["h^{(M)}"] - names["y"])),
            ),
            componentwise(
                "and is propagated back as an error is in any network,",
                [_through(miss, h2, (w * h1 + b).applyfunc(sigma) + xi2 / _root, neuron, h1, one) for neuron in h1],
                g1,
                equation(
                    names["g_j^{(m)}"],
                    sp.Sum(
                        sp.Symbol("W_{ij}") * sp.Symbol("g_i^{(m+1)}") * sigma(sp.Symbol("f_i^{(m+1)}"), 1),
                        (i, 1, n),
                    ),
                ),
            ),
            componentwise(
                "so one pass forward and one pass back give the gradient with respect to the noise.",
                [sp.diff(energy, entry) for entry in noise],
                [*(xi1 + g1 / _root), *(xi2 + g2 / _root)],
                equation(sp.Derivative(beta * H(xi), xi, evaluate=False), xi + back / _root),
            ),
            instance(
                "Without targets nothing is left but the Gaussians: independent draws, from one pass forward.",
                equation(beta * H(sp.Symbol("xi")), sp.Sum(sp.Symbol("xi_i") ** 2, (i, 1, d)) / 2),
                energy.subs(beta, 0),
                sum(entry**2 for entry in noise) / 2,
            ),
        ),
    )


def _through(
    cost: sp.Expr, upper: sp.Matrix, computed: sp.Matrix, neuron: sp.Symbol, lower: sp.Matrix, values: sp.Matrix
) -> sp.Expr:
    """Return the derivative of `cost`, a function of `upper` = `computed`(`lower`), at `lower` = `values`."""
    reached = cost.subs(dict(zip(upper, computed, strict=True)), simultaneous=True)
    return reached.diff(neuron).subs(dict(zip(lower, values, strict=True)), simultaneous=True)
