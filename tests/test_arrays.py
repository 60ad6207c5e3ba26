"""Where arrays enter, in all rooms: masks are not taken for numbers, and what is no array of numbers is refused."""

import importlib
import inspect
import typing
from functools import partial

import numpy as np
import pytest
from matplotlib.figure import Figure
from numpy.typing import ArrayLike
from scipy.stats import norm
from signatures import types_of
from test_house import PUBLIC

from statnn import Network, plot, rg, testing
from statnn._arguments import LARGEST_COUNT, array_of, at_least, whole_array
from statnn._arrays import real
from statnn.activation import BetaBernoulli, GammaPoisson, PolyaUrn, compare, fit, rarefaction
from statnn.inspection import inspect as inspected
from statnn.interaction import BinaryNeurons, DynamicNeurons
from statnn.io import load_network, save_network
from statnn.measure import basins, correlation, growth, order, spikes, tangent
from statnn.montecarlo import estimate, sample
from statnn.network import Activation, BatchNorm
from statnn.testing import statistics as compared

X = np.arange(8.0).reshape(4, 2) / 8
Y = np.array([0, 1, 0, 1])
COUNTS = np.array([0, 3, 10, 7, 1, 2])
NET = Network([np.eye(2), [[1.0, -1.0], [0.5, 0.25]]], activation="tanh")
NORM = BatchNorm([0.0, 1.0], [1.0, 2.0])
BINARY = BinaryNeurons([[0.0, 1.0], [1.0, 0.0]])
DYNAMIC = DynamicNeurons(NET, inputs=X, targets=np.zeros((4, 2)), beta=1.0, stiffness=2.0)
STATE = np.zeros(DYNAMIC.dimension)
DRAWS = np.random.default_rng(3).normal(size=(200, 2))
SPINS = np.ones((4, 8, 8), dtype=np.int8)
TANH, FIXED, WIDE = rg.RepeatedLayer("tanh"), rg.FixedFunction(3, 1 / 3), rg.RandomLayer("tanh", 1.5, 0.1)
STACK = WIDE.power(2)
LINEAR, NOISY = rg.LinearLayer([[0.5]]), rg.NoisyLayer("tanh", 1.0, 0.0, 0.1)
DEPTHS, CONTROLS = np.repeat([10.0, 20.0], 5), np.tile(np.linspace(-1, 1, 5), 2)
VALUES = 1 / DEPTHS
COLLAPSE = rg.Collapse(  # made-up numbers in the place of a fit
    **{
        name: {
            "controls": CONTROLS[None],
            "depths": DEPTHS,
            "values": VALUES,
            "errors": VALUES,
            "value_exponent": 1.0,
            "control_exponents": np.ones(1),
        }.get(name)
        for name in inspect.signature(rg.Collapse).parameters
    }
)


def started(kind):
    return kind(6, 0.5, 2.0)


def laws(kind):
    names = (
        "silent",
        "working",
        "working_std",
        "missing_mass",
        "growth_rate",
        "noise_to_signal",
        "limit_error_bound",
        "cutoff",
    )
    return {name: (getattr(started(kind), name), {"D": np.array([1, 5])}) for name in names}


def binary_layer(**arrays):
    return rg.BinaryLayer(**({"couplings": np.eye(2), "fields": np.zeros(2), "inputs": np.zeros(2)} | arrays))


def returning(values):
    """Return the identity, but with these values for fields of the shape of X."""
    return Activation("own", lambda h: values if np.shape(h) == X.shape else h, np.ones_like)


# qualified name of what is called: the call, and plain values of all arrays that it takes
ENTRIES = {
    "Network.__init__": (Network, {"weights": [np.eye(2)], "biases": [np.zeros(2)]}),
    "Network.__call__": (NET, {"x": X}),
    "Network.inputs": (NET.inputs, {"x": X}),
    "Network.trace": (NET.trace, {"x": X}),
    "Network.repeated": (lambda **a: Network.repeated(**a, depth=2), {"weight": np.eye(2), "bias": np.zeros(2)}),
    "BatchNorm.__init__": (BatchNorm, dict.fromkeys(("mean", "variance", "gamma", "beta"), np.ones(2))),
    "BatchNorm.__call__": (NORM, {"fields": X}),
    "ActivationProcess.after": (lambda counts: started(BetaBernoulli).after(12, counts), {"counts": COUNTS}),
    "ActivationProcess.plot": (started(BetaBernoulli).plot, {"D": np.array([1.0, 5.0])}),
    "ActivationProcess.simulate": (lambda checkpoints: started(BetaBernoulli).simulate(checkpoints, rng=1),
                                   {"checkpoints": np.array([1, 5])}),
    "ActivationProcess.loss": (lambda D, per_neuron_loss: started(BetaBernoulli).loss(D, lambda _: per_neuron_loss),
                               {"D": np.array([3]), "per_neuron_loss": np.ones(2)}),
    **{f"ActivationProcess.{name}": call for name, call in laws(BetaBernoulli).items()},
    **{f"TwoColourUrn.{name}": laws(BetaBernoulli)[name] for name in ("cutoff", "limit_error_bound")},
    **{f"GammaPoisson.{name}": laws(GammaPoisson)[name] for name in ("cutoff", "limit_error_bound", "working_std")},
    "BetaBernoulli.working_std": laws(BetaBernoulli)["working_std"],
    "PolyaUrn.working_std": laws(PolyaUrn)["working_std"],
    "fit": (lambda counts: fit(counts, 12, rng=1), {"counts": COUNTS}),
    "compare": (lambda counts: compare(counts, 12, rng=1), {"counts": COUNTS}),
    "rarefaction": (lambda counts, at: rarefaction(counts, 12, at), {"counts": COUNTS, "at": np.array([1, 2])}),
    "BinaryNeurons.__init__": (BinaryNeurons, {"couplings": BINARY.couplings.toarray(), "fields": np.zeros(2)}),
    "BinaryNeurons.energy": (BINARY.energy, {"state": np.array([1, -1])}),
    "BinaryNeurons.states": (BINARY.states, {"state": np.array([1, -1])}),
    "DynamicNeurons.__init__": (lambda **a: DynamicNeurons(NET, **a, beta=1.0, stiffness=2.0),
                                {"inputs": X, "targets": np.zeros((4, 2))}),
    **{f"DynamicNeurons.{name}": (getattr(DYNAMIC, name), {"state": STATE})
       for name in ("energy", "gradient", "states", "unpack")},
    "sample": (lambda initial: sample(BINARY, 10, chains=2, rng=1, initial=initial), {"initial": np.array([1, -1])}),
    "inspect": (lambda data, labels: inspected(NET, data, labels, only=["activity"], rng=0),
                {"data": np.tile(X, (30, 1)), "labels": np.tile(Y, 30)}),
    "from_active_samples": (lambda counts, at: growth.from_active_samples(counts, 12, at=at, rng=1),
                    {"counts": COUNTS, "at": np.array([1, 2])}),
    "layer": (lambda **a: growth.layer(**a, rng=1),
              {"activations": X, "threshold": np.zeros(2), "at": np.array([1, 2])}),
    "layers": (lambda **a: growth.layers(NET, **a, rng=1), {"x": X, "at": np.array([1, 2])}),
    "from_window_counts": (lambda counts: spikes.from_window_counts(counts, 12),
                                  {"counts": COUNTS.reshape(3, 2)}),
    "Accumulator.__init__": (lambda threshold: spikes.Accumulator(2, threshold=threshold), {"threshold": np.zeros(2)}),
    "Accumulator.update": (lambda batch: spikes.Accumulator(2).update(batch), {"batch": X}),
    "statistics": (lambda **a: spikes.statistics(**a, window=1, order="blocked"),
                   {"activations": X, "threshold": np.zeros(2), "labels": Y}),
    "blocked_fano_factor": (lambda **a: spikes.blocked_fano_factor(**a, window=5),
                            {"rates": np.array([0.1, 0.2]), "weights": np.ones(2)}),
    "independent_fano_factor": (spikes.independent_fano_factor, {"rate": np.array([0.1, 0.2])}),
    "shuffled_fano_factor": (lambda rate: spikes.shuffled_fano_factor(rate, 2, 10), {"rate": np.array([0.1, 0.2])}),
    **{name: (lambda x, labels, basin=basin: basin(NET, x, labels, draws=4, rng=1), {"x": X, "labels": Y})
       for name, basin in (("sample_basin", basins.sample_basin), ("weight_basin", basins.weight_basin))},
    "neuronal_correlation": (correlation.neuronal_correlation, {"activations": X}),
    "participation_ratio": (correlation.participation_ratio, {"activations": X}),
    "group_order": (lambda **a: order.group_order("tanh", **a),
                    {"fields": X, "weights": np.ones(2), "reference": np.arange(4.0)}),
    "unit_order": (lambda fields: order.unit_order("tanh", fields), {"fields": X}),
    "l_map_accuracy": (lambda x, labels: order.l_map_accuracy(NET, x, labels), {"x": X, "labels": Y}),
    "rank_probability": (lambda x, labels: order.rank_probability(NET, x, labels), {"x": X, "labels": Y}),
    "pooled_ranks": (order.pooled_ranks, {"fields": X, "weights": np.eye(2), "labels": Y}),
    "tangent_kernel": (lambda x: tangent.tangent_kernel(NET, x), {"x": X}),
    "BinaryLayer.__init__": (binary_layer, {"couplings": np.eye(2), "fields": np.zeros(2), "inputs": np.zeros(2)}),
    "Collapse.scaled": (COLLAPSE.scaled, {"control_exponents": np.ones(1)}),
    "collapse": (lambda **a: rg.collapse(**a, rng=1),
                 {"controls": CONTROLS, "depths": DEPTHS, "values": VALUES, "errors": VALUES, "guess": np.ones(2)}),
    **{f"FixedFunction.{name}": (call, {"x": np.array([0.5, 1.0])}) for name, call in (
        ("__call__", FIXED), ("eigenfunction", lambda x: FIXED.eigenfunction(1, x)),
        ("layers", lambda x: FIXED.layers(x, 2.0)), ("noise_eigenfunction", FIXED.noise_eigenfunction))},
    "FixedFunction.finite_depth": (FIXED.finite_depth, {"distance": np.zeros(2), "noise_std": np.zeros(2)}),
    "LeadingForm.signal": (TANH.leading_form().signal, {"layers": np.array([10.0, 20.0])}),
    "LinearLayer.__init__": (rg.LinearLayer, {"weight": np.eye(2), "bias": np.zeros(2), "noise_covariance": np.eye(2)}),
    "LinearLayer.propagate": (LINEAR.propagate, {"mean": np.zeros(1), "covariance": np.eye(1)}),
    "LinearLayer.simulate": (lambda start: LINEAR.simulate(start, 2, rng=1), {"start": np.zeros(1)}),
    "NoisyLayer.mean": (NOISY.mean, {"h": np.zeros(2)}),
    "NoisyLayer.simulate": (lambda start: NOISY.simulate(start, 2, rng=1), {"start": np.zeros(2)}),
    **{f"RandomLayer.{name}": (getattr(WIDE, name), {"q": np.ones(2)})
       for name in ("chi", "variance_map", "variance_slope")},
    "RandomLayer.correlation_map": (WIDE.correlation_map, {"c": np.zeros(2), "q": np.ones(2)}),
    "RandomStack.correlation_map": (STACK.correlation_map, {"c": np.zeros(2), "q": np.ones(2)}),
    "RandomStack.variance_map": (STACK.variance_map, {"q": np.ones(2)}),
    "RenormalisedLayer.__call__": (rg.renormalise(TANH, 2)[1], {"x": np.array([0.5, 1.0])}),
    "RepeatedLayer.__call__": (TANH, {"x": np.zeros(2)}),
    "RepeatedLayer.iterate": (lambda x: TANH.iterate(x, 2), {"x": np.zeros(2)}),
    "RepeatedLayer.simulate": (
        lambda depths: TANH.simulate(depths, noise_std=0.1, rng=1), {"depths": np.array([1, 2])}
    ),
    "TransferMatrix.__init__": (rg.TransferMatrix, {"log_weights": np.zeros((2, 2))}),
    "TransferOperator.__init__": (rg.TransferOperator, {
        "nodes": np.array([0.0, 1.0]), "weights": np.ones(2), "probabilities": np.full((2, 2), 0.5),
        "panels": np.array([0.0, 1.0]), "lost": np.zeros(2)}),
    "TransferOperator.propagate": (NOISY.operator(64).propagate, {"density": np.ones(64)}),
    "block_means": (lambda activity: rg.block_means(activity, 2), {"activity": SPINS}),
    "block_spins": (lambda states: rg.block_spins(states, 2, rng=1), {"states": SPINS}),
    "decimate": (lambda states: rg.decimate(states, 2), {"states": SPINS}),
    "linearise": (lambda states: rg.linearise(states, rng=1), {"states": SPINS}),
    "transition": (lambda sigma_b: rg.transition("tanh", sigma_b), {"sigma_b": np.array([0.1, 0.2])}),
    "Activation.__call__": (Activation("line", np.positive, np.ones_like), {"fields": X}),
    "Activation.__init__": (lambda kinks: Activation("ramp", lambda h: np.maximum(h, 0), None, kinks=kinks),
                            {"kinks": np.array([0.0, 1.0])}),
    "critical_line": (lambda sigma_b: rg.critical_line("tanh", sigma_b), {"sigma_b": np.array([0.1, 0.2])}),
    "phase_diagram": (lambda **a: rg.phase_diagram("tanh", **a),
                      {"sigma_w": np.array([1.0, 2.0]), "sigma_b": np.array([0.1, 0.2])}),
    "fixed_points": (lambda start, bounds: rg.fixed_points(lambda k, b: k**b, start=start, bounds=(bounds, bounds + 2)),
                     {"start": np.array([0.5]), "bounds": np.array([-1.0])}),
    "place": (lambda inputs: rg.place(NET, inputs, rng=1), {"inputs": X}),
    "Power.probability": (testing.Power((0.1, 0.2), (0.0, 1.0), 0.01).probability, {"deviation": np.array([0.1, 0.2])}),
    "power": (lambda wrong: testing.power(lambda *_: None, wrong), {"wrong": np.array([0.1, 0.2])}),
    "assert_counts": (partial(testing.assert_counts, what=""), {"observed": np.full(4, 50), "pmf": np.full(4, 0.25)}),
    "assert_covariance": (partial(testing.assert_covariance, what=""), {"samples": DRAWS, "theory": np.eye(2)}),
    "assert_law": (partial(testing.assert_law, theory=norm(), what=""), {"values": DRAWS[:, 0]}),
    "assert_mean": (partial(testing.assert_mean, theory=0.0, what=""), {"values": DRAWS, "bias": np.zeros(2)}),
    "assert_means": (partial(testing.assert_means, what=""), {"samples": DRAWS, "theory": np.zeros(2)}),
    "assert_slope": (partial(testing.assert_slope, order=1.0, what=""), {
        "x": np.arange(1.0, 6), "y": np.arange(1.0, 6), "y_error": np.full(5, 0.1)}),
    "assert_uniform": (partial(testing.assert_uniform, what=""), {"p_values": np.linspace(0.01, 0.99, 50)}),
    "bonferroni": (compared.bonferroni, {"p_values": np.full(3, 0.5)}),
    "counts": (compared.counts, {"observed": np.full(4, 50), "pmf": np.full(4, 0.25)}),
    "covariance": (compared.covariance, {"samples": DRAWS, "theory": np.eye(2)}),
    "law": (partial(compared.law, theory=norm()), {"values": DRAWS[:, 0]}),
    "mean": (partial(compared.mean, theory=0.0), {"values": DRAWS[:, 0]}),
    "mean_under": (partial(compared.mean_under, theory=norm()), {"values": DRAWS[:, 0]}),
    "mean_vector": (compared.mean_vector, {"samples": DRAWS, "theory": np.zeros(2)}),
    "line": (compared.line, {"x": np.arange(5.0), "y": np.arange(5.0), "error": np.ones(5)}),
    "power_law": (compared.power_law, {"x": np.arange(1.0, 6), "y": np.arange(1.0, 6), "error": np.full(5, 0.1)}),
    "total": (compared.total, {"values": np.ones(40), "pmf": np.array([0.5, 0.5])}),
    "uniform": (compared.uniform, {"p_values": np.linspace(0.01, 0.99, 50)}),
    # what takes arrays without saying so in its signature
    "estimate": (estimate, {"draws": np.random.default_rng(1).normal(size=(2, 40))}),
    "observable": (lambda values: sample(BINARY, 10, chains=2, rng=1, observables={"own": lambda _: values}),
                   {"values": np.ones(2)}),
    "load_network": (lambda **arrays: load_network({f"0.{k}": v for k, v in arrays.items()}, activation="tanh"),
                     {"weight": np.eye(2), "bias": np.zeros(2)}),
    "activation": (lambda values: Network([np.eye(2)], activation=returning(values))(X), {"values": X}),
    "activation of units": (lambda values: order.unit_order(returning(values), X), {"values": X}),
}  # fmt: skip
CASES = [(name, parameter) for name, (_, arrays) in ENTRIES.items() for parameter in arrays]


def takes_array(annotation):
    """Whether a type has ArrayLike in it."""
    inside = list(annotation) if isinstance(annotation, list) else list(typing.get_args(annotation))
    parts = typing.get_args(ArrayLike)  # of a union, which ArrayLike was before numpy 2.5
    whole = annotation is ArrayLike or (bool(inside and parts) and all(part in inside for part in parts))
    return whole or any(takes_array(part) for part in inside)


def public_parameters():
    """Return every parameter of a public function or method that is an array by its type."""
    parameters = set()
    for room, names in PUBLIC.items():
        for name in names:
            thing = getattr(importlib.import_module(room), name)
            members = [thing] if inspect.isfunction(thing) else []
            if inspect.isclass(thing):
                members = [
                    getattr(member, "__func__", member)
                    for key, member in inspect.getmembers(thing)
                    if not key.startswith("_") or key in {"__init__", "__call__"}
                ]
            for function in filter(inspect.isfunction, members):
                types = types_of(function)
                parameters |= {(function.__qualname__, name) for name in types if takes_array(types[name])}
    return parameters


def masked(values, hide=1):
    """Return an array with its first entry masked, or with a mask that hides none; of a list of arrays the last."""
    if isinstance(values, list):
        return [*values[:-1], masked(values[-1], hide)]
    first = np.zeros(values.shape, dtype=bool)
    first.flat[:hide] = True
    return np.ma.array(values, mask=first)


def test_the_table_holds_every_array_that_enters():
    missing = public_parameters() - set(CASES)
    assert not missing, f"public functions take arrays that no test masks; add them to ENTRIES: {sorted(missing)}"


@pytest.mark.parametrize(("name", "parameter"), CASES)
def test_masked_entries_are_refused(name, parameter):
    call, arrays = ENTRIES[name]
    with pytest.raises(ValueError, match=r"has masked entries, which would be taken for numbers: drop them"):
        call(**arrays | {parameter: masked(arrays[parameter])})


class Quantity(np.ndarray):
    """Numbers of a unit, as of astropy; those of pint and quantities call it units."""

    unit = "meV"


class Dimensioned(np.ndarray):
    """Numbers of a dimension, as brian2 has them, which has no name for their unit."""

    dimensions = "metre"
    is_dimensionless = False


class Dimensionless(Dimensioned):
    """Numbers of brian2 without a dimension."""

    is_dimensionless = True


class Share(np.ndarray):
    """Numbers without dimension, as quantities has them."""

    units = "1.0 dimensionless"


@pytest.mark.parametrize(("name", "parameter"), CASES)
def test_units_are_not_left_behind(name, parameter):
    """Couplings in meV beside fields in eV would be taken for numbers of one unit."""
    call, arrays = ENTRIES[name]
    with pytest.raises(TypeError, match=r"has the unit meV, and numbers here have none: divide"):
        call(**arrays | {parameter: of_kind(arrays[parameter], Quantity)})


def of_kind(values, kind):
    """Return an array as another class of arrays, of a list of arrays the first."""
    return [of_kind(values[0], kind), *values[1:]] if isinstance(values, list) else values.view(kind)


def test_numbers_without_dimension_are_taken():
    assert NET(X.view(Share)).tolist() == NET(X).tolist() == NET([*X.view(Share)]).tolist()
    assert NET(X.view(Dimensionless)).tolist() == NET(X).tolist()
    for kind, unit in ((Quantity, "meV"), (Dimensioned, "metre")):
        with pytest.raises(TypeError, match=f"has the unit {unit}, and numbers here have none"):
            NET([*X.view(kind)])
        with pytest.raises(TypeError, match=f"has the unit {unit}"):
            NET(X.view(kind))


@pytest.mark.parametrize(
    "name", ["fit", "from_window_counts", "statistics", "neuronal_correlation", "Network.__call__"]
)
def test_masks_that_hide_nothing_are_taken(name):
    call, arrays = ENTRIES[name]
    plain, other = call(**arrays), call(**{key: masked(value, hide=0) for key, value in arrays.items()})
    assert repr(plain) == repr(other)
    assert not isinstance(other, np.ma.MaskedArray)


def test_figures_and_files_hold_no_masks(tmp_path):
    figure = Figure()
    figure.add_subplot().plot([1, 2])
    with pytest.raises(ValueError, match="data 'x' has masked entries"):
        plot.save(figure, tmp_path / "figure", x=masked(X))
    assert not list(tmp_path.iterdir())
    save_network(Network([masked(np.eye(2), hide=0)]), tmp_path / "net.npz")
    assert load_network(tmp_path / "net.npz").weights[0].tolist() == np.eye(2).tolist()


class Column:
    """An object that makes itself an array, as columns of tables do."""

    def __init__(self, values):
        self.values = values

    def __array__(self, dtype=None, copy=None):
        return self.values

    def __len__(self):
        return len(self.values)


def test_what_makes_itself_an_array_is_one():
    counts, expected = [0, 3, 10, 7, 1, 2], fit(COUNTS, 12, rng=1)
    for same in (Column(COUNTS), tuple(counts), np.array(counts, dtype=">i2"), np.array(counts, dtype=object)):
        assert fit(same, 12, rng=1).b == expected.b
    with pytest.raises(ValueError, match="masked"):
        fit(Column(masked(COUNTS)), 12)
    with pytest.raises(ValueError, match="masked"):
        correlation.neuronal_correlation([list(X[0]), [np.ma.masked, 1.0], list(X[2])])
    with pytest.raises(ValueError, match="masked"):
        correlation.neuronal_correlation([masked(row) for row in X])
    matrix = X.view(np.matrix)
    np.testing.assert_array_equal(NET(matrix), NET(X))
    assert type(NET(matrix)) is np.ndarray
    assert correlation.participation_ratio(matrix) == correlation.participation_ratio(X)
    with pytest.raises(ValueError, match=r"counts has shape \(1, 6\)"):
        fit(COUNTS[None].view(np.matrix), 12)


class Tensor:
    """An object that refuses to become an array, as tensors that require gradients do."""

    def __array__(self, dtype=None, copy=None):
        raise RuntimeError("Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead.")


class Exchanged:
    """An array that can be read through the protocol of exchange, DLPack, alone."""

    def __dlpack__(self, **asked):
        return X.__dlpack__(**asked)

    def __dlpack_device__(self):
        return X.__dlpack_device__()


def test_arrays_that_numpy_cannot_read_are_refused_with_the_way():
    """The message says how numpy reads them, and nothing of numbers or objects."""
    with pytest.raises(TypeError, match=r"x is a Exchanged, an array .*: pass numpy\.from_dlpack\(x\)"):
        NET(Exchanged())
    assert NET(np.from_dlpack(Exchanged())).tolist() == NET(X).tolist()


@pytest.mark.parametrize("name", ["bfloat16", "float8_e4m3fn", "int4"])
def test_small_numbers_of_other_packages_are_taken_exactly(name):
    """They are real numbers, though numpy itself does not know their types."""
    kind = getattr(pytest.importorskip("ml_dtypes"), name)
    values = np.array([[0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    whole = name == "int4"  # which must not be read as weights that were not quantised
    assert NET(values.astype(kind)).tolist() == NET(values.astype(np.float64 if whole else np.float32)).tolist()
    assert array_of(values.astype(kind), "x").dtype == (np.int8 if whole else np.float32)
    assert np.array_equal(correlation.neuronal_correlation(values.astype(kind)).matrix,
                          correlation.neuronal_correlation(values).matrix)  # fmt: skip


NO_NUMBERS = {
    "complex": X + 0j,
    "text": X.astype(str),
    "dates": X.astype("M8[s]"),
    "durations": X.astype("m8[s]"),
    "records": np.zeros((4, 2), dtype=[("a", float), ("b", float)]),
    "hidden records": np.ma.zeros((4, 2), dtype=[("a", float), ("b", float)]),
    "objects": np.array([[None, 1], [2, 3], [4, 5], [6, 7]], dtype=object),
    "bytes": X.astype("S8"),
    "tensor": Tensor(),
}


@pytest.mark.parametrize("kind", NO_NUMBERS)
@pytest.mark.parametrize("name", ["neuronal_correlation", "statistics", "unit_order", "Network.__call__", "layer",
                                  "from_window_counts", "RandomLayer.chi",
                                  "RandomStack.variance_map"])  # fmt: skip
def test_what_holds_no_numbers_is_refused(name, kind):
    call, arrays = ENTRIES[name]
    with pytest.raises(TypeError, match=r"must hold|detach|not complex|not object"):
        call(**arrays | {next(iter(arrays)): NO_NUMBERS[kind]})


def test_the_edge_itself():
    assert array_of([1, 2], "x").tolist() == [1, 2]
    with pytest.raises(ValueError, match="x has masked entries"):
        array_of([[1, 2], (3, np.ma.masked)], "x")
    with pytest.raises(ValueError, match="x has masked entries"):
        at_least(np.ma.masked, "x", minimum=0, why="")
    assert whole_array(np.array([1, 2], dtype=object), "x").dtype == np.int64
    for beyond in (LARGEST_COUNT + 1, 2**63, 2**70, -1):
        with pytest.raises(ValueError, match=rf"x\[1\] = {beyond} is outside the allowed range"):
            whole_array([0, beyond] if beyond != 2**63 else np.array([0, beyond], dtype=object), "x")
    for other in ([1, 2.0], [1, None], [1, np.nan], np.array([1, 2.0], dtype=object), [True, False]):
        with pytest.raises(TypeError, match="must hold whole numbers of an integer type"):
            whole_array(other, "x")


BEYOND = {
    "neuronal_correlation": lambda k: correlation.neuronal_correlation(np.stack((k, k[::-1]), axis=1)),
    "participation_ratio": lambda k: correlation.participation_ratio(k[:, None]),
    "pooled_ranks": lambda k: order.pooled_ranks(k[:, None], [[1.0], [1.0]], [0, 0, 1, 1]),
    "unit_order": lambda k: order.unit_order("identity", k),
    "group_order": lambda k: order.group_order("identity", np.ones((4, 1)), [1.0], reference=k),
    "estimate": lambda k: estimate(np.tile(k, (2, 10))),
}


@pytest.mark.parametrize("call", BEYOND.values(), ids=BEYOND)
@pytest.mark.parametrize("kind", [np.int64, np.uint64])
def test_whole_numbers_that_floats_round_are_refused(call, kind):
    """Rounded, they are equal or far apart: order, ties and spread would be those of other numbers."""
    near = np.array([0, 1, 2, 3]).astype(kind)
    with pytest.raises(ValueError, match=r" = 1152921504606846\d+ is a whole number beyond 2\^53.* subtract an offset"):
        call(near + kind(2**60))
    with pytest.raises(ValueError, match=" = 9007199254740993 is a whole number beyond"):  # the first of them
        call(near % 2 + kind(2**53))
    call(near * kind(2**58))  # floats hold these


@pytest.mark.parametrize("kind", [np.int64, np.uint64])
def test_thresholds_beyond_floats(kind):
    x = np.array([[2**53 + 1, 0], [2**53, 2**53 + 2]], dtype=kind)
    assert growth._counts(x, float(2**53)).tolist() == [1, 1]
    assert growth._counts(x, [2.0**53 - 1, -0.5]).tolist() == [2, 2]
    assert growth._counts(x, [2.0**70, -(2.0**70)]).tolist() == [0, 2]


def test_fields_and_exponents_of_objects():
    with pytest.raises(TypeError, match="fields must hold real numbers, not object"):
        NORM(X.astype(object))
    shape = np.asarray(COLLAPSE.scaled(control_exponents=np.array([1], dtype=object))[0])
    assert shape.dtype == float
    with pytest.raises(ValueError, match="one per control, 1 of them"):
        COLLAPSE.scaled(control_exponents=[])


@pytest.mark.parametrize("labels", [np.tile(Y, 30).astype(np.float16), np.tile(Y, 30).astype(np.uint64)])
def test_labels_of_any_precision(labels):
    assert inspected(NET, np.tile(X, (30, 1)), labels, only=["activity"], rng=0)
    wrong = labels.astype(np.uint64)
    wrong[0] = 2**64 - 1
    page = inspected(NET, np.tile(X, (30, 1)), wrong, only=["classes"], rng=0)
    assert "the labels reach 18446744073709551615" in page["classes"].reason


def test_columns_that_may_have_gaps_are_refused_with_what_to_pass():
    """Whole numbers of pandas that may be missing become objects, also where none is missing."""
    pandas = pytest.importorskip("pandas")
    table = pandas.DataFrame({"a": [1, 2], "b": [3, 4]}).astype("Int64")
    with pytest.raises(
        TypeError, match=r"must hold real numbers, not object, .* pass .dropna\(\).to_numpy\(dtype=float\)"
    ):
        real(table, "x", 2)
    assert real(table.dropna().to_numpy(dtype=float), "x", 2).tolist() == [[1.0, 3.0], [2.0, 4.0]]
