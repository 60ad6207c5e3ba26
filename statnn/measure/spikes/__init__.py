r"""Spike statistics of threshold units (Lehmler et al., arXiv 2308.00858): rates, Fano factors, intervals, nulls.

Samples are presented one after another; unit i *spikes* when its activation exceeds a threshold. With n_i the number
of spikes in a window of T samples,

.. math:: r_i = \frac{\langle n_i\rangle}{T}, \qquad F_i = \frac{\mathrm{Var}\,n_i}{\langle n_i\rangle},

MFR and MFF are their means over units [paper]. The paper's threshold, window and order of data are not known: here
they are parameters. A Fano factor says nothing by itself; beside each stands what it would be by chance,

- 1 - r for independent stimuli, not the 1 of a Poisson process (`independent_fano_factor`);
- (1-r)(M-T)/(M-1) for a finite set of M samples in random order (`shuffled_fano_factor`);
- 1 - E[p²]/E[p] + T Var(p)/E[p] for windows of one class each, whose rates are p (`blocked_fano_factor`),

all [exact], see ``theory`` ("fano-nulls"). Silent units have no Fano factor: they are counted, not averaged.
"""

from statnn.measure.spikes._accumulator import Accumulator
from statnn.measure.spikes._measure import from_window_counts, statistics
from statnn.measure.spikes._nulls import blocked_fano_factor, independent_fano_factor, shuffled_fano_factor
from statnn.measure.spikes._statistics import Intervals, SpikeStatistics
from statnn.measure.spikes._tests import FitTest

__all__ = [
    "Accumulator",
    "FitTest",
    "Intervals",
    "SpikeStatistics",
    "blocked_fano_factor",
    "from_window_counts",
    "independent_fano_factor",
    "shuffled_fano_factor",
    "statistics",
]
