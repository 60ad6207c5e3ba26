r"""Fano factors of a unit by chance: for independent stimuli, shuffled ones, and blocks of one class.

Each is a case of the law of total variance over the windows,

.. math:: F = \frac{\langle \mathrm{Var}\,n\rangle + \mathrm{Var}\langle n\rangle}{\langle n\rangle},

the first term binomial or hypergeometric, the second the spread of the rates of classes.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from statnn._arguments import Floats, at_least, shaped, whole
from statnn._labelled import refuse_other_order


def _rates(values: ArrayLike, name: str) -> Floats:
    rates = at_least(values, name, minimum=0, why="it is a share of samples")
    if rates.size == 0:
        raise ValueError(f"{name} is empty; give at least one rate")
    if rates.max() > 1:
        raise ValueError(f"{name} = {rates.max():g} is above 1: a rate is a share of samples, not a count")
    return rates


def independent_fano_factor(rate: ArrayLike) -> Any:
    r"""Return the Fano factor 1 - r of a unit that answers independent stimuli [exact].

    Counts in windows of any length T are Binomial(T, r). The 1 of a Poisson process is the limit of r → 0.

    Parameters
    ----------
    rate : array_like
        r, the probability of a spike, between 0 and 1.

    Returns
    -------
    float or ndarray
        Shape of ``rate``. At r = 0 it is the limit 1; a unit that is silent has no Fano factor of its own.

    Raises
    ------
    TypeError, ValueError
        If a rate is not a number in [0, 1].

    See Also
    --------
    shuffled_fano_factor, blocked_fano_factor : other orders of presentation.

    Examples
    --------
    >>> independent_fano_factor([0.1, 0.75])
    array([0.9 , 0.25])
    """
    return shaped(1.0 - _rates(rate, "rate"), rate)


def shuffled_fano_factor(rate: ArrayLike, window: int, samples: int) -> Any:
    r"""Return the Fano factor (1-r)(M-T)/(M-1) of a finite set of samples in random order [exact].

    M samples of which m = rM make the unit fire are dealt out without replacement: counts are hypergeometric. When
    windows of T samples use all of them this is also the expectation of the measured factor (ddof = 0).

    Parameters
    ----------
    rate : array_like
        r = m/M, between 0 and 1.
    window : int
        T, between 1 and M.
    samples : int
        M, at least 2.

    Returns
    -------
    float or ndarray
        Shape of ``rate``.

    Raises
    ------
    TypeError, ValueError
        If a rate is not in [0, 1], or the window does not fit into the samples.

    See Also
    --------
    independent_fano_factor, blocked_fano_factor : other orders of presentation.

    Examples
    --------
    >>> round(shuffled_fano_factor(0.08, window=100, samples=1000), 4)
    0.8288
    """
    M = whole(samples, "samples", minimum=2)
    T = whole(window, "window", minimum=1, maximum=M)
    return shaped((1.0 - _rates(rate, "rate")) * ((M - T) / (M - 1)), rate)


def blocked_fano_factor(rates: ArrayLike, window: int, *, weights: ArrayLike | None = None) -> float:
    r"""Return the Fano factor of a unit when every window holds stimuli of one class [exact].

    .. math:: F = 1 - \frac{E[p^2]}{E[p]} + T\,\frac{\mathrm{Var}(p)}{E[p]},

    with the class, and so its rate p, drawn anew for every window and independent stimuli inside.

    Parameters
    ----------
    rates : array_like, shape (classes,)
        p_k, the probability of a spike in class k, not all of them 0.
    window : int
        T, at least 1.
    weights : array_like, shape (classes,), or None
        How often windows hold class k, up to a factor; None for equally likely classes.

    Returns
    -------
    float

    Raises
    ------
    TypeError, ValueError
        If rates are not in [0, 1] or all 0, or weights are negative, all 0 or of another shape.

    See Also
    --------
    shuffled_fano_factor, independent_fano_factor : other orders of presentation.

    Examples
    --------
    A unit that fires with probability 0.8 in one of ten classes, and the same unit on shuffled stimuli:

    >>> from statnn.measure.spikes import independent_fano_factor
    >>> rates = [0.8] + 9 * [0.0]
    >>> round(blocked_fano_factor(rates, window=100), 4), round(independent_fano_factor(0.08), 4)
    (72.2, 0.92)
    """
    refuse_other_order(weights, "weights", rates, "rates")
    p = _rates(rates, "rates")
    if p.ndim != 1:
        raise ValueError(f"rates has shape {p.shape}; one rate per class is needed, shape (classes,)")
    T = whole(window, "window", minimum=1)
    if weights is None:
        share = np.full(p.size, 1.0 / p.size)
    else:
        share = at_least(weights, "weights", minimum=0, why="they say how often a class is presented")
        if share.shape != p.shape or not share.any():
            raise ValueError(f"weights has shape {share.shape}; one weight a rate, shape {p.shape}, not all 0")
        share = share / share.max()  # so that the sum is finite
        share = share / share.sum()
    mean = float(share @ p)
    if mean == 0:
        raise ValueError("all rates are 0: a silent unit has no Fano factor")
    gap = p - p[share.argmax()]  # differences of close rates are exact, their mean is not
    gap -= share @ gap
    return float(share @ (p * (1 - p)) + T * (share @ gap**2)) / mean


def null_of_windows(spikes: Floats, windows: Floats, window: int, ddof: int) -> Floats:
    """Return the expectation of the measured Fano factor when samples are shuffled inside each class.

    Parameters
    ----------
    spikes : ndarray, shape (classes, units)
        Spikes in the complete windows of a class; a class has at least one window.
    windows : ndarray, shape (classes,)
        Numbers of complete windows.
    window : int
        T.
    ddof : int
        What is subtracted from the number of windows in the variance.

    Returns
    -------
    ndarray, shape (units,)
        Where a unit has spikes; 0 where it has none.
    """
    total = windows.sum()
    samples = windows * window
    p, silence = spikes / samples[:, None], (samples[:, None] - spikes) / samples[:, None]
    share = windows / total
    mean = share @ p
    rarer = np.where(mean < 0.5, p, silence)  # differences of rates near one are below their rounding
    apart = share @ (rarer - rarer[0] - share @ (rarer - rarer[0])) ** 2
    finite = (samples - window) / np.maximum(samples - 1, 1)
    variance = window * ((share * finite) @ (p * silence)) + window**2 * apart
    expected = np.where(mean > 0, window * mean, 1.0)
    return np.asarray(variance / expected * (total / (total - ddof)))
