"""Values to any number of digits: the precision rises until two evaluations agree.

All threads share one precision of mpmath, and sympy uses it too: a change in one thread affects all others.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from threading import RLock
from typing import TypeAlias

import mpmath
import sympy as sp
from mpmath import iv

Number: TypeAlias = int | float | Fraction | mpmath.mpf | sp.Expr

# few distinct precisions, because mpmath caches the coefficients of Γ for each; factor two between neighbours
_LADDER = tuple(2**rung for rung in range(6, 14))
_ONE_THREAD = RLock()
if hasattr(os, "register_at_fork"):  # a process forked while another thread works would wait for ever
    os.register_at_fork(
        before=_ONE_THREAD.acquire, after_in_parent=_ONE_THREAD.release, after_in_child=_ONE_THREAD.release
    )


@contextmanager
def alone() -> Iterator[None]:
    """Start at the precision of floats, with sympy evaluating, whatever the user has set; other threads wait."""
    with _ONE_THREAD, mpmath.workprec(53), sp.evaluate(x=True):
        before, iv.prec = iv.prec, 53
        try:
            yield
        finally:
            iv.prec = before


def exact(value: Number) -> mpmath.mpf:
    """Convert `value`, rounding only at the working precision."""
    if isinstance(value, mpmath.mpf):
        return value
    if isinstance(value, sp.Expr):
        return mpmath.mpf(value.evalf(mpmath.mp.dps)._mpf_)
    fraction = Fraction(value)
    return mpmath.mpf(int(fraction.numerator)) / int(fraction.denominator)


def _scale(values: list[mpmath.mpf]) -> int:
    """Return how many digits the arguments span, as a first guess of the cancellation."""
    return sum(abs(int(mpmath.mag(value))) for value in values if value) * 3 // 10


@alone()
def converged(
    function: Callable[..., mpmath.mpf], arguments: tuple[Number, ...], digits: int, *, deepest: int = 0, more: int = 0
) -> mpmath.mpf:
    """Raise the precision until two evaluations agree to `digits`.

    A value counts as zero, or as a pole, only after an evaluation with `deepest` digits. The result keeps `more` extra
    digits.
    """
    with mpmath.workdps(digits + 20):
        needed = digits + 10 + _scale([exact(value) for value in arguments])
    tolerance = mpmath.mpf(10) ** -(digits + 2)
    previous, vanishing = None, 0
    for dps in (rung for rung in _LADDER if rung >= needed):
        with mpmath.workdps(dps):
            try:
                value = function(*(exact(argument) for argument in arguments))
            except ZeroDivisionError:
                if dps >= deepest:
                    raise
                continue  # the denominator may have lost all digits to cancellation
            if deepest and not mpmath.isfinite(value):
                if dps < deepest:
                    continue
                raise ZeroDivisionError(f"no finite value at {arguments}")
            settled = previous is not None and abs(value - previous) <= abs(value) * tolerance
            if settled and (value or dps >= deepest):
                break
            # a value that shrinks as fast as the precision grows is rounding of an exact zero, as for Var K(1) = 0
            vanishing += abs(value) < mpmath.mpf(10) ** (needed - dps)
            previous = value
        if vanishing >= 3 and dps >= deepest:
            return mpmath.mpf(0)
    else:
        span = "the arguments span too many orders of magnitude"
        raise ArithmeticError(f"could not reach {digits} digits at {arguments}: {span}")
    with mpmath.workdps(digits + more):
        return +value
