"""Node strengths of random weights: the fluctuation of a layer before training."""

from __future__ import annotations

from itertools import combinations

import sympy as sp

from statnn.theory.derivation import Derivation, identity, instance
from statnn.theory.notation import expected, named, spread

SIGMA_W, SIGMA_B = sp.symbols("sigma_w sigma_b", positive=True)
BELOW, HERE, ABOVE = sp.symbols("n_- n n_+", positive=True)

VARIANCE = SIGMA_W**2 * (1 + ABOVE / HERE) + SIGMA_B**2


def node_strength() -> Derivation:
    """Derive the variance of node strengths and the fluctuation of a layer of random weights."""
    j = sp.Symbol("j", integer=True)
    links = sp.Sum(SIGMA_W**2 / BELOW, (j, 1, BELOW)) + sp.Sum(SIGMA_W**2 / HERE, (j, 1, ABOVE)) + SIGMA_B**2
    entries, v, w = sp.Symbol("m", positive=True), sp.Symbol("v", positive=True), sp.symbols("w_1:7", real=True)
    square, pair, mean, variance = (
        named(tex) for tex in (r"\overline{w^{2}}", r"\overline{w w'}", r"\overline{w}", r"\operatorname{Var}(w)")
    )
    squares = sp.Sum(v, (j, 1, HERE))
    of_rows = {
        pair: (entries * mean**2 - square) / (entries - 1),
        variance: entries * (square - mean**2) / (entries - 1),
    }
    strength, whole = spread("s_{k}"), range(1, 6)
    return Derivation(
        "node-strength",
        "Node strength of random weights",
        "this project, for the node strength of La Malfa et al. 2021, arXiv 2110.02628",
        "exact",
        (
            identity(
                "Weights into a layer have the variance σ² over its fan-in: the incoming links of a unit give σ², "
                "the outgoing ones σ² times the ratio of widths, and the bias its own variance,",
                links,
                VARIANCE,
                domain={BELOW: whole, HERE: whole, ABOVE: whole},
                by=lambda gap: sp.simplify(gap.doit()),
            ),
            identity(
                "which between layers of equal width is",
                strength,
                2 * SIGMA_W**2 + SIGMA_B**2,
                where={strength: VARIANCE, ABOVE: HERE},
            ),
            identity(
                "No two units of a layer share a link, so their strengths s, of variance v, are independent, and the "
                "variance about the mean of the layer, the mean square less the squared mean, loses one part in n;",
                expected("Y^{2}"),
                (HERE - 1) / HERE * v,
                where={expected("Y^{2}"): squares / HERE - squares / HERE**2},
                domain={HERE: range(1, 6)},
                by=lambda gap: sp.simplify(gap.doit()),
            ),
            instance(
                "checked term by term for up to four units.",
                expected("Y^{2}"),
                (HERE - 1) / HERE * v,
                cases=[{HERE: units, expected("Y^{2}"): _mean_fluctuation(units, v)} for units in range(1, 5)],
            ),
            identity(
                "Given the m entries w of a matrix, all arrangements of them being equally likely, the sum of all of "
                "them fixes the mean of a product ww′ of two. The variance between sums of rows, half their mean "
                "squared difference, is therefore the length of a row times the variance of the entries,",
                BELOW * square + BELOW * (BELOW - 1) * pair - BELOW**2 * pair,
                BELOW * variance,
                where=of_rows,
                domain={entries: (3, 5)},
            ),
            instance(
                "and the same by counting all arrangements in two rows of three.",
                expected(r"\operatorname{Var}(\Sigma_{j} w_{kj})"),
                BELOW * variance,
                cases=[
                    {BELOW: 3, expected(r"\operatorname{Var}(\Sigma_{j} w_{kj})"): _arranged(w), variance: _spread(w)}
                ],
            ),
        ),
        assumes=("weights and biases are independent, with mean zero",),
    )


def _mean_fluctuation(units: int, variance: sp.Symbol) -> sp.Expr:
    """Return the mean of the variance of independent strengths about their mean, term by term of its square."""
    strengths = sp.symbols(f"s_1:{units + 1}")
    about = sum((s - sum(strengths) / units) ** 2 for s in strengths) / units
    terms = sp.Poly(about, *strengths).terms()
    return sum(factor * variance for powers, factor in terms if 2 in powers)


def _spread(entries: tuple[sp.Symbol, ...]) -> sp.Expr:
    """Return the variance of numbers, divided by one less than their number."""
    mean = sum(entries) / sp.Integer(len(entries))
    return sum((w - mean) ** 2 for w in entries) / (len(entries) - 1)


def _arranged(entries: tuple[sp.Symbol, ...]) -> sp.Expr:
    """Return the variance between the sums of two rows, averaged over all ways to distribute the entries."""
    rows = list(combinations(entries, len(entries) // 2))
    return sum((2 * sum(row) - sum(entries)) ** 2 / sp.Integer(2) for row in rows) / len(rows)
