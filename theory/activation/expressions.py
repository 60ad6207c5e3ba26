"""Expressions that the derivations prove and the oracle evaluates, in N, D, b, c (for the urn: N, n, b)."""

from __future__ import annotations

import sympy as sp

from statnn.theory.activation.symbols import D, N, a, b, beta, c, k, m, n


def gamma_survival(samples: sp.Expr, total: sp.Expr, loss: sp.Expr) -> sp.Expr:
    """Return Γ(D+a-b) Γ(a) / (Γ(D+a) Γ(a-b)) for D = `samples`, a = `total`, b = `loss`."""
    return sp.gamma(samples + total - loss) * sp.gamma(total) / (sp.gamma(samples + total) * sp.gamma(total - loss))


def beta_binomial(count: sp.Expr, trials: sp.Expr, first: sp.Expr, second: sp.Expr) -> sp.Expr:
    """Return the beta-binomial probability of `count` successes, every Beta function written in Γ."""
    ways = sp.gamma(trials + 1) / (sp.gamma(count + 1) * sp.gamma(trials - count + 1))
    mixed = sp.gamma(count + first) * sp.gamma(trials - count + second) / sp.gamma(trials + first + second)
    return ways * mixed * sp.gamma(first + second) / (sp.gamma(first) * sp.gamma(second))


def negative_binomial(count: sp.Expr, ratio: sp.Expr) -> sp.Expr:
    """Return Γ(k+b)/(k! Γ(b)) (1-q)^b q^k for k = `count`, q = `ratio`."""
    return sp.gamma(count + b) / (sp.gamma(count + 1) * sp.gamma(b)) * (1 - ratio) ** b * ratio**count


A = b * N / c
RATIO = c * D / (c * D + b * N)

# beta-Bernoulli
SILENT = gamma_survival(D, A, b)
ACTIVE = 1 - SILENT
WORKING = N * ACTIVE
WORKING_VARIANCE = N * SILENT * ACTIVE
MISSING_MASS = N * SILENT * b / (c * D + b * N)
GROWTH_RATE = D * sp.diff(WORKING, D)
COUNT = beta_binomial(k, D, b, A - b)

# Polya urn; S_m vanishes when no neuron is left outside the m silent ones
SILENT_URN = sp.rf(b * (N - m), n) / sp.rf(b * N, n)
_S1, _S2 = SILENT_URN.subs(m, 1), SILENT_URN.subs(m, 2)
ACTIVE_URN = 1 - _S1
WORKING_URN = N * ACTIVE_URN
WORKING_VARIANCE_URN = N * _S1 * (1 - _S1) + N * (N - 1) * (_S2 - _S1**2)
COUNT_URN = beta_binomial(k, n, b, b * (N - 1))

# gamma-Poisson: the formula of the paper
GP_SILENT = (b * N / (c * D + b * N)) ** b
GP_ACTIVE = 1 - GP_SILENT
GP_WORKING = N * GP_ACTIVE
GP_WORKING_VARIANCE = N * GP_SILENT * GP_ACTIVE
GP_MISSING_MASS = N * GP_SILENT * b / (c * D + b * N)
GP_GROWTH_RATE = D * sp.diff(GP_WORKING, D)
GP_COUNT = negative_binomial(k, RATIO)

# how far the paper's formula can be from beta-Bernoulli, in a and beta = a - b
EXPONENT_BOUND = (
    b / 2 * (sp.log(1 + D / beta) - sp.log(1 + D / a))
    + b / 4 * (1 / beta - 1 / (beta + D) + 1 / a - 1 / (a + D))
    + b / 24 * (1 / beta**2 - 1 / (beta + D) ** 2 + 1 / a**2 - 1 / (a + D) ** 2)
)
# (K - K_paper) / K, written with S so that it keeps its digits where both K are nearly N
LIMIT_ERROR = (GP_SILENT - SILENT) / ACTIVE
_KEPT = sp.exp(-EXPONENT_BOUND.subs({beta: A - b, a: A}))
LIMIT_ERROR_BOUND = GP_SILENT * (1 - _KEPT) / (1 - GP_SILENT * _KEPT)
