"""From widened delta functions to the Hamiltonian, its gradient and its graph of interactions."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from itertools import product

import sympy as sp

from statnn.theory.derivation import Derivation, Step, identity, instance, limit
from statnn.theory.notation import HAMILTONIAN, H, beta, h, i, j, lam, matrix, n, sigma, vector, w, x, y
from statnn.theory.rewriting import by_gaussians

WIDTH = 2
PAIRS = ((1, 1), (1, 2), (2, 1), (2, 2))
UNITS = (1, 2)
SAMPLES = (1, 2, 3)
TARGET = sp.IndexedBase("y")
k, mu, nu = sp.symbols("k mu nu", integer=True)
D = sp.Symbol("D", integer=True, positive=True)


def _layered(name: str) -> Callable[[int], sp.IndexedBase]:
    """Return the names of a quantity in layers m, m+1, ..."""
    return lambda shift: sp.IndexedBase(f"{name}^{{(m{f'{shift:+d}' if shift else ''})}}")


NEURON, F, G, W, BIAS = (_layered(name) for name in "hfgWb")


class Layers:
    """Three layers of two units above clamped inputs, with three samples and free parameters."""

    def __init__(self) -> None:
        self.inputs = [vector(f"x{mu}", WIDTH) for mu in SAMPLES]
        self.targets = [vector(f"y{mu}", WIDTH) for mu in SAMPLES]
        self.neurons = [[vector(f"h{mu}{m}", WIDTH) for mu in SAMPLES] for m in range(3)]
        self.weights = [matrix(f"w{m}", WIDTH, WIDTH) for m in range(3)]
        self.biases = [vector(f"b{m}", WIDTH) for m in range(3)]
        self.weight_scale, self.bias_scale = sp.symbols("sigma_w sigma_b", positive=True)
        self.below = [self.inputs, *self.neurons[:-1]]

    def fields(self, m: int, mu: int) -> sp.Matrix:
        """Return W h + b of one layer and sample."""
        return self.weights[m] * self.below[m][mu] + self.biases[m]

    def gaps(self, m: int, mu: int) -> sp.Matrix:
        """Return h - σ(f)."""
        return self.neurons[m][mu] - self.fields(m, mu).applyfunc(sigma)

    @cached_property
    def energy(self) -> sp.Expr:
        """Return βH, priors included."""
        square = sum(gap**2 for m in range(3) for mu in range(len(SAMPLES)) for gap in self.gaps(m, mu))
        miss = sum(gap**2 for mu in range(len(SAMPLES)) for gap in self.targets[mu] - self.neurons[-1][mu])
        prior = sum(WIDTH * entry**2 / (2 * self.weight_scale**2) for weight in self.weights for entry in weight)
        prior += sum(entry**2 / (2 * self.bias_scale**2) for bias in self.biases for entry in bias)
        return beta * miss + lam * square + prior

    def case(self, m: int, sizes: dict[sp.Symbol, int], *variables: sp.Expr) -> dict[sp.Basic, sp.Expr]:
        """Return the instance in which layer m is the printed one and H is a function of the named `variables`."""
        meaning = self._meaning(m)
        whole = {index: sp.Integer(value) for index, value in sizes.items()}
        values = [meaning[name.xreplace(whole)] for name in variables]
        return whole | {n: WIDTH, D: len(SAMPLES), H(*values): self.energy / beta} | meaning

    def _meaning(self, m: int) -> dict[sp.Basic, sp.Expr]:
        """Return the meaning of names, layers counted from m: neurons, fields, gaps of the first and of each sample."""
        meaning = {TARGET[unit]: self.targets[0][unit - 1] for unit in UNITS}
        for layer in range(3):
            for unit, below in PAIRS:
                meaning[W(layer - m)[unit, below]] = self.weights[layer][unit - 1, below - 1]
            for unit, sample in product(UNITS, SAMPLES):
                parts = {
                    NEURON: self.neurons[layer][sample - 1],
                    F: self.fields(layer, sample - 1),
                    G: self.gaps(layer, sample - 1),
                }
                for name, values in parts.items():
                    meaning[name(layer - m)[unit, sample]] = values[unit - 1]
                    if sample == 1:
                        meaning[name(layer - m)[unit]] = values[unit - 1]
            meaning |= {BIAS(layer - m)[unit]: self.biases[layer][unit - 1] for unit in UNITS}
        return meaning


def _widened() -> tuple[Step, ...]:
    k, r = sp.symbols("k r", real=True)
    density = sp.sqrt(lam / sp.pi) * sp.exp(-lam * r**2)
    line = (r, -sp.oo, sp.oo)
    fourier = sp.exp(-(k**2) / (4 * lam))
    weight = sp.exp(-beta * (y - h) ** 2) * sp.exp(-lam * (h - sigma(sp.Symbol("f", real=True))) ** 2)
    return (
        identity(
            "A delta function is widened to a Gaussian of weight one",
            sp.Integral(density, line),
            sp.S.One,
            by=by_gaussians,
        ),
        identity(
            "and variance 1/(2λ): every layer adds noise of this variance to each neuron.",
            sp.Integral(r**2 * density, line),
            1 / (2 * lam),
            by=by_gaussians,
        ),
        identity("Its Fourier transform", sp.Integral(sp.cos(k * r) * density, line), fourier, by=by_gaussians),
        limit(
            "tends to that of the delta function: λ → ∞ gives back the network.",
            sp.Limit(fourier, lam, sp.oo),
            sp.S.One,
        ),
        identity(
            "Minus the logarithm of a product of such factors is a sum over layers; with r = h − σ(f) it is the "
            "Hamiltonian, for one layer and one sample.",
            beta * H(h),
            beta * (y - h) ** 2 + lam * (h - sigma(sp.Symbol("f", real=True))) ** 2,
            where={H(h): -sp.log(weight) / beta},
            by=lambda gap: sp.expand(sp.expand_log(gap, force=True)),
        ),
    )


def _gradient() -> tuple[Step, ...]:
    net, slope = Layers(), sp.Symbol("sigma_w", positive=True)
    cost = G(0)[i, mu] * sigma(F(0)[i, mu], 1)
    own = 2 * lam * G(0)[j]
    return (
        instance(
            "A hidden neuron is pulled towards what the layer below computes, and by every gap g = h − σ(f) of the "
            "layer above, f = Wh + b being the field; checked for every neuron j of the first of three layers of two "
            "units, with three samples.",
            sp.Derivative(beta * H(NEURON(0)[j]), NEURON(0)[j]),
            own - 2 * lam * sp.Sum(W(1)[i, j] * G(1)[i] * sigma(F(1)[i], 1), (i, 1, n)),
            cases=[net.case(0, {j: unit}, NEURON(0)[j]) for unit in UNITS],
        ),
        instance(
            "A neuron of the last layer feels the target instead.",
            sp.Derivative(beta * H(NEURON(0)[j]), NEURON(0)[j]),
            own + 2 * beta * (NEURON(0)[j] - TARGET[j]),
            cases=[net.case(2, {j: unit}, NEURON(0)[j]) for unit in UNITS],
        ),
        instance(
            "A weight collects the same cost of its field times the neuron below, summed over D samples μ, and the "
            "term of its prior of variance σ²/n.",
            sp.Derivative(beta * H(W(0)[i, j]), W(0)[i, j]),
            -2 * lam * sp.Sum(cost * NEURON(-1)[j, mu], (mu, 1, D)) + n * W(0)[i, j] / slope**2,
            cases=[net.case(1, {i: above, j: below}, W(0)[i, j]) for above, below in PAIRS],
        ),
        instance(
            "For a bias the factor of the neuron is absent.",
            sp.Derivative(beta * H(BIAS(0)[i]), BIAS(0)[i]),
            -2 * lam * sp.Sum(cost, (mu, 1, D)) + BIAS(0)[i] / sp.Symbol("sigma_b", positive=True) ** 2,
            cases=[net.case(1, {i: unit}, BIAS(0)[i]) for unit in UNITS],
        ),
    )


def _locality() -> tuple[Step, ...]:
    net = Layers()
    low, high, top = NEURON(0)[j], NEURON(1)[k], NEURON(2)[k]
    beside, here, there = NEURON(0)[k], NEURON(0)[j, mu], NEURON(0)[k, nu]
    bend = sigma(F(1)[i], 1) ** 2 - G(1)[i] * sigma(F(1)[i], 2)

    def mixed(a: sp.Expr, b: sp.Expr) -> sp.Expr:
        return sp.Derivative(beta * H(a, b), a, b)

    def cases(a: sp.Expr, b: sp.Expr) -> list[dict[sp.Basic, sp.Expr]]:
        """Return the derivatives with respect to every pair of two neurons, of samples 1 and 2."""
        pairs = [pair for pair in PAIRS if b != beside or pair[0] != pair[1]]
        return [net.case(0, {j: first, k: second, mu: 1, nu: 2}, a, b) for first, second in pairs]

    return (
        instance(
            "The Hamiltonian is local in the layer index: neurons of layers m and m+2 do not interact;",
            mixed(low, top),
            sp.S.Zero,
            cases=cases(low, top),
        ),
        instance(
            "neurons of neighbouring layers interact through their weight and the slope of the activation;",
            mixed(low, high),
            -2 * lam * W(1)[k, j] * sigma(F(1)[k], 1),
            cases=cases(low, high),
        ),
        instance(
            "neurons of one layer interact through every unit above them,",
            mixed(low, beside),
            2 * lam * sp.Sum(W(1)[i, j] * W(1)[i, k] * bend, (i, 1, n)),
            cases=cases(low, beside),
        ),
        instance(
            "and a neuron with itself in the same way, on top of its own stiffness.",
            sp.Derivative(beta * H(low), low, 2),
            2 * lam * (1 + sp.Sum(W(1)[i, j] ** 2 * bend, (i, 1, n))),
            cases=[net.case(0, {j: unit}, low) for unit in UNITS],
        ),
        instance(
            "Neurons of different samples do not interact while the weights are held fixed.",
            mixed(here, there),
            sp.S.Zero,
            cases=cases(here, there),
        ),
    )


def _integrated() -> tuple[Step, ...]:
    top = sp.Symbol("h'", real=True)
    centre = (x + w * top) / (1 + w**2)
    square = (h - x) ** 2 + (top - w * h) ** 2
    left = (top - w * x) ** 2 / (1 + w**2)
    return (
        identity(
            "To integrate a neuron out is to complete a square, here for a linear chain:",
            square,
            (1 + w**2) * (h - centre) ** 2 + left,
        ),
        identity(
            "its neighbours interact directly afterwards, and their noise has added up to (1 + w²)/(2λ).",
            sp.Integral(lam / sp.pi * sp.exp(-lam * square), (h, -sp.oo, sp.oo)),
            sp.sqrt(lam / (sp.pi * (1 + w**2))) * sp.exp(-lam * (top - w * x) ** 2 / (1 + w**2)),
            by=by_gaussians,
        ),
    )


def hamiltonian() -> Derivation:
    """Derive βH, its gradient, its locality and the effect of integrating out a neuron."""
    return Derivation(
        "hamiltonian",
        "Neurons as dynamic degrees of freedom: the Hamiltonian, its gradient, its locality",
        HAMILTONIAN,
        "own",
        (*_widened(), *_gradient(), *_locality(), *_integrated()),
        assumes=("every δ of a layer is widened to a Gaussian of one variance", "the activation has two derivatives"),
    )
