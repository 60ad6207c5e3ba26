"""Noise in repeated layers: its eigenvalue, the stationary law, and the first correction to both."""

from __future__ import annotations

import sympy as sp

from statnn.theory.derivation import Derivation, Step, definition, identity
from statnn.theory.notation import gaussian_mean, named
from statnn.theory.notation import z as xi
from statnn.theory.rg.functional import ALPHA, OURS, SLOPE, X, Z, b, by_coordinate, k, n, noise_eigenfunction, u
from statnn.theory.rg.symbols import Phi

epsilon, a, c, p, t = sp.symbols("epsilon a c p t", positive=True)
d, r = sp.symbols("d r", real=True)
order = sp.Symbol("j", integer=True, positive=True)

VARIANCE = (2 * u / ((Z + 1) * epsilon**2)) ** (-2 / (Z + 1)) * sp.gamma(3 / (Z + 1)) / sp.gamma(1 / (Z + 1))
"""Stationary <x²> under noise of deviation ε, leading order; n = z - 1."""
TANH = epsilon * sp.sqrt(6) * sp.gamma(sp.Rational(3, 4)) / sp.gamma(sp.Rational(1, 4))


def moment(of: sp.Expr) -> sp.Expr:
    """Return <|s|^of> under exp(-2u|s|^(z+1)/(z+1))."""
    power = Z + 1
    return (power / (2 * u)) ** (of / power) * sp.gamma((of + 1) / power) / sp.gamma(1 / power)


SECOND = sp.Rational(1, 2) - (Z + 2) * r / (4 * Z) + r * u * moment(2) * moment(n) / 2
"""Coefficient of the next order of <x²>, in units where the leading one is <s²>."""


# the signal in units of √ε, for z = 3
symbol = sp.Symbol("s", positive=True)
DIFFUSION = 3 * u * symbol**2
DRIFT = 3 * u * symbol / 2 - r * u**2 * symbol**5


def cutoff_by_noise() -> Derivation:
    """Derive the eigenvalue of the noise, the stationary density and the amplitude of <h²>."""
    return Derivation(
        "noise-cutoff",
        "Noise cuts criticality off",
        OURS,
        "asymptotic",
        (*_eigenvalues(), *_stationary()),
        assumes=("noise is weak, and independent from layer to layer", "for the stationary law: z is odd"),
        uses=("functional-fixed-point", "functional-spectrum"),
    )


def _eigenvalues() -> tuple[Step, ...]:
    alpha, lam = sp.symbols("alpha lambda", positive=True)
    D, F, f, x = (*(sp.Function(name) for name in "DFf"), sp.Symbol("x", positive=True))
    lens, at = {alpha: ALPHA.subs(b, 2)}, {X: n * u * x**n}
    layer = {f(x): x * (1 + n * u * x**n) ** (-1 / n), F(x): SLOPE.subs(at)}
    return (
        identity(
            "The noise of two layers adds up, that of the first carried through the second, whose slope is near one, "
            "and rescaling enlarges signals by α: a variance ε² grows by the factor",
            2 * alpha**2,
            2 ** (1 + 2 / n),
            where=lens,
            by=lambda gap: sp.simplify(sp.powsimp(gap)),
        ),
        identity("which is 4 for tanh.", lam, 4, where={lam: 2 ** (1 + 2 / n), n: 2}),
        definition("As functions of the signal, variances that begin as xᵏ,", D(x), noise_eigenfunction()),
        identity(
            "with X = n u xⁿ, are exact eigenfunctions, F being the slope of f.",
            alpha**2 * (F(f(x / alpha)) ** 2 * D(x / alpha) + D(f(x / alpha))),
            2 ** (1 + (2 - k) / n) * D(x),
            where=layer | {D(x): noise_eigenfunction().subs(at)} | lens,
            by=by_coordinate,
        ),
        identity(
            "Cumulants of order j measured by the variance shrink for j > 2: only Gaussian noise is left.",
            2 * alpha**order / (2 * alpha**2) ** (order / 2),
            2 ** (1 - order / 2),
            where=lens,
            by=_plain,
        ),
    )


def _plain(gap: sp.Expr) -> sp.Expr:
    return sp.simplify(sp.powsimp(sp.expand_power_base(gap, force=True), force=True))


def _stationary() -> tuple[Step, ...]:
    P, M, x = sp.Function("P"), sp.Function("M"), sp.Symbol("x", positive=True)
    rate = 2 * u / ((Z + 1) * epsilon**2)
    integral = c ** (-(a + 1) / p) * sp.gamma((a + 1) / p) / p
    moments = {M(a): integral.subs({c: rate, p: Z + 1}, simultaneous=True)}
    tanh = {n: 2, u: sp.Rational(1, 3)}
    return (
        identity(
            "In many layers signals diffuse in the flow: no probability flows in the stationary law,",
            -u * x**Z * P(x),
            epsilon**2 / 2 * sp.Derivative(P(x), x),
            where={P(x): sp.exp(-2 * u * x ** (Z + 1) / ((Z + 1) * epsilon**2))},
        ),
        identity(
            "which decays as the exponential of −xᶻ⁺¹ times a constant; its moments are Gamma functions,",
            sp.Integral(t**a * sp.exp(-c * t**p), (t, 0, sp.oo)),
            integral,
            domain={a: (0, 3), p: (2, 5), c: (1, 3)},
            by=lambda gap: sp.simplify(sp.gammasimp(gap.doit())),
        ),
        identity(
            "so that the mean square signal in the stationary state is M(2) over M(0),",
            M(2) / M(0),
            VARIANCE,
            where=moments,
            by=_plain,
        ),
        identity(
            "for tanh this is 0.82790 ε: noise takes over from the decay 3/(2m) after about 1/ε layers.",
            M(2) / M(0),
            TANH,
            where=moments | tanh,
        ),
    )


def noise_correction() -> Derivation:
    """Derive the next order of the stationary law, from the map itself and not from the flow."""
    return Derivation(
        "noise-correction",
        "The next order of the stationary law",
        OURS,
        "asymptotic",
        (*_expanded(), *_corrected()),
        assumes=("Gaussian noise, weak and independent from layer to layer",),
        uses=("depth-scaling", "noise-cutoff"),
    )


def _expanded() -> tuple[Step, ...]:
    phi = Phi(symbol, 0)
    by_first, by_second = named(r"L_{0} \phi"), named(r"L_{1} \phi")
    twice = named(r"L_{0}^{2} \phi")
    first, second = _generators(phi)
    residue = {d: Z.subs(n, 2) * u**2 / 2 - r * u**2}
    return (
        identity(
            "For z = 3 let one layer of f = x − u x³ + d x⁵ act on s = x/√ε and expand the mean of any function φ "
            "of the signal in ε. The first order is the generator of the flow,",
            by_first,
            _flow(phi),
            where={by_first: first},
            by=sp.expand,
        ),
        identity(
            "and what the second order has beyond half the square of that generator is a drift M and a diffusion G, "
            "with d in terms of r.",
            by_second - twice / 2,
            DRIFT * sp.Derivative(phi, symbol) + DIFFUSION / 2 * sp.Derivative(phi, (symbol, 2)),
            where={by_second: second, twice: _flow(_flow(phi)).doit()} | residue,
            by=sp.expand,
        ),
    )


def _corrected() -> tuple[Step, ...]:
    m2, p = sp.Symbol("m_2", positive=True), sp.Symbol("p", positive=True)
    W, M, G, rho = (sp.Function(name)(symbol) for name in ("W", "M", "G", "rho"))
    names = {power: sp.Symbol(f"m_{power}", positive=True) for power in (4, 6, 8)} | {2: m2}
    moments = {names[4]: 1 / (2 * u), names[6]: 3 * m2 / (2 * u), names[8]: 5 / (4 * u**2)}
    coefficients = {6: u**2 - r * u**2 / 3, 2: -3 * u / 2}
    change = sum(value * (names[power + 2] - m2 * names[power]) for power, value in coefficients.items())
    weight = sum(value * symbol**power for power, value in coefficients.items())
    leading = {rho: sp.exp(-u * symbol**4 / 2)}
    first = {M: DRIFT, G: DIFFUSION}
    current = M * rho - u * symbol**3 * rho * W - sp.Derivative(rho * (W + G), symbol) / 2
    bracket = 2 * M + 2 * u * symbol**3 * G - sp.Derivative(G, symbol) - sp.Derivative(W, symbol)
    anything = {W: Phi(symbol, 0), M: Phi(2 * symbol, 0), G: Phi(3 * symbol, 0)}
    return (
        identity(
            "The density ρ changes by a factor 1 + εW. At first order the flow of probability is, whatever M and G,",
            current,
            rho / 2 * bracket,
            where=leading | anything,
        ),
        definition("so none flows if the bracket vanishes. The polynomial", W, weight),
        identity(
            "makes it vanish, with the M and G of before.",
            sp.Derivative(W, symbol),
            2 * M + 2 * u * symbol**3 * G - sp.Derivative(G, symbol),
            where=first | {W: weight},
        ),
        identity(
            "Moments of the leading law follow from one another by integration by parts,",
            sp.Derivative(symbol ** (p + 1) * rho, symbol),
            ((p + 1) * symbol**p - 2 * u * symbol ** (p + 4)) * rho,
            where=leading,
        ),
        *(
            identity(
                sentence,
                sp.Integral(symbol**power * rho, (symbol, 0, sp.oo)),
                factor * sp.Integral(symbol ** (power - 4) * rho, (symbol, 0, sp.oo)),
                where=leading,
                domain={u: (1, 3)},
                by=lambda gap: sp.simplify(sp.gammasimp(gap.doit())),
            )
            for sentence, power, factor in (
                ("that is, the fourth from the norm,", 4, 1 / (2 * u)),
                ("the sixth from m₂,", 6, 3 / (2 * u)),
                ("and the eighth from the fourth;", 8, 5 / (2 * u)),
            )
        ),
        identity(
            "and the mean square signal is ε m₂ + ε² times the covariance of s² and W,",
            change,
            sp.Rational(1, 2) - 5 * r / 12 + r * u * m2**2 / 2,
            where=moments,
        ),
    )


def _flow(of: sp.Expr) -> sp.Expr:
    """Return the generator of the flow with noise, applied to a function of s."""
    return -u * symbol**3 * sp.Derivative(of, symbol) + sp.Derivative(of, (symbol, 2)) / 2


def _generators(phi: sp.Expr) -> tuple[sp.Expr, sp.Expr]:
    """Return the terms of order ε and ε² in the mean of φ(s + ε(-us³ + εds⁵) + √ε ξ)."""
    root = sp.Symbol("root", positive=True)  # √ε
    step = root**2 * (-u * symbol**3 + root**2 * d * symbol**5) + root * xi
    terms = sp.Add(
        *(sp.expand(step**power) / sp.factorial(power) * sp.diff(phi, symbol, power) for power in range(1, 5))
    )
    mean = sp.expand(gaussian_mean(sp.expand(terms), xi))
    return mean.coeff(root, 2), mean.coeff(root, 4)
