"""Leading forms and depths of repeated layers: which side, which order, and how far a series is summed."""

import numpy as np
import pytest

from statnn import rg
from statnn.network import Activation
from statnn.rg import LeadingFormKind
from statnn.rg.repeated._analysis import analysed


def test_a_nonlinearity_that_pushes_away_on_both_sides_has_no_side():
    """x + x³/6 leaves zero in either direction, x + x² only above it."""
    for coefficients, side in (([1.0, 0.0, 1 / 6], 1), ([1.0, 1.0], -1), ([1.0, -1.0], 1)):
        assert rg.RepeatedLayer("tanh").leading_form(coefficients=coefficients).side == side


def test_of_ten_measured_coefficients_those_of_the_first_five_orders_lead():
    """The depth of x - u x^z takes coefficients up to the order 2z."""
    kinds = []
    for order in (5, 7):
        own = Activation(f"order {order}", lambda h, k=order: h - h**k / 8, lambda h, k=order: 1 - k * h ** (k - 1) / 8)
        kinds.append(rg.RepeatedLayer(own).leading_form(0.0).outcome)
    assert kinds == [LeadingFormKind.CRITICAL, LeadingFormKind.FLAT]


@pytest.mark.parametrize("at", [None, 2.0, -3.5])
def test_a_line_is_invariant_wherever_it_is_looked_at(at):
    form = rg.RepeatedLayer("identity").leading_form(at)
    assert (form.outcome, form.fixed_point, form.slope) == (LeadingFormKind.SCALE_INVARIANT, at or 0.0, 1.0)


def test_depths_between_signals_change_sign_with_their_order():
    """The layers from one signal to another, and those that lead back."""
    analysis = analysed(rg.RepeatedLayer("tanh"), None, None, 0.5)
    for near, far in ((1e-6, 2e-6), (0.01, 0.02), (0.01, 0.1)):
        assert analysis.apart(far, near) == -analysis.apart(near, far) > 0
    assert analysis.apart(0.02, analysis.after(0.02, 7.0)) == pytest.approx(7, rel=1e-9)


@pytest.mark.parametrize("start", [0.5, 0.25, 0.1, 0.03, 0.01])
def test_signals_of_measured_coefficients_are_those_of_known_ones(start):
    own = Activation("own tanh", np.tanh, lambda h: 1 / np.cosh(h) ** 2)
    for layers in (10, 1000, 10**6):
        measured, exact = (rg.RepeatedLayer(sigma).signal(start, layers) for sigma in (own, "tanh"))
        assert measured == pytest.approx(exact, rel=5e-11)


NOISE = {
    "even order": (4, None, lambda form: form.stationary_variance(0.1), "z = 4 is even"),
    "fifth order": (5, 9, lambda form: form.stationary_correction, "derived for z = 3 alone"),
    "fourth power": (3, 4, lambda form: form.stationary_correction, r"the term x\^4 lies between z = 3 and 2z-1 = 5"),
    "few layers": (2, None, lambda form: form.signal(1e-307), "layers = 1e-307 is so few that the law exceeds"),
}


@pytest.mark.parametrize("case", NOISE)
def test_laws_that_a_form_does_not_have_are_refused(case):
    z, power, ask, words = NOISE[case]
    form = rg.LeadingForm(LeadingFormKind.CRITICAL, 0.0, 1.0, z, 0.01, next_order=power, residue=0.3)
    with pytest.raises(ValueError, match=words):
        ask(form)


def test_a_fixed_point_that_was_not_named_is_asked_for_and_both_ways_out_lead_to_it():
    """Own activations are looked at about 0 unless `at` is given; σ(x + h) - σ(h) moves the point σ(h) there."""
    own = Activation("own", np.tanh, lambda h: 1 / np.cosh(h) ** 2)
    shifted = Activation("shifted", lambda x: np.tanh(x + 0.5) - np.tanh(0.5), lambda x: 1 / np.cosh(x + 0.5) ** 2)
    layer, known = (rg.RepeatedLayer.critical(sigma, 0.5) for sigma in (own, "tanh"))
    for ask in (rg.RepeatedLayer.leading_form, rg.renormalise, lambda layer: layer.depth(0.3)):
        with pytest.raises(ValueError, match=r"^0, where .*leading_form\(at=x\*\).* b = 0$"):
            ask(layer)
    forms = layer.leading_form(np.tanh(0.5)), rg.RepeatedLayer(shifted, layer.w).leading_form()
    for form in forms:
        assert (form.outcome, form.order) == (LeadingFormKind.CRITICAL, 2)
        assert form.coefficient == pytest.approx(known.leading_form().coefficient, rel=1e-9)
    with pytest.raises(ValueError, match=r"^at = 0\.1 is not"):
        layer.leading_form(0.1)
