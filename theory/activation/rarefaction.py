"""The growth curve inside one data set, with no model, and its unbiasedness."""

from itertools import combinations

import sympy as sp

from statnn.theory.activation.expressions import beta_binomial, gamma_survival
from statnn.theory.activation.symbols import D, E, Given, K, N, P, S, b, beta, i, k
from statnn.theory.derivation import Derivation, Rewrite, argued, equation, identity, instance
from statnn.theory.rewriting import by_gamma

_d = sp.Symbol("d", positive=True)


def rarefaction() -> Derivation:
    """Derive the rarefaction curve and show that it is unbiased under the beta-binomial law."""
    missed = sp.binomial(D - k, _d) / sp.binomial(D, _d)
    law, rest = beta_binomial(k, D, b, beta), beta_binomial(k, D - _d, b, beta + _d)
    d_i = sp.Symbol("D_i")
    curve = sp.Sum(1 - sp.binomial(D - d_i, _d) / sp.binomial(D, _d), (i, 1, N))
    solved = {P(k, D): law, P(Given(k, D - _d, beta + _d)): rest, S(D): gamma_survival(D, b + beta, b)}
    whole = {k: range(4), _d: range(1, 4), D: range(7, 12)}
    few = [(size, drawn) for size in range(1, 5) for drawn in range(1, size)]
    return Derivation(
        "rarefaction",
        "Rarefaction: the growth curve inside one data set",
        "classical (hypergeometric subsampling); applied here to the counts of the model",
        "exact",
        (
            instance(
                "A neuron that fired in k of D samples is missed by d samples drawn without replacement when all d "
                "come from the D−k others; every way to draw is counted for up to four samples.",
                equation(P(Given(0, k, _d)), missed),
                [_missed(size, fired, drawn) for size, drawn in few for fired in range(size + 1)],
                [missed.subs({D: size, k: fired, _d: drawn}) for size, drawn in few for fired in range(size + 1)],
            ),
            argued(
                "Summed over the neurons, the mean number of working neurons in d of the D samples; at d = D it is "
                "the number of counts above 0.",
                equation(E(K(_d)), curve),
            ),
            identity(
                "Under the beta-binomial law this is, term by term, the chance of silence in d samples times the law "
                "of k in the other D−d, given that silence;",
                missed * P(k, D),
                S(_d) * P(Given(k, D - _d, beta + _d)),
                where=solved,
                domain=whole,
                by=by_gamma,
            ),
            identity(
                "the latter is normalised, as any beta-binomial law, so the curve is unbiased at every d: no fit, no "
                "model.",
                sp.Sum(missed * P(k, D), (k, 0, D - _d)),
                S(_d),
                where=solved,
                domain=whole,
                by=_by_normalisation(missed * law, rest),
            ),
        ),
    )


def _missed(samples: int, fired: int, drawn: int) -> sp.Rational:
    """Return the share of draws that miss the first `fired` of the samples."""
    draws = list(combinations(range(samples), drawn))
    return sp.Rational(sum(min(draw) >= fired for draw in draws), len(draws))


def _by_normalisation(term: sp.Expr, law: sp.Expr) -> Rewrite:
    """Return the rewriting of a sum of terms in proportion to a law: what they have to the law, once for all k."""

    def rewrite(gap: sp.Expr) -> sp.Expr:
        share = sp.gammasimp((term / law).rewrite(sp.gamma))
        return gap if share.has(k) else by_gamma(gap.replace(lambda part: isinstance(part, sp.Sum), lambda _: share))

    return rewrite
