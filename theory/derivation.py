"""What a derivation is: named steps, each of a kind that says what was checked of it.

A step prints an equation in names and knows the definitions of these names. What is checked is the printed equation
with the definitions put in: first exactly, by a residual that must be zero, then in numbers, as a second opinion.

==========  =======================================================================================================
identity    the difference of its sides is zero
inequality  *larger side - smaller side = form* is such an identity, and the form is manifestly positive
limit       the limit is that
series      the expansion has no other term down to the order that is left out
instance    a general equation, checked at the sizes that its sentence states
definition  it says what a name means: there is nothing to check, and nothing is counted
argued      its sentence is the argument (an induction, an integration, counting); the algebra which that uses is
            checked, but the step is not counted as checked
==========  =======================================================================================================
"""

import pickle
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal, TypeAlias
from unicodedata import decomposition

import sympy as sp
from sympy.core.relational import Relational

from statnn.theory.evaluation import LIMIT, SERIES, Definitions, Domain, approach_of, gap_of, put_in, sign_of, undefined
from statnn.theory.pickling import pickled
from statnn.theory.printing import latex

Kind = Literal["identity", "inequality", "limit", "series", "instance", "definition", "argued"]
CHECKED = ("identity", "inequality", "limit", "series")
Standing = Literal["paper", "exact", "asymptotic", "own"]
Rewrite = Callable[[sp.Expr], sp.Expr]
Where: TypeAlias = Mapping[sp.Expr, Any] | None
Range: TypeAlias = Mapping[sp.Symbol, tuple[Any, Any] | range] | None

# prose of the derivations in LaTeX; ɑ is the base of the raised alpha
_RESERVED = {"_": r"\_", "^": r"\^{}", "&": r"\&"}
_RAISED = {"<super>": "^", "<sub>": "_"}
_SIGNS = {"α": r"\alpha", "ɑ": r"\alpha", "β": r"\beta", "Γ": r"\Gamma", "θ": r"\theta", "μ": r"\mu", "π": r"\pi"}
_SIGNS |= {"ψ": r"\psi", "′": "'", "″": "''", "−": "-", "≤": r"\le", "≥": r"\ge", "≪": r"\ll", "≫": r"\gg"}
_SIGNS |= {"∞": r"\infty", "→": r"\to", "<": "<", ">": ">", "∂": r"\partial", "√": r"\surd", "±": r"\pm", "·": r"\cdot"}
_SIGNS |= {
    "γ": r"\gamma",
    "ε": r"\epsilon",
    "λ": r"\lambda",
    "ξ": r"\xi",
    "ρ": r"\rho",
    "σ": r"\sigma",
    "τ": r"\tau",
    "φ": r"\phi",
    "χ": r"\chi",
    "ω": r"\omega",
}
_SIGNS |= {"Δ": r"\Delta", "Π": r"\Pi", "Σ": r"\Sigma", "Φ": r"\Phi", "×": r"\times"}


@dataclass(frozen=True)
class Step:
    """One step of a derivation.

    Parameters
    ----------
    statement : str
        One sentence that says why the equation holds.
    equation : sympy.Basic
        What is printed, usually an unevaluated relation.
    residual : sympy.Expr
        Expression that is exactly zero when the step is right.
    positive : sympy.Expr, optional
        Expression that is manifestly positive when the step, an inequality, is right.
    kind : str, optional
        What was checked, see `theory.derivation`.
    where : tuple of pairs, optional
        Names in the equation and their definitions. A function is defined at symbols, ``(f(x), 2 * x)``, or at a
        fixed place, ``(f(0), 1)``.
    domain : tuple of pairs, optional
        Symbols whose range is narrower than their assumptions: two ends, or a `range` of integers.
    toward : tuple, optional
        The variable of a series and its end, 0 or infinity.
    """

    statement: str
    equation: sp.Basic
    residual: sp.Expr
    positive: sp.Expr = sp.S.One
    kind: Kind = "argued"
    where: Definitions = ()
    domain: Domain = ()
    toward: tuple[sp.Symbol, sp.Expr] | None = None

    def __deepcopy__(self, memo: Any) -> "Step":
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return _unpickled, (pickled(tuple(getattr(self, one.name) for one in fields(self))),)

    def __repr__(self) -> str:
        return f"Step({self.statement!r}, {self.kind})"

    def check(self) -> None:
        """Raise `AssertionError` unless the step holds exactly, and its printed equation in numbers."""
        if sp.sympify(self.residual) is not sp.S.Zero:
            raise AssertionError(f"residual {self.residual} is not 0 in the step: {self.statement}")
        if not _is_positive(put_in(self.positive, self.where)):
            raise AssertionError(f"{self.positive} is not manifestly positive in the step: {self.statement}")
        try:
            failure = self._second_opinion() if self.kind in CHECKED else ""
        except (ArithmeticError, NameError, TypeError, ValueError) as error:
            failure = f"{error}: no value, so narrow the domain, define the names, or call the step argued"
        if failure:
            raise AssertionError(f"{failure}, in the printed equation of the step: {self.statement}")

    def sides(self) -> tuple[sp.Expr, sp.Expr]:
        """Return the two sides of the printed relation with the definitions put in."""
        return tuple(put_in(side, self.where) for side in self.equation.args)

    def _second_opinion(self) -> str:
        """Return what is wrong with the printed equation in numbers, nothing when it holds."""
        if not isinstance(self.equation, Relational):
            return f"{self.equation} is no relation between two sides"
        left, right = self.sides()
        if names := (undefined(left) | undefined(right)) - {"O"}:
            return f"no definition of {', '.join(sorted(names))}"
        if self._says_nothing():
            return "one side twice, or a definition: print names and define them in `where`, or call the step argued"
        if self.kind == "limit":
            return _approached(left, right, self.domain)
        if self.kind == "series":
            return _left_out(left, right, *(self.toward or ()), domain=self.domain)
        form = put_in(self.positive, self.where)
        if not isinstance(self.equation, sp.Eq):
            left, right = (right - left if isinstance(self.equation, (sp.Lt, sp.Le)) else left - right), form
        return gap_of(left, right, self.domain) or sign_of(form, self.domain)

    def _says_nothing(self) -> bool:
        """Whether the printed equation is one of the definitions, or has the same side twice."""
        one, other = self.equation.args
        return one == other or (one, other) in self.where or (other, one) in self.where

    def latex(self) -> str:
        """Return the equation as LaTeX, without delimiters."""
        return latex(self.equation)


def _unpickled(stored: bytes) -> Step:
    return Step(*pickle.loads(stored))  # noqa: S301 - inside a pickle that is being read already


def _is_positive(form: sp.Expr) -> bool:
    """Whether a form is positive by the assumptions on its symbols; a sum is when each of its terms is."""
    sums = form.atoms(sp.Sum)
    if not all(_is_positive(one.function) for one in sums):
        return False
    return form.xreplace({one: sp.Dummy(positive=True) for one in sums}).is_positive is True


def _approached(left: sp.Expr, right: sp.Expr, domain: Domain) -> str:
    """Return why the limit in `left` is not `right`."""
    found = list(left.atoms(sp.Limit))
    if len(found) != 1:
        return "a limit has one Limit on its left side"
    _, variable, end, direction = found[0].args
    gap = left.xreplace({found[0]: found[0].args[0]}) - right
    side = -1 if str(direction) == "-" else 1
    away = 1 / variable if end is sp.oo else abs(variable - end)
    return approach_of(gap, away ** sp.Rational(1, 5), variable, end, LIMIT, domain, side)


def _left_out(left: sp.Expr, right: sp.Expr, variable: sp.Symbol, end: sp.Expr, *, domain: Domain) -> str:
    """Return why the difference of two sides is not of the order that one of them leaves out."""
    orders = [part for side in (left, right) for part in side.atoms(sp.Function) if part.func.__name__ == "O"]
    if len(orders) != 1:
        return "a series leaves out one O"
    (scale,) = orders[0].args
    return approach_of((left - right).xreplace({orders[0]: sp.S.Zero}), scale, variable, end, SERIES, domain)


@dataclass(frozen=True)
class Derivation:
    """A chain of steps with a name, a source and a standing.

    Parameters
    ----------
    name, title : str
        Key in the registry, and the heading a reader sees.
    source : str
        Where the result, or the question, comes from.
    standing : {"paper", "exact", "asymptotic", "own"}
        Stated by a source; follows from the model without approximation; leading order; our construction.
    steps : tuple of Step
        The argument, in order.
    """

    name: str
    title: str
    source: str
    standing: Standing
    steps: tuple[Step, ...]

    def __repr__(self) -> str:
        kinds = ", ".join(f"{count} {kind}" for kind, count in self.kinds().items())
        return f"Derivation({self.name!r}, {self.standing}: {kinds})"

    def check(self) -> None:
        """Check every step; raise `AssertionError` naming the first that fails."""
        for number, step in enumerate(self.steps, 1):
            try:
                step.check()
            except AssertionError as failure:
                raise AssertionError(f"{self.name}, step {number}: {failure}") from None

    def kinds(self) -> dict[Kind, int]:
        """Return how many steps are of which kind."""
        return dict(Counter(step.kind for step in self.steps))

    def latex(self) -> str:
        """Return the whole derivation as LaTeX source."""
        lines = [rf"\section*{{{_escape(self.title)}}}", rf"\emph{{{_escape(self.source)}}} [{self.standing}]"]
        for number, step in enumerate(self.steps, 1):
            lines += [f"\n{number}. {_escape(step.statement)} \\emph{{({step.kind})}}", rf"\[ {step.latex()} \]"]
        lines.append("\n" + ", ".join(f"{count} {kind}" for kind, count in self.kinds().items()))
        return "\n".join(lines)


def _escape(text: str) -> str:
    """Return prose with its mathematical characters, and those that LaTeX reserves, as LaTeX."""
    return "".join(map(_escaped, text))


def _escaped(character: str) -> str:
    if character in _RESERVED:
        return _RESERVED[character]
    mark, _, code = decomposition(character).partition(" ")
    if mark not in _RAISED:
        return rf"\({_SIGNS[character]}\)" if character in _SIGNS else character
    base = chr(int(code, 16))
    return rf"\({_RAISED[mark]}{{{_SIGNS.get(base, base)}}}\)"


def identity(
    statement: str,
    left: Any,
    right: Any,
    *,
    where: Where = None,
    domain: Range = None,
    by: Rewrite = sp.simplify,
) -> Step:
    """Return the step *left = right*; its residual is `by(left - right)` with the definitions put in.

    Parameters
    ----------
    statement : str
        Why it holds.
    left, right : sympy.Expr
        The two sides as they are printed.
    where : dict, optional
        Definitions of the names in them.
    domain : dict, optional
        Ranges of symbols, where narrower than their assumptions.
    by : callable, optional
        The rewriting that shows the difference to be zero.
    """
    defined = _pairs(where)
    residual = by(put_in(sp.sympify(left), defined) - put_in(sp.sympify(right), defined))
    return Step(statement, equation(left, right), residual, sp.S.One, "identity", defined, _pairs(domain))


def inequality(
    statement: str,
    larger: Any,
    smaller: Any,
    form: sp.Expr,
    *,
    written: Literal["=", ">", "<"] = "=",
    where: Where = None,
    domain: Range = None,
    by: Rewrite = sp.simplify,
) -> Step:
    """Return the step *larger > smaller*, proved by *larger - smaller = form > 0*.

    Parameters
    ----------
    statement : str
        Why it holds.
    larger, smaller : sympy.Expr
        The two sides as they are printed.
    form : sympy.Expr
        Their difference, written so that its sign is visible.
    written : {"=", ">", "<"}, optional
        Whether *larger - smaller = form* is printed, *larger > smaller* or *smaller < larger*.
    where, domain : dict, optional
        Definitions and ranges, see `identity`.
    by : callable, optional
        The rewriting that shows *larger - smaller - form* to be zero.
    """
    defined = _pairs(where)
    larger, smaller = sp.sympify(larger), sp.sympify(smaller)
    excess = sp.Add(larger, sp.Mul(-1, smaller, evaluate=False), evaluate=False) if smaller != 0 else larger
    printed = {
        "=": equation(excess, form),
        ">": sp.Gt(larger, smaller, evaluate=False),
        "<": sp.Lt(smaller, larger, evaluate=False),
    }[written]
    residual = by(put_in(larger, defined) - put_in(smaller, defined) - put_in(form, defined))
    return Step(statement, printed, residual, form, "inequality", defined, _pairs(domain))


def limit(
    statement: str,
    left: sp.Expr,
    right: Any,
    *,
    where: Where = None,
    domain: Range = None,
    by: Rewrite = sp.simplify,
) -> Step:
    """Return the step that the `Limit` in `left` makes it `right`; `by` rewrites what the limit is taken of."""
    defined = _pairs(where)
    inside = put_in(left, defined)
    (taken,) = inside.atoms(sp.Limit)
    body, variable, end, direction = taken.args
    value = sp.limit(by(body), variable, end, str(direction))
    residual = sp.simplify(inside.xreplace({taken: value}) - put_in(sp.sympify(right), defined))
    return Step(statement, equation(left, right), residual, sp.S.One, "limit", defined, _pairs(domain))


def series(
    statement: str,
    left: sp.Expr,
    right: sp.Expr,
    toward: tuple[sp.Symbol, Any],
    *,
    where: Where = None,
    domain: Range = None,
    by: Rewrite = sp.simplify,
) -> Step:
    """Return the step *left = right*, in which `right` leaves out O(scale) when a variable goes to 0 or infinity.

    Parameters
    ----------
    statement : str
        Why it holds.
    left, right : sympy.Expr
        The two sides as they are printed, with an `O` on the right.
    toward : tuple
        The variable and its end; the scale is a power of the variable.
    where, domain : dict, optional
        Definitions and ranges, see `identity`.
    by : callable, optional
        The rewriting of the difference of the sides, before it is expanded.
    """
    defined, (variable, end) = _pairs(where), toward
    small = sp.Dummy("u", positive=True)
    sides = put_in(left, defined), put_in(right, defined)
    (order,) = {part for side in sides for part in side.atoms(sp.Function) if part.func.__name__ == "O"}
    gap = by((sides[0] - sides[1]).xreplace({order: sp.S.Zero})).subs(variable, small if end == 0 else 1 / small)
    power = sp.degree(order.args[0].subs(variable, small if end == 0 else 1 / small), small)
    residual = sp.simplify(sp.series(gap, small, 0, power).removeO())
    target = variable, sp.sympify(end)
    return Step(statement, equation(left, right), residual, sp.S.One, "series", defined, _pairs(domain), target)


def instance(statement: str, printed: sp.Basic, left: Any, right: Any, *, by: Rewrite = sp.expand) -> Step:
    """Return the step that prints a general equation and checks *left = right*, entry by entry, at stated sizes."""
    return Step(statement, printed, _probed(left, right, by), sp.S.One, "instance")


def definition(statement: str, name: Any, meaning: Any) -> Step:
    """Return the step that says what a name means."""
    return Step(statement, equation(name, meaning), sp.S.Zero, sp.S.One, "definition")


def argued(statement: str, printed: sp.Basic, left: Any = 0, right: Any = 0, *, by: Rewrite = sp.simplify) -> Step:
    """Return a step whose sentence is the argument; *left = right* is the algebra that it uses."""
    return Step(statement, printed, _probed(left, right, by), sp.S.One, "argued")


def equation(left: Any, right: Any) -> sp.Eq:
    """Return *left = right* as written, unevaluated."""
    return sp.Eq(left, right, evaluate=False)


def _pairs(given: Mapping[Any, Any] | None) -> tuple[tuple[Any, Any], ...]:
    return tuple((one, other if isinstance(other, (tuple, range)) else sp.sympify(other))
                 for one, other in (given or {}).items())  # fmt: skip


def _probed(left: Any, right: Any, by: Rewrite) -> sp.Expr:
    """Return what two sides, or two lists of them, differ by: their differences against free symbols."""
    if isinstance(left, (sp.Expr, int)):
        return by(sp.sympify(left) - sp.sympify(right))
    gaps = [by(one - other) for one, other in zip(left, right, strict=True)]
    return sp.Add(*(probe * gap for probe, gap in zip(sp.symbols(f"probe:{len(gaps)}"), gaps, strict=True)))
