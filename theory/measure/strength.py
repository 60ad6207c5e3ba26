"""Node strengths of random weights: what the fluctuation of a layer is before training."""

import sympy as sp

from statnn.theory.derivation import Derivation, equation, identity, instance
from statnn.theory.notation import componentwise, expected, named, spread

SIGMA_W, SIGMA_B = sp.symbols("sigma_w sigma_b", positive=True)
BELOW, HERE, ABOVE = sp.symbols("n_- n n_+", positive=True)

VARIANCE = SIGMA_W**2 * (1 + ABOVE / HERE) + SIGMA_B**2


def node_strength() -> Derivation:
    """Derive the variance of node strengths and the fluctuation of a layer of random weights."""
    j = sp.Symbol("j", integer=True)
    links = sp.Sum(SIGMA_W**2 / BELOW, (j, 1, BELOW)) + sp.Sum(SIGMA_W**2 / HERE, (j, 1, ABOVE)) + SIGMA_B**2
    entries = sp.symbols("w_1:7", real=True)
    rows = (entries[:3], entries[3:])
    mean, size = sum(entries) / 6, 6
    population = sum((w - mean) ** 2 for w in entries) / (size - 1)
    pair = (sum(entries) ** 2 - sum(w**2 for w in entries)) / (size * (size - 1))
    one = sum(w**2 for w in entries) / size
    # the squared difference of two row sums over all arrangements of six entries in two rows of three
    difference = 2 * (3 * one + 6 * pair) - 2 * 9 * pair
    strength, whole = spread("s_{k}"), range(1, 6)
    return Derivation(
        "node-strength",
        "Node strength of random weights",
        "this project, for the node strength of La Malfa et al. 2021, arXiv 2110.02628",
        "exact",
        (
            identity(
                "Weights of variance σ²/n into a layer of any fan-in: the incoming links give σ², the outgoing ones "
                "that of the ratio of widths, and the bias its own,",
                links,
                VARIANCE,
                domain={BELOW: whole, HERE: whole, ABOVE: whole},
                by=lambda gap: sp.simplify(gap.doit()),
            ),
            identity(
                "between layers of one width",
                strength,
                2 * SIGMA_W**2 + SIGMA_B**2,
                where={strength: VARIANCE, ABOVE: HERE},
            ),
            instance(
                "No two units of a layer share a link, so strengths are independent, and a variance about the mean of "
                "the layer loses one of n; checked for up to four units.",
                equation(expected("Y^{2}"), (HERE - 1) / HERE * strength),
                [_mean_fluctuation(units) for units in range(1, 5)],
                [sp.Rational(units - 1, units) * VARIANCE for units in range(1, 5)],
            ),
            componentwise(
                "Given the entries of a matrix, all arrangements of them being equally likely, the variance between "
                "sums of rows is the length of a row times the variance of the entries; checked for two rows of three.",
                [difference / 2],
                [len(rows[0]) * population],
                equation(
                    expected(r"\operatorname{Var}(\Sigma_{j} w_{kj})"),
                    BELOW * named(r"\operatorname{Var}(w)"),
                ),
            ),
        ),
    )


def _mean_fluctuation(units: int) -> sp.Expr:
    """Return the mean of the variance of independent strengths about their mean, term by term of its square."""
    strengths = sp.symbols(f"s_1:{units + 1}")
    about = sum((s - sum(strengths) / units) ** 2 for s in strengths) / units
    terms = sp.Poly(about, *strengths).terms()
    return sum(factor * VARIANCE for powers, factor in terms if 2 in powers)
