"""Keep the verdicts of a run for the site: ``python docs/keep_verdicts.py REPORT/verdicts.json [OLDER.json]``.

What fills most of the file and is not shown is left out: p-values of single comparisons, verdicts on wrong twins; and
folders of the machine. Claims that the run left out, for want of data, are taken from an older record and say so.
"""

import json
import re
import sys
from pathlib import Path


def read(file):
    """Return the record of a run, without folders."""
    record = json.loads(Path(file).read_text(encoding="utf-8"))
    command = re.sub(r"(--(?:out|cache|data)) \S*/(\S+)", r"\1 \2", record["run"]["command"])
    record["run"]["command"] = command
    return record


def complete(record, older):
    """Give claims without a verdict that of an older run, with what that run was."""
    for name, claim in record["claims"].items():
        before = older["claims"].get(name)
        if not claim["verdict"] and before and before["verdict"]:
            claim |= {key: before[key] for key in ("verdict", "passed", "seconds")}
            claim |= {"skipped": "", "run": before.get("run", older["run"])}


def main(report, older=None):
    """Write docs/verdicts.json."""
    record = read(report)
    if older:
        complete(record, read(older))
    for claim in record["claims"].values():
        for twin in claim["twins"]:
            twin.pop("verdict", None)
        for finding in (claim["verdict"] or {}).get("findings", ()):
            finding.pop("singles", None)
    target = Path(__file__).with_name("verdicts.json")
    target.write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
