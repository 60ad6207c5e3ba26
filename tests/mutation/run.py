"""Change one place of the code at a time, and see whether the tests that should notice do fail.

``python tests/mutation/run.py [--only ROOM|ID ...] [--list] [--results FILE]`` from the root of the repository. Results
are lines of JSON: an entry that has a result and is unchanged is not run again.
"""

import argparse
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
LIST = Path(__file__).with_name("mutants.toml")
PASSED, FAILED = 0, 1  # exit statuses of pytest
COPIED = ("statnn", "theory", "tests", "validation", "docs", "pyproject.toml", "setup.cfg", "README.md", "CHANGELOG.md")


@dataclass(frozen=True)
class Mutant:
    """A place, its old and its new text, and the tests that must fail; or why no test can."""

    id: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...] = ()
    equivalent: str = ""

    @property
    def digest(self) -> str:
        """Digest by which a result is known to belong to this entry."""
        return hashlib.sha256(repr(self).encode()).hexdigest()[:12]

    @property
    def room(self) -> str:
        """The folder of the package in which the place is."""
        parts = self.file.split("/")
        return parts[0] if parts[0] != "statnn" or len(parts) < 3 else parts[1]

    def applied(self, root: Path = ROOT) -> str:
        """Return the changed text of the file, which must still be Python."""
        text = (root / self.file).read_text(encoding="utf-8")
        count = text.count(self.old)
        if count != 1 or self.old == self.new:
            raise ValueError(
                f"{self.id}: the old text is {count} times in {self.file}, once is needed; the new differs"
            )
        changed = text.replace(self.old, self.new)
        compile(changed, self.file, "exec")
        return changed


def mutants(path: Path = LIST) -> tuple[Mutant, ...]:
    """Return the list."""
    rows = tomllib.loads(path.read_text(encoding="utf-8"))["mutant"]
    return tuple(Mutant(**{**row, "tests": tuple(row.get("tests", ()))}) for row in rows)


def chosen(every: Iterable[Mutant], only: Iterable[str]) -> list[Mutant]:
    """Return the mutants of some rooms or ids; all of them if none is named."""
    some = set(only)
    return [mutant for mutant in every if not some or mutant.id in some or mutant.room in some]


def verdict(mutant: Mutant) -> dict[str, object]:
    """Run the tests of a mutant in a copy of the repository."""
    row: dict[str, object] = {"id": mutant.id, "entry": mutant.digest, "room": mutant.room}
    if mutant.equivalent:
        return {**row, "result": "equivalent", "why": mutant.equivalent}
    with tempfile.TemporaryDirectory(prefix="mutant-") as folder:
        copy = Path(folder) / "tree"
        for name in COPIED:
            source = ROOT / name
            if source.is_dir():
                shutil.copytree(source, copy / name, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(source, copy / name)
        (copy / mutant.file).write_text(mutant.applied(), encoding="utf-8")
        around = {**os.environ, "PYTHONPATH": str(copy), "NUMBA_CACHE_DIR": f"{folder}/kernels"}
        command = [sys.executable, "-m", "pytest", "-x", "-q", "-n", "0", "-p", "no:cacheprovider", *mutant.tests]
        began = time.monotonic()
        ran = subprocess.run(command, cwd=copy, env=around, capture_output=True, text=True, check=False)  # noqa: S603
    row["seconds"] = round(time.monotonic() - began, 1)
    if ran.returncode == PASSED:
        return {**row, "result": "SURVIVED"}
    by = re.search(r"^(?:FAILED|ERROR) (\S+)", ran.stdout, re.MULTILINE)
    if ran.returncode != FAILED or by is None:
        raise RuntimeError(f"{mutant.id}: the tests could not be run\n{ran.stdout[-3000:]}{ran.stderr[-3000:]}")
    return {**row, "result": "killed", "by": by[1]}


def summary(rows: Iterable[dict[str, object]]) -> Iterator[str]:
    """Yield a line for every room, and one for every survivor."""
    known = list(rows)
    yield f"{'room':<14}{'mutants':>8}{'killed':>8}{'survived':>10}{'equivalent':>12}{'share killed':>14}"
    for room in sorted({str(row["room"]) for row in known}):
        own = [str(row["result"]) for row in known if row["room"] == room]
        dead, alive = own.count("killed"), own.count("SURVIVED")
        share = f"{dead / (dead + alive):.1%}" if dead + alive else "-"
        yield f"{room:<14}{len(own):>8}{dead:>8}{alive:>10}{own.count('equivalent'):>12}{share:>14}"
    yield from (f"SURVIVED {row['id']}" for row in known if row["result"] == "SURVIVED")


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def main() -> int:
    """Run the mutants without a result; return 1 if any survived."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="+", default=[], metavar="ROOM|ID", help="these rooms or mutants")
    parser.add_argument("--list", action="store_true", help="print the mutants and run nothing")
    parser.add_argument("--results", type=Path, default=Path("mutation.jsonl"), help="lines of JSON, read and extended")
    given = parser.parse_args()
    some = chosen(mutants(), given.only)
    if given.list:
        _say("\n".join(f"{mutant.id:<34}{mutant.file}" for mutant in some))
        return 0
    lines = given.results.read_text(encoding="utf-8").splitlines() if given.results.exists() else []
    known = {row.get("entry"): row for row in map(json.loads, lines)}
    for mutant in some:
        if mutant.digest not in known:
            known[mutant.digest] = row = verdict(mutant)
            with given.results.open("a", encoding="utf-8") as file:
                file.write(json.dumps(row) + "\n")
            _say(f"{row['result']} {mutant.id} {row.get('by', '')}")
    rows = [known[mutant.digest] for mutant in some]
    _say("\n".join(summary(rows)))
    return int(any(row["result"] == "SURVIVED" for row in rows))


if __name__ == "__main__":
    raise SystemExit(main())
