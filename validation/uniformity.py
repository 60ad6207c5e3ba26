"""Whether p-values of the right theory are uniform, or above uniform, over fresh seeds.

Single comparisons are taken before any correction. Those of one seed share their data, so each is followed over the
seeds, which are independent; families share a level by Bonferroni. p-values of discrete statistics, and of theories
with a tolerance, lie above uniform: only p-values that are too small raise false alarms.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from statnn._text import p_value

FEWEST_SEEDS = 30
TAILS = (1e-1, 1e-2, 1e-3)
"""Levels at which the smallest of a seed's p-values is counted."""
DOUBT = 1e-4
"""Level below which a row is marked: some hundred rows raise one false mark in a hundred tables."""


@dataclass(frozen=True)
class Row:
    """One quantity over all seeds.

    Parameters
    ----------
    what, quantity : str
    seeds, comparisons : int
        Independent seeds, and single comparisons in each.
    too_small, too_large : float
        p-values of one-sided tests that the single comparisons are not smaller, not larger, than uniform ones;
        corrected for their number. NaN below `FEWEST_SEEDS`.
    tails : tuple of int
        Seeds whose smallest p-value, times the number of comparisons, is below each of `TAILS`.
    """

    what: str
    quantity: str
    seeds: int
    comparisons: int
    too_small: float
    too_large: float
    tails: tuple[int, ...]

    @property
    def says(self) -> str:
        """The row in one word or two."""
        if np.isnan(self.too_small):
            return "too few seeds"
        if self.too_small < DOUBT:
            return "TOO SMALL"
        return "above uniform" if self.too_large < DOUBT else "uniform"


def row(what: str, quantity: str, p: NDArray[np.float64]) -> Row:
    """Judge the p-values, shape ``(seeds, comparisons)``, of one quantity.

    >>> row("coin", "heads", (np.arange(200)[:, None] + 0.5) / 200).says
    'uniform'
    """
    seeds, comparisons = p.shape
    smallest = comparisons * p.min(axis=1)
    tails = tuple(int((smallest < level).sum()) for level in TAILS)
    if seeds < FEWEST_SEEDS:
        return Row(what, quantity, seeds, comparisons, np.nan, np.nan, tails)
    small = [float(stats.kstest(values, "uniform", alternative="greater").pvalue) for values in p.T]
    large = [float(stats.kstest(values, "uniform", alternative="less").pvalue) for values in p.T]
    excess = [
        float(stats.binomtest(seen, seeds, level, alternative="greater").pvalue)
        for seen, level in zip(tails, TAILS, strict=True)
    ]
    # half of the level goes to the bulk of the law, half to its tail
    too_small = min(1.0, 2 * comparisons * min(small), 2 * len(TAILS) * min(excess))
    return Row(what, quantity, seeds, comparisons, too_small, min(1.0, comparisons * min(large)), tails)


def rows(entries: Iterable[Mapping]) -> list[Row]:
    """Return a row for each quantity of entries ``{"what", "seed", "p": {quantity: [p, ...]}}``."""
    collected: dict[tuple[str, str], list[list[float]]] = {}
    for entry in entries:
        for quantity, singles in entry["p"].items():
            collected.setdefault((entry["what"], quantity), []).append(singles)
    rows = []
    for (what, quantity), lists in collected.items():
        # the data may decide how many comparisons there are: those that every seed has are followed
        common = min(map(len, lists))
        if common:
            rows.append(row(what, quantity, np.array([singles[:common] for singles in lists])))
    return rows


def table(rows: Iterable[Row]) -> str:
    """Return the rows as a table in Markdown, expected counts beside those seen."""
    heads = ["what", "quantity", "seeds", "comparisons", "too small?", *(f"p < {t:g}" for t in TAILS), "says"]
    lines = ["| " + " | ".join(heads) + " |", "|---" * len(heads) + "|"]
    for row in rows:
        chance = "–" if np.isnan(row.too_small) else p_value(row.too_small)
        counts = [f"{n} ({row.seeds * t:.3g})" for n, t in zip(row.tails, TAILS, strict=True)]
        cells = [row.what, row.quantity, str(row.seeds), str(row.comparisons), chance, *counts, row.says]
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines)
