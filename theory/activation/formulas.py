"""Results for the activation processes as formulas: growth, silence, fluctuations, count laws, loss, bounds."""

from __future__ import annotations

import sympy as sp

from statnn.theory.activation import expressions as known
from statnn.theory.activation.expressions import A, beta_binomial, gamma_survival, negative_binomial
from statnn.theory.activation.symbols import D0, K0, OWN, PAPER, TEXT, D, E, K, M, N, P, S, V, b, c, i, k, m, n, n0
from statnn.theory.closed_form import Formula
from statnn.theory.root import Root
from statnn.theory.variable import Variable

_ROOM = "statnn.activation."
_d = sp.Symbol("d", integer=True, nonnegative=True)
_bound = sp.Symbol("epsilon")

_NEURONS = Variable(N, "2 <= N < oo, whole", "neurons")
_B = Variable(b, "0 < b < oo", "constant of the stable activation probability hypothesis")
_C = Variable(c, "0 < c < oo", "mean number of active neurons per sample")
_FEW = Variable(c, "0 < c < N", "mean number of active neurons per sample")
_SAMPLES = Variable(D, "0 <= D < oo", "samples")
_EVENTS = Variable(n, "0 <= n < oo", "activation events")
_WHOLE = Variable(D, "0 <= D < oo, whole", "samples")
_WHOLE_EVENTS = Variable(n, "0 <= n < oo, whole", "activation events")
_START = (
    Variable(D0, "0 <= D_0 <= D", "samples at the start"),
    Variable(K0, "0 <= K_0 <= N, whole", "neurons that worked at the start"),
)

_GAMMA = (_NEURONS, _SAMPLES, _B, _C)
_BETA = (_NEURONS, _SAMPLES, _B, _FEW)
_URN = (_NEURONS, _EVENTS, _B)


def _counted(number: sp.Symbol, most: str, meaning: str) -> Variable:
    return Variable(number, f"0 <= {number} {'<' if most == 'oo' else '<='} {most}, whole", meaning)


def _binomial(silent: sp.Expr) -> sp.Expr:
    """Return the law of K for independent neurons."""
    return sp.binomial(N, k) * (1 - silent) ** k * silent ** (N - k)


def _steepest(total: sp.Expr, at: sp.Symbol) -> sp.Expr:
    """Return the point where growth on a logarithmic axis is steepest, for `total` fictitious samples."""
    hazard = sp.polygamma(0, at + total) - sp.polygamma(0, at + total - b)
    return Root(1 + at * sp.diff(hazard, at) / hazard - at * hazard, (at, 0, sp.oo))


_URN_SILENT = known.SILENT_URN.subs(m, 1)
_urn_growth = -n * N * sp.diff(gamma_survival(n, b * N, b), n)
_STEEPEST = "where dE[K]/d ln D is largest"
_COUNT = "probability that a neuron was active k times"
_BIASED = "share of the next activations that falls on neurons active k times: weight of l(k) in the mean loss"
_CUT = "scale of the exponential fall of the count law"
_LAW = "probability that k neurons work"
_VARIANCE = "variance of the number of working neurons, the square of working_std"
_MEAN = "mean number of working neurons"
_SHARE = "share of silent neurons, P(D_i = 0)"
_MASS = "share of the next activations that falls on silent neurons"
_RATE = "new working neurons per e-fold of samples"
_AFTER = "mean number of working neurons, given that K_0 worked after D_0"

_GAMMA_POISSON = (
    Formula("gamma-poisson.working", E(K(D)), known.GP_WORKING, _GAMMA, _MEAN, PAPER, "paper", "mean-field",
            _ROOM + "GammaPoisson.working", main=True),
    Formula("gamma-poisson.working-after", E(K(D)),
            N - (N - K0) * ((c * D0 + b * N) / (c * D + b * N)) ** b, (*_GAMMA, *_START), _AFTER, TEXT, "paper",
            "mean-field", _ROOM + "GammaPoisson.after"),
    Formula("gamma-poisson.noise-to-signal", (N - E(K(D))) / N, known.GP_SILENT, _GAMMA, "ratio of silent to all "
                                                                                         "neurons",
            TEXT, "paper", "mean-field", _ROOM + "GammaPoisson.noise_to_signal"),
    Formula("gamma-poisson.silent", S(D), known.GP_SILENT, _GAMMA, _SHARE, OWN, "exact", "gamma-poisson",
            _ROOM + "GammaPoisson.silent"),
    Formula("gamma-poisson.working-variance", V(K(D)), known.GP_WORKING_VARIANCE, _GAMMA, _VARIANCE, OWN,
            "exact", "survival", _ROOM + "GammaPoisson.working_std"),
    Formula("gamma-poisson.working-law", P(K(D)), _binomial(known.GP_SILENT),
            (*_GAMMA[:1], _WHOLE, *_GAMMA[2:], _counted(k, "N", "working neurons")), _LAW, OWN, "exact", "survival",
            _ROOM + "GammaPoisson.working_law"),
    Formula("gamma-poisson.missing-mass", M(D), known.GP_MISSING_MASS, _GAMMA, _MASS, OWN, "exact", "loss",
            _ROOM + "GammaPoisson.missing_mass"),
    Formula("gamma-poisson.growth-rate", D * sp.Derivative(E(K(D)), D), known.GP_GROWTH_RATE, _GAMMA, _RATE, OWN,
            "exact", "growth", _ROOM + "GammaPoisson.growth_rate"),
    Formula("gamma-poisson.inflection", D, N / c, _GAMMA, _STEEPEST, OWN, "exact", "growth",
            _ROOM + "GammaPoisson.inflection"),
    Formula("gamma-poisson.count", P(k, D), known.GP_COUNT,
            (_NEURONS, Variable(D, "0 < D < oo, whole", "samples"), _B, _C, _counted(k, "oo", "activations")), _COUNT,
            OWN, "exact", "gamma-poisson", _ROOM + "GammaPoisson.count", main=True),
    Formula("gamma-poisson.size-biased-count", P(k, D, b + 1),
            negative_binomial(k, sp.Symbol("q")).subs(b, b + 1).subs(sp.Symbol("q"), known.RATIO),
            (_NEURONS, Variable(D, "0 < D < oo, whole", "samples"), _B, _C, _counted(k, "oo", "activations")), _BIASED,
            OWN, "exact", "loss", _ROOM + "GammaPoisson.loss"),
    Formula("gamma-poisson.cutoff", sp.Symbol("k_c"), 1 / sp.log(1 + b * N / (c * D)),
            (_NEURONS, Variable(D, "0 < D < oo", "samples"), _B, _C), _CUT, OWN, "exact", "counts",
            _ROOM + "GammaPoisson.cutoff"),
    Formula("gamma-poisson.tail-exponent", sp.Symbol("alpha"), 1 - b, _GAMMA,
            "exponent of the count law, P(k) as k^(-alpha) for 1 << k << k_c", OWN, "exact", "counts",
            _ROOM + "GammaPoisson.tail_exponent", main=True),
)  # fmt: skip

_BETA_BERNOULLI = (
    Formula("beta-bernoulli.silent", S(D), known.SILENT, _BETA, _SHARE, OWN, "exact", "survival",
            _ROOM + "BetaBernoulli.silent", main=True),
    Formula("beta-bernoulli.working", E(K(D)), known.WORKING, _BETA, _MEAN, OWN, "exact", "survival",
            _ROOM + "BetaBernoulli.working"),
    Formula("beta-bernoulli.working-after", E(K(D)), N - (N - K0) * gamma_survival(D - D0, A + D0, b),
            (*_BETA, *_START), _AFTER, OWN, "exact", "survival", _ROOM + "BetaBernoulli.after"),
    Formula("beta-bernoulli.working-variance", V(K(D)), known.WORKING_VARIANCE, _BETA, _VARIANCE, OWN, "exact",
            "survival", _ROOM + "BetaBernoulli.working_std"),
    Formula("beta-bernoulli.working-law", P(K(D)), _binomial(known.SILENT),
            (_NEURONS, _WHOLE, _B, _FEW, _counted(k, "N", "working neurons")), _LAW, OWN, "exact", "survival",
            _ROOM + "BetaBernoulli.working_law"),
    Formula("beta-bernoulli.missing-mass", M(D), known.MISSING_MASS, _BETA, _MASS, OWN, "exact", "loss",
            _ROOM + "BetaBernoulli.missing_mass", main=True),
    Formula("beta-bernoulli.growth-rate", D * sp.Derivative(E(K(D)), D), known.GROWTH_RATE, _BETA, _RATE, OWN, "exact",
            "growth", _ROOM + "BetaBernoulli.growth_rate"),
    Formula("beta-bernoulli.inflection", D, _steepest(A, D), _BETA, _STEEPEST, OWN, "exact", "growth",
            _ROOM + "BetaBernoulli.inflection"),
    Formula("beta-bernoulli.count", P(k, D), known.COUNT, (_NEURONS, _WHOLE, _B, _FEW, _counted(k, "D", "activations")),
            _COUNT, OWN, "exact", "beta-bernoulli", _ROOM + "BetaBernoulli.count"),
    Formula("beta-bernoulli.size-biased-count", P(k, D, b + 1), beta_binomial(k, D, b + 1, A - b),
            (_NEURONS, _WHOLE, _B, _FEW, _counted(k, "D", "activations")), _BIASED, OWN, "exact", "loss",
            _ROOM + "BetaBernoulli.loss"),
    Formula("beta-bernoulli.cutoff", sp.Symbol("k_c"), 1 / sp.log(1 + (A - b - 1) / D),
            (_NEURONS, Variable(D, "0 < D < oo", "samples"), _B,
             Variable(c, "0 < c < b*N/(1 + b)", "mean number of active neurons per sample, where there is a cut-off")),
            _CUT, OWN, "exact", "counts", _ROOM + "BetaBernoulli.cutoff"),
    Formula("beta-bernoulli.limit-error-bound", _bound, known.LIMIT_ERROR_BOUND,
            (_NEURONS, Variable(D, "0 < D < oo", "samples"), _B, _FEW),
            "upper bound of the relative error of the paper's formula", OWN, "own", "bound",
            _ROOM + "BetaBernoulli.limit_error_bound", main=True),
)  # fmt: skip

_POLYA_URN = (
    Formula("polya-urn.silent", S(n), _URN_SILENT, _URN, _SHARE, OWN, "exact", "survival", _ROOM + "PolyaUrn.silent"),
    Formula("polya-urn.working", E(K(n)), known.WORKING_URN, _URN, _MEAN, OWN, "exact", "survival",
            _ROOM + "PolyaUrn.working"),
    Formula("polya-urn.working-after", E(K(n)), N - (N - K0) * gamma_survival(n - n0, b * N + n0, b),
            (*_URN, Variable(n0, "0 <= n_0 <= n", "activation events at the start"), _START[1]), _AFTER, OWN, "exact",
            "survival", _ROOM + "PolyaUrn.after"),
    Formula("polya-urn.working-variance", V(K(n)), known.WORKING_VARIANCE_URN,
            (_NEURONS, _WHOLE_EVENTS, _B), _VARIANCE, OWN, "exact", "survival", _ROOM + "PolyaUrn.working_std"),
    Formula("polya-urn.working-law", P(K(n)),
            sp.binomial(N, k) * sp.Sum((-1) ** (k - i) * sp.binomial(k, i) * sp.rf(b * i, n) / sp.rf(b * N, n),
                                       (i, 0, k)),
            (_NEURONS, _WHOLE_EVENTS, _B, _counted(k, "N", "working neurons")), _LAW, OWN, "exact", "urn-law",
            _ROOM + "PolyaUrn.working_law"),
    Formula("polya-urn.missing-mass", M(n), b * N / (n + b * N) * _URN_SILENT, _URN, _MASS, OWN, "exact", "loss",
            _ROOM + "PolyaUrn.missing_mass"),
    Formula("polya-urn.growth-rate", n * sp.Derivative(E(K(n)), n), _urn_growth, _URN, _RATE, OWN,
            "exact", "growth", _ROOM + "PolyaUrn.growth_rate"),
    Formula("polya-urn.inflection", n, _steepest(b * N, n), _URN, "where dE[K]/d ln n is largest", OWN, "exact",
            "growth", _ROOM + "PolyaUrn.inflection"),
    Formula("polya-urn.count", P(k, n), known.COUNT_URN,
            (_NEURONS, _WHOLE_EVENTS, _B, _counted(k, "n", "activations")), _COUNT, OWN, "exact", "urn",
            _ROOM + "PolyaUrn.count"),
    Formula("polya-urn.size-biased-count", P(k, n, b + 1), beta_binomial(k, n, b + 1, b * (N - 1)),
            (_NEURONS, _WHOLE_EVENTS, _B, _counted(k, "n", "activations")), _BIASED, OWN, "exact", "loss",
            _ROOM + "PolyaUrn.loss"),
    Formula("polya-urn.cutoff", sp.Symbol("k_c"), 1 / sp.log(1 + (b * (N - 1) - 1) / n),
            (_NEURONS, Variable(n, "0 < n < oo", "activation events"),
             Variable(b, "1/(N - 1) < b < oo", "constant of the hypothesis, where there is a cut-off")),
            _CUT, OWN, "exact", "counts", _ROOM + "PolyaUrn.cutoff"),
    Formula("polya-urn.limit-error-bound", _bound, known.LIMIT_ERROR_BOUND.subs({c: 1, D: n}),
            (_NEURONS, Variable(n, "0 < n < oo", "activation events"), _B),
            "upper bound of the relative error of the paper's formula", OWN, "own", "bound",
            _ROOM + "PolyaUrn.limit_error_bound"),
)  # fmt: skip

_missed = sp.binomial(D - k, _d) / sp.binomial(D, _d)
_SUBSAMPLE = (_WHOLE, _counted(k, "D", "samples in which the neuron was active"), _counted(_d, "D", "samples kept"))
_HYPERGEOMETRIC = "classical (hypergeometric subsampling)"

_RAREFACTION = (
    Formula("rarefaction.working", E(K(_d)), 1 - _missed, _SUBSAMPLE,
            "probability that a neuron works in a random part of the samples; the curve is the sum over neurons",
            _HYPERGEOMETRIC, "exact", "rarefaction", _ROOM + "rarefaction", main=True),
    Formula("rarefaction.variance", V(K(_d)), _missed * (1 - _missed), _SUBSAMPLE,
            "variance of that event for one neuron, the square of std; variances add up where neurons are independent",
            _HYPERGEOMETRIC, "exact", "rarefaction", _ROOM + "Rarefaction.std"),
)  # fmt: skip

ACTIVATION = (*_GAMMA_POISSON, *_BETA_BERNOULLI, *_POLYA_URN, *_RAREFACTION)
