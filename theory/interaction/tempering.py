"""Parallel tempering: exchanges of replicas, and how often they succeed."""

import sympy as sp

from theory.derivation import Derivation, equation, identity
from theory.interaction.balance import absolute, accept
from theory.interaction.symbols import TEXTBOOK, gaussian, named, v, x

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
    logs = -b1 * e2 - b2 * e1 + b1 * e1 + b2 * e2
    density = gaussian(x - _m, v)
    low = phi((x - _m) / sp.sqrt(v))
    tilted = sp.exp(_m + v / 2) * phi((x - _m - v) / sp.sqrt(v))
    shift = _mu - _d * _s**2
    cumulant = _mu * -_d + _d**2 * _s**2 / 2
    matched = {_m: -(_d**2) * _s**2, v: 2 * _d**2 * _s**2}
    heat, temperature = sp.symbols("C beta", positive=True)
    step = sp.Symbol("Delta", positive=True)
    return Derivation(
        "swap",
        "Exchanging replicas of two temperatures",
        TEXTBOOK,
        "exact",
        (
            identity(
                "Two replicas at the inverse temperatures β₁, β₂ have the joint weight of independent systems; the "
                "exchange of their states changes it by",
                logs,
                (b1 - b2) * (e1 - e2),
                by=sp.expand,
                shown=equation(sp.log(r), (b1 - b2) * (e1 - e2)),
            ),
            identity(
                "Accepted with min(1, r), it is in detailed balance, for the return has the ratio 1/r.",
                accept(r),
                r * accept(1 / r),
                by=lambda gap: sp.simplify(gap.replace(sp.Abs, absolute)),
                shown=equation(sp.Min(1, r, evaluate=False), r * sp.Min(1, 1 / r, evaluate=False)),
            ),
            identity(
                "Let X = ln r be Gaussian of mean m and variance v. On its positive side every exchange succeeds:",
                sp.diff(low, x),
                density,
                shown=equation(sp.Integral(sp.Function("p")(x), (x, 0, sp.oo)), sp.Function("Phi")(_m / sp.sqrt(v))),
            ),
            identity(
                "on its negative side a share exp(X) of them, which is again a Gaussian integral:",
                sp.diff(tilted, x),
                sp.exp(x) * density,
                by=lambda gap: sp.simplify(sp.powsimp(sp.expand(gap / density, power_exp=True))),
                shown=equation(
                    sp.Integral(sp.exp(x) * sp.Function("p")(x), (x, -sp.oo, 0)),
                    sp.exp(_m + v / 2) * sp.Function("Phi")(-(_m + v) / sp.sqrt(v)),
                ),
            ),
            identity(
                "with Φ between 0 and 1 at the ends, the mean acceptance is their sum.",
                sp.limit(phi(x), x, sp.oo) - low.subs(x, 0) + tilted.subs(x, 0) - sp.limit(phi(x), x, -sp.oo),
                ACCEPTANCE,
                shown=equation(
                    named(r"\operatorname{E}[\min(1, e^{X})]"),
                    sp.Function("Phi")(_m / sp.sqrt(v))
                    + sp.exp(_m + v / 2) * sp.Function("Phi")(-(_m + v) / sp.sqrt(v)),
                ),
            ),
            identity(
                "If the energy is Gaussian at one temperature, of mean μ and variance s², then the Boltzmann factor "
                "of a step Δ in inverse temperature",
                sp.log(gaussian(e - _mu, _s**2)) - _d * e - cumulant,
                sp.log(gaussian(e - shift, _s**2)),
                by=lambda gap: sp.simplify(sp.expand_log(gap, force=True)),
                shown=equation(-_d * e - (e - _mu) ** 2 / (2 * _s**2), cumulant - (e - shift) ** 2 / (2 * _s**2)),
            ),
            identity(
                "moves the mean and keeps the variance: E₁ − E₂ has the mean Δs² for β₂ − β₁ = Δ, and the mean and "
                "the variance of X are tied.",
                matched[_m],
                -_d * (_mu - shift),
                shown=equation(_m, -v / 2),
            ),
            identity(
                "Both terms are then equal: the acceptance of neighbouring temperatures.",
                ACCEPTANCE.subs(matched),
                SWAP,
                by=lambda gap: sp.simplify(gap.rewrite(sp.erf)),
                shown=equation(named(r"\operatorname{E}[A]"), SWAP),
            ),
            identity(
                "In terms of the heat capacity C = β²s²: temperatures as close as 1/√C are needed, that is a number "
                "of them that grows with the square root of the size.",
                SWAP.subs({_d: step, _s: sp.sqrt(heat) / temperature}),
                sp.erfc(step * sp.sqrt(heat) / (2 * temperature)),
                shown=equation(named(r"\operatorname{E}[A]"), sp.erfc(step * sp.sqrt(heat) / (2 * temperature))),
            ),
        ),
    )
