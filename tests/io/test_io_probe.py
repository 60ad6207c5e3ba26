"""Objects of torch and scikit-learn that compute something else than their parameters say are refused."""

import types
from itertools import pairwise

import numpy as np
import pytest

from statnn.io import _probe, load_network
from statnn.io._chain import Act, Affine, Dense, Norm, Probabilities
from statnn.io._load import load
from statnn.network import ACTIVATIONS, BatchNorm, leaky_relu

OTHER = "computes something else than its parameters say"


@pytest.fixture(scope="module")
def torch():
    library = pytest.importorskip("torch")
    library.set_num_threads(1)
    return library


def chain(torch, dtype=None, widths=(4, 6, 5, 3)):
    torch.manual_seed(0)
    nn, parts = torch.nn, []
    for below, above in pairwise(widths):
        parts += [nn.Linear(below, above), nn.BatchNorm1d(above), nn.Dropout(0.5), nn.LeakyReLU(0.3)]
    return nn.Sequential(nn.Identity(), *parts).to(dtype or torch.float32)


# -- what changes outputs --------------------------------------------------------------------------------


def outputs_of(part, change):
    part.register_forward_hook(lambda *given: change(given[2]))


def inputs_of(part, change):
    part.register_forward_pre_hook(lambda _, given: (change(given[0]),))


CHANGES = {
    "doubled": lambda v: 2 * v,
    "a little": lambda v: 1.0001 * v,
    "clamped": lambda v: v.clamp(-20, 20),
    "one unit": lambda v: v * (v.new_ones(v.shape[1]).cumsum(0) != 2),
    "shuffled": lambda v: v.flip(1),
    "not a number": lambda v: v * float("nan"),
}


@pytest.mark.parametrize("place", [(), (1,), (2,), (3,), (4,), (9,), (12,)], ids=str)
@pytest.mark.parametrize("name", CHANGES)
def test_hooks_that_change(torch, name, place):
    for register in (outputs_of, inputs_of):
        module = chain(torch)
        assert load_network(module).widths == (4, 6, 5, 3)
        register(module[place[0]] if place else module, CHANGES[name])
        with pytest.raises(ValueError, match=OTHER):
            load_network(module)


def test_hooks_of_all_modules_and_of_containers_inside(torch):
    inner = torch.nn.Sequential(chain(torch), torch.nn.Identity())
    outputs_of(inner[0], CHANGES["doubled"])
    with pytest.raises(ValueError, match=OTHER):
        load_network(inner)
    handle = torch.nn.modules.module.register_module_forward_hook(lambda *given: 2 * given[2])
    try:
        with pytest.raises(ValueError, match=OTHER):
            load_network(chain(torch))
    finally:
        handle.remove()


@pytest.mark.parametrize("depth", [1, 40])
def test_small_changes_far_from_the_output_are_seen(torch, depth):
    """Forty layers forget their inputs to seven digits."""
    for dtype, by in ((torch.float64, 1e-12), (torch.float32, 1e-4), (torch.float16, 0.2), (torch.bfloat16, 0.5)):
        module = torch.nn.Sequential(*(part for _ in range(depth) for part in (torch.nn.Linear(9, 9), torch.nn.Tanh())))
        load_network(module.to(dtype))
        module[0].register_forward_hook(lambda *given, by=by: (1 + by) * given[2])
        with pytest.raises(ValueError, match=r"module '0' \(Linear\): computes something else"):
            load_network(module)


def test_where_an_output_is_another_is_said(torch):
    """The second output of the eighth row of inputs, of size 0.01, is another one, and no other output or row is."""
    module = chain(torch)
    outputs_of(module, lambda v: v + 8 * ((torch.arange(20) == 7)[:, None] * (torch.arange(3) == 1)))
    with pytest.raises(ValueError, match=r" instead of .* for output 1 of row 7"):
        load_network(module)


def test_a_forward_that_was_replaced(torch):
    module = chain(torch)
    module.forward = types.MethodType(lambda self, x: 2 * torch.nn.Sequential.forward(self, x), module)
    with pytest.raises(ValueError, match=r"the module \(Sequential\): its forward\(\) was replaced"):
        load_network(module)
    module = chain(torch)
    module[1].forward = lambda x: x @ module[1].weight.T
    with pytest.raises(ValueError, match=r"module '1' \(Linear\): its forward\(\) was replaced"):
        load_network(module)

    class Skipping(torch.nn.Sequential):
        def forward(self, x):
            return x + super().forward(x)

    with pytest.raises(ValueError, match="its class is not one of torch's own"):
        load_network(Skipping(torch.nn.Linear(3, 3)))


@pytest.mark.filterwarnings("ignore:")  # torch warns of what it deprecates
def test_what_torch_wraps_around_a_module(torch):
    """Torch refuses to export them; what is inside can be passed."""
    module = chain(torch)
    averaged = torch.optim.swa_utils.AveragedModel(module)
    for wrapped, inside in (
        (torch.nn.DataParallel(module), "module"),
        (torch.compile(module), "_orig_mod"),
        (averaged, "module"),
    ):
        with pytest.raises(ValueError, match=rf"wraps a module, and what is inside is read; pass its \.{inside}$"):
            load_network(wrapped)
        assert load_network(getattr(wrapped, inside)) == load_network(module)
    small = torch.ao.quantization.quantize_dynamic(module, {torch.nn.Linear}, dtype=torch.qint8)
    with pytest.raises(ValueError, match="holds quantised numbers; pass the module as it was before"):
        load_network(small)


def test_a_forward_of_a_whole_class_that_was_replaced(torch, monkeypatch):
    monkeypatch.setattr(torch.nn.Tanh, "forward", lambda _, x: torch.tanh(2 * x))
    with pytest.raises(ValueError, match=rf"module '1' \(Tanh\): {OTHER}"):
        load_network(torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.Tanh()))
    monkeypatch.setattr(torch.nn.Sequential, "forward", lambda self, x: self[1](x))
    with pytest.raises(ValueError, match="the module runs 1 parts, and 2 were read"):
        load_network(torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.Tanh()))


def test_modules_that_cannot_run(torch):
    module = chain(torch)
    outputs_of(module[3], lambda v: v.reshape(2, 2, 2, 2))
    with pytest.raises(ValueError, match="the module does not run on rows of 4 numbers"):
        load_network(module)
    module = chain(torch)
    outputs_of(module, lambda v: v[:, :2])
    with pytest.raises(ValueError, match=rf"{OTHER}, an output of shape \(20, 2\) instead of \(20, 3\)"):
        load_network(module)


# -- what records ----------------------------------------------------------------------------------------


def test_hooks_that_record_are_allowed(torch):
    module, seen = chain(torch).train(), []
    expected = load_network(module)
    for part in module.modules():
        part.register_forward_hook(lambda *given: seen.append(given[2].detach()))
        part.register_forward_pre_hook(lambda _, given: seen.append(given[0].detach()))
    hooks = [(len(part._forward_hooks), len(part._forward_pre_hooks)) for part in module.modules()]
    loaded = load(module)
    assert loaded.net == expected
    assert any("its hooks" in note or "the module has hooks" in note for note in loaded.notes)
    assert len(seen) == 2 * len(hooks)
    assert [(len(part._forward_hooks), len(part._forward_pre_hooks)) for part in module.modules()] == hooks


def test_a_module_is_left_as_it_was(torch):
    module = chain(torch).train()
    module[2].eval()
    modes, before = [part.training for part in module.modules()], {k: v.clone() for k, v in module.state_dict().items()}
    state = torch.random.get_rng_state()
    load_network(module)
    assert [part.training for part in module.modules()] == modes
    assert all(torch.equal(before[name], values) for name, values in module.state_dict().items())
    assert torch.equal(torch.random.get_rng_state(), state)
    module[1].register_forward_hook(lambda *_: 1 / 0)
    with pytest.raises(ValueError, match="does not run"):
        load_network(module)
    assert [part.training for part in module.modules()] == modes
    assert not any(part._forward_pre_hooks for part in module.modules())


def test_activations_that_overwrite_their_inputs_and_parts_that_act_twice(torch):
    nn = torch.nn
    layer = nn.Linear(3, 3)
    module = nn.Sequential(
        nn.Flatten(), layer, nn.ReLU(inplace=True), layer, nn.LeakyReLU(0.1, inplace=True), nn.Identity()
    )
    assert load_network(module).depth == 2
    module[3].register_forward_hook(lambda *given: 2 * given[2])  # both times
    with pytest.raises(ValueError, match=rf"module '1' \(Linear\): {OTHER}"):
        load_network(module)


@pytest.mark.parametrize("context", ["autocast", "grad"])
def test_what_surrounds_the_call_changes_nothing(torch, context):
    module = chain(torch, widths=(30, 40, 20))
    with torch.autocast("cpu", dtype=torch.bfloat16) if context == "autocast" else torch.enable_grad():
        assert load_network(module) == load_network(module)


@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_pruned_and_normed_weights_of_torch(torch):
    prune = pytest.importorskip("torch.nn.utils.prune")
    module = torch.nn.Sequential(torch.nn.Linear(5, 4), torch.nn.Tanh(), torch.nn.Linear(4, 2))
    prune.l1_unstructured(module[0], "weight", amount=0.5)
    assert np.count_nonzero(load_network(module).weights[0]) == 10
    with torch.no_grad():
        module[0].weight_orig += 1.0  # as an optimiser does: the weight itself follows with the next input
    with pytest.raises(ValueError, match=OTHER):
        load_network(module)
    normed = torch.nn.utils.parametrizations.spectral_norm(torch.nn.Linear(3, 3))
    with pytest.raises(ValueError, match="remove_parametrizations"):
        load_network(torch.nn.Sequential(normed))


def test_parameters_that_are_not_there(torch):
    nn = torch.nn
    with pytest.raises(ValueError, match=r"lies on the device 'meta': it has a shape and no numbers"):
        load_network(nn.Sequential(nn.Linear(2, 2, device="meta")))
    with pytest.raises(ValueError, match=r"0\.weight lies on the device 'meta'"):
        load_network(nn.Sequential(nn.Linear(2, 2, device="meta")).state_dict(), activation="tanh")
    lazy = nn.Sequential(nn.LazyLinear(3), nn.Tanh())
    with pytest.raises(ValueError, match="LazyLinear gets its parameters with its first input: run the module"):
        load_network(lazy)
    with pytest.raises(ValueError, match=r"0\.weight is not a plain array of numbers"):
        load_network(lazy.state_dict(), activation="tanh")
    lazy(torch.ones(1, 4))
    assert load_network(lazy).widths == (4, 3)
    eighth = {"0.weight": torch.ones(2, 2).to(torch.float8_e4m3fn)}
    with pytest.raises(ValueError, match=r"0\.weight is not a plain array of numbers"):
        load_network(eighth, activation="tanh")
    whole = {"0.weight": torch.ones(2, 2, dtype=torch.int8)}
    with pytest.raises(ValueError, match=r"holds int8, real numbers are needed: .*quantised network take the weights"):
        load_network(whole, activation="tanh")
    spoiled = nn.Sequential(nn.Linear(2, 2))
    spoiled[0].weight.data[0, 1] = float("nan")
    with pytest.raises(ValueError, match=r"weights\[0\]\[0, 1\] = nan is not finite"):
        load_network(spoiled)


# -- scikit-learn ----------------------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_estimators_of_a_class_of_their_own():
    neural = pytest.importorskip("sklearn.neural_network")
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    class Colder(neural.MLPClassifier):
        def predict_proba(self, x):
            odds = super().predict_proba(x) ** 2
            return odds / odds.sum(axis=1, keepdims=True)

    class Scaled(neural.MLPRegressor):
        def predict(self, x):
            return 1.0001 * super().predict(x)

    class StandardScalerOfMine(StandardScaler):
        def transform(self, x, copy=None):
            return np.tanh(super().transform(x, copy=copy))

    StandardScalerOfMine.__name__ = "StandardScaler"  # known by its name only
    rng = np.random.default_rng(0)
    x, options = rng.normal(size=(50, 3)), {"max_iter": 5, "hidden_layer_sizes": (4,), "random_state": 0}
    cases = [
        (Colder(**options), rng.integers(0, 3, 50)),
        (Colder(**options), rng.integers(0, 2, 50)),
        (Scaled(**options), rng.normal(size=(50, 2))),
        (make_pipeline(StandardScalerOfMine(), neural.MLPRegressor(**options)), rng.normal(size=50)),
        (make_pipeline(StandardScaler(), Scaled(**options)), rng.normal(size=50)),
    ]
    for model, y in cases:
        with pytest.raises(ValueError, match="predicts something else than its parameters say"):
            load_network(model.fit(x, y))


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_estimators_for_several_labels_and_named_columns():
    neural = pytest.importorskip("sklearn.neural_network")
    rng = np.random.default_rng(0)
    x = rng.normal(1e3, 2.0, size=(50, 3))
    model = neural.MLPClassifier((4,), max_iter=5, random_state=0).fit(x, rng.integers(0, 2, (50, 4)))
    model.feature_names_in_ = np.array(["a", "b", "c"], dtype=object)  # as of a table of pandas: predictions warn
    assert load_network(model).widths == (3, 4, 4)
    single = neural.MLPRegressor(hidden_layer_sizes=(4,), max_iter=5).fit(x.astype(np.float32), rng.normal(size=50))
    assert load_network(single).widths == (3, 4, 1)


# -- the comparison itself -------------------------------------------------------------------------------


def steps_of(rng, units):
    return [
        Affine(rng.normal(size=units), rng.normal(size=units), ""),
        Dense(rng.normal(size=(units, units)), rng.normal(size=units), ""),
        Norm(BatchNorm(*rng.uniform(0.5, 2.0, (4, units))), ""),
        Act(leaky_relu(-3.0), ""),
        Dense(rng.normal(size=(units, units)), None, ""),
        Act(ACTIVATIONS["tanh"], ""),
        Probabilities("log-softmax", ""),
    ]


@pytest.mark.parametrize("precision", [np.float32, np.float64])
def test_rounding_is_let_pass_and_hardly_more(precision, rng):
    """Every step by itself and all together, in low precision against high."""
    limits = np.finfo(precision)
    for _ in range(20):
        steps = steps_of(rng, 30)
        for some in ([], *([single] for single in steps), steps, [*steps[:5], Probabilities("softmax", "")]):
            x = _probe.rows(30).astype(np.longdouble)
            exact, low = x, x.astype(precision)
            for step in some:
                exact, _ = _probe._next(step, exact, np.zeros_like(exact), 0.0)
                low = np.asarray(_probe._next(step, low, np.zeros_like(low), 0.0)[0]).astype(precision)
            _probe.refuse_other(some, x.astype(np.float64), low, limits, "{}")
            if len(some) < 2 and exact.any():
                wrong = low * precision(1 + 1000 * limits.eps)
                with pytest.raises(ValueError, match="instead of"):
                    _probe.refuse_other(some, x.astype(np.float64), wrong, limits, "{}")


def test_what_leaves_the_range_is_not_compared():
    x, limits = _probe.rows(3), np.finfo(np.float16)
    steps = [Affine(np.full(3, 1e5), np.zeros(3), "")]
    with np.errstate(over="ignore"):
        _probe.refuse_other(steps, x, (x * np.float32(1e5)).astype(np.float16), limits, "{}")
    with pytest.raises(ValueError, match="instead of"):
        _probe.refuse_other(steps, x, np.full(x.shape, np.nan), limits, "{}")
