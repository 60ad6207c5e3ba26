r"""Fixed points of a renormalisation, and the growth or decay of perturbations around them.

A renormalisation by b layers is a map K → R_b(K) of couplings, with R_b R_c = R_bc. At a fixed point its derivative has
eigenvalues λ_i(b) = b^{y_i}; the exponents y_i do not depend on b. A *family* of layers supports `fixed_points` by a
method ``fixed_points(**options)`` that returns `FixedPoint` objects; any other map is searched by Newton's method.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import linalg

from statnn._arguments import Floats, array_of, at_least, positive, real_numbers, switch, whole
from statnn._arrays import read_only
from statnn._by_value import ByValue
from statnn._notebook import Rows
from statnn.rg._common import eigenvalue_errors
from statnn.rg._derivative import STEP, derivative

Renormalisation: TypeAlias = Callable[[Floats, int], Floats]
"""Function from couplings, shape (n,), and the number b of layers to the couplings of the block."""

NEAR, INNER = 1e-4, (0.381966, 0.618034)
"""Distance below which two searches may have ended at one point, in units of couplings; where to look in between."""
FAR, TOLERANCE = 1e300, 1e-10
ROUNDING = 1e-10
"""An analytical exponent smaller than this counts as zero: it is rounding of a logarithm."""


class FixedPointEnd(StrEnum):
    """How a search for a fixed point ended."""

    EXACT = "known in closed form"
    CONVERGED = "converged"
    STALLED = "no progress: the residual stays above the tolerance"
    OUTSIDE = "left the range that was asked for"
    NOT_FINITE = "the map is not finite on the way"


class NoFixedPointError(ValueError):
    """No search found a fixed point; `best` is the one that came closest, with its ending and residual."""

    def __init__(self, message: str, best: FixedPoint) -> None:
        super().__init__(message)
        self.best = best


@dataclass(frozen=True, eq=False, repr=False)
class FixedPoint(ByValue):
    r"""Couplings invariant under a renormalisation, K* = R_b(K*) for every b.

    Parameters
    ----------
    name : str
        "critical", "trivial", ...
    names : tuple of str
        Names of the n couplings, in coordinates in which the map is smooth at this point, say ``"tanh K"``.
    couplings : ndarray, shape (n,)
        K*.
    map : callable
        ``map(couplings, b)``, the renormalisation R_b in these coordinates.
    linear : callable or None
        ``linear(b)``, its derivative ∂R_b/∂K at K*, shape (n, n), where it is known in closed form; None to
        differentiate numerically.
    layer : object or None
        The layer with these couplings; None if they are infinite, as at tanh K = 1.
    thermal : str or None
        The coupling whose distance from K* is the distance from criticality: it gives ν.
    ending : FixedPointEnd
        How the search for it ended.
    residual : float
        Largest |R_2(K*) - K*| in units of max(1, |K*|); zero if the point is exact.

    See Also
    --------
    fixed_points : makes it.
    exponents : how the flow leaves it.
    """

    name: str
    names: tuple[str, ...]
    couplings: Floats
    map: Renormalisation = field(repr=False)
    linear: Callable[[int], Floats] | None = field(default=None, repr=False)
    layer: Any = None
    thermal: str | None = None
    ending: FixedPointEnd = FixedPointEnd.EXACT
    residual: float = 0.0

    def __post_init__(self) -> None:
        couplings = real_numbers(self.couplings, "couplings").astype(np.float64)
        if couplings.shape != (len(self.names),):
            raise ValueError(f"couplings have shape {couplings.shape} for {len(self.names)} names; give one of each")
        if self.thermal is not None and self.thermal not in self.names:
            raise ValueError(f"thermal = {self.thermal!r} is not one of the couplings {', '.join(self.names)}")
        read_only(couplings)
        object.__setattr__(self, "couplings", couplings)

    @property
    def exists(self) -> bool:
        """Whether this is a fixed point, and not the end of a search that failed."""
        return self.ending in {FixedPointEnd.EXACT, FixedPointEnd.CONVERGED}


@dataclass(frozen=True, eq=False, repr=False)
class Exponents(ByValue):
    r"""Eigenvalues λ_i of a linearised renormalisation by b layers, and exponents y_i = ln|λ_i|/ln b.

    Sorted by y, largest first. An eigenvalue of zero has y = -inf: such a perturbation vanishes in one step.

    Parameters
    ----------
    b : int
        Layers in a block.
    eigenvalues : ndarray, shape (n,)
        λ_i; complex where they come in pairs.
    y, error : ndarray, shape (n,)
        Exponents and their numerical errors; zero where the derivative is known in closed form.
    kinds : tuple of str
        "relevant", "marginal" or "irrelevant"; marginal where y is zero within its error.
    fields : tuple of str
        The coupling with the largest part in each scaling field.
    directions : ndarray, shape (n, n)
        Column i is the unit vector in the space of couplings that belongs to y_i.
    nu : float or None
        1/y of the thermal direction: the correlation length diverges as |K - K*|^-ν. Without a named thermal coupling,
        1/y of the only relevant direction; None if there is not exactly one.

    See Also
    --------
    exponents : makes it.
    FixedPoint : the point around which the map is linearised.
    """

    b: int
    eigenvalues: Any
    y: Floats
    error: Floats
    kinds: tuple[str, ...]
    fields: tuple[str, ...]
    directions: Any
    nu: float | None

    def _table(self) -> Rows:
        columns = (self.eigenvalues, self.y, self.error, self.kinds, self.fields)
        return Rows(("λ", "y", "error", "kind", "field"), [*zip(*columns, strict=True)])


def exponents(fixed_point: FixedPoint, b: int = 2) -> Exponents:
    r"""Return eigenvalues and exponents of a renormalisation by b layers around a fixed point.

    .. math:: \det(\partial R_b/\partial K - λ) = 0, \qquad y = \ln|λ|/\ln b

    Parameters
    ----------
    fixed_point : FixedPoint
        Point at which to linearise.
    b : int
        Layers in a block, at least 2. The exponents of couplings do not depend on it. If the map moves signals instead
        of couplings, as variance and correlation through a `RandomLayer`, eigenvalues are powers, λ_b = λ^b, and
        ln|λ_b|/b = -1/ξ is independent of b.

    Returns
    -------
    Exponents

    Raises
    ------
    TypeError, ValueError
        If b < 2, the search for the point failed, or the map is not finite around it or has a kink there.

    See Also
    --------
    fixed_points : finds the points.
    flow : the whole trajectory.

    Notes
    -----
    If the derivative is not known in closed form, it is computed by central differences with Richardson's
    extrapolation, over 1e-3 max(1, |K|) or as much less as the map bends at smaller couplings, down to 1e-11 |K|.
    `Exponents.error` is the last correction, or what its fall from step to step leaves if the map is not smooth or has
    noise, propagated to the eigenvalues to first order, and what the rounding of K* makes of them where two points are
    about to meet. A smooth map is evaluated four times for each coupling and sign, another 20 to 44 times, and at a
    point that was searched for, thrice more for each exponent. Standing: [exact] for the families of this package,
    [own] for a map of your own.

    Examples
    --------
    >>> from statnn import rg
    >>> critical = rg.fixed_points(rg.LinearLayer)[-1]
    >>> exponents = rg.exponents(critical)
    >>> exponents.y, exponents.kinds, exponents.nu
    (array([1., 1., 1.]), ('relevant', 'relevant', 'relevant'), 1.0)
    """
    if not isinstance(fixed_point, FixedPoint):
        raise TypeError(
            f"fixed_point is a {type(fixed_point).__name__}; pass one that rg.fixed_points or a layer returned"
        )
    b = _block(b)
    if not fixed_point.exists:
        raise ValueError(f"this is not a fixed point: {fixed_point.ending}, residual {fixed_point.residual:.3g}")
    if fixed_point.linear is None:
        matrix, wrong = derivative(lambda k: _real(fixed_point.map(k.copy(), b)), fixed_point.couplings)
    else:
        matrix = _reals(fixed_point.linear(b))
        wrong = np.zeros_like(matrix)
    return _exponents(fixed_point, b, matrix, wrong)


def _exponents(fixed_point: FixedPoint, b: int, matrix: Floats, wrong: Floats) -> Exponents:
    eigen: Any = linalg.eig(matrix, left=True, right=True)
    values, left, right = eigen
    unit = np.abs(values) * math.log(b)  # change of an eigenvalue that changes an exponent by one
    off = _errors_of_eigenvalues(matrix, wrong, left, right, ROUNDING * unit)
    if fixed_point.ending is FixedPointEnd.CONVERGED and fixed_point.linear is None:
        off = off + [_error_of_place(fixed_point, b, *each) for each in zip(values, left.T, right.T, strict=True)]
    with np.errstate(divide="ignore"):
        y = np.log(np.abs(values)) / math.log(b)
    error = np.divide(off, unit, out=np.zeros_like(y), where=unit > 0)
    order = np.argsort(-y, kind="stable")
    values, right, y, error, off = values[order], right[:, order], y[order], error[order], off[order]
    if not values.imag.any():
        values = values.real
    marginal = (np.abs(y) <= ROUNDING) | (np.abs(np.abs(values) - 1) <= 4 * off)
    kinds = tuple(
        "marginal" if alike else "relevant" if exponent > 0 else "irrelevant"
        for exponent, alike in zip(y, marginal, strict=True)
    )
    y = np.where(np.abs(y) <= ROUNDING, 0.0, y)
    fields = tuple(fixed_point.names[int(np.argmax(np.abs(right[:, i])))] for i in range(y.size))
    thermal = [i for i, kind in enumerate(kinds) if kind == "relevant"]
    if fixed_point.thermal is not None:
        thermal = [i for i in thermal if fields[i] == fixed_point.thermal]
    nu = float(1 / y[thermal[0]]) if len(thermal) == 1 else None
    for array in (values, y, error, right):
        read_only(array)
    return Exponents(b, values, y, error, kinds, fields, right, nu)


def _errors_of_eigenvalues(matrix: Floats, wrong: Floats, left: Any, right: Any, least: Floats) -> Floats:
    """Return the errors of eigenvalues due to `wrong`, plus those due to rounding where these exceed `least`."""
    norm = float(np.linalg.norm(matrix))
    overlap = np.abs((left.conj() * right).sum(axis=0))
    weighed = np.diag(np.abs(left).T @ wrong @ np.abs(right))

    rounding = np.finfo(float).eps * norm
    off = eigenvalue_errors(rounding, overlap, norm, rounding, len(matrix))
    shown = eigenvalue_errors(weighed, overlap, norm, float(np.linalg.norm(wrong)), len(matrix))
    return np.asarray(shown + np.where(off > least, off, 0.0))


def _error_of_place(point: FixedPoint, b: int, value: complex, left: Any, right: Any) -> float:
    """Return the error of an eigenvalue from that of K*: near λ = 1, a root is found to a root of rounding only.

    Along the eigenvector, R(K) - K is (λ - 1) t + c t², known to its rounding ρ: t is, to some ρ/(|λ-1| + √(cρ)).
    """
    overlap = abs(left.conj() @ right)
    if not overlap:
        return 0.0
    at, size = point.couplings, float(np.abs(point.couplings).max())
    weights, step = np.abs(left) / overlap, STEP * (size or 1.0) * right.real
    with np.errstate(all="ignore"):
        below, middle, above = (_reals(point.map(at + shift, b)) for shift in (-step, 0 * step, step))
        bend = np.nan_to_num(np.abs(left.conj() @ (above - middle - (middle - below))) / overlap)
    rounding = float(weights @ (4 * np.finfo(float).eps * np.abs(at)))
    known = rounding + float(weights.sum()) * point.residual * max(1.0, size)
    curved = max(float(bend) - rounding, 0.0) / (2 * float(step @ step) or 1.0) * known
    return 2 * curved / (abs(value - 1) + math.sqrt(curved)) if curved else 0.0


def _real(image: ArrayLike) -> NDArray[Any]:
    """Return the result of a user's own map, or raise: numpy would drop imaginary parts and parse texts."""
    array = array_of(image, "what the map returns")
    if array.dtype.kind not in "biuf":
        raise TypeError(f"the map returns {array.dtype}, not real numbers: couplings are real, and so is their matrix")
    return array


def _reals(image: ArrayLike) -> Floats:
    return _real(image).astype(np.float64)


def fixed_points(
    family: Any,
    start: ArrayLike | None = None,
    *,
    names: Sequence[str] | None = None,
    bounds: tuple[ArrayLike, ArrayLike] | None = None,
    tolerance: float = TOLERANCE,
    throw: bool = True,
    **options: Any,
) -> tuple[FixedPoint, ...]:
    r"""Return fixed points of a family of layers, or of any renormalisation of couplings.

    Parameters
    ----------
    family : type or object with a method ``fixed_points``, or callable
        `LinearLayer`, `BinaryLayer` and `NoisyLayer`, as class or instance, and a `RandomLayer` know their fixed
        points. A callable ``map(couplings, b)`` with ``map(map(K, b), c) = map(K, b c)`` is searched.
    start : array_like, shape (n,) or (starts, n)
        Starts of the searches; for a callable only.
    names : sequence of str or None
        Names of its couplings.
    bounds : pair of array_like, shape (n,), or None
        Lowest and highest couplings to search; None for no limits.
    tolerance : float
        Largest residual of a fixed point, in units of max(1, |K|); for a callable only, as `throw`.
    throw : bool
        If False and no search succeeds, the failed searches are returned, with how they ended.
    **options
        Passed on to the family.

    Returns
    -------
    tuple of FixedPoint
        For a map in the order of the starts, each point once: ends of searches closer than 1e-4 of couplings are one
        if couplings in between are fixed to the tolerance, in units of the couplings.

    Raises
    ------
    NoFixedPointError
        If no search succeeds: it says how the best one ended, and its residual.
    TypeError, ValueError
        If `family` is none of these, or starts and bounds do not fit.

    See Also
    --------
    exponents : how the flow leaves them.
    flow : the way to them.

    Notes
    -----
    A search is Newton's method (Powell's hybrid), which finds unstable points too. It may miss some.

    Examples
    --------
    >>> from statnn import rg
    >>> [point.name for point in rg.fixed_points(rg.BinaryLayer)]
    ['disordered', 'ordered']
    >>> rg.fixed_points(lambda w, b: w**b, [1.2], names=["w"])[0].couplings.round(9)
    array([1.])
    """
    limit = positive(tolerance, "tolerance", why="it is the largest residual of a fixed point")
    switch(throw, "throw")
    name = getattr(family, "__name__", type(family).__name__)
    if hasattr(family, "rest_points"):
        raise TypeError(
            f"{name}: the fixed points of one repeated unit are signals, layer.rest_points(); the function that it "
            "flows to is layer.leading_form().fixed_function()"
        )
    if hasattr(family, "fixed_points"):
        own = inspect.getattr_static(family, "fixed_points")
        if isinstance(family, type) and not isinstance(own, classmethod | staticmethod):
            raise TypeError(f"the fixed points of a {name} depend on its parameters: pass a layer, {name}(...)")
        if any(given is not None for given in (start, names, bounds)) or limit != TOLERANCE or not throw:
            raise TypeError(
                f"{getattr(family, '__name__', family)!s} knows its fixed points: leave out start, names, bounds, "
                "tolerance, throw, which are for maps"
            )
        return tuple(family.fixed_points(**options))
    _refuse_no_map(family, name, options)
    starts, labels = _starts(start, names)
    lowest, highest = _bounds(bounds, starts.shape[1])
    ends = [_search(family, begin, labels, lowest, highest, limit) for begin in starts]
    points: list[FixedPoint] = []
    for begin, end in zip(np.abs(starts), ends, strict=True):
        if end.exists and not any(_same(family, end, other, begin, limit) for other in points):
            points.append(end)
    if not points and throw:
        best = min(ends, key=lambda end: end.residual)
        raise NoFixedPointError(
            f"no fixed point from {len(ends)} start(s): the best search ended at {best.couplings.tolist()}, "
            f"{best.ending} (residual {best.residual:.3g}, tolerance {limit:g}); try other starts, or wider bounds",
            best,
        )
    return tuple(points or ends)


def _same(function: Renormalisation, first: FixedPoint, other: FixedPoint, begin: Floats, tolerance: float) -> bool:
    """Return whether two searches, one of them from the size `begin`, ended at one point.

    They did if they ended close to each other and couplings in between are fixed to the tolerance, in units of the
    couplings: a multiple root is found to a root of the rounding only.
    """
    a, b = first.couplings, other.couplings
    unit = np.max([np.abs(a), np.abs(b), begin], axis=0)
    if np.abs(a - b).max() > NEAR * unit.max():
        return False
    with np.errstate(all="ignore"):  # a map may have no value at K* itself
        left = np.abs([_reals(function(k.copy(), 2)) - k for k in (a, b, *(a + share * (b - a) for share in INNER))])
    seen = np.maximum(left[:2].max(axis=0), tolerance * unit + 4 * np.finfo(float).eps * unit.max())
    return not (left[2:] > seen).any()


def _refuse_no_map(family: Any, name: str, options: dict[str, Any]) -> None:
    """Raise `TypeError` for an object that cannot be called with couplings and a number of layers."""
    if not callable(family):
        raise TypeError(
            f"family is a {type(family).__name__}; pass a layer or its class (rg.BinaryLayer), or map(couplings, b)"
        )
    if options:
        raise TypeError(f"a map of couplings takes no {', '.join(options)}")
    with suppress(ValueError):  # compiled functions do not tell their signature
        signature = inspect.signature(family)
        try:
            signature.bind(None, 2.0)
        except TypeError as error:
            raise TypeError(
                f"{name} cannot be called as map(couplings, b), b the factor by which lengths change: {error}"
            ) from None


def _search(
    function: Renormalisation, start: Floats, names: tuple[str, ...], lowest: Floats, highest: Floats, tolerance: float
) -> FixedPoint:
    from scipy.optimize import root

    def gap(k: Floats) -> Floats:
        with np.errstate(all="ignore"):
            image = _reals(function(k.copy(), 2))  # a copy: a map may work in place
        if image.shape != k.shape:
            raise ValueError(f"the map turns couplings of shape {k.shape} into {image.shape}; keep the shape")
        return image - k

    first = gap(start)
    if not np.isfinite(first).all():
        return _ended(function, start, names, FixedPointEnd.NOT_FINITE, math.inf)

    def kept(k: Floats) -> Floats:
        finite: Floats = np.nan_to_num(gap(k), nan=FAR, posinf=FAR, neginf=-FAR)
        return finite

    with np.errstate(all="ignore"):
        solution = root(kept, start, tol=1e-14)
    at = np.asarray(solution.x, dtype=np.float64)
    left = gap(at)
    if not (np.isfinite(at).all() and np.isfinite(left).all()):
        return _ended(function, start, names, FixedPointEnd.NOT_FINITE, float(np.abs(first).max()))
    residual = float((np.abs(left) / np.maximum(1, np.abs(at))).max())
    ending = FixedPointEnd.CONVERGED if residual <= tolerance else FixedPointEnd.STALLED
    if ending is FixedPointEnd.CONVERGED and ((at < lowest) | (at > highest)).any():
        ending = FixedPointEnd.OUTSIDE
    return _ended(function, at, names, ending, residual)


def _ended(
    function: Renormalisation, at: Floats, names: tuple[str, ...], ending: FixedPointEnd, residual: float
) -> FixedPoint:
    return FixedPoint(
        "found" if ending is FixedPointEnd.CONVERGED else "not found",
        names,
        at,
        function,
        ending=ending,
        residual=residual,
    )


def _starts(start: ArrayLike | None, names: Sequence[str] | None) -> tuple[Floats, tuple[str, ...]]:
    if start is None:
        raise TypeError("a map of couplings needs start=: couplings of shape (n,), or several as (starts, n)")
    starts = np.atleast_2d(at_least(start, "start", minimum=-math.inf, why="couplings are finite real numbers"))
    if starts.ndim != 2 or not starts.size:
        raise ValueError(f"start has shape {np.shape(start)}; couplings of shape (n,) or (starts, n) are needed")
    labels = tuple(f"K{i}" for i in range(starts.shape[1])) if names is None else tuple(names)
    if len(labels) != starts.shape[1]:
        raise ValueError(f"there are {len(labels)} names for {starts.shape[1]} couplings; give one of each")
    return starts, labels


def _bounds(bounds: tuple[ArrayLike, ArrayLike] | None, size: int) -> tuple[Floats, Floats]:
    if bounds is None:
        return np.full(size, -math.inf), np.full(size, math.inf)
    ends = [real_numbers(end, "bounds").astype(np.float64) for end in bounds]
    if len(ends) != 2 or not all(end.shape in {(), (size,)} for end in ends):
        raise ValueError(f"bounds = {bounds!r}: pass the lowest and the highest couplings, {size} each")
    lowest, highest = (np.broadcast_to(end, (size,)) for end in ends)
    if not (lowest < highest).all():
        raise ValueError(f"bounds = {bounds} hold no couplings: each lower end must lie below the upper one")
    return lowest, highest


def _block(b: int) -> int:
    try:
        return whole(b, "b", minimum=2, maximum=10**9)
    except ValueError:
        raise ValueError(
            f"b = {b} layers are not a block: b >= 2 is needed, since one layer is the layer itself"
        ) from None
