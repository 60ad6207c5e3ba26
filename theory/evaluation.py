"""The second opinion: printed equations evaluated in numbers, with the definitions of their names inserted.

Simplification can produce a false zero, and a proof can prove something other than the printed equation. So every
printed equation is evaluated as well, to fifty digits at points drawn from the range of its symbols: the sides of an
identity must agree to forty digits, an inequality must be positive, a limit must be approached, and the remainder of a
series must fall as stated.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import cache
from itertools import combinations
from random import Random
from typing import Any, TypeAlias

import mpmath
import sympy as sp
from sympy.concrete.expr_with_limits import ExprWithLimits
from sympy.core.function import AppliedUndef
from sympy.printing.pycode import MpmathPrinter

from statnn.theory.endless import endless_product, endless_sum, exponential, integral, kinks, within
from statnn.theory.ranges import DIGITS, Domain, corners, drawn, extremes, place_of, zeros
from statnn.theory.root import root_between

Definitions: TypeAlias = tuple[tuple[sp.Expr, sp.Expr], ...]

AGREE, POINTS, FAR = 40, 20, 5
LIMIT, SERIES = 80, 30  # powers of ten for the distance to the end of a limit, and of a series
_WORK, _FLOOR = 370, 180  # working digits for it, and digits below which a gap is rounding
_IN_A_ROW = 4  # consecutive whole numbers to try
_LEVEL = mpmath.mpf(10) ** -12  # change of a ratio above which it is tested once more
_FADING = mpmath.mpf("0.9")  # factor by which the change must shrink if the ratio is bounded
_SLOW = mpmath.mpf("0.3")  # a ratio that falls below this is a power, perhaps with a logarithm
_DEEPEST = 10_000  # digits
_OWN = {"root_between": root_between, "nsum": endless_sum, "nprod": endless_product, "quad": integral}
_OWN |= {"exp": exponential, **{name: within(name) for name in ("sin", "cos", "tan", "sinh", "cosh")}}
_NAMES = sp.lambdify((), sp.S.Zero, modules=[_OWN, "mpmath"]).__globals__
_NEARLY = mpmath.mpf(10) ** -12
"""Largest relative difference of slow sides that may be lost digits of quadrature or extrapolation."""


class _Printer(MpmathPrinter):
    def __init__(self, arguments: dict[sp.Symbol, str]) -> None:
        super().__init__(
            {"fully_qualified_modules": False, "inline": True, "allow_unknown_functions": True, "order": "none"}
        )
        self.arguments = arguments

    def _print_Symbol(self, expr: sp.Symbol) -> str:
        return self.arguments.get(expr) or super()._print_Symbol(expr)

    def _print_Dummy(self, expr: sp.Dummy) -> str:
        return self.arguments.get(expr) or super()._print_Dummy(expr)

    def _print_Sum(self, expr: sp.Sum) -> str:
        return self._over(expr, "nsum")

    def _print_Product(self, expr: sp.Product) -> str:
        return self._over(expr, "nprod")

    def _print_Integral(self, expr: sp.Integral) -> str:
        code, body = self._print(expr.function), expr.function
        for count, (variable, *ends) in enumerate(expr.limits):
            places = ", ".join(map(self._print, kinks(body, variable, expr.variables[:count])))
            low, high = map(self._print, ends)
            code = f"quad(lambda {self._print(variable)}: {code}, ({low}, {high}), [{places}])"
        return str(code)

    def _print_bernoulli(self, expr: sp.Expr) -> str:
        return f"bernpoly({self._print(expr.args[0])}, {self._print(expr.args[1] if len(expr.args) > 1 else sp.S.One)})"

    def _print_betainc_regularized(self, expr: sp.Expr) -> str:
        return f"betainc({', '.join(map(self._print, expr.args))}, regularized=True)"

    def _print_Mod(self, expr: sp.Mod) -> str:
        return f"fmod({', '.join(map(self._print, expr.args))})"  # %, of the precedence of *, would split a product

    def _print_laguerre(self, expr: sp.Expr) -> str:
        return f"laguerre({self._print(expr.args[0])}, 0, {self._print(expr.args[1])})"

    def _print_RisingFactorial(self, expr: sp.Expr) -> str:
        return f"rf({', '.join(map(self._print, expr.args))})"

    def _print_binomial(self, expr: sp.Expr) -> str:
        return f"binomial({', '.join(map(self._print, expr.args))})"

    def _print_Derivative(self, expr: sp.Derivative) -> str:
        ((variable, order),) = expr.variable_count
        return f"diff(lambda {self._print(variable)}: {self._print(expr.expr)}, {self._print(variable)}, {order})"

    def _over(self, expr: sp.Sum | sp.Product, name: str) -> str:
        code = self._print(expr.function)
        for index, *ends in expr.limits:
            first, last = map(self._print, ends)
            code = f"{name}(lambda {self._print(index)}: {code}, ({first}, {last}))"
        return str(code)


def _bind(pattern: sp.Basic, expr: sp.Basic, bound: dict[sp.Basic, sp.Basic]) -> bool:
    """Whether `expr` is the function `pattern` of other arguments, which `bound` collects."""
    for part, other in zip(pattern.args, expr.args, strict=True):
        if part.is_Symbol:
            if bound.setdefault(part, other) != other:  # C(x, x) is not C(x, y)
                return False
        elif part != other and (part.func != other.func or not part.args or not _bind(part, other, bound)):
            return False
    return True


def _define(expr: sp.Expr, name: sp.Expr, definition: sp.Expr) -> sp.Expr:
    """Insert the definition of a function, given at arguments that are symbols or fixed, for all its values."""

    def value(call: sp.Expr) -> sp.Expr:
        bound: dict[sp.Basic, sp.Basic] = {}
        if len(call.args) != len(name.args) or not _bind(name, call, bound):
            return call
        return _renamed(definition, set().union(*(other.free_symbols for other in bound.values()))).xreplace(bound)

    expr = _renamed(expr, definition.free_symbols - name.free_symbols)
    return expr.replace(lambda part: part.func == name.func, value)


def _renamed(expr: sp.Expr, taken: set[sp.Basic]) -> sp.Expr:
    """Return `expr` with the variables of its sums and integrals renamed if they mean something else outside."""

    def renamed(part: ExprWithLimits) -> sp.Expr:
        names = {each: sp.Dummy(each.name, **each.assumptions0) for each in part.variables if each in taken}
        limits: list[tuple[Any, ...]] = []
        for variable, *ends in reversed(part.limits):  # ends contain only the variables of outer limits
            outer = {each: names[each] for each, *_ in limits if each in names}
            limits.append((variable, *(end.xreplace(outer) for end in ends)))
        limits = [(names.get(variable, variable), *ends) for variable, *ends in reversed(limits)]
        return part.func(part.function.xreplace(names), *limits)

    def clashes(part: sp.Basic) -> bool:
        return isinstance(part, ExprWithLimits) and not taken.isdisjoint(part.variables)

    return expr.replace(clashes, renamed) if taken and expr.has(ExprWithLimits) else expr


def renames(name: sp.Expr, meaning: sp.Expr, left: sp.Expr, right: sp.Expr) -> bool:
    """Whether *left = right* is the definition of a name, perhaps in other letters."""
    if (name, meaning) == (left, right):
        return True
    bound: dict[sp.Basic, sp.Basic] = {}
    same = isinstance(left, AppliedUndef) and name.func == left.func and len(name.args) == len(left.args)
    letters = same and _bind(name, left, bound) and all(other.is_Symbol for other in bound.values())
    others = meaning.free_symbols - set(bound)  # at one of these symbols it is a value: f(x_0) = 1
    return letters and others.isdisjoint(bound.values()) and meaning.xreplace(bound) == right


def put_in(expr: sp.Expr, where: Definitions) -> sp.Expr:
    """Return `expr` with definitions inserted in their order, functions before symbols, and derivatives evaluated."""
    symbols = {name: value for name, value in where if name.is_Symbol}
    for name, definition in where:
        if isinstance(name, sp.Function) and expr.has(name.func):
            expr = _define(expr, name, definition)

    def taken(derivative: sp.Derivative) -> sp.Expr:
        inner = {name: value for name, value in symbols.items() if name not in derivative.variables}
        body = derivative.expr
        for name, value in inner.items():
            body = body.xreplace({name: value})
        return sp.diff(body, *derivative.variable_count)

    if expr.has(sp.Derivative):
        expr = expr.replace(lambda part: isinstance(part, sp.Derivative), taken)
    if expr.has(sp.Subs):  # a derivative at a point
        expr = expr.replace(sp.Subs, lambda *parts: sp.Subs(*parts).doit())
    for name, value in symbols.items():
        expr = _renamed(expr, {name} | value.free_symbols).xreplace({name: value})
    return expr.replace(sp.UnevaluatedExpr, lambda inside: inside) if expr.has(sp.UnevaluatedExpr) else expr


def overruled(where: Definitions) -> str:
    """Return the definition that is never used because an earlier one overrides it, if there is any."""
    for (name, value), (later, other) in combinations(where, 2):
        bound: dict[sp.Basic, sp.Basic] = {}
        same = isinstance(name, sp.Function) and name.func == later.func and len(name.args) == len(later.args)
        if same and _bind(name, later, bound) and value.xreplace(bound) != other:
            return f"{later} = {other} is never used, as {name} = {value} stands before it: put it first"
    for (name, _), (later, other) in combinations(sorted(where, key=lambda pair: pair[0].is_Symbol), 2):
        if other.has(name if name.is_Symbol else name.func) and (name.is_Symbol or later.func != name.func):
            return (
                f"{later} = {other} is put in after {name}, which it contains: functions go before symbols, "
                "each in order"
            )
    return ""


def in_case(expr: sp.Expr, case: Definitions) -> sp.Expr:
    """Return `expr` in one instance: with sizes and indices inserted, sums written out, and then names inserted.

    Exact matches come first, such as a derivative, an indexed symbol or a function at a point; then as in `put_in`.
    """
    sizes = {name: value for name, value in case if name.is_Symbol and value.is_Integer}
    names = tuple((name.xreplace(sizes), value) for name, value in case if name not in sizes)
    written = _unrolled(expr.xreplace(sizes))
    return put_in(written.xreplace({name: value for name, value in names if not name.is_Symbol}), names)


def _unrolled(expr: sp.Expr) -> sp.Expr:
    """Return `expr` with its sums and products over numbers written out, nested ones too."""
    return expr.replace(lambda part: isinstance(part, (sp.Sum, sp.Product)), _written_out)


def _written_out(operator: sp.Sum | sp.Product) -> sp.Expr:
    """Return a sum or product over numbers as its terms; one that is infinite, or of unknown size, is unchanged."""
    (index, first, last), *others = operator.limits
    if others or not (first.is_Integer and last.is_Integer):
        return operator
    terms = [_unrolled(operator.function.xreplace({index: sp.Integer(k)})) for k in range(int(first), int(last) + 1)]
    return sp.Add(*terms) if isinstance(operator, sp.Sum) else sp.Mul(*terms)


def undefined(expr: sp.Basic) -> set[str]:
    """Return the names of the undefined functions in `expr`."""
    functions = {part.func.__name__ for part in expr.atoms(AppliedUndef) if not hasattr(part.func, "_imp_")}
    return functions | {str(part) for part in expr.atoms(sp.Indexed)}


def number(expr: sp.Expr, symbols: Sequence[sp.Symbol]) -> Callable[..., Any]:
    """Return `expr` as a function of its symbols, at the working precision of mpmath."""
    return _compiled(expr, tuple(symbols))


@cache
def _compiled(expr: sp.Expr, symbols: tuple[sp.Symbol, ...]) -> Callable[..., Any]:
    # Python would turn the unevaluated quotient of two whole numbers into a float
    whole = (part for part in expr.atoms(sp.Pow) if part.base.is_number and part.base.is_integer)
    expr = expr.xreplace({part: sp.Integer(part.base) ** part.exp for part in whole if part.exp.is_Integer})
    # no symbol may hide a function of its name, as beta does
    printer = _Printer({symbol: f"x_{count}" for count, symbol in enumerate(symbols)})
    # sympy.lambdify does the same in twice the time: it adds all names of mpmath, and a docstring, to every function
    own = {part.func.__name__: part.func._imp_ for part in expr.atoms(sp.Function) if hasattr(part.func, "_imp_")}
    arguments = ", ".join(printer.arguments.values())
    return eval(f"lambda {arguments}: {printer.doprint(expr)}", _NAMES | own)  # noqa: S307 - sympy printed it


def _values(expr: sp.Expr, symbols: tuple[sp.Symbol, ...]) -> Callable[[Sequence[Any]], Any]:
    """Return `expr` as a function of a point: its integrals and infinite sums are computed only once."""
    slow = sorted(set(_slow_parts(expr)), key=str)
    if not slow:
        plain = number(expr, symbols)
        return lambda point: plain(*point)
    names = [sp.Symbol(f"slow_{count}") for count in range(len(slow))]
    rest = number(expr.xreplace(dict(zip(slow, names, strict=True))), (*symbols, *names))

    def value(point: Sequence[Any]) -> Any:
        at = dict(zip(symbols, point, strict=True))
        parts = (_slow_value(part, tuple((s, at[s]) for s in symbols if s in part.free_symbols)) for part in slow)
        return rest(*point, *parts)

    return value


@cache
def _slow_value(expr: sp.Expr, at: tuple[tuple[sp.Symbol, Any], ...]) -> Any:
    with mpmath.workdps(DIGITS):
        return number(expr, [symbol for symbol, _ in at])(*(value for _, value in at))


def _slow_parts(expr: sp.Expr) -> Iterator[sp.Expr]:
    """Yield the integrals and infinite sums in an expression that are inside no other operator."""
    if isinstance(expr, (sp.Integral, sp.Sum, sp.Product)):
        if _slow(expr):
            yield expr
    elif isinstance(expr, (sp.Add, sp.Mul, sp.Pow, sp.Function)):
        for part in expr.args:
            yield from _slow_parts(part)


def _slow(*sides: sp.Expr) -> bool:
    return any(side.has(sp.Integral) or any(sp.oo in limits for s in side.atoms(sp.Sum, sp.Product)
               for limits in s.limits) for side in sides)  # fmt: skip


def _points(
    sides: tuple[sp.Expr, ...], domain: Domain, besides: sp.Symbol | None = None, *, thorough: bool = False
) -> tuple[tuple[sp.Symbol, ...], list[Sequence[Any]]]:
    """Return the symbols of `sides`, without `besides`, and points in their range; one point if values are slow."""
    symbols = tuple(sorted({symbol for side in sides for symbol in side.free_symbols} - {besides}, key=str))
    random = Random(20)  # noqa: S311 - points, not secrets
    slow = _slow(*sides)
    count = 1 if not symbols or (slow and not thorough) else POINTS
    # far out, quadrature would miss the peak of a Gaussian weight
    draws = (count > 1 and not slow and place >= count - FAR for place in range(count))
    return symbols, [tuple(drawn(symbol, dict(domain), random, wide=wide) for symbol in symbols) for wide in draws]


def _beside(variable: sp.Symbol, end: sp.Expr, direction: int, power: int) -> str:
    """Return in words how near a variable is to its end."""
    if end in (sp.oo, -sp.oo):
        return f"at {variable} = {'-' * (end is -sp.oo)}1.41421e{power}"
    return (
        f"at {variable} = {'' if end == 0 else f'{end} '}{'-' if direction < 0 else '+' * (end != 0)}1.41421e-{power}"
    )


def _size(value: Any) -> Any:
    """Return the modulus of a number, or the largest row sum of moduli of a matrix."""
    return mpmath.mnorm(value, mpmath.inf) if isinstance(value, mpmath.matrix) else abs(value)


@cache
def gap_of(
    left: sp.Expr,
    right: sp.Expr,
    domain: Domain = (),
    names: tuple[str, str] = ("the left side", "the right side"),
    *,
    thorough: bool = False,
) -> str:
    """Return where and by how much two sides differ, and nothing if they agree to forty digits everywhere."""
    if left == right and not thorough:
        return ""
    symbols, points = _points((left, right), domain, thorough=thorough)
    sides, slow = (_values(left, symbols), _values(right, symbols)), _slow(left, right)
    points += [] if slow else extremes(symbols, dict(domain))[:1]

    def apart(point: Sequence[Any]) -> str:
        a, b = (side(point) for side in sides)
        gap = _size(a - b)
        if mpmath.isfinite(gap) and gap <= mpmath.mpf(10) ** -AGREE * max(1, _size(a), _size(b)):
            return ""
        by = mpmath.nstr(a - b, 3)
        if slow and gap <= _NEARLY * max(_size(a), _size(b)):
            where = place_of(symbols, point)
            return f"integrals and endless sums differ by {by} {where}: they are not equal, or converge too slowly"
        both = f"{names[0]} {mpmath.nstr(a, 12)} is not {names[1]} {mpmath.nstr(b, 12)}"
        return f"{both}: they differ by {by} {place_of(symbols, point)}"

    return _failure(apart, points, slow=slow)


@cache
def sign_of(positive: sp.Expr, domain: Domain = (), *, thorough: bool = False) -> str:
    """Return where an expression is not positive, in its range or at a corner, and nothing if it is positive."""
    symbols, points = _points((positive,), domain, thorough=thorough)
    if thorough or not _slow(positive):
        points += corners(symbols, dict(domain))
    value_at = _values(positive, symbols)

    def negative(point: Sequence[Any]) -> str:
        value = value_at(point)
        wrong = mpmath.im(value) or not value > 0
        return f"{mpmath.nstr(value, 12)} is not positive {place_of(symbols, point)}" if wrong else ""

    return _failure(negative, points, slow=_slow(positive))


def _failure(wrong: Callable[[Sequence[Any]], str], points: list[Sequence[Any]], *, slow: bool) -> str:
    """Return the failure at the first point that fails even with ten times the digits, as much may cancel."""
    for point in points:
        with mpmath.workdps(DIGITS + 20):
            failure = wrong(point)
        if failure and not slow:
            with mpmath.workdps(10 * DIGITS):
                failure = wrong(point)
        if failure:
            return failure
    return ""


@cache
def approach_of(
    gap: sp.Expr,
    scale: sp.Expr,
    variable: sp.Symbol,
    end: sp.Expr,
    power: int,
    domain: Domain = (),
    direction: int = 1,
    *,
    slack: Any = 1,
    levels: Any = None,
    thorough: bool = False,
) -> str:
    """Return where `gap` does not fall as fast as `scale` when `variable` goes to `end`, and nothing if it does.

    Its ratio to the scale may rise by the factor `slack`; or by `levels`, if it tends to a constant and does not keep
    rising as a logarithm does.
    """
    symbols, points = _points((gap, scale, end), domain, variable, thorough=thorough)
    ahead = (variable, *symbols)
    rest, size, place = number(gap, ahead), number(scale, ahead), number(end, symbols)

    def largest(side: Callable[..., Any], digits: int, point: Sequence[Any]) -> Any:
        values = [side(at, *point) for at in _close(place(*point), digits, direction, whole=variable.is_integer)]
        return values[0] if len(values) == 1 and mpmath.im(values[0]) == 0 else max(map(abs, values))

    def compared(point: Sequence[Any], digits: int) -> tuple[Any, Any, Any]:
        """Return the gap and the scale at this distance from the end, and the size below which a gap is rounding."""
        with mpmath.workdps(_WORK):
            of_scale = largest(size, digits, point)
            depth = max(0, -int(mpmath.floor(mpmath.log10(abs(of_scale))))) if of_scale else 0
        if depth > _DEEPEST:
            raise OverflowError(f"the remainder has more than {_DEEPEST} zeros where it is evaluated")
        with mpmath.workdps(_WORK + 2 * depth):  # a high order is tiny already at this distance
            return largest(rest, digits, point), of_scale, mpmath.mpf(10) ** -(_FLOOR + depth)

    def known(point: Sequence[Any]) -> bool:
        with suppress(ArithmeticError, ValueError):
            return bool(mpmath.isfinite(largest(rest, power, point) + largest(size, power, point)))
        return False

    ranges, points = dict(domain), points if thorough else points[: POINTS // 4]
    for point in (*points, *extremes(symbols, ranges), *filter(known, zeros(symbols, ranges, points[0]))):
        (far, of_far, _), (near, of_near, least) = (compared(point, digits) for digits in (power // 2, power))
        with mpmath.workdps(_WORK):
            bound = abs(of_near / of_far * far)
            wrong = not abs(near) <= (levels or slack) * bound + least
            if levels and not wrong and abs(abs(near) - bound) > _LEVEL * bound + least:
                nearest, of_nearest, _ = compared(point, 2 * power)
                wrong = _on_and_on(far / of_far, near / of_near, nearest / of_nearest)
        if wrong:
            both = (
                f"by {mpmath.nstr(abs(gap), 6)} {_beside(variable, end, direction, digits)}"
                for gap, digits in ((far, power // 2), (near, power))
            )
            return f"the sides differ {' and '.join(both)}{f', {place_of(symbols, point)}' if symbols else ''}"
    return ""


def _on_and_on(first: Any, second: Any, third: Any) -> bool:
    """Return whether a ratio at three distances, each with twice the digits of the one before, looks unbounded.

    Towards a constant the changes shrink, and a power keeps falling as a power; the change of a logarithm doubles.
    """
    if first == 0:
        return False
    near, nearest = mpmath.re(second / first), mpmath.re(third / first)
    if near > 1:
        return bool(nearest - near > _FADING * (near - 1))
    return bool((near < 0 or near > _SLOW) and nearest < near**3 - _LEVEL)


def _close(end: Any, power: int, direction: int, *, whole: bool | None) -> list[Any]:
    """Return places near an end, avoiding round numbers, where sin πx and (-1)^n have special values."""
    away = mpmath.sqrt(2) * mpmath.mpf(10) ** (power if mpmath.isinf(end) else -power)
    if not mpmath.isinf(end):
        return [end + direction * away]
    at = mpmath.sign(end) * away
    return [mpmath.floor(at) + k for k in range(_IN_A_ROW)] if whole else [at]
