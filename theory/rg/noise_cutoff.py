"""Noise in repeated layers: its eigenvalue, the stationary law it makes, and the first correction to both."""

import sympy as sp

from statnn.theory.derivation import Derivation, equation, identity
from statnn.theory.notation import gaussian_mean, named
from statnn.theory.notation import z as xi
from statnn.theory.rg.checked import checked
from statnn.theory.rg.functional import (
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
    x = sp.Symbol("x", positive=True)
    at_two = {b: 2}
    spread = ALPHA.subs(at_two) ** 2 * two_layers(noise_eigenfunction(), SLOPE**2)
    kept = 2 ** (1 + (2 - k) / n) * noise_eigenfunction().subs(1 + X, two).subs(X, 2 * half)
    rate = 2 * u / ((Z + 1) * epsilon**2)
    integral = c ** (-(a + 1) / p) * sp.gamma((a + 1) / p) / p
    means = [integral.subs({c: rate, p: Z + 1, a: power}, simultaneous=True) for power in (2, 0)]
    mean_square = sp.Symbol(r"\langle h^{2} \rangle")
    lens = {alpha: ALPHA.subs(at_two)}

    def plain(gap: sp.Expr) -> sp.Expr:
        return sp.simplify(sp.powsimp(sp.expand_power_base(gap, force=True), force=True))

    return Derivation(
        "noise-cutoff",
        "Noise cuts criticality off",
        OURS,
        "asymptotic",
        (
            checked(
                "Two layers add their noise, the first carried through the second, whose slope is near one, and the "
                "lens enlarges signals by α: a variance ε² grows by",
                equation(2 * alpha**2, 2 ** (1 + 2 / n)),
                lens,
                by=lambda gap: sp.simplify(sp.powsimp(gap)),
            ),
            checked("which is 4 for tanh.", equation(2 ** (1 + 2 / n), sp.Integer(4)), {n: sp.Integer(2)}),
            identity(
                "As functions of the signal, variances that begin as x to the power k are exact eigenfunctions, F "
                "being the slope of f.",
                spread,
                kept,
                by=powers,
                shown=equation(alpha**2 * (F(f(x / alpha)) ** 2 * D(x / alpha) + D(f(x / alpha))), lam * D(x)),
            ),
            checked(
                "Cumulants of order j measured by the variance shrink for j > 2: only Gaussian noise is left.",
                equation(2 * alpha**order / (2 * alpha**2) ** (order / 2), 2 ** (1 - order / 2)),
                lens,
                by=plain,
            ),
            checked(
                "In many layers signals diffuse in the flow: no probability flows in the stationary law,",
                equation(-u * x**Z * P(x), epsilon**2 / 2 * sp.Derivative(P(x), x)),
                {P: lambda at: sp.exp(-2 * u * at ** (Z + 1) / ((Z + 1) * epsilon**2))},
            ),
            checked(
                "which decays as the exponential of x to the power z + 1; its moments are Gamma functions,",
                equation(sp.Integral(t**a * sp.exp(-c * t**p), (t, 0, sp.oo)), integral),
                by=lambda gap: sp.simplify(sp.gammasimp(gap)),
            ),
            checked(
                "so that the mean square signal in stationary state is",
                equation(mean_square, VARIANCE),
                {mean_square: means[0] / means[1]},
                by=plain,
            ),
            checked(
                "For tanh it is 0.82790 ε: noise takes over from the decay 3/(2m) after about 1/ε layers.",
                equation(mean_square, TANH),
                {mean_square: VARIANCE.subs({n: 2, u: sp.Rational(1, 3)})},
            ),
        ),
    )


def noise_correction() -> Derivation:
    """Next order of the stationary law, from the map itself and not from the flow."""
    symbol, phi = sp.Symbol("s", positive=True), sp.Function("phi")
    first, second = _generators(symbol)
    flow = -u * symbol**3 * sp.Derivative(phi(symbol), symbol) + sp.Derivative(phi(symbol), (symbol, 2)) / 2
    twice = flow.subs(phi(symbol), flow).doit()
    diffusion = 3 * u * symbol**2
    m2 = sp.Symbol("m_2", positive=True)
    moments = {2: m2, 4: 1 / (2 * u), 6: 3 * m2 / (2 * u), 8: 5 / (4 * u**2)}
    coefficients = {6: u**2 - r * u**2 / 3, 2: -3 * u / 2}
    change = sum(value * (moments[power + 2] - m2 * moments[power]) for power, value in coefficients.items())
    one, other = named(r"L_{0} \phi"), named(r"L_{1} \phi - \frac{1}{2} L_{0}^{2} \phi")
    W, M, G, rho = (sp.Function(name) for name in ("W", "M", "G", "rho"))
    p = sp.Symbol("p", positive=True)
    residual = Z.subs(n, 2) * u**2 / 2 - r * u**2  # of d in terms of r
    first_drift = 3 * u * symbol / 2 - r * u**2 * symbol**5
    return Derivation(
        "noise-correction",
        "The next order of the stationary law",
        OURS,
        "asymptotic",
        (
            checked(
                "For z = 3 let one layer of f = x − u x³ + d x⁵ act on s = x/√ε and expand the mean of any function φ "
                "of the signal in ε. The first order is the generator of the flow,",
                equation(one, flow),
                {one: first},
                by=sp.expand,
            ),
            checked(
                "and what the second has beyond half its square is a drift M and a diffusion G, d in terms of r.",
                equation(
                    other,
                    first_drift * sp.Derivative(phi(symbol), symbol)
                    + sp.Rational(1, 2) * diffusion * sp.Derivative(phi(symbol), (symbol, 2)),
                ),
                {other: (second - twice / 2).subs(d, residual)},
                by=lambda gap: sp.expand(gap.doit()),
            ),
            checked(
                "The density ρ changes by a factor 1 + εW. No probability flows in the first order that W has,",
                equation(
                    M(symbol) * rho(symbol)
                    - u * symbol**3 * rho(symbol) * W(symbol)
                    - sp.Rational(1, 2) * sp.Derivative(rho(symbol) * (W(symbol) + G(symbol)), symbol),
                    rho(symbol)
                    / 2
                    * (
                        2 * M(symbol)
                        + 2 * u * symbol**3 * G(symbol)
                        - sp.Derivative(G(symbol), symbol)
                        - sp.Derivative(W(symbol), symbol)
                    ),
                ),
                {rho: lambda at: sp.exp(-u * at**4 / 2)},
            ),
            checked(
                "where the bracket vanishes, which M and G fulfil with a polynomial W:",
                equation(
                    sp.Derivative((u**2 - r * u**2 / 3) * symbol**6 - 3 * u * symbol**2 / 2, symbol),
                    2 * first_drift + 2 * u * symbol**3 * diffusion - sp.diff(diffusion, symbol),
                ),
            ),
            checked(
                "Moments of the leading law follow from one another by integration by parts,",
                equation(
                    sp.Derivative(symbol ** (p + 1) * rho(symbol), symbol),
                    ((p + 1) * symbol**p - 2 * u * symbol ** (p + 4)) * rho(symbol),
                ),
                {rho: lambda at: sp.exp(-u * at**4 / 2)},
            ),
            checked(
                "and the mean square signal is ε m₂ + ε² times",
                equation(sp.Symbol("c_2"), sp.Rational(1, 2) - 5 * r / 12 + r * u * m2**2 / 2),
                {sp.Symbol("c_2"): change},
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
