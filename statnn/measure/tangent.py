r"""The empirical neural tangent kernel of a dense network, with the trace and the entropy of its spectrum.

Trace and entropy as collective variables of training are notions of arXiv 2410.07451 [paper], whose normalisation is
not at hand: here the trace is that of the matrix, and the entropy that of its eigenvalues as shares of it [own].
"""

from __future__ import annotations

from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from statnn._arguments import Floats, switch
from statnn._axes import axes, ink, logarithmic, settled
from statnn._by_value import ByValue
from statnn._memory import refuse_beyond_memory
from statnn._tasks import check_executor, in_order, run_tasks
from statnn.measure._classes import inputs_of
from statnn.montecarlo._blas import one_thread
from statnn.network import Network
from statnn.network._differences import reals

__all__ = ["TangentKernel", "tangent_kernel"]


def __dir__() -> list[str]:
    return __all__


@dataclass(frozen=True, eq=False, repr=False)
class TangentKernel(ByValue):
    """A tangent kernel on a set of samples.

    Parameters
    ----------
    matrix : ndarray, shape (samples, samples), or (samples · n_M, samples · n_M) of the full kernel
        Θ, symmetric and positive semi-definite; rows of the full kernel run over samples, then outputs.
    eigenvalues : ndarray
        In decreasing order; those within rounding of zero are 0.

    See Also
    --------
    tangent_kernel : makes it.

    Examples
    --------
    >>> import numpy as np
    >>> from statnn import Network
    >>> from statnn.measure.tangent import tangent_kernel
    >>> ax = tangent_kernel(Network.random([5, 20, 3], rng=1), np.eye(5)).plot()
    """

    matrix: Floats
    eigenvalues: Floats

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

    def plot(self, ax: Any | None = None, **style: Any) -> Any:
        """Draw the eigenvalues above zero against their rank, and the effective rank.

        Parameters
        ----------
        ax : matplotlib axes or None
            Where to draw; None makes a new figure.
        **style
            Style of the eigenvalues, as for ``ax.plot``.

        Returns
        -------
        matplotlib axes
        """
        ax = axes(ax)
        above = self.eigenvalues[self.eigenvalues > 0]
        ax.plot(np.arange(1, above.size + 1), above, **({"marker": ".", "label": "eigenvalues"} | style))
        ax.axvline(self.effective_rank, color=ink(), lw=1, ls=":", label=f"effective rank {self.effective_rank:.3g}")
        logarithmic(ax, "x", "y")
        ax.set(xlabel="rank $k$", ylabel=r"eigenvalue $\lambda_k$ of $\Theta$")
        ax.legend(fontsize="small")
        return settled(ax)


AT_ONCE = 256
"""Samples of a block of the kernel."""


def tangent_kernel(
    net: Network, x: ArrayLike, *, biases: bool = True, full: bool = False, executor: Executor | None = None
) -> TangentKernel:
    r"""Return the empirical neural tangent kernel.

    .. math:: Θ(μ, ν) = \sum_k \sum_θ \frac{∂y_k(μ)}{∂θ}\frac{∂y_k(ν)}{∂θ}
              = \sum_m \bigl(h^{(m)}(μ)·h^{(m)}(ν) + 1\bigr) \sum_k δ_k^{(m)}(μ)·δ_k^{(m)}(ν),

    with :math:`δ_k^{(m)} = ∂y_k/∂(\text{fields of layer } m)`: no gradient is ever formed, the kernel is a sum over
    layers of products of two Gram matrices.

    Parameters
    ----------
    net : Network
        Activations need derivatives; with batch normalisation the parameters are the effective weights and biases. A
        layer that repeats another one counts with parameters of its own.
    x : array_like, shape (samples, n_0)
        Inputs.
    biases : bool
        Whether biases are parameters, of all layers: a layer made without has zeros, which then count, too. If False,
        the 1 in the sum is left out.
    full : bool
        Keep outputs apart: Θ_{k k'}(μ, ν), one row for each sample and output.
    executor : concurrent.futures.Executor, optional
        Where blocks of 256 × 256 samples are worked on, one layer after the other, each on one thread of BLAS; threads
        suffice. Results do not depend on it; the eigenvalues are computed here, on one thread as well.

    Returns
    -------
    TangentKernel
        In float64, whatever the precision of the network.

    Raises
    ------
    TypeError, ValueError
        If inputs do not fit, numbers exceed the range of float64, or all gradients vanish (sign units, or units all
        saturated).
    MemoryError
        If samples and outputs are too many for the matrix.

    See Also
    --------
    statnn.measure.correlation.participation_ratio : of activities.

    Notes
    -----
    [exact]. Outputs are those of the network, after its last activation. Cost O(samples² · units · outputs) per layer.

    References
    ----------
    Jacot, Gabriel & Hongler 2018; Tovey et al. 2024, on trace and entropy as collective variables.

    Examples
    --------
    >>> from statnn import Network
    >>> tangent_kernel(Network([[[2.0, 1.0]]], activation="identity"), [[1.0, 0.0], [0.0, 3.0]]).matrix
    array([[ 2.,  1.],
           [ 1., 10.]])
    """
    check_executor(executor)
    biases, full = switch(biases, "biases"), switch(full, "full")
    # One thread of BLAS in all that follows: last digits, above all of eigenvalues, depend on the number of threads.
    h = inputs_of(net, x)
    samples, outputs = len(h), net.widths[-1]
    rows = samples * (outputs if full else 1)
    refuse_beyond_memory(
        8.0 * (4 * rows**2 + 3 * samples * outputs * max(net.widths)),
        f"the kernel of {samples} samples and {outputs} outputs",
        "take fewer samples, or full=False",
    )
    with one_thread():
        trace = net.trace(h)
    slopes = [_slope(net, m, f) for m, f in enumerate(trace.fields)]
    delta: Floats = slopes[-1][:, :, None] * np.eye(outputs)
    matrix = np.zeros((rows, rows))
    blocks = [slice(start, start + AT_ONCE) for start in range(0, samples, AT_ONCE)]
    pairs = [(here, there) for i, here in enumerate(blocks) for there in blocks[: i + 1]]
    for m in reversed(range(net.depth)):
        below = trace.activations[m].astype(np.float64)
        tasks = [_Task(below, delta, pair, float(biases), full) for pair in pairs]
        for k, block in run_tasks(_block, tasks, executor, shared=[below, delta]):
            here, there = (slice(at.start * rows // samples, at.stop * rows // samples) for at in pairs[k])
            matrix[here, there] += block
            if here != there:
                matrix[there, here] += block.T
        if m:
            weights = net.weights[m].astype(np.float64)
            back = [(delta[at], weights, slopes[m - 1][at]) for at in blocks]
            delta = np.concatenate(list(in_order(run_tasks(_back, back, executor, shared=[weights]))))
    with np.errstate(over="ignore"):
        trace_of_all = np.trace(matrix)
    if not (np.isfinite(matrix).all() and np.isfinite(trace_of_all)):
        raise ValueError("gradients exceed the range of float64: scale inputs or weights down")
    if trace_of_all < np.finfo(float).tiny:
        raise ValueError(
            "all gradients vanish on these samples, or their squares are below the smallest float: the kernel is zero "
            "and its entropy undefined; take other samples, or scale weights up"
        )
    with one_thread():
        values = np.linalg.eigvalsh(matrix)[::-1]
    rounding = rows * np.finfo(float).eps * values[0]
    return TangentKernel(matrix, np.where(values > rounding, values, 0.0))


class _Task(NamedTuple):
    """A block of what one layer adds: its inputs, shape (samples, n), and δ, shape (samples, outputs, n')."""

    below: Floats
    delta: Floats
    pair: tuple[slice, slice]
    bias: float
    full: bool


def _block(task: _Task) -> Floats:
    below, delta = ([array[at] for at in task.pair] for array in (task.below, task.delta))
    outputs = task.delta.shape[1]
    with one_thread(), np.errstate(over="ignore", invalid="ignore"):
        gram = below[0] @ below[1].T + task.bias
        if task.full:
            gram = np.asarray(np.kron(gram, np.ones((outputs, outputs))), dtype=np.float64)
        here, there = (d.reshape(-1, d.shape[2]) if task.full else d.reshape(len(d), -1) for d in delta)
        return np.asarray(gram * (here @ there.T))


def _back(task: tuple[Floats, Floats, Floats]) -> Floats:
    """Return δ of the layer below, of some samples."""
    delta, weights, slopes = task
    with one_thread(), np.errstate(over="ignore", invalid="ignore"):
        below = delta.reshape(-1, delta.shape[2]) @ weights
        return np.asarray(below.reshape(*delta.shape[:2], -1) * slopes[:, None, :])


def _slope(net: Network, m: int, fields: NDArray[Any]) -> Floats:
    """Return σ' at the fields of a layer, shape (samples, n), in float64."""
    sigma = net.activations[m]
    slope = reals(sigma.derivative(fields), fields.shape, f"the derivative of activation {sigma.name!r}")
    if not (finite := np.isfinite(slope)).all():
        raise ValueError(
            f"the derivative of activation {sigma.name!r} is {slope[~finite][0]} at the field {fields[~finite][0]:g}: "
            "it must be finite where samples are"
        )
    return slope.astype(np.float64)
