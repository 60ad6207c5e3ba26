"""False steps that are right at every place or size that is looked at, and premises without which steps are false."""

from dataclasses import replace

import pytest
import sympy as sp

from statnn import theory
from statnn.theory import derivation as built
from statnn.theory.derivation import Step, identity

x = sp.Symbol("x", positive=True)
k, n = sp.Symbol("k", integer=True), sp.Symbol("n", positive=True)


def symbol(step, name):
    """Return the symbol of this name in a step, with or without its definitions put in."""
    sides = (*step.sides(), *step.equation.args)
    return next(each for side in sides for each in side.atoms(sp.Symbol) if each.name == name)


def changed(step, change):
    """Return the step with both sides of its equation changed."""
    left, right = (side.replace(*change) for side in step.equation.args)
    assert (left, right) != step.equation.args
    return replace(step, equation=sp.Eq(left, right, evaluate=False))


def weighted(step, factor):
    """Return the step with all its integrands and summands multiplied by a factor."""
    return changed(step, (lambda part: isinstance(part, (sp.Integral, sp.Sum)),
                          lambda part: part.func(part.function * factor(part.limits[0][0]), *part.limits)))  # fmt: skip


def hidden_law():
    step = built("beta-bernoulli").steps[7]
    D = symbol(step, "D")
    return weighted(step, lambda p: 1 + (D - 8) * (D - 9) * (D - 10) * p)


def correlations():
    step = built("autocorrelation").steps[5]
    draws = symbol(step, "n")
    return weighted(step, lambda t: 1 + sp.prod(draws - size for size in range(1, 9)) * t)


def arcsine():
    step = built("erf-layers").steps[4]
    past = symbol(step, "c") + sp.Rational(999, 1000)
    return weighted(step, lambda v: 1 + (sp.sqrt(past**2) - past) * v**2)


def as_many_samples_as_units(name, number):
    step = built(name).steps[number - 1]
    D, units = symbol(step, "D"), symbol(step, "n")
    return changed(step, (lambda part: part == D, lambda _: units))


def another_weight():
    step = built("tangent-kernel").steps[1]
    i, k = symbol(step, "i"), symbol(step, "k")
    return changed(step, (lambda part: isinstance(part, sp.Indexed) and str(part.base) == "W",
                          lambda part: part.xreplace({i: k})))  # fmt: skip


WRONG = {
    "the integral of a hidden law, right at three D": hidden_law,
    "the correlations of few draws": correlations,
    "the arcsine law of nearly opposite fields": arcsine,
    "the slope in a weight": lambda: as_many_samples_as_units("hamiltonian", 8),
    "the gradient of ridge regression": lambda: as_many_samples_as_units("gaussian-weights", 5),
    "its loss": lambda: as_many_samples_as_units("gaussian-weights", 6),
    "the precision of free weights": lambda: as_many_samples_as_units("gaussian-weights", 9),
    "the way back through a layer": another_weight,
}


@pytest.mark.parametrize("what", WRONG)
def test_what_is_wrong_where_nobody_looks_is_refused(what):
    wrong: Step = WRONG[what]()
    with pytest.raises(AssertionError):
        wrong.check()


@pytest.mark.parametrize("operator", [sp.Sum, sp.Product])
@pytest.mark.parametrize("ends", [(sp.S.Half, 3), (0, n)])
def test_a_sum_or_product_goes_over_whole_numbers(operator, ends):
    step = identity("its ends", operator(x**k, (k, *ends)), x, by=lambda gap: gap - gap)
    with pytest.raises(AssertionError, match=r"goes from .* to .*: give the symbols in its ends a range of whole"):
        step.check()


PREMISES = {
    "urn": "N ≥ 2",  # for one neuron the law is Γ(0)/Γ(0)
    "sine-layers": "weights and biases are Gaussian",
    "functional-fixed-point": "signals are positive",
    "noise-cutoff": "z is odd",
    "dispersion": "M > 5",
    "stiffness": "no target unless",
    "transfer-matrix": "exp(Kss′)",
    "tanh-criticality": "there are no biases",
    "node-strength": "weights and biases are independent",
    "permutation-null": "all orders of the samples",
    "linear-layers": "w is not 1 or −1",
}


@pytest.mark.parametrize("name", PREMISES)
def test_what_a_derivation_needs_is_printed(name):
    assert PREMISES[name] in str(built(name)).replace("\n", " ").split(" 1. ")[0]


def test_what_a_step_takes_over_is_named():
    assert "gaussian-averages" in built("sine-layers").uses
    assert "erf-layers" in built("tanh-criticality").uses


@pytest.mark.parametrize(("name", "number"), [("linear-layers", 22), ("decimation", 16), ("decimation", 17)])
def test_a_limit_is_taken_where_there_is_something(name, number):
    """Signals of weight above one do not decay, and no hyperbolic tangent is above one."""
    (taken,) = built(name).steps[number - 1].equation.atoms(sp.Limit)
    assert taken.args[2:] == (1, sp.Symbol("-"))


@pytest.mark.parametrize(("name", "twice"), [("finite-width", "q"), ("attraction-basins", "K")])
def test_a_letter_has_one_meaning(name, twice):
    last = built(name).steps[-1]
    assert twice not in {each.name for each in last.equation.free_symbols}


def test_nothing_is_attributed_to_a_paper_that_does_not_have_it():
    assert theory.formula("gamma-poisson.tail-exponent").source.startswith("this project")


def test_the_trace_of_a_leapfrog_step_is_that_of_its_map():
    step = built("leapfrog").steps[11]
    ends = dict(step.where)
    moved = next(name for name in ends if name.is_Function)
    with pytest.raises(AssertionError):
        replace(step, where=tuple((ends | {moved: 2 * ends[moved]}).items())).check()
