"""Arrays of other libraries, by stand-ins of what numpy meets of them: no mask is lost, no unit made up."""

import numpy as np
import pytest

from statnn._arguments import array_of

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
