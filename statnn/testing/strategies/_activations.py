"""Activations of the package, and random smooth ones."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from hypothesis import strategies as st

from statnn._arguments import Floats, switch
from statnn.network import ACTIVATIONS, Activation, leaky_relu

Terms = tuple[tuple[float, float, float], ...]


@dataclass(frozen=True)
class SumOfTanh:
    """σ(h) = d h + Σ_k a_k tanh(b_k h + c_k), analytic and picklable; in float64, since terms may cancel."""

    terms: Terms
    line: float

    def __call__(self, h: Floats) -> Floats:
        fields = np.asarray(h, dtype=np.float64)
        result = self.line * fields
        for a, b, c in self.terms:
            result = result + a * np.tanh(b * fields + c)
        return result.astype(h.dtype)

    def __str__(self) -> str:
        words = [f"{a:g} tanh({b:g} h {'-' if c < 0 else '+'} {abs(c):g})" for a, b, c in self.terms]
        return " + ".join([*words, *([f"{self.line:g} h"] if self.line else [])])


@dataclass(frozen=True)
class ItsSlope:
    """The derivative of `SumOfTanh`."""

    of: SumOfTanh

    def __call__(self, h: Floats) -> Floats:
        result = np.full_like(h, self.of.line)
        for a, b, c in self.of.terms:
            t = np.exp(-2 * np.abs(b * h + c))
            result = result + a * b * 4 * t / (1 + t) ** 2
        return result


def of_terms(terms: Terms, line: float = 0.0) -> Activation:
    """Return the activation of a sum of hyperbolic tangents, with its derivative."""
    function = SumOfTanh(terms, line)
    return Activation(str(function), function, ItsSlope(function))


def smooth_activations(*, terms: int = 3, bounded: bool = False) -> st.SearchStrategy[Activation]:
    r"""Smooth random activations σ(h) = d h + Σ_k a_k tanh(b_k h + c_k), with their derivatives.

    |a_k| and b_k lie between 1/8 and 3, |c_k| <= 2 and |d| <= 1. They are odd, monotone or bounded only by chance, and
    can be pickled.

    Parameters
    ----------
    terms : int
        Largest number of terms.
    bounded : bool
        Whether d = 0.
    """
    sizes = st.sampled_from([1.0, 0.5, 2.0]) | st.floats(0.125, 3.0, width=32)
    signs = st.sampled_from([1.0, -1.0])
    term = st.tuples(st.builds(float.__mul__, signs, sizes), sizes, st.just(0.0) | st.floats(-2, 2, width=32))
    lines = st.just(0.0) if switch(bounded, "bounded") else st.just(0.0) | st.floats(-1, 1, width=32)
    return st.builds(of_terms, st.lists(term, min_size=1, max_size=terms).map(tuple), lines)


def activations(*, own: bool = True, smooth: bool = False) -> st.SearchStrategy[Activation]:
    """Activations: all of `statnn.network.ACTIVATIONS`, leaky ReLUs of any slope, and `smooth_activations`.

    Parameters
    ----------
    own : bool
        Whether to include functions unknown to the package.
    smooth : bool
        Whether all are analytic.
    """
    entries = [sigma for sigma in ACTIVATIONS.values() if sigma.smooth or not switch(smooth, "smooth")]
    strategy: st.SearchStrategy[Activation] = st.sampled_from(entries)
    if not smooth:
        strategy |= st.builds(leaky_relu, st.sampled_from([0.0, 1.0, -0.5]) | st.floats(-2, 2, width=32))
    return strategy | smooth_activations() if switch(own, "own") else strategy
