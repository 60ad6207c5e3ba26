"""The class of formulas: an expression, ranges and meanings of its symbols, its source and its implementation."""

from __future__ import annotations

import difflib
import math
import numbers
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from html import escape
from typing import Any, TypeAlias

import mpmath
import numpy as np
import sympy as sp
from sympy.concrete.expr_with_limits import ExprWithLimits
from sympy.printing.numpy import SciPyPrinter

from statnn.theory.derivation import Standing, equation
from statnn.theory.evaluation import number, undefined
from statnn.theory.mathml import mathml
from statnn.theory.pickling import by_fields
from statnn.theory.plain import plain
from statnn.theory.precision import Number, alone, converged, exact
from statnn.theory.printing import latex
from statnn.theory.variable import Variable

Value: TypeAlias = Number | str | sp.Expr
"""A number; a string is read exactly, as a decimal or a fraction."""
MOST_DIGITS = 4000
_GUARD = 80
_DEEPEST = 1000
"""Digits at which a formula must be zero, or infinite, to be reported as such."""
_BARE = (sp.harmonic, sp.lowergamma, sp.uppergamma, sp.betainc, sp.betainc_regularized)
"""Functions that sympy prints for scipy as a sum or a product without parentheses."""
_SLOW = (ExprWithLimits, sp.Derivative, *_BARE)  # what numpy cannot evaluate
_STEEP = (sp.gamma, sp.RisingFactorial, sp.binomial)  # factors that overflow where their ratio does not


@dataclass(frozen=True)
class Formula:
    r"""A result of the project as an expression to show, evaluate, change and compare.

    Parameters
    ----------
    name : str
        As ``"gamma-poisson.working"``.
    left : sympy.Expr
        Left-hand side for display: the name of the expression.
    expression : sympy.Expr
        The result.
    variables : tuple of Variable
        Its symbols; those needed neither by the expression nor by a range are dropped.
    definition : str
        Its meaning in words.
    source : str
        Source of the result.
    standing : {"paper", "exact", "asymptotic", "own"}
        "paper" is stated by a source, "exact" in the model, "asymptotic" to leading order, "own" our construction.
    derivation : str
        Name of the derivation that proves it.
    implementation : str
        Public name of the code that computes it in float64.
    main : bool
        Whether it is the main result of its derivation.
    fixed : tuple of pairs
        Substituted variables with their values, made by :meth:`substitute`; their ranges are still checked.

    See Also
    --------
    formula : makes it.
    compare : with an expression of your own.

    Examples
    --------
    >>> from statnn import theory
    >>> working = theory.formula("gamma-poisson.working")
    >>> working.evaluate(digits=30, D=100, N=1000, b="0.3", c=5)
    254.908892328777002416883328721
    >>> working.latex()
    '\\operatorname{E}[K(D)] = N \\left(1 - \\left(\\frac{b N}{c D + b N}\\right)^{b}\\right)'
    """

    name: str
    left: sp.Expr
    expression: sp.Expr
    variables: tuple[Variable, ...]
    definition: str
    source: str
    standing: Standing
    derivation: str
    implementation: str
    main: bool = False
    fixed: tuple[tuple[Variable, sp.Expr], ...] = ()

    def __post_init__(self) -> None:
        values = (self.expression, *(value for _, value in self.fixed))
        free = set().union(*(value.free_symbols for value in values))
        known = {variable.symbol: variable for variable in self.variables}
        if unknown := free - set(known):
            raise ValueError(f"{self.name}: no range is given for {', '.join(sorted(map(str, unknown)))}")
        needed = {variable.symbol.name for variable in self.variables if variable.symbol in free}
        ranges = [*self.variables, *(variable for variable, _ in self.fixed)]
        for variable in (*reversed(ranges), *ranges):  # a range may contain variables, whose ranges contain others
            if variable.symbol.name in needed or any(variable is known for known, _ in self.fixed):
                needed |= variable.depends
        needed -= {variable.symbol.name for variable, _ in self.fixed}
        kept = tuple(variable for variable in self.variables if variable.symbol.name in needed)
        object.__setattr__(self, "variables", kept)

    # -- reading ----------------------------------------------------------------------------------------

    @property
    def symbols(self) -> dict[str, sp.Symbol]:
        """Its symbols by name."""
        return {variable.name: variable.symbol for variable in self.variables}

    @property
    def ranges(self) -> dict[str, str]:
        """The ranges of its symbols by name."""
        return {variable.name: variable.range for variable in self.variables}

    @property
    def equation(self) -> sp.Eq:
        """*left = expression*, unevaluated."""
        return equation(self.left, self.expression)

    def latex(self) -> str:
        """Return the equation as LaTeX, without delimiters."""
        return latex(self.equation)

    def __repr__(self) -> str:
        return f"Formula({self.name!r}, {self.expression})"

    def __str__(self) -> str:
        return "\n".join(
            (
                f"{self.name}: {self.definition}",
                f"  {plain(self.latex())}",
                *(f"  {variable}" for variable in self.variables),
                *(f"  {variable.symbol} = {value}: {variable.meaning}" for variable, value in self.fixed),
                *(f"  {about}: {text}" for about, text in self._origin()),
            )
        )

    def _origin(self) -> tuple[tuple[str, str], ...]:
        return (
            ("standing", self.standing),
            ("source", self.source),
            ("derivation", self.derivation),
            ("implementation", self.implementation),
        )

    def _repr_latex_(self) -> str:
        return rf"$\displaystyle {self.latex()}$"

    def _repr_html_(self) -> str:
        rows = [
            (mathml(latex(variable.symbol)), f"{variable.meaning}, {variable.in_print}") for variable in self.variables
        ]
        rows += [(mathml(latex(equation(variable.symbol, value))), variable.meaning) for variable, value in self.fixed]
        rows += list(self._origin())
        body = "".join(f"<tr><td>{head}</td><td>{escape(text)}</td></tr>" for head, text in rows)
        title = f"<p><b>{escape(self.name)}</b>: {escape(self.definition)}</p>"
        return f"{title}{mathml(self.latex(), display=True)}<table>{body}</table>"

    # -- numbers -------------------------------------------------------------------------------------------

    __reduce__ = by_fields

    @cached_property
    def _number(self) -> Callable[..., mpmath.mpf]:
        return number(self.expression, [variable.symbol for variable in self.variables])

    @alone()
    def evaluate(self, *, digits: int = 50, **values: Value) -> sp.Float:
        """Return the value of the formula to `digits` digits, however much cancels.

        Parameters
        ----------
        digits : int
            Number of correct digits; the precision rises until two evaluations agree.
        **values
            One for each symbol, by name: int, float (which stands for its exact value), Fraction, number of mpmath or
            sympy, or a string such as ``"0.3"`` or ``"1/3"``.

        Returns
        -------
        sympy.Float
            With `digits` digits, all of which it prints; mpmath accepts it.

        Raises
        ------
        TypeError
            For a symbol that is missing or unknown, naming the nearest one.
        ValueError
            Outside the range; the message gives the range.
        ArithmeticError
            Where the formula is not finite. Where it is 0/0, as for layers that preserve signals, the limit is
            returned.
        """
        counted = isinstance(digits, (int, np.integer)) and not isinstance(digits, (bool, np.timedelta64))
        if not (counted and 1 <= digits <= MOST_DIGITS):
            raise ValueError(f"digits = {digits!r} must be a whole number from 1 to {MOST_DIGITS}")
        digits = int(digits)
        with mpmath.workdps(digits + _GUARD):
            given = self._checked(values)
        point = tuple(given[variable.name] for variable in self.variables)
        try:
            return _rounded_once(converged(self._number, point, digits, deepest=_DEEPEST, more=10), digits)
        except (TypeError, ZeroDivisionError):  # sympy does not convert complex numbers to Float
            limit = self._limit(point, digits)
            if limit is not None:
                return sp.Float(limit, digits)
            at = ", ".join(f"{name} = {value}" for name, value in values.items())
            raise ArithmeticError(
                f"{self.name} has no finite real value at {at}, seen with {_DEEPEST} digits"
            ) from None

    def _limit(self, point: tuple[Number, ...], digits: int) -> mpmath.mpf | None:
        """Return the common limit from both sides in all variables that have one; None if there is none."""
        step, beside = Fraction(1, 10 ** (digits + 20)), []
        for place, variable in enumerate(self.variables):
            along = []
            for away in () if variable.whole else (step**2, step, -step):
                with mpmath.workdps(4 * digits + _GUARD), suppress(ArithmeticError, TypeError, ValueError):
                    near = (*point[:place], exact(point[place]) + exact(away), *point[place + 1 :])
                    along.append(converged(self._number, near, digits, deepest=_DEEPEST))
            beside += along if len(along) == 3 else []
        if not beside:
            return None
        limit, tolerance = mpmath.re(beside[0]), abs(beside[0]) * mpmath.mpf(10) ** -digits
        # imaginary parts are rounding
        return limit if all(abs(value - limit) <= tolerance for value in beside) else None

    def _checked(self, values: Mapping[str, Any]) -> dict[str, Number]:
        """Return one number for each symbol, by name, or raise."""
        self._refuse_undefined()
        self._refuse_unknown(values)
        missing = [str(variable) for variable in self.variables if variable.name not in values]
        if missing:
            raise TypeError(f"{self.name} also needs a value of {'; '.join(missing)}")
        given = {name: _number_of(name, value) for name, value in values.items()}
        by_symbol: dict[str, Number] = {variable.symbol.name: given[variable.name] for variable in self.variables}
        for variable, value in self.fixed:
            evaluated = number(value, [variable.symbol for variable in self.variables])
            by_symbol[variable.symbol.name] = mpmath.mpf(
                evaluated(*(exact(given[variable.name]) for variable in self.variables))
            )
        for variable in (*self.variables, *(variable for variable, _ in self.fixed)):
            variable.check(by_symbol[variable.symbol.name], by_symbol)
        return given

    def _refuse_unknown(self, names: Iterable[str]) -> None:
        for name in names:
            if name not in self.symbols:
                raise no_symbol(self, name)

    @cached_property
    def _undefined(self) -> set[str]:
        return undefined(self.expression).union(*(undefined(value) for _, value in self.fixed))

    def _refuse_undefined(self) -> None:
        if self._undefined:
            names = ", ".join(sorted(self._undefined))
            raise TypeError(f"{self.name} contains {names}, which has no value: put an expression in its place")

    def function(self) -> Callable[..., Any]:
        """Return the formula as a function of numbers or arrays, by name, in double precision.

        It evaluates the expression as it stands, for quick looks: if that is not finite the function raises, and
        differences of nearly equal numbers lose their digits; then use :meth:`evaluate`, or the implementation, which
        keeps its digits. It does not check ranges.

        Returns
        -------
        callable
            A function of keyword arguments, one for each symbol, which broadcast.

        Raises
        ------
        TypeError, ValueError
            By the function: if names are unknown or missing, or the result is not finite.

        Examples
        --------
        >>> from statnn import theory
        >>> theory.formula("gamma-poisson.working").function()(D=[0, 200], N=1000, b=1.0, c=5.0)
        array([  0., 500.])
        """
        self._refuse_undefined()
        symbols = [variable.symbol for variable in self.variables]
        if self.expression.has(*_SLOW) or "Not supported" in SciPyPrinter({"strict": False}).doprint(self.expression):
            exact = alone()(lambda *at: float(self._number(*map(mpmath.mpf, at))))
            # terms of a sum may cancel
            inner: Callable[..., Any] = np.vectorize(
                self._in_doubles if self.expression.has(sp.Sum) else exact, [float]
            )
        else:
            inner = sp.lambdify(symbols, self.expression, modules=["scipy", "numpy"], cse=True)
            if parts := self.expression.atoms(*_STEEP):
                inner = self._of_parts(inner, sp.lambdify(symbols, [*parts], modules=["scipy", "numpy"]))

        def function(**values: Any) -> Any:
            self._refuse_unknown(values)
            if missing := set(self.symbols) - set(values):
                raise TypeError(f"{self.name} also needs a value of {', '.join(sorted(missing))}")
            given = np.broadcast_arrays(
                *(_floats_of(variable.name, values[variable.name]) for variable in self.variables)
            )
            with np.errstate(all="ignore"):
                result = np.broadcast_to(np.asarray(inner(*given)), given[0].shape if given else ())
            if not np.isfinite(result).all():
                first = tuple(np.argwhere(~np.isfinite(result))[0])
                at = ", ".join(
                    f"{variable.name} = {part[first]:g}" for variable, part in zip(self.variables, given, strict=True)
                )
                better = f"use evaluate(), or {self.implementation}"
                raise ValueError(f"{self.name} is {result[first]} in double precision at {at}: {better}")
            return result[()] if result.ndim == 0 else np.array(result)

        function.__doc__ = f"{self.definition}: {', '.join(map(str, self.variables))}."
        return function

    @alone()
    def _in_doubles(self, *at: float) -> float:
        """Return the value to all digits of double precision, NaN where it has none."""
        with suppress(ArithmeticError, TypeError, ValueError):
            return float(converged(self._number, tuple(map(float, at)), 17, deepest=_DEEPEST))
        return math.nan

    def _of_parts(self, inner: Callable[..., Any], parts: Callable[..., Any]) -> Callable[..., Any]:
        """Return a function of arrays that takes more digits where parts or products leave the range of doubles.

        A number over infinity, and a product of small ones, would be zero.
        """

        def tried(other: Callable[..., Any]) -> Callable[..., Any]:
            def value(*at: Any) -> Any:
                with np.errstate(over="raise", under="raise"), suppress(FloatingPointError):
                    if all(np.isfinite(part).all() for part in parts(*at)):
                        return inner(*at)
                return other(*at)

            return value

        return tried(np.vectorize(tried(self._in_doubles), [float]))  # all at once, or one by one

    # -- substituting ---------------------------------------------------------------------------------------

    @alone()
    def substitute(self, **values: Value) -> Formula:
        """Return the formula with symbols replaced, by name.

        Parameters
        ----------
        **values
            Numbers, or expressions in symbols of this formula (``formula.symbols``) and new ones.

        Returns
        -------
        Formula
            The ranges of the replaced symbols are still checked on evaluation.

        Raises
        ------
        TypeError
            For an unknown name, naming the nearest one.
        ValueError
            For a symbol with the name of one of the formula's but other assumptions.

        Examples
        --------
        >>> from statnn import theory
        >>> theory.formula("gamma-poisson.working").substitute(b=1)
        Formula('gamma-poisson.working', N*(-N/(D*c + N) + 1))
        """
        self._refuse_unknown(values)
        known = {variable.symbol.name: variable for variable in self.variables}
        gone = {variable.symbol.name for variable, _ in self.fixed} | {self.symbols[name].name for name in values}
        put: dict[sp.Symbol, sp.Expr] = {}
        new: dict[sp.Symbol, Variable] = {}
        for name, value in values.items():
            put[self.symbols[name]] = expr = _expression_of(name, value)
            for symbol in expr.free_symbols:
                if symbol.name in gone:
                    raise ValueError(
                        f"{name} = {expr}: {symbol.name} is itself replaced; give the new symbol another name"
                    )
                if symbol.name not in known:
                    new[symbol] = Variable(symbol, _assumed(symbol), f"in {name} = {expr}")
                elif symbol != known[symbol.name].symbol:
                    raise ValueError(
                        f"{name} = {expr}: this {symbol.name} is not the {symbol.name} of {self.name}, which has "
                        f"other assumptions ({known[symbol.name]}); take formula.symbols[{symbol.name!r}]"
                    )
        expression = self.expression.subs(put, simultaneous=True)
        fixed = tuple((variable, value.subs(put, simultaneous=True)) for variable, value in self.fixed)
        fixed += tuple((known[symbol.name], value) for symbol, value in put.items())
        numbers = {
            variable.symbol.name: _number_of(variable.name, value)
            for variable, value in fixed
            if not value.free_symbols
        }
        for variable, _ in fixed:
            if {variable.symbol.name, *variable.depends} <= set(numbers):
                variable.check(numbers[variable.symbol.name], numbers)
        return replace(self, expression=expression, variables=(*self.variables, *new.values()), fixed=fixed)


def _rounded_once(value: mpmath.mpf, digits: int) -> sp.Float:
    """Return a number that prints exactly the digits of the value, although printing rounds once more."""
    number = sp.Float(value, digits)
    with mpmath.workdps(digits + _GUARD):
        text = mpmath.nstr(value, digits)
        return number if mpmath.mpf(str(number)) == mpmath.mpf(text) else sp.Float(text, digits)


def no_symbol(formula: Formula, name: str) -> TypeError:
    """Return the error that a formula has no symbol of this name, listing those it has."""
    there = "; ".join(map(str, formula.variables)) or "none"
    return TypeError(f"{formula.name} has no symbol {name!r}{nearest(name, formula.symbols)}; it has {there}")


def nearest(name: str, known: Iterable[str]) -> str:
    """Return a question that suggests the known name most like an unknown one, or nothing."""
    name = str(name)  # it may not be a string
    close = difflib.get_close_matches(name, list(known), 1, 0.6 if len(name) > 5 else 0.4)
    close = close or [other for other in known if other.lower() == name.lower()]
    return f" (do you mean {close[0]!r}?)" if close else ""


def _floats_of(name: str, values: Any) -> Any:
    """Return numbers as an array of floats, or raise."""
    if np.ma.is_masked(values):
        raise ValueError(f"{name} has masked entries, which would be taken for numbers: pass {name}.compressed()")
    array = np.asarray(values)
    real = (isinstance(value, numbers.Real) for value in array.flat)  # fractions and integers of any size
    if array.dtype.kind not in "iufO" or (array.dtype == object and not all(real)):
        raise TypeError(f"{name} = {values!r} holds {array.dtype}; real numbers are needed")
    try:
        return array.astype(float)
    except OverflowError:
        raise ValueError(f"{name} = {values!r} is beyond double precision: use evaluate()") from None


def _number_of(name: str, value: Any) -> Any:
    if isinstance(value, (bool, np.bool_)):
        raise TypeError(f"{name} = {value!r} is a truth value, not a real number")
    if isinstance(value, sp.Expr):
        value = value.replace(sp.UnevaluatedExpr, lambda inside: inside)
        if not value.is_number or value.is_extended_real is False:
            raise TypeError(f"{name} = {value} is not a real number: substitute() takes expressions")
        if value in (sp.oo, -sp.oo, sp.nan):
            raise ValueError(f"{name} = {value} is not a finite real number")
        if value.is_Rational:
            return Fraction(int(value.p), int(value.q))
        return value
    try:
        if isinstance(value, mpmath.mpf):
            return value if mpmath.isfinite(value) else Fraction(float(value))
        return Fraction(*value.as_integer_ratio()) if isinstance(value, np.floating) else Fraction(value)
    except (TypeError, ValueError, OverflowError):
        if not isinstance(value, (float, str, mpmath.mpf, np.floating)):
            raise TypeError(f"{name} = {value!r} is not a real number; function() takes arrays") from None
        raise ValueError(f"{name} = {value!r} is not a finite real number") from None


def _expression_of(name: str, value: Any) -> sp.Expr:
    if isinstance(value, sp.Expr):
        return value
    parsed = _number_of(name, value)
    return (
        sp.Float(parsed, 100) if isinstance(parsed, mpmath.mpf) else sp.Rational(parsed.numerator, parsed.denominator)
    )


def _assumed(symbol: sp.Symbol) -> str:
    """Return the range allowed by the assumptions of a symbol."""
    low = f"0 < {symbol.name}" if symbol.is_positive else f"0 <= {symbol.name}" if symbol.is_nonnegative else None
    return f"{low or f'-oo < {symbol.name}'} < oo" + (", whole" if symbol.is_integer else "")
