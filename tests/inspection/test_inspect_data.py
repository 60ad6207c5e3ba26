"""Samples and labels from files, in the layouts people have them."""

import numpy as np
import pytest

from statnn.inspection import Data, _comparison, _page, inspect, read_data
from statnn.inspection._data import subset
from statnn.network import Network


def test_data_in_the_layout_of_mnist(tmp_path):
    path = tmp_path / "mnist.npz"
    rng = np.random.default_rng(0)
    arrays = {}
    for split, number in (("train", 7), ("test", 5)):
        arrays[f"x_{split}"] = rng.integers(0, 256, (number, 4, 3), np.uint8)
        arrays[f"y_{split}"] = rng.integers(0, 10, number, np.uint8)
    np.savez_compressed(path, **arrays)
    test, train = read_data(path), read_data(path, split="train")
    assert test.x.shape == (5, 12)
    assert train.x.shape == (7, 12)
    assert test.x.dtype == np.float32
    assert np.array_equal(test.labels, arrays["y_test"])
    assert np.allclose(test.x, arrays["x_test"].reshape(5, -1) / 255)
    assert test.source == (
        "mnist.npz, array 'x_test': 5 samples of 12 inputs, flattened from 4 × 3, bytes divided by 255"
    )
    raw = read_data(path, scale=1.0)
    assert np.array_equal(raw.x, arrays["x_test"].reshape(5, -1))
    assert "divided" not in raw.source
    assert "multiplied by 2" in read_data(path, scale=2.0).source
    assert np.array_equal(read_data(path, "y_test", split="test").labels, test.labels)


@pytest.mark.parametrize("beside", [{"x_train": 3}, {"x_test": 4}, {"x_train": 3, "x_test": 4}, {}])
def test_samples_that_are_named_by_the_split_come_before_others(tmp_path, beside):
    rows = {"x": 5} | beside
    labels = {name.replace("x", "y"): np.arange(number) for name, number in rows.items()}
    np.savez(tmp_path / "some.npz", **{name: np.ones((number, 2)) for name, number in rows.items()}, **labels)
    for split in ("train", "test"):
        data = read_data(tmp_path / "some.npz", split=split)
        assert len(data.x) == len(data.labels) == rows.get(f"x_{split}", 5)


def test_halves_are_scaled_in_single_precision(tmp_path):
    np.savez(tmp_path / "half.npz", x=np.full((3, 2), 200.0, np.float16))
    assert np.allclose(read_data(tmp_path / "half.npz", scale=1e-6).x, 2e-4, rtol=1e-6)
    assert read_data(tmp_path / "half.npz", scale=1000.0).x[0, 0] == 200_000
    with pytest.raises(ValueError, match="times 1e\\+300 exceeds the range of float32"):
        read_data(tmp_path / "half.npz", scale=1e300)


def test_labels_from_elsewhere(tmp_path):
    x, y = np.zeros((4, 2)), np.array([0, 2, 1, 1])
    np.save(tmp_path / "x.npy", x)
    np.save(tmp_path / "y.npy", y)
    np.save(tmp_path / "hot.npy", np.eye(3)[y])
    np.save(tmp_path / "float.npy", y.astype(float))
    np.savez(tmp_path / "both.npz", x=x, mine=y)
    np.savez(tmp_path / "y.npz", y=y)
    np.savez(tmp_path / "labels.npz", labels=y)
    for name in ("y.npy", "hot.npy", "float.npy", "y.npz", "labels.npz"):
        assert np.array_equal(read_data(tmp_path / "x.npy", tmp_path / name).labels, y)
    assert np.array_equal(read_data(tmp_path / "both.npz", "mine").labels, y)
    bare = read_data(tmp_path / "both.npz")
    assert bare.labels is None
    assert "give them with --labels" in bare.no_labels


@pytest.mark.parametrize(
    ("arrays", "options", "match"),
    [
        ({"z": np.zeros(3)}, {}, "it has arrays z; samples are named x"),
        ({"x": np.zeros(3)}, {}, r"holds float64 of shape \(3,\)"),
        ({"x": np.array([["a"]])}, {}, "holds <U1"),
        ({"x": np.zeros((3, 2)), "y": np.zeros(2)}, {}, r"labels have shape \(2,\) for 3 samples"),
        ({"x": np.array([[np.inf]])}, {}, "entries that are not finite"),
        ({"x": np.zeros((3, 2))}, {"labels": "none.txt"}, "is neither an array of the data nor"),
        ({"x": np.zeros((3, 2))}, {"split": "all"}, "choose 'test' or 'train'"),
        ({"x": np.zeros((3, 2))}, {"scale": -1.0}, "scale = -1.0 must be a finite number above 0"),
        ({"x": np.array([[None]], dtype=object)}, {}, "pickles are never opened"),
    ],
)
def test_data_that_cannot_be_read(arrays, options, match, tmp_path):
    np.savez(tmp_path / "data.npz", **arrays)
    with pytest.raises(ValueError, match=match):
        read_data(tmp_path / "data.npz", **options)


def test_a_random_part_of_the_samples_is_one_of_all():
    """The first half of 400 samples gives as many as the second, within six standard deviations."""
    x = np.arange(400.0)[:, None]
    kept = inspect(Network([[[1.0]]]), x, samples=100, only=["layers"], rng=0).data.numbers
    assert len(set(kept)) == 100
    assert kept.tolist() == sorted(kept)
    assert abs(np.sum(kept < 200) - 50) < 6 * np.sqrt(100 * 0.25 * 300 / 399)


@pytest.mark.parametrize(("largest", "reads"), [(40_000.0, True), (2.0**31 - 1, True), (2.0**31, False)])
def test_labels_that_are_floats_are_classes_below_the_end_of_32_bits(largest, reads, tmp_path):
    np.savez(tmp_path / "some.npz", x=np.zeros((2, 1)), y=[0.0, largest])
    labels = read_data(tmp_path / "some.npz").labels
    assert (labels is not None and labels.tolist() == [0, largest]) == reads


def test_of_samples_that_are_as_wrong_the_first_are_listed():
    x = np.tile([[1.0, 0.0], [2.0, 0.0]], (200, 1))
    section = inspect(Network([np.eye(2)]), x, np.ones(400, int), only=["classes"], rng=0)["classes"]
    assert [row[0] for row in section.tables[1].rows] == list(range(1, 24, 2))


def test_some_of_some_samples_keep_the_numbers_they_were_read_with():
    some = subset(Data(np.arange(8.0)[:, None], np.arange(8), "eight"), np.array([1, 4, 6]), "three of them")
    fewer = subset(some, np.array([2, 0]), "two of these")
    assert [fewer.x.ravel().tolist(), fewer.labels.tolist(), fewer.numbers.tolist()] == [[6, 1]] * 3


def test_pages_of_other_networks_samples_or_labels_have_other_digests(tmp_path, monkeypatch):
    net, other = (Network([[[scale, 0.0], [0.0, 1.0]]], activation="identity") for scale in (1.0, 2.0))
    x = np.eye(2)
    given = [(net, x, [0, 1]), (net, x, [1, 0]), (net, 2 * x, [0, 1]), (other, x, [0, 1])]
    digests = []
    for room in (_page, _comparison):
        monkeypatch.setattr(room, "page", lambda *parts: digests.append(parts[-1]["digest"]))
    for n, (network, *data) in enumerate(given):
        inspect({"one": network, "same": net}, *data, only=["strength"], rng=0).write(tmp_path / f"{n}")
    single, both = [digests[k::3] for k in (0, 1)], digests[2::3]
    assert [len(set(some)) for some in (single[0], single[1], both)] == [4, 3, 4]
