"""Arrays of other libraries, by stand-ins for what numpy sees of them: no mask is lost, no unit made up."""

import numpy as np
import pytest

from statnn._arguments import array_of
from statnn.interaction import BinaryNeurons
from statnn.measure import spikes
from statnn.rg import lattice

COUNTS = [0, 3, 10, 7, 1, 2]
HIDDEN = np.ma.array(COUNTS, mask=[0, 1, 0, 0, 0, 0])


class Lazy:
    """An array of dask: its parts are masked, what numpy makes of it is not."""

    def __init__(self, values):
        self.values = values

    def __dask_graph__(self):
        return {}

    def compute(self):
        return self.values

    def __array__(self, dtype=None, copy=None):
        return np.asarray(self.values)


class Hidden(np.ndarray):
    """An array of astropy with a mask, which is no masked array of numpy."""

    @property
    def _mask(self):
        return np.asarray(self) > 5


class Column(np.ndarray):
    """A column of a table of astropy."""

    unit = None


def test_masks_of_other_libraries_are_refused():
    hidden = np.array(COUNTS).view(Hidden)
    for masked in (Lazy(HIDDEN), [COUNTS, Lazy(HIDDEN)], hidden, [hidden, COUNTS]):
        with pytest.raises(ValueError, match="counts has masked entries"):
            array_of(masked, "counts")


def test_what_has_no_mask_and_no_unit_is_taken():
    column = np.array(COUNTS).view(Column)
    for plain in (Lazy(np.array(COUNTS)), Lazy(np.ma.array(COUNTS)), [*map(Lazy, COUNTS)], column):
        assert array_of(plain, "counts").tolist() == COUNTS
        assert type(array_of(plain, "counts")) is np.ndarray
    with_unit = np.array(COUNTS).view(type("Metres", (Column,), {"unit": "m"}))
    with pytest.raises(TypeError, match="counts has the unit m"):
        array_of(with_unit, "counts")


ROWS = np.array([[0, 1], [1, 0]])
OBJECTS = {
    "couplings": BinaryNeurons,
    "the block": lambda rows: BinaryNeurons([rows]),
    "fields": lambda rows: BinaryNeurons(ROWS, fields=rows[0]),
    "activations": spikes.statistics,
    "states": lambda rows: lattice.decimate(rows, 2),
}


@pytest.mark.parametrize("name", OBJECTS)
def test_numbers_that_are_kept_as_objects_are_refused_with_what_to_pass(name):
    """Columns of a table are objects where one of them once held a word."""
    with pytest.raises(TypeError, match=rf"not object \(pass numpy\.asarray\({name}, dtype=float\)\)"):
        OBJECTS[name](ROWS.astype(object) * 1.5)
    words = np.array([["a", "b"], ["c", "d"]], dtype=object)
    with pytest.raises(TypeError, match=r"real numbers.*, not object$"):
        OBJECTS[name](words)


def test_counts_that_are_floats_are_refused_with_what_to_pass():
    with pytest.raises(TypeError, match=r"not float64: .* convert with \.astype\(int\) once you are sure"):
        spikes.from_window_counts(ROWS * 1.0, 10)


def test_tensors_of_types_that_numpy_lacks_are_refused_with_what_to_pass():
    torch = pytest.importorskip("torch")
    short = torch.tensor(COUNTS, dtype=torch.bfloat16)
    with pytest.raises(TypeError, match=r"counts is a Tensor .*; pass counts\.float\(\)"):
        array_of(short, "counts")
    assert array_of(short.float(), "counts").tolist() == COUNTS
