r"""Layers of spins: exact decimation of the spins between two layers, and transfer matrices where it is not closed.

A layer makes its transfer matrix, and a transfer matrix its nearest layer, so they share this file.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy import linalg

from statnn._arguments import Floats, switch, whole
from statnn._arrays import locked
from statnn._by_value import ByValue
from statnn._labelled import refuse_other_order
from statnn.interaction import BinaryNeurons
from statnn.interaction._exact.states import spins
from statnn.rg._common import number, power, real, refuse_misfit, refuse_unless_square
from statnn.rg._fixed_points import FixedPoint
from statnn.rg._flow import Flow, checked_doublings
from statnn.rg._layers.decimation import closed, decimated
from statnn.rg._layers.nearest import NOTHING_LOST, Truncation, nearest
from statnn.rg._layers.single import Single
from statnn.rg._layers.spectrum import Spectrum, forgets, leading_first, memory, remembered, resolved, spectrum_of
from statnn.rg._layers.spin_flow import doubled, resting, whole_field
from statnn.rg._layers.weights import LARGEST, MOST_WIDE, balanced, log_product, log_weights, refuse_wide


@dataclass(frozen=True, eq=False, repr=False)
class TransferMatrix(ByValue):
    r"""Weights T(s', s) > 0 of two layers of spins, with all spins between them summed over [exact].

    .. math:: T = T_2 T_1

    Parameters
    ----------
    log_weights : array_like, shape (2^n', 2^n)
        ln T(s', s) up to `log_scale`; a constant is subtracted on storing so that the largest is zero. Spin i of state
        k is +1 where bit i of k is set.
    log_scale : float
        The constant taken out.

    Raises
    ------
    TypeError, ValueError
        If lengths are not powers of two up to 2^12, or entries are not finite.

    See Also
    --------
    BinaryLayer.transfer : makes it.
    TransferOperator : for real numbers.

    Notes
    -----
    Logarithms have absolute errors of a few 1e-16 times the largest modulus among the logarithms they come from.

    Examples
    --------
    >>> from statnn.rg import BinaryLayer
    >>> BinaryLayer([[0.7]]).transfer().log_weights
    array([[ 0. , -1.4],
           [-1.4,  0. ]])
    >>> layer = BinaryLayer([[0.7]]).transfer()
    >>> layer.compose(layer) == layer.power(2), layer.power(2).project().couplings.round(4)
    (True, array([[0.3829]]))
    >>> round(layer.correlation_length(), 6), layer.spectrum().ratios.round(6)
    (1.985812, array([1.      , 0.604368]))
    """

    log_weights: Floats
    log_scale: float

    def __init__(self, log_weights: ArrayLike, log_scale: float = 0.0) -> None:
        matrix = real(log_weights, "log_weights")
        wanted = {2**n for n in range(1, MOST_WIDE + 1)}
        if matrix.ndim != 2 or not set(matrix.shape) <= wanted:
            raise ValueError(
                f"log_weights have shape {matrix.shape}; (2^n', 2^n) with 1 to {MOST_WIDE} spins per layer are needed"
            )
        if np.abs(matrix).max() > LARGEST:
            raise ValueError(
                f"log_weights reach {np.abs(matrix).max():g}; above {LARGEST:g} their sums exceed the range of "
                "float64: scale couplings and fields down"
            )
        largest = float(matrix.max())
        object.__setattr__(self, "log_weights", locked(matrix - largest))
        object.__setattr__(self, "log_scale", number(log_scale, "log_scale") + largest)

    @property
    def shape(self) -> tuple[int, int]:
        """Numbers of spins (n', n), outputs first."""
        rows, columns = self.log_weights.shape
        return rows.bit_length() - 1, columns.bit_length() - 1

    def compose(self, other: TransferMatrix | BinaryLayer) -> TransferMatrix:
        """Return the weights with the layer between summed over: this one acts first, `other` on its outputs.

        Parameters
        ----------
        other : TransferMatrix or BinaryLayer
            The layers above.

        Raises
        ------
        TypeError, ValueError
            If it is neither, or widths do not match.
        """
        above = other if isinstance(other, TransferMatrix) else _transfer_of(other)
        refuse_misfit(self, above)
        return TransferMatrix(log_product(above.log_weights, self.log_weights), above.log_scale + self.log_scale)

    def power(self, m: int) -> TransferMatrix:
        """Return m such layers as one, in O(log m) products of matrices.

        Parameters
        ----------
        m : int
            Number of layers, from 1 to 1e18.

        Raises
        ------
        TypeError, ValueError
            If the layer is not square or m is not such a number.
        """
        refuse_unless_square(self, "repeated")
        return power(self, m)

    def spectrum(self) -> Spectrum:
        """Return all eigenvalues; ratios are absolutely correct to about 1e-15 times the condition of the eigenvectors.

        Raises
        ------
        ValueError
            If the layer is not square.
        """
        weights, log_largest = self._balanced()
        return spectrum_of(self.log_scale + log_largest, leading_first(linalg.eigvals(weights)))

    def correlation_length(self) -> float:
        r"""Return ξ = -1/ln|λ_1/λ_0| in layers, or refuse it: see `Spectrum`."""
        return resolved(self.spectrum(), self._balanced()[0]).correlation_length()

    def _balanced(self) -> tuple[Floats, float]:
        """Return the matrix balanced, which leaves its eigenvalues unchanged, and the logarithm of its unit."""
        refuse_unless_square(self, "repeated, so that it has no eigenvalues")
        logs = balanced(self.log_weights)
        largest = float(logs.max())
        return np.exp(logs - largest), largest

    def project(self) -> BinaryLayer:
        """Return the nearest layer of couplings and fields; its `truncation` tells the loss.

        See `BinaryLayer.compose`.
        """
        projection = nearest(self.log_weights)
        return BinaryLayer(
            projection.couplings,
            projection.fields,
            inputs=projection.inputs,
            constant=self.log_scale + projection.constant,
            truncation=projection.truncation,
        )


@dataclass(frozen=True, eq=False, repr=False)
class BinaryLayer(ByValue):
    r"""Spins s = ±1 below and s' = ±1 above with the weight T(s', s) = exp(s'·J s + f·s' + g·s + c) [exact].

    It is the layer of `statnn.interaction.BinaryNeurons`, couplings and fields divided by the temperature. Two layers
    of width one, this one first, compose by summing over the spin between them: with h = f_1 + g_2

    .. math:: e^{4J'} = 1 + \frac{2 \sinh 2J_1 \sinh 2J_2}{\cosh 2h + \cosh 2(J_1 - J_2)} \quad (J_1, J_2 > 0),

    which is tanh J' = tanh J_1 tanh J_2 without field; f' and g' follow from the same function. The family is also
    closed for layers in which every spin is coupled to at most one above and one below, and for no others.

    Parameters
    ----------
    couplings : array_like, shape (n', n)
        J/T, block of `BinaryNeurons`: outputs first.
    fields : array_like, shape (n',), or float
        f, on the outputs.
    inputs : array_like, shape (n,), or float
        g, on the inputs. In a chain a spin is an output of one layer and an input of the next: it feels f + g.
    constant : float
        c, the part of ln Z split off in compositions.
    truncation : Truncation
        Loss, if the layer is a projection.

    Raises
    ------
    TypeError, ValueError
        If shapes do not match or entries are not finite real numbers.

    See Also
    --------
    TransferMatrix : the closed family.
    flow, fixed_points, exponents : the layer under doubling.
    LinearLayer, NoisyLayer : layers of real numbers.

    Notes
    -----
    Where the family is closed, the relative error of J' in one composition is a few 1e-16 times 1 + |ln J'|, or a few
    1e-16 without fields, at any size of couplings and fields; fields and c have errors of a few 1e-16 times the largest
    term that is added; a term of a field is as exact as J'. Elsewhere see `TransferMatrix`. Couplings of blocks of more
    than some 700 correlation lengths fall below 1e-308 and are zero, as is their ξ.

    Examples
    --------
    >>> BinaryLayer([[0.7]]).compose(BinaryLayer([[0.7]])).couplings  # artanh(tanh² 0.7)
    array([[0.38294282]])
    """

    couplings: Floats
    fields: Floats
    inputs: Floats
    constant: float
    truncation: Truncation = NOTHING_LOST

    def __init__(
        self,
        couplings: ArrayLike,
        fields: ArrayLike = 0.0,
        *,
        inputs: ArrayLike = 0.0,
        constant: float = 0.0,
        truncation: Truncation = NOTHING_LOST,
    ) -> None:
        J = real(couplings, "couplings")
        J = J.reshape(1, 1) if J.ndim == 0 else J
        if J.ndim != 2 or not J.size:
            raise ValueError(f"couplings have shape {J.shape}; give one number or a matrix of shape (out, in)")
        for axis, (name, values) in enumerate((("fields", fields), ("inputs", inputs))):
            array, wide = real(values, name), J.shape[axis]
            refuse_other_order(values, name, couplings, "couplings", (0, axis))
            if array.shape not in {(), (wide,)}:
                raise ValueError(f"{name} have shape {array.shape}; couplings {J.shape} need ({wide},), or one number")
            object.__setattr__(self, name, locked(np.broadcast_to(array, (wide,))))
        object.__setattr__(self, "couplings", locked(J))
        object.__setattr__(self, "constant", number(constant, "constant"))
        object.__setattr__(self, "truncation", truncation)

    @property
    def shape(self) -> tuple[int, int]:
        """Widths (n', n), outputs first."""
        return self.couplings.shape[0], self.couplings.shape[1]

    def compose(self, other: BinaryLayer | TransferMatrix, *, project: bool = False) -> Any:
        r"""Return the layers with the spins between them summed over: this one acts first, `other` on its outputs.

        Parameters
        ----------
        other : BinaryLayer or TransferMatrix
            The layer above.
        project : bool
            True returns the nearest `BinaryLayer` even where the family is not closed: the one with the same ⟨s'_i⟩,
            ⟨s_j⟩ and ⟨s'_i s_j⟩ in the block by itself, which has the least KL(p || q). Its `truncation` tells the
            loss: couplings inside a layer, and those of more than two spins.

        Returns
        -------
        BinaryLayer or TransferMatrix
            A `BinaryLayer` where the family is closed or `project` is true, else a `TransferMatrix`.

        Raises
        ------
        TypeError, ValueError
            If it is not a layer of spins, widths do not match, or there are more than 12 spins per layer (20 in two to
            project) and the family is not closed.

        Examples
        --------
        >>> pair = BinaryLayer([[0.5, 0.5], [0.5, 0.5]])
        >>> pair.compose(pair).shape, pair.compose(pair, project=True).couplings.round(3).tolist()
        ((2, 2), [[0.46, 0.46], [0.46, 0.46]])
        """
        switch(project, "project")
        if isinstance(other, BinaryLayer):
            refuse_misfit(self, other)
            if closed(self.couplings, other.couplings):
                return _decimated(self, other)
        if project:
            refuse_wide(other.shape[0], self.shape[1])
        transfer = self.transfer().compose(other)
        return transfer.project() if project else transfer

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
            As `compose`; or m is not such a number.

        Examples
        --------
        >>> BinaryLayer([[1.0]]).power(4).couplings.round(6)
        array([[0.350061]])
        """
        switch(project, "project")
        refuse_unless_square(self, "repeated")
        if closed(self.couplings, self.couplings):
            return power(self, m)
        if project:
            refuse_wide(*self.shape)
        transfer = self.transfer().power(m)
        return transfer.project() if project else transfer

    def transfer(self) -> TransferMatrix:
        """Return the weights of all pairs of states, for at most 12 spins per layer.

        Logarithms of their ratios to the largest have relative errors of a few 1e-16, plus 1e-32 of the largest
        coupling or field.

        Raises
        ------
        ValueError
            If there are more spins.

        Examples
        --------
        >>> BinaryLayer([[0.7]]).transfer().log_weights
        array([[ 0. , -1.4],
               [-1.4,  0. ]])
        """
        _refuse_wider(self.shape)
        high, low = log_weights(self.couplings, self.fields, self.inputs)
        top = int(np.argmax(high + low))
        logs = (high - high.flat[top]) + (low - low.flat[top])
        return TransferMatrix(logs, self.constant + float(high.flat[top] + low.flat[top]))

    def spectrum(self) -> Spectrum:
        r"""Return the eigenvalues of the layer: in closed form for width one, else from its transfer matrix.

        Closed forms are good to a few 1e-16, for λ_1/λ_0 times 1 + |f + g|. For wider layers this error of λ_1/λ_0 is
        times its condition, relative or, for couplings so strong that layers hardly forget, absolute.

        Raises
        ------
        ValueError
            If the layer is not square, or too wide.

        Examples
        --------
        >>> BinaryLayer([[0.7]]).spectrum().ratios.round(6)  # 1 and tanh(0.7)
        array([1.      , 0.604368])
        """
        refuse_unless_square(self, "repeated, so that it has no eigenvalues")
        if self.shape != (1, 1):
            spectrum = self._wide[0]
            forgotten = Spectrum(spectrum.log_leading, locked(np.eye(1, spectrum.ratios.size)[0]), 0.0)
            return forgotten if forgets(self.couplings) else spectrum
        single = self._single()
        log = single.log_leading + self.constant
        if not math.isfinite(log):
            raise ValueError(
                f"the largest eigenvalue of K = {single.K:g}, h = {single.h:g} has no finite logarithm: scale them down"
            )
        return Spectrum(log, locked([1.0, single.ratio]), single.correlation_length())

    def correlation_length(self) -> float:
        r"""Return ξ = -1/ln|λ_1/λ_0|, in layers: connected correlations decay as exp(-m/ξ).

        For width one in closed form, -1/ln tanh|K| without field, to a few 1e-16, with field times 1 + |K| + |f + g|;
        inf where ξ is beyond 1e308 layers, 0 at K = 0. For wider layers from ratios: see `Spectrum`.

        Raises
        ------
        ValueError, ArithmeticError
            If the layer is not square or too wide, or λ_1/λ_0 of a wide layer cannot be told from 1, or from 0.

        Examples
        --------
        >>> round(BinaryLayer([[0.7]]).correlation_length(), 6)  # -1/ln tanh 0.7
        1.985812
        """
        refuse_unless_square(self, "repeated, so that it has no correlation length")
        if self.shape != (1, 1):
            return 0.0 if forgets(self.couplings) else resolved(*self._wide).correlation_length()
        return self._single().correlation_length()

    def neurons(self, layers: int) -> BinaryNeurons:
        """Return the chain of `layers` layers as an interacting model at temperature 1, open at both ends.

        Its partition function times e^(c layers), with the `constant` c, which the model leaves out, is the sum of all
        weights of ``power(layers)``.

        Parameters
        ----------
        layers : int
            Number of layers of couplings, at least 1.

        Raises
        ------
        TypeError, ValueError
            If the layer is not square, or `layers` is not such a number.

        Examples
        --------
        >>> import numpy as np
        >>> BinaryLayer([[0.7]]).neurons(3)
        BinaryNeurons(layers=1-1-1-1, size=4, temperature=1)
        >>> pair = BinaryLayer([[0.7]]).compose(BinaryLayer([[0.7]]))
        >>> whole = pair.power(3).transfer()
        >>> log_sum = whole.log_scale + np.log(np.exp(whole.log_weights).sum())
        >>> bool(abs(pair.neurons(3).exact().log_partition + 3 * pair.constant - log_sum) < 1e-12)
        True
        """
        refuse_unless_square(self, "repeated")
        count = whole(layers, "layers", minimum=1, maximum=10**6)
        inner = [whole_field(self)] * (count - 1)
        return BinaryNeurons([self.couplings] * count, np.concatenate([self.inputs, *inner, self.fields]))

    def flow(self, doublings: int = 12, *, project: bool = False) -> Flow:
        """Return the trajectory of couplings and fields under doubling: see `statnn.rg.flow`.

        Parameters
        ----------
        doublings : int
            How often the number of layers in a block is doubled.
        project : bool
            True goes on from the projection, False from the exact transfer matrix.

        Examples
        --------
        >>> BinaryLayer([[0.7]]).flow(2).couplings.round(4)
        array([[0.7   , 0.    ],
               [0.3829, 0.    ],
               [0.1342, 0.    ]])
        """
        refuse_unless_square(self, "repeated")
        return doubled(self, checked_doublings(doublings), project=switch(project, "project"))

    @classmethod
    def fixed_points(cls) -> tuple[FixedPoint, ...]:
        r"""Return the fixed points of width one in (tanh K, tanh h), h the total field on a spin.

        "disordered": K = 0, a line, as h is marginal there; the point without field is returned. "ordered": K = ∞, h =
        0, where 1 - tanh K = 2e^{-2K} and h double with the number of layers: both relevant, y = 1, ν = 1. It is the
        zero-temperature fixed point of the one-dimensional Ising model; odd blocks also have one at K = -∞.

        Examples
        --------
        >>> [(point.name, point.couplings.tolist()) for point in BinaryLayer.fixed_points()]
        [('disordered', [0.0, 0.0]), ('ordered', [1.0, 0.0])]
        """
        return resting(cls(0.0))

    @cached_property
    def _wide(self) -> tuple[Spectrum, Any, Any]:
        """The spectrum of a layer of many spins, its matrix, and the errors of a matrix without λ_0: see `memory`."""
        _refuse_wider(self.shape)
        states = spins(self.shape[0])
        recalled = memory(states @ self.couplings @ states.T, states @ whole_field(self))
        if recalled is None:
            matrix = self.transfer()
            return matrix.spectrum(), matrix._balanced()[0], None  # noqa: SLF001 - made here
        log, others, errors = recalled
        return remembered(self.constant + log, others), others, errors

    def _single(self) -> Single:
        return Single(float(self.couplings[0, 0]), float(whole_field(self)[0]))


def _refuse_wider(shape: tuple[int, int]) -> None:
    if max(shape) > MOST_WIDE:
        raise ValueError(
            f"layers of {shape[1]} and {shape[0]} spins have 2^{sum(shape)} pairs of states; at most {MOST_WIDE} spins "
            "per layer are allowed: use statnn.montecarlo for wider ones"
        )


def _transfer_of(layer: Any) -> TransferMatrix:
    if not hasattr(layer, "transfer"):
        raise TypeError(f"a layer of spins composes with a BinaryLayer or TransferMatrix, not a {type(layer).__name__}")
    matrix: TransferMatrix = layer.transfer()
    return matrix


def _decimated(first: BinaryLayer, second: BinaryLayer) -> BinaryLayer:
    middle = first.fields, second.inputs
    couplings, fields, inputs, aside = decimated(first.couplings, second.couplings, middle, second.fields, first.inputs)
    aside += first.constant + second.constant
    if not (np.isfinite(fields).all() and np.isfinite(inputs).all() and math.isfinite(aside)):
        raise ValueError(
            "fields or the constant of the composed layer exceed the range of float64: scale couplings down"
        )
    return BinaryLayer(couplings, fields, inputs=inputs, constant=aside)
