"""Single numbers as arguments: what is no number is refused in words, by everything that asks for one."""

import numpy as np
import pytest

from statnn import Network, plot, rg
from statnn.activation import GammaPoisson, compare, fit
from statnn.interaction import BinaryNeurons, square_lattice
from statnn.measure.basins import weight_basin
from statnn.measure.graph import strength
from statnn.measure.growth import from_active_samples
from statnn.measure.spikes import statistics
from statnn.montecarlo import sample
from statnn.network import ACTIVATIONS, BatchNorm, leaky_relu
from statnn.testing import Ledger, check_layer, power
from statnn.theory import formula

FIT = fit([0, 0, 1, 0, 2, 0, 0, 14, 3, 0, 40, 0, 1, 0, 0, 0], 100, rng=1)
SPIKES = statistics(np.random.default_rng(1).normal(size=(60, 3)), window=5)
SHARES = {
    "interval": lambda level: FIT.interval("b", level),
    "rejected": lambda level: SPIKES.test("binomial").rejected(level),
    "band": lambda level: GammaPoisson(5, 1.0, 1.0).simulate([1, 3], replicas=3, rng=1).plot(level=level),
}


@pytest.mark.parametrize("name", SHARES)
def test_levels_are_numbers_between_0_and_1(name):
    for level in (0, 1, -0.1, float("nan"), float("inf")):
        with pytest.raises(ValueError, match=r"level = .* must lie between 0 and 1"):
            SHARES[name](level)
    for level in ("0.5", None, True, np.array([0.1, 0.2]), 0.5j):
        with pytest.raises(TypeError, match=r"level = .* one number between 0 and 1 is needed"):
            SHARES[name](level)
    SHARES[name](np.float32(0.5))


@pytest.mark.parametrize(
    ("m", "error"), [("3", TypeError), (float("nan"), ValueError), (0.5, ValueError), (0, ValueError)]
)
def test_a_law_of_depth_wants_layers(m, error):
    with pytest.raises(error, match=r"m = .* the law is one for many layers"):
        rg.criticality("tanh").variance(m)


@pytest.mark.parametrize("given", [(k for k in (0, 1, 2)), {5: 0, 6: 3}.values(), map(int, "012"), {0, 1}])
@pytest.mark.parametrize("call", [lambda x: fit(x, 5), statistics, GammaPoisson(9, 1.0, 1.0).working, rg.LinearLayer])
def test_entries_that_come_one_by_one_are_wanted_as_a_list(call, given):
    """To numpy they are one object: a message on its "shape ()" or on ".astype(int)" would say nothing."""
    with pytest.raises(TypeError, match="whose entries numpy does not take one by one: pass a list of them"):
        call(given)


RAGGED = [[1.0], [2.0, 3.0]]
SINGLE = {
    "sigma_w": lambda: rg.RandomLayer("tanh", RAGGED),
    "m": lambda: rg.FixedFunction(3, 1.0).layers(1.0, RAGGED),
    "start": lambda: rg.RepeatedLayer("tanh").signal(RAGGED, 1),
    "c": lambda: rg.RandomLayer("tanh", 1.0).propagate(1.0, RAGGED, 2),
    "axes": lambda: rg.block_spins(np.ones((8, 4, 4)), 2, axes=RAGGED),
    "periodic": lambda: rg.linearise(np.ones((64, 8)), periodic=RAGGED),
    "epsilon": lambda: BatchNorm([0.0], [1.0], epsilon=RAGGED),
    "slope": lambda: leaky_relu(RAGGED),
    "columns": lambda: plot.figure(RAGGED),
    "sigma_b": lambda: strength(Network.random([3, 2], rng=1), sigma_w=1.0, sigma_b=RAGGED),
}


@pytest.mark.parametrize("name", SINGLE)
def test_rows_of_unequal_length_are_no_number(name):
    with pytest.raises(ValueError, match=f"{name} is not an array, its rows differ in length"):
        SINGLE[name]()


@pytest.mark.parametrize("given", [RAGGED, [1, 2], (1, 2), range(2), np.array([1, 2])])
def test_several_counts_are_no_count(given):
    with pytest.raises(TypeError, match=r"m = .* a whole number of type int is needed: call once for each of them"):
        rg.LinearLayer(0.5).power(given)


DURATIONS = {
    "neurons": lambda wrong: GammaPoisson(wrong, 1.0, 1.0),
    "m": lambda wrong: rg.LinearLayer(0.5).power(wrong),
    "rng": lambda wrong: Network.random([3, 2], rng=wrong),
    "coupling": lambda wrong: square_lattice(4, 4, wrong),
    "level": SHARES["interval"],
    "tolerance": lambda wrong: rg.fixed_points(lambda k, b: k**b, [1.2], tolerance=wrong),
}


@pytest.mark.parametrize("name", DURATIONS)
def test_durations_are_no_numbers(name):
    """Numpy counts them as whole numbers."""
    with pytest.raises(TypeError, match=f"{name} = .* is a timedelta64"):
        DURATIONS[name](np.timedelta64(3, "s"))


MANY = np.random.default_rng(1).binomial(50, np.random.default_rng(2).beta(2.0, 3.0, 400))
UNUSED = {
    "fit": lambda seed: fit(MANY, 50, rng=seed),
    "compare": lambda seed: compare(MANY, 50, rng=seed),
    "growth": lambda seed: from_active_samples(MANY, 50, rng=seed),
    "spikes": lambda seed: statistics(np.ones((60, 3)), window=5, rng=seed),
}


@pytest.mark.parametrize("name", UNUSED)
def test_what_is_no_seed_is_refused_where_none_is_needed_too(name):
    for wrong in ("5", 2.0, 1j, np.timedelta64(3, "s")):
        with pytest.raises(TypeError, match="rng = "):
            UNUSED[name](wrong)
    generator = np.random.default_rng(1)
    UNUSED[name](generator)
    assert generator.random() == np.random.default_rng(1).random(), "no bits were drawn"


PLACED = rg.place(Network.random([4, 5, 5], rng=1), np.random.default_rng(1).normal(size=(8, 4)))
ASKED = {
    "field": lambda wrong: ACTIVATIONS["tanh"].series(wrong, 4),
    "terms": lambda wrong: ACTIVATIONS["tanh"].series(0.0, wrong),
    "digits": lambda wrong: ACTIVATIONS["tanh"].series(0.0, 4, wrong),
    "tolerance": lambda wrong: check_layer(rg.LinearLayer(0.5, 1.0, 0.3), tolerance=wrong, rng=1),
    "times": lambda wrong: rg.RandomStack([rg.RandomLayer("tanh", 1.0)], [1]).trajectory(1.0, 0.5, wrong),
    "first": lambda wrong: PLACED.plot(critical=False, first=wrong),
    "columns": plot.figure,
    "digits of a formula": lambda wrong: formula("gamma-poisson.working").evaluate(digits=wrong, D=9, N=9, b=1, c=1),
    "tolerance of a family": lambda wrong: rg.fixed_points(rg.LinearLayer, tolerance=wrong),
    "p": lambda wrong: Ledger().enter(wrong),
    "level": lambda wrong: power(lambda *_: 0.5, [0.0, 1.0], level=wrong),
    "probability": lambda wrong: power(lambda *_: 0.5, [0.0, 1.0]).smallest(wrong),
}


@pytest.mark.parametrize("wrong", ["5", b"5", 2 + 0j, np.array(2 + 0j), np.nan, np.datetime64("2020-01-01")], ids=repr)
@pytest.mark.parametrize("name", ASKED)
def test_what_is_no_number_is_refused_by_its_name(name, wrong):
    with pytest.raises((TypeError, ValueError), match=rf"^{name.split()[0]} (=|must hold real|is)"):
        ASKED[name](wrong)


ONE = {
    "field": lambda several: rg.RepeatedLayer.critical("tanh", several),
    "radius": lambda several: rg.RepeatedLayer("tanh").leading_form(radius=several),
    "constant": lambda several: rg.BinaryLayer(0.5, constant=several),
    "log_scale": lambda several: rg.TransferMatrix(np.zeros((2, 2)), several),
    "start": rg.NoisyLayer("tanh", 0.5, 0.0, 1.0).operator(45).moments,
    "lb": lambda several: GammaPoisson(9, 1.0, 1.0).count(2).expect(lb=several),
}


@pytest.mark.parametrize("name", ONE)
def test_an_array_of_one_number_is_no_number(name):
    for several in ([0.5], np.array([0.5]), np.array([0.5, 0.6])):
        with pytest.raises(TypeError, match=rf"{name} = .* is not one number"):
            ONE[name](several)


LISTS = {
    "widths": lambda text: Network.random(text, rng=1),
    "counts": lambda text: rg.RandomStack([rg.RandomLayer("tanh", 1.0)] * 2, text),
    "chains": lambda text: sample(BinaryNeurons([[0, 1], [1, 0]]), 9, chains=text, rng=1),
    "layers": lambda text: weight_basin(Network.random([3, 2, 2], rng=1), np.ones((3, 3)), layers=text, rng=1),
}


@pytest.mark.parametrize("name", LISTS)
def test_bytes_are_no_list_of_numbers(name):
    """Python gives their codes one by one."""
    for text in (b"\x00\x01", "01"):
        with pytest.raises(TypeError, match=rf"{name}(\[0\])? = "):
            LISTS[name](text)
