"""The contract of everything that takes ``executor=``: results depend on arguments and seed alone."""

import multiprocessing
import multiprocessing.pool
import os
import pickle
import shutil
import subprocess
import sys
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import threadpoolctl
from scipy import sparse

from statnn import Network, _parcels, inspection, rg, sweep
from statnn._by_value import same
from statnn._parcels import SMALL
from statnn._tasks import check_executor, run_tasks
from statnn.activation import BetaBernoulli, GammaPoisson, PolyaUrn, compare
from statnn.interaction import BinaryNeurons, DynamicNeurons, square_lattice
from statnn.measure import basins, order, tangent
from statnn.montecarlo import METHODS, sample
from statnn.montecarlo._blas import _libraries
from statnn.network import Activation

# -- what runs on executors, each as a function of the executor ------------------------------------------


def lattice():
    return square_lattice(64, 64, temperature=2.3)


def glass():
    rng = np.random.default_rng(1)
    upper = sparse.triu(sparse.random(3000, 3000, 2e-3, rng=rng, data_rvs=rng.standard_normal), k=1)
    return BinaryNeurons(upper + upper.T, temperature=1.0)


def layers():
    """Return layers that are wide enough for BLAS to use the threads it has."""
    rng = np.random.default_rng(2)
    return BinaryNeurons([rng.normal(scale=0.05, size=(400, 400)) for _ in range(2)])


def neurons(samples=2, width=300):
    net = Network.random([width, width, 10], activation="tanh", rng=3)
    x, y = np.random.default_rng(4).normal(size=(samples, width)), np.zeros((samples, 10))
    return DynamicNeurons(net, inputs=x, targets=y, beta=1.0)


def second_spin(states):
    return states[:, 1]


def walked(model, method, chains):
    """Return a function that samples and goes on, where walkers travel to a worker and back twice."""

    def work(executor):
        settings = {"method": method, "observables": {"energy": "energy", "own": second_spin}}
        half = sample(model(), 2, chains=chains, burn_in=1, rng=1, executor=executor, **settings)
        run = half.extend(2, executor=executor)
        return run.draws, run.states, run.diagnostics

    return work


def inputs(count, width):
    return np.random.default_rng(5).normal(size=(count, width))


def classifier():
    return Network.random([200, 150, 3], activation="relu", rng=6)


WORK = {
    "heat bath": walked(glass, "heat bath", 6),
    "metropolis": walked(glass, "metropolis", 70),
    "multispin": walked(lattice, "multispin", 9),
    "wolff": walked(lattice, "wolff", 5),
    "tempering": walked(lattice, "tempering", 5),
    "single blocks": walked(layers, "blocks", 5),
    "replica blocks": walked(layers, "blocks", 80),
    "hamiltonian": walked(neurons, "hamiltonian", 70),
    "paths": lambda executor: [
        process.simulate([10, 100], 3, rng=3, counts=True, executor=executor)
        for process in (BetaBernoulli(9000, 0.3, 5.0), GammaPoisson(200, 0.3, 5.0), PolyaUrn(200, 0.3))
    ],
    "fits": lambda executor: compare([0, 0, 1, 0, 2, 0, 0, 9, 3, 0], 20, replicas=25, rng=1, executor=executor),
    "signals": lambda executor: rg.RandomLayer("tanh", 1.5, 0.1).simulate(
        10, 3, replicas=150, rng=3, executor=executor
    ),
    "diagram": lambda executor: rg.phase_diagram(
        "tanh", np.linspace(0.5, 3.0, 3), np.linspace(0.0, 1.0, 200), executor=executor
    ),
    "flow": lambda executor: rg.sample_flow(
        square_lattice(8, 8, temperature=2.3), (8, 8), 4, chains=70, rng=5, burn_in=2, executor=executor
    ),
    "basins": lambda executor: basins.sample_basin(
        classifier(), inputs(400, 200), draws=4, steps=1, rng=1, executor=executor
    ),
    "ranks": lambda executor: order.rank_probability(
        classifier(), inputs(300, 200), np.arange(300) % 3, executor=executor
    ),
    "tangent kernel": lambda executor: [
        tangent.tangent_kernel(classifier(), inputs(samples, 200), full=full, executor=executor)
        for samples, full in ((600, False), (300, True))
    ],
}


@pytest.fixture(scope="module")
def expected():
    return {name: work(None) for name, work in WORK.items()}


def different(executor, expected):
    return [name for name, work in WORK.items() if not same(work(executor), expected[name])]


def test_the_table_holds_large_models(expected):
    """They are above the size from which models are sent once, or the sending would not be tested."""
    for model in (lattice(), glass(), layers(), neurons(), classifier()):
        assert len(pickle.dumps(model)) > SMALL
    assert not same(expected["heat bath"], expected["metropolis"])


# -- executors -------------------------------------------------------------------------------------------


class Elsewhere(Executor):
    """A worker that shares nothing with the caller but bytes, and whose arrays arrive read-only, as in dask."""

    def __init__(self):
        self.sent = []

    def submit(self, function, /, *args, **kwargs):
        buffers = []
        body = pickle.dumps((function, args, kwargs), protocol=5, buffer_callback=buffers.append)
        self.sent.append(len(body) + sum(len(buffer.raw()) for buffer in buffers))
        given, positional, named = pickle.loads(body, buffers=[bytes(buffer.raw()) for buffer in buffers])  # noqa: S301
        future = Future()
        try:
            future.set_result(pickle.loads(pickle.dumps(given(*positional, **named))))  # noqa: S301
        except Exception as error:  # noqa: BLE001 - as executors do
            future.set_exception(error)
        return future


def test_threads_of_blas_change_nothing(expected):
    """Callers use as many as their process has; processes that mpiexec starts may have fewer."""
    for threads in (1, 2):
        with threadpoolctl.threadpool_limits(threads, user_api="blas"):
            assert not different(None, expected)


@pytest.mark.parametrize("basin", [basins.sample_basin, basins.weight_basin])
def test_basins_hold_blas_to_one_thread(basin):
    """The last digit of a product, which decides a class on the border, depends on their number; float32 shows it."""
    seen = []

    def watched(h):
        seen.append(max(library.num_threads for library in _libraries()))
        return np.tanh(h)

    net = Network([np.eye(2), np.eye(2)], activation=Activation("watched", watched, lambda h: 1 - np.tanh(h) ** 2))
    seen.clear()
    with threadpoolctl.threadpool_limits(2, user_api="blas"):
        basin(net, np.eye(2), draws=4, steps=1, rng=1)
    assert {*seen} == {1}


def test_threads_change_nothing(expected):
    with ThreadPoolExecutor(2) as pool:
        assert not different(pool, expected)


def test_bytes_alone_change_nothing(expected):
    assert not different(Elsewhere(), expected)


def test_spawned_processes_change_nothing(expected, monkeypatch):
    """They have two threads of BLAS each, where the caller has one."""
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        monkeypatch.setenv(name, "2")
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as pool:
        assert not different(pool, expected)


TOLD = {
    "sweep": lambda progress: sweep(str, {"object": [1]}, progress=progress),
    "page": lambda progress: inspection.inspect(
        Network.random([2, 2], rng=0), np.eye(2), only=["layers"], progress=progress
    ),
    "basins": lambda progress: basins.sample_basin(Network.random([2, 2], rng=0), np.eye(2), rng=0, progress=progress),
    "samples": lambda progress: sample(square_lattice(4, 4), 4, progress=progress),
}


@pytest.mark.parametrize("work", TOLD)
def test_progress_that_cannot_be_told_is_refused_before_any_work(work):
    with pytest.raises(TypeError, match="progress = 3; pass a function"):
        TOLD[work](progress=3)


@pytest.mark.parametrize("work", TOLD)
def test_progress_may_be_switched_off_everywhere(work):
    assert TOLD[work](progress=False) is not None


@pytest.mark.parametrize(
    "send",
    [
        lambda: _parcels._dumps(lambda states: states, {}, by_value=False),
        lambda: _parcels.carry_out(_parcels.Parcel(b"cstatnn\nof_a_notebook\n.", (), {}, by_value=False)),
    ],
    ids=["here", "there"],
)
def test_functions_that_cannot_travel_are_told_how_to(send):
    with pytest.raises((AttributeError, pickle.PicklingError)) as refused:
        send()
    assert refused.value.__notes__ == [_parcels._IMPORTABLE]


def test_loky_changes_nothing(expected):
    loky = pytest.importorskip("joblib.externals.loky", reason="joblib, which carries loky, is not installed")
    with loky.ProcessPoolExecutor(1) as pool:
        assert not different(pool, expected)


def test_dask_changes_nothing(expected):
    distributed = pytest.importorskip("distributed", reason="the extra dask is not installed")
    local = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": None}
    with distributed.LocalCluster(**local) as cluster, distributed.Client(cluster) as client:
        assert not different(client.get_executor(), expected)
        with pytest.raises(TypeError, match=r"pass client\.get_executor\(\)"):
            sample(lattice(), 2, executor=client)


PATH = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
MPIEXEC = shutil.which("mpiexec", path=PATH)  # of the environment, where its wheel is installed


@pytest.mark.skipif(MPIEXEC is None, reason="there is no mpiexec")
def test_mpi_changes_nothing(expected, tmp_path):
    pytest.importorskip("mpi4py", reason="the extra mpi is not installed")
    script = tmp_path / "ranks.py"
    script.write_text(
        "import pickle, sys\n"
        "from mpi4py.futures import MPIPoolExecutor\n"
        "from test_executors import WORK\n"
        "if __name__ == '__main__':\n"
        "    with MPIPoolExecutor() as pool:\n"
        "        found = {name: work(pool) for name, work in WORK.items()}\n"
        "    with open(sys.argv[1], 'wb') as file:\n"
        "        pickle.dump(found, file)\n"
    )
    command = [MPIEXEC, "-n", "3", sys.executable, "-m", "mpi4py.futures", str(script), str(tmp_path / "found")]
    path = f"{Path(__file__).parent}:{Path(__file__).parents[1]}"
    environment = {**os.environ, "PYTHONPATH": path}
    subprocess.run(command, check=True, env=environment, timeout=250)  # noqa: S603 - our own
    results = pickle.loads((tmp_path / "found").read_bytes())  # noqa: S301 - our own
    assert not [name for name in WORK if not same(results[name], expected[name])]


# -- how chains are cut ----------------------------------------------------------------------------------


def blocks(model, method, chains):
    """Return how many tasks there are."""
    settled = METHODS[method]().settled(model, chains, (1, ()))
    return -(-chains // min(settled.block(model, chains), chains))


@pytest.mark.parametrize(
    ("make", "method", "chains", "tasks"),
    [
        (lattice, "heat bath", 4, 4),
        (lattice, "wolff", 4, 4),
        (lattice, "multispin", 4, 2),  # two share a word
        (lattice, "multispin", 64, 4),
        (layers, "blocks", 4, 4),
        (layers, "blocks", 256, 4),
        (lambda: neurons(100), "hamiltonian", 4, 4),
        (lambda: neurons(16), "hamiltonian", 4, 2),  # of 32 columns
        (lambda: neurons(15), "hamiltonian", 4, 1),  # halves of 30 columns take half as long again
        (lambda: neurons(16), "hamiltonian", 6, 3),
        (neurons, "hamiltonian", 64, 4),
        (neurons, "hamiltonian", 48, 3),  # equal ones
        (lambda: neurons(1, 10), "hamiltonian", 64, 1),  # 110 weights are no work
        (glass, "metropolis", 32, 1),  # side by side in registers
        (glass, "metropolis", 64, 2),
        (glass, "metropolis", 256, 4),
        (lambda: square_lattice(8, 8, temperature=2.3), "wolff", 8, 1),
    ],
)
def test_chains_make_several_tasks_where_work_is_long_enough(make, method, chains, tasks):
    """There are four, but no block is smaller than what its kernel moves at the price of one chain."""
    assert blocks(make(), method, chains) == tasks


# -- what travels ----------------------------------------------------------------------------------------


def total(spec):
    return spec["model"].couplings.nnz, spec["values"].sum(), spec["model"]


def bound(model):
    """Return the bytes that every task may send: a hundredth of the model."""
    return len(pickle.dumps(model)) // 100


def test_a_model_is_sent_once_and_comes_back_as_itself():
    model, worker, specs = glass(), Elsewhere(), []
    specs = [{"model": model, "values": np.arange(k)} for k in range(5)]
    results = dict(run_tasks(total, specs, worker, shared=[model]))
    assert [results[k][:2] for k in range(5)] == [(model.couplings.nnz, k * (k - 1) // 2) for k in range(5)]
    assert all(result[2] is model for result in results.values())
    assert max(worker.sent) < bound(model)
    again = Elsewhere()
    assert dict(run_tasks(total, specs, again)).keys() == results.keys()
    assert min(again.sent) > bound(model)  # without shared=


def test_a_worker_plans_once_for_all_tasks_and_calls(monkeypatch):
    from statnn.montecarlo._single_spin import colour_plan

    made = []
    plan = colour_plan.plan
    monkeypatch.setattr(colour_plan, "plan", lambda *args, **kwargs: (made.append(1), plan(*args, **kwargs))[1])
    model = square_lattice(100, 102, temperature=2.3)
    for _ in range(2):
        sample(model, 2, chains=8, method="heat bath", rng=1, executor=Elsewhere())
    assert len(made) == 2  # of updates and of energies


def test_a_worker_on_another_machine_is_sent_the_content():
    model = glass()
    worker = Elsewhere()
    expected = dict(run_tasks(total, [{"model": model, "values": np.arange(3)}], None))
    reference = _parcels.Shared([model], by_value=False).pack(total, None).references[0]
    Path(reference.path).rename(reference.path + ".away")
    _parcels._known.clear()

    def pack(shared, *args):
        Path(reference.path + ".away").rename(reference.path)  # the caller can read its own
        parcel = original(shared, *args)
        Path(reference.path).rename(reference.path + ".away")
        return parcel

    original, _parcels.Shared.pack = _parcels.Shared.pack, pack
    try:
        results = dict(run_tasks(total, [{"model": model, "values": np.arange(3)}] * 2, worker, shared=[model]))
    finally:
        _parcels.Shared.pack = original
        Path(reference.path + ".away").rename(reference.path)
    assert results[1][:2] == expected[0][:2]
    assert sum(size > 90 * bound(model) for size in worker.sent) == 2  # both were on their way when the first came back


def test_files_live_as_long_as_what_is_shared():
    model, values = glass(), np.arange(10.0**5)
    with _parcels.Shared([model, values], by_value=False) as shared:
        first, second = (Path(reference.path) for reference in shared.pack(total, None).references)
        assert first.exists()
        assert second.exists()
    assert first.exists()
    assert not second.exists()
    digests = []
    for change in (0, 1):
        values[0] = change
        with _parcels.Shared([model, values], by_value=False) as shared:
            digests.append([reference.digest for reference in shared.pack(total, None).references])
    assert digests[0][0] == digests[1][0]
    assert digests[0][1] != digests[1][1]
    del model, shared
    assert not first.exists()


def test_runs_that_arrive_read_only_go_on():
    """Such runs come out of shared memory, or out of a message of dask."""
    for method, model in (("multispin", lattice), ("wolff", lattice), ("tempering", lattice), (None, neurons)):
        whole = sample(model(), 6, chains=3, burn_in=2, rng=1, method=method)
        buffers = []
        body = pickle.dumps(
            sample(model(), 2, chains=3, burn_in=2, rng=1, method=method), 5, buffer_callback=buffers.append
        )
        arrived = pickle.loads(body, buffers=[bytes(buffer.raw()) for buffer in buffers])  # noqa: S301 - our own
        assert same(arrived.extend(4).draws, whole.draws)
        with ThreadPoolExecutor(1) as pool:
            assert same(arrived.extend(4, executor=pool).draws, whole.draws)


# -- what is no executor ---------------------------------------------------------------------------------


class Client:
    """A client as that of dask, which submits and is no executor."""

    def submit(self):
        raise AssertionError

    def get_executor(self):
        raise AssertionError


@pytest.mark.parametrize(
    ("executor", "match"),
    [
        (2, r"executor = 2 is an int; .* ThreadPoolExecutor\(2\)"),
        (ThreadPoolExecutor, r"it is the class; make one, ThreadPoolExecutor\(2\)"),
        (Client(), r"pass client\.get_executor\(\)"),
        ("threads", r"builtins\.str: pass an executor of concurrent\.futures"),
        (map, r"builtins\.type: pass an executor of concurrent\.futures"),
    ],
    ids=["number", "class", "client", "name", "another class"],
)
def test_what_is_no_executor_is_refused_everywhere_with_the_right_call(executor, match):
    for work in WORK.values():
        with pytest.raises(TypeError, match=match):
            work(executor)
    with pytest.raises(TypeError, match=match):  # also where nothing failed, and nothing is to be done
        sample(lattice(), 1, rng=1).retry(executor=executor)


def test_a_pool_of_multiprocessing_is_no_executor():
    with multiprocessing.pool.ThreadPool(1) as pool, pytest.raises(TypeError, match=r"pass concurrent\.futures\.Proce"):
        check_executor(pool)


def test_what_fails_in_a_worker_fails_here():
    with pytest.raises(ZeroDivisionError):
        list(run_tasks(divided, [1, 0], Elsewhere()))


def test_what_is_lost_in_a_worker_can_be_replaced():
    for executor in (ThreadPoolExecutor(1), Elsewhere()):
        assert dict(run_tasks(divided, [1, 0, 1], executor, lost=repr)).keys() == {0, 1, 2}
        assert "ZeroDivisionError" in dict(run_tasks(divided, [1, 0, 1], executor, lost=repr))[1]


def divided(spec):
    return 1 // spec
