"""The zero of an expression as an expression, for quantities defined by an equation without closed form."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mpmath
from sympy.concrete.expr_with_limits import ExprWithLimits

_WIDEST = 2**14  # powers of e on either side within which a change of sign is sought
_NEAR = 1 / 8


class Root(ExprWithLimits):
    """`Root(f, (x, low, high))` is the x between the ends at which f vanishes; f changes its sign there and only there.

    Examples
    --------
    >>> import sympy as sp
    >>> x = sp.Symbol("x", positive=True)
    >>> Root(x**2 - 2, (x, 0, sp.oo)).free_symbols
    set()
    """

    def _eval_is_extended_real(self) -> bool:
        return True

    def _mpmathcode(self, printer: Any) -> str:
        ((variable, low, high),) = self.limits
        body = f"lambda {printer._print(variable)}: {printer._print(self.function)}"  # noqa: SLF001 - sympy's hook
        return f"root_between({body}, {printer._print(low)}, {printer._print(high)})"  # noqa: SLF001

    def _latex(self, printer: Any) -> str:
        ((variable, low, high),) = self.limits
        x, body, start, end = (printer._print(part) for part in (variable, self.function, low, high))  # noqa: SLF001
        return rf"\operatorname{{root}}_{{{start} < {x} < {end}}}\left[{body}\right]"


def root_between(function: Callable[[mpmath.mpf], mpmath.mpf], low: mpmath.mpf, high: mpmath.mpf) -> mpmath.mpf:
    """Return the point where a function changes its sign between two ends, which may be infinite, to all digits.

    Raises
    ------
    ArithmeticError
        Where no change of sign is found.
    """
    low, high = mpmath.mpf(low), mpmath.mpf(high)

    def place(at: mpmath.mpf) -> mpmath.mpf:
        """Map all real numbers into the range; near an end, and far out, a step of one is a constant factor."""
        if not mpmath.isfinite(low):
            return high - mpmath.exp(-at) if mpmath.isfinite(high) else mpmath.sinh(at)
        return low + (mpmath.exp(at) if not mpmath.isfinite(high) else (high - low) / (1 + mpmath.exp(-at)))

    def value(at: mpmath.mpf) -> mpmath.mpf:
        return function(place(at))

    with mpmath.extradps(15):
        first, last = _bracket(value)
        while last - first > _NEAR:  # over a wide bracket the function is far from linear
            middle = (first + last) / 2
            first, last = (middle, last) if mpmath.sign(value(middle)) == mpmath.sign(value(first)) else (first, middle)
        size = abs(value(first)) or mpmath.mpf(1)  # scaled, since the solver stops once values are small
        ends = first, last
        root = place(mpmath.findroot(lambda at: value(at) / size, ends, solver="anderson", verify=False, maxsteps=500))
    return +root


def _bracket(value: Callable[[mpmath.mpf], mpmath.mpf]) -> tuple[mpmath.mpf, mpmath.mpf]:
    """Return two numbers between which a function changes its sign, searching outwards on both sides of zero."""
    inner, width, sign = mpmath.mpf(0), mpmath.mpf(1), mpmath.sign(value(mpmath.mpf(0)))
    while width <= _WIDEST:
        if mpmath.sign(value(width)) != sign:
            return inner, width
        if mpmath.sign(value(-width)) != sign:
            return -width, -inner
        inner, width = width, 2 * width
    raise ArithmeticError("no change of sign in the range of a root")
