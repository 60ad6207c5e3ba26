"""A repeated layer near a fixed point of slope one: order, coefficient, and the amplitudes that follow."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from statnn._arguments import at_least, positive, shaped
from statnn._notebook import Shown
from statnn.rg.repeated._fixed_function import FixedFunction


class LeadingFormKind(StrEnum):
    """How the search for the leading nonlinearity ended."""

    CRITICAL = "critical: slope one, and the leading nonlinearity pulls signals in"
    REPELLING = "marginal, but the leading nonlinearity pushes signals away"
    SCALE_INVARIANT = "scale invariant: α f(x/α) = f(x) for every α, and no nonlinearity sets one"
    FLAT = "slope one, and no nonlinearity is larger than the error of its coefficient"
    NOT_CRITICAL = "not critical: no fixed point has slope one"
    NOT_SMOOTH = "not smooth at the fixed point: there is no Taylor series"


@dataclass(frozen=True)
class LeadingForm(Shown):
    r"""The layer about its fixed point, :math:`f(x^* + s y) = x^* + s\,(y - u y^z + \dots)`; made by `leading_form`.

    Parameters
    ----------
    outcome : LeadingFormKind
        Unless it is CRITICAL, the fields below are None, except for those that the search still found.
    fixed_point, slope : float or None
        x* and f'(x*).
    order : int or None
        z.
    coefficient : float or None
        u > 0.
    coefficient_error : float
        Bound on the error of u, from rounding and truncation for a user's own functions; 0 when known to 1e-15.
    side : int
        s = -1 if z is even and signals come in from below; 1 otherwise.
    next_order : int or None
        Power of the next term that does not vanish.
    residue : float or None
        r in :math:`A(y) = 1/[(z-1) u y^{z-1}] + \dots + r \ln|y|`, where A is the depth coordinate, A(f) = A + 1. No
        change of the coordinate y alters it; 3/10 for tanh.

    See Also
    --------
    RepeatedLayer.leading_form : makes it.
    """

    outcome: LeadingFormKind
    fixed_point: float | None = None
    slope: float | None = None
    order: int | None = None
    coefficient: float | None = None
    coefficient_error: float = 0.0
    side: int = 1
    next_order: int | None = None
    residue: float | None = None

    def fixed_function(self) -> FixedFunction:
        """Return f*, to which the layer tends under composition and rescaling.

        Raises
        ------
        ValueError
            Unless the layer is critical.

        Examples
        --------
        >>> from statnn.rg import RepeatedLayer
        >>> RepeatedLayer("tanh").leading_form().fixed_function().order
        3
        """
        z, u = self._critical("a fixed-point function")
        return FixedFunction(z, u)

    # -- depth scaling -----------------------------------------------------------------------------------

    @property
    def amplitude(self) -> float:
        """Return ((z-1)u)^(-1/(z-1)); tanh: √(3/2)."""
        z, u = self._critical("an amplitude")
        return float(((z - 1) * u) ** (-1.0 / (z - 1)))

    def signal(self, layers: ArrayLike) -> Any:
        r"""Return the law of large depth, the same for every start [asymptotic].

        .. math:: |h_m - x^*| \to [(z-1)\, u\, m]^{-1/(z-1)}

        The relative error is :math:`O(m^{-1} \ln m)` if no power lies between z and 2z-1, else
        :math:`O(m^{-(k-z)/(z-1)})` with k = `next_order`; `RepeatedLayer.signal` has neither error.

        Parameters
        ----------
        layers : array_like
            m > 0, any shape.

        Raises
        ------
        ValueError
            Unless the layer is critical and the result stays within float64.

        Examples
        --------
        >>> from statnn.rg import RepeatedLayer
        >>> RepeatedLayer("tanh").leading_form().signal([150.0, 15000.0])
        array([0.1 , 0.01])
        """
        z, _ = self._critical("a law of depth")
        depth = at_least(layers, "layers", minimum=np.finfo(float).tiny, why="the law is one of large depth")
        with np.errstate(over="ignore"):
            signal = self.amplitude * depth ** (-1.0 / (z - 1))
        if not np.isfinite(signal).all():
            raise ValueError(
                f"layers = {depth.min():g} is so few that the law exceeds the range of float64; it is one of large "
                "depth"
            )
        return shaped(signal, layers)

    # -- noise -------------------------------------------------------------------------------------------

    def stationary_variance(self, noise_std: float) -> float:
        r"""Return the stationary ⟨(h-x*)²⟩ under noise of standard deviation ε in every layer, as ε → 0.

        .. math:: \Bigl(\frac{(z+1)\varepsilon^2}{2u}\Bigr)^{2/(z+1)}
                  \frac{\Gamma(3/(z+1))}{\Gamma(1/(z+1))}

        from the density :math:`\propto \exp(-2 u y^{z+1}/[(z+1) \varepsilon^2])`; tanh:
        :math:`\varepsilon \sqrt 6\,\Gamma(3/4)/\Gamma(1/4)`. Relative error :math:`O(\varepsilon^{2(z-1)/(z+1)})`, see
        `stationary_correction` [asymptotic].

        Parameters
        ----------
        noise_std : float
            ε > 0.

        Raises
        ------
        ValueError
            Unless the layer is critical with z odd: for even z, noise carries every signal over the fixed point and
            away. Also if the result is outside the range of float64.

        Examples
        --------
        >>> from statnn.rg import RepeatedLayer
        >>> round(RepeatedLayer("tanh").leading_form().stationary_variance(1e-3) * 1e3, 5)
        0.8279
        """
        z, _ = self._bounded()
        return self._of_noise(noise_std, 4.0 / (z + 1), self._moment(2))

    @property
    def stationary_correction(self) -> float:
        r"""Coefficient c of the next order in the stationary variance; 0.4943 for tanh [asymptotic].

        .. math:: \langle (h-x^*)^2 \rangle = \text{leading} \times (1 + c\,\varepsilon + \dots), \qquad
            c\, m_2 = \tfrac12 - \tfrac{5}{12} r + \tfrac12 r u\, m_2^2

        for z = 3, from the first correction to the Fokker-Planck equation of the map, in which the residue r is the
        only new number; :math:`m_2` is the second moment of :math:`\exp(-us^4/2)`.

        Raises
        ------
        ValueError
            As `stationary_variance`; also if z is not 3, for which it is not derived, or a term x⁴ comes first.
        """
        z, u = self._bounded()
        if z != 3:
            raise ValueError(f"the next order is derived for z = 3 alone, and this layer has z = {z}: simulate it")
        if self.residue is None or (self.next_order is not None and self.next_order < 2 * z - 1):
            raise ValueError(
                f"the term x^{self.next_order} lies between z = {z} and 2z-1 = {2 * z - 1} and corrects the amplitude "
                "first; this formula holds for layers without such a term, as all odd ones with z = 3"
            )
        m2 = self._moment(2)
        return (0.5 - 5 * self.residue / 12 + 0.5 * self.residue * u * m2**2) / m2

    def noise_cutoff(self, noise_std: float) -> float:
        r"""Return the depth at which the law of `signal` meets the level of `stationary_variance`.

        Up to this depth signals decay as without noise, beyond it they stay constant: :math:`m_\times \propto
        \varepsilon^{-2(z-1)/(z+1)}`, 1/ε for tanh, from the eigenvalue of the noise [asymptotic, a crossover].

        Parameters
        ----------
        noise_std : float
            ε > 0.

        Raises
        ------
        ValueError
            As `stationary_variance`.

        Examples
        --------
        >>> from statnn.rg import RepeatedLayer
        >>> round(RepeatedLayer("tanh").leading_form().noise_cutoff(1e-3))
        1812
        """
        z, _ = self._bounded()
        at_one = (self.amplitude**2 / self._moment(2)) ** ((z - 1) / 2)
        return self._of_noise(noise_std, -2.0 * (z - 1) / (z + 1), at_one)

    def _of_noise(self, noise_std: float, power: float, at_one: float) -> float:
        """Return `at_one` times a power of the noise, or raise."""
        strength = positive(noise_std, "noise_std", why="without noise the stationary signal is the fixed point itself")
        with np.errstate(over="ignore", under="ignore"):
            result = float(at_one * np.float64(strength) ** power)
        if not 0.0 < result < math.inf:
            raise ValueError(
                f"noise_std = {strength:g}: the law is outside the range of float64; measure signals in another unit"
            )
        return result

    def _moment(self, n: int) -> float:
        """Return ⟨|s|^n⟩ under exp(-2u|s|^(z+1)/(z+1))."""
        z, u = self._bounded()
        p = z + 1
        ratio = math.exp(math.lgamma((n + 1) / p) - math.lgamma(1 / p))
        return float((p / (2 * u)) ** (n / p) * ratio)

    def _critical(self, what: str) -> tuple[int, float]:
        if self.outcome is not LeadingFormKind.CRITICAL or self.order is None or self.coefficient is None:
            raise ValueError(
                f"this layer has no {what.split(' ', 1)[1]}: it is {self.outcome}. "
                "RepeatedLayer.critical(activation) has the weight and bias that make one critical"
            )
        return self.order, self.coefficient

    def _bounded(self) -> tuple[int, float]:
        z, u = self._critical("a stationary law under noise")
        if z % 2 == 0:
            raise ValueError(
                f"z = {z} is even: noise carries signals over the fixed point, where the layer drives them away, so "
                "the weakly noisy layer has no stationary law there"
            )
        return z, u
