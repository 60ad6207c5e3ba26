"""What several claims share: sources, the three readings, slopes of batches."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from validation.claim import Data

Floats = NDArray[np.float64]

ABSTRACT = "Zhang & Sui 2024, arXiv 2412.18073, abstract"
MAIN_TEXT = "Zhang & Sui 2024, arXiv 2412.18073, main text"
HYPOTHESIS = "follows from the hypothesis of Zhang & Sui 2024, arXiv 2412.18073"


def scaled(*names: str) -> Callable[[Data, float], Data]:
    """Return the twin in which the theory under these names is too large by a share."""
    return lambda data, by: {**data, **{name: data[name] * (1 + by) for name in names}}


def of_batches(values: Floats, batches: int, function: Callable[[Floats], Floats]) -> Floats:
    """Return ``function`` of the mean of each batch of replicas, shape ``(batches, ...)``.

    A slope or a vertex is not linear in the data: it is taken of batches large enough to be nearly so, and
    its error comes from the spread over batches, whatever the correlation within a path.
    """
    return np.stack([function(batch.mean(axis=0)) for batch in np.array_split(values, batches)])


def log_slope(x: Floats, y: Floats) -> Floats:
    """Return the least-squares slope of ln y against ln x."""
    return np.asarray(np.polynomial.polynomial.polyfit(np.log(x), np.log(y), 1)[1])
