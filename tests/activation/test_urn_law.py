"""The law of K of the urn as a whole: two exact routes that share nothing, and every path of tiny urns."""

from fractions import Fraction

import enumerated
import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats
from strategies import examples

from statnn.activation import PolyaUrn
from statnn.activation._laws.occupancy import _birth_chain, _differences, woken_law
from statnn.testing.strategies import constants, log_uniform
from statnn.theory.activation import oracle


def by_chain(asleep, b, history, draws):
    p = np.empty(asleep + 1)
    _birth_chain(asleep, b, history, draws, p)
    return p


@given(
    asleep=st.integers(1, 60), b=constants(), history=st.just(0.0) | log_uniform(1e-3, 1e6), draws=st.integers(1, 3000)
)
@examples(0.5)
def test_both_routes_agree(asleep, b, history, draws):
    """Step by step through the births, and in one leap by inclusion and exclusion."""
    chain, leap = by_chain(asleep, b, history, draws), _differences(asleep, b, history, draws)
    assert leap == pytest.approx(chain, rel=1e-10, abs=1e-280)
    assert chain.sum() == pytest.approx(1, rel=1e-12)
    assert leap.sum() == pytest.approx(1, rel=1e-12)


@given(N=st.integers(2, 40), b=constants(), n=st.integers(1, 200), k=st.integers(0, 40))
@examples(0.5)
def test_weights_are_those_of_the_oracle(N, b, n, k):
    exact = oracle.pmf_working_urn(k, n, N, b, digits=30)
    assert PolyaUrn(N, b).working_law(n).pmf(k) == pytest.approx(float(exact), rel=1e-9, abs=1e-280)


@given(N=st.integers(2, 200), b=constants(), n=st.integers(0, 5000) | st.sampled_from([10**9, 10**15, 10**18]))
@examples(0.3)
def test_mean_and_spread_are_those_of_the_closed_forms(N, b, n):
    urn = PolyaUrn(N, b)
    law, k = urn.working_law(n), np.arange(N + 1)
    weights = law.pmf(k)
    assert weights.sum() == pytest.approx(1, rel=1e-12)
    assert weights @ k == pytest.approx(urn.working(n), rel=1e-9)
    assert weights @ (N - k) == pytest.approx(N * urn.silent(n), rel=1e-8, abs=1e-12)
    spread = np.sqrt(weights @ (k - urn.working(n)) ** 2)
    assert spread == pytest.approx(urn.working_std(n), rel=1e-6, abs=1e-6)


def test_variances_between_whole_numbers_of_events_lie_between():
    """With b = 1 one of two neurons works after one event, and both after two with a chance of 1/3."""
    assert PolyaUrn(2, 1.0).working_std([1, 1.25, 2]) ** 2 == pytest.approx([0, 2 / 9 / 4, 2 / 9], rel=1e-12)


@pytest.mark.parametrize(("N", "b"), [(2, Fraction(1, 3)), (3, Fraction(5, 2)), (4, Fraction(1, 7)), (4, Fraction(2))])
@pytest.mark.parametrize("route", [by_chain, _differences], ids=["chain", "leap"])
def test_every_path_is_counted(N, b, route):
    for n in range(1, 6):
        states = enumerated.states(N, enumerated.urn(N, b), n)
        exact = [float(enumerated.mean(states, lambda s, k=k: enumerated.working(s) == k)) for k in range(N + 1)]
        assert route(N, float(b), 0.0, n) == pytest.approx(exact, rel=1e-13, abs=1e-300)


@given(counts=st.lists(st.integers(0, 5), min_size=2, max_size=12), b=constants(), more=st.integers(0, 100))
@examples(0.3)
def test_after_a_start(counts, b, more):
    """Neurons that worked at the start work for ever; silent ones compete with all events so far."""
    begin = sum(counts)
    urn = PolyaUrn(len(counts), b).after(begin, counts)
    law, k = urn.working_law(begin + more), np.arange(len(counts) + 1)
    awake = int(np.count_nonzero(counts))
    weights = law.pmf(k)
    assert weights[:awake].sum() == 0
    assert weights.sum() == pytest.approx(1, rel=1e-12)
    assert weights @ k == pytest.approx(urn.working(begin + more), rel=1e-9)
    if more == 0:
        assert weights[awake] == 1


@given(b=constants(), N=st.integers(2, 60), n=st.integers(2, 500))
@examples(0.3)
def test_competing_neurons_spread_less_than_independent_ones(b, N, n):
    urn = PolyaUrn(N, b)
    assume(urn.silent(n) > 1e-6)
    independent = stats.binom(N, 1 - urn.silent(n))
    assert urn.working_law(n).var() < independent.var() * (1 + 1e-9)


@given(n=st.integers(1, 30), b=constants())
def test_samples_of_several_events(n, b):
    """Only the number of events matters: c events a sample are c samples of one."""
    k = np.arange(11)
    assert PolyaUrn(10, b, 4.0).working_law(n).pmf(k).tolist() == PolyaUrn(10, b).working_law(4 * n).pmf(k).tolist()


def test_chain_is_taken_where_it_is_short_and_the_leap_where_neurons_are_few():
    taken = []
    for asleep, draws in ((10**4, 20), (10, 10**12)):
        law = woken_law(asleep, 0.3, 0.0, draws)
        taken.append(law.size)
        assert law.sum() == pytest.approx(1, rel=1e-12)
    assert taken == [21, 11]


def test_a_law_needs_no_memory_for_neurons_that_cannot_have_woken():
    urn = PolyaUrn(10**15, 1e-3)
    assert urn.working_law(100).mean() == pytest.approx(urn.working(100), rel=1e-9)
    assert urn.working_law(0).pmf(0) == 1


def test_too_large_a_law_says_what_to_do_instead():
    with pytest.raises(ValueError, match=r"for 1000 silent neurons and 1000000000 events .* use working\(D\)"):
        PolyaUrn(1000, 0.3).working_law(10**9)


@pytest.mark.parametrize(("N", "b"), [(10**15, 0.3), (10**12, 0.3), (10**15, 1e-3), (10**9, 0.7)])
def test_neurons_that_fire_again_among_very_many(N, b):
    """The chance (t + b j)/(bN + t) that an event finds a working neuron is not to be a difference of total weights."""
    exact = [Fraction(1)]
    for t in range(4):
        again = [(t + Fraction(b) * j) / (Fraction(b) * N + t) for j in range(t + 2)]
        stay, wake = [*exact, Fraction(0)], [Fraction(0), *exact]
        exact = [stay[j] * again[j] + (wake[j] * (1 - again[j - 1]) if j else 0) for j in range(t + 2)]
    chances = PolyaUrn(N, b).working_law(4).pmf(range(5))
    assert chances == pytest.approx([float(p) for p in exact], rel=1e-12, abs=0)


def test_without_events_no_neuron_has_any():
    assert [oracle.pmf_working_urn(k, 0, 5, 1.5) for k in range(4)] == [1, 0, 0, 0]
