"""Noise in repeated layers: its eigenvalue, the stationary law it makes, and the first correction to both."""

import sympy as sp

from theory.derivation import Derivation, equation, identity
from theory.interaction.symbols import componentwise, gaussian_mean
from theory.interaction.symbols import z as xi
from theory.rg.functional import (
    ALPHA,
    OURS,
    SLOPE,
    X,
    Z,
    b,
    half,
    k,
    n,
    noise_eigenfunction,
    powers,
    two,
    two_layers,
)

u, epsilon, a, c, p, s, t = sp.symbols("u epsilon a c p s t", positive=True)
d, r = sp.symbols("d r", real=True)
delta = sp.Symbol("delta", positive=True)
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


def cutoff_by_noise() -> Derivation:
    """Eigenvalue of the noise, the stationary density and the amplitude of <h²>."""
    alpha, lam = sp.symbols("alpha lambda", positive=True)
    D, F, f, P = (sp.Function(name) for name in "DFfP")
    x = sp.Symbol("x", real=True)
    at_two = {b: 2}
    spread = ALPHA.subs(at_two) ** 2 * two_layers(noise_eigenfunction(), SLOPE**2)
    kept = 2 ** (1 + (2 - k) / n) * noise_eigenfunction().subs(1 + X, two).subs(X, 2 * half)
    density = sp.exp(-2 * u * t ** (Z + 1) / ((Z + 1) * epsilon**2))
    substituted = sp.expand_power_base((s / c) ** (a / p) * sp.diff((s / c) ** (1 / p), s), force=True)
    rate = 2 * u / ((Z + 1) * epsilon**2)
    ratio = (rate ** (-(3 / (Z + 1))) * sp.gamma(3 / (Z + 1))) / (rate ** (-(1 / (Z + 1))) * sp.gamma(1 / (Z + 1)))
    mean_square = sp.Symbol(r"\langle h^{2} \rangle")
    return Derivation(
        "noise-cutoff",
        "Noise cuts criticality off",
        OURS,
        "asymptotic",
        (
            identity(
                "Two layers add their noise, the first carried through the second, whose slope is near one, and the "
                "lens enlarges signals by α: a variance ε² grows by",
                sp.powsimp(2 * ALPHA.subs(at_two) ** 2),
                2 ** (1 + 2 / n),
                shown=equation(lam, 2 * alpha**2),
            ),
            identity("which is 4 for tanh.", (2 ** (1 + 2 / n)).subs(n, 2), sp.Integer(4), shown=equation(lam, 4)),
            identity(
                "As functions of the signal, variances that begin as x to the power k are exact eigenfunctions, F "
                "being the slope of f.",
                spread,
                kept,
                by=powers,
                shown=equation(alpha**2 * (F(f(x / alpha)) ** 2 * D(x / alpha) + D(f(x / alpha))), lam * D(x)),
            ),
            identity(
                "Cumulants of order j measured by the variance shrink for j > 2: only Gaussian noise is left.",
                sp.powsimp(
                    2 * ALPHA.subs(at_two) ** order / (2 * ALPHA.subs(at_two) ** 2) ** (sp.Rational(1, 2) * order)
                ),
                2 ** (1 - sp.Rational(1, 2) * order),
                by=lambda gap: sp.simplify(sp.powsimp(sp.expand_power_base(gap, force=True), force=True)),
                shown=equation(lam, 2 ** (1 - order / 2)),
            ),
            identity(
                "In many layers signals diffuse in the flow: no probability flows in the stationary law,",
                -u * t**Z * density,
                epsilon**2 / 2 * sp.diff(density, t),
                shown=equation(-u * x**Z * P(x), epsilon**2 / 2 * sp.Derivative(P(x), x)),
            ),
            identity(
                "which decays as the exponential of x to the power z + 1; its moments become Gamma functions with "
                "s = c x to the power p,",
                sp.powsimp(substituted, force=True),
                c ** (-(a + 1) / p) * s ** ((a + 1) / p - 1) / p,
                by=lambda gap: sp.simplify(sp.powsimp(sp.expand(sp.expand_power_base(gap, force=True)), force=True)),
                shown=equation(
                    sp.Integral(t**a * sp.exp(-c * t**p), (t, 0, sp.oo)),
                    c ** (-(a + 1) / p) * sp.gamma((a + 1) / p) / p,
                ),
            ),
            identity(
                "so that the mean square signal in stationary state is",
                ratio,
                VARIANCE,
                by=lambda gap: sp.simplify(sp.powsimp(sp.expand_power_base(gap, force=True), force=True)),
                shown=equation(mean_square, VARIANCE),
            ),
            identity(
                "For tanh it is 0.82790 ε: noise takes over from the decay 3/(2m) after about 1/ε layers.",
                VARIANCE.subs({n: 2, u: sp.Rational(1, 3)}),
                TANH,
                shown=equation(mean_square, TANH),
            ),
        ),
    )


def noise_correction() -> Derivation:
    """Next order of the stationary law, from the map itself and not from the flow."""
    v = (Z * u**2 / 2 - d).subs(n, 2)
    symbol, phi = sp.Symbol("s", positive=True), sp.Function("phi")
    first, second = _generators(symbol)
    flow = -u * symbol**3 * sp.diff(phi(symbol), symbol) + sp.diff(phi(symbol), symbol, 2) / 2
    twice = -u * symbol**3 * sp.diff(flow, symbol) + sp.diff(flow, symbol, 2) / 2
    drift, diffusion = -v * symbol**5 + 3 * u * symbol / 2, 3 * u * symbol**2
    effective = drift * sp.diff(phi(symbol), symbol) + diffusion * sp.diff(phi(symbol), symbol, 2) / 2
    weight = (u**2 - v / 3) * symbol**6 - 3 * u * symbol**2 / 2
    law = sp.exp(-u * symbol**4 / 2)
    current = drift * law - u * symbol**3 * law * weight - sp.diff(law * (weight + diffusion), symbol) / 2
    m2 = sp.Symbol("m_2", positive=True)
    moments = {2: m2, 4: 1 / (2 * u), 6: 3 * m2 / (2 * u), 8: 5 / (4 * u**2)}
    coefficients = {6: u**2 - v / 3, 2: -3 * u / 2}
    change = sum(value * (moments[power + 2] - m2 * moments[power]) for power, value in coefficients.items())
    L, g = sp.symbols("L_1 L_0", commutative=False)
    return Derivation(
        "noise-correction",
        "The next order of the stationary law",
        OURS,
        "asymptotic",
        (
            identity(
                "For z = 3 let one layer of f = x − u x³ + d x⁵ act on s = x/√ε and expand the mean of any function φ "
                "of the signal in ε. The first order is the generator of the flow,",
                first,
                flow,
                by=sp.expand,
                shown=equation(g, sp.Symbol(r"-u s^{3} \partial_{s} + \frac{1}{2} \partial_{s}^{2}")),
            ),
            identity(
                "and what the second has beyond half its square is a drift and a diffusion, with the residue r in d.",
                sp.expand(second - twice / 2),
                effective,
                by=lambda gap: sp.expand(gap.doit()),
                shown=equation(
                    L - g**2 / 2,
                    sp.Symbol(r"(\frac{3}{2} u s - r u^{2} s^{5}) \partial_{s} + \frac{3}{2} u s^{2} \partial_{s}^{2}"),
                ),
            ),
            identity(
                "The density changes by a factor 1 + εW: no probability flows,",
                sp.simplify(current / law),
                sp.S.Zero,
                shown=equation(sp.Function("W")(symbol), (u**2 - r * u**2 / 3) * symbol**6 - 3 * u * symbol**2 / 2),
            ),
            componentwise(
                "moments of the leading law follow from one another by integration by parts,",
                [sp.simplify(sp.diff(symbol**power * law, symbol) / law) for power in (1, 3, 5)],
                [power * symbol ** (power - 1) - 2 * u * symbol ** (power + 3) for power in (1, 3, 5)],
                equation(2 * u * sp.Symbol("m_{p+4}"), (sp.Symbol("p") + 1) * sp.Symbol("m_{p}")),
            ),
            identity(
                "and the mean square signal is ε m₂ + ε² times",
                change.subs(d, Z.subs(n, 2) * u**2 / 2 - r * u**2),
                sp.Rational(1, 2) - 5 * r / 12 + r * u * m2**2 / 2,
                shown=equation(sp.Symbol("c_2"), sp.Rational(1, 2) - 5 * r / 12 + r * u * m2**2 / 2),
            ),
        ),
    )


def _generators(at: sp.Symbol) -> tuple[sp.Expr, sp.Expr]:
    """Return the terms of order ε and ε² in the mean of φ(s + ε(-us³ + εds⁵) + √ε ξ)."""
    phi, root = sp.Function("phi"), sp.Symbol("root", positive=True)  # root = √ε
    step = root**2 * (-u * at**3 + root**2 * d * at**5) + root * xi
    terms = sp.S.Zero
    for power in range(1, 5):
        terms += sp.expand(step**power) / sp.factorial(power) * sp.diff(phi(at), at, power)
    mean = gaussian_mean(sp.expand(terms), xi)
    mean = sp.expand(mean)
    return mean.coeff(root, 2), mean.coeff(root, 4)
