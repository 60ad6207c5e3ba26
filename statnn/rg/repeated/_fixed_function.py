r"""The exact fixed point of composing two equal layers and rescaling, with its whole spectrum.

A layer :math:`f(x) = x - u x^z + \dots` repeated b times and rescaled in x,

.. math:: T_b[f](x) = \alpha\, f^{b}(x/\alpha), \qquad \alpha = b^{1/(z-1)},

tends to the time-one map of the flow :math:`dx/dm = -u x^z`. Everything about that map is elementary in
:math:`X = (z-1)\,u\,x^{z-1}`, so nothing here is iterated or fitted.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from statnn._arguments import Floats, at_least, positive, shaped, single, whole
from statnn._axes import axes, ink, settled
from statnn._labelled import refuse_other_order
from statnn._notebook import Shown
from statnn.rg._fixed_points import FixedPoint
from statnn.rg.repeated._finite_depth import scaling_function
from statnn.rg.repeated._scaling_field import ScalingField, ScalingFieldKind, block, raised


@dataclass(frozen=True)
class FixedFunction(Shown):
    r"""The fixed-point function of repeated layers with leading nonlinearity z.

    .. math:: f^*(x) = x\,\bigl(1 + (z-1)\,u\,x^{z-1}\bigr)^{-1/(z-1)}, \qquad
              \alpha\, f^*(f^*(x/\alpha)) = f^*(x),\quad \alpha = 2^{1/(z-1)}.

    For tanh, z = 3, u = 1/3 and α = √2. [exact; own construction]

    Parameters
    ----------
    order : int
        z >= 2, power of the leading nonlinearity.
    coefficient : float
        u > 0; it sets only the unit of x.

    Raises
    ------
    ValueError
        If z < 2, or u <= 0: signals then grow away from the fixed point and there is no limit of many layers.

    See Also
    --------
    RepeatedLayer.leading_form : z and u of a layer.
    renormalise : the approach to it.
    ScalingField : its directions.

    References
    ----------
    This project, after Feigenbaum 1978 and Hu & Rudnick 1982.

    Examples
    --------
    >>> f = FixedFunction(order=3, coefficient=1 / 3)
    >>> round(float(2**0.5 * f(f(1 / 2**0.5)) - f(1.0)), 15)
    0.0
    >>> ax = f.plot()
    """

    order: int
    coefficient: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "order", whole(self.order, "order", minimum=2, maximum=1000))
        why = "with u < 0 signals grow away from the fixed point, and no limit of many layers exists"
        object.__setattr__(self, "coefficient", positive(self.coefficient, "coefficient", why=why))
        if not 1e-150 <= self.coefficient <= 1e150:
            raise ValueError(
                f"coefficient = {self.coefficient:g} is outside [1e-150, 1e150]: powers of it are outside the range of "
                "float64; measure signals in another unit"
            )

    # -- the function ------------------------------------------------------------------------------------

    def __call__(self, x: ArrayLike) -> Any:
        """Return f*(x), the map of one layer.

        Parameters
        ----------
        x : array_like
            Any real numbers if z is odd, x >= 0 if z is even; any shape.

        Returns
        -------
        float or ndarray
            In the shape of x, with a relative error of a few units in the last place times 1 + |ln u|/(z-1).
        """
        return self.layers(x, 1.0)

    def layers(self, x: ArrayLike, m: float) -> Any:
        r"""Return the map of m layers, :math:`f^*_m(x) = x\,(1 + m X)^{-1/(z-1)}`; a semigroup in m [exact].

        Parameters
        ----------
        x : array_like
            As in ``f(x)``.
        m : float
            Number of layers, any real number >= 0.

        Raises
        ------
        ValueError
            If m is below 0, or m u exceeds the range of float64.

        Examples
        --------
        >>> f = FixedFunction(3, 1 / 3)
        >>> float(f.layers(1e300, 150.0)), (3 / 300) ** 0.5
        (0.1, 0.1)
        """
        why = "layers can be added, not taken away"
        depth = single(m, "m", minimum=0.0, why=why, fix="call again for other numbers of layers")
        at = self._points(x)
        n = self.order - 1
        if math.isinf(depth * (n * self.coefficient)):
            raise ValueError(f"m = {depth:g} layers with u = {self.coefficient:g}: m u exceeds the range of float64")
        root, unit = depth ** (1.0 / n), (n * self.coefficient) ** (1.0 / n)
        with np.errstate(all="ignore"):  # x^n and m u may overflow, and 0 layers have no upper branch
            rate = np.abs(at) * root * unit  # to the power n it is m X
            below = at * (1.0 + np.minimum(rate, 1.0) ** n) ** (-1.0 / n)
            above = np.sign(at) * (1.0 + np.maximum(rate, 1.0) ** -float(n)) ** (-1.0 / n) / (root * unit)
        return shaped(np.where(rate <= 1.0, below, above), x)

    def plot(self, ax: Any | None = None, **style: Any) -> Any:
        """Plot the maps of 1, 4 and 16 layers, and the identity, up to four times the signal at which X = 1.

        Parameters
        ----------
        ax : matplotlib axes or None
            Where to draw; None makes a new figure.
        **style
            Of the curves, as for ``ax.plot``.

        Returns
        -------
        matplotlib axes
        """
        n, ax = self.order - 1, axes(ax)
        x = (n * self.coefficient) ** (-1 / n) * np.linspace(-4.0 if self.order % 2 else 0.0, 4.0, 401)
        for m, line in ((1, "-"), (4, "--"), (16, "-.")):
            ax.plot(x, self.layers(x, m), **({"ls": line, "label": f"$m = {m}$"} | style))
        ax.set(xlabel="signal $x$", ylabel="$f^*_m(x)$", ylim=ax.get_ylim())
        ax.plot(x, x, color=ink(), lw=1, ls=":", label="identity")
        ax.legend(fontsize="small")
        return settled(ax)

    def alpha(self, b: float = 2.0) -> float:
        r"""Return the rescaling :math:`\alpha = b^{1/(z-1)}`; the factors of composed steps multiply.

        Parameters
        ----------
        b : float
            Number of layers that become one, above 1.

        Examples
        --------
        >>> round(FixedFunction(3, 1 / 3).alpha() ** 2, 12)
        2.0
        """
        return float(block(b) ** (1.0 / (self.order - 1)))

    # -- the spectrum ------------------------------------------------------------------------------------

    def exponent(self, k: int) -> float:
        """Return y = (z-k)/(z-1) of the perturbation that begins as x^k: 1 for the distance to criticality, k = 1.

        Parameters
        ----------
        k : int
            Power >= 0; 0 is a bias, 1 the distance w/w_c - 1, z the coefficient u itself.

        Raises
        ------
        TypeError, ValueError
            If k is not a whole number >= 0.

        Examples
        --------
        >>> [FixedFunction(3, 1 / 3).exponent(k) for k in (0, 1, 3, 5)]
        [1.5, 1.0, 0.0, -1.0]
        """
        power = whole(k, "k", minimum=0, maximum=10**6)
        return (self.order - power) / (self.order - 1)

    def eigenvalue(self, k: int, b: float = 2.0) -> float:
        """Return b^y of the perturbation that begins as x^k.

        Parameters
        ----------
        k : int
            Power >= 0.
        b : float
            Number of layers that become one, above 1.

        Examples
        --------
        >>> FixedFunction(3, 1 / 3).eigenvalue(1, b=2.0)
        2.0
        """
        return raised(b, self.exponent(k))

    def eigenfunction(self, k: int, x: ArrayLike) -> Any:
        r"""Return the eigenfunction of the linearised T_b that begins as x^k, the same for every b [exact].

        .. math:: g_k(x) = x^k (1+X)^{-z/(z-1)}\, \frac{(1+X)^{q} - 1}{q X}, \qquad q = y_k + 1,

        with ln(1+X)/X instead of the fraction where q = 0, at k = 2z-1: this is the source of the logarithm in the
        depth scaling of signals.

        Parameters
        ----------
        k : int
            Power >= 0.
        x : array_like
            As in ``f(x)``.

        Examples
        --------
        >>> FixedFunction(3, 1 / 3).eigenfunction(0, 0.0)
        1.0
        """
        return self._kept(k, x, 1)

    def noise_exponent(self, k: int = 0) -> float:
        """Return y of a variance of noise that depends on x as x^k: (z+1)/(z-1) for constant ε², 2 for tanh.

        Parameters
        ----------
        k : int
            Power >= 0.

        Raises
        ------
        TypeError, ValueError
            If k is not a whole number >= 0.

        Examples
        --------
        >>> FixedFunction(3, 1 / 3).noise_exponent()
        2.0
        """
        power = whole(k, "k", minimum=0, maximum=10**6)
        return 1.0 + (2.0 - power) / (self.order - 1.0)

    def noise_eigenvalue(self, b: float = 2.0) -> float:
        """Return b α²: the factor by which the variance ε² of noise grows; 4 for tanh and b = 2.

        Parameters
        ----------
        b : float
            Number of layers that become one, above 1.

        Examples
        --------
        >>> round(FixedFunction(3, 1 / 3).noise_eigenvalue(), 12)
        4.0
        """
        return raised(b, self.noise_exponent())

    def noise_eigenfunction(self, x: ArrayLike, k: int = 0) -> Any:
        r"""Return the noise variance, as a function of the signal, that a rescaled block of layers preserves [exact].

        .. math:: D_k(x) = x^k (1+X)^{-2z/(z-1)}\, \frac{(1+X)^{q} - 1}{q X}, \qquad q = 1 + \frac{2z-k}{z-1},

        the noise that a flow with white noise of variance x^k leaves after one layer; constant noise, k = 0, tends to
        D_0.

        Parameters
        ----------
        x : array_like
            As in ``f(x)``.
        k : int
            Power >= 0.

        Examples
        --------
        >>> FixedFunction(3, 1 / 3).noise_eigenfunction([0.5, 1.0]).round(6)
        array([0.805394, 0.544   ])
        """
        return self._kept(k, x, 2)

    def _kept(self, k: int, x: ArrayLike, moment: int) -> Any:
        """Return the eigenfunction for a change of f (first moment) or of a variance (second) that begins as x^k."""
        at = self._points(x)
        big = self._depth(at)
        power = whole(k, "k", minimum=0, maximum=10**6)
        q = 1.0 + (moment * self.order - power) / (self.order - 1.0)
        near = np.minimum(big, 1.0)
        far = np.maximum(big, 1.0)  # where x^k and (1+X)^q overflow, but f*(x)^k does not
        log = np.log1p(far)
        with np.errstate(over="ignore", invalid="ignore"):
            inner = at**power * (1.0 + near) ** (-moment * self.order / (self.order - 1.0)) * _averaged_power(near, q)
            image = np.asarray(self(at))
            outer = image**power * (1.0 + 1.0 / far) * (log if q == 0.0 else -np.expm1(-q * log) / q)
            if q < 0.0:  # (1+X)^-q may overflow where f*(x)^k vanishes
                outer = (image * np.exp(-q / power * log)) ** power * (1.0 + 1.0 / far) * np.expm1(q * log) / q
            result = np.where(big <= 1.0, inner, outer)
        if not np.isfinite(result).all():
            raise ValueError(f"x = {at[~np.isfinite(result)].flat[0]}: x^{power} exceeds the range of float64")
        return shaped(result, x)

    # -- finite depth ------------------------------------------------------------------------------------

    def finite_depth(self, distance: ArrayLike, noise_std: ArrayLike = 0.0) -> Any:
        r"""Return the scaling function F of the mean square signal after m layers, near criticality and with noise.

        .. math:: m^{2/(z-1)} \langle h_m^2 \rangle \to F\bigl((w/w_c - 1)\, m,\;
                  \varepsilon\, m^{(z+1)/(2(z-1))}\bigr)

        for m → ∞ at fixed arguments, from any start of order one; for tanh, m ⟨h²⟩ = F((w-1) m, ε m). Without noise

        .. math:: F(A, 0) = \Bigl(\frac{u\,(1 - e^{-(z-1)A})}{A}\Bigr)^{-2/(z-1)}

        solves the flow dh/dm = t h - u h^z from h = ∞ [exact for the flow, asymptotic for layers]; with noise the
        backward equation is solved on Chebyshev polynomials, with a relative error of 1e-6 to 1e-5.

        Parameters
        ----------
        distance : array_like
            A, any real numbers.
        noise_std : array_like
            ε m^((z+1)/(2(z-1))) >= 0, broadcast against `distance`; above 0 for z = 3 only.

        Returns
        -------
        float or ndarray
            F, of the broadcast shape.

        Raises
        ------
        ValueError
            For noise with z ≠ 3, or out of the range in which the equation is solved.

        Examples
        --------
        >>> f = FixedFunction(3, 1 / 3)
        >>> f.finite_depth(0.0), round(f.finite_depth(0.0, 50.0) / 50, 5)
        (1.5, 0.8279)
        """
        refuse_other_order(noise_std, "noise_std", distance, "distance")
        a = at_least(distance, "distance", minimum=-np.inf, why="it is (w/w_c - 1) m")
        e = at_least(noise_std, "noise_std", minimum=0.0, why="it is a standard deviation, scaled by depth")
        both = np.broadcast_arrays(a, e)
        return shaped(scaling_function(self.order, self.coefficient, *both), both[0])

    def scaling_fields(self) -> tuple[ScalingField, ...]:
        """Return the directions x^0 ... x^(2z-1), the most relevant first.

        Of all powers only k <= z-2 (the unfolding of the fixed point) and k = 2z-1 (the residue, irrelevant with
        y = -1) cannot be removed by a change of coordinate x → x + a x^j, which generates k = z-1+j for j ≠ z.
        So every analytic layer tends to f* at the rate 1/m, whatever its other coefficients.

        Examples
        --------
        >>> directions = FixedFunction(3, 1 / 3).scaling_fields()
        >>> [(field.power, field.kind.value) for field in directions if field.kind != "redundant"]
        [(0, 'relevant'), (1, 'relevant'), (5, 'irrelevant')]
        """
        z = self.order
        names = {0: "bias", 1: "distance to criticality", z - 1: "shift of x", z: "unit of x", 2 * z - 1: "residue"}
        if z == 2:
            names[1] = "shift of x, the distance to a fold being its bias"
        return tuple(
            ScalingField(k, self.exponent(k), self._kind(k), names.get(k, "unfolding" if k < z else "curvature of x"))
            for k in range(2 * z)
        )

    def fixed_points(self) -> tuple[FixedPoint, ...]:
        r"""Return the fixed point in the space of couplings, for `exponents`: unfolding x^0 ... x^(z-2) and noise ε².

        In the flow dx = (Σ g_k x^k - u x^z) dm + ε dB couplings are themselves scaling fields,
        :math:`g_k' = b^{y_k} g_k` and :math:`(\varepsilon^2)' = b\,\alpha^2 \varepsilon^2` [exact].

        Examples
        --------
        >>> from statnn import rg
        >>> exponents = rg.exponents(rg.fixed_points(FixedFunction(3, 1 / 3))[0])
        >>> exponents.fields, exponents.y.round(12), exponents.nu
        (('noise variance', 'bias', 'distance'), array([2. , 1.5, 1. ]), 1.0)
        """
        powers = range(self.order - 1)
        names = (*({0: "bias", 1: "distance"}.get(k, f"x^{k}") for k in powers), "noise variance")
        y = (*(self.exponent(k) for k in powers), self.noise_exponent())
        thermal = "distance" if self.order > 2 else None
        return (FixedPoint("critical function", names, np.zeros(len(y)), _Scaled(y), _Derivative(y), self, thermal),)

    def _kind(self, k: int) -> ScalingFieldKind:
        if k <= self.order - 2:
            return ScalingFieldKind.RELEVANT
        return ScalingFieldKind.IRRELEVANT if k == 2 * self.order - 1 else ScalingFieldKind.REDUNDANT

    def _depth(self, at: Floats) -> Floats:
        """Return X = (z-1) u x^(z-1)."""
        n = self.order - 1
        with np.errstate(over="ignore"):
            big = np.asarray(n * self.coefficient * at**n)
        if not np.isfinite(big).all():
            raise ValueError(f"x = {at[~np.isfinite(big)].flat[0]} is too large: x^{n} exceeds the range of float64")
        return big

    def _points(self, x: ArrayLike) -> Floats:
        if self.order % 2:
            return at_least(x, "x", minimum=-np.inf, why="signals are finite real numbers")
        why = f"with z = {self.order} even, signals below 0 run away from the fixed point"
        return at_least(x, "x", minimum=0.0, why=why)


@dataclass(frozen=True)
class _Scaled:
    """The map K_i → b^(y_i) K_i; a class, so that fixed points can be pickled and stored."""

    y: tuple[float, ...]

    def __call__(self, couplings: Floats, b: int) -> Floats:
        return np.asarray(float(b) ** np.array(self.y) * couplings)


@dataclass(frozen=True)
class _Derivative:
    """The derivative of `_Scaled`."""

    y: tuple[float, ...]

    def __call__(self, b: int) -> Floats:
        return np.diag(float(b) ** np.array(self.y))


def _averaged_power(big: Floats, q: float) -> Floats:
    """Return the mean of (1 + s X)^(q-1) over 0 < s < 1: ((1+X)^q - 1)/(q X)."""
    log = np.log1p(big)
    safe = np.where(big == 0.0, 1.0, big)
    grown = log if q == 0.0 else np.expm1(q * log) / q
    return np.asarray(np.where(big == 0.0, 1.0, grown / safe))
