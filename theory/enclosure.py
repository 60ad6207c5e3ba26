"""Inequalities by interval arithmetic: an expression is enclosed on boxes, which are halved until its sign is known.

Enclosures round outwards: a positive lower end proves the sign on all of a box, a negative upper end disproves it, and
no point between the ends of a range is left out. Enclosing an expression part by part is too wide if a symbol occurs
more than once; so it is also enclosed by its value in the middle of the box and its slopes. Ranges without an end, or
with an open one, are cut as for the corners, see `theory.ranges`. For a function without an enclosure here, or if there
would be too many boxes, the sign stays undecided.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from functools import cache, reduce, singledispatch
from operator import mul
from typing import Any, NamedTuple, TypeAlias

import mpmath
import sympy as sp
from mpmath import iv

from statnn.theory.ranges import Domain, ends_of, place_of

Box: TypeAlias = tuple[tuple[Any, Any], ...]
"""Two ends for each symbol."""
MOST_BOXES = 3000


class Sign(NamedTuple):
    """Whether an expression is positive on all boxes; and a box on which it is not."""

    positive: bool
    wrong: str = ""


@cache
def sign_on_boxes(expr: sp.Expr, domain: Domain = ()) -> Sign:
    """Enclose an expression on boxes that cover the range of its symbols, until the sign on each is known.

    Parameters
    ----------
    expr : sympy.Expr
        The expression that should be positive.
    domain : tuple of pairs, optional
        Ranges of symbols, if narrower than their assumptions.

    Returns
    -------
    Sign
        Neither positive nor wrong if it is undecided on some box.

    Examples
    --------
    >>> x = sp.Symbol("x", positive=True)
    >>> sign_on_boxes(x + 1 / x - sp.Rational(19, 10))
    Sign(positive=True, wrong='')
    >>> sign_on_boxes(x + 1 / x - sp.Rational(21, 10)).positive
    False
    """
    symbols = tuple(sorted(expr.free_symbols, key=str))
    slopes = {symbol: sp.diff(expr, symbol) for symbol in symbols}
    boxes: deque[Box] = deque([tuple(ends_of(symbol, dict(domain).get(symbol)) for symbol in symbols)])
    for _ in range(MOST_BOXES):
        if not boxes:
            return Sign(positive=True)
        box = boxes.popleft()
        at = {symbol: iv.mpf(list(ends)) for symbol, ends in zip(symbols, box, strict=True)}
        try:
            enclosure = enclosed(expr, at)
            enclosure = enclosure if enclosure.a > 0 or enclosure.b <= 0 else _by_slopes(expr, slopes, at)
        except NotImplementedError:
            return Sign(positive=False)
        except (ValueError, ZeroDivisionError):  # the box is wider than the region where it is finite
            enclosure = iv.mpf(["-inf", "inf"])
        if enclosure.b <= 0:
            low, high = (place_of(symbols, [ends[side] for ends in box]) for side in (0, 1))
            box_of = f"on all of the box from {low.removeprefix('at ')} to {high.removeprefix('at ')}"
            return Sign(positive=False, wrong=low if low == high else box_of)
        boxes += [] if enclosure.a > 0 else _halves(box)
    return Sign(positive=False)


def _by_slopes(expr: sp.Expr, slopes: dict[sp.Symbol, sp.Expr], at: dict[sp.Symbol, Any]) -> Any:
    """Return an enclosure by the value in the middle of a box and the slopes on all of it."""
    middle = {symbol: iv.mpf(interval.mid) for symbol, interval in at.items()}
    steps = (enclosed(slope, at) * (at[symbol] - middle[symbol]) for symbol, slope in slopes.items())
    return sum(steps, enclosed(expr, middle))


def _halves(box: Box) -> list[Box]:
    """Return a box cut in two along its longest side, relative to its distance from zero."""

    def length(ends: tuple[Any, Any]) -> Any:
        return mpmath.log(ends[1] / ends[0]) if ends[0] > 0 else mpmath.log(1 + ends[1] - ends[0])

    longest = max(range(len(box)), key=lambda place: length(box[place]), default=0)
    low, high = box[longest] if box else (0, 0)
    middle = mpmath.sqrt(low * high) if low > 0 else (low + high) / 2
    return [(*box[:longest], ends, *box[longest + 1 :]) for ends in ((low, middle), (middle, high))] if box else []


@singledispatch
def enclosed(expr: sp.Expr, _at: dict[sp.Symbol, Any]) -> Any:
    """Return an interval that contains all values of an expression for symbols in their intervals.

    Raises
    ------
    NotImplementedError
        For a function that has no enclosure here.
    ValueError, ZeroDivisionError
        Where a value is not finite somewhere.
    """
    raise NotImplementedError(f"no enclosure of {expr.func.__name__}")


@enclosed.register(sp.Symbol)
def _of_symbol(expr: sp.Symbol, at: dict[sp.Symbol, Any]) -> Any:
    return at[expr]


@enclosed.register(sp.Rational)
def _of_rational(expr: sp.Rational, _at: dict[sp.Symbol, Any]) -> Any:
    return iv.mpf(int(expr.p)) / iv.mpf(int(expr.q))


@enclosed.register(type(sp.pi))
def _of_pi(_expr: sp.Expr, _at: dict[sp.Symbol, Any]) -> Any:
    return +iv.pi


@enclosed.register(sp.Add)
def _of_sum(expr: sp.Add, at: dict[sp.Symbol, Any]) -> Any:
    return sum((enclosed(part, at) for part in expr.args), iv.mpf(0))


@enclosed.register(sp.Mul)
def _of_product(expr: sp.Mul, at: dict[sp.Symbol, Any]) -> Any:
    return reduce(mul, (enclosed(part, at) for part in expr.args))


@enclosed.register(sp.Pow)
def _of_power(expr: sp.Pow, at: dict[sp.Symbol, Any]) -> Any:
    base = enclosed(expr.base, at)
    if expr.exp.is_Integer:
        return base ** int(expr.exp)
    return iv.sqrt(base) if expr.exp == sp.S.Half else iv.exp(enclosed(expr.exp, at) * iv.log(base))


@enclosed.register(sp.exp)
def _of_exponential(expr: sp.exp, at: dict[sp.Symbol, Any]) -> Any:
    return iv.exp(enclosed(expr.exp, at))


@enclosed.register(sp.log)
def _of_logarithm(expr: sp.log, at: dict[sp.Symbol, Any]) -> Any:
    return iv.log(enclosed(expr.args[0], at))


_RISING = {sp.erf: mpmath.erf, sp.tanh: mpmath.tanh, sp.sinh: mpmath.sinh, sp.atan: mpmath.atan, sp.asinh: mpmath.asinh}


@enclosed.register(sp.erf)
@enclosed.register(sp.tanh)
@enclosed.register(sp.sinh)
@enclosed.register(sp.atan)
@enclosed.register(sp.asinh)
def _of_rising(expr: sp.Expr, at: dict[sp.Symbol, Any]) -> Any:
    return _rising(_RISING[expr.func], mpmath.ninf, enclosed(expr.args[0], at))


@enclosed.register(sp.polygamma)
def _of_polygamma(expr: sp.polygamma, at: dict[sp.Symbol, Any]) -> Any:
    """Enclose a derivative of ψ at positive arguments: those of even order increase, the others decrease."""
    order, sign = int(expr.args[0]), 1 if expr.args[0] % 2 == 0 else -1
    return sign * _rising(lambda z: sign * mpmath.polygamma(order, z), mpmath.mpf(0), enclosed(expr.args[1], at))


@enclosed.register(sp.Sum)
def _of_terms(total: sp.Sum, at: dict[sp.Symbol, Any]) -> Any:
    """Enclose an infinite sum, whose later terms are not negative, from below by its first term."""
    ((index, first, last),) = total.limits
    if last is not sp.oo or not first.is_Integer:
        raise NotImplementedError("no enclosure of a sum with an end")
    places = iv.mpf(int(first)), iv.mpf([int(first) + 1, "inf"])
    begin, later = (enclosed(total.function, at | {index: place}) for place in places)
    if not later.a >= 0:
        raise ValueError("terms of a sum are negative somewhere")
    return iv.mpf([begin.a, "inf"])


def _rising(function: Callable[[Any], Any], start: Any, at: Any) -> Any:
    """Return the enclosure of a function that increases from `start` on, by its values at both ends."""
    low, high = mpmath.mpf(at.a), mpmath.mpf(at.b)
    if not low > start:
        raise ValueError(f"{at} begins before {start}")
    with mpmath.workprec(iv.prec + 30):
        first, last = function(low), function(high)
        wide = mpmath.ldexp(1, -iv.prec)
        return iv.mpf([first - abs(first) * wide, last + abs(last) * wide])
