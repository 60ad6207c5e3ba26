"""Arguments that are True or False: a text, a number or an array, which Python would count as true, is refused."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure
from signatures import types_of
from test_house import PUBLIC
from test_signatures import callables

from statnn import Network, rg, sweep
from statnn.activation import GammaPoisson, rarefaction
from statnn.interaction import BinaryNeurons, DynamicNeurons
from statnn.measure import basins, spikes, tangent
from statnn.testing import check_layer, check_process, strategies
from statnn.theory import derivation

PROCESS, PAIR = GammaPoisson(9, 1.0, 1.0), BinaryNeurons([[0.0, 1.0], [1.0, 0.0]])
NET = Network.random([2, 3, 2], activation="identity", rng=1)
X = np.random.default_rng(1).normal(size=(30, 2))
NEURONS = DynamicNeurons(NET, X[:2], beta=1.0, stiffness=2.0)
BINARY, LINEAR, NOISY = rg.BinaryLayer(0.5), rg.LinearLayer(0.5), rg.NoisyLayer("tanh", 0.5, 0.0, 0.3)
BASIN = basins.weight_basin(NET, X, draws=4, rng=1)

CALLS = {
    "sweep": lambda **a: sweep(lambda x: x, {"x": [1.0]}, **a),
    "BetaBernoulli.simulate": lambda **a: PROCESS.simulate([3], rng=1, **a),
    "rarefaction": lambda **a: rarefaction([1, 2], 9, [3], **a),
    "BinaryNeurons.exact": PAIR.exact,
    "BinaryNeurons.graph": PAIR.graph,
    "BinaryNeurons.plot": PAIR.plot,
    "DynamicNeurons.exact": NEURONS.exact,
    "DynamicNeurons.graph": NEURONS.graph,
    "DynamicNeurons.plot": NEURONS.plot,
    "Accumulator.__init__": lambda **a: spikes.Accumulator(3, **a),
    "statistics": lambda **a: spikes.statistics(X, window=5, **a),
    "Basin.plot": BASIN.plot,
    "tangent_kernel": lambda **a: tangent.tangent_kernel(NET, X, **a),
    "BinaryLayer.compose": lambda **a: BINARY.compose(BINARY, **a),
    "BinaryLayer.power": lambda **a: BINARY.power(3, **a),
    "BinaryLayer.flow": BINARY.flow,
    "LinearLayer.flow": LINEAR.flow,
    "NoisyLayer.flow": NOISY.flow,
    "flow": lambda **a: rg.flow(LINEAR, **a),
    "PhaseDiagram.plot": lambda **a: rg.phase_diagram("tanh", [0.5, 1.5], [0.1, 0.2]).plot(**a),
    "Placement.plot": lambda **a: rg.place(NET, X).plot(**a),
    "fixed_points": lambda **a: rg.fixed_points(lambda k, b: k**b, [1.2], **a),
    "operators": lambda **a: rg.operators(2, **a),
    "Operator.__init__": lambda **a: rg.Operator("spin", [(0,)], **a),
    "Step.check": derivation("urn").steps[0].check,
    "Derivation.check": derivation("urn").check,
    "check_layer": lambda **a: check_layer(LINEAR, **a),
    "check_process": lambda **a: check_process(PROCESS, **a),
}
OF_RESULTS = {"Run", "Flow", "Sensitivity", "RankProbability", "Formula"}
"""Classes that the package makes; a text is no more to be expected there than another wrong number."""
SHARED = {"GammaPoisson.simulate", "PolyaUrn.simulate"}
"""The same functions as above under another name."""


def switches(function):
    """Return the names of arguments that are True or False, or left open by None."""
    return [name for name, kind in types_of(function).items() if kind is bool or kind == bool | None]


ALL = {
    f"{name}({key})": (name, key)
    for room in PUBLIC
    if room != "statnn.testing.strategies"
    for name, function in callables(room)
    if name.split(".")[0] not in OF_RESULTS and name not in SHARED
    for key in switches(function)
}


@pytest.mark.parametrize("wrong", ["no", 1, 0.0, [False], np.array([True, False])], ids=repr)
@pytest.mark.parametrize("name", ALL)
def test_switches_are_true_or_false(name, wrong):
    called, key = ALL[name]
    with pytest.raises(TypeError, match=rf"^{key} = .* must be True or False$"):
        CALLS[called](**{key: wrong})


@pytest.mark.parametrize("draw", ["PhaseDiagram.plot", "Placement.plot", "Basin.plot"])
def test_nothing_is_drawn_before_a_switch_is_known(draw):
    ((name, key),) = (entry for entry in ALL.values() if entry[0] == draw)
    ax = Figure().add_subplot()
    with pytest.raises(TypeError, match="must be True or False"):
        CALLS[name](ax=ax, **{key: "no"})
    assert not ax.has_data()


@pytest.mark.parametrize("name", ALL)
def test_switches_of_numpy_are_switches(name):
    called, key = ALL[name]
    if name != "DynamicNeurons.graph(parameters)":  # refused here, as none of them are free
        CALLS[called](**{key: np.False_})


@given(st.data())
def test_switches_of_strategies(data):
    """Those of activations are refused when the strategy is made, others when it is drawn from."""
    drawn = {
        strategies.activations: ("own", "smooth"),
        strategies.smooth_activations: ("bounded",),
        strategies.couplings: ("signs",),
        strategies.binary_neurons: ("signs", "fields"),
        strategies.dynamic_neurons: ("targets",),
        strategies.networks: ("normalised",),
        strategies.processes: ("whole",),
    }
    for strategy, names in drawn.items():
        for name in names:
            with pytest.raises(TypeError, match=rf"^{name} = 'no' must be True or False"):
                data.draw(strategy(**{name: "no"}))
