"""Keep the verdicts of runs for the site: ``python docs/keep_verdicts.py REPORT/verdicts.json [OLDER.json ...]``.

Records come newest first. A claim takes its verdict from the first record that judged it, so that a run of some claims
only (``--only``), or one without data, renews what it ran. Verdicts that do not come from the most common run name
their own. What is not shown is left out: p-values of single comparisons, verdicts on wrong twins, captions, and folders
of the machine.
"""

import json
import re
import sys
from collections import Counter
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1]))  # for `validation`, which is not installed
from validation.claims import CLAIMS


def read(file):
    """Return the claims of a record, each with the run that judged it, without folders."""
    record = json.loads(Path(file).read_text(encoding="utf-8"))
    command = re.sub(r"(--(?:out|cache|data)) \S*/(\S+)", r"\1 \2", record["run"]["command"])
    run = record["run"] | {"command": command}
    return {name: claim | {"run": claim.get("run", run)} for name, claim in record["claims"].items()}


def merged(records):
    """Return one record of many: each claim from the first that judged it, or else from the first that has it."""
    claims = {}
    for name in CLAIMS:
        known = [record[name] for record in records if name in record]
        if known:
            claims[name] = min(known, key=lambda claim: not claim["verdict"])
    run = json.loads(Counter(json.dumps(claim["run"]) for claim in claims.values()).most_common(1)[0][0])
    for claim in claims.values():
        if claim["run"] == run:
            del claim["run"]
    return {"run": run, "claims": claims}


def main(*files):
    """Write docs/verdicts.json."""
    record = merged([read(file) for file in files])
    for claim in record["claims"].values():
        claim.pop("caption", None)
        for twin in claim["twins"]:
            twin.pop("verdict", None)
        for finding in (claim["verdict"] or {}).get("findings", ()):
            finding.pop("singles", None)
    target = Path(__file__).with_name("verdicts.json")
    target.write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
