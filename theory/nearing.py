"""Limits and series in numbers: how the two sides of a step come together near the end."""

from __future__ import annotations

import sympy as sp

from statnn.theory.evaluation import LIMIT, SERIES, approach_of
from statnn.theory.ranges import Domain

_LOGARITHMS, _SLOWLY = 1000, sp.Rational(9, 10)  # allowed factor beside a power of ten; least fall of a slow limit
_STEADILY = 2  # factor by which a remainder may rise over its power before it is followed no farther


def approached(left: sp.Expr, right: sp.Expr, domain: Domain, *, thorough: bool) -> tuple[str, bool]:
    """Return why the limit in `left` is not `right`, and whether it still may be, approached too slowly."""
    limits = list(left.atoms(sp.Limit))
    if len(limits) != 1:
        return "a limit has one Limit on its left side", False
    body, variable, end, direction = limits[0].args
    outside = left.xreplace({limits[0]: sp.Dummy()})
    if variable in outside.free_symbols | right.free_symbols:
        return f"{variable}, which goes to its end, stands outside of the limit, too", False
    gap = left.xreplace({limits[0]: body}) - right
    if right in (sp.oo, -sp.oo):  # it grows without bound, perhaps as a logarithm
        gap = sp.exp(-sp.sign(right) * left.xreplace({limits[0]: body}))
    away = abs(1 / variable) if end in (sp.oo, -sp.oo) else abs(variable - end)
    for side in {"+": (1,), "-": (-1,)}.get(str(direction), (1, -1)):
        fast, slow = (
            approach_of(gap, scale, variable, end, LIMIT, domain, side, slack=slack, thorough=thorough)
            for scale, slack in ((away ** sp.Rational(1, 5), _LOGARITHMS), (sp.S.One, _SLOWLY))
        )
        if fast:
            return f"{fast}, which does not vanish", not slow
    return "", False


def left_out(
    left: sp.Expr, right: sp.Expr, variable: sp.Symbol, end: sp.Expr, *, domain: Domain, thorough: bool
) -> str:
    """Return why the difference of two sides is not of the order of the O(...) in one of them."""
    orders = {part for side in (left, right) for part in side.atoms(sp.Function) if part.func.__name__ == "O"}
    if len(orders) != 1:
        return "a series leaves out one O(...), sympy.Function('O') of a power, not sympy.O, written as a term"
    gap, scale = parted(left, right)
    if scale.atoms(sp.Function) & orders:
        return "what a series leaves out is a term, or a factor of one, and in no function"
    if variable not in scale.free_symbols:
        return f"{variable} goes to {end}, but what is left out is O({scale})"
    for side in _sides(variable, end, domain):
        apart = approach_of(gap, scale, variable, end, SERIES, domain, side, levels=_STEADILY, thorough=thorough)
        if apart:
            return f"{apart}, which does not fall as {scale}"
    return ""


def _sides(variable: sp.Symbol, end: sp.Expr, domain: Domain) -> tuple[int, ...]:
    """Return the sides from which a variable can approach its end: above, below or both."""
    if not end.is_number or end.is_infinite:
        return (1,)
    given = dict(domain).get(variable)
    low = sp.S.Zero if variable.is_nonnegative else -sp.oo
    high = sp.S.Zero if variable.is_nonpositive else sp.oo
    low, high = given if isinstance(given, tuple) else (low, high)
    sides = {1: low <= end < high, -1: low < end <= high}
    return tuple(side for side, there in sides.items() if there == True) or (1,)  # noqa: E712 - a relation may be open


def parted(left: sp.Expr, right: sp.Expr) -> tuple[sp.Expr, sp.Expr]:
    """Return the difference of two sides without the O(...), and the scale of the latter with its factors."""
    (order,) = {part for side in (left, right) for part in side.atoms(sp.Function) if part.func.__name__ == "O"}
    rest = sp.Dummy("O")
    gap = (left - right).xreplace({order: rest})
    factor = sp.diff(gap, rest)
    factor = -factor if factor.could_extract_minus_sign() else factor
    return gap.xreplace({rest: sp.S.Zero}), (order if factor.has(rest) else factor) * order.args[0]
