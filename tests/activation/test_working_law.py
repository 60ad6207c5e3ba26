"""The law of K of independent neurons where hardly any is silent, and logarithms of probabilities below all floats."""

import mpmath
import numpy as np
import pytest
from scipy import special

from statnn._random import root, stream
from statnn.activation import BetaBernoulli, GammaPoisson, PolyaUrn
from statnn.activation._laws.beta_binomial import beta_binomial
from statnn.activation._laws.binomial import binomial
from statnn.testing import assert_law


@pytest.mark.parametrize("kind", [BetaBernoulli, GammaPoisson], ids=lambda kind: kind.__name__)
@pytest.mark.parametrize(("N", "b", "D"), [(10**15, 2.0, 5 * 10**7), (10**15, 2.0, 10**9), (10, 2.0, 10**12)])
def test_how_many_still_sleep(kind, N, b, D):
    """Where hardly any neuron is silent, 1 - S has no digits; the law of K comes from that of the silent ones."""
    process = kind(N, b, 0.3 * N)
    S = process.silent(D)
    law, k = process.working_law(D), N - np.arange(4)
    with mpmath.workdps(40):
        weights = [mpmath.binomial(N, j) * mpmath.mpf(S) ** j * (1 - mpmath.mpf(S)) ** (N - j) for j in range(4)]
        shares = [float(sum(weights[: j + 1])) for j in range(4)]
    assert law.pmf(k) == pytest.approx([float(weight) for weight in weights], rel=1e-11)
    assert law.sf(k - 1) == pytest.approx(shares, rel=1e-10)
    assert law.std() == pytest.approx(process.working_std(D), rel=1e-12)


def test_those_that_still_sleep_are_drawn():
    process, D = GammaPoisson(10**15, 2.0, 3e14), 5 * 10**8
    drawn = process.simulate([D], replicas=400, rng=3).working[:, 0]
    asleep = [stream(root(3), replica).binomial(10**15, process.silent(D)) for replica in range(400)]
    assert (10**15 - drawn).tolist() == asleep


@pytest.mark.parametrize("kind", [BetaBernoulli, GammaPoisson, PolyaUrn], ids=lambda kind: kind.__name__)
def test_moments_of_every_law_are_asked_for_alike(kind):
    process = kind(5, 0.3) if kind is PolyaUrn else kind(5, 0.3, 2.0)
    law, k = process.working_law(3), np.arange(6)
    p = law.pmf(k)
    mean, spread = k @ p, np.sqrt((k - k @ p) ** 2 @ p)
    standard = (k - mean) / spread
    moments = (mean, spread**2, standard**3 @ p, standard**4 @ p - 3)
    assert law.stats("mvsk") == pytest.approx(moments, rel=1e-12)


@pytest.mark.parametrize("name", ["count", "working_law"])
@pytest.mark.parametrize("kind", [BetaBernoulli, GammaPoisson, PolyaUrn], ids=lambda kind: kind.__name__)
def test_quantiles_are_the_first_values_beyond_a_share(kind, name):
    """P(x <= k) >= q first where q is that of k itself, P(x > k) <= q so too, however small q is."""
    law = getattr(kind(40, 0.3) if kind is PolyaUrn else kind(40, 0.3, 2.0), name)(60)
    p, near = law.pmf(np.arange(2000)), 1e-9 * np.array([[1], [-1]])
    for quantile, share, side in (law.ppf, p.cumsum(), -1), (law.isf, p[:0:-1].cumsum()[::-1], 1):
        k = np.flatnonzero((share > 1e-200) & (share < 0.9))[:20]
        assert k.size >= 4
        assert (quantile(share[k] * (1 + side * near)) == [k, k + 1]).all()


@pytest.mark.parametrize("n", [1000, 10**15])
@pytest.mark.parametrize("hazard", [0.0, 1e-300, 1e-9, 0.3, 3.0, 30.0, 1e3])
def test_digits_of_binomial_weights(n, hazard):
    k = np.unique([0, 1, 2, 17, n // 3, n - 17, n - 1, n])
    with mpmath.workdps(60):
        woken = -mpmath.expm1(-mpmath.mpf(hazard))
        choose = [mpmath.loggamma(n + 1) - mpmath.loggamma(int(j) + 1) - mpmath.loggamma(n - int(j) + 1) for j in k]
        logs = [mpmath.log(woken) if hazard else -mpmath.inf, -hazard]
        exact = [c + (j and int(j) * logs[0]) + int(n - j) * logs[1] for c, j in zip(choose, k, strict=True)]
        allowed = [1e-14 * (1 + abs(int(j) - n * woken) + abs(log)) for j, log in zip(k, exact, strict=True)]
    computed = binomial(n, hazard).logpmf(k)
    assert (np.isinf(computed) == np.isinf(np.array(exact, dtype=float))).all()
    for ours, right, most in zip(computed, exact, allowed, strict=True):
        assert np.isinf(ours) or abs(ours - float(right)) <= most


@pytest.mark.parametrize(
    "law",
    [
        BetaBernoulli(1000, 50.0, 300.0).count(10**5),
        PolyaUrn(100, 577.0).count(10**6),
        GammaPoisson(1000, 200.0, 300.0).count(10**6),
        GammaPoisson(1000, 2e6, 300.0).count(10**5),
        GammaPoisson(10**4, 0.5, 300.0).working_law(10**6),
        GammaPoisson(10**9, 0.5, 300.0).working_law(10**12),
    ],
    ids=["beta-Bernoulli", "urn", "gamma-Poisson", "of many balls", "of K", "of K of many"],
)
def test_logarithms_of_probabilities_below_all_floats(law):
    k = int(law.mean() - 80 * law.std())
    assert law.cdf(k) == 0
    assert law.logcdf(k) == pytest.approx(special.logsumexp(law.logpmf(np.arange(max(0, k - 9000), k + 1))), rel=1e-12)
    k, last = int(law.mean() + 60 * law.std()), law.support()[1]
    if k < last and law.sf(k) == 0:
        above = np.arange(k + 1, min(last, k + 100_000) + 1)
        assert law.logsf(k) == pytest.approx(special.logsumexp(law.logpmf(above)), rel=1e-12)
    assert law.logcdf([-1, law.mean()]).tolist() == [-np.inf, law.logcdf(law.mean())]


@pytest.mark.parametrize(
    "law",
    [
        BetaBernoulli(10**15, 0.3, 0.05).working_law(1),
        GammaPoisson(10**15, 2.0, 3e14).working_law(5 * 10**8),
        GammaPoisson(1000, 1e20, 5.0).count(200),
        GammaPoisson(1000, 0.3, 5.0).count(10**4),
        BetaBernoulli(1000, 0.3, 5.0).count(10**4),
        beta_binomial(10**18, 0.5, 3e17, 0.0, 0.0),
        beta_binomial(5, 1e-3, 2e-3, 0.0, 0.0),
    ],
    ids=["hardly any works", "hardly any sleeps", "many of tiny odds", "usual", "of balls", "few black", "ends"],
)
def test_draws_keep_the_digits_of_rare_events(law, rng):
    """Chances near one and odds near zero are lost when subtracted from one."""
    drawn = law.rvs(4000, random_state=rng)
    assert_law(drawn, law, what="draws")


@pytest.mark.parametrize(
    "law",
    [BetaBernoulli(10**15, 0.3, 0.05).working_law(1), beta_binomial(10**18, 1.0, 1e18, 0.0, 0.0)],
    ids=["hardly any works", "one black"],
)
def test_draws_of_a_random_state_keep_the_digits_of_rare_events(law, rng):
    """RandomState's own binomial variates are all zero for a chance below 1e-16."""
    state = np.random.RandomState(rng.integers(2**32))
    assert_law(law.rvs(4000, random_state=state), law, what="draws")
    first, again = (law.rvs(5, random_state=7).tolist() for _ in range(2))
    assert first == again


def test_draws_of_balls_that_are_nearly_all_black(rng):
    white = 10**18 - beta_binomial(10**18, 1e18, 1.0, 0.0, 0.0).rvs(4000, random_state=rng)
    assert_law(white, beta_binomial(10**18, 1.0, 1e18, 0.0, 0.0), what="white balls")


def test_both_tails_find_a_peak_in_the_midst_of_many_counts():
    """Of 1e18 draws from 1e12 balls of either colour half are black, to half a millionth."""
    law = beta_binomial(10**18, 1e12, 1e12, 0.0, 0.0)
    assert law.cdf(9 * 10**17) == pytest.approx(1.0, rel=1e-12)
    assert law.sf(10**17) == pytest.approx(1.0, rel=1e-12)


@pytest.mark.parametrize(("a_low", "b_low"), [(100, 0), (0, -150), (100, -150)])
def test_weights_feel_what_floats_of_balls_leave_out(a_low, b_low):
    n, k, a, b = 3 * 10**17, 10**17 + 2 * 10**9, 2**60, 2**61
    with mpmath.workdps(60):
        black, white = mpmath.mpf(a + a_low), mpmath.mpf(b + b_low)
        ways = [mpmath.loggamma(m + 1) for m in (n, k, n - k)]
        of_all, of_black, of_white = (
            mpmath.loggamma(balls + m) - mpmath.loggamma(balls)
            for balls, m in ((black + white, n), (black, k), (white, n - k))
        )
        exact = float(ways[0] - ways[1] - ways[2] + of_black + of_white - of_all)
    assert beta_binomial(n, float(a), float(b), float(a_low), float(b_low)).logpmf(k) == pytest.approx(exact, rel=1e-13)


def test_functions_of_working_neurons_have_powers_beyond_64_bits():
    """Of three neurons with b = 1 the second event wakes another one with probability one half."""
    assert PolyaUrn(3, b=1.0).working_law(2).expect(lambda k: k**64) == (1 + 2**64) / 2


def test_functions_of_counts_have_powers_beyond_64_bits():
    D = 4 * 10**6
    process = BetaBernoulli(2, b=1.0, c=1.0)  # p is uniform, and so are counts
    assert process.count(D).expect(lambda k: k**3) == pytest.approx(D**2 * (D + 1) / 4, rel=1e-11)
    exact = 2 * (mpmath.zeta(2) - mpmath.zeta(2, D + 2)) / ((D + 1) * (D + 2))
    assert process.loss(D, lambda k: 1 / (k + 1) ** 3) == pytest.approx(float(exact), rel=1e-10)
