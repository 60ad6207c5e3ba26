r"""Transfer matrices of layers of spins, in logarithms: what composes when couplings do not."""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike
from scipy import linalg, special

from statnn._arguments import Floats
from statnn.rg._common import power
from statnn.rg._layers.linear import locked, real

if TYPE_CHECKING:
    from statnn.rg._layers.binary import BinaryLayer

MOST_WIDE = 12
MOST_PROJECTED = 20
UNDERFLOW = 1e-200
"""Sums of weights that come out smaller, relative to the largest of their row and column, are summed in logarithms."""
LEAST = 1e-12
"""A second eigenvalue that is nearer to zero, or to the first one, is rounding where it comes from a matrix."""
BALANCED = 0.5
"""Rows and columns whose sums differ by a factor of e^(4 · 0.5) at most need no other scales."""
ROUNDS = 100


@dataclass(frozen=True, eq=False)
class Spectrum:
    r"""Eigenvalues of a layer, the largest first.

    Parameters
    ----------
    log_leading : float
        ln λ_0, positive by Perron and Frobenius; the free energy of a layer is -ln λ_0.
    ratios : ndarray, shape (k,)
        λ_i/λ_0, by falling modulus; the first is one. Complex where they come in pairs.
    closed : float or None
        ξ, where it is known in closed form.
    """

    log_leading: float
    ratios: Any
    closed: float | None = None

    @property
    def correlation_length(self) -> float:
        r"""ξ = -1/ln\|λ_1/λ_0\| in layers.

        To rounding where it is known in closed form. From ratios r = \|λ_1/λ_0\| of a matrix its relative error is that
        of r, absolutely about 1e-15 times the condition of the eigenvectors, over r\|ln r\|.

        Raises
        ------
        ArithmeticError
            If r cannot be told from one, or from zero.
        """
        if self.closed is not None:
            return self.closed
        second = float(np.abs(self.ratios[1]))
        if 1 - second < LEAST:
            raise ArithmeticError(
                f"|λ_1/λ_0| = {second!r} cannot be told from 1 in float64: ξ is beyond {1 / LEAST:.0e} layers, so long "
                "that the layers are ordered for all that is asked of them"
            )
        if second < LEAST:
            raise ArithmeticError(
                f"|λ_1/λ_0| = {second:.1e} cannot be told from 0 in float64: ξ is below {-1 / math.log(LEAST):.2g} "
                "layers; ask a block of fewer layers, whose ξ is so many times longer"
            )
        return -1 / math.log(second)


@dataclass(frozen=True, eq=False)
class TransferMatrix:
    r"""Weights T(s', s) > 0 of two layers of spins, what lies between them summed over [exact].

    .. math:: T = T_2 T_1

    Parameters
    ----------
    log_weights : array_like, shape (2^n', 2^n)
        ln T(s', s) up to `log_scale`; the same is subtracted on storing that makes the largest zero. Spin i of state k
        is +1 where bit i of k is set.
    log_scale : float
        What was taken out.

    Raises
    ------
    TypeError, ValueError
        If shapes are no powers of two up to 2^12, or entries are not finite.

    Notes
    -----
    Logarithms have absolute errors of a few 1e-16 times the largest modulus among those that went into them.

    Examples
    --------
    >>> from statnn.rg import BinaryLayer
    >>> BinaryLayer([[0.7]]).transfer().log_weights
    array([[ 0. , -1.4],
           [-1.4,  0. ]])
    """

    log_weights: Floats
    log_scale: float

    def __init__(self, log_weights: ArrayLike, log_scale: float = 0.0) -> None:
        matrix = real(log_weights, "log_weights")
        wanted = {2**n for n in range(1, MOST_WIDE + 1)}
        if matrix.ndim != 2 or not set(matrix.shape) <= wanted:
            raise ValueError(
                f"log_weights have shape {matrix.shape}; (2^n', 2^n) with 1 to {MOST_WIDE} spins a layer are needed"
            )
        largest = float(matrix.max())
        object.__setattr__(self, "log_weights", locked(matrix - largest))
        object.__setattr__(self, "log_scale", float(real(log_scale, "log_scale")) + largest)

    @property
    def shape(self) -> tuple[int, int]:
        """Numbers of spins (n', n), outputs first."""
        rows, columns = self.log_weights.shape
        return rows.bit_length() - 1, columns.bit_length() - 1

    def compose(self, other: "TransferMatrix | BinaryLayer") -> "TransferMatrix":
        """Return the weights with the layer between summed over: this one acts first, `other` on its outputs.

        Parameters
        ----------
        other : TransferMatrix or BinaryLayer
            What lies above.

        Raises
        ------
        TypeError, ValueError
            If it is neither, or widths do not match.
        """
        above = other if isinstance(other, TransferMatrix) else _transfer_of(other)
        if above.shape[1] != self.shape[0]:
            raise ValueError(
                f"the layer above takes {above.shape[1]} spins but this one has {self.shape[0]} outputs; in "
                "first.compose(second) the left one acts first"
            )
        return TransferMatrix(log_product(above.log_weights, self.log_weights), above.log_scale + self.log_scale)

    def power(self, m: int) -> "TransferMatrix":
        """Return m such layers as one, in O(log m) products of matrices.

        Parameters
        ----------
        m : int
            Number of layers, from 1 to 1e18.

        Raises
        ------
        TypeError, ValueError
            If the layer is not square or m is no such number.
        """
        self._square("repeated")
        return power(self, m)

    def spectrum(self) -> Spectrum:
        """Return all eigenvalues; ratios are absolutely correct to about 1e-15 times the condition of the eigenvectors.

        States are weighted first such that rows and columns have like sums, which no eigenvalue feels.

        Raises
        ------
        ValueError
            If the layer is not square.
        """
        self._square("repeated, so that it has no eigenvalues")
        logs = balanced(self.log_weights)
        largest = float(logs.max())
        values = leading_first(linalg.eigvals(np.exp(logs - largest)))
        ratios = values / values[0].real
        ratios = ratios if ratios.imag.any() else ratios.real
        ratios.flags.writeable = False
        return Spectrum(self.log_scale + largest + math.log(values[0].real), ratios)

    def correlation_length(self) -> float:
        r"""Return ξ = -1/ln\|λ_1/λ_0\| in layers: see `Spectrum`."""
        return self.spectrum().correlation_length

    def project(self) -> "BinaryLayer":
        """Return the nearest layer of couplings and fields; its `truncation` says what is lost.

        See `BinaryLayer.compose`.
        """
        from statnn.rg._layers.nearest import project

        return project(self)

    def _square(self, what: str) -> None:
        if self.shape[0] != self.shape[1]:
            raise ValueError(
                f"a layer of {self.shape[1]} and {self.shape[0]} spins cannot be {what}; equal widths are needed"
            )


def _transfer_of(layer: Any) -> TransferMatrix:
    if not hasattr(layer, "transfer"):
        raise TypeError(f"a layer of spins composes with a BinaryLayer or TransferMatrix, not a {type(layer).__name__}")
    found: TransferMatrix = layer.transfer()
    return found


def refuse_wide(upper: int, lower: int) -> None:
    """Raise if two layers have too many spins for a projection."""
    if upper + lower > MOST_PROJECTED:
        raise ValueError(
            f"{upper} + {lower} spins are too many to project: {MOST_PROJECTED} in the two layers of a block at most; "
            "keep the transfer matrix"
        )


def leading_first(values: Any) -> Any:
    """Return eigenvalues by falling modulus, after the positive one that has the largest (Perron, Frobenius).

    Examples
    --------
    >>> leading_first(np.array([0.1, -1.0, 1.0, 0.5])).tolist()
    [1.0, -1.0, 0.5, 0.1]
    """
    order = np.argsort(-np.abs(values), kind="stable")
    first = int(np.argmax(values.real))
    return values[[first, *order[order != first]]]


def balanced(logs: Floats) -> Floats:
    """Return ln(D M D^-1) of M = exp(logs), D diagonal, such that row sums are about column sums (Osborne).

    Examples
    --------
    >>> balanced(np.array([[0.0, 800.0], [-800.0, 0.0]])).round(1)
    array([[ 0. ,  1.6],
           [-1.6,  0. ]])
    """
    for _ in range(ROUNDS):
        step = (special.logsumexp(logs, axis=0) - special.logsumexp(logs, axis=1)) / 4
        if np.abs(step).max() < BALANCED:
            break
        logs = logs + step[:, None] - step
    return logs


def log_product(upper: Floats, lower: Floats) -> Floats:
    """Return ln(exp(upper) exp(lower)) entry by entry, of any range.

    Examples
    --------
    >>> far = np.array([[0.0, -1000.0], [-1000.0, 0.0]])
    >>> log_product(far, far).round(3)
    array([[   0.   , -999.307],
           [-999.307,    0.   ]])
    """
    high, right = upper.max(axis=1, keepdims=True), lower.max(axis=0, keepdims=True)
    product = np.exp(upper - high) @ np.exp(lower - right)
    lost = product < UNDERFLOW
    with np.errstate(divide="ignore"):
        result: Floats = np.log(product) + high + right
    for row in np.flatnonzero(lost.any(axis=1)):
        columns = lost[row]
        result[row, columns] = special.logsumexp(upper[row][:, None] + lower[:, columns], axis=0)
    return result
