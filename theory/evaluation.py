"""The second opinion: printed equations in numbers, with the definitions of their names put in.

Simplification can make a false zero, and a proof can be of something else than what is printed. So every printed
equation is evaluated as well, to fifty digits at points drawn from the range of its symbols: an identity agrees to
forty, an inequality is positive, a limit is approached, and what a series leaves out falls as it says.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import cache
from itertools import combinations, product
from random import Random
from typing import Any, TypeAlias

import mpmath
import sympy as sp
from sympy.core.function import AppliedUndef
from sympy.printing.pycode import MpmathPrinter

from statnn.theory.root import root_between

Definitions: TypeAlias = tuple[tuple[sp.Expr, sp.Expr], ...]
Domain: TypeAlias = tuple[tuple[sp.Symbol, tuple[float, float] | range], ...]

DIGITS, AGREE, POINTS = 50, 40, 20
LIMIT, SERIES = 80, 30  # powers of ten at which the end of a limit, and of a series, is looked at
_WORK, _FLOOR = 370, mpmath.mpf(10) ** -180  # digits of it, and what is rounding
_NAMES = sp.lambdify((), sp.S.Zero, modules=[{"root_between": root_between}, "mpmath"]).__globals__
_SLACK = mpmath.mpf(10) ** 6  # for constants and logarithms beside a power of ten


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
            bound[part] = other
        elif part != other and (part.func != other.func or not part.args or not _bind(part, other, bound)):
            return False
    return True


def _define(expr: sp.Expr, name: sp.Expr, definition: sp.Expr) -> sp.Expr:
    """Put the definition of a function, given at arguments that are symbols or fixed, in for all its values."""

    def value(call: sp.Expr) -> sp.Expr:
        bound: dict[sp.Basic, sp.Basic] = {}
        if len(call.args) != len(name.args) or not _bind(name, call, bound):
            return call
        return definition.xreplace(bound)

    return expr.replace(lambda part: part.func == name.func, value)


def put_in(expr: sp.Expr, where: Definitions) -> sp.Expr:
    """Return `expr` with definitions put in, in their order, functions before symbols, and its derivatives taken."""
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
        expr = expr.xreplace({name: value})
    return expr.replace(sp.UnevaluatedExpr, lambda inside: inside) if expr.has(sp.UnevaluatedExpr) else expr


def overruled(where: Definitions) -> str:
    """Return which definition is never put in, as one before it says something else; nothing where there is none."""
    for (name, value), (later, other) in combinations(where, 2):
        bound: dict[sp.Basic, sp.Basic] = {}
        same = isinstance(name, sp.Function) and name.func == later.func and len(name.args) == len(later.args)
        if same and _bind(name, later, bound) and value.xreplace(bound) != other:
            return f"{later} = {other} is never used, as {name} = {value} stands before it: put it first"
    return ""


def in_case(expr: sp.Expr, case: Definitions) -> sp.Expr:
    """Return `expr` in one instance: with its sizes and indices put in, sums written out, and then its names.

    Names are exact first, as a derivative, an indexed symbol or a function at a place; then as in `put_in`.
    """
    sizes = {name: value for name, value in case if name.is_Symbol and value.is_Integer}
    names = tuple((name.xreplace(sizes), value) for name, value in case if name not in sizes)
    written = _unrolled(expr.xreplace(sizes))
    return put_in(written.xreplace({name: value for name, value in names if not name.is_Symbol}), names)


def _unrolled(expr: sp.Expr) -> sp.Expr:
    """Return `expr` with its sums and products over numbers written out, those within one another, too."""
    return expr.replace(lambda part: isinstance(part, (sp.Sum, sp.Product)), _written_out)


def _written_out(operator: sp.Sum | sp.Product) -> sp.Expr:
    """Return a sum or product over numbers as its terms; one without end, or of no known size, stays."""
    (index, first, last), *others = operator.limits
    if others or not (first.is_Integer and last.is_Integer):
        return operator
    terms = [_unrolled(operator.function.xreplace({index: sp.Integer(k)})) for k in range(int(first), int(last) + 1)]
    return sp.Add(*terms) if isinstance(operator, sp.Sum) else sp.Mul(*terms)


def undefined(expr: sp.Basic) -> set[str]:
    """Return the names of the functions in `expr` that have no value."""
    functions = {part.func.__name__ for part in expr.atoms(AppliedUndef) if not hasattr(part.func, "_imp_")}
    return functions | {str(part) for part in expr.atoms(sp.Indexed)}


def _draw(symbol: sp.Symbol, domain: dict[sp.Symbol, Any], random: Random) -> Any:
    """Return a value of `symbol` in its range, or where its assumptions allow: a matrix when it does not commute."""
    if not symbol.is_commutative:
        return mpmath.matrix([[random.uniform(-2, 2) for _ in range(2)] for _ in range(2)])
    bounds = domain.get(symbol)
    if isinstance(bounds, range):
        return mpmath.mpf(random.choice(bounds))
    if bounds is not None:
        low, high = map(mpmath.mpf, bounds)
        return low + (high - low) * mpmath.mpf(random.uniform(0.05, 0.95))
    if symbol.is_integer:
        return mpmath.mpf(random.randint(1 if symbol.is_positive else 0, 8))
    if symbol.is_positive or symbol.is_nonnegative:
        return mpmath.exp(mpmath.mpf(random.uniform(-1.5, 1.5)))
    return mpmath.mpf(random.uniform(-2, 2))


def number(expr: sp.Expr, symbols: Sequence[sp.Symbol]) -> Callable[..., Any]:
    """Return `expr` as a function of its symbols, at the working precision of mpmath."""
    return _compiled(expr, tuple(symbols))


@cache
def _compiled(expr: sp.Expr, symbols: tuple[sp.Symbol, ...]) -> Callable[..., Any]:
    # no symbol may hide a function of its name, as beta does
    printer = _Printer({symbol: f"x_{count}" for count, symbol in enumerate(symbols)})
    # as sympy.lambdify, which takes twice as long: for the names of all of mpmath, and a docstring, of every function
    own = {part.func.__name__: part.func._imp_ for part in expr.atoms(sp.Function) if hasattr(part.func, "_imp_")}
    arguments = ", ".join(printer.arguments.values())
    return eval(f"lambda {arguments}: {printer.doprint(expr)}", _NAMES | own)  # noqa: S307 - sympy printed it


def _values(expr: sp.Expr, symbols: tuple[sp.Symbol, ...]) -> Callable[[Sequence[Any]], Any]:
    """Return `expr` as a function of a point: integrals and endless sums in it are computed once, wherever they are."""
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
    """Yield the outermost integrals and endless sums in an expression that stand under no other operator."""
    if isinstance(expr, (sp.Integral, sp.Sum)):
        if _slow(expr):
            yield expr
    elif isinstance(expr, (sp.Add, sp.Mul, sp.Pow, sp.Function)):
        for part in expr.args:
            yield from _slow_parts(part)


def _slow(*sides: sp.Expr) -> bool:
    return any(side.has(sp.Integral) or any(sp.oo in limits for s in side.atoms(sp.Sum) for limits in s.limits)
               for side in sides)  # fmt: skip


def _points(
    sides: tuple[sp.Expr, ...], domain: Domain, besides: sp.Symbol | None = None, *, thorough: bool = False
) -> tuple[tuple[sp.Symbol, ...], list[Sequence[Any]]]:
    """Return the symbols of `sides`, without `besides`, and points in their range: one where values take long."""
    symbols = tuple(sorted({symbol for side in sides for symbol in side.free_symbols} - {besides}, key=str))
    random = Random(20)  # noqa: S311 - points, not secrets
    count = 1 if not symbols or (_slow(*sides) and not thorough) else POINTS
    return symbols, [tuple(_draw(symbol, dict(domain), random) for symbol in symbols) for _ in range(count)]


def _corners(symbols: tuple[sp.Symbol, ...], domain: dict[sp.Symbol, Any]) -> list[tuple[Any, ...]]:
    """Return corners of the range of symbols, sixteen at most; what has no end there goes far, to 1/1000 and 30."""
    every = list(product(*(ends_of(symbol, domain.get(symbol)) for symbol in symbols)))
    return every[:: max(1, len(every) // 16)]


def ends_of(symbol: sp.Symbol, bounds: Any) -> tuple[Any, Any]:
    """Return the ends between which a symbol is looked at, just inside those of a range that has some."""
    near, far = mpmath.mpf(1) / 1000, mpmath.mpf(30)
    if isinstance(bounds, range):
        return mpmath.mpf(bounds[0]), mpmath.mpf(bounds[-1])
    if bounds is not None:
        low, high = map(mpmath.mpf, bounds)
        return low + (high - low) * near, high - (high - low) * near
    if symbol.is_integer:
        return mpmath.mpf(1 if symbol.is_positive else 0), far
    return (near if symbol.is_positive or symbol.is_nonnegative else -far), far


def place_of(symbols: tuple[sp.Symbol, ...], point: Sequence[Any]) -> str:
    """Return a point in words."""
    where = ", ".join(f"{symbol} = {mpmath.nstr(value, 6)}" for symbol, value in zip(symbols, point, strict=True))
    return f"at {where}" if where else "everywhere"


def _beside(variable: sp.Symbol, end: sp.Expr, direction: int, power: int) -> str:
    """Return in words how near a variable is to its end."""
    if end is sp.oo:
        return f"at {variable} = 1e{power}"
    return f"at {variable} = {'' if end == 0 else f'{end} '}{'-' if direction < 0 else '+' * (end != 0)}1e-{power}"


def _size(value: Any) -> Any:
    """Return the modulus of a number, the largest sum of those of a row of a matrix."""
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
    """Return where and by what two sides differ, and nothing when they agree to forty digits everywhere."""
    if left == right and not thorough:
        return ""
    symbols, points = _points((left, right), domain, thorough=thorough)
    sides = _values(left, symbols), _values(right, symbols)
    with mpmath.workdps(DIGITS + 20):
        for point in points:
            a, b = (side(point) for side in sides)
            if not _size(a - b) <= mpmath.mpf(10) ** -AGREE * max(1, _size(a), _size(b)):
                by = mpmath.nstr(a - b, 3)
                both = f"{names[0]} {mpmath.nstr(a, 12)} is not {names[1]} {mpmath.nstr(b, 12)}"
                return f"{both}: they differ by {by} {place_of(symbols, point)}"
    return ""


@cache
def sign_of(positive: sp.Expr, domain: Domain = (), *, thorough: bool = False) -> str:
    """Return where an expression is not positive, in its range or at a corner, and nothing when it is everywhere."""
    symbols, points = _points((positive,), domain, thorough=thorough)
    if thorough or not _slow(positive):
        points += _corners(symbols, dict(domain))
    value_at = _values(positive, symbols)
    with mpmath.workdps(DIGITS + 20):
        for point in points:
            value = value_at(point)
            if mpmath.im(value) or not value > 0:
                return f"{mpmath.nstr(value, 12)} is not positive {place_of(symbols, point)}"
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
    thorough: bool = False,
) -> str:
    """Return where `gap` does not fall as fast as `scale` when `variable` goes to `end`, and nothing when it does."""
    symbols, points = _points((gap, scale), domain, variable, thorough=thorough)
    ahead = (variable, *symbols)
    rest, size = number(gap, ahead), number(scale, ahead)
    with mpmath.workdps(_WORK):
        away, nearer = (_close(end, digits, direction) for digits in (power // 2, power))
        for point in points if thorough else points[: POINTS // 4]:
            far, near = abs(rest(away, *point)), abs(rest(nearer, *point))
            fall = abs(size(nearer, *point) / size(away, *point))
            if not near <= _SLACK * fall * far + _FLOOR:
                both = (
                    f"by {mpmath.nstr(gap, 6)} {_beside(variable, end, direction, digits)}"
                    for gap, digits in ((far, power // 2), (near, power))
                )
                return f"the sides differ {' and '.join(both)}{f', {place_of(symbols, point)}' if symbols else ''}"
    return ""


def _close(end: sp.Expr, power: int, direction: int) -> mpmath.mpf:
    if end is sp.oo:
        return mpmath.mpf(10) ** power
    return mpmath.mpf(str(end.evalf(_WORK))) + direction * mpmath.mpf(10) ** -power
