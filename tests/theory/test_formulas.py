"""Formulas against what computes them, and what a reader does with them."""

import math
from dataclasses import replace
from fractions import Fraction
from random import Random
from xml.etree import ElementTree as ET

import mpmath
import numpy as np
import pytest
import sympy as sp
from formula_rows import ROWS, SAMPLED

from statnn import theory
from statnn.testing import assert_mean, rejects
from statnn.theory.comparison import draw
from statnn.theory.evaluation import number
from statnn.theory.printing import latex
from statnn.theory.registry import DERIVATIONS
from statnn.theory.root import Root, root_between
from statnn.theory.table import Formulas, in_order
from statnn.theory.variable import Variable

FORMULAS = theory.formulas()
MATHML = "http://www.w3.org/1998/Math/MathML"


@pytest.mark.parametrize("name", ROWS)
def test_a_formula_is_what_its_implementation_computes(name, rng):
    formula, row = FORMULAS[name], ROWS[name]
    random = Random(int(rng.integers(2**63)))  # noqa: S311 - points, not secrets
    for _ in range(row.points):
        drawn = {**draw(formula, random), **(row.at(random) if row.at else {})}
        values = {
            variable.name: (int if variable.whole else float)(drawn[variable.symbol.name])
            for variable in formula.variables
        }
        exact, value = formula.evaluate(digits=30, **values), sp.Float(float(row.value(**values)), 30)
        assert abs(value - exact) <= row.within * abs(exact) + row.beside, (values, value, exact)


@pytest.mark.filterwarnings("ignore::statnn.montecarlo.UntrustedEstimate")
@pytest.mark.parametrize("name", SAMPLED)
def test_a_formula_is_what_its_implementation_estimates(name, rng):
    row = SAMPLED[name]
    exact, estimates = float(FORMULAS[name].evaluate(**row.at)), np.array(row.value(rng, **row.at))
    assert_mean(estimates, exact, bias=row.bias * abs(exact), what=name)
    with rejects():
        assert_mean(estimates, 2 * exact, bias=row.bias * abs(exact), what=f"{name}, twice as much")


def test_every_row_is_of_a_formula_and_every_formula_has_all_it_says():
    assert {*ROWS, *SAMPLED} == set(FORMULAS)
    assert not ROWS.keys() & SAMPLED.keys()
    for formula in FORMULAS.values():
        assert formula.derivation in DERIVATIONS, formula.name
        assert "begin{" not in formula.latex(), "small typesetters know no environments"
        assert formula.definition in str(formula)
        assert ET.fromstring(f"<div>{formula._repr_html_()}</div>").find(f"{{{MATHML}}}math") is not None  # noqa: S314


# -- what a reader does with them ------------------------------------------------------------------------

WORKING = FORMULAS["gamma-poisson.working"]
AT = {"D": 100, "N": 1000, "b": Fraction(3, 10), "c": 5}
plain = sp.symbols("N D b c")


def test_a_value_has_the_digits_asked_for():
    with mpmath.workdps(120):
        exact = 1000 * (1 - (mpmath.mpf(300) / 800) ** (mpmath.mpf(3) / 10))
        for digits in (1, 15, 50, 100):
            value = mpmath.mpf(WORKING.evaluate(digits=digits, **AT))
            assert abs(value / exact - 1) < mpmath.mpf(10) ** (1 - digits)
    assert str(WORKING.evaluate(digits=25, **AT)) == mpmath.nstr(exact, 25)
    assert WORKING.evaluate(digits=np.int64(25), **AT) == WORKING.evaluate(digits=25, **AT)


def test_a_long_double_stands_for_all_its_digits():
    wide = np.longdouble(1) / 10
    value = WORKING.evaluate(digits=30, **(AT | {"D": wide}))
    assert value == WORKING.evaluate(digits=30, **(AT | {"D": Fraction(*wide.as_integer_ratio())}))
    assert WORKING.evaluate(**AT | {"b": "0.3"}) == WORKING.evaluate(**AT | {"b": sp.Rational(3, 10)})
    assert WORKING.evaluate(**AT | {"b": 0.3}) != WORKING.evaluate(**AT | {"b": "0.3"})
    assert WORKING.evaluate(**AT | {"b": sp.sqrt(2) / 2}) == WORKING.evaluate(**AT | {"b": sp.sqrt(2).evalf(200) / 2})


@pytest.mark.parametrize(
    ("changed", "kind", "message"),
    [
        ({"b": -1}, ValueError, r"b = -1.0 is outside 0 < b < oo"),
        ({"b": 0}, ValueError, r"b = 0.0 is outside"),
        ({"N": 10.5}, ValueError, "N = 10.5 is outside 2 <= N < oo, whole"),
        ({"b": float("nan")}, ValueError, "b = nan is not a finite real number"),
        ({"b": mpmath.inf}, ValueError, "b = .*inf.* is not a finite real number"),
        ({"b": "many"}, ValueError, "b = 'many' is not a finite real number"),
        ({"b": 1j}, TypeError, r"b = 1j is not a real number; function\(\) takes arrays"),
        ({"b": [1, 2]}, TypeError, r"function\(\) takes arrays"),
        ({"b": np.float32("nan")}, ValueError, "is not a finite real number"),
        ({"digits": 5000}, ValueError, "a whole number from 1 to 4000"),
        ({"b": sp.Symbol("x")}, TypeError, "b = x is not a real number: substitute"),
        ({"B": 1}, TypeError, r"has no symbol 'B' \(do you mean 'b'\?\); it has N: neurons"),
        ({"digits": 0}, ValueError, "digits = 0"),
    ],
)
def test_values_that_make_no_sense_are_refused_with_what_does(changed, kind, message):
    with pytest.raises(kind, match=message):
        WORKING.evaluate(**AT | changed)


def test_a_range_may_depend_on_other_symbols():
    with pytest.raises(ValueError, match=r"c = 1000.0, N = 1000.0 is outside 0 < c < N"):
        FORMULAS["beta-bernoulli.silent"].evaluate(**AT | {"c": 1000})
    with pytest.raises(TypeError, match=r"also needs a value of c: mean number of active neurons"):
        FORMULAS["beta-bernoulli.silent"].evaluate(D=1, N=10, b=1)


@pytest.mark.parametrize("percent", range(1, 100))
def test_an_end_that_belongs_to_a_range_is_in_it_however_it_is_rounded(percent):
    """Classes with equal rates p make windows binomial, F = 1 - p; those with rates 0 and 1 only, F = T (1 - p)."""
    p, blocked = Fraction(percent, 100), FORMULAS["fano.blocked"]
    assert blocked.evaluate(p_1=p, p_2=p**2, T=7, digits=20) == sp.Float(sp.Rational(1 - p), 20)
    assert blocked.evaluate(p_1=p, p_2=p, T=7, digits=20) == sp.Float(sp.Rational(7 * (1 - p)), 20)
    with pytest.raises(ValueError, match=r"outside p_1\*\*2 <= p_2 <= p_1"):
        blocked.evaluate(p_1=p, p_2=p**2 - Fraction(1, 10**90), T=7)


def test_no_range_holds_infinity():
    assert not any(
        bounds.endswith(("<= oo", "<= oo, whole"))
        for formula in FORMULAS.values()
        for bounds in formula.ranges.values()
    )


@pytest.mark.parametrize("name", ["leading-form.stationary-variance", "leading-form.noise-cutoff"])
def test_even_powers_have_no_stationary_law(name):
    """exp(-2 u y^(z+1)/((z+1) ε²)) cannot be normalised on the real line if z is even."""
    for z in (3, 5, 101):
        assert FORMULAS[name].evaluate(z=z, u=1, epsilon="0.1") > 0
    for z in (2, 4, 100, 3.5):
        with pytest.raises(ValueError, match=rf"z = {float(z)} is outside 3 <= z < oo, odd"):
            FORMULAS[name].evaluate(z=z, u=1, epsilon="0.1")


def test_a_symbol_is_replaced_by_name_and_its_range_remains():
    theta = sp.Symbol("theta", positive=True)
    silent = FORMULAS["beta-bernoulli.silent"]
    ewens = silent.substitute(b=theta / silent.symbols["N"])
    assert set(ewens.symbols) == {"N", "D", "c", "theta"}
    assert ewens.evaluate(N=10, D=7, c=2, theta=5) == silent.evaluate(N=10, D=7, c=2, b="0.5")
    with pytest.raises(ValueError, match="is outside 0 < theta < oo"):
        ewens.evaluate(N=10, D=7, c=2, theta=-5)
    with pytest.raises(ValueError, match=r"c = 8.0, N = 5.0 is outside 0 < c < N"):
        silent.substitute(N=5).evaluate(D=1, b=1, c=8)
    with pytest.raises(ValueError, match=r"N = 2.5 is outside"):
        silent.substitute(N=2.5)
    with pytest.raises(ValueError, match=r"N = 2.5 is outside 2 <= N < oo, whole"):
        silent.substitute(N=theta / 2).evaluate(theta=5, D=1, b=1, c=1)


def test_what_cancels_in_the_place_of_a_symbol_is_in_its_range():
    y = sp.Symbol("y", positive=True)
    value = WORKING.substitute(b=y - 1).evaluate(N=10, D=2, c=1, y=f"1.{0:039}1", digits=10)
    assert float(value) == pytest.approx(-1e-39 * math.log(5e-40), rel=1e-9)


@pytest.mark.parametrize(
    ("put", "kind", "message"),
    [
        ({"beta": 1}, TypeError, r"no symbol 'beta' \(do you mean 'b'\?\)"),
        ({"b": 1 / sp.Symbol("N")}, ValueError, r"this N is not the N of .*formula.symbols\['N'\]"),
        ({"D": 2 * WORKING.symbols["D"]}, ValueError, "D is itself replaced"),
    ],
)
def test_a_symbol_that_is_another_one_is_refused(put, kind, message):
    with pytest.raises(kind, match=message):
        WORKING.substitute(**put)


def test_what_is_put_in_has_a_value():
    working = theory.formula("gamma-poisson.working")
    named = working.substitute(b=sp.Function("f")(working.symbols["N"]))
    assert "f(N)" in str(named)
    with pytest.raises(TypeError, match=r"working contains f, which has no value: put an expression in its place"):
        named.evaluate(N=10, D=1, c=1)
    with pytest.raises(TypeError, match="contains f, which has no value"):
        named.function()
    held = sp.UnevaluatedExpr(sp.Rational(1, 2))
    assert working.evaluate(N=10, D=1, c=1, b=held) == working.evaluate(N=10, D=1, c=1, b="1/2")


@pytest.mark.parametrize(
    ("put", "value"),
    [
        (sp.harmonic, mpmath.harmonic),
        (lambda b: sp.lowergamma(b, 2), lambda b: mpmath.quad(lambda t: t ** (b - 1) * mpmath.exp(-t), [0, 2])),
        (lambda b: sp.uppergamma(b, 2), lambda b: mpmath.quad(lambda t: t ** (b - 1) * mpmath.exp(-t), [2, 60])),
        (lambda b: sp.betainc(b, 2, 0, 0.5), lambda b: mpmath.quad(lambda t: t ** (b - 1) * (1 - t), [0, 0.5])),
        (
            lambda b: sp.betainc_regularized(b, 2, 0, 0.5),
            lambda b: mpmath.quad(lambda t: t ** (b - 1) * (1 - t), [0, 0.5]) * b * (b + 1),
        ),
    ],
)
def test_functions_that_are_sums_or_products_are_put_in_whole(put, value):
    """Without parentheses, one over a sum would be something else."""
    b = WORKING.symbols["b"]
    formula, c = WORKING.substitute(c=1 / put(b)), 1 / value(2.5)
    right = 17 * (1 - (1 + 3 * c / (2.5 * 17)) ** -2.5)
    assert float(formula.evaluate(N=17, D=3, b=2.5)) == pytest.approx(float(right), rel=1e-12)
    assert formula.function()(N=17, D=3, b=2.5) == pytest.approx(float(right), rel=1e-12)


def test_a_formula_shows_itself():
    text = str(WORKING)
    for part in ("E[K(D)] = N (1 − (bN/(cD + bN))ᵇ)", "D: samples, 0 <= D < oo", "paper", "mean-field",
                 "statnn.activation.GammaPoisson.working"):  # fmt: skip
        assert part in text
    assert WORKING._repr_latex_() == rf"$\displaystyle {WORKING.latex()}$"
    page = ET.fromstring(f"<div>{WORKING._repr_html_()}</div>")  # noqa: S314 - our own output
    assert "0 ≤ D < ∞" in "".join(page.itertext())
    assert "polya-urn.count" in str(FORMULAS)
    assert len(ET.fromstring(FORMULAS._repr_html_()).findall("tr")) == len(FORMULAS) + 1  # noqa: S314
    assert FORMULAS._ipython_key_completions_() == list(FORMULAS)


def test_unknown_formulas_are_answered_with_the_nearest():
    with pytest.raises(KeyError, match=r"do you mean 'gamma-poisson.working'"):
        theory.formula("gamma-poison.working")
    with pytest.raises(KeyError, match="no formula and no derivation is called 'nothing'"):
        theory.compare("nothing", sp.S.One)
    with pytest.raises(KeyError, match=r"'survivall' \(do you mean 'survival'"):
        theory.compare("survivall", sp.S.One)
    for asked in (theory.formula, theory.derivation, lambda name: theory.compare(name, sp.S.One)):
        with pytest.raises(KeyError, match="is called 3"):
            asked(3)


# -- comparing -------------------------------------------------------------------------------------------


def test_an_expression_of_ones_own_is_compared_by_the_names_of_its_symbols():
    N, D, b, c = plain
    same = N * (1 - (1 + c * D / (b * N)) ** (-b))
    assert theory.compare("gamma-poisson.working", same)
    assert theory.compare("mean-field", same).how == "symbolically"
    wrong = theory.compare("gamma-poisson.working", N * (1 - (1 + c * D / (b * N)) ** (-b)) + sp.Rational(1, 10**40))
    assert not wrong
    ours, theirs = wrong.values
    with mpmath.workdps(60):
        assert abs(mpmath.mpf(WORKING.evaluate(**wrong.at)) - ours) < mpmath.mpf(10) ** -48
        assert abs(theirs - ours - mpmath.mpf(10) ** -40) < mpmath.mpf(10) ** -48
    assert all(f"{name} = {mpmath.nstr(value, 17)}" in str(wrong) for name, value in wrong.at.items())
    ours, theirs = str(wrong).split(" the formula is ")[1].split(", the expression ")
    assert ours != theirs, "both are printed with the digits in which they differ"


def test_survival_is_compared_as_the_derivation_has_it():
    N, D, b, c = plain
    a = b * N / c
    assert theory.compare("survival", sp.gamma(D + a - b) * sp.gamma(a) / sp.gamma(D + a) / sp.gamma(a - b))
    assert theory.compare("survival", sp.beta(D + a - b, b) / sp.beta(a - b, b)).formula.name == "beta-bernoulli.silent"
    assert not theory.compare("survival", sp.gamma(D + a - b) * sp.gamma(a) / sp.gamma(D + a) / sp.gamma(a + b))
    assert not theory.compare("survival", sp.sqrt(-D))
    right = sp.gamma(D + a - b) * sp.gamma(a) / sp.gamma(D + a) / sp.gamma(a - b)
    assert not theory.compare("survival", right + sp.I * D)  # its real part is right
    assert not theory.compare("survival", right + sp.Rational(1, 10**70))  # seen where hardly any neuron is silent
    assert str(theory.compare("survival", D)).startswith(
        "not equal to survival (its main result, beta-bernoulli.silent):"
    )
    assert str(theory.compare("beta-bernoulli.silent", D)).startswith("not equal to beta-bernoulli.silent: at ")
    with pytest.raises(TypeError, match=r"beta-bernoulli.silent has no symbol 'd' \(do you mean 'D'\?\)"):
        theory.compare("survival", sp.Symbol("d"))
    with pytest.raises(KeyError, match=r"has several results: gamma-poisson.growth-rate"):
        theory.compare("growth", sp.S.One)


@pytest.mark.parametrize(
    ("name", "expression", "kind", "message"),
    [
        ("survival", "N*b", TypeError, r"'N\*b' of type str is not an expression: write it in symbols"),
        ("survival", sp.Eq(*plain[:2]), TypeError, "of type Equality is not an expression"),
        ("survival", sp.Function("g")(plain[0]), ValueError, "nothing defines g"),
        ("survival", 1 / (plain[0] - plain[0]), ValueError, "zoo is not finite anywhere"),
        ("leapfrog", plain[0], KeyError, "no formula is the result of the derivation 'leapfrog'"),
    ],
)
def test_what_cannot_be_compared_is_refused(name, expression, kind, message):
    with pytest.raises(kind, match=message):
        theory.compare(name, expression)
    assert not theory.compare("survival", 0.5)


def test_what_cancels_beyond_the_first_digits_is_no_zero():
    """With too few digits all of these would be 0, or have no finite value."""

    def eigenvalues(K, h):
        """Trace and determinant of the transfer matrix."""
        root = mpmath.sqrt(mpmath.exp(2 * K) * mpmath.sinh(h) ** 2 + mpmath.exp(-2 * K))
        first = mpmath.exp(K) * mpmath.cosh(h) + root
        return first, 2 * mpmath.sinh(2 * K) / first

    with mpmath.workdps(1000):
        strong, weak = eigenvalues(mpmath.mpf(1), 400)
        first, second = eigenvalues(mpmath.mpf(3) / 2, 400)
        expected = [
            ("binary-layers.ratio", {"K": 1, "h": 400}, weak / strong),
            ("binary-layers.correlation-length", {"K": "1.5", "h": 400}, 1 / mpmath.log(first / second)),
            ("binary-layers.correlation-length", {"K": 400, "h": 0}, -1 / mpmath.log(mpmath.tanh(400))),
            ("tangent.kernel", {"x": 1, "z": 400, "w": 1, "b": 2}, 401 / (mpmath.cosh(3) * mpmath.cosh(402)) ** 2),
            ("fixed-function.noise-eigenfunction", {"z": 60, "u": 1, "x": "0.001", "k": 1}, mpmath.mpf("0.001")),
            ("autoregression.tau", {"rho": 1 - Fraction(1, 10**80)}, 2 * mpmath.mpf(10) ** 80 - 1),
        ]
        for name, values, value in expected:
            assert abs(mpmath.mpf(str(FORMULAS[name].evaluate(digits=30, **values))) / value - 1) < 1e-29, name
    zeros = [
        ("polya-urn.working-variance", {"N": 10, "n": 1, "b": "0.3"}),
        ("gamma-poisson.working", {"N": 3, "D": 0, "b": 1, "c": 1}),
    ]
    assert all(FORMULAS[name].evaluate(**values) == 0 for name, values in zeros)


def test_where_a_formula_is_not_finite_or_real_it_says_so():
    weight = FORMULAS["linear-layers.weight"]
    pole = replace(weight, expression=1 / (1 - weight.symbols["w"]) ** 2)
    with pytest.raises(ArithmeticError, match=r"linear-layers.weight has no finite real value at w = 1"):
        pole.evaluate(w=1)
    coupling, field = sp.symbols("K h", real=True)
    variables = tuple(Variable(symbol, f"-oo < {symbol} < oo", "") for symbol in (coupling, field))
    directed = replace(weight, name="directed", expression=(coupling - field) / (coupling + field), variables=variables)
    with pytest.raises(ArithmeticError, match="directed has no finite real value at K = 0, h = 0"):
        directed.evaluate(K=0, h=0)  # 1 along K, -1 along h
    for infinite in (sp.oo, -sp.oo, sp.nan):
        with pytest.raises(ValueError, match=f"K = {infinite} is not a finite real number"):
            FORMULAS["chain.correlation"].evaluate(n=4, K=infinite)


def test_at_the_critical_point_a_heat_capacity_has_no_digits():
    """It grows with the logarithm of the distance to K_c: that of K_c from its own first digits would give 116."""
    with pytest.raises(ArithmeticError, match="could not reach 20 digits at"):
        FORMULAS["onsager.heat-capacity"].evaluate(K=sp.log(1 + sp.sqrt(2)) / 2, digits=20)


@pytest.mark.parametrize(
    ("name", "values", "limit"),
    [
        ("linear-layers.bias", {"w": 1, "a": "1/3", "b": 30}, 10),
        ("linear-layers.noise", {"w": 1, "s": 2, "b": 5}, 10),
        ("fixed-function.finite-depth", {"z": 3, "u": "1/3", "A": 0}, 1.5),
        ("onsager.energy", {"K": sp.log(1 + sp.sqrt(2)) / 2}, -sp.sqrt(2)),
    ],
)
def test_where_a_formula_is_nothing_over_nothing_it_has_its_limit(name, values, limit):
    """These are layers that keep signals, no distance from criticality, and the lattice at K_c."""
    assert abs((FORMULAS[name].evaluate(digits=40, **values) - limit).evalf(50)) < 1e-38


def test_what_agrees_in_numbers_alone_is_said_to():
    N, b, n, k = sp.symbols("N b n k")
    i = sp.Symbol("i", integer=True)
    term = (-1) ** i * sp.binomial(k, i) * sp.rf(b * (k - i), n) / sp.rf(b * N, n)
    comparison = theory.compare("urn-law", sp.binomial(N, k) * sp.Sum(term, (i, 0, k)))
    assert comparison.how == "in numbers"
    assert "at 20 points of its range to 50 digits" in str(comparison)


@pytest.mark.parametrize("digits", [2, 5, 15, 30])
def test_the_last_digit_is_rounded_once(digits):
    """Rounded twice, 68.49 would be 69."""
    for D in range(1, 100):
        values = {"D": D, "N": 1000, "b": "0.3", "c": 5}
        with mpmath.workdps(80):
            exact = mpmath.nstr(mpmath.mpf(WORKING.evaluate(digits=70, **values)), digits)
            assert mpmath.mpf(str(WORKING.evaluate(digits=digits, **values))) == mpmath.mpf(exact)


def test_symbols_are_taken_in_the_order_that_was_given():
    for symbols, values in (("N c", (1000, 5)), ("c N", (5, 1000))):
        assert float(in_order("gamma-poisson.inflection", symbols)(*values)) == 200


# -- the pieces ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("low", "high", "value"),
    [(0, mpmath.inf, "1e-300"), (0, mpmath.inf, "1e300"), (-mpmath.inf, mpmath.inf, "-7"), (2, 3, "2.000001")],
)
def test_a_root_is_found_to_all_digits(low, high, value):
    with mpmath.workdps(60):
        exact = mpmath.mpf(value)
        root = root_between(lambda x: (x - exact) * (1 + x * x), low, high)
        assert abs(root / exact - 1) < mpmath.mpf(10) ** -55
        with pytest.raises(ArithmeticError, match="no change of sign"):
            root_between(lambda x: 1 + x * x, low, high)


@pytest.mark.parametrize(
    ("high", "value"), [(0, "-1e-300"), (0, "-1e300"), (1, "-2"), (mpmath.inf, "-1e300"), (mpmath.inf, "1e300")]
)
def test_a_root_is_found_also_where_all_below_is_its_range(high, value):
    """Examples are x² = 4 below 1, and x³ = -10^900."""
    with mpmath.workdps(60):
        exact = mpmath.mpf(value)
        function = (lambda x: x**3 - exact**3) if mpmath.isinf(high) else (lambda x: x**2 - exact**2)
        assert abs(root_between(function, -mpmath.inf, high) / exact - 1) < mpmath.mpf(10) ** -55


def test_a_root_is_an_expression():
    x, y = sp.symbols("x y", positive=True)
    root = Root(x**2 - y, (x, 0, sp.oo))
    assert root.free_symbols == {y}
    with mpmath.workdps(30):
        assert abs(number(root.subs(y, 2 * x), [x])(mpmath.mpf(2)) - 2) < mpmath.mpf(10) ** -28
    assert latex(root) == r"\operatorname{root}_{0 < x < \infty}\left[x^{2} - y\right]"


@pytest.mark.parametrize("text", ["0 < c", "0 < d < 1", "c > 0", "0 < c < 1 whole", "1 <= c < 5 odd"])
def test_a_range_that_cannot_be_read_is_refused(text):
    with pytest.raises(ValueError, match="must read as"):
        Variable(sp.Symbol("c"), text, "anything")


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("0 < n < 4, whole", {1, 2, 3}),
        ("0 <= n <= 3, whole", {0, 1, 2, 3}),
        ("1/2 < n < 7/2, whole", {1, 2, 3}),
        ("1 <= n < oo, whole", {*range(1, 10)}),
        ("2 <= n <= 7, odd", {3, 5, 7}),
        ("3 <= n < oo, odd", {3, 5, 7, 9, 11}),
    ],
)
def test_whole_numbers_are_drawn_up_to_the_ends_of_their_range(text, values, rng):
    """Of a range without an end the first nine are drawn."""
    variable, random = Variable(sp.Symbol("n"), text, "a number"), Random(int(rng.integers(2**63)))  # noqa: S311
    assert {int(variable.draw(random, {})) for _ in range(600)} == values


def test_a_formula_with_a_symbol_of_no_range_is_refused():
    with pytest.raises(ValueError, match="no range is given for y"):
        replace(WORKING, expression=sp.Symbol("y"))
    with pytest.raises(ValueError, match=r"two formulas are called gamma-poisson.working"):
        Formulas((WORKING, WORKING))


@pytest.mark.parametrize("name", ["N", "D"])
def test_an_expression_that_is_right_for_small_values_alone_differs(name):
    N, D, b, c = sp.symbols("N D b c", positive=True)
    right = N * (1 - (1 + c * D / (b * N)) ** (-b))
    comparison = theory.compare(
        "gamma-poisson.working", sp.Piecewise((right, sp.Symbol(name, positive=True) < 14), (0, True))
    )
    assert not comparison
    assert comparison.values[1] == 0


@pytest.mark.parametrize(
    ("value", "error", "said"),
    [
        (np.ma.masked_array([1.0, 2.0], [False, True]), ValueError, "D has masked entries"),
        ("1", TypeError, "holds <U1; real numbers"),
        (True, TypeError, "holds bool; real numbers"),
        (1j, TypeError, "holds complex128; real numbers"),
        (10**400, ValueError, r"is beyond double precision: use evaluate\(\)"),
    ],
)
def test_a_function_takes_real_numbers_only(value, error, said):
    with pytest.raises(error, match=said):
        theory.formula("gamma-poisson.working").function()(D=value, N=1000, b=1.0, c=5.0)


def test_a_truth_value_is_no_number():
    with pytest.raises(TypeError, match="b = True is a truth value"):
        theory.formula("gamma-poisson.working").evaluate(D=100, N=1000, b=True, c=5)
