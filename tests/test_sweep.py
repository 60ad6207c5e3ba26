"""A function over a grid: labelled, on any executor, resumed, and its failures retried."""

import json
import re
from concurrent.futures import BrokenExecutor, ThreadPoolExecutor
from contextlib import nullcontext
from fractions import Fraction
from functools import partial, wraps

import numpy as np
import pytest
from mortal import Mortal
from test_executors import Elsewhere

import statnn
from statnn import sweep
from statnn._archive import pace
from statnn._archive.store import Store, StoreError, opened

CALLS = []


def noisy(scale, shift=0.0, rng=None):
    CALLS.append((scale, shift))
    if scale == 0 and BROKEN:
        raise ZeroDivisionError("no scale")
    return shift + scale * rng.normal(size=3)


def adding(drawn, more, array):
    drawn.append(more)
    array += 1
    return sum(drawn) if array.max() == 1 else None


def nested(depth):
    value = []
    for _ in range(depth):
        value = [value]
    return value


def interrupting(done, total):
    if done == total // 2:
        raise KeyboardInterrupt


BROKEN = [True]
GRID = {"scale": [0.0, 1.0, 2.0], "shift": [0.0, 10.0]}


@pytest.fixture(autouse=True)
def fresh():
    CALLS.clear()
    BROKEN[:] = [True]


def test_points_are_all_combinations_in_order():
    swept = sweep(lambda **point: point, {"a": [1, 2], "b": ["x", "y"]})
    assert (
        swept.results
        == swept.points
        == ({"a": 1, "b": "x"}, {"a": 1, "b": "y"}, {"a": 2, "b": "x"}, {"a": 2, "b": "y"})
    )
    assert swept.rows()[1] == {"a": 1, "b": "y", "result": {"a": 1, "b": "y"}}
    assert sweep(lambda a: a, [{"a": 3}, {"a": 1}]).results == (3, 1)
    for name in ("result", "failure"):
        with pytest.raises(ValueError, match=f"an argument is called '{name}', as a column of rows is"):
            sweep(dict, {name: [1]}).rows()


@pytest.mark.parametrize("executor", [Elsewhere, lambda: ThreadPoolExecutor(2)], ids=["elsewhere", "threads"])
def test_results_depend_on_seed_and_point_alone(executor):
    with executor() as pool:
        theirs = sweep(noisy, GRID, rng=1, executor=pool)
    assert theirs == sweep(noisy, GRID, rng=1)
    assert theirs != sweep(noisy, GRID, rng=2)
    (alone,) = sweep(noisy, [{"scale": 2.0, "shift": 10.0}], rng=1).results
    np.testing.assert_array_equal(alone, theirs.result(scale=2.0, shift=10.0))
    assert len({tuple(x) for x in theirs.results if x is not None}) == 4


def test_a_point_that_fails_leaves_the_others():
    swept = sweep(noisy, GRID, rng=1)
    assert swept.failures == {0: "ZeroDivisionError: no scale", 1: "ZeroDivisionError: no scale"}
    assert swept.rows()[0] == {"scale": 0.0, "shift": 0.0, "failure": "ZeroDivisionError: no scale"}
    with pytest.raises(ValueError, match="no scale"):
        swept.result(scale=0.0, shift=0.0)
    with pytest.raises(ValueError, match="is not a point of the grid"):
        swept.result(scale=5.0, shift=0.0)
    with pytest.raises(ValueError, match="is not a point of the grid"):
        sweep(np.sum, {"a": [np.zeros(2)]}).result(a=np.ones(2))


def test_a_store_resumes_grows_and_retries(tmp_path):
    store = tmp_path / "sweep"
    part = sweep(noisy, GRID, rng=1, store=store, progress=interrupting)
    assert len(CALLS) == 3
    assert [error.partition(":")[0] for error in part.failures.values()] == [
        *2 * ["ZeroDivisionError"], *3 * ["KeyboardInterrupt"],
    ]  # fmt: skip
    reports = []
    whole = sweep(noisy, GRID, rng=1, store=store, progress=lambda *done: reports.append(done))
    assert len(CALLS) == 6
    assert reports == [(4, 6), (5, 6), (6, 6)]
    np.testing.assert_array_equal(part.results[2], whole.results[2])
    BROKEN.clear()
    assert whole == sweep(noisy, GRID, store=store)  # its seed
    assert len(CALLS) == 6
    mended = sweep(noisy, {**GRID, "shift": [0.0, 10.0, 20.0]}, store=store, retry=True)
    assert len(CALLS) == 6 + 2 + 3
    assert not mended.failures
    np.testing.assert_array_equal(mended.result(scale=2.0, shift=10.0), whole.results[5])
    with pytest.raises(StoreError, match=r"seed is \[1, \[\]\] there and \[2, \[\]\] here"):
        sweep(noisy, GRID, rng=2, store=store)
    with pytest.raises(StoreError, match="function is"):
        sweep(len, GRID, rng=1, store=store)


@pytest.mark.parametrize(
    ("grid", "error", "message"),
    [
        (5, TypeError, "grid is a int"),
        ([1, 2], TypeError, "a list of mappings"),
        ([], ValueError, "no points"),
        ({"a": []}, ValueError, "no points"),
        ({}, ValueError, "no points"),
        ({"rng": [1]}, ValueError, "rng is supplied by the sweep"),
        ([{1: 2}], ValueError, "must name arguments"),
        ({"a": [1, 1]}, ValueError, "names the point {'a': 1} twice"),
        ({"a": 3}, TypeError, "grid['a'] = 3 is one value; pass a list of them, [3]"),
        ({"a": {"x": 1, "y": 2}}, TypeError, "is one value; pass a list of them, [{'x': 1, 'y': 2}]"),
        ({"a": {"x", "y"}}, TypeError, "is a set, which has no order: pass a list"),
        ({"a": "heat bath"}, TypeError, "grid['a'] = 'heat bath' is one value"),
        ({"a": [1, Fraction(1, 2)]}, TypeError, "grid has a = Fraction(1, 2), a Fraction: points are known by numbers"),
        ({"a": np.array(0.5)}, TypeError, "grid['a'] = array(0.5) is one value"),
        ({"a": np.ma.array([1, 2], mask=[0, 1])}, ValueError, "the point {'a': masked} has a masked entry"),
        ({"a": [1, np.ma.masked]}, ValueError, "has a masked entry, which is not a value: drop it"),
        ([{"a": 1}, {"a": np.ma.masked}], ValueError, "has a masked entry, which is not a value: drop it"),
    ],
)
def test_what_is_no_grid_is_refused(grid, error, message):
    with pytest.raises(error, match=re.escape(message)):
        sweep(noisy, grid)
    with pytest.raises(TypeError, match="cannot be called"):
        statnn.sweep(3, GRID)


def test_results_are_found_by_their_numbers_whatever_type_they_have():
    swept = sweep(lambda t, n, m: (t, n, m), {"t": np.linspace(0, 1, 3), "n": np.arange(2), "m": np.array(["a", "b"])})
    assert swept.result(t=0.5, n=1, m="b") == swept.result(t=0.5, n=np.int8(1), m=np.str_("b")) == (0.5, 1, "b")
    for missing in ({"t": 0.25, "n": 1, "m": "a"}, {"t": 0.5, "n": 1}, {"t": "0.5", "n": 1, "m": "a"}):
        with pytest.raises(ValueError, match="is not a point of the grid"):
            swept.result(**missing)
    kind = sweep(lambda x: type(x).__name__, {"x": [1, 1.0, True, np.array([1.0])]}).result
    assert (kind(x=1.0), kind(x=True), kind(x=1), kind(x=np.float32(1.0))) == ("float", "bool", "int", "float")
    either = sweep(lambda on: [on].count(True), {"on": np.array([False, True])}).result
    assert (either(on=True), either(on=np.False_), either(on=np.True_)) == (1, 0, 1)


def test_a_store_keeps_the_seed_that_a_generator_gave(tmp_path):
    def drawn(x, rng):
        return x, rng.random()

    alone, kept = (
        sweep(drawn, {"x": [1, 2]}, rng=np.random.default_rng(5), store=store) for store in (None, tmp_path / "work")
    )
    assert kept == alone
    assert hash(kept) == hash(alone)
    assert sweep(drawn, {"x": [1, 2]}, store=tmp_path / "work") == alone


def test_zeros_of_either_sign_are_points_of_their_own():
    """A phase is π on one side of a cut and -π on the other."""
    phase = sweep(lambda y: np.angle(complex(-1, y)), {"y": [0.0, -0.0]}).result
    assert (phase(y=0.0), phase(y=-0.0)) == (np.pi, -np.pi)
    assert sweep(lambda y: y, {"y": [0.0]}).result(y=-0.0) == 0
    both = sweep(lambda x, y: np.angle(complex(x, y)), {"x": [-1], "y": np.array([0.0, -0.0])}).result
    assert (both(x=-1, y=-0.0), both(y=np.float32(-0.0), x=-1), both(y=0.0, x=-1)) == (-np.pi, -np.pi, np.pi)
    plain = sweep(lambda x, y: np.angle(complex(x, y)), {"x": [-1], "y": [0.0, -0.0]}).result
    assert plain(y=-0.0, x=-1) == -np.pi  # in another order


def test_numbers_of_numpy_are_those_of_python(tmp_path):
    def drawn(a, b, rng):
        return a, b, rng.random()

    ours = sweep(drawn, {"a": [0.0, 0.5], "b": ["x"]}, rng=1, store=tmp_path / "work")
    theirs = sweep(drawn, {"a": np.linspace(0, 0.5, 2), "b": np.array(["x"])}, rng=1)
    assert theirs.results == ours.results
    progress = []
    sweep(drawn, {"a": np.array([0.5]), "b": ["x"]}, store=tmp_path / "work", progress=lambda *n: progress.append(n))
    assert not progress  # it was there
    with pytest.raises(ValueError, match="twice"):
        sweep(drawn, {"a": [0.5, np.float64(0.5)], "b": ["x"]})


@pytest.mark.parametrize("executor", [None, Elsewhere, lambda: ThreadPoolExecutor(2)])
def test_a_function_that_changes_its_arguments_changes_no_other_point(executor):
    grid = {"drawn": [[1], [5]], "more": [10, 20], "array": [np.zeros(2)]}
    with nullcontext() if executor is None else executor() as pool:
        swept = sweep(adding, grid, executor=pool)
    assert swept.results == (11, 21, 15, 25)
    assert [point["drawn"] for point in swept.points] == [[1], [1], [5], [5]]
    assert not any(point["array"].any() for point in swept.points)


def test_results_that_no_store_can_hold_take_no_others_with_them(tmp_path):
    grid = {"a": [1, 2, 3]}
    swept = sweep(lambda a: object() if a == 2 else a, grid, store=tmp_path / "work", rng=1)
    assert swept.results == (1, None, 3)
    assert "cannot be kept in a store: it.result is a builtins.object" in swept.failures[1]
    assert sweep(lambda a: object() if a == 2 else a, grid, store=tmp_path / "work") == swept
    with pytest.warns(RuntimeWarning, match="all 3 points failed, the first of them: the result cannot be kept"):
        assert sweep(lambda a: {a: object()}, grid, store=tmp_path / "none", rng=1).failures.keys() == {0, 1, 2}


@pytest.mark.parametrize(
    ("large", "why"),
    [
        (nested(250), "values are nested more than 199 deep"),
        (nested(197), "values are nested more than 199 deep"),  # three more are around it in a file of several
        (10**5000, "it.result is a whole number of 16610 bits"),
        (["0" * 1000] * 10_000, r"its description is 1e\+07 bytes long: make arrays of long lists"),
    ],
    ids=["deep", "just too deep", "digits", "long"],
)
def test_results_too_large_for_a_store_take_no_others_with_them(large, why, tmp_path):
    swept = sweep(lambda a: large if a else nested(195), {"a": [0, 1]}, store=tmp_path / "work", rng=1)
    assert (swept.results[0], swept.results[1]) == (nested(195), None)
    assert re.search(f"cannot be kept in a store: {why}", swept.failures[1])
    assert sweep(lambda a: large if a else nested(195), {"a": [0, 1]}, store=tmp_path / "work") == swept


def test_results_that_fit_one_by_one_are_kept_in_several_files(tmp_path):
    """Points that end within a second are written together, unless a file would be too large."""
    grid = {"a": list(range(5))}
    swept = sweep(lambda a: [str(a) * 1000] * 4000, grid, store=tmp_path / "work", rng=1)
    assert not swept.failures
    with opened(tmp_path / "work", json.loads((tmp_path / "work" / "store.json").read_bytes())["key"]) as store:
        assert len(store.names()) > 1
    assert sweep(lambda a: [str(a) * 1000] * 4000, grid, store=tmp_path / "work") == swept


def test_a_bound_generator_stays_and_functions_without_a_signature_are_called():
    assert sweep(partial(lambda a, rng: (a, rng), rng="mine"), {"a": [1]}).results == ((1, "mine"),)
    assert sweep(dict, {"a": [1]}).results == ({"a": 1},)


def test_a_sweep_that_was_interrupted_before_anything_was_done_returns_nothing():
    with pytest.raises(KeyboardInterrupt):
        sweep(interrupting, {"done": [2], "total": [4]})


def test_points_whose_workers_died_are_failures_that_no_store_keeps(tmp_path):
    BROKEN.clear()
    whole = sweep(noisy, GRID, rng=1)
    with Mortal(4) as pool:
        swept = sweep(noisy, GRID, rng=1, executor=pool, store=tmp_path / "work")
    assert swept.failures == dict.fromkeys((4, 5), "BrokenExecutor: a worker was killed")
    CALLS.clear()
    assert sweep(noisy, GRID, rng=1, store=tmp_path / "work") == whole
    assert len(CALLS) == 2
    with Mortal(0) as pool, pytest.raises(BrokenExecutor) as error:
        sweep(noisy, GRID, rng=1, executor=pool)
    assert [note for note in error.value.__notes__ if "for want of memory" in note] == error.value.__notes__


def test_points_are_written_a_second_after_they_came_at_the_latest_and_short_points_together(tmp_path, monkeypatch):
    """Each takes 0.3 s by this clock, and a write one millisecond: the fourth, eighth and tenth are written."""
    now, entries = [0.0], []
    put = Store.put

    def write(store, name, value):
        now[0] += 0.001
        entries.append(len(value["names"]))
        put(store, name, value)

    def lasting(number):
        now[0] += 0.3
        return number

    monkeypatch.setattr(pace, "monotonic", lambda: now[0])
    monkeypatch.setattr(Store, "put", write)
    whole = sweep(lasting, {"number": range(10)}, rng=1, store=tmp_path / "work")
    assert entries == [4, 4, 2]
    now[0], entries[:] = 0.0, []
    assert sweep(lasting, {"number": range(10)}, store=tmp_path / "work") == whole
    assert (now, entries) == ([0.0], [])


def test_stores_with_an_entry_a_point_are_read(tmp_path):
    sweep(noisy, GRID, rng=1, store=tmp_path / "work", progress=interrupting)
    (path,) = (tmp_path / "work").glob("points-0.npz")
    with opened(tmp_path / "work", json.loads((tmp_path / "work" / "store.json").read_text())["key"]) as store:
        part = store.get("points-0")
        for name, entry in zip(part["names"], part["results"], strict=True):
            store.put(name, entry)
    path.unlink()
    CALLS.clear()
    assert sweep(noisy, GRID, rng=1, store=tmp_path / "work") == sweep(noisy, GRID, rng=1)
    assert len(CALLS) == 3 + 6


def test_random_numbers_do_not_depend_on_who_may_write_to_an_array():
    def drawn(x, y, rng):
        return x.size * y.size * rng.random()

    x = np.arange(3.0)
    locked = x.copy()
    locked.flags.writeable = False
    results = {sweep(drawn, [point], rng=1).results for point in ({"x": x, "y": x}, {"x": locked, "y": x.copy()})}
    assert len(results) == 1
    with pytest.raises(ValueError, match=r"names the point .* twice"):
        sweep(drawn, [{"x": x, "y": x}, {"x": locked, "y": x}])


def test_a_sweep_does_not_go_on_with_another_partial(tmp_path):
    swept = sweep(partial(pow, 2), {"exp": [1, 3]}, store=tmp_path / "work", rng=1)
    assert swept.results == (2, 8)
    assert sweep(partial(pow, 2), {"exp": [1, 3, 4]}, store=tmp_path / "work", rng=1).results == (2, 8, 16)
    with pytest.raises(StoreError, match="function is"):
        sweep(partial(pow, 3), {"exp": [1, 3]}, store=tmp_path / "work", rng=1)


def test_a_sweep_does_not_go_on_with_parameters_in_another_order(tmp_path):
    grid = {"a": [5], "b": [3]}
    assert sweep(lambda a, b: a - b, grid, store=tmp_path / "work", rng=1).results == (2,)
    with pytest.raises(StoreError, match="function is"):
        sweep(lambda b, a: b - a, grid, store=tmp_path / "work", rng=1)


def _times(factor):
    def decorate(function):
        @wraps(function)
        def scaled(**arguments):
            return factor * function(**arguments)

        return scaled

    return decorate


def test_a_store_tells_wrappers_of_one_function_apart(tmp_path):
    """They bear its name, and their results differ."""
    for name, function in {"plain": cube, "twice": _times(2)(cube), "thrice": _times(3)(cube)}.items():
        results = sweep(function, {"x": [1, 2]}, store=tmp_path / name, progress=False).results
        assert results == tuple(function(x=x) for x in (1, 2))
        for other in {"plain", "twice", "thrice"} - {name}:
            if (tmp_path / other).exists():
                with pytest.raises(ValueError, match="store"):
                    sweep(function, {"x": [1, 2]}, store=tmp_path / other, progress=False)


def cube(x):
    return x**3
