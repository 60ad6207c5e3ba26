"""The class of derivations, and functions that make their steps.

`theory.kinds` has the table of kinds, with the check of each.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape as as_html
from typing import Any, Literal, TypeAlias, get_args

import sympy as sp

from statnn.theory.evaluation import Definitions, renames
from statnn.theory.kinds import CHECKED, KINDS, Kind, tally
from statnn.theory.mathml import mathml
from statnn.theory.prose import as_latex, escape, lines_of, with_mathml
from statnn.theory.ranges import Domain
from statnn.theory.step import Rewrite, Step, simplified

__all__ = [
    "CHECKED", "KINDS", "Derivation", "Kind", "Rewrite", "Standing", "Step", "argued", "definition", "equation",
    "identity", "inequality", "instance", "limit", "series",
]  # fmt: skip

Standing = Literal["paper", "exact", "asymptotic", "own"]
Where: TypeAlias = Mapping[sp.Expr, Any] | None
Range: TypeAlias = Mapping[sp.Symbol, tuple[Any, Any] | range] | None


@dataclass(frozen=True)
class Derivation:
    r"""A chain of steps with a name, a source and a standing.

    It prints as text, shows itself typeset in a notebook, and is checked by :meth:`check`.

    Parameters
    ----------
    name, title : str
        Key in the registry, and heading.
    source : str
        Source of the result, or of the question.
    standing : {"paper", "exact", "asymptotic", "own"}
        "paper" is stated by a source, "exact" follows from the model without approximation, "asymptotic" to leading
        order, "own" is our construction.
    steps : tuple of Step
        The argument, in order.
    assumes : tuple of str, optional
        Its assumptions in words: the model, and facts that no step checks.
    uses : tuple of str, optional
        Names of the derivations whose results it uses.

    See Also
    --------
    derivation : those of the project.
    identity, inequality, limit, series, instance, definition, argued : make steps.

    Examples
    --------
    >>> from statnn import theory
    >>> theory.derivation("mean-field").kinds()
    {'identity': 5, 'definition': 1}
    >>> mean_field = theory.derivation("mean-field")
    >>> mean_field.check()
    >>> mean_field.latex()[:8]
    '\\section'
    """

    name: str
    title: str
    source: str
    standing: Standing
    steps: tuple[Step, ...]
    assumes: tuple[str, ...] = ()
    uses: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for about in ("assumes", "uses"):
            if isinstance(getattr(self, about), str):
                raise TypeError(f"{about} = {getattr(self, about)!r} is one text; give a tuple of them, (text,)")
        if isinstance(self.steps, Step) or not all(isinstance(step, Step) for step in self.steps):
            raise TypeError("steps must be a tuple of steps, made by identity, limit, and so on")
        object.__setattr__(self, "steps", tuple(self.steps))
        if self.standing not in (standings := get_args(Standing)):
            raise ValueError(f"standing = {self.standing!r} is not a standing; standings are {', '.join(standings)}")
        if not self.steps:
            raise ValueError("a derivation without steps shows nothing; give at least one")

    def __repr__(self) -> str:
        kinds = ", ".join(f"{count} {kind}" for kind, count in self.kinds().items())
        return f"Derivation({self.name!r}, {self.standing}: {kinds})"

    def check(self, *, thorough: bool = False) -> None:
        """Check every step; raise `AssertionError` naming the first that fails.

        Parameters
        ----------
        thorough : bool, optional
            Whether to do slow checks as well: limits and series are taken exactly, slow numbers are evaluated at as
            many points as others, and inequalities are proved by intervals, see :meth:`Step.check`.
        """
        for number, step in enumerate(self.steps, 1):
            try:
                step.check(thorough=thorough)
            except AssertionError as failure:
                raise AssertionError(f"{self.name}, step {number}: {failure}") from failure.__cause__

    def kinds(self) -> dict[Kind, int]:
        """Return the number of steps of each kind."""
        return dict(Counter(step.kind for step in self.steps))

    def latex(self) -> str:
        """Return the derivation as LaTeX source, which needs amsmath: a section, with one equation per step."""
        lines = [rf"\section*{{{as_latex(self.title)}}}", rf"\emph{{{escape(self.source)}}} [{self.standing}]"]
        lines += [f"\n{about}: {as_latex(text)}" for about, text in self._premises()]
        for number, (step, names) in enumerate(self.with_names(), 1):
            lines += [f"\n{number}. {as_latex(step.statement)} \\emph{{({step.kind})}}", rf"\[ {step.latex()} \]"]
            lines += [rf"\[ \text{{where }} {name.latex()} \]" for name in names]
        return "\n".join([*lines, f"\n{tally(self.kinds())}"])

    def __str__(self) -> str:
        lines = [self.title, "=" * len(self.title), f"{self.name} [{self.standing}]; {self.source}"]
        lines += [line for about, text in self._premises() for line in lines_of(f"{about}: {text}")]
        for number, (step, names) in enumerate(self.with_names(), 1):
            lines += ["", *lines_of(f"{number}. {step.statement} ({step.kind})"), f"       {step.text()}"]
            lines += [f"       where {name.text()}" for name in names]
        return "\n".join([*lines, "", tally(self.kinds())])

    def _repr_latex_(self) -> str:
        return self.latex()

    def _repr_html_(self) -> str:
        head = f"<h3>{with_mathml(self.title)}</h3><p><i>{as_html(self.source)}</i> [{self.standing}]</p>"
        head += "".join(f"<p>{about}: {with_mathml(text)}</p>" for about, text in self._premises())
        steps = "".join(
            f"<li>{step.html()}{''.join(f'where {mathml(name.latex(), display=True)}' for name in names)}</li>"
            for step, names in self.with_names()
        )
        return f"{head}<ol>{steps}</ol><p>{tally(self.kinds())}</p>"

    def with_names(self) -> Iterator[tuple[Step, list[Step]]]:
        """Yield the steps, each with the definitions of names in it whose meaning is new or has changed.

        A name keeps its meaning until it gets another, a symbol also until it stands for itself. Names that the next
        step defines are left to that step.

        Examples
        --------
        >>> from statnn import theory
        >>> first, names = next(theory.derivation("relu-layers").with_names())
        >>> first.text()
        'N(0, 0, c) = 1/(2qπ √(1 − c²))'
        >>> print("where", names[0].text())
        where N(x, y, c) = e^((2cxy − y² − x²)/(2q (1 − c²)))/(2qπ √(1 − c²))
        """
        said: list[tuple[sp.Basic, ...]] = []
        for step, following in zip(self.steps, (*self.steps[1:], None), strict=True):
            defined = [following.equation.args] if following and following.kind == "definition" else []
            pairs = step.printed_names()
            new = [pair for pair in pairs if not any(renames(*pair, *line) for line in (*said, *defined))]
            yield step, [definition("", *pair) for pair in new]
            equal = [step.equation.args] if isinstance(step.equation, sp.Eq) else []
            over = step.equation.free_symbols - {name for name, *_ in (*pairs, *equal)}
            said = [line for line in said if line[0] not in over and not any(_alike(line[0], name) for name, _ in new)]
            said += new + equal

    def _premises(self) -> list[tuple[str, str]]:
        """Return the assumptions and the derivations it builds on, if there are any."""
        premises = [("Assumes", "; ".join(self.assumes)), ("Builds on", ", ".join(self.uses))]
        return [(about, text) for about, text in premises if text]


def identity(
    statement: str,
    left: Any,
    right: Any,
    *,
    where: Where = None,
    domain: Range = None,
    by: Rewrite = simplified,
) -> Step:
    """Return the step *left = right*; its residual is `by(left - right)` with the definitions put in.

    Parameters
    ----------
    statement : str
        Why it holds.
    left, right : sympy.Expr
        The two sides as they are printed.
    where : dict, optional
        Definitions of the names in the two sides.
    domain : dict, optional
        Ranges of symbols, if narrower than their assumptions.
    by : callable, optional
        The rewriting that shows the difference to be zero.

    See Also
    --------
    instance : an identity checked in cases.
    inequality, limit, series : other relations.
    Derivation : a chain of steps.

    Examples
    --------
    >>> import sympy as sp
    >>> x = sp.Symbol("x", positive=True)
    >>> identity("Squares are products.", (x + 1) ** 2, x**2 + 2 * x + 1).check()
    """
    return Step(statement, equation(left, right), "identity", by, where=_pairs(where), domain=_ranges(domain))


def inequality(
    statement: str,
    larger: Any,
    smaller: Any,
    form: sp.Expr,
    *,
    written: Literal["=", ">", "<"] = "=",
    where: Where = None,
    domain: Range = None,
    by: Rewrite = simplified,
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
        Prints *larger - smaller = form*, *larger > smaller* or *smaller < larger*.
    where, domain : dict, optional
        Definitions and ranges, see `identity`.
    by : callable, optional
        The rewriting that shows *larger - smaller - form* to be zero.

    See Also
    --------
    identity : for equal sides.

    Examples
    --------
    >>> import sympy as sp
    >>> x = sp.Symbol("x", positive=True)
    >>> inequality("Squares add.", (1 + x) ** 2, 1 + x**2, 2 * x).check()
    """
    if written not in {"=", ">", "<"}:
        raise ValueError(f"written = {written!r}; an inequality is written '=', '>' or '<'")
    larger, smaller = sp.sympify(larger), sp.sympify(smaller)
    excess = sp.Add(larger, sp.Mul(-1, smaller, evaluate=False), evaluate=False) if smaller != 0 else larger
    printed = {
        "=": equation(excess, form),
        ">": sp.Gt(larger, smaller, evaluate=False),
        "<": sp.Lt(smaller, larger, evaluate=False),
    }[written]
    return Step(statement, printed, "inequality", by, sp.sympify(form), _pairs(where), _ranges(domain))


def limit(
    statement: str,
    left: sp.Expr,
    right: Any,
    *,
    where: Where = None,
    domain: Range = None,
    by: Rewrite = sp.simplify,
) -> Step:
    """Return the step that `left`, which contains a `Limit`, equals `right`; `by` rewrites the body of the limit.

    See Also
    --------
    series : with the next order.

    Examples
    --------
    >>> import sympy as sp
    >>> x = sp.Symbol("x", positive=True)
    >>> limit("It saturates.", sp.Limit(x / (1 + x), x, sp.oo), 1).check()
    """
    return Step(statement, equation(left, right), "limit", by, where=_pairs(where), domain=_ranges(domain))


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
        The variable and its end; the scale is a power of the variable, possibly times one of its logarithm. An end is
        approached from the sides on which the range of the variable lies.
    where, domain : dict, optional
        Definitions and ranges, see `identity`.
    by : callable, optional
        The rewriting of the difference of the sides before its expansion.

    See Also
    --------
    limit : only the leading order.

    Examples
    --------
    >>> import sympy as sp
    >>> x, O = sp.Symbol("x", positive=True), sp.Function("O")
    >>> series("For small x,", sp.tanh(x), x + O(x**3), (x, 0)).check()
    """
    if not (isinstance(toward, (tuple, list)) and len(toward) == 2 and isinstance(toward[0], sp.Symbol)):
        raise TypeError(f"toward = {toward!r}; a variable and its end are needed, (x, 0) or (n, sympy.oo)")
    (variable, end), printed = toward, equation(left, right)
    ends = variable, sp.sympify(end)
    return Step(statement, printed, "series", by, where=_pairs(where), domain=_ranges(domain), toward=ends)


def instance(
    statement: str,
    left: Any,
    right: Any,
    *,
    cases: Sequence[Mapping[Any, Any]],
    domain: Range = None,
    by: Rewrite = sp.expand,
) -> Step:
    """Return the step *left = right*, a general equation, checked in stated cases.

    Parameters
    ----------
    statement : str
        Why it holds, and at which sizes it is checked.
    left, right : sympy.Expr
        The two sides as they are printed.
    cases : sequence of dict
        Each gives sizes and indices, ``{n: 2, j: 1}``, and the meaning of the other names in this case: functions and
        indexed symbols, ``{g[1]: ..., g[2]: ...}``, derivatives, symbols. Sums and products of known size are first
        written out.
    domain : dict, optional
        Ranges of symbols, where narrower than their assumptions.
    by : callable, optional
        The rewriting that shows the difference to be zero in each case.

    Raises
    ------
    ValueError, TypeError
        If there is no case, a range is empty, or a side is not an expression.

    See Also
    --------
    identity : an equation checked in general.

    Examples
    --------
    >>> import sympy as sp
    >>> n, s = sp.Symbol("n", integer=True, positive=True), sp.Function("s")
    >>> counted = [{n: 1, s(n): 1}, {n: 2, s(n): 1 + 2}]
    >>> instance("Whole numbers add up.", s(n), n * (n + 1) / 2, cases=counted).check()
    """
    if not cases:
        raise ValueError("an instance needs cases: sizes, and what the names mean then")
    pairs = tuple(map(_pairs, cases))
    return Step(statement, equation(left, right), "instance", by, domain=_ranges(domain), cases=pairs)


def _alike(name: sp.Basic, other: sp.Expr) -> bool:
    """Whether two names are the same, perhaps in other letters."""
    return renames(other, sp.S.Zero, name, sp.S.Zero)


def definition(statement: str, name: Any, meaning: Any) -> Step:
    """Return the step that gives the meaning of a name.

    See Also
    --------
    identity : uses definitions as ``where``.

    Examples
    --------
    >>> import sympy as sp
    >>> x, f = sp.Symbol("x"), sp.Function("f")
    >>> definition("Call it", f(x), x**2).kind
    'definition'
    """
    return Step(statement, equation(name, meaning), "definition")


def argued(statement: str, printed: sp.Basic, left: Any = 0, right: Any = 0, *, by: Rewrite = simplified) -> Step:
    """Return a step whose sentence is the argument; *left = right* is the algebra that it uses.

    See Also
    --------
    definition : for a name.
    identity : for equations that can be checked.

    Examples
    --------
    >>> import sympy as sp
    >>> from statnn.theory import equation
    >>> x, f = sp.Symbol("x"), sp.Function("f")
    >>> argued("By symmetry.", equation(f(x), f(-x))).kind
    'argued'
    """
    return Step(statement, printed, "argued", by, algebra=(left, right))


def equation(left: Any, right: Any) -> sp.Eq:
    """Return *left = right* as written, unevaluated.

    Raises
    ------
    TypeError
        If a side is a text, a Boolean or a relation.

    See Also
    --------
    argued : prints one.

    Examples
    --------
    >>> import sympy as sp
    >>> x = sp.Symbol("x")
    >>> equation(x + x, 2 * x)
    Eq(2*x, 2*x)
    """
    for side in (left, right):
        if isinstance(side, (str, bool)):
            raise TypeError(f"the side {side!r} is a {type(side).__name__}; write it in symbols of sympy")
        if isinstance(side, (sp.MatrixBase, sp.MatrixExpr)):
            raise TypeError(f"the side {side} is a matrix; make a step of each entry, or of their sum, or an instance")
        if isinstance(side, sp.Rel):
            raise TypeError(f"the side {side} is a relation; pass its two sides, each by itself")
    return sp.Eq(left, right, evaluate=False)


def _pairs(given: Mapping[Any, Any] | None) -> Definitions:
    """Return names and their meanings, or raise if something is not a name."""
    if not isinstance(given, (Mapping, type(None))):
        raise TypeError(f"definitions are a {type(given).__name__}; a dict is needed, {{f(x): x**2}}")
    for name in given or {}:
        if not isinstance(name, sp.Basic) or name.is_number:
            raise TypeError(
                f"{name!r} of type {type(name).__name__} is defined as {given[name]}: a name is a symbol of sympy or a "  # type: ignore[index]
                "function of symbols, Function('f')(x)"
            )
    return tuple((name, sp.sympify(meaning)) for name, meaning in (given or {}).items())


def _ranges(given: Range) -> Domain:
    """Return ranges of symbols, or raise if one is invalid or contradicts the assumptions of its symbol."""
    if not isinstance(given, (Mapping, type(None))):
        raise TypeError(f"domain is a {type(given).__name__}; a dict is needed, {{x: (0, 1)}}")
    return tuple((symbol, _range(symbol, ends)) for symbol, ends in (given or {}).items())


def _range(symbol: sp.Symbol, given: Any) -> tuple[Any, Any] | range:
    if not isinstance(symbol, sp.Symbol):
        raise TypeError(f"{symbol!r} has a range in `domain`, which is of symbols")
    ends: Any = (given.start, given.end) if isinstance(given, sp.Interval) else given
    if not isinstance(ends, range):
        ends = tuple(map(sp.sympify, ends)) if isinstance(ends, (tuple, list)) else ()
        if len(ends) != 2 or not all(end.is_number and end.is_extended_real for end in ends):
            raise TypeError(
                f"the range of {symbol}, {given}, must be two numbers, the lower first, or range(first, last)"
            )
        if symbol.is_integer:
            raise ValueError(f"{symbol} is whole: its range is range({ends[0]}, {ends[1]} + 1), not {given}")
    if not (ends if isinstance(ends, range) else ends[0] < ends[1]):
        raise ValueError(f"the range of {symbol}, {given}, is empty: two ends, the lower first, or range(first, last)")
    if (symbol.is_extended_nonnegative and ends[0] < 0) or (symbol.is_extended_nonpositive and ends[-1] > 0):
        sign = "negative" if symbol.is_extended_nonnegative else "positive"
        raise ValueError(f"the range of {symbol}, {given}, is partly {sign}, which {symbol} is assumed not to be")
    return ends if isinstance(ends, range) else (ends[0], ends[1])
