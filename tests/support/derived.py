"""Derivations, built once in every process, and what one can do wrong to a printed equation."""

from collections.abc import Iterator
from dataclasses import replace
from functools import cache

from statnn.theory.derivation import Derivation, Step
from statnn.theory.registry import DERIVATIONS


@cache
def built(name: str) -> Derivation:
    """Return the derivation of a name."""
    return DERIVATIONS[name]()


def mutants(step: Step) -> Iterator[Step]:
    """Yield the step with one of its printed sides changed to something else: + 1, and a factor 2 where that is."""
    left, right = step.equation.args
    sides = [(left + 1, right), (left, right + 1)]
    if not any(side == 0 or side.func.__name__ == "O" for side in (left, right)):
        sides += [(2 * left, right), (left, 2 * right)]
    for one, other in sides:
        yield replace(step, equation=type(step.equation)(one, other, evaluate=False))
