"""BLAS is held to one thread where digits depend on it, whoever else sets its threads, and these are given back."""

import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import numpy as np
import pytest
import threadpoolctl

from statnn.interaction import BinaryNeurons
from statnn.montecarlo import Blocks, _blas, sample
from statnn.montecarlo._blas import one_thread

SERIAL_AND_POOL = """
from concurrent.futures import ThreadPoolExecutor
import numpy as np
from statnn import Network
from statnn.montecarlo._blas import _libraries
from statnn.interaction import DynamicNeurons
from statnn.montecarlo import sample

def threads():
    return {library.num_threads for library in _libraries()}

def watch(states):
    return np.full(len(states), max(threads()))

x = np.random.default_rng(0).normal(size=(20, 64))
net = Network.random([64, 300, 300, 10], "tanh", rng=1)
model = DynamicNeurons(net, x, np.zeros((20, 10)), beta=5.0, stiffness=10.0, free=("neurons", "weights"))
ask = {"chains": 2, "burn_in": 4, "rng": 7, "observables": {"threads": watch}}
assert threads() == {2}, threads()
serial = sample(model, 2, **ask)
with ThreadPoolExecutor(2) as pool:
    pooled = sample(model, 2, executor=pool, **ask)
    again = pool.submit(sample, model, 2, **ask).result()
for run in (serial, pooled, again):
    assert (run.draws["threads"] == 1).all(), run.draws["threads"]
    assert np.array_equal(run.states, serial.states), abs(run.states - serial.states).max()
assert threads() == {2}, threads()
"""


MEASURES = """
import numpy as np
from statnn import Network
from statnn.measure import basins, order
from statnn.montecarlo._blas import _libraries, one_thread

rng = np.random.default_rng(0)
net, x, y = Network.random([300, 400, 300, 10], "tanh", rng=1), rng.normal(size=(500, 300)), rng.integers(10, size=500)

def measured():
    ranks, basin = order.rank_probability(net, x, y, 0), basins.sample_basin(net, x[:20], y[:20], draws=8, rng=0)
    return np.concatenate([net(x).ravel(), np.ravel(ranks.layer_slope), np.ravel(basin.median)])

assert {library.num_threads for library in _libraries()} == {2}
free = measured()
with one_thread():
    assert np.allclose(free, measured(), rtol=1e-9, atol=1e-9)
"""


@pytest.mark.parametrize("script", [SERIAL_AND_POOL, MEASURES], ids=["walks", "measures"])
def test_digits_do_not_depend_on_who_walks_after_a_call_in_this_thread(script):
    """Layers of 300, which OpenBLAS cuts, in a process whose BLAS has two threads.

    States are equal to the last bit, measures of a network up to rounding.
    """
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "2")
    done = subprocess.run(  # noqa: S603 - our own words
        [sys.executable, "-c", script],
        env={**os.environ, **threads},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def counts():
    return {library.num_threads for library in _blas._libraries()}


@contextmanager
def two():
    """This thread holds BLAS to two threads, also where threadpoolctl does not know the library."""
    before = [library.num_threads for library in _blas._linked()]
    with threadpoolctl.threadpool_limits(2, user_api="blas"):
        for library in _blas._linked():
            library.set_num_threads(2)
        yield
    for library, threads in zip(_blas._linked(), before, strict=True):
        library.set_num_threads(threads)


@pytest.mark.parametrize("workers", [0, 2])
def test_blocks_have_one_thread_meanwhile(rng, workers):
    """Threads of BLAS spin while they wait, and on busy cores runs would take fifty times as long."""
    model = BinaryNeurons([rng.normal(size=(4, 3))])
    ask = {"burn_in": 0, "rng": 1, "method": Blocks("replicas")}
    ask["observables"] = {"threads": lambda states: np.full(len(states), max(counts()))}
    with two(), ThreadPoolExecutor(max(workers, 1)) as pool:
        run = sample(model, 2, chains=512, executor=pool if workers else None, **ask)
        assert counts() == {2}
    assert (run.draws["threads"] == 1).all()


def test_libraries_are_searched_after_an_import_and_not_in_every_block(monkeypatch):
    searches, search = [], threadpoolctl.ThreadpoolController.__init__

    def counted(self):
        searches.append(1)
        search(self)

    monkeypatch.setattr(threadpoolctl.ThreadpoolController, "__init__", counted)
    _blas._loaded.cache_clear()
    for imported in (1, 2):
        for _ in range(3):
            with one_thread():
                pass
        assert len(searches) == imported
        monkeypatch.setitem(sys.modules, "statnn_imported_meanwhile", threading)


def test_others_who_hold_the_threads_are_overruled_and_given_back_what_they_set():
    with two(), ThreadPoolExecutor(1) as pool:

        def inside():
            with one_thread():
                return counts()

        assert counts() == {2}
        assert pool.submit(inside).result() == {1}
        assert counts() == {2}
        with one_thread():
            assert pool.submit(inside).result() == {1}
            assert counts() == {1}  # another thread that leaves takes nothing away
        assert counts() == {2}


def test_the_last_to_leave_gives_the_threads_back():
    """The first thread to enter leaves first, and runs on."""
    first_in, second_in = threading.Event(), threading.Event()

    def first():
        with one_thread():
            first_in.set()
            second_in.wait(60)
        return counts()

    with two(), ThreadPoolExecutor(1) as pool:
        alive = pool.submit(first)
        first_in.wait(60)
        with one_thread():
            second_in.set()
            assert alive.result() == counts() == {1}
        assert counts() == {2}


class OfThread(threading.local):
    """A library that keeps a limit for every thread, as MKL does."""

    internal_api, filepath, num_threads = "mkl", "a library", 8

    def set_num_threads(self, threads):
        self.num_threads = threads


def test_limits_of_threads_are_set_and_given_back_in_every_thread(monkeypatch):
    library = OfThread()
    monkeypatch.setattr(_blas, "_libraries", lambda: [library])

    def seen():
        before = library.num_threads
        with one_thread():
            return before, library.num_threads

    with ThreadPoolExecutor(1) as pool:
        with one_thread():
            assert library.num_threads == 1
            assert pool.submit(seen).result() == (8, 1)
            assert pool.submit(lambda: library.num_threads).result() == 8
        assert library.num_threads == 8


def test_an_error_inside_gives_the_threads_back():
    with two():
        with pytest.raises(np.linalg.LinAlgError), one_thread():
            np.linalg.inv(np.zeros((2, 2)))
        assert counts() == {2}
