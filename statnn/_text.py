"""Numbers with their errors, as they are read."""

import math


def measured(estimate: float, error: float) -> str:
    """Write an estimate to the two leading digits of its standard error; alone where it has none but rounding.

    Examples
    --------
    >>> measured(0.123456, 0.00321)
    '0.1235 ± 0.0032'
    >>> measured(123456.0, 0.0)
    '123456'
    >>> measured(3.2e-17, 4.1e-18)
    '(3.20 ± 0.41)e-17'
    """
    if error <= 1e-15 * abs(estimate):
        return f"{estimate:.6g}"
    exponent = math.floor(math.log10(max(abs(estimate), error)))
    if -4 <= exponent < 6:
        places = max(0, 1 - math.floor(math.log10(error)))
        if places <= 8:
            return f"{estimate:.{places}f} ± {error:.{places}f}"
    scale = 10.0**exponent
    places = min(12, max(0, 1 - math.floor(math.log10(error / scale))))
    return f"({estimate / scale:.{places}f} ± {error / scale:.{places}f})e{exponent:+03d}"
