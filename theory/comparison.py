"""A formula of the project compared with one of the reader's: equal, or a point where they differ."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from random import Random
from typing import Any

import mpmath
import sympy as sp
from sympy.concrete.expr_with_limits import ExprWithLimits

from statnn.theory.closed_form import Formula, no_symbol
from statnn.theory.evaluation import number, undefined
from statnn.theory.pickling import by_fields
from statnn.theory.precision import alone, converged
from statnn.theory.rewriting import by_gamma
from statnn.theory.root import Root
from statnn.theory.table import main_result

DIGITS, POINTS, FEW, FAR = 50, 20, 3, 5
_SHORT = 120  # most operations of a difference that is worth simplifying


@dataclass(frozen=True)
class Comparison:
    """Result of `compare`; true if the two are equal.

    Parameters
    ----------
    formula : Formula
        The formula of the project.
    expression : sympy.Expr
        The reader's expression, in the symbols of the formula.
    how : {"symbolically", "in numbers", ""}
        How they were shown to be equal: their difference simplifies to zero, or they agree to 50 digits at 20 points of
        the range, five of them far out, which proves nothing but leaves little doubt; at 3 points if integrals or roots
        make evaluation slow. Empty if they differ.
    at : dict
        Point where they differ: a value for each symbol.
    values : tuple
        Values of the formula and of the expression there, None if there is none.
    asked : str
        The name given: of the formula, or of a derivation whose main result it is.

    See Also
    --------
    compare : makes it.
    """

    formula: Formula
    expression: sp.Expr
    how: str
    at: dict[str, Any] = field(hash=False)
    values: tuple[Any, ...] = ()
    asked: str = ""

    def __bool__(self) -> bool:
        return bool(self.how)

    def __str__(self) -> str:
        name = self.formula.name
        if self.asked not in {"", name}:
            name = f"{self.asked} (its main result, {name})"
        if self.how == "symbolically":
            return f"equal to {name}: the difference simplifies to zero"
        if self.how:
            return f"equal to {name} at {_points(self.formula, self.expression)} points of its range to {DIGITS} digits"
        digits = next(
            (some for some in (10, 20, 35) if len({mpmath.nstr(value, some) for value in self.values}) > 1), DIGITS
        )
        ours, theirs = ("no value" if value is None else mpmath.nstr(value, digits) for value in self.values)
        at = ", ".join(f"{symbol} = {mpmath.nstr(value, 17)}" for symbol, value in self.at.items())
        return f"not equal to {name}: at {at or 'every point'} the formula is {ours}, the expression {theirs}"

    __repr__ = __str__
    __reduce__ = by_fields


def compare(name: str, expression: sp.Expr) -> Comparison:
    """Compare a result of the project with an expression of your own.

    Parameters
    ----------
    name : str
        Name of a formula, or of a derivation that has one main result; see `formulas`.
    expression : sympy.Expr
        Your expression; symbols are matched by name, whatever their assumptions.

    Returns
    -------
    Comparison
        True if they are equal; it prints how this was shown, or a point where they differ and both values.

    Raises
    ------
    KeyError
        For an unknown name, with the nearest known ones.
    TypeError, ValueError
        For something that is not an expression, is finite nowhere, or has symbols that the formula does not have.

    See Also
    --------
    formula : the formula itself.

    Examples
    --------
    >>> import sympy as sp
    >>> from statnn import theory
    >>> N, D, b, c = sp.symbols("N D b c")
    >>> theory.compare("gamma-poisson.working", N * (1 - (1 + c * D / (b * N)) ** (-b)))
    equal to gamma-poisson.working: the difference simplifies to zero
    >>> theory.compare("gamma-poisson.working", N * (1 - sp.exp(-c * D / N)))  # doctest: +ELLIPSIS
    not equal to gamma-poisson.working: at N = ..., D = ..., b = ..., c = ... the formula is ..., the ...
    """
    return replace(_compared(main_result(name), expression), asked=name)


@alone()
def _compared(formula: Formula, expression: sp.Expr) -> Comparison:
    """Return whether a formula and an expression are equal, or where they differ."""
    ours, theirs = formula.expression, _in_symbols_of(formula, expression)
    if ours == theirs:
        return Comparison(formula, theirs, "symbolically", {})
    evaluate = number(theirs, [variable.symbol for variable in formula.variables])
    random = Random(20)  # noqa: S311 - points, not secrets
    for count in range(_points(formula, theirs)):
        drawn = draw(formula, random, far=count >= POINTS - FAR)
        at = {variable.name: drawn[variable.symbol.name] for variable in formula.variables}
        with mpmath.workdps(DIGITS):
            exact, value = mpmath.mpf(formula.evaluate(digits=DIGITS, **at)), _value(evaluate, tuple(at.values()))
            if value is None or abs(value - exact) > mpmath.mpf(10) ** (1 - DIGITS) * max(abs(exact), abs(value)):
                return Comparison(formula, theirs, "", at, (exact, value))
    return Comparison(formula, theirs, "symbolically" if _same(ours, theirs) else "in numbers", {})


def _points(formula: Formula, expression: sp.Expr) -> int:
    """Return the number of points at which to compare two expressions."""
    return FEW if any(part.has(sp.Integral, Root) for part in (formula.expression, expression)) else POINTS


def _in_symbols_of(formula: Formula, expression: sp.Expr) -> sp.Expr:
    """Return an expression with its symbols replaced by those of the formula, by name."""
    if isinstance(expression, (int, float)):
        expression = sp.sympify(expression)
    if not isinstance(expression, sp.Expr):
        kind = type(expression).__name__
        raise TypeError(
            f"{expression!r} of type {kind} is not an expression: write it in symbols, sympy.symbols('N D b c')"
        )
    if expression.has(sp.zoo, sp.nan):
        raise ValueError(f"{expression} is not finite anywhere: something was divided by zero when it was made")
    if names := undefined(expression):
        raise ValueError(f"{expression} has no value: nothing defines {', '.join(sorted(names))}")
    there = {symbol.name: symbol for symbol in formula.symbols.values()}
    for symbol in sorted(expression.free_symbols, key=str):
        if symbol.name not in there:
            raise no_symbol(formula, symbol.name)
    return expression.xreplace({symbol: there[symbol.name] for symbol in expression.free_symbols})


def draw(formula: Formula, random: Random, *, far: bool = False) -> dict[str, mpmath.mpf]:
    """Return a point of the range; symbols on which the ranges of others depend are drawn first."""
    point: dict[str, mpmath.mpf] = {}
    left = list(formula.variables)
    while left:
        ready = next(variable for variable in left if variable.depends <= set(point))
        point[ready.symbol.name] = ready.draw(random, point, far=far)
        left.remove(ready)
    return point


def _value(evaluate: Any, point: tuple[mpmath.mpf, ...]) -> Any:
    """Return a value to all digits, None if it is not finite and real."""
    try:
        value = converged(evaluate, point, DIGITS)
    except (ArithmeticError, NameError, TypeError, ValueError):
        return None
    real = mpmath.re(value) if abs(mpmath.im(value)) <= mpmath.mpf(10) ** -DIGITS * abs(value) else None
    return real if real is not None and mpmath.isfinite(real) else None


def _same(ours: sp.Expr, theirs: sp.Expr) -> bool:
    """Whether the difference becomes zero by the rewritings used in proofs, if that is quick."""
    gap = ours - theirs
    if gap.count_ops() > _SHORT or gap.has(ExprWithLimits, sp.Derivative):
        return False
    return any(rewrite(gap) == 0 for rewrite in (sp.expand, by_gamma if gap.has(sp.gamma) else sp.simplify))
