r"""Scalar layers with noise and any activation: transfer operators by quadrature, composed exactly."""

from __future__ import annotations

import math
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from statnn._arguments import Floats, positive, switch, whole
from statnn._by_value import ByValue
from statnn.montecarlo._blas import one_thread
from statnn.network import Activation
from statnn.network._activation import activation as known
from statnn.rg._common import LARGEST, number, real, simulated
from statnn.rg._fixed_points import FixedPoint
from statnn.rg._flow import Flow, FlowEnd, checked_doublings, trajectory
from statnn.rg._layers import quadrature as _nodes
from statnn.rg._layers.operator import StationaryLaw, TransferOperator
from statnn.rg._layers.portrait import NOISY_NOISES, NOISY_WEIGHTS, PARTED_WELLS, draw_arrows, noisy_place
from statnn.rg._layers.projection import Row, linear_rows, projected
from statnn.rg._layers.refinement import FIRST, WORST, Extent, change, extent, refined, signature
from statnn.rg._layers.spectrum import Spectrum

NAMES = ("w", "b", "noise_std")


@dataclass(frozen=True, eq=False, repr=False)
class NoisyLayer(ByValue):
    r"""A scalar layer h' = σ(w h + b) + ε ξ with standard Gaussian noise ξ [exact, on quadrature nodes].

    Parameters
    ----------
    activation : str or Activation
        σ: a key of `statnn.network.ACTIVATIONS`, or a function of your own.
    w, b : float
        Weight and bias.
    noise_std : float
        ε > 0, the *standard deviation* of the noise.

    Raises
    ------
    TypeError, ValueError
        If the activation is unknown, w or b is not finite, or ε is not positive.

    See Also
    --------
    RepeatedLayer : without noise.
    TransferOperator : the closed family.
    LinearLayer : many neurons, linear.

    Notes
    -----
    Several such layers do not compose to a layer of this form, but to a `TransferOperator`. Its nodes are refined until
    eigenvalues and moments change by less than 1e-10, or until there are 3000; the last change is its `error`. For tanh
    at w = 1, b = 0 and ε → 0 the stationary variance tends to √6 Γ(3/4)/Γ(1/4) ε = 0.82790 ε.

    Examples
    --------
    >>> layer = NoisyLayer("tanh", 1.0, 0.0, 0.01)
    >>> round(layer.correlation_length(), 3)
    178.806
    >>> layer.flow(2).couplings.round(4)
    array([[1.    , 0.    , 0.01  ],
           [0.9999, 0.    , 0.0199],
           [0.9993, 0.    , 0.0393]])
    >>> layer.mean([0.0, 1.0]).round(4)
    array([0.    , 0.7616])
    >>> mean, variance = layer.power(10).moments(0.0)
    >>> round(variance / 1e-3, 3)  # nearly ten times ε²
    0.994
    >>> layer.spectrum(2).ratios.round(4)
    array([1.    , 0.9944])
    >>> layer.simulate([0.0, 0.5, 1.0], depth=5, rng=1).shape
    (3, 6)
    """

    activation: Activation
    w: float
    b: float
    noise_std: float

    def __init__(self, activation: str | Activation, w: float = 1.0, b: float = 0.0, noise_std: float = 0.1) -> None:
        object.__setattr__(self, "activation", known(activation))
        wide = "the layer is scalar; use LinearLayer for wider ones"
        object.__setattr__(self, "w", number(w, "w", fix=wide))
        object.__setattr__(self, "b", number(b, "b", fix=wide))
        why = "it is the deviation of the noise; a layer without noise has no density: iterate its map instead"
        object.__setattr__(self, "noise_std", positive(noise_std, "noise_std", why=why))
        for name in ("w", "b", "noise_std"):
            if abs(getattr(self, name)) > LARGEST:
                raise ValueError(f"{name} = {getattr(self, name):g}: beyond {LARGEST:g} squares overflow")

    def mean(self, h: ArrayLike) -> Any:
        """Return σ(w h + b), the mean of h' given h.

        Parameters
        ----------
        h : array_like
            Any shape; the result has the same.
        """
        return self.activation(self.w * np.asarray(real(h, "h")) + self.b)

    def operator(self, points: int | None = None, *, like: TransferOperator | None = None) -> TransferOperator:
        """Return the law p(h'|h) on quadrature nodes.

        Parameters
        ----------
        points : int or None
            Approximate number of nodes; their error is the change under about twice as many, or a third fewer beyond
            1500. None refines until the error is below 1e-10.
        like : TransferOperator or None
            Use the nodes of that operator instead.

        Raises
        ------
        TypeError, ValueError
            If there is no stationary law to find the interval from; if there are fewer nodes than the noise needs, or
            3000 are not enough.

        Examples
        --------
        >>> NoisyLayer("tanh", 1.0, 0.0, 0.1).operator(64).nodes.size
        64
        """
        if like is not None:
            if points is not None:
                raise TypeError("points and like both choose the nodes: pass one of them")
            if not isinstance(like, TransferOperator):
                raise TypeError(f"like = {like!r} is no operator, whose nodes to take: pass one, as layer.operator()")
            return self._judged(self._put_on(like))
        if points is None:
            return self._refined
        count = whole(points, "points", minimum=16, maximum=_nodes.MOST_POINTS)
        low, high = self._interval
        if count < (high - low) / (2 * self.noise_std):
            raise ValueError(
                f"points = {count} nodes on [{low:.4g}, {high:.4g}] are farther apart than twice the noise of "
                f"{self.noise_std:g}: take {math.ceil(1.3 * (high - low) / self.noise_std)}, or None to refine"
            )
        with one_thread():
            made = self._judged(self._with(count))
            other = self._with(2 * count if 2 * count <= _nodes.MOST_POINTS else 2 * count // 3)
            return replace(made, error=max(made.error, change(signature(made), signature(other))))

    def compose(self, other: Any) -> TransferOperator:
        """Return the law of both layers: this one acts first, `other` on its outputs.

        Parameters
        ----------
        other : NoisyLayer or TransferOperator
            The layer above. Nodes are chosen to suit both layers; an operator keeps its own.

        Raises
        ------
        TypeError, ValueError
            If it is neither, or no nodes suit both.

        Examples
        --------
        >>> layer = NoisyLayer("tanh", 0.5, 0.0, 0.1)
        >>> two = layer.compose(layer)
        >>> two.correlation_length() * 2 - layer.correlation_length() < 1e-9
        True
        """
        if isinstance(other, TransferOperator):
            return self._judged(self._put_on(other).compose(other))
        if not isinstance(other, NoisyLayer):
            raise TypeError(
                f"a noisy layer composes with a NoisyLayer or TransferOperator, not with a {type(other).__name__}"
            )
        if other._parts == self._parts:  # noqa: SLF001 - of the same class
            return self._refined.power(2)
        ends = [self._interval, other._interval]  # noqa: SLF001 - of the same class
        low, high = min(end[0] for end in ends), max(end[1] for end in ends)
        points = max(
            math.ceil((high - low) / (b - a) * layer._refined.nodes.size)  # noqa: SLF001 - of the same class
            for layer, (a, b) in zip((self, other), ends, strict=True)
        )
        if points > 2 * _nodes.MOST_POINTS:
            raise ValueError(
                f"the layers live on [{ends[0][0]:.4g}, {ends[0][1]:.4g}] and [{ends[1][0]:.4g}, {ends[1][1]:.4g}]: "
                f"{points} nodes would be needed to hold both with their noise; make the noise more alike"
            )
        at = {end for layer in (self, other) for end in _nodes.panels(*layer._parts, low, high)}  # noqa: SLF001
        on = _nodes.rule(low, high, tuple(sorted(at)), points)
        error = max(self._refined.error, other._refined.error)  # noqa: SLF001 - of the same class
        product = self._on(*on).compose(other._on(*on))  # noqa: SLF001 - of the same class
        return replace(product, error=error)

    def power(self, m: int, *, points: int | None = None) -> TransferOperator:
        """Return m such layers as one, in O(log m) products of matrices.

        Parameters
        ----------
        m : int
            Number of layers, from 1 to 1e18.
        points : int or None
            As in `operator`.

        Raises
        ------
        TypeError, ValueError
            As `operator`; or m is not such a number.
        """
        return self.operator(points).power(m)

    def spectrum(self, k: int = 4) -> Spectrum:
        """Return the k largest eigenvalues; λ_0 = 1, as probability is conserved.

        Parameters
        ----------
        k : int
            How many, at least 2.

        Raises
        ------
        TypeError, ValueError
            As `operator`; or k is not such a number.
        """
        return self._refined.spectrum(k)

    def correlation_length(self) -> float:
        r"""Return ξ = -1/ln|λ_1| in layers: memory of h decays as exp(-m/ξ).

        Raises
        ------
        ValueError, ArithmeticError
            If there is no stationary law; or the gap cannot be told from rounding, as the layer remembers the sign of
            h, or λ_1 itself cannot, see `Spectrum`; or signals stay, however rarely, for a long time where nodes do not
            reach.
        """
        if self.w == 0:
            return 0.0
        if self.activation.linear and abs(self.w) < 1:
            return -1 / math.log(abs(self.w))
        return self._refined.correlation_length()

    def stationary(self) -> StationaryLaw:
        """Return the law of h after very many layers.

        Raises
        ------
        ValueError
            If there is none, because signals or what noise adds to them grow without bound.

        Examples
        --------
        >>> law = NoisyLayer("identity", 0.5, 1.0, 0.3).stationary()
        >>> round(law.mean, 9), round(law.variance, 9)  # 1/(1-w) and ε²/(1-w²)
        (2.0, 0.12)
        """
        return self._refined.stationary()

    def simulate(self, start: ArrayLike, depth: int, *, rng: int | np.random.Generator | None = None) -> Floats:
        """Return the activity of replicas through `depth` layers.

        Parameters
        ----------
        start : array_like, shape (replicas,), or float
            h at layer 0.
        depth : int
            Number of layers, at least 1.
        rng : int, numpy.random.Generator or None
            Seed; fresh entropy when None. The first replicas do not depend on the number of replicas.

        Returns
        -------
        ndarray, shape (replicas, depth + 1) or (depth + 1,)

        Raises
        ------
        TypeError, ValueError, MemoryError
            If arguments do not fit, paths would not fit into memory, or signals exceed the range of float64.
        """
        h = real(start, "start")
        if h.ndim > 1:
            raise ValueError(f"start has shape {h.shape}; one number per replica, (replicas,), is needed")

        def layer(h: Floats, kicks: Floats) -> Floats:
            result: Floats = self.activation(self.w * h + self.b) + self.noise_std * kicks
            return result

        return simulated(h, depth, rng, layer, "supercritical", units=0)

    def flow(self, doublings: int = 12, *, project: bool = False) -> Flow:
        """Return the trajectory of (w, b, ε) under doubling and rescaling: see `statnn.rg.flow`.

        Parameters
        ----------
        doublings : int
            How often the number of layers in a block is doubled.
        project : bool
            True goes on from the projection, False from the exact operator.
        """
        steps, project = checked_doublings(doublings), switch(project, "project")
        sigma = self.activation
        if sigma.linear and abs(self.w) < 1:
            return self._trajectory(*linear_rows(self.w, self.b, self.noise_std, steps), project=project)
        rows, end = [(np.array([self.w, self.b, self.noise_std]), 0.0, 0.0)], FlowEnd.COMPLETE
        with one_thread():  # products of some hundred rows: more threads would waste time waiting for each other
            exact, shown, first = self.operator(), self, self
            law = exact.stationary()
            for _ in range(steps):
                if project and len(rows) > 1:
                    try:
                        exact, first = shown.operator(), shown
                    except ValueError:
                        end = FlowEnd.UNRESOLVED
                        break
                    law = exact.stationary()
                exact = exact.power(2)
                projection = projected(sigma, exact, law, (shown.w, shown.b), (first.w, first.b))
                if isinstance(projection, FlowEnd):
                    end = projection
                    break
                couplings, divergence, deviation = projection
                shown = NoisyLayer(sigma, *couplings)
                rows.append((couplings, divergence, deviation))
        return self._trajectory(rows, end, project=project)

    def _trajectory(self, rows: list[Row], end: FlowEnd, *, project: bool) -> Flow:
        sigma = self.activation
        more = {"activation": sigma, "portrait": partial(_portrait, sigma)}
        return trajectory("noisy", NAMES, rows, project=project, end=end, **more)

    @classmethod
    def fixed_points(cls, activation: str | Activation = "tanh") -> tuple[FixedPoint, ...]:
        r"""Return the critical point of activations σ(h) = s h - u h³ + ..., u > 0: w = 1/s, b = 0, ε = 0.

        Blocks of b layers are rescaled by α = b^(1/2), so that the cubic term is unchanged. Then w - 1/s has the
        eigenvalue b (y = 1, ν = 1), the bias bα (y = 3/2), and the deviation of the noise b^(1/2) α = b (y = 1; its
        variance b α² has y = 2): the noise cuts criticality off after m ~ 1/ε layers [own, asymptotic as ε → 0].

        Parameters
        ----------
        activation : str or Activation
            "tanh", "erf" or "sin".

        Raises
        ------
        ValueError
            If the activation has no such point, or it is not known in closed form.

        Examples
        --------
        >>> NoisyLayer.fixed_points()[0].couplings
        array([1., 0., 0.])
        """
        sigma = known(activation)
        if not (sigma.smooth and sigma.odd and sigma.series(0.0, 4)[3] < 0):
            raise ValueError(
                f"activation {sigma.name!r}: the critical point is known for tanh, erf and sin, which are odd and bend "
                "down from h = 0 as h³; search others as a map of couplings, rg.fixed_points(map, start)"
            )
        at = np.array([1 / float(sigma.derivative(np.zeros(1))[0]), 0.0, 0.0])
        return (FixedPoint("critical", NAMES, at, _Renormalised(sigma), _around_criticality, None, "w"),)

    @property
    def _parts(self) -> tuple[Activation, float, float, float]:
        return self.activation, self.w, self.b, self.noise_std

    @cached_property
    def _extent(self) -> Extent:
        with one_thread():
            return extent(*self._parts, self._between)

    @property
    def _interval(self) -> tuple[float, float]:
        return self._extent.low, self._extent.high

    @cached_property
    def _refined(self) -> TransferOperator:
        """The operator on nodes refined until spectrum and moments no longer change."""
        with one_thread():  # matrices are small at first: more threads would wait for each other
            return refined(str(self), *self._interval, self.noise_std, self._with)

    @cached_property
    def coarse(self) -> TransferOperator:
        """The operator on few nodes, which give three digits, for pictures."""
        return self._between(*self._interval)

    def _with(self, count: int) -> TransferOperator:
        return self._between(*self._interval, count)

    def _between(self, low: float, high: float, count: int | None = None) -> TransferOperator:
        points = count or math.ceil((high - low) / (FIRST * self.noise_std))
        return self._on(*_nodes.rule(low, high, _nodes.panels(*self._parts, low, high), points))

    def _on(self, x: Floats, weights: Floats, panels: Floats, lost: Any = None) -> TransferOperator:
        at = self.mean(x), self.noise_std
        lost = _nodes.lost(x, weights, *at) if lost is None else lost
        return TransferOperator(x, weights, _nodes.masses(x, weights, *at), 0.0, panels, lost, self)

    def _put_on(self, other: TransferOperator) -> TransferOperator:
        on = other.nodes, other.weights, other.panels
        return self._on(*on, _nodes.missed(*self._parts, on))

    def _after(self, below: TransferOperator) -> TransferOperator:
        return self._judged(below.compose(self._put_on(below)))

    def _judged(self, operator: TransferOperator) -> TransferOperator:
        """Return an operator with its error: the loss of its stationary law on its nodes."""
        nodes, law = operator.nodes, operator.stationary()
        error = float((law.weights * law.density) @ operator.lost)
        if error > WORST:
            raise ValueError(
                f"{nodes.size} nodes on [{nodes[0]:.4g}, {nodes[-1]:.4g}] miss so much of the law of {self} that its "
                f"moments err by {error:.2g}: take more, or compose layers, not operators, whose nodes then hold both"
            )
        return replace(operator, error=max(operator.error, error))

    def __repr__(self) -> str:
        return f"NoisyLayer({self.activation.name!r}, w={self.w:g}, b={self.b:g}, noise_std={self.noise_std:g})"


@dataclass(frozen=True)
class _Renormalised:
    """The projected renormalisation of (w, b, ε); an object, so that fixed points can be pickled."""

    sigma: Activation

    def __call__(self, couplings: Floats, b: int) -> Floats:
        return renormalised(self.sigma, couplings, b)


def _around_criticality(b: int) -> Floats:
    return np.diag([float(b), float(b) ** 1.5, float(b)])


def renormalised(sigma: Activation, couplings: Floats, b: int) -> Floats:
    """Return (w, b, ε) of b layers, projected and rescaled; without noise and bias, the limit of small noise.

    Raises ValueError if there is a bias but no noise, or no signal is left.
    """
    w, bias, noise = (float(x) for x in couplings)
    if noise == 0:
        if bias:
            raise ValueError(f"a bias of {bias:g} without noise has no projection: take some noise")
        slope = float(sigma.derivative(np.zeros(1))[0])
        return np.array([(w * slope) ** b / slope, 0.0, 0.0])
    layer = NoisyLayer(sigma, w, bias, noise)
    operator = layer.operator()
    projection = projected(sigma, operator.power(b), operator.stationary(), (w, bias))
    if isinstance(projection, FlowEnd):
        raise ValueError(f"{b} layers of {layer} have no projection: {projection}")  # noqa: TRY004 - no wrong type
    return projection[0]


def noisy_arrows(sigma: Activation) -> tuple[Floats, Floats]:
    """Return (w, b, ε) on a grid and their images under one projected doubling; NaN where there is none."""
    slope = float(sigma.derivative(np.zeros(1))[0]) or 1.0
    grid = np.array([[w / slope, 0.0, noise] for noise in NOISY_NOISES for w in NOISY_WEIGHTS])
    images = np.full(grid.shape, np.nan)
    for i, (w, b, noise) in enumerate(grid):
        with suppress(ValueError):  # supercritical layers have no stationary law
            operator = NoisyLayer(sigma, w, b, noise).coarse
            if 1 - abs(operator.spectrum(2).ratios[1]) > PARTED_WELLS:  # nor do wells that the noise does not connect
                projection = projected(sigma, operator.power(2), operator.stationary(), (w, b))
                if not isinstance(projection, FlowEnd):
                    images[i] = projection[0]
    return grid, images


def _portrait(sigma: Activation, ax: Any, couplings: Floats) -> Floats:
    draw_arrows(ax, *noisy_arrows(sigma))
    return noisy_place(couplings)
