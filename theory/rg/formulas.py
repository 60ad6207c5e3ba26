"""Results for repeated layers that can be solved as formulas: linear, binary and noisy layers, and signals in depth."""

from __future__ import annotations

import sympy as sp

from statnn.theory import notation
from statnn.theory.closed_form import Formula
from statnn.theory.notation import TEXTBOOK, expected, named, spread
from statnn.theory.rg.decimation import FUNCTION, K1, K2, ROOT, K, h, z
from statnn.theory.rg.functional import (
    ALPHA,
    EXPONENT,
    FLOW,
    OURS,
    RESONANT,
    X,
    b,
    eigenfunction,
    k,
    m,
    n,
    noise_eigenfunction,
    u,
    x,
)
from statnn.theory.rg.functional import (
    FUNCTION as FIXED,
)
from statnn.theory.rg.linear import BIAS, NOISE, OWN, WEIGHT, bias, block, noise, w
from statnn.theory.rg.noise_cutoff import SECOND, VARIANCE, epsilon, moment, r
from statnn.theory.rg.repeated import DISTANCE, FINITE_DEPTH
from statnn.theory.rg.swendsen import SOURCE as SWENDSEN
from statnn.theory.rg.swendsen import jacobian
from statnn.theory.rg.swendsen import x as coupling_weight
from statnn.theory.rg.swendsen import y as field_weight
from statnn.theory.variable import Variable

_ROOM = "statnn.rg."

# -- linear layers ---------------------------------------------------------------------------------------

_mu, _C = sp.Symbol("mu", real=True), sp.Symbol("C", nonnegative=True)
_LINEAR = (
    Variable(w, "-oo < w < oo", "weight of a layer of width one, not 1 or -1"), Variable(bias, "-oo < a < oo", "bias"),
    Variable(noise, "0 < s < oo", "variance of the noise"), Variable(block, "1 <= b < oo, whole", "layers"),
)  # fmt: skip
_CONTRACTING = (Variable(w, "-1 < w < 1", "weight of a layer of width one"), *_LINEAR[1:])
_ANY = (
    Variable(w, "-oo < w < oo", "weight of a layer of width one"), *_LINEAR[1:],
    Variable(_mu, "-oo < mu < oo", "mean of the input, or bias of the layer below"),
    Variable(_C, "0 <= C < oo", "variance of the input, or of the noise of the layer below"),
)  # fmt: skip


def _linear(name: str, left: sp.Expr, expression: sp.Expr, text: str, method: str, variables: tuple[Variable, ...] = (),
            *, main: bool = False) -> Formula:  # fmt: skip
    return Formula(f"linear-layers.{name}", left, expression, variables or _LINEAR, text, OWN, "exact",
                   "linear-layers", f"{_ROOM}LinearLayer.{method}", main=main)  # fmt: skip


_LINEAR_FORMULAS = (
    _linear("weight", named("w(b)"), WEIGHT, "weight of a block of layers", "power", _ANY),
    _linear("bias", named("a(b)"), BIAS, "bias of a block of layers", "power"),
    _linear("noise", named("s(b)"), NOISE, "variance of the noise of a block of layers", "power", main=True),
    _linear("mean", expected("h'"), w * _mu + bias, "mean of the output of a Gaussian input", "propagate", _ANY),
    _linear("variance", spread("h'"), w**2 * _C + noise, "variance of the output of a Gaussian input", "propagate",
            _ANY),
    _linear("composed-bias", named("a'"), w * _mu + bias, "bias of a layer on top of another", "compose", _ANY),
    _linear("composed-noise", named("s'"), w**2 * _C + noise, "variance of the noise of a layer on top of another",
            "compose", _ANY),
    _linear("stationary-mean", expected("h"), bias / (1 - w), "mean of the law that a layer keeps", "stationary",
            _CONTRACTING),
    _linear("stationary-variance", spread("h"), noise / (1 - w**2), "variance of the law that a layer keeps",
            "stationary", _CONTRACTING),
    _linear("correlation-length", named(r"\xi"), -1 / sp.log(w), "layers over which a signal decays",
            "correlation_length", (Variable(w, "0 < w < 1", "weight of a layer of width one"),)),
)  # fmt: skip

# -- binary and noisy layers -----------------------------------------------------------------------------

_PAIR = (Variable(K1, "0 < K_1 < oo", "coupling of the lower layer"),
         Variable(K2, "0 < K_2 < oo", "coupling of the upper layer"),
         Variable(z, "0 < z < oo", "field on the spin between them"))  # fmt: skip
_SPIN = (Variable(K, "0 < K < oo", "coupling of layers of one spin"),
         Variable(h, "-oo < h < oo", "field on every spin"))  # fmt: skip
_blocks = sp.Symbol("b", integer=True, positive=True)
_weight, _noise = sp.symbols("w epsilon", positive=True)
_ratio = (1 - sp.exp(-4 * K)) / (sp.cosh(h) * (1 + ROOT)) ** 2
"""(1 - ROOT) / (1 + ROOT), written so that strong fields do not cancel its digits."""


def _exchanged(first: sp.Symbol, second: sp.Symbol, last: sp.Symbol) -> sp.Expr:
    """Return F of its arguments in another order."""
    return FUNCTION.subs({K1: first, K2: second, z: last}, simultaneous=True)


def _binary(name: str, left: sp.Expr, expression: sp.Expr, variables: tuple[Variable, ...], text: str, method: str,
            *, main: bool = False) -> Formula:  # fmt: skip
    return Formula(f"binary-layers.{name}", left, expression, variables, text, TEXTBOOK, "exact", "decimation",
                   f"{_ROOM}BinaryLayer.{method}", main=main)  # fmt: skip


_NOISY = (Variable(_weight, "0 < w < oo", "weight, near one"),
          Variable(_noise, "0 < epsilon < oo", "standard deviation of the noise"))  # fmt: skip
_DOUBLED = "of two noisy tanh layers taken as one, for small activity, in their own unit of the signal"
_SPIN_FORMULAS = (
    _binary("coupling", named("K'"), FUNCTION, _PAIR, "coupling of two layers of one spin taken as one", "compose",
            main=True),
    _binary("field", named("a_{2}"), _exchanged(K2, z, K1), _PAIR, "field that is handed on to the upper spin",
            "compose"),
    _binary("input", named("a_{1}"), _exchanged(K1, z, K2), _PAIR, "field that is handed on to the lower spin",
            "compose"),
    _binary("power", named("K'"), sp.atanh(sp.tanh(K) ** _blocks),
            (*_SPIN, Variable(_blocks, "1 <= b < oo, whole", "layers")), "coupling of a block without field", "power"),
    _binary("log-leading", named(r"\ln \lambda_{0}"), K + sp.log(sp.cosh(h)) + sp.log(1 + ROOT), _SPIN,
            "logarithm of the leading eigenvalue of the transfer matrix", "spectrum"),
    _binary("ratio", named(r"\lambda_{1} / \lambda_{0}"), _ratio, _SPIN, "ratio of its eigenvalues", "spectrum"),
    _binary("correlation-length", named(r"\xi"), -1 / sp.log(_ratio), _SPIN, "layers over which correlations decay",
            "correlation_length"),
    Formula("noisy-layers.weight", named("w'"), _weight**2, _NOISY, f"weight {_DOUBLED}", OWN, "own", "noisy-doubling",
            _ROOM + "NoisyLayer.flow"),
    Formula("noisy-layers.noise", named(r"\epsilon'"), _noise * (1 + _weight**2) / _weight, _NOISY,
            f"standard deviation of the noise {_DOUBLED}", OWN, "own", "noisy-doubling",
            _ROOM + "NoisyLayer.flow", main=True),
)  # fmt: skip

_RING = (Variable(notation.K, "0 < K < oo", "coupling of a ring over its temperature"),
         Variable(notation.h, "-oo < h < oo", "field over temperature"))  # fmt: skip
_weights = {coupling_weight: sp.exp(notation.K), field_weight: sp.exp(notation.h)}
_SWENDSEN = tuple(
    Formula(f"swendsen.{name}", named(tex), sp.factor(jacobian()[place]).subs(_weights), _RING,
            f"change of the {text} when every other spin of a ring is summed over", SWENDSEN, "exact", "swendsen",
            _ROOM + "linearise")
    for place, name, tex, text in (
        ((0, 0), "coupling-by-coupling", "T_{KK}", "new coupling with the coupling"),
        ((0, 1), "coupling-by-field", "T_{Kh}", "new coupling with the field"),
        ((1, 0), "field-by-coupling", "T_{hK}", "new field with the coupling"),
        ((1, 1), "field-by-field", "T_{hh}", "new field with the field"),
    )
)  # fmt: skip

# -- signals in depth ------------------------------------------------------------------------------------

_order = sp.Symbol("z", integer=True, positive=True)
_power = sp.Symbol("k", integer=True, nonnegative=True)
_Z = Variable(_order, "2 <= z < oo, whole", "power of the leading nonlinearity of a layer")
_ODD = Variable(_order, "3 <= z < oo, odd", "power of the leading nonlinearity of a layer")
_U = Variable(u, "0 < u < oo", "coefficient of the leading nonlinearity")
_DEPTH = Variable(m, "0 < m < oo", "layers")
_FLOWING = (_Z, _U, Variable(x, "0 < x < oo", "signal"), Variable(m, "0 <= m < oo", "layers"),
            Variable(b, "1 < b < oo", "layers that become one"))  # fmt: skip
_RESONANCE = Variable(_power, "0 <= k < 2*z - 1, whole", "power with which a perturbation begins")
_LATER = Variable(_power, "0 <= k < 3*z - 1, whole", "power with which a variance of noise begins")
_ANY_POWER = Variable(_power, "0 <= k < oo, whole", "power with which a perturbation begins")
_STRENGTH = Variable(epsilon, "0 < epsilon < oo", "standard deviation of the noise of a layer")
_unit, _scaled = n * u, n * u * x**n
_noise_exponent = 1 + (2 - k) / n
_amplitude = (n * u) ** (-1 / n)


def _of_order(expression: sp.Expr) -> sp.Expr:
    """Return an expression in z and a whole k instead of n = z - 1."""
    return expression.subs({n: _order - 1, k: _power}, simultaneous=True)


def _fixed(name: str, left: sp.Expr, expression: sp.Expr, text: str, method: str, derivation: str, *more: Variable,
           main: bool = False) -> Formula:  # fmt: skip
    return Formula(f"fixed-function.{name}", left, _of_order(expression), (*_FLOWING, *more), text, OURS, "exact",
                   derivation, f"{_ROOM}FixedFunction.{method}", main=main)  # fmt: skip


def _leading(name: str, left: sp.Expr, expression: sp.Expr, text: str, method: str, derivation: str, *more: Variable,
             main: bool = False) -> Formula:  # fmt: skip
    return Formula(f"leading-form.{name}", left, _of_order(expression), more, text, OURS, "asymptotic", derivation,
                   f"{_ROOM}LeadingForm.{method}", main=main)  # fmt: skip


_DEPTH_FORMULAS = (
    _fixed("layers", named("f_{m}(x)"), FLOW, "signal after m layers at the fixed point", "layers",
           "functional-fixed-point", main=True),
    _fixed("layer", named("f(x)"), FIXED, "signal after one layer at the fixed point", "__call__",
           "functional-fixed-point"),
    _fixed("alpha", named(r"\alpha"), ALPHA, "rescaling of the signal", "alpha", "functional-fixed-point"),
    _fixed("exponent", named("y"), EXPONENT, "exponent of a perturbation", "exponent", "functional-spectrum",
           _ANY_POWER),
    _fixed("eigenvalue", named(r"\lambda"), b**EXPONENT, "eigenvalue of a perturbation", "eigenvalue",
           "functional-spectrum", _ANY_POWER),
    _fixed("eigenfunction", named("g_{k}(x)"), eigenfunction(_scaled) / _unit ** (k / n),
           "eigenfunction of a perturbation", "eigenfunction", "functional-spectrum", _RESONANCE, main=True),
    _fixed("resonant-eigenfunction", named("g_{2z-1}(x)"), RESONANT.subs(X, _scaled) / _unit ** ((2 * n + 1) / n),
           "eigenfunction of the perturbation of power 2z-1", "eigenfunction", "functional-spectrum"),
    _fixed("noise-exponent", named("y"), _noise_exponent, "exponent of a variance of noise", "noise_exponent",
           "noise-cutoff", _ANY_POWER),
    _fixed("noise-eigenvalue", named(r"\lambda"), b * ALPHA**2, "eigenvalue of a constant variance of noise",
           "noise_eigenvalue", "noise-cutoff"),
    _fixed("noise-eigenfunction", named("D_{k}(x)"), noise_eigenfunction(_scaled) / _unit ** (k / n),
           "eigenfunction of a variance of noise", "noise_eigenfunction", "noise-cutoff", _LATER),
    _fixed("finite-depth", named("F(A)"), FINITE_DEPTH,
           "mean square signal after m layers near criticality, times the power 2/(z-1) of m", "finite_depth",
           "finite-depth", Variable(DISTANCE, "-oo < A < oo", "distance from criticality times layers, not 0")),
    _leading("amplitude", named("a"), _amplitude, "amplitude of the decay in depth", "amplitude", "depth-scaling",
             _Z, _U),
    _leading("signal", named("h_{m}"), FLOW.subs(x, sp.oo), "signal after many layers", "signal", "depth-scaling",
             _Z, _U, _DEPTH, main=True),
    _leading("stationary-variance", expected("h^{2}"), VARIANCE, "stationary mean square signal under weak noise",
             "stationary_variance", "noise-cutoff", _ODD, _U, _STRENGTH, main=True),
    _leading("stationary-correction", named("c"), (SECOND / moment(2)).subs(n, 2),
             "next order of the stationary variance, leading order times (1 + c epsilon), where z = 3",
             "stationary_correction", "noise-correction", _U,
             Variable(r, "-oo < r < oo", "residue of the depth coordinate")),
    _leading("noise-cutoff", named("m"), (_amplitude**2 / VARIANCE) ** (n / 2), "layers after which noise takes over",
             "noise_cutoff", "noise-cutoff", _ODD, _U, _STRENGTH),
)  # fmt: skip

REPEATED = (*_LINEAR_FORMULAS, *_SPIN_FORMULAS, *_SWENDSEN, *_DEPTH_FORMULAS)
