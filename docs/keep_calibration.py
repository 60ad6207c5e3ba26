"""Keep the results of calibrations for the site: ``python docs/keep_calibration.py CALIBRATION.jsonl [...]``.

A claim's entry is renewed by a calibration on at least as many seeds, or of its present text. An entry of an earlier
text is dropped, unless the first seeds have been run again and gave the same numbers.
"""

import json
import sys
from collections import Counter
from dataclasses import asdict
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1]))  # for `validation`, which is not installed
from validation import calibrate, uniformity
from validation.claims import CLAIMS

TARGET = Path(__file__).with_name("calibration.json")
DIGITS = 4


def summary(entries):
    """Return the summary of one claim's entries: seeds, runs that were not as expected, and a row for each quantity."""
    rows = [asdict(row) | {"says": row.says} for row in uniformity.rows(entries)]
    for row in rows:
        del row["what"], row["seeds"]
        row.update({key: float(f"{row[key]:.{DIGITS}g}") for key in ("too_small", "too_large")})
    return {"seeds": len(entries), "unexpected": sum(not entry["expected"] for entry in entries), "rows": rows}


def summary_of_tests(entries):
    """Return the summary of all statistical tests of the suite, or nothing where none was rerun."""
    own = [entry for entry in entries if entry["code"] == "tests"]
    rows = [row for row in uniformity.rows(own) if row.seeds >= uniformity.FEWEST_SEEDS]
    seeds = Counter(entry["what"] for entry in own)
    return own and {
        "tests": len(seeds),
        "seeds": [min(seeds.values()), max(seeds.values())],
        "runs": len(own),
        "unexpected": sum(not entry["expected"] for entry in own),
        "compared": len(rows),
        "too_small": sum(row.says == "TOO SMALL" for row in rows),
    }


def kept(old, entries):
    """Return the entries of all claims, the new ones beside those of `old` that are of the present text."""
    record = {}
    for name, claim in CLAIMS.items():
        code = calibrate.code_of(claim)
        own = [entry for entry in entries if (entry["what"], entry["code"]) == (name, code)]
        before, numbers = old.get(name, {"code": "", "seeds": 0}), calibrate.numbers_of(own)
        same = before["code"] == code or (numbers and before.get("numbers") == numbers)
        if same and before["seeds"] > len(own):
            record[name] = before | {"code": code}
        elif len(own) >= uniformity.FEWEST_SEEDS:
            record[name] = {"code": code, "numbers": numbers} | summary(own)
    return record


def runs_of(files):
    """Return the runs that files hold, each seed of a claim's text only once even if several files have it."""
    return list(
        {(run["what"], run["code"], run["seed"]): run for file in files for run in calibrate.read(Path(file))}.values()
    )


def main(*files):
    """Write docs/calibration.json."""
    old = json.loads(TARGET.read_text(encoding="utf-8")) if TARGET.exists() else {}
    entries = runs_of(files)
    tests = summary_of_tests(entries) or old.get("tests")
    record = kept(old, entries) | ({"tests": tests} if tests else {})
    TARGET.write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
