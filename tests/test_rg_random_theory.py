"""Derivations of mean-field theory hold and are typeset."""

from xml.etree import ElementTree as ET

import pytest
import sympy as sp

from theory.derivation import identity
from theory.rg import meanfield, meanfield_series
from validation.typeset import svg

BUILT = (
    meanfield.gaussian_averages, meanfield.erf_layers, meanfield.relu_layers, meanfield_series.tanh_sums,
    meanfield_series.tanh_criticality, meanfield_series.finite_width,
)  # fmt: skip


@pytest.mark.parametrize("build", BUILT, ids=lambda build: build.__name__)
def test_every_derivation_checks_and_is_typeset(build):
    derivation = build()
    derivation.check()
    assert derivation.latex().isascii()
    for step in derivation.steps:
        assert ET.fromstring(svg(step.latex())).get("role") == "img"  # noqa: S314 - our own output


def test_a_wrong_amplitude_is_not_proved():
    """The length of distances is 3/t², not 2/t² nor that of a first order in t."""
    t, q = meanfield_series.t, meanfield.q
    right = sp.series(((1 + t) * meanfield_series.SLOPE).subs(q, meanfield_series.START).expand(), t, 0, 3).removeO()
    for wrong in (1 + t**2 / 2, 1 + t + t**2 / 3):
        with pytest.raises(AssertionError, match="is not 0"):
            identity("wrong", right, wrong, by=sp.expand).check()
    assert sp.expand(right - 1 - t**2 / 3) == 0
