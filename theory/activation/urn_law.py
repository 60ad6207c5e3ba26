"""The whole law of the number of working neurons in the urn."""

import sympy as sp

from theory.activation.symbols import OWN, E, K, N, P, b, k, n
from theory.derivation import Derivation, equation, identity

_shift, _mark = sp.symbols("T t", positive=True)
_some, i = sp.symbols("k i", integer=True, positive=True)


def inside_share(neurons: sp.Expr) -> sp.Expr:
    """Return r_i(n), the probability that n events all fall on `neurons` given neurons."""
    return sp.gamma(b * neurons + n) * sp.gamma(b * N) / (sp.gamma(b * neurons) * sp.gamma(b * N + n))


def term(working: sp.Expr, neurons: sp.Expr) -> sp.Expr:
    """Return the factor of r_i in P(K = k) without its sign (-1)^(k-i)."""
    return sp.binomial(N, working) * sp.binomial(working, neurons)


def urn_law() -> Derivation:
    """Derive P(K = k) by inclusion and exclusion and prove that it solves the birth chain of K."""
    r = sp.Function("r")
    law = sp.Sum((-1) ** (k - i) * sp.binomial(k, i) * sp.rf(b * i, n) / sp.rf(b * N, n), (i, 0, k))
    birth = b * (N - k) / (n + b * N)
    grows = sp.gammasimp(inside_share(i).subs(n, n + 1) / inside_share(i))
    lower = -sp.gammasimp((term(k - 1, i) / term(k, i)).rewrite(sp.gamma))  # one sign more: (-1)^(k-1-i)
    marked = (1 + _mark * (_shift - 1)) ** N
    return Derivation(
        "urn-law",
        "Exact law of the number of working neurons in the urn",
        OWN,
        "exact",
        (
            identity(
                "Given neurons, i of them, are together one colour of weight bi in an urn of weight bN: all n events "
                "fall on them with",
                (sp.rf(b * i, n) / sp.rf(b * N, n)).rewrite(sp.gamma),
                inside_share(i),
                by=sp.gammasimp,
                shown=equation(r(i, n), sp.rf(b * i, n) / sp.rf(b * N, n)),
            ),
            identity(
                "because each event keeps to them with (n+bi)/(n+bN).",
                grows,
                (b * i + n) / (b * N + n),
                shown=equation(r(i, n + 1) / r(i, n), (b * i + n) / (b * N + n)),
            ),
            identity(
                "Inclusion and exclusion over the subsets of k neurons gives the law of K: the k-th difference of r "
                "at 0. It starts at K = 0, for there r = 1 and the alternating binomial sum is 0ᵏ.",
                sp.summation((-1) ** (_some - i) * sp.binomial(_some, i), (i, 0, _some)).simplify(),
                sp.S.Zero,
                shown=equation(P(k), sp.binomial(N, k) * law),
            ),
            identity(
                "It solves the birth chain term by term: this is the balance of the coefficients of rᵢ(n), over that "
                "of P(k).",
                grows,
                1 - birth + birth.subs(k, k - 1) * lower,
                shown=equation(P(k, n + 1), P(k, n) * (1 - birth) + P(k - 1, n) * birth.subs(k, k - 1)),
            ),
            identity(
                "With the shift T rᵢ = rᵢ₊₁ the generating function of K is (1 + t(T−1))ᴺ r₀; its slope at t = 1 is "
                "the mean.",
                sp.diff(marked, _mark).subs(_mark, 1),
                N * (_shift**N - _shift ** (N - 1)),
                shown=equation(E(K(n)), N * (r(N, n) - r(N - 1, n))),
            ),
            identity(
                "There r is 1 at i = N and the silent share S(n) at i = N−1: the mean is that of the marginal law.",
                sp.gammasimp(N * (inside_share(N) - inside_share(N - 1))),
                sp.gammasimp(
                    N * (1 - sp.gamma(n + b * N - b) * sp.gamma(b * N) / (sp.gamma(n + b * N) * sp.gamma(b * N - b)))
                ),
                shown=equation(
                    E(K(n)),
                    N * (1 - sp.gamma(n + b * N - b) * sp.gamma(b * N) / (sp.gamma(n + b * N) * sp.gamma(b * N - b))),
                ),
            ),
        ),
    )
