"""One scalar layer without noise, repeated: its criticality, and signals through many layers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from statnn._arguments import Floats, Ints, at_least, deviation_of, increasing, shaped, single, whole
from statnn._random import root
from statnn.network import Activation
from statnn.network._activation import activation
from statnn.rg.repeated._analysis import ROUGH, Analysis, analysed
from statnn.rg.repeated._leading_form import LeadingForm, LeadingFormKind
from statnn.rg.repeated._rest import rested
from statnn.rg.repeated._rest_points import ROUNDING, fixed_fields
from statnn.rg.repeated._simulation import simulate

MOST_STEPS = 10**7
LEAST_CHANGE = 1e-17
"""Relative change of a signal over all requested layers below which it counts as none."""
DRIVEN = 1e-6
"""Largest accepted relative error of a distance by rounding over all layers."""
LARGEST_RADIUS = 1e30
"""Largest radius in fields: Taylor coefficients contain its tenth power."""
FELT = 1e-10
"""Deviation of a slope from one, times the number of layers, above which a layer does not act as critical."""


@dataclass(frozen=True)
class RepeatedLayer:
    r"""The scalar layer f(x) = σ(w x + b), the same in every layer: h_{m+1} = f(h_m).

    Parameters
    ----------
    activation : str or Activation
        σ.
    w, b : float
        Weight and bias.

    See Also
    --------
    renormalise : composed and rescaled.
    FixedFunction : its limit where it is critical.
    NoisyLayer : with noise.

    Examples
    --------
    >>> layer = RepeatedLayer("tanh")
    >>> form = layer.leading_form()
    >>> form.order, round(form.coefficient, 12), round(form.fixed_function().alpha(), 12)
    (3, 0.333333333333, 1.414213562373)
    """

    activation: str | Activation
    w: float = 1.0
    b: float = 0.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "activation", activation(self.activation))
        for name in ("w", "b"):
            why, fix = "it is the weight or bias of a layer", "a repeated layer is scalar"
            value = single(getattr(self, name), name, minimum=-np.inf, why=why, fix=fix)
            object.__setattr__(self, name, value)

    @property
    def sigma(self) -> Activation:
        """The activation σ."""
        return activation(self.activation)

    @classmethod
    def critical(cls, activation: str | Activation, field: float = 0.0) -> RepeatedLayer:
        r"""Return the layer with a fixed point of slope one at this field, σ'(h) w = 1.

        .. math:: w = 1/\sigma'(h), \qquad b = h - w\,\sigma(h), \qquad x^* = \sigma(h).

        The fields parametrise the critical line in the plane of w and b: z = 2 on it, and z >= 3 at its cusp, which is
        at an inflection of σ; for sigmoid w = 4, b = -2.

        Parameters
        ----------
        activation : str or Activation
            σ.
        field : float
            h = w x* + b at the fixed point; by default 0, the inflection of tanh, erf and sigmoid.

        Raises
        ------
        ValueError
            If σ'(h) is not positive: no weight > 0 gives a slope of one, and with w < 0 signals alternate.

        Examples
        --------
        >>> RepeatedLayer.critical("sigmoid")
        RepeatedLayer(activation=Activation('sigmoid'), w=4.0, b=-2.0)
        """
        sigma = cls(activation).sigma
        why, fix = "it is the field of the unit at the fixed point", "call once for each of them"
        h = single(field, "field", minimum=-np.inf, why=why, fix=fix)
        slope = sigma.slopes[1] if sigma.slopes and h == 0.0 else float(sigma.derivative(np.asarray(h)))
        if not (math.isfinite(slope) and slope > 0.0):
            raise ValueError(
                f"activation {sigma.name!r} has slope {slope} at the field {h:g}; criticality needs a positive one: "
                "choose a field where the activation rises"
            )
        return cls(sigma, 1.0 / slope, h - float(sigma(np.asarray(h))) / slope)

    # -- the layer ---------------------------------------------------------------------------------------

    def __call__(self, x: ArrayLike) -> Any:
        """Return f(x).

        Parameters
        ----------
        x : array_like
            Signals, any shape.
        """
        return self.iterate(x, 1)

    def iterate(self, x: ArrayLike, layers: int) -> Any:
        """Return the signals after `layers` layers, computed one after the other.

        Parameters
        ----------
        x : array_like
            Signals, any shape.
        layers : int
            0 ... 10^7.

        Raises
        ------
        TypeError, ValueError
            If signals or layers are not such numbers, or signals exceed the range of float64.

        Examples
        --------
        >>> RepeatedLayer("relu", w=0.5).iterate([8.0, -8.0], 3)
        array([1., 0.])
        """
        count = whole(layers, "layers", minimum=0, maximum=MOST_STEPS)
        h = at_least(x, "x", minimum=-np.inf, why="signals are finite real numbers")
        sigma = self.sigma
        with np.errstate(over="ignore", invalid="ignore"):
            for _ in range(count):
                h = np.asarray(sigma(self.w * h + self.b), dtype=float)
        if not np.isfinite(h).all():
            raise ValueError(f"signals exceed the range of float64 within {count} layers: this layer amplifies them")
        return shaped(h, x)

    def simulate(
        self,
        depths: ArrayLike,
        *,
        noise_std: float,
        start: float = 1.0,
        replicas: int = 1000,
        rng: int | np.random.Generator | None = None,
    ) -> Floats:
        """Return signals of noisy layers, h_{m+1} = f(h_m) + ε ξ_m with independent Gaussian ξ, at given depths.

        Parameters
        ----------
        depths : array_like of int
            m >= 0, increasing, shape (depths,).
        noise_std : float
            Standard deviation ε >= 0.
        start : float
            h_0.
        replicas : int
            Number of independent signals. Each has a stream of its own, so that asking for more does not change the
            first ones.
        rng : int, numpy.random.Generator or None
            Seed; None for fresh entropy.

        Returns
        -------
        ndarray, shape (replicas, depths)

        Raises
        ------
        TypeError, ValueError, MemoryError
            If arguments do not fit, signals would not fit into memory, or they exceed the range of float64.

        Examples
        --------
        >>> RepeatedLayer("tanh").simulate([0, 15000], noise_std=0.0, replicas=1, rng=1).round(4)
        array([[1.  , 0.01]])
        """
        at: Ints = increasing(depths, "depths")
        begin = _signal(start, "start")
        strength = deviation_of(noise_std, "noise_std", fix="call again for others")
        number = whole(replicas, "replicas", minimum=1, maximum=10**9)
        return simulate(self.sigma, self.w, self.b, strength, begin, at, number, root(rng))

    # -- fixed points ------------------------------------------------------------------------------------

    def rest_points(self) -> tuple[tuple[float, float], ...]:
        """Return all (x*, f'(x*)) for an activation of the package, in ascending order.

        If fixed points fill an interval (relu at w = 1, b = 0), its end at 0 stands for it, with the slope of the
        activation there; if there are none the tuple is empty.

        Raises
        ------
        ValueError
            For a function of your own: pass its fixed point to `leading_form`.

        Examples
        --------
        >>> [round(x, 6) for x, slope in RepeatedLayer("tanh", w=2.0).rest_points()]
        [-0.957504, 0.0, 0.957504]
        """
        sigma = self.sigma
        if not sigma.built_in:
            raise ValueError(
                f"the fixed points of {sigma.name!r} cannot all be found from its values: pass the one you mean, "
                "leading_form(at=...)"
            )
        result = []
        for h in fixed_fields(sigma, self.w, self.b):
            x, slope = float(sigma(np.asarray(h))), self.w * float(sigma.derivative(np.asarray(h)))
            steep = abs(slope * h) > abs(h) + abs(self.b)  # σ would amplify the rounding of h
            result.append(((h - self.b) / self.w if steep else x, slope))
        return tuple(result)

    # -- the leading nonlinearity ------------------------------------------------------------------------

    def leading_form(
        self, at: float | None = None, *, coefficients: Sequence[float] | None = None, radius: float = 0.5
    ) -> LeadingForm:
        """Return order z and coefficient u of the leading nonlinearity, or how the search for them failed.

        Parameters
        ----------
        at : float, optional
            The fixed point x*. If None: the one of slope one for activations of the package, 0 otherwise.
        coefficients : sequence of float, optional
            f^(k)(x*)/k! for k = 1, 2, ..., if known: at least up to 2z-1 for the residue.
        radius : float
            Radius in the field within which a function of your own is smooth about the fixed point; its Taylor
            coefficients are fitted to values there. Known activations are expanded to 50 digits instead.

        Returns
        -------
        LeadingForm
            With a named outcome: CRITICAL, REPELLING, SCALE_INVARIANT, FLAT, NOT_CRITICAL or NOT_SMOOTH.

        Raises
        ------
        ValueError
            If `at` is not a fixed point, or a function of your own is not close to a polynomial within `radius`.

        Examples
        --------
        >>> [RepeatedLayer(each).leading_form().outcome.name for each in ("relu", "sigmoid")]
        ['SCALE_INVARIANT', 'NOT_CRITICAL']
        """
        why = "they are those of Taylor"
        given = () if coefficients is None else at_least(coefficients, "coefficients", minimum=-np.inf, why=why)
        known = None if coefficients is None else tuple(np.ravel(given).tolist())
        x = None if at is None else _signal(at, "at")
        why, fix = "values within it make the Taylor coefficients", "call once for each of them"
        reach = single(radius, "radius", minimum=1e-6, why=why, fix=fix)
        if reach > LARGEST_RADIUS:
            raise ValueError(
                f"radius = {reach:g}: above {LARGEST_RADIUS:g} powers overflow; measure fields in another unit"
            )
        return analysed(self, x, known, reach).form

    # -- many layers -------------------------------------------------------------------------------------

    def depth(self, x: float) -> float:
        r"""Return the depth coordinate A(x) of a signal, in which a layer adds one: A(f(x)) = A(x) + 1.

        .. math:: A = \frac{1}{(z-1) u y^{z-1}} + \dots + r \ln|y|, \qquad y = x - x^*,

        the integral of 1/v with v the vector field whose flow is f; the series is summed after as many layers as make y
        small. Absolute error about 1e-11 for known activations and about 1e-6 for others, plus rounding of A [exact as
        an asymptotic series].

        Parameters
        ----------
        x : float
            A signal that tends to the fixed point.

        Raises
        ------
        ValueError
            Unless the layer is critical and attracts x.

        Examples
        --------
        >>> layer = RepeatedLayer("tanh")
        >>> round(layer.depth(layer(0.7)) - layer.depth(0.7), 9)
        1.0
        """
        analysis = analysed(self, None, None, 0.5)
        y = self._near(_signal(x, "x"), analysis)
        return analysis.coordinate(y[0]) - y[1]

    def layers(self, start: float, value: float) -> float:
        """Return the number of layers, as a real number, that take a signal from `start` to `value`.

        Parameters
        ----------
        start, value : float
            Signals that tend to the fixed point on the same side of it.

        Raises
        ------
        ValueError
            As `depth`; or if the two are on different sides, or one is the fixed point itself.

        Examples
        --------
        >>> round(RepeatedLayer("tanh").layers(1.0, 0.01))
        14997
        """
        analysis = analysed(self, None, None, 0.5)
        form = analysis.form
        form.amplitude  # noqa: B018 - raises unless critical
        centre = form.fixed_point or 0.0
        start, value = _signal(start, "start"), _signal(value, "value")
        ways = [self._near(x, analysis) for x in (start, value) if x != centre]
        if len(ways) < 2 or (ways[0][0] < 0.0) != (ways[1][0] < 0.0):
            raise ValueError(
                f"start = {start} and value = {value} do not lie on the same side of the fixed point {centre:g}: "
                "no number of layers leads from one to the other"
            )
        (first, passed), (last, more) = ways
        return analysis.apart(first, last) + passed - more

    def signal(self, start: float, layers: int) -> float:
        """Return the signal after m layers, as `iterate` does, but at any depth up to 9·10^18.

        Parameters
        ----------
        start : float
            h_0.
        layers : int
            m >= 0.

        Returns
        -------
        float
            If a critical fixed point attracts the signal, it comes from the depth coordinate: the distance from the
            fixed point has relative errors of about 1e-13 for known activations and 1e-8 for others. Otherwise it is
            computed layer by layer, until it rests or alternates; each layer adds a rounding of some 1e-16, which later
            layers propagate. At the rest point of a known activation its last digits are refined.

        Raises
        ------
        ValueError
            If the signal exceeds the range of float64; or if it still moves after 10^8 layers, 10^7 for a function of
            your own, without being critical.

        Examples
        --------
        >>> layer = RepeatedLayer("tanh")
        >>> round(layer.signal(1.0, 15 * 10**17) * 1e9, 12)
        1.0
        >>> round(RepeatedLayer("tanh", w=2.0).signal(1.0, 10**18), 6)
        0.957504
        """
        m = whole(layers, "layers", minimum=0)
        begin = _signal(start, "start")
        analysis = self._critical(m)
        way = None if analysis is None else self._approach(begin, analysis)
        if analysis is None or way is None or m <= way[1]:
            if analysis is not None and way is None:
                self._refuse_marginal(begin, m, analysis.form)
            return rested(self.sigma, self.w, self.b, begin, m)
        (y, passed), form = way, analysis.form
        if -analysis.drop(y) * (m - passed) > LEAST_CHANGE:
            y = analysis.after(y, m - passed)
        elif not passed:
            return begin
        return (form.fixed_point or 0.0) + form.side * y

    def _critical(self, layers: int) -> Analysis | None:
        """Return the analysis of a layer that acts as critical over `layers` layers, else None."""
        if not self.sigma.built_in:
            if float(self(0.0)) != 0.0:
                return None
            off = abs(self.w * float(self.sigma.derivative(np.asarray(self.b))) - 1.0)
            if off > ROUNDING and off * layers > FELT:
                return None
        try:
            analysis = analysed(self, None, None, 0.5)
        except ValueError:  # a function of your own that is not a polynomial: go layer by layer
            return None
        critical = analysis.form.outcome is LeadingFormKind.CRITICAL and analysis.doubt <= ROUGH
        return analysis if critical and analysis.powers else None

    def _refuse_marginal(self, x: float, layers: int, form: LeadingForm) -> None:
        """Raise if the fixed point repels the signal so slowly that rounding decides where it goes."""
        centre, z, u = form.fixed_point or 0.0, form.order or 2, form.coefficient or 1.0
        y = min(abs(x - centre), 1e10)  # powers of it would overflow
        away = min(float(layers), 10.0 / (u * y ** (z - 1)))
        if z % 2 == 0 and form.side * (x - centre) < 0.0 and away * np.finfo(float).eps * abs(centre) > DRIVEN * y:
            raise ValueError(
                f"start = {x!r} lies {y:.2g} from the fixed point {centre:.17g}, on the side from which it drives "
                f"signals away, within some {away:.1g} layers: rounding decides where it goes; start farther away"
            )

    def _near(self, x: float, analysis: Analysis) -> tuple[float, int]:
        """Return the distance from the fixed point at which to sum the series, and the layers it took; or raise."""
        form = analysis.form
        form.amplitude  # noqa: B018 - raises unless critical
        if analysis.doubt > ROUGH:
            raise ValueError(
                f"{self.sigma.name!r} is not a polynomial near the fixed point {form.fixed_point:g}: the change of a "
                f"signal per layer is known only to a relative {analysis.doubt:.1g}; iterate the layer instead"
            )
        way = self._approach(x, analysis)
        if way is None or way[0] == 0.0:
            raise ValueError(
                f"the signal {x} is not drawn in by the fixed point {form.fixed_point:g}: choose one that is"
            )
        return way

    def _approach(self, x: float, analysis: Analysis) -> tuple[float, int] | None:
        """Return as `_near`; None if the fixed point does not attract the signal, or not within MOST_STEPS layers."""
        form = analysis.form
        centre, side = form.fixed_point or 0.0, form.side
        y = side * (x - centre)
        if y < 0.0 and (form.order or 2) % 2 == 0:
            return None
        for steps in range(MOST_STEPS):
            if abs(y) <= analysis.near:
                return y, steps
            field = self.w * (centre + side * y) + self.b
            if not math.isfinite(field):
                return None
            before, y = y, side * (float(self.sigma(np.asarray(field))) - centre)
            if not 0.0 < abs(y) < abs(before) or (y < 0.0 and (form.order or 2) % 2 == 0):
                return None
        return None


def _signal(value: Any, name: str) -> float:
    why, fix = "signals are finite real numbers", "call again for other signals"
    return single(value, name, minimum=-np.inf, why=why, fix=fix)
