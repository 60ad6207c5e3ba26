"""Numbers with their errors, as they are printed and read."""

from __future__ import annotations

import math

_RAISED = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")


def printed(number: float, digits: int = 6) -> str:
    """Write a number to `digits` digits as in print, with a power of ten where it is large or small.

    Examples
    --------
    >>> printed(0.543219876, 2), printed(2e-53), printed(-1.25e12), printed(float("-inf")), printed(-0.0)
    ('0.54', '2 × 10⁻⁵³', '−1.25 × 10¹²', '−∞', '0')
    """
    return in_print(f"{number:z.{digits}g}".replace("inf", "∞"))


def in_print(number: str) -> str:
    """Write a number as in print, where Python writes - and e.

    Examples
    --------
    >>> in_print("(3.20 ± 0.41)e-17"), in_print("-0.5")
    ('(3.20 ± 0.41) × 10⁻¹⁷', '−0.5')
    """
    head, _, exponent = number.partition("e")
    text = head.replace("-", "−")
    return f"{text} × 10{str(int(exponent)).translate(_RAISED)}" if exponent else text


def percent(share: float, places: int = 0) -> str:
    """Write a share of a whole, with more digits where it would seem to be none of it or all.

    Examples
    --------
    >>> percent(0.25), percent(0.9996), percent(1e-5, 1), percent(1.0, 1)
    ('25%', '99.96%', '0.001%', '100.0%')
    """
    text = f"{share:.{places}%}"
    return percent(share, places + 1) if share not in (0, 1) and float(text[:-1]) in (0, 100) else text


def line(w: float, b: float, digits: int = 6) -> str:
    """Write the field that a weight and a bias make of a signal.

    Examples
    --------
    >>> line(0.5, -0.25), line(2, 0)
    ('0.5 h - 0.25', '2 h + 0')
    """
    return f"{w:.{digits}g} h {'-' if b < 0 else '+'} {abs(b):.{digits}g}"


def p_value(p: float) -> str:
    """Write a p-value; where floating point hardly tells it from zero, write a bound.

    Examples
    --------
    >>> p_value(0.54321), p_value(2e-53), p_value(0.0)
    ('p = 0.54', 'p = 2 × 10⁻⁵³', 'p < 10⁻³⁰⁰')
    """
    return "p < 10⁻³⁰⁰" if p < 1e-300 else f"p = {printed(p, 2)}"


def p_alone(p: float) -> str:
    """Write a p-value where a head says what it is.

    Examples
    --------
    >>> p_alone(0.54321), p_alone(0.0)
    ('0.54', '< 10⁻³⁰⁰')
    """
    return p_value(p).removeprefix("p ").removeprefix("= ")


def measured(estimate: float, error: float) -> str:
    """Write an estimate to the two leading digits of its standard error; alone if the error is mere rounding.

    Examples
    --------
    >>> measured(0.123456, 0.00321)
    '0.1235 ± 0.0032'
    >>> measured(123456.0, 0.0)
    '123456'
    >>> measured(3.2e-17, 4.1e-18)
    '(3.20 ± 0.41)e-17'
    >>> measured(-0.0001, 0.01)
    '0.000 ± 0.010'
    """
    if not math.isfinite(estimate + error):
        return f"{estimate:.6g} ± {error:.2g}"
    if error <= 1e-15 * abs(estimate):
        return f"{estimate:.6g}"
    exponent = max(-323, math.floor(math.log10(max(abs(estimate), error))))  # smaller powers are 0 as floats
    if -4 <= exponent < 6:
        places = max(0, 1 - math.floor(math.log10(error)))
        if places <= 8:
            return f"{estimate:z.{places}f} ± {error:.{places}f}"
    scale = 10.0**exponent
    places = max(0, 1 - math.floor(math.log10(error / scale)))
    return f"({estimate / scale:.{places}f} ± {error / scale:.{places}f})e{exponent:+03d}"


def with_error(estimate: float, error: float) -> str:
    """Write an estimate with its standard error as in print.

    Examples
    --------
    >>> with_error(-3.2e-17, 4.1e-18)
    '(−3.20 ± 0.41) × 10⁻¹⁷'
    """
    if not math.isfinite(estimate + error):
        return f"{printed(estimate)} ± {printed(error, 2)}"
    return in_print(measured(estimate, error))
