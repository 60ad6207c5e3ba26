"""Promises of docs/reproducibility.md that no other file tests; the files that it names exist."""

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "reproducibility.md").read_text(encoding="utf-8")
SCRIPT = """
import hashlib, pickle, sys
from statnn import sweep
from statnn._archive.file import digest_of
from statnn.interaction import square_lattice
from statnn.montecarlo import sample
run = sample(square_lattice(4, 4, temperature=2.3), 4, method="heat bath", rng=1)
found = sweep(lambda a, rng: float(rng.random()) + a, {"a": [1, 2]}, rng=1)
print(digest_of([run.draws, run.states, run.seed]), digest_of(list(found.results)))
"""


def test_the_page_names_tests_that_exist():
    named = set(re.findall(r"`(tests/[\w/]+(?:\.py)?)`", PAGE))
    assert len(named) >= 6
    assert all((ROOT / name).exists() for name in named)


def test_the_hash_seed_of_python_changes_nothing():
    said = {
        subprocess.run(  # noqa: S603 - our own
            [sys.executable, "-c", SCRIPT],
            check=True,
            capture_output=True,
            text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("0", "4711")
    }
    assert len(said) == 1
    assert len(said.pop().split()) == 2
