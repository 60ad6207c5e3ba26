"""Simulated paths have the exact laws, whichever way they are drawn, and depend on the seed alone."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import examples

from statnn.activation import BetaBernoulli, GammaPoisson, Paths, PolyaUrn, checkpoints
from statnn.activation._laws.special import mixed_log_gamma
from statnn.testing import assert_counts, assert_covariance, assert_mean, rejects
from statnn.testing.strategies import decades, processes

N, B, C = 30, 0.5, 4.0
PROCESSES = {kind.__name__: kind for kind in (BetaBernoulli, PolyaUrn, GammaPoisson)}
WAYS = [(method, counts) for method in ("exact", "stepwise") for counts in (False, True)]
REPLICAS = 4000
CHECKPOINTS = np.array([8, 15, 50, 300])
MIDDLE = 2
START = 5
SEEN = np.array([3, 2] + [1] * 15 + [0] * 13)
assert SEEN.sum() == START * C  # as the urn must have it

each_process = pytest.mark.parametrize("name", PROCESSES)
each_way = pytest.mark.parametrize(("method", "counts"), WAYS, ids=str)


def make(name, started=False, b=B):
    process = PROCESSES[name](N, b, C)
    return process.after(START, SEEN) if started else process


def path_covariance(process, D):
    """Cov(K(D), K(D')) for all pairs of checkpoints, from the chance that two neurons are both silent."""
    D = np.asarray(D, dtype=float)
    begin, asleep = (0, N) if process.start is None else (process.start.samples, N - process.start.working)
    silent = process.silent(D) * N / asleep
    early, late = np.minimum.outer(D, D), np.maximum.outer(D, D)
    first, last = np.maximum.outer(silent, silent), np.minimum.outer(silent, silent)
    alone = asleep * last * (1 - first)
    if not isinstance(process, PolyaUrn):
        return alone
    weight = process.b * N + process.c * begin
    both = np.exp(-mixed_log_gamma(weight - 2 * process.b, 2 * process.b, process.c * (early - begin)))
    on = np.exp(
        -mixed_log_gamma(weight + process.c * (early - begin) - process.b, process.b, process.c * (late - early))
    )
    return alone + asleep * (asleep - 1) * (both * on - first * last)


def histogram(values, last):
    """How often 0, 1, ..., last was seen; larger values are counted in the last place."""
    return np.bincount(np.minimum(values, last), minlength=last + 1)


def law_of(distribution, last):
    """Weights of 0, 1, ..., last - 1, and of all that lies beyond."""
    weights = np.asarray(distribution.pmf(np.arange(last)))
    return np.append(weights, max(0.0, 1 - weights.sum()))


# -- the exact laws --------------------------------------------------------------------------------------


def test_the_covariance_is_that_of_the_standard_deviation():
    for name in PROCESSES:
        for started in (False, True):
            process = make(name, started)
            spread = np.sqrt(np.diag(path_covariance(process, CHECKPOINTS)))
            assert spread == pytest.approx(process.working_std(CHECKPOINTS), rel=1e-8)


@each_process
@each_way
@pytest.mark.parametrize("started", [False, True], ids=["from nothing", "from a start"])
def test_growth_and_its_fluctuations(name, method, counts, started, rng):
    """Means see b off by a tenth, covariances of the whole path competing neurons taken for independent ones, and the
    count law b off by half or another initial count.
    """
    process = make(name, started)
    path = process.simulate(CHECKPOINTS, REPLICAS, rng=rng, method=method, counts=counts)
    assert path.working.shape == (REPLICAS, CHECKPOINTS.size)
    assert_mean(path.working, process.working(CHECKPOINTS), what="E[K]")
    assert_covariance(path.working, path_covariance(process, CHECKPOINTS), what="Cov K")
    wrong = make(name, started, b=1.1 * B)
    with rejects():
        assert_mean(path.working, wrong.working(CHECKPOINTS), what="E[K], b off by 10 %")
    if name == "PolyaUrn" and not started:
        silent = process.silent(CHECKPOINTS)
        independent = N * np.minimum.outer(silent, silent) * (1 - np.maximum.outer(silent, silent))
        with rejects():
            assert_covariance(path.working, independent, what="Cov K of independent neurons")
    if counts:
        neuron = 0  # one a replica: neurons of an urn depend on each other
        initial = SEEN[neuron] if started else 0
        values, last = path.counts[:, MIDDLE, neuron], 60
        D = int(CHECKPOINTS[MIDDLE])
        assert_counts(histogram(values, last), law_of(process.count(D, initial=int(initial)), last), what="D_i")
        wrong = process.count(D, initial=1) if started else make(name, b=1.5 * B).count(D)
        with rejects():
            assert_counts(histogram(values, last), law_of(wrong, last), what="D_i, b or initial off")


@each_way
def test_the_whole_law_of_competing_neurons(method, counts, rng):
    process = make("PolyaUrn")
    path = process.simulate([8, 15], REPLICAS, rng=rng, method=method, counts=counts)
    seen = histogram(path.working[:, -1], N)
    assert_counts(seen, process.working_law(15).pmf(np.arange(N + 1)), what="K of the urn")
    independent = BetaBernoulli(N, B, 1.0).working_law(60)
    with rejects():
        assert_counts(seen, independent.pmf(np.arange(N + 1)), what="K of independent neurons")


@each_process
@pytest.mark.parametrize("counts", [False, True])
def test_an_astronomic_number_of_samples(name, counts, rng):
    """Up to D = 1e18, where the count law spans eighteen decades."""
    D = np.array([10**6, 10**12, 10**18])
    process = PROCESSES[name](N, 0.05, 0.5)
    path = process.simulate(D, REPLICAS, rng=rng, counts=counts)
    assert_mean(path.working, process.working(D), what="E[K]")
    assert_covariance(path.working, path_covariance(process, D), what="Cov K")
    with rejects():
        assert_mean(path.working, PROCESSES[name](N, 0.05 * 1.05, 0.5).working(D), what="b off by 5 %")
    if counts:
        edges = np.array([0, 10, 10**4, 10**8, 10**12, 10**15, 10**16])
        values = path.counts[:, -1, 0]
        seen = np.bincount(np.searchsorted(edges, values), minlength=edges.size + 1)
        assert_counts(seen, bins(process, edges), what="decades of D_i")
        with rejects():
            assert_counts(seen, bins(PROCESSES[name](N, 0.065, 0.5), edges), what="b off by 30 %")


def bins(process, edges):
    below = np.array([process.count(10**18).cdf(edge) for edge in edges])
    return np.diff(below, prepend=0, append=1)


@pytest.mark.parametrize("name", ["BetaBernoulli", "GammaPoisson"])
def test_many_neurons_are_drawn_in_blocks(name, rng):
    """Blocks of neurons have their own streams: together they make one path, and they differ from each other."""
    many = 40_000
    process = PROCESSES[name](many, 0.5, 20.0)
    path = process.simulate([50, 5000], 150, rng=rng, counts=True)
    assert_mean(path.working, process.working([50, 5000]), what="E[K]")
    assert np.array_equal(path.working, np.count_nonzero(path.counts, axis=2))
    assert not np.array_equal(path.counts[0, :, : 2**14], path.counts[0, :, 2**14 : 2**15])
    with rejects():
        assert_mean(path.working, PROCESSES[name](many, 0.53, 20.0).working([50, 5000]), what="b off")


# -- what must hold on every path ------------------------------------------------------------------------


runs = st.tuples(
    processes(most=40, whole=True),
    st.lists(st.integers(0, 200), min_size=1, max_size=6).map(np.unique),  # cheap to step to
    st.integers(0, 2**64),
    st.sampled_from(["exact", "stepwise"]),
)


@given(run=runs)
def test_every_path_rises_and_counts_what_it_says(run):
    process, D, seed, method = run
    path = process.simulate(D, 3, rng=seed, method=method, counts=True)
    assert path.counts.shape == (3, D.size, process.neurons)
    assert path.working.dtype == path.counts.dtype == np.int64
    assert np.array_equal(path.working, (path.counts > 0).sum(axis=2))
    assert (np.diff(path.counts, axis=1) >= 0).all()
    assert (path.counts[:, D == 0] == 0).all()
    if isinstance(process, PolyaUrn):
        assert (path.counts.sum(axis=2) == process.c * D).all()
    if isinstance(process, BetaBernoulli):
        assert (path.counts <= D[:, None]).all()


@given(last=decades(2, 10**18), seed=st.integers(0, 2**64), kind=st.sampled_from(list(PROCESSES.values())))
@examples(0.5)
def test_exact_paths_rise_up_to_any_number_of_samples(last, seed, kind):
    D = checkpoints(last, 20)
    path = kind(12, 0.3, 1.0).simulate(D, 2, rng=seed)
    assert (np.diff(path.working, axis=1) >= 0).all()
    assert ((path.working >= 0) & (path.working <= 12)).all()


@each_process
@each_way
def test_a_start_is_kept(name, method, counts, rng):
    process = make(name, started=True)
    path = process.simulate([START, START + 1, 20], 3, rng=rng, method=method, counts=counts)
    assert (path.working[:, 0] == 17).all()
    if counts:
        assert (path.counts[:, 0] == SEEN).all()
        assert (path.counts >= SEEN).all()
    assert np.array_equal(process.start.counts, SEEN)  # simulation leaves the process as it was


# -- one seed, one result --------------------------------------------------------------------------------


def equal(first, second):
    if first.counts is not None and not np.array_equal(first.counts, second.counts):
        return False
    return np.array_equal(first.working, second.working)


@each_process
@each_way
def test_one_replica_can_be_rerun_alone(name, method, counts):
    process = make(name)
    everything = process.simulate(CHECKPOINTS, 200, rng=5, method=method, counts=counts)
    alone = process.simulate(CHECKPOINTS, range(7, 8), rng=5, method=method, counts=counts)
    backwards = process.simulate(CHECKPOINTS, range(199, -1, -3), rng=5, method=method, counts=counts)
    assert np.array_equal(alone.working[0], everything.working[7])
    assert np.array_equal(backwards.working, everything.working[199::-3])
    if counts:
        assert np.array_equal(alone.counts[0], everything.counts[7])
        assert np.array_equal(backwards.counts, everything.counts[199::-3])
    assert len(np.unique(everything.working, axis=0)) > 100  # replicas do not repeat each other


@each_process
@each_way
def test_threads_change_nothing(name, method, counts):
    process = make(name, started=True)
    arguments = {"rng": 11, "method": method, "counts": counts}
    with ThreadPoolExecutor(3) as executor:
        threaded = process.simulate(CHECKPOINTS, 20, executor=executor, **arguments)
    assert equal(threaded, process.simulate(CHECKPOINTS, 20, **arguments))


@each_process
def test_a_generator_moves_on_and_can_be_restored(name):
    process, generator = make(name), np.random.default_rng(4)
    state = generator.bit_generator.state
    first = process.simulate(CHECKPOINTS, 50, rng=generator)
    second = process.simulate(CHECKPOINTS, 50, rng=generator)
    generator.bit_generator.state = state
    assert equal(first, process.simulate(CHECKPOINTS, 50, rng=generator))
    assert not equal(first, second)


@each_process
def test_no_seed_is_fresh_entropy_and_is_told(name):
    process = make(name)
    first, second = (process.simulate(CHECKPOINTS, 50) for _ in range(2))
    assert not equal(first, second)
    assert first.seed != second.seed
    assert equal(first, process.simulate(CHECKPOINTS, 50, rng=first.seed[0]))


@each_process
def test_numbers_of_the_same_kind_are_the_same_seed(name):
    process = make(name)
    assert equal(process.simulate([9], 20, rng=np.int64(8)), process.simulate([9], 20, rng=8))
    assert not equal(process.simulate([9, 90], 20, rng=9), process.simulate([9, 90], 20, rng=8))


@each_process
def test_earlier_checkpoints_do_not_depend_on_later_ones(name):
    process = make(name)
    for method in ("exact", "stepwise"):
        short, long = (process.simulate(D, 20, rng=1, method=method) for D in ([8, 50], [8, 50, 300]))
        assert np.array_equal(short.working, long.working[:, :2])


# -- checkpoints and the result --------------------------------------------------------------------------


@given(last=decades(1, 9 * 10**18), number=st.integers(1, 300))
def test_checkpoints_are_distinct_and_end_where_asked(last, number):
    grid = checkpoints(last, number)
    assert grid.dtype == np.int64
    assert 1 <= grid.size <= number
    assert grid[-1] == last
    assert grid[0] >= 1
    assert (np.diff(grid) > 0).all()


def test_a_path_tells_what_it_is():
    process = make("BetaBernoulli")
    path = process.simulate([3, 9], range(2, 6), rng=7, method="stepwise")
    assert isinstance(path, Paths)
    assert (path.process, path.replicas, path.method, path.counts) == (process, range(2, 6), "stepwise", None)
    assert path.checkpoints.tolist() == [3, 9]
    assert path.seed == (7, ())
