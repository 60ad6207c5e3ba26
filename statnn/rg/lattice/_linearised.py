"""The result of Monte Carlo renormalisation: eigenvalues of the linearised flow, exponents, their errors."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from statnn._arguments import Floats, whole
from statnn._axes import COLOURS, MARKERS, axes, settled
from statnn._by_value import ByValue
from statnn.rg.lattice._operators import Operator
from statnn.rg.lattice._scheme import Scheme
from statnn.rg.lattice._swendsen import (
    ConstantOperatorError,
    DependentOperatorsError,
    Moments,
    flow,
    jackknife,
    joined,
    left_out,
    spectrum,
)

FEWEST_GROUPS = 8
"""Fewest independent groups for which a jackknife error means something."""


@dataclass(frozen=True, eq=False, repr=False)
class LinearisedFlow(ByValue):
    r"""Swendsen's matrices T = ∂K'/∂K from level to level, with eigenvalues and exponents.

    λ is the eigenvalue of T of largest modulus among the first 1, 2, ... operators of a kind, |λ| if it is complex, and
    y = ln|λ| / ln b. It is negative where a step turns signs of couplings, as b = 2 does in an antiferromagnet. Arrays
    have shape (steps, operators of the kind): row n is the step from level n to n+1, column k is the result of the
    first k+1 operators. The rows of a table show the error of leaving operators out, the columns the approach to the
    fixed point.

    Parameters
    ----------
    samples : float
        Number of configurations in all.
    groups : int
        Number of independent groups of configurations, from which the jackknife takes its errors.
    scheme : Scheme
        Blocking rule, operators and shapes of the lattice.
    sums : Moments
        Sums of operators and of their products, for every group and level.

    See Also
    --------
    linearise, sample_flow : make it.
    critical_coupling : combines two of them.

    Notes
    -----
    [exact] as an estimate within the space of these operators; [asymptotic] as exponents: y_t and y_h of the fixed
    point are reached as levels and operators grow, on lattices still large enough at the last level. y is -∞ with an
    infinite error if λ is 0.

    Examples
    --------
    >>> import numpy as np
    >>> from statnn.rg import linearise
    >>> linearised = linearise(np.random.default_rng(1).choice([-1, 1], (1024, 8, 8)), rng=1)
    >>> means, errors = linearised.mean(level=0)
    >>> T, errors = linearised.matrix(step=0)
    >>> means.shape, T.shape
    ((11,), (6, 6))
    >>> ax = linearised.plot()
    """

    samples: float
    groups: int
    scheme: Scheme = field(repr=False)
    sums: Moments = field(repr=False)

    @property
    def b(self) -> int:
        """Scale factor of a step."""
        return self.scheme.b

    @property
    def shapes(self) -> tuple[tuple[int, ...], ...]:
        """Shape of the lattice at every level."""
        return self.scheme.shapes

    @property
    def operators(self) -> tuple[Operator, ...]:
        """All operators, in the order in which they were given."""
        return self.scheme.operators

    @property
    def even(self) -> tuple[str, ...]:
        """Names of the even operators, in the order in which they are added."""
        return tuple(operator.name for operator in self.operators if operator.even)

    @property
    def odd(self) -> tuple[str, ...]:
        """Names of the odd operators, in the order in which they are added."""
        return tuple(operator.name for operator in self.operators if not operator.even)

    @property
    def thermal(self) -> Floats:
        """Leading even eigenvalue λ_t, shape (steps, even operators)."""
        return self._even[0]

    @property
    def thermal_error(self) -> Floats:
        """Standard error of λ_t."""
        return jackknife(self._even[1])

    @property
    def magnetic(self) -> Floats:
        """Leading odd eigenvalue λ_h, shape (steps, odd operators)."""
        return self._odd[0]

    @property
    def magnetic_error(self) -> Floats:
        """Standard error of λ_h."""
        return jackknife(self._odd[1])

    @property
    def y_t(self) -> Floats:
        """Exponent y_t = ln|λ_t| / ln b = 1/ν, shape (steps, even operators)."""
        return self._exponent(self._even[0])

    @property
    def y_t_error(self) -> Floats:
        """Standard error of y_t."""
        return jackknife(self._exponent(self._even[1]))

    @property
    def y_h(self) -> Floats:
        """Exponent y_h = ln|λ_h| / ln b = (d + 2 - η)/2, shape (steps, odd operators)."""
        return self._exponent(self._odd[0])

    @property
    def y_h_error(self) -> Floats:
        """Standard error of y_h."""
        return jackknife(self._exponent(self._odd[1]))

    def mean(self, level: int) -> tuple[Floats, Floats]:
        """Return means of all operators per site at a level, and their standard errors, shape (operators,) each.

        Parameters
        ----------
        level : int
            0 for the original configurations.

        Raises
        ------
        TypeError, ValueError
            If there is no such level.
        """
        n = whole(level, "level", minimum=0, maximum=len(self.shapes) - 1)
        sites = float(np.prod(self.shapes[n]))
        together, without = joined(self.sums), left_out(self.sums)
        return together.mean[0, n] / sites, jackknife(without.mean[:, n] / sites)

    def matrix(self, step: int, names: tuple[str, ...] | str | None = None) -> tuple[Floats, Floats]:
        """Return T among some operators, T[α, β] = ∂K'_α/∂K_β, and its standard errors.

        Parameters
        ----------
        step : int
            The step from level `step` to the next.
        names : str or tuple of str, optional
            Names of operators, of both kinds if wanted: without symmetry between up and down the two kinds mix. All
            even ones when None.

        Raises
        ------
        ValueError
            If a name is unknown or there is none, an operator does not vary, or they are linearly dependent at that
            level.
        """
        n = whole(step, "step", minimum=0, maximum=len(self.shapes) - 2)
        known = [operator.name for operator in self.operators]
        wanted = self.even if names is None else (names,) if isinstance(names, str) else tuple(names)
        unknown = [name for name in wanted if name not in known]
        if not wanted:
            none = "none of the operators is even" if names is None else "no operator is named"
            raise ValueError(f"{none}: pass names of some; choose from {', '.join(known)}")
        if unknown:
            raise ValueError(f"unknown operators {unknown}; choose from {', '.join(known)}")
        kept = np.array([known.index(name) for name in wanted])
        together, without = self._matrices(kept)
        return together[0, n], jackknife(without[:, n])

    def plot(self, ax: Any | None = None) -> Any:
        """Plot y_t and y_h against the number of operators, one curve for every step; return the axes.

        Parameters
        ----------
        ax : matplotlib axes or None
            Axes to draw on; new ones when None.
        """
        ax = axes(ax)
        steps = len(self.shapes) - 1
        for symbol, y, error, filled in (
            ("$y_t$", self.y_t, self.y_t_error, True),
            ("$y_h$", self.y_h, self.y_h_error, False),
        ):
            for n in range(steps if y.size else 0):
                here, there = ("×".join(map(str, shape)) for shape in self.shapes[n : n + 2])
                ax.errorbar(
                    np.arange(1, y.shape[1] + 1) + 0.08 * (n - (steps - 1) / 2),
                    y[n],
                    np.where(np.isfinite(error[n]), error[n], np.nan),  # no bar to infinity
                    fmt="-" + MARKERS[n % len(MARKERS)],
                    color=COLOURS[n % len(COLOURS)],
                    fillstyle="full" if filled else "none",
                    linewidth=1,
                    label=f"{symbol}, {here} → {there}",
                )
        ax.set(xlabel="number of operators", ylabel=r"exponent $y = \ln|\lambda|/\ln b$")
        if ax.get_xscale() == "linear":
            ax.locator_params(axis="x", integer=True)
        ax.legend()
        return settled(ax)

    def __str__(self) -> str:
        lines = [f"b = {self.b}, {self.scheme.rule}, {self.samples:.0f} configurations, {self.groups} groups"]
        for symbol, names, y, error in (
            ("y_t", self.even, self.y_t, self.y_t_error),
            ("y_h", self.odd, self.y_h, self.y_h_error),
        ):
            if not names:
                continue
            lines.append(f"{symbol:<18}" + "".join(f"{'+ ' * (k > 0) + name:>17}" for k, name in enumerate(names)))
            for n, row in enumerate(zip(y, error, strict=True)):
                step = f"{_size(self.shapes[n])} -> {_size(self.shapes[n + 1])}"
                cells = (f"{value:.4f} ± {bar:.4f}" for value, bar in zip(*row, strict=True))
                lines.append(f"{step:<18}" + "".join(f"{cell:>17}" for cell in cells))
        return "\n".join(lines)

    @cached_property
    def _even(self) -> tuple[Floats, Floats]:
        return self._spectrum(even=True)

    @cached_property
    def _odd(self) -> tuple[Floats, Floats]:
        return self._spectrum(even=False)

    def _spectrum(self, *, even: bool) -> tuple[Floats, Floats]:
        members = np.array([k for k, operator in enumerate(self.operators) if operator.even == even], dtype=np.int64)
        if not members.size:
            steps = len(self.shapes) - 1
            return np.empty((steps, 0)), np.empty((self.groups, steps, 0))
        self._matrices(members)
        return spectrum(self.sums, members)

    def _matrices(self, kept: Any) -> tuple[Floats, Floats]:
        """Return T and its leave-one-out values, or raise with the names of operators."""
        try:
            return flow(joined(self.sums), kept), flow(left_out(self.sums), kept)
        except ConstantOperatorError as error:
            raise ValueError(
                f"operator {self.operators[error.which].name!r} is the same in all configurations of level "
                f"{error.level}, {_size(self.shapes[error.level])}: take fewer levels, more samples or a higher "
                "temperature"
            ) from None
        except DependentOperatorsError as error:
            names = ", ".join(self.operators[k].name for k in kept)
            raise ValueError(
                f"the operators {names} are linearly dependent in the configurations of level {error.level}, "
                f"{_size(self.shapes[error.level])}: take fewer operators, fewer levels or more samples"
            ) from None

    def _exponent(self, eigenvalues: Floats) -> Floats:
        with np.errstate(divide="ignore"):
            result: Floats = np.log(np.abs(eigenvalues)) / np.log(self.b)
        return result


def _size(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape))
