r"""Wide random layers: mean-field theory of signals in depth (Poole et al. 2016; Schoenholz et al. 2017).

A layer has weights W_ij ~ N(0, σ_w²/n) and biases b_i ~ N(0, σ_b²), fresh in every layer. As n → ∞ the fields of two
inputs are Gaussian, with a variance q and a correlation c that follow two maps from layer to layer.
"""

from __future__ import annotations

import math
import os
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from statnn._archive.fingerprint import digest_of_work
from statnn._archive.store import opened_or_none
from statnn._arguments import Floats, at_least, deviation_of, positive, shaped, whole
from statnn._random import root, seed_of
from statnn._tasks import check_executor
from statnn.network._activation import Activation
from statnn.network._activation import activation as known
from statnn.rg._common import LARGEST
from statnn.rg._fixed_points import FixedPoint, FixedPointEnd
from statnn.rg.wide._averages import Averages, averages
from statnn.rg.wide._finite_width import FiniteWidth, Signals, leading_order, simulated
from statnn.rg.wide._mean_field import MeanField, points
from statnn.rg.wide._solve import VarianceEnd, described, solve, variances
from statnn.rg.wide._stack import RandomStack, correlations, one_correlation

NEAR_ZERO = 0.1
"""Correlations below this value are integrated from zero when the activation is odd."""
GRID = np.geomspace(1e-9, 1e12, 21 * 8 + 1)
"""Variances scanned by `branches`."""


LARGEST_VARIANCE = 1e300
"""Largest variance of fields."""


@dataclass(frozen=True)
class RandomLayer:
    r"""A layer of infinite width with random weights and biases, h' = Wφ(h) + b for the fields h.

    .. math:: q' = V(q) = σ_w^2 E\,φ(\sqrt q z)^2 + σ_b^2, \qquad
              c' = \frac{σ_w^2 E\,φ(x)φ(y) + σ_b^2}{V(q)}, \qquad χ = σ_w^2 E\,φ'(\sqrt{q^*} z)^2

    for Gaussian fields x, y of variance q and correlation c [asymptotic: exact as the width n → ∞, corrections of order
    depth/n, see `finite_width`].

    Parameters
    ----------
    activation : str or Activation
        φ, continuous. Averages have closed forms for identity, relu, leaky relu, erf, gelu, sin and sign; tanh and
        sigmoid are good to 1e-13; others and functions of your own use adaptive quadrature to about 1e-11.
    sigma_w, sigma_b : float
        σ_w (times the root of the fan-in) and σ_b, standard deviations >= 0.

    Raises
    ------
    TypeError, ValueError
        If a deviation is not a finite number >= 0, or the activation is unknown.

    See Also
    --------
    phase_diagram, transition, criticality : for all :math:`σ_w` and :math:`σ_b`.
    place : layers of a network as random layers.
    RandomStack : unequal layers.

    References
    ----------
    Poole et al. 2016; Schoenholz et al. 2017.

    Examples
    --------
    >>> point = RandomLayer("tanh", 1.5, 0.1).fixed_point()
    >>> point.phase.value, round(point.variance, 9), round(point.chi, 9), round(point.correlation, 9)
    ('chaotic', 0.813322327, 1.129052699, 0.180084212)
    """

    activation: Activation
    sigma_w: float
    sigma_b: float

    def __init__(self, activation: str | Activation, sigma_w: float, sigma_b: float = 0.0) -> None:
        object.__setattr__(self, "activation", known(activation))
        fix = "RandomStack takes unequal layers"
        object.__setattr__(self, "sigma_w", deviation_of(sigma_w, "sigma_w", fix=fix))
        object.__setattr__(self, "sigma_b", deviation_of(sigma_b, "sigma_b", fix=fix))
        if max(self.sigma_w, self.sigma_b) > LARGEST:
            raise ValueError(
                f"sigma_w = {self.sigma_w:g}, sigma_b = {self.sigma_b:g}: above {LARGEST:g} squares overflow"
            )

    @cached_property
    def _of(self) -> Averages:
        return averages(self.activation)

    @property
    def _scales(self) -> tuple[float, float]:
        return self.sigma_w**2, self.sigma_b**2

    # -- maps --------------------------------------------------------------------------------------------

    def variance_map(self, q: ArrayLike) -> Any:
        """Return q' = V(q), the variance of fields one layer on.

        Parameters
        ----------
        q : array_like
            Variance of the fields, >= 0, any shape.

        Examples
        --------
        >>> RandomLayer("relu", 2.0, 0.5).variance_map(3.0)
        6.25
        """
        given = _variances(q)
        weight, bias = self._scales
        with np.errstate(over="ignore"):
            after = weight * self._of.moments(given.ravel()).square + bias
        if not np.isfinite(after).all():
            raise ValueError(
                f"q = {given.max():g}: the variance exceeds the range of floats: it grows without bound; take fewer "
                "layers, or smaller sigma_w"
            )
        return shaped(after.reshape(given.shape), q)

    def variance_slope(self, q: ArrayLike) -> Any:
        """Return dV/dq.

        Parameters
        ----------
        q : array_like
            Variance of the fields, >= 0, any shape.

        Examples
        --------
        >>> layer = RandomLayer("tanh", 1.5, 0.1)
        >>> round(layer.variance_slope(layer.fixed_point().variance), 6)
        0.493803
        """
        given = _variances(q)
        return shaped((self._scales[0] * self._of.moments(given.ravel()).slope).reshape(given.shape), q)

    def chi(self, q: ArrayLike) -> Any:
        """Return σ_w² E φ'(√q z)², the growth factor of squared small distances; inf for sign.

        Parameters
        ----------
        q : array_like
            Variance of the fields, >= 0, any shape.

        Examples
        --------
        >>> import numpy as np
        >>> round(RandomLayer("erf", 1.0).chi(0.0), 12) == round(4 / np.pi, 12)
        True
        """
        given = _variances(q)
        square = self._of.moments(given.ravel()).square_of_slope
        weight = self._scales[0]
        result = weight * square if weight else np.zeros_like(square)
        return shaped(result.reshape(given.shape), q)

    def correlation_map(self, c: ArrayLike, q: ArrayLike) -> Any:
        """Return c', the correlation one layer on of fields that both have variance q.

        Parameters
        ----------
        c : array_like
            Correlation, in [-1, 1].
        q : array_like
            Variance, above 0; broadcast against c.

        Examples
        --------
        >>> import numpy as np
        >>> round(RandomLayer("relu", 2.0**0.5).correlation_map(0.0, 1.0), 12) == round(1 / np.pi, 12)
        True
        """
        given, variance = np.broadcast_arrays(correlations(c, q), _variances(q))
        if (variance == 0).any():
            raise ValueError("q = 0: fields without variance have no correlation; pass q > 0")
        weight, bias = self._scales
        flat, flat_c = variance.ravel(), given.ravel()
        total = np.ravel(self.variance_map(flat))
        odd = self.activation.odd or self.activation.flat  # then E φ(x)φ(y) = -E φ(x)φ(-y)
        opposite = (flat_c < 0) & odd
        with np.errstate(all="ignore"):  # overflow is refused below
            gap = weight * self._of.pair_moments(1 - np.where(opposite, -flat_c, flat_c), flat)[0]
        if (total == 0).any():
            why = "below the range of floats" if weight or bias else "sigma_w = sigma_b = 0"
            raise ValueError(f"{why}: the next layer has no variance, and so no correlation")
        correlation = np.where(opposite, (gap + 2 * bias) / total - 1, 1 - gap / total)
        correlation = np.maximum(correlation, -1.0)  # only rounding goes beyond
        near = np.abs(flat_c) < NEAR_ZERO
        if odd and bias == 0 and near.any():
            correlation[near] = self._from_zero(flat_c[near], flat[near], flat[near] / (total[near] / weight))
        if not np.isfinite(correlation).all():
            raise ValueError(f"q from {flat.min():g} to {flat.max():g}: averages of pairs exceed the range of float64")
        return shaped(correlation.reshape(given.shape), np.zeros(np.broadcast_shapes(np.shape(c), np.shape(q))))

    def _from_zero(self, c: Floats, q: Floats, share: Floats) -> Floats:
        """Return E φ(x)φ(y)/q = ∫_0^c S(t) dt of an odd φ, times `share`; keeps its digits where 1 - G/M cancels."""
        x, w = np.polynomial.legendre.leggauss(8)
        t = c[:, None] * (1 + x) / 2
        slopes = self._of.pair_moments(1 - t.ravel(), np.repeat(q, x.size))[1].reshape(t.shape)
        change: Floats = c * ((slopes * share[:, None]) @ w) / 2
        return change

    def propagate(self, q: float, c: float, depth: int) -> tuple[Floats, Floats]:
        """Return variance and correlation in every layer, each of shape (depth+1,), the start first.

        Parameters
        ----------
        q : float
            Variance of the fields of both inputs in the first layer, above 0.
        c : float
            Their correlation, in [-1, 1].
        depth : int
            Number of further layers.

        Examples
        --------
        >>> q, c = RandomLayer("relu", 2.0**0.5).propagate(1.0, 0.0, 2)
        >>> q, c.round(6)
        (array([1., 1., 1.]), array([0.      , 0.31831 , 0.493731]))
        """
        return self.power(1).trajectory(q, c, depth)

    # -- where it ends -----------------------------------------------------------------------------------

    def fixed_point(self, start: float = 1.0) -> MeanField:
        """Return the fixed point that a variance `start` tends to, with c*, χ and the lengths ξ_q, ξ_c.

        Parameters
        ----------
        start : float
            Variance of the fields in the first layer, above 0. The fixed point is the next one in the direction in
            which V moves it, unless a single layer jumps over that one and another. `branches` gives the others.

        Returns
        -------
        MeanField
            With its outcome and residual. If the variance grows without bound, as for relu at σ_w² > 2, the outcome
            says so, the variance is inf, and `MeanField.variance_slope` is its growth factor per layer.

        Raises
        ------
        ValueError
            If the variance ends beyond 1e12, or beyond the reach of averages of a function of your own, or the averages
            do not converge.

        Notes
        -----
        Solved by bracketing to rounding; where the activation is a function of your own, a chaotic fixed point takes
        seconds, since each correlation is a double integral. At a fixed point dq'/dq >= -1/2, since E φ² √q never
        falls: variances that stay bounded end in one, and never in a cycle [exact].

        Examples
        --------
        >>> RandomLayer("relu", 1.5).fixed_point().outcome.value
        'no fixed point: the variance grows without bound'
        """
        begin = positive(start, "start", why="it is the variance of the fields of the first layer")
        weight, bias = self._scales
        return points([self], solve(self._of, np.array([weight]), np.array([bias]), begin))[0]

    def correlation_length(self, start: float = 1.0) -> float:
        """Return ξ_c in layers at the fixed point of `fixed_point`.

        Parameters
        ----------
        start : float
            Variance of the fields in the first layer, above 0.

        Examples
        --------
        >>> round(RandomLayer("erf", 0.5, 0.5).correlation_length(), 6)
        0.644939
        """
        return self.fixed_point(start).xi_correlation

    def branches(self) -> tuple[MeanField, ...]:
        """Return all fixed points with variance from 1e-9, or σ_b² if less, to 1e12, and q* = 0, smallest first.

        Attracting and repelling points alternate: between two that attract lies one that repels. For a function of your
        own the largest variance is that up to which averages can be computed.

        Examples
        --------
        >>> points = RandomLayer("tanh", 1.5).branches()
        >>> [(round(point.variance, 6), point.outcome.name) for point in points]
        [(0.0, 'REPELLING'), (0.793354, 'CONVERGED')]
        """
        weight, bias = self._scales
        if self._of.homogeneous:
            point = self.fixed_point()
            rest = described(self._of, np.array([weight]), np.array([bias]), np.zeros(1))
            zero = points([self], rest) if bias == 0 and point.variance != 0 else ()
            return (*zero, *((point,) if point.outcome is not VarianceEnd.UNBOUNDED else ()))
        decades = max(0, math.ceil(math.log10(GRID[0]) - math.log10(bias)) + 1) if bias else 0
        grid = np.append(GRID[0] * 10.0 ** (np.arange(-8 * decades, 0) / 8), GRID[self._of.reach >= GRID])
        q = variances(self._of, weight, bias, grid)
        if bias == 0 and weight * self._of.moments(np.array([1e-300])).square[0] < 1e-200:
            q = np.append(0.0, q)
        every = described(self._of, np.full(q.size, weight), np.full(q.size, bias), q)
        return points([self] * q.size, every)

    def fixed_points(self) -> tuple[FixedPoint, ...]:
        """Return the fixed points of `branches` in the coordinates (q, c), for `statnn.rg.exponents`.

        Examples
        --------
        >>> [point.couplings.round(6) for point in RandomLayer("tanh", 1.5, 0.1).fixed_points()]
        [array([0.813322, 0.180084])]
        """
        return tuple(self._fixed(branch) for branch in self.branches())

    def _fixed(self, point: MeanField) -> FixedPoint:
        ending = FixedPointEnd.EXACT if self._of.homogeneous else FixedPointEnd.CONVERGED
        return FixedPoint(
            point.phase.value,
            ("q", "c"),
            np.array([point.variance, point.correlation]),
            _Maps(self),
            _Derivative(self, point),
            self,
            ending=ending,
            residual=point.residual,
        )

    # -- finite width ------------------------------------------------------------------------------------

    def finite_width(self, q: float, depth: int) -> FiniteWidth:
        r"""Return the leading order in 1/n of networks of width n: shift and spread of the variance K of fields.

        .. math:: n\,\mathrm{Var}K' &= V'^2\, n\,\mathrm{Var}K + σ_w^4 (E φ^4 - (E φ^2)^2), \\
                  n\,(E K' - q') &= V'\, n\,(E K - q) + \tfrac12 V''\, n\,\mathrm{Var}K

        Next order is 1/n² [asymptotic]: the expansion is one in depth/n.

        Parameters
        ----------
        q : float
            Variance of the fields in the first layer, above 0.
        depth : int
            Number of further layers.

        References
        ----------
        This project; compare Hanin 2018 and Roberts, Yaida & Hanin 2022.

        Examples
        --------
        >>> RandomLayer("relu", 2.0**0.5).finite_width(1.0, 3).spread
        array([ 0.,  5., 10., 15.])
        """
        begin = float(_variances(positive(q, "q", why="it is the variance of the fields of the first layer")))
        return leading_order(self._of, *self._scales, begin, whole(depth, "depth", minimum=0, maximum=10**6))

    def simulate(
        self,
        width: int,
        depth: int,
        *,
        replicas: int = 1000,
        q: float = 1.0,
        c: float = 0.0,
        rng: int | np.random.Generator | None = None,
        executor: Executor | None = None,
        store: str | os.PathLike[str] | None = None,
    ) -> Signals:
        """Simulate networks of finite width on two inputs.

        Parameters
        ----------
        width : int
            n, units in each layer.
        depth : int
            Number of further layers.
        replicas : int
            Independent networks.
        q, c : float
            Variance, above 0, of the fields of both inputs in the first layer, and their correlation.
        rng : int, numpy.random.Generator or None
            Seed; results do not depend on the executor.
        executor : concurrent.futures.Executor or None
            Runs blocks of 64 replicas; None runs them in this process.
        store : str or os.PathLike, optional
            A folder for checkpoints: killed at any moment and called again with the same arguments, the simulation goes
            on and returns the same signals; see `statnn.montecarlo.sample`.

        Returns
        -------
        Signals

        Raises
        ------
        TypeError, ValueError, MemoryError
            If arguments do not fit, replicas would not fit into memory, or fields exceed the range of float64.

        Notes
        -----
        Weights are integrated out exactly: fields of one layer given the one below are independent Gaussians.

        Examples
        --------
        >>> run = RandomLayer("tanh", 1.5, 0.1).simulate(width=50, depth=10, replicas=3, rng=0)
        >>> run.variance.shape, run.correlation.shape
        ((3, 11, 2), (3, 11))
        """
        check_executor(executor)
        begin = positive(q, "q", why="it is the variance of the fields of the first layer")
        correlation = one_correlation(c)
        sizes = (
            whole(width, "width", minimum=1, maximum=10**7),
            whole(depth, "depth", minimum=0, maximum=10**6),
            whole(replicas, "replicas", minimum=1, maximum=10**8),
        )
        names = dict(zip(("width", "depth", "replicas"), sizes, strict=True))
        work = {"verb": "simulate", "layer": digest_of_work(self), **names}
        key = {**work, "begin": [begin, correlation], "seed": root(rng)}
        with opened_or_none(store, key, adopt=("seed",) if rng is None else ()) as kept:
            seed = seed_of(key["seed"] if kept is None else kept.key["seed"])
            return simulated(self, *sizes, (begin, correlation), seed, executor, kept)

    # -- composition -------------------------------------------------------------------------------------

    def compose(self, second: RandomLayer | RandomStack) -> RandomStack:
        """Return the layers `self` and then `second` as one.

        Parameters
        ----------
        second : RandomLayer or RandomStack
            The layers that act on the outputs of this one.

        Examples
        --------
        >>> layer = RandomLayer("erf", 1.2, 0.1)
        >>> layer.compose(layer) == layer.power(2)
        True
        """
        return self.power(1).compose(second)

    def power(self, m: int) -> RandomStack:
        """Return m such layers as one.

        Parameters
        ----------
        m : int
            At least 1. The composed maps are iterated, O(m); iteration stops once it no longer moves.
        """
        return RandomStack((self,), (whole(m, "m", minimum=1),))


@dataclass(frozen=True)
class _Maps:
    """The maps of b layers in (q, c); a class, so that fixed points can be pickled."""

    layer: RandomLayer

    def __call__(self, couplings: Floats, b: int) -> Floats:
        block, (q, c) = self.layer.power(b), map(float, couplings)
        if q == 0:  # all fields are zero, so the next ones are equal for all inputs
            return np.array([block.variance_map(0.0), 1.0])
        after = block.trajectory(q, c, 1)
        return np.array([each[-1] for each in after])


@dataclass(frozen=True)
class _Derivative:
    """The derivative of `_Maps` at a fixed point."""

    layer: RandomLayer
    point: MeanField

    def __call__(self, b: int) -> Floats:
        return np.linalg.matrix_power(_derivative(self.layer, self.point), b)


def _derivative(layer: RandomLayer, point: MeanField) -> Floats:
    """Return ∂(q', c')/∂(q, c) at a fixed point."""
    across = 0.0
    if 0 < point.distance < 1 and point.variance > 0:
        step = 1e-3 * point.variance
        values = layer.correlation_map(point.correlation, point.variance + step * np.array([-2, -1, 1, 2]))
        across = float(values @ np.array([1, -8, 8, -1]) / (12 * step))
    return np.array([[point.variance_slope, 0.0], [across, point.correlation_slope]])


def _variances(q: ArrayLike) -> Floats:
    given = at_least(q, "q", minimum=0, why="it is a variance of fields")
    if given.size and given.max() > LARGEST_VARIANCE:
        raise ValueError(f"q = {given.max():g} is above {LARGEST_VARIANCE:g}: averages exceed the range of float64")
    return given
