"""Rates, Fano factors and intervals of every unit, with what they would be by chance beside them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from statnn._arguments import Floats, Ints
from statnn._axes import COLOURS, axes, ink, settled
from statnn._by_value import ByValue
from statnn.measure.spikes._tests import FitTest, Masked, dispersion_test, geometric_test, masked

LAWS = ("binomial", "poisson", "geometric")


@dataclass(frozen=True, eq=False, repr=False)
class Intervals(ByValue):
    """Intervals between successive spikes, in samples, over all samples in the order of presentation.

    Parameters
    ----------
    number : ndarray of int, shape (units,)
        Intervals of each unit: one fewer than its spikes.
    mean : masked array, shape (units,)
        Mean interval; masked where there is none.
    cv : masked array, shape (units,)
        Standard deviation (ddof = 0) over mean; masked likewise.
    cells : ndarray of int, shape (units, cells)
        Histogram; ``smallest[j]`` is the smallest interval of cell j, and the last cell is open above.
    smallest : ndarray of int, shape (cells,)
        1, 2, 3, and from 4 on four cells per octave.
    total : ndarray of int, shape (units,)
        Sum of the intervals.

    See Also
    --------
    statistics : makes it, as ``intervals`` of the result.
    """

    _axes: ClassVar = ("", "smallest")
    number: Ints
    mean: Masked
    cv: Masked
    cells: Ints = field(repr=False)
    smallest: Ints = field(repr=False)
    total: Ints = field(repr=False)

    @property
    def null_cv(self) -> Masked:
        r"""Coefficient of variation (1 - r)^(1/2) of geometric intervals, r = 1/mean, shape (units,) [exact].

        It is 1, that of exponential intervals, in the limit r → 0.
        """
        none = self.number == 0
        return masked(np.sqrt((self.total - self.number) / np.where(none, 1, self.total)), none)


@dataclass(frozen=True, eq=False, repr=False)
class SpikeStatistics(ByValue):
    r"""How often units spike and how unevenly; made by `statistics`, `from_window_counts` or an `Accumulator`.

    A *window* holds T samples in the order of presentation; n_i is the number of them in which unit i spikes.

    Parameters
    ----------
    rate : ndarray, shape (units,)
        r_i = ⟨n_i⟩/T, over the complete windows.
    fano_factor : masked array, shape (units,)
        F_i = Var n_i/⟨n_i⟩; masked where a unit is silent, which has none.
    null_fano_factor : masked array, shape (units,)
        Expectation of the same number, with the same windows and ddof, if only the order of the samples were
        changed at random: of all of them, (1-r)(M-T)/(M-1) at ddof = 0, or inside each class when classes are
        presented in blocks [exact].
    window : int
        T.
    windows : int
        Number W of complete windows; statistics of counts are over M = WT samples.
    dropped : int
        Samples in incomplete windows, left out of rates and Fano factors.
    order : str
        "given", "shuffled" or "blocked".
    ddof : int
        The variance divides by W - ddof.
    intervals : Intervals or None
        Intervals between spikes; None if only counts are known, or they were not asked for.
    spikes, squares : ndarray of int, shape (units,)
        Σ n_i and Σ n_i² over the complete windows.

    See Also
    --------
    statistics, from_window_counts, Accumulator.result : make it.

    Examples
    --------
    >>> import numpy as np
    >>> from statnn.measure.spikes import statistics
    >>> summary = statistics(np.random.default_rng(0).random((10_000, 3)) - [0.9, 0.5, 0.8], window=100)
    >>> summary.test("binomial").rejected()
    array([False, False, False])
    >>> ax = summary.plot()
    """

    rate: Floats
    fano_factor: Masked
    null_fano_factor: Masked
    window: int
    windows: int
    dropped: int
    order: str
    ddof: int
    intervals: Intervals | None = field(repr=False)
    spikes: Ints = field(repr=False)
    squares: Ints = field(repr=False)

    @property
    def units(self) -> int:
        """Number of units."""
        return self.rate.size

    @property
    def samples(self) -> int:
        """Number M = WT of samples in complete windows."""
        return self.window * self.windows

    @property
    def silent(self) -> NDArray[np.bool_]:
        """Units without a spike in any complete window, shape (units,)."""
        return np.asarray(self.spikes == 0)

    @property
    def silent_units(self) -> int:
        """Number of silent units."""
        return int(np.count_nonzero(self.silent))

    @property
    def independent_fano_factor(self) -> Masked:
        """1 - r_i, for an endless row of independent stimuli; masked where a unit is silent, shape (units,) [exact]."""
        return masked((self.samples - self.spikes) / self.samples, self.silent)

    @property
    def mean_rate(self) -> float:
        """Mean firing rate (MFR) over all units; a silent unit has rate 0."""
        return float(self.rate.mean())

    @property
    def mean_working_rate(self) -> float:
        """Mean firing rate over the units that are not silent, those of `mean_fano_factor`."""
        return float(self._over_working(self.rate, "mean rate").mean())

    @property
    def rate_variance(self) -> float:
        """Variance (ddof = 0) of the rate over all units."""
        return float(self.rate.var())

    @property
    def mean_fano_factor(self) -> float:
        """Mean Fano factor (MFF) over the units that are not silent.

        Raises `ValueError` if all are, as do the other numbers over these units.
        """
        return float(self._over_working(self.fano_factor, "mean Fano factor").mean())

    @property
    def mean_null_fano_factor(self) -> float:
        """Mean of the null over the same units: what MFF is if only the order of samples were random."""
        return float(self._over_working(self.null_fano_factor, "mean Fano factor").mean())

    @property
    def fano_variance(self) -> float:
        """Variance (ddof = 0) of the Fano factor over the units that are not silent."""
        return float(self._over_working(self.fano_factor, "variance of the Fano factor").var())

    def _over_working(self, values: Any, name: str) -> Floats:
        if self.silent.all():
            raise ValueError(f"all {self.units} units are silent: there is no {name}; lower the threshold")
        return np.asarray(values)[~self.silent].astype(float)

    def test(self, law: str) -> FitTest:
        r"""Test a law on every unit; adjust for their number with `FitTest.adjusted` or `.rejected`.

        Parameters
        ----------
        law : {"binomial", "poisson", "geometric"}
            ``"binomial"``: counts in windows are those of samples in random order, by their dispersion given the
            number of spikes. ``"poisson"``: the same for a Poisson process, which no unit that spikes can be: it spikes
            at most once per sample, so that F = 1 - r. ``"geometric"``: intervals are geometric, by chi-square.

        Returns
        -------
        FitTest

        Raises
        ------
        ValueError
            For another law, or a test of intervals where there are none.

        Notes
        -----
        Binomial and Poisson: the law of the dispersion is exact for up to 50 spikes, or samples without, and to 1e-12
        for up to 400, unless windows hold very many. Beyond, its first three moments are, and the law between them is
        Pearson's type III: p below 1e-6 comes up to twice too often, below 1e-8 up to four times.
        Geometric: chi-square, on cells that expect five intervals. [asymptotic in the number of windows or spikes]
        Of 20 to 100 intervals p below 1e-4 comes up to four times too often, below 1e-6 up to seven times; of 500 and
        more, below 1e-6 up to three times.
        Units are tested each on its own; those of one network are not independent of each other.
        """
        if law not in LAWS:
            raise ValueError(f"law = {law!r}: choose 'binomial', 'poisson' or 'geometric'")
        if law == "geometric":
            if self.intervals is None:
                raise ValueError("no intervals were recorded: the order of spikes inside windows is not known")
            return geometric_test(self.intervals.cells, self.intervals.total)
        return dispersion_test(law, self.spikes, self.squares, self.windows, self.window if law == "binomial" else None)

    def __str__(self) -> str:
        head = (
            f"{self.units} units, {self.silent_units} silent; {self.windows} windows of {self.window} samples, order "
            f"{self.order}, {self.dropped} samples dropped"
        )
        lines = [head, f"mean rate {self.mean_rate:.4g}, variance over units {self.rate_variance:.3g}"]
        if not self.silent.all():
            lines.append(
                f"mean Fano factor {self.mean_fano_factor:.4g}, variance over units {self.fano_variance:.3g}; by "
                f"chance {self.mean_null_fano_factor:.4g}, independent stimuli {1 - self.mean_working_rate:.4g}"
            )
        laws = LAWS if self.intervals is not None else LAWS[:2]
        return "\n".join([*lines, *(str(self.test(law)) for law in laws)])

    def plot(self, ax: Any | None = None) -> Any:
        """Draw the Fano factor of every unit against its rate, its null, and the line F = 1 - r.

        Silent units have no Fano factor; the legend counts them.

        Parameters
        ----------
        ax : matplotlib axes, optional
            New ones if None.

        Returns
        -------
        matplotlib axes
        """
        ax = axes(ax)
        working = ~self.silent
        rate = self.rate[working]
        fano, null = np.asarray(self.fano_factor)[working], np.asarray(self.null_fano_factor)[working]
        line = np.linspace(0, 1, 101)
        ax.plot(line, 1 - line, color=ink(), lw=1, label="independent, $1-r$")
        ax.plot(rate, null, ".", ms=4, color=COLOURS[1], label="null of this order")
        label = f"units, {self.silent_units} silent" if self.silent_units else "units"
        ax.plot(rate, fano, "o", ms=3, alpha=0.6, mew=0, color=COLOURS[0], label=label)
        ax.set(xlabel="firing rate $r$", ylabel=f"Fano factor $F$, $T = {self.window}$", xlim=(-0.02, 1.02))
        most = max(fano.max(initial=0.0), null.max(initial=0.0))
        if most > 5:
            ax.set_yscale("symlog", linthresh=1.0, subs=(2, 5))
            ax.yaxis.set_major_formatter("{x:g}")
            if most < 50:
                ax.yaxis.set_minor_formatter("{x:g}")
        ax.set_ylim(bottom=0)
        ax.legend(loc="upper right", fontsize="small")  # F <= T (1 - r), so that few units are there
        return settled(ax)
