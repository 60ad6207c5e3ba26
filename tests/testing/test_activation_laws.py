"""Laws of activations hold for ours and for those of a user; each law refuses what breaks it."""

import numpy as np
import pytest
from hypothesis import given
from strategies import examples

from statnn.network import ACTIVATIONS, Activation, leaky_relu
from statnn.testing import BrokenLawError, check_activation, strategies
from statnn.testing._activation_laws import LAWS

ENTRIES = {**ACTIVATIONS, "leaky relu, falling": leaky_relu(-0.5), "leaky relu, line": leaky_relu(1.0)}
KEPT = {"elementwise", "derivative", "single precision", "copies"}


@pytest.mark.parametrize("sigma", ENTRIES.values(), ids=ENTRIES)
def test_laws_of_every_entry(sigma, rng):
    asked = set(check_activation(sigma, rng=rng).names("held"))
    assert asked >= KEPT | {"steepest"}
    stated = {name for name in ("odd", "increasing", "homogeneous") if getattr(sigma, name)}
    stated |= {name for name in ("bounds", "slopes", "period", "tanh", "averages") if getattr(sigma, name) is not None}
    assert asked >= stated | ({"exact", "kinks"} if sigma.smooth else set())


@given(strategies.activations())
@examples(0.2)
def test_laws_of_any_activation(sigma):
    assert set(check_activation(sigma, rng=1).names("held")) >= KEPT


class Own:
    """An activation that knows nothing of the package."""

    def __init__(self, function=np.tanh, derivative=None, **facts):
        self.function = function
        self.of = derivative or (lambda h: 1 - np.tanh(h) ** 2)
        vars(self).update(facts)

    def __call__(self, h):
        return self.function(h)

    def derivative(self, h):
        return self.of(h)

    def __repr__(self):
        return "Own()"


class Forgetful(Own):
    """An activation whose copy is another function."""

    def __reduce__(self):
        return Own, (np.sin, np.cos)


class Averages:
    """The averages of the sine, one of them too large by a thousandth."""

    def __init__(self, wrong):
        self.wrong = wrong
        self.forms = ACTIVATIONS["sin"].averages

    def __getattr__(self, name):
        if name not in {"moments", "bend", "fourth"}:
            raise AttributeError(name)
        factor = 1.001 if name == self.wrong else 1.0
        return lambda q: np.multiply(factor, getattr(self.forms, name)(q))


class Digits(Own):
    smooth = True

    @staticmethod
    def exactly(h):
        import mpmath

        return mpmath.tanh(h) + mpmath.mpf("1e-13") * mpmath.sin(h)


def of_sine(**facts):
    return Own(np.sin, np.cos, **facts)


def of_line(**facts):
    return Own(lambda h: 2 * h, lambda h: np.full_like(h, 2.0), **facts)


BROKEN = {
    "elementwise": (Own(lambda h: h - h.mean(), np.ones_like), "not elementwise"),
    "derivative": (Own(lambda h: 1.001 * np.sin(h), np.cos), "wrong at the field .* central differences"),
    "single precision": (
        Own(lambda h: np.where(h.dtype == np.float32, 1.001, 1.0) * np.tanh(h)),
        r"at h = \S+: \S+ instead of",
    ),
    "odd": (Own(lambda h: np.tanh(h) + 1e-12, odd=True), r"at h = \S+: \S+ instead of \S+"),
    "increasing": (of_sine(increasing=True), "a step of -.* not >= 0"),
    "bounds": (Own(bounds=(-0.99, 1.0)), r"at h = \S+: -.* not in \[-0.99, 1\]"),
    "slopes": (of_line(slopes=(2.0, 2.1)), "2 instead of 2.1"),
    "homogeneous": (Own(homogeneous=True), "at h = .* instead of"),
    "steepest": (of_sine(steepest=0.9999), "not <= 0.9999"),
    "above relu": (Own(lambda h: np.logaddexp(h, 0), lambda h: 1 / (1 + np.exp(-h)), above_relu=0.69), "not <= 0.69"),
    "period": (of_sine(period=6.28), "at h = .* instead of"),
    "tanh": (Own(tanh=(0.0, 1.0, 1.0 + 1e-9)), "at h = .* instead of"),
    "kinks": (
        Own(lambda h: np.abs(h) + np.abs(h - 1), lambda h: np.sign(h) + np.sign(h - 1), kinks=(0.0,)),
        "a kink or a jump near the field 1",
    ),
    "exact": (Digits(), "at h = .* instead of"),
    "inflections": (of_sine(inflections=(0.0, 1.0)), "at h = 1: .* not a turn"),
    "averages": (of_sine(averages=Averages("moments")), r"at q = \S+: .* instead of"),
    "copies": (Forgetful(), "pickled: a Own instead of a Forgetful"),
}


def test_a_broken_object_stands_for_every_law():
    assert set(BROKEN) == {law.__name__.strip("_").replace("_", " ") for law in LAWS}


@pytest.mark.parametrize("law", BROKEN)
def test_every_law_refuses_what_breaks_it(law, rng):
    wrong, match = BROKEN[law]
    with np.errstate(all="ignore"), pytest.raises(BrokenLawError, match=f"\n  {law}: .*{match}") as refused:
        check_activation(wrong, rng=rng)
    also = {"kinks", "elementwise"} if law == "elementwise" else {law}
    assert set(refused.value.report.names("broken")) - also <= {"derivative", "averages"} - {law}


@pytest.mark.parametrize("wrong", ["bend", "fourth"])
def test_every_average_is_asked(wrong, rng):
    check_activation(of_sine(averages=ACTIVATIONS["sin"].averages), rng=rng)
    with pytest.raises(BrokenLawError, match="\n  averages"):
        check_activation(of_sine(averages=Averages(wrong)), rng=rng)


def test_what_is_none_is_not_stated(rng):
    assert "exact" in check_activation(Own(smooth=True, exactly=None), rng=rng).names("not asked")


def test_activations_of_terms_that_cancel_keep_single_precision(rng):
    check_activation(strategies._activations.of_terms(((-1.0, 0.125, 0.0),), 0.125), rng=rng)


def test_values_that_overflow_inside_are_no_numbers(rng):
    with np.errstate(all="ignore"), pytest.raises(BrokenLawError, match=r"\n  elementwise: .*at h = -?\d+.*: nan, "):
        check_activation(Own(lambda h: np.sinh(h) / np.cosh(h)), rng=rng)


def test_what_raises_breaks_the_law_that_asked_it(rng):
    class Dead(Own):
        def derivative(self, h):  # noqa: ARG002 - as the others
            raise ZeroDivisionError("no slope")

    with pytest.raises(BrokenLawError, match=r"derivative: .* raised") as refused:
        check_activation(Dead(), rng=rng)
    assert isinstance(refused.value.__cause__, ValueError)
    with pytest.raises(BrokenLawError) as refused:
        check_activation(Own(bounds=(-0.5, 0.5)), rng=rng)
    assert refused.value.__cause__ is None  # the message says all


def test_a_report_prints_itself_and_can_be_repeated():
    report = check_activation(Activation("mine", np.arctan), rng=np.random.default_rng(3))
    assert str(report).startswith("Activation('mine', numerical derivative to 1e-10): all 4 laws hold\n  elementwise ")
    assert check_activation(Activation("mine", np.arctan), rng=report.seed) == report
    with pytest.raises(ValueError, match="'kept' is not a valid"):
        report.names("kept")
    with pytest.raises(TypeError, match="activation is a ufunc; pass an Activation, or a callable"):
        check_activation(np.tanh)
