"""Laws of interacting models hold for ours; each law refuses what breaks it."""

from dataclasses import replace

import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from strategies import examples

from statnn.interaction import BinaryNeurons, DynamicNeurons
from statnn.network import Network
from statnn.testing import check_model, rejects, strategies
from statnn.testing._model_laws import LAWS

SPINS = {"one by one", "energy", "graph", "exact averages", "temperature", "copies"}


@given(strategies.binary_neurons(most=9))
@examples(0.3)
def test_laws_of_spins(model):
    assert set(check_model(model, rng=1).names("held")) == SPINS


@given(strategies.dynamic_neurons())
@examples(0.5)
def test_laws_of_neurons(model):
    assert set(check_model(model, rng=1).names("held")) >= {"one by one", "variables", "copies"}


def linear(depth):
    return strategies.networks(width=(1, 3), depth=(1, depth), activations=["identity"])


@given(strategies.dynamic_neurons(linear(1)) | strategies.dynamic_neurons(linear(3), free=[("neurons",)]))
@examples(0.5)
def test_laws_of_linear_neurons(model):
    held = {"one by one", "gradient", "graph", "exact averages", "variables", "copies"}
    assert set(check_model(model, rng=1).names("held")) == held


class Own(BinaryNeurons):
    """Spins that break one law."""

    breaks = ""

    def energy(self, state):
        energies = super().energy(state)
        if self.breaks == "one by one" and np.ndim(energies):
            return energies + 1e-6 * np.arange(np.size(energies)).reshape(np.shape(energies))
        return energies + (1e-12 if self.breaks == "energy" else 0.0)

    def graph(self, *, layers=False):
        graph = super().graph(layers=layers)
        return nx.complete_graph(graph.nodes) if self.breaks == "graph" else graph

    def exact(self, method=None, *, correlations=True):
        averages = super().exact(method, correlations=correlations)
        return (
            replace(averages, heat_capacity=averages.heat_capacity * 1.001)
            if self.breaks == "exact averages"
            else averages
        )

    def at(self, temperature):
        return super().at(1.1 * temperature if self.breaks == "temperature" else temperature)

    def __reduce__(self):
        fields = self.fields + (self.breaks == "copies")
        return type(self), (self.couplings, fields, self.temperature)

    def __deepcopy__(self, memo):
        return self


class Moving(DynamicNeurons):
    """Neurons that break one law."""

    breaks = ""

    def gradient(self, state):
        return super().gradient(state) * (1.001 if self.breaks == "gradient" else 1.0)

    def pack(self, state):
        return super().pack(state)[..., ::-1] if self.breaks == "variables" else super().pack(state)

    def graph(self, *, parameters=False, factors=False, layers=False):
        graph = super().graph(parameters=parameters, factors=factors, layers=layers)
        if self.breaks == "graph":
            graph.remove_edge(("h", 1, 0), ("h", 2, 0))
        return graph

    def exact(self, *, covariance=True):
        averages = super().exact(covariance=covariance)
        return replace(averages, mean=averages.mean + 1e-6) if self.breaks == "exact averages" else averages

    def in_doubles(self):
        return self


def spins(law):
    return type("Own", (Own,), {"breaks": law})([[0, 1, 0.5], [1, 0, -0.3], [0.5, -0.3, 0]], [0.3, -0.2, 0.1], 1.3)


def neurons(law):
    net = Network([[[0.8, -0.4], [0.3, 0.9]], [[1.0, -0.5]]], [[0.1, -0.2], [0.3]], "identity")
    return type("Moving", (Moving,), {"breaks": law})(net, [[0.5, -1.0]], [[1.0]])


BROKEN = [(spins, law) for law in sorted(SPINS - {"copies"})]
BROKEN += [(neurons, law) for law in ("gradient", "graph", "exact averages", "variables")]


class Forgetful(Own):
    breaks = "copies"


def test_a_broken_object_stands_for_every_law():
    assert {law for _, law in BROKEN} | {"copies"} == {law.__name__.strip("_").replace("_", " ") for law in LAWS}


@pytest.mark.parametrize(("make", "law"), BROKEN)
def test_every_law_refuses_what_breaks_it(make, law, rng):
    with rejects(rf"\n  {law}: .*(instead of|no edge)"):
        check_model(make(law), rng=rng)


class Complex(BinaryNeurons):
    """Energies whose real parts are right."""

    def energy(self, state):
        return super().energy(state) + 0.5j


def test_energies_that_are_not_real_are_refused(rng):
    """Numpy drops imaginary parts, with a warning: the model would hold every law."""
    with rejects(r"\n  energy: .*complex128 instead of real numbers"):
        check_model(Complex([[0, 1], [1, 0]], 0.3), rng=rng)


def test_a_wrong_energy_names_the_state(rng):
    with rejects(r"\n  energy: .*state \[ ?-?1  ?-?1  ?-?1\]: \S+ instead of"):
        check_model(spins("energy"), rng=rng)


def test_copies_that_differ_are_refused(rng):
    with rejects(r"\n  copies: .*not equal to"):
        check_model(Forgetful([[0, 1], [1, 0]], 0.3), rng=rng)


@pytest.mark.parametrize("unit", [1e-6, 1.0, 1e6])
def test_mean_energies_are_compared_in_units_of_the_temperature(unit, rng):
    class Off(BinaryNeurons):
        def exact(self, method=None, *, correlations=True):
            averages = super().exact(method, correlations=correlations)
            return replace(averages, energy=averages.energy + 1e-10 * self.temperature)

    couplings = unit * np.array([[0, 1], [1, 0]])
    check_model(BinaryNeurons(couplings, temperature=unit), rng=rng)
    with rejects(r"\n  exact averages: .*: energy: "):
        check_model(Off(couplings, temperature=unit), rng=rng)


def test_exact_averages_that_are_refused_are_not_asked(rng):
    """Energies of 1e200 T have no digits left in exp(-E/T), and `exact` says so."""
    report = check_model(BinaryNeurons([[0, 1], [1, 0]], temperature=1e-200), rng=rng)
    assert "exact averages" in report.names("not asked")
    assert "there are none: local fields reach 1e+200 T" in str(report)


def test_what_is_no_model_says_what_it_needs():
    with pytest.raises(TypeError, match=r"model is a int; it needs energy\(states\), and size or dimension"):
        check_model(3)
