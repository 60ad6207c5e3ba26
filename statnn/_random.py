"""Random numbers at the edge: one ``rng`` argument in, independent reproducible streams out.

``rng`` is an int, a :class:`numpy.random.Generator` or ``None`` (fresh entropy). It is turned once into a
root :class:`numpy.random.SeedSequence`; stream ``(i, j, ...)`` of that root is a function of the root and of
``(i, j, ...)`` alone, so results depend neither on the number of workers nor on how work is cut into chunks.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np

from statnn._arguments import whole

Root: TypeAlias = tuple[int | Sequence[int] | None, tuple[int, ...]]
"""Entropy and spawn key: a picklable seed, from which every stream of a run can be made again."""


def root(rng: int | np.random.Generator | None, name: str = "rng") -> Root:
    """Return the root seed of a run; `name` stands in errors.

    A generator is asked for 128 fresh bits, so that two calls with the same generator differ and a
    generator restored from a saved state gives the same run.

    Examples
    --------
    >>> root(1)
    (1, ())
    """
    if rng is None:
        return np.random.SeedSequence().entropy, ()
    if isinstance(rng, np.random.Generator):
        return tuple(int(word) for word in rng.integers(2**32, size=4, dtype=np.uint64)), ()
    if not isinstance(rng, int | np.integer):
        raise TypeError(
            f"{name} = {rng!r} is a {type(rng).__name__}; pass a whole number, a generator of numpy, "
            "numpy.random.default_rng(seed), or None"
        )
    return whole(rng, name, minimum=0, maximum=2**128 - 1), ()  # longer seeds would collide with keys


def check_rng(rng: Any, name: str = "rng") -> None:
    """Raise for what makes no seed, also where none is needed; a generator is not asked for bits."""
    if not isinstance(rng, np.random.Generator):
        root(rng, name)


def seed_of(words: Any) -> Root:
    """Return a seed that has been through JSON, which has no tuples.

    Examples
    --------
    >>> seed_of([[1, 2], []])
    ((1, 2), ())
    """
    entropy, key = words
    return tuple(entropy) if isinstance(entropy, list) else entropy, tuple(key)


def stream(seed: Root, *key: int) -> np.random.Generator:
    """Return the generator of stream ``key`` below ``seed``.

    Parameters
    ----------
    seed : tuple
        Entropy and spawn key of a ``numpy.random.SeedSequence``: ``(1, ())`` for ``rng=1``. Methods receive it.
    *key : int
        Which stream: the number of a chain, or several numbers.

    Returns
    -------
    numpy.random.Generator
        The same generator for the same seed and key, independent of the generators of other keys.

    See Also
    --------
    Walkers : draws from streams, one per chain.

    Examples
    --------
    >>> stream((1, ()), 0, 3).random() == stream((1, ()), 0, 3).random()
    True
    """
    entropy, spawn_key = seed
    return np.random.Generator(np.random.SFC64(np.random.SeedSequence(entropy, spawn_key=spawn_key + key)))
