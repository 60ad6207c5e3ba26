r"""Linear layers with Gaussian noise: the family that is closed under composition in any width."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy import linalg

from statnn._arguments import Floats, switch
from statnn._arrays import locked
from statnn._by_value import ByValue
from statnn._labelled import refuse_other_order
from statnn.rg._common import depth, entries, power, real, refuse_misfit, refuse_unless_square, simulated
from statnn.rg._fixed_points import FixedPoint
from statnn.rg._flow import Flow, FlowEnd, checked_doublings, trajectory
from statnn.rg._layers.portrait import linear_portrait
from statnn.rg._layers.spectrum import rounding_of

NAMES = ("w", "b", "s")
"""Couplings of a layer of width one: weight, bias, variance of the noise."""
ROUNDING = 8 * np.finfo(float).eps
NEAR_ONE = 0.1
"""Distance of a spectral radius from one below which its rounding error is estimated."""
MARGIN = 10.0
"""Safety factor on the estimated rounding of a spectral radius, which is now and then exceeded three times."""
DOUBTFUL_RADIUS = 0.2
"""Spectral radius over norm below which it may be rounding: of defective zeros rounding is a root of high order."""
MOST_DOUBLINGS = 70
GROWN = (
    "the composed layer exceeds the range of float64: its signal or its noise grows beyond 1e308. An expanding layer "
    "(spectral radius of W above 1) has no limit; compose fewer of them, or rescale"
)


class Regime(StrEnum):
    """Fate of a signal under repetition, decided by the spectral radius ρ of W."""

    CONTRACTING = "contracting"
    CRITICAL = "critical"
    EXPANDING = "expanding"


@dataclass(frozen=True, eq=False, repr=False)
class Gaussian(ByValue):
    """A Gaussian law: mean, shape (n,), and covariance, shape (n, n).

    See Also
    --------
    LinearLayer.stationary, LinearLayer.propagate : make it.
    """

    mean: Floats
    covariance: Floats


@dataclass(frozen=True, eq=False, repr=False)
class LinearLayer(ByValue):
    r"""A layer h' = W h + b + ξ with Gaussian noise ξ ~ N(0, S) [exact].

    Two layers, this one first, compose to the layer

    .. math:: W = W_2 W_1, \qquad b = W_2 b_1 + b_2, \qquad S = W_2 S_1 W_2^T + S_2 .

    Parameters
    ----------
    weight : float or array_like, shape (n', n)
        W; a number makes a layer of width one. Only a square layer can be repeated.
    bias : float or array_like, shape (n',)
        b; one number for all units.
    noise_covariance : float or array_like, shape (n', n')
        S, the *covariance* of the noise, symmetric without negative eigenvalues; a number is the variance of every
        unit.

    Raises
    ------
    TypeError, ValueError
        If shapes do not match, entries are not finite real numbers, or S is not a covariance.

    See Also
    --------
    NoisyLayer : a nonlinear layer, of one neuron.
    flow, fixed_points, exponents : the layer under doubling.

    Notes
    -----
    Composition is exact to rounding. Powers of width one have relative errors of a few 1e-16 for any m, by closed forms
    without cancellation; powers of wider layers have errors of some 1e-16 m of the largest entry.

    Examples
    --------
    >>> two = LinearLayer(0.5, 1.0, 0.1).compose(LinearLayer(2.0))
    >>> two.weight, two.bias, two.noise_covariance
    (array([[1.]]), array([2.]), array([[0.4]]))
    """

    weight: Floats
    bias: Floats
    noise_covariance: Floats

    def __init__(self, weight: ArrayLike, bias: ArrayLike = 0.0, noise_covariance: ArrayLike = 0.0) -> None:
        w = real(weight, "weight")
        w = w.reshape(1, 1) if w.ndim == 0 else w
        if w.ndim != 2 or not w.size:
            raise ValueError(f"weight has shape {w.shape}; give one number or a matrix of shape (out, in)")
        wide = w.shape[0]
        refuse_other_order(bias, "bias", weight, "weight")
        refuse_other_order(noise_covariance, "noise_covariance", weight, "weight")
        b, s = real(bias, "bias"), real(noise_covariance, "noise_covariance")
        if b.shape not in {(), (wide,)}:
            raise ValueError(f"bias has shape {b.shape}; a layer with weight {w.shape} needs ({wide},), or one number")
        object.__setattr__(self, "weight", locked(w))
        object.__setattr__(self, "bias", locked(np.broadcast_to(b, (wide,))))
        object.__setattr__(self, "noise_covariance", locked(_covariance(s, wide, "noise_covariance")))

    @property
    def shape(self) -> tuple[int, int]:
        """Widths (n', n), outputs first."""
        return self.weight.shape[0], self.weight.shape[1]

    def compose(self, other: LinearLayer) -> LinearLayer:
        """Return two layers as one: this layer acts first, `other` on its outputs.

        Parameters
        ----------
        other : LinearLayer
            The layer above; it takes as many inputs as this one has outputs.

        Raises
        ------
        TypeError, ValueError
            If it is not a linear layer, widths do not match, or the result exceeds the range of float64.

        Examples
        --------
        >>> LinearLayer([[1.0, 2.0]]).compose(LinearLayer([[3.0], [4.0]])).weight
        array([[3., 6.],
               [4., 8.]])
        """
        if not isinstance(other, LinearLayer):
            raise TypeError(f"a linear layer composes with a LinearLayer, not with a {type(other).__name__}")
        refuse_misfit(self, other)
        with np.errstate(over="ignore", invalid="ignore"):
            weight = other.weight @ self.weight
            bias = other.weight @ self.bias + other.bias
            covariance = other.weight @ self.noise_covariance @ other.weight.T + other.noise_covariance
            covariance = (covariance + covariance.T) / 2
        if not all(np.isfinite(array).all() for array in (weight, bias, covariance)):
            raise ValueError(GROWN)
        return _made(weight, bias, covariance)

    def power(self, m: int) -> LinearLayer:
        """Return m such layers as one: in closed form for width one, else in O(log m) compositions.

        Parameters
        ----------
        m : int
            Number of layers, from 1 to 1e18.

        Raises
        ------
        TypeError, ValueError
            If the layer is not square, m is not such a number, or the result exceeds the range of float64.

        Examples
        --------
        >>> LinearLayer(0.5, 1.0).power(10**18).bias
        array([2.])
        """
        refuse_unless_square(self, "repeated")
        if self.shape != (1, 1):
            return power(self, m)
        return block(self, depth(m))

    @property
    def radius(self) -> float:
        """Spectral radius ρ of W, the largest modulus of an eigenvalue.

        Its error is some 1e-16 ‖W‖ times the condition of the eigenvector: a k-th root of rounding for a defective
        eigenvalue of multiplicity k.
        """
        refuse_unless_square(self, "repeated: its spectral radius does not exist")
        if self.shape == (1, 1):
            return abs(float(self.weight[0, 0]))
        return float(np.abs(np.linalg.eigvals(self.weight)).max())

    @property
    def regime(self) -> Regime:
        """Whether repetition contracts (ρ < 1), preserves (ρ = 1 to rounding) or expands (ρ > 1) signals."""
        gap = self.radius - 1
        rounding = 0.0 if self.shape == (1, 1) else ROUNDING * self.shape[0]
        if 0.0 < rounding < abs(gap) < NEAR_ONE:  # for a defective eigenvalue one, rounding is a root of this
            rounding = max(rounding, MARGIN * self._rounding())
        if abs(gap) <= rounding:
            return Regime.CRITICAL
        return Regime.CONTRACTING if gap < 0 else Regime.EXPANDING

    def correlation_length(self) -> float:
        r"""Return ξ = 1/|ln ρ(W)|, in layers.

        In a contracting layer a signal decays as exp(-m/ξ), in an expanding one it grows as exp(m/ξ): `regime` tells
        the two apart. The relative error of ξ is that of ρ over |ln ρ|: see `radius`.

        Returns
        -------
        float
            inf at criticality; 0 where W is nilpotent.

        Raises
        ------
        ValueError, ArithmeticError
            If the layer is not square, or ρ(W) cannot be told from 0, as W is nilpotent within rounding.

        Examples
        --------
        >>> round(LinearLayer(-0.5).correlation_length(), 6)  # 1/ln 2
        1.442695
        >>> LinearLayer([[1.0, -1.0], [1.0, -1.0]], 0.0).correlation_length()
        0.0
        """
        radius = self.radius
        if self.regime is Regime.CRITICAL:
            return math.inf
        if radius == 0 or self._is_nilpotent(radius):
            return 0.0
        return 1 / abs(math.log(radius))

    def _rounding(self) -> float:
        """Return the rounding error of ρ(W), estimated by its eigenvectors; reordered triangular matrices have none."""
        with np.errstate(invalid="ignore"):  # scipy derives indices from scales, which may overflow integers
            weight = linalg.matrix_balance(self.weight)[0]
        return rounding_of(weight, self.radius) if np.tril(weight, -1).any() else 0.0

    def _is_nilpotent(self, radius: float) -> bool:
        """Return whether a power of W is zero, even if computed eigenvalues are not; raise if undecidable."""
        if self.shape == (1, 1) or radius > DOUBTFUL_RADIUS * np.linalg.norm(self.weight, 2):
            return False
        if self._rounding() < radius / 100:
            return False
        power = self.weight
        for _ in range(self.shape[0].bit_length()):
            power = power / 2.0 ** np.frexp(np.abs(power).max())[1]  # keeps whole numbers exact and in range
            power = power @ power
            if not power.any():
                return True
        raise ArithmeticError(
            f"the spectral radius {radius:.1e} cannot be told from 0 in float64, as eigenvectors are nearly alike: a "
            "layer like this may forget everything at once"
        )

    def propagate(self, mean: ArrayLike, covariance: ArrayLike = 0.0) -> Gaussian:
        """Return the law of the outputs when the inputs are Gaussian: W μ + b and W C W^T + S.

        Parameters
        ----------
        mean : array_like, shape (n,), or float
            μ; one number for all inputs.
        covariance : array_like, shape (n, n), or float
            C; a number is the variance of every input, independent.

        Raises
        ------
        TypeError, ValueError
            If shapes do not match or C is not a covariance.

        Examples
        --------
        >>> LinearLayer(2.0, 1.0, 0.5).propagate(3.0, 1.0)
        Gaussian(mean=array([7.]), covariance=array([[4.5]]))
        """
        wide = self.shape[1]
        refuse_other_order(covariance, "covariance", mean, "mean")
        given = real(mean, "mean")
        if given.shape not in {(), (wide,)}:
            raise ValueError(f"mean has shape {given.shape}; this layer takes ({wide},), or one number")
        spread = _covariance(real(covariance, "covariance"), wide, "covariance")
        start = _made(np.zeros((wide, wide)), np.broadcast_to(given, (wide,)), spread)
        end = start.compose(self)
        return Gaussian(end.bias, end.noise_covariance)

    def stationary(self) -> Gaussian:
        r"""Return the stationary law of the layer: (1 - W) μ = b, C = W C W^T + S.

        Raises
        ------
        ValueError
            If there is none, because ρ(W) >= 1.

        Notes
        -----
        Width one has a closed form, s/((1 - w)(1 + w)). Wider layers are solved by doubling, which keeps C positive:
        relative errors are about 1e-16 ξ.

        Examples
        --------
        >>> LinearLayer(0.5, 1.0, 0.75).stationary()
        Gaussian(mean=array([2.]), covariance=array([[1.]]))
        """
        if self.regime is not Regime.CONTRACTING:
            raise ValueError(
                f"there is no stationary law: the layer is {self.regime} (spectral radius {self.radius:.6g}), and "
                "noise and bias add up without bound; a radius below 1 is needed"
            )
        wide = self.shape[0]
        if wide == 1:
            w = float(self.weight[0, 0])
            return Gaussian(locked(self.bias / (1 - w)), locked(self.noise_covariance / ((1 - w) * (1 + w))))
        layer = self
        for _ in range(MOST_DOUBLINGS):
            layer, before = layer.compose(layer), layer
            grown = not np.array_equal(layer.noise_covariance, before.noise_covariance)
            if not grown and not np.abs(layer.weight).max() > 1e-20:
                break
        return Gaussian(locked(np.linalg.solve(np.eye(wide) - self.weight, self.bias)), layer.noise_covariance)

    def simulate(self, start: ArrayLike, depth: int, *, rng: int | np.random.Generator | None = None) -> Floats:
        """Return the activity of replicas through `depth` layers.

        Parameters
        ----------
        start : array_like, shape (replicas, n) or (n,)
            h at layer 0.
        depth : int
            Number of layers, at least 1.
        rng : int, numpy.random.Generator or None
            Seed; fresh entropy when None. The first replicas do not depend on the number of replicas.

        Returns
        -------
        ndarray, shape (replicas, depth + 1, n) or (depth + 1, n)

        Raises
        ------
        TypeError, ValueError, MemoryError
            If the layer is not square, shapes do not match, paths would not fit into memory, or signals exceed the
            range of float64.

        Examples
        --------
        >>> LinearLayer(0.5).simulate([8.0], 3, rng=0).ravel()
        array([8., 4., 2., 1.])
        """
        refuse_unless_square(self, "repeated")
        h = real(start, "start")
        if h.ndim not in {1, 2} or h.shape[-1] != self.shape[1]:
            raise ValueError(f"start has shape {h.shape}; (replicas, {self.shape[1]}) or ({self.shape[1]},) is needed")
        values, vectors = np.linalg.eigh(self.noise_covariance)
        spread = vectors * np.sqrt(np.maximum(values, 0))

        def layer(h: Floats, kicks: Floats) -> Floats:
            result: Floats = h @ self.weight.T + self.bias + kicks @ spread.T
            return result

        return simulated(h, depth, rng, layer, self.regime, units=1)

    def flow(self, doublings: int = 12, *, project: bool = False) -> Flow:
        """Return the trajectory of (w, b, s) under doubling, for width one: see `statnn.rg.flow`.

        Parameters
        ----------
        doublings : int
            How often the number of layers in a block is doubled.
        project : bool
            Has no effect: the family is closed, and truncation errors are zero.

        Examples
        --------
        >>> LinearLayer(0.5, 0.0, 0.1).flow(2).couplings
        array([[0.5      , 0.       , 0.1      ],
               [0.25     , 0.       , 0.125    ],
               [0.0625   , 0.       , 0.1328125]])
        """
        steps, project = checked_doublings(doublings), switch(project, "project")
        wide = self.shape[0]
        names: tuple[str, ...] = NAMES
        if self.shape != (1, 1):
            names = (*entries("w", wide), *(f"b{i}" for i in range(wide)), *entries("s", wide))
        rows, end = [], FlowEnd.COMPLETE
        layer, first = self, self.power(1)
        for k in range(steps + 1):
            rows.append((np.concatenate([layer.weight.ravel(), layer.bias, layer.noise_covariance.ravel()]), 0.0, 0.0))
            if k == steps:
                break
            try:
                layer = block(first, 2 ** (k + 1)) if wide == 1 else layer.compose(layer)
            except ValueError:
                end = FlowEnd.OVERFLOW
                break
        return trajectory("linear", names, rows, project=project, end=end, portrait=linear_portrait)

    @classmethod
    def fixed_points(cls) -> tuple[FixedPoint, ...]:
        r"""Return the fixed points of width one in the couplings (w, b, s).

        "disordered": w = 0, with any bias and noise, here 0 and 1. "critical": w = 1 without bias and noise, where
        w' = w^b, so that the eigenvalue of w is b, y = 1 and ν = 1. Blocks of an odd number of layers also have the
        fixed point w = -1.

        Examples
        --------
        >>> [(point.name, point.couplings.tolist()) for point in LinearLayer.fixed_points()]
        [('disordered', [0.0, 0.0, 1.0]), ('critical', [1.0, 0.0, 0.0])]
        """
        return (
            FixedPoint("disordered", NAMES, np.array([0.0, 0.0, 1.0]), renormalised, _around_zero, cls(0.0, 0.0, 1.0)),
            FixedPoint("critical", NAMES, np.array([1.0, 0.0, 0.0]), renormalised, _around_one, cls(1.0), "w"),
        )


def block(layer: LinearLayer, m: int) -> LinearLayer:
    """Return m layers of width one as one, or raise."""
    couplings = renormalised(np.concatenate([layer.weight[0], layer.bias, layer.noise_covariance[0]]), m)
    if not np.isfinite(couplings).all():
        raise ValueError(GROWN)
    w, bias, variance = couplings
    return _made(np.array([[w]]), np.array([bias]), np.array([[variance]]))


def renormalised(couplings: Floats, b: int) -> Floats:
    """Return (w, b, s) of b layers of width one to a few 1e-16; s may be negative, for derivatives."""
    w, bias, s = (float(x) for x in couplings)
    with np.errstate(over="ignore", invalid="ignore"):
        power = _power(np.float64(abs(w)), b) * (-1 if w < 0 and b % 2 else 1)
        sums = _geometric(w, b, bias) if bias else 0.0, _geometric(w, b, s, twice=True) if s else 0.0
        return np.array([power, *sums])


def _power(size: np.float64, count: int) -> np.float64:
    """Return a power in two parts, since float64 would round an exponent beyond 2^53."""
    low = count % 2048 if count > 2**53 else 0
    return size ** float(count - low) * size ** float(low)


def _geometric(w: float, m: int, first: float, *, twice: bool = False) -> Any:
    """Return `first` times the sum of w^k over k < m, or of w^(2k), without cancellation at |w| = 1."""
    size = np.float64(abs(w))
    if size == 1:
        return first * (m if twice or w > 0 else m % 2)
    if size == 0:
        return first
    count = 2 * m if twice else m
    log = count * np.log(size)
    grows = log > 1  # then in units of the last term, which alone may overflow
    lost = -np.expm1(log) if abs(log) < 1 else 1 - _power(size, count) ** (-1 if grows else 1)  # one minus a power
    if w < 0 and not twice and m % 2:
        lost = 2 - lost
    if not grows:
        return first * lost / ((1 - size) * (1 + size) if twice else 1 - np.float64(w))
    last = _power(size, m - 1)
    if twice:
        return first * last * last * (lost / ((size - 1) / size * ((size + 1) / size)))
    return first * last * (lost / ((np.float64(w) - 1) / w)) * (1 if w > 0 or m % 2 else -1)


def _around_zero(b: int) -> Floats:
    del b
    return np.diag([0.0, 1.0, 1.0])


def _around_one(b: int) -> Floats:
    return np.diag([float(b)] * 3)


def _made(weight: Floats, bias: Floats, covariance: Floats) -> LinearLayer:
    """Return a layer of valid arrays without checking them."""
    layer = object.__new__(LinearLayer)
    for name, array in (("weight", weight), ("bias", bias), ("noise_covariance", covariance)):
        object.__setattr__(layer, name, locked(array))
    return layer


def _covariance(values: Floats, wide: int, name: str) -> Floats:
    if values.ndim == 0:
        values = values * np.eye(wide)
    if values.shape != (wide, wide):
        raise ValueError(
            f"{name} has shape {values.shape}; a covariance of shape ({wide}, {wide}) or a variance is needed"
        )
    scale = float(np.abs(values).max())
    with np.errstate(over="ignore"):
        gap = np.abs(values - values.T)
    if (gap > 1e-12 * scale).any():
        raise ValueError(f"{name} is not symmetric: a covariance is; pass (S + S.T) / 2 if only rounding is to blame")
    lowest = float(np.linalg.eigvalsh(values)[0])
    if lowest < -1e-12 * scale:
        what = "variance" if wide == 1 else "eigenvalue of a covariance"
        raise ValueError(f"{name} has the {what} {lowest:.6g}, below zero; it is the covariance S, not a deviation")
    if not scale < np.finfo(float).max / 2:
        raise ValueError(f"{name} reaches {scale:g}: sums exceed the range of float64; measure signals in another unit")
    return (values + values.T) / 2
