"""Points at which the symbols of a step are evaluated: inside, at corners and near ends of given or assumed ranges."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from itertools import product
from random import Random
from typing import Any, TypeAlias

import mpmath
import sympy as sp

Domain: TypeAlias = tuple[tuple[sp.Symbol, tuple[Any, Any] | range], ...]

DIGITS = 50
_NEAR, _FARTHEST = mpmath.mpf(1) / 1000, mpmath.mpf(30)  # how far inside a range ends are tested; and farthest
_WHOLE = range(-8, 9)


def drawn(symbol: sp.Symbol, domain: dict[sp.Symbol, Any], random: Random, *, wide: bool) -> Any:
    """Return a value of `symbol` in its range, or within its assumptions; a matrix if it does not commute."""
    if not symbol.is_commutative:
        return mpmath.matrix([[random.uniform(-2, 2) for _ in range(3)] for _ in range(3)])
    bounds, far = domain.get(symbol), 30 if wide else 2
    if isinstance(bounds, range) or (bounds is None and symbol.is_integer):
        return mpmath.mpf(random.choice(bounds or _whole(symbol)))
    if bounds is None and not symbol.is_extended_real:
        real = 0 if symbol.is_imaginary else random.uniform(-far, far)
        return mpmath.mpc(real, random.uniform(-far, far))
    low, high = _range_of(symbol, bounds)
    if mpmath.isfinite(low) and mpmath.isfinite(high):
        share = random.choice((0.001, 0.999)) if wide else random.uniform(0.05, 0.95)
        return low + (high - low) * mpmath.mpf(share)
    if mpmath.isinf(low) and mpmath.isinf(high):
        return mpmath.mpf(random.uniform(-far, far))
    away = mpmath.exp(mpmath.mpf(random.uniform(-1.5, math.log(far) if wide else 1.5)))
    return low + away if mpmath.isfinite(low) else high - away


def _range_of(symbol: sp.Symbol, bounds: Any) -> tuple[Any, Any]:
    """Return the two ends of the values of a symbol, by its range or its sign."""
    if bounds is not None:
        low, high = (mpmath.mpf(str(sp.sympify(end).evalf(DIGITS + 20)).replace("oo", "inf")) for end in bounds)
        return low, high
    return (
        mpmath.mpf(0 if symbol.is_extended_nonnegative else "-inf"),
        mpmath.mpf(0 if symbol.is_extended_nonpositive else "inf"),
    )


@cache
def _whole(symbol: sp.Symbol) -> tuple[int, ...]:
    """Return small whole numbers that satisfy the assumptions of a symbol: even, positive, ..."""
    facts = symbol.assumptions0.items()
    return tuple(k for k in _WHOLE if all(getattr(sp.Integer(k), f"is_{fact}") is truth for fact, truth in facts))


def corners(symbols: tuple[sp.Symbol, ...], domain: dict[sp.Symbol, Any]) -> list[tuple[Any, ...]]:
    """Return at most sixteen corners of the range of symbols; open or infinite ends are cut at 1/1000 and 30."""
    every = list(product(*(ends_of(symbol, domain.get(symbol)) for symbol in symbols)))
    return every[:: max(1, len(every) // 16)]


def extremes(symbols: tuple[sp.Symbol, ...], domain: dict[sp.Symbol, Any]) -> list[tuple[Any, ...]]:
    """Return points with all symbols small, and all large, no two equal: some statements hold only in between."""
    if not all(symbol.is_extended_real or symbol in domain for symbol in symbols):
        return []
    both = []
    for place, symbol in enumerate(symbols):
        stretch = 1 + mpmath.mpf(place) / (7 + place)
        near = stretch / (5 if symbol in domain else 20)  # nearer to an end, right statements may converge slowly
        both.append(ends_of(symbol, domain.get(symbol), near, _FARTHEST / stretch - near))  # not a whole number
    return list(zip(*both, strict=True))


def ends_of(symbol: sp.Symbol, bounds: Any, near: Any = _NEAR, far: Any = _FARTHEST) -> tuple[Any, Any]:
    """Return the ends between which a symbol is tested, just inside the ends of its range if it has any."""
    if isinstance(bounds, range):
        return mpmath.mpf(bounds[0]), mpmath.mpf(bounds[-1])
    low, high = _range_of(symbol, bounds)
    if mpmath.isfinite(low) and mpmath.isfinite(high):
        return low + (high - low) * near, high - (high - low) * near
    if symbol.is_integer:
        least, *_, most = map(mpmath.mpf, _whole(symbol))
        return least if mpmath.isfinite(low) else -_FARTHEST, most if mpmath.isfinite(high) else _FARTHEST
    first = low + near if mpmath.isfinite(low) else min(mpmath.mpf(0), high) - far
    return first, high - near if mpmath.isfinite(high) else max(mpmath.mpf(0), low) + far


def place_of(symbols: tuple[sp.Symbol, ...], point: Sequence[Any]) -> str:
    """Return a point in words."""
    where = ", ".join(f"{symbol} = {mpmath.nstr(value, 6)}" for symbol, value in zip(symbols, point, strict=True))
    return f"at {where}" if where else "everywhere"


def zeros(symbols: tuple[sp.Symbol, ...], domain: dict[sp.Symbol, Any], point: Sequence[Any]) -> list[tuple[Any, ...]]:
    """Return the point with one symbol set to zero, for each that may be zero: a statement may fail only there."""
    may = [symbol not in domain and bool(symbol.is_extended_real) and symbol.is_zero is None for symbol in symbols]
    return [(*point[:k], mpmath.mpf(0), *point[k + 1 :]) for k, there in enumerate(may) if there]
