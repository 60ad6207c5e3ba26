"""Print the table of speeds, with marks on missed targets: ``python -m validation.benchmarks [part ...] [--quick]``."""

import argparse
import importlib
import json
import os
from dataclasses import asdict
from pathlib import Path

# before numpy: one thread each, so that a ratio compares algorithms
os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"), "1"))

from validation.benchmarks.measure import HEADING, conditions

PARTS = ("activation", "montecarlo", "dynamic", "rg", "rg_montecarlo", "rg_meanfield", "spikes", "basins", "executors")


def main() -> None:
    """Run all benchmarks and print one row as each is done."""
    parser = argparse.ArgumentParser(prog="python -m validation.benchmarks", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="part", help=f"which of {', '.join(PARTS)}; all when left out")
    parser.add_argument("--quick", action="store_true", help="a tenth of the size")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write rows and conditions there too")
    arguments = parser.parse_args()
    unknown = [part for part in arguments.parts if part not in PARTS]
    if unknown:
        parser.error(f"unknown: {', '.join(unknown)}; choose from {', '.join(PARTS)}")
    if arguments.json and not arguments.json.parent.is_dir():
        parser.error(f"--json {arguments.json}: its folder does not exist")
    print(HEADING)
    rows, missed = [], []
    for part in arguments.parts or PARTS:
        for benchmark in importlib.import_module(f"validation.benchmarks.{part}").BENCHMARKS:
            for row in benchmark(quick=arguments.quick):
                print(row, flush=True)
                rows.append({"part": part, **asdict(row), "missed": row.missed})
                missed += [row] * row.missed
    if arguments.json:
        file = arguments.json  # what was written there by hand is kept
        written = json.loads(file.read_text(encoding="utf-8")) if file.exists() and file.stat().st_size else {}
        why = {"why_on": written.get("why_on", ""), "why": written.get("why", [])}
        record = {"quick": arguments.quick, **conditions(), "remark": "", "rows": rows, **why}
        arguments.json.write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(f"\ntargets missed on this processor: {len(missed)}", *(row.work for row in missed), sep="\n  ")


if __name__ == "__main__":
    main()
