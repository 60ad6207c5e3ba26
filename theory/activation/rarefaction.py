"""The growth curve inside one data set, with no model, and its unbiasedness."""

import sympy as sp

from theory.activation.expressions import beta_binomial, gamma_survival
from theory.activation.symbols import D, E, Given, K, N, P, S, b, beta, i, k
from theory.derivation import Derivation, equation, identity

_d = sp.Symbol("d", positive=True)


def rarefaction() -> Derivation:
    """Derive the rarefaction curve and show that it is unbiased under the beta-binomial law."""
    missed = sp.binomial(D - k, _d) / sp.binomial(D, _d)
    law = beta_binomial(k, D, b, beta)
    rest = beta_binomial(k, D - _d, b, beta + _d)
    silent = gamma_survival(_d, b + beta, b)
    d_i = sp.Symbol("D_i")
    curve = sp.Sum(1 - sp.binomial(D - d_i, _d) / sp.binomial(D, _d), (i, 1, N))
    one = sp.binomial(D - k, 1) / sp.binomial(D, 1)
    return Derivation(
        "rarefaction",
        "Rarefaction: the growth curve inside one data set",
        "classical (hypergeometric subsampling); applied here to the counts of the model",
        "exact",
        (
            identity(
                "A neuron that fired in k of D samples is missed by d samples drawn without replacement when all d "
                "come from the D−k others; for one sample this is 1 − k/D.",
                sp.expand_func(one),
                1 - k / D,
                shown=equation(P(Given(0, k, _d)), missed),
            ),
            identity(
                "Summed over the neurons, the mean number of working neurons in d of the D samples; at d = D it is "
                "the number of counts above 0.",
                (missed.rewrite(sp.gamma)).subs(k, 0),
                sp.S.One,
                by=sp.gammasimp,
                shown=equation(E(K(_d)), curve),
            ),
            identity(
                "Under the beta-binomial law this is, term by term, the chance of silence in d samples times the law "
                "of k in the other D−d, given that silence;",
                sp.gammasimp((missed * law / rest / silent).rewrite(sp.gamma)),
                sp.S.One,
                shown=equation(missed * P(k, D), S(_d) * P(Given(k, D - _d, beta + _d))),
            ),
            identity(
                "the latter is normalised, so the curve is unbiased at every d: no fit, no model.",
                sp.gammasimp(beta_binomial(0, _d, b, beta) / silent),
                sp.S.One,
                shown=equation(sp.Sum(missed * P(k, D), (k, 0, D - _d)), S(_d)),
            ),
        ),
    )
