"""The growth curve inside one data set, with no model, and its unbiasedness."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations, product

import sympy as sp

from statnn.theory.activation.expressions import beta_binomial, gamma_survival
from statnn.theory.activation.symbols import D, E, Given, K, N, P, S, b, beta, i, j, k
from statnn.theory.derivation import Derivation, identity, instance
from statnn.theory.rewriting import by_gamma, by_normalisation

_d = sp.Symbol("d", positive=True)


def rarefaction() -> Derivation:
    """Derive the rarefaction curve and show that it is unbiased under the beta-binomial law."""
    missed = sp.binomial(D - k, _d) / sp.binomial(D, _d)
    law, rest = beta_binomial(k, D, b, beta), beta_binomial(k, D - _d, b, beta + _d)
    d_i = sp.IndexedBase("D")[i]
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
                P(Given(0, k, _d)),
                missed,
                cases=[
                    {D: size, k: fired, _d: drawn, P(Given(0, fired, drawn)): _missed(size, fired, drawn)}
                    for size, drawn in few
                    for fired in range(size + 1)
                ],
            ),
            identity(
                "Drawn one after the other, each of the d samples must come from what is left of those D−k.",
                missed,
                sp.Product((D - k - j) / (D - j), (j, 0, _d - 1)),
                domain=whole,
                by=_by_factors,
            ),
            instance(
                "Summed over the neurons, this gives the mean number of working neurons in d of the D samples; at d = "
                "D it is the number of counts above 0. Checked for three neurons and every set of counts in four "
                "samples, by every possible draw.",
                E(K(_d)),
                curve,
                cases=list(_tables(d_i)),
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
                "the latter is normalised, like any beta-binomial law, so the curve is unbiased at every d: no fit, no "
                "model.",
                sp.Sum(missed * P(k, D), (k, 0, D - _d)),
                S(_d),
                where=solved,
                domain=whole,
                by=by_normalisation(rest, (k, 0, D - _d)),
            ),
        ),
        assumes=("samples are drawn without replacement",),
        uses=("beta-bernoulli",),
    )


def _missed(samples: int, fired: int, drawn: int) -> sp.Rational:
    """Return the share of draws that miss the first `fired` of the samples."""
    draws = list(combinations(range(samples), drawn))
    return sp.Rational(sum(min(draw) >= fired for draw in draws), len(draws))


def _tables(count: sp.Expr) -> Iterator[dict[sp.Basic, sp.Expr]]:
    """Yield the mean number of working neurons in d of four samples, for one table per set of counts."""
    size, neurons = 4, 3
    for fired in product(range(size + 1), repeat=neurons):
        if list(fired) != sorted(fired):
            continue
        # neuron i fires in samples i, i+1, ..., cyclically, so that their activations are not nested sets
        active = [{(first + place) % size for place in range(times)} for first, times in enumerate(fired)]
        for drawn in range(1, size + 1):
            draws = list(combinations(range(size), drawn))
            working = sum(bool(own & set(draw)) for draw in draws for own in active)
            named = {count.base[place]: times for place, times in enumerate(fired, 1)}
            yield {D: size, N: neurons, _d: drawn, E(K(drawn)): sp.Rational(working, len(draws))} | named


def _by_factors(gap: sp.Expr) -> sp.Expr:
    """Compare a function of d with a product of d factors: both are 1 at d = 0 and have the same growth factor."""
    (product_of,) = gap.atoms(sp.Product)
    rest = gap + product_of
    growth = by_gamma(rest.subs(_d, _d + 1) - rest * product_of.function.subs(j, _d))
    return sp.S.Zero if growth == 0 == sp.simplify(rest.subs(_d, 0) - 1) else gap
