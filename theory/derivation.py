"""What a derivation is: named steps, each an equation with a residual that must be exactly zero.

An equality is checked by the difference of its sides. An inequality is checked by an identity from which the
sign can be read off: *larger side - smaller side = form*, with a form that sympy proves positive from the
assumptions on its symbols alone. Floats never decide.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal
from unicodedata import decomposition

import sympy as sp

from theory.printing import latex

Standing = Literal["paper", "exact", "asymptotic", "own"]
Rewrite = Callable[[sp.Expr], sp.Expr]

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
        What is shown, usually an unevaluated relation.
    residual : sympy.Expr
        Expression that is exactly zero when the step is right.
    positive : sympy.Expr, optional
        Expression that sympy proves positive when the step, an inequality, is right.
    """

    statement: str
    equation: sp.Basic
    residual: sp.Expr
    positive: sp.Expr = sp.S.One

    def check(self) -> None:
        """Raise `AssertionError` unless the residual is zero and the positive form is positive."""
        if self.residual is not sp.S.Zero:
            raise AssertionError(f"residual {self.residual} is not 0 in the step: {self.statement}")
        if self.positive.is_positive is not True:
            raise AssertionError(f"{self.positive} is not manifestly positive in the step: {self.statement}")

    def latex(self) -> str:
        """Return the equation as LaTeX, without delimiters."""
        return latex(self.equation)


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

    def check(self) -> None:
        """Check every step; raise `AssertionError` naming the first that fails."""
        for number, step in enumerate(self.steps, 1):
            try:
                step.check()
            except AssertionError as failure:
                raise AssertionError(f"{self.name}, step {number}: {failure}") from None

    def latex(self) -> str:
        """Return the whole derivation as LaTeX source."""
        lines = [rf"\section*{{{_escape(self.title)}}}", rf"\emph{{{_escape(self.source)}}} [{self.standing}]"]
        for number, step in enumerate(self.steps, 1):
            lines += [f"\n{number}. {_escape(step.statement)}", rf"\[ {step.latex()} \]"]
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
    left: sp.Expr,
    right: sp.Expr,
    *,
    by: Rewrite = sp.simplify,
    shown: sp.Basic | None = None,
) -> Step:
    """Return the step *left = right*, its residual `by(left - right)`.

    Parameters
    ----------
    statement : str
        Why it holds.
    left, right : sympy.Expr
        The two sides.
    by : callable, optional
        The rewriting that shows the difference to be zero.
    shown : sympy.Basic, optional
        The equation to print when names read better than the expressions behind them.
    """
    equation = sp.Eq(left, right, evaluate=False) if shown is None else shown
    return Step(statement, equation, by(left - right))


def inequality(
    statement: str,
    larger: sp.Expr,
    smaller: sp.Expr,
    form: sp.Expr,
    *,
    by: Rewrite = sp.simplify,
    shown: sp.Basic | None = None,
) -> Step:
    """Return the step *larger > smaller*, proved by *larger - smaller = form > 0*.

    Parameters
    ----------
    statement : str
        Why it holds.
    larger, smaller : sympy.Expr
        The two sides.
    form : sympy.Expr
        Their difference, written so that its sign is visible.
    by : callable, optional
        The rewriting that shows *larger - smaller - form* to be zero.
    shown : sympy.Basic, optional
        The relation to print instead of *larger - smaller = form*.
    """
    equation = (
        sp.Eq(sp.Add(larger, sp.Mul(-1, smaller, evaluate=False), evaluate=False), form, evaluate=False)
        if shown is None
        else shown
    )
    return Step(statement, equation, by(larger - smaller - form), form)


def equation(left: sp.Expr, right: sp.Expr) -> sp.Eq:
    """Return *left = right* as written, unevaluated."""
    return sp.Eq(left, right, evaluate=False)
