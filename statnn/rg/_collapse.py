r"""Data collapse: the exponents with which measurements at many depths fall on one curve, or one surface.

Finite-depth scaling says :math:`y = m^{-\kappa} F(c_1 m^{\theta_1}, c_2 m^{\theta_2}, \dots)`. F is not needed: it is
replaced by a polynomial in the scaled controls, whose coefficients are eliminated by least squares for every trial of
the exponents; the remaining spread, in units of the errors, is minimised.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from itertools import combinations_with_replacement
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from statnn._arguments import Floats, at_least, single, whole
from statnn._axes import MARKERS, axes, settled
from statnn._by_value import ByValue
from statnn._labelled import refuse_other_order
from statnn._random import root, stream
from statnn._warn import warn

MOST_TRIALS = 10_000
"""Largest number of trials of a search, which one along a valley may need; others take some ten."""
IDLE = 1e-3
"""A control counts as idle if one without any effect would improve the fit as much with a probability above this."""
UNLIKELY = 1e-6
"""Probability of such a spread about the polynomial from the errors alone, below which a warning is given."""
FAR = 1e30
"""Distance of points, in errors, assigned where scaled controls overflow; the search takes its sixth power."""


@dataclass(frozen=True, eq=False, repr=False)
class Collapse(ByValue):
    r"""The best collapse of a set of measurements; made by `collapse`.

    Parameters
    ----------
    value_exponent, value_error : float
        κ of :math:`m^{\kappa} y`, and its standard error.
    control_exponents, control_errors : ndarray, shape (controls,)
        θ of :math:`m^{\theta} c`, and their standard errors.
    covariance : ndarray, shape (1 + controls, 1 + controls)
        Covariance of (κ, θ) over bootstrap samples, and what is unknown of the errors (see `collapse`).
    chi_square, dof : float, int
        Spread about the polynomial in units of the errors, and its degrees of freedom.
    controls, depths, values, errors : ndarray
        The measurements, as `collapse` took them, one entry per point.

    See Also
    --------
    collapse : makes it.

    Examples
    --------
    >>> import numpy as np
    >>> from statnn.rg import FixedFunction, collapse
    >>> m = np.repeat([100.0, 200.0, 400.0], 9)
    >>> t = np.tile(np.linspace(-2, 2, 9), 3) / m
    >>> y = FixedFunction(3, 1 / 3).finite_depth(t * m) / m
    >>> collapsed = collapse(t, m, y, 1e-3 * y, rng=1)
    >>> controls, values, errors = collapsed.scaled()
    >>> controls.shape, values.shape
    ((1, 27), (27,))
    >>> ax = collapsed.plot()
    """

    value_exponent: float
    value_error: float
    control_exponents: Floats
    control_errors: Floats
    covariance: Floats
    chi_square: float
    dof: int
    controls: Floats = field(repr=False)
    depths: Floats = field(repr=False)
    values: Floats = field(repr=False)
    errors: Floats = field(repr=False)

    @property
    def quality(self) -> float | None:
        """Spread per degree of freedom, 1 for a collapse within the errors; None if nothing was fitted."""
        return None if self.chi_square is None or self.dof is None else self.chi_square / self.dof

    def scaled(
        self, value_exponent: float | None = None, control_exponents: ArrayLike | None = None
    ) -> tuple[Floats, Floats, Floats]:
        """Return scaled controls, shape (controls, points), values and errors, shape (points,).

        Parameters
        ----------
        value_exponent : float, optional
            κ; the fitted one if None.
        control_exponents : array_like, shape (controls,), optional
            θ; the fitted ones if None.

        Raises
        ------
        TypeError, ValueError
            If exponents are not finite numbers, or not one per control, or scaled values are outside the range of
            float64.
        """
        kappa, theta = self.value_exponent, self.control_exponents
        if value_exponent is not None:
            fix = "all depths have the same κ"
            kappa = single(value_exponent, "value_exponent", minimum=-math.inf, why="it is κ", fix=fix)
        if control_exponents is not None:
            why = "depth to their power scales the controls"
            theta = np.atleast_1d(at_least(control_exponents, "control_exponents", minimum=-math.inf, why=why))
        if theta.shape != (len(self.controls),):
            raise ValueError(
                f"control_exponents has shape {theta.shape}; one per control, {len(self.controls)} of them"
            )
        given = self.controls, self.values, self.errors
        with np.errstate(over="ignore", under="ignore", invalid="ignore"):
            scales = self.depths ** theta[:, None], self.depths**kappa, self.depths**kappa
            result = [scale * numbers for scale, numbers in zip(scales, given, strict=True)]
        if not all(
            np.isfinite(new).all() and ((new != 0) == (old != 0)).all() for new, old in zip(result, given, strict=True)
        ):
            raise ValueError(
                f"depths to the powers {float(kappa):g} and {theta.tolist()} take numbers out of the range of float64: "
                "measure depths in another unit"
            )
        return result[0], result[1], result[2]

    def plot(self, ax: Any | None = None, *, control: int = 0, **style: Any) -> Any:
        """Plot scaled values against one scaled control, with a colour for each depth.

        Parameters
        ----------
        ax : matplotlib axes, optional
            New ones if None.
        control : int
            Index of the control on the horizontal axis.
        **style
            Passed on to ``ax.errorbar``.

        Returns
        -------
        matplotlib axes

        Raises
        ------
        TypeError, ValueError
            If there is no such control.
        """
        ax = axes(ax)
        which = whole(control, "control", minimum=0, maximum=len(self.controls) - 1)
        x, y, error = self.scaled()
        for n, depth in enumerate(np.unique(self.depths)):
            at = self.depths == depth
            look = {"fmt": MARKERS[n % len(MARKERS)], "label": f"$m = {depth:g}$"} | style
            ax.errorbar(x[which, at], y[at], error[at], **look)
        ax.set(xlabel="scaled control $c\\,m^{\\theta}$", ylabel="scaled value $m^{\\kappa} y$")
        return settled(ax)


def collapse(
    controls: ArrayLike,
    depths: ArrayLike,
    values: ArrayLike,
    errors: ArrayLike,
    *,
    guess: ArrayLike | None = None,
    degree: int = 6,
    bootstrap: int = 100,
    rng: int | np.random.Generator | None = None,
) -> Collapse:
    r"""Find κ and θ with which :math:`m^{\kappa} y` is one function of :math:`c\,m^{\theta}` for all depths m.

    Parameters
    ----------
    controls : array_like, shape (points,) or (controls, points)
        c, distances from criticality, noise, ...; one control that is positive throughout enters by its logarithm.
    depths : array_like, shape (points,)
        m > 0, at least two different ones.
    values : array_like, shape (points,)
        y > 0.
    errors : array_like, shape (points,)
        Standard errors of y, independent and above 0.
    guess : array_like, shape (1 + controls,), optional
        Start of the search for (κ, θ); ones if None.
    degree : int
        Total degree of the polynomial for ln F, 1 ... 12; the degree in each control stays below the number of values
        that it takes at one depth.
    bootstrap : int
        Number of samples with fresh Gaussian errors for the standard errors, at least 20.
    rng : int, numpy.random.Generator or None
        Seed of the bootstrap; fresh entropy if None.

    Returns
    -------
    Collapse
        Exponents are estimates at these depths: their errors leave out corrections to scaling, O(ln m/m) for tanh.

    Raises
    ------
    ValueError
        If there are too few points for exponents and polynomial, values fit as well without some control, so that its
        exponent is undetermined, or the search for the exponents does not end.

    Warns
    -----
    RuntimeWarning
        If points are farther from one curve than their errors allow; the errors of the exponents are then wrong.

    See Also
    --------
    RepeatedLayer.simulate : measurements to collapse.
    FixedFunction : the exponents expected in theory.

    Notes
    -----
    [own] A trial of the exponents costs a linear least-squares fit. Depths can only be compared where their ranges of
    the scaled control overlap: choose c so that c m^θ covers the same range at all depths. An error may be a known
    share of its value, or known apart from it; a fit for the one is biased for the other, in the second order of
    relative errors. Both are made: the exponents are half-way, and half the difference adds to their errors. Where a
    point is seven times above the surface, logarithms are fitted alone.

    Examples
    --------
    >>> import numpy as np
    >>> m = np.repeat([100.0, 200.0, 400.0], 9)
    >>> t = np.tile(np.linspace(-2, 2, 9), 3) / m
    >>> from statnn.rg import FixedFunction
    >>> y = FixedFunction(3, 1 / 3).finite_depth(t * m) / m
    >>> fit = collapse(t, m, y, 1e-3 * y, rng=1)
    >>> round(fit.value_exponent, 4), round(float(fit.control_exponents[0]), 3)
    (1.0, 1.0)
    """
    c, m, y, error = _points(controls, depths, values, errors)
    order = whole(degree, "degree", minimum=1, maximum=12)
    samples = whole(bootstrap, "bootstrap", minimum=20, maximum=10**6)
    powers = _powers([min(order, most - 1) for most in _values_at_one_depth(c, m)], order)
    dof = y.size - len(powers) - 1 - len(c)
    if dof < 1:
        raise ValueError(
            f"{y.size} points are too few for {1 + len(c)} exponents and a polynomial of degree {order} with "
            f"{len(powers)} coefficients: measure more or lower the degree"
        )
    start = np.ones(1 + len(c)) if guess is None else at_least(guess, "guess", minimum=-np.inf, why="it is (κ, θ)")
    if start.shape != (1 + len(c),):
        raise ValueError(f"guess has shape {start.shape}; (κ, θ) of {len(c)} control(s) has {1 + len(c)} entries")
    with np.errstate(over="ignore"):
        relative = error / y
    if not (relative.min() > 1e-150 and max(relative.max(), np.abs(c).max()) < 1e150):
        raise ValueError(
            "relative errors and controls between 1e-150 and 1e150 are needed: their squares are outside the range of "
            f"float64; errors / values go from {relative.min():.3g} to {relative.max():.3g}, controls to "
            f"{np.abs(c).max():.3g}"
        )
    problem = _Problem(c, np.log(m / np.exp(np.log(m).mean())), np.log(y), relative, powers)
    best = _minimised(problem, problem.logs, start)
    for row in range(len(c)):
        _refuse_idle(problem, best.x, row)
    shares, apart = (_in_values(problem, best, y, error, power) for power in (1.0, 0.0))
    chi_square = float(2 * min(shares.cost, apart.cost))
    _warn_of_spread(chi_square, dof)
    seed = root(rng)
    refits = np.empty((samples, start.size))
    # residuals of the fit carry no signal, so fresh errors are added to the fitted surface
    surface = problem.logs - problem.spread(best.x, problem.logs) * problem.error
    for i in range(samples):
        noisy = surface + problem.error * stream(seed, i).standard_normal(y.size)
        refits[i] = _minimised(problem, noisy, best.x).x
    exponents, unknown = (shares.x + apart.x) / 2, (shares.x - apart.x) / 2
    covariance = np.atleast_2d(np.cov(refits.T)) + np.outer(unknown, unknown)
    wrong = np.sqrt(np.diag(covariance))
    return Collapse(
        float(exponents[0]), float(wrong[0]), exponents[1:], wrong[1:], covariance, chi_square, dof, c, m, y, error
    )


@dataclass(frozen=True, eq=False, repr=False)
class _Problem(ByValue):
    """Data for a trial of the exponents: logarithms of depths (centred) and of values, and relative errors."""

    controls: Floats
    depth: Floats
    logs: Floats
    error: Floats
    powers: tuple[tuple[int, ...], ...]

    def spread(self, exponents: Floats, logs: Floats) -> Floats:
        """Return distances of points from the best polynomial, in errors; `FAR` for exponents that are far off."""
        design = self.design(exponents[1:])
        return np.full(logs.size, FAR) if design is None else self.rest(design, logs + exponents[0] * self.depth)

    def design(self, exponents: Floats) -> Floats | None:
        """Return all monomials of the scaled controls, shape (points, monomials); None if they overflow."""
        with np.errstate(over="ignore"):
            scaled = self.controls * np.exp(exponents[:, None] * self.depth)
        if not np.abs(scaled).max() < 1e200:
            return None
        design = np.ones((self.depth.size, len(self.powers)))
        for row, control in enumerate(scaled):
            x = np.log(control) if (control > 0).all() else control
            low, high = x.min(), x.max()
            basis = np.polynomial.chebyshev.chebvander(
                (2 * x - low - high) / (high - low or 1.0), max(power[row] for power in self.powers)
            )
            design *= basis[:, [power[row] for power in self.powers]]
        return design

    def rest(self, design: Floats, values: Floats) -> Floats:
        """Return the residuals of a least-squares fit of values, in units of their errors."""
        target = values / self.error
        basis, sizes, _ = np.linalg.svd(design / self.error[:, None], full_matrices=False)
        basis = basis[:, sizes > 1e-9 * sizes[0]]
        return np.asarray(target - basis @ (basis.T @ target))


def _refuse_idle(problem: _Problem, exponents: Floats, row: int) -> None:
    """Raise if values fit as well without a control: any exponent of it would then do."""
    from scipy import stats

    design = problem.design(exponents[1:])
    assert design is not None  # noqa: S101 - the search ended there
    without = [power[row] == 0 for power in problem.powers]
    fits = (
        problem.spread(exponents, problem.logs),
        problem.rest(np.column_stack((design[:, without], problem.depth)), problem.logs),
    )
    best, other = (float(fit @ fit) for fit in fits)
    if stats.chi2.sf(other - best, len(without) - sum(without) + 1) > IDLE:
        raise ValueError(
            f"nothing shows how control {row} scales: values fit as well without it (chi-square {best:.3g} with it, "
            f"{other:.3g} without); leave it out, measure where it matters, or at several values at each depth"
        )


def _warn_of_spread(chi_square: float, dof: int) -> None:
    """Warn if points do not collapse within their errors."""
    from scipy import stats

    if stats.chi2.sf(chi_square, dof) < UNLIKELY:
        warn(
            f"points do not fall on one curve: chi-square is {chi_square:.3g} for {dof} degrees of freedom, so that "
            "exponents may be off by more than their errors; leave out small depths or controls far from 0, or raise "
            "the degree"
        )


def _minimised(problem: _Problem, logs: Floats, start: Floats) -> Any:
    from scipy.optimize import least_squares

    if (problem.spread(start, logs) == FAR).all():
        raise ValueError(f"guess = {start.tolist()} scales controls beyond float64: give one nearer to the exponents")
    solution = least_squares(
        problem.spread, start, args=(logs,), x_scale=0.1, xtol=1e-10, ftol=1e-12, gtol=None, max_nfev=MOST_TRIALS
    )
    if not solution.success or not np.isfinite(solution.x).all() or np.abs(solution.x).max() > 100.0:
        raise ValueError(
            f"no collapse was found from the guess {start.tolist()}: the search ended at {solution.x.tolist()}; give a "
            "guess nearer to the exponents, or points whose scaled controls overlap"
        )
    return solution


def _in_values(problem: _Problem, best: Any, y: Floats, error: Floats, power: float) -> Any:
    """Go from a fit of logarithms to the least squares of values, whose errors go with their `power`.

    Values are near normal, logarithms less so; two steps of Gauss and Newton leave the fourth order of the errors.
    """
    for _ in range(2):
        residual = problem.spread(best.x, problem.logs) * problem.error
        if residual.max() > 2:
            break  # the steps would not end near values that are so far above any surface
        fitted = np.exp(problem.logs - residual)
        problem = replace(problem, logs=np.log(fitted) + y / fitted - 1, error=error / fitted * (fitted / y) ** power)
        best = _minimised(problem, problem.logs, best.x)
    return best


def _powers(caps: list[int], degree: int) -> tuple[tuple[int, ...], ...]:
    """Return the exponents of all monomials of total degree up to `degree`, and up to its cap in each control."""
    controls = range(len(caps))
    picks = (pick for total in range(degree + 1) for pick in combinations_with_replacement(controls, total))
    powers = (tuple(pick.count(row) for row in controls) for pick in picks)
    return tuple(row for row in powers if all(power <= cap for power, cap in zip(row, caps, strict=True)))


def _values_at_one_depth(controls: Floats, depths: Floats) -> list[int]:
    """Return how many values each control takes at one depth; a higher degree could fit each depth by itself."""
    return [max(np.unique(row[depths == depth]).size for depth in np.unique(depths)) for row in controls]


def _points(
    controls: ArrayLike, depths: ArrayLike, values: ArrayLike, errors: ArrayLike
) -> tuple[Floats, Floats, Floats, Floats]:
    for name, column in (("controls", controls), ("values", values), ("errors", errors)):
        refuse_other_order(column, name, depths, "depths", (-1, 0))
    c = np.atleast_2d(at_least(controls, "controls", minimum=-math.inf, why="they are couplings"))
    tiny = float(np.finfo(float).tiny)
    m = at_least(depths, "depths", minimum=tiny, why="they are numbers of layers, and their logarithm is taken")
    y = at_least(values, "values", minimum=tiny, why="their logarithm is taken: pass squares or moduli")
    error = at_least(
        errors, "errors", minimum=tiny, why="they weigh the points; give 1e-6 * values where there are none"
    )
    if not m.shape == y.shape == error.shape == c.shape[1:] or m.ndim != 1 or c.ndim != 2:
        raise ValueError(
            f"controls, depths, values and errors have shapes {c.shape}, {m.shape}, {y.shape}, {error.shape}; "
            "(controls, points) and three times (points,) are needed"
        )
    if np.unique(m).size < 2:
        raise ValueError("all points have one depth: exponents are seen only between different depths")
    return c, m, y, error
