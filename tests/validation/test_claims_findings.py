"""Findings and verdicts that cannot contradict themselves, and the claims whose every quantity has a twin."""

import math

import numpy as np
import pytest
from scipy import stats

from statnn.testing import assert_uniform, statistics
from validation.claim import Asks, Claim, Finding, Outcome, Verdict, measured
from validation.claims import CLAIMS
from validation.claims._tools import of_batches
from validation.claims.interaction.stiffness import STIFFNESS
from validation.finding import LEVEL
from validation.task import _twins

HEADS, RUNS = "share of heads", "share of tosses equal to the one before"

FINDING = {
    "quantity": HEADS,
    "estimate": 1.0,
    "error": 0.1,
    "theory": 1.2,
    "z": -2.0,
    "p": 2 * stats.norm.sf(2.0),
    "dof": math.inf,
    "sees": 0.3,
    "unit": "in the share",
}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"estimate": math.nan}, "estimate .* must be finite"),
        ({"error": math.inf}, "error .* must be finite"),
        ({"theory": math.nan}, "theory .* must be finite"),
        ({"limit": math.inf}, "limit .* must be finite"),
        ({"error": -1.0}, "error .* must be >= 0"),
        ({"tolerance": -0.1}, "tolerance .* must be >= 0"),
        ({"z": math.nan}, "z .* must be finite"),
        ({"z": 0.0, "p": 1.0}, "state the tolerance"),
        ({"tolerance": 0.1}, "state the tolerance"),
        ({"theory": 1.1}, "state the tolerance"),
        ({"z": 2.0}, "state the tolerance"),
        ({"error": 0.0}, "no standard error"),
        ({"asks": Asks.AT_MOST}, "state the tolerance"),
        ({"theory": 1.0, "z": 0.0, "dof": None}, "z = 0 but p"),
        ({"p": 1.5}, "must lie in"),
        ({"p": 0.5}, "does not belong to z"),
        ({"comparisons": 48}, "does not belong to z"),
        ({"dof": 9}, "does not belong to z"),
        ({"p": None}, "z without p"),
        ({"comparisons": 0}, "comparisons >= 1"),
        ({"comparisons": math.nan, "dof": None}, "comparisons >= 1"),
        ({"comparisons": math.inf, "dof": None}, "comparisons >= 1"),
        ({"comparisons": 1.5, "dof": None}, "comparisons >= 1, a whole number"),
        ({"singles": (0.05, math.nan)}, r"p of single comparisons .* must lie in \[0, 1\]"),
        ({"singles": (1.5,)}, r"p of single comparisons .* must lie in \[0, 1\]"),
        ({"singles": (-0.1,)}, r"p of single comparisons .* must lie in \[0, 1\]"),
        ({"singles": (1.5,), "z": None, "p": None}, r"p of single comparisons .* must lie in \[0, 1\]"),
        ({"singles": (0.05,)}, "not that of the worst of its 1 single"),
        ({"comparisons": 2, "dof": None, "singles": (0.04, 0.9)}, "not that of the worst of its 2 single"),
        ({"sees": 0.0}, "sees > 0"),
        ({"sees": math.inf}, "sees .* must be finite"),
        ({"quantity": " "}, "quantity in words"),
        ({"unit": ""}, "unit in words"),
        ({"asks": "nearly"}, "Asks"),
    ],
)
def test_finding_that_contradicts_itself_is_refused(changes, words):
    Finding(**FINDING)
    with pytest.raises(ValueError, match=words):
        Finding(**(FINDING | changes))


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({}, f"{HEADS}: 1.00 ± 0.10, theory 1.2, z = -2.00, p = 0.046"),
        (
            {"limit": 1.5, "tolerance": 0.1, "z": -1.0, "p": 1.0, "comparisons": 48},
            f"{HEADS}: 1.00 ± 0.10, theory 1.2 at these sizes, 1.5 in the limit, "  # noqa: ISC004 - one sentence
            "tolerance 0.1, z = -1.00, p = 1, worst of 48",
        ),
        ({"theory": 9.0, "z": -80.0, "p": 0.0}, f"{HEADS}: 1.00 ± 0.10, theory 9, z = -80.00, p < 10⁻³⁰⁰"),
        (
            {"theory": 0.8, "z": 2.0, "asks": Asks.ABOVE},
            f"{HEADS}: 1.00 ± 0.10, theory clearly above 0.8, z = +2.00, p = 0.046",
        ),
        ({"error": 0, "z": None, "p": None}, f"{HEADS}: 1, theory 1.2, tolerance 0"),
        (
            {"theory": 1.0 + 2.0**-40, "tolerance": 0.1, "z": -0.0, "p": 1.0},
            f"{HEADS}: 1.00 ± 0.10, theory 1, tolerance 0.1, z = +0.00, p = 1",
        ),
    ],
)
def test_finding_prints_what_was_tested(changes, text):
    assert str(Finding(**(FINDING | changes))) == text


@pytest.mark.parametrize(
    ("asks", "estimate", "p", "holds"),
    [
        (Asks.EQUAL, 1.0, 1e-3, True),
        (Asks.EQUAL, 1.0, 1e-12, False),
        (Asks.EQUAL, 1.0, LEVEL / 3, False),
        (Asks.AT_MOST, 1.3, 1e-12, False),
        (Asks.AT_MOST, 1.3, 1e-3, True),
        (Asks.AT_LEAST, 1.0, 1e-12, False),
        (Asks.ABOVE, 1.3, 1e-12, True),
        (Asks.ABOVE, 1.3, 1e-3, False),
        (Asks.ABOVE, 1.0, 1e-12, False),
        (Asks.BELOW, 1.0, 1e-12, True),
        (Asks.BELOW, 1.3, 1e-12, False),
        (Asks.EQUAL, 1.2 + 1e-9, None, True),
        (Asks.EQUAL, 1.3, None, False),
        (Asks.AT_MOST, 1.0, None, True),
        (Asks.AT_MOST, 1.3, None, False),
        (Asks.AT_LEAST, 1.3, None, True),
        (Asks.AT_LEAST, 1.0, None, False),
        (Asks.ABOVE, 1.3, None, True),
        (Asks.ABOVE, 1.2 + 1e-9, None, False),
        (Asks.BELOW, 1.0, None, True),
    ],
)
def test_what_a_finding_asks(asks, estimate, p, holds):
    tolerance = 1e-8 if p is None else 0.0
    changes = {"asks": asks, "estimate": estimate, "tolerance": tolerance, "z": None, "p": p, "dof": None}
    assert Finding(**(FINDING | changes)).holds() is holds


def test_a_finding_says_what_its_run_sees():
    """With a known error it is the deviation at which z exceeds its limit with probability 0.999."""
    wide = stats.norm.isf(LEVEL / 3 / 2) + stats.norm.ppf(0.999)
    reach = Finding(**FINDING).reach(3)
    assert reach.deviation == pytest.approx(0.1 * wide)
    assert str(reach) == "0.9 (normal)"
    assert Finding(**FINDING).reach().deviation == pytest.approx(0.1 * (stats.norm.isf(LEVEL / 2) + 3.0902323))
    few = FINDING | {"dof": 9, "p": 2 * stats.t.sf(2.0, 9)}
    assert str(Finding(**few).reach()).endswith("(noncentral t)")
    comparison = statistics.counts([480, 520], [0.5, 0.5])
    assert Finding.of(HEADS, comparison, sees=0.1, unit="in the share").reach().quantity == "noncentrality"
    sure = FINDING | {"z": None, "dof": None, "p": None, "tolerance": 0.25}
    assert str(Finding(**sure).reach()) == "0.25 (the tolerance)"
    assert Finding(**(sure | {"p": 0.5})).reach() is None  # the law of its statistic is not known


def test_the_worst_of_many_sees_less_than_one_alone():
    """Each of m is judged at a share 1/m of the level."""
    many = Finding(**(FINDING | {"comparisons": 40, "p": 1.0}))
    wide = stats.norm.isf(LEVEL / 3 / 40 / 2) + stats.norm.ppf(0.999)
    assert many.reach(3).deviation == pytest.approx(0.1 * wide)


@pytest.mark.parametrize("asks", [Asks.EQUAL, Asks.AT_MOST, Asks.AT_LEAST])
def test_what_is_computed_to_be_the_theory_is_the_theory(asks):
    exact = FINDING | {"asks": asks, "estimate": 1.2, "error": 0.0, "z": None, "p": None, "dof": None}
    assert Finding(**exact).holds()


@pytest.mark.parametrize("asks", [Asks.ABOVE, Asks.BELOW])
def test_what_must_be_shown_is_shown_beyond_theory_at_the_level_that_is_shared(asks):
    """An estimate equal to the theory is neither above nor below it, whatever the p-value of another statistic."""
    estimate = {Asks.ABOVE: 1.3, Asks.BELOW: 1.1}[asks]
    finding = Finding(**(FINDING | {"asks": asks, "estimate": estimate, "z": None, "dof": None, "p": LEVEL / 2}))
    assert finding.holds()
    assert not finding.holds(sharing=3)
    assert not Finding(**(FINDING | {"asks": asks, "estimate": 1.2, "z": None, "dof": None, "p": 0.0})).holds()


def test_findings_share_their_level():
    p = LEVEL / 2
    finding = Finding(**(FINDING | {"z": None, "dof": None, "p": p}))
    assert not finding.holds()
    assert finding.holds(sharing=3)
    other = Finding(**(FINDING | {"quantity": RUNS}))
    third = Finding(**(FINDING | {"quantity": "third"}))
    assert Verdict(Outcome.EXACT, (finding, other, third)).failing == ()
    assert Verdict.judged([finding], Outcome.EXACT, "", otherwise="no").failing == (HEADS,)


def test_a_verdict_is_shown_as_a_row_for_each_finding():
    head, rows = Verdict(Outcome.DOMAIN, (GOOD_FINDING, BAD_FINDING), "no")._table()
    assert dict(zip(head, rows[0], strict=True)) == {
        "quantity": HEADS, "estimate": "1.00 ± 0.10", "theory": 1.2, "z": -2.0, "p": "0.046", "holds": True,
    }  # fmt: skip
    assert rows[1][2:] == (9.0, -80.0, "0", False)


GOOD_FINDING = Finding(**FINDING)
BAD_FINDING = Finding(**(FINDING | {"quantity": RUNS, "theory": 9.0, "z": -80.0, "p": 0.0}))


@pytest.mark.parametrize(
    ("outcome", "findings", "detail", "words"),
    [
        ("perhaps", (GOOD_FINDING,), "", "Outcome"),
        (Outcome.EXACT, (), "", "distinct quantities"),
        (Outcome.EXACT, (GOOD_FINDING, GOOD_FINDING), "", "distinct quantities"),
        (Outcome.ASYMPTOTIC, (GOOD_FINDING,), "", "needs a detail"),
        (Outcome.CONTRADICTED, (BAD_FINDING,), " ", "needs a detail"),
        (Outcome.EXACT, (GOOD_FINDING, BAD_FINDING), "", "whose findings fail: share of tosses"),
        (Outcome.ASYMPTOTIC, (GOOD_FINDING, BAD_FINDING), "n", "whose findings fail: share of tosses"),
        (Outcome.DOMAIN, (BAD_FINDING,), "n", "no finding holds"),
        (Outcome.CONTRADICTED, (GOOD_FINDING,), "n", "all findings hold"),
    ],
)
def test_verdict_that_its_findings_do_not_bear_out_is_refused(outcome, findings, detail, words):
    with pytest.raises(ValueError, match=words):
        Verdict(outcome, findings, detail)


def test_decisive_finding_is_the_one_that_fails():
    assert Verdict(Outcome.CONTRADICTED, (GOOD_FINDING, BAD_FINDING), "no").decisive is BAD_FINDING
    assert Verdict(Outcome.DOMAIN, (GOOD_FINDING, BAD_FINDING), "no")[HEADS] is GOOD_FINDING


def test_of_findings_that_hold_the_least_likely_decides():
    """Findings without an error, and those that data must show, have no p-value that counts against them."""
    likely = Finding(**(FINDING | {"quantity": "likely", "z": 0.0, "p": 1.0, "theory": 1.0}))
    exact = Finding(quantity="exact", estimate=1.0, error=0.0, theory=1.0, sees=0.1, unit="of it")
    shown = Finding(
        quantity="shown", estimate=1.0, error=0.1, theory=0.0, z=10.0, p=1e-20, sees=1.0, unit="of it", asks=Asks.ABOVE
    )
    assert Verdict(Outcome.EXACT, (exact, likely, shown, GOOD_FINDING)).decisive is GOOD_FINDING
    assert Verdict(Outcome.EXACT, (exact, shown)).decisive is shown


@pytest.mark.parametrize(
    ("estimate", "error", "text"),
    [
        (0.5, 0.012, "0.500 ± 0.012"),
        (-1234.5, 67.0, "-1234 ± 67"),
        (0.0, 0.0, "0"),
        (0.0, 0.3, "0.00 ± 0.30"),
        (1.5e-9, 2e-10, "(1.50 ± 0.20)e-09"),
        (2.5e12, 1e10, "(2.500 ± 0.010)e+12"),
    ],
)
def test_measured_shows_two_digits_of_the_error(estimate, error, text):
    assert measured(estimate, error) == text


def test_finding_of_a_comparison_says_all_of_it(rng):
    samples = rng.standard_normal((7, 50))
    comparison = statistics.worst(
        statistics.z_score(x.mean(), stats.sem(x), 0.0, bias=0.01, dof=49) for x in samples
    )  # fmt: skip
    finding = Finding.of(HEADS, comparison, sees=0.3, unit="in the share")
    assert (finding.tolerance, finding.comparisons, finding.dof) == (0.01, 7, 49)
    assert (finding.z, finding.p) == (comparison.z, comparison.p)
    assert finding.singles == comparison.singles
    assert len(finding.singles) == 7
    exact = statistics.proportion(8, 20, 0.5)
    alone = Finding.of(HEADS, exact, sees=0.3, unit="in the share")
    assert (alone.dof, alone.singles) == (None, (exact.p,))


@pytest.mark.parametrize(("asks", "z"), [(Asks.AT_MOST, 0.0), (Asks.AT_LEAST, -2.0), (Asks.EQUAL, -2.0)])
def test_only_the_side_that_counts_counts(asks, z):
    finding = Finding.of(HEADS, statistics.z_score(1.0, 0.1, 1.2), sees=0.3, unit="in the share", asks=asks)
    assert finding.z == pytest.approx(z)
    assert finding.p == pytest.approx(1.0 if z == 0 else 2 * stats.norm.sf(2.0))


# -- contradicted claims ---------------------------------------------------------------------------------------


def claim_of_two(**changes):
    """A claim on heads and runs; the findings hold where the data say so."""

    def judge(data):
        bad = {name: Finding(**(FINDING | {"quantity": name, "theory": 9.0, "z": -80.0, "p": 0.0})) for name in data}
        good = {name: Finding(**(FINDING | {"quantity": name})) for name in data}
        made = [(good if holds else bad)[name] for name, holds in data.items()]
        return Verdict.judged(made, Outcome.DOMAIN, "as stated", otherwise="not as stated")

    def other(name):
        return lambda data, _by: {**data, name: not data[name]}

    parts = {
        "title": "A coin", "statement": "It is fair, and forgets.", "source": "ours", "standing": "paper",
        "expected": Outcome.CONTRADICTED, "run": None, "judge": judge, "draw": None,
        "twins": {HEADS: other(HEADS), RUNS: other(RUNS)}, "contradicted": (HEADS,),
    }  # fmt: skip
    return Claim("coin", **(parts | changes))


def test_contradicted_claims_say_which_quantities_fail():
    claim = claim_of_two()
    as_stated = {HEADS: False, RUNS: True}
    assert claim.expects(claim.judge(as_stated))
    assert not claim.expects(claim.judge({HEADS: False, RUNS: False}))
    assert not claim.expects(claim.judge({HEADS: True, RUNS: False}))
    assert not claim.expects(claim.judge({HEADS: True, RUNS: True}))
    assert claim_of_two(contradicted=()).expects(claim.judge({HEADS: True, RUNS: False}))


def test_twins_of_parts_that_hold_are_rejected_in_contradicted_claims():
    data = {HEADS: False, RUNS: True}
    for contradicted, rejected in (((HEADS,), {HEADS, RUNS}), ((), {HEADS})):
        claim = claim_of_two(contradicted=contradicted)
        twins = list(_twins(claim, data, claim.judge(data)))
        assert {twin.quantity for twin in twins if twin.rejected} == rejected
        assert {twin.by for twin in twins} == {1.5 * 0.3}  # 0.3 is what the findings say they see


@pytest.mark.parametrize("changes", [{"expected": Outcome.DOMAIN}, {"contradicted": ("share of tails",)}])
def test_quantities_that_cannot_be_contradicted_are_refused(changes):
    with pytest.raises(ValueError, match="only a claim that is expected to be contradicted"):
        claim_of_two(**changes)


def test_what_is_not_linear_in_the_mean_is_taken_of_batches_without_their_bias(rng):
    """The square of a mean is too large by s²/n on average, and the jackknife takes just that off."""
    values = rng.normal(2.0, 3.0, size=(24, 5))
    means = values.reshape(8, 3, 5).mean(axis=1)
    assert of_batches(values, 8, lambda mean: 7 * mean) == pytest.approx(7 * means)
    squares = of_batches(values, 8, np.square)
    assert squares.mean(axis=0) == pytest.approx(means.mean(axis=0) ** 2 - means.var(axis=0, ddof=1) / 8)
    assert squares.mean(axis=0) != pytest.approx((means**2).mean(axis=0), rel=0.01)


def test_the_order_of_stiff_layers_counts_how_few_chains_give_its_errors(rng):
    """Errors of six chains are themselves uncertain: Student's law of five degrees of freedom, not the normal one."""
    p = []
    for _ in range(1000):
        chains = (1 + 0.02 * rng.standard_normal((9, 6))) / STIFFNESS[:, None]
        data = {"stiffness": STIFFNESS, "chains": chains, "leading": 1 / STIFFNESS, "order": -1.0}
        p.append([finding.p for finding in CLAIMS["stiffness"].judge(data).findings])
    for values, name in zip(np.transpose(p), ("order", "amplitude"), strict=True):
        assert_uniform(values, what=f"p of the {name}")
