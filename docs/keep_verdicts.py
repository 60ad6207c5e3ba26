"""Keep the verdicts of a run for the site: ``python docs/keep_verdicts.py REPORT/verdicts.json``.

What fills most of the file and is not shown is left out: p-values of single comparisons, verdicts on wrong twins; and
folders of the machine.
"""

import json
import re
import sys
from pathlib import Path


def main(report):
    """Write docs/verdicts.json."""
    record = json.loads(Path(report).read_text(encoding="utf-8"))
    record["run"]["command"] = re.sub(r"(--(?:out|cache|data)) \S*/(\S+)", r"\1 \2", record["run"]["command"])
    for claim in record["claims"].values():
        for twin in claim["twins"]:
            twin.pop("verdict")
        for finding in claim["verdict"]["findings"] if claim["verdict"] else ():
            finding.pop("singles")
    target = Path(__file__).with_name("verdicts.json")
    target.write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1])
