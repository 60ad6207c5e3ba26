"""A symbol of a formula: its meaning, and the range in which the formula holds."""

from __future__ import annotations

import keyword
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from random import Random

import mpmath
import sympy as sp

from statnn.theory.pickling import by_fields
from statnn.theory.precision import Number, exact

_RANGE = re.compile(r"(?P<low>.+?) (?P<left><=?) (?P<name>\w+) (?P<right><=?) (?P<high>[^,]+?)(?P<kind>, whole|, odd)?")
_WORD = re.compile(r"[A-Za-z]\w*")
_DIGITS = 100


@dataclass(frozen=True)
class Variable:
    """A symbol with its meaning and its range.

    Parameters
    ----------
    symbol : sympy.Symbol
        The symbol in the formula.
    range : str
        Two ends and whether they belong to it, as ``"0 < c < N"``, ``"2 <= N < oo, whole"`` or ``"3 <= z < oo, odd"``;
        an end may contain other variables of the formula.
    meaning : str
        Meaning in words.

    Examples
    --------
    >>> print(Variable(sp.Symbol("c", positive=True), "0 < c < N", "active neurons per sample"))
    c: active neurons per sample, 0 < c < N
    """

    symbol: sp.Symbol
    range: str
    meaning: str

    def __post_init__(self) -> None:
        parsed = _RANGE.fullmatch(self.range)
        if not parsed or parsed["name"] != self.symbol.name or self.depends & {"whole", "odd"}:
            raise ValueError(
                f"range {self.range!r} must read as '0 < {self.symbol.name} <= 1', '..., whole' or '..., odd'"
            )

    __reduce__ = by_fields

    def __str__(self) -> str:
        return f"{self.name}: {self.meaning}, {self.range}"

    @property
    def name(self) -> str:
        """Keyword by which a value is passed; ``lambda``, a reserved word of Python, is ``lambda_``."""
        return self.symbol.name + "_" * keyword.iskeyword(self.symbol.name)

    @property
    def in_print(self) -> str:
        """The range in typeset signs, ``"2 ≤ N < ∞, whole"``."""
        return re.sub(r"\boo\b", "∞", self.range.replace("<=", "≤"))

    @cached_property
    def _parsed(self) -> re.Match[str]:
        parsed = _RANGE.fullmatch(self.range)
        assert parsed is not None  # noqa: S101 - made sure when it was made
        return parsed

    @property
    def whole(self) -> bool:
        """Whether the range has only whole numbers."""
        return self._parsed["kind"] is not None

    @property
    def _step(self) -> int:
        """Distance of neighbouring whole numbers in the range."""
        return 2 if self._parsed["kind"] == ", odd" else 1

    @property
    def depends(self) -> frozenset[str]:
        """Names of the other symbols in the ends of the range."""
        return frozenset(_WORD.findall(f"{self._parsed['low']} {self._parsed['high']}")) - {"oo"}

    @cached_property
    def _end_functions(self) -> tuple[Callable[..., mpmath.mpf], ...]:
        names = {name: sp.Symbol(name) for name in sorted(self.depends)}
        texts = self._parsed["low"], self._parsed["high"]
        return tuple(sp.lambdify(list(names.values()), sp.sympify(text, locals=names), "mpmath") for text in texts)

    def _ends(self, values: dict[str, Number]) -> tuple[mpmath.mpf, mpmath.mpf]:
        """Return both ends, given the values of the symbols in them."""
        numbers = [exact(values[name]) for name in sorted(self.depends)]
        low, high = (mpmath.mpf(end(*numbers)) for end in self._end_functions)
        return low, high

    def check(self, value: Number, values: dict[str, Number]) -> None:
        """Raise `ValueError` unless a value is in the range, given those of the other symbols by name."""
        with mpmath.workdps(_DIGITS + 10):
            rounded = *self._ends(values), exact(value)
        with mpmath.workdps(_DIGITS):
            low, high, at = (+number for number in rounded)  # an end and a value may be equal but for their rounding
            above = at > low or (at == low and self._parsed["left"] == "<=")
            below = at < high or (at == high and self._parsed["right"] == "<=")
            if above and below and not (self.whole and (at - self._step + 1) % self._step):
                return
            beside = "".join(f", {name} = {mpmath.nstr(exact(values[name]), 10)}" for name in sorted(self.depends))
            raise ValueError(f"{self.name} = {mpmath.nstr(at, 10)}{beside} is outside {self.range} ({self.meaning})")

    def draw(self, random: Random, values: dict[str, mpmath.mpf], *, far: bool = False) -> mpmath.mpf:
        """Return a float in the range, near its least values if it has no end; if `far`, far out or near an end."""
        low, high = self._ends(values)
        if self.whole:
            first = int(mpmath.floor(low)) + 1 if self._parsed["left"] == "<" else int(mpmath.ceil(low))
            top = min(high, mpmath.mpf(first + (99 if far else 9)))
            last = int(mpmath.ceil(top)) - 1 if self._parsed["right"] == "<" else int(mpmath.floor(top))
            return mpmath.mpf(random.choice(range(first + (first + 1) % self._step, last + 1, self._step)))
        if mpmath.isfinite(low) and mpmath.isfinite(high):
            share = random.choice((0.001, 0.999)) if far else random.uniform(0.05, 0.95)
            return mpmath.mpf(float(low + (high - low) * share))
        if mpmath.isfinite(low):
            return mpmath.mpf(float(low + mpmath.exp(random.uniform(1.5, 7) if far else random.uniform(-1.5, 1.5))))
        width = 30 if far else 2
        return mpmath.mpf(
            random.uniform(-width, width) if not mpmath.isfinite(high) else float(high) - random.uniform(0, width)
        )
