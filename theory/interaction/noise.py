"""The noise of every layer as coordinates, which makes stiff neurons easy to sample."""

from __future__ import annotations

from collections.abc import Mapping

import sympy as sp

from statnn.theory.derivation import Derivation, Step, instance
from statnn.theory.interaction.hamiltonian import NEURON, PAIRS, UNITS, F, G, W
from statnn.theory.notation import HAMILTONIAN, H, beta, i, j, lam, matrix, n, named, sigma, vector

ROOT = sp.sqrt(2 * lam)
TARGET, NOISE, LAST, TOP = (sp.IndexedBase(name) for name in ("y", r"\xi", "h^{(M)}", "g^{(M)}"))
XI = sp.IndexedBase(r"\xi^{(m)}")
xi = sp.Symbol("xi", real=True)
d = sp.Symbol("d", integer=True, positive=True)

Case = dict[sp.Basic, sp.Expr]


class Layers:
    """Two layers of two units, in neurons and, by a forward pass, in their noise."""

    def __init__(self) -> None:
        self.x, self.y = vector("x", 2), vector("y", 2)
        self.weights, self.biases = (matrix("v", 2, 2), matrix("w", 2, 2)), (vector("a", 2), vector("b", 2))
        self.neurons, self.noise = (vector("h", 2), vector("g", 2)), (vector("xi", 2), vector("eta", 2))
        self.forward: Case = {}
        for m in range(2):
            drawn = self.field(m).xreplace(self.forward).applyfunc(sigma) + self.noise[m] / ROOT
            self.forward |= dict(zip(self.neurons[m], drawn, strict=True))
        self.miss = beta * sum(gap**2 for gap in self.y - self.neurons[1])
        self.gaps = [self.neurons[m] - self.field(m).applyfunc(sigma) for m in range(2)]
        self.energy = lam * sum(gap**2 for both in self.gaps for gap in both) + self.miss

    def field(self, m: int) -> sp.Matrix:
        """Return the fields of a layer, in neurons."""
        return self.weights[m] * (self.neurons[0] if m else self.x) + self.biases[m]

    def error(self, m: int, unit: int) -> sp.Expr:
        """Return the derivative of the target's term by a neuron, in noise coordinates: those above depend on it."""
        computed = self.field(1).applyfunc(sigma) + self.noise[1] / ROOT
        above = {} if m else dict(zip(self.neurons[1], computed, strict=True))
        return self.miss.xreplace(above).diff(self.neurons[m][unit - 1]).xreplace(self.forward)


def _coordinates(net: Layers) -> tuple[Step, ...]:
    above = NEURON(1)[j]
    xi_of, det = sp.Function(r"\xi_i^{(m)}"), named(r"\det J")
    noise = [ROOT * gap for both in net.gaps for gap in both]
    jacobian = sp.Matrix(noise).jacobian([*net.neurons[0], *net.neurons[1]])
    return (
        instance(
            "Measure every gap h − σ(f), with f = Wh + b from the layer below, in units of its noise, and read the "
            "neurons back layer by layer: the map can be inverted. Checked, like all that follows, for two layers of "
            "two units.",
            XI[i],
            ROOT * (NEURON(0)[i] - sigma(F(0)[i])),
            cases=[
                {
                    i: unit,
                    XI[unit]: net.noise[m][unit - 1],
                    NEURON(0)[unit]: net.forward[net.neurons[m][unit - 1]],
                    F(0)[unit]: net.field(m)[unit - 1].xreplace(net.forward),
                }
                for m, unit in _every()
            ],
        ),
        instance(
            "The noise of a layer does not depend on the layers above it: the Jacobian is triangular,",
            sp.Derivative(xi_of(above), above),
            sp.S.Zero,
            cases=[
                {
                    j: upper,
                    NEURON(1)[upper]: net.neurons[1][upper - 1],
                    xi_of(net.neurons[1][upper - 1]): noise[lower - 1],
                }
                for lower, upper in PAIRS
            ],
        ),
        instance(
            "and its determinant is a constant, for d neurons in all: no term is added to the energy.",
            det,
            (2 * lam) ** (d / 2),
            cases=[{d: 4, det: jacobian.det()}],
        ),
        instance(
            "The stiff part of the energy becomes that of independent standard Gaussians, whatever λ.",
            beta * H(xi),
            sp.Sum(NOISE[i] ** 2, (i, 1, d)) / 2 + beta * sp.Sum((TARGET[j] - LAST[j]) ** 2, (j, 1, n)),
            cases=[_whole(net, noise, {}) | {H(xi): net.energy / beta}],
        ),
    )


def _gradient(net: Layers) -> tuple[Step, ...]:
    energy = net.energy.xreplace(net.forward)
    back = {G(0)[unit]: net.error(0, unit) for unit in UNITS}
    up = {G(1)[unit]: net.error(1, unit) for unit in UNITS}
    up |= {F(1)[unit]: net.field(1)[unit - 1].xreplace(net.forward) for unit in UNITS}
    up |= {W(1)[place]: net.weights[1][place[0] - 1, place[1] - 1] for place in PAIRS}
    free = [*net.noise[0], *net.noise[1]]
    return (
        instance(
            "The last layer feels its target: g is the derivative of the target's term with respect to h,",
            TOP[j],
            2 * beta * (LAST[j] - TARGET[j]),
            cases=[_whole(net, free, net.forward) | {j: unit, TOP[unit]: net.error(1, unit)} for unit in UNITS],
        ),
        instance(
            "and is propagated back as an error is in any network,",
            G(0)[j],
            sp.Sum(W(1)[i, j] * G(1)[i] * sigma(F(1)[i], 1), (i, 1, n)),
            cases=[back | up | {n: 2, j: unit} for unit in UNITS],
        ),
        instance(
            "so one pass forward and one pass back give the gradient with respect to the noise.",
            sp.Derivative(beta * H(XI[i]), XI[i]),
            XI[i] + G(0)[i] / ROOT,
            cases=[
                {
                    i: unit,
                    XI[unit]: net.noise[m][unit - 1],
                    H(net.noise[m][unit - 1]): energy / beta,
                    G(0)[unit]: net.error(m, unit),
                }
                for m, unit in _every()
            ],
        ),
        instance(
            "Without targets nothing is left but the Gaussians: independent draws, from one pass forward.",
            beta * H(xi),
            sp.Sum(NOISE[i] ** 2, (i, 1, d)) / 2,
            cases=[_whole(net, free, net.forward) | {H(xi): (energy - net.miss.xreplace(net.forward)) / beta}],
        ),
    )


def _every() -> list[tuple[int, int]]:
    """Return every unit of every layer."""
    return [(m, unit) for m in range(2) for unit in UNITS]


def _whole(net: Layers, noise: list[sp.Expr], values: Mapping[sp.Basic, sp.Expr]) -> Case:
    """Return the sizes, the targets, the last layer and all noise."""
    names: Case = {d: 4, n: 2} | {NOISE[place]: value for place, value in enumerate(noise, 1)}
    for unit in UNITS:
        names |= {TARGET[unit]: net.y[unit - 1], LAST[unit]: net.neurons[1][unit - 1].xreplace(values)}
    return names


def noise_coordinates() -> Derivation:
    """Derive the Jacobian, the energy and the gradient in the noise coordinates."""
    net = Layers()
    return Derivation(
        "noise-coordinates",
        "The noise of the layers as coordinates",
        HAMILTONIAN,
        "own",
        (*_coordinates(net), *_gradient(net)),
        uses=("hamiltonian",),
    )
