"""The derived expressions, evaluated by mpmath to any number of digits: the reference for fast arithmetic.

Arguments may be int, float, `fractions.Fraction` or mpmath numbers; a float stands for its exact value. A value is
computed at two precisions, which rise until both agree to the requested digits: cancellation can cost time but never
digits.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from math import comb

import mpmath
import sympy as sp

from statnn.theory.activation import expressions, symbols
from statnn.theory.activation.log_gamma import mixed_log_gamma as _mixed_log_gamma
from statnn.theory.activation.urn_law import inside_share
from statnn.theory.evaluation import number
from statnn.theory.precision import Number
from statnn.theory.precision import converged as _converged

_s, _t = sp.symbols("s t", positive=True)
_PROCESS = (symbols.D, symbols.N, symbols.b, symbols.c)
_URN = (symbols.n, symbols.N, symbols.b)


def _evaluator(
    text: str, expression: sp.Expr, *variables: sp.Symbol, last: tuple[Number, ...] = ()
) -> Callable[..., mpmath.mpf]:
    """Return the numeric function of `expression`, compiled at its first use, of its variables in this order.

    `last` are default values of the last variables; ``digits``, by default 50, is a keyword of the function.
    """

    @cache
    def compiled() -> Callable[..., mpmath.mpf]:
        return number(expression, variables)

    def evaluate(*arguments: Number, digits: int = 50) -> mpmath.mpf:
        missing = len(variables) - len(arguments)
        return _converged(compiled(), (*arguments, *last[len(last) - missing :]), digits)

    evaluate.__doc__ = text
    return evaluate


silent = _evaluator("Return P(D_i = 0) of beta-Bernoulli.", expressions.SILENT, *_PROCESS)
active = _evaluator("Return P(D_i >= 1) of beta-Bernoulli.", expressions.ACTIVE, *_PROCESS)
working = _evaluator("Return E[K(D)] of beta-Bernoulli.", expressions.WORKING, *_PROCESS)
working_variance = _evaluator("Return Var K(D) of beta-Bernoulli.", expressions.WORKING_VARIANCE, *_PROCESS)
missing_mass = _evaluator(
    "Return the expected share of the next sample's activations that falls on silent neurons.",
    expressions.MISSING_MASS,
    *_PROCESS,
)
growth_rate = _evaluator("Return dE[K]/d ln D of beta-Bernoulli.", expressions.GROWTH_RATE, *_PROCESS)
pmf_beta_bernoulli = _evaluator("Return P(D_i = k) of beta-Bernoulli.", expressions.COUNT, symbols.k, *_PROCESS)
silent_urn = _evaluator(
    "Return S_m(n), the probability that m given neurons of the urn are all silent.",
    expressions.SILENT_URN,
    *_URN,
    symbols.m,
    last=(1,),
)
working_urn = _evaluator("Return E[K(n)] of the urn.", expressions.WORKING_URN, *_URN)
working_variance_urn = _evaluator(
    "Return Var K(n) of the urn for whole n; its continuation is negative for 0 < n < 1.",
    expressions.WORKING_VARIANCE_URN,
    *_URN,
)
pmf_urn = _evaluator("Return P(D_i = k) of the urn.", expressions.COUNT_URN, symbols.k, *_URN)
gamma_poisson_silent = _evaluator("Return P(D_i = 0) of gamma-Poisson.", expressions.GP_SILENT, *_PROCESS)
gamma_poisson_active = _evaluator("Return P(D_i >= 1) of gamma-Poisson.", expressions.GP_ACTIVE, *_PROCESS)
gamma_poisson_working = _evaluator(
    "Return E[K(D)], the paper's formula, of gamma-Poisson.", expressions.GP_WORKING, *_PROCESS
)
gamma_poisson_missing_mass = _evaluator(
    "Return the missing mass of gamma-Poisson.", expressions.GP_MISSING_MASS, *_PROCESS
)
gamma_poisson_growth_rate = _evaluator("Return dE[K]/d ln D of gamma-Poisson.", expressions.GP_GROWTH_RATE, *_PROCESS)
gamma_poisson_pmf = _evaluator("Return P(D_i = k) of gamma-Poisson.", expressions.GP_COUNT, symbols.k, *_PROCESS)
limit_error = _evaluator(
    "Return (K - K_0)/K, the relative error of the paper's formula K_0 against beta-Bernoulli.",
    expressions.LIMIT_ERROR,
    *_PROCESS,
)
limit_error_bound = _evaluator(
    "Return the proved upper bound of `limit_error`.", expressions.LIMIT_ERROR_BOUND, *_PROCESS
)
mixed_log_gamma = _evaluator(
    "Return L(x; s, t) = ln Γ(x) + ln Γ(x+s+t) - ln Γ(x+s) - ln Γ(x+t).",
    _mixed_log_gamma(symbols.x, _s, _t),
    symbols.x,
    _s,
    _t,
)


@cache
def _inside() -> Callable[..., mpmath.mpf]:
    """Return r_i(n), compiled."""
    i = sp.Symbol("i", positive=True)
    return sp.lambdify((i, *_URN), inside_share(i), modules="mpmath", cse=True)


def pmf_working_urn(k: int, n: Number, N: int, b: Number, *, digits: int = 50) -> mpmath.mpf:
    """Return P(K(n) = k) of the urn, by inclusion and exclusion: k terms, so for k up to some hundreds."""
    inside = _inside()
    if not 0 <= k <= N:
        return mpmath.mpf(0)

    def law(events: mpmath.mpf, weight: mpmath.mpf) -> mpmath.mpf:
        # r_0 = 0^n: all events fall on no neurons only if there are no events
        terms = [mpmath.mpf(events == 0), *(inside(i, events, N, weight) for i in range(1, k + 1))]
        return comb(N, k) * mpmath.fsum((-1) ** (k - i) * comb(k, i) * term for i, term in enumerate(terms))

    return _converged(law, (n, b), digits)
