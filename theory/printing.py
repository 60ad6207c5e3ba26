r"""LaTeX of the formulas, as physicists write them: cD + bN, 1 - x, K(D), ln Γ, the bar of a condition.

The output needs only amsmath, and uses only commands known to small typesetters such as matplotlib's mathtext: no
``\limits``, no environments.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from typing import Any

import sympy as sp
from sympy.core.function import AppliedUndef
from sympy.printing.latex import LatexPrinter

from statnn.theory.tex import parsed

# a product starts with small, fixed symbols (cD, bN, hU), a sum with growing ones (D + a, n + bN, k + b)
_IN_PRODUCTS = ["lambda", "epsilon", *"mh", "theta", *"bcNDqxastvwuyz", "beta", *"ijkn"]
_IN_SUMS = ["D", "D_0", *"nUTk", "k_i", *"jzyxuNKa", "theta", "b", "beta", *"stvw"]
_LATE = {sp.Symbol("x", positive=True), sp.Symbol("u", positive=True)}  # 1 + x, but k + 1
_INDEXED = {"r", "w"}  # functions whose first argument is an index
_MEANS = {"E": "E", "V": "Var"}
_TALL = (r"\frac", r"\binom", r"\sum", r"\int")
_OPERATORS = (sp.Derivative, sp.Sum, sp.Product, sp.Integral)
_TWO_NUMBERS = re.compile(r"\d (\{?\d|\\frac\{\d)")


def _rank(order: list[str], expr: sp.Basic) -> int:
    """Return the place in `order` of the first symbol of `expr`."""
    names = {symbol.name for symbol in expr.atoms(sp.Symbol)}
    return min((order.index(name) for name in names if name in order), default=len(order))


def _is_power(factor: sp.Basic) -> bool:
    return factor.is_Pow and not factor.exp.is_Number


def _is_inverse(factor: sp.Basic) -> bool:
    """Whether `factor` goes below the fraction bar; the power of a fraction does not."""
    if not factor.is_Pow or factor.base.is_negative or (_is_power(factor) and _has_fraction(factor.base)):
        return False
    terms = [term for term in sp.Add.make_args(factor.exp) if not term.is_Number] or [factor.exp]
    return all(term.could_extract_minus_sign() for term in terms)


def _has_fraction(expr: sp.Basic) -> bool:
    return any(map(_is_inverse, expr.atoms(sp.Pow)))


def _fenced(tex: str, marks: str = "()") -> str:
    if any(tall in tex for tall in _TALL):
        return rf"\left{marks[0]}{tex}\right{marks[1]}"
    return marks[0] + tex + marks[1]


def _raised(tex: str, exp: str | None) -> str:
    return tex if exp is None else f"{tex}^{{{exp}}}"


def _place(factor: sp.Basic) -> tuple[int, int, int]:
    """Return the sorting key of a factor: operators on what follows come last."""
    base, power = factor.base if factor.is_Pow else factor, _is_power(factor)
    kinds = (
        base.is_Number,
        isinstance(factor, sp.binomial),
        base.is_Symbol and not power,
        factor.is_Function and not isinstance(factor, (AppliedUndef, sp.log)),
        isinstance(factor, AppliedUndef),
        not (power or isinstance(factor, (sp.log, *_OPERATORS))),
        power,
        isinstance(factor, sp.log),
        True,
    )
    summands = max((len(sp.Add.make_args(arg)) for arg in factor.args), default=1)
    size = -summands if factor.is_Function else int(not base.is_Symbol)
    return kinds.index(True), size, _rank(_IN_PRODUCTS if base.is_Symbol else _IN_SUMS, base)


def _stands_before(factor: sp.Basic, down: list[sp.Expr]) -> bool:
    """Whether `factor` is written in front of a fraction with the denominator `down`, not in it."""
    if factor.is_Pow and factor.exp.is_Number:
        return False
    return _place(factor)[0] <= 1 and not any(isinstance(other, sp.binomial) for other in down)


def _stands_after(factor: sp.Basic, down: list[sp.Expr]) -> bool:
    """Whether `factor` is written behind a fraction even if only 1 is left above its bar."""
    if factor.is_Add:
        return _has_fraction(factor)
    return isinstance(factor, (*_OPERATORS, sp.log)) and not any(isinstance(other, sp.log) for other in down)


def _may_stand_after(factor: sp.Basic, down: list[sp.Expr]) -> bool:
    """Whether `factor` is written behind a fraction that keeps something above its bar."""
    if isinstance(factor, AppliedUndef):
        return not any(isinstance(other, AppliedUndef) for other in down)
    return _is_power(factor) and not any(map(_is_power, down))


def _powers(terms: list[sp.Expr]) -> dict[sp.Expr, sp.Expr] | None:
    """Return the powers that order the terms of a series, or of a polynomial of three terms in one symbol, or None."""
    (left_out,) = [term for term in terms if term.func.__name__ == "O"] or [None]
    symbols = (left_out.args[0] if left_out is not None else sp.Add(*terms)).free_symbols
    if len(terms) < 3 or len(symbols) != 1:
        return None
    (symbol,) = symbols
    parts = {term: (term.args[0] if term is left_out else term).as_independent(symbol)[1] for term in terms}
    powers = {term: sp.S.Zero if part == 1 else part.as_base_exp()[1] for term, part in parts.items()}
    if any(part not in (1, symbol) and part != symbol ** powers[term] for term, part in parts.items()):
        return None
    if not all(power.is_Number for power in powers.values()):
        return None
    return powers if left_out is None or powers[left_out] > 0 else {term: -power for term, power in powers.items()}


def _bare(expr: sp.Expr) -> sp.Expr:
    """Return an expression without its wrappers of `UnevaluatedExpr`."""
    return _bare(expr.args[0]) if isinstance(expr, sp.UnevaluatedExpr) else expr


def _takes(factor: sp.Expr, behind: Sequence[Any]) -> bool:
    """Whether a factor would seem to act on the factors behind it, as a sum over a symbol in them does."""
    names = {symbol for other in behind if not isinstance(other, str) for symbol in other.free_symbols}
    inside = _bare(factor)
    if isinstance(inside.base if inside.is_Pow else inside, sp.log):
        return not all(isinstance(other, (sp.log, *_OPERATORS)) for other in behind)
    return bool(behind) and any(
        isinstance(part, (sp.Product, sp.Limit))
        or (isinstance(part, (sp.Sum, sp.Derivative)) and not names.isdisjoint(part.variables))
        for part in sp.Mul.make_args(inside)
    )


def _rooted(number: sp.Expr, up: list[sp.Expr], down: list[sp.Expr]) -> tuple[sp.Expr, list[sp.Expr], list[sp.Expr]]:
    """Return a number and factors with adjacent square roots combined into one, and d √2/2 as d/√2."""
    for place, factor in enumerate(up):
        if factor.is_Pow and factor.exp == sp.S.Half and factor.base.is_Integer and number.q % factor.base == 0:
            return _rooted(number * factor.base, [*up[:place], *up[place + 1 :]], [*down, factor])
    return number, _one_root(up), _one_root(down)


def _one_root(factors: list[sp.Expr]) -> list[sp.Expr]:
    roots = [part for part in factors if part.is_Pow and part.exp == sp.S.Half and part.base.is_positive]
    if len(roots) < 2:
        return factors
    inside = sp.Mul(*(part.base for part in roots), evaluate=False)
    return [*(part for part in factors if part not in roots), sp.Pow(inside, sp.S.Half, evaluate=False)]


class _Latex(LatexPrinter):
    def _as_ordered_terms(self, expr: sp.Expr, order: str | None = None) -> list[sp.Expr]:
        """Put O(...) last, and numbers and negative terms late; with `order` "shift", x + 1."""
        terms = super()._as_ordered_terms(expr)
        if (powers := _powers(terms)) is not None:
            return sorted(terms, key=lambda term: powers[term])
        rest = [term for term in terms if not term.is_Number]
        late = order != "shift" and any(term in _LATE or _has_fraction(term) for term in rest)
        late = late or all(term.could_extract_minus_sign() or term.is_Function for term in rest)

        def key(term: sp.Expr) -> tuple[Any, ...]:
            if term.is_Number:
                return False, False, -1 if late and term.is_Integer and term.is_positive else 2
            kind = 0 if term.has(sp.log, sp.loggamma) else 3 if _has_fraction(term) else 1
            named = 0 if term.has(AppliedUndef) else len(term.free_symbols) * (1 if kind else -1)
            size = -abs(term.as_coeff_Mul()[0])
            tex = self._print(term)
            shape = tex.startswith("-"), tex.startswith(r"\frac")
            large = any(isinstance(part, (sp.Sum, sp.Product)) for part in sp.Mul.make_args(term))
            return term.func.__name__ == "O", large, kind, *shape, named, size, _rank(_IN_SUMS, term)

        return sorted(terms, key=key)

    def _print_Add(self, expr: sp.Expr, order: str | None = None) -> str:
        terms = list(map(self._factor, self._as_ordered_terms(expr, order)))
        first = next((place for place, tex in enumerate(terms) if tex[0] not in "-O"), 0)
        others = terms[:first] + terms[first + 1 :]
        return terms[first] + "".join(f" - {tex[1:].lstrip()}" if tex[0] == "-" else f" + {tex}" for tex in others)

    def _add_parens(self, s: str) -> str:
        return _fenced(s)

    def _factor(self, expr: sp.Expr) -> str:
        tex, inside = self._print(expr), _bare(expr)
        return _fenced(tex) if inside.is_Add or isinstance(inside, sp.Mod) else tex

    def _row(self, parts: Sequence[Any], *, sign: str = "") -> str:
        """Return factors side by side, with a dot between two numbers; texts are taken unchanged.

        Factors that begin with a minus, or would act on the rest, get parentheses.
        """
        row = sign
        for place, part in enumerate(parts):
            tex = part if isinstance(part, str) else self._factor(part)
            if not isinstance(part, str) and ((row and tex.startswith("-")) or _takes(part, parts[place + 1 :])):
                tex = _fenced(tex)
            between = r" \cdot " if _TWO_NUMBERS.match(f"{row[-1:]} {tex}") else " "
            row += between * bool(row) + tex
        return row

    def _product(self, number: int, factors: list[sp.Expr]) -> str:
        if number == 1 and len(factors) == 1:
            return str(self._print(factors[0]))
        return self._row([*[str(number)] * (number != 1 or not factors), *factors])

    def _print_Mul(self, expr: sp.Expr) -> str:
        number = sp.S.One
        up: list[sp.Expr] = []
        down: list[sp.Expr] = []
        last = [factor for factor in sp.Mul.make_args(expr) if not factor.is_commutative]  # in their order
        value = sp.Mul(*(factor for factor in sp.Mul.make_args(expr) if factor.is_Number))
        if value.is_Rational:
            number = value
        else:  # a float has no denominator, and comes first
            number, up = sp.S.NegativeOne if value.could_extract_minus_sign() else number, [abs(value)]
        for factor in sp.Mul.make_args(expr):
            if factor.is_Number or not factor.is_commutative:
                continue
            if factor.is_Add and all(term.could_extract_minus_sign() for term in factor.args):
                number, up = -number, [*up, -factor]
            elif _is_inverse(factor):
                down.append(factor.base**-factor.exp)
            else:
                up.append(factor)
        number, up, down = _rooted(number, up, down)
        up, down = sorted(up, key=_place), sorted(down, key=_place)
        sign, above, below = "-" * bool(number < 0), abs(number.p), number.q
        if not down and below == 1:
            return self._row([*[str(above)] * (above != 1 or not (up or last)), *up, *last], sign=sign)
        before = [factor for factor in up if _stands_before(factor, down)]
        up = [factor for factor in up if factor not in before]
        after = [factor for factor in up if _stands_after(factor, down)]
        later = [factor for factor in up if _may_stand_after(factor, down)]
        if above > 1 or len(after) + len(later) < len(up):
            after = [factor for factor in up if factor in after or factor in later]
        up = [factor for factor in up if factor not in after]
        fraction = rf"\frac{{{self._product(above, up)}}}{{{self._product(below, down)}}}"
        return self._row([*before, fraction, *after, *last], sign=sign)

    def _print_Pow(self, expr: sp.Pow) -> str:
        below = expr.exp.is_Rational and expr.exp.q == 1 and expr.exp.is_negative and expr.is_commutative
        if below and not _is_inverse(expr):  # sympy would write it as a product
            return str(self._helper_print_standard_power(expr, "%s^{%s}"))
        if expr.base.is_Float:
            return _raised(_fenced(self._print(expr.base)), self._print(expr.exp))
        return str(super()._print_Pow(expr))

    def _argument(self, expr: sp.Expr) -> str:
        return self._print_Add(expr, "shift") if expr.is_Add else str(self._print(expr))

    def _call(
        self, name: str, args: tuple[sp.Basic, ...], exp: str | None = None, marks: str = "()", *, known: bool = True
    ) -> str:
        """Return a function with its arguments; a power of a `known` one, as cosh, is written before its argument."""
        inner, power = ", ".join(map(self._argument, args)), "" if exp is None else f"^{{{exp}}}"
        return name + power * known + _fenced(inner, marks) + power * (not known)

    def _print_Function(self, expr: sp.Expr, exp: str | None = None) -> str:
        name, args = expr.func.__name__, expr.args
        if name in _INDEXED:
            head = f"{name}_{{{self._print(args[0])}}}"
            return self._call(head, args[1:], exp) if args[1:] else _raised(head, exp)
        if name in _MEANS and args[0].has(sp.Function):
            return self._call(rf"\operatorname{{{_MEANS[name]}}}", args, exp, "[]")
        if name == "O" and args[0].is_Pow:
            tex = f"O({self._helper_print_standard_power(args[0], '%s^{%s}')})"
            return _raised(tex, exp)
        if name == "L":
            x, s, t = map(self._argument, args)
            return _raised(f"L({x};\\, {s}, {t})", exp)
        return self._call(self._hprint_Function(name), args, exp, known=not isinstance(expr, AppliedUndef))

    def _print_gamma(self, expr: sp.Expr, exp: str | None = None) -> str:
        return self._call(r"\Gamma", expr.args, exp)

    def _print_loggamma(self, expr: sp.Expr, exp: str | None = None) -> str:
        return self._call(r"\ln" + ("" if exp is None else f"^{{{exp}}}") + r"\Gamma", expr.args)

    def _print_polygamma(self, expr: sp.Expr, exp: str | None = None) -> str:
        order, z = expr.args
        if not order.is_Integer:
            return self._call(rf"\psi^{{({self._print(order)})}}", (z,), exp, known=False)
        return self._call(r"\psi" + "'" * int(order), (z,), exp)

    def _print_beta(self, expr: sp.Expr, exp: str | None = None) -> str:
        return self._call(r"\operatorname{B}", expr.args, exp)

    def _print_log(self, expr: sp.Expr, exp: str | None = None) -> str:
        (arg,) = expr.args
        tex, name = self._print(arg), r"\ln" + ("" if exp is None else f"^{{{exp}}}")
        whole = arg.is_Symbol or (arg.is_Function and not isinstance(arg, sp.Mod))
        return f"{name} {tex}" if whole else name + _fenced(tex)

    def _print_RisingFactorial(self, expr: sp.Expr, exp: str | None = None) -> str:
        base, length = map(self._print, expr.args)
        return _raised(rf"({base})_{{{length}}}", exp)

    def _print_FallingFactorial(self, expr: sp.Expr, exp: str | None = None) -> str:
        """Write it as a rising factorial from its other end."""
        base, length = expr.args
        return self._print_RisingFactorial(sp.RisingFactorial(base - length + 1, length, evaluate=False), exp)

    def _print_hyper(self, expr: sp.Expr, exp: str | None = None) -> str:
        """Write its parameters on one line, above before below."""
        parts = (", ".join(map(self._argument, part)) for part in (expr.ap, expr.bq, (expr.argument,)))
        return ("F" if exp is None else f"F^{{{exp}}}") + _fenced(r";\, ".join(parts))

    def _print_Piecewise(self, expr: sp.Expr, exp: str | None = None) -> str:
        pieces = []
        for value, case in expr.args:
            when = r"\text{otherwise}" if case is sp.S.true else rf"\text{{if}}\;{self._print(case)}"
            pieces.append(rf"{self._print(value)}\;{when}")
        return _raised(r"\left\{" + r",\; ".join(pieces) + r"\right\}", exp)

    def _print_Mod(self, expr: sp.Mod, exp: str | None = None) -> str:
        number, modulus = map(self._factor, expr.args)
        large = any(isinstance(part, (*_OPERATORS, sp.Limit)) for part in sp.Mul.make_args(_bare(expr.args[0])))
        number = _fenced(number) if large or number.startswith("-") else number
        modulus = _fenced(modulus) if expr.args[1].is_Mul else modulus
        tex = rf"{number} \bmod {modulus}"
        return tex if exp is None else _raised(_fenced(tex), exp)

    def _print_binomial(self, expr: sp.Expr, exp: str | None = None) -> str:
        upper, lower = map(self._print, expr.args)
        return _raised(rf"\binom{{{upper}}}{{{lower}}}", exp)

    def _print_Indexed(self, expr: sp.Expr) -> str:
        base, *indices = map(self._print, expr.args)
        base = f"{{{base}}}" if "^" in base else base  # so that a power of it has a single superscript
        between = " " if all(index.is_Symbol or index.is_Integer for index in expr.indices) else ", "
        return f"{base}_{{{between.join(indices)}}}"

    def _print_elliptic_k(self, expr: sp.Expr, exp: str | None = None) -> str:
        """Write the complete elliptic integral in terms of the modulus, while sympy's argument is its square."""
        return self._call(r"\mathcal{K}", (sp.sqrt(expr.args[0]),), exp)

    def _print_Given(self, expr: sp.Expr) -> str:
        event, *conditions = map(self._print, expr.args)
        return rf"{event} \mid {', '.join(conditions)}"

    def _print_Subs(self, expr: sp.Expr) -> str:
        """Write an expression evaluated at a point, such as a derivative."""
        body, names, values = expr.args
        at = ", ".join(f"{self._print(name)} = {self._print(value)}" for name, value in zip(names, values, strict=True))
        return rf"\left[{self._print(body)}\right]_{{{at}}}"

    def _print_Derivative(self, expr: sp.Expr) -> str:
        if len(expr.variable_count) > 1:
            below = " ".join(rf"\partial {self._print(variable)}" for variable in expr.variables)
            return rf"\frac{{\partial^{{{len(expr.variables)}}}}}{{{below}}} {self._operand(expr.expr)}"
        ((variable, order),) = expr.variable_count
        power = "" if order == 1 else f"^{{{order}}}"
        return rf"\frac{{d{power}}}{{d {self._print(variable)}{power}}} {self._operand(expr.expr)}"

    def _operand(self, expr: sp.Expr) -> str:
        """Return the differentiated expression, in parentheses if it is a sum or a product other than a fraction."""
        tex, inside = self._factor(expr), _bare(expr)
        whole = not inside.is_Mul or (tex.startswith(r"\frac") and len(parsed(tex).parts) == 1)
        return tex if whole else _fenced(tex)

    def _print_Limit(self, expr: sp.Expr) -> str:
        body, variable, end, side = expr.args
        tex = self._factor(body)
        tex = _fenced(tex) if tex.startswith("-") else tex
        known = end.is_infinite or (end == 0 and str(side) == "+" and variable.is_extended_nonnegative)
        from_one = "" if known or str(side) == "+-" else f"^{{{side}}}"
        return rf"\lim_{{{self._print(variable)} \to {self._print(end)}{from_one}}} {tex}"

    def _print_Integral(self, expr: sp.Expr) -> str:
        tex = self._factor(expr.function)
        for variable, *ends in expr.limits:
            marks = "_^" if len(ends) > 1 else "^"  # a single end is the upper one
            scripts = "".join(f"{mark}{{{self._print(end)}}}" for mark, end in zip(marks, ends, strict=False))
            tex = rf"\int{scripts} {tex} \, d{self._print(variable)}"
        return tex

    def _print_Sum(self, expr: sp.Sum) -> str:
        return self._one_by_one(expr, r"\sum")

    def _print_Product(self, expr: sp.Product) -> str:
        return self._one_by_one(expr, r"\prod")

    def _one_by_one(self, expr: sp.Sum | sp.Product, mark: str) -> str:
        """Write several sums nested in each other, the last variable first."""
        marks = (
            rf"{mark}_{{{self._print(variable)}={self._print(first)}}}^{{{self._print(last)}}}"
            for variable, first, last in reversed(expr.limits)
        )
        return self._row([*marks, expr.function])


_LATEX = _Latex({"symbol_names": {sp.Symbol("..."): r"\ldots"}})


@cache
def latex(expr: sp.Basic) -> str:
    """Return `expr` as LaTeX, without delimiters."""
    return str(_LATEX.doprint(expr))
