"""LaTeX and presentation MathML of the formulas, with the special functions set as physicists write them.

sympy's MathML printer lower-cases the names of functions and spells out the names of special functions; both
printers below agree on psi, ln Gamma, the rising factorial (b)_k and the bar of a condition.
"""

import re
from html.entities import html5
from typing import Any, ClassVar

import sympy as sp
from sympy.printing.latex import LatexPrinter
from sympy.printing.mathml import MathMLPresentationPrinter

_PRIMES = ("", "′", "″", "‴")


class _TermOrder:
    """Sums start with a positive term and end with what is left out, O(...)."""

    def _as_ordered_terms(self, expr: sp.Expr, order: str | None = None) -> list[sp.Expr]:
        terms: list[sp.Expr] = super()._as_ordered_terms(expr, order=order)  # type: ignore[misc]
        return sorted(terms, key=lambda term: (term.func.__name__ == "O", term.could_extract_minus_sign()))


class _Latex(_TermOrder, LatexPrinter):
    def _print_polygamma(self, expr: sp.Expr, exp: str | None = None) -> str:
        order, z = expr.args
        name = r"\psi" + "'" * int(order)
        power = "" if exp is None else f"^{{{exp}}}"
        return rf"{{{name}}}{power}\left({self._print(z)}\right)"

    def _print_loggamma(self, expr: sp.Expr) -> str:
        return rf"\ln\Gamma\left({self._print(expr.args[0])}\right)"

    def _print_RisingFactorial(self, expr: sp.Expr, exp: str | None = None) -> str:
        power = "" if exp is None else f"^{{{exp}}}"
        return rf"\left({self._print(expr.args[0])}\right)_{{{self._print(expr.args[1])}}}{power}"

    def _print_Given(self, expr: sp.Expr) -> str:
        event, *conditions = (self._print(arg) for arg in expr.args)
        return rf"{event} \mid {', '.join(conditions)}"

    def _print_beta(self, expr: sp.Expr, exp: str | None = None) -> str:
        power = "" if exp is None else f"^{{{exp}}}"
        return rf"\operatorname{{B}}{power}\left({self._print(expr.args[0])}, {self._print(expr.args[1])}\right)"


class _MathML(_TermOrder, MathMLPresentationPrinter):
    _names: ClassVar[dict[str, str]] = {"log": "ln", "beta": "B", "gamma": "Γ", "exp": "exp"}

    def _element(self, tag: str, *children: Any) -> Any:
        element = self.dom.createElement(tag)
        for child in children:
            element.appendChild(self.dom.createTextNode(child) if isinstance(child, str) else child)
        return element

    def _fence(self, *args: sp.Basic, bar: str = ",") -> Any:
        inner: list[Any] = [self._element("mo", "(")]
        for position, arg in enumerate(args):
            inner += [self._element("mo", bar)] * (position > 0) + [self._print(arg)]
        return self._element("mrow", *inner, self._element("mo", ")"))

    def _print_Function(self, expr: sp.Expr) -> Any:
        name = expr.func.__name__
        head = self._element("mi", self._names[name]) if name in self._names else self._print(sp.Symbol(name))
        return self._element("mrow", head, self._fence(*expr.args))

    def _print_polygamma(self, expr: sp.Expr) -> Any:
        order, z = expr.args
        return self._element("mrow", self._element("mi", "ψ" + _PRIMES[int(order)]), self._fence(z))

    def _print_loggamma(self, expr: sp.Expr) -> Any:
        return self._element("mrow", self._element("mi", "ln"), self._print_Function(sp.gamma(expr.args[0])))

    def _print_RisingFactorial(self, expr: sp.Expr) -> Any:
        return self._element("msub", self._fence(expr.args[0]), self._print(expr.args[1]))

    def _print_Given(self, expr: sp.Expr) -> Any:
        parts: list[Any] = []
        for mark, arg in zip(("", "|", ","), expr.args, strict=False):
            parts += [self._element("mo", mark)] * bool(mark) + [self._print(arg)]
        return self._element("mrow", *parts)


_LATEX = _Latex({"ln_notation": True})
_ENTITY = re.compile(r"&([A-Za-z]+;)")
_RESERVED = {"lt;", "gt;", "amp;"}


def latex(expr: sp.Basic) -> str:
    """Return `expr` as LaTeX, without delimiters."""
    return str(_LATEX.doprint(expr))


def mathml(expr: sp.Basic) -> str:
    """Return `expr` as a ``<math display="block">`` element that is both HTML and well-formed XML."""
    body = _MathML().doprint(expr).replace("<mo><</mo>", "<mo>&lt;</mo>").replace("<mo>></mo>", "<mo>&gt;</mo>")
    body = _ENTITY.sub(lambda m: m[0] if m[1] in _RESERVED else html5[m[1]], body)
    return f'<math xmlns="http://www.w3.org/1998/Math/MathML" display="block">{body}</math>'
