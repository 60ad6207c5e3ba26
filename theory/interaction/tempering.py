"""Parallel tempering: exchanges of replicas, and how often they succeed."""

from __future__ import annotations

import sympy as sp

from statnn.theory.derivation import Derivation, identity
from statnn.theory.evaluation import put_in
from statnn.theory.interaction.balance import by_modulus
from statnn.theory.notation import TEXTBOOK, gaussian, named, v, x
from statnn.theory.rewriting import by_antiderivative, by_exponents

_m, _mu, _d, _s = (
    sp.Symbol(name, **kind)
    for name, kind in (
        ("m", {"real": True}),
        ("mu", {"real": True}),
        ("Delta", {"positive": True}),
        ("s", {"positive": True}),
    )
)


def phi(at: sp.Expr) -> sp.Expr:
    """Return the distribution function of a standard Gaussian."""
    return (1 + sp.erf(at / sp.sqrt(2))) / 2


ACCEPTANCE = phi(_m / sp.sqrt(v)) + sp.exp(_m + v / 2) * phi(-(_m + v) / sp.sqrt(v))
"""Mean of min(1, e^X) for a Gaussian X of mean m and variance v."""
SWAP = sp.erfc(_d * _s / 2)
"""The same for two replicas whose energies are Gaussian of standard deviation s, inverse temperatures Δ apart."""
SYMBOLS = {"mean": _m, "variance": v, "gap": _d, "spread": _s}


def swap() -> Derivation:
    """Derive detailed balance of an exchange and its mean acceptance for Gaussian energies."""
    b1, b2, e1, e2, e = sp.symbols("beta_1 beta_2 E_1 E_2 E", real=True)
    r = sp.Symbol("r", positive=True)
    p, Phi = sp.Function("p"), sp.Function("Phi")
    gaussians = {p(x): gaussian(x - _m, v), Phi(x): phi(x)}
    laws = tuple(gaussians.items())
    shift = _mu - _d * _s**2
    cumulant = _mu * -_d + _d**2 * _s**2 / 2
    tied = {_m: -_d * (_mu - shift), v: 2 * _d**2 * _s**2}
    heat, temperature = sp.symbols("C beta", positive=True)
    mean, accepted = named(r"\operatorname{E}[\min(1, e^{X})]"), named(r"\operatorname{E}[A]")
    above = sp.Integral(p(x), (x, 0, sp.oo))
    below = sp.Integral(sp.exp(x) * p(x), (x, -sp.oo, 0))
    likely, tilted = Phi(_m / sp.sqrt(v)), sp.exp(_m + v / 2) * Phi(-(_m + v) / sp.sqrt(v))
    chances = sp.Min(1, sp.exp(x)) * p(x)
    whole = sp.Integral(chances, (x, -sp.oo, 0)) + sp.Integral(chances, (x, 0, sp.oo))
    by_low = by_antiderivative(phi((x - _m) / sp.sqrt(v)), x)
    by_tilted = by_antiderivative(
        sp.exp(_m + v / 2) * phi((x - _m - v) / sp.sqrt(v)), x, by_exponents(gaussian(x - _m, v))
    )

    def by_sides(gap: sp.Expr) -> sp.Expr:
        """Split min(1, exp(x)) at zero, and use the integrals of both sides."""
        known = {put_in(integral, laws): put_in(value, laws) for integral, value in ((above, likely), (below, tilted))}
        return sp.simplify(gap.replace(lambda part: isinstance(part, sp.Integral), _on_its_side).xreplace(known))

    return Derivation(
        "swap",
        "Exchanging replicas of two temperatures",
        TEXTBOOK,
        "exact",
        (
            identity(
                "Two replicas at the inverse temperatures β₁, β₂ have the joint weight of independent systems; the "
                "exchange of their states changes it by",
                sp.log(r),
                (b1 - b2) * (e1 - e2),
                where={r: sp.exp(-b1 * e2 - b2 * e1) / sp.exp(-b1 * e1 - b2 * e2)},
                by=sp.expand,
            ),
            identity(
                "Accepted with min(1, r), it is in detailed balance, for the return has the ratio 1/r.",
                sp.Min(1, r, evaluate=False),
                r * sp.Min(1, 1 / r, evaluate=False),
                by=by_modulus,
            ),
            identity(
                "Let X = ln r be Gaussian of mean m and variance v. On its positive side every exchange succeeds:",
                above,
                likely,
                where=gaussians,
                by=by_low,
            ),
            identity(
                "on its negative side a share exp(X) of them, which is again a Gaussian integral:",
                below,
                tilted,
                where=gaussians,
                by=by_tilted,
            ),
            identity(
                "The mean acceptance, of min(1, exp(X)) on both sides, is their sum.",
                mean,
                likely + tilted,
                where={mean: put_in(whole, laws)} | gaussians,
                by=by_sides,
            ),
            identity(
                "If the energy is Gaussian at one temperature, of mean μ and variance s², then the Boltzmann factor "
                "of a step Δ in inverse temperature",
                -_d * e - (e - _mu) ** 2 / (2 * _s**2),
                cumulant - (e - shift) ** 2 / (2 * _s**2),
                by=sp.expand,
            ),
            identity(
                "moves the mean and keeps the variance: E₁ − E₂ has the mean Δs² for β₂ − β₁ = Δ, and the mean and "
                "the variance of X are tied.",
                _m,
                -v / 2,
                where=tied,
            ),
            identity(
                "Both terms are then equal: the acceptance of neighbouring temperatures.",
                accepted,
                SWAP,
                where={accepted: ACCEPTANCE} | tied,
                by=lambda gap: sp.simplify(gap.rewrite(sp.erf)),
            ),
            identity(
                "In terms of the heat capacity C = β²s²: temperatures as close as 1/√C are needed, that is a number "
                "of them that grows with the square root of the size.",
                accepted,
                sp.erfc(_d * sp.sqrt(heat) / (2 * temperature)),
                where={accepted: SWAP, _s: sp.sqrt(heat) / temperature},
            ),
        ),
        assumes=("for the acceptance: the energy is Gaussian at each temperature",),
        uses=("metropolis",),
    )


def _on_its_side(integral: sp.Integral) -> sp.Integral:
    """Return an integral over numbers of one sign with min(1, exp(x)) replaced by its value there."""
    ((_, low, high),) = integral.limits
    if low != 0 and high != 0:
        return integral
    return sp.Integral(
        integral.function.replace(sp.Min, lambda *_: sp.S.One if low == 0 else sp.exp(x)), *integral.limits
    )
