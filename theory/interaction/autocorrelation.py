"""Correlated draws: the error of a mean, worked out for the first-order autoregression."""

from __future__ import annotations

import sympy as sp

from statnn.theory.derivation import (
    Derivation,
    Step,
    definition,
    identity,
    inequality,
    instance,
    limit,
    series,
)
from statnn.theory.notation import TEXTBOOK, O, expected, named
from statnn.theory.rewriting import by_induction

rho = sp.Symbol("rho", positive=True)
n, W = sp.symbols("n W", positive=True)
k, t = sp.symbols("k t", integer=True, positive=True)
_lag = sp.Symbol("k", integer=True)
tau = sp.Symbol("tau", positive=True)
LESS = {rho: (0, 1)}

TAU = (1 + rho) / (1 - rho)
MEAN_VARIANCE = (TAU - 2 * rho * (1 - rho**n) / (n * (1 - rho) ** 2)) / n
"""Variance of the mean of n draws of variance one whose autocorrelation is a power of rho."""


def geometric(last: sp.Expr) -> sp.Expr:
    """Return the sum of rho^t from t = 1 to `last`."""
    return rho * (1 - rho**last) / (1 - rho)


def covariance_bias(lag: sp.Expr, chains: sp.Expr = sp.S.One) -> sp.Expr:
    """Return the mean of the autocovariance about the common mean of independent chains, divided by n."""
    edges = geometric(n - lag) * (1 + rho**lag) / (1 - rho)
    with_mean = (n - lag) * TAU - edges  # n times the sum of cov(x_t, mean of its chain)
    return ((n - lag) * (rho**lag + MEAN_VARIANCE / chains) - 2 * with_mean / (n * chains)) / n


def _against(time: int, size: int) -> sp.Expr:
    """Return the covariance of a draw with the mean, by summing over all draws."""
    return sp.Add(*(rho ** abs(time - other) for other in range(size))) / size


def _direct(size: int, lag: int, chains: int = 1) -> sp.Expr:
    """Return the mean autocovariance about the common mean of independent chains, by summing every pair of draws."""
    with_mean = [_against(time, size) / chains for time in range(size)]
    whole = sp.Add(*with_mean) / size
    terms = (rho**lag - with_mean[time] - with_mean[time + lag] + whole for time in range(size - lag))
    return sp.Add(*terms) / size


def _by_geometric_sums(gap: sp.Expr) -> sp.Expr:
    """Sum powers of rho in t term by term as geometric series, whose ratio must not depend on t."""

    def total(sums: sp.Sum) -> sp.Expr:
        ((_, first, last),) = sums.limits
        terms = sp.Add.make_args(sp.expand(sums.function, power_exp=True))
        whole = sp.Add(*(_geometric_total(term, first, last) for term in terms))
        return sums if whole.has(t) else whole

    return _powers(gap.replace(lambda part: isinstance(part, sp.Sum), total))


def _geometric_total(term: sp.Expr, first: sp.Expr, last: sp.Expr) -> sp.Expr:
    ratio = sp.simplify(term.subs(t, t + 1) / term)
    if ratio == 1:
        return term * (last - first + 1)
    return term.subs(t, first) * (1 - ratio ** (last - first + 1)) / (1 - ratio)


def _powers(gap: sp.Expr) -> sp.Expr:
    """Write powers with sums in the exponent as products, so that they cancel."""
    return sp.simplify(sp.expand(sp.cancel(sp.expand(gap, power_exp=True))))


def _without_powers(gap: sp.Expr) -> sp.Expr:
    """Drop the n-th power of rho, which is exponentially small."""
    return sp.cancel(sp.expand(gap, power_exp=True).subs(rho**n, 0))


def _mean() -> tuple[Step, ...]:
    r, u, variance = sp.symbols("r u v", positive=True)
    now, later = named("V_{n}"), named("V_{n+1}")
    others = sp.Sum(rho**t, (t, 1, n))
    whole = {n: range(1, 9)} | LESS
    return (
        definition(
            "A chain that forgets a share 1−ρ at every draw,",
            named("x_{t+1}"),
            rho * named("x_{t}") + sp.sqrt(1 - rho**2) * named(r"\xi_{t}"),
        ),
        identity("keeps its variance v = 1,", rho**2 * variance + 1 - rho**2, variance, where={variance: 1}),
        identity(
            "and its autocorrelation over t draws is a power of ρ, whose sums grow by one term at a time.",
            others,
            geometric(n),
            domain=whole,
            by=by_induction(n, 0, _powers),
        ),
        limit(
            "For ρ < 1 the integrated autocorrelation time τ is this limit of the sums.",
            sp.Limit(1 + 2 * geometric(n), n, sp.oo),
            TAU,
            where={rho: sp.exp(-u)},
        ),
        definition("The variance of the mean of n draws, exact at every length,", now, MEAN_VARIANCE),
        identity(
            "grows as it should: the variance of the sum of n+1 draws exceeds that of n by the variance of the new "
            "draw and twice its correlations with all others,",
            (n + 1) ** 2 * later - n**2 * now,
            1 + 2 * others,
            where={later: MEAN_VARIANCE.subs(n, n + 1), now: MEAN_VARIANCE},
            domain=whole,
            by=_by_geometric_sums,
        ),
        identity("and is 1 for one draw.", now, sp.S.One, where={now: MEAN_VARIANCE, n: 1}),
        identity(
            "For long runs, where the power of ρ is negligible, this is the variance of n/τ independent draws, the "
            "effective sample size; the next term makes it smaller.",
            now,
            tau / n * (1 - 2 * rho / (n * (1 - rho**2))) + 2 * rho ** (n + 1) / (n**2 * (1 - rho) ** 2),
            where={now: MEAN_VARIANCE, tau: TAU},
        ),
        inequality(
            "Draws that alternate, ρ = −r, are better than independent ones: τ < 1.",
            sp.S.One,
            TAU.subs(rho, -r),
            2 * r / (1 + r),
        ),
    )


def _window() -> tuple[Step, ...]:
    c, chains = sp.symbols("c R", positive=True)
    size, lag = 5, 2
    cut, estimated = named(r"\tau_{W}"), expected(r"\hat{C}_{k}")
    with_mean, at_lag = sp.Function("c"), sp.Function(r"\hat{C}")
    return (
        identity(
            "Sokal's rule ends the sum at the first window W ≥ cτ, with c = 5. It leaves out",
            tau - cut,
            2 * rho ** (W + 1) / (1 - rho),
            where={tau: TAU, cut: 1 + 2 * geometric(W)},
        ),
        limit(
            "which for slow chains, ρ = exp(−u) with small u, is a share exp(−2c) of τ, 5 in 100000 at c = 5: for a "
            "single exponential the window is wide enough. What it can miss is a slow mode of small weight.",
            sp.Limit(rho ** (c * tau), rho, 1, "-"),
            sp.exp(-2 * c),
            where={tau: TAU},
        ),
        instance(
            "A short run has another bias: covariances are taken about the mean of the run itself, or of R "
            "independent runs, of which each contributes an R-th part. Their expectation is known at every length; "
            "here it is summed over all pairs for 5 draws and lag 2, with one run, two and three.",
            estimated,
            (1 - k / n) * (rho**k + named("V_{n}") / chains) - 2 / (n * chains) * sp.Sum(with_mean(t), (t, 1, n - k)),
            cases=[
                {n: size, k: lag, chains: many, named("V_{n}"): MEAN_VARIANCE.subs(n, size)}
                | {with_mean(time + 1): _against(time, size) for time in range(size)}
                | {estimated: _direct(size, lag, many)}
                for many in (1, 2, 3)
            ],
            by=sp.cancel,
        ),
        identity(
            "The covariances c of draws t with the mean add up, over the draws that have a partner, to",
            n * sp.Sum(with_mean(t), (t, 1, n - k)),
            (n - k) * TAU - geometric(n - k) * (1 + rho**k) / (1 - rho),
            where={with_mean(t): (1 + geometric(t - 1) + geometric(n - t)) / n},
            domain={n: range(6, 9), k: range(1, 5), rho: (0, 1)},
            by=_by_geometric_sums,
        ),
        series(
            "In runs much longer than the lag every covariance is too small by τ/n, even at lags far beyond those at "
            "which the chain is correlated.",
            estimated,
            (1 - k / n) * rho**k - tau / n + O(n**-2),
            (n, sp.oo),
            where={estimated: covariance_bias(k), tau: TAU},
            domain=LESS,
            by=_without_powers,
        ),
        instance(
            "Summed over all lags the sample covariances give zero, as deviations from the mean add up to zero; here "
            "for 5 draws.",
            sp.Sum(at_lag(_lag), (_lag, -(n - 1), n - 1)),
            sp.S.Zero,
            cases=[{n: size} | {at_lag(shift): _direct(size, abs(shift)) for shift in range(1 - size, size)}],
        ),
        identity(
            "A window holds 2W+1 lags, so the squared error is underestimated by this share; with W = 5τ and n = 50τ "
            "by one part in five.",
            -sp.Sum(tau / n, (_lag, -W, W)) / tau,
            -(2 * W + 1) / n,
            domain={W: range(1, 9)},
        ),
        series(
            "About the common mean of R independent chains the term is R times smaller.",
            estimated,
            (1 - k / n) * rho**k - tau / (n * chains) + O(n**-2),
            (n, sp.oo),
            where={estimated: covariance_bias(k, chains), tau: TAU},
            domain=LESS,
            by=_without_powers,
        ),
    )


def autocorrelation() -> Derivation:
    """Derive tau, the variance of a mean at any length, and the bias of windowed estimates."""
    return Derivation(
        "autocorrelation",
        "The error of a mean of correlated draws",
        TEXTBOOK,
        "exact",
        (*_mean(), *_window()),
        assumes=("a stationary chain whose correlations decay as one exponential",),
    )
