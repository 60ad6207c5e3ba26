"""The exact law of the dispersion of some spikes over windows, whose tail no smooth law approximates."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import special, stats

from statnn._arguments import Floats
from statnn._arrays import read_only

FEW = 50
"""Most spikes whose law is summed window by window, to all digits: it costs at most half a second."""
BANDS = FEW, 80, 115, 155, 200, 245, 295, 345, 400
"""Numbers of spikes up to which laws are found together, from windows that hold as many in the mean."""
ROUNDING = 1e-12
"""Error of the tails of laws of more spikes, which no p-value is below."""
MOST_ROOTS = 2**14
"""Roots of unity that a law may take: a second. More are needed for many spikes in few windows, whose law is smooth."""
_TOTALS, _AT_ONCE = 512, 1024


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


@lru_cache(maxsize=16)
def some_spikes(windows: int, window: int | None, most: int) -> dict[int, Floats]:
    r"""Return the laws of Σ n(n-1)/2 given m spikes, m in the band that ends at `most`; none if they are costly.

    .. math:: P(Σ n(n-1)/2 = k \,|\, Σ n = m) ∝ [x^m y^k] \Big(\sum_n p_n x^n y^{n(n-1)/2}\Big)^W

    for independent windows of any mean [exact]; both powers are read off at roots of unity. More pairs than there are
    roots have a chance far below rounding, since a window would have to hold very many spikes.
    """
    least = BANDS[BANDS.index(most) - 1] + 1
    roots = _more_than_pairs(windows, window, most)
    if roots > MOST_ROOTS:
        return {}
    mean = (least + most) / 2 / windows
    n = np.arange(1, most + 1)
    chance = stats.poisson.pmf(n, mean) if window is None else stats.binom.pmf(n, window, mean / window)
    pairs = n * (n - 1) // 2 % roots
    series = np.empty((most - least + 1, roots // 2 + 1), dtype=complex)
    for first in range(0, roots // 2 + 1, _AT_ONCE):
        some = np.arange(first, min(first + _AT_ONCE, roots // 2 + 1))
        terms = np.zeros((some.size, _TOTALS), dtype=complex)
        terms[:, n] = chance * np.exp(2j * np.pi / roots * (some[:, None] * pairs % roots))
        less = np.fft.fft(terms) - chance.sum()  # the sum over all n minus 1, which would hide its digits
        with np.errstate(divide="ignore", invalid="ignore"):
            power = np.where(less == -1, 0.0, np.exp(windows * _log1p(less)))
        series[:, some] = np.fft.ifft(power)[:, least : most + 1].T
    laws = np.fft.irfft(series.conj(), roots)
    return {m: read_only(law / law.sum()) for m, law in zip(range(least, most + 1), laws, strict=True)}


def _log1p(z: NDArray[np.complex128]) -> NDArray[np.complex128]:
    """Return log(1 + z) with the digits of small z, which numpy rounds to those of 1 + z."""
    return np.asarray(np.log1p(z.real * (2 + z.real) + z.imag**2) / 2 + 1j * np.arctan2(z.imag, 1 + z.real))


def _more_than_pairs(windows: int, window: int | None, spikes: int) -> int:
    """Return a power of two above all pairs but those of a chance below 1e-18: if no window holds n, m n/2 are more."""
    largest = min(spikes, window or spikes)
    n = np.arange(1, largest + 1)
    rare = n[windows * stats.binom.sf(n - 1, spikes, 1 / windows) < 1e-18]
    return 1 << math.ceil(math.log2(spikes * (rare[0] if rare.size else largest) / 2 + 1))
