"""A hundred damaged files; ``python tests/faults/fuzz.py`` reads them for ten minutes."""

import json
import warnings
from collections import Counter

import numpy as np
import pytest

pytest.importorskip("onnx", reason="the extra onnx is not installed")

from faults.files import Case, cases
from faults.fuzz import attempt, read

TIMES = 3
"""Damaged files of each kind."""


def test_a_damaged_file_is_what_it_was_or_another_right_object_or_refused_in_words(rng, tmp_path):
    seed, outcomes, faults = int(rng.integers(2**63)), Counter(), []
    for name in cases():
        for number in range(TIMES):
            folder = tmp_path / f"{name} {number}"
            folder.mkdir()
            kind, outcome, wrong = attempt(name, seed, number, folder)
            outcomes[outcome] += 1
            faults += [f"{folder}, {kind}: {wrong}"] if wrong else []
    assert not faults
    assert outcomes["refused"] > TIMES < outcomes["equal"]  # both are seen


# -- what is a fault ---------------------------------------------------------------------------------------


def refusing(error):
    def load(_):
        raise error

    return load


def warning(folder):
    warnings.warn(f"{folder} looks odd", stacklevel=1)
    return 1


def overwriting(folder):
    (folder / "file").write_bytes(b"new")
    raise ValueError(f"{folder} is damaged")


@pytest.mark.parametrize(
    ("load", "wrong"),
    [
        (refusing(KeyError("file")), "KeyError"),
        (refusing(UnicodeDecodeError("utf-8", b"x", 0, 1, "file")), "UnicodeDecodeError"),
        (refusing(MemoryError()), "MemoryError"),
        (refusing(json.JSONDecodeError("file", "x", 0)), "JSONDecodeError"),
        (refusing(ValueError("it is damaged")), "does not name the file"),
        (refusing(ValueError("file:\x1b[2J")), "is no line that can be shown"),
        (refusing(ValueError("file: " + "x" * 10**4)), "is no line that can be shown"),
        (warning, "UserWarning"),
        (overwriting, "refused and changed"),
        (lambda _: 2, "another object"),
        (lambda _: 1, ""),
        (refusing(ValueError("file is damaged")), ""),
        (refusing(FileNotFoundError(2, "there is none", "file")), ""),
    ],
)
def test_faults_are_seen(load, wrong, tmp_path):
    (tmp_path / "file").write_bytes(b"old")
    fault = read(Case({"file": b"old"}, load), tmp_path, expected=1)[1]
    assert fault.startswith(wrong) if wrong else not fault


def test_what_may_be_another_object_is_a_right_one(tmp_path):
    case = Case({}, lambda _: np.zeros(2), sealed=False, valid=lambda _, array: array.any())
    assert read(case, tmp_path, expected=1) == ("another", "a wrong object")
