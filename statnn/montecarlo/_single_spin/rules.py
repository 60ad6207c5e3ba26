"""The two rules by which a spin takes a new value, given a uniform number u and its local field h.

    heat bath   s becomes +1 if u (1 + exp(-2 β h)) < 1, else -1;    P(+1) = 1 / (1 + exp(-2 β h))
    Metropolis  s changes sign if u < 15/16 and u < 15/16 exp(-2 β s h)

Spins are visited in order: if changes at no cost were certain, some sets of states would never be left (a spin without
field would change sign in every sweep, and two of them in step). With 15/16 every state can stay and change. u is an
odd multiple of 2^-24, so that a probability below 6e-8 counts as zero. Neither rule divides, so both vectorise well.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from statnn._compile import helper
from statnn.montecarlo._lanes import exponential, fused

_ONE, _MOST = np.float32(1), np.float32(15 / 16)
_UP, _DOWN = np.int8(1), np.int8(-1)


@helper
def drawn(u: Any, exponent: Any) -> Any:
    """Return the new spin of the heat bath; the exponent is -2 β h."""
    return _UP if fused(u, np.float32(exponential(exponent)), u) < _ONE else _DOWN


@helper
def flips(u: Any, exponent: Any) -> Any:
    """Return whether Metropolis changes the sign; the exponent is -2 β s h."""
    return (u < _MOST) & (u < _MOST * np.float32(exponential(exponent)))
