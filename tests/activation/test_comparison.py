"""The words of a comparison of laws, beside its numbers."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from statnn.activation import BetaBernoulli, GammaPoisson, compare


def test_it_says_where_no_law_describes_the_counts(rng):
    """Half of the neurons never fire, half in some 30 of 100 samples: no law has such counts; then counts of a law."""
    two = compare([0] * 200 + (20 + rng.binomial(20, 0.5, 200)).tolist(), 100)
    assert max(two.p_values) < 1e-6
    assert "no law describes these counts (p " in str(two).splitlines()[-1]
    assert "no law describes" in two._repr_html_()
    true = compare(GammaPoisson(2000, 0.5, 1.0).simulate([500], counts=True, rng=rng).counts[0, 0], 500)
    assert ("no law" in str(true)) is (max(true.p_values) < 0.01)


def test_the_table_has_distances_to_the_best_law_and_the_errors_that_there_are():
    compared = compare(20 * [0, 3, 10, 7, 0, 1, 5, 2, 9, 4], 10)
    head, *rows = (line.split() for line in str(compared).splitlines()[: 1 + len(compared.fits)])
    assert head == ["law", "b", "±", "c", "±", "ΔAIC", "weight", "p", "of", "fit"]
    for fitted, aic, row in zip(compared.fits, compared.aic, rows, strict=True):
        law = type(fitted.process).__name__
        c_error = "given" if law == "PolyaUrn" else f"{fitted.c_error:.2g}"
        assert row[:6] == [law, f"{fitted.b:.4g}", f"{fitted.b_error:.2g}", f"{fitted.c:.4g}", c_error,
                           f"{aic - compared.aic[0]:.2f}"]  # fmt: skip
        said = f"c = {fitted.c:.5g}" + ("" if law == "PolyaUrn" else f" ± {c_error}")
        assert f", {said}, " in str(fitted)
    assert rows[0][5] == "0.00"


def test_p_below_the_reach_of_floats_has_a_bound():
    """Two sorts of neurons, each far more alike than any law has them."""
    compared = compare(np.repeat([1, 500], 4000), 1000)
    fitted = compared.best
    assert fitted.p_value == 0
    assert str(fitted).count(" dof), p < 10⁻³⁰⁰; ") == str(compared).splitlines()[1].endswith(" < 10⁻³⁰⁰") == 1
    assert all("<td>&lt; 10⁻³⁰⁰</td>" in shown._repr_html_() for shown in (fitted, compared))
    with pytest.warns(RuntimeWarning, match=r"refuted by these counts \(p < 10⁻³⁰⁰\)"):
        fitted.predict(2000)


def test_a_law_of_less_weight_that_describes_the_counts_is_one():
    """Whether a law describes the counts is judged by the largest p-value, not by that of the law of least AIC."""
    compared = compare(20 * [0, 3, 10, 7, 0, 1, 5, 2, 9, 4], 10)
    for p, said in (((1e-5, 0.5, 1e-5), ""), ((1e-5, 2e-5, 1e-6), "(p = 2 × 10⁻⁵ at best)")):
        fits = [
            replace(fitted, goodness=replace(fitted.goodness, p_value=q))
            for fitted, q in zip(compared.fits, p, strict=True)
        ]
        text = str(replace(compared, fits=tuple(fits)))
        assert said in text
        assert ("no law describes" in text) == bool(said)


def test_the_best_law_stands_first():
    """The counts are 300 quantiles of a negative binomial law, whose tail outreaches any law with a largest count."""
    counts = stats.nbinom.ppf((np.arange(300) + 0.5) / 300, 1.0, 1 / 11).astype(int)
    compared = compare(counts, 80, replicas=19, rng=1)
    assert compared.best is compared.fits[0]
    assert list(compared.aic) == sorted(compared.aic)
    assert isinstance(compared.fits[-1].process, BetaBernoulli)
