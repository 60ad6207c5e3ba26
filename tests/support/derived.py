"""Mistakes in a printed equation."""

from collections.abc import Iterator
from dataclasses import replace

from statnn.theory.derivation import Step


def mutants(step: Step) -> Iterator[Step]:
    """Yield the step with one printed side changed: + 1, and a factor 2 and an exponent where these change it."""
    left, right = step.equation.args
    values = step.sides() if step.kind == "identity" else (left, right)
    changes = [(left + 1, right), (left, right + 1)]
    if not any(side == 0 or side.func.__name__ == "O" for side in (left, right)):
        changes += [(2 * left, right), (left, 2 * right)]
        if step.kind in {"identity", "instance"} and not any(value in {-1, 0, 1} for value in values):
            changes += [(left**3, right), (left, right**3)]
    for changed in changes:
        yield replace(step, equation=type(step.equation)(*changed, evaluate=False))
