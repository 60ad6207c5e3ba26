"""Numbers of any size: models that differ by their unit are sampled alike, or refused where digits would be lost."""

import numpy as np
import pytest

from statnn.interaction import BinaryNeurons
from statnn.montecarlo import HeatBath, Tempering, sample
from statnn.montecarlo._grid import _most_terms, _row_sums, multiples, on_grid, rounded

MODEL = BinaryNeurons(
    [[0.0, 0.9, 0.55, 0.0], [0.9, 0.0, -0.7, 0.0], [0.55, -0.7, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0]],
    fields=[0.3, 0.0, -0.2, 0.0],
    temperature=1.7,
)


@pytest.mark.parametrize("unit", [1e-200, 1e-40, 1e40, 1e200])
@pytest.mark.parametrize("layout", ["replicas", "colours"])
def test_units_do_not_matter(unit, layout):
    other = BinaryNeurons(MODEL.couplings * unit, MODEL.fields * unit, MODEL.temperature * unit)
    for values in rounded(other):
        assert np.isfinite(values).all()
    plain, scaled = (sample(model, 200, chains=64, method=HeatBath(layout), rng=1) for model in (MODEL, other))
    assert np.mean(plain.states == scaled.states) > 0.99
    assert np.mean(plain.draws["magnetisation"] == scaled.draws["magnetisation"]) > 0.99


@pytest.mark.parametrize("temperature", [1e40, 1e300])
def test_spins_that_fill_up_chunks_are_held_however_hot_it_is(temperature):
    run = sample(MODEL.at(temperature), 20, chains=8, method=HeatBath("colours"), rng=1)
    assert np.array_equal(run.draws["magnetisation"][:, -1], run.states.mean(axis=1))
    assert (run.acceptance <= 1).all()


@pytest.mark.parametrize("method", ["heat bath", "metropolis", "tempering", "blocks"])
@pytest.mark.parametrize(
    ("field", "temperature", "message"),
    [
        (1e20, 1.0, r"spin [12] would be off by .* T, because that of spin 0 reaches 1e\+20 .* 100 T beyond"),
        (1e305, 1.0, r"the local field of spin 0 reaches 1e\+305, more than 1e\+300"),
        (1.0, 1e-305, r"temperature = 1e-305 is below 1e-300"),
    ],
)
def test_numbers_too_far_apart_are_refused(method, field, temperature, message):
    model = BinaryNeurons([[[0.3]], [[0.7]]], fields=[field, 0.0, 0.0], temperature=temperature)
    with pytest.raises(ValueError, match=message):
        sample(model, 10, method=method)


def test_very_cold_models_are_not_refused():
    cold = sample(MODEL.at(1e-18), 10, method="heat bath", rng=1)
    assert np.isfinite(cold.draws["energy"]).all()


@pytest.mark.parametrize("method", [None, "metropolis", Tempering((1.0, 2.0))], ids=str)
def test_the_smallest_couplings_that_floats_have_leave_spins_free(method):
    pair = BinaryNeurons([[0, 5e-324], [5e-324, 0]])
    run = sample(pair, 200, rng=1, method=method, observables={"both": lambda states: states[:, 0] * states[:, 1]})
    assert set(np.unique(run.draws["both"])) == {-1.0, 1.0}


def test_sums_over_neighbours_in_layers_are_those_of_the_matrix():
    model = BinaryNeurons([np.array([[1.0, -2.0, 0.5]]), np.array([[3.0], [-4.0]])], temperature=1.0)
    np.testing.assert_array_equal(_row_sums(model, np.abs), np.asarray(abs(model.couplings).sum(axis=1)).ravel())
    assert _most_terms(model) == np.diff(model.couplings.indptr).max() + 1 == 6


def test_sums_of_rounded_terms_are_exact_floats():
    """Sixteen terms that add up to just below 2^24 are all rounded up."""
    terms = np.array([1_000_000.75] * 15 + [0.0])
    terms[-1] = 2.0**24 - terms.sum() - 0.1
    dtype, spacing = on_grid(terms.sum(), 16, 1e5)
    assert dtype == np.float32
    assert spacing == 2
    assert multiples(terms, spacing).sum() <= 2**24 < multiples(terms, 1.0).sum()


def test_large_sums_do_not_pass_the_last_whole_number_by_the_rounding_of_a_logarithm():
    bound = (2.0**53 + 16) * 2.0**900
    dtype, spacing = on_grid(bound, 4, 1.0)
    assert dtype == np.float64
    assert spacing == 2.0**901


def test_the_error_of_a_field_grows_as_the_root_of_its_terms():
    """It stays below 1e-4 temperatures while float64 has the digits."""
    types = set()
    for temperature in np.geomspace(1e-3, 1e3, 61):
        dtype, spacing = on_grid(6.0, 100, temperature)
        types.add(dtype)
        assert np.sqrt(100) * spacing / 2 <= 1e-4 * temperature
    assert len(types) == 2


def test_fields_that_are_rounded_away_are_refused_even_without_couplings():
    with pytest.raises(ValueError, match=r"spin 1 would be off by 0\.3 T"):
        sample(BinaryNeurons(np.zeros((2, 2)), fields=[1e20, 0.3]), 4, rng=1)
