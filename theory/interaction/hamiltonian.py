"""From widened delta functions to the Hamiltonian, its gradient and what interacts with what."""

import sympy as sp

from statnn.theory.derivation import Derivation, Step, equation, identity, instance, limit
from statnn.theory.notation import (
    HAMILTONIAN,
    H,
    beta,
    componentwise,
    h,
    i,
    lam,
    matrix,
    n,
    sigma,
    vector,
    w,
    x,
    y,
)
from statnn.theory.rewriting import by_antiderivative, by_exponents

WIDTH = 2
_f, _g, _s = sp.symbols("f_i g_i s_i")  # a field, its gap h - σ(f), for display
_W, _V = sp.Symbol("W_{ij}"), sp.Symbol("W_{ik}")
_hj, _hk = sp.symbols("h_j h_k")


class Layers:
    """Three layers of two units above clamped inputs, two samples, everything free."""

    def __init__(self) -> None:
        self.inputs = [vector(f"x{mu}", WIDTH) for mu in "ab"]
        self.targets = [vector(f"y{mu}", WIDTH) for mu in "ab"]
        self.neurons = [[vector(f"h{mu}{m}", WIDTH) for mu in "ab"] for m in range(3)]
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

    def energy(self) -> sp.Expr:
        """Return βH, priors included."""
        square = sum(gap**2 for m in range(3) for mu in range(2) for gap in self.gaps(m, mu))
        miss = sum(gap**2 for mu in range(2) for gap in self.targets[mu] - self.neurons[-1][mu])
        prior = sum(WIDTH * entry**2 / (2 * self.weight_scale**2) for weight in self.weights for entry in weight)
        prior += sum(entry**2 / (2 * self.bias_scale**2) for bias in self.biases for entry in bias)
        return beta * miss + lam * square + prior

    def costs(self, m: int, mu: int) -> sp.Matrix:
        """Return what a change of the fields of a layer costs, -2λ(h-σ)σ'."""
        gaps, fields = self.gaps(m, mu), self.fields(m, mu)
        return sp.Matrix([-2 * lam * gap * sigma(field, 1) for gap, field in zip(gaps, fields, strict=True)])


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
            by=sp.simplify,
        ),
        identity(
            "and variance 1/(2λ): every layer adds noise of this variance to each neuron.",
            sp.Integral(r**2 * density, line),
            1 / (2 * lam),
        ),
        identity("Its Fourier transform", sp.Integral(sp.cos(k * r) * density, line), fourier),
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
    net, mu = Layers(), 0
    energy = net.energy()
    hidden, last = net.neurons[0][mu], net.neurons[2][mu]
    back = net.weights[1].T * net.costs(1, mu)
    weights, biases = net.weights[1], net.biases[1]
    each = [net.costs(1, sample) * net.below[1][sample].T for sample in range(2)]
    slope = sp.Symbol("sigma_w", positive=True)
    total = sp.Symbol("D", integer=True, positive=True)
    count = sp.Symbol("mu", integer=True)
    cost = _g * sigma(_f, 1)
    return (
        componentwise(
            "A hidden neuron is pulled to what the layer below computes, and by every gap g = h − σ(f) above it; "
            "shown per neuron j, checked for three layers of two units and two samples.",
            [energy.diff(neuron) for neuron in hidden],
            2 * lam * net.gaps(0, mu) + back,
            equation(
                sp.Derivative(beta * H(_hj), _hj, evaluate=False),
                2 * lam * sp.Symbol("g_j") - 2 * lam * sp.Sum(_W * cost, (i, 1, n)),
            ),
        ),
        componentwise(
            "A neuron of the last layer feels the target instead.",
            [energy.diff(neuron) for neuron in last],
            2 * lam * net.gaps(2, mu) + 2 * beta * (last - net.targets[mu]),
            equation(
                sp.Derivative(beta * H(_hj), _hj, evaluate=False),
                2 * lam * sp.Symbol("g_j") + 2 * beta * (_hj - sp.Symbol("y_j")),
            ),
        ),
        componentwise(
            "A weight collects the same cost of its field times the neuron below, over D samples μ, and its prior "
            "of variance σ²/n.",
            [energy.diff(weight) for weight in weights],
            each[0] + each[1] + WIDTH * weights / net.weight_scale**2,
            equation(
                sp.Derivative(beta * H(_W), _W, evaluate=False),
                -2 * lam * sp.Sum(_hj * cost, (count, 1, total)) + n * _W / slope**2,
            ),
        ),
        componentwise(
            "A bias does without the neuron.",
            [energy.diff(bias) for bias in biases],
            net.costs(1, 0) + net.costs(1, 1) + biases / net.bias_scale**2,
            equation(
                sp.Derivative(beta * H(sp.Symbol("b_i")), sp.Symbol("b_i"), evaluate=False),
                -2 * lam * sp.Sum(cost, (count, 1, total))
                + sp.Symbol("b_i") / sp.Symbol("sigma_b", positive=True) ** 2,
            ),
        ),
    )


def _locality() -> tuple[Step, ...]:
    net, mu = Layers(), 0
    energy = net.energy()
    first, second, third = (net.neurons[m][mu] for m in range(3))
    fields, gaps, above = net.fields(1, mu), net.gaps(1, mu), net.weights[1]
    bend = [sigma(field, 1) ** 2 - gap * sigma(field, 2) for field, gap in zip(fields, gaps, strict=True)]
    inside = sum(above[row, 0] * above[row, 1] * bend[row] for row in range(WIDTH))
    own = 2 * lam * (1 + sum(above[row, 0] ** 2 * bend[row] for row in range(WIDTH)))
    bent = sigma(_f, 1) ** 2 - _g * sigma(_f, 2)
    names = sp.symbols("h_j^{(m)} h_k^{(m+1)} h_k^{(m+2)}")

    def mixed(one: sp.Symbol, other: sp.Symbol) -> sp.Expr:
        return sp.Derivative(beta * H(one, other), one, other, evaluate=False)

    return (
        componentwise(
            "The Hamiltonian is local in the layer index: neurons of layers m and m+2 do not interact;",
            [energy.diff(one, other) for one in first for other in third],
            [sp.S.Zero] * WIDTH**2,
            equation(mixed(names[0], names[2]), sp.S.Zero),
        ),
        componentwise(
            "neurons of neighbouring layers interact through their weight and the slope of the activation;",
            [energy.diff(first[col], second[row]) for row in range(WIDTH) for col in range(WIDTH)],
            [-2 * lam * above[row, col] * sigma(fields[row], 1) for row in range(WIDTH) for col in range(WIDTH)],
            equation(mixed(names[0], names[1]), -2 * lam * sp.Symbol("W_{kj}") * sigma(sp.Symbol("f_k"), 1)),
        ),
        instance(
            "neurons of one layer interact through every unit above them,",
            equation(mixed(_hj, _hk), 2 * lam * sp.Sum(_W * _V * bent, (i, 1, n))),
            energy.diff(first[0], first[1]),
            2 * lam * inside,
        ),
        instance(
            "and a neuron with itself in the same way, on top of its own stiffness.",
            equation(
                sp.Derivative(beta * H(_hj), _hj, 2, evaluate=False),
                2 * lam * (1 + sp.Sum(_W**2 * bent, (i, 1, n))),
            ),
            energy.diff(first[0], 2),
            own,
        ),
        instance(
            "Neurons of different samples do not interact while the weights are held.",
            equation(mixed(*sp.symbols(r"h_j^{\mu} h_k^{\nu}")), sp.S.Zero),
            energy.diff(net.neurons[0][0][0], net.neurons[0][1][0]),
            sp.S.Zero,
        ),
    )


def _integrated() -> tuple[Step, ...]:
    top = sp.Symbol("h'", real=True)
    centre = (x + w * top) / (1 + w**2)
    square = (h - x) ** 2 + (top - w * h) ** 2
    left = (top - w * x) ** 2 / (1 + w**2)
    root = sp.sqrt(lam * (1 + w**2))
    part = sp.sqrt(sp.pi) / (2 * root) * sp.erf(root * (h - centre)) * lam / sp.pi * sp.exp(-lam * left)
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
            by=by_antiderivative(part, h, by_exponents(sp.exp(-lam * square))),
        ),
    )


def hamiltonian() -> Derivation:
    """Derive βH, its gradient, its locality and what integrating a neuron out does."""
    return Derivation(
        "hamiltonian",
        "Neurons as dynamic degrees of freedom: the Hamiltonian, its gradient, its locality",
        HAMILTONIAN,
        "own",
        (*_widened(), *_gradient(), *_locality(), *_integrated()),
    )
