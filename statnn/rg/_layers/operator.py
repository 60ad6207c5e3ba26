r"""Transfer operators of scalar layers on quadrature nodes: they compose even if a law has no closed form."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy import linalg
from scipy.sparse.linalg import ArpackNoConvergence, eigs

from statnn._arguments import Floats, array_of, whole
from statnn._arrays import locked, read_only
from statnn._axes import axes, ink, settled
from statnn._by_value import ByValue
from statnn.rg._common import MOST_LAYERS, depth, number, real
from statnn.rg._layers.quadrature import lost as lost_of
from statnn.rg._layers.quadrature import masses
from statnn.rg._layers.spectrum import Spectrum, leading_first, resolved, spectrum_of

DENSE = 400
"""Up to this many nodes all eigenvalues are computed; beyond, the largest by Arnoldi's method."""
POLISH = 200
"""Most products with the positive matrix, which restore the digits and the sign of tails lost in elimination."""
SETTLED = 1e-12
"""Relative change of all masses at which these products end."""
NEAREST = 6
"""Nodes for the interpolation of laws whose origin is not known."""
CUT = 1e-3
"""Relative error of moments above which they are refused."""
CUT_OFF = math.log(1e-12)
"""Logarithm of the integrand of a moment at an end node, relative to its maximum, above which it is cut off."""
MOST_SIMILAR = 2.0
"""Largest entry of a symmetrised matrix: with a largest eigenvalue of one, entries are hardly above one."""
STEEPER = math.log(1e3)
"""Required excess of that logarithm over its value for k = 2: hand-made nodes may hold a whole law and end anywhere."""


@dataclass(frozen=True, eq=False, repr=False)
class StationaryLaw(ByValue):
    r"""The stationary law of a layer, on quadrature nodes.

    Parameters
    ----------
    nodes, weights : ndarray, shape (n,)
        ∫ f(h) dh = Σ weights f(nodes).
    density : ndarray, shape (n,)
        p(h) at the nodes.
    error : float
        Estimated relative error of the moments, from quadrature.

    See Also
    --------
    NoisyLayer.stationary, TransferOperator.stationary : make it.

    Examples
    --------
    >>> from statnn.rg import NoisyLayer
    >>> law = NoisyLayer("identity", 0.5, 1.0, 0.3).stationary()
    >>> round(law.moment(2), 9)  # 2² + 0.12
    4.12
    >>> ax = law.plot()
    """

    nodes: Floats
    weights: Floats
    density: Floats
    error: float = 0.0

    def moment(self, k: int) -> float:
        """Return ⟨h^k⟩.

        Parameters
        ----------
        k : int
            Order, at least 0.

        Raises
        ------
        TypeError, ValueError
            If it is not an order; or the moment exceeds the range of float64, or the nodes end where h^k still
            contributes.
        """
        order, masses, x = whole(k, "k", minimum=0, maximum=10**4), self.weights * self.density, self.nodes
        if order <= 2:
            return float(masses @ x**order)
        held = (np.abs(masses) >= np.finfo(float).tiny) & (x != 0)
        masses, x = masses[held], x[held]
        if not x.size:
            return 0.0
        parts = np.log(np.abs(masses)) + np.log(np.abs(x)) * np.array([[2], [order]])
        plain, ends = np.maximum(parts[:, 0], parts[:, -1]) - parts.max(axis=1)
        if ends > max(CUT_OFF, plain + STEEPER):
            raise ValueError(
                f"k = {order}: h^k still counts where nodes on [{x[0]:.4g}, {x[-1]:.4g}] end, so that its mean is not "
                "known: take a smaller k"
            )
        unit = float(np.abs(x[parts[1].argmax()]))
        try:
            root = unit ** (order / 2)
        except OverflowError:
            root = math.inf
        mean: float = float(masses @ (x / unit) ** order) * root * root
        if not math.isfinite(mean):
            raise ValueError(f"k = {order}: the mean of h^k exceeds the range of float64; take a smaller k")
        return mean

    @property
    def mean(self) -> float:
        """⟨h⟩."""
        return self.moment(1)

    @property
    def variance(self) -> float:
        """⟨h²⟩ - ⟨h⟩²."""
        return float((self.weights * self.density) @ (self.nodes - self.mean) ** 2)

    def plot(self, ax: Any | None = None, **style: Any) -> Any:
        """Plot the density, beside a Gaussian of the same mean and variance.

        Nodes in the tails where both are below a thousandth of the maximum are left out.

        Parameters
        ----------
        ax : matplotlib axes or None
            Where to draw; None makes a new figure.
        **style
            Of the density, as for ``ax.plot``.

        Returns
        -------
        matplotlib axes
        """
        ax = axes(ax)
        order = np.argsort(self.nodes, kind="stable")
        h, density = self.nodes[order], self.density[order]
        spread = max(self.variance, np.finfo(float).tiny)  # zero for a law on a single node
        gaussian = np.exp(-((h - self.mean) ** 2) / (2 * spread)) / math.sqrt(2 * math.pi * spread)
        high = np.flatnonzero(np.maximum(density, gaussian) > 1e-3 * density.max())
        shown = slice(high[0], high[-1] + 1)
        ax.plot(h[shown], density[shown], **({"label": "stationary law"} | style))
        ax.plot(h[shown], gaussian[shown], color=ink(), lw=1, ls=":", label="Gaussian")
        ax.set(xlabel="signal $h$", ylabel="density $p(h)$")
        ax.set_ylim(bottom=0)
        ax.legend(fontsize="small")
        return settled(ax)


@dataclass(frozen=True, eq=False, repr=False)
class TransferOperator(ByValue):
    r"""The law p(h'|h) of one or many scalar layers on quadrature nodes, composed by the Chapman-Kolmogorov equation.

    .. math:: p(h''|h) = \int p_2(h''|h')\, p_1(h'|h)\, dh' \quad\to\quad P = P_2 P_1, \qquad P_{ij} = w_i\, p(x_i|x_j)

    Parameters
    ----------
    nodes, weights : array_like, shape (n,)
        x_i, increasing, and w_i > 0 with ∫ f = Σ w_i f(x_i).
    probabilities : array_like, shape (n, n)
        P, each column a law: not negative, sum one.
    error : float
        Estimated error of its leading eigenvalues and relative error of its moments, from quadrature.
    panels : array_like, shape (k + 1,)
        Ends of the panels with Gauss nodes; empty if not known.
    lost : array_like, shape (n,), or None
        Estimated relative error of moments of h' from each node, due to the part of its law between or beyond nodes;
        None for zero.
    origin : NoisyLayer, tuple or None
        Source of the law, which makes starts between nodes exact: a layer, an operator and the one above it, or an
        operator and the number of further copies above it.

    Raises
    ------
    TypeError, ValueError
        If shapes do not match or a column is not a law.

    See Also
    --------
    NoisyLayer.operator : makes it.
    TransferMatrix : for spins.

    Notes
    -----
    Composition is exact up to rounding; only the choice of nodes is an approximation.

    Examples
    --------
    >>> import numpy as np
    >>> from statnn.rg import NoisyLayer
    >>> operator = NoisyLayer("tanh", 1.0, 0.0, 0.1).operator()
    >>> round(operator.power(2**20).moments(0.0)[1], 4)  # the variance of the stationary law
    0.0872
    >>> two, law = operator.compose(operator), operator.stationary().density
    >>> round(two.correlation_length() / operator.correlation_length(), 6)
    0.5
    >>> round(float(operator.spectrum(2).ratios[1]), 6), bool(np.allclose(operator.propagate(law), law))
    (0.945164, True)
    """

    nodes: Floats
    weights: Floats
    probabilities: Floats = field(repr=False)
    error: float
    panels: Floats = field(repr=False)
    lost: Floats = field(repr=False)
    origin: Any = field(compare=False, repr=False)

    def __init__(
        self,
        nodes: ArrayLike,
        weights: ArrayLike,
        probabilities: ArrayLike,
        error: float = 0.0,
        panels: ArrayLike = (),
        lost: ArrayLike | None = None,
        origin: Any = None,
    ) -> None:
        x, w, P = real(nodes, "nodes"), real(weights, "weights"), real(probabilities, "probabilities")
        ends = real(panels, "panels") if array_of(panels, "panels").size else np.empty(0)
        missed = np.zeros(x.size) if lost is None else real(lost, "lost")
        if x.ndim != 1 or w.shape != x.shape or P.shape != (x.size, x.size) or x.size < 2:
            raise ValueError(
                f"nodes, weights and probabilities have shapes {x.shape}, {w.shape}, {P.shape}; (n,), (n,), (n, n) "
                f"with n >= 2 are needed"
            )
        if (np.diff(x) <= 0).any() or (w <= 0).any():
            raise ValueError("nodes must increase and weights be positive: they are a quadrature rule")
        if (P < 0).any() or np.abs(P.sum(axis=0) - 1).max() > 1e-6:
            raise ValueError(
                f"every column of probabilities is a law of h': entries >= 0 that sum to one; the smallest is "
                f"{P.min():.3g}, and sums are from {P.sum(axis=0).min():.9g} to {P.sum(axis=0).max():.9g}"
            )
        if missed.shape != x.shape or (ends.size and not (ends.ndim == 1 and ends[0] <= x[0] < x[-1] <= ends[-1])):
            raise ValueError(
                f"lost and panels have shapes {missed.shape} and {ends.shape}; {x.size} errors, one for each node, and "
                "ends of panels that hold them all, are needed"
            )
        parts = {"nodes": x, "weights": w, "probabilities": P, "panels": ends, "lost": missed}
        for name, array in parts.items():
            object.__setattr__(self, name, locked(array))
        object.__setattr__(self, "error", number(error, "error"))
        object.__setattr__(self, "origin", origin)

    def compose(self, other: Any) -> TransferOperator:
        """Return the law of both layers: this one acts first, `other` on its outputs.

        Parameters
        ----------
        other : TransferOperator or NoisyLayer
            The layers above; an operator must have the same nodes, a layer is evaluated on them.

        Raises
        ------
        TypeError, ValueError
            If it is neither, nodes differ, or they are too few or too narrow for a layer.
        """
        if not isinstance(other, TransferOperator):
            if not hasattr(other, "_after"):
                raise TypeError(
                    f"an operator composes with a TransferOperator or a NoisyLayer, not with a {type(other).__name__}"
                )
            made: TransferOperator = other._after(self)  # noqa: SLF001 - of the same family
            return made
        if not np.array_equal(other.nodes, self.nodes):
            raise ValueError(
                "the two operators live on different nodes, where matrices do not multiply: compose the layers "
                "themselves, or make both with layer.operator(like=operator)"
            )
        both = _stacked((self.probabilities, self.lost), (other.probabilities, other.lost))
        return self._of(*both, max(self.error, other.error), (self, other))

    def power(self, m: int) -> TransferOperator:
        """Return m such layers as one, by O(log m) products of matrices.

        Columns are normalised after each product, since rounding would otherwise grow with m.

        Parameters
        ----------
        m : int
            Number of layers, from 1 to 1e18.

        Raises
        ------
        TypeError, ValueError
            If m is not such a number.
        """
        left, square = depth(m), (self.probabilities, self.lost)
        result: tuple[Floats, Floats] | None = None
        while True:
            if left & 1:
                result = square if result is None else _stacked(result, square)
            left >>= 1
            if not left:
                break
            square = _stacked(square, square)
        probabilities, lost = square if result is None else result
        base, layers = self.origin if self._is_power and (self.origin[1] + 1) * m <= MOST_LAYERS else (self, 0)
        return self._of(probabilities, lost, self.error, (base, (layers + 1) * m - 1) if m > 1 else self.origin)

    def propagate(self, density: ArrayLike) -> Floats:
        """Return the density of h' at the nodes when h has this density, shape (n,).

        Parameters
        ----------
        density : array_like, shape (n,)
            p(h) at the nodes.

        Raises
        ------
        TypeError, ValueError
            If it is not finite or of another shape.
        """
        p = real(density, "density")
        if p.shape != self.nodes.shape:
            raise ValueError(f"density has shape {p.shape}; one value at each of the {self.nodes.size} nodes is needed")
        result: Floats = self.probabilities @ (self.weights * p) / self.weights
        return result

    def moments(self, start: float) -> tuple[float, float]:
        """Return mean and variance of h' given h = `start`.

        If the origin of the operator is not known, they are interpolated between nodes.

        Parameters
        ----------
        start : float
            h, inside the interval of the nodes.

        Raises
        ------
        ValueError
            If it lies outside, or moments err by more than 1e-3.
        """
        h, x = number(start, "start"), self.nodes
        if not x[0] <= h <= x[-1]:
            raise ValueError(f"start = {h} lies outside the nodes [{x[0]:.6g}, {x[-1]:.6g}]")
        law, error = self._from(h)
        if error > CUT:
            raise ValueError(
                f"start = {h}: nodes on [{x[0]:.6g}, {x[-1]:.6g}] miss so much of the law of h' from there that its "
                f"moments err by {error:.2g}; start nearer to where the layer lives, or compose layers, not operators"
            )
        mean = x @ law
        return float(mean), float((x - mean) ** 2 @ law)

    @property
    def _is_power(self) -> bool:
        return isinstance(self.origin, tuple) and isinstance(self.origin[1], int)

    @cached_property
    def _above(self) -> TransferOperator:
        below, above = self.origin
        made: TransferOperator = below.power(above) if self._is_power else above
        return made

    def _from(self, h: float) -> tuple[Floats, float]:
        """Return the masses of h' on the nodes given h, and the error of its moments."""
        x = self.nodes
        if isinstance(self.origin, tuple):
            law, error = self.origin[0]._from(h)  # noqa: SLF001 - of the same class
            return self._above.probabilities @ law, max(error, float(self._above.lost @ law))
        if self.origin is not None:
            centre, noise = np.array([float(self.origin.mean(h))]), self.origin.noise_std
            law, error = masses(x, self.weights, centre, noise)[:, 0], lost_of(x, self.weights, centre, noise)
            return law, float(error[0])
        near = np.sort(np.argsort(np.abs(x - h), kind="stable")[:NEAREST])
        apart = x[near][:, None] - x[near]
        shares = np.prod(np.divide(h - x[near], apart, out=np.ones(apart.shape), where=apart != 0), axis=1)
        return self.probabilities[:, near] @ shares, float(self.lost[near] @ np.abs(shares))

    def spectrum(self, k: int = 4) -> Spectrum:
        """Return the k largest eigenvalues.

        Parameters
        ----------
        k : int
            How many, at least 2.

        Raises
        ------
        TypeError, ValueError
            If k is not such a number.
        """
        wanted = whole(k, "k", minimum=2, maximum=self.nodes.size)
        extent = getattr(self.origin, "_extent", None)
        if extent is not None:
            extent.refuse_hidden()
        if self._is_power:
            base, above = self.origin
            return Spectrum(0.0, read_only(_raised(base.spectrum(wanted).ratios, above + 1)))
        return spectrum_on(self, wanted)

    def correlation_length(self) -> float:
        r"""Return ξ = -1/ln|λ_1/λ_0|, in applications of this operator; raises where rounding hides the gap."""
        if self._is_power:
            base, above = self.origin
            return float(base.correlation_length() / (above + 1))
        return resolved(self.spectrum(2), _near_symmetric(self)).correlation_length()

    def stationary(self) -> StationaryLaw:
        """Return the stationary law of the operator."""
        return StationaryLaw(self.nodes, self.weights, locked(self._masses() / self.weights), self.error)

    def _masses(self) -> Floats:
        size = self.nodes.size
        start = np.full(size, 1 / size)
        masses = np.abs(np.linalg.solve(np.eye(size) - self.probabilities + start[:, None], start))
        for _ in range(POLISH):
            before, masses = masses, self.probabilities @ masses
            if (np.abs(masses - before) <= SETTLED * masses + 1e-300).all():  # smaller products underflow
                break
        normalised: Floats = masses / masses.sum()
        return normalised

    def _of(self, probabilities: Any, lost: Any, error: float, origin: Any) -> TransferOperator:
        made = object.__new__(TransferOperator)
        parts = {"nodes": self.nodes, "weights": self.weights, "error": error, "panels": self.panels, "origin": origin}
        parts |= {"probabilities": locked(probabilities), "lost": locked(lost)}
        for name, value in parts.items():
            object.__setattr__(made, name, value)
        return made


def spectrum_on(operator: TransferOperator, k: int) -> Spectrum:
    """Return the k largest eigenvalues on the nodes of an operator, even if these do not reach everything."""
    matrix = _near_symmetric(operator)
    values = _largest(matrix, k) if len(matrix) > DENSE and k < 20 else None
    if values is None:
        values = linalg.eigvals(matrix)
    return spectrum_of(0.0, leading_first(values)[:k], rounding=1e-12)


def _near_symmetric(operator: TransferOperator) -> Floats:
    """Return P_ij (π_j/π_i)^(1/2), which has the eigenvalues of P, with π near the stationary law.

    Signals move from improbable places to probable ones, and hardly back: the eigenvalues of P itself, which is nearly
    triangular, may be lost in rounding. For one layer π follows from detailed balance between neighbouring nodes; it
    may be far below the range of float64.
    """
    P, x = operator.probabilities, operator.nodes
    if hasattr(operator.origin, "noise_std"):
        unit = operator.origin.noise_std
        centre = np.clip(operator.origin.mean(x), x[0], x[-1])
        distance = (x[:, None] - centre) / unit
        nearest = np.searchsorted(x, centre), np.arange(x.size)
        back, forth = distance.diagonal(1), distance.diagonal(-1)
        log_root = np.append(0.0, np.cumsum((back**2 - forth**2) / 4)) + np.log(operator.weights) / 2
        exponent = np.log(operator.weights)[:, None] - distance**2 / 2
        exponent += np.log(P[nearest]) - exponent[nearest] + log_root - log_root[:, None]
        with np.errstate(over="ignore"):
            similar = np.exp(exponent)
    else:
        root = np.sqrt(operator._masses())  # noqa: SLF001 - of the same file
        with np.errstate(all="ignore"):
            similar = P * root / root[:, None]
    return similar if (similar <= MOST_SIMILAR).all() else np.asarray(linalg.matrix_balance(P)[0])


def _largest(matrix: Floats, k: int) -> Any:
    """Return eigenvalues by Arnoldi's method from a fixed start; None where it does not converge."""
    start = 1 + np.linspace(0, 1, len(matrix)) ** 2
    try:
        return eigs(matrix, k=k, v0=start, ncv=max(20, 4 * k), return_eigenvectors=False, tol=1e-13)
    except ArpackNoConvergence:
        return None


def _raised(ratios: Any, m: int) -> Any:
    """Return powers of eigenvalues; negative ones stay negative for odd m, which float64 may round to even."""
    odd = (ratios.imag == 0) & (ratios.real < 0) & (m % 2 == 1)
    return np.where(odd, -(np.abs(ratios) ** m), ratios**m)


def _stacked(below: tuple[Floats, Floats], above: tuple[Floats, Floats]) -> tuple[Floats, Floats]:
    """Return probabilities and errors of two layers; the loss in one layer fades in the next ones."""
    P = above[0] @ below[0]
    return P / P.sum(axis=0), np.maximum(below[1], above[1] @ below[0])
