"""The exact law of the dispersion of few spikes over windows, whose tail no smooth law approximates."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from scipy import special

from statnn._arguments import Floats
from statnn._arrays import read_only

FEW = 50
"""Most spikes for which the exact law is taken: it costs at most half a second, and has up to 1,225 pairs."""


@lru_cache(maxsize=8)
def few_spikes(windows: int, window: int | None, most: int) -> tuple[Floats, ...]:
    r"""Return the laws of the pairs of spikes that share a window, Σ n(n-1)/2, given 0, 1, ..., most spikes in all.

    Of m spikes in two groups of windows, k fall into the first by the hypergeometric law, by the binomial one if
    windows hold any number (None); the pairs of both groups add up. Groups of windows are doubled step by step.
    """
    whole: tuple[tuple[Floats, ...], int] | None = None
    group = tuple(np.eye(1, m * (m - 1) // 2 + 1, m * (m - 1) // 2)[0] for m in range(most + 1)), 1
    for bit in reversed(f"{windows:b}"):
        if bit == "1":
            whole = group if whole is None else _merged(*whole, *group, window)
        group = group if group[1] > windows // 2 else _merged(*group, *group, window)
    assert whole is not None  # noqa: S101 - there is a window
    return tuple(map(read_only, whole[0]))


def _merged(
    first: tuple[Floats, ...], size: int, second: tuple[Floats, ...], other: int, window: int | None
) -> tuple[tuple[Floats, ...], int]:
    most = len(first) - 1
    # draws without replacement: products of the samples that are left, as shares of all samples
    taken = np.arange(most) / ((size + other) * window) if window else np.zeros(most)
    own, others, all_of_them = (
        np.append(1.0, np.maximum(share - taken, 0.0).cumprod())
        for share in (size / (size + other), other / (size + other), 1.0)
    )
    laws = []
    for m in range(most + 1):
        k, law = np.arange(m + 1), np.zeros(m * (m - 1) // 2 + 1)
        chance = special.comb(m, k) * own[k] * others[m - k] / (all_of_them[m] or 1.0)
        for part in np.flatnonzero(chance):
            both = np.convolve(first[part], second[m - part])
            law[: both.size] += chance[part] * both
        laws.append(law)
    return tuple(laws), size + other
