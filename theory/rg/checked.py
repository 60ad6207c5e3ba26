"""Steps whose residual comes from the equation that is printed: names are replaced, limits and derivatives taken."""

from collections.abc import Callable, Mapping
from typing import Any

import sympy as sp

from statnn.theory.derivation import Rewrite, Step, identity

Meaning = sp.Expr | Callable[..., sp.Expr]


def checked(
    statement: str, relation: sp.Eq, where: Mapping[Any, Meaning] | None = None, *, by: Rewrite = sp.simplify
) -> Step:
    """Return the step *relation*; its sides may be tuples, which agree entry by entry.

    Parameters
    ----------
    statement : str
        Why it holds.
    relation : sympy.Eq
        What is printed and, with names replaced, checked.
    where : mapping, optional
        What the names stand for: an expression for a symbol, a function of its arguments for a function.
    by : callable, optional
        The rewriting that shows each difference to be zero.
    """
    sides = [side if isinstance(side, sp.Tuple) else sp.Tuple(side) for side in relation.args]
    gaps = [by(carried_out(one - other, where or {})) for one, other in zip(*sides, strict=True)]
    probe = sp.symbols(f"probe:{len(gaps)}") if len(gaps) > 1 else (sp.S.One,)
    return identity(
        statement, sp.Add(*(t * gap for t, gap in zip(probe, gaps, strict=True))), sp.S.Zero, shown=relation, by=by
    )


def carried_out(expression: sp.Expr, where: Mapping[Any, Meaning]) -> sp.Expr:
    """Return an expression with names replaced by what they stand for, and all that is only written carried out."""
    for name, meaning in where.items():
        expression = (
            expression.xreplace({name: meaning}) if isinstance(name, sp.Basic) else expression.replace(name, meaning)
        )
    return expression.doit()


def of_matrices(expression: sp.Expr, values: Mapping[sp.Expr, sp.Matrix]) -> sp.Matrix:
    """Return an expression in symbols that do not commute, evaluated with a matrix for each."""
    if expression in values:
        return values[expression]
    parts = [of_matrices(part, values) for part in expression.args]
    if isinstance(expression, sp.Add):
        return sum(parts[1:], start=parts[0])
    if isinstance(expression, sp.Mul):
        return sp.MatMul(*parts).doit() if len(parts) > 1 else parts[0]
    raise ValueError(f"{expression} has no matrix")


def matrices(statement: str, relation: sp.Eq, values: Mapping[sp.Expr, sp.Matrix]) -> Step:
    """Return the step *relation* between symbols that do not commute, checked with a matrix for each."""
    gap = of_matrices(relation.lhs, values) - of_matrices(relation.rhs, values)
    probe = sp.symbols(f"probe:{len(gap)}")
    return identity(
        statement, sp.Add(*(t * sp.expand(g) for t, g in zip(probe, gap, strict=True))), sp.S.Zero, shown=relation
    )
