"""Runs that are interrupted or some of whose chains fail: what is there is returned, the rest can be run again."""

import signal
import threading
import time
from concurrent.futures import BrokenExecutor, ThreadPoolExecutor
from functools import partial

import numpy as np
import pytest
from mortal import Mortal

from statnn._archive.store import StoreError
from statnn.interaction import BinaryNeurons
from statnn.io import describe
from statnn.montecarlo import IncompleteRun, Run, sample
from statnn.montecarlo import _engine as engine
from statnn.montecarlo._outcome import Failure, Interrupt, warn_of_missing

LAYERS = BinaryNeurons([np.full((3, 4), 0.3)])  # a block for every chain


class Observed:
    """An observable that calls something else once, at a given draw."""

    def __init__(self, at, what):
        self.left, self.what = at, what

    def __call__(self, states):
        self.left -= 1
        if self.left == 0:
            self.what()
        return states[:, 0]


@pytest.fixture(autouse=True)
def interrupts_arrive():
    """A session started in the background ignores interrupts."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def interrupt():
    signal.raise_signal(signal.SIGINT)


def fail():
    raise RuntimeError("no luck")


def run(at=0, what=fail, sweeps=20, **options):
    observables = {"energy": "energy", "first": Observed(at, what)}
    return sample(LAYERS, sweeps, rng=1, method="blocks", observables=observables, **{"chains": 4} | options)


def same_draws(first, second):
    assert first.chains == second.chains
    assert all(np.array_equal(first.draws[name], values) for name, values in second.draws.items())
    assert np.array_equal(first.states, second.states)


def test_an_interrupt_returns_what_is_there():
    with pytest.warns(
        IncompleteRun, match=r"chains 1 to 3 are missing \(interrupted\); there are 7 of 20 draws"
    ) as said:
        incomplete = run(8, interrupt)
    assert [warning.filename for warning in said] == [__file__]
    assert not incomplete.complete
    assert [failure.chains for failure in incomplete.failures] == [(1,), (2,), (3,)]
    assert all("interrupted" in failure.error for failure in incomplete.failures)
    with pytest.warns(IncompleteRun, match="7 of 20"):
        same_draws(incomplete, run(8, interrupt))
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    again = incomplete.retry()
    assert (again.complete, again.failures) == (False, ())
    assert again.extend(13).complete
    same_draws(again.extend(13), run())


@pytest.mark.skipif(not hasattr(signal, "pthread_kill"), reason="signals cannot be sent to a thread")
def test_an_interrupt_stops_a_block_in_a_thread_at_its_next_draw():
    def from_outside():
        signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
        time.sleep(1.0)  # the main thread takes note

    with ThreadPoolExecutor(1) as pool, pytest.warns(IncompleteRun, match="there are 7 of 20 draws of chains 0"):
        incomplete = run(8, from_outside, chains=1, executor=pool)
    same_draws(incomplete.extend(13), run(chains=1))


def test_a_run_from_a_file_knows_how_many_draws_were_asked_for(tmp_path):
    with pytest.warns(IncompleteRun, match="7 of 20"):
        incomplete = run(8, interrupt)
    incomplete.save(tmp_path / "run.npz")
    again = Run.load(tmp_path / "run.npz", own={"first": incomplete.watched["first"]}).retry()
    assert (again.complete, again.failures) == (False, ())
    assert again.extend(13).complete


def test_an_interrupted_run_is_whole_once_it_is_extended():
    with pytest.warns(IncompleteRun, match="there are 7 of 20 draws of chains 0: run.extend.. goes on$"):
        incomplete = run(8, interrupt, chains=1)
    assert (incomplete.complete, incomplete.failures, incomplete.retry() is incomplete) == (False, (), True)
    longer = incomplete.extend(13)
    assert longer.complete
    same_draws(longer, run(chains=1))
    with pytest.warns(IncompleteRun, match=r"chains 0 are missing .*: run.retry\(\) runs the chains that are missing$"):
        warn_of_missing([Failure(0, (0,), "interrupted")], (1,), 5, 5)


def test_an_interrupt_between_two_draws_waits_for_the_next(monkeypatch):
    long = {"sweeps": 80, "thin": 8, "burn_in": 8}
    (walkers, *_) = run(**long).walkers()
    sweep, left = type(walkers).sweep, 8 + 8 + 3  # burn-in, a draw, and not yet another

    def interrupted(self, sweeps):
        nonlocal left
        if 0 < left <= sweeps:
            interrupt()
        left -= sweeps
        sweep(self, sweeps)

    monkeypatch.setattr(engine, "_SECONDS", 0.0)  # a draw is cut into pieces, as slow ones are
    whole = run(**long)
    monkeypatch.setattr(type(walkers), "sweep", interrupted)
    with pytest.warns(IncompleteRun, match="there are 2 of 10 draws"):
        incomplete = run(**long)
    same_draws(incomplete.retry().extend(64), whole)


def test_blocks_that_came_to_their_end_are_kept_without_the_one_that_did_not():
    with pytest.warns(IncompleteRun, match="chains 2 and 3 are missing"):
        incomplete = run(20 + 20 + 5, interrupt)
    assert incomplete.chains == (0, 1)
    assert np.array_equal(incomplete.draws["energy"], run().draws["energy"][:2])
    assert incomplete.retry().complete
    same_draws(incomplete.retry(), run())


@pytest.mark.parametrize("what", [fail, interrupt])
def test_chains_that_are_missing_are_run_from_where_they_were_to_begin(what):
    """Draws soon after the start depend on it."""
    begin = {"initial": np.ones((4, LAYERS.size)), "burn_in": 0, "sweeps": 2}
    with pytest.warns(IncompleteRun, match="missing"):
        incomplete = run(5, what, **begin)
    same_draws(incomplete.retry(), run(**begin))
    assert not np.array_equal(run(**begin).states, run(burn_in=0, sweeps=2).states)


def test_workers_that_die_take_no_block_with_them_that_was_done():
    with Mortal(2) as pool, pytest.warns(IncompleteRun, match="missing \\(BrokenExecutor: a worker was killed\\)"):
        incomplete = run(executor=pool)
    assert incomplete.chains == (0, 1)
    same_draws(incomplete.retry(), run())
    with Mortal(0) as pool, pytest.raises(BrokenExecutor):
        run(executor=pool)


def test_an_interrupted_run_with_a_store_goes_on(tmp_path):
    def energies(**options):
        return sample(LAYERS, 20, chains=4, rng=1, method="blocks", **options)

    calls = []

    def progress(done, total):  # noqa: ARG001
        calls.append(done)
        if len(calls) == 15:
            interrupt()

    with pytest.warns(
        IncompleteRun, match="missing.*: call again with the same arguments and store, which goes on"
    ) as said:
        energies(store=tmp_path / "work", progress=progress)
    assert "run.extend" not in str(said[0].message)
    progress = describe(tmp_path / "work")["progress"]
    assert list(progress) == ["block-0"]
    assert 0 <= int(progress["block-0"].removesuffix(" of 20 draws")) < 20
    assert energies(store=tmp_path / "work") == energies()
    assert describe(tmp_path / "work")["progress"] == {f"block-{k}": "20 of 20 draws" for k in range(4)}


def test_a_second_interrupt_ends_at_once():
    stop = Interrupt()
    with stop.listening():
        interrupt()
        assert stop()
        with pytest.raises(KeyboardInterrupt):
            interrupt()
    with pytest.raises(KeyboardInterrupt):  # nothing is there to be returned
        run(1, lambda: interrupt() or interrupt())


def test_interrupts_are_left_to_others_outside_the_main_thread():
    runs = []
    thread = threading.Thread(target=lambda: runs.append(run()))
    thread.start()
    thread.join()
    assert runs[0].complete


def test_a_block_that_fails_does_not_take_the_others_with_it(tmp_path):
    with pytest.warns(IncompleteRun, match=r"chains 2 are missing \(RuntimeError: no luck\): run.retry\(\)"):
        incomplete = run(20 + 20 + 5)
    assert incomplete.chains == (0, 1, 3)
    assert "in fail" in incomplete.failures[0].traceback
    same_draws(incomplete.retry(), run())
    same_draws(incomplete.extend(10).retry(), run(sweeps=30, burn_in=10))
    incomplete.save(tmp_path / "run.npz")
    again = Run.load(tmp_path / "run.npz", own={"first": incomplete.watched["first"]})
    assert (again, again.complete, again.failures) == (incomplete, False, incomplete.failures)
    with ThreadPoolExecutor(1) as pool, pytest.warns(IncompleteRun, match="no luck"):
        other = run(20 + 20 + 5, executor=pool)
    same_draws(other.retry(), run())


@pytest.mark.parametrize("workers", [0, 1])
@pytest.mark.parametrize("at", [1, 2, 9])
def test_nor_does_the_first_block(at, workers, tmp_path):
    """Whether it fails before its burn-in, at its first draw or later, here or on an executor."""
    with ThreadPoolExecutor(max(1, workers)) as pool, pytest.warns(IncompleteRun, match=r"chains 0 are missing"):
        incomplete = run(at, executor=pool if workers else None, store=tmp_path / "work")
    assert (incomplete.chains, [failure.block for failure in incomplete.failures]) == ((1, 2, 3), [0])
    assert list(describe(tmp_path / "work")["progress"].values())[-3:] == ["20 of 20 draws"] * 3
    same_draws(incomplete.retry(), run())


class Broken:
    """An observable that always fails, and says how often it was asked."""

    calls = 0

    def __call__(self, _):
        self.calls += 1
        raise ZeroDivisionError(self.calls)


@pytest.mark.parametrize("workers", [0, 1])
def test_where_all_blocks_fail_the_error_of_the_first_is_raised(workers):
    with ThreadPoolExecutor(max(1, workers)) as pool, pytest.raises(ZeroDivisionError, match=r"^1$"):
        sample(LAYERS, 20, chains=4, rng=1, observables={"b": Broken()}, executor=pool if workers else None)


@pytest.mark.parametrize("workers", [0, 1])
@pytest.mark.parametrize("block", [0, 2])
def test_a_damaged_store_is_no_failure_of_a_block(block, workers, tmp_path):
    """To call again would not help, so that it is refused in whichever block it is found."""
    again = partial(sample, LAYERS, 20, chains=4, rng=1, store=tmp_path / "work")
    again()
    (tmp_path / "work" / f"block-{block}.done.npz").write_bytes(b"other")
    with ThreadPoolExecutor(max(1, workers)) as pool, pytest.raises(StoreError, match="delete this file"):
        again(executor=pool if workers else None)


def test_an_interrupt_after_a_failure_leaves_the_error():
    """There is nothing to return, and the error says more than that the run was stopped."""
    with pytest.raises(RuntimeError, match="no luck"):
        run(1, lambda: interrupt() or fail())


@pytest.mark.parametrize(
    ("chains", "words"),
    [((3,), "3"), ((3, 4), "3 and 4"), ((3, 4, 5), "3 to 5"), ((0, 9, 5), "0, 9 and 5"),
     (tuple(range(0, 12, 2)), "0, 2, 4, 6, 8 and 10"), (tuple(range(0, 20, 2)), "0, 2, 4, 6, 8, 10 and others")],
)  # fmt: skip
def test_chains_are_named_as_they_are_numbered(chains, words):
    """Chains 0, 9 and 5 are not "0 to 5"."""
    with pytest.warns(IncompleteRun, match=f"chains {words} are missing"):
        warn_of_missing([Failure(0, chains, "no luck")], (1,), 10, 10)
