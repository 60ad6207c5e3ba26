"""The square lattice: duality, Kaufman's finite torus, Onsager's energy."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from itertools import product
from typing import Any

import sympy as sp

from statnn.theory.derivation import Derivation, Step, argued, definition, equation, identity, instance, limit
from statnn.theory.notation import K, n, named
from statnn.theory.rewriting import by_antiderivative, by_exponentials

SIZES = ((2, 2), (2, 3), (3, 2), (3, 3), (3, 4))
CRITICAL = sp.log(1 + sp.sqrt(2)) / 2
_C, _S = sp.cosh(2 * K), sp.sinh(2 * K)
_grow = sp.Symbol("x", positive=True)  # e^K
_elliptic = named(r"\mathcal{K}(k)")


def unpaired(grow: Any, rows: int, mode: int, sign: int) -> Any:
    """Return (2 sinh 2K)^(M/2) times 2 cosh(Mγ/2) (`sign` 1) or 2 sinh(Mγ/2) (-1) of the modes 0 and n, rational."""
    if mode == 0:
        return (grow**2 - 1) ** rows + sign * (1 + grow**-2) ** rows
    return (grow**2 + 1) ** rows + sign * (1 - grow**-2) ** rows


def cosh_mode(grow: Any, cosine: Any) -> Any:
    """Return cosh γ of a mode."""
    return (grow**2 + grow**-2) ** 2 / (2 * (grow**2 - grow**-2)) - cosine


def kaufman(grow: Any, columns: int, rows: int, cosines: Sequence[Any], chebyshev: Callable[[int, Any], Any]) -> Any:
    """Return Z of the torus as a function of e^K: half the sum of four products over modes.

    `cosines` are cos(πl/n), and `chebyshev` M, cosh γ gives cosh Mγ: exact or numeric, as e^K is.
    """
    total = 0
    for first in (0, 1):
        for sign in (1, -1):
            term = 1
            for mode in range(first, columns + 1, 2):
                if mode in (0, columns):
                    term *= unpaired(grow, rows, mode, sign)
                else:
                    # the modes l and 2n-l together: (2 sinh 2K)^M times the square of 2 cosh(Mγ/2) or 2 sinh(Mγ/2)
                    powers = chebyshev(rows, cosh_mode(grow, cosines[mode]))
                    term *= (grow**2 - grow**-2) ** rows * 2 * (powers + sign)
            total += term
    return total / 2


def enumerated(columns: int, rows: int) -> sp.Expr:
    """Return Z of the torus in e^K by enumeration; if a side is 2, neighbours are joined by two bonds."""
    counts: Counter[int] = Counter()
    for spins in product((-1, 1), repeat=columns * rows):
        counts[
            sum(
                spins[r * columns + c] * (spins[r * columns + (c + 1) % columns] + spins[(r + 1) % rows * columns + c])
                for r in range(rows)
                for c in range(columns)
            )
        ] += 1
    return sp.Add(*(count * _grow**bonds for bonds, count in counts.items()))


def _duality() -> tuple[Step, ...]:
    tanh = sp.exp(-2 * K)  # tanh of the dual coupling
    dual, critical = sp.Symbol("K^{*}"), named("K_{c}")
    return (
        identity(
            "Low temperatures count domain walls, of weight exp(−2K), as high temperatures count loops, of weight tanh "
            "K: the dual coupling has tanh K* = exp(−2K), so",
            sp.sinh(2 * K) * sp.sinh(2 * dual),
            sp.S.One,
            where={dual: sp.log((1 + tanh) / (1 - tanh)) / 2},
            by=by_exponentials,
        ),
        definition("A single transition can only be", critical, CRITICAL),
        identity(
            "where both agree.",
            sp.sinh(2 * critical),
            sp.S.One,
            where={critical: CRITICAL},
            by=lambda gap: sp.radsimp(by_exponentials(gap)),
        ),
    )


def _finite() -> tuple[Step, ...]:
    gamma, rows = sp.symbols("gamma M", positive=True)
    theta = sp.pi * sp.Symbol("l") / n
    mode_of, M, r = sp.IndexedBase("gamma"), sp.Symbol("M", integer=True, positive=True), sp.Symbol("r", integer=True)
    products = sum(
        sp.Product(2 * function(M * mode_of[2 * r + odd] / 2), (r, 0, n - 1))
        for odd in (1, 0)
        for function in (sp.cosh, sp.sinh)
    )
    first = named(r"\gamma_{0}")
    mode = {first: 2 * K + sp.log(sp.tanh(K))}
    return (
        definition(
            "Kaufman's modes of a torus of n columns and M rows, l = 0 to 2n−1.",
            sp.cosh(named(r"\gamma_{l}")),
            _cosh_mode(theta),
        ),
        definition("The mode l = 0 is 2(K − K*), with a sign:", first, mode[first]),
        identity(
            "it is negative above the critical temperature,",
            sp.cosh(first),
            _C * sp.coth(2 * K) - 1,
            where=mode,
            by=by_exponentials,
        ),
        identity(
            "and its factors are powers of rational functions of eᴷ: of this one,",
            2 * _S * sp.exp(first),
            (sp.exp(2 * K) - 1) ** 2,
            where=mode,
            by=by_exponentials,
        ),
        identity(
            "and, with the other sign, of this one.",
            2 * _S * sp.exp(-first),
            (1 + sp.exp(-2 * K)) ** 2,
            where=mode,
            by=by_exponentials,
        ),
        identity(
            "The modes l and 2n−l are equal: their factors make squares, polynomials in cosh γ.",
            4 * sp.cosh(rows * gamma / 2) ** 2,
            2 * (1 + sp.cosh(rows * gamma)),
            by=by_exponentials,
        ),
        instance(
            "Kaufman's partition function, compared with the enumeration of all states for the sizes 2×2, 2×3, 3×2, "
            "3×3 and 3×4 as polynomials in eᴷ.",
            named("Z"),
            (2 * _S) ** (n * M / 2) * products / 2,
            cases=[
                {n: columns, M: rows, named("Z"): enumerated(columns, rows).subs(_grow, sp.exp(K))}
                | {mode_of[l]: _mode(l, columns) for l in range(2 * columns)}
                for columns, rows in SIZES
            ],
            by=_by_polynomials,
        ),
    )


def _cosh_mode(angle: sp.Expr) -> sp.Expr:
    return _C * sp.coth(2 * K) - sp.cos(angle)


def _mode(number: int, columns: int) -> sp.Expr:
    """Return γ of a mode; for the modes 0 and n in closed form, the first with its sign."""
    if number % columns == 0:
        return 2 * K + (-1) ** (number // columns) * sp.log(sp.tanh(K))
    return sp.acosh(_cosh_mode(sp.pi * number / columns))


def _by_polynomials(gap: sp.Expr) -> sp.Expr:
    """Write everything in x = e^K and the roots of x² − 1 and x² + 1, and multiply out."""
    less, more = sp.symbols("A B", positive=True)  # the roots of x² - 1 and x² + 1
    double = (_grow**2 + _grow**-2) / 2, less**2 * more**2 / (2 * _grow**2)  # cosh 2K, sinh 2K

    def whole(part: sp.Expr) -> sp.Expr:
        """Write the square of cosh or sinh, of half a multiple of γ, as a polynomial in cosh γ."""
        sign = 1 if part.base.func is sp.cosh else -1
        multiple, mode = (2 * part.base.args[0]).as_independent(sp.acosh)
        return (sp.chebyshevt(multiple, mode.args[0]) + sign) / 2

    def power(exponent: sp.Expr) -> sp.Expr:
        """Write exp(aK + b ln tanh K) in x and the two roots."""
        terms = sp.expand(exponent)
        return _grow ** terms.coeff(K) * (less / more) ** (2 * terms.coeff(sp.log(sp.tanh(K))))

    def unpaired(part: sp.Expr) -> sp.Expr:
        """Write cosh or sinh of half a multiple of one of the modes 0 and n."""
        (half,), sign = part.args, 1 if part.func is sp.cosh else -1
        return (power(half) + sign * power(-half)) / 2

    gap = gap.replace(lambda part: part.is_Pow and part.exp == 2 and part.has(sp.acosh), whole)
    gap = gap.replace(lambda part: isinstance(part, (sp.cosh, sp.sinh)) and part.has(sp.log), unpaired)
    gap = gap.replace(sp.exp, power)
    gap = gap.xreplace({_C: double[0], _S: double[1], sp.coth(2 * K): double[0] / double[1]})
    top = sp.expand(sp.numer(sp.together(sp.powsimp(sp.expand_power_base(gap, force=True)))))
    top = sp.rem(top, less**2 - (_grow**2 - 1), less)
    return sp.expand(sp.rem(top, more**2 - (_grow**2 + 1), more))


def _bulk() -> tuple[Step, ...]:
    gamma, c = sp.Symbol("gamma", positive=True), sp.Symbol("c", real=True)
    theta, omega = sp.symbols("theta omega", real=True)
    inner = 2 * sp.cosh(gamma) - 2 * sp.cos(omega)
    slope = sp.sinh(gamma) / (sp.cosh(gamma) - sp.cos(omega))
    turn, weight = (omega, -sp.pi, sp.pi), named("D")
    both = sp.cos(theta) + sp.cos(omega)
    mean = by_antiderivative(
        2 * sp.atan(sp.tan(omega / 2) / sp.tanh(gamma / 2)), omega, lambda gap: _in_tangent(gap, omega, gamma)
    )
    end = sp.Limit(sp.log(inner) - gamma, gamma, sp.oo)

    def by_rate(gap: sp.Expr) -> sp.Expr:
        """Return zero for a gap whose slope in γ is zero and which vanishes as γ → ∞, where the logarithm is γ."""
        rate = sp.diff(gap, gamma).replace(sp.Derivative, lambda *parts: sp.simplify(sp.Derivative(*parts).doit()))
        far = gap.xreplace({sp.log(inner): gamma}).doit() == 0 and sp.limit(*end.args[:3]) == 0
        return sp.S.Zero if far and mean(_fraction(rate, slope)) == 0 else gap

    log_z = sp.log(2) + sp.Integral(sp.log(_C**2 - _S * both), (theta, 0, 2 * sp.pi), (omega, 0, 2 * sp.pi)) / (
        8 * sp.pi**2
    )
    return (
        identity(
            "In a large torus each mode contributes γ/2 per row. To write γ as a mean over angles, note that the "
            "antiderivative of",
            sp.Derivative(sp.log(inner), gamma),
            slope,
        ),
        identity(
            "in ω is twice an arctangent: over a full turn the mean is 1, the derivative of γ,",
            sp.Integral(slope, turn),
            2 * sp.pi,
            by=mean,
        ),
        limit("and for large γ the logarithm is γ itself:", end, 0),
        identity(
            "so the two agree for all γ > 0.",
            2 * sp.pi * gamma,
            sp.Integral(sp.log(inner), turn),
            domain={gamma: (1, 3)},
            by=by_rate,
        ),
        identity(
            "With cosh γ in terms of θ = πl/n, and the factor before the products, the logarithm is that of",
            2 * _S * inner,
            4 * (_C**2 - _S * both),
            where={gamma: sp.acosh(_cosh_mode(theta))},
            by=lambda gap: sp.expand(gap.subs(sp.coth(2 * K), _C / _S)),
        ),
        argued(
            "the largest of the four products dominates, and its sum over modes becomes an integral over θ: ln Z per "
            "spin of the infinite lattice is half the mean of the logarithm over both angles.",
            equation(named(r"\frac{1}{N} \ln Z"), log_z),
        ),
        identity(
            "Its derivative with respect to K, with c the sum of the two cosines and D = cosh² 2K − c sinh 2K, is "
            "this.",
            sp.Derivative(sp.log(weight), K) / 2,
            sp.coth(2 * K) * (1 + (_S**2 - 1) / weight),
            where={weight: _C**2 - _S * c},
            domain={c: (-2, 2)},
            by=by_exponentials,
        ),
    )


def _fraction(expr: sp.Expr, form: sp.Expr) -> sp.Expr:
    """Write integrands that equal `form` as `form`."""
    return expr.replace(
        lambda part: isinstance(part, sp.Integral) and sp.simplify(part.function - form) == 0,
        lambda part: sp.Integral(form, *part.limits),
    )


def _in_tangent(expr: sp.Expr, angle: sp.Symbol, rate: sp.Symbol) -> sp.Expr:
    """Return a function of circular and hyperbolic cos, and tan of half angles, as a simplified rational one."""
    t, h = sp.symbols("t h", positive=True)
    rational = expr.subs({sp.tan(angle / 2): t, sp.tanh(rate / 2): h})
    rational = rational.subs({sp.cos(angle): (1 - t**2) / (1 + t**2)})
    rational = rational.subs({sp.cosh(rate): (1 + h**2) / (1 - h**2), sp.sinh(rate): 2 * h / (1 - h**2)})
    return sp.cancel(rational)


def _energy() -> tuple[Step, ...]:
    alpha, delta = sp.symbols("alpha phi", real=True)
    u, stretch = sp.symbols("u r", positive=True)
    k, rest = sp.symbols("k k'", positive=True)
    # r is the square root of (1+u)/(1-u), so that no root is left
    half = (stretch**2 + 1) / stretch * sp.atan(stretch * sp.tan(delta / 2))
    above, chord = sp.pi / (2 * k) * sp.asinh(2 * k * delta / (sp.pi * rest)), 2 * delta / sp.pi
    modulus = 2 * _S / _C**2
    energy = -_C / _S * (1 + (_S**2 - 1) / _C**2 * 2 / sp.pi * _elliptic)
    whole = sp.Integral(1 / sp.sqrt(1 - k**2 * sp.cos(alpha) ** 2), (alpha, 0, 2 * sp.pi))
    quarter = sp.Integral(1 / sp.sqrt(1 - k**2 * sp.sin(delta) ** 2), (delta, 0, sp.pi / 2))
    share, critical = {k: (0, 1)}, named("K_{c}")

    def by_tangent(gap: sp.Expr) -> sp.Expr:
        t = sp.Symbol("t", positive=True)
        return sp.simplify(gap.subs(sp.tan(delta / 2), t).subs(sp.cos(delta), (1 - t**2) / (1 + t**2)))

    def by_quarters(gap: sp.Expr) -> sp.Expr:
        """Replace a full turn by four times its first quarter, counted from its other end: cos becomes sin."""
        moved = whole.function.subs(alpha, sp.pi / 2 - delta) - quarter.function
        return gap.subs(whole, 4 * quarter) if sp.simplify(moved) == 0 else gap

    return (
        identity(
            "To average 1/D, rotate the two angles by 45 degrees, writing them as a sum and a difference,",
            _C**2 - _S * (sp.cos(alpha + delta) + sp.cos(alpha - delta)),
            _C**2 * (1 - k * sp.cos(alpha) * sp.cos(delta)),
            where={k: modulus},
            by=lambda gap: sp.simplify(sp.expand(sp.expand_trig(gap))),
        ),
        definition("with", k, modulus),
        identity(
            "Over φ this is again an arctangent, with u = k cos α,",
            sp.Integral(1 / (1 - u * sp.cos(delta)), (delta, -sp.pi, sp.pi)),
            2 * sp.pi / sp.sqrt(1 - u**2),
            where={u: (stretch**2 - 1) / (stretch**2 + 1)},
            by=by_antiderivative(half, delta, by_tangent),
        ),
        definition("and over α the complete elliptic integral,", _elliptic, quarter),
        identity("four times.", whole, 4 * _elliptic, where={_elliptic: quarter}, domain=share, by=by_quarters),
        identity(
            "Together they are Onsager's energy per spin, in units of the coupling.",
            named("E / N"),
            -sp.coth(2 * K) * (1 + 2 / sp.pi * (2 * sp.tanh(2 * K) ** 2 - 1) * _elliptic),
            where={named("E / N"): energy},
            by=by_exponentials,
        ),
        identity(
            "The complementary modulus vanishes where sinh 2K = 1: there the integral diverges, and nowhere else.",
            rest**2,
            (2 * sp.tanh(2 * K) ** 2 - 1) ** 2,
            where={rest: sp.sqrt(1 - modulus**2)},
            by=by_exponentials,
        ),
        identity(
            "To see how slowly, count φ from the other end, which makes the expression under the root",
            1 - k**2 * sp.cos(delta) ** 2,
            rest**2 + k**2 * sp.sin(delta) ** 2,
            where={rest: sp.sqrt(1 - k**2)},
            domain=share,
        ),
        argued(
            "The sine is concave up to π/2, so it lies above its chord, 2φ/π, with which it shares the ends.",
            sp.Ge(sp.sin(delta), chord, evaluate=False),
            [chord.subs(delta, 0), chord.subs(delta, sp.pi / 2), sp.diff(sp.sin(delta) - chord, delta, 2)],
            [sp.sin(0), sp.sin(sp.pi / 2), -sp.sin(delta)],
        ),
        identity(
            "So the integrand is at most what it is with the chord in place of the sine, which is",
            1 / sp.sqrt(rest**2 + (k * chord) ** 2),
            sp.Derivative(above, delta),
        ),
        limit(
            "and the integral is at most the integral of that, which grows like a logarithm: with the factor k′ it "
            "vanishes.",
            sp.Limit(rest * sp.pi / (2 * k) * sp.asinh(k / rest), rest, 0),
            0,
            where={k: sp.sqrt(1 - rest**2)},
            by=lambda body: body.rewrite(sp.log),
        ),
        identity(
            "What is left at the critical point is exact.",
            -sp.coth(2 * critical),
            -sp.sqrt(2),
            where={critical: CRITICAL},
            by=lambda gap: sp.radsimp(by_exponentials(gap)),
        ),
    )


def torus() -> Derivation:
    """Derive the critical coupling, check Kaufman's torus by enumeration, derive Onsager's energy from it."""
    return Derivation(
        "torus",
        "The square lattice: Kaufman's torus and Onsager's energy",
        "textbook result (Onsager, Kaufman): the modes are checked by enumeration, what follows from them is proved",
        "exact",
        (*_duality(), *_finite(), *_bulk(), *_energy()),
        assumes=(
            "Kaufman's modes hold at sizes beyond those that are enumerated",
            "for the critical coupling: there is a single transition",
        ),
    )
