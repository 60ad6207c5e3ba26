"""Kernels equal their readable twins bit for bit, and the variates they are built of have the right laws."""

import math

import numpy as np
import pytest
from compiled import kernels_of
from scipy import stats

from statnn import _xoshiro
from statnn.activation._laws import occupancy as _occupancy
from statnn.activation._simulation import exact_kernels as _exact_kernels
from statnn.activation._simulation import stepwise_kernels as _stepwise_kernels
from statnn.activation._simulation.exact_kernels import binomial, births, competing_counts, independent_counts
from statnn.activation._simulation.stepwise_kernels import clocked_events, sample_steps, tabulate, urn_events, urn_state
from statnn.testing import assert_counts, assert_mean, assert_pvalue, rejects

DRAWS = 200_000
LAST = 9 * 10**18
D = np.array([0, 1, 7, 50, 2000, 10**9, LAST])


def twins(kernel):
    return kernel, kernel.py_func


def copy_of(argument):
    if isinstance(argument, np.random.Generator):
        twin = np.random.Generator(np.random.SFC64())
        twin.bit_generator.state = argument.bit_generator.state
        return twin
    if isinstance(argument, tuple):
        return type(argument)(*(part.copy() for part in argument))
    return argument.copy() if isinstance(argument, np.ndarray) else argument


def same(left, right):
    if isinstance(left, np.random.Generator):
        return left.random() == right.random()
    if isinstance(left, tuple):
        return all(np.array_equal(a, b) for a, b in zip(left, right, strict=True))
    return np.array_equal(left, right)


def assert_twins(kernel, *arguments):
    """Run a kernel and its readable twin on copies: results and everything they wrote to must agree."""
    compiled, plain = [copy_of(a) for a in arguments], [copy_of(a) for a in arguments]
    assert kernel(*compiled) == kernel.py_func(*plain)
    for by_kernel, by_twin in zip(compiled, plain, strict=True):
        assert same(by_kernel, by_twin), kernel.py_func.__name__


@pytest.fixture
def bits(rng):
    return _xoshiro.words(rng)


@pytest.fixture
def stream(rng):
    return np.random.Generator(np.random.SFC64(rng.integers(2**63)))


# -- every kernel is its twin ----------------------------------------------------------------------------


def test_no_kernel_is_forgotten():
    """Every kernel is on this list, so that none goes without a test."""
    known = {
        _exact_kernels: {"binomial", "births", "competing_counts", "independent_counts"},
        _stepwise_kernels: {"clocked_events", "sample_steps", "tabulate", "urn_events"},
        _occupancy: {"_birth_chain"},
    }
    for module, names in known.items():
        assert kernels_of(module) == names, module.__name__


def test_generator_gives_the_published_numbers():
    """xoshiro256++ from the state (1, 2, 3, 4)."""
    for next_word in twins(_xoshiro.next_word):
        state = np.array([1, 2, 3, 4], dtype=np.uint64)
        assert [int(next_word(state)) for _ in range(4)] == [
            41943041,
            58720359,
            3588806011781223,
            3591011842654386,
        ]


def test_uniform_takes_the_upper_bits(bits):
    state, copy = bits.copy(), bits.copy()
    for _ in range(100):
        assert _xoshiro.uniform(state) == float(int(_xoshiro.next_word(copy)) >> 11) / 2**53


@pytest.mark.parametrize("n", [0, 1, 30, 10**6, LAST])
@pytest.mark.parametrize("p", [0.0, 1e-18, 1e-3, 0.4, 0.5, 0.9, 1 - 1e-12, 1.0])
def test_binomial_is_its_twin(bits, n, p):
    for _ in range(20):
        assert_twins(binomial, bits, n, p, 1.0 - p)
        binomial(bits, n, p, 1.0 - p)


def test_independent_counts_is_its_twin(stream, bits):
    black = np.array([1e-3, 0.2, 1.0, 5.0, 40.0])
    white = np.array([1e-16, 3.0, 1e12, 0.1, 7.0])
    assert_twins(independent_counts, stream, bits, black, white, D, np.empty((D.size, 5), dtype=np.int64))


def test_competing_counts_is_its_twin(stream, bits):
    weights = np.array([1e-3, 0.2, 1.0, 5.0, 4e3, 1e-3])
    assert_twins(competing_counts, stream, bits, weights, D, np.empty((D.size, 6), dtype=np.int64))


@pytest.mark.parametrize(("asleep", "b", "history"), [(50, 0.3, 0.0), (7, 1e-3, 2.0), (0, 1.0, 5.0), (9, 10.0, 1e6)])
def test_births_is_its_twin(stream, asleep, b, history):
    assert_twins(births, stream, asleep, b, history, D, np.empty(D.size, dtype=np.int64))


@pytest.mark.parametrize("initial", [np.zeros(9, dtype=np.int64), np.arange(9) ** 3])
def test_stepwise_kernels_are_their_twins(bits, initial):
    state = urn_state(initial)
    assert_twins(urn_events, bits, state, 0.3, 700)  # the list of recent events overflows twice
    urn_events(bits, state, 0.3, 300)
    assert_twins(tabulate, state)
    assert_twins(clocked_events, bits, state, 0.3, 4.0, 0.0, 1e3, 100)
    assert_twins(clocked_events, bits, state, 0.3, 4.0, 0.0, 1e-3, 100)
    assert_twins(sample_steps, bits, initial.copy(), 0.3, 4.0, 2, 50)


@pytest.mark.parametrize("asleep", [1, 3, 40])
def test_birth_chain_is_its_twin(asleep):
    for b, total, draws in ((0.3, 0.3 * asleep, 60), (5.0, 9.0 + 5 * asleep, 7), (1e-3, 1e5, 200)):
        assert_twins(_occupancy._birth_chain, asleep, b, total, draws, np.empty(asleep + 1))


# -- tables ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scale", [1, 3, 10**12])
def test_alias_table_holds_the_old_events(rng, scale):
    """A slot keeps its own neuron or passes to its alias: summed over slots, each neuron has its share."""
    counts = rng.integers(0, 50, 200) ** 2 * scale
    state = urn_state(counts)
    share = np.bincount(state.alias, weights=1 - state.keep, minlength=200) + state.keep
    assert share / 200 == pytest.approx(counts / counts.sum(), rel=1e-12, abs=1e-15)
    assert state.size.tolist() == [counts.sum(), 0]


# -- laws of the variates --------------------------------------------------------------------------------


def drawn(bits, n, p, q, size=DRAWS):
    return np.array([binomial(bits, n, p, q) for _ in range(size)])


def seen(values, last):
    return np.bincount(values, minlength=last + 1)


REGIMES = [
    (5, 0.3), (3, 0.9), (1000, 1e-3), (10**6, 9e-6), (40, 0.2499), (40, 0.2501), (100, 0.1), (100, 0.5),
    (100, 0.51), (100, 0.95), (2500, 0.02), (10**6, 5e-5), (5000, 0.2), (10**6, 1e-3), (10**9, 1e-8),
]  # fmt: skip
"""(n, p): inversion below a mean of 10, transformed rejection above, and mirrored beyond p = 1/2."""


@pytest.mark.parametrize(("n", "p"), REGIMES)
def test_binomial_law(bits, n, p):
    """The test sees odds of success that are off by a tenth."""
    values = drawn(bits, n, p, 1 - p)
    assert values.min() >= 0
    assert values.max() <= n
    last = min(n, int(stats.binom(n, p).isf(1e-12)) + 1)
    assert_counts(seen(values, last)[: last + 1], stats.binom(n, p).pmf(np.arange(last + 1)), what=f"B({n}, {p})")
    odds = 1.1 * p / (1 - p)
    with rejects():
        assert_counts(seen(values, last), stats.binom(n, odds / (1 + odds)).pmf(np.arange(last + 1)), what="twin")


def test_rare_successes_in_very_many_trials_are_poisson(bits):
    values = drawn(bits, 10**18, 1e-17, 1.0)
    last = 60
    assert_counts(seen(values, last), stats.poisson(10).pmf(np.arange(last + 1)), what="B(1e18, 1e-17)")
    with rejects():
        assert_counts(seen(values, last), stats.poisson(10.3).pmf(np.arange(last + 1)), what="B(1e18, 1.03e-17)")


def test_rare_failures_in_very_many_trials_are_poisson(bits):
    """The complement is given apart: q = 2e-17 would be lost in 1 - p."""
    values = 10**17 - drawn(bits, 10**17, 1.0, 2e-17)
    assert_counts(seen(values, 30), stats.poisson(2).pmf(np.arange(31)), what="n - B(1e17, 1 - 2e-17)")
    with rejects():
        assert_counts(seen(values, 30), stats.poisson(2.2).pmf(np.arange(31)), what="twin")


@pytest.mark.parametrize(("n", "p"), [(10**15, 0.3), (9 * 10**18, 0.5), (9 * 10**18, 1e-6), (10**15, 1 - 1e-9)])
def test_very_many_successes_are_normal(bits, n, p):
    """The test sees a variance 6 % off and a spread 10 % off; from n p q = 1e6 on the law is normal to 1e-3."""
    q = 1e-9 if p == 1 - 1e-9 else 1 - p
    values = drawn(bits, n, p, q)
    few, mean = (n - values, n * q) if p > 0.5 else (values, n * p)
    z = (few - mean) / math.sqrt(n * p * q)
    assert_pvalue(stats.kstest(z, "norm").pvalue, f"B({n}, {p})")
    assert_mean(z, 0.0, what=f"mean of B({n}, {p})")
    assert_mean(z**2, 1.0, what=f"variance of B({n}, {p})")
    with rejects():
        assert_mean(z**2, 1.06, what="variance off by six percent")
    with rejects():
        assert_pvalue(stats.kstest(1.1 * z, "norm").pvalue, "a wider law")


@pytest.mark.parametrize("shape", [1e-3, 0.3, 1.0, 8.0])
def test_log_gamma_variate(stream, shape):
    """Small shapes reach below the smallest float, so that only the logarithm can be drawn."""
    values = np.array([_exact_kernels._log_gamma_variate(stream, shape) for _ in range(DRAWS // 5)])
    assert_pvalue(stats.kstest(values, stats.loggamma(shape).cdf).pvalue, f"ln Gamma({shape})")
    with rejects():
        assert_pvalue(stats.kstest(values, stats.loggamma(1.15 * shape).cdf).pvalue, "another shape")
