r"""Layers of spins: decimation of what lies between two layers, exact."""

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from statnn._edge import Floats, whole
from statnn.interaction import BinaryNeurons
from statnn.interaction._states import spins
from statnn.rg._fixed import FixedPoint
from statnn.rg._linear import locked, real
from statnn.rg._pair import constant as sum_constant
from statnn.rg._pair import log_cosh, mediated
from statnn.rg._semigroup import power
from statnn.rg._transfer import MOST_WIDE, Spectrum, TransferMatrix, refuse_wide

if TYPE_CHECKING:
    from statnn.rg._flow import Flow

COMPACT = ("tanh K", "tanh h")


@dataclass(frozen=True)
class Truncation:
    r"""What a projection on couplings and fields lost: zero where the family is closed.

    Parameters
    ----------
    divergence : float
        KL(p \\| q) in nats, of the law p(s', s) of the two layers of the block and its projection q.
    deviation : float
        Largest \\|ln T - ln T_projected\\| over all states.
    """

    divergence: float = 0.0
    deviation: float = 0.0


@dataclass(frozen=True, eq=False)
class BinaryLayer:
    r"""Spins s = ±1 below and s' = ±1 above with the weight T(s', s) = exp(s'.J s + f.s' + g.s + c) [exact].

    It is the layer of `statnn.interaction.BinaryNeurons`, couplings and fields divided by the temperature. Two layers
    of width one, this one first, have the spin between them summed over: with h = f_1 + g_2

    .. math:: e^{4J'} = 1 + \frac{2 \sinh 2J_1 \sinh 2J_2}{\cosh 2h + \cosh 2(J_1 - J_2)} \quad (J_1, J_2 > 0),

    which is tanh J' = tanh J_1 tanh J_2 without field; f' and g' follow from the same function. Layers in which every
    spin is coupled to at most one above and one below are as good as width one. All others are not closed.

    Parameters
    ----------
    couplings : array_like, shape (n', n)
        J/T, block of `BinaryNeurons`: outputs first.
    fields : array_like, shape (n',), or float
        f, on the outputs.
    inputs : array_like, shape (n,), or float
        g, on the inputs. In a chain of layers a spin is an output of one layer and an input of the next: it feels f +
        g.
    constant : float
        c, part of ln Z that composition puts aside.
    truncation : Truncation
        What was lost where the layer is a projection.

    Raises
    ------
    TypeError, ValueError
        If shapes do not match or entries are not finite real numbers.

    Notes
    -----
    Relative errors of one composition are a few 1e-16 times 1 + \|ln J'\|, at any size of couplings.
    Couplings of blocks of more than some 700 correlation lengths fall below 1e-308 and are zero, as is their ξ.

    Examples
    --------
    >>> two = BinaryLayer([[0.7]], [0.0]).compose(BinaryLayer([[0.7]], [0.0]))
    >>> np.tanh(two.couplings) - np.tanh(0.7) ** 2
    array([[0.]])
    """

    couplings: Floats
    fields: Floats
    inputs: Floats
    constant: float
    truncation: Truncation = field(default=Truncation())

    def __init__(
        self,
        couplings: ArrayLike,
        fields: ArrayLike = 0.0,
        *,
        inputs: ArrayLike = 0.0,
        constant: float = 0.0,
        truncation: Truncation = Truncation(),
    ) -> None:
        J = real(couplings, "couplings")
        J = J.reshape(1, 1) if J.ndim == 0 else J
        if J.ndim != 2 or not J.size:
            raise ValueError(f"couplings have shape {J.shape}; give one number or a matrix of shape (out, in)")
        for name, values, wide in (("fields", fields, J.shape[0]), ("inputs", inputs, J.shape[1])):
            array = real(values, name)
            if array.shape not in {(), (wide,)}:
                raise ValueError(
                    f"{name} have shape {array.shape}; couplings of shape {J.shape} need ({wide},), or one number"
                )
            object.__setattr__(self, name, locked(np.broadcast_to(array, (wide,))))
        object.__setattr__(self, "couplings", locked(J))
        object.__setattr__(self, "constant", float(real(constant, "constant")))
        object.__setattr__(self, "truncation", truncation)

    @property
    def shape(self) -> tuple[int, int]:
        """Widths (n', n), outputs first."""
        return self.couplings.shape[0], self.couplings.shape[1]

    def compose(self, other: "BinaryLayer | TransferMatrix", *, project: bool = False) -> Any:
        r"""Return the layers with the spins between them summed over: this one acts first, `other` on its outputs.

        Parameters
        ----------
        other : BinaryLayer or TransferMatrix
            The layer above.
        project : bool
            True returns the nearest `BinaryLayer` also where the family is not closed: the one with the same <s'_i>,
            <s_j> and <s'_i s_j> in the block by itself, which has the least KL(p \|\| q). Its `truncation` says what is
            lost: couplings inside a layer, and those of more than two spins.

        Returns
        -------
        BinaryLayer or TransferMatrix
            A `BinaryLayer` where the family is closed or `project` is true, else a `TransferMatrix`.

        Raises
        ------
        TypeError, ValueError
            If it is no layer of spins, widths do not match, or there are more than 12 spins a layer (20 in two to
            project) and the family is not closed.

        Examples
        --------
        >>> pair = BinaryLayer([[0.5, 0.5], [0.5, 0.5]])
        >>> pair.compose(pair).shape, pair.compose(pair, project=True).couplings.round(3).tolist()
        ((2, 2), [[0.46, 0.46], [0.46, 0.46]])
        """
        if isinstance(other, BinaryLayer):
            if other.shape[1] != self.shape[0]:
                raise ValueError(
                    f"the layer above takes {other.shape[1]} spins but this one has {self.shape[0]} outputs; in "
                    "first.compose(second) the left one acts first"
                )
            if _closed(self.couplings, other.couplings):
                return _decimated(self, other)
        if project:
            refuse_wide(other.shape[0], self.shape[1])
        found = self.transfer().compose(other)
        return found.project() if project else found

    def power(self, m: int, *, project: bool = False) -> Any:
        """Return m such layers as one, in O(log m) compositions.

        Parameters
        ----------
        m : int
            Number of layers, from 1 to 1e18.
        project : bool
            Whether to project at the end, where the family is not closed; see `compose`.

        Raises
        ------
        TypeError, ValueError
            As `compose`; or m is no such number.

        Examples
        --------
        >>> BinaryLayer([[1.0]]).power(4).couplings.round(6)
        array([[0.350061]])
        """
        self._square("repeated")
        if _closed(self.couplings, self.couplings):
            return power(self, m)
        if project:
            refuse_wide(*self.shape)
        found = self.transfer().power(m)
        return found.project() if project else found

    def transfer(self) -> TransferMatrix:
        """Return the weights of all pairs of states, for at most 12 spins a layer.

        Raises
        ------
        ValueError
            If there are more.
        """
        if max(self.shape) > MOST_WIDE:
            raise ValueError(
                f"layers of {self.shape[1]} and {self.shape[0]} spins have 2^{sum(self.shape)} pairs of states; at "
                "most "
                f"{MOST_WIDE} spins a layer are allowed: use statnn.montecarlo for wider ones"
            )
        above, below = (spins(n) for n in self.shape)
        logs = above @ self.couplings @ below.T + (above @ self.fields)[:, None] + below @ self.inputs
        return TransferMatrix(logs, self.constant)

    def spectrum(self) -> Spectrum:
        """Return the eigenvalues of the layer: in closed form for width one, else of its transfer matrix.

        Raises
        ------
        ValueError
            If the layer is not square, or too wide.

        Examples
        --------
        >>> BinaryLayer([[0.7]]).spectrum().ratios.round(6)  # 1 and tanh(0.7)
        array([1.      , 0.604368])
        """
        self._square("repeated, so that it has no eigenvalues")
        if self.shape != (1, 1):
            return self.transfer().spectrum()
        K, h = float(self.couplings[0, 0]), float(self.fields[0] + self.inputs[0])
        root = math.hypot(math.tanh(h), math.exp(-2 * K - float(log_cosh(np.array(h)))))
        log = K + float(log_cosh(np.array(h))) + math.log1p(root) + self.constant
        return Spectrum(log, np.array([1.0, (1 - root) / (1 + root)]))

    def correlation_length(self) -> float:
        r"""Return ξ = -1/ln\|λ_1/λ_0\|, in layers: connected correlations decay as exp(-m/ξ).

        Width one in closed form, -1/ln tanh\|K\| without field; inf where ξ is beyond 1e308 layers, 0 at K = 0.

        Raises
        ------
        ValueError, ArithmeticError
            If the layer is not square or too wide, or λ_1/λ_0 of a wide layer cannot be told from 1.

        Examples
        --------
        >>> round(BinaryLayer([[0.7]]).correlation_length(), 6)  # -1/ln tanh 0.7
        1.985812
        """
        self._square("repeated, so that it has no correlation length")
        if self.shape != (1, 1):
            return self.transfer().correlation_length()
        decay = _decay(float(self.couplings[0, 0]), float(self.fields[0] + self.inputs[0]))
        return math.inf if decay < 1 / np.finfo(float).max else 1 / decay

    def neurons(self, layers: int) -> BinaryNeurons:
        """Return the chain of so many layers as an interacting model at temperature 1, open at both ends.

        Its partition function is the sum of all weights of ``power(layers)``.

        Parameters
        ----------
        layers : int
            Number of layers of couplings, at least 1.

        Raises
        ------
        TypeError, ValueError
            If the layer is not square, or `layers` is no such number.

        Examples
        --------
        >>> BinaryLayer([[0.7]]).neurons(3)
        BinaryNeurons(layers=1-1-1-1, size=4, temperature=1)
        """
        self._square("repeated")
        count = whole(layers, "layers", minimum=1, maximum=10**6)
        inner = [self.fields + self.inputs] * (count - 1)
        return BinaryNeurons([self.couplings] * count, np.concatenate([self.inputs, *inner, self.fields]))

    def flow(self, doublings: int = 12, *, project: bool = False) -> "Flow":
        """Return the trajectory of couplings and fields under doubling: see `statnn.rg.flow`.

        Parameters
        ----------
        doublings : int
            How often the number of layers in a block is doubled.
        project : bool
            Whether to go on from the projection, or from the exact transfer matrix.
        """
        from statnn.rg._flow import flow_of_binary

        return flow_of_binary(self, doublings, project=project)

    @classmethod
    def fixed_points(cls) -> tuple[FixedPoint, ...]:
        r"""Return the fixed points of width one in (tanh K, tanh h), h the whole field on a spin.

        "disordered": K = 0, a line, as h is marginal there; the point without field is given. "ordered": K = ∞, h = 0,
        where 1 - tanh K = 2e^{-2K} and h double with the number of layers: both relevant, y = 1, ν = 1. It is the
        zero-temperature fixed point of the one-dimensional Ising model. Blocks of an odd number of layers also rest at
        K = -∞.

        Examples
        --------
        >>> [(point.name, point.couplings.tolist()) for point in BinaryLayer.fixed_points()]
        [('disordered', [0.0, 0.0]), ('ordered', [1.0, 0.0])]
        """
        return (
            FixedPoint("disordered", COMPACT, np.zeros(2), renormalised, _around_disorder, cls(0.0)),
            FixedPoint("ordered", COMPACT, np.array([1.0, 0.0]), renormalised, _around_order, None, COMPACT[0]),
        )

    def _square(self, what: str) -> None:
        if self.shape[0] != self.shape[1]:
            raise ValueError(
                f"a layer of {self.shape[1]} and {self.shape[0]} spins cannot be {what}; equal widths are needed"
            )


def _closed(lower: Floats, upper: Floats) -> bool:
    """Whether every spin between the layers is coupled to at most one below and at most one above."""
    return bool(((lower != 0).sum(axis=1) <= 1).all() and ((upper != 0).sum(axis=0) <= 1).all())


def _decimated(first: BinaryLayer, second: BinaryLayer) -> BinaryLayer:
    """Sum over the spins between: each hands a coupling and two fields to the spins that it joins."""
    middle = np.arange(first.shape[0])
    down, up = (np.argmax(J != 0, axis=axis) for J, axis in ((first.couplings, 1), (second.couplings, 0)))
    K1, K2 = first.couplings[middle, down], second.couplings[up, middle]
    h = first.fields + second.inputs
    couplings = np.zeros((second.shape[0], first.shape[1]))
    fields, inputs = second.fields.copy(), first.inputs.copy()
    np.add.at(couplings, (up, down), mediated(K1, K2, h))
    np.add.at(fields, up, mediated(K2, h, K1))
    np.add.at(inputs, down, mediated(K1, h, K2))
    aside = first.constant + second.constant + float(sum_constant(K1, K2, h).sum())
    return BinaryLayer(couplings, fields, inputs=inputs, constant=aside)


def _decay(K: float, h: float) -> float:
    r"""Return -ln\|λ_1/λ_0\| = 2 atanh(s), s² = tanh² h + e^{-4K}/cosh² h for K > 0; its inverse for K < 0."""
    if K == 0:
        return math.inf
    cosh = float(log_cosh(np.array(h)))
    if K > 0:
        s = math.hypot(math.tanh(h), math.exp(-2 * K - cosh))
        rest = math.log(-math.expm1(-4 * K)) - 2 * cosh  # of 1 - s²
    else:
        sinh = math.inf if h == 0 else -(abs(h) + math.log(-math.expm1(-2 * abs(h))) - math.log(2))
        below = float(np.logaddexp(0.0, 4 * K - 2 * sinh))
        s = math.exp((4 * K + 2 * cosh - below) / 2)
        rest = math.log(-math.expm1(4 * K)) - below
    return 2 * math.atanh(s) if s < 0.5 else 2 * math.log1p(s) - rest


def renormalised(couplings: Floats, b: int) -> Floats:
    r"""Return (tanh K, tanh h) of b layers, h the whole field; smooth at tanh K = 1, and beyond it for derivatives.

    The matrix is taken with the field shared by its ends, T = ((1/u, x), (x, u)) up to a factor, x = e^{-2K} and u =
    e^{-h}: the power of it has x' = T_+-/(T_++ T_--)^(1/2) and e^{2h'} = T_++/T_--.
    """
    t, v = (float(x) for x in couplings)
    x, up, down = (1 - t) / (1 + t), math.sqrt((1 + v) / (1 - v)), math.sqrt((1 - v) / (1 + v))
    matrix = np.linalg.matrix_power(np.array([[up, x], [x, down]]) / max(up, down), b)
    ratio = math.sqrt(matrix[0, 0] * matrix[1, 1])
    flip = (matrix[0, 1] / ratio) if ratio else math.inf
    field = (matrix[0, 0] - matrix[1, 1]) / (matrix[0, 0] + matrix[1, 1])
    return np.array([(1 - flip) / (1 + flip), field])


def _around_disorder(b: int) -> Floats:
    del b
    return np.diag([0.0, 1.0])


def _around_order(b: int) -> Floats:
    return np.diag([float(b), float(b)])
