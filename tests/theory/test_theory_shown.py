"""Derivations in the reader's hands: as text, as HTML, as one LaTeX document, in a list, by the command."""

import re
import resource
import shutil
import subprocess
import sys
from itertools import groupby
from xml.etree import ElementTree as ET

import networkx as nx
import pytest
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st

from statnn import theory
from statnn.theory import __main__ as command
from statnn.theory import browse
from statnn.theory import derivation as built
from statnn.theory.document import document
from statnn.theory.evaluation import renames
from statnn.theory.kinds import CHECKED, KINDS, tally
from statnn.theory.mathml import mathml
from statnn.theory.plain import plain
from statnn.theory.prose import as_latex, pieces, with_mathml
from statnn.theory.registry import DERIVATIONS

x, D, N = sp.symbols("x D N")


@pytest.mark.parametrize(
    ("latex", "text"),
    [
        (r"K(D) = N \left(1 - \left(\frac{b N}{c D + b N}\right)^{b}\right)", "K(D) = N (1 − (bN/(cD + bN))ᵇ)"),
        (r"\frac{d^{2}}{d z^{2}} \frac{1}{z^{2}}", "d²/dz² (1/z²)"),
        (r"- \frac{b + 1}{2 N} = -2", "−(b + 1)/(2N) = −2"),
        (r"\operatorname{E}[K] \geq \sqrt{x + 1} N S(D)", "E[K] ≥ √(x + 1) N S(D)"),
        (r"\lim_{N \to \infty} w_{i}^{- 2 n} = \ln x", "lim[N → ∞] wᵢ⁻²ⁿ = ln x"),
        (r"\sum_{k=0}^{D} \binom{D}{k} h_{j}^{\mu}", "Σ[k=0…D] C(D, k) hⱼ^μ"),
        (r"c (N - K(D)) + 2 - f(x)", "c (N − K(D)) + 2 − f(x)"),
        (r"f'' = \hat{C}_{M}", "f′′ = Ĉ_M"),
        (r"\overline{w^{2}} n_{-} - \overline{w}^{2} - \overline{w w'}", "⟨w²⟩ n₋ − w̅² − ⟨ww′⟩"),
        (r"e^{4 K'} = K^{*} + k'^{2}", "e^(4 K′) = K* + k′²"),
        (r"e^{- E(D)} {S^{(m + 1, m)}}_{j k} h^{(m)}", "e^(−E(D)) S^(m + 1, m)ⱼₖ h⁽ᵐ⁾"),
        (r"- k e(m)^{\frac{3}{2}}", "−k e(m)^(3/2)"),
        (r"f(x, -1)", "f(x, −1)"),
        (r"x \frac{d}{d}", "x (d/d)"),
        (r"f'_{i}", "fᵢ′"),
        (r"x^{(a + y) (b + y)}", "x^((a + y) (b + y))"),
        (r"2 \mathcal{K}(2 K) - \mathcal{L}", "2 𝒦(2K) − ℒ"),
    ],
)
def test_formulas_are_text(latex, text):
    assert plain(latex).replace("C\N{COMBINING CIRCUMFLEX ACCENT}", "Ĉ") == text


def unevaluated(kind, *args):
    return kind(*args, evaluate=False)


k, n = sp.symbols("k n", integer=True, positive=True)
p, q = sp.symbols("p q", positive=True)


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        (unevaluated(sp.Add, p, p), "p + p"),
        (unevaluated(sp.Mul, 0, p), "0p"),
        (unevaluated(sp.Mul, -1, -1), "1"),
        (0.5 * p, "0.5p"),
        (-1.5 * p / q, "−1.5 (p/q)"),
        (sp.log(p) ** 2, "ln² p"),
        (1 / sp.log(p + 1) ** 2, "1/ln²(p + 1)"),
        (sp.loggamma(p) ** 2, "ln²Γ(p)"),
        (sp.polygamma(q, p), "ψ^(q)(p)"),
        (q * sp.hyper((1, p + 1), (3,), -q) ** 2, "q F²(1, p + 1; 3; −q)"),
        (1 / sp.hyper((), (p,), q / p), "1/F(; p; q/p)"),
        (sp.floor(p) + sp.ceiling(q), "⌈q⌉ + ⌊p⌋"),
        (sp.root(p, 3), "³√p"),
        (sp.ff(p, n), "(p − n + 1)ₙ"),
        (sp.rf(p, n), "(p)ₙ"),
        (sp.Mod(n, 2), "n mod 2"),
        (sp.zeta(p), "ζ(p)"),
        (sp.Piecewise((p, p > 1), (1, True)), "{p if p > 1, 1 otherwise}"),
        (sp.Integral(p, p), "∫ pdp"),
        (sp.Integral(p, (p, q)), "∫[…q] pdp"),
        (sp.Sum(p**k, (k, 1, n), (n, 1, 3)), "Σ[n=1…3] Σ[k=1…n] pᵏ"),
        (sp.Limit(1 / x, x, 0), "lim[x → 0⁺] (1/x)"),
        (sp.Limit(1 / x, x, 0, "-"), "lim[x → 0⁻] (1/x)"),
        (sp.Limit(sp.sin(x), x, 0, "+-"), "lim[x → 0] sin(x)"),
        (sp.Limit(1 / p, p, 0), "lim[p → 0] (1/p)"),
    ],
)
def test_expressions_of_ones_own_are_shown_as_they_are(expression, text):
    step = theory.argued("As it stands.", theory.equation(expression, x))
    assert step.text() == f"{text} = x"
    ET.fromstring(mathml(step.latex()))  # noqa: S314 - our own output


d = sp.Symbol("d", positive=True)
y, z = sp.symbols("y z", real=True)
A, B = sp.symbols("A B", commutative=False)
w, r, f, g, L, O = map(sp.Function, "wrfgLO")


@pytest.mark.parametrize(
    ("expression", "latex", "text"),
    [
        (w(n) ** 2 / r(k), r"\frac{w_{n}^{2}}{r_{k}}", "wₙ²/rₖ"),  # an indexed name keeps its power
        (L(p, q, x) ** 2, r"L(p;\, q, x)^{2}", "L(p; q, x)²"),
        (O(p**2) ** 2, "O(p^{2})^{2}", "O(p²)²"),
        (unevaluated(sp.Mul, 2, -y), "2 (- y)", "2 (−y)"),  # no difference 2 - y
        (unevaluated(sp.Mul, -1, -y), "- (- y)", "−(−y)"),
        (2 * sp.UnevaluatedExpr(y + z), "2 (z + y)", "2 (z + y)"),
        (z - sp.UnevaluatedExpr(y + z), "z - (z + y)", "z − (z + y)"),
        (sp.Derivative(sp.UnevaluatedExpr(y + 1), y), r"\frac{d}{d y} (y + 1)", "d/dy (y + 1)"),
        (3 * 2**n, r"3 \cdot 2^{n}", "3 · 2ⁿ"),  # not 32 to the n
        (p / (3 * 4**n), r"\frac{p}{3 \cdot 4^{n}}", "p/(3 · 4ⁿ)"),
        (unevaluated(sp.Mul, 4, 3 * p), r"4 \cdot 3 p", "4 · 3p"),
        (p * sp.Mod(n, 3), r"p (n \bmod 3)", "p (n mod 3)"),
        (sp.Mod(n, 3) ** 2 + 1, r"(n \bmod 3)^{2} + 1", "(n mod 3)² + 1"),
        (sp.Mod(p, q * d), r"p \bmod (q d)", "p mod (qd)"),
        (sp.Mod(sp.Sum(k, (k, 1, n)), p), r"\left(\sum_{k=1}^{n} k\right) \bmod p", "(Σ[k=1…n] k) mod p"),
        (
            sp.Product(k, (k, 1, n)) * sp.Sum(k, (k, 1, n)),
            r"(\prod_{k=1}^{n} k) \sum_{k=1}^{n} k",
            "(Π[k=1…n] k) Σ[k=1…n] k",
        ),
        (sp.Sum(-k, (k, 1, n)), r"\sum_{k=1}^{n} (- k)", "Σ[k=1…n] (−k)"),
        (
            unevaluated(sp.Mul, p * sp.Product(k, (k, 1, n)), 1 / q),
            r"\frac{p \prod_{k=1}^{n} k}{q}",
            "(p Π[k=1…n] k)/q",
        ),
        (1.5e20**n, r"(1.5 \cdot 10^{20})^{n}", "(1.5 · 10²⁰)ⁿ"),
        (unevaluated(sp.Pow, -p, -2), "(- p)^{-2}", "(−p)⁻²"),
        (
            unevaluated(sp.Pow, sp.Piecewise((p, p > 1), (1, True)), 2),
            r"\left\{p\;\text{if}\;p > 1,\; 1\;\text{otherwise}\right\}^{2}",
            "{p if p > 1, 1 otherwise}²",
        ),
        (unevaluated(sp.Mul, sp.S.Half, sp.sqrt(2), sp.sqrt(2), p), r"\frac{\sqrt{2} p}{\sqrt{2}}", "√2 p/√2"),
        (B**-1 * A, "B^{-1} A", "B⁻¹ A"),  # A/B may be either
        (A**n * B / 2, r"\frac{1}{2} A^{n} B", "(1/2) Aⁿ B"),
        (d / (d + p), r"\frac{d}{d + p}", "d/(d + p)"),  # no derivative
        ((d + p) / (d + q), r"\frac{d + p}{d + q}", "(d + p)/(d + q)"),
        (
            sp.Derivative(f(y), y) * sp.Derivative(g(y), y),
            r"\left(\frac{d}{d y} f(y)\right) \frac{d}{d y} g(y)",
            "(d/dy f(y)) d/dy g(y)",
        ),
        (sp.log(sp.Mod(y, 2)), r"\ln(y \bmod 2)", "ln(y mod 2)"),  # no remainder of a logarithm
        (sp.log(y) ** 2 * A, r"(\ln^{2} y) A", "(ln² y) A"),
        (sp.log(y) * sp.UnevaluatedExpr(z), r"(\ln y) z", "(ln y) z"),
        (sp.log(y) * sp.Sum(k, (k, 1, n)), r"\ln y \sum_{k=1}^{n} k", "ln y Σ[k=1…n] k"),
        (p - p**3 / 3 + O(p**5), r"p - \frac{p^{3}}{3} + O(p^{5})", "p − p³/3 + O(p⁵)"),
        (1 / p + p**-2 + O(p**-3), r"\frac{1}{p} + \frac{1}{p^{2}} + O(p^{-3})", "1/p + 1/p² + O(p⁻³)"),
        (d**2 / (d**2 + 1), r"\frac{d^{2}}{d^{2} + 1}", "d²/(d² + 1)"),
    ],
)
def test_what_is_shown_is_read_as_what_it_is(expression, latex, text):
    step = theory.argued("As it stands.", theory.equation(expression, x))
    assert (step.latex(), step.text()) == (f"{latex} = x", f"{text} = x")


def test_formulas_are_mathml():
    tree = ET.fromstring(mathml(r"\frac{x_{i}^{2}}{\sqrt{2}} < \sum_{k=0}^{n} \binom{n}{k}", display=True))  # noqa: S314
    tags = [part.tag.split("}")[1] for part in tree.iter()]
    assert tree.get("display") == "block"
    assert {"mfrac", "msubsup", "msqrt", "munderover"} <= set(tags)
    assert tags.count("mfrac") == 2
    assert "".join(tree.itertext()) == "xi22<∑k=0n(nk)"


@pytest.mark.parametrize(
    ("latex", "apart"), [(r"\ln Z", 1), (r"\tanh^{2} K", 1), (r"\ln(x)", 0), (r"\sum_{k} k", 0), (r"\sin \ln x", 2)]
)
def test_a_function_is_apart_from_an_argument_without_brackets(latex, apart):
    assert mathml(latex).count("<mspace") == apart


@pytest.mark.parametrize("latex", [r"\underbrace{x}", "(x", "x)", r"\left(x"])
def test_what_cannot_be_shown_is_refused(latex):
    with pytest.raises(ValueError, match=r"formula|known"):
        plain(latex)


@pytest.mark.parametrize(
    ("sentence", "formulas"),
    [
        ("A spin s feels a field: to flip it costs 2sF.", ["s", "2sF"]),
        ("With D = xa and a = bN/c, near a and in a + D₀, a is large.", ["D = xa", "a = bN/c", "a", "a + D₀", "a"]),
        ("It is (N/c) E[p(1−p)ᴰ] for every k (integrate: ln(1+u) > 2u/(2+u)).",
         ["N/c", "E[p(1−p)ᴰ]", "k", "ln(1+u) > 2u/(2+u)"]),
        ("Stirling's series, DLMF 5.11.8, Lin et al., the b-th power, an L-map, 2 layers and log1p.", ["b"]),
        ("For N → ∞ the tanh of half a field is a tanh; A tanh(vx) at |1 − r|/2.",
         ["N → ∞", "A tanh(vx)", "|1 − r|/2"]),
        ("N!/(N−m)! Sₘ with x = e⁻²ᴷ and √π/2, as σ″ = 0 and c* ≥ 1.",
         ["N!/(N−m)! Sₘ", "x = e⁻²ᴷ", "√π/2", "σ″ = 0", "c* ≥ 1"]),
        ("P(D_i = k) ∝ k^(−α) for S(D')/S(D), K_c = 2^(1/(z-1)) and (1−r)(M−T)/(M−1).",
         ["P(D_i = k) ∝ k^(−α)", "S(D')/S(D)", "K_c = 2^(1/(z-1))", "(1−r)(M−T)/(M−1)"]),
        ("A tanh network, L-map by 12(1 − π)(AUC − 1/2), AUC, m ⟨h²⟩, BetaBinomial(n; b, bN/c − b).",
         ["12(1 − π)(AUC − 1/2)", "m ⟨h²⟩", "BetaBinomial(n; b, bN/c − b)"]),
        ("By -0.133 ± 0.007 at p = 3e-41, k >= 5: at N = 10⁵ 1.0000 times 1 - K/cD (block-spin x), 'y'.",
         ["-0.133 ± 0.007", "p = 3e-41", "k >= 5", "N = 10⁵", "1 - K/cD", "x"]),
    ],
)  # fmt: skip
def test_variables_in_a_sentence_are_mathematics(sentence, formulas):
    assert [text for text, tex in pieces(sentence) if tex] == formulas
    assert "".join(text for text, _ in pieces(sentence)) == sentence


def test_sentences_are_set():
    assert as_latex("as √C, P(k) & e⁻²ᴷ ≥ 0") == r"as \(\sqrt{C}\), \(P(k)\) \& \(e^{-2K} \geq 0\)"
    assert as_latex("at |1 − r|/2 and P(a | b)") == r"at \(|1 - r|/2\) and \(P(a \mid b)\)"
    assert as_latex("σ_w² E φ' and h^(m+1)") == r"\(\sigma_{w}^{2} E \phi'\) and \(h^{(m+1)}\)"
    assert as_latex("h_μ^(m)") == r"\(h_{\mu}^{(m)}\)"
    assert as_latex("2^(n+1) and x^(z-1)") == r"\(2^{n+1}\) and \(x^{z-1}\)"
    assert as_latex("n_{m+1}, Σ_{i<j} W_ij, 2^((z-k)/(z-1))") == (
        r"\(n_{m+1}\), \(\Sigma_{i<j} W_{i j}\), \(2^{(z-k)/(z-1)}\)"
    )
    assert as_latex("1 - k'² at m = M-1 (p(1-p))") == r"\(1 - k'^{2}\) at \(m = M-1\) (\(p(1-p)\))"
    assert as_latex("E = -Σ_k s_k, y = -inf") == r"\(E = -\Sigma_{k} s_{k}\), \(y\) = -inf"
    assert as_latex("86 mm, x ~ N(0, 1/n_in)") == r"86 mm, \(x \sim N(0, 1/n_{\mathrm{in}})\)"
    assert as_latex("∫ f, n Var F and Var n²") == (
        r"\(\int f\), \(n \operatorname{Var} F\) and \(\operatorname{Var} n^{2}\)"
    )
    assert as_latex("1e-12 of A σ(x)") == r"\(10^{-12}\) of \(A \sigma(x)\)"
    assert as_latex("N^(-0.5) K_max ≥ 7.1e-04") == r"\(N^{-0.5} K_{\mathrm{max}} \geq 7.1 \times 10^{-4}\)"
    assert (
        as_latex("⟨h²⟩ at (1 − q)^b, S(x and y)")
        == r"\(\langle h^{2}\rangle\) at \((1 - q)^{b}\), \(S\)(\(x\) and \(y\))"
    )
    assert ET.fromstring(f"<p>{with_mathml('where x < 1 & so on')}</p>").text == "where "  # noqa: S314


@given(st.text("abDKNnk0123.eλ∞… ^_'′²₀ᵢ()[]|⟨⟩√-−+/=<>≤·,;:"))
def test_every_sentence_can_be_set_whole(sentence):
    assert "".join(text for text, _ in pieces(sentence)) == sentence
    ET.fromstring(f"<p>{with_mathml(sentence)}</p>".replace("&#8289;", ""))  # noqa: S314


@pytest.mark.parametrize("name", DERIVATIONS)
def test_derivations_show_themselves(name):
    derivation = built(name)
    text, page = str(derivation), derivation._repr_html_()
    tree = ET.fromstring(f"<body>{page}</body>".replace("&#8289;", ""))  # noqa: S314 - our own output
    displayed = [part for part in tree.iter() if part.get("display") == "block"]
    names = [name for _, names in derivation.with_names() for name in names]
    assert len(tree.findall("./ol/li")) == len(derivation.steps)
    assert len(displayed) == len(derivation.steps) + len(names)
    assert "http" not in page.replace("http://www.w3.org/1998/Math/MathML", "")
    assert "\\" not in text
    for step in derivation.steps:
        assert step.text() in text
        for meaning in step.printed_names():  # here, or where it was first said, perhaps in other letters
            assert any(renames(*meaning, *said.equation.args) for said in (*derivation.steps, *names))
        assert step._repr_latex_() == rf"$\displaystyle {step.latex()}$"
        assert f"({step.kind})" in str(step)
    assert tally(derivation.kinds()) in text


def test_definitions_and_arguments_are_never_counted_as_checked():
    assert tally({"argued": 2, "identity": 3, "definition": 1}) == (
        "3 steps checked: 3 identity; not checked: 1 definition, 2 argued"
    )
    assert tally({"definition": 1}) == "0 steps checked; not checked: 1 definition"
    assert set(KINDS) - set(CHECKED) == {"definition", "argued"}


def test_derivations_are_listed_and_opened():
    table = theory.derivations()
    assert list(table) == table._ipython_key_completions_() == list(DERIVATIONS)
    assert table["survival"] is theory.derivation("survival")
    assert re.search(r"^survival +exact +Silent neurons", str(table), re.MULTILINE)
    page = ET.fromstring(table._repr_html_())  # noqa: S314
    assert len(page.findall("tr")) == len(DERIVATIONS) + 1
    with pytest.raises(KeyError, match=r"no derivation is called 'survivl'.*'survival'"):
        table["survivl"]


def test_a_step_says_what_its_names_mean():
    f = sp.Function("f")
    step = theory.identity("Twice", f(x), 2 * x, where={f(x): x + x}, domain={x: (0, 1), N: range(2, 5)})
    assert str(step).splitlines() == [
        "Twice (identity)", "    f(x) = 2x", "    where f(x) = 2x", "    for 0 < x < 1", "    for N = 2, 3, 4",
    ]  # fmt: skip
    wider = theory.identity("Twice", f(x), 2 * x, where={N: 3, f(x): D + x, sp.Function("g")(x): x, D: x})
    assert str(wider).splitlines()[2:] == ["    where f(x) = D + x", "    where D = x"]


def test_a_derivation_says_what_names_mean_where_it_changes():
    f, y = sp.Function("f"), sp.Symbol("y", real=True)
    first, second, third = (theory.identity("Both.", f(y) + y, t + x, where={f(x): t, y: x}) for t in (D, N, D))
    free = theory.inequality("Free.", y**2 + 1, 1, y**2)
    value = theory.identity("A value.", f(y), D, where={f(N): D, y: x})
    call = theory.definition("Call it", f(x), x**2)
    called = theory.identity("Twice.", f(x) + f(x), 2 * x**2, where={f(x): x**2})
    steps = (first, first, second, third, free, value, value, called, call, called)
    said = [[name.text() for name in names] for _, names in theory.Derivation("a", "A", "a", "own", steps).with_names()]
    both = ["f(x) = D", "y = x"]
    assert said == [both, [], ["f(x) = N"], ["f(x) = D"], [], ["y = x"], [], [], [], []]
    bounded = theory.inequality("At least.", f(x), x**2, 1)
    equal = theory.identity("Equal.", f(x), x**2 + 1, where={f(x): 1 + x**2})
    steps = (bounded, theory.identity("Not.", 2 * f(x), 2 * x**2, where={f(x): x**2}), equal)
    said = [[name.text() for name in names] for _, names in theory.Derivation("a", "A", "a", "own", steps).with_names()]
    assert said == [[], ["f(x) = x²"], ["f(x) = x² + 1"]]


@pytest.mark.parametrize("name", DERIVATIONS)
def test_an_instance_has_the_sides_that_it_prints(name):
    """Without its case a derivative by an indexed symbol has no value."""
    for step in built(name).steps:
        assert step.kind != "instance" or step.sides() == step.equation.args


def test_the_document_compiles_without_an_overfull_line(tmp_path):
    """It compiles where there is pdflatex; everywhere its environments are closed and it is ASCII."""
    wide = theory.argued("A line of a reader.", sp.Eq(x, sum(sp.symbols("x:60")), evaluate=False))
    own = theory.Derivation("wide", "Too wide for a line", "a reader & co", "own", (wide,))
    source = document([*map(built, DERIVATIONS), own])
    assert source.isascii()
    assert sorted(re.findall(r"\\begin\{(\w+)\}", source)) == sorted(re.findall(r"\\end\{(\w+)\}", source))
    assert source.count(r"\[") == source.count(r"\]")
    if shutil.which("pdflatex"):
        (tmp_path / "all.tex").write_text(source, encoding="ascii")
        command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "all.tex"]
        ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)  # noqa: S603
        assert ran.returncode == 0, ran.stdout[-2000:]
        assert (tmp_path / "all.pdf").stat().st_size > 100_000
        assert "Overfull" not in ran.stdout


def run(*arguments, cwd=None):
    command = [sys.executable, "-m", "statnn.theory", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=cwd)  # noqa: S603


def test_the_command_prints_checks_and_writes(tmp_path):
    ran = run("swap", "urn", "--document", "two.tex", cwd=tmp_path)
    assert ran.returncode == 0, ran.stderr
    assert ran.stderr.splitlines() == ["checking 2 derivations", "1/2 swap: holds", "2/2 urn: holds"]
    assert re.search(r"In 2 derivations, \d+ steps checked: \d+ identity", ran.stdout)
    assert (tmp_path / "two.tex").read_text(encoding="utf-8") == document([built("swap"), built("urn")])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["survivl"], "no derivation is called 'survivl' (do you mean 'survival'?)"),
        (["swap", "--document", "nowhere/two.tex"], "in a folder that exists"),
        (["swap", "--document", "two.pdf"], "a name that ends in .tex"),
        (["swap", "--document", "folder.tex"], "a file with a name"),
    ],
)
def test_the_command_refuses_at_once(arguments, message, tmp_path):
    (tmp_path / "folder.tex").mkdir()
    ran = run(*arguments, cwd=tmp_path)
    assert ran.returncode == 2
    assert message in ran.stderr
    assert not ran.stdout
    assert [path.name for path in tmp_path.rglob("*")] == ["folder.tex"]


def test_a_document_is_written_whole_or_not_at_all(tmp_path):
    file = tmp_path / "one.tex"
    file.write_text("an older one", encoding="utf-8")

    def full():
        resource.setrlimit(resource.RLIMIT_FSIZE, (2048, 2048))

    command = [sys.executable, "-m", "statnn.theory", "swap", "--document", file]
    ran = subprocess.run(command, capture_output=True, text=True, check=False, preexec_fn=full)  # noqa: S603
    assert ran.returncode == 2
    assert re.fullmatch(rf"error: .*File too large: '{file}'", ran.stderr.splitlines()[-1])
    assert "Traceback" not in ran.stderr
    assert {path.name: path.read_text(encoding="utf-8") for path in tmp_path.iterdir()} == {"one.tex": "an older one"}


def test_the_command_fails_where_a_derivation_does_and_writes_no_document_of_it(monkeypatch, capsys, tmp_path):
    def checked(name, thorough):
        kinds = {"identity": 2, "inequality": 1}
        return command.Checked(name, "its text", kinds, "step 2 is wrong", {2: "as printed"} if thorough else {})

    monkeypatch.setattr(command, "checked", checked)
    assert command.main(["swap", "--document", str(tmp_path / "one.tex")]) == 1
    assert not list(tmp_path.iterdir())
    said = capsys.readouterr()
    assert said.err.splitlines()[:2] == ["checking 1 derivation", "1/1 swap: step 2 is wrong"]
    assert "no document is written" in said.err
    assert "its text" not in said.out
    assert "identity      2  " in said.out
    assert command.main(["swap", "--thorough"]) == 1
    said = capsys.readouterr().out
    assert said.startswith("its text\nby intervals, on all of their range: 2 (as printed)\n")
    assert "Of 1 inequalities intervals prove 1 as printed and 0 by their positive form" in said


def test_inequalities_are_known_by_the_number_of_their_step(monkeypatch):
    positive = sp.Symbol("y", positive=True)
    steps = (
        theory.identity("Twice.", positive + positive, 2 * positive),
        theory.inequality("Squares add.", (1 + positive) ** 2, 1 + positive**2, 2 * positive),
    )
    monkeypatch.setattr(command, "derivation", lambda _: theory.Derivation("own", "Own", "a reader", "exact", steps))
    assert command.checked("own", thorough=False).enclosures == {}
    assert command.checked("own", thorough=True).enclosures.keys() == {2}


def test_the_command_lists_derivations_below_their_sources(monkeypatch, capsys):
    some = {name: DERIVATIONS[name] for name in ("survival", "urn", "swap")}
    monkeypatch.setattr(browse, "DERIVATIONS", some)
    assert command.main(["--list"]) == 0
    lines = iter(capsys.readouterr().out.splitlines())
    for source, group in groupby(some, lambda name: built(name).source):
        assert next(lines) == f"-- {source}"
        assert all(next(lines).split()[0] == name for name in group)
    assert not list(lines)


def test_derivations_build_on_each_other_without_circles():
    graph = nx.DiGraph([(name, other) for name in DERIVATIONS for other in built(name).uses])
    assert set(graph) <= set(DERIVATIONS)
    assert nx.is_directed_acyclic_graph(graph)
    assert {"urn", "beta-bernoulli"} == set(built("survival").uses)
    assert "Builds on: beta-bernoulli, urn\n" in str(built("survival"))
    assert r"Assumes: \(N \to \infty\) at fixed \(c D/(b N)\)" in built("gamma-poisson").latex()
    assert "<p>Assumes: for the acceptance" in built("swap")._repr_html_()


def test_a_missing_sympy_says_what_to_install(tmp_path):
    code = "import sys; sys.modules['sympy'] = None; from statnn import theory"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=tmp_path)  # noqa: S603
    assert "ModuleNotFoundError: derivations need sympy: pip install 'statnn[theory]'" in ran.stderr
