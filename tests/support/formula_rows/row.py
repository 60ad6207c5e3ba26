"""One row: how a formula is computed, and how well."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Row:
    """What of `statnn` computes a formula, as a function of the formula's own symbols, by name.

    `within` is the relative error allowed, `beside` an absolute one for values that cancel; `points` is how many are
    drawn, and `at` draws in the place of what the ranges would give.
    """

    value: Callable[..., Any]
    within: float = 1e-12
    beside: float = 0.0
    points: int = 5
    at: Callable[[Any], dict[str, Any]] | None = None


@dataclass(frozen=True)
class Sampled:
    """What of `statnn` estimates a formula from random draws: `value` also takes the stream and returns replicates.

    `at` is the one point at which it is compared; `bias` is the error of a finite run, as a share.
    """

    value: Callable[..., Any]
    at: dict[str, Any]
    bias: float = 0.0
