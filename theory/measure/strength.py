"""Node strengths of random weights: what the fluctuation of a layer is before training."""

import sympy as sp

from theory.derivation import Derivation, equation, identity
from theory.interaction.symbols import componentwise, expected, named, spread

SIGMA_W, SIGMA_B = sp.symbols("sigma_w sigma_b", positive=True)
BELOW, HERE, ABOVE = sp.symbols("n_- n n_+", positive=True)

VARIANCE = SIGMA_W**2 * (1 + ABOVE / HERE) + SIGMA_B**2


def node_strength() -> Derivation:
    """Derive the variance of node strengths and the fluctuation of a layer of random weights."""
    incoming, outgoing = BELOW * SIGMA_W**2 / BELOW, ABOVE * SIGMA_W**2 / HERE
    entries = sp.symbols("w_1:7", real=True)
    rows = (entries[:3], entries[3:])
    mean, size = sum(entries) / 6, 6
    population = sum((w - mean) ** 2 for w in entries) / (size - 1)
    pair = (sum(entries) ** 2 - sum(w**2 for w in entries)) / (size * (size - 1))
    one = sum(w**2 for w in entries) / size
    # the squared difference of two row sums over all arrangements of six entries in two rows of three
    difference = 2 * (3 * one + 6 * pair) - 2 * 9 * pair
    return Derivation(
        "node-strength",
        "Node strength of random weights",
        "this project, for the node strength of La Malfa et al. 2021, arXiv 2110.02628",
        "exact",
        (
            identity(
                "Weights of variance σ²/n into a layer of any fan-in: the incoming links give σ², the outgoing ones "
                "that of the ratio of widths, and the bias its own,",
                incoming + outgoing + SIGMA_B**2,
                VARIANCE,
                shown=equation(spread("s_{k}"), VARIANCE),
            ),
            identity(
                "between layers of one width",
                VARIANCE.subs(ABOVE, HERE),
                2 * SIGMA_W**2 + SIGMA_B**2,
                shown=equation(spread("s_{k}"), 2 * SIGMA_W**2 + SIGMA_B**2),
            ),
            identity(
                "No two units of a layer share a link, so strengths are independent, and a variance about the mean of "
                "the layer loses one of n.",
                HERE * VARIANCE - HERE * VARIANCE / HERE,
                (HERE - 1) * VARIANCE,
                shown=equation(expected("Y^{2}"), (HERE - 1) / HERE * spread("s_{k}")),
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
