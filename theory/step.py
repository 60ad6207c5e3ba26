"""One step of a derivation: two printed sides, the meaning of their names, and the proof that they are equal.

A step prints an equation in names and knows the definitions of these names. The check inserts the definitions into the
printed equation: first in numbers, as a second opinion on every rewriting, then exactly, by a residual that must be
zero. `theory.kinds` tells what that means for each kind of step; limits and series are taken exactly only when
thorough.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, fields
from functools import cache, cached_property
from typing import Any, Literal, TypeAlias

import numpy as np
import sympy as sp
from sympy.core.function import AppliedUndef
from sympy.core.relational import Relational

from statnn.theory.enclosure import sign_on_boxes
from statnn.theory.evaluation import (
    Definitions,
    gap_of,
    in_case,
    overruled,
    put_in,
    renames,
    sign_of,
    undefined,
)
from statnn.theory.kinds import CHECKED, IN_NUMBERS, KINDS, Kind
from statnn.theory.mathml import mathml
from statnn.theory.nearing import approached, left_out, parted
from statnn.theory.pickling import pickled
from statnn.theory.plain import plain
from statnn.theory.precision import alone
from statnn.theory.printing import latex
from statnn.theory.prose import with_mathml
from statnn.theory.ranges import Domain

Rewrite: TypeAlias = Callable[[sp.Expr], sp.Expr]
Enclosure: TypeAlias = Literal["as printed", "its form", "neither"]


def taylor(expr: sp.Expr, variable: sp.Symbol, order: int) -> sp.Expr | None:
    """Return a Taylor series about 0 below an order; None if a derivative is not finite there."""
    terms = []
    for k in range(order):
        at_zero = expr.subs(variable, 0)
        if at_zero.has(sp.nan, sp.zoo, sp.oo, -sp.oo, sp.AccumBounds):
            return None
        terms.append(at_zero * variable**k / sp.factorial(k))
        expr = sp.diff(expr, variable)  # one at a time: sympy is slow with higher derivatives
    return sp.Add(*terms)


def simplified(gap: sp.Expr) -> sp.Expr:
    """Return an expression simplified; if multiplying out gives a number, this is returned at once."""
    if (plain := sp.expand(gap)).is_Rational:
        return plain
    above, below = sp.together(gap).as_numer_denom()
    ratio = sp.expand(above) / sp.expand(below)
    left = ratio if ratio.is_Rational else sp.simplify(gap)
    return plain if (plain := sp.expand(left)).is_Rational else left


_TWICE = "one side twice: print a name for one of them and define it in `where`, or call the step argued"
_DEFINED = "a definition of `where`, which holds by itself: print what follows from it, or make the step a definition"
_FORMLESS = "the form is the difference as it stands: write it in terms that are each positive"


@cache
def _limit(body: sp.Expr, variable: sp.Symbol, end: sp.Expr, direction: str) -> sp.Expr:
    return sp.limit(body, variable, end, direction)


@dataclass(frozen=True)
class _Known:
    """The rewriting of an unpickled step: the result of the original one, which is code and not pickled."""

    residual: sp.Expr
    rewritten: sp.Expr | None
    """Of a limit, what it is taken of."""

    def __call__(self, _gap: sp.Expr) -> sp.Expr | None:
        return self.rewritten


@dataclass(frozen=True)
class Step:
    """One step of a derivation; made by `identity`, `inequality`, `limit`, `series`, `instance`, and so on.

    Parameters
    ----------
    statement : str
        One sentence that says why the equation holds.
    equation : sympy.Basic
        The printed equation, usually an unevaluated relation.
    kind : str, optional
        Kind of check: a key of `KINDS`.
    by : callable, optional
        The rewriting that shows the difference of the sides, with the definitions inserted, to be zero.
    positive : sympy.Expr, optional
        For an inequality, the difference of its sides in manifestly positive form.
    where : tuple of pairs, optional
        Names in the equation and their definitions. A function is defined at symbols, ``(f(x), 2 * x)``, or at a fixed
        point, ``(f(0), 1)``.
    domain : tuple of pairs, optional
        Symbols whose range is narrower than their assumptions: two ends, or a `range` of integers.
    toward : tuple, optional
        The variable of a series and its end, 0 or infinity.
    cases : tuple of tuple of pairs, optional
        The instances in which a general equation is checked: sizes, and the meaning of names in each.
    algebra : tuple of two, optional
        The sides, or lists of sides, of the algebra that an argument uses.

    See Also
    --------
    identity, inequality, limit, series, instance, definition, argued : make it.
    Derivation : a chain of steps.

    Examples
    --------
    >>> import sympy as sp
    >>> from statnn import theory
    >>> x = sp.Symbol("x", positive=True)
    >>> step = theory.identity("Squares are products.", (x + 1)**2, x**2 + 2*x + 1)
    >>> step.check()
    >>> step.text(), step.latex()
    ('(1 + x)² = 1 + 2x + x²', '(1 + x)^{2} = 1 + 2 x + x^{2}')
    >>> step.sides(), step.printed_names()
    (((x + 1)**2, x**2 + 2*x + 1), ())
    >>> step.html()[:12]
    'Squares are '
    """

    statement: str
    equation: sp.Basic
    kind: Kind = "argued"
    by: Rewrite = field(default=simplified, compare=False, repr=False)
    positive: sp.Expr = sp.S.One
    where: Definitions = ()
    domain: Domain = ()
    toward: tuple[sp.Symbol, sp.Expr] | None = None
    cases: tuple[Definitions, ...] = ()
    algebra: tuple[Any, Any] = (0, 0)

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"kind = {self.kind!r} is not a kind; kinds are {', '.join(KINDS)}")

    def __deepcopy__(self, memo: Any) -> Step:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        known = _Known(self.residual, self._rewritten()[1] if self.kind == "limit" else None)
        stored = {each.name: getattr(self, each.name) for each in fields(self)} | {"by": known}
        return _unpickled, (pickled(tuple(stored.values())),)

    def __repr__(self) -> str:
        return f"Step({self.statement!r}, {self.kind})"

    @alone()
    def check(self, *, thorough: bool = False) -> None:
        """Raise `AssertionError` unless the printed equation holds in numbers, and exactly.

        Parameters
        ----------
        thorough : bool, optional
            Whether to do slow checks as well: limits and series exactly, and at as many points as others; integrals and
            infinite sums at as many points, and at the corners of their range; inequalities enclosed on all of their
            range, see `enclosure`.
        """
        if not isinstance(thorough, bool | np.bool_):
            raise TypeError(f"thorough = {thorough!r} must be True or False")
        try:
            failure = self._second_opinion(thorough=thorough) if self.kind in CHECKED else self._algebra_in_numbers()
        except Exception as error:  # noqa: BLE001 - whatever has no value, and whatever numbers cannot be taken of
            why = str(error) or type(error).__name__
            failure = f"{why}: no value, so narrow the domain, define the names, or call the step argued"
        if failure:
            failure += "; floats hold 16 digits: write sympy.Rational" * bool(self._floats())
            raise AssertionError(f"{failure}, in the printed equation of the step: {self.statement}")
        if not _is_positive(put_in(self.positive, self.where)):
            raise AssertionError(f"{self.positive} is not manifestly positive in the step: {self.statement}")
        if self.kind in IN_NUMBERS and not thorough:
            return
        try:
            residual = sp.sympify(self.residual)
        except Exception as error:
            what = f"{type(error).__name__}: {error}"
            raise AssertionError(f"the rewriting raised {what}, in the step: {self.statement}") from error
        if residual is not sp.S.Zero:
            shown = "where it is zero, which numbers do not deny, `by` is the rewriting that shows it"
            raise AssertionError(f"residual {residual} is not 0; {shown}, in the step: {self.statement}")

    def sides(self) -> tuple[sp.Expr, sp.Expr]:
        """Return the two sides of the printed relation with the definitions inserted; for an instance, as printed."""
        return self.equation.args if self.kind == "instance" else self._sides

    def latex(self) -> str:
        """Return the equation as LaTeX, without delimiters."""
        return latex(self.equation)

    def text(self) -> str:
        """Return the equation as one line of text."""
        return plain(self.latex())

    def html(self) -> str:
        """Return the sentence and the equation as HTML with MathML, which needs no network."""
        return f"{with_mathml(self.statement)} <i>({self.kind})</i> {mathml(self.latex(), display=True)}"

    def __str__(self) -> str:
        return "\n    ".join([f"{self.statement} ({self.kind})", self.text(), *self._means()])

    def _repr_latex_(self) -> str:
        return rf"$\displaystyle {self.latex()}$"

    def _repr_html_(self) -> str:
        return self.html()

    def _means(self) -> Iterator[str]:
        """Yield the meanings of names in the equation, and narrower ranges of symbols."""
        for name, value in self.printed_names():
            yield f"where {plain(latex(name))} = {plain(latex(value))}"
        for symbol, ends in self.domain:
            yield f"for {ends[0]} < {plain(latex(symbol))} < {ends[-1]}" if isinstance(ends, tuple) else (
                f"for {plain(latex(symbol))} = {', '.join(map(str, ends))}"
            )  # fmt: skip
        if self.cases:
            yield f"checked in {len(self.cases)} case{'s' * (len(self.cases) > 1)}"

    def printed_names(self) -> Definitions:
        """Return the definitions that the equation needs: for names in it, and for names in those definitions."""
        needed: list[tuple[sp.Expr, sp.Expr]] = []
        new = [self.equation]
        while new:
            more = [pair for pair in self.where if pair not in needed and any(_has_name(expr, pair[0]) for expr in new)]
            needed, new = [*needed, *more], [value for _, value in more]
        return tuple(pair for pair in self.where if pair in needed)

    @cached_property
    def _sides(self) -> tuple[sp.Expr, sp.Expr]:
        return tuple(put_in(side, self.where) for side in self.equation.args)

    @cached_property
    def _in_cases(self) -> list[tuple[sp.Expr, sp.Expr]]:
        return [tuple(in_case(side, case) for side in self.equation.args) for case in self.cases]

    @cached_property
    def residual(self) -> sp.Expr:
        """The difference of the sides after rewriting: exactly zero if the step is right."""
        if isinstance(self.by, _Known) or self.kind == "definition":
            return getattr(self.by, "residual", sp.S.Zero)
        if self.kind == "limit":
            return self._limit_residual()
        if self.kind == "series":
            return self._series_residual()
        if self.kind == "instance":
            return _against_probes([self.by(left - right) for left, right in self._in_cases])
        if self.kind == "argued":
            return _difference(*self.algebra, self.by)
        left, right = self._compared()
        return self.by(left - right)

    def _compared(self) -> tuple[sp.Expr, sp.Expr]:
        """Return the two expressions that must be equal: the sides; for an inequality their difference and the form."""
        left, right = self.sides()
        if isinstance(self.equation, sp.Eq):
            return left, right
        excess = right - left if isinstance(self.equation, (sp.Lt, sp.Le)) else left - right
        return excess, put_in(self.positive, self.where)

    def _rewritten(self) -> tuple[sp.Limit, sp.Expr]:
        """Return the limit of the step, and what its rewriting makes of what the limit is taken of."""
        (taken,) = self.sides()[0].atoms(sp.Limit)
        return taken, self.by(taken.args[0])

    def _keeps_limit(self, thorough: bool) -> bool:
        """Return whether the rewriting changes what the limit is taken of by what vanishes, in numbers."""
        taken, rewritten = self._rewritten()
        changed = taken.func(rewritten - taken.args[0], *taken.args[1:])
        return not approached(changed, sp.S.Zero, self.domain, thorough=thorough)[0]

    def _limit_residual(self) -> sp.Expr:
        left, right = self.sides()
        (taken,) = left.atoms(sp.Limit)
        body, variable, end, direction = taken.args

        def left_over(by: Rewrite) -> sp.Expr:
            came_to = left.xreplace({taken: _limit(by(body), variable, end, str(direction))})
            return sp.S.Zero if came_to == right else sp.simplify(came_to - right)  # both may be infinite

        return self._unless_plain(left_over)

    def _series_residual(self) -> sp.Expr:
        (left, right), (variable, end) = self.sides(), self.toward or (sp.S.Zero, sp.S.Zero)
        small = sp.Dummy("u", positive=True)
        gap, scale = parted(left, right)
        inner = end + small if end.is_finite else 1 / small if end is sp.oo else -1 / small
        power = sp.expand(scale.subs(variable, inner)).as_coeff_exponent(small)[1]
        order = int(sp.ceiling(power))

        def left_over(by: Rewrite) -> sp.Expr:
            near = by(gap).subs(variable, inner)
            terms = taylor(near, small, order)
            terms = sp.series(near, small, 0, order).removeO() if terms is None else terms
            kept = (term for term in sp.Add.make_args(sp.expand(terms)) if term.as_coeff_exponent(small)[1] < power)
            return simplified(sp.Add(*kept))

        return self._unless_plain(left_over)

    def _unless_plain(self, left_over: Callable[[Rewrite], sp.Expr]) -> sp.Expr:
        """Return the remainder; without a rewriting of its own, a step is first tried as it stands, then simplified.

        If the remainder is a number as it stands, that is the result: simplifying first takes longer than most limits.
        """
        if self.by is sp.simplify:
            with suppress(NotImplementedError, ValueError, sp.PoleError):
                if (plain := left_over(lambda gap: gap)).is_Rational:
                    return plain
        return left_over(self.by)

    def _second_opinion(self, *, thorough: bool) -> str:
        """Return what is wrong with the printed equation in numbers, or nothing if it holds."""
        if not isinstance(self.equation, Relational if self.kind == "inequality" else sp.Eq):
            return f"{self.equation} is not {'a relation' if self.kind == 'inequality' else 'an equation'} of two sides"
        if empty := self._says_nothing():
            return _FORMLESS if self.kind == "inequality" else empty
        if self.kind == "instance" and not self.cases:
            return "no case in which the equation is checked"
        pairs = self._in_cases if self.kind == "instance" else [self.sides()]
        if self.kind in {"identity", "instance"} and set(pairs) == {(0, 0)} and 0 not in self.equation.args:
            return "both sides are 0 with the definitions put in, which hide any difference"
        if any(side.has(sp.zoo, sp.nan) for pair in pairs for side in pair):
            return "a side is finite nowhere: something was divided by zero when it was made"
        failures = (_unnamed(*pair) or self._in_numbers(*pair, thorough) for pair in pairs)
        return self._other_symbols() or overruled(self.where) or next(filter(None, failures), "")

    def _algebra_in_numbers(self) -> str:
        """Return what is wrong with the algebra of an argument in numbers, if its names have values."""
        pairs = [(left, right) for left, right in zip(*map(_several, self.algebra), strict=True)]
        failures = (gap_of(*pair, self.domain) for pair in pairs if not undefined(pair[0]) | undefined(pair[1]))
        return next(filter(None, failures), "")

    def _floats(self) -> set[sp.Basic]:
        """Return the floats in the printed equation and in the definitions."""
        values = (value for names in (self.where, *self.cases) for _, value in names)
        return self.equation.atoms(sp.Float).union(*(value.atoms(sp.Float) for value in values))

    def _other_symbols(self) -> str:
        """Return a symbol in the range or the definitions that differs from one of the same name in the equation."""
        pairs = [*self.where, *(pair for case in self.cases for pair in case)]
        meant = self.equation.atoms(sp.Symbol).union(*(value.free_symbols for _, value in pairs))
        given = {symbol for symbol, _ in self.domain} | {name for name, _ in pairs if name.is_Symbol}
        for symbol in sorted(given - meant, key=str):
            if any(other.name == symbol.name for other in meant):
                not_it = f"{symbol} in the range or the definitions is not the {symbol} of the equation"
                return f"{not_it}, of which something else is assumed: make the symbol once"
            if symbol in dict(self.domain):
                return f"{symbol}, which has a range, is nowhere in the step: leave it out"
        return ""

    def _in_numbers(self, left: sp.Expr, right: sp.Expr, thorough: bool) -> str:
        """Return where two sides violate the claim of this kind of step, or nothing."""
        if self.kind == "limit":
            failure, slow = approached(left, right, self.domain, thorough=thorough)
            return "" if slow and self.residual == 0 and self._keeps_limit(thorough) else failure
        if self.kind == "series":
            return left_out(left, right, *(self.toward or ()), domain=self.domain, thorough=thorough)
        names = "the left side", "the right side"
        if self.kind == "inequality":
            (left, right), names = self._compared(), ("the larger less the smaller side", "the form")
        form = put_in(self.positive, self.where)
        failure = gap_of(left, right, self.domain, names, thorough=thorough) or sign_of(
            form, self.domain, thorough=thorough
        )
        return failure or (self._on_boxes()[1] if thorough and self.kind == "inequality" else "")

    @property
    def enclosure(self) -> Enclosure:
        """The part of an inequality that intervals prove on all of its range: as printed, its form, or neither.

        "neither" is not a failure: the inequality is then evaluated only at points and corners.
        """
        return self._on_boxes()[0]

    @alone()
    def _on_boxes(self) -> tuple[Enclosure, str]:
        """Return the part that enclosures prove, and the box on which they disprove it."""
        if self.kind != "inequality":
            return "neither", ""
        excess, form = self._compared()
        kinds: dict[Enclosure, sp.Expr] = {"as printed": excess, "its form": form}
        for what, expr in kinds.items():
            sign = sign_on_boxes(expr, self.domain)
            if sign.wrong:
                return "neither", f"not positive {sign.wrong}"
            if sign.positive:
                return what, ""
        return "neither", ""

    def _says_nothing(self) -> str:
        """Return why the printed equation is trivial: it has the same side twice, or is one of the definitions."""
        sides = self.equation.args, self.equation.args[::-1]
        defined = any(renames(*pair, *both) for pair in self.where for both in sides)
        return _TWICE if sides[0] == sides[1] else _DEFINED if defined else ""


def _unpickled(stored: bytes) -> Step:
    return Step(*pickle.loads(stored))  # noqa: S301 - inside a pickle that is being read already


def _has_name(expr: sp.Basic, name: sp.Expr) -> bool:
    """Whether a symbol, or a function with any argument, is in an expression."""
    return expr.has(name) or any(part.func == name.func for part in expr.atoms(AppliedUndef))


def _unnamed(left: sp.Expr, right: sp.Expr) -> str:
    """Return which names have no value."""
    names = (undefined(left) | undefined(right)) - {"O"}
    return f"no definition of {', '.join(sorted(names))}" if names else ""


def _is_positive(form: sp.Expr) -> bool:
    """Whether a form is positive by the assumptions on its symbols; a sum is if each of its terms is."""
    sums = form.atoms(sp.Sum)
    if not all(_is_positive(each.function) for each in sums):
        return False
    return form.xreplace({each: sp.Dummy(positive=True) for each in sums}).is_positive is True


def _difference(left: Any, right: Any, by: Rewrite) -> sp.Expr:
    """Return the difference of two expressions, or of two lists of them."""
    gaps = [by(first - second) for first, second in zip(_several(left), _several(right), strict=True)]
    return _against_probes(gaps) if isinstance(left, (list, tuple)) else gaps[0]


def _several(side: Any) -> tuple[sp.Expr, ...]:
    """Return a side, or a list of them, as expressions."""
    return tuple(map(sp.sympify, side if isinstance(side, (list, tuple)) else (side,)))


def _against_probes(gaps: list[sp.Expr]) -> sp.Expr:
    """Return a sum of differences times free symbols, which is zero only if each difference is."""
    return sp.Add(*(probe * gap for probe, gap in zip(sp.symbols(f"probe:{len(gaps)}"), gaps, strict=True)))
