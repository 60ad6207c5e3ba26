"""Results for interacting neurons and their Monte Carlo as formulas."""

from __future__ import annotations

import sympy as sp

from statnn.theory.closed_form import Formula
from statnn.theory.interaction.autocorrelation import MEAN_VARIANCE, TAU, rho
from statnn.theory.interaction.chain import EIGENVALUES
from statnn.theory.interaction.tempering import SWAP, SYMBOLS
from statnn.theory.interaction.torus import CRITICAL, cosh_mode
from statnn.theory.interaction.weights import NOISE
from statnn.theory.notation import HAMILTONIAN, TEXTBOOK, H, K, T, beta, expected, h, lam, named, spread, w, x, y
from statnn.theory.variable import Variable

_ROOM, _WALKS = "statnn.interaction.", "statnn.montecarlo."
_LATTICE = "textbook result (Onsager 1944, Kaufman 1949)"
F, s = sp.symbols("F s", real=True)
n, m, M, r, l, R, C = sp.symbols("n m M r l R C", integer=True, positive=True)
scale, theta = sp.Symbol("sigma_w", positive=True), sp.Symbol("theta", real=True)

_STIFF = Variable(lam, "0 < lambda < oo", "stiffness: a layer adds noise of variance 1/(2 lambda)")
_BETA = Variable(beta, "0 < beta < oo", "weight of the target")
_NEURON = Variable(h, "-oo < h < oo", "neuron")
_TARGET = Variable(y, "-oo < y < oo", "target")
_COMPUTED = Variable(s, "-oo < s < oo", "what the network computes from the layer below, sigma(f)")
_COUPLING = Variable(K, "-oo < K < oo", "coupling over temperature")
_FERRO = Variable(K, "0 < K < oo", "coupling over temperature")
_FIELD = Variable(h, "-oo < h < oo", "field over temperature")
_SPINS = Variable(n, "2 <= n < oo, whole", "spins")
_RING = Variable(n, "3 <= n < oo, whole", "spins")

_DYNAMIC = (
    Formula("dynamic.energy", beta * H(h), beta * (y - h) ** 2 + lam * (h - s) ** 2,
            (_BETA, _STIFF, _NEURON, _TARGET, _COMPUTED),
            "Hamiltonian of a neuron of the last layer in one sample; a sum over neurons, layers and samples",
            "Lee, Lee & Yi 2024, arXiv 2410.00396", "paper", "hamiltonian", _ROOM + "DynamicNeurons.energy", main=True),
    Formula("dynamic.gradient", sp.Derivative(beta * H(h), h), 2 * lam * (h - s) - 2 * beta * (y - h),
            (_BETA, _STIFF, _NEURON, _TARGET, _COMPUTED), "derivative of the Hamiltonian with respect to a neuron of "
                                                          "the last layer",
            HAMILTONIAN, "exact", "hamiltonian", _ROOM + "DynamicNeurons.gradient"),
    Formula("dynamic.prior", named(r"-\ln p(w)"), n * w**2 / (2 * scale**2),
            (Variable(n, "1 <= n < oo, whole", "fan-in"), Variable(w, "-oo < w < oo", "free weight"),
             Variable(scale, "0 < sigma_w < oo", "standard deviation of the weights times the root of the fan-in")),
            "what a free weight adds to the Hamiltonian", HAMILTONIAN, "own", "hamiltonian", _ROOM + "Prior"),
)  # fmt: skip


def _layer_variance(layer: sp.Expr) -> sp.Expr:
    """Return the variance that the noise of this many layers builds up."""
    return (1 - w ** (2 * layer)) / (1 - w**2) / (2 * lam)


_deep, _total = _layer_variance(M), _layer_variance(M) + 1 / (2 * beta)
_shared = w ** (M - m) * _layer_variance(m)
_miss = (y - w**M * x) ** 2 / (2 * _total)
_log_det = M * sp.log(2 * lam) + sp.log(1 + 2 * beta * _deep)
_LINEAR = (
    Variable(M, "1 <= M < oo, whole", "layers of one linear neuron without bias"),
    Variable(m, "1 <= m <= M, whole", "layer"), Variable(w, "-1 < w < 1", "weight"),
    Variable(x, "-oo < x < oo", "input"), _TARGET, _BETA, _STIFF,
)  # fmt: skip


def _linear(name: str, left: sp.Expr, expression: sp.Expr, text: str, *, main: bool = False) -> Formula:
    path = _ROOM + ("ExactGaussian.entropy" if name == "entropy" else "DynamicNeurons.exact")
    return Formula(f"linear-neurons.{name}", left, expression, _LINEAR, text, HAMILTONIAN, "exact", "stiffness", path,
                   main=main)  # fmt: skip


_LINEAR_NEURONS = (
    _linear("variance", spread("h_{m}"), _layer_variance(m), "variance of a neuron without a target", main=True),
    _linear("covariance", named(r"\operatorname{Cov}[h_{m}, h_{M}]"), _shared,
            "covariance of a neuron with the last one, without a target"),
    _linear("mean-given-target", expected(r"h_{m} \mid y"), w**m * x + _shared * (y - w**M * x) / _total,
            "mean of a neuron, pulled by a target on the last one"),
    _linear("variance-given-target", spread(r"h_{m} \mid y"), _layer_variance(m) - _shared**2 / _total,
            "variance of a neuron, given a target on the last one"),
    _linear("energy", expected(r"\beta H"), _miss + sp.Rational(1, 2) * M, "mean of the Hamiltonian with a target"),
    _linear("log-partition", sp.log(named("Z")), M * sp.log(2 * sp.pi) / 2 - _miss - _log_det / 2,
            "logarithm of the partition function with a target"),
    _linear("entropy", named("S"), M * sp.log(2 * sp.pi * sp.E) / 2 - _log_det / 2,
            "differential entropy of the neurons, given a target"),
)  # fmt: skip

_REGRESSION = (Variable(x, "-oo < x < oo", "input"), _TARGET, _BETA, _STIFF,
               Variable(scale, "0 < sigma_w < oo", "standard deviation of the prior of the weight"))  # fmt: skip
_LINEAR_WEIGHTS = (
    Formula("linear-weights.mean", expected(r"w \mid y"), x * y * scale**2 / (x**2 * scale**2 + NOISE), _REGRESSION,
            "mean of the free weight of one linear neuron, given one sample: ridge regression", HAMILTONIAN, "own",
            "gaussian-weights", _ROOM + "DynamicNeurons.exact", main=True),
    Formula("linear-weights.variance", spread(r"w \mid y"), scale**2 * NOISE / (x**2 * scale**2 + NOISE), _REGRESSION,
            "variance of that weight", HAMILTONIAN, "own", "gaussian-weights", _ROOM + "DynamicNeurons.exact"),
)  # fmt: skip

# -- chains and rings ------------------------------------------------------------------------------------

_up, _down = EIGENVALUES
_tanh = sp.tanh(K)
_CHAINS = (
    Formula("chain.log-partition", sp.log(named("Z")), sp.log(2) + (n - 1) * sp.log(2 * sp.cosh(K)),
            (_SPINS, _COUPLING), "logarithm of the partition function of an open chain without field", TEXTBOOK,
            "exact", "transfer-matrix", _ROOM + "BinaryNeurons.exact"),
    Formula("chain.energy", named("E / T"), -(n - 1) * K * _tanh, (_SPINS, _COUPLING),
            "mean energy of an open chain over its temperature", TEXTBOOK, "exact", "transfer-matrix",
            _ROOM + "BinaryNeurons.exact"),
    Formula("chain.heat-capacity", named("C"), (n - 1) * (K / sp.cosh(K)) ** 2, (_SPINS, _COUPLING),
            "heat capacity of an open chain", TEXTBOOK, "exact", "transfer-matrix", _ROOM + "BinaryNeurons.exact"),
    Formula("chain.correlation", expected("s_{1} s_{n}"), _tanh ** (n - 1), (_SPINS, _COUPLING),
            "correlation of the ends of an open chain", TEXTBOOK, "exact", "transfer-matrix",
            _ROOM + "BinaryNeurons.exact"),
    Formula("chain.free-energy", named("F"), -T * (sp.log(2) + (n - 1) * sp.log(2 * sp.cosh(K))),
            (_SPINS, _COUPLING, Variable(T, "0 < T < oo", "temperature")), "free energy of an open chain", TEXTBOOK,
            "exact", "transfer-matrix", _ROOM + "Exact.free_energy"),
    Formula("ring.log-partition", sp.log(named("Z")), sp.log(_up**n + _down**n), (_RING, _COUPLING, _FIELD),
            "logarithm of the partition function of a ring", TEXTBOOK, "exact", "transfer-matrix",
            _ROOM + "BinaryNeurons.exact", main=True),
    Formula("ring.correlation", expected("s_{0} s_{r}"), (_tanh**r + _tanh ** (n - r)) / (1 + _tanh**n),
            (_RING, _FERRO, Variable(r, "0 <= r <= n, whole", "distance")), "correlation on a ring without field",
            TEXTBOOK, "exact", "transfer-matrix", _ROOM + "BinaryNeurons.exact"),
)  # fmt: skip

# -- the square lattice ----------------------------------------------------------------------------------

_grow = sp.exp(K)
_bulk = sp.log(2 * sp.sinh(2 * K)) / 2 + sp.Integral(sp.acosh(cosh_mode(_grow, sp.cos(theta))), (theta, 0, sp.pi)) / (
    2 * sp.pi
)
_modulus = 2 * sp.sinh(2 * K) / sp.cosh(2 * K) ** 2
_per_spin = -sp.coth(2 * K) * (1 + 2 / sp.pi * (2 * sp.tanh(2 * K) ** 2 - 1) * sp.elliptic_k(_modulus**2))


def _half_angle(mode: sp.Expr) -> sp.Expr:
    """Return Mγ/2 of a mode, M rows."""
    return R * sp.acosh(cosh_mode(_grow, sp.cos(sp.pi * mode / C))) / 2


def _kaufman() -> sp.Expr:
    """Return ln Z of the torus: the modes 1, 3, ... and 0, 2, ..., the first of which is signed."""
    first = R * (2 * K + sp.log(_tanh)) / 2
    odd, even = ((l, 0, C - 1), 2 * l + 1), ((l, 1, C - 1), 2 * l)
    terms = [sp.Product(2 * of(_half_angle(odd[1])), odd[0]) for of in (sp.cosh, sp.sinh)]
    terms += [2 * of(first) * sp.Product(2 * of(_half_angle(even[1])), even[0]) for of in (sp.cosh, sp.sinh)]
    return sp.log(sp.Add(*terms) / 2) + R * C * sp.log(2 * sp.sinh(2 * K)) / 2


_TORUS = (Variable(R, "2 <= R < oo, whole", "rows"), Variable(C, "2 <= C < oo, whole", "columns"), _FERRO)
_SQUARE = (
    Formula("onsager.log-partition", named(r"\frac{1}{N} \ln Z"), _bulk, (_FERRO,),
            "logarithm of the partition function per spin of the infinite square lattice", _LATTICE, "exact", "torus",
            _ROOM + "onsager"),
    Formula("onsager.energy", named("E / (N J)"), _per_spin, (_FERRO,),
            "energy per spin of the infinite square lattice over the coupling, away from the critical coupling",
            _LATTICE, "exact", "torus", _ROOM + "onsager", main=True),
    Formula("onsager.heat-capacity", named("C / N"), -(K**2) * sp.Derivative(_per_spin, K), (_FERRO,),
            "heat capacity per spin of the infinite square lattice, away from the critical coupling", _LATTICE, "exact",
            "torus", _ROOM + "onsager"),
    Formula("onsager.critical-coupling", named("K_{c}"), CRITICAL, (), "coupling over the critical temperature",
            _LATTICE, "exact", "torus", _ROOM + "onsager"),
    Formula("kaufman.log-partition", sp.log(named("Z")), _kaufman(), _TORUS,
            "logarithm of the partition function of a torus", _LATTICE, "exact", "torus", _ROOM + "kaufman"),
    Formula("kaufman.energy", named("E / J"), -sp.Derivative(_kaufman(), K), _TORUS,
            "energy of a torus over the coupling", _LATTICE, "exact", "torus", _ROOM + "kaufman"),
    Formula("kaufman.heat-capacity", named("C"), K**2 * sp.Derivative(_kaufman(), (K, 2)), _TORUS,
            "heat capacity of a torus", _LATTICE, "exact", "torus", _ROOM + "kaufman"),
)  # fmt: skip

# -- Monte Carlo -----------------------------------------------------------------------------------------

_LOCAL = (Variable(F, "-oo < F < oo", "local field of the spin"), Variable(T, "0 < T < oo", "temperature"))
_RHO = Variable(rho, "-1 < rho < 1", "correlation of neighbouring draws")
_MONTE_CARLO = (
    Formula("heat-bath.chance", named("P(+)"), 1 / (1 + sp.exp(-2 * F / T)), _LOCAL,
            "probability with which the heat bath turns a spin up", TEXTBOOK, "exact", "heat-bath",
            _WALKS + "HeatBath", main=True),
    Formula("heat-bath.magnetisation", expected(r"s \mid F"), sp.tanh(F / T), _LOCAL, "mean of a spin in a field",
            TEXTBOOK, "exact", "heat-bath", _ROOM + "BinaryNeurons.exact"),
    Formula("metropolis.chance", named(r"P(s \to -s)"),
            sp.Rational(15, 16) * sp.Min(1, sp.exp(-2 * F / T)), _LOCAL,
            "probability with which Metropolis flips a spin that is up", TEXTBOOK, "exact", "metropolis",
            _WALKS + "Metropolis"),
    Formula("wolff.bond", named("p"), 1 - sp.exp(-2 * K), (_FERRO,),
            "probability with which a cluster grows over a bond between equal spins", TEXTBOOK, "exact", "wolff",
            _WALKS + "Wolff"),
    Formula("tempering.acceptance", expected("A"), SWAP,
            (Variable(SYMBOLS["gap"], "0 < Delta < oo", "difference of the inverse temperatures"),
             Variable(SYMBOLS["spread"], "0 < s < oo", "standard deviation of the energy")),
            "acceptance of exchanges of replicas whose energies are Gaussian", TEXTBOOK, "asymptotic", "swap",
            _WALKS + "Tempering"),
    Formula("autoregression.tau", named(r"\tau"), TAU, (_RHO,),
            "integrated autocorrelation time of draws whose correlation falls as a power", TEXTBOOK, "exact",
            "autocorrelation", _WALKS + "estimate", main=True),
    Formula("autoregression.variance", spread(r"\bar{x}"), MEAN_VARIANCE.subs(sp.Symbol("n", positive=True), n),
            (_RHO, Variable(n, "1 <= n < oo, whole", "draws")),
            "variance of the mean of such draws of variance one, the square of its error", TEXTBOOK, "exact",
            "autocorrelation", _WALKS + "estimate"),
)  # fmt: skip

INTERACTION = (*_DYNAMIC, *_LINEAR_NEURONS, *_LINEAR_WEIGHTS, *_CHAINS, *_SQUARE, *_MONTE_CARLO)
