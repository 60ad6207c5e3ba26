"""Strategies keep the ranges that they state, reach the corners, and print what a reader can make again."""

import builtins
import importlib
import sys

import numpy as np
import pytest
from hypothesis import Phase, find, given, settings
from hypothesis import strategies as st
from hypothesis.errors import NoSuchExample
from strategies import examples

from statnn import Network, interaction, rg
from statnn.activation import BetaBernoulli, PolyaUrn
from statnn.network import Activation
from statnn.testing import strategies

quick = settings(max_examples=2000, derandomize=True, database=None, phases=[Phase.generate])


def isolated(model):
    return model.size > 2 and 0 < np.count_nonzero(np.diff(model.couplings.indptr) == 0) < model.size


REACHED = {
    "isolated spins": (strategies.binary_neurons(), isolated),
    "plus and minus J": (
        strategies.couplings(["lattice"]),
        lambda J: {-1.0, 0.0, 1.0} == set(J.ravel().tolist()),
    ),
    "an uncoupled layer": (strategies.binary_neurons(["layers"]), lambda m: any(not b.any() for b in m.blocks)),
    "frozen spins": (strategies.binary_neurons(), lambda m: m.temperature < 1e-3 and m.couplings.nnz > 0),
    "a silent unit": (strategies.activity(), lambda x: len(x) > 8 and (x == 0).all(axis=0).any() and x.any()),
    "minus zero": (strategies.activity(), lambda x: (np.signbit(x) & (x == 0)).any()),
    "c just below N": (strategies.processes([BetaBernoulli]), lambda p: 0 < p.neurons - p.c < 1e-9 * p.neurons),
    "an urn of many events": (strategies.processes([PolyaUrn], whole=True), lambda p: p.c == 3),
    "nobody worked": (strategies.counts(), lambda pair: not pair[0].any()),
    "one in every sample": (strategies.counts(), lambda pair: pair[0].max() == pair[1] and pair[0].min() == 0),
    "a smooth one that falls": (strategies.smooth_activations(), lambda s: s(np.array(1.0)) < s(np.array(0.0))),
    "one of the package": (strategies.activations(), lambda sigma: sigma.built_in),
    "one's own": (strategies.activations(), lambda sigma: not sigma.built_in),
    "a normalised layer": (strategies.networks(normalised=True), lambda net: any(net.normalisations)),
    "free weights": (strategies.dynamic_neurons(), lambda m: "weights" in m.free and m.targets is None),
    "a critical layer": (strategies.layers(rg.LinearLayer, width=1), lambda layer: layer.radius == 1),
    "a weak bond": (strategies.layers(rg.BinaryLayer, width=1), lambda layer: 0 < abs(layer.couplings[0, 0]) < 1e-5),
} | {
    family.__name__: (strategies.layers(), lambda layer, family=family: isinstance(layer, family))
    for family in (rg.LinearLayer, rg.BinaryLayer, rg.NoisyLayer, rg.RepeatedLayer, rg.RandomLayer)
}


@pytest.mark.parametrize("name", REACHED)
def test_corners_are_reached(name):
    strategy, condition = REACHED[name]
    assert condition(find(strategy, condition, settings=quick))


def test_the_same_search_does_not_find_what_is_out_of_range():
    with pytest.raises(NoSuchExample):
        find(strategies.couplings(most=3), lambda J: len(J) > 3, settings=settings(max_examples=200, database=None))


@given(strategies.couplings(most=6), strategies.networks(depth=(2, 3), width=(1, 2)), strategies.counts(neurons=5))
@examples(0.5)
def test_sizes_are_what_was_asked_for(J, net, counted):
    assert (J[0].shape[1] + sum(map(len, J)) if isinstance(J, list) else len(J)) <= 6
    assert np.abs(np.concatenate([np.ravel(block) for block in J])).max(initial=0) <= 3
    assert net.depth in {2, 3}
    assert max(net.widths) <= 2
    counts, samples = counted
    assert 2 <= counts.size <= 5
    assert 0 <= counts.min() <= counts.max() <= samples


@given(strategies.smooth_activations(), st.floats(-8, 8))
@examples(0.2)
def test_smooth_activations_are_what_their_names_say(sigma, h):
    value = eval(_python(sigma.name), {"tanh": np.tanh, "h": h})  # noqa: S307 - our own text
    assert value == pytest.approx(float(sigma(np.array(h))), rel=1e-4, abs=1e-4)
    assert isinstance(sigma, Activation)


def _python(formula):
    return formula.replace(" h", " * h").replace(" tanh", " * tanh").replace("+ -", "-").replace("+ *", "+").lstrip()


def printed(strategy, condition):
    """Return what hypothesis prints of the smallest example that breaks a test."""

    @given(strategy)
    @settings(derandomize=True, database=None, phases=[Phase.generate, Phase.shrink])
    def test(it):
        assert condition(it)

    with pytest.raises(AssertionError) as failure:
        test()
    notes = failure.value.__notes__
    return notes[next(i for i, text in enumerate(notes) if text.startswith(("Failing", "Falsifying"))) - 1]


@pytest.mark.parametrize(
    ("strategy", "condition"),
    [
        (strategies.binary_neurons(), lambda m: m.couplings.nnz < 2),
        (strategies.dynamic_neurons(), lambda m: m.samples < 2),
        (strategies.networks(), lambda net: net.depth < 2),
        (strategies.layers(rg.LinearLayer, width=1), lambda layer: not layer.noise_covariance.any()),
        (strategies.layers(rg.BinaryLayer, width=1), lambda layer: abs(layer.couplings[0, 0]) > 1e-5),
    ],
    ids=["spins", "neurons", "network", "linear", "binary"],
)
def test_failing_examples_are_small_and_can_be_typed(strategy, condition):
    """What is printed is Python that makes an object on which the condition fails, too."""
    text = printed(strategy, condition)
    names = {**vars(interaction), **vars(rg), "Network": Network, "array": np.array, "float64": np.float64}
    assert not condition(eval(text, names))  # noqa: S307 - our own text
    assert len(text) < 250


def test_failing_processes_are_shrunk_to_ordinary_ones():
    """Ordinary values come before corners: five neurons or more do not shrink to 10^12 of them."""
    smallest = find(
        strategies.processes([BetaBernoulli]),
        lambda process: process.neurons >= 5,
        settings=settings(max_examples=2000, derandomize=True, database=None),
    )
    assert smallest.neurons < 10
    assert (smallest.b, smallest.c) == (1.0, smallest.neurons / 2)


@pytest.mark.parametrize("drawn", [strategies.samples, strategies.whole_samples])
def test_failing_numbers_of_samples_are_shrunk_to_ordinary_ones(drawn):
    samples = find(drawn(), lambda D: D > 100, settings=settings(max_examples=1000, derandomize=True, database=None))
    assert samples < 1000


@given(strategies.whole_samples(3))
@examples(0.2)
def test_numbers_of_samples_are_at_most_what_was_asked_for(D):
    assert 0 <= D <= 3


def test_whole_numbers_of_decades_are_whole():
    """Ends that are floats would come out as they are: 2.0 among the whole numbers."""
    for low, high in ((2.0, 5), (2, 5.0), (1, 2.5)):
        with pytest.raises(TypeError, match="is a float; a whole number of type int is needed"):
            strategies.decades(low, high)


BAD = [
    (lambda: strategies.couplings(["chain"]).example(), "'chain' is unknown; choose from graph, dense"),
    (lambda: strategies.couplings(["ring"], most=2).example(), "most = 2 spins are too few for ring"),
    (lambda: strategies.layers(rg.NoisyLayer, width=2), "layers of NoisyLayer have no width"),
    (lambda: strategies.layers(int), "choose from LinearLayer, BinaryLayer"),
    (lambda: strategies.log_uniform(0, 1), "low = 0, high = 1: 0 < low <= high < ∞ is needed"),
    (lambda: strategies.networks(width=(3, 1)).example(), r"width = \(3, 1\): the smallest and the largest"),
    (lambda: strategies.log_uniform(1, np.inf), "low = 1, high = inf: 0 < low <= high < ∞ is needed"),
    (lambda: strategies.decades(0, 3), r"low = 0 is outside the allowed range \[1,"),
    (lambda: strategies.neurons(1), r"most = 1 is outside the allowed range \[2,"),
    (lambda: strategies.whole_samples(0), r"most = 0 is outside the allowed range \[1,"),
    (lambda: strategies.counts(neurons=1).example(), r"neurons = 1 is outside the allowed range \[2,"),
    (lambda: strategies.networks(dtype=np.float16).example(), "dtype = float16: networks are of float64 or float32"),
    (lambda: strategies.layers(rg.LinearLayer, width=0), r"width = 0 is outside the allowed range \[1,"),
    (
        lambda: strategies.layers(rg.BinaryLayer, largest=1e-4),
        "largest = 0.0001: couplings must be finite and at least 0.01",
    ),
    (lambda: strategies.activity(dtype=int).example(), "activity is float64, float32 or bool"),
    (lambda: strategies.activity(dtype=np.float16).example(), "dtype = float16: activity is float64, float32 or bool"),
    (lambda: strategies.couplings("tree").example(), r"kinds = 'tree' is one text; give a tuple of them, \('tree',\)"),
    (lambda: strategies.networks(activations="tanh").example(), r"'tanh' is one name; give a list of them"),
    (lambda: strategies.networks(width=3).example(), r"width = 3: give a pair, the smallest and the largest number"),
    (lambda: strategies.activity(samples=(2.5, 3)).example(), "samples = 2.5 is a float; a whole number"),
    (lambda: strategies.graphs(most=0).example(), r"^most = 0 is outside the allowed range \[1,"),
    (lambda: strategies.couplings(most=2.5).example(), "most = 2.5 is a float; a whole number"),
    (lambda: strategies.dynamic_neurons(samples=0).example(), r"samples = 0 is outside the allowed range \[1,"),
    (lambda: strategies.dynamic_neurons(free=("neurons", "weights")).example(), r"give a list of choices, \[\('neu"),
    (lambda: strategies.dynamic_neurons(net=3).example(), r"net = 3 is not a strategy; for this value alone give"),
    (lambda: strategies.binary_neurons(temperatures=1.0).example(), r"temperatures = 1.0 is not a strategy; for this"),
    (lambda: strategies.decades(5, 10**400), r"is outside the allowed range \[5, 1.8e\+308\]$"),
]


@pytest.mark.filterwarnings("ignore::hypothesis.errors.NonInteractiveExampleWarning")
@pytest.mark.parametrize(("call", "match"), BAD, ids=[match[:20] for _, match in BAD])
def test_bad_arguments_say_what_there_is(call, match):
    with pytest.raises((ValueError, TypeError), match=match):
        call()


def test_without_hypothesis_the_extra_is_named(monkeypatch):
    genuine = builtins.__import__

    def without(name, *rest, **more):
        if name.partition(".")[0] == "hypothesis":
            raise ImportError(name)
        return genuine(name, *rest, **more)

    for name in [name for name in sys.modules if name.startswith("statnn.testing.strategies")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ImportError, match=r'needs hypothesis: pip install "statnn\[testing\]"'):
        importlib.import_module("statnn.testing.strategies")
