"""Figures of claims are stored whole, with their data, or refused."""

import pytest
from matplotlib.figure import Figure

from statnn import plot


def figure_with_axes():
    figure = Figure()
    figure.add_subplot().plot([1, 2])
    return figure


@pytest.mark.parametrize(
    ("figure", "name", "data", "words"),
    [
        (None, "a", {"x": 1}, "must be a matplotlib Figure, got NoneType"),
        (Figure(), "a", {"x": 1}, "figure is empty"),
        (figure_with_axes(), "a.svg", {"x": 1}, "must come without suffix"),
        (figure_with_axes(), "a.JPG", {"x": 1}, "must come without suffix"),
        (figure_with_axes(), "a", {"x": [1, [2]]}, "data 'x' is no array"),
        (figure_with_axes(), "nowhere/a", {"x": 1}, "does not exist"),
        (figure_with_axes(), "a", {}, "stored with its data"),
        (figure_with_axes(), "a", {"file": 1}, "cannot be named file"),
        (figure_with_axes(), "a", {"x": object()}, "would need pickles"),
    ],
)
def test_figure_that_cannot_be_stored_is_refused(figure, name, data, words, tmp_path):
    with pytest.raises((TypeError, ValueError, FileNotFoundError), match=words):
        plot.save(figure, tmp_path / name, **data)
    assert not list(tmp_path.iterdir())


def fail_half_way(path):
    with plot.replacing(path) as file:
        file.write(b"ne")
        raise RuntimeError("no coin at hand")


def test_file_that_fails_half_way_leaves_the_old_one(tmp_path):
    path = tmp_path / "note"
    path.write_text("old")
    with pytest.raises(RuntimeError, match="no coin"):
        fail_half_way(path)
    assert [(p.name, p.read_text()) for p in tmp_path.iterdir()] == [("note", "old")]
