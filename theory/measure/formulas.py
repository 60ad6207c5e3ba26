"""Results behind the measures of networks as formulas: nulls, dispersion, slopes, radii, kernels."""

from __future__ import annotations

import sympy as sp

from statnn.theory.closed_form import Formula
from statnn.theory.measure.dispersion import MEAN as DISPERSION
from statnn.theory.measure.dispersion import POISSON_MEAN, POISSON_THIRD, POISSON_VARIANCE, THIRD, VARIANCE
from statnn.theory.measure.fano import BLOCKED, INDEPENDENT, MEAN, SHUFFLED, SOURCE, SQUARE, M, T, W, m, r
from statnn.theory.measure.gradients import SOURCE as TANGENT
from statnn.theory.measure.permutations import ABSOLUTE, PARTICIPATION, SQUARED, D, Q, V
from statnn.theory.measure.permutations import SOURCE as PERMUTED
from statnn.theory.measure.radii import BAND, sigma, x
from statnn.theory.measure.radii import SOURCE as BASINS
from statnn.theory.measure.radii import m as half_width
from statnn.theory.measure.ranks import SLOPE, area, share
from statnn.theory.measure.ranks import SOURCE as RANKS
from statnn.theory.measure.strength import ABOVE, HERE, SIGMA_B, SIGMA_W
from statnn.theory.measure.strength import VARIANCE as STRENGTH
from statnn.theory.notation import expected, named, spread
from statnn.theory.root import Root
from statnn.theory.variable import Variable

_ROOM = "statnn.measure."
_F = named("F")

# -- spikes ----------------------------------------------------------------------------------------------

_RATE = Variable(r, "0 <= r <= 1", "probability of a spike in a sample")
_SPIKES = Variable(m, "2 <= m <= W*T, whole", "spikes in all windows")
_WINDOWS = Variable(W, "2 <= W < oo, whole", "windows")
_POISSON = (Variable(m, "2 <= m < oo, whole", "spikes in all windows"), _WINDOWS)
_FINITE = (_SPIKES, _WINDOWS, Variable(T, "3 <= T < oo, whole", "samples in a window"))
_COUNTS = "sum of n(n-1) over windows"
_TEST = _ROOM + "spikes.SpikeStatistics.test"
_CLASSICAL = "this project; the Poisson case is classical (Haldane 1937)"

_SPIKE_FORMULAS = (
    Formula("fano.independent", _F, INDEPENDENT, (_RATE,), "Fano factor of a unit on independent stimuli",
            SOURCE, "exact", "fano-nulls", _ROOM + "spikes.independent_fano_factor"),
    Formula("fano.shuffled", _F, SHUFFLED,
            (Variable(M, "2 <= M < oo, whole", "samples"), Variable(m, "0 <= m <= M, whole", "samples with a spike"),
             Variable(T, "1 <= T <= M, whole", "samples in a window")),
            "Fano factor of a unit on a finite set of samples in random order", SOURCE, "exact", "fano-nulls",
            _ROOM + "spikes.shuffled_fano_factor"),
    Formula("fano.blocked", _F, BLOCKED,
            (Variable(MEAN, "0 < p_1 <= 1", "mean rate over classes"),
             Variable(SQUARE, "p_1**2 <= p_2 <= p_1", "mean squared rate over classes"),
             Variable(T, "1 <= T < oo, whole", "samples in a window")),
            "Fano factor of a unit when every window holds stimuli of one class", SOURCE, "exact", "fano-nulls",
            _ROOM + "spikes.blocked_fano_factor", main=True),
    Formula("intervals.cv", named(r"\operatorname{CV}"), sp.sqrt(1 - r), (Variable(r, "0 < r <= 1", _RATE.meaning),),
            "coefficient of variation of the intervals between spikes, under independent stimuli", SOURCE, "exact",
            "spike-intervals", _ROOM + "spikes.Intervals.null_cv"),
    *(Formula(f"dispersion.{name}", left, finite.subs(M, W * T), _FINITE,
              f"{text} of the {_COUNTS}, given the number of spikes, in random order", _CLASSICAL, "exact",
              "dispersion", _TEST, main=name == "variance")
      for name, text, left, finite in (
          ("mean", "mean", expected("S"), DISPERSION),
          ("variance", "variance", spread("S"), VARIANCE),
          ("third", "third central moment", named("S_3"), THIRD))),
    *(Formula(f"dispersion.poisson-{name}", left, poisson, _POISSON,
              f"{text} of the {_COUNTS} of a Poisson process, given the number of spikes", _CLASSICAL, "exact",
              "dispersion", _TEST)
      for name, text, left, poisson in (
          ("mean", "mean", expected("S"), POISSON_MEAN),
          ("variance", "variance", spread("S"), POISSON_VARIANCE),
          ("third", "third central moment", named("S_3"), POISSON_THIRD))),
)  # fmt: skip

# -- correlation, strength, order ------------------------------------------------------------------------

_SAMPLES = Variable(D, "3 <= D < oo, whole", "samples")
_freedom, _trace, _square = sp.symbols("f t a", positive=True)
_pure = _freedom**2 * (_square - _trace**2 / _freedom) / ((_freedom - 1) * (_freedom + 2))
_here, _above = sp.symbols("n n_above", integer=True, positive=True)
_strength = STRENGTH.subs({HERE: _here, ABOVE: _above})

_COLLECTIVE = (
    Formula("correlation.mean-square", expected("r^{2}"), SQUARED, (_SAMPLES,),
            "mean squared correlation of two independent units", PERMUTED, "exact", "permutation-null",
            _ROOM + "correlation.Correlation.null_mean_square", main=True),
    Formula("correlation.mean-absolute", expected("|r|"), ABSOLUTE, (_SAMPLES,),
            "mean modulus of the correlation of two independent Gaussian units", PERMUTED, "exact",
            "permutation-null", _ROOM + "correlation.Correlation.null_mean_absolute"),
    Formula("participation.null", named(r"\operatorname{PR}"), PARTICIPATION,
            (_SAMPLES, Variable(V, "0 < V < oo", "sum of the variances of the units"),
             Variable(Q, "0 < Q <= V**2", "sum of their squares")),
            "participation ratio of independent units", PERMUTED, "exact", "permutation-null",
            _ROOM + "correlation.participation_ratio"),
    Formula("participation.corrected", named(r"\operatorname{PR}"), (_trace**2 - 2 * _pure / _freedom) / _pure,
            (Variable(_freedom, "2 <= f < oo, whole", "degrees of freedom, samples less one"),
             Variable(_trace, "0 < t < oo", "trace of the sample covariance"),
             Variable(_square, "t**2/f < a <= t**2", "trace of its square")),
            "participation ratio at infinitely many samples, from unbiased estimates of its two traces", PERMUTED,
            "exact", "permutation-null", _ROOM + "correlation.participation_ratio"),
    Formula("strength.fluctuation", named("Y"), sp.sqrt((_here - 1) / _here * _strength),
            (Variable(SIGMA_W, "0 <= sigma_w < oo", "standard deviation of the weights times the root of the fan-in"),
             Variable(SIGMA_B, "0 <= sigma_b < oo", "standard deviation of the biases"),
             Variable(_here, "1 <= n < oo, whole", "units of the layer"),
             Variable(_above, "1 <= n_above < oo, whole", "units of the layer above")),
            "root of the mean squared fluctuation of node strengths in a layer of random weights",
            "this project, for the node strength of La Malfa et al. 2021, arXiv 2110.02628", "exact", "node-strength",
            _ROOM + "graph.strength"),
    Formula("order.slope", named("s"), SLOPE,
            (Variable(share, "0 < pi < 1", "share of the class among the samples"),
             Variable(area, "0 <= a <= 1", "chance that a sample of the class ranks above another one")),
            "slope of the rank probability distribution", RANKS, "own", "rank-probability",
            _ROOM + "order.rank_probability"),
)  # fmt: skip

# -- basins and gradients --------------------------------------------------------------------------------

_threshold = sp.Symbol("p", positive=True)
_x, _z, _w, _b = sp.symbols("x z w b", real=True)
_many = sp.Symbol("n", integer=True, positive=True)


def _slope(at: sp.Expr) -> sp.Expr:
    return 1 - sp.tanh(_w * at + _b) ** 2


_LOCAL = (
    Formula("basin.band", named(r"\sigma^{*}"), Root(BAND - _threshold, (sigma, 0, sp.oo)),
            (Variable(half_width, "0 < m < oo", "half-width of the band of fields of one class"),
             Variable(x, "-m < x < m", "field of the sample"),
             Variable(_threshold, "0 < p < 1", "share of draws that keep their class, at the radius")),
            "radius of the attraction basin of a sample in a band", BASINS, "exact", "attraction-basins",
            _ROOM + "basins.sample_basin"),
    Formula("tangent.kernel", named(r"\Theta(x, z)"), (_x * _z + 1) * _slope(_x) * _slope(_z),
            tuple(Variable(symbol, f"-oo < {symbol} < oo", text)
                  for symbol, text in ((_x, "input"), (_z, "other input"), (_w, "weight"), (_b, "bias"))),
            "tangent kernel of one tanh unit", TANGENT, "exact", "tangent-kernel", _ROOM + "tangent.tangent_kernel",
            main=True),
    Formula("tangent.entropy", named("S"), sp.log(_many), (Variable(_many, "1 <= n < oo, whole", "rows"),),
            "largest entropy of the eigenvalues of a tangent kernel, that of equal eigenvalues", TANGENT, "exact",
            "tangent-kernel", _ROOM + "tangent.TangentKernel.entropy"),
    Formula("tangent.effective-rank", named("e^{S}"), _many, (Variable(_many, "1 <= n < oo, whole", "rows"),),
            "effective rank of a tangent kernel of equal eigenvalues", TANGENT, "exact",
            "tangent-kernel", _ROOM + "tangent.TangentKernel.effective_rank"),
)  # fmt: skip

MEASURE = (*_SPIKE_FORMULAS, *_COLLECTIVE, *_LOCAL)
