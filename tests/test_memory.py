"""How much memory there is, how much work needs, and what is refused before it starts."""

import gc
import resource
import tracemalloc

import numpy as np
import pytest

from statnn import Network, _memory, rg, sweep
from statnn.activation import BetaBernoulli, rarefaction
from statnn.interaction import BinaryNeurons, square_lattice
from statnn.measure import spikes
from statnn.montecarlo import HeatBath, estimate, sample

MOST = 1.5
"""Peak while something is made, in units of what it takes."""


# -- what there is ---------------------------------------------------------------------------------------


def group(path, **files):
    path.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (path / name.replace("__", ".")).write_text(f"{text}\n")


def version_two(root, path, most, used, inactive=0):
    stat = f"anon 5\ninactive_file {inactive}\nactive_file 7"
    group(root / path, memory__max=most, memory__current=used, memory__stat=stat)


def version_one(root, path, most, used, inactive=0):
    files = {"memory__limit_in_bytes": most, "memory__usage_in_bytes": used}
    group(root / "memory" / path, **files, memory__stat=f"inactive_file 3\ntotal_inactive_file {inactive}")


@pytest.mark.parametrize(
    ("make", "line", "unlimited"), [(version_two, "0::/", "max"), (version_one, "4:memory:/", 2**63 - 4096)]
)
def test_control_groups_and_those_above_them_count(tmp_path, make, line, unlimited):
    make(tmp_path, "job", 1000, 600)
    make(tmp_path, "job/step", 800, 500, inactive=50)
    make(tmp_path, "free", unlimited, 7)

    def left(path):
        return sorted(_memory.control_groups(f"9:cpu:/elsewhere\n{line}{path}\n", tmp_path))

    assert left("job/step") == [350, 400]
    assert left("job") == [400]
    assert left("free") == []
    make(tmp_path, "", 90, 20)
    assert left("job") == [70, 400]
    assert left("seen/from/outside/a/container") == [70]
    assert not list(_memory.control_groups("", tmp_path))


@pytest.mark.parametrize("limit", [resource.RLIMIT_AS, resource.RLIMIT_DATA])
def test_limits_of_the_process_count(monkeypatch, limit):
    most = 2**40
    monkeypatch.setattr(resource, "getrlimit", lambda which: (most if which == limit else resource.RLIM_INFINITY, -1))
    (left,) = _memory._of_process()
    assert 0.9 * most < left < most - 2**20  # this process has something already
    used = 900 if limit == resource.RLIMIT_AS else 70  # pages: all, and those of data
    with monkeypatch.context() as known:
        known.setattr(_memory, "_read", lambda _: "900 500 300 20 0 70 0")
        assert [*_memory._of_process()] == [most - used * resource.getpagesize()]
    most = 2**27
    assert 0 <= _memory.available() < 2**27


# -- what is needed --------------------------------------------------------------------------------------


def traced(make):
    """Return the bytes that an object takes once it is made, and their peak meanwhile."""
    gc.collect()
    tracemalloc.start()
    try:
        made = make()
        rest, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    del made
    return rest, most


def peak(make):
    """Return the peak while an object is made, in units of what stays."""
    rest, most = traced(make)
    assert rest > 10**6
    return most / rest


@pytest.mark.parametrize("shape", [(400, 400), (2, 80_000), (80_000, 2)])
def test_a_lattice_is_made_in_its_own_room(shape):
    assert peak(lambda: square_lattice(*shape)) < MOST


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("widths", [(1000, 1000), (600, 600, 600)])
def test_a_random_network_is_made_in_its_own_room(widths, dtype):
    assert peak(lambda: Network.random(widths, dtype=dtype)) < MOST


@pytest.mark.parametrize("shape", [(2, 2), (2, 3), (3, 2), (5, 7)])
@pytest.mark.parametrize("coupling", [1.0, -0.5, 0.0])
def test_a_lattice_has_the_bonds_of_its_definition(shape, coupling):
    rows, columns = shape
    J = np.zeros((rows * columns, rows * columns))
    for r in range(rows):
        for c in range(columns):
            for other in ((r + 1) % rows * columns + c, r * columns + (c + 1) % columns):
                J[r * columns + c, other] += coupling
                J[other, r * columns + c] += coupling
    assert square_lattice(rows, columns, coupling) == BinaryNeurons(J)


# -- what is said before work starts ---------------------------------------------------------------------


def test_counts_beyond_memory_are_refused_before_they_are_drawn(monkeypatch):
    process = BetaBernoulli(1000, 0.3, 5.0)
    monkeypatch.setattr(_memory, "available", lambda: 1e5)
    with pytest.raises(MemoryError, match=r"\(12 of 100 replicas would fit\): .* counts=False"):
        process.simulate([10], 100, rng=1, counts=True)
    assert process.simulate([10], 100, rng=1).working.shape == (100, 1)


def test_networks_beyond_memory_are_refused_before_they_are_drawn(monkeypatch):
    monkeypatch.setattr(_memory, "available", lambda: 1e4)
    with pytest.raises(MemoryError, match=r"widths \[40, 50\] would need 1\.64e-05 GB, .* take smaller layers"):
        Network.random([40, 50], rng=1)
    assert Network.random([40, 30], rng=1).widths == (40, 30)


def test_records_beyond_memory_are_refused_before_the_burn_in(monkeypatch):
    """So are those whose size only a first state tells."""
    model, seen = square_lattice(4, 4, temperature=2.3), []

    def wide(states):
        seen.append(len(states))
        return np.zeros((len(states), 1000))

    monkeypatch.setattr(_memory, "available", lambda: 1e6)
    with pytest.raises(MemoryError, match=r"records of 'wide' with 100 draws .* \(31 of 100 draws would fit\)"):
        sample(model, 100, burn_in=10**9, chains=4, rng=1, method=HeatBath("replicas"), observables={"wide": wide})
    assert seen == [4]
    with pytest.raises(MemoryError, match=r"of 10000 chains would fit\)"):
        sample(model, 100, chains=10_000, rng=1)


@pytest.mark.parametrize(
    ("work", "said"),
    [
        (lambda: spikes.Accumulator(10**4), r"of 10000 units would need .*of 10000 units would fit.*intervals=False"),
        (lambda: spikes.Accumulator(10**5, intervals=False), r"of 100000 units would need .*: follow fewer units$"),
        (lambda: sweep(abs, {"x": range(100), "y": range(100)}), "a grid of 10000 points would need"),
        (lambda: estimate(np.ones((4, 10**4))), "the estimate of 4 x 10000 draws of the observable would need"),
        (lambda: rg.phase_diagram("tanh", np.arange(1, 101), np.arange(100)), "a diagram of 100 x 100 points"),
        (lambda: rg.NoisyLayer("tanh").simulate(np.ones(100), 10**4), "10000 layers of 100 signals would need"),
        (lambda: rg.LinearLayer(0.5).simulate(np.ones((100, 1)), 10**4), "10000 layers of 100 signals would need"),
        (
            lambda: rg.RepeatedLayer("tanh").simulate([1, 2], noise_std=0.1, replicas=10**6),
            "1000000 replicas at 2 depths would need .* of 1000000 replicas would fit",
        ),
        (lambda: rg.RandomLayer("tanh", 1.5).simulate(10**5, 3), "1000 replicas of 3 layers of 100000 neurons"),
    ],
)
def test_work_beyond_memory_is_refused_before_it_starts(monkeypatch, work, said):
    monkeypatch.setattr(_memory, "available", lambda: 1e6)
    with pytest.raises(MemoryError, match=said):
        work()


def test_subsamples_of_many_neurons_are_taken_in_portions():
    """No matrix of all sizes and all counts, nor of all pairs of counts, is held."""
    counts = np.arange(2000)
    assert traced(lambda: rarefaction(counts, 2000, np.arange(1, 2000)))[1] < 5e7
    assert traced(lambda: rarefaction(counts, int(counts.sum()), [50], events=True))[1] < 5e7


def test_the_work_of_a_flow_holds_nothing_that_grows_with_its_sweeps():
    """The portions of ten million draws are never listed."""
    torus, began = square_lattice(8, 8, temperature=2.3), []

    def stopped(_, sweeps):
        began.append(sweeps)
        raise RuntimeError("far enough")

    def some():
        with pytest.raises(RuntimeError, match="far enough"):
            rg.sample_flow(torus, (8, 8), 10**7, burn_in=1, chains=8, rng=1, progress=stopped)

    assert traced(some)[1] < 1e7
    assert began
