"""Runs with a store and runs in files: cut anywhere, they are the runs that were never cut."""

import json
import shutil
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from faults.cases import BURN_IN, models, run, spread
from killed import cut, write_at_once
from test_own_method import RandomSites

from statnn import io
from statnn._archive import store as _store
from statnn._archive.store import Store, StoreError
from statnn.interaction import BinaryNeurons, DynamicNeurons, square_lattice
from statnn.montecarlo import METHODS, Run, sample
from statnn.montecarlo._checkpoint import Checkpoints
from statnn.montecarlo._engine import Block, Schedule, begun
from statnn.network import Network

PAIR = BinaryNeurons([[0, 1], [1, 0]])
LONGER = r"another folder, or ask for 10 sweeps%s as before and go on by run.extend\(10\)$"


@pytest.fixture
def eager(monkeypatch):
    """Write a checkpoint after every piece of work."""
    write_at_once(monkeypatch)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.usefixtures("eager")
def test_every_method_goes_on_where_it_was(method, monkeypatch, tmp_path):
    """The first cuts fall into the burn-in; what is left are the results alone."""
    whole = run(method)
    assert cut(monkeypatch, tmp_path / "work", 15, lambda path: run(method, store=path), 5) == whole
    again = run(method, store=tmp_path / "work")
    assert again == whole
    assert again.extend(20) == whole.extend(20)
    assert np.array_equal(again.states, whole.states)
    assert all(np.array_equal(again.diagnostics[name], values) for name, values in whole.diagnostics.items())
    names = {path.name for path in (tmp_path / "work").iterdir()}
    assert names - {f"block-{k}.done.npz" for k in range(3)} == {"store.json", "lock"}


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.usefixtures("eager")
def test_extended_runs_and_runs_in_files_go_on(method, monkeypatch, tmp_path):
    whole = run(method)
    whole.save(tmp_path / "run.npz")
    again = Run.load(tmp_path / "run.npz", own={"spread": spread})
    assert again == whole
    longer = cut(monkeypatch, tmp_path / "work", 9, lambda path: again.extend(30, store=path), 2)
    assert longer == whole.extend(30)
    with pytest.raises(StoreError, match=r"run is .* there and"):
        longer.extend(30, store=tmp_path / "work")


def test_runs_whose_draws_agree_and_whose_states_do_not_go_on_apart(tmp_path):
    first, second = (sample(PAIR, 5, chains=1, rng=rng) for rng in (1, 2))
    first.extend(5, store=tmp_path / "work")
    with pytest.raises(StoreError, match=r"run is .* there and"):
        replace(first, _walkers=second._walkers).extend(5, store=tmp_path / "work")


def test_a_burn_in_does_not_depend_on_its_parts(tmp_path):
    """Hamiltonian Monte Carlo learns in its burn-in, and Wolff counts."""
    for method in ("hamiltonian", "wolff"):
        settled = METHODS[method]()
        model = models()[method]
        whole, parts = (settled.walkers(model, (3, ()), range(3), None) for _ in range(2))
        whole.burn_in(BURN_IN)
        for begin, end in ((0, 7), (7, 20), (20, 21), (21, BURN_IN)):
            io.save(parts.kept(), tmp_path / "kept.npz")
            fresh = settled.restored(model, (3, ()), range(3), io.load(tmp_path / "kept.npz"))
            parts.burn_in_part(begin, end, BURN_IN)
            fresh.burn_in_part(begin, end, BURN_IN)
            assert np.array_equal(fresh.states(), parts.states())
            parts = fresh
        for walkers in (whole, parts):
            walkers.sweep(5)
        assert np.array_equal(whole.states(), parts.states())


@pytest.mark.usefixtures("eager")
def test_a_method_of_ones_own_needs_nothing_more(monkeypatch, tmp_path):
    def run_own(**store):
        return sample(PAIR, 50, method=RandomSites(), rng=1, **store)

    whole = run_own()
    assert cut(monkeypatch, tmp_path / "work", 3, lambda path: run_own(store=path), 2) == whole
    whole.save(tmp_path / "run.npz")
    assert Run.load(tmp_path / "run.npz", own={RandomSites.name: RandomSites()}).extend(5) == whole.extend(5)
    with pytest.raises(ValueError, match=f"{RandomSites.name!r} is one of your own"):
        Run.load(tmp_path / "run.npz")


def test_workers_write_what_they_do(tmp_path):
    whole = run("blocks")
    with ThreadPoolExecutor(2) as pool:
        assert run("blocks", store=tmp_path / "work", executor=pool) == whole
    assert run("blocks", store=tmp_path / "work") == whole


def test_a_run_in_a_file_knows_observables_by_name(tmp_path):
    recorded = run("heat bath")
    recorded.save(tmp_path / "run.npz")
    nameless = Run.load(tmp_path / "run.npz")
    assert nameless.estimate("spread") == recorded.estimate("spread")
    with pytest.raises(ValueError, match=r"observable 'spread' is a function of your own.*own={'spread'"):
        nameless.extend(10)
    nameless.save(tmp_path / "again.npz")
    assert Run.load(tmp_path / "again.npz", own={"spread": spread}) == recorded
    with np.load(tmp_path / "run.npz", allow_pickle=False) as plain:
        assert np.array_equal(plain["value.draws.energy"], recorded.draws["energy"])


def test_a_seed_that_nobody_chose_is_that_of_the_store(tmp_path):
    assert sample(PAIR, 10, store=tmp_path / "work") == sample(PAIR, 10, store=tmp_path / "work")
    generator = np.random.default_rng(1)
    sample(PAIR, 10, rng=generator, store=tmp_path / "other")
    with pytest.raises(StoreError, match="seed is"):
        sample(PAIR, 10, rng=generator, store=tmp_path / "other")


def made(states):
    return states[:, 0]


def changed(states):
    return states[:, 1]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"rng": 2}, "seed is"),
        ({"sweeps": 20}, "burn_in is 5 there and 10 here; draws is 10 .* 20 here;.*" + LONGER % " with burn_in=5"),
        ({"sweeps": 20, "burn_in": 5}, r"holds other work: draws is 10 there and 20 here; .*" + LONGER % ""),
        ({"sweeps": 8, "burn_in": 5}, "draws is 10 there and 8 here; ask for the same, or name another folder$"),
        ({"sweeps": 20, "burn_in": 5, "rng": 2}, "another folder$"),
        ({"burn_in": 3}, "burn_in is 5 there and 3 here"),
        ({"thin": 2}, "thin is 1 there and 2 here"),
        ({"chains": 3}, "chains is 0 to 3 there and 0 to 2 here"),
        ({"method": "metropolis"}, "method is null there"),
        ({"observables": {"own": changed}}, "observables is .*:made .*:changed"),
        ({"initial": [1, 1]}, "initial is null there"),
        ({"model": PAIR.at(2.0)}, r"holds other work: model.temperature is 1.0 there and 2.0 here; ask"),
        ({"model": BinaryNeurons([[0, 2], [2, 0]])}, r"work: model.couplings is csr_array of shape \(2, 2\) .* here;"),
        ({"model": BinaryNeurons([[0, 1], [1, 0]], [0.5, 1.0])}, r"work: model.fields is \S+ of shape \(2,\) .* here;"),
    ],
)  # fmt: skip
def test_a_store_of_another_run_is_refused(options, message, tmp_path):
    usual = {"model": PAIR, "sweeps": 10, "rng": 1, "observables": {"own": made}}
    sample(**usual, store=tmp_path / "work")
    before = {path.name: path.read_bytes() for path in (tmp_path / "work").iterdir()}
    with pytest.raises(StoreError, match=message):
        sample(**{**usual, **options}, store=tmp_path / "work")
    assert {path.name: path.read_bytes() for path in (tmp_path / "work").iterdir()} == before


def test_a_store_that_says_nothing_of_the_parts_of_a_model_is_one_all_the_same(tmp_path):
    """Stores of earlier versions say nothing of them."""
    recorded, head = sample(PAIR, 10, rng=1, store=tmp_path / "work"), tmp_path / "work" / "store.json"
    text = json.loads(head.read_bytes())
    for parts in (None, "damaged", {"model": 3}):
        head.write_text(json.dumps({**{name: text[name] for name in text if name != "parts"}, "parts": parts}))
        assert sample(PAIR, 10, rng=1, store=tmp_path / "work") == recorded
        with pytest.raises(StoreError, match=r"model is .* there and .* here; ask"):
            sample(PAIR.at(2.0), 10, rng=1, store=tmp_path / "work")


def test_a_model_is_the_same_after_its_layers_were_asked_for(tmp_path):
    model = square_lattice(4, 4)
    recorded = sample(model, 10, rng=1, method="heat bath", store=tmp_path / "work")
    assert len(model.layers) > 1
    assert sample(model, 10, rng=1, method="heat bath", store=tmp_path / "work") == recorded


def test_parts_of_smooth_models_are_told(tmp_path):
    def model(**options):
        return DynamicNeurons(Network.random([2, 3, 1], rng=0), [[1.0, 2.0]], [[0.5]], **{"beta": 1.0, **options})

    sample(model(), 4, rng=1, store=tmp_path / "work")
    for options, words in (
        ({"beta": 2.0}, "work: model.beta is 1.0 there and 2.0 here; ask"),
        ({"free": ("neurons", "weights")}, r'model.free is \["neurons"\] there and \["neurons", "weights"\] here'),
    ):
        with pytest.raises(StoreError, match=words):
            sample(model(**options), 4, rng=1, store=tmp_path / "work")


@pytest.mark.parametrize(("method", "size"), [("ancestral", 3), ("hamiltonian", 2)])
@pytest.mark.parametrize("entry", ["done", "state"])
@pytest.mark.usefixtures("eager")
def test_a_store_of_other_blocks_is_refused_and_a_run_of_them_goes_on(method, size, entry, monkeypatch, tmp_path):
    """The blocks are those of a version that cuts chains by another rule."""
    monkeypatch.setattr(Store, "discard", lambda *_: None)
    rule = METHODS[method].block
    monkeypatch.setattr(METHODS[method], "block", lambda *_: size)
    before = run(method, store=tmp_path / "work")
    before.save(tmp_path / "run.npz")
    longer = before.extend(20)
    monkeypatch.setattr(METHODS[method], "block", rule)
    assert Run.load(tmp_path / "run.npz", own={"spread": spread}).extend(20) == longer
    if entry == "state":
        (tmp_path / "work" / "block-0.done.npz").unlink()
    kept = {path.name: path.read_bytes() for path in (tmp_path / "work").iterdir()}
    with pytest.raises(StoreError, match=r"block-0 is not what statnn .* keeps of \d chains .*other blocks"):
        run(method, store=tmp_path / "work")
    assert {path.name: path.read_bytes() for path in (tmp_path / "work").iterdir()} == kept


@pytest.mark.usefixtures("eager")
def test_a_damaged_checkpoint_is_said(monkeypatch, tmp_path):
    monkeypatch.setattr(Store, "discard", lambda *_: None)
    run("heat bath", store=tmp_path / "work")
    (tmp_path / "work" / "block-0.done.npz").unlink()
    assert run("heat bath", store=tmp_path / "work") == run("heat bath")
    (tmp_path / "work" / "block-0.done.npz").unlink()
    state = tmp_path / "work" / "block-0.state.npz"
    whole = state.read_bytes()
    state.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(StoreError, match=r"block-0\.state\.npz.*delete this file"):
        run("heat bath", store=tmp_path / "work")
    state.write_bytes(whole)
    draws = next((tmp_path / "work").glob("block-0.draws-*.npz"))
    for spoil in (lambda: draws.write_bytes(b"cut"), draws.unlink):  # without the state, nothing asks for them
        spoil()
        with pytest.raises(StoreError, match=rf"{draws.name}.*; delete block-0\.state\.npz beside it"):
            run("heat bath", store=tmp_path / "work")
    state.unlink()
    assert run("heat bath", store=tmp_path / "work") == run("heat bath")


def test_arviz_gets_the_draws(monkeypatch):
    recorded = sample(PAIR, 10, rng=1, chains=[3, 1])
    new = SimpleNamespace(from_dict=lambda data, *, coords: (data["posterior"], coords))
    old = SimpleNamespace(from_dict=lambda *, posterior, coords: (posterior, coords))  # before version 1
    monkeypatch.setitem(sys.modules, "arviz", old)
    for base in (new, None):
        monkeypatch.setitem(sys.modules, "arviz_base", base)
        posterior, coords = recorded.to_arviz()
        assert posterior.keys() == recorded.draws.keys()
        assert coords["chain"].tolist() == [3, 1]
    monkeypatch.setitem(sys.modules, "arviz", None)
    with pytest.raises(ImportError, match="pip install arviz"):
        recorded.to_arviz()


def test_arviz_holds_chains_and_draws():
    pytest.importorskip("arviz_base", reason="arviz-base is not installed")
    recorded = sample(PAIR, 10, rng=1, chains=[3, 1])
    tree = recorded.to_arviz()
    assert tree["posterior"]["chain"].values.tolist() == [3, 1]
    for name, values in recorded.draws.items():
        assert tree["posterior"][name].dims[:2] == ("chain", "draw")
        assert np.array_equal(tree["posterior"][name].values, values)


def test_the_head_of_a_store_says_what_it_is(tmp_path):
    sample(PAIR, 10, rng=1, store=tmp_path / "work")
    head = json.loads((tmp_path / "work" / "store.json").read_text())
    assert head["key"]["draws"] == Schedule(5, 10, 1).draws
    assert head["provenance"]["versions"]["numpy"] == np.__version__


def test_files_that_an_earlier_state_of_the_package_wrote_are_read(monkeypatch, tmp_path):
    """`kept` was written at e34c54f: a run, and a store whose run was cut after 44 of 80 sweeps."""

    def torus(**more):
        model = square_lattice(4, 4, temperature=2.3)
        return sample(model, 60, burn_in=20, thin=4, chains=3, rng=5, method="heat bath", **more)

    kept, whole, reports = Path(__file__).parent / "kept", torus(), []
    assert Run.load(kept / "run.npz") == whole
    shutil.copytree(kept / "work", tmp_path / "work")
    monkeypatch.setattr(_store, "versions", lambda _: {"statnn": "0.1.0"})
    assert torus(store=tmp_path / "work", progress=lambda done, of: reports.append((done, of))) == whole
    assert reports[0] == (44, 80)


@pytest.mark.parametrize(("chains", "fits"), [(3, True), (2, False)])
def test_a_finished_block_counts_all_its_sweeps_and_has_records_of_all_its_chains(tmp_path, chains, fits):
    reports: list[int] = []
    block = Block(PAIR, METHODS["heat bath"](), (1, ()), (0, 1, 2), None, None, Schedule(4, 6, 2), None, reports.append)
    records = {"energy": np.zeros((chains, 6))}
    store = SimpleNamespace(get=lambda _: {"walkers": begun(block).kept(), "records": records}, path=tmp_path)
    finished = Checkpoints(store, "block-0", {"energy": None})
    if fits:
        assert finished.walk(block)[1] is records
        assert reports == [16]
    else:
        with pytest.raises(StoreError, match=r"keeps of 3 chains \(it holds 2 chains\)"):
            finished.walk(block)
