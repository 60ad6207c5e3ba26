"""The result of a comparison of data with theory, and the worst of several."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from statnn._arguments import array_of as unmasked
from statnn._notebook import Shown

Floats: TypeAlias = NDArray[np.float64]

FEWEST_REPLICATES = 5


class Refusal(ValueError):  # noqa: N818 - the data are not in error, they are too poor to judge by
    """The data cannot carry the comparison: too few replicates, no spread, not finite."""


@dataclass(frozen=True)
class Comparison(Shown):
    """An estimate beside its theory.

    Parameters
    ----------
    estimate, error, theory : float
        The measured number, its standard error, the prediction.
    p : float
        Two-sided p-value, uniform on [0, 1] where the theory holds.
    z : float, optional
        ``(estimate - theory) / error`` after the allowed bias is taken off; None for statistics that are not a mean.
    dof : float
        Degrees of freedom of the Student law of z.
    bias : float
        Allowed difference beyond chance, already taken off z.
    comparisons : int
        Number of comparisons of which this is the worst; p is corrected for it.
    law : str
        Name of the law that gives p.
    singles : tuple of float
        Uncorrected p-values of all comparisons of which this is the worst; empty for a single comparison.
    where : str
        Where data and theory are farthest apart, if the statistic covers several places: a value, a cell, an entry.

    See Also
    --------
    statnn.testing.statistics : its functions return comparisons.
    assert_comparison : fails if the difference is beyond chance.
    """

    estimate: float
    error: float
    theory: float
    p: float
    z: float | None = None
    dof: float = math.inf
    bias: float = 0.0
    comparisons: int = 1
    law: str = "Student"
    singles: tuple[float, ...] = ()
    where: str = ""

    @property
    def finding(self) -> str:
        """The outcome in words: the statistic, its value in theory, and where data and theory are farthest apart."""
        value, theory = f"{self.estimate:.9g}", f"{self.theory:.9g}"
        said = f"estimate {value} ± {self.error:.3g}, theory {theory}"
        if self.z is not None:
            said += f", z = {self.z:+.2f}"
        elif self.law == "chi-square":
            said = f"chi-square {value}, of {theory} degrees of freedom"
        elif self.law == "Kolmogorov":
            said = f"distribution functions {value} apart"
        elif self.law == "Hotelling":
            said = f"T² = {value}, {theory} expected"
        return f"{said}, farthest {self.where}" if self.where else said


def array_of(values: ArrayLike, name: str, ndim: int) -> Floats:
    """Return values as an array of finite numbers with `ndim` axes, or refuse them."""
    given = unmasked(values, name)
    if given.dtype.kind not in "biuf":
        raise Refusal(f"{name} must hold real numbers, not {given.dtype}")
    with np.errstate(over="ignore"):  # long doubles beyond float64 become infinite
        array = given.astype(float, copy=False)
    if array.ndim != ndim:
        raise Refusal(f"{name} must have {ndim} dimension(s), got shape {array.shape}")
    if not np.isfinite(array).all():
        raise Refusal(f"{name} has {np.count_nonzero(~np.isfinite(array))} entries that are not finite")
    return array


def holds_numbers(array: NDArray[Any]) -> bool:
    """Return whether entries may be real numbers, or objects of which float() makes one without reading a text."""
    objects = array.flat if array.dtype == object else ()
    return array.dtype.kind in "biufO" and not any(isinstance(each, str | bytes | np.timedelta64) for each in objects)


def numbers_of(**given: Any) -> list[float]:
    """Return the given values as floats, or refuse them if one is not a real number: Python reads texts as numbers."""
    floats = []
    for name, value in given.items():
        array = unmasked(value, name)
        try:
            if array.ndim or not holds_numbers(array):
                raise TypeError  # noqa: TRY301 - as float() does
            floats.append(float(array.item()))
        except (TypeError, ValueError, OverflowError):
            raise Refusal(f"{name} = {value!r} must be one real number within float64") from None
    return floats


def whole_of(value: Any, name: str) -> int:
    """Return a whole number that is not negative as int, or refuse it."""
    (number,) = numbers_of(**{name: value})
    if not 0 <= number == np.rint(number) < math.inf:
        raise Refusal(f"{name} = {value!r} must be a whole number >= 0")
    return int(number)


def unit(values: Floats) -> float:
    """Return the power of two at or below the largest magnitude, as a unit in which its square stays within float64."""
    largest = float(np.abs(values).max(initial=0.0))
    return math.ldexp(1.0, max(math.frexp(largest)[1] - 1, -900)) if largest else 1.0


def z_score(estimate: float, error: float, theory: float, *, bias: float = 0.0, dof: float = math.inf) -> Comparison:
    """Compare an estimate of known standard error with theory.

    Parameters
    ----------
    estimate, error, theory : float
        The measured number, its standard error, the prediction.
    bias : float
        Bound on the known difference between the expectation of the estimate and `theory`; only a larger deviation
        counts.
    dof : float
        Degrees of freedom behind `error`; infinite if the error is known.

    Raises
    ------
    Refusal
        If a number is not finite, the error or `dof` is not positive, or the bias is negative.

    See Also
    --------
    mean : with an error that comes from replicates.
    statnn.testing.assert_comparison : fails if the difference is beyond chance.

    Examples
    --------
    >>> comparison = z_score(1.2, 0.1, 1.0)
    >>> round(comparison.z, 6), round(comparison.p, 4)
    (2.0, 0.0455)
    """
    given = {"estimate": estimate, "error": error, "theory": theory, "bias": bias, "dof": dof}
    estimate, error, theory, bias, dof = numbers_of(**given)
    if not (math.isfinite(estimate) and math.isfinite(theory) and math.isfinite(bias) and bias >= 0):
        raise Refusal(f"estimate {estimate}, theory {theory}, bias {bias} must be finite and the bias >= 0")
    if not (math.isfinite(error) and error > 0):
        raise Refusal(f"the standard error is {error}; a comparison needs one that is finite and positive")
    if not dof > 0:
        raise Refusal(f"dof = {dof} must be above 0: degrees of freedom of the error, infinite if it is known")
    deviation = estimate - theory
    z = math.copysign(max(abs(deviation) - bias, 0.0), deviation) / error
    p = min(1.0, 2 * float(stats.t.sf(abs(z), dof)))
    return Comparison(estimate, error, theory, p, z, dof, bias)


def bonferroni(p_values: ArrayLike) -> float:
    """Return one p-value for a family: the smallest p-value times their number.

    Raises
    ------
    Refusal
        If there is no p-value, or one is not a number in [0, 1].

    See Also
    --------
    worst : the same for comparisons.

    Examples
    --------
    >>> bonferroni([0.02, 0.5])
    0.04
    """
    p = array_of(p_values, "p_values", 1)
    if not p.size or (p < 0).any() or (p > 1).any():
        raise Refusal("at least one p-value is needed, and each must lie in [0, 1]")
    return min(1.0, float(p.size * p.min()))


def worst(comparisons: Iterable[Comparison]) -> Comparison:
    """Return the comparison farthest from theory, its p-value corrected for the number of comparisons.

    Raises
    ------
    Refusal
        If there are no comparisons.

    See Also
    --------
    bonferroni : the same for p-values.

    Examples
    --------
    >>> from statnn.testing.statistics import z_score
    >>> comparison = worst([z_score(1.0, 0.1, 1.1), z_score(1.0, 0.1, 1.3)])
    >>> round(comparison.z, 6), comparison.comparisons
    (-3.0, 2)
    """
    made = list(comparisons)
    sizes = [comparison.comparisons for comparison in made]
    singles = [comparison.p / comparison.comparisons for comparison in made]
    p = bonferroni(np.repeat(singles, sizes))  # refuses an empty family
    each = tuple(chain.from_iterable(comparison.singles or (comparison.p,) for comparison in made))
    return replace(made[int(np.argmin(singles))], p=p, comparisons=sum(sizes), singles=each)
