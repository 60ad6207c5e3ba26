"""The page on calibration: what claims find on fresh seeds of the right theory, from ``docs/calibration.json``."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from validation.uniformity import FEWEST_SEEDS, TAILS

KEPT = Path(__file__).parents[1] / "calibration.json"

HEAD = """# Calibration

Does a claim that is right ever fail? Each is rerun on fresh seeds of the right theory, and the p-values of its single
comparisons, before any correction, are held against the uniform law. Smaller ones than uniform would raise false
alarms; those of discrete statistics, and of theories with a tolerance, lie above. *Below 0.1* counts the seeds whose
smallest p-value, times the number of comparisons, is below that; in brackets what the uniform law allows on average.

{summary}

Made by `python -m validation.calibrate` and `docs/keep_calibration.py`. Claims on trained networks have no calibration,
as no theory says what they find; others that are missing have not been rerun since they changed.

```{{list-table}}
:header-rows: 1

* - Claim
  - Quantity
  - Seeds
  - Comparisons
{levels}  - p-values are
{rows}```
"""


def page(titles: Mapping[str, str], set_words: Callable[[str], str], kept: Path = KEPT) -> str:
    """Return the page of a kept file; `titles` maps claims to titles, and `set_words` typesets quantities."""
    record = json.loads(kept.read_text(encoding="utf-8"))
    tests = record.pop("tests", None)
    quantities = [row for claim in record.values() for row in claim["rows"]]
    runs, unexpected = (sum(claim[key] for claim in record.values()) for key in ("seeds", "unexpected"))
    small = sum(row["says"] == "TOO SMALL" for row in quantities)
    summary = (
        f"{runs:,} runs of {len(record)} claims with {len(quantities)} quantities: p-values of {small} are too small, "
        f"{unexpected} runs were not as expected."
    )
    if tests:
        fewest, most = tests["seeds"]
        summary += (
            f"\n\n{tests['runs']:,} runs of {tests['tests']:,} tests that draw, each on {fewest} to {most} root seeds: "
            f"p-values of {tests['too_small']} of {tests['compared']} that compare on {FEWEST_SEEDS} or more are too "
            f"small, {tests['unexpected']} runs failed."
        )
    rows = "".join(
        _row(f"[{titles[name]}](#claim-{name})", set_words(row["quantity"]), claim["seeds"], row)
        for name, claim in record.items()
        for row in claim["rows"]
    )
    levels = "".join(f"  - Below {level:g}\n" for level in TAILS)
    return HEAD.format(summary=summary, levels=levels, rows=rows)


def _row(claim: str, quantity: str, seeds: int, row: Mapping[str, Any]) -> str:
    counts = [f"{n} ({seeds * level:.3g})" for n, level in zip(row["tails"], TAILS, strict=True)]
    return "* - " + "\n  - ".join([claim, quantity, f"{seeds:,}", f"{row['comparisons']}", *counts, row["says"]]) + "\n"
