"""As many digits as asked: a value is computed at rising precision until two evaluations agree."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import TypeAlias

import mpmath
import sympy as sp

Number: TypeAlias = int | float | Fraction | mpmath.mpf | sp.Expr

# few distinct precisions, because mpmath caches the coefficients of Γ for each; factor two between neighbours
_LADDER = tuple(2**rung for rung in range(6, 14))


def exact(value: Number) -> mpmath.mpf:
    """Convert `value`, rounding only at the working precision."""
    if isinstance(value, mpmath.mpf):
        return value
    if isinstance(value, sp.Expr):
        return mpmath.mpf(value.evalf(mpmath.mp.dps)._mpf_)
    fraction = Fraction(value)
    return mpmath.mpf(int(fraction.numerator)) / int(fraction.denominator)


def _scale(values: list[mpmath.mpf]) -> int:
    """Return how many digits the arguments span: a first guess of what cancels."""
    return sum(abs(int(mpmath.mag(value))) for value in values if value) * 3 // 10


def converged(
    function: Callable[..., mpmath.mpf], arguments: tuple[Number, ...], digits: int, *, deepest: int = 0, more: int = 0
) -> mpmath.mpf:
    """Raise the precision until two evaluations agree to `digits`.

    Nothing is taken for zero, nor for a pole, before it was looked at with `deepest` digits. So many `more`
    are left on.
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
                continue  # all that there is may have cancelled
            if deepest and not mpmath.isfinite(value):
                if dps < deepest:
                    continue
                raise ZeroDivisionError(f"no finite value at {arguments}")
            settled = previous is not None and abs(value - previous) <= abs(value) * tolerance
            if settled and (value or dps >= deepest):
                break
            # what shrinks as fast as the precision grows is rounding of an exact zero, as Var K(1) = 0
            vanishing += abs(value) < mpmath.mpf(10) ** (needed - dps)
            previous = value
        if vanishing >= 3 and dps >= deepest:
            return mpmath.mpf(0)
    else:
        span = "the arguments span too many orders of magnitude"
        raise ArithmeticError(f"no {digits} digits at {arguments}: {span}")
    with mpmath.workdps(digits + more):
        return +value
