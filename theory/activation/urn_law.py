"""The whole law of the number of working neurons in the urn."""

from __future__ import annotations

import sympy as sp

from statnn.theory.activation.symbols import OWN, N, P, b, n
from statnn.theory.derivation import Derivation, definition, identity, instance
from statnn.theory.rewriting import by_gamma

_shift, _mark = sp.symbols("T t", positive=True)
_k, i = sp.symbols("k i", integer=True, positive=True)


def inside_share(neurons: sp.Expr) -> sp.Expr:
    """Return r_i(n), the probability that n events all fall on `neurons` given neurons."""
    return sp.gamma(b * neurons + n) * sp.gamma(b * N) / (sp.gamma(b * neurons) * sp.gamma(b * N + n))


def urn_law() -> Derivation:
    """Derive P(K = k) by inclusion and exclusion and prove that it solves the birth chain of K."""
    r = sp.Function("r")
    differences = sp.Sum((-1) ** (_k - i) * sp.binomial(_k, i) * r(i, n), (i, 0, _k))
    birth = b * (N - _k) / (n + b * N)
    inside = {r(i, n): inside_share(i)}
    rising = sp.rf(b * i, n) / sp.rf(b * N, n)  # the same, and 0 at i = 0
    solved = {P(_k, n): sp.binomial(N, _k) * differences, r(i, n): rising}
    shares = sp.symbols("r_:7", real=True)
    silent = sp.gamma(n + b * N - b) * sp.gamma(b * N) / (sp.gamma(n + b * N) * sp.gamma(b * N - b))
    return Derivation(
        "urn-law",
        "Exact law of the number of working neurons in the urn",
        OWN,
        "exact",
        (
            identity(
                "Any i given neurons together are one colour of weight bi in an urn of weight bN: all n events fall on "
                "them with probability",
                r(i, n),
                rising,
                where=inside,
                by=by_gamma,
            ),
            identity(
                "because each event keeps to them with probability (n+bi)/(n+bN).",
                r(i, n + 1) / r(i, n),
                (b * i + n) / (b * N + n),
                where=inside,
                by=by_gamma,
            ),
            definition(
                "Inclusion and exclusion over the subsets of k neurons gives the law of K: the k-th difference of r "
                "at 0.",
                P(_k, n),
                sp.binomial(N, _k) * differences,
            ),
            identity(
                "It starts at K = 0, for at n = 0 every r is 1 and the alternating binomial sum is 0ᵏ.",
                sp.Sum((-1) ** (_k - i) * sp.binomial(_k, i), (i, 0, _k)),
                0,
                by=lambda gap: gap.doit().simplify(),
            ),
            identity(
                "It solves the birth chain term by term: this is the balance of the coefficients of rᵢ(n), divided by "
                "that of P(k).",
                P(_k, n + 1),
                P(_k, n) * (1 - birth) + P(_k - 1, n) * birth.subs(_k, _k - 1),
                where=solved,
                domain={N: range(9, 12)},
                by=_term_by_term,
            ),
            identity(
                "With the shift T rᵢ = rᵢ₊₁ the generating function of K is (1 + t(T−1))ᴺ r₀; its slope at t = 1 is "
                "the mean,",
                sp.Derivative((1 + _mark * (_shift - 1)) ** N, _mark),
                N * (_shift**N - _shift ** (N - 1)),
                where={_mark: 1},
            ),
            instance(
                "that is, summed for up to six neurons and whatever r is,",
                sp.Sum(_k * sp.binomial(N, _k) * differences, (_k, 0, N)),
                N * (r(N, n) - r(N - 1, n)),
                cases=[
                    {N: size} | {r(place, n): share for place, share in enumerate(shares[: size + 1])}
                    for size in range(1, 7)
                ],
            ),
            identity(
                "Here r is 1 at i = N and the silent share S(n) at i = N−1: the mean is that of the marginal law.",
                N * (r(N, n) - r(N - 1, n)),
                N * (1 - silent),
                where=inside,
                by=by_gamma,
            ),
        ),
        uses=("urn", "survival"),
    )


def _term_by_term(gap: sp.Expr) -> sp.Expr:
    """Compare sums over i by their terms; those over fewer i may go on, as their binomials vanish."""
    return by_gamma(gap.replace(lambda part: isinstance(part, sp.Sum), lambda part: part.function))
