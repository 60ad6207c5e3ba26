"""Correlated draws: the error of a mean, worked out for the first-order autoregression."""

import sympy as sp

from theory.derivation import Derivation, Step, equation, identity, inequality
from theory.interaction.symbols import TEXTBOOK, O, expected, named

rho = sp.Symbol("rho", positive=True)
n, W = sp.symbols("n W", positive=True)
k, t = sp.symbols("k t", integer=True, positive=True)
tau = sp.Symbol("tau", positive=True)

TAU = (1 + rho) / (1 - rho)
MEAN_VARIANCE = (TAU - 2 * rho * (1 - rho**n) / (n * (1 - rho) ** 2)) / n
"""Variance of the mean of n draws of variance one whose autocorrelation is a power of rho."""


def geometric(last: sp.Expr) -> sp.Expr:
    """Return the sum of rho^t from t = 1 to `last`."""
    return rho * (1 - rho**last) / (1 - rho)


def covariance_bias(lag: sp.Expr) -> sp.Expr:
    """Return the mean of the autocovariance about the sample mean, divided by n."""
    edges = geometric(n - lag) * (1 + rho**lag) / (1 - rho)
    with_mean = (n - lag) * TAU - edges  # n times the sum of cov(x_t, mean)
    return ((n - lag) * (rho**lag + MEAN_VARIANCE) - 2 * with_mean / n) / n


def _direct(size: int, lag: int) -> sp.Expr:
    """Return the same by summing every pair of draws."""
    draws = range(size)

    def against(time: int) -> sp.Expr:
        return sp.Add(*(rho ** abs(time - other) for other in draws)) / size

    whole = sp.Add(*(against(time) for time in draws)) / size
    terms = (rho**lag - against(time) - against(time + lag) + whole for time in range(size - lag))
    return sp.Add(*terms) / size


def _mean() -> tuple[Step, ...]:
    squares = n**2 * MEAN_VARIANCE
    r = sp.Symbol("r", positive=True)
    rest = sp.Symbol("a", positive=True)  # rho^n, exponentially small
    small = MEAN_VARIANCE.subs(rho**n, rest)
    return (
        identity(
            "A chain that forgets a share 1−ρ at every draw keeps its variance,",
            rho**2 + (1 - rho**2),
            sp.S.One,
            shown=equation(named("x_{t+1}"), rho * named("x_{t}") + sp.sqrt(1 - rho**2) * named(r"\xi_{t}")),
        ),
        identity(
            "and its autocorrelation is a power: partial sums grow by the next term.",
            sp.powsimp(sp.expand(geometric(n + 1) - geometric(n), power_exp=True)),
            rho ** (n + 1),
            by=lambda gap: sp.simplify(sp.expand(sp.cancel(sp.expand(gap, power_exp=True)))),
            shown=equation(sp.Sum(rho**t, (t, 1, n)), geometric(n)),
        ),
        identity(
            "For ρ < 1 the integrated autocorrelation time is",
            1 + 2 * geometric(n).subs(rho**n, 0),
            TAU,
            shown=equation(tau, TAU),
        ),
        identity(
            "The variance of the sum of n+1 draws exceeds that of n by the correlations of the new draw with all "
            "others,",
            squares.subs(n, n + 1) - squares,
            1 + 2 * geometric(n),
            by=lambda gap: sp.simplify(sp.expand(gap, power_exp=True)),
            shown=equation((n + 1) ** 2 * named("V_{n+1}") - n**2 * named("V_{n}"), 1 + 2 * sp.Sum(rho**t, (t, 1, n))),
        ),
        identity(
            "and is 1 for one draw: the variance of the mean, exact at every length.",
            squares.subs(n, 1),
            sp.S.One,
            shown=equation(named("V_{n}"), MEAN_VARIANCE),
        ),
        identity(
            "For long runs, where the power of ρ is negligible, this is the variance of n/τ independent draws, the "
            "effective sample size; the next term makes it smaller.",
            sp.expand(sp.cancel(small.subs(rest, 0) - TAU / n)),
            -2 * rho / (n**2 * (1 - rho) ** 2),
            by=sp.cancel,
            shown=equation(named("V_{n}"), tau / n * (1 - 2 * rho / (n * (1 - rho**2))) + O(rho**n)),
        ),
        inequality(
            "Draws that alternate, ρ = −r, are better than independent ones: τ < 1.",
            sp.S.One,
            TAU.subs(rho, -r),
            2 * r / (1 + r),
        ),
    )


def _window() -> tuple[Step, ...]:
    rate, c = sp.symbols("u c", positive=True)
    cut = 1 + 2 * geometric(W)
    exponent = c * rate * TAU.subs(rho, sp.exp(-rate))
    size, lag = 5, 2
    chains = sp.Symbol("R", positive=True)
    one = sp.Symbol("a", positive=True)
    expanded = sp.expand(n * (covariance_bias(k) - (1 - k / n) * rho**k), power_exp=True).subs(rho**n, 0)
    return (
        identity(
            "Sokal's rule ends the sum at the first window W ≥ cτ, with c = 5. It leaves out",
            TAU - cut,
            2 * rho ** (W + 1) / (1 - rho),
            shown=equation(tau - named(r"\tau_{W}"), 2 * rho ** (W + 1) / (1 - rho)),
        ),
        identity(
            "which for slow chains, ρ = exp(−u) with small u, is a share exp(−2c), 5 in 100000 at c = 5: for a single "
            "exponential the window is wide enough. A slow mode of small weight is what it can miss.",
            sp.limit(sp.exp(-exponent), rate, 0),
            sp.exp(-2 * c),
            shown=equation(sp.Limit(rho ** (c * tau), rho, 1), sp.exp(-2 * c)),
        ),
        identity(
            "The bias of a short run is another one: covariances are taken about the mean of the run itself. Their "
            "expectation is known at every length; here 5 draws and lag 2, summed over all pairs.",
            covariance_bias(k).subs({n: size, k: lag}),
            _direct(size, lag),
            by=sp.cancel,
            shown=equation(
                expected(r"\hat{C}_{k}"),
                (1 - k / n) * (rho**k + named("V_{n}"))
                - 2 / n * sp.Sum(named(r"\operatorname{Cov}[x_{t}, \bar{x}]"), (t, 1, n - k)),
            ),
        ),
        identity(
            "In long runs every lag is too small by τ/n, far beyond those at which the chain is correlated.",
            sp.limit(sp.cancel(expanded), n, sp.oo),
            -TAU,
            shown=equation(expected(r"\hat{C}_{k}"), (1 - k / n) * rho**k - tau / n + O(n**-2)),
        ),
        identity(
            "Summed over all lags the sample covariances give nothing at all, as deviations from the mean add up to "
            "zero; here 5 draws.",
            _direct(size, 0) + 2 * sp.Add(*(_direct(size, other) for other in range(1, size))),
            sp.S.Zero,
            by=sp.expand,
            shown=equation(sp.Sum(named(r"\hat{C}_{k}"), (k, -(n - 1), n - 1)), sp.S.Zero),
        ),
        identity(
            "A window holds 2W+1 lags, so the squared error is underestimated by this share; with W = 5τ and n = 50τ "
            "by one part in five.",
            -(2 * W + 1) * tau / n / tau,
            -(2 * W + 1) / n,
            shown=equation(named(r"\frac{\Delta V_{n}}{V_{n}}"), -(2 * W + 1) / n),
        ),
        identity(
            "About the common mean of R independent chains the term is R times smaller.",
            -2 * one / chains + one / chains,
            -one / chains,
            shown=equation(expected(r"\hat{C}_{k}"), (1 - k / n) * rho**k - tau / (n * chains) + O(n**-2)),
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
    )
