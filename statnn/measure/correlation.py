r"""Correlations between the units of a layer, beside what independent units would show in as many samples.

Neuronal correlation is a notion of arXiv 2201.09069 [paper], whose formula is not at hand: the averages of Pearson's r
here, and all nulls, are our own [own]. The null of every number is exact under permutation: the samples of each unit
are permuted independently, which keeps what single units do and removes all that they do together. For two units of
any law it gives E[r²] = 1/(D-1).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from statnn._arguments import Floats, Ints, exact, whole
from statnn._axes import axes, ink, settled
from statnn._by_value import ByValue
from statnn._memory import refuse_beyond_memory
from statnn._notebook import Shown
from statnn.activation._laws.special import mixed_log_gamma
from statnn.measure._deviations import deviations

__all__ = ["Correlation", "Participation", "neuronal_correlation", "participation_ratio"]


def __dir__() -> list[str]:
    return __all__


ROUNDING = 1e-12
"""Share of tr C² below which its excess over the mean by chance counts as zero."""


@dataclass(frozen=True, eq=False, repr=False)
class Correlation(ByValue):
    """Correlations between the units of a layer.

    Parameters
    ----------
    matrix : ndarray, shape (varying, varying)
        Pearson's r of the units that vary.
    varying : ndarray of int, shape (varying,)
        Numbers of these units; constant ones have no correlation and are left out of every average.
    constant : int
        Number of constant units.
    samples : int
        D.

    See Also
    --------
    neuronal_correlation : makes it.

    Examples
    --------
    >>> import numpy as np
    >>> from statnn.measure.correlation import neuronal_correlation
    >>> ax = neuronal_correlation(np.random.default_rng(1).normal(size=(50, 30))).plot()
    """

    matrix: Floats = field(repr=False)
    varying: Ints = field(repr=False)
    constant: int
    samples: int

    def _pairs(self) -> Floats:
        return self.matrix[np.triu_indices(len(self.matrix), 1)]

    @property
    def mean(self) -> float:
        """Mean of r over pairs of units; 0 for independent ones, at least -1/(varying - 1)."""
        return float(self._pairs().mean())

    @property
    def mean_square(self) -> float:
        """Mean of r² over pairs of units."""
        return float(np.mean(self._pairs() ** 2))

    @property
    def null_mean_square(self) -> float:
        """Expectation of `mean_square` for independent units whose samples are exchangeable, 1/(D-1) [exact]."""
        return 1 / (self.samples - 1)

    @property
    def mean_absolute(self) -> float:
        """Mean of |r| over pairs of units."""
        return float(np.mean(np.abs(self._pairs())))

    @property
    def null_mean_absolute(self) -> float:
        """Expectation of `mean_absolute` for independent Gaussian units, Γ((D-1)/2)/(√π Γ(D/2)) [exact for them]."""
        x = (self.samples - 1) / 2  # Γ(x)/Γ(x+1/2) = [exp L(x; 1/2, 1/2)/x]^(1/2)
        return math.sqrt(math.exp(float(mixed_log_gamma(x, 0.5, 0.5))) / (math.pi * x))

    def plot(self, ax: Any | None = None, *, bins: int = 40, **style: Any) -> Any:
        r"""Draw the density of r over pairs of units, beside that of independent Gaussian units.

        .. math:: p(r) = \frac{(1-r^2)^{(D-4)/2}}{B(\frac12, \frac{D-2}{2})}

        Parameters
        ----------
        ax : matplotlib axes or None
            Where to draw; None makes a new figure.
        bins : int
            Bins of equal width, over the range of r of the pairs and of that density.
        **style
            Style of the histogram, as for ``ax.stairs``.

        Returns
        -------
        matplotlib axes
        """
        pairs, number = self._pairs(), whole(bins, "bins", minimum=1, maximum=10**6)
        ax, half = axes(ax), self.samples / 2 - 1
        law = stats.beta(half, half, loc=-1, scale=2)
        r = law.ppf(np.linspace(0.001, 0.999, 301))
        density, edges = np.histogram(pairs, number, (min(pairs.min(), r[0]), max(pairs.max(), r[-1])), density=True)
        ax.stairs(density, edges, **({"fill": True, "alpha": 0.6, "label": f"{pairs.size} pairs"} | style))
        ax.plot(r, law.pdf(r), color=ink(), lw=1, label="independent, Gaussian")
        ax.set(xlabel="correlation $r$", ylabel="density")
        ax.set_ylim(bottom=0)
        ax.legend(fontsize="small")
        return settled(ax)


@dataclass(frozen=True)
class Participation(Shown):
    """The number of directions over which the activity of a layer spreads.

    Parameters
    ----------
    ratio : float
        (tr C)²/tr C² of the covariance matrix over samples, between 1 and min(units, samples - 1).
    null : float
        The same for independent units of these variances in as many samples: 1/E[1/ratio] under permutation [exact].
    corrected : float
        Estimate for infinitely many samples, (tr C)² and tr C² without bias for Gaussian activity; inf where the
        samples are too few to tell tr C² from zero.
    units, samples : int
        Numbers of units that vary (constant ones count in neither trace) and of samples.

    See Also
    --------
    participation_ratio : makes it.
    """

    ratio: float
    null: float
    corrected: float
    units: int
    samples: int


def neuronal_correlation(activations: ArrayLike) -> Correlation:
    r"""Return the correlations between units.

    .. math:: r_{ij} = \frac{C_{ij}}{\sqrt{C_{ii} C_{jj}}}, \qquad
              C_{ij} = \frac{1}{D-1}\sum_μ (a_i(μ)-\bar a_i)(a_j(μ)-\bar a_j).

    Parameters
    ----------
    activations : array_like, shape (samples, units)
        Activations or fields, at least three samples and two units that vary: ``net.trace(x).activations[-2]`` is the
        penultimate layer; or recorded elsewhere.

    Returns
    -------
    Correlation

    Raises
    ------
    TypeError, ValueError
        If they are not finite real numbers of that shape, or fewer than two units vary.
    MemoryError
        If there are too many units for their matrix.

    See Also
    --------
    participation_ratio : over how many directions activity spreads.

    Notes
    -----
    [own]: the notion is published, its formula is not at hand. Nulls are exact where the samples of each unit are
    permuted independently, which keeps what single units do and removes all that they do together. Rescaling and
    shifting of units changes nothing, even for 1e-200 beside 1e200, noise on 1e8, or subnormal numbers.

    References
    ----------
    Jin, Yi & Huang 2022, on the notion; the averages and nulls are this project's own.

    Examples
    --------
    >>> correlation = neuronal_correlation([[0.0, 1.0, 5.0], [1.0, 3.0, 5.0], [2.0, 5.0, 5.0], [3.0, 7.0, 5.0]])
    >>> round(correlation.mean_square, 12), correlation.constant
    (1.0, 1)
    """
    values = _activity(activations)
    centred, _ = deviations(values)
    units = values.shape[1]
    varying = np.flatnonzero(centred.any(axis=0))
    if varying.size < 2:
        raise ValueError(
            f"{varying.size} of {units} units vary; a correlation needs two: record more samples, or other units"
        )
    refuse_beyond_memory(16.0 * varying.size**2, f"the matrix of {varying.size} units", "take a part of the units")
    unit = centred[:, varying]
    unit /= np.sqrt((unit**2).sum(axis=0))
    matrix = np.clip(unit.T @ unit, -1.0, 1.0)  # rounding alone goes beyond
    np.fill_diagonal(matrix, 1.0)
    return Correlation(matrix, varying, units - int(varying.size), len(values))


def participation_ratio(activations: ArrayLike) -> Participation:
    r"""Return the participation ratio of the activity of a layer.

    .. math:: \mathrm{PR} = \frac{(\mathrm{tr}\,C)^2}{\mathrm{tr}\,C^2} = \frac{(\sum λ)^2}{\sum λ^2}

    with λ the eigenvalues of the covariance matrix. N independent units of equal variance in D samples show
    N/(1+(N-1)/(D-1)) and not N: the law of Marchenko and Pastur.

    Parameters
    ----------
    activations : array_like, shape (samples, units)
        As for `neuronal_correlation`; one unit that varies is enough.

    Returns
    -------
    Participation

    Raises
    ------
    TypeError, ValueError
        If they are not finite real numbers of that shape, or no unit varies.

    See Also
    --------
    neuronal_correlation : between pairs of units.

    Notes
    -----
    Standard definition; its null [own] is exact for any law of the units:
    :math:`\mathrm{E}\,\mathrm{tr}\,C^2 = \sum v_i^2 + [(\sum v_i)^2 - \sum v_i^2]/(D-1)` under permutation, with tr C
    fixed.

    Examples
    --------
    >>> participation = participation_ratio([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [0.0, -1.0]])
    >>> round(participation.ratio, 12), round(participation.null, 12)
    (2.0, 1.5)
    """
    values = _activity(activations)
    centred, exponent = deviations(values)
    varying = centred.any(axis=0)
    if not varying.any():
        raise ValueError(
            f"none of {values.shape[1]} units varies: there is no direction to spread over; record activity that "
            "changes between samples"
        )
    centred = np.ldexp(centred[:, varying], exponent[varying] - exponent[varying].max())
    samples, units = centred.shape
    refuse_beyond_memory(16.0 * min(samples, units) ** 2, "the covariance", "take a part of the units or samples")
    freedom = samples - 1
    gram = centred.T @ centred if units <= samples else centred @ centred.T
    square = float(np.sum(gram**2)) / freedom**2
    variances = (centred**2).sum(axis=0) / freedom
    total, diagonal = float(variances.sum()), float((variances**2).sum())
    null = total**2 / (diagonal + (total**2 - diagonal) / freedom)
    pure = freedom**2 * (square - total**2 / freedom) / ((freedom - 1) * (freedom + 2))
    corrected = (total**2 - 2 * pure / freedom) / pure if pure > ROUNDING * square else math.inf
    return Participation(total**2 / square, null, corrected, units, samples)


def _activity(activations: ArrayLike) -> Floats:
    values = exact(activations, "activations", why="units are compared")
    if values.ndim != 2 or values.shape[0] < 3 or values.shape[1] == 0:
        raise ValueError(f"activations has shape {values.shape}; (samples, units) with at least 3 samples is needed")
    return values
