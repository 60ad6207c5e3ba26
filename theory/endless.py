"""Numerical integrals, infinite sums and products: split at kinks of the integrand, refused if they diverge.

The extrapolation of mpmath gives values even to divergent sums, as 1 + 2 + 4 + ... = -1, and its quadrature loses most
digits where a slope jumps.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import Any

import mpmath
import sympy as sp
from sympy.concrete.expr_with_limits import ExprWithLimits

_PLACES, _WIDE = (0, 60, 400, 800, 3200), 8  # places where terms are inspected, and how many at each
_STEEP = 1000  # growth of small terms that is more than rounding
_HUMP, _AGAIN = 2000, 7  # terms added one by one: if they rise at first, and as a test that nothing changes
_MANY = 1_000_000
_FEW = mpmath.mpf(10) ** -42
_NOTHING = mpmath.mpf(10) ** -30
_LARGEST = 10_000  # most bits before the point of an exponent: no number has more digits than that
_LONG = 64  # bits from which on mpmath multiplies e by itself bit by bit, hundreds of times as slow
_JUMPS = (sp.Abs, sp.sign, sp.Heaviside)


def kinks(integrand: sp.Expr, variable: sp.Symbol, inner: Sequence[sp.Symbol]) -> Iterator[sp.Expr]:
    """Yield points that quadrature must know: zeros of arguments of |.|, comparisons, bounds; peaks of Gaussians.

    Expressions in a variable of inner integrals are skipped, since those integrals are smooth.
    """
    bound = {*inner}.union(*(part.variables for part in integrand.atoms(ExprWithLimits)))
    gaps = [part.args[0] for part in integrand.atoms(*_JUMPS)]
    for part in integrand.atoms(sp.Max, sp.Min):
        gaps += [first - second for count, first in enumerate(part.args) for second in part.args[:count]]
    for part in integrand.atoms(sp.Piecewise):
        gaps += [each.lhs - each.rhs for _, condition in part.args for each in condition.atoms(sp.Rel)]
    for gap in (piece for whole in gaps for piece in _pieces(whole)):
        if bound.isdisjoint(gap.free_symbols) and gap.is_polynomial(variable) and 0 < sp.degree(gap, variable) <= 2:
            yield from sp.roots(gap, variable)
    for exponent in (part.args[0] for part in integrand.atoms(sp.exp)):
        known = bound.isdisjoint(exponent.free_symbols) and exponent.is_polynomial(variable)
        if known and sp.degree(exponent, variable) == 2:
            yield from sp.roots(sp.diff(exponent, variable), variable)


def _pieces(expr: sp.Expr) -> Iterator[sp.Expr]:
    """Yield all forms of an expression with each bound or modulus in it replaced by one of its arguments."""
    bent = next(iter(expr.atoms(sp.Max, sp.Min, sp.Abs)), None)
    for part in () if bent is None else bent.args if len(bent.args) > 1 else (bent.args[0], -bent.args[0]):
        yield from _pieces(expr.xreplace({bent: part}))
    if bent is None:
        yield expr


def exponential(value: Any) -> Any:
    """Return e to a power, zero far on the left; raise where mpmath would take for ever, as for exp(exp(10^80))."""
    real = mpmath.mpf(0) if isinstance(value, mpmath.matrix) else mpmath.re(value)
    size = mpmath.mag(real) if mpmath.isfinite(real) else 0
    if isinstance(value, mpmath.mpf) and _LONG < size <= _LARGEST:
        with mpmath.extraprec(int(size) + 10):
            twos = mpmath.floor(value / mpmath.ln2)
            rest = value - twos * mpmath.ln2
        return mpmath.ldexp(mpmath.exp(rest), int(twos))
    if not size > _LARGEST:
        return mpmath.exp(value)
    if real < 0:
        return mpmath.mpf(0)
    raise OverflowError(f"exp is beyond exp(2^{_LARGEST})")


def within(name: str) -> Callable[[Any], Any]:
    """Return a function of mpmath that raises where it would take for ever, as for sin of exp(10^80)."""
    plain = getattr(mpmath, name)

    def function(value: Any) -> Any:
        if mpmath.isfinite(value) and mpmath.mag(value) > _LARGEST:
            raise OverflowError(f"{name} is of a number beyond 2^{_LARGEST}")
        return plain(value)

    return function


def integral(function: Callable[[Any], Any], ends: Sequence[Any], places: Sequence[Any] = ()) -> Any:
    """Return an integral, in pieces that meet at kinks of the integrand; raise if quadrature has few digits."""
    low, high = map(mpmath.mpmathify, ends)
    first, last = (low, high) if mpmath.im(low) or mpmath.im(high) or low <= high else (high, low)
    real = (place for place in map(mpmath.mpmathify, places) if not mpmath.im(place))
    inside = sorted({place for place in real if first < place < last})
    total, error = _quadrature(function, [first, *inside, last])
    if not error <= _FEW * max(1, abs(total)):
        with mpmath.workdps(3 * mpmath.mp.dps):  # half of the digits are lost at an end with a square root
            total, error = _quadrature(function, [first, *inside, last])
    if not error <= _FEW * max(1, abs(total)):
        raise ArithmeticError(f"quadrature of an integral errs by {mpmath.nstr(error, 2)}, as it oscillates or jumps")
    return total if first == low else -total


def _quadrature(function: Callable[[Any], Any], cuts: Sequence[Any]) -> tuple[Any, Any]:
    parts = [mpmath.quad(function, part, error=True) for part in pairwise(cuts)]
    return mpmath.fsum(part for part, _ in parts), mpmath.fsum(error for _, error in parts)


def endless_sum(term: Callable[[Any], Any], ends: Sequence[Any]) -> Any:
    """Return a sum; raise `ArithmeticError` if its terms do not vanish, or too slowly for extrapolation."""
    return _endless(term, ends, "sum", mpmath.nsum, mpmath.fsum, term)


def endless_product(factor: Callable[[Any], Any], ends: Sequence[Any]) -> Any:
    """Return a product; raise `ArithmeticError` if its factors do not tend to one, or too slowly."""
    return _endless(factor, ends, "product", mpmath.nprod, mpmath.fprod, lambda at: factor(at) - 1)


def _endless(part: Any, ends: Sequence[Any], what: str, extrapolated: Any, together: Any, size: Any) -> Any:
    first, last = map(mpmath.mpmathify, ends)
    _refuse_ends(first, last, what)
    rises = _rises(size, ends, what)
    if first == mpmath.ninf:
        end, kind = last if mpmath.isfinite(last) else mpmath.mpf(-1), (what, extrapolated, together)
        below = _endless(lambda at: part(-at), (-end, mpmath.inf), *kind, lambda at: size(-at))
        return below if mpmath.isfinite(last) else together([below, _endless(part, (end + 1, last), *kind, size)])
    if mpmath.isfinite(last):
        return extrapolated(part, ends)

    def after(count: int) -> Any:
        return together([*(part(first + k) for k in range(count)), extrapolated(part, (first + count, last))])

    if rises:
        return after(_HUMP)  # extrapolation from rising terms would miss later ones
    total = after(0)
    if not abs(total - after(_AGAIN)) <= _FEW * max(1, abs(total)):
        raise ArithmeticError(f"the {what} to infinity converges too slowly for numbers")
    return total


def _refuse_ends(first: Any, last: Any, what: str) -> None:
    """Raise if an end is not whole, or there are too many terms to add one by one."""
    for end in (first, last):
        if mpmath.isfinite(end) and not mpmath.isint(end):
            whole = "give the symbols in its ends a range of whole numbers"
            raise ArithmeticError(f"the {what} goes from {mpmath.nstr(first, 6)} to {mpmath.nstr(last, 6)}: {whole}")
    if mpmath.isfinite(last - first) and last - first > _MANY:
        raise ArithmeticError(f"the {what} has {mpmath.nstr(last - first, 3)} terms: give it in closed form")


def _rises(term: Callable[[Any], Any], ends: Sequence[Any], what: str) -> bool:
    """Return whether terms grow at first; raise if they do not vanish later."""
    rises = False
    for end, other, ahead in ((ends[1], ends[0], 1), (ends[0], ends[1], -1)):
        if mpmath.isfinite(end):
            continue
        start = other if mpmath.isfinite(other) else mpmath.mpf(0)

        def size(far: int, start: Any = start, ahead: int = ahead) -> Any:
            return max(abs(term(start + ahead * (far + k))) for k in range(_WIDE))

        begin, near, early, late = map(size, _PLACES[:4])
        rises |= near > begin
        if late < early:
            continue
        far = size(_PLACES[4])
        if (late > _NOTHING and not far < late) or far > _STEEP * late > _STEEP**2 * early:
            raise ArithmeticError(
                f"the {what} to {mpmath.nstr(end)} diverges: its terms do not fade, or only after {_PLACES[4]} of them"
            )
    return rises
