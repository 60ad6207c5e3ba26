"""Every public frozen object equals its copies, hashes as they do, and prints itself in five lines."""

import ast
import copy
import importlib
import inspect
import pickle
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from functools import cache
from hashlib import sha256

import numpy as np
import pytest
from test_arrays import COLLAPSE
from test_house import PUBLIC

from statnn import Network, activation, inspection, io, montecarlo, network, rg, testing, theory
from statnn._by_value import _brief, same
from statnn.interaction import BinaryNeurons, DynamicNeurons, Prior, kaufman, onsager, translation_symmetry
from statnn.interaction import square_lattice as lattice
from statnn.measure import basins, correlation, graph, growth, order, spikes, tangent
from statnn.theory.interaction.balance import metropolis
from statnn.theory.measure.strength import node_strength

SCREEN = 5 * 120
LARGE = 30


@cache
def net():
    return Network.random([4, 6, 2], activation="tanh", sigma_b=0.1, rng=0)


@cache
def inputs():
    return np.random.default_rng(1).normal(size=(60, 4))


def labels():
    return np.arange(60) % 2


def counts():
    return np.random.default_rng(2).integers(0, 9, 40)


@cache
def page():
    return inspection.inspect(net(), inputs(), labels(), only=["layers", "activity"], rng=0)


@cache
def sampled_flow(length=16, levels=2):
    torus = lattice(length, length, temperature=3.0)
    return rg.sample_flow(torus, (length, length), 8, chains=8, levels=levels, method="multispin", rng=1)


def many(number):
    return np.eye(LARGE) * number


def chain():
    return BinaryNeurons([many(0.1)] * 2, fields=0.1, temperature=2.0)


def smooth():
    return DynamicNeurons(net(), inputs(), np.zeros((60, 2)), beta=1.0, stiffness=2.0, free=("weights", "neurons"))


MAKERS = {
    "Network": net,
    "Activation": lambda: network.ACTIVATIONS["tanh"],
    "BatchNorm": lambda: network.BatchNorm(np.zeros(LARGE), np.ones(LARGE)),
    "Trace": lambda: net().trace(inputs()),
    "BetaBernoulli": lambda: activation.BetaBernoulli(40, 0.3, 5.0).after(20, counts()),
    "PolyaUrn": lambda: activation.PolyaUrn(40, 0.3, 5.0),
    "GammaPoisson": lambda: activation.GammaPoisson(40, 0.3, 5.0),
    "Paths": lambda: activation.BetaBernoulli(40, 0.3, 5.0).simulate(range(1, 50), replicas=20, rng=1),
    "Fit": lambda: activation.fit(counts(), 100, law=activation.PolyaUrn, rng=1),
    "Comparison": lambda: activation.compare(counts(), 100, rng=1),
    "Rarefaction": lambda: activation.rarefaction(counts(), 100, range(1, 90)),
    "BinaryNeurons": chain,
    "DynamicNeurons": smooth,
    "State": lambda: smooth().unpack(np.full(smooth().dimension, 0.5)),
    "Exact": lambda: kaufman(4, 4),
    "ExactGaussian": lambda: DynamicNeurons(
        Network([np.eye(4)], activation="identity"), inputs(), stiffness=2.0
    ).exact(),
    "Prior": Prior,
    "SquareLattice": onsager,
    "TranslationSymmetry": lambda: translation_symmetry(lattice(4, 4)),
    "Estimate": lambda: montecarlo.estimate(np.random.default_rng(1).normal(size=(4, 40, LARGE))),
    "Failure": lambda: montecarlo.Failure(1, (4, 5), "ValueError: too hot", "", np.ones((2, LARGE))),
    "Run": lambda: montecarlo.sample(chain(), 8, rng=1),
    **{method.__name__: method for method in montecarlo.METHODS.values()},
    "Data": lambda: inspection.Data(inputs(), labels(), "made up"),
    "Inspection": page,
    "inspection.Comparison": lambda: inspection.inspect(
        {"one": net(), "two": net()}, inputs(), labels(), only=["layers"], rng=0
    ),
    "Measured": lambda: inspection.Measured(0.5, np.nan),
    "Section": lambda: page()["layers"],
    "Table": lambda: page()["layers"].tables[0],
    "Strength": lambda: graph.strength(net()),
    "Growth": lambda: growth.layer(np.maximum(inputs(), 1.5) - 1.5, rng=1),
    "SpikeStatistics": lambda: spikes.statistics(inputs(), window=5, order="blocked", labels=labels()),
    "FitTest": lambda: spikes.statistics(inputs(), window=5, order="given").test("poisson"),
    "Intervals": lambda: spikes.statistics(inputs(), window=5, order="given").intervals,
    "Basin": lambda: basins.sample_basin(net(), inputs(), labels(), draws=4, rng=1),
    "Correlation": lambda: correlation.neuronal_correlation(inputs()),
    "Participation": lambda: correlation.participation_ratio(inputs()),
    "PairOrder": lambda: order.unit_order("tanh", inputs()),
    "RankProbability": lambda: order.rank_probability(net(), inputs(), labels()),
    "TangentKernel": lambda: tangent.tangent_kernel(net(), inputs()),
    "BinaryLayer": lambda: rg.BinaryLayer(np.eye(6), np.zeros(6)),
    "TransferMatrix": lambda: rg.TransferMatrix(np.zeros((8, 8))),
    "LinearLayer": lambda: rg.LinearLayer(many(0.5), np.zeros(LARGE), many(1.0)),
    "Gaussian": lambda: rg.LinearLayer(many(0.5), np.zeros(LARGE), many(1.0)).stationary(),
    "NoisyLayer": lambda: rg.NoisyLayer("tanh", 1.0, 0.0, 0.1),
    "TransferOperator": lambda: rg.NoisyLayer("tanh", 1.0, 0.0, 0.5).operator(64),
    "StationaryLaw": lambda: rg.NoisyLayer("tanh", 1.0, 0.0, 0.5).operator(64).stationary(),
    "Spectrum": lambda: rg.NoisyLayer("tanh", 1.0, 0.0, 0.5).operator(64).spectrum(20),
    "Flow": lambda: rg.flow(rg.LinearLayer(0.5, 0.0, 0.75), 3),
    "FixedPoint": lambda: rg.fixed_points(rg.LinearLayer)[0],
    "Exponents": lambda: rg.exponents(rg.fixed_points(rg.LinearLayer)[0]),
    "Truncation": lambda: rg.BinaryLayer([[0.7]], [0.0]).compose(rg.BinaryLayer([[0.7]], [0.1])).truncation,
    "Collapse": lambda: COLLAPSE,
    "FixedFunction": lambda: rg.FixedFunction(3, 1 / 3),
    "ScalingField": lambda: rg.FixedFunction(3, 1 / 3).scaling_fields()[0],
    "RepeatedLayer": lambda: rg.RepeatedLayer("tanh"),
    "LeadingForm": lambda: rg.RepeatedLayer("tanh").leading_form(),
    "RenormalisedLayer": lambda: rg.renormalise(rg.RepeatedLayer("tanh"), 2)[1],
    "RandomLayer": lambda: rg.RandomLayer("tanh", 1.5, 0.1),
    "RandomStack": lambda: rg.RandomLayer("tanh", 1.5, 0.1).power(3),
    "MeanField": lambda: rg.RandomLayer("relu", 1.5, 0.1).fixed_point(),
    "FiniteWidth": lambda: rg.RandomLayer("tanh", 1.5, 0.1).finite_width(1.0, 20),
    "Signals": lambda: rg.RandomLayer("tanh", 1.5, 0.1).simulate(10, 5, replicas=4, rng=1),
    "Decay": lambda: rg.place(net(), inputs(), rng=1).decay,
    "Criticality": lambda: rg.criticality("tanh"),
    "Transition": lambda: rg.transition("tanh", np.linspace(0.1, 0.5, 3)),
    "PhaseDiagram": lambda: rg.phase_diagram("tanh", [0.5, 1.0, 1.5], [0.1, 0.2, 0.3]),
    "Placement": lambda: rg.place(net(), inputs(), rng=1),
    "LayerPlace": lambda: rg.place(net(), inputs(), rng=1).layers[0],
    "Operator": lambda: rg.operators(2)[0],
    "LinearisedFlow": sampled_flow,
    "CriticalCoupling": lambda: rg.critical_coupling(sampled_flow(), sampled_flow(8, 1), 1 / 3),
    "testing.Comparison": lambda: testing.statistics.mean(np.random.default_rng(1).normal(size=200), 0.0),
    "Sensitivity": lambda: testing.statistics.sensitivity(testing.statistics.z_score(0.1, 0.1, 0.0), 1e-9),
    "Line": lambda: testing.statistics.line([1.0, 2.0, 3.0], [1.0, 2.0, 2.9], [0.1, 0.1, 0.1]),
    "Law": lambda: testing.check_activation(network.ACTIVATIONS["tanh"], rng=1).laws[0],
    "LawReport": lambda: testing.check_activation(network.ACTIVATIONS["tanh"], rng=1),
    "Deviation": lambda: testing.Deviation(0.1, 0.01),
    "Power": lambda: testing.Power(tuple(np.linspace(0.1, 0.2, 30)), tuple(np.linspace(0.1, 0.2, 30)), 0.01),
    "Derivation": metropolis,
    "Step": lambda: node_strength().steps[0],
    "Formula": lambda: theory.formula("gamma-poisson.working"),
    "theory.Comparison": lambda: theory.compare("gamma-poisson.silent", 1),
}
NOT_STORED = {"Derivation", "Formula", "Step", "theory.Comparison"}  # made anew: they hold expressions of sympy
OTHERS = {"Method", "Walkers", "Accumulator", "Ledger"}  # protocols, which have no objects, and what goes on counting


def frozen_classes():
    """Return classes by name; of two classes of one name, the later one by room and name."""
    classes = {}
    for room, names in PUBLIC.items():
        for name in names:
            thing = getattr(importlib.import_module(room), name)
            if inspect.isclass(thing) and not issubclass(thing, Enum | Exception) and thing not in classes.values():
                classes[name if name not in classes else f"{room.removeprefix('statnn.')}.{name}"] = thing
    return classes


def test_the_table_holds_every_public_class():
    assert frozen_classes().keys() == MAKERS.keys() | OTHERS


def test_what_differs_in_one_entry_a_mask_or_a_type_is_not_equal():
    gaussian = rg.Gaussian(np.array([0.0, np.nan]), np.eye(2))
    assert gaussian == rg.Gaussian(np.array([-0.0, np.nan]), np.eye(2))
    assert hash(gaussian) == hash(rg.Gaussian(np.array([-0.0, np.nan]), np.eye(2)))
    for mean in ([0.0, 1.0], [0.0, np.nan, 0.0], [0, 1]):
        assert gaussian != rg.Gaussian(np.array(mean), np.eye(2))
    values = np.ma.array([1.0, 2.0], mask=[False, True])
    masked, plain = (spikes.FitTest("poisson", mean, values) for mean in (values, np.ma.array([1.0, 2.0])))
    assert masked == copy.deepcopy(masked) != plain
    spins = BinaryNeurons([[0.0, 1.0], [1.0, 0.0]])
    assert spins == BinaryNeurons([[0.0, 1.0], [1.0, 0.0]]) != spins.at(2.0)
    assert spins != BinaryNeurons([[0.0, 1.0], [1.0, 0.0]], fields=0.1)
    process = activation.BetaBernoulli(3, 1.0, 1.0)
    assert process.after(5, [1, 0, 2]) == process.after(5, [1, 0, 2]) != process.after(6, [1, 0, 2])
    assert process.after(5, [1, 0, 2]) != process.after(5, [1, 1, 2])


def locks(value, path=""):
    """Return by path which arrays of the value are read-only."""
    if isinstance(value, np.ndarray):
        return {path: not value.flags.writeable}
    if is_dataclass(value):
        value = {field.name: getattr(value, field.name, None) for field in fields(value)}
    elif isinstance(value, list | tuple):
        value = dict(enumerate(value))
    parts = value.items() if isinstance(value, Mapping) else ()
    return {at: lock for key, part in parts for at, lock in locks(part, f"{path}.{key}").items()}


def test_read_only_arrays_stay_so_in_copies_and_others_can_be_written():
    layer = rg.LinearLayer(np.eye(2), 0.0, np.eye(2))
    for value, expected in ((layer, {True}), (MAKERS["State"](), {True, False})):
        for other in (copy.copy(value), copy.deepcopy(value), pickle.loads(pickle.dumps(value))):  # noqa: S301
            assert locks(other) == locks(value)
            assert set(locks(other).values()) == expected


@pytest.mark.parametrize("name", MAKERS)
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_copies_are_equal_and_text_is_short(name, tmp_path):
    value = MAKERS[name]()
    assert type(value) is frozen_classes()[name]
    copies = [copy.copy(value), copy.deepcopy(value), pickle.loads(pickle.dumps(value))]  # noqa: S301
    if name not in NOT_STORED:
        io.save(value, tmp_path / "value.npz")
        copies.append(io.load(tmp_path / "value.npz"))
    for other in copies:
        assert other == value
        assert not other != value  # noqa: SIM202 - another method
        assert hash(other) == hash(value)
        assert repr(other) == repr(value)
        assert locks(other) == locks(value)
    assert value != 0
    assert len(repr(value)) <= SCREEN
    assert len(repr(value).splitlines()) <= 5
    assert "± 0," not in str(value)  # a parameter that is given has no error


@pytest.mark.parametrize("name", MAKERS)
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_no_field_is_taken_for_an_array_in_its_place(name):
    """As a file may hold one: arrays have no single truth value, which the equality of dataclasses asks for."""
    value = MAKERS[name]()
    if not (is_dataclass(value) and value.__dataclass_params__.eq):
        return
    for changed in fields(value):
        first, other = (object.__new__(type(value)) for _ in range(2))
        for field in fields(value):
            own = np.array([1.25, 2.5, 5.0]) if field is changed else getattr(value, field.name)
            object.__setattr__(first, field.name, own)
            object.__setattr__(other, field.name, copy.copy(own) if field is changed else own)
        assert same(first, other)
        assert same((value,), (other,)) is not changed.compare


def test_what_differs_in_a_name_or_a_state_is_not_the_same():
    assert same({"a": 1.0}, {"a": 1.0})
    assert not same({"a": 1.0}, {"b": 1.0})
    assert not same([activation.BetaBernoulli], [activation.GammaPoisson])
    assert same(np.random.default_rng(1), np.random.default_rng(1))
    assert not same(np.random.default_rng(1), np.random.default_rng(2))


def test_six_entries_are_shown_and_of_more_the_shape():
    """Of a longer array the shape is shown, of a longer sequence the first six entries and their number."""
    six, seven = (rg.Gaussian(np.zeros(n), np.zeros((1, n))) for n in (6, 7))
    zeros = "array([0., 0., 0., 0., 0., 0.])"
    assert repr(six) == f"Gaussian(mean={zeros}, covariance=array([[0., 0., 0., 0., 0., 0.]]))"
    assert repr(seven) == "Gaussian(mean=<float64 of shape (7,)>, covariance=<float64 of shape (1, 7)>)"
    assert _brief([*range(7)], 120) == "[0, 1, 2, 3, 4, 5, ... 7 in all]"


@pytest.mark.parametrize("dtype", [np.float32, float, complex])
def test_entries_that_are_not_numbers_are_equal_to_themselves(dtype):
    array = np.array([1.0, np.nan], dtype=dtype)
    assert same(array, array.copy())
    assert not same(array, np.array([np.nan, 1.0], dtype=dtype))
    masked = np.ma.masked_array([1.0, 2.0], [False, True])
    assert same(masked, masked.copy())
    assert not same(masked, np.ma.masked_array([1.0, 2.0], [True, False]))


@pytest.mark.parametrize("value", [(1.5,), (1, "a"), [2], [], ()])
def test_short_sequences_are_written_as_python_reads_them(value):
    assert ast.literal_eval(_brief(value, 120)) == value


@pytest.mark.parametrize(
    ("kind", "digest"),
    [
        (rg.FlowEnd, "82f8fb87"),
        (rg.FixedPointEnd, "d2134a96"),
        (rg.VarianceEnd, "73f4849b"),
        (rg.DecayEnd, "e8038640"),
        (rg.LeadingFormKind, "3acf89f8"),
        (rg.CriticalityKind, "0df7aca5"),
        (rg.TransitionKind, "bff508a8"),
        (rg.Phase, "16d20ed7"),
        (rg.Regime, "249729b7"),
        (rg.ScalingFieldKind, "325e90e5"),
    ],
)
def test_texts_of_endings_and_kinds_stay_as_files_hold_them(kind, digest):
    """A kept result names a member by its text: with another text it could not be read any more."""
    assert sha256("|".join(member.value for member in kind).encode()).hexdigest()[:8] == digest
