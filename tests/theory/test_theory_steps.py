"""A step checks what it prints: every change of a printed side fails, in every derivation."""

import pickle
import re
from contextlib import nullcontext
from dataclasses import replace
from xml.etree import ElementTree as ET

import mpmath
import pytest
import sympy as sp
from derived import mutants
from matplotlib.textpath import text_to_path

from statnn.theory import derivation as built
from statnn.theory.activation import symbols
from statnn.theory.derivation import (
    CHECKED,
    Derivation,
    argued,
    definition,
    equation,
    identity,
    inequality,
    instance,
    limit,
    series,
)
from statnn.theory.evaluation import gap_of, put_in, sign_of
from statnn.theory.registry import DERIVATIONS
from statnn.theory.rewriting import by_antiderivative, by_gamma, by_gaussians, by_induction, by_stirling, by_telescoping
from statnn.theory.rg import functional, meanfield
from statnn.theory.step import Step, taylor
from validation.typeset import FONT, displayed, svg

x, y, u = sp.symbols("x y u", positive=True)
c, t = sp.symbols("c t", real=True)
n, j = sp.symbols("n j", integer=True, nonnegative=True)
w = sp.IndexedBase("w")
A, B = sp.symbols("A B", commutative=False)
f, O = sp.Function("f"), sp.Function("O")
NO_SENTENCE = r"\^|_|<=|>=|->|<<|>>|psi|\boo\b|\b(alpha|beta|theta|mu|lambda|sigma|rho|tau)\b(?!-)"
"""Mathematics in the letters of a program, which no reader wants in a sentence."""
IMPLICIT = {
    ("urn", "w(i)"), ("transfer-matrix", "Z_{m+1}(s')"), ("torus", r"cosh(\gamma_{l})"), ("tanh-criticality", "q"),
    ("autocorrelation", "x_{t+1}"), ("swendsen", "exp(4*K'(K, h))"),
}  # fmt: skip
"""Definitions that steps use in another form: for each unit or mode, solved, or without what O leaves out."""
NO_LETTER = r"(?<![\\a-zA-Z])(alpha|beta|gamma|lambda|mu|xi|rho|sigma|tau|theta|phi|chi|psi|omega)(?![a-zA-Z])"
"""Names of Greek letters that are left as words."""


def trusted(gap):
    """A rewriting that makes a zero of anything."""
    return gap - gap


@pytest.mark.parametrize("name", DERIVATIONS)
def test_derivations_hold_and_no_change_of_a_step_does(name):
    derivation = built(name)
    derivation.check()
    for step in derivation.steps:
        assert sp.sympify(step.residual) == 0, f"exactly, as when thorough: {step}"
        changed = list(mutants(step)) if step.kind in CHECKED else []
        for wrong in (replace(step, positive=sp.S.Zero), *changed):
            with pytest.raises(AssertionError):
                wrong.check()
        for wrong in changed[:1]:
            assert sp.sympify(wrong.residual) != 0, f"the rewriting alone makes a zero of what is wrong: {step}"
    with pytest.raises(AssertionError, match=f"{name}, step 2:"):
        replace(derivation, steps=(derivation.steps[0], wrong)).check()


@pytest.mark.parametrize("name", DERIVATIONS)
def test_a_definition_is_what_a_step_takes_it_for(name):
    derivation = built(name)
    for step in derivation.steps:
        if step.kind != "definition" or (name, str(step.equation.lhs)) in IMPLICIT:
            continue
        at = {functional.X: functional.n * functional.u * functional.x**functional.n}
        printed = {step.equation.args, (step.equation.lhs, step.equation.rhs.subs(at))}
        assert any(
            printed & {*other.where, *(pair for case in other.cases for pair in case)} for other in derivation.steps
        )


def undone(tex):
    """Return LaTeX without what is added to it for a display."""
    return tex.replace(r"\,", " ").replace(r"\dfrac", r"\frac").replace(r"\genfrac{(}{)}{0}{0}", r"\binom")


@pytest.mark.parametrize("name", DERIVATIONS)
def test_derivations_can_be_read(name):
    derivation = built(name)
    assert derivation.name == name
    assert derivation.standing in {"paper", "exact", "asymptotic", "own"}
    names = [name for _, names in derivation.with_names() for name in names]
    for each in names:
        assert undone(displayed(each.latex())) == undone(each.latex())
        assert not re.search(NO_LETTER, each.latex())
    for step in derivation.steps:
        tex = step.latex()
        assert undone(displayed(tex)) == undone(tex)
        glyphs, *_ = text_to_path.get_glyphs_mathtext(FONT, f"${displayed(tex)}$")
        ink = ET.fromstring(svg(tex))  # noqa: S314 - our own output
        assert ink.get("role") == "img"
        assert ink.get("aria-label") == tex
        assert ink.find("path").get("d").count("m") >= len(glyphs) > 0
        assert not {"polygamma", "loggamma", "operatorname{Given}"} & set(re.findall(r"\w+(?:\{\w+\})?", tex))
        assert not re.search(NO_SENTENCE, step.statement)
        assert not re.search(NO_LETTER, tex)
    source = derivation.latex()
    assert source.count(r"\[") == len(derivation.steps) + len(names)
    assert source.count(r"\text{where }") == len(names) == str(derivation).count("\n       where ")
    assert source.isascii(), "LaTeX without Unicode fonts sets the sentences, too"


@pytest.mark.parametrize(
    "wrong",
    [
        identity("another equation is printed", x, x + 1, by=trusted),
        identity("a residual that is not zero", x + x, 2 * x, where={y: x}, by=lambda gap: gap + 1e-40),
        identity("the order of two matrices", A * B, B * A, by=trusted),
        identity("the same side twice", x + y, x + y),
        identity("a definition", f(x), 2 * x, where={f(x): 2 * x}),
        identity("no definition", f(x), x, by=trusted),
        identity("a false zero", sp.sqrt(x**2 + 1e-30), x, by=trusted),
        identity("a false zero of exact numbers", x + sp.Rational(1, 10**30), x, by=trusted),
        identity("right only where x is less than one", abs(1 - x), 1 - x, by=trusted),
        identity("no value there", sp.gamma(n), sp.gamma(n + 1) / n, by=by_gamma),
        inequality("the sign is unknown", x, sp.S.One, x - 1, written=">"),
        inequality("it has no sign", x, 2 * x, -x, written=">"),
        limit("another limit", sp.Limit(x / (x + 1), x, sp.oo), 2),
        limit("so at whole numbers alone", sp.Limit(sp.cos(2 * sp.pi * x), x, sp.oo), 1),
        limit(
            "a rewriting that hides a constant beside a logarithm",
            sp.Limit(1 / sp.log(x) + sp.Rational(1, 1000), x, sp.oo),
            0,
            by=lambda body: body - sp.Rational(1, 1000),
        ),
        limit("so at even numbers alone", sp.Limit((-1) ** n, n, sp.oo), 1),
        limit("so at two of three numbers alone", sp.Limit(sp.Mod(n * (n - 1), 3), n, sp.oo), 0),
        limit("so at parts of one alone", sp.Limit(sp.sin(sp.pi / x), x, 0, "+"), 0),
        series("such are zeros at whole numbers", 1 / x + sp.sin(sp.pi * x), 1 / x + O(x**-2), (x, sp.oo)),
        series("another order", sp.exp(x), 1 + x + O(x**3), (x, 0)),
        series("another coefficient", sp.exp(x), 1 + 2 * x + O(x**2), (x, 0)),
        argued("its algebra is wrong", equation(f(x), x), x + 1, x),
        identity("a float decides nothing", x + x, 2 * x, by=lambda _: sp.Float(0)),
        instance("another size is printed", sp.Sum(w[j], (j, 1, n)), w[1], cases=[{n: 2, w[1]: x, w[2]: y}]),
        instance("wrong in its last case", w[n], x * n, cases=[{n: 1, w[1]: x}, {n: 2, w[2]: x}]),
        Step("no case at all", equation(x, y), kind="instance"),
        Step("less is printed", sp.Lt(f(x), x, evaluate=False), "identity", where=((f(x), x),)),
        Step("more is printed", sp.Gt(sp.Limit(sp.sin(x) / x, x, 0), 1, evaluate=False), "limit"),
        Step("more is left out", sp.Gt(sp.exp(x), 1 + O(x), evaluate=False), "series", toward=(x, sp.S.Zero)),
        Step("in a case more", sp.Gt(w[n], n, evaluate=False), "instance", cases=(((n, sp.S.One), (w[1], sp.S.One)),)),
        instance("a name without a meaning", w[n], x, cases=[{n: 1}]),
        identity("definitions that hide it", f(x), 3 * f(x), where={f(x): 0}),
        identity("a definition that is never used", f(x + 1), x + 1, where={f(x): x, f(x + 1): x}),
        identity("a symbol that hides it", x, 2 * x, where={x: 0}),
        identity("divided by zero", sp.zoo, x, by=trusted),
        identity("a rewriting that breaks down", (x + 1) ** 2, x**2 + 2 * x + 1, by=lambda gap: {}[gap]),
        limit("without a limit", x, x),
        series("nothing is left out", sp.exp(x), 1 + x, (x, 0)),
        series("another variable goes to its end", sp.exp(x), 1 + x + O(x**2), (y, 0)),
    ],
    ids=lambda step: step.statement,
)
def test_a_wrong_step_fails(wrong):
    with pytest.raises(AssertionError, match=wrong.statement):
        wrong.check()


@pytest.mark.parametrize(
    "right",
    [
        identity("of matrices", A * (A + B), A**2 + A * B, by=sp.expand),
        identity("defined at symbols", f(2 * x) - f(x), 2 * x, where={f(x): 2 * x + 1}),
        identity("defined at a place", f(0) + f(1), 3, where={f(0): 1, f(x): x + 1}),
        identity("a derivative", sp.Derivative(f(x), x), 2 * x, where={f(x): x**2}),
        identity("definitions in their order", f(y), 2 * u, where={f(x): 2 * x, y: u}),
        identity("where its range is narrow", abs(1 - x), 1 - x, domain={x: (0, 1)}, by=trusted),
        series("from below, where its range is", abs(1 - x), 1 - x + O((1 - x) ** 2), (x, 1), domain={x: (0, 1)}),
        identity("multiplied out after integration", f(c), (sp.sqrt(1 - c**2) + c * (sp.pi - sp.acos(c))) / 2, where={
            f(c): sp.Integral(sp.cos(t) * sp.cos(t - sp.acos(c)), (t, sp.acos(c) - sp.pi / 2, sp.pi / 2))},
            domain={c: (-1, 1)}),
        identity("a number of Python", x + f(x), 2 * x, where={f(x): x}, by=lambda _: 0),
        instance("a sum by its terms", sp.Sum(w[j] ** 2, (j, 1, n)), y, cases=[
            {n: 2, w[1]: x, w[2]: u, y: x**2 + u**2}]),
        instance("a derivative by name", sp.Derivative(f(w[n]), w[n]), 2 * w[n], cases=[
            {n: 1, sp.Derivative(f(w[n]), w[n]): sp.diff(x**2, x), w[1]: x}]),
        inequality("written as a relation", x + 1, x, sp.S.One, written="<"),
        inequality("of a sum of positive terms", f(x), 0, sp.Sum(x**j / sp.factorial(j), (j, 0, 3)), where={
            f(x): 1 + x + x**2 / 2 + x**3 / 6}, by=lambda gap: sp.simplify(gap.doit())),
        limit("at a place", sp.Limit(sp.sin(x) / x, x, 0), 1),
        limit("from below", sp.Limit(sp.floor(x), x, 1, "-"), 0),
        series("at infinity", sp.log(1 + 1 / x), 1 / x + O(x**-2), (x, sp.oo)),
        definition("only a name", f(x), x),
        argued("in words", equation(f(x), x)),
    ],
    ids=lambda step: step.statement,
)  # fmt: skip
def test_a_right_step_holds(right):
    right.check()


@pytest.mark.parametrize(
    ("step", "said"),
    [
        (
            limit("", sp.Limit(1 - sp.exp(-x), x, sp.oo), 2),
            "differ by 1.0 at x = 1.41421e40 and by 1.0 at x = 1.41421e80, which does not",
        ),
        (limit("", sp.Limit(abs(t) / t, t, 0, "-"), 1), "differ by 2.0 at t = -1.41421e-40 and"),
        (limit("", sp.Limit(x**2, x, 2), 5), "differ by 1.0 at x = 2 +1.41421e-40 and"),
        (limit("", sp.Limit(x * y / (1 + x), x, sp.oo), 2 * y), r"x = 1.41421e80, at y = \S+, which does not vanish"),
        (
            series("", sp.exp(x), 1 + 2 * x + O(x**2), (x, 0)),
            r"x = 1.41421e-15 and by 1.41421e-30 at x = 1.41421e-30, .* fall as x\*\*2",
        ),
        (inequality("", x, sp.tanh(x), x - sp.tanh(x)), "the form is the difference as it stands"),
        (series("", sp.tanh(x), x + sp.O(x**3), (x, 0)), r"sympy.Function\('O'\) of a power, not sympy.O"),
        (inequality("", 2, x, 1 - x, by=trusted), "the larger less the smaller side -1.3.* is not the form -2.3"),
        (identity("", (x + 1) ** 2, x**2 + 2 * x + 1, by=lambda gap: {}[gap]), "the rewriting raised KeyError"),
    ],
)
def test_a_failure_of_any_kind_is_in_the_words_of_its_kind(step, said):
    with pytest.raises(AssertionError, match=said.replace("+1.", r"\+1.")):
        Derivation("mine", "Mine", "me", "own", (step,)).check()


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: identity("", "x", x), "the side 'x' is a str"),
        (lambda: identity("", x, right=True), "the side True is a bool"),
        (lambda: identity("", sp.Eq(x, y), y), r"the side Eq\(x, y\) is a relation; pass its two sides"),
        (lambda: Derivation("mine", "Mine", "me", "exactly", ()), "standings are paper, exact, asymptotic, own"),
        (lambda: identity("", f(x), x, where={"f(x)": x}), r"'f\(x\)' of type str is defined as x: a name is"),
        (lambda: identity("", f(x), x, where={2: x}), "2 of type int is defined"),
        (lambda: identity("", t, 2 * t, domain={t: (0, 0)}), r"range of t, \(0, 0\), is empty"),
        (lambda: identity("", t, 2 * t, domain={t: (1, 0)}), "is empty: two ends, the lower first"),
        (lambda: identity("", n, 2 * n, domain={n: range(0)}), "is empty"),
        (lambda: identity("", f(x), x, domain={f(x): (0, 1)}), r"f\(x\) has a range"),
        (lambda: Step("", equation(x, 2 * x), "identitty"), "kinds are identity, inequality"),
    ],
)
def test_what_is_no_side_no_name_no_range_and_no_kind_says_so_at_once(make, said):
    with pytest.raises((TypeError, ValueError), match=said):
        make()


def test_a_failure_says_which_sides_differ_by_what_and_where():
    step = identity("wrong", f(x), 3 * x, where={f(x): 2 * x}, by=trusted)
    with pytest.raises(
        AssertionError, match=r"left side [\d.]+ is .* [\d.]+: they differ by -[\d.]+ at x = [\d.]+, in .* wrong"
    ):
        step.check()


def test_inequalities_are_evaluated_at_the_corners_of_their_range():
    corner = x + y - sp.Rational(1, 100)
    assert "not positive at x = 0.001, y = 0.001" in sign_of(corner)
    assert "is not positive at x" in sign_of(1 + sp.I * x)
    assert not sign_of(corner, ((x, (1, 2)),))
    assert "at u = 3.0" in sign_of(3 - u, ((u, range(1, 4)),))


def test_what_takes_long_is_evaluated_at_more_points_when_asked_for():
    """A false zero that only shows for small x is missed by the one point of an integral, and found by twenty."""
    step = identity("mostly", sp.Integral(t, (t, 0, x)), x**2 / 2 + sp.Heaviside(1 - x), domain={x: (0, 3)}, by=trusted)
    step.check()
    with pytest.raises(AssertionError, match="they differ by -1"):
        step.check(thorough=True)


@pytest.mark.parametrize(
    "step",
    [
        limit("right, but rewritten as another", sp.Limit(x / (1 + x), x, sp.oo), 1, by=lambda body: body + 1),
        series("right, but rewritten as another", sp.tanh(x), x + O(x**3), (x, 0), by=lambda gap: gap + x),
    ],
    ids=["limit", "series"],
)
def test_limits_and_series_are_taken_exactly_when_thorough(step):
    step.check()
    with pytest.raises(AssertionError, match=r"residual .+ is not 0"):
        step.check(thorough=True)


def test_what_sympy_cannot_show_by_itself_asks_for_a_rewriting():
    r, k = sp.Symbol("r", positive=True), sp.Symbol("k", integer=True)
    sides = sp.Sum((k + 1) * r**k, (k, 0, sp.oo)), 1 / (1 - r) ** 2
    with pytest.raises(AssertionError, match=r"numbers do not deny, `by` is the rewriting"):
        identity("the derivative of the geometric sum", *sides, domain={r: (0, 1)}).check()

    def inside(gap):
        return sp.simplify(gap.doit().replace(sp.Piecewise, lambda *pieces: pieces[0][0]))

    identity("the derivative of the geometric sum", *sides, domain={r: (0, 1)}, by=inside).check()


def test_a_taylor_series_is_that_of_sympy_or_none():
    smooth = sp.exp(x * y) / (1 - x)
    assert sp.expand(taylor(smooth, x, 4) - sp.series(smooth, x, 0, 4).removeO()) == 0
    for broken in (sp.sqrt(x), x**2 * sp.log(x), sp.exp(-1 / x), 1 / x, x ** sp.Rational(5, 2)):
        assert taylor(broken, x, 4) is None


def test_cases_are_counted_and_printed():
    cases = [{n: 1, w[1]: x}, {n: 2, w[2]: 2 * x}]
    for number, said in ((1, "checked in 1 case"), (2, "checked in 2 cases")):
        assert str(instance("", w[n], n * x, cases=cases[:number])).endswith(f"\n    {said}")


def test_kinds_are_counted_and_printed():
    steps = (identity("one", x + x, 2 * x + y - y), definition("two", f(x), x), argued("three", equation(f(x), x)))
    derivation = Derivation("kinds", "Kinds", "nowhere", "own", steps)
    assert derivation.kinds() == {"identity": 1, "definition": 1, "argued": 1}
    assert r"three \emph{(argued)}" in derivation.latex()
    assert "1 step checked: 1 identity; not checked: 1 definition, 1 argued" in derivation.latex()


@pytest.mark.parametrize(
    ("integrand", "value"),
    [
        (sp.exp(-(x**2) * t**2 + y * t), sp.sqrt(sp.pi) / x * sp.exp(y**2 / (4 * x**2))),
        ((t**2 + 3 * t) * sp.exp(-((t - 2) ** 2)), sp.sqrt(sp.pi) * (4 + sp.Rational(1, 2) + 6)),
        (sp.cos(y * t) * sp.exp(-(t**2) / 2), sp.sqrt(2 * sp.pi) * sp.exp(-(y**2) / 2)),
    ],
)
def test_gaussian_integrals_are_their_moments(integrand, value):
    integral = sp.Integral(integrand, (t, -sp.oo, sp.oo))
    identity("an integral", integral, value, by=by_gaussians).check()
    assert by_gaussians(integral - value - x) == -x


@pytest.mark.parametrize("exponent", [t**2, -(t**4), -t, sp.Abs(t) - t**2, c * t**2])
def test_other_integrals_stand(exponent):
    integral = sp.Integral(sp.exp(exponent), (t, -sp.oo, sp.oo))
    assert by_gaussians(integral).has(sp.Integral)
    half = sp.Integral(sp.exp(-(t**2)), (t, 0, sp.oo))
    assert by_gaussians(half - sp.sqrt(sp.pi)) != 0


def test_what_holds_by_itself_is_told_from_a_name_that_is_missing():
    with pytest.raises(AssertionError, match="one side twice: print a name for one of them and define it in"):
        identity("the same", x + 1, x + 1).check()
    for sides in ((f(x), 2 * x), (2 * y, f(y))):
        with pytest.raises(AssertionError, match="a definition of `where`, which holds by itself: print what"):
            identity("put in", *sides, where={f(x): 2 * x}).check()


def test_definitions_bind_their_symbols_alone():
    assert put_in(f(0) + f(y + 1), ((f(0), y), (f(x), x**2))) == y + (y + 1) ** 2
    assert put_in(sp.Derivative(f(x) * y, x), ((f(x), x**2), (y, x))) == 3 * x**2


def test_fifty_digits_see_what_double_precision_does_not():
    assert not gap_of(sp.sqrt(x**2 + 2 * x + 1), x + 1)
    assert gap_of(x + sp.Rational(1, 10**38), x)


@pytest.mark.parametrize(
    ("rewrite", "right", "wrong"),
    [
        (by_gamma, sp.gamma(x + 1) - x * sp.gamma(x), sp.gamma(x + 1) - (x + 1) * sp.gamma(x)),
        (by_induction(n, 0), sp.Sum(j, (j, 0, n)) - n * (n + 1) / 2, sp.Sum(j, (j, 0, n)) - n**2),
        (by_induction(n, 0), sp.Sum(j, (j, 0, n)) - n * (n + 1) / 2, sp.Sum(j, (j, 0, n)) - n * (n + 1) / 2 - 1),
        (by_induction(n, 0), sp.Sum(j, (j, 0, n + 1)) - (n + 1) * (n + 2) / 2, sp.Sum(j, (j, 0, 2 * n)) - n * (n + 1)),
        (
            by_telescoping(y),
            2 / y - sp.Sum(2 / ((y + j) * (y + j + 1)), (j, 0, sp.oo)),
            1 / y - sp.Sum(1 / (y * (y + 1) * (j + 1) ** 2), (j, 0, sp.oo)),
        ),
        (
            by_telescoping(y),
            1 / y - sp.Sum(1 / ((y + j) * (y + j + 1)), (j, 0, sp.oo)),
            1 + 1 / y - sp.Sum(1 / ((y + j) * (y + j + 1)), (j, 0, sp.oo)),
        ),
        (
            by_antiderivative(sp.atan(u), u),
            sp.Integral(1 / (1 + u**2), (u, 0, sp.oo)) - sp.pi / 2,
            sp.Integral(1 / (1 + u**2), (u, 0, sp.oo)) - sp.pi / 3,
        ),
        (
            by_antiderivative(-sp.atan(1 / u), u),
            sp.Integral(1 / (1 + u**2), (u, 0, sp.oo)) - sp.pi / 2,
            sp.Integral(1 / (1 + u**2), (u, 0, sp.oo)) + sp.pi / 2,
        ),
        (meanfield.by_squares, y * sp.sqrt(x**2 + 2 * x + 1) - y * (x + 1), y * sp.sqrt(x**2 + 1) - y * (x + 1)),
        (
            meanfield.by_oddness,
            sp.Integral(t * sp.exp(-(t**2)), (t, -sp.oo, sp.oo)),
            sp.Integral((t + t**2) * sp.exp(-(t**2)), (t, -sp.oo, sp.oo)),
        ),
    ],
)
def test_rewritings_prove_what_is_right_only(rewrite, right, wrong):
    assert rewrite(right) == 0
    assert rewrite(wrong) != 0


def test_stirling_is_as_good_as_it_says():
    """What the series with a shift leaves out falls as 1/z²."""
    gap = sp.loggamma(x + sp.Rational(1, 3)) - by_stirling(x)(sp.loggamma(x + sp.Rational(1, 3)))
    with mpmath.workdps(60):
        small, smaller = (abs(gap.subs(x, 10**power).evalf(50)) for power in (5, 10))
    assert 0.9e10 < small / smaller < 1.1e10


@pytest.mark.parametrize("small", [(1e-6, 1e-5), (1e5, 1e6)])
@pytest.mark.parametrize("few", [(1e-3, 1e-2), (10, 100)])
def test_the_hazard_lies_between_its_bounds(small, few):
    """The two inequalities that carry the error bound, at the corners of their range."""
    steps = [step for step in built("bound").steps if {"h", "f"} & {name.func.__name__ for name, _ in step.where}]
    between = [step.sides() for step in steps if isinstance(step.equation, (sp.Gt, sp.Lt))]
    assert len(between) == 2
    (hazard, below), (same, above) = between
    assert hazard == same
    domain = ((symbols.y, small), (symbols.b, few))
    assert not sign_of(hazard - below, domain)
    assert not sign_of(above - hazard, domain)
    assert sign_of(below - hazard, domain)


@pytest.mark.parametrize("right", [sp.E, sp.Integer(2)])
def test_an_unpickled_limit_keeps_its_residual(right):
    n = sp.Symbol("n", positive=True)
    step = limit("Growth without end.", sp.Limit((1 + 1 / n) ** n, n, sp.oo), right)
    read = pickle.loads(pickle.dumps(step))  # noqa: S301 - our own
    assert read.residual == step.residual == sp.E - right


@pytest.mark.parametrize(("excess", "failure"), [(0, ""), (1, "they differ by")])
def test_a_derivative_at_a_point_is_taken_and_printed(excess, failure):
    size, chance = sp.Symbol("N", integer=True, positive=True), sp.Symbol("p", positive=True)
    step = identity(
        "The slope is the mean.", sp.Derivative(f(u), u).subs(u, 1), size * chance * (1 + excess * chance),
        where={f(u): (1 - chance + chance * u) ** size}, domain={chance: (0, 1)},
    )  # fmt: skip
    assert step.latex().startswith(r"\left[\frac{d}{d u} f(u)\right]_{u = 1} = ")
    assert step.text().startswith("[d/du f(u)]ᵤ₌₁ = ")
    with pytest.raises(AssertionError, match=failure) if failure else nullcontext():
        step.check()
