"""Simulations that were killed go on with the replicas that are missing."""

import pytest

from statnn._archive import kept, pace
from statnn._archive.store import StoreError, opened
from statnn.activation import BetaBernoulli, PolyaUrn
from statnn.rg import RandomLayer


class KilledError(Exception):
    """Ends work after some entries were written."""


@pytest.fixture
def mortal(monkeypatch):
    """Write after every task, and die after the third entry, twice."""
    put = kept.Store.put
    left = [3, 3]
    monkeypatch.setattr(pace, "EVERY", 0.0)
    monkeypatch.setattr(pace, "SHARE", 1e9)

    def write(store, name, value):
        put(store, name, value)
        if left:
            left[0] -= 1
            if not left[0]:
                left.pop(0)
                raise KilledError

    monkeypatch.setattr(kept.Store, "put", write)
    return left


SIMULATIONS = {
    "working": lambda **store: PolyaUrn(40, 0.3, 5.0).simulate([1, 10, 99], replicas=200, rng=1, **store),
    "counts": lambda **store: BetaBernoulli(9000, 0.3, 5.0).simulate([1, 10], replicas=4, rng=1, counts=True, **store),
    "range": lambda **store: PolyaUrn(40, 0.3, 5.0).simulate([5], range(3, 11), rng=1, method="stepwise", **store),
    "signals": lambda **store: RandomLayer("tanh", 1.5, 0.1).simulate(5, 3, replicas=500, rng=1, **store),
}


@pytest.mark.parametrize("name", SIMULATIONS)
def test_what_was_killed_twice_is_what_was_never_killed(name, mortal, tmp_path):
    simulate = SIMULATIONS[name]
    whole = simulate()
    for _ in range(2):
        with pytest.raises(KilledError):
            simulate(store=tmp_path / "work")
    assert simulate(store=tmp_path / "work") == whole
    assert not mortal
    assert simulate(store=tmp_path / "work") == whole


def test_a_seed_nobody_chose_is_that_of_the_store_and_others_are_refused(tmp_path):
    layer, process = RandomLayer("tanh", 1.5, 0.1), PolyaUrn(40, 0.3, 5.0)
    signals = layer.simulate(5, 3, replicas=3, store=tmp_path / "signals")
    assert layer.simulate(5, 3, replicas=3, store=tmp_path / "signals") == signals
    paths = process.simulate([5], 3, store=tmp_path / "work")
    assert process.simulate([5], 3, store=tmp_path / "work") == paths
    for change in ({"rng": 1}, {"checkpoints": [6]}, {"replicas": 4}, {"counts": True}, {"method": "stepwise"}):
        with pytest.raises(StoreError, match="holds other work"):
            process.simulate(**{"checkpoints": [5], "replicas": 3, **change}, store=tmp_path / "work")


def test_work_is_written_every_five_seconds_or_sooner_and_in_a_fiftieth_of_the_time(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(pace, "monotonic", lambda: now[0])
    for every, first in ((2.0, 2.0), (60.0, 5.0)):
        clock, began = pace.Pace(every), now[0]
        with clock.writing():
            now[0] += 1.0
        for seconds, due in ((50.9, False), (51.1, True)):
            now[0] = began + seconds
            assert clock.due == due
        clock, began = pace.Pace(every), now[0]
        for seconds, due in ((first - 0.1, False), (first + 0.1, True)):
            now[0] = began + seconds
            assert clock.due == due


@pytest.mark.parametrize("index", [-1, 2, 7])
def test_tasks_beyond_the_last_are_damage(index, tmp_path):
    with opened(tmp_path / "work", {}) as store:
        store.put("tasks-0", {"indices": [index], "results": [1]})
        with pytest.raises(StoreError, match=f"holds task {index} of 2"):
            list(kept.kept_tasks(store, abs, [1, 2], None))


def test_a_task_that_was_written_twice_is_given_once(tmp_path):
    with opened(tmp_path / "work", {}) as store:
        for number in range(2):
            store.put(f"tasks-{number}", {"indices": [1], "results": [5]})
        assert sorted(kept.kept_tasks(store, abs, [-3, -5], None)) == [(0, 3), (1, 5)]


@pytest.mark.parametrize(
    ("layer", "change"),
    [
        (("tanh", 1.5, 0.1), {"width": 6}),
        (("tanh", 1.5, 0.1), {"depth": 4}),
        (("tanh", 1.5, 0.1), {"replicas": 4}),
        (("tanh", 1.5, 0.1), {"q": 0.5}),
        (("tanh", 1.5, 0.1), {"c": 0.5}),
        (("erf", 1.5, 0.1), {}),
        (("tanh", 1.5, 0.2), {}),
    ],
)
def test_signals_of_another_layer_or_start_are_other_work(layer, change, tmp_path):
    usual = {"width": 5, "depth": 3, "replicas": 3, "rng": 1, "store": tmp_path / "work"}
    signals = RandomLayer("tanh", 1.5, 0.1).simulate(**usual)
    with pytest.raises(StoreError, match="holds other work"):
        RandomLayer(*layer).simulate(**(usual | change))
    assert RandomLayer("tanh", 1.5, 0.1).simulate(**usual) == signals


def test_entries_are_read_in_the_order_of_their_numbers_and_the_last_counts(tmp_path):
    """In the order of names the tenth would come before the second."""
    with opened(tmp_path / "work", {}) as store:
        for number in (10, 2):
            store.put(f"tries-{number}", {"of": ["x"], "results": [number]})
        assert list(kept.stored(store, "tries", "of")) == [("x", 2), ("x", 10)]
