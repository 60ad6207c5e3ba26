"""Enclosures hold all values, prove what is right on whole ranges, and find what points and corners miss."""

import mpmath
import pytest
import sympy as sp
from mpmath import iv

from statnn.theory import derivation as built
from statnn.theory import enclosure
from statnn.theory.derivation import identity, inequality
from statnn.theory.enclosure import enclosed, sign_on_boxes
from statnn.theory.evaluation import number, put_in, sign_of
from statnn.theory.registry import DERIVATIONS

x, y = sp.symbols("x y", positive=True)
j = sp.Symbol("j", integer=True, nonnegative=True)
NARROW = (x - 3) ** 2 - sp.Rational(1, 10**6)
"""Negative only within a thousandth of x = 3."""


@pytest.mark.parametrize(
    "expr",
    [
        x - y, x / y + sp.Rational(1, 3), -(x**2) * y**-3, sp.sqrt(x) * x ** sp.Rational(1, 3) / sp.pi, x**-y,
        sp.exp(-x) * sp.log(y), sp.erf(x - y), sp.tanh(x - y), sp.sinh(x), sp.atan(y), sp.asinh(x * y),
        *(sp.polygamma(order, x) for order in range(4)),
    ],
    ids=str,
)  # fmt: skip
def test_an_enclosure_holds_every_value(expr, rng):
    symbols = sorted(expr.free_symbols, key=str)
    for _ in range(20):
        ends = [sorted(map(mpmath.mpf, rng.uniform(0.1, 4, size=2))) for _ in symbols]
        interval = enclosed(expr, {symbol: iv.mpf(pair) for symbol, pair in zip(symbols, ends, strict=True)})
        with mpmath.workdps(40):
            for share in (0, *rng.uniform(size=3), 1):
                value = number(expr, symbols)(*(low + (high - low) * mpmath.mpf(share) for low, high in ends))
                assert mpmath.mpf(interval.a) <= value <= mpmath.mpf(interval.b)


def test_an_endless_sum_is_above_its_first_term():
    interval = enclosed(sp.Sum(x / (y + j) ** 2, (j, 0, sp.oo)), {x: iv.mpf([1, 2]), y: iv.mpf([2, 3])})
    assert abs(interval.a - mpmath.mpf(1) / 9) < 1e-14
    assert interval.b == mpmath.inf
    with pytest.raises(ValueError, match="negative"):
        enclosed(sp.Sum((3 - j) / (y + j) ** 3, (j, 0, sp.oo)), {y: iv.mpf([2, 3])})
    with pytest.raises(ValueError, match="negative"):  # the second term alone is
        enclosed(sp.Sum(((2 * j - 2) ** 2 - 1) * sp.exp(-j), (j, 0, sp.oo)), {})
    with pytest.raises(NotImplementedError, match="sum with an end"):
        enclosed(sp.Sum(x**j, (j, 0, 3)), {x: iv.mpf([1, 2])})


def test_signs_are_proved_on_whole_ranges():
    assert sign_on_boxes(x + 1 / x - sp.Rational(19, 10)).positive
    assert sign_on_boxes((x - y) ** 2 + x * y).positive
    assert sign_on_boxes(x + 1 / x - 2 + sp.Rational(1, 10**7)).positive  # boxes as small as that would be too many
    assert sign_on_boxes(1 - x, ((x, (0, 1)),)).positive
    assert sign_on_boxes(x + 1 / x + y - sp.Rational(29, 10), ((y, (1, 2)),)).positive  # x is cut, being longer
    assert sign_on_boxes(sp.Integer(2)).positive
    assert not sign_on_boxes(sp.Integer(0)).positive


def test_what_points_and_corners_miss_is_found():
    assert not sign_of(NARROW)
    verdict = sign_on_boxes(NARROW)
    assert not verdict.positive
    assert verdict.wrong.startswith("on all of the box from x = ")
    assert "box" not in sign_on_boxes(sp.Integer(-1)).wrong  # a number is wrong everywhere


def test_nothing_is_said_where_there_is_no_enclosure_or_no_sign(monkeypatch):
    monkeypatch.setattr(enclosure, "MOST_BOXES", 50)
    assert sign_on_boxes(sp.gamma(x)) == (False, "")
    assert sign_on_boxes((x - sp.sqrt(2)) ** 2) == (False, "")


class Claimed(sp.Function):
    """A form that is said to be positive, and is not."""

    _imp_ = staticmethod(lambda at: (at - 3) ** 2 - mpmath.mpf(10) ** -6)

    def _eval_is_positive(self):
        return True


def test_a_wrong_inequality_fails_on_its_box_when_asked_for():
    wrong = inequality("nearly everywhere", (x - 3) ** 2, sp.Rational(1, 10**6), Claimed(x), by=lambda gap: gap - gap)
    wrong.check()
    with pytest.raises(AssertionError, match=r"not positive on all of the box from x = .* to x = .* nearly everywhere"):
        wrong.check(thorough=True)


@pytest.mark.parametrize("name", DERIVATIONS)
def test_the_forms_of_all_inequalities_are_positive_on_all_of_their_range(name):
    for step in built(name).steps:
        form = put_in(step.positive, step.where)
        assert sign_on_boxes(form, step.domain).positive, step
        assert sign_on_boxes(-form, step.domain).wrong, step


@pytest.mark.parametrize(("step", "what"), [
    (inequality("by its parts", x + 1, x, sp.S.One), "as printed"),
    (inequality("by the form alone", sp.gamma(x + 1) / sp.gamma(x), 0, x), "its form"),
    (inequality("the other way round", x, x + 1, sp.S.NegativeOne), "neither"),
    (inequality("without an enclosure", sp.gamma(x), 0, sp.gamma(x)), "neither"),
    (identity("no inequality", x + x, 2 * x), "neither"),
])  # fmt: skip
def test_a_step_says_what_intervals_prove_of_it(step, what):
    assert step.enclosure == what
