"""The empirical tangent kernel as a sum over layers of products of two Gram matrices."""

from __future__ import annotations

from itertools import product
from typing import Any

import mpmath
import sympy as sp

from statnn.theory.derivation import Derivation, identity, instance
from statnn.theory.notation import Sigma, matrix, named, vector

SOURCE = "textbook result (Jacot et al. 2018), proved here; trace and entropy after Tovey et al., arXiv 2410.07451"


class Activation(Sigma):
    """The k-th derivative of an arbitrary smooth activation; its values stay small through many layers."""

    @staticmethod
    def _imp_(field: Any, order: Any) -> Any:
        """Return values of an example without symmetry: sin(field + 1) + sin(2 field)/3."""
        turned = order * mpmath.pi / 2
        return mpmath.sin(field + 1 + turned) + 2**order * mpmath.sin(2 * field + turned) / 3


class _Net:
    """Three layers, 2-2-2-2, at one input; parameters are shared by all inputs."""

    weights = matrix("U", 2, 2), matrix("V", 2, 2), matrix("W", 2, 2)
    biases = vector("a", 2), vector("b", 2), vector("c", 2)

    def __init__(self, name: str) -> None:
        self.below = [vector(name, 2)]  # activations below each layer
        self.fields = []
        for weight, bias in zip(self.weights, self.biases, strict=True):
            self.fields.append(weight * self.below[-1] + bias)
            self.below.append(self.fields[-1].applyfunc(lambda field: Activation(field, 0)))

    def slope(self, output: int, parameter: sp.Symbol) -> sp.Expr:
        """Return ∂y/∂(parameter) of an output."""
        return self.below[-1][output - 1].diff(parameter)

    def names(self, mark: str = "") -> dict[sp.Basic, sp.Expr]:
        """Return the meaning of activations below a layer, weights, and derivatives δ with respect to fields."""
        h, delta, weight, field = (sp.IndexedBase(f"{name}{mark}") for name in ("h", r"\delta", "W", "f"))
        meaning = {}
        for layer, (unit, other) in product((1, 2, 3), UNITS):
            meaning[weight[layer, unit, other]] = self.weights[layer - 1][unit - 1, other - 1]
            meaning[h[layer, unit]] = self.below[layer - 1][unit - 1]
            meaning[field[layer, unit]] = self.fields[layer - 1][unit - 1]
            meaning[delta[layer, unit, other]] = self.slope(unit, self.biases[layer - 1][other - 1])
        return meaning


UNITS = tuple(product((1, 2), repeat=2))
m, M, n, i, j, k, l = sp.symbols("m M n i j k l", integer=True)


def tangent_kernel() -> Derivation:
    """Derive the kernel layer by layer, and the entropy of equal eigenvalues."""
    net, second = _Net("x"), _Net("z")
    h, delta, W, f = (sp.IndexedBase(name) for name in ("h", r"\delta", "W", "f"))
    h2, delta2 = (sp.IndexedBase(f"{name}'") for name in ("h", r"\delta"))
    y, kernel = sp.Function("y_{k}"), named(r"\Theta_{k l}")
    names = net.names()
    both = names | second.names("'") | {n: sp.S(2), M: sp.S(3)}
    parameters = [entry for part in (*net.weights, *net.biases) for entry in part]
    size = sp.Symbol("n", integer=True, positive=True)
    return Derivation(
        "tangent-kernel",
        "The tangent kernel from Gram matrices",
        SOURCE,
        "exact",
        (
            instance(
                "The derivative of an output k with respect to a weight of layer m is that with respect to the field "
                "of its unit, times the activation h below it; checked, like what follows, for any activation and "
                "three layers of two units.",
                sp.Derivative(y(W[m, i, j]), W[m, i, j]),
                delta[m, k, i] * h[m, j],
                cases=[
                    names
                    | {
                        m: layer,
                        k: output,
                        i: row,
                        j: column,
                        y(weight[row - 1, column - 1]): net.below[-1][output - 1],
                    }
                    for (layer, weight), (row, column), output in product(enumerate(net.weights, 1), UNITS, (1, 2))
                ],
            ),
            instance(
                "Fields of one layer reach the outputs through the next: the backward recursion.",
                delta[m, k, j],
                Activation(f[m, j], 1) * sp.Sum(W[m + 1, i, j] * delta[m + 1, k, i], (i, 1, n)),
                cases=[names | {m: layer, n: 2, k: output, j: unit} for layer in (1, 2) for output, unit in UNITS],
            ),
            instance(
                "The sum over the parameters of a layer is a product of two factors, to which biases add the 1: no "
                "gradient need be formed. A prime marks the second input of the kernel.",
                kernel,
                sp.Sum(
                    (sp.Sum(h[m, j] * h2[m, j], (j, 1, n)) + 1) * sp.Sum(delta[m, k, i] * delta2[m, l, i], (i, 1, n)),
                    (m, 1, M),
                ),
                cases=[
                    both | {k: a, l: b, kernel: sum(net.slope(a, p) * second.slope(b, p) for p in parameters)}
                    for a, b in UNITS
                ],
            ),
            identity(
                "The entropy of n equal eigenvalues.",
                -sp.Sum(sp.log(1 / size) / size, (j, 1, size)),
                sp.log(size),
                by=lambda gap: sp.simplify(sp.expand_log(gap.doit(), force=True)),
            ),
        ),
        assumes=("the activation has a derivative",),
    )
