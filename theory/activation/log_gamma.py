"""The mixed second difference of ln Γ: every law of the subject, written without cancellation.

L(x; s, t) = ln Γ(x) + ln Γ(x+s+t) - ln Γ(x+s) - ln Γ(x+t)
"""

import sympy as sp

from theory.activation.expressions import beta_binomial, gamma_survival
from theory.activation.symbols import D, O, P, S, a, b, beta, k, u, x
from theory.derivation import Derivation, equation, identity

_s, _t = sp.symbols("s t", positive=True)
_L, _mu = sp.Function("L"), sp.Function("mu")
_TERMS = 5


def mixed(function: sp.Lambda | type[sp.Function], at: sp.Expr, first: sp.Expr, second: sp.Expr) -> sp.Expr:
    """Return f(x) + f(x+s+t) - f(x+s) - f(x+t) for x = `at`, s = `first`, t = `second`."""
    return function(at) + function(at + first + second) - function(at + first) - function(at + second)


def mixed_log_gamma(at: sp.Expr, first: sp.Expr, second: sp.Expr) -> sp.Expr:
    """Return L(x; s, t) for x = `at`, s = `first`, t = `second`, from its definition."""
    return mixed(sp.loggamma, at, first, second)


def _by_gamma(expr: sp.Expr) -> sp.Expr:
    """Exponentiate a sum of logarithms of Γ, cancel, and take the logarithm again."""
    return sp.log(sp.gammasimp(sp.exp(expr.replace(sp.loggamma, lambda g: sp.log(sp.gamma(g))))))


def log_gamma() -> Derivation:
    """Derive the recursion of L, its elementary part, its Stirling remainder, and the laws in terms of it."""
    product = x * (x + _s + _t) / ((x + _s) * (x + _t))
    ratio = _s * _t / ((x + _s) * (x + _t))
    main = sp.Lambda(x, (x - sp.Rational(1, 2)) * sp.log(x) - x)
    elementary = (
        (x - sp.Rational(1, 2)) * sp.log(1 - ratio) + _s * sp.log(1 + _t / (x + _s)) + _t * sp.log(1 + _s / (x + _t))
    )
    stirling = sum(sp.bernoulli(2 * j) / (2 * j * (2 * j - 1)) * x ** (1 - 2 * j) for j in range(1, _TERMS + 1))
    fall = (x + sp.Rational(1, 2)) * sp.log(1 + 1 / x) - 1
    order = 2 * _TERMS + 1
    index = sp.Symbol("j", integer=True, positive=True)
    series = sp.Sum(sp.bernoulli(2 * index) / (2 * index * (2 * index - 1) * x ** (2 * index - 1)), (index, 1, _TERMS))
    law = beta_binomial(k, D, b, beta)
    in_l = mixed_log_gamma(1, k, b - 1) - mixed_log_gamma(beta, b, D) - mixed_log_gamma(D + 1 - k, k, beta - 1)

    def split(expr: sp.Expr) -> sp.Expr:
        """Write every logarithm of a ratio of sums as a sum of logarithms."""
        return sp.expand(expr.replace(sp.log, lambda arg: sp.expand_log(sp.log(sp.factor(arg)))))

    return Derivation(
        "log-gamma",
        "The mixed difference of ln Γ",
        "classical (Stirling's series, DLMF 5.11.1); the arrangement is this project's",
        "exact",
        (
            identity(
                "The recursion Γ(x+1) = xΓ(x) moves x upwards, at the price of one logarithm of a product near one,",
                mixed_log_gamma(x, _s, _t) - mixed_log_gamma(x + 1, _s, _t),
                -sp.log(product),
                by=_by_gamma,
                shown=equation(_L(x, _s, _t), _L(x + 1, _s, _t) - sp.log(product)),
            ),
            identity("which is 1 − v with v = st/((x+s)(x+t)): log1p loses nothing.", product, 1 - ratio),
            identity(
                "With ln Γ(x) = (x − 1/2) ln x − x + ln(2π)/2 + μ(x), the elementary part has a mixed difference made "
                "of log1p only;",
                split(mixed(main, x, _s, _t)),
                split(elementary),
                by=sp.expand,
                shown=equation(_L(x, _s, _t), elementary + mixed(_mu, x, _s, _t)),
            ),
            identity(
                "μ is fixed by its fall from x to x+1 and its vanishing at infinity,",
                split(main(x + 1) - main(x) - sp.log(x)),
                split(fall),
                by=sp.expand,
                shown=equation(_mu(x) - _mu(x + 1), fall),
            ),
            identity(
                "and Stirling's series, of which five terms are shown and checked, has that fall, term by term.",
                sp.series((stirling - stirling.subs(x, x + 1)).subs(x, 1 / u), u, 0, order + 1).removeO(),
                sp.series(fall.subs(x, 1 / u), u, 0, order + 1).removeO(),
                by=sp.expand,
                shown=equation(_mu(x), series + O(x**-order)),
            ),
            identity(
                "Survival is one such difference,",
                mixed_log_gamma(a - b, b, D),
                -sp.log(gamma_survival(D, a, b)),
                by=_by_gamma,
                shown=equation(-sp.log(S(D)), _L(a - b, b, D)),
            ),
            identity(
                "and the beta-binomial law, with β = a−b, is three.",
                in_l,
                sp.log(law),
                by=_by_gamma,
                shown=equation(sp.log(P(k)), _L(1, k, b - 1) - _L(beta, b, D) - _L(D + 1 - k, k, beta - 1)),
            ),
            identity(
                "The first of them is the logarithm of (b)ₖ/k!.",
                mixed_log_gamma(1, k, b - 1),
                sp.log(sp.gamma(b + k) / sp.gamma(b) / sp.gamma(k + 1)),
                by=_by_gamma,
                shown=equation(_L(1, k, b - 1), sp.log(sp.rf(b, k) / sp.factorial(k))),
            ),
        ),
    )
