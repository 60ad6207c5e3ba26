"""The derived expressions, evaluated by mpmath to as many digits as asked: the yardstick for fast arithmetic.

Arguments may be int, float, `fractions.Fraction` or mpmath numbers; a float stands for exactly the number it
is. A value is computed at two precisions, which rise until both agree to the digits asked for:
cancellation can cost time but never digits.
"""

from collections.abc import Callable
from functools import cache
from math import comb

import mpmath
import sympy as sp

from statnn.theory.activation import expressions, symbols
from statnn.theory.activation.log_gamma import mixed_log_gamma as _mixed_log_gamma
from statnn.theory.activation.urn_law import inside_share
from statnn.theory.precision import Number
from statnn.theory.precision import converged as _converged

_s, _t = sp.symbols("s t", positive=True)
_PROCESS = (symbols.D, symbols.N, symbols.b, symbols.c)
_URN = (symbols.n, symbols.N, symbols.b)


def _evaluator(expression: sp.Expr, *variables: sp.Symbol) -> Callable[..., mpmath.mpf]:
    """Return the numeric function of `expression`, compiled at its first use."""

    @cache
    def compiled() -> Callable[..., mpmath.mpf]:
        return sp.lambdify(variables, expression, modules="mpmath", cse=True)

    def evaluate(*arguments: Number, digits: int) -> mpmath.mpf:
        return _converged(compiled(), arguments, digits)

    return evaluate


_silent = _evaluator(expressions.SILENT, *_PROCESS)
_active = _evaluator(expressions.ACTIVE, *_PROCESS)
_working = _evaluator(expressions.WORKING, *_PROCESS)
_working_variance = _evaluator(expressions.WORKING_VARIANCE, *_PROCESS)
_missing_mass = _evaluator(expressions.MISSING_MASS, *_PROCESS)
_growth_rate = _evaluator(expressions.GROWTH_RATE, *_PROCESS)
_pmf = _evaluator(expressions.COUNT, symbols.k, *_PROCESS)
_silent_urn = _evaluator(expressions.SILENT_URN, *_URN, symbols.m)
_working_urn = _evaluator(expressions.WORKING_URN, *_URN)
_working_variance_urn = _evaluator(expressions.WORKING_VARIANCE_URN, *_URN)
_pmf_urn = _evaluator(expressions.COUNT_URN, symbols.k, *_URN)
_gp_silent = _evaluator(expressions.GP_SILENT, *_PROCESS)
_gp_active = _evaluator(expressions.GP_ACTIVE, *_PROCESS)
_gp_working = _evaluator(expressions.GP_WORKING, *_PROCESS)
_gp_missing_mass = _evaluator(expressions.GP_MISSING_MASS, *_PROCESS)
_gp_growth_rate = _evaluator(expressions.GP_GROWTH_RATE, *_PROCESS)
_gp_pmf = _evaluator(expressions.GP_COUNT, symbols.k, *_PROCESS)
_limit_error = _evaluator(expressions.LIMIT_ERROR, *_PROCESS)
_limit_error_bound = _evaluator(expressions.LIMIT_ERROR_BOUND, *_PROCESS)
_mixed = _evaluator(_mixed_log_gamma(symbols.x, _s, _t), symbols.x, _s, _t)


@cache
def _inside() -> Callable[..., mpmath.mpf]:
    """Return r_i(n), compiled."""
    i = sp.Symbol("i", positive=True)
    return sp.lambdify((i, *_URN), inside_share(i), modules="mpmath", cse=True)


def silent(D: Number, N: Number, b: Number, c: Number, *, digits: int = 50) -> mpmath.mpf:
    """Return P(D_i = 0) of beta-Bernoulli."""
    return _silent(D, N, b, c, digits=digits)


def active(D: Number, N: Number, b: Number, c: Number, *, digits: int = 50) -> mpmath.mpf:
    """Return P(D_i >= 1) of beta-Bernoulli."""
    return _active(D, N, b, c, digits=digits)


def working(D: Number, N: Number, b: Number, c: Number, *, digits: int = 50) -> mpmath.mpf:
    """Return E[K(D)] of beta-Bernoulli."""
    return _working(D, N, b, c, digits=digits)


def working_variance(D: Number, N: Number, b: Number, c: Number, *, digits: int = 50) -> mpmath.mpf:
    """Return Var K(D) of beta-Bernoulli."""
    return _working_variance(D, N, b, c, digits=digits)


def missing_mass(D: Number, N: Number, b: Number, c: Number, *, digits: int = 50) -> mpmath.mpf:
    """Return the expected share of the next sample's activations that falls on silent neurons."""
    return _missing_mass(D, N, b, c, digits=digits)


def growth_rate(D: Number, N: Number, b: Number, c: Number, *, digits: int = 50) -> mpmath.mpf:
    """Return dE[K]/d ln D of beta-Bernoulli."""
    return _growth_rate(D, N, b, c, digits=digits)


def pmf_beta_bernoulli(k: Number, D: Number, N: Number, b: Number, c: Number, *, digits: int = 50) -> mpmath.mpf:
    """Return P(D_i = k) of beta-Bernoulli."""
    return _pmf(k, D, N, b, c, digits=digits)


def silent_urn(n: Number, N: Number, b: Number, m: Number = 1, *, digits: int = 50) -> mpmath.mpf:
    """Return S_m(n), the probability that m given neurons of the urn are all silent."""
    return _silent_urn(n, N, b, m, digits=digits)


def working_urn(n: Number, N: Number, b: Number, *, digits: int = 50) -> mpmath.mpf:
    """Return E[K(n)] of the urn."""
    return _working_urn(n, N, b, digits=digits)


def working_variance_urn(n: Number, N: Number, b: Number, *, digits: int = 50) -> mpmath.mpf:
    """Return Var K(n) of the urn for whole n; its continuation is negative for 0 < n < 1."""
    return _working_variance_urn(n, N, b, digits=digits)


def pmf_urn(k: Number, n: Number, N: Number, b: Number, *, digits: int = 50) -> mpmath.mpf:
    """Return P(D_i = k) of the urn."""
    return _pmf_urn(k, n, N, b, digits=digits)


def pmf_working_urn(k: int, n: Number, N: int, b: Number, *, digits: int = 50) -> mpmath.mpf:
    """Return P(K(n) = k) of the urn, by inclusion and exclusion: k terms, so for k up to some hundreds."""
    inside = _inside()
    if not 0 <= k <= N:
        return mpmath.mpf(0)

    def law(events: mpmath.mpf, weight: mpmath.mpf) -> mpmath.mpf:
        # r_0 = 0^n: no neuron holds events, but holds no events for certain
        terms = [mpmath.mpf(events == 0), *(inside(i, events, N, weight) for i in range(1, k + 1))]
        return comb(N, k) * mpmath.fsum((-1) ** (k - i) * comb(k, i) * term for i, term in enumerate(terms))

    return _converged(law, (n, b), digits)


def gamma_poisson_silent(D: Number, N: Number, b: Number, c: Number, *, digits: int = 50) -> mpmath.mpf:
    """Return P(D_i = 0) of gamma-Poisson."""
    return _gp_silent(D, N, b, c, digits=digits)


def gamma_poisson_active(D: Number, N: Number, b: Number, c: Number, *, digits: int = 50) -> mpmath.mpf:
    """Return P(D_i >= 1) of gamma-Poisson."""
    return _gp_active(D, N, b, c, digits=digits)


def gamma_poisson_working(D: Number, N: Number, b: Number, c: Number, *, digits: int = 50) -> mpmath.mpf:
    """Return E[K(D)], the paper's formula, of gamma-Poisson."""
    return _gp_working(D, N, b, c, digits=digits)


def gamma_poisson_missing_mass(D: Number, N: Number, b: Number, c: Number, *, digits: int = 50) -> mpmath.mpf:
    """Return the missing mass of gamma-Poisson."""
    return _gp_missing_mass(D, N, b, c, digits=digits)


def gamma_poisson_growth_rate(D: Number, N: Number, b: Number, c: Number, *, digits: int = 50) -> mpmath.mpf:
    """Return dE[K]/d ln D of gamma-Poisson."""
    return _gp_growth_rate(D, N, b, c, digits=digits)


def gamma_poisson_pmf(k: Number, D: Number, N: Number, b: Number, c: Number, *, digits: int = 50) -> mpmath.mpf:
    """Return P(D_i = k) of gamma-Poisson."""
    return _gp_pmf(k, D, N, b, c, digits=digits)


def limit_error(D: Number, N: Number, b: Number, c: Number, *, digits: int = 50) -> mpmath.mpf:
    """Return (K - K_0)/K, the relative error of the paper's formula K_0 against beta-Bernoulli."""
    return _limit_error(D, N, b, c, digits=digits)


def limit_error_bound(D: Number, N: Number, b: Number, c: Number, *, digits: int = 50) -> mpmath.mpf:
    """Return the proved upper bound of `limit_error`."""
    return _limit_error_bound(D, N, b, c, digits=digits)


def mixed_log_gamma(x: Number, s: Number, t: Number, *, digits: int = 50) -> mpmath.mpf:
    """Return L(x; s, t) = ln Γ(x) + ln Γ(x+s+t) - ln Γ(x+s) - ln Γ(x+t)."""
    return _mixed(x, s, t, digits=digits)
