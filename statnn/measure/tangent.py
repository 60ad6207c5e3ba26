r"""The empirical neural tangent kernel of a dense network, with the trace and the entropy of its spectrum.

Trace and entropy as collective variables of training are notions of arXiv 2410.07451 [paper], whose normalisation is
not at hand: here the trace is that of the matrix, and the entropy that of its eigenvalues as shares of it [own].
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from statnn._arguments import Floats, array_of
from statnn._by_value import ByValue
from statnn._memory import refuse_beyond_memory
from statnn.measure._classes import inputs_of
from statnn.network import Network

__all__ = ["TangentKernel", "tangent_kernel"]


@dataclass(frozen=True, eq=False, repr=False)
class TangentKernel(ByValue):
    """A tangent kernel on a set of samples.

    Parameters
    ----------
    matrix : ndarray, shape (samples, samples), or (samples · n_M, samples · n_M) of the full kernel
        Θ, symmetric and positive semi-definite; rows of the full kernel run over samples, then outputs.
    eigenvalues : ndarray
        In falling order; rounding leaves none below zero.
    """

    matrix: Floats = field(repr=False)
    eigenvalues: Floats = field(repr=False)

    @property
    def trace(self) -> float:
        """Sum of the eigenvalues: the squared norms of the gradients, summed over samples and outputs."""
        return float(np.trace(self.matrix))

    @property
    def entropy(self) -> float:
        """-Σ p ln p of the shares p = λ/trace: 0 for one direction, ln of the number of rows for equal ones."""
        shares = self.eigenvalues[self.eigenvalues > 0] / self.eigenvalues.sum()
        return float(np.sum(shares * -np.log(shares))) + 0.0

    @property
    def effective_rank(self) -> float:
        """exp(entropy), from 1 to the number of rows."""
        return float(np.exp(self.entropy))


def tangent_kernel(net: Network, x: ArrayLike, *, biases: bool = True, full: bool = False) -> TangentKernel:
    r"""Return the empirical neural tangent kernel.

    .. math:: Θ(μ, ν) = \sum_k \sum_θ \frac{∂y_k(μ)}{∂θ}\frac{∂y_k(ν)}{∂θ}
              = \sum_m \bigl(h^{(m)}(μ)·h^{(m)}(ν) + 1\bigr) \sum_k δ_k^{(m)}(μ)·δ_k^{(m)}(ν),

    with :math:`δ_k^{(m)} = ∂y_k/∂(\text{fields of layer } m)`: no gradient is ever formed, the kernel is a sum over
    layers of products of two Gram matrices.

    Parameters
    ----------
    net : Network
        Activations need derivatives; with batch normalisation the parameters are the effective weights and biases. A
        layer that repeats another one has parameters of its own.
    x : array_like, shape (samples, n_0)
        Inputs.
    biases : bool
        Whether biases are parameters; without them the 1 in the sum is left out.
    full : bool
        Keep outputs apart: Θ_kk'(μ, ν), one row for each sample and output.

    Returns
    -------
    TangentKernel
        In float64, whatever the precision of the network.

    Raises
    ------
    TypeError, ValueError
        If inputs do not fit, numbers leave the range, or all gradients vanish (sign units, or units all saturated).
    MemoryError
        If samples and outputs are too many for the matrix.

    Notes
    -----
    [exact]. Outputs are those of the network, after its last activation. Cost O(samples² · units · outputs) a layer.

    Examples
    --------
    >>> tangent_kernel(Network([[[2.0, 1.0]]], activation="identity"), [[1.0, 0.0], [0.0, 3.0]]).matrix
    array([[ 2.,  1.],
           [ 1., 10.]])
    """
    h = inputs_of(net, x)
    samples, outputs = len(h), net.widths[-1]
    rows = samples * (outputs if full else 1)
    refuse_beyond_memory(
        8.0 * (4 * rows**2 + 3 * samples * outputs * max(net.widths)),
        f"the kernel of {samples} samples and {outputs} outputs",
        "take fewer samples, or full=False",
    )
    trace = net.trace(h)
    slopes = [_slope(net, m, f) for m, f in enumerate(trace.fields)]
    delta: Floats = slopes[-1][:, :, None] * np.eye(outputs)
    matrix = np.zeros((rows, rows))
    for m in reversed(range(net.depth)):
        below = trace.activations[m].astype(np.float64)
        with np.errstate(over="ignore", invalid="ignore"):
            gram = below @ below.T + (1.0 if biases else 0.0)
            if full:
                flat = delta.reshape(rows, -1)
                matrix += np.kron(gram, np.ones((outputs, outputs))) * (flat @ flat.T)
            else:
                flat = delta.reshape(samples, -1)
                matrix += gram * (flat @ flat.T)
            if m:
                delta = (delta @ net.weights[m].astype(np.float64)) * slopes[m - 1][:, None, :]
    if not np.isfinite(matrix).all():
        raise ValueError("gradients leave the range of float64: scale inputs or weights down")
    if not np.trace(matrix) > 0:
        raise ValueError(
            "all gradients vanish on these samples, or their squares are below the smallest float: the kernel is zero "
            "and its entropy undefined"
        )
    values = np.linalg.eigvalsh(matrix)[::-1]
    rounding = rows * np.finfo(float).eps * values[0]
    return TangentKernel(matrix, np.where(values > rounding, values, 0.0))


def _slope(net: Network, m: int, fields: NDArray[Any]) -> Floats:
    """Return σ' at the fields of a layer, shape (samples, n), in float64."""
    sigma = net.activations[m]
    slope = array_of(sigma.derivative(fields), f"the derivative of activation {sigma.name!r}")
    if slope.shape != fields.shape or slope.dtype.kind not in "biuf" or not np.isfinite(slope).all():
        raise ValueError(
            f"the derivative of activation {sigma.name!r} maps fields of shape {fields.shape} to {slope.dtype} of "
            f"shape {slope.shape} that may not be finite: it must be elementwise, real and finite"
        )
    return slope.astype(np.float64)
