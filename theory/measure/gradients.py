"""The empirical tangent kernel as a sum over layers of products of two Gram matrices."""

from itertools import product

import sympy as sp

from statnn.theory.derivation import Derivation, equation, identity
from statnn.theory.notation import componentwise, matrix, named, sigma, vector

SOURCE = "textbook result (Jacot et al. 2018), proved here; trace and entropy after Tovey et al., arXiv 2410.07451"


class _Net:
    """Two layers, 2-2-2, at one input: parameters are shared by all inputs."""

    first, last = matrix("W", 2, 2), matrix("V", 2, 2)
    shift, end = vector("b", 2), vector("c", 2)

    def __init__(self, name: str) -> None:
        self.x = vector(name, 2)
        self.below = self.first * self.x + self.shift
        self.h = self.below.applyfunc(sigma)
        self.above = self.last * self.h + self.end
        self.y = self.above.applyfunc(sigma)

    def deltas(self) -> tuple[sp.Matrix, sp.Matrix]:
        """Return ∂y_k/∂fields of both layers by the backward recursion, rows k."""
        top = sp.diag(*self.above.applyfunc(lambda f: sigma(f, 1)))
        return top * self.last * sp.diag(*self.below.applyfunc(lambda f: sigma(f, 1))), top


def tangent_kernel() -> Derivation:
    """Derive the kernel layer by layer, and the ends of its entropy."""
    one, two = _Net("x"), _Net("z")
    parameters = [*one.first, *one.last, *one.shift, *one.end]
    low, top = one.deltas()
    low_two, top_two = two.deltas()
    gram_in, gram_h = (one.x.T * two.x)[0] + 1, (one.h.T * two.h)[0] + 1
    pairs = list(product(range(2), repeat=2))
    direct = [sum(one.y[k].diff(p) * two.y[q].diff(p) for p in parameters) for k, q in pairs]
    factored = [
        gram_in * (low[k, :] * low_two[q, :].T)[0] + gram_h * (top[k, :] * top_two[q, :].T)[0] for k, q in pairs
    ]
    delta, kernel = named(r"\delta_{k}^{(m)}"), named(r"\Theta_{k k'}(\mu, \nu)")
    n = sp.Symbol("n", integer=True, positive=True)
    j = sp.Symbol("j", integer=True)
    return Derivation(
        "tangent-kernel",
        "The tangent kernel from Gram matrices",
        SOURCE,
        "exact",
        (
            componentwise(
                "The derivative with respect to a weight is the derivative with respect to the field of its unit times "
                "the activation below it; checked for any activation, two layers of two units.",
                [one.y[k].diff(one.first[i, q]) for k in range(2) for i, q in pairs],
                [low[k, i] * one.x[q] for k in range(2) for i, q in pairs],
                equation(
                    named(r"\frac{\partial y_{k}}{\partial W_{ij}^{(m)}}"), named(r"\delta_{k i}^{(m)} h_{j}^{(m)}")
                ),
            ),
            componentwise(
                "Fields of one layer reach the outputs through the next: the backward recursion.",
                [one.y[k].diff(one.shift[i]) for k, i in pairs],
                [low[k, i] for k, i in pairs],
                equation(delta, named(r"\sigma'(f^{(m)})\, W^{(m+1) T} \delta_{k}^{(m+1)}")),
            ),
            componentwise(
                "In the sum over the weights of a layer the two factors separate, and biases add the 1: no gradient "
                "need be formed.",
                direct,
                factored,
                equation(
                    kernel,
                    named(
                        r"\sum_{m} \left(h^{(m)}(\mu) \cdot h^{(m)}(\nu) + 1\right) "
                        r"\delta_{k}^{(m)}(\mu) \cdot \delta_{k'}^{(m)}(\nu)"
                    ),
                ),
            ),
            identity(
                "The entropy of n equal eigenvalues.",
                sp.Sum(-sp.log(1 / n) / n, (j, 1, n)),
                sp.log(n),
                by=lambda gap: sp.simplify(sp.expand_log(gap.doit(), force=True)),
            ),
        ),
    )
