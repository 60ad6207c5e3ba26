"""Rewritings that several proofs use: Γ by cancelling, Γ by Stirling, telescoping sums, antiderivatives."""

from __future__ import annotations

from typing import Any

import sympy as sp

from statnn.theory.step import Rewrite, simplified


def by_gamma(gap: sp.Expr) -> sp.Expr:
    """Write everything in Γ, divide by one of the terms and cancel, so that each term becomes rational."""
    terms = sp.Add.make_args(gap.rewrite(sp.gamma))
    if len(terms) == 1:
        return sp.gammasimp(gap)
    ratios = (sp.gammasimp(sp.powsimp(term / terms[0])) for term in terms)
    return sp.S.Zero if sp.simplify(sp.Add(*ratios)) == 0 else gap


def by_normalisation(law: sp.Expr, over: tuple[sp.Symbol, Any, Any]) -> Rewrite:
    """Return the rewriting of sums over a range, with terms proportional to a law that adds up to one there."""

    def share(total: sp.Sum) -> sp.Expr:
        ratio = sp.gammasimp((total.function / law).rewrite(sp.gamma))
        return total if ratio.has(over[0]) or total.limits != (sp.Tuple(*over),) else ratio

    return lambda gap: by_gamma(gap.replace(lambda part: isinstance(part, sp.Sum), share))


def by_exponentials(gap: sp.Expr) -> sp.Expr:
    """Write hyperbolic functions as exponentials and simplify."""
    return simplified(gap.rewrite(sp.exp))


def by_exponents(factor: sp.Expr) -> Rewrite:
    """Return the rewriting that divides by an exponential, with its exponent in another form, and simplifies."""
    return lambda gap: sp.simplify(sp.powsimp(sp.expand(gap / factor, power_exp=True)))


def shifted_stirling(shift: sp.Expr, large: sp.Expr) -> sp.Expr:
    """Return ln Γ(large + shift) without its terms of order large^-2 and smaller."""
    second = sp.expand(sp.bernoulli(2, shift))
    return (large + shift - sp.Rational(1, 2)) * sp.log(large) - large + sp.log(2 * sp.pi) / 2 + second / (2 * large)


def by_stirling(variable: sp.Symbol) -> Rewrite:
    """Return the rewriting of ln Γ, of arguments proportional to `variable`, by Stirling's series with a shift."""

    def series(at: sp.Expr) -> sp.Expr:
        rate = sp.expand(at).coeff(variable)
        if rate == 0:
            return sp.loggamma(at)
        shift = sp.expand(at - rate * variable)
        return sp.expand_log(shifted_stirling(shift, rate * variable), force=True)

    def rewrite(expr: sp.Expr) -> sp.Expr:
        expr = expr.replace(sp.log, lambda at: sp.expand_log(sp.log(sp.powsimp(sp.factor(at))), force=True))
        expr = expr.replace(
            lambda part: isinstance(part, sp.log) and isinstance(part.args[0], sp.gamma),
            lambda part: series(part.args[0].args[0]),
        )
        return sp.expand(expr.replace(sp.loggamma, series))

    return rewrite


def by_exponent(variable: sp.Symbol) -> Rewrite:
    """Return the rewriting of every product with growing Γ as the exponential of its logarithm by Stirling's series."""
    logs = by_stirling(variable)

    def rewrite(expr: sp.Expr) -> sp.Expr:
        terms = sp.Add.make_args(sp.expand(expr))
        return sp.Add(*(sp.exp(logs(sp.log(term))) if term.has(sp.gamma) else term for term in terms))

    return rewrite


def by_induction(variable: sp.Symbol, start: int, prove: Rewrite = sp.simplify) -> Rewrite:
    """Return the rewriting of f(n) + c Σ_j t(j), n in the upper end, by its start and its step from n to n+1."""

    def rewrite(gap: sp.Expr) -> sp.Expr:
        (total,) = gap.atoms(sp.Sum)
        ((index, _, last),) = total.limits
        factor = gap.coeff(total)
        rest = gap - factor * total
        later = last.subs(variable, variable + 1)
        if later - last != 1 or factor.has(variable):
            return gap
        step = prove(rest.subs(variable, variable + 1) - rest + factor * total.function.subs(index, later))
        begins = sp.simplify(gap.subs(variable, start).doit())
        return sp.S.Zero if step == begins == 0 else gap

    return rewrite


def by_telescoping(variable: sp.Symbol, at: Rewrite = sp.simplify) -> Rewrite:
    """Return the rewriting of f(y) - Σ_j t(y + j) to 0 if f(y) - f(y+1) = t(y) and f vanishes at infinity."""

    def rewrite(gap: sp.Expr) -> sp.Expr:
        (total,) = gap.atoms(sp.Sum)
        ((index, first, last),) = total.limits
        rest, term = gap - gap.coeff(total) * total, gap.coeff(total) * total.function
        falls = at(rest - rest.subs(variable, variable + 1) + term.subs(index, 0))
        shifts = sp.simplify(term - term.subs(index, 0).subs(variable, variable + index))
        ends = (first, last) == (0, sp.oo) and sp.limit(rest, variable, sp.oo) == 0
        return sp.S.Zero if falls == shifts == 0 and ends else gap

    return rewrite


def by_antiderivative(
    antiderivative: sp.Expr, variable: sp.Symbol, prove: Rewrite = simplified, finish: Rewrite = simplified
) -> Rewrite:
    """Return the rewriting of an integral over `variable` by the end values of an antiderivative."""

    def ends(integral: sp.Integral) -> sp.Expr:
        ((_, low, high),) = integral.limits
        if prove(sp.diff(antiderivative, variable) - integral.function) != 0:
            return integral
        return at(high, "-") - at(low, "+")

    def at(end: sp.Expr, side: str) -> sp.Expr:
        # an unbounded tangent occurs inside an arctangent, which is bounded
        value = antiderivative.replace(sp.tan, lambda of: sp.limit(sp.tan(of), variable, end, side)).subs(variable, end)
        plain = end.is_finite and not value.has(sp.nan, sp.zoo, sp.oo, -sp.oo, sp.AccumBounds)
        return value if plain else sp.limit(antiderivative, variable, end, side)

    return lambda gap: finish(gap.replace(lambda part: isinstance(part, sp.Integral), ends))


def by_gaussians(gap: sp.Expr) -> sp.Expr:
    """Replace integrals over the real line of polynomials times Gaussians by moments; simplify."""
    return simplified(gap.replace(lambda part: isinstance(part, sp.Integral), _gaussian))


def _gaussian(integral: sp.Integral) -> sp.Expr:
    """Return the integral term by term; unchanged if some term has another form."""
    (x, *ends), *others = integral.limits
    terms = sp.Add.make_args(sp.expand(integral.function.rewrite(sp.exp), power_exp=False))
    values = [] if others or ends != [-sp.oo, sp.oo] else [_gaussian_term(term, x) for term in terms]
    return sp.Add(*values) if values and None not in values else integral


def _gaussian_term(term: sp.Expr, x: sp.Symbol) -> sp.Expr | None:
    """Return ∫ p(x) exp(-a x² + b x + c) dx over the line, from the moments of mean b/2a and variance 1/2a."""
    powers = [factor.as_base_exp() for factor in sp.Mul.make_args(term)]
    exponent = sp.expand(sp.Add(*(power for base, power in powers if base is sp.E)))
    factor = sp.Mul(*(base**power for base, power in powers if base is not sp.E))
    if not exponent.is_polynomial(x) or sp.degree(exponent, x) != 2 or not factor.is_polynomial(x):
        return None
    second, first, constant = sp.Poly(exponent, x).all_coeffs()
    a = sp.factor(-second)
    if not a.is_positive:
        return None
    mean, variance = first / (2 * a), 1 / (2 * a)
    moments = (
        share * sp.binomial(order, 2 * k) * mean ** (order - 2 * k) * variance**k * sp.factorial2(2 * k - 1)
        for (order,), share in sp.Poly(factor, x).terms()
        for k in range(order // 2 + 1)
    )
    return sp.Add(*moments) * sp.sqrt(sp.pi / a) * sp.exp(sp.factor(first**2 / (4 * a) + constant))
