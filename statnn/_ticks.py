"""Ticks of logarithmic axes; matplotlib is loaded with this file."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.ticker import LogLocator, MaxNLocator


class Between(LogLocator):
    """Ticks at 1, 2 and 5 times the powers of ten, or at even distances where an axis is too short for two of them."""

    def __init__(self) -> None:
        super().__init__(subs=(1.0, 2.0, 5.0), numticks=12)

    def tick_values(self, vmin: float, vmax: float) -> Any:
        """Return the positions between the ends of an axis."""
        low, high = sorted((vmin, vmax))
        if low > 0 and high < 5 * low:
            ticks = np.asarray(MaxNLocator(5, steps=(1, 2, 5, 10)).tick_values(low, high))
            return ticks[ticks > 0]
        return super().tick_values(vmin, vmax)
