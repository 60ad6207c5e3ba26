"""Training against gradients by hand, torch's own layers and scikit-learn; the cache; claims that need packages."""

import io
import os
import zipfile
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special
from test_validation import coin, fair

from statnn import Network
from validation.runner import main
from validation.trained import cache, engines, training
from validation.trained.images import Images, digits, mnist
from validation.trained.recipe import GAINS, LOSSES, Recipe
from validation.trained.training import scrambled, train, train_all


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Give every test an empty cache of its own."""
    monkeypatch.setenv(cache.VARIABLE, str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture(scope="module")
def images():
    return digits(np.random.default_rng(0)).some(100, np.random.default_rng(1))


@pytest.fixture(scope="module")
def torch():
    return pytest.importorskip("torch")


needs_torch = pytest.mark.usefixtures("torch")


def parameters(net):
    return [*net.raw_weights, *net.raw_biases]


def largest_gap(first, second):
    return max(np.abs(p - q).max() for p, q in zip(parameters(first), parameters(second), strict=True))


RECIPE = Recipe((64, 12, 10), "tanh", batch=32, snapshots=(0, 1, 3))

# -- what a step does ----------------------------------------------------------------------------------------


def gradients(net, images, loss):
    """Gradients of a network without hidden layers, in closed form."""
    out = net(images.train).astype(float)
    wanted = np.eye(out.shape[1])[images.train_labels]
    back = 2 * (out - wanted) / out.size if loss == "squared" else (special.softmax(out, axis=1) - wanted) / len(out)
    return back.T @ images.train, back.sum(axis=0)


@needs_torch
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("decay", [0.0, 0.5])
def test_one_step_is_the_gradient_and_the_decay(loss, decay, images):
    recipe = Recipe(
        (64, 10), loss=loss, optimiser="sgd", learning_rate=0.25, weight_decay=decay, batch=100, snapshots=(0, 1)
    )
    before, after = train(recipe, images, 3).networks
    weight, bias = gradients(before, images, loss)
    expected = before.weights[0] * (1 - 0.25 * decay) - 0.25 * weight
    np.testing.assert_allclose(after.weights[0], expected, atol=1e-6)
    np.testing.assert_allclose(after.biases[0], -0.25 * bias, atol=1e-6)
    assert np.abs(weight).max() > 1e-3


@needs_torch
def test_scikit_learn_takes_the_same_steps(images):
    by_torch, by_sklearn = (train(RECIPE, images, 5, engine=engine) for engine in engines.ENGINES)
    assert (by_torch.engine, by_sklearn.engine) == ("torch", "scikit-learn")
    for mine, theirs in zip(by_torch.networks, by_sklearn.networks, strict=True):
        assert largest_gap(mine, theirs) < 1e-4
    assert largest_gap(by_torch.network, by_torch.networks[0]) > 0.01
    np.testing.assert_allclose(by_torch.test_loss, by_sklearn.test_loss, rtol=1e-4)


def own_layers(torch, recipe, images, start, seed):
    """Train the network with batch normalisation that torch itself would build."""
    nn = torch.nn
    weights = [torch.tensor(np.array(w)) for w in start.raw_weights]
    first, last, norm = nn.Linear(64, 12), nn.Linear(12, 10), nn.BatchNorm1d(12)
    with torch.no_grad():
        for layer, weight in ((first, weights[0]), (last, weights[1])):
            layer.weight.copy_(weight)
            layer.bias.zero_()
    net = nn.Sequential(first, norm, nn.ReLU(), last)
    optimiser = torch.optim.SGD(net.parameters(), lr=recipe.learning_rate, momentum=recipe.momentum)
    x, y = torch.tensor(images.train.astype(np.float32)), torch.tensor(images.train_labels)
    for epoch in range(1, recipe.snapshots[-1] + 1):
        order = torch.from_numpy(engines.orders(recipe, len(x), seed, epoch))
        for rows in order.split(recipe.batch):
            optimiser.zero_grad()
            nn.functional.cross_entropy(net(x[rows]), y[rows]).backward()
            optimiser.step()
    return net.eval(), norm


@needs_torch
def test_batch_normalisation_is_that_of_torch(images, torch):
    # not by Adam: it blows up the rounding errors in the gradient of biases below a normalisation, which is zero
    steps = {"optimiser": "sgd", "learning_rate": 0.1, "momentum": 0.9}
    recipe = Recipe((64, 12, 10), "relu", normalised=True, batch=32, snapshots=(0, 3), **steps)
    trained = train(recipe, images, 8)
    net, norm = own_layers(torch, recipe, images, trained.networks[0], 8)
    mine = trained.network.normalisations[0]
    for name, theirs in (("mean", norm.running_mean), ("variance", norm.running_var), ("gamma", norm.weight)):
        np.testing.assert_allclose(getattr(mine, name), theirs.detach().numpy(), atol=1e-4)
    x = images.test.astype(np.float32)
    np.testing.assert_allclose(trained.network(x), net(torch.tensor(x)).detach().numpy(), atol=1e-3)
    assert np.abs(mine.mean).max() > 0.01


@needs_torch
def test_replicas_are_alone(images):
    other = scrambled(images, 1.0, np.random.default_rng(0))
    together = train_all(RECIPE, [images, other, images], [5, 6, 7])
    assert largest_gap(together[0].network, train(RECIPE, images, 5).network) < 1e-4
    assert largest_gap(together[1].network, train(RECIPE, other, 6).network) < 1e-4
    assert largest_gap(together[0].network, together[2].network) > 0.1


@needs_torch
def test_same_seed_same_weights(images, folder):
    first = train_all(RECIPE, images, [5, 6])
    for path in folder.iterdir():
        path.unlink()
    second = train_all(RECIPE, images, [5, 6])
    assert not second[0].cached
    assert [a.networks == b.networks for a, b in zip(first, second, strict=True)] == [True, True]
    assert first[0].network != first[1].network


# -- what is recorded ----------------------------------------------------------------------------------------


@needs_torch
@pytest.mark.parametrize("loss", LOSSES)
def test_losses_and_accuracies_are_those_of_the_snapshots(loss, images, monkeypatch):
    monkeypatch.setattr(training, "_AT_ONCE", 33)  # pieces that do not divide the samples
    trained = train(replace(RECIPE, loss=loss), images, 1)
    assert trained.epochs.tolist() == [0, 1, 3]
    for s, net in enumerate(trained.networks):
        for part in ("train", "test"):
            x, labels = getattr(images, part), getattr(images, f"{part}_labels")
            out = net(x).astype(float)
            own = -special.log_softmax(out, axis=1)[np.arange(len(x)), labels]
            if loss == "squared":
                own = np.square(out - np.eye(10)[labels])
            assert getattr(trained, f"{part}_loss")[s] == pytest.approx(own.mean(), rel=1e-6)
            assert getattr(trained, f"{part}_accuracy")[s] == np.mean(out.argmax(axis=1) == labels)
    assert trained.train_loss[-1] < trained.train_loss[0]


def test_networks_begin_with_the_stated_variance():
    recipe = Recipe((64, 2_000, 3), "relu", scale=3.0, snapshots=(0,))
    start = training._start(recipe, 1)
    for weight, gain in zip(start, (GAINS["relu"], 1.0), strict=True):
        expected = 3.0 * gain / np.sqrt(weight.shape[1])
        assert weight.std() == pytest.approx(expected, rel=5 / np.sqrt(2 * weight.size))
    assert len(training._start(recipe, 2)) == 2
    assert not np.array_equal(start[0], training._start(recipe, 2)[0])


@needs_torch
@pytest.mark.parametrize("activation", GAINS)
def test_every_activation_is_the_one_of_the_network(activation, images):
    """The derivative that torch takes is that of the network's own function: one step against finite differences."""
    recipe = Recipe((64, 5, 10), activation, optimiser="sgd", learning_rate=1.0, batch=100, snapshots=(0, 1))
    before, after = train(recipe, images, 2).networks
    change = np.array(after.biases[0]) - before.biases[0]
    for unit in range(5):
        losses = []
        for sign in (-1, 1):
            bias = np.array(before.biases[0], float)
            bias[unit] += sign * 1e-4
            moved = Network([w.astype(float) for w in before.weights], [bias, np.zeros(10)], [activation, "identity"])
            losses.append(training._measure(moved, images.train, images.train_labels, "cross entropy")[0])
        assert change[unit] == pytest.approx(-(losses[1] - losses[0]) / 2e-4, abs=2e-4)
    assert np.abs(change).max() > 1e-3


# -- data ----------------------------------------------------------------------------------------------------


@given(share=st.floats(0, 1), seed=st.integers(0, 2**32))
def test_scrambling_moves_training_labels_only(share, seed):
    labels = np.arange(200) % 10
    images = Images(np.zeros((200, 4)), labels, np.zeros((5, 4)), np.arange(5))
    moved = scrambled(images, share, np.random.default_rng(seed))
    assert np.array_equal(np.bincount(moved.train_labels), np.bincount(labels))
    assert np.count_nonzero(moved.train_labels != labels) <= round(share * 200)
    assert moved.test_labels is images.test_labels
    assert np.array_equal(images.train_labels, np.arange(200) % 10)


def test_all_labels_scrambled_leave_chance():
    labels = np.arange(10_000) % 10
    moved = scrambled(Images(np.zeros((10_000, 1)), labels, *[np.zeros(1)] * 2), 1.0, np.random.default_rng(3))
    assert abs(np.mean(moved.train_labels == labels) - 0.1) < 0.02


# -- the cache -----------------------------------------------------------------------------------------------


@needs_torch
def test_the_second_time_nothing_is_trained(images, folder, monkeypatch):
    first = train_all(RECIPE, images, [1, 2])
    monkeypatch.setitem(engines.ENGINES, "torch", None)
    second = train_all(RECIPE, images, [1, 2])
    assert [replica.cached for replica in first + second] == [False, False, True, True]
    assert first[1].networks == second[1].networks
    assert [path.suffix for path in folder.iterdir()] == [".npz"]


@needs_torch
def test_another_content_is_trained_anew(images, monkeypatch):
    train(RECIPE, images, 1)
    assert train(RECIPE, images, 1).cached
    relabelled = replace(images, train_labels=np.roll(images.train_labels, 1))
    moved = replace(
        images, train=np.where(np.arange(images.train.size).reshape(images.train.shape) == 7, 1.0, images.train)
    )
    others = [
        (replace(RECIPE, weight_decay=1e-6), images, 1),
        (RECIPE, relabelled, 1),
        (RECIPE, moved, 1),
        (RECIPE, images, 2),
    ]
    assert not any(train(*other).cached for other in others)
    assert not train(RECIPE, images, 1, engine="scikit-learn").cached
    known = engines.versions("torch")
    for name in known:
        monkeypatch.setattr(engines, "versions", lambda _, name=name: known | {name: "another"})
        assert not train(RECIPE, images, 1).cached
    monkeypatch.undo()


@needs_torch
def test_test_images_do_not_matter_to_the_weights(images):
    train(RECIPE, images, 1)
    fewer = replace(images, test=images.test[:50], test_labels=images.test_labels[:50])
    again = train(RECIPE, fewer, 1)
    assert again.cached
    assert again.test_accuracy[-1] == np.mean(again.network(fewer.test).argmax(axis=1) == fewer.test_labels)


DESCRIPTION = {"recipe": [1, 2], "code": "x"}
ARRAYS = {"weight_0": np.arange(6.0).reshape(2, 3), "bias_0": np.zeros(2, np.float32)}


def stored(monkeypatch, path):
    monkeypatch.setenv(cache.VARIABLE, str(path))
    cache.store(DESCRIPTION, ARRAYS)
    return cache.path_of(DESCRIPTION)


def test_arrays_come_back_bit_for_bit(monkeypatch, tmp_path):
    stored(monkeypatch, tmp_path)
    arrays = cache.load(DESCRIPTION)
    assert set(arrays) == set(ARRAYS)
    for name, array in ARRAYS.items():
        assert arrays[name].dtype == array.dtype
        assert np.array_equal(arrays[name], array)
    assert cache.load(DESCRIPTION | {"code": "y"}) is None


def test_entry_under_the_wrong_name_is_not_used(monkeypatch, tmp_path):
    path = stored(monkeypatch, tmp_path)
    path.rename(cache.path_of({"other": 1}))
    assert cache.load({"other": 1}) is None


@settings(max_examples=300)
@given(data=st.data())
def test_damaged_entry_is_as_good_as_absent(tmp_path_factory, data):
    with pytest.MonkeyPatch.context() as monkeypatch:
        path = stored(monkeypatch, tmp_path_factory.mktemp("cache"))
        whole = path.read_bytes()
        broken = bytearray(whole)
        for _ in range(data.draw(st.integers(1, 3))):
            broken[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
        path.write_bytes(broken[: data.draw(st.integers(0, len(whole)))] if data.draw(st.booleans()) else broken)
        arrays = cache.load(DESCRIPTION)
        if arrays is not None:  # bytes that carry nothing, such as dates
            assert cache.digest(arrays) == cache.digest(ARRAYS)


def test_swapped_arrays_are_noticed(monkeypatch, tmp_path):
    path = stored(monkeypatch, tmp_path)
    with np.load(path) as archive:
        entry = {name: archive[name] for name in archive.files}
    entry["weight_0"] = entry["weight_0"] + 1
    np.savez(path, **entry)
    assert cache.load(DESCRIPTION) is None


class Planted:
    def __reduce__(self):
        return os.mkdir, (os.environ["STATNN_PLANTED"],)


def test_pickles_are_not_opened(monkeypatch, tmp_path):
    path = stored(monkeypatch, tmp_path / "cache")
    monkeypatch.setenv("STATNN_PLANTED", str(tmp_path / "planted"))
    content = io.BytesIO()
    np.save(content, np.array([Planted()], dtype=object), allow_pickle=True)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("weight_1.npy", content.getvalue())
    assert cache.load(DESCRIPTION) is None
    assert not (tmp_path / "planted").exists()


@needs_torch
def test_folder_that_cannot_be_written_costs_a_warning(images, monkeypatch, tmp_path):
    (tmp_path / "file").touch()
    monkeypatch.setenv(cache.VARIABLE, str(tmp_path / "file"))
    with pytest.warns(RuntimeWarning, match="cannot be written .* trained again"):
        assert not train(replace(RECIPE, snapshots=(0,)), images, 1).cached


def test_folder_is_outside_the_tree_by_default(monkeypatch):
    monkeypatch.delenv(cache.VARIABLE)
    monkeypatch.setenv("XDG_CACHE_HOME", "/somewhere")
    for platform, parts in (("linux", "/somewhere/statnn"), ("darwin", "Library/Caches/statnn"), ("win32", "Cache")):
        monkeypatch.setattr("sys.platform", platform)
        assert cache.folder().as_posix().endswith(parts)


# -- what is refused -----------------------------------------------------------------------------------------

BAD = {
    "one width": ({"widths": (64,)}, "at least two classes"),
    "one class": ({"widths": (64, 1)}, "at least two classes"),
    "activation": ({"activation": "sign"}, "activation = 'sign' is unknown; choose from identity"),
    "loss": ({"loss": "hinge"}, "loss = 'hinge' is unknown"),
    "optimiser": ({"optimiser": "lbfgs"}, "choose from adam, sgd"),
    "rate": ({"learning_rate": 0.0}, "learning_rate = 0.0 must be a finite number above 0"),
    "decay": ({"weight_decay": -1.0}, "weight_decay = -1.0 must be a finite number >= 0"),
    "momentum": ({"optimiser": "sgd", "momentum": 1.0}, "momentum = 1.0 must be below 1"),
    "momentum of adam": ({"momentum": 0.5}, "belongs to optimiser='sgd'"),
    "batch": ({"batch": 0}, "batch = 0 is outside"),
    "order": ({"snapshots": (3, 1)}, "snapshots must increase"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_recipe_is_refused(case):
    changes, words = BAD[case]
    with pytest.raises(ValueError, match=words):
        replace(RECIPE, **changes)


def test_images_that_do_not_fit_are_refused(images):
    with pytest.raises(ValueError, match=r"images have 64 pixels, but widths\[0\] = 32"):
        train(replace(RECIPE, widths=(32, 10)), images, 1)
    with pytest.raises(ValueError, match="labels reach 9; 5 classes are numbered from 0"):
        train(replace(RECIPE, widths=(64, 5)), images, 1)
    with pytest.raises(ValueError, match="1 sets of images for 2 seeds"):
        train_all(RECIPE, [images], [1, 2])
    fewer = replace(images, train=images.train[:50], train_labels=images.train_labels[:50])
    with pytest.raises(ValueError, match="equally many training images"):
        train_all(RECIPE, [images, fewer], [1, 2])
    with pytest.raises(ValueError, match="no images to train on"):
        train(RECIPE, replace(images, train=images.train[:0], train_labels=images.train_labels[:0]), 1)
    with pytest.raises(ValueError, match=r"share = 1\.5"):
        scrambled(images, 1.5, np.random.default_rng(0))


@pytest.mark.parametrize("engine", engines.ENGINES)
def test_diverging_training_says_so(engine, images):
    if engine == "torch":
        pytest.importorskip("torch")
    recipe = Recipe((64, 20, 10), "identity", optimiser="sgd", learning_rate=1e12, snapshots=(0, 30))
    with pytest.raises((FloatingPointError, ValueError), match=r"diverged before epoch 30|[Ll]earning rate|finite"):
        train(recipe, images, 1, engine=engine)


def test_without_torch_plain_recipes_are_trained_all_the_same(images, monkeypatch):
    monkeypatch.setattr(engines.util, "find_spec", lambda _: None)
    assert train(RECIPE, images, 1).engine == "scikit-learn"
    for changes in ({"normalised": True}, {"weight_decay": 0.1}, {"loss": "squared"}, {"widths": (64, 10)}):
        with pytest.raises(ModuleNotFoundError, match=r"pip install torch==2\.13\.0"):
            train(replace(RECIPE, **changes), images, 1)
        with pytest.raises(ValueError, match="scikit-learn trains only plain recipes"):
            train(replace(RECIPE, **changes), images, 1, engine="scikit-learn")
    with pytest.raises(ValueError, match="choose from torch, scikit-learn"):
        train(RECIPE, images, 1, engine="jax")


# -- claims that need packages, and the option --cache ---------------------------------------------------------


def where(rng, quick):
    return fair(rng, quick) | {"folder": os.environ.get(cache.VARIABLE, "")}


CLAIMS = {
    claim.id: claim
    for claim in (
        coin("absent-coin", needs=("no_such_package",)),
        coin("present-coin", needs=("numpy",)),
        coin("cached-coin", run=where),
        coin("absent-labelled-coin", needs=("no_such_package",), needs_data=True),
    )
}


def test_claims_wait_for_their_packages(tmp_path, capsys):
    assert main(["--jobs", "1", "--out", str(tmp_path)], registry=__name__) == 0
    said = capsys.readouterr().out
    assert '2 not run: needs no_such_package: pip install -e ".[no_such_package]" (absent-coin)' in said
    assert "2 of 2 claims as expected" in said
    page = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert "needs no_such_package" in page
    assert "2 not run" in page
    assert main(["--list"], registry=__name__) == 0
    assert "expected: holds exactly (needs --data) (needs no_such_package)" in capsys.readouterr().out


def test_claim_of_an_absent_package_cannot_be_asked_for(capsys):
    with pytest.raises(SystemExit) as end:
        main(["--only", "absent-coin"], registry=__name__)
    assert end.value.code == 2
    assert "claim 'absent-coin' needs no_such_package: pip install" in capsys.readouterr().err


@pytest.mark.parametrize("needs", ["torch", ("torch==2.13.0",)])
def test_needs_are_names(needs):
    with pytest.raises(ValueError, match="importable names"):
        coin("c", needs=needs)


def test_option_names_the_folder_of_the_cache(tmp_path, capsys):
    before = os.environ[cache.VARIABLE]
    arguments = ["--only", "cached-coin", "--jobs", "1", "--out", str(tmp_path), "--cache", str(tmp_path / "mine")]
    assert main(arguments, registry=__name__) == 0
    with np.load(tmp_path / "cached-coin.npz") as data:
        assert str(data["folder"]) == str(tmp_path / "mine")
    assert os.environ[cache.VARIABLE] == before
    (tmp_path / "file").touch()
    with pytest.raises(SystemExit):
        main([*arguments[:-1], str(tmp_path / "file")], registry=__name__)
    assert "--cache" in capsys.readouterr().err


def test_what_is_no_file_of_mnist_is_refused_without_advice_to_load_it_unsafely(tmp_path):
    (tmp_path / "mnist.npz").write_text("no zip")
    with pytest.raises(ValueError, match=r"mnist\.npz is not an npz file: an mnist\.npz holds x_train"):
        mnist(tmp_path / "mnist.npz")
    np.savez(tmp_path / "part.npz", x_train=np.zeros(3))
    with pytest.raises(ValueError, match=r"part\.npz lacks y_train, x_test, y_test"):
        mnist(tmp_path / "part.npz")
    with pytest.raises(FileNotFoundError):
        mnist(tmp_path / "none.npz")
