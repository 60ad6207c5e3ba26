"""Tests of a law for every unit, and corrections for their number."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from statnn._arguments import Floats, Ints, share, whole
from statnn._axes import axes, ink, settled
from statnn._by_value import ByValue
from statnn.measure.spikes._few_spikes import BANDS, FEW, ROUNDING, few_spikes, some_spikes
from statnn.measure.spikes._spike_kernels import SMALLEST, geometric_fit

Masked: TypeAlias = "np.ma.MaskedArray[Any, np.dtype[np.float64]]"

METHODS = ("holm", "benjamini-hochberg")


@dataclass(frozen=True, eq=False, repr=False)
class FitTest(ByValue):
    """A law tested on every unit; made by `SpikeStatistics.test`.

    Parameters
    ----------
    law : str
        The law that is tested.
    statistic : masked array, shape (units,)
        Standardised deviation of the dispersion (positive: more spread than the law), or chi-square of intervals;
        masked where a unit has too few spikes for a test.
    p_value : masked array, shape (units,)
        Probability of a worse agreement under the law, of one unit on its own; masked likewise.

    See Also
    --------
    SpikeStatistics.test : makes it.

    References
    ----------
    Haldane 1937, on the dispersion of Poisson counts; Holm 1979; Benjamini & Hochberg 1995.

    Examples
    --------
    >>> import numpy as np
    >>> test = FitTest("binomial", np.ma.array([0.1, 4.0]), np.ma.array([0.9, 1e-4]))
    >>> test.rejected(0.01)
    array([False,  True])
    >>> test.adjusted("benjamini-hochberg").tolist()
    [0.9, 0.0002]
    >>> ax = test.plot()
    """

    law: str
    statistic: Masked
    p_value: Masked

    @property
    def tested(self) -> NDArray[np.bool_]:
        """Which units could be tested, shape (units,)."""
        return ~np.ma.getmaskarray(self.p_value)

    def adjusted(self, method: str = "holm") -> Masked:
        """Return p-values adjusted for the number of units that were tested.

        Parameters
        ----------
        method : {"holm", "benjamini-hochberg"}
            Holm's controls the probability of a single false rejection however units depend on each other (Holm
            1979); Benjamini and Hochberg's the expected share of false ones among the rejected, for units that are
            independent or positively dependent (Benjamini & Hochberg 1995).

        Returns
        -------
        masked array, shape (units,)

        Raises
        ------
        ValueError
            If the method is unknown.
        """
        if method not in METHODS:
            raise ValueError(f"method = {method!r}: choose 'holm' or 'benjamini-hochberg'")
        result = self.p_value.copy()
        p = self.p_value.compressed()
        if p.size:
            result[self.tested] = holm(p) if method == "holm" else stats.false_discovery_control(p, method="bh")
        return result

    def rejected(self, level: float = 0.05, *, method: str = "holm") -> NDArray[np.bool_]:
        """Return the units for which the law is rejected; a unit that was not tested is not.

        Parameters
        ----------
        level : float
            Family-wise level, or false discovery rate, between 0 and 1.
        method : {"holm", "benjamini-hochberg"}
            As in `adjusted`.

        Returns
        -------
        ndarray of bool, shape (units,)

        Raises
        ------
        ValueError
            If the level is outside (0, 1) or the method unknown.
        """
        return np.asarray(self.adjusted(method).filled(1.0) <= share(level, "level", why="0.05 for 5 %"))

    def plot(self, ax: Any | None = None, *, bins: int = 20, **style: Any) -> Any:
        """Draw the density of the p-values of the units that were tested, which is 1 under a smooth law.

        It is above 1 at small p where units break the law, and uneven where units have few spikes.

        Parameters
        ----------
        ax : matplotlib axes or None
            Where to draw; None makes a new figure.
        bins : int
            Bins of equal width between 0 and 1.
        **style
            Style of the histogram, as for ``ax.stairs``.

        Returns
        -------
        matplotlib axes

        Raises
        ------
        ValueError
            If no unit could be tested.
        """
        p, number = self.p_value.compressed(), whole(bins, "bins", minimum=1, maximum=10**6)
        if not p.size:
            raise ValueError(f"none of {self.p_value.size} units has spikes enough for a test: take more samples")
        ax = axes(ax)
        density, edges = np.histogram(p, number, (0, 1), density=True)
        ax.stairs(density, edges, **({"fill": True, "alpha": 0.6, "label": f"{p.size} units"} | style))
        ax.axhline(1.0, color=ink(), lw=1, ls=":", label="by chance")
        ax.set(xlabel=f"$p$ of the {self.law} law", ylabel="density", xlim=(0, 1))
        ax.set_ylim(bottom=0)
        ax.legend(fontsize="small")
        return settled(ax)

    def __str__(self) -> str:
        tested, rejected = int(self.tested.sum()), int(self.rejected().sum())
        return f"{self.law}: rejected for {rejected} of {tested} units tested (Holm, 5 %)"


def holm(p: Floats) -> Floats:
    """Return Holm's adjusted p-values, shape (tests,)."""
    order = np.argsort(p, kind="stable")
    steps = np.maximum.accumulate((p.size - np.arange(p.size)) * p[order])
    adjusted = np.empty(p.size)
    adjusted[order] = np.minimum(steps, 1.0)
    return adjusted


def masked(values: Any, where: NDArray[np.bool_]) -> Masked:
    """Return values masked somewhere, with NaN underneath so that nothing that looks like a value leaks out."""
    return np.ma.array(np.where(where, np.nan, values), mask=where)


def dispersion_moments(m: Floats, windows: int, window: int | None) -> tuple[Floats, Floats, Floats]:
    r"""Return mean, variance and third central moment of Σ n(n-1) over windows, given m spikes in all.

    With M = WT samples, exactly m of them with a spike and every arrangement equally likely,

    .. math:: \mathrm{E} = \frac{m(m-1)(T-1)}{M-1}, \qquad
              \mathrm{Var} = \frac{2T(T-1)(W-1)\,m(m-1)(M-m)(M-m-1)}{(M-1)^2(M-2)(M-3)};

    T = None is the limit T → ∞, where windows catch the spikes of a Poisson process [exact, see `theory`].
    """
    W = float(windows)
    pairs = m * (m - 1)
    if window is None:
        share = 1 / W
        variance = 2 * pairs * share * (1 - share)
        return pairs * share, variance, 2 * variance * (1 - 2 * share + 2 * (m - 2) * share)
    T = float(window)
    M = W * T
    if M < 6:  # too few arrangements for a third moment
        return pairs * (T - 1) / (M - 1), np.zeros_like(m), np.zeros_like(m)
    blanks = (M - m) * (M - m - 1)
    common = pairs / (M - 1) * blanks / (M - 1) * T * (T - 1) * (W - 1) / ((M - 2) * (M - 3))
    constant = M**3 - 6 * T * M**2 + 8 * M**2 + 6 * T * M - 13 * M + 4
    shape = constant + m * (M - m) * (2 * T * M - 8 * M + 10 * T - 4)
    return pairs * (T - 1) / (M - 1), 2 * common, 4 * common * shape / ((M - 1) * (M - 4) * (M - 5))


def dispersion_test(law: str, spikes: Ints, squares: Ints, windows: int, window: int | None) -> FitTest:
    """Test counts against Binomial(T, r), or against Poisson counts where ``window`` is None.

    The spread of the counts, given their total, has the mean, variance and third moment of `dispersion_moments`; its
    law is exact for few spikes or blanks, and beyond taken to be Pearson's type III of these three moments, on the even
    numbers.
    """
    m = spikes.astype(float)
    mean, variance, third = dispersion_moments(m, windows, window)
    tested = (variance > 0) & (spikes > 1)
    deviation = np.sqrt(np.where(tested, variance, 1.0))
    skew = np.where(tested, third, 0.0) / deviation**3
    gap = (squares - spikes) - np.where(tested, mean, 0.0)
    upper = stats.pearson3.sf((gap - 1) / deviation, skew)
    lower = stats.pearson3.cdf((gap + 1) / deviation, skew)
    fewer, pairs = _fewer(spikes, squares, windows, window)
    for least, most in pairwise((0, *BANDS)):
        units = tested & (least < fewer) & (fewer <= most)
        for number, own in _laws(windows, window, fewer[units], most):
            same = units & (fewer == number)
            at = np.minimum(pairs[same], own.size - 1)
            upper[same], lower[same] = own[::-1].cumsum()[::-1][at], own.cumsum()[at]
            if most > FEW:
                upper[same], lower[same] = np.maximum(upper[same], ROUNDING), np.maximum(lower[same], ROUNDING)
    p = np.minimum(1.0, 2 * np.minimum(upper, lower))
    return FitTest(law, masked(gap / deviation, ~tested), masked(p, ~tested))


def _fewer(spikes: Ints, squares: Ints, windows: int, window: int | None) -> tuple[Ints, Ints]:
    """Return the numbers of spikes, or of samples without where they are fewer, and Σ n(n-1)/2 of these over windows.

    The two sums differ by a constant [exact]; it is left out for units of many of both, whose law is smooth.
    """
    fewer, pairs = spikes.copy(), (squares - spikes) // 2
    if window is not None and windows * window < 2**53:
        silent = windows * window - spikes
        for unit in np.flatnonzero((silent < spikes) & (silent <= BANDS[-1])):
            fewer[unit] = blanks = int(silent[unit])
            pairs[unit] = int(pairs[unit]) + (window - 1) * blanks - windows * window * (window - 1) // 2
    return fewer, pairs


def _laws(windows: int, window: int | None, numbers: Ints, most: int) -> Iterator[tuple[int, Floats]]:
    """Yield each of these numbers of spikes, of the band up to `most`, with the law of their pairs."""
    if not numbers.size:
        return
    few = most == FEW
    laws = few_spikes(windows, window, int(numbers.max())) if few else some_spikes(windows, window, most)
    yield from ((number, laws[number]) for number in np.unique(numbers).tolist() if laws)


def geometric_test(cells: Ints, intervals: Ints) -> FitTest:
    """Test intervals against the geometric law, by chi-square on cells that expect five."""
    units = cells.shape[0]
    number = cells.sum(axis=1, dtype=np.int64)
    chance = number / np.maximum(intervals, 1)
    statistic, freedom = np.empty(units), np.empty(units, dtype=np.int64)
    geometric_fit(cells, SMALLEST, chance, statistic, freedom)
    tested = freedom > 0
    p = stats.chi2.sf(statistic, np.where(tested, freedom, 1))
    return FitTest("geometric", masked(statistic, ~tested), masked(p, ~tested))
