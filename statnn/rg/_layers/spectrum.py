"""Eigenvalues of layers, and the correlation length they give."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import linalg, special

from statnn._arrays import read_only
from statnn._axes import axes, counting, logarithmic, settled
from statnn._by_value import ByValue
from statnn.rg._common import eigenvalue_errors

LEAST = 1e-12
"""A second eigenvalue of a matrix nearer than this to zero, or to the first one, is rounding."""

DOUBTFUL = 1e-4
"""Ratio of eigenvalues below which its rounding is estimated: of a defective zero it is the square root of rounding."""

MANY = 400
"""Rows of a matrix above which a single eigenvector is computed by inverse iteration."""

STRONG = 300.0
"""Largest interaction of two states of which exponentials are taken directly; beyond, logarithms are balanced first."""

STEPS = 4
"""Iterations for an eigenvector whose eigenvalue is far from all others; two would do."""

ROUNDS = 200
"""Most iterations for the leading eigenvector; a layer that forgets needs fewer."""


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
        ξ, if it is known in closed form.

    See Also
    --------
    BinaryLayer.spectrum, TransferMatrix.spectrum, TransferOperator.spectrum : make it.

    Examples
    --------
    >>> import numpy as np
    >>> from statnn.rg import BinaryLayer
    >>> BinaryLayer([[0.7]]).spectrum().correlation_length() == BinaryLayer([[0.7]]).correlation_length()
    True
    >>> ax = BinaryLayer(np.diag([0.7, 0.4])).spectrum().plot()
    """

    log_leading: float
    ratios: Any
    closed: float | None = None

    def correlation_length(self) -> float:
        r"""Return ξ = -1/ln|λ_1/λ_0| in layers.

        Exact to rounding if a closed form is known. From a ratio r = |λ_1/λ_0| of a matrix, its relative error is the
        absolute error of r, about 1e-15 times the condition of the eigenvectors, over r|ln r|.

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

    def plot(self, ax: Any | None = None, **style: Any) -> Any:
        """Plot the moduli of the nonzero ratios, in falling order.

        Parameters
        ----------
        ax : matplotlib axes or None
            Where to draw; None makes a new figure.
        **style
            Of the ratios, as for ``ax.plot``.

        Returns
        -------
        matplotlib axes
        """
        ax = axes(ax)
        size = np.abs(self.ratios)
        (rank,) = np.nonzero(size)
        ax.plot(rank, size[rank], **({"marker": "o", "ls": "none", "markersize": 4} | style))
        counting(ax)
        logarithmic(ax, "y")
        ax.set(xlabel="number $k$", ylabel=r"$|\lambda_k/\lambda_0|$")
        return settled(ax)


def leading_first(values: Any) -> Any:
    """Return eigenvalues by falling modulus, the positive one of largest modulus first (Perron, Frobenius).

    Examples
    --------
    >>> leading_first(np.array([0.1, -1.0, 1.0, 0.5])).tolist()
    [1.0, -1.0, 0.5, 0.1]
    """
    order = np.argsort(-np.abs(values), kind="stable")
    first = int(np.argmax(values.real))
    return values[[first, *order[order != first]]]


def spectrum_of(log_scale: float, values: Any, *, rounding: float = 0.0) -> Spectrum:
    """Return the spectrum of the eigenvalues e^log_scale `values`, the largest first; real if real up to rounding."""
    ratios = values / values[0].real
    shown = ratios if (np.abs(ratios.imag) > rounding).any() else ratios.real
    return Spectrum(log_scale + math.log(values[0].real), read_only(shown))


def resolved(spectrum: Spectrum, matrix: Any, errors: Any = None) -> Spectrum:
    """Return the spectrum of a matrix, or raise if its second eigenvalue may be the rounding of a defective zero.

    With `errors` of its entries, the matrix has only the other eigenvalues, in units of λ_0.
    """
    second = float(np.abs(spectrum.ratios[1]))
    size = 1.0 if errors is None else float(np.linalg.norm(matrix))
    if not LEAST * size <= second < DOUBTFUL:
        return spectrum
    if len(matrix) > MANY and errors is None:
        rounding = _rounding_of_one(matrix, spectrum.ratios[1])
    else:
        rounding = rounding_of(matrix, second, errors, None if errors is None else 1.0)
    if rounding > second / 100:
        raise ArithmeticError(
            f"|λ_1/λ_0| = {second:.1e} cannot be told from 0 in float64, as its eigenvectors are nearly alike: layers "
            "this far from symmetric may forget everything at once"
        )
    return spectrum


def rounding_of(matrix: Any, size: float, errors: Any = None, leading: float | None = 1.0) -> float:
    """Return the error of the eigenvalue with modulus `size`: the errors of entries weighted by its eigenvectors.

    Both are in units of `leading`, or of the largest eigenvalue if that is None.

    Examples
    --------
    >>> rounding_of(np.diag([1.0, 1e-9]), 1e-9) < 1e-15 < rounding_of(np.array([[1.0, -1.0], [1.0, -1.0]]), 1e-9)
    True
    """
    values, left, right = linalg.eig(matrix, left=True)
    leading = leading or float(np.abs(values).max())
    k = int(np.argmin(np.abs(np.abs(values) / leading - size)))
    x, y = np.abs(left[:, k]), np.abs(right[:, k])
    overlap = abs(left[:, k].conj() @ right[:, k])
    norm = float(np.linalg.norm(matrix)) / leading
    first = wrong = np.finfo(float).eps * norm
    if errors is not None:
        first, wrong = first + float(x @ errors @ y), wrong + float(np.linalg.norm(errors))
    return float(eigenvalue_errors(first, overlap, norm, wrong, len(matrix)))


def _rounding_of_one(matrix: Any, ratio: Any) -> float:
    """Return the error of λ/λ_0, below `DOUBTFUL`, of a large positive matrix, by power and inverse iteration."""
    right = np.ones(len(matrix))
    for _ in range(STEPS):
        right = matrix @ right / np.linalg.norm(right)
    matrix = matrix / np.linalg.norm(right)
    norm = float(np.linalg.norm(matrix))
    wrong = np.finfo(float).eps * norm
    factors = linalg.lu_factor(matrix - (ratio + wrong) * np.eye(len(matrix)))
    right = left = 1 + np.linspace(0, 1, len(matrix)) ** 2
    for _ in range(STEPS):
        left, right = linalg.lu_solve(factors, left, trans=2), linalg.lu_solve(factors, right)
        left, right = left / np.linalg.norm(left), right / np.linalg.norm(right)
    return float(eigenvalue_errors(wrong, abs(left.conj() @ right), norm, wrong, len(matrix)))


def forgets(couplings: Any) -> bool:
    """Return whether a repeated layer forgets everything after at most as many layers as it has spins.

    It does if spins can be assigned levels such that every coupling leads one level up: no path along couplings, in
    either direction, then extends beyond the number of levels. All eigenvalues but the first are zero.

    Examples
    --------
    >>> forgets(np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0]]))
    True
    >>> forgets(np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0]]))
    False
    """
    into, out = np.nonzero(couplings)
    steps = np.eye(len(couplings))[into] - np.eye(len(couplings))[out]
    levels = np.linalg.lstsq(steps, np.ones(into.size))[0]
    return bool((np.abs(steps @ levels - 1) < 1e-6).all())


def memory(interaction: Any, fields: Any) -> tuple[float, Any, Any] | None:
    r"""Return ln λ_0 of exp(I_ij + F_j), a matrix with the other eigenvalues over λ_0, and errors of its entries.

    None if they are not found.

    With the leading right eigenvector e^u, P_ij = e^{I_ij + F_j + u_j - u_i}/λ_0 is the law of j given i. Its
    eigenvector of eigenvalue one is constant; modulo constants its eigenvalues are those of P_ij - P_kj =
    P_kj (e^{I_ij - I_kj - u_i + u_k} - 1), in which nothing cancels, however weakly j depends on i, and however
    strongly the fields favour one state k.
    """
    if np.abs(interaction).max() > STRONG:
        return None
    excess, u = np.expm1(interaction), np.zeros(len(fields))
    for _ in range(ROUNDS):
        logs = fields + u - special.logsumexp(fields + u)
        gained = excess @ np.exp(logs)
        near = gained > -0.5  # elsewhere 1 + gained would cancel
        before, u = u, np.log1p(np.where(near, gained, 0.0))
        u[~near] = special.logsumexp(interaction[~near] + logs, axis=1)
        if np.abs(u - before).max() <= 4 * np.finfo(float).eps * np.abs(u).max():
            break
    else:
        return None
    k = int(np.argmax(fields + 2 * u))
    logs = fields + u + interaction[k]
    others = np.arange(len(u)) != k
    rise = (interaction - interaction[k] - (u - u[k])[:, None])[others][:, others]
    law = special.log_softmax(logs)[others]
    change = np.exp(law) * np.expm1(np.minimum(rise, 1.0))
    change = np.where(rise > 1.0, np.exp(law + rise) - np.exp(law), change)  # e^rise alone may overflow
    terms = np.abs(interaction) + np.abs(interaction[k]) + np.abs(u)[:, None] + abs(u[k])
    errors = np.finfo(float).eps * (np.exp(law + np.maximum(rise, 0.0)) * terms[others][:, others] + np.abs(change))
    with np.errstate(invalid="ignore"):  # scipy derives indices from scales, which may overflow integers
        balanced, (scales, _) = linalg.matrix_balance(change, permute=False, separate=True)
    return float(special.logsumexp(logs) - u[k]), balanced, errors * scales / scales[:, None]


def remembered(log_leading: float, others: Any) -> Spectrum:
    """Return the spectrum of a leading eigenvalue and a matrix with the others, in units of it: see `memory`."""
    size = float(np.abs(others).max()) or 1.0  # products of tiny entries would underflow
    values = linalg.eigvals(others / size) * size
    values = values[np.argsort(-np.abs(values), kind="stable")]
    second = float(np.abs(values[0]))
    known = LEAST * size < second < 1 - LEAST
    ratios = np.concatenate([[1.0], values if values.imag.any() else values.real])
    return Spectrum(log_leading, read_only(ratios), -1 / math.log(second) if known else None)
