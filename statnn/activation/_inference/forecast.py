"""How well a fit will determine b and c: its errors for counts that are not recorded yet."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from statnn._arguments import LARGEST_COUNT, array_of, shaped, whole
from statnn.activation._beta_bernoulli import BetaBernoulli
from statnn.activation._inference.estimate import LIKELIHOODS, Process, covariance
from statnn.activation._inference.likelihood import Tally

_ONE_BY_ONE = 2**10
"""Counts from either end that are summed one by one; farther in, the width of a cell is 2/1024 of its distance from the
end, with errors of some 1e-7."""
_NARROW = 32
"""Distance of a law from both ends, in its standard deviations, beyond which cells growing from there are too wide."""
_NEVER, _RARELY = 1e-17, 1e-12
"""Chance of counts beyond those that are summed: as a rule, and at most where these end with 64-bit integers."""


def fit_errors(process: Process, samples: int | Sequence[int]) -> tuple[Any, Any]:
    r"""Return the standard errors of b and c that :func:`fit` will find, on average, in counts of this many samples.

    They are the roots of the diagonal of :math:`I^{-1}` for the expected information of N counts,

    .. math:: I = -N\,E\,\frac{∂^2 \ln P(k)}{∂θ\,∂θ^T}, \qquad k \sim P \text{ after D samples},

    [asymptotic: relative errors of order 1/N]. They do not vanish for many samples: at D → ∞ the chances of all
    neurons are known, and the error of b depends on the number of neurons alone.

    Parameters
    ----------
    process : BetaBernoulli, PolyaUrn or GammaPoisson
        The law, with the b and c that are expected; without a start.
    samples : int or sequence of int
        D, from 1 (beta-Bernoulli: from 2) to 9e18; for the urn, c D must be whole.

    Returns
    -------
    b_error, c_error : float or ndarray
        Of the shape of `samples`; c_error is 0 for the urn, whose total is given.

    Raises
    ------
    TypeError, ValueError
        If `process` is not a process or has a start, or samples are out of range or too few to say anything of b.

    See Also
    --------
    fit : the errors of counts at hand.

    Examples
    --------
    >>> from statnn.activation import BetaBernoulli, fit_errors
    >>> b_error, c_error = fit_errors(BetaBernoulli(1000, b=0.3, c=5.0), [100, 10_000, 10**12])
    >>> (b_error / 0.3).round(3)  # more than some thousand samples help little
    array([0.115, 0.042, 0.035])
    """
    if type(process) not in LIKELIHOODS:
        raise TypeError(
            f"process is a {type(process).__name__}; pass one with the b and c that you expect, such as BetaBernoulli("
            "neurons=1000, b=0.3, c=5.0)"
        )
    if process.start is not None:
        raise ValueError("process has a start, of which no fit knows: pass it without")
    least = 2 if isinstance(process, BetaBernoulli) else 1  # one sample gives counts of 0 and 1, whatever b
    each = [whole(d, "samples", minimum=least) for d in np.ravel(array_of(samples, "samples")).tolist()]
    errors = np.sqrt([np.diag(_covariance(process, d)) for d in each]).reshape(*np.shape(samples), 2)
    return shaped(errors[..., 0], samples), shaped(errors[..., 1], samples)


def _covariance(process: Process, samples: int) -> NDArray[np.float64]:
    tally = _expected(process, samples)
    theta = [math.log(process.b)]
    if isinstance(process, BetaBernoulli):
        theta.append(math.log(process.c / (process.neurons - process.c)))
    *_, hessian = LIKELIHOODS[type(process)](tally, np.array(theta))
    if not np.linalg.eigvalsh(-hessian)[0] > 0:
        raise ValueError(
            f"samples = {samples} with {process.c:.3g} activations each, of {process.neurons} neurons, say nothing of "
            "b within float64: take more samples, or chances that differ more"
        )
    return np.asarray(covariance(tally, process, -hessian))


def _expected(process: Process, samples: int) -> Tally:
    """Return the expected number of neurons with each count; from some thousands on, one count stands for several."""
    law = process.count(samples)
    top = samples if isinstance(process, BetaBernoulli) else int(min(law.isf(_NEVER), LARGEST_COUNT))
    if law.sf(top) > _RARELY:
        raise ValueError(f"after samples = {samples} counts reach beyond {LARGEST_COUNT:.0e}: take fewer samples")
    narrow = _NARROW * law.std() < min(law.mean(), top - law.mean())
    edges = _evenly(law.ppf(_NEVER), law.isf(_NEVER), top) if narrow else _edges(top)
    width = np.diff(edges)
    middle = edges[:-1] + width // 2
    share = law.pmf(middle) * width
    return Tally(middle, process.neurons * share / share.sum(), samples)


def _evenly(first: float, last: float, top: int) -> NDArray[np.int64]:
    """Return the edges of thousands of cells of equal, odd width from the first to the last count."""
    width = int((last - first) / _ONE_BY_ONE) // 8 * 2 + 1
    begin = max(int(first), 0)
    return np.arange(begin, min(int(last), top) + width + 1, width)


def _edges(top: int) -> NDArray[np.int64]:
    """Return the edges of cells of 0, ..., top: finest at both ends, where chances may pile up; of odd width."""
    low = [0]
    while 2 * (low[-1] + 2 * (low[-1] // _ONE_BY_ONE) + 1) <= top + 1:
        low.append(low[-1] + 2 * (low[-1] // _ONE_BY_ONE) + 1)
    rest = top + 1 - 2 * low[-1]
    inner = [low[-1] + 1] if rest and rest % 2 == 0 else []
    return np.unique([*low, *inner, *(top + 1 - edge for edge in low)])
