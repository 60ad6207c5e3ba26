"""Arbitrary functions, and symbols, for the renormalisation over repeated layers."""

from __future__ import annotations

from typing import Any

import mpmath
import sympy as sp

from statnn.theory.notation import Sigma, named


class Phi(Sigma):
    """The k-th derivative of an arbitrary smooth function of the signal, say of an activation."""

    tex = r"\phi"


class Psi(Sigma):
    """The k-th derivative of a second function beside `Phi`."""

    tex = r"\psi"

    @staticmethod
    def _imp_(field: Any, order: Any) -> Any:
        """Return values of an example other than that of `Phi`: exp(-field/3) + sin(2 field)."""
        return mpmath.exp(-field / 3) / (-3) ** order + 2**order * mpmath.sin(2 * field + order * mpmath.pi / 2)


class Renormalised(Sigma):
    """The k-th derivative of a coupling of the blocks with respect to one of the spins."""

    tex = "K'"


def mean(text: str) -> sp.Symbol:
    """Return a symbol for an average, for display."""
    return named(rf"\operatorname{{E}}[{text}]")
