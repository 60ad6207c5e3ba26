"""Eigenvalues of layers, and the correlation length they give."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import linalg

from statnn._arrays import read_only
from statnn._by_value import ByValue

LEAST = 1e-12
"""A second eigenvalue that is nearer to zero, or to the first one, is rounding where it comes from a matrix."""

DOUBTFUL = 1e-4
"""An eigenvalue ratio below which it is asked whether it is rounding: that of a defective zero is its square root."""


@dataclass(frozen=True, eq=False, repr=False)
class Spectrum(ByValue):
    r"""Eigenvalues of a layer, the largest first.

    Parameters
    ----------
    log_leading : float
        ln λ_0, positive by Perron and Frobenius; the free energy of a layer is -ln λ_0.
    ratios : ndarray, shape (k,)
        λ_i/λ_0, by falling modulus; the first is one. Complex where they come in pairs.
    closed : float or None
        ξ, where it is known in closed form.

    See Also
    --------
    BinaryLayer.spectrum, TransferMatrix.spectrum, TransferOperator.spectrum : make it.

    Examples
    --------
    >>> from statnn.rg import BinaryLayer
    >>> BinaryLayer([[0.7]]).spectrum().correlation_length() == BinaryLayer([[0.7]]).correlation_length()
    True
    """

    log_leading: float
    ratios: Any
    closed: float | None = None

    def correlation_length(self) -> float:
        r"""Return ξ = -1/ln|λ_1/λ_0| in layers.

        To rounding where it is known in closed form. From ratios r = |λ_1/λ_0| of a matrix its relative error is that
        of r, absolutely about 1e-15 times the condition of the eigenvectors, over r|ln r|.

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


def spectrum_of(log_scale: float, values: Any, *, rounding: float = 0.0) -> Spectrum:
    """Return the spectrum of eigenvalues e^log_scale values, the largest first; real where they are up to rounding."""
    ratios = values / values[0].real
    shown = ratios if (np.abs(ratios.imag) > rounding).any() else ratios.real
    return Spectrum(log_scale + math.log(values[0].real), read_only(shown))


def resolved(spectrum: Spectrum, matrix: Any) -> Spectrum:
    """Return the spectrum of a matrix, or raise where its second eigenvalue is the rounding of a defective zero."""
    second = float(np.abs(spectrum.ratios[1]))
    if LEAST <= second < DOUBTFUL and _rounding(matrix, second) > second / 100:
        raise ArithmeticError(
            f"|λ_1/λ_0| = {second:.1e} cannot be told from 0 in float64, as its eigenvectors are nearly alike: layers "
            "this far from symmetric may forget everything at once"
        )
    return spectrum


def _rounding(matrix: Any, ratio: float) -> float:
    """Return the error of an eigenvalue ratio of this modulus: rounding times the condition of its eigenvectors."""
    values, left, right = linalg.eig(matrix, left=True)
    leading = np.abs(values).max()
    k = int(np.argmin(np.abs(np.abs(values) / leading - ratio)))
    overlap = abs(left[:, k].conj() @ right[:, k])
    norm = float(np.linalg.norm(matrix)) / leading
    return float(np.finfo(float).eps * norm / overlap) if overlap else math.inf
