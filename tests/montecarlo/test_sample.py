"""The verb `sample` and the object `Run`: what is asked, recorded, refused, and gone on with."""

import inspect
from concurrent.futures import ThreadPoolExecutor
from typing import get_type_hints

import numpy as np
import pytest
from faults.cases import models
from matplotlib.figure import Figure

from statnn import Network, _memory, montecarlo
from statnn._random import root
from statnn.interaction import BinaryNeurons, DynamicNeurons, square_lattice
from statnn.montecarlo import (
    METHODS,
    Ancestral,
    Blocks,
    Hamiltonian,
    HeatBath,
    Metropolis,
    MultiSpin,
    Run,
    Tempering,
    Wolff,
    sample,
)
from statnn.montecarlo import _chunks as _spin_start
from statnn.montecarlo._engine import cut, schedule
from statnn.montecarlo._plot import draw

RING = BinaryNeurons(np.roll(np.eye(6), 1, axis=0) + np.roll(np.eye(6), -1, axis=0), fields=0.2, temperature=1.5)
LAYERS = BinaryNeurons([np.ones((3, 2)), np.ones((2, 3))], fields=0.1, temperature=4.0)
SMOOTH = DynamicNeurons(Network.random([2, 3, 1], rng=0), [[1.0, 2.0]], [[0.5]], beta=1.0, stiffness=2.0)
SPIN_METHODS = ("heat bath", "metropolis")


# -- what a run holds ------------------------------------------------------------------------------------


def test_shapes_follow_from_what_was_asked():
    run = sample(RING, 60, chains=3, thin=4, burn_in=7, rng=1)
    assert isinstance(run, Run)
    assert run.draws["energy"].shape == (3, 15)
    assert run.states.shape == (3, 6)
    assert run.acceptance.shape == (3,)
    assert (run.burn_in, run.thin, run.chains) == (7, 4, (0, 1, 2))
    assert ((run.acceptance > 0) & (run.acceptance < 1)).all()


@pytest.mark.parametrize("model", [RING, LAYERS, SMOOTH], ids=["ring", "layers", "smooth"])
def test_the_last_recorded_energy_is_that_of_the_final_state(model):
    run = sample(model, 20, rng=2)
    np.testing.assert_allclose(run.draws["energy"][:, -1], model.energy(run.states), rtol=1e-6)


@pytest.mark.parametrize("model", [RING, LAYERS, SMOOTH], ids=["ring", "layers", "smooth"])
def test_going_on_is_the_same_as_not_stopping(model):
    whole = sample(model, 60, rng=3, burn_in=10)
    part = sample(model, 24, rng=3, burn_in=10)
    longer = part.extend(12).extend(24)
    for name in whole.draws:
        np.testing.assert_array_equal(longer.draws[name], whole.draws[name])
    np.testing.assert_array_equal(longer.states, whole.states)
    np.testing.assert_array_equal(longer.acceptance, whole.acceptance)  # of all sweeps
    assert part.draws["energy"].shape[1] == 24
    np.testing.assert_array_equal(part.extend(36).states, whole.states)  # the shorter run was left as it was


def test_every_block_of_chains_begins_where_its_chains_do():
    starts = np.arange(5)[:, None] * np.ones(6)
    _, blocks = cut(RING, Blocks("single"), root(1), (0, 1, 2, 3, 4), schedule(2, 0, 1), initial=starts)
    assert [(block.chains[0], block.initial[0, 0]) for block in blocks] == [(k, k) for k in range(5)]


WAYS = [
    (RING, HeatBath("replicas")),
    (RING, HeatBath("colours")),
    (RING, Metropolis("replicas")),
    (RING, Metropolis("colours")),
    (LAYERS, Blocks("replicas")),
    (LAYERS, Blocks("single")),
    (square_lattice(4, 4, temperature=3.0), MultiSpin("replicas")),
    (square_lattice(16, 16, temperature=3.0), MultiSpin("strips")),
    (square_lattice(4, 4, temperature=3.0), Wolff()),
    (RING, Tempering((1.0, 1.5, 2.0))),
    (SMOOTH, Hamiltonian()),
    (DynamicNeurons(SMOOTH.net, [[1.0, 2.0]], stiffness=2.0), Ancestral()),
]


@pytest.mark.parametrize(("model", "method"), WAYS, ids=[str(method) for _, method in WAYS])
def test_no_two_streams_of_a_run_are_the_same(monkeypatch, model, method):
    """Whatever belongs to another chain, temperature, lane, word or block has random numbers of its own."""
    keys = []

    class Spy(np.random.SeedSequence):
        def __init__(self, entropy=None, *, spawn_key=()):
            super().__init__(entropy, spawn_key=spawn_key)
            keys.append(tuple(spawn_key))

    monkeypatch.setattr(np.random, "SeedSequence", Spy)
    sample(model, 2, chains=[*range(70), 200], burn_in=2, rng=5, method=method)
    assert len(set(keys)) == len(keys)
    assert {key[0] for key in keys} <= {*range(201)}


@pytest.mark.parametrize("model", [RING, LAYERS, SMOOTH], ids=["ring", "layers", "smooth"])
def test_seeds_make_runs_and_their_absence_fresh_ones(model):
    first, second, other = (sample(model, 10, rng=seed).states for seed in (5, 5, 6))
    np.testing.assert_array_equal(first, second)
    assert (first != other).any()
    fresh = [sample(model, 10, chains=16).draws["energy"] for _ in range(2)]
    assert (fresh[0] != fresh[1]).any()
    assert np.ptp(sample(model, 10, chains=16, rng=5).draws["energy"], axis=0).any()  # chains differ


def test_a_generator_is_asked_for_a_new_seed_each_time():
    draws = [sample(RING, 10, rng=rng).draws["energy"] for rng in [np.random.default_rng(1)] * 2]
    assert (draws[0] != draws[1]).any()
    again = sample(RING, 10, rng=np.random.default_rng(1)).draws["energy"]
    np.testing.assert_array_equal(draws[0], again)


@pytest.mark.parametrize("method", SPIN_METHODS)
def test_one_chain_alone_is_the_chain_it_was(method):
    together = sample(RING, 30, chains=40, rng=7, method=method)
    alone = sample(RING, 30, chains=range(11, 12), rng=7, method=together.method)
    np.testing.assert_array_equal(alone.draws["energy"], together.draws["energy"][11:12])


def test_starts_are_those_that_were_given():
    frozen = BinaryNeurons(np.ones((5, 5)) - np.eye(5), temperature=0.01)
    run = sample(frozen, 4, burn_in=0, rng=1, initial=-np.ones(5))
    assert (run.states == -1).all()
    each = np.array([[1] * 5, [-1] * 5])
    np.testing.assert_array_equal(sample(frozen, 4, chains=2, rng=1, initial=each).states, each)


# -- observables -----------------------------------------------------------------------------------------


def test_own_observables_see_the_states():
    run = sample(RING, 20, rng=1, observables={"first": lambda s: s[:, 0], "all": lambda s: s, "energy": "energy"})
    assert run.draws["all"].shape == (4, 20, 6)
    np.testing.assert_array_equal(run.draws["all"][:, :, 0], run.draws["first"])
    np.testing.assert_allclose(RING.energy(run.draws["all"]), run.draws["energy"], rtol=1e-12)
    assert list(run.draws) == ["first", "all", "energy"]


def test_own_observables_count_hundreds_of_spins():
    """Bytes, as the states of models are, hold sums up to 127 alone."""
    lattice = square_lattice(16, 16)
    up = lattice.states(np.ones(256))
    overlaps = {"overlap": lambda s: s @ up, "own": lambda s: np.einsum("ci,ci->c", s, s), "all": lambda s: s}
    draws = sample(lattice, 2, burn_in=0, rng=1, initial=up, observables=overlaps).draws
    np.testing.assert_array_equal(draws["overlap"], draws["all"].sum(axis=2))
    assert (draws["own"] == 256).all()


@pytest.mark.parametrize(
    ("observables", "message"),
    [
        (["heat"], "'heat' is unknown to heat bath, which knows energy"),
        ({"E": "energy"}, "'energy' of heat bath is asked for as 'E'; .* pass {'energy': 'energy'"),
        ([], "observables is empty"),
        ({"mine": lambda _: 1.0}, "one entry .or row. for each of the 4 chains"),
        ({"mine": lambda s: s[:2]}, "one entry .or row. for each of the 4 chains"),
        ({"mine": lambda s: s.astype(str)}, "real numbers"),
        ({"mine": lambda s: s[:, 0].astype(int) * (2**53 + 1)}, "observable .mine. = .*9007199254740993 .* beyond"),
    ],
)
def test_observables_that_cannot_be(observables, message):
    with pytest.raises(ValueError, match=message):
        sample(RING, 10, rng=1, observables=observables)


def test_estimates_know_only_what_was_recorded():
    run = sample(RING, 10, rng=1, observables=["energy"])
    with pytest.raises(ValueError, match="'magnetisation' was not recorded; choose from energy"):
        run.estimate("magnetisation")


# -- bad input: refused before any work -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"model": "ising"}, TypeError, "pass BinaryNeurons or DynamicNeurons"),
        ({"sweeps": 0}, ValueError, "sweeps = 0 is outside"),
        ({"sweeps": 10.0}, TypeError, "whole number"),
        ({"sweeps": 10, "thin": 3}, ValueError, "not a multiple of thin = 3: take 12"),
        ({"thin": 0}, ValueError, "thin = 0"),
        ({"burn_in": -1}, ValueError, "burn_in = -1"),
        ({"chains": 0}, ValueError, "chains = 0"),
        ({"chains": [1, 1]}, ValueError, "each only once"),
        ({"chains": []}, ValueError, "at least one chain"),
        ({"rng": -1}, ValueError, "rng = -1"),
        ({"rng": "seed"}, TypeError, "rng"),
        ({"rng": 2**128}, ValueError, "rng = .* is outside"),  # its streams would be those below stream 1 of rng=0
        ({"rng": np.random.SeedSequence(1)}, TypeError, r"is a SeedSequence; pass .*default_rng\(seed\), or None$"),
        ({"chains": {1, 2}}, TypeError, "is a set; a whole number of type int is needed$"),
        (
            {"method": "heatbath"},
            ValueError,
            "'heatbath' is unknown; for BinaryNeurons choose from .*heat bath, metropolis",
        ),
        (
            {"method": "gibbs"},
            ValueError,
            "choose from blocks, heat bath, metropolis, multispin, tempering, wolff, or a Method",
        ),
        (
            {"model": SMOOTH, "method": "hmc"},
            ValueError,
            "for DynamicNeurons choose from ancestral, hamiltonian, or a Method",
        ),
        ({"method": "hamiltonian"}, TypeError, "BinaryNeurons"),
        ({"method": "blocks"}, ValueError, "layer"),
        ({"model": SMOOTH, "method": "heat bath"}, TypeError, "DynamicNeurons"),
        ({"initial": np.ones(5)}, ValueError, "the 6 spins"),
        ({"initial": np.zeros(6)}, ValueError, "spins are -1 and"),
        ({"initial": np.ones((3, 6))}, ValueError, "one for each of the 4 chains"),
        ({"model": SMOOTH, "initial": np.ones(3)}, ValueError, "4 free variables"),
        ({"progress": "bar"}, TypeError, "progress = 'bar'"),
    ],
)
def test_bad_arguments(arguments, error, message):
    keywords = {"model": RING, "sweeps": 10, **arguments}
    with pytest.raises(error, match=message):
        sample(**keywords)


def test_more_than_memory_allows_is_refused_before_work_starts(monkeypatch):
    monkeypatch.setattr(_memory, "available", lambda: 1e6)
    with pytest.raises(MemoryError, match=r"would need .* GB"):
        sample(RING, 10**6, chains=1000, rng=1)
    assert sample(RING, 10, rng=1).states.shape == (4, 6)


# -- progress and executors ------------------------------------------------------------------------------


def test_progress_is_told_up_to_the_end():
    seen = []
    sample(RING, 40, burn_in=10, rng=1, progress=lambda done, total: seen.append((done, total)))
    assert seen[-1] == (50, 50)
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert len(seen) > 5


def test_executors_change_nothing_but_the_time():
    seen = []
    with ThreadPoolExecutor(2) as pool:
        theirs = sample(
            RING, 12, chains=200, rng=1, executor=pool, progress=lambda done, total: seen.append((done, total))
        )
    mine = sample(RING, 12, chains=200, rng=1)
    np.testing.assert_array_equal(mine.draws["energy"], theirs.draws["energy"])
    np.testing.assert_array_equal(mine.states, theirs.states)
    assert seen[-1][0] == seen[-1][1]


def test_help_names_every_method_and_fits_a_screen():
    """24 lines of 80 characters hold the signature with room to spare; its names can be looked up."""
    for name in METHODS:
        assert f'"{name}"' in sample.__doc__
    assert len(str(inspect.signature(sample))) < 440
    assert get_type_hints(sample)["model"] == BinaryNeurons | DynamicNeurons
    for public in (BinaryNeurons, DynamicNeurons, DynamicNeurons.energy, Run.extend):
        assert len(str(inspect.signature(public))) < 400


def test_methods_by_name_are_all_there():
    samplers = HeatBath, Metropolis, Blocks, MultiSpin, Wolff, Tempering, Hamiltonian, Ancestral
    assert {method.name: method for method in samplers}.items() <= METHODS.items()
    for name, method in METHODS.items():
        assert f'`{method.__name__}` ("{name}")' in montecarlo.__doc__
        assert getattr(montecarlo, method.__name__) is method


def test_chains_that_never_change_and_short_ones_are_drawn():
    model = BinaryNeurons(np.ones((5, 5)) - np.eye(5), temperature=0.01)
    for run, why in (
        (sample(model, 40, burn_in=0, initial=np.ones(5), rng=1), "never changes"),
        (sample(model.at(4.0), 3, rng=1), "fewer than 4 draws"),
    ):
        trace, correlation = Figure().subplots(1, 2)
        run.plot([trace, correlation], name="energy")
        assert trace.lines
        assert why in correlation.texts[0].get_text()


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("$|m|$", "$|m|$"),
        ("energy", "energy"),
        ("$x_$", r"\$x_\$"),
        ("$$", r"\$\$"),
        ("$m", r"\$m"),
        ("m\nof all", "m\nof all"),
    ],
)
def test_names_of_observables_may_hold_dollars(name, text, caplog):
    """Text between dollars that is no mathematics lets a figure be drawn; ends of lines do not warn."""
    run = sample(BinaryNeurons([[0, 1], [1, 0]]), 8, rng=1, observables={name: lambda states: states[..., 0]})
    figure = Figure()
    drawn = run.plot(figure.subplots(1, 2), name=name)
    figure.draw_without_rendering()
    assert [ax.get_ylabel() for ax in drawn] == [text, rf"$\rho(t)$ of {text}"]
    assert not caplog.records


@pytest.mark.parametrize("unit", [1e-310, 1e306])
def test_draws_of_any_size_have_their_autocorrelation_drawn(rng, unit):
    draws = rng.normal(size=(2, 60))
    shown = []
    for scale in (1.0, unit):
        pair = Figure().subplots(1, 2)
        draw("energy", scale * draws, pair)
        shown.append(pair[1].lines[0].get_ydata())
    np.testing.assert_allclose(shown[1][:20], shown[0][:20], atol=1e-9)
    assert shown[0][0] == 1
    constant = Figure().subplots(1, 2)
    draw("energy", np.full((2, 60), 0.1), constant)  # whose mean is rounded
    assert "never changes" in constant[1].texts[0].get_text()


def test_lattices_beyond_memory_are_refused_at_once():
    with pytest.raises(MemoryError, match="a lattice of 40000 x 40000 spins would need 144 GB"):
        square_lattice(40_000, 40_000)


def test_available_memory_is_some_share_of_the_machine():
    assert 2**26 < _memory.available() < 2**60


# -- what nobody may change ------------------------------------------------------------------------------


def test_records_and_states_that_functions_see_are_read_only():
    run = sample(RING, 8, rng=1)
    with pytest.raises(ValueError, match="read-only"):
        run.draws["energy"][0] = 0
    with pytest.raises(ValueError, match="read-only"):
        sample(RING, 8, rng=1, observables={"mine": lambda states: np.multiply(states, 0, out=states).sum(axis=1)})


@pytest.mark.parametrize(
    ("model", "method"),
    [
        *((RING, method(layout)) for method in (HeatBath, Metropolis) for layout in ("replicas", "colours")),
        (LAYERS, Blocks("single")),
        (BinaryNeurons(RING.couplings), "multispin"),
        (BinaryNeurons(RING.couplings), "wolff"),
    ],
)
def test_results_do_not_depend_on_how_often_kernels_return(monkeypatch, model, method):
    whole = sample(model, 40, thin=20, burn_in=20, rng=6, method=method)
    monkeypatch.setattr(_spin_start, "_UPDATES_AT_ONCE", 1)
    parts = sample(model, 40, thin=20, burn_in=20, rng=6, method=method)
    assert np.array_equal(whole.draws["energy"], parts.draws["energy"])
    assert np.array_equal(whole.acceptance, parts.acceptance)


def test_records_of_wide_observables_are_weighed(monkeypatch):
    monkeypatch.setattr(_memory, "available", lambda: 1e6)
    with pytest.raises(MemoryError, match="records of 'wide' with 100 draws"):
        sample(RING, 100, rng=1, observables={"wide": lambda states: np.zeros((len(states), 1000))})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"method": ["heat bath"]}, r"method = \['heat bath'\] is unknown"),
        ({"observables": 5}, "observables is a int; pass names"),
        ({"observables": [len]}, "has no name: pass {name: function"),
        ({"executor": 4}, "executor = 4 is an int; pass an executor of concurrent.futures"),
    ],
)
def test_wrong_kinds_are_named(options, message):
    with pytest.raises((TypeError, ValueError), match=message):
        sample(RING, 10, **options)


@pytest.mark.parametrize(("first", "later"), [((3,), (1,)), ((3,), ()), ((1,), (2,)), (np.float16, np.float64)])
def test_observables_that_change_on_the_way_are_refused(first, later):
    """Numpy would spread a row of one over the room for three, and round to the type of the first draw."""
    calls = []

    def changing(states):
        calls.append(states)
        kind = first if len(calls) < 8 else later
        shape = kind if isinstance(kind, tuple) else ()
        return np.ones((len(states), *shape), float if isinstance(kind, tuple) else kind)

    with pytest.raises(ValueError, match=r"observable 'own' returned shape .* after .*the same for every draw"):
        sample(RING, 20, chains=2, rng=1, observables={"own": changing})


COUNTING = {
    "blocks": Blocks("replicas"), "blocks of one": Blocks("single"), "hamiltonian": Hamiltonian(),
    "heat bath": HeatBath("replicas"), "metropolis": Metropolis("colours"), "multispin": MultiSpin("replicas"),
    "strips": MultiSpin("strips"), "tempering": Tempering((1.0, 1.5, 2.0)),
}  # fmt: skip


def test_a_run_says_what_it_recorded_and_how_many_draws_of_it():
    run = sample(RING, 50, rng=1, observables={"energy": "energy", "ends": lambda states: states[:, [0, -1]]})
    for words in ("'energy': <float64 of shape (4, 50)>", "'ends': <float64 of shape (4, 50, 2)>"):
        assert words in repr(run)
    assert len(repr(run)) < 480


@pytest.mark.parametrize("name", COUNTING)
def test_what_is_counted_begins_after_the_burn_in(name):
    """Rates of ancestral draws and of clusters are known beforehand; all others count from there."""
    method = COUNTING[name]
    model = square_lattice(32, 32, temperature=3.0) if name == "strips" else models()[method.name]
    walkers = method.walkers(model, (1, ()), range(1 if name == "blocks of one" else 3), None)
    walkers.burn_in(30)
    diagnostics = walkers.diagnostics()
    for what in {"acceptance", "divergences", "steps", "swap_rate", "round_trips"} & diagnostics.keys():
        assert not diagnostics[what].any(), what
    walkers.sweep(3)
    assert (walkers.diagnostics()["acceptance"] <= 1).all()
