"""Formulas as functions of arrays in double precision, where their parts may leave its range."""

import numpy as np
import pytest

from statnn import theory

FORMULAS = theory.formulas()
WORKING = FORMULAS["gamma-poisson.working"]


def test_a_function_works_on_arrays_and_raises_where_it_is_not_finite():
    values = WORKING.function()(D=np.array([0, 200, 1800]), N=1000, b=1, c=5)
    np.testing.assert_allclose(values, [0, 500, 900], rtol=1e-14)
    assert FORMULAS["polya-urn.working-law"].function()(N=3, n=2, b=1, k=[1, 2]) == pytest.approx([0.5, 0.5])
    with pytest.raises(ValueError, match=r"is inf in double precision at K = 40, b = 2: use .*BinaryLayer.power"):
        FORMULAS["binary-layers.power"].function()(K=[1.0, 40.0], b=2)
    silent = FORMULAS["beta-bernoulli.silent"].function()
    with pytest.raises(TypeError, match="also needs a value of c"):
        silent(N=1000, D=1, b=1)
    with pytest.raises(TypeError, match="no symbol 'd'"):
        silent(N=1000, d=1, b=1, c=1)


@pytest.mark.parametrize(
    ("name", "at"),
    [
        ("polya-urn.growth-rate", {"N": 324, "n": 18, "b": 0.331}),
        ("beta-bernoulli.growth-rate", {"N": 300, "D": 40, "b": 2.0, "c": 5.0}),
        ("beta-bernoulli.silent", {"N": 1000, "D": 1e9, "b": 0.3, "c": 5.0}),
        ("gamma-poisson.count", {"N": 300, "D": 500, "b": 2.3, "c": 5.1, "k": 200}),
        ("rarefaction.working", {"D": 1100, "k": 2, "d": 500}),
        *(("beta-bernoulli.working", {"N": 100, "D": D, "b": 1.0, "c": 1.0}) for D in range(20, 80)),
    ],
)
def test_parts_of_a_formula_may_leave_the_range_of_doubles(name, at):
    """As ratios of gamma functions do: one over infinity, or a product of inverses, is zero in doubles."""
    assert FORMULAS[name].function()(**at) == pytest.approx(float(FORMULAS[name].evaluate(**at)), rel=1e-9)


def test_a_function_keeps_the_digits_of_an_alternating_sum():
    law = FORMULAS["polya-urn.working-law"]
    for at in ({"N": 364, "n": 14, "b": 5.036, "k": 12}, {"N": 364, "n": 100, "b": 5.036, "k": 80}):
        assert law.function()(**at) == pytest.approx(float(law.evaluate(**at)), rel=1e-14)
    assert law.function()(N=364, n=14, b=5.036, k=27) == 0  # more units at work than activations
