"""The page of the classifier of clouds, and the same numbers from its arrays alone."""

from functools import cache

import numpy as np
import pytest
from clouds import subject

from statnn.inspection import inspect

SEED = (1, ())


@cache
def page(name):
    net, x, labels = subject()
    return inspect(net, x, labels, rng=1, basins=20, draws=8, only=[name])[name]


@cache
def layers_of():
    """Fields and activations of the classifier of clouds: two relu layers and a linear one."""
    net, x, _ = subject()
    fields, h = [], [x]
    for m in range(3):
        fields.append(h[-1] @ np.asarray(net.weights[m]).T + np.asarray(net.biases[m]))
        h.append(np.maximum(fields[-1], 0) if m < 2 else fields[-1])
    return fields, h


def agrees(section, expected, *, table=0, rel=1e-10):
    """Compare all columns of a table, none left out; a pair is a value and its error, a float is near, others equal."""
    shown = section.tables[table]
    assert list(shown.columns) == list(expected), "every column is compared"
    for name, values in expected.items():
        cells = [row[list(shown.columns).index(name)] for row in shown.rows]
        assert len(cells) == len(values), name
        for cell, value in zip(cells, values, strict=True):
            if isinstance(value, tuple):
                assert (cell.value, cell.error) == (pytest.approx(value[0], rel=rel), pytest.approx(value[1], rel=rel))
            elif isinstance(value, float):
                assert cell == pytest.approx(value, rel=rel, abs=1e-12), name
            else:
                assert cell == value, name
