"""Symbols of the activation processes (Zhang & Sui 2024, arXiv 2412.18073, abstract), and names for display.

===========  ==================================================================================
N, D, b, c   neurons, samples, constant of the hypothesis, mean number of active neurons per sample
n            activation events (urn), n = cD
k, i, j, m   a count D_i, and indices
a            bN/c, the number of fictitious samples; a > b because N > c
beta         a - b > 0, the second parameter of the hidden Beta law
x, q         cD/(bN), and q = x/(1+x) = cD/(cD+bN)
theta        bN, when it is held fixed
===========  ==================================================================================
"""

from __future__ import annotations

import sympy as sp

N, D, b, c, a, beta = sp.symbols("N D b c a beta", positive=True)
n = sp.Symbol("n", nonnegative=True)
x, y, z, u, theta = sp.symbols("x y z u theta", positive=True)
q = sp.Symbol("q", positive=True)
D0, K0, n0 = sp.symbols("D_0 K_0 n_0", nonnegative=True)
k, i, j, m = sp.symbols("k i j m", integer=True, nonnegative=True)

P, K, S, M, E, V, U, O = (sp.Function(name) for name in ("P", "K", "S", "M", "E", "V", "U", "O"))


class Given(sp.Function):
    """The bar of a conditional probability: `P(Given(k, D))` prints as P(k | D)."""

    nargs = (2, 3)


PAPER = "Zhang & Sui 2024, arXiv 2412.18073, abstract"
TEXT = "Zhang & Sui 2024, arXiv 2412.18073, main text"
OWN = "this project, for the model of Zhang & Sui 2024, arXiv 2412.18073"
