"""The mixed second difference of ln Γ: every law of the subject, written without cancellation.

L(x; s, t) = ln Γ(x) + ln Γ(x+s+t) - ln Γ(x+s) - ln Γ(x+t)
"""

from __future__ import annotations

import sympy as sp

from statnn.theory.activation.expressions import beta_binomial, gamma_survival
from statnn.theory.activation.symbols import D, O, P, S, a, b, beta, k, x
from statnn.theory.derivation import Derivation, identity, series
from statnn.theory.rewriting import by_stirling

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


def _split(expr: sp.Expr) -> sp.Expr:
    """Write every logarithm of a ratio of sums as a sum of logarithms."""
    return sp.expand(expr.replace(sp.log, lambda arg: sp.expand_log(sp.log(sp.factor(arg)))))


def _by_recursion(expr: sp.Expr) -> sp.Expr:
    """Use ln Γ(x+1) = ln x + ln Γ(x)."""
    return _split(expr.subs(sp.loggamma(x + 1), sp.log(x) + sp.loggamma(x)))


def log_gamma() -> Derivation:
    """Derive the recursion of L, its elementary part, its Stirling remainder, and the laws in terms of it."""
    product = x * (x + _s + _t) / ((x + _s) * (x + _t))
    ratio = _s * _t / ((x + _s) * (x + _t))
    main = (x - sp.Rational(1, 2)) * sp.log(x) - x + sp.log(2 * sp.pi) / 2
    elementary = (
        (x - sp.Rational(1, 2)) * sp.log(1 - ratio) + _s * sp.log(1 + _t / (x + _s)) + _t * sp.log(1 + _s / (x + _t))
    )
    order = 2 * _TERMS + 1
    index = sp.Symbol("j", integer=True, positive=True)
    stirling = sp.Sum(
        sp.bernoulli(2 * index) / (2 * index * (2 * index - 1) * x ** (2 * index - 1)), (index, 1, _TERMS)
    )
    remainder = {_mu(x): sp.loggamma(x) - main}
    differences = {_L(x, _s, _t): mixed_log_gamma(x, _s, _t)}

    def by_fall(gap: sp.Expr) -> sp.Expr:
        """Return f(x) - f(x+1) for a gap f that vanishes at infinity by Stirling's formula."""
        end = sp.limit(by_stirling(x)(gap.doit()), x, sp.oo)
        return _by_recursion((gap - gap.subs(x, x + 1)).doit()) + end

    return Derivation(
        "log-gamma",
        "The mixed difference of ln Γ",
        "classical (Stirling's series, DLMF 5.11.1); the arrangement is this project's",
        "exact",
        (
            identity(
                "The recursion Γ(x+1) = xΓ(x) moves x upwards, at the price of one logarithm of a product near one,",
                _L(x, _s, _t),
                _L(x + 1, _s, _t) - sp.log(product),
                where=differences,
                by=_by_gamma,
            ),
            identity("which is 1 − v with v = st/((x+s)(x+t)): log1p loses no digits.", product, 1 - ratio),
            identity(
                "With ln Γ(x) = (x − 1/2) ln x − x + ln(2π)/2 + μ(x), the elementary part has a mixed difference made "
                "of log1p only;",
                _L(x, _s, _t),
                elementary + mixed(_mu, x, _s, _t),
                where=differences | remainder,
                by=_split,
            ),
            identity(
                "μ is fixed by its fall from x to x+1 and its vanishing at infinity,",
                _mu(x) - _mu(x + 1),
                (x + sp.Rational(1, 2)) * sp.log(1 + 1 / x) - 1,
                where=remainder,
                by=_by_recursion,
            ),
            series(
                "and Stirling's series, of which five terms are shown and checked, has that fall, term by term.",
                _mu(x),
                stirling + O(x**-order),
                (x, sp.oo),
                where=remainder,
                by=by_fall,
            ),
            identity(
                "The logarithm of survival is one such difference,",
                -sp.log(S(D)),
                _L(a - b, b, D),
                where=differences | {S(D): gamma_survival(D, a, b), a: b + beta},
                by=_by_gamma,
            ),
            identity(
                "and that of the beta-binomial law, with β = a−b, combines three.",
                sp.log(P(k)),
                _L(1, k, b - 1) - _L(beta, b, D) - _L(D + 1 - k, k, beta - 1),
                where=differences | {P(k): beta_binomial(k, D, b, beta)},
                domain={D: (9, 12)},
                by=_by_gamma,
            ),
            identity(
                "The first of them is the logarithm of (b)ₖ/k!.",
                _L(1, k, b - 1),
                sp.log(sp.rf(b, k) / sp.factorial(k)),
                where=differences,
                by=lambda gap: _by_gamma(gap.rewrite(sp.gamma)),
            ),
        ),
        assumes=("Stirling's series is the asymptotic series of ln Γ",),
        uses=("beta-bernoulli", "survival"),
    )
